//! Traffic to an address is dropped and let through again, in a namespace of the test's own.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use tanist_linux::netlink::Netlink;
use tanist_linux::packet_filter::{Closed, Dropped, PacketFilter};

/// Whether a datagram to the address arrives.
fn gets_through(address: impl Into<IpAddr>) -> bool {
    let address = address.into();
    let receiver = UdpSocket::bind((address, 0)).expect("a socket on the address");
    receiver.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
    let sender: IpAddr = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let sender = UdpSocket::bind((sender, 0)).expect("a sender");
    // A packet that our own output drops is an error here.
    let _ = sender.send_to(b"x", receiver.local_addr().expect("a port"));
    receiver.recv(&mut [0; 8]).is_ok()
}

fn only(address: impl Into<IpAddr>) -> Closed {
    Closed { addresses: BTreeSet::from([address.into()]), ..Closed::default() }
}

#[test]
fn drops_what_it_is_told_to_and_nothing_else() {
    let Some(namespace) = crate::common::namespace() else { return };
    let tried = namespace.run(|| {
        let (closed, open) = (Ipv4Addr::new(192, 0, 2, 100), Ipv4Addr::new(192, 0, 2, 101));
        let mut netlink = Netlink::open().expect("netlink");
        let loopback = netlink.link_by_name("lo").expect("asked").expect("there is a loopback").index;
        for address in [closed, open] {
            netlink.add_unmarked_address(loopback, address.into(), 32).expect("an address");
        }
        let mut filter = PacketFilter::open(PacketFilter::TABLE, PacketFilter::PRIORITY).expect("nftables");
        filter.remove().expect("nothing to remove is no failure");
        assert!(gets_through(closed));
        filter.drop_traffic(&only(closed)).expect("dropped");
        assert!(!gets_through(closed));
        assert!(gets_through(open));
        filter.drop_traffic(&only(open)).expect("replaced");
        assert!(gets_through(closed));
        assert!(!gets_through(open));
        // More than one message holds.
        let many = (0..2500_u32).map(|number| Ipv4Addr::from(0x0a00_0000 + number).into()).collect();
        filter.drop_traffic(&Closed { addresses: many, ..Closed::default() }).expect("many");
        assert!(gets_through(open));
        filter.remove().expect("removed");
        assert!(gets_through(closed));
    });
    tried.expect("a thread in the namespace");
}

/// Both families side by side; a link-local address is closed on its own interface, and neighbours find it all the same.
#[test]
fn ipv6_is_dropped_but_for_neighbour_discovery() {
    let Some(pair) = crate::common::pair() else { return };
    let (left, right) = (pair.left_link.index, pair.right_link.index);
    let global = |last: u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
    let link_local = |last: u16| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last);
    let give = |link: u32, address: Ipv6Addr| {
        Netlink::open().expect("netlink").add_unmarked_address(link, address.into(), 64).expect("an address");
    };
    let (closed, open) = ([global(0x100), link_local(0x100)], [global(0x101), link_local(0x101)]);
    let name = pair.left_link.name.clone();
    let filter = pair.left.run(move || {
        closed.into_iter().chain(open).for_each(|address| give(left, address));
        let addresses = BTreeSet::from([closed[0].into(), Ipv4Addr::new(192, 0, 2, 100).into()]);
        // On another interface the same address is somebody else's.
        let link_local = BTreeSet::from([(name, closed[1]), ("elsewhere".to_owned(), open[1])]);
        let mut filter = PacketFilter::open(PacketFilter::TABLE, PacketFilter::PRIORITY).expect("nftables");
        filter.drop_traffic(&Closed { addresses, link_local }).expect("dropped");
        filter
    });
    let mut filter = filter.expect("a thread in the namespace");
    pair.right.run(move || [global(1), link_local(1)].into_iter().for_each(|address| give(right, address))).unwrap();

    // Whether a datagram from the other side gets to the address; one is sent again and again.
    let reaches = |address: Ipv6Addr, patience: Duration| {
        let receiver = pair.left.run(move || UdpSocket::bind(SocketAddrV6::new(address, 0, 0, left))).unwrap().unwrap();
        receiver.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
        let port = receiver.local_addr().expect("a port").port();
        let sender = pair.right.run(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))).unwrap().unwrap();
        let until = Instant::now() + patience;
        while Instant::now() < until {
            sender.send_to(b"x", SocketAddrV6::new(address, port, 0, right)).expect("sent");
            if receiver.recv(&mut [0; 8]).is_ok() {
                return true;
            }
        }
        false
    };
    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(300);
    // The neighbour is known: discovery has gone both ways.
    let is_found = |address: Ipv6Addr| {
        let name = &pair.right_link.name;
        let entries = pair.right.run(|| Command::new("ip").args(["-6", "neigh", "show", "dev", name]).output());
        let entries = String::from_utf8(entries.unwrap().expect("ip(8)").stdout).unwrap();
        entries.lines().any(|line| line.starts_with(&format!("{address} ")) && line.contains("lladdr"))
    };
    for address in closed {
        let until = Instant::now() + LONG;
        while !is_found(address) {
            assert!(Instant::now() < until, "{address} can be found");
            assert!(!reaches(address, SHORT), "{address} is closed");
        }
        assert!(!reaches(address, SHORT), "{address} is closed to who knows it");
    }
    for address in open {
        assert!(reaches(address, LONG), "{address} is open");
    }
    pair.left.run(move || filter.remove().expect("removed")).unwrap();
    for address in closed {
        assert!(reaches(address, LONG), "{address} is open again");
    }
}

