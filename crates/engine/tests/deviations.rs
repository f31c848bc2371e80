//! Where a router does otherwise than the standard says, or than we think best, because its operator wants it so.

use crate::common::ladder::ladder;
use crate::common::timeline::check;

// ── Unicast ───────────────────────────────────────────────────────────────────────────────────────────────

/// A TTL out of its peer's range; others may have any. By multicast all this means nothing.
// Shows: vrrp_instance.check_unicast_src, global_defs.vrrp_check_unicast_src, peer.min_ttl, peer.max_ttl
#[test]
fn unicast_only_from_peers_and_from_not_too_far() {
    ladder(
        "router a version 3 source 192.0.2.1 peers 192.0.2.2,192.0.2.3 only_from_peers peer_ttl 192.0.2.2/200/254",
        "
                                                 => PeerTtl
        ttl 254                                  => accepted
        ttl 200                                  => accepted
        ttl 199                                  => PeerTtl
        ttl 0                                    => PeerTtl
        ttl 254 sum wrong                        => Checksum
        ttl 255 addresses none                   => PeerTtl
",
    );
    ladder(
        "router a version 3 source 192.0.2.1 peers 192.0.2.3,192.0.2.4 only_from_peers peer_ttl 192.0.2.3/200/254",
        "
                                                 => UnknownPeer
        ttl 220                                  => UnknownPeer
        sum wrong                                => Checksum
        to 224.0.0.18                            => TransportMismatch
",
    );
    ladder(
        "router a version 3 source 192.0.2.1 peers 192.0.2.3 peer_ttl 192.0.2.3/200/254",
        "
                                                 => accepted
        ttl 3                                    => accepted
",
    );
    // Who says nothing about it hears anybody, from anywhere.
    ladder(
        "router a version 3 source 192.0.2.1 peers 192.0.2.3",
        "
                                                 => accepted
        ttl 3                                    => accepted
",
    );
    ladder(
        "router a version 3 only_from_peers",
        "
                                                 => accepted
",
    );
}

/// It would speak to nobody: a fault, until a reconfiguration brings a peer.
// Shows: vrrp_instance.unicast_fault_no_peer
#[test]
fn unicast_without_peers_is_a_fault() {
    check(
        r#"
router a priority 150 source 192.0.2.1 peers none
    0.000000 > start
    0.000000   a fault: NoPeer
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 150
   10.000000 > view
   10.000000   a is Initialize priority 150/150 interval 1s fault NoPeer
   11.000000 > reconfigure
router a priority 150 source 192.0.2.1 peers 192.0.2.2
   11.000000   a fault gone: NoPeer
   11.000000   a Initialize -> Backup: FaultsCleared
   11.000000   a notify Backup 150
   12.000000 > reconfigure
router a priority 255 source 192.0.2.1 peers 192.0.2.2
   12.000000   a priority 150 -> 255
   14.414062   a Backup -> Active: ActiveDownTimer
   14.414062   a advertise 255
   14.414062   a wants its addresses
   14.414062   desired 192.0.2.100/24@eth0
   14.414062   a announcing eth0 192.0.2.100
   14.414062   announce eth0 192.0.2.100
   14.414062   a notify Active 255
   15.414062   a advertise 255
   16.414062   a advertise 255
   17.414062   a advertise 255
   18.414062   a advertise 255
   19.414062   a advertise 255
   20.000000 > reconfigure
router a priority 150 source 192.0.2.1 peers none
   20.000000   a fault: NoPeer
   20.000000   a priority 255 -> 150
   20.000000   a advertise 0
   20.000000   a resigned
   20.000000   a Active -> Initialize: Fault
   20.000000   a releases its addresses
   20.000000   desired nothing
   20.000000   a notify Fault 150
   21.000000 > stop
   21.000000   a Initialize -> Initialize: Stopped
   21.000000   a notify Stop 150
   21.000000   stopped
"#,
    );
}

// ── Checksums ─────────────────────────────────────────────────────────────────────────────────────────────

/// What an advertisement of ours is summed over is judged in every timeline, see `judge_advertisement`.
// Shows: vrrp_instance.old_unicast_checksum
#[test]
fn what_was_heard_in_the_old_form_is_answered_in_it() {
    check(
        r#"
router a version 3 priority 150 source 192.0.2.1 peers 192.0.2.2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 150
    1.000000 > hear 192.0.2.2 100 sum old
    1.000000   a ignores 100 from 192.0.2.2
    3.414062   a Backup -> Active: ActiveDownTimer
    3.414062   a advertise 150
    3.414062   a wants its addresses
    3.414062   desired 192.0.2.100/24@eth0
    3.414062   a announcing eth0 192.0.2.100
    3.414062   announce eth0 192.0.2.100
    3.414062   a notify Active 150
    4.414062   a advertise 150
    4.500000 > view
    4.500000   a is Active priority 150/150 interval 1s peer sums OldUnicast
    5.000000 > hear 192.0.2.2 100 sum pseudo
    5.000000   a answers 100 from 192.0.2.2 with 150
    5.000000   a advertise 150
    5.000000   a announcing eth0 192.0.2.100
    5.000000   announce eth0 192.0.2.100
    5.000000   a notify ActiveHeardLowerPriority 150
    5.000000 > view
    5.000000   a is Active priority 150/150 interval 1s peer sums WithPseudoHeader
"#,
    );
}

