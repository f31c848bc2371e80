//! Routes that move with a role, or are there always: what `ip route` would be told, as values.
//!
//! The engine knows who wants a route and which interfaces it depends on, and nothing else about it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Family, Name, Scope};

/// A destination, or where packets come from: an address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// Bits behind the prefix are zero.
    pub address: IpAddr,
    /// 0–32 or 0–128.
    pub prefix: u8,
}

impl Network {
    /// Everything of a family.
    #[must_use]
    pub const fn everything(family: Family) -> Self {
        let address = match family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { address, prefix: 0 }
    }

    /// Which addresses it is about.
    #[must_use]
    pub const fn family(self) -> Family {
        Family::of(self.address)
    }

    const fn is_one_address(self) -> bool {
        self.prefix == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

/// As `ip route` writes it.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            0 => f.write_str("default"),
            _ if self.is_one_address() => write!(f, "{}", self.address),
            prefix => write!(f, "{}/{prefix}", self.address),
        }
    }
}

/// A routing table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// By its number, at least 1.
    Number(u32),
    /// That of a VRF, by the name of its interface.
    Vrf(Name),
}

impl Table {
    /// `main`, where routes go unless told otherwise.
    pub const MAIN: Self = Self::Number(254);
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "table {number}"),
            Self::Vrf(name) => write!(f, "vrf {name}"),
        }
    }
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// What becomes of the packets.
    pub kind: RouteKind,
    /// Where they want to go.
    pub destination: Network,
    /// Where they come from (IPv6 only); `None` means anywhere.
    pub from: Option<Network>,
    /// Where the route is looked up.
    pub table: Table,
    /// Type of service (IPv4 only); zero means any.
    pub tos: u8,
    /// The lowest wins; `None` leaves it to the kernel (0 for IPv4, 1024 for IPv6).
    pub metric: Option<u32>,
    /// How far the destination is (IPv4 only).
    pub scope: Scope,
    /// `rtm_protocol`: who made the route; `None` means Tanist.
    pub protocol: Option<u8>,
    /// Source address for packets of this host.
    pub source: Option<IpAddr>,
    /// One of them for each packet. None where `kind` says all.
    pub hops: Vec<NextHop>,
    /// What the kernel assumes about the way.
    pub metrics: RouteMetrics,
    /// Preference among routers (IPv6 only).
    pub preference: RouterPreference,
    /// The kernel forgets it after so many seconds (IPv6 only), and then it is not put back.
    pub expires: Option<u32>,
    /// Whether MPLS copies the time to live; `None` leaves it to the kernel.
    pub ttl_propagate: Option<bool>,
    /// Where it goes among routes to the same destination.
    pub position: RoutePosition,
    /// Somebody's removing it is noticed, and its interface counts.
    pub tracked: bool,
}

impl Route {
    /// An ordinary route of the main table to somewhere, without a way yet.
    #[must_use]
    pub fn to(destination: Network) -> Self {
        Self {
            kind: RouteKind::Unicast,
            destination,
            from: None,
            table: Table::MAIN,
            tos: 0,
            metric: None,
            scope: Scope::Global,
            protocol: None,
            source: None,
            hops: Vec::new(),
            metrics: RouteMetrics::default(),
            preference: RouterPreference::Medium,
            expires: None,
            ttl_propagate: None,
            position: RoutePosition::Prepend,
            tracked: true,
        }
    }

    /// The interface without which it is of no use. A route over several is good as long as one of them is.
    pub(crate) fn needs(&self) -> Option<&Name> {
        match self.hops.as_slice() {
            [hop] if self.tracked => hop.link.as_ref(),
            _ => None,
        }
    }

    /// Every interface that it names.
    pub fn links(&self) -> impl Iterator<Item = &Name> {
        let vrf = match &self.table {
            Table::Vrf(name) => Some(name),
            Table::Number(_) => None,
        };
        self.hops.iter().filter_map(|hop| hop.link.as_ref()).chain(vrf)
    }
}

/// What becomes of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// Sent on.
    Unicast,
    /// Delivered here.
    Local,
    /// Sent as a broadcast of the link.
    Broadcast,
    /// Sent as multicast.
    Multicast,
    /// Dropped in silence.
    Blackhole,
    /// Dropped, and answered with "host unreachable".
    Unreachable,
    /// Dropped, and answered with "administratively prohibited".
    Prohibit,
    /// Looked up in the next table.
    Throw,
    /// Once meant a translation of addresses. Kernels of today refuse it over IPv4, and take it for [`Unicast`](Self::Unicast)
    /// over IPv6.
    Nat,
}

