//! Orderly stop: the address answers until the successor speaks.

use crate::common::timeline::check;

#[test]
fn after_a_stop_the_address_answers_until_the_successor_speaks() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > stop
    4.000000   a advertise 0
    4.000000   a resigned
    4.000000   a Active -> Initialize: Stopped
    4.300000 > hear 192.0.2.3 0
    4.610000 > hear 192.0.2.2 50
    4.610000   a releases its addresses
    4.610000   desired nothing
    4.610000   a notify Stop 100
    4.610000   stopped
    9.000000 > view
    9.000000   a is Initialize priority 100/100 interval 1s
"#,
    );
}

/// 255/256 s for a Backup of priority 1, and 100 ms for its address to be set.
#[test]
fn without_a_successor_the_address_goes_when_the_last_backup_should_have_spoken() {
    check(
        r#"
router a priority 100
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > stop
    4.000000   a advertise 0
    4.000000   a resigned
    4.000000   a Active -> Initialize: Stopped
    5.096093   a releases its addresses
    5.096093   desired nothing
    5.096093   a notify Stop 100
    5.096093   stopped
    9.000000 > wait
"#,
    );
}

/// 255/256 × 1 s, or 1.01 s, and 100 ms; that they are close together makes neither go earlier.
#[test]
fn each_keeps_its_address_for_as_long_as_its_own_successor_may_need() {
    check(
        r#"
router a vrid 51 priority 100
router b vrid 52 priority 100 version 3 interval 1.01 addresses 192.0.2.101/24
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    3.700000   b is Active priority 100/100 interval 1.01s
    4.000000 > stop
    4.000000   a advertise 0
    4.000000   a resigned
    4.000000   a Active -> Initialize: Stopped
    4.000000   b advertise 0
    4.000000   b resigned
    4.000000   b Active -> Initialize: Stopped
    5.096093   a releases its addresses
    5.096093   desired 192.0.2.101/24@eth0
    5.096093   a notify Stop 100
    5.106054   b releases its addresses
    5.106054   desired nothing
    5.106054   b notify Stop 100
    5.106054   stopped
    5.500000 > wait
"#,
    );
}

/// What is counted is counted from the beginning, or since an operator has begun anew.
#[test]
fn resignations_are_counted_until_the_counters_are_cleared() {
    check(
        r#"
router a priority 255 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.500000 > link eth1 down
    0.500000   eth1 Down
    0.500000   a fault: LinkDown eth1
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Fault
    0.500000   a releases its addresses
    0.500000   desired nothing
    0.500000   a notify Fault 255
    0.500000 > counters
    0.500000   a counts sent 2 became 1 released 1 zero-sent 1
    0.600000 > clear-counters
    0.600000 > counters
    0.600000   a counts
"#,
    );
}

/// 255/256 × 0.1 s and 100 ms.
#[test]
fn the_bound_of_a_stop_follows_the_interval_in_version_3() {
    check(
        r#"
router a version 3 interval 0.1 priority 255
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.050000 > stop
    0.050000   a advertise 0
    0.050000   a resigned
    0.050000   a Active -> Initialize: Stopped
    0.249609   a releases its addresses
    0.249609   desired nothing
    0.249609   a notify Stop 255
    0.249609   stopped
    9.000000 > wait
"#,
    );
}

#[test]
fn a_stop_without_addresses_is_complete_at_once() {
    check(
        r#"
router a priority 100 addresses none
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > stop
    4.000000   a advertise 0
    4.000000   a resigned
    4.000000   a Active -> Initialize: Stopped
    4.000000   a notify Stop 100
    4.000000   stopped
"#,
    );
}

#[test]
fn a_stop_is_complete_when_the_last_router_has_left() {
    check(
        r#"
router a vrid 51 priority 255
router b vrid 52 priority 255 addresses 192.0.2.101/24
router c vrid 53 priority 100 addresses 192.0.2.102/24
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.000000   b Initialize -> Active: AddressOwner
    0.000000   b advertise 255
    0.000000   b wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    0.000000   b announcing eth0 192.0.2.101
    0.000000   announce eth0 192.0.2.101
    0.000000   b notify Active 255
    0.000000   c Initialize -> Backup: Started
    0.000000   c notify Backup 100
    0.500000 > stop
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Stopped
    0.500000   b advertise 0
    0.500000   b resigned
    0.500000   b Active -> Initialize: Stopped
    0.500000   c Backup -> Initialize: Stopped
    0.500000   c notify Stop 100
    0.600000 > hear 192.0.2.2 100 for b
    0.600000   b releases its addresses
    0.600000   desired 192.0.2.100/24@eth0
    0.600000   b notify Stop 255
    0.700000 > hear 192.0.2.2 100 for a
    0.700000   a releases its addresses
    0.700000   desired nothing
    0.700000   a notify Stop 255
    0.700000   stopped
"#,
    );
}

#[test]
fn an_interface_that_fails_during_a_stop_ends_it() {
    check(
        r#"
router a priority 255
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.500000 > stop
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Stopped
    0.600000 > link eth0 down 192.0.2.1
    0.600000   eth0 Down
    0.600000   a fault: LinkDown eth0
    0.600000   a releases its addresses
    0.600000   desired nothing
    0.600000   a notify Stop 255
    0.600000   stopped
"#,
    );
}
