//! What is told about a configuration: each finding with its place, the reason, and what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use crate::keywords::{Block, Part};
use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but probably not as it was meant.
    Warning,
    /// Worth knowing.
    Hint,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        })
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the file, from the first to after the last.
    pub span: Range<usize>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name of this kind of finding, in kebab case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where; `None` when it concerns a file as a whole, for instance one that is missing.
    pub place: Option<Place>,
    /// What to do.
    pub help: Option<String>,
}

/// One line: `keepalived.conf:7:12: error: …`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}:{}: ", place.file.display(), place.line, place.column)?;
        }
        write!(f, "{}: {} [{}]", self.severity, self.message, self.code)
    }
}

/// Codes that decide the exit status, named where both sides can see them.
pub(crate) const MISSING_VALUE: &str = "missing-value";
pub(crate) const NO_CONFIGURATION_FILE: &str = "no-configuration-file";
pub(crate) const INCLUDE_NOT_FOUND: &str = "include-not-found";

/// All that is to be said about a configuration.
#[derive(Clone, Debug, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

impl Report {
    /// Whether the configuration cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All findings, in the order in which they stand in the files.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// For people: file, line, column, excerpt, what is wrong, what to do; and one line that sums up.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        crate::render::render(&self.diagnostics, &self.sources, styled)
    }

    /// Exit status of a configuration test, as keepalived's `--config-test` where that makes sense.
    ///
    /// 0: good, perhaps with warnings and hints. 2: a keyword lacks its value. 5: any other error.
    /// 6: a file that must be there is not. Of the first file keepalived's start says so, its test returns 0.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        let errors = || self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let has = |code| errors().any(|diagnostic| diagnostic.code == code);
        if has(NO_CONFIGURATION_FILE) || has(INCLUDE_NOT_FOUND) {
            6
        } else if has(MISSING_VALUE) {
            2
        } else if self.has_errors() {
            5
        } else {
            0
        }
    }
}

/// A finding that still speaks in spans.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    span: Option<Span>,
    severity: Severity,
    code: &'static str,
    message: String,
    help: Option<String>,
}

impl Finding {
    /// Adds what to do.
    pub(crate) fn help(&mut self, text: impl Into<String>) {
        self.help = Some(text.into());
    }

    /// Adds what to do, if we know.
    pub(crate) fn maybe_help(&mut self, text: Option<impl Into<String>>) {
        self.help = text.map(Into::into);
    }
}

/// Collects findings while the files are read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    /// What need not be told again.
    told: BTreeSet<(&'static str, &'static str)>,
    /// What may be left out.
    without: BTreeSet<Part>,
    /// What was: the parts, the first place, and how often each keyword was met.
    left_out: Option<(BTreeSet<Part>, Span, BTreeMap<&'static str, usize>)>,
}

impl Findings {
    /// Those of a reading that leaves out what belongs to these parts.
    pub(crate) fn leaving_out(without: BTreeSet<Part>) -> Self {
        Self { without, ..Self::default() }
    }

    /// Whether a keyword that is not built is left out; it is told at the end.
    pub(crate) fn leave_out(&mut self, place: Block, name: &'static str, span: Span) -> bool {
        let Some(part) = Part::of(place, name).find(|part| self.without.contains(part)) else { return false };
        let (parts, first, names) = self.left_out.get_or_insert_with(|| (BTreeSet::new(), span, BTreeMap::new()));
        *first = span.min(*first);
        parts.insert(part);
        *names.entry(name).or_default() += 1;
        true
    }

    /// Says what was left out, in one warning.
    pub(crate) fn tell_left_out(&mut self) {
        let Some((parts, span, names)) = self.left_out.take() else { return };
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        let names: Vec<String> = names
            .iter()
            .map(|(name, count)| if *count == 1 { format!("`{name}`") } else { format!("`{name}` ({count} times)") })
            .collect();
        let message = format!("{} left out, as asked: {}", parts.join(" and "), names.join(", "));
        self.warning("left-out", span, message).help("what they ask for is not done on this node");
    }

    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Finding {
        self.push(Severity::Error, code, Some(span), message.into())
    }

    pub(crate) fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Finding {
        self.push(Severity::Warning, code, Some(span), message.into())
    }

    pub(crate) fn hint(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Finding {
        self.push(Severity::Hint, code, Some(span), message.into())
    }

    /// An error that has no place in any file that could be read.
    pub(crate) fn error_without_place(&mut self, code: &'static str, message: impl Into<String>) -> &mut Finding {
        self.push(Severity::Error, code, None, message.into())
    }

    /// A hint for the first of several places that it is true of.
    pub(crate) fn hint_once(&mut self, code: &'static str, span: Span, message: String, about: &'static str) {
        if self.told.insert((code, about)) {
            self.hint(code, span, message);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(crate) fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Option<Span>,
        message: String,
    ) -> &mut Finding {
        self.found.push(Finding { span, severity, code, message, help: None });
        self.found.last_mut().expect("one was just pushed")
    }

    /// Puts the findings into the order of the files. A mistake in a definition that is used ten times is told
    /// once.
    pub(crate) fn into_report(self, sources: Sources) -> Report {
        let place = |span: Span| {
            let source = sources.file(span.file);
            let (line, column) = source.position(span.start as usize);
            Place { file: source.path.clone(), line, column, span: span.range() }
        };
        let diagnostics = self.found.into_iter().collect::<BTreeSet<_>>();
        let diagnostics = diagnostics
            .into_iter()
            .map(|Finding { span, severity, code, message, help }| Diagnostic {
                severity,
                code,
                message,
                place: span.map(place),
                help,
            })
            .collect();
        Report { diagnostics, sources }
    }
}
