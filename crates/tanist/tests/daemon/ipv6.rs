//! An instance of IPv6 with the real daemon.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::support::iproute::{ip, lines};
use crate::support::ipv6::{self, ADDRESS};
use crate::support::{Moment, Node, Scene, let_pass, slow_test, tanist};

fn instance(global: &str, lines: &str) -> String {
    format!(
        "global_defs {{\n{global}\n}}\nvrrp_instance VI_6 {{\n    interface eth0\n    virtual_router_id 51\n    priority 150\n    \
         advert_int 0.2\n{lines}\n    virtual_ipaddress {{\n        fe80::100/64\n        {ADDRESS}/64\n    }}\n}}\n"
    )
}

fn holds(scene: &Scene, host: usize) -> bool {
    scene.hosts[host].has_address(ADDRESS.into())
}

/// Whether the other host gets an answer.
fn answers(scene: &Scene) -> bool {
    scene.hosts[1].run(|| ipv6::answers(ADDRESS)).expect("a host with power")
}

/// Packets are dropped, but neighbours find the address.
// Shows: vrrp_instance.no_accept
#[test]
fn a_router_that_does_not_accept_is_found_and_answers_nobody() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let node = Node::start(&scene.hosts[0], tanist(), &instance("    vrrp_strict", ""));
        scene.until("it holds the address", || holds(&scene, 0));
        let begin = Moment::now();
        for _ in 0..3 {
            assert!(!answers(&scene));
        }
        let known = lines(&scene.hosts[1], &format!("-6 neigh show {ADDRESS} dev eth0"));
        assert!(known.iter().any(|line| line.contains(&scene.hosts[0].mac(0).to_string())), "{known:?}");
        node.reload(&instance("", ""));
        scene.line("a", begin, "Reloaded");
        scene.until("it answers", || answers(&scene));
        let begin = Moment::now();
        node.reload(&instance("", "    no_accept"));
        scene.line("a", begin, "Reloaded");
        assert!(!answers(&scene));
        node.stop();
        assert!(!holds(&scene, 0));
    });
}

/// The kernel has it for a while only, and it stays as long as the daemon is there; then it goes by itself.
#[test]
fn an_address_of_ipv6_has_a_lifetime() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let global = "    address_lifetime 3";
        let node = Node::start(&scene.hosts[0], tanist(), &instance(global, ""));
        scene.until("it holds the address", || holds(&scene, 0));
        for _ in 0..10 {
            let_pass(Duration::from_millis(700));
            let shown = ip(&scene.hosts[0], "-6 address show dev eth0");
            assert!(shown.contains(&format!("{ADDRESS}/64")), "{shown}");
            assert!(!shown.contains("dadfailed") && !shown.contains("tentative"), "{shown}");
        }
        let own = ip(&scene.hosts[0], "-6 route show 2001:db8::/64 dev eth0");
        node.kill();
        scene.until("it has gone by itself", || !holds(&scene, 0));
        // The network of the machine's own address is still there, and does not end.
        let still = ip(&scene.hosts[0], "-6 route show 2001:db8::/64 dev eth0");
        assert!(!still.trim().is_empty() && !still.contains("expires"), "{own}{still}");
    });
}

/// Where it was to stay for ever, and where that was left behind by a daemon that was killed.
#[test]
fn a_lifetime_that_begins_leaves_the_machines_own_network_as_it_is() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let host = &scene.hosts[0];
        // An owner wants it from the start, so that it adopts what was left behind.
        let owner = |global: &str| instance(global, "").replace("priority 150", "priority 255");
        let (unlimited, limited) = (owner("    address_lifetime unlimited"), owner(""));
        let is_limited = |limited: bool| {
            let shown = lines(host, "-6 -o address show dev eth0");
            shown.iter().any(|line| line.contains(&format!("{ADDRESS}/64")) && line.contains(" dynamic ") == limited)
        };
        let mut node = Node::start(host, tanist(), &unlimited);
        for adopts in [false, true] {
            scene.until("it holds the address for ever", || is_limited(false));
            let begin = Moment::now();
            if adopts {
                host.write_file(&node.file(), &limited).expect("write");
                node.kill();
                node.start_again();
            } else {
                node.reload(&limited);
            }
            scene.until("the kernel has a lifetime", || is_limited(true));
            // It is renewed from then on.
            scene.advertised("a", Moment::now(), |_| true);
            let network = ip(host, "-6 route show 2001:db8::/64 dev eth0");
            assert!(!network.trim().is_empty() && !network.contains("expires"), "{network}{}", scene.story());
            assert_eq!(scene.count_lines("a", begin, "put back"), 0, "{}", scene.story());
            if !adopts {
                node.reload(&unlimited);
            }
        }
        node.stop();
        assert!(!holds(&scene, 0));
        let network = ip(host, "-6 route show 2001:db8::/64 dev eth0");
        assert!(!network.trim().is_empty() && !network.contains("expires"), "{network}");
    });
}

