//! A service that fails where nobody but this node knows of it: what is done here, and when the role moves.

use crate::common::timeline::check;

#[test]
fn within_its_budget_it_is_started_again_at_once() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 2/60
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job signal 11
  301.000000   job Running -> Stopped: Ended(Signalled(11))
  301.000000   job failed: Ended(Signalled(11)): Restart { attempt: 1, of: 2, after: 0ns }
  301.000000   job Stopped -> Starting: Restart
  301.000000   job Start
301.500000 > running job
  301.500000   job Starting -> Running: Done
302.000000 > gone job exit 1
  302.000000   job Running -> Stopped: Ended(Exited(1))
  302.000000   job failed: Ended(Exited(1)): Restart { attempt: 2, of: 2, after: 0ns }
  302.000000   job Stopped -> Starting: Restart
  302.000000   job Start
302.500000 > running job
  302.500000   job Starting -> Running: Done
302.600000 > services
  302.600000   job is Running wanted well restarts 2 moves 0
",
    );
}

/// Each failure is more than a minute after the one before.
#[test]
fn the_budget_is_one_of_a_span() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 1/60
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  301.000000   job Stopped -> Starting: Restart
  301.000000   job Start
301.500000 > running job
  301.500000   job Starting -> Running: Done
362.000000 > gone job exit 1
  362.000000   job Running -> Stopped: Ended(Exited(1))
  362.000000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  362.000000   job Stopped -> Starting: Restart
  362.000000   job Start
362.500000 > running job
  362.500000   job Starting -> Running: Done
  400.218750   a advertise 200
423.000000 > gone job exit 1
  423.000000   job Running -> Stopped: Ended(Exited(1))
  423.000000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  423.000000   job Stopped -> Starting: Restart
  423.000000   job Start
423.500000 > running job
  423.500000   job Starting -> Running: Done
",
    );
}

/// And the node is a standby again when it could start it so often in a row.
#[test]
fn when_it_is_spent_the_role_moves() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60 assess 100 ready_after 2
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): Move
  301.000000   a fault: ServiceFailed job
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Fault
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Fault 200
  301.000000   job hook RoleChanged Initialize epoch 1
  301.000000   save a epoch 1
  301.000000   job AssessReadiness
301.010000 > unready job port-in-use
  301.010000   ReadinessChanged { service: job, readiness: Err(port-in-use) }
  401.000000   job AssessReadiness
401.010000 > ready job
  401.010000   ReadinessChanged { service: job, readiness: Ok(()) }
  501.000000   job AssessReadiness
501.010000 > ready job
  501.010000   a fault gone: ServiceFailed job
  501.010000   a Initialize -> Backup: FaultsCleared
  501.010000   a notify Backup 200
  501.010000   job hook RoleChanged Backup epoch 1
  501.010000   save a epoch 1
501.100000 > view
  501.100000   a is Backup priority 200/200 interval 100s down at 801.228750
",
    );
}

/// The check has failed; the role goes when the last of it is gone.
#[test]
fn a_fault_of_a_service_that_still_ends_moves_nothing_yet() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60 check web interval 1 timeout 0.5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 0
  300.510000   web returned Exited(0)
  300.510000   web succeeded
  300.510000   job hook TakenOver Active epoch 1
  300.510000   save a epoch 1 active
  300.520000   run web
300.670000 > exit web 1
  300.670000   web returned Exited(1)
  300.670000   web failed: Exited(1)
  300.670000   job Running -> Stopping: CheckFailed(web)
  300.670000   job Stop
  300.670000   job failed: CheckFailed(web): Move
  300.670000   a fault: ServiceFailed job
  300.670000   save a epoch 1 active
301.000000 > view
  301.000000   a is Active priority 200/200 interval 100s fault ServiceFailed job
  302.670000   ServiceLingers { service: job, since: 2s }
  302.670000   job Kill
