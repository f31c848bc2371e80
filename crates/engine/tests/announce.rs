//! Announcements: bursts, their repetition and their pace (keepalived's `garp_*` settings).

use crate::common::timeline::check;

// Shows: vrrp_instance.garp_master_repeat, vrrp_instance.garp_master_delay
// Shows: global_defs.vrrp_garp_master_repeat, global_defs.vrrp_garp_master_delay
#[test]
fn a_burst_at_once_and_another_one_after_the_delay() {
    check(
        r#"
router a priority 255 interval 2 repeat 5 delay 5
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100 (5 times)
    0.000000   a notify Active 255
    2.000000   a advertise 255
    4.000000   a advertise 255
    5.000000   a announcing eth0 192.0.2.100
    5.000000   announce eth0 192.0.2.100 (5 times)
    6.000000   a advertise 255
    7.000000 > wait
"#,
    );
}

#[test]
fn no_second_burst_without_a_delay() {
    check(
        r#"
router a priority 255 interval 4 repeat 5 delay 0
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100 (5 times)
    0.000000   a notify Active 255
    4.000000   a advertise 255
    8.000000   a advertise 255
   12.000000   a advertise 255
   12.500000 > wait
"#,
    );
}

#[test]
fn no_burst_at_all_of_zero_announcements() {
    check(
        r#"
router a priority 255 interval 4 repeat 0 delay 5
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a notify Active 255
    4.000000   a advertise 255
    8.000000   a advertise 255
   12.000000   a advertise 255
   12.500000 > wait
"#,
    );
}

#[test]
fn every_address_once_before_any_twice() {
    check(
        r#"
router a priority 255 repeat 3 addresses 192.0.2.100/24,192.0.2.101/24@eth1 excluded 192.0.2.102/24
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.102/24@eth0 192.0.2.101/24@eth1
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing eth1 192.0.2.101
    0.000000   a announcing eth0 192.0.2.102
    0.000000   announce eth0 192.0.2.100
    0.000000   announce eth1 192.0.2.101
    0.000000   announce eth0 192.0.2.102
    0.000000   announce eth0 192.0.2.100
    0.000000   announce eth1 192.0.2.101
    0.000000   announce eth0 192.0.2.102
    0.000000   announce eth0 192.0.2.100
    0.000000   announce eth1 192.0.2.101
    0.000000   announce eth0 192.0.2.102
    0.000000   a notify Active 255
"#,
    );
}

// Shows: vrrp_instance.garp_master_refresh_repeat, global_defs.vrrp_garp_master_refresh_repeat
#[test]
fn announcements_are_refreshed_while_active() {
    check(
        r#"
router a priority 255 interval 4 refresh 3 refresh_repeat 2
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    3.000000   a announcing eth0 192.0.2.100
    3.000000   announce eth0 192.0.2.100 (2 times)
    4.000000   a advertise 255
    6.000000   a announcing eth0 192.0.2.100
    6.000000   announce eth0 192.0.2.100 (2 times)
    6.500000 > wait
    7.000000 > stop
    7.000000   a advertise 0
    7.000000   a resigned
    7.000000   a Active -> Initialize: Stopped
    8.096093   a releases its addresses
    8.096093   desired nothing
    8.096093   a notify Stop 255
    8.096093   stopped
   12.000000 > wait
"#,
    );
}

// Shows: vrrp_instance.garp_lower_prio_repeat, vrrp_instance.garp_lower_prio_delay
// Shows: global_defs.vrrp_garp_lower_prio_repeat, global_defs.vrrp_garp_lower_prio_delay
#[test]
fn a_losing_advertisement_has_a_burst_of_its_own_and_its_repeat() {
    check(
        r#"
router a priority 100 interval 4 lower_repeat 2 lower_delay 3
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
   12.609375   a Backup -> Active: ActiveDownTimer
   12.609375   a advertise 100
   12.609375   a wants its addresses
   12.609375   desired 192.0.2.100/24@eth0
   12.609375   a announcing eth0 192.0.2.100
   12.609375   announce eth0 192.0.2.100
   12.609375   a notify Active 100
   13.000000 > hear 192.0.2.2 50
   13.000000   a answers 50 from 192.0.2.2 with 100
   13.000000   a advertise 100
   13.000000   a announcing eth0 192.0.2.100
   13.000000   announce eth0 192.0.2.100 (2 times)
   13.000000   a notify ActiveHeardLowerPriority 100
   16.000000   a announcing eth0 192.0.2.100
   16.000000   announce eth0 192.0.2.100 (2 times)
   16.500000 > wait
"#,
    );
}

