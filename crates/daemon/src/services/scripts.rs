//! `start "…" stop "…" status "…"`: three programs of the operator's, never two of them at once.
//!
//! Nobody tells us when such a service dies, so its status script runs again and again: that is a fork each second on
//! the active node, which the other kinds of services do without. Only `status` counts: what `start` and `stop` say by
//! status 0 is believed when `status` agrees.

use std::sync::Arc;

use engine::{Ending, Name, ServiceOrder, ServiceReport};
use linux::process::signal_group;
use linux::signals::Signal;
use linux::spawn::Exit;
use linux::system_log::Severity;

use super::Context;
use super::plan::Recipe;
use crate::children::{Purpose, ServiceChild};

/// From one look to the next while it runs, in nanoseconds.
const RUNNING_INTERVAL: u64 = 1_000_000_000;
/// While it does not: somebody else may start it.
const IDLE_INTERVAL: u64 = 3_000_000_000;
/// While it is coming or going.
const CHANGING_INTERVAL: u64 = 100_000_000;
/// A status script that takes longer is killed.
const STATUS_TIMEOUT: u64 = 10_000_000_000;
/// A `stop` that was begun by a `Kill` is not killed by the next ones for so long.
const STOP_AGAIN: u64 = 30_000_000_000;

#[derive(Debug)]
pub(super) struct ScriptedService {
    name: Name,
    pub(super) start: Arc<Recipe>,
    pub(super) stop: Arc<Recipe>,
    pub(super) status: Arc<Recipe>,
    goal: Goal,
    run: Option<Run>,
    /// What was reported last.
    known: Known,
    /// It was seen to run, or was told to start, and nobody has seen since that it is gone.
    seen: bool,
    /// When `status` is asked next; `None` while nobody wants to know.
    look_at: Option<u64>,
    /// The newest order was to kill.
    by_kill: bool,
    /// `start` has failed, for this reason. Whether it has started something nevertheless, `status` knows.
    start_failed: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Only know how it is.
    Watch,
    /// `ran`: its script has said that it is done.
    Start {
        ran: bool,
    },
    Stop {
        ran: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    /// That nobody can tell.
    Unknown,
    Running,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Start,
    Stop,
    Status,
}

#[derive(Debug)]
struct Run {
    what: What,
    pid: u32,
    started_at: u64,
    /// It was begun by an order to kill.
    by_kill: bool,
    killed: bool,
}

impl ScriptedService {
    pub(super) fn new(name: Name, start: Arc<Recipe>, stop: Arc<Recipe>, status: Arc<Recipe>) -> Self {
        Self {
            name,
            start,
            stop,
            status,
            goal: Goal::Watch,
            run: None,
            known: Known::Nothing,
            seen: false,
            look_at: None,
            by_kill: false,
            start_failed: None,
        }
    }

    /// Whether nothing of it runs, or nobody has asked for it yet.
    pub(super) fn is_gone(&self) -> bool {
        self.is_idle() && (self.known == Known::Gone || self.look_at.is_none())
    }

    /// Whether nothing is known to run, be it that nobody can tell, and nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.goal == Goal::Watch && !self.seen && self.run.is_none()
    }

    pub(super) fn order(&mut self, order: ServiceOrder, context: &mut Context<'_>) {
        if order != ServiceOrder::AssessReadiness {
            self.by_kill = order == ServiceOrder::Kill;
        }
        match order {
            ServiceOrder::Watch => {
                self.known = Known::Nothing;
                self.look_at = Some(context.now);
            }
            ServiceOrder::Start => {
                (self.goal, self.start_failed, self.seen) = (Goal::Start { ran: false }, None, true);
            }
            ServiceOrder::Stop => self.goal = Goal::Stop { ran: false },
            ServiceOrder::Kill => {
                let now = context.now;
                let hopeful = |run: &Run| run.by_kill && now.saturating_sub(run.started_at) < STOP_AGAIN;
                if self.run.as_ref().is_none_or(|run| !hopeful(run)) {
                    self.goal = Goal::Stop { ran: false };
                    self.kill_run(context);
                }
            }
            // Assessed for all kinds of services alike.
            ServiceOrder::AssessReadiness => {}
            ServiceOrder::Forget => {
                // A start or stop that has begun is finished; nobody follows up on it.
                (self.goal, self.known, self.look_at, self.seen) = (Goal::Watch, Known::Nothing, None, false);
            }
        }
        self.go_on(context);
    }

