//! Sends announcements at the pace that the operator set, one queue for each interface, or group of them, and family.

use alloc::collections::{BTreeMap, BTreeSet};
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
    /// By round and then as it came: what may be looked for elsewhere comes before what is only repeated, whoever waits.
    waiting: BTreeMap<(u32, u64), Waiting>,
    /// The same by place, at hand when another one comes: nothing waits twice for one round.
    places: BTreeSet<(u32, Place)>,
    /// Of what came last.
    number: u64,
    free_at: Instant,
}

/// Who announces which address where.
type Place = (RouterId, LinkId, IpAddr);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    place: Place,
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
    /// Round 0 is for addresses that may be looked for elsewhere.
    pub(crate) fn announce(&mut self, now: Instant, place: Place, round: u32, pacing: Duration, out: &mut Vec<Output>) {
        let (_, link, address) = place;
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
        // What others wait for is theirs to give up first, should they have overslept.
        let is_first = queue.waiting.is_empty();
        queue.add(round, Waiting { place, pacing });
        if is_first {
            queue.release(now, out);
        }
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
        self.filter(|(of, link, address)| (of != router).then_some((of, link, address)));
    }

    /// Forgets those addresses of a router that it no longer has.
    pub(crate) fn retain(&mut self, router: RouterId, has: impl Fn(LinkId, IpAddr) -> bool) {
        self.filter(|(of, link, address)| (of != router || has(link, address)).then_some((of, link, address)));
    }

    /// Gives routers their new indices; those without one are forgotten.
    pub(crate) fn renumber(&mut self, new_id: impl Fn(RouterId) -> Option<RouterId>) {
        self.filter(|(router, link, address)| Some((new_id(router)?, link, address)));
    }

    /// Lets wait only what is to, as what it is to be.
    fn filter(&mut self, keep: impl Fn(Place) -> Option<Place>) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|_, waiting| match keep(waiting.place) {
                Some(place) => {
                    waiting.place = place;
                    true
                }
                None => false,
            });
            queue.places = queue.waiting.iter().map(|((round, _), waiting)| (*round, waiting.place)).collect();
        }
    }
}

impl Queue {
    fn add(&mut self, round: u32, new: Waiting) {
        // What waits anyway is as good.
        if self.places.insert((round, new.place)) {
            self.number += 1;
            self.waiting.insert((round, self.number), new);
        }
    }

    fn release(&mut self, now: Instant, out: &mut Vec<Output>) {
        while self.free_at <= now {
            let Some(((round, _), Waiting { place, pacing })) = self.waiting.pop_first() else { return };
            self.places.remove(&(round, place));
            let (_, link, address) = place;
            out.push(Output::Announce { link, address });
            self.free_at = now + pacing;
        }
    }
}
