//! The calendar of a pretend machine, which need not be right.

use std::time::Duration;

use engine::Instant;

/// The calendar at the beginning of a scenario: seconds since 1970.
pub(crate) const CALENDAR: u64 = 1_800_000_000;

/// How a machine's calendar goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// By how many nanoseconds it was ahead of the right time at `since`.
    ahead: i64,
    since: Instant,
    /// Parts per million by which it goes too fast.
    drift: i64,
}

/// What somebody does to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockAct {
    /// `ahead 3s`: it is set to so much more than the right time.
    Ahead(Duration),
    /// `behind 3s`
    Behind(Duration),
    /// `drifts 200`: from now on it goes too fast by so many millionths; negative: too slow.
    Drifts(i64),
}

impl Clock {
    pub(crate) fn act(&mut self, now: Instant, act: ClockAct) {
        let nanoseconds = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        self.ahead = match act {
            ClockAct::Ahead(span) => nanoseconds(span),
            ClockAct::Behind(span) => -nanoseconds(span),
            ClockAct::Drifts(_) => self.ahead(now),
        };
        if let ClockAct::Drifts(millionths) = act {
            self.drift = millionths;
        }
        self.since = now;
    }

    /// By how many nanoseconds it is ahead of the right time.
    pub(crate) fn ahead(&self, now: Instant) -> i64 {
        let since = i128::try_from(now.since(self.since).as_nanos()).unwrap_or(i128::MAX);
        let drifted = since.saturating_mul(self.drift.into()) / 1_000_000;
        self.ahead.saturating_add(i64::try_from(drifted).unwrap_or(i64::MAX))
    }

    /// What it says: since 1970.
    pub(crate) fn says(&self, now: Instant) -> Duration {
        let right = CALENDAR * 1_000_000_000 + now.as_nanos();
        Duration::from_nanos(right.saturating_add_signed(self.ahead(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, ClockAct, Duration, Instant};

    #[test]
    fn it_is_set_and_drifts_from_there() {
        let mut clock = Clock::default();
        let at = Instant::from_millis;
        assert_eq!(clock.says(at(1500)), Duration::from_millis(1_800_000_001_500));
        clock.act(at(2000), ClockAct::Ahead(Duration::from_secs(3)));
        assert_eq!(clock.says(at(2000)), Duration::from_millis(1_800_000_005_000));
        clock.act(at(4000), ClockAct::Drifts(-500));
        assert_eq!(clock.ahead(at(14_000)), 3_000_000_000 - 5_000_000);
        clock.act(at(14_000), ClockAct::Behind(Duration::from_millis(1)));
        assert_eq!(clock.ahead(at(15_000)), -1_000_000 - 500_000, "it goes on drifting");
    }
}
