//! Checks and links: when runs make a verdict, what a verdict weighs, and how a run that takes too long is ended.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::common::setup::config;
use crate::common::timeline::check;
use tanist_engine::{Engine, Input, Instant, Output, ScriptOutcome};

// ── Verdicts ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_first_result_decides_when_it_is_good() {
    check(
        r#"
router a track_script chk
script chk rise 3 fall 2
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.100000   a Initialize -> Backup: Started
    0.100000   a notify Backup 100
"#,
    );
}

/// Back again after three good runs.
#[test]
fn the_first_result_decides_when_it_is_bad() {
    check(
        r#"
router a track_script chk
script chk rise 3 fall 2
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 1
    0.100000   chk returned Exited(1)
    0.100000   chk failed: Exited(1)
    0.100000   a fault: ScriptFailed chk
    0.100000   a Initialize -> Initialize: Fault
    0.100000   a notify Fault 100
    0.911340   run chk
    1.200000 > exit chk 0
    1.200000   chk returned Exited(0)
    1.911340   run chk
    2.200000 > exit chk 0
    2.911340   run chk
    3.200000 > exit chk 0
    3.200000   chk succeeded
    3.200000   a fault gone: ScriptFailed chk
    3.200000   a Initialize -> Backup: FaultsCleared
    3.200000   a notify Backup 100
"#,
    );
}

#[test]
fn fall_bad_runs_make_a_failure() {
    check(
        r#"
router a track_script chk
script chk rise 2 fall 3
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.100000   a Initialize -> Backup: Started
    0.100000   a notify Backup 100
    0.911340   run chk
    1.200000 > exit chk 1
    1.200000   chk returned Exited(1)
    1.911340   run chk
    2.200000 > exit chk 1
    2.911340   run chk
    3.200000 > exit chk 2
    3.200000   chk returned Exited(2)
    3.200000   chk failed: Exited(2)
    3.200000   a fault: ScriptFailed chk
    3.200000   a Backup -> Initialize: Fault
    3.200000   a notify Fault 100
    3.911340   run chk
    4.200000 > exit chk 0
    4.200000   chk returned Exited(0)
    4.911340   run chk
    5.200000 > exit chk 0
    5.200000   chk succeeded
    5.200000   a fault gone: ScriptFailed chk
    5.200000   a Initialize -> Backup: FaultsCleared
    5.200000   a notify Backup 100
"#,
    );
}

/// As in keepalived: a good run begins the row of bad ones anew.
#[test]
fn only_bad_runs_in_a_row_count() {
    check(
        r#"
router a track_script chk:-10
script chk rise 1 fall 3
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.911340   run chk
    1.200000 > exit chk 1
    1.200000   chk returned Exited(1)
    1.911340   run chk
    2.200000 > exit chk 1
    2.911340   run chk
    3.200000 > exit chk 0
    3.200000   chk returned Exited(0)
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    3.911340   run chk
    4.200000 > exit chk 1
    4.200000   chk returned Exited(1)
    4.609375   a advertise 100
    4.911340   run chk
    5.200000 > exit chk 1
"#,
    );
}

#[test]
fn init_fail_is_failed_until_enough_runs_were_good() {
    check(
        r#"
router a track_script chk
script chk rise 2 init_fail
    0.000000 > start
    0.000000   a fault: ScriptFailed chk
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.911340   run chk
    1.200000 > exit chk 1
    1.200000   chk returned Exited(1)
    1.911340   run chk
    2.200000 > exit chk 0
    2.200000   chk returned Exited(0)
    2.911340   run chk
    3.200000 > exit chk 0
    3.200000   chk succeeded
    3.200000   a fault gone: ScriptFailed chk
    3.200000   a Initialize -> Backup: FaultsCleared
    3.200000   a notify Backup 100
"#,
    );
}

#[test]
fn a_signal_and_a_program_that_cannot_be_started_are_bad_runs() {
    check(
        r#"
router a track_script one:-10 track_script two:-20
script one
script two
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run one
    0.000000   run two
    0.100000 > signal one 11
    0.100000   one returned Signalled(11)
    0.100000   one failed: Signalled(11)
    0.100000   a priority 100 -> 90
    0.200000 > unstartable two 2
    0.200000   two returned NotStarted(2)
    0.200000   two failed: NotStarted(2)
    0.200000   a priority 90 -> 70
    0.200000 > view
    0.200000   a is Backup priority 70/100 interval 1s down at 3.609375
"#,
    );
}

