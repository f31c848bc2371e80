//! Virtual MAC addresses: what the machine has, what neighbours see, and what somebody else may do about it.

use std::path::Path;
use std::time::Duration;

use linux::signals::Signal;

use crate::support::iproute::{ip, try_ip};
use crate::support::story::run;
use crate::support::wire::{Arp, Wire, neighbour};
use crate::support::{
    ADDRESS, Host, HostPlan, Moment, Node, QUICK, Scene, Seen, configuration, dumping_to, is_announcement, let_pass,
    slow_test, tanist,
};

const VIRTUAL_MAC: &str = "00:00:5e:00:01:33";

fn with_virtual_mac(priority: u8, lines: &str) -> String {
    configuration("", priority, &format!("{QUICK}\n    use_vmac\n{lines}"))
}

fn option(host: &Host, link: &str, option: &str) -> String {
    let path = format!("/proc/sys/net/ipv4/conf/{link}/{option}");
    host.read_file(Path::new(&path)).expect("an option of the kernel").trim_end().to_owned()
}

fn is_there(host: &Host, link: &str) -> bool {
    try_ip(host, &format!("link show dev {link}"))
}

/// Its number in the kernel.
fn index(host: &Host, link: &str) -> String {
    let line = ip(host, &format!("-o link show dev {link}"));
    line.split(':').next().unwrap_or_default().to_owned()
}

/// On a host that is active.
fn started(scene: &Scene, configuration: &str) -> Node {
    let begin = Moment::now();
    let node = Node::start(&scene.hosts[0], tanist(), configuration);
    scene.line("a", begin, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
    node
}

// Shows: vrrp_instance.use_vmac
#[test]
fn neighbours_see_the_address_at_the_virtual_mac_address_and_nowhere_else() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let options = ["arp_ignore", "arp_announce", "rp_filter"].map(|name| (name, option(host, "eth0", name)));
        let mut wire = Wire::of(&scene);
        let begin = Moment::now();
        let node = started(&scene, &with_virtual_mac(150, ""));
        let made = ip(host, "-d link show dev vrrp.51");
        for word in ["vrrp.51@eth0", VIRTUAL_MAC, "macvlan mode private", "alias tanist"] {
            assert!(made.contains(word), "{word} is not in {made}");
        }
        assert!(ip(host, "address show dev vrrp.51").contains("192.0.2.100/24"));
        assert!(!ip(host, "address show dev eth0").contains("192.0.2.100"));
        // It says nothing by itself.
        assert_eq!(ip(host, "-6 address show dev vrrp.51"), "");

        // The host has to ask for the client before it can answer it; what it asks from is told to everybody.
        ip(host, "neigh flush all");
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);
        assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));
        scene.until("the host has asked for the client", || {
            let own = host.mac(0).to_string();
            wire.frames().iter().any(|frame| {
                frame.from == own
                    && frame
                        .arp()
                        .is_some_and(|(kind, address, _)| kind == Arp::Question && address.octets() == [192, 0, 2, 1])
            })
        });
        scene.until("the client was answered", || {
            let of_address = |kind| move |arp: &(Arp, _, _)| arp.0 == kind && arp.1 == ADDRESS;
            let frames = wire.frames();
            let arp = || frames.iter().filter_map(|frame| frame.arp());
            arp().any(|arp| of_address(Arp::Question)(&arp)) && arp().any(|arp| of_address(Arp::Answer)(&arp))
        });
        // The host's own address is where it was.
        let probe = scene.probe([192, 0, 2, 1].into());
        scene.answered_by(&probe, "a", begin);
        assert_eq!(neighbour(&scene, [192, 0, 2, 1].into()), Some(host.mac(0).to_string()));

        node.stop();
        for frame in wire.frames() {
            match (frame.advertised(), frame.arp()) {
                (Some(_), _) => assert_eq!(frame.from, VIRTUAL_MAC, "{frame:?}"),
                (_, Some((_, ADDRESS, at))) => {
                    assert_eq!((&*frame.from, &*at), (VIRTUAL_MAC, VIRTUAL_MAC), "{frame:?}")
                }
                (_, Some((_, _, at))) => assert_ne!(at, VIRTUAL_MAC, "{frame:?}"),
                // Neighbour discovery.
                _ => assert_ne!(frame.from, VIRTUAL_MAC, "{frame:?}"),
            }
        }
        assert!(!is_there(host, "vrrp.51"));
        for (name, before) in options {
            assert_eq!(option(host, "eth0", name), before, "{name}");
        }
    });
}

