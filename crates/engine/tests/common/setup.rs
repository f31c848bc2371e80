//! Configurations as text, one line for each router or check:
//!
//! ```text
//! router a vrid 51 priority 100 interval 1 addresses 192.0.2.100/24,192.0.2.101/24@eth1 track_script chk:-30
//! script chk interval 1 timeout 1 rise 2 fall 3 init_fail
//! ```
//!
//! A router that says nothing is number 51 of version 2 on eth0 with priority 100, an interval of 1 s and the
//! address 192.0.2.100/24. It announces once and never again, so that timelines stay short.

use std::net::IpAddr;
use std::time::Duration;

use tanist_engine::{
    AnnouncePolicy, Authentication, Config, Family, Interval, Name, Priority, RouterConfig, Scope, ScriptConfig,
    TrackedLink, TrackedScript, Transport, Version, VirtualAddress, Vrid, Weight,
};

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
        skip_check_adv_addr: false,
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
    }
}

/// The configuration that these lines describe.
pub(crate) fn config(lines: &[&str]) -> Config {
    let mut config = Config::default();
    for line in lines {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("router") => config.routers.push(router_line(words)),
            Some("script") => config.scripts.push(script_line(words)),
            other => panic!("neither router nor script: {other:?}"),
        }
    }
    config
}

fn router_line<'t>(mut words: impl Iterator<Item = &'t str>) -> RouterConfig {
    let mut router = router(words.next().expect("a router has a name"));
    let mut unicast_source = None;
    while let Some(key) = words.next() {
        match key {
            "nopreempt" => router.preempt_mode = false,
            "skip_check_adv_addr" => router.skip_check_adv_addr = true,
            "ignore_own_link" => router.ignore_own_link = true,
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
                    "password" => router.authentication = Authentication::SimplePassword(password(value)),
                    "source" => unicast_source = Some(address(value)),
                    "peers" => {
                        let peers = value.split(',').map(address).collect();
                        router.transport = Transport::Unicast { source: None, peers, ttl: 255 };
                    }
                    "ttl" => match &mut router.transport {
                        Transport::Unicast { ttl, .. } => *ttl = number(value),
                        Transport::Multicast { .. } => panic!("ttl comes after peers"),
                    },
                    "addresses" => router.addresses = virtual_addresses(value),
                    "excluded" => router.excluded_addresses = virtual_addresses(value),
                    "track_link" => {
                        let (link, weight) = tracked(value);
                        router.track_links.push(TrackedLink { link, weight });
                    }
                    "track_script" => {
                        let (script, weight) = tracked(value);
                        router.track_scripts.push(TrackedScript { script, weight });
                    }
                    "repeat" => policy.repeat = number(value),
                    "delay" => policy.delay = seconds(value),
                    "refresh" => policy.refresh = Some(seconds(value)),
                    "refresh_repeat" => policy.refresh_repeat = number(value),
                    "lower_repeat" => policy.lower_priority_repeat = number(value),
                    "lower_delay" => policy.lower_priority_delay = seconds(value),
                    "pacing" => policy.pacing = seconds(value),
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

fn script_line<'t>(mut words: impl Iterator<Item = &'t str>) -> ScriptConfig {
    let second = Duration::from_secs(1);
    let name = Name::from(words.next().expect("a check has a name"));
    let mut script = ScriptConfig { name, interval: second, timeout: second, rise: 1, fall: 1, init_fail: false };
    while let Some(key) = words.next() {
        if key == "init_fail" {
            script.init_fail = true;
            continue;
        }
        let value = words.next().unwrap_or_else(|| panic!("{key} needs a value"));
        match key {
            "interval" => script.interval = seconds(value),
            "timeout" => script.timeout = seconds(value),
            "rise" => script.rise = number(value),
            "fall" => script.fall = number(value),
            _ => panic!("unknown word {key}"),
        }
    }
    script
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

/// `192.0.2.100/24`, `192.0.2.100/24@eth1`.
pub(crate) fn virtual_address(text: &str) -> VirtualAddress {
    let (text, link) = text.split_once('@').map_or((text, None), |(text, link)| (text, Some(Name::from(link))));
    let (place, prefix) = text.split_once('/').expect("a virtual address has a prefix length");
    VirtualAddress {
        address: address(place),
        prefix: number(prefix),
        link,
        scope: Scope::Global,
        label: None,
        broadcast: None,
    }
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
