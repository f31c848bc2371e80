//! What is on the wire in each mode: octet for octet what keepalived sends, and nothing that another decoder complains about.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use linux::signals::Signal;

use super::unicast;
use crate::differences;
use crate::support::ipv6;
use crate::support::pcap::{fields_by_tshark, opinion_of_tshark};
use crate::support::wire::{Frame, Wire};
use crate::support::{
    ADDRESS, Advertisement, Daemon, Moment, Node, Scene, configuration, slow_test, slow_test_with_keepalived, tanist,
};

/// The octets of a packet that may differ: over IPv4 the identification and with it the sum of the IP header, and with an
/// authentication header its number and what is made from both; over IPv6 see [`differences::blank_ipv6_header`].
fn blanked(advertisement: &Advertisement) -> Vec<u8> {
    let mut packet = advertisement.packet.clone();
    if advertisement.source.is_ipv6() {
        differences::blank_ipv6_header(&mut packet, !advertisement.destination.is_multicast());
        return packet;
    }
    let header = usize::from(packet[0] & 0x0f) * 4;
    packet[4..6].fill(0);
    packet[10..12].fill(0);
    if packet[9] == 51 {
        packet[header + 8..header + 24].fill(0);
    }
    packet
}

/// What a daemon that runs alone has sent.
struct Sent {
    /// The first advertisement, one in between, and the last one.
    advertisements: Vec<(Moment, String, Advertisement)>,
    /// What came to the client.
    frames: Vec<Frame>,
}

fn sent(scene: &Scene, daemon: Daemon, text: &str) -> Sent {
    let mut wire = Wire::of(scene);
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
    let advertisements = [0, 1, last].map(|number| all[number].clone()).to_vec();
    Sent { advertisements, frames: wire.frames().to_vec() }
}

fn check(priority: u8, before: &str, lines: &str) {
    slow_test_with_keepalived(|| {
        let scene = || Scene::new(&["a", "b"]);
        compare(scene, &configuration(before, priority, lines));
    });
}

/// Over IPv6, with an address of the link and another one.
fn check_ipv6(lines: &str) {
    slow_test_with_keepalived(|| compare(|| ipv6::scene(&["a", "b"]), &of_ipv6(lines)));
}

fn of_ipv6(lines: &str) -> String {
    let addresses = "fe80::100/64\n        2001:db8::100/64";
    configuration("global_defs {\n    vrrp_garp_master_delay 0\n}", 150, &format!("    advert_int 0.5\n{lines}"))
        .replace(&format!("{ADDRESS}/24"), addresses)
}

fn compare(scene: impl Fn() -> Scene, text: &str) {
    let [theirs, ours] = [Daemon::keepalived(), tanist()].map(|daemon| {
        let sent = sent(&scene(), daemon, text);
        let seen = &sent.advertisements;
        if let Some((complaints, known)) = opinion_of_tshark(seen) {
            assert_eq!(known, seen.len(), "{text}");
            // It does not like any group but the standard's.
            let usual = match seen[0].2.destination {
                IpAddr::V4(to) => to.octets()[..3] != [224, 0, 0] || to.octets()[3] == 18,
                IpAddr::V6(_) => true,
            };
            assert!(complaints.is_empty() || !usual, "{complaints}\n{text}");
        }
        let packets: Vec<Vec<u8>> = seen.iter().map(|(.., seen)| blanked(seen)).collect();
        // By unicast nothing but announcements comes to the client.
        let framed =
            sent.frames.iter().find(|frame| frame.bytes.get(12..14) == Some(&[8, 0]) || is_vrrp_of_ipv6(frame));
        let ethernet = framed.map(|frame| frame.bytes[..14].to_vec());
        (packets, ethernet, announcements(&sent.frames), read_announcements(&sent.frames))
    });
    assert!(!ours.2.is_empty(), "nothing is announced\n{text}");
    assert_eq!(ours, theirs, "{text}");
}

fn is_vrrp_of_ipv6(frame: &Frame) -> bool {
    frame.bytes.get(12..14) == Some(&[0x86, 0xdd]) && frame.bytes.get(20) == Some(&112)
}

/// Gratuitous ARP, or a neighbour advertisement (RFC 4861 §4.4) to all nodes.
fn is_announcement(frame: &Frame) -> bool {
    let arp = || frame.arp().is_some() && frame.bytes.get(28..32) == frame.bytes.get(38..42);
    let of_ipv6 = || {
        frame.bytes.get(12..14) == Some(&[0x86, 0xdd])
            && frame.bytes.get(20) == Some(&58)
            && frame.bytes.get(54) == Some(&136)
            && frame.bytes.get(38..54) == Some(&Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).octets())
    };
    arp() || of_ipv6()
}

