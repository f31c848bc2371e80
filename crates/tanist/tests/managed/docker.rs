//! Each host has a docker, whose container `job` is the collector.

use std::path::Path;
use std::time::Duration;

use crate::ground::{Managed, on, succeed};
use crate::pair::{A, B, Plan};
use crate::real::docker_engine::{Engine, NEEDS};
use crate::real::{has_static_busybox, may_run, run};
use crate::support::{HOST_DIR, Host, Moment, binary, slow_test, word};

const CONTAINER: &str = "job";

fn plan(lines: &str) -> Plan {
    Plan::new(format!("    docker job\n    readiness_interval 0.2\n{lines}"))
}

/// Starts docker on this host, with the container.
fn boot(host: &Host, options: &[&str]) -> Engine {
    let engine = on(host, &[], Engine::start_on);
    succeed(host, &["ln", "-s", &engine.socket(), "/run/docker.sock"]);
    // What the collector's program is made of is the machine's.
    let libraries = ["/bin", "/usr", "/lib", "/lib64"].into_iter().filter(|path| Path::new(path).exists());
    let mut volumes: Vec<String> = libraries.map(|path| format!("--volume={path}:{path}:ro")).collect();
    volumes.push(format!("--volume={0}:{0}:ro", word(binary())));
    volumes.push(format!("--volume={HOST_DIR}:{HOST_DIR}"));
    let volumes: Vec<&str> = volumes.iter().map(String::as_str).collect();
    let options = [&volumes, options, &["--network", "host"]].concat();
    engine.create_running(CONTAINER, &options, &[&format!("{HOST_DIR}/collector")]);
    engine
}

type Engines = Managed<Engine>;

impl Engines {
    /// What docker says of the container.
    fn inspect(&self, node: usize, what: &str) -> String {
        run(&mut self.managers[node].docker(&["inspect", "-f", &format!("{{{{{what}}}}}"), CONTAINER]))
    }

    /// It runs there, for docker, too, and not on the other node.
    fn runs_alone(&self, node: usize) {
        self.pair.works_alone(node);
        let states = [A, B].map(|node| self.inspect(node, ".State.Running"));
        assert_eq!((states[node].as_str(), states[1 - node].as_str()), ("true", "false"), "{}", self.pair.story());
    }

    /// Kills its process, as a crash would; when.
    fn crash(&self, node: usize) -> Moment {
        let at = self.pair.scene.lab.note(self.pair.name(node), "kill -9 of the container's process");
        self.managers[node].kill(&self.inspect(node, ".State.Pid"));
        at
    }

    /// An operator types it on a node; when.
    fn docker(&self, node: usize, verb: &str) -> Moment {
        let at = self.pair.scene.lab.note(self.pair.name(node), &format!("docker {verb} {CONTAINER}"));
        run(&mut self.managers[node].docker(&[verb, CONTAINER]));
        at
    }
}

/// S0-20, S0-21: started where the role is, again where it was, then elsewhere, over in order; and what is done by hand.
#[test]
fn a_container_runs_where_the_role_is() {
    slow_test(|| {
        if !may_run(&NEEDS) || !has_static_busybox() {
            return;
        }
        let begin = Moment::now();
        let lines = "    restart 2 within 600\n    failback never\n";
        let mut plan = plan(lines);
        // Whoever begins before it has ended is seen.
        plan.manner.stop = Duration::from_millis(300);
        let managed = Managed::in_good_order(plan, |host| boot(host, &[]));
        let pair = &managed.pair;
        managed.runs_alone(A);

        let killed = managed.crash(A);
        pair.scene.line(
            "a",
            killed,
            "Service job failed: it ended with exit status 137; it is restarted here (1 of 2)",
        );
        pair.scene.until("it begins anew on a", || pair.begun(A, killed) == 1);
        managed.runs_alone(A);
        // To docker that is a wish, to us a death: whoever wants to see a failover does it so.
        let killed = managed.docker(A, "kill");
        pair.scene.line("a", killed, "it is restarted here (2 of 2)");
        pair.scene.until("it begins anew on a", || pair.begun(A, killed) == 1);
        managed.runs_alone(A);
        assert_eq!(pair.begun(B, begin), 0, "{}", pair.story());
        let killed = managed.crash(A);
        pair.scene.line("a", killed, "the role moves to the other node");
        managed.runs_alone(B);
        pair.is_well(B);
        assert_eq!(pair.begun(A, killed), 0, "{}", pair.story());

        let told = pair.order(B, &["switch", "--to", "a"]);
        assert!(told.contains("VI_1: a is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        managed.runs_alone(A);
        pair.is_well(A);

        let stopped = managed.docker(A, "stop");
        pair.scene.line("a", stopped, "it was stopped by hand; the role moves to the other node");
        managed.runs_alone(B);
        pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
        pair.never_two(begin);
    });
}

/// docker's own restarting would bring it back behind the daemon's back, at boot, too: it is told, and comes to nothing.
#[test]
fn dockers_own_restarts_come_to_nothing() {
    slow_test(|| {
        if !may_run(&NEEDS) || !has_static_busybox() {
            return;
        }
        let begin = Moment::now();
        let lines = "    restart 1 within 600\n    failback never\n";
        let managed = Managed::in_good_order(plan(lines), |host| boot(host, &["--restart=always"]));
        let pair = &managed.pair;
        for node in ["a", "b"] {
            pair.scene.line(
                node,
                begin,
                "(job) the container job has --restart=always: docker would start it behind our back, also at boot. \
                 To leave it to us: docker update --restart=no job",
            );
        }
        let killed = managed.crash(A);
        pair.scene.line("a", killed, "it is restarted here (1 of 1)");
        pair.scene.until("it begins anew on a", || pair.begun(A, killed) > 0);
        managed.runs_alone(A);
        managed.crash(A);
        managed.runs_alone(B);
        pair.is_well(B);
        pair.never_two(begin);
        // An engine that begins anew starts it, although it was stopped: what is left then is to stop it at once.
        let renewed = pair.scene.lab.note("a", "a new docker");
        managed.managers[A].renew_daemon("-TERM");
        pair.scene.line("a", renewed, "Service job is running: somebody else started it");
        managed.runs_alone(B);
        pair.is_well(B);
        // Done as suggested, it does so no more.
        run(&mut managed.managers[A].docker(&["update", "--restart=no", CONTAINER]));
        let renewed = pair.scene.lab.note("a", "a new docker");
        managed.managers[A].renew_daemon("-TERM");
        pair.is_well(A);
        managed.runs_alone(B);
        assert_eq!(pair.begun(A, renewed), 0, "{}", pair.story());
        pair.never_two(renewed);
    });
}
