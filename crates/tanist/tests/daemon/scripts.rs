//! Checks and notify scripts: how they run, as whom, how long, and which may not.

use std::time::Duration;

use crate::support::story::run;
use crate::support::{
    ADDRESS, Moment, Node, QUICK, Scene, configuration, let_pass, slow_test, slow_test_with_users, tanist, word,
};

fn check(lines: &str) -> String {
    format!("vrrp_script check {{\n    script /run/rehearse/check.sh\n    interval 1\n{lines}\n}}")
}

fn tracked() -> String {
    format!("{QUICK}\n    track_script {{\n        check\n    }}")
}

/// Tells the journal what it does, in a line of its own.
fn tell(words: &str) -> String {
    format!("printf '{}\\n' > /run/rehearse/records", words.replace(' ', "\\t"))
}

#[test]
fn a_check_that_hangs_is_ended_with_everything_that_it_started() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // The script knows what TERM means; its child does not care.
        let script = format!(
            "#!/bin/sh\nif [ -e /run/rehearse/healthy ]; then exit 0; fi\n\
             trap '{}' TERM\n{}\n\
             sh -c 'trap \"\" TERM; while :; do {}; sleep 0.1; done' &\nwhile :; do sleep 0.1; done\n",
            tell("asked to end").replace('\'', "\""),
            tell("hangs"),
            tell("lives").replace('\'', "\"")
        );
        host.write_program("check.sh", &script).expect("a script");
        host.write_file("healthy", "").expect("write");
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &configuration(&check("    timeout 1"), 150, &tracked()));
        scene.only("a", ADDRESS);
        scene.line("a", begin, "VRRP_Script(check) succeeded");

        let hangs = Moment::now();
        host.remove_file("healthy").expect("remove");
        let started = scene.ran("a", hangs, &["hangs"]).at;
        scene.line("a", started, "VRRP_Script(check) timed_out");
        scene.resigned("a", started);
        let asked = scene.ran("a", started, &["asked", "to", "end"]).at;
        // A second, less the time that the script took to begin.
        assert!(asked.since(started) > Duration::from_millis(500), "{:?}", asked.since(started));
        // Two seconds later there is no asking any more. From then on the check is good again.
        host.write_file("healthy", "").expect("write");
        scene.line("a", asked, "VRRP_Script(check) succeeded");
        scene.only("a", ADDRESS);
        let repaired = Moment::now();
        let_pass(Duration::from_millis(500));
        assert!(scene.runs("a", repaired).is_empty(), "something of it lives on: {:?}", scene.runs("a", repaired));
        let last = scene
            .lab
            .journal()
            .since(asked)
            .into_iter()
            .rfind(|record| crate::support::run_words(record).is_some_and(|words| words == ["lives"]));
        let lived = last.expect("the child does not care").at.since(asked);
        assert!(lived > Duration::from_secs(1), "it was killed after {lived:?}");
    });
}

#[test]
fn one_check_never_runs_twice_at_once() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let script = format!("#!/bin/sh\n{}\nsleep 1.5\n{}\n", tell("begins"), tell("ends"));
        scene.hosts[0].write_program("check.sh", &script).expect("a script");
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration(&check("    timeout 10"), 150, &tracked()));
        scene.until("it has run some times", || scene.runs("a", begin).len() >= 6);
        for pair in scene.runs("a", begin).chunks_exact(2) {
            assert_eq!(pair, [["begins"], ["ends"]]);
        }
        scene.line("a", begin, "Script `check` is still running, so its next run is left out");
    });
}

// Shows: global_defs.script_user
#[test]
fn scripts_run_as_the_user_that_is_named() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let script = |name: &str| {
            format!("#!/bin/sh\nprintf '{name}\\t%s\\t%s\\n' $(id -un) $(id -G) > /run/rehearse/records\n")
        };
        host.write_program("check.sh", &script("check")).expect("a script");
        host.write_program("notify.sh", &script("notify")).expect("a script");
        let before = format!("global_defs {{\n    script_user nobody\n}}\n{}", check(""));
        let lines = format!("{}\n    notify_master /run/rehearse/notify.sh root", tracked());
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &configuration(&before, 150, &lines));
        scene.wait(begin, "the check runs as nobody", |record| {
            crate::support::run_words(record).is_some_and(|words| words[..2] == ["check", "nobody"] && words.len() == 3)
        });
        scene.ran("a", begin, &["notify", "root", "0"]);
    });
}

