//! VRRP packets, read and written once more, without the engine's help: the invariants and the strangers
//! must not share its mistakes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use engine::{Authentication, HmacMode, RouterConfig, Version};

use crate::plan::{Spoof, SpoofContent};

/// What the invariants need of a packet. Nothing is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) ttl: u8,
    pub(crate) version: u8,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    /// As it stands there: whole seconds in version 2, hundredths in version 3.
    pub(crate) interval: Duration,
}

impl Head {
    /// `None` if the packet is too short to have one.
    pub(crate) fn read(octets: &[u8]) -> Option<Self> {
        let start = usize::from(octets.first()? & 0x0f) * 4;
        // An authentication header has 24 octets.
        let start = if octets.get(9) == Some(&51) { start + 24 } else { start };
        let message = octets.get(start..).filter(|message| start >= 20 && message.len() >= 8)?;
        Some(Self {
            source: address(&octets[12..16]),
            destination: address(&octets[16..20]),
            ttl: octets[8],
            version: message[0] >> 4,
            vrid: message[1],
            priority: message[2],
            interval: match message[0] >> 4 {
                2 => Duration::from_secs(message[5].into()),
                _ => Duration::from_millis(u64::from(u16::from_be_bytes([message[4] & 15, message[5]])) * 10),
            },
        })
    }
}

/// What is wrong with an advertisement of a router with this configuration; `None` if nothing is.
pub(crate) fn flaw(octets: &[u8], config: &RouterConfig, priority: u8, sources: &[IpAddr]) -> Option<&'static str> {
    let IpAddr::V4(_) = config.addresses.first()?.address else { return None };
    if octets.len() < 28 || octets[0] != 0x45 {
        return Some("no IPv4 header of 20 octets");
    }
    let (header, mut message) = octets.split_at(20);
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
        if header[..4] != [112, 4, 0, 0] || header[4..8] != octets[12..16] {
            return Some("wrong authentication header");
        }
        message = behind;
    }
    let source = IpAddr::V4(address(&header[12..16]));
    let rules = [
        (usize::from(u16::from_be_bytes([header[2], header[3]])) == octets.len(), "wrong total length"),
        (header[9] == protocol, "wrong IP protocol"),
        // The kernel fills in a checksum of zero.
        (header[10..12] == [0, 0] || sum(&[header]) == 0xffff, "wrong IP checksum"),
        (sources.contains(&source), "not sent from the primary address"),
        (message[0] >> 4 == config.version.number() && message[0] & 15 == 1, "wrong version or type"),
        (message[1] == config.vrid.get(), "wrong VRID"),
        (message[2] == priority, "wrong priority"),
        (usize::from(message[3]) == config.addresses.len(), "wrong count of addresses"),
    ];
    if let Some((_, flaw)) = rules.iter().find(|(holds, _)| !holds) {
        return Some(flaw);
    }
    let hundredths = config.advertisement_interval.as_centiseconds();
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let (trailer, interval, checksum) = match config.version {
        Version::V2 => (8, u16::from(message[5]) * 100, sum(&[message]) == 0xffff),
        Version::V3 => {
            let pseudo = [&header[12..20], &[0, 112], &length[..]].concat();
            let interval = u16::from_be_bytes([message[4], message[5]]);
            (0, interval, sum(&[&pseudo, message]) == 0xffff || sum(&[message]) == 0xffff)
        }
    };
    let authentication: &[u8] = match &config.authentication {
        Authentication::SimplePassword(password) => &password[..],
        Authentication::None | Authentication::Hmac(_) | Authentication::Header(_) => &[0; 8],
    };
    let list = config.addresses.iter().map(|entry| entry.address);
    let listed = |at: usize| message.get(8 + at * 4..12 + at * 4).map(|octets| IpAddr::V4(address(octets)));
    if message.len() != 8 + 4 * config.addresses.len() + trailer {
        Some("wrong length")
    } else if interval != hundredths {
        Some("wrong interval")
    } else if !checksum {
        Some("wrong checksum")
    } else if trailer == 8 && &message[message.len() - 8..] != authentication {
        Some("wrong authentication data")
    } else if list.enumerate().any(|(at, expected)| listed(at) != Some(expected)) {
        Some("wrong addresses")
    } else {
        None
    }
}

/// The octets of a stranger's frame.
pub(crate) fn spoof(spoof: &Spoof, destination: Ipv4Addr) -> Vec<u8> {
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
            for (address, _) in addresses {
                if let IpAddr::V4(address) = address {
                    message.extend(address.octets());
                }
            }
            if *version == Version::V2 {
                let mut data = password.clone().unwrap_or_default().into_bytes();
                data.resize(8, 0);
                message.extend(data);
            }
            let mut checksum = !match version {
                Version::V2 => sum(&[&message]),
                Version::V3 => {
                    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
                    sum(&[&spoof.source.octets(), &destination.octets(), &[0, 112], &length, &message])
                }
            };
            if *bad_checksum {
                checksum ^= 0x0101;
            }
            message[6..8].copy_from_slice(&checksum.to_be_bytes());
            message.truncate(message.len().saturating_sub(usize::from(*shorter_by)));
            (*ttl, message)
        }
    };
    let mut packet = vec![0x45, 0xc0, 0, 0, 0, 1, 0, 0, ttl, 112, 0, 0];
    packet.extend(spoof.source.octets());
    packet.extend(destination.octets());
    let total = u16::try_from(packet.len() + message.len()).unwrap_or(u16::MAX);
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    let checksum = !sum(&[&packet]);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(message);
    packet
}

fn address(octets: &[u8]) -> Ipv4Addr {
    Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3])
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
