//! Addresses of real namespaces that go by themselves unless they are renewed.

use std::net::{Ipv4Addr, UdpSocket};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::common::{Pair, pair, wait_until};
use tanist_linux::arp_socket::ArpSocket;
use tanist_linux::capture::Capture;
use tanist_linux::netlink::{
    Address, AddressOperation, Applied, Change, Lifetime, Monitor, Netlink, Renewer, WantedAddress,
};
use tanist_linux::send_batch::SendBatch;

fn seconds(seconds: u32) -> Lifetime {
    Lifetime::Seconds(NonZeroU32::new(seconds).unwrap())
}

fn wanted(link: u32, address: &str, lifetime: Lifetime) -> WantedAddress {
    let (address, prefix) = address.split_once('/').unwrap();
    let (address, prefix) = (address.parse().unwrap(), prefix.parse().unwrap());
    WantedAddress { lifetime, ..WantedAddress::new(link, address, prefix) }
}

fn add(netlink: &mut Netlink, addresses: &[WantedAddress]) {
    let operations: Vec<AddressOperation> = addresses.iter().cloned().map(AddressOperation::Add).collect();
    assert_eq!(netlink.apply(&operations), vec![Ok(Applied::Done); addresses.len()]);
}

/// What a link has, but for the address that IPv6 gives it when it likes.
fn addresses_of(netlink: &mut Netlink, link: u32) -> Vec<Address> {
    let mut found = netlink.addresses().unwrap();
    found.retain(|address| address.link == link && !address.address.to_string().starts_with("fe80"));
    found
}

#[test]
fn what_nobody_renews_goes_by_itself() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let (mut netlink, mut monitor) = (Netlink::open().unwrap(), Monitor::open().unwrap());
        let short = ["192.0.2.7/24", "192.0.2.8/24", "2001:db8::7/64"].map(|text| wanted(link, text, seconds(1)));
        let long = ["192.0.2.9/24", "2001:db8::9/64"].map(|text| wanted(link, text, Lifetime::Unlimited));
        add(&mut netlink, &short);
        add(&mut netlink, &long);
        for address in addresses_of(&mut netlink, link) {
            let is_short = short.iter().any(|short| short.address == address.address);
            assert_eq!(address.seconds_left.is_some(), is_short, "{address:?}");
            assert!(address.seconds_left.is_none_or(|left| left <= 1), "{address:?}");
        }
        wait_until(|| {
            let found = addresses_of(&mut netlink, link);
            !found.iter().any(|address| short.iter().any(|short| short.address == address.address))
        });
        // The kernel takes secondary addresses along with their primary one, whatever their own lifetime.
        assert!(addresses_of(&mut netlink, link).iter().any(|address| address.address == long[1].address));
        let mut changes = Vec::new();
        monitor.receive(&mut changes).unwrap();
        for expired in &short {
            let is_told =
                |change: &Change| matches!(change, Change::AddressGone(gone) if gone.address == expired.address);
            assert!(changes.iter().any(is_told), "{expired:?} in {changes:?}");
        }
    })
    .unwrap();
}

