//! What operators want, by command or by hand, and what becomes of it.

use alloc::vec::Vec;
use core::time::Duration;

use super::{holds, words};
use crate::role::{self, Step};
use crate::service::{Consequence, Service};
use crate::standing::Change;
use crate::wire::baton::Stance;
use crate::{
    Answer, Command, Engine, Event, HandoverReason, HeldBy, Instant, LatchReason, OnManualStop, Output, RefusedCommand,
    RouterId, StateName,
};

impl Engine {
    pub(crate) fn command(&mut self, now: Instant, number: u64, command: Command, out: &mut Vec<Output>) {
        let answer = self.obey(now, command, out);
        out.push(Output::Answer { number, answer });
    }

    pub(super) fn obey(&mut self, now: Instant, command: Command, out: &mut Vec<Output>) -> Answer {
        // Who shares a role with others is spoken for by the first of them.
        let command = match command {
            Command::Switch { router, to_us, dry_run } => {
                Command::Switch { router: self.speaker(router), to_us, dry_run }
            }
            Command::Hold { router, by } => Command::Hold { router: self.speaker(router), by },
            Command::Release { router, by } => Command::Release { router: self.speaker(router), by },
            other => other,
        };
        match command {
            Command::Switch { router, to_us, dry_run } => match self.may_switch(router, to_us) {
                Err(reason) => Answer::Refused(reason),
                Ok(None) => Answer::Done,
                Ok(Some(at_most)) if dry_run => Answer::Would { at_most },
                Ok(Some(_)) => {
                    if to_us {
                        self.unhold(now, router, HeldBy::Operator, out);
                        if let Some(role) = self.roles.get_mut(router.0 as usize) {
                            role.ask(now);
                        }
                    } else if let Some(role) = self.roles.get_mut(router.0 as usize) {
                        role.send(now);
                    }
                    Answer::Begun
                }
            },
            Command::Hold { router, by } => self.with_router(router, |engine| engine.hold(now, router, by, out)),
            Command::Release { router, by } => self.with_router(router, |engine| engine.unhold(now, router, by, out)),
            Command::Maintain { span, calendar } => {
                let node = self.node();
                self.standing.set_calendar(now, calendar);
                let change = self.standing.maintain(now, span, node);
                self.tell_change(Some(change), out);
                Answer::Done
            }
            Command::EndMaintenance => {
                let change = self.standing.end_maintenance();
                self.look_after_again(now, change, out);
                Answer::Done
            }
            Command::Acknowledge => {
                let change = self.standing.acknowledge();
                self.forgive(now);
                self.tell_change(change, out);
                Answer::Done
            }
        }
    }

    pub(super) fn with_router(&mut self, router: RouterId, act: impl FnOnce(&mut Self)) -> Answer {
        if self.roles.get(router.0 as usize).is_none() {
            return Answer::Refused(RefusedCommand::NoSuchRouter);
        }
        act(self);
        Answer::Done
    }

    /// Whether the role could move: `None` if it is there already, otherwise the longest that it may take.
    pub(super) fn may_switch(&self, router: RouterId, to_us: bool) -> Result<Option<Duration>, RefusedCommand> {
        let index = router.0 as usize;
        let role = self.roles.get(index).ok_or(RefusedCommand::NoSuchRouter)?;
        let here = self.here(index).ok_or(RefusedCommand::NoSuchRouter)?;
        if here.stopping {
            return Err(RefusedCommand::Stopping);
        }
        if self.standing.is_latched() && !self.units.services(index).is_empty() {
            return Err(RefusedCommand::Latched);
        }
        if role.is_offering() || here.leaving {
            return Err(RefusedCommand::Busy);
        }
        let Some(pair) = &self.pair else {
            let alone = if here.state == StateName::Active { !to_us } else { to_us };
            return if alone { Err(RefusedCommand::NoPeer) } else { Ok(None) };
        };
        // In maintenance a fault takes the role from one router of a group alone.
        let is_active = |member: &usize| self.roles.get(*member).is_some_and(|role| role.state == StateName::Active);
        if !to_us && here.state == StateName::Initialize && self.units.members(index).iter().any(is_active) {
            return Err(RefusedCommand::Busy);
        }
        if (here.state == StateName::Active) == to_us {
            return Ok(None);
        }
        if !pair.is_alive() {
            return Err(RefusedCommand::PeerSilent);
        }
        let says = words(pair, &self.units, &self.routers, index).ok_or(RefusedCommand::NotStandby)?;
        if to_us {
            if here.state != StateName::Backup {
                return Err(RefusedCommand::NotStandby);
            }
            here.ready.clone().map_err(RefusedCommand::NotReady)?;
            if !holds(says.stance) {
                return Err(RefusedCommand::NobodyActive);
            }
            // In maintenance it keeps what runs where its router has lost the role by a fault.
            if here.frozen && matches!(says.stance, Stance::Releasing(_)) {
                return Err(RefusedCommand::Busy);
            }
        } else {
            if says.stance != Stance::Standby {
                return Err(RefusedCommand::NotStandby);
            }
            if let Some(reason) = says.services.iter().find_map(role::unready) {
                return Err(RefusedCommand::NotReady(reason));
            }
        }
        let longest = self.services_of(index).map(Service::longest_move).max();
        Ok(Some(longest.unwrap_or_default() + Duration::from_secs(1)))
    }

