//! The operator's words for what the engine tells. Facts and wordings follow keepalived's, so that searches and
//! alarms that people have keep working; what keepalived does not know, services and the pair, has files of its own.

pub(crate) mod kinds;
pub(crate) mod pair;
pub(crate) mod service;
pub(crate) mod understanding;

use std::net::IpAddr;

use engine::vrrp::receive::{Discard, Oddity};
use engine::{
    Cause, Engine, Event, Family, FaultReason, LinkCondition, LinkId, Name, NoticeKind, ProbeFailure, RouterConfig,
    RouterId, ScriptOutcome, StateName, TrackerKind, TrackerName, Transport,
};
use linux::system_log::Severity;

use crate::control::happening::{Facts, facts};
use crate::trackers;

/// A line of the log.
pub(crate) struct Line {
    pub(crate) severity: Severity,
    pub(crate) text: String,
    /// Only for those who asked for detail.
    pub(crate) detail: bool,
}

fn line(severity: Severity, text: String) -> Vec<Line> {
    vec![Line { severity, text, detail: false }]
}

fn detail(severity: Severity, text: String) -> Vec<Line> {
    vec![Line { severity, text, detail: true }]
}

/// A state as operators and their programs know it.
pub(crate) const fn role(state: StateName) -> &'static str {
    match state {
        StateName::Initialize => "FAULT",
        StateName::Backup => "BACKUP",
        StateName::Active => "MASTER",
    }
}

/// What a line is about, for those who sort lines by it.
pub(crate) struct About {
    /// One of [`kinds`].
    pub(crate) event: &'static str,
    pub(crate) instance: Option<String>,
    pub(crate) service: Option<String>,
}

/// What the lines of an event are about. A service has an instance, too.
pub(crate) fn about(engine: &Engine, event: &Event) -> About {
    let Facts { id, router, service, .. } = facts(event);
    let owner = |service: &Name| engine.config().routers.iter().find(|router| router.services.contains(service));
    let router = router.and_then(|router| engine.router(router)).or_else(|| service.and_then(owner));
    About {
        event: id,
        instance: router.map(|router| router.name.to_string()),
        service: service.map(ToString::to_string),
    }
}

/// Why a router is in its state, in one word for scripts. They depend on it, so it does not change.
pub(crate) const fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Started => "started",
        Cause::ActiveDownTimer => "timeout",
        Cause::ActiveResigned => "resigned",
        Cause::AddressOwner => "address-owner",
        Cause::HigherPriority { .. } => "higher-priority",
        Cause::HigherAddress { .. } => "higher-address",
        Cause::Fault => "fault",
        Cause::FaultsCleared => "fault-cleared",
        Cause::Overslept => "overslept",
        Cause::HandedOver => "handed-over",
        Cause::Resumed => "resumed",
        Cause::PeerSilent => "peer-silent",
        Cause::LetGo => "let-go",
        Cause::PeerStays => "peer-stays",
        Cause::Stopped => "stopped",
    }
}

