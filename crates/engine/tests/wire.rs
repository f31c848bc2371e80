//! Octets: what we write is what keepalived writes, what is read is what was written, and nothing that arrives
//! can do harm.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::common::packet::{AuthenticationHeader, Packet, Sum, octets_from_hex};
use crate::common::setup::{password, router, virtual_address};
use crate::common::timeline::Bench;
use proptest::prelude::*;
use tanist_engine::vrrp::receive::ChecksumForm;
use tanist_engine::wire::checksum::Checksum;
use tanist_engine::wire::{AddressList, Advertisement, Body, advertisement, arp, ipv4, ipv6};
use tanist_engine::{Engine, Family, Input, Instant, LinkId, Output, Priority, Received, RouterId, Version, Vrid};

/// What keepalived 2.2.7 sent with interface address 192.0.2.1 and virtual addresses 192.0.2.100 and .101,
/// captured on the wire; the Ethernet header is left out. The identification counts advertisements.
struct Golden {
    /// The same settings for us.
    router: &'static str,
    version: Version,
    identification: u16,
    priority: u8,
    octets: &'static str,
    /// What octets 4 and 5 of the message say, and the authentication data.
    body: Body,
    form: ChecksumForm,
}

const ADDRESSES: &str = "addresses 192.0.2.100/24,192.0.2.101/24";
const PASSWORD: &str = "router a vrid 51 priority 150 password abcdefgh";
const PLAIN: &str = "router a vrid 52 priority 100";
const MULTICAST: &str = "router a version 3 vrid 53 priority 200 interval 0.1";
const UNICAST: &str = "router a version 3 vrid 54 priority 77 interval 0.5 source 192.0.2.1 peers 192.0.2.2";

const V2_PASSWORD: Body = Body::V2 { auth_type: 1, adver_int: 1, authentication_data: *b"abcdefgh" };
const V2_PLAIN: Body = Body::V2 { auth_type: 0, adver_int: 1, authentication_data: [0; 8] };
const V3_10: Body = Body::V3 { max_advertise_interval: 10 };
const V3_50: Body = Body::V3 { max_advertise_interval: 50 };

#[rustfmt::skip]
const GOLDEN: [Golden; 8] = [
    Golden {
        router: PASSWORD, version: Version::V2, identification: 1, priority: 150,
        octets: "45c0002c00010000ff70188dc0000201e0000012 213396020101 3169 c0000264c0000265 6162636465666768",
        body: V2_PASSWORD, form: ChecksumForm::MessageOnly,
    },
    Golden {
        router: PASSWORD, version: Version::V2, identification: 3, priority: 0,
        octets: "45c0002c00030000ff70188bc0000201e0000012 213300020101 c769 c0000264c0000265 6162636465666768",
        body: V2_PASSWORD, form: ChecksumForm::MessageOnly,
    },
    Golden {
        router: PLAIN, version: Version::V2, identification: 1, priority: 100,
        octets: "45c0002c00010000ff70188dc0000201e0000012 213464020001 f5fd c0000264c0000265 0000000000000000",
        body: V2_PLAIN, form: ChecksumForm::MessageOnly,
    },
    Golden {
        router: PLAIN, version: Version::V2, identification: 2, priority: 0,
        octets: "45c0002c00020000ff70188cc0000201e0000012 213400020001 59fe c0000264c0000265 0000000000000000",
        body: V2_PLAIN, form: ChecksumForm::MessageOnly,
    },
    Golden {
        router: MULTICAST, version: Version::V3, identification: 1, priority: 200,
        octets: "45c0002400010000ff701895c0000201e0000012 3135c802000a df5e c0000264c0000265",
        body: V3_10, form: ChecksumForm::WithPseudoHeader,
    },
    Golden {
        router: MULTICAST, version: Version::V3, identification: 0x2c, priority: 0,
        octets: "45c00024002c0000ff70186ac0000201e0000012 31350002000a a75f c0000264c0000265",
        body: V3_10, form: ChecksumForm::WithPseudoHeader,
    },
    Golden {
        router: UNICAST, version: Version::V3, identification: 1, priority: 77,
        octets: "45c0002400010000ff7036a5c0000201c0000202 31364d020032 7846 c0000264c0000265",
        body: V3_50, form: ChecksumForm::WithPseudoHeader,
    },
    Golden {
        router: UNICAST, version: Version::V3, identification: 7, priority: 0,
        octets: "45c0002400070000ff70369fc0000201c0000202 313600020032 c546 c0000264c0000265",
        body: V3_50, form: ChecksumForm::WithPseudoHeader,
    },
];

