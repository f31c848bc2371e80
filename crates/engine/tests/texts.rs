//! How routes and rules are written: in words that `ip`, or a configuration, would take.

use std::collections::BTreeMap;

use tanist_engine::{
    Encapsulation, Family, Name, Network, NextHop, Realms, Route, RouteKind, RouteMetric, RouteMetrics, RoutePosition,
    RouterPreference, Rule, RuleAction, Scope, Table, TunnelKey,
};

use crate::common::setup::address;

fn network(text: &str, prefix: u8) -> Network {
    Network { address: address(text), prefix }
}

fn hop(gateway: &str) -> NextHop {
    NextHop { gateway: Some(address(gateway)), ..NextHop::default() }
}

#[test]
fn a_route_with_nothing_said_is_short() {
    assert_eq!(Route::to(network("198.51.100.0", 24)).to_string(), "198.51.100.0/24");
    assert_eq!(Route::to(network("198.51.100.7", 32)).to_string(), "198.51.100.7");
    assert_eq!(Route::to(Network::everything(Family::Ipv4)).to_string(), "default");
    assert_eq!(Route::to(Network::everything(Family::Ipv6)).to_string(), "inet6 default");
}

#[test]
fn each_kind_of_route_has_its_word() {
    for (word, kind) in RouteKind::ALL {
        let text = Route { kind, ..Route::to(network("198.51.100.0", 24)) }.to_string();
        let expected = if kind == RouteKind::Unicast { String::new() } else { format!("{word} ") };
        assert_eq!(text, expected + "198.51.100.0/24");
    }
}

#[test]
fn a_route_says_all_that_was_said() {
    let metrics =
        [(RouteMetric::Mtu, (1400, true)), (RouteMetric::Rtt, (80, false)), (RouteMetric::Features, (1, false))];
    let route = Route {
        from: Some(network("2001:db8:1::", 48)),
        table: Table::Number(100),
        metric: Some(20),
        protocol: Some(17),
        source: Some(address("2001:db8::1")),
        hops: vec![NextHop { link: Some(Name::from("eth0")), onlink: true, ..hop("fe80::9") }],
        metrics: RouteMetrics { values: BTreeMap::from(metrics), congestion_control: Some((Name::from("bbr"), false)) },
        preference: RouterPreference::High,
        expires: Some(600),
        ttl_propagate: Some(false),
        position: RoutePosition::Append,
        tracked: false,
        ..Route::to(network("2001:db8:2::", 48))
    };
    assert_eq!(
        route.to_string(),
        "2001:db8:2::/48 from 2001:db8:1::/48 via fe80::9 dev eth0 onlink table 100 protocol 17 src 2001:db8::1 \
         metric 20 mtu lock 1400 rtt 80 features ecn congctl bbr pref high expires 600 ttl-propagate disabled append \
         no_track"
    );
    let route = Route {
        tos: 8,
        table: Table::Vrf(Name::from("red")),
        scope: Scope::Link,
        hops: vec![NextHop { realms: Some(Realms { from: 3, to: 4 }), weight: 5, ..hop("192.0.2.9") }],
        preference: RouterPreference::Low,
        ttl_propagate: Some(true),
        position: RoutePosition::Alone,
        ..Route::to(network("198.51.100.0", 24))
    };
    assert_eq!(
        route.to_string(),
        "198.51.100.0/24 tos 0x08 via 192.0.2.9 realms 3/4 vrf red scope link pref low ttl-propagate enabled add"
    );
}

/// One feature of TCP has a name, which is the first bit.
#[test]
fn features_without_a_name_are_a_number() {
    for (features, locked, words) in [(1, false, "ecn"), (1, true, "lock ecn"), (2, false, "2"), (3, false, "3")] {
        let metrics = RouteMetrics {
            values: BTreeMap::from([(RouteMetric::Features, (features, locked))]),
            ..RouteMetrics::default()
        };
        let text = Route { metrics, ..Route::to(network("198.51.100.0", 24)) }.to_string();
        assert_eq!(text, format!("198.51.100.0/24 features {words}"));
    }
}

#[test]
fn several_ways_stand_at_the_end_with_their_shares() {
    let realms = Some(Realms { from: 0, to: 4 });
    let hops = vec![hop("192.0.2.9"), NextHop { weight: 5, realms, ..hop("fe80::9") }];
    let route = Route { hops, tracked: false, ..Route::to(network("198.51.100.0", 24)) };
    assert_eq!(
        route.to_string(),
        "198.51.100.0/24 no_track nexthop via 192.0.2.9 nexthop via inet6 fe80::9 realms 4 weight 5"
    );
}

