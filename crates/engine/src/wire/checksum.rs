//! The Internet checksum (RFC 1071).

use core::net::IpAddr;

/// A running one's complement sum of 16-bit words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checksum(u64);

impl Checksum {
    /// Adds octets; an odd one at the end counts as the high half of a word, so only the last call may be odd.
    #[must_use]
    pub fn include(mut self, octets: &[u8]) -> Self {
        let mut words = octets.chunks_exact(2);
        for word in &mut words {
            self.0 += u64::from(u16::from_be_bytes([word[0], word[1]]));
        }
        if let [last] = words.remainder() {
            self.0 += u64::from(*last) << 8;
        }
        self
    }

    /// Adds the pseudo-header of IPv4 (RFC 5798 §5.2.8) or IPv6 (RFC 8200 §8.1). They hold the same words in another
    /// order, but for zeros, and a sum knows no order.
    #[must_use]
    pub fn include_pseudo_header(self, source: IpAddr, destination: IpAddr, protocol: u8, length: u16) -> Self {
        let [high, low] = length.to_be_bytes();
        self.include_address(source).include_address(destination).include(&[0, protocol, high, low])
    }

    fn include_address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.include(&address.octets()),
            IpAddr::V6(address) => self.include(&address.octets()),
        }
    }

    /// The value for the checksum field; zero if the field was summed in and is right.
    #[must_use]
    pub fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        // The loop leaves at most sixteen bits.
        !(sum as u16)
    }
}
