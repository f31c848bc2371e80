//! Goes on with another configuration: what stays the same goes on as if nothing had happened.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Engine, Phase, virtual_addresses};
use crate::coordinate::Departing;
use crate::pair::Pair;
use crate::role::Role;
use crate::service::Service;
use crate::units::Units;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::{Config, Event, Family, HeldBy, Instant, Name, Output, RouterConfig, RouterId, Transport, Vrid};

impl Engine {
    pub(super) fn reconfigure(&mut self, now: Instant, config: Config, out: &mut Vec<Output>) {
        if self.phase != Phase::Running {
            return;
        }
        self.links.include(&config);
        self.announcer.follow(&config, &self.links);
        self.tracking.reconfigure(now, &config, || self.random.next(), out);
        self.virtual_addresses = virtual_addresses(&config, &self.links);
        let mut removed = self.reconfigure_services(now, &config, out);
        for departing in &mut self.departing {
            departing.keep_ending(now, self.standing.in_maintenance(), &mut removed);
        }
        if self.standing.in_maintenance() {
            // Whoever takes a service out now looks after it from now on.
            removed.drain(..).for_each(|mut service| service.forget(out));
        }
        self.reconfigure_pair(now, &config);
        let units = self.units.reconfigure(&config);
        let speakers = self.roles.clone();
        let names: Vec<Name> = self.routers.iter().map(|router| router.config().name.clone()).collect();
        let fellows =
            |place: usize| units.members(place).iter().filter_map(|member| names.get(*member)).cloned().collect();
        let mut roles: Vec<Option<Role>> = core::mem::take(&mut self.roles).into_iter().map(Some).collect();
        let mut old: Vec<Option<VirtualRouter>> = core::mem::take(&mut self.routers).into_iter().map(Some).collect();
        let mut new_ids: Vec<Option<RouterId>> = alloc::vec![None; old.len()];
        // First everybody gets a place, then everybody is told: what a router says carries its new index.
        let mut changed = Vec::new();
        for (router, id) in config.routers.iter().zip(0..) {
            let same = |known: &&VirtualRouter| identity(known.config()) == identity(router);
            let find = |wanted: &dyn Fn(&&VirtualRouter) -> bool| {
                old.iter().position(|known| known.as_ref().filter(wanted).is_some())
            };
            // Several may differ in their group alone; otherwise it may have changed.
            let taken = |known: &VirtualRouter| config.routers.iter().any(|other| is_twin(known.config(), other));
            // Whoever sends from elsewhere from now on still has the same election, unless there are two of them.
            let wanted =
                |known: &VirtualRouter| config.routers.iter().any(|other| identity(known.config()) == identity(other));
            let moves = |known: &VirtualRouter| is_akin(known.config(), router) && !wanted(known);
            let place = find(&|known| same(known) && is_twin(known.config(), router))
                .or_else(|| find(&|known| same(known) && !taken(known)))
                .or_else(|| find(&|known| known.config().name == router.name && moves(known)))
                .or_else(|| find(&|known| moves(known)));
            match place.and_then(|place| old[place].take().map(|known| (place, known))) {
                Some((place, mut known)) => {
                    new_ids[place] = Some(RouterId(id));
                    known.renumber(RouterId(id));
                    let role = roles.get_mut(place).and_then(Option::take).unwrap_or_else(Role::new);
                    let lost =
                        units.led_by(place).iter().filter(|name| !self.units.services(id as usize).contains(name));
                    let lost: Vec<Name> = lost.cloned().collect();
                    self.departing.push(Departing::new(
                        now,
                        &known,
                        fellows(place),
                        &role,
                        &lost,
                        &self.services,
                        &mut removed,
                    ));
                    self.roles.push(role);
                    if known.config() != router {
                        changed.push((id as usize, Some(router.clone())));
                    }
                    self.routers.push(known);
                }
                None => {
                    changed.push((id as usize, None));
                    self.roles.push(Role::new());
                    let mut new = VirtualRouter::new(RouterId(id), router.clone(), now, &self.links);
                    new.set_calendar(self.calendar);
                    self.routers.push(new);
                }
            }
        }
        self.retired = Vec::new();
        for ((router, role), place) in old.into_iter().zip(roles).zip(0..) {
            let Some(router) = router else { continue };
            if let Some(role) = role {
                // What another router of its group goes on with is not lost.
                let stays = |name: &Name| {
                    let others =
                        units.members(place).iter().filter_map(|member| new_ids.get(*member).copied().flatten());
                    others.into_iter().any(|id| self.units.services(id.0 as usize).contains(name))
                };
                let lost: Vec<Name> = units.led_by(place).iter().filter(|name| !stays(name)).cloned().collect();
                self.departing.push(Departing::new(
                    now,
                    &router,
                    fellows(place),
                    &role,
                    &lost,
                    &self.services,
                    &mut removed,
                ));
            }
            self.retired.push(router);
        }
        self.hand_on_the_word(&units, &new_ids, &speakers, out);
        self.change_roles_of_services(&units, &new_ids);
        self.departing.retain(|departing| departing.is_waiting(&self.services));
        for mut gone in removed {
            gone.forget(out);
        }
        self.addressees.follow(&self.routers);
        for (router, id) in self.retired.iter_mut().zip(self.routers.len() as u32..) {
            router.renumber(RouterId(id));
        }
        let mut own_faults = alloc::vec![BTreeSet::new(); self.routers.len()];
        for (faults, id) in core::mem::take(&mut self.own_faults).into_iter().zip(&new_ids) {
            if let Some(place) = id.and_then(|id| own_faults.get_mut(id.0 as usize)) {
                *place = faults;
            }
        }
        self.own_faults = own_faults;
        self.announcer.renumber(|id| new_ids.get(id.0 as usize).copied().flatten());
        if self.config.statics != config.statics {
            out.push(Output::DesiredChanged);
        }
        self.config = config;
        self.refresh_briefs();
        self.for_each_retired(|router, around| router.remove(now, around, out));
        let mut changed = changed.into_iter().peekable();
        let mut index = 0;
        self.for_each_router(|router, around| {
            if let Some((_, change)) = changed.next_if(|(changed, _)| *changed == index) {
                match change {
                    Some(config) => router.reconfigure(now, config, around, out),
                    None => router.assess(now, around, out),
                }
            }
            index += 1;
        });
        // A check may have gone, or a virtual address may now be somebody's real one.
        self.assess_all(now, out);
    }

