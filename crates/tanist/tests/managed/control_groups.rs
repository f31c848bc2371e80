//! Services that are plain commands, in control groups: that they are there, and what the next life of a daemon finds.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rehearse::lab::Manner;

use crate::ground::{show_groups, succeed};
use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::real::{PATIENCE, control_groups, may_run, remove_groups};
use crate::support::{Daemon, Moment, let_pass, slow_test, tanist, word};

/// A collector without anything that leads to it: its environment is cleared, and who is at work is a grandchild in a
/// session of its own.
const HIDDEN: &str =
    "    command \"/usr/bin/env -i /run/rehearse/collector\"\n    stop_timeout 1\n    failback never\n";
const WITHOUT: &str = "Services get no control groups of their own";

/// A control group for one node. It goes with the test, whatever becomes of that.
struct Unit(PathBuf);

impl Unit {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            control_groups().expect("control groups").join(format!("tanist-unit-{}-{count}", std::process::id()));
        fs::create_dir(&path).expect("a control group");
        Self(path)
    }

    /// The daemon, started in here as systemd would do it.
    fn daemon(&self) -> Daemon {
        let mut daemon = tanist();
        let enter = ["/bin/sh", "-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"", word(&self.0)];
        daemon.command.splice(0..0, enter.map(str::to_owned));
        daemon
    }

    /// The groups of services that there are, by name.
    fn groups(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("our group").flatten();
        let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        inner.map(|entry| entry.file_name().into_string().expect("a name in ASCII")).collect()
    }

    /// How many processes are in groups of services.
    fn processes(&self) -> usize {
        let listed = |name: &String| fs::read_to_string(self.0.join(name).join("cgroup.procs")).unwrap_or_default();
        self.groups().iter().map(|name| listed(name).lines().count()).sum()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.0.exists() && Instant::now() < until {
            // Before Linux 5.14 that does nothing; the hosts have ended, and everything on them.
            let _ = fs::write(self.0.join("cgroup.kill"), "1");
            remove_groups(&self.0);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A pair and the groups of its nodes, which end behind it.
struct Grouped {
    pair: Pair,
    units: [Unit; 2],
}

impl Grouped {
    /// No daemon runs yet.
    fn new(plan: Plan) -> Self {
        let (pair, units) = (Pair::new(plan), [Unit::new(), Unit::new()]);
        [A, B].into_iter().for_each(|node| show_groups(pair.host(node)));
        Self { pair, units }
    }

    fn start(&mut self, node: usize) {
        let configuration = self.pair.plan.configuration(node);
        self.pair.start_as(node, self.units[node].daemon(), &configuration);
    }

    /// Kills daemon and keeper together, and starts a new life where the first one was; from when on it lives.
    fn next_life(&mut self, node: usize) -> Moment {
        self.pair.daemon(node).kill();
        self.pair.scene.lab.note(self.pair.name(node), "daemon and keeper were killed");
        let_pass(Duration::from_millis(300));
        let left = self.units[node].processes();
        assert!(left > 0 && self.pair.at_work().contains(self.pair.name(node)), "{left}\n{}", self.pair.story());
        let begin = Moment::now();
        self.start(node);
        begin
    }
}

#[test]
fn each_service_has_one_while_it_runs() {
    slow_test(|| {
        if !may_run(&["sh"]) {
            return;
        }
        let mut grouped = Grouped::new(Plan::new(COMMAND));
        let begin = Moment::now();
        for node in [A, B] {
            grouped.start(node);
        }
        let Grouped { pair, units } = &grouped;
        pair.works_alone(A);
        pair.is_well(A);
        let [group] = &units[A].groups()[..] else { panic!("{:?}", units[A].groups()) };
        let is_ours = group.starts_with("tanist.") && group.contains(".job.");
        assert!(is_ours && units[A].processes() == 1 && units[B].groups().is_empty(), "{group}");
        // A crash, and a hand-over: each has a group of its own, which goes with it.
        let killed = pair.kill_and_wait(A);
        pair.works_alone(A);
        pair.scene.until("the second one is in a group", || units[A].processes() == 1);
        assert_eq!(units[A].groups().len(), 1);
        assert_ne!(units[A].groups()[0], *group);
        pair.is_well(A);
        let told = pair.order(A, &["switch"]);
        assert!(told.contains("overlap 0 ms"), "{told}");
        pair.works_alone(B);
        assert_eq!((units[A].groups().len(), units[B].groups().len()), (0, 1));
        pair.daemon(A).stop();
        pair.daemon(B).stop();
        assert_eq!((units[A].groups().len(), units[B].groups().len()), (0, 0));
        pair.never_two(killed);
        assert_eq!(pair.scene.count_lines("a", begin, WITHOUT), 0);
    });
}

/// It has no mark, no keeper and no daemon any more. It is not started beside itself.
#[test]
fn what_hides_is_found_by_the_next_life_and_goes_on() {
    slow_test(|| {
        if !may_run(&["sh"]) {
            return;
        }
        let mut plan = Plan::alone(HIDDEN);
        plan.manner = Manner { offspring: true, ..Manner::default() };
        let mut grouped = Grouped::new(plan);
        grouped.start(A);
        grouped.pair.works_alone(A);
        let begin = grouped.next_life(A);
        let Grouped { pair, units } = &grouped;
        pair.scene.line("a", begin, "(job) runs since a former life: process ");
        pair.works_alone(A);
        pair.is_active(A);
        let_pass(Duration::from_secs(1));
        assert_eq!(pair.begun(A, begin), 0, "it was not started again\n{}", pair.story());
        // A stop in order is one.
        pair.daemon(A).stop();
        assert_eq!(units[A].processes(), 0, "{}", pair.story());
        pair.scene.until("nobody is at work", || pair.at_work().is_empty());
        assert_eq!(units[A].groups(), [""; 0]);
        pair.never_two(begin);
    });
}

/// The other node has taken over meanwhile. What is left here hears no SIGTERM, and is ended all the same.
#[test]
fn what_hides_where_it_must_not_run_is_ended() {
    slow_test(|| {
        if !may_run(&["sh"]) {
            return;
        }
        let mut plan = Plan::new(HIDDEN);
        plan.manner = Manner { offspring: true, stubborn: true, ..Manner::default() };
        let mut grouped = Grouped::new(plan);
        grouped.start(A);
        grouped.pair.works_alone(A);
        grouped.start(B);
        grouped.pair.is_well(A);
        // As long as nobody is there to end it, it is at work on both: that is what a dead daemon means.
        grouped.pair.daemon(A).kill();
        grouped.pair.is_active(B);
        let left = grouped.units[A].processes();
        assert!(left > 0, "{}", grouped.pair.story());
        let begin = Moment::now();
        grouped.start(A);
        let Grouped { pair, units } = &grouped;
        pair.scene.line("a", begin, "(job) runs since a former life: process ");
        pair.scene.until("nothing is left on a", || units[A].processes() == 0);
        let ended = Moment::now();
        pair.is_well(B);
        pair.works_alone(B);
        assert_eq!(pair.begun(A, begin), 0, "{}", pair.story());
        assert_eq!(units[A].groups(), [""; 0]);
        pair.never_two(ended);
    });
}

#[test]
fn without_any_it_is_said_once_and_all_is_as_before() {
    slow_test(|| {
        if !may_run(&["sh"]) {
            return;
        }
        // Nothing is mounted there; and what is there cannot be written to.
        for (read_only, reason) in [(false, "there are none of version 2"), (true, "read-only file system")] {
            let mut pair = Pair::new(Plan::alone(format!("{COMMAND}    restart 3 within 60\n")));
            if read_only {
                show_groups(pair.host(A));
                let place = control_groups().expect("control groups");
                succeed(pair.host(A), &["mount", "-o", "remount,bind,ro", word(&place)]);
            }
            let begin = Moment::now();
            pair.start(A);
            pair.works_alone(A);
            pair.kill_and_wait(A);
            pair.works_alone(A);
            pair.daemon(A).stop();
            pair.scene.line("a", begin, reason);
            assert_eq!(pair.scene.count_lines("a", begin, WITHOUT), 1, "{}", pair.story());
            assert!(pair.host(A).processes("collector").expect("look").is_empty());
            pair.never_two(begin);
        }
    });
}
