//! What `tanist status` is told: the engine's view of both nodes with the ages of what is known, and a judgement of
//! whether a failure now would be survived. A pure function of what is known at one moment.

mod protection;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use config::Settings;
use engine::{
    Budget, FaultReason, Instant, LinkId, Name, PeerRouterView, PeerServiceView, PeerView, RouterConfig, RouterView,
    ScriptView, ServiceStateName, ServiceView, StateName, TrackerKind, TrackerView, View, VirtualAddress,
};
use linux::packet_filter::Dropped;

use crate::trackers;
use crate::words::{self, understanding};

/// What is known at one moment.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// What the engine shows.
    pub view: &'a View,
    /// What it was told to be; in the view's order.
    pub settings: &'a Settings,
    /// The names of the interfaces, by their ids.
    pub links: &'a [Name],
    /// Who sends messages for the pair although the configuration knows no peer there.
    pub strangers: &'a BTreeSet<IpAddr>,
    /// How this node is called.
    pub node: &'a str,
    /// What was dropped of the traffic of addresses that nobody may reach; `None` if there are none or nobody knows.
    pub dropped: Option<Dropped>,
    /// What the daemon has taken away from itself, if that is known.
    pub confinement: Option<&'a api::Confinement>,
    /// When this is, by the engine's clock.
    pub now: Instant,
    /// And by the calendar: since 1970.
    pub calendar: Duration,
}

/// Everything, in the words of the control socket.
#[must_use]
pub fn status(snapshot: &Snapshot<'_>) -> api::Status {
    let Snapshot { view, settings, now, .. } = *snapshot;
    let instances = view.routers.iter().zip(&settings.instances);
    let mut status = api::Status {
        node: snapshot.node.to_owned(),
        mode: if view.peer.is_some() { api::Mode::Pair } else { api::Mode::Vrrp },
        wall_ms: milliseconds(snapshot.calendar),
        boot_ns: now.as_nanos(),
        protection: api::Protection { state: api::ProtectionState::Protected, reasons: Vec::new() },
        instances: instances.map(|(router, settings)| instance(snapshot, router, &settings.router)).collect(),
        services: view.services.iter().map(|service| self::service(snapshot, service)).collect(),
        checks: view.scripts.iter().map(check).collect(),
        trackers: view.trackers.iter().map(|tracker| self::tracker(snapshot, tracker)).collect(),
        peer: view.peer.as_ref().map(|peer| self::peer(snapshot, peer)),
        latch: view.latch.as_ref().map(|latch| api::Latch {
            service: latch.service.to_string(),
            node: latch.node.to_string(),
            text: words::service::latch_words(&latch.service, latch.reason),
        }),
        maintenance: view.maintenance.map(|maintenance| api::MaintenanceOn {
            ends_in_ms: maintenance.until.map(|until| milliseconds(until.since(now))),
        }),
        dropped: snapshot.dropped.map(|Dropped { incoming, outgoing }| api::Dropped { incoming, outgoing }),
        confinement: snapshot.confinement.cloned(),
    };
    status.protection = protection::judge(&status, settings);
    status
}

