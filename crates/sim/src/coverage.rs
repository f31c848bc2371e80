//! Which situations have been gone through: each state with each kind of input.

use std::fmt;

use engine::ServiceStateName;

/// What a router can be when something happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    Initialize,
    Backup,
    Active,
    /// Active while its services end.
    LettingGo,
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
    Service,
    Baton,
    Command,
    Restored,
    Stop,
}

/// What can happen to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceKind {
    Running,
    Gone,
    StoppedByHand,
    StartRefused,
    StopRefused,
    Readiness,
    Unknown,
    /// Something that happens to the whole engine.
    Other(Kind),
}

const SITUATIONS: [&str; 5] = ["Initialize", "Backup", "Active", "LettingGo", "Leaving"];
const KINDS: [&str; 20] = [
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
    "report of a service",
    "message of the peer",
    "command",
    "restored",
    "stop",
];
const SERVICE_STATES: [&str; 5] = ["unknown", "stopped", "starting", "running", "stopping"];
const SERVICE_KINDS: [&str; 13] = [
    "runs",
    "is gone",
    "stopped by hand",
    "start refused",
    "stop refused",
    "readiness",
    "out of sight",
    "timer",
    "check good",
    "check bad",
    "message of the peer",
    "command",
    "stop",
];

/// How often each situation met each kind of input, for routers and for services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    routers: [[u64; 5]; 20],
    services: [[u64; 5]; 13],
}

impl Coverage {
    pub(crate) fn count(&mut self, situation: Situation, kind: Kind) {
        self.routers[kind as usize][situation as usize] += 1;
    }

    pub(crate) fn count_service(&mut self, state: ServiceStateName, kind: ServiceKind) {
        let row = match kind {
            ServiceKind::Running => 0,
            ServiceKind::Gone => 1,
            ServiceKind::StoppedByHand => 2,
            ServiceKind::StartRefused => 3,
            ServiceKind::StopRefused => 4,
            ServiceKind::Readiness => 5,
            ServiceKind::Unknown => 6,
            ServiceKind::Other(Kind::Timer) => 7,
            ServiceKind::Other(Kind::CheckGood) => 8,
            ServiceKind::Other(Kind::CheckBad) => 9,
            ServiceKind::Other(Kind::Baton) => 10,
            ServiceKind::Other(Kind::Command) => 11,
            ServiceKind::Other(Kind::Stop) => 12,
            // They reach a service only through its router.
            ServiceKind::Other(_) => return,
        };
        let column = match state {
            ServiceStateName::Unknown => 0,
            ServiceStateName::Stopped => 1,
            ServiceStateName::Starting => 2,
            ServiceStateName::Running => 3,
            ServiceStateName::Stopping => 4,
        };
        self.services[row][column] += 1;
    }

    /// Adds another run's figures.
    pub fn add(&mut self, other: &Self) {
        let rows = self.routers.iter_mut().zip(&other.routers).chain(self.services.iter_mut().zip(&other.services));
        for (row, others) in rows {
            for (sum, more) in row.iter_mut().zip(others) {
                *sum += more;
            }
        }
    }

    /// How many combinations never occurred.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.routers.iter().chain(&self.services).flatten().filter(|count| **count == 0).count()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(f, &SITUATIONS, &KINDS, &self.routers)?;
        f.write_str("\n")?;
        table(f, &SERVICE_STATES, &SERVICE_KINDS, &self.services)
    }
}

fn table(f: &mut fmt::Formatter<'_>, columns: &[&str], names: &[&str], rows: &[[u64; 5]]) -> fmt::Result {
    write!(f, "{:<28}", "")?;
    for name in columns {
        write!(f, "{name:>14}")?;
    }
    for (name, row) in names.iter().zip(rows) {
        write!(f, "\n{name:<28}")?;
        for count in row {
            write!(f, "{count:>14}")?;
        }
    }
    Ok(())
}
