//! Files and processes: what a number or a count weighs, when a count turns, and what a reconfiguration keeps.

use crate::common::timeline::check;

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
    0.000000   plain Initialize -> Backup: Started
    0.000000   plain notify Backup 100
    0.000000   straight Initialize -> Backup: Started
    0.000000   straight notify Backup 100
    0.000000   reversed fault: Tracked file load
    0.000000   reversed Initialize -> Initialize: Fault
    0.000000   reversed notify Fault 100
    0.000000   against Initialize -> Backup: Started
    0.000000   against notify Backup 100
    0.000000   thrice Initialize -> Backup: Started
    0.000000   thrice notify Backup 100
    1.000000 > file load 5
    1.000000   file load 0 -> 5
    1.000000   plain priority 100 -> 105
    1.000000   straight fault: Tracked file load
    1.000000   straight Backup -> Initialize: Fault
    1.000000   straight notify Fault 100
    1.000000   reversed fault gone: Tracked file load
    1.000000   reversed Initialize -> Backup: FaultsCleared
    1.000000   reversed notify Backup 100
    1.000000   against priority 100 -> 90
    1.000000   thrice priority 100 -> 85
    1.000000 > view
    1.000000   plain is Backup priority 105/100 interval 1s down at 3.609375
    1.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
    1.000000   reversed is Backup priority 100/100 interval 1s down at 4.609375
    1.000000   against is Backup priority 90/100 interval 1s down at 3.609375
    1.000000   thrice is Backup priority 85/100 interval 1s down at 3.609375
    2.000000 > file load 100
    2.000000   file load 5 -> 100
    2.000000   plain priority 105 -> 200
    2.000000   against priority 90 -> 1
    2.000000   thrice fault: Tracked file load
    2.000000   thrice priority 85 -> 100
    2.000000   thrice Backup -> Initialize: Fault
    2.000000   thrice notify Fault 100
    2.000000 > view
    2.000000   plain is Backup priority 200/100 interval 1s down at 3.609375
    2.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
    2.000000   reversed is Backup priority 100/100 interval 1s down at 4.609375
    2.000000   against is Backup priority 1/100 interval 1s down at 3.609375
    2.000000   thrice is Initialize priority 100/100 interval 1s fault Tracked file load
    3.000000 > file load 300
    3.000000   file load 100 -> 300
    3.000000   plain priority 200 -> 254
    3.000000   against fault: Tracked file load
    3.000000   against priority 1 -> 100
    3.000000   against Backup -> Initialize: Fault
    3.000000   against notify Fault 100
    3.000000 > view
    3.000000   plain is Backup priority 254/100 interval 1s down at 3.609375
    3.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
    3.000000   reversed is Backup priority 100/100 interval 1s down at 4.609375
    3.000000   against is Initialize priority 100/100 interval 1s fault Tracked file load
    3.000000   thrice is Initialize priority 100/100 interval 1s fault Tracked file load
    3.609375   plain Backup -> Active: ActiveDownTimer
    3.609375   plain advertise 254
    3.609375   plain wants its addresses
    3.609375   desired nothing
    3.609375   plain notify Active 254
    4.000000 > file load -100
    4.000000   file load 300 -> -100
    4.000000   plain priority 254 -> 1
    4.000000   against fault gone: Tracked file load
    4.000000   against priority 100 -> 254
    4.000000   against Initialize -> Backup: FaultsCleared
    4.000000   against notify Backup 254
    4.000000   thrice fault gone: Tracked file load
    4.000000   thrice priority 100 -> 254
    4.000000   thrice Initialize -> Backup: FaultsCleared
    4.000000   thrice notify Backup 254
    4.000000 > view
    4.000000   plain is Active priority 1/100 interval 1s
    4.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
    4.000000   reversed is Backup priority 100/100 interval 1s down at 4.609375
    4.000000   against is Backup priority 254/100 interval 1s down at 7.007812
    4.000000   thrice is Backup priority 254/100 interval 1s down at 7.007812
    4.609375   plain advertise 1
    4.609375   reversed Backup -> Active: ActiveDownTimer
    4.609375   reversed advertise 100
    4.609375   reversed wants its addresses
    4.609375   desired nothing
    4.609375   reversed notify Active 100
    5.000000 > file load -253
    5.000000   file load -100 -> -253
    5.609375   plain advertise 1
    5.609375   reversed advertise 100
    6.000000 > file load -254
    6.000000   file load -253 -> -254
    6.000000   plain fault: Tracked file load
    6.000000   plain priority 1 -> 100
    6.000000   plain advertise 0
    6.000000   plain resigned
    6.000000   plain Active -> Initialize: Fault
    6.000000   plain releases its addresses
    6.000000   desired nothing
    6.000000   plain notify Fault 100
    6.000000 > view
    6.000000   plain is Initialize priority 100/100 interval 1s fault Tracked file load
    6.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
    6.000000   reversed is Active priority 100/100 interval 1s
    6.000000   against is Backup priority 254/100 interval 1s down at 7.007812
    6.000000   thrice is Backup priority 254/100 interval 1s down at 7.007812
    6.609375   reversed advertise 100
    7.000000 > file load 3
    7.000000   file load -254 -> 3
    7.000000   plain fault gone: Tracked file load
    7.000000   plain priority 100 -> 103
    7.000000   plain Initialize -> Backup: FaultsCleared
    7.000000   plain notify Backup 103
    7.000000   against priority 254 -> 94
    7.000000   thrice priority 254 -> 91
    7.007812   against Backup -> Active: ActiveDownTimer
    7.007812   against advertise 94
    7.007812   against wants its addresses
    7.007812   desired nothing
    7.007812   against notify Active 94
    7.007812   thrice Backup -> Active: ActiveDownTimer
    7.007812   thrice advertise 91
    7.007812   thrice wants its addresses
    7.007812   desired nothing
    7.007812   thrice notify Active 91
    7.609375   reversed advertise 100
    8.000000 > file load 0
    8.000000   file load 3 -> 0
    8.000000   plain priority 103 -> 100
    8.000000   straight fault gone: Tracked file load
    8.000000   straight Initialize -> Backup: FaultsCleared
    8.000000   straight notify Backup 100
    8.000000   reversed fault: Tracked file load
    8.000000   reversed advertise 0
    8.000000   reversed resigned
    8.000000   reversed Active -> Initialize: Fault
    8.000000   reversed releases its addresses
    8.000000   desired nothing
    8.000000   reversed notify Fault 100
    8.000000   against priority 94 -> 100
    8.000000   thrice priority 91 -> 100
    8.000000 > view
    8.000000   plain is Backup priority 100/100 interval 1s down at 10.597656
    8.000000   straight is Backup priority 100/100 interval 1s down at 11.609375
    8.000000   reversed is Initialize priority 100/100 interval 1s fault Tracked file load
    8.000000   against is Active priority 100/100 interval 1s
    8.000000   thrice is Active priority 100/100 interval 1s
    8.007812   against advertise 100
    8.007812   thrice advertise 100
    9.000000 > file load 9223372036854775807
    9.000000   file load 0 -> 9223372036854775807
    9.000000   plain priority 100 -> 254
    9.000000   straight fault: Tracked file load
    9.000000   straight Backup -> Initialize: Fault
    9.000000   straight notify Fault 100
    9.000000   reversed fault gone: Tracked file load
    9.000000   reversed Initialize -> Backup: FaultsCleared
    9.000000   reversed notify Backup 100
    9.000000   against fault: Tracked file load
    9.000000   against advertise 0
    9.000000   against resigned
    9.000000   against Active -> Initialize: Fault
    9.000000   against releases its addresses
    9.000000   desired nothing
    9.000000   against notify Fault 100
    9.000000   thrice fault: Tracked file load
    9.000000   thrice advertise 0
    9.000000   thrice resigned
    9.000000   thrice Active -> Initialize: Fault
    9.000000   thrice releases its addresses
    9.000000   desired nothing
    9.000000   thrice notify Fault 100
    9.000000 > view
    9.000000   plain is Backup priority 254/100 interval 1s down at 10.597656
    9.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
    9.000000   reversed is Backup priority 100/100 interval 1s down at 12.609375
    9.000000   against is Initialize priority 100/100 interval 1s fault Tracked file load
    9.000000   thrice is Initialize priority 100/100 interval 1s fault Tracked file load
   10.000000 > file load -9223372036854775808
   10.000000   file load 9223372036854775807 -> -9223372036854775808
   10.000000   plain fault: Tracked file load
   10.000000   plain priority 254 -> 100
   10.000000   plain Backup -> Initialize: Fault
   10.000000   plain notify Fault 100
   10.000000   against fault gone: Tracked file load
   10.000000   against priority 100 -> 254
   10.000000   against Initialize -> Backup: FaultsCleared
   10.000000   against notify Backup 254
   10.000000   thrice fault gone: Tracked file load
   10.000000   thrice priority 100 -> 254
   10.000000   thrice Initialize -> Backup: FaultsCleared
   10.000000   thrice notify Backup 254
   10.000000 > view
   10.000000   plain is Initialize priority 100/100 interval 1s fault Tracked file load
   10.000000   straight is Initialize priority 100/100 interval 1s fault Tracked file load
   10.000000   reversed is Backup priority 100/100 interval 1s down at 12.609375
   10.000000   against is Backup priority 254/100 interval 1s down at 13.007812
   10.000000   thrice is Backup priority 254/100 interval 1s down at 13.007812
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
    0.000000   a priority 100 -> 170
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 170
    0.000000   b fault: Tracked file load
    0.000000   b Initialize -> Initialize: Fault
    0.000000   b notify Fault 100
    0.000000   c fault: Tracked file other
    0.000000   c Initialize -> Initialize: Fault
    0.000000   c notify Fault 100
    1.000000 > file other 1
    1.000000   file other 0 -> 1
    1.000000   c fault gone: Tracked file other
    1.000000   c Initialize -> Backup: FaultsCleared
    1.000000   c notify Backup 100
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
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    3.609375 > wait
    4.000000 > file stop 1
    4.000000   file stop 0 -> 1
    4.000000   a fault: Tracked file stop
    4.000000   a advertise 0
    4.000000   a resigned
    4.000000   a Active -> Initialize: Fault
    4.000000   a releases its addresses
    4.000000   desired nothing
    4.000000   a notify Fault 100
    4.500000 > file stop 2
    4.500000   file stop 1 -> 2
    5.000000 > file stop 0
    5.000000   file stop 2 -> 0
    5.000000   a fault gone: Tracked file stop
    5.000000   a Initialize -> Backup: FaultsCleared
    5.000000   a notify Backup 100
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
    0.000000   fault fault: Tracked process web
    0.000000   fault Initialize -> Initialize: Fault
    0.000000   fault notify Fault 100
    0.000000   reversed Initialize -> Backup: Started
    0.000000   reversed notify Backup 100
    0.000000   plus Initialize -> Backup: Started
    0.000000   plus notify Backup 100
    0.000000   minus priority 100 -> 70
    0.000000   minus Initialize -> Backup: Started
    0.000000   minus notify Backup 70
    0.000000   plus-reversed Initialize -> Backup: Started
    0.000000   plus-reversed notify Backup 100
    0.000000   minus-reversed priority 100 -> 130
    0.000000   minus-reversed Initialize -> Backup: Started
    0.000000   minus-reversed notify Backup 130
    0.000000   most Initialize -> Backup: Started
    0.000000   most notify Backup 100
    0.000000   least priority 100 -> 1
    0.000000   least Initialize -> Backup: Started
    0.000000   least notify Backup 1
    0.000000 > view
    0.000000   fault is Initialize priority 100/100 interval 1s fault Tracked process web
    0.000000   reversed is Backup priority 100/100 interval 1s down at 3.609375
    0.000000   plus is Backup priority 100/100 interval 1s down at 3.609375
    0.000000   minus is Backup priority 70/100 interval 1s down at 3.726562
    0.000000   plus-reversed is Backup priority 100/100 interval 1s down at 3.609375
    0.000000   minus-reversed is Backup priority 130/100 interval 1s down at 3.492187
    0.000000   most is Backup priority 100/100 interval 1s down at 3.609375
    0.000000   least is Backup priority 1/100 interval 1s down at 3.996093
    1.000000 > processes web 1
    1.000000   process web quorum held with 1
    1.000000   fault fault gone: Tracked process web
    1.000000   fault Initialize -> Backup: FaultsCleared
    1.000000   fault notify Backup 100
    1.000000   reversed fault: Tracked process web
    1.000000   reversed Backup -> Initialize: Fault
    1.000000   reversed notify Fault 100
    1.000000   plus priority 100 -> 120
    1.000000   minus priority 70 -> 100
    1.000000   plus-reversed priority 100 -> 80
    1.000000   minus-reversed priority 130 -> 100
    1.000000   most priority 100 -> 254
    1.000000   least priority 1 -> 100
    1.000000 > view
    1.000000   fault is Backup priority 100/100 interval 1s down at 4.609375
    1.000000   reversed is Initialize priority 100/100 interval 1s fault Tracked process web
    1.000000   plus is Backup priority 120/100 interval 1s down at 3.609375
    1.000000   minus is Backup priority 100/100 interval 1s down at 3.726562
    1.000000   plus-reversed is Backup priority 80/100 interval 1s down at 3.609375
    1.000000   minus-reversed is Backup priority 100/100 interval 1s down at 3.492187
    1.000000   most is Backup priority 254/100 interval 1s down at 3.609375
    1.000000   least is Backup priority 100/100 interval 1s down at 3.996093
    2.000000 > processes web 4
    3.000000 > processes web 0 ended
    3.000000   process web quorum lost with 0
    3.000000   fault fault: Tracked process web
    3.000000   fault Backup -> Initialize: Fault
    3.000000   fault notify Fault 100
    3.000000   reversed fault gone: Tracked process web
    3.000000   reversed Initialize -> Backup: FaultsCleared
    3.000000   reversed notify Backup 100
    3.000000   plus priority 120 -> 100
    3.000000   minus priority 100 -> 70
    3.000000   plus-reversed priority 80 -> 100
    3.000000   minus-reversed priority 100 -> 130
    3.000000   most priority 254 -> 100
    3.000000   least priority 100 -> 1
    3.000000 > view
    3.000000   fault is Initialize priority 100/100 interval 1s fault Tracked process web
    3.000000   reversed is Backup priority 100/100 interval 1s down at 6.609375
    3.000000   plus is Backup priority 100/100 interval 1s down at 3.609375
    3.000000   minus is Backup priority 70/100 interval 1s down at 3.726562
    3.000000   plus-reversed is Backup priority 100/100 interval 1s down at 3.609375
    3.000000   minus-reversed is Backup priority 130/100 interval 1s down at 3.492187
    3.000000   most is Backup priority 100/100 interval 1s down at 3.609375
    3.000000   least is Backup priority 1/100 interval 1s down at 3.996093
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
    0.000000   a priority 100 -> 90
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 90
    1.000000 > processes web 1
    1.100000 > processes web 2
    1.100000   process web quorum held with 2
    1.100000   a priority 90 -> 100
    1.200000 > processes web 3 forked
    1.300000 > processes web 4 forked
    1.300000   process web quorum lost with 4
    1.300000   a priority 100 -> 90
    1.400000 > processes web 3 ended
    1.400000   process web quorum held with 3
    1.400000   a priority 90 -> 100
    1.500000 > processes web 1 ended
    1.500000   process web quorum lost with 1
    1.500000   a priority 100 -> 90
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
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > processes backup 1
    1.000000   process backup quorum lost with 1
    1.000000   a fault: Tracked process backup
    1.000000   a Backup -> Initialize: Fault
    1.000000   a notify Fault 100
    2.000000 > processes backup 0 ended
    2.000000   process backup quorum held with 0
    2.000000   a fault gone: Tracked process backup
    2.000000   a Initialize -> Backup: FaultsCleared
    2.000000   a notify Backup 100
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
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > processes web 2 forked
    1.300000 > processes web 1 ended
    2.500000 > processes web 2 forked
    2.900000 > processes web 3 forked
    3.500000   process web quorum held with 3
    3.500000   a priority 100 -> 110
    3.500000 > wait
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 110
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 110
    4.000000 > processes web 1 ended
    4.609375   a advertise 110
    5.609375   a advertise 110
    6.000000 > processes web 0 ended
    6.500000 > processes web 2
    6.609375   a advertise 110
    7.000000 > processes web 1 ended
    7.609375   a advertise 110
    8.609375   a advertise 110
    9.609375   a advertise 110
   10.000000   process web quorum lost with 1
   10.000000   a priority 110 -> 100
   10.000000 > wait
   10.609375   a advertise 100
   11.000000 > processes web 2
   11.000000   process web quorum held with 2
   11.000000   a priority 100 -> 110
