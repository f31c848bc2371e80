//! Paths that carry messages in one direction only: a cable with a broken fibre, a packet filter on one side. Each node
//! knows what it hears and is told what the other one hears; if that differs for long, it is no coincidence.

use alloc::vec::Vec;
use core::time::Duration;

use crate::Instant;

#[derive(Clone, Debug, Default)]
pub(super) struct OneWay {
    paths: Vec<Path>,
}

#[derive(Clone, Debug, Default)]
struct Path {
    /// Since when only one of the two hears the other there, and whether that is this node.
    lopsided: Option<(Instant, bool)>,
    told: bool,
}

impl OneWay {
    /// Takes in which paths work for us and for the peer. Both notice a cut at different moments, so that a difference
    /// counts only after `patience`. Returns what is to be told: the path, and whether it is this node that hears.
    pub(super) fn note(
        &mut self,
        now: Instant,
        ours: &[bool],
        theirs: &[bool],
        patience: Duration,
    ) -> Vec<(u32, bool)> {
        // A path that only one of us has is nobody's fault.
        self.paths.truncate(theirs.len());
        self.paths.resize(ours.len(), Path::default());
        let mut news = Vec::new();
        for (((path, ours), theirs), index) in self.paths.iter_mut().zip(ours).zip(theirs).zip(0..) {
            if ours == theirs {
                *path = Path::default();
                continue;
            }
            let begins = path.lopsided.is_none_or(|(_, here)| here != *ours);
            if begins {
                *path = Path { lopsided: Some((now, *ours)), told: false };
            }
            let lasts = path.lopsided.is_some_and(|(since, _)| now.since(since) >= patience);
            if lasts && !core::mem::replace(&mut path.told, true) {
                news.push((index, *ours));
            }
        }
        news
    }

    /// The peer is silent: nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.paths.clear();
    }

    /// By path: whether it is one-way, and then whether this node is the one that hears.
    pub(super) fn view(&self) -> impl Iterator<Item = Option<bool>> + '_ {
        self.paths.iter().map(|path| path.lopsided.filter(|_| path.told).map(|(_, here)| here))
    }

    /// When the next one has lasted long enough.
    pub(super) fn deadline(&self, patience: Duration) -> Option<Instant> {
        let waiting = self.paths.iter().filter(|path| !path.told);
        waiting.filter_map(|path| path.lopsided).map(|(since, _)| since + patience).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(800);

    fn at(milliseconds: u64) -> Instant {
        Instant::from_millis(milliseconds)
    }

    #[test]
    fn what_lasts_is_told_once_and_again_after_it_was_well() {
        let mut paths = OneWay::default();
        let mut note =
            |milliseconds, ours: &[bool], theirs: &[bool]| paths.note(at(milliseconds), ours, theirs, PATIENCE);
        assert_eq!(note(0, &[true, true], &[false, true]), []);
        assert_eq!(note(799, &[true, true], &[false, true]), []);
        assert_eq!(note(800, &[true, true], &[false, true]), [(0, true)]);
        assert_eq!(note(900, &[true, true], &[false, true]), []);
        assert_eq!(note(1000, &[true, true], &[true, true]), []);
        assert_eq!(note(2000, &[false, true], &[true, true]), []);
        assert_eq!(note(2800, &[false, true], &[true, true]), [(0, false)]);
        assert_eq!(paths.view().collect::<Vec<_>>(), [Some(false), None]);
    }

    /// A cut in both directions is noticed here first, and there a moment later.
    #[test]
    fn a_cut_is_not_one_way() {
        let mut paths = OneWay::default();
        assert_eq!(paths.note(at(0), &[false, true], &[true, true], PATIENCE), []);
        assert_eq!(paths.deadline(PATIENCE), Some(at(800)));
        assert_eq!(paths.note(at(300), &[false, true], &[false, true], PATIENCE), []);
        assert_eq!(paths.deadline(PATIENCE), None);
        assert_eq!(paths.note(at(5000), &[false, true], &[false, true], PATIENCE), []);
    }
}
