//! All that an operator can learn, by value. Journal, metrics, notices, live views and tests start here;
//! the words are made at the edge.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::vrrp::receive::{Discard, Oddity};
use crate::{
    Ending, HeldBy, Interval, LatchReason, LinkId, Name, NoticeKind, Priority, RefusedCommand, RouterId, ScriptOutcome,
    TrackerName, Vrid,
};

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
    /// Another number stands in a tracked file.
    NumberChanged {
        /// Which.
        tracker: TrackerName,
        /// Before.
        from: i64,
        /// Now.
        to: i64,
    },
    /// So many tracked processes as should be there are, or are no longer.
    QuorumChanged {
        /// Which.
        tracker: TrackerName,
        /// Whether their number is good now.
        held: bool,
        /// How many there are.
        count: i64,
    },
    /// A sync group is something else: all of its routers are, or one of them is kept out.
    GroupChanged {
        /// Name of the group.
        group: Name,
        /// What it is now: Active, Backup, Fault or Stop.
        kind: NoticeKind,
    },
    /// A service is in another state than before.
    ServiceChanged {
        /// Name of the service.
        service: Name,
        /// Before.
        from: ServiceStateName,
        /// Now.
        to: ServiceStateName,
        /// Why.
        cause: ServiceCause,
    },
    /// A service failed, and what is done about it.
    ServiceFailed {
        /// Name of the service.
        service: Name,
        /// How.
        failure: ServiceFailure,
        /// What happens now.
        remedy: Remedy,
    },
    /// A service does not end although it was asked to, and is killed; or was killed and is still there.
    ServiceLingers {
        /// Name of the service.
        service: Name,
        /// Since the first order to end.
        since: Duration,
    },
    /// A service could be started here, or could no longer.
    ReadinessChanged {
        /// Name of the service.
        service: Name,
        /// Why not; `Ok` if it could.
        readiness: Result<(), Name>,
    },
    /// Nobody can tell whether a service runs, or somebody can again (`None`).
    ServiceUnknown {
        /// Name of the service.
        service: Name,
        /// The reason in words.
        reason: Option<Name>,
    },
    /// The peer is heard, for the first time or again.
    PeerHeard {
        /// How it calls itself.
        node: Name,
        /// Whether it has begun a new life since.
        restarted: bool,
    },
    /// Nothing has been heard of the peer for too long. Two nodes alone cannot tell whether it is dead or the cable cut.
    PeerSilent {
        /// How it calls itself.
        node: Name,
        /// For how long.
        silence: Duration,
    },
    /// The peer has stopped in order: nothing of its services runs there any more.
    PeerStopped {
        /// How it calls itself.
        node: Name,
    },
    /// One of the paths to the peer is silent while another is not, or is heard again.
    PathChanged {
        /// Which.
        path: u32,
        /// Whether it works.
        works: bool,
    },
    /// A message came that the peer did not send now: another key, a replay, or no message at all. Told once until the
    /// peer is silent or heard again; counted always.
    BatonDiscarded {
        /// Which path.
        path: u32,
        /// Why.
        reason: BatonDiscard,
    },
    /// The role of a router is about to move in order.
    HandoverBegun {
        /// Whose.
        router: RouterId,
        /// Whether it leaves this node or comes here.
        to_us: bool,
        /// Why.
        reason: HandoverReason,
    },
    /// It has moved, and its services run there.
    HandoverEnded {
        /// Whose.
        router: RouterId,
        /// Whether it has left this node or come here.
        to_us: bool,
        /// During which no service ran.
        outage: Duration,
        /// During which services ran on both.
        overlap: Duration,
    },
    /// It has not moved.
    HandoverFailed {
        /// Whose.
        router: RouterId,
        /// Why not.
        reason: RefusedCommand,
    },
    /// The role moves without order: the other side is not heard beside VRRP, and has taken over or will without waiting for
    /// the services here.
    HandoverUnordered {
        /// Whose.
        router: RouterId,
    },
    /// Both nodes were active: the pair was cut, and is joined again.
    DualActive {
        /// Whose.
        router: RouterId,
        /// Whether this node stays.
        we_stay: bool,
    },
    /// One node is active, and the other one hears it on the side channel but none of its advertisements. Told on both,
    /// once until one is heard or something else is found to be the reason.
    AdvertisementsUnheard {
        /// Whose.
        router: RouterId,
        /// Whether it is this node that does not hear the peer's, or the peer ours.
        here: bool,
        /// As far as it can be found out.
        why: Unheard,
    },
    /// The peer's messages arrive, but none of them answers ours: it does not hear this node. Told once until it does.
    PeerDeaf {
        /// How it calls itself.
        node: Name,
    },
    /// A path works in one direction only, while another one works.
    PathOneWay {
        /// Which.
        path: u32,
        /// Whether this node hears the peer there, or the peer this node.
        here: bool,
    },
    /// The two nodes are told differently about something that should be the same on both, or alike again (no terms).
    ConfigurationDiffers {
        /// Which router.
        router: RouterId,
        /// Its service; `None` if it is about the router itself.
        service: Option<Name>,
        /// Places in [`Terms::values`](crate::Terms::values).
        terms: Vec<u32>,
    },
    /// The peer is active but could not take part in a hand-over: it has no router of this name.
    NoCounterpart {
        /// Whose.
        router: RouterId,
    },
    /// Nothing floats any more until an operator acknowledges.
    Latched {
        /// The service.
        service: Name,
        /// Why.
        reason: LatchReason,
        /// The node that latched.
        node: Name,
    },
    /// An operator has acknowledged.
    Unlatched,
    /// Maintenance has begun on the pair.
    MaintenanceBegun {
        /// For how long; `None` if until told otherwise.
        span: Option<Duration>,
        /// The node where it was asked for, or on whose behalf.
        node: Name,
    },
    /// Maintenance is over.
    MaintenanceEnded {
        /// By itself.
        expired: bool,
    },
    /// This node stands back.
    Held {
        /// For which router.
        router: RouterId,
        /// Who says so.
        by: HeldBy,
    },
    /// It no longer does.
    Released {
        /// For which router.
        router: RouterId,
        /// Who said so.
        by: HeldBy,
    },
    /// What was saved cannot be trusted; in words.
    RecordDamaged {
        /// Why.
        reason: Name,
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
    /// The peer let it go, in order.
    HandedOver,
    /// It had the role before, its services still run here, and nobody has anything against it: after a new start of the
    /// daemon or, in maintenance, after a sleep.
    Resumed,
    /// The peer was Active and nothing is heard of it any more.
    PeerSilent,
    /// It let the role go, in order.
    LetGo,
    /// The peer is Active too and has the better claim.
    PeerStays,
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
    /// It will have one as soon as the kernel knows that nobody else has it (RFC 4862 §5.4). Not told as a fault.
    PrimaryAddressTentative,
    /// A static address, route or rule of this group cannot be there.
    StaticMissing(Name),
    /// By unicast, there is nobody to send to.
    NoPeer,
    /// A check that it needs has failed.
    ScriptFailed(Name),
    /// A check that it needs has not yet given a result. Not told as a fault, and takes nobody out who is in.
    ScriptPending(Name),
    /// A tracked file has a number, or there is a number of tracked processes, that it cannot take part with.
    Tracked(TrackerName),
    /// Another router of its sync group, of this name, is kept out.
    Member(Name),
    /// A service failed here and is not started again.
    ServiceFailed(Name),
    /// A service is latched, and this node does not have the role.
    Latched(Name),
}

