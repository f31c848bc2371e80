//! The groups that neighbours ask in for addresses on virtual interfaces (solicited-node multicast, RFC 4291 §2.7.1).
//!
//! The kernel joins them where the address is, and would tell the network so from the virtual MAC address, also when it
//! leaves them: after a hand-over a switch would look for that address behind the Backup. So nothing is told from there
//! (`linux::packet_filter`), and the interface below is a member instead, whatever the role is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use linux::memberships::Memberships;

/// The groups of each interface, by its index in the kernel.
pub(crate) type Groups = BTreeMap<u32, BTreeSet<Ipv6Addr>>;

#[derive(Debug, Default)]
pub(crate) struct SolicitedGroups {
    wanted: Groups,
    joined: BTreeMap<u32, Memberships>,
}

impl SolicitedGroups {
    /// Joins these and leaves all others. What was refused comes back, and is asked for again the next time.
    pub(crate) fn adjust(&mut self, mut wanted: Groups) -> Vec<linux::Error> {
        let mut failures = Vec::new();
        self.joined.retain(|link, _| wanted.contains_key(link));
        wanted.retain(|link, groups| {
            if self.wanted.get(link) == Some(groups) {
                return true;
            }
            // What stays is left only after it is joined again, so that nobody hears of it.
            match Memberships::join(*link, groups) {
                Ok(joined) => drop(self.joined.insert(*link, joined)),
                Err(error) => {
                    failures.push(error);
                    return false;
                }
            }
            true
        });
        self.wanted = wanted;
        failures
    }

    /// Is in no group of an interface any more, whatever the kernel says.
    pub(crate) fn forget_groups(&mut self, link: u32) {
        self.wanted.remove(&link);
        self.joined.remove(&link);
    }
}

/// The group for an address: its last 24 bits.
pub(crate) fn group_of(address: Ipv6Addr) -> Ipv6Addr {
    const PREFIX: u128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000;
    Ipv6Addr::from_bits(PREFIX | (address.to_bits() & 0x00ff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An interface may come to be, or have room for a group, a moment later.
    #[test]
    fn what_was_refused_is_asked_for_again() {
        let (mut groups, nowhere) = (SolicitedGroups::default(), i32::MAX as u32);
        let wanted = Groups::from([(nowhere, BTreeSet::from([group_of(Ipv6Addr::LOCALHOST)]))]);
        for _ in 0..3 {
            assert_eq!(groups.adjust(wanted.clone()).len(), 1, "it is told each time");
            assert!(groups.joined.is_empty());
        }
        assert!(groups.adjust(Groups::new()).is_empty());
    }

    /// The example of RFC 4291 §2.7.1.
    #[test]
    fn the_last_bits_of_an_address_are_its_group() {
        let address: Ipv6Addr = "4037::1:800:200e:8c6c".parse().expect("an address");
        assert_eq!(group_of(address).to_string(), "ff02::1:ff0e:8c6c");
    }
}
