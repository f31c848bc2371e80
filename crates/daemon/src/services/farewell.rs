//! The end of the daemon, where services are concerned. An orderly one waits until nothing of them is left, and there is
//! nothing to do here but to know until when. One that cannot wait for them, or whose loop has failed, sees to it that
//! they end nevertheless: what must not run twice is more important than a quick exit. What goes on without us is said.

use std::time::Duration;

use engine::{Name, ServiceOrder};
use linux::system_log::Severity;

use super::manager::{Left, Manager};
use super::plan::ManagerPlan;
use super::{Context, Loop, Service, Services};

/// After its `stop_timeout` a service is killed, and what was killed is gone soon; in nanoseconds.
const AFTER_THE_KILL: u64 = 3_000_000_000;

impl Services {
    /// The services that are being stopped and are not gone.
    pub(crate) fn being_stopped(&self) -> impl Iterator<Item = &Name> {
        self.services.iter().filter(|(_, service)| service.is_being_stopped()).map(|(name, _)| name)
    }

    /// Until when those may take; `None` if there are none.
    pub(crate) fn may_take_until(&self) -> Option<u64> {
        self.services.values().filter(|service| service.is_being_stopped()).filter_map(Service::may_take_until).max()
    }

    /// From now on nobody waits for the services: a `stop` that is under way is not killed any more, as it could not be
    /// begun again.
    pub(crate) fn give_up(&mut self) {
        self.gave_up = true;
    }

    /// Ends everything that runs, without the engine. What we run ourselves is killed, as nobody is there to be patient
    /// with it; what others run is stopped.
    pub(crate) fn end_everything(&mut self, mut lent: Loop<'_>) {
        self.gave_up = true;
        let lent = &mut lent;
        let context = &mut Context { now: lent.now, poll: lent.poll, children: lent.children, desk: &mut self.desk };
        for (name, service) in self.services.iter_mut().filter(|(_, service)| !service.manager.is_gone()) {
            let how = match &mut service.manager {
                Manager::Command(command) => {
                    command.abandon();
                    "is killed".to_owned()
                }
                Manager::Scripts(scripts) if scripts.is_idle() => continue,
                Manager::Scripts(scripts) => {
                    scripts.abandon(context);
                    format!("is stopped by `{}`", scripts.stop.label())
                }
                Manager::Outside { left: Left::Nothing | Left::Unknown, .. } => continue,
                manager @ Manager::Outside { .. } => {
                    if service.ending_since.is_none() {
                        manager.order(name, ServiceOrder::Stop, &mut self.outside, context);
                    }
                    "is stopped by its manager".to_owned()
                }
            };
            service.ending_since.get_or_insert(context.now);
            context.tell(Severity::Warning, format!("({name}) {how}, as the daemon cannot go on"));
        }
    }

    /// Whether every service that is to be stopped has been told so, and only its end is not there yet.
    pub(crate) fn stops_are_begun(&self) -> bool {
        self.services.values().all(|service| match &service.manager {
            Manager::Scripts(scripts) => !scripts.waits_for_stop(),
            Manager::Command(_) | Manager::Outside { .. } => true,
        })
    }

    /// As [`ready`](Self::ready) for everything that may be ready, where nobody can say what is.
    pub(crate) fn look_at_everything(&mut self, mut lent: Loop<'_>) {
        let lent = &mut lent;
        self.take_answers(lent);
        self.take_news(lent);
        let context = &mut Context { now: lent.now, poll: lent.poll, children: lent.children, desk: &mut self.desk };
        for service in self.services.values_mut() {
            if let Manager::Command(command) = &mut service.manager {
                command.listen(context);
            }
        }
        self.renew_the_gone(lent);
    }

    /// The daemon ends now. What we run ourselves is killed, and the keepers see to that even after us; so is what runs by
    /// the clock. Managers get a moment to take their last orders, but no longer than this. Says what goes on without us.
    pub(crate) fn part(&mut self, within: Duration) {
        self.hooks.part();
        for (name, service) in &mut self.services {
            if let Manager::Command(command) = &mut service.manager {
                command.abandon();
            }
            if service.ending_since.is_some()
                && let Some(leftover) = service.manager.leftover()
            {
                self.desk.lines.push((Severity::Error, format!("({name}) {leftover}")));
            }
        }
        let undelivered = self.outside.drain(within);
        self.desk.lines.extend(undelivered.into_iter().map(|text| (Severity::Error, text)));
    }
}

impl Service {
    fn is_being_stopped(&self) -> bool {
        self.ending_since.is_some() && !self.manager.is_gone()
    }

    fn may_take_until(&self) -> Option<u64> {
        let patience = u64::try_from(self.plan.stop_timeout.as_nanos()).unwrap_or(u64::MAX);
        self.ending_since.map(|since| since.saturating_add(patience).saturating_add(AFTER_THE_KILL))
    }
}

impl Manager {
    /// What goes on without us.
    fn leftover(&self) -> Option<String> {
        match self {
            Self::Command(command) => command.leftover(),
            Self::Scripts(scripts) => scripts.leftover(),
            Self::Outside { left: Left::Nothing, .. } => None,
            Self::Outside { plan, .. } => {
                let who = match plan {
                    ManagerPlan::Systemd { unit } => format!("systemd (unit {unit})"),
                    ManagerPlan::Docker { container } => format!("docker (container {container})"),
                    ManagerPlan::Command { .. } | ManagerPlan::Scripts { .. } => return None,
                };
                Some(format!("was told to end, and {who} has not said that it has; it goes on without us"))
            }
        }
    }
}
