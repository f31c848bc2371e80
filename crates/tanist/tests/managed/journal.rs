//! S0-27 with a real journald: a unit of systemd whose lines can be found by what they are about.

use serde_json::Value;

use crate::ground::on;
use crate::real::machine::{Machine, NEEDS};
use crate::real::{find, may_run, output, wait_until};
use crate::support::{ADDRESS, QUICK, Scene, binary, configuration, slow_test, word};

/// The entries that match, each a JSON object.
fn entries(machine: &Machine, matches: &[&str]) -> Vec<Value> {
    let mut journalctl = machine.inside("journalctl");
    let output = output(journalctl.args(["--no-pager", "--output=json"]).args(matches));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn lines_are_found_by_what_they_are_about() {
    slow_test(|| {
        if !may_run(&NEEDS) || find("journalctl").is_none() {
            return;
        }
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let service = "service job {\n    command \"/bin/sleep 1000\"\n}\n";
        host.write_file("tanist.conf", &configuration(service, 150, &format!("{QUICK}\n    service job")))
            .expect("write");
        let start = format!("ExecStart={} run -f /run/rehearse/tanist.conf --state-dir none", word(binary()));
        let machine = on(host, &[], |ground| Machine::boot_on(ground, &[("tanist.service", &start, true)]));
        scene.only("a", ADDRESS);
        for (matches, message) in [
            (["TANIST_EVENT=vrrp.state", "TANIST_INSTANCE=VI_1"], "(VI_1) Entering MASTER STATE"),
            (["MESSAGE_ID=bf3b39a4ca0b46639f9f20e9a3b0bd32", "PRIORITY=5"], "(VI_1) Entering MASTER STATE"),
            (["TANIST_EVENT=service.state", "TANIST_SERVICE=job"], "Service job is running"),
        ] {
            let is_it = |entry: &Value| entry["MESSAGE"] == message;
            wait_until(message, || entries(&machine, &matches).iter().any(is_it));
            let found = entries(&machine, &matches);
            assert_eq!(found.iter().filter(|entry| is_it(entry)).count(), 1, "once: {found:#?}");
            let entry = found.iter().find(|entry| is_it(entry)).expect("it was there");
            assert_eq!((&entry["_SYSTEMD_UNIT"], &entry["_TRANSPORT"]), (&"tanist.service".into(), &"journal".into()));
            assert_eq!(entry["SYSLOG_IDENTIFIER"], "tanist");
        }
        // Nothing of it came as mere text, too.
        let text = entries(&machine, &["_SYSTEMD_UNIT=tanist.service", "_TRANSPORT=stdout"]);
        assert!(text.is_empty(), "{text:#?}");
    });
}
