//! `auth_type AH`: the octets against keepalived's, what is believed, and what is heard a second time.

use std::net::Ipv4Addr;

use crate::common::ladder::ladder;
use crate::common::packet::octets_from_hex;
use crate::common::setup::password;
use crate::common::timeline::{Bench, check};
use tanist_engine::wire::authentication_header::{self, AuthenticationHeader};
use tanist_engine::wire::ipv4;
use tanist_engine::{Family, Input, Instant, LinkId, Password, Received};

/// What keepalived 2.2.7 sent with VRID 51, priority 100, `auth_pass secret` and the address 192.0.2.100.
struct Golden {
    destination: Ipv4Addr,
    ttl: u8,
    sequence: u32,
    header: &'static str,
}

const GOLDEN: [Golden; 2] = [
    Golden {
        destination: Ipv4Addr::new(224, 0, 0, 18),
        ttl: 255,
        sequence: 13,
        header: "70040000 c0000201 0000000d 683d315174a8f283b7e3f62e",
    },
    Golden {
        destination: Ipv4Addr::new(192, 0, 2, 2),
        ttl: 64,
        sequence: 1,
        header: "70040000 c0000201 00000001 710202c50ae10ab068179cbc",
    },
];
const ADVERTISEMENT: &str = "213364010201b665 c0000264 0000000000000000";
const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn secret() -> Password {
    password("secret").into()
}

impl Golden {
    /// The packet from the IP header on; both were the first of their daemons.
    fn packet(&self) -> Vec<u8> {
        let behind = [octets_from_hex(self.header), octets_from_hex(ADVERTISEMENT)].concat();
        let mut packet = vec![0; ipv4::HEADER_LENGTH];
        packet.extend(&behind);
        let addresses = (SOURCE, self.destination);
        ipv4::write_header(&mut packet, addresses, 51, self.ttl, 1, behind.len()).expect("it has room");
        packet
    }
}

#[test]
fn a_header_is_written_as_keepalived_writes_it() {
    for golden in &GOLDEN {
        let expected = golden.packet();
        let mut packet = expected.clone();
        packet[20..44].fill(0xff);
        let header = AuthenticationHeader { spi: SOURCE, sequence: golden.sequence };
        authentication_header::write(header, &secret(), &mut packet).expect("it has room");
        assert_eq!(packet, expected, "to {}", golden.destination);
    }
}

/// Which single bits of a packet may be wrong without a Backup discarding it. In the IP header: type of service, flags and
/// fragment, and the checksum, which is the kernel's. In the authentication header: what is reserved is covered, too.
/// By unicast the TTL may change on the way.
#[test]
fn no_flipped_bit_is_believed() {
    let rest = "000000000000000000000000000000000000000000000000 0000000000000000 00000000 0000000000000000";
    let multicast = format!("00ff00000000ffff0000ffff0000000000000000 {rest}");
    let unicast = format!("00ff00000000ffffff00ffff0000000000000000 {rest}");
    for (golden, expected) in GOLDEN.iter().zip([multicast, unicast]) {
        let octets = golden.packet();
        assert!(is_believed(golden, &octets), "to {}: as it was captured", golden.destination);
        let mut harmless = vec![0_u8; octets.len()];
        for bit in 0..octets.len() * 8 {
            let (place, mask) = (bit / 8, 0x80 >> (bit % 8));
            let mut damaged = octets.clone();
            damaged[place] ^= mask;
            if is_believed(golden, &damaged) {
                harmless[place] |= mask;
            }
        }
        let places = |mask: &[u8]| mask.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        assert_eq!(places(&harmless), places(&octets_from_hex(&expected)), "to {}", golden.destination);
    }
}

fn is_believed(golden: &Golden, octets: &[u8]) -> bool {
    let unicast = if golden.destination.is_multicast() { "" } else { "source 192.0.2.2 peers 192.0.2.1" };
    let mut bench = Bench::new(&[&format!("router a header secret {unicast}")]);
    bench.set_links(&["link eth0 up 192.0.2.2"]);
    bench.act(Instant::START, "start", &[]);
    let received = Received { link: LinkId(0), family: Family::Ipv4, octets };
    bench.engine.handle(Instant::from_millis(1), Input::Received(received), &mut Vec::new());
    bench.engine.view().routers[0].statistics.advertisements_received == 1
}

