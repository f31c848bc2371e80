//! An event as those who follow it see it: with an id that never changes its meaning, whatever the words become.

use std::borrow::Cow;
use std::time::Duration;

use api::{Handover, Place};
use engine::{Engine, Event, Instant, Name, RouterId};
use linux::system_log::Severity;

use crate::words::kinds;

/// What a program needs to know of an event.
pub(crate) struct Facts<'e> {
    pub(crate) id: &'static str,
    pub(crate) router: Option<RouterId>,
    pub(crate) service: Option<&'e Name>,
    handover: Option<Handover>,
}

pub(crate) fn facts(event: &Event) -> Facts<'_> {
    let node = |id| Facts { id, router: None, service: None, handover: None };
    let vrrp = |id, router: &RouterId| Facts { router: Some(*router), ..node(id) };
    let of = |id, service| Facts { service: Some(service), ..node(id) };
    let step = |id, router, handover| Facts { handover: Some(handover), ..vrrp(id, router) };
    let place = |to_us: bool| if to_us { Place::Here } else { Place::Peer };
    match event {
        Event::StateChanged { router, .. } => vrrp(kinds::VRRP_STATE, router),
        Event::FaultRaised { router, .. } => vrrp(kinds::VRRP_FAULT, router),
        Event::FaultCleared { router, .. } => vrrp(kinds::VRRP_FAULT_CLEARED, router),
        Event::LowerPriorityIgnored { router, .. } => vrrp(kinds::VRRP_LOWER_PRIORITY_IGNORED, router),
        Event::LosingAdvertisementAnswered { router, .. } => vrrp(kinds::VRRP_NEW_ELECTION, router),
        Event::OwnerConflict { router, .. } => vrrp(kinds::VRRP_OWNER_CONFLICT, router),
        Event::ResignationHeard { router, .. } => vrrp(kinds::VRRP_RESIGNATION_HEARD, router),
        Event::Resigned { router } => vrrp(kinds::VRRP_RESIGNED, router),
        Event::ActiveRouterChanged { router, .. } => vrrp(kinds::VRRP_MASTER_CHANGED, router),
        Event::IntervalLearned { router, .. } => vrrp(kinds::VRRP_INTERVAL_LEARNED, router),
        Event::PriorityChanged { router, .. } => vrrp(kinds::VRRP_PRIORITY, router),
        Event::GroupChanged { .. } => node(kinds::VRRP_GROUP),
        Event::Discarded { router, .. } => vrrp(kinds::VRRP_DISCARDED, router),
        Event::Odd { router, .. } => vrrp(kinds::VRRP_ODD, router),
        Event::AddressesWanted { router } => vrrp(kinds::ADDRESSES_WANTED, router),
        Event::AddressesReleased { router } => vrrp(kinds::ADDRESSES_RELEASED, router),
        Event::Announcing { router, .. } => vrrp(kinds::ADDRESSES_ANNOUNCING, router),
        Event::Overslept { router, .. } => vrrp(kinds::VRRP_OVERSLEPT, router),
        Event::SendFailed { router, .. } => vrrp(kinds::VRRP_SEND_FAILED, router),
        Event::ScriptReturned { .. } => node(kinds::SCRIPT_RETURNED),
        Event::ScriptSucceeded { .. } => node(kinds::SCRIPT_SUCCEEDED),
        Event::ScriptFailed { .. } => node(kinds::SCRIPT_FAILED),
        Event::ScriptTimedOut { .. } => node(kinds::SCRIPT_TIMED_OUT),
        Event::ScriptSkipped { .. } => node(kinds::SCRIPT_SKIPPED),
        Event::NumberChanged { .. } => node(kinds::TRACKER_NUMBER),
        Event::QuorumChanged { .. } => node(kinds::TRACKER_QUORUM),
        Event::ServiceChanged { service, .. } => of(kinds::SERVICE_STATE, service),
        Event::ServiceFailed { service, .. } => of(kinds::SERVICE_FAILED, service),
        Event::ServiceLingers { service, .. } => of(kinds::SERVICE_LINGERS, service),
        Event::ReadinessChanged { service, .. } => of(kinds::SERVICE_READINESS, service),
        Event::ServiceUnknown { service, .. } => of(kinds::SERVICE_UNKNOWN, service),
        Event::PeerHeard { .. } => node(kinds::PEER_HEARD),
        Event::PeerSilent { .. } => node(kinds::PEER_SILENT),
        Event::PeerStopped { .. } => node(kinds::PEER_STOPPED),
        Event::PathChanged { .. } => node(kinds::PEER_PATH),
        Event::BatonDiscarded { .. } => node(kinds::PEER_DISCARDED),
        Event::HandoverBegun { router, to_us, .. } => {
            step(kinds::HANDOVER_BEGUN, router, Handover::Begun { to: place(*to_us) })
        }
        Event::HandoverEnded { router, to_us, outage, overlap } => {
            let (outage_ms, overlap_ms) = (milliseconds(*outage), milliseconds(*overlap));
            step(kinds::HANDOVER_ENDED, router, Handover::Ended { to: place(*to_us), outage_ms, overlap_ms })
        }
        Event::HandoverFailed { router, .. } => step(kinds::HANDOVER_FAILED, router, Handover::Failed),
        Event::HandoverUnordered { router } => step(kinds::HANDOVER_UNORDERED, router, Handover::Unordered),
        Event::DualActive { router, .. } => vrrp(kinds::PAIR_DUAL_ACTIVE, router),
        Event::AdvertisementsUnheard { router, .. } => vrrp(kinds::PAIR_ADVERTISEMENTS_UNHEARD, router),
        Event::PeerDeaf { .. } => node(kinds::PEER_DEAF),
        Event::PathOneWay { .. } => node(kinds::PEER_ONE_WAY),
        Event::ConfigurationDiffers { router, service, .. } => {
            Facts { service: service.as_ref(), ..vrrp(kinds::PAIR_CONFIGURATION_DIFFERS, router) }
        }
        Event::NoCounterpart { router } => vrrp(kinds::PAIR_NO_COUNTERPART, router),
        Event::Latched { service, .. } => of(kinds::LATCH_SET, service),
        Event::Unlatched => node(kinds::LATCH_CLEARED),
        Event::MaintenanceBegun { .. } => node(kinds::MAINTENANCE_BEGUN),
        Event::MaintenanceEnded { .. } => node(kinds::MAINTENANCE_ENDED),
        Event::Held { router, .. } => vrrp(kinds::HOLD_SET, router),
        Event::Released { router, .. } => vrrp(kinds::HOLD_RELEASED, router),
        Event::RecordDamaged { .. } => node(kinds::RECORD_DAMAGED),
        Event::LinkChanged { .. } => node(kinds::LINK_STATE),
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
