//! Which situations have been gone through: each state with each kind of input, each change of state, and each step of the
//! table of roles.

use std::collections::BTreeMap;
use std::fmt;

use engine::{Cause, OtherNode, RoleStep, ServiceStateName, StateName, StepKind};

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
    Figure,
    Statics,
    Statistics,
    Calendar,
    Hesitate,
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
const KINDS: [(Kind, &str); 25] = [
    (Kind::Start, "start"),
    (Kind::Timer, "timer"),
    (Kind::Resignation, "packet: priority 0"),
    (Kind::LowerPriority, "packet: lower priority"),
    (Kind::LowerAddress, "packet: same, lower address"),
    (Kind::HigherAddress, "packet: same, higher address"),
    (Kind::HigherPriority, "packet: higher priority"),
    (Kind::NotForUs, "packet: nothing for us"),
    (Kind::LinkUp, "link up"),
    (Kind::LinkDown, "link down"),
    (Kind::LinkAbsent, "link absent"),
    (Kind::CheckGood, "check good"),
    (Kind::CheckBad, "check bad"),
    (Kind::SendFailed, "sending failed"),
    (Kind::Figure, "figure"),
    (Kind::Statics, "static things missing"),
    (Kind::Statistics, "statistics cleared"),
    (Kind::Calendar, "calendar set"),
    (Kind::Hesitate, "delay before the start"),
    (Kind::Reload, "reload"),
    (Kind::Service, "report of a service"),
    (Kind::Baton, "message of the peer"),
    (Kind::Command, "command"),
    (Kind::Restored, "restored"),
    (Kind::Stop, "stop"),
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

/// Every change of state that there is, by its cause.
const CHANGES: [(StateName, StateName, &[&str]); 7] = [
    (StateName::Initialize, StateName::Backup, &["Started", "FaultsCleared"]),
    (StateName::Initialize, StateName::Active, &["AddressOwner"]),
    (StateName::Initialize, StateName::Initialize, &["Fault", "Stopped"]),
    (
        StateName::Backup,
        StateName::Active,
        &["ActiveDownTimer", "ActiveResigned", "HandedOver", "PeerSilent", "Resumed"],
    ),
    (StateName::Backup, StateName::Initialize, &["Fault", "Stopped"]),
    (StateName::Active, StateName::Backup, &["HigherPriority", "HigherAddress", "LetGo", "Overslept", "PeerStays"]),
    (StateName::Active, StateName::Initialize, &["Fault", "Stopped"]),
];

/// Every step that the table of roles (`role.rs`) can lead to, by the router's state and what is known of the other node. Some
/// need two things within one message's way: the scenarios about claims and offers have them happen. A claim without a pair
/// is none of them, for a claim goes with the pair.
const STEPS: [(StateName, OtherNode, &[StepKind]); 17] = [
    (StateName::Backup, OtherNode::Alone, &[StepKind::TakeOver]),
    (StateName::Backup, OtherNode::Silent, &[StepKind::TakeOver, StepKind::Unclaim]),
    (StateName::Backup, OtherNode::Stranger, &[StepKind::TakeOver, StepKind::Unclaim]),
    (StateName::Backup, OtherNode::Out, &[StepKind::TakeOver, StepKind::Claim, StepKind::Unclaim]),
    (
        StateName::Backup,
        OtherNode::Standby,
        &[StepKind::TakeOver, StepKind::Claim, StepKind::Unclaim, StepKind::GiveUp],
    ),
    (StateName::Backup, OtherNode::Claiming, &[StepKind::Claim, StepKind::Unclaim]),
    (StateName::Backup, OtherNode::Active, &[StepKind::Unclaim]),
    (StateName::Backup, OtherNode::Offering, &[StepKind::Unclaim]),
    (StateName::Backup, OtherNode::Releasing, &[StepKind::Unclaim]),
    (StateName::Active, OtherNode::Silent, &[StepKind::Keep, StepKind::Withdraw]),
    (StateName::Active, OtherNode::Stranger, &[StepKind::Withdraw]),
    (StateName::Active, OtherNode::Out, &[StepKind::Keep, StepKind::Withdraw, StepKind::DropOffer]),
    (
        StateName::Active,
        OtherNode::Standby,
        &[StepKind::Offer, StepKind::LetGo, StepKind::Keep, StepKind::Withdraw, StepKind::DropOffer],
    ),
    (StateName::Active, OtherNode::Claiming, &[StepKind::Withdraw, StepKind::DropOffer]),
    (StateName::Active, OtherNode::Active, &[StepKind::Yield, StepKind::DropOffer]),
    (StateName::Active, OtherNode::Offering, &[StepKind::Yield, StepKind::DropOffer]),
    (StateName::Active, OtherNode::Releasing, &[StepKind::Withdraw, StepKind::DropOffer]),
];

/// Why a router in this situation never meets this input.
const fn impossible(situation: Situation, kind: Kind) -> Option<&'static str> {
    match (kind, situation) {
        (Kind::Start | Kind::Restored | Kind::Hesitate, Situation::Initialize) => None,
        (Kind::Start, _) => Some("a daemon starts once"),
        (Kind::Restored | Kind::Hesitate, _) => Some("it is told before the start"),
        (Kind::Reload, Situation::Leaving) => Some("a daemon that ends reads no configuration"),
        (Kind::Stop, Situation::Leaving) => Some("the engine is asked once"),
        _ => None,
    }
}

/// Why a service in this state never meets this input: columns as in [`SERVICE_STATES`].
const fn impossible_for_service(row: usize, column: usize) -> Option<&'static str> {
    match (row, column) {
        (2, 0) => Some("its manager first says whether it runs"),
        // News that is older than the start may come before the answer: another run, and its end.
        (3, 0 | 3) => Some("it answers a start"),
        (5, 0) => Some("it is asked of what is known to be stopped"),
        // The news of its end may come before the answer.
        (4, 0 | 2 | 3) => Some("it answers a stop"),
        _ => None,
    }
}

