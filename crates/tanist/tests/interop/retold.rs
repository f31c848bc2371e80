//! Who is told what when the configuration is read again, once and in a storm, and when the daemon is stopped in the middle of
//! that: the lines of the pipe and the calls of the scripts beside keepalived's.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use linux::signals::Signal;

use crate::differences;
use crate::support::fifo::Reader;
use crate::support::packet_peer::{Forged, send};
use crate::support::story::run;
use crate::support::{Daemon, Moment, Node, QUICK, Scene, let_pass, slow_test_with_scripts_of_keepalived, tanist};
use crate::told::by_subject;

const FIFO: &str = "/run/rehearse/told.fifo";

fn instance(number: u8, priority: u8, lines: &str) -> String {
    format!(
        "vrrp_instance VI_{number} {{\n    interface eth0\n    virtual_router_id {}\n    priority {priority}\n{QUICK}\n    \
         notify /run/rehearse/told\n{lines}    virtual_ipaddress {{\n        192.0.2.{}/24\n    }}\n}}\n",
        50 + number,
        99 + number
    )
}

/// What a daemon has told in all its life.
#[derive(Debug, PartialEq)]
struct Told {
    /// Of each instance, in order.
    lines: BTreeMap<String, Vec<String>>,
    /// In no order: keepalived starts all scripts at once.
    calls: Vec<Vec<String>>,
}

/// A life: who lives it and what is known of it.
struct Life<'s> {
    scene: &'s Scene,
    node: Node,
    reader: Reader,
}

impl Life<'_> {
    /// The instance is active and hears, and what came before has been told.
    fn is_awake(&self, number: u8) {
        let line = |priority: u8| format!("INSTANCE \"VI_{number}\" MASTER_RX_LOWER_PRI {priority}");
        let count = || {
            let lines = self.reader.lines(self.scene);
            lines.iter().filter(|one| [line(150), line(120)].contains(one)).count()
        };
        let before = count();
        self.scene.until("it hears", || {
            self.says(number, 50);
            let_pass(Duration::from_millis(50));
            count() > before
        });
    }

    fn says(&self, number: u8, priority: u8) {
        let address = Ipv4Addr::new(192, 0, 2, 99 + number);
        send(
            &self.scene.hosts[1],
            [192, 0, 2, 9].into(),
            Forged { vrid: 50 + number, address, ..Forged::quick(priority) },
        );
    }

    fn reload(&self, configuration: &str) {
        let since = Moment::now();
        self.node.reload(configuration);
        self.scene.line("a", since, "eload");
    }
}

