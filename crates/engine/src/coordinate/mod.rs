//! Where everything comes together: routers, services, the other node, the operator. After each input it goes step by
//! step from what is to what should be, until nothing is left to do.

mod commands;
mod departing;
mod inputs;
mod statement;

use alloc::vec::Vec;
use core::time::Duration;

pub(crate) use self::departing::Departing;
use crate::pair::Pair;
use crate::role::{self, Here, Progress, Role, Step, There};
use crate::service::{Elsewhere, Service};
use crate::vrrp::virtual_router::{Brief, VirtualRouter};
use crate::wire::baton::{RouterStatement, Stance};
use crate::{
    Cause, Engine, Event, Failback, FaultReason, HandoverReason, HeldBy, Hook, HookCall, Instant, Name, Output, Record,
    RefusedCommand, RouterId, ServiceStateName, ServiceView, StateName,
};

/// What keeps a node from taking a role that an operator sends there.
const DOWN_FILE: &str = "its down file is there";

/// More steps than that follow from no single input; a mistake here must not hang the loop.
const MOST_STEPS: u32 = 32;

impl Engine {
    // ── one step after the other ──────────────────────────────────────────────────────────────────────

    /// Goes on until nothing is left to do, then says and saves what has changed.
    pub(crate) fn coordinate(&mut self, now: Instant, out: &mut Vec<Output>) {
        let plain = self.services.is_empty() && self.pair.is_none() && self.departing.is_empty();
        let frozen = self.standing.in_maintenance() || self.briefs.iter().any(|brief| brief.frozen);
        if plain && !frozen && !self.roles.iter().any(Role::is_held) {
            self.follow_states(now, out);
            if self.saved != Record::default() {
                self.save(out);
            }
            return;
        }
        for _ in 0..MOST_STEPS {
            if self.refresh_briefs() {
                self.assess_all(now, out);
            }
            // Roles first: nothing is begun that would have to end at once, or that a crash could make forgotten.
            let mut moved = self.follow_states(now, out);
            moved |= self.deal(now, out);
            moved |= self.follow_states(now, out);
            self.save(out);
            moved |= self.pursue_services(now, out);
            if !moved && !self.refresh_briefs() {
                break;
            }
        }
        self.report_progress(now, out);
        self.run_hooks(now, out);
        self.say(now, out);
        self.save(out);
    }

    /// Tells the routers about their services and the other node. Returns whether something changed.
    pub(crate) fn refresh_briefs(&mut self) -> bool {
        let mut changed = self.briefs.len() != self.routers.len();
        self.briefs.resize_with(self.routers.len(), Brief::default);
        let latch = self.standing.latch().map(|latch| latch.service.clone());
        let Self { briefs, routers, roles, services, pair, standing, .. } = self;
        for ((brief, router), role) in briefs.iter_mut().zip(routers.iter()).zip(roles.iter()) {
            let config = router.config();
            let mut fresh = Brief {
                held: role.is_held(),
                frozen: standing.in_maintenance(),
                waits: standing.in_maintenance() && !role.is_keeper,
                paired: pair.is_some() && !config.services.is_empty(),
                ..Brief::default()
            };
            let theirs = pair.as_ref().filter(|pair| pair.is_alive()).and_then(|pair| pair.last_words(&config.name));
            for service in services.iter().filter(|service| config.services.contains(&service.config().name)) {
                fresh.busy |= !service.is_gone();
                if service.has_failed() {
                    fresh.faults.push(FaultReason::ServiceFailed(service.config().name.clone()));
                }
            }
            if let Some(service) = &latch
                && !config.services.is_empty()
                && router.state_name() != StateName::Active
                && !role.is_keeper
                && !theirs.is_some_and(|says| router.state_name() == StateName::Backup && is_coming(says))
            {
                fresh.faults.push(FaultReason::Latched(service.clone()));
            }
            if let Some(pair) = pair
                && !pair.has_stopped()
                && let Some(says) = pair.last_words(&config.name)
            {
                fresh.ordered = pair.is_alive();
                fresh.peer_address = says.address;
            }
            if *brief != fresh {
                *brief = fresh;
                changed = true;
            }
        }
        changed
    }

