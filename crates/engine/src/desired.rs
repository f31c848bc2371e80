//! What should exist in the kernel now, as a value to be reconciled with what does.

use alloc::collections::BTreeSet;
use core::net::IpAddr;

use crate::{LinkId, Name, RouterId, Scope};

/// The addresses that should be there. A set, so that the order of events cannot matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// One entry for each address on each interface.
    pub addresses: BTreeSet<DesiredAddress>,
}

/// One address that should be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DesiredAddress {
    /// The interface.
    pub link: LinkId,
    /// The address.
    pub address: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// Scope.
    pub scope: Scope,
    /// IPv4 label.
    pub label: Option<Name>,
    /// IPv4 broadcast address.
    pub broadcast: Option<IpAddr>,
    /// The router that wants it (the first one, if several do).
    pub router: RouterId,
}
