//! The thread that speaks with clients.
//!
//! It gives the loop one request at a time and leaves it alone afterwards for ten times as long as the answer took, so
//! that clients together never cost more than about a tenth of the loop, however many they are and however much they
//! ask. Whoever does not read, does not speak, or speaks nonsense is dropped; every buffer has a bound.

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use api::{Ask, Hello, Line, Outcome};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::client::Client;
use super::listening::{Listening, may_change};
use super::post::{Delivery, Handed, Remote};

/// So many clients at once.
pub(super) const CLIENTS: usize = 64;
/// Of which so many may be such that can only read: they never keep an operator out.
pub(super) const READERS: usize = 48;
/// After one client has come in, the next one waits for this long: coming and going costs something, too.
const NEXT_CLIENT: Duration = Duration::from_millis(1);
/// After the system refused us a client, it is asked again this much later.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long the loop is left alone with a request before it gets the next one, and how long at most afterwards.
const PATIENCE: Duration = Duration::from_millis(25);
const LONGEST_REST: Duration = Duration::from_millis(250);
/// The loop rests so many times as long as it took to answer.
const REST: u32 = 10;
/// A loop that does not answer is not given more than this.
const TICKETS: usize = 256;

#[derive(Debug)]
pub(super) struct Server {
    listening: Listening,
    remote: Remote,
    clients: BTreeMap<u64, Client>,
    /// Requests that wait for the loop, one of a client at most.
    waiting: VecDeque<(u64, Ask)>,
    /// What is in the loop's hands.
    tickets: BTreeMap<u64, Asked>,
    /// Clients and tickets are numbered through.
    next_number: u64,
    /// No client comes in before.
    next_client_at: Instant,
    /// The loop gets nothing before.
    rest_until: Instant,
}

/// A request in the loop's hands.
#[derive(Debug)]
struct Asked {
    client: u64,
    follows: bool,
}

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Loop,
    Door,
    Client(u64),
}

impl Server {
    pub(super) fn new(listening: Listening, remote: Remote) -> Self {
        let now = Instant::now();
        Self {
            listening,
            remote,
            clients: BTreeMap::new(),
            waiting: VecDeque::new(),
            tickets: BTreeMap::new(),
            next_number: 1,
            next_client_at: now,
            rest_until: now,
        }
    }

    /// Until the loop's end is gone.
    pub(super) fn serve(mut self) {
        loop {
            let ready = self.wait();
            let now = Instant::now();
            let mut gone = Vec::new();
            for (source, flags) in ready {
                match source {
                    Source::Loop => {
                        self.remote.for_thread.silence();
                    }
                    Source::Door => self.let_in(now),
                    Source::Client(id) => {
                        let Some(client) = self.clients.get_mut(&id) else {
                            continue;
                        };
                        let broken = flags.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
                        // What it said before it hung up may still be there, but it can no longer hear an answer.
                        if broken || (flags.contains(PollFlags::IN) && !client.read()) {
                            gone.push(id);
                        }
                    }
                }
            }
            for id in gone {
                self.remove(id);
            }
            let goes_on = self.take_deliveries(now);
            self.turn(now);
            if !goes_on {
                return;
            }
        }
    }

