//! A node that has just started knows nothing of what was said before: what it believes of what somebody repeats to it, with
//! each authentication. That who has heard it believes nothing a second time is shown in `hmac` and `authentication_header`.

use crate::common::timeline::check;

/// What is younger than the window is believed, once and in its order; so who was dead at 0 lives until 5 s later at most.
#[test]
fn who_has_just_started_believes_what_the_window_lets_through() {
    check(
        r#"
router a version 3 hmac 1
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 seal_ahead -6
    1.000000   a discards TrailerStale from 192.0.2.2
    1.000000 > hear 192.0.2.2 150 seal_ahead -4
    1.000000   a follows 192.0.2.2
    1.000000 > hear 192.0.2.2 150 seal_ahead -4
    1.000000   a discards TrailerReplayed from 192.0.2.2
    1.000000 > hear 192.0.2.2 150 seal_ahead -5
    3.000000 > hear 192.0.2.2 150 seal_ahead -4
    4.900000 > hear 192.0.2.2 150 seal_ahead -5
    6.000000 > hear 192.0.2.2 150 seal_ahead -6
    6.000000   a discards TrailerStale from 192.0.2.2
    7.000000 > hear 192.0.2.2 150 seal_ahead -7
    8.509375   a Backup -> Active: ActiveDownTimer
    8.509375   a advertise 100 sealed 1700000008 s + 33382/65536 s + 0
    8.509375   a wants its addresses
    8.509375   desired 192.0.2.100/24@eth0
    8.509375   a announcing eth0 192.0.2.100
    8.509375   announce eth0 192.0.2.100
    8.509375   a notify Active 100
    9.509375   a advertise 100 sealed 1700000009 s + 33382/65536 s + 0
   10.000000 > counters
   10.000000   a counts received 3 sent 2 became 1 TrailerStale 3 TrailerReplayed 2
"#,
    );
}

/// Without a window there is no too old: whatever was recorded, once and in its order, of each sender.
#[test]
fn who_goes_by_the_order_alone_and_has_just_started_believes_what_is_years_old() {
    check(
        r#"
router a version 3 hmac 1 hmac_replay monotonic
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 seal_ahead -31536000
    1.000000   a follows 192.0.2.2
    1.000000 > hear 192.0.2.2 150 seal_ahead -31536000
    1.000000   a discards TrailerReplayed from 192.0.2.2
    1.000000 > hear 192.0.2.2 150 seal_ahead -31536001
    3.000000 > hear 192.0.2.2 150 seal_ahead -31536000
    5.000000 > hear 192.0.2.2 150
    5.000000 > hear 192.0.2.2 0 seal_ahead -1
    6.000000 > hear 192.0.2.3 150 seal_ahead -31536000
    6.000000   a follows 192.0.2.3 after 192.0.2.2
    6.500000 > counters
    6.500000   a counts received 4 TrailerReplayed 3
"#,
    );
}

/// The same with an authentication header, but that who was not heard yet may not be behind all others.
#[test]
fn who_has_just_started_believes_the_first_number_of_a_header() {
    check(
        r#"
router a header secret
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.2 150 header_number 7
    1.000000   a follows 192.0.2.2
    1.000000 > hear 192.0.2.2 150 header_number 7
    1.000000   a discards AuthenticationHeaderReplayed from 192.0.2.2
    1.000000 > hear 192.0.2.2 150 header_number 6
    3.000000 > hear 192.0.2.2 150 header_number 8
    5.000000 > hear 192.0.2.2 150 header_number 500
    5.000000 > hear 192.0.2.2 0 header_number 9
    6.000000 > hear 192.0.2.3 150 header_number 400
    6.500000 > counters
    6.500000   a counts received 3 AuthenticationHeaderReplayed 4
"#,
    );
}

/// Numbers of a header only grow, and somebody who has the password can say the greatest.
#[test]
fn who_has_the_password_of_a_header_can_use_up_its_numbers() {
    check(
        r#"
router a header secret
    0.000000 > start
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 100
    1.000000 > hear 192.0.2.66 50 header_number 4294967295
    1.000000   a ignores 50 from 192.0.2.66
    1.500000 > hear 192.0.2.2 150 header_number 40
    1.500000   a discards AuthenticationHeaderReplayed from 192.0.2.2
    2.000000 > hear 192.0.2.2 150 header_number 41
    2.500000 > counters
    2.500000   a counts received 1 AuthenticationHeaderReplayed 2
"#,
    );
}
