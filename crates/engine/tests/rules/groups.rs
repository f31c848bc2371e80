//! Sync groups: their routers are Active together or not at all.

use crate::common::timeline::check;

/// The last timer decides for all.
#[test]
fn they_become_active_together() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.300000 > view
    3.300000   a is Backup priority 200/200 interval 1s down at 6.437500
    3.300000   b is Backup priority 100/100 interval 1s down at 3.609375
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 200
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 200
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.000000 > view
    4.000000   a is Active priority 200/200 interval 1s
    4.000000   b is Active priority 100/100 interval 1s
",
    );
}

/// Who hears somebody better keeps the others out, too.
#[test]
fn none_becomes_active_alone() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    1.000000 > hear 192.0.2.2 150 for b
    1.000000   b follows 192.0.2.2
    2.000000 > hear 192.0.2.2 150 for b
    3.000000 > hear 192.0.2.2 150 for b
    4.000000 > hear 192.0.2.2 150 for b
    4.500000 > view
    4.500000   a is Backup priority 200/200 interval 1s down at 6.437500
    4.500000   b is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 7.609375
    7.609375   a Backup -> Active: ActiveDownTimer
    7.609375   a advertise 200
    7.609375   a wants its addresses
    7.609375   desired 192.0.2.100/24@eth0
    7.609375   a announcing eth0 192.0.2.100
    7.609375   announce eth0 192.0.2.100
    7.609375   a notify Active 200
    7.609375   b Backup -> Active: ActiveDownTimer
    7.609375   b advertise 100
    7.609375   b wants its addresses
    7.609375   desired 192.0.2.100/24@eth0
    7.609375   b announcing eth0 192.0.2.100
    7.609375   announce eth0 192.0.2.100
    7.609375   b notify Active 100
    7.609375   GroupChanged { group: G, kind: Active }
    7.609375   G notify Active
    8.609375   a advertise 200
    8.609375   b advertise 100
    9.000000 > view
    9.000000   a is Active priority 200/200 interval 1s
    9.000000   b is Active priority 100/100 interval 1s
",
    );
}

#[test]
fn a_fault_of_one_is_a_fault_of_all() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1 track_link eth1
group G a,b
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 200
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 200
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 200
    4.609375   b advertise 100
    5.000000 > link eth1 down
    5.000000   eth1 Down
    5.000000   a fault: Member b
    5.000000   a advertise 0
    5.000000   a resigned
    5.000000   a Active -> Initialize: Fault
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Fault 200
    5.000000   b fault: LinkDown eth1
    5.000000   b advertise 0
    5.000000   b resigned
    5.000000   b Active -> Initialize: Fault
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Fault 100
    5.000000   GroupChanged { group: G, kind: Fault }
    5.000000   G notify Fault
    5.100000 > view
    5.100000   a is Initialize priority 200/200 interval 1s fault Member b
    5.100000   b is Initialize priority 100/100 interval 1s fault LinkDown eth1
    6.000000 > link eth1 up
    6.000000   eth1 Up
    6.000000   a fault gone: Member b
    6.000000   a Initialize -> Backup: FaultsCleared
    6.000000   a notify Backup 200
    6.000000   b fault gone: LinkDown eth1
    6.000000   b Initialize -> Backup: FaultsCleared
    6.000000   b notify Backup 100
    6.000000   GroupChanged { group: G, kind: Backup }
    6.000000   G notify Backup
    6.100000 > view
    6.100000   a is Backup priority 200/200 interval 1s down at 9.218750
    6.100000   b is Backup priority 100/100 interval 1s down at 9.609375
",
    );
}

