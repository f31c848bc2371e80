//! The protocol: timers, election, receive checks, announcements, and the virtual router that ties them
//! together.

pub(crate) mod announcer;
pub(crate) mod election;
pub(crate) mod freshness;
pub mod receive;
pub mod statistics;
pub mod timers;
pub(crate) mod virtual_router;
