//! The files that USR1, USR2 and the realtime signals ask for.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use linux::signals::Signal;

use crate::support::story::run;
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, dumping_to, slow_test, tanist};

#[test]
fn state_and_counters_are_written_where_they_are_looked_for() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_check("check").expect("a check");
        // Somebody else was there before and left a link to a file that matters.
        run(
            host,
            "mkdir /run/dumps && echo precious > /run/precious && ln -s /run/precious /run/dumps/keepalived.data",
        );
        let daemon = dumping_to("/run/dumps", tanist());
        let before = "static_rules {\n    from 192.0.2.0/24 table 100 preference 9\n}\nvrrp_script check {\n    script /run/rehearse/check\n    interval 1\n    rise 2\n}";
        let routes = "    virtual_routes {\n        203.0.113.0/24 dev eth0\n    }";
        let lines = format!("{QUICK}\n    track_script {{\n        check\n    }}\n{routes}");
        let begin = Moment::now();
        let node = Node::start(host, daemon, &configuration(before, 150, &lines));
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        node.signal(Signal::USER_1);
        node.signal(Signal::USER_2);
        let read = |name: &str| host.read_file(&Path::new("/run/dumps").join(name)).unwrap_or_default();
        scene.until("both are written", || {
            read("keepalived.data").contains("VRRP Script") && read("keepalived.stats").contains("Priority Zero")
        });
        assert_eq!(host.read_file(Path::new("/run/precious")).expect("it is there").trim(), "precious");
        for name in ["keepalived.data", "keepalived.stats"] {
            let path = Path::new("/run/dumps").join(name);
            let mode = host.run(move || path.symlink_metadata().map(|file| file.mode())).expect("the host is on");
            assert_eq!(mode.expect("it is there") & 0o177_777, 0o100_600, "{name} is a file for its owner");
        }
        // What keepalived's parent writes; there is no parent here, and who looks for the file finds it.
        scene.until("the parent's file", || !read("keepalived_parent.data").is_empty());
        let parent = read("keepalived_parent.data");
        assert!(parent.starts_with("------< Global definitions >------\n"), "{parent}");
        assert!(parent.contains("\n Router ID = ") && !parent.contains("VRRP Instance"), "{parent}");
        let data = read("keepalived.data");
        for line in [
            "------< Global definitions >------",
            " VRRP Instance = VI_1",
            "   State = MASTER",
            "   Interface = eth0",
            "   Virtual Router ID = 51",
            "   Priority = 150",
            "   Effective priority = 150",
            "   Total priority = 150",
            "   Advert interval = 200 milli-sec",
            "   Accept = enabled",
            "   Preempt = enabled",
            "   Virtual IP (1):",
            "     192.0.2.100/24 dev eth0 scope global set",
            "   Virtual Routes :",
            "     203.0.113.0/24 dev eth0",
            "------< Static Rules >------",
            "     from 192.0.2.0/24 table 100 preference 9",
            "   Number of tracker faults = 0",
            " VRRP Script = check",
            "   Command = '/run/rehearse/check'",
            "   Rise = 2",
            "   Status = GOOD",
        ] {
            assert!(data.lines().any(|found| found.trim_end() == line), "no {line:?} in\n{data}");
        }
        assert!(data.lines().any(|line| line.starts_with("   Last transition = ")), "{data}");

        let statistics = read("keepalived.stats");
        let number = |key: &str| {
            let line = statistics.lines().find_map(|line| line.trim().strip_prefix(key));
            line.and_then(|value| value.trim().parse::<u64>().ok())
                .unwrap_or_else(|| panic!("no {key} in\n{statistics}"))
        };
        assert!(statistics.starts_with("VRRP Instance: VI_1\n"), "{statistics}");
        assert!(number("Sent:") > 0);
        assert_eq!((number("Became master:"), number("Released master:"), number("Failure:")), (1, 0, 0));
    });
}

/// Also a realtime signal, which has no name.
fn send(node: &Node, signal: Signal) {
    linux::process::signal(node.program.pid(), signal).expect("signal the daemon");
}

// Shows: global_defs.state_dump_file, global_defs.stats_dump_file, global_defs.json_dump_file, global_defs.json_version
// Shows: global_defs.data_use_instance
#[test]
fn files_are_where_and_as_they_are_wanted() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        run(host, "mkdir /run/dumps");
        let daemon = dumping_to("/run/dumps", tanist());
        let tracked = format!("{QUICK}\n    track_process {{\n        own\n    }}");
        let own = "vrrp_track_process own {\n    process tanist\n    quorum_max 5\n    weight 5\n}";
        let with =
            |lines: &str| configuration(&format!("instance one\n{own}\nglobal_defs {{\n{lines}\n}}"), 150, &tracked);
        let begin = Moment::now();
        let files =
            "    state_dump_file /run/state\n    stats_dump_file /run/counters\n    json_dump_file /run/all.json";
        let node = Node::start(host, daemon, &with(&format!("{files}\n    json_version 2\n    umask 027")));
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        let read = |path: &str| host.read_file(Path::new(path)).unwrap_or_default();
        let json = |path: &str| -> serde_json::Value { serde_json::from_str(&read(path)).unwrap_or_default() };
        let ask = || [Signal::USER_1, Signal::USER_2, Signal::json()].into_iter().for_each(|one| send(&node, one));
        ask();
        scene.until("all are written", || {
            read("/run/state").contains("VRRP Instance")
                && read("/run/counters").contains("Sent:")
                && json("/run/all.json").is_object()
        });
        assert_eq!(run(host, "stat -c '%a' /run/state /run/counters /run/all.json"), "640\n640\n640\n");
        let all = json("/run/all.json");
        let data = &all["vrrp"][0]["data"];
        assert_eq!(
            (data["iname"].as_str(), data["vrid"].as_u64(), data["state"].as_u64()),
            (Some("VI_1"), Some(51), Some(2))
        );
        assert_eq!(data["vips"][0], "192.0.2.100/24 dev eth0 scope global set");
        let process = &all["track_process"][0];
        assert_eq!((process["process"].as_str(), process["max_processes"].as_u64()), (Some("tanist"), Some(5)));
        assert_eq!((process["current_processes"].as_u64(), process["have_quorum"].as_bool()), (Some(1), Some(true)));
        assert!(read("/run/all.json").contains("192.0.2.100\\/24"), "slashes are escaped");

        // The counters begin anew, after they have been written.
        let cleared = Moment::now();
        send(&node, Signal::statistics_clear());
        scene.line("a", cleared, "and clearing the counters");
        scene.until("they are old and many", || read("/run/counters").contains("Became master: 1"));
        scene.until("they are new", || {
            send(&node, Signal::json());
            json("/run/all.json")["vrrp"][0]["stats"]["become_master"] == 0
        });

        let again = Moment::now();
        node.reload(&with("    data_use_instance"));
        scene.line("a", again, "Reloaded");
        ask();
        scene.until("all have the name", || {
            let found = run(host, "ls /run/dumps");
            ["keepalived.one.data", "keepalived.one.json", "keepalived.one.stats", "keepalived_parent.one.data"]
                .iter()
                .all(|name| found.contains(name))
        });
        assert!(json("/run/dumps/keepalived.one.json").is_array());
        assert_eq!(run(host, "stat -c '%a' /run/dumps/*.one.*"), "600\n".repeat(4));
    });
}
