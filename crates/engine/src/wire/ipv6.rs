//! The IPv6 header around an advertisement (RFC 8200 §3), as keepalived and the standards want it.

use core::net::Ipv6Addr;

/// Octets of the header.
pub const HEADER_LENGTH: usize = 40;
/// The traffic class "internetwork control".
pub const INTERNETWORK_CONTROL: u8 = 0xc0;

/// An IPv6 packet taken apart. One with extension headers has theirs as its next header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Packet<'a> {
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// Hop limit.
    pub hop_limit: u8,
    /// Protocol number of what follows.
    pub next_header: u8,
    /// The header as it stands there.
    pub header: &'a [u8],
    /// What follows the header, cut to the length that the header states.
    pub payload: &'a [u8],
}

/// Takes a packet apart; `None` if it is no IPv6 packet or shorter than it says.
#[must_use]
pub fn parse(octets: &[u8]) -> Option<Ipv6Packet<'_>> {
    let (header, behind) = octets.split_first_chunk::<HEADER_LENGTH>()?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let payload_length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    Some(Ipv6Packet {
        source: address(header.get(8..24)?)?,
        destination: address(header.get(24..40)?)?,
        hop_limit: header[7],
        next_header: header[6],
        header,
        payload: behind.get(..payload_length)?,
    })
}

fn address(octets: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from)
}

/// Writes the header of a packet with a payload of `payload_length` octets of `next_header`, to be sent with
/// `traffic_class`, into the first [`HEADER_LENGTH`] octets of `buffer`. `None` if there is no room or the packet would be too long.
pub fn write_header(
    buffer: &mut [u8],
    (source, destination): (Ipv6Addr, Ipv6Addr),
    (next_header, traffic_class): (u8, u8),
    hop_limit: u8,
    payload_length: usize,
) -> Option<()> {
    let payload_length = u16::try_from(payload_length).ok()?;
    let header = buffer.first_chunk_mut::<HEADER_LENGTH>()?;
    // Without a flow label.
    header[0..4].copy_from_slice(&[0x60 | traffic_class >> 4, traffic_class << 4, 0, 0]);
    header[4..6].copy_from_slice(&payload_length.to_be_bytes());
    header[6] = next_header;
    header[7] = hop_limit;
    header[8..24].copy_from_slice(&source.octets());
    header[24..40].copy_from_slice(&destination.octets());
    Some(())
}