/// Two reasons have to go, not one of them.
#[test]
fn a_fault_that_is_left_keeps_all_out() {
    check(
        "
router a vrid 51 priority 200 interval 1 track_link eth1
router b vrid 52 priority 100 interval 1 track_link eth2
group G a,b
link eth0 up 192.0.2.1
link eth1 up
link eth2 up
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 200
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 200
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 200
    4.609375   b advertise 100
    5.000000 > link eth1 down
    5.000000   eth1 Down
    5.000000   a fault: LinkDown eth1
    5.000000   a advertise 0
    5.000000   a resigned
    5.000000   a Active -> Initialize: Fault
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Fault 200
    5.000000   b fault: Member a
    5.000000   b advertise 0
    5.000000   b resigned
    5.000000   b Active -> Initialize: Fault
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Fault 100
    5.000000   GroupChanged { group: G, kind: Fault }
    5.000000   G notify Fault
    5.100000 > link eth2 down
    5.100000   eth2 Down
    5.100000   a fault: Member b
    5.100000   b fault: LinkDown eth2
    6.000000 > link eth1 up
    6.000000   eth1 Up
    6.000000   a fault gone: LinkDown eth1
    6.000000   b fault gone: Member a
    6.100000 > view
    6.100000   a is Initialize priority 200/200 interval 1s fault Member b
    6.100000   b is Initialize priority 100/100 interval 1s fault LinkDown eth2
    7.000000 > link eth2 up
    7.000000   eth2 Up
    7.000000   a fault gone: Member b
    7.000000   a Initialize -> Backup: FaultsCleared
    7.000000   a notify Backup 200
    7.000000   b fault gone: LinkDown eth2
    7.000000   b Initialize -> Backup: FaultsCleared
    7.000000   b notify Backup 100
    7.000000   GroupChanged { group: G, kind: Backup }
    7.000000   G notify Backup
    7.100000 > view
    7.100000   a is Backup priority 200/200 interval 1s down at 10.218750
    7.100000   b is Backup priority 100/100 interval 1s down at 10.609375
",
    );
}

#[test]
fn a_check_that_has_not_run_holds_all_back() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1 track_script chk
script chk interval 1 timeout 1 rise 1 fall 1
group G a,b
    0.000000 > start
    0.000000   run chk
    0.500000 > view
    0.500000   a is Initialize priority 200/200 interval 1s fault ScriptPending chk
    0.500000   b is Initialize priority 100/100 interval 1s fault ScriptPending chk
    0.600000 > exit chk 0
    0.600000   chk returned Exited(0)
    0.600000   chk succeeded
    0.600000   a Initialize -> Backup: Started
    0.600000   a notify Backup 200
    0.600000   b Initialize -> Backup: Started
    0.600000   b notify Backup 100
    0.600000   GroupChanged { group: G, kind: Backup }
    0.600000   G notify Backup
    0.700000 > view
    0.700000   a is Backup priority 200/200 interval 1s down at 3.818750
    0.700000   b is Backup priority 100/100 interval 1s down at 4.209375
",
    );
}

#[test]
fn somebody_better_on_one_side_takes_all_out() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 200
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 200
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 200
    4.609375   b advertise 100
    5.000000 > hear 192.0.2.2 150 for b
    5.000000   b advertise 100
    5.000000   b Active -> Backup: HigherPriority 150 from 192.0.2.2
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Backup 100
    5.000000   a advertise 0
    5.000000   a resigned
    5.000000   a Active -> Backup: LetGo
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Backup 200
    5.000000   GroupChanged { group: G, kind: Backup }
    5.000000   G notify Backup
    5.100000 > view
    5.100000   a is Backup priority 200/200 interval 1s down at 8.218750
    5.100000   b is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 8.609375
",
    );
}

/// A member that joins an Active group waits until nobody else is heard, and disturbs nobody.
#[test]
fn a_new_member_joins() {
    check(
        "
router a vrid 51 priority 200 interval 1
group G a
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.218750   a Backup -> Active: ActiveDownTimer
    3.218750   a advertise 200
    3.218750   a wants its addresses
    3.218750   desired 192.0.2.100/24@eth0
    3.218750   a announcing eth0 192.0.2.100
    3.218750   announce eth0 192.0.2.100
    3.218750   a notify Active 200
    3.218750   GroupChanged { group: G, kind: Active }
    3.218750   G notify Active
    4.218750   a advertise 200
    5.000000 > reconfigure
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    5.000000   b Initialize -> Backup: Started
    5.000000   b notify Backup 100
    5.100000 > view
    5.100000   a is Active priority 200/200 interval 1s
    5.100000   b is Backup priority 100/100 interval 1s down at 8.609375
    5.218750   a advertise 200
    6.218750   a advertise 200
    7.218750   a advertise 200
    8.218750   a advertise 200
    8.609375   b Backup -> Active: ActiveDownTimer
    8.609375   b advertise 100
    8.609375   b wants its addresses
    8.609375   desired 192.0.2.100/24@eth0
    8.609375   b announcing eth0 192.0.2.100
    8.609375   announce eth0 192.0.2.100
    8.609375   b notify Active 100
    9.000000 > view
    9.000000   a is Active priority 200/200 interval 1s
    9.000000   b is Active priority 100/100 interval 1s
",
    );
}

