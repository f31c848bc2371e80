//! What is said about the peer, about hand-overs, and about what operators asked for.

use std::time::Duration;

use api::span;
use engine::{BatonDiscard, HandoverReason, HeldBy, Name, RefusedCommand};
use linux::system_log::Severity;

use super::{Line, line};

/// What two nodes alone can never find out.
pub(crate) const CANNOT_TELL: &str = "two nodes alone cannot tell a dead peer from a cut cable";

/// How a peer is called that may not have said its name yet.
pub(crate) fn peer_name(node: &str) -> &str {
    if node.is_empty() { "the peer" } else { node }
}

pub(super) fn heard(node: &Name, restarted: bool) -> Vec<Line> {
    let again = if restarted { ", it has been started anew" } else { "" };
    line(Severity::Notice, format!("Peer {node} is heard{again}"))
}

pub(super) fn silent(node: &Name, silence: Duration) -> Vec<Line> {
    let (peer, silence) = (peer_name(node), span(silence));
    line(Severity::Warning, format!("Nothing heard of {peer} for {silence}; {CANNOT_TELL}"))
}

pub(super) fn stopped(node: &Name) -> Vec<Line> {
    line(Severity::Notice, format!("Peer {node} has stopped in order, nothing of its services runs there"))
}

pub(super) fn path_changed(path: u32, works: bool) -> Vec<Line> {
    // Operators count from 1.
    let path = u64::from(path) + 1;
    if works {
        line(Severity::Notice, format!("Path {path} to the peer works"))
    } else {
        line(Severity::Warning, format!("Path {path} to the peer is silent, while another one works"))
    }
}

pub(super) fn baton_discarded(path: u32, reason: BatonDiscard) -> Vec<Line> {
    let why = discarded(reason);
    line(Severity::Warning, format!("Message on path {} to the peer discarded: {why}", u64::from(path) + 1))
}

/// Why a message of the pair is not taken.
pub(crate) const fn discarded(reason: BatonDiscard) -> &'static str {
    match reason {
        BatonDiscard::Malformed => "it is no message of this version",
        BatonDiscard::BadSeal => "it was sealed with another key; do both nodes have the same key file?",
        BatonDiscard::Replayed => "it has been heard before",
        BatonDiscard::Ourselves => "it is our own; does this path lead to the peer?",
    }
}

pub(super) fn handover_begun(router: &str, to_us: bool, reason: HandoverReason) -> Vec<Line> {
    let direction = if to_us { "from the peer to this node" } else { "from this node to the peer" };
    line(Severity::Notice, format!("({router}) is handed over {direction}: {}", reason_words(reason)))
}

/// Why a role moves in order.
pub(crate) fn reason_words(reason: HandoverReason) -> &'static str {
    match reason {
        HandoverReason::Operator => "an operator said so",
        HandoverReason::ServiceFailed => "a service failed",
        HandoverReason::Failback => "the better node is back",
        HandoverReason::Leaving => "a node goes out",
        HandoverReason::Held => "a node stands back",
    }
}

pub(super) fn handover_ended(router: &str, to_us: bool, outage: Duration, overlap: Duration) -> Vec<Line> {
    let place = if to_us { "this node" } else { "the peer" };
    let (outage, overlap) = (outage.as_millis(), overlap.as_millis());
    line(Severity::Notice, format!("({router}) {place} is active; outage {outage} ms, overlap {overlap} ms"))
}

pub(super) fn handover_failed(router: &str, reason: &RefusedCommand) -> Vec<Line> {
    line(Severity::Warning, format!("({router}) was not handed over: {}", refusal(reason)))
}

pub(super) fn handover_unordered(router: &str) -> Vec<Line> {
    line(
        Severity::Warning,
        format!(
            "({router}) moves without order: whoever has it next learns by VRRP only, and does not wait for the services \
             here to end"
        ),
    )
}

pub(super) fn dual_active(router: &str, we_stay: bool) -> Vec<Line> {
    let end =
        if we_stay { "this node stays and the peer gives way" } else { "this node stops its services and gives way" };
    line(Severity::Error, format!("({router}) both nodes were active, the pair had been cut; {end}"))
}

pub(super) fn no_counterpart(router: &str) -> Vec<Line> {
    line(
        Severity::Warning,
        format!("({router}) the peer has no instance of this name, so that nothing can be handed over in order"),
    )
}

pub(super) fn maintenance_begun(for_long: Option<Duration>, node: &Name) -> Vec<Line> {
    let until =
        for_long.map_or_else(|| "until `tanist maintenance off`".to_owned(), |long| format!("for {}", span(long)));
    line(Severity::Warning, format!("Maintenance, asked for on {}: nothing happens by itself {until}", peer_name(node)))
}

pub(super) fn maintenance_ended(expired: bool) -> Vec<Line> {
    let how = if expired { ", its time has passed" } else { "" };
    line(Severity::Notice, format!("Maintenance is over{how}"))
}

