//! What the standard asks of a router, against a peer that sends single packets by hand.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::support::packet_peer::{Forged, send};
use crate::support::{ADDRESS, Moment, Node, Scene, Seen, configuration, is_announcement, let_pass, slow_test, tanist};

/// The peer is at .9 and has nothing but packets.
const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

/// Once a second, so that a machine that is busy does not miss three of them.
const UNHURRIED: &str = "    version 3\n    advert_int 1";

fn unhurried(priority: u8) -> Forged {
    Forged { interval: 100, ..Forged::quick(priority) }
}

fn says(scene: &Scene, forged: Forged) -> Moment {
    let at = scene.lab.note("peer", &format!("says {forged:?}"));
    send(&scene.hosts[1], PEER, forged);
    at
}

#[test]
fn an_address_owner_begins_and_answers_at_once() {
    slow_test(|| {
        let scene = Scene::new(&["a", "peer"]);
        let begin = Moment::now();
        // Two minutes would pass before anybody else took over, and 40 s before the next advertisement is due.
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration("", 255, "    version 3\n    advert_int 40"));
        let slowly = |priority: u8| Forged { interval: 4000, ..Forged::quick(priority) };
        let at_once = |since: Moment, what: &str| {
            let answer = scene.advertised("a", since, |seen| seen.priority == 255);
            assert!(answer.at.since(since) < Duration::from_secs(30), "{what}\n{}", scene.story());
        };
        at_once(begin, "the first one");
        scene.wait(begin, "an announcement", |record| is_announcement(record, "a", ADDRESS));
        assert_eq!(scene.count_lines("a", begin, "Entering BACKUP STATE"), 0);
        scene.only("a", ADDRESS);
        // Somebody resigns: whoever waits learns at once that there is a master.
        at_once(says(&scene, slowly(0)), "the answer to a goodbye");
        // What was answered a moment ago is not answered again.
        let_pass(Duration::from_millis(200));
        let heard = says(&scene, slowly(100));
        at_once(heard, "the answer to a lower priority");
        scene.wait(heard, "the address is announced again", |record| is_announcement(record, "a", ADDRESS));
        assert_eq!(scene.holders(ADDRESS), ["a"]);
    });
}

#[test]
fn an_active_router_ignores_what_is_not_valid_and_yields_to_whom_it_should() {
    slow_test(|| {
        let scene = Scene::new(&["a", "peer"]);
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, UNHURRIED));
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        let heard = says(&scene, unhurried(100));
        scene.line(
            "a",
            heard,
            "Received advert from 192.0.2.9 with lower priority 100, ours 150, forcing new election",
        );

        // Neither comes from this network, nor in this version.
        let heard = says(&scene, Forged { time_to_live: 254, ..unhurried(200) });
        scene.line("a", heard, "advert from 192.0.2.9 discarded: invalid TTL");
        let heard = says(&scene, Forged { version: 2, interval: 1, ..unhurried(200) });
        scene.line("a", heard, "advert from 192.0.2.9 discarded: it has another VRRP version");
        assert_eq!(scene.holders(ADDRESS), ["a"]);

        // The same priority from a greater address.
        let heard = says(&scene, unhurried(150));
        scene.line("a", heard, "with same priority 150 but higher IP address than ours");
        scene.until("the address is gone", || scene.holders(ADDRESS).is_empty());
        let back = scene.line("a", heard, "Entering MASTER STATE").at;
        // 3 × 1 s + (256 − 150)/256 × 1 s.
        assert!(back.since(heard) > Duration::from_millis(3_414), "{:?}", back.since(heard));

        let heard = says(&scene, unhurried(200));
        scene.line("a", heard, "Master received advert from 192.0.2.9 with higher priority 200, ours 150");
        scene.until("the address is gone", || scene.holders(ADDRESS).is_empty());
    });
}

#[test]
fn a_backup_waits_as_long_as_it_is_told_to() {
    slow_test(|| {
        let scene = Scene::new(&["a", "peer"]);
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, UNHURRIED));
        let probe = scene.probe(ADDRESS);
        scene.line("a", begin, "Entering BACKUP STATE");
        // As long as somebody greater speaks, nothing happens; a backup neither advertises nor answers for the address.
        for _ in 0..9 {
            says(&scene, unhurried(200));
            let_pass(Duration::from_millis(500));
        }
        // The last word says that the next one will take twice as long.
        let heard = says(&scene, Forged { interval: 200, ..unhurried(200) });
        let woken = scene.line("a", heard, "Entering MASTER STATE").at;
        // 3 × 2 s + (256 − 150)/256 × 2 s: learned, not its own.
        assert!(woken.since(heard) > Duration::from_millis(6_828), "{:?}", woken.since(heard));
        let first = scene.advertised("a", begin, |_| true).at;
        assert!(first > heard, "{}", scene.story());
        let answers = probe.answers().between(begin, heard);
        assert_eq!(answers.lost(), answers.asked.len(), "nobody answers for the address");
        scene.answered_by(&probe, "a", woken);
        // Its own interval counts again.
        scene.advertised("a", heard, |seen| seen.interval == Duration::from_secs(1));
    });
}

#[test]
fn a_resignation_shortens_the_wait_to_the_skew_time() {
    slow_test(|| {
        let scene = Scene::new(&["a", "peer"]);
        let begin = Moment::now();
        // 3 × 20 s would be the wait without it, (256 − 250)/256 × 20 s is the wait with it.
        let lines = "    version 3\n    advert_int 20";
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration("", 250, lines));
        scene.line("a", begin, "Entering BACKUP STATE");
        let heard = says(&scene, Forged { interval: 2000, ..Forged::quick(0) });
        let woken = scene.line("a", heard, "Entering MASTER STATE").at;
        assert!(woken.since(heard) > Duration::from_millis(468), "{:?}", woken.since(heard));
        assert!(woken.since(heard) < Duration::from_secs(60), "{:?}", woken.since(heard));
        let told = |record: &crate::support::Record| matches!(record.what, Seen::GratuitousArp { .. });
        scene.wait(heard, "the address is announced", told);
    });
}
