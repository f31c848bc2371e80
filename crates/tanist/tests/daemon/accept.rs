//! Who is let through to the addresses.

use std::time::Duration;

use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, slow_test, tanist};

// Shows: global_defs.vrrp_strict, vrrp_instance.no_accept
#[test]
fn a_router_that_does_not_accept_holds_the_address_and_answers_nobody() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let strict = configuration("global_defs {\n    vrrp_strict\n}\n", 150, QUICK);
        let node = Node::start(&scene.hosts[0], tanist(), &strict);
        scene.only("a", ADDRESS);
        let probe = scene.probe(ADDRESS);
        let closed = Moment::now();
        assert!(probe.wait_for_answer(closed, Duration::from_millis(500)).is_none(), "{}", scene.story());
        scene.advertised("a", closed, |_| true);

        let opened = Moment::now();
        node.reload(&configuration("", 150, QUICK));
        scene.line("a", opened, "Reloaded");
        scene.answered_by(&probe, "a", opened);
        scene.nobody_resigned(closed);

        let closed = Moment::now();
        node.reload(&configuration("", 150, &format!("{QUICK}\n    no_accept")));
        scene.line("a", closed, "Reloaded");
        let closed = Moment::now();
        assert!(probe.wait_for_answer(closed, Duration::from_millis(500)).is_none(), "{}", scene.story());
        node.stop();
    });
}
