//! Routers that a reconfiguration removed while something of their services was left.

use alloc::vec::Vec;

use crate::role::Role;
use crate::service::Service;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::baton::{RouterStatement, Stance};
use crate::{HandoverReason, Name};

/// A router that a reconfiguration removed while something of its services was left.
#[derive(Debug)]
pub(crate) struct Departing {
    name: Name,
    epoch: u64,
    /// Those that the configuration no longer has.
    pub(crate) services: Vec<Service>,
    /// Those that it still has, without a router.
    kept: Vec<Name>,
}

impl Departing {
    /// `services` are those that the new configuration has; what it no longer has is in `removed` and taken from there.
    pub(crate) fn new(router: &VirtualRouter, role: &Role, services: &[Service], removed: &mut Vec<Service>) -> Self {
        let names = &router.config().services;
        let its = |service: &mut Service| names.contains(&service.config().name) && !service.is_gone();
        let kept = services.iter().map(|service| service.config().name.clone());
        Self {
            name: router.config().name.clone(),
            epoch: role.epoch,
            services: removed.extract_if(.., its).collect(),
            kept: kept.filter(|name| names.contains(name)).collect(),
        }
    }

    pub(super) fn is_busy(&self, services: &[Service]) -> bool {
        let left = |service: &Service| self.kept.contains(&service.config().name) && !service.is_gone();
        !self.services.is_empty() || services.iter().any(left)
    }

    /// What the other node must know: that it has to wait.
    pub(super) fn statement(&self) -> RouterStatement {
        RouterStatement {
            name: self.name.clone(),
            stance: Stance::Releasing(HandoverReason::Leaving),
            priority: crate::Priority::RESIGN,
            address: None,
            epoch: self.epoch,
            held: true,
            released: false,
            wants: None,
            services: Vec::new(),
        }
    }
}
