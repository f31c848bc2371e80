//! What the operator's own programs are told, and where they run.

use linux::signals::Signal;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, PATIENCE, slow_test};

/// Tells which hook it is and what it was told.
const HOOK: &str = "#!/bin/sh\nprintf 'hook\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' \"$TANIST_HOOK\" \"$TANIST_SERVICE\" \
                    \"$TANIST_PREVIOUS_ROLE\" \"$TANIST_ROLE\" \"$TANIST_EPOCH\" \"$TANIST_EVENT\" > /run/rehearse/records\n";

struct Told {
    hook: String,
    roles: String,
    epoch: u64,
    event: u64,
}

/// What the hooks of a node were told, in their order.
fn told(pair: &Pair, node: usize, since: Moment) -> Vec<Told> {
    let runs = pair.scene.runs(pair.name(node), since).into_iter();
    let hooks = runs.filter(|words| words[0] == "hook").map(|words| {
        let number = |word: usize| words[word].parse().unwrap_or_else(|_| panic!("no number in {words:?}"));
        assert_eq!(words[2], "job", "{words:?}");
        let roles = format!("{} -> {}", words[3], words[4]);
        Told { hook: words[1].clone(), roles, epoch: number(5), event: number(6) }
    });
    hooks.collect()
}

fn count(pair: &Pair, node: usize, since: Moment, hook: &str) -> usize {
    told(pair, node, since).iter().filter(|told| told.hook == hook).count()
}

/// S2-20, S2-6: after a take-over something is done once, and again and again only where the service is active. The
/// programs need not find out by themselves which node they are on.
#[test]
fn hooks_follow_the_role() {
    slow_test(|| {
        let hook = "/run/rehearse/hook";
        let mut pair = Pair::new(Plan::new(format!(
            "{COMMAND}    restart 3 within 60\n    failback never\n    on_role {hook}\n    post_takeover {hook}\n    \
             while_active {{\n        every 1s {hook}\n    }}\n"
        )));
        let begin = Moment::now();
        for node in [A, B] {
            pair.host(node).write_program("hook", HOOK).expect("a hook");
        }
        pair.start(A);
        pair.works_alone(A);
        pair.start(B);
        pair.is_well(A);
        pair.scene.until("the report runs again and again", || count(&pair, A, begin, "while_active") >= 2);
        // A restart is no take-over.
        pair.kill_and_wait(A);
        pair.works_alone(A);
        pair.scene.until("and goes on", || count(&pair, A, begin, "while_active") >= 3);
        assert_eq!((count(&pair, A, begin, "post_takeover"), count(&pair, B, begin, "post_takeover")), (1, 0));
        assert_eq!(count(&pair, B, begin, "while_active"), 0);

        let switched = Moment::now();
        pair.order(A, &["switch"]);
        pair.works_alone(B);
        pair.scene.until("a has been told", || told(&pair, A, switched).iter().any(|told| told.hook == "on_role"));
        let over = Moment::now();
        pair.scene.until("the report runs on b", || count(&pair, B, over, "while_active") >= 2);
        assert_eq!(count(&pair, A, over, "while_active"), 0, "{}", pair.story());
        assert_eq!((count(&pair, A, begin, "post_takeover"), count(&pair, B, begin, "post_takeover")), (1, 1));

        let roles = |node: usize| -> Vec<String> {
            let told = told(&pair, node, begin).into_iter().filter(|told| told.hook == "on_role");
            told.map(|told| format!("{} ({})", told.roles, told.epoch)).collect()
        };
        assert_eq!(roles(A), ["FAULT -> BACKUP (0)", "BACKUP -> MASTER (1)", "MASTER -> BACKUP (1)"]);
        assert_eq!(roles(B), ["FAULT -> BACKUP (0)", "BACKUP -> MASTER (2)"]);
        for node in [A, B] {
            let mut events: Vec<u64> = told(&pair, node, begin).iter().map(|told| told.event).collect();
            let count = events.len();
            events.sort_unstable();
            events.dedup();
            assert_eq!(events.len(), count, "each event has a number of its own\n{}", pair.story());
        }
    });
}

/// What runs by the clock is for the active node only: one that takes no notice of being asked to end is killed, and the
/// kernel sees to it where nobody else is left.
#[test]
fn what_runs_by_the_clock_does_not_outlive_the_daemon() {
    slow_test(|| {
        let line = "    while_active {\n        every 1s /run/rehearse/deaf-job\n    }\n";
        let mut pair = Pair::new(Plan::alone(format!("{COMMAND}{line}")));
        let job = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n";
        pair.host(A).write_program("deaf-job", job).expect("a job");
        let jobs = |pair: &Pair| pair.host(A).processes("deaf-job").expect("look").len();
        for end in [Signal::TERMINATE, Signal::KILL] {
            let begin = Moment::now();
            pair.start(A);
            pair.scene.until("the job runs", || jobs(&pair) == 1);
            pair.daemon(A).signal(end);
            assert!(pair.daemon(A).program.wait(PATIENCE), "{}", pair.story());
            pair.scene.until("the job is gone", || jobs(&pair) == 0);
            if end == Signal::TERMINATE {
                pair.scene.line("a", begin, "is asked to end: this node is no longer active");
                pair.scene.line("a", begin, "deaf-job has not ended within 2 s and is killed");
            }
        }
    });
}
