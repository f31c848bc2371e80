//! Many packets out of one system call.

#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use crate::socket_option::last_errno;
use crate::vrrp_socket::PROTOCOL;

/// Room for one `IPV6_PKTINFO` and one `IPV6_HOPLIMIT` with their headers, or for one `IP_PKTINFO`.
const CONTROL_SIZE: usize = 96;
/// Octets of an IPv6 header.
const IPV6_HEADER: usize = 40;
/// Where it has the length of what follows, the next header with the hop limit, the source and the destination.
const IPV6_LENGTH: std::ops::Range<usize> = 4..6;
const IPV6_SOURCE: std::ops::Range<usize> = 8..24;
const IPV6_DESTINATION: std::ops::Range<usize> = 24..40;

/// Whether a raw socket gives the IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// IPv4: with all that stands in it.
    Received,
    /// IPv6: only what it is asked for (`IPV6_RECVPKTINFO`, `IPV6_RECVHOPLIMIT`), from which the header is put together
    /// again. Extension headers, traffic class and flow label are lost.
    Withheld,
}

impl Header {
    /// Octets to be written before what is received.
    const fn room(self) -> usize {
        match self {
            Self::Received => 0,
            Self::Withheld => IPV6_HEADER,
        }
    }
}

/// Memory for one batch of received packets, used again and again by all sockets. What was never filled costs no
/// memory.
#[derive(Debug)]
pub struct ReceiveBuffers {
    packets: Vec<u8>,
    arrived: Vec<Arrived>,
}

#[derive(Debug, Clone, Copy)]
struct Arrived {
    length: usize,
    link: u32,
}

/// A packet that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// From the IP header on, which over IPv6 is put together from what the kernel tells. Cut at
    /// [`ReceiveBuffers::PACKET_SIZE`].
    pub bytes: &'a [u8],
    /// The interface it came in over.
    pub link: u32,
}

impl ReceiveBuffers {
    /// So many packets are taken at once.
    pub const CAPACITY: usize = 32;
    /// The longest VRRP packet over Ethernet is shorter.
    pub const PACKET_SIZE: usize = 1600;

    pub fn new() -> ReceiveBuffers {
        ReceiveBuffers {
            packets: vec![0; ReceiveBuffers::CAPACITY * ReceiveBuffers::PACKET_SIZE],
            arrived: Vec::with_capacity(ReceiveBuffers::CAPACITY),
        }
    }

