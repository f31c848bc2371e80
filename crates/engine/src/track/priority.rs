//! Effective priority: the configured one plus the weights of what is tracked.

use crate::{Priority, Weight};

/// What is known of a tracked thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It is good, or it fails.
    Good(bool),
    /// It is worth so much for each unit of the weight; without a weight any number but 0 is a failure.
    Number(i64),
}

/// What a tracked thing is worth at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing, or this much.
    Adds(i16),
    /// A fault.
    Fault,
    /// Not known yet, and a fault is possible.
    Pending,
}

/// A number that is worth this or less is a fault,
const FAULT: i64 = -254;
/// and none is worth more than this.
const MOST: i64 = 253;

/// Weighs one tracked thing. `finding` is `None` before its first result.
pub(crate) fn effect(weight: Weight, finding: Option<Finding>) -> Effect {
    match (weight, finding) {
        (Weight::Fault | Weight::ReversedFault, None) => Effect::Pending,
        (Weight::Priority(_) | Weight::Reversed(_), None) => Effect::Adds(0),
        (weight, Some(Finding::Good(good))) => weight.worth(good).map_or(Effect::Fault, Effect::Adds),
        (Weight::Fault, Some(Finding::Number(0))) => Effect::Adds(0),
        (Weight::Fault, Some(Finding::Number(_))) => Effect::Fault,
        (Weight::ReversedFault, Some(Finding::Number(0))) => Effect::Fault,
        (Weight::ReversedFault, Some(Finding::Number(_))) => Effect::Adds(0),
        (Weight::Priority(weight), Some(Finding::Number(number))) => product(i64::from(weight), number),
        (Weight::Reversed(weight), Some(Finding::Number(number))) => product(-i64::from(weight), number),
    }
}

fn product(weight: i64, number: i64) -> Effect {
    match number.saturating_mul(weight) {
        ..=FAULT => Effect::Fault,
        // Within −253…253.
        worth => Effect::Adds(worth.min(MOST) as i16),
    }
}

/// The configured priority plus the sum of the effects, within 1–254; the address owner's never changes
/// (RFC 9568 §5.2.4).
pub(crate) fn effective(configured: Priority, sum: i32) -> Priority {
    if configured.is_address_owner() {
        return configured;
    }
    let clamped = (i32::from(configured.get()) + sum).clamp(1, 254);
    // Clamped to 1–254.
    Priority::new(clamped as u8)
}
