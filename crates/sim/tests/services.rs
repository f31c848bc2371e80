//! Services that fail by the thousand: the role moves no oftener than allowed, and a latch comes when it is due.

use std::ops::RangeInclusive;
use std::thread;

use tanist_sim::hunt::crash_schedule;
use tanist_sim::scenario::Scenario;
use tanist_sim::world::{self, Record};

/// Plays so many schedules; how many had a working service, and how many a latch.
fn play(seeds: RangeInclusive<u64>) -> (usize, usize) {
    let (mut worked, mut latched) = (0, 0);
    for seed in seeds {
        let plan = crash_schedule(seed);
        let run = world::run(&plan, Record::Lines);
        if let Some(finding) = &run.finding {
            panic!("seed {seed}: {finding}\n{}", Scenario::print(&plan, &run.lines));
        }
        let overlap = run.figures.iter().any(|figures| !figures.overlap.is_zero());
        assert!(!overlap, "seed {seed}: it ran twice\n{}", Scenario::print(&plan, &run.lines));
        worked += usize::from(run.lines.iter().any(|line| line.text.contains("starting -> running")));
        latched += usize::from(run.lines.iter().any(|line| line.text.starts_with("latched by")));
    }
    (worked, latched)
}

#[test]
fn a_thousand_crash_schedules() {
    let parts = [1..=250, 251..=500, 501..=750, 751..=1000].map(|seeds| thread::spawn(move || play(seeds)));
    let (mut worked, mut latched) = (0, 0);
    for part in parts {
        let counts = part.join().expect("what went wrong is said above");
        (worked, latched) = (worked + counts.0, latched + counts.1);
    }
    // The schedules are worth something only if they get that far.
    assert_eq!(worked, 1000);
    assert!((100..1000).contains(&latched), "{latched} of 1000 latched");
}
