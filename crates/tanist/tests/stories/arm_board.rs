//! A small board: a switch file, two interfaces that both count, notify scripts in the one place that can be written.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::support::story::{each_second, example, put_scripts, run, settle, start_tanist};
use crate::support::{Host, HostPlan, Moment, Scene, binary, is_installed, slow_test, test_name, word};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 200);

fn role(host: &Host) -> String {
    host.read_file(Path::new("/home/run/role")).unwrap_or_default().trim().to_owned()
}

#[test]
fn a_file_moves_the_role_and_so_does_either_interface() {
    slow_test(|| {
        let mut scene = Scene::empty();
        scene.lab.client().add_address("192.168.0.254/24").expect("the client's address");
        for (name, address) in [("a", "192.168.0.201/24"), ("b", "192.168.0.202/24")] {
            let host = scene.add(&HostPlan::new(name).interface("eth1", &[address]).interface("eth2", &[]));
            settle(&host);
            put_scripts(&host, "arm-board", "/home/run");
        }
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        let begin = Moment::now();
        let _nodes =
            [a, b].map(|host| start_tanist(host, &each_second(&example(&format!("arm-board/{}.conf", host.name())))));
        scene.only("a", VIP);
        scene.until("A's script has run", || role(a) == "master");
        scene.until("B's script has run", || role(b) == "backup");
        scene.line("a", begin, "no check `check_ntpd` is defined");

        let down = scene.lab.note("a", "touch the file");
        run(a, "touch /etc/keepalived/down");
        scene.line("a", down, "(lnmp) Changing effective priority from 200 to 100");
        scene.only("b", VIP);
        scene.until("both scripts have run", || role(a) == "backup" && role(b) == "master");
        scene.nobody_resigned(down);

        let up = scene.lab.note("a", "remove the file");
        run(a, "rm /etc/keepalived/down");
        scene.line("a", up, "(lnmp) Changing effective priority from 100 to 200");
        scene.only("a", VIP);
        scene.until("both scripts have run", || role(a) == "master" && role(b) == "backup");

        // The other interface carries nothing of ours, and counts all the same.
        let pulled = scene.lab.note("a", "pull the second cable");
        a.set_cable("eth2", false).expect("pull");
        scene.resigned("a", pulled);
        scene.line("a", pulled, "entering FAULT state (interface eth2 down)");
        scene.only("b", VIP);
        // Its command ends with a blank inside the quotes.
        scene.until("the script about the fault has run", || role(a) == "fault");
        a.set_cable("eth2", true).expect("put back");
        scene.only("a", VIP);
        scene.until("A's script has run", || role(a) == "master");
    });
}

#[test]
fn a_process_that_is_missing_costs_the_role_as_long_as_it_is_missing() {
    slow_test(|| {
        if !is_installed("killall") {
            return rehearse::lab::skip(&test_name(), &"killall is not installed");
        }
        let mut scene = Scene::empty();
        for (name, address) in [("a", "192.168.0.201/24"), ("b", "192.168.0.202/24")] {
            let host = scene.add(&HostPlan::new(name).interface("eth1", &[address]).interface("eth2", &[]));
            settle(&host);
            put_scripts(&host, "arm-board", "/home/run");
        }
        let start_ntpd = |host: &Host| {
            let program = host.write_program("ntpd", "#!/bin/sh\nwhile :; do sleep 1; done\n").expect("write ntpd");
            host.start("ntpd", &[word(&program)]).expect("start ntpd")
        };
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        let [ntpd, _other] = [a, b].map(start_ntpd);
        // With the name that was meant.
        let file = |host: &Host| example(&format!("arm-board/{}.conf", host.name())).replace("check_ntpd", "chk_ntpd");
        let _nodes = [a, b].map(|host| start_tanist(host, &each_second(&file(host))));
        scene.only("a", VIP);

        let killed = scene.lab.note("a", "kill ntpd");
        ntpd.kill_all().expect("kill ntpd");
        scene.line("a", killed, "VRRP_Script(chk_ntpd) failed (exited with status 1)");
        scene.line("a", killed, "(lnmp) Changing effective priority from 200 to 100");
        scene.only("b", VIP);

        let started = scene.lab.note("a", "start ntpd");
        let _again = start_ntpd(a);
        scene.line("a", started, "(lnmp) Changing effective priority from 100 to 200");
        scene.only("a", VIP);
    });
}

#[test]
fn a_check_that_does_not_exist_is_told_with_the_one_that_was_meant() {
    let files = ["a", "b"].map(|name| format!("{}/../../examples/arm-board/{name}.conf", env!("CARGO_MANIFEST_DIR")));
    let output = std::process::Command::new(binary()).arg("check").args(&files).output().expect("run ourselves");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("no check `check_ntpd` is defined") && text.contains("did you mean `chk_ntpd`?"), "{text}");
}
