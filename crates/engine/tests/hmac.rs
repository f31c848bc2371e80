//! Advertisements with a trailer (`auth_hmac`): the octets, what is believed, and what is heard a second time.

use std::net::{IpAddr, Ipv4Addr};

use crate::common::ladder::ladder;
use crate::common::packet::{key_octets, octets_from_hex};
use crate::common::timeline::check;
use tanist_engine::wire::Sequence;
use tanist_engine::wire::trailer::{self, Trailer};
use tanist_engine::{HmacKey, Instant};

// ── Octets ────────────────────────────────────────────────────────────────────────────────────────────────

/// What keepalived 2.4.3 sends with VRID 51, priority 200 and a second, sealed with key 1, octets 00 to 1f.
struct Vector {
    source: &'static str,
    advertisement: &'static str,
    head: &'static str,
    code: &'static str,
}

const VECTORS: [Vector; 2] = [
    Vector {
        source: "198.51.100.10",
        advertisement: "3133c801 0064 402c c0000264",
        head: "01 01 0000 68000000 8000 0000",
        code: "1b84bc4e8e43892dc6d98448f8ee2265",
    },
    Vector {
        source: "fe80::10",
        advertisement: "3133c801 0064 a2e9 fe800000000000000000000000000100",
        head: "01 01 0000 68000000 8000 0000",
        code: "c8c56146ebfd66ee10ec4d8186461b78",
    },
];

fn source(vector: &Vector) -> IpAddr {
    vector.source.parse().expect("an address")
}

fn key() -> HmacKey {
    HmacKey::new(&key_octets(1)).expect("32 octets")
}

#[test]
fn a_trailer_is_written_as_keepalived_writes_it() {
    for vector in &VECTORS {
        let sequence = Sequence::from_number(0x6800_0000_8000_0000);
        let message = octets_from_hex(vector.advertisement);
        let written = trailer::write(Trailer { key: 1, sequence }, &key(), source(vector), &message);
        let expected = octets_from_hex(&[vector.head, vector.code].concat());
        assert_eq!(written.expect("it is long enough").to_vec(), expected, "{}", vector.source);
    }
}

/// Every bit of the advertisement and of its trailer counts, but for the checksum, which is another check's.
#[test]
fn no_flipped_bit_is_genuine() {
    for vector in &VECTORS {
        let message = octets_from_hex(vector.advertisement);
        let sealed = octets_from_hex(&[vector.head, vector.code].concat());
        let whole = [&message[..], &sealed[..]].concat();
        let is_believed = |whole: &[u8]| {
            let (message, sealed) = whole.split_at(message.len());
            trailer::read(sealed).is_some_and(|read| read.key == 1)
                && trailer::is_genuine(&key(), source(vector), message, sealed)
        };
        assert!(is_believed(&whole), "{}", vector.source);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 0x80 >> (bit % 8);
            let in_checksum = (6..8).contains(&(bit / 8));
            assert_eq!(is_believed(&damaged), in_checksum, "{}: octet {}, bit {}", vector.source, bit / 8, bit % 8);
        }
    }
}

#[test]
fn a_trailer_is_of_one_sender_and_one_key() {
    let vector = &VECTORS[0];
    let message = octets_from_hex(vector.advertisement);
    let sealed = octets_from_hex(&[vector.head, vector.code].concat());
    let other = HmacKey::new(&key_octets(2)).expect("32 octets");
    assert!(!trailer::is_genuine(&other, source(vector), &message, &sealed));
    for stranger in ["198.51.100.11", "::c633:640a", "c633:640a::"] {
        assert!(!trailer::is_genuine(&key(), stranger.parse().unwrap(), &message, &sealed), "{stranger}");
    }
    for length in 0..message.len() {
        assert!(!trailer::is_genuine(&key(), source(vector), &message[..length], &sealed), "{length} octets");
    }
    for length in 0..sealed.len() {
        assert!(!trailer::is_genuine(&key(), source(vector), &message, &sealed[..length]), "{length} octets");
        assert_eq!(trailer::read(&sealed[..length]), None);
    }
}

