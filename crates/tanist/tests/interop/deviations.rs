//! Keywords by which an instance does otherwise: the same ones do the same to keepalived and to us.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Cast, PRIORITIES, of_host, own_address, started, unicast};
use crate::support::packet_peer::{Forged, send};
use crate::support::{
    ADDRESS, Daemon, HostPlan, Moment, Node, QUICK, Scene, configuration, let_pass, slow_test_with_keepalived, tanist,
};

/// Host `a` runs the daemon, host `b` speaks by hand.
fn with_each(test: impl Fn(&Scene, Daemon)) {
    slow_test_with_keepalived(|| {
        for daemon in [tanist(), Daemon::keepalived()] {
            let scene = Scene::new(&["a", "b"]);
            test(&scene, daemon);
        }
    });
}

fn says(scene: &Scene, source: Ipv4Addr, forged: Forged) -> Moment {
    let at = scene.lab.note("b", &format!("says {forged:?} from {source}"));
    send(&scene.hosts[1], source, forged);
    at
}

/// What `a` has sent since then.
fn sent(scene: &Scene, since: Moment) -> Vec<u8> {
    let all = scene.advertisements(since).into_iter();
    all.filter(|(_, host, _)| host == "a").map(|(_, _, seen)| seen.priority).collect()
}

#[test]
fn unicast_from_peers_and_from_not_too_far() {
    with_each(|scene, daemon| {
        let peer = own_address(1);
        let lines = format!(
            "{QUICK}\n    unicast_src_ip {}\n    unicast_ttl 64\n    unicast_peer {{\n        {peer} min_ttl 200 max_ttl \
             254\n    }}",
            own_address(0)
        );
        let _node = Node::start(&scene.hosts[0], daemon, &configuration("", 100, &lines));
        scene.only("a", ADDRESS);
        let record = scene.advertised("a", Moment::now(), |_| true);
        let (_, _, seen) = scene.advertisements(record.at).remove(0);
        assert_eq!((seen.packet[8], seen.destination), (64, peer.into()), "TTL and destination");

        let better = Forged { time_to_live: 250, destination: own_address(0), ..Forged::quick(200) };
        let begin = Moment::now();
        says(scene, Ipv4Addr::new(192, 0, 2, 9), better);
        says(scene, peer, Forged { time_to_live: 255, ..better });
        says(scene, peer, Forged { time_to_live: 199, ..better });
        for _ in 0..5 {
            scene.advertised("a", Moment::now(), |_| true);
        }
        assert_eq!(scene.count_lines("a", begin, "Entering BACKUP STATE"), 0, "{}", scene.story());
        let heard = says(scene, peer, Forged { time_to_live: 254, ..better });
        scene.line("a", heard, "Entering BACKUP STATE");
    });
}

#[test]
fn unicast_without_peers_is_a_fault_if_that_is_meant() {
    with_each(|scene, daemon| {
        let begin = Moment::now();
        let lines = format!("{QUICK}\n    unicast_fault_no_peer");
        let node = Node::start(&scene.hosts[0], daemon, &configuration("", 150, &lines));
        scene.line("a", begin, "Cannot use unicast without any peers - going to fault state");
        // Several times as long as it would wait for a better one.
        let_pass(Duration::from_secs(3));
        assert_eq!(scene.count_lines("a", begin, "Entering MASTER STATE"), 0, "{}", scene.story());
        assert_eq!(sent(scene, begin), [0; 0]);
        assert!(scene.holders(ADDRESS).is_empty());
        node.stop();
    });
}

/// To another group, from another address.
fn another_group(cast: Cast) {
    let mut scene = Scene::empty();
    for (name, addresses) in [("a", ["192.0.2.1/24", "192.0.2.11/24"]), ("b", ["192.0.2.2/24", "192.0.2.12/24"])] {
        scene.add(&HostPlan::new(name).interface("eth0", &addresses));
    }
    let configurations = [0, 1].map(|host| {
        let lines = format!("{QUICK}\n    mcast_dst_ip 224.0.0.77\n    mcast_src_ip 192.0.2.1{}", host + 1);
        of_host(host, "", &lines)
    });
    let begin = Moment::now();
    let _nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    let off = scene.lab.note("a", "power off");
    scene.hosts[0].power_off().expect("power off");
    scene.only("b", ADDRESS);
    scene.advertised("b", off, |_| true);
    for (_, host, seen) in scene.advertisements(begin) {
        let source = Ipv4Addr::new(192, 0, 2, if host == "a" { 11 } else { 12 });
        assert_eq!((seen.destination, seen.source), (Ipv4Addr::new(224, 0, 0, 77).into(), source.into()));
    }
    assert!(sent(&scene, begin).iter().all(|priority| *priority == PRIORITIES[0]));
}

// Shows: vrrp_instance.mcast_dst_ip
#[test]
fn ours_to_keepalived_in_another_group() {
    slow_test_with_keepalived(|| another_group(Cast::OursAndKeepalived));
}

#[test]
fn keepalived_to_ours_in_another_group() {
    slow_test_with_keepalived(|| another_group(Cast::KeepalivedAndOurs));
}

