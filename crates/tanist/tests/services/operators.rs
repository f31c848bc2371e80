//! What an operator asks for: done in order, visible on both nodes, and not forgotten.

use std::time::Duration;

use api::{ProtectionState, Role, ServiceState};
use linux::signals::Signal;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, let_pass, slow_test};

fn plan() -> Plan {
    Plan::new(format!("{COMMAND}    readiness_interval 0.2\n"))
}

/// S2-17, S0-19: a planned hand-over says what it did. The better node would take the role back at once; it does not
/// before the operator allows it.
#[test]
fn a_switch_moves_the_service_and_says_what_it_cost() {
    slow_test(|| {
        let mut pair = Pair::in_good_order(plan());
        let begin = Moment::now();
        let told = pair.order(B, &["switch", "--to", "b", "--dry-run"]);
        assert!(told.contains("VI_1: would be moved, within"), "{told}");
        let told = pair.order(A, &["switch", "--to", "a"]);
        assert!(told.contains("VI_1: is active there already"), "{told}");
        assert_eq!(pair.begun(B, begin), 0);

        let told = pair.order(A, &["switch"]);
        assert!(told.contains("VI_1: b is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        pair.works_alone(B);
        let status = pair.is_active(B);
        assert!(status.peer.expect("it is there").instances[0].held, "both know why it stays");
        pair.daemon(A).stop();
        pair.power_off(A);
        pair.power_on(A);
        pair.start(A);
        pair.says(A, "that it stands back, after a new boot, too", |status| {
            status.instances[0].held.iter().any(|by| by.contains("operator"))
        });
        pair.says(B, "that a is there", |status| status.peer.as_ref().is_some_and(|peer| peer.alive));
        assert_eq!(pair.begun(A, begin), 0, "{}", pair.story());

        pair.order(A, &["release"]);
        pair.works_alone(A);
        pair.is_well(A);
        let told = pair.order(A, &["switch", "--to", "b"]);
        assert!(told.contains("overlap 0 ms"), "{told}");
        // It comes back by the other node's command, too.
        let told = pair.order(B, &["switch", "--to", "a"]);
        assert!(told.contains("VI_1: a is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        pair.works_alone(A);
        let status = pair.is_well(A);
        assert!(status.instances[0].held.is_empty());
        pair.never_two(begin);
    });
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    slow_test(|| {
        let pair = Pair::in_good_order(plan());
        let begin = Moment::now();
        let refused = |words: &[&str], exit: i32, why: &str| {
            let (status, told) = pair.tanist(A, words);
            assert!(status == exit && told.contains(why), "{words:?}: {status}, {told}");
        };
        refused(&["switch", "--to", "c"], 1, "there is no node c");
        refused(&["switch", "VI_2"], 1, "VI_2");
        pair.host(B).remove_file("collector").expect("break the standby");
        pair.says(A, "that b could not take over", |status| status.protection.state == ProtectionState::Unprotected);
        refused(&["switch"], 1, "could not be started there");
        pair.power_off(B);
        pair.says(A, "that b is silent", |status| status.peer.as_ref().is_some_and(|peer| !peer.alive));
        refused(&["switch"], 1, "nothing is heard of the peer");
        pair.works_alone(A);
        assert!(pair.starts(begin).is_empty(), "the service did not just go on\n{}", pair.story());
    });
}

/// Nothing happens by itself, on either node, whatever happens; afterwards it does again.
#[test]
fn in_maintenance_nothing_happens_by_itself() {
    slow_test(|| {
        let mut pair = Pair::in_good_order(plan());
        let begin = Moment::now();
        pair.order(B, &["maintenance", "on", "--for", "2h"]);
        for node in [A, B] {
            let status = pair.says(node, "maintenance", |status| status.maintenance.is_some());
            assert_eq!(status.protection.state, ProtectionState::Maintenance);
            let left = status.maintenance.and_then(|maintenance| maintenance.ends_in_ms).expect("it was said");
            assert!(left <= 7_200_000 && left > 7_000_000, "{left} ms");
            assert_eq!(pair.tanist(node, &["status", "--check"]).0, 1);
        }
        pair.signal(A, Signal::KILL);
        pair.says(A, "that its service has ended", |status| status.services[0].state == ServiceState::Stopped);
        // Nor does the standby's new daemon, or its new boot, know better.
        pair.daemon(B).stop();
        pair.power_off(B);
        pair.power_on(B);
        pair.start(B);
        pair.says(B, "maintenance, after a new boot, too", |status| status.maintenance.is_some());
        // Longer than a peer takes to be dead, and an advertisement to be missed.
        let_pass(Duration::from_millis(1_500));
        assert!(pair.at_work().is_empty(), "{}", pair.story());
        assert_eq!(pair.status(A).instances[0].role, Role::Master);
        assert_eq!(pair.status(B).instances[0].role, Role::Backup);

        pair.order(A, &["maintenance", "off"]);
        pair.works_alone(A);
        pair.is_well(A);
        pair.says(B, "that maintenance is over", |status| status.maintenance.is_none());
        pair.never_two(begin);

        let again = Moment::now();
        pair.order(A, &["maintenance", "on", "--for", "1s"]);
        for node in [A, B] {
            pair.scene.line(pair.name(node), again, "Maintenance is over");
        }
        pair.is_well(B);
    });
}
