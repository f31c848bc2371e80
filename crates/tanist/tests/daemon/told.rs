//! Who is told of changes beside notify scripts: readers of pipes across a reload and at the stop, people by mail, and what
//! runs first and last.

use std::time::Duration;

use linux::signals::Signal;

use crate::support::mail_server::MailServer;
use crate::support::story::run;
use crate::support::{
    ADDRESS, Host, HostPlan, Moment, Node, PATIENCE, Program, QUICK, Scene, binary, configuration, let_pass, slow_test,
    slow_test_with_users, tanist, word,
};

const FIFO: &str = "/run/rehearse/told.fifo";

/// A second instance without addresses.
fn second(priority: u8, lines: &str) -> String {
    format!(
        "vrrp_instance VI_2 {{\n    interface eth0\n    virtual_router_id 52\n    priority {priority}\n{QUICK}\n    \
         no_virtual_ipaddress\n{lines}}}\n"
    )
}

fn global(lines: &str) -> String {
    format!("global_defs {{\n    router_id edge\n    notify_fifo {FIFO}\n{lines}}}\n")
}

/// Reads the pipe until it ends.
fn reader(host: &Host) -> Program {
    run(host, ": > /run/rehearse/lines");
    let script = format!("until [ -p {FIFO} ]; do sleep 0.01; done; exec cat {FIFO} > /run/rehearse/lines");
    host.start("reader", &["sh", "-c", &script]).expect("start a reader")
}

fn lines(host: &Host) -> Vec<String> {
    run(host, "cat /run/rehearse/lines").lines().map(str::to_owned).collect()
}

fn until_line(scene: &Scene, line: &str) {
    scene.until(line, || lines(&scene.hosts[0]).iter().any(|one| one == line));
}

// Shows: global_defs.fifo_write_vrrp_states_on_reload
#[test]
fn a_reader_stays_connected_across_a_reload_and_gets_the_last_line() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let reader = reader(host);
        let text = configuration(&(global("") + &second(140, "")), 150, QUICK);
        let node = Node::start(host, tanist(), &text);
        until_line(&scene, "INSTANCE \"VI_1\" MASTER 150");
        until_line(&scene, "INSTANCE \"VI_2\" MASTER 140");
        let before = lines(host).len();
        let pipe = run(host, &format!("stat -c %i {FIFO}"));

        // Another priority is not told at a reload, and without being asked for no state is.
        let reloaded = Moment::now();
        node.reload(&configuration(&(global("") + &second(130, "")), 150, QUICK));
        scene.line("a", reloaded, "Reloaded");
        assert_eq!(lines(host).len(), before, "{:?}", lines(host));

        let reloaded = Moment::now();
        let telling = global("    fifo_write_vrrp_states_on_reload\n    vrrp_notify_priority_changes\n");
        node.reload(&configuration(&(telling.clone() + &second(120, "")), 150, QUICK));
        scene.line("a", reloaded, "Reloaded");
        assert_eq!(lines(host)[before..], ["INSTANCE \"VI_2\" MASTER 120", "INSTANCE \"VI_1\" MASTER 150"]);

        // One goes and one has another number: each is told once.
        let reloaded = Moment::now();
        let other = configuration(&telling, 150, QUICK).replace("virtual_router_id 51", "virtual_router_id 61");
        node.reload(&other);
        scene.line("a", reloaded, "Reloaded");
        scene.until("it is active again", || {
            lines(host)[before + 2..].last().is_some_and(|line| line == "INSTANCE \"VI_1\" MASTER 150")
        });
        let told = lines(host)[before + 2..].to_vec();
        let about = |name: &str| -> Vec<&String> { told.iter().filter(|line| line.contains(name)).collect() };
        assert_eq!(about("VI_2"), ["INSTANCE \"VI_2\" FAULT 120"]);
        assert_eq!(
            about("VI_1"),
            ["INSTANCE \"VI_1\" FAULT 150", "INSTANCE \"VI_1\" BACKUP 150", "INSTANCE \"VI_1\" MASTER 150"]
        );
        assert_eq!(run(host, &format!("stat -c %i {FIFO}")), pipe, "it is the same pipe");
        node.stop();
        assert!(reader.wait(PATIENCE), "the pipe ends");
        assert_eq!(lines(host).last().map(String::as_str), Some("INSTANCE \"VI_1\" STOP 150"));
    });
}