    /// Notices what the routers have become. Returns whether anything did.
    fn follow_states(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let listens = self.pair.as_ref().is_some_and(Pair::is_alive);
        let maintained = self.standing.in_maintenance();
        let mut moved = false;
        for index in 0..self.routers.len() {
            let goes_on = self.here(index).is_some_and(|here| here.resumes);
            let (Some(router), Some(role)) = (self.routers.get(index), self.roles.get_mut(index)) else { continue };
            let state = router.state_name();
            role.is_keeper &= router.heard_at().is_none();
            if role.state == state {
                continue;
            }
            moved = true;
            let theirs = self.pair.as_ref().and_then(|pair| pair.last_words(&router.config().name));
            role.epoch = role.epoch.max(theirs.map_or(0, |says| says.epoch));
            let resumed = state == StateName::Active && (router.resumed() || goes_on);
            let before = role.changed(now, state, listens, resumed, maintained);
            // Nobody else could have it: what the operator wanted has come to its end.
            if state == StateName::Active && !resumed && role.held_by.remove(&HeldBy::Operator) {
                role.stood_back = false;
                let router = RouterId(u32::try_from(index).unwrap_or(u32::MAX));
                out.push(Output::Tell(Event::Released { router, by: HeldBy::Operator }));
            }
            let brief = self.briefs.get(index);
            let busy = brief.is_some_and(|brief| brief.busy);
            if brief.is_some_and(|brief| !brief.faults.is_empty()) {
                // It could not keep it.
                role.is_keeper = false;
            }
            if before == StateName::Active && busy && !listens {
                let router = RouterId(u32::try_from(index).unwrap_or(u32::MAX));
                out.push(Output::Tell(Event::HandoverUnordered { router }));
            }
            if before == StateName::Active && self.pair.is_none() {
                role.keeps();
            }
            let epoch = role.epoch;
            for service in router.config().services.clone() {
                self.hook_number += 1;
                out.push(Output::RunHook(HookCall {
                    service,
                    hook: Hook::RoleChanged,
                    role: state,
                    previous_role: before,
                    reason: router.cause(),
                    epoch,
                    number: self.hook_number,
                }));
            }
        }
        moved
    }

    fn pursue_services(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        // What ends with the daemon ends even in maintenance.
        let left_alone = self.standing.in_maintenance() && !self.is_stopping();
        let mut moved = false;
        for service in &mut self.services {
            let name = &service.config().name;
            let owner = self.routers.iter().find(|router| router.config().services.contains(name));
            // In maintenance what runs goes on even where a cable was pulled, until somebody else has the role.
            let kept = |owner: &VirtualRouter| {
                let role = self.roles.get(owner.id().0 as usize);
                left_alone && !owner.is_leaving() && role.is_some_and(|role| role.is_keeper)
            };
            let wanted = owner.is_some_and(|owner| owner.wants_services() || (service.is_up() && kept(owner)));
            let epoch = owner.and_then(|owner| self.roles.get(owner.id().0 as usize)).map_or(0, |role| role.epoch);
            moved |= service.set_wanted(now, wanted, epoch);
            service.set_holds_role(now, owner.is_some_and(|owner| owner.state_name() == StateName::Active));
            let theirs = owner.zip(self.pair.as_ref()).and_then(|(owner, pair)| {
                pair.statement()?;
                pair.last_words(&owner.config().name)
            });
            let taken = theirs.is_some_and(|says| holds(says.stance))
                || owner.is_some_and(|owner| owner.heard_at().is_some() || owner.is_kept_out());
            if taken {
                moved |= service.refuse_adoption();
            }
            if theirs.is_some_and(|says| runs_there(says, &service.config().name)) {
                // Both were active: the other one ends its own first.
                let pause = self.pair.as_ref().map(|pair| pair.config().heartbeat);
                service.put_off(now + pause.unwrap_or_default());
            }
            moved |= service.pursue(now, left_alone, out);
        }
        for departing in &mut self.departing {
            for service in &mut departing.services {
                moved |= service.set_wanted(now, false, 0);
                moved |= service.pursue(now, false, out);
                if service.is_gone() {
                    service.forget(out);
                }
            }
            departing.services.retain(|service| !service.is_gone());
        }
        let Self { departing, services, .. } = self;
        departing.retain(|departing| departing.is_busy(services));
        moved
    }

