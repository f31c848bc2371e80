//! The ladder of checks that a packet climbs before it is believed (RFC 9568 §7.1), in keepalived's order but
//! for the version and the type, without which the rest cannot be read.

use core::net::IpAddr;

use super::freshness::{Freshness, Stamp};
use crate::wire::advertisement::{self, Malformed};
use crate::wire::{self, Advertisement, Body, Packet, Sequence, authentication_header, trailer};
use crate::{
    Authentication, ChecksumPolicy, Family, HmacMode, HmacPolicy, Instant, Interval, RouterConfig, Transport, Version,
};

/// Why a packet was not accepted. A new reason needs a counter (its index), and a text at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Discard {
    /// It carries an authentication header (RFC 2338 AH) that is not configured here.
    UnexpectedAuthenticationHeader,
    /// Shorter than an advertisement with its addresses and authentication must be. Longer is padding.
    Length,
    /// TTL or hop limit is not 255: it came from another network (RFC 9568 §7.1).
    Ttl,
    /// Another protocol version than configured.
    Version,
    /// `auth_hmac`: nothing stands behind the advertisement, but a trailer must.
    TrailerMissing,
    /// `auth_hmac`: what stands behind the advertisement is no trailer.
    TrailerMalformed,
    /// `auth_hmac`: the trailer was made with a key of a number that is not configured here.
    TrailerKeyUnknown,
    /// `auth_hmac`: the trailer was made with another key, by another sender or for another advertisement.
    TrailerInvalid,
    /// `auth_hmac`: its sender's calendar and ours differ by more than the window.
    TrailerStale,
    /// `auth_hmac`: it is no newer than what its sender sent before.
    TrailerReplayed,
    /// Version 2: an authentication type that does not exist.
    AuthenticationTypeInvalid,
    /// Version 2: another authentication type than configured.
    AuthenticationTypeMismatch,
    /// Version 2: a wrong password, or an authentication header that was made with another one or by another sender.
    AuthenticationFailure,
    /// Version 2: an authentication header that is no newer than what was sent or heard before.
    AuthenticationHeaderReplayed,
    /// Version 2: another advertisement interval than configured (RFC 3768 §7.1).
    AdvertisementInterval,
    /// Not an advertisement.
    Type,
    /// The checksum is wrong in both forms.
    Checksum,
    /// Sent by multicast where unicast is configured, or the reverse, or to another group.
    TransportMismatch,
    /// It carries our own source address.
    OwnAddress,
    /// By unicast, from somebody who is no configured peer.
    UnknownPeer,
    /// By unicast, with another time to live than its peer must have.
    PeerTtl,
    /// We own the addresses and take no notice of others.
    OwnerIgnoresOthers,
}

impl Discard {
    /// How many reasons there are.
    pub const COUNT: usize = 22;

    /// Its place in [`Statistics::discarded`](super::statistics::Statistics::discarded).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What is odd about a packet that is accepted all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// It lists another number of addresses than configured.
    AddressCount {
        /// How many it lists.
        received: u8,
        /// How many are configured.
        expected: u8,
    },
    /// A configured address is missing from it.
    AddressMissing(IpAddr),
    /// Version 3: its interval is not the configured one; it is learned.
    AdvertisementInterval,
}

impl Oddity {
    /// How many kinds there are.
    pub const COUNT: usize = 3;

    /// Its place in [`Statistics::odd`](super::statistics::Statistics::odd).
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::AddressCount { .. } => 0,
            Self::AddressMissing(_) => 1,
            Self::AdvertisementInterval => 2,
        }
    }
}

/// What the checksum of version 3 over IPv4 covers; implementations differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumForm {
    /// Pseudo-header and message (RFC 5798 as keepalived reads it).
    WithPseudoHeader,
    /// The message alone (RFC 9568 §5.2.8 for IPv4).
    MessageOnly,
    /// By unicast, a pseudo-header that names the multicast group, and the message: keepalived up to 1.3.6.
    OldUnicast,
}

/// A packet that reached the top of the ladder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) advertisement: Advertisement<'a>,
    pub(crate) source: IpAddr,
    pub(crate) checksum_form: ChecksumForm,
    /// What makes it newer than others, if it has something of that kind.
    pub(crate) stamp: Option<Stamp>,
}