/// What is said about an event; nothing, a line, or several.
pub(crate) fn lines(engine: &Engine, event: &Event) -> Vec<Line> {
    use Severity::{Error, Info, Notice, Warning};
    let name = |router: &RouterId| engine.router(*router).map_or("?", |config| &*config.name);
    let link = |link: &LinkId| match engine.links().get(link.0 as usize).map(|name| &**name) {
        // It is down while unicast cannot be heard.
        Some(RouterConfig::ANYWHERE) => "for unicast",
        Some(name) => name,
        None => "?",
    };
    match event {
        Event::StateChanged { router, from, to, cause } => state_changed(engine, *router, *from, *to, *cause),
        Event::FaultRaised { router, reason } => {
            let name = name(router);
            line(
                Warning,
                match reason {
                    FaultReason::LinkAbsent(id) => {
                        format!("({name}): entering FAULT state (interface {} does not exist)", link(id))
                    }
                    FaultReason::LinkDown(id) => {
                        format!("({name}): entering FAULT state (interface {} down)", link(id))
                    }
                    FaultReason::NoPrimaryAddress => match configured_source(engine, *router) {
                        Some(source) => {
                            format!("({name}) entering FAULT state (source address {source} is not on this machine)")
                        }
                        None => {
                            let family = match engine.router(*router).map(|config| config.family) {
                                Some(Family::Ipv6) => "IPv6",
                                Some(Family::Ipv4) | None => "IPv4",
                            };
                            format!("({name}) entering FAULT state (no {family} address for interface)")
                        }
                    },
                    FaultReason::StaticMissing(group) => {
                        format!("({name}): entering FAULT state (something of track_group {group} is missing)")
                    }
                    FaultReason::NoPeer => {
                        format!("({name}) Cannot use unicast without any peers - going to fault state")
                    }
                    FaultReason::ScriptFailed(script) => {
                        format!("({name}): entering FAULT state due to script {script}")
                    }
                    FaultReason::PrimaryAddressTentative => {
                        format!("({name}) waits until the kernel knows that its address is nobody else's")
                    }
                    FaultReason::ScriptPending(script) => {
                        format!("({name}) waits for the first result of script {script}")
                    }
                    FaultReason::Tracked(tracker) => match tracker.kind {
                        TrackerKind::File => format!("({name}): tracked file {} now FAULT state", tracker.name),
                        TrackerKind::Process => format!(
                            "({name}) entering FAULT state (tracked process {} quorum {})",
                            tracker.name,
                            if reverses(engine, *router, tracker) { "achieved" } else { "not achieved" }
                        ),
                    },
                    FaultReason::Member(other) => {
                        format!("({name}): entering FAULT state ({other} of its sync group is in FAULT)")
                    }
                    FaultReason::ServiceFailed(service) => {
                        format!("({name}): entering FAULT state (service {service} failed here)")
                    }
                    FaultReason::Latched(service) => {
                        format!("({name}): entering FAULT state (service {service} is latched until `tanist ack`)")
                    }
                },
            )
        }
        Event::FaultCleared { router, reason } => {
            let name = name(router);
            line(
                Notice,
                match reason {
                    FaultReason::LinkAbsent(id) => {
                        format!("({name}) interface {} exists again", link(id))
                    }
                    FaultReason::LinkDown(id) => {
                        format!("({name}) interface {} is no longer down", link(id))
                    }
                    FaultReason::NoPrimaryAddress => {
                        format!("({name}) has an address to send from again")
                    }
                    FaultReason::StaticMissing(group) => {
                        format!("({name}) track_group {group} is complete again")
                    }
                    FaultReason::NoPeer => {
                        format!("({name}) has a unicast peer again")
                    }
                    FaultReason::ScriptFailed(script) => {
                        format!("({name}) script {script} no longer keeps it in FAULT state")
                    }
                    FaultReason::PrimaryAddressTentative => {
                        format!("({name}) its address is nobody else's")
                    }
                    FaultReason::ScriptPending(script) => {
                        format!("({name}) script {script} has its first result")
                    }
                    FaultReason::Tracked(tracker) => {
                        format!("({name}): {} leaving FAULT state", trackers::words(tracker))
                    }
                    FaultReason::Member(other) => {
                        format!("({name}) {other} of its sync group is no longer in FAULT")
                    }
                    FaultReason::ServiceFailed(service) => {
                        format!("({name}) service {service} could be started here again, a ready standby")
                    }
                    FaultReason::Latched(service) => {
                        format!("({name}) service {service} is no longer latched")
                    }
                },
            )
        }
        Event::LowerPriorityIgnored { router, from, priority } => line(
            Info,
            format!("({}) received lower priority ({priority}) advert from {from} - discarding", name(router)),
        ),
        Event::LosingAdvertisementAnswered { router, from, priority, ours } => line(
            Notice,
            format!(
                "({}) Received advert from {from} with lower priority {priority}, ours {ours}, forcing new election",
                name(router)
            ),
        ),
        Event::OwnerConflict { router, from } => line(
            Error,
            format!(
                "({}) CONFIGURATION ERROR: {from} also claims to be the address owner (priority 255)",
                name(router)
            ),
        ),
        Event::ResignationHeard { router, from } => {
            let who = if engine.state(*router) == Some(StateName::Active) { "Master" } else { "Backup" };
            line(Info, format!("({}) {who} received priority 0 advertisement from {from}", name(router)))
        }
        Event::Resigned { router } => line(Notice, format!("({}) sent 0 priority", name(router))),
        Event::ActiveRouterChanged { router, from: Some(from), to } => {
            line(Notice, format!("({}) master changed from {from} to {to}", name(router)))
        }
        Event::ActiveRouterChanged { router, from: None, to } => {
            line(Info, format!("({}) master is {to}", name(router)))
        }
        Event::IntervalLearned { router, from, to } => {
            line(Info, format!("({}) advertisement interval updated from {from} to {to} by master", name(router)))
        }
        Event::PriorityChanged { router, from, to } => {
            line(Notice, format!("({}) Changing effective priority from {from} to {to}", name(router)))
        }
        Event::GroupChanged { group, kind } => {
            let state = match kind {
                NoticeKind::Active => "MASTER",
                NoticeKind::Backup => "BACKUP",
                NoticeKind::Fault => "FAULT",
                // Its instances say so.
                NoticeKind::Stop | NoticeKind::Deleted | NoticeKind::ActiveHeardLowerPriority => return Vec::new(),
            };
            line(Notice, format!("VRRP_Group({group}) Syncing instances to {state} state"))
        }
        Event::Discarded { router, from, reason } => {
            line(Warning, format!("({}) advert from {from} discarded: {}", name(router), discard(*reason)))
        }
        Event::Odd { router, from, oddity } => odd(engine, *router, *from, *oddity),
        Event::AddressesWanted { router } => line(Notice, format!("({}) setting VIPs.", name(router))),
        Event::AddressesReleased { router } => line(Notice, format!("({}) removing VIPs.", name(router))),
        Event::Announcing { router, link: on, address } => {
            let what = match address {
                IpAddr::V4(_) => "gratuitous ARPs",
                IpAddr::V6(_) => "Unsolicited Neighbour Adverts",
            };
            detail(Info, format!("({}) Sending/queueing {what} on {} for {address}", name(router), link(on)))
        }
        Event::Overslept { router, late } => line(
            Warning,
            format!(
                "({}) VRRP thread timer expired {:.3} seconds ago: this machine or process was asleep, listening first",
                name(router),
                late.as_secs_f64()
            ),
        ),
        Event::SendFailed { router, error } => {
            line(Error, format!("({}) send advertisement: {}", name(router), errno(*error)))
        }
        Event::ScriptReturned { script, outcome } => {
            detail(Info, format!("Script `{script}` now returning {}", returned(*outcome)))
        }
        Event::ScriptSucceeded { script } => line(Notice, format!("VRRP_Script({script}) succeeded")),
        Event::ScriptFailed { script, outcome: Some(outcome) } => {
            line(Warning, format!("VRRP_Script({script}) failed ({})", ended(*outcome)))
        }
        Event::ScriptFailed { script, outcome: None } => {
            line(Warning, format!("VRRP_Script({script}) failed (timed out)"))
        }
        Event::ScriptTimedOut { script, timeout } => {
            line(Warning, format!("VRRP_Script({script}) timed_out after {timeout:?}"))
        }
        Event::ScriptSkipped { script } => {
            line(Warning, format!("Script `{script}` is still running, so its next run is left out"))
        }
        Event::NumberChanged { tracker, from, to } => {
            detail(Info, format!("{} changed from {from} to {to}", trackers::words(tracker)))
        }
        Event::QuorumChanged { tracker, held, count } => {
            let (what, number) = if *held { ("gained", Notice) } else { ("lost", Warning) };
            line(number, format!("Quorum {what} for {} ({count} running)", trackers::words(tracker)))
        }
        // Where no interface is meant, netlink reports none; that nothing can be heard is told with its reason.
        Event::LinkChanged { link, .. }
            if engine.links().get(link.0 as usize).is_some_and(|name| **name == *RouterConfig::ANYWHERE) =>
        {
            Vec::new()
        }
        Event::LinkChanged { link: changed, condition } => line(
            Notice,
            match condition {
                LinkCondition::Absent => {
                    format!("Netlink reports {} does not exist", link(changed))
                }
                LinkCondition::Deaf => format!("Nothing can be heard on {}", link(changed)),
                LinkCondition::Down => format!("Netlink reports {} down", link(changed)),
                LinkCondition::Up => format!("Netlink reports {} up", link(changed)),
            },
        ),
        Event::ServiceChanged { service, from, to, cause } => service::changed(service, *from, *to, cause),
        Event::ServiceFailed { service, failure, remedy } => service::failed(service, failure, *remedy),
        Event::ServiceLingers { service, since } => service::lingers(service, *since),
        Event::ReadinessChanged { service, readiness } => service::readiness_changed(service, readiness),
        Event::ServiceUnknown { service, reason } => service::unknown(service, reason.as_ref()),
        Event::PeerHeard { node, restarted } => pair::heard(node, *restarted),
        Event::PeerSilent { node, silence } => pair::silent(node, *silence),
        Event::PeerStopped { node } => pair::stopped(node),
        Event::PathChanged { path, works } => pair::path_changed(*path, *works),
        Event::BatonDiscarded { path, reason } => pair::baton_discarded(*path, *reason),
        Event::HandoverBegun { router, to_us, reason } => pair::handover_begun(name(router), *to_us, *reason),
        Event::HandoverEnded { router, to_us, outage, overlap } => {
            pair::handover_ended(name(router), *to_us, *outage, *overlap)
        }
        Event::HandoverFailed { router, reason } => pair::handover_failed(name(router), reason),
        Event::HandoverUnordered { router } => pair::handover_unordered(name(router)),
        Event::DualActive { router, we_stay } => pair::dual_active(name(router), *we_stay),
        Event::AdvertisementsUnheard { router, here, why } => {
            understanding::advertisements_unheard(name(router), *here, *why)
        }
        Event::PeerDeaf { node } => understanding::deaf(node),
        Event::PathOneWay { path, here } => understanding::one_way(*path, *here),
        Event::ConfigurationDiffers { router, service, terms } => {
            understanding::configuration_differs(name(router), service.as_ref(), terms)
        }
        Event::NoCounterpart { router } => pair::no_counterpart(name(router)),
        Event::Latched { service, reason, node } => service::latched(service, *reason, node),
        Event::Unlatched => service::unlatched(),
        Event::MaintenanceBegun { span, node } => pair::maintenance_begun(*span, node),
        Event::MaintenanceEnded { expired } => pair::maintenance_ended(*expired),
        Event::Held { router, by } => pair::held(name(router), *by),
        Event::Released { router, by } => pair::released(name(router), *by),
        Event::RecordDamaged { reason } => pair::record_damaged(reason),
    }
}

