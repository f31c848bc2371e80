//! A daemon that was stopped for longer than its neighbours wait: what it knows is stale.

use std::time::Duration;

use linux::signals::Signal;

use crate::support::{
    ADDRESS, Moment, Node, QUICK, QUICK_SILENCE, Scene, configuration, let_pass, says, slow_test, tanist,
};

#[test]
fn one_that_slept_listens_before_it_speaks() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let a = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        let begin = Moment::now();
        let _b = Node::start(&scene.hosts[1], tanist(), &configuration("", 100, QUICK));
        scene.only("a", ADDRESS);
        scene.line("b", begin, "master is 192.0.2.1");

        let frozen = scene.lab.note("a", "SIGSTOP");
        a.program.freeze().expect("freeze");
        scene.line("b", frozen, "Entering MASTER STATE");
        // Some seconds, so that there is no doubt who has missed what.
        let_pass(Duration::from_secs(2));
        let thawed = scene.lab.note("a", "SIGCONT");
        a.program.thaw().expect("thaw");
        scene.line("a", thawed, "was asleep, listening first");
        scene.line("a", thawed, "Entering BACKUP STATE");
        // The greater priority has its turn again, after a whole silence of listening.
        scene.line("a", thawed, "Entering MASTER STATE");
        let first = scene.advertised("a", thawed, |_| true).at;
        assert!(first.since(thawed) > QUICK_SILENCE, "{:?}\n{}", first.since(thawed), scene.story());
        scene.only("a", ADDRESS);
    });
}

#[test]
fn a_backup_that_slept_does_not_take_over_from_one_that_is_well() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        scene.only("a", ADDRESS);
        let b = Node::start(&scene.hosts[1], tanist(), &configuration("", 100, QUICK));
        scene.line("b", begin, "master is 192.0.2.1");
        b.program.freeze().expect("freeze");
        let_pass(Duration::from_secs(2));
        let thawed = scene.lab.note("b", "SIGCONT");
        b.program.thaw().expect("thaw");
        for _ in 0..8 {
            scene.advertised("a", Moment::now(), |_| true);
        }
        let master = scene.lab.journal().since(thawed).into_iter().find(|record| says(record, "MASTER STATE"));
        assert!(master.is_none(), "{}", scene.story());
        assert_eq!(scene.holders(ADDRESS), ["a"]);
    });
}

#[test]
fn a_backup_that_was_stopped_for_just_too_long_first_takes_in_what_has_come_meanwhile() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, QUICK));
        scene.only("a", ADDRESS);
        let b = Node::start(&scene.hosts[1], tanist(), &configuration("", 100, QUICK));
        scene.line("b", begin, "master is 192.0.2.1");
        // It waits for 721 ms after an advertisement; a little longer, and it was not yet asleep for its engine.
        for round in 0..10 {
            scene.advertised("a", Moment::now(), |_| true);
            let stopped = scene.lab.note("b", "SIGSTOP");
            b.program.signal(Signal(rustix::process::Signal::STOP.as_raw())).expect("stop");
            let_pass(Duration::from_millis(730 + 15 * round));
            b.program.signal(Signal(rustix::process::Signal::CONT.as_raw())).expect("let it go on");
            for _ in 0..3 {
                scene.advertised("a", Moment::now(), |_| true);
            }
            let taken = scene.advertisements(stopped).into_iter().find(|(_, host, _)| host == "b");
            assert!(taken.is_none(), "{}", scene.story());
        }
        assert_eq!(scene.holders(ADDRESS), ["a"]);
    });
}
