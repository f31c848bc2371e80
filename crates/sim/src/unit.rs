//! A pretend service manager: what it is told, what its processes do about it, and what it reports.
//!
//! Values in, values out: the world keeps the clock and carries the effects.

use std::time::Duration;

use engine::{Ending, Name, ScriptOutcome, ServiceOrder, ServiceReport};

use crate::plan::{ManagerPlan, ServiceAct, ServiceSpec};

/// A service as its manager has it.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) name: Name,
    pub(crate) manager: ManagerPlan,
    pub(crate) processes: Processes,
    /// What is there was started by somebody other than the daemon.
    pub(crate) by_hand: bool,
    /// Counts what becomes of it, so that what was meant for earlier processes does not reach later ones.
    number: u64,
    /// A daemon wants to know what becomes of it.
    watched: bool,
    /// The end that is under way was asked for by a daemon.
    end_ordered: bool,
    /// A daemon has asked for its end and was refused: it asks again when the time for the end is over.
    end_refused: bool,
    /// Somebody other than a daemon ended it last, and nothing has started it since.
    pub(crate) ended_by_hand: bool,
    killed: bool,
    /// What is starting hangs, whatever is made of later starts.
    stuck: bool,
    /// What is up does its work: it has come so far.
    answers: bool,
    /// What is there is frozen: it neither answers nor goes on with anything until whoever ends it wakes it up.
    frozen: bool,
    /// The daemon that runs has told it to start: it says so once that has come to something.
    start_ordered: bool,
    /// Somebody wants it again as soon as it is gone.
    start_queued: bool,
    /// Given while the manager did not answer; the last one counts.
    waiting: Option<ServiceOrder>,
    behaviour: Behaviour,
    enabled: bool,
    respawns_in: Option<Duration>,
}

/// What of a service is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Processes {
    None,
    Starting,
    Up,
    Stopping,
}

/// How a service fares at present.
#[derive(Clone, Debug)]
struct Behaviour {
    starts_in: Duration,
    answers_in: Duration,
    stops_in: Duration,
    start: StartPlan,
    stop: StopPlan,
    answer: AnswerPlan,
    crashes_after: Option<Duration>,
    ready: bool,
    in_sight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StartPlan {
    Normal,
    Refuses,
    NeverComesUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StopPlan {
    Normal,
    /// Its manager does not ask it to.
    Refuses,
    Deaf,
    Undying,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerPlan {
    Well,
    Badly,
    Never,
}

/// What comes of something that happened to a unit.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// The daemon is told.
    Report(ServiceReport),
    /// Unless something else happens to the processes first, this is next.
    Next { after: Duration, number: u64, step: UnitStep },
}

/// What processes do by themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UnitStep {
    ComesUp,
    Answers,
    Ends,
    Crashes,
    DiesOfKill,
    Respawns,
}

const KILL_TAKES: Duration = Duration::from_millis(1);
const SIGKILL: u8 = 9;
const SIGSEGV: u8 = 11;
const ECONNREFUSED: i32 = 111;

impl Unit {
    pub(crate) fn new(spec: &ServiceSpec) -> Self {
        Self {
            name: spec.settings.name.clone(),
            manager: spec.manager,
            processes: Processes::None,
            end_refused: false,
            by_hand: false,
            number: 0,
            watched: false,
            end_ordered: false,
            ended_by_hand: false,
            killed: false,
            stuck: false,
            answers: false,
            frozen: false,
            start_ordered: false,
            start_queued: false,
            waiting: None,
            behaviour: Behaviour {
                starts_in: spec.starts_in,
                answers_in: spec.answers_in,
                stops_in: spec.stops_in,
                start: StartPlan::Normal,
                stop: StopPlan::Normal,
                answer: AnswerPlan::Well,
                crashes_after: None,
                ready: true,
                in_sight: true,
            },
            enabled: spec.enabled,
            respawns_in: spec.respawns_in,
        }
    }

