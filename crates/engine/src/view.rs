//! What an operator may see of an engine at one moment.

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::vrrp::receive::ChecksumForm;
use crate::vrrp::statistics::Statistics;
use crate::{FaultReason, Instant, Interval, Name, Priority, RouterId, ScriptOutcome, StateName};

/// The whole engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// In the configuration's order.
    pub routers: Vec<RouterView>,
    /// In the configuration's order.
    pub scripts: Vec<ScriptView>,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterView {
    /// Its index.
    pub router: RouterId,
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: StateName,
    /// Since when; the engine's start if it never changed.
    pub since: Instant,
    /// Configured priority.
    pub priority: Priority,
    /// Priority after tracking.
    pub effective_priority: Priority,
    /// The Active router as far as we know: address and priority. `None` if nobody was heard, or if it is us.
    pub active_router: Option<(IpAddr, Priority)>,
    /// Active_Adver_Interval (RFC 9568 §6.1).
    pub active_adver_interval: Interval,
    /// When a Backup takes over if it hears nothing; `None` in the other states.
    pub active_down_at: Option<Instant>,
    /// The address that it sends from; `None` while it has none.
    pub primary_address: Option<IpAddr>,
    /// Everything that keeps it out.
    pub faults: Vec<FaultReason>,
    /// Which checksum the peer uses in version 3 over IPv4; `None` until one was heard.
    pub peer_checksum_form: Option<ChecksumForm>,
    /// Whether its addresses should be in the kernel now.
    pub holds_addresses: bool,
    /// Its counters.
    pub statistics: Statistics,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptView {
    /// Its name.
    pub name: Name,
    /// Its verdict; `None` before the first result.
    pub good: Option<bool>,
    /// How the last run ended.
    pub last_outcome: Option<ScriptOutcome>,
    /// When the run that is under way began.
    pub running_since: Option<Instant>,
}