#[test]
fn they_stop_together() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 200
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 200
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 200
    4.609375   b advertise 100
    5.000000 > stop
    5.000000   a advertise 0
    5.000000   a resigned
    5.000000   a Active -> Initialize: Stopped
    5.000000   b advertise 0
    5.000000   b resigned
    5.000000   b Active -> Initialize: Stopped
    6.096093   a releases its addresses
    6.096093   desired nothing
    6.096093   a notify Stop 200
    6.096093   b releases its addresses
    6.096093   desired nothing
    6.096093   b notify Stop 100
    6.096093   GroupChanged { group: G, kind: Stop }
    6.096093   G notify Stop
    6.096093   stopped
    6.500000 > wait
",
    );
}

/// The service of a group runs where all of them are Active, and none of them goes before it is gone.
#[test]
fn a_service_of_the_group() {
    check(
        "
router a vrid 51 priority 200 interval 1
router b vrid 52 priority 100 interval 1 track_link eth1
service job of b
group G a,b
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   job hook RoleChanged Backup epoch 0
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    0.000000 > gone job
    0.000000   job Unknown -> Stopped: Found
    0.000000   job AssessReadiness
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 200
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 200
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   job hook RoleChanged Active epoch 1
    3.609375   save a epoch 1 active b epoch 1 active
    3.609375   job Stopped -> Starting: Role
    3.609375   job Start
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.500000 > running job
    4.500000   job Starting -> Running: Done
    4.500000   job hook TakenOver Active epoch 1
    4.500000   save a epoch 1 active b epoch 1 active
    4.609375   a advertise 200
    4.609375   b advertise 100
    5.000000 > link eth1 down
    5.000000   eth1 Down
    5.000000   a fault: Member b
    5.000000   b fault: LinkDown eth1
    5.000000   job Running -> Stopping: Role
    5.000000   job Stop
    5.500000 > view
    5.500000   a is Active priority 200/200 interval 1s fault Member b
    5.500000   b is Active priority 100/100 interval 1s fault LinkDown eth1
    5.609375   a advertise 200
    5.609375   b advertise 100
    6.000000 > gone job exit 0
    6.000000   job Stopping -> Stopped: Done
    6.000000   a advertise 0
    6.000000   a resigned
    6.000000   a Active -> Initialize: Fault
    6.000000   a releases its addresses
    6.000000   desired nothing
    6.000000   a notify Fault 200
    6.000000   b advertise 0
    6.000000   b resigned
    6.000000   b Active -> Initialize: Fault
    6.000000   b releases its addresses
    6.000000   desired nothing
    6.000000   b notify Fault 100
    6.000000   job hook RoleChanged Initialize epoch 1
    6.000000   job AssessReadiness
    6.000000   GroupChanged { group: G, kind: Fault }
    6.000000   G notify Fault
    6.100000 > view
    6.100000   a is Initialize priority 200/200 interval 1s fault Member b
    6.100000   b is Initialize priority 100/100 interval 1s fault LinkDown eth1
",
    );
}

