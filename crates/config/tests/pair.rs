//! What two files of one pair show together.

use std::path::Path;

use tanist_config::pair::{Node, compare};
use tanist_config::{LoadOptions, MemoryFiles, RealFiles, Settings, load};

fn example(file: &str) -> Settings {
    let path = Path::new("../../examples").join(file);
    load(&path, &RealFiles, &LoadOptions::default()).settings.expect("the examples work")
}

fn text(text: &str) -> Settings {
    let files = MemoryFiles::single("/pair.conf", text);
    load(Path::new("/pair.conf"), &files, &LoadOptions::default()).settings.expect("it works")
}

/// Compares two nodes called a and b.
fn check(a: &Settings, b: &Settings, expected: &[&str]) {
    assert_eq!(compare(Node { name: "a", settings: a }, Node { name: "b", settings: b }), expected);
}

#[test]
fn a_weight_that_does_not_bridge_the_gap_is_told() {
    check(
        &example("nginx-active-active/a.conf"),
        &example("nginx-active-active/b.conf"),
        &[
            "VRID 100: a says `state MASTER`, but b has the higher priority (200 against 100) and always wins",
            "VRID 100: when the check `chk_nginx_port` fails on b, its priority goes from 200 to 195, still above the \
             100 of a: nothing moves",
            "VRID 101: b says `state MASTER`, but a has the higher priority (200 against 100) and always wins",
        ],
    );
    check(
        &example("job-scheduler/a.conf"),
        &example("job-scheduler/b.conf"),
        &["VRID 51: when the check `check_scheduler` fails on a, its priority goes from 152 to 150, still above the \
           102 of b: nothing moves"],
    );
}

#[test]
fn nopreempt_on_the_wrong_node_is_told_and_a_good_pair_is_good() {
    check(
        &example("edge-gateway/a.conf"),
        &example("edge-gateway/b.conf"),
        &["VRID 51: `nopreempt` in b has no effect, because only the better node could preempt; it belongs in a"],
    );
    check(&example("arm-board/a.conf"), &example("arm-board/b.conf"), &[]);
    let shadow = example("shadow-node/keepalived.conf");
    check(&shadow, &shadow, &[]);
}

#[test]
fn what_must_be_equal_and_is_not_is_told() {
    let instance = |vrid: u8, lines: &str| {
        format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id {vrid}\n {lines}\n virtual_ipaddress {{\n \
             192.0.2.100\n }}\n}}\n"
        )
    };
    let plain = text(&instance(51, ""));
    let deaf = "so the nodes do not hear each other and both become MASTER";
    for (lines, what) in [
        ("version 3", "the version"),
        ("authentication {\n auth_type PASS\n auth_pass x\n }", "the authentication"),
        ("unicast_peer {\n 192.0.2.2\n }", "unicast or multicast"),
        ("advert_int 2", "advert_int"),
    ] {
        check(&plain, &text(&instance(51, lines)), &[&format!("VRID 51: {what} differs, {deaf}")]);
    }
    check(&plain, &text(&instance(52, "")), &["b has no instance with virtual_router_id 51"]);
    let more = text(&instance(51, "").replace("192.0.2.100\n", "192.0.2.100\n 192.0.2.101\n"));
    check(
        &plain,
        &more,
        &[
            "VRID 51: the list of addresses differs, so not all of them move, and older keepalived nodes ignore the other",
        ],
    );
}