    /// Waits until there is something to do.
    fn wait(&self) -> Vec<(Source, PollFlags)> {
        let now = Instant::now();
        let mut sources = vec![Source::Loop];
        let mut descriptors = vec![PollFd::new(&*self.remote.for_thread, PollFlags::IN)];
        if self.next_client_at <= now {
            sources.push(Source::Door);
            descriptors.push(PollFd::new(&self.listening.listener, PollFlags::IN));
        }
        for (id, client) in &self.clients {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, client.wants_input());
            flags.set(PollFlags::OUT, client.wants_output());
            sources.push(Source::Client(*id));
            descriptors.push(PollFd::new(&client.stream, flags));
        }
        let door = (self.next_client_at > now).then_some(self.next_client_at);
        let hand_over = (!self.waiting.is_empty()).then_some(self.rest_until);
        let clients = self.clients.values().filter_map(Client::deadline);
        let deadline = door.into_iter().chain(hand_over).chain(clients).min();
        // A span that does not fit is longer than anybody lives.
        let timeout = deadline.and_then(|at| Timespec::try_from(at.saturating_duration_since(now)).ok());
        match poll(&mut descriptors, timeout.as_ref()) {
            Ok(_) => {
                let ready = sources.into_iter().zip(&descriptors).map(|(source, ready)| (source, ready.revents()));
                ready.filter(|(_, flags)| !flags.is_empty()).collect()
            }
            Err(errno) => {
                if errno != rustix::io::Errno::INTR {
                    // Short of memory: not a reason to end, but one not to hurry.
                    std::thread::sleep(ASK_AGAIN);
                }
                Vec::new()
            }
        }
    }

    fn let_in(&mut self, now: Instant) {
        self.next_client_at = now + NEXT_CLIENT;
        let stream = match self.listening.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
                    self.next_client_at = now + ASK_AGAIN;
                }
                return;
            }
        };
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        let may_change = may_change(&stream);
        let mut client = Client::new(stream, may_change, now);
        let hello = Hello { version: api::VERSION, daemon: env!("CARGO_PKG_VERSION").to_owned(), may_change };
        client.say(&Line::Hello(hello));
        let readers = self.clients.values().filter(|client| !client.may_change).count();
        if self.clients.len() >= CLIENTS || (!may_change && readers >= READERS) {
            client.dismiss(&format!("{} clients are here already; try again later", self.clients.len()));
            // The kernel takes so little at once, or it is lost; then the closed connection says enough.
            let _ = client.flush(now);
            return;
        }
        let id = self.number();
        self.clients.insert(id, client);
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// What the loop has for clients. `false`: it is gone.
    fn take_deliveries(&mut self, now: Instant) -> bool {
        let lost = self.remote.counts.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.clients.values_mut().filter(|client| client.follows).for_each(|client| client.miss(lost));
        }
        loop {
            match self.remote.deliveries.try_recv() {
                Ok(Delivery::Reply(ticket, outcome)) => self.reply(ticket, *outcome, now),
                Ok(Delivery::Event(event)) => {
                    self.remote.counts.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.tell(&event);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn reply(&mut self, ticket: u64, outcome: Outcome, now: Instant) {
        let Some(Asked { client, follows }) = self.tickets.remove(&ticket) else {
            return;
        };
        // The loop has counted a follower when it answered.
        let mut is_new_follower = false;
        if let Some(client) = self.clients.get_mut(&client) {
            is_new_follower = follows && !client.follows;
            client.follows |= follows;
            if let Some(took) = client.reply(ticket, outcome, now) {
                self.rest_until = now + (took * REST).min(LONGEST_REST);
            }
        }
        if follows && !is_new_follower {
            self.remote.counts.followers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Written once for all who follow.
    fn tell(&mut self, event: &api::Event) {
        let Ok(body) = serde_json::to_vec(event) else {
            return;
        };
        let mut line = Vec::with_capacity(body.len() + 12);
        line.extend_from_slice(b"{\"event\":");
        line.extend_from_slice(&body);
        line.extend_from_slice(b"}\n");
        for client in self.clients.values_mut().filter(|client| client.follows) {
            client.tell(&line);
        }
    }

    /// Everybody's turn: what they want, what they get, and whether they may stay.
    fn turn(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for (id, client) in &mut self.clients {
            // Output first: a client that has nothing left to read may speak again. What this adds to the output goes
            // when the socket is found writable; sent here, it could make room for a request that nobody looks for.
            let stays = client.flush(now);
            if let Some(request) = client.next_request(now) {
                self.waiting.push_back((*id, request.ask));
            }
            if !stays || client.is_overdue(now) {
                gone.push(*id);
            }
        }
        for id in gone {
            self.remove(id);
        }
        if self.rest_until <= now
            && self.tickets.len() < TICKETS
            && let Some((id, ask)) = self.waiting.pop_front()
        {
            let ticket = self.number();
            if let Some(client) = self.clients.get_mut(&id) {
                client.handed_over(ticket, now);
                self.tickets.insert(ticket, Asked { client: id, follows: matches!(ask, Ask::Events { follow: true }) });
                self.rest_until = now + PATIENCE;
                // The loop's end is gone only when we end, too.
                let _ = self.remote.requests.send(Handed { ticket, ask });
                self.remote.for_loop.ring();
            }
        }
    }

    fn remove(&mut self, id: u64) {
        if self.clients.remove(&id).is_some_and(|client| client.follows) {
            self.remote.counts.followers.fetch_sub(1, Ordering::Relaxed);
        }
        self.waiting.retain(|(whose, _)| *whose != id);
    }
}