#[test]
fn a_run_in_which_nobody_could_look_changes_nothing() {
    check(
        r#"
router a track_script one:-10
script one interval 0.5 timeout 0.5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run one
    0.100000 > exit one 0
    0.100000   one returned Exited(0)
    0.100000   one succeeded
    0.473500   run one
    0.600000 > unlooked one 24
    0.600000   one returned NotLooked(24)
    0.973500   run one
    1.100000 > unlooked one 24
    1.473500   run one
    1.600000 > unlooked one 24
    1.973500   run one
    2.100000 > unlooked one 24
    2.473500   run one
    2.600000 > exit one 1
    2.600000   one returned Exited(1)
    2.600000   one failed: Exited(1)
    2.600000   a priority 100 -> 90
"#,
    );
}

#[test]
fn a_check_that_was_never_made_is_no_good_one() {
    check(
        r#"
router a track_script chk
script chk
link eth0 up 192.0.2.1
    0.000000 > start
    0.000000   run chk
    0.100000 > unlooked chk 11
    0.100000   chk returned NotLooked(11)
    0.911340   run chk
    1.100000 > unlooked chk 11
    1.911340   run chk
    2.100000 > unlooked chk 11
    2.100000   chk failed: NotLooked(11)
    2.100000   a fault: ScriptFailed chk
    2.100000   a Initialize -> Initialize: Fault
    2.100000   a notify Fault 100
"#,
    );
}

#[test]
fn a_pending_check_holds_the_router_silently() {
    check(
        r#"
router a track_script chk
script chk interval 10 timeout 10
link eth0 up 192.0.2.1
    0.000000 > start
    0.000000   run chk
    4.000000 > view
    4.000000   a is Initialize priority 100/100 interval 1s fault ScriptPending chk
    5.000000 > exit chk 0
    5.000000   chk returned Exited(0)
    5.000000   chk succeeded
    5.000000   a Initialize -> Backup: Started
    5.000000   a notify Backup 100
"#,
    );
}

#[test]
fn a_pending_check_whose_router_has_another_fault_is_no_secret() {
    check(
        r#"
router a track_script chk
script chk interval 10 timeout 10
link eth0 down 192.0.2.1
    0.000000 > start
    0.000000   a fault: LinkDown eth0
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    0.000000   run chk
    1.000000 > link eth0 up 192.0.2.1
    1.000000   eth0 Up
    1.000000   a fault gone: LinkDown eth0
    1.000000 > view
    1.000000   a is Initialize priority 100/100 interval 1s fault ScriptPending chk
    2.000000 > exit chk 1
    2.000000   chk returned Exited(1)
    2.000000   chk failed: Exited(1)
    2.000000   a fault: ScriptFailed chk
"#,
    );
}

#[test]
fn a_pending_check_with_a_weight_holds_nobody() {
    check(
        r#"
router a track_script chk:20
script chk
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.100000 > view
    0.100000   a is Backup priority 100/100 interval 1s down at 3.609375
    0.500000 > exit chk 0
    0.500000   chk returned Exited(0)
    0.500000   chk succeeded
    0.500000   a priority 100 -> 120
"#,
    );
}

#[test]
fn an_operator_sees_how_far_each_check_is() {
    check(
        r#"
script one rise 2 fall 3
script two rise 2 init_fail
    0.000000 > start
    0.000000   run one
    0.000000   run two
    0.500000 > checks
    0.500000   one is open at 1 runs since 0.000000
    0.500000   two is bad at 0 runs since 0.000000
    0.600000 > exit one 0
    0.600000   one returned Exited(0)
    0.600000   one succeeded
    0.600000 > exit two 0
    0.600000   two returned Exited(0)
    0.700000 > checks
    0.700000   one is good at 4 after Exited(0)
    0.700000   two is bad at 1 after Exited(0)
    0.906022   run two
    0.911340   run one
    1.500000 > exit one 1
    1.500000   one returned Exited(1)
    1.600000 > checks
    1.600000   one is good at 3 after Exited(1)
    1.600000   two is bad at 1 after Exited(0) runs since 0.906022
"#,
    );
}