// ── Against keepalived ────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_active_router_writes_what_keepalived_writes() {
    for golden in &GOLDEN {
        let written = nth_advertisement(golden.router, golden.identification, golden.priority == 0);
        assert_eq!(written, octets_from_hex(golden.octets), "{}, packet {}", golden.router, golden.identification);
    }
}

/// The octets of the nth advertisement of a router; the last one comes from an orderly stop.
fn nth_advertisement(line: &str, nth: u16, stop: bool) -> Vec<u8> {
    let mut bench = Bench::new(&[&format!("{line} {ADDRESSES}")]);
    bench.set_links(&[]);
    let mut now = Instant::START;
    let mut sent = 0;
    let mut input = Input::Start;
    loop {
        let mut out = Vec::new();
        bench.engine.handle(now, input, &mut out);
        for output in &out {
            let Output::Advertise { router, priority, sequence } = output else { continue };
            sent += 1;
            if sent == nth {
                let destination = bench.engine.destinations(*router)[0];
                let mut buffer = [0; 1500];
                let engine = &bench.engine;
                let written = engine.write_advertisement(*router, *priority, *sequence, destination, &mut buffer);
                return written.expect("it has an address and the buffer has room").to_vec();
            }
        }
        if stop && sent == nth - 1 {
            input = Input::Stop;
        } else {
            now = bench.engine.deadline().expect("a router that runs has a deadline");
            input = Input::Timer;
        }
    }
}

#[test]
fn what_keepalived_writes_is_understood() {
    for golden in &GOLDEN {
        let octets = octets_from_hex(golden.octets);
        let packet = ipv4::parse(&octets).expect("it is a whole packet");
        assert_eq!(packet.source, Ipv4Addr::new(192, 0, 2, 1));
        let by_unicast = golden.router == UNICAST;
        let group = if by_unicast { Ipv4Addr::new(192, 0, 2, 2) } else { Ipv4Addr::new(224, 0, 0, 18) };
        assert_eq!(packet.destination, group);
        assert_eq!((packet.ttl, packet.protocol), (255, 112));
        let addresses = [192, 0, 2, 100, 192, 0, 2, 101];
        let expected = Advertisement {
            vrid: Vrid::new(octets[21]).expect("the second octet of the message"),
            priority: Priority::new(golden.priority),
            addresses: AddressList::new(Family::Ipv4, &addresses).expect("two addresses"),
            body: golden.body,
        };
        assert!(golden.router.contains(&format!("vrid {}", expected.vrid)));
        assert_eq!(advertisement::decode(golden.version, Family::Ipv4, packet.payload), Ok(expected));
        let (source, destination) = (packet.source.into(), packet.destination.into());
        let form = advertisement::checksum_form(golden.version, packet.payload, source, destination);
        assert_eq!(form, Some(golden.form), "{}", golden.router);
    }
}

#[test]
fn a_gratuitous_arp_is_what_keepalived_sends() {
    let captured = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000264 ffffffffffff c0000264";
    let frame = arp::gratuitous([2, 0, 0, 0, 0, 1], Ipv4Addr::new(192, 0, 2, 100));
    assert_eq!(frame[..], octets_from_hex(captured));
}

/// Our own judge agrees with the capture, so that it may judge elsewhere.
#[test]
fn the_encoder_of_these_tests_writes_what_keepalived_writes() {
    let mut config = router("a");
    config.authentication = tanist_engine::Authentication::SimplePassword(password("abcdefgh").into());
    config.addresses = vec![virtual_address("192.0.2.100/24"), virtual_address("192.0.2.101/24")];
    let packet = Packet::of(&config, Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(224, 0, 0, 18), 150);
    assert_eq!(packet.octets(), octets_from_hex(GOLDEN[0].octets));
}

// ── Damage ────────────────────────────────────────────────────────────────────────────────────────────────