#[test]
fn another_losing_advertisement_puts_the_repeat_off() {
    check(
        r#"
router a priority 255 interval 9 lower_repeat 2 lower_delay 3
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    1.000000 > hear 192.0.2.2 50
    1.000000   a answers 50 from 192.0.2.2 with 255
    1.000000   a advertise 255
    1.000000   a announcing eth0 192.0.2.100
    1.000000   announce eth0 192.0.2.100 (2 times)
    1.000000   a notify ActiveHeardLowerPriority 255
    3.000000 > hear 192.0.2.2 50
    3.000000   a answers 50 from 192.0.2.2 with 255
    3.000000   a advertise 255
    3.000000   a announcing eth0 192.0.2.100
    3.000000   announce eth0 192.0.2.100 (2 times)
    3.000000   a notify ActiveHeardLowerPriority 255
    6.000000   a announcing eth0 192.0.2.100
    6.000000   announce eth0 192.0.2.100 (2 times)
    7.000000 > wait
"#,
    );
}

/// The largest of them, not their sum.
#[test]
fn bursts_that_fall_together_are_one() {
    check(
        r#"
router a priority 255 interval 9 repeat 3 delay 6 refresh 2 refresh_repeat 4 lower_repeat 2 lower_delay 3
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100 (3 times)
    0.000000   a notify Active 255
    2.000000   a announcing eth0 192.0.2.100
    2.000000   announce eth0 192.0.2.100 (4 times)
    3.000000 > hear 192.0.2.2 50
    3.000000   a answers 50 from 192.0.2.2 with 255
    3.000000   a advertise 255
    3.000000   a announcing eth0 192.0.2.100
    3.000000   announce eth0 192.0.2.100 (2 times)
    3.000000   a notify ActiveHeardLowerPriority 255
    4.000000   a announcing eth0 192.0.2.100
    4.000000   announce eth0 192.0.2.100 (4 times)
    4.500000 > wait
    6.000000   a announcing eth0 192.0.2.100
    6.000000   announce eth0 192.0.2.100 (4 times)
    6.000000 > wait
"#,
    );
}

#[test]
fn the_largest_of_the_bursts_that_fall_together_may_be_any() {
    check(
        r#"
router a priority 255 interval 9 repeat 3 delay 6 refresh 6 refresh_repeat 1 lower_repeat 2 lower_delay 3
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100 (3 times)
    0.000000   a notify Active 255
    3.000000 > hear 192.0.2.2 50
    3.000000   a answers 50 from 192.0.2.2 with 255
    3.000000   a advertise 255
    3.000000   a announcing eth0 192.0.2.100
    3.000000   announce eth0 192.0.2.100 (2 times)
    3.000000   a notify ActiveHeardLowerPriority 255
    6.000000   a announcing eth0 192.0.2.100
    6.000000   announce eth0 192.0.2.100 (3 times)
    6.500000 > wait
"#,
    );
}

#[test]
fn pacing_spreads_a_burst_in_order() {
    check(
        r#"
router a priority 255 interval 4 repeat 2 pacing 0.1 addresses 192.0.2.100/24,192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing eth0 192.0.2.101
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.100000   announce eth0 192.0.2.101
    0.200000   announce eth0 192.0.2.100
    0.300000   announce eth0 192.0.2.101
    1.000000 > wait
"#,
    );
}

#[test]
fn each_interface_has_its_own_pace() {
    check(
        r#"
router a vrid 51 priority 255 interval 4 repeat 2 pacing 0.1 addresses 192.0.2.100/24,192.0.2.101/24@eth1
router b vrid 52 priority 255 interval 4 repeat 1 pacing 0.1 addresses 192.0.2.102/24
link eth0 up 192.0.2.1
link eth1 up
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.102/24@eth0 192.0.2.101/24@eth1
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing eth1 192.0.2.101
    0.000000   announce eth0 192.0.2.100
    0.000000   announce eth1 192.0.2.101
    0.000000   a notify Active 255
    0.000000   b Initialize -> Active: AddressOwner
    0.000000   b advertise 255
    0.000000   b wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 192.0.2.102/24@eth0 192.0.2.101/24@eth1
    0.000000   b announcing eth0 192.0.2.102
    0.000000   b notify Active 255
    0.100000   announce eth0 192.0.2.102
    0.100000   announce eth1 192.0.2.101
    0.200000   announce eth0 192.0.2.100
    1.000000 > wait
"#,
    );
}