// ── Runs ──────────────────────────────────────────────────────────────────────────────────────────────────

/// Terminate after 0.5 s, Kill 2 s later, Kill again every 10 s after that. It is one bad run, not two or more:
/// `fall` is reached by the next run that takes too long.
#[test]
fn a_run_that_takes_too_long_is_ended_kindly_then_not_and_counts_once() {
    check(
        r#"
script chk interval 30 timeout 0.5 fall 2
    0.000000 > start
    0.000000   run chk
    0.200000 > exit chk 0
    0.200000   chk returned Exited(0)
    0.200000   chk succeeded
   29.911340   run chk
   30.411340   end chk Terminate
   30.411340   chk timed out after 500ms
   32.411340   end chk Kill
   42.411340   end chk Kill
   52.411340   end chk Kill
   56.000000 > signal chk 9
   56.000000   chk returned Signalled(9)
   59.911340   run chk
   60.411340   end chk Terminate
   60.411340   chk timed out after 500ms
   60.411340   chk failed: took too long
   61.000000 > wait
"#,
    );
}

#[test]
fn a_run_under_way_makes_the_next_one_be_left_out() {
    check(
        r#"
router a track_script chk:-10
script chk interval 1 timeout 2.5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.911340   chk skipped
    1.911340   chk skipped
    2.300000 > exit chk 0
    2.300000   chk returned Exited(0)
    2.300000   chk succeeded
    2.911340   run chk
    3.300000 > wait
"#,
    );
}

#[test]
fn a_late_result_is_no_result() {
    check(
        r#"
router a track_script chk:-10
script chk interval 5 timeout 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    1.000000   end chk Terminate
    1.000000   chk timed out after 1s
    1.000000   chk failed: took too long
    1.000000   a priority 100 -> 90
    2.000000 > exit chk 0
    2.000000   chk returned Exited(0)
    2.000000 > view
    2.000000   a is Backup priority 90/100 interval 1s down at 3.609375
    3.000000 > exit chk 0
    3.000000 > exit other 0
    3.000000 > view
    3.000000   a is Backup priority 90/100 interval 1s down at 3.609375
"#,
    );
}

/// Nor has a run that was suspended with the machine: it gets its whole time again.
#[test]
fn a_run_that_slept_has_not_taken_too_long() {
    check(
        r#"
script chk interval 5 timeout 2
    0.000000 > start
    0.000000   run chk
    1.000000 > wait
   60.000000 > late timer
   60.000000   chk skipped
   61.500000 > exit chk 0
   61.500000   chk returned Exited(0)
   61.500000   chk succeeded
   65.000000   run chk
   67.000000   end chk Terminate
   67.000000   chk timed out after 2s
   67.000000   chk failed: took too long
   67.500000 > wait
"#,
    );
}

#[test]
fn a_stop_ends_the_runs() {
    check(
        r#"
router a track_script one:-10 track_script two:-10
script one
script two
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run one
    0.000000   run two
    0.500000 > exit one 0
    0.500000   one returned Exited(0)
    0.500000   one succeeded
    0.600000 > stop
    0.600000   end two Terminate
    0.600000   a Backup -> Initialize: Stopped
    0.600000   a notify Stop 100
    0.600000   stopped
    5.000000 > wait
"#,
    );
}

#[test]
fn a_check_that_is_late_does_not_hurry() {
    check(
        r#"
router a track_script chk:-10
script chk interval 2 timeout 2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   run chk
    0.500000 > exit chk 0
    0.500000   chk returned Exited(0)
    0.500000   chk succeeded
    3.000000 > late timer
    3.000000   run chk
    3.100000 > exit chk 0
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    4.609375   a advertise 100
    5.000000   run chk
    5.100000 > wait
"#,
    );
}

// ── Weights ───────────────────────────────────────────────────────────────────────────────────────────────

