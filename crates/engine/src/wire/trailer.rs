//! The trailer that keepalived 2.4.2 and later puts behind an advertisement (`auth_hmac`): who has the key has written
//! this, and it is newer than what the same sender wrote before.
//!
//! ```text
//! type (1)  key number  0 0  seconds since 1970 (4)  fraction of 1/65536 s (2)  counter (2)  code (16)
//! ```
//!
//! The code is HMAC-SHA-256, cut to 128 bits, over the sender's address and the router's identity, the advertisement
//! with its checksum taken as zero, the trailer before the code, and zeros in place of the code. The advertisement's own
//! checksum does not cover the trailer.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::HmacKey;

/// Octets of a trailer.
pub const LENGTH: usize = 28;

const TYPE: u8 = 1;
const CODE_LENGTH: usize = 16;
const HEAD_LENGTH: usize = LENGTH - CODE_LENGTH;
/// Where an advertisement has its checksum.
const CHECKSUM: core::ops::Range<usize> = 6..8;

/// What a trailer says, before it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// The number of the key that it was made with.
    pub key: u8,
    /// What makes it newer than another one.
    pub sequence: Sequence,
}

/// What makes an advertisement newer than another one of the same sender: the moment by the sender's calendar, in
/// seconds and in 65536ths, and a counter for what is sent at the same moment. As one number, later is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// The first of this moment: since 1970, and of as much of it as 32 bits of seconds can tell.
    #[must_use]
    pub const fn at(calendar: Duration) -> Self {
        let seconds = calendar.as_secs() & 0xffff_ffff;
        let fraction = (calendar.subsec_nanos() as u64 * 65_536) / 1_000_000_000;
        Self(seconds << 32 | fraction << 16)
    }

    /// The number as one.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// As one number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The least that is newer.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 >> 32
    }
}

/// In the parts that it is made of.
impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s + {}/65536 s + {}", self.seconds(), self.0 >> 16 & 0xffff, self.0 & 0xffff)
    }
}

/// Takes a trailer apart; `None` if these octets are none.
#[must_use]
pub fn read(octets: &[u8]) -> Option<Trailer> {
    let octets: &[u8; LENGTH] = octets.try_into().ok()?;
    let [TYPE, key, 0, 0, sequence @ ..] = octets else { return None };
    Some(Trailer { key: *key, sequence: Sequence(u64::from_be_bytes(*sequence.first_chunk()?)) })
}

/// Whether the code of a trailer that was [`read`] belongs to this key, sender and advertisement. How long the answer
/// takes tells nothing about the key.
#[must_use]
pub fn is_genuine(key: &HmacKey, source: IpAddr, advertisement: &[u8], octets: &[u8]) -> bool {
    let Some((head, code)) = octets.split_first_chunk() else { return false };
    let expected = expected(key, source, advertisement, head);
    code.len() == CODE_LENGTH && expected.is_some_and(|expected| expected.verify_truncated_left(code).is_ok())
}

/// Writes a trailer for an advertisement; `None` if that is too short to be one.
#[must_use]
pub fn write(trailer: Trailer, key: &HmacKey, source: IpAddr, advertisement: &[u8]) -> Option<[u8; LENGTH]> {
    let mut octets = [0; LENGTH];
    let (head, code_place) = octets.split_first_chunk_mut::<HEAD_LENGTH>()?;
    head[0] = TYPE;
    head[1] = trailer.key;
    head[4..].copy_from_slice(&trailer.sequence.0.to_be_bytes());
    let code = expected(key, source, advertisement, head)?.finalize().into_bytes();
    code_place.copy_from_slice(code.get(..CODE_LENGTH)?);
    Some(octets)
}

fn expected(key: &HmacKey, source: IpAddr, advertisement: &[u8], head: &[u8; HEAD_LENGTH]) -> Option<Hmac<Sha256>> {
    let (&[first, vrid], before, behind) =
        (advertisement.first_chunk()?, advertisement.get(..CHECKSUM.start)?, advertisement.get(CHECKSUM.end..)?);
    let mut sender = [0; 16];
    let family = match source {
        IpAddr::V4(source) => {
            sender[..4].copy_from_slice(&source.octets());
            4
        }
        IpAddr::V6(source) => {
            sender = source.octets();
            6
        }
    };
    let mut code = key.code();
    for part in [&[family, first >> 4, vrid, 0], &sender[..], before, &[0; 2], behind, head, &[0; CODE_LENGTH]] {
        code.update(part);
    }
    Some(code)
}
