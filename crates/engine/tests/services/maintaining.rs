//! Maintenance: nothing happens by itself.

use crate::common::timeline::check;

#[test]
fn what_dies_is_left_alone_until_it_is_over() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > gone job exit 1
  302.000000   job Running -> Stopped: Ended(Exited(1))
  302.000000   job failed: Ended(Exited(1)): Nothing
  302.000000   save a epoch 1 active maintenance until None
350.000000 > services
  350.000000   job is Stopped wanted restarts 0 moves 0
351.000000 > maintained
  351.000000   MaintenanceEnded { expired: false }
  351.000000   answer 1 Done
  351.000000   save a epoch 1 active
  351.000000   job Stopped -> Starting: Role
  351.000000   job Start
351.500000 > running job
  351.500000   job Starting -> Running: Done
",
    );
}

#[test]
fn what_ended_while_nobody_was_there_does_not_begin_again() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > restore maintained 0
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 1
    0.000000   save a epoch 1
1.000000 > wait
",
    );
}

#[test]
fn it_ends_by_itself() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain 10
  301.000000   MaintenanceBegun { span: Some(10s), node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until Some(1700000311)
302.000000 > gone job exit 1
  302.000000   job Running -> Stopped: Ended(Exited(1))
  302.000000   job failed: Ended(Exited(1)): Nothing
  302.000000   save a epoch 1 active maintenance until Some(1700000311)
  311.000000   MaintenanceEnded { expired: true }
  311.000000   save a epoch 1 active
  311.000000   job Stopped -> Starting: Role
  311.000000   job Start
311.500000 > services
  311.500000   job is Starting wanted restarts 0 moves 0
",
    );
}

#[test]
fn it_can_be_prolonged() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain 10
  301.000000   MaintenanceBegun { span: Some(10s), node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until Some(1700000311)
305.000000 > maintain 20
  305.000000   MaintenanceBegun { span: Some(20s), node: this node }
  305.000000   answer 1 Done
  305.000000   save a epoch 1 active maintenance until Some(1700000325)
320.000000 > wait
  325.000000   MaintenanceEnded { expired: true }
  325.000000   save a epoch 1 active
326.000000 > wait
",
    );
}

#[test]
fn what_ails_is_left_alone() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check web interval 1 timeout 0.5
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
300.600000 > maintain
  300.600000   MaintenanceBegun { span: None, node: this node }
  300.600000   answer 1 Done
  300.600000   save a epoch 1 active maintenance until None
300.670000 > exit web 1
  300.670000   web returned Exited(1)
  300.670000   web failed: Exited(1)
  301.431340   run web
301.600000 > services
  301.600000   job is Running wanted ill restarts 0 moves 0
301.610000 > maintained
  301.610000   MaintenanceEnded { expired: false }
  301.610000   answer 1 Done
  301.610000   save a epoch 1 active
301.700000 > wait
",
    );
}

#[test]
fn a_fault_moves_nothing() {
    check(
        "
router a priority 200 interval 100 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > link eth1 down
  302.000000   eth1 Down
  302.000000   a fault: LinkDown eth1
310.000000 > view
  310.000000   a is Active priority 200/200 interval 100s fault LinkDown eth1
311.000000 > maintained
  311.000000   MaintenanceEnded { expired: false }
  311.000000   answer 1 Done
  311.000000   save a epoch 1 active
  311.000000   job Running -> Stopping: Role
  311.000000   job Stop
312.000000 > gone job exit 0
  312.000000   job Stopping -> Stopped: Done
  312.000000   a advertise 0
  312.000000   a resigned
  312.000000   a Active -> Initialize: Fault
  312.000000   a releases its addresses
  312.000000   desired nothing
  312.000000   a notify Fault 200
  312.000000   job hook RoleChanged Initialize epoch 1
  312.000000   job AssessReadiness
",
    );
}

/// It steps back and listens; its service is left alone, so that the role goes on when nobody else was heard.
#[test]
fn who_overslept_resumes() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
801.000000 > late timer
  801.000000   a overslept by 400.78125s
  801.000000   a Active -> Backup: Overslept
  801.000000   a releases its addresses
  801.000000   desired nothing
  801.000000   a notify Backup 200
  801.000000   HandoverUnordered { router: RouterId(0) }
  801.000000   job hook RoleChanged Backup epoch 1
 1101.218750   a Backup -> Active: Resumed
 1101.218750   a advertise 200
 1101.218750   a wants its addresses
 1101.218750   desired nothing
 1101.218750   a notify Active 200
 1101.218750   job hook RoleChanged Active epoch 1
