//! Virtual routers of IPv6: their octets, where they speak from, whom they believe, and who wins.

use std::net::{IpAddr, Ipv6Addr};

use crate::common::ladder::ladder;
use crate::common::packet::octets_from_hex;
use crate::common::timeline::{Bench, check};
use tanist_engine::vrrp::receive::ChecksumForm;
use tanist_engine::wire::{advertisement, ipv6, neighbour, packet};
use tanist_engine::{Family, Input, Instant, LinkId, Output, Priority, Received, RouterId, Version};

// ── Octets ────────────────────────────────────────────────────────────────────────────────────────────────

/// What keepalived 2.2.7 sends: VRID 5, priority 100, two addresses, by multicast. Its kernel makes up a flow label.
const CAPTURED: &str = "6c0ec4e4 0028 70 ff fe80000000000000f4cb65fffec0391d ff020000000000000000000000000012 \
     3105 64 02 0064 ad80 20010db8000000000000000000000001 fe800000000000000000000000000001";
/// Where the flow label stands.
const FLOW_LABEL: std::ops::Range<usize> = 1..4;

fn bench(router: &str, addresses: &str) -> Bench {
    let mut bench = Bench::new(&[router]);
    bench.set_links(&[&format!("link eth0 up {addresses}")]);
    bench
}

fn written(bench: &mut Bench, priority: u8, sequence: u64, destination: &str) -> Vec<u8> {
    bench.engine.handle(Instant::START, Input::Start, &mut Vec::new());
    let mut buffer = [0; 1500];
    let destination = destination.parse().expect("an address");
    let packet =
        bench.engine.write_advertisement(RouterId(0), Priority::new(priority), sequence, destination, &mut buffer);
    packet.expect("it has an address to send from").to_vec()
}

#[test]
fn an_advertisement_is_what_keepalived_sends() {
    let mut expected = octets_from_hex(CAPTURED);
    expected[FLOW_LABEL].fill(0);
    // Over IPv6 there is one form of the checksum, whichever is asked for.
    for checksum in ["never-old", "old", "message"] {
        let line = format!("router a ipv6 vrid 5 addresses 2001:db8::1/128,fe80::1/128 checksum {checksum}");
        let mut bench = bench(&line, "2001:db8::a fe80::f4cb:65ff:fec0:391d");
        assert_eq!(written(&mut bench, 100, 0, "ff02::12"), expected, "{checksum}");
    }
}

#[test]
fn what_keepalived_sends_is_understood() {
    let octets = octets_from_hex(CAPTURED);
    let whole = ipv6::parse(&octets).expect("a whole packet");
    assert_eq!((whole.hop_limit, whole.next_header, whole.payload.len()), (255, 112, 40));
    let read = advertisement::decode(Version::V3, Family::Ipv6, whole.payload).expect("an advertisement");
    let listed: Vec<String> = read.addresses.iter().map(|address| address.to_string()).collect();
    assert_eq!(listed, ["2001:db8::1", "fe80::1"]);
    let form = |destination: IpAddr| {
        advertisement::checksum_form(Version::V3, whole.payload, whole.source.into(), destination)
    };
    assert_eq!(form(whole.destination.into()), Some(ChecksumForm::WithPseudoHeader));
    assert_eq!(form("ff02::13".parse().expect("an address")), None);
    assert!(packet::parse(Family::Ipv4, &octets).is_none());
    assert!(ipv6::parse(&octets[..79]).is_none(), "shorter than it says");
    assert!(ipv6::parse(&[&octets[..], &[0; 6]].concat()).is_some_and(|packet| packet.payload.len() == 40), "padding");
}

/// The vector of keepalived 2.4.3: the checksum, made by its kernel, covers the trailer.
#[test]
fn a_sealed_advertisement_is_what_keepalived_sends() {
    let mut bench = bench("router a ipv6 vrid 51 hmac 1 addresses fe80::100/64 peers fe80::20", "fe80::10");
    let packet = written(&mut bench, 200, 0x6800_0000_8000_0000, "fe80::20");
    let expected = "3133c8010064a2e9 fe800000000000000000000000000100 \
        010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78";
    assert_eq!(packet[40..], octets_from_hex(expected));
    assert_eq!(u16::from_be_bytes([packet[4], packet[5]]), 52, "the header knows of the trailer");
}

