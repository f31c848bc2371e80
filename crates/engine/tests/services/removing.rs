//! A new configuration that no longer has a service, its router or its pair.

use crate::common::timeline::check;

#[test]
fn a_service_that_is_no_longer_mentioned_is_stopped() {
    check(
        "
router a priority 200 interval 100 addresses none
service one
service two
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   one is Running wanted well restarts 0 moves 0
  300.500000   two is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
service one
  301.000000   save a epoch 1 active
  301.000000   two Running -> Stopping: Removed
  301.000000   two Stop
302.000000 > gone two exit 0
  302.000000   two Stopping -> Stopped: Done
  302.000000   two Forget
303.000000 > hold a operator
  303.000000   Held { router: RouterId(0), by: Operator }
  303.000000   answer 1 Done
  303.000000   save a epoch 1 active held by Operator
  303.000000   one Running -> Stopping: Role
  303.000000   one Stop
304.000000 > gone one exit 0
  304.000000   one Stopping -> Stopped: Done
  304.000000   a advertise 0
  304.000000   a resigned
  304.000000   a Active -> Backup: LetGo
  304.000000   a releases its addresses
  304.000000   desired nothing
  304.000000   a notify Backup 200
  304.000000   one hook RoleChanged Backup epoch 1
  304.000000   save a epoch 1 held by Operator
  304.000000   one AssessReadiness
",
    );
}

/// In maintenance it is somebody else's from now on, running or not.
#[test]
fn a_service_that_is_taken_out_in_maintenance_is_left_as_it_is() {
    check(
        "
router a priority 200 interval 100 addresses none
service one
service two
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   one is Running wanted well restarts 0 moves 0
  300.500000   two is Running wanted well restarts 0 moves 0
301.000000 > maintain
  301.000000   MaintenanceBegun { span: None, node: this node }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active maintenance until None
302.000000 > reconfigure
router a priority 200 interval 100 addresses none
service one
  302.000000   two Forget
  302.000000   save a epoch 1 active maintenance until None
303.000000 > maintained
  303.000000   MaintenanceEnded { expired: false }
  303.000000   answer 1 Done
  303.000000   save a epoch 1 active
304.000000 > services
  304.000000   one is Running wanted well restarts 0 moves 0
",
    );
}

/// Nobody else is known: the hold alone moves nothing.
#[test]
fn a_pair_that_is_removed_is_not_asked_any_more() {
    check(
        "
router a priority 200 interval 100
pair heartbeat 1000000 dead_after 5000000
301.000000 > settle
  301.000000   a is Active priority 200/200 interval 100s
302.000000 > hold a operator
  302.000000   Held { router: RouterId(0), by: Operator }
  302.000000   answer 1 Done
  302.000000   save a epoch 1 active held by Operator
  302.000000   say 0
303.000000 > reconfigure
router a priority 200 interval 100
304.000000 > hear 192.0.2.2 100
  304.000000   a answers 100 from 192.0.2.2 with 200
  304.000000   a advertise 200
  304.000000   a announcing eth0 192.0.2.100
  304.000000   announce eth0 192.0.2.100
  304.000000   a notify ActiveHeardLowerPriority 200
  404.000000   a advertise 200
  504.000000   a advertise 200
  604.000000   a advertise 200
  704.000000   a advertise 200
  804.000000   a advertise 200
900.000000 > wait
",
    );
}

/// A router goes together with its service: it resigns at once, and the service is looked after until it is gone.
#[test]
fn a_router_goes_together_with_its_service() {
    check(
        "
router a priority 200 interval 100
router b vrid 52 priority 100 interval 100 addresses none
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Backup priority 100/100 interval 100s down at 300.609375
  300.500000   job is Running wanted well restarts 0 moves 0
300.600000 > hear 192.0.2.2 250 for b
  300.600000   b follows 192.0.2.2
301.000000 > reconfigure
router b vrid 52 priority 100 interval 100 addresses none
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Stopped
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Deleted 200
  301.000000   save
  301.000000   job Running -> Stopping: Removed
  301.000000   job Stop
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job Forget
303.000000 > stop
  303.000000   b Backup -> Initialize: Stopped
  303.000000   b notify Stop 100
  303.000000   stopped
",
    );
}

