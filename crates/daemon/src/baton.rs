//! The sockets of the pair's side channel: which path leads over which, and what came by which.
//!
//! Paths with the same source share a socket. What cannot be sent or opened is told once and is no reason for
//! anything: that a path is silent is noticed at the other end, and by the engine.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use linux::baton_socket::{BatonSocket, unspecified_like};
use linux::poll::{Interest, Poll};

/// A flood must not keep the loop from its timers.
const MESSAGES_IN_A_ROW: usize = 64;
/// The longest datagram; what is longer than a message is discarded for it.
const DATAGRAM: usize = 65_536;

#[derive(Debug)]
pub(crate) struct Batons {
    paths: Vec<Path>,
    sockets: Vec<Socket>,
    /// The token of the first socket; those of the others follow.
    token_base: u64,
    buffer: Box<[u8]>,
    /// Who sent something although no path leads there. Told once each, and only the first few.
    strangers: BTreeSet<IpAddr>,
}

#[derive(Debug)]
struct Path {
    peer: SocketAddr,
    /// Index of its socket.
    socket: usize,
    /// The error numbers that have been told.
    told: BTreeSet<Option<i32>>,
}

#[derive(Debug)]
struct Socket {
    address: SocketAddr,
    open: Option<BatonSocket>,
    /// The error numbers that have been told.
    told: BTreeSet<Option<i32>>,
}

/// So many strangers are told of: whoever can make up addresses must not fill the journal.
const STRANGERS: usize = 8;

impl Batons {
    /// Opens what can be opened. `token_base` and as many numbers after it as there are paths name the sockets in the
    /// poll. Failures are for the journal; [`Self::reopen`] tries again.
    pub(crate) fn open(pair: &config::Pair, poll: &Poll, token_base: u64) -> (Self, Vec<linux::Error>) {
        let mut sockets: Vec<Socket> = Vec::new();
        let mut paths = Vec::new();
        for path in &pair.paths {
            let source = path.source.unwrap_or_else(|| unspecified_like(path.peer));
            let address = SocketAddr::new(source, pair.port);
            let known = sockets.iter().position(|socket| socket.address == address);
            let socket = known.unwrap_or(sockets.len());
            if known.is_none() {
                sockets.push(Socket { address, open: None, told: BTreeSet::new() });
            }
            let peer = SocketAddr::new(path.peer, pair.port);
            paths.push(Path { peer, socket, told: BTreeSet::new() });
        }
        let buffer = vec![0; DATAGRAM].into_boxed_slice();
        let mut batons = Self { paths, sockets, token_base, buffer, strangers: BTreeSet::new() };
        let failures = batons.reopen(poll);
        (batons, failures)
    }

    /// Tries again what is not open: addresses of this host may have come meanwhile. Each kind of failure comes back
    /// once.
    pub(crate) fn reopen(&mut self, poll: &Poll) -> Vec<linux::Error> {
        let mut failures = Vec::new();
        for index in 0..self.sockets.len() {
            if self.sockets[index].open.is_some() {
                continue;
            }
            let beside: Vec<&BatonSocket> = self.sockets.iter().filter_map(|socket| socket.open.as_ref()).collect();
            let opened = BatonSocket::open(self.sockets[index].address, &beside);
            let opened = opened.and_then(|open| {
                poll.add(&open, self.token_base + index as u64, Interest::Readable)?;
                Ok(open)
            });
            let socket = &mut self.sockets[index];
            match opened {
                Ok(open) => {
                    socket.open = Some(open);
                    socket.told.clear();
                }
                Err(error) => failures.extend(socket.told.insert(error.errno()).then_some(error)),
            }
        }
        failures
    }

    /// Who sends something although no path leads there, as far as it was told.
    pub(crate) const fn strangers(&self) -> &BTreeSet<IpAddr> {
        &self.strangers
    }

    /// Whether nothing is left for [`Self::reopen`].
    pub(crate) fn is_open(&self) -> bool {
        self.sockets.iter().all(|socket| socket.open.is_some())
    }

    /// Hands everything that has arrived at the socket with this token to `take`, with the path that it came by.
    /// What is worth telling comes back.
    pub(crate) fn receive(&mut self, token: u64, mut take: impl FnMut(u32, &[u8])) -> Option<String> {
        let index = usize::try_from(token.checked_sub(self.token_base)?).ok()?;
        let socket = self.sockets.get_mut(index)?;
        let open = socket.open.as_ref()?;
        let mut news = None;
        // What is left after so many wakes the loop again, after it has looked at everything else.
        for _ in 0..MESSAGES_IN_A_ROW {
            let (length, from) = match open.receive(&mut self.buffer) {
                Ok(Some(received)) => received,
                Ok(None) => break,
                Err(error) => {
                    // It is reported once; the next call goes on behind it.
                    news = socket.told.insert(error.errno()).then(|| error.to_string()).or(news);
                    continue;
                }
            };
            let path = self.paths.iter().position(|path| path.socket == index && path.peer.ip() == from);
            match path {
                Some(path) => take(path as u32, &self.buffer[..length]),
                None if self.strangers.len() < STRANGERS && self.strangers.insert(from) => {
                    news = Some(format!(
                        "a message for the pair came to {} from {from}, which is not the address of the peer on any path; \
                         ignored from now on",
                        socket.address
                    ));
                }
                None => {}
            }
        }
        news
    }