/// The reason first, then keepalived's line for the state.
fn state_changed(engine: &Engine, router: RouterId, from: StateName, to: StateName, cause: Cause) -> Vec<Line> {
    use Severity::{Info, Notice, Warning};
    let Some(config) = engine.router(router) else {
        return Vec::new();
    };
    let name = &config.name;
    let ours = engine.effective_priority(router).unwrap_or(config.priority);
    let reason = match cause {
        Cause::ActiveDownTimer => Some(format!("({name}) Receive advertisement timeout")),
        Cause::ActiveResigned => Some(format!("({name}) Receive advertisement timeout (the master had resigned)")),
        Cause::HigherPriority { from, priority } => {
            Some(format!("({name}) Master received advert from {from} with higher priority {priority}, ours {ours}"))
        }
        Cause::HigherAddress { from, priority } => Some(format!(
            "({name}) Master received advert from {from} with same priority {priority} but higher IP address than ours"
        )),
        Cause::HandedOver => Some(format!("({name}) the peer has handed it over")),
        Cause::Resumed => Some(format!("({name}) had it before, and its services still run here: it goes on")),
        Cause::PeerSilent => Some(format!("({name}) nothing is heard of the peer, which was master")),
        Cause::LetGo => Some(format!("({name}) has let it go, nothing of its services runs here any more")),
        Cause::PeerStays => Some(format!("({name}) the peer is master too and has the better claim")),
        Cause::Started
        | Cause::AddressOwner
        | Cause::Fault
        | Cause::FaultsCleared
        | Cause::Overslept
        | Cause::Stopped => None,
    };
    let (severity, text) = match to {
        StateName::Active => (Notice, format!("({name}) Entering MASTER STATE")),
        StateName::Backup if from == StateName::Initialize => {
            (Notice, format!("({name}) Entering BACKUP STATE (init)"))
        }
        StateName::Backup => (Notice, format!("({name}) Entering BACKUP STATE")),
        StateName::Initialize if cause == Cause::Fault => (Warning, format!("({name}) Entering FAULT STATE")),
        StateName::Initialize => (Notice, format!("({name}) Stopped")),
    };
    let reason = reason.map(|text| Line { severity: Info, text, detail: false });
    reason.into_iter().chain([Line { severity, text, detail: false }]).collect()
}