    /// Lets every role take its next step. Returns whether one did.
    fn deal(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let mut moved = false;
        for index in 0..self.routers.len() {
            moved |= self.deal_with(now, index, out);
        }
        moved
    }

    fn deal_with(&mut self, now: Instant, index: usize, out: &mut Vec<Output>) -> bool {
        let id = RouterId(u32::try_from(index).unwrap_or(u32::MAX));
        let Some(here) = self.here(index) else { return false };
        let Self { roles, routers, pair, .. } = self;
        let Some(router) = routers.get(index) else { return false };
        let there = there(pair.as_ref(), router);
        let Some(role) = roles.get_mut(index) else { return false };
        if let Some(reason) = role.forget(now) {
            out.push(Output::Tell(Event::HandoverFailed { router: id, reason }));
        }
        role.compare(now, &here, there);
        tell_about(id, role, &here, there, out);
        if let There::Heard { says, .. } = there {
            role.epoch = role.epoch.max(says.epoch);
            if holds(says.stance) {
                role.is_theirs(matches!(says.stance, Stance::Releasing(_)));
            }
        }
        let step = role.next(now, &here, there);
        let their_address = match there {
            There::Heard { says, .. } => says.address.map(|address| (address, says.priority)),
            There::Alone | There::Nobody | There::Stranger => None,
        };
        // An operator who sends the role here does not want this node to stand back any more.
        if matches!(there, There::Heard { says, .. } if says.stance == Stance::Offering(HandoverReason::Operator))
            && role.held_by.remove(&HeldBy::Operator)
        {
            out.push(Output::Tell(Event::Released { router: id, by: HeldBy::Operator }));
            return true;
        }
        let comes_in_order = matches!(there, There::Heard { says, .. } if says.released);
        match step {
            Step::Nothing => return false,
            Step::TakeOver(cause) => {
                if comes_in_order {
                    role.progress = Some(Progress { to_us: true, begun_at: now });
                }
                self.with_around(index, |ours, around| ours.take_over(now, cause, around, out));
            }
            Step::Claim(cause) => {
                if let Some(pair) = &mut self.pair {
                    role.claimed(now, pair.next_version(), cause);
                }
                // What it leads to comes with the other node's answer.
                return false;
            }
            Step::Unclaim => role.unclaimed(),
            Step::Offer(reason) => {
                if let Some(pair) = &mut self.pair {
                    role.offered(now, pair.next_version(), reason);
                }
                return false;
            }
            Step::Withdraw(reason) => {
                role.withdrawn();
                out.push(Output::Tell(Event::HandoverFailed { router: id, reason }));
            }
            Step::LetGo(reason) => {
                // The better node would take it back at once.
                let comes_back =
                    here.preempts_after.is_some() && their_address.is_none_or(|(_, priority)| here.priority > priority);
                if role.lets_go(reason, comes_back) {
                    out.push(Output::Tell(Event::Held { router: id, by: HeldBy::Operator }));
                }
                role.progress = Some(Progress { to_us: false, begun_at: now });
                out.push(Output::Tell(Event::HandoverBegun { router: id, to_us: false, reason }));
                self.with_around(index, |ours, around| ours.let_go(now, around, out));
            }
            Step::Keep => {
                if role.keeps() {
                    out.push(Output::Tell(Event::Released { router: id, by: HeldBy::Operator }));
                }
                role.progress = None;
                out.push(Output::Tell(Event::HandoverFailed { router: id, reason: RefusedCommand::PeerSilent }));
                self.with_around(index, |ours, _| ours.keep());
            }
            Step::DropOffer => role.withdrawn(),
            Step::GiveUp => {
                role.unclaimed();
                role.is_keeper = false;
                let names = &router.config().services;
                let its = self.services.iter_mut().filter(|service| names.contains(&service.config().name));
                its.for_each(|service| {
                    service.refuse_adoption();
                });
            }
            Step::Yield => {
                self.with_around(index, |ours, around| ours.yield_to_peer(now, their_address, around, out));
            }
        }
        true
    }

