//! What is in the kernel is what should be there, whoever meddles with it.

use std::net::Ipv4Addr;

use crate::support::iproute::{ip, lines};
use crate::support::story::run;
use crate::support::{
    ADDRESS, Host, HostPlan, Moment, Node, QUICK, Scene, configuration, is_removal, let_pass, slow_test, tanist,
};

#[test]
fn an_address_that_somebody_deletes_is_put_back_without_an_election() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let nodes = [150, 100].into_iter().zip(&scene.hosts);
        let _nodes: Vec<Node> =
            nodes.map(|(priority, host)| Node::start(host, tanist(), &configuration("", priority, QUICK))).collect();
        scene.line("a", Moment::from_nanos(0), "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        for _ in 0..3 {
            let deleted = scene.lab.note("a", "an address is deleted");
            scene.hosts[0].remove_address("eth0", "192.0.2.100/24").expect("delete");
            scene.line("a", deleted, "192.0.2.100/24 was missing from eth0 and has been put back");
            scene.only("a", ADDRESS);
            scene.nobody_resigned(deleted);
            assert_eq!(scene.count_lines("a", deleted, " STATE"), 0, "{}", scene.story());
            assert_eq!(scene.count_lines("b", deleted, " STATE"), 0, "{}", scene.story());
        }
    });
}

#[test]
fn what_a_killed_daemon_left_behind_is_taken_away_or_kept() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        // It would go by itself, which is not the point here.
        let configuration =
            |priority, lines: &str| configuration("global_defs {\n    address_lifetime unlimited\n}", priority, lines);
        let mut a = Node::start(&scene.hosts[0], tanist(), &configuration(150, QUICK));
        scene.only("a", ADDRESS);
        // Alone: the address is ours again soon. Until then it must not answer here, or two might.
        a.kill();
        assert_eq!(scene.holders(ADDRESS), ["a"]);
        let again = Moment::now();
        a.start_again();
        scene.wait(again, "it is taken away", |record| is_removal(record, ADDRESS));
        scene.line("a", again, "Entering MASTER STATE");
        scene.only("a", ADDRESS);

        // With a successor: it keeps the address.
        let _b = Node::start(&scene.hosts[1], tanist(), &configuration(100, &format!("{QUICK}\n    nopreempt")));
        let killed = scene.lab.note("a", "kill -9");
        scene.line("b", again, "master is 192.0.2.1");
        a.kill();
        scene.line("b", killed, "Entering MASTER STATE");
        assert_eq!(scene.holders(ADDRESS), ["a", "b"]);
        let again = Moment::now();
        let standing_by = configuration(90, QUICK);
        a.host.write_file(&a.file(), &standing_by).expect("write");
        a.start_again();
        scene.only("b", ADDRESS);
        scene.line("a", again, "master is 192.0.2.2");
    });
}

#[test]
fn addresses_of_others_are_left_alone() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let other = Ipv4Addr::new(192, 0, 2, 77);
        scene.hosts[0].add_address("eth0", "192.0.2.77/24").expect("add");
        let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        scene.only("a", ADDRESS);
        node.stop();
        assert_eq!((scene.holders(ADDRESS), scene.holders(other)), (vec![], vec!["a"]));
        assert!(scene.hosts[0].has_address(Ipv4Addr::new(192, 0, 2, 1).into()));
        let since = Moment::now();
        let_pass(std::time::Duration::from_millis(300));
        assert!(scene.advertisements(since).is_empty(), "it has ended");
    });
}

/// The machine's own address on `eth1`, and the virtual one there.
const OWN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BESIDE_IT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 100);
const ALSO_ON_ETH1: &str = "    virtual_ipaddress_excluded {\n        198.51.100.100/24 dev eth1\n    }";

/// Whether the kernel says so of this address on `eth1`.
fn is_second(host: &Host, address: Ipv4Addr) -> Option<bool> {
    let shown = lines(host, "-4 -o address show dev eth1");
    let shown = shown.iter().find(|line| line.contains(&format!("inet {address}/24 ")))?;
    Some(shown.contains(" secondary "))
}

fn promotes(host: &Host) -> String {
    run(host, "cat /proc/sys/net/ipv4/conf/eth1/promote_secondaries").trim().to_owned()
}

