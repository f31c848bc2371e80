//! The configurations that are written down.

use std::fs;

use super::beside;

/// One configuration: what is given to both.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// Unique.
    pub(crate) name: String,
    /// What `-i` says.
    pub(crate) id: String,
    /// Names and texts; the first is the one that is read, the others are for it to include.
    pub(crate) files: Vec<(String, String)>,
}

/// How the first file of each configuration is called.
pub(crate) const MAIN: &str = "keepalived.conf";

impl Configuration {
    pub(crate) fn text(&self) -> &str {
        &self.files[0].1
    }

    /// The same with another text in its first file.
    pub(crate) fn changed(&self, what: &str, text: String) -> Self {
        let mut changed = self.clone();
        changed.name = format!("{}~{what}", self.name);
        changed.files[0].1 = text;
        changed
    }
}

/// All sections of all files, in the order of their names.
pub(crate) fn all() -> Vec<Configuration> {
    let directory = fs::read_dir(beside("corpus")).expect("the corpus is beside the tests");
    let mut paths: Vec<_> = directory.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
        all.extend(sections(&text));
    }
    let mut names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "names are given twice: {twice:?}");
    all
}

fn sections(text: &str) -> Vec<Configuration> {
    let mut all: Vec<Configuration> = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("=== ") {
            let (name, id) = header.split_once(" -i ").unwrap_or((header, "edge-a"));
            let files = vec![(MAIN.to_owned(), String::new())];
            all.push(Configuration { name: name.to_owned(), id: id.to_owned(), files });
            continue;
        }
        let one = all.last_mut().expect("a file of the corpus begins with `=== NAME`");
        if let Some(file) = line.strip_prefix("--- ") {
            one.files.push((file.to_owned(), String::new()));
            continue;
        }
        let (_, text) = one.files.last_mut().expect("there is always a first file");
        text.push_str(line);
        text.push('\n');
    }
    for one in &mut all {
        // Only for the eye.
        let (_, text) = &mut one.files[0];
        text.truncate(text.trim_end_matches('\n').len());
        if !text.is_empty() {
            text.push('\n');
        }
    }
    all
}
