//! Links and addresses of real namespaces.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use crate::common::{Pair, namespace, pair, wait_until};
use tanist_linux::netlink::{
    Address, AddressOperation, Applied, Change, Lifetime, Monitor, Netlink, OUR_MARK, Route, WantedAddress,
    kernel_keeps_marks, reconcile,
};

fn wanted(link: u32, address: &str) -> WantedAddress {
    let (address, prefix) = address.split_once('/').unwrap();
    WantedAddress::new(link, address.parse().unwrap(), prefix.parse().unwrap())
}

fn remove(link: u32, address: &str) -> AddressOperation {
    let WantedAddress { address, prefix, .. } = wanted(link, address);
    AddressOperation::Remove { link, address, prefix, peer: None }
}

fn add(link: u32, address: &str) -> AddressOperation {
    AddressOperation::Add(wanted(link, address))
}

fn addresses_of(netlink: &mut Netlink, link: u32) -> Vec<Address> {
    let mut found = netlink.addresses().unwrap();
    // IPv6 gives the link one of its own when it likes.
    found.retain(|address| address.link == link && !address.address.to_string().starts_with("fe80"));
    found
}

fn texts(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(|address| format!("{}/{}", address.address, address.prefix)).collect()
}

#[test]
fn tells_of_links() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        // What it transports may be known a moment before what it is.
        wait_until(|| netlink.link_by_name("left").unwrap().unwrap().running);
        let link = netlink.link_by_name("left").unwrap().unwrap();
        assert_eq!((link.index, link.kind.as_deref()), (left_link.index, Some("veth")));
        assert_eq!((link.mac, link.mtu), ([2, 0, 0, 0, 0, 1], 1500));
        assert!(link.up && link.running && link.multicast && !link.loopback);
        netlink.set_mac(link.index, [2, 0, 0, 0, 0, 9]).unwrap();
        netlink.set_up(link.index, false).unwrap();
        let link = netlink.link_by_name("left").unwrap().unwrap();
        assert_eq!(link.mac, [2, 0, 0, 0, 0, 9]);
        assert!(!link.up && !link.running);
        let loopback = netlink.link_by_name("lo").unwrap().unwrap();
        assert!(loopback.loopback && loopback.kind.is_none());
        assert_eq!(netlink.link_by_name("eth4711").unwrap(), None);
    })
    .unwrap();
}

#[test]
fn an_address_is_added_as_wanted_and_carries_our_mark() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let ipv4 = WantedAddress {
            scope: libc::RT_SCOPE_LINK,
            label: Some("left:vip".into()),
            broadcast: Some(Ipv4Addr::new(192, 0, 2, 255)),
            ..wanted(link, "192.0.2.7/24")
        };
        let operations = [AddressOperation::Add(ipv4.clone()), add(link, "2001:db8::7/64")];
        assert_eq!(netlink.apply(&operations), [Ok(Applied::Done), Ok(Applied::Done)]);
        let found = addresses_of(&mut netlink, link);
        assert_eq!(texts(&found), ["192.0.2.7/24", "2001:db8::7/64"]);
        assert_eq!((found[0].scope, &found[0].label, found[0].broadcast), (ipv4.scope, &ipv4.label, ipv4.broadcast));
        assert_eq!(found[1].flags & libc::IFA_F_TENTATIVE, 0, "usable at once");
        for address in &found {
            assert_eq!(address.protocol == Some(OUR_MARK), kernel_keeps_marks(), "{address:?}");
        }
        let known = found.iter().map(|address| (address.link, address.address, address.prefix)).collect();
        let wishes = [ipv4, wanted(link, "2001:db8::7/64")];
        assert_eq!(reconcile(&wishes, &found, &known), [], "what we have added is what we wanted");
    })
    .unwrap();
}

#[test]
fn what_is_done_already_is_no_failure_and_what_fails_stops_nothing() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        netlink.add_unmarked_address(link, "192.0.2.1".parse().unwrap(), 24).unwrap();
        let answers = netlink.apply(&[
            add(link, "192.0.2.1/24"),
            add(4711, "192.0.2.2/24"),
            remove(link, "192.0.2.3/24"),
            remove(4711, "192.0.2.3/24"),
            add(link, "192.0.2.4/40"),
            add(link, "192.0.2.5/24"),
        ]);
        let told: Vec<String> = answers
            .into_iter()
            .map(|answer| match answer {
                Ok(applied) => format!("{applied:?}"),
                // What the kernel adds in brackets is its own affair.
                Err(error) => error.to_string().split(" (").next().unwrap().to_owned(),
            })
            .collect();
        assert_eq!(
            told,
            [
                "AlreadyThere",
                "add 192.0.2.2/24 to interface 4711: no such device",
                "AlreadyGone",
                "AlreadyGone",
                "add 192.0.2.4/40 to left: invalid argument",
                "Done",
            ]
        );
        assert_eq!(texts(&addresses_of(&mut netlink, link)), ["192.0.2.1/24", "192.0.2.5/24"]);
        assert_eq!(netlink.apply(&[]), []);
    })
    .unwrap();
}

