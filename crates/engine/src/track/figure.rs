//! A figure that is found out elsewhere: the number in a file, or how many processes there are and whether that is good.

use alloc::vec::Vec;

use super::priority::Finding;
use crate::{Event, FigureCause, Instant, Measure, Output, TrackerConfig, TrackerKind, TrackerView};

#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    config: TrackerConfig,
    /// `None` until it was told.
    figure: Option<i64>,
    /// Of a count: whether it counts as good.
    good: bool,
    /// It will count as the opposite then, unless the figure changes back before; and what made it so.
    turning: Option<(Instant, FigureCause)>,
}

impl Tracker {
    pub(crate) const fn new(config: TrackerConfig) -> Self {
        Self { config, figure: None, good: false, turning: None }
    }

    pub(crate) const fn config(&self) -> &TrackerConfig {
        &self.config
    }

    /// At the start: what has not been told by now is not there.
    pub(crate) fn begin(&mut self) {
        if self.figure.is_none() {
            self.figure = Some(0);
            self.good = self.is_good(0);
        }
    }

    /// Nothing changes by itself any more.
    pub(crate) const fn settle(&mut self) {
        self.turning = None;
    }

    /// Other limits for the same figure count at once.
    pub(crate) fn reconfigure(&mut self, config: TrackerConfig) {
        self.config = config;
        self.turning = None;
        self.good = self.figure.is_some_and(|figure| self.is_good(figure));
    }

    fn is_good(&self, figure: i64) -> bool {
        match self.config.measure {
            Measure::Number => true,
            Measure::Count { least, most, .. } => {
                figure >= i64::from(least) && most.is_none_or(|most| figure <= i64::from(most))
            }
        }
    }

    /// Returns whether the finding changed.
    pub(crate) fn take(&mut self, now: Instant, figure: i64, cause: FigureCause, out: &mut Vec<Output>) -> bool {
        let Some(before) = self.figure.replace(figure) else {
            self.good = self.is_good(figure);
            return true;
        };
        match self.config.measure {
            Measure::Number => {
                if before != figure {
                    let tracker = self.config.id();
                    out.push(Output::Tell(Event::NumberChanged { tracker, from: before, to: figure }));
                }
                before != figure
            }
            Measure::Count { fork_delay, terminate_delay, .. } => {
                if self.is_good(figure) == self.good {
                    self.turning = None;
                    return false;
                }
                if before == figure {
                    // A forked process has become what it is by its own doing; ends have nothing to do with it.
                    let forked = matches!(self.turning, Some((_, FigureCause::Forked)));
                    if forked && cause == FigureCause::Found {
                        self.turn(out);
                        return true;
                    }
                    return false;
                }
                let delay = match cause {
                    FigureCause::Found => core::time::Duration::ZERO,
                    FigureCause::Forked => fork_delay,
                    FigureCause::Ended => terminate_delay,
                };
                if delay.is_zero() {
                    self.turn(out);
                    return true;
                }
                self.turning.get_or_insert((now + delay, cause));
                false
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.turning.map(|(at, _)| at)
    }

    /// Returns whether the finding changed.
    pub(crate) fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let due = self.deadline().is_some_and(|at| at <= now);
        if due {
            self.turn(out);
        }
        due
    }

    fn turn(&mut self, out: &mut Vec<Output>) {
        self.turning = None;
        self.good = !self.good;
        let (tracker, held, count) = (self.config.id(), self.good, self.figure.unwrap_or_default());
        out.push(Output::Tell(Event::QuorumChanged { tracker, held, count }));
    }

    /// What it means at present; `None` until it was told.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let figure = self.figure?;
        Some(match self.config.kind() {
            TrackerKind::File => Finding::Number(figure),
            TrackerKind::Process => Finding::Good(self.good),
        })
    }

    pub(crate) fn view(&self) -> TrackerView {
        TrackerView {
            tracker: self.config.id(),
            subject: self.config.subject.clone(),
            figure: self.figure,
            good: match self.config.kind() {
                TrackerKind::File => None,
                TrackerKind::Process => self.figure.map(|_| self.good),
            },
            turns_at: self.turning,
        }
    }
}
