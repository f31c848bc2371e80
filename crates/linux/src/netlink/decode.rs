//! Reads the few things that we want to know out of link and address messages.
//!
//! Attributes that we don't know, or that are not as we expect them, are passed over: a message is never lost for the
//! sake of one of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::NlasIterator;

use super::{Address, Link};

const LINK_HEADER_SIZE: usize = 16;
const ADDRESS_HEADER_SIZE: usize = 8;
const ARPHRD_NONE: u16 = 0xfffe;
const IFA_PROTO: u16 = 11;
/// `INFINITY_LIFE_TIME`
pub(super) const FOREVER: u32 = u32::MAX;
const IFLA_WIRELESS: u16 = 11;
const IFLA_VRF_TABLE: u16 = 1;
const IFLA_IPVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_FLAGS: u16 = 2;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFF_LOWER_UP: u32 = 1 << 16;

/// Type and value of each attribute.
pub(super) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    // `NlaBuffer::value` borrows from the buffer value, not from the bytes: step by hand what it has checked.
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let attribute = NlasIterator::new(rest).next()?.ok()?;
        let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..offset + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().expect("four bytes")))
}

/// A string, with or without its final zero.
pub(super) fn string(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8(bytes[..end].to_vec()).ok()
}

pub(super) fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::V4(ipv4_address(bytes)?)),
        16 => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))),
        _ => None,
    }
}

fn ipv4_address(bytes: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))
}

