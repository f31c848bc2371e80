//! The role goes: it is kept, with its addresses, until the last of the service is gone, if that keeps anybody from starting.

use crate::common::timeline::check;

#[test]
fn a_fault_waits_for_the_service() {
    check(
        "
router a priority 200 interval 100 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > link eth1 down
  301.000000   eth1 Down
  301.000000   a fault: LinkDown eth1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.100000 > view
  301.100000   a is Active priority 200/200 interval 100s fault LinkDown eth1
303.000000 > gone job exit 0
  303.000000   job Stopping -> Stopped: Done
  303.000000   a advertise 0
  303.000000   a resigned
  303.000000   a Active -> Initialize: Fault
  303.000000   a releases its addresses
  303.000000   desired nothing
  303.000000   a notify Fault 200
  303.000000   job hook RoleChanged Initialize epoch 1
  303.000000   job AssessReadiness
303.100000 > view
  303.100000   a is Initialize priority 200/200 interval 100s fault LinkDown eth1
",
    );
}

/// The service is started again, and the role was never gone. That is no take-over.
#[test]
fn a_fault_that_goes_in_time_is_none() {
    check(
        "
router a priority 200 interval 100 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > link eth1 down
  301.000000   eth1 Down
  301.000000   a fault: LinkDown eth1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > link eth1 up
  301.500000   eth1 Up
  301.500000   a fault gone: LinkDown eth1
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job Stopped -> Starting: Role
  302.000000   job Start
302.500000 > running job
  302.500000   job Starting -> Running: Done
",
    );
}

#[test]
fn without_its_own_network_it_waits_for_nothing() {
    check(
        "
router a priority 200 interval 100
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > link eth0 down
  301.000000   eth0 Down
  301.000000   a fault: LinkDown eth0
  301.000000   a fault: NoPrimaryAddress
  301.000000   a advertise 0
  301.000000   a resigned
  301.000000   a Active -> Initialize: Fault
  301.000000   a releases its addresses
  301.000000   desired nothing
  301.000000   a notify Fault 200
  301.000000   HandoverUnordered { router: RouterId(0) }
  301.000000   job hook RoleChanged Initialize epoch 1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
303.000000 > gone job exit 0
  303.000000   job Stopping -> Stopped: Done
  303.000000   job AssessReadiness
",
    );
}

#[test]
fn without_its_own_network_a_role_that_is_going_is_gone() {
    check(
        "
router a priority 200 interval 100 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > link eth1 down
  301.000000   eth1 Down
  301.000000   a fault: LinkDown eth1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > link eth0 down 192.0.2.1
  301.500000   eth0 Down
  301.500000   a fault: LinkDown eth0
  301.500000   a advertise 0
  301.500000   a resigned
  301.500000   a Active -> Initialize: Fault
  301.500000   a releases its addresses
  301.500000   desired nothing
  301.500000   a notify Fault 200
  301.500000   HandoverUnordered { router: RouterId(0) }
  301.500000   job hook RoleChanged Initialize epoch 1
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job AssessReadiness
",
    );
}

#[test]
fn it_goes_on_advertising_meanwhile() {
    check(
        "
router a priority 200 interval 1 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
service job stop_timeout 60
3.500000 > serve
    3.500000   a is Active priority 200/200 interval 1s
    3.500000   job is Running wanted well restarts 0 moves 0
4.000000 > link eth1 down
    4.000000   eth1 Down
    4.000000   a fault: LinkDown eth1
    4.000000   job Running -> Stopping: Role
    4.000000   job Stop
    4.218750   a advertise 200
    5.218750   a advertise 200
    6.218750   a advertise 200
7.000000 > gone job exit 0
    7.000000   job Stopping -> Stopped: Done
    7.000000   a advertise 0
    7.000000   a resigned
    7.000000   a Active -> Initialize: Fault
    7.000000   a releases its addresses
    7.000000   desired nothing
    7.000000   a notify Fault 200
    7.000000   job hook RoleChanged Initialize epoch 1
    7.000000   job AssessReadiness
",
    );
}