    /// The daemon ends, and cannot wait for much. A `stop` that is under way goes on; anything else makes room for one.
    pub(super) fn abandon(&mut self, context: &mut Context<'_>) {
        let stops = matches!(self.goal, Goal::Stop { .. });
        let is_wanted = |run: &Run| stops && run.what != What::Start && !run.killed;
        if !stops && !self.seen && self.run.as_ref().is_none_or(|run| run.what != What::Start) {
            return;
        }
        if self.run.as_ref().is_some_and(|run| !is_wanted(run)) {
            self.kill_run(context);
        }
        if !stops {
            self.goal = Goal::Stop { ran: false };
        }
        self.go_on(context);
    }

    /// Whether it is to be ended, and its `stop` has not begun.
    pub(super) fn waits_for_stop(&self) -> bool {
        self.goal == Goal::Stop { ran: false } && self.run.as_ref().is_none_or(|run| run.what != What::Stop)
    }

    /// What goes on without us.
    pub(super) fn leftover(&self) -> Option<String> {
        match &self.run {
            Some(Run { what: What::Stop, pid, .. }) => Some(format!(
                "its `stop` (process {pid}) is still running and goes on without us; nobody will know whether the service has \
                 ended"
            )),
            Some(_) | None if self.is_gone() => None,
            Some(_) | None => Some(format!("`{}` does not say that it is gone", self.status.label())),
        }
    }

    /// Runs what is to be run next, unless something runs.
    fn go_on(&mut self, context: &mut Context<'_>) {
        if self.run.is_some() {
            return;
        }
        let looks = self.look_at.is_some_and(|at| at <= context.now);
        match self.goal {
            Goal::Start { ran: false } => self.begin(What::Start, context),
            Goal::Stop { ran: false } => self.begin(What::Stop, context),
            Goal::Watch | Goal::Start { ran: true } | Goal::Stop { ran: true } if looks => {
                self.begin(What::Status, context);
            }
            Goal::Watch | Goal::Start { ran: true } | Goal::Stop { ran: true } => {}
        }
    }

    fn begin(&mut self, what: What, context: &mut Context<'_>) {
        let recipe = self.recipe(what);
        let environment = super::told(&[("TANIST_SERVICE", &self.name)]);
        let started = recipe
            .program()
            .and_then(|program| program.start_telling(&[], &environment).map_err(|error| error.to_string()));
        match started {
            Ok(child) => {
                context.children.insert(child.pid, Purpose::Service(ServiceChild::Script(self.name.clone())));
                self.run =
                    Some(Run { what, pid: child.pid, started_at: context.now, by_kill: self.by_kill, killed: false });
            }
            Err(reason) => self.failed(what, &reason, context),
        }
    }

    fn recipe(&self, what: What) -> &Recipe {
        match what {
            What::Start => &self.start,
            What::Stop => &self.stop,
            What::Status => &self.status,
        }
    }

    fn kill_run(&mut self, context: &mut Context<'_>) {
        if let Some(run) = &mut self.run {
            run.killed = true;
            if let Err(error) = signal_group(run.pid, Signal::KILL) {
                context.tell(Severity::Warning, format!("({}) {error}", self.name));
            }
        }
    }

    /// One of its scripts has ended.
    pub(super) fn ended(&mut self, pid: u32, exit: Exit, context: &mut Context<'_>) {
        let Some(run) = self.run.take_if(|run| run.pid == pid) else { return };
        if run.what != What::Status {
            let milliseconds = context.now.saturating_sub(run.started_at) / 1_000_000;
            let severity = if exit == Exit::Code(0) { Severity::Info } else { Severity::Warning };
            let (label, how) = (self.recipe(run.what).label(), how(exit));
            context.tell(severity, format!("({}) {label} {how} after {milliseconds} ms", self.name));
        }
        match run.what {
            What::Start | What::Stop => self.acted(&run, exit, context),
            What::Status => self.looked(&run, exit, context),
        }
        self.go_on(context);
    }

    fn acted(&mut self, run: &Run, exit: Exit, context: &mut Context<'_>) {
        self.look_at = self.look_at.map(|_| context.now);
        match (run.what, self.goal) {
            // What was killed for an order to kill is followed by a stop, which is told.
            _ if run.killed => {}
            (What::Start, Goal::Start { ran: false }) if exit == Exit::Code(0) => {
                self.goal = Goal::Start { ran: true };
                self.look_at = Some(context.now);
            }
            (What::Stop, Goal::Stop { ran: false }) if exit == Exit::Code(0) => {
                self.goal = Goal::Stop { ran: true };
                self.look_at = Some(context.now);
            }
            (What::Start, Goal::Start { .. }) => {
                self.start_failed = Some(format!("`{}` {}", self.recipe(run.what).label(), how(exit)));
                self.goal = Goal::Start { ran: true };
                self.look_at = Some(context.now);
            }
            (What::Stop, Goal::Stop { .. }) => {
                let reason = format!("`{}` {}", self.recipe(run.what).label(), how(exit));
                self.failed(run.what, &reason, context);
            }
            // The orders have changed meanwhile.
            _ => {}
        }
    }

