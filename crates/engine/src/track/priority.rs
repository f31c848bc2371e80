//! Effective priority: the configured one plus the weights of what is tracked.

use crate::{Priority, Weight};

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

/// Weighs one tracked thing. `good` is `None` before its first result.
pub(crate) fn effect(weight: Weight, good: Option<bool>) -> Effect {
    match (weight, good) {
        (Weight::Fault, Some(true)) | (Weight::ReversedFault, Some(false)) => Effect::Adds(0),
        (Weight::Fault, Some(false)) | (Weight::ReversedFault, Some(true)) => Effect::Fault,
        (Weight::Fault | Weight::ReversedFault, None) => Effect::Pending,
        (Weight::Priority(weight), Some(good)) => Effect::Adds(worth(weight, good)),
        (Weight::Reversed(weight), Some(good)) => Effect::Adds(worth(weight, !good)),
        (Weight::Priority(_) | Weight::Reversed(_), None) => Effect::Adds(0),
    }
}

/// A positive weight counts while good, a negative one while failing.
fn worth(weight: i16, good: bool) -> i16 {
    if (weight > 0) == good { weight } else { 0 }
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
