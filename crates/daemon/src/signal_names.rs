//! The names that keepalived has for what its signals do.

use linux::signals::Signal;

/// The number of the signal that has this effect; `None` if there is none of this name.
#[must_use]
pub fn signal_number(name: &str) -> Option<i32> {
    let signal = match name {
        "STOP" => Signal::TERMINATE,
        "RELOAD" => Signal::HANGUP,
        "DATA" => Signal::USER_1,
        "STATS" => Signal::USER_2,
        "STATS_CLEAR" => Signal::statistics_clear(),
        "JSON" => Signal::json(),
        _ => return None,
    };
    Some(signal.0)
}

#[cfg(test)]
mod tests {
    use super::signal_number;

    /// As `keepalived --signum` of a build with glibc says; with musl, the realtime signals begin one later.
    #[test]
    fn signals_have_keepalived_s_numbers() {
        let numbers = ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR"].map(signal_number);
        assert_eq!(numbers, [15, 1, 10, 12, 63].map(Some));
        let json = if cfg!(target_env = "musl") { 37 } else { 36 };
        assert_eq!(signal_number("JSON"), Some(json));
        assert_eq!(signal_number("TDATA"), None);
    }
}
