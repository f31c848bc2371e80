//! One service is looked after; what else runs on its nodes is left alone.

use rehearse::lab::Program;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{ADDRESS, Moment, slow_test};

/// S2-4: each node has a worker, one of them the master; the address follows the master.
#[test]
fn ten_moves_do_not_touch_the_workers() {
    slow_test(|| {
        let pair = Pair::in_good_order(Plan::new(format!("{COMMAND}    failback never\n")));
        let worker = |node: usize| pair.host(node).start("worker", &["sleep", "1000"]).expect("start a worker");
        let workers: [Program; 2] = [worker(A), worker(B)];
        let begin = Moment::now();
        let probe = pair.scene.probe(ADDRESS);
        for round in 0..10 {
            let (from, to) = if round % 2 == 0 { (A, B) } else { (B, A) };
            // From either node.
            let told = pair.order([A, B][round / 2 % 2], &["switch", "--to", pair.name(to)]);
            assert!(told.contains(&format!("{} is active", pair.name(to))), "{told}");
            assert!(told.contains("overlap 0 ms"), "{told}");
            pair.works_alone(to);
            pair.scene.answered_by(&probe, pair.name(to), Moment::now());
            assert!(!pair.host(from).has_address(ADDRESS.into()));
        }
        assert!(workers.iter().all(Program::is_running));
        assert_eq!(pair.starts(begin), ["b", "a"].repeat(5));
        pair.never_two(begin);
    });
}
