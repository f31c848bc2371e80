//! How a service comes and goes with the role.

use crate::common::timeline::check;

/// Found stopped, started with the role, ended when a better router is there.
#[test]
fn it_runs_where_the_role_is() {
    check(
        "
router a priority 200 interval 100
service job
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
  300.218750   desired 192.0.2.100/24@eth0
  300.218750   a announcing eth0 192.0.2.100
  300.218750   announce eth0 192.0.2.100
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 1
  300.218750   save a epoch 1 active
  300.218750   job Stopped -> Starting: Role
  300.218750   job Start
300.500000 > running job
  300.500000   job Starting -> Running: Done
  300.500000   job hook TakenOver Active epoch 1
  300.500000   save a epoch 1 active
301.000000 > hear 192.0.2.2 250
  301.000000   a advertise 200
  301.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   HandoverUnordered { router: RouterId(0) }
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.200000 > gone job exit 0
  301.200000   job Stopping -> Stopped: Done
  301.200000   job AssessReadiness
301.300000 > services
  301.300000   job is Stopped restarts 0 moves 0
",
    );
}

#[test]
fn what_is_found_running_on_a_standby_is_ended() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 0
0.001000 > running job
    0.001000   job Unknown -> Running: Found
    0.001000   job Running -> Stopping: Role
    0.001000   job Stop
0.200000 > gone job exit 0
    0.200000   job Stopping -> Stopped: Done
    0.200000   job AssessReadiness
0.300000 > services
    0.300000   job is Stopped restarts 0 moves 0
",
    );
}

/// Its manager answers only after the role has come.
#[test]
fn what_is_found_running_where_the_role_has_come_is_kept() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 0
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 1
  300.218750   save a epoch 1 active
300.500000 > running job
  300.500000   job Unknown -> Running: Found
  300.500000   job hook TakenOver Active epoch 1
  300.500000   save a epoch 1 active
300.600000 > services
  300.600000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn what_the_manager_does_not_know_is_not_started() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 0
1.000000 > unknown job no-answer
    1.000000   ServiceUnknown { service: job, reason: Some(no-answer) }
2.000000 > unknown job no-answer
    2.000000   ServiceUnknown { service: job, reason: Some(no-answer) }
  300.218750   a Backup -> Active: ActiveDownTimer
  300.218750   a advertise 200
  300.218750   a wants its addresses
  300.218750   desired nothing
  300.218750   a notify Active 200
  300.218750   job hook RoleChanged Active epoch 1
  300.218750   save a epoch 1 active
302.000000 > gone job
  302.000000   ServiceUnknown { service: job, reason: None }
  302.000000   job Unknown -> Stopped: Found
  302.000000   job Stopped -> Starting: Role
  302.000000   job Start
302.500000 > running job
  302.500000   job Starting -> Running: Done
  302.500000   job hook TakenOver Active epoch 1
  302.500000   save a epoch 1 active
",
    );
}

#[test]
fn who_does_not_end_is_killed_again_and_again() {
    check(
        "
router a priority 200 interval 100 addresses none
service job stop_timeout 3
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hear 192.0.2.2 250
  301.000000   a advertise 200
  301.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   HandoverUnordered { router: RouterId(0) }
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
  304.000000   ServiceLingers { service: job, since: 3s }
  304.000000   job Kill
  306.000000   ServiceLingers { service: job, since: 5s }
  306.000000   job Kill
  308.000000   ServiceLingers { service: job, since: 7s }
  308.000000   job Kill
309.500000 > lingers job in-D-state
  309.500000   ServiceUnknown { service: job, reason: Some(in-D-state) }
  310.000000   ServiceLingers { service: job, since: 9s }
  310.000000   job Kill
310.000000 > gone job signal 9
  310.000000   job Stopping -> Stopped: Done
  310.000000   job AssessReadiness
",
    );
}

/// The role comes back while the service is still ending.
#[test]
fn nothing_is_started_before_the_last_run_is_gone() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hear 192.0.2.2 250
  301.000000   a advertise 200
  301.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   HandoverUnordered { router: RouterId(0) }
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > hear 192.0.2.2 0
  301.500000   a hears 192.0.2.2 resign
  301.718750   a Backup -> Active: ActiveResigned
  301.718750   a advertise 200
  301.718750   a wants its addresses
  301.718750   desired nothing
  301.718750   a notify Active 200
  301.718750   job hook RoleChanged Active epoch 2
  301.718750   save a epoch 2 active
302.000000 > wait
303.000000 > gone job exit 0
  303.000000   job Stopping -> Stopped: Done
  303.000000   job Stopped -> Starting: Role
  303.000000   job Start
",
    );
}

/// The role goes while the service is still starting; that it comes up then changes nothing.
#[test]
fn a_start_is_taken_back() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
301.000000 > hear 192.0.2.2 250
  301.000000   a advertise 200
  301.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   HandoverUnordered { router: RouterId(0) }
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1
  301.000000   job Starting -> Stopping: Role
  301.000000   job Stop
301.100000 > running job
301.200000 > gone job exit 0
  301.200000   job Stopping -> Stopped: Done
  301.200000   job AssessReadiness
",
    );
}

#[test]
fn what_is_started_by_hand_on_a_standby_is_ended() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > running job
    2.000000   job Stopped -> Running: StartedByHand
    2.000000   job Running -> Stopping: Role
    2.000000   job Stop