#[test]
fn a_renewal_changes_the_lifetime_and_nothing_else() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let (mut netlink, mut renewer) = (Netlink::open().unwrap(), Renewer::open().unwrap());
        netlink.add_unmarked_address(link, "192.0.2.1".parse().unwrap(), 24).unwrap();
        let special = WantedAddress {
            scope: libc::RT_SCOPE_LINK,
            label: Some("left:vip".into()),
            broadcast: Some(Ipv4Addr::new(192, 0, 2, 255)),
            ..wanted(link, "203.0.113.8/24", seconds(60))
        };
        let plain = ["192.0.2.8/24", "192.0.2.7/24", "198.51.100.7/32", "2001:db8::7/64"]
            .map(|text| wanted(link, text, seconds(60)));
        let mut held = vec![special];
        held.extend(plain);
        add(&mut netlink, &held);
        let without_lifetime = |netlink: &mut Netlink| -> Vec<Address> {
            let bits = libc::IFA_F_PERMANENT;
            let found = addresses_of(netlink, link).into_iter();
            found.map(|address| Address { seconds_left: None, flags: address.flags & !bits, ..address }).collect()
        };
        let before = without_lifetime(&mut netlink);
        assert_eq!(before.len(), 6);
        for (lifetime, range) in [(seconds(1000), 900..=1000), (Lifetime::Unlimited, 0..=0), (seconds(500), 400..=500)]
        {
            held.iter_mut().for_each(|address| address.lifetime = lifetime);
            // In another order than they were added.
            held.reverse();
            renewer.prepare(&held);
            assert_eq!((renewer.batches(), renewer.batch(0), renewer.batch(1)), (1, &held[..], &[][..]));
            // The same datagram again and again.
            for _ in 0..3 {
                assert_eq!(renewer.renew(0), []);
            }
            assert_eq!(without_lifetime(&mut netlink), before);
            for address in addresses_of(&mut netlink, link) {
                let ours = held.iter().any(|held| held.address == address.address);
                let expected = ours && lifetime != Lifetime::Unlimited;
                assert_eq!(address.seconds_left.is_some(), expected, "{address:?}");
                assert!(address.seconds_left.is_none_or(|left| range.contains(&left)), "{address:?}");
            }
        }
    })
    .unwrap();
}

#[test]
fn many_are_renewed_in_batches_and_what_fails_stops_nothing() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let (mut netlink, mut renewer) = (Netlink::open().unwrap(), Renewer::open().unwrap());
        let mut held: Vec<WantedAddress> =
            (0..300_u32).map(|n| wanted(link, &format!("10.0.{}.{}/32", n / 250, n % 250 + 1), seconds(60))).collect();
        add(&mut netlink, &held);
        held.iter_mut().for_each(|address| address.lifetime = seconds(1000));
        // Neither an interface that is gone nor a mistake keeps the others from being renewed.
        held.insert(7, wanted(4711, "192.0.2.1/24", seconds(1000)));
        held.insert(9, wanted(link, "192.0.2.4/40", seconds(1000)));
        renewer.prepare(&held);
        assert_eq!(renewer.batches(), 3);
        let failures: Vec<String> = (0..4).flat_map(|batch| renewer.renew(batch)).map(|it| it.to_string()).collect();
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].starts_with("renew 192.0.2.4/40 on left: invalid argument"), "{failures:?}");
        let found = addresses_of(&mut netlink, link);
        assert_eq!(found.len(), 300);
        for address in found {
            assert!(address.seconds_left.is_some_and(|left| left > 900), "{address:?}");
        }
        renewer.prepare(&[]);
        assert_eq!((renewer.batches(), renewer.renew(0)), (0, vec![]));
    })
    .unwrap();
}

#[test]
fn a_monitor_can_be_deaf_for_renewals_but_hears_everything_else() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let (mut netlink, mut renewer) = (Netlink::open().unwrap(), Renewer::open().unwrap());
        let (mut deaf, mut hearing) = (Monitor::open().unwrap(), Monitor::open().unwrap());
        deaf.ignore(&renewer).unwrap();
        let held = ["192.0.2.7/24", "192.0.2.8/24"].map(|text| wanted(link, text, seconds(60)));
        add(&mut netlink, &held);
        renewer.prepare(&held);
        for _ in 0..5 {
            assert_eq!(renewer.renew(0), []);
        }
        add(&mut netlink, &[wanted(link, "192.0.2.9/24", seconds(60))]);
        let heard = |monitor: &mut Monitor| {
            let mut changes = Vec::new();
            let is_last =
                |change: &Change| matches!(change, Change::Address(it) if it.address.to_string() == "192.0.2.9");
            wait_until(|| {
                monitor.receive(&mut changes).unwrap();
                changes.iter().any(is_last)
            });
            let is_first = |change: &&Change| matches!(change, Change::Address(it) if it.address == held[0].address);
            changes.iter().filter(is_first).count()
        };
        assert_eq!((heard(&mut deaf), heard(&mut hearing)), (1, 6));
        // What somebody else does with the same address is heard, and so is its end.
        netlink.apply(&[AddressOperation::Remove { link, address: held[0].address, prefix: 24, peer: None }]);
        let mut changes = Vec::new();
        wait_until(|| {
            deaf.receive(&mut changes).unwrap();
            changes.iter().any(|change| matches!(change, Change::AddressGone(gone) if gone.address == held[0].address))
        });
    })
    .unwrap();
}

