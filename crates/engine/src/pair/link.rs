//! Is the peer there, and is what it says new?
//!
//! Anybody on the network can record what the two nodes say to each other, hold it back, change its order, say it
//! again years later and send nodes their own words. The seal keeps him from making anything up; the rest is kept out
//! here, with four numbers in each message.
//!
//! * `life`: random, one for each [`PeerLink`] that there ever was.
//! * `sequence`: grows within a life.
//! * `challenge`: a random number of the sender's, drawn anew whenever it adopts a new life of its peer.
//! * `echo`: the challenge of the receiver's that the sender has heard.
//!
//! A node has *adopted* at most one life of its peer. Two rules make a message *fresh*, and nothing else does:
//!
//! 1. Of the adopted life: its sequence is greater than that of the last fresh one, it echoes our challenge or the one
//!    before it, and it is not late.
//! 2. Of another life: it echoes our challenge (not the one before it) and is not late. That life is then adopted and
//!    our challenge drawn anew.
//!
//! **What was said before is never fresh.** By rule 1 a message of the adopted life is fresh once at most. By rule 2
//! the message was written after our challenge was drawn, so after we had adopted the life before it; at that moment
//! the former life had already spoken. A node lives one life after the other, therefore the message is of a later life
//! than the adopted one: adoption only goes forward, and no former life comes back. That the challenge and not the life
//! is drawn anew matters: a new challenge is not a new life, so two nodes can't chase each other with new ones.
//!
//! **What is held back gets stale.** A message repeats what our clock said in the message that it echoes and how long
//! that was ago, so that its age is known within a round trip, whatever the two clocks say. What is older than twice
//! `dead_after` is late: nobody can let a dead peer live on by handing out its last words in small portions.
//!
//! **They find each other.** A well-sealed message of a life that is not adopted makes the sender a *candidate*, which
//! is answered at once with its own challenge; the answer is fresh there, and the answer to that is fresh here. That
//! is two round trips after the first message that gets through, whoever began, restarted, or was first. If one is
//! lost, the next heartbeat begins again.
//!
//! **And can't be kept apart by echoes of the past.** A replayed message of a former life is a candidate, too, because
//! a node that has just started can't know better. So there are a few candidates at a time, answers are limited for each
//! and for all of them, and answering delays no heartbeat and changes nothing else. Fewer than [`Candidates::ROOM`]
//! former lives take nothing from the real one. Of more of them, a few in each heartbeat are candidates, by a lot that
//! an attacker can neither foretell nor improve by saying more: it only takes longer, in proportion to their number. A
//! node without a peer sends its heartbeats to one of the candidates, again by lot.
//!
//! Who can fill the socket faster than it is read, or cut the cable, needs no such tricks.

mod candidates;
mod paths;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::time::Duration;

use crate::wire::baton::{BatonMessage, Seal, Statement};
use crate::{BatonDiscard, Instant, Name, PairConfig};

use candidates::Candidates;
use paths::Paths;

/// Former lives of the peer that are remembered only to be recognised without further ado.
const FORMER_LIVES: usize = 4;
/// Two clocks may differ in speed by a thousandth: as a divisor.
const CLOCK_DRIFT: u32 = 1000;

/// The way to the peer, and what is known of its being there.
#[derive(Clone, Debug)]
pub(crate) struct PeerLink {
    config: PairConfig,
    seal: Seal,
    random: Random,
    life: u64,
    challenge: u64,
    former_challenge: Option<u64>,
    sequence: u64,
    next_heartbeat_at: Instant,
    peer: Option<Peer>,
    former_lives: Vec<u64>,
    candidates: Candidates,
    /// What the next message answers, if it is not for the adopted life.
    answer: Option<Echo>,
    /// The peer has been heard and not yet declared silent.
    alive: bool,
    /// We were asleep when it fell silent: it is given until then.
    listen_until: Option<Instant>,
    paths: Paths,
    /// Somebody with our key speaks who has not heard us.
    in_vain: Option<InVain>,
    round_trip: Option<Duration>,
    discarded: u64,
}

/// The adopted life of the peer.
#[derive(Clone, Debug)]
struct Peer {
    life: u64,
    /// Of its last fresh message.
    sequence: u64,
    heard_at: Instant,
    echo: Echo,
}

/// Somebody who speaks and has not heard us, while the peer is not there.
#[derive(Clone, Debug)]
struct InVain {
    node: Name,
    since: Instant,
    at: Instant,
}

/// What a message says of the one that it answers.
#[derive(Clone, Copy, Debug)]
struct Echo {
    challenge: u64,
    /// The clock of who wrote the challenge, when he did.
    sent_at: u64,
    /// Our clock, when we heard it.
    heard_at: Instant,
}

