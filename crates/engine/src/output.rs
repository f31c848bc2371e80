//! Everything that an engine can ask for. What should *exist* is not here: see
//! [`Engine::desired`](crate::Engine::desired).

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::{Cause, Event, LinkId, Name, Priority, Record, RouterId, StateName};

/// Something to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send one advertisement; [`Engine::write_advertisement`](crate::Engine::write_advertisement) has the octets.
    Advertise {
        /// Whose.
        router: RouterId,
        /// With this priority.
        priority: Priority,
        /// What makes it newer than the ones before, if they are authenticated that way; otherwise 0.
        sequence: u64,
    },
    /// [`Engine::desired`](crate::Engine::desired) has changed.
    DesiredChanged,
    /// Tell the neighbours where an address is: gratuitous ARP or unsolicited neighbour advertisement.
    /// Comes after the `DesiredChanged` that puts the address there.
    Announce {
        /// On which interface.
        link: LinkId,
        /// Which address.
        address: IpAddr,
    },
    /// Run a check once and report its end.
    RunScript {
        /// Name of the check.
        script: Name,
    },
    /// The run takes too long: end its whole process group.
    EndScript {
        /// Name of the check.
        script: Name,
        /// First kindly, then not.
        how: EndHow,
    },
    /// Do something with a service and report what came of it.
    Service {
        /// Name of the service.
        service: Name,
        /// What.
        order: ServiceOrder,
    },
    /// Run one of the operator's hooks; nothing depends on how it ends.
    RunHook(HookCall),
    /// Send a message to the peer.
    SendBaton {
        /// The path to send it by.
        path: u32,
        /// The whole message.
        octets: Vec<u8>,
    },
    /// Keep this for the next life. A later one replaces it.
    Save(Record),
    /// What becomes of a command.
    Answer {
        /// The number that came with it.
        number: u64,
        /// What.
        answer: Answer,
    },
    /// Run the operator's notify scripts for this.
    Notify(Notice),
    /// Run those of a sync group.
    NotifyGroup {
        /// Name of the group.
        group: Name,
        /// What has become of it: Active, Backup, Fault or Stop.
        kind: NoticeKind,
    },
    /// Something that an operator may learn.
    Tell(Event),
    /// The stop that was asked for is complete; nothing is held any more.
    Stopped,
}

/// How to end a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndHow {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// What to do with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceOrder {
    /// Report whether it runs: `Running` or `Gone`; and whatever happens to it from now on.
    Watch,
    /// Start it. Answered by `Running` or `StartRefused`.
    Start,
    /// Ask it to end. Answered by `Gone` once nothing of it runs any more.
    Stop,
    /// End it without asking, with everything that belongs to it. Answered by `Gone`.
    Kill,
    /// Find out whether it could be started here, without doing so. Answered by `Readiness`.
    AssessReadiness,
    /// It is no longer ours: forget it, and leave it as it is.
    Forget,
}

/// A hook and what it is told in its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCall {
    /// Name of the service.
    pub service: Name,
    /// Which of its hooks.
    pub hook: Hook,
    /// The router's state now.
    pub role: StateName,
    /// The router's state before.
    pub previous_role: StateName,
    /// Why the router is in its state.
    pub reason: Cause,
    /// Counts the takings of the role in the pair; a later one is greater.
    pub epoch: u64,
    /// Counts the hook calls of this life.
    pub number: u64,
}

/// The hooks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// The role changed.
    RoleChanged,
    /// The service has come up here after a take-over.
    TakenOver,
    /// The interval with this index in [`ServiceConfig::while_active`](crate::ServiceConfig::while_active) has passed
    /// and the service is active here.
    WhileActive(u32),
}

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done, or was so already.
    Done,
    /// It has begun; events tell the rest.
    Begun,
    /// It would be done (`dry_run`), with the longest that it may take.
    Would {
        /// Until the service runs there, as far as timeouts say.
        at_most: Duration,
    },
    /// It is not done.
    Refused(RefusedCommand),
}

/// Why a command is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedCommand {
    /// There is no router of that index.
    NoSuchRouter,
    /// The node that it should move to cannot be heard, so that nobody knows whether it can take it.
    PeerSilent,
    /// No peer is configured: only the peer's own priority could make it take over.
    NoPeer,
    /// The node that it should move to could not start the service; the reason in words.
    NotReady(Name),
    /// That node takes no part at present (fault, stopped).
    NotStandby,
    /// Neither node is active now.
    NobodyActive,
    /// It is latched: `ack` first.
    Latched,
    /// Another change is under way.
    Busy,
    /// The daemon is stopping.
    Stopping,
}

/// What notify scripts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose change it is.
    pub router: RouterId,
    /// What happened.
    pub kind: NoticeKind,
    /// Effective priority at that moment.
    pub priority: Priority,
}

/// The occasions on which keepalived runs scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Became Active.
    Active,
    /// Became Backup.
    Backup,
    /// A fault keeps it out.
    Fault,
    /// It was stopped in order.
    Stop,
    /// A reconfiguration removed it.
    Deleted,
    /// Heard a lower priority while Active.
    ActiveHeardLowerPriority,
}
