//! What came of it, line by line, in the words of a scenario. `service` has the words for services and pairs.

mod service;

use std::net::IpAddr;

use engine::vrrp::receive::{Discard, Oddity};
use engine::{
    Cause, Engine, Event, FaultReason, Instant, LinkCondition, LinkId, Notice, NoticeKind, ProbeFailure, RouterId,
    ScriptOutcome, StateName, TrackerName,
};

use crate::plan::Plan;
use crate::plan::measure::span_text;
use crate::plan::tracker::kind_text;

/// One line that a scenario expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// Who: a node, a router (`a/52`), `client`, or `!` for a broken invariant.
    pub subject: String,
    /// What.
    pub text: String,
}

/// The words that a line about a node or router can begin with.
pub(crate) const EXPECTATION_WORDS: &[&str] = &[
    "Initialize",
    "Backup",
    "Active",
    "fault:",
    "no",
    "ignores",
    "answers",
    "conflict:",
    "hears",
    "resigns",
    "follows",
    "learns",
    "effective",
    "discards",
    "accepts",
    "wants",
    "releases",
    "announces",
    "overslept",
    "cannot",
    "check",
    "sees",
    "advertises",
    "advertisements",
    "is",
    "gratuitous",
    "neighbour",
    "kernel",
    "notifies",
    "stopped",
    "service",
    "peer",
    "path",
    "hand-over",
    "both",
    "latched",
    "unlatched",
    "maintenance",
    "stands",
    "record",
    "order:",
    "hook",
    "role",
    "group",
    "file",
    "processes",
];

pub(crate) use service::{answer_text, hook_text, order_text};