impl Echo {
    fn of(now: Instant, message: &BatonMessage) -> Self {
        Self { challenge: message.challenge, sent_at: message.sent_at, heard_at: now }
    }
}

/// What became of octets that the peer may have sent.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// What it says now. `None` if this says nothing new: it came by another path already, came late, or is of a life
    /// that we have not adopted (yet).
    pub(crate) message: Option<BatonMessage>,
    /// Whether the peer was not there before; only together with a message.
    pub(crate) beginning: Option<Beginning>,
    /// The path that it came by was silent.
    pub(crate) path_works_again: bool,
    /// The next message should be written and sent at once, on all paths.
    pub(crate) answer_now: bool,
}

impl Heard {
    const NOTHING: Self = Self { message: None, beginning: None, path_works_again: false, answer_now: false };
}

/// How the peer came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// It was never heard before.
    First,
    /// It was silent.
    Again,
    /// It has begun a new life. The versions of its statements begin anew, and it has seen none of ours.
    Restarted,
}

impl PeerLink {
    /// A link on which nothing was heard yet; its first heartbeat is due at once.
    ///
    /// `random` must not be the same in two lives of this node.
    pub(crate) fn new(config: PairConfig, random: u64) -> Self {
        let seal = Seal::new(&config.key);
        let mut random = Random { seed: random, drawn: 0 };
        Self {
            life: random.draw(&seal, &config),
            challenge: random.draw(&seal, &config),
            former_challenge: None,
            sequence: 0,
            next_heartbeat_at: Instant::START,
            peer: None,
            former_lives: Vec::new(),
            candidates: Candidates::default(),
            answer: None,
            alive: false,
            listen_until: None,
            paths: Paths::new(config.paths),
            in_vain: None,
            round_trip: None,
            discarded: 0,
            config,
            seal,
            random,
        }
    }

    /// Goes on with another configuration. Our life goes on, and so does the peer's.
    pub(crate) fn reconfigure(&mut self, now: Instant, config: PairConfig) {
        self.seal = Seal::new(&config.key);
        self.paths.resize(now, config.paths);
        self.next_heartbeat_at = self.next_heartbeat_at.min(now + config.heartbeat);
        self.config = config;
    }

    /// Judges octets that came by `path`.
    pub(crate) fn receive(&mut self, now: Instant, path: u32, octets: &[u8]) -> Result<Heard, BatonDiscard> {
        let heard = self.judge(now, path, octets);
        if heard.is_err() {
            self.count_discarded(1);
        }
        heard
    }

    fn judge(&mut self, now: Instant, path: u32, octets: &[u8]) -> Result<Heard, BatonDiscard> {
        let message = self.seal.open(octets)?;
        if message.life == self.life {
            return Err(BatonDiscard::Ourselves);
        }
        if !message.statement.can_be() {
            return Err(BatonDiscard::Malformed);
        }
        let adopted = self.peer.as_ref().is_some_and(|peer| peer.life == message.life);
        if adopted {
            self.hear(now, path, message)
        } else if message.echo == self.challenge && self.round_trip_of(now, &message).is_some() {
            Ok(self.adopt(now, path, message))
        } else if self.former_lives.contains(&message.life) {
            Err(BatonDiscard::Replayed)
        } else {
            self.consider(now, &message)
        }
    }

    /// A message of the adopted life.
    fn hear(&mut self, now: Instant, path: u32, message: BatonMessage) -> Result<Heard, BatonDiscard> {
        if !self.paths.is_first(path, message.sequence) {
            return Err(BatonDiscard::Replayed);
        }
        // Without a round trip it is late, or it answers somebody who replays what was said long ago. While we hear
        // nothing else, the peer may not hear us either and not know better: then an answer helps.
        let Some(round_trip) = self.round_trip_of(now, &message) else {
            return if self.is_alive(now) { Ok(Heard::NOTHING) } else { self.consider(now, &message) };
        };
        let Some(peer) = &mut self.peer else { return Ok(Heard::NOTHING) };
        if message.sequence <= peer.sequence {
            let path_works_again = self.paths.hear(now, path) && self.alive;
            return Ok(Heard { path_works_again, ..Heard::NOTHING });
        }
        peer.sequence = message.sequence;
        peer.heard_at = now;
        peer.echo = Echo::of(now, &message);
        let beginning = (!self.alive).then_some(Beginning::Again);
        let path_works_again = self.count_alive(now, path, round_trip);
        // Silence has had its consequences, of which the peer should hear.
        Ok(Heard { message: Some(message), beginning, path_works_again, answer_now: beginning.is_some() })
    }

