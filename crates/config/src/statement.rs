//! From entries to statements: which keyword, which values, which block. What values mean is left to `resolve`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::command;
use crate::diagnostic::{Findings, MISSING_VALUE, Severity};
use crate::keywords::{Block, Form, Keyword, Status};
use crate::source::Span;
use crate::suggest::nearest;
use crate::syntax::{self, Entry, Word};
use crate::text;

/// A keyword that works, with what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) keyword: &'static Keyword,
    /// The keyword itself.
    pub(crate) span: Span,
    /// As many as the keyword's form allows.
    pub(crate) values: Vec<Cow<'a, Word>>,
    /// There if and only if the keyword's form has one.
    pub(crate) block: Option<&'a syntax::Block>,
    /// What stands on the same line; there if and only if the keyword's form is [`Form::OneOf`].
    kind: Option<Box<Statement<'a>>>,
}

impl<'a> Statement<'a> {
    /// The first value. Only for keywords whose form requires one.
    pub(crate) fn value(&self) -> &Word {
        self.values.first().expect("statements without their required values are not made")
    }

    /// Which one it is. Only for keywords whose form is [`Form::OneOf`].
    pub(crate) fn kind(&self) -> &Statement<'a> {
        self.kind.as_deref().expect("statements without their kind are not made")
    }

    /// What the keyword's block contains. Only for keywords whose form has one.
    pub(crate) fn entries(&self) -> &'a [Entry] {
        self.block.map_or(&[], |block| &block.entries)
    }

    /// The words of a list that has nothing else.
    pub(crate) fn listed(&self, findings: &mut Findings) -> impl Iterator<Item = &'a Word> + use<'a> {
        self.entries().iter().for_each(|entry| refuse_block(entry, "an entry of this list", findings));
        self.entries().iter().flat_map(|entry| &entry.words)
    }
}

/// For entries that are not read by a table of keywords.
pub(crate) fn refuse_block(entry: &Entry, what: &str, findings: &mut Findings) {
    if let Some(block) = &entry.block {
        findings.error("unexpected-block", block.open, format!("{what} takes no block"));
    }
}

/// Reads the entries of a block by the block's table of keywords, and reports what does not fit.
pub(crate) fn statements<'a>(place: Block, entries: &'a [Entry], findings: &mut Findings) -> Vec<Statement<'a>> {
    let mut statements = Vec::new();
    for entry in entries {
        Reading { place, around: place, entry, at: 0, keywords: 0, findings }.entry(&mut statements);
    }
    report_repetitions(place, &statements, findings);
    statements
}

struct Reading<'a, 'f> {
    place: Block,
    /// Whose keywords end what belongs to the one before: `place`, or what is around it on the same line.
    around: Block,
    entry: &'a Entry,
    /// The next word.
    at: usize,
    /// Keywords seen in this entry, known or not.
    keywords: usize,
    findings: &'f mut Findings,
}

