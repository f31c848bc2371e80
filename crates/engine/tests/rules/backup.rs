//! Backup (RFC 9568 §6.4.2): what restarts its timer, what shortens it, and what it does not believe.

use crate::common::timeline::check;

#[test]
fn a_higher_priority_restarts_the_timer() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.000000 > hear 192.0.2.2 150
    3.000000   a follows 192.0.2.2
    5.000000 > hear 192.0.2.2 150
    5.000000 > view
    5.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 8.609375
    8.609375   a Backup -> Active: ActiveDownTimer
    8.609375   a advertise 100
    8.609375   a wants its addresses
    8.609375   desired 192.0.2.100/24@eth0
    8.609375   a announcing eth0 192.0.2.100
    8.609375   announce eth0 192.0.2.100
    8.609375   a notify Active 100
    8.700000 > wait
"#,
    );
}

#[test]
fn an_equal_priority_restarts_the_timer_whatever_the_address() {
    check(
        r#"
router a priority 100
link eth0 up 192.0.2.5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.000000 > hear 192.0.2.2 100
    3.000000   a follows 192.0.2.2
    3.000000 > view
    3.000000   a is Backup priority 100/100 follows 192.0.2.2 100 interval 1s down at 6.609375
    5.000000 > hear 192.0.2.9 100
    5.000000   a follows 192.0.2.9 after 192.0.2.2
    5.000000 > view
    5.000000   a is Backup priority 100/100 follows 192.0.2.9 100 interval 1s down at 8.609375
"#,
    );
}

#[test]
fn a_lower_priority_does_not_restart_the_timer() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 50
    1.000000   a ignores 50 from 192.0.2.2
    2.000000 > hear 192.0.2.2 50
    3.000000 > hear 192.0.2.2 99
    3.000000 > view
    3.000000   a is Backup priority 100/100 interval 1s down at 3.609375
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    3.700000 > wait
"#,
    );
}

#[test]
fn without_preemption_a_lower_priority_restarts_the_timer() {
    check(
        r#"
router a priority 100 nopreempt
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 50
    1.000000   a follows 192.0.2.2
    3.000000 > hear 192.0.2.2 50
    3.000000 > view
    3.000000   a is Backup priority 100/100 follows 192.0.2.2 50 interval 1s down at 6.609375
    6.609375   a Backup -> Active: ActiveDownTimer
    6.609375   a advertise 100
    6.609375   a wants its addresses
    6.609375   desired 192.0.2.100/24@eth0
    6.609375   a announcing eth0 192.0.2.100
    6.609375   announce eth0 192.0.2.100
    6.609375   a notify Active 100
    6.700000 > wait
"#,
    );
}

/// RFC 9568 §6.1: the address owner preempts whatever Preempt_Mode says. It yielded to another owner before.
#[test]
fn an_address_owner_preempts_always_and_without_delay() {
    check(
        r#"
router a priority 255 nopreempt preempt_delay 100
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.500000 > hear 192.0.2.2 255
    0.500000   a owner conflict with 192.0.2.2
    0.500000   a advertise 255
    0.500000   a Active -> Backup: HigherAddress 255 from 192.0.2.2
    0.500000   a releases its addresses
    0.500000   desired nothing
    0.500000   a notify Backup 255
    1.500000 > hear 192.0.2.2 254
    1.500000   a ignores 254 from 192.0.2.2
    3.503906   a Backup -> Active: ActiveDownTimer
    3.503906   a advertise 255
    3.503906   a wants its addresses
    3.503906   desired 192.0.2.100/24@eth0
    3.503906   a announcing eth0 192.0.2.100
    3.503906   announce eth0 192.0.2.100
    3.503906   a notify Active 255
    4.000000 > wait
"#,
    );
}

#[test]
fn without_preemption_a_silent_network_is_still_taken_over() {
    check(
        r#"
router a priority 100 nopreempt
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
    3.700000 > wait
"#,
    );
}

