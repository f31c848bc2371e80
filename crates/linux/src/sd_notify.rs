//! Tells systemd how we are (sd_notify(3)); says nothing where nobody asked.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with};

use crate::error::refused;
use crate::{Error, Result, clock};

/// The socket of `NOTIFY_SOCKET`, if that is set.
#[derive(Debug)]
pub struct Notifier {
    socket: Option<OwnedFd>,
}

impl Notifier {
    /// Looks at `NOTIFY_SOCKET` once. A socket that can't be reached is an error; nothing set is none.
    pub fn from_environment() -> Result<Notifier> {
        match std::env::var_os("NOTIFY_SOCKET") {
            Some(place) => Notifier::connect(&place),
            None => Ok(Notifier::silent()),
        }
    }

    /// Says nothing to nobody.
    pub fn silent() -> Notifier {
        Notifier { socket: None }
    }

    /// `place` is a path, or a name in the abstract namespace if it begins with `@`.
    pub fn connect(place: &OsStr) -> Result<Notifier> {
        let refuse =
            |errno: rustix::io::Errno| Error::new(format!("connect to {}", place.display()), errno.raw_os_error());
        let address = match place.as_bytes() {
            [b'@', name @ ..] => SocketAddrUnix::new_abstract_name(name),
            path => SocketAddrUnix::new(path),
        };
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).map_err(refuse)?;
        connect(&socket, &address.map_err(refuse)?).map_err(refuse)?;
        Ok(Notifier { socket: Some(socket) })
    }

    pub fn ready(&self) -> Result<()> {
        self.tell("READY=1")
    }

    /// With the moment (CLOCK_MONOTONIC) that systemd wants to see.
    pub fn reloading(&self) -> Result<()> {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", clock::monotonic_time() / 1000))
    }

    pub fn stopping(&self) -> Result<()> {
        self.tell("STOPPING=1")
    }

    /// One line that `systemctl status` shows.
    pub fn status(&self, text: &str) -> Result<()> {
        self.tell(&format!("STATUS={}", text.replace('\n', " ")))
    }

    /// The service manager is slow at times, but never so slow that a daemon should wait for it.
    fn tell(&self, message: &str) -> Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        send(socket, message.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
            .map(|_| ())
            .map_err(refused("notify the service manager"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn check(socket: &UnixDatagram, notifier: &Notifier) {
        notifier.ready().unwrap();
        assert_eq!(heard(socket), "READY=1");
        notifier.status("two\nlines").unwrap();
        assert_eq!(heard(socket), "STATUS=two lines");
        notifier.reloading().unwrap();
        let reloading = heard(socket);
        let moment = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(moment.parse::<u64>().unwrap() <= clock::monotonic_time() / 1000);
        notifier.stopping().unwrap();
        assert_eq!(heard(socket), "STOPPING=1");
    }

    #[test]
    fn speaks_to_a_path() {
        let path = std::env::temp_dir().join(format!("tanist-notify-{}", std::process::id()));
        let socket = UnixDatagram::bind(&path).unwrap();
        check(&socket, &Notifier::connect(path.as_os_str()).unwrap());
        std::fs::remove_file(&path).unwrap();
        let error = Notifier::connect(path.as_os_str()).unwrap_err();
        assert_eq!(error.to_string(), format!("connect to {}: no such file or directory", path.display()));
    }

    #[test]
    fn speaks_to_an_abstract_name() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("tanist-notify-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        check(&socket, &Notifier::connect(OsStr::new(&format!("@{name}"))).unwrap());
    }

    #[test]
    fn silence_is_no_failure() {
        Notifier::silent().ready().unwrap();
    }
}