// Shows: vrrp_sync_group.notify_priority_changes, vrrp_instance.notify_priority_changes
#[test]
fn priorities_are_told_by_those_that_say_so() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_check("check").expect("a check");
        let check = "vrrp_script check {\n    script /run/rehearse/check\n    interval 1\n    weight -60\n}\n";
        let tracked = "    track_script {\n        check\n    }\n";
        // The group says so for its members, one of which says otherwise, and one outside says so itself.
        let third =
            second(110, &format!("{tracked}    notify_priority_changes\n")).replace("VI_2", "VI_3").replace("52", "53");
        let fourth = second(100, tracked).replace("VI_2", "VI_4").replace("52", "54");
        let group = "vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n    notify_priority_changes\n    \
                     sync_group_tracking_weight\n}\n";
        let before = [
            global("").as_str(),
            check,
            group,
            &second(120, &format!("{tracked}    notify_priority_changes no\n")),
            &third,
            &fourth,
        ]
        .concat();
        let reader = reader(host);
        let node = Node::start(host, tanist(), &configuration(&before, 150, &format!("{QUICK}\n{tracked}")));
        for line in ["INSTANCE \"VI_1\" MASTER 150", "INSTANCE \"VI_3\" MASTER 110", "INSTANCE \"VI_4\" MASTER 100"] {
            until_line(&scene, line);
        }
        let failed = Moment::now();
        host.set_check("check", false).expect("fail");
        scene.line("a", failed, "(VI_4) Changing effective priority from 100 to 40");
        until_line(&scene, "INSTANCE \"VI_1\" MASTER_PRIORITY 90");
        until_line(&scene, "INSTANCE \"VI_3\" MASTER_PRIORITY 50");
        host.set_interface("eth0", false).expect("down");
        until_line(&scene, "INSTANCE \"VI_3\" FAULT 50");
        host.set_check("check", true).expect("repair");
        // Who is not active is a backup here, even in FAULT.
        until_line(&scene, "INSTANCE \"VI_1\" BACKUP_PRIORITY 150");
        until_line(&scene, "INSTANCE \"VI_3\" BACKUP_PRIORITY 110");
        node.stop();
        assert!(reader.wait(PATIENCE));
        let others = ["INSTANCE \"VI_2\"", "INSTANCE \"VI_4\"", "GROUP"];
        let told = lines(host);
        let wrong =
            told.iter().find(|line| line.contains("_PRIORITY") && others.iter().any(|one| line.starts_with(one)));
        assert_eq!(wrong, None, "{told:?}");
    });
}

// Shows: global_defs.notify_fifo_script, global_defs.vrrp_notify_fifo_script
#[test]
fn a_reader_of_ours_is_started_with_the_pipe_and_again_when_it_ends() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // It ends when somebody becomes active, and takes its time with each line.
        let script = "#!/bin/sh\nlog=/run/rehearse/lines\necho \"begins $1\" >> $log\nwhile read -r line; do\n    sleep 0.05\n    \
                      echo \"$line\" >> $log\n    case \"$line\" in *MASTER*) exit 7;; esac\ndone < \"$2\"\necho ends >> $log\n";
        host.write_program("reader.sh", script).expect("a script");
        let vrrp = "#!/bin/sh\nexec cat \"$1\" > /run/rehearse/vrrp.lines\n";
        host.write_program("vrrp.sh", vrrp).expect("a script");
        run(host, ": > /run/rehearse/lines");
        let global = global(
            "    notify_fifo_script \"/run/rehearse/reader.sh 'its word'\"\n    vrrp_notify_fifo /run/rehearse/vrrp.fifo\n    \
             vrrp_notify_fifo_script /run/rehearse/vrrp.sh\n",
        );
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(&global, 150, QUICK));
        scene.line(
            "a",
            begin,
            "vrrp notify fifo script terminated: /run/rehearse/reader.sh its word exited with status 7; it is started again in 1 s",
        );
        // What is told while nobody reads is not lost.
        host.set_interface("eth0", false).expect("down");
        until_line(&scene, "INSTANCE \"VI_1\" FAULT 150");
        let reloaded = Moment::now();
        node.reload(&configuration(&global, 151, QUICK));
        scene.line("a", reloaded, "Reloaded");
        node.stop();
        assert_eq!(
            lines(host),
            [
                "begins its word",
                "INSTANCE \"VI_1\" BACKUP 150",
                "INSTANCE \"VI_1\" MASTER 150",
                "begins its word",
                "INSTANCE \"VI_1\" FAULT 150",
                "INSTANCE \"VI_1\" STOP 151",
                "ends",
            ]
        );
        let told = run(host, "cat /run/rehearse/vrrp.lines");
        let expected =
            ["BACKUP 150", "MASTER 150", "FAULT 150", "STOP 151"].map(|one| format!("INSTANCE \"VI_1\" {one}\n"));
        assert_eq!(told, expected.concat());
        assert_eq!(scene.count_lines("a", begin, "exited with status 0"), 2, "{}", scene.story());
    });
}