    /// Tells of hand-overs that have come to their end.
    fn report_progress(&mut self, now: Instant, out: &mut Vec<Output>) {
        for index in 0..self.routers.len() {
            let (Some(router), Some(role)) = (self.routers.get(index), self.roles.get(index)) else { continue };
            let Some(progress) = role.progress else { continue };
            let Some(pair) = &self.pair else { continue };
            let Some(says) = pair.last_words(&router.config().name) else { continue };
            let heard_at = pair.heard_at().unwrap_or(now);
            let services: Vec<&Service> = self.services_of(router).collect();
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
                        Some(their(theirs.gone_for).zip(ours.up_at()))
                    })
                    .collect()
            } else {
                if !matches!(says.stance, Stance::Active) || !role::is_up(says) {
                    continue;
                }
                says.services
                    .iter()
                    .filter_map(|theirs| {
                        let ours = services.iter().find(|service| service.config().name == theirs.name)?;
                        Some(ours.gone_at().zip(their(theirs.running_for)))
                    })
                    .collect()
            };
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

    fn run_hooks(&mut self, now: Instant, out: &mut Vec<Output>) {
        for index in 0..self.services.len() {
            let Some(service) = self.services.get(index) else { continue };
            let owner = self.owner_of(&service.config().name);
            let active = owner.is_some_and(|owner| self.state(owner) == Some(StateName::Active));
            let Some(service) = self.services.get_mut(index) else { continue };
            let due = service.due_hooks(now, active);
            if due.is_empty() {
                continue;
            }
            let name = service.config().name.clone();
            let role = self.owner_of(&name).and_then(|router| self.roles.get(router.0 as usize));
            let (state, epoch) = role.map_or((StateName::Initialize, 0), |role| (role.state, role.epoch));
            let owner = self.owner_of(&name).and_then(|router| self.routers.get(router.0 as usize));
            let reason = owner.map_or(Cause::Started, VirtualRouter::cause);
            for hook in due {
                self.hook_number += 1;
                out.push(Output::RunHook(HookCall {
                    service: name.clone(),
                    hook,
                    role: state,
                    previous_role: state,
                    reason,
                    epoch,
                    number: self.hook_number,
                }));
            }
        }
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn node(&self) -> Name {
        self.config().pair.as_ref().map_or_else(|| Name::from("this node"), |pair| pair.node.clone())
    }

    pub(crate) fn owner_of(&self, service: &Name) -> Option<RouterId> {
        let index = self.routers.iter().position(|router| router.config().services.contains(service))?;
        u32::try_from(index).ok().map(RouterId)
    }

    fn services_of<'e>(&'e self, router: &'e VirtualRouter) -> impl Iterator<Item = &'e Service> {
        let names = &router.config().services;
        self.services.iter().filter(move |service| names.contains(&service.config().name))
    }

    pub(crate) fn service_views(&self, now: Instant) -> Vec<ServiceView> {
        let views = self.services.iter().enumerate().map(|(index, service)| {
            let owner = self.owner_of(&service.config().name);
            let theirs = self.elsewhere(now, index).their_moves;
            service.view(owner, service.recent_moves(now).saturating_add(theirs))
        });
        views.collect()
    }

    fn elsewhere(&self, now: Instant, index: usize) -> Elsewhere {
        let mut elsewhere = Elsewhere { latched: self.standing.is_latched(), nobody_better: false, their_moves: 0 };
        let (Some(service), Some(pair)) = (self.services.get(index), &self.pair) else { return elsewhere };
        let name = &service.config().name;
        let Some(owner) = self.routers.iter().find(|router| router.config().services.contains(name)) else {
            return elsewhere;
        };
        let Some(says) = pair.last_words(&owner.config().name) else {
            elsewhere.nobody_better = true;
            return elsewhere;
        };
        let heard_at = pair.heard_at().unwrap_or(now);
        let within = service.config().max_moves.within;
        let theirs = says.services.iter().find(|theirs| theirs.name == *name);
        let moves = theirs.map_or(&[] as &[Duration], |theirs| &theirs.moves);
        let recent = moves.iter().filter(|age| **age + now.since(heard_at) < within).count();
        let recent = recent + pair.former_moves(name, now, within);
        elsewhere.their_moves = u32::try_from(recent).unwrap_or(u32::MAX);
        elsewhere.nobody_better = !pair.is_alive() || (says.stance != Stance::Standby || !role::is_ready(says));
        elsewhere
    }

    fn here(&self, index: usize) -> Option<Here> {
        let (router, role) = (self.routers.get(index)?, self.roles.get(index)?);
        let config = router.config();
        let mut ready = Ok(());
        let mut known_ready = true;
        let mut auto = true;
        for service in self.services_of(router) {
            auto &= service.config().failback == Failback::Auto;
            match service.readiness() {
                _ if role.held_by.contains(&HeldBy::DownFile) => ready = Err(Name::from(DOWN_FILE)),
                _ if service.is_unknown() => ready = Err(Name::from("nobody can tell whether it runs here")),
                _ if service.has_failed() => ready = Err(Name::from("it has failed here")),
                Some(Err(reason)) => ready = Err(reason.clone()),
                Some(Ok(())) => {}
                None => known_ready = false,
            }
        }
        let preempts = config.preempt_mode && auto;
        Some(Here {
            node: self.config().pair.as_ref().map_or_else(|| config.name.clone(), |pair| pair.node.clone()),
            state: role.state,
            leaving: router.is_leaving(),
            busy: self.briefs.get(index).is_some_and(|brief| brief.busy),
            resumes: {
                let mut left = self.services_of(router).filter(|service| !service.is_gone()).peekable();
                left.peek().is_some() && left.all(Service::is_rightful)
            },
            ready,
            known_ready,
            due: router.due(),
            priority: router.effective_priority(),
            address: router.primary_address(),
            preempts_after: preempts.then_some(config.preempt_delay),
            frozen: self.standing.in_maintenance(),
            waits: self.standing.in_maintenance() && !role.is_keeper,
            latched: self.standing.is_latched() && !config.services.is_empty() && !role.is_keeper,
            stopping: self.is_stopping(),
        })
    }
}

