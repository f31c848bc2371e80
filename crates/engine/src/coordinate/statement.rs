//! What this node says of itself to the other one, and what it remembers for its next life.

use alloc::vec::Vec;
use core::time::Duration;

use super::DOWN_FILE;
use crate::wire::baton::{RouterStatement, ServiceStatement, Statement};
use crate::{Engine, HeldBy, Instant, Name, Output, Record, RouterRecord};

impl Engine {
    pub(crate) fn say(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.pair.is_none() || !(self.is_started() || self.has_stopped()) {
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
            let (Some(here), Some(role)) = (self.here(index), self.roles.get(index)) else { continue };
            let services = self.services_of(router).map(|service| ServiceStatement {
                name: service.config().name.clone(),
                state: service.state_name(),
                healthy: service.healthy(),
                readiness: match service.readiness() {
                    _ if role.held_by.contains(&HeldBy::DownFile) => Some(Err(Name::from(DOWN_FILE))),
                    readiness => readiness.cloned(),
                },
                failed: service.has_failed(),
                moves: service.moves().map(|at| if with_ages { now.since(at) } else { Duration::ZERO }).collect(),
                gone_for: age(service.gone_at()),
                running_for: age(service.up_at()),
            });
            statement.routers.push(RouterStatement {
                name: router.config().name.clone(),
                stance: role.stance(&here),
                priority: here.priority,
                address: here.address,
                epoch: role.epoch,
                held: role.is_held(),
                released: role.has_released() && !here.busy,
                wants: role.wants(&here),
                services: services.collect(),
            });
        }
        for departing in &self.departing {
            statement.routers.push(departing.statement());
        }
        statement
    }

    pub(super) fn save(&mut self, out: &mut Vec<Output>) {
        if !self.is_started() {
            return;
        }
        let mut record = Record::default();
        for (router, role) in self.routers.iter().zip(&self.roles) {
            let config = router.config();
            let remembers = !config.services.is_empty() || self.pair.is_some() || role.is_held();
            if remembers && (role.epoch > 0 || role.is_held()) {
                record.routers.push(RouterRecord {
                    name: config.name.clone(),
                    epoch: role.epoch,
                    active: role.is_keeper,
                    held_by: role.held_by.iter().copied().collect(),
                });
            }
        }
        self.standing.remember(&mut record);
        if record != self.saved {
            self.saved = record.clone();
            out.push(Output::Save(record));
        }
    }
}
