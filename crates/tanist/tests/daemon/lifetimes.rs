//! Addresses that let go by themselves when the daemon no longer renews them.

use std::net::IpAddr;
use std::time::Duration;

use linux::netlink::Netlink;

use crate::support::{
    ADDRESS, Host, Moment, Node, QUICK, Scene, configuration, is_announcement, is_removal, let_pass, slow_test, tanist,
};

const FIVE_SECONDS: &str = "global_defs {\n    address_lifetime 5\n}";
/// Shorter than any that is derived.
const TWO_SECONDS: &str = "global_defs {\n    address_lifetime 2\n}";
const UNLIMITED: &str = "global_defs {\n    address_lifetime unlimited\n}";

/// An owner is Active from the start, and its next advertisement is so far away that it can be held up for long
/// without being late.
const PATIENT_OWNER: &str = "    advert_int 60";

/// What the kernel says of the address: not there, for ever, or so many seconds.
#[derive(Debug, PartialEq, Eq)]
enum Held {
    Not,
    ForEver,
    Seconds(u32),
}

fn held(host: &Host) -> Held {
    let addresses = host.run(|| Netlink::open()?.addresses()).expect("a host with power").expect("its addresses");
    match addresses.iter().find(|address| address.address == IpAddr::V4(ADDRESS)) {
        None => Held::Not,
        Some(address) => address.seconds_left.map_or(Held::ForEver, Held::Seconds),
    }
}

