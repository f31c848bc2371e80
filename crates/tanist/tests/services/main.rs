//! Pairs that look after a service: what must never happen to it, and what must happen in the end.
//!
//! The service is a collector that ticks, so that nobody has to be believed about who was at work when. Rows of the
//! stories, S2-18 for instance, are named where they are shown.

#[path = "../support/mod.rs"]
mod support;

mod checks;
mod diagnoses;
mod down_file;
mod failback;
mod flaps;
mod groups;
mod hardening;
mod hooks;
mod journal;
mod ladder;
mod manual_stop;
mod neighbours;
mod operators;
mod ordered_start;
mod pair;
mod pretend_docker;
mod readiness;
mod remainders;
mod roles;
mod shadow;
mod start_up;
mod status;
mod strangers;
mod trials;