#[test]
fn a_pipe_belongs_to_whom_it_is_given_and_a_link_is_refused() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let text = |lines: &str, owner: &str| {
            let global = format!("global_defs {{\n    script_user nobody\n    notify_fifo {FIFO} {owner}\n{lines}}}\n");
            configuration(&global, 150, QUICK)
        };
        let owner = || run(host, &format!("stat -c '%U %G %a' {FIFO}")).trim().to_owned();
        let node = Node::start(host, tanist(), &text("", "daemon adm"));
        scene.only("a", ADDRESS);
        assert_eq!(owner(), "daemon adm 600");
        node.stop();
        let node = Node::start(host, tanist(), &text("", ""));
        scene.only("a", ADDRESS);
        let nobody = run(host, "id -gn nobody");
        assert_eq!(owner(), format!("nobody {} 600", nobody.trim()), "that of the scripts");
        node.stop();
        run(host, &format!("echo precious > /run/rehearse/file && ln -s /run/rehearse/file {FIFO}"));
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text("", ""));
        scene.line("a", begin, &format!("notify_fifo: open the pipe {FIFO}: it is a link; nobody is told by it"));
        scene.only("a", ADDRESS);
        node.stop();
        assert_eq!(run(host, "cat /run/rehearse/file"), "precious\n");
    });
}

// Shows: vrrp_instance.smtp_alert, vrrp_sync_group.smtp_alert, global_defs.smtp_connect_timeout
#[test]
fn mail_waits_for_its_server_and_nothing_waits_for_mail() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // Nothing is there at first that would take it, and the name cannot be looked up either.
        let mail = |server: &str| {
            format!(
                "global_defs {{\n    router_id edge\n    notification_email {{\n        ops@example.com\n    }}\n    \
                 smtp_server {server}\n    smtp_connect_timeout 2\n}}\nvrrp_sync_group G {{\n    group {{\n        VI_1\n        \
                 VI_2\n    }}\n    smtp_alert\n}}\n"
            ) + &second(140, "    smtp_alert\n")
        };
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(&mail("no.such.host.invalid"), 150, QUICK));
        scene.only("a", ADDRESS);
        scene.line("a", begin, "mail cannot be sent by way of no.such.host.invalid:25: look up no.such.host.invalid: ");
        node.reload(&configuration(&mail("127.0.0.1"), 150, QUICK));
        scene.line("a", begin, "mail cannot be sent by way of 127.0.0.1:25: connection refused; ");
        let server = MailServer::start(host);
        scene.line("a", begin, "mail is sent again by way of 127.0.0.1:25");
        scene.until("everything has come", || server.subjects().len() == 4);
        node.stop();
        let mut subjects = server.subjects();
        let last = subjects.split_off(4);
        assert_eq!(
            subjects,
            [
                "[edge] VRRP Instance VI_2 - Entering BACKUP state",
                "[edge] VRRP Group G - Entering BACKUP state",
                "[edge] VRRP Instance VI_2 - Entering MASTER state",
                "[edge] VRRP Group G - Entering MASTER state",
            ]
        );
        assert_eq!(last, ["[edge] VRRP Instance VI_2 - Stopping", "[edge] VRRP Group G - Stopping"]);
        assert_eq!(scene.count_lines("a", begin, "mail cannot be sent by way of 127.0.0.1"), 1, "{}", scene.story());
    });
}

