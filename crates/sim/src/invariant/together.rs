//! Sync groups: what shares a role has the same state at every moment, and nothing stale keeps it out.

use engine::{Name, StateName};

use super::Rule;
use crate::plan::RouterSpec;
use crate::world::World;

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

    /// Complains about a group whose routers differ. One that a reload has brought waits as every new one does.
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
            joining = daemon.joining;
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
