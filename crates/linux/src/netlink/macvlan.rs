//! Interfaces with a MAC address of their own on top of another one: where the addresses of virtual routers live.

use netlink_packet_route::link::{InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkInfo, LinkMessage, MacVlanMode};

use super::virtual_links::{CREATE, of_link};
use super::{Link, Netlink};
use crate::Result;

/// An interface to be made.
#[derive(Debug, Clone, Copy)]
pub struct Macvlan<'a> {
    pub name: &'a str,
    /// The index of the interface that it stands on.
    pub lower: u32,
    pub mac: [u8; 6],
    /// The group of interfaces that it belongs to.
    pub group: u32,
}

impl Netlink {
    /// Creates it, down and in private mode: it has nothing to do with others on the same interface, and frames that
    /// come from the same MAC address elsewhere come to it and not to the interface below.
    pub fn create_macvlan(&mut self, macvlan: Macvlan<'_>) -> Result<()> {
        let mut message = LinkMessage::default();
        message.attributes = vec![
            LinkAttribute::IfName(macvlan.name.to_owned()),
            LinkAttribute::Link(macvlan.lower),
            LinkAttribute::Address(macvlan.mac.to_vec()),
            LinkAttribute::Group(macvlan.group),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::MacVlan),
                LinkInfo::Data(InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)])),
            ]),
        ];
        let lower = self.link_name(macvlan.lower);
        self.change_link(CREATE, &message, || format!("create {} on {lower}", macvlan.name))
    }

    /// Writes something on a link, for people and for ourselves.
    pub fn set_alias(&mut self, link: u32, alias: &str) -> Result<()> {
        let mut message = of_link(link);
        message.attributes.push(LinkAttribute::IfAlias(alias.to_owned()));
        let name = self.link_name(link);
        self.change_link(0, &message, || format!("write an alias on {name}"))
    }
}

impl Link {
    /// Whether it is a macvlan as [`Netlink::create_macvlan`] makes them.
    pub fn is_private_macvlan(&self) -> bool {
        /// `MACVLAN_MODE_PRIVATE`
        const PRIVATE: u32 = 1;
        self.kind.as_deref() == Some("macvlan") && self.macvlan_mode == Some(PRIVATE)
    }
}