2.200000 > gone job exit 0
    2.200000   job Stopping -> Stopped: Done
    2.200000   job AssessReadiness
",
    );
}

/// It is Active and about to start it again when somebody else does.
#[test]
fn what_is_started_by_hand_before_us_is_ours() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60 moves 0/60
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): StayAndRetry { after: 1s }
  301.000000   Latched { service: job, reason: TooManyMoves, node: this node }
  301.000000   save a epoch 1 active latches 0/1 latched TooManyMoves
301.500000 > running job
  301.500000   job Stopped -> Running: StartedByHand
302.500000 > services
  302.500000   job is Running wanted well restarts 0 moves 0
",
    );
}

/// The role goes when the last of them is gone.
#[test]
fn two_services_go_together() {
    check(
        "
router a priority 200 interval 100 addresses none
service one
service two
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   one is Running wanted well restarts 0 moves 0
  300.500000   two is Running wanted well restarts 0 moves 0
301.000000 > hold a operator
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active held by Operator
  301.000000   one Running -> Stopping: Role
  301.000000   one Stop
  301.000000   two Running -> Stopping: Role
  301.000000   two Stop
301.100000 > gone two exit 0
  301.100000   two Stopping -> Stopped: Done
301.200000 > view
  301.200000   a is Active priority 200/200 interval 100s
301.900000 > gone one exit 0
  301.900000   one Stopping -> Stopped: Done
  301.900000   a advertise 0
  301.900000   a resigned
  301.900000   a Active -> Backup: LetGo
  301.900000   a releases its addresses
  301.900000   desired nothing
  301.900000   a notify Backup 200
  301.900000   one hook RoleChanged Backup epoch 1
  301.900000   two hook RoleChanged Backup epoch 1
  301.900000   save a epoch 1 held by Operator
  301.900000   one AssessReadiness
  301.900000   two AssessReadiness
",
    );
}

#[test]
fn each_service_follows_its_own_router() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
service job of b
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hear 192.0.2.2 250 for a
  301.000000   a advertise 200
  301.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
302.000000 > hear 192.0.2.2 250 for b
  302.000000   b advertise 200
  302.000000   b Active -> Backup: HigherPriority 250 from 192.0.2.2
  302.000000   b releases its addresses
  302.000000   desired nothing
  302.000000   b notify Backup 200
  302.000000   HandoverUnordered { router: RouterId(1) }
  302.000000   job hook RoleChanged Backup epoch 1
  302.000000   save b epoch 1
  302.000000   job Running -> Stopping: Role
  302.000000   job Stop
302.500000 > gone job exit 0
  302.500000   job Stopping -> Stopped: Done
  302.500000   job AssessReadiness
",
    );
}

/// Each change of the role; the take-over once it serves; and by the clock while it does.
#[test]
fn hooks_know_the_role() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 10 every 25
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
  310.500000   job hook WhileActive(0) Active epoch 1
  320.500000   job hook WhileActive(0) Active epoch 1
  325.500000   job hook WhileActive(1) Active epoch 1
330.000000 > wait
  330.500000   job hook WhileActive(0) Active epoch 1
331.000000 > gone job exit 1
  331.000000   job Running -> Stopped: Ended(Exited(1))
  331.000000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  331.000000   job Stopped -> Starting: Restart
  331.000000   job Start
331.500000 > running job
  331.500000   job Starting -> Running: Done
  341.500000   job hook WhileActive(0) Active epoch 1
342.000000 > hear 192.0.2.2 250
  342.000000   a advertise 200
  342.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  342.000000   a releases its addresses
  342.000000   desired nothing
  342.000000   a notify Backup 200
  342.000000   HandoverUnordered { router: RouterId(0) }
  342.000000   job hook RoleChanged Backup epoch 1
  342.000000   save a epoch 1
  342.000000   job Running -> Stopping: Role
  342.000000   job Stop
342.500000 > gone job exit 0
  342.500000   job Stopping -> Stopped: Done
  342.500000   job AssessReadiness
",
    );
}

/// Somebody else has it when the next one would be due.
#[test]
fn by_the_clock_hooks_run_only_while_it_runs() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 10
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
305.000000 > gone job exit 1
  305.000000   job Running -> Stopped: Ended(Exited(1))
  305.000000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  305.000000   job Stopped -> Starting: Restart
  305.000000   job Start
316.000000 > running job
  316.000000   job Starting -> Running: Done
  326.000000   job hook WhileActive(0) Active epoch 1
327.000000 > hear 192.0.2.2 250
  327.000000   a advertise 200
  327.000000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  327.000000   a releases its addresses
  327.000000   desired nothing
  327.000000   a notify Backup 200
  327.000000   HandoverUnordered { router: RouterId(0) }
  327.000000   job hook RoleChanged Backup epoch 1
  327.000000   save a epoch 1
  327.000000   job Running -> Stopping: Role
  327.000000   job Stop
327.200000 > gone job exit 0
  327.200000   job Stopping -> Stopped: Done
  327.200000   job AssessReadiness
340.000000 > wait
",
    );
}

#[test]
fn what_was_slept_through_is_not_made_up_for() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 10
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
350.000000 > late timer
  350.000000   job hook WhileActive(0) Active epoch 1
  360.000000   job hook WhileActive(0) Active epoch 1
361.000000 > wait
",
    );
}
