//! What is on the wire in each mode: octet for octet what keepalived sends, and nothing that another decoder complains about.

use std::net::IpAddr;

use linux::signals::Signal;

use super::unicast;
use crate::support::pcap::opinion_of_tshark;
use crate::support::{Advertisement, Daemon, Moment, Node, Scene, configuration, slow_test_with_keepalived, tanist};

/// The octets of a packet that may differ: the identification and with it the sum of the IP header, and with an
/// authentication header its number and what is made from both.
fn blanked(advertisement: &Advertisement) -> Vec<u8> {
    let mut packet = advertisement.packet.clone();
    let header = usize::from(packet[0] & 0x0f) * 4;
    packet[4..6].fill(0);
    packet[10..12].fill(0);
    if packet[9] == 51 {
        packet[header + 8..header + 24].fill(0);
    }
    packet
}

/// The first advertisement, one in between, and the last one, of a daemon that runs alone.
fn sent(scene: &Scene, daemon: Daemon, text: &str) -> Vec<(Moment, String, Advertisement)> {
    let begin = Moment::now();
    let node = Node::start(&scene.hosts[0], daemon, text);
    for _ in 0..3 {
        scene.advertised("a", Moment::now(), |_| true);
    }
    node.signal(Signal(node.daemon.stop));
    scene.resigned("a", begin);
    node.stop();
    let all = scene.advertisements(begin);
    let last = all.iter().position(|(.., seen)| seen.priority == 0).expect("it resigned");
    [0, 1, last].map(|number| all[number].clone()).to_vec()
}

fn check(priority: u8, before: &str, lines: &str) {
    slow_test_with_keepalived(|| {
        let text = configuration(before, priority, lines);
        let [theirs, ours] = [Daemon::keepalived(), tanist()].map(|daemon| {
            let scene = Scene::new(&["a", "b"]);
            let seen = sent(&scene, daemon, &text);
            let packets = seen.iter().map(|(.., seen)| blanked(seen)).collect::<Vec<_>>();
            let opinion = opinion_of_tshark(&seen).map(|(complaints, known)| (complaints.lines().count(), known));
            if let Some((complaints, known)) = opinion {
                assert_eq!(known, seen.len(), "{text}");
                // It does not like any group but the standard's.
                let usual = matches!(seen[0].2.destination, IpAddr::V4(to) if to.octets()[..3] != [224, 0, 0] || to.octets()[3] == 18);
                assert!(complaints == 0 || !usual, "{complaints} complaints\n{text}");
            }
            packets
        });
        assert_eq!(ours, theirs, "{text}");
    });
}

#[test]
fn version_2() {
    check(150, "", "    version 2");
}

#[test]
fn version_2_with_a_password() {
    check(150, "", "    authentication {\n        auth_type PASS\n        auth_pass 12345678\n    }");
}

#[test]
fn version_2_with_an_authentication_header() {
    check(150, "", "    authentication {\n        auth_type AH\n        auth_pass 1234\n    }");
}

#[test]
fn version_3() {
    check(150, "", "    version 3\n    advert_int 0.25");
}

#[test]
fn version_3_of_an_owner_with_several_addresses() {
    let more = "    virtual_ipaddress {\n        198.51.100.9/32\n        192.0.2.101/24\n        203.0.113.1/24 dev lo\n    }";
    check(255, "global_defs {\n    vrrp_version 3\n}", &format!("    advert_int 0.5\n{more}"));
}

#[test]
fn version_2_by_unicast() {
    check(150, "", &format!("{}    unicast_ttl 77", unicast(0)));
}

#[test]
fn version_3_by_unicast() {
    check(150, "", &format!("    version 3\n    advert_int 0.3\n{}", unicast(0)));
}

#[test]
fn strict() {
    check(150, "global_defs {\n    vrrp_strict\n    vrrp_version 3\n}", "    advert_int 1");
}

#[test]
fn to_another_group() {
    check(150, "global_defs {\n    vrrp_mcast_group4 224.0.0.55\n}", "    version 3\n    advert_int 0.2");
}