/// The source address that the configuration asks for.
fn configured_source(engine: &Engine, router: RouterId) -> Option<IpAddr> {
    match engine.router(router)?.transport {
        Transport::Multicast { source, .. } | Transport::Unicast { source, .. } => source,
    }
}

/// Whether good is what keeps the router out.
fn reverses(engine: &Engine, router: RouterId, tracker: &TrackerName) -> bool {
    let mut tracked = engine.router(router).into_iter().flat_map(|router| &router.trackers);
    tracked.any(|tracked| tracked.tracker == *tracker && tracked.weight == engine::Weight::ReversedFault)
}

fn odd(engine: &Engine, router: RouterId, from: IpAddr, oddity: Oddity) -> Vec<Line> {
    let Some(config) = engine.router(router) else {
        return Vec::new();
    };
    let (name, vrid) = (&config.name, config.vrid);
    match oddity {
        Oddity::AddressCount { received, expected } => {
            line(Severity::Warning, format!("({name}) expected {expected} VIPs but received {received} from {from}"))
        }
        Oddity::AddressMissing(address) => line(
            Severity::Warning,
            format!("({name}) ip address associated with VRID {vrid} not present in advert from {from}: {address}"),
        ),
        Oddity::AdvertisementInterval => detail(
            Severity::Info,
            format!(
                "({name}) advert from {from} has another advertisement interval than the configured {}",
                config.advertisement_interval
            ),
        ),
    }
}

