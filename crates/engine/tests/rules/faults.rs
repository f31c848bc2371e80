//! Faults: a set of named reasons, each of which must go.

use crate::common::timeline::check;

#[test]
fn a_fault_makes_an_active_router_resign_and_release() {
    check(
        r#"
router a priority 100 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > link eth1 down
    4.000000   eth1 Down
    4.000000   a fault: LinkDown eth1
    4.000000   a advertise 0
    4.000000   a resigned
    4.000000   a Active -> Initialize: Fault
    4.000000   a releases its addresses
    4.000000   desired nothing
    4.000000   a notify Fault 100
    5.000000 > link eth1 up
    5.000000   eth1 Up
    5.000000   a fault gone: LinkDown eth1
    5.000000   a Initialize -> Backup: FaultsCleared
    5.000000   a notify Backup 100
    5.000000 > view
    5.000000   a is Backup priority 100/100 interval 1s down at 8.609375
"#,
    );
}

/// As in keepalived: without preemption mastership does not come back after a fault.
#[test]
fn without_preemption_a_fault_costs_the_role() {
    check(
        r#"
router a priority 200 nopreempt
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    3.218750   a Backup -> Active: ActiveDownTimer
    3.218750   a advertise 200
    3.218750   a wants its addresses
    3.218750   desired 192.0.2.100/24@eth0
    3.218750   a announcing eth0 192.0.2.100
    3.218750   announce eth0 192.0.2.100
    3.218750   a notify Active 200
    3.300000 > link eth0 down 192.0.2.1
    3.300000   eth0 Down
    3.300000   a fault: LinkDown eth0
    3.300000   a advertise 0
    3.300000   a resigned
    3.300000   a Active -> Initialize: Fault
    3.300000   a releases its addresses
    3.300000   desired nothing
    3.300000   a notify Fault 200
    3.400000 > link eth0 up 192.0.2.1
    3.400000   eth0 Up
    3.400000   a fault gone: LinkDown eth0
    3.400000   a Initialize -> Backup: FaultsCleared
    3.400000   a notify Backup 200
    4.000000 > hear 192.0.2.2 50
    4.000000   a follows 192.0.2.2
    5.000000 > hear 192.0.2.2 50
    5.000000 > view
    5.000000   a is Backup priority 200/200 follows 192.0.2.2 50 interval 1s down at 8.218750
"#,
    );
}

/// keepalived 2.2.8 and later keep one bit for all interfaces and come back with eth1 still down.
#[test]
fn each_named_reason_must_go() {
    check(
        r#"
router a priority 100 track_link eth1 track_link eth2
link eth0 up 192.0.2.1
link eth1 up
link eth2 up
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > link eth1 down
    1.000000   eth1 Down
    1.000000   a fault: LinkDown eth1
    1.000000   a Backup -> Initialize: Fault
    1.000000   a notify Fault 100
    2.000000 > link eth2 down
    2.000000   eth2 Down
    2.000000   a fault: LinkDown eth2
    3.000000 > link eth2 up
    3.000000   eth2 Up
    3.000000   a fault gone: LinkDown eth2
    9.000000 > view
    9.000000   a is Initialize priority 100/100 interval 1s fault LinkDown eth1
   10.000000 > link eth1 absent
   10.000000   eth1 Absent
   10.000000   a fault: LinkAbsent eth1
   10.000000   a fault gone: LinkDown eth1
   11.000000 > link eth1 up
   11.000000   eth1 Up
   11.000000   a fault gone: LinkAbsent eth1
   11.000000   a Initialize -> Backup: FaultsCleared
   11.000000   a notify Backup 100
"#,
    );
}

#[test]
fn losing_the_only_address_to_send_from_is_a_fault() {
    check(
        r#"
router a priority 100
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > link eth0 up
    1.000000   a fault: NoPrimaryAddress
    1.000000   a Backup -> Initialize: Fault
    1.000000   a notify Fault 100
    2.000000 > link eth0 up 192.0.2.7
    2.000000   a fault gone: NoPrimaryAddress
    2.000000   a Initialize -> Backup: FaultsCleared
    2.000000   a notify Backup 100
    2.000000 > view
    2.000000   a is Backup priority 100/100 interval 1s down at 5.609375
"#,
    );
}

/// It resigns with the address that it had, so that the others need not wait the whole Active_Down_Interval.
#[test]
fn an_active_router_that_loses_its_address_resigns_with_it() {
    check(
        r#"
router a priority 255 source 192.0.2.1 addresses 192.0.2.200/24
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    1.000000   a advertise 255
    1.000000 > link eth0 up
    1.000000   a fault: NoPrimaryAddress
    1.000000   a advertise 0
    1.000000   a resigned
    1.000000   a Active -> Initialize: Fault
    1.000000   a releases its addresses
    1.000000   desired nothing
    1.000000   a notify Fault 255
"#,
    );
}

/// Its virtual address is put back if somebody takes it away, and is enough to send from.
#[test]
fn an_active_owner_needs_no_other_address() {
    check(
        r#"
router a priority 255 addresses 192.0.2.200/24
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    1.000000   a advertise 255
    1.000000 > link eth0 up
    2.000000   a advertise 255
    2.000000 > view
    2.000000   a is Active priority 255/255 interval 1s
"#,
    );
}

#[test]
fn a_virtual_address_is_no_address_to_send_from() {
    check(
        r#"
router a priority 100
link eth0 up 192.0.2.100
    0.000000 > start
    0.000000   a fault: NoPrimaryAddress
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    1.000000 > link eth0 up 192.0.2.100 192.0.2.1
    1.000000   a fault gone: NoPrimaryAddress
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
"#,
    );
}

