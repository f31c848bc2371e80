//! Addresses that come, move and go.

use crate::common::timeline::check;

#[test]
fn an_address_is_added_while_active() {
    check(
        r#"
router a priority 255 repeat 2
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 repeat 2 addresses 192.0.2.100/24,192.0.2.101/24
    0.300000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    0.300000   a announcing eth0 192.0.2.101
    0.300000   announce eth0 192.0.2.101 (2 times)
    1.000000   a advertise 255
    1.100000 > wait
"#,
    );
}

/// What waits for its turn on the interface goes on: the new address queues up behind the old one.
#[test]
fn an_address_is_added_while_a_burst_is_under_way() {
    check(
        r#"
router a priority 255 repeat 3 pacing 0.2
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.100000 > reconfigure
router a priority 255 repeat 3 pacing 0.2 addresses 192.0.2.100/24,192.0.2.101/24
    0.100000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    0.100000   a announcing eth0 192.0.2.101
    0.200000   announce eth0 192.0.2.101
    0.400000   announce eth0 192.0.2.100
    0.600000   announce eth0 192.0.2.101
    0.800000   announce eth0 192.0.2.100
    1.000000   a advertise 255
    1.000000   announce eth0 192.0.2.101
    1.500000 > wait
"#,
    );
}

#[test]
fn an_address_is_removed_while_a_burst_is_under_way() {
    check(
        r#"
router a priority 255 repeat 3 pacing 0.2 addresses 192.0.2.100/24,192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing eth0 192.0.2.101
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.100000 > reconfigure
router a priority 255 repeat 3 pacing 0.2 addresses 192.0.2.101/24
    0.100000   desired 192.0.2.101/24@eth0
    0.200000   announce eth0 192.0.2.101
    0.400000   announce eth0 192.0.2.101
    0.600000   announce eth0 192.0.2.101
    1.000000   a advertise 255
    1.500000 > wait
"#,
    );
}

#[test]
fn a_refresh_keeps_its_rhythm_unless_it_is_what_changed() {
    check(
        r#"
router a priority 255 interval 9 refresh 3
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 9s
    2.000000 > reconfigure
router a priority 255 interval 9 refresh 3 addresses 192.0.2.101/24
    2.000000   desired 192.0.2.101/24@eth0
    2.000000   a announcing eth0 192.0.2.101
    2.000000   announce eth0 192.0.2.101
    3.000000   a announcing eth0 192.0.2.101
    3.000000   announce eth0 192.0.2.101
    4.000000 > reconfigure
router a priority 255 interval 9 refresh 4 addresses 192.0.2.101/24
    8.000000   a announcing eth0 192.0.2.101
    8.000000   announce eth0 192.0.2.101
    8.500000 > reconfigure
router a priority 255 interval 9 addresses 192.0.2.101/24
    9.000000   a advertise 255
   18.000000   a advertise 255
   20.000000 > wait
"#,
    );
}

#[test]
fn an_address_is_removed_while_active() {
    check(
        r#"
router a priority 255 addresses 192.0.2.100/24,192.0.2.101/24
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 addresses 192.0.2.101/24
    0.300000   desired 192.0.2.101/24@eth0
    1.000000   a advertise 255
    1.100000 > wait
"#,
    );
}

#[test]
fn an_address_moves_to_another_interface_while_active() {
    check(
        r#"
router a priority 255 addresses 192.0.2.100/24,192.0.2.101/24@eth1
link eth0 up 192.0.2.1
link eth1 up
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 addresses 192.0.2.100/24@eth1,192.0.2.101/24@eth1
    0.300000   desired 192.0.2.100/24@eth1 192.0.2.101/24@eth1
    0.300000   a announcing eth1 192.0.2.100
    0.300000   announce eth1 192.0.2.100
    1.000000   a advertise 255
    1.100000 > wait
"#,
    );
}

#[test]
fn an_address_is_added_to_a_backup() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150
    1.000000   a follows 192.0.2.2
    1.300000 > reconfigure
router a priority 100 addresses 192.0.2.100/24,192.0.2.101/24
    1.300000 > view
    1.300000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 4.609375
    2.000000 > hear 192.0.2.2 150 addresses 192.0.2.100
    2.000000   a finds AddressCount { received: 1, expected: 2 } odd from 192.0.2.2
    2.000000   a finds AddressMissing(192.0.2.101) odd from 192.0.2.2
"#,
    );
}

/// The router that did not change has to look again, too.
#[test]
fn an_address_that_becomes_virtual_is_nobody_s_source() {
    check(
        r#"
router a vrid 51 priority 100 link eth1 addresses 198.51.100.100/24
router b vrid 52 priority 100 addresses 192.0.2.101/24
link eth0 up 192.0.2.7
link eth1 up 198.51.100.1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.500000 > reconfigure
router a vrid 51 priority 100 link eth1 addresses 192.0.2.7/24
router b vrid 52 priority 100 addresses 192.0.2.101/24
    0.500000   b fault: NoPrimaryAddress
    0.500000   b Backup -> Initialize: Fault
    0.500000   b notify Fault 100
    0.700000 > reconfigure
router a vrid 51 priority 100 link eth1 addresses 198.51.100.100/24
router b vrid 52 priority 100 addresses 192.0.2.101/24
    0.700000   b fault gone: NoPrimaryAddress
    0.700000   b Initialize -> Backup: FaultsCleared
    0.700000   b notify Backup 100
"#,
    );
}
