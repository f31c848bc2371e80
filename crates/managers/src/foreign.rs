//! Octets from outside, handed to whoever reads them in this crate: doors for the fuzz targets. Nothing else uses them, so
//! nothing of them is in a daemon.

pub use crate::docker::foreign::{Said, http_answer, words};
pub use crate::systemd::foreign::{dbus, welcome};