#[test]
fn a_key_has_32_to_64_octets() {
    for (length, good) in [(0, false), (31, false), (32, true), (33, true), (64, true), (65, false)] {
        assert_eq!(HmacKey::new(&vec![7; length]).is_some(), good, "{length}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let mut config = crate::common::setup::router("a");
    config.authentication = crate::common::setup::config(&["router a hmac 1"]).routers[0].authentication.clone();
    let printed = format!("{config:?} {config:#?}");
    assert!(printed.contains("HmacKey(********)"), "{printed}");
    // Neither as a list of numbers nor as text.
    assert!(!printed.contains("1, 2, 3") && !printed.contains("1f"), "{printed}");
    config.authentication =
        crate::common::setup::config(&["router a password secret"]).routers[0].authentication.clone();
    let printed = format!("{config:?}");
    assert!(printed.contains("Password(********)") && !printed.contains("115"), "{printed}");
}

#[test]
fn a_moment_is_written_in_seconds_and_65536ths() {
    let at = |nanoseconds| Sequence::at(Instant::from_nanos(nanoseconds).since(Instant::START)).number();
    assert_eq!(at(0), 0);
    assert_eq!(at(1_500_000_000), 0x0000_0001_8000_0000);
    assert_eq!(at(1_999_999_999), 0x0000_0001_ffff_0000);
    assert_eq!(at(0x1_0000_0001 * 1_000_000_000), 0x0000_0001_0000_0000, "the seconds of 2106 begin anew");
}

// ── What is believed ──────────────────────────────────────────────────────────────────────────────────────

// Shows: auth_hmac.key, auth_hmac.time_window
#[test]
fn one_thing_wrong_with_a_trailer() {
    ladder(
        "router a version 3 hmac 1 hmac_keys 1,2 addresses 192.0.2.100/24,192.0.2.101/24",
        "
                                                 => accepted
        seal 2                                   => accepted
        seal none                                => TrailerMissing
        seal none padding 28                     => TrailerMalformed
        seal none padding 1                      => TrailerMalformed
        padding 1                                => TrailerMalformed
        seal_cut 1                               => TrailerMalformed
        seal_cut 27                              => TrailerMalformed
        seal_kind 0                              => TrailerMalformed
        seal_kind 2                              => TrailerMalformed
        seal_reserved 1                          => TrailerMalformed
        seal_reserved 256                        => TrailerMalformed
        seal 3                                   => TrailerKeyUnknown
        seal_number 0                            => TrailerKeyUnknown
        seal_number 2                            => TrailerInvalid
        seal_secret 3                            => TrailerInvalid
        seal_from 192.0.2.3                      => TrailerInvalid
        seal_ahead 5                             => accepted
        seal_ahead -5                            => accepted
        seal_ahead 6                             => TrailerStale
        seal_ahead -6                            => TrailerStale
        seal_ahead -1700000000                   => TrailerStale
        sum wrong                                => Checksum
        sum message                              => accepted
        ttl 254                                  => Ttl
        type 2                                   => Type
        interval 2                               => accepted odd AdvertisementInterval
        addresses 192.0.2.100                    => accepted odd AddressCount odd AddressMissing
",
    );
}

#[test]
fn one_thing_wrong_with_a_trailer_in_version_2() {
    ladder(
        "router a hmac 2",
        "
                                                 => accepted
        seal 1                                   => accepted
        seal none                                => TrailerMissing
        seal_secret 1                            => TrailerInvalid
        authentication 1 password abcdefgh       => AuthenticationTypeMismatch
        authentication 3                         => AuthenticationTypeInvalid
        interval 2                               => AdvertisementInterval
",
    );
}

/// The first rung that breaks gives the name. One line for each two neighbours of the ladder.
#[test]
fn two_things_wrong_with_a_trailer() {
    ladder(
        "router a hmac 1",
        "
        version 3 seal none                      => Version
        cut 1 seal none                          => Length
        ttl 254 seal none                        => Ttl
        seal none type 2                         => TrailerMissing
        seal_cut 1 seal_number 9                 => TrailerMalformed
        seal_number 9 seal_secret 2              => TrailerKeyUnknown
        seal_secret 2 seal_ahead 9               => TrailerInvalid
        seal_ahead 9 type 2                      => TrailerStale
        seal_secret 2 interval 2                 => TrailerInvalid
",
    );
}

/// While a group is changed over, what has no trailer is accepted; what has one must still be good.
// Shows: auth_hmac.mode
#[test]
fn what_has_no_trailer_while_changing_over() {
    for mode in ["permissive", "receive-only"] {
        ladder(
            &format!("router a version 3 hmac 1 hmac_mode {mode}"),
            "
                                                 => accepted
        seal none                                => accepted
        seal none padding 28                     => TrailerMalformed
        seal_number 9                            => TrailerKeyUnknown
        seal_secret 2                            => TrailerInvalid
        seal_ahead 6                             => TrailerStale
",
        );
    }
}

/// The calendars need not agree then.
// Shows: auth_hmac.anti_replay
#[test]
fn monotonic_sequences_know_no_time() {
    ladder(
        "router a version 3 hmac 1 hmac_replay monotonic",
        "
                                                 => accepted
        seal_ahead 1000000                       => accepted
        seal_ahead -1000000                      => accepted
",
    );
}

// ── Again ─────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_was_heard_is_not_believed_again() {
    check(
        r#"
router a version 3 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.500000 > hear 192.0.2.2 150 seal_counter 7
    1.500000 > hear 192.0.2.2 150 seal_counter 7
    1.500000   a discards TrailerReplayed from 192.0.2.2
    1.500000 > hear 192.0.2.2 150 seal_counter 6
    1.500000 > hear 192.0.2.2 150 seal_counter 8
    2.000000 > hear 192.0.2.2 0 seal_ahead -1
    2.000000 > counters
    2.000000   a counts received 3 TrailerReplayed 3
    2.000000 > view
    2.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 5.109375 peer sums WithPseudoHeader
"#,
    );
}

/// What a packet with a good trailer says does not count before all of it is believed.
#[test]
fn a_sequence_counts_when_its_packet_is_believed() {
    check(
        r#"
router a version 3 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 sum wrong
    1.000000   a discards Checksum from 192.0.2.2
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.000000 > counters
    1.000000   a counts received 1 Checksum 1
"#,
    );
}

/// By multicast nobody says who is there, so those heard last are remembered: four of them.
#[test]
fn four_senders_are_remembered() {
    check(
        r#"
router a version 3 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.100000 > hear 192.0.2.3 150
    1.100000   a follows 192.0.2.3 after 192.0.2.2
    1.200000 > hear 192.0.2.4 150
    1.200000   a follows 192.0.2.4 after 192.0.2.3
    1.300000 > hear 192.0.2.5 150
    1.300000   a follows 192.0.2.5 after 192.0.2.4
    1.400000 > hear 192.0.2.2 150
    1.400000   a follows 192.0.2.2 after 192.0.2.5
    1.500000 > hear 192.0.2.2 150 seal_ahead -1
    1.500000   a discards TrailerReplayed from 192.0.2.2
    1.500000 > hear 192.0.2.3 150 seal_ahead -1
    1.500000 > hear 192.0.2.4 150 seal_ahead -1
    1.500000 > hear 192.0.2.5 150 seal_ahead -1
    1.600000 > hear 192.0.2.6 150
    1.600000   a follows 192.0.2.6 after 192.0.2.2
    1.700000 > hear 192.0.2.3 150 seal_ahead -1
    1.700000   a follows 192.0.2.3 after 192.0.2.6
    1.700000 > counters
    1.700000   a counts received 7 TrailerReplayed 4
"#,
    );
}

/// A unicast router knows its peers, so that no stranger with the key makes it forget one.
#[test]
fn every_peer_is_remembered() {
    check(
        r#"
router a version 3 hmac 1 source 192.0.2.1 peers 192.0.2.2,192.0.2.3
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.100000 > hear 192.0.2.3 150
    1.100000   a follows 192.0.2.3 after 192.0.2.2
    1.200000 > hear 192.0.2.11 150
    1.200000   a follows 192.0.2.11 after 192.0.2.3
    1.200000 > hear 192.0.2.12 150
    1.200000   a follows 192.0.2.12 after 192.0.2.11
    1.200000 > hear 192.0.2.13 150
    1.200000   a follows 192.0.2.13 after 192.0.2.12
    1.200000 > hear 192.0.2.14 150
    1.200000   a follows 192.0.2.14 after 192.0.2.13
    1.200000 > hear 192.0.2.15 150
    1.200000   a follows 192.0.2.15 after 192.0.2.14
    1.300000 > hear 192.0.2.2 150 seal_ahead -1
    1.300000   a discards TrailerReplayed from 192.0.2.2
    1.300000 > hear 192.0.2.3 150 seal_ahead -1
    1.300000 > hear 192.0.2.15 150 seal_ahead -1
    1.300000 > hear 192.0.2.11 150 seal_ahead -1
    1.300000   a follows 192.0.2.11 after 192.0.2.15
    1.300000 > counters
    1.300000   a counts received 8 TrailerReplayed 3
"#,
    );
}

/// Whatever a reload changes: another key, another mode, one more peer.
#[test]
fn what_was_heard_is_remembered_across_a_reconfiguration() {
    check(
        r#"
router a version 3 hmac 1 source 192.0.2.1 peers 192.0.2.2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.100000 > hear 192.0.2.3 150
    1.100000   a follows 192.0.2.3 after 192.0.2.2
    1.500000 > reconfigure
router a version 3 hmac 2 hmac_replay monotonic priority 90 source 192.0.2.1 peers 192.0.2.3,192.0.2.2
    1.500000   a priority 100 -> 90
    2.000000 > hear 192.0.2.2 150 seal_ahead -1
    2.000000   a discards TrailerReplayed from 192.0.2.2
    2.000000 > hear 192.0.2.3 150 seal_ahead -1
    2.000000 > hear 192.0.2.2 150
    2.000000   a follows 192.0.2.2 after 192.0.2.3
    2.500000 > reconfigure
router b vrid 52 version 3 hmac 1 addresses 192.0.2.101/24
router a version 3 hmac 1 source 192.0.2.1 peers 192.0.2.3
    2.500000   b Initialize -> Backup: Started
    2.500000   b notify Backup 100
    2.500000   a priority 90 -> 100
    3.000000 > hear 192.0.2.2 150 seal_ahead -2 for a
    3.000000   a discards TrailerReplayed from 192.0.2.2
    3.000000 > hear 192.0.2.3 150 seal_ahead -2 for a
    3.000000 > counters
    3.000000   b counts
    3.000000   a counts received 3 TrailerReplayed 4
"#,
    );
}

/// A sender whose calendar was set back while it was off is not believed, whoever is right; and what to do about it.
// Shows: auth_hmac.anti_replay
#[test]
fn who_comes_back_with_its_calendar_set_back_is_refused() {
    check(
        r#"
router a version 3 hmac 1 hmac_replay monotonic
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 seal_ahead 3600
    1.000000   a follows 192.0.2.2
    1.500000 > hear 192.0.2.2 150
    1.500000   a discards TrailerReplayed from 192.0.2.2
    2.000000 > reconfigure
router a version 3 hmac 1
    2.500000 > hear 192.0.2.2 150
    3.000000 > hear 192.0.2.2 150
    3.500000 > view
    3.500000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 6.609375 peer sums WithPseudoHeader
"#,
    );
}

// ── What we send ──────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_is_sent_goes_by_the_calendar() {
    check(
        r#"
router a version 3 priority 255 hmac 1
    0.250000 > start
    0.250000   a Initialize -> Active: AddressOwner
    0.250000   a advertise 255 sealed 1700000000 s + 16384/65536 s + 0
    0.250000   a wants its addresses
    0.250000   desired 192.0.2.100/24@eth0
    0.250000   a announcing eth0 192.0.2.100
    0.250000   announce eth0 192.0.2.100
    0.250000   a notify Active 255
    1.250000   a advertise 255 sealed 1700000001 s + 16384/65536 s + 0
    2.000000 > calendar +3
    2.250000   a advertise 255 sealed 1700000005 s + 16384/65536 s + 0
    3.000000 > hear 192.0.2.2 0 seal_ahead 3
    3.000000   a hears 192.0.2.2 resign
    3.000000   a advertise 255 sealed 1700000006 s + 0/65536 s + 0
    3.000000 > hear 192.0.2.2 0 seal_ahead 4
    3.000000   a hears 192.0.2.2 resign
    3.000000   a advertise 255 sealed 1700000006 s + 0/65536 s + 1
    3.000000 > reconfigure
router a version 3 priority 255 hmac 2
    4.000000   a advertise 255 sealed 1700000007 s + 0/65536 s + 0
    4.500000 > stop
    4.500000   a advertise 0 sealed 1700000007 s + 32768/65536 s + 0
    4.500000   a resigned
    4.500000   a Active -> Initialize: Stopped
"#,
    );
}