/// How this node is called: as the pair calls it, else by its `router_id`, else as the machine is.
#[must_use]
pub fn node_name(settings: &Settings) -> String {
    let said = settings.pair.as_ref().and_then(|pair| pair.node.as_ref()).or(settings.global.router_id.as_ref());
    said.cloned().unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

fn instance(snapshot: &Snapshot<'_>, router: &RouterView, config: &RouterConfig) -> api::Instance {
    let address = |address: &VirtualAddress| api::VirtualAddress {
        address: format!("{}/{}", address.address, address.prefix),
        interface: address.link.as_ref().unwrap_or(&config.link).to_string(),
    };
    api::Instance {
        name: router.name.to_string(),
        role: match router.state {
            StateName::Active => api::Role::Master,
            StateName::Backup => api::Role::Backup,
            StateName::Initialize if router.faults.is_empty() => api::Role::Init,
            StateName::Initialize => api::Role::Fault,
        },
        since_ms: milliseconds(snapshot.now.since(router.since)),
        priority: router.priority.get(),
        effective_priority: router.effective_priority.get(),
        epoch: router.epoch,
        interface: config.link.to_string(),
        vrid: config.vrid.get(),
        addresses: config.addresses.iter().chain(&config.excluded_addresses).map(address).collect(),
        holds_addresses: router.holds_addresses,
        master: router.active_router.map(|(address, priority)| (address, priority.get())),
        faults: router.faults.iter().map(|fault| fault_words(snapshot.links, fault)).collect(),
        held: router.held_by.iter().map(|by| words::pair::held_by(*by).to_owned()).collect(),
        letting_go: router.letting_go,
        services: config.services.iter().map(ToString::to_string).collect(),
        unheard: router.unheard.map(|(here, why)| understanding::unheard(here, why)),
        refused: refused(snapshot.now, router, config),
        differs: differs(snapshot, false, &router.differs),
    }
}

/// Advertisements that came lately and were not accepted.
fn refused(now: Instant, router: &RouterView, config: &RouterConfig) -> Option<String> {
    let (at, from, reason) = router.refused?;
    let lately = (config.advertisement_interval.as_duration() * 4).max(Duration::from_secs(4));
    (now.since(at) < lately)
        .then(|| format!("advertisements from {from} are not accepted: {}", understanding::differing(reason)))
}

/// What the peer is told differently.
fn differs(snapshot: &Snapshot<'_>, of_service: bool, terms: &[u32]) -> Option<String> {
    let peer = snapshot.view.peer.as_ref().filter(|peer| peer.alive)?;
    (!terms.is_empty()).then(|| understanding::what_differs(of_service, terms, words::pair::peer_name(&peer.node)))
}

/// A fault for people.
pub(crate) fn fault_words(links: &[Name], fault: &FaultReason) -> String {
    let name = |link: &LinkId| links.get(link.0 as usize).map_or("?", |name| &**name);
    match fault {
        FaultReason::LinkAbsent(link) => format!("interface {} does not exist", name(link)),
        FaultReason::LinkDown(link) if name(link) == RouterConfig::ANYWHERE => {
            "nothing can be heard by unicast".to_owned()
        }
        FaultReason::LinkDown(link) => format!("interface {} is down", name(link)),
        FaultReason::NoPrimaryAddress => "no address to send from".to_owned(),
        FaultReason::PrimaryAddressTentative => "its address is still being looked for on other nodes".to_owned(),
        FaultReason::StaticMissing(group) => format!("something of track_group {group} is missing"),
        FaultReason::NoPeer => "no unicast peer to send to".to_owned(),
        FaultReason::ScriptFailed(script) => format!("script {script} has failed"),
        FaultReason::ScriptPending(script) => format!("script {script} has not run yet"),
        FaultReason::Tracked(tracker) => match tracker.kind {
            TrackerKind::File => format!("tracked file {} says so", tracker.name),
            TrackerKind::Process => format!("the number of {} is not good", trackers::words(tracker)),
        },
        FaultReason::Member(other) => format!("{other} of its sync group is in FAULT"),
        FaultReason::ServiceFailed(service) => format!("service {service} failed here"),
        FaultReason::Latched(service) => format!("service {service} is latched"),
    }
}

fn service(snapshot: &Snapshot<'_>, service: &ServiceView) -> api::Service {
    let Snapshot { view, settings, now, .. } = *snapshot;
    let router = service.router.and_then(|id| view.routers.get(id.0 as usize));
    let configured = settings.services.iter().find(|configured| configured.service.name == service.name);
    let budget = |used, budget: Option<Budget>| api::Budget {
        used,
        limit: budget.map_or(0, |budget| budget.limit),
        within_ms: budget.map_or(0, |budget| milliseconds(budget.within)),
    };
    api::Service {
        name: service.name.to_string(),
        instance: router.map(|router| router.name.to_string()),
        state: state(service.state),
        since_ms: milliseconds(now.since(service.since)),
        wanted: service.wanted,
        healthy: service.healthy,
        readiness: service.readiness.as_ref().map(readiness),
        restarts: budget(service.restarts, configured.map(|configured| configured.service.restart)),
        moves: budget(service.moves, configured.map(|configured| configured.service.max_moves)),
        last_failure: service.last_failure.as_ref().map(|(at, failure)| api::LastFailure {
            age_ms: milliseconds(now.since(*at)),
            text: words::service::failure_words(failure),
        }),
        checks: service.checks.iter().map(check).collect(),
        differs: differs(snapshot, true, &service.differs),
    }
}

fn check(check: &ScriptView) -> api::Check {
    api::Check {
        name: check.name.to_string(),
        good: check.good,
        last: check.last_outcome.map(words::ended),
        rests: check.rests,
    }
}

fn tracker(snapshot: &Snapshot<'_>, tracker: &TrackerView) -> api::Tracker {
    api::Tracker {
        name: tracker.tracker.name.to_string(),
        kind: match tracker.tracker.kind {
            TrackerKind::File => api::TrackerKind::File,
            TrackerKind::Process => api::TrackerKind::Process,
        },
        subject: tracker.subject.to_string(),
        figure: tracker.figure,
        good: tracker.good,
        turns_in_ms: tracker.turns_at.map(|(at, _)| milliseconds(at.since(snapshot.now))),
    }
}

fn peer(snapshot: &Snapshot<'_>, peer: &PeerView) -> api::Peer {
    let age = |at: Option<Instant>| at.map(|at| milliseconds(snapshot.now.since(at)));
    let age_ms = age(peer.heard_at);
    let dead_after = snapshot.settings.pair.as_ref().map_or(Duration::ZERO, |pair| pair.dead_after);
    let addresses = snapshot.settings.pair.iter().flat_map(|pair| &pair.paths).map(|path| path.peer);
    let path = |((heard_at, address), one_way): ((&Option<Instant>, Option<IpAddr>), Option<bool>)| api::PeerPath {
        address: address.map_or_else(String::new, |address| address.to_string()),
        age_ms: age(*heard_at),
        works: heard_at.is_some_and(|at| snapshot.now.since(at) < dead_after),
        one_way: one_way.map(|here| if here { api::Place::Here } else { api::Place::Peer }),
    };
    // A path that has just been configured may not be in the settings' order yet; it then shows no address.
    let addresses = addresses.map(Some).chain(std::iter::repeat(None));
    let one_way = peer.one_way.iter().copied().chain(std::iter::repeat(None));
    // Who has not spoken for longer than that may be dead by now.
    let deaf = peer.deaf_at.is_some_and(|at| snapshot.now.since(at) < dead_after.max(Duration::from_secs(1)));
    api::Peer {
        node: peer.node.to_string(),
        alive: peer.alive,
        age_ms,
        stale: age_ms.is_some_and(|age| age > api::STALE_AFTER_MS),
        round_trip_us: peer.round_trip.map(|span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX)),
        paths: peer.paths.iter().zip(addresses).zip(one_way).map(path).collect(),
        discarded: peer.discarded,
        strangers: snapshot.strangers.iter().copied().collect(),
        last_discard: peer.last_discard.map(|reason| words::pair::discarded(reason).to_owned()),
        deaf,
        instances: peer.routers.iter().map(peer_instance).collect(),
    }
}

