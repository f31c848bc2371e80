//! Outputs, events and counters in the words of timelines.

use std::fmt::Write as _;

use tanist_engine::vrrp::receive::Discard;
use tanist_engine::wire::Sequence;
use tanist_engine::{
    Cause, Desired, Engine, Event, FaultReason, LinkId, Output, Record, RouterId, RouterView, ScriptView, ServiceView,
    TrackerKind, TrackerName,
};

/// All reasons, in the order of their counters.
pub(crate) const DISCARDS: [Discard; Discard::COUNT] = [
    Discard::UnexpectedAuthenticationHeader,
    Discard::Length,
    Discard::Ttl,
    Discard::Version,
    Discard::TrailerMissing,
    Discard::TrailerMalformed,
    Discard::TrailerKeyUnknown,
    Discard::TrailerInvalid,
    Discard::TrailerStale,
    Discard::TrailerReplayed,
    Discard::AuthenticationTypeInvalid,
    Discard::AuthenticationTypeMismatch,
    Discard::AuthenticationFailure,
    Discard::AuthenticationHeaderReplayed,
    Discard::AdvertisementInterval,
    Discard::Type,
    Discard::Checksum,
    Discard::TransportMismatch,
    Discard::OwnAddress,
    Discard::UnknownPeer,
    Discard::PeerTtl,
    Discard::OwnerIgnoresOthers,
];

/// All kinds, in the order of their counters.
const ODDITIES: [&str; 3] = ["AddressCount", "AddressMissing", "AdvertisementInterval"];

/// One output as one line, without quotation marks, which would end the timeline.
pub(crate) fn output(engine: &Engine, output: &Output) -> String {
    words_of(engine, output).replace('"', "")
}

fn words_of(engine: &Engine, output: &Output) -> String {
    match output {
        Output::Advertise { router: id, priority, sequence: 0 } => {
            format!("{} advertise {priority}", router(engine, *id))
        }
        Output::Advertise { router: id, priority, sequence } if *sequence <= u64::from(u32::MAX) => {
            format!("{} advertise {priority} number {sequence}", router(engine, *id))
        }
        Output::Advertise { router: id, priority, sequence } => {
            let sequence = Sequence::from_number(*sequence);
            format!("{} advertise {priority} sealed {sequence:?}", router(engine, *id))
        }
        Output::DesiredChanged => desired(engine),
        Output::Announce { link: id, address } => format!("announce {} {address}", link(engine, *id)),
        Output::RunScript { script } => format!("run {script}"),
        Output::EndScript { script, how } => format!("end {script} {how:?}"),
        Output::Notify(notice) => {
            format!("{} notify {:?} {}", router(engine, notice.router), notice.kind, notice.priority)
        }
        Output::NotifyGroup { group, kind } => format!("{group} notify {kind:?}"),
        Output::Tell(told) => event(engine, told),
        Output::Service { service, order } => format!("{service} {order:?}"),
        Output::RunHook(call) => format!("{} hook {:?} {:?} epoch {}", call.service, call.hook, call.role, call.epoch),
        // What it says is shown where the other node hears it.
        Output::SendBaton { path, .. } => format!("say {path}"),
        Output::Save(record) => saved(record),
        Output::Answer { number, answer } => format!("answer {number} {answer:?}"),
        Output::Stopped => "stopped".to_owned(),
    }
}

fn saved(record: &Record) -> String {
    let mut line = "save".to_owned();
    for router in &record.routers {
        let _ = write!(line, " {} epoch {}", router.name, router.epoch);
        if router.active {
            line.push_str(" active");
        }
        for by in &router.held_by {
            let _ = write!(line, " held by {by:?}");
        }
    }
    if record.latch_number > 0 || record.acknowledged > 0 {
        let _ = write!(line, " latches {}/{}", record.acknowledged, record.latch_number);
    }
    if let Some(latch) = &record.latch {
        let _ = write!(line, " latched {:?}", latch.reason);
    }
    if let Some(maintenance) = &record.maintenance {
        let _ = write!(line, " maintenance until {:?}", maintenance.until);
    }
    line
}

/// One service at one moment as one line.
pub(crate) fn service(view: &ServiceView) -> String {
    let mut line = format!("{} is {:?}", view.name, view.state);
    if view.wanted {
        line.push_str(" wanted");
    }
    if let Some(healthy) = view.healthy {
        line.push_str(if healthy { " well" } else { " ill" });
    }
    match &view.readiness {
        Some(Ok(())) => line.push_str(" ready"),
        Some(Err(reason)) => {
            let _ = write!(line, " unready: {reason}");
        }
        None => {}
    }
    let _ = write!(line, " restarts {} moves {}", view.restarts, view.moves);
    line
}

