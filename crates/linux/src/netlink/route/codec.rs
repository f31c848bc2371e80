//! Routes to messages and back (`struct rtmsg` and the attributes `RTA_*`).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::decode::{attributes, ip_address, string, u32_at};
use super::super::payload::Payload;
use super::{HopSpec, RouteSpec, TunnelEnds, TunnelSpec};

const HEADER_SIZE: usize = 12;
const NEXT_HOP_SIZE: usize = 8;

const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_ENCAP_TYPE: u16 = 21;
const RTA_ENCAP: u16 = 22;
const RTA_EXPIRES: u16 = 23;
const RTA_TTL_PROPAGATE: u16 = 26;

/// `RTNH_F_ONLINK`
const ONLINK: u8 = 4;

const ENCAP_MPLS: u16 = 1;
const ENCAP_IP: u16 = 2;
const ENCAP_ILA: u16 = 3;
const ENCAP_IP6: u16 = 4;
const MPLS_DESTINATION: u16 = 1;
const ILA_LOCATOR: u16 = 1;
// `LWTUNNEL_IP_*`; those of IP6 have the same numbers.
const TUNNEL_ID: u16 = 1;
const TUNNEL_DESTINATION: u16 = 2;
const TUNNEL_SOURCE: u16 = 3;
const TUNNEL_TTL: u16 = 4;
const TUNNEL_TOS: u16 = 5;
const TUNNEL_FLAGS: u16 = 6;
/// Bit of an MPLS label: it is the last one.
const BOTTOM_OF_STACK: u32 = 1 << 8;

/// The kernel's clock ticks in messages are hundredths of a second (`USER_HZ`).
const TICKS: u32 = 100;

/// What asks for the route, or for its end.
pub(crate) fn encode(route: &RouteSpec) -> Payload {
    let RouteSpec { destination: (destination, prefix), source, tos, protocol, scope, kind, .. } = *route;
    let family = if destination.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    let onlink = matches!(route.hops.as_slice(), [hop] if hop.onlink && hop.more_weight == 0);
    // The table stands in an attribute of its own, which has room for large numbers.
    let mut header = vec![family as u8, prefix, source.map_or(0, |(_, prefix)| prefix), tos, 0, protocol, scope, kind];
    header.extend(u32::from(if onlink { ONLINK } else { 0 }).to_ne_bytes());
    let mut payload = Payload::new(&header);
    payload.put_u32(libc::RTA_TABLE, route.table);
    if prefix != 0 {
        payload.put_address(libc::RTA_DST, destination);
    }
    if let Some((source, _)) = source {
        payload.put_address(libc::RTA_SRC, source);
    }
    if let Some(metric) = route.metric {
        payload.put_u32(libc::RTA_PRIORITY, metric);
    }
    if let Some(source) = route.preferred_source {
        payload.put_address(libc::RTA_PREFSRC, source);
    }
    payload.nest(libc::RTA_METRICS, |payload| {
        for (metric, value) in &route.metrics {
            payload.put_u32(*metric, *value);
        }
        if let Some(name) = &route.congestion_control {
            payload.put_string(RouteSpec::CONGESTION_CONTROL, name);
        }
    });
    if route.preference != 0 {
        payload.put(RTA_PREF, &[route.preference]);
    }
    if let Some(seconds) = route.expires {
        payload.put_u32(RTA_EXPIRES, seconds);
    }
    if let Some(propagate) = route.ttl_propagate {
        payload.put(RTA_TTL_PROPAGATE, &[propagate.into()]);
    }
    match route.hops.as_slice() {
        [] => {}
        // A weight can be said only among several, even if these are one.
        [hop] if hop.more_weight == 0 => {
            if let Some(link) = hop.link {
                payload.put_u32(libc::RTA_OIF, link);
            }
            put_hop(&mut payload, hop, destination.is_ipv6());
        }
        hops => payload.nest(libc::RTA_MULTIPATH, |payload| {
            for hop in hops {
                let mut header = vec![0, 0, if hop.onlink { ONLINK } else { 0 }, hop.more_weight];
                header.extend(hop.link.unwrap_or(0).to_ne_bytes());
                payload.enclose(&header, |payload| put_hop(payload, hop, destination.is_ipv6()));
            }
        }),
    }
    payload
}