impl FaultReason {
    /// Whether it will go by itself in a moment, or turn into one that is told.
    pub(crate) const fn is_pending(&self) -> bool {
        matches!(self, Self::ScriptPending(_) | Self::PrimaryAddressTentative)
    }
}

/// The states of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceStateName {
    /// Not known yet.
    Unknown,
    /// Nothing of it runs.
    Stopped,
    /// It has been told to start.
    Starting,
    /// It runs.
    Running,
    /// It has been told to end.
    Stopping,
}

/// Why a service changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceCause {
    /// It was found so.
    Found,
    /// Its router became Active, or no longer is.
    Role,
    /// Its router, or the whole configuration, no longer has it.
    Removed,
    /// It did what it was told.
    Done,
    /// It is started again after a failure.
    Restart,
    /// It ended by itself.
    Ended(Ending),
    /// An operator stopped it.
    StoppedByHand,
    /// Somebody else started it.
    StartedByHand,
    /// It was told to start or stop and that failed; in words.
    Refused(Name),
    /// A check failed.
    CheckFailed(Name),
    /// It took too long.
    TimedOut,
}

/// How a service failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceFailure {
    /// It ended although nobody wanted it to. This is proof.
    Ended(Ending),
    /// A check failed as often as its `fall` says. This is suspicion.
    CheckFailed(Name),
    /// It could not be started; in words.
    StartRefused(Name),
    /// It did not come up within its start timeout.
    StartTimedOut,
    /// An operator stopped it by hand.
    StoppedByHand,
}

/// What is done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It is started again here.
    Restart {
        /// Which one of the budget, from 1.
        attempt: u32,
        /// The budget.
        of: u32,
        /// After this long.
        after: Duration,
    },
    /// The role moves.
    Move,
    /// Nobody else could do better: it is started again here after this long.
    StayAndRetry {
        /// How long.
        after: Duration,
    },
    /// Nothing, because of maintenance.
    Nothing,
}

/// Why a message of the side channel is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BatonDiscard {
    /// Too short, too long, of another version, or inconsistent.
    Malformed,
    /// Its seal does not fit our key.
    BadSeal,
    /// It was heard before, or answers a former life of ours.
    Replayed,
    /// It comes from ourselves.
    Ourselves,
}

/// Why a node hears the other's messages but not its advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// They carry another VRID.
    OtherVrid {
        /// Of this node.
        ours: Vrid,
        /// Of the peer.
        theirs: Vrid,
    },
    /// They arrive and are not accepted.
    Discarded(Discard),
    /// They are sent elsewhere: to another group, or to peers among which this address is not.
    SentElsewhere(IpAddr),
    /// They do not arrive, and a path of the side channel carries nothing in this direction either.
    OneWay,
    /// They are sent as they should be, and do not arrive: a packet filter, a switch, a cable.
    Lost,
}

/// Why a role moves in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HandoverReason {
    /// An operator said so.
    Operator,
    /// The service failed where it was.
    ServiceFailed,
    /// The other node is better and has come back.
    Failback,
    /// A fault other than the service's, or its daemon stops.
    Leaving,
    /// That node stands back.
    Held,
}

/// How an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkCondition {
    /// There is none of that name.
    Absent,
    /// It is there, and the system refuses to listen there.
    Deaf,
    /// It is there and down.
    Down,
    /// It is there and up.
    Up,
}
