//! What a virtual router depends on: an address to send from, interfaces, checks, files and processes.

use alloc::collections::BTreeSet;
use core::net::IpAddr;

use super::{Surroundings, VirtualRouter};
use crate::engine::is_link_local;
use crate::track::priority::{self, Effect, Finding};
use crate::{Family, FaultReason, LinkCondition, LinkId, Transport};

impl VirtualRouter {
    /// The address to send from: the configured one if this host has it, else the interface's first one that
    /// is not virtual, and over IPv6 of the right reach. An address owner's virtual address is real.
    pub(super) fn choose_primary_address(&self, around: &Surroundings<'_>) -> Option<IpAddr> {
        let (Transport::Multicast { source, .. } | Transport::Unicast { source, .. }) = &self.config.transport;
        if let Some(source) = source {
            let here = || around.links.addresses(self.link).contains(source);
            let is_ours = if is_link_local(*source) { here() } else { around.links.host_has(*source) };
            return is_ours.then_some(*source);
        }
        let suits = |address: &IpAddr| self.suits(*address);
        let own = || around.links.addresses(self.link).iter().copied().filter(suits);
        let real = own().find(|address| !(around.is_virtual)(self.link, *address));
        let owner = self.config.priority.is_address_owner();
        // What an Active router holds is there, or put back at once if somebody deletes it.
        let first = || self.config.addresses.iter().map(|held| held.address).find(suits);
        let held = || first().filter(|_| self.holds_addresses());
        let listed = |address: &IpAddr| self.config.addresses.iter().any(|listed| listed.address == *address);
        real.or_else(|| own().find(listed).or_else(held).filter(|_| owner))
    }

    /// Whether its interface will have an address to send from in a moment.
    fn awaits_primary_address(&self, around: &Surroundings<'_>) -> bool {
        let (Transport::Multicast { source, .. } | Transport::Unicast { source, .. }) = &self.config.transport;
        let is_meant = |address: &IpAddr| match source {
            Some(source) => address == source,
            None => self.suits(*address) && !(around.is_virtual)(self.link, *address),
        };
        around.links.tentative(self.link).iter().any(is_meant)
    }

    /// Whether an address is of the family and reach of those that it sends from.
    fn suits(&self, address: IpAddr) -> bool {
        match self.config.family {
            Family::Ipv4 => address.is_ipv4(),
            Family::Ipv6 => address.is_ipv6() && is_link_local(address) == self.speaks_link_locally(),
        }
    }

    /// Whether a source goes with a destination. A reconfiguration may have changed from where it sends.
    pub(super) fn may_send_from(&self, source: IpAddr, destination: IpAddr) -> bool {
        let (Transport::Multicast { source: chosen, .. } | Transport::Unicast { source: chosen, .. }) =
            &self.config.transport;
        Family::of(source) == Family::of(destination) && (chosen.is_some() || self.suits(source))
    }

    /// Over IPv6: multicast comes from the interface's link-local address (RFC 9568 §5.1.2.1). Unicast comes from where
    /// peers can answer to, so from such an address only if theirs are such, too.
    fn speaks_link_locally(&self) -> bool {
        match &self.config.transport {
            Transport::Multicast { .. } => true,
            Transport::Unicast { peers, .. } => peers.iter().all(|peer| is_link_local(*peer)),
        }
    }

    /// All faults and the sum of the weights, once the primary address is known.
    pub(super) fn weigh(&self, around: &Surroundings<'_>) -> (BTreeSet<FaultReason>, i32) {
        let (mut faults, sum) = self.weigh_alone(self.primary_address, around);
        if let Some(brief) = around.brief(self.id) {
            faults.extend(brief.faults.iter().cloned());
        }
        (faults, sum)
    }

    /// The faults that it would have by itself.
    pub(crate) fn own_faults(&self, around: &Surroundings<'_>) -> BTreeSet<FaultReason> {
        if !self.is_informed(around) {
            return BTreeSet::new();
        }
        self.weigh_alone(self.choose_primary_address(around), around).0
    }

    /// A reconfiguration mentions an interface, a file or processes for the first time; what they are like comes next, and
    /// until then nothing is concluded.
    pub(super) fn is_informed(&self, around: &Surroundings<'_>) -> bool {
        self.links().all(|link| around.links.is_told(link))
            && self.config.trackers.iter().all(|tracked| around.tracking.finding(&tracked.tracker).is_some())
    }

    fn weigh_alone(&self, primary_address: Option<IpAddr>, around: &Surroundings<'_>) -> (BTreeSet<FaultReason>, i32) {
        let mut faults = BTreeSet::new();
        let mut sum = 0;
        let mut need = |link: LinkId, even_down: bool| match around.links.condition(link) {
            LinkCondition::Absent => {
                faults.insert(FaultReason::LinkAbsent(link));
            }
            LinkCondition::Deaf => {
                faults.insert(FaultReason::LinkDown(link));
            }
            LinkCondition::Down if !even_down => {
                faults.insert(FaultReason::LinkDown(link));
            }
            LinkCondition::Down | LinkCondition::Up => {}
        };
        need(self.link, self.config.ignore_own_link);
        for link in self.needed_links.iter().copied().filter(|link| *link != self.link) {
            need(link, false);
        }
        let incomplete = self.config.track_groups.iter().filter(|group| around.links.is_incomplete(group));
        faults.extend(incomplete.cloned().map(FaultReason::StaticMissing));
        for (link, tracked) in self.tracked_links.iter().copied().zip(&self.config.track_links) {
            let condition = around.links.condition(link);
            match priority::effect(tracked.weight, Some(Finding::Good(condition == LinkCondition::Up))) {
                Effect::Adds(worth) => sum += i32::from(worth),
                Effect::Fault if condition == LinkCondition::Absent => {
                    faults.insert(FaultReason::LinkAbsent(link));
                }
                Effect::Fault | Effect::Pending => {
                    faults.insert(FaultReason::LinkDown(link));
                }
            }
        }
        for tracked in self.config.track_scripts.iter().filter(|tracked| !around.tracking.rests(&tracked.script)) {
            match priority::effect(tracked.weight, around.tracking.verdict(&tracked.script)) {
                Effect::Adds(worth) => sum += i32::from(worth),
                Effect::Fault => {
                    faults.insert(FaultReason::ScriptFailed(tracked.script.clone()));
                }
                Effect::Pending => {
                    faults.insert(FaultReason::ScriptPending(tracked.script.clone()));
                }
            }
        }
        for tracked in &self.config.trackers {
            // What a reconfiguration mentions for the first time is told next.
            let Some(finding) = around.tracking.finding(&tracked.tracker) else { continue };
            match priority::effect(tracked.weight, Some(finding)) {
                Effect::Adds(worth) => sum += i32::from(worth),
                Effect::Fault | Effect::Pending => {
                    faults.insert(FaultReason::Tracked(tracked.tracker.clone()));
                }
            }
        }
        if self.destinations.is_empty() {
            faults.insert(FaultReason::NoPeer);
        }
        if primary_address.is_none() && around.links.condition(self.link) != LinkCondition::Absent {
            let is_coming = self.awaits_primary_address(around);
            faults.insert(if is_coming { FaultReason::PrimaryAddressTentative } else { FaultReason::NoPrimaryAddress });
        }
        (faults, sum)
    }
}
