//! How everything is at one moment, both nodes as one of them sees them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::Place;

/// Everything, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How this node is called.
    pub node: String,
    /// What the pair can promise.
    pub mode: Mode,
    /// When this was said by the calendar, in milliseconds since 1970, UTC.
    pub wall_ms: u64,
    /// When this was said by the clock that never jumps, in nanoseconds since the machine was started.
    pub boot_ns: u64,
    /// Whether a failure now would be survived.
    pub protection: Protection,
    /// The virtual routers in the configuration's order.
    pub instances: Vec<Instance>,
    /// The services in the configuration's order.
    pub services: Vec<Service>,
    /// Checks that belong to no service.
    pub checks: Vec<Check>,
    /// Tracked files and processes.
    #[serde(default)]
    pub trackers: Vec<Tracker>,
    /// The other node, if one is configured.
    pub peer: Option<Peer>,
    /// The latch in force.
    pub latch: Option<Latch>,
    /// Maintenance, if it is on.
    pub maintenance: Option<MaintenanceOn>,
    /// What was dropped of the traffic of addresses that this node does not accept packets to (`no_accept`,
    /// `vrrp_strict`). `None` if it accepts all, or if the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
    /// What the daemon may still do to its machine; `None` from a daemon that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Confinement>,
}

/// Packets that were dropped since the daemon started or the addresses changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Packets to such an address.
    pub incoming: u64,
    /// Packets from such an address.
    pub outgoing: u64,
}

/// What the daemon may still do to its machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The number of the user it runs as.
    pub user: u32,
    /// The capabilities that it may use, as capabilities(7) names them.
    pub capabilities: Vec<String>,
    /// What can be taken away from it.
    pub measures: Vec<Measure>,
}

/// One thing that can be taken away from a daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Its word on the command line (`--confine`).
    pub name: String,
    /// Whether it was asked for.
    pub asked: bool,
    /// Whether it is in force.
    pub in_force: bool,
    /// Why it is not, although it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A tracked file or tracked processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracker {
    /// Its name.
    pub name: String,
    /// Of what kind it is.
    pub kind: TrackerKind,
    /// What is watched, in words.
    pub subject: String,
    /// The number in the file, or how many processes there are; `None` until it is known.
    pub figure: Option<i64>,
    /// Of processes: whether their number counts as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<bool>,
    /// When it will count as the opposite, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns_in_ms: Option<u64>,
}

/// Of what kind a tracked thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackerKind {
    /// A `track_file`.
    File,
    /// A `vrrp_track_process`.
    Process,
}

/// What a pair can promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// VRRP only: nothing is known of the others but who is master.
    Vrrp,
    /// Two nodes that talk to each other and hand over in order.
    Pair,
}

/// Whether a failure now would be survived, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// In one word.
    pub state: ProtectionState,
    /// Everything that is not as it should be, in words, the worst first.
    pub reasons: Vec<String>,
}

/// Whether a failure now would be survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionState {
    /// One node is active, another one is ready to take over.
    Protected,
    /// As far as can be seen from here all is well; in mode `vrrp` a standby is silent and cannot be seen.
    Unknown,
    /// It would be, but something is not as it should be.
    Degraded,
    /// Nothing happens by itself, because an operator wants it so.
    Maintenance,
    /// Nobody could take over, or nobody is active.
    Unprotected,
    /// Nothing floats until an operator acknowledges.
    Latched,
}

/// The role of a node in a virtual router, in the words that keepalived's users know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Not started, or stopped.
    Init,
    /// Watches the active node.
    Backup,
    /// Is the active node.
    Master,
    /// Something keeps it out.
    Fault,
}

/// One virtual router here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// How long it has had this role, in milliseconds.
    pub since_ms: u64,
    /// Configured priority.
    pub priority: u8,
    /// Priority after tracking.
    pub effective_priority: u8,
    /// Counts the takings of the role in the pair; 0 if it was never taken or if there is no pair.
    pub epoch: u64,
    /// The interface that it runs on; empty if that is none in particular (unicast without `interface`).
    pub interface: String,
    /// Virtual Router Identifier.
    pub vrid: u8,
    /// Its addresses.
    pub addresses: Vec<VirtualAddress>,
    /// Whether the addresses are here now.
    pub holds_addresses: bool,
    /// The master that is heard: address and priority. `None` if nobody is, or if it is this node.
    pub master: Option<(IpAddr, u8)>,
    /// Everything that keeps it out, in words.
    pub faults: Vec<String>,
    /// Who wants this node to stand back, in words.
    pub held: Vec<String>,
    /// Whether it has the role and is letting it go: its services are still ending.
    pub letting_go: bool,
    /// Names of its services.
    pub services: Vec<String>,
    /// Why one of the two nodes does not hear the other's advertisements although they talk to each other, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unheard: Option<String>,
    /// Advertisements that come and are not accepted, in words; `None` if none came lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What the peer is told differently about it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// An address that moves with the role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualAddress {
    /// With its prefix: `192.0.2.100/24`.
    pub address: String,
    /// Where it goes.
    pub interface: String,
}