/// What other routers only repeat may be a lot: it waits for an address that may be looked for elsewhere.
#[test]
fn what_was_not_announced_yet_comes_before_what_is_repeated_and_what_waits_waits_once() {
    check(
        r#"
router a vrid 51 priority 255 interval 4 repeat 3 lower_repeat 3 pacing 0.1
router b vrid 52 priority 100 interval 4 repeat 2 pacing 0.1 addresses 192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.100000   announce eth0 192.0.2.100
    0.200000   announce eth0 192.0.2.100
    4.000000   a advertise 255
    8.000000   a advertise 255
   12.000000   a advertise 255
   12.500000 > wait
   12.500000 > hear 192.0.2.2 150 for a
   12.500000   a answers 150 from 192.0.2.2 with 255
   12.500000   a advertise 255
   12.500000   a announcing eth0 192.0.2.100
   12.500000   announce eth0 192.0.2.100
   12.500000   a notify ActiveHeardLowerPriority 255
   12.550000 > hear 192.0.2.2 150 for a
   12.550000   a answers 150 from 192.0.2.2 with 255
   12.550000   a advertise 255
   12.550000   a announcing eth0 192.0.2.100
   12.550000   a notify ActiveHeardLowerPriority 255
   12.600000   announce eth0 192.0.2.100
   12.609375   b Backup -> Active: ActiveDownTimer
   12.609375   b advertise 100
   12.609375   b wants its addresses
   12.609375   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
   12.609375   b announcing eth0 192.0.2.101
   12.609375   b notify Active 100
   12.700000   announce eth0 192.0.2.101
   12.800000   announce eth0 192.0.2.100
   12.900000   announce eth0 192.0.2.101
   13.000000   announce eth0 192.0.2.100
   14.000000 > wait
"#,
    );
}

/// Announcing an address that somebody else has would draw his traffic here.
#[test]
fn what_waits_is_forgotten_when_the_role_is_lost() {
    check(
        r#"
router a vrid 51 priority 100 interval 4 repeat 4 pacing 0.1
router b vrid 52 priority 100 interval 4 repeat 2 pacing 0.1 addresses 192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
   12.609375   a Backup -> Active: ActiveDownTimer
   12.609375   a advertise 100
   12.609375   a wants its addresses
   12.609375   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
   12.609375   a announcing eth0 192.0.2.100
   12.609375   announce eth0 192.0.2.100
   12.609375   a notify Active 100
   12.609375   b Backup -> Active: ActiveDownTimer
   12.609375   b advertise 100
   12.609375   b wants its addresses
   12.609375   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
   12.609375   b announcing eth0 192.0.2.101
   12.609375   b notify Active 100
   12.700000 > hear 192.0.2.2 150 for a
   12.700000   a advertise 100
   12.700000   a Active -> Backup: HigherPriority 150 from 192.0.2.2
   12.700000   a releases its addresses
   12.700000   desired 192.0.2.101/24@eth0
   12.700000   a notify Backup 100
   12.709375   announce eth0 192.0.2.101
   12.809375   announce eth0 192.0.2.101
   13.300000 > wait
"#,
    );
}

#[test]
fn what_waits_is_forgotten_after_a_fault() {
    check(
        r#"
router a priority 255 interval 4 repeat 4 pacing 0.1
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.100000   announce eth0 192.0.2.100
    0.150000 > link eth0 down 192.0.2.1
    0.150000   eth0 Down
    0.150000   a fault: LinkDown eth0
    0.150000   a advertise 0
    0.150000   a resigned
    0.150000   a Active -> Initialize: Fault
    0.150000   a releases its addresses
    0.150000   desired nothing
    0.150000   a notify Fault 255
    1.000000 > wait
"#,
    );
}

/// Although the address is still here.
#[test]
fn nothing_is_announced_during_an_orderly_stop() {
    check(
        r#"
router a priority 255 interval 4 repeat 3 pacing 0.1
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.100000   announce eth0 192.0.2.100
    0.150000 > stop
    0.150000   a advertise 0
    0.150000   a resigned
    0.150000   a Active -> Initialize: Stopped
    0.400000 > wait
"#,
    );
    // Nor while what runs here ends, and it is Active until that has ended.
    check(
        r#"
router a priority 100 interval 4 repeat 9 pacing 1
service job
   13.000000 > serve
   13.000000   a is Active priority 100/100 interval 4s
   13.000000   job is Running wanted well restarts 0 moves 0
   13.609375   announce eth0 192.0.2.100
   14.000000 > stop
   14.000000   job Running -> Stopping: Role
   14.000000   job Stop
   16.609375   a advertise 100
   18.000000 > gone job exit 0
   18.000000   job Stopping -> Stopped: Done
   18.000000   a advertise 0
   18.000000   a resigned
   18.000000   a Active -> Initialize: Stopped
   18.000000   job hook RoleChanged Initialize epoch 1
   18.000000   job AssessReadiness
   18.200000 > wait
"#,
    );
}

