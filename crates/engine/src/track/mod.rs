//! Tracked things, and what they do to a router's priority.

pub(crate) mod priority;
pub(crate) mod script;
