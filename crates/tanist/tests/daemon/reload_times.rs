//! When a configuration is read again, and what is left behind by that.

use std::path::Path;

use crate::support::story::run;
use crate::support::{ADDRESS, Host, Moment, Node, QUICK, Scene, configuration, let_pass, slow_test, tanist};

fn read(host: &Host, path: &str) -> String {
    host.read_file(Path::new(path)).unwrap_or_default()
}

fn text(more: &str, priority: u8) -> String {
    configuration(&format!("global_defs {{\n{more}\n}}"), priority, QUICK)
}

// Shows: global_defs.reload_time_file, global_defs.reload_repeat
#[test]
fn a_file_says_when_to_reload() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let with = |more: &str, priority| text(&format!("    reload_time_file /run/at\n{more}"), priority);
        let node = Node::start(host, tanist(), &with("", 150));
        scene.line("a", begin, "Entering MASTER STATE");
        let in_seconds = |seconds: u8| {
            run(host, &format!("date -u -d '+{seconds} seconds' +%H:%M:%SZ > /run/at.new && mv /run/at.new /run/at"));
        };

        let wrong = Moment::now();
        run(host, "echo soon > /run/at");
        scene.line("a", wrong, "Invalid reload time 'soon' specified - ignoring");
        let past = Moment::now();
        run(host, "echo '2020-01-01 00:00:00' > /run/at");
        scene.line("a", past, "Reload date/time is in the past - ignoring");

        let far = Moment::now();
        in_seconds(100);
        scene.line("a", far, "Scheduling reload for ");
        let near = Moment::now();
        host.write_file(&node.file(), &with("", 140)).expect("write");
        in_seconds(2);
        scene.line("a", near, "Reload time updated from ");
        scene.line("a", near, "Reloaded");
        scene.advertised("a", near, |seen| seen.priority == 140);
        scene.until("what is done is taken away", || read(host, "/run/at").is_empty());

        let away = Moment::now();
        in_seconds(100);
        scene.line("a", away, "Scheduling reload for ");
        run(host, "rm /run/at");
        scene.line("a", away, "Cancelling reload scheduled for ");

        // Every day.
        node.reload(&with("    reload_repeat", 140));
        let daily = Moment::now();
        in_seconds(2);
        scene.line("a", daily, "Scheduling reload for ");
        scene.line("a", daily, "Reloading ");
        scene.until("the next day has its turn", || scene.count_lines("a", daily, "Scheduling reload for ") == 2);
        assert!(!read(host, "/run/at").is_empty());
        scene.nobody_resigned(begin);
    });
}

// Shows: global_defs.reload_check_config, global_defs.config_save_dir, global_defs.reload_file
#[test]
fn a_reload_leaves_what_it_found_and_what_is_in_force() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let more = "    reload_check_config /run/found\n    config_save_dir /run/kept\n    reload_file /run/reading";
        let defined = format!("$PRIORITY=150\n{}", text(more, 150).replace("priority 150", "priority $PRIORITY"));
        let node = Node::start(host, tanist(), &defined);
        scene.line("a", begin, "Entering MASTER STATE");
        let kept = || run(host, "ls -1 /run/kept");
        scene.until("it is kept", || kept().lines().count() == 1);
        // With what the names stand for, and for nobody else's eyes.
        assert!(run(host, "cat /run/kept/*.0").contains("priority 150\n"));
        assert_eq!(run(host, "stat -c '%a' /run/kept /run/kept/*.0"), "700\n600\n");

        // Whoever writes the files says so, and sees when they have been read.
        run(host, "echo mine > /run/reading");
        let wrong = Moment::now();
        node.reload(&defined.replace("priority $PRIORITY", "priority never"));
        scene.line("a", wrong, "cannot be used, see /run/found for details");
        assert!(run(host, "test -e /run/reading || echo gone").contains("gone"));
        scene.until("the reason stands there", || read(host, "/run/found").contains("never"));
        let_pass(std::time::Duration::from_millis(200));
        assert_eq!(kept().lines().count(), 1, "it did not come into force");
        assert_eq!(scene.holders(ADDRESS), ["a"]);

        let good = Moment::now();
        node.reload(&defined.replace("PRIORITY=150", "PRIORITY=120"));
        scene.line("a", good, "Reloaded");
        scene.until("there are two now", || kept().lines().count() == 2);
        assert!(run(host, "cat /run/kept/*.1").contains("priority 120\n"));
        scene.until("nothing is wrong any more", || !read(host, "/run/found").contains("never"));
    });
}