#[test]
fn the_other_node_takes_over_and_neighbours_have_nothing_to_learn() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let mut wire = Wire::of(&scene);
        let begin = Moment::now();
        let _a = started(&scene, &with_virtual_mac(150, ""));
        let _b = Node::start(&scene.hosts[1], tanist(), &with_virtual_mac(100, ""));
        scene.line("b", begin, "master is 192.0.2.1");
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);
        // B hears A although A speaks from the MAC address that B has, too.
        scene.nobody_resigned(begin);
        assert_eq!(scene.holders(ADDRESS), ["a"]);
        assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

        let off = scene.lab.note("a", "power off");
        scene.hosts[0].power_off().expect("power off");
        scene.answered_by(&probe, "b", off);
        assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

        let on = scene.lab.note("a", "power on");
        scene.hosts[0].power_on().expect("power on");
        let a = Node::start(&scene.hosts[0], tanist(), &with_virtual_mac(150, ""));
        scene.answered_by(&probe, "a", on);
        scene.only("a", ADDRESS);
        let stopped = Moment::now();
        a.stop();
        scene.answered_by(&probe, "b", stopped);
        assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));
        for frame in wire.frames() {
            assert!(frame.arp().is_none_or(|(_, address, at)| address != ADDRESS || at == VIRTUAL_MAC), "{frame:?}");
        }
    });
}

#[test]
fn what_somebody_does_to_the_interface_is_put_right_without_an_election() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let _node = started(&scene, &with_virtual_mac(150, ""));
        for (deed, line) in [
            ("link delete vrrp.51", "vrrp.51 has been made again on eth0"),
            ("link set vrrp.51 down", "vrrp.51 was down and has been set up again"),
            ("link set vrrp.51 address 02:00:00:00:00:99", "vrrp.51 was not as it should be and is made anew"),
        ] {
            let begin = scene.lab.note("a", deed);
            ip(host, deed);
            scene.line("a", begin, line);
            scene.until("it is as it was", || {
                let link = ip(host, "-d link show");
                ip(host, "address show dev vrrp.51").contains("192.0.2.100/24")
                    && link.contains(VIRTUAL_MAC)
                    && link.lines().any(|line| line.contains("vrrp.51@eth0") && line.contains(",UP"))
            });
            scene.advertised("a", Moment::now(), |seen| seen.priority == 150);
            scene.nobody_resigned(begin);
            assert_eq!(scene.count_lines("a", begin, "STATE"), 0, "{}", scene.story());
        }
        let begin = Moment::now();
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);
        assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));
        assert_eq!(option(host, "vrrp.51", "arp_ignore"), "1");
    });
}