/// Which single bits of a packet may be wrong without the engine discarding it: a mask over the packet.
///
/// In the IP header, the kernel's checksum protects what ours does not: type of service, identification,
/// fragment fields, protocol and the header's own checksum, and in version 2 the source address. The destination must be
/// the configured group. The TTL must be 255 by multicast and may be anything by unicast. In the message, nothing.
#[test]
fn no_flipped_bit_of_a_message_is_accepted() {
    let nothing_of_v2 = "000000000000 0000 0000000000000000 0000000000000000";
    let nothing_of_v3 = "000000000000 0000 0000000000000000";
    let v2 = format!("00ff0000ffffffff00ffffffffffffff00000000 {nothing_of_v2}");
    let multicast = format!("00ff0000ffffffff00ffffff0000000000000000 {nothing_of_v3}");
    let unicast = format!("00ff0000ffffffffffffffff0000000000000000 {nothing_of_v3}");
    for golden in &GOLDEN {
        let expected = match (golden.version, golden.router == UNICAST) {
            (Version::V2, _) => &v2,
            (Version::V3, false) => &multicast,
            (Version::V3, true) => &unicast,
        };
        let octets = octets_from_hex(golden.octets);
        assert!(is_accepted(golden, &octets), "{}: the packet as it was captured", golden.router);
        let mut harmless = vec![0_u8; octets.len()];
        for bit in 0..octets.len() * 8 {
            let (place, mask) = (bit / 8, 0x80 >> (bit % 8));
            let mut damaged = octets.clone();
            damaged[place] ^= mask;
            if is_accepted(golden, &damaged) {
                harmless[place] |= mask;
            }
        }
        let places = |mask: &[u8]| mask.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        assert_eq!(places(&harmless), places(&octets_from_hex(expected)), "{}", golden.router);
    }
}

/// Whether a Backup with the same settings and another address believes a packet.
fn is_accepted(golden: &Golden, octets: &[u8]) -> bool {
    let line = golden.router.replace("source 192.0.2.1 peers 192.0.2.2", "source 192.0.2.2 peers 192.0.2.1");
    let mut bench = Bench::new(&[&format!("{line} {ADDRESSES}")]);
    bench.set_links(&["link eth0 up 192.0.2.2"]);
    bench.act(Instant::START, "start", &[]);
    let received = Received { link: LinkId(0), family: Family::Ipv4, octets };
    bench.engine.handle(Instant::from_millis(1), Input::Received(received), &mut Vec::new());
    bench.engine.view().routers[0].statistics.advertisements_received == 1
}

// ── Whatever arrives ──────────────────────────────────────────────────────────────────────────────────────

/// Engines in every state that a packet can find: not started, held by a fault, Backup, Active, leaving, stopped.
fn engines_in_all_states() -> Vec<(Instant, Engine)> {
    let both = "vrid 51 addresses 192.0.2.100/24";
    let lives: [&[&str]; 6] = [
        &[],
        &["0 link eth0 absent", "0 start"],
        &["0 start"],
        &["0 start", "4000 wait"],
        &["0 start", "4000 wait", "4100 stop"],
        &["0 start", "4000 wait", "4100 stop", "9000 wait"],
    ];
    let mut engines = Vec::new();
    for life in lives {
        for version in ["2", "3"] {
            let mut bench = Bench::new(&[&format!("router a version {version} {both}")]);
            bench.set_links(&[]);
            let mut now = Instant::START;
            for step in life {
                let (moment, action) = step.split_once(' ').expect("a moment and an action");
                now = Instant::from_millis(moment.parse().expect("milliseconds"));
                bench.wait(now);
                bench.act(now, action, &[]);
            }
            engines.push((now, bench.engine));
        }
    }
    engines
}

