//! Who has just started may be told to wait before it takes part.

use crate::common::timeline::check;

/// 2.5 s, then 3 × 1 s + 156/256 s. What was heard before the 2.5 s were over made no difference.
#[test]
fn nobody_is_heard_and_nobody_is_taken_over_from_until_the_delay_is_over() {
    check(
        r#"
router a priority 100
    0.000000 > hesitate 2.5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    2.000000 > hear 192.0.2.2 150 interval 1
    6.109375   a Backup -> Active: ActiveDownTimer
    6.109375   a advertise 100
    6.109375   a wants its addresses
    6.109375   desired 192.0.2.100/24@eth0
    6.109375   a announcing eth0 192.0.2.100
    6.109375   announce eth0 192.0.2.100
    6.109375   a notify Active 100
    6.200000 > wait
"#,
    );
}

/// It hears nobody either, so it waits as if it were none: 2.5 s, then 3 × 1 s + 1/256 s.
#[test]
fn an_address_owner_hesitates_as_well() {
    check(
        r#"
router a priority 255
    0.000000 > hesitate 2.5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 255
    5.503906   a Backup -> Active: ActiveDownTimer
    5.503906   a advertise 255
    5.503906   a wants its addresses
    5.503906   desired 192.0.2.100/24@eth0
    5.503906   a announcing eth0 192.0.2.100
    5.503906   announce eth0 192.0.2.100
    5.503906   a notify Active 255
    5.600000 > wait
"#,
    );
}

#[test]
fn afterwards_advertisements_count() {
    check(
        r#"
router a priority 100
    0.000000 > hesitate 2.5
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    2.500000 > hear 192.0.2.2 150 interval 1
    2.500000   a follows 192.0.2.2
    6.000000 > wait
"#,
    );
}
