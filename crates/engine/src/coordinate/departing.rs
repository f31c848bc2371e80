//! Services that a reconfiguration took from their router, alone or with it, while something of them was left. They are
//! stopped like any other: nobody else may run them before they are gone.

use alloc::vec::Vec;

use crate::role::Role;
use crate::service::Service;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::baton::{Hears, RouterStatement, Stance};
use crate::{HandoverReason, Name};

/// What is left of the services that one router has lost.
#[derive(Clone, Debug)]
pub(crate) struct Departing {
    router: Name,
    epoch: u64,
    /// Those that the configuration no longer has.
    pub(crate) services: Vec<Service>,
    /// Those that it still has, elsewhere or nowhere.
    kept: Vec<Name>,
}

impl Departing {
    /// `lost` are the services that the router no longer has. `services` are those that the new configuration has; what it
    /// no longer has is in `removed` and taken from there.
    pub(crate) fn new(
        router: &VirtualRouter,
        role: &Role,
        lost: &[Name],
        services: &[Service],
        removed: &mut Vec<Service>,
    ) -> Self {
        let its = |service: &mut Service| lost.contains(&service.config().name) && !service.is_surely_gone();
        let kept = services.iter().map(|service| service.config().name.clone());
        Self {
            router: router.config().name.clone(),
            epoch: role.epoch,
            services: removed.extract_if(.., its).collect(),
            kept: kept.filter(|name| lost.contains(name)).collect(),
        }
    }

    /// The router that they were of.
    pub(crate) const fn router(&self) -> &Name {
        &self.router
    }

    /// Whether something of them is left, so that nobody may begin them.
    pub(crate) fn is_busy(&self, services: &[Service]) -> bool {
        let kept = services.iter().filter(|service| self.kept.contains(&service.config().name));
        self.services.iter().chain(kept).any(|service| !service.is_gone())
    }

    /// Nothing is left to wait for: no end, and no word of whether a service runs at all.
    pub(crate) fn is_over(&self, services: &[Service]) -> bool {
        self.services.is_empty() && !self.is_busy(services)
    }

    /// What the other node must know if the router is gone, too: that it has to wait.
    pub(super) fn statement(&self) -> RouterStatement {
        RouterStatement {
            name: self.router.clone(),
            stance: Stance::Releasing(HandoverReason::Leaving),
            priority: crate::Priority::RESIGN,
            address: None,
            epoch: self.epoch,
            held: true,
            released: false,
            wants: None,
            sending: None,
            hears: Hears::Enough,
            terms: Vec::new(),
            services: Vec::new(),
        }
    }
}
