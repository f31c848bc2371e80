//! Every way out takes the addresses away and says goodbye.

use linux::signals::Signal;

use crate::support::{
    ADDRESS, Daemon, Host, Moment, Node, PATIENCE, QUICK, Scene, Seen, binary, configuration, slow_test, tanist,
    with_variable, word,
};

fn started_as(daemon: Daemon) -> (Scene, Node) {
    let scene = Scene::new(&["a"]);
    let node = Node::start(&scene.hosts[0], daemon, &configuration("", 150, QUICK));
    scene.only("a", ADDRESS);
    (scene, node)
}

fn ends_with(scene: &Scene, node: &Node, since: Moment, how: &str) {
    scene.resigned("a", since);
    let program = node.program.name().to_owned();
    let ended = scene.wait(
        since,
        "its end",
        |record| matches!(&record.what, Seen::Ended { program: ended, .. } if **ended == *program),
    );
    let Seen::Ended { how: seen, .. } = &ended.what else { unreachable!() };
    assert_eq!(seen, how, "{}", scene.story());
    assert!(scene.holders(ADDRESS).is_empty(), "{}", scene.story());
}

#[test]
fn asked_to_stop_it_ends_in_order() {
    slow_test(|| {
        for signal in [Signal::TERMINATE, Signal::INTERRUPT] {
            let (scene, node) = started_as(tanist());
            let asked = Moment::now();
            node.signal(signal);
            ends_with(&scene, &node, asked, "exit status 0");
        }
    });
}

#[test]
fn a_panic_withdraws_everything() {
    slow_test(|| {
        let (scene, node) = started_as(with_variable(tanist(), "TANIST_PANIC_DRILL", "1"));
        let asked = Moment::now();
        node.signal(Signal::QUIT);
        ends_with(&scene, &node, asked, "exit status 70");
        scene.line("a", asked, "withdrawing all addresses");
    });
}

/// A stop script may take its time; the address goes before, and the end comes after.
#[test]
fn the_last_script_is_waited_for() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let script = "#!/bin/sh\nsleep 1\nprintf 'stopped\\n' > /run/rehearse/records\n";
        host.write_program("stop.sh", script).expect("a script");
        let lines = format!("{QUICK}\n    notify_stop /run/rehearse/stop.sh");
        let node = Node::start(host, tanist(), &configuration("", 150, &lines));
        scene.only("a", ADDRESS);
        let asked = Moment::now();
        node.stop();
        scene.ran("a", asked, &["stopped"]);
        scene.resigned("a", asked);
    });
}

fn start_under_a_parent(host: &Host, options: &str) -> crate::support::Program {
    host.write_file("tanist.conf", &configuration("", 150, QUICK)).expect("write");
    let line = format!("{} run -f /run/rehearse/tanist.conf {options} & wait", word(binary()));
    host.start("parent", &["sh", "-c", &line]).expect("start a parent")
}

#[test]
fn with_its_parent_it_ends_if_it_is_told_to() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let parent = start_under_a_parent(&scene.hosts[0], "--die-with-parent");
        scene.only("a", ADDRESS);
        let killed = scene.lab.note("a", "the parent is killed");
        parent.signal(Signal::KILL).expect("kill");
        assert!(parent.wait(PATIENCE));
        scene.resigned("a", killed);
        scene.until("the address is gone", || scene.holders(ADDRESS).is_empty());
    });
}
