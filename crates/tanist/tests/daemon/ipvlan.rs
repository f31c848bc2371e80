//! Interfaces that share the MAC address of the one below: their effect where the kernel has them, and what is said where it
//! has none. `cargo xtask kernel-tests` runs this on a kernel that has them.

use std::net::IpAddr;

use crate::support::iproute::{ip, lines, try_ip};
use crate::support::ipv6;
use crate::support::wire::{neighbour, neighbour_of_ipv6};
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, slow_test, tanist, test_name};

/// Where advertisements come from.
const SOURCE: [u8; 4] = [192, 0, 2, 11];

fn kernel_has_it(scene: &Scene) -> bool {
    let host = &scene.hosts[0];
    let has = try_ip(host, "link add link eth0 name probe type ipvlan mode l2");
    if has {
        ip(host, "link delete probe");
    }
    has
}

fn with_ipvlan(priority: u8, words: &str) -> String {
    configuration("", priority, &format!("{QUICK}\n    use_ipvlan {words}"))
}

// Shows: vrrp_instance.use_ipvlan
#[test]
fn addresses_are_on_an_interface_with_the_mac_address_of_the_one_below() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        if !kernel_has_it(&scene) {
            return rehearse::lab::skip(&test_name(), &"this kernel has no ipvlan; `cargo xtask kernel-tests` has one");
        }
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let a = Node::start(host, tanist(), &with_ipvlan(150, "192.0.2.11/24"));
        scene.line("a", begin, "vrrp.51 has been made on eth0");
        let _b = Node::start(&scene.hosts[1], tanist(), &with_ipvlan(100, "edge 192.0.2.12/24"));
        scene.line("b", begin, "master is 192.0.2.11");
        scene.only("a", ADDRESS);
        // Never without an address to speak from.
        assert_eq!(scene.count_lines("a", begin, "FAULT"), 0, "{}", scene.story());
        let made = ip(host, "-d link show dev vrrp.51");
        for word in ["vrrp.51@eth0", "ipvlan", "mode l2 bridge", "alias tanist", &host.mac(0).to_string()] {
            assert!(made.contains(word), "{word} is not in {made}");
        }
        let held = lines(host, "-o -4 address show dev vrrp.51");
        for address in ["192.0.2.11/24", "192.0.2.100/24"] {
            assert!(held.iter().any(|line| line.contains(address)), "{held:?}");
        }
        assert!(!ip(host, "address show dev eth0").contains("192.0.2.100"));
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);
        assert_eq!(neighbour(&scene, ADDRESS), Some(host.mac(0).to_string()));
        scene.advertised("a", begin, |seen| seen.source == IpAddr::from(SOURCE));

        // What somebody takes away is put back, and nobody else gets a chance.
        for deed in ["address del 192.0.2.11/24 dev vrrp.51", "link delete vrrp.51", "link set vrrp.51 down"] {
            let taken = scene.lab.note("a", deed);
            ip(host, deed);
            scene.until("it is as it was", || {
                let there = try_ip(host, "link show dev vrrp.51 up")
                    && ip(host, "link show dev vrrp.51 up").contains("vrrp.51");
                let held = |address| ip(host, "address show").contains(address);
                there && held("192.0.2.11/24") && held("192.0.2.100/24")
            });
            scene.advertised("a", Moment::now(), |seen| seen.priority == 150);
            scene.nobody_resigned(taken);
        }

        let stopped = Moment::now();
        a.stop();
        scene.answered_by(&probe, "b", stopped);
        assert_eq!(neighbour(&scene, ADDRESS), Some(scene.hosts[1].mac(0).to_string()));
        scene.only("b", ADDRESS);
        let held = ip(&scene.hosts[1], "address show dev edge");
        assert!(held.contains("192.0.2.100/24"), "{held}{}", scene.story());
        assert!(!try_ip(host, "link show dev vrrp.51"));
    });
}

/// Over IPv6 it needs no address: advertisements come from the link-local one below.
#[test]
fn an_ipvlan_of_ipv6_has_the_virtual_addresses_and_no_others() {
    slow_test(|| {
        let scene = ipv6::scene_with_client(&["a", "b"]);
        if !kernel_has_it(&scene) {
            return rehearse::lab::skip(&test_name(), &"this kernel has no ipvlan; `cargo xtask kernel-tests` has one");
        }
        let address = ipv6::ADDRESS;
        let of = |priority: u8| {
            format!(
                "vrrp_instance VI_6 {{\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n    advert_int \
                 0.2\n    use_ipvlan\n    virtual_ipaddress {{\n        fe80::100/64\n        {address}/64\n    }}\n}}\n"
            )
        };
        let begin = Moment::now();
        let a = Node::start(&scene.hosts[0], tanist(), &of(150));
        scene.line("a", begin, "Entering MASTER STATE");
        let _b = Node::start(&scene.hosts[1], tanist(), &of(100));
        scene.line("b", begin, "master is fe80::");
        scene.until("it has the addresses", || scene.hosts[0].has_address(address.into()));
        let held = lines(&scene.hosts[0], "-o -6 address show dev vrrp.51");
        assert_eq!(held.len(), 2, "{held:?}{}{}", ip(&scene.hosts[0], "address"), scene.story());
        let answered_by = |host: usize| {
            let mac = scene.hosts[host].mac(0).to_string();
            scene.until("it answers", || scene.lab.client().run(move || ipv6::answers(address)));
            assert_eq!(neighbour_of_ipv6(&scene, address), Some(mac));
        };
        answered_by(0);
        let stopped = Moment::now();
        a.stop();
        scene.line("b", stopped, "Entering MASTER STATE");
        scene.until("a has let go", || !scene.hosts[0].has_address(address.into()));
        answered_by(1);
    });
}

/// What a killed daemon leaves behind is taken over, whoever has chosen its name.
#[test]
fn an_ipvlan_of_a_killed_daemon_is_taken_over_or_removed() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        if !kernel_has_it(&scene) {
            return rehearse::lab::skip(&test_name(), &"this kernel has no ipvlan; `cargo xtask kernel-tests` has one");
        }
        let host = &scene.hosts[0];
        let mut node = Node::start(host, tanist(), &with_ipvlan(150, "192.0.2.11/24 private"));
        scene.only("a", ADDRESS);
        node.kill();
        let begin = scene.lab.note("a", "start again");
        node.start_again();
        scene.line("a", begin, "vrrp.51 is there already and is taken over");
        scene.line("a", begin, "Entering MASTER STATE");
        node.kill();
        host.write_file(&node.file(), &configuration("", 150, QUICK)).expect("write the configuration");
        let begin = scene.lab.note("a", "start without it");
        node.start_again();
        scene.line("a", begin, "vrrp.51 has been removed");
        scene.until("the address is on eth0", || ip(host, "address show dev eth0").contains("192.0.2.100/24"));
    });
}

/// Nobody takes part with addresses that it cannot have.
#[test]
fn a_kernel_without_ipvlan_is_a_fault_that_says_so() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        if kernel_has_it(&scene) {
            return rehearse::lab::skip(&test_name(), &"this kernel has ipvlan");
        }
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &with_ipvlan(150, "192.0.2.11/24"));
        scene.line("a", begin, "create the ipvlan vrrp.51 on eth0: ");
        scene.line("a", begin, "entering FAULT state");
        let reloaded = Moment::now();
        node.reload(&configuration("", 150, QUICK));
        scene.line("a", reloaded, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
    });
}