#[test]
fn a_better_router_waits_for_nobody() {
    check(
        "
router a priority 200 interval 100 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > link eth1 down
  301.000000   eth1 Down
  301.000000   a fault: LinkDown eth1
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > hear 192.0.2.2 250
  301.500000   a advertise 200
  301.500000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  301.500000   a releases its addresses
  301.500000   desired nothing
  301.500000   a Backup -> Initialize: Fault
  301.500000   a notify Fault 200
  301.500000   HandoverUnordered { router: RouterId(0) }
  301.500000   job hook RoleChanged Initialize epoch 1
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   job AssessReadiness
",
    );
}

#[test]
fn a_stop_waits_for_the_service() {
    check(
        "
router a priority 200 interval 100
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > stop
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Initialize: Stopped
  302.000000   job hook RoleChanged Initialize epoch 1
  302.000000   job AssessReadiness
303.000000 > hear 192.0.2.2 100
  303.000000   a releases its addresses
  303.000000   desired nothing
  303.000000   a notify Stop 200
  303.000000   stopped
",
    );
}

#[test]
fn a_stop_without_addresses_is_over_with_the_service() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > stop
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Initialize: Stopped
  302.000000   a notify Stop 200
  302.000000   job hook RoleChanged Initialize epoch 1
  302.000000   job AssessReadiness
  302.000000   stopped
",
    );
}

/// The service is killed; the daemon does not wait for that.
#[test]
fn asked_twice_it_waits_for_nothing() {
    check(
        "
router a priority 200 interval 100
service job stop_timeout 60
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > stop
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
302.000000 > stop
  302.000000   job Kill
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Initialize: Stopped
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Stop 200
  302.000000   HandoverUnordered { router: RouterId(0) }
  302.000000   job hook RoleChanged Initialize epoch 1
  302.000000   stopped
305.000000 > wait
",
    );
}

#[test]
fn a_standby_stops_at_once() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > stop
    2.000000   a Backup -> Initialize: Stopped
    2.000000   a notify Stop 200
    2.000000   job hook RoleChanged Initialize epoch 0
    2.000000   stopped
",
    );
}

/// Its manager never answered.
#[test]
fn a_standby_that_does_not_know_stops_as_well() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 0
2.000000 > stop
    2.000000   a Backup -> Initialize: Stopped
    2.000000   a notify Stop 200
    2.000000   job hook RoleChanged Initialize epoch 0
    2.000000   stopped
",
    );
}

#[test]
fn a_standby_whose_service_is_ending_waits_for_that() {
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
1.000000 > stop
    1.000000   a Backup -> Initialize: Stopped
    1.000000   a notify Stop 200
    1.000000   job hook RoleChanged Initialize epoch 0
2.000000 > gone job exit 0
    2.000000   job Stopping -> Stopped: Done
    2.000000   job AssessReadiness
    2.000000   stopped
",
    );
}

#[test]
fn nothing_was_started_so_nothing_is_stopped() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
0.000000 > stop
    0.000000   a Initialize -> Initialize: Stopped
    0.000000   a notify Stop 200
    0.000000   stopped
",
    );
}

/// And it does not come back while somebody has it.
#[test]
fn a_hold_lets_the_role_go() {
    check(
        "
router a priority 200 interval 100
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hold a down-file
  301.000000   Held { router: RouterId(0), by: DownFile }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active held by DownFile
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > view
  301.500000   a is Active priority 200/200 interval 100s
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Backup: LetGo
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Backup 200
  302.000000   job hook RoleChanged Backup epoch 1
  302.000000   save a epoch 1 held by DownFile
  302.000000   job AssessReadiness
302.300000 > hear 192.0.2.2 100
  302.300000   a follows 192.0.2.2
303.000000 > hear 192.0.2.2 100
304.000000 > release a down-file
  304.000000   Released { router: RouterId(0), by: DownFile }
  304.000000   answer 1 Done
  304.000000   save a epoch 1
305.000000 > hear 192.0.2.2 100
  305.000000   a ignores 100 from 192.0.2.2
",
    );
}

/// The role goes all the same: what was begun is done.
#[test]
fn a_hold_that_is_taken_back_in_time() {
    check(
        "
router a priority 200 interval 100
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > hold a down-file
  301.000000   Held { router: RouterId(0), by: DownFile }
  301.000000   answer 1 Done
  301.000000   save a epoch 1 active held by DownFile
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
301.500000 > release a down-file
  301.500000   Released { router: RouterId(0), by: DownFile }
  301.500000   answer 1 Done
  301.500000   save a epoch 1 active
302.000000 > gone job exit 0
  302.000000   job Stopping -> Stopped: Done
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Backup: LetGo
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Backup 200
  302.000000   job hook RoleChanged Backup epoch 1
  302.000000   save a epoch 1
  302.000000   job AssessReadiness
",
    );
}

