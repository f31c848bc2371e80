//! Interfaces that are not there, go away, come back, or lose what they need.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use linux::capture::Capture;

use crate::support::iproute::ip;
use crate::support::story::run;
use crate::support::wire::Frame;
use crate::support::{ADDRESS, HostPlan, Moment, Node, QUICK, Scene, configuration, let_pass, slow_test, tanist};

#[test]
fn an_interface_that_does_not_exist_yet_is_waited_for() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        scene.hosts[0].delete_interface("eth0").expect("delete");
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        scene.line("a", begin, "entering FAULT state (interface eth0 does not exist)");
        assert!(node.program.is_running());
        let created = scene.lab.note("a", "eth0 is created");
        scene.hosts[0].create_interface("eth0").expect("create");
        scene.line("a", created, "(VI_1) Entering MASTER STATE");
        scene.only("a", ADDRESS);
        scene.advertised("a", created, |_| true);
    });
}

#[test]
fn an_interface_that_is_deleted_and_created_again_serves_again() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let a = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        let begin = Moment::now();
        let _b = Node::start(&scene.hosts[1], tanist(), &configuration("", 100, QUICK));
        scene.only("a", ADDRESS);
        scene.line("b", begin, "master is 192.0.2.1");
        for _ in 0..2 {
            let deleted = scene.lab.note("a", "eth0 is deleted");
            scene.hosts[0].delete_interface("eth0").expect("delete");
            scene.line("a", deleted, "entering FAULT state (interface eth0 does not exist)");
            scene.only("b", ADDRESS);
            let created = scene.lab.note("a", "eth0 is created");
            scene.hosts[0].create_interface("eth0").expect("create");
            // It has to hear B on the new interface: otherwise both would be active.
            scene.line("b", created, "Master received advert from 192.0.2.1 with higher priority 150, ours 100");
            scene.only("a", ADDRESS);
        }
        a.stop();
        scene.only("b", ADDRESS);
    });
}

#[test]
fn a_cable_that_is_pulled_hands_over_and_comes_back() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let [_a, _b] = [(0, 150), (1, 100)].map(|(host, priority): (usize, u8)| {
            Node::start(&scene.hosts[host], tanist(), &configuration("", priority, QUICK))
        });
        scene.only("a", ADDRESS);
        let pulled = scene.lab.note("a", "pull the cable");
        scene.hosts[0].set_cable("eth0", false).expect("pull");
        scene.line("a", pulled, "entering FAULT state (interface eth0 down)");
        scene.only("b", ADDRESS);
        let back = Moment::now();
        scene.hosts[0].set_cable("eth0", true).expect("put back");
        scene.line("a", back, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
    });
}

/// Each interface counts for itself: the return of one does not make up for another.
#[test]
fn of_two_interfaces_that_are_down_both_have_to_come_back() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let plan = HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]);
        let host = scene.add(&plan.interface("eth1", &[]).interface("eth2", &[]));
        let lines = format!("{QUICK}\n    track_interface {{\n        eth1\n        eth2\n    }}");
        let _node = Node::start(&host, tanist(), &configuration("", 150, &lines));
        scene.only("a", ADDRESS);
        let down = scene.lab.note("a", "both down");
        host.set_interface("eth1", false).expect("down");
        host.set_interface("eth2", false).expect("down");
        scene.line("a", down, "entering FAULT state (interface eth1 down)");
        scene.line("a", down, "entering FAULT state (interface eth2 down)");
        let one = Moment::now();
        host.set_interface("eth1", true).expect("up");
        scene.line("a", one, "(VI_1) interface eth1 is no longer down");
        // Longer than it would have to listen.
        let_pass(Duration::from_secs(2));
        assert!(scene.holders(ADDRESS).is_empty(), "{}", scene.story());
        host.set_interface("eth2", true).expect("up");
        scene.only("a", ADDRESS);
    });
}

