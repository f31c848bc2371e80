//! VRRP packets, read and written once more, without the engine's help: the invariants and the strangers
//! must not share its mistakes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use engine::{Authentication, Family, HmacMode, RouterConfig, Transport, Version};

use crate::plan::router::group;
use crate::plan::{Spoof, SpoofContent};

/// What the invariants need of a packet. Nothing is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) source: IpAddr,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    /// As it stands there: whole seconds in version 2, hundredths in version 3.
    pub(crate) interval: Duration,
}

impl Head {
    /// `None` if the packet is too short to have one.
    pub(crate) fn read(octets: &[u8]) -> Option<Self> {
        let (source, start) = match octets.first()? >> 4 {
            6 => (ipv6(octets.get(8..24)?), 40),
            _ => {
                let length = usize::from(octets[0] & 0x0f) * 4;
                // An authentication header has 24 octets.
                let start = if octets.get(9) == Some(&51) { length + 24 } else { length };
                (ipv4(octets.get(12..16).filter(|_| start >= 20)?), start)
            }
        };
        let message = octets.get(start..).filter(|message| message.len() >= 8)?;
        Some(Self {
            source,
            vrid: message[1],
            priority: message[2],
            interval: match message[0] >> 4 {
                2 => Duration::from_secs(message[5].into()),
                _ => Duration::from_millis(u64::from(u16::from_be_bytes([message[4] & 15, message[5]])) * 10),
            },
        })
    }
}

/// An IP packet as it should be, taken apart.
struct Packet<'a> {
    /// Both addresses, as they stand there.
    addresses: &'a [u8],
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    ttl: u8,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    fn of_ipv4(octets: &'a [u8]) -> Result<Self, &'static str> {
        if octets.len() < 28 || octets[0] != 0x45 {
            return Err("no IPv4 header of 20 octets");
        }
        let (header, payload) = octets.split_at(20);
        if usize::from(u16::from_be_bytes([header[2], header[3]])) != octets.len() {
            return Err("wrong total length");
        }
        // The kernel fills in a checksum of zero.
        if header[10..12] != [0, 0] && sum(&[header]) != 0xffff {
            return Err("wrong IP checksum");
        }
        let (source, destination) = (ipv4(&header[12..16]), ipv4(&header[16..20]));
        Ok(Self { addresses: &header[12..20], source, destination, protocol: header[9], ttl: header[8], payload })
    }

    /// Internetwork control, without a flow label.
    fn of_ipv6(octets: &'a [u8]) -> Result<Self, &'static str> {
        if octets.len() < 48 || octets[..4] != [0x6c, 0, 0, 0] {
            return Err("no IPv6 header of internetwork control");
        }
        let (header, payload) = octets.split_at(40);
        if usize::from(u16::from_be_bytes([header[4], header[5]])) != payload.len() {
            return Err("wrong payload length");
        }
        let (source, destination) = (ipv6(&header[8..24]), ipv6(&header[24..40]));
        Ok(Self { addresses: &header[8..40], source, destination, protocol: header[6], ttl: header[7], payload })
    }

    /// Whether the checksum of a message is right together with the pseudo-header.
    fn sums_up_with(&self, message: &[u8]) -> bool {
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
        sum(&[self.addresses, &[0, 112], &length, message]) == 0xffff
    }
}

/// What is wrong with an advertisement of a router with this configuration; `None` if nothing is.
pub(crate) fn flaw(octets: &[u8], config: &RouterConfig, priority: u8, sources: &[IpAddr]) -> Option<&'static str> {
    let packet = match config.family {
        Family::Ipv4 => Packet::of_ipv4(octets),
        Family::Ipv6 => Packet::of_ipv6(octets),
    };
    let packet = match packet {
        Ok(packet) => packet,
        Err(flaw) => return Some(flaw),
    };
    let mut message = packet.payload;
    if let Authentication::Hmac(policy) = &config.authentication
        && policy.mode != HmacMode::ReceiveOnly
    {
        let Some((before, signature)) = message.split_at_checked(message.len().saturating_sub(28)) else {
            return Some("no room for a signature");
        };
        if signature[..4] != [1, policy.active_key, 0, 0] {
            return Some("wrong signature");
        }
        message = before;
    }
    let mut protocol = 112;
    if let Authentication::Header(_) = config.authentication {
        protocol = 51;
        let Some((header, behind)) = message.split_at_checked(24) else { return Some("no room for a header") };
        if header[..4] != [112, 4, 0, 0] || header[4..8] != packet.addresses[..4] {
            return Some("wrong authentication header");
        }
        message = behind;
    }
    if message.len() < 8 {
        return Some("wrong length");
    }
    let to = packet.destination;
    let (arrives, ttl) = match &config.transport {
        Transport::Multicast { .. } => (to == group(config.family), 255),
        Transport::Unicast { peers, ttl, .. } => (peers.contains(&to), *ttl),
    };
    let rules = [
        (packet.protocol == protocol, "wrong IP protocol"),
        (packet.ttl == ttl, "wrong TTL or hop limit"),
        (arrives, "wrong destination"),
        (sources.contains(&packet.source), "not sent from the primary address"),
        (message[0] >> 4 == config.version.number() && message[0] & 15 == 1, "wrong version or type"),
        (message[1] == config.vrid.get(), "wrong VRID"),
        (message[2] == priority, "wrong priority"),
        (usize::from(message[3]) == config.addresses.len(), "wrong count of addresses"),
    ];
    if let Some((_, flaw)) = rules.iter().find(|(holds, _)| !holds) {
        return Some(flaw);
    }
    let hundredths = config.advertisement_interval.as_centiseconds();
    let (trailer, interval, checksum) = match (config.version, config.family) {
        (Version::V2, _) => (8, u16::from(message[5]) * 100, sum(&[message]) == 0xffff),
        (Version::V3, family) => {
            let interval = u16::from_be_bytes([message[4], message[5]]);
            let checksum = match family {
                Family::Ipv4 => packet.sums_up_with(message) || sum(&[message]) == 0xffff,
                // RFC 8200 §8.1, and what stands behind the advertisement is a part of it: a kernel could look.
                Family::Ipv6 => packet.sums_up_with(packet.payload),
            };
            (0, interval, checksum)
        }
    };
    let authentication: &[u8] = match &config.authentication {
        Authentication::SimplePassword(password) => &password[..],
        Authentication::None | Authentication::Hmac(_) | Authentication::Header(_) => &[0; 8],
    };
    let length = if config.family == Family::Ipv4 { 4 } else { 16 };
    let read = if config.family == Family::Ipv4 { ipv4 } else { ipv6 };
    let list = config.addresses.iter().map(|entry| entry.address);
    let listed = |at: usize| message.get(8 + at * length..8 + (at + 1) * length).map(read);
    if message.len() != 8 + length * config.addresses.len() + trailer {
        Some("wrong length")
    } else if interval != hundredths {
        Some("wrong interval")
    } else if !checksum {
        Some("wrong checksum")
    } else if trailer == 8 && &message[message.len() - 8..] != authentication {
        Some("wrong authentication data")
    } else if list.enumerate().any(|(at, expected)| listed(at) != Some(expected)) {
        // In the configured order: RFC 9568 §5.2.9 wants that of the link first.
        Some("wrong addresses")
    } else {
        None
    }
}

