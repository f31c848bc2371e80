//! A network that falls apart and heals, and one that never was whole: other passwords.

use super::{Cast, of_host, started};
use crate::support::{
    ADDRESS, Daemon, Moment, Node, Scene, configuration, is_announcement, slow_test, slow_test_with_keepalived, tanist,
};

/// No second round of announcements, which could bring the client back by chance.
const ONCE: &str = "    version 3\n    advert_int 0.2\n    garp_master_delay 0";

/// Both sides believe to be alone; then they meet. The client keeps what it was told last.
fn falls_apart_and_heals(scene: &Scene) {
    let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
    let probe = scene.probe(ADDRESS);
    scene.answered_by(&probe, "a", Moment::now());
    let cut = scene.lab.note("", "cut");
    scene.lab.cut(&[a, b]).expect("cut");
    scene.line("b", cut, "Entering MASTER STATE");
    scene.until("both have the address", || scene.holders(ADDRESS) == ["a", "b"]);
    // B spoke last, so the client is with B now.
    scene.answered_by(&probe, "b", cut);
    // Just after B has spoken, so that A is the next one: B yields to it without having been heard.
    scene.advertised("b", Moment::now(), |_| true);
    let healed = scene.lab.note("", "heal");
    scene.lab.heal().expect("heal");
    scene.only("a", ADDRESS);
    scene.line("b", healed, "Entering BACKUP STATE");
    // A client would find out by itself, some time. It is told instead.
    scene.wait(healed, "the winner announces the address", |record| is_announcement(record, "a", ADDRESS));
    scene.answered_by(&probe, "a", healed);
    // And it stays so.
    for _ in 0..8 {
        scene.advertised("a", Moment::now(), |_| true);
    }
    assert_eq!(scene.holders(ADDRESS), ["a"]);
}

#[test]
fn nobody_is_stranded_with_ours() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let nodes = [0, 1].map(|host| Node::start(&scene.hosts[host], tanist(), &of_host(host, "", ONCE)));
        scene.only("a", ADDRESS);
        falls_apart_and_heals(&scene);
        drop(nodes);
    });
}

#[test]
fn nobody_is_stranded_when_ours_yields_to_keepalived() {
    slow_test_with_keepalived(|| {
        let scene = Scene::new(&["a", "b"]);
        let configurations = [0, 1].map(|host| of_host(host, "", ONCE));
        let _nodes = started(&scene, Cast::KeepalivedAndOurs, [&configurations[0], &configurations[1]]);
        falls_apart_and_heals(&scene);
    });
}

/// keepalived says a last word when it yields only if it is told to.
#[test]
fn nobody_is_stranded_when_keepalived_yields_to_ours() {
    slow_test_with_keepalived(|| {
        let scene = Scene::new(&["a", "b"]);
        let polite = format!("{ONCE}\n    higher_prio_send_advert");
        let configurations = [of_host(0, "", ONCE), of_host(1, "", &polite)];
        let _nodes = started(&scene, Cast::OursAndKeepalived, [&configurations[0], &configurations[1]]);
        falls_apart_and_heals(&scene);
    });
}

fn another_password(other: Daemon) {
    let scene = Scene::new(&["a", "b"]);
    let with_password = |password: &str| {
        format!("    advert_int 1\n    authentication {{\n        auth_type PASS\n        auth_pass {password}\n    }}")
    };
    let begin = Moment::now();
    let _one = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, &with_password("one")));
    let _two = Node::start(&scene.hosts[1], other, &configuration("", 100, &with_password("two")));
    scene.until("both have the address", || scene.holders(ADDRESS) == ["a", "b"]);
    scene.line("a", begin, "advert from 192.0.2.2 discarded: authentication failed, the passwords differ");
    for _ in 0..3 {
        scene.advertised("a", Moment::now(), |_| true);
    }
    assert_eq!(scene.holders(ADDRESS), ["a", "b"]);
    assert_eq!(scene.count_lines("a", begin, "authentication failed"), 1, "told once, not each second");
}

#[test]
fn with_another_password_there_are_two_masters_and_it_is_told_once() {
    slow_test(|| another_password(tanist()));
}

#[test]
fn with_another_password_of_keepalived_there_are_two_masters() {
    slow_test_with_keepalived(|| another_password(Daemon::keepalived()));
}
