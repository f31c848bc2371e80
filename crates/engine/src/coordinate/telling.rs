//! What goes out of a node when roles have moved: hooks, the ends of hand-overs, and what an operator should know.

use alloc::vec::Vec;
use core::time::Duration;

use super::{groups, holds, words};
use crate::role::{self, Here, Role, There};
use crate::service::Service;
use crate::units::Units;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::baton::{RouterStatement, Stance};
use crate::{Cause, Engine, Event, Hook, HookCall, Instant, Name, Output, RefusedCommand, RouterId, StateName};

impl Engine {
    /// Runs the hooks of the services of routers that are no longer what they were.
    pub(super) fn run_role_hooks(&mut self, changed: &[(usize, StateName)], out: &mut Vec<Output>) {
        for (index, before) in changed {
            let Some(router) = self.routers.get(*index) else { continue };
            let epoch = groups::epoch(&self.units, &self.roles, *index);
            for service in &router.config().services {
                self.hook_number += 1;
                out.push(Output::RunHook(HookCall {
                    service: service.clone(),
                    hook: Hook::RoleChanged,
                    role: router.state_name(),
                    previous_role: *before,
                    reason: router.cause(),
                    epoch,
                    number: self.hook_number,
                }));
            }
        }
    }

    /// Runs the hooks that are due where services run: after a take-over, and again and again.
    pub(super) fn run_service_hooks(&mut self, now: Instant, out: &mut Vec<Output>) {
        for index in 0..self.services.len() {
            let Some(name) = self.services.get(index).map(|service| service.config().name.clone()) else { continue };
            // Its own router, for another one of the group may just be joining.
            let router = self.routers.iter().find(|router| router.config().services.contains(&name));
            let role = router.map_or(StateName::Initialize, VirtualRouter::state_name);
            let reason = router.map_or(Cause::Started, VirtualRouter::cause);
            let owner = self.owner_of(&name);
            let epoch = owner.map_or(0, |owner| groups::epoch(&self.units, &self.roles, owner.0 as usize));
            let Some(service) = self.services.get_mut(index) else { continue };
            for hook in service.due_hooks(now, role == StateName::Active) {
                self.hook_number += 1;
                out.push(Output::RunHook(HookCall {
                    service: name.clone(),
                    hook,
                    role,
                    previous_role: role,
                    reason,
                    epoch,
                    number: self.hook_number,
                }));
            }
        }
    }

    /// What hooks were told of the role that a service had says nothing of one that a reload has given to it. `before` are the
    /// units that were, `new_ids` where each router is now.
    pub(crate) fn change_roles_of_services(&mut self, before: &Units, new_ids: &[Option<RouterId>]) {
        let Self { services, units, .. } = self;
        for service in services {
            let name = &service.config().name;
            let had = before.owner_of(name).map_or(&[] as &[usize], |owner| before.members(owner));
            let has = units.owner_of(name).map_or(&[] as &[usize], |owner| units.members(owner));
            let mut still = had.iter().filter_map(|member| new_ids.get(*member).copied().flatten());
            if !still.any(|id| has.contains(&(id.0 as usize))) {
                service.change_role();
            }
        }
    }

    /// Tells of hand-overs that have come to their end.
    pub(super) fn report_progress(&mut self, now: Instant, out: &mut Vec<Output>) {
        for index in 0..self.routers.len() {
            let Some(role) = self.roles.get(index) else { continue };
            let Some(progress) = role.progress else { continue };
            let Some(pair) = &self.pair else { continue };
            let Some(says) = words(pair, &self.units, &self.routers, index) else { continue };
            let heard_at = pair.heard_at().unwrap_or(now);
            let services: Vec<&Service> = self.services_of(index).collect();
            // Moments of the other node, on our clock, as exact as the message was fast.
            let their = |age: Option<Duration>| age.map(|age| heard_at - age);
            let spans: Option<Vec<(Instant, Instant)>> = if progress.to_us {
                if role.state != StateName::Active || !services.iter().all(|service| service.up_at().is_some()) {
                    continue;
                }
                says.services
                    .iter()
                    .filter_map(|theirs| {
                        let ours = services.iter().find(|service| service.config().name == theirs.name)?;
                        if ours.up_at() < Some(progress.begun_at) {
                            // It was here all the time.
                            return None;
                        }
                        // It may have been taken back before anything had been begun there.
                        let gone = their(theirs.gone_for).max(ours.ended_at()).or(ours.gone_at());
                        Some(gone.zip(ours.up_at()))
                    })
                    .collect()
            } else {
                let is_left = role.state != StateName::Active && services.iter().all(|service| service.is_gone());
                if !is_left || !matches!(says.stance, Stance::Active) || !role::is_up(says) {
                    continue;
                }
                says.services
                    .iter()
                    .filter_map(|theirs| {
                        let ours = services.iter().find(|service| service.config().name == theirs.name)?;
                        // It may have been given back before anything had been begun here.
                        let here = ours.ended_at().filter(|at| *at >= progress.begun_at);
                        let ended = || ours.ended_at().max(their(theirs.gone_for)).or(ours.gone_at());
                        let gone = here.or_else(ended);
                        Some(gone.zip(their(theirs.running_for)))
                    })
                    .collect()
            };
            if !progress.in_order && (spans.is_none() || holds(says.stance)) {
                continue;
            }
            let spans = spans.unwrap_or_default();
            let outage = spans.iter().map(|(gone, up)| up.since(*gone)).max().unwrap_or_default();
            let overlap = spans.iter().map(|(gone, up)| gone.since(*up)).max().unwrap_or_default();
            let router = RouterId(u32::try_from(index).unwrap_or(u32::MAX));
            let to_us = progress.to_us;
            if let Some(role) = self.roles.get_mut(index) {
                role.progress = None;
            }
            out.push(Output::Tell(Event::HandoverEnded { router, to_us, outage, overlap }));
        }
    }
}

/// A role has moved, but not to stay: it has left again before its services had come up.
pub(super) fn came_to_nothing(
    router: &VirtualRouter,
    services: &[Service],
    theirs: Option<&RouterStatement>,
) -> Output {
    let ours = services.iter().filter(|service| service.has_failed()).map(|service| &service.config().name);
    let theirs = theirs.into_iter().flat_map(|says| &says.services).filter(|service| service.failed);
    let failed = ours.chain(theirs.map(|service| &service.name)).find(|name| router.config().services.contains(name));
    let why = failed.map_or_else(|| "it did not stay".into(), |name| alloc::format!("{name} failed"));
    let reason = RefusedCommand::NotReady(Name::from(why.as_str()));
    Output::Tell(Event::HandoverFailed { router: router.id(), reason })
}

/// Says once what an operator should know about the two nodes' words.
pub(super) fn tell_about(router: RouterId, role: &mut Role, here: &Here, there: There<'_>, out: &mut Vec<Output>) {
    let There::Heard { says, .. } = there else {
        if matches!(there, There::Stranger) && !core::mem::replace(&mut role.told.no_counterpart, true) {
            out.push(Output::Tell(Event::NoCounterpart { router }));
        }
        role.told.dual = false;
        return;
    };
    role.told.no_counterpart = false;
    let active = matches!(says.stance, Stance::Active | Stance::Offering(_));
    if here.state == StateName::Active && active {
        if !core::mem::replace(&mut role.told.dual, true) {
            let we_stay = (says.priority, says.address) <= (here.priority, here.address);
            out.push(Output::Tell(Event::DualActive { router, we_stay }));
        }
    } else if !active {
        role.told.dual = false;
    }
}
