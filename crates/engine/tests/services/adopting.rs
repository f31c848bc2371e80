//! The daemon starts anew, and finds its service running.

use crate::common::timeline::check;

/// The role comes back after the protocol's time; nobody touches the service. That is no take-over.
#[test]
fn what_ran_for_the_role_goes_on() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 10
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
1.000000 > services
    1.000000   job is Running well restarts 0 moves 0
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 7
300.500000 > view
  300.500000   a is Active priority 200/200 interval 100s
  310.218750   job hook WhileActive(0) Active epoch 7
311.000000 > wait
",
    );
}

/// Its daemon ended before it had told that it was taken over.
#[test]
fn what_was_not_told_is_told() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7 untold
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 7
  300.218750   job hook TakenOver Active epoch 7
  300.218750   save a epoch 7 active
300.500000 > wait
",
    );
}

/// Nobody knows yet whether all of it runs: the role is taken anew, and what goes on is not taken over again.
#[test]
fn beside_one_that_nobody_can_tell_of_it_goes_on_in_a_role_that_is_taken_anew() {
    check(
        "
router a priority 200 interval 100 addresses none
service one
service two
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   one Watch
    0.000000   two Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   one hook RoleChanged Backup epoch 7
    0.000000   two hook RoleChanged Backup epoch 7
0.001000 > running one
    0.001000   one Unknown -> Running: Found
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   one hook RoleChanged Active epoch 8
  300.218750   two hook RoleChanged Active epoch 8
  300.218750   save a epoch 8 active (2 times)
301.000000 > running two
  301.000000   two Unknown -> Running: Found
  301.000000   two hook TakenOver Active epoch 8
  301.000000   save a epoch 8 active
302.000000 > wait
",
    );
}

/// Nobody stands back because of that: the role was not here.
#[test]
fn what_is_stopped_by_hand_before_the_role_is_back_was_only_found_running() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
5.000000 > by-hand job
    5.000000   job Running -> Stopped: StoppedByHand
    5.000000   job AssessReadiness
6.000000 > wait
",
    );
}

/// The file gave it to another router in the former life, which was Active more often.
#[test]
fn what_was_told_of_another_role_is_told_of_this_one() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore epoch 2 told 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 2
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 3
  300.218750   save a epoch 3 active
  300.218750   job Stopped -> Starting: Role
  300.218750   job Start
  300.218750   save a epoch 3 active
301.000000 > running job
  301.000000   job Starting -> Running: Done
  301.000000   job hook TakenOver Active epoch 3
  301.000000   save a epoch 3 active
302.000000 > wait
",
    );
}

/// By the calendar, since the machine's clock has begun anew: 500 s before that, of 600 that count.
#[test]
fn a_move_of_before_a_boot_is_as_old_as_it_is() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore epoch 7 moved 500 other-boot
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
    0.000000   save a epoch 7
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
99.000000 > timer
99.000000 > services
   99.000000   job is Stopped restarts 0 moves 1
101.000000 > timer
101.000000 > services
  101.000000   job is Stopped restarts 0 moves 0
",
    );
}

#[test]
fn a_move_of_before_a_boot_is_so_still_when_the_daemon_is_started_anew() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
10.000000 > restore epoch 7 moved 500
10.000000 > start
   10.000000   job Watch
   10.000000   a Initialize -> Backup: Started
   10.000000   a notify Backup 200
   10.000000   job hook RoleChanged Backup epoch 7
10.001000 > gone job
   10.001000   job Unknown -> Stopped: Found
   10.001000   job AssessReadiness
109.000000 > timer
109.000000 > services
  109.000000   job is Stopped restarts 0 moves 1
111.000000 > timer
111.000000 > services
  111.000000   job is Stopped restarts 0 moves 0
",
    );
}

/// Whatever becomes of the calendar meanwhile.
#[test]
fn a_move_since_the_boot_is_as_old_as_the_clock_says() {
    check(
        "
router a priority 200 interval 100 addresses none
service job moves 3/100
100.000000 > calendar +3600
100.000000 > restore epoch 7 moved 50
100.000000 > start
  100.000000   job Watch
  100.000000   a Initialize -> Backup: Started
  100.000000   a notify Backup 200
  100.000000   job hook RoleChanged Backup epoch 7
100.001000 > gone job
  100.001000   job Unknown -> Stopped: Found
  100.001000   job AssessReadiness
149.000000 > timer
149.000000 > services
  149.000000   job is Stopped restarts 0 moves 1
151.000000 > timer
151.000000 > services
  151.000000   job is Stopped restarts 0 moves 0
",
    );
}

/// Its daemon ended in maintenance, after it had crashed or had been stopped by hand.
#[test]
fn what_ended_in_maintenance_is_left_so() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7 maintained 400 left-stopped
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
    0.000000   save a epoch 7 active maintenance until Some(1700000400)
0.001000 > gone job exit 0
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 8
  300.218750   save a epoch 8 active maintenance until Some(1700000400)
  400.000000   MaintenanceEnded { expired: true }
  400.000000   save a epoch 8 active
  400.000000   job Stopped -> Starting: Role
  400.000000   job Start
  400.218750   a advertise 200
