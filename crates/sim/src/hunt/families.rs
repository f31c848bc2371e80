//! IPv4 and IPv6 in made-up worlds.
//!
//! What is about IPv6 has a source of chance of its own, so that worlds without it are those that they were before.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use engine::{Family, Version};

use super::generate::Kinship;
use crate::plan::router::{GLOBAL, LINK_LOCAL, ipv6};
use crate::plan::{Plan, RouterOption, RouterSpec};
use crate::random::Random;

/// Whether a world has IPv6 at all, and how much.
pub(super) struct Families {
    random: Random,
    /// So many of 100 kinships are of IPv6.
    share: u8,
}

impl Families {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x6666_0000_0000_0000);
        let share = *random.pick(&[0, 0, 0, 0, 0, 0, 0, 60, 100, 100]);
        Self { random, share }
    }

    /// How long addresses are looked for elsewhere.
    pub(super) fn tentative(&mut self) -> Duration {
        let choices = if self.share > 0 { [0, 0, 1000, 1700] } else { [0; 4] };
        Duration::from_millis(*self.random.pick(&choices))
    }

    /// Gives all routers of one VRID a family; IPv6 has version 3 only, and with it no passwords.
    pub(super) fn choose(&mut self, kinship: &mut Kinship) {
        let random = &mut self.random;
        if self.share == 0 {
            return;
        }
        let vrid = kinship.vrid.get();
        if !random.chance(self.share) {
            // Both kinds of addresses beside each other.
            if random.chance(20) {
                kinship.excluded.push((ipv6(GLOBAL, vrid + 100), 64));
            }
            return;
        }
        kinship.version = Version::V3;
        kinship.authentication.retain(|option| !matches!(option, RouterOption::Password(_) | RouterOption::Header(_)));
        // RFC 9568 §5.2.9 wants one of the link, and wants it first; keepalived takes others, too.
        let of_link = random.chance(85).then(|| (ipv6(LINK_LOCAL, vrid), 64));
        let others = (0..kinship.addresses.len() as u8).map(|more| (ipv6(GLOBAL, vrid + more * 10), 64));
        kinship.addresses = of_link.into_iter().chain(others).collect();
        if !kinship.excluded.is_empty() && random.chance(50) {
            kinship.excluded = vec![(ipv6(GLOBAL, vrid + 100), 64)];
        }
        if kinship.way.is_some() && random.chance(40) {
            kinship.way = Some(RouterOption::UnicastLinkLocal);
        }
    }

    pub(super) fn announcing(&mut self, options: &mut Vec<RouterOption>) {
        if self.share > 0 && self.random.chance(15) {
            let span = Duration::from_millis(*self.random.pick(&[1, 20, 200]));
            options.push(RouterOption::GnaPacing(span));
        }
    }

    /// An address that somebody deletes on a node, which may be one that the node has of its own.
    pub(super) fn deleted(&mut self, address: IpAddr, node: usize) -> IpAddr {
        let random = &mut self.random;
        if self.share == 0 || random.chance(25) {
            return address;
        }
        let own = Plan::own_addresses(node, "eth0");
        match random.below(6) {
            0..=2 => ipv6(GLOBAL, *random.pick(&[51, 52, 61])),
            3 => ipv6(LINK_LOCAL, *random.pick(&[51, 52])),
            _ => own[random.between(1, 2) as usize],
        }
    }

    /// From where a stranger sends to such a router, who would have sent from there over IPv4.
    pub(super) fn source(&mut self, spec: &RouterSpec, source: Ipv4Addr) -> IpAddr {
        let random = &mut self.random;
        if spec.settings.family == Family::Ipv4 || random.chance(10) {
            return source.into();
        }
        match source.octets() {
            [192, 0, 2, 99] => ipv6(LINK_LOCAL, 99),
            // Not one of this link.
            [192, 0, 1, _] => ipv6(GLOBAL, 99),
            [.., host] => Plan::own_addresses(usize::from(host) - 1, "eth0")[random.between(1, 2) as usize],
        }
    }
}

/// One more address of a router's family.
pub(super) fn one_more(spec: &RouterSpec, beyond: u8) -> (IpAddr, u8) {
    let number = spec.settings.vrid.get() + beyond;
    match spec.settings.family {
        Family::Ipv4 => (IpAddr::from([192, 0, 2, number]), 24),
        Family::Ipv6 => (ipv6(GLOBAL, number), 64),
    }
}

/// What a router of VRID 51 would list.
pub(super) fn of_51(source: IpAddr) -> Vec<(IpAddr, u8)> {
    match source {
        IpAddr::V4(_) => vec![(IpAddr::from([192, 0, 2, 51]), 24)],
        IpAddr::V6(_) => vec![(ipv6(LINK_LOCAL, 51), 64), (ipv6(GLOBAL, 51), 64)],
    }
}