"#,
    );
}

#[test]
fn whoever_has_stopped_counts_no_more() {
    check(
        r#"
router a addresses none track_process web:10
process web nginx terminate 5
    0.000000 > processes web 1
    0.000000 > start
    0.000000   a priority 100 -> 110
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 110
    1.000000 > processes web 0 ended
    2.000000 > stop
    2.000000   a Backup -> Initialize: Stopped
    2.000000   a notify Stop 110
    2.000000   stopped
   10.000000 > wait
"#,
    );
}

/// A fork that execs what it is stays what it is, at once; and somebody else's exec does not hasten an end.
#[test]
fn a_fork_that_settles_counts_at_once() {
    check(
        r#"
router a track_process web:10
process web nginx quorum 2 fork 100 terminate 100
    0.000000 > processes web 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > processes web 2 forked
    1.100000 > processes web 2
    1.100000   process web quorum held with 2
    1.100000   a priority 100 -> 110
    2.000000 > processes web 1 ended
    2.100000 > processes web 1
    2.200000 > processes web 2 forked
    2.300000 > wait
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
    0.000000   a fault: Tracked file stop
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    0.000000   b fault: Member a
    0.000000   b Initialize -> Initialize: Fault
    0.000000   b notify Fault 100
    0.000000   GroupChanged { group: G, kind: Fault }
    0.000000   G notify Fault
    1.000000 > file stop 0
    1.000000   file stop 1 -> 0
    1.000000   a fault gone: Tracked file stop
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
    1.000000   b fault gone: Member a
    1.000000   b Initialize -> Backup: FaultsCleared
    1.000000   b notify Backup 100
    1.000000   GroupChanged { group: G, kind: Backup }
    1.000000   G notify Backup
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
    0.000000   a priority 100 -> 130
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 130
    1.000000 > reconfigure
router a vrid 1 addresses none track_file load:3 track_process web:10 track_file more:1
file load /run/load
file more /run/more
process web nginx terminate 5
    1.000000 > view
    1.000000   a is Backup priority 130/100 interval 1s down at 3.492187
    1.000000 > file more 4
    1.000000   a priority 130 -> 144
    1.500000 > processes web 0 ended
    2.000000 > reconfigure
router a vrid 1 addresses none track_file load:3 track_process web:10
file load /run/elsewhere
process web nginx quorum 2 terminate 5
    2.000000 > view
    2.000000   a is Backup priority 144/100 interval 1s down at 3.492187
    2.000000 > file load 1
    2.000000   a priority 144 -> 103
    3.000000 > reconfigure
router a vrid 1 addresses none
    3.000000   a priority 103 -> 100
    3.000000 > file load 7
    3.000000 > view
    3.000000   a is Backup priority 100/100 interval 1s down at 3.492187
"#,
    );
}
