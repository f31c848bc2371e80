//! Routes and rules in the engine's terms to those of the kernel: names of interfaces become their numbers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine::{
    DesiredAddress, Encapsulation, Network, NextHop, Realms, Route, RouteKind, RouteMetric, RouterPreference, Rule,
    RuleAction, Table, TunnelKey,
};
use linux::netlink::{
    HopSpec, Link, OUR_PROTOCOL, RoutePosition, RouteSpec, RuleActionSpec, RuleSpec, TunnelEnds, TunnelSpec,
    WantedRoute,
};

/// The machine's interfaces by name.
#[derive(Debug)]
pub(super) struct LinkNames<'k>(BTreeMap<&'k str, &'k Link>);

impl<'k> LinkNames<'k> {
    pub(super) fn of(links: &'k BTreeMap<u32, Link>) -> Self {
        Self(links.values().map(|link| (link.name.as_str(), link)).collect())
    }

    fn find(&self, name: &str) -> Option<&'k Link> {
        self.0.get(name).copied()
    }

    fn table(&self, table: &Table) -> Option<u32> {
        match table {
            Table::Number(number) => Some(*number),
            Table::Vrf(name) => self.find(name)?.vrf_table,
        }
    }
}

/// `IFA_F_*`
pub(super) fn address_flags(address: &DesiredAddress) -> u32 {
    const NODAD: u32 = 0x02;
    const HOMEADDRESS: u32 = 0x10;
    const MANAGETEMPADDR: u32 = 0x100;
    const NOPREFIXROUTE: u32 = 0x200;
    const MCAUTOJOIN: u32 = 0x400;
    let flags = &address.flags;
    let chosen = [
        // IPv4 knows no detection of duplicates, so there is none to leave out.
        (address.address.is_ipv6() && !flags.duplicate_detection, NODAD),
        (flags.home, HOMEADDRESS),
        (flags.temporary_template, MANAGETEMPADDR),
        (flags.no_prefix_route, NOPREFIXROUTE),
        (flags.join_group, MCAUTOJOIN),
    ];
    chosen.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, bit)| bit).sum()
}

/// What the kernel must have for this route now: nothing while it cannot take it, because an interface is missing or
/// down. For IPv6 each hop is a route of its own, and the further ones join the first.
pub(super) fn route_specs(route: &Route, links: &LinkNames<'_>) -> Vec<WantedRoute> {
    let Some(table) = links.table(&route.table) else { return Vec::new() };
    let hops: Vec<HopSpec> = route.hops.iter().filter_map(|hop| hop_spec(hop, links)).collect();
    if hops.is_empty() && !route.hops.is_empty() {
        return Vec::new();
    }
    let metrics = &route.metrics;
    let mut values: BTreeMap<u16, u32> =
        metrics.values.iter().map(|(metric, (value, _))| (metric_number(*metric), *value)).collect();
    let locked = metrics.values.iter().filter(|(_, (_, locked))| *locked).map(|(metric, _)| metric_number(*metric));
    let congestion = metrics.congestion_control.iter().filter(|(_, locked)| *locked);
    let locks =
        locked.chain(congestion.map(|_| RouteSpec::CONGESTION_CONTROL)).fold(0, |bits, bit| bits | 1_u32 << bit);
    if locks != 0 {
        values.insert(RouteSpec::LOCK, locks);
    }
    let spec = RouteSpec {
        kind: kind_number(route.kind),
        table,
        destination: place(route.destination),
        source: route.from.map(place),
        tos: route.tos,
        metric: route.metric,
        scope: route.scope.number(),
        protocol: route.protocol.unwrap_or(OUR_PROTOCOL),
        preferred_source: route.source,
        hops,
        metrics: values,
        congestion_control: metrics.congestion_control.as_ref().map(|(name, _)| name.to_string()),
        preference: match route.preference {
            RouterPreference::Medium => 0,
            RouterPreference::High => 1,
            RouterPreference::Low => 3,
        },
        expires: route.expires,
        ttl_propagate: route.ttl_propagate,
    };
    let position = match route.position {
        engine::RoutePosition::Prepend => RoutePosition::Prepend,
        engine::RoutePosition::Append => RoutePosition::Append,
        engine::RoutePosition::Alone => RoutePosition::Alone,
    };
    if !spec.is_ipv6() || spec.hops.len() < 2 {
        return vec![WantedRoute { route: spec, position }];
    }
    let with = |(number, hop): (usize, &HopSpec)| WantedRoute {
        route: RouteSpec { hops: vec![hop.clone()], ..spec.clone() },
        position: if number == 0 { position } else { RoutePosition::Append },
    };
    spec.hops.iter().enumerate().map(with).collect()
}

