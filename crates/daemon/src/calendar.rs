//! The calendar for the engine, which counts on by itself from what it was told last.

use engine::Input;
use linux::clock;

/// By so many nanoseconds may what it counts be wrong. Clocks are slewed by half a millisecond in a second at most.
const TOLERANCE: u64 = 1_000_000;

/// What the engine was told.
#[derive(Debug, Default)]
pub(crate) struct CalendarWatch {
    /// By how many nanoseconds the calendar was ahead of the boot-time clock.
    ahead: Option<i64>,
}

impl CalendarWatch {
    /// What the engine must be told now, if anything.
    pub(crate) fn news(&mut self) -> Option<Input<'static>> {
        let said = clock::real_time();
        let nanoseconds = i64::try_from(said.as_nanos()).unwrap_or(i64::MAX);
        let ahead = nanoseconds.saturating_sub_unsigned(clock::boot_time());
        if self.ahead.is_some_and(|known| known.abs_diff(ahead) < TOLERANCE) {
            return None;
        }
        self.ahead = Some(ahead);
        Some(Input::Calendar(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_and_again_when_it_was_set() {
        let mut watch = CalendarWatch::default();
        let Some(Input::Calendar(said)) = watch.news() else { panic!("nothing was told yet") };
        assert!(clock::real_time().abs_diff(said).as_secs() < 60);
        // Somebody sets it by two seconds, forth and back.
        for step in [2_000_000_000, -2_000_000_000] {
            watch.ahead = watch.ahead.map(|ahead| ahead - step);
            assert!(watch.news().is_some());
        }
    }
}
