//! What goes wrong with a daemon that is in a hurry, broken, or kept waiting by the machine: its services end all the same,
//! and never run twice.

use std::time::Duration;

use api::Role;
use linux::signals::Signal;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{
    ADDRESS, Daemon, Moment, PATIENCE, QUICK, Seen, configuration, let_pass, slow_test, slow_test_with_users, tanist,
};

/// A collector whose `stop` waits for a gate.
const SLOW_TO_STOP: &str = "    start \"/run/rehearse/collector-service start\"
    stop \"/run/rehearse/slow-stop\"
    status \"/run/rehearse/collector-service status\"
    stop_timeout 60\n";
const SLOW_STOP: &str = "#!/bin/sh
printf 'slow-stop\\tbegun\\n' > /run/rehearse/records
until test -e /run/rehearse/gate; do sleep 0.05; done
/run/rehearse/collector-service stop
printf 'slow-stop\\tdone\\n' > /run/rehearse/records\n";

/// One that panics when it gets QUIT.
fn fragile() -> Daemon {
    let mut daemon = tanist();
    // A backtrace takes a program with all its symbols so long that it counts as having slept.
    let settings = ["env", "TANIST_PANIC_DRILL=1", "RUST_BACKTRACE=0"];
    daemon.command.splice(0..0, settings.map(str::to_owned));
    daemon
}

fn slow_to_stop(plan: Plan, daemon: Daemon) -> Pair {
    let mut pair = Pair::new(plan);
    pair.host(A).write_program("slow-stop", SLOW_STOP).expect("a stop script");
    let configuration = pair.plan.configuration(A);
    pair.start_as(A, daemon, &configuration);
    pair.works_alone(A);
    pair
}

/// The `stop` of A may go on.
fn open_gate(pair: &Pair) {
    pair.host(A).write_file("gate", "").expect("open the gate");
}

/// The daemon has ended so, and of its service nothing is left: it was stopped once, and not disturbed.
fn has_ended(pair: &Pair, since: Moment, how: &str) {
    let program = pair.daemon(A).program.name();
    let ended = pair.scene.wait(since, "its end", |record| {
        &*record.host == "a" && matches!(&record.what, Seen::Ended { program: ended, .. } if **ended == *program)
    });
    let Seen::Ended { how: seen, .. } = &ended.what else { unreachable!() };
    assert_eq!(seen, how, "{}", pair.story());
    pair.scene.ran("a", since, &["slow-stop", "done"]);
    pair.scene.until("it has left the service", || !pair.at_work().contains("a"));
    let begun = pair.scene.runs("a", since).iter().filter(|run| run[..] == ["slow-stop", "begun"]).count();
    assert_eq!(begun, 1, "{}", pair.story());
}

/// An operator gets impatient while `stop` runs.
#[test]
fn asked_twice_a_stop_may_end() {
    slow_test(|| {
        let pair = slow_to_stop(Plan::alone(SLOW_TO_STOP), tanist());
        let asked = Moment::now();
        pair.daemon(A).signal(Signal::TERMINATE);
        pair.scene.ran("a", asked, &["slow-stop", "begun"]);
        pair.daemon(A).signal(Signal::TERMINATE);
        pair.scene.line(
            "a",
            asked,
            "no other node is waited for any more, but what is being stopped here may take its",
        );
        let_pass(Duration::from_millis(300));
        assert!(pair.daemon(A).program.is_running(), "{}", pair.story());
        assert!(pair.scene.advertisements(asked).iter().all(|(_, _, seen)| seen.priority != 0), "{}", pair.story());
        open_gate(&pair);
        has_ended(&pair, asked, "exit status 0");
        pair.scene.resigned("a", asked);
    });
}

/// And loses patience. What was begun goes on without the daemon, and that is said.
#[test]
fn asked_for_the_third_time_it_says_what_it_leaves_behind() {
    slow_test(|| {
        let pair = slow_to_stop(Plan::alone(SLOW_TO_STOP), tanist());
        let asked = Moment::now();
        pair.daemon(A).signal(Signal::TERMINATE);
        pair.scene.ran("a", asked, &["slow-stop", "begun"]);
        pair.daemon(A).signal(Signal::TERMINATE);
        pair.scene.line("a", asked, "Asked to stop again");
        pair.daemon(A).signal(Signal::TERMINATE);
        assert!(pair.daemon(A).program.wait(PATIENCE), "{}", pair.story());
        pair.scene.line(
            "a",
            asked,
            "is still running and goes on without us; nobody will know whether the service has",
        );
        assert!(pair.at_work().contains("a"), "{}", pair.story());
        open_gate(&pair);
        has_ended(&pair, asked, "exit status 0");
    });
}

/// A panic is no reason to leave a service behind, nor to let the other node begin before it has ended.
#[test]
fn a_panic_ends_services_before_roles() {
    slow_test(|| {
        let mut pair = slow_to_stop(Plan::new(format!("{SLOW_TO_STOP}    failback never\n")), fragile());
        pair.host(B).write_program("slow-stop", SLOW_STOP).expect("a stop script");
        pair.start(B);
        pair.is_well(A);
        let begin = Moment::now();
        pair.daemon(A).signal(Signal::QUIT);
        pair.scene.line("a", begin, "ending services and withdrawing all addresses");
        pair.scene.ran("a", begin, &["slow-stop", "begun"]);
        // Longer than B waits for a silent node.
        let_pass(Duration::from_secs(2));
        assert_eq!(pair.scene.holders(ADDRESS), ["a"], "{}", pair.story());
        open_gate(&pair);
        pair.works_alone(B);
        has_ended(&pair, begin, "exit status 70");
        pair.never_two(begin);
    });
}

