//! S2-7: a pair whose nodes do not understand each other, each believing itself alone "for ever". What is wrong is
//! named on both nodes, in the log, in the events and in the status, and as long as one way of talking is left, the
//! service does not run twice because of it.

use std::time::Duration;

use api::{Place, Role};
use rehearse::lab::HostPlan;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::story::run;
use crate::support::{Moment, Scene, is_installed, let_pass, says, slow_test, test_name};

/// Something that is wrong from the beginning, so that B hears none of A's advertisements.
struct Cause {
    /// A node's configuration.
    configuration: fn(String, usize) -> String,
    /// What is done to the hosts.
    inject: fn(&Pair),
    /// Which event tells it.
    event: &'static str,
    /// The words in which A and B say what is wrong; nothing for who cannot know.
    told: [&'static str; 2],
}

const RIGHT: fn(String, usize) -> String = |text, _| text;
const NOTHING: fn(&Pair) = |_| {};
const UNHEARD: &str = "pair.advertisements_unheard";
/// Nobody can say whether a filter, a switch or a cable keeps them back, if all that is asked about it is right.
const LOST: [&str; 2] = [
    "the peer does not hear the advertisements of this node: they do not arrive: look for a packet filter (IP protocol 112)",
    "the peer says that it is active, but its advertisements are not heard here: they do not arrive: look for a packet \
     filter (IP protocol 112)",
];

fn check(cause: &Cause) {
    slow_test(|| check_on(Pair::new(Plan::new(COMMAND)), cause));
}

fn check_on(mut pair: Pair, cause: &Cause) {
    (cause.inject)(&pair);
    let begin = Moment::now();
    for node in [A, B] {
        let configuration = (cause.configuration)(pair.plan.configuration(node), node);
        pair.start_with(node, &configuration);
        if node == A {
            pair.works_alone(A);
        }
    }
    for (node, told) in [A, B].into_iter().zip(cause.told).filter(|(_, told)| !told.is_empty()) {
        is_told(&pair, node, begin, cause.event, told);
    }
    // Long enough for a Backup that hears nothing to take over.
    let_pass(Duration::from_secs(1));
    pair.works_alone(A);
    assert_eq!(pair.status(B).instances[0].role, Role::Backup);
    pair.never_two(begin);
}

/// In the log, in the status, and to whoever follows the events.
fn is_told(pair: &Pair, node: usize, since: Moment, event: &str, words: &str) {
    pair.scene.line(pair.name(node), since, words);
    pair.says(node, words, |status| status.protection.reasons.iter().any(|reason| reason.contains(words)));
    assert!(pair.order(node, &["status"]).contains(words), "{words}\n{}", pair.story());
    let events = pair.order(node, &["events", "--json"]);
    let told = |line: &str| line.contains(&format!("\"id\":\"{event}\"")) && line.contains(words);
    assert!(events.lines().any(told), "no {event} with {words:?} in\n{events}");
}

fn on(this: usize, text: String, node: usize, from: &str, to: &str) -> String {
    if node != this {
        return text;
    }
    assert!(text.contains(from), "{text}");
    text.replace(from, to)
}

fn on_b(text: String, node: usize, from: &str, to: &str) -> String {
    on(B, text, node, from, to)
}

// ── The five causes ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_packet_filter() {
    if !is_installed("iptables") {
        return rehearse::lab::skip(&test_name(), &"iptables is not installed");
    }
    let inject = |pair: &Pair| {
        run(pair.host(B), "iptables -A INPUT -p 112 -j DROP");
    };
    check(&Cause { configuration: RIGHT, inject, event: UNHEARD, told: LOST });
}

#[test]
fn another_unicast_peer() {
    let configuration = |text: String, node| {
        let peer = ["192.0.2.2", "192.0.2.1"][node];
        let text =
            text.replace("    advert_int 0.2\n", &format!("    advert_int 0.2\n    unicast_peer {{\n {peer}\n }}\n"));
        on(A, text, node, "unicast_peer {\n 192.0.2.2", "unicast_peer {\n 192.0.2.77")
    };
    let told = [
        "they are sent to 192.0.2.77 and not to the peer: look at unicast_peer here",
        "they are sent to 192.0.2.77 and not to this node: look at unicast_peer there",
    ];
    check(&Cause { configuration, inject: NOTHING, event: UNHEARD, told });
}

