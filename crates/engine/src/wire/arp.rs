//! Gratuitous ARP (RFC 5227 §3, RFC 9568 §8.1.2): a broadcast request in which sender and target are the
//! virtual address.

use core::net::Ipv4Addr;

/// Octets of the Ethernet frame, without padding.
pub const FRAME_LENGTH: usize = 42;

const BROADCAST: [u8; 6] = [0xff; 6];
const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
/// Ethernet, IPv4, address lengths 6 and 4, operation "request".
const REQUEST: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];

/// The frame that tells every neighbour that `address` is at `hardware_address`.
#[must_use]
pub fn gratuitous(hardware_address: [u8; 6], address: Ipv4Addr) -> [u8; FRAME_LENGTH] {
    let mut frame = [0; FRAME_LENGTH];
    frame[0..6].copy_from_slice(&BROADCAST);
    frame[6..12].copy_from_slice(&hardware_address);
    frame[12..14].copy_from_slice(&ETHERTYPE_ARP);
    frame[14..22].copy_from_slice(&REQUEST);
    frame[22..28].copy_from_slice(&hardware_address);
    frame[28..32].copy_from_slice(&address.octets());
    frame[32..38].copy_from_slice(&BROADCAST);
    frame[38..42].copy_from_slice(&address.octets());
    frame
}
