//! Everything that an engine can ask for. What should *exist* is not here: see
//! [`Engine::desired`](crate::Engine::desired).

use core::net::IpAddr;

use crate::{Event, LinkId, Name, Priority, RouterId};

/// Something to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send one advertisement; [`Engine::write_advertisement`](crate::Engine::write_advertisement) has the octets.
    Advertise {
        /// Whose.
        router: RouterId,
        /// With this priority.
        priority: Priority,
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
    /// Run the operator's notify scripts for this.
    Notify(Notice),
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
