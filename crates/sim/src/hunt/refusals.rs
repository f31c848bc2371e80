//! One plan after another, and each thing that its daemons ask of their systems refused once: every kind, at every point.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use engine::Instant;

use super::{run_safely, shrink};
use crate::invariant::Finding;
use crate::plan::{Act, CALLS, Call, Command, NodeRef, Plan, Step};
use crate::scenario::Scenario;
use crate::world::Record;

/// Time for what a refusal at the end of a plan leads to.
const AFTERWARDS: Duration = Duration::from_secs(40);

/// What came of refusing.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    /// Runs with one refusal each, by kind.
    pub runs: BTreeMap<Call, u64>,
    /// Time that passed in the pretend worlds.
    pub simulated: Duration,
    /// What broke: where it was found, and the scenario, the first of them made small.
    pub findings: Vec<(Finding, String)>,
}

impl Refused {
    /// Refuses everything that the daemons of a plan ask for, one thing in each run; of one kind at one node at most so many,
    /// evenly spread.
    pub fn each_of(&mut self, plan: &Plan, most: u32) {
        let mut plan = plan.clone();
        plan.end = plan.end + AFTERWARDS;
        let undisturbed = run_safely(&plan, Record::Findings);
        if let Some(finding) = undisturbed.finding {
            let text = Scenario::print(&plan, &[]);
            return self.findings.push((finding, text));
        }
        for ((node, call), count) in undisturbed.calls {
            let runs = count.min(most);
            for run in 0..runs {
                let after = (u64::from(run) * u64::from(count) / u64::from(runs)) as u32;
                let command = Command::Nodes(vec![NodeRef { node, vrid: None }], Act::Refuses(call, after));
                let mut with = plan.clone();
                with.steps.insert(0, Step { at: Instant::START, command });
                let run = run_safely(&with, Record::Findings);
                *self.runs.entry(call).or_default() += 1;
                self.simulated += run.simulated;
                if let Some(finding) = run.finding {
                    let small = if self.findings.is_empty() { shrink(&with, &finding) } else { with };
                    let lines = run_safely(&small, Record::Lines).lines;
                    self.findings.push((finding, Scenario::print(&small, &lines)));
                }
            }
        }
    }

    /// Kinds that nobody asked for.
    #[must_use]
    pub fn gaps(&self) -> Vec<Call> {
        CALLS.into_iter().map(|(call, _)| call).filter(|call| !self.runs.contains_key(call)).collect()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (finding, scenario) in &self.findings {
            writeln!(f, "# {finding}\n\n{scenario}")?;
        }
        for (call, runs) in &self.runs {
            writeln!(f, "{:<16}{runs:>8}", call.text())?;
        }
        let hours = self.simulated.as_secs_f64() / 3600.0;
        let (runs, findings) = (self.runs.values().sum::<u64>(), self.findings.len());
        writeln!(f, "{runs} runs with a refusal, {hours:.1} simulated hours, {findings} findings")
    }
}