/// How often each came, octet for octet.
fn announcements(frames: &[Frame]) -> BTreeMap<Vec<u8>, usize> {
    let mut found = BTreeMap::new();
    for frame in frames.iter().filter(|frame| is_announcement(frame)) {
        *found.entry(frame.bytes.clone()).or_default() += 1;
    }
    found
}

/// What tshark reads in them, and complains about.
fn read_announcements(frames: &[Frame]) -> Option<BTreeMap<String, usize>> {
    let fields = [
        "_ws.expert.message",
        "eth.src",
        "eth.dst",
        "arp.opcode",
        "arp.isgratuitous",
        "arp.src.hw_mac",
        "arp.src.proto_ipv4",
        "arp.dst.hw_mac",
        "arp.dst.proto_ipv4",
        "ipv6.hlim",
        "ipv6.src",
        "ipv6.dst",
        "icmpv6.checksum.status",
        "icmpv6.nd.na.flag.r",
        "icmpv6.nd.na.flag.s",
        "icmpv6.nd.na.flag.o",
        "icmpv6.nd.na.target_address",
        "icmpv6.opt.linkaddr",
    ];
    let frames: Vec<Frame> = frames.iter().filter(|frame| is_announcement(frame)).cloned().collect();
    let mut found = BTreeMap::new();
    for line in fields_by_tshark(&frames, &fields)? {
        *found.entry(line).or_default() += 1;
    }
    Some(found)
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
fn version_2_with_a_password_by_unicast() {
    let password = "    authentication {\n        auth_type PASS\n        auth_pass 1234\n    }";
    check(150, "", &format!("{}{password}", unicast(0)));
}

#[test]
fn version_2_with_an_authentication_header_by_unicast() {
    let password = "    authentication {\n        auth_type AH\n        auth_pass 12345678\n    }";
    check(150, "", &format!("{}    unicast_ttl 77\n{password}", unicast(0)));
}

/// As keepalived did before 1.3.7; tshark says that it is wrong.
#[test]
fn version_3_by_unicast_with_the_old_checksum() {
    let lines = format!("    version 3\n    advert_int 0.3\n{}    old_unicast_checksum", unicast(0));
    slow_test_with_keepalived(|| {
        let [theirs, ours] = [Daemon::keepalived(), tanist()].map(|daemon| {
            let sent = sent(&Scene::new(&["a", "b"]), daemon, &configuration("", 150, &lines));
            sent.advertisements.iter().map(|(.., seen)| blanked(seen)).collect::<Vec<_>>()
        });
        assert_eq!(ours, theirs);
    });
}

/// keepalived has it since 2.2.8: as in version 2, the sum is of the message alone (RFC 3768 §5.3.8), and not of a pseudo-header, too
/// (RFC 9568 §5.2.8).
#[test]
fn version_3_with_the_checksum_of_version_2() {
    slow_test(|| {
        for (word, way) in [("v3_checksum_as_v2", ""), ("v3_checksum_as_v2", &*unicast(0)), ("", "")] {
            let text = configuration("", 150, &format!("    version 3\n    advert_int 0.3\n{way}    {word}"));
            for (.., seen) in sent(&Scene::new(&["a", "b"]), tanist(), &text).advertisements {
                let message = &seen.packet[20..];
                assert_eq!(message[0], 0x31);
                let mut pseudo_header = seen.packet[12..20].to_vec();
                pseudo_header.extend([0, 112, 0, message.len() as u8]);
                let with = [&pseudo_header[..], message].concat();
                let is_right = |octets: &[u8]| sum_of(octets) == 0xffff;
                assert_eq!(
                    (is_right(message), is_right(&with)),
                    (!word.is_empty(), word.is_empty()),
                    "{seen:?}\n{text}"
                );
            }
        }
    });
}

/// As of 16-bit numbers in one's complement (RFC 1071).
fn sum_of(octets: &[u8]) -> u32 {
    let sum: u32 = octets.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    (sum & 0xffff) + (sum >> 16)
}

#[test]
fn strict() {
    check(150, "global_defs {\n    vrrp_strict\n    vrrp_version 3\n}", "    advert_int 1");
}

#[test]
fn to_another_group() {
    check(150, "global_defs {\n    vrrp_mcast_group4 224.0.0.55\n}", "    version 3\n    advert_int 0.2");
}

#[test]
fn with_a_virtual_mac() {
    let before = "global_defs {\n    vrrp_garp_master_delay 0\n}";
    check(150, before, "    version 3\n    advert_int 0.5\n    use_vmac");
}

#[test]
fn with_a_virtual_mac_from_the_interface_below() {
    let before = "global_defs {\n    vrrp_garp_master_delay 0\n}";
    check(150, before, "    version 2\n    use_vmac\n    vmac_xmit_base");
}

/// Both send it by the interface below, keepalived with a warning if that is not said.
#[test]
fn with_a_virtual_mac_by_unicast() {
    let before = "global_defs {\n    vrrp_garp_master_delay 0\n}";
    let lines = format!("    version 3\n    advert_int 0.5\n    use_vmac\n    vmac_xmit_base\n{}", unicast(0));
    check(150, before, &lines);
}

#[test]
fn ipv6_with_a_virtual_mac_by_unicast() {
    check_ipv6(
        "    use_vmac\n    vmac_xmit_base\n    unicast_src_ip 2001:db8::1\n    unicast_peer {\n        2001:db8::2\n    }",
    );
}

#[test]
fn ipv6() {
    check_ipv6("");
}

#[test]
fn ipv6_by_unicast() {
    check_ipv6("    unicast_src_ip 2001:db8::1\n    unicast_peer {\n        2001:db8::2\n    }");
}

/// The fields of a gratuitous ARP (RFC 5227 §3) and of an unsolicited neighbour advertisement (RFC 4861 §7.2.6), as somebody
/// else reads them.
#[test]
fn announcements_say_what_they_should() {
    slow_test(|| {
        let mac = "02:00:00:00:01:00";
        let arp = format!("\t{mac}\tff:ff:ff:ff:ff:ff\t1\tTrue\t{mac}\t192.0.2.100\tff:ff:ff:ff:ff:ff\t192.0.2.100");
        let before = "global_defs {\n    vrrp_garp_master_delay 0\n}";
        let four =
            sent(&Scene::new(&["a"]), tanist(), &configuration(before, 150, "    version 3\n    advert_int 0.5"));
        let six = sent(&ipv6::scene(&["a", "b"]), tanist(), &of_ipv6(""));
        for (sent, expected) in [
            (four, vec![arp + &"\t".repeat(9)]),
            (
                six,
                ["2001:db8::100", "fe80::100"]
                    .map(|address| {
                        let arp = "\t".repeat(6);
                        format!(
                            "\t{mac}\t33:33:00:00:00:01{arp}\t255\t{address}\tff02::1\t1\t0\t0\t1\t{address}\t{mac}"
                        )
                    })
                    .to_vec(),
            ),
        ] {
            let Some(read) = read_announcements(&sent.frames) else {
                rehearse::lab::skip(&crate::support::test_name(), &"tshark is not installed");
                return;
            };
            let plain: Vec<String> = read.keys().map(|line| line.replace("True", "1").replace("False", "0")).collect();
            let expected: Vec<String> = expected.iter().map(|line| line.replace("True", "1")).collect();
            assert_eq!(plain, expected);
            assert!(read.values().all(|count| *count == 5), "{read:?}");
        }
    });
}

/// keepalived 2.2.7 signs nothing, so there is nobody to compare with. tshark does not know the trailer, and finds nothing
/// wrong with what stands before it. Over IPv4 the checksum leaves the trailer out, which is why tshark gets none.
#[test]
fn signed() {
    slow_test(|| {
        let lines = "    auth_hmac {\n        key 1 file:/run/rehearse/hmac.key\n    }";
        for (scene, text) in [
            (Scene::new(&["a", "b"]), configuration("", 150, &format!("    version 3\n    advert_int 0.5\n{lines}"))),
            (ipv6::scene(&["a", "b"]), of_ipv6(lines)),
            (
                Scene::new(&["a", "b"]),
                configuration("", 150, &format!("    version 3\n    advert_int 0.5\n{}{lines}", unicast(0))),
            ),
            (
                ipv6::scene(&["a", "b"]),
                of_ipv6(&format!(
                    "    unicast_src_ip 2001:db8::1\n    unicast_peer {{\n        2001:db8::2\n    }}\n{lines}"
                )),
            ),
        ] {
            scene.hosts[0].write_secret("hmac.key", &("5a".repeat(32) + "\n")).expect("a key");
            let sent = sent(&scene, tanist(), &text);
            let header = if text.contains("fe80") { 40 } else { 20 };
            for (.., seen) in &sent.advertisements {
                let length = seen.packet.len() - header;
                let (unsigned, octets) = (8 + seen.addresses.len() * if header == 40 { 16 } else { 4 }, 28);
                assert_eq!(length, unsigned + octets, "{seen:?}");
            }
            let mut shown = sent.advertisements;
            if header == 20 {
                shown.iter_mut().for_each(|(.., seen)| take_off(&mut seen.packet, 28));
            }
            if let Some((complaints, known)) = opinion_of_tshark(&shown) {
                assert_eq!((&*complaints, known), ("", shown.len()), "{text}");
            }
        }
    });
}

/// Takes so many octets off the end of an IPv4 packet. Its header is right again (RFC 791 §3.1).
fn take_off(packet: &mut Vec<u8>, octets: usize) {
    packet.truncate(packet.len() - octets);
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet[10..12].fill(0);
    let sum = sum_of(&packet[..20]);
    packet[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}
