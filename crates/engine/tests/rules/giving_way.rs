//! How long a sync group leaves its role to whoever it has lost it to, and when it takes or gives it back. The longest that one of
//! these waits is 3 × 1 s + 255/256 s, and an interval more.

use crate::common::timeline::check;

/// It had no role to lose: whoever falls silent is missed as by any other router.
#[test]
fn who_has_only_just_begun_to_listen_gives_way_to_nobody() {
    check(
        "
router a vrid 51 priority 100
router b vrid 52 priority 100
group G a,b
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    0.000000   b Initialize -> Backup: Started
    0.000000   b notify Backup 100
    0.000000   GroupChanged { group: G, kind: Backup }
    0.000000   G notify Backup
    0.500000 > hear 192.0.2.2 150 for a
    0.500000   a follows 192.0.2.2
    0.500000 > hear 192.0.2.2 150 for b
    0.500000   b follows 192.0.2.2
    4.109375   a Backup -> Active: ActiveDownTimer
    4.109375   a advertise 100
    4.109375   a wants its addresses
    4.109375   desired 192.0.2.100/24@eth0
    4.109375   a announcing eth0 192.0.2.100
    4.109375   announce eth0 192.0.2.100
    4.109375   a notify Active 100
    4.109375   b Backup -> Active: ActiveDownTimer
    4.109375   b advertise 100
    4.109375   b wants its addresses
    4.109375   desired 192.0.2.100/24@eth0
    4.109375   b announcing eth0 192.0.2.100
    4.109375   announce eth0 192.0.2.100
    4.109375   b notify Active 100
    4.109375   GroupChanged { group: G, kind: Active }
    4.109375   G notify Active
    4.200000 > wait
",
    );
}

/// Whoever is better has resigned because of another part, and tries once more: it has its time anew.
#[test]
fn who_comes_back_at_once_is_given_way_anew() {
    check(
        "
router a vrid 51 priority 100
router b vrid 52 priority 100
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
    6.000000 > hear 192.0.2.2 0 for a
    6.000000   a hears 192.0.2.2 resign
    6.300000 > hear 192.0.2.2 150 for a
   11.296093   a Backup -> Active: ActiveDownTimer
   11.296093   a advertise 100
   11.296093   a wants its addresses
   11.296093   desired 192.0.2.100/24@eth0
   11.296093   a announcing eth0 192.0.2.100
   11.296093   announce eth0 192.0.2.100
   11.296093   a notify Active 100
   11.296093   b Backup -> Active: ActiveDownTimer
   11.296093   b advertise 100
   11.296093   b wants its addresses
   11.296093   desired 192.0.2.100/24@eth0
   11.296093   b announcing eth0 192.0.2.100
   11.296093   announce eth0 192.0.2.100
   11.296093   b notify Active 100
   11.296093   GroupChanged { group: G, kind: Active }
   11.296093   G notify Active
   11.500000 > wait
",
    );
}

/// When its time is over and another router still follows somebody, it waits as long as anybody, and asks for nothing meanwhile.
#[test]
fn whose_time_is_over_waits_for_the_rest() {
    check(
        "
router a vrid 51 priority 100
router b vrid 52 priority 100
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
    8.000000 > hear 192.0.2.2 150 for b
   10.000000 > hear 192.0.2.2 150 for b
   10.500000 > view
   10.500000   a is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 13.605468
   10.500000   b is Backup priority 100/100 follows 192.0.2.2 150 interval 1s down at 13.609375
",
    );
}

/// The router that a reload has added follows another node, which has resigned once and has come back.
#[test]
fn half_of_a_role_is_given_back_to_who_has_come_back() {
    check(
        "
router a vrid 51 priority 100
group G a
    4.700000 > settle
    4.700000   a is Active priority 100/100 interval 1s
    5.000000 > reconfigure
router a vrid 51 priority 100
router b vrid 52 priority 100
group G a,b
    5.000000   b Initialize -> Backup: Started
    5.000000   b notify Backup 100
    5.500000 > hear 192.0.2.2 150 for b
    5.500000   b follows 192.0.2.2
    5.609375   a advertise 100
    6.500000 > hear 192.0.2.2 0 for b
    6.500000   b hears 192.0.2.2 resign
    6.609375   a advertise 100
    6.800000 > hear 192.0.2.2 150 for b
    7.609375   a advertise 100
    8.609375   a advertise 100
    9.000000 > hear 192.0.2.2 150 for b
    9.609375   a advertise 100
   10.609375   a advertise 100
   11.609375   a advertise 100
   12.000000 > hear 192.0.2.2 150 for b
   12.609375   a advertise 0
   12.609375   a resigned
   12.609375   a Active -> Backup: LetGo
   12.609375   a releases its addresses
   12.609375   desired nothing
   12.609375   a notify Backup 100
   12.609375   GroupChanged { group: G, kind: Backup }
   12.609375   G notify Backup
   13.000000 > wait
",
    );
}
