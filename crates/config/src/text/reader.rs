//! Reads files line by line and hands on the lines that remain when everything is expanded.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builtin::Builtins;
use super::definitions::{Definition, Definitions, Expanded, definition};
use super::glob;
use super::glyph::{Glyph, is_blank, lines, span_of, text_of, trim};
use super::include;
use super::repeat::{self, Rounds};
use crate::diagnostic::{Findings, INCLUDE_NOT_FOUND, NO_CONFIGURATION_FILE};
use crate::files::Files;
use crate::source::{FileId, Sources, Span};

/// Files inside files, and definitions inside definitions.
const DEEPEST: usize = 40;
/// All lines of a configuration after everything is expanded.
const MOST_LINES: usize = 400_000;
const MOST_FILES: usize = 10_000;
/// Nobody writes a configuration of this size; a log file named by mistake may have it.
const LARGEST_FILE: usize = 64 << 20;

/// Takes the lines that remain.
pub(crate) trait LineSink {
    /// One line without comments, definitions and repetitions; not blank.
    fn line(&mut self, line: &[Glyph], findings: &mut Findings);
}

/// What reading depends on beside the text.
pub(crate) struct Reading<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) config_id: &'a str,
    /// Every file that is included must be there and readable.
    pub(crate) all_files: bool,
}

/// Reads the file and all that it includes. Where no file has this name, it may be a pattern for several.
pub(crate) fn read(
    path: &Path,
    reading: &Reading<'_>,
    sources: &mut Sources,
    findings: &mut Findings,
    sink: &mut dyn LineSink,
) {
    let drawn = Cell::new(0);
    let &Reading { files, config_id, all_files } = reading;
    let mut reader = Reader {
        files,
        config_id,
        drawn: &drawn,
        seed: None,
        strictness: if all_files { include::Strictness::ALL } else { include::Strictness::default() },
        sources,
        findings,
        sink,
        definitions: Definitions::default(),
        open: Vec::new(),
        lines: 0,
        exhausted: false,
    };
    let matching = if glob::has_wildcard(&path.to_string_lossy()) { glob::expand(files, path) } else { Vec::new() };
    if let ([first, ..], Err(_)) = (matching.as_slice(), files.read(path)) {
        for path in &matching {
            match reader.load(path, None) {
                Ok(file) => {
                    if path == first && matching.len() > 1 {
                        let message = format!("{} files match: all of them are read as one", matching.len());
                        let span = Span { file, start: 0, end: 0 };
                        reader.findings.warning("several-files", span, message);
                    }
                    reader.file(file, 0);
                }
                Err(reason) => {
                    let message = format!("read {}: {reason}", path.display());
                    reader.findings.error_without_place(NO_CONFIGURATION_FILE, message);
                }
            }
        }
        return;
    }
    match reader.load(path, None) {
        Ok(file) => reader.file(file, 0),
        Err(reason) => {
            let message = format!("read {}: {reason}", path.display());
            findings.error_without_place(NO_CONFIGURATION_FILE, message).help("give the configuration with `-f FILE`");
        }
    }
}

struct Reader<'a> {
    files: &'a dyn Files,
    config_id: &'a str,
    drawn: &'a Cell<u64>,
    /// What `random_seed` said.
    seed: Option<u64>,
    /// How strict `include` is at least, here and in what is included.
    strictness: include::Strictness,
    sources: &'a mut Sources,
    findings: &'a mut Findings,
    sink: &'a mut dyn LineSink,
    definitions: Definitions,
    /// The files that are being read, the innermost last.
    open: Vec<FileId>,
    lines: usize,
    exhausted: bool,
}

/// A definition whose value goes on in the next line.
struct Unfinished {
    /// `None` if a condition switched it off.
    name: Option<String>,
    lines: Vec<Vec<Glyph>>,
}

