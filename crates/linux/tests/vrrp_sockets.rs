//! VRRP packets and ARP frames between two namespaces.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::time::Duration;

use crate::common::{Pair, namespace, pair, wait_until, wait_until_heard};
use tanist_linux::arp_socket::ArpSocket;
use tanist_linux::netlink::{Netlink, VethEnd};
use tanist_linux::netns::Namespace;
use tanist_linux::poll::{Interest, Poll};
use tanist_linux::send_batch::{SendBatch, Unsent};
use tanist_linux::vrrp_socket::{AUTHENTICATION_HEADER, PROTOCOL, ReceiveBuffers, ReceiveSocket, SendSocket};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const LEFT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const RIGHT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// An IPv4 packet of protocol 112 whose payload is this number.
fn packet(destination: IpAddr, number: u32) -> Vec<u8> {
    let IpAddr::V4(destination) = destination else { panic!("IPv4 only") };
    // Version and length, type of service, total length, id, fragment, TTL, protocol, checksum (the kernel's business).
    let mut packet = vec![0x45, 0xc0, 0, 24, 0, 7, 0, 0, 255, PROTOCOL, 0, 0];
    packet.extend(LEFT.octets());
    packet.extend(destination.octets());
    packet.extend(number.to_be_bytes());
    packet
}

fn number(packet: &[u8]) -> u32 {
    assert_eq!((packet[0], packet[8], packet[9]), (0x45, 255, PROTOCOL), "the header is ours: {packet:?}");
    assert_eq!(packet[12..16], LEFT.octets());
    u32::from_be_bytes(packet[20..24].try_into().unwrap())
}

/// Number and interface of everything that comes in, until `count` packets were there.
fn receive(socket: &ReceiveSocket, count: usize) -> Vec<(u32, u32)> {
    let mut buffers = ReceiveBuffers::new();
    let mut poll = Poll::new().unwrap();
    poll.add(socket, 0, Interest::Readable).unwrap();
    let mut packets = Vec::new();
    while packets.len() < count {
        assert_ne!(poll.wait(Some(Duration::from_secs(30))).unwrap().count(), 0, "only {packets:?} came");
        let received = socket.receive(&mut buffers).unwrap();
        assert_eq!(buffers.packets().count(), received);
        packets.extend(buffers.packets().map(|received| (number(received.bytes), received.link)));
    }
    packets
}

fn nothing_waits(socket: &ReceiveSocket) -> bool {
    socket.receive(&mut ReceiveBuffers::new()).unwrap() == 0
}

fn send(socket: impl AsFd, destination: IpAddr, numbers: impl Iterator<Item = u32>) {
    let mut batch = SendBatch::new();
    for number in numbers {
        batch.push_packet(&packet(destination, number), destination);
    }
    let mut unsent = Vec::new();
    batch.flush(socket, &mut unsent);
    assert_eq!(unsent, []);
}

fn give_addresses(pair: &Pair) {
    let give = |namespace: &Namespace, link: u32, address: Ipv4Addr| {
        namespace.run(|| Netlink::open()?.add_unmarked_address(link, IpAddr::V4(address), 24)).unwrap().unwrap();
    };
    give(&pair.left, pair.left_link.index, LEFT);
    give(&pair.right, pair.right_link.index, RIGHT);
}

#[test]
fn multicast_reaches_the_members_in_order_and_not_ourselves() {
    let Some(pair) = pair() else { return };
    let (left, right) = (pair.left_link.index, pair.right_link.index);
    let sender = pair.left.run(|| SendSocket::on_link(left)).unwrap().unwrap();
    let myself = pair.left.run(|| ReceiveSocket::on_link(left)).unwrap().unwrap();
    let other = pair.right.run(|| ReceiveSocket::on_link(right)).unwrap().unwrap();
    myself.join(GROUP, left).unwrap();
    other.join(GROUP, right).unwrap();
    other.join(GROUP, right).unwrap();

    // More than one chunk to send and more than one batch to receive.
    send(&sender, GROUP, 0..200);
    assert_eq!(receive(&other, 200), (0..200).map(|number| (number, right)).collect::<Vec<_>>());
    assert!(nothing_waits(&myself), "what we send does not come back");

    other.leave(GROUP, right).unwrap();
    other.leave(GROUP, right).unwrap();
    send(&sender, GROUP, 200..201);
    other.join(GROUP, right).unwrap();
    send(&sender, GROUP, 201..202);
    assert_eq!(receive(&other, 1), [(201, right)], "nothing while it was no member");
}