/// The octets of a stranger's frame.
pub(crate) fn spoof(spoof: &Spoof, destination: IpAddr) -> Vec<u8> {
    let ends = [octets_of(spoof.source), octets_of(destination)].concat();
    let (ttl, message) = match &spoof.content {
        SpoofContent::Octets(octets) => (255, octets.clone()),
        SpoofContent::Advertisement {
            version,
            vrid,
            priority,
            interval,
            ttl,
            password,
            addresses,
            bad_checksum,
            shorter_by,
        } => {
            let mut message =
                vec![version.number() << 4 | 1, *vrid, *priority, u8::try_from(addresses.len()).unwrap_or(u8::MAX)];
            let hundredths = interval.as_centiseconds();
            match version {
                Version::V2 => message.extend([u8::from(password.is_some()), (hundredths / 100) as u8]),
                Version::V3 => message.extend((hundredths & 0x0fff).to_be_bytes()),
            }
            message.extend([0, 0]);
            message.extend(addresses.iter().flat_map(|(address, _)| octets_of(*address)));
            if *version == Version::V2 {
                let mut data = password.clone().unwrap_or_default().into_bytes();
                data.resize(8, 0);
                message.extend(data);
            }
            let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
            let mut checksum = !match version {
                Version::V2 => sum(&[&message]),
                Version::V3 => sum(&[&ends, &[0, 112], &length, &message]),
            };
            if *bad_checksum {
                checksum ^= 0x0101;
            }
            message[6..8].copy_from_slice(&checksum.to_be_bytes());
            message.truncate(message.len().saturating_sub(usize::from(*shorter_by)));
            (*ttl, message)
        }
    };
    let mut packet = match spoof.source {
        IpAddr::V4(_) => vec![0x45, 0xc0, 0, 0, 0, 1, 0, 0, ttl, 112, 0, 0],
        IpAddr::V6(_) => vec![0x6c, 0, 0, 0, 0, 0, 112, ttl],
    };
    packet.extend(ends);
    let length = |octets: usize| u16::try_from(octets).unwrap_or(u16::MAX).to_be_bytes();
    match spoof.source {
        IpAddr::V4(_) => {
            let total = length(packet.len() + message.len());
            packet[2..4].copy_from_slice(&total);
            let checksum = !sum(&[&packet]);
            packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        }
        IpAddr::V6(_) => packet[4..6].copy_from_slice(&length(message.len())),
    }
    packet.extend(message);
    packet
}

fn octets_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

/// Of the first four octets.
fn ipv4(octets: &[u8]) -> IpAddr {
    Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]).into()
}

/// Of sixteen octets.
fn ipv6(octets: &[u8]) -> IpAddr {
    Ipv6Addr::from(<[u8; 16]>::try_from(octets).expect("sixteen octets")).into()
}

/// The one's complement sum of RFC 1071; each part has an even number of octets, except perhaps the last.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
