//! A small hunt, the same one every time, and proof that a hunt can find something and print it.

use std::fs;
use std::path::Path;

use tanist_sim::coverage::Coverage;
use tanist_sim::hunt::{self, Hunt, generate};
use tanist_sim::scenario::{self, Scenario};
use tanist_sim::world::{self, Record};

/// What all scenarios together go through.
fn coverage_of_scenarios() -> Coverage {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let entries = fs::read_dir(&directory).expect("the repository has a directory `scenarios`");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let mut coverage = Coverage::default();
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "txt")) {
        let text = fs::read_to_string(&path).expect("a scenario can be read");
        // What is wrong with one is said by the test for scenarios.
        if let Ok(checked) = scenario::check(&text) {
            coverage.add(&checked.coverage);
        }
    }
    coverage
}

/// Nothing breaks; and with the scenarios, every state has met every input that it can meet, and every change of state has
/// come about.
#[test]
fn no_invariant_breaks_in_the_first_seeds_and_no_situation_is_left_out() {
    let bag = hunt::hunt(Hunt { from: 1, seeds: 400, jobs: 2, shown: 1, only_ipv6: false });
    assert!(bag.findings.is_empty(), "{bag}");
    let mut coverage = coverage_of_scenarios();
    // Some steps need two things within one message's way, which no short hunt has to meet.
    let steps: Vec<String> = coverage.gaps().into_iter().filter(|gap| gap.starts_with("role of")).collect();
    assert!(steps.is_empty(), "no scenario has {steps:#?}");
    coverage.add(&bag.coverage);
    let (gaps, surprises) = (coverage.gaps(), coverage.surprises());
    assert!(gaps.is_empty(), "never met: {gaps:#?}\n{coverage}");
    assert!(surprises.is_empty(), "said to be impossible: {surprises:#?}\n{coverage}");
}

#[test]
fn a_made_up_plan_is_the_same_after_being_written_and_read() {
    for seed in 1..300 {
        let plan = generate(seed);
        let run = world::run(&plan, Record::Lines);
        let text = Scenario::print(&plan, &run.lines);
        let read = Scenario::parse(&text).unwrap_or_else(|mistakes| panic!("seed {seed}: {}\n{text}", mistakes[0]));
        assert_eq!(read.plan, plan, "seed {seed}");
        assert_eq!(read.write(&run.lines), text, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 1..60 {
        let (first, second) = (generate(seed), generate(seed));
        assert_eq!(world::run(&first, Record::Lines).lines, world::run(&second, Record::Lines).lines, "seed {seed}");
    }
}
