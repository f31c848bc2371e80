//! `tanist rehearse` with Tanist on both nodes: what it plays, and what it says about a service.
//!
//! Whether a loaded machine keeps promises of milliseconds is not for a test to say. That no two are ever at work is.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use support::{binary, slow_test};

/// Rehearses, and reads what comes out.
fn rehearse(arguments: &[&str]) -> Value {
    let output = Command::new(binary()).arg("rehearse").args(arguments).arg("--json").output().expect("start tanist");
    let told = String::from_utf8_lossy(&output.stdout);
    let complaint = || format!("{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {}", complaint()));
    let kept = result["kept"].as_bool().expect("a verdict");
    assert_eq!(output.status.code(), Some(if kept { 0 } else { 1 }), "{}", complaint());
    result
}

fn names<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().expect("a list").iter().filter_map(|entry| entry[field].as_str()).collect()
}

fn act<'a>(result: &'a Value, name: &str) -> &'a Value {
    let acts = result["acts"].as_array().expect("a list");
    acts.iter().find(|act| act["act"] == name).unwrap_or_else(|| panic!("no act {name}: {result:#}"))
}

/// Never two at once, and at the end it works where it should.
fn check_work(result: &Value, name: &str, worked_on: &[&str], last: &str) {
    let act = act(result, name);
    assert!(act["skipped"].is_null(), "{act:#}");
    assert_eq!(act["work"]["overlap_ms"], 0.0, "{act:#}");
    let by = names(&act["work"]["worked"], "by");
    let all: BTreeSet<&str> = by.iter().copied().collect();
    assert_eq!(all, worked_on.iter().copied().collect(), "{act:#}");
    assert_eq!(by.last(), Some(&last), "{act:#}");
}

#[test]
fn the_built_in_service_is_looked_after() {
    slow_test(|| {
        let acts = ["service", "move", "switch", "stop", "power", "latch"];
        let words: Vec<&str> = acts.iter().flat_map(|act| ["--act", *act]).collect();
        let result = rehearse(&words);
        assert_eq!(result["service"], "collector");
        assert_eq!(names(&result["acts"], "act"), [&["start"], &acts[..]].concat());
        check_work(&result, "start", &["a"], "a");
        check_work(&result, "service", &["a"], "a");
        for act in ["move", "switch", "stop", "power"] {
            check_work(&result, act, &["a", "b"], "a");
        }
        // Both had it, and none has it beside the other, until somebody has seen to it.
        check_work(&result, "latch", &["a", "b"], "a");
        let promises = names(&act(&result, "latch")["promises"], "what");
        assert!(promises.contains(&"both nodes are latched") && !promises.contains(&"nothing moves"), "{result:#}");
        let said = &act(&result, "switch")["remarks"];
        assert!(said[0].as_str().is_some_and(|said| said.contains("VI_1: b is active; outage ")), "{said:#}");
        assert!(said[1].as_str().is_some_and(|said| said.contains("VI_1: a is active; outage ")), "{said:#}");
    });
}

/// A pair of a user's own: no address, a unit of systemd that is not here.
#[test]
fn a_pair_without_an_address_is_watched_by_one_that_stands_in() {
    slow_test(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/service/edge-gateway");
        let [a, b] = ["a.conf", "b.conf"].map(|file| directory.join(file).display().to_string());
        let result = rehearse(&[&a, &b, "--act", "stop"]);
        assert_eq!((&result["service"], &result["address"]), (&"neuronex".into(), &"198.18.0.100".into()));
        check_work(&result, "stop", &["a", "b"], "a");
        let answered = names(&act(&result, "stop")["answered"], "by");
        assert!(answered.contains(&"b"), "{result:#}");
    });
}

/// What systemd manages is not in the virtual hosts, and the machine's own is left alone.
#[test]
fn a_unit_of_systemd_is_not_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/service/edge-gateway");
    let [a, b] = ["a.conf", "b.conf"].map(|file| directory.join(file));
    let output = Command::new(binary()).arg("rehearse").args([a, b]).arg("--run-scripts").output().expect("start");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the service neuronex belongs to a manager that virtual hosts do not have"), "{told}");
    assert_eq!(output.status.code(), Some(3));
}