impl Reader<'_> {
    fn load(&mut self, path: &Path, included_at: Option<Span>) -> Result<FileId, String> {
        let bytes = self.files.read(path).map_err(|error| error.to_string())?;
        if bytes.len() > LARGEST_FILE {
            return Err(format!("{} MiB are too much for a configuration", bytes.len() >> 20));
        }
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        let file = self.sources.add(path.to_owned(), text.clone(), included_at);
        if let Err(error) = std::str::from_utf8(&bytes) {
            let start = u32::try_from(error.valid_up_to()).expect("files are limited far below 4 GiB");
            self.findings
                .warning("not-utf8", Span { file, start, end: start }, "from here on this is not UTF-8")
                .help("save the file as UTF-8; in comments it does no harm");
        }
        Ok(file)
    }

    fn file(&mut self, file: FileId, depth: usize) {
        self.open.push(file);
        let strictness = self.strictness;
        let text = self.sources.file(file).text.clone();
        let cut = RefCell::new(Vec::new());
        let lines = lines(file, &text).map(|(line, in_spite)| {
            cut.borrow_mut().extend(in_spite);
            line
        });
        self.sequence(lines, depth);
        for span in cut.into_inner() {
            let message = "a comment begins here in spite of the `\\`, as in keepalived: what follows is not read";
            // Its own `${_HASH}` begins one, too, where it is not quoted.
            self.findings.warning("escaped-comment", span, message).help(
                "put the whole word in double quotes, also one with `${_HASH}` or `${_BANG}`: then both read the same",
            );
        }
        // What a file says of it holds to its end.
        self.strictness = strictness;
        self.open.pop();
    }

    /// Lines that follow each other, in a file or in a definition.
    fn sequence(&mut self, lines: impl Iterator<Item = Vec<Glyph>>, depth: usize) {
        let mut unfinished: Option<Unfinished> = None;
        for line in lines {
            if let Some(nul) = line.iter().find(|glyph| glyph.character == '\0') {
                self.findings.warning("nul-in-line", nul.span, "a line with a NUL character is ignored");
                continue;
            }
            let line = trim(&line);
            if let Some(mut definition) = unfinished.take() {
                let (content, goes_on) = continued(line);
                definition.lines.push(content.to_vec());
                if goes_on {
                    unfinished = Some(definition);
                } else {
                    self.finish(definition);
                }
                continue;
            }
            unfinished = self.line(line, depth);
        }
        if let Some(definition) = unfinished {
            self.finish(definition);
        }
    }

    fn finish(&mut self, definition: Unfinished) {
        if let Some(name) = definition.name {
            self.definitions.set(name, Definition::Lines(definition.lines));
        }
    }

    /// One line. If it starts a definition of several lines, that is returned.
    fn line(&mut self, line: &[Glyph], depth: usize) -> Option<Unfinished> {
        let line = trim(line);
        let span = span_of(line)?;
        if !self.may_go_on(span, depth) {
            return None;
        }
        if line[0].character == '@' {
            return self.conditional(line, depth);
        }
        if let Some((name, _, value)) = definition(line) {
            let (content, goes_on) = continued(trim(value));
            if goes_on {
                let lines = if content.is_empty() { Vec::new() } else { vec![content.to_vec()] };
                return Some(Unfinished { name: Some(name), lines });
            }
            self.definitions.set(name, Definition::Line(content.to_vec()));
            return None;
        }
        if let Some(repeat) = repeat::split(line) {
            match repeat {
                Ok(repeat) => self.repeat(&repeat, depth),
                Err(_) => {
                    self.findings
                        .error("bad-repetition", span, "the bracket of this repetition is not closed")
                        .help("write for instance `~SEQ(i, 1, 3) 192.0.2.$i`");
                }
            }
            return None;
        }
        let keyword_length = line.iter().take_while(|glyph| !is_blank(glyph.character)).count();
        if let Some(strictness) = include::strictness(&text_of(&line[..keyword_length])) {
            let strictness = strictness.and(self.strictness);
            self.include(&line[..keyword_length], &line[keyword_length..], strictness, depth);
            return None;
        }
        match self.expand(line) {
            // What came out may be a condition, a definition or a repetition in its turn.
            Expanded::Line(expanded) if is_directive(&expanded) => return self.line(&expanded, depth + 1),
            Expanded::Line(expanded) if trim(&expanded).is_empty() => {}
            Expanded::Line(expanded) => {
                self.obey(&expanded);
                self.sink.line(&expanded, self.findings);
            }
            Expanded::Lines(lines) => self.sequence(lines.into_iter(), depth + 1),
            Expanded::Endless => {}
        }
        None
    }

    /// Nothing that a file says can make reading it endless.
    fn may_go_on(&mut self, span: Span, depth: usize) -> bool {
        self.lines += 1;
        if !self.exhausted && (self.lines > MOST_LINES || depth > DEEPEST) {
            self.exhausted = self.lines > MOST_LINES;
            let message = if self.exhausted {
                format!("this expands to more than {MOST_LINES} lines")
            } else {
                format!("definitions or files are nested more than {DEEPEST} deep here")
            };
            self.findings.error("endless-definition", span, message).help("does a definition use itself?");
            return false;
        }
        !self.exhausted
    }

    fn expand(&mut self, line: &[Glyph]) -> Expanded {
        let innermost = self.open.last().and_then(|file| self.sources.file(*file).path.parent());
        let directory = innermost.unwrap_or(Path::new(""));
        let builtins =
            Builtins { files: self.files, directory, config_id: self.config_id, drawn: self.drawn, seed: self.seed };
        self.definitions.expand(line.to_vec(), &builtins, self.findings)
    }

    /// Of the file that is being read.
    fn directory(&self) -> PathBuf {
        let innermost = self.open.last().and_then(|file| self.sources.file(*file).path.parent());
        innermost.unwrap_or(Path::new("")).to_owned()
    }

    /// `@id …` and `@^id …`.
    fn conditional(&mut self, line: &[Glyph], depth: usize) -> Option<Unfinished> {
        let length = line.iter().take_while(|glyph| !is_blank(glyph.character)).count();
        let (condition, rest) = (&line[..length], trim(&line[length..]));
        let text = text_of(&condition[1..]);
        if rest.is_empty() {
            let span = span_of(condition)?;
            self.findings
                .warning("empty-condition", span, format!("nothing follows `@{text}`, so it does nothing"))
                .help("put what it decides about on the same line");
            return None;
        }
        let holds = match text.strip_prefix('^') {
            Some(id) => id != self.config_id,
            None => text == self.config_id,
        };
        if holds {
            return self.line(rest, depth + 1);
        }
        // The lines of a definition that is switched off must not be read as something else.
        let goes_on = definition(rest).is_some_and(|(_, _, value)| continued(trim(value)).1);
        goes_on.then(|| Unfinished { name: None, lines: Vec::new() })
    }

    /// Keywords of `global_defs` that change how the lines after them are read. Whether their values are good is said
    /// where all values are looked at.
    fn obey(&mut self, line: &[Glyph]) {
        let text = text_of(line);
        let mut words =
            text.split_whitespace().skip_while(|word| matches!(*word, "global_defs" | "{" | "global_defs{"));
        match words.next() {
            Some("random_seed") => self.seed = words.next().and_then(|seed| seed.parse().ok()).or(self.seed),
            Some("include_check") => {
                let words: Vec<&str> = words.take_while(|word| *word != "}").collect();
                self.strictness = self.strictness.changed(&words).unwrap_or(self.strictness);
            }
            _ => {}
        }
    }

    fn repeat(&mut self, repeat: &repeat::Repeat<'_>, depth: usize) {
        let Some(span) = span_of(repeat.head) else { return };
        let arguments = match self.expand(repeat.arguments) {
            Expanded::Line(arguments) => text_of(&arguments),
            Expanded::Lines(lines) => lines.iter().map(|line| text_of(line)).collect(),
            Expanded::Endless => return,
        };
        let rounds = match Rounds::parse(repeat.kind, &arguments) {
            Ok(rounds) => rounds,
            Err(reason) => {
                self.findings.error("bad-repetition", span, reason);
                return;
            }
        };
        for round in 0..rounds.count() {
            if self.exhausted {
                return;
            }
            let values = rounds.names.iter().zip(rounds.values(round));
            let before: Vec<_> = values
                .map(|(name, value)| {
                    let value = value.chars().map(|character| Glyph { character, span }).collect();
                    self.definitions.set(name.clone(), Definition::Line(value))
                })
                .collect();
            if let Some(unfinished) = self.line(repeat.rest, depth + 1) {
                self.finish(unfinished);
            }
            for (name, previous) in rounds.names.iter().zip(before) {
                self.definitions.restore(name, previous);
            }
        }
    }

    fn include(&mut self, keyword: &[Glyph], argument: &[Glyph], strictness: include::Strictness, depth: usize) {
        let Some(span) = span_of(keyword).map(|first| span_of(argument).map_or(first, |last| first.to(last))) else {
            return;
        };
        let Expanded::Line(argument) = self.expand(trim(argument)) else { return };
        let pattern = text_of(&argument);
        let pattern = pattern.trim_matches('"');
        if pattern.is_empty() {
            self.findings.error("missing-value", span, format!("`{}` needs a file name", text_of(keyword)));
            return;
        }
        let found = include::find(self.files, &self.directory(), pattern, strictness);
        for missing in found.missing {
            self.findings.error(INCLUDE_NOT_FOUND, span, format!("no file matches `{missing}`"));
        }
        for absent in found.absent {
            self.findings
                .warning(INCLUDE_NOT_FOUND, span, format!("there is no file `{absent}`"))
                .help("it is left out, as in keepalived; `includea` makes this an error");
        }
        for path in found.files {
            self.include_file(&path, span, strictness, depth);
        }
    }

    fn include_file(&mut self, path: &Path, span: Span, strictness: include::Strictness, depth: usize) {
        if self.open.iter().any(|open| self.sources.file(*open).path == path) {
            self.findings
                .error("include-cycle", span, format!("{} would include itself without end", path.display()))
                .help("remove one of the `include` lines");
            return;
        }
        if self.sources.iter().count() >= MOST_FILES {
            self.findings.error("include-cycle", span, format!("more than {MOST_FILES} files"));
            return;
        }
        match self.load(path, Some(span)) {
            Ok(file) => self.file(file, depth + 1),
            Err(reason) => {
                let message = format!("read {}: {reason}", path.display());
                let missing = matches!(self.files.read(path), Err(error) if error.kind() == ErrorKind::NotFound);
                if strictness.readable && !missing {
                    self.findings.error(INCLUDE_NOT_FOUND, span, message);
                } else {
                    self.findings
                        .warning(INCLUDE_NOT_FOUND, span, message)
                        .help("it is left out, as in keepalived; `includea` makes this an error");
                }
            }
        }
    }
}

/// Whether a line is for the reader itself and not for the stages after it.
fn is_directive(line: &[Glyph]) -> bool {
    let line = trim(line);
    let first_word = || text_of(line.split(|glyph| is_blank(glyph.character)).next().unwrap_or_default());
    line.first().is_some_and(|glyph| glyph.character == '@')
        || definition(line).is_some()
        || repeat::split(line).is_some()
        || include::strictness(&first_word()).is_some()
}

/// A value without the backslash that continues it, and whether there was one.
fn continued(value: &[Glyph]) -> (&[Glyph], bool) {
    match value.split_last() {
        Some((last, rest)) if last.character == '\\' => (trim(rest), true),
        _ => (value, false),
    }
}
