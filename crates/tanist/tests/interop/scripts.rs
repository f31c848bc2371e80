//! Checks that fail: a fault without a weight, a lower priority with one.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{Cast, of_host, started};
use crate::support::story::{put, run};
use crate::support::{
    ADDRESS, Daemon, Moment, Node, QUICK, Scene, let_pass, slow_test_with_scripts_of_keepalived, tanist,
};

fn checked(cast: Cast, weight: i16) {
    let scene = Scene::new(&["a", "b"]);
    let script = format!(
        "global_defs {{\n    script_user root\n    enable_script_security\n}}\n\
         vrrp_script check {{\n    script /run/rehearse/check\n    interval 1\n    weight {weight}\n}}\n"
    );
    scene.hosts[0].write_check("check").expect("a check");
    let tracking = format!("{QUICK}\n    track_script {{\n        check\n    }}");
    let _nodes = started(&scene, cast, [&of_host(0, &script, &tracking), &of_host(1, "", QUICK)]);

    let failed = scene.lab.note("a", "the check fails");
    scene.hosts[0].set_check("check", false).expect("fail");
    scene.only("b", ADDRESS);
    if weight == 0 {
        scene.resigned("a", failed);
        scene.line("a", failed, "Entering FAULT STATE");
    } else {
        scene.line("a", failed, "Changing effective priority from 150 to 90");
        scene.line("a", failed, "Entering BACKUP STATE");
        scene.nobody_resigned(failed);
    }
    let repaired = scene.lab.note("a", "the check is good");
    scene.hosts[0].set_check("check", true).expect("repair");
    scene.line("a", repaired, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
}

#[test]
fn a_fault_of_ours_hands_over_to_keepalived() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::OursAndKeepalived, 0));
}

#[test]
fn a_fault_of_keepalived_hands_over_to_ours() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::KeepalivedAndOurs, 0));
}

// Shows: top-level.global_defs, top-level.vrrp_script, top-level.vrrp_instance
#[test]
fn a_weight_of_ours_lets_keepalived_win() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::OursAndKeepalived, -60));
}

#[test]
fn a_weight_of_keepalived_lets_ours_win() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::KeepalivedAndOurs, -60));
}

/// A process of `nobody`, who otherwise has none yet when a check begins, and one is always allowed.
struct OfNobody(Child);

impl OfNobody {
    fn new() -> Self {
        Self(Command::new("sleep").arg("1000").uid(65_534).spawn().expect("start sleep"))
    }
}

impl Drop for OfNobody {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it starts as another user is more than that user may have. keepalived's own child is limited as well.
fn lets_nobody_else_run_anything(node: &Node) {
    let pid = node.program.pid();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("its children");
    let children = children.split_whitespace().map(|child| child.parse().expect("a number"));
    for pid in children.chain([pid]) {
        let limit = Rlimit { current: Some(0), maximum: Some(0) };
        prlimit(Pid::from_raw(pid.cast_signed()), Resource::Nproc, limit).expect("limit it");
    }
}

/// The check of `a` cannot be run any more, and then it can.
fn keeps_the_last_result(cast: Cast, good: bool) {
    let scene = Scene::new(&["a", "b"]);
    let _other = OfNobody::new();
    let script = "global_defs {\n    script_user nobody\n    enable_script_security\n}\n\
         vrrp_script check {\n    script /run/rehearse/check\n    interval 1\n    weight -60\n}\n";
    scene.hosts[0].write_check("check").expect("a check");
    let tracking = format!("{QUICK}\n    track_script {{\n        check\n    }}");
    let nodes = started(&scene, cast, [&of_host(0, script, &tracking), &of_host(1, "", QUICK)]);
    if !good {
        scene.hosts[0].set_check("check", false).expect("fail");
        scene.only("b", ADDRESS);
    }
    let limited = scene.lab.note("a", "its checks cannot be run any more");
    lets_nobody_else_run_anything(&nodes[0]);
    scene.hosts[0].set_check("check", !good).expect("what nobody can see");
    if nodes[0].is_tanist() {
        scene.line("a", limited, "now returning nothing, nobody can look now");
    }
    let_pass(Duration::from_secs(3));
    scene.only(if good { "a" } else { "b" }, ADDRESS);
    scene.nobody_resigned(limited);
}

#[test]
fn a_good_check_that_ours_cannot_run_stays_good() {
    slow_test_with_scripts_of_keepalived(|| keeps_the_last_result(Cast::OursAndKeepalived, true));
}

#[test]
fn a_bad_check_that_ours_cannot_run_stays_bad() {
    slow_test_with_scripts_of_keepalived(|| keeps_the_last_result(Cast::OursAndKeepalived, false));
}

#[test]
fn a_check_that_keepalived_cannot_run_stays_as_it_was() {
    slow_test_with_scripts_of_keepalived(|| keeps_the_last_result(Cast::KeepalivedAndOurs, true));
}

/// A check that returns what the file `results` says, one digit after the other and the last one again and again, and writes down
/// each run.
const BY_THE_LIST: &str = "#!/bin/sh
cd /run/rehearse
read -r results < results
echo run >> runs
rest=${results#?}
[ -z \"$rest\" ] || { echo \"$rest\" > new && mv new results; }
exit ${results%\"$rest\"}
";

/// `fall 3 rise 2`: only runs in a row count, for good as for bad.
fn counts_runs_in_a_row(daemon: Daemon) {
    let scene = Scene::new(&["a"]);
    let host = &scene.hosts[0];
    put(host, "/run/rehearse/check", BY_THE_LIST, true);
    put(host, "/run/rehearse/results", "0\n", false);
    let script = "global_defs {\n    script_user root\n    enable_script_security\n}\n\
         vrrp_script check {\n    script /run/rehearse/check\n    interval 1\n    weight -60\n    fall 3\n    rise 2\n}\n";
    let begin = Moment::now();
    let tracking = format!("{QUICK}\n    track_script {{\n        check\n    }}");
    let _node = Node::start(host, daemon, &of_host(0, script, &tracking));
    let (failed, succeeded) = ("VRRP_Script(check) failed", "VRRP_Script(check) succeeded");
    scene.line("a", begin, succeeded);
    let runs = || run(host, "wc -l < /run/rehearse/runs").trim().parse::<usize>().expect("a number");
    // What has run once more has been counted before.
    let returns = |results: &str| {
        let since = scene.lab.note("a", results);
        put(host, "/run/rehearse/next", &format!("{results}\n"), false);
        run(host, "mv /run/rehearse/next /run/rehearse/results");
        let end = runs() + results.len() + 2;
        scene.until("each of them is returned", || runs() >= end);
        (scene.count_lines("a", since, failed), scene.count_lines("a", since, succeeded))
    };
    assert_eq!(returns("0110110"), (0, 0), "two bad runs in a row, twice\n{}", scene.story());
    assert_eq!(returns("0111"), (1, 0), "three\n{}", scene.story());
    assert_eq!(returns("1010101"), (0, 0), "one good run, three times\n{}", scene.story());
    assert_eq!(returns("100"), (0, 1), "two\n{}", scene.story());
}

#[test]
fn keepalived_counts_runs_in_a_row() {
    slow_test_with_scripts_of_keepalived(|| counts_runs_in_a_row(Daemon::keepalived()));
}

// Shows: vrrp_script.rise, vrrp_script.fall
#[test]
fn we_count_runs_in_a_row() {
    slow_test_with_scripts_of_keepalived(|| counts_runs_in_a_row(tanist()));
}
