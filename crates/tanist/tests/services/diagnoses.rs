//! S2-7: a pair whose nodes do not understand each other, each believing itself alone "for ever". What is wrong is
//! named, and as long as one way of talking is left, the service does not run twice because of it.

use std::time::Duration;

use api::Role;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, let_pass, says, slow_test};

/// Something that is wrong from the beginning.
struct Cause {
    /// A node's configuration.
    configuration: fn(String, usize) -> String,
    /// What is done to the hosts.
    inject: fn(&Pair),
    /// Words of the lines in which A and B say what is wrong.
    told: [&'static str; 2],
}

const RIGHT: fn(String, usize) -> String = |text, _| text;
const NOTHING: fn(&Pair) = |_| {};
const UNHEARD: &str = "(VI_1) the peer says that it is active, but its advertisements are not heard here";
/// One who is active hears no advertisements anyway.
const NO_WORDS: &str = "";

fn check(cause: &Cause) {
    slow_test(|| {
        let mut pair = Pair::new(Plan::new(COMMAND));
        (cause.inject)(&pair);
        let begin = Moment::now();
        for node in [A, B] {
            let configuration = (cause.configuration)(pair.plan.configuration(node), node);
            pair.start_with(node, &configuration);
            if node == A {
                pair.works_alone(A);
            }
        }
        for (node, told) in [A, B].into_iter().zip(cause.told) {
            pair.scene.line(pair.name(node), begin, told);
        }
        // Long enough for a Backup that hears nothing to take over.
        let_pass(Duration::from_secs(1));
        pair.works_alone(A);
        assert_eq!(pair.status(B).instances[0].role, Role::Backup);
        pair.never_two(begin);
    });
}

fn on_b(text: String, node: usize, from: &str, to: &str) -> String {
    if node == A {
        return text;
    }
    assert!(text.contains(from), "{text}");
    text.replace(from, to)
}

#[test]
fn a_switch_that_keeps_multicast_back() {
    let inject = |pair: &Pair| pair.host(B).set_deaf(true).expect("deaf");
    check(&Cause { configuration: RIGHT, inject, told: [NO_WORDS, UNHEARD] });
}

#[test]
fn another_vrid() {
    let configuration = |text, node| on_b(text, node, "virtual_router_id 51", "virtual_router_id 52");
    check(&Cause { configuration, inject: NOTHING, told: [NO_WORDS, UNHEARD] });
}

#[test]
fn another_version() {
    let told = [NO_WORDS, "advert from 192.0.2.1 discarded: it has another VRRP version than configured here"];
    let configuration = |text, node| on_b(text, node, "version 3\n    advert_int 0.2", "version 2\n    advert_int 1");
    check(&Cause { configuration, inject: NOTHING, told });
}

#[test]
fn another_password() {
    let configuration = |text: String, node| {
        let pass = "authentication {\n        auth_type PASS\n        auth_pass first\n    }\n";
        let text = text.replace("version 3\n    advert_int 0.2", &format!("version 2\n    advert_int 1\n    {pass}"));
        on_b(text, node, "auth_pass first", "auth_pass second")
    };
    let told = [NO_WORDS, "advert from 192.0.2.1 discarded: authentication failed, the passwords differ"];
    check(&Cause { configuration, inject: NOTHING, told });
}

#[test]
fn another_key() {
    let inject = |pair: &Pair| {
        pair.host(B).write_secret("pair.key", &("00".repeat(32) + "\n")).expect("another key");
    };
    check(&Cause { configuration: RIGHT, inject, told: ["sealed with another key; do both nodes"; 2] });
}

#[test]
fn another_peer() {
    let told = [NO_WORDS, "from 192.0.2.1, which is not the address of the peer on any path"];
    check(&Cause {
        configuration: |text, node| on_b(text, node, "peer 192.0.2.1", "peer 192.0.2.77"),
        inject: NOTHING,
        told,
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
