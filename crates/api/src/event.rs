//! What happened.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts the events of this life of the daemon from 1; a gap means that some were left out.
    pub number: u64,
    /// What kind of thing it is, for programs: `service.failed`. Never changes its meaning.
    pub id: Cow<'static, str>,
    /// When by the calendar, in milliseconds since 1970, UTC.
    pub wall_ms: u64,
    /// When by the clock that never jumps, in nanoseconds since the machine was started.
    pub boot_ns: u64,
    /// How bad it is.
    pub severity: Severity,
    /// Only for those who asked for detail.
    #[serde(default, skip_serializing_if = "is_false")]
    pub detail: bool,
    /// The instance that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The service that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What a hand-over did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// As it stands in the log, line by line.
    pub text: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How bad it is, in syslog's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody must act now.
    Critical,
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warning,
    /// Normal and worth knowing.
    Notice,
    /// For the record.
    Info,
}

/// A step of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// It has begun.
    Begun {
        /// Where the role goes.
        to: Place,
    },
    /// The role has moved, and its services run there.
    Ended {
        /// Where the role is now.
        to: Place,
        /// During which no service ran, in milliseconds.
        outage_ms: u64,
        /// During which services ran on both nodes, in milliseconds.
        overlap_ms: u64,
    },
    /// The role has not moved; the event's text says why.
    Failed,
    /// The role moves without order.
    Unordered,
}

/// One of the two nodes as the daemon sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The daemon's own node.
    Here,
    /// The other one.
    Peer,
}
