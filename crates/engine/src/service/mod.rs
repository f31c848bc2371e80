//! A service: what runs on the Active node and on no other. Here it is decided when it is started and stopped, what a
//! failure means, and when somebody must be called.
//!
//! ```text
//!             found                     came up
//!   Unknown ────────► Stopped ─► Starting ─► Running
//!                        ▲           │          │
//!                        └────── Stopping ◄─────┘
//! ```
//!
//! Nothing is ever started before all of the last run is gone. How a failure goes on: again here within the budget,
//! then elsewhere once, then nowhere until a human has seen to it.

mod hooks;
mod moves;
mod news;
mod readiness;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use self::hooks::Hooks;
use self::moves::Moves;
use self::readiness::Readiness;
use crate::track::script::Script;
use crate::{
    Budget, Event, Hook, Instant, Name, Output, Remedy, RouterId, ScriptOutcome, ServiceCause, ServiceConfig,
    ServiceFailure, ServiceOrder, ServiceRecord, ServiceReport, ServiceStateName, ServiceView,
};

/// A service that does not answer its checks is not given longer than this to end in order.
const PATIENCE_WITH_THE_HUNG: Duration = Duration::from_secs(2);
/// From one kill to the next while something is left.
const KILL_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// An order to end may cross the news of the end, and then its own answer comes after that, but not later than this.
const ECHO: Duration = Duration::from_secs(2);
/// So long somebody is asked whether a service runs before that is taken for a no.
pub(crate) const ASKED_FOR: Duration = Duration::from_secs(60);
/// Where nobody else could do better, it is tried again after this long, then after twice as long, and so on.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// What a service is told about the rest of the world when it fails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elsewhere {
    /// Nothing floats any more.
    pub(crate) latched: bool,
    /// The pair's other side is heard and could not take the role now.
    pub(crate) nobody_better: bool,
    /// Moves from the other side because of this service, within the span of `max_moves`.
    pub(crate) their_moves: u32,
}

/// What must happen outside of the service because of what happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    Nothing,
    /// The service has failed on both sides.
    LatchBothFailed,
    /// The role has moved too often.
    LatchTooManyMoves,
    /// An operator stopped it: this node stands back.
    StandBack,
    /// An operator started it on a node that stands back because it was stopped there.
    ComeBack,
    /// An operator stopped it: leave everything alone.
    Maintain,
}

#[derive(Clone, Debug)]
enum State {
    /// The first answer is not there yet.
    Unknown,
    Stopped,
    Starting {
        until: Instant,
    },
    Running {
        grace: Grace,
    },
    Stopping {
        since: Instant,
        kill_at: Instant,
    },
}

/// How long failing checks do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grace {
    Until(Instant),
    /// Its time is over, but it has begun to answer: for as long as each failing check's runs are good, which leads to its
    /// rise.
    WhileRising,
    /// All were good once, or had their time.
    Over,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    config: ServiceConfig,
    state: State,
    since: Instant,
    /// It should run here.
    wanted: bool,
    /// The configuration no longer has it, or not where it was.
    removed: bool,
    /// Its router is Active, be it that it is letting the role go.
    holds_role: bool,
    /// Found running at the start of the daemon, and perhaps rightly so: left alone until the role is known.
    adoptable: bool,
    /// And as long as nobody can tell, it may run.
    may_run: bool,
    /// Its checks; they rest while it does not run.
    checks: Vec<Script>,
    readiness: Readiness,
    /// When it was started again after failures.
    restarts: VecDeque<Instant>,
    /// When the role left here because of it, and when it came back after that.
    moves: Moves,
    /// The budget is spent: the role has to move.
    failed: bool,
    /// An operator stopped it: it is not started before the role comes anew or the operator says so.
    stopped_by_hand: bool,
    /// And that was maintenance, or meant it.
    stopped_for_maintenance: bool,
    /// It ended in maintenance, in a former life of this daemon, and nobody else is known to have had the role since.
    left_stopped: bool,
    /// Not started before this moment.
    start_at: Instant,
    /// How long to wait before the next start where nobody else could do better.
    retry: Duration,
    /// It waits for that start, although its budget is spent: the role moves once somebody else could do better.
    waits_for_another: bool,
    last_failure: Option<(Instant, ServiceFailure)>,
    /// When the last of it was gone, or was found to be.
    gone_at: Option<Instant>,
    /// When a run ended here.
    ended_at: Option<Instant>,
    /// An end that was ordered may be told once more until then.
    echo_until: Option<Instant>,
    /// Since when it serves: it has come up, and every check was good once.
    up_at: Option<Instant>,
    /// It was told to start, or found running, since the role came.
    begun: bool,
    hooks: Hooks,
    /// Nobody could tell whether it runs, and that was told.
    out_of_sight: bool,
    /// Somebody else started it; in maintenance that is left alone.
    started_by_hand: bool,
    /// Spreads the first runs of checks.
    random: u64,
}

