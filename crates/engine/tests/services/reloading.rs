//! A new configuration.

use crate::common::timeline::check;

#[test]
fn figures_disturb_nobody() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 0/60
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
service job restart 1/60
302.000000 > gone job exit 1
  302.000000   job Running -> Stopped: Ended(Exited(1))
  302.000000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  302.000000   job Stopped -> Starting: Restart
  302.000000   job Start
",
    );
}

#[test]
fn new_checks_begin_at_once() {
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
300.670000 > reconfigure
router a priority 200 interval 100 addresses none
service job check http interval 1 timeout 0.5 fall 2
  300.670000   end web Terminate
  300.670000   run http
300.680000 > exit web 0
300.690000 > exit http 0
  300.690000   http returned Exited(0)
  300.690000   http succeeded
300.700000 > services
  300.700000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn new_timers_begin_anew() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 100
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
service job every 5
  306.000000   job hook WhileActive(0) Active epoch 1
  311.000000   job hook WhileActive(0) Active epoch 1
312.000000 > wait
",
    );
}

/// It has run without any until now.
#[test]
fn first_timers_begin_with_the_reload() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
service job every 5
  306.000000   job hook WhileActive(0) Active epoch 1
307.000000 > wait
",
    );
}

#[test]
fn timers_that_stay_go_on() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
304.000000 > reconfigure
router a priority 200 interval 100 addresses none
service job every 5 restart 2/60
  305.500000   job hook WhileActive(0) Active epoch 1
306.000000 > wait
",
    );
}

#[test]
fn new_timers_of_what_starts_wait_until_it_runs() {
    check(
        "
router a priority 200 interval 100 addresses none
service job every 100
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
service job every 5
310.000000 > running job
  310.000000   job Starting -> Running: Done
  310.000000   job hook TakenOver Active epoch 1
  310.000000   save a epoch 1 active
  315.000000   job hook WhileActive(0) Active epoch 1
316.000000 > wait
",
    );
}

#[test]
fn a_router_that_joins_ahead_of_the_others_keeps_nobody_waiting() {
    check(
        "
router a vrid 51 priority 200 interval 100 addresses none
group G a
service job of a every 5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
304.000000 > reconfigure
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
group G b,a
service job of a every 5
  304.000000   b Initialize -> Backup: Started
  304.000000   b notify Backup 200
  304.000000   save a epoch 1 active b epoch 1 active
  305.500000   job hook WhileActive(0) Active epoch 1
  310.500000   job hook WhileActive(0) Active epoch 1
311.000000 > wait
",
    );
}

#[test]
fn what_is_begun_by_hand_is_taken_over_when_its_own_router_has_joined() {
    check(
        "
router a vrid 51 priority 200 interval 100 addresses none
group G a
300.500000 > settle
  300.500000   a is Active priority 200/200 interval 100s
300.600000 > maintain
  300.600000   MaintenanceBegun { span: None, node: this node }
  300.600000   answer 1 Done
  300.600000   save maintenance until None
301.000000 > reconfigure
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
group G a,b
service job of b
  301.000000   job Watch
  301.000000   b Initialize -> Backup: Started
  301.000000   b notify Backup 200
  301.000000   job hook RoleChanged Backup epoch 1
  301.000000   save a epoch 1 active maintenance until None
302.000000 > gone job
  302.000000   job Unknown -> Stopped: Found
303.000000 > running job
  303.000000   job Stopped -> Running: StartedByHand
  400.218750   a advertise 200
  500.218750   a advertise 200
  600.218750   a advertise 200
  601.218750   b Backup -> Active: Resumed
  601.218750   b advertise 200
  601.218750   b wants its addresses
  601.218750   desired nothing
  601.218750   b notify Active 200
  601.218750   job hook RoleChanged Active epoch 1
  601.218750   save a epoch 1 active b epoch 1 active maintenance until None
  601.218750   job hook TakenOver Active epoch 1
  601.218750   save a epoch 1 active b epoch 1 active maintenance until None
620.000000 > wait
",
    );
}

