//! What the two nodes are told to be.

use std::time::Duration;

use tanist_engine::{
    AnnouncePolicy, Authentication, Budget, Config, Deviations, Failback, Family, Instant, Interval, Name,
    OnManualStop, PairConfig, PairKey, Priority, RouterConfig, ServiceConfig, Transport, Version, VirtualAddress, Vrid,
};

/// How the nodes are called.
pub(crate) const NODES: [&str; 2] = ["a", "b"];

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

fn service() -> ServiceConfig {
    ServiceConfig {
        name: Name::from("job"),
        checks: Vec::new(),
        start_grace: ms(10_000),
        start_timeout: ms(30_000),
        stop_timeout: ms(5_000),
        restart: Budget { limit: 1, within: ms(60_000) },
        max_moves: Budget { limit: 3, within: ms(600_000) },
        on_manual_stop: OnManualStop::Failover,
        failback: Failback::Auto,
        readiness_interval: ms(5_000),
        readiness_rise: 2,
        while_active: Vec::new(),
    }
}

/// Node a with priority 150 and node b with 100, one router with one address and one service, and the pair.
pub(crate) fn config(node: usize) -> Config {
    let router = RouterConfig {
        name: Name::from("VI_1"),
        link: Name::from("eth0"),
        vrid: Vrid::new(51).unwrap(),
        family: Family::Ipv4,
        version: Version::V2,
        priority: Priority::new(if node == 0 { 150 } else { 100 }),
        advertisement_interval: Interval::SECOND,
        preempt_mode: true,
        preempt_delay: Duration::ZERO,
        transport: Transport::Multicast { group: "224.0.0.18".parse().unwrap(), source: None },
        authentication: Authentication::None,
        addresses: vec![VirtualAddress::new("192.0.2.100".parse().unwrap(), 24)],
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
        services: vec![Name::from("job")],
    };
    let pair = PairConfig {
        node: Name::from(NODES[node]),
        paths: 1,
        key: PairKey::from([7; 32]),
        heartbeat: ms(100),
        dead_after: ms(800),
        terms: Vec::new(),
    };
    Config {
        scripts: Vec::new(),
        routers: vec![router],
        services: vec![service()],
        pair: Some(pair),
        ..Config::default()
    }
}
