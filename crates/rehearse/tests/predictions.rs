//! The trials in the simulator alone: no lab, no root, no time. What a lab measures is laid beside these figures by the
//! bench and by the tests of `tanist`.

use std::ops::RangeInclusive;
use std::time::Duration;

use tanist_rehearse::lab::{Daemon, Manner};
use tanist_rehearse::trials::{Prediction, Recipe, SCENARIOS, Scenario, Service, Supervision, pretend};

/// Spread over all phases of what the pair does again and again.
const ROUNDS: usize = 8;

/// From order to program 5 ms, to its first tick 300 ms more; and it had ticked last up to 20 ms before it died.
const ONE_START: RangeInclusive<u64> = 305..=326;

fn scenario(id: &str) -> &'static Scenario {
    SCENARIOS.iter().find(|scenario| scenario.id == id).expect("it is in the table")
}

/// All rounds keep what is promised, have this order of collectors, and gap and overlap within these milliseconds.
fn check(id: &str, supervision: &Supervision, order: &str, gap: RangeInclusive<u64>, overlap: RangeInclusive<u64>) {
    rounds(id, supervision, |Prediction { outcome, order: came, story, .. }| {
        let names = came.iter().map(|node| node.name()).collect::<Vec<_>>().join(" ");
        assert_eq!(names, order, "{id}: {outcome:?}\n{story}");
        for (span, allowed) in [(outcome.gap, &gap), (outcome.overlap, &overlap)] {
            assert!(allowed.contains(&(span.as_millis() as u64)), "{id}: {outcome:?}\n{story}");
        }
    });
}

fn rounds(id: &str, supervision: &Supervision, expect: impl Fn(&Prediction)) {
    let manner = Manner { start: Duration::from_millis(300), ..Manner::default() };
    let service = Service { program: Vec::new(), manner };
    let recipe = Recipe::tanist(Daemon::new("tanist", &["tanist"]), supervision);
    let scenario = scenario(id);
    for round in 0..ROUNDS {
        let prediction = pretend(scenario, &recipe, &service, round).unwrap_or_else(|error| panic!("{id}: {error}"));
        let Prediction { outcome, story, .. } = &prediction;
        assert!(!outcome.gap_goes_on && !outcome.overlap_goes_on, "{id}: {outcome:?}\n{story}");
        assert!(outcome.overlap.is_zero() || !scenario.never_two, "{id}: {outcome:?}\n{story}");
        assert_ne!(outcome.stands_by, Some(false), "{id}: {outcome:?}\n{story}");
        expect(&prediction);
    }
}

#[test]
fn a_death_is_an_end_and_a_start() {
    check("B1", &Supervision::default(), "a b", ONE_START, 0..=0);
    let again = Supervision { restart: "3 within 60".to_owned(), ..Supervision::default() };
    check("B1", &again, "a a", ONE_START, 0..=0);
}

#[test]
fn a_hang_is_three_checks_of_a_second() {
    // The first of them begins within a second, and each is given one.
    check("B2", &Supervision::default(), "a b", 3_305..=4_330, 0..=0);
}

#[test]
fn a_lost_node_is_one_that_has_been_silent() {
    // For 0.8 s, of which up to a heartbeat of 0.1 s was over before; with the fast profile 0.3 s and 25 ms.
    let fast = Supervision { pair: "    profile fast".to_owned(), ..Supervision::default() };
    for id in ["B3", "B9"] {
        check(id, &Supervision::default(), "a b", 1_005..=1_126, 0..=0);
        check(id, &fast, "a b", 580..=626, 0..=0);
    }
}

#[test]
fn a_way_back_is_an_end_and_a_start() {
    for id in ["B4", "B5", "B6", "B7"] {
        check(id, &Supervision::default(), "a b a", ONE_START, 0..=0);
    }
}

#[test]
fn a_cut_has_two_until_it_heals() {
    // 10 s less what it takes to notice and to start, and up to a heartbeat after it healed.
    check("B8", &Supervision::default(), "a b", 20..=20, 8_860..=9_100);
    rounds("B8", &Supervision::default(), |Prediction { outcome, story, .. }| {
        assert!(outcome.told_of_two && outcome.overlap_after_last_deed < Duration::from_millis(110), "{story}");
    });
}

#[test]
fn a_frozen_daemon_gives_way_when_it_wakes_up() {
    check("B10", &Supervision::default(), "a b a", ONE_START, 8_860..=9_000);
    rounds("B10", &Supervision::default(), |Prediction { outcome, story, .. }| {
        assert!(outcome.told_of_two && outcome.overlap_after_last_deed.is_zero(), "{story}");
    });
}

#[test]
fn an_orderly_stop_hands_over() {
    check("B11", &Supervision::default(), "a b", ONE_START, 0..=0);
    rounds("B11", &Supervision::default(), |Prediction { outcome, story, .. }| {
        assert_eq!(outcome.changed_hands_in.map(|span| span.as_millis()), Some(5), "{story}");
        assert_eq!(outcome.started_after.map(|span| span.as_millis()), Some(5), "{story}");
    });
}

#[test]
fn what_cannot_be_pretended_is_refused() {
    let service = Service { program: Vec::new(), manner: Manner::default() };
    let refused = |service: &Service, recipe: &Recipe| match pretend(scenario("B1"), recipe, service, 0) {
        Ok(prediction) => panic!("{}", prediction.story),
        Err(error) => error.to_string(),
    };
    let scripts = Recipe::edge_gateway(Daemon::keepalived());
    assert_eq!(refused(&service, &scripts), "the simulator cannot pretend a pair that does not know each other");
    let tanist = |pair: &str| {
        let supervision = Supervision { pair: pair.to_owned(), ..Supervision::default() };
        Recipe::tanist(Daemon::new("tanist", &["tanist"]), &supervision)
    };
    let second_path = tanist("    peer 10.0.1.223");
    assert_eq!(refused(&service, &second_path), "the simulator cannot pretend a second path");
    let stubborn = Service { manner: Manner { stubborn: true, ..Manner::default() }, ..service };
    assert_eq!(refused(&stubborn, &tanist("")), "the simulator cannot pretend a collector of that manner");
}
