//! A configuration without what only Tanist knows, for a keepalived on the other node or on the way back.
//!
//! keepalived does not skip a block that it does not know: the block's content is read as if it stood around it, and
//! its closing brace closes what is around it. So such blocks must not be there at all. Everything else stays as it
//! was written, octet for octet, with a comment wherever something was left out. A file that is included stays a
//! file of its own, unless something is left out of it: then its content takes the place of the `include` line.
//!
//! What comes out is read again and must mean the same. Where the words are so entangled by definitions that it does
//! not, there is an error and no file.

mod cut;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use engine::Name;

use self::cut::{Cut, Put, apply};
use crate::diagnostic::{Findings, Report};
use crate::files::Files;
use crate::keywords::{Block, Form};
use crate::settings::{AddressLifetime, Settings};
use crate::source::{FileId, Sources, Span};
use crate::statement::statements;
use crate::syntax::Entry;
use crate::{LoadOptions, Raw, load, read};

/// Why there is nothing to write.
#[derive(Debug)]
pub enum ExportError {
    /// The configuration itself cannot be used.
    Unusable(Box<Report>),
    /// What only Tanist knows cannot be taken out without changing the rest; the text says where.
    Entangled(String),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(report) => f.write_str(&report.render(false)),
            Self::Entangled(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ExportError {}

/// A configuration for keepalived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The content of the file.
    pub text: Vec<u8>,
    /// What it lacks, for instance `service web`, sorted and each once.
    pub left_out: Vec<String>,
    /// Instances that have no address, so that nothing of them is left to move; keepalived complains about them.
    pub empty_instances: Vec<String>,
}

/// The text of `path` without services, pair and whatever else keepalived does not know.
///
/// # Errors
/// If the configuration cannot be used, or if those words cannot be taken out of it.
pub fn export_for_keepalived(path: &Path, files: &dyn Files, options: &LoadOptions) -> Result<Exported, ExportError> {
    let frozen = Frozen { files, random: files.random(), contents: RefCell::default() };
    let loaded = load(path, &frozen, options);
    let Some(settings) = loaded.settings else { return Err(ExportError::Unusable(Box::new(loaded.report))) };
    let Raw { tree, sources, .. } = read(path, &frozen, options);
    let words = own_words(&tree.entries);
    let text = Export::new(&sources, &words, &frozen)?.file(FileId(0), path)?;

    let written = Frozen { files: &frozen, random: frozen.random, contents: RefCell::default() };
    written.contents.borrow_mut().insert(path.to_owned(), text.clone());
    let again = load(path, &written, options);
    let empty = settings.instances.iter().map(|instance| &instance.router).filter(|router| {
        !router.services.is_empty() && router.addresses.is_empty() && router.excluded_addresses.is_empty()
    });
    let empty_instances = empty.map(|router| router.name.to_string()).collect();
    let clean = own_words(&read(path, &written, options).tree.entries).is_empty();
    let with_services: BTreeSet<_> = settings
        .instances
        .iter()
        .filter(|instance| !instance.router.services.is_empty())
        .map(|instance| instance.router.name.clone())
        .collect();
    let kept = |settings| without_own(settings, |name| with_services.contains(name));
    let same = again.settings.is_some_and(|again| kept(again) == kept(settings));
    if clean && same {
        let left_out: BTreeSet<String> = words.into_iter().map(|word| word.what).collect();
        Ok(Exported { text, left_out: left_out.into_iter().collect(), empty_instances })
    } else {
        Err(ExportError::Entangled(format!(
            "{}: what only Tanist knows cannot be taken out without changing the rest; write it on lines of its own, \
             without definitions and repetitions",
            path.display()
        )))
    }
}

/// What must come out the same.
fn without_own(mut settings: Settings, had_services: impl Fn(&Name) -> bool) -> Settings {
    settings.services.clear();
    settings.pair = None;
    settings.global.address_lifetime = AddressLifetime::default();
    for instance in &mut settings.instances {
        instance.router.services.clear();
        // `failback` may have decided this, and goes with its service.
        instance.router.preempt_mode |= had_services(&instance.router.name);
    }
    // Files that take the place of their `include` line are no longer among them.
    settings.files.clear();
    settings
}

/// Something that only Tanist knows: what it is, and the first and the last of it.
struct OwnWord {
    what: String,
    first: Span,
    last: Span,
}

/// Finds them everywhere where keepalived's own words stand.
fn own_words(entries: &[Entry]) -> Vec<OwnWord> {
    // What is wrong with them was told when they were read for their meaning.
    let mut findings = Findings::default();
    let mut found = Vec::new();
    let mut places = vec![(Block::Root, entries)];
    while let Some((place, entries)) = places.pop() {
        for statement in statements(place, entries, &mut findings) {
            if !statement.keyword.ours {
                if let Form::Block(inner) | Form::NamedBlock { block: inner, .. } = statement.keyword.form {
                    places.push((inner, statement.entries()));
                }
                continue;
            }
            let values: Vec<&str> = statement.values.iter().map(|word| word.text.as_str()).collect();
            let what = [&[statement.keyword.name], &values[..]].concat().join(" ");
            let after_values = statement.values.last().map_or(statement.span, |word| word.span);
            let last = statement.block.map_or(after_values, |block| block.close.unwrap_or(block.open));
            found.push(OwnWord { what, first: statement.span, last });
        }
    }
    found
}

/// Writes one file, and into it those that must take the place of their `include` line.
struct Export<'a> {
    sources: &'a Sources,
    files: &'a Frozen<'a>,
    /// What is left out, by file. A file that is read twice has it once.
    cuts: BTreeMap<&'a Path, BTreeMap<(usize, usize), String>>,
    /// The files that an `include` line has brought, by the file that it stands in.
    included: BTreeMap<&'a Path, BTreeMap<(usize, usize), Vec<FileId>>>,
}

