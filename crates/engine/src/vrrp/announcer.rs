//! Sends announcements at the pace that the operator set, one queue for each interface and family.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::{Family, Instant, LinkId, Output, RouterId};

/// All interfaces' queues.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    queues: BTreeMap<(LinkId, Family), Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    free_at: Instant,
}

#[derive(Debug)]
struct Waiting {
    router: RouterId,
    address: IpAddr,
    pacing: Duration,
}

impl Announcer {
    /// Announces an address now, or as soon as the interface's pace allows.
    pub(crate) fn announce(
        &mut self,
        now: Instant,
        router: RouterId,
        link: LinkId,
        address: IpAddr,
        pacing: Duration,
        out: &mut Vec<Output>,
    ) {
        if pacing.is_zero() {
            out.push(Output::Announce { link, address });
            return;
        }
        let queue = self.queues.entry((link, Family::of(address))).or_default();
        queue.waiting.push_back(Waiting { router, address, pacing });
        queue.release(now, link, out);
    }

    /// Releases what the pace allows by now.
    pub(crate) fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) {
        for ((link, _), queue) in &mut self.queues {
            queue.release(now, *link, out);
        }
    }

    /// When the next announcement may leave.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.queues.values().filter(|queue| !queue.waiting.is_empty()).map(|queue| queue.free_at).min()
    }

    /// Whether the pace still holds announcements of this router back.
    pub(crate) fn is_waiting(&self, router: RouterId) -> bool {
        self.queues.values().flat_map(|queue| &queue.waiting).any(|waiting| waiting.router == router)
    }

    /// Forgets what a router wanted to announce: it no longer has the addresses.
    pub(crate) fn forget(&mut self, router: RouterId) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|waiting| waiting.router != router);
        }
    }

    /// Forgets those addresses of a router that it no longer has.
    pub(crate) fn retain(&mut self, router: RouterId, has: impl Fn(LinkId, IpAddr) -> bool) {
        for ((link, _), queue) in &mut self.queues {
            queue.waiting.retain(|waiting| waiting.router != router || has(*link, waiting.address));
        }
    }

    /// Gives routers their new indices; those without one are forgotten.
    pub(crate) fn renumber(&mut self, new_id: impl Fn(RouterId) -> Option<RouterId>) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain_mut(|waiting| match new_id(waiting.router) {
                Some(id) => {
                    waiting.router = id;
                    true
                }
                None => false,
            });
        }
    }
}

impl Queue {
    fn release(&mut self, now: Instant, link: LinkId, out: &mut Vec<Output>) {
        while self.free_at <= now {
            let Some(next) = self.waiting.pop_front() else { return };
            out.push(Output::Announce { link, address: next.address });
            self.free_at = now + next.pacing;
        }
    }
}