#[test]
fn two_thousand_addresses_in_one_call() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let wishes: Vec<WantedAddress> = (0..250_u8)
            .flat_map(|router| (1..=8).map(move |host| wanted(link, &format!("10.0.{router}.{host}/32"))))
            .collect();
        let before = addresses_of(&mut netlink, link);
        let operations = reconcile(&wishes, &before, &BTreeSet::new());
        assert_eq!(operations.len(), 2000);

        let begin = Instant::now();
        let answers = netlink.apply(&operations);
        println!("2000 addresses added in {:?}", begin.elapsed());
        assert_eq!(answers, vec![Ok(Applied::Done); 2000]);

        // Every single one is refused: no answer may be lost.
        let again = netlink.apply(&operations);
        assert_eq!(again, vec![Ok(Applied::AlreadyThere); 2000]);

        let found = addresses_of(&mut netlink, link);
        assert_eq!(found.len(), 2000);
        let known = wishes.iter().map(|wish| (wish.link, wish.address, wish.prefix)).collect();
        assert_eq!(reconcile(&wishes, &found, &known), []);

        let begin = Instant::now();
        let removed = netlink.apply(&reconcile(&[], &found, &known));
        println!("2000 addresses removed in {:?}", begin.elapsed());
        assert_eq!(removed, vec![Ok(Applied::Done); 2000]);
        assert_eq!(addresses_of(&mut netlink, link), []);
    })
    .unwrap();
}

#[test]
fn the_addresses_that_go_with_their_primary_are_put_back() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    for promote in ["0", "1"] {
        left.set_sysctl("net.ipv4.conf.all.promote_secondaries", promote).unwrap();
        left.run(|| {
            let mut netlink = Netlink::open().unwrap();
            let wishes = ["192.0.2.7/24", "192.0.2.8/24", "192.0.2.9/24"].map(|address| wanted(link, address));
            netlink.apply(&wishes.clone().map(AddressOperation::Add));
            let found = addresses_of(&mut netlink, link);
            let known = found.iter().map(|address| (address.link, address.address, address.prefix)).collect();
            let operations = reconcile(&wishes[1..], &found, &known);
            let answers = netlink.apply(&operations);
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
            let mut left_over = texts(&addresses_of(&mut netlink, link));
            left_over.sort();
            assert_eq!(left_over, ["192.0.2.8/24", "192.0.2.9/24"], "promote_secondaries {promote}");
            netlink.apply(&[remove(link, "192.0.2.8/24"), remove(link, "192.0.2.9/24")]);
        })
        .unwrap();
    }
}

#[test]
fn an_address_of_somebody_elses_is_put_back_as_it_was() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    for which in ["all", "left"] {
        left.set_sysctl(&format!("net.ipv4.conf.{which}.promote_secondaries"), "0").unwrap();
    }
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let first = wanted(link, "192.0.2.7/24");
        let theirs = WantedAddress {
            label: Some("left:own".into()),
            broadcast: Some("192.0.2.200".parse().unwrap()),
            lifetime: Lifetime::Seconds(1000.try_into().unwrap()),
            ..wanted(link, "192.0.2.8/24")
        };
        netlink.apply(&[first, theirs].map(AddressOperation::Add));
        netlink.add_unmarked_address(link, "192.0.2.9".parse().unwrap(), 24).unwrap();
        let before = addresses_of(&mut netlink, link);
        let put_back: Vec<AddressOperation> = before[1..].iter().cloned().map(AddressOperation::PutBack).collect();
        assert_eq!(netlink.apply(&put_back), vec![Ok(Applied::AlreadyThere); 2]);
        assert_eq!(netlink.apply(&[remove(link, "192.0.2.7/24")]), [Ok(Applied::Done)]);
        assert_eq!(netlink.apply(&put_back), vec![Ok(Applied::Done); 2]);
        // The first of them is now the first of the subnet.
        let expected = before[1..].iter().map(|address| Address {
            flags: address.flags & !if address.address == before[1].address { libc::IFA_F_SECONDARY } else { 0 },
            ..address.clone()
        });
        let without_time = |address: Address| Address { seconds_left: address.seconds_left.map(|_| 0), ..address };
        let found = addresses_of(&mut netlink, link);
        let found: Vec<Address> = found.into_iter().map(without_time).collect();
        assert_eq!(found, expected.map(without_time).collect::<Vec<_>>());
    })
    .unwrap();
}