#[test]
fn another_vrid() {
    let configuration = |text, node| on_b(text, node, "virtual_router_id 51", "virtual_router_id 52");
    let told = ["virtual_router_id is 51 here and 52 there", "virtual_router_id is 52 here and 51 there"];
    check(&Cause { configuration, inject: NOTHING, event: UNHEARD, told });
}

#[test]
fn another_password() {
    let configuration = |text: String, node| {
        let pass = "authentication {\n        auth_type PASS\n        auth_pass first\n    }\n";
        let text = text.replace("version 3\n    advert_int 0.2", &format!("version 2\n    advert_int 1\n    {pass}"));
        on_b(text, node, "auth_pass first", "auth_pass second")
    };
    let told = ["they arrive and are not accepted: the passwords differ"; 2];
    check(&Cause { configuration, inject: NOTHING, event: UNHEARD, told });
}

/// Of two cables between them the first carries nothing from A to B any more, while B is still heard there.
#[test]
fn a_cable_that_carries_one_direction() {
    slow_test(|| {
        let told = [
            "the peer does not hear the advertisements of this node: they do not arrive, and on a path of the pair it is \
             the same",
            "its advertisements are not heard here: they do not arrive, and on a path of the pair it is the same",
        ];
        let cause = Cause { configuration: by_two_cables, inject: cut_from_a_to_b, event: UNHEARD, told };
        check_on(two_cables(), &cause);
    });
}

/// Hosts with two cables between them, of which the advertisements use the first.
fn two_cables() -> Pair {
    let mut scene = Scene::empty();
    for (name, number) in [("a", 1), ("b", 2)] {
        let plan = HostPlan::new(name)
            .interface("eth0", &[&format!("192.0.2.{number}/24")])
            .interface("eth1", &[&format!("198.51.100.{number}/24")]);
        scene.add(&plan);
    }
    Pair::on(scene, Plan::new(COMMAND))
}

fn by_two_cables(text: String, node: usize) -> String {
    let second = ["198.51.100.2", "198.51.100.1"][node];
    text.replace("    key_file", &format!("    peer {second}\n    key_file"))
}

/// Nothing that A sends by eth0 arrives at B: its frames are for nobody, and B is deaf for the rest.
fn cut_from_a_to_b(pair: &Pair) {
    run(pair.host(A), "ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:77 dev eth0 nud permanent");
    pair.host(B).set_deaf(true).expect("deaf");
}

// ── And some more ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_switch_that_keeps_multicast_back() {
    let inject = |pair: &Pair| pair.host(B).set_deaf(true).expect("deaf");
    check(&Cause { configuration: RIGHT, inject, event: UNHEARD, told: LOST });
}

#[test]
fn another_version() {
    let told = ["they arrive and are not accepted: the VRRP versions differ"; 2];
    let configuration = |text, node| on_b(text, node, "version 3\n    advert_int 0.2", "version 2\n    advert_int 1");
    check(&Cause { configuration, inject: NOTHING, event: UNHEARD, told });
}

#[test]
fn another_key() {
    let inject = |pair: &Pair| {
        pair.host(B).write_secret("pair.key", &("00".repeat(32) + "\n")).expect("another key");
    };
    let told = ["sealed with another key; do both nodes have the same key file?"; 2];
    check(&Cause { configuration: RIGHT, inject, event: "peer.discarded", told });
}

/// Which path it is, and who hears there, is told on both nodes.
#[test]
fn a_path_of_one_direction() {
    slow_test(|| {
        let mut pair = two_cables();
        for node in [A, B] {
            let text = by_two_cables(pair.plan.configuration(node), node);
            pair.start_with(node, &text);
            if node == A {
                pair.works_alone(A);
            }
        }
        pair.is_well(A);
        let cut = pair.scene.lab.note("", "eth0 from a to b is cut");
        cut_from_a_to_b(&pair);
        let heard = |node: usize, place: Place| {
            let status = pair.says(node, "which path works in one direction only", |status| {
                status.peer.as_ref().is_some_and(|peer| peer.paths[0].one_way == Some(place))
            });
            assert_eq!(status.peer.expect("it is there").paths[1].one_way, None);
        };
        heard(A, Place::Here);
        heard(B, Place::Peer);
        is_told(&pair, A, cut, "peer.one_way", "does not hear this node; look for a cable");
        is_told(&pair, B, cut, "peer.one_way", "hears this node there, and is not heard; look for a cable");
        pair.works_alone(A);
        pair.never_two(cut);
        run(pair.host(A), "ip neigh flush dev eth0 nud permanent");
        pair.host(B).set_deaf(false).expect("it hears");
        pair.is_well(A);
        pair.is_well(B);
    });
}

