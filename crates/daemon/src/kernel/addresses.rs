//! Which addresses should be there, and for how long.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use config::Settings;
use engine::{Desired, DesiredAddress, Owner};
use linux::clock;
use linux::netlink::{
    Address, AddressOperation, Lifetime, OUR_MARK, Operation, Subnet, WantedAddress, kernel_keeps_marks, reconcile,
};

use super::{Held, Kernel, Reconciled, UNMENTIONED, key, specs};
use crate::lifetimes::Key;

impl Kernel {
    fn wanted_address(&self, address: &DesiredAddress) -> Option<WantedAddress> {
        Some(WantedAddress {
            link: self.index_of(address.link)?,
            address: address.address,
            prefix: address.prefix,
            scope: address.scope.number(),
            label: address.label.as_ref().map(ToString::to_string),
            broadcast: address.broadcast.and_then(|broadcast| match broadcast {
                IpAddr::V4(broadcast) => Some(broadcast),
                IpAddr::V6(_) => None,
            }),
            peer: address.peer,
            flags: specs::address_flags(address),
            preferred: address.preferred,
            lifetime: self.lifetimes.of(address.owner),
        })
    }

    /// What must be done to bring the addresses to what is desired.
    pub(super) fn plan_addresses(&mut self, desired: &Desired) -> Vec<AddressOperation> {
        // In the operator's order: the first of a subnet is its primary one.
        let mut in_order: Vec<&DesiredAddress> = desired.addresses.iter().collect();
        in_order.sort_by_key(|address| (address.owner, address.place));
        let mut wanted = Vec::new();
        let mut untracked = BTreeSet::new();
        self.statics.clear();
        for address in in_order {
            let Some(wish) = self.wanted_address(address) else { continue };
            let key = key_of(&wish);
            if address.owner == Owner::Static {
                self.statics.insert(key);
            }
            if !address.tracked {
                untracked.insert(key);
                if self.placed.contains(&key) && !self.addresses.contains_key(&key) {
                    continue;
                }
            }
            wanted.push(wish);
        }
        self.placed.retain(|key| untracked.contains(key));
        self.placed.extend(untracked.into_iter().filter(|key| self.addresses.contains_key(key)));
        let wanted_anywhere: BTreeSet<IpAddr> = wanted.iter().map(|address| address.address).collect();
        let actual: Vec<Address> = self
            .addresses
            .values()
            .filter_map(|held| self.as_concerning_us(&held.address, |address| wanted_anywhere.contains(&address)))
            .collect();
        let now = clock::boot_time();
        if std::mem::take(&mut self.fresh) && self.adopt(&wanted) {
            self.lifetimes.convert(now);
        }
        let operations = reconcile(&wanted, &actual, &self.known);
        self.note_preferences(&wanted, now);
        self.wanted = wanted;
        self.lifetimes.held_changed(now);
        operations
    }

    /// An address that is held and shall be preferred for another time than before is so from now on.
    fn note_preferences(&mut self, wanted: &[WantedAddress], now: u64) {
        let before: BTreeMap<Key, (Option<u32>, Lifetime)> =
            self.wanted.iter().map(|wanted| (key_of(wanted), (wanted.preferred, wanted.lifetime))).collect();
        for wish in wanted {
            let key = key_of(wish);
            let Some((preferred, lifetime)) = before.get(&key) else { continue };
            let counts = |lifetime: &Lifetime| matches!(lifetime, Lifetime::Seconds(_));
            let is_over = self.deprecated_at.get(&key) == Some(&0);
            if *preferred != wish.preferred {
                self.lifetimes.convert(now);
            } else if counts(lifetime) == counts(&wish.lifetime) || is_over {
                // Who counts goes on counting, and what is over stays so.
                continue;
            }
            match deprecation(wish, now) {
                Some(at) => self.deprecated_at.insert(key, at),
                None => self.deprecated_at.remove(&key),
            };
        }
    }

    /// Makes ours what an earlier process has left behind and what is wanted just so; `true` if there was any.
    fn adopt(&mut self, wanted: &[WantedAddress]) -> bool {
        let is_left_over = |address: &Address| {
            let known = || self.known.contains(&key(address));
            address.is_marked() || (!kernel_keeps_marks() && known())
        };
        let keys = wanted.iter().map(|wanted| (wanted.link, wanted.address, wanted.prefix));
        let adopted: BTreeSet<Key> =
            keys.filter(|key| self.addresses.get(key).is_some_and(|held| is_left_over(&held.address))).collect();
        self.ours.extend(&adopted);
        let now = clock::boot_time();
        wanted.iter().filter(|wanted| adopted.contains(&key_of(wanted))).for_each(|wanted| {
            self.deprecated_at.extend(deprecation(wanted, now).map(|at| (key_of(wanted), at)));
        });
        !adopted.is_empty()
    }

    /// Follows the settings; `true` if addresses should be brought into line because of it.
    pub(crate) fn adjust_lifetimes(&mut self, settings: &Settings) -> bool {
        self.lifetimes.adjust(settings, clock::boot_time())
    }

    /// When [`renew`](Self::renew) should be called.
    pub(crate) fn renew_deadline(&self) -> Option<u64> {
        self.lifetimes.deadline()
    }