/// An active node whose virtual address on `eth1` is before the machine's own, as after somebody has flushed the interface
/// and put his address back.
fn before_the_machines_own() -> (Scene, Node) {
    let mut scene = Scene::empty();
    let plan = HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]);
    let host = scene.add(&plan.interface("eth1", &["198.51.100.1/24"]));
    // As the kernel has it; systemd has it otherwise.
    run(&host, "for link in all eth1; do echo 0 > /proc/sys/net/ipv4/conf/$link/promote_secondaries; done");
    let node = Node::start(&host, tanist(), &configuration("", 150, &format!("{QUICK}\n{ALSO_ON_ETH1}")));
    scene.only("a", ADDRESS);
    scene.until("it has both", || is_second(&host, BESIDE_IT) == Some(true));
    host.remove_address("eth1", "198.51.100.1/24").expect("remove");
    scene.until("ours is the first", || is_second(&host, BESIDE_IT) == Some(false));
    host.add_address("eth1", "198.51.100.1/24").expect("add");
    assert_eq!(is_second(&host, OWN), Some(true), "what this is about");
    ip(&host, "route add 203.0.113.0/24 via 198.51.100.254");
    (scene, node)
}

fn is_gone_alone(scene: &Scene) {
    let host = &scene.hosts[0];
    scene.until("the virtual address is gone", || is_second(host, BESIDE_IT).is_none());
    assert_eq!(is_second(host, OWN), Some(false), "{}", scene.story());
    assert_eq!(lines(host, "route show 203.0.113.0/24"), ["203.0.113.0/24 via 198.51.100.254 dev eth1"]);
}

#[test]
fn a_virtual_address_that_goes_takes_nothing_of_the_machines_along() {
    slow_test(|| {
        let (scene, node) = before_the_machines_own();
        node.stop();
        is_gone_alone(&scene);
        assert_eq!(promotes(&scene.hosts[0]), "0", "as it was");
    });
}

#[test]
fn a_virtual_address_that_expires_after_a_kill_takes_nothing_of_the_machines_along() {
    slow_test(|| {
        let (scene, node) = before_the_machines_own();
        node.kill();
        is_gone_alone(&scene);
    });
}

#[test]
fn a_virtual_address_that_a_reload_takes_out_takes_nothing_of_the_machines_along() {
    slow_test(|| {
        let (scene, node) = before_the_machines_own();
        node.reload(&configuration("", 150, QUICK));
        is_gone_alone(&scene);
        scene.until("it is as it was", || promotes(&scene.hosts[0]) == "0");
    });
}

/// Somebody wants it so, or nobody may say otherwise.
#[test]
fn where_the_kernel_takes_the_machines_address_along_it_is_put_back() {
    slow_test(|| {
        let (scene, node) = before_the_machines_own();
        let host = &scene.hosts[0];
        run(host, "echo 0 > /proc/sys/net/ipv4/conf/eth1/promote_secondaries");
        let stopped = Moment::now();
        node.stop();
        scene.line("a", stopped, "198.51.100.1/24 went from eth1 with a virtual address of its network");
        assert_eq!((is_second(host, BESIDE_IT), is_second(host, OWN)), (None, Some(false)), "{}", scene.story());
        assert!(!lines(host, "-4 -o address show dev eth1").iter().any(|line| line.contains("proto")), "unmarked");
    });
}

/// A left-over has the prefix that it was configured with; keepalived leaves this one alone, too.
#[test]
fn the_machines_own_address_stays_where_it_is_virtual_with_another_prefix() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        ip(host, "route add default via 192.0.2.254");
        let text = configuration("", 150, QUICK).replace("192.0.2.100/24", "192.0.2.1");
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text);
        scene.line("a", begin, "entering FAULT state (no IPv4 address for interface)");
        node.stop();
        let shown = lines(host, "-4 -o address show dev eth0");
        assert!(shown.iter().any(|line| line.contains("inet 192.0.2.1/24 ")), "{shown:?}\n{}", scene.story());
        assert_eq!(lines(host, "route show default"), ["default via 192.0.2.254 dev eth0"]);
        assert_eq!(scene.count_lines("a", begin, "taken away"), 0, "{}", scene.story());
    });
}

#[test]
fn an_address_that_was_not_ours_and_is_taken_away_is_told() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let _b = Node::start(&scene.hosts[1], tanist(), &configuration("", 150, QUICK));
        scene.only("b", ADDRESS);
        // As keepalived leaves it behind, or somebody by hand.
        scene.hosts[0].add_address("eth0", "192.0.2.100/24").expect("add");
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &configuration("", 100, QUICK));
        scene.line("a", begin, "192.0.2.100/24 was on eth0, where it is a virtual address of this configuration");
        scene.only("b", ADDRESS);
    });
}