/// One other node takes it all and resigns it all: it is believed, however soon.
#[test]
fn all_of_it_is_resigned_by_one() {
    check(
        "
router a vrid 51 priority 100 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 100
    4.609375   b advertise 100
    5.000000 > hear 192.0.2.2 150 for a
    5.000000   a advertise 100
    5.000000   a Active -> Backup: HigherPriority 150 from 192.0.2.2
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Backup 100
    5.000000   b advertise 0
    5.000000   b resigned
    5.000000   b Active -> Backup: LetGo
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Backup 100
    5.000000   GroupChanged { group: G, kind: Backup }
    5.000000   G notify Backup
    5.000000 > hear 192.0.2.2 150 for b
    5.000000   b follows 192.0.2.2
    5.300000 > hear 192.0.2.2 0 for a
    5.300000   a hears 192.0.2.2 resign
    5.300000 > hear 192.0.2.2 0 for b
    5.300000   b hears 192.0.2.2 resign
    5.909375   a Backup -> Active: ActiveResigned
    5.909375   a advertise 100
    5.909375   a wants its addresses
    5.909375   desired 192.0.2.100/24@eth0
    5.909375   a announcing eth0 192.0.2.100
    5.909375   announce eth0 192.0.2.100
    5.909375   a notify Active 100
    5.909375   b Backup -> Active: ActiveResigned
    5.909375   b advertise 100
    5.909375   b wants its addresses
    5.909375   desired 192.0.2.100/24@eth0
    5.909375   b announcing eth0 192.0.2.100
    5.909375   announce eth0 192.0.2.100
    5.909375   b notify Active 100
    5.909375   GroupChanged { group: G, kind: Active }
    5.909375   G notify Active
    6.909375   a advertise 100
    6.909375   b advertise 100
    7.909375   a advertise 100
    7.909375   b advertise 100
    8.909375   a advertise 100
    8.909375   b advertise 100
    9.909375   a advertise 100
    9.909375   b advertise 100
   10.500000 > view
   10.500000   a is Active priority 100/100 interval 1s
   10.500000   b is Active priority 100/100 interval 1s
",
    );
}

/// Two other nodes have met and have resigned what each of them did not lose: they come back.
#[test]
fn all_of_it_is_resigned_by_several() {
    check(
        "
router a vrid 51 priority 100 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 100
    4.609375   b advertise 100
    5.000000 > hear 192.0.2.2 150 for a
    5.000000   a advertise 100
    5.000000   a Active -> Backup: HigherPriority 150 from 192.0.2.2
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Backup 100
    5.000000   b advertise 0
    5.000000   b resigned
    5.000000   b Active -> Backup: LetGo
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Backup 100
    5.000000   GroupChanged { group: G, kind: Backup }
    5.000000   G notify Backup
    5.000000 > hear 192.0.2.2 150 for b
    5.000000   b follows 192.0.2.2
    5.100000 > hear 192.0.2.3 120 for a
    5.100000   a follows 192.0.2.3 after 192.0.2.2
    5.100000 > hear 192.0.2.3 160 for b
    5.100000   b follows 192.0.2.3 after 192.0.2.2
    5.300000 > hear 192.0.2.3 0 for a
    5.300000   a hears 192.0.2.3 resign
    5.300000 > hear 192.0.2.2 0 for b
    5.300000   b hears 192.0.2.2 resign
   10.096093   a Backup -> Active: ActiveResigned
   10.096093   a advertise 100
   10.096093   a wants its addresses
   10.096093   desired 192.0.2.100/24@eth0
   10.096093   a announcing eth0 192.0.2.100
   10.096093   announce eth0 192.0.2.100
   10.096093   a notify Active 100
   10.096093   b Backup -> Active: ActiveResigned
   10.096093   b advertise 100
   10.096093   b wants its addresses
   10.096093   desired 192.0.2.100/24@eth0
   10.096093   b announcing eth0 192.0.2.100
   10.096093   announce eth0 192.0.2.100
   10.096093   b notify Active 100
   10.096093   GroupChanged { group: G, kind: Active }
   10.096093   G notify Active
   10.500000 > view
   10.500000   a is Active priority 100/100 interval 1s
   10.500000   b is Active priority 100/100 interval 1s
",
    );
}

