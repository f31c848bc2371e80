//! Many packets in one system call.

#![allow(unsafe_code)]

use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use rustix::io::Errno;

use crate::socket_option::last_errno;

/// So many packets are handed to the kernel at once. Their descriptions live on the stack (some 10 KiB).
const CHUNK: usize = 64;
/// More memory than this is given back after use: several hundred packets have room in it.
const KEPT_BYTES: usize = 32 * 1024;
/// Where an Ethernet frame says what it carries.
const ETHERTYPE: std::ops::Range<usize> = 12..14;

/// Packets with their destinations, collected and then sent together. Reuses its memory.
#[derive(Debug, Default)]
pub struct SendBatch {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

/// A packet ends where the next begins.
#[derive(Debug, Clone, Copy)]
struct Item {
    end: usize,
    destination: Destination,
}

#[derive(Debug, Clone, Copy)]
enum Destination {
    /// With its interface, where the address means nothing without one.
    Address(IpAddr, u32),
    Link {
        index: u32,
        ethertype: [u8; 2],
    },
}

/// A packet of the batch that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent {
    /// Its place in the batch, counted from 0 in the order of pushing.
    pub position: usize,
    pub errno: i32,
}

impl SendBatch {
    pub fn new() -> SendBatch {
        SendBatch::default()
    }

    /// Adds an IP packet, header included.
    pub fn push_packet(&mut self, packet: &[u8], destination: IpAddr) {
        self.write_packet(destination, |bytes| bytes.extend_from_slice(packet));
    }

    /// As [`push_packet`](Self::push_packet), to an address that is link-local on this interface.
    pub fn push_packet_on(&mut self, packet: &[u8], destination: IpAddr, link: u32) {
        self.bytes.extend_from_slice(packet);
        self.close(Destination::Address(destination, link));
    }

    /// Adds an IP packet that `write` appends to the list it is given.
    pub fn write_packet(&mut self, destination: IpAddr, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.close(Destination::Address(destination, 0));
    }

    /// Adds an Ethernet frame for an interface: for [`ArpSocket`](crate::arp_socket::ArpSocket).
    pub fn push_frame(&mut self, frame: &[u8], link: u32) {
        let mut ethertype = [0; 2];
        if let Some(found) = frame.get(ETHERTYPE) {
            ethertype.copy_from_slice(found);
        }
        self.bytes.extend_from_slice(frame);
        self.close(Destination::Link { index: link, ethertype });
    }

    fn close(&mut self, destination: Destination) {
        self.items.push(Item { end: self.bytes.len(), destination });
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Forgets what was collected.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        // What one great burst took is not kept for ever.
        self.bytes.shrink_to(KEPT_BYTES);
        self.items.shrink_to(KEPT_BYTES / size_of::<Item>());
    }

    /// Sends everything, in order, and leaves the batch empty. A packet that is refused does not stop those behind
    /// it; it is appended to `unsent`.
    pub fn flush(&mut self, socket: impl AsFd, unsent: &mut Vec<Unsent>) {
        let socket = socket.as_fd().as_raw_fd();
        let mut position = 0;
        while position < self.items.len() {
            match self.send_from(socket, position) {
                Ok(sent) => position += sent,
                Err(Errno::INTR) => {}
                // The kernel stops at the packet that it refuses: take that one out and go on behind it.
                Err(errno) => {
                    unsent.push(Unsent { position, errno: errno.raw_os_error() });
                    position += 1;
                }
            }
        }
        self.clear();
    }