    fn looked(&mut self, run: &Run, exit: Exit, context: &mut Context<'_>) {
        let interval = match (self.goal, exit) {
            (Goal::Start { .. } | Goal::Stop { .. }, _) => CHANGING_INTERVAL,
            (Goal::Watch, Exit::Code(0)) => RUNNING_INTERVAL,
            (Goal::Watch, _) => IDLE_INTERVAL,
        };
        self.look_at = self.look_at.map(|_| context.now + interval);
        if run.killed {
            return;
        }
        match (self.goal, exit) {
            (Goal::Start { ran: true }, Exit::Code(0)) => self.is(Known::Running, exit, context),
            (Goal::Start { ran: true }, Exit::Code(1..)) => {
                if let Some(reason) = self.start_failed.take() {
                    self.failed(What::Start, &reason, context);
                }
            }
            (Goal::Stop { ran: true }, Exit::Code(1..)) => self.is(Known::Gone, exit, context),
            // Something that crashes has not seen that it is gone.
            (Goal::Watch | Goal::Stop { .. }, Exit::Signal(_)) => {
                let reason = format!("`{}` {}", self.status.label(), how(exit));
                self.failed(What::Status, &reason, context);
            }
            (Goal::Watch, Exit::Code(0)) if self.known != Known::Running => self.is(Known::Running, exit, context),
            (Goal::Watch, Exit::Code(1..)) if self.known != Known::Gone => self.is(Known::Gone, exit, context),
            // Not there yet, nothing new, or the orders have changed meanwhile.
            _ => {}
        }
    }

    fn is(&mut self, known: Known, exit: Exit, context: &mut Context<'_>) {
        let by_itself = self.goal == Goal::Watch && self.known == Known::Running;
        (self.goal, self.known, self.seen) = (Goal::Watch, known, known == Known::Running);
        let interval = if known == Known::Running { RUNNING_INTERVAL } else { IDLE_INTERVAL };
        self.look_at = Some(context.now + interval);
        let report = match known {
            Known::Running => ServiceReport::Running,
            Known::Nothing | Known::Unknown => return,
            Known::Gone if by_itself => {
                let said = format!("`{}` {}", self.status.label(), how(exit));
                ServiceReport::Gone(Ending::Said(Name::from(said.as_str())))
            }
            Known::Gone => ServiceReport::Gone(Ending::NotRunning),
        };
        context.report(&self.name, report);
    }

    fn failed(&mut self, what: What, reason: &str, context: &mut Context<'_>) {
        self.look_at = self.look_at.map(|_| context.now + RUNNING_INTERVAL);
        if what == What::Status && std::mem::replace(&mut self.known, Known::Unknown) == Known::Unknown {
            return;
        }
        let reason = Name::from(reason);
        let report = match what {
            What::Start => ServiceReport::StartRefused(reason),
            What::Stop => ServiceReport::StopRefused(reason),
            What::Status => ServiceReport::Unknown(reason),
        };
        if what != What::Status {
            self.goal = Goal::Watch;
        }
        context.report(&self.name, report);
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match &self.run {
            Some(Run { what: What::Status, killed: false, started_at, .. }) => Some(started_at + STATUS_TIMEOUT),
            Some(_) => None,
            None => self.look_at,
        }
    }

    pub(super) fn handle_timer(&mut self, context: &mut Context<'_>) {
        let too_long =
            |run: &Run| run.what == What::Status && !run.killed && run.started_at + STATUS_TIMEOUT <= context.now;
        if self.run.as_ref().is_some_and(too_long) {
            self.kill_run(context);
            let reason = format!("`{}` has not ended within 10 s", self.status.label());
            self.failed(What::Status, &reason, context);
        }
        self.go_on(context);
    }
}

/// How something ended, for people.
pub(super) fn how(exit: Exit) -> String {
    match exit {
        Exit::Code(0) => "succeeded".to_owned(),
        Exit::Code(status) => format!("exited with status {status}"),
        Exit::Signal(signal) => format!("was ended by signal {signal}"),
    }
}