/// Twelve octets of options, as nobody sends them, and more than there can be.
#[test]
fn ip_options_are_covered() {
    let golden = &GOLDEN[0];
    let plain = golden.packet();
    let (header, rest) = plain.split_at(20);
    let with_options = [header, &[1; 12]].concat();
    assert!(authentication_header::is_genuine(&secret(), header, rest));
    assert!(!authentication_header::is_genuine(&secret(), &with_options, rest));
    assert!(!authentication_header::is_genuine(&secret(), &[header, &[1; 44]].concat(), rest));
    assert!(!authentication_header::is_genuine(&secret(), &header[..19], rest));
    for length in 0..24 {
        assert!(!authentication_header::is_genuine(&secret(), header, &rest[..length]), "{length}");
        assert!(authentication_header::split(&rest[..length]).is_none(), "{length}");
    }
}

#[test]
fn one_thing_wrong_with_a_header() {
    ladder(
        "router a header secret addresses 192.0.2.100/24,192.0.2.101/24",
        "
                                                 => accepted
        header none                              => AuthenticationTypeMismatch
        header none authentication 1 password secret => AuthenticationTypeMismatch
        header_number 0                          => AuthenticationHeaderReplayed
        header_number 4294967295                 => accepted
        header_password Secret                   => AuthenticationFailure
        header_password secre                    => AuthenticationFailure
        header_spi 192.0.2.3                     => AuthenticationFailure
        header_reserved 1                        => accepted
        header_next 6                            => ignored
        header_words 5                           => ignored
        header_words 255                         => ignored
        header_routed yes                        => Ttl
        authentication 0                         => AuthenticationTypeMismatch
        authentication 1                         => AuthenticationTypeMismatch
        authentication 3                         => AuthenticationTypeInvalid
        password whatever                        => accepted
        cut 1                                    => Length
        padding 4                                => accepted
        ttl 254                                  => Ttl
        version 3                                => Version
        type 2                                   => Type
        interval 2                               => AdvertisementInterval
        sum wrong                                => Checksum
        addresses 192.0.2.100                    => accepted odd AddressCount odd AddressMissing
",
    );
}

/// By unicast it may have been routed.
#[test]
fn one_thing_wrong_with_a_header_by_unicast() {
    ladder(
        "router a header secret source 192.0.2.1 peers 192.0.2.2",
        "
                                                 => accepted
        header_routed yes                        => accepted
        ttl 3                                    => accepted
        header_password other                    => AuthenticationFailure
        to 224.0.0.18                            => TransportMismatch
",
    );
}

#[test]
fn two_things_wrong_with_a_header() {
    ladder(
        "router a header secret",
        "
        header none version 3                    => AuthenticationTypeMismatch
        header none cut 1                        => AuthenticationTypeMismatch
        cut 1 ttl 254                            => Length
        ttl 254 header_password other            => Ttl
        authentication 0 header_password other   => AuthenticationTypeMismatch
        header_password other header_number 0    => AuthenticationFailure
        header_number 0 interval 2               => AuthenticationHeaderReplayed
        header_password other sum wrong          => AuthenticationFailure
",
    );
}