#[test]
fn unicast_follows_the_routes_and_tells_its_interface() {
    let Some(pair) = pair() else { return };
    give_addresses(&pair);
    let sender = pair.left.run(SendSocket::for_unicast).unwrap().unwrap();
    let receiver = pair.right.run(ReceiveSocket::for_unicast).unwrap().unwrap();
    send(&sender, IpAddr::V4(RIGHT), 0..40);
    let right = pair.right_link.index;
    assert_eq!(receive(&receiver, 40), (0..40).map(|number| (number, right)).collect::<Vec<_>>());

    // A group that somebody else on that host has joined is not ours.
    let member = pair.right.run(|| ReceiveSocket::on_link(right)).unwrap().unwrap();
    member.join(GROUP, right).unwrap();
    let multicast = pair.left.run(|| SendSocket::on_link(pair.left_link.index)).unwrap().unwrap();
    send(&multicast, GROUP, 7..8);
    assert_eq!(receive(&member, 1), [(7, right)]);
    assert!(nothing_waits(&receiver));
}

/// A host that has IPsec sees other people's authentication headers, too.
#[test]
fn behind_a_header_only_vrrp_is_heard() {
    let Some(pair) = pair() else { return };
    give_addresses(&pair);
    let (left, right) = (pair.left_link.index, pair.right_link.index);
    let by_group = pair.right.run(|| ReceiveSocket::with_header_on_link(right)).unwrap().unwrap();
    by_group.join(GROUP, right).unwrap();
    let by_address = pair.right.run(ReceiveSocket::with_header_for_unicast).unwrap().unwrap();
    let (on_link, anywhere) = (
        pair.left.run(|| SendSocket::on_link(left)).unwrap().unwrap(),
        pair.left.run(SendSocket::for_unicast).unwrap().unwrap(),
    );
    // The first octet behind the IP header says what the header stands before.
    let (vrrp, tcp) = (u32::from(PROTOCOL) << 24 | 0x0004_0000, 6 << 24 | 0x0004_0000);
    for (socket, destination, receiver) in [(&on_link, GROUP, &by_group), (&anywhere, IpAddr::V4(RIGHT), &by_address)] {
        let mut batch = SendBatch::new();
        for (number, protocol) in [(tcp, AUTHENTICATION_HEADER), (vrrp, PROTOCOL), (vrrp, AUTHENTICATION_HEADER)] {
            let mut packet = packet(destination, number);
            packet[9] = protocol;
            batch.push_packet(&packet, destination);
        }
        let mut unsent = Vec::new();
        batch.flush(socket, &mut unsent);
        assert_eq!(unsent, []);
        wait_until(|| {
            let mut buffers = ReceiveBuffers::new();
            receiver.receive(&mut buffers).unwrap();
            let heard: Vec<_> = buffers.packets().map(|heard| (heard.bytes[9], heard.bytes[20], heard.link)).collect();
            assert!(heard.is_empty() || heard == [(AUTHENTICATION_HEADER, PROTOCOL, right)], "{heard:?}");
            !heard.is_empty()
        });
    }
}

#[test]
fn a_socket_hears_its_own_interface_only() {
    let Some(pair) = pair() else { return };
    pair.left
        .run(|| {
            Netlink::open()?.create_veth(
                VethEnd { name: "left2", mac: None, namespace: None },
                VethEnd { name: "right2", mac: None, namespace: Some(pair.right.as_fd()) },
            )
        })
        .unwrap()
        .unwrap();
    let up = |namespace: &Namespace, name: &str| {
        let open = || {
            let mut netlink = Netlink::open()?;
            let index = netlink.link_by_name(name)?.unwrap().index;
            netlink.set_up(index, true).map(|()| index)
        };
        namespace.run(open).unwrap().unwrap()
    };
    let (left2, right2) = (up(&pair.left, "left2"), up(&pair.right, "right2"));
    wait_until_heard((&pair.left, left2), &pair.right);

    let right = pair.right_link.index;
    let open = |link| {
        let socket = pair.right.run(|| ReceiveSocket::on_link(link)).unwrap().unwrap();
        socket.join(GROUP, link).unwrap();
        socket
    };
    let (one, two) = (open(right), open(right2));
    let senders =
        [pair.left_link.index, left2].map(|link| pair.left.run(|| SendSocket::on_link(link)).unwrap().unwrap());
    send(&senders[0], GROUP, 1..2);
    send(&senders[1], GROUP, 2..3);
    assert_eq!(receive(&one, 1), [(1, right)]);
    assert_eq!(receive(&two, 1), [(2, right2)]);
    assert!(nothing_waits(&one) && nothing_waits(&two));
}

