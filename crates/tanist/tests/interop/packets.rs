//! The same packets are said to keepalived and to us, each alone with a host that speaks by hand: what they become, send,
//! call and count is the same.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::str::{FromStr, SplitWhitespace};
use std::thread;
use std::time::{Duration, Instant};

use linux::signals::Signal;

use crate::own_address;
use crate::support::packet_peer::{Forged, send};
use crate::support::{
    ADDRESS, Daemon, Moment, Node, Record, Scene, Seen, configuration, patiently, run_words,
    slow_test_with_scripts_of_keepalived, tanist,
};

/// A pause between two packets within which no timer of these tests runs out. Whoever was kept from the processor for
/// longer plays it once more.
const IN_TIME: Duration = Duration::from_secs(1);
const TRIES: usize = 6;

/// What was seen of a daemon.
#[derive(Debug, Default, PartialEq, Eq)]
struct Course {
    /// What it said that it became.
    roles: Vec<String>,
    /// The priorities in what it sent, without repetitions.
    priorities: Vec<u8>,
    /// What its script was called with.
    calls: Vec<Vec<String>>,
    /// Its counters, by the names of keepalived.stats, but for those that depend on how long it ran.
    counters: BTreeMap<String, u64>,
}

/// Plays a script with keepalived and with us.
///
/// Of its lines, `priority N` and `line TEXT` are the configuration; then `until ROLE` waits for a role, `say PRIORITY …`
/// says an advertisement like a good neighbour's with these exceptions: `from ADDRESS`, `ttl N`, `version N`, `vrid N`,
/// `interval N`, `address A`, `and A` (a second address), `type N`, `count N`, `auth TYPE PASSWORD`, `spoilt`, `cut N`;
/// and `differs COUNTER` names a counter that is not compared, with its reason behind it.
fn check(script: &str) {
    slow_test_with_scripts_of_keepalived(|| {
        let [theirs, ours] = [Daemon::keepalived(), tanist()].map(|daemon| {
            let played = (0..TRIES).find_map(|_| play(&daemon, script));
            played.unwrap_or_else(|| panic!("this machine is too busy for {}", daemon.name))
        });
        assert_eq!(ours, theirs, "\n{script}");
    });
}

/// `None` if it took too long to be told from silence.
fn play(daemon: &Daemon, script: &str) -> Option<Course> {
    let script = Script::read(script);
    let scene = Scene::new(&["a", "b"]);
    let host = &scene.hosts[0];
    let told = host.write_recorder("told").expect("a recorder");
    crate::support::story::run(host, "mkdir /run/dumps");
    let mut daemon = daemon.clone();
    daemon.command.splice(0..0, ["env".to_owned(), "TMPDIR=/run/dumps".to_owned()]);
    let before = "global_defs {\n    script_user root\n    vrrp_garp_master_delay 0\n}";
    let lines = format!("    {}\n    notify {}", script.lines.join("\n    "), told.display());
    let begin = Moment::now();
    let node = Node::start(host, daemon, &configuration(before, script.priority, &lines));
    let mut since = begin;
    let mut last_said: Option<Instant> = None;
    for step in &script.steps {
        match step {
            Step::Until(role) => {
                since = scene.line("a", since, &format!("Entering {role} STATE")).at;
                last_said = None;
                // What comes with a role comes in its own time.
                let held = *role == "MASTER";
                scene.until("the address follows the role", || host.has_address(ADDRESS.into()) == held);
            }
            Step::Say(source, forged) => {
                if last_said.is_some_and(|at| at.elapsed() > IN_TIME) {
                    return None;
                }
                since = scene.lab.note("b", &format!("says {forged:?} from {source}"));
                send(&scene.hosts[1], *source, *forged);
                last_said = Some(Instant::now());
            }
        }
    }
    let mut counters = settled_counters(&scene, &node);
    for counter in script.differs.iter().map(String::as_str).chain(["Advertisements Sent"]) {
        counters.remove(counter);
    }
    if last_said.is_some_and(|at| at.elapsed() > IN_TIME * 2) {
        return None;
    }
    let records = scene.lab.journal().since(begin);
    Some(Course { counters, ..course(&records) })
}

fn course(records: &[Record]) -> Course {
    let mut course = Course::default();
    for record in records.iter().filter(|record| &*record.host == "a") {
        match &record.what {
            Seen::Line { text, .. } => {
                let role = text.split_once("(VI_1) Entering ").and_then(|(_, rest)| rest.split_once(" STATE"));
                course.roles.extend(role.map(|(role, _)| role.to_owned()));
            }
            Seen::Advertisement(seen) if course.priorities.last() != Some(&seen.priority) => {
                course.priorities.push(seen.priority);
            }
            _ => course.calls.extend(run_words(record)),
        }
    }
    // keepalived starts them all at once, and they end in any order.
    course.calls.sort();
    course
}

