//! Initialize (RFC 9568 §6.4.1): who begins as what, and how long the others wait.

use crate::common::timeline::check;

#[test]
fn an_address_owner_is_active_at_once() {
    check(
        r#"
router a priority 255
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000   a advertise 255
    1.500000 > wait
"#,
    );
}

#[test]
fn others_start_as_backup_and_wait_the_whole_active_down_interval() {
    check(
        r#"
router a priority 100
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
    4.000000 > wait
"#,
    );
}

/// RFC 3768 §6.1: 3 × 2 s + 156/256 s.
#[test]
fn skew_is_a_part_of_one_second_in_version_2() {
    check(
        r#"
router a priority 100 interval 2
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    6.609375   a Backup -> Active: ActiveDownTimer
    6.609375   a advertise 100
    6.609375   a wants its addresses
    6.609375   desired 192.0.2.100/24@eth0
    6.609375   a announcing eth0 192.0.2.100
    6.609375   announce eth0 192.0.2.100
    6.609375   a notify Active 100
    6.700000 > wait
"#,
    );
}

/// RFC 9568 §6.1: 3 × 2 s + 156/256 × 2 s, and 3 × 0.1 s + 56/256 × 0.1 s.
#[test]
fn skew_is_a_part_of_the_interval_in_version_3() {
    check(
        r#"
router a version 3 vrid 51 priority 100 interval 2
router b version 3 vrid 52 priority 200 interval 0.1 addresses 192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 200
    0.000000 > view
    0.000000   a is Backup priority 100/100 interval 2s down at 7.218750
    0.000000   b is Backup priority 200/200 interval 0.1s down at 0.321875
    0.321875   b Backup -> Active: ActiveDownTimer
    0.321875   b advertise 200
    0.321875   b wants its addresses
    0.321875   desired 192.0.2.101/24@eth0
    0.321875   b announcing eth0 192.0.2.101
    0.321875   announce eth0 192.0.2.101
    0.321875   b notify Active 200
    0.350000 > wait
"#,
    );
}

#[test]
fn an_interface_that_is_absent_at_start_is_a_fault_like_any_other() {
    check(
        r#"
router a priority 100
link eth0 absent
    0.000000 > start
    0.000000   a fault: LinkAbsent eth0
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    5.000000 > link eth0 down
    5.000000   eth0 Down
    5.000000   a fault: LinkDown eth0
    5.000000   a fault: NoPrimaryAddress
    5.000000   a fault gone: LinkAbsent eth0
    6.000000 > link eth0 up
    6.000000   eth0 Up
    6.000000   a fault gone: LinkDown eth0
    7.000000 > link eth0 up 192.0.2.1
    7.000000   a fault gone: NoPrimaryAddress
    7.000000   a Initialize -> Backup: FaultsCleared
    7.000000   a notify Backup 100
    7.000000 > view
    7.000000   a is Backup priority 100/100 interval 1s down at 10.609375
"#,
    );
}

#[test]
fn an_interface_of_which_nobody_has_told_at_start_is_absent() {
    check(
        r#"
router a priority 100 track_link eth1
link eth0 up 192.0.2.1
    0.000000 > start
    0.000000   a fault: LinkAbsent eth1
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
"#,
    );
}

/// Its virtual address is real, so it is also the one to send from.
#[test]
fn an_address_owner_that_was_kept_out_is_active_as_soon_as_it_can_be() {
    check(
        r#"
router a priority 255
link eth0 down 192.0.2.100
    0.000000 > start
    0.000000   a fault: LinkDown eth0
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 255
    2.000000 > link eth0 up 192.0.2.100
    2.000000   eth0 Up
    2.000000   a fault gone: LinkDown eth0
    2.000000   a Initialize -> Active: AddressOwner
    2.000000   a advertise 255
    2.000000   a wants its addresses
    2.000000   desired 192.0.2.100/24@eth0
    2.000000   a announcing eth0 192.0.2.100
    2.000000   announce eth0 192.0.2.100
    2.000000   a notify Active 255
"#,
    );
}
