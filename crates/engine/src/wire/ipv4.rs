//! The IPv4 header around an advertisement (RFC 791), as keepalived and the standards want it.

use core::net::Ipv4Addr;

use super::checksum::Checksum;

/// Octets of a header without options.
pub const HEADER_LENGTH: usize = 20;
/// Precedence "internetwork control".
const TYPE_OF_SERVICE: u8 = 0xc0;

/// An IPv4 packet taken apart. Options are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Packet<'a> {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Time to live.
    pub ttl: u8,
    /// Protocol number.
    pub protocol: u8,
    /// The header as it stands there, options included.
    pub header: &'a [u8],
    /// What follows the header, cut to the total length that the header states.
    pub payload: &'a [u8],
}

/// Takes a packet apart; `None` if it is no IPv4 packet or shorter than it says.
#[must_use]
pub fn parse(octets: &[u8]) -> Option<Ipv4Packet<'_>> {
    let packet = parse_header(octets)?;
    let total_length = usize::from(u16::from_be_bytes([*octets.get(2)?, *octets.get(3)?]));
    Some(Ipv4Packet { payload: octets.get(packet.header.len()..total_length)?, ..packet })
}

/// Takes a header apart, whatever follows it; the payload stays empty.
pub(super) fn parse_header(octets: &[u8]) -> Option<Ipv4Packet<'_>> {
    let (header, _) = octets.split_first_chunk::<HEADER_LENGTH>()?;
    if header[0] >> 4 != 4 {
        return None;
    }
    let header_length = usize::from(header[0] & 0x0f) * 4;
    if header_length < HEADER_LENGTH {
        return None;
    }
    Some(Ipv4Packet {
        source: Ipv4Addr::new(header[12], header[13], header[14], header[15]),
        destination: Ipv4Addr::new(header[16], header[17], header[18], header[19]),
        ttl: header[8],
        protocol: header[9],
        header: octets.get(..header_length)?,
        payload: &[],
    })
}

/// Writes the header of an advertisement with a payload of `payload_length` octets of `protocol` into the first
/// [`HEADER_LENGTH`] octets of `buffer`. `None` if there is no room or the packet would be too long.
pub fn write_header(
    buffer: &mut [u8],
    (source, destination): (Ipv4Addr, Ipv4Addr),
    protocol: u8,
    ttl: u8,
    identification: u16,
    payload_length: usize,
) -> Option<()> {
    let total_length = u16::try_from(HEADER_LENGTH + payload_length).ok()?;
    let header = buffer.first_chunk_mut::<HEADER_LENGTH>()?;
    *header = [0; HEADER_LENGTH];
    header[0] = 0x45;
    header[1] = TYPE_OF_SERVICE;
    header[2..4].copy_from_slice(&total_length.to_be_bytes());
    header[4..6].copy_from_slice(&identification.to_be_bytes());
    header[8] = ttl;
    header[9] = protocol;
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    let checksum = Checksum::default().include(header).finish();
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    Some(())
}
