//! Virtual links, ports and routes: what a lab of namespaces is built from. The daemon uses little of it.

use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth,
    LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use super::Netlink;
use super::socket::Request;
use crate::{Error, Result};

pub(super) const CREATE: u16 = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;

/// One end of a virtual cable.
#[derive(Debug, Clone, Copy)]
pub struct VethEnd<'a> {
    pub name: &'a str,
    /// `None`: the kernel rolls the dice.
    pub mac: Option<[u8; 6]>,
    /// `None`: the namespace of the socket.
    pub namespace: Option<BorrowedFd<'a>>,
}

/// A route of the main table. Without a destination it is the default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub destination: Option<(IpAddr, u8)>,
    pub gateway: Option<IpAddr>,
    pub link: Option<u32>,
}

impl Netlink {
    /// Creates a cable; each end is created in its namespace at once and is down.
    pub fn create_veth(&mut self, one: VethEnd<'_>, other: VethEnd<'_>) -> Result<()> {
        let mut message = veth_end(one);
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(veth_end(other)))),
        ]));
        self.change_link(CREATE, &message, || format!("create the veth pair {} and {}", one.name, other.name))
    }

    /// Creates a bridge that floods multicast (no snooping) and forwards from the first moment (no spanning tree).
    /// Answers its index. It is down.
    pub fn create_bridge(&mut self, name: &str) -> Result<u32> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Bridge),
            LinkInfo::Data(InfoData::Bridge(vec![
                InfoBridge::MulticastSnooping(false),
                InfoBridge::StpState(BridgeStpState::Disabled),
            ])),
        ]));
        let action = || format!("create the bridge {name}");
        self.change_link(CREATE, &message, action)?;
        let bridge = self.link_by_name(name)?;
        bridge.map(|link| link.index).ok_or_else(|| Error::new(action(), libc::ENODEV))
    }

    /// Makes a link a port of a bridge, or of nothing.
    pub fn set_master(&mut self, link: u32, master: Option<u32>) -> Result<()> {
        let mut message = of_link(link);
        message.attributes.push(LinkAttribute::Controller(master.unwrap_or(0)));
        let name = self.link_name(link);
        let master = master.map(|master| self.link_name(master));
        self.change_link(0, &message, || match master {
            Some(master) => format!("make {name} a port of {master}"),
            None => format!("release {name} from its bridge"),
        })
    }

    pub fn set_up(&mut self, link: u32, up: bool) -> Result<()> {
        let mut message = of_link(link);
        message.header.change_mask = LinkFlags::Up;
        message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        let name = self.link_name(link);
        self.change_link(0, &message, || format!("set {name} {}", if up { "up" } else { "down" }))
    }

    /// Puts an interface into a group of them. Even if it is in that already, the kernel tells everybody how the interface
    /// is now.
    pub fn set_group(&mut self, link: u32, group: u32) -> Result<()> {
        let mut message = of_link(link);
        message.attributes.push(LinkAttribute::Group(group));
        let name = self.link_name(link);
        self.change_link(0, &message, || format!("set the group of {name}"))
    }

    pub fn set_mac(&mut self, link: u32, mac: [u8; 6]) -> Result<()> {
        let mut message = of_link(link);
        message.attributes.push(LinkAttribute::Address(mac.to_vec()));
        let name = self.link_name(link);
        self.change_link(0, &message, || format!("set the MAC address of {name}"))
    }

    pub fn delete_link(&mut self, link: u32) -> Result<()> {
        let name = self.link_name(link);
        self.change(libc::RTM_DELLINK, 0, &of_link(link), || format!("delete {name}"))
    }

    /// An isolated bridge port exchanges nothing with other isolated ports, but with all others.
    pub fn set_isolated(&mut self, port: u32, isolated: bool) -> Result<()> {
        let name = self.link_name(port);
        self.change_port(port, InfoBridgePort::Isolated(isolated), || {
            if isolated { format!("isolate the port {name}") } else { format!("end the isolation of the port {name}") }
        })
    }

    /// Whether multicast leaves the bridge through this port. Broadcast and unicast do in any case.
    pub fn set_multicast_flood(&mut self, port: u32, flood: bool) -> Result<()> {
        let name = self.link_name(port);
        self.change_port(port, InfoBridgePort::MulticastFlood(flood), || {
            format!("{} multicast at the port {name}", if flood { "let out" } else { "hold back" })
        })
    }

    fn change_port(&mut self, port: u32, change: InfoBridgePort, action: impl FnOnce() -> String) -> Result<()> {
        let mut message = of_link(port);
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(vec![change])),
        ]));
        self.change_link(0, &message, action)
    }

    pub fn add_route(&mut self, route: &Route) -> Result<()> {
        let mut message = RouteMessage::default();
        let addresses = [route.destination.map(|(address, _)| address), route.gateway];
        message.header.address_family = match addresses.into_iter().flatten().next() {
            Some(IpAddr::V6(_)) => AddressFamily::Inet6,
            Some(IpAddr::V4(_)) | None => AddressFamily::Inet,
        };
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Static;
        message.header.kind = RouteType::Unicast;
        message.header.scope = if route.gateway.is_some() { RouteScope::Universe } else { RouteScope::Link };
        if let Some((destination, prefix)) = route.destination {
            message.header.destination_prefix_length = prefix;
            message.attributes.push(RouteAttribute::Destination(RouteAddress::from(destination)));
        }
        message.attributes.extend(route.gateway.map(|gateway| RouteAttribute::Gateway(RouteAddress::from(gateway))));
        message.attributes.extend(route.link.map(RouteAttribute::Oif));
        self.change(libc::RTM_NEWROUTE, CREATE, &message, || match route.destination {
            Some((destination, prefix)) => format!("add the route to {destination}/{prefix}"),
            None => "add the default route".to_owned(),
        })
    }

    pub(super) fn change_link(
        &mut self,
        flags: u16,
        message: &LinkMessage,
        action: impl FnOnce() -> String,
    ) -> Result<()> {
        self.change(libc::RTM_NEWLINK, flags, message, action)
    }

    fn change(
        &mut self,
        kind: u16,
        flags: u16,
        payload: &dyn netlink_packet_core::Emitable,
        action: impl FnOnce() -> String,
    ) -> Result<()> {
        let answer = self.socket.request(Request { kind, flags, payload });
        answer.map_err(|refusal| Error::new(action(), refusal.errno).explained(refusal.words))
    }
}

pub(super) fn of_link(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn veth_end(end: VethEnd<'_>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(end.name.to_owned()));
    message.attributes.extend(end.mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
    message.attributes.extend(end.namespace.map(|namespace| LinkAttribute::NetNsFd(namespace.as_raw_fd())));
    message
}