/// Why a packet was not accepted.
fn discard(reason: Discard) -> &'static str {
    match reason {
        Discard::UnexpectedAuthenticationHeader => "it has an IPSEC AH header, which is not configured here",
        Discard::Length => "its length is wrong for the addresses that it lists",
        Discard::Ttl => "invalid TTL, it must be 255: it does not come from this network",
        Discard::Version => "it has another VRRP version than configured here",
        Discard::TrailerMissing => "it is not signed, and `auth_hmac` wants that (`mode permissive` would not)",
        Discard::TrailerMalformed => {
            "what stands behind it is no signature of `auth_hmac`; keepalived before 2.4.2 signs in another way"
        }
        Discard::TrailerKeyUnknown => "it is signed with a key of a number that `auth_hmac` does not have here",
        Discard::TrailerInvalid => "its signature is wrong: `auth_hmac` has other octets under that number there",
        Discard::TrailerStale => {
            "it is signed at another time than now: compare the clocks of both nodes (`auth_hmac`, `time_window`)"
        }
        Discard::TrailerReplayed => "it is signed no later than what was heard from there before: somebody repeats it",
        Discard::AuthenticationTypeInvalid => "its authentication type does not exist",
        Discard::AuthenticationTypeMismatch => "it has another authentication type than configured here",
        Discard::AuthenticationFailure => "authentication failed, the passwords differ",
        Discard::AuthenticationHeaderReplayed => {
            "its IPSEC AH sequence number was processed already: somebody repeats it, or its sender began anew"
        }
        Discard::AdvertisementInterval => {
            "advertisement interval mismatch; version 2 needs the same advert_int on all nodes"
        }
        Discard::Type => "it is no advertisement",
        Discard::Checksum => "its checksum is wrong",
        Discard::TransportMismatch => {
            "it came by unicast where multicast is configured here, or the reverse, or to another group"
        }
        Discard::UnknownPeer => "its sender is not a unicast peer",
        Discard::PeerTtl => "its TTL is not in the range that `unicast_peer` gives for its sender",
        Discard::OwnerIgnoresOthers => "we own the addresses, and `owner_ignore_adverts` takes no notice of others",
        Discard::OwnAddress => "it carries our own address: is the address used twice?",
    }
}

fn returned(outcome: ScriptOutcome) -> String {
    match outcome {
        ScriptOutcome::Exited(status) => status.to_string(),
        ScriptOutcome::Signalled(signal) => format!("signal {signal}"),
        ScriptOutcome::NotStarted(error) => {
            format!("nothing, it could not be started: {}", errno(error))
        }
        ScriptOutcome::NotLooked(error) => format!("nothing, nobody can look now: {}", errno(error)),
        ScriptOutcome::ProbeFailed(failure) => probe(failure),
    }
}

