//! When the role moved because of a service. A daemon that is started anew, or a machine, still knows them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{Instant, MoveRecord};

#[derive(Clone, Debug, Default)]
pub(super) struct Moves(VecDeque<Move>);

#[derive(Clone, Copy, Debug)]
struct Move {
    at: Instant,
    /// It was so much earlier than that, where it was before the machine was started and its clock with it.
    earlier: Duration,
    /// In seconds since 1970.
    calendar: Option<u64>,
}

impl Move {
    fn age(&self, now: Instant) -> Duration {
        now.since(self.at).saturating_add(self.earlier)
    }
}

impl Moves {
    pub(super) fn note(&mut self, now: Instant) {
        self.0.push_back(Move { at: now, earlier: Duration::ZERO, calendar: None });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How long ago each was.
    pub(super) fn ages(&self, now: Instant) -> impl Iterator<Item = Duration> + '_ {
        self.0.iter().map(move |moved| moved.age(now))
    }

    /// How many were within this span.
    pub(super) fn recent(&self, now: Instant, within: Duration) -> u32 {
        let recent = self.ages(now).filter(|age| *age < within).count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    /// What the next life shall know; what is too old to count is dropped. `calendar` tells a moment's date.
    pub(super) fn remember(
        &mut self,
        now: Instant,
        within: Duration,
        calendar: impl Fn(Instant) -> Option<u64>,
    ) -> Vec<MoveRecord> {
        self.0.retain(|moved| moved.age(now) < within);
        for moved in &mut self.0 {
            moved.calendar = moved.calendar.or_else(|| calendar(moved.at));
        }
        self.0.iter().map(|moved| MoveRecord { at: moved.at, calendar: moved.calendar }).collect()
    }

    /// What a former life knew. Of what was before the machine was started only the calendar tells how long ago it was; where
    /// that says nothing, or that it is yet to come, it was just now.
    pub(super) fn restore(&mut self, now: Instant, moves: &[MoveRecord], same_boot: bool, calendar: u64) {
        let up = now.since(Instant::START);
        let restored = moves.iter().map(|moved| {
            let age = match moved.calendar {
                _ if same_boot && moved.at > Instant::START => now.since(moved.at),
                Some(date) => Duration::from_secs(calendar.saturating_sub(date)),
                None => Duration::ZERO,
            };
            Move { at: now - age, earlier: age.saturating_sub(up), calendar: moved.calendar }
        });
        self.0 = restored.collect();
    }
}
