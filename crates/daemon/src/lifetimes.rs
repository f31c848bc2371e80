//! Addresses that let go by themselves: how long the kernel keeps each, and their renewal while the loop is sound.
//! A daemon that was killed or hangs renews nothing, and the address goes when the others must have taken over anyway.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use config::{Instance, Settings};
use engine::Owner;
use linux::netlink::{Lifetime, Monitor, Renewer, WantedAddress};

/// An address on an interface: index, address, prefix length.
pub(crate) type Key = (u32, IpAddr, u8);

/// Renewals are due when this part of a lifetime is over: two may fail, and a loop may be late by more than a second.
const PARTS: u32 = 3;
/// Many addresses are renewed a batch at a time, so that advertisements go between the batches, but within this time
/// altogether: the kernel looks for expired addresses once a second at most, and two looks should find them all.
const ROUND: Duration = Duration::from_millis(400);
/// The longest time from one batch to the next.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

#[derive(Debug)]
pub(crate) struct Lifetimes {
    renewer: Renewer,
    /// By router.
    of_routers: Vec<Lifetime>,
    /// From one round of renewals to the next; `None` if nothing needs any.
    period: Option<Duration>,
    due_at: Option<u64>,
    /// When the round under way or the last one began.
    round_at: u64,
    /// The next batch of the round under way.
    next: usize,
    /// The last address that the round under way has renewed.
    renewed: Option<Key>,
    /// What the renewer has prepared is not what we hold.
    stale: bool,
    /// This round is for those that shall stay for ever, too: they may have another lifetime yet.
    converting: bool,
}

impl Lifetimes {
    /// The monitor will not hear of renewals.
    pub(crate) fn open(monitor: &mut Monitor) -> linux::Result<Self> {
        let renewer = Renewer::open()?;
        monitor.ignore(&renewer)?;
        Ok(Self {
            renewer,
            of_routers: Vec::new(),
            period: None,
            due_at: None,
            round_at: 0,
            next: 0,
            renewed: None,
            stale: true,
            converting: false,
        })
    }

    /// Follows the settings; `true` if a lifetime has changed. What is held is converted in the next round, which is
    /// due at once.
    pub(crate) fn adjust(&mut self, settings: &Settings, now: u64) -> bool {
        let lifetime = |instance: &Instance| {
            let seconds = settings.address_lifetime(&instance.router).and_then(NonZeroU32::new);
            seconds.map_or(Lifetime::Unlimited, Lifetime::Seconds)
        };
        let of_routers: Vec<Lifetime> = settings.instances.iter().map(lifetime).collect();
        if self.of_routers == of_routers {
            return false;
        }
        self.of_routers = of_routers;
        let shortest = self.of_routers.iter().filter_map(|lifetime| match lifetime {
            Lifetime::Seconds(seconds) => Some(seconds.get()),
            Lifetime::Unlimited => None,
        });
        self.period = shortest.min().map(|seconds| Duration::from_secs(u64::from(seconds)) / PARTS);
        self.convert(now);
        true
    }

    /// With what lifetime an owner's addresses are added.
    pub(crate) fn of(&self, owner: Owner) -> Lifetime {
        // What is static is no virtual address: it would be missed, and nobody else has it.
        let Some(router) = owner.router() else { return Lifetime::Unlimited };
        // One that a reload has removed lets go as the others do.
        let lifetime = self.of_routers.get(router.0 as usize).or(self.of_routers.first());
        lifetime.copied().unwrap_or(Lifetime::Unlimited)
    }

    /// Some of what we hold may have another lifetime than it should have.
    pub(crate) fn convert(&mut self, now: u64) {
        (self.converting, self.stale) = (true, true);
        // From the beginning, if a round is under way.
        self.renewed = None;
        self.due_at = Some(now);
    }

    /// Whether the next renewals are for those, too, that may have another lifetime yet.
    pub(crate) fn is_converting(&self, now: u64) -> bool {
        self.converting && self.due_at.is_some_and(|at| at <= now)
    }

    /// What we hold has changed. What is new has its whole lifetime before it.
    pub(crate) fn held_changed(&mut self, now: u64) {
        self.stale = true;
        if let (None, Some(period)) = (self.due_at, self.period) {
            self.round_at = now;
            self.due_at = Some(after(now, period));
        }
    }

    /// When [`renew`](Self::renew) should be called.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.due_at
    }

    /// Whether an address that has vanished may have expired: it was not renewed in time.
    pub(crate) fn is_overdue(&self, now: u64) -> bool {
        self.period.is_some_and(|period| now > after(self.round_at, period * (PARTS - 1)))
    }

    /// Renews a batch if that is due; `held` tells what we hold, in the order of the keys. What failed comes back.
    pub(crate) fn renew(&mut self, now: u64, held: impl FnOnce() -> Vec<WantedAddress>) -> Vec<linux::Error> {
        if self.due_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        if std::mem::take(&mut self.stale) {
            let mut held = held();
            held.retain(|address| self.converting || address.lifetime != Lifetime::Unlimited);
            self.renewer.prepare(&held);
            // A round goes on where it was, whatever has come and gone meanwhile.
            let is_next = |number: &usize| self.renewer.batch(*number).last().map(key) > self.renewed;
            self.next = (0..self.renewer.batches()).find(is_next).unwrap_or(self.renewer.batches());
        }
        if self.renewed.is_none() {
            self.round_at = now;
        }
        let failures = self.renewer.renew(self.next);
        self.renewed = self.renewer.batch(self.next).last().map(key).or(self.renewed);
        self.next += 1;
        let batches = self.renewer.batches();
        if self.next < batches {
            self.due_at = Some(after(now, LONGEST_PAUSE.min(ROUND / batches as u32)));
            return failures;
        }
        (self.next, self.renewed) = (0, None);
        // What stays for ever needs no second round.
        self.stale |= std::mem::take(&mut self.converting);
        let next_round = |period| after(self.round_at, period).max(after(now, LONGEST_PAUSE));
        self.due_at = self.period.filter(|_| batches > 0).map(next_round);
        failures
    }
}

fn key(address: &WantedAddress) -> Key {
    (address.link, address.address, address.prefix)
}

fn after(moment: u64, span: Duration) -> u64 {
    moment.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
}