/// `None` if its interface is not up.
fn hop_spec(hop: &NextHop, links: &LinkNames<'_>) -> Option<HopSpec> {
    let link = match &hop.link {
        Some(name) => Some(links.find(name).filter(|link| link.up)?.index),
        None => None,
    };
    Some(HopSpec {
        link,
        gateway: hop.gateway,
        more_weight: u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX),
        onlink: hop.onlink,
        realms: hop.realms.map(realm_number),
        encapsulation: hop.encapsulation.as_ref().map(encapsulation),
    })
}

/// What the kernel must have for this rule; `None` while it cannot take it.
pub(super) fn rule_spec(rule: &Rule, links: &LinkNames<'_>) -> Option<RuleSpec> {
    let action = match &rule.action {
        RuleAction::Lookup(table) => RuleActionSpec::Lookup(links.table(table)?),
        RuleAction::LookupVrf => RuleActionSpec::LookupVrf,
        RuleAction::Goto(preference) => RuleActionSpec::Goto(*preference),
        RuleAction::Nop => RuleActionSpec::Nop,
        RuleAction::Blackhole => RuleActionSpec::Blackhole,
        RuleAction::Unreachable => RuleActionSpec::Unreachable,
        RuleAction::Prohibit => RuleActionSpec::Prohibit,
    };
    // "from everything" is what the kernel takes for nothing said.
    let narrow = |network: Option<Network>| network.filter(|network| network.prefix != 0).map(place);
    Some(RuleSpec {
        ipv6: rule.family == engine::Family::Ipv6,
        preference: rule.preference,
        action,
        inverted: rule.inverted,
        from: narrow(rule.from),
        to: narrow(rule.to),
        tos: rule.tos,
        mark: rule.mark,
        incoming: rule.incoming.as_ref().map(ToString::to_string),
        outgoing: rule.outgoing.as_ref().map(ToString::to_string),
        tunnel_id: rule.tunnel_id,
        users: rule.users,
        ip_protocol: rule.ip_protocol,
        source_ports: rule.source_ports,
        destination_ports: rule.destination_ports,
        suppress_prefix_length: rule.suppress_prefix_length.map(u32::from),
        suppress_group: rule.suppress_group,
        realms: rule.realms.map(realm_number),
        protocol: rule.protocol.unwrap_or(OUR_PROTOCOL),
    })
}

fn place(network: Network) -> (IpAddr, u8) {
    (network.address, network.prefix)
}

fn realm_number(realms: Realms) -> u32 {
    u32::from(realms.from) << 16 | u32::from(realms.to)
}

fn encapsulation(encapsulation: &Encapsulation) -> TunnelSpec {
    let ends = |key: &TunnelKey| TunnelEnds {
        id: key.id,
        destination: key.destination,
        source: key.source,
        tos: key.tos,
        ttl: key.ttl,
        flags: key.flags,
    };
    match encapsulation {
        Encapsulation::Mpls(labels) => TunnelSpec::Mpls(labels.clone()),
        Encapsulation::Ip(key) => TunnelSpec::Ip(ends(key)),
        Encapsulation::Ip6(key) => TunnelSpec::Ip6(ends(key)),
        Encapsulation::Ila(locator) => TunnelSpec::Ila(*locator),
    }
}

/// `RTN_*`
const fn kind_number(kind: RouteKind) -> u8 {
    match kind {
        RouteKind::Unicast => 1,
        RouteKind::Local => 2,
        RouteKind::Broadcast => 3,
        RouteKind::Multicast => 5,
        RouteKind::Blackhole => 6,
        RouteKind::Unreachable => 7,
        RouteKind::Prohibit => 8,
        RouteKind::Throw => 9,
        RouteKind::Nat => 10,
    }
}

