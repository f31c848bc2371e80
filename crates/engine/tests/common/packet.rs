//! Packets made by hand: an encoder that shares no line with the engine's, so that it can be its judge.

use std::net::{IpAddr, Ipv4Addr};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::Sha256;
use tanist_engine::{Authentication, RouterConfig, Transport, Version};

/// What the checksum of an advertisement covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    /// Source, destination, protocol, length, then the message.
    WithPseudoHeader,
    /// The message.
    MessageOnly,
    /// As with the pseudo-header, but with the multicast group in it.
    OldUnicast,
    /// Nothing that makes sense.
    Wrong,
}

/// An authentication header, field by field.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticationHeader {
    pub(crate) next: u8,
    pub(crate) words: u8,
    pub(crate) reserved: u16,
    pub(crate) spi: Option<Ipv4Addr>,
    pub(crate) sequence: u32,
    pub(crate) password: Vec<u8>,
    /// What stands in the IP header is changed after the check value was made: type of service, flags and TTL.
    pub(crate) routed: bool,
}

impl AuthenticationHeader {
    pub(crate) fn new(password: &[u8], sequence: u32) -> Self {
        Self { next: 112, words: 4, reserved: 0, spi: None, sequence, password: password.to_vec(), routed: false }
    }

    /// All but the check value.
    fn octets(&self, source: Ipv4Addr) -> Vec<u8> {
        let mut octets = vec![self.next, self.words];
        octets.extend(self.reserved.to_be_bytes());
        octets.extend(self.spi.unwrap_or(source).octets());
        octets.extend(self.sequence.to_be_bytes());
        octets.extend([0; 12]);
        octets
    }

    /// Completes a packet. By multicast the TTL is covered, as it is 255 in any case.
    fn finish(&self, packet: &mut [u8]) {
        let mut covered = packet.to_vec();
        covered[1] = 0;
        covered[6..8].fill(0);
        covered[10..12].fill(0);
        if packet[16] < 224 {
            covered[8] = 0;
        }
        let code = Hmac::<Md5>::new_from_slice(&self.password).expect("any length will do").chain_update(covered);
        packet[32..44].copy_from_slice(&code.finalize().into_bytes()[..12]);
        if self.routed {
            (packet[1], packet[6], packet[8]) = (0x20, 0x40, 3);
        }
    }
}

/// A trailer of `auth_hmac`, field by field.
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    pub(crate) kind: u8,
    pub(crate) key: u8,
    pub(crate) reserved: u16,
    /// Seconds since 1970 in 32 bits, 65536ths in 16, a counter in 16.
    pub(crate) sequence: u64,
    /// What it is made with.
    pub(crate) secret: Vec<u8>,
    /// For whom it is made.
    pub(crate) source: Option<IpAddr>,
    /// Octets missing at its end.
    pub(crate) cut: usize,
}

/// The key of a number in these tests: 32 octets that count on, those of key 1 from 0 as in keepalived's examples.
pub(crate) fn key_octets(number: u8) -> Vec<u8> {
    let first = (number - 1).wrapping_mul(32);
    (0..32).map(|place| first.wrapping_add(place)).collect()
}

impl Seal {
    pub(crate) fn new(key: u8, sequence: u64) -> Self {
        Self { kind: 1, key, reserved: 0, sequence, secret: key_octets(key), source: None, cut: 0 }
    }

    fn octets(&self, source: IpAddr, message: &[u8]) -> Vec<u8> {
        let mut trailer = vec![self.kind, self.key];
        trailer.extend(self.reserved.to_be_bytes());
        trailer.extend(self.sequence.to_be_bytes());
        let source = self.source.unwrap_or(source);
        let mut covered = vec![if source.is_ipv4() { 4 } else { 6 }, message[0] >> 4, message[1], 0];
        covered.extend(octets_of(source));
        covered.resize(20, 0);
        covered.extend(&message[..6]);
        covered.extend([0, 0]);
        covered.extend(&message[8..]);
        covered.extend(&trailer);
        covered.extend([0; 16]);
        let code = Hmac::<Sha256>::new_from_slice(&self.secret).expect("any length will do").chain_update(covered);
        trailer.extend(&code.finalize().into_bytes()[..16]);
        trailer.truncate(trailer.len() - self.cut);
        trailer
    }
}

/// An advertisement with its IP header, field by field; every field can lie.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) identification: u16,
    pub(crate) ttl: u8,
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    /// The count that is stated; `None` means the true one.
    pub(crate) count: Option<u8>,
    /// Octets 4 and 5: authentication type and Adver Int, or reserved bits and Max Advertise Interval.
    pub(crate) middle: [u8; 2],
    pub(crate) addresses: Vec<IpAddr>,
    /// What follows the addresses in version 2.
    pub(crate) tail: Vec<u8>,
    pub(crate) sum: Sum,
    /// Puts an authentication header (RFC 4302) before the message.
    pub(crate) authentication_header: Option<AuthenticationHeader>,
    /// Puts a trailer of `auth_hmac` behind the message.
    pub(crate) seal: Option<Seal>,
    /// Octets behind the message, inside the IP packet.
    pub(crate) padding: usize,
    /// Octets missing at the end of the message, also from the IP length.
    pub(crate) cut: usize,
}

