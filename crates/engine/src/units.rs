//! What takes its role together: the routers of a sync group, or one router on its own.

use alloc::vec::Vec;

use crate::{Config, GroupView, Name, NoticeKind, RouterId};

/// The routers of a sync group, or one router on its own.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Name of the sync group; `None` for a router on its own.
    pub(crate) group: Option<Name>,
    /// Its routers, by index; never empty. The first one speaks for all of them.
    pub(crate) members: Vec<usize>,
    /// What runs where all of them are Active.
    pub(crate) services: Vec<Name>,
    /// What the group's scripts were told last.
    pub(crate) notified: Option<NoticeKind>,
}

/// All of them; each router is in exactly one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Units {
    units: Vec<Unit>,
    /// For each router the index of its unit.
    of: Vec<usize>,
}

impl Units {
    pub(crate) fn new(config: &Config) -> Self {
        let mut units: Vec<Unit> = Vec::new();
        let mut of: Vec<Option<usize>> = config.routers.iter().map(|_| None).collect();
        let position = |name: &Name| config.routers.iter().position(|router| router.name == *name);
        for group in &config.groups {
            let members: Vec<usize> = group.members.iter().filter_map(position).collect();
            let free: Vec<usize> = members.into_iter().filter(|member| of[*member].is_none()).collect();
            if !free.is_empty() {
                free.iter().for_each(|member| of[*member] = Some(units.len()));
                let group = Some(group.name.clone());
                units.push(Unit { group, members: free, services: Vec::new(), notified: None });
            }
        }
        for (router, unit) in of.iter_mut().enumerate().filter(|(_, unit)| unit.is_none()) {
            *unit = Some(units.len());
            units.push(Unit { group: None, members: alloc::vec![router], services: Vec::new(), notified: None });
        }
        for unit in &mut units {
            let theirs = unit.members.iter().flat_map(|member| &config.routers[*member].services);
            unit.services.extend(theirs.cloned());
        }
        Self { units, of: of.into_iter().flatten().collect() }
    }

    /// Those of a new configuration; a group of the same name has been told the same. Returns those of before.
    pub(crate) fn reconfigure(&mut self, config: &Config) -> Self {
        let old = core::mem::replace(self, Self::new(config));
        for unit in self.units.iter_mut().filter(|unit| unit.group.is_some()) {
            unit.notified = old.units.iter().find(|old| old.group == unit.group).and_then(|old| old.notified);
        }
        old
    }

    pub(crate) fn groups(&mut self) -> impl Iterator<Item = &mut Unit> {
        self.units.iter_mut().filter(|unit| unit.group.is_some())
    }

    pub(crate) fn has_groups(&self) -> bool {
        self.units.iter().any(|unit| unit.group.is_some())
    }

    fn of(&self, router: usize) -> Option<&Unit> {
        self.units.get(*self.of.get(router)?)
    }

    /// The routers that share the role of this one, itself included.
    pub(crate) fn members(&self, router: usize) -> &[usize] {
        self.of(router).map_or(&[], |unit| &unit.members)
    }

    /// Whether it is one of a sync group.
    pub(crate) fn is_grouped(&self, router: usize) -> bool {
        self.of(router).is_some_and(|unit| unit.group.is_some())
    }

    /// The router that speaks for this one.
    pub(crate) fn leader(&self, router: usize) -> usize {
        self.members(router).first().copied().unwrap_or(router)
    }

    /// What runs where this router and those that share its role are Active.
    pub(crate) fn services(&self, router: usize) -> &[Name] {
        self.of(router).map_or(&[], |unit| &unit.services)
    }

    /// The same for a router that speaks for itself or for its group; nothing for others.
    pub(crate) fn led_by(&self, router: usize) -> &[Name] {
        if self.leader(router) == router { self.services(router) } else { &[] }
    }

    pub(crate) fn views(&self) -> Vec<GroupView> {
        let id = |member: &usize| RouterId(u32::try_from(*member).unwrap_or(u32::MAX));
        let views = self.units.iter().filter_map(|unit| {
            let members = unit.members.iter().map(id).collect();
            Some(GroupView { name: unit.group.clone()?, members, kind: unit.notified })
        });
        views.collect()
    }

    /// The router that speaks for those where the service runs.
    pub(crate) fn owner_of(&self, service: &Name) -> Option<usize> {
        let unit = self.units.iter().find(|unit| unit.services.contains(service))?;
        unit.members.first().copied()
    }
}
