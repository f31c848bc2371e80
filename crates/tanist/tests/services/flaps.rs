//! A role that comes and goes faster than the service can follow.

use std::time::Duration;

use api::{Role, ServiceState};

use crate::pair::{A, COMMAND, Pair, Plan};
use crate::support::{Moment, let_pass, slow_test};

const FLAPS: u64 = 100;

/// An owner of its address is active as soon as it can be.
fn start_owner(pair: &mut Pair) {
    let configuration = pair.plan.configuration(A).replace("priority 150", "priority 255");
    pair.start_with(A, &configuration);
    pair.is_active(A);
}

/// Its interface goes and comes, now shorter, now longer than a start or a stop takes.
fn flap(pair: &Pair) {
    for flap in 0..FLAPS {
        for up in [false, true] {
            pair.host(A).set_interface("eth0", up).expect("switch it");
            let_pass(Duration::from_millis(flap * 7 % 40));
        }
    }
}

/// S0-14: one after the other, in order, never two at once, whatever the role does meanwhile.
#[test]
fn starts_and_stops_alternate_and_the_last_one_fits_the_role() {
    slow_test(|| {
        let told = |verb: &str, end: &str| format!("printf '%s\\t%s\\n' {verb} {end} > /run/rehearse/records");
        let script = |verb: &str| {
            let (begins, ends) = (told(verb, "begins"), told(verb, "ends"));
            format!("#!/bin/sh\n{begins}\n/run/rehearse/collector-service {verb}\nstatus=$?\n{ends}\nexit $status\n")
        };
        let lines = "    start /run/rehearse/start.sh\n    stop /run/rehearse/stop.sh\n    \
                     status \"/run/rehearse/collector-service status\"\n";
        let mut pair = Pair::new(Plan::alone(lines));
        for verb in ["start", "stop"] {
            pair.host(A).write_program(&format!("{verb}.sh"), &script(verb)).expect("a script");
        }
        let begin = Moment::now();
        start_owner(&mut pair);
        flap(&pair);
        pair.is_active(A);
        pair.works_alone(A);
        let up = Moment::now();
        pair.host(A).set_interface("eth0", false).expect("down");
        pair.says(A, "that it is out and nothing runs", |status| {
            status.instances[0].role == Role::Fault && status.services[0].state == ServiceState::Stopped
        });
        pair.scene.until("nobody is at work", || pair.at_work().is_empty());

        let runs: Vec<String> = pair.scene.runs("a", begin).iter().map(|words| words.join(" ")).collect();
        let runs: Vec<&str> =
            runs.iter().map(String::as_str).filter(|run| run.starts_with("sta") || run.starts_with("stop")).collect();
        let expected = ["start begins", "start ends", "stop begins", "stop ends"];
        // Whatever may have been stopped before the first start, though nothing ran.
        let first = runs.iter().position(|run| *run == expected[0]).expect("it was started");
        for (run, expected) in runs[first..].iter().zip(expected.iter().cycle()) {
            assert_eq!(run, expected, "{runs:?}");
        }
        assert_eq!(runs.last(), Some(&"stop ends"), "{runs:?}");
        let starts = runs.iter().filter(|run| **run == "start begins").count();
        assert!(starts > 5, "the role came and went, and the service with it: {runs:?}");
        let exits = pair.scene.count_lines("a", begin, "start.sh succeeded after");
        assert_eq!(exits, starts, "each run is told with its exit status\n{}", pair.story());
        assert_eq!(pair.begun(A, up), 0);
        pair.never_two(begin);
    });
}

/// The same with a service that the daemon runs itself.
#[test]
fn a_command_never_runs_twice() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::alone(COMMAND));
        let begin = Moment::now();
        start_owner(&mut pair);
        flap(&pair);
        pair.is_active(A);
        pair.works_alone(A);
        // The last one may just be starting.
        pair.scene.until("it runs once", || pair.host(A).processes("collector").expect("look").len() == 1);
        pair.host(A).set_interface("eth0", false).expect("down");
        pair.scene.until("nothing of it is left", || {
            pair.host(A).processes("collector").expect("look").is_empty() && pair.at_work().is_empty()
        });
        assert!(pair.starts(begin).len() > 5, "{}", pair.story());
        pair.never_two(begin);
    });
}
