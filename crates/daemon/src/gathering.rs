//! Whether packets that have arrived are read at once or are left to gather.
//!
//! The advertisements of many instances come one by one within a millisecond or some, and each would wake the loop by
//! itself. As long as they come in crowds, the first of one waits a moment, and then all are read together.

/// For so long, in nanoseconds.
pub(crate) const MOMENT: u64 = 1_000_000;
/// After a crowd, another one is expected for so long. Many instances at once a second leave a gap; few stand alone.
const CROWDED: u64 = 200_000_000;

/// What is known of the last ones. All moments are nanoseconds of the same clock.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    arrived_at: u64,
    crowded_until: u64,
}

impl Gathering {
    /// Some have woken the loop. Returns whether they may be left to gather for a [`MOMENT`].
    pub(crate) fn arrive(&mut self, now: u64) -> bool {
        let waits = now < self.crowded_until;
        // One behind the other.
        if now - std::mem::replace(&mut self.arrived_at, now) < 2 * MOMENT {
            self.crowded_until = now + CROWDED;
        }
        waits
    }

    /// So many were there.
    pub(crate) fn read(&mut self, count: usize) {
        if count > 1 {
            self.crowded_until = self.arrived_at + CROWDED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In microseconds, and how many are read then; which of them may gather.
    fn check(arrivals: &[(u64, usize)], expected: &str) {
        let mut gathering = Gathering::default();
        let told = arrivals.iter().map(|(at, count)| {
            let waits = gathering.arrive(1_000_000_000 + at * 1000);
            gathering.read(*count);
            if waits { 'w' } else { '.' }
        });
        assert_eq!(told.collect::<String>(), expected);
    }

    #[test]
    fn those_of_few_instances_are_read_at_once() {
        check(&[(0, 1), (100_000, 1), (200_000, 1), (300_000, 1)], "....");
        // Two that send together once a second.
        check(&[(0, 2), (1_000_000, 2), (2_000_000, 2)], "...");
    }

    #[test]
    fn a_crowd_gathers_from_the_second_time_on() {
        check(&[(0, 3), (6_000, 16), (12_000, 16), (75_000, 16), (400_000, 16)], ".www.");
        // One behind the other: the third finds a crowd.
        check(&[(0, 1), (300, 1), (400, 1), (6_000, 1)], "..ww");
    }

    #[test]
    fn a_crowd_that_is_over_is_forgotten() {
        check(&[(0, 16), (100_000, 1), (190_000, 1), (290_000, 1)], ".ww.");
    }
}
