//! The socket on which services say how they are, as sd_notify(3) has it. The kernel vouches for who says it.

#![allow(unsafe_code)]

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt};

use crate::Result;
use crate::error::refused;
use crate::socket_option::last_errno;

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
    /// Who, as the kernel says. 0 for somebody who has no number here, in another PID namespace.
    pub pid: u32,
    /// And as which user.
    pub uid: u32,
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
            let (length, sender) = match receive_with_sender(&self.socket, &mut octets) {
                Ok(received) => received,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(refused("read the notices of services")(errno)),
            };
            if let Some(sender) = sender {
                let (pid, uid) = (sender.pid.cast_unsigned(), sender.uid);
                let (ready, watchdog) = says(&octets[..length]);
                return Ok(Some(ServiceNotice { pid, uid, ready, watchdog }));
            }
        }
    }
}

impl AsFd for ServiceNotices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Whether these lines say `READY=1`, and `WATCHDOG=1`.
pub(crate) fn says(lines: &[u8]) -> (bool, bool) {
    let has = |what: &[u8]| lines.split(|octet| *octet == b'\n').any(|line| line == what);
    (has(b"READY=1"), has(b"WATCHDOG=1"))
}

/// One datagram and who has sent it. Not by way of rustix, whose credentials cannot hold a process without a number.
fn receive_with_sender(
    socket: &OwnedFd,
    octets: &mut [u8],
) -> std::result::Result<(usize, Option<libc::ucred>), Errno> {
    // Room for the credentials and nothing else: descriptors that somebody sends along find none and are closed.
    #[repr(C, align(8))]
    struct Space([u8; 32]);
    let mut space = Space([0; 32]);
    let mut vector = libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() };
    // SAFETY: all zeros are a message header without anything.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = space.0.as_mut_ptr().cast();
    header.msg_controllen = space.0.len() as _;
    // SAFETY: the header points to `octets` and `space`, which live, with their lengths.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_CMSG_CLOEXEC) };
    let Ok(length) = usize::try_from(length) else { return Err(last_errno()) };
    // SAFETY: the kernel has set the length of what it has written, and the space is aligned as its headers are; behind
    // a header of that length stand that many octets, and every content of them is a `ucred`.
    let sender = unsafe {
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        let needed = size_of::<libc::cmsghdr>() + size_of::<libc::ucred>();
        let is_whole = !first.is_null()
            && ((*first).cmsg_level, (*first).cmsg_type) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS)
            && (*first).cmsg_len as usize >= needed;
        is_whole.then(|| libc::CMSG_DATA(first).cast::<libc::ucred>().read_unaligned())
    };
    Ok((length, sender))
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
        let (pid, uid) = (std::process::id(), rustix::process::getuid().as_raw());
        assert_eq!(notices.receive().unwrap(), Some(ServiceNotice { pid, uid, ready: true, watchdog: false }));
        assert_eq!(notices.receive().unwrap(), Some(ServiceNotice { pid, uid, ready: false, watchdog: false }));
        assert_eq!(notices.receive().unwrap(), None);
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let (one, other) = (ServiceNotices::open().unwrap(), ServiceNotices::open().unwrap());
        assert_ne!(one.name(), other.name());
    }

    /// Somebody from outside of our PID namespace, for instance.
    #[test]
    fn who_has_no_number_here_is_heard_without_one() {
        use std::io::{BufRead, BufReader, Read, Write};
        use std::process::{Command, Stdio};

        const COPY: &str = "TANIST_TEST_COPY";
        if std::env::var_os(COPY).is_some() {
            let notices = ServiceNotices::open().unwrap();
            let mut out = std::io::stdout();
            writeln!(out, "\nname {}", notices.name()).unwrap();
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            let notice = notices.receive().unwrap();
            let uid = rustix::process::getuid().as_raw();
            assert_eq!(notice, Some(ServiceNotice { pid: 0, uid, ready: true, watchdog: false }));
            return;
        }
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--fork", "--kill-child"]);
        if !unshare.arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: no PID namespace may be made here");
            return;
        }
        let name = "service_notices::tests::who_has_no_number_here_is_heard_without_one";
        let mut copy = Command::new("unshare");
        copy.args(["--pid", "--fork", "--kill-child"]).arg(std::env::current_exe().unwrap());
        copy.args(["--exact", name, "--nocapture"]).env(COPY, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut copy = copy.spawn().unwrap();
        let mut out = BufReader::new(copy.stdout.take().unwrap());
        let mut line = String::new();
        let socket = loop {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it says where it listens");
            if let Some(socket) = line.strip_prefix("name ") {
                break socket.trim_end().to_owned();
            }
        };
        Notifier::connect(OsStr::new(&socket)).unwrap().ready().unwrap();
        writeln!(copy.stdin.take().unwrap(), "said").unwrap();
        let mut said = String::new();
        out.read_to_string(&mut said).unwrap();
        assert!(copy.wait().unwrap().success() && said.contains("1 passed"), "{said}");
    }
}
