//! A trial without a lab: the simulator also says when what is waited for has come about.

use std::time::Duration;

use super::course::{Asked, Course};
use super::outcome::{AT_WORK, at_work, is_settled};
use super::prediction::{Prediction, Pretence, predict};
use super::recipe::Recipe;
use super::scenario::{Node, Scenario, Step};
use super::stage::COMES_TO_REST;
use super::{Service, phase};
use crate::lab::{LabError, Moment, PATIENCE, Tick};

/// How often a lab looks whether something has come about.
const LOOK: Duration = Duration::from_millis(10);

/// Plays a scenario in the simulator alone, in the same way as in a lab.
///
/// # Errors
/// When the recipe has something that cannot be pretended, a rule of the simulator was broken, or the pair does not come
/// into good order at the beginning.
pub fn pretend(scenario: &Scenario, recipe: &Recipe, service: &Service, round: usize) -> Result<Prediction, LabError> {
    let begun = Moment::from_nanos(1_000_000_000);
    let seed = round as u64 + 1;
    let mut stage =
        PretendStage { pretence: Pretence::new(recipe, service, seed)?, course: Course::begin(begun), now: begun };
    stage.play(Step::StartDaemon(Node::A))?;
    if !stage.wait(PATIENCE, |ticks, now| at_work(ticks, now, AT_WORK).len() == 1)? {
        return Err(LabError::new("A does not become active with its service in the simulator"));
    }
    stage.play(Step::StartDaemon(Node::B))?;
    stage.now = stage.now + COMES_TO_REST;
    for &step in scenario.steps {
        if step == Step::Mark {
            stage.now = stage.now + recipe.period.mul_f64(phase(round));
        }
        stage.play(step)?;
    }
    stage.course.end.get_or_insert(stage.now);
    predict(recipe, service, &stage.course, seed)
}

struct PretendStage {
    pretence: Pretence,
    course: Course,
    now: Moment,
}

impl PretendStage {
    fn play(&mut self, step: Step) -> Result<(), LabError> {
        match step {
            Step::Mark => self.course.mark = Some(self.now),
            Step::End => self.course.end = Some(self.now),
            Step::Pass(span) => self.now = self.now + span,
            Step::UntilNew(patience) => {
                let since = self.course.last_deed();
                self.wait(patience, |ticks, now| {
                    ticks.iter().any(|tick| tick.number == 0 && tick.at >= since && tick.at <= now)
                })?;
            }
            Step::UntilSettled(patience) => {
                self.wait(patience, is_settled)?;
            }
            Step::StandsBy(node, patience) => {
                let works = |ticks: &[Tick], now: Moment| {
                    at_work(ticks, now, AT_WORK).iter().any(|(host, _)| **host == *node.name())
                };
                let alone = !works(&self.pretence.play(&self.course, self.now)?.0.ticks, self.now);
                self.course.asked = Some(Asked { node, at: self.now, patience, alone });
                if alone {
                    self.wait(patience, works)?;
                }
            }
            Step::KillService(_)
            | Step::HangService(_)
            | Step::PowerOff(_)
            | Step::PowerOn(_)
            | Step::BootService(_)
            | Step::StartDaemon(_)
            | Step::KillDaemon(_)
            | Step::FreezeDaemon(_)
            | Step::ThawDaemon(_)
            | Step::StopDaemon(_)
            | Step::BringBack(_)
            | Step::Cut
            | Step::Heal => self.course.add(step, self.now),
        }
        Ok(())
    }

    /// Lets time pass until it has come about, but not longer than this; whether it has.
    fn wait(&mut self, patience: Duration, is_so: impl Fn(&[Tick], Moment) -> bool) -> Result<bool, LabError> {
        let latest = self.now + patience;
        let ticks = self.pretence.play(&self.course, latest)?.0.ticks;
        while !is_so(&ticks, self.now) {
            if self.now >= latest {
                return Ok(false);
            }
            self.now = self.now + LOOK;
        }
        Ok(true)
    }
}
