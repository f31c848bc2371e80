//! One engine and the managers of its services: what it orders must fit what it was told and what role it has.

use engine::{
    Engine, Event, Hook, HookCall, Input, Name, Output, ServiceOrder, ServiceReport, ServiceStateName, StateName, View,
    Vrid,
};

use super::Rule;
use super::step::{Broken, Step};
use crate::coverage::{Coverage, Kind, ServiceKind};

/// What is remembered of a daemon's services.
#[derive(Debug, Default)]
pub(crate) struct OrderWatch {
    services: Vec<Known>,
    hooks: u64,
}

/// What a daemon can know of a service.
#[derive(Debug)]
struct Known {
    name: Name,
    /// As reported last; `None` before the first report.
    runs: Option<bool>,
    /// Told to start, and neither up nor refused nor gone since.
    starting: bool,
    /// Told to end, and not gone since.
    ending: bool,
    /// Its manager would not: it may be told again, or killed.
    refused: bool,
    /// The state that was told last.
    told: ServiceStateName,
    /// The epoch whose taking was told to a hook last.
    taken_over: u64,
    /// The newest that a hook was told.
    hook_epoch: u64,
    /// The routers in whose role it runs. Each role counts its epochs.
    role: Vec<Vrid>,
}

impl OrderWatch {
    fn known(&mut self, name: &str) -> &mut Known {
        let place = self.services.iter().position(|known| &*known.name == name).unwrap_or_else(|| {
            self.services.push(Known {
                name: name.into(),
                runs: None,
                starting: false,
                ending: false,
                refused: false,
                told: ServiceStateName::Unknown,
                taken_over: 0,
                hook_epoch: 0,
                role: Vec::new(),
            });
            self.services.len() - 1
        });
        &mut self.services[place]
    }

    /// Remembers what the engine is about to hear, and counts which state of a service meets which input.
    pub(crate) fn before(&mut self, view: &View, kind: Kind, input: &Input<'_>, coverage: &mut Coverage) {
        for known in &view.services {
            match input {
                Input::Service { service, report } if **service == *known.name => {
                    coverage.count_service(known.state, report_kind(report));
                }
                Input::Service { .. } => {}
                _ => coverage.count_service(known.state, ServiceKind::Other(kind)),
            }
        }
        let Input::Service { service, report } = input else { return };
        let known = self.known(service);
        match report {
            ServiceReport::Running => (known.runs, known.starting) = (Some(true), false),
            ServiceReport::Gone(_) | ServiceReport::StoppedByHand => {
                (known.runs, known.starting, known.ending) = (Some(false), false, false);
            }
            ServiceReport::StartRefused(_) => (known.runs, known.starting) = (Some(false), false),
            ServiceReport::StopRefused(_) => known.refused = true,
            // What was known last still is; what was ordered will be carried out.
            ServiceReport::Unknown(_) | ServiceReport::Readiness(_) => {}
        }
    }

    /// Examines what it orders and tells.
    pub(crate) fn after(&mut self, engine: &Engine, view: &View, step: &Step<'_>) -> Result<(), Broken> {
        if matches!(step.kind, Kind::Start | Kind::Reload) {
            self.follow_roles(engine);
        }
        for output in step.outputs {
            match output {
                Output::Service { service, order } => self.examine_order(engine, view, service, *order)?,
                Output::RunHook(call) => self.examine_hook(engine, view, call)?,
                Output::Tell(Event::ServiceChanged { service, from, to, .. }) => {
                    let known = self.known(service);
                    if known.told != *from || from == to {
                        let told = known.told;
                        let what = format!("{service} goes from {from:?} to {to:?}, but {told:?} was told last");
                        return Err((Rule::Agreement, what));
                    }
                    known.told = *to;
                }
                _ => {}
            }
        }
        for service in &view.services {
            let told = self.known(&service.name).told;
            if told != service.state {
                return Err((
                    Rule::Agreement,
                    format!("{} is {:?}, but {told:?} was told", service.name, service.state),
                ));
            }
        }
        Ok(())
    }

    /// What a reload gives to another role, or has taken out and brings back, begins anew.
    fn follow_roles(&mut self, engine: &Engine) {
        engine.config().services.iter().for_each(|service| _ = self.known(&service.name));
        for known in &mut self.services {
            let role = role_of(engine, &known.name);
            if !role.iter().any(|vrid| known.role.contains(vrid)) {
                (known.taken_over, known.hook_epoch) = (0, 0);
            }
            known.role = role;
        }
    }