impl Service {
    pub(crate) fn new(config: ServiceConfig, now: Instant, random: u64) -> Self {
        Self {
            state: State::Unknown,
            since: now,
            wanted: false,
            removed: false,
            holds_role: false,
            adoptable: false,
            may_run: false,
            checks: checks_of(&config, now, random),
            readiness: Readiness::new(now),
            restarts: VecDeque::new(),
            moves: Moves::default(),
            failed: false,
            stopped_by_hand: false,
            stopped_for_maintenance: false,
            left_stopped: false,
            start_at: now,
            retry: FIRST_RETRY,
            waits_for_another: false,
            last_failure: None,
            gone_at: None,
            ended_at: None,
            echo_until: None,
            up_at: None,
            begun: false,
            hooks: Hooks::default(),
            out_of_sight: false,
            started_by_hand: false,
            random,
            config,
        }
    }

    /// Takes changed figures over; the service itself is not disturbed.
    pub(crate) fn reconfigure(&mut self, now: Instant, config: ServiceConfig, out: &mut Vec<Output>) {
        let same_checks = self.config.checks == config.checks;
        let same_timers = self.config.while_active == config.while_active;
        self.config = config;
        if !same_checks {
            self.reconfigure_checks(now, out);
        }
        if !same_timers && self.wanted && self.is_up() {
            self.hooks.begin_timers(now, &self.config.while_active);
        }
    }

    /// A check that is still there keeps its verdict and the run that is under way.
    fn reconfigure_checks(&mut self, now: Instant, out: &mut Vec<Output>) {
        let mut old = core::mem::take(&mut self.checks);
        let up = self.is_up();
        for mut new in checks_of(&self.config, now, self.random) {
            match old.iter().position(|known| known.config().name == new.config().name) {
                Some(place) => {
                    let mut known = old.swap_remove(place);
                    if known.config() != new.config() {
                        known.reconfigure(now, new.config().clone());
                    }
                    self.checks.push(known);
                }
                None => {
                    if up {
                        new.wake(now, self.config.start_grace);
                    }
                    self.checks.push(new);
                }
            }
        }
        for gone in &old {
            gone.abandon(out);
        }
        // The one that kept it from serving may have gone.
        self.serve_if_well(now);
    }

    pub(crate) fn config(&self) -> &ServiceConfig {
        &self.config
    }

    /// Its router has it no longer, or has it again.
    pub(crate) const fn set_removed(&mut self, removed: bool) {
        self.removed = removed;
    }

    /// It has been in its state since the engine was started.
    pub(crate) const fn begin(&mut self, now: Instant) {
        self.since = now;
    }

    /// Asks what there is.
    pub(crate) fn watch(&self, out: &mut Vec<Output>) {
        self.order(ServiceOrder::Watch, out);
    }

    /// It is no longer in the configuration.
    pub(crate) fn forget(&mut self, out: &mut Vec<Output>) {
        for check in &self.checks {
            check.abandon(out);
        }
        self.order(ServiceOrder::Forget, out);
    }

    /// The newest epoch of its role that a former life of this daemon knew of.
    pub(crate) fn know_epoch(&mut self, epoch: u64) {
        self.hooks.know_epoch(epoch);
    }

    /// A reload has given it to a router that has nothing to do with its former one.
    pub(crate) fn change_role(&mut self) {
        self.hooks.change_role();
    }

