//! What we say about a configuration, read from what an operator sees.

use std::fmt;

use config::Severity;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<usize>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(file), Some(line)) = (&self.file, self.line) {
            write!(f, "{file}:{line}: ")?;
        }
        write!(f, "{} {}: {}", self.severity, self.code, self.text)
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) findings: Vec<Finding>,
}

/// What concerns this machine and not the file; it does not decide the verdict.
pub(crate) const ON_THIS_MACHINE: &str = "on-this-machine";

impl Answer {
    pub(crate) fn parse(status: i32, output: &str) -> Self {
        let mut findings: Vec<Finding> = Vec::new();
        for line in output.lines() {
            if let Some((severity, code, text)) = title(line) {
                let (code, text) = (code.to_owned(), text.to_owned());
                findings.push(Finding { severity, code, text, file: None, line: None });
            } else if let Some(text) = line.strip_prefix("on this machine: ") {
                let (code, text) = (ON_THIS_MACHINE.to_owned(), text.to_owned());
                findings.push(Finding { severity: Severity::Warning, code, text, file: None, line: None });
            } else if let Some(place) = line.trim_start().strip_prefix("--> ")
                && let Some(last) = findings.last_mut()
                && let [_, line, file] = place.rsplitn(3, ':').collect::<Vec<_>>()[..]
            {
                last.file = Some(file.to_owned());
                last.line = line.parse().ok();
            }
        }
        Self { status, findings }
    }
}

/// `error[bad-number]: …`
fn title(line: &str) -> Option<(Severity, &str, &str)> {
    let kinds = [("error[", Severity::Error), ("warning[", Severity::Warning), ("hint[", Severity::Hint)];
    let (rest, severity) = kinds.into_iter().find_map(|(word, severity)| Some((line.strip_prefix(word)?, severity)))?;
    let (code, text) = rest.split_once("]: ")?;
    Some((severity, code, text))
}