#[test]
fn an_interface_without_an_address_of_its_own_is_a_fault() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let host = scene.add(&HostPlan::new("a").interface("eth0", &[]));
        let begin = Moment::now();
        let _node = Node::start(&host, tanist(), &configuration("", 150, QUICK));
        scene.line("a", begin, "entering FAULT state (no IPv4 address for interface)");
        let added = Moment::now();
        host.add_address("eth0", "192.0.2.1/24").expect("add");
        scene.line("a", added, "Entering MASTER STATE");
        scene.only("a", ADDRESS);

        // The kernel takes secondary addresses of the network along unless told otherwise: ours is gone, too.
        let removed = Moment::now();
        host.remove_address("eth0", "192.0.2.1/24").expect("remove");
        scene.line("a", removed, "Entering FAULT STATE");
        scene.until("the virtual address is gone", || scene.holders(ADDRESS).is_empty());
        let added = Moment::now();
        host.add_address("eth0", "192.0.2.5/24").expect("add");
        scene.line("a", added, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        scene.advertised("a", added, |seen| seen.source.to_string() == "192.0.2.5");
    });
}

/// Whoever hears nothing would believe that nobody is there.
#[test]
fn where_the_system_refuses_to_listen_there_is_no_role_whatever_the_interface_counts() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let may_join = |groups: u32| run(host, &format!("echo {groups} > /proc/sys/net/ipv4/igmp_max_memberships"));
        may_join(0);
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &configuration("", 150, &format!("{QUICK}\n    dont_track_primary")));
        scene.line("a", begin, "entering FAULT state (interface eth0 down)");
        scene.line("a", begin, "Nothing can be heard on eth0");
        // Three times as long as it would wait for an advertisement.
        let_pass(Duration::from_secs(2));
        assert_eq!(scene.count_lines("a", begin, "Entering BACKUP STATE"), 0, "{}", scene.story());
        may_join(20);
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        scene.only("a", ADDRESS);
    });
}

/// What stands in a frame for neighbours would be taken for a packet there, or be sent to the other end of a tunnel.
#[test]
fn no_neighbour_is_told_of_an_address_where_nobody_asks_for_one() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // A cable without ARP instead of a tunnel, which needs a device that not every laboratory has.
        ip(host, "link add quiet type veth peer name end");
        ip(host, "link set quiet arp off");
        for link in ["quiet", "end"] {
            ip(host, &format!("link set {link} up"));
        }
        let line = ip(host, "-o link show dev quiet");
        let index: u32 = line.split(':').next().and_then(|index| index.parse().ok()).expect("a number");
        let (four, six) = (Ipv4Addr::new(203, 0, 113, 100), Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 0x100));
        let beside = format!(
            "    virtual_ipaddress_excluded {{\n        {four}/24 dev quiet\n        {six}/64 dev quiet\n        \
             192.0.2.110/24\n    }}"
        );
        let ear = host.run(Capture::redundancy_frames).expect("it is on").expect("a capture");
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration("", 150, &format!("{QUICK}\n{beside}")));
        scene.line("a", begin, "Entering MASTER STATE");
        let mut buffer = [0; 2000];
        // Each address is told of as often as any other: the last one of them in the file has been told of thrice.
        let mut told = 0;
        let last: IpAddr = Ipv4Addr::new(192, 0, 2, 110).into();
        let mut hear = || {
            while let Some(captured) = ear.receive(&mut buffer).expect("the capture goes on") {
                let at = Moment::from_nanos(captured.at);
                let frame = Frame { at, from: String::new(), bytes: captured.bytes.to_vec() };
                let about = frame.arp().map(|(_, address, _)| IpAddr::V4(address));
                let about = about.or_else(|| Some(frame.discovery().filter(|(kind, ..)| *kind == 136)?.2.into()));
                assert!(captured.link != index || ![Some(four.into()), Some(six.into())].contains(&about), "{frame:?}");
                told += usize::from(captured.outgoing && about == Some(last));
            }
            told >= 3
        };
        scene.until("the others are told of", &mut hear);
        for address in [IpAddr::V4(four), IpAddr::V6(six)] {
            scene.until("it is there all the same", || host.has_address(address));
        }
        node.stop();
        hear();
    });
}