#[test]
fn a_reload_leaves_alone_what_it_does_not_change_and_moves_what_it_does() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let node = started(&scene, &with_virtual_mac(150, ""));
        let before = index(host, "vrrp.51");

        let reloaded = scene.lab.note("a", "reload with another priority");
        node.reload(&with_virtual_mac(140, ""));
        scene.advertised("a", reloaded, |seen| seen.priority == 140);
        assert_eq!(index(host, "vrrp.51"), before);

        let mut wire = Wire::of(&scene);
        let reloaded = scene.lab.note("a", "advertisements leave by the interface below");
        node.reload(&with_virtual_mac(140, "    vmac_xmit_base"));
        scene.line("a", reloaded, "Reloaded");
        let own = host.mac(0).to_string();
        scene
            .until("they do", || wire.frames().iter().any(|frame| frame.advertised() == Some(51) && frame.from == own));
        assert_eq!(index(host, "vrrp.51"), before);
        assert!(ip(host, "address show dev vrrp.51").contains("192.0.2.100/24"));

        let without = scene.lab.note("a", "reload without a virtual MAC address");
        node.reload(&configuration("", 140, QUICK));
        scene.line("a", without, "vrrp.51 has been removed");
        scene.until("the address is on eth0", || ip(host, "address show dev eth0").contains("192.0.2.100/24"));
        scene.wait(without, "an announcement", |record| is_announcement(record, "a", ADDRESS));
        assert!(!is_there(host, "vrrp.51"));

        let again = scene.lab.note("a", "and with one");
        node.reload(&with_virtual_mac(140, ""));
        scene.until("the address is on it", || {
            is_there(host, "vrrp.51") && ip(host, "address show dev vrrp.51").contains("192.0.2.100/24")
        });
        scene.wait(again, "an announcement", |record| is_announcement(record, "a", ADDRESS));
        scene.until("it is the virtual one", || {
            let of_address = |frame: &crate::support::wire::Frame| {
                frame.at > again && frame.arp().is_some_and(|(_, address, at)| address == ADDRESS && at == VIRTUAL_MAC)
            };
            wire.frames().iter().any(of_address)
        });
        scene.nobody_resigned(reloaded);
        assert_eq!(scene.count_lines("a", reloaded, "STATE"), 0, "{}", scene.story());
    });
}

#[test]
fn what_a_killed_daemon_left_behind_is_taken_over_or_removed() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let mut node = started(&scene, &with_virtual_mac(150, ""));
        let before = index(host, "vrrp.51");
        node.kill();
        assert!(is_there(host, "vrrp.51"));
        let begin = scene.lab.note("a", "start again");
        node.start_again();
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        assert_eq!(index(host, "vrrp.51"), before);
        assert!(ip(host, "address show dev vrrp.51").contains("192.0.2.100/24"));
        node.kill();
        let begin = scene.lab.note("a", "start without it");
        host.write_file(&node.file(), &configuration("", 150, QUICK)).expect("write the configuration");
        node.start_again();
        scene.line("a", begin, "vrrp.51 has been removed");
        scene.line("a", begin, "Entering MASTER STATE");
        scene.until("the address is on eth0", || ip(host, "address show dev eth0").contains("192.0.2.100/24"));
    });
}

#[test]
fn the_interface_comes_and_goes_with_the_one_below() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let _a = started(&scene, &with_virtual_mac(150, ""));
        let begin = Moment::now();
        let _b = Node::start(&scene.hosts[1], tanist(), &with_virtual_mac(100, ""));
        scene.line("b", begin, "master is 192.0.2.1");
        let pulled = scene.lab.note("a", "pull the cable");
        scene.hosts[0].set_cable("eth0", false).expect("pull");
        scene.line("a", pulled, "entering FAULT state (interface eth0 down)");
        scene.only("b", ADDRESS);
        let back = Moment::now();
        scene.hosts[0].set_cable("eth0", true).expect("put back");
        scene.line("a", back, "Entering MASTER STATE");
        scene.only("a", ADDRESS);

        let deleted = scene.lab.note("a", "eth0 is deleted");
        scene.hosts[0].delete_interface("eth0").expect("delete");
        scene.line("a", deleted, "entering FAULT state (interface eth0 does not exist)");
        scene.only("b", ADDRESS);
        assert!(!is_there(&scene.hosts[0], "vrrp.51"));
        let created = scene.lab.note("a", "eth0 is created");
        scene.hosts[0].create_interface("eth0").expect("create");
        scene.line("b", created, "Master received advert from 192.0.2.1 with higher priority 150, ours 100");
        scene.only("a", ADDRESS);
        assert!(ip(&scene.hosts[0], "address show dev vrrp.51").contains("192.0.2.100/24"));
        // Its options are those of the new interface.
        assert_eq!(option(&scene.hosts[0], "eth0", "arp_ignore"), "1");
    });
}