    fn examine_order(
        &mut self,
        engine: &Engine,
        view: &View,
        service: &Name,
        order: ServiceOrder,
    ) -> Result<(), Broken> {
        let role = role(engine, view, service);
        let of_role = role_of(engine, service);
        let mut all = engine.config().routers.iter().zip(&view.routers);
        let fellow_is_active = all.any(|(config, router)| {
            of_role.contains(&config.vrid) && router.state == StateName::Active && !router.letting_go
        });
        let known = self.known(service);
        let broken = |what: &str| Err((Rule::Orders, format!("{what} {service}")));
        match order {
            ServiceOrder::Start if known.starting => return broken("starts again without an answer"),
            ServiceOrder::Start if known.ending => return broken("starts, before it is gone,"),
            ServiceOrder::Start if known.runs != Some(false) => return broken("starts, without knowing it gone,"),
            ServiceOrder::Start => match role {
                Some((StateName::Active, false)) => known.starting = true,
                // It joins the others of its group, which have the role.
                Some((StateName::Backup, false)) if fellow_is_active => known.starting = true,
                Some((StateName::Active, true)) => {
                    return Err((Rule::RunsWhereActive, "starts and lets go".to_owned()));
                }
                Some((state, _)) => return Err((Rule::RunsWhereActive, format!("starts {service} as {state:?}"))),
                None => return broken("starts, without a router for it,"),
            },
            ServiceOrder::Stop if known.ending && !known.refused => return broken("stops again without an answer"),
            ServiceOrder::Stop if known.runs == Some(false) && !known.starting => {
                return broken("stops, though nothing of it runs,");
            }
            ServiceOrder::Stop => (known.starting, known.ending, known.refused) = (false, true, false),
            ServiceOrder::Kill if !known.ending => return broken("kills, without asking first,"),
            // What it heard of an end may have been the last run's.
            ServiceOrder::Watch if known.told == ServiceStateName::Starting => known.starting = true,
            // Should it come back one day, it begins anew.
            ServiceOrder::Forget => self.services.retain(|known| known.name != *service),
            ServiceOrder::Kill | ServiceOrder::Watch | ServiceOrder::AssessReadiness => {}
        }
        Ok(())
    }

    fn examine_hook(&mut self, engine: &Engine, view: &View, call: &HookCall) -> Result<(), Broken> {
        let broken = |what: &str| Err((Rule::Hooks, format!("{what} ({:?} of {})", call.hook, call.service)));
        if call.number <= self.hooks {
            return broken("the number of a hook call is not greater than the last");
        }
        self.hooks = call.number;
        let known = self.known(&call.service);
        if call.epoch < known.hook_epoch {
            return broken("tells of an epoch that is over");
        }
        known.hook_epoch = call.epoch;
        let runs = view.services.iter().any(|s| s.name == call.service && s.state == ServiceStateName::Running);
        let active = role(engine, view, &call.service).is_some_and(|(state, _)| state == StateName::Active);
        match call.hook {
            Hook::RoleChanged if call.role == call.previous_role => broken("no role changed"),
            Hook::RoleChanged => Ok(()),
            Hook::TakenOver | Hook::WhileActive(_) if !runs || !active => broken("it is not active here"),
            Hook::WhileActive(_) => Ok(()),
            Hook::TakenOver => {
                let known = self.known(&call.service);
                if call.epoch <= known.taken_over {
                    return broken("told twice of one take-over");
                }
                known.taken_over = call.epoch;
                Ok(())
            }
        }
    }
}

fn report_kind(report: &ServiceReport) -> ServiceKind {
    match report {
        ServiceReport::Running => ServiceKind::Running,
        ServiceReport::Gone(_) => ServiceKind::Gone,
        ServiceReport::StoppedByHand => ServiceKind::StoppedByHand,
        ServiceReport::StartRefused(_) => ServiceKind::StartRefused,
        ServiceReport::StopRefused(_) => ServiceKind::StopRefused,
        ServiceReport::Readiness(_) => ServiceKind::Readiness,
        ServiceReport::Unknown(_) => ServiceKind::Unknown,
    }
}

/// The router that a service belongs to, and those of its sync group.
fn role_of(engine: &Engine, service: &Name) -> Vec<Vrid> {
    let config = engine.config();
    let Some(owner) = config.routers.iter().find(|router| router.services.contains(service)) else { return Vec::new() };
    let group = config.groups.iter().find(|group| group.members.contains(&owner.name));
    let fellow = |name: &Name| group.is_some_and(|group| group.members.contains(name));
    let members = config.routers.iter().filter(|router| router.name == owner.name || fellow(&router.name));
    members.map(|router| router.vrid).collect()
}

/// The state of the router that a service belongs to, and whether it lets go.
fn role(engine: &Engine, view: &View, service: &Name) -> Option<(StateName, bool)> {
    let place = engine.config().routers.iter().position(|router| router.services.contains(service))?;
    view.routers.get(place).map(|router| (router.state, router.letting_go))
}