    /// Its line reads like this now.
    pub(crate) fn reread(&mut self, spec: &ServiceSpec) {
        let behaviour = &mut self.behaviour;
        (behaviour.starts_in, behaviour.answers_in, behaviour.stops_in) =
            (spec.starts_in, spec.answers_in, spec.stops_in);
        (self.enabled, self.respawns_in) = (spec.enabled, spec.respawns_in);
    }

    /// Whether a single process of it is there.
    pub(crate) fn exists(&self) -> bool {
        self.processes != Processes::None
    }

    /// Whether it does its work.
    pub(crate) fn works(&self) -> bool {
        self.processes == Processes::Up && self.answers && self.behaviour.answer == AnswerPlan::Well && !self.frozen
    }

    /// Whether nothing keeps it from working here, if it is told to.
    pub(crate) fn is_sound(&self) -> bool {
        let Behaviour { start, stop, answer, crashes_after, ready, in_sight, .. } = &self.behaviour;
        let behaves = (*start, *stop, *answer) == (StartPlan::Normal, StopPlan::Normal, AnswerPlan::Well);
        behaves && crashes_after.is_none() && *ready && *in_sight && !self.frozen
    }

    /// Whether it lets everybody wait who asks it for something, for its end, too.
    fn answers_nobody(&self) -> bool {
        self.frozen || self.behaviour.answer == AnswerPlan::Never
    }

    /// Whether it can be ended at all.
    pub(crate) fn can_end(&self) -> bool {
        self.behaviour.stop != StopPlan::Undying && self.behaviour.in_sight
    }

    /// Whether its manager has not told of it yet: somebody else starts it, and it is not up.
    pub(crate) fn is_unseen(&self) -> bool {
        self.by_hand && self.processes == Processes::Starting
    }

    /// What a run of one of its checks finds; `None` if the run does not end.
    pub(crate) fn check(&self) -> Option<ScriptOutcome> {
        use engine::ProbeFailure::{HttpStatus, System};
        match (self.processes, self.behaviour.answer) {
            (Processes::Up | Processes::Starting | Processes::Stopping, _) if self.frozen => None,
            (Processes::Up, AnswerPlan::Well | AnswerPlan::Badly) if !self.answers => {
                Some(ScriptOutcome::ProbeFailed(System(ECONNREFUSED)))
            }
            (Processes::Up, AnswerPlan::Well) => Some(ScriptOutcome::Exited(0)),
            (Processes::Up, AnswerPlan::Badly) => Some(ScriptOutcome::ProbeFailed(HttpStatus(500))),
            (Processes::Up | Processes::Starting | Processes::Stopping, AnswerPlan::Never) => None,
            (Processes::Starting | Processes::Stopping, AnswerPlan::Well | AnswerPlan::Badly)
            | (Processes::None, _) => Some(ScriptOutcome::ProbeFailed(System(ECONNREFUSED))),
        }
    }

    /// Carries an order out.
    pub(crate) fn order(&mut self, order: ServiceOrder, out: &mut Vec<Effect>) {
        match order {
            ServiceOrder::Watch => self.watched = true,
            ServiceOrder::Forget => {
                self.watched = false;
                self.waiting = None;
                return;
            }
            ServiceOrder::Start | ServiceOrder::Stop | ServiceOrder::Kill | ServiceOrder::AssessReadiness => {}
        }
        if !self.behaviour.in_sight {
            if order != ServiceOrder::AssessReadiness {
                self.waiting = Some(order);
            }
            out.push(Effect::Report(ServiceReport::Unknown("its manager does not answer".into())));
            return;
        }
        match order {
            ServiceOrder::Watch => self.report_state(out),
            ServiceOrder::Start => self.start(out),
            ServiceOrder::Stop => self.stop(out),
            ServiceOrder::Kill => self.kill(out),
            ServiceOrder::AssessReadiness => {
                let readiness = if self.behaviour.ready { Ok(()) } else { Err("its port is taken".into()) };
                out.push(Effect::Report(ServiceReport::Readiness(readiness)));
            }
            ServiceOrder::Forget => {}
        }
    }