/// Positive is added while good, negative subtracted while failing; reversed, the one is subtracted and the other added.
#[test]
fn weights_of_checks() {
    check(
        r#"
router plus vrid 1 addresses none track_script chk:20
router minus vrid 2 addresses none track_script chk:-30
router plus-reversed vrid 3 addresses none track_script chk:20:reverse
router minus-reversed vrid 4 addresses none track_script chk:-30:reverse
script chk interval 1
    0.000000 > start
    0.000000   plus Initialize -> Backup: Started
    0.000000   plus notify Backup 100
    0.000000   minus Initialize -> Backup: Started
    0.000000   minus notify Backup 100
    0.000000   plus-reversed Initialize -> Backup: Started
    0.000000   plus-reversed notify Backup 100
    0.000000   minus-reversed Initialize -> Backup: Started
    0.000000   minus-reversed notify Backup 100
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.100000   plus priority 100 -> 120
    0.100000   plus-reversed priority 100 -> 80
    0.100000 > view
    0.100000   plus is Backup priority 120/100 interval 1s down at 3.609375
    0.100000   minus is Backup priority 100/100 interval 1s down at 3.609375
    0.100000   plus-reversed is Backup priority 80/100 interval 1s down at 3.609375
    0.100000   minus-reversed is Backup priority 100/100 interval 1s down at 3.609375
    0.911340   run chk
    1.100000 > exit chk 1
    1.100000   chk returned Exited(1)
    1.100000   chk failed: Exited(1)
    1.100000   plus priority 120 -> 100
    1.100000   minus priority 100 -> 70
    1.100000   plus-reversed priority 80 -> 100
    1.100000   minus-reversed priority 100 -> 130
    1.100000 > view
    1.100000   plus is Backup priority 100/100 interval 1s down at 3.609375
    1.100000   minus is Backup priority 70/100 interval 1s down at 3.609375
    1.100000   plus-reversed is Backup priority 100/100 interval 1s down at 3.609375
    1.100000   minus-reversed is Backup priority 130/100 interval 1s down at 3.609375
"#,
    );
}

#[test]
fn faults_of_checks() {
    check(
        r#"
router straight vrid 1 addresses none track_script chk
router reversed vrid 2 addresses none track_script chk:0:reverse
script chk interval 1
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.100000   straight Initialize -> Backup: Started
    0.100000   straight notify Backup 100
    0.100000   reversed fault: ScriptFailed chk
    0.100000   reversed Initialize -> Initialize: Fault
    0.100000   reversed notify Fault 100
    0.911340   run chk
    1.100000 > exit chk 1
    1.100000   chk returned Exited(1)
    1.100000   chk failed: Exited(1)
    1.100000   straight fault: ScriptFailed chk
    1.100000   straight Backup -> Initialize: Fault
    1.100000   straight notify Fault 100
    1.100000   reversed fault gone: ScriptFailed chk
    1.100000   reversed Initialize -> Backup: FaultsCleared
    1.100000   reversed notify Backup 100
    1.911340   run chk
    2.100000 > exit chk 0
    2.100000   chk returned Exited(0)
    2.100000   chk succeeded
    2.100000   straight fault gone: ScriptFailed chk
    2.100000   straight Initialize -> Backup: FaultsCleared
    2.100000   straight notify Backup 100
    2.100000   reversed fault: ScriptFailed chk
    2.100000   reversed Backup -> Initialize: Fault
    2.100000   reversed notify Fault 100
"#,
    );
}

