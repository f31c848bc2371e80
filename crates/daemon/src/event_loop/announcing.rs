//! Says where addresses are, with gratuitous ARP and unsolicited neighbour advertisements.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use engine::wire::{arp, neighbour};
use engine::{LinkId, Output};
use linux::system_log::Severity;

use super::EventLoop;

/// So many announcements are sent before the loop looks at everything else again: about a millisecond's worth.
const ANNOUNCEMENTS_AT_ONCE: usize = 128;

impl EventLoop {
    /// Takes over what is to be announced, every address once before any again, and forgets what was given up
    /// (`held` is what is left, if that has changed).
    pub(super) fn queue_announcements(&mut self, outputs: &[Output], held: Option<&BTreeSet<(LinkId, IpAddr)>>) {
        let mut rounds: BTreeMap<(LinkId, IpAddr), u32> = BTreeMap::new();
        let mut new: Vec<(u32, (LinkId, IpAddr))> = Vec::new();
        for output in outputs {
            if let Output::Announce { link, address } = *output {
                let round = rounds.entry((link, address)).or_default();
                new.push((*round, (link, address)));
                *round += 1;
            }
        }
        new.sort_by_key(|(round, _)| *round);
        self.announcements.extend(new.into_iter().map(|(_, place)| place));
        if let Some(held) = held {
            self.announcements.retain(|place| held.contains(place));
        }
    }

    /// Thousands of announcements take tens of milliseconds, and no advertisement may wait for them: some are sent,
    /// then the loop looks at everything else.
    pub(super) fn send_some_announcements(&mut self) {
        for _ in 0..ANNOUNCEMENTS_AT_ONCE.min(self.announcements.len()) {
            if let Some((link, address)) = self.announcements.pop_front()
                && let Some(index) = self.kernel.index_of(link)
            {
                self.push_announcement(index, address);
            }
        }
        if !self.frames.is_empty() {
            let mut unsent = Vec::new();
            self.frames.flush(&self.arp, &mut unsent);
            if let Some(first) = unsent.first() {
                let cause = linux::Error::new(format!("send {} announcements of addresses", unsent.len()), first.errno);
                self.told.push((Severity::Warning, cause.to_string()));
            }
        }
    }

    pub(super) fn push_announcement(&mut self, index: u32, address: IpAddr) {
        let Some(hardware_address) = self.kernel.hardware_address(index) else { return };
        match address {
            IpAddr::V4(address) => self.frames.push_frame(&arp::gratuitous(hardware_address, address), index),
            IpAddr::V6(address) => {
                let forwards = self.kernel.forwards_ipv6(index);
                self.frames.push_frame(&neighbour::unsolicited(hardware_address, address, forwards), index);
            }
        }
    }
}