    /// Hands over the packets from `first` on, up to [`CHUNK`] of them, and answers how many the kernel took: at
    /// least one, or else the error of the first.
    fn send_from(&mut self, socket: RawFd, first: usize) -> Result<usize, Errno> {
        let mut begin = first.checked_sub(1).map_or(0, |before| self.items[before].end);
        // SAFETY: all three are plain C structs for which all bits zero is a valid value.
        let mut vectors: [libc::iovec; CHUNK] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut names: [Name; CHUNK] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; CHUNK] = unsafe { std::mem::zeroed() };
        let mut sources = [Source::default(); CHUNK];
        let items = &self.items[first..self.items.len().min(first + CHUNK)];
        for (index, item) in items.iter().enumerate() {
            let packet = &mut self.bytes[begin..item.end];
            begin = item.end;
            vectors[index] = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
            let source = Source::of(packet, item.destination);
            let (name, length) = Name::of(item.destination);
            names[index] = name;
            let header = &mut headers[index].msg_hdr;
            header.msg_name = (&raw mut names[index]).cast();
            header.msg_namelen = length;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            if let Some(source) = source {
                sources[index] = source;
                header.msg_control = (&raw mut sources[index]).cast();
                header.msg_controllen = size_of::<Source>() as _;
            }
        }
        let count = items.len() as libc::c_uint;
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        // SAFETY: the first `count` headers point to names, vectors, sources and packets that live until the call returns.
        // The kernel reads them and writes only the msg_len of each header.
        let sent = unsafe { libc::sendmmsg(socket, headers.as_mut_ptr(), count, flags as _) };
        match usize::try_from(sent) {
            Ok(sent) => Ok(sent),
            Err(_) => Err(last_errno()),
        }
    }
}

/// A destination as the kernel wants it.
#[derive(Clone, Copy)]
#[repr(C)]
union Name {
    ipv4: libc::sockaddr_in,
    ipv6: libc::sockaddr_in6,
    link: libc::sockaddr_ll,
}

impl Name {
    fn of(destination: Destination) -> (Name, libc::socklen_t) {
        match destination {
            Destination::Address(IpAddr::V4(address), _) => {
                let ipv4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: 0,
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) },
                    sin_zero: [0; 8],
                };
                (Name { ipv4 }, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            Destination::Address(IpAddr::V6(address), link) => {
                let ipv6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: 0,
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: address.octets() },
                    sin6_scope_id: link,
                };
                (Name { ipv6 }, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
            }
            Destination::Link { index, ethertype } => {
                let link = libc::sockaddr_ll {
                    sll_family: libc::AF_PACKET as libc::sa_family_t,
                    sll_protocol: u16::from_ne_bytes(ethertype),
                    sll_ifindex: index.cast_signed(),
                    sll_hatype: 0,
                    sll_pkttype: 0,
                    sll_halen: 0,
                    sll_addr: [0; 8],
                };
                (Name { link }, size_of::<libc::sockaddr_ll>() as libc::socklen_t)
            }
        }
    }
}

/// Whom a packet over IPv6 is from, as the kernel wants it: a control message with a `struct in6_pktinfo`.
///
/// It stands in the header that we have written; but the kernel looks for an address of the interface all the same, and
/// refuses the packet where there is none.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Source {
    length: usize,
    level: libc::c_int,
    kind: libc::c_int,
    address: [u8; 16],
    link: u32,
}

impl Source {
    /// Of what goes to a group. Where else something goes from is left to the routes.
    fn of(packet: &[u8], destination: Destination) -> Option<Source> {
        let Destination::Address(IpAddr::V6(group), _) = destination else { return None };
        if !group.is_multicast() {
            return None;
        }
        let address = packet.get(8..24)?.try_into().ok()?;
        // Up to the end of the last field: what the compiler puts behind it does not count.
        let length = std::mem::offset_of!(Source, link) + size_of::<u32>();
        Some(Source { length, level: libc::IPPROTO_IPV6, kind: libc::IPV6_PKTINFO, address, link: 0 })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use super::*;

    /// UDP refuses a destination without a port: a cheap stand-in for an interface that refuses.
    #[test]
    fn tells_of_every_refusal() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = SendBatch::new();
        for number in 0..150_u8 {
            batch.push_packet(&[number], IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        assert_eq!(batch.len(), 150);
        let mut unsent = Vec::new();
        batch.flush(&socket, &mut unsent);
        let expected: Vec<Unsent> = (0..150).map(|position| Unsent { position, errno: libc::EINVAL }).collect();
        assert_eq!(unsent, expected);
        assert!(batch.is_empty());
        batch.flush(&socket, &mut unsent);
        assert_eq!(unsent.len(), 150, "an empty batch sends nothing");
    }
}
