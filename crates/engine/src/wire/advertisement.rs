//! VRRP advertisements of version 2 (RFC 3768 §5.1) and version 3 (RFC 9568 §5.1).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::checksum::Checksum;
use crate::vrrp::receive::ChecksumForm;
use crate::{Family, Priority, Version, Vrid};

/// Octets before the addresses.
pub const FIXED_LENGTH: usize = 8;
/// Octets of authentication data after the addresses; version 2 always has them.
pub const AUTHENTICATION_LENGTH: usize = 8;
/// The only type (RFC 9568 §5.2.2).
pub const TYPE_ADVERTISEMENT: u8 = 1;
/// The most addresses that the count can express.
pub const MAX_ADDRESSES: usize = 255;

const CHECKSUM: core::ops::Range<usize> = 6..8;

/// An advertisement, taken apart or to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertisement<'a> {
    /// Which virtual router.
    pub vrid: Vrid,
    /// The sender's priority.
    pub priority: Priority,
    /// The addresses that it lists.
    pub addresses: AddressList<'a>,
    /// What the versions do not share.
    pub body: Body,
}

/// What the versions do not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// RFC 3768.
    V2 {
        /// 0 none, 1 simple password, 2 authentication header.
        auth_type: u8,
        /// Adver Int in whole seconds.
        adver_int: u8,
        /// Eight octets; zero without authentication.
        authentication_data: [u8; AUTHENTICATION_LENGTH],
    },
    /// RFC 9568.
    V3 {
        /// Max Advertise Interval in centiseconds, 12 bits; more is cut off.
        max_advertise_interval: u16,
    },
}

/// Addresses of one family, kept as they stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressList<'a> {
    family: Family,
    octets: &'a [u8],
}

impl<'a> AddressList<'a> {
    /// `None` if `octets` is not a whole number of addresses, or more than [`MAX_ADDRESSES`].
    #[must_use]
    pub fn new(family: Family, octets: &'a [u8]) -> Option<Self> {
        let whole = octets.len().is_multiple_of(address_length(family));
        let fits = octets.len() / address_length(family) <= MAX_ADDRESSES;
        (whole && fits).then_some(Self { family, octets })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.octets.len() / address_length(self.family)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + use<'a> {
        let family = self.family;
        self.octets.chunks_exact(address_length(family)).filter_map(move |octets| match family {
            Family::Ipv4 => <[u8; 4]>::try_from(octets).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
            Family::Ipv6 => <[u8; 16]>::try_from(octets).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets))),
        })
    }

    /// Whether it lists `address`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.iter().any(|listed| listed == address)
    }
}

/// Why octets are no advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Too short for what it says it holds.
    Length,
    /// Another version than asked for.
    Version,
    /// Not an advertisement.
    Type,
    /// VRID 0.
    Vrid,
}

/// Octets of one address.
const fn address_length(family: Family) -> usize {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 16,
    }
}

/// Octets of an advertisement with `count` addresses.
#[must_use]
pub const fn length(version: Version, family: Family, count: usize) -> usize {
    let authentication = match version {
        Version::V2 => AUTHENTICATION_LENGTH,
        Version::V3 => 0,
    };
    FIXED_LENGTH + count * address_length(family) + authentication
}

/// The VRID that octets speak of, before anything else about them is believed.
#[must_use]
pub fn peek_vrid(octets: &[u8]) -> Option<Vrid> {
    octets.get(1).copied().and_then(Vrid::new)
}

/// The version that octets claim.
#[must_use]
pub fn peek_version(octets: &[u8]) -> Option<u8> {
    octets.first().map(|first| first >> 4)
}

/// The octets of the advertisement proper, without padding behind it; `None` if they are too short.
#[must_use]
pub fn trim(version: Version, family: Family, octets: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*octets.get(3)?);
    octets.get(..length(version, family, count))
}

