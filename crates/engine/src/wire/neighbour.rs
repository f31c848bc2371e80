//! Unsolicited neighbour advertisements (RFC 4861 §4.4, RFC 9568 §8.2.2): what gratuitous ARP is over IPv4.

use core::net::Ipv6Addr;

use super::checksum::Checksum;
use super::ipv6;

/// Octets of the Ethernet frame.
pub const FRAME_LENGTH: usize = 14 + ipv6::HEADER_LENGTH + MESSAGE_LENGTH;

/// Type, flags, target, and the option with the hardware address.
const MESSAGE_LENGTH: usize = 32;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Where a group of IPv6 is on Ethernet (RFC 2464 §7): all nodes.
const ALL_NODES_HARDWARE: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
const PROTOCOL_ICMPV6: u8 = 58;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const ROUTER: u8 = 0x80;
/// Replaces what neighbours know.
const OVERRIDE: u8 = 0x20;
/// Target Link-Layer Address, one unit of eight octets long.
const TARGET_LINK_LAYER_ADDRESS: [u8; 2] = [2, 1];

/// The frame that tells every neighbour that `address` is at `hardware_address`. `router` says that packets are forwarded
/// there: hosts that hear otherwise no longer use it as one.
#[must_use]
pub fn unsolicited(hardware_address: [u8; 6], address: Ipv6Addr, router: bool) -> [u8; FRAME_LENGTH] {
    let mut frame = [0; FRAME_LENGTH];
    frame[0..6].copy_from_slice(&ALL_NODES_HARDWARE);
    frame[6..12].copy_from_slice(&hardware_address);
    frame[12..14].copy_from_slice(&ETHERTYPE_IPV6);
    // There is room: both lengths are known here. It has no precedence, as what the kernel sends of this kind.
    let _ =
        ipv6::write_header(&mut frame[14..], (address, ALL_NODES), (PROTOCOL_ICMPV6, 0), super::TTL, MESSAGE_LENGTH);
    let message = &mut frame[54..];
    message[0] = NEIGHBOUR_ADVERTISEMENT;
    message[4] = OVERRIDE | if router { ROUTER } else { 0 };
    message[8..24].copy_from_slice(&address.octets());
    message[24..26].copy_from_slice(&TARGET_LINK_LAYER_ADDRESS);
    message[26..32].copy_from_slice(&hardware_address);
    let length = MESSAGE_LENGTH as u16;
    let sum = Checksum::default().include_pseudo_header(address.into(), ALL_NODES.into(), PROTOCOL_ICMPV6, length);
    let checksum = sum.include(message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    frame
}