impl Packet {
    /// What a twin of this router sends.
    pub(crate) fn of(
        config: &RouterConfig,
        source: impl Into<IpAddr>,
        destination: impl Into<IpAddr>,
        priority: u8,
    ) -> Self {
        let centiseconds = config.advertisement_interval.as_centiseconds();
        let (version, middle, tail) = match (config.version, &config.authentication) {
            (Version::V2, Authentication::None | Authentication::Hmac(_)) => {
                (2, [0, (centiseconds / 100) as u8], vec![0; 8])
            }
            (Version::V2, Authentication::SimplePassword(word)) => {
                (2, [1, (centiseconds / 100) as u8], Vec::from(**word))
            }
            (Version::V2, Authentication::Header(_)) => (2, [2, (centiseconds / 100) as u8], vec![0; 8]),
            (Version::V3, _) => (3, [(centiseconds >> 8) as u8, centiseconds as u8], Vec::new()),
        };
        Self {
            source: source.into(),
            destination: destination.into(),
            identification: 1,
            ttl: match config.transport {
                Transport::Multicast { .. } => 255,
                Transport::Unicast { ttl, .. } => ttl,
            },
            version,
            kind: 1,
            vrid: config.vrid.get(),
            priority,
            count: None,
            middle,
            addresses: config.addresses.iter().map(|listed| listed.address).collect(),
            tail,
            sum: if version == 2 { Sum::MessageOnly } else { Sum::WithPseudoHeader },
            authentication_header: None,
            seal: None,
            padding: 0,
            cut: 0,
        }
    }

    /// From the IP header on.
    pub(crate) fn octets(&self) -> Vec<u8> {
        match self.destination {
            IpAddr::V4(_) => self.ipv4_octets(),
            IpAddr::V6(_) => self.ipv6_octets(),
        }
    }

    fn ipv4_octets(&self) -> Vec<u8> {
        let message = self.message();
        let mut behind = Vec::new();
        behind.extend(self.authentication_header.iter().flat_map(|header| header.octets(ipv4(self.source))));
        behind.extend(&message[..message.len() - self.cut]);
        behind.extend(self.seal.iter().flat_map(|seal| seal.octets(self.source, &message)));
        behind.extend(std::iter::repeat_n(0, self.padding));
        let total = 20 + behind.len() as u16;
        let mut packet = vec![0x45, 0xc0];
        packet.extend(total.to_be_bytes());
        packet.extend(self.identification.to_be_bytes());
        packet.extend([0, 0, self.ttl, if self.authentication_header.is_some() { 51 } else { 112 }, 0, 0]);
        packet.extend(octets_of(self.source));
        packet.extend(octets_of(self.destination));
        let sum = internet_checksum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(behind);
        if let Some(header) = &self.authentication_header {
            header.finish(&mut packet);
        }
        packet
    }

    /// Here the checksum is of all that follows the header.
    fn ipv6_octets(&self) -> Vec<u8> {
        let message = self.message();
        let mut behind = message[..message.len() - self.cut].to_vec();
        behind.extend(self.seal.iter().flat_map(|seal| seal.octets(self.source, &message)));
        behind.extend(std::iter::repeat_n(0, self.padding));
        if self.sum == Sum::WithPseudoHeader {
            behind[6..8].fill(0);
            let mut covered = octets_of(self.source);
            covered.extend(octets_of(self.destination));
            covered.extend((behind.len() as u32).to_be_bytes());
            covered.extend([0, 0, 0, 112]);
            covered.extend(&behind);
            let sum = internet_checksum(&covered);
            behind[6..8].copy_from_slice(&sum.to_be_bytes());
        }
        let mut packet = vec![0x6c, 0, 0, 0];
        packet.extend((behind.len() as u16).to_be_bytes());
        packet.extend([112, self.ttl]);
        packet.extend(octets_of(self.source));
        packet.extend(octets_of(self.destination));
        packet.extend(behind);
        packet
    }

    fn message(&self) -> Vec<u8> {
        let count = self.count.unwrap_or(self.addresses.len() as u8);
        let mut message = vec![self.version << 4 | self.kind, self.vrid, self.priority, count];
        message.extend(self.middle);
        message.extend([0, 0]);
        message.extend(self.addresses.iter().copied().flat_map(octets_of));
        message.extend(&self.tail);
        let sum = match self.sum {
            Sum::MessageOnly => internet_checksum(&message),
            Sum::WithPseudoHeader | Sum::OldUnicast => {
                let group = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
                let mut covered = octets_of(self.source);
                covered.extend(octets_of(if self.sum == Sum::OldUnicast { group } else { self.destination }));
                covered.extend([0, 112]);
                covered.extend((message.len() as u16).to_be_bytes());
                covered.extend(&message);
                internet_checksum(&covered)
            }
            Sum::Wrong => !internet_checksum(&message) ^ 0x0137,
        };
        message[6..8].copy_from_slice(&sum.to_be_bytes());
        message
    }
}

/// RFC 1071, in the slow and obvious way: the carry goes round after every word.
pub(crate) fn internet_checksum(octets: &[u8]) -> u16 {
    let mut sum: u16 = 0;
    for pair in octets.chunks(2) {
        let word = u16::from(pair[0]) * 256 + pair.get(1).copied().map_or(0, u16::from);
        let (added, carry) = sum.overflowing_add(word);
        sum = added + u16::from(carry);
    }
    !sum
}

fn octets_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Where a packet says that it comes from.
pub(crate) fn source_of(packet: &[u8]) -> IpAddr {
    match packet[0] >> 4 {
        4 => <[u8; 4]>::try_from(&packet[12..16]).expect("four octets").into(),
        _ => <[u8; 16]>::try_from(&packet[8..24]).expect("sixteen octets").into(),
    }
}

/// An authentication header is of IPv4.
pub(crate) fn ipv4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => panic!("{address} is no IPv4 address"),
    }
}

/// Octets from hexadecimal digits; blanks do not count.
pub(crate) fn octets_from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit.try_into().unwrap()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