/// The counters once everything that was said is in them.
fn settled_counters(scene: &Scene, node: &Node) -> BTreeMap<String, u64> {
    let mut last = None;
    let mut settled = BTreeMap::new();
    let agreed = patiently(|| {
        let now = counters(scene, node);
        let same = last.as_ref() == Some(&now);
        settled.clone_from(&now);
        last = Some(now);
        same
    });
    assert!(agreed, "the counters never rest\n{}", scene.story());
    settled
}

/// Asks for keepalived.stats and reads it. Counters of a group have its name in front.
fn counters(scene: &Scene, node: &Node) -> BTreeMap<String, u64> {
    let path = Path::new("/run/dumps/keepalived.stats");
    let _ = node.host.run(move || std::fs::remove_file(path));
    node.signal(Signal::USER_2);
    let mut text = String::new();
    scene.until("the statistics are written", || {
        text = node.host.read_file(path).unwrap_or_default();
        text.split_once("Priority Zero:").is_some_and(|(_, rest)| rest.contains("Sent: ") && rest.ends_with('\n'))
    });
    // Time for what waits in its socket.
    thread::sleep(Duration::from_millis(150));
    let mut group = "";
    let mut counters = BTreeMap::new();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once(':') else { continue };
        match value.trim().parse() {
            Ok(count) if line.starts_with("    ") => {
                counters.insert(format!("{group} {name}"), count);
            }
            Ok(count) => {
                counters.insert(name.to_owned(), count);
            }
            Err(_) => group = name,
        }
    }
    // Those that keepalived has, too. What ours are called beside them is in the manual.
    let known = [
        "Advertisements Received",
        "Advertisements Sent",
        "Became master",
        "Released master",
        "Packet Errors Length",
        "Packet Errors TTL",
        "Packet Errors Invalid Type",
        "Packet Errors Advertisement Interval",
        "Packet Errors Address List",
        "Authentication Errors Invalid Type",
        "Authentication Errors Type Mismatch",
        "Authentication Errors Failure",
        "Priority Zero Received",
        "Priority Zero Sent",
    ];
    for name in known {
        assert!(counters.contains_key(name), "no {name:?} in\n{text}");
    }
    counters.retain(|name, _| known.contains(&name.as_str()));
    counters
}

struct Script<'t> {
    priority: u8,
    lines: Vec<&'t str>,
    steps: Vec<Step<'t>>,
    differs: Vec<String>,
}

enum Step<'t> {
    Until(&'t str),
    Say(Ipv4Addr, Forged),
}

impl<'t> Script<'t> {
    fn read(text: &'t str) -> Self {
        let mut script = Self { priority: 100, lines: Vec::new(), steps: Vec::new(), differs: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (verb, rest) = line.split_once(' ').expect("a verb and what follows it");
            match verb {
                "priority" => script.priority = rest.parse().expect("a priority"),
                "line" => script.lines.push(rest),
                "until" => script.steps.push(Step::Until(rest)),
                "say" => {
                    let (source, forged) = script.advertisement(rest);
                    script.steps.push(Step::Say(source, forged));
                }
                "differs" => {
                    let (counter, why) = rest.split_once(':').expect("a counter and a reason");
                    assert!(!why.trim().is_empty(), "{counter}: no reason");
                    script.differs.push(counter.to_owned());
                }
                other => panic!("{other}: no such verb"),
            }
        }
        script
    }

    /// As a good neighbour of this instance would say it, but for what the words say.
    fn advertisement(&self, words: &str) -> (Ipv4Addr, Forged) {
        let mut words = words.split_whitespace();
        let mut forged = Forged::quick(number(&mut words));
        forged.version = if self.lines.contains(&"version 3") { 3 } else { 2 };
        forged.interval = if forged.version == 3 { 100 } else { 1 };
        let mut source = own_address(1);
        while let Some(word) = words.next() {
            match word {
                "from" => source = number(&mut words),
                "ttl" => forged.time_to_live = number(&mut words),
                "version" => forged.version = number(&mut words),
                "vrid" => forged.vrid = number(&mut words),
                "interval" => forged.interval = number(&mut words),
                "address" => forged.address = number(&mut words),
                "and" => forged.another_address = Some(number(&mut words)),
                "type" => forged.kind = number(&mut words),
                "count" => forged.count = Some(number(&mut words)),
                "auth" => {
                    forged.authentication.0 = number(&mut words);
                    let password = words.next().expect("a password").as_bytes();
                    forged.authentication.1[..password.len()].copy_from_slice(password);
                }
                "spoilt" => forged.spoilt = true,
                "cut" => forged.cut = number(&mut words),
                other => panic!("{other}: no such word"),
            }
        }
        (source, forged)
    }
}

