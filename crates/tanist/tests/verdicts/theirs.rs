//! What keepalived says about a configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

/// How its test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Exit(i32),
    /// It did not come to an end by itself.
    Signal(i32),
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    /// The line that it names.
    pub(crate) line: Option<usize>,
    /// The file that it names; while it reads `global_defs` it names none.
    pub(crate) file: Option<String>,
    pub(crate) text: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "{}:{line}: ", self.file.as_deref().unwrap_or_default())?;
        }
        f.write_str(&self.text)
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) said: Vec<Said>,
}

impl Answer {
    /// Reads the file once for each of its processes, and says each time what it finds.
    pub(crate) fn parse(verdict: Verdict, output: &str) -> Self {
        let mut seen = BTreeSet::new();
        let lines: Vec<Said> = output.lines().filter(|line| !line.trim().is_empty()).map(said).collect();
        let told_with_file = |one: &Said| {
            one.file.is_none()
                && one.line.is_some()
                && lines.iter().any(|other| other.file.is_some() && other.line == one.line && other.text == one.text)
        };
        let said = lines.iter().filter(|one| !told_with_file(one) && seen.insert((*one).clone())).cloned().collect();
        Self { verdict, said }
    }
}

/// `(FILE: Line N) TEXT`, `(Line N) TEXT` or `TEXT`.
fn said(line: &str) -> Said {
    let without_place = || Said { line: None, file: None, text: line.trim().to_owned() };
    let Some((place, text)) = line.strip_prefix('(').and_then(|rest| rest.split_once(") ")) else {
        return without_place();
    };
    let (file, number) = match place.strip_prefix("Line ") {
        Some(number) => (None, number),
        None => match place.rsplit_once(": Line ") {
            Some((file, number)) => (Some(file.to_owned()), number),
            None => return without_place(),
        },
    };
    match number.parse() {
        Ok(number) => Said { line: Some(number), file, text: text.trim().to_owned() },
        Err(_) => without_place(),
    }
}

/// `2.2.7`.
pub(crate) fn version() -> String {
    let output = Command::new("keepalived").arg("-v").output().expect("run keepalived");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let version = text.split_once("Keepalived v").and_then(|(_, rest)| rest.split_whitespace().next());
    version.unwrap_or_else(|| panic!("keepalived does not tell its version: {text}")).to_owned()
}

#[test]
fn places_of_messages() {
    let place = |line| {
        let said = said(line);
        (said.file, said.line, said.text)
    };
    assert_eq!(place("(a.conf: Line 7) (A) no"), (Some("a.conf".to_owned()), Some(7), "(A) no".to_owned()));
    assert_eq!(place("(Line 7) no"), (None, Some(7), "no".to_owned()));
    assert_eq!(place("(VI_1) No VIP"), (None, None, "(VI_1) No VIP".to_owned()));
}