#[test]
fn a_neighbour_advertisement_is_what_keepalived_sends() {
    let captured = "333300000001 f6cb65c0391d 86dd 60000000 0020 3a ff 20010db8000000000000000000000001 \
        ff020000000000000000000000000001 88 00 6582 20000000 20010db8000000000000000000000001 0201 f6cb65c0391d";
    let hardware_address = [0xf6, 0xcb, 0x65, 0xc0, 0x39, 0x1d];
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    assert_eq!(neighbour::unsolicited(hardware_address, address, false)[..], octets_from_hex(captured));
    // A router says so, and the checksum follows: 6582 less 8000.
    let of_router = neighbour::unsolicited(hardware_address, address, true);
    assert_eq!((of_router[58], &of_router[56..58]), (0xa0, &[0xe5, 0x81][..]));
}

/// Which single bits of a packet may be wrong without the engine discarding it: traffic class, flow label, and nothing
/// of the addresses, since every one of them is in the checksum. The hop limit must be 255.
#[test]
fn no_flipped_bit_of_a_message_is_accepted() {
    let octets = octets_from_hex(CAPTURED);
    let is_accepted = |octets: &[u8]| {
        let mut bench = bench("router a ipv6 vrid 5 addresses 2001:db8::1/128,fe80::1/128", "fe80::1234");
        bench.engine.handle(Instant::START, Input::Start, &mut Vec::new());
        let received = Received { link: LinkId(0), family: Family::Ipv6, octets };
        bench.engine.handle(Instant::START, Input::Received(received), &mut Vec::new());
        bench.engine.view().routers[0].statistics.advertisements_received == 1
    };
    assert!(is_accepted(&octets), "the packet as it was captured");
    let mut harmless = vec![0_u8; octets.len()];
    for bit in 0..octets.len() * 8 {
        let (place, mask) = (bit / 8, 0x80 >> (bit % 8));
        let mut damaged = octets.clone();
        damaged[place] ^= mask;
        if is_accepted(&damaged) {
            harmless[place] |= mask;
        }
    }
    // The next header is the kernel's business: it gives us nothing else.
    let mut expected = vec![0; octets.len()];
    (expected[0], expected[6]) = (0x0f, 0xff);
    expected[FLOW_LABEL].fill(0xff);
    assert_eq!(harmless, expected);
}

// ── Whom it believes ──────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_ladder_of_checks_is_that_of_ipv4() {
    ladder(
        "router a ipv6",
        "
                                                 => accepted
        ttl 254                                  => Ttl
        version 2                                => Version
        type 2                                   => Type
        cut 1                                    => Length
        count 3                                  => Length
        sum wrong                                => Checksum
        sum message                              => Checksum
        interval 2                               => accepted odd AdvertisementInterval
        addresses fe80::100                      => accepted odd AddressCount odd AddressMissing
        addresses fe80::100,2001:db8::101        => accepted odd AddressMissing
        to ff02::13                              => TransportMismatch
        to fe80::1                               => TransportMismatch
        vrid 52                                  => ignored
        padding 4                                => accepted
        padding 5                                => accepted
",
    );
    ladder(
        "router a ipv6 source 2001:db8::1 peers 2001:db8::2,fe80::2 only_from_peers peer_ttl fe80::2/200/254",
        "
        ttl 254                                  => accepted
        ttl 255                                  => PeerTtl
        ttl 199                                  => PeerTtl
        to ff02::12                              => TransportMismatch
",
    );
    ladder(
        "router a ipv6 source 2001:db8::1 peers 2001:db8::2 only_from_peers",
        "
                                                 => UnknownPeer
",
    );
    ladder(
        "router a ipv6 hmac 1",
        "
                                                 => accepted
        seal none                                => TrailerMissing
        seal_from fe80::3                        => TrailerInvalid
        seal_secret 2                            => TrailerInvalid
        sum wrong                                => Checksum
",
    );
}

/// One number may be there for both families; each hears its own.
#[test]
fn families_of_one_number_do_not_hear_each_other() {
    check(
        r#"
router a vrid 51 version 3 priority 100
router b ipv6 vrid 51 priority 100
link eth0 up 192.0.2.1 fe80::1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    2.000000 > hear fe80::2 150 for b
    2.000000   b follows fe80::2
    4.609375   a Backup -> Active: ActiveDownTimer
    4.609375   a advertise 100
    4.609375   a wants its addresses
    4.609375   desired 192.0.2.100/24@eth0
    4.609375   a announcing eth0 192.0.2.100
    4.609375   announce eth0 192.0.2.100
    4.609375   a notify Active 100
    5.000000 > view
    5.000000   a is Active priority 100/100 interval 1s peer sums WithPseudoHeader
    5.000000   b is Backup priority 100/100 follows fe80::2 150 interval 1s down at 5.609375 peer sums WithPseudoHeader
"#,
    );
}

