//! Each host has a systemd, whose unit `job.service` is the collector.

use std::time::Duration;

use api::{ProtectionState, ServiceState};
use rehearse::lab::Manner;

use crate::ground::{Managed, on, succeed};
use crate::pair::{A, B, Plan};
use crate::real::machine::{Machine, NEEDS};
use crate::real::may_run;
use crate::support::{Host, Moment, let_pass, slow_test, word};

const UNIT: &str = "job.service";
const COLLECTOR: &str = "ExecStart=/run/rehearse/collector";

fn plan(lines: &str) -> Plan {
    Plan::new(format!("    systemd job\n    readiness_interval 0.2\n{lines}"))
}

/// Has this host boot, with the unit.
fn boot(host: &Host, lines: &str, enabled: bool) -> Machine {
    succeed(host, &["mkdir", "-p", "/run/dbus"]);
    let machine = on(host, &["/run/dbus"], |ground| Machine::boot_on(ground, &[(UNIT, lines, enabled)]));
    // The control groups that are there are those of its systemd.
    succeed(host, &["mount", "--bind", word(machine.control_group()), "/sys/fs/cgroup"]);
    machine
}

type Machines = Managed<Machine>;

impl Machines {
    fn in_good_order_with(lines: &str) -> Self {
        Self::in_good_order(plan(lines), |host| boot(host, COLLECTOR, false))
    }

    /// What systemd says of the unit on each node, and whether anything of it is there.
    fn states(&self) -> [(String, bool); 2] {
        [A, B].map(|node| {
            let machine = &self.managers[node];
            (machine.property(UNIT, "ActiveState"), machine.processes(UNIT) > 0)
        })
    }

    /// It runs there, for systemd, too, and not a process of it on the other node.
    fn runs_alone(&self, node: usize) {
        self.pair.works_alone(node);
        let states = self.states();
        assert_eq!(states[node], ("active".to_owned(), true), "{states:?}");
        let (other, is_there) = &states[1 - node];
        assert!(matches!(other.as_str(), "inactive" | "failed") && !is_there, "{states:?}\n{}", self.pair.story());
    }

    /// Kills its main process; when.
    fn crash(&self, node: usize) -> Moment {
        let at = self.pair.scene.lab.note(self.pair.name(node), "kill -9 of the main process");
        self.managers[node].crash(UNIT);
        at
    }

    /// An operator types it on a node; when.
    fn systemctl(&self, node: usize, verb: &str) -> Moment {
        let at = self.pair.scene.lab.note(self.pair.name(node), &format!("systemctl {verb} {UNIT}"));
        self.managers[node].systemctl(&[verb, UNIT]);
        at
    }
}

/// S0-16, S2-17: started where the role is, again where it was, then elsewhere, and over in order.
#[test]
fn a_unit_runs_where_the_role_is() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let begin = Moment::now();
        let mut plan = plan("    restart 1 within 600\n    failback never\n");
        // Whoever begins before it has ended is seen.
        plan.manner.stop = Duration::from_millis(300);
        let mut managed = Managed::in_good_order(plan, |host| boot(host, COLLECTOR, false));
        let pair = &managed.pair;
        managed.runs_alone(A);

        let killed = managed.crash(A);
        pair.scene.line("a", killed, "Service job failed: it was ended by signal 9; it is restarted here (1 of 1)");
        pair.scene.until("it begins anew on a", || pair.begun(A, killed) == 1);
        managed.runs_alone(A);
        let status = pair.is_well(A);
        assert_eq!((status.services[0].restarts.used, status.services[0].moves.used), (1, 0));
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());

        let killed = managed.crash(A);
        pair.scene.line("a", killed, "the role moves to the other node");
        managed.runs_alone(B);
        pair.is_well(B);
        assert_eq!(pair.begun(A, killed), 0, "{}", pair.story());

        let told = pair.order(A, &["switch", "--to", "a"]);
        assert!(told.contains("VI_1: a is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        managed.runs_alone(A);
        let told = pair.order(A, &["switch"]);
        assert!(told.contains("VI_1: b is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        managed.runs_alone(B);

        // A daemon that ends in order leaves nothing running, and whoever comes next begins after that.
        managed.pair.daemon(B).stop();
        managed.runs_alone(A);
        managed.pair.start(B);
        managed.pair.is_well(A);
        managed.runs_alone(A);
        managed.pair.never_two(begin);
    });
}

/// systemd calls a unit inactive although something of it goes on. The other node waits for the last process.
#[test]
fn what_systemd_lets_go_of_is_waited_for() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let mut plan = plan("    stop_timeout 0.5\n    failback never\n");
        plan.manner = Manner { offspring: true, ..Manner::default() };
        let lines = format!("{COLLECTOR}\nKillMode=process");
        let managed = Managed::in_good_order(plan, |host| boot(host, &lines, false));
        let (pair, begin) = (&managed.pair, Moment::now());
        let told = pair.order(A, &["switch"]);
        assert!(told.contains("VI_1: b is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        managed.runs_alone(B);
        pair.scene.line("a", begin, "job.service is inactive for systemd, but 1 of its processes live on");
        pair.is_well(B);
        pair.never_two(begin);
    });
}

