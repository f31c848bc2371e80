//! Many packets out of one system call.

#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use crate::socket_option::last_errno;

/// Room for one `IP_PKTINFO` with its header.
const CONTROL_SIZE: usize = 64;

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
    /// From the IP header on. Cut at [`ReceiveBuffers::PACKET_SIZE`].
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

    /// Takes what is waiting. Without `link` the socket must have `IP_PKTINFO` set.
    pub(crate) fn fill(&mut self, socket: BorrowedFd<'_>, link: Option<u32>) -> Result<usize, Errno> {
        const CAPACITY: usize = ReceiveBuffers::CAPACITY;
        self.arrived.clear();
        // SAFETY: both are plain C structs for which all bits zero is a valid value.
        let mut vectors: [libc::iovec; CAPACITY] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; CAPACITY] = unsafe { std::mem::zeroed() };
        let mut controls = [Control([0; CONTROL_SIZE]); CAPACITY];
        for (index, buffer) in self.packets.chunks_exact_mut(ReceiveBuffers::PACKET_SIZE).enumerate() {
            vectors[index] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
            let header = &mut headers[index].msg_hdr;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            if link.is_none() {
                header.msg_control = controls[index].0.as_mut_ptr().cast();
                header.msg_controllen = CONTROL_SIZE as _;
            }
        }
        let count = loop {
            let (headers, flags) = (headers.as_mut_ptr(), libc::MSG_DONTWAIT);
            // SAFETY: each of the CAPACITY headers points to a vector, a packet buffer and (or null) a control buffer
            // of the sizes that it says; all of them live until the call returns, and nothing else refers to them.
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
        for header in &headers[..count] {
            let length = (header.msg_len as usize).min(ReceiveBuffers::PACKET_SIZE);
            let link = link.unwrap_or_else(|| arrival_link(&header.msg_hdr));
            self.arrived.push(Arrived { length, link });
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

/// The interface that `IP_PKTINFO` names; 0, which no interface has, if it is absent.
fn arrival_link(header: &libc::msghdr) -> u32 {
    // SAFETY: `header` was filled by the kernel, and its control buffer is still there and aligned.
    let mut control = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !control.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR answer null or a header within the buffer; what the kernel says to be
        // of this level and kind is an in_pktinfo, read here without assuming its alignment.
        unsafe {
            if (*control).cmsg_level == libc::IPPROTO_IP && (*control).cmsg_type == libc::IP_PKTINFO {
                let information = libc::CMSG_DATA(control).cast::<libc::in_pktinfo>().read_unaligned();
                return information.ipi_ifindex.cast_unsigned();
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    0
}