    /// What a former life of this daemon says: it may have been running rightly.
    pub(crate) const fn allow_adoption(&mut self) {
        (self.adoptable, self.may_run) = (true, true);
    }

    /// Fills in what the next life shall remember; `calendar` tells a moment's date.
    pub(crate) fn remember(
        &mut self,
        now: Instant,
        left_alone: bool,
        calendar: impl Fn(Instant) -> Option<u64>,
    ) -> Option<ServiceRecord> {
        let moves = self.moves.remember(now, self.config.max_moves.within, calendar);
        let rests = self.wanted && self.begun && matches!(self.state, State::Stopped);
        let left_stopped = left_alone && (rests || self.left_stopped);
        let remembers = self.failed || self.hooks.told() > 0 || left_stopped || !moves.is_empty();
        remembers.then(|| ServiceRecord {
            name: self.name(),
            failed: self.failed,
            told: self.hooks.told(),
            left_stopped,
            moves,
        })
    }

    /// What a former life of this daemon remembered. A reboot may have mended what had failed.
    pub(crate) fn restore(
        &mut self,
        now: Instant,
        record: &ServiceRecord,
        same_boot: bool,
        calendar: u64,
        left_alone: bool,
    ) {
        self.moves.restore(now, &record.moves, same_boot, calendar);
        self.failed = record.failed && same_boot && !self.adoptable;
        self.hooks.restore(record.told);
        self.left_stopped = left_alone && record.left_stopped;
    }

    /// The role has come back to where it left because of this service: that is a move, too.
    pub(crate) fn note_return(&mut self, now: Instant) {
        if self.recent_moves(now) > 0 {
            self.moves.note(now);
        }
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    /// Not one process of it is left. What was never started by this daemon, nor by the one before it, and cannot be
    /// asked for, counts as gone: a manager that does not answer must not keep both nodes from serving.
    pub(crate) const fn is_gone(&self) -> bool {
        match self.state {
            State::Stopped => true,
            State::Unknown => !self.may_run,
            State::Starting { .. } | State::Running { .. } | State::Stopping { .. } => false,
        }
    }

    /// Nobody has been able to tell yet whether it runs.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self.state, State::Unknown)
    }

    /// Nobody has been able to tell, and it has not been long: later it counts as gone, for a manager that does not answer must
    /// not keep a node out for ever.
    pub(crate) fn is_asked_for(&self, now: Instant) -> bool {
        self.is_unknown() && now.since(self.since) < ASKED_FOR
    }

    pub(crate) const fn is_up(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    pub(crate) const fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) const fn gone_at(&self) -> Option<Instant> {
        self.gone_at
    }

    pub(crate) const fn ended_at(&self) -> Option<Instant> {
        self.ended_at
    }

    pub(crate) const fn up_at(&self) -> Option<Instant> {
        self.up_at
    }

    pub(crate) fn readiness(&self) -> Option<&Result<(), Name>> {
        self.readiness.verdict()
    }