/// A peer whose frames have the virtual MAC address is heard on the virtual interface only, whoever speaks how.
// Shows: vrrp_instance.vmac_xmit_base
#[test]
fn nodes_that_speak_from_different_mac_addresses_hear_each_other() {
    slow_test(|| {
        for (ours, theirs) in [("", "    vmac_xmit_base"), ("    vmac_xmit_base", "")] {
            let scene = Scene::new(&["a", "b"]);
            let mut wire = Wire::of(&scene);
            let begin = Moment::now();
            let a = started(&scene, &with_virtual_mac(150, ours));
            let _b = Node::start(&scene.hosts[1], tanist(), &with_virtual_mac(100, theirs));
            scene.line("b", begin, "master is 192.0.2.1");
            a.stop();
            scene.only("b", ADDRESS);
            scene.advertised("b", begin, |seen| seen.priority == 100);
            let from: Vec<String> = wire
                .frames()
                .iter()
                .filter(|frame| frame.advertised().is_some())
                .map(|frame| frame.from.clone())
                .collect();
            let expected = |lines: &str, host: &Host| {
                if lines.is_empty() { VIRTUAL_MAC.to_owned() } else { host.mac(0).to_string() }
            };
            let [first, last] =
                [(ours, 0), (theirs, 1)].map(|(lines, host): (&str, usize)| expected(lines, &scene.hosts[host]));
            assert_eq!((from.first(), from.last()), (Some(&first), Some(&last)));
        }
    });
}

/// Each counts what it hears once, although both are heard on two interfaces.
#[test]
fn an_instance_with_and_one_without_share_an_interface() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let of = |priority: u8| {
            let other = with_virtual_mac(priority, "").replace("VI_1", "VI_2").replace("router_id 51", "router_id 52");
            let other = other.replace("192.0.2.100", "192.0.2.101").replace("    use_vmac\n", "");
            with_virtual_mac(priority, "") + &other
        };
        let begin = Moment::now();
        let a = Node::start(&scene.hosts[0], tanist(), &of(150));
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        scene.line("a", begin, "(VI_2) Entering MASTER STATE");
        run(&scene.hosts[1], "mkdir /run/dumps");
        let daemon = dumping_to("/run/dumps", tanist());
        let started = Moment::now();
        let b = Node::start(&scene.hosts[1], daemon, &of(100));
        for instance in ["VI_1", "VI_2"] {
            scene.line("b", started, &format!("({instance}) master is 192.0.2.1"));
        }
        let_pass(Duration::from_secs(2));
        a.stop();
        scene.only("b", ADDRESS);
        scene.only("b", [192, 0, 2, 101].into());
        assert!(ip(&scene.hosts[1], "address show dev eth0").contains("192.0.2.101"));
        b.signal(Signal::USER_2);
        let read = || scene.hosts[1].read_file(Path::new("/run/dumps/keepalived.stats")).unwrap_or_default();
        scene.until("the counters are written", || read().matches("Advertisements:").count() == 2);
        let written = read();
        let received = written.split("Advertisements:").skip(1).map(|part| {
            let count = part.trim_start().strip_prefix("Received: ").and_then(|rest| rest.lines().next());
            count.and_then(|count| count.parse::<usize>().ok()).unwrap_or_else(|| panic!("no count in {part}"))
        });
        let all = scene.advertisements(started);
        for (vrid, heard) in [51, 52].into_iter().zip(received) {
            let sent = all.iter().filter(|(_, host, seen)| host == "a" && seen.vrid == vrid).count();
            assert!(heard > 5 && heard <= sent, "{vrid}: heard {heard} of {sent}");
        }
    });
}