/// Takes an advertisement apart. Octets behind it are padding and ignored. The checksum is not looked at:
/// see [`checksum_form`].
pub fn decode(version: Version, family: Family, octets: &[u8]) -> Result<Advertisement<'_>, Malformed> {
    let octets = trim(version, family, octets).ok_or(Malformed::Length)?;
    let (fixed, rest) = octets.split_first_chunk::<FIXED_LENGTH>().ok_or(Malformed::Length)?;
    if fixed[0] >> 4 != version.number() {
        return Err(Malformed::Version);
    }
    if fixed[0] & 0x0f != TYPE_ADVERTISEMENT {
        return Err(Malformed::Type);
    }
    let (addresses, body) = match version {
        Version::V2 => {
            let (addresses, data) = rest.split_last_chunk().ok_or(Malformed::Length)?;
            (addresses, Body::V2 { auth_type: fixed[4], adver_int: fixed[5], authentication_data: *data })
        }
        // RFC 9568 §5.2.6: the four reserved bits are ignored on reception.
        Version::V3 => {
            let max_advertise_interval = u16::from_be_bytes([fixed[4], fixed[5]]) & 0x0fff;
            (rest, Body::V3 { max_advertise_interval })
        }
    };
    Ok(Advertisement {
        vrid: Vrid::new(fixed[1]).ok_or(Malformed::Vrid)?,
        priority: Priority::new(fixed[2]),
        addresses: AddressList::new(family, addresses).ok_or(Malformed::Length)?,
        body,
    })
}

/// Writes an advertisement to the beginning of `buffer` and returns its octets; `None` if there is no room.
///
/// `source` and `destination` go into the checksum of version 3.
pub fn encode<'b>(
    advertisement: &Advertisement<'_>,
    source: IpAddr,
    destination: IpAddr,
    buffer: &'b mut [u8],
) -> Option<&'b mut [u8]> {
    let Advertisement { vrid, priority, addresses, body } = advertisement;
    let (version, last_fixed) = match body {
        Body::V2 { auth_type, adver_int, .. } => (Version::V2, [*auth_type, *adver_int]),
        Body::V3 { max_advertise_interval } => (Version::V3, (max_advertise_interval & 0x0fff).to_be_bytes()),
    };
    let octets = buffer.get_mut(..length(version, addresses.family, addresses.len()))?;
    octets[0] = version.number() << 4 | TYPE_ADVERTISEMENT;
    octets[1] = vrid.get();
    octets[2] = priority.get();
    octets[3] = u8::try_from(addresses.len()).ok()?;
    octets[4..6].copy_from_slice(&last_fixed);
    octets[CHECKSUM].fill(0);
    let behind = octets.get_mut(FIXED_LENGTH..)?;
    let (place, data_place) = behind.split_at_mut_checked(addresses.octets.len())?;
    place.copy_from_slice(addresses.octets);
    if let Body::V2 { authentication_data, .. } = body {
        data_place.copy_from_slice(authentication_data);
    }
    let checksum = match version {
        Version::V2 => Checksum::default().include(octets).finish(),
        Version::V3 => with_pseudo_header(octets, source, destination).finish(),
    };
    octets[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    Some(octets)
}

/// Writes the checksum of an encoded advertisement anew so that it covers all of `octets`, whatever follows the
/// advertisement: over IPv6 every checksum is of the whole payload (RFC 8200 §8.1), and kernels check it so.
pub fn sum_everything(octets: &mut [u8], source: IpAddr, destination: IpAddr) {
    if let Some(place) = octets.get_mut(CHECKSUM) {
        place.fill(0);
        let checksum = with_pseudo_header(octets, source, destination).finish();
        octets[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// Writes the checksum of an encoded advertisement anew so that it covers the message alone.
pub fn sum_message_alone(octets: &mut [u8]) {
    if let Some(place) = octets.get_mut(CHECKSUM) {
        place.fill(0);
        let checksum = Checksum::default().include(octets).finish();
        octets[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// Which form of checksum makes these octets right; `None` if none does. `octets` are trimmed over IPv4, and the whole
/// payload over IPv6.
///
/// Version 2 sums the message alone (RFC 3768 §5.3.8). In version 3 over IPv4 senders differ: see
/// [`ChecksumForm`]. Over IPv6 there is one form (RFC 9568 §5.2.8).
#[must_use]
pub fn checksum_form(version: Version, octets: &[u8], source: IpAddr, destination: IpAddr) -> Option<ChecksumForm> {
    if version == Version::V3 && with_pseudo_header(octets, source, destination).finish() == 0 {
        return Some(ChecksumForm::WithPseudoHeader);
    }
    let message_only = source.is_ipv4() && Checksum::default().include(octets).finish() == 0;
    message_only.then_some(ChecksumForm::MessageOnly)
}

fn with_pseudo_header(octets: &[u8], source: IpAddr, destination: IpAddr) -> Checksum {
    // An IP packet holds no more than 16 bits can count.
    let length = octets.len() as u16;
    Checksum::default().include_pseudo_header(source, destination, super::PROTOCOL_VRRP, length).include(octets)
}