/// With only one cable two nodes cannot help becoming active both; but the one that hears the other knows why.
#[test]
fn the_only_cable_carries_one_direction() {
    slow_test(|| {
        let pair = Pair::in_good_order(Plan::new(COMMAND));
        let cut = pair.scene.lab.note("", "eth0 from a to b is cut");
        cut_from_a_to_b(&pair);
        is_told(&pair, A, cut, "peer.deaf", "b speaks but does not hear this node, and takes it for dead");
        pair.scene.line("b", cut, "two nodes alone cannot tell a dead peer from a cut cable");
    });
}

/// Who has the wrong address sees where the right one is; the other one hears nothing at all.
#[test]
fn another_peer() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::new(COMMAND));
        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        let wrong = on_b(pair.plan.configuration(B), B, "peer 192.0.2.1", "peer 192.0.2.77");
        pair.start_with(B, &wrong);
        pair.scene.line("b", begin, "from 192.0.2.1, which is not the address of the peer on any path");
        pair.says(B, "who speaks to it", |status| {
            let told = |reason: &String| {
                reason.contains("messages for the pair come from 192.0.2.1, which is not the address of the peer")
            };
            status.protection.reasons.iter().any(told)
        });
        // They hear each other's advertisements.
        pair.works_alone(A);
        pair.never_two(begin);
    });
}

/// Nothing else is left to go by then: two instances that know nothing of each other both serve, and both say so.
#[test]
fn another_name() {
    slow_test(|| {
        let mut pair = Pair::new(Plan { has_address: false, ..Plan::new(COMMAND) });
        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        let configuration = pair.plan.configuration(B).replace("VI_1", "VI_2");
        pair.start_with(B, &configuration);
        for node in [A, B] {
            pair.scene.line(pair.name(node), begin, "the peer has no instance of this name");
        }
        pair.says(A, "that there is no standby", |status| {
            status.protection.reasons.iter().any(|reason| reason.contains("no standby: b has no instance VI_1"))
        });
    });
}

/// Without a pair nobody can ask; but what comes and is not accepted is shown while it comes, by both.
#[test]
fn without_a_pair_what_is_not_accepted_is_shown() {
    slow_test(|| {
        let mut pair = Pair::new(Plan { has_address: true, ..Plan::alone(COMMAND) });
        for node in [A, B] {
            let pass = ["first", "second"][node];
            let pass = format!("authentication {{\n        auth_type PASS\n        auth_pass {pass}\n    }}\n");
            let text = pair.plan.configuration(node);
            let text =
                text.replace("version 3\n    advert_int 0.2", &format!("version 2\n    advert_int 1\n    {pass}"));
            pair.start_with(node, &text);
        }
        for (node, other) in [(A, "192.0.2.2"), (B, "192.0.2.1")] {
            let words = format!("advertisements from {other} are not accepted: the passwords differ");
            pair.says(node, &words, |status| status.protection.reasons.iter().any(|reason| reason.contains(&words)));
        }
    });
}

/// A cut cable is not a dead node, and two nodes cannot tell. Afterwards one remains, and both say what was.
#[test]
fn a_cut_cable() {
    slow_test(|| {
        let pair = Pair::in_good_order(Plan::new(COMMAND));
        let cut = pair.scene.lab.note("", "cut");
        pair.scene.lab.cut(&[pair.host(A), pair.host(B)]).expect("cut");
        for node in [A, B] {
            pair.scene.line(pair.name(node), cut, "two nodes alone cannot tell a dead peer from a cut cable");
            let status = pair.says(node, "that it is alone and active", |status| {
                status.instances[0].role == Role::Master && status.peer.as_ref().is_some_and(|peer| !peer.alive)
            });
            assert!(status.protection.reasons[0].contains("cannot tell"), "{status:?}");
        }
        pair.scene.lab.note("", "heal");
        pair.scene.lab.heal().expect("heal");
        // Whether the first words or the first advertisement of the other node come first decides by which they know.
        for (node, words) in [("a", "with lower priority 100, ours 150"), ("b", "with higher priority 150, ours 100")] {
            pair.scene.wait(cut, &format!("{node} says that the other one was active, too"), |record| {
                &*record.host == node && ["both nodes were active", words].iter().any(|words| says(record, words))
            });
        }
        pair.works_alone(A);
        pair.is_well(A);
    });
}