    /// How long ago the role moved because of it, each time.
    pub(crate) fn moves(&self, now: Instant) -> impl Iterator<Item = Duration> + '_ {
        self.moves.ages(now)
    }

    pub(crate) const fn state_name(&self) -> ServiceStateName {
        match self.state {
            State::Unknown => ServiceStateName::Unknown,
            State::Stopped => ServiceStateName::Stopped,
            State::Starting { .. } => ServiceStateName::Starting,
            State::Running { .. } => ServiceStateName::Running,
            State::Stopping { .. } => ServiceStateName::Stopping,
        }
    }

    /// Its budget here is spent, and it waits for another try because nobody else could do better.
    pub(crate) const fn waits_for_another(&self, left_alone: bool) -> bool {
        self.waits_for_another && matches!(self.state, State::Stopped) && self.may_start(left_alone)
    }

    /// Running well; `None` while it does not run, or before every check has a result.
    pub(crate) fn healthy(&self) -> Option<bool> {
        let State::Running { grace } = self.state else { return None };
        let well = self.checks.iter().try_fold(true, |well, check| Some(well & check.good()?))?;
        // What does not answer yet is not ill.
        (well || grace == Grace::Over).then_some(well)
    }

    /// The longest that a hand-over may take: to end it here and to have it up there.
    pub(crate) fn longest_move(&self) -> Duration {
        self.config.stop_timeout + KILL_AGAIN_AFTER + self.config.start_timeout
    }

    /// `left_alone` is maintenance.
    pub(crate) fn deadline(&self, left_alone: bool) -> Option<Instant> {
        let own = match &self.state {
            State::Unknown => None,
            State::Stopped => self.may_start(left_alone).then_some(self.start_at),
            State::Starting { until } => Some(*until),
            State::Running { grace: Grace::Until(at) } => Some(*at),
            // The runs of its checks have their own moments.
            State::Running { grace: Grace::WhileRising | Grace::Over } => None,
            State::Stopping { kill_at, .. } => Some(*kill_at),
        };
        let readiness = self.is_assessed().then(|| self.readiness.next_at());
        let checks = self.checks.iter().map(Script::deadline).min().filter(|at| *at != Instant::NEVER);
        [own, readiness, self.hooks.deadline(), checks].into_iter().flatten().min()
    }

    pub(crate) fn view(&self, router: Option<RouterId>, moves: u32) -> ServiceView {
        ServiceView {
            name: self.config.name.clone(),
            router,
            state: self.state_name(),
            since: self.since,
            wanted: self.wanted,
            healthy: self.healthy(),
            readiness: self.readiness.verdict().cloned(),
            restarts: u32::try_from(self.restarts.len()).unwrap_or(u32::MAX),
            moves,
            last_failure: self.last_failure.clone(),
            checks: self.checks.iter().map(Script::view).collect(),
            differs: Vec::new(),
        }
    }

    /// Whether it is assessed now and then whether it could be started here.
    const fn is_assessed(&self) -> bool {
        // While the role is on its way because of it, nothing is forgiven yet.
        matches!(self.state, State::Stopped) && (!self.wanted || self.is_out()) && !self.holds_role
    }

    /// Whether it would be started if it were time. What operators do in maintenance is done; what happens by itself
    /// is not answered.
    const fn may_start(&self, left_alone: bool) -> bool {
        self.wanted && !self.is_out() && !(left_alone && self.begun)
    }

    /// It is running, and perhaps rightly so, although its router does not have the role (yet). So may be what had been running
    /// and cannot be asked for: where its manager does not answer, nobody can have it stopped for another node.
    pub(crate) const fn is_rightful(&self) -> bool {
        (self.adoptable || self.wanted)
            && match self.state {
                State::Running { .. } | State::Starting { .. } => true,
                State::Unknown => self.may_run && self.out_of_sight,
                State::Stopped | State::Stopping { .. } => false,
            }
    }

    /// It is wanted here, or a former life of this daemon may have had it run, and nobody has refused that since.
    pub(crate) const fn is_ours(&self) -> bool {
        self.wanted || self.adoptable
    }

    /// It is not started although it is wanted.
    const fn is_out(&self) -> bool {
        self.failed || self.stopped_by_hand
    }

    // ── what happens ──────────────────────────────────────────────────────────────────────────────────

    /// The role of its router has come, in this epoch, or gone.
    pub(crate) fn set_wanted(&mut self, now: Instant, wanted: bool, epoch: u64) {
        if self.wanted == wanted {
            if wanted {
                self.hooks.join(epoch);
            }
            return;
        }
        let goes_on = self.adoptable && self.is_up();
        let left_stopped = core::mem::take(&mut self.left_stopped);
        self.wanted = wanted;
        self.stopped_by_hand = false;
        self.started_by_hand = false;
        self.adoptable = false;
        self.begun = self.is_up() || (wanted && left_stopped);
        self.waits_for_another = false;
        self.hooks.end_timers();
        if wanted {
            self.hooks.take_over(epoch, goes_on);
            self.retry = FIRST_RETRY;
            self.restarts.clear();
            self.start_at = now;
            if self.is_up() {
                self.hooks.begin_timers(now, &self.config.while_active);
            }
        }
    }

    /// Whether its router is Active.
    pub(crate) const fn set_holds_role(&mut self, now: Instant, holds: bool) {
        if self.holds_role && !holds {
            self.readiness.begin_again(now);
        }
        self.holds_role = holds;
    }

    /// The operator lets this node have the role again, and with it the service.
    pub(crate) fn end_hold(&mut self, now: Instant) {
        if core::mem::take(&mut self.stopped_by_hand) {
            self.start_at = now;
        }
    }

    /// Maintenance is over: what was left alone is looked after again.
    pub(crate) fn end_maintenance(&mut self, now: Instant) {
        self.stopped_by_hand &= !core::mem::take(&mut self.stopped_for_maintenance);
        self.started_by_hand = false;
        self.begun = false;
        self.start_at = now;
    }

    /// Somebody else is Active: what was found running here does not run rightly.
    pub(crate) fn refuse_adoption(&mut self) -> bool {
        (self.adoptable, self.left_stopped) = (false, false);
        // What is adoptable may run, too.
        core::mem::take(&mut self.may_run)
    }

    /// Takes in what is known about it. `left_alone` is maintenance.
    pub(crate) fn take_report(
        &mut self,
        now: Instant,
        report: ServiceReport,
        left_alone: bool,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Consequence {
        let seen = matches!(report, ServiceReport::Running | ServiceReport::Gone(_) | ServiceReport::StoppedByHand);
        if seen && core::mem::take(&mut self.out_of_sight) {
            out.push(Output::Tell(Event::ServiceUnknown { service: self.name(), reason: None }));
        }
        match report {
            ServiceReport::Running => return self.found_running(now, left_alone, out),
            ServiceReport::Gone(ending) => return self.found_gone(now, ending, left_alone, elsewhere, out),
            ServiceReport::StoppedByHand => return self.stopped_by_hand(now, left_alone, out),
            ServiceReport::StartRefused(reason) => {
                if matches!(self.state, State::Starting { .. }) {
                    self.stop_running(now, ServiceCause::Refused(reason.clone()), out);
                    return self.fail(now, ServiceFailure::StartRefused(reason), left_alone, elsewhere, out);
                }
            }
            // It had ended by itself before it was asked to.
            ServiceReport::StopRefused(_) if matches!(self.state, State::Stopped) => {}
            // It goes on being killed, and nothing is handed over before it is gone.
            ServiceReport::StopRefused(reason) => {
                out.push(Output::Tell(Event::ServiceUnknown { service: self.name(), reason: Some(reason) }));
            }
            ServiceReport::Readiness(verdict) => self.assessed(verdict, out),
            ServiceReport::Unknown(reason) => {
                self.out_of_sight = true;
                out.push(Output::Tell(Event::ServiceUnknown { service: self.name(), reason: Some(reason) }));
            }
        }
        Consequence::Nothing
    }

    fn assessed(&mut self, verdict: Result<(), Name>, out: &mut Vec<Output>) {
        if self.readiness.take(verdict) {
            let readiness = self.readiness.verdict().cloned().unwrap_or(Ok(()));
            out.push(Output::Tell(Event::ReadinessChanged { service: self.name(), readiness }));
        }
        if self.failed && !self.holds_role && self.readiness.good_in_a_row() >= self.config.readiness_rise {
            self.failed = false;
        }
    }

    /// A run of one of its checks has ended. `None` if it is none of its.
    pub(crate) fn take_check(
        &mut self,
        now: Instant,
        check: &str,
        outcome: ScriptOutcome,
        left_alone: bool,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Option<Consequence> {
        let known = self.checks.iter_mut().find(|known| &*known.config().name == check)?;
        known.handle_finished(outcome, out);
        Some(self.weigh_checks(now, left_alone, elsewhere, out))
    }

    /// It serves from when every check has been good once.
    fn serve_if_well(&mut self, now: Instant) {
        if self.healthy() == Some(true) {
            self.state = State::Running { grace: Grace::Over };
            self.up_at.get_or_insert(now);
        }
    }

    /// Draws the consequences of what its checks say.
    fn weigh_checks(
        &mut self,
        now: Instant,
        left_alone: bool,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Consequence {
        self.serve_if_well(now);
        let State::Running { grace } = &mut self.state else { return Consequence::Nothing };
        let failing = || self.checks.iter().filter(|check| check.good() == Some(false));
        match grace {
            Grace::Until(at) if now < *at => return Consequence::Nothing,
            Grace::Until(_) | Grace::WhileRising if failing().next().is_some() && failing().all(Script::is_rising) => {
                *grace = Grace::WhileRising;
                return Consequence::Nothing;
            }
            Grace::Until(_) | Grace::WhileRising | Grace::Over => *grace = Grace::Over,
        }
        // The one that keeps it from coming up rather than one that would soon be good.
        let named = failing().find(|check| !check.is_rising()).or_else(|| failing().next());
        let Some(check) = named.map(|check| check.config().name.clone()) else { return Consequence::Nothing };
        if left_alone || !self.wanted {
            return Consequence::Nothing;
        }
        let patience = self.config.stop_timeout.min(PATIENCE_WITH_THE_HUNG);
        self.order_end(now, patience, ServiceCause::CheckFailed(check.clone()), out);
        self.fail(now, ServiceFailure::CheckFailed(check), left_alone, elsewhere, out)
    }

    /// Does what is due.
    pub(crate) fn handle_timer(
        &mut self,
        now: Instant,
        left_alone: bool,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Consequence {
        let mut consequence = Consequence::Nothing;
        for check in &mut self.checks {
            if check.deadline() <= now {
                check.handle_timer(now, out);
            }
        }
        match self.state {
            State::Starting { until } if until <= now => {
                self.order_end(now, self.config.stop_timeout, ServiceCause::TimedOut, out);
                if self.wanted {
                    consequence = self.fail(now, ServiceFailure::StartTimedOut, left_alone, elsewhere, out);
                }
            }
            State::Running { .. } => consequence = self.weigh_checks(now, left_alone, elsewhere, out),
            State::Stopping { since, kill_at, .. } if kill_at <= now => {
                self.state = State::Stopping { since, kill_at: now + KILL_AGAIN_AFTER };
                out.push(Output::Tell(Event::ServiceLingers { service: self.name(), since: now.since(since) }));
                self.order(ServiceOrder::Kill, out);
            }
            State::Unknown | State::Stopped | State::Starting { .. } | State::Stopping { .. } => {}
        }
        self.assess(now, out);
        consequence
    }

    fn assess(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.is_assessed() && self.readiness.next_at() <= now {
            self.readiness.asked(now + self.config.readiness_interval);
            self.order(ServiceOrder::AssessReadiness, out);
        }
    }

    /// It is not started before this moment.
    pub(crate) fn put_off(&mut self, until: Instant) {
        if matches!(self.state, State::Stopped) {
            self.start_at = self.start_at.max(until);
        }
    }

    /// Moves towards what is wanted. Returns whether it did anything.
    pub(crate) fn pursue(&mut self, now: Instant, left_alone: bool, out: &mut Vec<Output>) -> bool {
        self.assess(now, out);
        self.echo_until.take_if(|until| *until <= now);
        match self.state {
            State::Stopped if self.may_start(left_alone) && self.start_at <= now => {
                let cause = if self.begun { ServiceCause::Restart } else { ServiceCause::Role };
                self.begun = true;
                self.waits_for_another = false;
                self.set_state(now, State::Starting { until: now + self.config.start_timeout }, cause, out);
                self.order(ServiceOrder::Start, out);
                true
            }
            State::Starting { .. } | State::Running { .. }
                if !(self.wanted || self.adoptable || (left_alone && self.started_by_hand))
                    || (self.failed && self.wanted) =>
            {
                let cause = if self.removed { ServiceCause::Removed } else { ServiceCause::Role };
                self.order_end(now, self.config.stop_timeout, cause, out);
                true
            }
            State::Unknown
            | State::Stopped
            | State::Starting { .. }
            | State::Running { .. }
            | State::Stopping { .. } => false,
        }
    }

    /// Which of its hooks are due, each once.
    pub(crate) fn due_hooks(&mut self, now: Instant, active: bool) -> Vec<Hook> {
        let serves = self.wanted && self.healthy() == Some(true);
        self.hooks.due(now, &self.config.while_active, active, serves)
    }

    /// An operator has seen to it: everything is forgiven.
    pub(crate) fn forgive(&mut self, now: Instant) {
        self.restarts.clear();
        self.moves.clear();
        self.failed = false;
        self.stopped_by_hand = false;
        self.waits_for_another = false;
        self.retry = FIRST_RETRY;
        self.start_at = now;
    }

    /// Moves because of it within the span that counts.
    pub(crate) fn recent_moves(&self, now: Instant) -> u32 {
        self.moves.recent(now, self.config.max_moves.within)
    }

    /// The daemon is in a hurry: end it without asking.
    pub(crate) fn hurry(&mut self, now: Instant, out: &mut Vec<Output>) {
        if let State::Stopping { since, .. } = self.state {
            self.state = State::Stopping { since, kill_at: now + KILL_AGAIN_AFTER };
            self.order(ServiceOrder::Kill, out);
        }
    }

    // ── changes of state ──────────────────────────────────────────────────────────────────────────────

    fn come_up(&mut self, now: Instant, cause: ServiceCause, out: &mut Vec<Output>) {
        self.stopped_by_hand = false;
        self.echo_until = None;
        let grace =
            if self.config.checks.is_empty() { Grace::Over } else { Grace::Until(now + self.config.start_grace) };
        self.up_at = (grace == Grace::Over).then_some(now);
        self.set_state(now, State::Running { grace }, cause, out);
        self.begin_checks(now);
        if self.wanted {
            self.hooks.begin_timers(now, &self.config.while_active);
        }
    }

    fn begin_checks(&mut self, now: Instant) {
        for check in &mut self.checks {
            check.wake(now, self.config.start_grace);
        }
    }

    fn end_checks(&mut self, now: Instant, out: &mut Vec<Output>) {
        for check in &mut self.checks {
            check.rest(now, out);
        }
    }

    /// Nothing of it runs any more.
    fn stop_running(&mut self, now: Instant, cause: ServiceCause, out: &mut Vec<Output>) {
        self.end_checks(now, out);
        // What went well for long has earned a fresh start.
        if self.is_up() && now.since(self.since) >= self.config.restart.within {
            self.retry = FIRST_RETRY;
        }
        self.started_by_hand = false;
        self.hooks.end_timers();
        // What was never begun has not ended. What may have run until the former life ended has ended since.
        if (!self.is_unknown() || self.adoptable) && !matches!(cause, ServiceCause::Refused(_)) {
            self.ended_at = Some(now);
        }
        self.gone_at = Some(now);
        self.up_at = None;
        self.adoptable = false;
        self.set_state(now, State::Stopped, cause, out);
        self.readiness.begin_again(now);
    }

    fn order_end(&mut self, now: Instant, patience: Duration, cause: ServiceCause, out: &mut Vec<Output>) {
        self.end_checks(now, out);
        self.hooks.end_timers();
        self.adoptable = false;
        self.set_state(now, State::Stopping { since: now, kill_at: now + patience }, cause, out);
        self.order(ServiceOrder::Stop, out);
    }

    fn set_state(&mut self, now: Instant, state: State, cause: ServiceCause, out: &mut Vec<Output>) {
        let from = self.state_name();
        self.state = state;
        self.since = now;
        let to = self.state_name();
        out.push(Output::Tell(Event::ServiceChanged { service: self.name(), from, to, cause }));
    }

    fn tell_failure(&self, failure: ServiceFailure, remedy: Remedy, out: &mut Vec<Output>) {
        out.push(Output::Tell(Event::ServiceFailed { service: self.name(), failure, remedy }));
    }

    fn order(&self, order: ServiceOrder, out: &mut Vec<Output>) {
        out.push(Output::Service { service: self.name(), order });
    }

    fn name(&self) -> Name {
        self.config.name.clone()
    }
}

fn checks_of(config: &ServiceConfig, now: Instant, random: u64) -> Vec<Script> {
    config.checks.iter().map(|check| Script::of_service(check.clone(), now, random)).collect()
}

/// How many moments of a list are within the budget's span; older ones are dropped.
fn count_recent(moments: &mut VecDeque<Instant>, budget: Budget, now: Instant) -> u32 {
    while moments.front().is_some_and(|at| now.since(*at) >= budget.within) {
        moments.pop_front();
    }
    u32::try_from(moments.len()).unwrap_or(u32::MAX)
}
