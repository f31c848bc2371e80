//! The part of Tanist that decides: VRRP (RFC 9568, RFC 5798, RFC 3768), tracking, failover.
//!
//! It has no clock, socket, file, thread or random source. Everything that happens comes in through
//! [`Engine::handle`], everything to be done goes to the caller's list, and what should exist in the kernel
//! is read from [`Engine::desired`]. Same seed and same inputs give the same outputs, byte for byte.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod addressees;
mod config;
mod coordinate;
mod deadlines;
mod desired;
mod engine;
mod event;
mod identity;
mod input;
mod links;
mod output;
mod pair;
mod record;
mod role;
mod route;
mod rule;
mod secret;
mod service;
mod standing;
mod steps;
mod time;
mod track;
mod units;
mod view;
pub mod vrrp;
pub mod wire;

pub use config::{
    AddressFlags, AnnounceElsewhere, AnnounceGroup, AnnouncePolicy, AntiReplay, Authentication, Budget, ChecksumPolicy,
    Config, Deviations, Failback, GroupConfig, HmacMode, HmacPolicy, LinkDelay, Measure, OnManualStop, PairConfig,
    RouterConfig, Scope, ScriptConfig, ServiceConfig, Static, Statics, Terms, Tracked, TrackedLink, TrackedScript,
    TrackerConfig, TrackerKind, TrackerName, Transport, VirtualAddress, Weight, When,
};
pub use desired::{Desired, DesiredAddress, DesiredRoute, DesiredRule, Owner};
pub use engine::Engine;
pub use event::{
    BatonDiscard, Cause, Event, FaultReason, HandoverReason, LinkCondition, Remedy, ServiceCause, ServiceFailure,
    ServiceStateName, StateName, Unheard,
};
pub use identity::{Family, LinkId, Name, Priority, RouterId, Version, Vrid};
pub use input::{
    Command, Ending, FigureCause, HeldBy, Input, LinkState, ProbeFailure, Received, Restored, ScriptOutcome,
    ServiceReport,
};
pub use output::{Answer, EndHow, Hook, HookCall, Notice, NoticeKind, Output, RefusedCommand, ServiceOrder};
pub use record::{LatchReason, LatchRecord, MaintenanceRecord, MoveRecord, Record, RouterRecord, ServiceRecord};
pub use route::{
    Encapsulation, Network, NextHop, Realms, Route, RouteKind, RouteMetric, RouteMetrics, RoutePosition,
    RouterPreference, Table, TunnelKey,
};
pub use rule::{Rule, RuleAction};
pub use secret::{HmacKey, PairKey, Password};
pub use steps::{OtherNode, RoleStep, StepKind};
pub use time::{Instant, Interval};
pub use view::{
    GroupView, MaintenanceView, PeerRouterView, PeerServiceView, PeerView, RouterView, ScriptView, ServiceView,
    TrackerView, View,
};
