//! Active (RFC 9568 §6.4.3): what it says, whom it answers and to whom it yields.

use std::collections::VecDeque;

use tanist_engine::Instant;

use crate::common::timeline::{Bench, check};

#[test]
fn an_active_router_advertises_at_its_interval() {
    check(
        r#"
router a version 3 priority 255 interval 0.25
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.250000   a advertise 255
    0.500000   a advertise 255
    0.750000   a advertise 255
    1.000000   a advertise 255
    1.000000 > wait
"#,
    );
}

/// At most 10 ms early: b joins a, c does not.
#[test]
fn advertisements_that_are_nearly_due_go_together() {
    check(
        r#"
router a vrid 51 priority 255 addresses none
router b vrid 52 priority 255 addresses none link eth1
router c vrid 53 priority 255 addresses none link eth2
link eth0 up 192.0.2.1
link eth1 down 192.0.2.2
link eth2 down 192.0.2.3
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired nothing
    0.000000   a notify Active 255
    0.000000   b fault: LinkDown eth1
    0.000000   b Initialize -> Initialize: Fault
    0.000000   b notify Fault 255
    0.000000   c fault: LinkDown eth2
    0.000000   c Initialize -> Initialize: Fault
    0.000000   c notify Fault 255
    0.009000 > link eth1 up 192.0.2.2
    0.009000   eth1 Up
    0.009000   b fault gone: LinkDown eth1
    0.009000   b Initialize -> Active: AddressOwner
    0.009000   b advertise 255
    0.009000   b wants its addresses
    0.009000   desired nothing
    0.009000   b notify Active 255
    0.020000 > link eth2 up 192.0.2.3
    0.020000   eth2 Up
    0.020000   c fault gone: LinkDown eth2
    0.020000   c Initialize -> Active: AddressOwner
    0.020000   c advertise 255
    0.020000   c wants its addresses
    0.020000   desired nothing
    0.020000   c notify Active 255
    1.000000   a advertise 255
    1.000000   b advertise 255
    1.020000   c advertise 255
    2.000000   a advertise 255
    2.000000   b advertise 255
    2.020000   c advertise 255
    2.500000 > wait
"#,
    );
}

/// A thirty-second of 0.16 s is 5 ms: b joins a, c is 0.1 ms too late for that.
#[test]
fn short_intervals_leave_little_room_for_going_together() {
    check(
        r#"
router a version 3 interval 0.16 vrid 51 priority 255 addresses none
router b version 3 interval 0.16 vrid 52 priority 255 addresses none link eth1
router c version 3 interval 0.16 vrid 53 priority 255 addresses none link eth2
link eth0 up 192.0.2.1
link eth1 down 192.0.2.2
link eth2 down 192.0.2.3
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired nothing
    0.000000   a notify Active 255
    0.000000   b fault: LinkDown eth1
    0.000000   b Initialize -> Initialize: Fault
    0.000000   b notify Fault 255
    0.000000   c fault: LinkDown eth2
    0.000000   c Initialize -> Initialize: Fault
    0.000000   c notify Fault 255
    0.005000 > link eth1 up 192.0.2.2
    0.005000   eth1 Up
    0.005000   b fault gone: LinkDown eth1
    0.005000   b Initialize -> Active: AddressOwner
    0.005000   b advertise 255
    0.005000   b wants its addresses
    0.005000   desired nothing
    0.005000   b notify Active 255
    0.005100 > link eth2 up 192.0.2.3
    0.005100   eth2 Up
    0.005100   c fault gone: LinkDown eth2
    0.005100   c Initialize -> Active: AddressOwner
    0.005100   c advertise 255
    0.005100   c wants its addresses
    0.005100   desired nothing
    0.005100   c notify Active 255
    0.160000   a advertise 255
    0.160000   b advertise 255
    0.165100   c advertise 255
    0.200000 > wait
"#,
    );
}

#[test]
fn an_active_router_answers_a_resignation_at_once() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.800000 > hear 192.0.2.2 0
    3.800000   a hears 192.0.2.2 resign
    3.800000   a advertise 100
    4.800000   a advertise 100
    4.900000 > counters
    4.900000   a counts received 1 sent 3 became 1 zero-received 1
"#,
    );
}

#[test]
fn an_active_router_answers_a_lower_priority_at_once() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.800000 > hear 192.0.2.2 50
    3.800000   a answers 50 from 192.0.2.2 with 100
    3.800000   a advertise 100
    3.800000   a announcing eth0 192.0.2.100
    3.800000   announce eth0 192.0.2.100
    3.800000   a notify ActiveHeardLowerPriority 100
    4.800000   a advertise 100
    4.900000 > wait
