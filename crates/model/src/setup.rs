//! What the two nodes are told to be. All times lie on one grid, so that the same situations come again and the states
//! are finite; none is chosen for speed.

use std::time::Duration;

use engine::{
    AnnouncePolicy, Authentication, Budget, Config, Deviations, Failback, Family, Instant, Interval, Name,
    OnManualStop, PairConfig, PairKey, Priority, RouterConfig, ServiceConfig, Transport, Version, VirtualAddress, Vrid,
};

/// How the nodes are called.
pub(crate) const NODES: [&str; 2] = ["a", "b"];
/// The only service.
pub(crate) const SERVICE: &str = "job";
/// The key of the pair.
pub(crate) const KEY: [u8; PairKey::LENGTH] = [7; PairKey::LENGTH];
/// When everything begins: late enough for whatever is set to the arbitrary start of time to be old.
pub(crate) const BEGINNING: Instant = Instant::from_millis(1_000_000);
/// Nothing that lies further back makes a difference: all spans below are shorter.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_secs(8);

/// So many good assessments in a row make up for a failure.
pub(crate) const READINESS_RISE: u32 = 1;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn service() -> ServiceConfig {
    ServiceConfig {
        name: Name::from(SERVICE),
        checks: Vec::new(),
        start_grace: ms(2_000),
        start_timeout: ms(2_000),
        stop_timeout: ms(1_000),
        restart: Budget { limit: 1, within: ms(5_000) },
        max_moves: Budget { limit: 3, within: ms(7_000) },
        on_manual_stop: OnManualStop::Failover,
        failback: Failback::Auto,
        readiness_interval: ms(1_000),
        readiness_rise: READINESS_RISE,
        while_active: Vec::new(),
    }
}

/// One router with one address and one service. `comes_back`: the better node takes the role back by itself.
pub(crate) fn config(node: usize, comes_back: bool) -> Config {
    let router = RouterConfig {
        name: Name::from("VI_1"),
        link: Name::from("eth0"),
        vrid: Vrid::new(51).expect("51 is a number of a virtual router"),
        family: Family::Ipv4,
        version: Version::V2,
        // Skew times of 250 and 500 ms.
        priority: Priority::new([192, 128][node]),
        advertisement_interval: Interval::SECOND,
        preempt_mode: comes_back,
        preempt_delay: Duration::ZERO,
        transport: Transport::Multicast { group: engine::wire::GROUP.into(), source: None },
        authentication: Authentication::None,
        addresses: vec![VirtualAddress::new([192, 0, 2, 100].into(), 24)],
        excluded_addresses: Vec::new(),
        routes: Vec::new(),
        rules: Vec::new(),
        track_groups: Vec::new(),
        skip_check_adv_addr: false,
        deviations: Deviations::default(),
        announce: AnnouncePolicy {
            delay: Duration::ZERO,
            lower_priority_delay: Duration::ZERO,
            ..AnnouncePolicy::default()
        },
        track_links: Vec::new(),
        ignore_own_link: false,
        track_scripts: Vec::new(),
        trackers: Vec::new(),
        services: vec![Name::from(SERVICE)],
    };
    let pair = PairConfig {
        node: Name::from(NODES[node]),
        paths: 1,
        key: PairKey::from(KEY),
        heartbeat: ms(500),
        dead_after: ms(1_500),
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