fn hear_in_all_states(octets: &[u8]) {
    for (now, mut engine) in engines_in_all_states() {
        let mut out = Vec::new();
        for family in [Family::Ipv4, Family::Ipv6] {
            engine.handle(now, Input::Received(Received { link: LinkId(0), family, octets }), &mut out);
        }
        assert!(engine.router(RouterId(0)).is_some());
    }
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let addresses = prop::collection::vec(any::<u32>().prop_map(|bits| IpAddr::from(Ipv4Addr::from(bits))), 0..20);
    let header =
        (any::<u8>(), prop_oneof![Just(2_u8), Just(3), 0_u8..16], 0_u8..4, prop_oneof![Just(51_u8), any::<u8>()]);
    let body =
        (any::<u8>(), prop::option::of(any::<u8>()), any::<[u8; 2]>(), prop::collection::vec(any::<u8>(), 0..12));
    let end = (any::<bool>(), 0_usize..40, 0_usize..8, any::<bool>());
    (addresses, header, body, end).prop_map(|(addresses, header, body, end)| Packet {
        source: Ipv4Addr::new(192, 0, 2, 2).into(),
        destination: Ipv4Addr::new(224, 0, 0, 18).into(),
        identification: 7,
        ttl: if end.0 { 255 } else { header.0 },
        version: header.1,
        kind: header.2,
        vrid: header.3,
        priority: body.0,
        count: body.1,
        middle: body.2,
        addresses,
        tail: body.3,
        sum: if end.0 { Sum::MessageOnly } else { Sum::WithPseudoHeader },
        authentication_header: end.3.then(|| AuthenticationHeader::new(b"word", 1)),
        seal: None,
        padding: end.1,
        cut: end.2,
    })
}

proptest! {
    #[test]
    fn octets_of_any_kind_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Some(packet) = ipv4::parse(&octets) {
            prop_assert!(packet.payload.len() + 20 <= octets.len());
        }
        if let Some(packet) = ipv6::parse(&octets) {
            prop_assert!(packet.payload.len() + 40 <= octets.len());
        }
        for version in [Version::V2, Version::V3] {
            for family in [Family::Ipv4, Family::Ipv6] {
                if let Ok(decoded) = advertisement::decode(version, family, &octets) {
                    prop_assert_eq!(decoded.addresses.len(), usize::from(octets[3]));
                    prop_assert_eq!(decoded.addresses.iter().count(), usize::from(octets[3]));
                }
            }
            for here in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
                let _ = advertisement::checksum_form(version, &octets, here, here);
            }
        }
        hear_in_all_states(&octets);
    }

    #[test]
    fn packets_with_any_lies_do_no_harm(packet in any_packet(), cut in 0_usize..80) {
        let octets = packet.octets();
        hear_in_all_states(&octets);
        // And those that a network cut short.
        hear_in_all_states(&octets[..octets.len().saturating_sub(cut)]);
    }

    #[test]
    fn what_was_written_in_version_2_is_read(
        vrid in 1_u8.., priority: u8, auth_type: u8, adver_int: u8, authentication_data: [u8; 8],
        addresses in prop::collection::vec(any::<u8>(), 0..64), padding in 0_usize..20,
    ) {
        let addresses = &addresses[..addresses.len() / 4 * 4];
        let advertisement = Advertisement {
            vrid: Vrid::new(vrid).unwrap(),
            priority: Priority::new(priority),
            addresses: AddressList::new(Family::Ipv4, addresses).unwrap(),
            body: Body::V2 { auth_type, adver_int, authentication_data },
        };
        let here = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let mut buffer = [0xee; 200];
        let length = advertisement::encode(&advertisement, here, here, &mut buffer).unwrap().len();
        prop_assert_eq!(length, 16 + addresses.len());
        let read = advertisement::decode(Version::V2, Family::Ipv4, &buffer[..length + padding]);
        prop_assert_eq!(read, Ok(advertisement));
        prop_assert!(advertisement::decode(Version::V2, Family::Ipv4, &buffer[..length - 1]).is_err());
        prop_assert!(advertisement::decode(Version::V3, Family::Ipv4, &buffer[..length]).is_err());
    }

    #[test]
    fn what_was_written_in_version_3_is_read(
        vrid in 1_u8.., priority: u8, max_advertise_interval in 0_u16..4096,
        addresses in prop::collection::vec(any::<u8>(), 0..255), six: bool,
    ) {
        let (family, size) = if six { (Family::Ipv6, 16) } else { (Family::Ipv4, 4) };
        let addresses = &addresses[..addresses.len() / size * size];
        let advertisement = Advertisement {
            vrid: Vrid::new(vrid).unwrap(),
            priority: Priority::new(priority),
            addresses: AddressList::new(family, addresses).unwrap(),
            body: Body::V3 { max_advertise_interval },
        };
        let here = if six { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let mut buffer = [0xee; 300];
        let written = advertisement::encode(&advertisement, here, here, &mut buffer).unwrap().to_vec();
        prop_assert_eq!(written.len(), 8 + addresses.len());
        prop_assert_eq!(advertisement::decode(Version::V3, family, &written), Ok(advertisement));
        // No buffer that is too small is written to, let alone beyond its end.
        let mut small = vec![0; written.len() - 1];
        prop_assert!(advertisement::encode(&advertisement, here, here, &mut small).is_none());
    }

    /// Both forms of version 3 are accepted and told apart; one that is neither is refused.
    #[test]
    fn the_form_of_a_checksum_is_told(vrid in 1_u8.., priority: u8, source in 0xc000_0200_u32..0xc000_02ff) {
        let mut config = router("a");
        config.version = Version::V3;
        let group = Ipv4Addr::new(224, 0, 0, 18);
        let mut packet = Packet { vrid, ..Packet::of(&config, Ipv4Addr::from(source), group, priority) };
        let mut right = Vec::new();
        for (sum, form) in [
            (Sum::WithPseudoHeader, Some(ChecksumForm::WithPseudoHeader)),
            (Sum::MessageOnly, Some(ChecksumForm::MessageOnly)),
            (Sum::Wrong, None),
        ] {
            packet.sum = sum;
            let octets = packet.octets();
            // From some sources what is wrong for the message is right with the header.
            if right.contains(&octets) {
                continue;
            }
            let found = advertisement::checksum_form(Version::V3, &octets[20..], packet.source, group.into());
            prop_assert_eq!(found, form);
            right.push(octets);
        }
    }
}

