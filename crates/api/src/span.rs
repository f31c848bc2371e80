//! How both ends of the socket write a span of time, so that an operator need not count digits.

use std::time::Duration;

/// `412 ms`, `3 s`, `3.4 s`, `5 min 12 s`, `2 h`, `3 d 4 h`: never more than two units, and never rounded up.
#[must_use]
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        small => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match seconds {
        0 => format!("{} ms", span.as_millis()),
        1..10 => match span.subsec_millis() / 100 {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        },
        10..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_at_most() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (412, "412 ms"),
            (3_000, "3 s"),
            (3_450, "3.4 s"),
            (12_900, "12 s"),
            (60_000, "1 min"),
            (312_000, "5 min 12 s"),
            (7_200_000, "2 h"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), expected);
        }
    }
}
