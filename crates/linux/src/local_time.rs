//! The wall clock as people where this machine stands read it.
#![allow(unsafe_code)]

use std::fmt;
use std::mem::MaybeUninit;
use std::time::Duration;

/// A moment of the local time zone. Prints as `2026-11-21 08:40:01.123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    pub day: u8,
    /// 0 is Sunday.
    pub weekday: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub millisecond: u16,
}

impl LocalTime {
    /// The local reading of a time since 1970, UTC.
    #[must_use]
    pub fn of(since_1970: Duration) -> LocalTime {
        let seconds = libc::time_t::try_from(since_1970.as_secs()).unwrap_or(libc::time_t::MAX);
        let mut fields = MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: both pointers are valid for the call, and an all-zero `tm` is a valid value should the call fail
        // (a year beyond what an int holds).
        let fields = unsafe {
            libc::localtime_r(&raw const seconds, fields.as_mut_ptr());
            fields.assume_init()
        };
        // localtime_r(3): every field but the year fits eight bits.
        LocalTime {
            year: fields.tm_year + 1900,
            month: (fields.tm_mon + 1) as u8,
            day: fields.tm_mday as u8,
            weekday: fields.tm_wday as u8,
            hour: fields.tm_hour as u8,
            minute: fields.tm_min as u8,
            second: fields.tm_sec as u8,
            millisecond: since_1970.subsec_millis() as u16,
        }
    }

    /// As ctime(3) has it, which is what readers of keepalived's files know: `Sat Nov 21 08:40:01 2026`.
    #[must_use]
    pub fn ctime(&self) -> String {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let day = DAYS.get(usize::from(self.weekday)).unwrap_or(&"???");
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).unwrap_or(&"???");
        format!("{day} {month} {:2} {:02}:{:02}:{:02} {}", self.day, self.hour, self.minute, self.second, self.year)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, millisecond, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millisecond:03}")
    }
}
