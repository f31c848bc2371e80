//! Routers that come, go, and change their places and names.

use crate::common::timeline::check;

#[test]
fn the_same_configuration_again_does_nothing() {
    check(
        r#"
router a vrid 51 priority 255 track_script chk:-10
router b vrid 52 priority 100 addresses 192.0.2.101/24
script chk interval 2
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
    0.000000   run chk
    0.100000 > exit chk 0
    0.100000   chk returned Exited(0)
    0.100000   chk succeeded
    1.000000   a advertise 255
    1.300000 > reconfigure
router a vrid 51 priority 255 track_script chk:-10
router b vrid 52 priority 100 addresses 192.0.2.101/24
script chk interval 2
    1.911340   run chk
    2.000000   a advertise 255
    2.911340   end chk Terminate
    2.911340   chk timed out after 1s
    2.911340   chk failed: took too long
    3.000000   a advertise 255
    3.609375   b Backup -> Active: ActiveDownTimer
    3.609375   b advertise 100
    3.609375   b wants its addresses
    3.609375   desired 192.0.2.100/24@eth0 192.0.2.101/24@eth0
    3.609375   b announcing eth0 192.0.2.101
    3.609375   announce eth0 192.0.2.101
    3.609375   b notify Active 100
    3.911340   chk skipped
    4.000000   a advertise 255
    4.000000 > wait
    4.000000 > counters
    4.000000   a counts sent 5 became 1
    4.000000   b counts sent 1 became 1
"#,
    );
}

#[test]
fn a_router_is_added() {
    check(
        r#"
router a vrid 51 priority 255
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.500000 > reconfigure
router b vrid 52 priority 100 link eth1 addresses 192.0.2.101/24
router a vrid 51 priority 255
    0.600000 > link eth1 up 192.0.2.1
    0.600000   eth1 Up
    0.600000   b Initialize -> Backup: Started
    0.600000   b notify Backup 100
    1.000000   a advertise 255
    1.100000 > wait
"#,
    );
}

/// The harness finds it by its retired index: its name, its packet.
#[test]
fn an_active_router_is_removed_and_resigns() {
    check(
        r#"
router a vrid 51 priority 255
router b vrid 52 priority 255 addresses 192.0.2.101/24
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.100000   b is Active priority 255/255 interval 1s
    0.500000 > reconfigure
router b vrid 52 priority 255 addresses 192.0.2.101/24
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Stopped
    0.500000   a releases its addresses
    0.500000   desired 192.0.2.101/24@eth0
    0.500000   a notify Deleted 255
    1.000000   b advertise 255
    1.100000 > wait
    1.100000 > counters
    1.100000   b counts sent 2 became 1
"#,
    );
}

#[test]
fn a_backup_is_removed_in_silence() {
    check(
        r#"
router a vrid 51 priority 100
router b vrid 52 priority 255 addresses 192.0.2.101/24
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Active: AddressOwner
    0.000000   b advertise 255
    0.000000   b wants its addresses
    0.000000   desired 192.0.2.101/24@eth0
    0.000000   b announcing eth0 192.0.2.101
    0.000000   announce eth0 192.0.2.101
    0.000000   b notify Active 255
    0.500000 > reconfigure
router b vrid 52 priority 255 addresses 192.0.2.101/24
    0.500000   a Backup -> Initialize: Stopped
    0.500000   a notify Deleted 100
    0.600000 > hear 192.0.2.2 50 vrid 51
"#,
    );
}

#[test]
fn all_routers_are_removed() {
    check(
        r#"
router a priority 255
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.500000 > reconfigure
script chk
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Stopped
    0.500000   a releases its addresses
    0.500000   desired nothing
    0.500000   a notify Deleted 255
    0.500000   run chk
    1.100000 > stop
    1.100000   end chk Terminate
    1.100000   stopped
"#,
    );
}

