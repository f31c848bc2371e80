//! Who starts, watches and stops a service, and what is known to be left of it there.

use std::sync::Arc;
use std::time::Duration;

use engine::{Name, ServiceOrder, ServiceReport};

use super::command::CommandService;
use super::control_groups::ServiceGroups;
use super::mark::Mark;
use super::outside::Outside;
use super::plan::{ManagerPlan, ServicePlan};
use super::scripts::ScriptedService;
use super::{Briefing, Context, Service};

#[derive(Debug)]
pub(super) enum Manager {
    Command(CommandService),
    Scripts(ScriptedService),
    Outside {
        plan: ManagerPlan,
        /// The name under which the manager knows it; `None` if there is nobody to talk to it.
        known_as: Option<Name>,
        left: Left,
    },
}

/// What is left of a service elsewhere, as far as was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing, or nobody has asked yet.
    Nothing,
    /// It was asked for, and there is no answer yet.
    Unknown,
    /// It runs, or is about to.
    Seen,
}

impl Manager {
    /// `add` makes a service known to a manager of its own. Its refusal comes back; all orders are then answered by it.
    pub(super) fn new(
        name: &Name,
        plan: &ManagerPlan,
        briefing: Briefing,
        mark: impl FnOnce() -> Mark,
        groups: Option<ServiceGroups>,
        add: impl FnOnce(&ManagerPlan) -> linux::Result<Name>,
    ) -> (Self, Option<linux::Error>) {
        match plan {
            ManagerPlan::Command { recipe } => {
                (Self::Command(CommandService::new(name.clone(), Arc::clone(recipe), mark(), groups, briefing)), None)
            }
            ManagerPlan::Scripts { start, stop, status } => {
                let [start, stop, status] = [start, stop, status].map(Arc::clone);
                (Self::Scripts(ScriptedService::new(name.clone(), start, stop, status)), None)
            }
            ManagerPlan::Systemd { .. } | ManagerPlan::Docker { .. } => {
                let (known_as, refusal) = match add(plan) {
                    Ok(known_as) => (Some(known_as), None),
                    Err(error) => (None, Some(error)),
                };
                (Self::Outside { plan: plan.clone(), known_as, left: Left::Nothing }, refusal)
            }
        }
    }

    /// Whether nothing of it runs, or nobody has asked for it yet.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Self::Command(command) => command.is_gone(),
            Self::Scripts(scripts) => scripts.is_gone(),
            Self::Outside { left, .. } => *left == Left::Nothing,
        }
    }

    /// Whether nothing is known to run. That nobody can tell must not keep an operator from naming another manager.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Command(command) => command.is_gone(),
            Self::Scripts(scripts) => scripts.is_idle(),
            Self::Outside { left, .. } => *left != Left::Seen,
        }
    }

    /// How often what runs now was told to say that it is well; `None` if it runs and was not.
    pub(super) const fn notices(&self) -> Option<Duration> {
        match self {
            Self::Command(command) => command.notices(),
            Self::Scripts(_) | Self::Outside { .. } => None,
        }
    }

    pub(super) fn order(&mut self, name: &Name, order: ServiceOrder, outside: &mut Outside, context: &mut Context<'_>) {
        let (plan, known_as, left) = match self {
            Self::Command(command) => return command.order(order, context),
            Self::Scripts(scripts) => return scripts.order(order, context),
            Self::Outside { plan, known_as, left } => (plan, known_as, left),
        };
        let Some(known_as) = known_as else {
            let reason = Name::from("there is nobody to talk to its manager");
            return match order {
                ServiceOrder::Watch | ServiceOrder::Stop | ServiceOrder::Kill => {
                    context.report(name, ServiceReport::Unknown(reason));
                }
                ServiceOrder::Start => context.report(name, ServiceReport::StartRefused(reason)),
                ServiceOrder::AssessReadiness => context.report(name, ServiceReport::Readiness(Err(reason))),
                ServiceOrder::Forget => {}
            };
        };
        match (order, *left) {
            (ServiceOrder::Start, _) => *left = Left::Seen,
            (ServiceOrder::Watch | ServiceOrder::Stop | ServiceOrder::Kill, Left::Nothing) => *left = Left::Unknown,
            (ServiceOrder::Watch | ServiceOrder::Stop | ServiceOrder::Kill, Left::Unknown | Left::Seen) => {}
            (ServiceOrder::Forget, _) => *left = Left::Nothing,
            (ServiceOrder::AssessReadiness, _) => {}
        }
        outside.order(known_as, plan, order);
    }
}

impl Service {
    /// Another configuration of it.
    pub(super) fn replan(&mut self, plan: ServicePlan, briefing: Briefing) {
        self.readiness.replan(&plan);
        self.next = None;
        match (&mut self.manager, &plan.manager) {
            (Manager::Command(command), ManagerPlan::Command { recipe }) => {
                command.recipe = Arc::clone(recipe);
                command.told = briefing;
            }
            (Manager::Scripts(scripts), ManagerPlan::Scripts { start, stop, status }) => {
                [scripts.start, scripts.stop, scripts.status] = [start, stop, status].map(Arc::clone);
            }
            (Manager::Outside { plan, .. }, new) if plan == new => {}
            (_, new) => self.next = Some(Some(new.clone())),
        }
        let manager = match self.next {
            None => plan.manager.clone(),
            Some(_) => self.plan.manager.clone(),
        };
        self.plan = ServicePlan { manager, ..plan };
    }
}