impl RouteKind {
    /// Each of them with the word for it.
    pub const ALL: [(&'static str, Self); 9] = [
        ("unicast", Self::Unicast),
        ("local", Self::Local),
        ("broadcast", Self::Broadcast),
        ("multicast", Self::Multicast),
        ("blackhole", Self::Blackhole),
        ("unreachable", Self::Unreachable),
        ("prohibit", Self::Prohibit),
        ("throw", Self::Throw),
        ("nat", Self::Nat),
    ];

    /// Whether there is a way to go.
    #[must_use]
    pub const fn leads_somewhere(self) -> bool {
        matches!(self, Self::Unicast | Self::Local | Self::Broadcast | Self::Multicast | Self::Nat)
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// One way to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NextHop {
    /// The next router; `None` means that the destination is on the link. May be of the other family.
    pub gateway: Option<IpAddr>,
    /// Out of which interface; `None` leaves it to the kernel, which knows where the router is.
    pub link: Option<Name>,
    /// Its share of the packets among all hops, 1–256.
    pub weight: u16,
    /// The router is on this link, whatever its address says.
    pub onlink: bool,
    /// Realms for accounting (IPv4 only).
    pub realms: Option<Realms>,
    /// What packets are wrapped in.
    pub encapsulation: Option<Encapsulation>,
}

impl Default for NextHop {
    fn default() -> Self {
        Self { gateway: None, link: None, weight: 1, onlink: false, realms: None, encapsulation: None }
    }
}

/// Numbers by which packets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Realms {
    /// Where they come from; zero means not said.
    pub from: u16,
    /// Where they go.
    pub to: u16,
}

impl fmt::Display for Realms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            0 => write!(f, "{}", self.to),
            from => write!(f, "{from}/{}", self.to),
        }
    }
}

/// What packets are wrapped in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encapsulation {
    /// Labels of MPLS, the outermost first; none is more than 20 bits.
    Mpls(Vec<u32>),
    /// Metadata for a tunnel device.
    Ip(TunnelKey),
    /// The same over IPv6.
    Ip6(TunnelKey),
    /// The locator that replaces the first 64 bits of the destination.
    Ila(u64),
}

/// Between which ends a tunnel goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TunnelKey {
    /// Key of the tunnel.
    pub id: u64,
    /// Its far end; `None` means unspecified.
    pub destination: Option<IpAddr>,
    /// Its near end; `None` means unspecified.
    pub source: Option<IpAddr>,
    /// Type of service or traffic class.
    pub tos: u8,
    /// Time to live or hop limit; zero leaves it to the device.
    pub ttl: u8,
    /// `TUNNEL_*` bits.
    pub flags: u16,
}

/// What the kernel assumes about a way (`RTAX_*`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteMetrics {
    /// Each that is said, and whether the kernel must not change it.
    pub values: BTreeMap<RouteMetric, (u32, bool)>,
    /// The algorithm of congestion control, and whether applications must not change it.
    pub congestion_control: Option<(Name, bool)>,
}

/// One thing that the kernel assumes about a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteMetric {
    /// Largest packet in octets.
    Mtu,
    /// Largest window that TCP advertises, in octets.
    Window,
    /// First guess of the round trip time, in eighths of a millisecond.
    Rtt,
    /// First guess of its variance, in quarters of a millisecond.
    Rttvar,
    /// Slow start threshold in segments.
    Ssthresh,
    /// Bound of the congestion window in segments.
    Cwnd,
    /// Segment size told to TCP peers, in octets.
    Advmss,
    /// Reordering that TCP expects, in segments.
    Reordering,
    /// Hop limit, 0–255; zero leaves it to the host.
    Hoplimit,
    /// First congestion window in segments.
    Initcwnd,
    /// Bits for features of TCP: 1 is ECN.
    Features,
    /// Least time until TCP sends again, in milliseconds.
    RtoMin,
    /// First window that TCP advertises, in segments.
    Initrwnd,
    /// TCP acknowledges at once: 0 or 1.
    Quickack,
    /// TCP fast open works without a cookie: 0 or 1.
    FastopenNoCookie,
}

impl RouteMetric {
    /// As `ip route` calls it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mtu => "mtu",
            Self::Window => "window",
            Self::Rtt => "rtt",
            Self::Rttvar => "rttvar",
            Self::Ssthresh => "ssthresh",
            Self::Cwnd => "cwnd",
            Self::Advmss => "advmss",
            Self::Reordering => "reordering",
            Self::Hoplimit => "hoplimit",
            Self::Initcwnd => "initcwnd",
            Self::Features => "features",
            Self::RtoMin => "rto_min",
            Self::Initrwnd => "initrwnd",
            Self::Quickack => "quickack",
            Self::FastopenNoCookie => "fastopen_no_cookie",
        }
    }
}

