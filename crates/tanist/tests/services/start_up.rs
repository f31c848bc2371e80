//! Which node has the service after the daemons were started, whatever ran before.

use api::Role;
use rehearse::lab::Seen;

use crate::pair::{A, B, COMMAND, Pair, Plan, SCRIPTS};
use crate::support::{Moment, slow_test};

/// S0-6, S2-5: "must both be alive?" – no, and not for a moment. What init has started on both nodes ends before the
/// pair gives the service to one of them.
#[test]
fn what_runs_on_both_nodes_becomes_one() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::new(SCRIPTS));
        for node in [A, B] {
            assert_eq!(pair.host(node).collector_service("start").expect("init starts it"), 0);
        }
        pair.scene.until("it is at work on both", || pair.at_work().len() == 2);
        let begin = Moment::now();
        [A, B].into_iter().for_each(|node| pair.start(node));
        pair.is_well(A);
        pair.works_alone(A);
        let first = pair.scene.lab.journal().since(begin).into_iter().find(|record| {
            matches!(&record.what, Seen::ScriptRun { name, arguments } if name == "collector" && arguments[0] == "starts")
        });
        let first = first.unwrap_or_else(|| panic!("a daemon has started none\n{}", pair.story()));
        pair.never_two(first.at);
    });
}

/// S0-6, S2-5: nothing runs, and both daemons are started at the same moment.
#[test]
fn of_two_nodes_that_start_at_once_one_starts_the_service() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::new(COMMAND));
        let begin = Moment::now();
        [A, B].into_iter().for_each(|node| pair.start(node));
        pair.is_well(A);
        pair.works_alone(A);
        pair.never_two(begin);
    });
}

/// S0-12: only the service moves; nobody needs an address for that.
#[test]
fn a_pair_without_an_address_fails_over() {
    slow_test(|| {
        let pair = Pair::in_good_order(Plan { has_address: false, ..Plan::new(COMMAND) });
        let off = pair.power_off(A);
        pair.works_alone(B);
        let status = pair.is_active(B);
        assert!(status.instances[0].addresses.is_empty());
        pair.never_two(off);
    });
}

/// A daemon that was killed has left its service behind; the next one finds it and, as nobody else has taken the role
/// meanwhile, leaves it alone.
#[test]
fn a_service_that_outlived_its_daemon_is_adopted() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::alone(SCRIPTS));
        pair.start(A);
        pair.is_active(A);
        pair.works_alone(A);
        pair.daemon(A).kill();
        let begin = Moment::now();
        pair.start(A);
        pair.scene.line("a", begin, "Service job is running, as it was found");
        pair.is_active(A);
        pair.works_alone(A);
        let collectings = pair.collectings();
        assert!(collectings.windows(2).all(|two| two[0].pid == two[1].pid), "it was started anew\n{}", pair.story());
    });
}

/// But if the other node has the role by now, it is stopped.
#[test]
fn a_service_that_outlived_its_daemon_ends_if_another_node_has_the_role() {
    slow_test(|| {
        let mut pair = Pair::in_good_order(Plan::new(format!("{SCRIPTS}    failback never\n")));
        pair.daemon(A).kill();
        pair.is_active(B);
        pair.scene.until("both are at work", || pair.at_work().len() == 2);
        pair.start(A);
        pair.works_alone(B);
        let status = pair.is_well(A);
        assert_eq!(status.instances[0].role, Role::Backup);
    });
}
