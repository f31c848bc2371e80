//! What travels: advertisements, IP headers, gratuitous ARP and neighbour advertisements. Conversions between our units and the wire's
//! happen here and nowhere else. No type holds a length, count or checksum that could lie.

pub mod advertisement;
pub mod arp;
pub mod authentication_header;
pub mod baton;
pub mod checksum;
pub mod ipv4;
pub mod ipv6;
pub mod neighbour;
pub mod packet;
pub mod trailer;

pub use advertisement::{AddressList, Advertisement, Body};
pub use packet::Packet;
pub use trailer::Sequence;

/// The multicast group of VRRP over IPv4 (RFC 9568 §5.1.1.2).
pub const GROUP: core::net::Ipv4Addr = core::net::Ipv4Addr::new(224, 0, 0, 18);
/// The multicast group of VRRP over IPv6 (RFC 9568 §5.1.2.2).
pub const GROUP6: core::net::Ipv6Addr = core::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// IP protocol number of VRRP (RFC 9568 §5.1.1.4).
pub const PROTOCOL_VRRP: u8 = 112;
/// IP protocol number of the authentication header (RFC 4302).
pub const PROTOCOL_AUTHENTICATION_HEADER: u8 = 51;
/// TTL or hop limit that every advertisement on a link carries (RFC 9568 §5.1.1.3).
pub const TTL: u8 = 255;
