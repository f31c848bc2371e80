//! Sends Ethernet frames: gratuitous ARP and neighbour advertisements. It receives nothing.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::Result;
use crate::error::refused;
use crate::socket_option::set_send_buffer;

/// A burst for thousands of addresses is handed over at once and leaves as the interface lets it.
const SEND_BUFFER: usize = 8 * 1024 * 1024;

/// One packet socket for all interfaces; frames go through a [`SendBatch`](crate::send_batch::SendBatch).
#[derive(Debug)]
pub struct ArpSocket {
    socket: OwnedFd,
}

impl ArpSocket {
    pub fn open() -> Result<ArpSocket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // No protocol (0): nothing that comes in is copied to this socket.
        let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)
            .map_err(refused("open a packet socket for ARP"))?;
        set_send_buffer(&socket, SEND_BUFFER).map_err(refused("enlarge the buffer of the packet socket"))?;
        Ok(ArpSocket { socket })
    }
}

impl AsFd for ArpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
