//! The rehearsal from outside: exit status, what is printed for people and for machines, with the real keepalived on
//! both nodes.
//!
//! The built-in pair runs our own program as its web service, so this test is that program, too: called with
//! `rehearse` as its first word it does what `tanist` would do.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output};
use std::thread;

use clap::Parser;
use serde_json::Value;
use tanist_rehearse::lab::{Daemon, permission, skip};

#[derive(Debug, Parser)]
enum CommandLine {
    Rehearse(tanist_rehearse::Arguments),
}

fn main() -> ExitCode {
    if env::args().nth(1).is_some_and(|word| word == "rehearse") {
        let CommandLine::Rehearse(arguments) = CommandLine::parse();
        return tanist_rehearse::main(arguments);
    }
    mistakes_are_told_before_anything_starts();
    two_files_must_be_a_pair();
    acts_are_listed();
    if !Daemon::keepalived().is_installed() {
        skip("a rehearsal", &"keepalived is not installed");
    } else if let (true, Err(error)) = (rustix::process::geteuid().is_root(), permission()) {
        skip("a rehearsal", &error);
    } else {
        thread::scope(|scope| {
            scope.spawn(the_built_in_pair_is_measured);
            scope.spawn(a_check_that_cannot_move_the_address_is_a_broken_promise);
        });
    }
    println!("rehearsal: ok");
    ExitCode::SUCCESS
}

fn rehearse(arguments: &[&str]) -> Output {
    let mut command = Command::new(env::current_exe().expect("our own path"));
    command.arg("rehearse").args(arguments).output().expect("start ourselves")
}

const KEEPALIVED: [&str; 4] = ["--node-a-command", "keepalived", "--node-b-command", "keepalived"];

/// Files that go with the test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str, texts: [&str; 2]) -> Files {
        let directory = env::temp_dir().join(format!("tanist-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("make a directory");
        for (file, text) in ["a.conf", "b.conf"].iter().zip(texts) {
            fs::write(directory.join(file), text).expect("write a file");
        }
        Files(directory)
    }

    fn paths(&self) -> [String; 2] {
        ["a.conf", "b.conf"].map(|file| self.0.join(file).display().to_string())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn instance(vrid: &str, priority: u8) -> String {
    format!(
        "vrrp_script web {{\n script /etc/check.sh\n weight -5\n }}\n\
         vrrp_instance V {{\n interface eth3\n virtual_router_id {vrid}\n version 3\n advert_int 0.1\n\
         priority {priority}\n virtual_ipaddress {{\n 192.0.2.100/24\n }}\n track_script {{\n web\n }}\n }}\n"
    )
}

fn mistakes_are_told_before_anything_starts() {
    let files = Files::new("mistakes", [&instance("51", 150), &instance("300", 100)]);
    let [a, b] = files.paths();
    let output = rehearse(&[&a, &b]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("b.conf:7:") && told.contains("300"), "{told}");
    assert_ne!(output.status.code(), Some(0));
}

fn two_files_must_be_a_pair() {
    let files = Files::new("no-pair", [&instance("51", 150), &instance("52", 100)]);
    let [a, b] = files.paths();
    let output = rehearse(&[&a, &b]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no virtual_router_id is in both (the first has 51, the second 52)"), "{told}");
    assert_eq!(output.status.code(), Some(3));
}

fn acts_are_listed() {
    let output = rehearse(&["--list"]);
    let told = String::from_utf8_lossy(&output.stdout);
    for act in ["start", "service", "move", "hang", "switch", "stop", "crash", "power", "link", "cut", "latch"] {
        assert!(told.lines().any(|line| line.starts_with(act)), "{act} is not in the list:\n{told}");
    }
    assert_eq!(rehearse(&["--act", "earthquake"]).status.code(), Some(2));
}

fn the_built_in_pair_is_measured() {
    let output = rehearse(&[&KEEPALIVED[..], &["--act", "service", "--act", "stop", "--json"]].concat());
    let told = String::from_utf8_lossy(&output.stdout);
    let complaint = || format!("{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {}", complaint()));
    // Whether a loaded machine keeps promises of milliseconds is not for a test to say; that the status tells it is.
    let kept = result["kept"].as_bool().expect("a verdict");
    assert_eq!(output.status.code(), Some(if kept { 0 } else { 1 }), "{}", complaint());
    let acts: Vec<&str> =
        result["acts"].as_array().expect("a list").iter().filter_map(|act| act["act"].as_str()).collect();
    assert_eq!(acts, ["start", "service", "stop"]);
    let service = &result["acts"][1];
    let by: Vec<&str> =
        service["answered"].as_array().expect("a list").iter().filter_map(|span| span["by"].as_str()).collect();
    assert_eq!((by.first(), by.last()), (Some(&"a"), Some(&"a")), "{}", complaint());
    assert!(by.contains(&"b"), "b never answered: {}", complaint());
    // What b waits after a resigned: RFC 3768 §6.1 with priority 100, 156/256 s.
    let silent = service["outage_ms"].as_f64().expect("a number");
    assert!(silent > 500.0, "b was earlier than its skew time: {silent}");
}

fn a_check_that_cannot_move_the_address_is_a_broken_promise() {
    let files = Files::new("weight", [&instance("51", 150), &instance("51", 100)]);
    let [a, b] = files.paths();
    let output = rehearse(&[&KEEPALIVED[..], &[&a, &b, "--act", "service"]].concat());
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("bridge the gap") && told.contains("BROKEN"), "{told}");
    for line in told.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
}
