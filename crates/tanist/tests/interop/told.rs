//! Who is told what: the same events on a host with keepalived and on a host with ours, and what comes out of their pipes,
//! what they say to a mail server, and which scripts they run is compared line by line.
//!
//! The order of two instances that change at one moment is nobody's promise, so what is compared is what is told of each.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::support::fifo::Reader;
use crate::support::mail_server::MailServer;
use crate::support::packet_peer::{Forged, send};
use crate::support::story::run;
use crate::support::{ADDRESS, Daemon, Moment, Node, QUICK, Scene, slow_test_with_scripts_of_keepalived, tanist};

const FIFO: &str = "/run/rehearse/told.fifo";
const VRRP_FIFO: &str = "/run/rehearse/vrrp.fifo";

fn instance(number: u8, priority: u8, lines: &str) -> String {
    format!(
        "vrrp_instance VI_{number} {{\n    interface eth0\n    virtual_router_id {}\n    priority {priority}\n{QUICK}\n{lines}    \
         virtual_ipaddress {{\n        192.0.2.{}/24\n    }}\n}}\n",
        50 + number,
        99 + number
    )
}

/// Two instances in a group, the second of which can fail, and one alone with a weight.
fn configuration(global: &str) -> String {
    let check = |name: &str, weight: i16| {
        format!("vrrp_script {name} {{\n    script /run/rehearse/{name}\n    interval 1\n    weight {weight}\n}}\n")
    };
    let global =
        format!("global_defs {{\n    router_id edge\n    script_user root\n    enable_script_security\n{global}}}\n");
    let group = "vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n";
    let tracked = |name: &str| format!("    track_script {{\n        {name}\n    }}\n");
    [
        global,
        check("load", -60),
        check("sound", 0),
        group.to_owned(),
        instance(1, 150, ""),
        instance(2, 150, &tracked("sound")),
        instance(3, 150, &tracked("load")),
    ]
    .concat()
}

/// The lines about each.
pub(crate) fn by_subject(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        found.entry(words[..2].join(" ")).or_default().push(line.clone());
    }
    found
}

/// Leads a daemon through everything that can happen, and answers its lines and the mail.
fn lived_through(daemon: Daemon, lines: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let scene = Scene::new(&["a", "peer"]);
    let (host, peer) = (&scene.hosts[0], &scene.hosts[1]);
    for check in ["load", "sound"] {
        host.write_check(check).expect("a check");
    }
    let global = format!(
        "    notification_email {{\n        ops@example.com\n        second@example.org\n    }}\n    notification_email_from \
         ka@example.net\n    smtp_server 127.0.0.1\n    smtp_helo_name edge.example.net\n    notify_fifo {FIFO}\n    \
         vrrp_notify_fifo {VRRP_FIFO}\n{lines}"
    );
    let mail = MailServer::start(host);
    let (reader, vrrp_reader) = (Reader::start(&scene, FIFO), Reader::start(&scene, VRRP_FIFO));
    let node = Node::start(host, daemon, &configuration(&global));
    reader.until(&scene, "GROUP \"G\" MASTER 0", 1);
    reader.until(&scene, "INSTANCE \"VI_3\" MASTER 150", 1);

    host.set_check("load", false).expect("fail");
    reader.until(&scene, "INSTANCE \"VI_3\" MASTER_PRIORITY 90", 1);
    host.set_check("load", true).expect("repair");
    reader.until(&scene, "INSTANCE \"VI_3\" MASTER_PRIORITY 150", 1);

    let forged = |number: u8, priority| Forged {
        vrid: 50 + number,
        address: Ipv4Addr::new(192, 0, 2, 99 + number),
        ..Forged::quick(priority)
    };
    let other = [192, 0, 2, 9].into();
    send(peer, other, forged(1, 100));
    reader.until(&scene, "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 150", 1);
    send(peer, other, forged(3, 200));
    reader.until(&scene, "INSTANCE \"VI_3\" BACKUP 150", 2);
    reader.until(&scene, "INSTANCE \"VI_3\" MASTER 150", 2);

    host.set_check("sound", false).expect("fail");
    reader.until(&scene, "GROUP \"G\" FAULT 0", 1);
    // Who is in FAULT is a backup as far as priorities go; nobody is here.
    host.set_check("sound", true).expect("repair");
    reader.until(&scene, "GROUP \"G\" MASTER 0", 2);
    // keepalived sends them beside each other, in whatever order: three instances and a group were Backup twice and Active
    // twice, and all but one of them in fault once.
    let all = if lines.contains("no_email_faults") { 16 } else { 19 };
    scene.until("everything is mailed", || mail.subjects().len() >= all);
    node.stop();
    let told = reader.finish(&scene);
    assert_eq!(told, vrrp_reader.finish(&scene), "both pipes are told the same");
    let left = run(host, &format!("ls -A {FIFO} {VRRP_FIFO} 2>/dev/null || true"));
    assert_eq!(left, "", "the pipes are gone");
    (told, mail.mails())
}

