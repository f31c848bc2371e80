//! A tracked file, or tracked processes, of a pretend node.

use std::fmt;
use std::time::Duration;

use engine::{FigureCause, Measure, Name, TrackerConfig, TrackerKind, TrackerName};

use super::cursor::Cursor;
use super::measure::span_text;
use super::mistake::Mistake;

/// What the engine is told, and the figure that is found in the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerSpec {
    /// What the engine is told.
    pub settings: TrackerConfig,
    /// Where the figure begins.
    pub begins_at: i64,
}

/// A figure changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureAct {
    /// Whose.
    pub tracker: TrackerName,
    /// What it is now.
    pub figure: i64,
    /// How it came to be so.
    pub cause: FigureCause,
}

const OF_A_FILE: &[&str] = &["begins_at"];
const OF_PROCESSES: &[&str] = &["least", "most", "fork_delay", "terminate_delay", "begins_at"];
const KINDS: [(&str, TrackerKind); 2] = [("file", TrackerKind::File), ("processes", TrackerKind::Process)];

/// The word for a kind.
pub(crate) fn kind_text(kind: TrackerKind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("file", |(word, _)| word)
}

impl TrackerSpec {
    /// A file with the number 0.
    pub(crate) fn file(name: Name) -> Self {
        let settings = TrackerConfig { subject: name.clone(), name, measure: Measure::Number };
        Self { settings, begins_at: 0 }
    }

    /// One process, and one or more are wanted.
    pub(crate) fn processes(name: Name) -> Self {
        let (fork_delay, terminate_delay) = (Duration::ZERO, Duration::ZERO);
        let measure = Measure::Count { least: 1, most: None, fork_delay, terminate_delay };
        Self { settings: TrackerConfig { subject: name.clone(), name, measure }, begins_at: 1 }
    }

    pub(crate) fn parse(mut self, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let known = if self.settings.kind() == TrackerKind::File { OF_A_FILE } else { OF_PROCESSES };
        while cursor.peek().is_some() {
            match (cursor.take("an option of what is tracked")?, &mut self.settings.measure) {
                ("begins_at", _) => self.begins_at = cursor.number("begins_at", -100_000..=100_000)?,
                ("least", Measure::Count { least, .. }) => *least = cursor.number("least", 0..=10_000)? as u32,
                ("most", Measure::Count { most, .. }) => *most = Some(cursor.number("most", 0..=10_000)? as u32),
                ("fork_delay", Measure::Count { fork_delay, .. }) => *fork_delay = cursor.span("fork_delay")?,
                ("terminate_delay", Measure::Count { terminate_delay, .. }) => {
                    *terminate_delay = cursor.span("terminate_delay")?;
                }
                (other, _) => {
                    return Err(cursor.before(format!("there is no option `{other}` here")).did_you_mean(other, known));
                }
            }
        }
        Ok(self)
    }

    /// The longest that a change can take to count.
    pub(crate) fn longest_delay(&self) -> Duration {
        match self.settings.measure {
            Measure::Number => Duration::ZERO,
            Measure::Count { fork_delay, terminate_delay, .. } => fork_delay.max(terminate_delay),
        }
    }
}

impl fmt::Display for TrackerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Measure::Count { least, most, fork_delay, terminate_delay } = &self.settings.measure {
            write!(f, "least {least}  ")?;
            if let Some(most) = most {
                write!(f, "most {most}  ")?;
            }
            write!(f, "fork_delay {}  terminate_delay {}  ", span_text(*fork_delay), span_text(*terminate_delay))?;
        }
        write!(f, "begins_at {}", self.begins_at)
    }
}

impl FigureAct {
    /// `figure file load 3`, `figure processes proxy 0 ended`
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let word = cursor.take("file or processes")?;
        let found = KINDS.iter().find(|(known, _)| *known == word);
        let kind = found.ok_or_else(|| cursor.before(format!("`{word}` is neither `file` nor `processes`")))?.1;
        let name = cursor.take("the name of what is tracked")?.into();
        let figure = cursor.number("a figure", -100_000..=100_000)?;
        let cause = if cursor.accept("forked") {
            FigureCause::Forked
        } else if cursor.accept("ended") {
            FigureCause::Ended
        } else {
            FigureCause::Found
        };
        Ok(Self { tracker: TrackerName { kind, name }, figure, cause })
    }
}

impl fmt::Display for FigureAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "figure {} {} {}", kind_text(self.tracker.kind), self.tracker.name, self.figure)?;
        f.write_str(match self.cause {
            FigureCause::Found => "",
            FigureCause::Forked => " forked",
            FigureCause::Ended => " ended",
        })
    }
}
