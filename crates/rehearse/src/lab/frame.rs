//! Reads what passes the switch: VRRP and gratuitous ARP. Written apart from the engine on purpose, so that the lab
//! sees with eyes of its own; it checks nothing and shows what is there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// A link-layer address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A frame that concerns redundancy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    Advertisement(Advertisement),
    GratuitousArp { address: Ipv4Addr, mac: Mac },
}

/// A VRRP advertisement as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub version: u8,
    pub vrid: u8,
    pub priority: u8,
    /// As announced: whole seconds in version 2, centiseconds in version 3.
    pub interval: Duration,
    pub addresses: Vec<IpAddr>,
    /// The IP packet, header included.
    pub packet: Vec<u8>,
}

impl fmt::Display for Advertisement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, version, vrid, priority, .. } = self;
        write!(f, "advertises vrid {vrid} priority {priority} (v{version}, {source} > {destination})")
    }
}

/// What an Ethernet frame says; `None` if it is nothing of ours.
pub(crate) fn read(frame: &[u8]) -> Option<Frame> {
    let ether_type = frame.get(12..14)?;
    let payload = frame.get(14..)?;
    match ether_type {
        [0x08, 0x06] => read_arp(payload),
        [0x08, 0x00] => read_ipv4(payload).map(Frame::Advertisement),
        [0x86, 0xdd] => read_ipv6(payload).map(Frame::Advertisement),
        _ => None,
    }
}

/// Gratuitous: sender and target address are the same (RFC 5227 §1.2.1), be it a request or a reply.
fn read_arp(packet: &[u8]) -> Option<Frame> {
    let &[0, 1, 8, 0, 6, 4, 0, 1 | 2, ..] = packet else { return None };
    let mac = Mac(packet.get(8..14)?.try_into().ok()?);
    let (sender, target) = (packet.get(14..18)?, packet.get(24..28)?);
    (sender == target).then_some(())?;
    Some(Frame::GratuitousArp { address: ipv4(sender)?, mac })
}

fn read_ipv4(packet: &[u8]) -> Option<Advertisement> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let length = usize::from(u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?));
    let packet = packet.get(..length)?;
    let (source, destination) = (ipv4(packet.get(12..16)?)?, ipv4(packet.get(16..20)?)?);
    let body = match packet.get(9)? {
        112 => packet.get(header..)?,
        // An authentication header in front (RFC 4302 §2): its length stands in it, in words less two.
        51 => packet.get(header + (usize::from(*packet.get(header + 1)?) + 2) * 4..)?,
        _ => return None,
    };
    read_advertisement(body, source.into(), destination.into(), packet, |entry| ipv4(entry).map(IpAddr::from), 4)
}

fn read_ipv6(packet: &[u8]) -> Option<Advertisement> {
    let length = usize::from(u16::from_be_bytes(packet.get(4..6)?.try_into().ok()?));
    let packet = packet.get(..40 + length)?;
    (packet[6] == 112).then_some(())?;
    let (source, destination) = (ipv6(packet.get(8..24)?)?, ipv6(packet.get(24..40)?)?);
    let body = packet.get(40..)?;
    read_advertisement(body, source.into(), destination.into(), packet, |entry| ipv6(entry).map(IpAddr::from), 16)
}

fn read_advertisement(
    body: &[u8],
    source: IpAddr,
    destination: IpAddr,
    packet: &[u8],
    address: impl Fn(&[u8]) -> Option<IpAddr>,
    address_length: usize,
) -> Option<Advertisement> {
    let &[version_and_type, vrid, priority, count, fifth, sixth, ..] = body else { return None };
    let version = version_and_type >> 4;
    // RFC 3768 §5.3: authentication type, then seconds; RFC 9568 §5.2: twelve bits of centiseconds.
    let interval = match version {
        2 => Duration::from_secs(sixth.into()),
        _ => Duration::from_millis(u64::from(u16::from_be_bytes([fifth & 0x0f, sixth])) * 10),
    };
    let entries = body.get(8..8 + usize::from(count) * address_length)?;
    let addresses = entries.chunks_exact(address_length).filter_map(address).collect();
    Some(Advertisement { source, destination, version, vrid, priority, interval, addresses, packet: packet.to_vec() })
}

fn ipv4(bytes: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}

fn ipv6(bytes: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(bytes).ok().map(Ipv6Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// Captured from keepalived: RFC 3768, VRID 51, priority 150, PASS.
    #[test]
    fn reads_version_2() {
        let frame = bytes(
            "01005e000012 5254000a0001 0800  45c00028000100 00ff70 0000c0000201e0000012 \
             2133960101010000c0000264 3131313100000000",
        );
        let Some(Frame::Advertisement(advertisement)) = read(&frame) else { panic!("not read") };
        assert_eq!(advertisement.to_string(), "advertises vrid 51 priority 150 (v2, 192.0.2.1 > 224.0.0.18)");
        assert_eq!(advertisement.interval, Duration::from_secs(1));
        assert_eq!(advertisement.addresses, [IpAddr::from([192, 0, 2, 100])]);
    }

    #[test]
    fn reads_gratuitous_arp_and_no_other() {
        let arp = |target: &str| {
            bytes(&format!(
                "ffffffffffff 5254000a0001 0806 0001 0800 06 04 0001 5254000a0001 c0000264 ffffffffffff {target}"
            ))
        };
        let expected =
            Frame::GratuitousArp { address: Ipv4Addr::new(192, 0, 2, 100), mac: Mac([0x52, 0x54, 0, 0x0a, 0, 1]) };
        assert_eq!(read(&arp("c0000264")), Some(expected));
        assert_eq!(read(&arp("c0000265")), None);
    }

    #[test]
    fn is_not_surprised_by_short_frames() {
        let frame = bytes(
            "01005e000012 5254000a0001 0800  45c00020000100 00ff70 0000c0000201e0000012 3133960100640000 c0000264",
        );
        for length in 0..frame.len() {
            // The packet says 32 bytes: with anything cut off it is no advertisement.
            assert_eq!(read(&frame[..length]), None, "{length}");
        }
    }
}
