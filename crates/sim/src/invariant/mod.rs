//! What must hold whatever happens. Each rule has its own arithmetic and asks the engine for no figure.
//!
//! `step` looks at one engine before and after each input, `order` at what it does with its services; `pairs` at two
//! Active routers that hear each other, `shared` at the processes of a service on all nodes, `moves` at how often they
//! change places, `rests` at roles that nobody took; `together` at sync groups; `settle` at a LAN that has been left alone
//! for long enough.

pub(crate) mod moves;
pub(crate) mod order;
pub(crate) mod pairs;
pub(crate) mod rests;
pub(crate) mod settle;
pub(crate) mod shared;
pub(crate) mod step;
pub(crate) mod together;

use std::fmt;

use engine::Instant;

use crate::plan::measure::moment_text;

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Two Active routers of one VRID that hear each other do not stay two for longer than one
    /// Active_Down_Interval.
    OneActive,
    /// Addresses are desired by Active routers only; after an orderly stop until the successor speaks, and
    /// not for long.
    AddressNeedsRole,
    /// A LAN without faults settles within one Active_Down_Interval on one Active router, the right one, and
    /// the client finds it.
    Settles,
    /// A Backup takes over when the Active_Down_Interval since it last heard somebody whom it has to heed is over,
    /// or the skew time after a resignation; not sooner.
    Patience,
    /// A LAN at rest stays as it is.
    Unrest,
    /// Advertisements come from Active routers, when one is due or something was heard; one more when
    /// yielding, one of priority 0 when leaving for a fault or a stop.
    CausedAdvertisement,
    /// Only Active routers announce.
    CausedAnnouncement,
    /// An advertisement's octets are right.
    Frame,
    /// After a timer, the next deadline lies in the future, and nobody talks without end.
    NoBusyLoop,
    /// What is told, viewed and desired is the same.
    Agreement,
    /// No check runs twice at once.
    Checks,
    /// Nothing of a service is started on a node while something of it is on another that is heard; if it runs on
    /// both all the same (a cut, somebody's hand), one is ended soon after they hear each other.
    OneRuns,
    /// Starts and stops alternate: no start before the last end is reported, no kill before asking.
    Orders,
    /// A service is started by an Active router that does not let go, and by nobody else.
    RunsWhereActive,
    /// Hooks are called in order, those of an active service only where it is active, once for each take-over.
    Hooks,
    /// Epochs never go back, no two takings of a role share one, and both nodes of a pair know the newest.
    Epochs,
    /// The role moves no oftener than `max_moves` says; a latch goes by an acknowledgement and by nothing else.
    Latch,
    /// The routers of a sync group have the same state.
    Together,
    /// When a LAN is at rest, a kernel has the addresses that its daemon wants, and no others.
    Kernel,
    /// Where addresses have a lifetime, none is left where nobody wants it for longer than that and half a second.
    LeftBehind,
    /// The engine does not panic.
    NoPanic,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// When it was noticed.
    pub at: Instant,
    /// Which rule.
    pub rule: Rule,
    /// Who and what.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:?}: {}", moment_text(self.at), self.rule, self.what)
    }
}
