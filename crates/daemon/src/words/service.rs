//! What is said about services: facts, numbers, and what happens next.

use std::time::Duration;

use api::span;
use engine::{Ending, LatchReason, Name, Remedy, ServiceCause, ServiceFailure, ServiceStateName};
use linux::system_log::Severity;

use super::{Line, line};

/// An operator's word for a state.
pub(crate) fn state_word(state: ServiceStateName) -> &'static str {
    match state {
        ServiceStateName::Unknown => "unknown",
        ServiceStateName::Stopped => "stopped",
        ServiceStateName::Starting => "starting",
        ServiceStateName::Running => "running",
        ServiceStateName::Stopping => "stopping",
    }
}

pub(super) fn changed(service: &Name, from: ServiceStateName, to: ServiceStateName, cause: &ServiceCause) -> Vec<Line> {
    use Severity::{Notice, Warning};
    let state = match to {
        ServiceStateName::Unknown => "is in a state that nobody knows",
        ServiceStateName::Stopped => "is stopped",
        ServiceStateName::Starting => "is being started",
        ServiceStateName::Running => "is running",
        ServiceStateName::Stopping => "is being stopped",
    };
    let (severity, why) = match cause {
        ServiceCause::Found => (Notice, ", as it was found".to_owned()),
        ServiceCause::Role => match to {
            ServiceStateName::Starting | ServiceStateName::Running => (Notice, ": this node has the role".to_owned()),
            ServiceStateName::Unknown | ServiceStateName::Stopped | ServiceStateName::Stopping => {
                (Notice, ": this node does not have the role".to_owned())
            }
        },
        ServiceCause::Removed => (Notice, ": the configuration no longer has it here".to_owned()),
        ServiceCause::Done if to == ServiceStateName::Stopped => (Notice, ", nothing of it runs any more".to_owned()),
        ServiceCause::Done => (Notice, String::new()),
        ServiceCause::Restart => (Notice, " again".to_owned()),
        ServiceCause::Ended(how) => (Warning, format!(": {}", ending(how))),
        ServiceCause::StoppedByHand => (Notice, ": stopped by hand".to_owned()),
        ServiceCause::StartedByHand => (Notice, ": somebody else started it".to_owned()),
        ServiceCause::Refused(reason) => {
            let what = if from == ServiceStateName::Stopping { "stop" } else { "start" };
            (Warning, format!(": it could not be told to {what}: {reason}"))
        }
        ServiceCause::CheckFailed(check) => (Warning, format!(": check {check} failed")),
        ServiceCause::TimedOut => (Warning, format!(": it took too long while {}", state_word(from))),
    };
    line(severity, format!("Service {service} {state}{why}"))
}

pub(super) fn failed(service: &Name, failure: &ServiceFailure, remedy: Remedy) -> Vec<Line> {
    let next = match remedy {
        Remedy::Restart { attempt, of, after } if after.is_zero() => {
            format!("it is restarted here ({attempt} of {of})")
        }
        Remedy::Restart { attempt, of, after } => {
            format!("it is restarted here in {} ({attempt} of {of})", span(after))
        }
        Remedy::Move => "the role moves to the other node".to_owned(),
        Remedy::StayAndRetry { after } => {
            format!("no other node could do better, it is started again here in {}", span(after))
        }
        Remedy::Nothing => "nothing is done, because of maintenance".to_owned(),
    };
    line(Severity::Error, format!("Service {service} failed: {}; {next}", failure_words(failure)))
}

pub(super) fn lingers(service: &Name, since: Duration) -> Vec<Line> {
    let since = span(since);
    line(
        Severity::Error,
        format!(
            "Service {service} has not ended {since} after it was told to; it is killed, and handed over only when it \
             is gone"
        ),
    )
}

pub(super) fn readiness_changed(service: &Name, readiness: &Result<(), Name>) -> Vec<Line> {
    match readiness {
        Ok(()) => line(Severity::Notice, format!("Service {service} could be started on this node")),
        Err(reason) => {
            line(Severity::Warning, format!("Service {service} could not be started on this node: {reason}"))
        }
    }
}

pub(super) fn unknown(service: &Name, reason: Option<&Name>) -> Vec<Line> {
    match reason {
        Some(reason) => line(Severity::Error, format!("Service {service}: nobody can tell whether it runs: {reason}")),
        None => line(Severity::Notice, format!("Service {service}: it is known again whether it runs")),
    }
}

pub(super) fn latched(service: &Name, reason: LatchReason, node: &Name) -> Vec<Line> {
    let why = latch_words(service, reason);
    line(Severity::Critical, format!("Latched by {node}: {why}; nothing moves by itself until `tanist ack`"))
}

pub(super) fn unlatched() -> Vec<Line> {
    line(Severity::Notice, "An operator has acknowledged: the latch is gone".to_owned())
}

