//! Configurations that change while the pair works.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Cast, of_host, started, unicast};
use crate::support::{ADDRESS, Moment, QUICK, Scene, configuration, is_address_change, slow_test_with_keepalived};

fn priority_changes(cast: Cast) {
    let scene = Scene::new(&["a", "b"]);
    let configurations = [0, 1].map(|host| of_host(host, "", QUICK));
    let nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    let lowered = scene.lab.note("a", "priority 50");
    nodes[0].reload(&configuration("", 50, QUICK));
    scene.only("b", ADDRESS);
    scene.line("b", lowered, "Entering MASTER STATE");
    let raised = scene.lab.note("a", "priority 150");
    nodes[0].reload(&configurations[0]);
    scene.only("a", ADDRESS);
    scene.advertised("a", raised, |seen| seen.priority == 150);
}

#[test]
fn ours_loses_and_regains_the_role_by_reload() {
    slow_test_with_keepalived(|| priority_changes(Cast::OursAndKeepalived));
}

#[test]
fn keepalived_loses_and_regains_the_role_by_reload() {
    slow_test_with_keepalived(|| priority_changes(Cast::KeepalivedAndOurs));
}

const MORE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 101);

/// One node after the other gets one more address, the active one first. Versions of keepalived before 2.3 take no
/// advertisement with another list, unless they are told to trust the master that they know.
fn addresses_roll_out(cast: Cast) {
    let scene = Scene::new(&["a", "b"]);
    let lines = format!("{QUICK}\n    skip_check_adv_addr");
    let configurations = [0, 1].map(|host| of_host(host, "", &lines));
    let nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    let started = Moment::now();
    for (number, node) in nodes.iter().enumerate() {
        let changed = scene.lab.note(node.host.name(), "one more address");
        let one_more = format!("{ADDRESS}/24\n        {MORE}/24");
        node.reload(&configurations[number].replace(&format!("{ADDRESS}/24"), &one_more));
        scene.only("a", ADDRESS);
        if number == 0 {
            scene.only("a", MORE);
            scene.advertised("a", changed, |seen| seen.addresses.len() == 2);
        } else {
            scene.line("b", changed, "eload");
        }
        // Long enough for a standby that does not accept what it hears.
        for _ in 0..8 {
            scene.advertised("a", Moment::now(), |_| true);
        }
    }
    assert!(scene.advertisements(started).iter().all(|(_, host, _)| host == "a"), "{}", scene.story());
    assert_eq!((scene.holders(ADDRESS), scene.holders(MORE)), (vec!["a"], vec!["a"]));

    let off = scene.lab.note("a", "power off");
    scene.hosts[0].power_off().expect("power off");
    scene.only("b", ADDRESS);
    scene.only("b", MORE);
    assert!(scene.advertised("b", off, |seen| seen.addresses.len() == 2).at.since(off) > Duration::ZERO);
}

#[test]
fn addresses_roll_out_from_ours_to_keepalived() {
    slow_test_with_keepalived(|| addresses_roll_out(Cast::OursAndKeepalived));
}

#[test]
fn addresses_roll_out_from_keepalived_to_ours() {
    slow_test_with_keepalived(|| addresses_roll_out(Cast::KeepalivedAndOurs));
}

/// A standby of ours does not need to be told to: another list is remarked, and nothing else.
#[test]
fn a_standby_of_ours_accepts_another_list() {
    slow_test_with_keepalived(|| {
        let scene = Scene::new(&["a", "b"]);
        let configurations = [0, 1].map(|host| of_host(host, "", QUICK));
        let nodes = started(&scene, Cast::KeepalivedAndOurs, [&configurations[0], &configurations[1]]);
        let changed = Moment::now();
        let one_more = format!("{ADDRESS}/24\n        {MORE}/24");
        nodes[0].reload(&configurations[0].replace(&format!("{ADDRESS}/24"), &one_more));
        scene.line("b", changed, "expected 1 VIPs but received 2");
        for _ in 0..8 {
            scene.advertised("a", Moment::now(), |_| true);
        }
        assert!(scene.advertisements(changed).iter().all(|(_, host, _)| host == "a"), "{}", scene.story());
    });
}

/// From multicast to unicast and back while ours is active: if both nodes are told within three intervals, nobody has to
/// let go of anything (decision 100).
#[test]
fn a_pair_goes_over_to_unicast_and_back_without_a_gap() {
    slow_test_with_keepalived(|| {
        let scene = Scene::new(&["a", "b"]);
        let calm = "    version 3\n    advert_int 1\n";
        let by_multicast = [0, 1].map(|host| of_host(host, "", calm));
        let by_unicast = [0, 1].map(|host| of_host(host, "", &format!("{calm}{}", unicast(host))));
        let nodes = started(&scene, Cast::OursAndKeepalived, [&by_multicast[0], &by_multicast[1]]);
        let begin = Moment::now();
        for (configurations, destination) in
            [(&by_unicast, Ipv4Addr::new(192, 0, 2, 2)), (&by_multicast, Ipv4Addr::new(224, 0, 0, 18))]
        {
            let changed = scene.lab.note("", &format!("advertisements go to {destination}"));
            nodes.iter().zip(configurations).for_each(|(node, configuration)| node.reload(configuration));
            scene.advertised("a", changed, |seen| seen.destination == destination);
            // Longer than a standby waits that hears nothing.
            for _ in 0..5 {
                scene.advertised("a", Moment::now(), |_| true);
            }
        }
        assert!(scene.advertisements(begin).iter().all(|(_, host, seen)| host == "a" && seen.priority > 0));
        let moved = |record: &_| is_address_change(record, ADDRESS);
        assert!(!scene.lab.journal().since(begin).iter().any(moved), "{}", scene.story());
    });
}
