//! S2-16: what an operator's check script did by hand, in order: first the other node's service is ended, then it is
//! started here and given a time, then somebody looks, and if it is not there, the role goes back.

use std::collections::BTreeMap;
use std::time::Duration;

use api::{Handover, Place, Role, ServiceState};
use rehearse::lab::Manner;

use crate::pair::{A, B, COMMAND, Pair, Plan, SCRIPTS};
use crate::support::{Moment, Scene, says, slow_test};

/// The lines of each node in its own order. (Which node did something first, its service tells, and not who was quicker
/// to write it down.)
fn in_this_order(scene: &Scene, since: Moment, lines: &[(&str, &str)]) {
    let mut reached: BTreeMap<&str, Moment> = BTreeMap::new();
    for (host, words) in lines {
        let at = reached.entry(host).or_insert(since);
        let next = format!("{host} says {words:?} next");
        *at = scene.wait(*at, &next, |record| &*record.host == *host && says(record, words)).at;
    }
}

/// It does not end when it is told to: it is killed there, that is acknowledged, and only then it begins here.
#[test]
fn it_begins_here_when_the_other_one_is_known_to_be_gone() {
    slow_test(|| {
        let plan = Plan::new(format!("{COMMAND}    stop_timeout 1\n"));
        let pair = Pair::in_good_order(Plan { manner: Manner { stubborn: true, ..Manner::default() }, ..plan });
        let ordered = Moment::now();
        let told = pair.order(B, &["switch", "--to", "here"]);
        assert!(told.contains("b is active; outage ") && told.contains("overlap 0 ms"), "{told}");
        pair.works_alone(B);
        in_this_order(
            &pair.scene,
            ordered,
            &[
                ("a", "Service job is being stopped"),
                ("a", "Service job has not ended 1 s after it was told to"),
                ("a", "Service job is stopped"),
                ("b", "Service job is being started: this node has the role"),
                ("b", "Service job is running"),
            ],
        );
        let last = pair.collectings().into_iter().filter(|work| &*work.by == "a").map(|work| work.until).max();
        let first = pair.collectings().into_iter().filter(|work| &*work.by == "b").map(|work| work.from).min();
        assert!(last.expect("it was at work") < first.expect("it is at work"), "{}", pair.story());
        pair.never_two(ordered);
        // What both nodes say of it afterwards is the same.
        for (node, to) in [(A, Place::Peer), (B, Place::Here)] {
            let events = pair.order(node, &["events", "--json"]);
            let ended = events.lines().filter(|line| line.contains("handover.ended")).filter_map(|line| {
                let event: api::Event = serde_json::from_str(line).expect("an event");
                event.handover
            });
            let ended: Vec<Handover> = ended.collect();
            assert!(
                matches!(ended[..], [Handover::Ended { to: place, overlap_ms: 0, .. }] if place == to),
                "{ended:?}"
            );
        }
    });
}

/// It is started here and does not come up in time: what is left of the attempt is ended, and the role goes back.
#[test]
fn what_does_not_come_up_in_time_is_handed_back() {
    slow_test(|| {
        let service = format!("{SCRIPTS}    start_timeout 1\n    restart never\n    readiness_interval 0.2\n");
        let pair = Pair::in_good_order(Plan::new(service));
        // On B it says that it has begun, and never has.
        let begins = "#!/bin/sh\necho \"$1\" >> /run/rehearse/orders\n[ \"$1\" != status ] || exit 3\n";
        pair.host(B).write_program("collector-service", begins).expect("another program");
        let ordered = Moment::now();
        let switched = pair.tanist(B, &["switch", "--to", "here"]);
        in_this_order(
            &pair.scene,
            ordered,
            &[
                ("a", "Service job is being stopped"),
                ("a", "Service job is stopped, nothing of it runs any more"),
                ("b", "Service job is being started: this node has the role"),
                (
                    "b",
                    "Service job failed: it did not come up within its start_timeout; the role moves to the other node",
                ),
                ("b", "Service job is stopped"),
                ("a", "Service job is being started: this node has the role"),
                ("a", "Service job is running"),
            ],
        );
        pair.works_alone(A);
        pair.never_two(ordered);
        // Who waited for the order hears how it ended, on both nodes.
        let words = "was not handed over: the service could not be started there: job failed";
        assert!(switched.0 == 1 && switched.1.contains(words), "{switched:?}");
        for node in ["a", "b"] {
            pair.scene.line(node, ordered, words);
        }
        let status = pair.is_active(A);
        assert_eq!(status.services[0].state, ServiceState::Running);
        // It could be started there again, as far as anybody can see, but it does not go there by itself.
        pair.says(B, "that it is a standby again", |status| status.instances[0].role == Role::Backup);
        std::thread::sleep(Duration::from_secs(1));
        pair.works_alone(A);
        assert_eq!(pair.begun(A, ordered), 1, "{}", pair.story());
    });
}