#[test]
fn forms_of_the_checksum_by_unicast() {
    let unicast = "router a version 3 source 192.0.2.1 peers 192.0.2.2";
    for policy in ["", "checksum message", "checksum old"] {
        ladder(
            &format!("{unicast} {policy}"),
            "
        sum pseudo                               => accepted
        sum message                              => accepted
        sum old                                  => accepted
        sum wrong                                => Checksum
",
        );
    }
    ladder(
        &format!("{unicast} checksum never-old"),
        "
        sum pseudo                               => accepted
        sum message                              => accepted
        sum old                                  => Checksum
",
    );
    // Version 2 has one form, and so has IPv6.
    for other in ["router a source 192.0.2.1 peers 192.0.2.2", "router a ipv6 source fe80::1 peers fe80::2"] {
        ladder(
            other,
            "
                                                 => accepted
        sum old                                  => Checksum
",
        );
    }
    // By multicast the group that it is sent to counts; for the usual one old and new are the same.
    ladder(
        "router a version 3 group 224.0.0.77",
        "
        sum pseudo                               => accepted
        sum old                                  => Checksum
",
    );
}

// Shows: vrrp_instance.v3_checksum_as_v2, global_defs.v3_checksum_as_v2
#[test]
fn the_checksum_that_is_asked_for_is_sent() {
    for line in [
        "router a version 3 priority 255 checksum message",
        "router a version 3 priority 255 checksum message source 192.0.2.1 peers 192.0.2.2,192.0.2.3",
        "router a version 3 priority 255 checksum old source 192.0.2.1 peers 192.0.2.2,192.0.2.3",
        "router a version 3 priority 255 checksum never-old source 192.0.2.1 peers 192.0.2.2",
        "router a version 3 priority 255 checksum old group 224.0.0.77",
        "router a version 3 priority 255 checksum message hmac 1",
    ] {
        let mut bench = crate::common::timeline::Bench::new(&[line]);
        bench.set_links(&[]);
        let started = bench.act(tanist_engine::Instant::START, "start", &[]);
        assert!(started.iter().any(|line| line.contains("advertise 255")), "{started:?}");
    }
}

// ── Timers ────────────────────────────────────────────────────────────────────────────────────────────────

/// 1 × 1 s + 156/256 s; 10 × 1 s + 156/256 s.
// Shows: vrrp_instance.down_timer_adverts, global_defs.vrrp_down_timer_adverts
#[test]
fn so_many_advertisements_may_be_missed() {
    check(
        r#"
router a priority 100 missed 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.000000 > view
    1.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 2.609375
    1.500000 > reconfigure
router a priority 100 missed 10
    1.500000 > view
    1.500000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 12.109375
    2.000000 > hear 192.0.2.2 150
    2.000000 > view
    2.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 12.609375
    3.000000 > hear 192.0.2.2 0
    3.000000   a hears 192.0.2.2 resign
    3.000000 > view
    3.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 3.609375
"#,
    );
}

/// An Active router that could not speak for so long that one of priority 254 must have taken over, 3 × 1 s + 2/256 s,
/// steps back; one of priority 1 would have waited 3 × 1 s + 255/256 s.
// Shows: vrrp_instance.timer_expired_backup
#[test]
fn who_was_late_steps_back_by_the_others_priority() {
    check(
        r#"
router a priority 100 nopreempt others_priority 254
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    4.000000 > wait
    6.617000 > late timer
    6.617000   a advertise 100
    6.700000 > view
    6.700000   a is Active priority 100/100 interval 1s
"#,
    );
    check(
        r#"
router a priority 100 nopreempt others_priority 254
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    4.000000 > wait
    6.617500 > late timer
    6.617500   a overslept by 2.008125s
    6.617500   a Active -> Backup: Overslept
    6.617500   a releases its addresses
    6.617500   desired nothing
    6.617500   a notify Backup 100
    6.700000 > view
    6.700000   a is Backup priority 100/100 interval 1s down at 10.226875
"#,
    );
    check(
        r#"
router a priority 100 nopreempt others_priority 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    4.000000 > wait
    7.605000 > late timer
    7.605000   a advertise 100
   11.602000 > late timer
   11.602000   a overslept by 2.997s
   11.602000   a Active -> Backup: Overslept
   11.602000   a releases its addresses
   11.602000   desired nothing
   11.602000   a notify Backup 100
   11.700000 > view
   11.700000   a is Backup priority 100/100 interval 1s down at 15.211375
"#,
    );
}

