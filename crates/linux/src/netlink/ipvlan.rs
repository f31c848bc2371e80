//! Interfaces with addresses of their own and the MAC address of the one that they stand on.

use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoKind, IpVlanFlags, IpVlanMode, LinkAttribute, LinkInfo, LinkMessage,
};

use super::virtual_links::CREATE;
use super::{Link, Netlink};
use crate::Result;

/// How those on the same interface treat each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvlanFlags {
    /// They reach each other directly.
    Bridge,
    /// They do not reach each other.
    Private,
    /// Through the switch only.
    Vepa,
}

impl IpvlanFlags {
    /// `IPVLAN_F_*`
    fn bits(self) -> u16 {
        match self {
            Self::Bridge => 0,
            Self::Private => 1,
            Self::Vepa => 2,
        }
    }
}

/// An interface to be made.
#[derive(Debug, Clone, Copy)]
pub struct Ipvlan<'a> {
    pub name: &'a str,
    /// The index of the interface that it stands on.
    pub lower: u32,
    pub flags: IpvlanFlags,
    /// The group of interfaces that it belongs to.
    pub group: u32,
}

impl Netlink {
    /// Creates it, down and in mode L2: it answers for its addresses by itself.
    pub fn create_ipvlan(&mut self, ipvlan: Ipvlan<'_>) -> Result<()> {
        let mut message = LinkMessage::default();
        message.attributes = vec![
            LinkAttribute::IfName(ipvlan.name.to_owned()),
            LinkAttribute::Link(ipvlan.lower),
            LinkAttribute::Group(ipvlan.group),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::IpVlan),
                LinkInfo::Data(InfoData::IpVlan(vec![
                    InfoIpVlan::Mode(IpVlanMode::L2),
                    InfoIpVlan::Flags(IpVlanFlags::from_bits_retain(ipvlan.flags.bits())),
                ])),
            ]),
        ];
        let lower = self.link_name(ipvlan.lower);
        self.change_link(CREATE, &message, || format!("create the ipvlan {} on {lower}", ipvlan.name))
    }
}

impl Link {
    /// Whether it is an ipvlan in mode L2, as [`Netlink::create_ipvlan`] makes them.
    pub fn is_l2_ipvlan(&self) -> bool {
        /// `IPVLAN_MODE_L2`
        const L2: u16 = 0;
        self.ipvlan.is_some_and(|(mode, _)| mode == L2)
    }

    /// Whether it is such a one with these flags.
    pub fn is_ipvlan_with(&self, flags: IpvlanFlags) -> bool {
        self.is_l2_ipvlan() && self.ipvlan.is_some_and(|(_, bits)| bits == flags.bits())
    }
}
