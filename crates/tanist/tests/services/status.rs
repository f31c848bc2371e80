//! One command shows both nodes, and whether a failure now would be survived.

use api::{Event, ProtectionState, Role, ServiceState, Severity};

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, slow_test};

fn plan() -> Plan {
    Plan::new(format!("{COMMAND}    readiness_interval 0.2\n"))
}

/// S0-27: what a node says of itself is what the other one shows of it.
#[test]
fn both_nodes_are_seen_from_either() {
    slow_test(|| {
        let pair = Pair::in_good_order(plan());
        pair.is_well(B);
        for (here, there) in [(A, B), (B, A)] {
            let (own, status) = (pair.status(there), pair.status(here));
            let peer = status.peer.expect("it is configured");
            assert_eq!((status.node.as_str(), peer.node.as_str()), (pair.name(here), pair.name(there)));
            assert!(peer.alive && !peer.stale && peer.age_ms.is_some() && peer.round_trip_us.is_some(), "{peer:?}");
            let (theirs, instance) = (&peer.instances[0], &own.instances[0]);
            assert_eq!((&theirs.name, theirs.role, theirs.epoch), (&instance.name, instance.role, instance.epoch));
            assert_eq!(theirs.effective_priority, instance.effective_priority);
            let (theirs, service) = (&theirs.services[0], &own.services[0]);
            assert_eq!((&theirs.name, theirs.state), (&service.name, service.state));
            assert_eq!(theirs.healthy, service.healthy);
            let text = pair.order(here, &["status"]);
            for words in ["a", "b", "MASTER", "BACKUP", "VI_1", "job", "PROTECTED"] {
                assert!(
                    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == words),
                    "{words}: {text}"
                );
            }
            assert_eq!(pair.tanist(here, &["status", "--check"]).0, 0);
        }
        let roles = [A, B].map(|node| pair.status(node).instances[0].role);
        assert_eq!(roles, [Role::Master, Role::Backup]);
    });
}

/// S0-27: what has happened, for people and for programs: every line of the log that matters has an id that stays.
#[test]
fn what_happened_can_be_asked_for() {
    slow_test(|| {
        let pair = Pair::in_good_order(plan());
        pair.order(A, &["switch"]);
        pair.works_alone(B);
        let text = pair.order(B, &["events", "--json"]);
        let events: Vec<Event> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect();
        assert!(events.windows(2).all(|two| two[1].number == two[0].number + 1 && two[1].boot_ns >= two[0].boot_ns));
        let position =
            |id: &str| events.iter().position(|event| event.id == id).unwrap_or_else(|| panic!("no {id} in {text}"));
        assert!(position("peer.heard") < position("handover.ended"));
        let ended = &events[position("handover.ended")];
        assert_eq!(ended.instance.as_deref(), Some("VI_1"));
        assert!(ended.text[0].contains("overlap 0 ms"), "{ended:?}");
        let log = pair.scene.lab.journal().log_of("b");
        for event in events.iter().filter(|event| event.severity <= Severity::Notice) {
            for line in &event.text {
                assert!(log.contains(line.as_str()), "{line:?} is not in the log\n{log}");
            }
        }
        let people = pair.order(B, &["events"]);
        assert!(people.contains("this node is active; outage"), "{people}");
    });
}

/// S3-20: isolated is not repaired. That nobody could take over any more is told, once, and shown until it is mended.
#[test]
fn a_pair_without_a_standby_is_unprotected() {
    slow_test(|| {
        let mut pair = Pair::in_good_order(plan());
        let off = pair.power_off(B);
        let status = pair.says(A, "that it is alone", |status| status.protection.state == ProtectionState::Unprotected);
        assert!(status.protection.reasons[0].starts_with("no standby: b is silent for "), "{status:?}");
        let (exit, told) = pair.tanist(A, &["status", "--check"]);
        assert!(exit == 2 && told.contains("no standby"), "{exit} {told}");
        pair.scene.line("a", off, "Nothing heard of b");
        pair.power_on(B);
        pair.start(B);
        pair.is_well(A);
        assert_eq!(pair.tanist(A, &["status", "--check"]).0, 0);
        assert_eq!(pair.scene.count_lines("a", off, "Nothing heard of b"), 1);
    });
}

/// S0-29: a standby that could not take over is told before it is needed, on both nodes.
#[test]
fn a_broken_standby_is_known_in_advance() {
    slow_test(|| {
        let mut pair =
            Pair::new(Plan::new(format!("{COMMAND}    readiness_interval 0.2\n    could_start /run/rehearse/ready\n")));
        for node in [A, B] {
            pair.host(node).write_check("ready").expect("a check");
        }
        pair.start(A);
        pair.works_alone(A);
        pair.start(B);
        pair.is_well(A);
        let remove: fn(&Pair) = |pair| pair.host(B).remove_file("collector").expect("rm");
        let refuse: fn(&Pair) = |pair| pair.host(B).set_check("ready", false).expect("not ready");
        let restore = |pair: &Pair| {
            pair.write_collector(B, &pair.plan.manner);
            pair.host(B).set_check("ready", true).expect("ready");
        };
        let begin = Moment::now();
        let causes = [(remove, "/run/rehearse/collector"), (refuse, "/run/rehearse/ready")];
        for (cause, named) in causes {
            let broken = Moment::now();
            cause(&pair);
            for node in [A, B] {
                let status = pair.says(node, "that b could not take over", |status| {
                    status.protection.state == ProtectionState::Unprotected
                });
                let reason = &status.protection.reasons[0];
                assert!(
                    reason.starts_with("no standby: b could not start job: ") && reason.contains(named),
                    "{reason}"
                );
            }
            pair.scene.line("b", broken, "Service job could not be started on this node");
            // It stays where it is, whatever an operator says.
            assert_eq!(pair.tanist(A, &["switch"]).0, 1);
            restore(&pair);
            pair.is_well(A);
            pair.is_well(B);
        }
        assert_eq!(pair.status(A).services[0].state, ServiceState::Running);
        assert!(pair.starts(begin).is_empty(), "{}", pair.story());
    });
}

/// What has not changed since the daemon was started has been so since then, not since the machine was.
#[test]
fn the_beginning_is_the_start_of_the_daemon() {
    slow_test(|| {
        let mut pair = Pair::new(plan());
        pair.host(A).set_cable("eth0", false).expect("unplug");
        let begin = Moment::now();
        pair.start(A);
        let status = pair.says(A, "that it is in FAULT", |status| status.instances[0].role == Role::Fault);
        let lived = u64::try_from(Moment::now().since(begin).as_millis()).expect("not for ever");
        for since in [status.instances[0].since_ms, status.services[0].since_ms] {
            assert!(since <= lived, "{since} ms of {lived} ms\n{}", pair.story());
        }
    });
}