/// How a lab cuts a network in two while every host keeps its carrier.
#[test]
fn isolated_ports_of_a_bridge_hear_nothing_of_each_other() {
    let (Some(switch), Some(left), Some(right)) = (namespace(), namespace(), namespace()) else { return };
    let mut netlink = switch.run(Netlink::open).unwrap().unwrap();
    let bridge = netlink.create_bridge("switch").unwrap();
    netlink.set_up(bridge, true).unwrap();
    let mut plug_in = |host: &Namespace, port: &str| {
        let end = |name, namespace| VethEnd { name, mac: None, namespace };
        netlink.create_veth(end(port, None), end("eth0", Some(host.as_fd()))).unwrap();
        let port = netlink.link_by_name(port).unwrap().unwrap().index;
        netlink.set_master(port, Some(bridge)).unwrap();
        netlink.set_up(port, true).unwrap();
        let up = || {
            let mut netlink = Netlink::open()?;
            let index = netlink.link_by_name("eth0")?.expect("just created").index;
            netlink.set_up(index, true)?;
            Ok::<u32, tanist_linux::Error>(index)
        };
        (port, host.run(up).unwrap().unwrap())
    };
    let (left_port, left_link) = plug_in(&left, "port1");
    let (right_port, right_link) = plug_in(&right, "port2");
    wait_until_heard((&left, left_link), &right);
    let sender = left.run(|| SendSocket::on_link(left_link)).unwrap().unwrap();
    let receiver = right.run(|| ReceiveSocket::on_link(right_link)).unwrap().unwrap();
    receiver.join(GROUP, right_link).unwrap();

    send(&sender, GROUP, 1..2);
    assert_eq!(receive(&receiver, 1), [(1, right_link)]);
    let mut isolate = |isolated| {
        netlink.set_isolated(left_port, isolated).unwrap();
        netlink.set_isolated(right_port, isolated).unwrap();
    };
    isolate(true);
    send(&sender, GROUP, 2..3);
    isolate(false);
    send(&sender, GROUP, 3..4);
    assert_eq!(receive(&receiver, 1), [(3, right_link)]);
}

#[test]
fn a_link_that_goes_down_is_an_error_and_not_the_end() {
    let Some(pair) = pair() else { return };
    let (left, right) = (pair.left_link.index, pair.right_link.index);
    let sender = pair.left.run(|| SendSocket::on_link(left)).unwrap().unwrap();
    let receiver = pair.right.run(|| ReceiveSocket::on_link(right)).unwrap().unwrap();
    receiver.join(GROUP, right).unwrap();
    let set_up = |up| pair.left.run(|| Netlink::open()?.set_up(left, up)).unwrap().unwrap();

    set_up(false);
    let mut batch = SendBatch::new();
    batch.push_packet(&packet(GROUP, 1), GROUP);
    let mut unsent = Vec::new();
    batch.flush(&sender, &mut unsent);
    assert_eq!(unsent.len(), 1, "{unsent:?}");

    set_up(true);
    wait_until_heard((&pair.left, left), &pair.right);
    send(&sender, GROUP, 2..3);
    // The interface was down at the receiver, too; what it says of that is said once.
    let _ = receiver.receive(&mut ReceiveBuffers::new());
    send(&sender, GROUP, 3..4);
    wait_until(|| {
        let mut buffers = ReceiveBuffers::new();
        receiver.receive(&mut buffers).is_ok() && buffers.packets().any(|received| number(received.bytes) == 3)
    });
}

#[test]
fn frames_leave_by_their_interface_and_only_the_impossible_ones_stay() {
    let Some(pair) = pair() else { return };
    let listener = pair.right.run(packet_listener).unwrap();
    let socket = pair.left.run(ArpSocket::open).unwrap().unwrap();
    let mut batch = SendBatch::new();
    let mut expected_unsent = Vec::new();
    for position in 0..150_u8 {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 1, 8, 6]);
        frame.extend([position; 28]);
        let impossible = position % 50 == 7;
        batch.push_frame(&frame, if impossible { 4711 } else { pair.left_link.index });
        if impossible {
            expected_unsent.push(Unsent { position: position.into(), errno: libc::ENXIO });
        }
    }
    let mut unsent = Vec::new();
    batch.flush(&socket, &mut unsent);
    assert_eq!(unsent, expected_unsent);
    let heard: Vec<u8> = (0..147)
        .map(|_| {
            let mut frame = [0; 64];
            let length = rustix::net::recv(&listener, &mut frame, rustix::net::RecvFlags::empty()).unwrap().0;
            assert_eq!((length, &frame[12..14]), (42, &[8, 6][..]));
            frame[14]
        })
        .collect();
    assert_eq!(heard, (0..150).filter(|position| position % 50 != 7).collect::<Vec<_>>());
}

/// A socket of the standard kind for ARP frames, to hear what arrives; it gives up after half a minute.
fn packet_listener() -> std::os::fd::OwnedFd {
    use rustix::net::{AddressFamily, Protocol, RawProtocol, SocketFlags, SocketType, socket_with, sockopt};
    let arp = RawProtocol::new(u32::from((libc::ETH_P_ARP as u16).to_be())).unwrap();
    let protocol = Some(Protocol::from_raw(arp));
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, protocol).unwrap();
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_secs(30))).unwrap();
    socket
}
