//! Senders of log lines to syslog and to journald. Neither ever waits.

use std::fmt::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sendto, socket_with};

use crate::error::refused;
use crate::local_time::LocalTime;
use crate::socket_option::set_send_buffer;
use crate::{Result, clock};

const SYSLOG: &str = "/dev/log";
const JOURNAL: &str = "/run/systemd/journal/socket";
/// So much may wait for a slow receiver.
const SEND_BUFFER: usize = 1024 * 1024;

/// RFC 5424 severities, as both sides number them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Severity {
    Emergency = 0,
    Alert = 1,
    Critical = 2,
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Yes,
    /// The other side does not keep up or is not there; the line is lost.
    Dropped,
}

/// Sends datagrams to a place in the file system, whoever listens there at the moment.
#[derive(Debug)]
struct Sender {
    socket: OwnedFd,
    place: SocketAddrUnix,
}

impl Sender {
    fn open(place: &str) -> Result<Sender> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).map_err(refused("open a log socket"))?;
        // With the default buffer we drop a little earlier, that is all.
        let _ = set_send_buffer(&socket, SEND_BUFFER);
        let place = SocketAddrUnix::new(place).map_err(refused("address a log socket"))?;
        Ok(Sender { socket, place })
    }

    fn send(&self, datagram: &[u8]) -> Sent {
        match sendto(&self.socket, datagram, SendFlags::NOSIGNAL, &self.place) {
            Ok(_) => Sent::Yes,
            Err(_) => Sent::Dropped,
        }
    }
}

/// `/dev/log`, RFC 3164 style.
#[derive(Debug)]
pub struct Syslog {
    sender: Sender,
    identity: String,
    facility: u8,
    line: String,
}

impl Syslog {
    /// `facility` is the RFC's number (3: daemon, 16 to 23: local0 to local7). Opens the socket without connecting,
    /// so a syslogd that starts later or again is found.
    pub fn open(identity: &str, facility: u8) -> Result<Syslog> {
        Syslog::at(SYSLOG, identity, facility)
    }

    fn at(place: &str, identity: &str, facility: u8) -> Result<Syslog> {
        Ok(Syslog { sender: Sender::open(place)?, identity: identity.to_owned(), facility, line: String::new() })
    }

    pub fn send(&mut self, severity: Severity, text: &str) -> Sent {
        let priority = u32::from(self.facility) * 8 + u32::from(severity as u8);
        self.line.clear();
        // RFC 3164 §4.1: priority, local time, tag. Writing into a String can't fail.
        let _ = write!(
            self.line,
            "<{priority}>{} {}[{}]: {text}",
            timestamp(LocalTime::of(clock::real_time())),
            self.identity,
            std::process::id()
        );
        self.sender.send(self.line.as_bytes())
    }
}

/// journald's native socket.
#[derive(Debug)]
pub struct Journal {
    sender: Sender,
    identity: String,
    datagram: Vec<u8>,
}

impl Journal {
    pub fn open(identity: &str) -> Result<Journal> {
        Journal::at(JOURNAL, identity)
    }

    fn at(place: &str, identity: &str) -> Result<Journal> {
        Ok(Journal { sender: Sender::open(place)?, identity: identity.to_owned(), datagram: Vec::new() })
    }

    /// `fields` are further fields: names of A–Z, 0–9 and `_`.
    pub fn send(&mut self, severity: Severity, text: &str, fields: &[(&str, &str)]) -> Sent {
        let mut datagram = std::mem::take(&mut self.datagram);
        datagram.clear();
        field(&mut datagram, "MESSAGE", text);
        field(&mut datagram, "PRIORITY", &(severity as u8).to_string());
        field(&mut datagram, "SYSLOG_IDENTIFIER", &self.identity);
        for (name, value) in fields {
            field(&mut datagram, name, value);
        }
        let sent = self.sender.send(&datagram);
        self.datagram = datagram;
        sent
    }
}

/// systemd's "native journal protocol": `NAME=value`, or with a length where the value has several lines.
fn field(datagram: &mut Vec<u8>, name: &str, value: &str) {
    datagram.extend(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend((value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend(value.as_bytes());
    datagram.push(b'\n');
}

/// Whether a journald listens for entries of the native protocol.
pub fn journal_is_there() -> bool {
    std::fs::metadata(JOURNAL).is_ok()
}

/// Whether it is journald that listens for syslog: its socket has a link in the usual place.
pub fn journal_has_syslog() -> bool {
    let own = std::path::Path::new(JOURNAL).parent();
    std::fs::canonicalize(SYSLOG).is_ok_and(|place| place.parent() == own)
}

/// Whether our standard error is connected to the journal (`JOURNAL_STREAM`), so that nothing should be sent twice.
pub fn stderr_is_journal() -> bool {
    let Some(stream) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|stderr| stream == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// "Nov  3 09:05:00".
fn timestamp(moment: LocalTime) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let LocalTime { month, day, hour, minute, second, .. } = moment;
    let month = MONTHS.get(usize::from(month).wrapping_sub(1)).unwrap_or(&"Jan");
    format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::path::PathBuf;

    use super::*;

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("tanist-{name}-{}", std::process::id()))
    }

    fn heard(socket: &UnixDatagram) -> Vec<u8> {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn a_line_for_syslog() {
        let place = place("syslog");
        let mut syslog = Syslog::at(place.to_str().unwrap(), "Keepalived_vrrp", 3).unwrap();
        assert_eq!(syslog.send(Severity::Info, "nobody listens yet"), Sent::Dropped);
        let socket = UnixDatagram::bind(&place).unwrap();
        assert_eq!(syslog.send(Severity::Info, "(VI_1) Entering MASTER STATE"), Sent::Yes);
        let line = String::from_utf8(heard(&socket)).unwrap();
        let expected = format!(" Keepalived_vrrp[{}]: (VI_1) Entering MASTER STATE", std::process::id());
        assert!(line.starts_with("<30>") && line.ends_with(&expected), "{line}");
        assert_eq!(line.len(), "<30>Nov  3 09:05:00".len() + expected.len());
        std::fs::remove_file(&place).unwrap();
    }

    #[test]
    fn an_entry_for_the_journal() {
        let place = place("journal");
        let socket = UnixDatagram::bind(&place).unwrap();
        let mut journal = Journal::at(place.to_str().unwrap(), "tanist").unwrap();
        assert_eq!(journal.send(Severity::Warning, "one\ntwo", &[("TANIST_VRID", "51")]), Sent::Yes);
        let expected = b"MESSAGE\n\x07\0\0\0\0\0\0\0one\ntwo\nPRIORITY=4\nSYSLOG_IDENTIFIER=tanist\nTANIST_VRID=51\n";
        assert_eq!(heard(&socket), expected);
        std::fs::remove_file(&place).unwrap();
    }

    #[test]
    fn a_receiver_that_does_not_keep_up_costs_lines_and_no_time() {
        let place = place("slow");
        let _socket = UnixDatagram::bind(&place).unwrap();
        let mut syslog = Syslog::at(place.to_str().unwrap(), "tanist", 3).unwrap();
        // The kernel queues some datagrams (net.unix.max_dgram_qlen) and refuses the rest at once.
        let dropped = (0..100_000).any(|_| syslog.send(Severity::Debug, "more") == Sent::Dropped);
        assert!(dropped);
        std::fs::remove_file(&place).unwrap();
    }
}