    /// What its manager says if it refuses this for no reason of the service's; `None` if it is no matter of refusing.
    pub(crate) fn refusal(&mut self, order: ServiceOrder) -> Option<ServiceReport> {
        let reason = || Name::from("the system refuses");
        if !self.behaviour.in_sight {
            return None;
        }
        match order {
            ServiceOrder::Start if self.exists() => None,
            ServiceOrder::Start => Some(ServiceReport::StartRefused(reason())),
            ServiceOrder::Stop | ServiceOrder::Kill => {
                self.end_refused = self.exists();
                Some(ServiceReport::StopRefused(reason()))
            }
            ServiceOrder::AssessReadiness => Some(ServiceReport::Readiness(Err(reason()))),
            ServiceOrder::Watch | ServiceOrder::Forget => None,
        }
    }

    /// Whether an end of what is there is under way, or will be asked for once more.
    pub(crate) fn is_ending(&self) -> bool {
        self.processes == Processes::Stopping || self.end_refused
    }

    fn report_state(&self, out: &mut Vec<Effect>) {
        match self.processes {
            Processes::None => out.push(Effect::Report(ServiceReport::Gone(Ending::NotRunning))),
            Processes::Starting if self.start_ordered => {}
            // What is there may do harm, up or not.
            Processes::Starting | Processes::Up | Processes::Stopping => {
                out.push(Effect::Report(ServiceReport::Running))
            }
        }
    }

    fn start(&mut self, out: &mut Vec<Effect>) {
        let refusal = match (self.behaviour.start, self.behaviour.ready) {
            (StartPlan::Refuses, _) => Some("it refuses"),
            (_, false) => Some("its port is taken"),
            (StartPlan::Normal | StartPlan::NeverComesUp, true) => None,
        };
        self.start_ordered = refusal.is_none();
        match (self.processes, refusal) {
            (Processes::None, Some(reason)) => out.push(Effect::Report(ServiceReport::StartRefused(reason.into()))),
            (Processes::None, None) => self.spawn(false, out),
            (Processes::Starting, _) => self.by_hand = false,
            (Processes::Up, _) => out.push(Effect::Report(ServiceReport::Running)),
            (Processes::Stopping, _) => self.start_queued = true,
        }
    }

    fn spawn(&mut self, by_hand: bool, out: &mut Vec<Effect>) {
        self.turn(Processes::Starting);
        self.by_hand = by_hand;
        self.ended_by_hand = false;
        (self.killed, self.end_ordered, self.start_queued) = (false, false, false);
        self.stuck = self.behaviour.start == StartPlan::NeverComesUp;
        if !self.stuck {
            self.next(self.behaviour.starts_in, UnitStep::ComesUp, out);
        }
    }

    fn stop(&mut self, out: &mut Vec<Effect>) {
        self.start_queued = false;
        match self.processes {
            Processes::None => {
                // It may have been about to come back.
                self.number += 1;
                out.push(Effect::Report(ServiceReport::Gone(Ending::NotRunning)));
            }
            Processes::Starting | Processes::Up if self.behaviour.stop == StopPlan::Refuses => {
                out.push(Effect::Report(ServiceReport::StopRefused("it refuses".into())));
            }
            Processes::Starting | Processes::Up => {
                self.end_ordered = true;
                self.begin_to_end(out);
            }
            Processes::Stopping => self.end_ordered = true,
        }
    }

    fn begin_to_end(&mut self, out: &mut Vec<Effect>) {
        self.turn(Processes::Stopping);
        // As SIGCONT behind SIGTERM does.
        self.frozen = false;
        let ends = matches!(self.behaviour.stop, StopPlan::Normal | StopPlan::Refuses);
        if ends && !self.answers_nobody() {
            self.next(self.behaviour.stops_in, UnitStep::Ends, out);
        }
    }

    fn kill(&mut self, out: &mut Vec<Effect>) {
        self.start_queued = false;
        if !self.exists() {
            self.number += 1;
            out.push(Effect::Report(ServiceReport::Gone(Ending::NotRunning)));
            return;
        }
        (self.end_ordered, self.killed) = (true, true);
        self.turn(Processes::Stopping);
        if self.behaviour.stop != StopPlan::Undying {
            self.next(KILL_TAKES, UnitStep::DiesOfKill, out);
        }
    }

