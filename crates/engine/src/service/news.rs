//! What is made of the news of a service: that it runs, that it is gone, that it failed.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Consequence, ECHO, Elsewhere, LAST_RETRY, Service, State, count_recent};
use crate::{Ending, Instant, OnManualStop, Output, Remedy, ServiceCause, ServiceFailure};

impl Service {
    pub(super) fn found_running(&mut self, now: Instant, left_alone: bool, out: &mut Vec<Output>) -> Consequence {
        match self.state {
            State::Unknown => {
                self.come_up(now, ServiceCause::Found, out);
                self.started_by_hand = true;
            }
            State::Starting { .. } => self.come_up(now, ServiceCause::Done, out),
            State::Stopped => {
                self.come_up(now, ServiceCause::StartedByHand, out);
                self.started_by_hand = true;
                if !self.wanted && !left_alone {
                    return Consequence::ComeBack;
                }
            }
            State::Running { .. } | State::Stopping { .. } => {}
        }
        Consequence::Nothing
    }

    pub(super) fn found_gone(
        &mut self,
        now: Instant,
        ending: Ending,
        left_alone: bool,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Consequence {
        match self.state {
            State::Unknown => self.stop_running(now, ServiceCause::Found, out),
            State::Stopped => {}
            State::Stopping { .. } => {
                self.stop_running(now, ServiceCause::Done, out);
                self.echo_until = Some(now + ECHO);
            }
            // It may be the last run's end, told for the second time, and this one is on its way: its manager says which.
            State::Starting { .. } if self.echo_until.is_some_and(|until| now < until) => {
                self.echo_until = None;
                self.watch(out);
            }
            State::Starting { .. } | State::Running { .. } => {
                self.stop_running(now, ServiceCause::Ended(ending.clone()), out);
                if self.wanted {
                    return self.fail(now, ServiceFailure::Ended(ending), left_alone, elsewhere, out);
                }
            }
        }
        Consequence::Nothing
    }

    pub(super) fn stopped_by_hand(&mut self, now: Instant, left_alone: bool, out: &mut Vec<Output>) -> Consequence {
        if matches!(self.state, State::Stopped) {
            return Consequence::Nothing;
        }
        let was_ours = matches!(self.state, State::Stopping { .. } | State::Unknown);
        self.stop_running(now, ServiceCause::StoppedByHand, out);
        if was_ours || !self.wanted {
            return Consequence::Nothing;
        }
        self.last_failure = Some((now, ServiceFailure::StoppedByHand));
        self.stopped_by_hand = self.config.on_manual_stop != OnManualStop::Restart || left_alone;
        self.stopped_for_maintenance = self.config.on_manual_stop == OnManualStop::Maintenance || left_alone;
        let (remedy, consequence) = match self.config.on_manual_stop {
            _ if left_alone => (Remedy::Nothing, Consequence::Nothing),
            OnManualStop::Failover => (Remedy::Move, Consequence::StandBack),
            OnManualStop::Restart => {
                (Remedy::Restart { attempt: 0, of: 0, after: Duration::ZERO }, Consequence::Nothing)
            }
            OnManualStop::Maintenance => (Remedy::Nothing, Consequence::Maintain),
        };
        self.tell_failure(ServiceFailure::StoppedByHand, remedy, out);
        consequence
    }

    /// It failed although it is wanted here.
    pub(super) fn fail(
        &mut self,
        now: Instant,
        failure: ServiceFailure,
        left_alone: bool,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Consequence {
        self.last_failure = Some((now, failure.clone()));
        let (remedy, consequence) = self.remedy(now, left_alone, elsewhere);
        match remedy {
            Remedy::Restart { .. } => self.start_at = now,
            Remedy::StayAndRetry { after } => {
                self.start_at = now + after;
                self.waits_for_another = true;
            }
            Remedy::Move => self.give_up(now),
            Remedy::Nothing => {}
        }
        self.tell_failure(failure, remedy, out);
        consequence
    }

    /// The role has to move.
    fn give_up(&mut self, now: Instant) {
        self.failed = true;
        self.moves.note(now);
        self.readiness.begin_again(now);
    }

    /// Somebody else could do better by now: what waits here for another try goes there instead.
    pub(crate) fn go_elsewhere(
        &mut self,
        now: Instant,
        elsewhere: Elsewhere,
        out: &mut Vec<Output>,
    ) -> Option<Consequence> {
        let consequence = self.may_move(now, elsewhere)?;
        let (_, failure) = self.last_failure.clone()?;
        self.waits_for_another = false;
        self.give_up(now);
        self.tell_failure(failure, Remedy::Move, out);
        Some(consequence)
    }

    /// What follows from the role's going elsewhere; `None` if it may not.
    fn may_move(&self, now: Instant, elsewhere: Elsewhere) -> Option<Consequence> {
        let moves = self.recent_moves(now).saturating_add(elsewhere.their_moves);
        let limit = self.config.max_moves.limit;
        let may = !elsewhere.latched && elsewhere.their_moves == 0 && moves < limit && !elsewhere.nobody_better;
        // With the last one that is allowed it stays where it comes to.
        let last = if moves + 1 >= limit { Consequence::LatchTooManyMoves } else { Consequence::Nothing };
        may.then_some(last)
    }

    /// Again here within the budget, then elsewhere once, then nowhere.
    pub(super) fn remedy(&mut self, now: Instant, left_alone: bool, elsewhere: Elsewhere) -> (Remedy, Consequence) {
        if left_alone {
            return (Remedy::Nothing, Consequence::Nothing);
        }
        let of = self.config.restart.limit;
        if !elsewhere.latched && count_recent(&mut self.restarts, self.config.restart, now) < of {
            self.restarts.push_back(now);
            let attempt = u32::try_from(self.restarts.len()).unwrap_or(u32::MAX);
            return (Remedy::Restart { attempt, of, after: Duration::ZERO }, Consequence::Nothing);
        }
        if let Some(consequence) = self.may_move(now, elsewhere) {
            return (Remedy::Move, consequence);
        }
        let consequence = if elsewhere.latched {
            Consequence::Nothing
        } else if elsewhere.their_moves > 0 {
            Consequence::LatchBothFailed
        } else if self.recent_moves(now) >= self.config.max_moves.limit {
            Consequence::LatchTooManyMoves
        } else {
            Consequence::Nothing
        };
        let after = self.retry;
        self.retry = (self.retry * 2).min(LAST_RETRY);
        (Remedy::StayAndRetry { after }, consequence)
    }
}