#[test]
fn routers_change_places_and_names_and_stay_who_they_are() {
    check(
        r#"
router a vrid 51 priority 255 repeat 3 pacing 0.2
router b vrid 52 priority 100 addresses 192.0.2.101/24
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
    0.100000 > hear 192.0.2.2 150 for b
    0.100000   b follows 192.0.2.2
    0.200000   announce eth0 192.0.2.100
    0.300000 > reconfigure
router bee vrid 52 priority 100 addresses 192.0.2.101/24
router ay vrid 51 priority 255 repeat 3 pacing 0.2
    0.300000 > view
    0.300000   bee is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 3.709375
    0.300000   ay is Active priority 255/255 interval 1s
    0.300000 > counters
    0.300000   bee counts received 1
    0.300000   ay counts sent 1 became 1
    0.400000   announce eth0 192.0.2.100
    1.000000   ay advertise 255
    1.100000 > wait
"#,
    );
}

/// What waits belongs to the router, not to its old index.
#[test]
fn a_router_that_changed_places_takes_its_announcements_along() {
    check(
        r#"
router a vrid 51 priority 255 repeat 3 pacing 0.2
router b vrid 52 priority 255 repeat 3 pacing 0.2 addresses 192.0.2.101/24 track_link eth1
link eth0 up 192.0.2.1
link eth1 up
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
    0.000000   b notify Active 255
    0.100000 > reconfigure
router b vrid 52 priority 255 repeat 3 pacing 0.2 addresses 192.0.2.101/24 track_link eth1
router a vrid 51 priority 255 repeat 3 pacing 0.2
    0.200000   announce eth0 192.0.2.101
    0.400000   announce eth0 192.0.2.100
    0.500000 > link eth1 down
    0.500000   eth1 Down
    0.500000   b fault: LinkDown eth1
    0.500000   b advertise 0
    0.500000   b resigned
    0.500000   b Active -> Initialize: Fault
    0.500000   b releases its addresses
    0.500000   desired 192.0.2.100/24@eth0
    0.500000   b notify Fault 255
    0.600000   announce eth0 192.0.2.100
    1.000000   a advertise 255
    2.000000   a advertise 255
    2.500000 > wait
"#,
    );
}

#[test]
fn another_interface_is_another_router() {
    check(
        r#"
router a priority 255
link eth0 up 192.0.2.1
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 link eth1
    0.300000   a advertise 0
    0.300000   a resigned
    0.300000   a Active -> Initialize: Stopped
    0.300000   a releases its addresses
    0.300000   desired nothing
    0.300000   a notify Deleted 255
    0.400000 > link eth1 up 198.51.100.1
    0.400000   eth1 Up
    0.400000   a Initialize -> Active: AddressOwner
    0.400000   a advertise 255
    0.400000   a wants its addresses
    0.400000   desired 192.0.2.100/24@eth1
    0.400000   a announcing eth1 192.0.2.100
    0.400000   announce eth1 192.0.2.100
    0.400000   a notify Active 255
"#,
    );
}

#[test]
fn from_another_source_the_router_stays() {
    check(
        r#"
router a priority 255 peers 192.0.2.2 source 192.0.2.1
link eth0 up 192.0.2.1 192.0.2.9
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 peers 192.0.2.2 source 192.0.2.9
    0.300000   a advertise 255
    1.100000 > wait
    1.100000 > counters
    1.100000   a counts sent 2 became 1
"#,
    );
}

#[test]
fn by_unicast_instead_of_multicast_the_router_stays() {
    check(
        r#"
router a priority 255
link eth0 up 192.0.2.1
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 peers 192.0.2.2 source 192.0.2.1
    0.300000   a advertise 255
    1.100000 > wait
    1.200000 > reconfigure
router a priority 255
    1.200000   a advertise 255
    2.100000 > wait
    2.100000 > counters
    2.100000   a counts sent 3 became 1
"#,
    );
}

