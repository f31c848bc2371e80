//! The socket on which services say how they are, as sd_notify(3) has it. The kernel vouches for who says it.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, IoSliceMut};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, bind,
    getsockname, recvmsg, socket_with, sockopt,
};

use crate::Result;
use crate::error::refused;

/// More than any notice needs; a longer one is cut.
const LONGEST: usize = 4096;

/// A socket with a name of its own in the abstract namespace.
#[derive(Debug)]
pub struct ServiceNotices {
    socket: OwnedFd,
    name: String,
}

/// What a process said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceNotice {
    /// Who, as the kernel says.
    pub pid: u32,
    /// `READY=1`.
    pub ready: bool,
    /// `WATCHDOG=1`.
    pub watchdog: bool,
}

impl ServiceNotices {
    pub fn open() -> Result<ServiceNotices> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let open = || {
            let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
            sockopt::set_socket_passcred(&socket, true)?;
            // Without a name the kernel finds one that nobody has.
            bind(&socket, &SocketAddrUnix::new_unnamed())?;
            let address = SocketAddrUnix::try_from(getsockname(&socket)?)?;
            let name = address.abstract_name().ok_or(Errno::INVAL)?;
            let name = std::str::from_utf8(name).map_err(|_| Errno::INVAL)?;
            Ok((format!("@{name}"), socket))
        };
        let (name, socket) = open().map_err(refused("open a socket for the notices of services"))?;
        Ok(ServiceNotices { socket, name })
    }

    /// The value of `NOTIFY_SOCKET`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next notice; `None` if there is none at present. Never waits. What is no notice is passed over.
    pub fn receive(&self) -> Result<Option<ServiceNotice>> {
        let mut octets = [0_u8; LONGEST];
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received =
                recvmsg(&self.socket, &mut [IoSliceMut::new(&mut octets)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
            let length = match received {
                Ok(received) => received.bytes,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(refused("read the notices of services")(errno)),
            };
            let pid = ancillary.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmCredentials(sender) => Some(sender.pid.as_raw_nonzero().get().cast_unsigned()),
                _ => None,
            });
            if let Some(pid) = pid {
                let says = |what: &[u8]| octets[..length].split(|octet| *octet == b'\n').any(|line| line == what);
                return Ok(Some(ServiceNotice { pid, ready: says(b"READY=1"), watchdog: says(b"WATCHDOG=1") }));
            }
        }
    }
}

impl AsFd for ServiceNotices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::sd_notify::Notifier;

    #[test]
    fn hears_what_is_said_and_by_whom() {
        let notices = ServiceNotices::open().unwrap();
        assert_eq!(notices.receive().unwrap(), None);
        let notifier = Notifier::connect(OsStr::new(notices.name())).unwrap();
        notifier.ready().unwrap();
        notifier.status("well\nWATCHDOG=1").unwrap();
        let pid = std::process::id();
        assert_eq!(notices.receive().unwrap(), Some(ServiceNotice { pid, ready: true, watchdog: false }));
        assert_eq!(notices.receive().unwrap(), Some(ServiceNotice { pid, ready: false, watchdog: false }));
        assert_eq!(notices.receive().unwrap(), None);
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let (one, other) = (ServiceNotices::open().unwrap(), ServiceNotices::open().unwrap());
        assert_ne!(one.name(), other.name());
    }
}