/// And when the daemon is stopped meanwhile, it waits for that, too.
#[test]
fn a_service_that_was_removed_is_waited_for_by_a_stop() {
    check(
        "
router a priority 200 interval 100
router b vrid 52 priority 100 interval 100 addresses none
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Backup priority 100/100 interval 100s down at 300.609375
  300.500000   job is Running wanted well restarts 0 moves 0
300.600000 > hear 192.0.2.2 250 for b
  300.600000   b follows 192.0.2.2
301.000000 > reconfigure
router b vrid 52 priority 100 interval 100 addresses none
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Stopped
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Deleted 200
  301.000000   save
  301.000000   job Running -> Stopping: Removed
  301.000000   job Stop
301.500000 > stop
  301.500000   b Backup -> Initialize: Stopped
  301.500000   b notify Stop 100
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job Forget
  302.000000   stopped
",
    );
}

/// What was removed and comes back while it is ending is one and the same: nothing is killed that was started since.
#[test]
fn a_service_that_was_removed_comes_back() {
    check(
        "
router a priority 200 interval 100
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Stopped
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Deleted 200
  301.000000   save
  301.000000   job Running -> Stopping: Removed
  301.000000   job Stop
301.500000 > reconfigure
router a priority 200 interval 100
service job of a
  301.500000   a Initialize -> Backup: Started
  301.500000   a notify Backup 200
  301.500000   job hook RoleChanged Backup epoch 0
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job AssessReadiness
601.000000 > services
  601.000000   job is Stopped restarts 0 moves 0
",
    );
}

/// It is asked after all the same, and is ended if it runs.
#[test]
fn a_service_that_is_taken_out_before_anybody_has_seen_it_is_ended() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > start
    1.000000   job Watch
    1.000000   a Initialize -> Backup: Started
    1.000000   a notify Backup 200
    1.000000   job hook RoleChanged Backup epoch 0
2.000000 > reconfigure
router a priority 200 interval 100 addresses none
3.000000 > running job
    3.000000   job Unknown -> Running: Found
    3.000000   job Running -> Stopping: Removed
    3.000000   job Stop
4.000000 > gone job exit 0
    4.000000   job Stopping -> Stopped: Done
    4.000000   job AssessReadiness
    4.000000   job Forget
",
    );
}

#[test]
fn in_maintenance_what_nobody_has_seen_is_left_to_whoever_takes_it_out() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > start
    1.000000   job Watch
    1.000000   a Initialize -> Backup: Started
    1.000000   a notify Backup 200
    1.000000   job hook RoleChanged Backup epoch 0
2.000000 > reconfigure
router a priority 200 interval 100 addresses none
3.000000 > maintain
    3.000000   MaintenanceBegun { span: None, node: this node }
    3.000000   answer 1 Done
    3.000000   save maintenance until None
    3.000000   job Forget
4.000000 > running job
",
    );
}

/// Its router has the role all the time; what begins anew is told of that.
#[test]
fn a_service_that_was_removed_and_comes_back_takes_over_anew() {
    check(
        "
router a priority 200 interval 100
service job of a
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
300.400000 > running job
  300.400000   job Starting -> Running: Done
  300.400000   job hook TakenOver Active epoch 1
  300.400000   save a epoch 1 active
301.000000 > reconfigure
router a priority 200 interval 100
  301.000000   save
  301.000000   job Running -> Stopping: Removed
  301.000000   job Stop
301.500000 > reconfigure
router a priority 200 interval 100
service job of a
  301.500000   save a epoch 1 active
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job Stopped -> Starting: Role
  302.000000   job Start
303.000000 > running job
  303.000000   job Starting -> Running: Done
  303.000000   job hook TakenOver Active epoch 1
  303.000000   save a epoch 1 active
",
    );
}
