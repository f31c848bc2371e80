//! A host that looks like the machine of a story: the example's files where the story has them, stand-ins for the
//! programs that its scripts call.

use std::path::PathBuf;
use std::{env, fs};

use super::{Daemon, HOST_DIR, Host, Node, binary, in_host, tanist, word};

/// The example configurations.
fn examples() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"))
}

/// A file of an example.
pub(crate) fn example(name: &str) -> String {
    let path = examples().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The configuration with advertisements each second instead of every five: where the five are not the point.
pub(crate) fn each_second(configuration: &str) -> String {
    let quicker = configuration.replace("advert_int 5", "advert_int 1");
    assert_ne!(quicker, configuration, "it has no advert_int 5");
    quicker
}

/// Gives a host directories of its own in place of the machine's `/etc`, `/home` and `/root`, and puts the binary
/// where none of them can hide it. To be repeated when the host was switched off and on.
pub(crate) fn settle(host: &Host) {
    let script = format!(
        "set -e
        mkdir -p {HOST_DIR}/home/run {HOST_DIR}/root
        touch {HOST_DIR}/tanist && mount --bind '{}' {HOST_DIR}/tanist
        cp -a /etc {HOST_DIR}/etc 2>/dev/null || true
        mkdir -p {HOST_DIR}/etc/keepalived
        mount --bind {HOST_DIR}/etc /etc
        mount --bind {HOST_DIR}/root /root
        mount --bind {HOST_DIR}/home /home",
        word(binary())
    );
    run(host, &script);
}

/// Runs a line of shell in a host and answers what it prints.
pub(crate) fn run(host: &Host, script: &str) -> String {
    let output = host.output(&["sh", "-c", script]).expect("run a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Puts a text into a file of the host.
pub(crate) fn put(host: &Host, path: &str, text: &str, executable: bool) {
    let file = host.write_file("incoming", text).expect("write");
    let mode = if executable { "755" } else { "644" };
    run(host, &format!("install -m {mode} {} {path}", word(&file)));
}

/// Puts the scripts of an example into a directory of the host.
pub(crate) fn put_scripts(host: &Host, story: &str, directory: &str) {
    for entry in fs::read_dir(examples().join(story)).expect("the example's directory") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".sh") {
            put(host, &format!("{directory}/{name}"), &example(&format!("{story}/{name}")), true);
        }
    }
}

/// Starts a daemon with a configuration at its usual place. Programs of the host's directory come first in its path.
pub(crate) fn start(host: &Host, daemon: Daemon, configuration: &str) -> Node {
    put(host, "/etc/keepalived/keepalived.conf", configuration, false);
    let path = env::var("PATH").unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
    let mut daemon = daemon;
    if daemon.name == "tanist" {
        daemon.command[0] = word(&in_host("tanist")).to_owned();
    }
    let path = format!("PATH={HOST_DIR}:{path}:/usr/sbin:/sbin");
    daemon.command = [&["env".to_owned(), path], &daemon.command[..]].concat();
    Node::start_with(host, daemon, "/etc/keepalived/keepalived.conf".as_ref())
}

/// Starts ours.
pub(crate) fn start_tanist(host: &Host, configuration: &str) -> Node {
    start(host, tanist(), configuration)
}

/// Replaces the configuration at its usual place and has it read.
pub(crate) fn reload(node: &Node, configuration: &str) {
    put(&node.host, "/etc/keepalived/keepalived.conf", configuration, false);
    node.signal(linux::signals::Signal(node.daemon.reload));
}