/// Reads the payload of `RTM_NEWLINK` or `RTM_DELLINK`. `None` for what does not describe the link itself, such as the
/// messages of a bridge about its ports and those of a radio link about its scans.
pub(super) fn link(payload: &[u8]) -> Option<Link> {
    let header = payload.get(..LINK_HEADER_SIZE)?;
    if i32::from(header[0]) != libc::AF_UNSPEC {
        return None;
    }
    let layer = u16::from_ne_bytes([header[2], header[3]]);
    let flags = u32_at(header, 8)?;
    let is_set = |flag: i32| flags & flag.cast_unsigned() != 0;
    let mut link = Link {
        index: u32_at(header, 4)?,
        name: String::new(),
        up: is_set(libc::IFF_UP),
        // A link that has just been made may be said to run before anybody has looked at its carrier.
        running: is_set(libc::IFF_RUNNING) && flags & IFF_LOWER_UP != 0,
        mac: [0; 6],
        takes_arp: layer == libc::ARPHRD_ETHER && !is_set(libc::IFF_NOARP),
        mtu: 0,
        master: None,
        kind: None,
        loopback: is_set(libc::IFF_LOOPBACK),
        multicast: is_set(libc::IFF_MULTICAST),
        group: 0,
        vrf_table: None,
        lower: None,
        alias: None,
        macvlan_mode: None,
        ipvlan: None,
    };
    let mut is_whole = false;
    let mut elsewhere = false;
    for (kind, value) in attributes(&payload[LINK_HEADER_SIZE..]) {
        match kind {
            libc::IFLA_IFNAME => link.name = string(value).unwrap_or_default(),
            libc::IFLA_ADDRESS if layer != ARPHRD_NONE => link.mac = value.try_into().unwrap_or_default(),
            // Of a radio link: no more than that something happened to it, a scan for instance.
            IFLA_WIRELESS => return None,
            libc::IFLA_MTU => {
                is_whole = true;
                link.mtu = u32_at(value, 0).unwrap_or_default();
            }
            libc::IFLA_MASTER => link.master = u32_at(value, 0),
            libc::IFLA_GROUP => link.group = u32_at(value, 0).unwrap_or_default(),
            libc::IFLA_LINK => link.lower = u32_at(value, 0).filter(|lower| *lower != 0),
            libc::IFLA_LINK_NETNSID => elsewhere = true,
            libc::IFLA_IFALIAS => link.alias = string(value),
            libc::IFLA_LINKINFO => {
                link.kind = attributes(value)
                    .find(|(kind, _)| *kind == libc::IFLA_INFO_KIND)
                    .and_then(|(_, name)| string(name));
                let data = attributes(value).find(|(kind, _)| *kind == libc::IFLA_INFO_DATA);
                let data = data.map_or(&[][..], |(_, data)| data);
                let find = |wanted| attributes(data).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
                let part = |wanted| find(wanted).and_then(|value| u32_at(value, 0));
                let half = |wanted| Some(u16::from_ne_bytes(find(wanted)?.get(..2)?.try_into().ok()?));
                match link.kind.as_deref() {
                    Some("vrf") => link.vrf_table = part(IFLA_VRF_TABLE),
                    Some("macvlan") => link.macvlan_mode = part(IFLA_MACVLAN_MODE),
                    // Kernels before 4.15 have no flags.
                    Some("ipvlan") => {
                        link.ipvlan = half(IFLA_IPVLAN_MODE).map(|mode| (mode, half(IFLA_IPVLAN_FLAGS).unwrap_or(0)));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if elsewhere {
        link.lower = None;
    }
    // Each link has one. What does not tell it is no description: to be taken for one, it would lose its address, too.
    is_whole.then_some(link)
}

/// Reads the payload of `RTM_NEWADDR` or `RTM_DELADDR`.
pub(super) fn address(payload: &[u8]) -> Option<Address> {
    let header = payload.get(..ADDRESS_HEADER_SIZE)?;
    let mut flags = u32::from(header[2]);
    let (mut local, mut peer) = (None, None);
    let (mut label, mut broadcast, mut protocol) = (None, None, None);
    let mut seconds_left = None;
    for (kind, value) in attributes(&payload[ADDRESS_HEADER_SIZE..]) {
        match kind {
            // With a peer IFA_ADDRESS is the other end; elsewhere both are the same or only one is given.
            libc::IFA_LOCAL => local = ip_address(value),
            libc::IFA_ADDRESS => peer = ip_address(value),
            libc::IFA_LABEL => label = string(value),
            libc::IFA_BROADCAST => broadcast = ipv4_address(value),
            libc::IFA_FLAGS => flags = u32_at(value, 0).unwrap_or(flags),
            IFA_PROTO => protocol = value.first().copied(),
            // struct ifa_cacheinfo: preferred, then valid.
            libc::IFA_CACHEINFO => seconds_left = u32_at(value, 4).filter(|left| *left != FOREVER),
            _ => {}
        }
    }
    Some(Address {
        link: u32_at(header, 4)?,
        address: local.or(peer)?,
        peer: peer.filter(|peer| local.is_some_and(|local| local != *peer)),
        prefix: header[1],
        scope: header[3],
        label,
        broadcast,
        protocol,
        flags,
        seconds_left,
    })
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{Emitable, Parseable};
    use netlink_packet_route::AddressFamily;
    use netlink_packet_route::address::{
        AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
    };
    use netlink_packet_route::link::{
        InfoData, InfoKind, InfoMacVlan, InfoVrf, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
        MacVlanMode,
    };
    use proptest::prelude::*;

    use super::*;

    fn bytes(message: &impl Emitable) -> Vec<u8> {
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        bytes
    }

    fn a_link() -> LinkMessage {
        let mut message = LinkMessage::default();
        message.header.index = 7;
        message.header.link_layer_type = LinkLayerType::Ether;
        message.header.flags = LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp | LinkFlags::Multicast;
        message.attributes = vec![
            LinkAttribute::IfName("eth0".into()),
            LinkAttribute::Mtu(1500),
            LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
            LinkAttribute::Controller(3),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth)]),
        ];
        message
    }

    #[test]
    fn reads_a_link() {
        let expected = Link {
            index: 7,
            name: "eth0".into(),
            up: true,
            running: true,
            mac: [2, 0, 0, 0, 0, 1],
            mtu: 1500,
            master: Some(3),
            kind: Some("veth".into()),
            loopback: false,
            multicast: true,
            group: 0,
            vrf_table: None,
            lower: None,
            takes_arp: true,
            alias: None,
            macvlan_mode: None,
            ipvlan: None,
        };
        assert_eq!(link(&bytes(&a_link())), Some(expected));
    }

    #[test]
    fn a_macvlan_tells_what_it_stands_on() {
        let mut message = a_link();
        message.attributes.pop();
        let data = InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)]);
        message.attributes.extend([
            LinkAttribute::Link(4),
            LinkAttribute::IfAlias("tanist".into()),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::MacVlan), LinkInfo::Data(data)]),
        ]);
        let read = link(&bytes(&message)).unwrap();
        assert_eq!((read.lower, read.macvlan_mode), (Some(4), Some(1)));
        assert_eq!((read.kind.as_deref(), read.alias.as_deref()), (Some("macvlan"), Some("tanist")));
        message.attributes.push(LinkAttribute::LinkNetNsId(0));
        assert_eq!(link(&bytes(&message)).unwrap().lower, None, "it stands in another namespace");
    }

    #[test]
    fn a_vrf_tells_its_table() {
        let mut message = a_link();
        message.attributes.pop();
        let data = InfoData::Vrf(vec![InfoVrf::TableId(500)]);
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Vrf), LinkInfo::Data(data)]));
        assert_eq!(link(&bytes(&message)).unwrap().vrf_table, Some(500));
    }

    #[test]
    fn a_link_runs_only_with_a_carrier() {
        let mut message = a_link();
        message.header.flags.remove(LinkFlags::LowerUp);
        assert!(!link(&bytes(&message)).unwrap().running);
        message.header.flags = LinkFlags::Up | LinkFlags::LowerUp;
        assert!(!link(&bytes(&message)).unwrap().running);
    }

    #[test]
    fn a_tunnel_takes_no_arp() {
        let mut message = a_link();
        message.header.flags |= LinkFlags::Noarp;
        assert!(!link(&bytes(&message)).unwrap().takes_arp, "although it is Ethernet");
        message.header.link_layer_type = LinkLayerType::None;
        assert!(!link(&bytes(&message)).unwrap().takes_arp);
        message.header.flags = LinkFlags::Up;
        for other in [LinkLayerType::Infiniband, LinkLayerType::Ppp, LinkLayerType::Loopback] {
            message.header.link_layer_type = other;
            assert!(!link(&bytes(&message)).unwrap().takes_arp, "{other:?}");
        }
    }

    #[test]
    fn what_a_bridge_says_of_its_ports_is_not_about_the_link() {
        let mut message = a_link();
        message.header.interface_family = AddressFamily::Bridge;
        assert_eq!(link(&bytes(&message)), None);
    }

    /// As Linux writes it for Wireless Extensions: a name, and a `struct iw_event` of a scan that is done.
    #[test]
    fn what_a_radio_link_says_of_its_scans_is_not_about_the_link() {
        let header = [&[0, 0][..], &libc::ARPHRD_ETHER.to_ne_bytes(), &7_u32.to_ne_bytes(), &[0; 8]].concat();
        let name = [&8_u16.to_ne_bytes()[..], &libc::IFLA_IFNAME.to_ne_bytes(), b"wl0\0"].concat();
        let event = [&8_u16.to_ne_bytes()[..], &0x8b19_u16.to_ne_bytes(), &[0; 4]].concat();
        let radio = [&12_u16.to_ne_bytes()[..], &IFLA_WIRELESS.to_ne_bytes(), &event].concat();
        assert_eq!(link(&[&header[..], &name, &radio].concat()), None);
        // What says so little is no description of a link, whatever else it is about.
        assert_eq!(link(&[&header[..], &name].concat()), None);
        let mtu = [&8_u16.to_ne_bytes()[..], &libc::IFLA_MTU.to_ne_bytes(), &1500_u32.to_ne_bytes()].concat();
        assert_eq!(link(&[&header[..], &name, &mtu, &radio].concat()), None);
        assert_eq!(link(&[&header[..], &name, &mtu].concat()).unwrap().name, "wl0");
    }

    #[test]
    fn an_address_of_another_size_is_no_mac() {
        let mut message = a_link();
        message.attributes.push(LinkAttribute::Address(vec![192, 0, 2, 1]));
        assert_eq!(link(&bytes(&message)).unwrap().mac, [0; 6]);
    }

    #[test]
    fn reads_an_address() {
        let mut message = AddressMessage::default();
        message.header.index = 7;
        message.header.prefix_len = 24;
        message.header.scope = AddressScope::Link;
        let (ip, peer) = (Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(192, 0, 2, 1));
        message.attributes = vec![
            AddressAttribute::Address(IpAddr::V4(peer)),
            AddressAttribute::Local(IpAddr::V4(ip)),
            AddressAttribute::Label("eth0:1".into()),
            AddressAttribute::Broadcast(Ipv4Addr::new(192, 0, 2, 255)),
            AddressAttribute::Protocol(AddressProtocol::Other(0x54)),
            AddressAttribute::Flags(AddressFlags::Permanent | AddressFlags::Noprefixroute),
        ];
        let expected = Address {
            link: 7,
            address: IpAddr::V4(ip),
            prefix: 24,
            scope: libc::RT_SCOPE_LINK,
            label: Some("eth0:1".into()),
            broadcast: Some(Ipv4Addr::new(192, 0, 2, 255)),
            peer: Some(IpAddr::V4(peer)),
            protocol: Some(0x54),
            flags: 0x280,
            seconds_left: None,
        };
        let read = address(&bytes(&message)).unwrap();
        assert_eq!(read, expected);
        assert!(read.is_marked() && !read.is_secondary());
        for (valid, seconds_left) in [(7, Some(7)), (0, Some(0)), (FOREVER, None)] {
            let mut lifetimes = CacheInfo::default();
            (lifetimes.ifa_preferred, lifetimes.ifa_valid) = (3, valid);
            message.attributes.push(AddressAttribute::CacheInfo(lifetimes));
            assert_eq!(address(&bytes(&message)).unwrap().seconds_left, seconds_left);
        }
        // IPv6 sends no IFA_LOCAL.
        message.attributes = vec![AddressAttribute::Address("2001:db8::7".parse().unwrap())];
        let read = address(&bytes(&message)).unwrap();
        assert_eq!((read.address, read.peer, read.protocol), ("2001:db8::7".parse().unwrap(), None, None));
        message.attributes.clear();
        assert_eq!(address(&bytes(&message)), None, "an address message without an address");
    }

    proptest! {
        #[test]
        fn survives_anything(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = link(&payload);
            let _ = address(&payload);
        }

        /// The attributes of a link, where netlink-packet-route can read them, are the same to us.
        #[test]
        fn agrees_with_netlink_packet_route(noise in prop::collection::vec(any::<u8>(), 0..40), position in 0..100_usize) {
            let mut payload = bytes(&a_link());
            let at = LINK_HEADER_SIZE + position % (payload.len() - LINK_HEADER_SIZE);
            let end = payload.len().min(at + noise.len());
            payload[at..end].copy_from_slice(&noise[..end - at]);
            if let Ok(theirs) = LinkMessage::parse(&payload[..]) {
                let kinds: Vec<u16> = attributes(&payload[LINK_HEADER_SIZE..]).map(|(kind, _)| kind).collect();
                let is_whole = kinds.contains(&libc::IFLA_MTU) && !kinds.contains(&IFLA_WIRELESS);
                let ours = link(&payload);
                prop_assert_eq!(ours.is_some(), is_whole);
                let Some(ours) = ours else { return Ok(()) };
                let name = theirs.attributes.iter().rev().find_map(|attribute| match attribute {
                    // The kernel's strings end at the first zero.
                    LinkAttribute::IfName(name) => name.split('\0').next(),
                    _ => None,
                });
                let mtu = theirs.attributes.iter().rev().find_map(|attribute| match attribute {
                    LinkAttribute::Mtu(mtu) => Some(*mtu),
                    _ => None,
                });
                let controller = theirs.attributes.iter().rev().find_map(|attribute| match attribute {
                    LinkAttribute::Controller(index) => Some(*index),
                    _ => None,
                });
                prop_assert_eq!(ours.name.as_str(), name.unwrap_or_default());
                prop_assert_eq!(ours.mtu, mtu.unwrap_or_default());
                prop_assert_eq!(ours.master, controller);
            }
        }
    }
}
