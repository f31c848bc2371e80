//! What is taken for a remainder of a service, and what is not.

use linux::signals::Signal;

use crate::pair::{A, COMMAND, Pair, Plan};
use crate::support::story::run;
use crate::support::{Moment, in_host, is_installed, slow_test, slow_test_with_users, tanist, test_name, word};

/// Any user can start a process with any environment.
#[test]
fn a_mark_that_can_be_guessed_keeps_no_service_from_starting() {
    slow_test_with_users(|| {
        if !is_installed("setpriv") {
            rehearse::lab::skip(&test_name(), &"setpriv is not installed");
            return;
        }
        // With a place for a secret, and without one, where it counts who has started it.
        for places in [[].as_slice(), ["--state-dir", "none"].as_slice()] {
            let mut pair = Pair::new(Plan::alone(COMMAND));
            let network = run(pair.host(A), "stat -L -c %i /proc/self/ns/net");
            let setting = format!("TANIST_SUPERVISED={}:{} job", network.trim(), word(&in_host("tanist.conf")));
            let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
            let impostor = [&nobody, ["env", &setting, "sleep", "600"].as_slice()].concat();
            let impostor = pair.host(A).start("impostor", &impostor).expect("start it");
            let mark = || run(pair.host(A), "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true");
            pair.scene.until("it carries the mark", || mark().contains(&setting));
            let mut daemon = tanist();
            if let [option, value] = places {
                let place = daemon.command.iter().position(|word| word == option).expect("it is said");
                daemon.command[place + 1] = (*value).to_owned();
            }
            let begin = Moment::now();
            let configuration = pair.plan.configuration(A);
            pair.start_as(A, daemon, &configuration);
            pair.works_alone(A);
            assert!(impostor.is_running(), "{}", pair.story());
            assert_eq!(pair.scene.count_lines("a", begin, "former"), 0, "{}", pair.story());
        }
    });
}

/// Who is killed takes its services along. The kernel forgets that wish where a program gains rights by being executed, so it
/// is asked of a daemon that has given rights up for good, too.
#[test]
fn a_confined_daemon_that_is_killed_leaves_no_service_behind() {
    slow_test(|| {
        for confine in ["capabilities,memory", "capabilities,memory,no-new-privileges,seccomp"] {
            let mut pair = Pair::new(Plan::alone(COMMAND));
            let mut daemon = tanist();
            daemon.command.extend(["--confine".to_owned(), confine.to_owned()]);
            let begin = Moment::now();
            let configuration = pair.plan.configuration(A);
            pair.start_as(A, daemon, &configuration);
            pair.scene.line("a", begin, &format!("Confined: {}", confine.replace(',', ", ")));
            pair.works_alone(A);
            pair.daemon(A).signal(Signal::KILL);
            pair.scene.until("nobody is at work", || !pair.at_work().contains("a"));
        }
    });
}
