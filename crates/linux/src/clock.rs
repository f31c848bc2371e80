//! The clocks: one that runs on while the machine sleeps, and one that people read.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Nanoseconds since boot, time spent suspended included.
pub fn boot_time() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Boottime);
    tv_sec as u64 * NANOSECONDS_PER_SECOND + tv_nsec as u64
}

/// Nanoseconds since boot without the time spent suspended: the clock that systemd's protocol speaks.
pub(crate) fn monotonic_time() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
    tv_sec as u64 * NANOSECONDS_PER_SECOND + tv_nsec as u64
}

/// Time since 1970, UTC, for display only: it jumps.
pub fn real_time() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// A moment of [`boot_time`] as the kernel takes it.
pub(crate) fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / NANOSECONDS_PER_SECOND).cast_signed(),
        tv_nsec: (nanoseconds % NANOSECONDS_PER_SECOND) as _,
    }
}
