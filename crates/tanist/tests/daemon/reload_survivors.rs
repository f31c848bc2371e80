//! What lives on across a reload because it did not change: runs of checks, readers of pipes, counters, and the memory of
//! what was heard before. And what a broken file may do whatever is said about checking it: nothing.

use std::path::Path;

use linux::signals::Signal;

use crate::support::packet_peer::send_packet;
use crate::support::{
    ADDRESS, Host, Moment, Node, QUICK, Scene, configuration, dumping_to, is_address_change, slow_test, tanist,
};

fn read(host: &Host, path: &str) -> String {
    host.read_file(Path::new(path)).unwrap_or_default()
}

fn count(host: &Host, path: &str, word: &str) -> usize {
    read(host, path).lines().filter(|line| *line == word).count()
}

/// Ours, which writes its statistics into `/run`.
fn start(host: &Host, text: &str) -> Node {
    let daemon = dumping_to("/run", tanist());
    Node::start(host, daemon, text)
}

/// A number of the statistics of the first instance, written now.
fn statistic(scene: &Scene, node: &Node, key: &str) -> u64 {
    node.host.run(|| std::fs::remove_file("/run/keepalived.stats")).expect("the host is on").unwrap_or_default();
    node.signal(Signal::USER_2);
    let number = || {
        let text = read(&node.host, "/run/keepalived.stats");
        let first = text.split("VRRP Instance: ").nth(1)?;
        first.lines().find_map(|line| line.trim().strip_prefix(key)?.trim().parse().ok())
    };
    scene.until(&format!("the statistics say {key}"), || number().is_some());
    number().expect("it was there a moment ago")
}

#[test]
fn a_run_of_a_check_a_reader_and_the_counters_live_on() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // The run of this check is under way while everything around it changes.
        host.write_program("long", "#!/bin/sh\necho begun >> /run/long\nsleep 4\necho done >> /run/long\n")
            .expect("a check");
        host.write_program("reader", "#!/bin/sh\necho begun >> /run/reader\nexec cat \"$1\" > /dev/null\n")
            .expect("a reader");
        let before = "global_defs {\n    script_user root\n    enable_script_security\n    notify_fifo /run/pipe\n    \
                      notify_fifo_script /run/rehearse/reader\n}\nvrrp_script long {\n    script /run/rehearse/long\n    \
                      interval 30\n    timeout 20\n    weight 10\n}\n";
        let tracking = format!("{QUICK}\n    track_script {{\n        long\n    }}");
        let first = configuration(before, 150, &tracking);
        let second = configuration("", 150, QUICK)
            .replace("VI_1", "VI_2")
            .replace("router_id 51", "router_id 52")
            .replace("192.0.2.100", "192.0.2.101");
        let begin = Moment::now();
        let node = start(host, &format!("{first}{second}"));
        scene.until("the check runs", || count(host, "/run/long", "begun") == 1);
        scene.line("a", begin, "(VI_2) Entering MASTER STATE");
        scene.until("the reader runs", || count(host, "/run/reader", "begun") == 1);
        for (text, what) in [
            (first.clone(), "an instance is removed"),
            (format!("{second}{first}"), "it comes back as the first one"),
            (first.replace("weight 10", "weight 20"), "and goes again, with a change of the check"),
        ] {
            let changed = scene.lab.note("a", what);
            node.reload(&text);
            scene.line("a", changed, "Reloaded");
        }
        assert_eq!(count(host, "/run/long", "done"), 0, "it ran while everything changed\n{}", scene.story());
        scene.line("a", begin, "VRRP_Script(long) succeeded");
        scene.advertised("a", begin, |seen| seen.vrid == 51 && seen.priority == 170);
        assert_eq!((count(host, "/run/long", "begun"), count(host, "/run/long", "done")), (1, 1));
        assert_eq!(count(host, "/run/reader", "begun"), 1, "the reader was started once");

        let (sent, became) = (statistic(&scene, &node, "Sent:"), statistic(&scene, &node, "Became master:"));
        assert_eq!(became, 1);
        let changed = Moment::now();
        node.reload(&first.replace("priority 150", "priority 140"));
        scene.advertised("a", changed, |seen| seen.priority < 170 && seen.priority > 140);
        assert!(statistic(&scene, &node, "Sent:") > sent, "the counters begin anew");
        assert_eq!(statistic(&scene, &node, "Became master:"), 1);
    });
}

/// Nobody makes a router forget by a reload of its neighbour, or of itself.
#[test]
fn what_was_heard_before_a_reload_is_not_believed_after_it() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b", "stranger"]);
        let signed = |priority| {
            let key = "\"a key of thirty-two octets or more\"";
            configuration("", priority, &format!("{QUICK}\n    auth_hmac {{\n        key 1 {key}\n    }}"))
        };
        let begin = Moment::now();
        let a = start(&scene.hosts[0], &signed(150));
        scene.only("a", ADDRESS);
        let b = start(&scene.hosts[1], &signed(100));
        let standby = scene.line("b", begin, "Entering BACKUP STATE").at;
        let record = scene.advertised("a", standby, |_| true);
        let (_, _, heard) = scene.advertisements(record.at).remove(0);
        for (node, text) in [(&b, signed(90)), (&a, signed(140)), (&b, signed(80))] {
            let changed = Moment::now();
            node.reload(&text);
            scene.line(node.host.name(), changed, "Reloaded");
            scene.advertised("a", Moment::now(), |_| true);
            let again = scene.lab.note("stranger", "repeats a");
            send_packet(&scene.hosts[2], heard.packet.clone(), heard.destination);
            scene.advertised("a", Moment::now(), |_| true);
            if node.host.name() == "b" {
                scene.line("b", again, "somebody repeats it");
            }
        }
        // What a says after its reload is believed at once.
        let spoke = scene.lab.journal().since(standby).into_iter();
        let others = spoke.filter(|record| &*record.host == "b" && is_address_change(record, ADDRESS)).count();
        assert_eq!(others, 0, "{}", scene.story());
        scene.nobody_resigned(standby);
    });
}

#[test]
fn a_broken_file_changes_nothing_whatever_is_said_about_checking_it() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let checked = "global_defs {\n    reload_check_config /run/found\n}";
        for (running, broken) in [("", checked), (checked, ""), (checked, checked), ("", "")] {
            let begin = Moment::now();
            let node = start(host, &configuration(running, 150, QUICK));
            scene.line("a", begin, "Entering MASTER STATE");
            scene.only("a", ADDRESS);
            // Who writes down what the kernel tells may be behind.
            scene.wait(begin, "the address", |record| is_address_change(record, ADDRESS));
            // Half of it is good, and new: none of that may count.
            let text = configuration(broken, 50, QUICK).replace("192.0.2.100", "192.0.2.101") + "vrrp_instance {\n";
            let asked = Moment::now();
            node.reload(&text);
            scene.line("a", asked, "nothing was changed, the old configuration goes on");
            for _ in 0..3 {
                scene.advertised("a", Moment::now(), |seen| seen.priority == 150 && seen.addresses == [ADDRESS]);
            }
            let touched =
                scene.lab.journal().since(asked).into_iter().find(|record| is_address_change(record, ADDRESS));
            assert_eq!(touched, None, "{}", scene.story());
            let asked = Moment::now();
            node.reload(&configuration("", 120, QUICK));
            scene.advertised("a", asked, |seen| seen.priority == 120);
            node.stop();
        }
    });
}
