//! How an explanation is laid out: headings, points, and times as people say them.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Columns that a line may have.
const WIDTH: usize = 100;
/// Between a number and its unit: a line does not end there.
const TIED: char = '\u{a0}';

/// A text in the making.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// What the following is about.
    pub(super) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.wrap("", "  ", text);
    }

    /// One thing that may happen, and what follows.
    pub(super) fn point(&mut self, text: &str) {
        self.wrap("  - ", "    ", text);
    }

    /// A detail of the point before.
    pub(super) fn detail(&mut self, text: &str) {
        self.wrap("      - ", "        ", text);
    }

    fn wrap(&mut self, first: &str, further: &str, text: &str) {
        let mut line = first.to_owned();
        let mut has_word = false;
        for word in text.split(' ') {
            if has_word && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                further.clone_into(&mut line);
                has_word = false;
            }
            if has_word {
                line.push(' ');
            }
            line.push_str(word);
            has_word = true;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        let line = line.replace(TIED, " ");
        writeln!(self.text, "{line}").expect("writing to a string cannot fail");
    }
}

/// Seconds, rounded up to hundredths, below a tenth to thousandths: a worst case is not made better than it is.
pub(super) fn seconds(span: Duration) -> String {
    let unit: u128 = if span < Duration::from_millis(100) { 1_000 } else { 10_000 };
    let micros = span.as_micros() + u128::from(!span.as_nanos().is_multiple_of(1000));
    let rounded = u64::try_from(micros.div_ceil(unit) * unit).unwrap_or(u64::MAX);
    format!("{}{TIED}s", crate::keywords::Micros(rounded))
}

/// `2–3 s`.
pub(super) fn range(range: &RangeInclusive<Duration>) -> String {
    let (least, most) = (seconds(*range.start()), seconds(*range.end()));
    if least == most {
        return most;
    }
    format!("{}–{most}", least.trim_end_matches([TIED, 's']))
}

/// An interval as an operator writes it: `1 h`, `90 s`.
pub(super) fn every(span: Duration) -> String {
    let whole = span.as_secs();
    if span.subsec_nanos() > 0 || whole == 0 {
        return seconds(span);
    }
    match whole {
        whole if whole % 86_400 == 0 => format!("{}{TIED}d", whole / 86_400),
        whole if whole % 3600 == 0 => format!("{}{TIED}h", whole / 3600),
        whole if whole % 60 == 0 && whole > 600 => format!("{}{TIED}min", whole / 60),
        whole => format!("{whole}{TIED}s"),
    }
}

/// `once`, `up to 3 times`.
pub(super) fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("up to {count} times") }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(words: &[String]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TIED, every, range, seconds};

    fn loose(text: &str) -> String {
        text.replace(TIED, " ")
    }

    #[test]
    fn times_as_people_say_them() {
        let check = |micros, expected| assert_eq!(loose(&seconds(Duration::from_micros(micros))), expected);
        check(3_609_375, "3.61 s");
        check(15_000_000, "15 s");
        check(300_000, "0.3 s");
        check(25_000, "0.025 s");
        check(1, "0.001 s");
        check(0, "0 s");
        assert_eq!(loose(&seconds(Duration::from_nanos(100_000_001))), "0.11 s");
        let millis = Duration::from_millis;
        assert_eq!(loose(&range(&(millis(10_000)..=millis(15_000)))), "10–15 s");
        assert_eq!(loose(&range(&(millis(0)..=millis(500)))), "0–0.5 s");
        assert_eq!(loose(&range(&(millis(60)..=millis(60)))), "0.06 s");
        assert_eq!(loose(&every(Duration::from_secs(3600))), "1 h");
        assert_eq!(loose(&every(Duration::from_secs(90))), "90 s");
        assert_eq!(loose(&every(Duration::from_secs(600))), "600 s");
        assert_eq!(loose(&every(Duration::from_secs(1800))), "30 min");
        assert_eq!(loose(&every(millis(1500))), "1.5 s");
    }
}
