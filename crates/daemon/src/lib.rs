//! One loop: wait, translate, `engine.handle`, carry out, reconcile.
//!
//! The daemon knows the engine and the kernel and decides nothing itself. Whatever can be slow, a log line on a
//! stalled console, a file on a slow disk, a configuration to be read, is done by threads of its own behind bounded
//! queues, so that no advertisement ever waits for it.
#![forbid(unsafe_code)]

mod background;
mod baton;
mod bell;
mod bookends;
mod calendar;
mod checks;
mod children;
mod closed_addresses;
mod confinement;
pub mod control;
mod down_files;
mod dump;
mod event_loop;
mod fifos;
#[doc(hidden)]
pub mod foreign;
mod gathering;
mod hmac_keys;
mod json;
mod kernel;
mod lifetimes;
mod link_beats;
mod log;
mod mail;
mod notify;
mod options;
pub mod pair_key;
mod pid_files;
mod places;
mod preflight;
mod record;
mod reload;
mod reload_times;
mod run;
mod secret_file;
mod services;
mod share;
mod signal_names;
mod sockets;
mod solicited_groups;
pub mod status;
mod sysctls;
mod trackers;
mod words;
mod written_file;

pub use confinement::Confine;
pub use control::ControlPlace;
pub use linux::public_place::open as open_in_public;
pub use linux::system_log::stderr_is_journal;
pub use options::{LogOptions, Options, PidFiles, Reading, STATE_DIRECTORY};
pub use preflight::{Finding, Preflight, preflight};
pub use run::{ExitStatus, run};
pub use signal_names::signal_number;
