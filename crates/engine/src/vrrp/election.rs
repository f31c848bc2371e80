//! Who wins.

use core::cmp::Ordering;
use core::net::IpAddr;

use crate::Priority;

/// How an advertisement compares with an Active router that hears it (RFC 9568 §6.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contest {
    /// We stay and answer.
    Wins,
    /// Its priority is higher.
    LosesToPriority,
    /// Its priority is the same and its address is higher.
    LosesToAddress,
}

/// Compares us, Active, with the sender of an advertisement.
pub(crate) fn contest(ours: Priority, our_address: Option<IpAddr>, theirs: Priority, their_address: IpAddr) -> Contest {
    match theirs.cmp(&ours) {
        Ordering::Greater => Contest::LosesToPriority,
        Ordering::Less => Contest::Wins,
        Ordering::Equal if our_address.is_none_or(|ours| their_address > ours) => Contest::LosesToAddress,
        Ordering::Equal => Contest::Wins,
    }
}
