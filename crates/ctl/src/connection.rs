//! The way to the daemon, and what to say when it is barred.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use api::{Ask, Event, Hello, Line, Outcome, Reply, Request};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::{Exit, Failure};

/// A daemon that is well answers within milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// No line of a daemon is longer; the status of a thousand instances is a fraction of it.
const LONGEST_LINE: usize = 16 << 20;

/// A daemon that has greeted us.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    path: PathBuf,
    input: Vec<u8>,
    /// How far the input has been searched for the end of a line.
    searched: usize,
    /// Events that came while something else was awaited.
    events: VecDeque<Happened>,
    next_number: u64,
    /// Who it is, and what we may do.
    pub hello: Hello,
}

/// What comes to those who follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// This.
    Event(Box<Event>),
    /// So many events were left out, because we did not read fast enough.
    Lost(u64),
}

impl Connection {
    /// Connects to the daemon that listens at this path.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Self::open_within(path, PATIENCE)
    }

    pub(crate) fn open_within(path: &Path, patience: Duration) -> Result<Self, Failure> {
        let stream = connect_to(path)?;
        let hello = Hello { version: 0, daemon: String::new(), may_change: false };
        let (input, events) = (Vec::new(), VecDeque::new());
        let mut connection = Self { stream, path: path.to_owned(), input, searched: 0, events, next_number: 1, hello };
        match connection.line(Some(patience))? {
            Some(Line::Hello(hello)) => connection.hello = hello,
            Some(_) => return Err(connection.nonsense("it did not greet")),
            None => return Err(connection.silent(patience)),
        }
        let (theirs, ours) = (connection.hello.version, api::VERSION);
        if theirs != ours {
            let daemon = &connection.hello.daemon;
            let text = format!(
                "the daemon at {} is tanist {daemon} and speaks version {theirs} of the protocol, this program speaks \
                 version {ours}: use the program that came with the daemon, or restart the daemon after an upgrade",
                path.display()
            );
            return Err(Failure::new(Exit::NoDaemon, text));
        }
        Ok(connection)
    }

    /// Asks, and waits for the answer. Events that come before it are kept for [`Self::next_event`].
    pub fn ask(&mut self, ask: Ask) -> Result<Outcome, Failure> {
        self.ask_within(ask, PATIENCE)
    }

    pub(crate) fn ask_within(&mut self, ask: Ask, patience: Duration) -> Result<Outcome, Failure> {
        let number = self.next_number;
        self.next_number += 1;
        let mut text = serde_json::to_string(&Request { number, ask })
            .map_err(|error| Failure::new(Exit::Usage, format!("write the request: {error}")))?;
        text.push('\n');
        self.stream.set_write_timeout(Some(patience)).map_err(|error| self.broken(&error))?;
        if let Err(error) = self.stream.write_all(text.as_bytes()) {
            return Err(match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => self.silent(patience),
                _ => self.last_words().unwrap_or_else(|| self.broken(&error)),
            });
        }
        let until = Instant::now() + patience;
        loop {
            match self.line(Some(until.saturating_duration_since(Instant::now())))? {
                Some(Line::Reply(Reply { number: answered, outcome })) if answered == number => {
                    return match outcome {
                        Outcome::Invalid(text) => Err(Failure::new(Exit::Refused, text)),
                        Outcome::Forbidden(text) => {
                            Err(Failure::new(Exit::NotAllowed, format!("{text}; try it with sudo")))
                        }
                        outcome => Ok(outcome),
                    };
                }
                // The answer to something that we no longer wait for.
                Some(Line::Reply(_) | Line::Hello(_)) => {}
                Some(Line::Event(event)) => self.events.push_back(Happened::Event(Box::new(event))),
                Some(Line::Lost(events)) => self.events.push_back(Happened::Lost(events)),
                Some(Line::Closed(reason)) => return Err(self.closed(&reason)),
                None => return Err(self.silent(patience)),
            }
        }
    }

    /// The next event, once it is there; `None` if the time has passed (`patience` `None`: never).
    pub fn next_event(&mut self, patience: Option<Duration>) -> Result<Option<Happened>, Failure> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match self.line(left)? {
                Some(Line::Event(event)) => return Ok(Some(Happened::Event(Box::new(event)))),
                Some(Line::Lost(events)) => return Ok(Some(Happened::Lost(events))),
                Some(Line::Closed(reason)) => return Err(self.closed(&reason)),
                Some(Line::Reply(_) | Line::Hello(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next line; `None` if the time has passed.
    fn line(&mut self, patience: Option<Duration>) -> Result<Option<Line>, Failure> {
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            if let Some(length) = self.input[self.searched..].iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=self.searched + length).collect();
                self.searched = 0;
                return serde_json::from_slice(&line).map(Some).map_err(|error| self.nonsense(&error.to_string()));
            }
            self.searched = self.input.len();
            if self.input.len() > LONGEST_LINE {
                return Err(self.nonsense("a line without end"));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            self.stream.set_read_timeout(left).map_err(|error| self.broken(&error))?;
            let mut octets = [0; 8192];
            match self.stream.read(&mut octets) {
                Ok(0) => return Err(self.closed("it ended")),
                Ok(count) => self.input.extend_from_slice(&octets[..count]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Err(self.broken(&error)),
                },
            }
        }
    }

    /// Why the daemon has closed the connection, if it said so before.
    fn last_words(&mut self) -> Option<Failure> {
        while let Ok(Some(line)) = self.line(Some(Duration::from_millis(1))) {
            if let Line::Closed(reason) = line {
                return Some(self.closed(&reason));
            }
        }
        None
    }

    fn silent(&self, patience: Duration) -> Failure {
        let (path, patience) = (self.path.display(), api::span(patience));
        let text = format!(
            "the daemon at {path} has not answered for {patience}: it is frozen or overloaded; `journalctl -u tanist` \
             may say why"
        );
        Failure::new(Exit::NoDaemon, text)
    }

    fn closed(&self, reason: &str) -> Failure {
        let path = self.path.display();
        Failure::new(Exit::NoDaemon, format!("the daemon at {path} closed the connection: {reason}"))
    }

    fn broken(&self, error: &std::io::Error) -> Failure {
        self.closed(&error.raw_os_error().map_or_else(|| error.to_string(), linux::errno_text))
    }

    fn nonsense(&self, what: &str) -> Failure {
        let path = self.path.display();
        Failure::new(Exit::NoDaemon, format!("what listens at {path} is no daemon of this version: {what}"))
    }
}

