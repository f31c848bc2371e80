//! What this node says of itself to the other one, and what it remembers for its next life.

use alloc::vec::Vec;
use core::time::Duration;

use super::understanding::sending;
use super::{DOWN_FILE, spokesman};
use crate::pair::Pair;
use crate::wire::baton::{RouterStatement, ServiceStatement, Statement};
use crate::{Engine, HeldBy, Instant, Name, Output, Record, RouterRecord};

impl Engine {
    pub(crate) fn say(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.pair.is_none() {
            return;
        }
        let lasting = self.statement(now, false);
        let whole = self.statement(now, true);
        if let Some(pair) = &mut self.pair {
            pair.say(now, lasting, |_| whole, out);
        }
    }

    /// What this node says of itself, with what only grows older or without it.
    pub(super) fn statement(&self, now: Instant, with_ages: bool) -> Statement {
        let mut statement = Statement {
            node: self.node(),
            stopped: self.has_stopped(),
            latch: None,
            latch_number: 0,
            acknowledged: 0,
            maintenance: None,
            maintenance_number: 0,
            paths: self.pair.as_ref().map_or_else(Vec::new, Pair::paths_work),
            routers: Vec::new(),
        };
        self.standing.state(now, &mut statement);
        if let Some(maintenance) = &mut statement.maintenance
            && !with_ages
        {
            maintenance.remaining = None;
        }
        let age = |at: Option<Instant>| at.filter(|_| with_ages).map(|at| now.since(at));
        for (index, router) in self.routers.iter().enumerate() {
            // Who speaks for a group to the other node says what is so of all of it.
            let speaks =
                self.pair.as_ref().map(|pair| spokesman(pair, &self.units, &self.routers, index)) == Some(index);
            let voice = if speaks { self.units.leader(index) } else { index };
            let (Some(here), Some(role)) = (self.here(index), self.roles.get(voice)) else { continue };
            let name = &router.config().name;
            let terms = |service| self.pair.as_ref().map_or_else(Vec::new, |pair| pair.terms(name, service).to_vec());
            let own = self.units.led_by(voice);
            let own = self.services_of(index).filter(|service| own.contains(&service.config().name));
            let services = own.map(|service| ServiceStatement {
                name: service.config().name.clone(),
                state: service.state_name(),
                healthy: service.healthy(),
                readiness: match service.readiness() {
                    _ if role.held_by.contains(&HeldBy::DownFile) => Some(Err(Name::from(DOWN_FILE))),
                    readiness => readiness.cloned(),
                },
                failed: service.has_failed(),
                moves: service.moves(now).map(|age| if with_ages { age } else { Duration::ZERO }).collect(),
                gone_for: age(service.ended_at()),
                running_for: age(service.up_at()),
                terms: terms(Some(&service.config().name)),
            });
            statement.routers.push(RouterStatement {
                name: name.clone(),
                stance: role.stance(&here),
                priority: here.priority,
                address: here.address,
                epoch: self.roles.get(index).map_or(0, |role| role.epoch),
                held: role.is_held(),
                released: role.has_released() && !here.busy,
                wants: role.wants(&here),
                sending: Some(sending(router)),
                hears: self.hears(router),
                terms: terms(None),
                services: services.collect(),
            });
        }
        // What is left of a service that a router has lost is said by that router.
        for departing in self.departing.iter().filter(|departing| departing.is_busy(&self.services)) {
            for router in departing.fellows() {
                if !statement.routers.iter().any(|told| told.name == *router) {
                    statement.routers.push(departing.statement(router));
                }
            }
        }
        statement
    }

    pub(super) fn save(&mut self, now: Instant, out: &mut Vec<Output>) {
        if !self.is_started() {
            return;
        }
        let mut record = Record::default();
        for ((router, role), index) in self.routers.iter().zip(&self.roles).zip(0..) {
            let config = router.config();
            let remembers = !self.units.services(index).is_empty() || self.pair.is_some() || role.is_held();
            if remembers && (role.epoch > 0 || role.is_held()) {
                record.routers.push(RouterRecord {
                    name: config.name.clone(),
                    epoch: role.epoch,
                    active: role.is_keeper,
                    held_by: role.held_by.iter().copied().collect(),
                    stood_back: role.stood_back,
                });
            }
        }
        let standing = &self.standing;
        let services = self.services.iter_mut();
        record.services = services
            .filter_map(|service| service.remember(now, standing.in_maintenance(), |at| standing.in_calendar(at)))
            .collect();
        self.standing.remember(&mut record);
        if record != self.saved {
            self.saved = record.clone();
            out.push(Output::Save(record));
        }
    }
}
