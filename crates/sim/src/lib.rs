//! Many engines on a pretend LAN: scenarios, faults, invariants, and a hunt for what breaks them.
//!
//! The engines are the shipped ones and the frames between them their real octets; the network, the kernels,
//! the checks and the clock are pretended, so that hours pass in milliseconds and the same seed gives the
//! same trace. [`scenario`] reads and writes the text form, [`world`] runs it, [`invariant`] watches, and
//! [`hunt`] makes up LANs and faults by the thousand. What an engine decides is not repeated here: the
//! invariants know what must be true, and `rules` does the little arithmetic that takes.
#![forbid(unsafe_code)]

mod client;
mod clock;
pub mod coverage;
mod disk;
mod frame;
pub mod history;
pub mod hunt;
pub mod invariant;
mod node;
mod path;
pub mod plan;
mod random;
mod rules;
pub mod scenario;
mod trace;
mod unit;
pub mod world;

pub use random::Random;
