//! Trials: a pair with a service is put through what befalls such pairs, and a service that ticks tells afterwards how
//! long nobody was at work, and how long more than one was.
//!
//! The scenarios are data ([`SCENARIOS`]); a [`Recipe`] says how a pair is configured. The same scenarios are played with
//! keepalived and scripts and with Tanist, by tests for what must never happen and by the bench for the figures.

mod recipe;
mod scenario;
mod stage;

use std::time::Duration;

pub use recipe::{NodeFile, Recipe, Supervision, WayBack};
pub use scenario::{Node, SCENARIOS, Scenario, Step};

use crate::lab::{Collecting, LabError, Manner, Program, collectings};
use stage::Stage;

/// The service of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// A program with its first arguments that takes the words of `tanist rehearse`: it is the collector.
    pub program: Vec<String>,
    /// How it behaves. Its port is the recipe's.
    pub manner: Manner,
}

/// What a trial came to, from its mark to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The longest time in which nobody was at work.
    pub gap: Duration,
    /// It had not ended when the trial did.
    pub gap_goes_on: bool,
    /// How long more than one was at work.
    pub overlap: Duration,
    /// They still were when the trial ended.
    pub overlap_goes_on: bool,
    /// How long both nodes had the address.
    pub two_addresses: Duration,
    /// They still had it at the end.
    pub two_addresses_go_on: bool,
    /// How long two were at work after the last deed, the healing of a network for instance.
    pub overlap_after_last_deed: Duration,
    /// From the event (the first deed from the mark on) until the node that had the address then lost it; `None` if it
    /// kept it.
    pub address_gone_after: Option<Duration>,
    /// From the event until the daemon said that the service has failed; `None` if it did not.
    pub decided_after: Option<Duration>,
    /// From the event until a collector's program ran anew; `None` if none did.
    pub started_after: Option<Duration>,
    /// From when a collector was about to end because it was told to, after the event, until the next program ran; `None`
    /// if it was not told.
    pub changed_hands_in: Option<Duration>,
    /// Whether the node of [`Step::StandsBy`] took the service when it was alone; `None` if nobody asked.
    pub stands_by: Option<bool>,
    /// From the mark to the end.
    pub watched: Duration,
}

/// A trial that was played to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    pub outcome: Outcome,
    /// Who was at work when, from the beginning, before the mark, too.
    pub collectings: Vec<Collecting>,
    /// Everything that was seen, line by line: for the message of a failed test.
    pub story: String,
}

/// Plays a scenario once, in a lab of its own. Several may be played at the same time, by threads. The round spreads what
/// happens over the phases of what the pair does again and again.
///
/// # Errors
/// When the lab cannot be made, or the pair does not come into good order at the beginning.
pub fn play(scenario: &Scenario, recipe: &Recipe, service: &Service, round: usize) -> Result<Played, LabError> {
    let mut stage = Stage::build(scenario.id, recipe, service)?;
    let phase = recipe.period.mul_f64(phase(round));
    for &step in scenario.steps {
        if step == Step::Mark {
            std::thread::sleep(phase);
        }
        stage.play(step)?;
    }
    let outcome = stage.outcome();
    Ok(Played { outcome, collectings: collectings(&stage.lab.journal().ticks()), story: stage.story() })
}

/// A pair in good order, of which nothing is wanted but that it goes on.
#[derive(Debug)]
pub struct Idle<'a>(Stage<'a>);

impl<'a> Idle<'a> {
    /// Builds it in a lab of its own and waits until all is well.
    ///
    /// # Errors
    /// When the lab cannot be made, or the pair does not come into good order.
    pub fn begin(recipe: &'a Recipe, service: &'a Service) -> Result<Self, LabError> {
        Ok(Self(Stage::build("idle", recipe, service)?))
    }

    /// The daemon of a node.
    ///
    /// # Errors
    /// Never, as both were started.
    pub fn daemon(&self, node: Node) -> Result<&Program, LabError> {
        self.0.daemon(node)
    }
}

/// Between 0 and 1, evenly spread however many rounds there are.
fn phase(round: usize) -> f64 {
    const GOLDEN_RATIO: f64 = 0.618_033_988_75;
    (round as f64 * GOLDEN_RATIO).fract()
}
