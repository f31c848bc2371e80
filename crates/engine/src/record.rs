//! What an engine wants to know again in its next life. The daemon keeps it; its form on disk is made there.

use alloc::vec::Vec;

use crate::{HeldBy, Instant, Name};

/// Everything that must not be forgotten. Its loss or damage never counts as a permission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// One entry for each router that has something to remember.
    pub routers: Vec<RouterRecord>,
    /// One entry for each service that has run or failed here.
    pub services: Vec<ServiceRecord>,
    /// Number of the newest latch of the pair; 0 if there never was one.
    pub latch_number: u64,
    /// The newest latch that an operator has acknowledged.
    pub acknowledged: u64,
    /// The latch that is in force.
    pub latch: Option<LatchRecord>,
    /// How often maintenance has begun or ended in the pair; 0 if it never has.
    pub maintenance_number: u64,
    /// The maintenance that is on.
    pub maintenance: Option<MaintenanceRecord>,
}

impl Record {
    /// Whether somebody can have counted so far. What says otherwise is damaged, and to count on would end at nothing.
    pub(crate) fn can_be(&self) -> bool {
        let own = [self.latch_number, self.acknowledged, self.maintenance_number];
        let epochs = self.routers.iter().map(|router| router.epoch);
        let told = self.services.iter().map(|service| service.told);
        own.into_iter().chain(epochs).chain(told).all(can_be_reached)
    }
}

/// Whoever takes a step each nanosecond does not come so far in a hundred years.
pub(crate) const fn can_be_reached(count: u64) -> bool {
    count < 1 << 62
}

/// One router in a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterRecord {
    /// Its name.
    pub name: Name,
    /// The newest epoch that this node knows of.
    pub epoch: u64,
    /// Whether this node had the role last, as far as it knew.
    pub active: bool,
    /// Who wants this node to stand back.
    pub held_by: Vec<HeldBy>,
    /// It stands back because an operator stopped a service here by hand, and no longer once it is started by hand.
    pub stood_back: bool,
}

/// One service in a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRecord {
    /// Its name.
    pub name: Name,
    /// Its budget of restarts is spent and nothing has shown since that it could run here again.
    pub failed: bool,
    /// The newest epoch in which it was told that it has been taken over here; 0 if it never was.
    pub told: u64,
    /// It ended in maintenance, by itself or by hand, and is left so until that is over.
    pub left_stopped: bool,
    /// When the role moved because of it, oldest first, as far back as `max_moves` counts.
    pub moves: Vec<MoveRecord>,
}

/// A moment at which the role moved because of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveRecord {
    /// On the clock of the boot that saved it.
    pub at: Instant,
    /// The same in seconds since 1970; `None` if the calendar was not known.
    pub calendar: Option<u64>,
}

/// Maintenance in a [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaintenanceRecord {
    /// When it ends by itself, in seconds since 1970; `None` if it does not.
    pub until: Option<u64>,
}

/// A latch in a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatchRecord {
    /// The service.
    pub service: Name,
    /// Which of the reasons.
    pub reason: LatchReason,
    /// The node that latched.
    pub node: Name,
}

/// Why nothing floats any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatchReason {
    /// The service failed on both nodes.
    BothFailed,
    /// The role has moved too often.
    TooManyMoves,
    /// What was saved is damaged: there may have been a latch.
    RecordDamaged,
}
