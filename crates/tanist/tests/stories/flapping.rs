//! Scripts that start and stop a service while the role changes faster than they run.

use crate::support::{Moment, Node, Scene, slow_test, tanist};

const FLAPS: usize = 100;

/// Takes longer than a flap, and tells its beginning and its end.
fn slow_script(word: &str) -> String {
    format!(
        "#!/bin/sh\nprintf '%s\\t%s\\n' {word} begins > /run/rehearse/records\nsleep 0.05\n\
         printf '%s\\t%s\\n' {word} ends > /run/rehearse/records\n"
    )
}

#[test]
fn starts_and_stops_alternate_and_the_last_one_fits_the_role() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        for word in ["start", "stop"] {
            host.write_program(&format!("{word}.sh"), &slow_script(word)).expect("write a script");
        }
        let _node = Node::start(
            host,
            tanist(),
            "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 250\n version 3\n\
             advert_int 0.01\n notify_master /run/rehearse/start.sh\n notify_fault /run/rehearse/stop.sh\n\
             virtual_ipaddress {\n 192.0.2.100/24\n }\n}\n",
        );
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        for _ in 0..FLAPS {
            let down = Moment::now();
            host.set_interface("eth0", false).expect("down");
            scene.line("a", down, "(VI_1) Entering FAULT STATE");
            let up = Moment::now();
            host.set_interface("eth0", true).expect("up");
            scene.line("a", up, "(VI_1) Entering MASTER STATE");
        }
        let expected: Vec<String> = (0..=2 * FLAPS)
            .map(|number| if number % 2 == 0 { "start" } else { "stop" })
            .flat_map(|word| [format!("{word} begins"), format!("{word} ends")])
            .collect();
        let runs = || -> Vec<String> { scene.runs("a", begin).iter().map(|words| words.join(" ")).collect() };
        let alternating = || {
            let runs = runs();
            let mut pairs: Vec<&[String]> = runs.chunks(2).collect();
            pairs.dedup();
            pairs.concat()
        };
        scene.until("every script has ended", || alternating() == expected);
        // Whoever was not let run for longer than an interval of 10 ms becomes Backup and Active again: a start more.
        let again = runs().len() - expected.len();
        assert!(again == 0 || scene.count_lines("a", begin, "was asleep") > 0, "{}", scene.story());
    });
}
