//! The words for services, hand-overs and the pair.

use std::time::Duration;

use engine::{
    Answer, BatonDiscard, Ending, Event, HandoverReason, HeldBy, Hook, HookCall, LatchReason, RefusedCommand, Remedy,
    RouterId, ServiceCause, ServiceFailure, ServiceOrder, ServiceStateName, Unheard,
};

use crate::plan::measure::span_text;

/// The words for an event of a service or of the pair; nothing for the others, which have theirs one storey up.
pub(super) fn event_text(event: &Event) -> (Option<RouterId>, String) {
    let of_router = |router: &RouterId, text: String| (Some(*router), text);
    match event {
        Event::ServiceChanged { service, from, to, cause } => {
            (None, format!("service {service}: {} -> {}, {}", state(*from), state(*to), cause_text(cause)))
        }
        Event::ServiceFailed { service, failure, remedy } => {
            (None, format!("service {service} failed: {}; {}", failure_text(failure), remedy_text(*remedy)))
        }
        Event::ServiceLingers { service, since } => {
            (None, format!("service {service} lingers for {}", span_text(*since)))
        }
        Event::ReadinessChanged { service, readiness: Ok(()) } => (None, format!("service {service} could start")),
        Event::ReadinessChanged { service, readiness: Err(reason) } => {
            (None, format!("service {service} could not start: {reason}"))
        }
        Event::ServiceUnknown { service, reason: Some(reason) } => {
            (None, format!("service {service} is out of sight: {reason}"))
        }
        Event::ServiceUnknown { service, reason: None } => (None, format!("service {service} is in sight again")),
        Event::PeerHeard { node, restarted } => {
            let more = if *restarted { ", which began a new life" } else { "" };
            (None, format!("hears its peer {node}{more}"))
        }
        Event::PeerSilent { node, silence } => (None, format!("peer {node} silent for {}", span_text(*silence))),
        Event::PeerStopped { node } => (None, format!("peer {node} stopped in order")),
        Event::PathChanged { path, works } => {
            (None, format!("path {path} {}", if *works { "works" } else { "silent" }))
        }
        Event::BatonDiscarded { path, reason } => (None, format!("discards on path {path}: {}", baton_text(*reason))),
        Event::HandoverBegun { router, to_us, reason } => {
            of_router(router, format!("hand-over to {} begins: {}", side(*to_us), reason_text(*reason)))
        }
        Event::HandoverEnded { router, to_us, outage, overlap } => {
            let (outage, overlap) = (rounded(*outage), rounded(*overlap));
            of_router(router, format!("hand-over to {} done: outage {outage}, overlap {overlap}", side(*to_us)))
        }
        Event::HandoverFailed { router, reason } => of_router(router, format!("hand-over failed: {}", refusal(reason))),
        Event::HandoverUnordered { router } => of_router(router, "hand-over without order".to_owned()),
        Event::DualActive { router, we_stay } => {
            let who = if *we_stay { "this node stays" } else { "the peer stays" };
            of_router(router, format!("both were Active: {who}"))
        }
        Event::AdvertisementsUnheard { router, here, why } => {
            let (who, why) = if *here { ("here", why) } else { ("by the peer", why) };
            of_router(router, format!("advertisements are not heard {who}: {}", unheard_text(why)))
        }
        Event::PeerDeaf { node } => (None, format!("peer {node} does not hear this node")),
        Event::PathOneWay { path, here } => {
            let who = if *here { "this node hears" } else { "the peer hears" };
            (None, format!("path {path} one-way: only {who}"))
        }
        Event::ConfigurationDiffers { router, service, terms } => {
            let what = service.as_ref().map_or_else(String::new, |service| format!(" about {service}"));
            let text = if terms.is_empty() { "alike".to_owned() } else { format!("differently, in {terms:?}") };
            of_router(router, format!("is told{what} and its peer {text}"))
        }
        Event::NoCounterpart { router } => of_router(router, "peer has no such router".to_owned()),
        Event::Latched { service, reason, node } => {
            (None, format!("latched by {node} for service {service}: {}", latch_text(*reason)))
        }
        Event::Unlatched => (None, "unlatched".to_owned()),
        Event::MaintenanceBegun { span: Some(span), node } => {
            (None, format!("maintenance begins for {}, asked on {node}", span_text(*span)))
        }
        Event::MaintenanceBegun { span: None, node } => (None, format!("maintenance begins, asked on {node}")),
        Event::MaintenanceEnded { expired } => {
            (None, format!("maintenance ends{}", if *expired { " by itself" } else { "" }))
        }
        Event::Held { router, by } => of_router(router, format!("stands back: {}", held_text(*by))),
        Event::Released { router, by } => of_router(router, format!("stands back no longer: {}", held_text(*by))),
        Event::RecordDamaged { reason } => (None, format!("record damaged: {reason}")),
        other => (None, format!("{other:?}")),
    }
}

fn unheard_text(why: &Unheard) -> String {
    match why {
        Unheard::OtherVrid { ours, theirs } => format!("VRID {theirs} there, {ours} here"),
        Unheard::Discarded(reason) => format!("discarded, {}", super::discard_text(*reason)),
        Unheard::SentElsewhere(to) => format!("sent to {to}"),
        Unheard::OneWay => "one-way".to_owned(),
        Unheard::Lost => "lost".to_owned(),
    }
}

