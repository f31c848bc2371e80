//! Addresses that let go by themselves: how the kernel drops what nobody renews, how a sound daemon renews, and the promise
//! that nothing is left behind for longer.

use std::net::IpAddr;
use std::time::Duration;

use engine::{Input, Instant, LinkId, Name};

use super::{Happening, World};
use crate::coverage::Kind;
use crate::invariant::Rule;
use crate::plan::{Call, Plan};

/// A daemon renews when this part of a lifetime is over.
const PARTS: u32 = 3;
/// The kernel rounds its timer up by so much.
const KERNEL_LATE: Duration = Duration::from_millis(250);
/// What is promised beyond the lifetime.
const PROMISED: Duration = Duration::from_millis(500);
/// From one look at all kernels to the next.
const LOOK: Duration = Duration::from_millis(250);

impl World<'_> {
    /// The kernel will drop an address that it has just been given.
    pub(super) fn begin_lifetime(&mut self, index: usize, link: &Name, address: IpAddr) {
        // It may be wanted between two looks only.
        self.nodes[index].left_behind.remove(&(link.clone(), address));
        let Some(lifetime) = self.plan.address_lifetime else { return };
        let at = self.now + lifetime + KERNEL_LATE;
        if let Some(link) = self.nodes[index].link_mut(link) {
            link.expiries.insert(address, at);
        }
        self.due(at, Happening::Expires { node: index, link: link.clone(), address });
    }

    pub(super) fn expires(&mut self, index: usize, name: &Name, address: IpAddr) {
        let (now, node) = (self.now, &mut self.nodes[index]);
        // A kernel that sleeps drops nothing.
        let sleeps = node.asleep.is_some_and(|asleep| asleep.machine);
        let Some(link) = node.link_mut(name) else { return };
        if link.expiries.get(&address) != Some(&now) {
            return;
        }
        if sleeps {
            link.expiries.insert(address, now + KERNEL_LATE);
            return self.due(now + KERNEL_LATE, Happening::Expires { node: index, link: name.clone(), address });
        }
        link.expiries.remove(&address);
        if !link.addresses.contains(&address) {
            return;
        }
        link.addresses.retain(|there| *there != address);
        if self.plan.show.kernel {
            self.line(index, None, || format!("kernel drops {address} from {name}: nobody renewed it"));
        }
        self.tell_link(index, name);
        self.reconcile_soon(index);
    }

    /// From now on a daemon renews what it has.
    pub(super) fn renew_soon(&mut self, index: usize) {
        if let Some(lifetime) = self.plan.address_lifetime {
            self.renew_at(index, self.now + lifetime / PARTS);
        }
    }

    /// Whoever has slept renews at once.
    pub(super) fn renew_at(&mut self, index: usize, at: Instant) {
        let Some(daemon) = self.nodes[index].daemon.as_mut().filter(|_| self.plan.address_lifetime.is_some()) else {
            return;
        };
        daemon.renews_at = Some(at);
        let life = daemon.life;
        self.due(at, Happening::Renews { node: index, life });
    }

    pub(super) fn renews(&mut self, index: usize, life: u64) {
        let now = self.now;
        let Some(daemon) = self.daemon(index, life).filter(|daemon| daemon.renews_at == Some(now)) else { return };
        // Renewing comes last in a turn of the loop: who overslept must not keep what it has lost.
        if daemon.engine.deadline().is_some_and(|deadline| deadline <= now) {
            self.feed(index, Input::Timer, Kind::Timer);
        }
        if self.daemon(index, life).is_none() {
            return;
        }
        self.renew_soon(index);
        if !self.nodes[index].settable || self.is_refused(index, Call::Renew) {
            return;
        }
        let held: Vec<(Name, IpAddr)> = self.nodes[index]
            .links
            .iter()
            .flat_map(|link| link.addresses.iter().map(|address| (link.name.clone(), *address)))
            .collect();
        for (link, address) in held {
            if self.wants(index, &link, address) {
                self.begin_lifetime(index, &link, address);
            }
        }
    }

    /// Whether the daemon of a node runs and wants this address there.
    fn wants(&self, index: usize, link: &Name, address: IpAddr) -> bool {
        let node = &self.nodes[index];
        let Some(daemon) = node.daemon.as_ref().filter(|_| node.is_awake()) else { return false };
        let here = |id: LinkId| daemon.engine.links().get(id.0 as usize) == Some(link);
        daemon.engine.desired().addresses.iter().any(|entry| entry.address == address && here(entry.link))
    }

    /// Begins to look at all kernels again and again.
    pub(super) fn look_soon(&mut self) {
        if self.plan.address_lifetime.is_some() {
            self.due(self.now + LOOK, Happening::Looks);
        }
    }

    /// Complains about an address that is where nobody wants it for longer than is promised.
    pub(super) fn look_at_kernels(&mut self) {
        self.look_soon();
        let Some(lifetime) = self.plan.address_lifetime else { return };
        let now = self.now;
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            let mut left = Vec::new();
            for link in &node.links {
                let own = Plan::own_addresses(index, &link.name);
                let virtual_ones = link.addresses.iter().filter(|address| !own.contains(address));
                let unwanted = virtual_ones.filter(|address| !self.wants(index, &link.name, **address));
                left.extend(unwanted.map(|address| (link.name.clone(), *address)));
            }
            // A kernel that sleeps answers nobody either.
            if node.asleep.is_some_and(|asleep| asleep.machine) {
                left.clear();
            }
            let known = std::mem::take(&mut self.nodes[index].left_behind);
            let since = |place: &(Name, IpAddr)| known.get(place).copied().unwrap_or(now);
            self.nodes[index].left_behind = left.iter().map(|place| (place.clone(), since(place))).collect();
            let node = &self.nodes[index];
            let too_long = node.left_behind.iter().find(|(_, since)| now.since(**since) > lifetime + PROMISED);
            if let Some(((link, address), since)) = too_long {
                let span = now.since(*since).as_millis();
                let name = &self.plan.nodes[index].name;
                let what = format!("{name} has {address} on {link} for {span} ms, and nobody there wants it");
                self.found(Rule::LeftBehind, what);
            }
        }
    }
}
