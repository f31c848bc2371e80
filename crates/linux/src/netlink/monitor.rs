//! Hears of every change of links and addresses.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::socket::{self, Message};
use super::{Address, Link, Renewer, decode};
use crate::Result;
use crate::error::refused;
use crate::socket_option::{set_filter, set_receive_buffer};

/// Thousands of events, each of which costs the kernel about a kilobyte.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// Something changed in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A link appeared or changed.
    Link(Link),
    /// A link was deleted or moved to another namespace.
    LinkGone {
        index: u32,
        name: String,
    },
    /// An address appeared or changed.
    Address(Address),
    AddressGone(Address),
    /// Events were lost: ask for everything again.
    Lost,
}

/// A non-blocking socket that receives link, IPv4 and IPv6 address events.
#[derive(Debug)]
pub struct Monitor {
    socket: OwnedFd,
    datagram: Vec<u8>,
}

impl Monitor {
    /// Opens it in the network namespace of this thread. Open it before the first dump, so that nothing falls between.
    pub fn open() -> Result<Monitor> {
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR;
        let socket = socket::open(SocketFlags::NONBLOCK, groups.cast_unsigned())
            .map_err(refused("open a netlink socket for events"))?;
        set_receive_buffer(&socket, RECEIVE_BUFFER).map_err(refused("enlarge the buffer for netlink events"))?;
        Ok(Monitor { socket, datagram: Vec::new() })
    }

    /// From now on does not hear of the IPv4 addresses that this one renews: thousands of times a second that nothing
    /// has changed. Of IPv6 addresses it does hear, since there the kernel does not tell who caused it.
    pub fn ignore(&self, renewer: &Renewer) -> Result<()> {
        const LOAD_WORD: u16 = 0x20;
        const LOAD_HALF: u16 = 0x28;
        const JUMP_IF_EQUAL: u16 = 0x15;
        const RETURN: u16 = 0x06;
        let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        // Classic BPF loads from the network's order, and netlink speaks the machine's.
        let port = u32::from_be_bytes(renewer.port()?.to_ne_bytes());
        let kind = u16::from_be_bytes(libc::RTM_NEWADDR.to_ne_bytes());
        let program = [
            step(LOAD_WORD, 0, 0, 12), // Who caused it,
            step(JUMP_IF_EQUAL, 0, 3, port),
            step(LOAD_HALF, 0, 0, 4), // and what it is.
            step(JUMP_IF_EQUAL, 0, 1, u32::from(kind)),
            step(RETURN, 0, 0, 0),
            step(RETURN, 0, 0, u32::MAX),
        ];
        set_filter(&self.socket, &program).map_err(refused("make the netlink monitor deaf for our own renewals"))
    }

    /// Appends everything that has happened since the last call.
    pub fn receive(&mut self, changes: &mut Vec<Change>) -> Result<()> {
        loop {
            match socket::receive(&self.socket, &mut self.datagram) {
                Ok(()) => changes.extend(socket::messages(&self.datagram).filter_map(read)),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::NOBUFS) => changes.push(Change::Lost),
                Err(errno) => return Err(refused("receive netlink events")(errno)),
            }
        }
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn read(message: Message<'_>) -> Option<Change> {
    match message.kind {
        libc::RTM_NEWLINK => decode::link(message.payload).map(Change::Link),
        libc::RTM_DELLINK => {
            decode::link(message.payload).map(|link| Change::LinkGone { index: link.index, name: link.name })
        }
        libc::RTM_NEWADDR => decode::address(message.payload).map(Change::Address),
        libc::RTM_DELADDR => decode::address(message.payload).map(Change::AddressGone),
        _ => None,
    }
}