impl<'a> Export<'a> {
    fn new(sources: &'a Sources, words: &[OwnWord], files: &'a Frozen<'a>) -> Result<Self, ExportError> {
        let mut cuts: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for OwnWord { what, first, last } in words {
            let source = sources.file(first.file);
            if first.file != last.file || last.end < first.start {
                let (line, _) = source.position(first.start as usize);
                return Err(ExportError::Entangled(format!(
                    "{}:{line}: `{what}` begins and ends in different places; write it without definitions",
                    source.path.display()
                )));
            }
            let range = (first.start as usize, last.end as usize);
            cuts.entry(source.path.as_path()).or_default().insert(range, what.clone());
        }
        let mut included: BTreeMap<_, BTreeMap<_, Vec<FileId>>> = BTreeMap::new();
        for (source, number) in sources.iter().zip(0..) {
            let Some(Span { file, start, end }) = source.included_at else { continue };
            let lines = included.entry(sources.file(file).path.as_path()).or_default();
            let brought = lines.entry((start as usize, end as usize)).or_default();
            let known = brought.iter().any(|known| sources.file(*known).path == source.path);
            if !known {
                brought.push(FileId(number));
            }
        }
        Ok(Self { sources, files, cuts, included })
    }

    /// Whether something is left out of the file, or of one that it includes.
    fn is_changed(&self, path: &Path) -> bool {
        let below = self.included.get(path).into_iter().flat_map(BTreeMap::values).flatten();
        self.cuts.contains_key(path)
            || below.map(|file| self.sources.file(*file)).any(|file| self.is_changed(&file.path))
    }

    fn file(&self, file: FileId, top: &Path) -> Result<Vec<u8>, ExportError> {
        let source = self.sources.file(file);
        let path = source.path.as_path();
        let mut cuts: Vec<Cut> = Vec::new();
        for ((start, end), what) in self.cuts.get(path).into_iter().flatten() {
            cuts.push(Cut { range: *start..*end, put: Put::Remark(what.clone()) });
        }
        for ((start, end), brought) in self.included.get(path).into_iter().flatten() {
            // Relative names in a file that moves would be looked for elsewhere, so there all of them go along.
            let moved = path != top;
            if !moved && !brought.iter().any(|file| self.is_changed(&self.sources.file(*file).path)) {
                continue;
            }
            let mut text = Vec::new();
            for file in brought {
                let name = self.sources.file(*file).path.display();
                text.extend(format!("# {name}, put here by tanist export:\n").bytes());
                text.extend(self.file(*file, top)?);
                if !text.ends_with(b"\n") {
                    text.push(b'\n');
                }
                text.extend(format!("# end of {name}\n").bytes());
            }
            cuts.push(Cut { range: *start..*end, put: Put::Text(text) });
        }
        cuts.sort_by_key(|cut| (cut.range.start, std::cmp::Reverse(cut.range.end)));
        let mut apart: Vec<Cut> = Vec::with_capacity(cuts.len());
        for cut in cuts {
            match apart.last() {
                // A file that is included within a service goes with it.
                Some(before) if cut.range.end <= before.range.end => {}
                Some(before) if cut.range.start < before.range.end => {
                    let (line, _) = source.position(cut.range.start);
                    return Err(ExportError::Entangled(format!(
                        "{}:{line}: several things to leave out are one word here; write them without definitions",
                        path.display()
                    )));
                }
                _ => apart.push(cut),
            }
        }
        let octets = self.files.read(path).map_err(|error| {
            ExportError::Entangled(format!("{}: it cannot be read any more: {error}", path.display()))
        })?;
        Ok(apply(&source.text, &octets, apart))
    }
}

/// Files that say the same whenever they are asked.
struct Frozen<'a> {
    files: &'a dyn Files,
    random: u64,
    contents: RefCell<BTreeMap<PathBuf, Vec<u8>>>,
}

impl Files for Frozen<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if let Some(content) = self.contents.borrow().get(path) {
            return Ok(content.clone());
        }
        let content = self.files.read(path)?;
        self.contents.borrow_mut().insert(path.to_owned(), content.clone());
        Ok(content)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.files.list(directory)
    }

    fn rooted(&self, directory: &Path) -> PathBuf {
        self.files.rooted(directory)
    }

    fn host_name(&self) -> String {
        self.files.host_name()
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.files.environment(name)
    }

    fn random(&self) -> u64 {
        self.random
    }
}