"#,
    );
}

#[test]
fn between_equals_the_higher_address_stays_active() {
    check(
        r#"
router a priority 100
link eth0 up 192.0.2.5
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > hear 192.0.2.4 100
    4.000000   a answers 100 from 192.0.2.4 with 100
    4.000000   a advertise 100
    4.000000   a announcing eth0 192.0.2.100
    4.000000   announce eth0 192.0.2.100
    4.000000   a notify ActiveHeardLowerPriority 100
    4.300000 > hear 192.0.2.6 100
    4.300000   a advertise 100
    4.300000   a Active -> Backup: HigherAddress 100 from 192.0.2.6
    4.300000   a releases its addresses
    4.300000   desired nothing
    4.300000   a notify Backup 100
    4.300000 > view
    4.300000   a is Backup priority 100/100 follows 192.0.2.6 100 interval 1s down at 7.909375
"#,
    );
}

#[test]
fn addresses_compare_as_numbers_not_as_text() {
    check(
        r#"
router a priority 100
link eth0 up 192.0.2.20
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > hear 192.0.2.100 100
    4.000000   a advertise 100
    4.000000   a Active -> Backup: HigherAddress 100 from 192.0.2.100
    4.000000   a releases its addresses
    4.000000   desired nothing
    4.000000   a notify Backup 100
"#,
    );
}

/// The last one has its own priority, not 0: nobody else is to take over.
#[test]
fn an_active_router_yields_to_a_higher_priority_with_one_last_advertisement() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.800000 > hear 192.0.2.2 101
    3.800000   a advertise 100
    3.800000   a Active -> Backup: HigherPriority 101 from 192.0.2.2
    3.800000   a releases its addresses
    3.800000   desired nothing
    3.800000   a notify Backup 100
    3.800000 > view
    3.800000   a is Backup priority 100/100 follows 192.0.2.2 101 interval 1s down at 7.409375
    3.800000 > counters
    3.800000   a counts received 1 sent 2 became 1 released 1
    7.409375   a Backup -> Active: ActiveDownTimer
    7.409375   a advertise 100
    7.409375   a wants its addresses
    7.409375   desired 192.0.2.100/24@eth0
    7.409375   a announcing eth0 192.0.2.100
    7.409375   announce eth0 192.0.2.100
    7.409375   a notify Active 100
    7.500000 > wait
"#,
    );
}

#[test]
fn an_active_router_of_version_3_takes_the_winner_s_interval() {
    check(
        r#"
router a version 3 priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.800000 > hear 192.0.2.2 101 interval 0.5
    3.800000   a advertise 100
    3.800000   a Active -> Backup: HigherPriority 101 from 192.0.2.2
    3.800000   a releases its addresses
    3.800000   desired nothing
    3.800000   a notify Backup 100
    3.800000   a finds AdvertisementInterval odd from 192.0.2.2
    3.800000 > view
    3.800000   a is Backup priority 100/100 follows 192.0.2.2 101 interval 0.5s down at 5.604687 peer sums WithPseudoHeader
"#,
    );
}

/// Preempt_Mode is a Backup's affair: an Active router that hears a higher priority yields all the same.
#[test]
fn preempt_mode_does_not_keep_an_active_router() {
    check(
        r#"
router a priority 100 nopreempt
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.800000 > hear 192.0.2.2 101
    3.800000   a advertise 100
    3.800000   a Active -> Backup: HigherPriority 101 from 192.0.2.2
    3.800000   a releases its addresses
    3.800000   desired nothing
    3.800000   a notify Backup 100
"#,
    );
}

#[test]
fn of_two_owners_the_one_with_the_lower_address_yields() {
    check(
        r#"
router a priority 255
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.500000 > hear 192.0.2.0 255
    0.500000   a owner conflict with 192.0.2.0
    0.500000   a answers 255 from 192.0.2.0 with 255
    0.500000   a advertise 255
    0.500000   a announcing eth0 192.0.2.100
    0.500000   announce eth0 192.0.2.100
    0.500000   a notify ActiveHeardLowerPriority 255
    0.600000 > hear 192.0.2.2 255
    0.600000   a owner conflict with 192.0.2.2
    0.600000   a advertise 255
    0.600000   a Active -> Backup: HigherAddress 255 from 192.0.2.2
    0.600000   a releases its addresses
    0.600000   desired nothing
    0.600000   a notify Backup 255
    0.600000 > view
    0.600000   a is Backup priority 255/255 follows 192.0.2.2 255 interval 1s down at 3.603906
"#,
    );
}

