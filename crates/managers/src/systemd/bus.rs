//! One connection to a D-Bus: finding it, saying who we are, calls out, messages in.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::event::PollFlags;

use super::message::{self, Call, Message};
use crate::socket::{Address, Socket};

/// Where the system's bus is unless the environment says otherwise (specification, "Well-known Message Bus Instances").
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";
/// systemd's own, for root only: for machines without a bus.
const PRIVATE: &str = "/run/systemd/private";

/// A way to systemd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through the message bus, where one has to introduce oneself and to subscribe.
    Bus(Address),
    /// Straight to systemd, which tells everything to everybody there.
    Private(Address),
}

impl Way {
    fn address(&self) -> &Address {
        match self {
            Self::Bus(address) | Self::Private(address) => address,
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.address().fmt(f)
    }
}

/// The ways of this machine in the order in which they are tried. `setting` is `DBUS_SYSTEM_BUS_ADDRESS`.
pub(crate) fn ways(setting: Option<&str>) -> Vec<Way> {
    let mut ways: Vec<Way> = match setting.filter(|setting| !setting.is_empty()) {
        Some(setting) => setting.split(';').filter_map(read_address).map(Way::Bus).collect(),
        None => vec![Way::Bus(Address::Path(SYSTEM_BUS.to_owned()))],
    };
    ways.push(Way::Private(Address::Path(PRIVATE.to_owned())));
    ways
}

/// `unix:path=…` or `unix:abstract=…`; `None` for what does not lead to this machine's systemd.
fn read_address(text: &str) -> Option<Address> {
    let keys = text.strip_prefix("unix:")?;
    keys.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        match key {
            "path" => Some(Address::Path(unescape(value)?)),
            "abstract" => Some(Address::Abstract(unescape(value)?)),
            _ => None,
        }
    })
}

/// `%2f` and the like.
fn unescape(text: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        (octets, rest) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                octets.push(digit(*high)? * 16 + digit(*low)?);
                (octets, after)
            }
            (b'%', _) => return None,
            (&octet, after) => {
                octets.push(octet);
                (octets, after)
            }
        };
    }
    String::from_utf8(octets).ok()
}

/// A connection that stands, or is about to.
#[derive(Debug)]
pub(crate) struct Bus {
    socket: Socket,
    accepted: bool,
    last_serial: u32,
}

impl Bus {
    /// Connects and says who we are; that we are accepted is found out by [`receive`](Self::receive).
    pub(crate) fn connect(way: &Way) -> io::Result<Self> {
        let mut socket = Socket::connect(way.address())?;
        let user = rustix::process::geteuid().as_raw().to_string();
        let digits: String = user.bytes().map(|octet| format!("{octet:02x}")).collect();
        // All at once: both dbus-daemon and systemd read on after an accepted EXTERNAL.
        socket.send(format!("\0AUTH EXTERNAL {digits}\r\nBEGIN\r\n").as_bytes())?;
        Ok(Self { socket, accepted: false, last_serial: 0 })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    pub(crate) fn interest(&self) -> PollFlags {
        self.socket.interest()
    }

    /// Sends a call; its serial comes back with the reply.
    pub(crate) fn call(&mut self, call: Call<'_>) -> io::Result<u32> {
        // 0 is no serial.
        self.last_serial = self.last_serial.checked_add(1).unwrap_or(1);
        let octets = message::encode(self.last_serial, call).map_err(io::Error::other)?;
        self.socket.send(&octets)?;
        Ok(self.last_serial)
    }

    /// What has come. An error means that the connection is of no use any more.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<Message>> {
        self.socket.exchange()?;
        let mut messages = Vec::new();
        if !self.accepted {
            let Some(length) = welcome(&self.socket.received)? else { return self.unless_ended(messages) };
            self.socket.received.drain(..length);
            self.accepted = true;
        }
        let mut taken = 0;
        let nonsense = |_| io::Error::new(io::ErrorKind::InvalidData, "what it says is not D-Bus");
        while let Some(length) = message::first_length(&self.socket.received[taken..]).map_err(nonsense)? {
            messages.push(message::decode(&self.socket.received[taken..taken + length]).map_err(nonsense)?);
            taken += length;
        }
        self.socket.received.drain(..taken);
        self.unless_ended(messages)
    }

    fn unless_ended(&self, messages: Vec<Message>) -> io::Result<Vec<Message>> {
        if self.socket.ended && messages.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has closed the connection"));
        }
        Ok(messages)
    }
}

/// No server says more before it lets somebody in, or doesn't.
const LONGEST_WELCOME: usize = 16 * 1024;

/// How long the answer to who we are is, once it is there wholly; an error if it does not let us in.
pub(super) fn welcome(received: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = received.windows(2).position(|pair| pair == b"\r\n") else {
        return match received.len() {
            ..=LONGEST_WELCOME => Ok(None),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "what it says is not D-Bus")),
        };
    };
    if !received.starts_with(b"OK ") {
        let said = String::from_utf8_lossy(&received[..end]).into_owned();
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("it does not let us in: {said}")));
    }
    Ok(Some(end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bus() {
        let path = |path: &str| Way::Bus(Address::Path(path.to_owned()));
        let private = Way::Private(Address::Path("/run/systemd/private".to_owned()));
        for (setting, expected) in [
            (None, vec![path("/run/dbus/system_bus_socket")]),
            (Some(""), vec![path("/run/dbus/system_bus_socket")]),
            (Some("unix:path=/a%20b,guid=12;unix:guid=1,path=/c"), vec![path("/a b"), path("/c")]),
            (Some("unix:abstract=x"), vec![Way::Bus(Address::Abstract("x".to_owned()))]),
            (Some("tcp:host=1.2.3.4,port=5;unix:path=/a%2"), vec![]),
        ] {
            let expected: Vec<Way> = expected.into_iter().chain([private.clone()]).collect();
            assert_eq!(ways(setting), expected, "{setting:?}");
        }
    }
}
