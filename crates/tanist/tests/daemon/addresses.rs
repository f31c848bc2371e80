//! What is in the kernel is what should be there, whoever meddles with it.

use std::net::Ipv4Addr;

use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, is_removal, let_pass, slow_test, tanist};

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
