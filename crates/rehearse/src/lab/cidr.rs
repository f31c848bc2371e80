//! An address together with the size of its network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::LabError;

/// `192.0.2.1/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}

impl Cidr {
    /// Whether `other` is in the same network.
    #[must_use]
    pub fn contains(self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let ignored = 32 - u32::from(self.prefix.min(32));
                u64::from(own.to_bits()) >> ignored == u64::from(other.to_bits()) >> ignored
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let ignored = 128 - u32::from(self.prefix.min(128));
                own.to_bits().checked_shr(ignored) == other.to_bits().checked_shr(ignored)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let parse = || {
            let (address, prefix) = text.split_once('/')?;
            let address: IpAddr = address.parse().ok()?;
            let prefix: u8 = prefix.parse().ok()?;
            (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, prefix })
        };
        parse().ok_or_else(|| LabError::new(format!("{text:?} is not of the form 192.0.2.1/24")))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_network() {
        let cidr = |text: &str| text.parse::<Cidr>().expect("well formed");
        for (network, address, inside) in [
            ("192.0.2.1/24", "192.0.2.254", true),
            ("192.0.2.1/24", "192.0.3.1", false),
            ("192.0.2.1/32", "192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.2", false),
            ("192.0.2.1/0", "8.8.8.8", true),
            ("192.160.127.254/17", "192.160.1.1", true),
            ("2001:db8::1/64", "2001:db8::ffff", true),
            ("2001:db8::1/64", "2001:db8:0:1::1", false),
            ("::/0", "192.0.2.1", false),
        ] {
            assert_eq!(cidr(network).contains(address.parse().expect("an address")), inside, "{network} {address}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["192.0.2.1", "192.0.2.1/33", "192.0.2/24", "/24", "::1/129"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }
}