pub(super) fn held(router: &str, by: HeldBy) -> Vec<Line> {
    let end = match by {
        HeldBy::Operator => "until `tanist release`",
        HeldBy::DownFile => "until it is gone",
    };
    line(Severity::Notice, format!("({router}) this node stands back, {} {end}", held_by(by)))
}

/// Who wants this node to stand back; reads on with "until …".
pub(crate) fn held_by(by: HeldBy) -> &'static str {
    match by {
        HeldBy::Operator => "as an operator wants",
        HeldBy::DownFile => "because of its down_file",
    }
}

pub(super) fn released(router: &str, by: HeldBy) -> Vec<Line> {
    let why = match by {
        HeldBy::Operator => "an operator released it",
        HeldBy::DownFile => "its down_file is gone",
    };
    line(Severity::Notice, format!("({router}) this node no longer stands back: {why}"))
}

pub(super) fn record_damaged(reason: &Name) -> Vec<Line> {
    line(Severity::Error, format!("The saved state cannot be trusted ({reason}); it counts as no permission"))
}

/// Why a command is not done, and what could be done about it.
pub(crate) fn refusal(reason: &RefusedCommand) -> String {
    match reason {
        RefusedCommand::NoSuchRouter => "there is no instance of that name".to_owned(),
        RefusedCommand::PeerSilent => {
            format!("nothing is heard of the peer, so that nobody knows whether it could take over; {CANNOT_TELL}")
        }
        RefusedCommand::NoPeer => {
            "no `pair` is configured, so that nothing can be handed over in order; `tanist hold` makes this node \
             stand back"
                .to_owned()
        }
        RefusedCommand::NotReady(reason) => format!("the service could not be started there: {reason}"),
        RefusedCommand::NotStandby => {
            "that node takes no part at present; `tanist status` says what keeps it out".to_owned()
        }
        RefusedCommand::NobodyActive => "no node is active now, so that there is nothing to hand over".to_owned(),
        RefusedCommand::Latched => "it is latched; `tanist ack` once the cause is mended".to_owned(),
        RefusedCommand::Busy => "another change is under way; try again when it has ended".to_owned(),
        RefusedCommand::Stopping => "the daemon is stopping".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use engine::{Event, RouterId};

    use super::*;
    use crate::words::tests::check;

    const ROUTER: RouterId = RouterId(0);

    #[test]
    fn silence_is_not_called_death() {
        check(&Event::PeerHeard { node: Name::from("b"), restarted: false }, &["Peer b is heard"]);
        check(
            &Event::PeerSilent { node: Name::from("b"), silence: Duration::from_millis(812) },
            &["Nothing heard of b for 812 ms; two nodes alone cannot tell a dead peer from a cut cable"],
        );
        check(
            &Event::PeerStopped { node: Name::from("b") },
            &["Peer b has stopped in order, nothing of its services runs there"],
        );
        check(
            &Event::PathChanged { path: 1, works: false },
            &["Path 2 to the peer is silent, while another one works"],
        );
        check(
            &Event::BatonDiscarded { path: 0, reason: BatonDiscard::BadSeal },
            &["Message on path 1 to the peer discarded: it was sealed with another key; \
               do both nodes have the same key file?"],
        );
    }

    #[test]
    fn a_hand_over_says_what_it_did() {
        check(
            &Event::HandoverBegun { router: ROUTER, to_us: false, reason: HandoverReason::Operator },
            &["(VI_1) is handed over from this node to the peer: an operator said so"],
        );
        check(
            &Event::HandoverEnded {
                router: ROUTER,
                to_us: true,
                outage: Duration::from_millis(412),
                overlap: Duration::ZERO,
            },
            &["(VI_1) this node is active; outage 412 ms, overlap 0 ms"],
        );
        check(
            &Event::HandoverFailed { router: ROUTER, reason: RefusedCommand::NotReady(Name::from("port 80 is taken")) },
            &["(VI_1) was not handed over: the service could not be started there: port 80 is taken"],
        );
        check(
            &Event::DualActive { router: ROUTER, we_stay: false },
            &["(VI_1) both nodes were active, the pair had been cut; this node stops its services and gives way"],
        );
    }

    #[test]
    fn what_operators_asked_for_says_how_it_ends() {
        check(
            &Event::MaintenanceBegun { span: Some(Duration::from_secs(7_200)), node: Name::from("a") },
            &["Maintenance, asked for on a: nothing happens by itself for 2 h"],
        );
        check(
            &Event::MaintenanceBegun { span: None, node: Name::from("a") },
            &["Maintenance, asked for on a: nothing happens by itself until `tanist maintenance off`"],
        );
        check(&Event::MaintenanceEnded { expired: true }, &["Maintenance is over, its time has passed"]);
        check(
            &Event::Held { router: ROUTER, by: HeldBy::Operator },
            &["(VI_1) this node stands back, as an operator wants until `tanist release`"],
        );
        check(
            &Event::Released { router: ROUTER, by: HeldBy::DownFile },
            &["(VI_1) this node no longer stands back: its down_file is gone"],
        );
    }
}