/// So many within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// How many there were.
    pub used: u32,
    /// How many are allowed.
    pub limit: u32,
    /// Within this many milliseconds.
    pub within_ms: u64,
}

/// One service here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The instance that it belongs to; `None` if none mentions it.
    pub instance: Option<String>,
    /// Its state.
    pub state: ServiceState,
    /// How long it has been in this state, in milliseconds.
    pub since_ms: u64,
    /// Whether it should run here.
    pub wanted: bool,
    /// Running well: `None` before its checks have given a result, and when it does not run.
    pub healthy: Option<bool>,
    /// Whether it could be started here; `None` before that was found out.
    pub readiness: Option<Readiness>,
    /// Restarts here.
    pub restarts: Budget,
    /// Moves on both nodes.
    pub moves: Budget,
    /// The last failure.
    pub last_failure: Option<LastFailure>,
    /// Its checks.
    pub checks: Vec<Check>,
    /// What the peer is told differently about it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// The states of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Not known.
    Unknown,
    /// Nothing of it runs.
    Stopped,
    /// It has been told to start.
    Starting,
    /// It runs.
    Running,
    /// It has been told to end.
    Stopping,
}

/// Whether a service could be started on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// It could.
    pub ready: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a service failed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// How long ago, in milliseconds.
    pub age_ms: u64,
    /// How, in words.
    pub text: String,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Its verdict; `None` before the first result.
    pub good: Option<bool>,
    /// How the last run ended, in words.
    pub last: Option<String>,
    /// It does not run at present, because what it checks does not, or because it runs in the other role.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rests: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The other node. All of it comes from one message of `age_ms` ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// How it calls itself; empty before it was heard.
    pub node: String,
    /// Whether it is taken for alive.
    pub alive: bool,
    /// How old everything is that is said of it here, in milliseconds; `None` if it was never heard.
    pub age_ms: Option<u64>,
    /// Whether that is older than [`STALE_AFTER_MS`](crate::STALE_AFTER_MS): it may no longer be so.
    pub stale: bool,
    /// How long a question and its answer took last, in microseconds.
    pub round_trip_us: Option<u64>,
    /// The ways to it.
    pub paths: Vec<PeerPath>,
    /// Messages that were not its, or not new.
    pub discarded: u64,
    /// Who else sends messages to the port of the pair, although no path leads there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<IpAddr>,
    /// Why the last of them was none, in words, unless the peer was heard since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_discard: Option<String>,
    /// It speaks, but does not hear this node.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deaf: bool,
    /// Its virtual routers.
    pub instances: Vec<PeerInstance>,
}

/// One way to the peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerPath {
    /// The peer's address there.
    pub address: String,
    /// When something was heard there last, in milliseconds ago; `None`: never.
    pub age_ms: Option<u64>,
    /// Whether it works.
    pub works: bool,
    /// Which node hears the other one there, if it works in one direction only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_way: Option<Place>,
}

/// What the peer says of one of its virtual routers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerInstance {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Its effective priority.
    pub effective_priority: u8,
    /// Its epoch.
    pub epoch: u64,
    /// Whether it stands back.
    pub held: bool,
    /// Its services.
    pub services: Vec<PeerService>,
}

/// What the peer says of one of its services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerService {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ServiceState,
    /// Running well, if it runs.
    pub healthy: Option<bool>,
    /// Whether it could be started there.
    pub readiness: Option<Readiness>,
    /// Whether it failed there and is not started again.
    pub failed: bool,
}

/// Nothing floats any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// The service.
    pub service: String,
    /// The node that latched.
    pub node: String,
    /// Why, in words.
    pub text: String,
}

/// Nothing happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceOn {
    /// It ends by itself after so many milliseconds; `None`: it does not.
    pub ends_in_ms: Option<u64>,
}
