//! S0-20: somebody stops the service by hand. That is no crash; what it means is the operator's to say.

use std::time::Duration;

use api::{ProtectionState, ServiceState};
use linux::signals::Signal;

use crate::pair::{A, B, Pair, Plan};
use crate::pretend_docker::PretendDocker;
use crate::support::{Moment, let_pass, slow_test};

/// A pair in good order whose service is a container, and the engines of both nodes.
fn pair(policy: &str) -> (Pair, [PretendDocker; 2]) {
    let lines = format!(
        "    docker neuronex\n    on_manual_stop {policy}\n    restart 3 within 60\n    readiness_interval 0.2\n"
    );
    let mut pair = Pair::new(Plan::new(lines));
    let engines = [A, B].map(|node| PretendDocker::start(pair.host(node)));
    pair.start(A);
    pair.works_alone(A);
    pair.start(B);
    pair.is_well(A);
    (pair, engines)
}

#[test]
fn it_moves_and_does_not_come_back_by_itself() {
    slow_test(|| {
        let (pair, [a, _b]) = pair("failover");
        let begin = Moment::now();
        a.stop_by_hand();
        pair.works_alone(B);
        pair.scene.line("a", begin, "it was stopped by hand; the role moves to the other node");
        let status = pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
        assert_eq!(status.services[0].restarts.used, 0);
        // Longer than a standby needs to be ready again.
        let_pass(Duration::from_secs(1));
        pair.works_alone(B);
        pair.never_two(begin);
        // Whoever starts it again by hand means that this node may have it.
        a.start_by_hand();
        pair.says(A, "that it no longer stands back", |status| status.instances[0].held.is_empty());
        pair.works_alone(A);
        pair.is_well(A);
    });
}

#[test]
fn it_is_started_again_at_nobodys_expense() {
    slow_test(|| {
        let (pair, [a, _b]) = pair("restart");
        let begin = Moment::now();
        for _ in 0..5 {
            let stopped = Moment::now();
            a.stop_by_hand();
            pair.scene.until("it is started again", || pair.begun(A, stopped) > 0);
        }
        pair.works_alone(A);
        let status = pair.is_well(A);
        assert_eq!((status.services[0].restarts.used, status.services[0].moves.used), (0, 0));
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());
        pair.never_two(begin);
    });
}

#[test]
fn nothing_happens_until_maintenance_is_over() {
    slow_test(|| {
        let (pair, [a, _b]) = pair("maintenance");
        let begin = Moment::now();
        a.stop_by_hand();
        for node in [A, B] {
            let status = pair.says(node, "maintenance", |status| status.maintenance.is_some());
            assert_eq!(status.protection.state, ProtectionState::Maintenance);
        }
        let_pass(Duration::from_secs(1));
        assert!(pair.at_work().is_empty() && pair.starts(begin).is_empty(), "{}", pair.story());
        pair.order(B, &["maintenance", "off"]);
        pair.works_alone(A);
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());
    });
}

/// S0-21: a death in the container is one, with every policy.
#[test]
fn a_death_is_no_manual_stop() {
    slow_test(|| {
        let (pair, _engines) = pair("maintenance");
        let killed = pair.signal(A, Signal::KILL);
        pair.scene.line(
            "a",
            killed,
            "Service job failed: it ended with exit status 137; it is restarted here (1 of 3)",
        );
        pair.works_alone(A);
        let status = pair.is_well(A);
        assert_eq!(status.services[0].state, ServiceState::Running);
    });
}
