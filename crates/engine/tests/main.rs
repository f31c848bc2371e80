//! What the engine does, seen from outside. One program, since each more is compiled and linked for itself; but for
//! `allocation`, which counts for the whole of its own.

mod announce;
mod any_sequence;
mod asked;
mod authentication_header;
mod baton;
mod common;
mod deviations;
mod figures;
mod hmac;
mod ipv6;
mod pair;
mod receive_ladder;
mod reconfigure;
mod replayed;
mod roles_of_checks;
mod rules;
mod services;
mod texts;
mod tracking;
mod wire;
