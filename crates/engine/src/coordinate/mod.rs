//! Where everything comes together: routers, services, the other node, the operator. After each input it goes step by
//! step from what is to what should be, until nothing is left to do.

mod commands;
mod departing;
mod groups;
mod inputs;
mod statement;
mod telling;
mod understanding;

use alloc::vec::Vec;
use core::time::Duration;

pub(crate) use self::departing::Departing;
use self::telling::{came_to_nothing, tell_about};
pub(crate) use self::understanding::Understanding;
use crate::pair::Pair;
use crate::role::{self, Here, Progress, Role, Step, There};
use crate::service::{Elsewhere, Service};
use crate::units::Units;
use crate::vrrp::virtual_router::{Brief, VirtualRouter};
use crate::wire::baton::{RouterStatement, ServiceStatement, Stance};
use crate::{
    Engine, Event, Failback, FaultReason, HandoverReason, HeldBy, Instant, Name, Output, Record, RefusedCommand,
    RouterId, ServiceStateName, ServiceView, StateName,
};

/// What keeps a node from taking a role that an operator sends there.
const DOWN_FILE: &str = "its down file is there";

/// More steps than that follow from no single input; a mistake here must not hang the loop.
const MOST_STEPS: u32 = 32;

impl Engine {
    // ── one step after the other ──────────────────────────────────────────────────────────────────────

    /// Goes on until nothing is left to do, then says and saves what has changed.
    pub(crate) fn coordinate(&mut self, now: Instant, out: &mut Vec<Output>) {
        let frozen =
            self.standing.in_maintenance() || self.briefs.iter().any(|brief| brief.frozen || brief.stands_back);
        if self.is_plain() && !frozen && !self.roles.iter().any(Role::is_held) {
            self.follow_states(now, out);
            if self.saved != Record::default() {
                self.save(now, out);
            }
            return;
        }
        self.look_elsewhere(now, out);
        let mut is_news = self.refresh_briefs();
        for _ in 0..MOST_STEPS {
            if is_news {
                self.assess_all(now, out);
            }
            // Roles first: nothing is begun that would have to end at once, or that a crash could make forgotten.
            let mut moved = self.follow_states(now, out);
            moved |= self.deal(now, out);
            moved |= self.follow_in(now, out);
            moved |= self.follow_states(now, out);
            self.save(now, out);
            moved |= self.pursue_services(now, out);
            is_news = self.refresh_briefs();
            if !moved && !is_news {
                break;
            }
        }
        self.tell_groups(out);
        self.report_progress(now, out);
        self.compare_notes(out);
        self.run_service_hooks(now, out);
        self.say(now, out);
        self.save(now, out);
    }

    /// Nothing here but routers that have to do with nobody else.
    pub(crate) fn is_plain(&self) -> bool {
        self.services.is_empty() && self.pair.is_none() && self.departing.is_empty() && !self.units.has_groups()
    }

