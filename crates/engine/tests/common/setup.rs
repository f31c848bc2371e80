//! Configurations as text, one line for each router, check, service or peer:
//!
//! ```text
//! static address 198.51.100.1/24@eth1 group G
//! router a vrid 51 priority 100 interval 1 addresses 192.0.2.100/24,192.0.2.101/24@eth1 track_script chk:-30
//! script chk interval 1 timeout 1 rise 2 fall 3 init_fail
//! file load /run/load
//! process web nginx quorum 2 most 4 fork 1 terminate 2
//! service job of a restart 1/60 moves 3/600 check web interval 1 timeout 1 rise 1 fall 3
//! group G a,b
//! pair heartbeat 10 dead_after 50
//! ```
//!
//! A router that says nothing is number 51 of version 2 on eth0 with priority 100, an interval of 1 s and the
//! address 192.0.2.100/24; with `ipv6`, which comes first, of version 3 with fe80::100/64 and 2001:db8::100/64. It announces once and never again, so that timelines stay short. A service is of the first
//! router unless told otherwise, and never assessed again in a timeline; what follows `check` is of that check.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tanist_engine::{
    AnnounceElsewhere, AnnounceGroup, AnnouncePolicy, AntiReplay, Authentication, Budget, ChecksumPolicy, Config,
    Deviations, Failback, Family, GroupConfig, HmacKey, HmacMode, HmacPolicy, Interval, LinkDelay, Measure, Name,
    Network, NextHop, OnManualStop, PairConfig, PairKey, Priority, Route, RouterConfig, Rule, RuleAction, ScriptConfig,
    ServiceConfig, Static, Statics, Tracked, TrackedLink, TrackedScript, TrackerConfig, TrackerKind, TrackerName,
    Transport, Version, VirtualAddress, Vrid, Weight, When,
};

use super::packet::key_octets;

/// A router that says nothing.
pub(crate) fn router(name: &str) -> RouterConfig {
    RouterConfig {
        name: Name::from(name),
        link: Name::from("eth0"),
        vrid: vrid(51),
        family: Family::Ipv4,
        version: Version::V2,
        priority: Priority::new(100),
        advertisement_interval: Interval::SECOND,
        preempt_mode: true,
        preempt_delay: Duration::ZERO,
        transport: Transport::Multicast { group: address("224.0.0.18"), source: None },
        authentication: Authentication::None,
        addresses: vec![virtual_address("192.0.2.100/24")],
        excluded_addresses: Vec::new(),
        routes: Vec::new(),
        rules: Vec::new(),
        track_groups: Vec::new(),
        skip_check_adv_addr: false,
        deviations: Deviations::default(),
        announce: AnnouncePolicy {
            repeat: 1,
            delay: Duration::ZERO,
            lower_priority_repeat: 1,
            lower_priority_delay: Duration::ZERO,
            ..AnnouncePolicy::default()
        },
        track_links: Vec::new(),
        ignore_own_link: false,
        track_scripts: Vec::new(),
        trackers: Vec::new(),
        services: Vec::new(),
    }
}

/// The configuration that these lines describe.
pub(crate) fn config(lines: &[&str]) -> Config {
    let mut config = Config::default();
    for line in lines {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("router") => config.routers.push(router_line(words)),
            Some("static") => static_line(&mut config.statics, words),
            Some("script") => config.scripts.push(script_line(words)),
            Some("file") => config.trackers.push(tracker_line(Measure::Number, words)),
            Some("process") => config.trackers.push(tracker_line(one_process(), words)),
            Some("service") => service_line(&mut config, words),
            Some("group") => config.groups.push(group_line(words)),
            Some("delay") => link_delay_line(&mut config, words),
            Some("pace") => config.announce_groups.push(pace_line(words)),
            Some("pair") => config.pair = Some(pair_line(words)),
            other => panic!("neither router nor script nor service nor group nor pair: {other:?}"),
        }
    }
    config
}