/// One check at one moment as one line.
pub(crate) fn check(view: &ScriptView) -> String {
    let verdict = match view.good {
        None => "open",
        Some(true) => "good",
        Some(false) => "bad",
    };
    let mut line = format!("{} is {verdict} at {}", view.name, view.counter);
    if let Some(outcome) = view.last_outcome {
        let _ = write!(line, " after {outcome:?}");
    }
    if let Some(since) = view.running_since {
        let _ = write!(line, " runs since {since}");
    }
    if view.rests {
        line.push_str(" rests");
    }
    line
}

/// What should be in the kernel.
fn desired(engine: &Engine) -> String {
    let mut line = "desired".to_owned();
    let desired = engine.desired();
    for wanted in &desired.addresses {
        let _ = write!(line, " {}/{}@{}", wanted.address, wanted.prefix, link(engine, wanted.link));
    }
    for wanted in &desired.routes {
        let _ = write!(line, " route {}", wanted.route);
    }
    for wanted in &desired.rules {
        let _ = write!(line, " rule {}", wanted.rule.preference);
    }
    if desired == Desired::default() {
        line.push_str(" nothing");
    }
    line
}

fn event(engine: &Engine, event: &Event) -> String {
    let router = |id: &RouterId| router(engine, *id);
    let link = |id: &LinkId| link(engine, *id);
    match event {
        Event::StateChanged { router: id, from, to, cause } => {
            format!("{} {from:?} -> {to:?}: {}", router(id), self::cause(cause))
        }
        Event::FaultRaised { router: id, reason } => format!("{} fault: {}", router(id), fault(engine, reason)),
        Event::FaultCleared { router: id, reason } => format!("{} fault gone: {}", router(id), fault(engine, reason)),
        Event::LowerPriorityIgnored { router: id, from, priority } => {
            format!("{} ignores {priority} from {from}", router(id))
        }
        Event::LosingAdvertisementAnswered { router: id, from, priority, ours } => {
            format!("{} answers {priority} from {from} with {ours}", router(id))
        }
        Event::OwnerConflict { router: id, from } => format!("{} owner conflict with {from}", router(id)),
        Event::ResignationHeard { router: id, from } => format!("{} hears {from} resign", router(id)),
        Event::Resigned { router: id } => format!("{} resigned", router(id)),
        Event::ActiveRouterChanged { router: id, from: Some(from), to } => {
            format!("{} follows {to} after {from}", router(id))
        }
        Event::ActiveRouterChanged { router: id, from: None, to } => format!("{} follows {to}", router(id)),
        Event::IntervalLearned { router: id, from, to } => format!("{} learns interval {to} after {from}", router(id)),
        Event::PriorityChanged { router: id, from, to } => format!("{} priority {from} -> {to}", router(id)),
        Event::Discarded { router: id, from, reason } => format!("{} discards {reason:?} from {from}", router(id)),
        Event::Odd { router: id, from, oddity } => format!("{} finds {oddity:?} odd from {from}", router(id)),
        Event::AddressesWanted { router: id } => format!("{} wants its addresses", router(id)),
        Event::AddressesReleased { router: id } => format!("{} releases its addresses", router(id)),
        Event::Announcing { router: id, link: on, address } => {
            format!("{} announcing {} {address}", router(id), link(on))
        }
        Event::Overslept { router: id, late } => format!("{} overslept by {late:?}", router(id)),
        Event::SendFailed { router: id, error } => format!("{} could not send: error {error}", router(id)),
        Event::ScriptReturned { script, outcome } => format!("{script} returned {outcome:?}"),
        Event::ScriptSucceeded { script } => format!("{script} succeeded"),
        Event::ScriptFailed { script, outcome: Some(outcome) } => format!("{script} failed: {outcome:?}"),
        Event::ScriptFailed { script, outcome: None } => format!("{script} failed: took too long"),
        Event::ScriptTimedOut { script, timeout } => format!("{script} timed out after {timeout:?}"),
        Event::ScriptSkipped { script } => format!("{script} skipped"),
        Event::NumberChanged { tracker, from, to } => format!("{} {from} -> {to}", figure(tracker)),
        Event::QuorumChanged { tracker, held, count } => {
            format!("{} quorum {} with {count}", figure(tracker), if *held { "held" } else { "lost" })
        }
        Event::LinkChanged { link: which, condition } => format!("{} {condition:?}", link(which)),
        Event::ServiceChanged { service, from, to, cause } => format!("{service} {from:?} -> {to:?}: {cause:?}"),
        Event::ServiceFailed { service, failure, remedy } => format!("{service} failed: {failure:?}: {remedy:?}"),
        // The rest is as rare here as it is plain.
        other => format!("{other:?}"),
    }
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::HigherPriority { from, priority } => format!("HigherPriority {priority} from {from}"),
        Cause::HigherAddress { from, priority } => format!("HigherAddress {priority} from {from}"),
        Cause::Started
        | Cause::ActiveDownTimer
        | Cause::ActiveResigned
        | Cause::AddressOwner
        | Cause::Fault
        | Cause::FaultsCleared
        | Cause::Overslept
        | Cause::HandedOver
        | Cause::Resumed
        | Cause::PeerSilent
        | Cause::LetGo
        | Cause::PeerStays
        | Cause::Stopped => format!("{cause:?}"),
    }
}

