//! Receiving packets together with the moment at which the kernel took them in: what an observer of a network needs.
//! The daemon uses none of it.

#![allow(unsafe_code)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::socket_option::{set, set_filter, set_int, set_receive_buffer, step};
use crate::{Error, Result, clock, packet_socket};

/// A non-blocking socket whose packets carry their moment.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
}

/// A packet that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured<'a> {
    /// From the link-layer header on ([`Capture::redundancy_frames`]) or from the IP header on
    /// ([`Capture::echo_replies`]), cut at the buffer's end.
    pub bytes: &'a [u8],
    /// When the kernel took it in, on the clock of [`clock::boot_time`].
    pub at: u64,
    /// The interface; 0 if the socket does not tell.
    pub link: u32,
    /// It was on its way out through that interface, not in.
    pub outgoing: bool,
}

impl Capture {
    /// What tells of redundancy on any interface of this thread's network namespace, both ways: VRRP, ARP,
    /// neighbour discovery and reports of groups of IPv6.
    ///
    /// # Errors
    /// When the kernel refuses, for want of `CAP_NET_RAW` for instance.
    pub fn redundancy_frames() -> Result<Capture> {
        let open = || -> io::Result<Capture> {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            // Deaf until the filter stands.
            let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
            set_filter(&socket, REDUNDANCY_FILTER)?;
            packet_socket::bind(&socket, libc::ETH_P_ALL as u16, 0)?;
            Self::stamped(socket)
        };
        open().map_err(|error| Error::from_io("open a packet socket", &error))
    }

    /// The ICMP echo replies that reach this thread's network namespace. Requests can be sent through it, too.
    ///
    /// # Errors
    /// When the kernel refuses, for want of `CAP_NET_RAW` for instance.
    pub fn echo_replies() -> Result<Capture> {
        let open = || -> io::Result<Capture> {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::INET, SocketType::RAW, flags, Some(rustix::net::ipproto::ICMP))?;
            // linux/icmp.h: option 1 of level SOL_RAW holds a bit for each type that is not wanted.
            let all_but_replies: u32 = !1;
            set(&socket, libc::SOL_RAW, 1, &all_but_replies)?;
            Self::stamped(socket)
        };
        open().map_err(|error| Error::from_io("open an ICMP socket", &error))
    }

    fn stamped(socket: OwnedFd) -> io::Result<Capture> {
        set_int(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        // A burst must not be lost while the observer's thread waits for its turn.
        set_receive_buffer(&socket, 8 << 20)?;
        Ok(Self { socket })
    }

    /// The next packet; `None` when there is none.
    ///
    /// # Errors
    /// As the socket reports them.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<Captured<'a>>> {
        // Aligned as control messages are.
        let mut control = [0_u64; 16];
        let mut sender = MaybeUninit::<libc::sockaddr_ll>::zeroed();
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: all zero is a valid msghdr.
        let mut message: libc::msghdr = unsafe { mem::zeroed() };
        message.msg_name = sender.as_mut_ptr().cast();
        message.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control) as _;
        // SAFETY: every pointer in `message` is to a live local of the length that stands beside it.
        let length = unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
        let Ok(length) = usize::try_from(length) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(Error::from_io("receive a packet", &error)),
            };
        };
        let at = moment_of(stamp(&message));
        // SAFETY: it was zeroed, which is a valid address, and the kernel wrote at most the given length.
        let sender = unsafe { sender.assume_init() };
        let of_packet_socket = i32::from(sender.sll_family) == libc::AF_PACKET;
        let link = if of_packet_socket { sender.sll_ifindex.unsigned_abs() } else { 0 };
        let outgoing = of_packet_socket && sender.sll_pkttype == libc::PACKET_OUTGOING;
        let length = length.min(buffer.len());
        Ok(Some(Captured { bytes: &buffer[..length], at, link, outgoing }))
    }
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The kernel's stamp: nanoseconds of the real-time clock.
fn stamp(message: &libc::msghdr) -> Option<u64> {
    // SAFETY: the header was filled by recvmsg and its control buffer is alive and aligned; the macros walk inside it.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_TIMESTAMPNS {
                let time = libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned();
                return Some(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs());
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    None
}

/// From the clock of the stamps to the clock that does not jump: both are read now, and the age carried over.
fn moment_of(stamp: Option<u64>) -> u64 {
    let now = clock::boot_time();
    let age = stamp.map_or(0, |stamp| (clock::real_time().as_nanos() as u64).saturating_sub(stamp));
    now.saturating_sub(age)
}

const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Classic BPF over an Ethernet frame. Jumps count the instructions that are left out.
const REDUNDANCY_FILTER: &[libc::sock_filter] = &[
    step(LOAD_HALF, 12, 0, 0),         // EtherType
    step(JUMP_IF_EQUAL, 0x0806, 9, 0), // ARP: take
    step(JUMP_IF_EQUAL, 0x0800, 0, 3), // IPv4:
    step(LOAD_BYTE, 23, 0, 0),         //   protocol
    step(JUMP_IF_EQUAL, 112, 6, 0),    //   VRRP: take
    step(JUMP_IF_EQUAL, 51, 5, 6),     //   AH: take
    step(JUMP_IF_EQUAL, 0x86dd, 0, 5), // IPv6:
    step(LOAD_BYTE, 20, 0, 0),         //   next header
    step(JUMP_IF_EQUAL, 112, 2, 0),    //   VRRP: take
    step(JUMP_IF_EQUAL, 0, 1, 0),      //   hop-by-hop options, as listener reports have: take
    step(JUMP_IF_EQUAL, 58, 0, 1),     //   ICMPv6: take
    step(RETURN, 0xffff, 0, 0),
    step(RETURN, 0, 0, 0),
];
