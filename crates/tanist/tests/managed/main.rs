//! Pairs whose service is kept by a real systemd, or by a real docker, on each host: what the daemon makes of what such
//! managers and those who use them by hand do. What it does about a service in general is tested with `services`.

#[path = "../support/mod.rs"]
mod support;

#[path = "../services/pair.rs"]
#[allow(dead_code)]
mod pair;

#[path = "../../../managers/tests/real/mod.rs"]
mod real;

mod control_groups;
mod docker;
mod ground;
mod journal;
mod own_unit;
mod systemd;