#[test]
fn a_reload_that_changes_how_long_an_address_is_preferred_counts_for_one_that_is_held() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let text =
            |preferred: &str| instance("", "").replace(&format!("{ADDRESS}/64"), &format!("{ADDRESS}/64 {preferred}"));
        let is_deprecated = || {
            let shown = lines(&scene.hosts[0], "-6 -o address show dev eth0");
            let shown = shown.into_iter().find(|line| line.contains(&format!("{ADDRESS}/64")));
            shown.map(|line| line.contains(" deprecated "))
        };
        let node = Node::start(&scene.hosts[0], tanist(), &text("preferred_lft 1"));
        scene.until("it is no longer preferred", || is_deprecated() == Some(true));
        for _ in 0..2 {
            node.reload(&text(""));
            scene.until("it is preferred", || is_deprecated() == Some(false));
            node.reload(&text("preferred_lft 1"));
            scene.until("it is no longer preferred again", || is_deprecated() == Some(true));
        }
        node.stop();
    });
}

/// Somebody takes the address away: it is put back, and nobody else gets a chance.
#[test]
fn what_somebody_takes_away_is_put_back() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let node = Node::start(&scene.hosts[0], tanist(), &instance("", ""));
        scene.until("it holds the address", || holds(&scene, 0));
        let begin = Moment::now();
        scene.hosts[0].remove_address("eth0", &format!("{ADDRESS}/64")).expect("removed");
        scene.line("a", begin, "was missing from eth0 and has been put back");
        assert!(holds(&scene, 0));
        scene.nobody_resigned(begin);
        node.stop();
    });
}

/// It speaks from the link-local address of the interface; without one it is out.
#[test]
fn without_a_link_local_address_it_is_out() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &instance("", ""));
        scene.until("it holds the address", || holds(&scene, 0));
        let shown = lines(&scene.hosts[0], "-6 -o address show dev eth0 scope link");
        let own = shown
            .iter()
            .flat_map(|line| line.split(' '))
            .find(|word| word.starts_with("fe80::") && *word != "fe80::100/64");
        let own = own.expect("the interface's own").to_owned();
        scene.hosts[0].remove_address("eth0", &own).expect("removed");
        scene.line("a", begin, "entering FAULT state (no IPv6 address for interface)");
        scene.until("it has let go", || !holds(&scene, 0));
        scene.hosts[0].add_address("eth0", "fe80::7/64").expect("added");
        scene.until("it holds the address", || holds(&scene, 0));
        let heard = Moment::now();
        scene.advertised("a", heard, |seen| seen.source == IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7)));
        node.stop();
    });
}

/// (keepalived 2.2.7 cannot send to another group of IPv6, and a second one of ours shows as much.)
// Shows: global_defs.vrrp_mcast_group6
#[test]
fn another_group_is_sent_to_and_heard() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x66);
        let configuration = instance(&format!("    vrrp_mcast_group6 {group}"), "");
        let a = Node::start(&scene.hosts[0], tanist(), &configuration);
        scene.until("it holds the address", || holds(&scene, 0));
        let begin = Moment::now();
        let b = Node::start(&scene.hosts[1], tanist(), &configuration.replace("priority 150", "priority 100"));
        scene.line("b", begin, "(VI_6) master is fe80::ff:fe00:100");
        let_pass(Duration::from_secs(2));
        let sent = scene.advertisements(begin);
        assert!(
            sent.iter().all(|(_, host, seen)| host == "a" && seen.destination == IpAddr::V6(group)),
            "{}",
            scene.story()
        );
        assert!(!holds(&scene, 1));
        a.stop();
        scene.until("the other one holds the address", || holds(&scene, 1));
        b.stop();
    });
}

/// The kernel then throws away all that it knows of IPv6 there, and leaves whoever was in a group in the belief that he is.
#[test]
fn a_backup_hears_the_others_again_when_packets_were_too_small_for_ipv6_for_a_moment() {
    slow_test(|| {
        let scene = ipv6::scene(&["a", "b"]);
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &instance("", ""));
        scene.line("a", begin, "Entering MASTER STATE");
        let _b = Node::start(&scene.hosts[1], tanist(), &instance("", "").replace("priority 150", "priority 100"));
        scene.line("b", begin, "master is fe80::");
        let small = scene.lab.note("b", "packets of 1200 octets");
        ip(&scene.hosts[1], "link set eth0 mtu 1200");
        scene.line("b", small, "entering FAULT state");
        let large = scene.lab.note("b", "packets of 1500 octets");
        ip(&scene.hosts[1], "link set eth0 mtu 1500");
        scene.line("b", large, "Entering BACKUP STATE");
        scene.line("b", large, "master is fe80::");
    });
}