    /// The processes do what they were going to, unless something came between.
    pub(crate) fn step(&mut self, number: u64, step: UnitStep, out: &mut Vec<Effect>) {
        if number != self.number {
            return;
        }
        match step {
            UnitStep::ComesUp => {
                self.turn(Processes::Up);
                self.answers = self.behaviour.answers_in.is_zero();
                self.report(ServiceReport::Running, out);
                self.comes_to_answer(out);
                if let Some(after) = self.behaviour.crashes_after {
                    self.next(after, UnitStep::Crashes, out);
                }
            }
            UnitStep::Answers => self.answers = true,
            UnitStep::Crashes => self.crash(out),
            UnitStep::Ends if self.end_ordered => self.is_gone(ServiceReport::Gone(Ending::Exited(0)), out),
            UnitStep::Ends => {
                self.is_gone(ServiceReport::StoppedByHand, out);
                self.ended_by_hand = !self.exists();
            }
            UnitStep::DiesOfKill => self.is_gone(ServiceReport::Gone(Ending::Signalled(SIGKILL)), out),
            UnitStep::Respawns => self.spawn(true, out),
        }
    }

    /// What is up is on its way to do its work.
    fn comes_to_answer(&self, out: &mut Vec<Effect>) {
        if self.processes == Processes::Up && !self.answers {
            self.next(self.behaviour.answers_in, UnitStep::Answers, out);
        }
    }

    fn is_gone(&mut self, report: ServiceReport, out: &mut Vec<Effect>) {
        self.turn(Processes::None);
        if std::mem::take(&mut self.start_queued) {
            self.spawn(false, out);
        } else {
            self.report(report, out);
        }
    }

    fn crash(&mut self, out: &mut Vec<Effect>) {
        let while_ending = self.processes == Processes::Stopping;
        self.is_gone(ServiceReport::Gone(Ending::Signalled(SIGSEGV)), out);
        if let (Some(after), false, false) = (self.respawns_in, while_ending, self.exists()) {
            self.next(after, UnitStep::Respawns, out);
        }
    }

    /// What the plan makes happen to it.
    pub(crate) fn act(&mut self, act: ServiceAct, out: &mut Vec<Effect>) -> Result<(), &'static str> {
        match act {
            ServiceAct::Crashes if !self.exists() => return Err("it does not run"),
            ServiceAct::Crashes => self.crash(out),
            ServiceAct::CrashesAfter(after) => {
                self.behaviour.crashes_after = Some(after);
                if self.processes == Processes::Up {
                    self.number += 1;
                    self.next(after, UnitStep::Crashes, out);
                    self.comes_to_answer(out);
                }
            }
            ServiceAct::Holds => {
                self.behaviour.crashes_after = None;
                // What was to come of it comes no more.
                self.number += u64::from(self.processes == Processes::Up);
                self.comes_to_answer(out);
            }
            ServiceAct::Hangs => {
                self.behaviour.answer = AnswerPlan::Never;
                self.number += u64::from(self.processes == Processes::Stopping && !self.killed);
            }
            ServiceAct::Freezes if !self.exists() => return Err("it does not run"),
            ServiceAct::Freezes => {
                self.frozen = true;
                self.number += u64::from(!self.killed);
            }
            ServiceAct::AnswersBadly | ServiceAct::Answers => {
                let badly = act == ServiceAct::AnswersBadly;
                self.behaviour.answer = if badly { AnswerPlan::Badly } else { AnswerPlan::Well };
                self.thaw(out);
                self.end_after_all(out);
            }
            ServiceAct::RefusesToStart => self.behaviour.start = StartPlan::Refuses,
            ServiceAct::NeverComesUp => {
                self.behaviour.start = StartPlan::NeverComesUp;
                self.stuck = self.processes == Processes::Starting;
                self.number += u64::from(self.stuck);
            }
            ServiceAct::Starts => {
                self.behaviour.start = StartPlan::Normal;
                if std::mem::take(&mut self.stuck) && !self.frozen {
                    self.next(self.behaviour.starts_in, UnitStep::ComesUp, out);
                }
            }
            ServiceAct::RefusesToStop => self.behaviour.stop = StopPlan::Refuses,
            ServiceAct::IgnoresStop => self.behaviour.stop = StopPlan::Deaf,
            ServiceAct::CannotDie => self.behaviour.stop = StopPlan::Undying,
            ServiceAct::Stops => {
                self.behaviour.stop = StopPlan::Normal;
                self.end_after_all(out);
            }
            ServiceAct::NotReady => self.behaviour.ready = false,
            ServiceAct::Ready => self.behaviour.ready = true,
            ServiceAct::OutOfSight => {
                if std::mem::replace(&mut self.behaviour.in_sight, false) && self.watched {
                    out.push(Effect::Report(ServiceReport::Unknown("its manager does not answer".into())));
                }
            }
            ServiceAct::InSight => {
                if !std::mem::replace(&mut self.behaviour.in_sight, true) {
                    match self.waiting.take() {
                        Some(order) => self.order(order, out),
                        None if self.watched => self.report_state(out),
                        None => {}
                    }
                }
            }
            ServiceAct::StartedByHand if self.exists() => return Err("it runs already"),
            ServiceAct::StartedByHand => self.spawn(true, out),
            ServiceAct::StoppedByHand => match self.processes {
                Processes::Starting | Processes::Up => self.begin_to_end(out),
                Processes::None | Processes::Stopping => return Err("it does not run"),
            },
            ServiceAct::StartsIn(span) => self.behaviour.starts_in = span,
            ServiceAct::AnswersIn(span) => self.behaviour.answers_in = span,
            ServiceAct::StopsIn(span) => self.behaviour.stops_in = span,
        }
        Ok(())
    }