303.000000 > gone job signal 9
  303.000000   job Stopping -> Stopped: Done
  303.000000   a advertise 0
  303.000000   a resigned
  303.000000   a Active -> Initialize: Fault
  303.000000   a releases its addresses
  303.000000   desired nothing
  303.000000   a notify Fault 200
  303.000000   job hook RoleChanged Initialize epoch 1
  303.000000   save a epoch 1
  303.000000   job AssessReadiness
",
    );
}

#[test]
fn the_last_move_that_is_allowed_latches() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60 moves 3/5000 assess 1000
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): Move
  301.000000   a fault: ServiceFailed job
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Fault
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Fault 200
  301.000000   job hook RoleChanged Initialize epoch 1
  301.000000   save a epoch 1
  301.000000   job AssessReadiness
301.100000 > ready job
  301.100000   a fault gone: ServiceFailed job
  301.100000   a Initialize -> Backup: FaultsCleared
  301.100000   a notify Backup 200
  301.100000   job hook RoleChanged Backup epoch 1
  301.100000   save a epoch 1
  601.318750   a Backup -> Active: ActiveDownTimer
  601.318750   a advertise 200
  601.318750   a wants its addresses
  601.318750   desired nothing
  601.318750   a notify Active 200
  601.318750   job hook RoleChanged Active epoch 2
  601.318750   save a epoch 2 active
  601.318750   job Stopped -> Starting: Role
  601.318750   job Start
601.400000 > running job
  601.400000   job Starting -> Running: Done
  601.400000   job hook TakenOver Active epoch 2
  601.400000   save a epoch 2 active
602.000000 > gone job exit 1
  602.000000   job Running -> Stopped: Ended(Exited(1))
  602.000000   job failed: Ended(Exited(1)): Move
  602.000000   Latched { service: job, reason: TooManyMoves, node: this node }
  602.000000   a fault: ServiceFailed job
  602.000000   a advertise 0
  602.000000   a resigned
  602.000000   a Active -> Initialize: Fault
  602.000000   a releases its addresses
  602.000000   desired nothing
  602.000000   a notify Fault 200
  602.000000   job hook RoleChanged Initialize epoch 2
  602.000000   save a epoch 2 latches 0/1 latched TooManyMoves
  602.000000   job AssessReadiness
  602.000000   a fault: Latched job
602.100000 > ready job
  602.100000   a fault gone: ServiceFailed job
  602.100000   save a epoch 2 latches 0/1 latched TooManyMoves
610.000000 > view
  610.000000   a is Initialize priority 200/200 interval 100s fault Latched job
611.000000 > ack
  611.000000   Unlatched
  611.000000   answer 1 Done
  611.000000   a fault gone: Latched job
  611.000000   a Initialize -> Backup: FaultsCleared
  611.000000   a notify Backup 200
  611.000000   job hook RoleChanged Backup epoch 2
  611.000000   save a epoch 2 latches 2/2
611.100000 > view
  611.100000   a is Backup priority 200/200 interval 100s down at 911.218750
",
    );
}

/// The other one has it since, at a lower priority.
#[test]
fn latched_it_does_not_come_back() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60 moves 1/5000 assess 1000
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): Move
  301.000000   Latched { service: job, reason: TooManyMoves, node: this node }
  301.000000   a fault: ServiceFailed job
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Fault
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Fault 200
  301.000000   job hook RoleChanged Initialize epoch 1
  301.000000   save a epoch 1 latches 0/1 latched TooManyMoves
  301.000000   job AssessReadiness
  301.000000   a fault: Latched job
301.050000 > hear 192.0.2.2 100
301.100000 > ready job
  301.100000   a fault gone: ServiceFailed job
  301.100000   save a epoch 1 latches 0/1 latched TooManyMoves
301.200000 > hear 192.0.2.2 100
302.000000 > hear 192.0.2.2 100
602.000000 > view
  602.000000   a is Initialize priority 200/200 interval 100s fault Latched job