// Shows: global_defs.startup_script_timeout, global_defs.shutdown_script_timeout
#[test]
fn what_runs_first_and_last_may_not_take_for_ever() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_recorder("told").expect("a recorder");
        let script = "#!/bin/sh\ntrap '/run/rehearse/told asked \"$1\"' TERM\nsh -c 'trap \"\" TERM; while :; do date +%N > /run/rehearse/pulse; sleep 0.1; done' &\n\
                      /run/rehearse/told begins \"$1\"\nwhile :; do sleep 0.1; done\n";
        host.write_program("stubborn", script).expect("a script");
        let global = "global_defs {\n    startup_script \"/run/rehearse/stubborn first\"\n    startup_script_timeout 1\n    \
                      shutdown_script \"/run/rehearse/stubborn last\"\n    shutdown_script_timeout 2\n}";
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(global, 150, QUICK));
        let backup = scene.line("a", begin, "Entering BACKUP STATE").at;
        let started = scene.ran("a", begin, &["told", "begins", "first"]).at;
        scene.line("a", begin, "startup script timed out: /run/rehearse/stubborn first runs for 1s");
        scene.line("a", begin, "startup script /run/rehearse/stubborn first was killed by signal 9");
        // A second until it is asked and two until it is killed, less what it took to begin.
        assert!(backup.since(started) > Duration::from_millis(2500), "{:?}", backup.since(started));
        scene.only("a", ADDRESS);
        let stop = Moment::now();
        node.stop();
        scene.line("a", stop, "shutdown script timed out: /run/rehearse/stubborn last runs for 2s");
        assert_eq!(
            scene.runs("a", begin),
            [
                ["told", "begins", "first"],
                ["told", "asked", "first"],
                ["told", "begins", "last"],
                ["told", "asked", "last"]
            ]
        );
        let pulse = || run(host, "cat /run/rehearse/pulse");
        let before = pulse();
        let_pass(Duration::from_millis(500));
        assert_eq!(pulse(), before, "something of it lives on");
    });
}

#[test]
fn who_is_asked_to_stop_while_the_first_script_runs_begins_nothing() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let host = scene.add(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]));
        for name in ["told", "any"] {
            host.write_recorder(name).expect("a recorder");
        }
        let script = "#!/bin/sh\n/run/rehearse/told \"$1\"\n[ \"$1\" = last ] || exec sleep 600\n";
        host.write_program("slow", script).expect("a script");
        let global = "global_defs {\n    startup_script \"/run/rehearse/slow first\"\n    startup_script_timeout 1000\n    \
                      shutdown_script \"/run/rehearse/slow last\"\n}";
        for signal in [Signal::TERMINATE, Signal::INTERRUPT, Signal::QUIT] {
            let begin = Moment::now();
            let lines = format!("{QUICK}\n    notify /run/rehearse/any");
            let node = Node::start(&host, tanist(), &configuration(global, 150, &lines));
            scene.ran("a", begin, &["told", "first"]);
            node.signal(signal);
            assert!(node.program.wait(PATIENCE), "{}", scene.story());
            assert_eq!(scene.runs("a", begin), [["told", "first"], ["told", "last"]]);
            assert!(scene.advertisements(begin).is_empty());
        }
    });
}

#[test]
fn what_is_asked_while_the_first_script_runs_is_done_after_it() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_recorder("told").expect("a recorder");
        let script = "#!/bin/sh\n/run/rehearse/told first\nuntil [ -e /run/rehearse/go ]; do sleep 0.02; done\n";
        host.write_program("slow", script).expect("a script");
        let global = "global_defs {\n    startup_script /run/rehearse/slow\n    startup_script_timeout 1000\n}";
        host.write_file("keepalived.conf", &configuration(global, 150, QUICK)).expect("write");
        run(host, &format!("ln -s {} /run/rehearse/keepalived", word(binary())));
        let begin = Moment::now();
        let line = "TMPDIR=/run/rehearse exec /run/rehearse/keepalived -n -l -G -D --ignore-sigint \
                    -f /run/rehearse/keepalived.conf -p /run/rehearse/pid";
        let program = host.start("keepalived", &["sh", "-c", line]).expect("start");
        scene.ran("a", begin, &["told", "first"]);
        for signal in [Signal::INTERRUPT, Signal::HANGUP, Signal::USER_1] {
            program.signal(signal).expect("signal");
        }
        run(host, "touch /run/rehearse/go");
        for text in ["SIGINT is ignored, as asked", "Reloaded", "Writing /run/rehearse/keepalived.data"] {
            scene.line("a", begin, text);
        }
        scene.line("a", begin, "startup script /run/rehearse/slow succeeded");
        scene.only("a", ADDRESS);
    });
}