#[test]
fn a_hold_on_a_standby_keeps_it_from_preempting() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > hold a down-file
    2.000000   Held { router: RouterId(0), by: DownFile }
    2.000000   answer 1 Done
    2.000000   save a epoch 0 held by DownFile
3.000000 > hear 192.0.2.2 100
    3.000000   a follows 192.0.2.2
4.000000 > hear 192.0.2.2 100
5.000000 > view
    5.000000   a is Backup priority 200/200 follows 192.0.2.2 100 interval 100s down at 304.218750
",
    );
}

#[test]
fn each_hold_is_taken_back_by_who_said_it() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
2.000000 > hold a down-file
    2.000000   Held { router: RouterId(0), by: DownFile }
    2.000000   answer 1 Done
    2.000000   save a epoch 0 held by DownFile
3.000000 > hold a operator
    3.000000   Held { router: RouterId(0), by: Operator }
    3.000000   answer 1 Done
    3.000000   save a epoch 0 held by Operator held by DownFile
4.000000 > hold a operator
    4.000000   answer 1 Done
5.000000 > release a operator
    5.000000   Released { router: RouterId(0), by: Operator }
    5.000000   answer 1 Done
    5.000000   save a epoch 0 held by DownFile
6.000000 > release a operator
    6.000000   answer 1 Done
7.000000 > hear 192.0.2.2 100
    7.000000   a follows 192.0.2.2
8.000000 > release a down-file
    8.000000   Released { router: RouterId(0), by: DownFile }
    8.000000   answer 1 Done
    8.000000   save
9.000000 > hear 192.0.2.2 100
    9.000000   a ignores 100 from 192.0.2.2
",
    );
}

#[test]
fn a_hold_without_services_is_one_too() {
    check(
        "
router a priority 200 interval 100
301.000000 > settle
  301.000000   a is Active priority 200/200 interval 100s
302.000000 > hold a down-file
  302.000000   Held { router: RouterId(0), by: DownFile }
  302.000000   a advertise 0
  302.000000   a resigned
  302.000000   a Active -> Backup: LetGo
  302.000000   a releases its addresses
  302.000000   desired nothing
  302.000000   a notify Backup 200
  302.000000   answer 1 Done
  302.000000   save a epoch 1 held by DownFile
303.000000 > hear 192.0.2.2 100
  303.000000   a follows 192.0.2.2
304.000000 > release a down-file
  304.000000   Released { router: RouterId(0), by: DownFile }
  304.000000   answer 1 Done
  304.000000   save
305.000000 > hear 192.0.2.2 100
  305.000000   a ignores 100 from 192.0.2.2
",
    );
}

#[test]
fn nothing_can_be_switched_without_a_peer() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > switch a here
  301.000000   answer 1 Done
302.000000 > switch a there
  302.000000   answer 1 Refused(NoPeer)
",
    );
}

#[test]
fn nothing_is_switched_while_the_daemon_stops() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
301.000000 > stop
  301.000000   job Running -> Stopping: Role
  301.000000   job Stop
302.000000 > switch a there
  302.000000   answer 1 Refused(Stopping)
",
    );
}

#[test]
fn who_overslept_gives_the_role_and_the_service_up() {
    check(
        "
router a priority 200 interval 100 addresses none
service job
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted well restarts 0 moves 0
801.000000 > late timer
  801.000000   a overslept by 400.78125s
  801.000000   a Active -> Backup: Overslept
  801.000000   a releases its addresses
  801.000000   desired nothing
  801.000000   a notify Backup 200
  801.000000   HandoverUnordered { router: RouterId(0) }
  801.000000   job hook RoleChanged Backup epoch 1
  801.000000   job Running -> Stopping: Role
  801.000000   job Stop
801.200000 > gone job exit 0
  801.200000   job Stopping -> Stopped: Done
  801.200000   job AssessReadiness
",
    );
}
