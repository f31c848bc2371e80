//! Whether a service could be started here: judged while it does not run, so that a standby which could not take over
//! is known before it is needed.

use crate::{Instant, Name};

#[derive(Clone, Debug)]
pub(super) struct Readiness {
    verdict: Option<Result<(), Name>>,
    /// Good assessments in a row since the service was last in use or failed.
    good_in_a_row: u32,
    next_at: Instant,
}

impl Readiness {
    pub(super) const fn new(now: Instant) -> Self {
        Self { verdict: None, good_in_a_row: 0, next_at: now }
    }

    pub(super) const fn verdict(&self) -> Option<&Result<(), Name>> {
        self.verdict.as_ref()
    }

    pub(super) const fn good_in_a_row(&self) -> u32 {
        self.good_in_a_row
    }

    pub(super) const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// It was asked for; the next time is then.
    pub(super) const fn asked(&mut self, next_at: Instant) {
        self.next_at = next_at;
    }

    /// The service has just ended: what was good before says nothing now. The verdict stays until a new one is there.
    pub(super) const fn begin_again(&mut self, now: Instant) {
        self.good_in_a_row = 0;
        self.next_at = now;
    }

    /// Takes a verdict in; returns whether it is another one.
    pub(super) fn take(&mut self, verdict: Result<(), Name>) -> bool {
        self.good_in_a_row = if verdict.is_ok() { self.good_in_a_row.saturating_add(1) } else { 0 };
        let changed = match (&self.verdict, &verdict) {
            (Some(known), new) => known != new,
            // That it could is what everybody expects.
            (None, new) => new.is_err(),
        };
        self.verdict = Some(verdict);
        changed
    }
}
