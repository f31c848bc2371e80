//! The life of a pair: start, crash, return, orderly stop.

use std::time::Duration;

use super::{Cast, of_host, own_address, started, unicast};
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, slow_test_with_keepalived};

/// What is different between the pairs.
#[derive(Clone, Copy)]
struct Kind {
    version: u8,
    unicast: bool,
    /// What `auth_type` says, if there is authentication.
    auth_type: Option<&'static str>,
}

impl Kind {
    fn configurations(self) -> [String; 2] {
        [0, 1].map(|host| {
            let mut lines = match self.version {
                2 => "    version 2\n    advert_int 1\n".to_owned(),
                _ => format!("{QUICK}\n"),
            };
            if self.unicast {
                lines += &unicast(host);
            }
            if let Some(auth_type) = self.auth_type {
                lines += &format!(
                    "    authentication {{\n        auth_type {auth_type}\n        auth_pass s3cret\n    }}\n"
                );
            }
            of_host(host, "", &lines)
        })
    }

    /// Three advertisements and the skew time of priority 100, in milliseconds.
    fn down_interval(self) -> Duration {
        // 3 × 1 s + 156/256 s, or 3 × 200 ms + 156/256 × 200 ms.
        Duration::from_millis(if self.version == 2 { 3_609 } else { 721 })
    }

    /// The skew time of priority 100.
    fn skew(self) -> Duration {
        Duration::from_millis(if self.version == 2 { 609 } else { 121 })
    }
}

fn live(cast: Cast, kind: Kind) {
    let scene = Scene::new(&["a", "b"]);
    let configurations = kind.configurations();
    let begin = Moment::now();
    let mut nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    let probe = scene.probe(ADDRESS);
    scene.answered_by(&probe, "a", begin);
    let record = scene.advertised("a", begin, |_| true);
    let (_, _, seen) = scene.advertisements(record.at).remove(0);
    assert_eq!((seen.version, seen.vrid, seen.priority), (kind.version, 51, 150));
    assert_eq!(seen.source, own_address(0));
    let destination = if kind.unicast { own_address(1).to_string() } else { "224.0.0.18".to_owned() };
    assert_eq!(seen.destination.to_string(), destination);

    let off = scene.lab.note("a", "power off");
    scene.hosts[0].power_off().expect("power off");
    scene.answered_by(&probe, "b", off);
    let last = scene.advertisements(begin).into_iter().rfind(|(_, host, _)| host == "a").expect("A was active").0;
    let first = scene.advertised("b", off, |_| true).at;
    assert!(first.since(last) >= kind.down_interval(), "{:?}", first.since(last));

    let on = scene.lab.note("a", "power on");
    scene.hosts[0].power_on().expect("power on");
    nodes[0] = Node::start(&scene.hosts[0], cast.daemons()[0].clone(), &configurations[0]);
    scene.answered_by(&probe, "a", on);
    scene.only("a", ADDRESS);
    scene.nobody_resigned(begin);

    let stopped = scene.lab.note("a", "stop");
    nodes[0].stop();
    scene.resigned("a", stopped);
    scene.only("b", ADDRESS);
    scene.answered_by(&probe, "b", stopped);
    if nodes[0].is_tanist() {
        // The address goes on answering until the successor speaks; a successor that hesitates for its skew time
        // would otherwise leave a hole of that size.
        let outage = probe.answers().between(stopped, Moment::now()).longest_outage();
        assert!(outage < kind.skew() / 2 || kind.version == 3, "{outage:?}\n{}", scene.story());
    }
    assert!(!scene.hosts[0].has_address(ADDRESS.into()));
}

macro_rules! lives {
    ($($name:ident: $cast:ident, version $version:literal, unicast $unicast:literal, $auth_type:expr;)*) => {
        $(#[test]
        fn $name() {
            let kind = Kind { version: $version, unicast: $unicast, auth_type: $auth_type };
            slow_test_with_keepalived(|| live(Cast::$cast, kind));
        })*
    };
}

lives! {
    ours_then_keepalived_v2_multicast_password: OursAndKeepalived, version 2, unicast false, Some("PASS");
    ours_then_keepalived_v2_unicast_password: OursAndKeepalived, version 2, unicast true, Some("PASS");
    ours_then_keepalived_v2_multicast_header: OursAndKeepalived, version 2, unicast false, Some("AH");
    ours_then_keepalived_v2_unicast_header: OursAndKeepalived, version 2, unicast true, Some("AH");
    ours_then_keepalived_v3_multicast: OursAndKeepalived, version 3, unicast false, None;
    ours_then_keepalived_v3_unicast: OursAndKeepalived, version 3, unicast true, None;
    keepalived_then_ours_v2_multicast_password: KeepalivedAndOurs, version 2, unicast false, Some("PASS");
    keepalived_then_ours_v2_unicast_password: KeepalivedAndOurs, version 2, unicast true, Some("PASS");
    keepalived_then_ours_v2_multicast_header: KeepalivedAndOurs, version 2, unicast false, Some("AH");
    keepalived_then_ours_v2_unicast_header: KeepalivedAndOurs, version 2, unicast true, Some("AH");
    keepalived_then_ours_v3_multicast: KeepalivedAndOurs, version 3, unicast false, None;
    keepalived_then_ours_v3_unicast: KeepalivedAndOurs, version 3, unicast true, None;
}

/// The one that comes back leaves the other one in peace.
fn return_without_preemption(cast: Cast) {
    let scene = Scene::new(&["a", "b"]);
    let lines = format!("{QUICK}\n    nopreempt");
    let configurations = [0, 1].map(|host| of_host(host, "", &lines));
    let mut nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    let killed = scene.lab.note("a", "kill -9");
    nodes[0].kill();
    scene.line("b", killed, "Entering MASTER STATE");
    let again = Moment::now();
    nodes[0].start_again();
    scene.only("b", ADDRESS);
    let backup = scene.line("a", again, "Entering BACKUP STATE").at;
    // Several times as long as the lower priority would have been let wait.
    for _ in 0..15 {
        scene.advertised("b", Moment::now(), |seen| seen.priority == 100);
    }
    assert_eq!(scene.holders(ADDRESS), ["b"]);
    assert!(scene.advertisements(backup).iter().all(|(_, host, _)| host == "b"), "{}", scene.story());

    // Asked to go, it goes, and then the greater one has its turn.
    let stopped = scene.lab.note("b", "stop");
    nodes[1].stop();
    scene.line("a", stopped, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
}

#[test]
fn ours_returns_and_does_not_preempt_keepalived() {
    slow_test_with_keepalived(|| return_without_preemption(Cast::OursAndKeepalived));
}

#[test]
fn keepalived_returns_and_does_not_preempt_ours() {
    slow_test_with_keepalived(|| return_without_preemption(Cast::KeepalivedAndOurs));
}