1102.000000 > services
 1102.000000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn a_standby_does_not_take_over() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > hear 192.0.2.2 250
    2.000000   a follows 192.0.2.2
3.000000 > maintain
    3.000000   MaintenanceBegun { span: None, node: this node }
    3.000000   answer 1 Done
    3.000000   save maintenance until None
400.000000 > view
  400.000000   a is Backup priority 200/200 follows 192.0.2.2 250 interval 100s down at 602.437500
401.000000 > maintained
  401.000000   MaintenanceEnded { expired: false }
  401.000000   answer 1 Done
  401.000000   save
  602.437500   a Backup -> Active: ActiveDownTimer
  602.437500   a advertise 200
  602.437500   a wants its addresses
  602.437500   desired nothing
  602.437500   a notify Active 200
  602.437500   job hook RoleChanged Active epoch 1
  602.437500   save a epoch 1 active
  602.437500   job Stopped -> Starting: Role
  602.437500   job Start
604.000000 > view
  604.000000   a is Active priority 200/200 interval 100s
",
    );
}

#[test]
fn a_standby_does_not_preempt() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > hear 192.0.2.2 250
    2.000000   a follows 192.0.2.2
3.000000 > maintain
    3.000000   MaintenanceBegun { span: None, node: this node }
    3.000000   answer 1 Done
    3.000000   save maintenance until None
4.000000 > hear 192.0.2.2 100
5.000000 > hear 192.0.2.2 100
6.000000 > maintained
    6.000000   MaintenanceEnded { expired: false }
    6.000000   answer 1 Done
    6.000000   save
7.000000 > hear 192.0.2.2 100
    7.000000   a ignores 100 from 192.0.2.2
",
    );
}

/// Until it is over.
#[test]
fn what_an_operator_starts_on_a_standby_is_left_alone() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 10
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > hear 192.0.2.2 250
    2.000000   a follows 192.0.2.2
3.000000 > maintain
    3.000000   MaintenanceBegun { span: None, node: this node }
    3.000000   answer 1 Done
    3.000000   save maintenance until None
4.000000 > running job
    4.000000   job Stopped -> Running: StartedByHand
30.000000 > services
   30.000000   job is Running well restarts 0 moves 0
31.000000 > maintained
   31.000000   MaintenanceEnded { expired: false }
   31.000000   answer 1 Done
   31.000000   save
   31.000000   job Running -> Stopping: Role
   31.000000   job Stop
",
    );
}

#[test]
fn what_an_operator_stops_and_starts_is_his_business() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > by-hand job
  302.000000   job Running -> Stopped: StoppedByHand
  302.000000   job failed: StoppedByHand: Nothing
  302.000000   save a epoch 1 active maintenance until None
310.000000 > services
  310.000000   job is Stopped wanted restarts 0 moves 0
311.000000 > running job
  311.000000   job Stopped -> Running: StartedByHand
  311.000000   save a epoch 1 active maintenance until None
312.000000 > services
  312.000000   job is Running wanted well restarts 0 moves 0
313.000000 > maintained
  313.000000   MaintenanceEnded { expired: false }
  313.000000   answer 1 Done
  313.000000   save a epoch 1 active
314.000000 > services
  314.000000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn what_an_operator_stopped_is_looked_after_again() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > by-hand job
  302.000000   job Running -> Stopped: StoppedByHand
  302.000000   job failed: StoppedByHand: Nothing
  302.000000   save a epoch 1 active maintenance until None
310.000000 > maintained
  310.000000   MaintenanceEnded { expired: false }
  310.000000   answer 1 Done
  310.000000   save a epoch 1 active
  310.000000   job Stopped -> Starting: Role
  310.000000   job Start
",
    );
}

#[test]
fn a_hold_is_an_operators_word() {
    check(
        "
router a priority 200 interval 100
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > hold a operator
  302.000000   Held { router: RouterId(0), by: Operator }
  302.000000   answer 1 Done
  302.000000   save a epoch 1 active held by Operator maintenance until None
  302.000000   job Running -> Stopping: Role
  302.000000   job Stop
303.000000 > gone job exit 0
  303.000000   job Stopping -> Stopped: Done
  303.000000   a advertise 0
  303.000000   a resigned
  303.000000   a Active -> Backup: LetGo
  303.000000   a releases its addresses
  303.000000   desired nothing
  303.000000   a notify Backup 200
  303.000000   job hook RoleChanged Backup epoch 1
  303.000000   save a epoch 1 held by Operator maintenance until None
  303.000000   job AssessReadiness
",
    );
}