401.000000 > wait
",
    );
}

/// A node that has nothing to remember any more says so, or an older life would be believed later.
#[test]
fn what_was_remembered_goes_with_its_service() {
    check(
        "
router a priority 200 interval 100
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   save
",
    );
}

#[test]
fn after_a_boot_it_does_not() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7 other-boot
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
    0.001000   job Running -> Stopping: Role
    0.001000   job Stop
0.200000 > gone job exit 0
    0.200000   job Stopping -> Stopped: Done
    0.200000   job AssessReadiness
",
    );
}

#[test]
fn on_a_standby_it_does_not() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
    0.001000   job Running -> Stopping: Role
    0.001000   job Stop
",
    );
}

#[test]
fn not_beside_another_active_one() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
1.000000 > hear 192.0.2.2 250
    1.000000   a follows 192.0.2.2
    1.000000   save a epoch 7
    1.000000   job Running -> Stopping: Role
    1.000000   job Stop
1.200000 > gone job exit 0
    1.200000   job Stopping -> Stopped: Done
    1.200000   job AssessReadiness
",
    );
}

/// It takes the role back by the protocol, but what runs meanwhile runs twice.
#[test]
fn not_beside_a_lower_one_either() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
1.000000 > hear 192.0.2.2 100
    1.000000   a ignores 100 from 192.0.2.2
    1.000000   save a epoch 7
    1.000000   job Running -> Stopping: Role
    1.000000   job Stop
",
    );
}

/// A script that can be a fault has not said anything yet.
#[test]
fn while_a_check_is_pending_it_goes_on() {
    check(
        "
router a priority 200 interval 100 addresses none track_script chk
script chk interval 1000 timeout 100
service job
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   run chk
0.001000 > running job
    0.001000   job Unknown -> Running: Found
1.000000 > exit chk 0
    1.000000   chk returned Exited(0)
    1.000000   chk succeeded
    1.000000   a Initialize -> Backup: Started
    1.000000   a notify Backup 200
    1.000000   job hook RoleChanged Backup epoch 7
  301.218750   a Backup -> Active: ActiveDownTimer
  301.218750   a advertise 200
  301.218750   a wants its addresses
  301.218750   desired nothing
  301.218750   a notify Active 200
  301.218750   job hook RoleChanged Active epoch 7
302.000000 > services
  302.000000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn in_fault_it_does_not_go_on() {
    check(
        "
router a priority 200 interval 100 addresses none track_script chk
script chk interval 1000 timeout 100
service job
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   run chk
0.001000 > running job
    0.001000   job Unknown -> Running: Found
1.000000 > exit chk 1
    1.000000   chk returned Exited(1)
    1.000000   chk failed: Exited(1)
    1.000000   a fault: ScriptFailed chk
    1.000000   a Initialize -> Initialize: Fault
    1.000000   a notify Fault 200
    1.000000   job Running -> Stopping: Role
    1.000000   job Stop
1.500000 > gone job exit 0
    1.500000   job Stopping -> Stopped: Done
    1.500000   job AssessReadiness
",
    );
}

#[test]
fn what_ended_meanwhile_is_started_again_with_the_role() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 8
  300.218750   save a epoch 8 active
  300.218750   job Stopped -> Starting: Role
  300.218750   job Start
300.300000 > services
  300.300000   job is Starting wanted restarts 0 moves 0
",
    );
}

#[test]
fn what_ends_before_the_role_is_back_is_no_failure() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60
0.000000 > restore active epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
5.000000 > gone job exit 1
    5.000000   job Running -> Stopped: Ended(Exited(1))
    5.000000   job AssessReadiness
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 8
  300.218750   save a epoch 8 active
  300.218750   job Stopped -> Starting: Role
  300.218750   job Start
300.300000 > services
  300.300000   job is Starting wanted restarts 0 moves 0
",
    );
}

#[test]
fn while_latched_it_goes_on() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7 latched
    0.000000   Latched { service: job, reason: TooManyMoves, node: here }
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > running job
    0.001000   job Unknown -> Running: Found
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 7
300.500000 > view
  300.500000   a is Active priority 200/200 interval 100s
300.500000 > services
  300.500000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn while_latched_a_standby_stays_out() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore epoch 7 latched
    0.000000   Latched { service: job, reason: TooManyMoves, node: here }
0.000000 > start
    0.000000   job Watch
    0.000000   a fault: Latched job
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 200
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
301.000000 > view
  301.000000   a is Initialize priority 200/200 interval 100s fault Latched job
302.000000 > ack
  302.000000   Unlatched
  302.000000   answer 1 Done
  302.000000   a fault gone: Latched job
  302.000000   a Initialize -> Backup: FaultsCleared
  302.000000   a notify Backup 200
  302.000000   job hook RoleChanged Backup epoch 7
  302.000000   save a epoch 7 latches 2/2
  602.218750   a Backup -> Active: ActiveDownTimer
  602.218750   a advertise 200
  602.218750   a wants its addresses
  602.218750   desired nothing
  602.218750   a notify Active 200
  602.218750   job hook RoleChanged Active epoch 8
  602.218750   save a epoch 8 active latches 2/2
  602.218750   job Stopped -> Starting: Role
  602.218750   job Start
