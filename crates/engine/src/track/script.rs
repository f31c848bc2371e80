//! A check: when it runs, how long it may, and when enough good or bad runs make a verdict.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{EndHow, Event, Instant, Output, ScriptConfig, ScriptOutcome, ScriptView, When};

/// From the kind end to the unkind one.
const KILL_AFTER: Duration = Duration::from_secs(2);
/// From one unkind end to the next, while the run does not go away.
const KILL_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// After the first run, which comes at once because a router may wait for it, the second is early by up to a tenth of
/// the interval, at most this: so many checks are spread.
const LARGEST_JITTER: Duration = Duration::from_millis(100);

/// A check that nobody could make so often before its first verdict is taken for failed.
const MOST_UNLOOKED: u32 = 3;

/// From one look at a service that is coming up to the next: at first this, then twice as long, and so on,
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// but not longer than this.
const LONGEST_LOOK: Duration = Duration::from_millis(250);

/// One check of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    config: ScriptConfig,
    /// Between 0 and rise + fall − 1; good from `rise` on. Good runs push it up and bad ones down, and a run that agrees with the
    /// verdict brings it back to its end: what leads to another one are `rise` or `fall` runs in a row.
    counter: u32,
    good: Option<bool>,
    /// Before its first verdict: how often nobody could look.
    unlooked: u32,
    /// The last run that counted was good.
    last_was_good: bool,
    next_at: Instant,
    /// What the second run is early by; nothing afterwards.
    jitter: Duration,
    run: Option<Run>,
    last_outcome: Option<ScriptOutcome>,
    /// A run that is due while the last one is being ended is not left out but begins right after it.
    eager: bool,
    /// It was good once.
    proven: bool,
    /// What it checks does not run, or the role is not one of its own: no run begins.
    resting: bool,
    /// When what it checks is coming up: from the next look to the one after.
    look: Duration,
    /// What it checks has no time to come up: it is not looked at in haste, and so many bad runs are its verdict.
    strict: Option<u32>,
}

/// A run under way.
#[derive(Clone, Debug)]
struct Run {
    started_at: Instant,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// May go on until then.
    Allowed { until: Instant },
    /// Has been told to end, and will be killed then. Its verdict has been taken.
    Ending { kill_at: Instant },
}

impl Script {
    /// A check whose first run is due; `random` spreads the runs of many.
    pub(crate) fn new(config: ScriptConfig, now: Instant, random: u64) -> Self {
        let largest = (config.interval / 10).min(LARGEST_JITTER);
        let jitter = Duration::from_nanos(random % (largest.as_nanos() as u64 + 1));
        let (counter, good) = if config.init_fail { (0, Some(false)) } else { (config.rise - 1, None) };
        Self {
            config,
            counter,
            good,
            unlooked: 0,
            last_was_good: false,
            next_at: now,
            jitter,
            run: None,
            last_outcome: None,
            eager: false,
            proven: false,
            resting: false,
            look: FIRST_LOOK,
            strict: None,
        }
    }

    /// A check of a service: how soon a hang is noticed is known from its figures, so no run is left out.
    pub(crate) fn of_service(config: ScriptConfig, now: Instant, random: u64) -> Self {
        Self { eager: true, resting: true, ..Self::new(config, now, random) }
    }

    /// What it checks is gone: a run under way is ended and counts nowhere, and everything is forgotten.
    pub(crate) fn rest(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.resting = true;
        self.proven = false;
        (self.counter, self.good, self.last_was_good) = (self.config.rise - 1, None, false);
        if let Some(run @ Run { stage: Stage::Allowed { .. }, .. }) = &mut self.run {
            run.stage = Stage::Ending { kill_at: now + KILL_AFTER };
            out.push(Output::EndScript { script: self.config.name.clone(), how: EndHow::Terminate });
        }
    }

    /// What it checks is there: the first run begins at once, or as soon as the last one has ended. `grace` is the time
    /// in which it may come up.
    pub(crate) fn wake(&mut self, now: Instant, grace: Duration) {
        self.resting = false;
        self.strict = grace.is_zero().then_some(self.config.fall);
        self.look = FIRST_LOOK;
        self.next_at = now;
    }

