//! Times and spans as a scenario writes them, in digits.

use std::time::Duration;

use engine::Instant;

/// `1s`, `0.25s`, `20ms`, `0.1ms`, exactly.
pub(crate) fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1_000_000),
        None => (text.strip_suffix('s')?, 1_000_000_000),
    };
    decimal(number, unit).map(Duration::from_nanos)
}

/// The shortest of the forms that [`parse_span`] reads.
pub(crate) fn span_text(span: Duration) -> String {
    let nanoseconds = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    if nanoseconds != 0 && nanoseconds < 1_000_000_000 && nanoseconds % 100_000_000 != 0 {
        format!("{}ms", decimal_text(nanoseconds, 1_000_000))
    } else {
        format!("{}s", decimal_text(nanoseconds, 1_000_000_000))
    }
}

/// A moment of a scenario in seconds: `12.345`.
pub(crate) fn parse_moment(text: &str) -> Option<Instant> {
    decimal(text, 1_000_000_000).map(Instant::from_nanos)
}

/// A moment in seconds with milliseconds; what is beyond them is cut off.
pub(crate) fn moment_text(moment: Instant) -> String {
    let milliseconds = moment.as_nanos() / 1_000_000;
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Reads a decimal number in multiples of 1/`unit`; `None` if it has more digits than that can hold.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return None;
    }
    let mut sum = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        if !place.is_multiple_of(10) {
            return None;
        }
        place /= 10;
        sum = sum.checked_add(u64::from(digit - b'0') * place)?;
    }
    Some(sum)
}

fn decimal_text(value: u64, unit: u64) -> String {
    let mut text = format!("{}.{:0width$}", value / unit, value % unit, width = unit.ilog10() as usize);
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    text
}

#[cfg(test)]
mod tests {
    use super::{Duration, parse_span, span_text};

    #[test]
    fn spans_are_read_and_written_exactly() {
        for (text, nanoseconds) in [
            ("0s", 0),
            ("1s", 1_000_000_000),
            ("0.1s", 100_000_000),
            ("20ms", 20_000_000),
            ("0.1ms", 100_000),
            ("3.414s", 3_414_000_000),
            ("10s", 10_000_000_000),
        ] {
            assert_eq!(parse_span(text), Some(Duration::from_nanos(nanoseconds)), "{text}");
            assert_eq!(span_text(Duration::from_nanos(nanoseconds)), text);
        }
        for text in ["", "s", "1", "1.", ".5s", "-1s", "1m", "0.0000000001s"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
