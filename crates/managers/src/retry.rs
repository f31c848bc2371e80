//! When to knock again at a manager that does not answer, and when to say that it does not.

use std::time::{Duration, Instant};

/// A manager that replaces itself is back within this; nobody needs to hear of it.
const GRACE: Duration = Duration::from_secs(1);
/// From the first attempt to the second; then twice as long each time.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);
/// A connection that has been of use for so long was worth a new beginning.
const STEADY: Duration = Duration::from_secs(1);

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

    /// How to go on after a connection that was up, and of use since `steady_since`: whatever the manager does, it is not asked
    /// without a pause.
    pub(crate) fn after(mut self, now: Instant, steady_since: Option<Instant>, reason: String) -> Self {
        if steady_since.is_some_and(|since| now >= since + STEADY) {
            return Self::new(now, &reason);
        }
        self.failed(now, reason);
        if steady_since.is_some() {
            // That it is down again is told again.
            (self.since, self.told) = (now, false);
        }
        self
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
        let told = || {
            let mut retry = Retry::new(start, "closed");
            retry.failed(start, String::new());
            assert!(retry.must_be_told(start + GRACE));
            retry
        };
        let at = start + GRACE;
        let mut useless = told().after(at, None, String::new());
        assert_eq!(useless.at, at + 2 * FIRST);
        assert!(!useless.must_be_told(at));
        let mut brief = told().after(at, Some(start + Duration::from_nanos(1)), String::new());
        assert_eq!(brief.at, at + 2 * FIRST);
        assert!(!brief.must_be_told(at));
        assert!(brief.must_be_told(at + GRACE));
        let mut lasting = told().after(at, Some(start), "closed again".to_owned());
        assert_eq!((lasting.at, lasting.reason.as_str()), (at, "closed again"));
        assert!(!lasting.must_be_told(at));
    }
}