#[test]
fn a_new_service_is_started_where_the_role_is() {
    check(
        "
router a priority 200 interval 100 addresses none
service one
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   one is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
service one
service two
  301.000000   two Watch
301.001000 > gone two
  301.001000   two Unknown -> Stopped: Found
  301.001000   two Stopped -> Starting: Role
  301.001000   two Start
301.500000 > running two
  301.500000   two Starting -> Running: Done
  301.500000   two hook TakenOver Active epoch 1
  301.500000   save a epoch 1 active
",
    );
}

#[test]
fn a_service_that_moves_to_another_router() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 100 interval 100 addresses none
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Backup priority 100/100 interval 100s down at 300.609375
  300.500000   job is Running wanted well restarts 0 moves 0
300.600000 > hear 192.0.2.2 250 for b
  300.600000   b follows 192.0.2.2
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 100 interval 100 addresses none
service job of b
  301.000000   save
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > gone job exit 0
  301.500000   job Stopping -> Stopped: Done
  301.500000   job AssessReadiness
",
    );
}

/// Both are Active here, so that what runs goes on; the router that it was taken from has no more to do with it.
#[test]
fn a_service_that_moves_to_another_router_that_is_active() {
    check(
        "
router a priority 200 interval 100
router b vrid 52 priority 200 interval 100
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100
router b vrid 52 priority 200 interval 100
service job of b
  301.000000   save b epoch 1 active (2 times)
302.000000 > hold a operator
  302.000000   Held { router: RouterId(0), by: Operator }
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Backup: LetGo
  302.000000   a releases its addresses
  302.000000   desired 192.0.2.100/24@eth0
  302.000000   a notify Backup 200
  302.000000   answer 1 Done
  302.000000   save a epoch 1 held by Operator b epoch 1 active
303.000000 > services
  303.000000   job is Running wanted well restarts 0 moves 0
",
    );
}

/// Both routers are Active: what was to be told of the one is told of the other, and not again when it comes back.
#[test]
fn a_service_that_moves_while_it_starts_is_taken_over_once() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
service job of a
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   b is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
service job of b
  301.000000   save b epoch 1 active
302.000000 > running job
  302.000000   job Starting -> Running: Done
  302.000000   job hook TakenOver Active epoch 1
  302.000000   save b epoch 1 active
303.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
service job of a
  303.000000   save a epoch 1 active (2 times)
304.000000 > wait
",
    );
}

/// It resigns at once, although its service is still ending: that is another router's now, which does not have the role.
#[test]
fn a_router_whose_service_goes_to_another_waits_for_nothing() {
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
service job of b
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Stopped
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Deleted 200
  301.000000   save
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > gone job exit 0
  301.500000   job Stopping -> Stopped: Done
  301.500000   job AssessReadiness
",
    );
}

/// A reload puts a router into a group that is Active, and it has had the role before, on its own: that it joins is a new taking,
/// although what the group has runs on.
#[test]
fn a_router_that_joins_a_group_takes_the_role_anew() {
    check(
        "
router a priority 200 interval 100
router b vrid 52 priority 200 interval 100 addresses none
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hear 192.0.2.2 250 for b
  301.000000   b advertise 200
  301.000000   b Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   b releases its addresses
  301.000000   desired 192.0.2.100/24@eth0
  301.000000   b notify Backup 200
302.000000 > reconfigure
router a priority 200 interval 100
router b vrid 52 priority 200 interval 100 addresses none
group G a,b
service job of a
  302.000000   save a epoch 1 active b epoch 1
303.000000 > hear 192.0.2.2 0 for b
  303.000000   b hears 192.0.2.2 resign
  303.218750   b Backup -> Active: ActiveResigned
  303.218750   b advertise 200
  303.218750   b wants its addresses
  303.218750   desired 192.0.2.100/24@eth0
  303.218750   b notify Active 200
  303.218750   save a epoch 1 active b epoch 2 active (2 times)
  303.218750   GroupChanged { group: G, kind: Active }
  303.218750   G notify Active
304.000000 > services
  304.000000   job is Running wanted well restarts 0 moves 0
",
    );
}

