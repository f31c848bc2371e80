//! How health is seen: what is built in says the same as the scripts that it replaces, and costs no process.

use std::time::Duration;

use api::ServiceState;
use linux::signals::Signal;
use rehearse::lab::Manner;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, is_installed, let_pass, slow_test};

const PORT: u16 = 8085;

fn plan(checks: &str) -> Plan {
    let manner = Manner { port: Some(PORT), ..Manner::default() };
    Plan { manner, ..Plan::alone(format!("{COMMAND}    start_grace 5\n{checks}")) }
}

/// What each check of the node says, in the order of the configuration.
fn verdicts(pair: &Pair) -> Vec<Option<bool>> {
    pair.status(A).services[0].checks.iter().map(|check| check.good).collect()
}

/// S0-15, S3-12: a page that is asked for, a port, a process: as the script sees it, so does the daemon. In maintenance,
/// so that nothing follows from it.
#[test]
fn built_in_checks_agree_with_scripts() {
    slow_test(|| {
        let often = "{ interval 0.1  timeout 0.5  fall 1 }";
        let mut pair = Pair::new(plan(&format!(
            "    check http http://127.0.0.1:{PORT}/ {often}\n    check script /run/rehearse/collector-probe {{ interval 0.1  \
             timeout 5  fall 1 }}\n    check process collector {often}\n    check script \"killall -0 collector\" {often}\n    \
             check tcp 127.0.0.1:{PORT} {often}\n"
        )));
        assert!(is_installed("killall"), "it is one of the packages of these tests");
        pair.start(A);
        pair.works_alone(A);
        pair.scene.until("all are good", || verdicts(&pair) == [Some(true); 5]);
        pair.order(A, &["maintenance", "on"]);
        pair.signal(A, Signal::STOP);
        // Frozen, it has its port and its process, and gives no answer.
        let bad = |verdicts: &[Option<bool>]| verdicts[0] == Some(false) && verdicts[1] == Some(false);
        pair.scene.until("nobody answers any more", || bad(&verdicts(&pair)));
        assert_eq!(verdicts(&pair)[2..], [Some(true); 3]);
        pair.signal(A, Signal::CONTINUE);
        pair.scene.until("all are good again", || verdicts(&pair) == [Some(true); 5]);
        let collectings = pair.collectings();
        assert!(collectings.windows(2).all(|two| two[0].pid == two[1].pid), "it was left alone\n{}", pair.story());
    });
}

/// S0-15: dozens of checks, not one process.
#[test]
fn built_in_checks_start_no_process() {
    slow_test(|| {
        let often = "{ interval 0.05  timeout 0.5 }";
        let mut pair = Pair::new(plan(&format!(
            "    check http http://127.0.0.1:{PORT}/ {often}\n    check tcp 127.0.0.1:{PORT} {often}\n    check process collector {often}\n"
        )));
        pair.start(A);
        pair.works_alone(A);
        pair.scene.until("all are good", || verdicts(&pair) == [Some(true); 3]);
        // The last process id that was given in this host; asking takes one.
        let last = || -> u32 {
            let output = pair.host(A).output(&["cat", "/proc/loadavg"]).expect("ask");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.split_whitespace().last().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("{text}"))
        };
        let before = last();
        let_pass(Duration::from_secs(1));
        assert_eq!(last() - before, 1, "somebody else was started\n{}", pair.story());
        assert_eq!(verdicts(&pair), [Some(true); 3]);
    });
}

/// S0-25: a service that hangs is found out by its check, and its death needs none: this one is a minute away.
#[test]
fn a_death_is_no_matter_of_checks() {
    slow_test(|| {
        let minute = "{ interval 60  timeout 1 }";
        let mut pair = Pair::new(plan(&format!("    check http http://127.0.0.1:{PORT}/ {minute}\n")));
        pair.start(A);
        pair.works_alone(A);
        pair.kill_and_wait(A);
        pair.works_alone(A);
    });
}

/// It is asked to end and, as it does not, killed; then it is started again.
#[test]
fn a_service_that_hangs_is_started_again() {
    slow_test(|| {
        let mut pair = Pair::new(plan(&format!(
            "    check http http://127.0.0.1:{PORT}/ {{ interval 0.1  timeout 0.2  fall 2 }}\n    stop_timeout 0.5\n"
        )));
        pair.start(A);
        pair.works_alone(A);
        let hung = pair.signal(A, Signal::STOP);
        pair.scene.until("another one begins", || pair.begun(A, hung) > 0);
        pair.scene.line("a", hung, "failed; it is restarted here (1 of 3)");
        pair.is_active(A);
        pair.works_alone(A);
    });
}

/// S0-18, B7: while it is starting, failing checks say nothing; they do once it has been well, or has had long enough.
#[test]
fn a_slow_start_is_no_failure() {
    slow_test(|| {
        let often = "{ interval 0.1  timeout 0.2  fall 1 }";
        let manner = Manner { port: Some(PORT), start: Duration::from_millis(1_500), ..Manner::default() };
        let service = format!("{COMMAND}    check http http://127.0.0.1:{PORT}/ {often}\n    start_grace 20\n");
        let mut pair = Pair::new(Plan { manner, ..Plan::alone(service) });
        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        pair.says(A, "that it is well", |status| status.services[0].healthy == Some(true));
        assert_eq!(pair.begun(A, begin), 1, "{}", pair.story());
        assert_eq!(pair.scene.count_lines("a", begin, "Service job failed"), 0, "{}", pair.story());

        // Now that it has been well, a hang counts although the grace has not ended.
        pair.signal(A, Signal::STOP);
        pair.scene.line("a", begin, "Service job failed");
    });
}

/// Five seconds of good runs make it good, and after four the grace is over.
#[test]
fn what_answers_when_the_grace_ends_is_waited_for() {
    slow_test(|| {
        let steady = "{ interval 0.1  timeout 10  rise 50 }";
        let manner = Manner { port: Some(PORT), start: Duration::from_millis(500), ..Manner::default() };
        let service = format!("{COMMAND}    check tcp 127.0.0.1:{PORT} {steady}\n    start_grace 4\n");
        let mut pair = Pair::new(Plan { manner, ..Plan::alone(service) });
        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        pair.says(A, "that it is well", |status| status.services[0].healthy == Some(true));
        assert_eq!(pair.begun(A, begin), 1, "{}", pair.story());
        assert_eq!(pair.scene.count_lines("a", begin, "Service job failed"), 0, "{}", pair.story());
    });
}

/// Whoever does not come up within its time has failed as well.
#[test]
fn a_start_that_leads_nowhere_moves_the_service() {
    slow_test(|| {
        let lines = "    start \"/run/rehearse/collector-service start\"\n    stop \"/run/rehearse/collector-service stop\"\n    \
                     status \"/run/rehearse/status\"\n    start_timeout 1\n    restart never\n    failback never\n";
        let mut pair = Pair::new(Plan::new(lines));
        let status = |node: usize, text: &str| {
            pair.host(node).write_program("status", text).expect("write");
        };
        // On A it is never seen to run.
        status(A, "#!/bin/sh\nexit 3\n");
        status(B, "#!/bin/sh\nexec /run/rehearse/collector-service status\n");
        let begin = Moment::now();
        pair.start(A);
        pair.scene.line("a", begin, "Service job is being started");
        pair.start(B);
        pair.works_alone(B);
        pair.scene.line("a", begin, "it did not come up within its start_timeout");
        let status =
            pair.says(A, "that it is stopped here", |status| status.services[0].state == ServiceState::Stopped);
        assert!(!status.services[0].wanted);
        pair.never_two(begin);
    });
}
