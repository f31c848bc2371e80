//! When each router is due, kept so that the earliest is at hand: with hundreds of them, looking at all of them after each
//! packet would cost more than the packet.

use alloc::vec::Vec;

use crate::Instant;

/// A binary tree of moments, each the earlier one of the two below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    /// What is below `n` stands at `2n` and `2n + 1`; the earliest of all at 1; the routers in the second half.
    tree: Vec<Instant>,
}

impl Deadlines {
    /// Takes those of all routers.
    pub(crate) fn fill(&mut self, moments: impl Iterator<Item = Option<Instant>> + Clone) {
        let count = moments.clone().count();
        self.tree.resize(count * 2, Instant::NEVER);
        for (place, moment) in self.tree.iter_mut().skip(count).zip(moments) {
            *place = moment.unwrap_or(Instant::NEVER);
        }
        for place in (1..count).rev() {
            self.tree[place] = self.earlier_below(place);
        }
    }

    /// Takes that of one router.
    pub(crate) fn set(&mut self, router: usize, moment: Option<Instant>) {
        let mut place = self.tree.len() / 2 + router;
        let Some(known) = self.tree.get_mut(place) else { return };
        *known = moment.unwrap_or(Instant::NEVER);
        while place > 1 {
            place /= 2;
            let earlier = self.earlier_below(place);
            if core::mem::replace(&mut self.tree[place], earlier) == earlier {
                return;
            }
        }
    }

    fn earlier_below(&self, place: usize) -> Instant {
        self.tree[place * 2].min(self.tree[place * 2 + 1])
    }

    /// The earliest of all; `None` if nothing is ever due.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.tree.get(1).copied().filter(|moment| *moment != Instant::NEVER)
    }

    /// That of one router.
    pub(crate) fn of(&self, router: usize) -> Option<Instant> {
        self.tree.get(self.tree.len() / 2 + router).copied().filter(|moment| *moment != Instant::NEVER)
    }

    /// Whether a router is due by then.
    pub(crate) fn is_due(&self, router: usize, by: Instant) -> bool {
        self.of(router).is_some_and(|moment| moment <= by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small numbers that look random.
    fn shuffled(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56
    }

    #[test]
    fn the_earliest_is_that_of_all() {
        for count in 0..40_usize {
            let mut kept = Deadlines::default();
            let mut moments: Vec<Option<Instant>> = (0..count).map(|_| None).collect();
            kept.fill(moments.iter().copied());
            assert_eq!(kept.earliest(), None);
            for round in 0..200_u64 {
                let (router, moment) = (shuffled(round) as usize, shuffled(round + 1000));
                // One in four is not due at all; one that does not exist changes nothing.
                let moment = (moment % 4 > 0).then(|| Instant::from_nanos(moment));
                kept.set(router, moment);
                if let Some(known) = moments.get_mut(router) {
                    *known = moment;
                }
                assert_eq!(kept.earliest(), moments.iter().copied().flatten().min(), "{moments:?}");
                let by = Instant::from_nanos(100);
                let due = |router: &usize| kept.is_due(*router, by);
                let truly = |router: &usize| moments[*router].is_some_and(|moment| moment <= by);
                assert!((0..count).filter(due).eq((0..count).filter(truly)), "{moments:?}");
            }
            let mut again = Deadlines::default();
            again.fill(moments.iter().copied());
            assert_eq!(again.tree, kept.tree);
        }
    }
}
