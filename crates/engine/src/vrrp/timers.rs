//! The two formulas of the standard. Both the machine and the status view call these.

use core::time::Duration;

use crate::{Interval, Priority, Version};

/// Skew_Time: what a Backup of lower priority waits longer, so that the best one is first.
///
/// Version 3: RFC 9568 §6.1, in proportion to the interval. Version 2: RFC 3768 §6.1, in proportion to one second.
#[must_use]
pub fn skew_time(version: Version, priority: Priority, active_adver_interval: Interval) -> Duration {
    let unit = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => active_adver_interval.as_duration(),
    };
    unit * u32::from(256 - u16::from(priority.get())) / 256
}

/// Active_Down_Interval: silence after which a Backup takes over. RFC 9568 §6.1 lets 3 advertisements be missed; see
/// [`RouterConfig::active_down_interval`](crate::RouterConfig::active_down_interval).
#[must_use]
pub fn active_down_interval(
    missed_advertisements: u8,
    version: Version,
    priority: Priority,
    active_adver_interval: Interval,
) -> Duration {
    let missed = active_adver_interval.as_duration() * u32::from(missed_advertisements);
    missed + skew_time(version, priority, active_adver_interval)
}

/// The longest [`advertisement_slack`].
pub const LONGEST_SLACK: Duration = Duration::from_millis(10);

/// How much earlier than planned an advertisement may leave so that several share one wake-up.
///
/// A thirty-second of the interval, at most 10 ms. Early never hurts a receiver; late would.
#[must_use]
pub fn advertisement_slack(advertisement_interval: Interval) -> Duration {
    (advertisement_interval.as_duration() / 32).min(LONGEST_SLACK)
}

/// The longest that any Backup waits after a resignation, and a margin for its address to be set.
///
/// For an orderly stop: until then the address goes on answering here if no successor is heard.
#[must_use]
pub fn longest_succession(version: Version, advertisement_interval: Interval) -> Duration {
    const MARGIN: Duration = Duration::from_millis(100);
    skew_time(version, Priority::new(1), advertisement_interval) + MARGIN
}
