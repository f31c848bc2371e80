//! Makes up LANs and faults by the thousand and looks for a broken invariant.
//!
//! Each seed stands for one made-up plan: some time of faults, then everything is mended and must settle.

mod families;
mod generate;
mod refusals;
mod services;
mod shrink;
mod swarm;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::Instant;

use crate::coverage::Coverage;
use crate::invariant::{Finding, Rule};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::world::{self, Record, Run};

pub use generate::generate;
pub use refusals::Refused;
pub use services::crash_schedule;
pub use shrink::shrink;

/// Which seeds to try.
#[derive(Clone, Copy, Debug)]
pub struct Hunt {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// How many at once.
    pub jobs: usize,
    /// At most so many findings are made small and printed.
    pub shown: usize,
    /// Leaves the worlds out in which no router is of IPv6.
    pub only_ipv6: bool,
}

/// What a hunt brought home.
#[derive(Clone, Debug, Default)]
pub struct Bag {
    /// Worlds tried.
    pub seeds: u64,
    /// Time that passed in the pretend worlds.
    pub simulated: Duration,
    /// Situations gone through.
    pub coverage: Coverage,
    /// Broken invariants by seed.
    pub findings: Vec<(u64, Finding)>,
    /// The first of them, made small, as scenarios.
    pub scenarios: Vec<String>,
}

/// Tries all seeds. The result does not depend on the number of jobs.
#[must_use]
pub fn hunt(order: Hunt) -> Bag {
    let next = AtomicU64::new(order.from);
    let end = order.from.saturating_add(order.seeds);
    let bag = Mutex::new(Bag::default());
    std::thread::scope(|scope| {
        for _ in 0..order.jobs.max(1) {
            scope.spawn(|| {
                let mut mine = Bag::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let plan = generate(seed);
                    if order.only_ipv6 && !plan.has_ipv6() {
                        continue;
                    }
                    let run = run_safely(&plan, Record::Findings);
                    mine.seeds += 1;
                    mine.coverage.add(&run.coverage);
                    mine.simulated += run.simulated;
                    if let Some(finding) = &run.finding {
                        // At once: whoever waits for the end of a long hunt would like to know.
                        eprintln!("seed {seed}: {finding}");
                    }
                    for what in run.coverage.surprises() {
                        eprintln!("seed {seed}: unexpected: {what}");
                    }
                    mine.findings.extend(run.finding.map(|finding| (seed, finding)));
                }
                let mut all = bag.lock().expect("no hunter panics");
                all.coverage.add(&mine.coverage);
                all.seeds += mine.seeds;
                all.simulated += mine.simulated;
                all.findings.append(&mut mine.findings);
            });
        }
    });
    let mut bag = bag.into_inner().expect("no hunter panics");
    bag.findings.sort_by_key(|(seed, _)| *seed);
    for (seed, finding) in bag.findings.iter().take(order.shown) {
        let small = shrink(&generate(*seed), finding);
        let lines = run_safely(&small, Record::Lines).lines;
        let heading = format!("# Found by seed {seed}: {finding}\n\n");
        bag.scenarios.push(heading + &Scenario::print(&small, &lines));
    }
    bag
}

/// Runs a plan; a panic of the engine is a finding like any other.
pub(crate) fn run_safely(plan: &Plan, record: Record) -> Run {
    catch_unwind(AssertUnwindSafe(|| world::run(plan, record))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let what = format!("panicked: {}", text.unwrap_or("no text"));
        Run {
            lines: Vec::new(),
            finding: Some(Finding { at: Instant::START, rule: Rule::NoPanic, what }),
            inapplicable: Vec::new(),
            coverage: Coverage::default(),
            simulated: Duration::ZERO,
            figures: Vec::new(),
            history: Vec::new(),
            calls: BTreeMap::new(),
        }
    })
}

impl fmt::Display for Bag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for scenario in &self.scenarios {
            writeln!(f, "{scenario}")?;
        }
        for (seed, finding) in self.findings.iter().skip(self.scenarios.len()).take(400) {
            writeln!(f, "seed {seed}: {finding}")?;
        }
        let hours = self.simulated.as_secs_f64() / 3600.0;
        let (seeds, findings, inputs) = (self.seeds, self.findings.len(), self.coverage.inputs());
        writeln!(f, "{seeds} schedules, {hours:.1} simulated hours, {inputs} inputs, {findings} findings\n")?;
        writeln!(f, "{}\n", self.coverage)?;
        for (what, list) in [("not met in this hunt", self.coverage.gaps()), ("unexpected", self.coverage.surprises())]
        {
            for line in list {
                writeln!(f, "{what}: {line}")?;
            }
        }
        Ok(())
    }
}
