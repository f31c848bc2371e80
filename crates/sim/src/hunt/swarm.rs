//! Which kinds of faults a made-up world has at all. Half of the worlds have some kinds only: what is rare beside all the
//! others comes often there, and what would hide it does not come.

use crate::random::Random;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    PowerLost,
    Killed,
    /// In the middle of what follows from an input.
    DiesMidway,
    Stopped,
    Returned,
    Started,
    Paused,
    Suspended,
    Link,
    Check,
    Figure,
    Sending,
    Kernel,
    AddressDeleted,
    Reloaded,
    Stranger,
    Clock,
    Operator,
    Refused,
    Paths,
}

/// Each with how often it comes where all come.
const FAULTS: [(Fault, u8); 20] = [
    (Fault::PowerLost, 3),
    (Fault::Killed, 2),
    (Fault::DiesMidway, 2),
    (Fault::Stopped, 2),
    (Fault::Returned, 3),
    (Fault::Started, 3),
    (Fault::Paused, 1),
    (Fault::Suspended, 1),
    (Fault::Link, 2),
    (Fault::Check, 3),
    (Fault::Figure, 3),
    (Fault::Sending, 1),
    (Fault::Kernel, 1),
    (Fault::AddressDeleted, 1),
    (Fault::Reloaded, 3),
    (Fault::Stranger, 1),
    (Fault::Clock, 1),
    (Fault::Operator, 1),
    (Fault::Refused, 3),
    (Fault::Paths, 4),
];

/// The kinds that one world has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swarm(u32);

impl Swarm {
    pub(super) fn new(random: &mut Random) -> Self {
        if random.chance(50) {
            return Self(u32::MAX);
        }
        // Each with an even chance; machines and daemons come back everywhere.
        let back = 1 << Fault::Returned as u32 | 1 << Fault::Started as u32;
        Self(random.any() as u32 | back)
    }

    /// One of them.
    pub(super) fn pick(self, random: &mut Random) -> Fault {
        let chosen = || FAULTS.iter().filter(|(fault, _)| self.0 & 1 << *fault as u32 != 0);
        let mut at = random.below(chosen().map(|(_, weight)| u64::from(*weight)).sum());
        for (fault, weight) in chosen() {
            match at.checked_sub(u64::from(*weight)) {
                Some(left) => at = left,
                None => return *fault,
            }
        }
        Fault::Started
    }
}