fn router_line<'t>(mut words: impl Iterator<Item = &'t str>) -> RouterConfig {
    let mut router = router(words.next().expect("a router has a name"));
    let mut unicast_source = None;
    while let Some(key) = words.next() {
        match key {
            "ipv6" => {
                (router.family, router.version) = (Family::Ipv6, Version::V3);
                router.transport = Transport::Multicast { group: address("ff02::12"), source: None };
                router.addresses = virtual_addresses("fe80::100/64,2001:db8::100/64");
            }
            "nopreempt" => router.preempt_mode = false,
            "skip_check_adv_addr" => router.skip_check_adv_addr = true,
            "ignore_own_link" => router.ignore_own_link = true,
            "silent_winner" => router.deviations.silent_winner = true,
            "silent_loser" => router.deviations.silent_loser = true,
            "owner_ignores_others" => router.deviations.owner_ignores_others = true,
            "only_from_peers" => router.deviations.only_from_peers = true,
            _ => {
                let value = words.next().unwrap_or_else(|| panic!("{key} needs a value"));
                let policy = &mut router.announce;
                match key {
                    "link" => router.link = Name::from(value),
                    "vrid" => router.vrid = vrid(number(value)),
                    "version" => router.version = if value == "3" { Version::V3 } else { Version::V2 },
                    "priority" => router.priority = Priority::new(number(value)),
                    "interval" => router.advertisement_interval = interval(value),
                    "preempt_delay" => router.preempt_delay = seconds(value),
                    "password" => router.authentication = Authentication::SimplePassword(password(value).into()),
                    "header" => router.authentication = Authentication::Header(password(value).into()),
                    "hmac" => router.authentication = Authentication::Hmac(Box::new(hmac(value))),
                    "hmac_keys" => {
                        let keys = value.split(',').map(number).map(|key| (key, hmac_key(key)));
                        policy_of(&mut router).keys = keys.collect();
                    }
                    "hmac_mode" => {
                        policy_of(&mut router).mode = match value {
                            "enforce" => HmacMode::Enforce,
                            "permissive" => HmacMode::Permissive,
                            "receive-only" => HmacMode::ReceiveOnly,
                            _ => panic!("unknown mode {value}"),
                        }
                    }
                    "hmac_replay" => {
                        policy_of(&mut router).anti_replay = match value {
                            "monotonic" => AntiReplay::Monotonic,
                            window => AntiReplay::Time { window: number(window) },
                        }
                    }
                    "missed" => router.deviations.missed_advertisements = number(value),
                    "others_priority" => router.deviations.others_priority = Some(Priority::new(number(value))),
                    "peer_ttl" => {
                        let [peer, least, greatest] = value.split('/').collect::<Vec<_>>()[..] else {
                            panic!("a peer, its least and its greatest TTL")
                        };
                        router.deviations.peer_ttl.push((address(peer), number(least), number(greatest)));
                    }
                    "checksum" => {
                        router.deviations.checksum = match value {
                            "message" => ChecksumPolicy::MessageOnly,
                            "old" => ChecksumPolicy::OldUnicast,
                            "never-old" => ChecksumPolicy::NeverOldUnicast,
                            _ => panic!("unknown checksum {value}"),
                        }
                    }
                    "group" => router.transport = Transport::Multicast { group: address(value), source: None },
                    "source" => unicast_source = Some(address(value)),
                    "peers" => {
                        let peers = if value == "none" { "" } else { value };
                        let peers = peers.split_terminator(',').map(address).collect();
                        router.transport = Transport::Unicast { source: None, peers, ttl: 255 };
                    }
                    "ttl" => match &mut router.transport {
                        Transport::Unicast { ttl, .. } => *ttl = number(value),
                        Transport::Multicast { .. } => panic!("ttl comes after peers"),
                    },
                    "addresses" => router.addresses = virtual_addresses(value),
                    "routes" => router.routes = value.split(',').map(|text| Arc::new(route(text))).collect(),
                    "rules" => router.rules = value.split(',').map(|text| Arc::new(rule(text))).collect(),
                    "groups" => router.track_groups = value.split(',').map(Name::from).collect(),
                    "excluded" => router.excluded_addresses = virtual_addresses(value),
                    "track_link" => {
                        let (link, weight) = tracked(value);
                        router.track_links.push(TrackedLink { link, weight });
                    }
                    "track_script" => {
                        let (script, weight) = tracked(value);
                        router.track_scripts.push(TrackedScript { script, weight });
                    }
                    "track_file" => router.trackers.push(tracked_figure(TrackerKind::File, value)),
                    "track_process" => router.trackers.push(tracked_figure(TrackerKind::Process, value)),
                    "repeat" => policy.repeat = number(value),
                    "delay" => policy.delay = seconds(value),
                    "refresh" => policy.refresh = Some(seconds(value)),
                    "refresh_repeat" => policy.refresh_repeat = number(value),
                    "lower_repeat" => policy.lower_priority_repeat = number(value),
                    "lower_delay" => policy.lower_priority_delay = seconds(value),
                    "elsewhere" => {
                        let [every, links] = value.split('@').collect::<Vec<_>>()[..] else {
                            panic!("a time and interfaces")
                        };
                        let links = links.split(',').map(Name::from).collect();
                        policy.elsewhere = Some(AnnounceElsewhere { every: seconds(every), links });
                    }
                    "pacing" => policy.pacing = seconds(value),
                    "neighbour_pacing" => policy.neighbour_pacing = seconds(value),
                    _ => panic!("unknown word {key}"),
                }
            }
        }
    }
    if let Some(configured) = unicast_source {
        match &mut router.transport {
            Transport::Unicast { source, .. } | Transport::Multicast { source, .. } => *source = Some(configured),
        }
    }
    router
}

