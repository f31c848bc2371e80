//! The real thing, broken on purpose: one list of faults, done to running daemons in namespaces, and an audit that
//! believes no daemon.
//!
//! [`FAULTS`] says what can go wrong and what is promised then. A [`Ground`] is a pair or a trio in good order; [`play`]
//! does one fault to one node of it, waits for good order and says what was seen: who had the address by the kernels'
//! word every 10 ms, who advertised by the switch's, what the daemon took from its machine by `/proc`. The soak command
//! plays them at random for hours; a test plays each of them once.
#![forbid(unsafe_code)]

mod audit;
mod dice;
mod failure;
mod faults;
mod footprint;
mod ground;
mod holders;
mod judge;
mod lives;
mod log_pipe;
mod pace;
mod promise;
mod report;
mod round;
mod work;

pub use dice::Dice;
pub use failure::{Failure, Result};
pub use faults::{FAULTS, Fault, Flood, Victim};
pub use footprint::Footprint;
pub use ground::{ADDRESS, Cast, Ground, Kind, Node, Plan};
pub use judge::{Blame, Breach};
pub use lives::Lives;
pub use promise::{Changes, Held, Limits, Overlap, Promise, Span, Twice};
pub use report::Report;
pub use round::{Growth, Manner, Round, play};
pub use work::Work;
