//! A late engine: who has not listened must not act on what he knew.

use crate::common::timeline::check;

/// Its advertisement was due at 4.609375; others took over 3.609375 s later at the latest.
#[test]
fn an_active_router_that_overslept_steps_back_and_listens() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    8.300000 > late timer
    8.300000   a overslept by 3.690625s
    8.300000   a Active -> Backup: Overslept
    8.300000   a releases its addresses
    8.300000   desired nothing
    8.300000   a notify Backup 100
    9.000000 > hear 192.0.2.2 50
    9.000000   a ignores 50 from 192.0.2.2
   11.909375   a Backup -> Active: ActiveDownTimer
   11.909375   a advertise 100
   11.909375   a wants its addresses
   11.909375   desired 192.0.2.100/24@eth0
   11.909375   a announcing eth0 192.0.2.100
   11.909375   announce eth0 192.0.2.100
   11.909375   a notify Active 100
   12.000000 > wait
"#,
    );
}

#[test]
fn an_active_router_that_is_merely_late_goes_on() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    8.200000 > late timer
    8.200000   a advertise 100
    9.100000 > wait
"#,
    );
}

#[test]
fn an_active_router_that_overslept_believes_the_first_packet_it_finds() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
   60.000000 > late hear 192.0.2.2 50
   60.000000   a overslept by 55.390625s
   60.000000   a Active -> Backup: Overslept
   60.000000   a releases its addresses
   60.000000   desired nothing
   60.000000   a notify Backup 100
   60.000000   a ignores 50 from 192.0.2.2
   60.100000 > late hear 192.0.2.3 150
   60.100000   a follows 192.0.2.3
   60.100000 > view
   60.100000   a is Backup priority 100/100 follows 192.0.2.3 150 interval 1s down at 63.709375
"#,
    );
}

#[test]
fn a_backup_that_overslept_listens_once_more_but_not_twice() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
   60.000000 > late timer
   60.000000   a overslept by 55.390625s
   60.000000 > view
   60.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 63.609375
  120.000000 > late timer
  120.000000   a Backup -> Active: ActiveDownTimer
  120.000000   a advertise 100
  120.000000   a wants its addresses
  120.000000   desired 192.0.2.100/24@eth0
  120.000000   a announcing eth0 192.0.2.100
  120.000000   announce eth0 192.0.2.100
  120.000000   a notify Active 100
"#,
    );
}

/// 0.1 s is long for an Active router that advertises so often: due at 1.360937, asked 0.109 s later.
#[test]
fn how_late_is_too_late_follows_the_learned_interval() {
    check(
        r#"
router a version 3 priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 interval 0.1
    1.000000   a learns interval 0.1s after 1s
    1.000000   a follows 192.0.2.2
    1.000000   a finds AdvertisementInterval odd from 192.0.2.2
    1.470000 > late timer
    1.470000   a overslept by 109.0625ms
"#,
    );
}

#[test]
fn a_backup_that_overslept_and_then_hears_somebody_stays() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
   60.000000 > late timer
   60.000000   a overslept by 55.390625s
   60.500000 > hear 192.0.2.2 150
  120.000000 > late timer
  120.000000   a overslept by 55.890625s
"#,
    );
}

#[test]
fn a_backup_whose_timer_is_less_than_an_interval_late_takes_over() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    4.600000 > late timer
    4.600000   a Backup -> Active: ActiveDownTimer
    4.600000   a advertise 100
    4.600000   a wants its addresses
    4.600000   desired 192.0.2.100/24@eth0
    4.600000   a announcing eth0 192.0.2.100
    4.600000   announce eth0 192.0.2.100
    4.600000   a notify Active 100
"#,
    );
}
