//! The ladder of receive checks: what is refused and why, what is merely odd, and how often that is told.

use crate::common::ladder::ladder;
use crate::common::timeline::check;

#[test]
fn one_thing_wrong_in_version_2() {
    ladder(
        "router a password abcdefgh addresses 192.0.2.100/24,192.0.2.101/24 track_link eth1",
        "
                                                 => accepted
        header yes                               => UnexpectedAuthenticationHeader
        cut 1                                    => Length
        count 3                                  => Length
        ttl 254                                  => Ttl
        ttl 0                                    => Ttl
        version 3                                => Version
        version 4                                => Version
        type 2                                   => Type
        type 0                                   => Type
        type 9                                   => Type
        authentication 3                         => AuthenticationTypeInvalid
        authentication 0                         => AuthenticationTypeMismatch
        authentication 2                         => AuthenticationTypeMismatch
        password abcdefgi                        => AuthenticationFailure
        password abcdefg                         => AuthenticationFailure
        password Abcdefgh                        => AuthenticationFailure
        interval 2                               => AdvertisementInterval
        interval 0                               => AdvertisementInterval
        sum wrong                                => Checksum
        sum pseudo                               => Checksum
        to 192.0.2.1                             => TransportMismatch
        to 192.0.2.1 ttl 254                     => TransportMismatch
        vrid 50                                  => ignored
        vrid 0                                   => ignored
        on eth1                                  => ignored
        padding 2                                => accepted
        padding 900                              => accepted
        addresses 192.0.2.100                    => accepted odd AddressCount odd AddressMissing
        addresses 192.0.2.100,192.0.2.102        => accepted odd AddressMissing
        addresses 192.0.2.101,192.0.2.100        => accepted
        addresses 192.0.2.100,192.0.2.101,192.0.2.102 => accepted odd AddressCount
        addresses none                           => accepted odd AddressCount odd AddressMissing
",
    );
}

#[test]
fn authentication_where_none_is_configured() {
    ladder(
        "router a",
        "
        authentication 1                         => AuthenticationTypeMismatch
        authentication 1 password abcdefgh       => AuthenticationTypeMismatch
        authentication 255                       => AuthenticationTypeInvalid
        password abcdefgh                        => accepted
",
    );
}

#[test]
fn a_password_shorter_than_eight_octets_ends_in_zeros() {
    ladder(
        "router a password abc",
        "
                                                 => accepted
        password abcd                            => AuthenticationFailure
        password ab                              => AuthenticationFailure
",
    );
}

#[test]
fn one_thing_wrong_in_version_3() {
    ladder(
        "router a version 3 interval 0.5 addresses 192.0.2.100/24,192.0.2.101/24",
        "
                                                 => accepted
        header yes                               => UnexpectedAuthenticationHeader
        cut 1                                    => Length
        count 3                                  => Length
        ttl 254                                  => Ttl
        version 2                                => Version
        type 3                                   => Type
        sum wrong                                => Checksum
        sum message                              => accepted
        sum pseudo                               => accepted
        reserved 15                              => accepted
        reserved 8 sum message                   => accepted
        interval 0.51                            => accepted odd AdvertisementInterval
        interval 40.95                           => accepted odd AdvertisementInterval
        interval 0                               => accepted odd AdvertisementInterval
        to 192.0.2.1                             => TransportMismatch
        padding 6                                => accepted
        addresses 192.0.2.100                    => accepted odd AddressCount odd AddressMissing
        addresses 192.0.2.100 interval 1         => accepted odd AddressCount odd AddressMissing odd AdvertisementInterval
",
    );
}

/// By unicast a packet may be routed, so its TTL says nothing and it may come in anywhere.
#[test]
fn one_thing_wrong_by_unicast() {
    ladder(
        "router a version 3 source 192.0.2.1 peers 192.0.2.2 track_link eth1",
        "
                                                 => accepted
        ttl 254                                  => accepted
        ttl 1                                    => accepted
        on eth1                                  => accepted
        to 224.0.0.18                            => TransportMismatch
        to 224.0.0.18 ttl 254                    => Ttl
        to 224.0.0.18 on eth1                    => ignored
        sum wrong                                => Checksum
        version 2                                => Version
",
    );
}

