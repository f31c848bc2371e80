//! S2-6: whether both nodes run a check script, and what it knows: by default both do, with `when` only one of them, and
//! each run is told the role.

use std::path::Path;
use std::time::Duration;

use api::Role;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::story::run;
use crate::support::{HOST_DIR, Moment, let_pass, slow_test};

const SCRIPTS: [&str; 3] = ["both", "active", "standby"];

/// Three checks of the instance that write down what they are told, one for each word.
fn plan() -> Plan {
    let script = |when: &&str| {
        format!(
            "vrrp_script {when} {{\n    script \"/run/rehearse/tell {when}\"\n    interval 0.2\n    when {when}\n}}\n"
        )
    };
    let track = format!("    track_script {{\n        {}\n    }}\n", SCRIPTS.join("\n        "));
    Plan { instance: track, behind: SCRIPTS.iter().map(script).collect(), ..Plan::new(COMMAND) }
}

fn start() -> Pair {
    let mut pair = Pair::new(plan());
    for node in [A, B] {
        let tell = "#!/bin/sh\necho \"$TANIST_ROLE $TANIST_INSTANCE$TANIST_SERVICE\" >> /run/rehearse/told-$1\n\
                    ! [ -e /run/rehearse/bad-$1 ]\n";
        pair.host(node).write_program("tell", tell).expect("a check");
    }
    pair.start(A);
    pair.works_alone(A);
    pair.start(B);
    pair.is_well(A);
    pair
}

/// What the runs of a check on a node were told, one line for each.
fn told(pair: &Pair, node: usize, check: &str) -> Vec<String> {
    let text = pair.host(node).read_file(&Path::new(HOST_DIR).join(format!("told-{check}"))).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn forget(pair: &Pair) {
    for node in [A, B] {
        run(pair.host(node), "rm -f /run/rehearse/told-*");
    }
}

#[test]
fn each_run_knows_its_role_and_only_the_right_ones_run() {
    slow_test(|| {
        let pair = start();
        for (active, standby) in [(A, B), (B, A)] {
            pair.works_alone(active);
            pair.is_active(active);
            // Runs that were under way when the role came are over by then.
            let_pass(Duration::from_millis(500));
            forget(&pair);
            let wait = |node: usize, check: &str, words: &str| {
                pair.scene.until(&format!("{} runs {check}", pair.name(node)), || {
                    told(&pair, node, check).iter().filter(|line| *line == words).count() > 1
                });
            };
            wait(active, "both", "MASTER VI_1");
            wait(active, "active", "MASTER VI_1");
            wait(standby, "both", "BACKUP VI_1");
            wait(standby, "standby", "BACKUP VI_1");
            let_pass(Duration::from_secs(1));
            for (node, check, role) in [
                (active, "both", "MASTER"),
                (active, "active", "MASTER"),
                (standby, "both", "BACKUP"),
                (standby, "standby", "BACKUP"),
            ] {
                let lines = told(&pair, node, check);
                assert!(lines.iter().all(|line| *line == format!("{role} VI_1")), "{check}: {lines:?}");
            }
            assert_eq!(told(&pair, active, "standby"), [""; 0]);
            assert_eq!(told(&pair, standby, "active"), [""; 0]);
            let checks = pair.status(standby).checks;
            let resting: Vec<&str> = checks.iter().filter(|check| check.rests).map(|check| &*check.name).collect();
            assert_eq!(resting, ["active"]);
            assert!(pair.order(standby, &["status"]).contains("active rests in this role"));
            if active == A {
                pair.order(A, &["switch"]);
            }
        }
    });
}

/// One that has failed goes on in FAULT, or the role would come back at once to what has failed.
#[test]
fn what_failed_where_it_was_active_comes_back_when_it_is_good() {
    slow_test(|| {
        let pair = start();
        let broken = Moment::now();
        run(pair.host(A), "touch /run/rehearse/bad-active");
        pair.scene.line("a", broken, "entering FAULT state due to script active");
        pair.works_alone(B);
        let_pass(Duration::from_secs(1));
        assert_eq!(pair.status(A).instances[0].role, Role::Fault);
        let runs = told(&pair, A, "active");
        assert_eq!(runs.last().map(String::as_str), Some("FAULT VI_1"), "{runs:?}");
        run(pair.host(A), "rm /run/rehearse/bad-active");
        pair.works_alone(A);
        pair.is_well(A);
        pair.never_two(broken);
    });
}

/// What only matters on standby keeps a node from being one, and not from going on.
#[test]
fn what_fails_on_standby_does_not_disturb_who_is_active() {
    slow_test(|| {
        let pair = start();
        let broken = Moment::now();
        for node in [A, B] {
            run(pair.host(node), "touch /run/rehearse/bad-standby");
        }
        pair.scene.line("b", broken, "entering FAULT state due to script standby");
        pair.says(A, "that there is no standby", |status| {
            status.protection.reasons.iter().any(|reason| reason.contains("no standby: b is in FAULT"))
        });
        let_pass(Duration::from_secs(1));
        pair.works_alone(A);
        run(pair.host(B), "rm /run/rehearse/bad-standby");
        pair.is_well(A);
    });
}
