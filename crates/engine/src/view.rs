//! What an operator may see of an engine at one moment.

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::vrrp::receive::{ChecksumForm, Discard};
use crate::vrrp::statistics::Statistics;
use core::time::Duration;

use crate::{
    BatonDiscard, FaultReason, FigureCause, HeldBy, Instant, Interval, LatchRecord, Name, NoticeKind, Priority,
    RouterId, ScriptOutcome, ServiceFailure, ServiceStateName, StateName, TrackerName, Unheard,
};

/// The whole engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// In the configuration's order.
    pub routers: Vec<RouterView>,
    /// In the configuration's order.
    pub groups: Vec<GroupView>,
    /// In the configuration's order.
    pub scripts: Vec<ScriptView>,
    /// In the configuration's order.
    pub trackers: Vec<TrackerView>,
    /// In the configuration's order.
    pub services: Vec<ServiceView>,
    /// The peer, if one is configured.
    pub peer: Option<PeerView>,
    /// The latch in force.
    pub latch: Option<LatchRecord>,
    /// Maintenance, if it is on.
    pub maintenance: Option<MaintenanceView>,
}

/// One sync group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its name.
    pub name: Name,
    /// Its routers.
    pub members: Vec<RouterId>,
    /// What it is: Active, Backup, Fault or Stop; `None` before it was anything.
    pub kind: Option<NoticeKind>,
}

/// Maintenance that is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaintenanceView {
    /// When it ends by itself.
    pub until: Option<Instant>,
}

/// One service, as it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    /// Its name.
    pub name: Name,
    /// The router that it belongs to; `None` if none mentions it.
    pub router: Option<RouterId>,
    /// Its state.
    pub state: ServiceStateName,
    /// Since when.
    pub since: Instant,
    /// Whether it should run here.
    pub wanted: bool,
    /// Running well: `None` before its checks have given a result.
    pub healthy: Option<bool>,
    /// Whether it could be started here; `None` before the first assessment.
    pub readiness: Option<Result<(), Name>>,
    /// Restarts within the budget's span.
    pub restarts: u32,
    /// Moves within the span of `max_moves`, on both nodes as far as known.
    pub moves: u32,
    /// The last failure and when it was.
    pub last_failure: Option<(Instant, ServiceFailure)>,
    /// Its checks.
    pub checks: Vec<ScriptView>,
    /// Where this node's [`Terms`](crate::Terms) differ from the peer's.
    pub differs: Vec<u32>,
}

/// What is known of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// How it calls itself; empty before it was heard.
    pub node: Name,
    /// Whether it is taken for alive.
    pub alive: bool,
    /// When it was heard last.
    pub heard_at: Option<Instant>,
    /// One entry for each path: when something was heard there last.
    pub paths: Vec<Option<Instant>>,
    /// How long a question and its answer took last.
    pub round_trip: Option<Duration>,
    /// Messages discarded.
    pub discarded: u64,
    /// Why the last one was, unless something was heard since.
    pub last_discard: Option<BatonDiscard>,
    /// It speaks, but has not heard this node for long: when it spoke last.
    pub deaf_at: Option<Instant>,
    /// One entry for each path: whether it works in one direction only, and then whether it is this node that hears.
    pub one_way: Vec<Option<bool>>,
    /// What it says of its routers.
    pub routers: Vec<PeerRouterView>,
}

/// What the peer says of one of its routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRouterView {
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: StateName,
    /// Its effective priority.
    pub priority: Priority,
    /// Its epoch.
    pub epoch: u64,
    /// Whether it stands back.
    pub held: bool,
    /// Its services.
    pub services: Vec<PeerServiceView>,
}

/// What the peer says of one of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerServiceView {
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: ServiceStateName,
    /// Running well, if it runs.
    pub healthy: Option<bool>,
    /// Whether it could be started there.
    pub readiness: Option<Result<(), Name>>,
    /// Whether it failed there.
    pub failed: bool,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterView {
    /// Its index.
    pub router: RouterId,
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: StateName,
    /// Since when; the engine's start if it never changed.
    pub since: Instant,
    /// Configured priority.
    pub priority: Priority,
    /// Priority after tracking.
    pub effective_priority: Priority,
    /// The Active router as far as we know: address and priority. `None` if nobody was heard, or if it is us.
    pub active_router: Option<(IpAddr, Priority)>,
    /// Active_Adver_Interval (RFC 9568 §6.1).
    pub active_adver_interval: Interval,
    /// When a Backup takes over if it hears nothing; `None` in the other states.
    pub active_down_at: Option<Instant>,
    /// The address that it sends from; `None` while it has none.
    pub primary_address: Option<IpAddr>,
    /// Everything that keeps it out.
    pub faults: Vec<FaultReason>,
    /// Which checksum the peer uses in version 3 over IPv4; `None` until one was heard.
    pub peer_checksum_form: Option<ChecksumForm>,
    /// Whether its addresses should be in the kernel now.
    pub holds_addresses: bool,
    /// Counts the takings of the role in the pair; 0 if it was never taken.
    pub epoch: u64,
    /// Who wants this node to stand back.
    pub held_by: Vec<HeldBy>,
    /// Whether it has the role and is letting it go: its services are still ending.
    pub letting_go: bool,
    /// Its counters.
    pub statistics: Statistics,
    /// The last advertisement that was not accepted, unless one was since: when, from where, why.
    pub refused: Option<(Instant, IpAddr, Discard)>,
    /// Why one node hears the other's messages but not its advertisements, and whether that is this node.
    pub unheard: Option<(bool, Unheard)>,
    /// Where this node's [`Terms`](crate::Terms) differ from the peer's.
    pub differs: Vec<u32>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptView {
    /// Its name.
    pub name: Name,
    /// Its verdict; `None` before the first result.
    pub good: Option<bool>,
    /// Good runs push it up, bad ones down, between 0 and rise + fall − 1; good from rise on.
    pub counter: u32,
    /// How the last run ended.
    pub last_outcome: Option<ScriptOutcome>,
    /// When the run that is under way began.
    pub running_since: Option<Instant>,
    /// It does not run at present: what it checks does not, or the role is not one of its own.
    pub rests: bool,
}

/// A file or processes whose figure counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerView {
    /// Its name and kind.
    pub tracker: TrackerName,
    /// What is watched, in words.
    pub subject: Name,
    /// Its figure; `None` until it was told.
    pub figure: Option<i64>,
    /// Of processes: whether their number counts as good.
    pub good: Option<bool>,
    /// When it will count as the opposite, and what made it so.
    pub turns_at: Option<(Instant, FigureCause)>,
}
