//! The same packets are said to keepalived and to us, each alone with a host that speaks by hand: what they become, send,
//! call, write, hold and count is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::str::{FromStr, SplitWhitespace};
use std::thread;
use std::time::{Duration, Instant};

use linux::signals::Signal;

use crate::differences::{self, lists};
use crate::own_address;
use crate::said::{DumpPlace, Said};
use crate::support::fifo::Reader;
use crate::support::iproute::lines;
use crate::support::ipv6::{self, ADDRESS as GLOBAL, ON_LINK};
use crate::support::packet_peer::{Forged, ForgedHeader, send, send_over_ipv6};
use crate::support::{
    ADDRESS, Daemon, Host, Moment, Node, Record, Scene, Seen, configuration, patiently, run_words,
    slow_test_with_scripts_of_keepalived, tanist,
};

const FIFO: &str = "/run/rehearse/told.fifo";
/// The virtual addresses over IPv6.
const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// Who speaks there unless the script says otherwise: greater than what the kernel makes of a MAC address.
const NEIGHBOUR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0xffff, 0, 0, 9);

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
    /// What came out of its pipe until it ended.
    piped: Vec<String>,
    /// The addresses of its interface, but for the kernel's own, in each role.
    addresses: Vec<BTreeSet<String>>,
    /// Its counters, by the names of keepalived.stats, but for those that depend on how long it ran.
    counters: BTreeMap<String, u64>,
    /// What it says of its instance in its JSON and in its dump.
    said: Said,
}

/// Plays a script with keepalived and with us.
///
/// Of its lines, `priority N`, `line TEXT` and, for what stands before the instance, `before TEXT` are the configuration, and
/// `over ipv6` makes it one of IPv6; then `until ROLE`
/// waits for a role, `say PRIORITY …` says an advertisement like a good neighbour's with these exceptions: `from ADDRESS`,
/// `to ADDRESS`, `ttl N`, `version N`, `vrid N`, `interval N`, `address A`, `and A` (one more address), `type N`,
/// `count N`, `auth TYPE PASSWORD`, `spoilt`, `cut N`; `header NUMBER PASSWORD` puts an authentication header before it, and
/// `index ADDRESS` behind that says whom it names.
fn check(script: &str) {
    slow_test_with_scripts_of_keepalived(|| {
        let [theirs, ours] = play_both(script);
        ours.said.compare(&theirs.said, script);
        let rest = |course: Course| Course { said: Said::default(), ..course };
        assert_eq!(rest(ours), rest(theirs), "\n{script}");
    });
}

/// What keepalived and we make of it.
fn play_both(script: &str) -> [Course; 2] {
    [Daemon::keepalived(), tanist()].map(|daemon| {
        let played = (0..TRIES).find_map(|_| play(&daemon, script));
        played.unwrap_or_else(|| panic!("this machine is too busy for {}", daemon.name))
    })
}

/// `None` if it took too long to be told from silence.
fn play(daemon: &Daemon, script: &str) -> Option<Course> {
    let script = Script::read(script);
    let scene = script.scene();
    let host = &scene.hosts[0];
    let told = host.write_recorder("told").expect("a recorder");
    let place = DumpPlace::prepare(host);
    let before = format!(
        "global_defs {{\n    router_id edge\n    script_user root\n    enable_script_security\n    vrrp_garp_master_delay 0\n    vrrp_notify_fifo {FIFO}\n}}\n{}",
        script.before.join("\n")
    );
    let reader = Reader::start(&scene, FIFO);
    let lines = format!("    {}\n    notify {}", script.lines.join("\n    "), told.display());
    let begin = Moment::now();
    let mut text = configuration(&before, script.priority, &lines);
    if script.ipv6 {
        text = text.replace(&format!("{ADDRESS}/24"), &format!("{ON_LINK}/64\n        {GLOBAL}/64"));
    }
    let node = Node::start(host, place.of(daemon), &text);
    let mut since = begin;
    let mut last_said: Option<Instant> = None;
    let mut addresses = Vec::new();
    for step in &script.steps {
        match step {
            Step::Until(role) => {
                since = scene.line("a", since, &format!("Entering {role} STATE")).at;
                last_said = None;
                // What comes with a role comes in its own time.
                let held = *role == "MASTER";
                let virtual_ones = script.virtual_addresses();
                scene.until("the addresses follow the role", || {
                    virtual_ones.iter().all(|address| host.has_address(*address) == held)
                });
                addresses.push(addresses_of(host));
            }
            Step::Say(source, forged) => {
                if last_said.is_some_and(|at| at.elapsed() > IN_TIME) {
                    return None;
                }
                since = scene.lab.note("b", &format!("says {forged:?} from {source:?}"));
                source.send(&scene.hosts[1], *forged);
                last_said = Some(Instant::now());
            }
        }
    }
    let mut counters = settled_counters(&scene, &node);
    counters.retain(|counter, _| !lists(differences::COUNTERS, counter));
    let said = place.ask(&scene, &node);
    if last_said.is_some_and(|at| at.elapsed() > IN_TIME * 2) {
        return None;
    }
    let records = scene.lab.journal().since(begin);
    node.stop();
    let mut piped = reader.finish(&scene);
    // See `differences::GOODBYE`.
    piped.dedup_by(|next, line| next == line && line.contains(differences::GOODBYE.0));
    Some(Course { counters, addresses, piped, said, ..course(&records) })
}

