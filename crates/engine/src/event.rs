//! All that an operator can learn, by value. Journal, metrics, notices, live views and tests start here;
//! the words are made at the edge.

use core::net::IpAddr;
use core::time::Duration;

use crate::vrrp::receive::{Discard, Oddity};
use crate::{Interval, LinkId, Name, Priority, RouterId, ScriptOutcome};

/// One thing worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A router changed its state.
    StateChanged {
        /// Which router.
        router: RouterId,
        /// Before.
        from: StateName,
        /// Now.
        to: StateName,
        /// Why.
        cause: Cause,
    },
    /// Something keeps a router out.
    FaultRaised {
        /// Which router.
        router: RouterId,
        /// What.
        reason: FaultReason,
    },
    /// It no longer does.
    FaultCleared {
        /// Which router.
        router: RouterId,
        /// What.
        reason: FaultReason,
    },
    /// A Backup heard a lower priority and waits for its own timer.
    LowerPriorityIgnored {
        /// Which router.
        router: RouterId,
        /// The sender.
        from: IpAddr,
        /// The sender's priority.
        priority: Priority,
    },
    /// An Active heard a losing advertisement and answered at once (RFC 9568 §6.4.3).
    LosingAdvertisementAnswered {
        /// Which router.
        router: RouterId,
        /// The sender.
        from: IpAddr,
        /// The sender's priority.
        priority: Priority,
        /// Ours.
        ours: Priority,
    },
    /// Two routers claim to own the addresses (RFC 9568 §8.3.2).
    OwnerConflict {
        /// Which router.
        router: RouterId,
        /// The other owner.
        from: IpAddr,
    },
    /// The Active router resigned.
    ResignationHeard {
        /// Which router.
        router: RouterId,
        /// The sender.
        from: IpAddr,
    },
    /// We resigned: an advertisement of priority 0 was sent.
    Resigned {
        /// Which router.
        router: RouterId,
    },
    /// Another router is Active than before.
    ActiveRouterChanged {
        /// Which router.
        router: RouterId,
        /// The one known before; `None` if none was.
        from: Option<IpAddr>,
        /// The one that advertises now.
        to: IpAddr,
    },
    /// Version 3: the Active router advertises at another interval than the one known before.
    IntervalLearned {
        /// Which router.
        router: RouterId,
        /// Known before.
        from: Interval,
        /// Learned now.
        to: Interval,
    },
    /// Tracked things, or a reconfiguration, changed the effective priority.
    PriorityChanged {
        /// Which router.
        router: RouterId,
        /// Before.
        from: Priority,
        /// Now.
        to: Priority,
    },
    /// A packet was not accepted. Told once per reason until the state or the Active router changes.
    Discarded {
        /// Which router.
        router: RouterId,
        /// The sender as the packet claims.
        from: IpAddr,
        /// Why.
        reason: Discard,
    },
    /// A packet was accepted although something about it is odd. Told as seldom as `Discarded`.
    Odd {
        /// Which router.
        router: RouterId,
        /// The sender.
        from: IpAddr,
        /// What.
        oddity: Oddity,
    },
    /// The addresses of a router should now be there.
    AddressesWanted {
        /// Which router.
        router: RouterId,
    },
    /// The addresses of a router should no longer be there.
    AddressesReleased {
        /// Which router.
        router: RouterId,
    },
    /// A burst of announcements begins for one address.
    Announcing {
        /// Which router.
        router: RouterId,
        /// Where.
        link: LinkId,
        /// Which address.
        address: IpAddr,
    },
    /// The engine was not asked for longer than it can bridge (suspended, stopped); it listens first.
    Overslept {
        /// Which router.
        router: RouterId,
        /// How late.
        late: Duration,
    },
    /// An advertisement could not be sent. Told once until the state changes; counted always.
    SendFailed {
        /// Which router.
        router: RouterId,
        /// The system's error number.
        error: i32,
    },
    /// A check gives another exit status than the last time.
    ScriptReturned {
        /// Name of the check.
        script: Name,
        /// How it ended.
        outcome: ScriptOutcome,
    },
    /// A check has become good (`rise` good runs).
    ScriptSucceeded {
        /// Name of the check.
        script: Name,
    },
    /// A check has failed (`fall` bad runs).
    ScriptFailed {
        /// Name of the check.
        script: Name,
        /// How the last run ended; `None` if it took too long.
        outcome: Option<ScriptOutcome>,
    },
    /// A run took longer than its timeout and is being ended.
    ScriptTimedOut {
        /// Name of the check.
        script: Name,
        /// How long it was allowed to take.
        timeout: Duration,
    },
    /// The last run has not ended, so the next one is left out.
    ScriptSkipped {
        /// Name of the check.
        script: Name,
    },
    /// An interface went up or down, appeared or vanished.
    LinkChanged {
        /// Which one.
        link: LinkId,
        /// How it is now.
        condition: LinkCondition,
    },
}

/// The states of RFC 9568 §6.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// Takes no part: not started, held back by a fault, or stopped.
    Initialize,
    /// Watches the Active router.
    Backup,
    /// Holds the addresses and advertises.
    Active,
}

/// Why a router changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The engine was started, or the router was added to its configuration.
    Started,
    /// Nobody advertised for the whole Active_Down_Interval.
    ActiveDownTimer,
    /// The Active router resigned and nobody else advertised for the skew time.
    ActiveResigned,
    /// It owns the addresses.
    AddressOwner,
    /// A higher priority was heard.
    HigherPriority {
        /// The sender.
        from: IpAddr,
        /// Its priority.
        priority: Priority,
    },
    /// The same priority was heard from a higher address (RFC 9568 §6.4.3).
    HigherAddress {
        /// The sender.
        from: IpAddr,
        /// Its priority.
        priority: Priority,
    },
    /// A fault was raised.
    Fault,
    /// The last fault is gone.
    FaultsCleared,
    /// The engine had slept and cannot know who is Active now.
    Overslept,
    /// It was stopped, or removed from the configuration.
    Stopped,
}

/// What can keep a router out. Each must go before it comes back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultReason {
    /// An interface that it needs does not exist.
    LinkAbsent(LinkId),
    /// An interface that it needs is down.
    LinkDown(LinkId),
    /// Its interface has no address to send from, or not the configured one.
    NoPrimaryAddress,
    /// A check that it needs has failed.
    ScriptFailed(Name),
    /// A check that it needs has not yet given a result. Not told as a fault, and takes nobody out who is in.
    ScriptPending(Name),
}

/// How an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkCondition {
    /// There is none of that name.
    Absent,
    /// It is there and down.
    Down,
    /// It is there and up.
    Up,
}
