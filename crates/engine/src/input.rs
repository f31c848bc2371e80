//! Everything that can happen to an engine.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::{Config, Family, Instant, LinkId, Name, Record, RouterId, TrackerName};

/// One thing that happened. There is no other way to change an engine.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Begin. Link states that are known have been given before.
    Start,
    /// [`Engine::deadline`](crate::Engine::deadline) has come. Harmless if it has not.
    Timer,
    /// A packet of the VRRP protocol (or one that claims to be) arrived.
    Received(Received<'a>),
    /// An interface changed, appeared, or (`None`) is not there.
    Link {
        /// Which one.
        link: LinkId,
        /// How it is now.
        state: Option<LinkState>,
    },
    /// The addresses of interfaces that the configuration does not mention: a configured source address may be
    /// among them. An engine that is never told assumes none.
    OtherAddresses(Vec<IpAddr>),
    /// The groups of static addresses, routes and rules of which something cannot be there now. Comes whenever that
    /// changes; an engine that is never told assumes none.
    StaticsMissing(BTreeSet<Name>),
    /// A run that [`Output::RunScript`](crate::Output::RunScript) asked for has ended or could not begin.
    ScriptFinished {
        /// Name of the check.
        script: &'a str,
        /// How it ended.
        outcome: ScriptOutcome,
    },
    /// What is tracked has this figure now. What is known is told before the start, where 0 is assumed for the others; what
    /// a reconfiguration mentions for the first time follows it, and until then its routers stay as they are.
    Figure {
        /// Which.
        tracker: &'a TrackerName,
        /// The number in the file, or how many processes there are.
        figure: i64,
        /// How it came to be so.
        cause: FigureCause,
    },
    /// Something is known about a service: as the answer to an order, or because it happened.
    Service {
        /// Name of the service.
        service: &'a str,
        /// What.
        report: ServiceReport,
    },
    /// A message of the pair's side channel arrived. Whether it is the peer's is found out here.
    Baton {
        /// The path that it came by.
        path: u32,
        /// The whole message.
        octets: &'a [u8],
    },
    /// Before this moment nothing that is heard counts, and nobody becomes Active unless it was before. Comes before
    /// [`Start`](Self::Start), or never.
    Hesitate {
        /// The moment.
        until: Instant,
    },
    /// All counters begin at zero again.
    ClearStatistics,
    /// What was saved in a former life. Comes before [`Start`](Self::Start), or never.
    Restored(Restored),
    /// An operator wants something. [`Output::Answer`](crate::Output::Answer) says what becomes of it.
    Command {
        /// Comes back with the answer.
        number: u64,
        /// What.
        command: Command,
    },
    /// What the calendar says now: since 1970. Given before the start and whenever it was set; in between the engine
    /// counts on. It matters to `auth_hmac` only; an engine that is never told begins in 1970.
    Calendar(Duration),
    /// An advertisement could not be sent.
    SendFailed {
        /// Whose it was.
        router: RouterId,
        /// The system's error number.
        error: i32,
    },
    /// A new configuration; what did not change goes on undisturbed. Ignored before the start and after a stop.
    /// [`Link`](Self::Link) inputs for the interfaces that it mentions for the first time follow it; until then their
    /// routers stay as they are.
    Reconfigure(Box<Config>),
    /// Orderly stop. [`Output::Stopped`](crate::Output::Stopped) tells when it is done.
    Stop,
}

/// A packet as it came from the wire.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The interface that it arrived on.
    pub link: LinkId,
    /// What the octets begin with: the IP header of this family.
    pub family: Family,
    /// The whole packet from its IP header on.
    pub octets: &'a [u8],
}

/// What the kernel says of an interface that exists.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LinkState {
    /// Administratively up and running (carrier).
    pub up: bool,
    /// Nothing can be heard on it at present: the system has refused to listen there. Whoever cannot hear takes no part, also
    /// where the interface's own state is not minded.
    pub deaf: bool,
    /// Its addresses in the kernel's order. Virtual addresses may be among them; the engine knows those and
    /// never takes one for its own source.
    pub addresses: Vec<IpAddr>,
    /// IPv6 addresses that it will have unless another node turns out to have them (RFC 4862 §5.4). Nothing comes from
    /// there yet.
    pub tentative: Vec<IpAddr>,
}