/// It has not come up when a router joins its group, so that the role is of a newer epoch when it has.
#[test]
fn a_take_over_is_told_although_a_router_has_joined_meanwhile() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
service job of a
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   b is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
301.000000 > hear 192.0.2.2 250 for b
  301.000000   b advertise 200
  301.000000   b Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.000000   b releases its addresses
  301.000000   desired nothing
  301.000000   b notify Backup 200
302.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
group G a,b
service job of a
  302.000000   save a epoch 1 active b epoch 1
303.000000 > hear 192.0.2.2 0 for b
  303.000000   b hears 192.0.2.2 resign
  303.218750   b Backup -> Active: ActiveResigned
  303.218750   b advertise 200
  303.218750   b wants its addresses
  303.218750   desired nothing
  303.218750   b notify Active 200
  303.218750   save a epoch 1 active b epoch 2 active
  303.218750   GroupChanged { group: G, kind: Active }
  303.218750   G notify Active
304.000000 > running job
  304.000000   job Starting -> Running: Done
  304.000000   job hook TakenOver Active epoch 2
  304.000000   save a epoch 1 active b epoch 2 active
305.000000 > wait
",
    );
}

/// It is the first time that this router is Active, as it was for the former one.
#[test]
fn a_service_that_moves_to_another_router_is_taken_over_there() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 100 interval 100 addresses none
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Backup priority 100/100 interval 100s down at 300.609375
  300.500000   job is Running wanted well restarts 0 moves 0
300.600000 > hear 192.0.2.2 250 for b
  300.600000   b follows 192.0.2.2
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 100 interval 100 addresses none
service job of b
  301.000000   save
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > gone job exit 0
  301.500000   job Stopping -> Stopped: Done
  301.500000   job AssessReadiness
302.000000 > hear 192.0.2.2 0 for b
  302.000000   b hears 192.0.2.2 resign
  302.609375   b Backup -> Active: ActiveResigned
  302.609375   b advertise 100
  302.609375   b wants its addresses
  302.609375   desired nothing
  302.609375   b notify Active 100
  302.609375   job hook RoleChanged Active epoch 1
  302.609375   save b epoch 1 active
  302.609375   job Stopped -> Starting: Role
  302.609375   job Start
303.500000 > running job
  303.500000   job Starting -> Running: Done
  303.500000   job hook TakenOver Active epoch 1
  303.500000   save b epoch 1 active
304.000000 > wait
",
    );
}

/// A reload takes several routers of a group away, the one that spoke for it among them: whoever is left stands back as they did.
#[test]
fn a_router_that_is_left_of_a_group_stands_back_as_it_did() {
    check(
        "
router a priority 200 interval 100
router b vrid 52 priority 200 interval 100 addresses none
router c vrid 53 priority 200 interval 100 addresses none
group G a,b,c
service job of c
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   c is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hold a operator
  301.000000   Held { router: RouterId(0), by: Operator }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active held by Operator b epoch 1 active c epoch 1 active
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Backup: LetGo
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Backup 200
  302.000000   b advertise 0
  302.000000   b resigned
  302.000000   b Active -> Backup: LetGo
  302.000000   b releases its addresses
  302.000000   desired nothing
  302.000000   b notify Backup 200
  302.000000   c advertise 0
  302.000000   c resigned
  302.000000   c Active -> Backup: LetGo
  302.000000   c releases its addresses
  302.000000   desired nothing
  302.000000   c notify Backup 200
  302.000000   job hook RoleChanged Backup epoch 1
  302.000000   save a epoch 1 held by Operator b epoch 1 c epoch 1
  302.000000   job AssessReadiness
  302.000000   GroupChanged { group: G, kind: Backup }
  302.000000   G notify Backup
302.500000 > hear 192.0.2.2 100 for c
  302.500000   c follows 192.0.2.2
303.000000 > reconfigure
router c vrid 53 priority 200 interval 100 addresses none
service job of c
  303.000000   a Backup -> Initialize: Stopped
  303.000000   a notify Deleted 200
  303.000000   b Backup -> Initialize: Stopped
  303.000000   b notify Deleted 200
  303.000000   save c epoch 1 held by Operator
304.000000 > release c operator
  304.000000   Released { router: RouterId(0), by: Operator }
  304.000000   answer 1 Done
  304.000000   save c epoch 1
",
    );
}

