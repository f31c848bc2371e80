//! Polled links. An interface that is dormant (IEEE 802.1X: nobody has let it in yet) has a link, but the kernel does not
//! tell it to be running: so it shows whom the daemon asks.

use crate::support::iproute::ip;
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, let_pass, slow_test, tanist};

const IN_FAULT: &str = "entering FAULT state (interface eth0 down)";

fn set_dormant(scene: &Scene, dormant: bool) {
    let mode = if dormant { "mode dormant state dormant" } else { "mode default state up" };
    scene.lab.note("a", mode);
    ip(&scene.hosts[0], &format!("link set dev eth0 {mode}"));
}

/// With these lines before the instance and inside it, the polled interface has its link in spite of what the kernel says.
fn asks_the_driver(before: &str, lines: &str, told: &str) {
    let scene = Scene::new(&["a"]);
    let begin = Moment::now();
    let configuration = configuration(before, 150, &format!("{QUICK}\n{lines}"));
    let _node = Node::start(&scene.hosts[0], tanist(), &configuration);
    scene.line("a", begin, told);
    scene.only("a", ADDRESS);
    set_dormant(&scene, true);
    scene.until("the kernel says so", || ip(&scene.hosts[0], "link show dev eth0").contains("DORMANT"));
    let_pass(std::time::Duration::from_secs(2));
    assert_eq!(scene.count_lines("a", begin, "FAULT"), 0, "{}", scene.story());

    let pulled = scene.lab.note("a", "pull the cable");
    scene.hosts[0].set_cable("eth0", false).expect("pull");
    scene.line("a", pulled, IN_FAULT);
    scene.hosts[0].set_cable("eth0", true).expect("put back");
    scene.line("a", pulled, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
}

#[test]
fn without_polling_the_kernel_is_believed() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        scene.only("a", ADDRESS);
        let dormant = Moment::now();
        set_dormant(&scene, true);
        scene.line("a", dormant, IN_FAULT);
        // From now on it is polled, and the driver knows better; then no longer.
        let reloaded = Moment::now();
        node.reload(&configuration("", 150, &format!("{QUICK}\n    linkbeat_use_polling")));
        scene.line("a", reloaded, "the link of eth0 is polled by ETHTOOL");
        scene.line("a", reloaded, "Entering MASTER STATE");
        let again = Moment::now();
        node.reload(&configuration("", 150, QUICK));
        scene.line("a", again, IN_FAULT);
        let awake = Moment::now();
        set_dormant(&scene, false);
        scene.line("a", awake, "Entering MASTER STATE");
    });
}

// Shows: vrrp_instance.linkbeat_use_polling
#[test]
fn an_instance_has_its_interface_polled() {
    slow_test(|| asks_the_driver("", "    linkbeat_use_polling", "the link of eth0 is polled by ETHTOOL"));
}

// Shows: top-level.linkbeat_use_polling
#[test]
fn all_interfaces_are_polled() {
    slow_test(|| {
        // One that is made by us follows the one below.
        asks_the_driver("linkbeat_use_polling", "    use_vmac", "the link of eth0 is polled by ETHTOOL");
    });
}

// Shows: top-level.linkbeat_interfaces
#[test]
fn an_interface_is_polled_in_the_way_that_is_given() {
    slow_test(|| {
        // A virtual cable has no transceiver: the next best way is taken.
        let before = "linkbeat_interfaces {\n    eth0 MII\n}";
        asks_the_driver(before, "", "the link of eth0 is polled by ETHTOOL");

        // The flags say what the kernel would tell by itself.
        let scene = Scene::new(&["a"]);
        let begin = Moment::now();
        let before = "linkbeat_interfaces {\n    eth0 IOCTL\n}";
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration(before, 150, QUICK));
        scene.line("a", begin, "the link of eth0 is polled by IOCTL");
        scene.only("a", ADDRESS);
        set_dormant(&scene, true);
        scene.line("a", begin, IN_FAULT);
        set_dormant(&scene, false);
        scene.only("a", ADDRESS);
    });
}
