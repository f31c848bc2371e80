//! Whether a service could be started here: its programs are there and may run, what it needs is free, and the operator's
//! own programs agree. Nothing of the service itself is started.

use std::ffi::CString;
use std::sync::Arc;

use engine::{Name, ServiceReport};
use linux::process::signal_group;
use linux::signals::Signal;
use linux::spawn::Exit;
use linux::system_log::Severity;

use super::needs::Needs;
use super::plan::{Recipe, ServicePlan};
use super::scripts::how;
use super::worker::Job;
use super::{Context, told};
use crate::children::{Purpose, ServiceChild};

/// Who takes longer to answer has said no, in nanoseconds: a program is killed, a thread is left where it hangs.
const TIMEOUT: u64 = 30_000_000_000;

/// The assessment of one service.
#[derive(Debug)]
pub(super) struct Readiness {
    service: Name,
    needs: Arc<Needs>,
    /// Programs of the operator's that are asked one after the other: `could_start`, then checks that run on standby.
    questions: Vec<Arc<Recipe>>,
    /// What they are told in their environment.
    briefing: Vec<CString>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    /// A thread looks at programs, ports and disks.
    Looking {
        until: u64,
        /// It has not come back in time: that was the answer, and is until it does.
        hangs: bool,
    },
    Asking {
        /// Which question.
        place: usize,
        pid: u32,
        until: u64,
        killed: bool,
    },
}

impl Readiness {
    pub(super) fn new(plan: &ServicePlan) -> Self {
        let briefing = told(&[("TANIST_SERVICE", &plan.name)]);
        let mut readiness = Self {
            service: plan.name.clone(),
            needs: Arc::default(),
            questions: Vec::new(),
            briefing,
            state: State::Idle,
        };
        readiness.replan(plan);
        readiness
    }

    /// Another configuration.
    pub(super) fn replan(&mut self, plan: &ServicePlan) {
        self.needs = Arc::clone(&plan.needs);
        self.questions = plan.could_start.iter().chain(&plan.standby_checks).map(Arc::clone).collect();
    }

    /// What the operator's programs are told from now on.
    pub(super) fn brief(&mut self, briefing: Vec<CString>) {
        self.briefing = briefing;
    }

    /// Whether it is not enough that its manager says yes.
    pub(super) fn asks_more(&self) -> bool {
        !self.questions.is_empty() || !self.needs.is_nothing()
    }

    /// Looks at these programs, then asks. An assessment that is under way answers for this one, too.
    pub(super) fn assess(&mut self, mut recipes: Vec<Arc<Recipe>>, context: &mut Context<'_>) {
        match self.state {
            State::Idle => {}
            State::Looking { hangs: true, .. } => return self.report_hanging(context),
            State::Looking { hangs: false, .. } | State::Asking { .. } => return,
        }
        recipes.extend(self.questions.iter().cloned());
        let job = Job::Prepare { service: self.service.clone(), recipes, needs: Arc::clone(&self.needs) };
        match context.ask(job) {
            Ok(()) => self.state = State::Looking { until: context.now + TIMEOUT, hangs: false },
            Err(error) => self.answer(Err(error.to_string()), context),
        }
    }

    /// Programs, ports and disks have been looked at.
    pub(super) fn looked(&mut self, result: Result<(), String>, context: &mut Context<'_>) {
        match (&self.state, result) {
            // Long ago; the next assessment sees how it is now.
            (State::Looking { hangs: true, .. }, _) => self.state = State::Idle,
            (State::Looking { hangs: false, .. }, Ok(())) => self.ask(0, context),
            (State::Looking { hangs: false, .. }, Err(reason)) => self.answer(Err(reason), context),
            (State::Idle | State::Asking { .. }, _) => {}
        }
    }

    fn ask(&mut self, place: usize, context: &mut Context<'_>) {
        let Some(recipe) = self.questions.get(place) else { return self.answer(Ok(()), context) };
        let started = recipe
            .program()
            .and_then(|program| program.start_telling(&[], &self.briefing).map_err(|error| error.to_string()));
        match started {
            Ok(child) => {
                context.children.insert(child.pid, Purpose::Service(ServiceChild::CouldStart(self.service.clone())));
                self.state = State::Asking { place, pid: child.pid, until: context.now + TIMEOUT, killed: false };
            }
            Err(reason) => self.answer(Err(reason), context),
        }
    }

    /// A program that was asked has ended.
    pub(super) fn asked(&mut self, pid: u32, exit: Exit, context: &mut Context<'_>) {
        let State::Asking { place, pid: asking, killed, .. } = self.state else { return };
        if asking != pid {
            return;
        }
        let label = self.questions.get(place).map(|recipe| recipe.label()).unwrap_or_default();
        match exit {
            _ if killed => self.answer(Err(format!("`{label}` has not ended within 30 s")), context),
            Exit::Code(0) => self.ask(place + 1, context),
            _ => self.answer(Err(format!("`{label}` {}", how(exit))), context),
        }
    }

    fn answer(&mut self, result: Result<(), String>, context: &mut Context<'_>) {
        self.state = State::Idle;
        self.report(result, context);
    }

    fn report(&self, result: Result<(), String>, context: &mut Context<'_>) {
        let result = result.map_err(|reason| Name::from(reason.as_str()));
        context.report(&self.service, ServiceReport::Readiness(result));
    }

    fn report_hanging(&self, context: &mut Context<'_>) {
        let reason = "looking at its programs and disks takes longer than 30 s: does a disk hang?";
        self.report(Err(reason.to_owned()), context);
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Asking { until, killed: false, .. } | State::Looking { until, hangs: false } => Some(until),
            State::Idle | State::Looking { .. } | State::Asking { .. } => None,
        }
    }

    pub(super) fn handle_timer(&mut self, context: &mut Context<'_>) {
        match &mut self.state {
            State::Asking { pid, until, killed: killed @ false, .. } if *until <= context.now => {
                *killed = true;
                if let Err(error) = signal_group(*pid, Signal::KILL) {
                    context.tell(Severity::Warning, format!("({}) {error}", self.service));
                }
            }
            State::Looking { until, hangs: hangs @ false } if *until <= context.now => {
                *hangs = true;
                self.report_hanging(context);
            }
            State::Idle | State::Looking { .. } | State::Asking { .. } => {}
        }
    }
}
