//! Tracked processes and files with the real daemon. Its hosts are containers, in which the kernel tells nobody of processes
//! that start; that it is heard where it speaks is a matter of `linux`.

use std::path::Path;
use std::time::Duration;

use linux::signals::Signal;

use crate::support::story::run;
use crate::support::{Moment, Node, QUICK, Scene, configuration, in_host, slow_test, tanist};

/// A program of a name of its own, of which there are several.
fn sleepers(scene: &Scene) {
    run(&scene.hosts[0], "cp \"$(command -v sleep)\" /run/rehearse/sleeper");
}

fn sleeper(scene: &Scene) -> rehearse::lab::Program {
    scene.hosts[0].start("sleeper", &["/run/rehearse/sleeper", "1000"]).expect("started")
}

// Shows: top-level.vrrp_track_process, vrrp_track_process.process, vrrp_track_process.weight, vrrp_track_process.quorum
// Shows: vrrp_track_process.quorum_max, vrrp_instance.track_process
#[test]
fn processes_are_counted_where_the_kernel_tells_nobody() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        sleepers(&scene);
        let before = "vrrp_track_process two {\n    process sleeper\n    quorum 2\n    quorum_max 3\n    weight 30\n}\n\
                      vrrp_track_process none {\n    process sleeper\n    quorum_max 0\n    weight -7\n}\n\
                      vrrp_track_process line {\n    process /run/rehearse/sleeper 1000\n    weight 5\n}\n";
        let lines = format!("{QUICK}\n    track_process {{\n        two\n        none\n        line\n    }}");
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &configuration(before, 100, &lines));
        let says = |since: Moment, priority: u8| {
            scene.advertised("a", since, |seen| seen.priority == priority);
        };
        scene.line("a", begin, "/proc is looked through every 1s");
        says(begin, 100);
        let mut running = Vec::new();
        for priority in [98, 128, 128, 98] {
            let since = scene.lab.note("a", "one more");
            running.push(sleeper(&scene));
            says(since, priority);
        }
        let since = scene.lab.note("a", "one less");
        let one = running.remove(0);
        one.kill_all().expect("killed");
        scene.line("a", since, "Quorum gained for tracked process two (3 running)");
        says(since, 128);
        let since = scene.lab.note("a", "two less");
        for one in running.drain(..2) {
            one.kill_all().expect("killed");
        }
        scene.line("a", since, "Quorum lost for tracked process two");
        says(since, 98);
        node.signal(Signal::USER_1);
        let read = || host_file(&scene, "/tmp/keepalived.data");
        scene.until("the dump is written", || read().contains("VRRP Track process = line"));
        let data = read();
        for line in [
            "------< VRRP Track processes >------\n VRRP Track process = two\n   Process = sleeper\n   Min processes = 2\n",
            "   Max processes = 3\n   Current processes = 1\n   Have quorum = false\n",
            "   Tracked processes :\n     two, weight 30\n     none, weight -7\n     line, weight 5\n",
            "   Process = /run/rehearse/sleeper\n   Parameters = 1000\n   Param match = all\n",
            "   Tracking instances :\n     VI_1, weight 30\n",
        ] {
            assert!(data.contains(line), "no {line:?} in\n{data}");
        }
        node.stop();
    });
}

fn host_file(scene: &Scene, path: &str) -> String {
    scene.hosts[0].read_file(Path::new(path)).unwrap_or_default()
}

/// A restart within the delay is no end. Without a weight an end is a FAULT, at once.
// Shows: vrrp_track_process.terminate_delay, vrrp_track_process.delay, vrrp_track_process.fork_delay, vrrp_track_process.full_command
// Shows: vrrp_track_process.param_match, vrrp_sync_group.track_process
#[test]
fn a_delay_bridges_a_restart() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        sleepers(&scene);
        let before = "vrrp_track_process patient {\n    process /run/rehearse/sleeper\n    full_command\n    \
                      terminate_delay 3600\n}\nvrrp_track_process hasty {\n    process /run/rehearse/sleeper 10\n    \
                      param_match initial\n    delay 0.3\n    weight 20\n}\n\
                      vrrp_sync_group G {\n    group { VI_1 }\n    track_process {\n        patient\n    }\n    \
                      sync_group_tracking_weight\n}\n";
        let lines = format!("{QUICK}\n    track_process {{\n        hasty\n    }}");
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &configuration(before, 100, &lines));
        scene.line("a", begin, "(VI_1) entering FAULT state (tracked process patient quorum not achieved)");
        let since = scene.lab.note("a", "it starts");
        let first = sleeper(&scene);
        scene.line("a", since, "(VI_1): tracked process patient leaving FAULT state");
        scene.line("a", since, "Quorum gained for tracked process hasty");
        scene.line("a", since, "Entering MASTER STATE");
        scene.advertised("a", since, |seen| seen.priority == 120);
        let since = scene.lab.note("a", "it ends");
        first.kill_all().expect("killed");
        let lost = scene.line("a", since, "Quorum lost for tracked process hasty").at;
        assert!(lost.since(since) >= Duration::from_millis(300), "{:?}", lost.since(since));
        scene.advertised("a", since, |seen| seen.priority == 100);
        assert_eq!(scene.count_lines("a", since, "Quorum lost for tracked process patient"), 0);
        let since = scene.lab.note("a", "it starts again");
        let _second = sleeper(&scene);
        scene.advertised("a", since, |seen| seen.priority == 120);
        scene.nobody_resigned(begin);
        node.stop();
    });
}

/// What is the same keeps what is known of it; what is new is read before it counts.
// Shows: vrrp_sync_group.track_file, vrrp_sync_group.sync_group_tracking_weight, tracked-thing.noreverse
#[test]
fn a_reload_follows_what_is_tracked() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_file("one", "5").expect("written");
        host.write_file("other", "2").expect("written");
        let text = |files: &str, weights: &str, group: &str| {
            let group = format!("vrrp_sync_group G {{\n    group {{ VI_1 }}\n    global_tracking\n{group}\n}}\n");
            let lines = format!("{QUICK}\n    track_file {{\n{weights}\n    }}");
            configuration(&format!("{files}{group}"), 100, &lines)
        };
        let file = |name: &str| {
            let path = in_host(name);
            format!("track_file {name} {{\n    file {}\n    weight 3 reverse\n}}\n", path.display())
        };
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text(&file("one"), "        one", ""));
        scene.advertised("a", begin, |seen| seen.priority == 85);

        let both = file("one") + &file("other");
        let since = scene.lab.note("a", "another one, and another weight");
        let group = "    track_file {\n        other weight 10 noreverse\n    }";
        node.reload(&text(&both, "        one weight 4 noreverse", group));
        scene.advertised("a", since, |seen| seen.priority == 140);
        scene.line("a", since, "Reloaded");
        let since = scene.lab.note("a", "the other number");
        host.write_file("other", "1").expect("written");
        scene.line("a", since, "Changing effective priority from 140 to 130");
        scene.advertised("a", since, |seen| seen.priority == 130);

        let since = scene.lab.note("a", "one less");
        node.reload(&text(&file("one"), "        one", ""));
        scene.advertised("a", since, |seen| seen.priority == 85);
        let since = scene.lab.note("a", "a fault");
        host.write_file("one", "85").expect("written");
        scene.line("a", since, "(VI_1): tracked file one now FAULT state");
        scene.resigned("a", since);
        let since = scene.lab.note("a", "and its end");
        host.remove_file("one").expect("removed");
        scene.line("a", since, "(VI_1): tracked file one leaving FAULT state");
        scene.advertised("a", since, |seen| seen.priority == 100);
        node.stop();
    });
}