#[test]
fn hears_of_changes() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let mut monitor = Monitor::open().unwrap();
        let mut changes = Vec::new();
        monitor.receive(&mut changes).unwrap();
        changes.clear();

        netlink.apply(&[add(link, "192.0.2.7/24"), remove(link, "192.0.2.7/24"), add(link, "2001:db8::7/64")]);
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        // IPv6 is told of a little later.
        wait_until(|| {
            monitor.receive(&mut changes).unwrap();
            changes.iter().any(|change| matches!(change, Change::Address(it) if it.address == ip("2001:db8::7")))
        });
        netlink.set_up(link, false).unwrap();
        netlink.delete_link(link).unwrap();
        wait_until(|| {
            monitor.receive(&mut changes).unwrap();
            changes.iter().any(|change| matches!(change, Change::LinkGone { .. }))
        });
        let position = |what: &dyn Fn(&Change) -> bool| changes.iter().position(what);
        let added = position(&|change| matches!(change, Change::Address(it) if it.address == ip("192.0.2.7")));
        let gone = position(&|change| matches!(change, Change::AddressGone(it) if it.address == ip("192.0.2.7")));
        let added6 = position(&|change| matches!(change, Change::Address(it) if it.address == ip("2001:db8::7")));
        let down = position(&|change| matches!(change, Change::Link(it) if it.index == link && !it.up));
        let deleted = position(&|change| *change == Change::LinkGone { index: link, name: "left".into() });
        let order = [added, gone, added6, down, deleted];
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{order:?} in {changes:?}");
    })
    .unwrap();
}

#[test]
fn says_so_when_events_were_lost() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let mut monitor = Monitor::open().unwrap();
        let addresses: Vec<String> = (0..2000).map(|n| format!("10.0.{}.{}/32", n / 250, n % 250 + 1)).collect();
        let there: Vec<AddressOperation> = addresses.iter().map(|address| add(link, address)).collect();
        let away: Vec<AddressOperation> = addresses.iter().map(|address| remove(link, address)).collect();
        // Nobody reads meanwhile: more events than any buffer of ours holds.
        for _ in 0..8 {
            netlink.apply(&there);
            netlink.apply(&away);
        }
        let mut changes = Vec::new();
        monitor.receive(&mut changes).unwrap();
        assert!(changes.contains(&Change::Lost));
        // And it goes on hearing.
        changes.clear();
        netlink.apply(&there[..1]);
        wait_until(|| {
            monitor.receive(&mut changes).unwrap();
            changes.iter().any(|change| matches!(change, Change::Address(_)))
        });
    })
    .unwrap();
}

#[test]
fn a_port_that_leaves_its_bridge_is_not_gone() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = netlink.create_bridge("switch").unwrap();
        netlink.set_up(bridge, true).unwrap();
        let mut monitor = Monitor::open().unwrap();
        netlink.set_master(left_link.index, Some(bridge)).unwrap();
        assert_eq!(netlink.link_by_name("left").unwrap().unwrap().master, Some(bridge));
        netlink.set_isolated(left_link.index, true).unwrap();
        netlink.set_isolated(left_link.index, false).unwrap();
        netlink.set_master(left_link.index, None).unwrap();
        assert_eq!(netlink.link_by_name("left").unwrap().unwrap().master, None);
        let mut changes = Vec::new();
        wait_until(|| {
            monitor.receive(&mut changes).unwrap();
            changes.iter().any(|change| matches!(change, Change::Link(link) if link.master == Some(bridge)))
        });
        assert!(!changes.iter().any(|change| matches!(change, Change::LinkGone { .. })), "{changes:?}");
        let error = netlink.set_isolated(left_link.index, true).unwrap_err();
        assert_eq!(error.action(), "isolate the port left");
        let error = netlink.create_bridge("switch").unwrap_err();
        assert_eq!(error.errno(), Some(libc::EEXIST), "{error}");
    })
    .unwrap();
}

