//! The part of Tanist that decides: VRRP (RFC 9568, RFC 5798, RFC 3768), tracking, failover.
//!
//! It has no clock, socket, file, thread or random source. Everything that happens comes in through
//! [`Engine::handle`], everything to be done goes to the caller's list, and what should exist in the kernel
//! is read from [`Engine::desired`]. Same seed and same inputs give the same outputs, byte for byte.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod config;
mod desired;
mod engine;
mod event;
mod identity;
mod input;
mod links;
mod output;
mod time;
mod track;
mod view;
pub mod vrrp;
pub mod wire;

pub use config::{
    AnnouncePolicy, Authentication, Config, RouterConfig, Scope, ScriptConfig, TrackedLink, TrackedScript, Transport,
    VirtualAddress, Weight,
};
pub use desired::{Desired, DesiredAddress};
pub use engine::Engine;
pub use event::{Cause, Event, FaultReason, LinkCondition, StateName};
pub use identity::{Family, LinkId, Name, Priority, RouterId, Version, Vrid};
pub use input::{Input, LinkState, Received, ScriptOutcome};
pub use output::{EndHow, Notice, NoticeKind, Output};
pub use time::{Instant, Interval};
pub use view::{RouterView, ScriptView, View};