fn put_hop(payload: &mut Payload, hop: &HopSpec, ipv6: bool) {
    match hop.gateway {
        Some(gateway) if gateway.is_ipv6() == ipv6 => payload.put_address(libc::RTA_GATEWAY, gateway),
        Some(gateway) => {
            let family = if gateway.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET } as u16;
            let mut via = family.to_ne_bytes().to_vec();
            match gateway {
                IpAddr::V4(address) => via.extend(address.octets()),
                IpAddr::V6(address) => via.extend(address.octets()),
            }
            payload.put(RTA_VIA, &via);
        }
        None => {}
    }
    if let Some(realms) = hop.realms {
        payload.put_u32(libc::RTA_FLOW, realms);
    }
    if let Some(encapsulation) = &hop.encapsulation {
        put_encapsulation(payload, encapsulation);
    }
}

fn put_encapsulation(payload: &mut Payload, encapsulation: &TunnelSpec) {
    let kind = match encapsulation {
        TunnelSpec::Mpls(_) => ENCAP_MPLS,
        TunnelSpec::Ip(_) => ENCAP_IP,
        TunnelSpec::Ip6(_) => ENCAP_IP6,
        TunnelSpec::Ila(_) => ENCAP_ILA,
        TunnelSpec::Other(kind, _) => *kind,
    };
    payload.put(RTA_ENCAP_TYPE, &kind.to_ne_bytes());
    match encapsulation {
        TunnelSpec::Mpls(labels) => payload.nest(RTA_ENCAP, |payload| {
            let last = labels.len().saturating_sub(1);
            let word = |(place, label): (usize, &u32)| label << 12 | if place == last { BOTTOM_OF_STACK } else { 0 };
            let stack: Vec<u8> = labels.iter().enumerate().map(word).flat_map(u32::to_be_bytes).collect();
            payload.put(MPLS_DESTINATION, &stack);
        }),
        TunnelSpec::Ip(ends) | TunnelSpec::Ip6(ends) => payload.nest(RTA_ENCAP, |payload| {
            payload.put(TUNNEL_ID, &ends.id.to_be_bytes());
            for (kind, address) in [(TUNNEL_DESTINATION, ends.destination), (TUNNEL_SOURCE, ends.source)] {
                if let Some(address) = address {
                    payload.put_address(kind, address);
                }
            }
            payload.put(TUNNEL_TTL, &[ends.ttl]);
            payload.put(TUNNEL_TOS, &[ends.tos]);
            if ends.flags != 0 {
                payload.put(TUNNEL_FLAGS, &ends.flags.to_be_bytes());
            }
        }),
        TunnelSpec::Ila(locator) => {
            payload.nest(RTA_ENCAP, |payload| payload.put(ILA_LOCATOR, &locator.to_be_bytes()));
        }
        TunnelSpec::Other(_, attributes) => payload.put(RTA_ENCAP, attributes),
    }
}

/// Reads the payload of `RTM_NEWROUTE` or `RTM_DELROUTE`. Nothing for what is no route of IPv4 or IPv6; several for one
/// of IPv6 with several hops.
pub(crate) fn decode(payload: &[u8]) -> Vec<RouteSpec> {
    let Some(header) = payload.get(..HEADER_SIZE) else { return Vec::new() };
    let everything = match i32::from(header[0]) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return Vec::new(),
    };
    // Both are given by their attribute, and missing where they are everything.
    let mut route = RouteSpec::to((everything, 0));
    let mut source = None;
    (route.tos, route.protocol, route.scope, route.kind) = (header[3], header[5], header[6], header[7]);
    route.table = u32::from(header[4]);
    let flags = u32_at(header, 8).unwrap_or(0);
    let mut hop = HopSpec { onlink: flags & u32::from(ONLINK) != 0, ..HopSpec::default() };
    let mut hops = Vec::new();
    let mut encapsulation = HopParts::default();
    for (kind, value) in attributes(&payload[HEADER_SIZE..]) {
        match kind {
            libc::RTA_TABLE => route.table = u32_at(value, 0).unwrap_or(route.table),
            libc::RTA_DST => route.destination = (ip_address(value).unwrap_or(everything), header[1]),
            libc::RTA_SRC => source = ip_address(value),
            libc::RTA_PRIORITY => route.metric = u32_at(value, 0),
            libc::RTA_PREFSRC => route.preferred_source = ip_address(value),
            libc::RTA_METRICS => read_metrics(value, &mut route),
            libc::RTA_OIF => hop.link = u32_at(value, 0),
            libc::RTA_MULTIPATH => hops = read_hops(value),
            libc::RTA_CACHEINFO => {
                route.expires = u32_at(value, 8).filter(|ticks| *ticks != 0).map(|ticks| ticks / TICKS)
            }
            RTA_PREF => route.preference = value.first().copied().unwrap_or(0),
            kind => encapsulation.take(kind, value, &mut hop),
        }
    }
    route.source = source.filter(|_| header[2] != 0).map(|source| (source, header[2]));
    if !route.is_ipv6() {
        // What is told there is not when a route ends.
        route.expires = None;
    }
    encapsulation.finish(&mut hop);
    if hops.is_empty() && (hop.link.is_some() || hop.gateway.is_some()) {
        hops.push(hop);
    }
    if route.is_ipv6() && hops.len() > 1 {
        return hops.into_iter().map(|hop| RouteSpec { hops: vec![hop], ..route.clone() }).collect();
    }
    route.hops = hops;
    vec![route]
}