/// Keys 1 and 2, sealing with the one of this number, within 5 s.
fn hmac(active_key: &str) -> HmacPolicy {
    HmacPolicy {
        keys: [1, 2].map(|key| (key, hmac_key(key))).into(),
        active_key: number(active_key),
        mode: HmacMode::Enforce,
        anti_replay: AntiReplay::Time { window: 5 },
    }
}

fn hmac_key(number: u8) -> HmacKey {
    HmacKey::new(&key_octets(number)).expect("32 octets")
}

fn policy_of(router: &mut RouterConfig) -> &mut HmacPolicy {
    match &mut router.authentication {
        Authentication::Hmac(policy) => policy,
        other => panic!("`hmac` comes first, this is {other:?}"),
    }
}

fn group_line<'t>(mut words: impl Iterator<Item = &'t str>) -> GroupConfig {
    let names = |list: &str| list.split(',').map(Name::from).collect();
    let name = Name::from(words.next().expect("a group has a name"));
    let members = names(words.next().expect("a group has members"));
    GroupConfig { name, members }
}

/// Interfaces and the time between two of their announcements, of either family.
fn pace_line<'t>(mut words: impl Iterator<Item = &'t str>) -> AnnounceGroup {
    let links = words.next().expect("interfaces").split(',').map(Name::from).collect();
    let pacing = seconds(words.next().expect("a time"));
    AnnounceGroup { links, pacing, neighbour_pacing: pacing }
}

/// An interface and how long it must be down, and up.
fn link_delay_line<'t>(config: &mut Config, mut words: impl Iterator<Item = &'t str>) {
    let mut next = || words.next().expect("an interface, down and up");
    let name = Name::from(next());
    let delay = LinkDelay { down: seconds(next()), up: seconds(next()) };
    config.link_delays.insert(name, delay);
}

fn check(name: &str) -> ScriptConfig {
    let second = Duration::from_secs(1);
    let name = Name::from(name);
    ScriptConfig { name, interval: second, timeout: second, rise: 1, fall: 1, init_fail: false, when: When::Both }
}

fn script_line<'t>(mut words: impl Iterator<Item = &'t str>) -> ScriptConfig {
    let mut script = check(words.next().expect("a check has a name"));
    while let Some(key) = words.next() {
        if key == "init_fail" {
            script.init_fail = true;
            continue;
        }
        let value = words.next().unwrap_or_else(|| panic!("{key} needs a value"));
        set_check(&mut script, key, value);
    }
    script
}

fn one_process() -> Measure {
    Measure::Count { least: 1, most: None, fork_delay: Duration::ZERO, terminate_delay: Duration::ZERO }
}

fn tracker_line<'t>(mut measure: Measure, mut words: impl Iterator<Item = &'t str>) -> TrackerConfig {
    let name = Name::from(words.next().expect("a tracker has a name"));
    let subject = Name::from(words.next().expect("a tracker has a subject"));
    while let Some(key) = words.next() {
        let value = words.next().unwrap_or_else(|| panic!("{key} needs a value"));
        let Measure::Count { least, most, fork_delay, terminate_delay } = &mut measure else {
            panic!("a file has no {key}")
        };
        match key {
            "quorum" => *least = number(value),
            "most" => *most = Some(number(value)),
            "fork" => *fork_delay = seconds(value),
            "terminate" => *terminate_delay = seconds(value),
            _ => panic!("unknown word {key}"),
        }
    }
    TrackerConfig { name, subject, measure }
}