    /// Renews the lifetimes of some of our addresses if that is due. The picture must be up to date: what has vanished
    /// would be added.
    pub(crate) fn renew(&mut self, now: u64) -> Vec<linux::Error> {
        let mut failures = self.begin_lifetimes(now);
        let Self { lifetimes, wanted, ours, addresses, deprecated_at, .. } = self;
        if deprecated_at.values().any(|at| (1..=now).contains(at)) {
            // From now on it is renewed otherwise.
            lifetimes.held_changed(now);
            deprecated_at.values_mut().filter(|at| **at <= now).for_each(|at| *at = 0);
        }
        let refused = lifetimes.renew(now, || {
            let held =
                |wanted: &&WantedAddress| ours.contains(&key_of(wanted)) && addresses.contains_key(&key_of(wanted));
            let mut held: Vec<WantedAddress> = wanted.iter().filter(held).cloned().collect();
            held.sort_by_key(key_of);
            held.dedup_by_key(|wanted| key_of(wanted));
            for wanted in &mut held {
                // A renewal begins its time anew, so it is told in full until it is over.
                if let Some(at) = deprecated_at.get(&key_of(wanted)) {
                    wanted.preferred = (*at == 0).then_some(0);
                }
            }
            held
        });
        failures.extend(refused);
        failures
    }

    /// Has addresses of IPv6 that were to stay for ever and shall have a lifetime from now on go and come again, in one
    /// batch. If such a one were renewed with a lifetime, the kernel would have the route to its network end with it, which
    /// it shares with the machine's own addresses there: nobody would be reached any more from those. When one goes, the
    /// route stays as it is as long as another needs it, and to one that stays for ever it adds nothing.
    fn begin_lifetimes(&mut self, now: u64) -> Vec<linux::Error> {
        if !self.lifetimes.is_converting(now) {
            return Vec::new();
        }
        let stays = |wanted: &&WantedAddress| {
            let key = key_of(wanted);
            let held = self.addresses.get(&key).filter(|_| self.ours.contains(&key));
            held.is_some_and(|held| held.address.address.is_ipv6() && held.address.seconds_left.is_none())
        };
        let mut seen = BTreeSet::new();
        let wanted = self.wanted.iter().filter(|wanted| seen.insert(key_of(wanted)));
        let limited = wanted.filter(|wanted| wanted.lifetime != Lifetime::Unlimited);
        let anew = limited.filter(stays).flat_map(|wanted| {
            let WantedAddress { link, address, prefix, peer, .. } = *wanted;
            let preferred = match self.deprecated_at.get(&key_of(wanted)) {
                Some(0) => Some(0),
                _ => wanted.preferred,
            };
            let added = WantedAddress { preferred, ..wanted.clone() };
            [AddressOperation::Remove { link, address, prefix, peer }, AddressOperation::Add(added)]
        });
        let operations: Vec<Operation> = anew.map(Operation::Address).collect();
        let mut reconciled = Reconciled::default();
        self.apply(&operations, &mut reconciled);
        // Routes may prefer it as a source.
        self.routing.distrust_if(!operations.is_empty());
        reconciled.failures
    }

    /// An address as the reconciliation should see it: marked if it is ours, as it is if it is wanted, and not at
    /// all if it is somebody else's, another daemon's with our mark included.
    fn as_concerning_us(&self, address: &Address, is_wanted: impl Fn(IpAddr) -> bool) -> Option<Address> {
        let left_over =
            self.fresh && address.is_marked() && !self.routing.beside_others && self.id_of(address.link) != UNMENTIONED;
        let ours = self.ours.contains(&key(address)) || left_over;
        if ours {
            return Some(Address { protocol: Some(OUR_MARK), ..address.clone() });
        }
        let known = self.known.contains(&key(address));
        (known || is_wanted(address.address)).then(|| Address { protocol: None, ..address.clone() })
    }

    /// Addresses of others that the kernel takes along with ours come back right behind the removals, so that they are
    /// before ours in their subnet. With `promote_secondaries` they are not taken along, and then this does nothing; but
    /// nobody may set that where `/proc/sys` is read-only, as in a container.
    pub(super) fn put_back_what_goes_along(&self, operations: &mut Vec<AddressOperation>) {
        let is_removal = |operation: &&AddressOperation| matches!(operation, AddressOperation::Remove { .. });
        let removed: BTreeSet<Key> = operations
            .iter()
            .filter_map(|operation| match operation {
                AddressOperation::Remove { link, address, prefix, .. } => Some((*link, *address, *prefix)),
                AddressOperation::Add(_) | AddressOperation::PutBack(_) => None,
            })
            .collect();
        let firsts = removed.iter().filter_map(|key| self.addresses.get(key)).map(|held| &held.address);
        let emptied: BTreeSet<Subnet> =
            firsts.filter(|address| !address.is_secondary()).filter_map(Subnet::of).collect();
        if emptied.is_empty() {
            return;
        }
        let goes_along = |address: &Address| {
            let others = !self.ours.contains(&key(address)) && !removed.contains(&key(address));
            others && address.is_secondary() && Subnet::of(address).is_some_and(|subnet| emptied.contains(&subnet))
        };
        let mut along: Vec<&Held> = self.addresses.values().filter(|held| goes_along(&held.address)).collect();
        along.sort_by_key(|held| held.order);
        let place = operations.iter().take_while(is_removal).count();
        let along = along.into_iter().map(|held| AddressOperation::PutBack(held.address.clone()));
        operations.splice(place..place, along);
    }
}

pub(super) fn key_of(wanted: &WantedAddress) -> Key {
    (wanted.link, wanted.address, wanted.prefix)
}

/// When an address that is added now is no longer preferred. One that we need not renew counts by itself.
pub(super) fn deprecation(wanted: &WantedAddress, now: u64) -> Option<u64> {
    match (wanted.preferred, wanted.lifetime) {
        (Some(seconds @ 1..), Lifetime::Seconds(_)) => Some(now + u64::from(seconds) * 1_000_000_000),
        _ => None,
    }
}