/// Set back by less than the window, it goes on where it was, so that nobody takes it for old.
#[test]
fn a_calendar_that_is_set_back_a_little_does_not_silence_us() {
    check(
        r#"
router a version 3 priority 255 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255 sealed 1700000000 s + 0/65536 s + 0
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 0
    1.500000 > calendar -4
    2.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 1
    3.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 2
    4.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 3
    5.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 4
    6.000000   a advertise 255 sealed 1700000002 s + 0/65536 s + 0
    7.000000   a advertise 255 sealed 1700000003 s + 0/65536 s + 0
    7.500000 > wait
"#,
    );
}

/// By more than the window: whoever has the right time believed nothing of what was said in the future.
#[test]
fn a_calendar_that_is_set_back_by_much_is_followed() {
    check(
        r#"
router a version 3 priority 255 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255 sealed 1700000000 s + 0/65536 s + 0
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 0
    1.500000 > calendar -3600
    2.000000   a advertise 255 sealed 1699996402 s + 0/65536 s + 0
    3.000000   a advertise 255 sealed 1699996403 s + 0/65536 s + 0
    3.500000 > wait
"#,
    );
}

/// Whoever goes by the order alone believed it, so the order goes on.
#[test]
fn a_monotonic_sequence_never_goes_back() {
    check(
        r#"
router a version 3 priority 255 hmac 1 hmac_replay monotonic
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255 sealed 1700000000 s + 0/65536 s + 0
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 0
    1.500000 > calendar -3600
    2.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 1
    3.000000   a advertise 255 sealed 1700000001 s + 0/65536 s + 2
    3.500000 > wait
"#,
    );
}

