//! What a virtual router does about a new configuration: as little as it can.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{State, Surroundings, VirtualRouter};
use crate::{Cause, Instant, LinkId, NoticeKind, Output, RouterConfig, Version};

impl VirtualRouter {
    /// A reconfiguration has no place for this router: it leaves at once.
    pub(crate) fn remove(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let held = self.holds_addresses();
        if matches!(self.state, State::Active(_)) {
            self.resign(now, out);
        }
        self.set_state(now, State::Initialize { stopped: true }, Cause::Stopped, out);
        if held {
            self.release(around, out);
        }
        self.notify(NoticeKind::Deleted, out);
    }

    /// Takes a changed configuration over with the least disturbance.
    pub(crate) fn reconfigure(
        &mut self,
        now: Instant,
        config: RouterConfig,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        let before = core::mem::replace(&mut self.config, config);
        let held: BTreeSet<(LinkId, IpAddr)> = self.placed(&before).map(|(link, held)| (link, held.address)).collect();
        self.derive(around.links);
        self.told = 0;
        let same_version = before.version == self.config.version;
        let other_silence = before.deviations.missed_advertisements != self.config.deviations.missed_advertisements;
        if before.advertisement_interval != self.config.advertisement_interval || !same_version || other_silence {
            self.follow_interval(now, same_version && self.config.version == Version::V3);
        }
        if before.transport != self.config.transport {
            self.follow_transport(now);
        }
        if let State::Active(active) = &mut self.state {
            if before.announce.refresh != self.config.announce.refresh {
                active.refresh_at = self.config.announce.refresh.map(|refresh| now + refresh);
            }
            if before.announce.elsewhere != self.config.announce.elsewhere {
                active.elsewhere_at = self.config.announce.elsewhere.as_ref().map(|elsewhere| now + elsewhere.every);
            }
            let new: Vec<_> = self
                .placed(&self.config)
                .map(|(link, address)| (link, address.address))
                .filter(|placed| !held.contains(placed))
                .collect();
            if before.routes != self.config.routes || before.rules != self.config.rules {
                out.push(Output::DesiredChanged);
            }
            if before.addresses != self.config.addresses || before.excluded_addresses != self.config.excluded_addresses
            {
                let has =
                    |link, address| self.placed(&self.config).any(|(on, held)| on == link && held.address == address);
                around.announcer.retain(self.id, has);
                out.push(Output::DesiredChanged);
                self.announce(now, &new, 0..self.config.announce.repeat, around, out);
            }
        }
        self.assess(now, around, out);
    }

    /// Timers after a change of the advertisement interval. A Backup that has `learned` the Active router's goes
    /// on waiting by that.
    fn follow_interval(&mut self, now: Instant, learned: bool) {
        let interval = self.config.advertisement_interval;
        let down = self.config.active_down_interval(self.effective_priority, interval);
        match &mut self.state {
            State::Initialize { .. } | State::Leaving { .. } => {}
            State::Backup(backup) if learned && backup.active_router.is_some() => {}
            State::Backup(backup) => {
                backup.active_adver_interval = interval;
                backup.active_down_at = now.max(self.hesitates_until) + down;
            }
            State::Active(active) => active.advertise_at = active.advertise_at.min(now + interval.as_duration()),
        }
    }

    /// Advertisements go another way: neighbours may hear of it when they change, too, so nobody is missed before they
    /// have had the time.
    fn follow_transport(&mut self, now: Instant) {
        match &mut self.state {
            State::Initialize { .. } | State::Leaving { .. } => {}
            State::Backup(backup) => {
                let down = self.config.active_down_interval(self.effective_priority, backup.active_adver_interval);
                backup.active_down_at = backup.active_down_at.max(now.max(self.hesitates_until) + down);
            }
            State::Active(active) => active.advertise_at = now,
        }
    }
}
