//! The router that a packet is for.

use alloc::vec::Vec;

use crate::engine::is_link_local;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::{Packet, advertisement};
use crate::{Family, LinkId, Transport, Vrid};

/// The routers in the order of what an advertisement says of them, so that nobody asks all of them for each packet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addressees {
    places: Vec<(Family, Vrid, u32)>,
}

impl Addressees {
    /// Takes in which routers there are.
    pub(crate) fn follow(&mut self, routers: &[VirtualRouter]) {
        let place = |(router, place): (&VirtualRouter, u32)| (router.config().family, router.config().vrid, place);
        self.places.clear();
        self.places.extend(routers.iter().zip(0..).map(place));
        self.places.sort_unstable();
    }

    /// The routers of a number, by their index.
    pub(crate) fn of(&self, family: Family, vrid: Vrid) -> impl Iterator<Item = usize> {
        let begin = self.places.partition_point(|(its, number, _)| (*its, *number) < (family, vrid));
        let these = self.places[begin..].iter().take_while(move |(its, number, _)| (*its, *number) == (family, vrid));
        these.map(|(.., place)| *place as usize)
    }

    /// The router that a packet is for. A multicast router hears its interface; a unicast one its address.
    /// Where only the other kind matches, that one gets to say so.
    pub(crate) fn find(&self, routers: &[VirtualRouter], link: LinkId, packet: &Packet<'_>) -> Option<usize> {
        let vrid = advertisement::peek_vrid(message(packet)?)?;
        let destination = packet.destination;
        let fits = |router: &VirtualRouter| {
            let same_kind = match &router.config().transport {
                Transport::Multicast { group, .. } => *group == destination,
                Transport::Unicast { .. } => router.primary_address() == Some(destination),
            };
            let here = router.link() == link;
            match (same_kind, here) {
                (true, true) => 3,
                // Unicast may come in over any interface, unless its address means nothing beyond one.
                (true, false) if !destination.is_multicast() && !is_link_local(destination) => 2,
                (false, true) => 1,
                (true | false, false) => 0,
            }
        };
        self.of(Family::of(destination), vrid)
            .filter_map(|index| Some((fits(routers.get(index)?), index)))
            .filter(|(fit, _)| *fit > 0)
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, index)| index)
    }
}

/// Where the advertisement begins: behind an authentication header, if there is one (RFC 4302 §2.2).
pub(crate) fn message<'p>(packet: &Packet<'p>) -> Option<&'p [u8]> {
    if packet.protocol != crate::wire::PROTOCOL_AUTHENTICATION_HEADER {
        return Some(packet.payload);
    }
    // Who has IPsec may see other people's headers here.
    let &[crate::wire::PROTOCOL_VRRP, words, ..] = packet.payload else { return None };
    packet.payload.get((usize::from(words) + 2) * 4..)
}
