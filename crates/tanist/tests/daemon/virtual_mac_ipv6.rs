//! Virtual MAC addresses of IPv6: what the machine has, and what neighbours and switches see.

use std::net::Ipv6Addr;

use linux::packet_filter::PacketFilter;

use crate::support::iproute::{ip, lines, try_ip};
use crate::support::ipv6::{self, ADDRESS, ON_LINK};
use crate::support::story::run;
use crate::support::wire::{Frame, Wire, neighbour_of_ipv6};
use crate::support::{HostPlan, Moment, Node, Scene, slow_test, tanist};

const VIRTUAL_MAC: &str = "00:00:5e:00:02:33";
/// In which neighbours ask for both.
const SOLICITED: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0x100);
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;
const ROUTER_FLAG: u8 = 0x80;

fn scene(names: &[&str]) -> Scene {
    let scene = ipv6::scene_with_client(names);
    for host in &scene.hosts {
        // Routers are in groups of their own, which nobody must hear of from the virtual MAC address.
        run(host, "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    }
    scene
}

fn instance(priority: u8, lines: &str) -> String {
    format!(
        "vrrp_instance VI_6 {{\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n    advert_int 0.2\n    \
         use_vmac\n{lines}\n    virtual_ipaddress {{\n        {ON_LINK}/64\n        {ADDRESS}/64\n    }}\n}}\n"
    )
}

/// Whether the client gets an answer from there.
fn answers(scene: &Scene, address: Ipv6Addr) -> bool {
    scene.lab.client().run(move || ipv6::answers(address))
}

fn only(scene: &Scene, holder: usize) {
    scene.until("one host has the address", || {
        (0..scene.hosts.len()).all(|host| scene.hosts[host].has_address(ADDRESS.into()) == (host == holder))
    });
}

/// Advertisements and what tells where the virtual addresses are come from the virtual MAC address, and nothing else does.
#[track_caller]
fn check(frames: &[Frame]) {
    for frame in frames {
        let is_virtual = frame.from == VIRTUAL_MAC;
        match (frame.advertised(), frame.discovery()) {
            (Some(_), _) => assert!(is_virtual, "{frame:?}"),
            (_, Some((NEIGHBOUR_ADVERTISEMENT, flags, ADDRESS | ON_LINK, at))) => {
                assert!(is_virtual && at.as_deref() == Some(VIRTUAL_MAC), "{frame:?}");
                assert_ne!(flags & ROUTER_FLAG, 0, "{frame:?}");
            }
            (_, Some((NEIGHBOUR_SOLICITATION, ..))) => {}
            // The kernel answers for a new address a moment before it delivers to it; what comes then it sends back.
            (_, Some((REDIRECT, ..))) => {}
            _ => assert!(!is_virtual, "{frame:?}"),
        }
    }
}

fn reported(frames: &[Frame], from: &str) -> bool {
    let is_in = |report: &[u8]| report.windows(16).any(|octets| octets == SOLICITED.octets());
    frames.iter().any(|frame| frame.from == from && frame.listener_report().is_some_and(is_in))
}

// Shows: vrrp_instance.use_vmac
#[test]
fn neighbours_find_an_address_of_ipv6_at_the_virtual_mac_address_and_nowhere_else() {
    slow_test(|| {
        let scene = scene(&["a"]);
        let host = &scene.hosts[0];
        let own = host.mac(0).to_string();
        let mut wire = Wire::of(&scene);
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &instance(150, ""));
        scene.line("a", begin, "Entering MASTER STATE");
        only(&scene, 0);
        let made = ip(host, "-d link show dev vrrp.51");
        for word in ["vrrp.51@eth0", VIRTUAL_MAC, "macvlan mode private", "alias tanist"] {
            assert!(made.contains(word), "{word} is not in {made}");
        }
        // Nothing but what it is for: not even a link-local address of its own.
        let held = lines(host, "-o -6 address show dev vrrp.51");
        assert_eq!(held.len(), 2, "{held:?}");
        assert!(!ip(host, "-6 address show dev eth0").contains("::100/"));

        scene.until("it answers", || answers(&scene, ADDRESS));
        assert_eq!(neighbour_of_ipv6(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));
        // The host's own address is where it was.
        let of_host = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        scene.until("so does the host", || answers(&scene, of_host));
        assert_eq!(neighbour_of_ipv6(&scene, of_host), Some(own.clone()));
        // The host has to ask for the client before it can answer it, and tells everybody from where.
        ip(host, "-6 neigh flush all");
        scene.until("it answers again", || answers(&scene, ADDRESS));
        scene.until("the host has asked for the client", || {
            let asks = |frame: &Frame| matches!(frame.discovery(), Some((NEIGHBOUR_SOLICITATION, ..)));
            wire.frames().iter().any(|frame| frame.from == own && asks(frame))
        });
        // A switch that sends multicast only to who has asked for it knows where the address is.
        scene.until("the interface below is in their group", || reported(wire.frames(), &own));

        node.stop();
        check(wire.frames());
        assert!(!try_ip(host, "link show dev vrrp.51"));
    });
}

/// It leaves before the virtual interface has got any address.
#[test]
fn the_first_advertisement_of_ipv6_leaves_before_the_addresses_are_there() {
    slow_test(|| {
        let scene = scene(&["a"]);
        let mut wire = Wire::of(&scene);
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &instance(150, ""));
        scene.line("a", begin, "Entering MASTER STATE");
        let tells =
            |frame: &Frame| matches!(frame.discovery(), Some((NEIGHBOUR_ADVERTISEMENT, _, ADDRESS | ON_LINK, _)));
        scene.until("it tells where the addresses are", || wire.frames().iter().any(tells));
        let frames = wire.frames();
        let first = frames.iter().find(|frame| frame.advertised().is_some() || tells(frame)).expect("there are both");
        assert_eq!(first.advertised(), Some(51), "{first:?}");
        node.stop();
        assert_eq!(scene.count_lines("a", begin, "send advertisement"), 0, "{}", scene.story());
    });
}