/// The words for an event of a node: whose router it is about, if one, and the text.
pub(crate) fn event_text(plan: &Plan, engine: &Engine, event: &Event) -> (Option<RouterId>, String) {
    let host = |address: &IpAddr| plan.host_name(*address);
    let link = |id: &LinkId| engine.links().get(id.0 as usize).map_or("?", |name| name).to_owned();
    match event {
        Event::StateChanged { router, from, to, cause } => {
            let text = format!("{} -> {}, {}", state(*from), state(*to), cause_text(plan, *cause));
            (Some(*router), text)
        }
        Event::FaultRaised { router, reason } => (Some(*router), format!("fault: {}", reason_text(reason, &link))),
        Event::FaultCleared { router, reason } => {
            (Some(*router), format!("no fault any more: {}", reason_text(reason, &link)))
        }
        Event::LowerPriorityIgnored { router, from, priority } => {
            (Some(*router), format!("ignores {}: lower priority {priority}", host(from)))
        }
        Event::LosingAdvertisementAnswered { router, from, priority, ours } => {
            (Some(*router), format!("answers {}: priority {priority}, ours {ours}", host(from)))
        }
        Event::OwnerConflict { router, from } => {
            (Some(*router), format!("conflict: {} owns the addresses too", host(from)))
        }
        Event::ResignationHeard { router, from } => (Some(*router), format!("hears {} resign", host(from))),
        Event::Resigned { router } => (Some(*router), "resigns".to_owned()),
        Event::ActiveRouterChanged { router, from, to } => {
            let before = from.map_or(String::new(), |from| format!(", no longer {}", plan.host_name(from)));
            (Some(*router), format!("follows {}{before}", host(to)))
        }
        Event::IntervalLearned { router, from, to } => {
            (Some(*router), format!("learns an interval of {to}, no longer {from}"))
        }
        Event::PriorityChanged { router, from, to } => (Some(*router), format!("effective priority {from} -> {to}")),
        Event::Discarded { router, from, reason } => {
            (Some(*router), format!("discards from {}: {}", host(from), discard_text(*reason)))
        }
        Event::Odd { router, from, oddity } => {
            (Some(*router), format!("accepts from {} although {}", host(from), oddity_text(*oddity)))
        }
        Event::AddressesWanted { router } => (Some(*router), "wants its addresses".to_owned()),
        Event::AddressesReleased { router } => (Some(*router), "releases its addresses".to_owned()),
        Event::Announcing { router, link: on, address } => {
            (Some(*router), format!("announces {address} on {}", link(on)))
        }
        Event::Overslept { router, late } => (Some(*router), format!("overslept by {}", span_text(*late))),
        Event::SendFailed { router, error } => (Some(*router), format!("cannot send: error {error}")),
        Event::ScriptReturned { script, outcome } => (None, format!("check {script} {}", outcome_text(*outcome))),
        Event::ScriptSucceeded { script } => (None, format!("check {script} is good")),
        Event::ScriptFailed { script, .. } => (None, format!("check {script} has failed")),
        Event::ScriptTimedOut { script, timeout } => {
            (None, format!("check {script} takes longer than {}", span_text(*timeout)))
        }
        Event::ScriptSkipped { script } => (None, format!("check {script} still runs, next run left out")),
        Event::NumberChanged { tracker, from, to } => (None, format!("{} {from} -> {to}", tracked(tracker))),
        Event::QuorumChanged { tracker, held, count } => {
            let verdict = if *held { "good" } else { "not good" };
            (None, format!("{} are {count}, {verdict}", tracked(tracker)))
        }
        Event::LinkChanged { link: which, condition } => {
            let word = match condition {
                LinkCondition::Absent => "absent",
                LinkCondition::Down => "down",
                LinkCondition::Deaf => "deaf",
                LinkCondition::Up => "up",
            };
            (None, format!("sees {} {word}", link(which)))
        }
        Event::GroupChanged { group, kind } => (None, format!("group {group} is {}", kind_word(*kind))),
        Event::ServiceChanged { .. }
        | Event::ServiceFailed { .. }
        | Event::ServiceLingers { .. }
        | Event::ReadinessChanged { .. }
        | Event::ServiceUnknown { .. }
        | Event::PeerHeard { .. }
        | Event::PeerSilent { .. }
        | Event::PeerStopped { .. }
        | Event::PathChanged { .. }
        | Event::BatonDiscarded { .. }
        | Event::HandoverBegun { .. }
        | Event::HandoverEnded { .. }
        | Event::HandoverFailed { .. }
        | Event::HandoverUnordered { .. }
        | Event::DualActive { .. }
        | Event::AdvertisementsUnheard { .. }
        | Event::PeerDeaf { .. }
        | Event::PathOneWay { .. }
        | Event::ConfigurationDiffers { .. }
        | Event::NoCounterpart { .. }
        | Event::Latched { .. }
        | Event::Unlatched
        | Event::MaintenanceBegun { .. }
        | Event::MaintenanceEnded { .. }
        | Event::Held { .. }
        | Event::Released { .. }
        | Event::RecordDamaged { .. } => service::event_text(event),
    }
}

/// The words for a notice.
pub(crate) fn notice_text(notice: &Notice) -> String {
    format!("notifies {} {}", kind_word(notice.kind), notice.priority)
}

/// As scripts are told.
const fn kind_word(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Active => "MASTER",
        NoticeKind::Backup => "BACKUP",
        NoticeKind::Fault => "FAULT",
        NoticeKind::Stop => "STOP",
        NoticeKind::Deleted => "DELETED",
        NoticeKind::ActiveHeardLowerPriority => "MASTER_RX_LOWER_PRI",
    }
}

fn state(name: StateName) -> &'static str {
    match name {
        StateName::Initialize => "Initialize",
        StateName::Backup => "Backup",
        StateName::Active => "Active",
    }
}

fn cause_text(plan: &Plan, cause: Cause) -> String {
    match cause {
        Cause::Started => "started".to_owned(),
        Cause::ActiveDownTimer => "nobody advertised".to_owned(),
        Cause::ActiveResigned => "the Active router resigned".to_owned(),
        Cause::AddressOwner => "owns the addresses".to_owned(),
        Cause::HigherPriority { from, priority } => format!("{} has priority {priority}", plan.host_name(from)),
        Cause::HigherAddress { from, priority } => {
            format!("{} has priority {priority} too and a higher address", plan.host_name(from))
        }
        Cause::Fault => "fault".to_owned(),
        Cause::FaultsCleared => "no fault left".to_owned(),
        Cause::Overslept => "overslept".to_owned(),
        Cause::HandedOver => "handed over".to_owned(),
        Cause::Resumed => "resumed".to_owned(),
        Cause::PeerSilent => "peer silent".to_owned(),
        Cause::LetGo => "let go".to_owned(),
        Cause::PeerStays => "peer stays".to_owned(),
        Cause::Stopped => "stopped".to_owned(),
    }
}

