//! Which situations have been gone through: each state with each kind of input.

use std::fmt;

/// What a router can be when something happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    Initialize,
    Backup,
    Active,
    /// Stopped and still answering.
    Leaving,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    Timer,
    Resignation,
    LowerPriority,
    LowerAddress,
    HigherAddress,
    HigherPriority,
    NotForUs,
    LinkUp,
    LinkDown,
    LinkAbsent,
    CheckGood,
    CheckBad,
    SendFailed,
    Reload,
    Stop,
}

const SITUATIONS: [&str; 4] = ["Initialize", "Backup", "Active", "Leaving"];
const KINDS: [&str; 16] = [
    "start",
    "timer",
    "packet: priority 0",
    "packet: lower priority",
    "packet: same, lower address",
    "packet: same, higher address",
    "packet: higher priority",
    "packet: nothing for us",
    "link up",
    "link down",
    "link absent",
    "check good",
    "check bad",
    "sending failed",
    "reload",
    "stop",
];

/// How often each situation met each kind of input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage([[u64; 4]; 16]);

impl Coverage {
    pub(crate) fn count(&mut self, situation: Situation, kind: Kind) {
        self.0[kind as usize][situation as usize] += 1;
    }

    /// Adds another run's figures.
    pub fn add(&mut self, other: &Self) {
        for (row, others) in self.0.iter_mut().zip(&other.0) {
            for (sum, more) in row.iter_mut().zip(others) {
                *sum += more;
            }
        }
    }

    /// How many combinations never occurred.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.0.iter().flatten().filter(|count| **count == 0).count()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<28}", "")?;
        for name in SITUATIONS {
            write!(f, "{name:>14}")?;
        }
        for (name, row) in KINDS.iter().zip(&self.0) {
            write!(f, "\n{name:<28}")?;
            for count in row {
                write!(f, "{count:>14}")?;
            }
        }
        Ok(())
    }
}