/// Then the virtual interface never gets an address.
#[test]
fn nodes_of_ipv6_hear_each_other_where_the_virtual_addresses_are_on_another_interface() {
    slow_test(|| {
        let mut scene = Scene::empty();
        for (name, number) in [("a", 1), ("b", 2)] {
            let plan = HostPlan::new(name).interface("eth0", &[&format!("2001:db8::{number}/64")]);
            scene.add(&plan.interface("eth1", &[&format!("2001:db8:1::{number}/64")]));
        }
        scene.hosts.iter().for_each(|host| ipv6::has_link_local(&scene, host));
        let elsewhere = |priority| instance(priority, "").replace("/64", "/64 dev eth1");
        let begin = Moment::now();
        let a = Node::start(&scene.hosts[0], tanist(), &elsewhere(150));
        scene.line("a", begin, "Entering MASTER STATE");
        let _b = Node::start(&scene.hosts[1], tanist(), &elsewhere(100));
        scene.line("b", begin, "master is fe80::");
        only(&scene, 0);
        let stopped = Moment::now();
        a.stop();
        scene.resigned("a", stopped);
        scene.line("b", stopped, "Entering MASTER STATE");
        scene.advertised("b", stopped, |seen| seen.priority == 100);
        assert_eq!(scene.count_lines("a", begin, "send advertisement"), 0, "{}", scene.story());
    });
}

