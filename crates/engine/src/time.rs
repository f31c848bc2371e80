//! Moments and intervals as plain numbers, so that they print, compare and replay.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment: nanoseconds since an arbitrary start that is the same for the life of an engine.
///
/// In the daemon it is the boot-time clock, which goes on while a machine is suspended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The arbitrary start.
    pub const START: Self = Self(0);

    /// Later than anything.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The moment `nanoseconds` after the arbitrary start.
    #[must_use]
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// The moment `milliseconds` after the arbitrary start.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the arbitrary start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of time instead of wrapping around.
    fn add(self, span: Duration) -> Self {
        let nanoseconds = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// Saturates at the arbitrary start.
    fn sub(self, span: Duration) -> Self {
        let nanoseconds = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanoseconds))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seconds with microseconds: `12.345678`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}

/// What the calendar says: once it was told, it goes on by itself until it is told anew.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calendar {
    told_at: Instant,
    /// Since 1970.
    said: Duration,
}

impl Calendar {
    /// It says this now.
    pub(crate) const fn told(now: Instant, said: Duration) -> Self {
        Self { told_at: now, said }
    }

    /// What it says at a moment, since 1970.
    pub(crate) fn at(self, now: Instant) -> Duration {
        self.said + now.since(self.told_at)
    }
}

/// Time between advertisements in centiseconds, the unit of RFC 9568 §5.2.7: 0.01 s to 255 s.
///
/// Version 3 can express 0.01 s to 40.95 s, version 2 whole seconds from 1 to 255 (RFC 3768 §5.3.7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Interval(u16);

impl Interval {
    /// One second, the default of the standard.
    pub const SECOND: Self = Self(100);
    /// The longest interval that version 3 can announce (12 bits).
    pub const MAX_V3: Self = Self(4095);
    /// The longest interval that version 2 can announce (8 bits of seconds).
    pub const MAX_V2: Self = Self(25_500);

    /// `None` for zero and for more than 255 s.
    #[must_use]
    pub const fn from_centiseconds(centiseconds: u16) -> Option<Self> {
        if centiseconds == 0 || centiseconds > Self::MAX_V2.0 { None } else { Some(Self(centiseconds)) }
    }

    /// `None` for zero.
    #[must_use]
    pub const fn from_seconds(seconds: u8) -> Option<Self> {
        Self::from_centiseconds(seconds as u16 * 100)
    }

    /// In centiseconds.
    #[must_use]
    pub const fn as_centiseconds(self) -> u16 {
        self.0
    }

    /// As a span of time.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0 as u64 * 10)
    }
}

/// In seconds, as an operator writes it: `1s`, `0.1s`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{seconds}s"),
            tens if tens % 10 == 0 => write!(f, "{seconds}.{}s", tens / 10),
            _ => write!(f, "{seconds}.{rest:02}s"),
        }
    }
}
