//! What befalls a pair with a service, as data: what is done, step by step, and from when to when it counts.

use std::time::Duration;

/// The two nodes: A is the one that is to be active while all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    A,
    B,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The figures count from here.
    Mark,
    /// They count until here; without this, until the last step.
    End,
    /// The process of the service is killed.
    KillService(Node),
    /// It is frozen: its port is open, but nothing answers.
    HangService(Node),
    /// The node loses its power, and everything on it ends.
    PowerOff(Node),
    /// It has power again: its files are there, nothing runs.
    PowerOn(Node),
    /// Its init starts the service, if this pair is one that leaves that to init.
    BootService(Node),
    /// The daemon is started.
    StartDaemon(Node),
    /// `kill -9`: the host goes on.
    KillDaemon(Node),
    /// SIGSTOP, as a starved machine would.
    FreezeDaemon(Node),
    /// It goes on.
    ThawDaemon(Node),
    /// An orderly stop.
    StopDaemon(Node),
    /// The operator does what this pair needs for the node to have the service again.
    BringBack(Node),
    /// The nodes no longer hear each other. Both go on.
    Cut,
    /// They do again.
    Heal,
    /// Time passes.
    Pass(Duration),
    /// Waits until a collector has begun since the last deed, but not longer than this.
    UntilNew(Duration),
    /// Waits until exactly one collector has been at work for a second and not more than one node has the address, but
    /// not longer than this.
    UntilSettled(Duration),
    /// The other node loses its power: does this one take the service within so long?
    StandsBy(Node, Duration),
}

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// As in the table of the stories' baseline: B1 and so on.
    pub id: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    pub steps: &'static [Step],
    /// Whether Tanist promises that never two are at work; where it does not, two nodes alone cannot know better.
    pub never_two: bool,
    /// Whether it is told how long both nodes had the address: where the daemon cannot take it away.
    pub addresses_count: bool,
}

use Node::{A, B};
use Step::{
    BootService, BringBack, Cut, End, FreezeDaemon, HangService, Heal, KillDaemon, KillService, Mark, Pass, PowerOff,
    PowerOn, StandsBy, StartDaemon, StopDaemon, ThawDaemon, UntilNew, UntilSettled,
};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The slowest way to notice takes three failed checks of 5 s and an answer that does not come each time.
const PATIENCE: Duration = seconds(40);
/// How long is watched whether two that are at work at once become one again.
const WATCH: Duration = seconds(20);
/// How long a node may take to be a standby again by itself, or to take over: a generous ten checks of a second.
const COMES_ROUND: Duration = seconds(10);

/// All of them.
pub const SCENARIOS: [Scenario; 11] = [
    Scenario {
        id: "B1",
        title: "the service dies on A",
        steps: &[Mark, KillService(A), UntilNew(PATIENCE), UntilSettled(WATCH)],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B2",
        title: "the service hangs on A",
        steps: &[Mark, HangService(A), UntilNew(PATIENCE), UntilSettled(WATCH)],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B3",
        title: "A loses power",
        steps: &[Mark, PowerOff(A), UntilNew(PATIENCE), UntilSettled(WATCH)],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B4",
        title: "after B1, without an operator",
        steps: &[
            KillService(A),
            UntilNew(PATIENCE),
            Mark,
            UntilSettled(WATCH),
            Pass(COMES_ROUND),
            End,
            StandsBy(A, COMES_ROUND),
        ],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B5",
        title: "after B1, the operator brings A back",
        steps: &[
            KillService(A),
            UntilNew(PATIENCE),
            UntilSettled(WATCH),
            Mark,
            BringBack(A),
            UntilNew(PATIENCE),
            UntilSettled(WATCH),
        ],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B6",
        title: "A boots, the service 2 s before the daemon",
        steps: &[
            PowerOff(A),
            UntilNew(PATIENCE),
            UntilSettled(WATCH),
            Mark,
            PowerOn(A),
            BootService(A),
            Pass(seconds(2)),
            StartDaemon(A),
            Pass(seconds(2)),
            UntilSettled(WATCH),
        ],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B7",
        title: "A boots, service and daemon at once",
        steps: &[
            PowerOff(A),
            UntilNew(PATIENCE),
            UntilSettled(WATCH),
            Mark,
            PowerOn(A),
            BootService(A),
            StartDaemon(A),
            Pass(COMES_ROUND),
            UntilSettled(WATCH),
            End,
            StandsBy(A, COMES_ROUND),
        ],
        never_two: true,
        addresses_count: false,
    },
    Scenario {
        id: "B8",
        title: "the network is parted for 10 s",
        steps: &[Mark, Cut, Pass(seconds(10)), Heal, Pass(seconds(1)), UntilSettled(WATCH)],
        never_two: false,
        addresses_count: true,
    },
    Scenario {
        id: "B9",
        title: "kill -9 of the daemon on A",
        steps: &[Mark, KillDaemon(A), UntilNew(PATIENCE), UntilSettled(WATCH)],
        never_two: false,
        addresses_count: true,
    },
    Scenario {
        id: "B10",
        title: "the daemon on A is frozen for 10 s",
        steps: &[Mark, FreezeDaemon(A), Pass(seconds(10)), ThawDaemon(A), Pass(seconds(1)), UntilSettled(WATCH)],
        never_two: false,
        addresses_count: true,
    },
    Scenario {
        id: "B11",
        title: "orderly stop of the daemon on A",
        steps: &[Mark, StopDaemon(A), UntilNew(PATIENCE), UntilSettled(WATCH)],
        never_two: true,
        addresses_count: false,
    },
];

impl Node {
    pub const BOTH: [Self; 2] = [A, B];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            A => "a",
            B => "b",
        }
    }

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            A => B,
            B => A,
        }
    }
}
