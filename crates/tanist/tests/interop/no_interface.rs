//! An instance without `interface`: unicast from a stated address, over whatever way the routes choose.

use super::{PRIORITIES, own_address, unicast};
use crate::support::iproute::ip;
use crate::support::{
    ADDRESS, Daemon, HostPlan, Moment, Node, QUICK, QUICK_SILENCE, Scene, configuration, let_pass, slow_test,
    slow_test_with_keepalived, tanist,
};

/// Host 0 or 1, which names an interface for its address only.
fn without_interface(host: usize) -> String {
    configuration("", PRIORITIES[host], &format!("{QUICK}\n{}", unicast(host)))
        .replace("    interface eth0\n", "")
        .replace("192.0.2.100/24", "192.0.2.100/24 dev eth0")
}

// Shows: vrrp_instance.interface
#[test]
fn ours_without_interface_and_keepalived_with_one() {
    // keepalived 2.2.7 takes no configuration without one.
    slow_test_with_keepalived(|| {
        let scene = Scene::new(&["a", "b"]);
        let begin = Moment::now();
        let _before = Node::start(&scene.hosts[0], tanist(), &without_interface(0));
        scene.only("a", ADDRESS);
        let with_one = configuration("", PRIORITIES[1], &format!("{QUICK}\n{}", unicast(1)));
        let _b = Node::start(&scene.hosts[1], Daemon::keepalived(), &with_one);
        scene.line("b", begin, "Entering BACKUP STATE");
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);
        let sent = scene.advertised("a", begin, |_| true);
        let (_, _, seen) = scene.advertisements(sent.at).remove(0);
        assert_eq!((seen.source, seen.destination), (own_address(0).into(), own_address(1).into()));

        let killed = scene.lab.note("a", "power off");
        scene.hosts[0].power_off().expect("power off");
        scene.answered_by(&probe, "b", killed);
        let again = scene.lab.note("a", "power on");
        scene.hosts[0].power_on().expect("power on");
        let a = Node::start(&scene.hosts[0], tanist(), &without_interface(0));
        scene.answered_by(&probe, "a", again);
        scene.only("a", ADDRESS);

        let stopped = scene.lab.note("a", "stop");
        a.stop();
        scene.resigned("a", stopped);
        scene.answered_by(&probe, "b", stopped);
        scene.only("b", ADDRESS);
    });
}

/// The two speak from addresses that are on no cable, and each way will do.
#[test]
fn the_role_stays_while_there_is_any_way() {
    slow_test(|| {
        let mut scene = Scene::empty();
        for (name, number) in ["a", "b"].into_iter().zip(1..) {
            let addresses = [format!("192.0.2.{number}/24"), format!("198.51.100.{number}/24")];
            let plan = HostPlan::new(name).interface("eth0", &[&addresses[0]]).interface("eth1", &[&addresses[1]]);
            scene.add(&plan);
        }
        scene.lab.client().add_address("192.0.2.254/24").expect("the client's address");
        let by = |host: usize, way: &str, interface: &str| {
            let peer = 2 - host;
            ip(&scene.hosts[host], &format!("route replace 10.9.9.{peer}/32 via {way}{peer} dev {interface}"));
        };
        let configurations = [0, 1].map(|host| {
            ip(&scene.hosts[host], &format!("address add 10.9.9.{}/32 dev lo", host + 1));
            by(host, "192.0.2.", "eth0");
            // Without `dev` the address is on eth0, whatever the ways are.
            without_interface(host)
                .replace(
                    &format!("unicast_src_ip {}", own_address(host)),
                    &format!("unicast_src_ip 10.9.9.{}", host + 1),
                )
                .replace(&format!("        {}\n", own_address(1 - host)), &format!("        10.9.9.{}\n", 2 - host))
                .replace(" dev eth0", "")
        });
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &configurations[0]);
        scene.only("a", ADDRESS);
        let _b = Node::start(&scene.hosts[1], tanist(), &configurations[1]);
        scene.line("b", begin, "(VI_1) master is 10.9.9.1");
        // From now on they hear each other by other interfaces, each by another one than it speaks by for a while.
        let moved = scene.lab.note("a", "another way");
        by(0, "198.51.100.", "eth1");
        let_pass(QUICK_SILENCE * 2);
        by(1, "198.51.100.", "eth1");
        scene.hosts[0].set_interface("eth1", true).expect("it is up");
        let_pass(QUICK_SILENCE * 2);
        assert_eq!(scene.count_lines("b", begin, "MASTER STATE"), 0, "{}", scene.story());
        scene.only("a", ADDRESS);

        // Without the address that it speaks from it takes no part.
        ip(&scene.hosts[0], "address delete 10.9.9.1/32 dev lo");
        scene.line("a", moved, "entering FAULT state (source address 10.9.9.1 is not on this machine)");
        scene.only("b", ADDRESS);
        let back = scene.lab.note("a", "the address is back");
        ip(&scene.hosts[0], "address add 10.9.9.1/32 dev lo");
        scene.line("a", back, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
    });
}
