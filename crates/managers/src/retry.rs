//! When to knock again at a manager that does not answer, and when to say that it does not.

use std::time::{Duration, Instant};

/// A manager that replaces itself is back within this; nobody needs to hear of it.
const GRACE: Duration = Duration::from_secs(1);
/// From the first attempt to the second; then twice as long each time.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// A connection that is down.
#[derive(Debug)]
pub(crate) struct Retry {
    /// When it is tried again.
    pub(crate) at: Instant,
    /// How often it has been tried in vain.
    pub(crate) attempts: u32,
    since: Instant,
    told: bool,
    /// Why the last attempt failed, or the connection was lost.
    pub(crate) reason: String,
}

impl Retry {
    /// The connection went down just now, or was never there: to be tried at once.
    pub(crate) fn new(now: Instant, reason: &str) -> Self {
        Self { at: now, attempts: 0, since: now, told: false, reason: reason.to_owned() }
    }

    /// It failed again.
    pub(crate) fn failed(&mut self, now: Instant, reason: String) {
        let wait = FIRST.saturating_mul(1_u32.checked_shl(self.attempts).unwrap_or(u32::MAX)).min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        self.at = now + wait;
        self.reason = reason;
    }

    /// It was up, but not for long enough to be worth a new beginning. That it is down again is told again.
    pub(crate) fn was_brief(&mut self, now: Instant, reason: String) {
        self.failed(now, reason);
        self.told = false;
    }

    /// True once: it has been down for too long to keep it to ourselves.
    pub(crate) fn must_be_told(&mut self, now: Instant) -> bool {
        let due = !self.told && now >= self.since + GRACE;
        self.told |= due;
        due
    }

    /// Whether [`must_be_told`](Self::must_be_told) has said so.
    pub(crate) fn was_told(&self) -> bool {
        self.told
    }

    /// When something is to be done.
    pub(crate) fn deadline(&self) -> Instant {
        if self.told { self.at } else { self.at.min(self.since + GRACE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_tells_once() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut retry = Retry::new(start, "closed");
        assert_eq!(retry.at, start);
        for expected in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            retry.failed(start, String::new());
            assert_eq!(retry.at, at(expected));
        }
        assert_eq!(retry.deadline(), at(1000), "the end of the grace comes first");
        assert!(!retry.must_be_told(at(999)));
        assert!(retry.must_be_told(at(1000)));
        assert!(!retry.must_be_told(at(1001)));
        assert_eq!(retry.deadline(), at(5000));
        retry.attempts = u32::MAX;
        retry.failed(start, String::new());
        assert_eq!(retry.at, at(5000));
    }

    #[test]
    fn what_is_up_for_a_moment_only_is_no_new_beginning() {
        let start = Instant::now();
        let mut retry = Retry::new(start, "closed");
        retry.failed(start, String::new());
        assert!(retry.must_be_told(start + GRACE));
        retry.was_brief(start + GRACE, String::new());
        assert_eq!(retry.at, start + GRACE + 2 * FIRST);
        assert!(retry.must_be_told(start + GRACE));
    }
}