#[test]
fn what_packets_are_wrapped_in() {
    let check = |encapsulation: Encapsulation, expected: &str| {
        let hops = vec![NextHop { encapsulation: Some(encapsulation), ..NextHop::default() }];
        let text = Route { hops, ..Route::to(network("198.51.100.0", 24)) }.to_string();
        assert_eq!(text, format!("198.51.100.0/24 encap {expected}"));
    };
    check(Encapsulation::Mpls(vec![100]), "mpls 100");
    check(Encapsulation::Mpls(vec![100, 200, 300]), "mpls 100/200/300");
    check(Encapsulation::Ila(0x2001_0db8_0000_00ff), "ila 2001:db8:0:ff");
    check(Encapsulation::Ip(TunnelKey { id: 7, ..TunnelKey::default() }), "ip id 7");
    let key = TunnelKey {
        id: 7,
        destination: Some(address("203.0.113.2")),
        source: Some(address("203.0.113.1")),
        tos: 8,
        ttl: 64,
        flags: 3,
    };
    check(Encapsulation::Ip(key), "ip id 7 src 203.0.113.1 dst 203.0.113.2 tos 8 ttl 64 flags 3");
    check(Encapsulation::Ip6(key), "ip6 id 7 src 203.0.113.1 dst 203.0.113.2 tc 8 hoplimit 64 flags 3");
}

#[test]
fn a_rule_with_nothing_said_is_short() {
    let of = |family| Rule::about_all(family, 100, RuleAction::Lookup(Table::Number(7))).to_string();
    assert_eq!(of(Family::Ipv4), "from all table 7 preference 100");
    assert_eq!(of(Family::Ipv6), "inet6 from all table 7 preference 100");
    // An address says it as well.
    let rule = Rule {
        to: Some(network("2001:db8::", 32)),
        ..Rule::about_all(Family::Ipv6, 100, RuleAction::Lookup(Table::Number(7)))
    };
    assert_eq!(rule.to_string(), "from all to 2001:db8::/32 table 7 preference 100");
}

#[test]
fn each_action_of_a_rule_has_its_words() {
    let actions = [
        (RuleAction::Lookup(Table::Vrf(Name::from("red"))), "vrf red"),
        (RuleAction::LookupVrf, "l3mdev"),
        (RuleAction::Goto(300), "goto 300"),
        (RuleAction::Nop, "nop"),
        (RuleAction::Blackhole, "blackhole"),
        (RuleAction::Unreachable, "unreachable"),
        (RuleAction::Prohibit, "prohibit"),
    ];
    for (action, words) in actions {
        let text = Rule::about_all(Family::Ipv4, 100, action).to_string();
        assert_eq!(text, format!("from all {words} preference 100"));
    }
}

#[test]
fn a_rule_says_all_that_was_said() {
    let rule = Rule {
        inverted: true,
        from: Some(network("192.0.2.0", 24)),
        tos: 16,
        mark: Some((0x2a, u32::MAX)),
        incoming: Some(Name::from("eth0")),
        outgoing: Some(Name::from("eth1")),
        tunnel_id: Some(9),
        users: Some((1000, 1001)),
        ip_protocol: Some(6),
        source_ports: Some((80, 80)),
        destination_ports: Some((80, 90)),
        suppress_prefix_length: Some(0),
        suppress_group: Some(5),
        realms: Some(Realms { from: 3, to: 4 }),
        protocol: Some(17),
        tracked: false,
        ..Rule::about_all(Family::Ipv4, 100, RuleAction::Nop)
    };
    assert_eq!(
        rule.to_string(),
        "not from 192.0.2.0/24 tos 0x10 fwmark 0x2a iif eth0 oif eth1 tunnel-id 9 uidrange 1000-1001 ipproto 6 sport 80 \
         dport 80-90 nop suppress_prefixlength 0 suppress_ifgroup 5 realms 3/4 protocol 17 preference 100 no_track"
    );
    let masked = Rule { mark: Some((0x2a, 0xff)), ..Rule::about_all(Family::Ipv4, 100, RuleAction::Nop) };
    assert_eq!(masked.to_string(), "from all fwmark 0x2a/0xff nop preference 100");
}
