//! Messages of a pair between addresses of this host, and between two hosts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::common::{namespace, pair};
use rustix::net::sockopt;
use tanist_linux::baton_socket::{BatonSocket, unspecified_like};
use tanist_linux::netlink::Netlink;
use tanist_linux::poll::{Interest, Poll};

const PORT: u16 = 5405;

fn loopback(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

fn open(address: IpAddr, beside: &[&BatonSocket]) -> tanist_linux::Result<BatonSocket> {
    BatonSocket::open(SocketAddr::new(address, PORT), beside)
}

/// The next datagram, waited for.
fn next(socket: &BatonSocket) -> (Vec<u8>, IpAddr) {
    let mut poll = Poll::new().unwrap();
    poll.add(socket, 0, Interest::Readable).unwrap();
    assert_ne!(poll.wait(Some(Duration::from_secs(20))).unwrap().count(), 0, "nothing came");
    let mut buffer = vec![0; 65_536];
    let (length, from) = socket.receive(&mut buffer).unwrap().expect("it is readable");
    buffer.truncate(length);
    (buffer, from)
}

fn nothing_waits(socket: &BatonSocket) -> bool {
    socket.receive(&mut [0; 16]).unwrap().is_none()
}

#[test]
fn messages_go_from_address_to_address_however_long() {
    let Some(host) = namespace() else { return };
    host.run(|| {
        let (one, two) = (open(loopback(1), &[]).unwrap(), open(loopback(2), &[]).unwrap());
        assert!(nothing_waits(&two));
        one.send(two.bound_to(), b"hello").unwrap();
        assert_eq!(next(&two), (b"hello".to_vec(), loopback(1)));
        let long: Vec<u8> = (0..60_000u32).map(|number| number as u8).collect();
        two.send(one.bound_to(), &long).unwrap();
        assert_eq!(next(&one), (long, loopback(2)));
        two.send(one.bound_to(), b"").unwrap();
        assert_eq!(next(&one), (Vec::new(), loopback(2)), "nothing is a datagram, too");
        assert_eq!(sockopt::ip_tos(&one).unwrap(), 0xc0);
    })
    .unwrap();
}

#[test]
fn an_address_that_is_not_there_can_be_had_later() {
    let Some(host) = namespace() else { return };
    host.run(|| {
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        let error = open(address, &[]).unwrap_err();
        assert_eq!(error.errno(), Some(libc::EADDRNOTAVAIL));
        assert_eq!(error.to_string(), "listen on UDP 192.0.2.7:5405: cannot assign requested address");
        let everywhere = open(unspecified_like(address), &[]).unwrap();
        let error = everywhere.send(SocketAddr::new(address, PORT), b"x").unwrap_err();
        assert_eq!(error.errno(), Some(libc::ENETUNREACH), "{error}");
    })
    .unwrap();
}

#[test]
fn one_address_and_all_others_share_a_port_but_with_nobody_else() {
    let Some(host) = namespace() else { return };
    host.run(|| {
        let special = open(loopback(1), &[]).unwrap();
        let others = open(unspecified_like(loopback(1)), &[&special]).unwrap();
        let third = open(loopback(3), &[&special, &others]).unwrap();
        let sender = UdpSocket::bind((loopback(9), 0)).unwrap();
        for (to, at) in [(1, &special), (2, &others), (3, &third)] {
            sender.send_to(&[to], (loopback(to), PORT)).unwrap();
            assert_eq!(next(at), (vec![to], loopback(9)));
        }
        assert!([&special, &others, &third].into_iter().all(nothing_waits));

        // A thief who is ready to share finds nobody who shares with him.
        for address in [1, 2] {
            let thief = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None);
            let thief = thief.unwrap();
            sockopt::set_socket_reuseaddr(&thief, true).unwrap();
            let taken = rustix::net::bind(&thief, &SocketAddr::new(loopback(address), PORT));
            assert_eq!(taken, Err(rustix::io::Errno::ADDRINUSE));
        }
        assert_eq!(open(loopback(1), &[]).unwrap_err().errno(), Some(libc::EADDRINUSE));
    })
    .unwrap();
}

#[test]
fn ipv6_works_alike_and_leaves_ipv4_alone() {
    let Some(host) = namespace() else { return };
    host.run(|| {
        let everywhere = unspecified_like(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST));
        let six = match open(everywhere, &[]) {
            Ok(six) => six,
            Err(error) if error.errno() == Some(libc::EAFNOSUPPORT) => return crate::common::skipped(&error),
            Err(error) => panic!("{error}"),
        };
        let four = open(unspecified_like(loopback(1)), &[]).expect("the port is free in the other family");
        let to: SocketAddr = (std::net::Ipv6Addr::LOCALHOST, PORT).into();
        six.send(to, &[6; 9000]).unwrap();
        assert_eq!(next(&six), (vec![6; 9000], to.ip()));
        four.send(SocketAddr::new(loopback(1), PORT), b"four").unwrap();
        assert_eq!(next(&four).0, b"four");
        assert!(nothing_waits(&six));
    })
    .unwrap();
}

/// A port that nobody listens on is answered by ICMP; that is no reason to stop, and not even noticed.
#[test]
fn a_peer_that_is_not_there_does_no_harm() {
    let Some(hosts) = pair() else { return };
    let (left, right): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let add = |host: &tanist_linux::netns::Namespace, link: u32, address: IpAddr| {
        let added = host.run(|| Netlink::open()?.add_unmarked_address(link, address, 24));
        added.unwrap().unwrap();
    };
    add(&hosts.left, hosts.left_link.index, left);
    add(&hosts.right, hosts.right_link.index, right);
    let one = hosts.left.run(|| open(left, &[])).unwrap().unwrap();
    for _ in 0..20 {
        one.send(SocketAddr::new(right, PORT), b"is anybody there?").unwrap();
    }
    let two = hosts.right.run(|| open(right, &[])).unwrap().unwrap();
    one.send(SocketAddr::new(right, PORT), b"hello").unwrap();
    // Some of the first ones may have waited for ARP and arrive only now.
    while next(&two) != (b"hello".to_vec(), left) {}
    two.send(SocketAddr::new(left, PORT), b"here").unwrap();
    assert_eq!(next(&one), (b"here".to_vec(), right));
}
