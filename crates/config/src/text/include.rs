//! The `include` family: which files a line asks for, and how strict it is about them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::glob;
use crate::files::Files;

/// What must be true of the files that a line asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strictness {
    /// What is there must be readable.
    pub(crate) readable: bool,
    /// A name without wildcards and alternatives must exist.
    matching: bool,
    /// There must be a file, whatever was written.
    wildcard: bool,
    /// Each alternative in braces must exist, unless it has wildcards.
    alternative: bool,
}

impl Strictness {
    /// Everything must be there.
    pub(crate) const ALL: Self = Self { readable: true, matching: true, wildcard: true, alternative: true };

    /// As strict as both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            readable: self.readable || other.readable,
            matching: self.matching || other.matching,
            wildcard: self.wildcard || other.wildcard,
            alternative: self.alternative || other.alternative,
        }
    }

    /// What `include_check` with these words makes of it: a first word without a sign begins anew. The word that is none
    /// of its own comes back.
    pub(crate) fn changed<'w>(self, words: &[&'w str]) -> Result<Self, &'w str> {
        let Some(first) = words.first() else { return Ok(Self::ALL) };
        let mut changed = if first.starts_with(['+', '-']) { self } else { Self::default() };
        for &word in words {
            let on = !word.starts_with('-');
            let field = match word.trim_start_matches(['+', '-']) {
                "readable" => &mut changed.readable,
                "match" => &mut changed.matching,
                "wildcard_match" => &mut changed.wildcard,
                "brace_match" => &mut changed.alternative,
                _ => return Err(word),
            };
            *field = on;
            // Each of these asks for readable files, too.
            changed.readable |= on;
        }
        Ok(changed)
    }
}

/// How strict a keyword is; `None` if it includes nothing.
pub(crate) fn strictness(keyword: &str) -> Option<Strictness> {
    let lax = Strictness { readable: false, matching: false, wildcard: false, alternative: false };
    match keyword {
        "include" => Some(lax),
        "includer" => Some(Strictness { readable: true, ..lax }),
        // Each of these asks for readable files, too.
        "includem" => Some(Strictness { readable: true, matching: true, ..lax }),
        "includew" => Some(Strictness { readable: true, wildcard: true, ..lax }),
        "includeb" => Some(Strictness { readable: true, alternative: true, ..lax }),
        "includea" => Some(Strictness { readable: true, matching: true, wildcard: true, alternative: true }),
        _ => None,
    }
}

/// Whether a word is one of the family.
pub(crate) fn is_include(word: &str) -> bool {
    strictness(word).is_some()
}

/// The files that a pattern names.
pub(crate) struct Found {
    pub(crate) files: Vec<PathBuf>,
    /// Patterns that match nothing although the keyword says that they must.
    pub(crate) missing: Vec<String>,
    /// Alternatives without wildcards that do not exist, and need not.
    pub(crate) absent: Vec<String>,
}

/// Looks for the files, relative to the directory of the file that asks for them.
pub(crate) fn find(files: &dyn Files, directory: &Path, pattern: &str, strictness: Strictness) -> Found {
    let alternatives = glob::alternatives(pattern);
    let several = alternatives.len() > 1;
    let mut found = Found { files: Vec::new(), missing: Vec::new(), absent: Vec::new() };
    let must_exist = strictness.wildcard || (strictness.matching && !several && !glob::has_wildcard(pattern));
    for alternative in alternatives {
        let wildcard = glob::has_wildcard(&alternative);
        let mut matching = glob::expand(files, &directory.join(&alternative));
        // Without wildcards the name comes back whether or not it exists. A plain `include` finds out by
        // reading it; where not every name needs to exist, or each must, it is asked here.
        if !wildcard && (several || must_exist) {
            matching.retain(|path| !matches!(files.read(path), Err(error) if error.kind() == ErrorKind::NotFound));
        }
        if matching.is_empty() && several && !wildcard {
            let list = if strictness.alternative { &mut found.missing } else { &mut found.absent };
            list.push(alternative);
        }
        found.files.append(&mut matching);
    }
    if must_exist && found.files.is_empty() && found.missing.is_empty() {
        found.absent.clear();
        found.missing.push(pattern.to_owned());
    }
    found
}