    /// The role of what it checks, as far as it matters. Returns whether it begins to count, or to count no more.
    pub(crate) fn follow_role(&mut self, now: Instant, active: bool, out: &mut Vec<Output>) -> bool {
        let mut runs = match self.config.when {
            When::Both => true,
            When::Active => active,
            When::Standby => !active,
        };
        // What has failed, or has to prove itself first, goes on until it is good.
        runs |= !self.resting && self.good == Some(false);
        if runs != self.resting {
            return false;
        }
        if runs {
            self.resting = false;
            // If the last run has not ended yet, one is left out.
            self.next_at = if self.run.is_some() { now + self.config.interval } else { now };
            self.handle_timer(now, out);
        } else {
            self.rest(now, out);
        }
        true
    }

    /// Whether it does not run at present, and counts for nothing.
    pub(crate) const fn rests(&self) -> bool {
        self.resting
    }

    pub(crate) fn config(&self) -> &ScriptConfig {
        &self.config
    }

    /// The verdict; `None` before the first result.
    pub(crate) fn good(&self) -> Option<bool> {
        self.good
    }

    /// It is not good, but on its way: if its runs go on being good, it will be.
    pub(crate) fn is_rising(&self) -> bool {
        self.good == Some(false) && self.last_was_good
    }

    /// Takes new figures over. The verdict stays until runs change it.
    pub(crate) fn reconfigure(&mut self, now: Instant, config: ScriptConfig) {
        if self.config.interval != config.interval {
            self.next_at = self.next_at.min(now + config.interval);
        }
        let bad_runs = self.most() - self.counter.min(self.most());
        self.config = config;
        self.counter = match self.good {
            Some(true) => self.most() - bad_runs.min(self.config.fall - 1),
            Some(false) => self.counter.min(self.config.rise - 1),
            None => self.config.rise - 1,
        };
    }

    pub(crate) fn deadline(&self) -> Instant {
        match &self.run {
            Some(Run { stage: Stage::Ending { kill_at }, .. }) if self.resting => *kill_at,
            Some(Run { stage: Stage::Allowed { .. }, .. }) | None if self.resting => Instant::NEVER,
            Some(Run { stage: Stage::Allowed { until }, .. }) => self.next_at.min(*until),
            Some(Run { stage: Stage::Ending { kill_at }, .. }) if self.eager => *kill_at,
            Some(Run { stage: Stage::Ending { kill_at }, .. }) => self.next_at.min(*kill_at),
            None => self.next_at,
        }
    }