// ── Where it speaks from ──────────────────────────────────────────────────────────────────────────────────

/// By multicast from the link-local address of the interface that is no virtual one; a virtual one of another interface may
/// be real here. Until there is one, and when it goes, that is a fault.
#[test]
fn multicast_comes_from_the_link_local_address() {
    check(
        r#"
router a ipv6 priority 100
router b ipv6 link eth1 vrid 52 addresses fe80::200/64
link eth0 up 192.0.2.1 2001:db8::1 fe80::100
link eth1 up fe80::100
    0.000000 > start
    0.000000   a fault: NoPrimaryAddress
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.100000 > view
    0.100000   a is Initialize priority 100/100 interval 1s fault NoPrimaryAddress
    0.100000   b is Backup priority 100/100 interval 1s down at 3.609375
    1.000000 > link eth0 up 192.0.2.1 2001:db8::1 fe80::100 fe80::1
    1.000000   a fault gone: NoPrimaryAddress
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
    1.000000 > view
    1.000000   a is Backup priority 100/100 interval 1s down at 4.609375
    1.000000   b is Backup priority 100/100 interval 1s down at 3.609375
    2.000000 > link eth0 up fe80::7 fe80::1
    2.000000 > view
    2.000000   a is Backup priority 100/100 interval 1s down at 4.609375
    2.000000   b is Backup priority 100/100 interval 1s down at 3.609375
    3.000000 > link eth0 up 2001:db8::1
    3.000000   a fault: NoPrimaryAddress
    3.000000   a Backup -> Initialize: Fault
    3.000000   a notify Fault 100
    3.000000 > view
    3.000000   a is Initialize priority 100/100 interval 1s fault NoPrimaryAddress
    3.000000   b is Backup priority 100/100 interval 1s down at 3.609375
"#,
    );
}

/// After a boot the kernel looks for duplicates first: no fault, and nobody is told. Who has lost its address is told.
#[test]
fn a_tentative_address_is_waited_for() {
    check(
        r#"
router a ipv6 priority 100
link eth0 up 2001:db8::1 fe80::1?
    0.000000 > start
    0.500000 > view
    0.500000   a is Initialize priority 100/100 interval 1s fault PrimaryAddressTentative
    1.500000 > link eth0 up 2001:db8::1 fe80::1
    1.500000   a Initialize -> Backup: Started
    1.500000   a notify Backup 100
    2.000000 > link eth0 up 2001:db8::1 fe80::1?
    2.000000   a fault: NoPrimaryAddress
    2.000000   a Backup -> Initialize: Fault
    2.000000   a notify Fault 100
    3.500000 > link eth0 up 2001:db8::1
    4.000000 > stop
    4.000000   a Initialize -> Initialize: Stopped
    4.000000   a notify Stop 100
    4.000000   stopped
"#,
    );
}

/// A source that was named is waited for, and no other address.
#[test]
fn a_tentative_source_is_waited_for() {
    check(
        r#"
router a ipv6 priority 100 peers 2001:db8::2 source 2001:db8::1
link eth0 up 2001:db8::1? 2001:db8::7
    0.000000 > start
    0.500000 > view
    0.500000   a is Initialize priority 100/100 interval 1s fault PrimaryAddressTentative
    1.000000 > link eth0 up 2001:db8::7?
    1.000000   a fault: NoPrimaryAddress
    1.000000   a Initialize -> Initialize: Fault
    1.000000   a notify Fault 100
    1.500000 > view
    1.500000   a is Initialize priority 100/100 interval 1s fault NoPrimaryAddress
"#,
    );
}

/// Nor is any address that it would not send from: one of another reach, or a virtual one that a former life has left.
#[test]
fn a_tentative_address_of_no_use_is_not_waited_for() {
    for tentative in ["2001:db8::1?", "fe80::100?"] {
        let mut bench = Bench::new(&["router a ipv6 priority 100"]);
        bench.set_links(&[&format!("link eth0 up {tentative}")]);
        let told = bench.act(Instant::START, "start", &[]);
        assert!(told.iter().any(|line| line.ends_with("a fault: NoPrimaryAddress")), "{tentative}: {told:?}");
    }
}