/// How a run of a check ended.
pub(crate) fn ended(outcome: ScriptOutcome) -> String {
    match outcome {
        ScriptOutcome::Exited(status) => format!("exited with status {status}"),
        ScriptOutcome::Signalled(signal) => format!("ended by signal {signal}"),
        ScriptOutcome::NotStarted(error) => format!("could not be started: {}", errno(error)),
        ScriptOutcome::NotLooked(error) => format!("could not be made: {}", errno(error)),
        ScriptOutcome::ProbeFailed(failure) => probe(failure),
    }
}

/// What a probe that needs no program found.
fn probe(failure: ProbeFailure) -> String {
    match failure {
        ProbeFailure::System(error) => errno(error),
        ProbeFailure::HttpStatus(status) => format!("HTTP status {status}"),
        ProbeFailure::Nonsense => "an answer that is not of its protocol".to_owned(),
        ProbeFailure::TooOld(seconds) => format!("last changed {seconds} s ago"),
        ProbeFailure::NoProcess => "no such process".to_owned(),
    }
}

fn errno(error: i32) -> String {
    linux::Error::new("", error).cause()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use engine::{
        AnnouncePolicy, Authentication, Config, Deviations, Family, Interval, Name, Priority, RouterConfig, Transport,
        Version, Vrid,
    };

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 3));
    const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100));
    const ROUTER: RouterId = RouterId(0);
    const ETH0: LinkId = LinkId(0);

    /// One instance VI_1 on eth0, VRID 51, priority 150.
    pub(crate) fn engine() -> Engine {
        let router = RouterConfig {
            name: Name::from("VI_1"),
            link: Name::from("eth0"),
            vrid: Vrid::new(51).expect("51 is a VRID"),
            family: Family::Ipv4,
            version: Version::V2,
            priority: Priority::new(150),
            advertisement_interval: Interval::SECOND,
            preempt_mode: true,
            preempt_delay: Duration::ZERO,
            transport: Transport::Multicast { group: Ipv4Addr::new(224, 0, 0, 18).into(), source: None },
            authentication: Authentication::None,
            addresses: Vec::new(),
            excluded_addresses: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            track_groups: Vec::new(),
            skip_check_adv_addr: false,
            deviations: Deviations::default(),
            announce: AnnouncePolicy::default(),
            track_links: Vec::new(),
            ignore_own_link: false,
            track_scripts: Vec::new(),
            trackers: Vec::new(),
            services: Vec::new(),
        };
        Engine::new(Config { routers: vec![router], ..Config::default() }, 0)
    }

    pub(crate) fn check(event: &Event, expected: &[&str]) {
        let texts: Vec<String> = lines(&engine(), event).into_iter().map(|line| line.text).collect();
        assert_eq!(texts, expected, "{event:?}");
    }

    #[test]
    fn an_instance_of_ipv6_lacks_an_address_of_ipv6() {
        let mut config = engine().config().clone();
        config.routers[0].family = Family::Ipv6;
        let event = Event::FaultRaised { router: ROUTER, reason: FaultReason::NoPrimaryAddress };
        let lines = lines(&Engine::new(config, 0), &event);
        assert_eq!(lines[0].text, "(VI_1) entering FAULT state (no IPv6 address for interface)");
    }

    fn changed(from: StateName, to: StateName, cause: Cause) -> Event {
        Event::StateChanged { router: ROUTER, from, to, cause }
    }

    #[test]
    fn changes_of_state_read_as_keepalived_users_know_them() {
        use StateName::{Active, Backup, Initialize};
        let hundred = Priority::new(100);
        check(&changed(Initialize, Backup, Cause::Started), &["(VI_1) Entering BACKUP STATE (init)"]);
        check(
            &changed(Backup, Active, Cause::ActiveDownTimer),
            &["(VI_1) Receive advertisement timeout", "(VI_1) Entering MASTER STATE"],
        );
        check(
            &changed(Active, Backup, Cause::HigherPriority { from: PEER, priority: Priority::new(200) }),
            &[
                "(VI_1) Master received advert from 192.0.2.2 with higher priority 200, ours 150",
                "(VI_1) Entering BACKUP STATE",
            ],
        );
        check(
            &changed(Active, Backup, Cause::HigherAddress { from: PEER, priority: hundred }),
            &[
                "(VI_1) Master received advert from 192.0.2.2 with same priority 100 but higher IP address than ours",
                "(VI_1) Entering BACKUP STATE",
            ],
        );
        check(&changed(Active, Initialize, Cause::Fault), &["(VI_1) Entering FAULT STATE"]);
        check(&changed(Active, Initialize, Cause::Stopped), &["(VI_1) Stopped"]);
    }

    #[test]
    fn faults_name_their_reason() {
        let raised = |reason| Event::FaultRaised { router: ROUTER, reason };
        check(&raised(FaultReason::LinkDown(ETH0)), &["(VI_1): entering FAULT state (interface eth0 down)"]);
        check(
            &raised(FaultReason::LinkAbsent(ETH0)),
            &["(VI_1): entering FAULT state (interface eth0 does not exist)"],
        );
        check(
            &raised(FaultReason::ScriptFailed(Name::from("chk"))),
            &["(VI_1): entering FAULT state due to script chk"],
        );
        check(&raised(FaultReason::NoPrimaryAddress), &["(VI_1) entering FAULT state (no IPv4 address for interface)"]);
    }

    #[test]
    fn packets_and_addresses_carry_the_facts_that_people_search_for() {
        let (ninety, ours) = (Priority::new(90), Priority::new(150));
        check(
            &Event::LosingAdvertisementAnswered { router: ROUTER, from: PEER, priority: ninety, ours },
            &["(VI_1) Received advert from 192.0.2.2 with lower priority 90, ours 150, forcing new election"],
        );
        check(
            &Event::LowerPriorityIgnored { router: ROUTER, from: PEER, priority: ninety },
            &["(VI_1) received lower priority (90) advert from 192.0.2.2 - discarding"],
        );
        check(
            &Event::ResignationHeard { router: ROUTER, from: PEER },
            &["(VI_1) Backup received priority 0 advertisement from 192.0.2.2"],
        );
        check(&Event::Resigned { router: ROUTER }, &["(VI_1) sent 0 priority"]);
        check(
            &Event::ActiveRouterChanged { router: ROUTER, from: Some(PEER), to: OTHER },
            &["(VI_1) master changed from 192.0.2.2 to 192.0.2.3"],
        );
        check(&Event::AddressesWanted { router: ROUTER }, &["(VI_1) setting VIPs."]);
        check(&Event::AddressesReleased { router: ROUTER }, &["(VI_1) removing VIPs."]);
        check(
            &Event::Announcing { router: ROUTER, link: ETH0, address: VIP },
            &["(VI_1) Sending/queueing gratuitous ARPs on eth0 for 192.0.2.100"],
        );
        let address = std::net::Ipv6Addr::LOCALHOST.into();
        check(
            &Event::Announcing { router: ROUTER, link: ETH0, address },
            &["(VI_1) Sending/queueing Unsolicited Neighbour Adverts on eth0 for ::1"],
        );
        check(
            &Event::Odd { router: ROUTER, from: PEER, oddity: Oddity::AddressMissing(VIP) },
            &["(VI_1) ip address associated with VRID 51 not present in advert from 192.0.2.2: 192.0.2.100"],
        );
        check(
            &Event::Odd { router: ROUTER, from: PEER, oddity: Oddity::AddressCount { received: 2, expected: 1 } },
            &["(VI_1) expected 1 VIPs but received 2 from 192.0.2.2"],
        );
        check(
            &Event::PriorityChanged { router: ROUTER, from: ours, to: ninety },
            &["(VI_1) Changing effective priority from 150 to 90"],
        );
        check(&Event::SendFailed { router: ROUTER, error: 1 }, &["(VI_1) send advertisement: operation not permitted"]);
    }

    #[test]
    fn checks_and_interfaces_are_told_by_name() {
        let script = Name::from("chk");
        let outcome = ScriptOutcome::Exited(1);
        check(&Event::ScriptSucceeded { script: script.clone() }, &["VRRP_Script(chk) succeeded"]);
        check(
            &Event::ScriptFailed { script: script.clone(), outcome: Some(outcome) },
            &["VRRP_Script(chk) failed (exited with status 1)"],
        );
        check(&Event::ScriptReturned { script: script.clone(), outcome }, &["Script `chk` now returning 1"]);
        check(
            &Event::ScriptTimedOut { script, timeout: Duration::from_secs(2) },
            &["VRRP_Script(chk) timed_out after 2s"],
        );
        check(&Event::LinkChanged { link: ETH0, condition: LinkCondition::Down }, &["Netlink reports eth0 down"]);
    }
}
