//! The files that USR1 and USR2 ask for.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use linux::signals::Signal;

use crate::support::story::run;
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, slow_test, tanist};

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
        let mut daemon = tanist();
        daemon.command.splice(0..0, ["env".to_owned(), "TMPDIR=/run/dumps".to_owned()]);
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
            "   Advert interval = 0.20 sec",
            "   Accept = enabled",
            "   Preempt = enabled",
            "   Authentication type = none",
            "   Virtual IP (1):",
            "     192.0.2.100/24 dev eth0 set",
            "   Virtual Routes :",
            "     203.0.113.0/24 dev eth0",
            "------< Static Rules >------",
            "     from 192.0.2.0/24 table 100 preference 9",
            "   Number of tracker faults = 0",
            " VRRP Script = check",
            "   Command = /run/rehearse/check",
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
