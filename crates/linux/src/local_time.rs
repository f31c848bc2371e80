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
    /// How far the zone's clock is before UTC, in seconds.
    pub utc_offset: i32,
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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
            // Within a day.
            utc_offset: fields.tm_gmtoff as i32,
        }
    }

    /// As ctime(3) has it, which is what readers of keepalived's files know: `Sat Nov 21 08:40:01 2026`.
    #[must_use]
    pub fn ctime(&self) -> String {
        let (day, month) = self.names();
        format!("{day} {month} {:2} {:02}:{:02}:{:02} {}", self.day, self.hour, self.minute, self.second, self.year)
    }

    /// As mail has it (RFC 5322 §3.3): `Sat, 21 Nov 2026 08:40:01 +0100`.
    #[must_use]
    pub fn mail_date(&self) -> String {
        let Self { year, day: day_of_month, hour, minute, second, utc_offset, .. } = self;
        let (day, month) = self.names();
        let (sign, offset) = (if *utc_offset < 0 { '-' } else { '+' }, utc_offset.unsigned_abs() / 60);
        let (hours, minutes) = (offset / 60, offset % 60);
        format!(
            "{day}, {day_of_month:02} {month} {year} {hour:02}:{minute:02}:{second:02} {sign}{hours:02}{minutes:02}"
        )
    }

    /// Day and month.
    fn names(&self) -> (&'static str, &'static str) {
        let day = DAYS.get(usize::from(self.weekday)).unwrap_or(&"???");
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).unwrap_or(&"???");
        (day, month)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, millisecond, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millisecond:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_mail_name_their_zone() {
        let (year, month, day, weekday) = (2026, 11, 2, 1);
        let at = |utc_offset| {
            let time =
                LocalTime { year, month, day, weekday, hour: 8, minute: 4, second: 1, millisecond: 9, utc_offset };
            time.mail_date()
        };
        assert_eq!(at(0), "Mon, 02 Nov 2026 08:04:01 +0000");
        assert_eq!(at(5 * 3600 + 1800), "Mon, 02 Nov 2026 08:04:01 +0530");
        assert_eq!(at(-8 * 3600), "Mon, 02 Nov 2026 08:04:01 -0800");
    }
}
