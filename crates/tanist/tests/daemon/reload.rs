//! A configuration that is read again: only what is different is touched.

use std::net::Ipv4Addr;

use crate::support::{
    ADDRESS, Moment, Node, Scene, Seen, configuration, is_address_change, is_announcement, run_words, slow_test, tanist,
};

const MORE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 101);

/// Announcements that are due by themselves would disturb the count.
const QUIET: &str = "    version 3\n    advert_int 0.2\n    garp_master_delay 0\n    notify /run/rehearse/notify";

fn started(text: &str) -> (Scene, Node) {
    let scene = Scene::new(&["a"]);
    let begin = Moment::now();
    scene.hosts[0].write_recorder("notify").expect("a recorder");
    let node = Node::start(&scene.hosts[0], tanist(), text);
    scene.line("a", begin, "Entering MASTER STATE");
    scene.ran("a", begin, &["notify", "INSTANCE", "VI_1", "MASTER", "150"]);
    scene.wait(begin, "the address", |record| is_address_change(record, ADDRESS));
    // The announcements of the change have passed the switch.
    scene.advertised("a", Moment::now(), |_| true);
    (scene, node)
}

/// There are as many advertisements as the interval makes, not one more; nothing else is sent or run.
fn is_undisturbed(scene: &Scene, since: Moment) {
    let elapsed = Moment::now().since(since);
    // One may leave a thirty-second of 200 ms early, and one may have been under way at either end.
    let most = elapsed.as_micros() / 193_750 + 2;
    let seen = scene.advertisements(since).len();
    assert!(seen as u128 <= most, "{seen} in {elapsed:?}\n{}", scene.story());
    let other = scene.lab.journal().since(since).into_iter().find(|record| {
        run_words(record).is_some()
            || matches!(
                record.what,
                Seen::GratuitousArp { .. } | Seen::AddressAdded { .. } | Seen::AddressRemoved { .. }
            )
    });
    assert_eq!(other, None, "{}", scene.story());
}

/// The usual instance, and one with the other address.
fn two_instances() -> (String, String) {
    let first = configuration("", 150, QUIET);
    let second =
        first.replace("VI_1", "VI_2").replace("router_id 51", "router_id 52").replace("192.0.2.100", "192.0.2.101");
    (first, second)
}

#[test]
fn an_unchanged_file_changes_nothing() {
    slow_test(|| {
        let text = configuration("", 150, QUIET);
        let (scene, node) = started(&text);
        let begin = Moment::now();
        for _ in 0..10 {
            let asked = Moment::now();
            node.reload(&text);
            scene.line("a", asked, "Reloaded: ");
        }
        // Comments and blank lines are no change either.
        let asked = Moment::now();
        node.reload(&format!("# written anew\n\n{text}"));
        scene.line("a", asked, "Reloaded: ");
        scene.advertised("a", Moment::now(), |_| true);
        is_undisturbed(&scene, begin);
        scene.nobody_resigned(begin);
    });
}

#[test]
fn a_broken_file_changes_nothing_and_is_told_with_its_line() {
    slow_test(|| {
        let text = configuration("", 150, QUIET);
        let (scene, node) = started(&text);
        let begin = Moment::now();
        for _ in 0..10 {
            let asked = Moment::now();
            node.reload(&text.replace("priority 150", "priority many"));
            scene.line("a", asked, "/run/rehearse/tanist.conf:5:14: error: ");
            scene.line("a", asked, "nothing was changed, the old configuration goes on");
        }
        node.host.remove_file("tanist.conf").expect("remove");
        let asked = Moment::now();
        node.signal(linux::signals::Signal::HANGUP);
        scene.line("a", asked, "nothing was changed, the old configuration goes on");
        for _ in 0..3 {
            scene.advertised("a", Moment::now(), |seen| seen.priority == 150);
        }
        is_undisturbed(&scene, begin);
        assert!(node.program.is_running());
    });
}

#[test]
fn a_changed_list_of_addresses_is_compared() {
    slow_test(|| {
        let text = configuration("", 150, QUIET);
        let (scene, node) = started(&text);
        let changed = Moment::now();
        node.reload(&text.replace("192.0.2.100/24", "192.0.2.100/24\n        192.0.2.101/24"));
        scene.only("a", MORE);
        scene.wait(changed, "the new address is announced", |record| is_announcement(record, "a", MORE));
        scene.advertised("a", changed, |seen| seen.addresses == [ADDRESS, MORE]);
        let kept = |record: &crate::support::Record| is_address_change(record, ADDRESS);
        assert!(!scene.lab.journal().since(changed).iter().any(kept), "{}", scene.story());
        let announced = |record: &crate::support::Record| is_announcement(record, "a", ADDRESS);
        assert!(!scene.lab.journal().since(changed).iter().any(announced), "{}", scene.story());

        let changed = Moment::now();
        node.reload(&text.replace("192.0.2.100/24", "192.0.2.101/24"));
        scene.until("the old address is gone", || scene.holders(ADDRESS).is_empty());
        assert_eq!(scene.holders(MORE), ["a"]);
        scene.advertised("a", changed, |seen| seen.addresses == [MORE]);
        scene.nobody_resigned(changed);
        assert!(scene.runs("a", changed).is_empty());
    });
}

#[test]
fn an_address_that_moves_to_another_instance_stays_where_it_is() {
    slow_test(|| {
        let (first, second) = two_instances();
        let with_both = |text: &str, other: Ipv4Addr| {
            text.replace("    virtual_ipaddress {\n", &format!("    virtual_ipaddress {{\n        {other}/24\n"))
        };
        let third = Ipv4Addr::new(192, 0, 2, 102);
        let (scene, node) = started(&format!("{first}{}", with_both(&second, third)));
        scene.wait(Moment::from_nanos(0), "the address", |record| is_address_change(record, third));
        let moved = Moment::now();
        node.reload(&format!("{}{second}", with_both(&first, third)));
        scene.advertised("a", moved, |seen| seen.vrid == 51 && seen.addresses.len() == 2);
        scene.advertised("a", moved, |seen| seen.vrid == 52 && seen.addresses.len() == 1);
        for address in [ADDRESS, MORE, third] {
            assert_eq!(scene.holders(address), ["a"], "{address}\n{}", scene.story());
        }
        let touched = scene.lab.journal().since(moved).into_iter().find(|record| is_address_change(record, third));
        assert_eq!(touched, None, "{}", scene.story());
    });
}

#[test]
fn an_instance_that_is_removed_says_goodbye_and_the_other_one_goes_on() {
    slow_test(|| {
        let (text, second) = two_instances();
        let (scene, node) = started(&format!("{text}{second}"));
        scene.only("a", MORE);
        let removed = Moment::now();
        node.reload(&text);
        scene.advertised("a", removed, |seen| seen.vrid == 52 && seen.priority == 0);
        scene.until("its address is gone", || scene.holders(MORE).is_empty());
        scene.ran("a", removed, &["notify", "INSTANCE", "VI_2", "FAULT", "150"]);
        scene.advertised("a", Moment::now(), |seen| seen.vrid == 51);
        assert_eq!(scene.holders(ADDRESS), ["a"]);
        let of_the_first = scene.advertisements(removed).into_iter().filter(|(_, _, seen)| seen.vrid == 51);
        assert!(of_the_first.map(|(_, _, seen)| seen.priority).all(|priority| priority == 150));

        let added = Moment::now();
        node.reload(&format!("{text}{second}"));
        scene.only("a", MORE);
        scene.ran("a", added, &["notify", "INSTANCE", "VI_2", "MASTER", "150"]);
    });
}