fn lived_through(daemon: Daemon, global: &str, stormy: bool) -> Told {
    let scene = Scene::new(&["a", "peer"]);
    let host = &scene.hosts[0];
    host.write_recorder("told").expect("a recorder");
    let global = format!(
        "global_defs {{\n    router_id edge\n    script_user root\n    enable_script_security\n    vrrp_notify_fifo \
         {FIFO}\n{global}}}\nvrrp_script broken {{\n    script /usr/bin/false\n    interval 1\n    init_fail\n}}\n"
    );
    let faulty = instance(5, 150, "    track_script {\n        broken\n    }\n");
    let before =
        [&*global, &instance(1, 150, ""), &instance(2, 150, "    notify_deleted\n"), &instance(3, 150, ""), &faulty]
            .concat();
    let after = [&*global, &instance(1, 120, ""), &instance(4, 150, ""), &faulty].concat();
    let begin = Moment::now();
    let reader = Reader::start_again_and_again(&scene, FIFO);
    let life = Life { scene: &scene, node: Node::start(host, daemon, &before), reader };
    for number in [1, 2, 3] {
        life.reader.until(&scene, &format!("INSTANCE \"VI_{number}\" MASTER 150"), 1);
    }
    life.reader.until(&scene, "INSTANCE \"VI_5\" FAULT 150", 1);

    life.reload(&before);
    life.is_awake(1);
    if stormy {
        for _ in 0..8 {
            life.node.signal(Signal(life.node.daemon.reload));
            let_pass(Duration::from_millis(15));
        }
        life.is_awake(1);
    }
    life.reload(&after);
    life.reader.until(&scene, "INSTANCE \"VI_2\" DELETED 150", 1);
    life.reader.until(&scene, "INSTANCE \"VI_3\" FAULT 150", 1);
    life.reader.until(&scene, "INSTANCE \"VI_4\" MASTER 150", 1);
    life.is_awake(1);

    // A better one makes it a standby, and is heard while the same configuration is read once more.
    let backups = || life.reader.lines(&scene).iter().filter(|line| line.contains("\"VI_1\" BACKUP 120")).count();
    life.says(1, 200);
    scene.until("it is a standby", || backups() == 1);
    life.reader.until(&scene, "INSTANCE \"VI_1\" MASTER 120", 1);
    life.is_awake(1);
    if stormy {
        for _ in 0..3 {
            life.node.signal(Signal(life.node.daemon.reload));
        }
    }
    life.node.stop();
    // What is in the last pipe has been read when it has ended.
    scene.until("everything is told", || {
        let lines = life.reader.lines(&scene);
        [1, 4, 5]
            .iter()
            .all(|number| lines.iter().any(|line| line.starts_with(&format!("INSTANCE \"VI_{number}\" STOP"))))
    });
    run(host, &format!("touch {FIFO}.end"));
    let mut calls: Vec<Vec<String>> = Vec::new();
    scene.until("every script has run", || {
        calls = scene.runs("a", begin);
        [1, 4, 5]
            .iter()
            .all(|number| calls.iter().any(|words| words[2] == format!("VI_{number}") && words[3] == "STOP"))
    });
    calls.sort();
    let mut lines = by_subject(&life.reader.lines(&scene));
    for lines in lines.values_mut() {
        lines.retain(|line| !line.contains(differences::GOODBYE.0));
    }
    Told { lines, calls }
}

// Shows: vrrp_instance.notify_deleted
#[test]
fn a_storm_of_reloads_tells_what_keepalived_tells() {
    slow_test_with_scripts_of_keepalived(|| {
        let [ours, theirs] = [tanist(), Daemon::keepalived()].map(|daemon| lived_through(daemon, "", true));
        assert_eq!(ours, theirs);
        assert_eq!(ours.lines["INSTANCE \"VI_2\""].last().map(String::as_str), Some("INSTANCE \"VI_2\" DELETED 150"));
    });
}

/// See [`differences::STATES_AGAIN`]: which lines are repeated is left out, and that ours repeats all is not.
#[test]
fn states_are_told_again_after_a_reload() {
    slow_test_with_scripts_of_keepalived(|| {
        let global = "    fifo_write_vrrp_states_on_reload\n    vrrp_notify_priority_changes\n";
        let [mut ours, mut theirs] =
            [tanist(), Daemon::keepalived()].map(|daemon| lived_through(daemon, global, false));
        let repeated = |told: &Told, number: u8| {
            let lines = &told.lines[&format!("INSTANCE \"VI_{number}\"")];
            lines.windows(2).filter(|pair| state(&pair[0]) == state(&pair[1])).count()
        };
        // Twice read again; two of them are no longer there the second time, and one is new.
        assert_eq!([1, 2, 3, 4, 5].map(|number| repeated(&ours, number)), [2, 1, 1, 0, 2], "{ours:?}");
        assert_eq!(
            [1, 2, 3, 4, 5].map(|number| repeated(&theirs, number)),
            [0, 0, 0, 0, 2],
            "{}",
            differences::STATES_AGAIN
        );
        for told in [&mut ours, &mut theirs] {
            told.lines.values_mut().for_each(|lines| lines.dedup_by(|next, line| state(next) == state(line)));
        }
        assert_eq!(ours, theirs);
    });
}

/// `MASTER` of `INSTANCE "VI_1" MASTER 150`.
fn state(line: &str) -> &str {
    line.split(' ').nth(2).unwrap_or_default()
}
