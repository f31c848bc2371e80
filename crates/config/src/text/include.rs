//! The `include` family: which files a line asks for, and how strict it is about them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::glob;
use crate::files::Files;

/// What must be true of the files that a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strictness {
    /// Each file found must be readable.
    pub(crate) readable: bool,
    /// A name without wildcards must exist.
    matching: bool,
    /// A pattern with wildcards must match something.
    wildcard: bool,
    /// Each alternative in braces must match something.
    alternative: bool,
}

/// How strict a keyword is; `None` if it includes nothing.
pub(crate) fn strictness(keyword: &str) -> Option<Strictness> {
    let lax = Strictness { readable: false, matching: false, wildcard: false, alternative: false };
    match keyword {
        "include" => Some(lax),
        "includer" => Some(Strictness { readable: true, ..lax }),
        "includem" => Some(Strictness { matching: true, ..lax }),
        "includew" => Some(Strictness { wildcard: true, ..lax }),
        "includeb" => Some(Strictness { alternative: true, ..lax }),
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
}

/// Looks for the files, relative to the directory of the file that asks for them.
pub(crate) fn find(files: &dyn Files, directory: &Path, pattern: &str, strictness: Strictness) -> Found {
    let alternatives = glob::alternatives(pattern);
    let several = alternatives.len() > 1;
    let mut found = Found { files: Vec::new(), missing: Vec::new() };
    for alternative in alternatives {
        let wildcard = glob::has_wildcard(&alternative);
        let mut matching = glob::expand(files, &directory.join(&alternative));
        // Without wildcards the name comes back whether or not it exists. A plain `include` finds out by
        // reading it; where not every name needs to exist, or each must, it is asked here.
        if !wildcard && (several || strictness.matching) {
            matching.retain(|path| !matches!(files.read(path), Err(error) if error.kind() == ErrorKind::NotFound));
        }
        let must_match =
            (several && strictness.alternative) || if wildcard { strictness.wildcard } else { strictness.matching };
        if matching.is_empty() && must_match {
            found.missing.push(alternative);
        }
        found.files.append(&mut matching);
    }
    found
}
