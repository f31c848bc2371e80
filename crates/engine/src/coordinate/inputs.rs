//! What comes in from services, the other node, a former life and the clock, and what follows from it at once.

use alloc::vec::Vec;

use super::{holds, words};
use crate::service::Elsewhere;
use crate::standing::Change;
use crate::{
    Cause, Engine, Event, HeldBy, Instant, LatchReason, Name, Output, Record, Restored, ScriptOutcome, ServiceReport,
    StateName,
};

impl Engine {
    pub(crate) fn restore(&mut self, now: Instant, restored: Restored, out: &mut Vec<Output>) {
        let node = self.node();
        let restored = match restored {
            Restored::Record { record, .. } if !record.can_be() => {
                Restored::Damaged(Name::from("it counts further than anybody can have counted"))
            }
            restored => restored,
        };
        match restored {
            Restored::Nothing { calendar } => self.standing.set_calendar(now, calendar),
            Restored::Damaged(reason) => {
                out.push(Output::Tell(Event::RecordDamaged { reason }));
                // There may have been a latch. Only where there is something that could have been latched.
                if let Some(service) = self.services.first() {
                    let service = service.config().name.clone();
                    let change = self.standing.latch_for(service, LatchReason::RecordDamaged, node);
                    self.tell_change(Some(change), out);
                }
            }
            Restored::Record { record, same_boot, calendar } => {
                self.standing.restore(now, &record, calendar, &node);
                let latched = self.standing.latch().cloned();
                self.tell_change(latched.map(Change::Latched), out);
                for ((router, role), index) in self.routers.iter().zip(&mut self.roles).zip(0..) {
                    let known = record.routers.iter().find(|known| known.name == router.config().name);
                    let Some(known) = known else { continue };
                    role.restore(known.epoch, known.active);
                    role.held_by = known.held_by.iter().copied().filter(|by| *by == HeldBy::Operator).collect();
                    role.stood_back = known.stood_back && role.is_held();
                    let names = self.units.services(index);
                    for service in self.services.iter_mut().filter(|service| names.contains(&service.config().name)) {
                        service.know_epoch(known.epoch);
                        if known.active && same_boot {
                            service.allow_adoption();
                        }
                    }
                }
                self.restore_groups(&record);
                for service in &mut self.services {
                    let known = record.services.iter().find(|known| known.name == service.config().name);
                    if let Some(known) = known {
                        service.restore(now, known, same_boot, calendar, self.standing.in_maintenance());
                    }
                }
                self.saved = record;
            }
        }
    }

    /// A group may have had another speaker in the former life: what was said of it counts all the same.
    fn restore_groups(&mut self, record: &Record) {
        let former = self.roles.clone();
        for (role, index) in self.roles.iter_mut().zip(0..) {
            if self.units.leader(index) != index {
                role.held_by.clear();
                role.stood_back = false;
                continue;
            }
            let is_known = |member: &usize| {
                let name = self.routers.get(*member).map(|router| &router.config().name);
                record.routers.iter().any(|known| Some(&known.name) == name)
            };
            let speaks_anew = !is_known(&index);
            for member in self.units.members(index).iter().filter(|member| **member != index && is_known(member)) {
                let Some(member) = former.get(*member) else { continue };
                if speaks_anew {
                    role.succeed(member);
                } else {
                    role.held_by.extend(&member.held_by);
                    role.stood_back |= member.stood_back;
                }
            }
        }
    }

    pub(crate) fn take_report(&mut self, now: Instant, service: &str, report: ServiceReport, out: &mut Vec<Output>) {
        let Some(index) = self.services.iter().position(|known| &*known.config().name == service) else {
            return self.take_last_report(now, service, report, out);
        };
        let (left_alone, elsewhere) = (self.standing.in_maintenance(), self.elsewhere(now, index));
        let Some(service) = self.services.get_mut(index) else { return };
        let consequence = service.take_report(now, report, left_alone, elsewhere, out);
        self.draw(now, index, consequence, out);
    }