fn fault(engine: &Engine, reason: &FaultReason) -> String {
    match reason {
        FaultReason::LinkAbsent(id) => format!("LinkAbsent {}", link(engine, *id)),
        FaultReason::LinkDown(id) => format!("LinkDown {}", link(engine, *id)),
        FaultReason::Member(name) => format!("Member {name}"),
        FaultReason::NoPrimaryAddress => "NoPrimaryAddress".to_owned(),
        FaultReason::PrimaryAddressTentative => "PrimaryAddressTentative".to_owned(),
        FaultReason::StaticMissing(group) => format!("StaticMissing {group}"),
        FaultReason::NoPeer => "NoPeer".to_owned(),
        FaultReason::ScriptFailed(script) => format!("ScriptFailed {script}"),
        FaultReason::ScriptPending(script) => format!("ScriptPending {script}"),
        FaultReason::Tracked(tracker) => format!("Tracked {}", figure(tracker)),
        FaultReason::ServiceFailed(service) => format!("ServiceFailed {service}"),
        FaultReason::Latched(service) => format!("Latched {service}"),
    }
}

fn figure(tracker: &TrackerName) -> String {
    let kind = match tracker.kind {
        TrackerKind::File => "file",
        TrackerKind::Process => "process",
    };
    format!("{kind} {}", tracker.name)
}

/// One router at one moment as one line.
pub(crate) fn view(engine: &Engine, view: &RouterView) -> String {
    let mut line = format!("{} is {:?} priority {}/{}", view.name, view.state, view.effective_priority, view.priority);
    if let Some((address, priority)) = view.active_router {
        let _ = write!(line, " follows {address} {priority}");
    }
    let _ = write!(line, " interval {}", view.active_adver_interval);
    if let Some(at) = view.active_down_at {
        let _ = write!(line, " down at {at}");
    }
    for reason in &view.faults {
        let _ = write!(line, " fault {}", fault(engine, reason));
    }
    if let Some(form) = view.peer_checksum_form {
        let _ = write!(line, " peer sums {form:?}");
    }
    line
}

/// Counters that are not zero, as one line.
pub(crate) fn counters(view: &RouterView) -> String {
    let counted = &view.statistics;
    let mut line = format!("{} counts", view.name);
    let named = [
        ("received", counted.advertisements_received),
        ("sent", counted.advertisements_sent),
        ("became", counted.became_active),
        ("released", counted.released_active),
        ("zero-received", counted.priority_zero_received),
        ("zero-sent", counted.priority_zero_sent),
        ("send-failures", counted.send_failures),
    ];
    for (name, count) in named.iter().filter(|(_, count)| *count > 0) {
        let _ = write!(line, " {name} {count}");
    }
    for (reason, count) in DISCARDS.iter().zip(counted.discarded).filter(|(_, count)| *count > 0) {
        let _ = write!(line, " {reason:?} {count}");
    }
    for (kind, count) in ODDITIES.iter().zip(counted.odd).filter(|(_, count)| *count > 0) {
        let _ = write!(line, " odd {kind} {count}");
    }
    line
}

fn router(engine: &Engine, id: RouterId) -> &str {
    engine.router(id).map_or("(unknown router)", |router| &router.name)
}

fn link(engine: &Engine, id: LinkId) -> &str {
    engine.links().get(id.0 as usize).map_or("(unknown link)", |name| name)
}