// Shows: address.use_vmac, vrrp_instance.use_vmac_addr, global_defs.vmac_prefix, global_defs.vmac_addr_prefix
#[test]
fn addresses_elsewhere_get_interfaces_of_their_own() {
    slow_test(|| {
        let mut scene = Scene::empty();
        scene.lab.client().add_address("198.51.100.254/24").expect("the client's address");
        let plan = HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]);
        let host = scene.add(&plan.interface("eth1", &["198.51.100.1/24"]));
        // Somebody else has the name that would be the first choice.
        ip(&host, "link add va.51 type bridge");
        let lines = format!(
            "{QUICK}\n    use_vmac_addr\n    garp_extra_if 1\n    garp_master_repeat 1\n    garp_master_delay 0\n    \
             virtual_ipaddress_excluded {{\n        198.51.100.100/24 dev eth1\n    }}"
        );
        let before = "global_defs {\n    vmac_prefix vm\n    vmac_addr_prefix va\n}";
        let begin = Moment::now();
        let node = started(&scene, &configuration(before, 150, &lines));
        assert!(ip(&host, "address show dev va1.51").contains("198.51.100.100/24"));
        assert!(ip(&host, "address show dev eth0").contains("192.0.2.100/24"));
        assert!(ip(&host, "link show dev va1.51").contains("va1.51@eth1"));
        let elsewhere = [198, 51, 100, 100].into();
        let announced =
            |since| scene.wait(since, "an announcement", |record| is_announcement(record, "a", elsewhere)).at;
        let first = announced(begin);
        announced(first + Duration::from_millis(500));
        let at_home =
            scene.lab.journal().since(begin).iter().filter(|record| is_announcement(record, "a", ADDRESS)).count();
        assert_eq!(at_home, 1, "{}", scene.story());
        let probe = scene.probe(elsewhere);
        scene.answered_by(&probe, "a", begin);
        assert_eq!(neighbour(&scene, elsewhere).as_deref(), Some(VIRTUAL_MAC));

        let down = scene.lab.note("a", "eth1 down");
        host.set_interface("eth1", false).expect("down");
        scene.line("a", down, "entering FAULT state");
        scene.until("the addresses are gone", || scene.holders(ADDRESS).is_empty());
        host.set_interface("eth1", true).expect("up");
        scene.only("a", ADDRESS);

        let reloaded = Moment::now();
        node.reload(&configuration("", 150, &format!("{QUICK}\n    use_vmac edge 02:00:00:00:07")));
        scene.line("a", reloaded, "va1.51 has been removed");
        scene.until("the address is on edge", || {
            is_there(&host, "edge") && ip(&host, "address show dev edge").contains("192.0.2.100/24")
        });
        assert!(ip(&host, "link show dev edge").contains("02:00:00:00:07:33"));
        node.stop();
        assert!(!is_there(&host, "edge") && is_there(&host, "va.51"));
    });
}

/// Some interfaces begin to take packets of other MAC addresses without a word of the kernel's.
#[test]
fn the_interface_below_is_told_of_once_more_if_that_is_wanted() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let told = |since: Moment| {
            let lines = scene.lab.journal().since(since).into_iter().filter_map(|record| match record.what {
                Seen::Line { program, text } if &*program == "watch" => Some(text),
                _ => None,
            });
            let made = lines.skip_while(|text| !text.contains("vrrp.51@") || !text.contains("LOWER_UP"));
            made.filter(|text| text.contains(": eth0")).count()
        };
        let watch = host.start("watch", &["ip", "-o", "monitor", "link"]).expect("ip monitor");
        scene.until("the watch sees", || {
            ip(host, "link set eth0 group 0");
            scene
                .lab
                .journal()
                .all()
                .iter()
                .any(|record| matches!(&record.what, Seen::Line { program, .. } if &**program == "watch"))
        });
        let begin = Moment::now();
        let node = started(&scene, &with_virtual_mac(150, "").replace("use_vmac", "use_vmac netlink_notify_msg"));
        scene.until("it is told of again", || told(begin) > 0);
        node.stop();
        watch.kill_all().expect("end the watch");
    });
}