/// How a run of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptOutcome {
    /// With this exit status; zero is good.
    Exited(u8),
    /// By this signal.
    Signalled(u8),
    /// It could not be started, for this error number of the system.
    NotStarted(i32),
    /// A probe that needs no program failed.
    ProbeFailed(ProbeFailure),
    /// Nobody could look, for want of something that is needed for it (a process, descriptors, memory), with this error
    /// number. That says nothing of what is looked at: the check stays as it was.
    NotLooked(i32),
}

/// How a figure came to be what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureCause {
    /// It was looked up, or a process became another by its own doing. It counts at once.
    Found,
    /// A process has forked.
    Forked,
    /// A process has ended.
    Ended,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    /// The system refused or broke the connection, or the file, with this error number.
    System(i32),
    /// An HTTP server answered with this status.
    HttpStatus(u16),
    /// Something answered, but not as the protocol wants it.
    Nonsense,
    /// The file was last changed so many seconds ago.
    TooOld(u32),
    /// No process of that name runs.
    NoProcess,
}

/// What is known about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceReport {
    /// It runs: after a start it has come up; otherwise it was found so, or somebody else started it.
    Running,
    /// Nothing of it runs any more, not one process.
    Gone(Ending),
    /// It was stopped by an operator, not by us, and nothing of it runs any more.
    StoppedByHand,
    /// It could not be started; the reason in words.
    StartRefused(Name),
    /// It could not be stopped (yet); the reason in words. An answer to `Stop` or `Kill` only if it is not tried again.
    StopRefused(Name),
    /// It could be started here, or could not, and the reason in words.
    Readiness(Result<(), Name>),
    /// Nobody can tell at present whether it runs (its manager does not answer); the reason in words.
    Unknown(Name),
}

/// How a service ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was not running when we looked.
    NotRunning,
    /// With this exit status.
    Exited(u8),
    /// By this signal.
    Signalled(u8),
    /// In a way that its manager put into words.
    Said(Name),
}

/// What was saved in a former life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    /// This.
    Record {
        /// What it says.
        record: Record,
        /// Whether the machine has not been started anew since it was saved.
        same_boot: bool,
        /// What the calendar says now: seconds since 1970.
        calendar: u64,
    },
    /// There was nothing: a first life, or a memory that does not outlive one.
    Nothing {
        /// What the calendar says now: seconds since 1970.
        calendar: u64,
    },
    /// Something that cannot be trusted; why, in words. It never counts as a permission.
    Damaged(Name),
}

/// What an operator can want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Move the role of a router in order.
    Switch {
        /// Whose role.
        router: RouterId,
        /// To this node, or away from it.
        to_us: bool,
        /// Only say whether it would be done.
        dry_run: bool,
    },
    /// Stand back: do not keep or take the role of a router while somebody else can have it.
    Hold {
        /// Whose role.
        router: RouterId,
        /// Who says so; each can take back only what it said.
        by: HeldBy,
    },
    /// No longer stand back.
    Release {
        /// Whose role.
        router: RouterId,
        /// Who says so; an operator takes back what `StoppedByHand` and `Switch` did, too.
        by: HeldBy,
    },
    /// Do nothing by itself for so long (`None`: until told otherwise), on both nodes.
    Maintain {
        /// When it ends by itself.
        span: Option<Duration>,
        /// What the calendar says now: seconds since 1970.
        calendar: u64,
    },
    /// Maintenance is over.
    EndMaintenance,
    /// A human has seen to it: clear every latch, and count nothing of what was, on both nodes.
    Acknowledge,
}

/// Why a node stands back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldBy {
    /// An operator said so, by switching away or by stopping the service by hand.
    Operator,
    /// The file that means it is there.
    DownFile,
}