#[test]
fn renewing_sends_nothing_and_disturbs_no_traffic() {
    let Some(Pair { left, right, left_link, right_link }) = pair() else { return };
    let vip = Ipv4Addr::new(192, 0, 2, 7);
    let held =
        ["192.0.2.7/24", "192.0.2.8/24", "2001:db8::7/64"].map(|text| wanted(left_link.index, text, seconds(60)));
    let (mut renewer, server, arp) = left
        .run(|| {
            let mut netlink = Netlink::open().unwrap();
            netlink.add_unmarked_address(left_link.index, "192.0.2.1".parse().unwrap(), 24).unwrap();
            add(&mut netlink, &held);
            let mut renewer = Renewer::open().unwrap();
            renewer.prepare(&held);
            (renewer, UdpSocket::bind((vip, 0)).unwrap(), ArpSocket::open().unwrap())
        })
        .unwrap();
    let (client, capture) = right
        .run(|| {
            let mut netlink = Netlink::open().unwrap();
            netlink.add_unmarked_address(right_link.index, "192.0.2.2".parse().unwrap(), 24).unwrap();
            (UdpSocket::bind("192.0.2.2:0").unwrap(), Capture::redundancy_frames().unwrap())
        })
        .unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    for socket in [&client, &server] {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    let exchange = |number: u32| {
        let mut octets = [0; 4];
        client.send(&number.to_be_bytes()).unwrap();
        let (_, from) = server.recv_from(&mut octets).unwrap();
        server.send_to(&octets, from).unwrap();
        client.recv(&mut octets).unwrap();
        assert_eq!(u32::from_be_bytes(octets), number);
    };
    // The neighbours have got to know each other before anything is counted.
    exchange(0);
    let mut buffer = [0; 2048];
    while let Ok(Some(_)) = capture.receive(&mut buffer) {}
    for number in 1..=300 {
        assert_eq!(renewer.renew(0), []);
        exchange(number);
    }
    // A frame of ours, after which nothing caused by what was done before can come.
    let mut mark = vec![0xff; 6];
    mark.extend([2, 0, 0, 0, 0, 1, 8, 6]);
    mark.resize(60, 0xee);
    let mut batch = SendBatch::new();
    batch.push_frame(&mark, left_link.index);
    batch.flush(&arp, &mut Vec::new());
    let mut announced = Vec::new();
    let mut over = false;
    wait_until(|| {
        while let Ok(Some(packet)) = capture.receive(&mut buffer) {
            over |= packet.bytes.get(14..60) == Some(&mark[14..]);
            let is_ours = packet.bytes.get(6..12) == Some(&[2, 0, 0, 0, 0, 1][..]) && !packet.outgoing;
            let is_arp_reply = packet.bytes.get(12..14) == Some(&[8, 6]) && packet.bytes.get(20..22) == Some(&[0, 2]);
            let is_gratuitous =
                packet.bytes.get(12..14) == Some(&[8, 6]) && packet.bytes.get(28..32) == packet.bytes.get(38..42);
            let is_advertisement =
                packet.bytes.get(12..14) == Some(&[0x86, 0xdd]) && packet.bytes.get(54) == Some(&136);
            // A neighbour may ask whether we are still there: that is answered, but not our doing.
            if !over && is_ours && (is_gratuitous || is_advertisement) && !is_arp_reply {
                announced.push(packet.bytes.to_vec());
            }
        }
        over
    });
    assert_eq!(announced, Vec::<Vec<u8>>::new());
}