// Shows: vrrp_instance.garp_extra_if, global_defs.vrrp_garp_extra_if
#[test]
fn what_lies_beside_the_way_of_the_advertisements_is_announced_again_and_again() {
    check(
        r#"
router a priority 255 interval 4 delay 0 elsewhere 3@vmac1 addresses 192.0.2.100/24,198.51.100.1/24@vmac1
    0.000000 > link vmac1 up
    0.000000   vmac1 Up
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 198.51.100.1/24@vmac1
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing vmac1 198.51.100.1
    0.000000   announce eth0 192.0.2.100
    0.000000   announce vmac1 198.51.100.1
    0.000000   a notify Active 255
    3.000000   a announcing vmac1 198.51.100.1
    3.000000   announce vmac1 198.51.100.1
    4.000000   a advertise 255
    6.000000   a announcing vmac1 198.51.100.1
    6.000000   announce vmac1 198.51.100.1
    7.000000 > wait
"#,
    );
}

/// A reload puts it off only if it says something else about it.
#[test]
fn what_lies_beside_the_way_is_announced_on_through_a_reconfiguration() {
    check(
        r#"
router a priority 255 interval 9 elsewhere 3@vmac1 addresses 192.0.2.100/24,198.51.100.1/24@vmac1
    0.000000 > link vmac1 up
    0.000000   vmac1 Up
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 198.51.100.1/24@vmac1
    0.000000   a announcing eth0 192.0.2.100
    0.000000   a announcing vmac1 198.51.100.1
    0.000000   announce eth0 192.0.2.100
    0.000000   announce vmac1 198.51.100.1
    0.000000   a notify Active 255
    1.000000 > reconfigure
router a priority 255 interval 9 elsewhere 3@vmac1 addresses 192.0.2.100/24,198.51.100.1/24@vmac1 skip_check_adv_addr
    3.000000   a announcing vmac1 198.51.100.1
    3.000000   announce vmac1 198.51.100.1
    4.000000 > reconfigure
router a priority 255 interval 9 elsewhere 4@vmac1 addresses 192.0.2.100/24,198.51.100.1/24@vmac1
    8.000000   a announcing vmac1 198.51.100.1
    8.000000   announce vmac1 198.51.100.1
    8.500000 > wait
"#,
    );
}

/// `garp_group`: two interfaces that share a pace, and a third one that has its own.
// Shows: top-level.garp_group, garp_group.garp_interval, garp_group.gna_interval
// Shows: garp_group.interface, garp_group.interfaces
#[test]
fn interfaces_of_a_group_share_a_pace() {
    check(
        r#"
router a priority 255 interval 4 repeat 2 delay 0
router b priority 255 interval 4 repeat 2 delay 0 link eth1 vrid 52 addresses 192.0.2.101/24
router c priority 255 interval 4 repeat 2 delay 0 link eth2 vrid 53 addresses 192.0.2.102/24
router d ipv6 priority 255 interval 4 repeat 2 delay 0 addresses 2001:db8::100/64
pace eth0,eth1 0.1
link eth0 up 192.0.2.1 fe80::1
link eth1 up 192.0.2.2
link eth2 up 192.0.2.3
    0.000000 > start
    0.000000   a Initialize -> Active: AddressOwner
    0.000000   a advertise 255
    0.000000   a wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 192.0.2.101/24@eth1 192.0.2.102/24@eth2
    0.000000   a announcing eth0 192.0.2.100
    0.000000   announce eth0 192.0.2.100
    0.000000   a notify Active 255
    0.000000   b Initialize -> Active: AddressOwner
    0.000000   b advertise 255
    0.000000   b wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 192.0.2.101/24@eth1 192.0.2.102/24@eth2
    0.000000   b announcing eth1 192.0.2.101
    0.000000   b notify Active 255
    0.000000   c Initialize -> Active: AddressOwner
    0.000000   c advertise 255
    0.000000   c wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 192.0.2.101/24@eth1 192.0.2.102/24@eth2
    0.000000   c announcing eth2 192.0.2.102
    0.000000   announce eth2 192.0.2.102 (2 times)
    0.000000   c notify Active 255
    0.000000   d Initialize -> Active: AddressOwner
    0.000000   d advertise 255
    0.000000   d wants its addresses
    0.000000   desired 192.0.2.100/24@eth0 2001:db8::100/64@eth0 192.0.2.101/24@eth1 192.0.2.102/24@eth2
    0.000000   d announcing eth0 2001:db8::100
    0.000000   announce eth0 2001:db8::100
    0.000000   d notify Active 255
    0.100000   announce eth1 192.0.2.101
    0.100000   announce eth0 2001:db8::100
    0.200000   announce eth0 192.0.2.100
    0.300000   announce eth1 192.0.2.101
    0.500000 > wait
"#,
    );
}