/// Who shall speak more often from now on has not been late so far.
#[test]
fn a_shorter_interval_makes_nobody_late() {
    check(
        r#"
router a version 3 priority 255 interval 10 others_priority 100
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 10s
    5.000000 > reconfigure
router a version 3 priority 255 interval 1 others_priority 100
    6.000000   a advertise 255
    7.000000   a advertise 255
    7.500000 > wait
"#,
    );
}

// ── Being polite, and not ─────────────────────────────────────────────────────────────────────────────────

/// The neighbours are told all the same, and so are the scripts.
// Shows: vrrp_instance.lower_prio_no_advert, global_defs.vrrp_lower_prio_no_advert
#[test]
fn a_winner_may_be_silent() {
    check(
        r#"
router a priority 150 silent_winner
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 150
    3.414062   a Backup -> Active: ActiveDownTimer
    3.414062   a advertise 150
    3.414062   a wants its addresses
    3.414062   desired 192.0.2.100/24@eth0
    3.414062   a announcing eth0 192.0.2.100
    3.414062   announce eth0 192.0.2.100
    3.414062   a notify Active 150
    4.000000 > wait
    4.200000 > hear 192.0.2.2 100
    4.200000   a answers 100 from 192.0.2.2 with 150
    4.200000   a announcing eth0 192.0.2.100
    4.200000   announce eth0 192.0.2.100
    4.200000   a notify ActiveHeardLowerPriority 150
    4.414062   a advertise 150
    5.000000 > wait
"#,
    );
}

// Shows: vrrp_instance.higher_prio_send_advert, global_defs.vrrp_higher_prio_send_advert
#[test]
fn a_loser_may_be_silent() {
    check(
        r#"
router a priority 150 silent_loser
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 150
    3.414062   a Backup -> Active: ActiveDownTimer
    3.414062   a advertise 150
    3.414062   a wants its addresses
    3.414062   desired 192.0.2.100/24@eth0
    3.414062   a announcing eth0 192.0.2.100
    3.414062   announce eth0 192.0.2.100
    3.414062   a notify Active 150
    4.000000 > wait
    4.200000 > hear 192.0.2.2 200
    4.200000   a Active -> Backup: HigherPriority 200 from 192.0.2.2
    4.200000   a releases its addresses
    4.200000   desired nothing
    4.200000   a notify Backup 150
"#,
    );
}

/// Not even a resignation, nor another owner.
// Shows: vrrp_instance.owner_ignore_adverts, global_defs.vrrp_owner_ignore_adverts
#[test]
fn an_owner_may_take_no_notice_of_others() {
    check(
        r#"
router a priority 255 owner_ignores_others
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.500000 > hear 192.0.2.2 100
    0.500000   a discards OwnerIgnoresOthers from 192.0.2.2
    0.600000 > hear 192.0.2.2 255
    0.700000 > hear 192.0.2.2 0
    0.800000 > hear 192.0.2.2 100 sum wrong
    0.800000   a discards Checksum from 192.0.2.2
    0.900000 > counters
    0.900000   a counts sent 1 became 1 Checksum 1 OwnerIgnoresOthers 3
"#,
    );
    check(
        r#"
router a priority 254 owner_ignores_others
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 254
    0.500000 > hear 192.0.2.2 255
    0.500000   a follows 192.0.2.2
"#,
    );
}

// ── Groups ────────────────────────────────────────────────────────────────────────────────────────────────

/// The same number on the same interface, told apart by the group; a reload knows them again in any order.
#[test]
fn each_group_has_its_router() {
    check(
        r#"
router a priority 100 group 224.0.0.18
router b priority 100 group 224.0.0.77 addresses 192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    1.000000 > hear 192.0.2.2 150 for a
    1.000000   a follows 192.0.2.2
    1.200000 > hear 192.0.2.2 150 for b
    1.200000   b follows 192.0.2.2
    1.400000 > reconfigure
router b priority 90 group 224.0.0.77 addresses 192.0.2.101/24
router a priority 90 group 224.0.0.18
    1.400000   b priority 100 -> 90
    1.400000   a priority 100 -> 90
    1.400000 > view
    1.400000   b is Backup priority 90/90 follows 192.0.2.2 150 interval 1s down at 4.809375
    1.400000   a is Backup priority 90/90 follows 192.0.2.2 150 interval 1s down at 4.609375
    1.500000 > reconfigure
router c priority 90 group 224.0.0.99 addresses 192.0.2.102/24
router a priority 90 group 224.0.0.18
    1.500000 > view
    1.500000   c is Backup priority 90/90 follows 192.0.2.2 150 interval 1s down at 5.148437
    1.500000   a is Backup priority 90/90 follows 192.0.2.2 150 interval 1s down at 4.609375
    1.600000 > hear 192.0.2.2 150 to 224.0.0.77
    1.600000   a discards TransportMismatch from 192.0.2.2
    1.700000 > hear 192.0.2.2 150 for c
    1.800000 > counters
    1.800000   c counts received 2
    1.800000   a counts received 1 TransportMismatch 1
"#,
    );
}
