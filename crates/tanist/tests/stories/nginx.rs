//! Web nodes: one address with a standby, and two addresses with each node the standby of the other.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use crate::support::story::{each_second, example, put_scripts, settle, start_tanist};
use crate::support::{Host, HostPlan, Moment, Node, Scene, binary, is_address_change, slow_test};

const FIRST: Ipv4Addr = Ipv4Addr::new(172, 16, 23, 222);
const SECOND: Ipv4Addr = Ipv4Addr::new(172, 16, 23, 223);

fn scene() -> Scene {
    let mut scene = Scene::empty();
    scene.lab.client().add_address("172.16.23.254/24").expect("the client's address");
    for (name, address) in [("a", "172.16.23.203/24"), ("b", "172.16.23.204/24")] {
        let host = scene.add(&HostPlan::new(name).interface("eth1", &[address]));
        furnish(&host);
    }
    scene
}

fn furnish(host: &Host) {
    settle(host);
    put_scripts(host, "nginx-active-active", "/etc/keepalived");
    // Prints a line as long as there is an nginx.
    host.write_program("ps", "#!/bin/sh\n[ -e /run/rehearse/ps.failing ] || echo '  42 ?  00:00:01 nginx'\n")
        .expect("a stand-in");
}

fn start_mirrored(host: &Host) -> Node {
    start_tanist(host, &each_second(&example(&format!("nginx-active-active/{}.conf", host.name()))))
}

/// The diary that `run.sh` keeps, without its clock.
fn diary(host: &Host) -> Vec<String> {
    let text = host.read_file(Path::new("/etc/keepalived/time.txt")).unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect()
}

/// What the diary says of one of the two instances, joined by blanks.
fn diary_of(host: &Host, instance: char) -> String {
    let of_it: Vec<String> = diary(host).into_iter().filter(|word| word.ends_with(instance)).collect();
    of_it.join(" ")
}

#[test]
fn two_addresses_live_on_two_nodes_and_on_one_while_the_other_is_away() {
    slow_test(|| {
        let scene = scene();
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        let begin = Moment::now();
        let node_a = start_mirrored(a);
        let _node_b = start_mirrored(b);
        // The greater number wins, whatever `state` says: each node has what the other one calls its own.
        scene.only("b", FIRST);
        scene.only("a", SECOND);
        for (host, source, priority) in [("a", "172.16.23.203", 200), ("b", "172.16.23.204", 200)] {
            let record =
                scene.advertised(host, begin, |seen| seen.source.to_string() == source && seen.priority == priority);
            assert!(record.to_string().contains(&format!("{source} > 224.0.0.18")), "{record}");
        }
        let held = scene.wait(begin, "the second address", |record| is_address_change(record, SECOND));
        assert!(held.to_string().ends_with("eth1 has 172.16.23.223/32"), "{held}");

        // Who was first may have been active alone for a moment.
        scene.until("A's diary is up to date", || {
            diary_of(a, '1').ends_with("backup1") && diary_of(a, '2').ends_with("master2")
        });
        let (first, second) = (diary_of(a, '1'), diary_of(a, '2'));

        // A failed check costs five, which bridges no gap of a hundred: it is told, and nothing moves.
        let failed = Moment::now();
        b.write_file("ps.failing", "").expect("stop nginx");
        scene.line("b", failed, "(nginx_dev_1) Changing effective priority from 200 to 195");
        let lower = scene.advertised("b", failed, |seen| seen.vrid == 100 && seen.priority == 195);
        scene.advertised("b", lower.at + Duration::from_millis(1), |seen| seen.priority == 195);
        assert_eq!(scene.holders(FIRST), ["b"]);

        let off = scene.lab.note("b", "power off");
        b.power_off().expect("power off");
        scene.only("a", FIRST);
        scene.only("a", SECOND);
        scene.until("A's diary tells of it", || diary_of(a, '1') == format!("{first} master1"));

        b.power_on().expect("power on");
        furnish(b);
        let _back = start_mirrored(b);
        scene.only("b", FIRST);
        scene.only("a", SECOND);
        scene.until("A's diary tells of the return", || diary_of(a, '1') == format!("{first} master1 backup1"));
        assert_eq!(diary_of(a, '2'), second, "what was not concerned was left alone");
        assert_eq!(scene.count_lines("a", off, "(nginx_dev_2) Entering"), 0);

        node_a.stop();
        scene.only("b", SECOND);
    });
}

/// With the file as it is: five seconds between advertisements.
#[test]
fn a_standby_takes_over_at_once_from_one_that_stops() {
    slow_test(|| {
        let scene = scene();
        let begin = Moment::now();
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        let active = start_tanist(a, &example("nginx-pair/a.conf"));
        scene.only("a", FIRST);
        // 3 × 5 s + (256 − 200)/256 s, and not a second.
        let first = scene.advertised("a", begin, |seen| seen.vrid == 100 && seen.priority == 200);
        assert!(first.at.since(begin) > Duration::from_millis(15_218), "{:?}", first.at.since(begin));
        let (_, _, advertisement) = scene.advertisements(begin).remove(0);
        assert_eq!(advertisement.interval, Duration::from_secs(5));
        assert_eq!(&advertisement.packet[32..40], b"123456\0\0");
        let held = scene.wait(begin, "the address", |record| is_address_change(record, FIRST));
        assert!(held.to_string().ends_with("eth1 has 172.16.23.222/32"), "{held}");

        let standby = Moment::now();
        let _standby = start_tanist(b, &example("nginx-pair/b.conf"));
        scene.line("b", standby, "Entering BACKUP STATE");
        scene.advertised("a", standby, |_| true);
        let stopped = scene.lab.note("a", "stop");
        active.stop();
        scene.resigned("a", stopped);
        scene.only("b", FIRST);
    });
}

#[test]
fn of_two_router_ids_the_last_one_counts_and_that_is_told() {
    let text =
        example("nginx-pair/a.conf").replacen("router_id nginx_dev", "router_id one\n    router_id nginx_dev", 1);
    let file = std::env::temp_dir().join(format!("tanist-two-ids-{}.conf", std::process::id()));
    std::fs::write(&file, text).expect("write");
    let output = std::process::Command::new(binary()).arg("check").arg(&file).output().expect("run ourselves");
    std::fs::remove_file(&file).expect("remove");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("router_id") && text.contains("warning"), "{text}");
}
