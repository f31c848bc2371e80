//! `vrrp_track_process` beside keepalived's.
//!
//! keepalived hears of processes from the kernel's connector, which speaks in the machine's own namespaces and nowhere else:
//! on a host of these tests it is refused, and then keepalived counts nothing at all, not even what is there when it starts.
//! So there both are compared where nothing runs; that ours counts in a namespace, too, is shown beside it, and that it
//! follows what comes and goes in `daemon/tracking.rs`. Where the connector answers, they are compared with processes.

use std::time::Duration;

use crate::said::{DumpPlace, Said};
use crate::support::{
    Daemon, Moment, Node, Program, QUICK, Scene, Seen, configuration, let_pass, slow_test_with_keepalived, tanist,
};

const LINES: &str = "
    track_process {
        named
        enough
        too_many weight -9
        whole weight 3 reverse
        partly weight 10
        absent weight -20
    }";

const BEFORE: &str = "
vrrp_track_process named {
    process tracked
    weight 5
}
vrrp_track_process enough {
    process tracked
    quorum 2
    quorum_max 2
    weight 7
}
vrrp_track_process too_many {
    process tracked
    quorum_max 1
}
vrrp_track_process whole {
    process /run/rehearse/tracked 1000
}
vrrp_track_process partly {
    process /run/rehearse/tracked 10
    param_match initial
}
vrrp_track_process absent {
    process nosuchthing
    terminate_delay 3
    fork_delay 2
}
";

/// What a daemon makes of so many processes.
struct Found {
    /// The priority that it advertises.
    priority: u8,
    /// What it says of itself.
    said: Said,
    /// Nobody tells it of processes.
    deaf: bool,
}

fn found(daemon: &Daemon, processes: usize) -> Found {
    let scene = Scene::new(&["a"]);
    let host = &scene.hosts[0];
    let copied = host.output(&["cp", "/usr/bin/sleep", "/run/rehearse/tracked"]).expect("a shell");
    assert!(copied.status.success());
    let tracked = |_| host.start("tracked", &["/run/rehearse/tracked", "1000"]).expect("start it");
    let _running: Vec<Program> = (0..processes).map(tracked).collect();
    let place = DumpPlace::prepare(host);
    let begin = Moment::now();
    let before = format!("global_defs {{\n    router_id edge\n    script_user root\n}}{BEFORE}");
    let node = Node::start(host, place.of(daemon), &configuration(&before, 150, &format!("{QUICK}{LINES}")));
    scene.line("a", begin, "Entering MASTER STATE");
    let_pass(Duration::from_millis(500));
    let record = scene.advertised("a", Moment::now(), |_| true);
    let Seen::Advertisement(seen) = record.what else { unreachable!("that was asked for") };
    let deaf = scene.count_lines("a", begin, "Failed to set/clear process event listen") > 0;
    Found { priority: seen.priority, said: place.ask(&scene, &node), deaf }
}

#[test]
fn processes_count_as_with_keepalived() {
    slow_test_with_keepalived(|| {
        let (theirs, ours) = (found(&Daemon::keepalived(), 0), found(&tanist(), 0));
        // 150 − 9 − 20: none is enough.
        assert_eq!((ours.priority, theirs.priority), (121, 121));
        ours.said.compare(&theirs.said, "nothing runs");
        let ours = found(&tanist(), 2);
        // 150 + 5 + 7 − 9 − 3 + 10 − 20: one is too many in one place, and enough in the others.
        assert_eq!(ours.priority, 140);
        if theirs.deaf {
            eprintln!("{}: with no processes only: keepalived hears of none here", crate::support::test_name());
        } else {
            let theirs = found(&Daemon::keepalived(), 2);
            assert_eq!(theirs.priority, ours.priority);
            ours.said.compare(&theirs.said, "two run");
        }
    });
}