/// Never waits: a frozen daemon with a full queue would hold us for ever.
fn connect_to(path: &Path) -> Result<UnixStream, Failure> {
    let shown = path.display();
    let failed = |errno: Errno| {
        Failure::new(Exit::NoDaemon, format!("connect to {shown}: {}", linux::errno_text(errno.raw_os_error())))
    };
    let address = SocketAddrUnix::new(path).map_err(|_| {
        Failure::new(Exit::Usage, format!("{shown} is too long for the path of a socket (107 octets at most)"))
    })?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(failed)?;
    match connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR) => {
            let text = format!(
                "no daemon listens at {shown}: is it running? `systemctl status tanist`; if it listens somewhere else, \
                 say --control PATH"
            );
            return Err(Failure::new(Exit::NoDaemon, text));
        }
        Err(Errno::ACCESS | Errno::PERM) => {
            let text = format!(
                "you may not speak to the daemon at {shown}: only root and members of the group tanist may; try it with \
                 sudo"
            );
            return Err(Failure::new(Exit::NotAllowed, text));
        }
        Err(Errno::AGAIN) => {
            let text = format!(
                "the daemon at {shown} lets nobody in any more: it is frozen or overloaded; `journalctl -u tanist` may \
                 say why"
            );
            return Err(Failure::new(Exit::NoDaemon, text));
        }
        Err(errno) => return Err(failed(errno)),
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false).map_err(|error| Failure::new(Exit::NoDaemon, error.to_string()))?;
    Ok(stream)
}