/// The other node, as far as one router is concerned.
fn there<'e>(pair: Option<&'e Pair>, router: &VirtualRouter) -> There<'e> {
    if pair.is_none() {
        return There::Alone;
    }
    let Some((pair, statement)) = pair.and_then(|pair| Some((pair, pair.statement()?))) else { return There::Nobody };
    match pair.last_words(&router.config().name) {
        None => There::Stranger,
        Some(says) => {
            There::Heard { node: &statement.node, says, seen: pair.seen(), grants_within: pair.config().dead_after }
        }
    }
}

/// Whether a node of this stance has the role, or something of its services left.
const fn holds(stance: Stance) -> bool {
    match stance {
        Stance::Active | Stance::Offering(_) | Stance::Releasing(_) => true,
        Stance::Out | Stance::Standby | Stance::Claiming => false,
    }
}

/// Whether something of a service runs on that node, as far as it says.
fn runs_there(says: &RouterStatement, service: &Name) -> bool {
    let its = says.services.iter().find(|theirs| theirs.name == *service);
    its.is_some_and(|theirs| match theirs.state {
        ServiceStateName::Starting | ServiceStateName::Running | ServiceStateName::Stopping => true,
        ServiceStateName::Unknown | ServiceStateName::Stopped => false,
    })
}

/// Whether that node lets the role go, so that it may come here.
const fn is_coming(says: &RouterStatement) -> bool {
    says.released || matches!(says.stance, Stance::Releasing(_) | Stance::Offering(_))
}

/// Says once what an operator should know about the two nodes' words.
fn tell_about(router: RouterId, role: &mut Role, here: &Here, there: There<'_>, out: &mut Vec<Output>) {
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
    // Its own timer has come although the other one says that it is active.
    if here.due.is_some() && active && !core::mem::replace(&mut role.told.unheard, true) {
        out.push(Output::Tell(Event::AdvertisementsUnheard { router }));
    }
}