/// Who has no address that the new peers can answer to does not even resign: they would hear it from a stranger.
#[test]
fn after_a_reconfiguration_nothing_is_sent_from_where_the_new_peers_cannot_answer_to() {
    check(
        r#"
router a ipv6 priority 100 peers fe80::2
link eth0 up fe80::1
    4.000000 > settle
    4.000000   a is Active priority 100/100 interval 1s
    4.500000 > reconfigure
router a ipv6 priority 100 peers 2001:db8::2
    4.500000   a fault: NoPrimaryAddress
    4.500000   a advertise 0 but has no address to send from
    4.500000   a resigned
    4.500000   a Active -> Initialize: Fault
    4.500000   a releases its addresses
    4.500000   desired nothing
    4.500000   a notify Fault 100
    5.000000 > wait
"#,
    );
}

/// By unicast from where peers can answer to.
#[test]
fn unicast_comes_from_where_peers_can_answer_to() {
    check(
        r#"
router a ipv6 vrid 51 peers 2001:db8::2
router b ipv6 vrid 52 peers fe80::2 addresses 2001:db8::200/64
router c ipv6 vrid 53 peers 2001:db8::2 source 2001:db8::9 addresses 2001:db8::201/64
router d ipv6 vrid 54 source fe80::9 addresses 2001:db8::202/64
link eth0 up fe80::1 2001:db8::1
    0.000000 > elsewhere 2001:db8::9 fe80::9
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   c Initialize -> Backup: Started
    0.000000   c notify Backup 100
    0.000000   d fault: NoPrimaryAddress
    0.000000   d Initialize -> Initialize: Fault
    0.000000   d notify Fault 100
    0.100000 > view
    0.100000   a is Backup priority 100/100 interval 1s down at 3.609375
    0.100000   b is Backup priority 100/100 interval 1s down at 3.609375
    0.100000   c is Backup priority 100/100 interval 1s down at 3.609375
    0.100000   d is Initialize priority 100/100 interval 1s fault NoPrimaryAddress
"#,
    );
}

#[test]
fn the_source_is_of_the_reach_of_the_peers() {
    let source = |router: &str| {
        let mut bench = bench(router, "2001:db8::100 fe80::100 fe80::1 2001:db8::1");
        bench.engine.handle(Instant::START, Input::Start, &mut Vec::new());
        bench.engine.view().routers[0].primary_address.expect("there is one").to_string()
    };
    assert_eq!(source("router a ipv6"), "fe80::1");
    assert_eq!(source("router a ipv6 peers fe80::2,fe80::3"), "fe80::1");
    assert_eq!(source("router a ipv6 peers 2001:db8::2"), "2001:db8::1");
    assert_eq!(source("router a ipv6 peers fe80::2,2001:db8::2"), "2001:db8::1");
    assert_eq!(source("router a ipv6 peers 2001:db8::2 source fe80::1"), "fe80::1");
}

/// What is addressed to a link-local address is for who has it on that link.
#[test]
fn link_local_unicast_is_of_its_link() {
    check(
        r#"
router a ipv6 peers fe80::2 source fe80::1
router b ipv6 link eth1 vrid 52 peers fe80::2 source fe80::5 addresses 2001:db8::200/64
link eth0 up fe80::1
link eth1 up fe80::5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    1.000000 > hear fe80::2 150 for a
    1.000000   a follows fe80::2
    1.100000 > hear fe80::2 150 for a on eth1
    1.200000 > hear fe80::2 150 for b
    1.200000   b follows fe80::2
    2.000000 > view
    2.000000   a is Backup priority 100/100 follows fe80::2 150 interval 1s down at 4.609375 peer sums WithPseudoHeader
    2.000000   b is Backup priority 100/100 follows fe80::2 150 interval 1s down at 4.809375 peer sums WithPseudoHeader
"#,
    );
}

// ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────