// Shows: global_defs.enable_script_security
#[test]
fn what_others_could_change_does_not_run_as_root() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let leaves = host.write_program("leaves", "#!/bin/sh\necho \"$0\" >> /run/traces\n").expect("a script");
        let open =
            "mkdir -p /run/open/inner && cp {} /run/open/inner/check && chmod 777 /run/open && touch /run/traces";
        run(host, &open.replace("{}", word(&leaves)));
        let before = "global_defs {\n    script_user root\n    enable_script_security\n}\n\
                      vrrp_script insecure {\n    script /run/open/inner/check\n    interval 1\n}\n\
                      vrrp_script linked {\n    script /bin/true\n    interval 1\n}";
        let lines = format!(
            "{QUICK}\n    track_script {{\n        insecure\n        linked\n    }}\n    notify_master /run/open/inner/check\n\
             notify_stop {}",
            word(&leaves)
        );
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(before, 150, &lines));
        for what in ["vrrp_script insecure: ", "(VI_1) notify_master: "] {
            let line =
                scene.line("a", begin, &format!("{what}Unsafe permissions found for script '/run/open/inner/check'"));
            assert!(line.to_string().contains("/run/open "), "the component is named: {line}");
            assert!(line.to_string().contains("chmod"), "the remedy is named: {line}");
        }
        // A directory on the way to it is a link, as /bin is on most systems.
        scene.line("a", begin, "VRRP_Script(linked) succeeded");
        scene.line("a", begin, "Entering MASTER STATE");
        assert_eq!(scene.count_lines("a", begin, "VRRP_Script(insecure)"), 0);
        assert_eq!(scene.count_lines("a", begin, "vrrp_script linked"), 0, "{}", scene.story());
        // Nobody but root can change this one: it has run, and it alone.
        node.stop();
        scene.until("a trace", || !run(host, "cat /run/traces").is_empty());
        assert_eq!(run(host, "cat /run/traces"), format!("{}\n", word(&leaves)));
    });
}

// Shows: vrrp_instance.notify, vrrp_instance.notify_master, vrrp_instance.notify_fault, vrrp_instance.notify_stop
#[test]
fn notify_scripts_get_the_arguments_of_keepalived_and_their_end_is_told() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_recorder("any").expect("a recorder");
        for name in ["master", "backup", "fault", "stop"] {
            host.write_recorder(name).expect("a recorder");
        }
        host.write_program("fails", "#!/bin/sh\nexit 3\n").expect("a script");
        let lines = format!(
            "{QUICK}\n    notify_master \"/run/rehearse/master 'two words' $HOME\"\n    notify_backup /run/rehearse/fails\n\
             notify_fault /run/rehearse/fault\n    notify_stop /run/rehearse/stop\n    notify /run/rehearse/any"
        );
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration("", 150, &lines));
        scene.line("a", begin, "(VI_1) notify script /run/rehearse/fails exited with status 3");
        scene.only("a", ADDRESS);
        host.set_interface("eth0", false).expect("down");
        scene.ran("a", begin, &["any", "INSTANCE", "VI_1", "FAULT", "150"]);
        node.stop();
        scene.ran("a", begin, &["any", "INSTANCE", "VI_1", "STOP", "150"]);
        let runs: Vec<String> = scene.runs("a", begin).iter().map(|words| words.join("|")).collect();
        assert_eq!(
            runs,
            [
                "any|INSTANCE|VI_1|BACKUP|150",
                "master|two words|$HOME",
                "any|INSTANCE|VI_1|MASTER|150",
                "fault",
                "any|INSTANCE|VI_1|FAULT|150",
                "stop",
                "any|INSTANCE|VI_1|STOP|150",
            ]
        );
    });
}