fn reason_text(reason: &FaultReason, link: &dyn Fn(&LinkId) -> String) -> String {
    match reason {
        FaultReason::LinkAbsent(id) => format!("{} absent", link(id)),
        FaultReason::LinkDown(id) => format!("{} down", link(id)),
        FaultReason::NoPrimaryAddress => "no address to send from".to_owned(),
        FaultReason::PrimaryAddressTentative => "address to send from not there yet".to_owned(),
        FaultReason::StaticMissing(name) => format!("group {name} incomplete"),
        FaultReason::NoPeer => "no peer".to_owned(),
        FaultReason::ScriptFailed(name) => format!("check {name} failed"),
        FaultReason::ScriptPending(name) => format!("check {name} has not run"),
        FaultReason::Tracked(tracker) => tracked(tracker),
        FaultReason::Member(name) => format!("{name} of its group is kept out"),
        FaultReason::ServiceFailed(name) => format!("service {name} failed"),
        FaultReason::Latched(name) => format!("service {name} latched"),
    }
}

fn tracked(tracker: &TrackerName) -> String {
    format!("{} {}", kind_text(tracker.kind), tracker.name)
}

fn outcome_text(outcome: ScriptOutcome) -> String {
    match outcome {
        ScriptOutcome::ProbeFailed(ProbeFailure::System(error)) => format!("finds error {error}"),
        ScriptOutcome::ProbeFailed(ProbeFailure::HttpStatus(status)) => format!("finds HTTP status {status}"),
        ScriptOutcome::ProbeFailed(ProbeFailure::Nonsense) => "finds nonsense".to_owned(),
        ScriptOutcome::ProbeFailed(ProbeFailure::TooOld(seconds)) => format!("finds a file {seconds} s old"),
        ScriptOutcome::ProbeFailed(ProbeFailure::NoProcess) => "finds no process".to_owned(),
        ScriptOutcome::Exited(status) => format!("returns {status}"),
        ScriptOutcome::Signalled(signal) => format!("ended by signal {signal}"),
        ScriptOutcome::NotStarted(error) => format!("cannot be started: error {error}"),
        ScriptOutcome::NotLooked(error) => format!("cannot be made: error {error}"),
    }
}

fn discard_text(reason: Discard) -> &'static str {
    match reason {
        Discard::UnexpectedAuthenticationHeader => "unexpected authentication header",
        Discard::Length => "wrong length",
        Discard::Ttl => "TTL is not 255",
        Discard::Version => "wrong version",
        Discard::TrailerMissing => "not signed",
        Discard::TrailerMalformed => "no signature",
        Discard::TrailerKeyUnknown => "signed with an unknown key",
        Discard::TrailerInvalid => "wrong signature",
        Discard::TrailerStale => "signed at another time",
        Discard::TrailerReplayed => "heard before",
        Discard::AuthenticationTypeInvalid => "authentication type does not exist",
        Discard::AuthenticationTypeMismatch => "another authentication type",
        Discard::AuthenticationFailure => "wrong password",
        Discard::AuthenticationHeaderReplayed => "number of the header heard before",
        Discard::AdvertisementInterval => "another advertisement interval",
        Discard::Type => "not an advertisement",
        Discard::Checksum => "wrong checksum",
        Discard::TransportMismatch => "multicast instead of unicast or the reverse",
        Discard::OwnAddress => "our own address",
        Discard::UnknownPeer => "not a peer",
        Discard::PeerTtl => "not its peer's TTL",
        Discard::OwnerIgnoresOthers => "we own the addresses",
    }
}

fn oddity_text(oddity: Oddity) -> String {
    match oddity {
        Oddity::AddressCount { received, expected } => {
            format!("it lists {received} addresses instead of {expected}")
        }
        Oddity::AddressMissing(address) => format!("it does not list {address}"),
        Oddity::AdvertisementInterval => "its interval is another one".to_owned(),
    }
}
