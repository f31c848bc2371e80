//! S0-29: what a standby lacks is known before it is needed: a port that somebody else has, a disk that is full, a
//! configuration that differs, a daemon that may open no more files. All but the third keep it from taking over in order.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use api::{ProtectionState, Status};
use rehearse::lab::Manner;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::story::run;
use crate::support::{HOST_DIR, Moment, Program, is_installed, let_pass, slow_test, test_name};

const PORT: u16 = 8085;
const CHECK: &str = "    check http http://127.0.0.1:8085/ { interval 0.2 }\n    readiness_interval 0.2\n";

/// A collector that answers at [`PORT`]. `further` are lines of its service.
fn plan(further: &str) -> Plan {
    let manner = Manner { port: Some(PORT), ..Manner::default() };
    Plan { manner, ..Plan::new(format!("{COMMAND}{CHECK}{further}")) }
}

fn has_reason(status: &Status, words: &str) -> bool {
    status.protection.reasons.iter().any(|reason| reason.contains(words))
}

/// Both nodes say that B could not take over, and why.
fn is_not_ready(pair: &Pair, since: Moment, why: &str) {
    for node in [A, B] {
        let words = format!("no standby: b could not start job: {why}");
        let status = pair.says(node, &words, |status| has_reason(status, &words));
        assert_eq!(status.protection.state, ProtectionState::Unprotected);
    }
    pair.scene.line("b", since, &format!("Service job could not be started on this node: {why}"));
    // It stays where it is, whatever an operator says.
    let (exit, told) = pair.tanist(A, &["switch"]);
    assert!(exit == 1 && told.contains(why), "{exit} {told}");
}

/// Listens on B until it is killed.
fn listen_on_b(pair: &Pair) -> Program {
    let line = "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => 8085, \
                Listen => 5, ReuseAddr => 1) or die; print 'listens'; $| = 1; sleep 1000";
    pair.host(B).start("squatter", &["perl", "-e", line]).expect("start perl")
}

fn needs_perl(test: impl FnOnce()) {
    slow_test(|| {
        if is_installed("perl") {
            test();
        } else {
            rehearse::lab::skip(&test_name(), &"perl is not installed");
        }
    });
}

#[test]
fn a_port_that_somebody_else_has() {
    needs_perl(|| {
        let pair = Pair::in_good_order(plan(""));
        let taken = Moment::now();
        let squatter = listen_on_b(&pair);
        is_not_ready(&pair, taken, &format!("port {PORT} is taken by perl (process "));
        pair.says(B, "what could be done", |status| has_reason(status, "say `needs_port none`"));
        squatter.kill_all().expect("kill");
        pair.is_well(A);
        pair.is_well(B);
        pair.order(A, &["switch"]);
        pair.works_alone(B);
        // Where it runs, its own port is no obstacle.
        let status = pair.is_active(B);
        assert!(!has_reason(&status, "is taken by"), "{status:?}");
        pair.never_two(taken);
    });
}

/// Something that is always there may stand before the service, and its check goes through it.
#[test]
fn a_port_that_somebody_else_may_have() {
    needs_perl(|| {
        // It answers elsewhere, so that it could be started beside the other one.
        let manner = Manner { port: Some(PORT + 1), ..Manner::default() };
        let text = CHECK.replace("8085", "8086");
        let own = Plan { manner, ..Plan::new(format!("{COMMAND}{text}    needs_port none\n")) };
        let mut pair = Pair::new(own);
        pair.start(A);
        pair.works_alone(A);
        let _squatter = listen_on_b(&pair);
        pair.start(B);
        pair.is_well(A);
        pair.is_well(B);
        // Named, it counts whatever the checks ask.
        let named = pair.plan.configuration(B).replace("needs_port none", "needs_port 8085");
        let reloaded = Moment::now();
        pair.daemon(B).reload(&named);
        is_not_ready(&pair, reloaded, "port 8085 is taken by perl (process ");
    });
}

/// A disk of its own on each host, with 4 MB.
fn with_disks(plan: Plan) -> Pair {
    let pair = Pair::new(plan);
    for node in [A, B] {
        run(pair.host(node), "mkdir /run/rehearse/volume && mount -t tmpfs -o size=4m tmpfs /run/rehearse/volume");
    }
    pair
}

#[test]
fn a_disk_that_is_full() {
    slow_test(|| {
        let mut pair = with_disks(Plan::new(format!(
            "{COMMAND}    readiness_interval 0.2\n    needs_disk /run/rehearse/volume 2M\n"
        )));
        pair.start(A);
        pair.works_alone(A);
        pair.start(B);
        pair.is_well(A);
        let disk = pair.host(B);
        let full = Moment::now();
        run(disk, "dd if=/dev/zero of=/run/rehearse/volume/full bs=1024 count=3000 2> /dev/null");
        is_not_ready(&pair, full, "/run/rehearse/volume has less than 2M free");
        run(pair.host(B), "rm /run/rehearse/volume/full");
        pair.is_well(A);
        let broken = Moment::now();
        run(pair.host(B), "mount -o remount,ro /run/rehearse/volume");
        is_not_ready(&pair, broken, "nothing can be written to /run/rehearse/volume: it is mounted read-only");
        run(pair.host(B), "mount -o remount,rw /run/rehearse/volume");
        pair.is_well(A);
        // Each reason once, however often it is looked at.
        for (since, what) in [(full, "has less than 2M free"), (broken, "it is mounted read-only")] {
            assert_eq!(pair.scene.count_lines("b", since, what), 1, "{what}\n{}", pair.story());
        }
    });
}