fn peer_instance(router: &PeerRouterView) -> api::PeerInstance {
    api::PeerInstance {
        name: router.name.to_string(),
        role: match router.state {
            StateName::Active => api::Role::Master,
            StateName::Backup => api::Role::Backup,
            // A node that speaks has been started.
            StateName::Initialize => api::Role::Fault,
        },
        effective_priority: router.priority.get(),
        epoch: router.epoch,
        held: router.held,
        services: router.services.iter().map(peer_service).collect(),
    }
}

fn peer_service(service: &PeerServiceView) -> api::PeerService {
    api::PeerService {
        name: service.name.to_string(),
        state: state(service.state),
        healthy: service.healthy,
        readiness: service.readiness.as_ref().map(readiness),
        failed: service.failed,
    }
}

fn state(state: ServiceStateName) -> api::ServiceState {
    match state {
        ServiceStateName::Unknown => api::ServiceState::Unknown,
        ServiceStateName::Stopped => api::ServiceState::Stopped,
        ServiceStateName::Starting => api::ServiceState::Starting,
        ServiceStateName::Running => api::ServiceState::Running,
        ServiceStateName::Stopping => api::ServiceState::Stopping,
    }
}

fn readiness(readiness: &Result<(), Name>) -> api::Readiness {
    api::Readiness { ready: readiness.is_ok(), reason: readiness.as_ref().err().map(ToString::to_string) }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