/// Take-over, announcement of all addresses of both families, the other's return, and the end.
#[test]
fn a_take_over_and_a_failback() {
    check(
        r#"
router a ipv6 priority 100 excluded 192.0.2.100/24
link eth0 up fe80::1 192.0.2.1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.500000 > hear fe80::2 150
    0.500000   a follows fe80::2
    4.109375   a Backup -> Active: ActiveDownTimer
    4.109375   a advertise 100
    4.109375   a wants its addresses
    4.109375   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 fe80::100/64@eth0
    4.109375   a announcing eth0 fe80::100
    4.109375   a announcing eth0 2001:db8::100
    4.109375   a announcing eth0 192.0.2.100
    4.109375   announce eth0 fe80::100
    4.109375   announce eth0 2001:db8::100
    4.109375   announce eth0 192.0.2.100
    4.109375   a notify Active 100
    5.000000 > hear fe80::2 150
    5.000000   a advertise 100
    5.000000   a Active -> Backup: HigherPriority 150 from fe80::2
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Backup 100
    5.500000 > hear fe80::2 150
    6.000000 > hear fe80::2 0
    6.000000   a hears fe80::2 resign
    6.609375   a Backup -> Active: ActiveResigned
    6.609375   a advertise 100
    6.609375   a wants its addresses
    6.609375   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 fe80::100/64@eth0
    6.609375   a announcing eth0 fe80::100
    6.609375   a announcing eth0 2001:db8::100
    6.609375   a announcing eth0 192.0.2.100
    6.609375   announce eth0 fe80::100
    6.609375   announce eth0 2001:db8::100
    6.609375   announce eth0 192.0.2.100
    6.609375   a notify Active 100
    7.000000 > stop
    7.000000   a advertise 0
    7.000000   a resigned
    7.000000   a Active -> Initialize: Stopped
    7.500000 > hear fe80::2 150
    7.500000   a releases its addresses
    7.500000   desired nothing
    7.500000   a notify Stop 100
    7.500000   stopped
"#,
    );
}

/// With the same priority the higher address wins, as a number of 128 bits.
#[test]
fn the_tie_is_broken_by_the_address() {
    check(
        r#"
router a ipv6 priority 100
link eth0 up fe80::2:0
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 2001:db8::100/64@eth0 fe80::100/64@eth0
    3.609375   a announcing eth0 fe80::100
    3.609375   a announcing eth0 2001:db8::100
    3.609375   announce eth0 fe80::100
    3.609375   announce eth0 2001:db8::100
    3.609375   a notify Active 100
    4.000000 > hear fe80::1:ffff 100
    4.000000   a answers 100 from fe80::1:ffff with 100
    4.000000   a advertise 100
    4.000000   a announcing eth0 fe80::100
    4.000000   a announcing eth0 2001:db8::100
    4.000000   announce eth0 fe80::100
    4.000000   announce eth0 2001:db8::100
    4.000000   a notify ActiveHeardLowerPriority 100
    4.500000 > hear fe80::2:1 100
    4.500000   a advertise 100
    4.500000   a Active -> Backup: HigherAddress 100 from fe80::2:1
    4.500000   a releases its addresses
    4.500000   desired nothing
    4.500000   a notify Backup 100
"#,
    );
}

/// Each family waits for its own pace.
// Shows: global_defs.vrrp_gna_interval
#[test]
fn neighbour_advertisements_have_a_pace_of_their_own() {
    check(
        r#"
router a ipv6 priority 255 repeat 2 neighbour_pacing 0.1 addresses fe80::100/64,2001:db8::100/64 excluded 192.0.2.100/24
link eth0 up fe80::1
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 fe80::100/64@eth0
    0.000000   a announcing eth0 fe80::100
    0.000000   a announcing eth0 2001:db8::100
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 fe80::100
    0.000000   announce eth0 192.0.2.100 (2 times)
    0.000000   a notify Active 255
    0.100000   announce eth0 2001:db8::100
    0.200000   announce eth0 fe80::100
    0.300000   announce eth0 2001:db8::100
    0.500000 > stop
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Stopped
"#,
    );
}

/// An owner has its addresses; it speaks from the link-local one among them.
#[test]
fn an_owner_speaks_from_its_own_address() {
    let mut bench = bench("router a ipv6 priority 255 addresses 2001:db8::1/64,fe80::1/64", "2001:db8::1 fe80::1");
    let mut out = Vec::new();
    bench.engine.handle(Instant::START, Input::Start, &mut out);
    assert!(out.contains(&Output::Advertise { router: RouterId(0), priority: Priority::ADDRESS_OWNER, sequence: 0 }));
    assert_eq!(bench.engine.view().routers[0].primary_address, Some("fe80::1".parse().expect("an address")));
}
