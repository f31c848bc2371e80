//! Who is at the other end of a socket of this machine.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd};

use crate::socket_option::last_errno;
use crate::{Error, Result};

/// Whoever has connected, as the kernel noted it then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// As our user namespace has it.
    pub uid: u32,
    /// As our user namespace has it.
    pub gid: u32,
    /// 0 if it has no number in our PID namespace: it is outside of the container that we are in.
    pub pid: u32,
}

impl Peer {
    /// Of a connected Unix socket.
    pub fn of(socket: impl AsFd) -> Result<Self> {
        // rustix has this, too, but holds a process id for a number that is never 0.
        let mut found = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        let descriptor = socket.as_fd().as_raw_fd();
        let place = (&raw mut found).cast();
        // SAFETY: pointer and length describe `found`, which outlives the call, and any octets are a `ucred`.
        let answer =
            unsafe { libc::getsockopt(descriptor, libc::SOL_SOCKET, libc::SO_PEERCRED, place, &raw mut length) };
        if answer != 0 {
            return Err(Error::new("ask who has connected", last_errno().raw_os_error()));
        }
        Ok(Self { uid: found.uid, gid: found.gid, pid: found.pid.cast_unsigned() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::process::{Command, Stdio};

    use super::*;

    fn own(pid: u32) -> Peer {
        Peer { uid: rustix::process::getuid().as_raw(), gid: rustix::process::getgid().as_raw(), pid }
    }

    #[test]
    fn knows_who_has_connected() {
        let (here, _there) = UnixStream::pair().unwrap();
        assert_eq!(Peer::of(&here), Ok(own(std::process::id())));
        let no_socket = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(Peer::of(&no_socket).unwrap_err().errno(), Some(libc::ENOTSOCK));
    }

    /// Somebody outside of our PID namespace is somebody, too: the host's root, for a daemon in a container.
    #[test]
    fn who_has_no_number_here_has_a_user() {
        const COPY: &str = "TANIST_TEST_COPY";
        let path = |id: &str| std::env::temp_dir().join(format!("tanist-peer-{id}.sock"));
        if let Some(id) = std::env::var_os(COPY) {
            let listener = UnixListener::bind(path(id.to_str().unwrap())).unwrap();
            println!("\nlistens");
            let (stream, _) = listener.accept().unwrap();
            assert_eq!(Peer::of(&stream), Ok(own(0)));
            return;
        }
        let unshare = |program: &std::ffi::OsStr| {
            let mut unshare = Command::new("unshare");
            unshare.args(["--pid", "--fork", "--kill-child"]).arg(program);
            unshare
        };
        if !unshare("true".as_ref()).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: no PID namespace may be made here");
            return;
        }
        let id = std::process::id().to_string();
        let mut copy = unshare(std::env::current_exe().unwrap().as_os_str());
        copy.args(["--exact", "peer::tests::who_has_no_number_here_has_a_user", "--nocapture"]).env(COPY, &id);
        let mut copy = copy.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(copy.stdout.take().unwrap());
        let mut line = String::new();
        while line != "listens\n" {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it says when it listens");
        }
        let connected = UnixStream::connect(path(&id));
        std::fs::remove_file(path(&id)).unwrap();
        let _connected = connected.unwrap();
        let mut said = String::new();
        out.read_to_string(&mut said).unwrap();
        assert!(copy.wait().unwrap().success() && said.contains("1 passed"), "{said}");
    }
}
