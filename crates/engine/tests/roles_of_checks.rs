//! Checks that run in one role only: when they begin and rest, and that a resting check counts for nothing.

use crate::common::timeline::check;

#[test]
fn where_it_is_not_active_it_does_not_run_and_holds_nobody_back() {
    check(
        r#"
router a priority 200 track_script chk
script chk interval 5 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    1.000000 > hear 192.0.2.2 220
    1.000000   a follows 192.0.2.2
    2.000000 > view
    2.000000   a is Backup priority 200/200 follows 192.0.2.2 220 interval 1s down at 4.218750
"#,
    );
}

#[test]
fn it_begins_with_the_role_and_rests_without_it() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk:-30
script chk interval 5 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  301.000000 > exit chk 0
  301.000000   chk returned Exited(0)
  301.000000   chk succeeded
  302.000000 > hear 192.0.2.2 220 interval 100
  302.000000   a advertise 200
  302.000000   a Active -> Backup: HigherPriority 220 from 192.0.2.2
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Backup 200
  308.000000 > view
  308.000000   a is Backup priority 200/200 follows 192.0.2.2 220 interval 100s down at 602.218750
  320.000000 > wait
"#,
    );
}

/// Otherwise the role would come back at once to what has failed.
#[test]
fn what_has_failed_goes_on_until_it_is_good() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
script chk interval 5 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  301.000000 > exit chk 1
  301.000000   chk returned Exited(1)
  301.000000   chk failed: Exited(1)
  301.000000   a fault: ScriptFailed chk
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Fault
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Fault 200
  301.100000 > hear 192.0.2.2 100 interval 100
  305.130090   run chk
  306.100000 > exit chk 1
  310.130090   run chk
  311.100000 > exit chk 0
  311.100000   chk returned Exited(0)
  311.100000   chk succeeded
  311.100000   a fault gone: ScriptFailed chk
  311.100000   a Initialize -> Backup: FaultsCleared
  311.100000   a notify Backup 200
  312.000000 > view
  312.000000   a is Backup priority 200/200 interval 100s down at 611.318750
  330.000000 > wait
"#,
    );
}

/// A run that is under way when the role goes says nothing any more.
#[test]
fn the_run_under_way_is_ended_and_does_not_count() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
script chk interval 5 timeout 4 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  301.000000 > hear 192.0.2.2 220 interval 100
  301.000000   a advertise 200
  301.000000   a Active -> Backup: HigherPriority 220 from 192.0.2.2
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   end chk Terminate
  301.100000 > exit chk 1
  301.100000   chk returned Exited(1)
  302.000000 > view
  302.000000   a is Backup priority 200/200 follows 192.0.2.2 220 interval 100s down at 601.218750
"#,
    );
}

/// What has left its role keeps no process behind.
#[test]
fn a_run_that_does_not_end_with_the_role_is_killed() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
script chk interval 1 timeout 0.9 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  300.300000 > hear 192.0.2.2 220 interval 100
  300.300000   a advertise 200
  300.300000   a Active -> Backup: HigherPriority 220 from 192.0.2.2
  300.300000   a releases its addresses
  300.300000   desired nothing
  300.300000   a notify Backup 200
  300.300000   end chk Terminate
  302.300000   end chk Kill
  303.000000 > signal chk 9
  303.000000   chk returned Signalled(9)
  303.000000 > checks
  303.000000   chk is open at 0 after Signalled(9) rests
  310.000000 > wait
"#,
    );
}

/// It was told to end when the role went. There is no second one beside it, and that is no news.
#[test]
fn while_its_last_run_ends_it_waits_for_its_next_turn() {
    check(
        r#"
router a priority 200 addresses none track_script chk
script chk interval 3 timeout 1 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    3.218750   a Backup -> Active: ActiveDownTimer
    3.218750   a advertise 200
    3.218750   a wants its addresses
    3.218750   desired nothing
    3.218750   a notify Active 200
    3.218750   run chk
    3.300000 > hear 192.0.2.2 220
    3.300000   a advertise 200
    3.300000   a Active -> Backup: HigherPriority 220 from 192.0.2.2
    3.300000   a releases its addresses
    3.300000   desired nothing
    3.300000   a notify Backup 200
    3.300000   end chk Terminate
    3.500000 > hear 192.0.2.2 0
    3.500000   a hears 192.0.2.2 resign
    3.718750   a Backup -> Active: ActiveResigned
    3.718750   a advertise 200
    3.718750   a wants its addresses
    3.718750   desired nothing
    3.718750   a notify Active 200
    4.000000 > exit chk 1
    4.000000   chk returned Exited(1)
    4.718750   a advertise 200
    5.718750   a advertise 200
    6.718750   run chk
    6.718750   a advertise 200
    7.000000 > exit chk 0
    7.000000   chk returned Exited(0)
    7.000000   chk succeeded
    7.100000 > wait
"#,
    );
}