/// Those that somebody has put there.
fn addresses_of(host: &Host) -> BTreeSet<String> {
    let all = lines(host, "-o address show dev eth0").into_iter();
    let of_kernel = |line: &str| line.contains(" inet6 fe80:") && !line.contains(&ON_LINK.to_string());
    all.filter(|line| !of_kernel(line)).map(|line| plain(&line)).collect()
}

/// As `ip` says it, but for the mark on ours and the lifetime that they have.
fn plain(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().skip(2).collect();
    let until = words.iter().position(|word| matches!(*word, "valid_lft" | "\\")).unwrap_or(words.len());
    let mut words = words[..until].to_vec();
    words.retain(|word| *word != "dynamic");
    if let Some(place) = words.iter().position(|word| *word == "proto") {
        words.drain(place..place + 2);
    }
    words.join(" ")
}

fn course(records: &[Record]) -> Course {
    let mut course = Course::default();
    for record in records.iter().filter(|record| &*record.host == "a") {
        match &record.what {
            Seen::Line { text, .. } => {
                let role = text.split_once("(VI_1) Entering ").and_then(|(_, rest)| rest.split_once(" STATE"));
                course.roles.extend(role.map(|(role, _)| role.to_owned()));
            }
            Seen::Advertisement(seen) if seen.vrid == 51 && course.priorities.last() != Some(&seen.priority) => {
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
    ipv6: bool,
    before: Vec<&'t str>,
    lines: Vec<&'t str>,
    steps: Vec<Step<'t>>,
}

enum Step<'t> {
    Until(&'t str),
    Say(Way, Forged),
}

impl<'t> Script<'t> {
    fn read(text: &'t str) -> Self {
        let mut script = Self { priority: 100, ipv6: false, before: Vec::new(), lines: Vec::new(), steps: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (verb, rest) = line.split_once(' ').expect("a verb and what follows it");
            match verb {
                "priority" => script.priority = rest.parse().expect("a priority"),
                "before" => script.before.push(rest),
                "line" => script.lines.push(rest),
                "over" => script.ipv6 = rest == "ipv6",
                "until" => script.steps.push(Step::Until(rest)),
                "say" => {
                    let (source, forged) = script.advertisement(rest);
                    script.steps.push(Step::Say(source, forged));
                }
                other => panic!("{other}: no such verb"),
            }
        }
        script
    }

    /// As a good neighbour of this instance would say it, but for what the words say.
    fn advertisement(&self, words: &str) -> (Way, Forged) {
        let mut words = words.split_whitespace();
        let mut forged = Forged::quick(number(&mut words));
        forged.version = if self.ipv6 || self.lines.contains(&"version 3") { 3 } else { 2 };
        forged.interval = if forged.version == 3 { 100 } else { 1 };
        let mut source: IpAddr = own_address(1).into();
        let mut destination = GROUP;
        let mut addresses = vec![ON_LINK, GLOBAL];
        if self.ipv6 {
            source = NEIGHBOUR.into();
        }
        while let Some(word) = words.next() {
            match word {
                "from" => source = number(&mut words),
                "to" if self.ipv6 => destination = number(&mut words),
                "to" => forged.destination = number(&mut words),
                "ttl" => forged.time_to_live = number(&mut words),
                "version" => forged.version = number(&mut words),
                "vrid" => forged.vrid = number(&mut words),
                "interval" => forged.interval = number(&mut words),
                "address" if self.ipv6 => addresses = vec![ON_LINK, number(&mut words)],
                "and" if self.ipv6 => addresses.push(number(&mut words)),
                "address" => forged.address = number(&mut words),
                "and" => forged.another_address = Some(number(&mut words)),
                "type" => forged.kind = number(&mut words),
                "count" => forged.count = Some(number(&mut words)),
                "auth" => {
                    forged.authentication.0 = number(&mut words);
                    let password = words.next().expect("a password").as_bytes();
                    forged.authentication.1[..password.len()].copy_from_slice(password);
                }
                "header" => {
                    let mut header = ForgedHeader { password: [0; 8], sequence: number(&mut words), index: None };
                    let password = words.next().expect("a password").as_bytes();
                    header.password[..password.len()].copy_from_slice(password);
                    forged.authentication.0 = 2;
                    forged.header = Some(header);
                }
                "index" => forged.header.as_mut().expect("behind a header").index = Some(number(&mut words)),
                "spoilt" => forged.spoilt = true,
                "cut" => forged.cut = number(&mut words),
                other => panic!("{other}: no such word"),
            }
        }
        let way = match source {
            IpAddr::V4(source) => Way::Ipv4(source),
            IpAddr::V6(source) => Way::Ipv6 { source, destination, addresses },
        };
        (way, forged)
    }

    fn scene(&self) -> Scene {
        if self.ipv6 { ipv6::dual_stack(&["a", "b"]) } else { Scene::new(&["a", "b"]) }
    }

    fn virtual_addresses(&self) -> Vec<IpAddr> {
        if self.ipv6 { vec![ON_LINK.into(), GLOBAL.into()] } else { vec![ADDRESS.into()] }
    }
}

/// From where, and over IPv6 where to and with which addresses.
#[derive(Debug)]
enum Way {
    Ipv4(Ipv4Addr),
    Ipv6 { source: Ipv6Addr, destination: Ipv6Addr, addresses: Vec<Ipv6Addr> },
}

impl Way {
    fn send(&self, host: &Host, forged: Forged) {
        match self {
            Self::Ipv4(source) => send(host, *source, forged),
            Self::Ipv6 { source, destination, addresses } => {
                send_over_ipv6(host, (*source, *destination), addresses, forged);
            }
        }
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

#[test]
fn a_backup_of_ipv6_hears_whom_it_should() {
    check(
        "over ipv6
        until BACKUP
        say 150
        say 100
        say 50
        say 150
        say 150 ttl 254
        say 150 spoilt
        say 150 type 2
        say 150 vrid 52
        say 150 cut 4
        say 150
        say 0
        until MASTER",
    );
}

#[test]
fn an_active_of_ipv6_yields_to_whom_it_should() {
    check(
        "over ipv6
        until MASTER
        say 50
        say 0
        say 200 ttl 1
        say 200 spoilt
        say 200 type 3
        say 100 from fe80::1
        say 100
        until BACKUP
        say 0
        until MASTER
        say 255
        until BACKUP",
    );
}

#[test]
fn addresses_of_ipv6_are_compared_or_not() {
    check(
        "over ipv6
        line skip_check_adv_addr
        until BACKUP
        say 150
        say 150 address 2001:db8::77
        say 150 and 2001:db8::78
        say 150
        say 0
        until MASTER",
    );
}

#[test]
fn another_interval_of_ipv6_is_learned() {
    check(
        "over ipv6
        until BACKUP
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
fn peers_of_ipv6_are_heard_alone() {
    check(
        "over ipv6
        line unicast_src_ip 2001:db8::1
        line check_unicast_src
        line unicast_peer {
        line 2001:db8::2
        line }
        until BACKUP
        say 150 from 2001:db8::2 to 2001:db8::1
        say 150 from 2001:db8::2 to 2001:db8::1 ttl 64
        say 150 from 2001:db8::2 to 2001:db8::1 spoilt
        say 150 from 2001:db8::2 to 2001:db8::1 vrid 52
        say 150 from 2001:db8::2 to 2001:db8::1
        say 0 from 2001:db8::2 to 2001:db8::1
        until MASTER
        say 50 from 2001:db8::2 to 2001:db8::1
        say 200 from 2001:db8::2 to 2001:db8::1
        until BACKUP
        until MASTER",
    );
}

#[test]
fn peers_of_ipv4_are_heard_alone() {
    check(
        "line version 3
        line check_unicast_src
        line unicast_peer {
        line 192.0.2.2
        line }
        until MASTER
        say 50 to 192.0.2.1
        say 200 to 192.0.2.1
        until BACKUP
        until MASTER",
    );
}

#[test]
fn a_password_is_asked_for_by_unicast() {
    check(
        "line authentication {
        line auth_type PASS
        line auth_pass secret
        line }
        line unicast_peer {
        line 192.0.2.2
        line }
        until BACKUP
        say 150 to 192.0.2.1 auth 1 secret
        say 150 to 192.0.2.1 auth 1 secreT
        say 150 to 192.0.2.1
        say 150 to 192.0.2.1 auth 2 secret
        say 150 to 192.0.2.1 spoilt auth 1 secret
        say 150 to 192.0.2.1 auth 1 secret
        say 0 to 192.0.2.1 auth 1 secret
        until MASTER
        say 200 to 192.0.2.1
        say 200 to 192.0.2.1 auth 1 wrong
        say 200 to 192.0.2.1 auth 1 secret
        until BACKUP",
    );
}

/// The number of a header counts once, and only upwards; whoever has begun anew is not heard until he has caught up.
#[test]
fn an_authentication_header_is_asked_for() {
    check(
        "line authentication {
        line auth_type AH
        line auth_pass secret
        line }
        until BACKUP
        say 150 header 5 secret
        say 150 header 5 secret
        say 150 header 7 secret
        say 150 header 6 secret
        say 150 header 8 secreT
        say 150 header 9 secret index 192.0.2.3
        say 150 header 10 secret spoilt
        say 150 header 11 secret ttl 254
        say 150 header 12 secret vrid 52
        say 150 header 13 secret auth 1 secret
        say 150 header 20 secret
        say 0 header 21 secret
        until MASTER
        say 50 header 40 secret
        say 200 header 41 wrong
        say 200 header 39 secret
        say 200 header 90 secret
        until BACKUP",
    );
}

#[test]
fn an_authentication_header_is_asked_for_by_unicast() {
    check(
        "line authentication {
        line auth_type AH
        line auth_pass secret
        line }
        line unicast_peer {
        line 192.0.2.2
        line }
        until BACKUP
        say 150 to 192.0.2.1 header 5 secret
        say 150 to 192.0.2.1 header 6 secret ttl 64
        say 150 to 192.0.2.1 header 6 secret
        say 150 to 192.0.2.1 header 7 wrong
        say 150 to 192.0.2.1 header 8 secret
        say 0 to 192.0.2.1 header 9 secret
        until MASTER
        say 200 to 192.0.2.1 header 100 secret
        until BACKUP",
    );
}

/// Who asks for none hears nobody who has one.
#[test]
fn an_authentication_header_that_nobody_asks_for_keeps_its_sender_out() {
    check(
        "until BACKUP
        say 150
        say 150 header 5 secret
        say 150
        say 0
        until MASTER
        say 200 header 6 secret
        say 50
        say 200
        until BACKUP",
    );
}

/// What one instance of a group hears decides about the other one, too. That one resigns here, and is silent in keepalived
/// (decision 27), which the counters tell.
#[test]
fn a_sync_group_follows_what_one_of_it_hears() {
    slow_test_with_scripts_of_keepalived(|| {
        let group = "before vrrp_sync_group G {
        before group {
        before VI_1
        before VI_2
        before }
        before }
        before vrrp_instance VI_2 {
        before interface eth0
        before virtual_router_id 52
        before version 3
        before priority 100
        before virtual_ipaddress {
        before 192.0.2.102/24
        before }
        before }
        line version 3
        until MASTER
        say 50 vrid 52 address 192.0.2.102
        say 50
        ";
        for (said, silent) in [("say 200\n", true), ("say 200 vrid 52 address 192.0.2.102\n", false)] {
            let script = format!("{group}{said}until BACKUP\nuntil MASTER");
            let [theirs, mut ours] = play_both(&script);
            if !silent {
                assert_eq!(ours.priorities, [100, 0, 100], "{script}");
                ours.priorities = vec![100];
            }
            // The other one's address goes when it goes.
            let seen = |course: Course| (course.roles, course.priorities, course.calls);
            assert_eq!(seen(ours), seen(theirs), "{script}");
        }
    });
}

/// The virtual MAC address changes nothing about who is heard.
#[test]
fn who_has_a_virtual_mac_hears_peers_by_unicast() {
    check(
        "line version 3
        line use_vmac
        line vmac_xmit_base
        line unicast_peer {
        line 192.0.2.2
        line }
        until BACKUP
        say 150 to 192.0.2.1
        say 50 to 192.0.2.1
        say 150 to 192.0.2.1 ttl 254
        say 150 to 192.0.2.1 spoilt
        say 150 to 192.0.2.1 vrid 52
        say 150 to 192.0.2.1
        say 0 to 192.0.2.1
        until MASTER
        say 50 to 192.0.2.1
        say 200 to 192.0.2.1
        until BACKUP",
    );
}

/// What is counted otherwise, and changes nothing else: see `differences::COUNTED_OTHERWISE`.
#[test]
fn some_packets_are_counted_otherwise() {
    slow_test_with_scripts_of_keepalived(|| {
        for (script, counter, expected, _) in differences::COUNTED_OTHERWISE {
            let [theirs, ours] = play_both(script);
            assert_eq!([theirs.counters[*counter], ours.counters[*counter]], *expected, "{script}");
            assert_eq!((theirs.roles, theirs.piped), (ours.roles, ours.piped), "{script}");
        }
    });
}
