//! Everything that can happen to an engine.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::{Config, Family, LinkId, RouterId};

/// One thing that happened. There is no other way to change an engine.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Begin. Link states that are known have been given before.
    Start,
    /// [`Engine::deadline`](crate::Engine::deadline) has come. Harmless if it has not.
    Timer,
    /// A packet of the VRRP protocol (or one that claims to be) arrived.
    Received(Received<'a>),
    /// An interface changed, appeared, or (`None`) is not there.
    Link {
        /// Which one.
        link: LinkId,
        /// How it is now.
        state: Option<LinkState>,
    },
    /// The addresses of interfaces that the configuration does not mention: a configured source address may be
    /// among them. An engine that is never told assumes none.
    OtherAddresses(Vec<IpAddr>),
    /// A run that [`Output::RunScript`](crate::Output::RunScript) asked for has ended or could not begin.
    ScriptFinished {
        /// Name of the check.
        script: &'a str,
        /// How it ended.
        outcome: ScriptOutcome,
    },
    /// An advertisement could not be sent.
    SendFailed {
        /// Whose it was.
        router: RouterId,
        /// The system's error number.
        error: i32,
    },
    /// A new configuration; what did not change goes on undisturbed. Ignored before the start and after a stop.
    /// [`Link`](Self::Link) inputs for the interfaces that it mentions for the first time follow it; until then their
    /// routers stay as they are.
    Reconfigure(Box<Config>),
    /// Orderly stop. [`Output::Stopped`](crate::Output::Stopped) tells when it is done.
    Stop,
}

/// A packet as it came from the wire.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The interface that it arrived on.
    pub link: LinkId,
    /// What the octets begin with: the IP header of this family.
    pub family: Family,
    /// The whole packet from its IP header on.
    pub octets: &'a [u8],
}

/// What the kernel says of an interface that exists.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LinkState {
    /// Administratively up and running (carrier).
    pub up: bool,
    /// Its addresses in the kernel's order. Virtual addresses may be among them; the engine knows those and
    /// never takes one for its own source.
    pub addresses: Vec<IpAddr>,
}

/// How a run of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptOutcome {
    /// With this exit status; zero is good.
    Exited(u8),
    /// By this signal.
    Signalled(u8),
    /// It could not be started, for this error number of the system.
    NotStarted(i32),
}
