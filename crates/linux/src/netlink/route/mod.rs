//! Routes as the kernel has them, in its numbers.
//!
//! A route of IPv6 has at most one hop here: what `ip route` shows as one with several hops is several routes to the
//! kernel, too, that have come to share a destination and a metric.

mod codec;
mod reconcile;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

pub use reconcile::{HeldRoute, RouteOperation, RoutePosition, WantedRoute, reconcile_routes};

pub(super) use codec::{decode, encode};

/// The protocol number (`rtm_protocol`, `FRA_PROTOCOL`) of routes and policy rules of ours: an ASCII `t`. Neither the
/// kernel's list nor that of iproute2 or of a routing daemon has it (84, a capital `T`, is OVN's).
pub const OUR_PROTOCOL: u8 = 116;
/// `RT_TABLE_MAIN`
pub const MAIN_TABLE: u32 = 254;
/// What the kernel takes for a route of IPv6 about which nothing is said (`IP6_RT_PRIO_USER`).
const IPV6_METRIC: u32 = 1024;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteSpec {
    /// `RTN_*`
    pub kind: u8,
    pub table: u32,
    pub destination: (IpAddr, u8),
    /// IPv6 only: where packets come from.
    pub source: Option<(IpAddr, u8)>,
    /// IPv4 only.
    pub tos: u8,
    pub metric: Option<u32>,
    /// `RT_SCOPE_*`. IPv6 has no choice and ignores it.
    pub scope: u8,
    /// `RTPROT_*`
    pub protocol: u8,
    /// The source address of packets of this host.
    pub preferred_source: Option<IpAddr>,
    pub hops: Vec<HopSpec>,
    /// By `RTAX_*`; [`RouteSpec::LOCK`] has a bit for each that the kernel must not change.
    pub metrics: BTreeMap<u16, u32>,
    pub congestion_control: Option<String>,
    /// IPv6 only: the two bits of RFC 4191, medium being 0.
    pub preference: u8,
    /// IPv6 only: the kernel forgets it after so many seconds.
    pub expires: Option<u32>,
    /// Whether MPLS copies the time to live. The kernel does not tell.
    pub ttl_propagate: Option<bool>,
}

/// One way to go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HopSpec {
    pub link: Option<u32>,
    pub gateway: Option<IpAddr>,
    /// Its share among all hops, less one.
    pub more_weight: u8,
    pub onlink: bool,
    /// IPv4 only: realms "from" in the upper half, "to" in the lower.
    pub realms: Option<u32>,
    pub encapsulation: Option<TunnelSpec>,
}

/// What packets are wrapped in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TunnelSpec {
    /// Labels, the outermost first.
    Mpls(Vec<u32>),
    Ip(TunnelEnds),
    Ip6(TunnelEnds),
    Ila(u64),
    /// One that we never ask for: its number (`LWTUNNEL_ENCAP_*`) and its attributes.
    Other(u16, Vec<u8>),
}

/// Between which ends a tunnel goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TunnelEnds {
    pub id: u64,
    pub destination: Option<IpAddr>,
    pub source: Option<IpAddr>,
    pub tos: u8,
    pub ttl: u8,
    /// `TUNNEL_*` bits.
    pub flags: u16,
}

/// What makes two routes compete in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    table: u32,
    destination: (IpAddr, u8),
    source: Option<(IpAddr, u8)>,
    tos: u8,
    metric: u32,
}

impl RouteSpec {
    /// `RTAX_LOCK`
    pub const LOCK: u16 = 1;
    /// `RTAX_MTU`
    pub const MTU: u16 = 2;
    /// `RTAX_ADVMSS`
    pub const ADVMSS: u16 = 8;
    /// `RTAX_CC_ALGO`
    pub const CONGESTION_CONTROL: u16 = 16;

    /// An ordinary route of ours in the main table, without a way yet.
    pub fn to(destination: (IpAddr, u8)) -> RouteSpec {
        RouteSpec {
            kind: libc::RTN_UNICAST,
            table: MAIN_TABLE,
            destination,
            source: None,
            tos: 0,
            metric: None,
            scope: libc::RT_SCOPE_UNIVERSE,
            protocol: OUR_PROTOCOL,
            preferred_source: None,
            hops: Vec::new(),
            metrics: BTreeMap::new(),
            congestion_control: None,
            preference: 0,
            expires: None,
            ttl_propagate: None,
        }
    }

    pub fn is_ipv6(&self) -> bool {
        self.destination.0.is_ipv6()
    }

    fn effective_metric(&self) -> u32 {
        match (self.is_ipv6(), self.metric) {
            (true, None | Some(0)) => IPV6_METRIC,
            (_, metric) => metric.unwrap_or(0),
        }
    }

    fn key(&self) -> Key {
        let Self { table, destination, source, tos, .. } = *self;
        Key { table, destination, source, tos, metric: self.effective_metric() }
    }

    /// Whether the kernel could have only one of the two if it were asked to replace.
    pub fn competes_with(&self, other: &RouteSpec) -> bool {
        self.key() == other.key()
    }

    /// Whether this, which the kernel has, is what was asked for by `wish`. What `wish` leaves to the kernel may be
    /// anything.
    pub fn fulfils(&self, wish: &RouteSpec) -> bool {
        self.key() == wish.key()
            && self.kind == wish.kind
            && self.protocol == wish.protocol
            && (self.is_ipv6() || self.scope == wish.scope)
            && self.preferred_source == wish.preferred_source
            && self.preference == wish.preference
            && self.expires.is_some() == wish.expires.is_some()
            && self.congestion_control == wish.congestion_control
            && self.kept_metrics().eq(wish.kept_metrics())
            && self.same_hops(wish)
    }