impl<'a> Reading<'a, '_> {
    /// One line can hold several keywords with their values; a block belongs to the last of them.
    fn entry(&mut self, statements: &mut Vec<Statement<'a>>) {
        while let Some(word) = self.entry.words.get(self.at) {
            self.at += 1;
            match self.place.find(&word.text) {
                Some(keyword) => {
                    self.keywords += 1;
                    // What keepalived does not read it cannot read otherwise.
                    if self.keywords == 2 && !self.place.is_ours() {
                        self.findings
                            .warning(
                                "several-on-a-line",
                                word.span,
                                "several keywords on one line: Tanist reads them all",
                            )
                            .help("keepalived would ignore all but the first; a line for each works with both");
                    }
                    statements.extend(self.statement(keyword, word));
                }
                None => {
                    self.keywords += 1;
                    self.unknown(word);
                    self.skip_to_keyword();
                }
            }
        }
    }

    fn statement(&mut self, keyword: &'static Keyword, name: &'a Word) -> Option<Statement<'a>> {
        if let (Form::OneOf(kinds), Status::Works) = (keyword.form, keyword.status) {
            return self.one_of(keyword, name, kinds);
        }
        let values = self.values(keyword);
        let extra = self.at;
        self.skip_to_keyword();
        let extra = &self.entry.words[extra..self.at];
        let block = if self.is_last() { self.entry.block.as_ref() } else { None };
        let written = &name.text;
        if written != keyword.name {
            let message = format!("`{written}` is the old name of `{}`", keyword.name);
            self.findings.hint("old-name", name.span, message).help(format!("write `{}`", keyword.name));
        }
        match keyword.status {
            Status::Works => {}
            Status::NotBuilt if self.findings.leave_out(self.place, keyword.name, name.span) => return None,
            Status::NotBuilt => {
                let message = format!("`{written}` is known but not built yet in this version of Tanist");
                self.findings
                    .error("not-built", name.span, message)
                    .help("remove it if you can do without it, or keep this machine on keepalived for now");
                return None;
            }
            Status::IgnoredBecause(reason) => self.findings.hint_once(
                "no-effect",
                name.span,
                format!("`{written}` has no effect: {reason}"),
                keyword.name,
            ),
        }
        let fewest = keyword.form.word_count().0;
        if values.len() < fewest {
            let span = values.last().map_or(name.span, |value| name.span.to(value.span));
            let message = format!("`{written}` needs a value: {}", keyword.form);
            self.findings
                .error(MISSING_VALUE, span, message)
                .help(format!("for instance `{}`", short(keyword.example)));
            return None;
        }
        if let (Some(first), Some(last)) = (extra.first(), extra.last()) {
            let what = if self.place.is_ours() { "this says nothing" } else { "this is ignored" };
            let message = format!("{what}: `{}` takes {}", keyword.name, takes(keyword.form));
            let span = first.span.to(last.span);
            self.findings.push(self.severity(), "extra-words", Some(span), message).help("remove it");
        }
        match (keyword.form.has_block(), block) {
            (true, None) => {
                self.findings
                    .error("missing-block", name.span, format!("`{written}` needs a block in braces"))
                    .help(format!("for instance `{}`", short(keyword.example)));
                return None;
            }
            (false, Some(block)) if keyword.options.is_none() => {
                let message = format!("`{written}` takes no block");
                self.findings
                    .error("unexpected-block", block.open, message)
                    .help("is a keyword missing before the `{`?");
                return None;
            }
            _ => {}
        }
        Some(Statement { keyword, span: name.span, values, block, kind: None })
    }

    /// A keyword that another one follows.
    fn one_of(&mut self, keyword: &'static Keyword, name: &'a Word, kinds: Block) -> Option<Statement<'a>> {
        let Some(word) = self.entry.words.get(self.at) else {
            self.findings
                .error(MISSING_VALUE, name.span, format!("`{}` needs a value: {}", keyword.name, keyword.form))
                .help(format!("for instance `{}`", keyword.example));
            return None;
        };
        self.at += 1;
        let Some(kind) = kinds.find(&word.text) else {
            let help = match nearest(&word.text, kinds.names()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("for instance `{}`", keyword.example),
            };
            let message = format!("`{}` is no `{}`: it takes {}", word.text, keyword.name, keyword.form);
            self.findings.error("bad-choice", word.span, message).help(help);
            self.skip_to_keyword();
            return None;
        };
        let (place, around, findings) = (kinds, self.place, &mut *self.findings);
        let mut inner = Reading { place, around, entry: self.entry, at: self.at, keywords: 1, findings };
        let statement = inner.statement(kind, word);
        self.at = inner.at;
        Some(Statement { keyword, span: name.span, values: Vec::new(), block: None, kind: Some(Box::new(statement?)) })
    }

    fn is_last(&self) -> bool {
        self.at >= self.entry.words.len()
    }

    fn is_keyword(&self, word: &Word) -> bool {
        !word.quoted && self.around.find(&word.text).is_some()
    }

    /// Takes the words that belong to the keyword.
    fn values(&mut self, keyword: &'static Keyword) -> Vec<Cow<'a, Word>> {
        let (fewest, most) = keyword.form.word_count();
        let may_name_user = match keyword.form {
            Form::Command { user } => Some(user),
            Form::OptionalCommand => Some(true),
            _ => None,
        };
        if let (Some(user), Some(first)) = (may_name_user, self.entry.words.get(self.at))
            && !(fewest == 0 && self.is_keyword(first))
        {
            let bare = !first.quoted && !first.text.starts_with('\'');
            if bare && !user {
                return self.bare_command(first);
            }
            if self.entry.line.is_some() {
                return self.command_words(first, most);
            }
        }
        let mut values = Vec::new();
        if keyword.form == Form::TimedCommand
            && let [time, command, ..] = &self.entry.words[self.at..]
            && self.entry.line.is_some()
        {
            values.push(Cow::Borrowed(time));
            values.extend(self.command_words(command, most - 1));
            return values;
        }
        while values.len() < most {
            let Some(word) = self.entry.words.get(self.at) else { break };
            let enough = values.len() >= fewest;
            // A list of words without end takes everything; others leave the next keyword alone.
            if enough && most < usize::MAX && self.is_keyword(word) {
                break;
            }
            values.push(Cow::Borrowed(word));
            self.at += 1;
        }
        values
    }

    /// A command is cut by its own quotes and escapes, which may span what looked like several words.
    fn command_words(&mut self, first: &Word, most: usize) -> Vec<Cow<'a, Word>> {
        let (Some(line), Some(last)) = (&self.entry.line, self.entry.words.last()) else { return Vec::new() };
        let mut words = command::cut_line(line, first.at..last.end);
        words.truncate(most);
        let next_keyword = words.iter().skip(1).position(|word| self.is_keyword(word));
        words.truncate(next_keyword.map_or(most, |position| position + 1));
        let end = words.last().map_or(first.end, |word| word.end);
        while self.entry.words.get(self.at).is_some_and(|word| word.at < end) {
            self.at += 1;
        }
        words.into_iter().map(Cow::Owned).collect()
    }

    /// A command without quotes: everything up to the next keyword must belong to it.
    fn bare_command(&mut self, first: &Word) -> Vec<Cow<'a, Word>> {
        let start = self.at;
        self.skip_to_keyword();
        let words = &self.entry.words[start..self.at.max(start + 1)];
        self.at = start + words.len();
        let mut command = first.clone();
        for word in &words[1..] {
            command.text.push(' ');
            command.text.push_str(&word.text);
            command.span = command.span.to(word.span);
        }
        if words.len() > 1 {
            self.findings
                .hint("unquoted-command", command.span, "a command of several words without quotes")
                .help(format!("keepalived takes only the first word; write \"{}\"", command.text));
        }
        vec![Cow::Owned(command)]
    }

    fn unknown(&mut self, word: &Word) {
        if text::is_include(&word.text) {
            self.findings
                .error("include-position", word.span, format!("`{}` must be the first word of a line", word.text))
                .help("put it on a line of its own");
            return;
        }
        let block = if self.entry.block.is_some() { " The block after it is skipped." } else { "" };
        let place = self.place.title();
        let ignored = if self.place.is_ours() { "." } else { " and is ignored." };
        let message = format!("`{}` is no keyword of {place}{ignored}{block}", word.text);
        let help = match nearest(&word.text, self.place.names()) {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None => elsewhere(&word.text).map(|title| format!("it belongs in `{title}`")),
        };
        self.findings.push(self.severity(), "unknown-keyword", Some(word.span), message).maybe_help(help);
    }

    /// keepalived ignores what it does not know, and files that live with that are out there. None of them has our
    /// blocks, where a check that is ignored would be a service that nobody looks after.
    fn severity(&self) -> Severity {
        if self.place.is_ours() { Severity::Error } else { Severity::Warning }
    }

    fn skip_to_keyword(&mut self) {
        while self.entry.words.get(self.at).is_some_and(|word| !self.is_keyword(word)) {
            self.at += 1;
        }
    }
}

