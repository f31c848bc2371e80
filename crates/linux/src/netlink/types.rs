//! What the kernel has: links and addresses, as far as we look at them.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

/// How long the kernel keeps an address that nobody renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifetime {
    /// So many seconds, give or take a quarter of one. The kernel takes the greatest number for "for ever".
    Seconds(NonZeroU32),
    Unlimited,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    /// Somebody wants it up (`IFF_UP`).
    pub up: bool,
    /// It works: operational state and carrier (`IFF_RUNNING` and `IFF_LOWER_UP`).
    pub running: bool,
    /// All zero where the link has no six-byte address.
    pub mac: [u8; 6],
    /// Its neighbours have Ethernet addresses and are asked for them (no `IFF_NOARP`). It is no tunnel, for instance.
    pub takes_arp: bool,
    pub mtu: u32,
    /// The index of the bridge or bond that it is a port of.
    pub master: Option<u32>,
    /// "veth", "bridge", "macvlan", ...; `None` for hardware and the loopback.
    pub kind: Option<String>,
    pub loopback: bool,
    /// It can send to a multicast group.
    pub multicast: bool,
    /// The number of its group (`ip link set … group`).
    pub group: u32,
    /// Of a VRF: the table that has its routes.
    pub vrf_table: Option<u32>,
    /// The index of the interface that it stands on, if that is in this namespace: of a VLAN, a macvlan and their like.
    pub lower: Option<u32>,
    /// What somebody has written on it (`ip link set … alias`).
    pub alias: Option<String>,
    /// Of a macvlan, how it treats the others on its interface: `MACVLAN_MODE_*`.
    pub macvlan_mode: Option<u32>,
    /// Of an ipvlan, its mode and flags: `IPVLAN_MODE_*`, `IPVLAN_F_*`.
    pub ipvlan: Option<(u16, u16)>,
}

/// An address that a link has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub link: u32,
    pub address: IpAddr,
    pub prefix: u8,
    /// `RT_SCOPE_*`: 0 universe, 253 link, 254 host.
    pub scope: u8,
    pub label: Option<String>,
    pub broadcast: Option<Ipv4Addr>,
    /// The other end, where the link has only two.
    pub peer: Option<IpAddr>,
    /// `IFA_PROTO`; `None` from kernels that know no marks.
    pub protocol: Option<u8>,
    /// `IFA_F_*`.
    pub flags: u32,
    /// The kernel removes it in so many seconds, counted from when it told; `None`: never.
    pub seconds_left: Option<u32>,
}

impl Link {
    /// Whether others are in a routing table of its own.
    pub fn is_vrf(&self) -> bool {
        self.kind.as_deref() == Some("vrf")
    }
}

impl Address {
    /// Whether it carries our mark.
    pub fn is_marked(&self) -> bool {
        self.protocol == Some(super::OUR_MARK)
    }

    /// Whether the kernel has another address of the same IPv4 subnet on that link, which came first. (The bit means
    /// "temporary" for IPv6.)
    pub fn is_secondary(&self) -> bool {
        self.address.is_ipv4() && self.flags & libc::IFA_F_SECONDARY != 0
    }

    /// Whether it is an IPv6 address that the kernel has made up for a while, so that nobody is known by it (RFC 8981).
    pub fn is_temporary(&self) -> bool {
        self.address.is_ipv6() && self.flags & libc::IFA_F_TEMPORARY != 0
    }

    /// Whether the kernel still looks for others that have it (RFC 4862 §5.4): nothing may come from there yet.
    pub fn is_tentative(&self) -> bool {
        let with = |flag| self.flags & flag != 0;
        with(libc::IFA_F_TENTATIVE) && !with(libc::IFA_F_OPTIMISTIC) && !self.is_duplicate()
    }

    /// Whether somebody else has it, so that nothing may come from there.
    pub fn is_duplicate(&self) -> bool {
        self.flags & libc::IFA_F_DADFAILED != 0
    }
}
