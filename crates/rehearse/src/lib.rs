//! Real daemons on virtual hosts: what a newcomer rehearses a failover with, and what our integration tests run on.
//!
//! [`lab`] builds hosts, a switch and a client out of namespaces and watches what happens there. It decides nothing
//! about redundancy and trusts no daemon: addresses are read from the kernels, packets at the switch.
//! `rehearsal` plays acts on it and compares what was measured with what is promised; [`trials`] puts a pair with a
//! service through what befalls such pairs and measures how long nobody, or more than one, was at work.
#![forbid(unsafe_code)]

mod collector;
pub mod lab;
mod rehearsal;
pub mod trials;
mod web;

pub use rehearsal::{Arguments, main};
