//! A peer that sends single advertisements, made by hand: to ask a daemon what it does about a certain packet.
//!
//! Written apart from the engine on purpose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hmac::{Hmac, KeyInit, Mac};
use linux::confinement::capabilities::{self, Capabilities, Parting};
use linux::netlink::Netlink;
use linux::send_batch::SendBatch;
use linux::vrrp_socket::SendSocket;
use md5::Md5;

use super::Host;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// An authentication header (RFC 2402) with HMAC-MD5-96 (RFC 2403).
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForgedHeader {
    /// Filled up with zeros.
    pub(crate) password: [u8; 8],
    pub(crate) sequence: u32,
    /// Whom it names as its sender, if not the one who sends it.
    pub(crate) index: Option<Ipv4Addr>,
}

/// An advertisement as it is to stand on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forged {
    pub(crate) version: u8,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    /// Seconds in version 2, centiseconds in version 3.
    pub(crate) interval: u16,
    pub(crate) address: Ipv4Addr,
    /// A second one behind it.
    pub(crate) another_address: Option<Ipv4Addr>,
    pub(crate) time_to_live: u8,
    /// The group, unless it goes to somebody alone.
    pub(crate) destination: Ipv4Addr,
    /// Whom the pseudo header of version 3 names, if not the destination.
    pub(crate) summed: Option<Ipv4Addr>,
    /// 1 for an advertisement; there is no other.
    pub(crate) kind: u8,
    /// How many addresses it says that it has, if not the truth.
    pub(crate) count: Option<u8>,
    /// Type and data of version 2.
    pub(crate) authentication: (u8, [u8; 8]),
    /// What stands before it.
    pub(crate) header: Option<ForgedHeader>,
    /// The checksum is one too many.
    pub(crate) spoilt: bool,
    /// So many octets are missing at its end; the checksum is right for the rest.
    pub(crate) cut: usize,
}

impl Forged {
    /// What a quick neighbour of version 3 says.
    pub(crate) fn quick(priority: u8) -> Self {
        let (address, destination) = (super::ADDRESS, GROUP);
        Self {
            version: 3,
            vrid: 51,
            priority,
            interval: 20,
            address,
            another_address: None,
            time_to_live: 255,
            destination,
            summed: None,
            kind: 1,
            count: None,
            authentication: (0, [0; 8]),
            header: None,
            spoilt: false,
            cut: 0,
        }
    }

    /// With its header.
    fn packet(&self, source: Ipv4Addr) -> Vec<u8> {
        let addresses: Vec<IpAddr> =
            [Some(self.address), self.another_address].into_iter().flatten().map(IpAddr::V4).collect();
        let summed = self.summed.unwrap_or(self.destination);
        let message = self.message(source.into(), summed.into(), &addresses);
        let mut packet = header(self.time_to_live, source, self.destination);
        if let Some(header) = &self.header {
            packet[9] = 51;
            packet.extend(header.octets(&packet, &message));
        }
        packet.extend(message);
        packet
    }

    /// RFC 3768 §5.1, RFC 9568 §5.1.
    fn message(&self, source: IpAddr, destination: IpAddr, addresses: &[IpAddr]) -> Vec<u8> {
        let [high, low] = self.interval.to_be_bytes();
        let (kind, data) = self.authentication;
        let fifth = if self.version == 2 { kind } else { high };
        let count = self.count.unwrap_or(addresses.len() as u8);
        let mut message = vec![self.version << 4 | self.kind, self.vrid, self.priority, count, fifth, low, 0, 0];
        addresses.iter().for_each(|address| message.extend(octets(*address)));
        if self.version == 2 {
            message.extend(data);
        }
        message.truncate(message.len() - self.cut);
        let mut summed = Vec::new();
        if self.version == 3 {
            // keepalived's form of version 3 sums a pseudo header over IPv4, too. That of IPv6 has a longer length and
            // more room (RFC 8200 §8.1), of which nothing is in the sum.
            summed.extend(octets(source));
            summed.extend(octets(destination));
            summed.extend([0, 112, 0, message.len() as u8]);
        }
        summed.extend(&message);
        let [first, second] = checksum(&summed);
        message[6..8].copy_from_slice(&[first, if self.spoilt { second.wrapping_add(1) } else { second }]);
        message
    }
}