/// A link is known from the beginning; one that is absent is as bad as one that is down.
#[test]
fn weights_of_links() {
    check(
        r#"
router plus vrid 1 addresses none track_link eth1:20
router minus vrid 2 addresses none track_link eth1:-30
router plus-reversed vrid 3 addresses none track_link eth1:20:reverse
router minus-reversed vrid 4 addresses none track_link eth1:-30:reverse
router reversed vrid 5 addresses none track_link eth1:0:reverse
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   plus priority 100 -> 120
    0.000000   plus Initialize -> Backup: Started
    0.000000   plus notify Backup 120
    0.000000   minus Initialize -> Backup: Started
    0.000000   minus notify Backup 100
    0.000000   plus-reversed priority 100 -> 80
    0.000000   plus-reversed Initialize -> Backup: Started
    0.000000   plus-reversed notify Backup 80
    0.000000   minus-reversed Initialize -> Backup: Started
    0.000000   minus-reversed notify Backup 100
    0.000000   reversed fault: LinkDown eth1
    0.000000   reversed Initialize -> Initialize: Fault
    0.000000   reversed notify Fault 100
    1.000000 > link eth1 down
    1.000000   eth1 Down
    1.000000   plus priority 120 -> 100
    1.000000   minus priority 100 -> 70
    1.000000   plus-reversed priority 80 -> 100
    1.000000   minus-reversed priority 100 -> 130
    1.000000   reversed fault gone: LinkDown eth1
    1.000000   reversed Initialize -> Backup: FaultsCleared
    1.000000   reversed notify Backup 100
    1.000000 > view
    1.000000   plus is Backup priority 100/100 interval 1s down at 3.531250
    1.000000   minus is Backup priority 70/100 interval 1s down at 3.609375
    1.000000   plus-reversed is Backup priority 100/100 interval 1s down at 3.687500
    1.000000   minus-reversed is Backup priority 130/100 interval 1s down at 3.609375
    1.000000   reversed is Backup priority 100/100 interval 1s down at 4.609375
    2.000000 > link eth1 absent
    2.000000   eth1 Absent
    3.000000 > link eth1 up
    3.000000   eth1 Up
    3.000000   plus priority 100 -> 120
    3.000000   minus priority 70 -> 100
    3.000000   plus-reversed priority 100 -> 80
    3.000000   minus-reversed priority 130 -> 100
    3.000000   reversed fault: LinkDown eth1
    3.000000   reversed Backup -> Initialize: Fault
    3.000000   reversed notify Fault 100
"#,
    );
}

#[test]
fn weights_add_up() {
    check(
        r#"
router a track_script one:-30 track_script two:-30 track_link eth1:15
script one interval 10 timeout 10
script two interval 10 timeout 10
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   a priority 100 -> 115
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 115
    0.000000   run one
    0.000000   run two
    1.000000 > exit one 1
    1.000000   one returned Exited(1)
    1.000000   one failed: Exited(1)
    1.000000   a priority 115 -> 85
    1.100000 > exit two 1
    1.100000   two returned Exited(1)
    1.100000   two failed: Exited(1)
    1.100000   a priority 85 -> 55
    1.200000 > link eth1 down
    1.200000   eth1 Down
    1.200000   a priority 55 -> 40
"#,
    );
}

/// The owner's never changes (RFC 9568 §5.2.4).
#[test]
fn effective_priority_stays_within_1_and_254() {
    check(
        r#"
router low vrid 1 priority 100 addresses none track_script chk:-253
router high vrid 2 priority 200 addresses none track_script chk:-253:reverse
router owner vrid 3 priority 255 addresses none track_script chk:-253
script chk interval 10 timeout 10
    0.000000 > start
    0.000000   low Initialize -> Backup: Started
    0.000000   low notify Backup 100
    0.000000   high Initialize -> Backup: Started
    0.000000   high notify Backup 200
    0.000000   owner Initialize -> Active: AddressOwner
    0.000000   owner advertise 255
    0.000000   owner wants its addresses
    0.000000   desired nothing
    0.000000   owner notify Active 255
    0.000000   run chk
    0.500000 > exit chk 1
    0.500000   chk returned Exited(1)
    0.500000   chk failed: Exited(1)
    0.500000   low priority 100 -> 1
    0.500000   high priority 200 -> 254
    0.500000 > view
    0.500000   low is Backup priority 1/100 interval 1s down at 3.609375
    0.500000   high is Backup priority 254/200 interval 1s down at 3.218750
    0.500000   owner is Active priority 255/255 interval 1s
"#,
    );
}

/// No packet is kept ready with an old priority; the better Backup then takes over by itself.
#[test]
fn a_lower_priority_is_heard_at_the_next_advertisement() {
    check(
        r#"
router a priority 200 track_script chk:-100
script chk interval 10 timeout 10
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    3.218750   a Backup -> Active: ActiveDownTimer
    3.218750   a advertise 200
    3.218750   a wants its addresses
    3.218750   desired 192.0.2.100/24@eth0
    3.218750   a announcing eth0 192.0.2.100
    3.218750   announce eth0 192.0.2.100
    3.218750   a notify Active 200
    3.500000 > wait
    4.218750   a advertise 200
    5.218750   a advertise 200
    6.218750   a advertise 200
    7.218750   a advertise 200
    8.218750   a advertise 200
    9.218750   a advertise 200
    9.911340   run chk
   10.100000 > wait
   10.150000 > exit chk 1
   10.150000   chk returned Exited(1)
   10.150000   chk failed: Exited(1)
   10.150000   a priority 200 -> 100
   10.218750   a advertise 100
   11.000000 > wait
   11.218750   a advertise 100
   11.300000 > hear 192.0.2.2 190
   11.300000   a advertise 100
   11.300000   a Active -> Backup: HigherPriority 190 from 192.0.2.2
   11.300000   a releases its addresses
   11.300000   desired nothing
   11.300000   a notify Backup 100
"#,
    );
}

