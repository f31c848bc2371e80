//! What follows when the service fails: again here, then on the other node, then nowhere until a human has seen to it.

use std::time::Duration;

use api::{ProtectionState, Role};
use linux::signals::Signal;
use rehearse::lab::Manner;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{ADDRESS, Moment, let_pass, says, slow_test};

/// A collector that never lives long.
fn sick() -> Manner {
    Manner { lives: Some(Duration::from_millis(50)), ..Manner::default() }
}

fn lives_here(lines: &str) -> String {
    format!("{COMMAND}    readiness_interval 0.2\n{lines}\n")
}

/// S1-19, S1-22: be a supervisor first. Nothing asks now and then whether it lives: there is no check.
#[test]
fn a_service_that_dies_is_started_again_where_it_was() {
    slow_test(|| {
        let pair = Pair::in_good_order(Plan::new(lives_here("    restart 2 within 60")));
        let begin = Moment::now();
        let killed = pair.kill_and_wait(A);
        pair.works_alone(A);
        pair.scene.line("a", killed, "Service job failed: it was ended by signal 9; it is restarted here (1 of 2)");
        let status = pair.is_active(A);
        let service = &status.services[0];
        assert_eq!((service.restarts.used, service.restarts.limit, service.moves.used), (1, 2, 0));
        let failure = service.last_failure.as_ref().expect("it is remembered");
        assert_eq!(failure.text, "it was ended by signal 9");
        assert_eq!(pair.begun(B, begin), 0);
        pair.scene.nobody_resigned(begin);
        pair.never_two(begin);
    });
}

/// S1-23, S0-16, S3-20: when that does not help, it moves, and the node whose service failed is a standby again by
/// itself; no other instance of the daemon is touched.
#[test]
fn when_that_does_not_help_it_moves_alone() {
    slow_test(|| {
        let other = "vrrp_instance VI_2 {\n    interface eth0\n    virtual_router_id 52\n    priority 200\n    version 3\n    \
                     advert_int 0.2\n    virtual_ipaddress {\n        192.0.2.200/24\n    }\n}\n";
        let mut plan = Plan::new(lives_here("    restart 2 within 60\n    failback never"));
        plan.behind = other.to_owned();
        let mut pair = Pair::new(plan.clone());
        pair.start(A);
        pair.works_alone(A);
        pair.start_with(B, &plan.configuration(B).replace("priority 200", "priority 100"));
        pair.is_well(A);
        let begin = Moment::now();
        for _ in 0..2 {
            pair.kill_and_wait(A);
            pair.works_alone(A);
        }
        let killed = pair.kill_and_wait(A);
        pair.works_alone(B);
        pair.scene.line("a", killed, "the role moves to the other node");
        pair.scene.until("the second instance stays", || pair.scene.holders([192, 0, 2, 200].into()) == ["a"]);
        let status = pair.is_well(B);
        assert_eq!(status.instances[0].role, Role::Master);
        let other = status.peer.expect("it is there").instances;
        assert_eq!(other.iter().map(|one| one.role).collect::<Vec<_>>(), [Role::Backup, Role::Master]);
        let left =
            pair.scene.advertisements(begin).into_iter().any(|(_, _, seen)| seen.vrid == 52 && seen.priority == 0);
        assert!(!left, "the second instance was touched\n{}", pair.story());
        pair.never_two(begin);
    });
}