    /// Tells the routers about their services and the other node. Returns whether something changed.
    pub(crate) fn refresh_briefs(&mut self) -> bool {
        let mut changed = self.briefs.len() != self.routers.len();
        self.briefs.resize_with(self.routers.len(), Brief::default);
        let latch = self.standing.latch().map(|latch| latch.service.clone());
        let here = (0..self.routers.len()).map(|index| (!self.may_come_back(index), self.halved(index)));
        let here: Vec<(bool, Option<Duration>)> = here.collect();
        let Self { briefs, routers, units, own_faults, roles, services, pair, standing, departing, .. } = self;
        for (((brief, router), index), (spent, halved)) in briefs.iter_mut().zip(routers.iter()).zip(0..).zip(here) {
            let config = router.config();
            let (leader, its_services) = (units.leader(index), units.services(index));
            let Some(role) = roles.get(leader) else { continue };
            let members = || units.members(index).iter().filter_map(|member| routers.get(*member));
            let left = departing
                .iter()
                .filter(|departing| members().any(|member| member.config().name == *departing.router()));
            let is_its = |service: &&Service| its_services.contains(&service.config().name);
            let mut fresh = Brief {
                busy: left.into_iter().any(|departing| departing.is_busy(services)),
                stands_back: role.is_held() || spent,
                frozen: standing.in_maintenance(),
                halved,
                waits: standing.in_maintenance() && !role.is_keeper,
                goes_on: standing.in_maintenance() && role.is_keeper && run_on(services.iter().filter(is_its)),
                paired: pair.is_some() && !its_services.is_empty(),
                grouped: units.is_grouped(index),
                torn: units.is_grouped(index) && members().any(|member| member.state_name() != StateName::Active),
                gives_way_for: Self::gives_way_for(units, routers, index),
                ..Brief::default()
            };
            let theirs =
                pair.as_ref().filter(|pair| pair.is_alive()).and_then(|pair| words(pair, units, routers, leader));
            for member in members().filter(|member| member.id() != router.id()) {
                for fault in own_faults.get(member.id().0 as usize).into_iter().flatten() {
                    match fault {
                        // None of its own.
                        FaultReason::Member(_) | FaultReason::ServiceFailed(_) | FaultReason::Latched(_) => {}
                        // It joins those who are in already.
                        FaultReason::ScriptPending(_) | FaultReason::PrimaryAddressTentative
                            if router.state_name() == StateName::Active
                                && member.state_name() == StateName::Initialize => {}
                        // It waits, and so do the others.
                        FaultReason::ScriptPending(_) | FaultReason::PrimaryAddressTentative => {
                            fresh.faults.push(fault.clone())
                        }
                        FaultReason::LinkAbsent(_)
                        | FaultReason::LinkDown(_)
                        | FaultReason::NoPrimaryAddress
                        | FaultReason::StaticMissing(_)
                        | FaultReason::NoPeer
                        | FaultReason::ScriptFailed(_)
                        | FaultReason::Tracked(_) => {
                            fresh.faults.push(FaultReason::Member(member.config().name.clone()));
                        }
                    }
                }
            }
            for service in services.iter().filter(is_its) {
                fresh.busy |= !service.is_gone();
                if service.has_failed() {
                    fresh.faults.push(FaultReason::ServiceFailed(service.config().name.clone()));
                }
            }
            if let Some(service) = &latch
                && !its_services.is_empty()
                && router.state_name() != StateName::Active
                && !services.iter().filter(is_its).any(Service::is_ours)
                && !role.is_keeper
                && !theirs.is_some_and(|says| router.state_name() == StateName::Backup && is_coming(says))
            {
                fresh.faults.push(FaultReason::Latched(service.clone()));
            }
            if let Some(pair) = pair
                && let Some(says) = pair.last_words(&config.name)
            {
                fresh.peer_priority = Some(says.priority);
                if !pair.has_stopped() {
                    fresh.ordered = pair.is_alive();
                    fresh.peer_address = says.address;
                    fresh.peer_is_free = !holds(says.stance);
                }
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
        let (mut left, mut changed) = (Vec::new(), Vec::new());
        let states: Vec<StateName> = self.roles.iter().map(|role| role.state).collect();
        for index in 0..self.routers.len() {
            let is_active = |member: &usize| *member != index && states.get(*member) == Some(&StateName::Active);
            // Who joins others that have the role takes it anew.
            let joins = self.units.members(index).iter().any(is_active);
            let goes_on = !joins && run_on(self.services_of(index));
            let (Some(router), Some(role)) = (self.routers.get(index), self.roles.get_mut(index)) else { continue };
            let state = router.state_name();
            if router.heard_at().is_some() {
                role.keeps_no_more();
            }
            if role.state == state {
                continue;
            }
            moved = true;
            let theirs = self.pair.as_ref().and_then(|pair| pair.last_words(&router.config().name));
            role.epoch = role.epoch.max(theirs.map_or(0, |says| says.epoch));
            let resumed = state == StateName::Active && (router.resumed() || goes_on);
            let was_moving = role.progress.is_some();
            // What the other node has, too, is taken anew.
            let goes_on = resumed && !theirs.is_some_and(|says| holds(says.stance));
            let before = role.changed(now, state, listens, goes_on, maintained);
            if was_moving && role.progress.is_none() {
                out.push(came_to_nothing(router, &self.services, theirs));
            }
            // Nobody else could have it: what the operator wanted has come to its end.
            if state == StateName::Active && !resumed && !joins && role.held_by.remove(&HeldBy::Operator) {
                role.stood_back = false;
                out.push(Output::Tell(Event::Released { router: router.id(), by: HeldBy::Operator }));
            }
            let brief = self.briefs.get(index);
            let busy = brief.is_some_and(|brief| brief.busy);
            let is_of_a_service =
                |fault: &FaultReason| matches!(fault, FaultReason::ServiceFailed(_) | FaultReason::Latched(_));
            if brief.is_some_and(|brief| brief.faults.iter().any(is_of_a_service)) {
                // It could not keep it.
                role.keeps_no_more();
            }
            if before == StateName::Active && busy && !listens {
                out.push(Output::Tell(Event::HandoverUnordered { router: router.id() }));
            }
            // Whoever it stood back for is no longer there.
            if before == StateName::Active && self.pair.is_none() && role.keeps() {
                out.push(Output::Tell(Event::Released { router: router.id(), by: HeldBy::Operator }));
            }
            if before == StateName::Active {
                left.push(index);
            }
            let came_back = role.take_return() || self.pair.is_none();
            let names = self.units.led_by(index);
            if state == StateName::Active && !resumed && came_back {
                let its = self.services.iter_mut().filter(|service| names.contains(&service.config().name));
                its.for_each(|service| service.note_return(now));
            }
            changed.push((index, before));
        }
        self.run_role_hooks(&changed, out);
        self.follow_out(now, &left, out);
        moved
    }

    /// What waits for another try goes to the other node, where that could do better by now.
    fn look_elsewhere(&mut self, now: Instant, out: &mut Vec<Output>) {
        let left_alone = self.standing.in_maintenance();
        for index in 0..self.services.len() {
            if !self.services.get(index).is_some_and(|service| service.waits_for_another(left_alone)) {
                continue;
            }
            let mut elsewhere = self.elsewhere(now, index);
            elsewhere.nobody_better |= !self.could_run_there(index);
            let Some(service) = self.services.get_mut(index) else { continue };
            if let Some(consequence) = service.go_elsewhere(now, elsewhere, out) {
                self.draw(now, index, consequence, out);
            }
        }
    }

    fn pursue_services(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        // What ends with the daemon ends even in maintenance.
        let stopping = self.is_stopping();
        let left_alone = self.standing.in_maintenance() && !stopping;
        let mut moved = false;
        for service in &mut self.services {
            let name = &service.config().name;
            let owner = self.units.owner_of(name).and_then(|owner| self.routers.get(owner));
            let members = owner.map_or(&[] as &[usize], |owner| self.units.members(owner.id().0 as usize));
            let members = || members.iter().filter_map(|member| self.routers.get(*member));
            // In maintenance what runs goes on even where a cable was pulled, until somebody else has the role.
            let kept = |owner: &VirtualRouter| {
                let role = self.roles.get(owner.id().0 as usize);
                left_alone && !members().any(VirtualRouter::is_leaving) && role.is_some_and(|role| role.is_keeper)
            };
            service.set_removed(owner.is_none());
            // A reconfiguration may have brought a router to the group that has to wait before it joins: what runs goes on.
            let waits = |member: &VirtualRouter| member.state_name() != StateName::Active && !member.is_kept_out();
            let joins = service.is_wanted()
                && members().any(VirtualRouter::wants_services)
                && members().all(|member| member.wants_services() || waits(member));
            let wanted = owner.is_some_and(|owner| {
                // What has crashed meanwhile is not begun again because a cable comes back.
                let stays = || service.is_wanted() && members().any(VirtualRouter::wants_services);
                members().all(VirtualRouter::wants_services) || joins || ((service.is_up() || stays()) && kept(owner))
            });
            let epoch = owner.map_or(0, |owner| groups::epoch(&self.units, &self.roles, owner.id().0 as usize));
            service.set_wanted(now, wanted, epoch);
            service.set_holds_role(now, members().any(|member| member.state_name() == StateName::Active));
            let theirs = owner.zip(self.pair.as_ref()).and_then(|(owner, pair)| {
                pair.statement()?;
                words(pair, &self.units, &self.routers, owner.id().0 as usize)
            });
            let taken = theirs.is_some_and(|says| holds(says.stance))
                || members().any(|member| member.heard_at().is_some() || member.is_kept_out());
            // Nobody had it run rightly where another node has the role, or where it has no place any more; but whether it runs
            // must be seen first, if that can be.
            if (taken || owner.is_none()) && (stopping || !service.is_asked_for(now)) {
                moved |= service.refuse_adoption();
            }
            if theirs.is_some_and(|says| runs_there(says, &service.config().name)) {
                // Both were active: the other one ends its own first.
                let pause = self.pair.as_ref().map(|pair| pair.config().heartbeat);
                service.put_off(now + pause.unwrap_or_default());
            }
            moved |= service.pursue(now, left_alone, out);
        }
        let Self { departing, services, units, pair, .. } = self;
        for departing in departing {
            for service in &mut departing.services {
                service.set_removed(true);
                service.set_wanted(now, false, 0);
                if stopping || !service.is_unknown() {
                    service.refuse_adoption();
                }
                service.pursue(now, false, out);
            }
            // Whoever begins something in maintenance looks after it.
            departing.forget(now, !left_alone, out);
            // What runs in its new place is that one's business, unless the other node still has it in the old one.
            let theirs = pair.as_ref().and_then(|pair| pair.last_words(departing.router()));
            departing.leave(|name| {
                let is_listed = theirs.is_some_and(|says| says.services.iter().any(|theirs| theirs.name == *name));
                let runs = services.iter().any(|service| service.config().name == *name && service.is_wanted());
                runs && units.owner_of(name).is_some() && !is_listed
            });
        }
        let Self { departing, services, .. } = self;
        departing.retain(|departing| departing.is_waiting(services));
        moved
    }

    /// Lets every role take its next step. Returns whether one did.
    fn deal(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let mut moved = false;
        for index in 0..self.routers.len() {
            let leader = self.units.leader(index);
            if leader == index {
                self.announce_if_they_had_it(now, index, out);
                moved |= self.deal_with(now, index, out);
                continue;
            }
            let has_it = self.roles.get(leader).is_some_and(|role| role.is_keeper);
            if let Some(role) = self.roles.get_mut(index) {
                role.forget(now);
                // What the speaker has let go, or another node has, is not theirs either.
                role.is_keeper &= has_it || role.state == StateName::Active;
            }
        }
        moved
    }

    /// An Active router that learns from the peer's epoch that it had the role meanwhile, and has it no longer, was asleep or
    /// deaf then: the neighbours may still believe the peer.
    fn announce_if_they_had_it(&mut self, now: Instant, index: usize, out: &mut Vec<Output>) {
        let Self { pair: Some(pair), routers, roles, .. } = self else { return };
        let (Some(router), Some(role)) = (routers.get(index), roles.get(index)) else { return };
        let There::Heard { says, .. } = there(Some(pair), pair.last_words(&router.config().name)) else { return };
        if router.state_name() == StateName::Active && says.epoch > role.epoch && !holds(says.stance) {
            for member in self.units.members(index).to_vec() {
                self.with_around(member, |router, around| router.announce_again(now, around, out));
            }
        }
    }

    fn deal_with(&mut self, now: Instant, index: usize, out: &mut Vec<Output>) -> bool {
        let id = RouterId(u32::try_from(index).unwrap_or(u32::MAX));
        let Some(mut here) = self.here(index) else { return false };
        let Self { roles, routers, units, pair, services, steps, .. } = self;
        let Some(router) = routers.get(index) else { return false };
        // What the other node compares with its own.
        let voice = pair.as_ref().map_or(index, |pair| spokesman(pair, units, routers, index));
        if let Some(voice) = routers.get(voice) {
            (here.priority, here.address) = (voice.effective_priority(), voice.primary_address());
            here.meets = voice.state_name() == StateName::Active;
        }
        let known = there(pair.as_ref(), pair.as_ref().and_then(|pair| pair.last_words(&router.config().name)));
        let there = there(pair.as_ref(), pair.as_ref().and_then(|pair| words(pair, units, routers, index)));
        let is_theirs = |member: usize| {
            let heard = pair.as_ref().filter(|_| !matches!(there, There::Nobody)).zip(routers.get(member));
            let says = heard.and_then(|(pair, router)| pair.last_words(&router.config().name));
            member != index && says.is_some_and(|says| holds(says.stance) && !says.services.is_empty())
        };
        let Some(role) = roles.get_mut(index) else { return false };
        // Another router of the group has its services there, although this one is free or unknown there, or was: what would not be
        // taken then is not asked for either.
        let is_free = !matches!(there, There::Heard { says, .. } if holds(says.stance));
        role.is_apart = (is_free || role.is_apart) && units.members(index).iter().any(|member| is_theirs(*member));
        let is_apart = role.is_apart;
        here.known_ready &= !is_apart;
        if let Some(reason) = role.forget(now) {
            out.push(Output::Tell(Event::HandoverFailed { router: id, reason }));
        }
        role.forget_orphans(router.heard_at(), there);
        role.compare(now, &here, there);
        tell_about(id, role, &here, known, out);
        let last = pair.as_ref().and_then(|pair| words(pair, units, routers, index));
        role.is_left_to_us(last, matches!(there, There::Heard { .. }), here.frozen);
        if let There::Heard { says, .. } = there {
            role.epoch = role.epoch.max(says.epoch);
            if holds(says.stance) {
                let is_kept = role.is_theirs(now, matches!(says.stance, Stance::Releasing(_)), here.longest_move);
                if is_kept {
                    let reason = here.ready.clone().err().map_or(RefusedCommand::NotStandby, RefusedCommand::NotReady);
                    out.push(Output::Tell(Event::HandoverFailed { router: id, reason }));
                }
            }
        }
        let step = match role.next(now, &here, there) {
            Step::TakeOver(_) | Step::Claim(_) if is_apart && role.is_claiming() => Step::Unclaim,
            Step::TakeOver(_) | Step::Claim(_) if is_apart => Step::Nothing,
            step => step,
        };
        steps.note(here.state, there, &step);
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
            Step::TakeOver(_) => {
                if comes_in_order {
                    // It comes back before its services had come up there.
                    if role.progress.is_some_and(|progress| !progress.to_us) {
                        out.push(came_to_nothing(router, services, pair_says(there)));
                    }
                    role.progress = Some(Progress::new(now, true, true, here.longest_move));
                }
                self.step_together(now, index, &step, out);
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
                role.progress = Some(Progress::new(now, false, true, here.longest_move));
                out.push(Output::Tell(Event::HandoverBegun { router: id, to_us: false, reason }));
                self.step_together(now, index, &step, out);
            }
            Step::Keep(ref reason) => {
                if role.keeps() {
                    out.push(Output::Tell(Event::Released { router: id, by: HeldBy::Operator }));
                }
                role.progress = None;
                if *reason != RefusedCommand::PeerSilent {
                    role.rests_from_offers(now);
                }
                out.push(Output::Tell(Event::HandoverFailed { router: id, reason: reason.clone() }));
                self.step_together(now, index, &step, out);
            }
            Step::DropOffer => role.withdrawn(),
            Step::GiveUp => {
                role.unclaimed();
                role.is_keeper = false;
                let names = self.units.services(index);
                let its = self.services.iter_mut().filter(|service| names.contains(&service.config().name));
                its.for_each(|service| {
                    service.refuse_adoption();
                });
            }
            Step::Yield => self.step_together(now, index, &step, out),
        }
        true
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn node(&self) -> Name {
        self.config().pair.as_ref().map_or_else(|| Name::from("this node"), |pair| pair.node.clone())
    }

    pub(crate) fn owner_of(&self, service: &Name) -> Option<RouterId> {
        u32::try_from(self.units.owner_of(service)?).ok().map(RouterId)
    }

    /// The services that run where a router and those that share its role are Active.
    fn services_of(&self, router: usize) -> impl Iterator<Item = &Service> {
        let names = self.units.services(router);
        self.services.iter().filter(move |service| names.contains(&service.config().name))
    }

    pub(crate) fn service_views(&self, now: Instant) -> Vec<ServiceView> {
        let views = self.services.iter().enumerate().map(|(index, service)| {
            let owner = self.owner_of(&service.config().name);
            let theirs = self.elsewhere(now, index).their_moves;
            let moves = service.recent_moves(now).saturating_add(theirs);
            ServiceView { differs: self.differing_terms(&service.config().name), ..service.view(owner, moves) }
        });
        views.collect()
    }

    fn elsewhere(&self, now: Instant, index: usize) -> Elsewhere {
        let mut elsewhere = Elsewhere { latched: self.standing.is_latched(), nobody_better: false, their_moves: 0 };
        let (Some(service), Some(pair)) = (self.services.get(index), &self.pair) else { return elsewhere };
        let name = &service.config().name;
        let Some(owner) = self.units.owner_of(name) else {
            return elsewhere;
        };
        let Some(says) = words(pair, &self.units, &self.routers, owner) else {
            elsewhere.nobody_better = true;
            return elsewhere;
        };
        let heard_at = pair.heard_at().unwrap_or(now);
        let within = service.config().max_moves.within;
        let theirs = says.services.iter().find(|theirs| theirs.name == *name);
        let moves = theirs.map_or(&[] as &[Duration], |theirs| &theirs.moves);
        // Some may be older than this machine's clock.
        let moves: Vec<Duration> = moves.iter().map(|age| age.saturating_add(now.since(heard_at))).collect();
        let recent = moves.iter().filter(|age| **age < within).count();
        let recent = recent + pair.former_moves(name, now, within, &moves);
        elsewhere.their_moves = u32::try_from(recent).unwrap_or(u32::MAX);
        elsewhere.nobody_better = !pair.is_alive() || (says.stance != Stance::Standby || !role::is_ready(says));
        elsewhere
    }

    /// Whether the other node has found out that it could start what shares a service's role, and does not only hope so.
    fn could_run_there(&self, index: usize) -> bool {
        let owner = self.services.get(index).and_then(|service| self.units.owner_of(&service.config().name));
        let says =
            self.pair.as_ref().zip(owner).and_then(|(pair, owner)| words(pair, &self.units, &self.routers, owner));
        says.is_some_and(|says| says.services.iter().all(role::is_known_ready))
    }

    /// Whether the role may come back by itself to where its service failed: the budget of moves must leave one for
    /// another failure. Otherwise it stays where it works until the earlier moves no longer count.
    fn may_come_back(&self, index: usize) -> bool {
        let names = self.units.services(index);
        let its = self.services.iter().enumerate().filter(|(_, service)| names.contains(&service.config().name));
        its.into_iter().all(|(index, service)| {
            let ours = service.recent_moves(self.last_at);
            let moves = ours.saturating_add(self.elsewhere(self.last_at, index).their_moves);
            ours == 0 || moves.saturating_add(2) <= service.config().max_moves.limit
        })
    }

    fn here(&self, index: usize) -> Option<Here> {
        let (router, role) = (self.routers.get(index)?, self.roles.get(index)?);
        let config = router.config();
        let mut ready = Ok(());
        let mut known_ready = true;
        let mut auto = true;
        for service in self.services_of(index) {
            auto &= service.config().failback == Failback::Auto;
            match service.readiness() {
                _ if role.held_by.contains(&HeldBy::DownFile) => ready = Err(Name::from(DOWN_FILE)),
                _ if service.is_unknown() && !service.is_rightful() => {
                    ready = Err(Name::from("nobody can tell whether it runs here"));
                }
                _ if service.has_failed() => ready = Err(Name::from("it has failed here")),
                Some(Err(reason)) => ready = Err(reason.clone()),
                Some(Ok(())) => {}
                None => known_ready = false,
            }
        }
        let preempts = config.preempt_mode && auto && self.may_come_back(index);
        // What joins a group that is Active waits for its turn.
        let is_active = |member: &usize| self.roles.get(*member).is_some_and(|role| role.state == StateName::Active);
        let is_at_work = self.units.members(index).iter().any(is_active);
        let members = || self.units.members(index).iter().filter_map(|member| self.routers.get(*member));
        let pair_latched = self.standing.is_latched() && !self.units.services(index).is_empty();
        Some(Here {
            node: self.config().pair.as_ref().map_or_else(|| config.name.clone(), |pair| pair.node.clone()),
            state: role.state,
            leaving: members().any(VirtualRouter::is_leaving),
            may_stay: members().all(|member| !member.is_leaving() || member.lets_go()),
            torn: self.briefs.get(index).is_some_and(|brief| brief.torn),
            meets: role.state == StateName::Active,
            longest_move: self.services_of(index).map(Service::longest_move).max().unwrap_or_default(),
            busy: self.briefs.get(index).is_some_and(|brief| brief.busy),
            resumes: !is_at_work && run_on(self.services_of(index)),
            runs: self.services_of(index).any(|service| role::may_run(service.state_name())),
            blind: self.services_of(index).any(|service| service.is_unknown() && !service.is_gone()),
            ready,
            known_ready,
            due: self.unit_due(index),
            priority: router.effective_priority(),
            address: router.primary_address(),
            preempts_after: preempts.then_some(config.preempt_delay),
            frozen: self.standing.in_maintenance(),
            waits: self.standing.in_maintenance() && !role.is_keeper,
            latched: pair_latched && !role.is_keeper,
            pair_latched,
            stopping: self.is_stopping(),
        })
    }
}

/// Whether something of these services is left, and runs, perhaps rightly so.
fn run_on<'s>(services: impl Iterator<Item = &'s Service>) -> bool {
    let mut left = services.filter(|service| !service.is_gone()).peekable();
    left.peek().is_some() && left.all(Service::is_rightful)
}

/// The router of a group that speaks for it to the other node: the first one, or where the other node has not that one, the first
/// that it has.
fn spokesman(pair: &Pair, units: &Units, routers: &[VirtualRouter], index: usize) -> usize {
    let is_known = |member: &usize| {
        let router = routers.get(*member);
        router.is_some_and(|router| pair.last_words(&router.config().name).is_some())
    };
    units.members(index).iter().copied().find(is_known).unwrap_or_else(|| units.leader(index))
}

/// What the other node says of a router, or of the group that it is in.
pub(super) fn words<'p>(
    pair: &'p Pair,
    units: &Units,
    routers: &[VirtualRouter],
    index: usize,
) -> Option<&'p RouterStatement> {
    pair.last_words(&routers.get(spokesman(pair, units, routers, index))?.config().name)
}

