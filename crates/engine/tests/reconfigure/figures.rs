//! Priorities, intervals and the rest of a router that stays.

use crate::common::timeline::check;

#[test]
fn an_active_router_s_new_priority_is_in_its_next_advertisement() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.700000 > reconfigure
router a priority 90
    3.700000   a priority 100 -> 90
    4.609375   a advertise 90
    4.700000 > wait
    4.700000 > view
    4.700000   a is Active priority 90/90 interval 1s
"#,
    );
}

/// The timer of the last advertisement that counted, 3.609375 s, runs down.
#[test]
fn a_backup_s_new_priority_preempts() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.500000 > reconfigure
router a priority 200
    1.500000   a priority 100 -> 200
    2.000000 > hear 192.0.2.2 150
    2.000000   a ignores 150 from 192.0.2.2
    4.609375   a Backup -> Active: ActiveDownTimer
    4.609375   a advertise 200
    4.609375   a wants its addresses
    4.609375   desired 192.0.2.100/24@eth0
    4.609375   a announcing eth0 192.0.2.100
    4.609375   announce eth0 192.0.2.100
    4.609375   a notify Active 200
    4.700000 > wait
"#,
    );
}

#[test]
fn an_active_router_s_shorter_interval_counts_at_once() {
    check(
        r#"
router a version 3 priority 255 interval 2
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 2s
    0.500000 > reconfigure
router a version 3 priority 255 interval 0.5
    1.000000   a advertise 255
    1.500000   a advertise 255
    1.600000 > wait
"#,
    );
}

/// The others still wait for the one that was promised.
#[test]
fn an_active_router_s_longer_interval_counts_from_the_next_advertisement() {
    check(
        r#"
router a version 3 priority 255 interval 0.5
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 0.5s
    0.500000   a advertise 255
    0.600000 > reconfigure
router a version 3 priority 255 interval 2
    1.000000   a advertise 255
    3.000000   a advertise 255
    3.100000 > wait
"#,
    );
}

#[test]
fn a_backup_s_new_interval_restarts_its_timer() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > reconfigure
router a priority 100 interval 2
    1.000000 > view
    1.000000   a is Backup priority 100/100 interval 2s down at 7.609375
"#,
    );
}

#[test]
fn a_backup_of_version_3_that_has_learned_an_interval_goes_on_by_it() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 0.5
    1.000000   a learns interval 0.5s after 1s
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.200000 > reconfigure
router a version 3 priority 100 interval 3
    1.200000 > view
    1.200000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 0.5s down at 2.804687 peer sums WithPseudoHeader
"#,
    );
}

#[test]
fn preemption_is_allowed_and_forbidden() {
    check(
        r#"
router a priority 100 nopreempt
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 50
    1.000000   a follows 192.0.2.2
    1.500000 > reconfigure
router a priority 100
    2.000000 > hear 192.0.2.2 50
    2.000000   a ignores 50 from 192.0.2.2
    2.000000 > view
    2.000000   a is Backup priority 100/100 follows 192.0.2.2 50 interval 1s down at 4.609375
    2.500000 > reconfigure
router a priority 100 nopreempt
    3.000000 > hear 192.0.2.2 50
    3.000000 > view
    3.000000   a is Backup priority 100/100 follows 192.0.2.2 50 interval 1s down at 6.609375
"#,
    );
}

/// An operator who has mended something wants to see whether it helped.
#[test]
fn what_was_told_once_is_told_again_after_a_change() {
    check(
        r#"
router a priority 100 password secret
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 password wrong
    1.000000   a discards AuthenticationFailure from 192.0.2.2
    2.000000 > hear 192.0.2.2 150 password wrong
    2.500000 > reconfigure
router a priority 100 password Secret
    3.000000 > hear 192.0.2.2 150 password wrong
    3.000000   a discards AuthenticationFailure from 192.0.2.2
"#,
    );
}