#[test]
fn who_stood_back_and_joins_a_group_that_does_not_is_told_of() {
    check(
        "
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
router c vrid 53 priority 200 interval 100 addresses none
group G a,b
300.500000 > settle
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Active priority 200/200 interval 100s
  300.500000   c is Active priority 200/200 interval 100s
301.000000 > hold c operator
  301.000000   Held { router: RouterId(2), by: Operator }
  301.000000   c advertise 0
  301.000000   c resigned
  301.000000   c Active -> Backup: LetGo
  301.000000   c releases its addresses
  301.000000   desired nothing
  301.000000   c notify Backup 200
  301.000000   answer 1 Done
  301.000000   save c epoch 1 held by Operator
302.000000 > reconfigure
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 priority 200 interval 100 addresses none
router c vrid 53 priority 200 interval 100 addresses none
group G a,b,c
  302.000000   Released { router: RouterId(2), by: Operator }
  302.000000   save
303.000000 > wait
",
    );
}

/// Its service is ending, and only then may another node have the role in which it still starts it.
#[test]
fn a_router_waits_for_a_service_that_goes_to_one_that_is_not_active() {
    check(
        "
router a priority 200 interval 100 addresses none
router b vrid 52 priority 100 interval 100 addresses none
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   b is Backup priority 100/100 interval 100s down at 300.609375
  300.500000   job is Running wanted well restarts 0 moves 0
300.600000 > hear 192.0.2.2 250 for b
  300.600000   b follows 192.0.2.2
301.000000 > reconfigure
router a priority 200 interval 100 addresses none
router b vrid 52 priority 100 interval 100 addresses none
service job of b
  301.000000   save
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
302.000000 > hold a operator
  302.000000   Held { router: RouterId(0), by: Operator }
  302.000000   answer 1 Done
  302.000000   save a epoch 1 active held by Operator
303.000000 > gone job exit 0
  303.000000   job Stopping -> Stopped: Done
  303.000000   a advertise 0
  303.000000   a resigned
  303.000000   a Active -> Backup: LetGo
  303.000000   a releases its addresses
  303.000000   desired nothing
  303.000000   a notify Backup 200
  303.000000   save a epoch 1 held by Operator
  303.000000   job AssessReadiness
",
    );
}

/// The address from which it will speak is still looked for by others: it waits for that, and the group goes on.
#[test]
fn a_router_that_joins_a_group_and_whose_address_is_tentative_disturbs_nobody() {
    check(
        "
router a vrid 51 priority 200 interval 100 addresses none
group G a
service job of a
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > reconfigure
router a vrid 51 priority 200 interval 100 addresses none
router b vrid 52 link eth1 priority 200 interval 100 addresses none
group G a,b
service job of a
301.000000 > link eth1 up 198.51.100.1?
  301.000000   eth1 Up
302.000000 > view
  302.000000   a is Active priority 200/200 interval 100s
  302.000000   b is Initialize priority 200/200 interval 100s fault PrimaryAddressTentative
303.000000 > link eth1 up 198.51.100.1
  303.000000   b Initialize -> Backup: Started
  303.000000   b notify Backup 200
304.000000 > view
  304.000000   a is Active priority 200/200 interval 100s
  304.000000   b is Backup priority 200/200 interval 100s down at 603.218750
",
    );
}