/// What is left is enough to be asked, and not to start anything.
#[test]
fn a_daemon_that_may_open_no_more_files() {
    slow_test(|| {
        let pair = Pair::in_good_order(plan(""));
        let pid = pair.daemon(B).program.pid();
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its files");
        let open: BTreeSet<u64> =
            open.map(|entry| entry.expect("a file").file_name().to_string_lossy().parse().expect("a number")).collect();
        let eighth = (0..).filter(|number| !open.contains(number)).nth(8);
        let limit = |limit| prlimit(Pid::from_raw(pid.cast_signed()), Resource::Nofile, limit).expect("limit it");
        let limited = Moment::now();
        let before = limit(Rlimit { current: eighth, ..getrlimit(Resource::Nofile) });
        is_not_ready(&pair, limited, "the daemon may open fewer than 16 more files; is its `LimitNOFILE` too low?");
        limit(before);
        pair.is_well(A);
        pair.is_well(B);
        pair.never_two(limited);
    });
}

/// What is different is named on both nodes, and the standby takes over nevertheless.
#[test]
fn a_configuration_that_differs() {
    slow_test(|| {
        let mut pair = Pair::new(plan(""));
        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        let right = pair.plan.configuration(B);
        let other = right.replace("    readiness_interval", "    stop_timeout 3\n    readiness_interval");
        let other = other.replace("/{ interval 0.2", "/other { interval 0.2").replace("8085/ {", "8085/other {");
        pair.start_with(B, &other);
        for (node, there) in [(A, "b"), (B, "a")] {
            let words = format!("service job: the list of checks, stop_timeout differ on {there}");
            let status = pair.says(node, &words, |status| has_reason(status, &words));
            assert_eq!(status.protection.state, ProtectionState::Degraded, "{status:?}");
            assert_eq!(pair.tanist(node, &["status", "--check"]).0, 1);
            let line = "Service job: the list of checks, stop_timeout differ on the peer";
            pair.scene.line(pair.name(node), begin, line);
            assert_eq!(pair.scene.count_lines(pair.name(node), begin, line), 1, "{}", pair.story());
            let events = pair.order(node, &["events", "--json"]);
            assert!(events.contains("\"id\":\"pair.configuration_differs\""), "{events}");
        }
        // The same again, and it is well.
        pair.daemon(B).reload(&right);
        for node in [A, B] {
            pair.scene.line(pair.name(node), begin, "Service job: both nodes are configured alike again");
            pair.is_well(node);
        }
        pair.daemon(B).reload(&other);
        pair.says(B, "that it differs", |status| has_reason(status, "differ on a"));
        pair.power_off(A);
        pair.works_alone(B);
    });
}

/// What differs on purpose, on either node, is not remarked.
#[test]
fn a_configuration_that_may_differ() {
    slow_test(|| {
        let mut pair = Pair::new(plan(""));
        let begin = Moment::now();
        pair.start(A);
        pair.works_alone(A);
        let other = pair
            .plan
            .configuration(B)
            .replace("    readiness_interval", "    stop_timeout 3\n    may_differ\n    readiness_interval");
        pair.start_with(B, &other);
        for node in [A, B] {
            pair.is_well(node);
        }
        let_pass(Duration::from_secs(1));
        for node in [A, B] {
            pair.is_well(node);
            assert_eq!(pair.scene.count_lines(pair.name(node), begin, "differ on the peer"), 0, "{}", pair.story());
        }
    });
}

/// A check that runs on the standby, too, is asked there before it is needed, and knows where it is.
#[test]
fn a_check_of_both_nodes() {
    slow_test(|| {
        let check = "    check script \"/run/rehearse/where\" { when both interval 0.2 }\n    readiness_interval 0.2\n";
        let mut pair = Pair::new(Plan::new(format!("{COMMAND}{check}")));
        for node in [A, B] {
            let tell = "#!/bin/sh\necho \"$TANIST_ROLE $TANIST_INSTANCE $TANIST_SERVICE\" >> /run/rehearse/told\n\
                        ! [ -e /run/rehearse/broken ]\n";
            pair.host(node).write_program("where", tell).expect("a check");
        }
        pair.start(A);
        pair.works_alone(A);
        pair.start(B);
        pair.is_well(A);
        for (node, expected) in [(A, "MASTER VI_1 job"), (B, "BACKUP VI_1 job")] {
            pair.scene.until(expected, || told(&pair, node).last().map(String::as_str) == Some(expected));
        }
        assert!(!told(&pair, B).iter().any(|line| line.starts_with("MASTER")), "{:?}", told(&pair, B));
        let broken = Moment::now();
        run(pair.host(B), "touch /run/rehearse/broken");
        is_not_ready(&pair, broken, "`/run/rehearse/where` exited with status 1");
        run(pair.host(B), "rm /run/rehearse/broken");
        pair.is_well(A);
        pair.order(A, &["switch"]);
        pair.works_alone(B);
        pair.scene.until("b tells that it is master", || told(&pair, B).iter().any(|line| line == "MASTER VI_1 job"));
    });
}

/// What the check of a node has written down.
fn told(pair: &Pair, node: usize) -> Vec<String> {
    let text = pair.host(node).read_file(&Path::new(HOST_DIR).join("told")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