#[test]
fn its_weight_comes_and_goes_with_the_role() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk:20
script chk interval 5 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  301.000000 > exit chk 0
  301.000000   chk returned Exited(0)
  301.000000   chk succeeded
  301.000000   a priority 200 -> 220
  302.000000 > hear 192.0.2.2 230 interval 100
  302.000000   a advertise 220
  302.000000   a Active -> Backup: HigherPriority 230 from 192.0.2.2
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Backup 220
  302.000000   a priority 220 -> 200
  303.000000 > checks
  303.000000   chk is open at 0 after Exited(0) rests
"#,
    );
}

/// Or the role would go to and fro while nobody can look.
#[test]
fn what_nobody_could_look_at_says_nothing() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
script chk interval 5 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  301.000000 > unlooked chk 24
  301.000000   chk returned NotLooked(24)
  305.130090   run chk
  306.000000 > unlooked chk 24
  310.130090   run chk
  311.000000 > unlooked chk 24
  315.130090   run chk
  316.000000 > unlooked chk 24
  317.000000 > view
  317.000000   a is Active priority 200/200 interval 100s
  317.000000 > checks
  317.000000   chk is open at 0 after NotLooked(24)
"#,
    );
}

#[test]
fn on_the_standby_it_decides_and_with_the_role_it_rests() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
script chk interval 50 when standby
    0.000000 > start
    0.000000   run chk
    0.100000 > exit chk 1
    0.100000   chk returned Exited(1)
    0.100000   chk failed: Exited(1)
    0.100000   a fault: ScriptFailed chk
    0.100000   a Initialize -> Initialize: Fault
    0.100000   a notify Fault 200
   49.911340   run chk
   50.200000 > exit chk 0
   50.200000   chk returned Exited(0)
   50.200000   chk succeeded
   50.200000   a fault gone: ScriptFailed chk
   50.200000   a Initialize -> Backup: FaultsCleared
   50.200000   a notify Backup 200
   99.911340   run chk
  100.200000 > exit chk 0
  149.911340   run chk
  150.200000 > exit chk 0
  199.911340   run chk
  200.200000 > exit chk 0
  249.911340   run chk
  250.200000 > exit chk 0
  299.911340   run chk
  300.200000 > exit chk 0
  349.911340   run chk
  350.300000 > exit chk 0
  350.418750   a Backup -> Active: ActiveDownTimer
  350.418750   a advertise 200
  350.418750   a wants its addresses
  350.418750   desired nothing
  350.418750   a notify Active 200
  420.000000 > view
  420.000000   a is Active priority 200/200 interval 100s
  450.418750   a advertise 200
  500.000000 > hear 192.0.2.2 220 interval 100
  500.000000   a advertise 200
  500.000000   a Active -> Backup: HigherPriority 220 from 192.0.2.2
  500.000000   a releases its addresses
  500.000000   desired nothing
  500.000000   a notify Backup 200
  500.000000   run chk
  500.100000 > exit chk 1
  500.100000   chk returned Exited(1)
  500.100000   chk failed: Exited(1)
  500.100000   a fault: ScriptFailed chk
  500.100000   a Backup -> Initialize: Fault
  500.100000   a notify Fault 200
  500.200000 > view
  500.200000   a is Initialize priority 200/200 interval 100s fault ScriptFailed chk
"#,
    );
}

/// Of several instances one is enough to be active.
#[test]
fn one_of_several_is_enough() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
router b vrid 52 priority 100 interval 100 addresses none track_script chk
script chk interval 500 timeout 4 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
  100.000000 > hear 192.0.2.2 200 interval 100 vrid 52
  100.000000   b follows 192.0.2.2
  200.000000 > hear 192.0.2.2 200 interval 100 vrid 52
  300.000000 > hear 192.0.2.2 200 interval 100 vrid 52
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   run chk
  302.000000 > exit chk 0
  302.000000   chk returned Exited(0)
  302.000000   chk succeeded
  303.000000 > view
  303.000000   a is Active priority 200/200 interval 100s
  303.000000   b is Backup priority 100/100 follows 192.0.2.2 200 interval 100s down at 600.609375
"#,
    );
}

/// Another word for when it runs counts from the reload on.
#[test]
fn a_reload_wakes_it() {
    check(
        r#"
router a priority 200 interval 100 addresses none track_script chk
script chk interval 5 when active
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    1.000000 > reconfigure
router a priority 200 interval 100 addresses none track_script chk
script chk interval 5
    1.000000   run chk
    1.100000 > exit chk 0
    1.100000   chk returned Exited(0)
    1.100000   chk succeeded
    2.000000 > view
    2.000000   a is Backup priority 200/200 interval 100s down at 300.218750
"#,
    );
}
