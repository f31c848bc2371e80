//! Sends announcements at the pace that the operator set, one queue for each interface, or group of them, and family.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::links::Links;
use crate::{Config, Family, Instant, LinkId, Output, RouterId};

/// All interfaces' queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct Announcer {
    queues: BTreeMap<(Lane, Family), Queue>,
    groups: Vec<Group>,
}

/// Who shares a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Link(LinkId),
    Group(usize),
}

/// Interfaces that share a pace.
#[derive(Clone, Debug)]
struct Group {
    links: BTreeSet<LinkId>,
    pacing: Duration,
    neighbour_pacing: Duration,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    free_at: Instant,
}

#[derive(Clone, Debug)]
struct Waiting {
    router: RouterId,
    link: LinkId,
    address: IpAddr,
    pacing: Duration,
}

impl Announcer {
    /// Hears of the groups. What waits already keeps its place.
    pub(crate) fn follow(&mut self, config: &Config, links: &Links) {
        let groups = config.announce_groups.iter().map(|group| Group {
            links: group.links.iter().filter(|name| links.names().contains(name)).map(|name| links.id(name)).collect(),
            pacing: group.pacing,
            neighbour_pacing: group.neighbour_pacing,
        });
        self.groups = groups.collect();
    }

    /// Forgets everything that waits.
    pub(crate) fn clear(&mut self) {
        self.queues.clear();
    }

    /// Announces an address now, or as soon as the pace of the interface's group allows, or else its own, which is given.
    pub(crate) fn announce(
        &mut self,
        now: Instant,
        router: RouterId,
        link: LinkId,
        address: IpAddr,
        pacing: Duration,
        out: &mut Vec<Output>,
    ) {
        let family = Family::of(address);
        let group = self.groups.iter().enumerate().find(|(_, group)| group.links.contains(&link));
        let (lane, pacing) = match (group, family) {
            (Some((number, group)), Family::Ipv4) => (Lane::Group(number), group.pacing),
            (Some((number, group)), Family::Ipv6) => (Lane::Group(number), group.neighbour_pacing),
            (None, _) => (Lane::Link(link), pacing),
        };
        if pacing.is_zero() {
            out.push(Output::Announce { link, address });
            return;
        }
        let queue = self.queues.entry((lane, family)).or_default();
        queue.waiting.push_back(Waiting { router, link, address, pacing });
        queue.release(now, out);
    }

    /// Releases what the pace allows by now.
    pub(crate) fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) {
        for queue in self.queues.values_mut() {
            queue.release(now, out);
        }
    }

    /// When the next announcement may leave.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.queues.values().filter(|queue| !queue.waiting.is_empty()).map(|queue| queue.free_at).min()
    }

    /// Whether the pace still holds back that a router announces this.
    pub(crate) fn is_waiting(&self, router: RouterId, (link, address): (LinkId, IpAddr)) -> bool {
        let mut waiting = self.queues.values().flat_map(|queue| &queue.waiting);
        waiting.any(|waiting| (waiting.router, waiting.link, waiting.address) == (router, link, address))
    }

    /// Forgets what a router wanted to announce: it no longer has the addresses.
    pub(crate) fn forget(&mut self, router: RouterId) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|waiting| waiting.router != router);
        }
    }

    /// Forgets those addresses of a router that it no longer has.
    pub(crate) fn retain(&mut self, router: RouterId, has: impl Fn(LinkId, IpAddr) -> bool) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|waiting| waiting.router != router || has(waiting.link, waiting.address));
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
    fn release(&mut self, now: Instant, out: &mut Vec<Output>) {
        while self.free_at <= now {
            let Some(next) = self.waiting.pop_front() else { return };
            out.push(Output::Announce { link: next.link, address: next.address });
            self.free_at = now + next.pacing;
        }
    }
}
