//! What a virtual router counts.

use super::receive::{Discard, Oddity};

/// Counters of one virtual router since its start (RFC 6527 has most of them).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Advertisements accepted.
    pub advertisements_received: u64,
    /// Advertisements sent, one per destination round.
    pub advertisements_sent: u64,
    /// Times that it became Active.
    pub became_active: u64,
    /// Times that it ceased to be Active.
    pub released_active: u64,
    /// Advertisements of priority 0 received.
    pub priority_zero_received: u64,
    /// Advertisements of priority 0 sent.
    pub priority_zero_sent: u64,
    /// Advertisements that could not be sent.
    pub send_failures: u64,
    /// Packets not accepted, by reason.
    pub discarded: [u64; Discard::COUNT],
    /// Packets accepted in spite of something, by kind.
    pub odd: [u64; Oddity::COUNT],
}
