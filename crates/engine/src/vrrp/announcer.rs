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
    /// By round: what was not announced yet comes before what is only repeated, whoever waits for it.
    waiting: VecDeque<Waiting>,
    free_at: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    round: u32,
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

    /// Announces an address, for the first time in round 0, now, or as soon as the pace of the interface's group allows,
    /// or else its own, which is given.
    pub(crate) fn announce(
        &mut self,
        now: Instant,
        router: RouterId,
        (link, address): (LinkId, IpAddr),
        round: u32,
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
        queue.add(Waiting { round, router, link, address, pacing });
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
    fn add(&mut self, new: Waiting) {
        let place = self.waiting.partition_point(|waiting| waiting.round <= new.round);
        let mut of_round = self.waiting.range(..place).rev().take_while(|waiting| waiting.round == new.round);
        // What waits anyway is as good.
        if !of_round.any(|waiting| *waiting == new) {
            self.waiting.insert(place, new);
        }
    }

    fn release(&mut self, now: Instant, out: &mut Vec<Output>) {
        while self.free_at <= now {
            let Some(next) = self.waiting.pop_front() else { return };
            out.push(Output::Announce { link: next.link, address: next.address });
            self.free_at = now + next.pacing;
        }
    }
}