/// How often each situation met each kind of input, for routers and for services, and how often each state changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    routers: [[u64; 5]; 25],
    services: [[u64; 5]; 13],
    changes: BTreeMap<String, u64>,
    steps: BTreeMap<RoleStep, u64>,
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

    pub(crate) fn count_change(&mut self, from: StateName, to: StateName, cause: Cause) {
        let cause = format!("{cause:?}");
        let word = cause.split([' ', '{']).next().unwrap_or_default();
        *self.changes.entry(change_text(from, to, word)).or_default() += 1;
    }

    pub(crate) fn count_steps(&mut self, steps: &[RoleStep]) {
        for step in steps {
            *self.steps.entry(*step).or_default() += 1;
        }
    }

    /// Adds another run's figures.
    pub fn add(&mut self, other: &Self) {
        let rows = self.routers.iter_mut().zip(&other.routers).chain(self.services.iter_mut().zip(&other.services));
        for (row, others) in rows {
            for (sum, more) in row.iter_mut().zip(others) {
                *sum += more;
            }
        }
        for (change, more) in &other.changes {
            *self.changes.entry(change.clone()).or_default() += more;
        }
        for (step, more) in &other.steps {
            *self.steps.entry(*step).or_default() += more;
        }
    }

    /// How many inputs there were.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.routers.iter().flatten().sum()
    }

    /// What is possible and never occurred.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let cells = self.cells().filter(|cell| cell.impossible.is_none() && cell.count == 0);
        let expected =
            CHANGES.iter().flat_map(|(from, to, causes)| causes.iter().map(|cause| change_text(*from, *to, cause)));
        let changes = expected.filter(|change| !self.changes.contains_key(change));
        let steps = steps_of(&STEPS).filter(|step| !self.steps.contains_key(step));
        cells.map(|cell| cell.name).chain(changes).chain(steps.map(step_text)).collect()
    }

    /// What is said never to occur, or was not thought of, and did.
    #[must_use]
    pub fn surprises(&self) -> Vec<String> {
        let cells = self.cells().filter(|cell| cell.count > 0);
        let cells = cells.filter_map(|cell| Some(format!("{}, although {}", cell.name, cell.impossible?)));
        let known = |change: &&String| {
            CHANGES
                .iter()
                .any(|(from, to, causes)| causes.iter().any(|cause| change_text(*from, *to, cause) == **change))
        };
        let changes = self.changes.keys().filter(|change| !known(change)).cloned();
        let known = |step: &RoleStep| steps_of(&STEPS).any(|known| known == *step);
        let steps = self.steps.keys().filter(|step| !known(step));
        cells.chain(changes).chain(steps.map(|step| step_text(*step))).collect()
    }

    fn cells(&self) -> impl Iterator<Item = Cell> {
        let situations =
            [Situation::Initialize, Situation::Backup, Situation::Active, Situation::LettingGo, Situation::Leaving];
        let routers = KINDS.iter().flat_map(move |(kind, name)| {
            situations.map(|situation| Cell {
                name: format!("{} meets {name}", SITUATIONS[situation as usize]),
                count: self.routers[*kind as usize][situation as usize],
                impossible: impossible(situation, *kind),
            })
        });
        let services = SERVICE_KINDS.iter().zip(0..).flat_map(move |(name, row)| {
            (0..5).map(move |column| Cell {
                name: format!("a service that is {} meets {name}", SERVICE_STATES[column]),
                count: self.services[row][column],
                impossible: impossible_for_service(row, column),
            })
        });
        routers.chain(services)
    }
}

/// A cell of a table.
struct Cell {
    name: String,
    count: u64,
    impossible: Option<&'static str>,
}

fn steps_of(table: &[(StateName, OtherNode, &'static [StepKind])]) -> impl Iterator<Item = RoleStep> {
    table.iter().flat_map(|(state, other, kinds)| {
        kinds.iter().map(|kind| RoleStep { state: *state, other: *other, kind: *kind })
    })
}

pub(crate) fn step_text(step: RoleStep) -> String {
    format!("role of {:?}, other {:?}: {:?}", step.state, step.other, step.kind)
}

fn change_text(from: StateName, to: StateName, cause: &str) -> String {
    format!("{from:?} -> {to:?}, {cause}")
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = KINDS.map(|(_, name)| name);
        let cells: Vec<Cell> = self.cells().collect();
        let (routers, services) = cells.split_at(names.len() * SITUATIONS.len());
        table(f, &SITUATIONS, &names, routers)?;
        f.write_str("\n")?;
        table(f, &SERVICE_STATES, &SERVICE_KINDS, services)?;
        for (change, count) in &self.changes {
            write!(f, "\n{change:<42}{count:>14}")?;
        }
        f.write_str("\n")?;
        for (step, count) in &self.steps {
            write!(f, "\n{:<42}{count:>14}", step_text(*step))?;
        }
        Ok(())
    }
}

/// A dash where nothing can be.
fn table(f: &mut fmt::Formatter<'_>, columns: &[&str], names: &[&str], cells: &[Cell]) -> fmt::Result {
    write!(f, "{:<28}", "")?;
    for name in columns {
        write!(f, "{name:>14}")?;
    }
    for (name, row) in names.iter().zip(cells.chunks(columns.len())) {
        write!(f, "\n{name:<28}")?;
        for cell in row {
            match (cell.impossible, cell.count) {
                (Some(_), 0) => write!(f, "{:>14}", "-")?,
                (_, count) => write!(f, "{count:>14}")?,
            }
        }
    }
    Ok(())
}
