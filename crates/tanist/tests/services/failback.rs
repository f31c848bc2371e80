//! What happens when the better node comes back.

use api::{ProtectionState, Role};

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, slow_test};

/// The node that lost its power is back and ready.
fn returned(policy: &str) -> (Pair, Moment) {
    let lines = format!("{COMMAND}    failback {policy}\n    readiness_interval 0.2\n");
    let mut pair = Pair::in_good_order(Plan::new(lines));
    let begin = pair.power_off(A);
    pair.works_alone(B);
    pair.power_on(A);
    pair.start(A);
    (pair, begin)
}

/// S0-1, S0-26, S0-18: it takes the service back, in order.
#[test]
fn the_service_goes_back_by_itself() {
    slow_test(|| {
        let (pair, begin) = returned("auto");
        pair.works_alone(A);
        pair.is_well(A);
        pair.never_two(begin);
        assert_eq!(pair.starts(begin), ["b", "a"]);
    });
}

#[test]
fn the_service_goes_back_when_an_operator_says_so() {
    slow_test(|| {
        let (pair, begin) = returned("manual");
        let status = pair.says(A, "that it is not where it should be", |status| {
            status.protection.state == ProtectionState::Degraded
                && status.protection.reasons.iter().any(|reason| reason.contains("failback manual"))
        });
        let reason = &status.protection.reasons[0];
        assert!(reason.contains("`tanist switch VI_1 --to a`"), "it says what to do: {reason}");
        assert_eq!(pair.begun(A, begin), 0, "{}", pair.story());
        pair.order(A, &["switch", "VI_1", "--to", "a"]);
        pair.works_alone(A);
        pair.is_well(A);
        pair.never_two(begin);
    });
}

#[test]
fn the_service_stays_where_it_is() {
    slow_test(|| {
        let (pair, begin) = returned("never");
        let status = pair.is_well(A);
        assert_eq!(status.instances[0].role, Role::Backup);
        pair.works_alone(B);
        assert_eq!(pair.begun(A, begin), 0, "{}", pair.story());
        pair.never_two(begin);
    });
}