    /// A report on a service that the configuration no longer has, and that is being ended.
    pub(super) fn take_last_report(
        &mut self,
        now: Instant,
        service: &str,
        report: ServiceReport,
        out: &mut Vec<Output>,
    ) {
        let nobody = Elsewhere { latched: false, nobody_better: true, their_moves: 0 };
        let ending = self.departing.iter_mut().flat_map(|departing| &mut departing.services);
        if let Some(service) = ending.into_iter().find(|known| &*known.config().name == service) {
            service.take_report(now, report, false, nobody, out);
        }
    }

    /// Returns whether the check belongs to a service.
    pub(crate) fn take_check(
        &mut self,
        now: Instant,
        check: &str,
        outcome: ScriptOutcome,
        out: &mut Vec<Output>,
    ) -> bool {
        for index in 0..self.services.len() {
            let (left_alone, elsewhere) = (self.standing.in_maintenance(), self.elsewhere(now, index));
            let Some(service) = self.services.get_mut(index) else { continue };
            if let Some(consequence) = service.take_check(now, check, outcome, left_alone, elsewhere, out) {
                self.draw(now, index, consequence, out);
                return true;
            }
        }
        // What is under way of one that is being ended.
        let nobody = Elsewhere { latched: false, nobody_better: true, their_moves: 0 };
        let mut ending = self.departing.iter_mut().flat_map(|departing| &mut departing.services);
        ending.any(|service| service.take_check(now, check, outcome, false, nobody, out).is_some())
    }

    pub(crate) fn take_baton(&mut self, now: Instant, path: u32, octets: &[u8], out: &mut Vec<Output>) {
        let Some(pair) = &mut self.pair else { return };
        if !pair.receive(now, path, octets, out) {
            return;
        }
        if pair.has_stopped() {
            return self.orphan(now, Cause::HandedOver);
        }
        let Self { pair: Some(pair), standing, .. } = self else { return };
        let Some(statement) = pair.statement() else { return };
        let mut changes = Vec::new();
        standing.adopt(now, statement, |change| changes.push(change));
        for change in changes {
            match change {
                Change::Unlatched | Change::Forgiven => {
                    self.forgive(now);
                    self.tell_change(Some(change), out);
                }
                Change::MaintenanceEnded { .. } => self.look_after_again(now, Some(change), out),
                Change::Latched(_) | Change::MaintenanceBegun(..) => self.tell_change(Some(change), out),
            }
        }
    }

    pub(crate) fn time_passes(&mut self, now: Instant, out: &mut Vec<Output>) {
        let change = self.standing.expire(now);
        self.look_after_again(now, change, out);
        for index in 0..self.services.len() {
            let (left_alone, elsewhere) = (self.standing.in_maintenance(), self.elsewhere(now, index));
            let Some(service) = self.services.get_mut(index) else { continue };
            if service.deadline(left_alone).is_some_and(|deadline| deadline <= now) {
                let consequence = service.handle_timer(now, left_alone, elsewhere, out);
                self.draw(now, index, consequence, out);
            }
        }
        let nobody = Elsewhere { latched: false, nobody_better: true, their_moves: 0 };
        for service in self.departing.iter_mut().flat_map(|departing| &mut departing.services) {
            if service.deadline(false).is_some_and(|deadline| deadline <= now) {
                service.handle_timer(now, false, nobody, out);
            }
        }
        let Some(pair) = &mut self.pair else { return };
        if pair.handle_timer(now, out) {
            self.orphan(now, Cause::PeerSilent);
        } else if pair.is_in_doubt(now) {
            self.for_each_router(|router, _| router.speak_up(now, out));
        }
    }

    /// The peer is gone: what it had is nobody's, unless an advertisement came well after its last message. Then only
    /// the path is broken, and the protocol's own timer knows better.
    pub(super) fn orphan(&mut self, now: Instant, cause: Cause) {
        let Self { pair: Some(pair), routers, roles, units, .. } = self else { return };
        let alive_after = pair.heard_at().map(|at| at + pair.config().heartbeat * 2);
        for ((router, role), index) in routers.iter().zip(roles).zip(0..) {
            let says = words(pair, units, routers, index);
            let had_it = says.is_some_and(|says| holds(says.stance) || says.released);
            let spoke_since = cause == Cause::PeerSilent && router.heard_at() > alive_after;
            let free = had_it && !spoke_since && router.state_name() == StateName::Backup;
            role.orphaned = free.then_some((cause, now));
        }
    }
}