    /// This, of which the kernel has told no weight, with the weight that it was asked for; `None` if it is not that route.
    pub fn with_weight_of(&self, wish: &RouteSpec) -> Option<RouteSpec> {
        let ([hop], [weighted]) = (self.hops.as_slice(), wish.hops.as_slice()) else { return None };
        if !self.is_ipv6() || hop.more_weight != 0 {
            return None;
        }
        let hop = HopSpec { more_weight: weighted.more_weight, ..hop.clone() };
        let route = RouteSpec { hops: vec![hop], ..self.clone() };
        route.fulfils(wish).then_some(route)
    }

    /// The kernel forgets metrics of zero, and has its own limits for two of them.
    fn kept_metrics(&self) -> impl Iterator<Item = (u16, u32)> {
        const LARGEST_MTU: u32 = 65_535 - 15;
        const LARGEST_ADVMSS: u32 = 65_535 - 40;
        let kept = self.metrics.iter().map(|(metric, value)| match *metric {
            Self::MTU => (*metric, (*value).min(LARGEST_MTU)),
            Self::ADVMSS => (*metric, (*value).min(LARGEST_ADVMSS)),
            _ => (*metric, *value),
        });
        kept.filter(|(_, value)| *value != 0)
    }

    fn same_hops(&self, wish: &RouteSpec) -> bool {
        // Where packets only end, IPv6 names the loopback.
        if wish.hops.is_empty() {
            return self.hops.is_empty() || self.is_ipv6();
        }
        let mut left: Vec<&HopSpec> = self.hops.iter().collect();
        let all_found = wish.hops.iter().all(|wish| {
            let found = left.iter().position(|hop| hop.fulfils(wish));
            found.map(|place| left.remove(place)).is_some()
        });
        all_found && left.is_empty()
    }

    /// As `ip route` would be told, as far as it takes to know which one is meant.
    pub fn words(&self, link_name: impl Fn(u32) -> String) -> String {
        let mut text = String::new();
        let kind = match self.kind {
            libc::RTN_LOCAL => "local ",
            libc::RTN_BROADCAST => "broadcast ",
            libc::RTN_MULTICAST => "multicast ",
            libc::RTN_BLACKHOLE => "blackhole ",
            libc::RTN_UNREACHABLE => "unreachable ",
            libc::RTN_PROHIBIT => "prohibit ",
            libc::RTN_THROW => "throw ",
            libc::RTN_NAT => "nat ",
            _ => "",
        };
        text.push_str(kind);
        text.push_str(&network(self.destination));
        // Writing to a string cannot fail.
        let mut put = |arguments: std::fmt::Arguments<'_>| text.write_fmt(arguments).unwrap_or_default();
        if let Some(source) = self.source {
            put(format_args!(" from {}", network(source)));
        }
        if self.tos != 0 {
            put(format_args!(" tos {:#04x}", self.tos));
        }
        for hop in &self.hops {
            if self.hops.len() > 1 {
                put(format_args!(" nexthop"));
            }
            if let Some(gateway) = hop.gateway {
                put(format_args!(" via {gateway}"));
            }
            if let Some(link) = hop.link {
                put(format_args!(" dev {}", link_name(link)));
            }
        }
        if self.table != MAIN_TABLE {
            put(format_args!(" table {}", self.table));
        }
        if let Some(source) = self.preferred_source {
            put(format_args!(" src {source}"));
        }
        if let Some(metric) = self.metric {
            put(format_args!(" metric {metric}"));
        }
        text
    }
}

impl HopSpec {
    fn fulfils(&self, wish: &HopSpec) -> bool {
        (wish.link.is_none() || self.link == wish.link)
            && self.gateway == wish.gateway
            && self.more_weight == wish.more_weight
            && self.onlink == wish.onlink
            && self.realms == wish.realms
            && self.encapsulation == wish.encapsulation
    }
}

/// `default`, `192.0.2.1`, `192.0.2.0/24`.
pub(super) fn network((address, prefix): (IpAddr, u8)) -> String {
    match (address, prefix) {
        (_, 0) => "default".to_owned(),
        (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => address.to_string(),
        _ => format!("{address}/{prefix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(destination: &str, gateway: &str, more_weight: u8) -> RouteSpec {
        let hop = HopSpec { gateway: Some(gateway.parse().unwrap()), more_weight, ..HopSpec::default() };
        RouteSpec { hops: vec![hop], ..RouteSpec::to((destination.parse().unwrap(), 32)) }
    }

    #[test]
    fn a_way_of_ipv6_that_is_told_without_its_weight_is_the_one_that_was_asked_for() {
        let asked = over("2001:db8::", "fe80::7", 2);
        assert_eq!(over("2001:db8::", "fe80::7", 0).with_weight_of(&asked), Some(asked.clone()));
        // Another weight is told, and another way is another way.
        assert_eq!(over("2001:db8::", "fe80::7", 1).with_weight_of(&asked), None);
        assert_eq!(over("2001:db8::", "fe80::8", 0).with_weight_of(&asked), None);
        assert_eq!(over("192.0.2.0", "192.0.2.7", 0).with_weight_of(&over("192.0.2.0", "192.0.2.7", 2)), None);
    }
}