/// The first rung that breaks gives the name. One line for each two neighbours of the ladder.
#[test]
fn two_things_wrong() {
    ladder(
        "router a password abcdefgh",
        "
        header yes cut 9                         => UnexpectedAuthenticationHeader
        header yes ttl 254                       => UnexpectedAuthenticationHeader
        cut 1 ttl 254                            => Length
        version 3 cut 1                          => Version
        ttl 254 version 3                        => Version
        version 3 type 2                         => Version
        version 3 password wrong                 => Version
        type 2 interval 2                        => Type
        authentication 3 password wrong          => AuthenticationTypeInvalid
        authentication 0 password wrong          => AuthenticationTypeMismatch
        authentication 0 interval 2              => AuthenticationTypeMismatch
        password wrong interval 2                => AuthenticationFailure
        password wrong sum wrong                 => AuthenticationFailure
        interval 2 sum wrong                     => AdvertisementInterval
        sum wrong to 192.0.2.1                   => Checksum
        to 192.0.2.1 addresses none              => TransportMismatch
        vrid 50 header yes                       => ignored
",
    );
}

/// Whoever reflects our own packets, or has our address, is not believed.
#[test]
fn our_own_address_is_no_neighbour_s() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.1 150
    1.000000   a discards OwnAddress from 192.0.2.1
    1.100000 > hear 192.0.2.1 150 version 3
    1.100000   a discards Version from 192.0.2.1
    1.200000 > hear 192.0.2.1 150 ttl 254
    1.200000   a discards Ttl from 192.0.2.1
    1.200000 > counters
    1.200000   a counts Ttl 1 Version 1 OwnAddress 1
"#,
    );
}

#[test]
fn each_reason_is_told_once_until_the_active_router_or_the_state_changes() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.100000 > hear 192.0.2.2 150 ttl 254
    0.100000   a discards Ttl from 192.0.2.2
    0.200000 > hear 192.0.2.2 150 ttl 254
    0.300000 > hear 192.0.2.3 150 ttl 254
    0.400000 > hear 192.0.2.2 150 sum wrong
    0.400000   a discards Checksum from 192.0.2.2
    0.500000 > hear 192.0.2.2 150
    0.500000   a follows 192.0.2.2
    0.600000 > hear 192.0.2.2 150 ttl 254
    0.600000   a discards Ttl from 192.0.2.2
    0.700000 > hear 192.0.2.2 150
    0.800000 > hear 192.0.2.2 150 ttl 254
    0.900000 > hear 192.0.2.4 160
    0.900000   a follows 192.0.2.4 after 192.0.2.2
    1.000000 > hear 192.0.2.2 150 ttl 254
    1.000000   a discards Ttl from 192.0.2.2
    4.509375   a Backup -> Active: ActiveDownTimer
    4.509375   a advertise 100
    4.509375   a wants its addresses
    4.509375   desired 192.0.2.100/24@eth0
    4.509375   a announcing eth0 192.0.2.100
    4.509375   announce eth0 192.0.2.100
    4.509375   a notify Active 100
    5.000000 > hear 192.0.2.2 150 ttl 254
    5.000000   a discards Ttl from 192.0.2.2
    5.100000 > hear 192.0.2.2 150 ttl 254
    5.100000 > counters
    5.100000   a counts received 3 sent 1 became 1 Ttl 8 Checksum 1
"#,
    );
}

#[test]
fn each_oddity_is_told_once_until_the_active_router_or_the_state_changes() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.500000 > hear 192.0.2.2 150 interval 2
    0.500000   a learns interval 2s after 1s
    0.500000   a follows 192.0.2.2
    0.500000   a finds AdvertisementInterval odd from 192.0.2.2
    1.000000 > hear 192.0.2.2 150 interval 2
    1.500000 > hear 192.0.2.2 150 addresses 192.0.2.9
    1.500000   a learns interval 1s after 2s
    1.500000   a finds AddressMissing(192.0.2.100) odd from 192.0.2.2
    2.000000 > hear 192.0.2.2 150 addresses 192.0.2.9
    2.500000 > hear 192.0.2.3 150 addresses 192.0.2.9
    2.500000   a follows 192.0.2.3 after 192.0.2.2
    2.500000   a finds AddressMissing(192.0.2.100) odd from 192.0.2.3
    2.500000 > counters
    2.500000   a counts received 5 odd AddressMissing 3 odd AdvertisementInterval 2
