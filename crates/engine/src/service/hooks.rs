//! What the operator's scripts are told of a service that runs here: once in each epoch that it has been taken over, and
//! `while_active` now and then.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{Hook, Instant};

#[derive(Clone, Debug, Default)]
pub(super) struct Hooks {
    /// The newest epoch that the service has run for.
    epoch: u64,
    /// The newest one in which it was told that it had been taken over, or went on; in a newer one that is told once it serves.
    told: u64,
    /// When each of `while_active` is due.
    timers: Vec<Instant>,
}

impl Hooks {
    /// The newest epoch of its role that a former life of this daemon knew of.
    pub(super) fn know_epoch(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    /// What the next life shall know: the newest epoch in which its take-over was told.
    pub(super) const fn told(&self) -> u64 {
        self.told
    }

    pub(super) const fn restore(&mut self, told: u64) {
        self.told = told;
    }

    /// It has another role from now on, whose epochs count for themselves; what was to be told still is.
    pub(super) fn change_role(&mut self) {
        (self.epoch, self.told) = (u64::from(self.is_to_be_told()), 0);
    }

    /// It has joined a role that is here: that is no take-over.
    pub(super) fn join(&mut self, epoch: u64) {
        let is_to_be_told = self.is_to_be_told();
        self.know_epoch(epoch);
        if !is_to_be_told {
            self.told = self.epoch;
        }
    }

    /// Its role has come; `goes_on`: it was found running and is adopted.
    pub(super) fn take_over(&mut self, epoch: u64, goes_on: bool) {
        // A role that was not let go after all was not taken over again; but what was to be told of it still is.
        if epoch > self.epoch {
            // What a former life told may be of another role that it had then.
            self.told = if goes_on { epoch } else { self.told.min(epoch - 1) };
        }
        self.epoch = epoch;
    }

    const fn is_to_be_told(&self) -> bool {
        self.told < self.epoch
    }

    pub(super) fn begin_timers(&mut self, now: Instant, while_active: &[Duration]) {
        self.timers = while_active.iter().map(|interval| now + *interval).collect();
    }

    pub(super) fn end_timers(&mut self) {
        self.timers.clear();
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timers.iter().copied().min()
    }

    /// Which are due, each once. `active`: its router has the role; `serves`: it does what it is for.
    pub(super) fn due(&mut self, now: Instant, while_active: &[Duration], active: bool, serves: bool) -> Vec<Hook> {
        let mut due = Vec::new();
        if active && serves && self.is_to_be_told() {
            self.told = self.epoch;
            due.push(Hook::TakenOver);
        }
        for ((at, interval), index) in self.timers.iter_mut().zip(while_active).zip(0..) {
            if *at <= now {
                // What was slept through is not made up for.
                *at = now + *interval;
                if active {
                    due.push(Hook::WhileActive(index));
                }
            }
        }
        due
    }
}