#[test]
fn the_role_moves_and_neighbours_have_nothing_to_learn() {
    slow_test(|| {
        let scene = scene(&["a", "b"]);
        let mut wire = Wire::of(&scene);
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &instance(150, ""));
        scene.line("a", begin, "Entering MASTER STATE");
        let _b = Node::start(&scene.hosts[1], tanist(), &instance(100, ""));
        scene.line("b", begin, "master is fe80::");
        only(&scene, 0);
        scene.until("a answers", || answers(&scene, ADDRESS));
        // B hears A although A speaks from the MAC address that B has, too.
        scene.nobody_resigned(begin);

        let off = scene.lab.note("a", "power off");
        scene.hosts[0].power_off().expect("power off");
        scene.line("b", off, "Entering MASTER STATE");
        scene.until("b answers", || answers(&scene, ADDRESS));
        assert_eq!(neighbour_of_ipv6(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

        let on = scene.lab.note("a", "power on");
        scene.hosts[0].power_on().expect("power on");
        run(&scene.hosts[0], "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
        let a = Node::start(&scene.hosts[0], tanist(), &instance(150, ""));
        scene.line("b", on, "Entering BACKUP STATE");
        only(&scene, 0);
        scene.until("a answers", || answers(&scene, ADDRESS));
        let stopped = Moment::now();
        a.stop();
        scene.line("b", stopped, "Entering MASTER STATE");
        scene.until("b answers", || answers(&scene, ADDRESS));
        assert_eq!(neighbour_of_ipv6(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));
        check(wire.frames());
    });
}

// Shows: vrrp_instance.vmac_xmit_base
#[test]
fn nodes_of_ipv6_that_speak_from_different_mac_addresses_hear_each_other() {
    slow_test(|| {
        for (ours, theirs) in [("", "    vmac_xmit_base"), ("    vmac_xmit_base", "")] {
            let scene = scene(&["a", "b"]);
            let mut wire = Wire::of(&scene);
            let begin = Moment::now();
            let a = Node::start(&scene.hosts[0], tanist(), &instance(150, ours));
            scene.line("a", begin, "Entering MASTER STATE");
            let _b = Node::start(&scene.hosts[1], tanist(), &instance(100, theirs));
            scene.line("b", begin, "master is fe80::");
            let stopped = Moment::now();
            a.stop();
            scene.line("b", stopped, "Entering MASTER STATE");
            scene.advertised("b", begin, |seen| seen.priority == 100);
            let advertised = wire.frames().iter().filter(|frame| frame.advertised().is_some());
            let from: Vec<String> = advertised.map(|frame| frame.from.clone()).collect();
            let expected = |lines: &str, host: usize| {
                if lines.is_empty() { VIRTUAL_MAC.to_owned() } else { scene.hosts[host].mac(0).to_string() }
            };
            assert_eq!((from.first(), from.last()), (Some(&expected(ours, 0)), Some(&expected(theirs, 1))));
        }
    });
}

/// Two instances of one number, each with its MAC address, beside addresses of the other family that are taken along.
// Shows: vrrp_instance.use_vmac_addr, address.use_vmac
#[test]
fn both_families_have_interfaces_of_their_own() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let plan = HostPlan::new("a").interface("eth0", &["192.0.2.1/24", "2001:db8::1/64"]);
        let host = scene.add(&plan.interface("eth1", &["198.51.100.1/24", "2001:db8:1::1/64"]));
        scene.lab.client().add_address("2001:db8:1::254/64").expect("the client's address");
        let beside = "    virtual_ipaddress_excluded {\n        192.0.2.110/24\n        2001:db8:1::100/64 dev eth1 use_vmac\n    }";
        let four = "vrrp_instance VI_4 {\n    interface eth0\n    virtual_router_id 51\n    priority 150\n    version 3\n    \
                    advert_int 0.2\n    use_vmac\n    virtual_ipaddress {\n        192.0.2.100/24\n    }\n    \
                    virtual_ipaddress_excluded {\n        2001:db8::200/64\n    }\n}\n";
        let begin = Moment::now();
        let node = Node::start(&host, tanist(), &(instance(150, beside) + four));
        scene.line("a", begin, "(VI_6) Entering MASTER STATE");
        scene.line("a", begin, "(VI_4) Entering MASTER STATE");
        let on = |link: &str, address: &str| {
            scene.until(&format!("{address} is on {link}"), || {
                ip(&host, &format!("address show dev {link}")).contains(address)
            });
        };
        on("vrrp.51", "2001:db8::100/64");
        on("vrrp1.51", "2001:db8:1::100/64");
        on("vrrp2.51", "192.0.2.100/24");
        on("eth0", "192.0.2.110/24");
        on("eth0", "2001:db8::200/64");
        let mac = |link: &str| ip(&host, &format!("link show dev {link}"));
        assert!(mac("vrrp.51").contains(VIRTUAL_MAC) && mac("vrrp1.51").contains(VIRTUAL_MAC));
        assert!(mac("vrrp1.51").contains("vrrp1.51@eth1"));
        assert!(mac("vrrp2.51").contains("00:00:5e:00:01:33"));
        assert_eq!(ip(&host, "-6 address show dev vrrp2.51"), "");
        let elsewhere = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x100);
        scene.until("it answers elsewhere", || answers(&scene, elsewhere));
        assert_eq!(neighbour_of_ipv6(&scene, elsewhere).as_deref(), Some(VIRTUAL_MAC));
        node.stop();
        assert!(!ip(&host, "link show").contains("vrrp"));
    });
}

/// Scripts of firewalls flush everybody's tables. A reload brings this one back, of the same file, too.
#[test]
fn a_flushed_table_is_back_after_a_reload() {
    slow_test(|| {
        let scene = scene(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &instance(150, ""));
        scene.line("a", begin, "Entering MASTER STATE");
        let table = || PacketFilter::open("tanist_links", PacketFilter::PRIORITY);
        let is_there = || host.run(move || table()?.is_there()).expect("it is on").expect("an answer");
        assert!(is_there());
        host.run(move || table()?.remove()).expect("it is on").expect("removed");
        assert!(!is_there());
        let reloaded = Moment::now();
        node.reload(&instance(150, ""));
        scene.line("a", reloaded, "Reloaded");
        scene.until("it is back", is_there);
        node.stop();
        assert!(!is_there());
    });
}
