//! The paths to the peer: when it was heard on each, and what was heard there already.

use alloc::vec::Vec;
use core::time::Duration;

use crate::Instant;

/// All paths, by their index.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    paths: Vec<Path>,
}

#[derive(Clone, Debug)]
struct Path {
    /// When the peer was heard here last, in whichever life.
    heard_at: Option<Instant>,
    /// A path is not silent before it had the time to be heard.
    judged_from: Instant,
    /// As told last, since the peer is there.
    works: bool,
    sequences: Window,
}

impl Path {
    fn new(now: Instant) -> Self {
        Self { heard_at: None, judged_from: now, works: true, sequences: Window::default() }
    }

    fn silent_at(&self, dead_after: Duration) -> Instant {
        self.heard_at.map_or(self.judged_from, |heard_at| heard_at.max(self.judged_from)) + dead_after
    }
}

impl Paths {
    pub(super) fn new(count: u32) -> Self {
        Self { paths: (0..count).map(|_| Path::new(Instant::START)).collect() }
    }

    pub(super) fn resize(&mut self, now: Instant, count: u32) {
        self.paths.resize_with(count as usize, || Path::new(now));
    }

    /// The peer is there from now on.
    pub(super) fn begin(&mut self, now: Instant) {
        self.give_time(now);
        for path in &mut self.paths {
            path.works = true;
        }
    }

    /// Nobody has listened: what works is judged from now on.
    pub(super) fn give_time(&mut self, now: Instant) {
        for path in &mut self.paths {
            path.judged_from = now;
        }
    }

    /// Another life of the peer counts its messages from 1 again.
    pub(super) fn begin_life(&mut self) {
        for path in &mut self.paths {
            path.sequences = Window::default();
        }
    }

    /// Whether the message with this sequence has not come by this path before. Nothing ever comes by a path that there
    /// is not.
    pub(super) fn is_first(&mut self, path: u32, sequence: u64) -> bool {
        self.paths.get_mut(path as usize).is_some_and(|path| path.sequences.take(sequence))
    }

    /// The peer is heard there. Returns whether the path was silent.
    pub(super) fn hear(&mut self, now: Instant, path: u32) -> bool {
        let Some(path) = self.paths.get_mut(path as usize) else { return false };
        path.heard_at = Some(now);
        !core::mem::replace(&mut path.works, true)
    }

    pub(super) fn heard_at(&self) -> Vec<Option<Instant>> {
        self.paths.iter().map(|path| path.heard_at).collect()
    }

    /// Which of them work, as told last; none while the peer is not there (`alive`).
    pub(super) fn work(&self, alive: bool) -> Vec<bool> {
        self.paths.iter().map(|path| path.works && alive).collect()
    }

    /// When the next one will be silent.
    pub(super) fn silent_at(&self, dead_after: Duration) -> Option<Instant> {
        self.paths.iter().filter(|path| path.works).map(|path| path.silent_at(dead_after)).min()
    }

    /// Those that have fallen silent since the last call.
    pub(super) fn note_silence(&mut self, now: Instant, dead_after: Duration) -> Vec<u32> {
        let mut silent = Vec::new();
        for (path, index) in self.paths.iter_mut().zip(0..) {
            if path.works && now >= path.silent_at(dead_after) {
                path.works = false;
                silent.push(index);
            }
        }
        silent
    }
}

/// Which of the last 64 messages have come: every message comes by every path, and not always in order.
#[derive(Clone, Debug, Default)]
struct Window {
    greatest: u64,
    /// Bit n: `greatest` − n has come.
    taken: u64,
}

impl Window {
    /// Whether this one has not come before; one too old to tell counts as having come.
    fn take(&mut self, sequence: u64) -> bool {
        if sequence > self.greatest {
            let shift = u32::try_from(sequence - self.greatest).unwrap_or(u32::MAX);
            self.taken = self.taken.checked_shl(shift).unwrap_or(0) | 1;
            self.greatest = sequence;
            return true;
        }
        let bit = u32::try_from(self.greatest - sequence).ok().and_then(|behind| 1u64.checked_shl(behind));
        let first = bit.is_some_and(|bit| self.taken & bit == 0);
        self.taken |= bit.unwrap_or(0);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn each_message_comes_once_in_whatever_order() {
        let mut window = Window::default();
        for sequence in [10, 7, 9, 8, 1, 100] {
            assert!(window.take(sequence), "{sequence}");
            assert!(!window.take(sequence), "{sequence} again");
        }
        assert!(window.take(37) && !window.take(37), "63 behind");
        assert!(!window.take(36), "too old to tell");
    }
}