/// Accepted until 3 s after the first one; then the timer of the last accepted one, 3.5 s, runs down.
#[test]
fn preempt_delay_begins_with_the_first_lower_priority() {
    check(
        r#"
router a priority 100 preempt_delay 3
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.500000 > hear 192.0.2.2 50
    0.500000   a follows 192.0.2.2
    1.500000 > hear 192.0.2.2 50
    2.500000 > hear 192.0.2.2 50
    3.499000 > hear 192.0.2.2 50
    3.500000 > hear 192.0.2.2 50
    3.500000   a ignores 50 from 192.0.2.2
    4.500000 > hear 192.0.2.2 50
    4.500000 > view
    4.500000   a is Backup priority 100/100 follows 192.0.2.2 50 interval 1s down at 7.108375
    7.108375   a Backup -> Active: ActiveDownTimer
    7.108375   a advertise 100
    7.108375   a wants its addresses
    7.108375   desired 192.0.2.100/24@eth0
    7.108375   a announcing eth0 192.0.2.100
    7.108375   announce eth0 192.0.2.100
    7.108375   a notify Active 100
    7.200000 > wait
"#,
    );
}

#[test]
fn preempt_delay_begins_anew_after_a_higher_priority() {
    check(
        r#"
router a priority 100 preempt_delay 2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.500000 > hear 192.0.2.2 50
    0.500000   a follows 192.0.2.2
    1.500000 > hear 192.0.2.3 150
    1.500000   a follows 192.0.2.3 after 192.0.2.2
    2.000000 > hear 192.0.2.2 50
    2.000000   a follows 192.0.2.2 after 192.0.2.3
    3.900000 > hear 192.0.2.2 50
    4.000000 > hear 192.0.2.2 50
    4.000000   a ignores 50 from 192.0.2.2
    4.000000 > view
    4.000000   a is Backup priority 100/100 follows 192.0.2.2 50 interval 1s down at 7.509375
"#,
    );
}

#[test]
fn preempt_delay_does_not_hold_up_a_silent_network() {
    check(
        r#"
router a priority 100 preempt_delay 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 50
    1.000000   a follows 192.0.2.2
    4.609375   a Backup -> Active: ActiveDownTimer
    4.609375   a advertise 100
    4.609375   a wants its addresses
    4.609375   desired 192.0.2.100/24@eth0
    4.609375   a announcing eth0 192.0.2.100
    4.609375   announce eth0 192.0.2.100
    4.609375   a notify Active 100
    4.700000 > wait
"#,
    );
}

/// 156/256 s in version 2.
#[test]
fn a_resignation_leaves_only_the_skew_time() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    2.000000 > hear 192.0.2.2 0
    2.000000   a hears 192.0.2.2 resign
    2.000000 > view
    2.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 2.609375
    2.609375   a Backup -> Active: ActiveResigned
    2.609375   a advertise 100
    2.609375   a wants its addresses
    2.609375   desired 192.0.2.100/24@eth0
    2.609375   a announcing eth0 192.0.2.100
    2.609375   announce eth0 192.0.2.100
    2.609375   a notify Active 100
    2.700000 > wait
    2.700000 > counters
    2.700000   a counts received 2 sent 1 became 1 zero-received 1
"#,
    );
}

/// 156/256 of 0.2 s.
#[test]
fn after_a_resignation_the_skew_follows_the_learned_interval() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 0.2
    1.000000   a learns interval 0.2s after 1s
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.000000 > hear 192.0.2.2 0 interval 0.2
    1.000000   a hears 192.0.2.2 resign
    1.121875   a Backup -> Active: ActiveResigned
    1.121875   a advertise 100
    1.121875   a wants its addresses
    1.121875   desired 192.0.2.100/24@eth0
    1.121875   a announcing eth0 192.0.2.100
    1.121875   announce eth0 192.0.2.100
    1.121875   a notify Active 100
    1.200000 > wait