/// Several that have met are past it after an interval: who is left is believed again.
#[test]
fn all_of_it_is_resigned_later() {
    check(
        "
router a vrid 51 priority 100 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    4.700000 > settle
    4.700000   a is Active priority 100/100 interval 1s
    4.700000   b is Active priority 100/100 interval 1s
    5.000000 > hear 192.0.2.2 150 for a
    5.000000   a advertise 100
    5.000000   a Active -> Backup: HigherPriority 150 from 192.0.2.2
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Backup 100
    5.000000   b advertise 0
    5.000000   b resigned
    5.000000   b Active -> Backup: LetGo
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Backup 100
    5.000000   GroupChanged { group: G, kind: Backup }
    5.000000   G notify Backup
    5.000000 > hear 192.0.2.2 150 for b
    5.000000   b follows 192.0.2.2
    5.100000 > hear 192.0.2.3 160 for a
    5.100000   a follows 192.0.2.3 after 192.0.2.2
    5.100000 > hear 192.0.2.3 160 for b
    5.100000   b follows 192.0.2.3 after 192.0.2.2
    6.000000 > hear 192.0.2.3 160 for a
    6.000000 > hear 192.0.2.3 160 for b
    6.500000 > hear 192.0.2.3 0 for a
    6.500000   a hears 192.0.2.3 resign
    6.500000 > hear 192.0.2.3 0 for b
    6.500000   b hears 192.0.2.3 resign
    7.109375   a Backup -> Active: ActiveResigned
    7.109375   a advertise 100
    7.109375   a wants its addresses
    7.109375   desired 192.0.2.100/24@eth0
    7.109375   a announcing eth0 192.0.2.100
    7.109375   announce eth0 192.0.2.100
    7.109375   a notify Active 100
    7.109375   b Backup -> Active: ActiveResigned
    7.109375   b advertise 100
    7.109375   b wants its addresses
    7.109375   desired 192.0.2.100/24@eth0
    7.109375   b announcing eth0 192.0.2.100
    7.109375   announce eth0 192.0.2.100
    7.109375   b notify Active 100
    7.109375   GroupChanged { group: G, kind: Active }
    7.109375   G notify Active
    7.500000 > view
    7.500000   a is Active priority 100/100 interval 1s
    7.500000   b is Active priority 100/100 interval 1s
",
    );
}

/// It has let go because of another part, and hears only then who is better for the first one.
#[test]
fn somebody_better_is_heard_late() {
    check(
        "
router a vrid 51 priority 100 interval 1
router b vrid 52 priority 100 interval 1
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0
    3.609375   b announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   b notify Active 100
    3.609375   GroupChanged { group: G, kind: Active }
    3.609375   G notify Active
    4.609375   a advertise 100
    4.609375   b advertise 100
    5.000000 > hear 192.0.2.2 150 for b
    5.000000   b advertise 100
    5.000000   b Active -> Backup: HigherPriority 150 from 192.0.2.2
    5.000000   b releases its addresses
    5.000000   desired nothing
    5.000000   b notify Backup 100
    5.000000   a advertise 0
    5.000000   a resigned
    5.000000   a Active -> Backup: LetGo
    5.000000   a releases its addresses
    5.000000   desired nothing
    5.000000   a notify Backup 100
    5.000000   GroupChanged { group: G, kind: Backup }
    5.000000   G notify Backup
    5.100000 > hear 192.0.2.2 150 for a
    5.100000   a follows 192.0.2.2
   10.096093   a Backup -> Active: ActiveDownTimer
   10.096093   a advertise 100
   10.096093   a wants its addresses
   10.096093   desired 192.0.2.100/24@eth0
   10.096093   a announcing eth0 192.0.2.100
   10.096093   announce eth0 192.0.2.100
   10.096093   a notify Active 100
   10.096093   b Backup -> Active: ActiveDownTimer
   10.096093   b advertise 100
   10.096093   b wants its addresses
   10.096093   desired 192.0.2.100/24@eth0
   10.096093   b announcing eth0 192.0.2.100
   10.096093   announce eth0 192.0.2.100
   10.096093   b notify Active 100
   10.096093   GroupChanged { group: G, kind: Active }
   10.096093   G notify Active
   10.500000 > view
   10.500000   a is Active priority 100/100 interval 1s
   10.500000   b is Active priority 100/100 interval 1s
",
    );
}