#[test]
fn more_advertisements_may_be_missed() {
    slow_test_with_keepalived(|| {
        for cast in [Cast::OursAndKeepalived, Cast::KeepalivedAndOurs] {
            let scene = Scene::new(&["a", "b"]);
            let configurations = [0, 1].map(|host| of_host(host, "", &format!("{QUICK}\n    down_timer_adverts 10")));
            let begin = Moment::now();
            let _nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
            let off = scene.lab.note("a", "power off");
            scene.hosts[0].power_off().expect("power off");
            scene.only("b", ADDRESS);
            let last = scene.advertisements(begin).into_iter().rfind(|(_, host, _)| host == "a").expect("it spoke").0;
            let first = scene.advertised("b", off, |_| true).at;
            // 10 × 200 ms + 156/256 × 200 ms.
            assert!(first.since(last) >= Duration::from_millis(2_121), "{:?}", first.since(last));
        }
    });
}

/// An owner speaks at once, and then not again for 40 s unless somebody makes it.
#[test]
fn a_lower_priority_is_answered_or_not() {
    for (line, answers) in [("", true), ("lower_prio_no_advert", false)] {
        with_each(|scene, daemon| {
            let lines = format!("    state MASTER\n    version 3\n    advert_int 40\n    {line}");
            let begin = Moment::now();
            let _node = Node::start(&scene.hosts[0], daemon, &configuration("", 255, &lines));
            scene.advertised("a", begin, |_| true);
            scene.only("a", ADDRESS);
            let_pass(Duration::from_millis(500));
            let heard = says(scene, own_address(1), Forged { interval: 4000, ..Forged::quick(100) });
            scene.line("a", heard, "with lower priority 100");
            let_pass(Duration::from_secs(1));
            assert_eq!(!sent(scene, heard).is_empty(), answers, "{}", scene.story());
        });
    }
}

/// Every two seconds, so that what comes between is no ordinary one.
#[test]
fn a_last_advertisement_is_sent_or_not() {
    for (line, speaks) in [("higher_prio_send_advert", true), ("higher_prio_send_advert off", false)] {
        with_each(|scene, daemon| {
            let lines = format!("    version 3\n    advert_int 2\n    {line}");
            let begin = Moment::now();
            let _node = Node::start(&scene.hosts[0], daemon, &configuration("", 150, &lines));
            scene.line("a", begin, "Entering MASTER STATE");
            scene.advertised("a", Moment::now(), |_| true);
            let heard = says(scene, own_address(1), Forged { interval: 200, ..Forged::quick(200) });
            let backup = scene.line("a", heard, "Entering BACKUP STATE").at;
            let_pass(Duration::from_millis(500));
            let between = sent(scene, heard);
            assert!(backup.since(heard) < Duration::from_secs(1), "too busy to tell\n{}", scene.story());
            assert_eq!(between.len(), usize::from(speaks), "{}", scene.story());
        });
    }
}

/// Who sums as keepalived did up to 1.3.6 is understood; and ours answers in that way, because such a peer understands no
/// other. keepalived 2.2 does not.
fn old_checksums(cast: Cast) {
    let scene = Scene::new(&["a", "b"]);
    let configurations = [0, 1].map(|host| {
        let old = if host == 0 { "\n    old_unicast_checksum" } else { "" };
        of_host(host, "", &format!("{QUICK}\n{}{old}", unicast(host)))
    });
    let begin = Moment::now();
    let _nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    for _ in 0..8 {
        scene.advertised("a", Moment::now(), |_| true);
    }
    let off = scene.lab.note("a", "power off");
    scene.hosts[0].power_off().expect("power off");
    scene.only("b", ADDRESS);
    scene.advertised("b", off, |_| true);
    let ours = |host: &str| matches!(cast, Cast::KeepalivedAndOurs) || host == "a";
    for (_, host, seen) in scene.advertisements(begin).into_iter().filter(|(_, host, _)| ours(host)) {
        let mut summed = vec![192, 0, 2, if host == "a" { 1 } else { 2 }, 224, 0, 0, 18, 0, 112, 0, 12];
        summed.extend(&seen.packet[20..]);
        let sum: u32 = summed.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        assert_eq!(((sum & 0xffff) + (sum >> 16)) as u16, 0xffff, "{host}: {seen:?}");
    }
    assert!(scene.advertisements(begin).iter().filter(|(at, ..)| *at < off).all(|(_, host, _)| host == "a"));
}

#[test]
fn ours_with_old_checksums_to_keepalived() {
    slow_test_with_keepalived(|| old_checksums(Cast::OursAndKeepalived));
}

#[test]
fn keepalived_with_old_checksums_to_ours() {
    slow_test_with_keepalived(|| old_checksums(Cast::KeepalivedAndOurs));
}

/// A cable that is pulled counts when it has been out for so long, and one that is back when it has been back.
#[test]
fn a_cable_must_be_out_and_in_for_a_while() {
    with_each(|scene, daemon| {
        let delays = "interface_up_down_delays {\n    eth0 0.3 0.35\n}";
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], daemon, &configuration(delays, 150, QUICK));
        scene.line("a", begin, "Entering MASTER STATE");
        let pulled = scene.lab.note("a", "the cable is pulled");
        scene.hosts[0].set_cable("eth0", false).expect("pull");
        let fault = scene.line("a", pulled, "Entering FAULT STATE").at;
        assert!(fault.since(pulled) >= Duration::from_millis(300), "{}", scene.story());
        let plugged = scene.lab.note("a", "the cable is back");
        scene.hosts[0].set_cable("eth0", true).expect("plug");
        let backup = scene.line("a", plugged, "Entering BACKUP STATE").at;
        assert!(backup.since(plugged) >= Duration::from_millis(350), "{}", scene.story());
    });
}
