//! Routes and policy rules that move with the role, and what is there whoever has it.

use crate::common::timeline::check;

#[test]
fn routes_and_rules_come_with_the_role_and_go_with_it() {
    check(
        r#"
router a priority 100 routes 10.0.1.0/24,10.0.2.0/24@eth1,10.0.0.0/24 rules 200,100
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    3.609375   a Backup -> Active: ActiveDownTimer
    3.609375   a advertise 100
    3.609375   a wants its addresses
    3.609375   desired 192.0.2.100/24@eth0 route 10.0.1.0/24 route 10.0.2.0/24 dev eth1 route 10.0.0.0/24 rule 200 rule 100
    3.609375   a announcing eth0 192.0.2.100
    3.609375   announce eth0 192.0.2.100
    3.609375   a notify Active 100
    4.609375   a advertise 100
    5.609375   a advertise 100
    6.609375   a advertise 100
    7.609375   a advertise 100
    8.609375   a advertise 100
    9.000000 > wait
"#,
    );
}

/// A route without its interface leads nowhere; of a route over two, one is enough.
#[test]
fn the_interface_of_a_route_counts() {
    check(
        r#"
router a priority 255 routes 10.0.1.0/24@eth1,10.0.2.0/24@eth2+eth3 rules 100@eth4
link eth0 up 192.0.2.1
link eth1 up
link eth2 down
link eth4 up
    0.000000 > settle
    0.000000   a is Active priority 255/255 interval 1s
    0.100000 > link eth1 down
    0.100000   eth1 Down
    0.100000   a fault: LinkDown eth1
    0.100000   a advertise 0
    0.100000   a resigned
    0.100000   a Active -> Initialize: Fault
    0.100000   a releases its addresses
    0.100000   desired nothing
    0.100000   a notify Fault 255
    0.200000 > link eth1 up
    0.200000   eth1 Up
    0.200000   a fault gone: LinkDown eth1
    0.200000   a Initialize -> Active: AddressOwner
    0.200000   a advertise 255
    0.200000   a wants its addresses
    0.200000   desired 192.0.2.100/24@eth0 route 10.0.1.0/24 dev eth1 route 10.0.2.0/24 nexthop dev eth2 nexthop dev eth3 rule 100
    0.200000   a announcing eth0 192.0.2.100
    0.200000   announce eth0 192.0.2.100
    0.200000   a notify Active 255
    0.300000 > link eth3 down
    0.300000   eth3 Down
    0.400000 > link eth4 absent
    0.400000   eth4 Absent
    0.400000   a fault: LinkAbsent eth4
    0.400000   a advertise 0
    0.400000   a resigned
    0.400000   a Active -> Initialize: Fault
    0.400000   a releases its addresses
    0.400000   desired nothing
    0.400000   a notify Fault 255
    0.500000 > view
    0.500000   a is Initialize priority 255/255 interval 1s fault LinkAbsent eth4
"#,
    );
}

/// What nobody tracks may be useless without anybody minding.
#[test]
fn the_interface_of_what_is_not_tracked_does_not_count() {
    check(
        r#"
router a priority 255 addresses 192.0.2.100/24,198.51.100.1/24@eth1! routes 10.0.1.0/24@eth2! rules 100@eth3!
link eth0 up 192.0.2.1
link eth1 down
link eth2 down
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 198.51.100.1/24@eth1 route 10.0.1.0/24 dev eth2 no_track rule 100
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing eth1 198.51.100.1
    0.000000   announce eth0 192.0.2.100
    0.000000   announce eth1 198.51.100.1
    0.000000   a notify Active 255
    0.500000 > wait
"#,
    );
}

#[test]
fn a_reload_changes_routes_without_a_word_to_anybody() {
    check(
        r#"
router a priority 255 routes 10.0.1.0/24 rules 100
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 routes 10.0.1.0/24,10.0.2.0/24 rules 100
    0.300000   desired 192.0.2.100/24@eth0 route 10.0.1.0/24 route 10.0.2.0/24 rule 100
    0.400000 > reconfigure
router a priority 255 routes 10.0.1.0/24,10.0.2.0/24 rules 101
    0.400000   desired 192.0.2.100/24@eth0 route 10.0.1.0/24 route 10.0.2.0/24 rule 101
    0.500000 > reconfigure
router a priority 255
    0.500000   desired 192.0.2.100/24@eth0
    0.600000 > wait
"#,
    );
}

#[test]
fn what_is_static_is_there_from_the_start_to_the_end() {
    check(
        r#"
router a priority 100
static address 198.51.100.1/24@eth1
static route 10.0.1.0/24@eth1
static rule 100
link eth0 down
link eth1 down
    0.000000 > start
    0.000000   desired 198.51.100.1/24@eth1 route 10.0.1.0/24 dev eth1 rule 100
    0.000000   a fault: LinkDown eth0
    0.000000   a fault: NoPrimaryAddress
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    1.000000 > reconfigure
router a priority 100
static address 198.51.100.1/24@eth1
static rule 100
    1.000000   desired 198.51.100.1/24@eth1 rule 100
    2.000000 > stop
    2.000000   a Initialize -> Initialize: Stopped
    2.000000   a notify Stop 100
    2.000000   desired nothing
    2.000000   stopped
    3.000000 > wait
"#,
    );
}

/// An Active router lets go first; what is static goes after everything that may need it.
#[test]
fn what_is_static_goes_last() {
    check(
        r#"
router a priority 255 routes 10.0.1.0/24
static route 10.0.2.0/24
    0.000000 > settle
    0.000000   a is Active priority 255/255 interval 1s
    1.000000   a advertise 255
    1.000000 > stop
    1.000000   a advertise 0
    1.000000   a resigned
    1.000000   a Active -> Initialize: Stopped
    2.096093   a releases its addresses
    2.096093   desired nothing
    2.096093   a notify Stop 255
    2.096093   desired nothing
    2.096093   stopped
    9.000000 > wait
"#,
    );
}

#[test]
fn what_is_static_and_missing_is_a_fault_of_its_group() {
    check(
        r#"
router a priority 255 vrid 51 groups G,H
router b priority 255 vrid 52 addresses 192.0.2.101/24
static route 10.0.1.0/24@eth1 group G
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > settle
    0.000000   a is Active priority 255/255 interval 1s
    0.000000   b is Active priority 255/255 interval 1s
    1.000000   a advertise 255
    1.000000   b advertise 255
    1.000000 > missing G
    1.000000   a fault: StaticMissing G
    1.000000   a advertise 0
    1.000000   a resigned
    1.000000   a Active -> Initialize: Fault
    1.000000   a releases its addresses
    1.000000   desired 192.0.2.101/24@eth0 route 10.0.1.0/24 dev eth1
    1.000000   a notify Fault 255
    1.500000 > missing G H
    1.500000   a fault: StaticMissing H
    1.600000 > missing H
    1.600000   a fault gone: StaticMissing G
    1.700000 > missing
    1.700000   a fault gone: StaticMissing H
    1.700000   a Initialize -> Active: AddressOwner
    1.700000   a advertise 255
    1.700000   a wants its addresses
    1.700000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0 route 10.0.1.0/24 dev eth1
    1.700000   a announcing eth0 192.0.2.100
    1.700000   announce eth0 192.0.2.100
    1.700000   a notify Active 255
    1.800000 > wait
"#,
    );
}
