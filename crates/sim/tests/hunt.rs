//! A small hunt, the same one every time, and proof that a hunt can find something and print it.

use tanist_sim::hunt::{self, Hunt, generate};
use tanist_sim::scenario::Scenario;
use tanist_sim::world::{self, Record};

#[test]
fn no_invariant_breaks_in_the_first_seeds() {
    let bag = hunt::hunt(Hunt { from: 1, seeds: 400, jobs: 2, shown: 1 });
    assert!(bag.findings.is_empty(), "{bag}");
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
