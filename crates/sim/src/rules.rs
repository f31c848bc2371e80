//! The standard's arithmetic once more, written from its text and not from the engine: what the invariants
//! expect must not come from what they examine.

use std::time::Duration;

use engine::{AntiReplay, Authentication, HmacMode, Priority, RouterConfig, Version, Weight};

/// Skew_Time in nanoseconds: RFC 3768 §6.1 in proportion to one second, RFC 9568 §6.1 to the interval.
fn skew_nanoseconds(version: Version, priority: u8, interval_nanoseconds: u64) -> u64 {
    let whole = if version == Version::V2 { 1_000_000_000 } else { interval_nanoseconds };
    (256 - u64::from(priority)) * whole / 256
}

/// Skew_Time.
pub(crate) fn skew_time(version: Version, priority: u8, interval: Duration) -> Duration {
    let nanoseconds = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX / 256);
    Duration::from_nanos(skew_nanoseconds(version, priority, nanoseconds))
}

/// Active_Down_Interval.
pub(crate) fn down_interval(version: Version, priority: u8, interval: Duration) -> Duration {
    interval * 3 + skew_time(version, priority, interval)
}

/// The longest Active_Down_Interval that any priority can have at this interval.
pub(crate) fn longest_down_interval(version: Version, interval: Duration) -> Duration {
    down_interval(version, 1, interval)
}

/// The longest that a successor of an orderly stop can wait, and half a second for everything else.
pub(crate) fn longest_farewell(version: Version, interval: Duration) -> Duration {
    skew_time(version, 1, interval) + Duration::from_millis(500)
}

/// What a tracked thing that is good or failing means for its router.
pub(crate) enum Meaning {
    /// It cannot take part.
    Fault,
    /// Its priority changes by this.
    Worth(i32),
}

/// keepalived's rules: 0 is a fault while failing, positive counts while good, negative while failing; a
/// reversed weight subtracts where it would add, and a reversed 0 takes good for failing.
pub(crate) fn meaning(weight: Weight, good: bool) -> Meaning {
    let (number, sign, good) = match weight {
        Weight::Fault => (0, 1, good),
        Weight::ReversedFault => (0, 1, !good),
        Weight::Priority(number) => (i32::from(number), 1, good),
        Weight::Reversed(number) => (i32::from(number), -1, good),
    };
    match (number, good) {
        (0, false) => Meaning::Fault,
        (1.., true) | (..=-1, false) => Meaning::Worth(sign * number),
        (0, true) | (1.., false) | (..=-1, true) => Meaning::Worth(0),
    }
}

/// What a tracked number means: its product with the weight; without a weight every number but 0 is a failure.
pub(crate) fn meaning_of_number(weight: Weight, number: i64) -> Meaning {
    let worth = match weight {
        Weight::Fault | Weight::ReversedFault => return meaning(weight, number == 0),
        Weight::Priority(each) => i64::from(each) * number,
        Weight::Reversed(each) => -i64::from(each) * number,
    };
    if worth <= -254 { Meaning::Fault } else { Meaning::Worth(worth.min(253) as i32) }
}

/// Base plus weights within 1–254; an owner stays 255.
pub(crate) fn effective(configured: Priority, sum: i32) -> u8 {
    match configured.get() {
        255 => 255,
        base => u8::try_from((i32::from(base) + sum).clamp(1, 254)).expect("clamped to an octet"),
    }
}

/// Whether two routers of one VRID can understand each other, given that every packet arrives, and that their clocks
/// are so far apart.
pub(crate) fn understand(left: &RouterConfig, right: &RouterConfig, apart: Duration) -> bool {
    let unicast = |config: &RouterConfig| matches!(config.transport, engine::Transport::Unicast { .. });
    left.link == right.link
        && left.family == right.family
        && left.version == right.version
        && takes(&left.authentication, &right.authentication, apart)
        && takes(&right.authentication, &left.authentication, apart)
        && unicast(left) == unicast(right)
        && (left.version == Version::V3 || left.advertisement_interval == right.advertisement_interval)
}

/// Whether what one sends is good enough for the other. What is signed and not asked for is taken for padding.
fn takes(receiver: &Authentication, sender: &Authentication, apart: Duration) -> bool {
    let signed = match sender {
        Authentication::Hmac(policy) if policy.mode != HmacMode::ReceiveOnly => Some(policy),
        Authentication::Hmac(_)
        | Authentication::None
        | Authentication::SimplePassword(_)
        | Authentication::Header(_) => None,
    };
    match (receiver, sender) {
        (Authentication::SimplePassword(ours), Authentication::SimplePassword(theirs))
        | (Authentication::Header(ours), Authentication::Header(theirs)) => ours == theirs,
        (Authentication::SimplePassword(_) | Authentication::Header(_), _)
        | (_, Authentication::SimplePassword(_) | Authentication::Header(_)) => false,
        (Authentication::None, Authentication::None | Authentication::Hmac(_)) => true,
        (Authentication::Hmac(ours), Authentication::None | Authentication::Hmac(_)) => match signed {
            None => ours.mode != HmacMode::Enforce,
            Some(theirs) => {
                let key = theirs.keys.get(&theirs.active_key);
                let in_time = match ours.anti_replay {
                    // What is under way takes its time, too.
                    AntiReplay::Time { window } => apart + Duration::from_secs(2) < Duration::from_secs(window.into()),
                    AntiReplay::Monotonic => true,
                };
                key.is_some() && ours.keys.get(&theirs.active_key) == key && in_time
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Version, longest_down_interval, longest_farewell};

    #[test]
    fn in_milliseconds() {
        let (second, tenth) = (Duration::from_secs(1), Duration::from_millis(100));
        assert_eq!(longest_down_interval(Version::V2, second).as_millis(), 3996);
        assert_eq!(longest_down_interval(Version::V3, tenth).as_micros(), 399_609);
        assert_eq!(longest_farewell(Version::V2, Duration::from_secs(5)).as_millis(), 1496);
        assert_eq!(longest_farewell(Version::V3, tenth).as_micros(), 599_609);
    }
}