    pub(super) fn hold(&mut self, now: Instant, router: RouterId, by: HeldBy, out: &mut Vec<Output>) {
        let Some(role) = self.roles.get_mut(router.0 as usize) else { return };
        let first = !role.is_held();
        if !role.held_by.insert(by) {
            return;
        }
        out.push(Output::Tell(Event::Held { router, by }));
        // Nobody can be asked: the others' own timers decide, once. Whoever comes back because there are no others stays.
        if first && self.pair.is_none() {
            self.refresh_briefs();
            let index = router.0 as usize;
            if let Some(role) = self.roles.get_mut(index)
                && role.state == StateName::Active
            {
                role.lets_go(HandoverReason::Held, false);
            }
            self.step_together(now, index, &Step::LetGo(HandoverReason::Held), out);
        }
    }

    pub(super) fn unhold(&mut self, now: Instant, router: RouterId, by: HeldBy, out: &mut Vec<Output>) {
        let Some(role) = self.roles.get_mut(router.0 as usize) else { return };
        if by == HeldBy::Operator {
            role.stood_back = false;
        }
        if !role.held_by.remove(&by) {
            return;
        }
        out.push(Output::Tell(Event::Released { router, by }));
        if by == HeldBy::Operator {
            let names = self.units.services(router.0 as usize);
            for service in self.services.iter_mut().filter(|service| names.contains(&service.config().name)) {
                service.end_hold(now);
            }
        }
    }

    /// Maintenance is over, if it is.
    pub(super) fn look_after_again(&mut self, now: Instant, change: Option<Change>, out: &mut Vec<Output>) {
        if change.is_some() {
            for service in &mut self.services {
                service.end_maintenance(now);
            }
        }
        self.tell_change(change, out);
    }

    pub(super) fn forgive(&mut self, now: Instant) {
        for service in &mut self.services {
            service.forgive(now);
        }
        if let Some(pair) = &mut self.pair {
            pair.forgive();
        }
    }

    pub(super) fn draw(&mut self, now: Instant, index: usize, consequence: Consequence, out: &mut Vec<Output>) {
        let Some(service) = self.services.get(index) else { return };
        let name = service.config().name.clone();
        let router = self.owner_of(&name);
        let node = self.node();
        match consequence {
            Consequence::Nothing => {}
            Consequence::LatchBothFailed => {
                let change = self.standing.latch_for(name, LatchReason::BothFailed, node);
                self.tell_change(Some(change), out);
            }
            Consequence::LatchTooManyMoves => {
                let change = self.standing.latch_for(name, LatchReason::TooManyMoves, node);
                self.tell_change(Some(change), out);
            }
            Consequence::StandBack => {
                let Some(router) = router else { return };
                self.hold(now, router, HeldBy::Operator, out);
                if let Some(role) = self.roles.get_mut(router.0 as usize) {
                    role.stood_back = true;
                }
                // It may have stood back before, and have the role only because nobody else was there.
                if self.pair.is_none() {
                    self.refresh_briefs();
                    self.step_together(now, router.0 as usize, &Step::LetGo(HandoverReason::Held), out);
                }
            }
            Consequence::ComeBack => {
                if let Some(router) = router
                    && service.config().on_manual_stop == OnManualStop::Failover
                    && self.roles.get(router.0 as usize).is_some_and(|role| role.stood_back)
                {
                    self.unhold(now, router, HeldBy::Operator, out);
                }
            }
            Consequence::Maintain => {
                let change = self.standing.maintain(now, None, node);
                self.tell_change(Some(change), out);
            }
        }
    }

    pub(super) fn tell_change(&self, change: Option<Change>, out: &mut Vec<Output>) {
        let event = match change {
            None => return,
            Some(Change::Latched(latch)) => {
                Event::Latched { service: latch.service, reason: latch.reason, node: latch.node }
            }
            // Nothing that anybody waits for.
            Some(Change::Forgiven) => return,
            Some(Change::Unlatched) => Event::Unlatched,
            Some(Change::MaintenanceBegun(span, node)) => Event::MaintenanceBegun { span, node },
            Some(Change::MaintenanceEnded { expired }) => Event::MaintenanceEnded { expired },
        };
        out.push(Output::Tell(event));
    }
}
