//! Interfaces with a virtual MAC address, and what is heard through them.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::common::{Pair, pair, wait_until};
use rustix::net::{AddressFamily, Protocol, RawProtocol, RecvFlags, SocketFlags, SocketType};
use tanist_linux::arp_socket::ArpSocket;
use tanist_linux::netlink::{Link, Macvlan, Netlink};
use tanist_linux::poll::{Interest, Poll};
use tanist_linux::send_batch::SendBatch;
use tanist_linux::sysctl::Sysctl;
use tanist_linux::vrrp_socket::{AUTHENTICATION_HEADER, PROTOCOL, ReceiveBuffers, ReceiveSocket, SendSocket};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const GROUP_MAC: [u8; 6] = [0x01, 0x00, 0x5e, 0, 0, 18];
const VIRTUAL_MAC: [u8; 6] = [0x00, 0x00, 0x5e, 0x00, 0x01, 51];

/// Makes `vmac` on that link of this thread's namespace, up.
fn make_virtual_link(lower: u32) -> Link {
    let mut netlink = Netlink::open().unwrap();
    netlink.create_macvlan(Macvlan { name: "vmac", lower, mac: VIRTUAL_MAC, group: 7 }).unwrap();
    let made = netlink.link_by_name("vmac").unwrap().unwrap();
    assert!(!made.up, "what it shall be first is said before it is up");
    netlink.set_alias(made.index, "tanist").unwrap();
    // It would talk of itself.
    Sysctl::of_ipv6_link("vmac", "disable_ipv6").set_if_there("1").unwrap();
    netlink.set_up(made.index, true).unwrap();
    netlink.link_by_name("vmac").unwrap().unwrap()
}

/// From the IP header on, about this virtual router.
fn advertisement(vrid: u8, number: u8, protocol: u8) -> Vec<u8> {
    let mut body = vec![0x31, vrid, number, 0, 0, 100, 0, 0];
    if protocol == AUTHENTICATION_HEADER {
        let mut header = vec![PROTOCOL, 4, 0, 0];
        header.resize(24, 0);
        body.splice(0..0, header);
    }
    let mut packet = vec![0x45, 0xc0, 0, 20 + body.len() as u8, 0, 7, 0, 0, 255, protocol, 0, 0, 192, 0, 2, 2];
    packet.extend([224, 0, 0, 18]);
    packet.extend(body);
    packet
}

/// The numbers of everything that is heard, until that many were there.
fn heard(socket: &ReceiveSocket, count: usize) -> Vec<u8> {
    let mut buffers = ReceiveBuffers::new();
    let mut poll = Poll::new().unwrap();
    poll.add(socket, 0, Interest::Readable).unwrap();
    let mut numbers = Vec::new();
    while numbers.len() < count {
        assert_ne!(poll.wait(Some(Duration::from_secs(30))).unwrap().count(), 0, "only {numbers:?} came");
        socket.receive(&mut buffers).unwrap();
        numbers.extend(buffers.packets().map(|packet| {
            let before = if packet.bytes[9] == AUTHENTICATION_HEADER { 24 } else { 0 };
            packet.bytes[20 + before + 2]
        }));
    }
    numbers
}

/// Hears every IPv4 frame in this thread's namespace.
fn listener() -> OwnedFd {
    let protocol = RawProtocol::new(u32::from((libc::ETH_P_IP as u16).to_be())).map(Protocol::from_raw);
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, protocol).unwrap()
}

#[test]
fn a_virtual_link_is_as_it_was_asked_for() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    left.run(|| {
        let made = make_virtual_link(left_link.index);
        assert!(made.is_private_macvlan() && made.up, "{made:?}");
        assert_eq!((made.lower, made.mac, made.group), (Some(left_link.index), VIRTUAL_MAC, 7));
        assert_eq!(made.alias.as_deref(), Some("tanist"));
        let mut netlink = Netlink::open().unwrap();
        let again = Macvlan { name: "vmac", lower: left_link.index, mac: VIRTUAL_MAC, group: 0 };
        assert_eq!(netlink.create_macvlan(again).unwrap_err().errno(), Some(libc::EEXIST));
        assert!(!netlink.link_by_name("left").unwrap().unwrap().is_private_macvlan());
        netlink.delete_link(made.index).unwrap();
        assert_eq!(netlink.link_by_name("vmac").unwrap(), None);
    })
    .unwrap();
}