/// The neighbour may be on the new way a moment later, and is not missed before.
#[test]
fn on_a_new_way_a_backup_waits_anew() {
    check(
        r#"
router a priority 100
link eth0 up 192.0.2.1
    0.500000 > start
    0.500000   a Initialize -> Backup: Started
    0.500000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 for a
    1.000000   a follows 192.0.2.2
    4.000000 > reconfigure
router a priority 100 peers 192.0.2.2 source 192.0.2.1
    4.000000 > view
    4.000000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 7.609375
    5.000000 > hear 192.0.2.2 150 for a
    8.000000 > wait
"#,
    );
}

/// Those of one VRID that send from different addresses are told apart by them.
#[test]
fn of_two_that_differ_in_their_source_the_right_one_goes() {
    check(
        r#"
router a priority 255 peers 192.0.2.2 source 192.0.2.1
router b priority 255 peers 192.0.2.3 source 192.0.2.9
link eth0 up 192.0.2.1 192.0.2.9
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.100000   b is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router b priority 255 peers 192.0.2.3 source 192.0.2.9
    0.300000   a advertise 0
    0.300000   a resigned
    0.300000   a Active -> Initialize: Stopped
    0.300000   a releases its addresses
    0.300000   desired 192.0.2.100/24@eth0
    0.300000   a notify Deleted 255
    1.000000   b advertise 255
    1.100000 > wait
"#,
    );
}

/// Where both move, and their places change, the name says who is who.
#[test]
fn of_two_that_both_send_from_elsewhere_each_goes_on_under_its_name() {
    check(
        r#"
router a priority 255 peers 192.0.2.2 source 192.0.2.1
router b priority 100 peers 192.0.2.3 source 192.0.2.9
link eth0 up 192.0.2.1 192.0.2.7 192.0.2.8 192.0.2.9
    0.100000 > start
    0.100000   a Initialize -> Active: AddressOwner
    0.100000   a advertise 255
    0.100000   a wants its addresses
    0.100000   desired 192.0.2.100/24@eth0
    0.100000   a announcing eth0 192.0.2.100
    0.100000   announce eth0 192.0.2.100
    0.100000   a notify Active 255
    0.100000   b Initialize -> Backup: Started
    0.100000   b notify Backup 100
    0.200000 > hear 192.0.2.3 150 for b
    0.200000   b follows 192.0.2.3
    1.100000   a advertise 255
    1.300000 > reconfigure
router b priority 100 peers 192.0.2.3 source 192.0.2.8
router a priority 255 peers 192.0.2.2 source 192.0.2.7
    1.300000   a advertise 255
    1.300000 > view
    1.300000   b is Backup priority 100/100 follows 192.0.2.3 150 interval 1s down at 4.909375
    1.300000   a is Active priority 255/255 interval 1s
    1.400000 > counters
    1.400000   b counts received 1
    1.400000   a counts sent 3 became 1
"#,
    );
}

#[test]
fn unicast_peers_change_and_the_router_stays() {
    check(
        r#"
router a priority 255 peers 192.0.2.2 source 192.0.2.1
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.300000 > reconfigure
router a priority 255 peers 192.0.2.2,192.0.2.3 source 192.0.2.1
    0.300000   a advertise 255
    1.100000 > wait
    1.100000 > counters
    1.100000   a counts sent 2 became 1
"#,
    );
}

#[test]
fn a_stopping_engine_takes_no_new_configuration() {
    check(
        r#"
router a priority 255
    0.100000 > settle
    0.100000   a is Active priority 255/255 interval 1s
    0.500000 > stop
    0.500000   a advertise 0
    0.500000   a resigned
    0.500000   a Active -> Initialize: Stopped
    0.600000 > reconfigure
router b vrid 52 priority 255
    1.596093   a releases its addresses
    1.596093   desired nothing
    1.596093   a notify Stop 255
    1.596093   stopped
    3.000000 > view
    3.000000   a is Initialize priority 255/255 interval 1s
"#,
    );
}