    /// A message of another life that has heard our challenge.
    fn adopt(&mut self, now: Instant, path: u32, message: BatonMessage) -> Heard {
        let round_trip = self.round_trip_of(now, &message).unwrap_or_default();
        let peer =
            Peer { life: message.life, sequence: message.sequence, heard_at: now, echo: Echo::of(now, &message) };
        let beginning = match self.peer.replace(peer) {
            Some(former) => {
                if self.former_lives.len() == FORMER_LIVES {
                    self.former_lives.remove(0);
                }
                self.former_lives.push(former.life);
                Beginning::Restarted
            }
            None => Beginning::First,
        };
        let challenge = self.random.draw(&self.seal, &self.config);
        self.former_challenge = Some(core::mem::replace(&mut self.challenge, challenge));
        self.candidates = Candidates::default();
        self.answer = None;
        self.paths.begin_life();
        self.paths.is_first(path, message.sequence);
        let path_works_again = self.count_alive(now, path, round_trip);
        Heard { message: Some(message), beginning: Some(beginning), path_works_again, answer_now: true }
    }

    /// A message of a life that does not know our challenge: it has just begun, or we have, or somebody replays it.
    fn consider(&mut self, now: Instant, message: &BatonMessage) -> Result<Heard, BatonDiscard> {
        let (seal, config, challenge) = (&self.seal, &self.config, self.challenge);
        let considered = self.candidates.consider(now, message, config, |heartbeat, life| {
            seal.number("rank", &config.node, [challenge.wrapping_add(heartbeat), life])
        });
        self.count_discarded(considered.given_up);
        self.note_in_vain(now, message);
        if considered.is_doubtful {
            return Err(BatonDiscard::Replayed);
        }
        if considered.answer_now {
            self.answer = Some(Echo::of(now, message));
        }
        Ok(Heard { answer_now: considered.answer_now, ..Heard::NOTHING })
    }

    /// How long it took from our message to this answer, without the time that the peer had it; `None` if it does not
    /// answer this life of ours, or took so long that it says nothing about now.
    fn round_trip_of(&self, now: Instant, message: &BatonMessage) -> Option<Duration> {
        let answers_us = message.echo == self.challenge || self.former_challenge == Some(message.echo);
        let written_after = message.heard_at.saturating_add(message.held);
        let round_trip = now.since(Instant::from_nanos(written_after));
        // While only one direction works, the peer holds the same message for hours; the clocks drift apart meanwhile.
        let drift = Duration::from_nanos(message.held) / CLOCK_DRIFT;
        let longest = self.config.dead_after.saturating_mul(2).saturating_add(drift);
        (answers_us && round_trip <= longest).then_some(round_trip)
    }

    /// Returns whether that path was silent while another one worked.
    fn count_alive(&mut self, now: Instant, path: u32, round_trip: Duration) -> bool {
        self.round_trip = Some(round_trip);
        self.listen_until = None;
        self.in_vain = None;
        if !self.alive {
            self.alive = true;
            self.paths.begin(now);
        }
        self.paths.hear(now, path)
    }

    /// When everything is well this is only the beginning of a conversation.
    fn note_in_vain(&mut self, now: Instant, message: &BatonMessage) {
        let patience = self.config.dead_after;
        let goes_on = self.in_vain.take().filter(|in_vain| now.since(in_vain.at) < patience);
        let since = goes_on.map_or(now, |in_vain| in_vain.since);
        self.in_vain = Some(InVain { node: message.statement.node.clone(), since, at: now });
    }

    /// Who speaks, but has not heard us, and that for long.
    pub(crate) fn speaks_in_vain(&self, now: Instant) -> Option<&Name> {
        let in_vain = self.in_vain.as_ref().filter(|in_vain| now.since(in_vain.at) < self.config.dead_after)?;
        (now.since(in_vain.since) >= self.config.dead_after).then_some(&in_vain.node)
    }

    /// When the peer, or who may be it, spoke last, whether it has heard us or not.
    pub(crate) fn spoke_at(&self) -> Option<Instant> {
        self.in_vain.as_ref().map(|in_vain| in_vain.at).max(self.heard_at())
    }

    fn count_discarded(&mut self, count: u64) {
        self.discarded = self.discarded.saturating_add(count);
    }

