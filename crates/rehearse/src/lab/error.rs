//! Why a lab could not do what it was asked to.

use std::fmt;

/// Operation, object and cause in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabError {
    text: String,
}

impl LabError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// A daemon that did not stay, with the last that it said.
    pub(crate) fn of_daemon(daemon: &str, host: &str, log: &str) -> Self {
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n  ");
        Self { text: format!("{daemon} did not stay up on {host}; its last words:\n  {last}") }
    }

    pub(crate) fn io(action: impl fmt::Display, error: &std::io::Error) -> Self {
        Self { text: format!("{action}: {error}") }
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for LabError {}

impl From<linux::Error> for LabError {
    fn from(error: linux::Error) -> Self {
        Self { text: error.to_string() }
    }
}
