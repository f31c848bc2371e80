//! Each fault of the soak's list once, done to the node of a pair that has the role: no role change without cause, no end,
//! nothing that grows, good order again without a human. `cargo xtask soak` does the same at random, for hours.
//!
//! None of them is done beside other tests, whose roles they would move. `cargo xtask test` has a step of its own for the
//! module `after_the_others`. What is in `by_hand` takes the processors or the kernel's locks from everybody, for seconds, and
//! from all namespaces: `SLOW_TESTS=1 cargo test -p tanist --test faults -- --ignored --test-threads 1 by_hand`.

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use soak::{Cast, Dice, FAULTS, Fault, Ground, Manner, Plan, Round, play};

use support::{binary, slow_test};

const PROCESSES: &[&str] = &["kill", "freeze", "stop"];
const LIMITS: &[&str] = &["memory", "descriptors"];
const DISKS: &[&str] = &["disk-full", "read-only"];
const PEOPLE: &[&str] = &["delete-address", "bad-reload", "blocked-log"];
const SERVICES: &[&str] = &["service-kill", "keeper-kill", "daemon-kill"];
const PAIRS: &[&str] = &["switch", "unheard", "cut-path"];

const STUTTERS: &[&str] = &["stutter"];
const EVENTS: &[&str] = &["netlink-flood", "interface"];
const OTHERS: &[&str] = &["delete-10-hz", "deaf-clients", "reload-storm"];
const SCRIPTS: &[&str] = &["stubborn-script"];
const FLOODS: &[&str] = &["rubbish", "strangers"];
const LOSSES: &[&str] = &["loss", "bursts", "partition"];
const HANGS: &[&str] = &["service-freeze", "service-starved", "service-broken"];
/// They take all processors, or what not every machine has: control groups for memory, strace, a library that sets clocks.
const ONLY_IN_THE_SOAK: &[&str] = &["load", "out-of-memory", "refused-calls", "clock", "clock-restart", "clock-reload"];

/// Short, and no more packets than a small machine can bear beside other tests.
const MANNER: Manner = Manner { longest: Duration::from_secs(2), is_exact: false, flood: 1000 };
/// Twice an interval is not long for a machine that is busy, so that these tests would try that machine and not us.
const ADVERT: u16 = 50;
/// A machine that lets nobody run for an interval does what no fault does. A round in which that was measured, and in which
/// nothing else was broken than what comes of it, says nothing, and is played again.
const ATTEMPTS: usize = 5;

fn each(cast: Cast, names: &[&str]) {
    slow_test(|| {
        let (tanist, keepalived) = (binary().to_owned(), "keepalived".to_owned());
        let plan = Plan { cast, advert: ADVERT, tanist, keepalived, faketime: None };
        let mut ground = Ground::build(&plan).expect("a pair in good order");
        let mut dice = Dice::new(1);
        for name in names {
            let fault = Fault::named(name).expect("it is in the list");
            let mut once = || play(&mut ground, fault, 0, MANNER, &mut dice).expect("the fault can be done");
            let says_something = |round: &Round| !round.may_be_the_machine();
            let round = (1..ATTEMPTS).map(|_| once()).find(says_something).unwrap_or_else(once);
            let broken: Vec<&str> = round.broken.iter().map(|breach| &*breach.what).collect();
            let (broken, log) = (broken.join("\n"), round.log.join("\n"));
            assert!(broken.is_empty(), "{name}: {broken}\nheld up: {:?}\n{log}", round.held);
        }
    });
}

mod after_the_others {
    use super::*;

    #[test]
    #[ignore = "moves the roles of other tests: `cargo xtask test` runs it after them"]
    fn a_daemon_that_is_killed_frozen_or_stopped() {
        each(Cast::Pair, PROCESSES);
    }

    #[test]
    #[ignore = "moves the roles of other tests: `cargo xtask test` runs it after them"]
    fn no_more_memory_and_descriptors() {
        each(Cast::Pair, LIMITS);
    }

    #[test]
    #[ignore = "moves the roles of other tests: `cargo xtask test` runs it after them"]
    fn a_disk_that_is_full_or_read_only() {
        each(Cast::Pair, DISKS);
    }

    #[test]
    #[ignore = "moves the roles of other tests: `cargo xtask test` runs it after them"]
    fn an_address_that_is_deleted_a_bad_reload_and_a_log_nobody_reads() {
        each(Cast::Pair, PEOPLE);
    }

    #[test]
    #[ignore = "moves the roles of other tests: `cargo xtask test` runs it after them"]
    fn a_service_its_keeper_or_its_daemon_is_killed() {
        each(Cast::Services, SERVICES);
    }

    #[test]
    #[ignore = "moves the roles of other tests: `cargo xtask test` runs it after them"]
    fn an_operator_moves_the_role_and_ways_are_cut() {
        each(Cast::Services, PAIRS);
    }
}

mod by_hand {
    use super::*;

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn stops_of_less_than_an_interval() {
        each(Cast::Pair, STUTTERS);
    }

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn more_events_of_the_kernel_than_there_is_room_for_and_an_interface_that_comes_and_goes() {
        each(Cast::Pair, EVENTS);
    }

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn another_tool_clients_that_do_not_listen_and_many_reloads() {
        each(Cast::Pair, OTHERS);
    }

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn a_script_that_does_not_end() {
        each(Cast::Pair, SCRIPTS);
    }

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn floods_of_rubbish_and_of_strangers() {
        each(Cast::Pair, FLOODS);
    }

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn losses_and_a_cut() {
        each(Cast::Pair, LOSSES);
        each(Cast::Services, LOSSES);
    }

    #[test]
    #[ignore = "by hand, on a machine that does nothing else"]
    fn a_service_that_hangs_that_cannot_be_started_and_that_fails_everywhere() {
        each(Cast::Services, HANGS);
    }
}

#[test]
fn every_fault_of_the_list_is_done_here_or_told_to_be_elsewhere() {
    let after_the_others = [PROCESSES, LIMITS, DISKS, PEOPLE, SERVICES, PAIRS].concat();
    let by_hand = [STUTTERS, EVENTS, OTHERS, SCRIPTS, FLOODS, LOSSES, HANGS].concat();
    let mut done = [after_the_others, by_hand, ONLY_IN_THE_SOAK.to_vec()].concat();
    let mut all: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    done.sort_unstable();
    all.sort_unstable();
    assert_eq!(done, all);
}
