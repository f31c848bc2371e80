//! The interfaces that the configuration mentions, and what is known of them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::{Config, Instant, LinkCondition, LinkDelay, LinkId, LinkState, Name, Statics};

/// A table that only grows, so that a [`LinkId`] stays good across reconfigurations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    names: Vec<Name>,
    /// What counts: the last one told, but for a change that still has to last.
    states: Vec<Option<LinkState>>,
    delays: Vec<LinkDelay>,
    /// When an interface that is now otherwise than what counts will count.
    turning: Vec<Option<Instant>>,
    /// Whether the state has been told. Those of a reconfiguration's new interfaces follow it.
    told: Vec<bool>,
    /// Addresses of interfaces that are not in the table.
    elsewhere: Vec<IpAddr>,
    /// Groups of static addresses, routes and rules of which something is not there.
    incomplete: BTreeSet<Name>,
}

impl Links {
    /// Makes room for every interface that `config` mentions.
    pub(crate) fn include(&mut self, config: &Config) {
        for router in &config.routers {
            let own = core::iter::once(&router.link);
            let tracked = router.track_links.iter().map(|tracked| &tracked.link);
            let addresses = router.addresses.iter().chain(&router.excluded_addresses);
            let routes = router.routes.iter().flat_map(|route| route.links());
            let rules = router.rules.iter().flat_map(|rule| rule.links());
            let addresses = addresses.filter_map(|address| address.link.as_ref());
            own.chain(tracked).chain(addresses).chain(routes).chain(rules).for_each(|name| self.mention(name));
        }
        let Statics { addresses, routes, rules } = &config.statics;
        let addresses = addresses.iter().filter_map(|entry| entry.what.link.as_ref());
        let routes = routes.iter().flat_map(|entry| entry.what.links());
        let rules = rules.iter().flat_map(|entry| entry.what.links());
        addresses.chain(routes).chain(rules).for_each(|name| self.mention(name));
        for (name, delay) in self.names.iter().zip(&mut self.delays) {
            *delay = config.link_delays.get(name).copied().unwrap_or_default();
        }
    }

    fn mention(&mut self, name: &Name) {
        if !self.names.contains(name) {
            self.names.push(name.clone());
            self.states.push(None);
            self.delays.push(LinkDelay::default());
            self.turning.push(None);
            self.told.push(false);
        }
    }

    /// Takes in which groups of static things are not complete; returns whether that is news.
    pub(crate) fn set_incomplete(&mut self, groups: BTreeSet<Name>) -> bool {
        let news = self.incomplete != groups;
        self.incomplete = groups;
        news
    }

    pub(crate) fn is_incomplete(&self, group: &Name) -> bool {
        self.incomplete.contains(group)
    }

    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }

    /// The index of an interface that the configuration mentions.
    pub(crate) fn id(&self, name: &Name) -> LinkId {
        let position = self.names.iter().position(|known| known == name);
        // `include` has been called with the configuration that `name` comes from; a table of interfaces
        // never has more than 32 bits of entries.
        LinkId(position.unwrap_or(usize::MAX) as u32)
    }

    /// Takes a new state in; returns whether anything that counts changed.
    pub(crate) fn set(&mut self, now: Instant, link: LinkId, mut state: Option<LinkState>) -> bool {
        let index = link.0 as usize;
        let (Some(known), Some(told)) = (self.states.get_mut(index), self.told.get_mut(index)) else { return false };
        let (Some(delay), Some(turning)) = (self.delays.get(index), self.turning.get_mut(index)) else { return false };
        let mut turns_at = None;
        if let (Some(known), Some(state), true) = (&*known, &mut state, *told)
            && known.up != state.up
        {
            let wait = if state.up { delay.up } else { delay.down };
            if !wait.is_zero() {
                turns_at = turning.or(Some(now + wait));
                state.up = known.up;
            }
        }
        *turning = turns_at;
        let news = *known != state || !*told;
        *known = state;
        *told = true;
        news
    }

    /// When the next change has lasted long enough.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.turning.iter().flatten().min().copied()
    }

    /// The interfaces whose change has lasted long enough by now. From now on it counts.
    pub(crate) fn turn(&mut self, now: Instant) -> Vec<LinkId> {
        let mut turned = Vec::new();
        for (index, (turning, state)) in self.turning.iter_mut().zip(&mut self.states).enumerate() {
            if turning.is_some_and(|at| at <= now) {
                *turning = None;
                if let Some(state) = state {
                    state.up = !state.up;
                    turned.push(LinkId(index as u32));
                }
            }
        }
        turned
    }

    /// At the start: what has not been told by now is absent.
    pub(crate) fn tell_all(&mut self) {
        self.told.fill(true);
    }

    /// Whether the state of an interface has been told since it was first mentioned.
    pub(crate) fn is_told(&self, link: LinkId) -> bool {
        self.told.get(link.0 as usize).copied().unwrap_or(false)
    }

    pub(crate) fn set_elsewhere(&mut self, addresses: Vec<IpAddr>) {
        self.elsewhere = addresses;
    }

    pub(crate) fn condition(&self, link: LinkId) -> LinkCondition {
        match self.state(link) {
            None => LinkCondition::Absent,
            Some(LinkState { deaf: true, .. }) => LinkCondition::Deaf,
            Some(LinkState { up: false, .. }) => LinkCondition::Down,
            Some(LinkState { up: true, .. }) => LinkCondition::Up,
        }
    }

    /// The addresses of an interface; none if it is absent.
    pub(crate) fn addresses(&self, link: LinkId) -> &[IpAddr] {
        self.state(link).map_or(&[], |state| &state.addresses)
    }

    /// The addresses that an interface will have soon.
    pub(crate) fn tentative(&self, link: LinkId) -> &[IpAddr] {
        self.state(link).map_or(&[], |state| &state.tentative)
    }

    /// Whether this host has an address on any interface.
    pub(crate) fn host_has(&self, address: IpAddr) -> bool {
        self.elsewhere.contains(&address)
            || self.states.iter().flatten().any(|state| state.addresses.contains(&address))
    }

    fn state(&self, link: LinkId) -> Option<&LinkState> {
        self.states.get(link.0 as usize)?.as_ref()
    }
}