/// What a packet is held against beside the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'k> {
    pub(crate) now: Instant,
    pub(crate) primary_address: Option<IpAddr>,
    pub(crate) freshness: &'k Freshness,
}

/// Lets a packet climb. The router's VRID has been found in it already.
pub(crate) fn climb<'a>(config: &RouterConfig, known: Known<'_>, packet: &Packet<'a>) -> Result<Accepted<'a>, Discard> {
    let source = packet.source;
    let has_header = packet.protocol == wire::PROTOCOL_AUTHENTICATION_HEADER;
    let (header, payload) = match (&config.authentication, has_header) {
        (Authentication::Header(_), true) => {
            let (header, payload) = authentication_header::split(packet.payload).ok_or(Discard::Length)?;
            (Some(header), payload)
        }
        (Authentication::Header(_), false) => return Err(Discard::AuthenticationTypeMismatch),
        (_, true) => return Err(Discard::UnexpectedAuthenticationHeader),
        (_, false) => (None, packet.payload),
    };
    // What follows depends on the version, so it is first here.
    if advertisement::peek_version(payload).is_some_and(|version| version != config.version.number()) {
        return Err(Discard::Version);
    }
    let octets = advertisement::trim(config.version, config.family, payload).ok_or(Discard::Length)?;
    let by_multicast = packet.destination.is_multicast();
    // RFC 9568 §7.1: unicast is keepalived's extension and may be routed.
    if by_multicast && packet.ttl != wire::TTL {
        return Err(Discard::Ttl);
    }
    if known.primary_address == Some(source) {
        return Err(Discard::OwnAddress);
    }
    let mut stamp = match &config.authentication {
        Authentication::Hmac(policy) => unseal(policy, known, source, payload, octets)?.map(Stamp::Trailer),
        Authentication::None | Authentication::SimplePassword(_) | Authentication::Header(_) => None,
    };
    let decoded =
        advertisement::decode(config.version, config.family, octets).map_err(|malformed| match malformed {
            Malformed::Length | Malformed::Vrid => Discard::Length,
            Malformed::Version => Discard::Version,
            Malformed::Type => Discard::Type,
        })?;
    if let Body::V2 { auth_type, adver_int, authentication_data } = decoded.body {
        authenticate(&config.authentication, auth_type, &authentication_data)?;
        if let (Authentication::Header(password), Some(header)) = (&config.authentication, header) {
            let genuine = authentication_header::is_genuine(password, packet.header, packet.payload);
            if !genuine || IpAddr::V4(header.spi) != source {
                return Err(Discard::AuthenticationFailure);
            }
            known.freshness.judge_count(source, header.sequence)?;
            stamp = Some(Stamp::Header(header.sequence));
        }
        // RFC 3768 §7.1: a version 2 router does not learn intervals.
        if Interval::from_seconds(adver_int) != Some(config.advertisement_interval) {
            return Err(Discard::AdvertisementInterval);
        }
    }
    let checksum_form = checksum_form(config, packet, payload, octets).ok_or(Discard::Checksum)?;
    let as_configured = match &config.transport {
        Transport::Multicast { group, .. } => *group == packet.destination,
        Transport::Unicast { .. } => !by_multicast,
    };
    if !as_configured {
        return Err(Discard::TransportMismatch);
    }
    if config.priority.is_address_owner() && config.deviations.owner_ignores_others {
        return Err(Discard::OwnerIgnoresOthers);
    }
    if let Transport::Unicast { peers, .. } = &config.transport {
        admit(config, peers, source, packet.ttl)?;
    }
    Ok(Accepted { advertisement: decoded, source, checksum_form, stamp })
}

/// `octets` is the advertisement proper, with which `payload` begins.
fn checksum_form(config: &RouterConfig, packet: &Packet<'_>, payload: &[u8], octets: &[u8]) -> Option<ChecksumForm> {
    let summed = match config.family {
        Family::Ipv4 => octets,
        Family::Ipv6 => payload,
    };
    let is_good = |destination| advertisement::checksum_form(config.version, summed, packet.source, destination);
    let may_be_old = config.version == Version::V3
        && config.family == Family::Ipv4
        && !packet.destination.is_multicast()
        && config.deviations.checksum != ChecksumPolicy::NeverOldUnicast;
    let old = || is_good(wire::GROUP.into()).filter(|_| may_be_old).map(|_| ChecksumForm::OldUnicast);
    is_good(packet.destination).or_else(old)
}