/// No second answer within 10 ms, and none right after an advertisement: only the addresses are announced.
#[test]
fn answers_to_a_storm_are_few() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.800000 > hear 192.0.2.2 50
    3.800000   a answers 50 from 192.0.2.2 with 100
    3.800000   a advertise 100
    3.800000   a announcing eth0 192.0.2.100
    3.800000   announce eth0 192.0.2.100
    3.800000   a notify ActiveHeardLowerPriority 100
    3.801000 > hear 192.0.2.2 50
    3.801000   a announcing eth0 192.0.2.100
    3.801000   announce eth0 192.0.2.100
    3.809999 > hear 192.0.2.2 50
    3.809999   a announcing eth0 192.0.2.100
    3.809999   announce eth0 192.0.2.100
    3.810000 > hear 192.0.2.2 50
    3.810000   a answers 50 from 192.0.2.2 with 100
    3.810000   a advertise 100
    3.810000   a announcing eth0 192.0.2.100
    3.810000   announce eth0 192.0.2.100
    3.810000   a notify ActiveHeardLowerPriority 100
    4.805000 > wait
    4.810000   a advertise 100
    4.811000 > hear 192.0.2.2 50
    4.811000   a answers 50 from 192.0.2.2 with 100
    4.811000   a announcing eth0 192.0.2.100
    4.811000   announce eth0 192.0.2.100
    4.811000   a notify ActiveHeardLowerPriority 100
    4.815000 > hear 192.0.2.2 50
    4.815000   a announcing eth0 192.0.2.100
    4.815000   announce eth0 192.0.2.100
"#,
    );
}

/// Two owners behind a network that rewrites addresses: each sees the other below itself. An advertisement takes
/// 0.1 ms. Unchecked, they would answer each other ten thousand times a second.
#[test]
fn two_routers_that_both_believe_to_win_do_not_shout() {
    let mut both = [0, 1].map(|_| Bench::new(&["router a priority 255"]));
    for bench in &mut both {
        bench.set_links(&["link eth0 up 192.0.2.5"]);
    }
    let mut sent = [0, 0];
    // When an advertisement arrives, and where.
    let mut under_way: VecDeque<(u64, usize)> = VecDeque::new();
    for microseconds in (0..10_000_000).step_by(100) {
        let now = Instant::from_nanos(microseconds * 1000);
        let mut told = [Vec::new(), Vec::new()];
        while under_way.front().is_some_and(|(at, _)| *at <= microseconds) {
            let (_, to) = under_way.pop_front().expect("there is a first one");
            told[to].extend(both[to].act(now, "hear 192.0.2.2 255", &[]));
        }
        for (place, bench) in both.iter_mut().enumerate() {
            told[place].extend(bench.wait(now));
        }
        match microseconds {
            0 => told[0].extend(both[0].act(now, "start", &[])),
            300_000 => told[1].extend(both[1].act(now, "start", &[])),
            _ => {}
        }
        for place in [0, 1] {
            let advertised = told[place].iter().filter(|line| line.contains("advertise")).count();
            sent[place] += advertised;
            under_way.extend((0..advertised).map(|_| (microseconds + 100, 1 - place)));
        }
    }
    // The second at 0.3 s, 1.3 s … 9.3 s; the first at 0 s and then as an answer to each of those.
    assert_eq!(sent, [11, 10]);
}

#[test]
fn a_send_failure_is_counted_always_and_told_once_in_a_state() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.700000 > unsent a 101
    3.700000   a could not send: error 101
    3.800000 > unsent a 1
    3.900000 > hear 192.0.2.2 150
    3.900000   a advertise 100
    3.900000   a Active -> Backup: HigherPriority 150 from 192.0.2.2
    3.900000   a releases its addresses
    3.900000   desired nothing
    3.900000   a notify Backup 100
    3.900000 > unsent a 101
    3.900000   a could not send: error 101
    3.900000 > counters
    3.900000   a counts received 1 sent 2 became 1 released 1 send-failures 3
"#,
    );
}

#[test]
fn an_address_that_two_routers_want_is_wanted_once() {
    check(
        r#"
router a vrid 51 priority 255
router b vrid 52 priority 255
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.000000   b Initialize -> Active: AddressOwner
    0.000000   b advertise 255
    0.000000   b wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   b announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   b notify Active 255
"#,
    );
}
