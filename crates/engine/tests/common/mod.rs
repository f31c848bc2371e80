//! What the tests of the engine share: packets made without the engine's encoder, configurations as text, and
//! timelines as text.
//!
//! Nothing here computes an expectation with a formula of the engine.

#![allow(dead_code, reason = "`allocation` uses only some of it")]

pub(crate) mod ladder;
pub(crate) mod packet;
pub(crate) mod setup;
pub(crate) mod timeline;
pub(crate) mod words;