    /// The packets of the last [`receive`](crate::vrrp_socket::ReceiveSocket::receive).
    pub fn packets(&self) -> impl Iterator<Item = Received<'_>> {
        let buffers = self.packets.chunks_exact(ReceiveBuffers::PACKET_SIZE);
        std::iter::zip(buffers, &self.arrived)
            .map(|(buffer, arrived)| Received { bytes: &buffer[..arrived.length], link: arrived.link })
    }

    /// Takes what is waiting. Without `link` a socket that gives the header must have `IP_PKTINFO` set.
    pub(crate) fn fill(&mut self, socket: BorrowedFd<'_>, kind: Header, link: Option<u32>) -> Result<usize, Errno> {
        const CAPACITY: usize = ReceiveBuffers::CAPACITY;
        self.arrived.clear();
        // SAFETY: both are plain C structs for which all bits zero is a valid value.
        let mut vectors: [libc::iovec; CAPACITY] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; CAPACITY] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut senders: [libc::sockaddr_in6; CAPACITY] = unsafe { std::mem::zeroed() };
        let mut controls = [Control([0; CONTROL_SIZE]); CAPACITY];
        for (index, buffer) in self.packets.chunks_exact_mut(ReceiveBuffers::PACKET_SIZE).enumerate() {
            let place = &mut buffer[kind.room()..];
            vectors[index] = libc::iovec { iov_base: place.as_mut_ptr().cast(), iov_len: place.len() };
            let header = &mut headers[index].msg_hdr;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            if kind == Header::Withheld {
                header.msg_name = (&raw mut senders[index]).cast();
                header.msg_namelen = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            }
            if link.is_none() || kind == Header::Withheld {
                header.msg_control = controls[index].0.as_mut_ptr().cast();
                header.msg_controllen = CONTROL_SIZE as _;
            }
        }
        let count = loop {
            let (headers, flags) = (headers.as_mut_ptr(), libc::MSG_DONTWAIT);
            // SAFETY: each of the CAPACITY headers points to a vector, a packet buffer and (or null) a sender and a control
            // buffer of the sizes that it says; all of them live until the call returns, and nothing else refers to them.
            let answer =
                unsafe { libc::recvmmsg(socket.as_raw_fd(), headers, CAPACITY as _, flags as _, std::ptr::null_mut()) };
            match usize::try_from(answer) {
                Ok(count) => break count,
                Err(_) => match last_errno() {
                    Errno::INTR => {}
                    Errno::AGAIN => return Ok(0),
                    errno => return Err(errno),
                },
            }
        };
        let buffers = self.packets.chunks_exact_mut(ReceiveBuffers::PACKET_SIZE);
        for ((header, sender), buffer) in headers[..count].iter().zip(&senders).zip(buffers) {
            let told = Told::by(&header.msg_hdr);
            let length = kind.room() + header.msg_len as usize;
            if kind == Header::Withheld {
                told.write_header(sender.sin6_addr.s6_addr, header.msg_len, buffer);
            }
            let length = length.min(ReceiveBuffers::PACKET_SIZE);
            self.arrived.push(Arrived { length, link: link.unwrap_or(told.link) });
        }
        Ok(count)
    }
}

impl Default for ReceiveBuffers {
    fn default() -> Self {
        Self::new()
    }
}

/// Control messages begin with a header that wants alignment.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_SIZE]);

/// What the kernel tells beside a packet.
#[derive(Default)]
struct Told {
    /// Where it came in; 0, which no interface has, if that is absent.
    link: u32,
    /// Over IPv6: where it went,
    destination: [u8; 16],
    /// and with which hop limit.
    hop_limit: u8,
}

impl Told {
    fn by(header: &libc::msghdr) -> Self {
        let mut told = Self::default();
        // SAFETY: `header` was filled by the kernel, and its control buffer is still there and aligned (or null).
        let mut control = unsafe { libc::CMSG_FIRSTHDR(header) };
        while !control.is_null() {
            // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR answer null or a header within the buffer; what the kernel says to be
            // of a level and kind is of the type that goes with it, read here without assuming its alignment.
            unsafe {
                match ((*control).cmsg_level, (*control).cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                        let information = libc::CMSG_DATA(control).cast::<libc::in_pktinfo>().read_unaligned();
                        told.link = information.ipi_ifindex.cast_unsigned();
                    }
                    (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                        let information = libc::CMSG_DATA(control).cast::<libc::in6_pktinfo>().read_unaligned();
                        told.link = information.ipi6_ifindex;
                        told.destination = information.ipi6_addr.s6_addr;
                    }
                    (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                        let limit = libc::CMSG_DATA(control).cast::<libc::c_int>().read_unaligned();
                        // The kernel read it from one octet.
                        told.hop_limit = u8::try_from(limit).unwrap_or(0);
                    }
                    _ => {}
                }
                control = libc::CMSG_NXTHDR(header, control);
            }
        }
        told
    }

    /// Puts the header before a payload of this length.
    fn write_header(&self, source: [u8; 16], length: u32, buffer: &mut [u8]) {
        let header = &mut buffer[..IPV6_HEADER];
        header.fill(0);
        header[0] = 0x60;
        // It came in an IP packet, or was cut at the end of a buffer that is shorter.
        header[IPV6_LENGTH].copy_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        header[6] = PROTOCOL;
        header[7] = self.hop_limit;
        header[IPV6_SOURCE].copy_from_slice(&source);
        header[IPV6_DESTINATION].copy_from_slice(&self.destination);
    }
}