/// Each name is a table of its own, and nobody removes another's.
// Shows: global_defs.nftables
#[test]
fn tables_have_the_name_that_they_are_given() {
    let Some(namespace) = crate::common::namespace() else { return };
    let tried = namespace.run(|| {
        let closed = Ipv4Addr::new(192, 0, 2, 100);
        let mut netlink = Netlink::open().expect("netlink");
        let loopback = netlink.link_by_name("lo").expect("asked").expect("there is a loopback").index;
        netlink.add_unmarked_address(loopback, closed.into(), 32).expect("an address");
        let mut usual = PacketFilter::open(PacketFilter::TABLE, PacketFilter::PRIORITY).expect("nftables");
        let mut other = PacketFilter::open("vrrp", PacketFilter::PRIORITY).expect("nftables");
        other.drop_traffic(&only(closed)).expect("dropped");
        usual.remove().expect("nothing to remove is no failure");
        assert!(!gets_through(closed));
        other.remove().expect("removed");
        assert!(gets_through(closed));
    });
    tried.expect("nothing panicked");
}

/// Who comes first drops, and counts what it drops; who comes later sees nothing.
// Shows: global_defs.nftables_priority
#[test]
fn smaller_priorities_come_before_greater_ones() {
    let Some(namespace) = crate::common::namespace() else { return };
    let tried = namespace.run(|| {
        let closed = Ipv4Addr::new(192, 0, 2, 100);
        let mut netlink = Netlink::open().expect("netlink");
        let loopback = netlink.link_by_name("lo").expect("asked").expect("there is a loopback").index;
        netlink.add_unmarked_address(loopback, closed.into(), 32).expect("an address");
        for (first, second) in [(-300, 7), (7, -300)] {
            let [mut one, mut other] = [("one", first), ("other", second)]
                .map(|(table, priority)| PacketFilter::open(table, priority).expect("nftables"));
            assert_eq!(one.dropped().expect("no table has dropped nothing"), Dropped::default());
            for filter in [&mut one, &mut other] {
                filter.drop_traffic(&only(closed)).expect("dropped");
            }
            assert!(!gets_through(closed));
            let counts = [&one, &other].map(|filter| filter.dropped().expect("counted").incoming);
            let expected = if first < second { [1, 0] } else { [0, 1] };
            assert_eq!(counts, expected, "{first} and {second}");
            for filter in [&mut one, &mut other] {
                filter.remove().expect("removed");
            }
        }
    });
    tried.expect("nothing panicked");
}