/// Both kinds of senders: those with a MAC address of their own, and those with the one that is ours, too.
#[test]
fn a_virtual_link_hears_its_router_from_any_mac_address() {
    let Some(Pair { left, right, left_link, right_link }) = pair() else { return };
    let (socket, header) = left
        .run(|| {
            let made = make_virtual_link(left_link.index);
            let socket = ReceiveSocket::on_virtual_link(made.index, left_link.index, 51).unwrap();
            let header = ReceiveSocket::with_header_on_virtual_link(made.index, left_link.index, 51).unwrap();
            for socket in [&socket, &header] {
                socket.join(GROUP, made.index).unwrap();
                // No failure.
                socket.join(GROUP, made.index).unwrap();
            }
            (socket, header)
        })
        .unwrap();
    right
        .run(|| {
            let sender = SendSocket::on_link(right_link.index).unwrap();
            let mut batch = SendBatch::new();
            for (vrid, number, protocol) in
                [(51, 1, PROTOCOL), (52, 2, PROTOCOL), (52, 3, AUTHENTICATION_HEADER), (51, 4, AUTHENTICATION_HEADER)]
            {
                batch.push_packet(&advertisement(vrid, number, protocol), GROUP);
            }
            let mut unsent = Vec::new();
            batch.flush(&sender, &mut unsent);
            assert!(unsent.is_empty(), "{unsent:?}");
            let frames = ArpSocket::open().unwrap();
            for (vrid, number) in [(52, 5), (51, 6)] {
                let frame = [&GROUP_MAC[..], &VIRTUAL_MAC, &[8, 0], &advertisement(vrid, number, PROTOCOL)].concat();
                batch.push_frame(&frame, right_link.index);
            }
            batch.flush(&frames, &mut unsent);
            assert!(unsent.is_empty(), "{unsent:?}");
        })
        .unwrap();
    let mut numbers = heard(&socket, 2);
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 6]);
    assert_eq!(heard(&header, 1), [4]);
}

/// Switches look for a MAC address where they saw it last: a Backup must not be seen with the virtual one.
#[test]
fn a_group_is_joined_without_showing_the_virtual_mac_address() {
    let Some(Pair { left, right, left_link, .. }) = pair() else { return };
    let ear = right.run(listener).unwrap();
    let socket = left
        .run(|| {
            let made = make_virtual_link(left_link.index);
            let socket = ReceiveSocket::on_virtual_link(made.index, left_link.index, 51).unwrap();
            socket.join(GROUP, made.index).unwrap();
            socket
        })
        .unwrap();
    let mut frame = [0; 200];
    let mut next =
        || rustix::net::recv(&ear, &mut frame, RecvFlags::empty()).ok().map(|(_, length)| frame[..length].to_vec());
    const IGMP: u8 = 2;
    wait_until(|| {
        std::iter::from_fn(&mut next).any(|frame| {
            assert_ne!(frame[6..12], VIRTUAL_MAC, "{frame:?}");
            frame[14 + 9] == IGMP && frame[6..12] == left_link.mac && frame.windows(4).any(|it| it == [224, 0, 0, 18])
        })
    });
    // It leaves the group as quietly.
    left.run(|| {
        let made = Netlink::open().unwrap().link_by_name("vmac").unwrap().unwrap();
        socket.leave(GROUP, made.index).unwrap();
        socket.leave(GROUP, made.index).unwrap();
    })
    .unwrap();
    let end = advertisement(9, 9, PROTOCOL);
    left.run(|| {
        let mut batch = SendBatch::new();
        batch.push_packet(&end, GROUP);
        batch.flush(SendSocket::on_link(left_link.index).unwrap(), &mut Vec::new());
    })
    .unwrap();
    wait_until(|| {
        std::iter::from_fn(&mut next).any(|frame| {
            assert_ne!(frame[6..12], VIRTUAL_MAC, "{frame:?}");
            frame[14 + 9] == PROTOCOL
        })
    });
}