fn number<T: FromStr>(words: &mut SplitWhitespace<'_>) -> T {
    let word = words.next().expect("a word with a value has one behind it");
    word.parse().unwrap_or_else(|_| panic!("{word}: not what should stand here"))
}

#[test]
fn a_backup_of_version_2_hears_whom_it_should() {
    check(
        "until BACKUP
        say 150
        say 100
        say 50
        say 150
        say 150 ttl 254
        say 150 spoilt
        say 150 type 2
        say 150 vrid 52
        say 150 version 3 interval 100
        differs Packet Errors Advertisement Interval: 2.2.7 says it and does not count it
        say 150 interval 2
        say 150 cut 8
        say 150 auth 1 secret
        say 150
        say 0
        until MASTER",
    );
}

#[test]
fn a_backup_of_version_3_hears_whom_it_should() {
    check(
        "line version 3
        until BACKUP
        say 150
        say 100
        say 50
        say 150
        say 150 ttl 254
        say 150 spoilt
        say 150 type 2
        say 150 vrid 52
        say 150 version 2 interval 1
        say 150 cut 4
        say 150
        say 0
        until MASTER",
    );
}

#[test]
fn an_active_of_version_2_yields_to_whom_it_should() {
    check(
        "until MASTER
        say 50
        say 0
        say 200 ttl 254
        say 200 spoilt
        say 200 type 3
        say 200 vrid 52
        say 200 version 3 interval 100
        differs Packet Errors Advertisement Interval: 2.2.7 says it and does not count it
        say 200 interval 3
        say 200 auth 1 secret
        say 200 auth 2 secret
        say 200 auth 7 secret
        say 100 from 192.0.1.250
        say 100
        until BACKUP
        say 0
        until MASTER
        say 101
        until BACKUP",
    );
}

#[test]
fn an_active_of_version_3_yields_to_whom_it_should() {
    check(
        "line version 3
        until MASTER
        say 50
        say 0
        say 200 ttl 1
        say 200 spoilt
        say 200 type 3
        say 200 version 2 interval 1
        say 100 from 192.0.1.250
        say 100
        until BACKUP
        say 0
        until MASTER
        say 255
        until BACKUP",
    );
}

/// In version 3 the one who is Active sets the pace (RFC 5798 §6.1).
#[test]
fn another_interval_of_version_3_is_learned() {
    check(
        "line version 3
        until BACKUP
        differs Packet Errors Advertisement Interval: 2.2.7 says it and does not count it
        say 150 interval 300
        say 150 interval 300
        say 150
        say 0
        until MASTER
        say 200 interval 50
        until BACKUP
        until MASTER",
    );
}

#[test]
fn a_password_is_asked_for() {
    check(
        "line authentication {
        line auth_type PASS
        line auth_pass secret
        line }
        until BACKUP
        say 150 auth 1 secret
        say 150 auth 1 secreT
        say 150 auth 1 secret00
        say 150
        say 150 auth 2 secret
        say 150 auth 5 secret
        say 150 auth 1 secret
        say 0 auth 1 secret
        until MASTER
        say 200
        say 200 auth 1 wrong
        say 200 auth 1 secret
        until BACKUP",
    );
}

#[test]
fn who_does_not_preempt_lets_a_worse_one_be() {
    check(
        "priority 200
        line nopreempt
        until BACKUP
        say 150
        say 1
        say 254
        say 0
        until MASTER
        say 199
        say 201
        until BACKUP
        say 50
        say 50",
    );
}

#[test]
fn who_waits_with_preempting_lets_a_worse_one_be() {
    check(
        "priority 200
        line version 3
        line preempt_delay 300
        until BACKUP
        say 150
        say 1
        say 150
        say 0
        until MASTER
        say 199
        say 254
        until BACKUP",
    );
}

#[test]
fn an_owner_is_first() {
    check(
        "priority 255
        line state MASTER
        until MASTER
        say 254
        say 0
        say 100",
    );
}

#[test]
fn addresses_of_the_known_active_are_not_compared_if_that_is_meant() {
    check(
        "line skip_check_adv_addr
        until BACKUP
        say 150
        say 150 address 192.0.2.77
        say 150 and 192.0.2.78
        say 0 address 192.0.2.77
        until MASTER",
    );
}

#[test]
fn a_count_that_lies_is_no_advertisement() {
    check(
        "until BACKUP
        say 150
        say 150 count 2
        say 150 count 255
        say 150
        say 0
        until MASTER
        say 200 count 2
        say 200 count 20
        say 200
        until BACKUP",
    );
}
