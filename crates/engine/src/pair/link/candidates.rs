//! Lives that may be the peer's present one: well-sealed messages come from them, but none has echoed our challenge.
//!
//! There is room for a few. If there are more, each has the same chance to be among those few in each heartbeat, however
//! often it is heard: a number drawn for the life decides, and nobody without the key can foretell it.

use alloc::vec::Vec;

use super::Echo;
use crate::wire::baton::BatonMessage;
use crate::{Instant, PairConfig};

/// A handful of lives, none of which may be real.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    lives: Vec<Candidate>,
    /// The heartbeat of ours that we are in, by its number and its beginning.
    heartbeat: (u64, Instant),
    /// Answers in this heartbeat.
    answers: u32,
}

#[derive(Clone, Debug)]
struct Candidate {
    life: u64,
    /// The lowest stay in this heartbeat.
    rank: u64,
    /// The greatest so far: an older message has an older challenge.
    sequence: u64,
    echo: Echo,
    /// Since when it has been heard without a pause.
    since: Instant,
    heard_at: Instant,
    answered_at: Option<Instant>,
}

/// What is to be done about a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Considered {
    /// Answer it at once.
    pub(super) answer_now: bool,
    /// It has been answered for so long that it would have come back if it lived.
    pub(super) is_doubtful: bool,
    /// Candidates that came to nothing.
    pub(super) given_up: u64,
}

impl Candidates {
    /// So many at a time.
    pub(super) const ROOM: usize = 8;
    /// So many answers in a heartbeat: two for each of them, and many more for those that had to make room.
    const ANSWERS: u32 = 8 * Self::ROOM as u32;

    /// Takes in a message of a life that is not adopted. `rank` draws the number of a life in a heartbeat.
    pub(super) fn consider(
        &mut self,
        now: Instant,
        message: &BatonMessage,
        config: &PairConfig,
        rank: impl Fn(u64, u64) -> u64,
    ) -> Considered {
        if now >= self.heartbeat.1 + config.heartbeat {
            self.heartbeat = (self.heartbeat.0 + 1, now);
            self.answers = 0;
            for candidate in &mut self.lives {
                candidate.rank = rank(self.heartbeat.0, candidate.life);
            }
        }
        let mut considered = Considered::default();
        let known = self.lives.iter().position(|candidate| candidate.life == message.life);
        let position = known.or_else(|| {
            let rank = rank(self.heartbeat.0, message.life);
            considered.given_up += self.make_room(now, config, rank);
            (self.lives.len() < Self::ROOM).then(|| {
                let (life, sequence, echo) = (message.life, message.sequence, Echo::of(now, message));
                self.lives.push(Candidate { life, rank, sequence, echo, since: now, heard_at: now, answered_at: None });
                self.lives.len() - 1
            })
        });
        let Some(position) = position else {
            considered.given_up += 1;
            return considered;
        };
        let may_answer = self.answers < Self::ANSWERS;
        let candidate = &mut self.lives[position];
        if now.since(candidate.heard_at) > config.dead_after {
            considered.given_up += 1;
            candidate.since = now;
        }
        candidate.heard_at = now;
        if message.sequence > candidate.sequence {
            candidate.sequence = message.sequence;
            candidate.echo = Echo::of(now, message);
        }
        considered.is_doubtful = now.since(candidate.since) > config.dead_after;
        let rested = candidate.answered_at.is_none_or(|at| now >= at + config.heartbeat / 2);
        let is_newest = message.sequence == candidate.sequence;
        if may_answer && rested && is_newest && !considered.is_doubtful {
            considered.answer_now = true;
            candidate.answered_at = Some(now);
            self.answers += 1;
        }
        considered
    }

    /// Gives up those that are silent and, if that is not enough, one of a higher rank. Returns how many.
    fn make_room(&mut self, now: Instant, config: &PairConfig, rank: u64) -> u64 {
        let before = self.lives.len();
        if before == Self::ROOM {
            self.lives.retain(|candidate| now.since(candidate.heard_at) <= config.dead_after);
        }
        if self.lives.len() == Self::ROOM {
            let highest = (0..Self::ROOM).max_by_key(|position| self.lives[*position].rank);
            if let Some(highest) = highest.filter(|position| self.lives[*position].rank > rank) {
                self.lives.swap_remove(highest);
            }
        }
        (before - self.lives.len()) as u64
    }

    pub(super) fn echoes(&self) -> impl Iterator<Item = Echo> {
        self.lives.iter().map(|candidate| candidate.echo)
    }
}
