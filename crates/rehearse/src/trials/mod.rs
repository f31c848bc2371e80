//! Trials: a pair with a service is put through what befalls such pairs, and a service that ticks tells afterwards how
//! long nobody was at work, and how long more than one was.
//!
//! The scenarios are data ([`SCENARIOS`]); a [`Recipe`] says how a pair is configured. The same scenarios are played with
//! keepalived and scripts and with Tanist, by tests for what must never happen and by the bench for the figures.
//!
//! The simulator plays them, too. [`predict`] repeats what was done in a lab at the same moments, where nothing takes time
//! but what has to, and measures it with the same yardstick; [`pretend`] needs no lab at all. What a lab measures must not
//! be better than that, and in the middle not worse.

mod course;
mod outcome;
mod prediction;
mod pretence;
mod recipe;
mod scenario;
mod stage;

use std::time::Duration;

pub use course::{Asked, Course, Deed};
pub use outcome::Outcome;
pub use prediction::{Prediction, predict};
pub use pretence::pretend;
pub use recipe::{NodeFile, Recipe, Supervision, WayBack};
pub use scenario::{Node, SCENARIOS, Scenario, Step};

use crate::lab::{Collecting, LabError, Manner, Program, collectings};
use stage::{Ended, Stage};

/// The service of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// A program with its first arguments that takes the words of `tanist rehearse`: it is the collector.
    pub program: Vec<String>,
    /// How it behaves. Its port is the recipe's.
    pub manner: Manner,
}

/// What became of the address, by the word of the hosts' kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// How long both nodes had it.
    pub two: Duration,
    /// They still had it at the end.
    pub two_go_on: bool,
    /// From the event until the node that had it then lost it; `None` if it kept it.
    pub gone_after: Option<Duration>,
}

/// A trial that was played to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    pub outcome: Outcome,
    pub addresses: Addresses,
    /// What was done when.
    pub course: Course,
    /// Who came to work in which order, from the beginning, one entry for each process.
    pub order: Vec<Node>,
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
    let Ended { course, evidence, addresses, story } = stage.end();
    let outcome = evidence.outcome(&course);
    let (order, collectings) = (evidence.order(), collectings(&evidence.ticks));
    Ok(Played { outcome, addresses, course, order, collectings, story })
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