"#,
    );
}

#[test]
fn another_successor_restarts_the_timer_after_a_resignation() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    2.000000 > hear 192.0.2.2 0
    2.000000   a hears 192.0.2.2 resign
    2.400000 > hear 192.0.2.3 120
    2.400000   a follows 192.0.2.3 after 192.0.2.2
    2.400000 > view
    2.400000   a is Backup priority 100/100 follows 192.0.2.3 120 interval 1s down at 6.009375
    6.009375   a Backup -> Active: ActiveDownTimer
    6.009375   a advertise 100
    6.009375   a wants its addresses
    6.009375   desired 192.0.2.100/24@eth0
    6.009375   a announcing eth0 192.0.2.100
    6.009375   announce eth0 192.0.2.100
    6.009375   a notify Active 100
    6.100000 > wait
"#,
    );
}

/// 3 × 2 s + 156/256 × 2 s after the advertisement.
#[test]
fn a_backup_of_version_3_learns_the_interval() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 2
    1.000000   a learns interval 2s after 1s
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.000000 > view
    1.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 2s down at 8.218750 peer sums WithPseudoHeader
    3.000000 > hear 192.0.2.2 150 interval 0.5
    3.000000   a learns interval 0.5s after 2s
    3.000000 > view
    3.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 0.5s down at 4.804687 peer sums WithPseudoHeader
"#,
    );
}

/// The loser's last advertisement comes behind the winner's first one; its interval counts only if it stays.
#[test]
fn a_shorter_interval_of_another_active_router_is_learned_when_it_stays() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 2
    1.000000   a learns interval 2s after 1s
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.000100 > hear 192.0.2.3 120 interval 0.1
    1.000100   a follows 192.0.2.3 after 192.0.2.2
    1.000100   a finds AdvertisementInterval odd from 192.0.2.3
    1.000100 > view
    1.000100   a is Backup priority 100/100 follows 192.0.2.3 120 interval 2s down at 8.218850 peer sums WithPseudoHeader
    1.100100 > hear 192.0.2.3 120 interval 0.1
    1.100100   a learns interval 0.1s after 2s
    1.100100 > view
    1.100100   a is Backup priority 100/100 follows 192.0.2.3 120 interval 0.1s down at 1.461037 peer sums WithPseudoHeader
    1.200000 > hear 192.0.2.2 150 interval 2
    1.200000   a learns interval 2s after 0.1s
    1.200000   a follows 192.0.2.2 after 192.0.2.3
    1.200000   a finds AdvertisementInterval odd from 192.0.2.2
    1.200000 > view
    1.200000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 2s down at 8.418750 peer sums WithPseudoHeader
"#,
    );
}

#[test]
fn an_interval_of_zero_is_not_learned() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 0
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.000000 > view
    1.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 4.609375 peer sums WithPseudoHeader
"#,
    );
}

/// It advertises every second, and nothing is left of 0.3 s.
#[test]
fn the_learned_interval_is_forgotten_on_becoming_active() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 0.3
    1.000000   a learns interval 0.3s after 1s
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.000000 > hear 192.0.2.2 0 interval 0.3
    1.000000   a hears 192.0.2.2 resign
    1.182812   a Backup -> Active: ActiveResigned
    1.182812   a advertise 100
    1.182812   a wants its addresses
    1.182812   desired 192.0.2.100/24@eth0
    1.182812   a announcing eth0 192.0.2.100
    1.182812   announce eth0 192.0.2.100
    1.182812   a notify Active 100
    2.182812   a advertise 100
    2.300000 > wait
    2.300000 > view
    2.300000   a is Active priority 100/100 interval 1s peer sums WithPseudoHeader
"#,
    );
}

#[test]
fn a_stopped_backup_says_nothing() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > stop
    1.000000   a Backup -> Initialize: Stopped
    1.000000   a notify Stop 100
    1.000000   stopped
    9.000000 > wait
"#,
    );
}
