//! An event as those who follow it see it: with an id that never changes its meaning, whatever the words become.

use std::borrow::Cow;
use std::time::Duration;

use api::{Handover, Place};
use engine::{Engine, Event, Instant, Name, RouterId};
use linux::system_log::Severity;

/// What a program needs to know of an event.
struct Facts<'e> {
    id: &'static str,
    router: Option<RouterId>,
    service: Option<&'e Name>,
    handover: Option<Handover>,
}

fn facts(event: &Event) -> Facts<'_> {
    let node = |id| Facts { id, router: None, service: None, handover: None };
    let vrrp = |id, router: &RouterId| Facts { router: Some(*router), ..node(id) };
    let of = |id, service| Facts { service: Some(service), ..node(id) };
    let step = |id, router, handover| Facts { handover: Some(handover), ..vrrp(id, router) };
    let place = |to_us: bool| if to_us { Place::Here } else { Place::Peer };
    match event {
        Event::StateChanged { router, .. } => vrrp("vrrp.state", router),
        Event::FaultRaised { router, .. } => vrrp("vrrp.fault", router),
        Event::FaultCleared { router, .. } => vrrp("vrrp.fault_cleared", router),
        Event::LowerPriorityIgnored { router, .. } => vrrp("vrrp.lower_priority_ignored", router),
        Event::LosingAdvertisementAnswered { router, .. } => vrrp("vrrp.new_election", router),
        Event::OwnerConflict { router, .. } => vrrp("vrrp.owner_conflict", router),
        Event::ResignationHeard { router, .. } => vrrp("vrrp.resignation_heard", router),
        Event::Resigned { router } => vrrp("vrrp.resigned", router),
        Event::ActiveRouterChanged { router, .. } => vrrp("vrrp.master_changed", router),
        Event::IntervalLearned { router, .. } => vrrp("vrrp.interval_learned", router),
        Event::PriorityChanged { router, .. } => vrrp("vrrp.priority", router),
        Event::Discarded { router, .. } => vrrp("vrrp.discarded", router),
        Event::Odd { router, .. } => vrrp("vrrp.odd", router),
        Event::AddressesWanted { router } => vrrp("addresses.wanted", router),
        Event::AddressesReleased { router } => vrrp("addresses.released", router),
        Event::Announcing { router, .. } => vrrp("addresses.announcing", router),
        Event::Overslept { router, .. } => vrrp("vrrp.overslept", router),
        Event::SendFailed { router, .. } => vrrp("vrrp.send_failed", router),
        Event::ScriptReturned { .. } => node("script.returned"),
        Event::ScriptSucceeded { .. } => node("script.succeeded"),
        Event::ScriptFailed { .. } => node("script.failed"),
        Event::ScriptTimedOut { .. } => node("script.timed_out"),
        Event::ScriptSkipped { .. } => node("script.skipped"),
        Event::ServiceChanged { service, .. } => of("service.state", service),
        Event::ServiceFailed { service, .. } => of("service.failed", service),
        Event::ServiceLingers { service, .. } => of("service.lingers", service),
        Event::ReadinessChanged { service, .. } => of("service.readiness", service),
        Event::ServiceUnknown { service, .. } => of("service.unknown", service),
        Event::PeerHeard { .. } => node("peer.heard"),
        Event::PeerSilent { .. } => node("peer.silent"),
        Event::PeerStopped { .. } => node("peer.stopped"),
        Event::PathChanged { .. } => node("peer.path"),
        Event::BatonDiscarded { .. } => node("peer.discarded"),
        Event::HandoverBegun { router, to_us, .. } => {
            step("handover.begun", router, Handover::Begun { to: place(*to_us) })
        }
        Event::HandoverEnded { router, to_us, outage, overlap } => {
            let (outage_ms, overlap_ms) = (milliseconds(*outage), milliseconds(*overlap));
            step("handover.ended", router, Handover::Ended { to: place(*to_us), outage_ms, overlap_ms })
        }
        Event::HandoverFailed { router, .. } => step("handover.failed", router, Handover::Failed),
        Event::HandoverUnordered { router } => step("handover.unordered", router, Handover::Unordered),
        Event::DualActive { router, .. } => vrrp("pair.dual_active", router),
        Event::AdvertisementsUnheard { router } => vrrp("pair.advertisements_unheard", router),
        Event::NoCounterpart { router } => vrrp("pair.no_counterpart", router),
        Event::Latched { service, .. } => of("latch.set", service),
        Event::Unlatched => node("latch.cleared"),
        Event::MaintenanceBegun { .. } => node("maintenance.begun"),
        Event::MaintenanceEnded { .. } => node("maintenance.ended"),
        Event::Held { router, .. } => vrrp("hold.set", router),
        Event::Released { router, .. } => vrrp("hold.released", router),
        Event::RecordDamaged { .. } => node("record.damaged"),
        Event::LinkChanged { .. } => node("link.state"),
    }
}

/// The event, with its number, when it happened (by the engine's clock and by the calendar), how bad it is, whether it
/// is a mere detail, and what the log says about it.
pub(super) fn describe(
    engine: &Engine,
    event: &Event,
    number: u64,
    (at, calendar): (Instant, Duration),
    (severity, detail): (Severity, bool),
    text: Vec<String>,
) -> api::Event {
    let Facts { id, router, service, handover } = facts(event);
    api::Event {
        number,
        id: Cow::Borrowed(id),
        wall_ms: milliseconds(calendar),
        boot_ns: at.as_nanos(),
        severity: match severity {
            Severity::Emergency | Severity::Alert | Severity::Critical => api::Severity::Critical,
            Severity::Error => api::Severity::Error,
            Severity::Warning => api::Severity::Warning,
            Severity::Notice => api::Severity::Notice,
            Severity::Info | Severity::Debug => api::Severity::Info,
        },
        detail,
        instance: router.and_then(|router| engine.router(router)).map(|router| router.name.to_string()),
        service: service.map(ToString::to_string),
        handover,
        text,
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tests::engine;

    fn check(event: &Event, expected: &str) {
        let times = (Instant::from_millis(12_345), Duration::from_millis(1_795_000_000_123));
        let text = vec!["words".to_owned()];
        let described = describe(&engine(), event, 3, times, (Severity::Notice, false), text);
        assert_eq!(serde_json::to_string(&described).expect("JSON"), expected);
    }

    #[test]
    fn events_have_ids_names_and_figures() {
        check(
            &Event::Resigned { router: RouterId(0) },
            r#"{"number":3,"id":"vrrp.resigned","wall_ms":1795000000123,"boot_ns":12345000000,"severity":"notice","instance":"VI_1","text":["words"]}"#,
        );
        check(
            &Event::ServiceUnknown { service: Name::from("nginx"), reason: None },
            r#"{"number":3,"id":"service.unknown","wall_ms":1795000000123,"boot_ns":12345000000,"severity":"notice","service":"nginx","text":["words"]}"#,
        );
        check(
            &Event::HandoverEnded {
                router: RouterId(0),
                to_us: true,
                outage: Duration::from_millis(412),
                overlap: Duration::ZERO,
            },
            r#"{"number":3,"id":"handover.ended","wall_ms":1795000000123,"boot_ns":12345000000,"severity":"notice","instance":"VI_1","handover":{"ended":{"to":"here","outage_ms":412,"overlap_ms":0}},"text":["words"]}"#,
        );
    }
}
