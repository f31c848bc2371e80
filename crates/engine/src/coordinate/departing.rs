//! Services that a reconfiguration took from their router, alone or with it, while something of them was left. They are
//! stopped like any other: nobody else may run them before they are gone.

use alloc::vec::Vec;

use crate::role::Role;
use crate::service::{ASKED_FOR, Service};
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::baton::{Hears, RouterStatement, Stance};
use crate::{HandoverReason, Instant, Name, Output};

/// What is left of the services that one router has lost.
#[derive(Clone, Debug)]
pub(crate) struct Departing {
    router: Name,
    /// Those that shared its role, itself included: the other node may know only one of them.
    fellows: Vec<Name>,
    epoch: u64,
    /// Those that the configuration no longer has.
    pub(crate) services: Vec<Service>,
    /// Those that it still has, elsewhere or nowhere.
    kept: Vec<Name>,
    /// Until then what may or may not run is asked after. Later it is somebody else's business: it is not in the configuration.
    asked_until: Option<Instant>,
}

impl Departing {
    /// `lost` are the services that the router no longer has. `services` are those that the new configuration has; what it
    /// no longer has is in `removed` and taken from there.
    pub(crate) fn new(
        now: Instant,
        router: &VirtualRouter,
        fellows: Vec<Name>,
        role: &Role,
        lost: &[Name],
        services: &[Service],
        removed: &mut Vec<Service>,
    ) -> Self {
        let its = |service: &mut Service| {
            lost.contains(&service.config().name) && (service.is_unknown() || !service.is_gone())
        };
        let kept = services.iter().map(|service| service.config().name.clone());
        Self {
            router: router.config().name.clone(),
            fellows,
            epoch: role.epoch,
            services: removed.extract_if(.., its).collect(),
            kept: kept.filter(|name| lost.contains(name)).collect(),
            asked_until: Some(now + ASKED_FOR),
        }
    }

    /// Goes on with what was ending in another place, of which the configuration now says nothing any more.
    /// In maintenance what still has the role in its new place is left to whoever takes it out.
    pub(crate) fn keep_ending(&mut self, now: Instant, left_alone: bool, removed: &mut Vec<Service>) {
        let its = |service: &mut Service| {
            let is_left = left_alone && service.is_wanted();
            self.kept.contains(&service.config().name) && !is_left && (service.is_unknown() || !service.is_gone())
        };
        let known = self.services.len();
        self.services.extend(removed.extract_if(.., its));
        if self.services.len() > known {
            self.asked_until = Some(now + ASKED_FOR);
        }
    }

    /// Those that the configuration has elsewhere are no longer waited for, where that place has taken them over.
    pub(crate) fn leave(&mut self, has_a_place: impl Fn(&Name) -> bool) {
        self.kept.retain(|name| !has_a_place(name));
    }

    /// The router that they were of.
    pub(crate) const fn router(&self) -> &Name {
        &self.router
    }

    /// Those in whose names the other node is told that something is left.
    pub(super) fn fellows(&self) -> impl Iterator<Item = &Name> {
        self.fellows.iter()
    }

    /// Whether something of them is left, so that nobody may begin them.
    pub(crate) fn is_busy(&self, services: &[Service]) -> bool {
        self.all(services).any(|service| !service.is_gone())
    }

    /// Whether there is something to wait for: an end, or word of whether a service runs at all.
    pub(crate) fn is_waiting(&self, services: &[Service]) -> bool {
        self.all(services).any(|service| !self.is_over(service))
    }

    /// Lets go of those that are gone, and of those that nobody can tell of.
    pub(crate) fn forget(&mut self, now: Instant, asks: bool, out: &mut Vec<Output>) {
        self.asked_until.take_if(|until| *until <= now);
        for mut service in core::mem::take(&mut self.services) {
            if self.is_over(&service) || (service.is_gone() && !asks) {
                service.forget(out);
            } else {
                self.services.push(service);
            }
        }
    }

    /// When what is not seen by then is asked after no longer.
    pub(crate) fn deadline(&self, services: &[Service]) -> Option<Instant> {
        self.asked_until.filter(|_| self.all(services).any(Service::is_unknown))
    }

    fn all<'d>(&'d self, services: &'d [Service]) -> impl Iterator<Item = &'d Service> {
        let kept = services.iter().filter(|service| self.kept.contains(&service.config().name));
        self.services.iter().chain(kept)
    }

    fn is_over(&self, service: &Service) -> bool {
        if service.is_unknown() { self.asked_until.is_none() } else { service.is_gone() }
    }

    /// What the other node must know if the router is gone, too: that it has to wait.
    pub(super) fn statement(&self, router: &Name) -> RouterStatement {
        RouterStatement {
            name: router.clone(),
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