fn tracked_figure(kind: TrackerKind, text: &str) -> Tracked {
    let (name, weight) = tracked(text);
    Tracked { tracker: TrackerName { kind, name }, weight }
}

fn set_check(script: &mut ScriptConfig, key: &str, value: &str) {
    match key {
        "interval" => script.interval = seconds(value),
        "timeout" => script.timeout = seconds(value),
        "rise" => script.rise = number(value),
        "fall" => script.fall = number(value),
        "when" => {
            script.when = match value {
                "active" => When::Active,
                "standby" => When::Standby,
                _ => panic!("unknown role {value}"),
            }
        }
        _ => panic!("unknown word {key}"),
    }
}

fn service_line<'t>(config: &mut Config, mut words: impl Iterator<Item = &'t str>) {
    let name = Name::from(words.next().expect("a service has a name"));
    let mut service = ServiceConfig {
        name: name.clone(),
        checks: Vec::new(),
        start_grace: Duration::from_secs(10),
        start_timeout: Duration::from_secs(30),
        stop_timeout: Duration::from_secs(5),
        restart: Budget { limit: 1, within: Duration::from_secs(60) },
        max_moves: Budget { limit: 3, within: Duration::from_secs(600) },
        on_manual_stop: OnManualStop::Failover,
        failback: Failback::Auto,
        readiness_interval: Duration::from_secs(1_000_000),
        readiness_rise: 1,
        while_active: Vec::new(),
    };
    let mut owner = 0;
    while let Some(key) = words.next() {
        let value = words.next().unwrap_or_else(|| panic!("{key} needs a value"));
        match key {
            "of" => {
                let place = config.routers.iter().position(|router| &*router.name == value);
                owner = place.unwrap_or_else(|| panic!("there is no router {value} before"));
            }
            "check" => service.checks.push(check(value)),
            "interval" | "timeout" | "rise" | "fall" => {
                set_check(service.checks.last_mut().expect("a check comes before its figures"), key, value);
            }
            "grace" => service.start_grace = seconds(value),
            "start_timeout" => service.start_timeout = seconds(value),
            "stop_timeout" => service.stop_timeout = seconds(value),
            "restart" => service.restart = budget(value),
            "moves" => service.max_moves = budget(value),
            "by_hand" => {
                service.on_manual_stop = match value {
                    "failover" => OnManualStop::Failover,
                    "restart" => OnManualStop::Restart,
                    "maintenance" => OnManualStop::Maintenance,
                    _ => panic!("unknown policy {value}"),
                }
            }
            "failback" => {
                service.failback = match value {
                    "auto" => Failback::Auto,
                    "manual" => Failback::Manual,
                    "never" => Failback::Never,
                    _ => panic!("unknown policy {value}"),
                }
            }
            "assess" => service.readiness_interval = seconds(value),
            "ready_after" => service.readiness_rise = number(value),
            "every" => service.while_active.push(seconds(value)),
            _ => panic!("unknown word {key}"),
        }
    }
    config.services.push(service);
    config.routers.get_mut(owner).expect("a router comes before its services").services.push(name);
}

/// `3/60`: three within 60 s.
fn budget(text: &str) -> Budget {
    let (limit, within) = text.split_once('/').expect("a budget is so many within so long");
    Budget { limit: number(limit), within: seconds(within) }
}

fn pair_line<'t>(mut words: impl Iterator<Item = &'t str>) -> PairConfig {
    let mut pair = PairConfig {
        node: Name::from("here"),
        paths: 1,
        key: PairKey::from([7; 32]),
        heartbeat: Duration::from_secs(10),
        dead_after: Duration::from_secs(50),
        terms: Vec::new(),
    };
    while let Some(key) = words.next() {
        let value = words.next().unwrap_or_else(|| panic!("{key} needs a value"));
        match key {
            "heartbeat" => pair.heartbeat = seconds(value),
            "dead_after" => pair.dead_after = seconds(value),
            _ => panic!("unknown word {key}"),
        }
    }
    pair
}

