//! `track_file`: the same numbers in the same file, and what keepalived and we say on the wire because of them.

use std::fmt::Write as _;

use crate::support::story::run;
use crate::support::{Daemon, Host, Moment, Node, Record, Scene, Seen, slow_test_with_keepalived, tanist};

/// What a router says: its priority, or nothing because it is in FAULT.
type Said = Option<u8>;

/// The weights, each of an instance whose VRID is its place, from 1; their priority is 100.
const WEIGHTS: [&str; 6] =
    ["load", "load weight 2", "load weight 0", "load weight 0 reverse", "load weight -3", "load weight 2 reverse"];

/// What is done with the file, and what each instance says then.
const STEPS: [(&str, [Said; WEIGHTS.len()]); 10] = [
    ("echo 5 > load", [Some(105), Some(110), None, Some(100), Some(85), Some(90)]),
    ("echo 40 > new; mv new load", [Some(140), Some(180), None, Some(100), Some(1), Some(20)]),
    ("echo garbage > load", [Some(100), Some(100), Some(100), None, Some(100), Some(100)]),
    ("echo -100 > load", [Some(1), Some(1), None, Some(100), Some(254), Some(254)]),
    ("echo 0x10 > load", [Some(116), Some(132), None, Some(100), Some(52), Some(68)]),
    ("echo 127 > load", [Some(227), Some(254), None, Some(100), None, None]),
    ("echo 010 > load", [Some(108), Some(116), None, Some(100), Some(76), Some(84)]),
    ("echo -254 > load", [None, None, None, Some(100), Some(254), Some(254)]),
    ("rm load", [Some(100), Some(100), Some(100), None, Some(100), Some(100)]),
    ("echo 7 > load", [Some(107), Some(114), None, Some(100), Some(79), Some(86)]),
];

fn configuration() -> String {
    let mut text = "track_file load {\n    file /run/tracked/load\n}\n".to_owned();
    for (weight, number) in WEIGHTS.iter().zip(1..) {
        write!(
            text,
            "vrrp_instance VI_{number} {{\n    interface eth0\n    virtual_router_id {number}\n    priority 100\n    version 3\n    \
             advert_int 0.1\n    track_file {{\n        {weight}\n    }}\n    virtual_ipaddress {{\n        \
             198.51.100.{number}/32\n    }}\n}}\n"
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// Waits until each instance has said what it should, and for those that should be silent until they have said goodbye
/// or never spoke.
fn expect(scene: &Scene, since: Moment, before: &[Said], after: &[Said], step: &str) {
    for (vrid, (was, is)) in (1..).zip(before.iter().zip(after)) {
        let wait = |priority: u8| {
            let is_it = |record: &Record| matches!(&record.what, Seen::Advertisement(seen) if seen.vrid == vrid && seen.priority == priority);
            scene.wait(since, &format!("{step}: VRID {vrid} says {priority}"), is_it);
        };
        match (was, is) {
            (_, Some(priority)) => wait(*priority),
            (Some(_), None) => wait(0),
            (None, None) => {}
        }
    }
}

fn follows(daemon: Daemon) {
    let scene = Scene::new(&["a"]);
    let host: &Host = &scene.hosts[0];
    run(host, "mkdir /run/tracked");
    let begin = Moment::now();
    let node = Node::start(host, daemon, &configuration());
    let mut before = [Some(100), Some(100), Some(100), None, Some(100), Some(100)];
    expect(&scene, begin, &[None; WEIGHTS.len()], &before, "the start");
    for (step, after) in STEPS {
        let since = scene.lab.note("a", step);
        run(host, &format!("cd /run/tracked && {step}"));
        expect(&scene, since, &before, &after, step);
        before = after;
    }
    node.stop();
}

#[test]
fn keepalived_says_what_is_expected_of_a_tracked_file() {
    slow_test_with_keepalived(|| follows(Daemon::keepalived()));
}

// Shows: top-level.track_file, track_file.file, track_file.weight, vrrp_instance.track_file
#[test]
fn we_say_the_same_of_a_tracked_file() {
    slow_test_with_keepalived(|| follows(tanist()));
}