/// `RTAX_*`
const fn metric_number(metric: RouteMetric) -> u16 {
    match metric {
        RouteMetric::Mtu => 2,
        RouteMetric::Window => 3,
        RouteMetric::Rtt => 4,
        RouteMetric::Rttvar => 5,
        RouteMetric::Ssthresh => 6,
        RouteMetric::Cwnd => 7,
        RouteMetric::Advmss => 8,
        RouteMetric::Reordering => 9,
        RouteMetric::Hoplimit => 10,
        RouteMetric::Initcwnd => 11,
        RouteMetric::Features => 12,
        RouteMetric::RtoMin => 13,
        RouteMetric::Initrwnd => 14,
        RouteMetric::Quickack => 15,
        RouteMetric::FastopenNoCookie => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, up: bool) -> Link {
        Link {
            index,
            name: name.to_owned(),
            up,
            running: up,
            mac: [2, 0, 0, 0, 0, 1],
            takes_arp: true,
            mtu: 1500,
            master: None,
            kind: None,
            loopback: false,
            multicast: true,
            group: 0,
            vrf_table: None,
            lower: None,
            alias: None,
            macvlan_mode: None,
            ipvlan: None,
        }
    }

    /// `eth0` and `eth1` are up, `eth2` is down, `blue` is a VRF with the table 500.
    fn machine() -> BTreeMap<u32, Link> {
        let vrf = Link { vrf_table: Some(500), ..link(4, "blue", true) };
        let links = [link(1, "eth0", true), link(2, "eth1", true), link(3, "eth2", false), vrf];
        links.into_iter().map(|link| (link.index, link)).collect()
    }

    fn route(destination: &str, hops: &[(&str, Option<&str>)]) -> Route {
        let (address, prefix) = destination.split_once('/').expect("a network");
        let hop = |(gateway, link): &(&str, Option<&str>)| NextHop {
            gateway: gateway.parse().ok(),
            link: link.map(engine::Name::from),
            ..NextHop::default()
        };
        let destination =
            Network { address: address.parse().expect("an address"), prefix: prefix.parse().expect("a length") };
        Route { hops: hops.iter().map(hop).collect(), ..Route::to(destination) }
    }

    #[track_caller]
    fn check(route: &Route, expected: &[&str]) {
        let links = machine();
        let specs = route_specs(route, &LinkNames::of(&links));
        let words = |wanted: &WantedRoute| {
            let name = |index: u32| links.get(&index).map_or("?", |link| &link.name).to_owned();
            format!("{:?} {}", wanted.position, wanted.route.words(name))
        };
        assert_eq!(specs.iter().map(words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_route_waits_for_its_interface() {
        check(&route("10.0.1.0/24", &[("", Some("eth0"))]), &["Prepend 10.0.1.0/24 dev eth0"]);
        check(&route("10.0.1.0/24", &[("", Some("eth2"))]), &[]);
        check(&route("10.0.1.0/24", &[("", Some("eth9"))]), &[]);
        check(&route("10.0.1.0/24", &[("192.0.2.9", None)]), &["Prepend 10.0.1.0/24 via 192.0.2.9"]);
    }

    #[test]
    fn of_several_ways_those_that_are_there_are_enough() {
        let over = |links: &[&'static str]| {
            let hops: Vec<(&str, Option<&str>)> = links.iter().map(|link| ("192.0.2.9", Some(*link))).collect();
            route("10.0.1.0/24", &hops)
        };
        check(
            &over(&["eth0", "eth1"]),
            &["Prepend 10.0.1.0/24 nexthop via 192.0.2.9 dev eth0 nexthop via 192.0.2.9 dev eth1"],
        );
        check(&over(&["eth0", "eth2"]), &["Prepend 10.0.1.0/24 via 192.0.2.9 dev eth0"]);
        check(&over(&["eth9", "eth2"]), &[]);
    }

    #[test]
    fn of_ipv6_each_hop_is_a_route_and_joins_the_first() {
        let several = route("2001:db8::/32", &[("fe80::1", Some("eth0")), ("fe80::2", Some("eth1"))]);
        check(&several, &["Prepend 2001:db8::/32 via fe80::1 dev eth0", "Append 2001:db8::/32 via fe80::2 dev eth1"]);
        let nowhere = Route { kind: RouteKind::Blackhole, ..route("2001:db8::/32", &[]) };
        check(&nowhere, &["Prepend blackhole 2001:db8::/32"]);
    }

    // Shows: route.vrf
    #[test]
    fn a_vrf_is_a_table() {
        let in_vrf =
            |name: &str| Route { table: Table::Vrf(name.into()), ..route("10.0.1.0/24", &[("192.0.2.9", None)]) };
        check(&in_vrf("blue"), &["Prepend 10.0.1.0/24 via 192.0.2.9 table 500"]);
        // It is not there yet, or no VRF.
        check(&in_vrf("green"), &[]);
        check(&in_vrf("eth0"), &[]);
        let links = machine();
        let rule = |name: &str| {
            let action = RuleAction::Lookup(Table::Vrf(name.into()));
            rule_spec(&Rule::about_all(engine::Family::Ipv4, 7, action), &LinkNames::of(&links))
        };
        assert_eq!(rule("blue").map(|rule| rule.action), Some(RuleActionSpec::Lookup(500)));
        assert_eq!(rule("green"), None);
    }

    #[test]
    fn what_must_not_change_is_a_bit_for_each() {
        let mut locked = route("10.0.1.0/24", &[("", Some("eth0"))]);
        locked.metrics.values.insert(RouteMetric::Mtu, (1400, true));
        locked.metrics.values.insert(RouteMetric::Rtt, (8000, false));
        locked.metrics.congestion_control = Some(("reno".into(), true));
        let links = machine();
        let specs = route_specs(&locked, &LinkNames::of(&links));
        let metrics: Vec<(u16, u32)> = specs[0].route.metrics.clone().into_iter().collect();
        assert_eq!(metrics, [(RouteSpec::LOCK, 1 << 2 | 1 << 16), (RouteSpec::MTU, 1400), (4, 8000)]);
        assert_eq!(specs[0].route.congestion_control.as_deref(), Some("reno"));
    }
}