/// S2-18: if the other node fails, too, a human must step in: one move, then nothing floats any more. Both nodes know
/// why, the alarm comes once, and neither a new daemon nor a new boot forgets it.
#[test]
fn when_both_fail_it_is_latched_until_a_human_has_seen_to_it() {
    slow_test(|| {
        // B has failed, too, before anybody looks whether A is well again.
        let lines = format!("{COMMAND}    readiness_interval 5\n    restart 1 within 60\n");
        let mut pair = Pair::in_good_order(Plan::new(lines));
        let begin = Moment::now();
        [A, B].into_iter().for_each(|node| pair.write_collector(node, &sick()));
        pair.signal(A, Signal::KILL);
        for node in [A, B] {
            let status = pair.says(node, "that it is latched", |status| status.latch.is_some());
            let latch = status.latch.expect("it was just there");
            assert_eq!((latch.service.as_str(), latch.node.as_str()), ("job", "b"), "{}", pair.story());
            assert_eq!(latch.text, "service job failed on both nodes");
            assert_eq!(status.protection.state, ProtectionState::Latched);
            let (exit, _) = pair.tanist(node, &["status", "--check"]);
            assert_eq!(exit, 2, "what a monitoring system is told");
        }
        let taken = |node: usize| pair.scene.count_lines(pair.name(node), begin, "(VI_1) Entering MASTER STATE");
        assert_eq!((taken(A), taken(B)), (0, 1), "{}", pair.story());
        // The one who has the role goes on trying, the other one does not.
        let tries = pair.begun(B, begin);
        pair.scene.until("it is tried again on b", || pair.begun(B, begin) > tries);
        assert_eq!((taken(A), taken(B)), (0, 1), "{}", pair.story());
        pair.never_two(begin);
        for node in [A, B] {
            let alarms = pair.scene.count_lines(pair.name(node), begin, "Latched by b");
            assert_eq!(alarms, 1, "on {}\n{}", pair.name(node), pair.story());
        }

        pair.daemon(A).stop();
        pair.start(A);
        pair.says(A, "that it is still latched", |status| status.latch.is_some());
        pair.power_off(A);
        let booted = pair.power_off(B);
        for node in [A, B] {
            pair.power_on(node);
            pair.write_collector(node, &Manner::default());
            pair.start(node);
        }
        for node in [A, B] {
            let status = pair.says(node, "that it is still latched", |status| {
                status.latch.is_some() && status.peer.as_ref().is_some_and(|peer| peer.alive)
            });
            assert_eq!(status.latch.expect("it was just there").text, "service job failed on both nodes");
        }

        pair.order(A, &["ack"]);
        pair.is_well(A);
        pair.is_well(B);
        pair.works_alone(A);
        pair.never_two(booted);
    });
}

/// S2-18: floating to and fro is pointless. What fails again and again moves as often as it may, then stays.
#[test]
fn it_does_not_move_more_often_than_it_may() {
    slow_test(|| {
        let lines = lives_here("    restart never\n    max_moves 3 within 600\n    readiness_rise 1");
        let pair = Pair::in_good_order(Plan::new(lines));
        let begin = Moment::now();
        pair.kill_and_wait(A);
        pair.scene.line("b", begin, "(VI_1) Entering MASTER STATE");
        // The better node takes it back, as it is well again.
        pair.scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        pair.works_alone(A);
        pair.is_well(A);
        let again = pair.kill_and_wait(A);
        pair.works_alone(B);
        for node in [A, B] {
            let status = pair.says(node, "that it is latched", |status| status.latch.is_some());
            let latch = status.latch.expect("it was just there");
            assert!(latch.text.contains("max_moves") && latch.node == "a", "{latch:?}");
            assert_eq!(status.protection.state, ProtectionState::Latched);
        }
        // From now on it stays: the better node does not take it back, nor does it go there when it fails here.
        let_pass(Duration::from_secs(1));
        let killed = pair.signal(B, Signal::KILL);
        pair.scene.until("it is started again on b", || pair.begun(B, killed) > 0);
        pair.works_alone(B);
        assert_eq!(pair.begun(A, again), 0, "{}", pair.story());
        assert_eq!(pair.is_active(B).instances[0].role, Role::Master);
        assert_eq!(pair.scene.holders(ADDRESS), ["b"]);
        pair.never_two(begin);

        pair.order(B, &["ack"]);
        pair.works_alone(A);
        pair.is_well(A);
        pair.never_two(begin);
    });
}

/// What is remembered may be damaged. That counts as no permission: there may have been a latch.
#[test]
fn a_damaged_memory_is_no_permission() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::alone(COMMAND));
        pair.host(A).write_file("disk/record", "nobody knows\n").expect("damage it");
        let begin = Moment::now();
        pair.start(A);
        let status = pair.says(A, "that it is latched", |status| status.latch.is_some());
        assert_eq!(
            status.latch.expect("it was just there").text,
            "the saved state is damaged, so there may have been a latch"
        );
        pair.scene.line("a", begin, "The saved state cannot be trusted");
        pair.says(A, "that it is out", |status| status.instances[0].role == Role::Fault);
        assert_eq!(pair.begun(A, begin), 0);
        pair.order(A, &["ack"]);
        pair.works_alone(A);
        let told = pair.scene.lab.journal().all();
        assert!(told.iter().any(|record| says(record, "An operator has acknowledged")), "{}", pair.story());
    });
}