/// What is asked of the senders of unicast.
fn admit(config: &RouterConfig, peers: &[IpAddr], source: IpAddr, ttl: u8) -> Result<(), Discard> {
    if config.deviations.only_from_peers && !peers.contains(&source) {
        return Err(Discard::UnknownPeer);
    }
    let mut limits = config.deviations.peer_ttl.iter().filter(|(peer, ..)| *peer == source);
    if limits.all(|(_, least, greatest)| (*least..=*greatest).contains(&ttl)) { Ok(()) } else { Err(Discard::PeerTtl) }
}

/// Looks at the trailer behind the advertisement proper, with which `payload` begins.
fn unseal(
    policy: &HmacPolicy,
    known: Known<'_>,
    source: IpAddr,
    payload: &[u8],
    advertisement: &[u8],
) -> Result<Option<Sequence>, Discard> {
    let behind = payload.get(advertisement.len()..).unwrap_or_default();
    if behind.is_empty() {
        return match policy.mode {
            HmacMode::Enforce => Err(Discard::TrailerMissing),
            HmacMode::Permissive | HmacMode::ReceiveOnly => Ok(None),
        };
    }
    let read = trailer::read(behind).ok_or(Discard::TrailerMalformed)?;
    let key = policy.keys.get(&read.key).ok_or(Discard::TrailerKeyUnknown)?;
    if !trailer::is_genuine(key, source, advertisement, behind) {
        return Err(Discard::TrailerInvalid);
    }
    known.freshness.judge(known.now, source, read.sequence, policy.anti_replay)?;
    Ok(Some(read.sequence))
}

/// RFC 2338 §5.3.6 and §5.3.10.
fn authenticate(configured: &Authentication, auth_type: u8, data: &[u8; 8]) -> Result<(), Discard> {
    match (configured, auth_type) {
        (_, 3..) => Err(Discard::AuthenticationTypeInvalid),
        // The data of type 2 means nothing: what counts is in the header.
        (Authentication::None | Authentication::Hmac(_), 0) | (Authentication::Header(_), 2) => Ok(()),
        (Authentication::SimplePassword(password), 1) if password.is(data) => Ok(()),
        (Authentication::SimplePassword(_), 1) => Err(Discard::AuthenticationFailure),
        (Authentication::None | Authentication::Hmac(_), 1..=2)
        | (Authentication::SimplePassword(_), 0 | 2)
        | (Authentication::Header(_), 0..=1) => Err(Discard::AuthenticationTypeMismatch),
    }
}

/// What is odd about an accepted advertisement, handed to `tell` one by one.
pub(crate) fn inspect(
    config: &RouterConfig,
    advertisement: &Advertisement<'_>,
    compare_addresses: bool,
    mut tell: impl FnMut(Oddity),
) {
    if let Body::V3 { max_advertise_interval } = advertisement.body
        && max_advertise_interval != config.advertisement_interval.as_centiseconds()
    {
        tell(Oddity::AdvertisementInterval);
    }
    if !compare_addresses {
        return;
    }
    let expected = config.addresses.len();
    if advertisement.addresses.len() != expected {
        // Both counts fit: the configuration was checked, and the wire has one octet.
        let received = advertisement.addresses.len() as u8;
        tell(Oddity::AddressCount { received, expected: expected as u8 });
    }
    let missing = |address: &IpAddr| !advertisement.addresses.contains(*address);
    if let Some(address) = config.addresses.iter().map(|virtual_address| virtual_address.address).find(missing) {
        tell(Oddity::AddressMissing(address));
    }
}

/// Active_Adver_Interval as an advertisement states it; `None` if it states none that can be used.
pub(crate) fn stated_interval(version: Version, advertisement: &Advertisement<'_>) -> Option<Interval> {
    match (version, advertisement.body) {
        (Version::V3, Body::V3 { max_advertise_interval }) => Interval::from_centiseconds(max_advertise_interval),
        (Version::V2, Body::V2 { adver_int, .. }) => Interval::from_seconds(adver_int),
        (Version::V2, Body::V3 { .. }) | (Version::V3, Body::V2 { .. }) => None,
    }
}