/// RFC 1071: as if a zero stood behind it.
#[test]
fn an_octet_that_is_left_over_is_the_high_half_of_a_word() {
    let sum = |octets: &[u8]| Checksum::default().include(octets).finish();
    assert_eq!(sum(&[0x12, 0x34, 0x56]), !(0x1234 + 0x5600));
    assert_eq!(sum(&[0x12, 0x34, 0x56]), sum(&[0x12, 0x34, 0x56, 0]));
}

// ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn as_many_addresses_as_the_count_can_say_and_no_more() {
    let most = vec![1; 255 * 4];
    let list = AddressList::new(Family::Ipv4, &most).expect("255 addresses");
    assert_eq!((list.len(), list.is_empty()), (255, false));
    assert!(AddressList::new(Family::Ipv4, &[]).is_some_and(|none| none.is_empty()));
    assert!(AddressList::new(Family::Ipv4, &vec![1; 256 * 4]).is_none());
    assert!(AddressList::new(Family::Ipv4, &[1; 6]).is_none(), "one and a half");
    let advertisement = Advertisement {
        vrid: Vrid::new(1).unwrap(),
        priority: Priority::DEFAULT,
        addresses: list,
        body: Body::V3 { max_advertise_interval: 100 },
    };
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut buffer = [0; 1500];
    let written = advertisement::encode(&advertisement, here, here, &mut buffer).expect("1028 octets fit");
    assert_eq!(written.len(), 1028);
    assert_eq!(advertisement::decode(Version::V3, Family::Ipv4, written), Ok(advertisement));
}

#[test]
fn a_packet_is_parsed_as_far_as_its_own_length() {
    let mut octets = octets_from_hex(GOLDEN[2].octets);
    octets.extend([0xee; 2]);
    assert_eq!(ipv4::parse(&octets).expect("padding is no harm").payload.len(), 24);
    assert!(ipv4::parse(&octets[..43]).is_none(), "shorter than it says");
    octets[0] = 0x65;
    assert!(ipv4::parse(&octets).is_none(), "another family");
    octets[0] = 0x44;
    assert!(ipv4::parse(&octets).is_none(), "a header that is too short");
    octets[0] = 0x46;
    assert_eq!(ipv4::parse(&octets).expect("options are skipped").payload.len(), 20);
    octets[0] = 0x4f;
    assert!(ipv4::parse(&octets).is_none(), "a header longer than the packet");
}