fn read_metrics(bytes: &[u8], route: &mut RouteSpec) {
    let mut metrics = BTreeMap::new();
    for (kind, value) in attributes(bytes) {
        if kind == RouteSpec::CONGESTION_CONTROL {
            route.congestion_control = string(value);
        } else {
            metrics.extend(u32_at(value, 0).map(|value| (kind, value)));
        }
    }
    route.metrics = metrics;
}

/// `struct rtnexthop`, each with attributes of its own.
fn read_hops(bytes: &[u8]) -> Vec<HopSpec> {
    let mut hops = Vec::new();
    let mut rest = bytes;
    while let Some(header) = rest.get(..NEXT_HOP_SIZE) {
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let Some(values) = rest.get(NEXT_HOP_SIZE..length) else { break };
        let link = u32_at(header, 4).filter(|link| *link != 0);
        let mut hop = HopSpec { link, more_weight: header[3], onlink: header[2] & ONLINK != 0, ..HopSpec::default() };
        let mut encapsulation = HopParts::default();
        for (kind, value) in attributes(values) {
            encapsulation.take(kind, value, &mut hop);
        }
        encapsulation.finish(&mut hop);
        hops.push(hop);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

/// The two attributes of which neither says anything without the other.
#[derive(Default)]
struct HopParts<'a> {
    kind: u16,
    attributes: &'a [u8],
}

impl<'a> HopParts<'a> {
    /// An attribute that a hop can have, alone or among several.
    fn take(&mut self, kind: u16, value: &'a [u8], hop: &mut HopSpec) {
        match kind {
            libc::RTA_GATEWAY => hop.gateway = ip_address(value),
            RTA_VIA => hop.gateway = value.get(2..).and_then(ip_address),
            libc::RTA_FLOW => hop.realms = u32_at(value, 0),
            RTA_ENCAP_TYPE => {
                self.kind = value.get(..2).map_or(0, |bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
            }
            RTA_ENCAP => self.attributes = value,
            _ => {}
        }
    }

    fn finish(self, hop: &mut HopSpec) {
        hop.encapsulation = match self.kind {
            0 => None,
            ENCAP_MPLS => Some(TunnelSpec::Mpls(self.labels())),
            ENCAP_IP => Some(TunnelSpec::Ip(self.ends())),
            ENCAP_IP6 => Some(TunnelSpec::Ip6(self.ends())),
            ENCAP_ILA => Some(TunnelSpec::Ila(self.number(ILA_LOCATOR))),
            other => Some(TunnelSpec::Other(other, self.attributes.to_vec())),
        };
    }

    fn value(&self, kind: u16) -> Option<&'a [u8]> {
        attributes(self.attributes).find(|(known, _)| *known == kind).map(|(_, value)| value)
    }

    fn number(&self, kind: u16) -> u64 {
        let octets = self.value(kind).and_then(|value| value.try_into().ok());
        octets.map_or(0, u64::from_be_bytes)
    }

    fn labels(&self) -> Vec<u32> {
        let words = self.value(MPLS_DESTINATION).unwrap_or_default().chunks_exact(4);
        words.map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]) >> 12).collect()
    }

    fn ends(&self) -> TunnelEnds {
        let address = |kind| self.value(kind).and_then(ip_address).filter(|address| !address.is_unspecified());
        let octet = |kind| self.value(kind).and_then(|value| value.first().copied()).unwrap_or(0);
        let flags = self.value(TUNNEL_FLAGS).filter(|value| value.len() == 2);
        TunnelEnds {
            id: self.number(TUNNEL_ID),
            destination: address(TUNNEL_DESTINATION),
            source: address(TUNNEL_SOURCE),
            tos: octet(TUNNEL_TOS),
            ttl: octet(TUNNEL_TTL),
            flags: flags.map_or(0, |value| u16::from_be_bytes([value[0], value[1]])),
        }
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;
    use proptest::prelude::*;

    use super::*;

    fn bytes(payload: &Payload) -> Vec<u8> {
        let mut bytes = vec![0; payload.buffer_len()];
        payload.emit(&mut bytes);
        bytes
    }

    fn tunnel() -> impl Strategy<Value = TunnelSpec> {
        let ends = |v6: bool| {
            let end = move |last: u8| {
                if v6 {
                    IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last)])
                } else {
                    IpAddr::from([192, 0, 2, last])
                }
            };
            let end = prop::option::of((1..9_u8).prop_map(end));
            (any::<u64>(), end.clone(), end, any::<u8>(), any::<u8>(), any::<u16>()).prop_map(
                |(id, destination, source, tos, ttl, flags)| TunnelEnds { id, destination, source, tos, ttl, flags },
            )
        };
        prop_oneof![
            prop::collection::vec(0..1_u32 << 20, 1..4).prop_map(TunnelSpec::Mpls),
            ends(false).prop_map(TunnelSpec::Ip),
            ends(true).prop_map(TunnelSpec::Ip6),
            any::<u64>().prop_map(TunnelSpec::Ila),
        ]
    }

    fn hop() -> impl Strategy<Value = HopSpec> {
        let gateway = prop_oneof![
            Just(None),
            (1..9_u8).prop_map(|last| Some(IpAddr::from([192, 0, 2, last]))),
            (1..9_u16).prop_map(|last| Some(IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, last]))),
        ];
        (1..9_u32, gateway, 0..4_u8, any::<bool>(), prop::option::of(any::<u32>()), prop::option::of(tunnel()))
            .prop_map(|(link, gateway, more_weight, onlink, realms, encapsulation)| HopSpec {
                link: Some(link),
                gateway,
                more_weight,
                onlink,
                realms,
                encapsulation,
            })
    }

    fn route() -> impl Strategy<Value = RouteSpec> {
        let destination = prop_oneof![
            Just((IpAddr::from([0, 0, 0, 0]), 0)),
            (1..9_u8).prop_map(|net| (IpAddr::from([10, 0, net, 0]), 24)),
            (1..9_u16).prop_map(|net| (IpAddr::from([0x2001, 0xdb8, net, 0, 0, 0, 0, 0]), 48)),
        ];
        let head = (destination, any::<u32>(), any::<u8>(), any::<u8>(), any::<u8>(), 1..10_u8);
        let metrics = prop::collection::btree_map(prop_oneof![1..16_u16, Just(17)], any::<u32>(), 0..5);
        let rest = (
            prop::option::of(any::<u32>()),
            metrics,
            prop::option::of("[a-z]{1,8}"),
            prop_oneof![Just(0), Just(1), Just(3)],
            prop::collection::vec(hop(), 0..4),
        );
        (head, rest).prop_map(
            |((destination, table, tos, protocol, scope, kind), (metric, metrics, congestion, preference, hops))| {
                let mut route = RouteSpec {
                    table,
                    tos,
                    protocol,
                    scope,
                    kind,
                    metric,
                    metrics,
                    congestion_control: congestion,
                    preference,
                    hops,
                    ..RouteSpec::to(destination)
                };
                // Of IPv6 each hop is a route of its own. A single hop has no share of anything.
                if route.is_ipv6() {
                    route.hops.truncate(1);
                } else if let [hop] = route.hops.as_mut_slice() {
                    hop.more_weight = 0;
                }
                route
            },
        )
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(route in route()) {
            prop_assert_eq!(decode(&bytes(&encode(&route))), vec![route]);
        }

        #[test]
        fn survives_anything(route in route(), noise in prop::collection::vec(any::<u8>(), 0..40), place in 0..400_usize) {
            let mut payload = bytes(&encode(&route));
            let at = place % payload.len();
            let end = payload.len().min(at + noise.len());
            payload[at..end].copy_from_slice(&noise[..end - at]);
            let _ = decode(&payload);
            let _ = decode(&noise);
        }
    }

    /// What the kernel tells of a route of IPv6 over two hops, with a lifetime.
    #[test]
    fn one_of_ipv6_over_two_hops_is_two() {
        let one = HopSpec { link: Some(3), gateway: Some("fe80::1".parse().unwrap()), ..HopSpec::default() };
        let other = HopSpec { link: Some(4), more_weight: 2, ..one.clone() };
        let destination = ("2001:db8::".parse().unwrap(), 48);
        let mut payload = encode(&RouteSpec { hops: vec![one.clone(), other.clone()], ..RouteSpec::to(destination) });
        // struct rta_cacheinfo: the third number is when it expires, in hundredths of a second.
        payload.put(libc::RTA_CACHEINFO, &[[0; 4], [0; 4], 6000_u32.to_ne_bytes(), [0; 4]].concat());
        let read = decode(&bytes(&payload));
        let expected = |hop| RouteSpec { hops: vec![hop], expires: Some(60), ..RouteSpec::to(destination) };
        assert_eq!(read, [expected(one), expected(other)]);
    }
}
