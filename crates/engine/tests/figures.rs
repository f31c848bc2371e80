//! Files and processes: what a number or a count weighs, when a count turns, and what a reconfiguration keeps.

mod common;

use common::timeline::check;

// ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────

/// The same numbers as in an experiment with keepalived 2.2.7, one router for each kind of weight.
#[test]
fn a_number_is_multiplied_with_the_weight() {
    check(
        r#"
router plain vrid 1 addresses none track_file load:1
router straight vrid 2 addresses none track_file load
router reversed vrid 3 addresses none track_file load:0:reverse
router against vrid 4 addresses none track_file load:2:reverse
router thrice vrid 5 addresses none track_file load:-3
file load /run/load
    0.000000 > start
    1.000000 > file load 5
    1.000000 > view
    2.000000 > file load 100
    2.000000 > view
    3.000000 > file load 300
    3.000000 > view
    4.000000 > file load -100
    4.000000 > view
    5.000000 > file load -253
    6.000000 > file load -254
    6.000000 > view
    7.000000 > file load 3
    8.000000 > file load 0
    8.000000 > view
    9.000000 > file load 9223372036854775807
    9.000000 > view
   10.000000 > file load -9223372036854775808
   10.000000 > view
"#,
    );
}

/// What stands in a file at the start is known before anything else is done.
#[test]
fn a_number_counts_from_the_start() {
    check(
        r#"
router a vrid 1 addresses none track_file load:7
router b vrid 2 addresses none track_file load
router c vrid 3 addresses none track_file other:0:reverse
file load /run/load
file other /run/other
    0.000000 > file load 10
    0.000000 > start
    1.000000 > file other 1
    2.000000 > file load 10
"#,
    );
}

/// A fault of a number resigns at once, and the same one keeps out until it has changed.
#[test]
fn an_active_router_resigns_because_of_a_number() {
    check(
        r#"
router a track_file stop
file stop /run/stop
    0.000000 > start
    3.609375 > wait
    4.000000 > file stop 1
    4.500000 > file stop 2
    5.000000 > file stop 0
    5.500000 > wait
"#,
    );
}

// ── Processes ─────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn weights_of_processes() {
    check(
        r#"
router fault vrid 1 addresses none track_process web
router reversed vrid 2 addresses none track_process web:0:reverse
router plus vrid 3 addresses none track_process web:20
router minus vrid 4 addresses none track_process web:-30
router plus-reversed vrid 5 addresses none track_process web:20:reverse
router minus-reversed vrid 6 addresses none track_process web:-30:reverse
router most vrid 7 addresses none track_process web:254
router least vrid 8 addresses none track_process web:-254
process web nginx
    0.000000 > start
    0.000000 > view
    1.000000 > processes web 1
    1.000000 > view
    2.000000 > processes web 4
    3.000000 > processes web 0 ended
    3.000000 > view
"#,
    );
}

#[test]
fn a_quorum_has_two_ends() {
    check(
        r#"
router a track_process web:-10
process web nginx quorum 2 most 3
    0.000000 > start
    1.000000 > processes web 1
    1.100000 > processes web 2
    1.200000 > processes web 3 forked
    1.300000 > processes web 4 forked
    1.400000 > processes web 3 ended
    1.500000 > processes web 1 ended
"#,
    );
}

/// None may run: where it runs, the role is not.
#[test]
fn a_quorum_of_none() {
    check(
        r#"
router a track_process backup
process backup restic quorum 0 most 0
    0.000000 > start
    1.000000 > processes backup 1
    2.000000 > processes backup 0 ended
    2.000000 > wait
"#,
    );
}

/// A change by a fork waits, one by an end waits longer, and one by exec counts at once. What is undone before never was.
#[test]
fn delays_bridge_forks_and_restarts() {
    check(
        r#"
router a track_process web:10
process web nginx quorum 2 fork 1 terminate 3
    0.000000 > processes web 1
    0.000000 > start
    1.000000 > processes web 2 forked
    1.300000 > processes web 1 ended
    2.500000 > processes web 2 forked
    2.900000 > processes web 3 forked
    3.500000 > wait
    4.000000 > processes web 1 ended
    6.000000 > processes web 0 ended
    6.500000 > processes web 2
    7.000000 > processes web 1 ended
   10.000000 > wait
   11.000000 > processes web 2
"#,
    );
}

// ── Sync groups and reconfiguration ───────────────────────────────────────────────────────────────────────

#[test]
fn a_number_keeps_a_whole_group_out() {
    check(
        r#"
router a vrid 1 addresses none track_file stop
router b vrid 2 addresses none
group G a,b
file stop /run/stop
    0.000000 > file stop 1
    0.000000 > start
    1.000000 > file stop 0
"#,
    );
}

/// What is the same keeps its figure, what is watched elsewhere now is another thing, and until that is told its routers
/// stay as they are.
#[test]
fn a_reconfiguration_keeps_what_is_known() {
    check(
        r#"
router a vrid 1 addresses none track_file load:2 track_process web:10
file load /run/load
process web nginx terminate 5
    0.000000 > file load 10
    0.000000 > processes web 1
    0.000000 > start
    1.000000 > reconfigure
router a vrid 1 addresses none track_file load:3 track_process web:10 track_file more:1
file load /run/load
file more /run/more
process web nginx terminate 5
    1.000000 > view
    1.000000 > file more 4
    1.500000 > processes web 0 ended
    2.000000 > reconfigure
router a vrid 1 addresses none track_file load:3 track_process web:10
file load /run/elsewhere
process web nginx quorum 2 terminate 5
    2.000000 > view
    2.000000 > file load 1
    3.000000 > reconfigure
router a vrid 1 addresses none
    3.000000 > file load 7
    3.000000 > view
"#,
    );
}