/// Everybody counts on from whatever was said last, whoever said it, as keepalived does.
#[test]
fn numbers_go_on_from_what_was_heard() {
    check(
        r#"
router a header secret priority 150
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 150
    0.500000 > hear 192.0.2.2 160 header_number 41
    0.500000   a follows 192.0.2.2
    0.600000 > hear 192.0.2.2 160 header_number 41
    0.600000   a discards AuthenticationHeaderReplayed from 192.0.2.2
    0.700000 > hear 192.0.2.3 160 header_number 32
    0.800000 > hear 192.0.2.2 160 header_number 99 sum wrong
    0.800000   a discards Checksum from 192.0.2.2
    1.000000 > hear 192.0.2.2 0 header_number 42
    1.000000   a hears 192.0.2.2 resign
    1.414062   a Backup -> Active: ActiveResigned
    1.414062   a advertise 150 number 43
    1.414062   a wants its addresses
    1.414062   desired 192.0.2.100/24@eth0
    1.414062   a announcing eth0 192.0.2.100
    1.414062   announce eth0 192.0.2.100
    1.414062   a notify Active 150
    2.414062   a advertise 150 number 44
    2.500000 > hear 192.0.2.2 100 header_number 1
    2.500000   a discards AuthenticationHeaderReplayed from 192.0.2.2
    2.600000 > hear 192.0.2.2 100 header_number 1000
    2.600000   a answers 100 from 192.0.2.2 with 150
    2.600000   a advertise 150 number 1001
    2.600000   a announcing eth0 192.0.2.100
    2.600000   announce eth0 192.0.2.100
    2.600000   a notify ActiveHeardLowerPriority 150
    3.600000   a advertise 150 number 1002
    4.500000 > hear 192.0.2.2 160 header_number 1001
    4.500000   a advertise 150 number 1003
    4.500000   a Active -> Backup: HigherPriority 160 from 192.0.2.2
    4.500000   a releases its addresses
    4.500000   desired nothing
    4.500000   a notify Backup 150
    4.500000 > hear 192.0.2.2 160 header_number 1002
    4.500000 > hear 192.0.2.2 160 header_number 1003
    5.000000 > counters
    5.000000   a counts received 6 sent 5 became 1 released 1 zero-received 1 AuthenticationHeaderReplayed 3 Checksum 1
"#,
    );
}

#[test]
fn numbers_go_on_across_a_reconfiguration() {
    check(
        r#"
router a header secret priority 255
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255 number 1
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000   a advertise 255 number 2
    2.000000   a advertise 255 number 3
    2.500000 > reconfigure
router a header other priority 255
    3.000000   a advertise 255 number 4
    3.500000 > reconfigure
router a priority 255
    4.000000   a advertise 255
    4.500000 > reconfigure
router a header secret priority 255
    5.000000   a advertise 255 number 5
    5.000000 > stop
    5.000000   a advertise 0 number 6
    5.000000   a resigned
    5.000000   a Active -> Initialize: Stopped
"#,
    );
}

/// Two that have begun together count in step, and believe each other. Who has counted further does not believe this one.
#[test]
fn what_has_crossed_an_advertisement_of_ours_is_answered_again_only_if_it_counts_further() {
    for (number, again) in [("1", false), ("2", true)] {
        let mut bench = Bench::new(&["router a header secret priority 255"]);
        bench.set_links(&[]);
        bench.act(Instant::START, "start", &[]);
        let told = bench.act(Instant::START, &format!("hear 192.0.2.2 100 header_number {number}"), &[]);
        assert!(told.iter().any(|line| line.contains("a answers 100")), "{number}: {told:?}");
        assert_eq!(told.iter().any(|line| line.contains("a advertise 255")), again, "{number}: {told:?}");
    }
}

/// The kernel puts something else in the place of an identification of 0, which the check value covers.
#[test]
fn the_identification_is_never_0() {
    let mut bench = Bench::new(&["router a header secret priority 255 interval 1"]);
    bench.set_links(&[]);
    bench.act(Instant::START, "start", &[]);
    let mut seen = Vec::new();
    for _ in 0..65_540 {
        let mut out = Vec::new();
        let due = bench.engine.deadline().expect("it goes on advertising");
        bench.engine.handle(due, Input::Timer, &mut out);
        for output in out {
            if let tanist_engine::Output::Advertise { router, priority, sequence } = output {
                let mut buffer = [0; 1500];
                let group = Ipv4Addr::new(224, 0, 0, 18).into();
                let written = bench.engine.write_advertisement(router, priority, sequence, group, &mut buffer);
                let written = written.expect("it has an address");
                seen.push((u16::from_be_bytes([written[4], written[5]]), sequence));
            }
        }
    }
    assert!(seen.contains(&(0xffff, 65_535)) && seen.contains(&(1, 65_536)), "it begins anew behind the last");
    assert!(seen.iter().all(|(identification, _)| *identification != 0));
}