/// The other node, as far as one router is concerned of which it says this.
fn there<'e>(pair: Option<&'e Pair>, says: Option<&'e RouterStatement>) -> There<'e> {
    if pair.is_none() {
        return There::Alone;
    }
    let Some((pair, statement)) = pair.and_then(|pair| Some((pair, pair.statement()?))) else { return There::Nobody };
    match says {
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

/// Whether something of a service runs on that node, as far as it says, or may run there, as far as it can know.
fn runs_there(says: &RouterStatement, service: &Name) -> bool {
    let its = says.services.iter().find(|theirs| theirs.name == *service);
    let is_seen =
        |service: &ServiceStatement| !matches!(service.state, ServiceStateName::Unknown | ServiceStateName::Stopped);
    its.is_some_and(|theirs| match theirs.state {
        ServiceStateName::Starting | ServiceStateName::Running | ServiceStateName::Stopping => true,
        // What it had begun before it lost sight of it is all that it is still releasing.
        ServiceStateName::Unknown => matches!(says.stance, Stance::Releasing(_)) && !says.services.iter().any(is_seen),
        ServiceStateName::Stopped => false,
    })
}

/// Whether that node lets the role go, so that it may come here.
const fn is_coming(says: &RouterStatement) -> bool {
    says.released || matches!(says.stance, Stance::Releasing(_) | Stance::Offering(_))
}

/// The other node's words, if it is heard.
const fn pair_says<'e>(there: There<'e>) -> Option<&'e RouterStatement> {
    match there {
        There::Heard { says, .. } => Some(says),
        There::Alone | There::Nobody | There::Stranger => None,
    }
}
