//! Whether a service could be started here: its programs are there and may run, and the operator's `could_start`
//! agrees. Nothing of the service itself is started.

use std::sync::Arc;

use engine::{Name, ServiceReport};
use linux::process::signal_group;
use linux::signals::Signal;
use linux::spawn::Exit;
use linux::system_log::Severity;

use super::plan::Recipe;
use super::scripts::how;
use super::worker::Job;
use super::{Context, told};
use crate::children::{Purpose, ServiceChild};

/// A `could_start` that takes longer is killed and has said no, in nanoseconds.
const TIMEOUT: u64 = 30_000_000_000;

/// The assessment of one service.
#[derive(Debug)]
pub(super) struct Readiness {
    service: Name,
    pub(super) could_start: Option<Arc<Recipe>>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    /// The programs are being looked at.
    Looking,
    Asking {
        pid: u32,
        until: u64,
        killed: bool,
    },
}

impl Readiness {
    pub(super) const fn new(service: Name, could_start: Option<Arc<Recipe>>) -> Self {
        Self { service, could_start, state: State::Idle }
    }

    /// Looks at these programs, then asks. An assessment that is under way answers for this one, too.
    pub(super) fn assess(&mut self, mut recipes: Vec<Arc<Recipe>>, context: &mut Context<'_>) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        recipes.extend(self.could_start.clone());
        match context.ask(Job::Prepare { service: self.service.clone(), recipes }) {
            Ok(()) => self.state = State::Looking,
            Err(error) => self.answer(Err(error.to_string()), context),
        }
    }

    /// The programs have been looked at.
    pub(super) fn looked(&mut self, result: Result<(), String>, context: &mut Context<'_>) {
        if !matches!(self.state, State::Looking) {
            return;
        }
        match result {
            Ok(()) => self.ask(context),
            Err(reason) => self.answer(Err(reason), context),
        }
    }

    fn ask(&mut self, context: &mut Context<'_>) {
        let Some(recipe) = &self.could_start else { return self.answer(Ok(()), context) };
        let environment = told(&[("TANIST_SERVICE", &self.service)]);
        let started = recipe
            .program()
            .and_then(|program| program.start_telling(&[], &environment).map_err(|error| error.to_string()));
        match started {
            Ok(child) => {
                context.children.insert(child.pid, Purpose::Service(ServiceChild::CouldStart(self.service.clone())));
                self.state = State::Asking { pid: child.pid, until: context.now + TIMEOUT, killed: false };
            }
            Err(reason) => self.answer(Err(reason), context),
        }
    }

    /// `could_start` has ended.
    pub(super) fn asked(&mut self, pid: u32, exit: Exit, context: &mut Context<'_>) {
        let State::Asking { pid: asking, killed, .. } = self.state else { return };
        if asking != pid {
            return;
        }
        let label = self.could_start.as_ref().map(|recipe| recipe.label()).unwrap_or_default();
        let result = match exit {
            _ if killed => Err(format!("`{label}` has not ended within 30 s")),
            Exit::Code(0) => Ok(()),
            _ => Err(format!("`{label}` {}", how(exit))),
        };
        self.answer(result, context);
    }

    fn answer(&mut self, result: Result<(), String>, context: &mut Context<'_>) {
        self.state = State::Idle;
        let result = result.map_err(|reason| Name::from(reason.as_str()));
        context.report(&self.service, ServiceReport::Readiness(result));
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Asking { until, killed: false, .. } => Some(until),
            State::Idle | State::Looking | State::Asking { .. } => None,
        }
    }

    pub(super) fn handle_timer(&mut self, context: &mut Context<'_>) {
        if let State::Asking { pid, until, killed: killed @ false } = &mut self.state
            && *until <= context.now
        {
            *killed = true;
            if let Err(error) = signal_group(*pid, Signal::KILL) {
                context.tell(Severity::Warning, format!("({}) {error}", self.service));
            }
        }
    }
}