",
    );
}

/// Nobody was ever heard on the side channel: there is nobody to move it to.
#[test]
fn alone_in_a_pair_it_is_tried_again_ever_more_slowly() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60
pair heartbeat 1000000 dead_after 5000000
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): StayAndRetry { after: 1s }
  301.000000   say 0
  302.000000   job Stopped -> Starting: Restart
  302.000000   job Start
  302.000000   say 0
302.100000 > running job
  302.100000   job Starting -> Running: Done
  302.100000   say 0
302.200000 > gone job exit 1
  302.200000   job Running -> Stopped: Ended(Exited(1))
  302.200000   job failed: Ended(Exited(1)): StayAndRetry { after: 2s }
  302.200000   say 0
  304.200000   job Stopped -> Starting: Restart
  304.200000   job Start
  304.200000   say 0
304.300000 > running job
  304.300000   job Starting -> Running: Done
  304.300000   say 0
304.400000 > gone job exit 1
  304.400000   job Running -> Stopped: Ended(Exited(1))
  304.400000   job failed: Ended(Exited(1)): StayAndRetry { after: 4s }
  304.400000   say 0
  308.400000   job Stopped -> Starting: Restart
  308.400000   job Start
  308.400000   say 0
308.500000 > running job
  308.500000   job Starting -> Running: Done
  308.500000   say 0
",
    );
}

#[test]
fn no_moves_at_all_means_that_it_latches_at_once() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60 moves 0/600
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): StayAndRetry { after: 1s }
  301.000000   Latched { service: job, reason: TooManyMoves, node: this node }
  301.000000   save a epoch 1 active latches 0/1 latched TooManyMoves
  302.000000   job Stopped -> Starting: Restart
  302.000000   job Start
302.100000 > running job
  302.100000   job Starting -> Running: Done
303.000000 > view
  303.000000   a is Active priority 200/200 interval 100s
",
    );
}

#[test]
fn an_acknowledgement_forgives_before_anything_is_latched() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > gone job exit 1
  301.000000   job Running -> Stopped: Ended(Exited(1))
  301.000000   job failed: Ended(Exited(1)): Move
  301.000000   a fault: ServiceFailed job
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Fault
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Fault 200
  301.000000   job hook RoleChanged Initialize epoch 1
  301.000000   save a epoch 1
  301.000000   job AssessReadiness
302.000000 > ack
  302.000000   answer 1 Done
  302.000000   a fault gone: ServiceFailed job
  302.000000   a Initialize -> Backup: FaultsCleared
  302.000000   a notify Backup 200
  302.000000   job hook RoleChanged Backup epoch 1
  302.000000   save a epoch 1 latches 1/1
302.100000 > view
  302.100000   a is Backup priority 200/200 interval 100s down at 602.218750
",
    );
}

/// One of two services fails for good: the other one ends before the role goes.
#[test]
fn a_service_that_fails_takes_the_others_along() {
    check(
        "
router a priority 200 interval 100 addresses none
service one restart 0/60
service two
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   one is Running wanted well restarts 0 moves 0
  300.500000   two is Running wanted well restarts 0 moves 0
301.000000 > gone one exit 1
  301.000000   one Running -> Stopped: Ended(Exited(1))
  301.000000   one failed: Ended(Exited(1)): Move
  301.000000   a fault: ServiceFailed one
  301.000000   save a epoch 1 active
  301.000000   two Running -> Stopping: Role
  301.000000   two Stop
301.100000 > ready one
302.000000 > gone two exit 0
  302.000000   two Stopping -> Stopped: Done
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Initialize: Fault
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Fault 200
  302.000000   one hook RoleChanged Initialize epoch 1
  302.000000   two hook RoleChanged Initialize epoch 1
  302.000000   save a epoch 1
  302.000000   one AssessReadiness
  302.000000   two AssessReadiness
",
    );
}
