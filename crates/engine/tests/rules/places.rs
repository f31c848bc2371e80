//! Where in the interval those advertise that have become Active together.

use std::collections::BTreeMap;
use std::net::IpAddr;

use tanist_engine::{Engine, Input, Instant, LinkId, LinkState, Output};

use crate::common::setup;

/// So many have their second advertisement at each of these milliseconds.
fn check(interval: &str, expected: &[(u64, usize)]) {
    let line = |vrid| {
        format!("router a{vrid} vrid {vrid} version 3 interval {interval} priority 255 addresses 10.1.{vrid}.1/32")
    };
    let lines: Vec<String> = (1..=255).map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut engine = Engine::new(setup::config(&lines), 1);
    let mut out = Vec::new();
    let state =
        Some(LinkState { up: true, addresses: vec![IpAddr::from([192, 0, 2, 1])], tentative: Vec::new(), deaf: false });
    engine.handle(Instant::START, Input::Link { link: LinkId(0), state }, &mut out);
    engine.handle(Instant::START, Input::Start, &mut out);
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    let mut heard = BTreeMap::new();
    let mut now = Instant::START;
    loop {
        for output in out.drain(..) {
            if let Output::Advertise { router, .. } = output {
                let times: &mut u32 = heard.entry(router).or_default();
                *times += 1;
                if *times == 2 {
                    *counts.entry(now.as_nanos() / 1_000_000).or_default() += 1;
                }
            }
        }
        if counts.values().sum::<usize>() == 255 {
            break;
        }
        now = engine.deadline().expect("everybody goes on").max(now);
        engine.handle(now, Input::Timer, &mut out);
    }
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn once_a_second_sixteen_share_one_of_sixteen() {
    let mut expected: Vec<(u64, usize)> = (0..16).map(|place| (700 + 20 * place, 16)).collect();
    expected[0].1 = 15;
    check("1", &expected);
}

#[test]
fn ten_times_a_second_fifty_share_one_of_five() {
    check("0.1", &[(20, 50), (40, 51), (60, 51), (80, 51), (100, 52)]);
}

#[test]
fn a_hundred_times_a_second_there_is_one_for_all() {
    check("0.01", &[(10, 255)]);
}
