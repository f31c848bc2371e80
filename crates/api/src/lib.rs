//! The words exchanged over the control socket: JSON, one object in each line.
//!
//! The daemon speaks first: `{"hello":{…}}`. Then a client sends [`Request`]s and gets one [`Reply`] with the same
//! number for each, in their order; a client that follows events gets `{"event":{…}}` lines in between. An older
//! client ignores fields that it does not know, whereas the daemon refuses a request with such a field: a misspelt
//! `dry_run` must not become a real switch.
//!
//! There is no logic here. The words in `text` and `reasons` are for people and may change; ids, states and figures are
//! for programs and stay within a [`VERSION`].
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod event;
mod plain;
mod request;
mod span;
mod status;

use serde::{Deserialize, Serialize};

pub use event::{Event, Handover, Place, Severity};
pub use plain::plain;
pub use request::{Ask, Maintenance, Request, Switch};
pub use span::span;
pub use status::{
    Budget, Check, Confinement, Dropped, Instance, LastFailure, Latch, MaintenanceOn, Measure, Mode, Peer,
    PeerInstance, PeerPath, PeerService, Protection, ProtectionState, Readiness, Role, Service, ServiceState, Status,
    Tracker, TrackerKind, VirtualAddress,
};

/// Version of the protocol. It grows when an old client would misunderstand a new daemon.
pub const VERSION: u32 = 1;
/// Where the daemon listens unless told otherwise.
pub const SOCKET: &str = "/run/tanist/control.sock";
/// A longer line from a client is refused, its end included.
pub const LONGEST_REQUEST: usize = 4096;
/// A statement about a node that is older than this is stale, in milliseconds.
pub const STALE_AFTER_MS: u64 = 2_000;

/// A line from the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first line of all.
    Hello(Hello),
    /// What became of a request.
    Reply(Reply),
    /// Something happened.
    Event(Event),
    /// So many events were left out: this client does not read fast enough.
    Lost(u64),
    /// The daemon closes the connection; why, in words.
    Closed(String),
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the protocol: [`VERSION`].
    pub version: u32,
    /// Version of the daemon.
    pub daemon: String,
    /// Whether this client may change anything, or only read.
    pub may_change: bool,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The number that came with the request; 0 if it could not be read.
    pub number: u64,
    /// What.
    pub outcome: Outcome,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer to [`Ask::Status`].
    Status(Box<Status>),
    /// The answer to [`Ask::Events`]: the latest ones, oldest first.
    Events(Vec<Event>),
    /// The answer to [`Ask::Configuration`].
    Configuration(Configuration),
    /// The answer to everything else: one entry for each instance that it concerned, or one without an instance.
    Commanded(Vec<Commanded>),
    /// It makes no sense; why, in words.
    Invalid(String),
    /// This client may not do that; who may, in words.
    Forbidden(String),
}

/// What became of a command, for one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commanded {
    /// Which instance; `None` if it concerns the whole node or pair.
    pub instance: Option<String>,
    /// What.
    pub result: CommandResult,
}

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandResult {
    /// It is done, or was so already.
    Done,
    /// It has begun; events tell the rest.
    Begun,
    /// It would be done, and take this long at most.
    Would {
        /// Until the service runs there, as far as time-outs say; in milliseconds.
        at_most_ms: u64,
    },
    /// It is not done.
    Refused {
        /// For programs.
        reason: Refusal,
        /// For people: why, and what could be done about it.
        text: String,
    },
}

/// Why a command is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such instance any more.
    NoSuchInstance,
    /// The peer cannot be heard.
    PeerSilent,
    /// No peer is configured.
    NoPeer,
    /// The service could not be started where it should go.
    NotReady,
    /// The node that it should go to takes no part at present.
    NotStandby,
    /// Neither node is active.
    NobodyActive,
    /// It is latched.
    Latched,
    /// Another change is under way.
    Busy,
    /// The daemon is stopping.
    Stopping,
}

/// Where the configuration came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Every file that was read, the first one first.
    pub files: Vec<String>,
}