    /// Sends a message by a path. Each kind of failure comes back once.
    pub(crate) fn send(&mut self, path: u32, octets: &[u8]) -> Option<linux::Error> {
        let path = self.paths.get_mut(path as usize)?;
        // Why it is not open has been told.
        let open = self.sockets.get(path.socket)?.open.as_ref()?;
        let error = open.send(path.peer, octets).err()?;
        path.told.insert(error.errno()).then_some(error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::{Ipv4Addr, UdpSocket};
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use config::{Pair, PairPath};

    use super::*;

    const BASE: u64 = 1000;

    /// An address of this host that no other process has reason to use.
    fn own(last: u8) -> IpAddr {
        let [.., high, low] = std::process::id().to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(127, high, low, last))
    }

    /// A port that is free on those addresses.
    fn free_port() -> u16 {
        UdpSocket::bind((own(1), 0)).unwrap().local_addr().unwrap().port()
    }

    fn pair(port: u16, paths: &[(Option<u8>, u8)]) -> Pair {
        let paths = paths.iter().map(|(source, peer)| PairPath { source: source.map(own), peer: own(*peer) }).collect();
        Pair {
            node: None,
            paths,
            port,
            key_file: PathBuf::new(),
            heartbeat: Duration::from_millis(250),
            dead_after: Duration::from_secs(1),
        }
    }

    fn open(port: u16, paths: &[(Option<u8>, u8)]) -> (Batons, Poll) {
        let poll = Poll::new().unwrap();
        let (batons, failures) = Batons::open(&pair(port, paths), &poll, BASE);
        assert!(failures.is_empty() && batons.is_open(), "{failures:?}");
        (batons, poll)
    }

    /// What has come, by path, once there is as much as expected; and what there was to tell.
    fn take(
        (batons, poll): &mut (Batons, Poll),
        until: impl Fn(&BTreeMap<u32, Vec<Vec<u8>>>, &[String]) -> bool,
    ) -> (BTreeMap<u32, Vec<Vec<u8>>>, Vec<String>) {
        let (mut came, mut told) = (BTreeMap::<u32, Vec<Vec<u8>>>::new(), Vec::new());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !until(&came, &told) {
            assert!(Instant::now() < deadline, "only {came:?} and {told:?} came");
            for token in poll.wait(Some(Duration::from_secs(1))).unwrap() {
                told.extend(batons.receive(token, |path, octets| came.entry(path).or_default().push(octets.to_vec())));
            }
        }
        (came, told)
    }

    #[test]
    fn each_message_comes_by_its_path() {
        let port = free_port();
        let mut one = open(port, &[(Some(1), 11), (Some(2), 12), (Some(2), 13)]);
        let mut other = open(port, &[(Some(11), 1), (Some(12), 2), (Some(13), 2)]);
        assert_eq!(one.0.sockets.len(), 2, "two paths share a source");
        for path in [0, 1, 2] {
            assert!(one.0.send(path, &[path as u8; 5]).is_none());
            assert!(other.0.send(path, &[path as u8 + 10; 3]).is_none());
        }
        let complete = |came: &BTreeMap<_, Vec<_>>, _: &[String]| came.len() == 3;
        let expected = |add: u8, length| (0..3u32).map(|path| (path, vec![vec![path as u8 + add; length]])).collect();
        assert_eq!(take(&mut other, complete), (expected(0, 5), vec![]));
        assert_eq!(take(&mut one, complete), (expected(10, 3), vec![]));
        assert_eq!(one.0.receive(BASE + 2, |_, _| panic!("there is no such socket")), None);
    }

    #[test]
    fn strangers_are_told_once_and_not_heard() {
        let port = free_port();
        let mut one = open(port, &[(Some(21), 31)]);
        let stranger = UdpSocket::bind((own(39), 0)).unwrap();
        let peer = UdpSocket::bind((own(31), 0)).unwrap();
        for _ in 0..3 {
            stranger.send_to(b"let me in", (own(21), port)).unwrap();
        }
        // From the peer's address any port will do: the seal says the rest.
        peer.send_to(b"last", (own(21), port)).unwrap();
        let (came, told) = take(&mut one, |came, _| !came.is_empty());
        assert_eq!(came, BTreeMap::from([(0, vec![b"last".to_vec()])]));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(&own(39).to_string()), "{told:?}");
    }

    #[test]
    fn what_is_not_there_yet_is_tried_again_and_told_once() {
        let port = free_port();
        // Somebody else has the port.
        let obstacle = UdpSocket::bind((own(41), port)).unwrap();
        let poll = Poll::new().unwrap();
        let (mut batons, failures) = Batons::open(&pair(port, &[(Some(41), 51)]), &poll, BASE);
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].to_string(), format!("listen on UDP {}:{port}: address already in use", own(41)));
        assert!(!batons.is_open());
        assert!(batons.reopen(&poll).is_empty(), "told once");
        assert!(batons.send(0, b"x").is_none());

        drop(obstacle);
        assert!(batons.reopen(&poll).is_empty());
        assert!(batons.is_open());
        assert!(batons.send(0, b"x").is_none());
    }

    #[test]
    fn what_the_system_does_not_take_is_told_once() {
        let (mut batons, _poll) = open(free_port(), &[(Some(61), 71)]);
        // Longer than UDP can carry; the engine writes none such.
        let too_long = vec![0; 70_000];
        assert!(batons.send(0, &too_long).is_some());
        assert!(batons.send(0, &too_long).is_none());
        assert!(batons.send(1, b"no such path").is_none());
    }
}