#[test]
fn routes_lead_somewhere() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        netlink.add_unmarked_address(left_link.index, "192.0.2.1".parse().unwrap(), 24).unwrap();
        let gateway = Some("192.0.2.254".parse().unwrap());
        netlink.add_route(&Route { destination: None, gateway, link: None }).unwrap();
        let destination = Some(("198.51.100.0".parse().unwrap(), 24));
        netlink.add_route(&Route { destination, gateway: None, link: Some(left_link.index) }).unwrap();
        // A connected datagram socket tells which source the kernel's routes choose.
        for target in ["203.0.113.9:9", "198.51.100.9:9"] {
            let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.connect(target).unwrap();
            assert_eq!(socket.local_addr().unwrap().ip(), "192.0.2.1".parse::<IpAddr>().unwrap());
        }
        let unreachable = Route { destination: None, gateway: Some("203.0.113.1".parse().unwrap()), link: None };
        let error = netlink.add_route(&unreachable).unwrap_err();
        assert_eq!(error.action(), "add the default route");
    })
    .unwrap();
}

#[test]
fn a_namespace_has_sysctls_of_its_own() {
    let (Some(one), Some(other)) = (namespace(), namespace()) else { return };
    one.set_sysctl("net.ipv4.ip_default_ttl", "77").unwrap();
    let read = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl").unwrap();
    assert_eq!(one.run(read).unwrap(), "77\n");
    assert_eq!(other.run(read).unwrap(), "64\n");
    let error = one.set_sysctl("net.ipv4.no_such_thing", "1").unwrap_err();
    assert_eq!(error.to_string(), "set net.ipv4.no_such_thing to 1: no such file or directory");
}

/// Each is there as it was wanted, and goes by what the kernel says of it.
#[test]
fn addresses_in_every_form_come_and_go() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    let link = left_link.index;
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let peer = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let wishes = [
            WantedAddress { peer: peer("192.0.2.8"), ..wanted(link, "192.0.2.7/32") },
            WantedAddress { flags: libc::IFA_F_NOPREFIXROUTE, ..wanted(link, "198.51.100.7/24") },
            WantedAddress { flags: libc::IFA_F_MCAUTOJOIN, ..wanted(link, "239.1.2.3/32") },
            WantedAddress { scope: 17, ..wanted(link, "203.0.113.7/24") },
            WantedAddress { peer: peer("2001:db8::8"), ..wanted(link, "2001:db8::7/128") },
            WantedAddress {
                flags: libc::IFA_F_NODAD | libc::IFA_F_HOMEADDRESS | libc::IFA_F_MANAGETEMPADDR,
                ..wanted(link, "2001:db8:1::7/64")
            },
            WantedAddress { flags: 0, preferred: Some(0), ..wanted(link, "2001:db8:2::7/64") },
            WantedAddress { preferred: Some(1000), ..wanted(link, "2001:db8:3::7/64") },
        ];
        let answers = netlink.apply(&wishes.clone().map(AddressOperation::Add));
        assert_eq!(answers, vec![Ok(Applied::Done); wishes.len()]);
        let found = addresses_of(&mut netlink, link);
        let one = |text: &str| {
            let found = found.iter().find(|found| found.address.to_string() == text);
            found.unwrap_or_else(|| panic!("{text} is not there"))
        };
        assert_eq!(one("192.0.2.7").peer, peer("192.0.2.8"));
        assert_eq!(one("2001:db8::7").peer, peer("2001:db8::8"));
        assert_eq!(one("203.0.113.7").scope, 17);
        let is_set = |text: &str, flag: u32| one(text).flags & flag != 0;
        assert!(is_set("198.51.100.7", libc::IFA_F_NOPREFIXROUTE));
        assert!(is_set("239.1.2.3", libc::IFA_F_MCAUTOJOIN));
        assert!(
            is_set("2001:db8:1::7", libc::IFA_F_HOMEADDRESS) && is_set("2001:db8:1::7", libc::IFA_F_MANAGETEMPADDR)
        );
        assert!(!is_set("2001:db8:2::7", libc::IFA_F_NODAD) && is_set("2001:db8:2::7", libc::IFA_F_DEPRECATED));
        assert!(!is_set("2001:db8:3::7", libc::IFA_F_DEPRECATED));
        let known = found.iter().map(|address| (address.link, address.address, address.prefix)).collect();
        assert_eq!(reconcile(&wishes, &found, &known), [], "what we have added is what we wanted");
        let remove = |address: &Address| AddressOperation::Remove {
            link,
            address: address.address,
            prefix: address.prefix,
            peer: address.peer,
        };
        let removals: Vec<AddressOperation> = found.iter().map(remove).collect();
        let answers = netlink.apply(&removals);
        assert_eq!(answers, vec![Ok(Applied::Done); removals.len()]);
        assert_eq!(addresses_of(&mut netlink, link), []);
    })
    .unwrap();
}