/// It breaks again on its way out.
#[test]
fn a_second_panic_does_not_leave_a_service_behind() {
    slow_test(|| {
        let pair = slow_to_stop(Plan::alone(SLOW_TO_STOP), fragile());
        let begin = Moment::now();
        pair.daemon(A).signal(Signal::QUIT);
        pair.scene.ran("a", begin, &["slow-stop", "begun"]);
        pair.daemon(A).signal(Signal::QUIT);
        pair.scene.line("a", begin, "ending services without the engine");
        pair.scene.line("a", begin, "(job) is stopped by `/run/rehearse/slow-stop`, as the daemon cannot go on");
        let_pass(Duration::from_millis(300));
        assert!(pair.daemon(A).program.is_running(), "{}", pair.story());
        open_gate(&pair);
        has_ended(&pair, begin, "exit status 70");
        pair.scene.resigned("a", begin);
        assert!(pair.scene.holders(ADDRESS).is_empty());
    });
}

/// Signals are read together; what is read with the one that breaks everything still counts.
#[test]
fn an_end_that_comes_with_a_panic_is_noticed() {
    slow_test(|| {
        let pair = slow_to_stop(Plan::alone(SLOW_TO_STOP), fragile());
        open_gate(&pair);
        let begin = Moment::now();
        // The first look at the service ends while nobody can notice.
        pair.daemon(A).signal(Signal::STOP);
        let_pass(Duration::from_millis(500));
        pair.daemon(A).signal(Signal::QUIT);
        pair.daemon(A).signal(Signal::CONTINUE);
        has_ended(&pair, begin, "exit status 70");
        assert!(pair.at_work().is_empty(), "{}", pair.story());
    });
}

/// The service's block goes, and with it the words of how to stop it; it is stopped by them nevertheless.
#[test]
fn what_a_reload_takes_out_is_stopped_as_it_was_described() {
    slow_test(|| {
        let pair = slow_to_stop(Plan::alone(SLOW_TO_STOP), tanist());
        open_gate(&pair);
        let begin = Moment::now();
        pair.daemon(A).reload(&configuration("", 150, QUICK));
        pair.scene.ran("a", begin, &["slow-stop", "done"]);
        pair.scene.until("nobody is at work", || pair.at_work().is_empty());
        pair.scene.only("a", ADDRESS);
        pair.daemon(A).stop();
    });
}

/// What runs was not told to say that it is well.
#[test]
fn a_new_check_of_notices_restarts_nothing() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::alone(COMMAND));
        pair.start(A);
        pair.works_alone(A);
        let begin = Moment::now();
        let check = "    check notify { interval 0.1  timeout 0.2  fall 1 }\n    start_grace 0\n";
        let plan = Plan::alone(format!("{COMMAND}{check}"));
        pair.daemon(A).reload(&plan.configuration(A));
        pair.scene.line("a", begin, "(job) check notify counts from the next start of the service on");
        pair.says(A, "that it is well", |status| status.services[0].healthy == Some(true));
        let_pass(Duration::from_secs(1));
        assert_eq!(pair.begun(A, begin), 0, "{}", pair.story());
        assert_eq!(pair.scene.count_lines("a", begin, "check notify counts from"), 1, "{}", pair.story());
        // From its next start on it counts: the collector does not know the word.
        pair.signal(A, Signal::KILL);
        pair.scene.line("a", begin, "Service job failed: check job/notify failed");
    });
}

/// A down file on a file system whose server is lost: nobody waits for it.
#[test]
fn a_down_file_that_nobody_can_see_holds_up_nothing() {
    slow_test_with_users(|| {
        let plan = Plan::alone(format!("{COMMAND}    down_file /run/rehearse/lost/down\n"));
        let mut pair = Pair::new(plan);
        // A FUSE file system whose server never says a word.
        let lost = "mkdir /run/rehearse/lost && exec 3<>/dev/fuse && \
                    mount -n -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 lost /run/rehearse/lost && \
                    touch /run/rehearse/is-lost && exec sleep 600";
        let server = pair.host(A).start("server", &["sh", "-c", lost]).expect("start a server");
        let is_lost = || pair.host(A).read_file(std::path::Path::new("/run/rehearse/is-lost")).is_ok();
        pair.scene.until("it is lost", is_lost);

        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        let unknown =
            "nobody knows whether down file /run/rehearse/lost/down is there: its file system does not answer";
        pair.scene.line("a", begin, unknown);
        let reloaded = Moment::now();
        pair.daemon(A).reload(&format!("{}\n# new\n", pair.plan.configuration(A)));
        pair.scene.line("a", reloaded, "Reloaded");
        let_pass(Duration::from_secs(1));
        assert_eq!(pair.is_active(A).instances[0].role, Role::Master);
        assert_eq!(pair.scene.count_lines("a", begin, unknown), 1, "{}", pair.story());
        // The loop does not wait for it.
        let later = Moment::now();
        pair.scene.advertised("a", later, |_| true);

        // What comes back has the file.
        let back = Moment::now();
        let output = pair.host(A).output(&["umount", "-l", "/run/rehearse/lost"]).expect("unmount");
        assert!(output.status.success(), "{output:?}");
        pair.host(A).write_file("lost/down", "").expect("touch");
        server.signal(Signal::KILL).expect("end the server");
        pair.scene.line("a", back, "it can be seen again whether down file /run/rehearse/lost/down is there");
        pair.scene.line("a", back, "down file /run/rehearse/lost/down of service job is there");
        pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
    });
}
