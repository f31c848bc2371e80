//! Talks to service managers that have a socket: systemd over its bus, docker over its own.
//!
//! No program is ever started for it. Each manager that a service uses has one thread here, behind two queues: orders
//! go in, [`News`] come out, and a descriptor becomes readable when there are some. The thread may wait for its
//! manager; whoever gives it orders never does.
//!
//! What an order means and what a report promises stands in `engine`. Decided here is only what the engine can't see:
//! whether an end was an operator's doing, whether something of the service is left, and that a manager's own
//! restarting is ended before "gone" is said, so that nothing comes back behind the engine's back.
#![forbid(unsafe_code)]

mod courier;
mod docker;
#[doc(hidden)]
pub mod foreign;
mod ledger;
mod retry;
mod socket;
mod systemd;

use engine::{Name, ServiceReport};

pub use docker::{Docker, DockerPlace};
pub use ledger::Undelivered;
pub use systemd::{Systemd, SystemdPlace};

/// Something to be told about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Which one.
    pub service: Name,
    /// What.
    pub word: Word,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// For the engine.
    Report(ServiceReport),
    /// For the operator.
    Remark(Weight, String),
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Good to know.
    Info,
    /// Will make trouble one day.
    Warning,
    /// Makes trouble now.
    Error,
}
