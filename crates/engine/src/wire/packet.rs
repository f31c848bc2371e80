//! An IP packet of either family, as far as the families are alike.

use core::net::IpAddr;

use super::{ipv4, ipv6};
use crate::Family;

/// A packet taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Protocol number of the payload.
    pub protocol: u8,
    /// The header as it stands there.
    pub header: &'a [u8],
    /// What follows the header, without padding behind it.
    pub payload: &'a [u8],
}

/// Takes a packet apart; `None` if it is none of this family, or shorter than it says.
#[must_use]
pub fn parse(family: Family, octets: &[u8]) -> Option<Packet<'_>> {
    Some(match family {
        Family::Ipv4 => {
            let packet = ipv4::parse(octets)?;
            Packet {
                source: packet.source.into(),
                destination: packet.destination.into(),
                ttl: packet.ttl,
                protocol: packet.protocol,
                header: packet.header,
                payload: packet.payload,
            }
        }
        Family::Ipv6 => {
            let packet = ipv6::parse(octets)?;
            Packet {
                source: packet.source.into(),
                destination: packet.destination.into(),
                ttl: packet.hop_limit,
                protocol: packet.next_header,
                header: packet.header,
                payload: packet.payload,
            }
        }
    })
}