fn started(before: &str, lines: &str) -> (Scene, Node) {
    let scene = Scene::new(&["a"]);
    let priority = if lines == PATIENT_OWNER { 255 } else { 150 };
    let begin = Moment::now();
    let node = Node::start(&scene.hosts[0], tanist(), &configuration(before, priority, lines));
    scene.line("a", begin, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
    (scene, node)
}

fn nothing_happened_to_it(scene: &Scene, since: Moment) {
    let removed = scene.lab.journal().since(since).into_iter().find(|record| is_removal(record, ADDRESS));
    assert_eq!(removed, None, "{}", scene.story());
}

/// What is written before the instance, and how the address is held then.
type Step<'s> = (&'s str, &'s dyn Fn(&Held) -> bool);

#[test]
fn a_daemon_that_is_killed_loses_its_address() {
    slow_test(|| {
        for (before, longest) in [("", 3), (FIVE_SECONDS, 5)] {
            let (scene, node) = started(before, QUICK);
            let begin = Moment::now();
            // Over more than one lifetime.
            for _ in 0..60 {
                let held = held(&scene.hosts[0]);
                assert!(matches!(held, Held::Seconds(left) if left <= longest), "{held:?}\n{}", scene.story());
                let_pass(Duration::from_millis(100));
            }
            nothing_happened_to_it(&scene, begin);
            node.kill();
            scene.until("it lets go", || held(&scene.hosts[0]) == Held::Not);
        }
    });
}

#[test]
fn a_daemon_that_is_frozen_loses_its_address_and_does_not_put_it_back_on_stale_knowledge() {
    slow_test(|| {
        let (scene, a) = started("", QUICK);
        let frozen = scene.lab.note("a", "SIGSTOP");
        a.program.freeze().expect("freeze");
        scene.until("it lets go", || held(&scene.hosts[0]) == Held::Not);
        scene.wait(frozen, "its end", |record| is_removal(record, ADDRESS));
        let thawed = scene.lab.note("a", "SIGCONT");
        a.program.thaw().expect("thaw");
        scene.line("a", thawed, "was asleep, listening first");
        scene.line("a", thawed, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        assert_eq!(scene.count_lines("a", frozen, "has been put back"), 0, "{}", scene.story());
    });
}

#[test]
fn an_address_that_expired_while_it_was_wanted_is_put_back_and_told() {
    slow_test(|| {
        let (scene, node) = started(TWO_SECONDS, PATIENT_OWNER);
        let frozen = scene.lab.note("a", "SIGSTOP");
        node.program.freeze().expect("freeze");
        scene.wait(frozen, "its end", |record| is_removal(record, ADDRESS));
        let thawed = scene.lab.note("a", "SIGCONT");
        node.program.thaw().expect("thaw");
        scene.line("a", thawed, "192.0.2.100/24 had expired on eth0");
        scene.only("a", ADDRESS);
        scene.wait(thawed, "it is announced", |record| is_announcement(record, "a", ADDRESS));
        // And renewed again.
        let_pass(Duration::from_secs(3));
        scene.until("it is held", || matches!(held(&scene.hosts[0]), Held::Seconds(_)));
        assert_eq!(scene.count_lines("a", frozen, " STATE"), 0, "{}", scene.story());
    });
}

// Shows: global_defs.address_lifetime
#[test]
fn an_address_that_shall_stay_for_ever_does() {
    slow_test(|| {
        let (scene, node) = started(UNLIMITED, QUICK);
        assert_eq!(held(&scene.hosts[0]), Held::ForEver);
        let killed = scene.lab.note("a", "kill -9");
        node.kill();
        let_pass(Duration::from_secs(5));
        assert_eq!(held(&scene.hosts[0]), Held::ForEver);
        nothing_happened_to_it(&scene, killed);
    });
}

#[test]
fn a_reload_changes_the_lifetime_of_what_is_held_and_disturbs_nothing() {
    slow_test(|| {
        let text = |before: &str| configuration(before, 150, &format!("{QUICK}\n    garp_master_delay 0"));
        let scene = Scene::new(&["a"]);
        let node = Node::start(&scene.hosts[0], tanist(), &text(""));
        scene.only("a", ADDRESS);
        scene.wait(Moment::from_nanos(0), "it is announced", |record| is_announcement(record, "a", ADDRESS));
        // The announcements of the take-over have passed the switch.
        scene.advertised("a", Moment::now(), |_| true);
        let begin = Moment::now();
        let thousand = "global_defs {\n    address_lifetime 1000\n}";
        let is_long = |held: &Held| matches!(held, Held::Seconds(left) if *left > 100);
        let is_short = |held: &Held| matches!(held, Held::Seconds(left) if *left <= 3);
        let steps: [Step<'_>; 5] = [
            (UNLIMITED, &|held| *held == Held::ForEver),
            (thousand, &is_long),
            ("", &is_short),
            (UNLIMITED, &|held| *held == Held::ForEver),
            ("", &is_short),
        ];
        for (before, is_so) in steps {
            node.reload(&text(before));
            scene.until(&format!("converted by {before:?}"), || is_so(&held(&scene.hosts[0])));
        }
        nothing_happened_to_it(&scene, begin);
        let announced = |record: &crate::support::Record| is_announcement(record, "a", ADDRESS);
        assert!(!scene.lab.journal().since(begin).iter().any(announced), "{}", scene.story());
        scene.nobody_resigned(begin);
    });
}

#[test]
fn what_a_former_life_left_is_adopted_with_the_lifetime_of_this_one() {
    slow_test(|| {
        let (scene, mut node) = started(UNLIMITED, PATIENT_OWNER);
        let is_limited = |held: &Held| matches!(held, Held::Seconds(left) if *left <= 2);
        let steps: [Step<'_>; 2] = [(TWO_SECONDS, &is_limited), (UNLIMITED, &|held| *held == Held::ForEver)];
        for (before, is_so) in steps {
            // Until it is started again it must last, whatever its lifetime.
            let restarted = Moment::now();
            let text = configuration(before, 255, PATIENT_OWNER);
            node.host.write_file(&node.file(), &text).expect("write");
            node.kill();
            node.start_again();
            scene.line("a", restarted, "Entering MASTER STATE");
            scene.until(&format!("converted by {before:?}"), || is_so(&held(&scene.hosts[0])));
        }
        // What was adopted is ours: an orderly stop takes it away.
        node.stop();
        assert_eq!(held(&scene.hosts[0]), Held::Not);
    });
}

#[test]
fn renewals_lose_a_client_nothing() {
    slow_test(|| {
        let (scene, _node) = started("", QUICK);
        let probe = scene.lab.probe_every(ADDRESS, Duration::from_millis(1)).expect("a probe");
        scene.answered_by(&probe, "a", Moment::from_nanos(0));
        let begin = Moment::now();
        // Four renewals or more.
        let_pass(Duration::from_secs(5));
        let end = Moment::now();
        // What was asked last has its answer.
        scene.answered_by(&probe, "a", end);
        let answers = probe.answers().between(begin, end);
        assert!(answers.asked.len() > 100, "{}", answers.asked.len());
        assert_eq!(answers.lost(), 0, "{:?}", answers.outages());
        nothing_happened_to_it(&scene, begin);
    });
}