    /// Where another router speaks for a group from now on, it knows what was said so far. `before` are the units and `speakers`
    /// the roles that were, `new_ids` where each router is now.
    fn hand_on_the_word(
        &mut self,
        before: &Units,
        new_ids: &[Option<RouterId>],
        speakers: &[Role],
        out: &mut Vec<Output>,
    ) {
        let place_of = |index: usize| new_ids.iter().position(|id| id.is_some_and(|id| id.0 as usize == index));
        for index in 0..self.roles.len() {
            let own = place_of(index);
            let others = self.units.members(index).iter().filter(|member| **member != index);
            let spoke: Vec<usize> =
                others.filter_map(|member| place_of(*member)).map(|place| before.leader(place)).collect();
            let spoke = spoke.first().copied().or_else(|| own.map(|own| before.leader(own)));
            let has_spoken = own.is_some() && spoke == own;
            if self.units.leader(index) != index || has_spoken {
                continue;
            }
            if let Some((role, speaker)) = self.roles.get_mut(index).zip(spoke.and_then(|place| speakers.get(place))) {
                role.succeed(speaker);
            }
        }
        let held: Vec<bool> = self.roles.iter().map(|role| role.held_by.contains(&HeldBy::Operator)).collect();
        for ((role, index), id) in self.roles.iter_mut().zip(0..).zip(0..) {
            let leader = self.units.leader(index);
            if leader != index {
                // It has joined a group that does not stand back.
                if held.get(index) == Some(&true) && held.get(leader) != Some(&true) {
                    out.push(Output::Tell(Event::Released { router: RouterId(id), by: HeldBy::Operator }));
                }
                role.fall_silent();
            } else if self.units.services(index).is_empty() {
                // Down files are those of services.
                if role.held_by.remove(&HeldBy::DownFile) {
                    out.push(Output::Tell(Event::Released { router: RouterId(id), by: HeldBy::DownFile }));
                }
            }
        }
    }

    /// Answers those that are no longer there.
    fn reconfigure_services(&mut self, now: Instant, config: &Config, out: &mut Vec<Output>) -> Vec<Service> {
        let mut old = core::mem::take(&mut self.services);
        for service in &config.services {
            match old.iter().position(|known| known.config().name == service.name) {
                Some(place) => {
                    let mut known = old.swap_remove(place);
                    if known.config() != service {
                        known.reconfigure(now, service.clone(), out);
                    }
                    self.services.push(known);
                }
                None => match self.take_departing(&service.name) {
                    // It comes back while it is still ending.
                    Some(mut known) => {
                        known.reconfigure(now, service.clone(), out);
                        if known.is_unknown() {
                            known.watch(out);
                        }
                        self.services.push(known);
                    }
                    None => {
                        let new = Service::new(service.clone(), now, self.random.next());
                        new.watch(out);
                        self.services.push(new);
                    }
                },
            }
        }
        old
    }

    fn take_departing(&mut self, name: &Name) -> Option<Service> {
        self.departing.iter_mut().find_map(|departing| {
            let place = departing.services.iter().position(|service| service.config().name == *name)?;
            Some(departing.services.swap_remove(place))
        })
    }

    fn reconfigure_pair(&mut self, now: Instant, config: &Config) {
        match (&mut self.pair, &config.pair) {
            (Some(known), Some(pair)) => known.reconfigure(now, pair.clone()),
            (known, None) => {
                *known = None;
                self.roles.iter_mut().for_each(Role::part);
            }
            (known @ None, Some(pair)) => *known = Some(Pair::new(pair.clone(), self.random.next())),
        }
    }
}

/// What makes a router the same across a reconfiguration, whatever else about it changes.
fn identity(config: &RouterConfig) -> (&Name, Vrid, Family, Option<IpAddr>) {
    let source = match &config.transport {
        Transport::Multicast { .. } => None,
        Transport::Unicast { source, .. } => *source,
    };
    (&config.link, config.vrid, config.family, source)
}

/// Whether two may be the same although they send from different addresses.
fn is_akin(one: &RouterConfig, other: &RouterConfig) -> bool {
    (&one.link, one.vrid, one.family) == (&other.link, other.vrid, other.family)
}

/// Whether two of one identity are the same also by the group that they send to.
fn is_twin(one: &RouterConfig, other: &RouterConfig) -> bool {
    let group = |config: &RouterConfig| match &config.transport {
        Transport::Multicast { group, .. } => Some(*group),
        Transport::Unicast { .. } => None,
    };
    identity(one) == identity(other) && group(one) == group(other)
}
