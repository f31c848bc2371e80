//! One client: what it has said and not yet been asked about, what it has not yet read, and when we have had enough.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use api::{Line, Outcome, Reply, Request};

/// A client that does not follow events is gone after this long without a request.
const IDLE: Duration = Duration::from_secs(60);
/// A client that does not take what it asked for is gone after this long.
const STUCK: Duration = Duration::from_secs(10);
/// A request that the loop has not answered by then will not be.
const UNANSWERED: Duration = Duration::from_secs(10);
/// So much may wait for a client; events beyond that are lost to it.
const BACKLOG: usize = 64 * 1024;
/// A client that makes more mistakes is of no use to anybody.
const MISTAKES: u32 = 16;

/// What a client is about.
#[derive(Debug)]
enum Turn {
    /// It may speak.
    Free,
    /// Its request waits for the loop.
    Waiting { number: u64 },
    /// Its request is in the loop's hands.
    HandedOver { number: u64, ticket: u64, since: Instant },
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: UnixStream,
    pub(super) may_change: bool,
    pub(super) follows: bool,
    turn: Turn,
    input: Vec<u8>,
    output: Vec<u8>,
    /// So much of the output has been sent.
    sent: usize,
    /// Events that it has missed.
    lost: u64,
    mistakes: u32,
    /// It will say no more.
    ended: bool,
    /// It is to be dropped once it has read what there is.
    leaving: bool,
    /// When it last asked for something.
    asked_at: Instant,
    /// Since when its output does not move.
    stuck_since: Option<Instant>,
}

impl Client {
    pub(super) fn new(stream: UnixStream, may_change: bool, now: Instant) -> Self {
        Self {
            stream,
            may_change,
            follows: false,
            turn: Turn::Free,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            lost: 0,
            mistakes: 0,
            ended: false,
            leaving: false,
            asked_at: now,
            stuck_since: None,
        }
    }

    /// Whether there is room for more of what it says. While a request of its is open, the rest waits in the kernel.
    pub(super) fn wants_input(&self) -> bool {
        !self.ended && !self.leaving && matches!(self.turn, Turn::Free) && self.unsent() == 0
    }

    pub(super) fn wants_output(&self) -> bool {
        self.unsent() > 0
    }

