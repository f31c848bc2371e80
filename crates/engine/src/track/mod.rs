//! Tracked things, and what they do to a router's priority.
//!
//! A check that runs and a figure that somebody else finds out (the number in a file, how many processes there are) come
//! to the same: a [`Finding`], which the weight of whoever tracks it turns into priority or a fault.

pub(crate) mod figure;
pub(crate) mod priority;
pub(crate) mod script;

use alloc::vec::Vec;

use self::figure::Tracker;
use self::priority::Finding;
use self::script::Script;
use crate::{Config, FigureCause, Instant, Name, Output, ScriptOutcome, ScriptView, TrackerName, TrackerView, When};

/// Everything that is tracked besides interfaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracking {
    /// They run from the start on.
    scripts: Vec<Script>,
    trackers: Vec<Tracker>,
}

impl Tracking {
    /// Figures may be told before the start.
    pub(crate) fn new(config: &Config) -> Self {
        Self { scripts: Vec::new(), trackers: config.trackers.iter().cloned().map(Tracker::new).collect() }
    }

    pub(crate) fn begin(&mut self, now: Instant, config: &Config, mut random: impl FnMut() -> u64) {
        self.scripts = config.scripts.iter().map(|script| Script::new(script.clone(), now, random())).collect();
        self.trackers.iter_mut().for_each(Tracker::begin);
    }

    /// Nothing runs any more, and what is known stays.
    pub(crate) fn stop(&mut self, out: &mut Vec<Output>) {
        for script in &self.scripts {
            script.abandon(out);
        }
        self.scripts.clear();
        self.trackers.iter_mut().for_each(Tracker::settle);
    }

    /// What did not change keeps its state.
    pub(crate) fn reconfigure(
        &mut self,
        now: Instant,
        config: &Config,
        mut random: impl FnMut() -> u64,
        out: &mut Vec<Output>,
    ) {
        let mut old = core::mem::take(&mut self.scripts);
        for script in &config.scripts {
            match old.iter().position(|known| known.config().name == script.name) {
                Some(place) => {
                    let mut known = old.swap_remove(place);
                    if known.config() != script {
                        known.reconfigure(now, script.clone());
                    }
                    self.scripts.push(known);
                }
                None => self.scripts.push(Script::new(script.clone(), now, random())),
            }
        }
        for gone in &old {
            gone.abandon(out);
        }
        let mut old = core::mem::take(&mut self.trackers);
        for tracker in &config.trackers {
            let same =
                |known: &Tracker| known.config().id() == tracker.id() && known.config().subject == tracker.subject;
            match old.iter().position(same) {
                Some(place) => {
                    let mut known = old.swap_remove(place);
                    if known.config() != tracker {
                        known.reconfigure(tracker.clone());
                    }
                    self.trackers.push(known);
                }
                None => self.trackers.push(Tracker::new(tracker.clone())),
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let trackers = self.trackers.iter().filter_map(Tracker::deadline);
        self.scripts.iter().map(Script::deadline).chain(trackers).min()
    }

    /// Does what is due. Returns whether a finding changed.
    pub(crate) fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let mut changed = false;
        for script in &mut self.scripts {
            if script.deadline() <= now {
                changed |= script.handle_timer(now, out);
            }
        }
        for tracker in &mut self.trackers {
            changed |= tracker.handle_timer(now, out);
        }
        changed
    }

    /// Lets the checks that run in certain roles only begin or rest; `active` tells whether somebody who tracks a check is
    /// Active. Returns whether one did.
    pub(crate) fn follow_roles(&mut self, now: Instant, active: impl Fn(&Name) -> bool, out: &mut Vec<Output>) -> bool {
        let mut changed = false;
        for script in self.scripts.iter_mut().filter(|script| script.config().when != When::Both || script.rests()) {
            let active = active(&script.config().name);
            changed |= script.follow_role(now, active, out);
        }
        changed
    }

    /// A run has ended. Returns whether the verdict changed; `None` if there is no such check.
    pub(crate) fn take_outcome(&mut self, name: &str, outcome: ScriptOutcome, out: &mut Vec<Output>) -> Option<bool> {
        let known = self.scripts.iter_mut().find(|known| &*known.config().name == name);
        known.map(|script| script.handle_finished(outcome, out))
    }

    /// A figure was found. Returns whether the finding changed.
    pub(crate) fn take_figure(
        &mut self,
        now: Instant,
        name: &TrackerName,
        figure: i64,
        cause: FigureCause,
        out: &mut Vec<Output>,
    ) -> bool {
        let known = self.trackers.iter_mut().find(|known| known.config().id() == *name);
        known.is_some_and(|tracker| tracker.take(now, figure, cause, out))
    }

    /// What a check has found; `None` before its first result.
    pub(crate) fn verdict(&self, name: &Name) -> Option<Finding> {
        let script = self.scripts.iter().find(|script| script.config().name == *name);
        script.and_then(Script::good).map(Finding::Good)
    }

    /// Whether a check counts for nothing at present.
    pub(crate) fn rests(&self, name: &Name) -> bool {
        self.scripts.iter().any(|script| script.config().name == *name && script.rests())
    }

    /// What a figure means; `None` before it was told.
    pub(crate) fn finding(&self, name: &TrackerName) -> Option<Finding> {
        self.trackers.iter().find(|tracker| tracker.config().id() == *name).and_then(Tracker::finding)
    }

    pub(crate) fn script_views(&self) -> Vec<ScriptView> {
        self.scripts.iter().map(Script::view).collect()
    }

    pub(crate) fn tracker_views(&self) -> Vec<TrackerView> {
        self.trackers.iter().map(Tracker::view).collect()
    }
}