    /// It goes on where it was; what was ending is up to [`Self::end_after_all`].
    fn thaw(&mut self, out: &mut Vec<Effect>) {
        if !std::mem::take(&mut self.frozen) {
            return;
        }
        self.comes_to_answer(out);
        match (self.processes, self.behaviour.crashes_after) {
            (Processes::Starting, _) if !self.stuck => self.next(self.behaviour.starts_in, UnitStep::ComesUp, out),
            (Processes::Up, Some(after)) => self.next(after, UnitStep::Crashes, out),
            (Processes::None | Processes::Starting | Processes::Up | Processes::Stopping, _) => {}
        }
    }

    /// What kept it from ending is over.
    fn end_after_all(&mut self, out: &mut Vec<Effect>) {
        if self.processes != Processes::Stopping || self.behaviour.stop == StopPlan::Undying {
            return;
        }
        self.number += 1;
        if self.killed {
            self.next(KILL_TAKES, UnitStep::DiesOfKill, out);
        } else if matches!(self.behaviour.stop, StopPlan::Normal | StopPlan::Refuses) && !self.answers_nobody() {
            self.next(self.behaviour.stops_in, UnitStep::Ends, out);
        }
    }

    /// The daemon is gone without a word.
    pub(crate) fn daemon_died(&mut self) {
        self.daemon_left();
        if self.manager == ManagerPlan::Command {
            self.turn(Processes::None);
        }
    }

    /// The daemon has gone in order.
    pub(crate) fn daemon_left(&mut self) {
        (self.watched, self.start_ordered) = (false, false);
        self.waiting = None;
    }

    pub(crate) fn lose_power(&mut self) {
        self.daemon_left();
        self.start_queued = false;
        self.turn(Processes::None);
    }

    pub(crate) fn boot(&mut self, out: &mut Vec<Effect>) {
        if self.enabled {
            self.spawn(true, out);
        }
    }

    fn turn(&mut self, processes: Processes) {
        self.processes = processes;
        self.number += 1;
        self.stuck = false;
        self.frozen &= processes != Processes::None;
        self.end_refused &= processes != Processes::None;
    }

    fn next(&self, after: Duration, step: UnitStep, out: &mut Vec<Effect>) {
        out.push(Effect::Next { after, number: self.number, step });
    }

    fn report(&self, report: ServiceReport, out: &mut Vec<Effect>) {
        if self.watched && self.behaviour.in_sight {
            out.push(Effect::Report(report));
        }
    }
}
