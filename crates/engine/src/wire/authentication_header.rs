//! The authentication header that keepalived puts before an advertisement of version 2 over IPv4 (`auth_type AH`):
//! RFC 2402 with HMAC-MD5-96 (RFC 2403), as RFC 2338 §10.3 wanted it.
//!
//! ```text
//! next header (112)  length in words less two (4)  0 0  SPI (4)  sequence (4)  check value (12)
//! ```
//!
//! The SPI is the sender's address. The check value covers the IP header but for what routers may change, the header with
//! the check value taken as zero, and all that follows.

use core::net::Ipv4Addr;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

use super::{PROTOCOL_VRRP, ipv4};
use crate::Password;

/// Octets of the header.
pub const LENGTH: usize = 24;

const WORDS_LESS_TWO: u8 = (LENGTH / 4 - 2) as u8;
const CHECK_VALUE: core::ops::Range<usize> = 12..LENGTH;
/// What an IP header has that routers may change (RFC 2402 §3.3.3.1.1): type of service, fragmentation, checksum.
const MUTABLE: [usize; 5] = [1, 6, 7, 10, 11];
const TIME_TO_LIVE: usize = 8;
/// Nothing longer is an IP header.
const LONGEST_IP_HEADER: usize = 60;

/// What a header says, before it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticationHeader {
    /// Whom it names as its sender.
    pub spi: Ipv4Addr,
    /// Counts the sender's advertisements.
    pub sequence: u32,
}

/// Takes what follows the IP header apart: the header, and what it stands before. `None` if it is no header of this
/// form, or stands before something else than an advertisement.
#[must_use]
pub fn split(payload: &[u8]) -> Option<(AuthenticationHeader, &[u8])> {
    let (&[PROTOCOL_VRRP, WORDS_LESS_TWO, _, _, a, b, c, d, ref rest @ ..], behind) =
        payload.split_first_chunk::<LENGTH>()?
    else {
        return None;
    };
    let sequence = u32::from_be_bytes(*rest.first_chunk()?);
    Some((AuthenticationHeader { spi: Ipv4Addr::new(a, b, c, d), sequence }, behind))
}

/// Whether the check value of a header that could be [`split`] off belongs to this password and packet. How long the
/// answer takes tells nothing about the password.
#[must_use]
pub fn is_genuine(password: &Password, ip_header: &[u8], payload: &[u8]) -> bool {
    let Some((header, behind)) = payload.split_first_chunk::<LENGTH>() else { return false };
    let expected = check_value(password, ip_header, header, behind);
    expected.is_some_and(|expected| expected.verify_truncated_left(&header[CHECK_VALUE]).is_ok())
}

/// Completes a packet whose IP header is written and whose advertisement stands where it will be, by what is between them.
/// `None` if there is no room.
#[must_use]
pub fn write(header: AuthenticationHeader, password: &Password, packet: &mut [u8]) -> Option<()> {
    let (ip_header, rest) = packet.split_first_chunk_mut::<{ ipv4::HEADER_LENGTH }>()?;
    let (place, behind) = rest.split_first_chunk_mut::<LENGTH>()?;
    *place = [0; LENGTH];
    place[0] = PROTOCOL_VRRP;
    place[1] = WORDS_LESS_TWO;
    place[4..8].copy_from_slice(&header.spi.octets());
    place[8..12].copy_from_slice(&header.sequence.to_be_bytes());
    let code = check_value(password, ip_header, place, behind)?.finalize().into_bytes();
    place[CHECK_VALUE].copy_from_slice(code.get(..CHECK_VALUE.len())?);
    Some(())
}

fn check_value(password: &Password, ip_header: &[u8], header: &[u8; LENGTH], behind: &[u8]) -> Option<Hmac<Md5>> {
    let mut buffer = [0; LONGEST_IP_HEADER];
    let ip = buffer.get_mut(..ip_header.len())?;
    ip.copy_from_slice(ip_header);
    let by_multicast = ipv4::parse_header(ip)?.destination.is_multicast();
    for place in MUTABLE {
        *ip.get_mut(place)? = 0;
    }
    // RFC 2402 counts it among what routers may change; keepalived does so only where they do.
    if !by_multicast {
        *ip.get_mut(TIME_TO_LIVE)? = 0;
    }
    // Keys are filled up with zeros anyway (RFC 2104 §2).
    let mut code = Hmac::<Md5>::new_from_slice(&password[..]).ok()?;
    for part in [ip, &header[..CHECK_VALUE.start], &[0; CHECK_VALUE.end - CHECK_VALUE.start], behind] {
        code.update(part);
    }
    Some(code)
}
