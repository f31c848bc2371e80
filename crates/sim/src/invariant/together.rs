//! Sync groups: what shares a role has the same state at every moment, and nothing stale keeps it out.

use engine::{Name, ServiceStateName, StateName};

use super::Rule;
use crate::node::Node;
use crate::plan::RouterSpec;
use crate::world::World;

/// A group that is Active on a node, and what it has running there.
#[derive(Debug)]
pub(crate) struct AtWork {
    vrids: Vec<u8>,
    services: Vec<Name>,
}

impl World<'_> {
    /// The VRIDs of a node's routers that share the role of this one, itself included; the first one speaks for all.
    pub(crate) fn fellows(&self, index: usize, vrid: u8) -> Vec<u8> {
        let groups = &self.plan.nodes[index].groups;
        let Some(group) = groups.iter().find(|group| group.members.iter().any(|member| member.get() == vrid)) else {
            return vec![vrid];
        };
        let present = |vrid: &u8| self.spec(index, *vrid).is_some_and(|spec| spec.present);
        group.members.iter().map(|member| member.get()).filter(present).collect()
    }

    /// The line of this router of a node, as it reads now.
    pub(crate) fn spec(&self, index: usize, vrid: u8) -> Option<&RouterSpec> {
        self.nodes[index].specs.iter().find(|spec| spec.settings.vrid.get() == vrid)
    }

    /// What runs where this router and those that share its role are Active.
    pub(crate) fn services_of(&self, index: usize, vrid: u8) -> Vec<Name> {
        let specs = self.fellows(index, vrid).into_iter().filter_map(|vrid| self.spec(index, vrid));
        specs.flat_map(|spec| spec.settings.services.iter().cloned()).collect()
    }

    /// Whether a router speaks for itself or for its group.
    pub(crate) fn speaks(&self, index: usize, vrid: u8) -> bool {
        self.fellows(index, vrid).first() == Some(&vrid)
    }

    /// The group that this router is about to join, if it is Active and stays so.
    pub(crate) fn at_work(&self, index: usize, vrid: u8) -> Option<AtWork> {
        let daemon = self.nodes[index].daemon.as_ref()?;
        let vrids = self.fellows(index, vrid);
        let is_its =
            |router: &&engine::RouterView| self.vrid_of(index, router).is_some_and(|vrid| vrids.contains(&vrid));
        let stays = |router: &engine::RouterView| router.state == StateName::Active && !router.letting_go;
        let its = || daemon.view.routers.iter().filter(is_its);
        let runs = |name: &Name| {
            let view = daemon.view.services.iter().find(|view| view.name == *name);
            view.is_some_and(|view| matches!(view.state, ServiceStateName::Starting | ServiceStateName::Running))
        };
        let services = self.services_of(index, *vrids.first()?).into_iter().filter(runs).collect();
        (its().count() > 0 && its().all(stays)).then(|| AtWork { vrids: vrids.clone(), services })
    }

    fn vrid_of(&self, index: usize, router: &engine::RouterView) -> Option<u8> {
        Some(self.nodes[index].daemon.as_ref()?.engine.router(router.router)?.vrid.get())
    }

    /// Complains if a router that has joined without a fault has cost the group its role or something that ran.
    pub(crate) fn check_undisturbed(&mut self, index: usize, at_work: &AtWork) {
        let Some(daemon) = &self.nodes[index].daemon else { return };
        let group = at_work.vrids.first().map_or_else(Vec::new, |vrid| self.fellows(index, *vrid));
        let its = |router: &&engine::RouterView| self.vrid_of(index, router).is_some_and(|vrid| group.contains(&vrid));
        if daemon.view.routers.iter().filter(its).any(|router| !router.faults.is_empty()) {
            return;
        }
        // What somebody else has cannot be had together with the rest.
        let has_it = |node: &Node| {
            let daemon = node.daemon.as_ref();
            daemon.is_some_and(|daemon| group.iter().any(|vrid| daemon.watch.state(*vrid) == StateName::Active))
        };
        if self.nodes.iter().enumerate().any(|(other, node)| other != index && has_it(node)) {
            return;
        }
        let name = &self.plan.nodes[index].name;
        let lost = at_work.vrids.iter().find(|vrid| daemon.watch.state(**vrid) != StateName::Active);
        let ended = at_work.services.iter().find(|name| {
            let view = daemon.view.services.iter().find(|view| view.name == **name);
            view.is_some_and(|view| matches!(view.state, ServiceStateName::Stopping | ServiceStateName::Stopped))
        });
        let what = match (lost, ended) {
            (Some(vrid), _) => {
                format!("{name}: router {vrid} is not Active any more, since a reload has added another one")
            }
            (None, Some(service)) => format!("{name} ends {service}, since a reload has added a router"),
            (None, None) => return,
        };
        self.found(Rule::Together, what);
    }

    /// Complains about a group whose routers differ. One that a reload has brought, or that had a fault in maintenance, waits as
    /// every new one does.
    pub(crate) fn check_together(&mut self, index: usize) {
        let mut found = None;
        let mut joining = false;
        for group in &self.plan.nodes[index].groups {
            let Some(daemon) = &self.nodes[index].daemon else { return };
            if !daemon.watch.has_started() || daemon.watch.introducing || daemon.stopping {
                return;
            }
            let members: Vec<u8> = group.members.first().map_or_else(Vec::new, |vrid| self.fellows(index, vrid.get()));
            let states: Vec<StateName> = members.iter().map(|vrid| daemon.watch.state(*vrid)).collect();
            // What lets go is Active until the last process of its services is gone, and is not Active any more.
            let its = |router: &engine::RouterView| {
                members
                    .iter()
                    .any(|vrid| daemon.engine.router(router.router).is_some_and(|one| one.vrid.get() == *vrid))
            };
            let ends = daemon.view.routers.iter().any(|router| router.letting_go && its(router));
            if ends || states.iter().all(|state| *state == states[0]) {
                continue;
            }
            // In maintenance nobody goes because of another one's fault, and who went for its own joins when that has gone.
            let faulty = |router: &engine::RouterView| its(router) && !router.faults.is_empty();
            joining = daemon.joining || (daemon.view.maintenance.is_some() && daemon.view.routers.iter().any(faulty));
            if !joining {
                found = Some(format!("{}: group {} is {states:?}", self.plan.nodes[index].name, group.name));
            }
        }
        if let Some(daemon) = &mut self.nodes[index].daemon {
            daemon.joining = joining;
        }
        if let Some(what) = found {
            self.found(Rule::Together, what);
        }
    }
}
