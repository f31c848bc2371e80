//! `tanist check` and keepalived's `-t`: what they find, and how they end. No network is needed.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs, process};

use crate::support::{binary, configuration, test_name};

/// A directory with a configuration, and a link to us under keepalived's name.
struct Bench {
    directory: PathBuf,
}

impl Bench {
    fn new(configuration: &str) -> Self {
        let name = format!("tanist-{}-{}", test_name().replace("::", "-"), process::id());
        let directory = env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("a.conf"), configuration).expect("write");
        symlink(binary(), directory.join("keepalived")).expect("a link");
        Self { directory }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.directory);
        command.output().expect("run ourselves")
    }

    /// The exit status and everything that was said.
    fn check(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let program = binary().to_str().expect("a plain path");
        told(&self.run(program, &[&["check"], arguments].concat()))
    }

    fn keepalived(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let link = self.directory.join("keepalived");
        told(&self.run(link.to_str().expect("a plain path"), arguments))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What stays in a temporary directory does no harm.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn told(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn expect(configuration: &str, status: i32, words: &[&str]) {
    let bench = Bench::new(configuration);
    for (code, text) in [bench.check(&["a.conf"]), bench.keepalived(&["-t", "-f", "a.conf"])] {
        assert_eq!(code, Some(status), "{text}");
        for word in words {
            assert!(text.contains(word), "no {word:?} in\n{text}");
        }
    }
}

#[test]
fn a_good_file_is_good() {
    expect(&configuration("", 150, "    advert_int 1"), 0, &[]);
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let mistakes = configuration("", 150, "    advert_int 1\n    prioritty 20\n    nopreemt\n    garp_master_delay x");
    expect(&mistakes, 5, &["a.conf:7:5", "prioritty", "did you mean", "nopreemt", "a.conf:9:"]);
}

#[test]
fn zero_is_no_virtual_router() {
    let text = configuration("", 150, "").replace("virtual_router_id 51", "virtual_router_id 0");
    expect(&text, 5, &["0 is no virtual router identifier"]);
}

#[test]
fn a_keyword_without_its_value_is_told_apart() {
    expect(&configuration("", 150, "    advert_int"), 2, &["advert_int"]);
}

#[test]
fn a_missing_file_is_an_error() {
    let bench = Bench::new("");
    for (code, text) in [bench.check(&["other.conf"]), bench.keepalived(&["-t", "-f", "other.conf"])] {
        assert_eq!(code, Some(6), "{text}");
        assert!(text.contains("other.conf"), "{text}");
    }
    let (code, text) = bench.check(&["a.conf", "other.conf"]);
    assert_eq!(code, Some(6), "the worst one decides: {text}");
}

/// The file is good, and may be for another machine; a daemon here would not begin with it.
#[test]
fn a_key_that_is_not_here_is_told_of_this_machine() {
    let bench =
        Bench::new(&(configuration("", 150, "") + "pair {\n    peer 192.0.2.2\n    key_file /nowhere/pair.key\n}\n"));
    let (code, text) = bench.check(&["a.conf"]);
    assert_eq!((code, text.contains("/nowhere/pair.key")), (Some(0), false), "{text}");
    let (code, text) = bench.check(&["--here", "a.conf"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("on this machine: `pair`: there is no key in /nowhere/pair.key"), "{text}");
}

#[test]
fn a_daemon_does_not_start_with_a_file_that_cannot_be_used() {
    let bench = Bench::new(&configuration("", 150, "    advert_int never"));
    let pid_file = bench.directory.join("pid");
    let arguments = |file| ["-n", "-l", "-G", "-f", file, "-p", "pid", "-r", "pid2"];
    let (code, text) = bench.keepalived(&arguments("a.conf"));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("a.conf:6:"), "{text}");
    let (code, text) = bench.keepalived(&arguments("other.conf"));
    assert_eq!(code, Some(6), "{text}");
    assert!(!pid_file.exists());
}

#[test]
fn the_version_is_told() {
    let bench = Bench::new("");
    for option in ["-v", "--version"] {
        let (code, text) = bench.keepalived(&[option]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(env!("CARGO_PKG_VERSION")), "{text}");
    }
}

/// A node of a pair with a service. `lines` are further lines of the service.
fn with_service(peer: &str, node: &str, lines: &str) -> String {
    let before = format!("pair {{\n    peer {peer}\n    node {node}\n}}\nservice web {{\n    systemd web\n{lines}\n}}");
    configuration(&before, 150, "    service web")
}

#[test]
fn mistakes_in_a_service_are_told_as_well() {
    expect(
        &with_service("node-b", "a", "    chekc tcp 127.0.0.1:80\n    check tcp web:80\n    restart 3"),
        2,
        &[
            "a.conf:2:10",
            "`node-b` is not an IP address",
            "did you mean `check`?",
            "must not wait for a name server",
            "a.conf:9:13",
        ],
    );
}

#[test]
fn two_nodes_with_a_service_are_held_against_each_other() {
    let bench = Bench::new(&with_service("192.0.2.2", "a", "    check tcp 127.0.0.1:80"));
    let other = with_service("192.0.2.1", "a", "    check tcp 127.0.0.1:80\n    stop_timeout 3");
    fs::write(bench.directory.join("b.conf"), other).expect("write");
    let (code, text) = bench.check(&["a.conf", "b.conf"]);
    assert_eq!(code, Some(0), "{text}");
    for told in ["both nodes are called `a`", "service web: stop_timeout differs (10 s and 3 s)"] {
        assert!(text.contains(told), "no {told:?} in\n{text}");
    }
}

#[test]
fn signals_have_names_and_numbers() {
    let bench = Bench::new("");
    for (name, number) in [("STOP", 15), ("RELOAD", 1), ("DATA", 10), ("STATS", 12)] {
        assert_eq!(bench.keepalived(&["--signum", name]), (Some(0), format!("{number}\n")));
    }
    let (code, text) = bench.keepalived(&[&format!("--signum={}", "JSON")]);
    assert_eq!((code, text.trim().parse::<i32>().ok()), (Some(0), Some(linux::signals::Signal::json().0)));
    let (code, text) = bench.keepalived(&["--signum=TDATA"]);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn findings_of_a_test_go_to_a_file_for_its_owner() {
    use std::os::unix::fs::MetadataExt;

    let bench = Bench::new(&configuration("", 150, "    prioritty 20\n    advert_int x"));
    for argument in ["-tfound", "--config-test=found"] {
        let (code, text) = bench.keepalived(&[argument, "-f", "a.conf"]);
        assert_eq!((code, text.as_str()), (Some(5), ""));
        let file = bench.directory.join("found");
        assert!(fs::read_to_string(&file).expect("it is written").contains("a.conf:7:16"));
        assert_eq!(file.metadata().expect("it is there").mode() & 0o777, 0o600);
        fs::remove_file(&file).expect("it was there");
    }
}

/// The instance would go on without it, as if it were good.
#[test]
fn a_check_that_cannot_run_here_fails_keepalived_s_test() {
    let check = |lines: &str, global: &str| {
        let script = format!("{global}\nvrrp_script chk {{\n{lines}\n    interval 1\n}}");
        configuration(&script, 150, "    track_script {\n        chk\n    }")
    };
    let nobody = "    script /bin/true\n    user nobody-of-this-name";
    let nowhere = "    script /nowhere/check";
    let no_default = check("    script /bin/true", "global_defs {\n    script_user nobody-of-this-name\n}");
    for (text, told) in [
        (check(nobody, ""), "vrrp_script chk: there is no user nobody-of-this-name"),
        (check(nowhere, ""), "vrrp_script chk: /nowhere/check was not found"),
        (no_default, "script_user: there is no user nobody-of-this-name"),
    ] {
        let bench = Bench::new(&text);
        let (code, said) = bench.keepalived(&["-t", "-f", "a.conf"]);
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains(told), "no {told:?} in\n{said}");
        assert_eq!(bench.check(&["--here", "a.conf"]).0, Some(0), "the file itself can be used");
    }
    let notify = configuration("", 150, "    notify_master /nowhere/notify");
    let (code, said) = Bench::new(&notify).keepalived(&["-t", "-f", "a.conf"]);
    assert_eq!(code, Some(0), "nobody is told, and all is watched: {said}");
}

/// As keepalived, whose messages go there, too.
#[test]
fn a_test_writes_its_findings_to_standard_error() {
    let bench = Bench::new(&configuration("", 150, "    prioritty 20"));
    let link = bench.directory.join("keepalived");
    let output = bench.run(link.to_str().expect("a plain path"), &["-t", "-f", "a.conf"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("prioritty"));
    let output = bench.run(binary().to_str().expect("a plain path"), &["check", "a.conf"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("prioritty"), "what was asked for is an answer");
}

#[test]
fn words_that_belong_to_no_option_are_told_and_change_nothing() {
    let bench = Bench::new(&configuration("", 150, ""));
    let (code, text) = bench.keepalived(&["-t", "-f", "a.conf", "extra", "more"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Unexpected argument(s): extra more"), "{text}");
}

#[test]
fn options_that_cannot_be_obeyed_are_refused() {
    let bench = Bench::new(&configuration("", 150, ""));
    for (arguments, told) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["-C", "-t"], "there is nothing to run"),
        (&["-x", "-t"], "--without-snmp"),
        (&["-T", "-s", "192.0.2.1"], "genhash is not built yet"),
        (&["-u", "0x1g", "-t"], "is no mask"),
        (&["-S", "9", "-t"], "is no facility"),
        (&["-i"], "a value is required"),
    ] {
        let (code, text) = bench.keepalived(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {text}");
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
    for good in [&["-t", "-P", "-C", "-f", "a.conf"][..], &["-t", "--all", "-B", "-u", "022", "-f", "a.conf"]] {
        assert_eq!(bench.keepalived(good).0, Some(0), "{good:?}");
    }
}

#[test]
fn parts_that_this_node_does_without_are_left_out_in_the_test_as_well() {
    let parts = "virtual_server 192.0.2.1 80 {\n    lb_algo rr\n}\nbfd_instance peer {\n    neighbor_ip 192.0.2.2\n}\nglobal_defs {\n    enable_snmp_vrrp\n    enable_dbus\n}";
    let bench = Bench::new(&configuration(parts, 150, ""));
    assert_eq!(bench.check(&["a.conf"]).0, Some(5));
    assert_eq!(bench.keepalived(&["-t", "-P", "-f", "a.conf"]).0, Some(5), "SNMP is wanted");
    let all = ["--without-lvs", "--without-bfd", "--without-snmp", "--without-dbus"];
    for (code, text) in [
        bench.check(&[&all[..], &["a.conf"]].concat()),
        bench.keepalived(&["-t", "-P", "--without-snmp", "--without-dbus", "-f", "a.conf"]),
    ] {
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("`bfd_instance`, `enable_dbus`, `enable_snmp_vrrp`, `virtual_server`"), "{text}");
    }
}

#[test]
fn every_file_must_be_there_if_that_is_wanted() {
    let bench = Bench::new(&configuration("include gone/*.conf", 150, ""));
    assert_eq!(bench.keepalived(&["-t", "-f", "a.conf"]).0, Some(0));
    let (code, text) = bench.keepalived(&["-t", "-e", "-f", "a.conf"]);
    assert_eq!(code, Some(6), "{text}");
    assert!(text.contains("gone/*.conf"), "{text}");
}
