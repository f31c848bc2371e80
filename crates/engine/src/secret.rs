//! Keys and passwords: never printed, compared without telling where they differ, and wiped when dropped.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use zeroize::Zeroize;

/// The password of RFC 2338 §5.3.10: at most eight octets, filled up with zeros; on the heap, so that moving it leaves no copy
/// behind.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<[u8; 8]>);

impl Password {
    /// Whether these octets are the password. How long that takes tells nothing about it.
    #[must_use]
    pub fn is(&self, octets: &[u8; 8]) -> bool {
        // Looks at all octets whatever the first one says.
        let difference = self.iter().zip(octets).fold(0, |sum, (ours, theirs)| sum | (ours ^ theirs));
        difference == 0
    }
}

impl From<[u8; 8]> for Password {
    fn from(octets: [u8; 8]) -> Self {
        Self(Box::new(octets))
    }
}

impl Deref for Password {
    type Target = [u8; 8];

    fn deref(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(********)")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What both nodes of a pair know and nobody else; on the heap, so that moving it leaves no copy behind.
#[derive(Clone, PartialEq, Eq)]
pub struct PairKey(Box<[u8; Self::LENGTH]>);

impl PairKey {
    /// Its octets.
    pub const LENGTH: usize = 32;

    /// One that is written where it will stand; `None` if `fill` has none.
    #[must_use]
    pub fn filled(fill: impl FnOnce(&mut [u8; Self::LENGTH]) -> Option<()>) -> Option<Self> {
        let mut key = Self::from([0; Self::LENGTH]);
        fill(&mut key.0)?;
        Some(key)
    }
}

impl From<[u8; PairKey::LENGTH]> for PairKey {
    fn from(octets: [u8; Self::LENGTH]) -> Self {
        Self(Box::new(octets))
    }
}

impl Deref for PairKey {
    type Target = [u8; PairKey::LENGTH];

    fn deref(&self) -> &[u8; PairKey::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for PairKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairKey(********)")
    }
}

impl Drop for PairKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A key that advertisements are sealed with: 32 to 64 octets.
///
/// Kept as the block of HMAC-SHA-256 that it makes, filled up with zeros (RFC 2104 §2); on the heap, so that moving it
/// leaves no copy behind.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacKey(Box<[u8; Self::LONGEST]>);

impl HmacKey {
    /// Fewest octets.
    pub const SHORTEST: usize = 32;
    /// Most octets: one block of SHA-256.
    pub const LONGEST: usize = 64;

    /// `None` if it is too short or too long.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        if octets.len() < Self::SHORTEST {
            return None;
        }
        let mut block = Box::new([0; Self::LONGEST]);
        block.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(Self(block))
    }

    /// A code that has seen the key and nothing else.
    pub(crate) fn code(&self) -> Hmac<Sha256> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block.copy_from_slice(&self.0[..]);
        let code = Hmac::new(&block);
        block.zeroize();
        code
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(********)")
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