603.000000 > view
  603.000000   a is Active priority 200/200 interval 100s
",
    );
}

#[test]
fn in_maintenance_it_goes_on() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore active epoch 7 maintained
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
    0.000000   save a epoch 7 active maintenance until None
0.001000 > running job
    0.001000   job Unknown -> Running: Found
  300.218750   a Backup -> Active: Resumed
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 7
300.500000 > view
  300.500000   a is Active priority 200/200 interval 100s
300.500000 > services
  300.500000   job is Running wanted well restarts 0 moves 0
",
    );
}

/// It ends while nobody else is there.
#[test]
fn in_maintenance_a_standby_does_not_take_over() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore epoch 7 maintained 1000
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
    0.000000   save a epoch 7 maintenance until Some(1700001000)
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
999.000000 > view
  999.000000   a is Backup priority 200/200 interval 100s down at 1200.875000
 1000.000000   MaintenanceEnded { expired: true }
 1000.000000   save a epoch 7
1000.000000 > wait
 1200.875000   a Backup -> Active: ActiveDownTimer
 1200.875000   a advertise 200
 1200.875000   a wants its addresses
 1200.875000   desired nothing
 1200.875000   a notify Active 200
 1200.875000   job hook RoleChanged Active epoch 8
 1200.875000   save a epoch 8 active
 1200.875000   job Stopped -> Starting: Role
 1200.875000   job Start
1201.000000 > view
 1201.000000   a is Active priority 200/200 interval 100s
",
    );
}

#[test]
fn a_hold_is_remembered() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore epoch 7 held
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
1.000000 > hear 192.0.2.2 100
    1.000000   a follows 192.0.2.2
2.000000 > hear 192.0.2.2 100
3.000000 > view
    3.000000   a is Backup priority 200/200 follows 192.0.2.2 100 interval 100s down at 302.218750
",
    );
}

#[test]
fn a_damaged_memory_permits_nothing() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore damaged
    0.000000   RecordDamaged { reason: half a file }
    0.000000   Latched { service: job, reason: RecordDamaged, node: this node }
0.000000 > start
    0.000000   job Watch
    0.000000   a fault: Latched job
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 200
    0.000000   save latched RecordDamaged
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
400.000000 > view
  400.000000   a is Initialize priority 200/200 interval 100s fault Latched job
401.000000 > ack
  401.000000   Unlatched
  401.000000   answer 1 Done
  401.000000   a fault gone: Latched job
  401.000000   a Initialize -> Backup: FaultsCleared
  401.000000   a notify Backup 200
  401.000000   job hook RoleChanged Backup epoch 0
  401.000000   save latches 1/1
  701.218750   a Backup -> Active: ActiveDownTimer
  701.218750   a advertise 200
  701.218750   a wants its addresses
  701.218750   desired nothing
  701.218750   a notify Active 200
  701.218750   job hook RoleChanged Active epoch 1
  701.218750   save a epoch 1 active latches 1/1
  701.218750   job Stopped -> Starting: Role
  701.218750   job Start
702.000000 > view
  702.000000   a is Active priority 200/200 interval 100s
",
    );
}

#[test]
fn a_damaged_memory_without_services_holds_nobody_back() {
    check(
        "
router a priority 200 interval 100
0.000000 > restore damaged
    0.000000   RecordDamaged { reason: half a file }
0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired 192.0.2.100/24@eth0
  300.218750   a announcing eth0 192.0.2.100
  300.218750   announce eth0 192.0.2.100
  300.218750   a notify Active 200
301.000000 > view
  301.000000   a is Active priority 200/200 interval 100s
",
    );
}

#[test]
fn a_first_life_begins_with_nothing() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore nothing
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 0
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 1
  300.218750   save a epoch 1 active
  300.218750   job Stopped -> Starting: Role
  300.218750   job Start
301.000000 > services
  301.000000   job is Starting wanted restarts 0 moves 0
",
    );
}

/// The file begins the group with another router than it did in the former life: what was said of the group counts all the same.
#[test]
fn another_speaker_knows_what_was() {
    check(
        "
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
group G b,a
service job of a
0.000000 > restore active held epoch 7
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 7
    0.000000   save a epoch 7 active b epoch 7 active held by Operator
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
0.001000 > running job
    0.001000   job Unknown -> Running: Found
  300.218750   b Backup -> Active: ActiveDownTimer
  300.218750   b advertise 200
  300.218750   b wants its addresses
  300.218750   desired nothing
  300.218750   b notify Active 200
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 7
  300.218750   GroupChanged { group: G, kind: Active }
  300.218750   G notify Active
301.000000 > release a operator
  301.000000   Released { router: RouterId(1), by: Operator }
  301.000000   answer 1 Done
  301.000000   save a epoch 7 active b epoch 7 active
302.000000 > view
  302.000000   a is Active priority 200/200 interval 100s
  302.000000   b is Active priority 200/200 interval 100s
",
    );
}
