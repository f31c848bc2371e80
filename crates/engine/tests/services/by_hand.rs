//! An operator stops the service by hand: that is no crash.

use crate::common::timeline::check;

/// It does not preempt until it is released.
#[test]
fn the_role_moves_and_this_node_stands_back() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Move
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Backup: LetGo
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1 held by Operator
  301.000000   job AssessReadiness
301.300000 > hear 192.0.2.2 100
  301.300000   a follows 192.0.2.2
301.400000 > hear 192.0.2.2 100
302.000000 > release a operator
  302.000000   Released { router: RouterId(0), by: Operator }
  302.000000   answer 1 Done
  302.000000   save a epoch 1
303.000000 > hear 192.0.2.2 100
  303.000000   a ignores 100 from 192.0.2.2
  601.618750   a Backup -> Active: ActiveDownTimer
  601.618750   a advertise 200
  601.618750   a wants its addresses
  601.618750   desired nothing
  601.618750   a notify Active 200
  601.618750   job hook RoleChanged Active epoch 2
  601.618750   save a epoch 2 active
  601.618750   job Stopped -> Starting: Role
  601.618750   job Start
603.500000 > running job
  603.500000   job Starting -> Running: Done
  603.500000   job hook TakenOver Active epoch 2
  603.500000   save a epoch 2 active
",
    );
}

#[test]
fn starting_it_by_hand_releases_as_well() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Move
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Backup: LetGo
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1 held by Operator
  301.000000   job AssessReadiness
301.300000 > hear 192.0.2.2 100
  301.300000   a follows 192.0.2.2
310.000000 > running job
  310.000000   job Stopped -> Running: StartedByHand
  310.000000   Released { router: RouterId(0), by: Operator }
  310.000000   save a epoch 1
  310.000000   job Running -> Stopping: Role
  310.000000   job Stop
310.200000 > gone job exit 0
  310.200000   job Stopping -> Stopped: Done
  310.200000   job AssessReadiness
",
    );
}

#[test]
fn with_nobody_else_it_is_started_again_when_the_role_returns() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Move
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Backup: LetGo
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1 held by Operator
  301.000000   job AssessReadiness
  601.218750   a Backup -> Active: ActiveDownTimer
  601.218750   a advertise 200
  601.218750   a wants its addresses
  601.218750   desired nothing
  601.218750   a notify Active 200
  601.218750   Released { router: RouterId(0), by: Operator }
  601.218750   job hook RoleChanged Active epoch 2
  601.218750   save a epoch 2 active
  601.218750   job Stopped -> Starting: Role
  601.218750   job Start
601.500000 > running job
  601.500000   job Starting -> Running: Done
  601.500000   job hook TakenOver Active epoch 2
  601.500000   save a epoch 2 active
",
    );
}

/// It has it only because nobody else was there; now somebody is.
#[test]
fn a_second_time_the_role_moves_again() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Move
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Backup: LetGo
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1 held by Operator
  301.000000   job AssessReadiness
  601.218750   a Backup -> Active: ActiveDownTimer
  601.218750   a advertise 200
  601.218750   a wants its addresses
  601.218750   desired nothing
  601.218750   a notify Active 200
  601.218750   Released { router: RouterId(0), by: Operator }
  601.218750   job hook RoleChanged Active epoch 2
  601.218750   save a epoch 2 active
  601.218750   job Stopped -> Starting: Role
  601.218750   job Start
601.500000 > running job
  601.500000   job Starting -> Running: Done
  601.500000   job hook TakenOver Active epoch 2
  601.500000   save a epoch 2 active
602.000000 > by-hand job
  602.000000   job Running -> Stopped: StoppedByHand
  602.000000   job failed: StoppedByHand: Move
  602.000000   Held { router: RouterId(0), by: Operator }
  602.000000   a advertise 0
  602.000000   a resigned
  602.000000   a Active -> Backup: LetGo
  602.000000   a releases its addresses
  602.000000   desired nothing
  602.000000   a notify Backup 200
  602.000000   job hook RoleChanged Backup epoch 2
  602.000000   save a epoch 2 held by Operator
  602.000000   job AssessReadiness