impl ForgedHeader {
    fn octets(&self, ip_header: &[u8], message: &[u8]) -> Vec<u8> {
        let source = self.index.map_or_else(|| ip_header[12..16].to_vec(), |index| index.octets().to_vec());
        let header = [vec![112, 4, 0, 0], source, self.sequence.to_be_bytes().to_vec(), vec![0; 12]].concat();
        // What routers may change is taken as zero (RFC 2402 §3.3.3.1.1), by keepalived the TTL only where there may be some.
        let mut covered = ip_header.to_vec();
        let length = (ip_header.len() + header.len() + message.len()) as u16;
        covered[2..4].copy_from_slice(&length.to_be_bytes());
        covered[1] = 0;
        if covered[16] & 0xf0 != 0xe0 {
            covered[8] = 0;
        }
        let mut code = Hmac::<Md5>::new_from_slice(&self.password).expect("a key may have any length");
        [&covered, &header, message].into_iter().for_each(|part| code.update(part));
        [&header[..12], &code.finalize().into_bytes()[..12]].concat()
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// RFC 1071.
fn checksum(octets: &[u8]) -> [u8; 2] {
    let sum: u32 = octets.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!((folded & 0xffff) + (folded >> 16)) as u16).to_be_bytes()
}

/// Sends an advertisement from a host, over its eth0.
pub(crate) fn send(host: &Host, source: Ipv4Addr, forged: Forged) {
    send_packet(host, forged.packet(source), forged.destination);
}

/// As [`send`], over IPv6. What is forged about addresses and destination does not count.
pub(crate) fn send_over_ipv6(host: &Host, way: (Ipv6Addr, Ipv6Addr), addresses: &[Ipv6Addr], forged: Forged) {
    let (source, destination) = way;
    let addresses: Vec<IpAddr> = addresses.iter().copied().map(IpAddr::V6).collect();
    let message = forged.message(source.into(), destination.into(), &addresses);
    // RFC 8200 §3.
    let mut packet = vec![0x6c, 0, 0, 0, 0, message.len() as u8, 112, forged.time_to_live];
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend(message);
    send_packet(host, packet, destination);
}

/// Sends octets behind a header of VRRP, to the group.
pub(crate) fn send_octets(host: &Host, source: Ipv4Addr, octets: &[u8]) {
    let mut packet = header(255, source, GROUP);
    packet.extend(octets);
    send_packet(host, packet, GROUP);
}

/// Sends a packet as it is from a host, over its eth0.
pub(crate) fn send_packet(host: &Host, packet: Vec<u8>, destination: impl Into<IpAddr>) {
    let destination = destination.into();
    host.run(move || send_from_here(&packet, destination)).expect("the host is on").expect("sent");
}

/// As [`send`], by who has no power in that host but to send and hear as it likes.
pub(crate) fn send_as_a_container(host: &Host, source: Ipv4Addr, forged: Forged) {
    let packet = forged.packet(source);
    let sent = as_a_container(host, move || send_from_here(&packet, forged.destination.into()));
    sent.expect("sent");
}

/// Does this in the network of a host, with the only capability that a container has there: CAP_NET_RAW.
pub(crate) fn as_a_container<T: Send + 'static>(host: &Host, errand: impl FnOnce() -> T + Send + 'static) -> T {
    let confined = move || {
        // The lab needs this thread as it was.
        let before = rustix::thread::capabilities(None).expect("ours");
        capabilities::keep_only(Capabilities::NET_RAW, Parting::LaidAside).expect("lay the others aside");
        let done = errand();
        rustix::thread::set_capabilities(None, before).expect("take them up again");
        done
    };
    host.run(confined).expect("the host is on")
}

/// Sends a packet as it is over eth0.
fn send_from_here(packet: &[u8], destination: IpAddr) -> linux::Result<()> {
    let link = Netlink::open()?.link_by_name("eth0")?.expect("it has an eth0").index;
    let mut batch = SendBatch::new();
    let mut unsent = Vec::new();
    if destination.is_ipv4() {
        batch.push_packet(packet, destination);
        batch.flush(&SendSocket::on_link(link)?, &mut unsent);
    } else {
        batch.push_packet_on(packet, destination, link);
        batch.flush(&SendSocket::ipv6_on_link(link)?, &mut unsent);
    }
    assert!(unsent.is_empty(), "not sent");
    Ok(())
}

/// The kernel fills in the header's length and checksum, and an identification only in the place of 0 (raw(7)).
fn header(time_to_live: u8, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
    let mut header = vec![0x45, 0xc0, 0, 0, 0, 7, 0, 0, time_to_live, 112, 0, 0];
    header.extend(source.octets());
    header.extend(destination.octets());
    header
}