/// The words for what a manager is told.
pub(crate) fn order_text(service: &str, order: ServiceOrder) -> String {
    let word = match order {
        ServiceOrder::Watch => "watch",
        ServiceOrder::Start => "start",
        ServiceOrder::Stop => "stop",
        ServiceOrder::Kill => "kill",
        ServiceOrder::AssessReadiness => "could it start",
        ServiceOrder::Forget => "forget",
    };
    format!("order: {word} {service}")
}

/// The words for a hook that is run.
pub(crate) fn hook_text(call: &HookCall) -> String {
    let what = match call.hook {
        Hook::RoleChanged => format!("{:?} -> {:?}", call.previous_role, call.role),
        Hook::TakenOver => "taken over".to_owned(),
        Hook::WhileActive(which) => format!("while active {which}"),
    };
    format!("hook of {}: {what}, epoch {}", call.service, call.epoch)
}

/// The words for what becomes of a command.
pub(crate) fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Done => "answers the operator: done".to_owned(),
        Answer::Begun => "answers the operator: begun".to_owned(),
        Answer::Would { at_most } => format!("answers the operator: would take at most {}", span_text(*at_most)),
        Answer::Refused(reason) => format!("answers the operator: no, {}", refusal(reason)),
    }
}

fn state(name: ServiceStateName) -> &'static str {
    match name {
        ServiceStateName::Unknown => "unknown",
        ServiceStateName::Stopped => "stopped",
        ServiceStateName::Starting => "starting",
        ServiceStateName::Running => "running",
        ServiceStateName::Stopping => "stopping",
    }
}

fn cause_text(cause: &ServiceCause) -> String {
    match cause {
        ServiceCause::Found => "found so".to_owned(),
        ServiceCause::Role => "as the role wants".to_owned(),
        ServiceCause::Removed => "no longer configured".to_owned(),
        ServiceCause::Done => "as told".to_owned(),
        ServiceCause::Restart => "once more".to_owned(),
        ServiceCause::Ended(ending) => ending_text(ending),
        ServiceCause::StoppedByHand => "stopped by hand".to_owned(),
        ServiceCause::StartedByHand => "started by hand".to_owned(),
        ServiceCause::Refused(reason) => format!("refused: {reason}"),
        ServiceCause::CheckFailed(check) => format!("check {check} failed"),
        ServiceCause::TimedOut => "took too long".to_owned(),
    }
}

fn failure_text(failure: &ServiceFailure) -> String {
    match failure {
        ServiceFailure::Ended(ending) => ending_text(ending),
        ServiceFailure::CheckFailed(check) => format!("check {check} failed"),
        ServiceFailure::StartRefused(reason) => format!("start refused: {reason}"),
        ServiceFailure::StartTimedOut => "did not come up".to_owned(),
        ServiceFailure::StoppedByHand => "stopped by hand".to_owned(),
    }
}

fn ending_text(ending: &Ending) -> String {
    match ending {
        Ending::NotRunning => "does not run".to_owned(),
        Ending::Exited(status) => format!("exit status {status}"),
        Ending::Signalled(signal) => format!("signal {signal}"),
        Ending::Said(text) => text.to_string(),
    }
}

fn remedy_text(remedy: Remedy) -> String {
    match remedy {
        Remedy::Restart { attempt, of, after } if after.is_zero() => format!("restart {attempt} of {of}"),
        Remedy::Restart { attempt, of, after } => format!("restart {attempt} of {of} in {}", span_text(after)),
        Remedy::Move => "the role moves".to_owned(),
        Remedy::StayAndRetry { after } => format!("once more here in {}", span_text(after)),
        Remedy::Nothing => "nothing is done".to_owned(),
    }
}

fn baton_text(reason: BatonDiscard) -> &'static str {
    match reason {
        BatonDiscard::Malformed => "malformed",
        BatonDiscard::BadSeal => "wrong seal",
        BatonDiscard::Replayed => "heard before",
        BatonDiscard::Ourselves => "our own",
    }
}

fn reason_text(reason: HandoverReason) -> &'static str {
    match reason {
        HandoverReason::Operator => "the operator says so",
        HandoverReason::ServiceFailed => "the service failed",
        HandoverReason::Failback => "failback",
        HandoverReason::Leaving => "leaving",
        HandoverReason::Held => "that node stands back",
    }
}

fn refusal(reason: &RefusedCommand) -> String {
    match reason {
        RefusedCommand::NoSuchRouter => "there is no such router".to_owned(),
        RefusedCommand::PeerSilent => "the peer is silent".to_owned(),
        RefusedCommand::NoPeer => "there is no peer".to_owned(),
        RefusedCommand::NotReady(reason) => format!("not ready: {reason}"),
        RefusedCommand::NotStandby => "no standby there".to_owned(),
        RefusedCommand::NobodyActive => "nobody is active".to_owned(),
        RefusedCommand::Latched => "latched".to_owned(),
        RefusedCommand::Busy => "busy".to_owned(),
        RefusedCommand::Stopping => "stopping".to_owned(),
    }
}

fn latch_text(reason: LatchReason) -> &'static str {
    match reason {
        LatchReason::BothFailed => "it failed on both nodes",
        LatchReason::TooManyMoves => "it moved too often",
        LatchReason::RecordDamaged => "the record is damaged",
    }
}

fn held_text(by: HeldBy) -> &'static str {
    match by {
        HeldBy::Operator => "operator",
        HeldBy::DownFile => "down file",
    }
}

fn side(to_us: bool) -> &'static str {
    if to_us { "this node" } else { "the peer" }
}

/// To the millisecond, as an operator wants to know it.
fn rounded(span: Duration) -> String {
    span_text(Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}
