//! A file by which an operator, or any program of theirs, makes a node stand back.

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, slow_test};

/// S3-13: touch it, and the service goes in order; remove it, and it comes back.
#[test]
fn a_node_stands_back_while_the_file_is_there() {
    slow_test(|| {
        let lines = "    down_file /run/rehearse/down\n    readiness_interval 0.2\n";
        let mut pair = Pair::in_good_order(Plan::new(format!("{COMMAND}{lines}")));
        let begin = Moment::now();
        pair.host(A).write_file("down", "").expect("touch");
        pair.works_alone(B);
        pair.scene.line("a", begin, "down file /run/rehearse/down of service job is there");
        let status = pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
        assert!(status.instances[0].held[0].contains("down_file"), "{status:?}");
        let status = pair.is_active(B);
        assert!(status.peer.expect("it is there").instances[0].held, "the other node knows it, too");

        // A new daemon sees it, too.
        pair.daemon(A).stop();
        let again = Moment::now();
        pair.start(A);
        pair.scene.line("a", again, "this node stands back, because of its down_file");
        pair.says(B, "that a is there again", |status| status.peer.as_ref().is_some_and(|peer| peer.alive));
        pair.works_alone(B);
        assert_eq!(pair.begun(A, begin), 0, "{}", pair.story());

        pair.host(A).remove_file("down").expect("rm");
        pair.works_alone(A);
        pair.is_well(A);
        pair.never_two(begin);
    });
}

/// Who stands back still serves if nobody else can.
#[test]
fn a_node_that_stands_back_takes_over_from_a_dead_one() {
    slow_test(|| {
        let lines = "    down_file /run/rehearse/down\n";
        let pair = Pair::in_good_order(Plan::new(format!("{COMMAND}{lines}")));
        pair.host(A).write_file("down", "").expect("touch");
        pair.works_alone(B);
        pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
        let off = pair.power_off(B);
        pair.works_alone(A);
        pair.never_two(off);
    });
}

/// A sync group stands back as one: the file of one service counts also where another instance of the group has another one.
#[test]
fn a_group_stands_back_for_the_file_of_any_of_its_services() {
    slow_test(|| {
        let lines = "    down_file /run/rehearse/down\n";
        let mut plan = Plan::new(format!("{COMMAND}{lines}"));
        // The second one would take back what the first one says, if each spoke for itself.
        plan.behind = "service other {\n    command \"sleep 1000\"\n    down_file /run/rehearse/never\n}\n\
                       vrrp_instance VI_2 {\n    interface eth0\n    virtual_router_id 52\n    priority 100\n    version 3\n    \
                       advert_int 0.2\n    service other\n}\n\
                       vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n"
            .to_owned();
        let pair = Pair::in_good_order(plan);
        let begin = Moment::now();
        pair.host(A).write_file("down", "").expect("touch");
        pair.works_alone(B);
        let status = pair.says(A, "that it stands back", |status| !status.instances[0].held.is_empty());
        assert!(status.instances[0].held[0].contains("down_file"), "{status:?}");
        pair.host(A).remove_file("down").expect("rm");
        pair.works_alone(A);
        pair.never_two(begin);
    });
}