#[test]
fn who_only_receives_seals_nothing() {
    check(
        r#"
router a version 3 priority 255 hmac 1 hmac_mode receive-only
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000   a advertise 255
    1.500000 > reconfigure
router a version 3 priority 255 hmac 1 hmac_mode permissive
    2.000000   a advertise 255 sealed 1700000002 s + 0/65536 s + 0
    2.500000 > wait
"#,
    );
}

/// Who has no trailer to show is not believed, and our timers run as if nobody had spoken.
#[test]
fn an_unsealed_advertisement_does_not_keep_us_from_taking_over() {
    check(
        r#"
router a version 3 priority 100 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 seal none
    1.000000   a discards TrailerMissing from 192.0.2.2
    2.000000 > hear 192.0.2.2 255 seal none
    3.000000 > hear 192.0.2.2 255 seal none
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100 sealed 1700000003 s + 39936/65536 s + 0
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    4.000000 > counters
    4.000000   a counts sent 1 became 1 TrailerMissing 3
"#,
    );
}

/// The key of version 3's IPv4 vector, by the engine itself.
// Shows: auth_hmac.active_key
#[test]
fn the_engine_seals_as_keepalived_does() {
    let mut bench = crate::common::timeline::Bench::new(&[
        "router a version 3 vrid 51 priority 255 hmac 1 addresses 192.0.2.100/24 source 198.51.100.10",
    ]);
    bench.set_links(&["link eth0 up 198.51.100.10"]);
    bench.engine.handle(
        Instant::START,
        tanist_engine::Input::Calendar(std::time::Duration::new(0x6800_0000, 500_000_000)),
        &mut Vec::new(),
    );
    let mut out = Vec::new();
    bench.engine.handle(Instant::START, tanist_engine::Input::Start, &mut out);
    let sent = out.iter().find_map(|output| match output {
        tanist_engine::Output::Advertise { router, sequence, .. } => Some((*router, *sequence)),
        _ => None,
    });
    let (router, sequence) = sent.expect("an owner speaks at once");
    let mut buffer = [0; 1500];
    let (priority, group) = (tanist_engine::Priority::new(200), Ipv4Addr::new(224, 0, 0, 18).into());
    let written = bench.engine.write_advertisement(router, priority, sequence, group, &mut buffer);
    let written = written.expect("it has an address");
    let expected = octets_from_hex(VECTORS[0].head);
    assert_eq!(written[20 + 12..20 + 24], expected);
    assert_eq!(written[20 + 24..], octets_from_hex(VECTORS[0].code));
    assert_eq!(written.len(), 60);
    assert_eq!(u16::from_be_bytes([written[2], written[3]]), 60, "the IP header knows of the trailer");
}