"#,
    );
}

/// What is odd about what was accepted does not keep what was refused from being told.
#[test]
fn oddities_and_reasons_are_told_apart() {
    check(
        r#"
router a version 3 priority 100 source 192.0.2.1 peers 192.0.2.2 peer_ttl 192.0.2.2/200/255
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.500000 > hear 192.0.2.2 150
    0.500000   a follows 192.0.2.2
    1.000000 > hear 192.0.2.2 150 interval 2
    1.000000   a learns interval 2s after 1s
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.500000 > hear 192.0.2.2 150 interval 2 ttl 199
    1.500000   a discards PeerTtl from 192.0.2.2
"#,
    );
}

/// A packet that is refused changes nothing: the timer of the last good one runs on.
#[test]
fn a_refused_packet_has_no_effect() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    2.000000 > hear 192.0.2.2 150 sum wrong
    2.000000   a discards Checksum from 192.0.2.2
    3.000000 > hear 192.0.2.2 0 ttl 254
    3.000000   a discards Ttl from 192.0.2.2
    3.000000 > view
    3.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 4.609375
"#,
    );
}

#[test]
fn the_list_of_the_known_active_router_may_go_unchecked() {
    check(
        r#"
router a priority 100 skip_check_adv_addr
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 addresses 192.0.2.9
    1.000000   a follows 192.0.2.2
    1.000000   a finds AddressMissing(192.0.2.100) odd from 192.0.2.2
    2.000000 > hear 192.0.2.2 150 addresses 192.0.2.9
    3.000000 > hear 192.0.2.3 150 addresses 192.0.2.9
    3.000000   a follows 192.0.2.3 after 192.0.2.2
    3.000000   a finds AddressMissing(192.0.2.100) odd from 192.0.2.3
    3.000000 > counters
    3.000000   a counts received 3 odd AddressMissing 2
"#,
    );
}

#[test]
fn the_form_of_the_peer_s_checksum_is_remembered() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000 > view
    0.000000   a is Backup priority 100/100 interval 1s down at 3.609375
    1.000000 > hear 192.0.2.2 150 sum message
    1.000000   a follows 192.0.2.2
    1.000000 > view
    1.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 4.609375 peer sums MessageOnly
    2.000000 > hear 192.0.2.2 150 sum pseudo
    2.000000 > view
    2.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 5.609375 peer sums WithPseudoHeader
"#,
    );
}

/// The same number on two interfaces, and by unicast beside multicast, is three routers.
#[test]
fn a_packet_goes_to_the_router_that_it_is_for() {
    check(
        r#"
router here vrid 51 priority 100
router there vrid 51 priority 100 link eth1 addresses 198.51.100.100/24
router far vrid 51 priority 100 addresses 203.0.113.100/24 source 192.0.2.1 peers 203.0.113.1
link eth0 up 192.0.2.1
link eth1 up 198.51.100.1
    0.000000 > start
    0.000000   here Initialize -> Backup: Started
    0.000000   here notify Backup 100
    0.000000   there Initialize -> Backup: Started
    0.000000   there notify Backup 100
    0.000000   far Initialize -> Backup: Started
    0.000000   far notify Backup 100
    1.000000 > hear 192.0.2.2 150 for here
    1.000000   here follows 192.0.2.2
    1.100000 > hear 198.51.100.2 150 for there
    1.100000   there follows 198.51.100.2
    1.200000 > hear 203.0.113.1 150 for far
    1.200000   far follows 203.0.113.1
    1.300000 > hear 203.0.113.1 150 for far on eth1
"#,
    );
}
