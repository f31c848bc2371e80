//! Traffic to an address is dropped and let through again, in a namespace of the test's own.

mod common;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use tanist_linux::netlink::Netlink;
use tanist_linux::packet_filter::PacketFilter;

/// Whether a datagram to the address arrives.
fn gets_through(address: Ipv4Addr) -> bool {
    let receiver = UdpSocket::bind((address, 0)).expect("a socket on the address");
    receiver.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a sender");
    // A packet that our own output drops is an error here.
    let _ = sender.send_to(b"x", receiver.local_addr().expect("a port"));
    receiver.recv(&mut [0; 8]).is_ok()
}

#[test]
fn drops_what_it_is_told_to_and_nothing_else() {
    let Some(namespace) = common::namespace() else { return };
    let tried = namespace.run(|| {
        let (closed, open) = (Ipv4Addr::new(192, 0, 2, 100), Ipv4Addr::new(192, 0, 2, 101));
        let mut netlink = Netlink::open().expect("netlink");
        let loopback = netlink.link_by_name("lo").expect("asked").expect("there is a loopback").index;
        for address in [closed, open] {
            netlink.add_unmarked_address(loopback, address.into(), 32).expect("an address");
        }
        let mut filter = PacketFilter::open().expect("nftables");
        filter.remove().expect("nothing to remove is no failure");
        assert!(gets_through(closed));
        filter.drop_traffic(&BTreeSet::from([closed])).expect("dropped");
        assert!(!gets_through(closed));
        assert!(gets_through(open));
        filter.drop_traffic(&BTreeSet::from([open])).expect("replaced");
        assert!(gets_through(closed));
        assert!(!gets_through(open));
        // More than one message holds.
        let many = (0..2500_u32).map(|number| Ipv4Addr::from(0x0a00_0000 + number)).collect();
        filter.drop_traffic(&many).expect("many");
        assert!(gets_through(open));
        filter.remove().expect("removed");
        assert!(gets_through(closed));
    });
    tried.expect("a thread in the namespace");
}