/// `eth1`, `eth1:-30`, `eth1:30:reverse`, `eth1:0:reverse`.
fn tracked(text: &str) -> (Name, Weight) {
    let mut parts = text.split(':');
    let name = Name::from(parts.next().expect("split gives at least one"));
    let weight = parts.next().map_or(0, number);
    let weight = match (weight, parts.next()) {
        (0, None) => Weight::Fault,
        (0, Some(_)) => Weight::ReversedFault,
        (weight, None) => Weight::Priority(weight),
        (weight, Some(_)) => Weight::Reversed(weight),
    };
    (name, weight)
}

fn virtual_addresses(text: &str) -> Vec<VirtualAddress> {
    if text == "none" { Vec::new() } else { text.split(',').map(virtual_address).collect() }
}

/// `address 198.51.100.1/24@eth1`, `route 10.0.1.0/24@eth1`, `rule 100@eth1`, and perhaps `group G`.
fn static_line<'t>(statics: &mut Statics, mut words: impl Iterator<Item = &'t str>) {
    let (kind, text) = (words.next().expect("a kind"), words.next().expect("what is there"));
    let group = words.next().map(|word| {
        assert_eq!(word, "group", "nothing else is said of it");
        Name::from(words.next().expect("a group has a name"))
    });
    match kind {
        "address" => statics.addresses.push(Static { what: virtual_address(text), group }),
        "route" => statics.routes.push(Static { what: Arc::new(route(text)), group }),
        "rule" => statics.rules.push(Static { what: Arc::new(rule(text)), group }),
        other => panic!("nothing static is a {other}"),
    }
}

/// `10.0.1.0/24`, `10.0.1.0/24@eth1`, `10.0.1.0/24@eth1+eth2` over both, with `!` if nobody tracks it.
fn route(text: &str) -> Route {
    let tracked = !text.ends_with('!');
    let (network, links) = text.trim_end_matches('!').split_once('@').unwrap_or((text, ""));
    let (place, prefix) = network.trim_end_matches('!').split_once('/').expect("a network has a prefix length");
    let destination = Network { address: address(place), prefix: number(prefix) };
    let hop = |name| NextHop { link: Some(Name::from(name)), ..NextHop::default() };
    let hops = links.split('+').filter(|name| !name.is_empty()).map(hop).collect();
    Route { hops, tracked, ..Route::to(destination) }
}

/// `100`: a rule of that preference; `100@eth1`: for what comes in by eth1; with `!` if nobody tracks it.
fn rule(text: &str) -> Rule {
    let tracked = !text.ends_with('!');
    let (preference, link) = match text.trim_end_matches('!').split_once('@') {
        Some((preference, link)) => (preference, Some(Name::from(link))),
        None => (text.trim_end_matches('!'), None),
    };
    let all = Rule::about_all(Family::Ipv4, number(preference), RuleAction::Nop);
    Rule { incoming: link, tracked, ..all }
}

/// `192.0.2.100/24`, `192.0.2.100/24@eth1`, with `!` if nobody tracks it.
pub(crate) fn virtual_address(text: &str) -> VirtualAddress {
    let (text, tracked) = text.strip_suffix('!').map_or((text, true), |text| (text, false));
    let (text, link) = text.split_once('@').map_or((text, None), |(text, link)| (text, Some(Name::from(link))));
    let (place, prefix) = text.split_once('/').expect("a virtual address has a prefix length");
    VirtualAddress { link, tracked, ..VirtualAddress::new(address(place), number(prefix)) }
}

pub(crate) fn vrid(value: u8) -> Vrid {
    Vrid::new(value).expect("a VRID is not zero")
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

pub(crate) fn password(text: &str) -> [u8; 8] {
    let mut octets = [0; 8];
    octets[..text.len()].copy_from_slice(text.as_bytes());
    octets
}

pub(crate) fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number that fits"))
}

/// Seconds with up to nine decimals.
pub(crate) fn seconds(text: &str) -> Duration {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    Duration::new(number(whole), number(&format!("{decimals:0<9}")))
}

fn interval(text: &str) -> Interval {
    let centiseconds = seconds(text).as_millis() / 10;
    let centiseconds = u16::try_from(centiseconds).ok().and_then(Interval::from_centiseconds);
    centiseconds.unwrap_or_else(|| panic!("{text} is no interval"))
}