#[test]
fn a_failed_check_of_weight_0_makes_an_active_router_resign() {
    check(
        r#"
router a priority 100 track_script chk
script chk interval 2 fall 2
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    0.100000   a Initialize -> Backup: Started
    0.100000   a notify Backup 100
    1.911340   run chk
    2.100000 > exit chk 0
    3.709375   a Backup -> Active: ActiveDownTimer
    3.709375   a advertise 100
    3.709375   a wants its addresses
    3.709375   desired 192.0.2.100/24@eth0
    3.709375   a announcing eth0 192.0.2.100
    3.709375   announce eth0 192.0.2.100
    3.709375   a notify Active 100
    3.911340   run chk
    4.100000 > exit chk 1
    4.100000   chk returned Exited(1)
    4.709375   a advertise 100
    5.709375   a advertise 100
    5.911340   run chk
    6.100000 > exit chk 1
    6.100000   chk failed: Exited(1)
    6.100000   a fault: ScriptFailed chk
    6.100000   a advertise 0
    6.100000   a resigned
    6.100000   a Active -> Initialize: Fault
    6.100000   a releases its addresses
    6.100000   desired nothing
    6.100000   a notify Fault 100
    7.911340   run chk
    8.100000 > exit chk 0
    8.100000   chk returned Exited(0)
    8.100000   chk succeeded
    8.100000   a fault gone: ScriptFailed chk
    8.100000   a Initialize -> Backup: FaultsCleared
    8.100000   a notify Backup 100
"#,
    );
}

// ── First runs ────────────────────────────────────────────────────────────────────────────────────────────

/// The first run comes at once, because a router may wait for it; the second is early by up to a tenth of the
/// interval, at most 100 ms, so that many checks are spread.
#[test]
fn the_first_run_is_at_once_and_the_second_is_spread() {
    let interval_and_bound = [(50, 5), (100, 10), (500, 50), (1000, 100), (2000, 100), (60_000, 100)];
    for (interval, bound) in interval_and_bound {
        let line = format!("script chk interval {}", f64::from(interval) / 1000.0);
        let seconds: BTreeSet<Instant> = (0..400).map(|seed| second_run(&line, seed)).collect();
        let regular = Instant::from_millis(interval as u64);
        let earliest = regular - Duration::from_millis(bound);
        let (first, last) = (*seconds.first().expect("there are runs"), *seconds.last().expect("there are runs"));
        assert!(first >= earliest && last <= regular, "interval {interval} ms: second runs from {first} to {last}");
        assert!(last.since(first) > Duration::from_millis(bound) * 9 / 10, "{interval}: {first} to {last}");
        assert!(seconds.len() > 390, "400 second runs at {} moments only", seconds.len());
    }
}

/// When the check runs for the second time; the first run is good and takes no time.
fn second_run(line: &str, seed: u64) -> Instant {
    let mut engine = Engine::new(config(&[line]), seed);
    let mut out = Vec::new();
    engine.handle(Instant::START, Input::Start, &mut out);
    for expected in [Some(Instant::START), None] {
        let due = engine.deadline().expect("a check has a deadline");
        assert!(expected.is_none_or(|expected| expected == due), "first run at {due}");
        out.clear();
        engine.handle(due, Input::Timer, &mut out);
        assert!(matches!(out[..], [Output::RunScript { .. }]), "{out:?}");
        if expected.is_none() {
            return due;
        }
        engine.handle(due, Input::ScriptFinished { script: "chk", outcome: ScriptOutcome::Exited(0) }, &mut out);
    }
    unreachable!("the second round returns")
}