/// The time of a mail is its own; that there is one is not.
fn undated(mails: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let undate = |line: String| match line.strip_prefix("Date: ") {
        Some(date) => {
            let words: Vec<usize> = date.split(' ').map(str::len).collect();
            assert_eq!(words, [4, 2, 3, 4, 8, 5], "{date}");
            "Date: …".to_owned()
        }
        None => line,
    };
    let mut mails: Vec<Vec<String>> = mails.into_iter().map(|mail| mail.into_iter().map(undate).collect()).collect();
    mails.sort();
    mails
}

// Shows: global_defs.notify_fifo, global_defs.vrrp_notify_fifo, global_defs.vrrp_notify_priority_changes
// Shows: global_defs.notification_email, global_defs.notification_email_from, global_defs.smtp_server
// Shows: global_defs.smtp_helo_name, global_defs.smtp_alert
#[test]
fn pipes_and_mail_say_what_keepalived_says() {
    slow_test_with_scripts_of_keepalived(|| {
        let lines = "    smtp_alert\n    vrrp_notify_priority_changes\n";
        let (ours, our_mail) = lived_through(tanist(), lines);
        let (theirs, their_mail) = lived_through(Daemon::keepalived(), lines);
        assert_eq!(by_subject(&ours), by_subject(&theirs));
        let (ours, theirs) = (undated(our_mail), undated(their_mail));
        // keepalived begins mail about its stop, and ends before it is sent.
        let is_about_the_stop = |mail: &Vec<String>| mail.iter().any(|line| line.ends_with(" - Stopping"));
        let (stops, others): (Vec<_>, Vec<_>) = ours.into_iter().partition(is_about_the_stop);
        let theirs: Vec<_> = theirs.into_iter().filter(|mail| !is_about_the_stop(mail)).collect();
        assert_eq!(others, theirs);
        assert_eq!(stops.len(), 4, "three instances and a group: {stops:?}");
    });
}

// Shows: global_defs.smtp_alert_vrrp, global_defs.no_email_faults
#[test]
fn mail_leaves_out_what_keepalived_leaves_out() {
    slow_test_with_scripts_of_keepalived(|| {
        let lines = "    smtp_alert off\n    smtp_alert_vrrp\n    no_email_faults\n    vrrp_notify_priority_changes\n";
        let subjects = |daemon: Daemon| -> Vec<String> {
            let (_, mails) = lived_through(daemon, lines);
            let mut subjects: Vec<String> =
                mails.iter().flatten().filter_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).collect();
            subjects.retain(|subject| !subject.ends_with(" - Stopping"));
            subjects.sort();
            subjects
        };
        let ours = subjects(tanist());
        assert_eq!(ours, subjects(Daemon::keepalived()));
        assert!(!ours.is_empty() && ours.iter().all(|subject| !subject.contains("FAULT")), "{ours:?}");
    });
}

/// Runs a daemon until it is active, stops it, and answers which scripts ran.
fn scripts_of(daemon: Daemon) -> Vec<String> {
    let scene = Scene::new(&["a"]);
    let host = &scene.hosts[0];
    for name in ["first", "last", "any"] {
        host.write_recorder(name).expect("a recorder");
    }
    // What is waited for has been waited for.
    for name in ["start", "stop"] {
        let of = if name == "start" { "first" } else { "last" };
        let script = format!(
            "#!/bin/sh\nsleep 0.7\nexec /run/rehearse/{of} \"$@\" $(ip -o -4 address show | grep -c {ADDRESS})\n"
        );
        host.write_program(name, &script).expect("a script");
    }
    let global =
        "    startup_script \"/run/rehearse/start one 'two words'\"\n    shutdown_script \"/run/rehearse/stop\"\n";
    let global = format!("global_defs {{\n    script_user root\n    enable_script_security\n{global}}}\n");
    let begin = Moment::now();
    let node = Node::start(host, daemon, &(global + &instance(1, 150, "    notify /run/rehearse/any\n")));
    scene.ran("a", begin, &["any", "INSTANCE", "VI_1", "MASTER", "150"]);
    node.stop();
    scene.runs("a", begin).iter().map(|words| words.join("|")).collect()
}

