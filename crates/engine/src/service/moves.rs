//! When the role moved because of a service. A daemon that is started anew, or a machine, still knows them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{Instant, MoveRecord};

#[derive(Clone, Debug, Default)]
pub(super) struct Moves(VecDeque<MoveRecord>);

impl Moves {
    pub(super) fn note(&mut self, now: Instant) {
        self.0.push_back(MoveRecord { at: now, calendar: None });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn moments(&self) -> impl Iterator<Item = Instant> + '_ {
        self.0.iter().map(|moved| moved.at)
    }

    /// How many were within this span.
    pub(super) fn recent(&self, now: Instant, within: Duration) -> u32 {
        let recent = self.moments().filter(|at| now.since(*at) < within).count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    /// What the next life shall know; what is too old to count is dropped. `calendar` tells a moment's date.
    pub(super) fn remember(
        &mut self,
        now: Instant,
        within: Duration,
        calendar: impl Fn(Instant) -> Option<u64>,
    ) -> Vec<MoveRecord> {
        self.0.retain(|moved| now.since(moved.at) < within);
        for moved in &mut self.0 {
            moved.calendar = moved.calendar.or_else(|| calendar(moved.at));
        }
        self.0.iter().copied().collect()
    }

    /// What a former life knew. After a reboot only the calendar tells how long ago it was; where that says nothing, or
    /// that it is yet to come, it was just now.
    pub(super) fn restore(&mut self, now: Instant, moves: &[MoveRecord], same_boot: bool, calendar: u64) {
        let moment = |moved: &MoveRecord| match moved.calendar {
            _ if same_boot => moved.at.min(now),
            Some(date) => now - Duration::from_secs(calendar.saturating_sub(date)),
            None => now,
        };
        self.0 = moves.iter().map(|moved| MoveRecord { at: moment(moved), calendar: moved.calendar }).collect();
    }
}