    fn unsent(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Reads what there is, once: the others want their turn, too. `false`: it is gone.
    #[must_use]
    pub(super) fn read(&mut self) -> bool {
        let mut octets = [0; 2048];
        match self.stream.read(&mut octets) {
            Ok(0) => self.ended = true,
            Ok(count) => self.input.extend_from_slice(&octets[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => return false,
        }
        true
    }

    /// The next request to be handed over, once it has read all answers so far. What can be answered without the loop
    /// is answered here; the bound on mistakes is one on these answers.
    pub(super) fn next_request(&mut self, now: Instant) -> Option<Request> {
        if self.unsent() > 0 {
            return None;
        }
        while matches!(self.turn, Turn::Free) && !self.leaving {
            let Some(end) = self.input.iter().position(|octet| *octet == b'\n') else {
                if self.input.len() >= api::LONGEST_REQUEST {
                    self.dismiss(&format!("a request has {} octets at most", api::LONGEST_REQUEST));
                }
                return None;
            };
            let line: Vec<u8> = self.input.drain(..=end).collect();
            self.asked_at = now;
            if line.len() > api::LONGEST_REQUEST {
                self.dismiss(&format!("a request has {} octets at most", api::LONGEST_REQUEST));
                return None;
            }
            match serde_json::from_slice::<Request>(&line) {
                Ok(request) if self.may_change || request.ask.only_reads() => {
                    self.turn = Turn::Waiting { number: request.number };
                    return Some(request);
                }
                Ok(request) => {
                    let text = "only root, the daemon's own user and members of the group tanist may do this";
                    self.refuse(request.number, Outcome::Forbidden(text.to_owned()));
                }
                Err(error) => self.refuse(0, Outcome::Invalid(format!("this is no request: {error}"))),
            }
        }
        None
    }

    /// Its request is now in the loop's hands.
    pub(super) fn handed_over(&mut self, ticket: u64, now: Instant) {
        if let Turn::Waiting { number } = self.turn {
            self.turn = Turn::HandedOver { number, ticket, since: now };
        }
    }

    /// The loop's answer. `Some`: how long it took, if this client waited for it.
    pub(super) fn reply(&mut self, ticket: u64, outcome: Outcome, now: Instant) -> Option<Duration> {
        match self.turn {
            Turn::HandedOver { number, ticket: awaited, since } if awaited == ticket => {
                self.turn = Turn::Free;
                // Not the time of the question: a slow loop is not the client's fault.
                self.asked_at = now;
                self.say(&Line::Reply(Reply { number, outcome }));
                Some(now.saturating_duration_since(since))
            }
            Turn::HandedOver { .. } | Turn::Waiting { .. } | Turn::Free => None,
        }
    }

    fn refuse(&mut self, number: u64, outcome: Outcome) {
        self.say(&Line::Reply(Reply { number, outcome }));
        self.mistakes += 1;
        if self.mistakes > MISTAKES {
            self.dismiss("too many requests that make no sense or are not allowed");
        }
    }

    /// It is told why, and goes.
    pub(super) fn dismiss(&mut self, reason: &str) {
        self.say(&Line::Closed(reason.to_owned()));
        self.leaving = true;
        self.input = Vec::new();
    }

    pub(super) fn say(&mut self, line: &Line) {
        // Plain data without maps whose keys are no strings: it can always be written.
        if let Ok(text) = serde_json::to_vec(line) {
            self.output.extend_from_slice(&text);
            self.output.push(b'\n');
        }
    }

    /// An event that has been written already; lost to a client that has too much to read as it is.
    pub(super) fn tell(&mut self, event: &[u8]) {
        if self.unsent() + event.len() > BACKLOG {
            self.lost += 1;
            return;
        }
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            self.say(&Line::Lost(lost));
        }
        self.output.extend_from_slice(event);
    }

    /// Events that never came as far as here.
    pub(super) fn miss(&mut self, events: u64) {
        self.lost += events;
    }

    /// Sends as much as it takes. `false`: it is gone.
    #[must_use]
    pub(super) fn flush(&mut self, now: Instant) -> bool {
        while self.unsent() > 0 {
            match self.stream.write(&self.output[self.sent..]) {
                Ok(count) => {
                    self.sent += count;
                    self.stuck_since = None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stuck_since.get_or_insert(now);
                    return true;
                }
                Err(_) => return false,
            }
        }
        self.output.clear();
        self.output.shrink_to(4096);
        self.sent = 0;
        !(self.leaving || self.ended && self.is_idle())
    }

    /// Nothing of its is open, and no whole request waits.
    fn is_idle(&self) -> bool {
        matches!(self.turn, Turn::Free) && !self.follows && !self.input.contains(&b'\n')
    }

    /// When we shall have had enough of it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let stuck = self.stuck_since.map(|since| since + STUCK);
        let other = match self.turn {
            Turn::Free => (!self.follows).then(|| self.asked_at + IDLE),
            Turn::HandedOver { since, .. } => Some(since + UNANSWERED),
            Turn::Waiting { .. } => Some(self.asked_at + UNANSWERED),
        };
        stuck.into_iter().chain(other).min()
    }

    /// Whether it is to be dropped without a word; one that only was idle is told.
    pub(super) fn is_overdue(&mut self, now: Instant) -> bool {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        if self.stuck_since.is_none() && !self.leaving {
            self.dismiss(match self.turn {
                Turn::Free => "nothing was asked for a minute",
                Turn::Waiting { .. } | Turn::HandedOver { .. } => "the daemon did not answer within ten seconds",
            });
            return !self.flush(now);
        }
        true
    }
}