602.500000 > hear 192.0.2.2 100
  602.500000   a follows 192.0.2.2
",
    );
}

#[test]
fn it_may_be_started_again_at_nobodys_expense() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 1/60 by_hand restart
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Restart { attempt: 0, of: 0, after: 0ns }
  301.000000   job Stopped -> Starting: Restart
  301.000000   job Start
301.500000 > running job
  301.500000   job Starting -> Running: Done
302.000000 > by-hand job
  302.000000   job Running -> Stopped: StoppedByHand
  302.000000   job failed: StoppedByHand: Restart { attempt: 0, of: 0, after: 0ns }
  302.000000   job Stopped -> Starting: Restart
  302.000000   job Start
302.500000 > running job
  302.500000   job Starting -> Running: Done
303.000000 > services
  303.000000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn it_may_begin_maintenance() {
    check(
        "
router a priority 200 interval 100 addresses none
service job by_hand maintenance
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Nothing
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   save a epoch 1 active maintenance until None
305.000000 > services
  305.000000   job is Stopped wanted restarts 0 moves 0
310.000000 > maintained
  310.000000   MaintenanceEnded { expired: false }
  310.000000   answer 1 Done
  310.000000   save a epoch 1 active
  310.000000   job Stopped -> Starting: Role
  310.000000   job Start
310.500000 > running job
  310.500000   job Starting -> Running: Done
",
    );
}

#[test]
fn while_it_is_starting() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
300.310000 > by-hand job
  300.310000   job Starting -> Stopped: StoppedByHand
  300.310000   job failed: StoppedByHand: Move
  300.310000   Held { router: RouterId(0), by: Operator }
  300.310000   a advertise 0
  300.310000   a resigned
  300.310000   a Active -> Backup: LetGo
  300.310000   a releases its addresses
  300.310000   desired nothing
  300.310000   a notify Backup 200
  300.310000   job hook RoleChanged Backup epoch 1
  300.310000   save a epoch 1 held by Operator
  300.310000   job AssessReadiness
",
    );
}

#[test]
fn while_we_are_ending_it_it_is_only_gone() {
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
301.100000 > by-hand job
  301.100000   job Stopping -> Stopped: StoppedByHand
  301.100000   job AssessReadiness
301.200000 > view
  301.200000   a is Backup priority 200/200 follows 192.0.2.2 250 interval 100s down at 601.218750
",
    );
}

/// And the role has come back meanwhile: what was ending for us is started again.
#[test]
fn while_we_are_ending_it_for_a_role_that_is_back_it_is_only_gone() {
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
303.000000 > by-hand job
  303.000000   job Stopping -> Stopped: StoppedByHand
  303.000000   job Stopped -> Starting: Role
  303.000000   job Start
",
    );
}

#[test]
fn on_a_standby_it_means_nothing() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > by-hand job
",
    );
}

/// Also where a reload lets another router of the group speak for it meanwhile.
#[test]
fn starting_it_by_hand_releases_whoever_speaks_for_the_group() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
group G a,b
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > by-hand job
  301.000000   job Running -> Stopped: StoppedByHand
  301.000000   job failed: StoppedByHand: Move
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Backup: LetGo
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Backup 200
  301.000000   b advertise 0
  301.000000   b resigned
  301.000000   b Active -> Backup: LetGo
  301.000000   b releases its addresses
  301.000000   desired nothing
  301.000000   b notify Backup 200
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1 held by Operator b epoch 1
  301.000000   job AssessReadiness
  301.000000   GroupChanged { group: G, kind: Backup }
  301.000000   G notify Backup
302.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
group G b,a
service job of a
  302.000000   save a epoch 1 b epoch 1 held by Operator
303.000000 > running job
  303.000000   job Stopped -> Running: StartedByHand
  303.000000   Released { router: RouterId(1), by: Operator }
  303.000000   save a epoch 1 b epoch 1
  303.000000   job Running -> Stopping: Role
  303.000000   job Stop
",
    );
}