    /// Does what is due. Returns whether the verdict changed.
    pub(crate) fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let changed = self.mind_the_run(now, out);
        let ending = matches!(self.run, Some(Run { stage: Stage::Ending { .. }, .. }));
        if self.next_at <= now && !self.resting && !(self.eager && ending) {
            // A late start does not make the next one early.
            // Somebody waits for a service to come up: it is looked at more often until it has.
            let hasty = self.is_coming_up();
            self.next_at = now
                + if hasty {
                    self.config.interval.min(self.look)
                } else {
                    self.config.interval.saturating_sub(core::mem::take(&mut self.jitter))
                };
            self.look = (self.look * 2).min(LONGEST_LOOK);
            if self.run.is_some() {
                if !hasty {
                    out.push(Output::Tell(Event::ScriptSkipped { script: self.config.name.clone() }));
                }
            } else {
                let until = now + self.config.timeout;
                self.run = Some(Run { started_at: now, stage: Stage::Allowed { until } });
                out.push(Output::RunScript { script: self.config.name.clone() });
            }
        }
        changed
    }

    /// Whether what it checks may not answer yet, which is no news.
    const fn is_coming_up(&self) -> bool {
        self.eager && !self.proven && self.strict.is_none()
    }

    /// Ends a run that takes too long.
    fn mind_the_run(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let coming_up = self.is_coming_up();
        let Some(run) = &mut self.run else { return false };
        match run.stage {
            // Suspended together with us, it had no chance: it gets another one.
            Stage::Allowed { until } if now.since(until) > self.config.interval => {
                run.stage = Stage::Allowed { until: now + self.config.timeout };
                false
            }
            Stage::Allowed { until } if until <= now => {
                run.stage = Stage::Ending { kill_at: now + KILL_AFTER };
                out.push(Output::EndScript { script: self.config.name.clone(), how: EndHow::Terminate });
                if !coming_up {
                    let (script, timeout) = (self.config.name.clone(), self.config.timeout);
                    out.push(Output::Tell(Event::ScriptTimedOut { script, timeout }));
                }
                self.count(false, None, out)
            }
            Stage::Ending { kill_at } if kill_at <= now => {
                run.stage = Stage::Ending { kill_at: now + KILL_AGAIN_AFTER };
                out.push(Output::EndScript { script: self.config.name.clone(), how: EndHow::Kill });
                false
            }
            Stage::Allowed { .. } | Stage::Ending { .. } => false,
        }
    }

    /// A run has ended. Returns whether the verdict changed.
    pub(crate) fn handle_finished(&mut self, outcome: ScriptOutcome, out: &mut Vec<Output>) -> bool {
        let Some(run) = self.run.take() else { return false };
        if self.last_outcome != Some(outcome) {
            self.last_outcome = Some(outcome);
            out.push(Output::Tell(Event::ScriptReturned { script: self.config.name.clone(), outcome }));
        }
        match run.stage {
            Stage::Allowed { .. } if matches!(outcome, ScriptOutcome::NotLooked(_)) => {
                self.count_unlooked(outcome, out)
            }
            Stage::Allowed { .. } => self.count(outcome == ScriptOutcome::Exited(0), Some(outcome), out),
            Stage::Ending { .. } => false,
        }
    }

    /// Asks for the end of a run whose check is no longer wanted.
    pub(crate) fn abandon(&self, out: &mut Vec<Output>) {
        if self.run.is_some() {
            out.push(Output::EndScript { script: self.config.name.clone(), how: EndHow::Terminate });
        }
    }

    const fn most(&self) -> u32 {
        self.config.rise + self.config.fall - 1
    }

    /// It stays as it was. But whoever takes part must have been found good once, so that a node that cannot look for long
    /// leaves the role to others. What is looked at in one role only says nothing then, or the role would go to and fro; and a
    /// service that was never looked at may be well.
    fn count_unlooked(&mut self, outcome: ScriptOutcome, out: &mut Vec<Output>) -> bool {
        if self.good.is_some() || self.eager || self.config.when != When::Both {
            return false;
        }
        self.unlooked += 1;
        self.unlooked >= MOST_UNLOOKED && self.count(false, Some(outcome), out)
    }

    /// Counts a result. `outcome` is `None` for a run that timed out.
    fn count(&mut self, good: bool, outcome: Option<ScriptOutcome>, out: &mut Vec<Output>) -> bool {
        self.last_was_good = good;
        if let Some(left) = self.strict.as_mut().filter(|_| self.good.is_none() && !good) {
            *left = left.saturating_sub(1);
            if *left > 0 {
                return false;
            }
        }
        self.counter = match (self.good, good) {
            (Some(true), true) => self.most(),
            (Some(false), false) => 0,
            (_, true) => (self.counter + 1).min(self.most()),
            (_, false) => self.counter.saturating_sub(1),
        };
        let verdict = self.counter >= self.config.rise;
        if self.good == Some(verdict) {
            return false;
        }
        // The way back is as long as configured, whatever led here.
        self.counter = if verdict { self.most() } else { 0 };
        self.good = Some(verdict);
        let script = self.config.name.clone();
        let coming_up = self.is_coming_up();
        self.proven |= verdict;
        if coming_up && !verdict {
            // That a service does not answer yet is no news.
            return true;
        }
        out.push(Output::Tell(if verdict {
            Event::ScriptSucceeded { script }
        } else {
            Event::ScriptFailed { script, outcome }
        }));
        true
    }

    pub(crate) fn view(&self) -> ScriptView {
        ScriptView {
            name: self.config.name.clone(),
            good: self.good,
            counter: self.counter,
            last_outcome: self.last_outcome,
            running_since: self.run.as_ref().map(|run| run.started_at),
            rests: self.resting,
        }
    }
}