#[test]
fn the_daemon_can_be_stopped() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > stop
  302.000000   job Running -> Stopping: Role
  302.000000   job Stop
303.000000 > gone job exit 0
  303.000000   job Stopping -> Stopped: Done
  303.000000   a advertise 0
  303.000000   a resigned
  303.000000   a Active -> Initialize: Stopped
  303.000000   a notify Stop 200
  303.000000   job hook RoleChanged Initialize epoch 1
  303.000000   job AssessReadiness
  303.000000   stopped
",
    );
}

#[test]
fn a_start_that_hangs_is_ended_and_left_alone() {
    check(
        "
router a priority 200 interval 100 addresses none
service job start_timeout 3
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
  303.218750   job Starting -> Stopping: TimedOut
  303.218750   job Stop
  303.218750   job failed: StartTimedOut: Nothing
304.000000 > gone job exit 0
  304.000000   job Stopping -> Stopped: Done
  304.000000   save a epoch 1 active maintenance until None
310.000000 > services
  310.000000   job is Stopped wanted restarts 0 moves 0
311.000000 > maintained
  311.000000   MaintenanceEnded { expired: false }
  311.000000   answer 1 Done
  311.000000   save a epoch 1 active
  311.000000   job Stopped -> Starting: Role
  311.000000   job Start
",
    );
}

#[test]
fn an_end_without_a_beginning_is_none() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > maintained
    2.000000   answer 1 Done
",
    );
}

/// A router without services does not take over either.
#[test]
fn it_is_there_without_services_too() {
    check(
        "
router a priority 200 interval 100
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
2.000000 > maintain 400
    2.000000   MaintenanceBegun { span: Some(400s), node: this node }
    2.000000   answer 1 Done
    2.000000   save maintenance until Some(1700000402)
301.000000 > view
  301.000000   a is Backup priority 200/200 interval 100s down at 600.437500
  402.000000   MaintenanceEnded { expired: true }
  402.000000   save
402.000000 > wait
  600.437500   a Backup -> Active: ActiveDownTimer
  600.437500   a advertise 200
  600.437500   a wants its addresses
  600.437500   desired 192.0.2.100/24@eth0
  600.437500   a announcing eth0 192.0.2.100
  600.437500   announce eth0 192.0.2.100
  600.437500   a notify Active 200
601.000000 > view
  601.000000   a is Active priority 200/200 interval 100s
",
    );
}

/// Where a cable is pulled the service goes on, but not when another node has had that part of the group meanwhile.
#[test]
fn what_another_node_has_a_part_of_does_not_go_on_without_its_cable() {
    check(
        "
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 link eth1 priority 200 interval 100 addresses none
group G b,a
service job of a
link eth0 up 192.0.2.1
link eth1 up 198.51.100.1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active b epoch 1 active maintenance until None
302.000000 > link eth1 down
  302.000000   eth1 Down
  302.000000   a fault: Member b
  302.000000   b fault: LinkDown eth1
  302.000000   b fault: NoPrimaryAddress
  302.000000   b advertise 0
  302.000000   b resigned
  302.000000   b Active -> Initialize: Fault
  302.000000   b releases its addresses
  302.000000   desired nothing
  302.000000   b notify Fault 200
  302.000000   HandoverUnordered { router: RouterId(1) }
  302.000000   GroupChanged { group: G, kind: Fault }
  302.000000   G notify Fault
303.000000 > link eth1 up 198.51.100.1
  303.000000   eth1 Up
  303.000000   a fault gone: Member b
  303.000000   b fault gone: LinkDown eth1
  303.000000   b fault gone: NoPrimaryAddress
  303.000000   b Initialize -> Backup: FaultsCleared
  303.000000   b notify Backup 200
304.000000 > hear 198.51.100.2 250 for b
  304.000000   b follows 198.51.100.2
  304.000000   save a epoch 1 active b epoch 1 maintenance until None
305.000000 > link eth1 down
  305.000000   eth1 Down
  305.000000   a fault: Member b
  305.000000   b fault: LinkDown eth1
  305.000000   b fault: NoPrimaryAddress
  305.000000   b Backup -> Initialize: Fault
  305.000000   b notify Fault 200
  305.000000   job Running -> Stopping: Role
  305.000000   job Stop
",
    );
}
