//! What has been sent and heard already, so that what is heard a second time is not believed (`auth_hmac`, AH).

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::receive::Discard;
use crate::time::Calendar;
use crate::wire::trailer::Sequence;
use crate::{AntiReplay, Instant};

/// Senders beside the configured peers that are remembered: those heard last.
const STRANGERS: usize = 4;
/// So many advertisements may be on their way: two routers that speak for the first time count in step, and neither ever
/// has a greater number than what the other has sent meanwhile.
const UNDER_WAY: u32 = 8;

/// What makes an advertisement newer than others of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// In a trailer.
    Trailer(Sequence),
    /// In an authentication header.
    Header(u32),
}

/// What one router has sent and heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Freshness {
    pub(crate) calendar: Calendar,
    sent: Option<Sequence>,
    /// The greatest that anybody was believed with.
    heard: Option<Sequence>,
    /// With an authentication header: the greatest number that was sent or heard.
    count: u32,
    /// The last number that was heard is greater than what this router has sent: whoever counts so far does not believe that.
    is_exceeded: bool,
    /// Every configured peer, and what was heard of it last.
    peers: Vec<(IpAddr, Option<Stamp>)>,
    /// Whoever else was heard, the last one first.
    strangers: [Option<(IpAddr, Stamp)>; STRANGERS],
}

impl Freshness {
    /// The sequence of an advertisement that is sent now: newer than all before, and by the calendar if it can.
    pub(crate) fn next(&mut self, now: Instant, anti_replay: AntiReplay) -> Sequence {
        let by_calendar = Sequence::at(self.calendar.at(now));
        let before = match anti_replay {
            AntiReplay::Time { .. } => self.sent,
            // A former life of ours may have sent greater ones by a calendar that was ahead of this one. Whoever has heard them
            // does not believe us before we exceed them, and speaks with greater ones himself (decision 19).
            AntiReplay::Monotonic => self.sent.max(self.heard),
        };
        let sequence = match before.map(Sequence::next) {
            // Where the calendar was set back by little, those who heard what we sent before take nothing older.
            Some(newer) if !anti_replay.is_stale(newer, self.calendar.at(now)) => newer.max(by_calendar),
            // If by much, nobody whose calendar is right has believed what we sent before.
            Some(_) | None => by_calendar,
        };
        self.sent = Some(sequence);
        sequence
    }

    /// The next number for an authentication header. keepalived has one count for all senders of a router, so everybody
    /// counts on from whatever was said last. It never begins anew (RFC 2402 §3.3.2); who sends one advertisement a second
    /// has enough for a hundred years.
    pub(crate) fn next_count(&mut self) -> u32 {
        self.count = self.count.saturating_add(1);
        self.is_exceeded = false;
        self.count
    }

    /// Whether the last advertisement was signed with a number that another router's had left behind already.
    pub(crate) const fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    /// Whether the sequence of a genuine trailer is no older than it may be, and newer than what its sender sent before.
    pub(crate) fn judge(
        &self,
        now: Instant,
        from: IpAddr,
        sequence: Sequence,
        anti_replay: AntiReplay,
    ) -> Result<(), Discard> {
        let stale = |sequence| anti_replay.is_stale(sequence, self.calendar.at(now));
        if stale(sequence) {
            return Err(Discard::TrailerStale);
        }
        match self.last_of(from) {
            // What was believed and would now be of another time is of the future: the calendar was set back, here and there,
            // and that number says nothing any more.
            Some(Stamp::Trailer(last)) if sequence <= last && !stale(last) => Err(Discard::TrailerReplayed),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the number of a genuine authentication header is newer than what its sender sent before. Who is heard for
    /// the first time must not be behind the others by more than may be under way. The first number of all is 1.
    pub(crate) fn judge_count(&self, from: IpAddr, count: u32) -> Result<(), Discard> {
        let newer = match self.last_of(from) {
            Some(Stamp::Header(last)) => count > last,
            Some(Stamp::Trailer(_)) | None => count > 0 && count >= self.count.saturating_sub(UNDER_WAY),
        };
        if newer { Ok(()) } else { Err(Discard::AuthenticationHeaderReplayed) }
    }

    fn last_of(&self, from: IpAddr) -> Option<Stamp> {
        match self.peers.iter().find(|(peer, _)| *peer == from) {
            Some((_, last)) => *last,
            None => self.strangers.iter().flatten().find(|(stranger, _)| *stranger == from).map(|(_, last)| *last),
        }
    }

    /// An advertisement was believed.
    pub(crate) fn note(&mut self, from: IpAddr, stamp: Stamp) {
        match stamp {
            Stamp::Header(count) => {
                self.is_exceeded |= count > self.count;
                self.count = self.count.max(count);
            }
            // In the last second there is, a number says more of a mistake than of the order; and nothing would be left to
            // exceed it.
            Stamp::Trailer(sequence) if sequence.seconds() == u64::from(u32::MAX) => {}
            Stamp::Trailer(sequence) => self.heard = self.heard.max(Some(sequence)),
        }
        if let Some((_, last)) = self.peers.iter_mut().find(|(peer, _)| *peer == from) {
            *last = Some(stamp);
            return;
        }
        let known = self.strangers.iter().position(|known| known.is_none_or(|(stranger, _)| stranger == from));
        let place = known.unwrap_or(STRANGERS - 1);
        if let Some(later) = self.strangers.get_mut(..=place) {
            later.rotate_right(1);
            later[0] = Some((from, stamp));
        }
    }

    /// The peers are these now. What was heard of anybody stays known; who is no peer any more counts as a stranger.
    pub(crate) fn set_peers(&mut self, peers: &[IpAddr]) {
        let known = peers.iter().map(|peer| (*peer, self.last_of(*peer))).collect();
        let before = core::mem::replace(&mut self.peers, known);
        for (gone, last) in before {
            if let Some(last) = last.filter(|_| !peers.contains(&gone)) {
                self.note(gone, last);
            }
        }
    }
}

impl AntiReplay {
    /// Whether this is from another time than now.
    fn is_stale(self, sequence: Sequence, calendar: Duration) -> bool {
        match self {
            Self::Time { window } => Sequence::at(calendar).seconds().abs_diff(sequence.seconds()) > u64::from(window),
            Self::Monotonic => false,
        }
    }
}
