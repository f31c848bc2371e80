//! A scheduler that must not run twice: unicast, a check that raises the priority, scripts that run as nobody.

use std::net::Ipv4Addr;

use crate::support::story::{example, put, settle, start_tanist};
use crate::support::{Host, HostPlan, Moment, Scene, binary, slow_test_with_users};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

fn furnish(host: &Host) {
    settle(host);
    let script = "/etc/keepalived/check_scheduler.sh";
    put(host, script, &example("job-scheduler/check_scheduler.sh"), true);
    // The scheduler runs on A only. Tells who asks.
    let pgrep = "#!/bin/sh\nprintf 'pgrep\\t%s\\n' \"$(id -un)\" > /run/rehearse/records\n\
                 [ \"$(cat /proc/sys/kernel/hostname)\" = a ] && echo 42\n";
    host.write_program("pgrep", pgrep).expect("a stand-in");
}

// Shows: vrrp_instance.state
#[test]
fn it_works_where_multicast_does_not_and_nopreempt_is_no_match_for_state_master() {
    slow_test_with_users(|| {
        let mut scene = Scene::empty();
        scene.lab.client().add_address("192.0.2.254/24").expect("the client's address");
        for (name, address) in [("a", "192.0.2.11/24"), ("b", "192.0.2.12/24")] {
            furnish(&scene.add(&HostPlan::new(name).interface("eth0", &[address])));
        }
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        let begin = Moment::now();
        let nodes = [a, b].map(|host| start_tanist(host, &example(&format!("job-scheduler/{}.conf", host.name()))));
        scene.only("a", VIP);
        for host in ["a", "b"] {
            scene.ran(host, begin, &["pgrep", "nobody"]);
        }
        // The check is good on A and adds its two.
        scene.advertised("a", begin, |seen| seen.priority == 152);

        let stopped = scene.lab.note("a", "stop");
        nodes[0].stop();
        scene.resigned("a", stopped);
        scene.only("b", VIP);
        // Failing costs nothing on B, it only adds nothing.
        scene.advertised("b", stopped, |seen| seen.priority == 100);

        let with_nopreempt = example("job-scheduler/a.conf").replace("state MASTER", "state MASTER\n    nopreempt");
        let back = Moment::now();
        let _back = start_tanist(a, &with_nopreempt);
        scene.line("a", back, "`nopreempt` is ignored");
        scene.only("a", VIP);

        // What a network without multicast has to carry: nothing but packets from one to the other.
        for (_, host, advertisement) in scene.advertisements(begin) {
            let to = if host == "a" { "192.0.2.12" } else { "192.0.2.11" };
            assert_eq!(advertisement.destination.to_string(), to);
        }
    });
}

#[test]
fn a_check_once_a_minute_is_remarked() {
    let file = format!("{}/../../examples/job-scheduler/a.conf", env!("CARGO_MANIFEST_DIR"));
    let output = std::process::Command::new(binary()).args(["check", &file]).output().expect("run ourselves");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("slow-detection"), "{text}");
}