/// What is another router's virtual address is still the owner's real one.
#[test]
fn an_address_owner_sends_from_its_address_whoever_else_lists_it() {
    check(
        r#"
router owner vrid 51 priority 255
router other vrid 52 priority 100
link eth0 up 192.0.2.100
    0.000000 > start
    0.000000   owner Initialize -> Active: AddressOwner
    0.000000   owner advertise 255
    0.000000   owner wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   owner announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   owner notify Active 255
    0.000000   other fault: NoPrimaryAddress
    0.000000   other Initialize -> Initialize: Fault
    0.000000   other notify Fault 100
"#,
    );
}

#[test]
fn an_address_owner_s_address_is_real_for_its_neighbours_too() {
    check(
        r#"
router owner vrid 51 priority 255
router other vrid 52 priority 100 addresses 192.0.2.101/24
link eth0 up 192.0.2.100
    0.000000 > start
    0.000000   owner Initialize -> Active: AddressOwner
    0.000000   owner advertise 255
    0.000000   owner wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   owner announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   owner notify Active 255
    0.000000   other Initialize -> Backup: Started
    0.000000   other notify Backup 100
"#,
    );
}

// Shows: vrrp_instance.track_src_ip
#[test]
fn a_configured_source_may_be_on_any_interface() {
    check(
        r#"
router a priority 100 peers 198.51.100.2 source 198.51.100.1
    0.000000 > start
    0.000000   a fault: NoPrimaryAddress
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    1.000000 > elsewhere 203.0.113.1 198.51.100.1
    1.000000   a fault gone: NoPrimaryAddress
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
    2.000000 > elsewhere 203.0.113.1
    2.000000   a fault: NoPrimaryAddress
    2.000000   a Backup -> Initialize: Fault
    2.000000   a notify Fault 100
"#,
    );
}

#[test]
fn an_interface_of_a_virtual_address_counts_too() {
    check(
        r#"
router a priority 100 addresses 192.0.2.100/24@eth1
link eth0 up 192.0.2.1
link eth1 down
    0.000000 > start
    0.000000   a fault: LinkDown eth1
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    1.000000 > link eth1 up
    1.000000   eth1 Up
    1.000000   a fault gone: LinkDown eth1
    1.000000   a Initialize -> Backup: FaultsCleared
    1.000000   a notify Backup 100
"#,
    );
}

#[test]
fn its_own_interface_may_be_told_not_to_count() {
    check(
        r#"
router a priority 100 ignore_own_link
link eth0 down 192.0.2.1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > link eth0 up 192.0.2.1
    1.000000   eth0 Up
    2.000000 > link eth0 absent
    2.000000   eth0 Absent
    2.000000   a fault: LinkAbsent eth0
    2.000000   a Backup -> Initialize: Fault
    2.000000   a notify Fault 100
"#,
    );
}

#[test]
fn a_faulty_router_hears_and_does_nothing() {
    check(
        r#"
router a priority 100
link eth0 down 192.0.2.1
    0.000000 > start
    0.000000   a fault: LinkDown eth0
    0.000000   a Initialize -> Initialize: Fault
    0.000000   a notify Fault 100
    1.000000 > hear 192.0.2.2 50
    2.000000 > hear 192.0.2.2 0
    9.000000 > counters
    9.000000   a counts received 2 zero-received 1
"#,
    );
}

/// `interface_up_down_delays`: what does not last does not count, either way.
// Shows: top-level.interface_up_down_delays
#[test]
fn an_interface_that_flaps_is_waited_for() {
    check(
        r#"
router a priority 100 track_link eth1
delay eth1 1 2
link eth0 up 192.0.2.1
link eth1 up
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > link eth1 down
    4.609375   a advertise 100
    4.900000 > link eth1 up
    5.000000 > link eth1 down
    5.500000 > link eth1 down
    5.609375   a advertise 100
    6.000000   eth1 Down
    6.000000   a fault: LinkDown eth1
    6.000000   a advertise 0
    6.000000   a resigned
    6.000000   a Active -> Initialize: Fault
    6.000000   a releases its addresses
    6.000000   desired nothing
    6.000000   a notify Fault 100
    6.500000 > view
    6.500000   a is Initialize priority 100/100 interval 1s fault LinkDown eth1
    7.000000 > link eth1 up
    8.000000 > link eth1 down
    8.500000 > link eth1 up
   10.500000   eth1 Up
   10.500000   a fault gone: LinkDown eth1
   10.500000   a Initialize -> Backup: FaultsCleared
   10.500000   a notify Backup 100
   11.000000 > view
   11.000000   a is Backup priority 100/100 interval 1s down at 14.109375
"#,
    );
}

/// An interface that is deleted can't come back by waiting.
#[test]
fn an_interface_that_is_gone_is_not_waited_for() {
    check(
        r#"
router a priority 100 track_link eth1
delay eth1 1 2
link eth0 up 192.0.2.1
link eth1 up
    3.700000 > settle
    3.700000   a is Active priority 100/100 interval 1s
    4.000000 > link eth1 down
    4.100000 > link eth1 absent
    4.100000   eth1 Absent
    4.100000   a fault: LinkAbsent eth1
    4.100000   a advertise 0
    4.100000   a resigned
    4.100000   a Active -> Initialize: Fault
    4.100000   a releases its addresses
    4.100000   desired nothing
    4.100000   a notify Fault 100
    4.200000 > link eth1 up
    4.200000   eth1 Up
    4.200000   a fault gone: LinkAbsent eth1
    4.200000   a Initialize -> Backup: FaultsCleared
    4.200000   a notify Backup 100
    6.000000 > view
    6.000000   a is Backup priority 100/100 interval 1s down at 7.809375
"#,
    );
}