/// S0-20: `systemctl stop` is no crash.
#[test]
fn a_stop_by_hand_moves_it() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let managed = Machines::in_good_order_with("    on_manual_stop failover\n");
        let (pair, begin) = (&managed.pair, Moment::now());
        // What ends with the unit up is no stop, and a restart that systemd is asked for is its own business.
        let asked = managed.systemctl(A, "restart");
        pair.scene.until("it begins anew on a", || pair.begun(A, asked) == 1);
        managed.runs_alone(A);
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());

        let stopped = managed.systemctl(A, "stop");
        pair.scene.line("a", stopped, "it was stopped by hand; the role moves to the other node");
        managed.runs_alone(B);
        let status = pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
        assert_eq!(status.services[0].restarts.used, 0);
        // Longer than a standby needs to be ready again.
        let_pass(Duration::from_secs(1));
        managed.runs_alone(B);
        pair.never_two(begin);
        // Whoever starts it again by hand means that this node may have it.
        managed.systemctl(A, "start");
        pair.says(A, "that it no longer stands back", |status| status.instances[0].held.is_empty());
        managed.runs_alone(A);
        pair.is_well(A);
    });
}

#[test]
fn a_stop_by_hand_is_undone() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let managed = Machines::in_good_order_with("    on_manual_stop restart\n");
        let (pair, begin) = (&managed.pair, Moment::now());
        for _ in 0..2 {
            let stopped = managed.systemctl(A, "stop");
            pair.scene.until("it is started again", || pair.begun(A, stopped) > 0);
            managed.runs_alone(A);
        }
        let status = pair.is_well(A);
        assert_eq!((status.services[0].restarts.used, status.services[0].moves.used), (0, 0));
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());
        pair.never_two(begin);
    });
}

#[test]
fn a_stop_by_hand_begins_a_maintenance() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let managed = Machines::in_good_order_with("    on_manual_stop maintenance\n");
        let (pair, begin) = (&managed.pair, Moment::now());
        managed.systemctl(A, "stop");
        for node in [A, B] {
            let status = pair.says(node, "maintenance", |status| status.maintenance.is_some());
            assert_eq!(status.protection.state, ProtectionState::Maintenance);
        }
        let_pass(Duration::from_secs(1));
        assert!(pair.at_work().is_empty() && pair.starts(begin).is_empty(), "{}", pair.story());
        pair.order(B, &["maintenance", "off"]);
        managed.runs_alone(A);
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());
    });
}

/// S0-28: `systemctl enable` on both nodes, so that each machine starts it when it boots.
#[test]
fn enabled_on_both_nodes_it_runs_on_one() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let booted = Moment::now();
        let mut managed = Managed::new(plan(""), |host| boot(host, COLLECTOR, true));
        let both = ["active", "active"].map(|state| (state.to_owned(), true));
        managed.pair.scene.until("both machines have started it", || managed.pair.at_work().len() == 2);
        assert_eq!(managed.states(), both, "that is what the operator asked for");
        managed.pair.start(A);
        // Who is late at its start finds the other one active.
        managed.pair.is_active(A);
        managed.pair.start(B);
        managed.runs_alone(A);
        let alone = Moment::now();
        let pair = &managed.pair;
        pair.is_well(A);
        for node in [A, B] {
            pair.scene.line(
                pair.name(node),
                booted,
                "(job) job.service is enabled: systemd starts it at boot, whether this node is to run it or not. \
                 To leave it to us: systemctl disable job.service",
            );
        }
        assert_eq!(pair.begun(B, booted), 1, "only its machine has started it there\n{}", pair.story());
        // Done as suggested, it is all right, and said no more.
        for machine in &managed.managers {
            machine.systemctl(&["disable", UNIT]);
            machine.systemctl(&["daemon-reload"]);
        }
        let told = pair.order(A, &["switch"]);
        assert!(told.contains("overlap 0 ms"), "{told}");
        managed.runs_alone(B);
        for node in ["a", "b"] {
            assert_eq!(pair.scene.count_lines(node, booted, "is enabled"), 1, "{}", pair.story());
        }
        pair.never_two(alone);
    });
}

/// systemd's own restarting would bring it back behind the daemon's back: it is told, and comes to nothing.
#[test]
fn systemds_own_restarts_come_to_nothing() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let begin = Moment::now();
        let lines = format!("{COLLECTOR}\nRestart=always\nRestartSec=0");
        let managed = Managed::in_good_order(plan("    restart 1 within 600\n    failback never\n"), |host| {
            boot(host, &lines, false)
        });
        let pair = &managed.pair;
        for node in ["a", "b"] {
            pair.scene.line(node, begin, "(job) job.service has Restart=always");
        }
        let killed = managed.crash(A);
        pair.scene.line("a", killed, "Service job failed: it was ended by signal 9; it is restarted here (1 of 1)");
        pair.scene.until("it begins anew on a", || pair.begun(A, killed) > 0);
        managed.runs_alone(A);
        let killed = managed.crash(A);
        managed.runs_alone(B);
        pair.scene.line("a", killed, "the role moves to the other node");
        // Longer than systemd would wait.
        let_pass(Duration::from_secs(1));
        managed.runs_alone(B);
        assert_eq!(managed.managers[A].property(UNIT, "Job"), "");
        let status = pair.is_well(B);
        assert_eq!(status.services[0].state, ServiceState::Running);
        pair.never_two(begin);
    });
}