    /// One message, to be sent on every path. `version` is that of `statement`, `seen` that of the peer's statement
    /// which was seen last.
    pub(crate) fn write(&mut self, now: Instant, version: u64, seen: u64, statement: &Statement) -> Vec<u8> {
        let answer = self.answer.take();
        if answer.is_none() {
            // An answer to a stranger must not be had at the expense of a heartbeat for the peer.
            self.next_heartbeat_at = now + self.config.heartbeat;
        }
        let peer = self.peer.as_ref().map(|peer| peer.echo);
        let echo = answer.or_else(|| if self.is_alive(now) { peer } else { self.guess(peer) });
        let to_peer = peer.zip(echo).is_some_and(|(peer, echo)| peer.challenge == echo.challenge);
        self.sequence += 1;
        self.seal.seal(&BatonMessage {
            life: self.life,
            challenge: self.challenge,
            echo: echo.map_or(0, |echo| echo.challenge),
            sequence: self.sequence,
            version,
            // What was seen of one life must not be taken for something of another.
            seen: if to_peer { seen } else { 0 },
            sent_at: now.as_nanos(),
            heard_at: echo.map_or(0, |echo| echo.sent_at),
            held: echo.map_or(0, |echo| u64::try_from(now.since(echo.heard_at).as_nanos()).unwrap_or(u64::MAX)),
            statement: statement.clone(),
        })
    }

    /// Whom a heartbeat should be for when the peer is not there: one of those who may be it.
    fn guess(&mut self, peer: Option<Echo>) -> Option<Echo> {
        let count = self.candidates.echoes().chain(peer).count() as u64;
        let chosen = self.random.draw(&self.seal, &self.config).checked_rem(count)?;
        self.candidates.echoes().chain(peer).nth(chosen as usize)
    }

    /// When a message is due although nothing has changed.
    pub(crate) fn next_heartbeat_at(&self) -> Instant {
        self.next_heartbeat_at
    }

    /// Whether something fresh was heard within `dead_after`.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.silent_at().is_some_and(|silent_at| now < silent_at)
    }

    /// When the peer will be silent if nothing is heard; `None` if it is, and [`Self::note_silence`] knows.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        let peer = self.peer.as_ref().filter(|_| self.alive)?;
        let silent_at = peer.heard_at + self.config.dead_after;
        Some(self.listen_until.map_or(silent_at, |until| until.max(silent_at)))
    }

    /// For how long the peer has been silent, once, when it has fallen silent.
    pub(crate) fn note_silence(&mut self, now: Instant) -> Option<Duration> {
        let heard_at = self.peer.as_ref().filter(|_| self.alive)?.heard_at;
        if self.is_alive(now) {
            return None;
        }
        // Whoever was suspended, or stopped, has not listened: silence says nothing then. Once is enough.
        if self.listen_until.is_none() && self.silent_at().is_some_and(|at| now.since(at) > self.config.heartbeat) {
            self.listen_until = Some(now + self.config.dead_after);
            self.paths.give_time(now);
            return None;
        }
        self.alive = false;
        Some(now.since(heard_at))
    }

    /// When the next path will be silent while the peer is there; `None` if all are, or the peer is not there.
    pub(crate) fn path_silent_at(&self) -> Option<Instant> {
        if self.alive { self.paths.silent_at(self.config.dead_after) } else { None }
    }

    /// Which paths have fallen silent since the last call. Says nothing while the peer is silent: that is about the peer
    /// and not about a path.
    pub(crate) fn note_silent_paths(&mut self, now: Instant) -> Vec<u32> {
        if self.is_alive(now) { self.paths.note_silence(now, self.config.dead_after) } else { Vec::new() }
    }

    /// When something fresh was heard last.
    pub(crate) fn heard_at(&self) -> Option<Instant> {
        self.peer.as_ref().map(|peer| peer.heard_at)
    }

    /// When the peer was heard last on each path.
    pub(crate) fn paths_heard_at(&self) -> Vec<Option<Instant>> {
        self.paths.heard_at()
    }

    /// By path: whether the peer was heard there lately, as far as noticed.
    pub(crate) fn paths_work(&self) -> Vec<bool> {
        self.paths.work(self.alive)
    }

    /// How long a question and its answer took last.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Messages discarded.
    pub(crate) fn discarded(&self) -> u64 {
        self.discarded
    }
}

/// Numbers that nobody without the key can foretell, and that come again for the same seed.
#[derive(Clone, Debug)]
struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    /// Never 0, which means "none" in a message.
    fn draw(&mut self, seal: &Seal, config: &PairConfig) -> u64 {
        self.drawn += 1;
        // With the node's name, so that two nodes with the same seed are still two.
        seal.number("random", &config.node, [self.seed, self.drawn]).max(1)
    }
}
