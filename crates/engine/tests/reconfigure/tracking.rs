//! Checks and links that come, change and go.

use crate::common::timeline::check;

#[test]
fn a_check_s_verdict_survives_its_new_figures() {
    check(
        r#"
router a track_script chk:-10
script chk interval 5 timeout 5 rise 2 fall 2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.100000 > exit chk 1
    0.100000   chk returned Exited(1)
    0.100000   chk failed: Exited(1)
    0.100000   a priority 100 -> 90
    1.000000 > reconfigure
router a track_script chk:-10
script chk interval 2 timeout 2 rise 1 fall 1
    1.000000 > view
    1.000000   a is Backup priority 90/100 interval 1s down at 3.609375
    3.000000   run chk
    3.000000 > wait
    3.100000 > exit chk 0
    3.100000   chk returned Exited(0)
    3.100000   chk succeeded
    3.100000   a priority 90 -> 100
"#,
    );
}

/// Two bad runs would have been needed; one is enough now.
#[test]
fn a_good_check_is_as_good_as_its_new_figures_say() {
    check(
        r#"
router a track_script chk:-10
script chk interval 2 timeout 2 rise 3 fall 2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    1.000000 > reconfigure
router a track_script chk:-10
script chk interval 2 timeout 2 rise 1 fall 1
    1.911340   run chk
    2.100000 > exit chk 1
    2.100000   chk returned Exited(1)
    2.100000   chk failed: Exited(1)
    2.100000   a priority 100 -> 90
"#,
    );
}

/// Two of three are left, whatever else has changed.
#[test]
fn a_row_of_bad_runs_goes_on_under_new_figures() {
    check(
        r#"
script chk interval 1 rise 2 fall 3
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.911340   run chk
    1.100000 > exit chk 1
    1.100000   chk returned Exited(1)
    1.500000 > reconfigure
script chk interval 1 rise 1 fall 3
    1.500000 > checks
    1.500000   chk is good at 2 after Exited(1)
    1.911340   run chk
    2.100000 > exit chk 1
    2.500000 > checks
    2.500000   chk is good at 1 after Exited(1)
    2.911340   run chk
    3.100000 > exit chk 1
    3.100000   chk failed: Exited(1)
"#,
    );
}

/// It does not fail by a reload, but by the next bad run.
#[test]
fn a_longer_row_of_bad_runs_than_the_new_figures_allow_leaves_one() {
    check(
        r#"
script chk interval 1 rise 2 fall 4
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.911340   run chk
    1.100000 > exit chk 1
    1.100000   chk returned Exited(1)
    1.911340   run chk
    2.100000 > exit chk 1
    2.911340   run chk
    3.100000 > exit chk 1
    3.500000 > reconfigure
script chk interval 1 rise 2 fall 2
    3.500000 > checks
    3.500000   chk is good at 2 after Exited(1)
    3.911340   run chk
    4.100000 > exit chk 1
    4.100000   chk failed: Exited(1)
"#,
    );
}

#[test]
fn the_first_result_decides_under_new_figures_too() {
    check(
        r#"
script chk interval 1 rise 3
    0.000000 > start
    0.000000   run chk
    0.500000 > reconfigure
script chk interval 1 rise 2
    0.500000 > checks
    0.500000   chk is open at 1 runs since 0.000000
    0.600000 > exit chk 1
    0.600000   chk returned Exited(1)
    0.600000   chk failed: Exited(1)
"#,
    );
}

/// Four good runs of five do not make it good when two are enough: it was failed, and a bad run follows.
#[test]
fn a_failed_check_does_not_become_good_by_a_bad_run() {
    check(
        r#"
script chk interval 1 rise 5
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 1
    0.100000   chk returned Exited(1)
    0.100000   chk failed: Exited(1)
    0.911340   run chk
    1.100000 > exit chk 0
    1.100000   chk returned Exited(0)
    1.911340   run chk
    2.100000 > exit chk 0
    2.911340   run chk
    3.100000 > exit chk 0
    3.911340   run chk
    4.100000 > exit chk 0
    4.500000 > reconfigure
script chk interval 1 rise 2
    4.500000 > checks
    4.500000   chk is bad at 1 after Exited(0)
    4.911340   run chk
    5.100000 > exit chk 1
    5.100000   chk returned Exited(1)
    5.911340   run chk
    6.100000 > exit chk 0
    6.100000   chk returned Exited(0)
    6.911340   run chk
    7.100000 > exit chk 0
    7.100000   chk succeeded
"#,
    );
}

#[test]
fn a_check_s_longer_interval_counts_from_its_next_run() {
    check(
        r#"
script chk interval 1
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.500000 > reconfigure
script chk interval 3
    0.911340   run chk
    1.100000 > exit chk 0
    3.911340   run chk
    4.911340   end chk Terminate
    4.911340   chk timed out after 1s
    4.911340   chk failed: took too long
    5.000000 > wait
"#,
    );
}

