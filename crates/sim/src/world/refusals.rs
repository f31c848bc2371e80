//! What a system refuses, once, and what its daemon does about that.

use std::time::Duration;

use engine::{Name, ServiceOrder};

use super::{Happening, World};
use crate::plan::{Call, ServiceAct};
use crate::unit::Effect;

/// Who was refused something asks again after so long.
pub(crate) const ASKS_AGAIN_IN: Duration = Duration::from_secs(1);

/// Something that will be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) call: Call,
    /// So many are carried out before.
    pub(crate) after: u32,
}

impl World<'_> {
    /// Counts something that a daemon asks for. Returns whether it is refused.
    pub(super) fn is_refused(&mut self, index: usize, call: Call) -> bool {
        *self.calls.entry((index, call)).or_default() += 1;
        let refusals = &mut self.nodes[index].refusals;
        let place = refusals.iter().position(|refusal| refusal.call == call && refusal.after == 0);
        for refusal in refusals.iter_mut().filter(|refusal| refusal.call == call) {
            refusal.after = refusal.after.saturating_sub(1);
        }
        let Some(place) = place else { return false };
        refusals.remove(place);
        self.disturb();
        true
    }

    /// A daemon wants to hear what comes to the interfaces of its engine, from the one with this index on.
    pub(super) fn join_links(&mut self, index: usize, from: usize) {
        let Some(daemon) = &self.nodes[index].daemon else { return };
        let names: Vec<Name> = daemon.engine.links().iter().skip(from).cloned().collect();
        for name in names {
            self.join(index, &name);
        }
    }

    pub(super) fn join(&mut self, index: usize, link: &Name) {
        if self.nodes[index].link(link).is_none_or(|link| link.state().is_none()) {
            return;
        }
        let refused = self.is_refused(index, Call::Join);
        let Some(daemon) = &mut self.nodes[index].daemon else { return };
        daemon.deaf.retain(|deaf| deaf != link);
        if refused {
            daemon.deaf.push(link.clone());
            let joins = Happening::Joins { node: index, life: daemon.life, link: link.clone() };
            self.due(self.now + ASKS_AGAIN_IN, joins);
        }
    }

    pub(super) fn joins_again(&mut self, index: usize, life: u64, link: &Name) {
        if self.daemon(index, life).is_some_and(|daemon| daemon.deaf.contains(link)) {
            self.join(index, link);
            self.tell_link(index, link);
            self.disturb();
        }
    }

    /// A manager does not do what it is told. Returns whether that was all.
    pub(super) fn refuses_order(&mut self, index: usize, place: usize, order: ServiceOrder) -> bool {
        let call = match order {
            ServiceOrder::Start => Call::StartService,
            ServiceOrder::Stop => Call::StopService,
            ServiceOrder::Kill => Call::KillService,
            ServiceOrder::Watch => Call::WatchService,
            ServiceOrder::AssessReadiness => Call::AssessService,
            ServiceOrder::Forget => return false,
        };
        if !self.is_refused(index, call) {
            return false;
        }
        let mut effects = Vec::new();
        let unit = &mut self.nodes[index].units[place];
        if order == ServiceOrder::Watch {
            // It is asked again until it answers.
            if unit.act(ServiceAct::OutOfSight, &mut effects).is_ok() {
                self.due(self.now + ASKS_AGAIN_IN, Happening::InSight { node: index, service: place });
            }
            self.carry_on(index, place, Duration::ZERO, effects);
            return false;
        }
        effects.extend(unit.refusal(order).map(Effect::Report));
        let refused = !effects.is_empty();
        self.carry_on(index, place, Duration::ZERO, effects);
        refused
    }

    pub(super) fn comes_in_sight(&mut self, index: usize, place: usize) {
        let mut effects = Vec::new();
        if self.nodes[index].units[place].act(ServiceAct::InSight, &mut effects).is_ok() {
            self.carry_on(index, place, Duration::ZERO, effects);
        }
        self.disturb();
    }
}