fn takes(form: Form) -> String {
    match form {
        Form::Word(what) => format!("one word, {what}"),
        other => other.to_string(),
    }
}

/// Where a keyword would be at home.
fn elsewhere(name: &str) -> Option<&'static str> {
    let listed = [
        Block::Root,
        Block::GlobalDefs,
        Block::VrrpInstance,
        Block::VrrpScript,
        Block::Authentication,
        Block::AuthHmac,
        Block::Service,
        Block::Pair,
    ];
    listed.into_iter().find(|block| block.find(name).is_some()).map(Block::title)
}

/// An example for a message: what a block contains is left out.
pub(crate) fn short(example: &str) -> String {
    match example.split_once('{') {
        Some((before, _)) => format!("{before}{{ … }}"),
        None => example.to_owned(),
    }
}

/// Keywords that hold one value, but were given several times.
fn report_repetitions(place: Block, statements: &[Statement<'_>], findings: &mut Findings) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for statement in statements {
        let keyword = statement.keyword;
        if keyword.form.has_block() || keyword.form == Form::Flag || keyword.repeats {
            continue;
        }
        if first.insert(keyword.name, statement.span).is_some() {
            let is_command = matches!(keyword.form, Form::Command { .. } | Form::OptionalCommand);
            let counts = match keyword.name {
                // Its name and its MAC address may come from two of them.
                "use_vmac" => "the first counts for each of its values",
                name if is_command || first_counts(place, name) => "the first counts",
                _ => "the last counts",
            };
            findings
                .warning("given-twice", statement.span, format!("`{}` is given twice; {counts}", keyword.name))
                .help("remove one of them");
        }
    }
}

/// What keepalived keeps as it was said first; everywhere else it takes the last.
fn first_counts(place: Block, keyword: &str) -> bool {
    match place {
        Block::GlobalDefs => {
            matches!(keyword, "notify_fifo" | "vrrp_notify_fifo" | "vmac_prefix" | "vmac_addr_prefix" | "nftables")
        }
        Block::VrrpInstance => matches!(keyword, "version" | "use_ipvlan" | "state"),
        Block::TrackFile => matches!(keyword, "file" | "weight"),
        Block::TrackProcess => matches!(keyword, "process" | "weight"),
        _ => false,
    }
}