/// As in keepalived: a check that is new waits for its first result without taking anybody out.
#[test]
fn a_new_check_takes_nobody_out_before_it_has_run() {
    check(
        r#"
router a vrid 51 priority 255
router b vrid 52 priority 100 addresses 192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.500000 > reconfigure
router a vrid 51 priority 255 track_script chk
router b vrid 52 priority 100 addresses 192.0.2.101/24 track_script chk
script chk
    0.500000   run chk
    0.500000 > view
    0.500000   a is Active priority 255/255 interval 1s
    0.500000   b is Backup priority 100/100 interval 1s down at 3.609375
    0.700000 > exit chk 1
    0.700000   chk returned Exited(1)
    0.700000   chk failed: Exited(1)
    0.700000   a fault: ScriptFailed chk
    0.700000   a advertise 0
    0.700000   a resigned
    0.700000   a Active -> Initialize: Fault
    0.700000   a releases its addresses
    0.700000   desired nothing
    0.700000   a notify Fault 255
    0.700000   b fault: ScriptFailed chk
    0.700000   b Backup -> Initialize: Fault
    0.700000   b notify Fault 100
"#,
    );
}

#[test]
fn a_new_weight_counts_at_once() {
    check(
        r#"
router a track_script chk:-10
script chk interval 5 timeout 5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.100000 > exit chk 1
    0.100000   chk returned Exited(1)
    0.100000   chk failed: Exited(1)
    0.100000   a priority 100 -> 90
    1.000000 > reconfigure
router a track_script chk:-20
script chk interval 5 timeout 5
    1.000000   a priority 90 -> 80
"#,
    );
}

#[test]
fn a_check_that_is_no_longer_wanted_is_ended_and_its_fault_is_gone() {
    check(
        r#"
router a track_script chk track_script other:-5
script chk interval 5 timeout 5
script other interval 5 timeout 5
    0.000000 > start
    0.000000   run chk
    0.000000   run other
    0.100000 > exit chk 1
    0.100000   chk returned Exited(1)
    0.100000   chk failed: Exited(1)
    0.100000   a fault: ScriptFailed chk
    0.100000   a Initialize -> Initialize: Fault
    0.100000   a notify Fault 100
    1.000000 > reconfigure
router a
    1.000000   end other Terminate
    1.000000   a fault gone: ScriptFailed chk
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
    4.609375   a Backup -> Active: ActiveDownTimer
    4.609375   a advertise 100
    4.609375   a wants its addresses
    4.609375   desired 192.0.2.100/24@eth0
    4.609375   a announcing eth0 192.0.2.100
    4.609375   announce eth0 192.0.2.100
    4.609375   a notify Active 100
    5.609375   a advertise 100
    6.609375   a advertise 100
    7.609375   a advertise 100
    8.609375   a advertise 100
    9.000000 > stop
    9.000000   a advertise 0
    9.000000   a resigned
    9.000000   a Active -> Initialize: Stopped
"#,
    );
}

/// What a new interface is like comes after the reconfiguration that mentions it first.
#[test]
fn a_link_that_is_new_is_waited_for() {
    check(
        r#"
router a vrid 51 priority 255
router b vrid 52 priority 255 addresses 192.0.2.101/24
router c vrid 53 priority 255 addresses 192.0.2.102/24
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.100000   b is Active priority 255/255 interval 1s
    0.100000   c is Active priority 255/255 interval 1s
    0.500000 > reconfigure
router a vrid 51 priority 255 track_link eth1
router b vrid 52 priority 255 addresses 192.0.2.101/24 track_link eth2
router c vrid 53 priority 255 addresses 192.0.2.102/24 track_link eth3
    0.600000 > link eth1 up
    0.600000   eth1 Up
    0.700000 > link eth2 down
    0.700000   eth2 Down
    0.700000   b fault: LinkDown eth2
    0.700000   b advertise 0
    0.700000   b resigned
    0.700000   b Active -> Initialize: Fault
    0.700000   b releases its addresses
    0.700000   desired 192.0.2.100/24@eth0 192.0.2.102/24@eth0
    0.700000   b notify Fault 255
    0.800000 > link eth3 absent
    0.800000   c fault: LinkAbsent eth3
    0.800000   c advertise 0
    0.800000   c resigned
    0.800000   c Active -> Initialize: Fault
    0.800000   c releases its addresses
    0.800000   desired 192.0.2.100/24@eth0
    0.800000   c notify Fault 255
"#,
    );
}

#[test]
fn a_link_that_is_no_longer_tracked_is_no_fault() {
    check(
        r#"
router a track_link eth1
link eth0 up 192.0.2.1
link eth1 down
    0.000000 > start
    0.000000   a fault: LinkDown eth1
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    1.000000 > reconfigure
router a
    1.000000   a fault gone: LinkDown eth1
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
"#,
    );
}
