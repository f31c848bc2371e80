//! Chance that can be repeated: the same seed, the same faults at the same moments.

use std::time::Duration;

/// SplitMix64: small, and good enough to choose with.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..count`.
    ///
    /// # Panics
    /// If there is nothing to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        assert!(count > 0, "nothing to choose from");
        (self.number() % count as u64) as usize
    }

    /// Whether something happens that does so many times out of a thousand.
    pub fn happens(&mut self, per_mille: usize) -> bool {
        self.below(1000) < per_mille
    }

    /// From nothing up to `most`.
    pub fn span(&mut self, most: Duration) -> Duration {
        self.between(Duration::ZERO, most)
    }

    /// From `least` up to `most`.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let room = most.saturating_sub(least);
        least + room.mul_f64((self.number() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_falls_the_same() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (0..100).map(|_| dice.below(6)).collect::<Vec<_>>()
        };
        assert_eq!(throw(7), throw(7));
        assert_ne!(throw(7), throw(8));
        assert!((0..6).all(|side| throw(7).contains(&side)));
    }

    #[test]
    fn spans_stay_in_their_bounds() {
        let mut dice = Dice::new(1);
        let (least, most) = (Duration::from_millis(20), Duration::from_millis(30));
        assert!((0..1000).all(|_| (least..=most).contains(&dice.between(least, most))));
    }
}
