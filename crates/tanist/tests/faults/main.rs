//! Each fault of the soak's list once, done to the node of a pair that has the role: no role change without cause, no end,
//! nothing that grows, good order again without a human. `cargo xtask soak` does the same at random, for hours.
//!
//! Floods of the kernel's events hold its locks for seconds, for all namespaces. Until each fault has a machine for itself, they
//! are done by hand: `SLOW_TESTS=1 cargo test -p tanist --test faults -- --ignored --test-threads 1`.

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use soak::{Cast, Dice, FAULTS, Fault, Ground, Manner, Plan, Round, play};

use support::{binary, slow_test};

const PROCESSES: &[&str] = &["kill", "freeze", "stutter"];
const LIMITS: &[&str] = &["memory", "descriptors"];
const DISKS: &[&str] = &["disk-full", "read-only"];
const EVENTS: &[&str] = &["netlink-flood", "interface"];
const ADDRESSES: &[&str] = &["delete-address", "delete-10-hz"];
const PEOPLE: &[&str] = &["blocked-log", "deaf-clients", "bad-reload", "reload-storm"];
const SCRIPTS: &[&str] = &["stubborn-script"];
const FLOODS: &[&str] = &["rubbish", "strangers"];
const LOSSES: &[&str] = &["loss", "bursts", "partition"];
/// They would be done to the other tests, too.
const ONLY_IN_THE_SOAK: &[&str] = &["load"];

/// Short, and no more packets than a small machine can bear beside other tests.
const MANNER: Manner = Manner { longest: Duration::from_secs(2), is_exact: false, flood: 1000 };
/// Twice an interval is not long for a machine that is busy, so that these tests would try that machine and not us.
const ADVERT: u16 = 50;
/// A round in which this program itself stood still for an interval says nothing about the daemon, which may have, too.
const ATTEMPTS: usize = 3;

fn each(names: &[&str]) {
    slow_test(|| {
        let plan =
            Plan { cast: Cast::Pair, advert: ADVERT, tanist: binary().to_owned(), keepalived: "keepalived".to_owned() };
        let mut ground = Ground::build(&plan).expect("a pair in good order");
        let mut dice = Dice::new(1);
        for name in names {
            let fault = Fault::named(name).expect("it is in the list");
            let mut once = || play(&mut ground, fault, 0, MANNER, &mut dice).expect("the fault can be done");
            let is_told = |round: &Round| round.broken.is_empty() || round.stalled < plan.interval();
            let last = (1..ATTEMPTS).map(|_| once()).find(is_told);
            let round = last.unwrap_or_else(once);
            assert!(round.broken.is_empty(), "{name}: {}\n{}", round.broken.join("\n"), round.log.join("\n"));
        }
    });
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn processes_that_are_killed_or_stopped() {
    each(PROCESSES);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn no_more_memory_and_descriptors() {
    each(LIMITS);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn a_disk_that_is_full_or_read_only() {
    each(DISKS);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn more_events_of_the_kernel_than_there_is_room_for_and_an_interface_that_comes_and_goes() {
    each(EVENTS);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn addresses_that_others_delete() {
    each(ADDRESSES);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn a_log_nobody_reads_clients_that_do_not_listen_and_bad_reloads() {
    each(PEOPLE);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn a_script_that_does_not_end() {
    each(SCRIPTS);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn floods_of_rubbish_and_of_strangers() {
    each(FLOODS);
}

#[test]
#[ignore = "moves the roles of other tests: by hand, on a machine that does nothing else"]
fn losses_and_a_cut() {
    each(LOSSES);
}

#[test]
fn every_fault_of_the_list_is_done_here_or_told_to_be_elsewhere() {
    let groups =
        [PROCESSES, LIMITS, DISKS, EVENTS, ADDRESSES, PEOPLE, SCRIPTS, FLOODS, LOSSES, ONLY_IN_THE_SOAK].concat();
    let mut done: Vec<&str> = groups.clone();
    let mut all: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    done.sort_unstable();
    all.sort_unstable();
    assert_eq!(done, all);
}
