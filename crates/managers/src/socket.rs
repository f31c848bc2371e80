//! A stream socket in the file system that never makes its thread wait: what can't be sent now is sent later.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// Taken at a time.
const PIECE: usize = 16 * 1024;
/// Nobody has so much to tell; whoever does is not who we think.
const MOST: usize = 16 * 1024 * 1024;

/// Where a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Path(String),
    /// In Linux's abstract space.
    Abstract(String),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: OwnedFd,
    to_send: Vec<u8>,
    /// What has come and was not taken yet.
    pub(crate) received: Vec<u8>,
    /// The other side will send nothing more.
    pub(crate) ended: bool,
}

impl Socket {
    /// Connects, or says at once that it can't be done: a full queue of the other side is a reason, too.
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let descriptor = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let to = match address {
            Address::Path(path) => SocketAddrUnix::new(path.as_str())?,
            Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
        };
        connect(&descriptor, &to)?;
        Ok(Self { descriptor, to_send: Vec::new(), received: Vec::new(), ended: false })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// What to wait for.
    pub(crate) fn interest(&self) -> PollFlags {
        if self.to_send.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT }
    }

    /// Sends now what goes, and the rest when there is room.
    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.to_send.extend_from_slice(octets);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.to_send.is_empty() {
            let flags = rustix::net::SendFlags::NOSIGNAL;
            match rustix::net::send(&self.descriptor, &self.to_send, flags) {
                Ok(count) => drop(self.to_send.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Sends what waits and receives what is there.
    pub(crate) fn exchange(&mut self) -> io::Result<()> {
        self.flush()?;
        let mut piece = [0; PIECE];
        while !self.ended {
            match rustix::io::read(&self.descriptor, &mut piece) {
                Ok(0) => self.ended = true,
                Ok(count) if self.received.len() + count > MOST => {
                    return Err(io::Error::other("it sends without end"));
                }
                Ok(count) => self.received.extend_from_slice(&piece[..count]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}