// Shows: global_defs.startup_script, global_defs.shutdown_script
#[test]
fn what_runs_first_and_last_does_so_as_with_keepalived() {
    slow_test_with_scripts_of_keepalived(|| {
        let ours = scripts_of(tanist());
        assert_eq!(
            ours,
            [
                "first|one|two words|0",
                "any|INSTANCE|VI_1|BACKUP|150",
                "any|INSTANCE|VI_1|MASTER|150",
                "any|INSTANCE|VI_1|STOP|150",
                "last|0",
            ]
        );
        // On a machine with much to do keepalived 2.2.7 ends before its last script has.
        let theirs = scripts_of(Daemon::keepalived());
        assert!(theirs == ours || theirs == ours[..4], "not what keepalived does: {theirs:?}");
    });
}

/// Which scripts ran for what, in no order: keepalived starts them all at once.
fn notified(daemon: Daemon) -> Vec<String> {
    let scene = Scene::new(&["a", "peer"]);
    let host = &scene.hosts[0];
    for name in ["own", "any", "group"] {
        host.write_recorder(name).expect("a recorder");
    }
    let own = |name: &str, kinds: &[&str]| -> String {
        kinds.iter().map(|kind| format!("    notify_{kind} \"/run/rehearse/own {name} {kind}\"\n")).collect()
    };
    let all = ["master", "backup", "fault", "stop", "deleted", "master_rx_lower_pri"];
    let any = "    notify /run/rehearse/any\n";
    let global = "global_defs {\n    script_user root\n    enable_script_security\n}\n";
    let members = "    group {\n        VI_1\n        VI_3\n    }\n";
    let group = format!(
        "vrrp_sync_group G {{\n{members}    notify_master \"/run/rehearse/group master\"\n    notify_backup \
         \"/run/rehearse/group backup\"\n    notify_stop \"/run/rehearse/group stop\"\n    notify /run/rehearse/any\n}}\n"
    );
    let (first, second) = (own("first", &all) + any, own("second", &["fault", "stop"]) + any);
    let third = instance(3, 130, &own("third", &all[..4]));
    // Without a script, the word alone says that a deletion is one.
    let fourth = instance(4, 120, &format!("    notify_deleted\n{any}"));
    let before = [global, &group, &instance(1, 150, &first), &instance(2, 140, &second), &third, &fourth].concat();
    let begin = Moment::now();
    let node = Node::start(host, daemon, &before);
    scene.ran("a", begin, &["any", "GROUP", "G", "MASTER", "0"]);
    scene.ran("a", begin, &["any", "INSTANCE", "VI_2", "MASTER", "140"]);
    scene.ran("a", begin, &["any", "INSTANCE", "VI_4", "MASTER", "120"]);
    send(&scene.hosts[1], [192, 0, 2, 9].into(), Forged::quick(100));
    scene.ran("a", begin, &["own", "first", "master_rx_lower_pri"]);
    // Both go, and only one has a script of its own for that; the other one's fault is none.
    node.reload(&[global, &group.replace("        VI_1\n", ""), &third].concat());
    scene.ran("a", begin, &["own", "first", "deleted"]);
    scene.ran("a", begin, &["any", "INSTANCE", "VI_1", "DELETED", "150"]);
    scene.ran("a", begin, &["any", "INSTANCE", "VI_2", "FAULT", "140"]);
    scene.ran("a", begin, &["any", "INSTANCE", "VI_4", "DELETED", "120"]);
    node.stop();
    scene.ran("a", begin, &["any", "GROUP", "G", "STOP", "0"]);
    scene.ran("a", begin, &["own", "third", "stop"]);
    let mut runs: Vec<String> = scene.runs("a", begin).iter().map(|words| words.join("|")).collect();
    runs.sort();
    runs
}

// Shows: vrrp_instance.notify_deleted, vrrp_instance.notify_stop, vrrp_instance.notify_master_rx_lower_pri
// Shows: vrrp_sync_group.notify_stop
#[test]
fn scripts_run_for_what_keepalived_runs_them() {
    slow_test_with_scripts_of_keepalived(|| {
        let ours = notified(tanist());
        assert_eq!(ours, notified(Daemon::keepalived()));
        assert!(ours.len() > 15, "{ours:?}");
    });
}