/// With a MAC address that is the same over both families, the interface stays when the family changes.
#[test]
fn an_interface_is_fitted_for_another_family() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let node = started(&scene, &with_virtual_mac(150, "").replace("use_vmac", "use_vmac edge 02:00:00:00:00:51"));
        let option_of_ipv6 = || {
            let path = Path::new("/proc/sys/net/ipv6/conf/edge/disable_ipv6");
            host.read_file(path).expect("an option of the kernel").trim_end().to_owned()
        };
        assert_eq!(option_of_ipv6(), "1");
        let before = index(host, "edge");
        let reloaded = Moment::now();
        node.reload(
            &with_virtual_mac(150, "")
                .replace("use_vmac", "use_vmac edge 02:00:00:00:00:51")
                .replace("192.0.2.100/24", "fe80::100/64"),
        );
        scene.line("a", reloaded, "edge is for IPv6 from now on");
        scene.line("a", reloaded, "Entering MASTER STATE");
        assert_eq!(index(host, "edge"), before);
        scene.until("the address is there", || ip(host, "-6 address show dev edge").contains("fe80::100/64"));
        let reloaded = Moment::now();
        node.reload(&with_virtual_mac(150, "").replace("use_vmac", "use_vmac edge 02:00:00:00:00:51 group 7"));
        scene.line("a", reloaded, "edge is for IPv4 from now on");
        scene.until("it has changed", || option_of_ipv6() == "1");
        assert!(ip(host, "link show dev edge").contains("group 7"));
        scene.only("a", ADDRESS);
    });
}

/// Linux takes no packet from an address that it has itself. What is on an interface of its own is read off the wire, and
/// `accept_local` has it taken.
#[test]
fn an_owner_that_advertises_from_its_virtual_address_is_heard_when_it_comes_back() {
    slow_test(|| {
        for (lines, option) in [("    use_vmac", None), ("", Some("/proc/sys/net/ipv4/conf/eth0/accept_local"))] {
            let mut scene = Scene::empty();
            for (name, address) in [("a", ADDRESS.to_string()), ("b", "192.0.2.2".to_owned())] {
                scene.add(&HostPlan::new(name).interface("eth0", &[&format!("{address}/24")]));
            }
            let [a, b] = &scene.hosts[..] else { panic!("two hosts") };
            if let Some(option) = option {
                run(b, &format!("echo 1 > {option}"));
            }
            let begin = Moment::now();
            let _b = Node::start(b, tanist(), &configuration("", 100, &format!("{QUICK}\n{lines}")));
            scene.line("b", begin, "Entering MASTER STATE");
            scene.until("it has the address", || b.has_address(ADDRESS.into()));
            let back = scene.lab.note("a", "comes back");
            let _a = Node::start(a, tanist(), &configuration("", 255, QUICK));
            scene.line("b", back, "with higher priority 255");
            scene.only("a", ADDRESS);
        }
    });
}

/// Its interface stays, and so must what is heard through it.
#[test]
fn an_instance_that_keeps_its_mac_address_hears_the_virtual_router_that_a_reload_makes_it() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let ours = |vrid: u8| {
            let lines = format!("{QUICK}\n    use_vmac vr0 02:00:00:00:00:77");
            configuration("", 150, &lines).replace("router_id 51", &format!("router_id {vrid}"))
        };
        let theirs = |vrid: u8, priority| {
            configuration("", priority, QUICK).replace("router_id 51", &format!("router_id {vrid}"))
        };
        let a = started(&scene, &ours(51));
        let made = index(&scene.hosts[0], "vr0");
        let begin = Moment::now();
        let b = Node::start(&scene.hosts[1], tanist(), &theirs(51, 100));
        scene.line("b", begin, "master is 192.0.2.1");

        let reloaded = Moment::now();
        a.reload(&ours(52));
        scene.advertised("a", reloaded, |seen| seen.vrid == 52);
        assert_eq!(index(&scene.hosts[0], "vr0"), made, "it is not made anew");
        let better = Moment::now();
        b.reload(&theirs(52, 200));
        scene.line("b", better, "Entering MASTER STATE");
        scene.line("a", better, "Entering BACKUP STATE");
        scene.only("b", ADDRESS);
    });
}
