//! What the tests of the engine share: packets made without the engine's encoder, configurations as text, and
//! timelines as text.
//!
//! Nothing here computes an expectation with a formula of the engine.

// Each test file is a program of its own and uses its own part of this.
#![allow(dead_code, reason = "each test program uses some of it")]

pub(crate) mod ladder;
pub(crate) mod packet;
pub(crate) mod setup;
pub(crate) mod timeline;
pub(crate) mod words;
