//! Who is let through to the addresses.

use std::path::Path;
use std::time::Duration;

use linux::packet_filter::PacketFilter;
use linux::signals::Signal;

use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, binary, configuration, slow_test, tanist, word};

// Shows: global_defs.vrrp_strict, vrrp_instance.no_accept
#[test]
fn a_router_that_does_not_accept_holds_the_address_and_answers_nobody() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let strict = "global_defs {\n    vrrp_strict\n    state_dump_file /run/state\n}\n";
        let strict = configuration(strict, 150, QUICK);
        let node = Node::start(&scene.hosts[0], tanist(), &strict);
        scene.only("a", ADDRESS);
        let probe = scene.probe(ADDRESS);
        let closed = Moment::now();
        assert!(probe.wait_for_answer(closed, Duration::from_millis(500)).is_none(), "{}", scene.story());
        scene.advertised("a", closed, |_| true);
        // What was dropped can be looked up.
        node.signal(Signal::USER_1);
        let dropped = || {
            let written = scene.hosts[0].read_file(Path::new("/run/state")).unwrap_or_default();
            let count = written.split("Packets dropped = ").nth(1)?.split(' ').next()?;
            count.parse::<u64>().ok()
        };
        scene.until("what was dropped is told", || dropped().is_some_and(|count| count > 0));

        let told = || {
            let asked = scene.hosts[0].output(&[word(binary()), "status", "--json"]).expect("ask");
            let status: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap_or_default();
            status.pointer("/dropped/incoming")?.as_u64()
        };
        scene.until("it is in the status, too", || told().is_some_and(|count| count > 0));

        // Scripts of firewalls flush everybody's tables; a reload of ours brings this one back.
        scene.hosts[0]
            .run(|| PacketFilter::open(PacketFilter::TABLE, PacketFilter::PRIORITY)?.remove())
            .expect("the host is on")
            .expect("removed");
        scene.answered_by(&probe, "a", Moment::now());
        let again = Moment::now();
        node.reload(&strict);
        scene.line("a", again, "Reloaded");
        let closed_again = Moment::now();
        assert!(probe.wait_for_answer(closed_again, Duration::from_millis(500)).is_none(), "{}", scene.story());

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

#[test]
fn what_a_killed_daemon_has_closed_is_open_for_one_that_closes_nothing() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let closed = configuration("", 150, &format!("{QUICK}\n    no_accept"));
        let killed = Node::start(&scene.hosts[0], tanist(), &closed);
        scene.only("a", ADDRESS);
        let probe = scene.probe(ADDRESS);
        let begun = Moment::now();
        assert!(probe.wait_for_answer(begun, Duration::from_millis(500)).is_none(), "{}", scene.story());
        killed.kill();
        let opened = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        scene.answered_by(&probe, "a", opened);
        node.stop();
    });
}
