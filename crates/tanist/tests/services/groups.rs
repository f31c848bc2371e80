//! A service of a sync group: two instances and the service, all on one node.

use std::net::Ipv4Addr;

use linux::signals::Signal;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::{Moment, slow_test};

/// The address of the second instance.
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 101);

fn configuration(plan: &Plan, node: usize) -> String {
    // By itself the second instance would rather be on the other node.
    let priority = [90, 120][node];
    let alone = plan.configuration(node).replace("    service job\n}\n", "}\n");
    format!(
        "{alone}vrrp_instance VI_2 {{\n    interface eth0\n    virtual_router_id 52\n    priority {priority}\n    \
         version 3\n    advert_int 0.2\n    virtual_ipaddress {{\n        {SECOND}/24\n    }}\n}}\n\
         vrrp_sync_group G {{\n    group {{\n        VI_1\n        VI_2\n    }}\n    service job\n}}\n"
    )
}

fn is_on(pair: &Pair, node: usize) {
    pair.works_alone(node);
    pair.scene.only(pair.name(node), SECOND);
}

#[test]
fn a_service_of_a_group_moves_with_all_of_it() {
    slow_test(|| {
        let plan = Plan::new(format!("{COMMAND}    restart 0 within 60\n    readiness_interval 0.2\n"));
        let mut pair = Pair::new(plan);
        let begin = Moment::now();
        for node in [A, B] {
            let configuration = configuration(&pair.plan, node);
            pair.start_with(node, &configuration);
        }
        is_on(&pair, A);
        pair.is_well(A);

        let told = pair.order(A, &["switch", "VI_2", "--to", "b"]);
        assert!(told.contains("b is active; outage ") && told.contains(" ms, overlap 0 ms"), "{told}");
        is_on(&pair, B);
        pair.order(A, &["release", "G"]);
        is_on(&pair, A);
        pair.is_well(A);

        // It comes back as soon as a could start it again.
        let killed = pair.signal(A, Signal::KILL);
        pair.scene.until("it begins on b", || pair.begun(B, killed) > 0);
        pair.scene.line("b", killed, "(VI_2) Entering MASTER STATE");
        is_on(&pair, A);
        pair.never_two(begin);
    });
}

/// The daemon of the active node is killed: its service ends with it, and the other node has everything.
#[test]
fn a_node_that_dies_leaves_all_of_the_group() {
    slow_test(|| {
        let mut pair = Pair::new(Plan::new(COMMAND));
        for node in [A, B] {
            let configuration = configuration(&pair.plan, node);
            pair.start_with(node, &configuration);
        }
        is_on(&pair, A);
        pair.is_well(A);
        pair.daemon(A).signal(Signal::KILL);
        is_on(&pair, B);
    });
}