/// How a service failed.
pub(crate) fn failure_words(failure: &ServiceFailure) -> String {
    match failure {
        ServiceFailure::Ended(how) => ending(how),
        ServiceFailure::CheckFailed(check) => format!("check {check} failed"),
        ServiceFailure::StartRefused(reason) => format!("it could not be started: {reason}"),
        ServiceFailure::StartTimedOut => "it did not come up within its start_timeout".to_owned(),
        ServiceFailure::StoppedByHand => "it was stopped by hand".to_owned(),
    }
}

fn ending(how: &Ending) -> String {
    match how {
        Ending::NotRunning => "it does not run".to_owned(),
        Ending::Exited(status) => format!("it ended with exit status {status}"),
        Ending::Signalled(signal) => format!("it was ended by signal {signal}"),
        Ending::Said(words) => format!("it ended: {words}"),
    }
}

/// Why nothing floats any more.
pub(crate) fn latch_words(service: &str, reason: LatchReason) -> String {
    match reason {
        LatchReason::BothFailed => format!("service {service} failed on both nodes"),
        LatchReason::TooManyMoves => {
            format!("the role moved as often as max_moves of service {service} allows, because it failed")
        }
        LatchReason::RecordDamaged => "the saved state is damaged, so there may have been a latch".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use engine::Event;

    use super::*;
    use crate::words::tests::check;

    fn nginx() -> Name {
        Name::from("nginx")
    }

    #[test]
    fn a_change_names_its_cause() {
        use ServiceStateName::{Running, Starting, Stopped, Stopping};
        for (from, to, cause, expected) in [
            (Stopped, Starting, ServiceCause::Role, "Service nginx is being started: this node has the role"),
            (Starting, Running, ServiceCause::Done, "Service nginx is running"),
            (Running, Stopping, ServiceCause::Role, "Service nginx is being stopped: this node does not have the role"),
            (Stopping, Stopped, ServiceCause::Done, "Service nginx is stopped, nothing of it runs any more"),
            (
                Running,
                Stopped,
                ServiceCause::Ended(Ending::Signalled(9)),
                "Service nginx is stopped: it was ended by signal 9",
            ),
            (Stopped, Starting, ServiceCause::Restart, "Service nginx is being started again"),
            (
                Starting,
                Stopped,
                ServiceCause::Refused(Name::from("unit not found")),
                "Service nginx is stopped: it could not be told to start: unit not found",
            ),
            (
                Starting,
                Stopping,
                ServiceCause::TimedOut,
                "Service nginx is being stopped: it took too long while starting",
            ),
        ] {
            check(&Event::ServiceChanged { service: nginx(), from, to, cause }, &[expected]);
        }
    }

    #[test]
    fn a_failure_says_what_happens_next() {
        let failed = |failure, remedy| Event::ServiceFailed { service: nginx(), failure, remedy };
        check(
            &failed(
                ServiceFailure::Ended(Ending::Exited(139)),
                Remedy::Restart { attempt: 1, of: 3, after: Duration::ZERO },
            ),
            &["Service nginx failed: it ended with exit status 139; it is restarted here (1 of 3)"],
        );
        check(
            &failed(ServiceFailure::CheckFailed(Name::from("web")), Remedy::Move),
            &["Service nginx failed: check web failed; the role moves to the other node"],
        );
        check(
            &failed(ServiceFailure::StartTimedOut, Remedy::StayAndRetry { after: Duration::from_secs(10) }),
            &["Service nginx failed: it did not come up within its start_timeout; \
               no other node could do better, it is started again here in 10 s"],
        );
    }

    #[test]
    fn readiness_lingering_and_latches_say_what_an_operator_can_do() {
        check(
            &Event::ServiceLingers { service: nginx(), since: Duration::from_secs(12) },
            &[
                "Service nginx has not ended 12 s after it was told to; it is killed, and handed over only when it is gone",
            ],
        );
        check(
            &Event::ReadinessChanged { service: nginx(), readiness: Err(Name::from("port 80 is taken")) },
            &["Service nginx could not be started on this node: port 80 is taken"],
        );
        check(
            &Event::ReadinessChanged { service: nginx(), readiness: Ok(()) },
            &["Service nginx could be started on this node"],
        );
        check(
            &Event::ServiceUnknown { service: nginx(), reason: Some(Name::from("systemd does not answer")) },
            &["Service nginx: nobody can tell whether it runs: systemd does not answer"],
        );
        check(
            &Event::Latched { service: nginx(), reason: LatchReason::BothFailed, node: Name::from("b") },
            &["Latched by b: service nginx failed on both nodes; nothing moves by itself until \
               `tanist ack`"],
        );
        check(&Event::Unlatched, &["An operator has acknowledged: the latch is gone"]);
    }
}