/// How much a router is preferred to others (RFC 4191 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouterPreference {
    /// Only if there is no other.
    Low,
    /// The default.
    Medium,
    /// Before others.
    High,
}

/// Where a route goes among those of the same table, destination, type of service and metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoutePosition {
    /// In front of them.
    Prepend,
    /// Behind them.
    Append,
    /// Nowhere: it is added only if there is none.
    Alone,
}

/// As the configuration would say it, with numbers for what has names on some machines.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != RouteKind::Unicast {
            write!(f, "{} ", self.kind.word())?;
        }
        let says_family = self.destination == Network::everything(Family::Ipv6);
        write!(f, "{}{}", if says_family { "inet6 " } else { "" }, self.destination)?;
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        if self.tos != 0 {
            write!(f, " tos {:#04x}", self.tos)?;
        }
        if let [hop] = self.hops.as_slice() {
            hop.write(self.destination.family(), false, f)?;
        }
        if self.table != Table::MAIN {
            write!(f, " {}", self.table)?;
        }
        if let Some(protocol) = self.protocol {
            write!(f, " protocol {protocol}")?;
        }
        if self.scope != Scope::Global {
            write!(f, " scope {}", self.scope)?;
        }
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        write!(f, "{}", self.metrics)?;
        match self.preference {
            RouterPreference::Low => f.write_str(" pref low")?,
            RouterPreference::Medium => {}
            RouterPreference::High => f.write_str(" pref high")?,
        }
        if let Some(seconds) = self.expires {
            write!(f, " expires {seconds}")?;
        }
        if let Some(propagate) = self.ttl_propagate {
            write!(f, " ttl-propagate {}", if propagate { "enabled" } else { "disabled" })?;
        }
        match self.position {
            RoutePosition::Prepend => {}
            RoutePosition::Append => f.write_str(" append")?,
            RoutePosition::Alone => f.write_str(" add")?,
        }
        if !self.tracked {
            f.write_str(" no_track")?;
        }
        if self.hops.len() > 1 {
            for hop in &self.hops {
                f.write_str(" nexthop")?;
                hop.write(self.destination.family(), true, f)?;
            }
        }
        Ok(())
    }
}

impl NextHop {
    fn write(&self, family: Family, among_others: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(encapsulation) = &self.encapsulation {
            write!(f, " encap {encapsulation}")?;
        }
        match self.gateway {
            Some(gateway) if Family::of(gateway) != family => write!(f, " via inet6 {gateway}")?,
            Some(gateway) => write!(f, " via {gateway}")?,
            None => {}
        }
        if let Some(link) = &self.link {
            write!(f, " dev {link}")?;
        }
        if self.onlink {
            f.write_str(" onlink")?;
        }
        if let Some(realms) = self.realms {
            write!(f, " realms {realms}")?;
        }
        if among_others && self.weight != 1 {
            write!(f, " weight {}", self.weight)?;
        }
        Ok(())
    }
}

impl fmt::Display for RouteMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = |locked: bool| if locked { "lock " } else { "" };
        for (metric, (value, locked)) in &self.values {
            let word = metric.word();
            match metric {
                RouteMetric::Features if *value == 1 => write!(f, " {word} {}ecn", lock(*locked))?,
                _ => write!(f, " {word} {}{value}", lock(*locked))?,
            }
        }
        match &self.congestion_control {
            Some((name, locked)) => write!(f, " congctl {}{name}", lock(*locked)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Encapsulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mpls(labels) => {
                f.write_str("mpls ")?;
                for (place, label) in labels.iter().enumerate() {
                    let slash = if place == 0 { "" } else { "/" };
                    write!(f, "{slash}{label}")?;
                }
                Ok(())
            }
            Self::Ip(key) => key.write("ip", "tos", "ttl", f),
            Self::Ip6(key) => key.write("ip6", "tc", "hoplimit", f),
            Self::Ila(locator) => {
                let part = |shift: u32| (locator >> shift) & 0xffff;
                write!(f, "ila {:x}:{:x}:{:x}:{:x}", part(48), part(32), part(16), part(0))
            }
        }
    }
}

impl TunnelKey {
    /// Each family has its own words for the same.
    fn write(&self, kind: &str, tos: &str, ttl: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{kind} id {}", self.id)?;
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        if let Some(destination) = self.destination {
            write!(f, " dst {destination}")?;
        }
        if self.tos != 0 {
            write!(f, " {tos} {}", self.tos)?;
        }
        if self.ttl != 0 {
            write!(f, " {ttl} {}", self.ttl)?;
        }
        if self.flags != 0 {
            write!(f, " flags {}", self.flags)?;
        }
        Ok(())
    }
}
