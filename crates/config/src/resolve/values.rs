//! From words to numbers, switches and addresses. The allowed range stands in the table of keywords.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use engine::Scope;

use crate::diagnostic::Findings;
use crate::keywords::{Form, Micros};
use crate::statement::{Statement, short};
use crate::suggest::nearest;
use crate::syntax::Word;

/// A whole number within the range of the keyword's form.
pub(super) fn whole(statement: &Statement<'_>, findings: &mut Findings) -> Option<i64> {
    let Form::Whole { min, max, .. } = statement.keyword.form else { return None };
    let value = whole_word(statement.value(), findings)?;
    if (min..=max).contains(&value) {
        return Some(value);
    }
    out_of_range(statement, findings);
    None
}

/// As `whole`, for ranges without negative numbers.
pub(super) fn count(statement: &Statement<'_>, findings: &mut Findings) -> Option<u32> {
    whole(statement, findings).and_then(|value| u32::try_from(value).ok())
}

fn out_of_range(statement: &Statement<'_>, findings: &mut Findings) {
    let (name, word) = (statement.keyword.name, statement.value());
    let message = format!("`{name}` cannot be {}: it takes {}", word.text, statement.keyword.form);
    findings
        .error("out-of-range", word.span, message)
        .help(format!("for instance `{}`", short(statement.keyword.example)));
}

/// A whole number, perhaps negative, with nothing after it.
pub(super) fn whole_word(word: &Word, findings: &mut Findings) -> Option<i64> {
    let value = word.text.parse().ok();
    if value.is_none() {
        not_a_number(word, "a whole number", findings);
    }
    value
}

fn not_a_number(word: &Word, expected: &str, findings: &mut Findings) {
    let digits = word.text.chars().take_while(|character| character.is_ascii_digit() || *character == '.').count();
    let (number, rest) = word.text.split_at(digits);
    let help = match rest {
        _ if word.text.starts_with('$') => Some("define the name before this line".to_owned()),
        // Behind anything else the digits alone are hardly what was meant: `1O0`, `0x5`, `100ms`.
        "s" | "sec" | "secs" | "second" | "seconds" if digits > 0 => {
            Some(format!("write `{number}`, if that is meant"))
        }
        _ => None,
    };
    findings.error("bad-number", word.span, format!("`{}` is not {expected}", word.text)).maybe_help(help);
}

/// Decimal seconds within the range of the keyword's form.
pub(super) fn seconds(statement: &Statement<'_>, findings: &mut Findings) -> Option<Duration> {
    let Form::Seconds { min, max } = statement.keyword.form else { return None };
    let Some(micros) = micros(&statement.value().text) else {
        not_a_number(statement.value(), "a number of seconds", findings);
        return None;
    };
    if (min..=max).contains(&micros) {
        return Some(Duration::from_micros(micros));
    }
    out_of_range(statement, findings);
    None
}

/// Seconds from zero to `longest`, where no form of a keyword says so.
pub(super) fn seconds_word(word: &Word, longest: Duration, findings: &mut Findings) -> Option<Duration> {
    let Some(micros) = micros(&word.text) else {
        not_a_number(word, "a number of seconds", findings);
        return None;
    };
    let seconds = Duration::from_micros(micros);
    if seconds > longest {
        let message = format!("{} is too long: at most {} s", word.text, longest.as_secs());
        findings.error("out-of-range", word.span, message);
        return None;
    }
    Some(seconds)
}

/// Digits, and perhaps a point and more digits. What is finer than a microsecond is rounded.
fn micros(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && decimals.is_empty()) || !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let kept: u64 = format!("{decimals:0<6}")[..6].parse().ok()?;
    let round_up = decimals.as_bytes().get(6).is_some_and(|digit| *digit >= b'5');
    whole.checked_mul(1_000_000)?.checked_add(kept)?.checked_add(u64::from(round_up))
}

/// A time within the range of the keyword's form: seconds, or a number with its unit.
pub(super) fn span(statement: &Statement<'_>, findings: &mut Findings) -> Option<Duration> {
    let Form::Span { min, max } = statement.keyword.form else { return None };
    let span = span_word(statement.value(), findings)?;
    if (Duration::from_micros(min)..=Duration::from_micros(max)).contains(&span) {
        return Some(span);
    }
    out_of_range(statement, findings);
    None
}

/// `90`, `1.5`, `500ms`, `90s`, `5m`, `1h`, `2d`.
pub(super) fn span_word(word: &Word, findings: &mut Findings) -> Option<Duration> {
    let span = span_text(&word.text);
    if span.is_none() {
        findings
            .error("bad-number", word.span, format!("`{}` is no time", word.text))
            .help("write seconds, for instance `0.5` or `90`, or a unit: `500ms`, `90s`, `5m`, `1h`, `2d`");
    }
    span
}

fn span_text(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64, u64); 5] = [("ms", 1, 1000), ("s", 1, 1), ("m", 60, 1), ("h", 3600, 1), ("d", 86_400, 1)];
    let unit = UNITS.iter().find_map(|(unit, times, parts)| Some((text.strip_suffix(unit)?, *times, *parts)));
    let (number, times, parts) = unit.unwrap_or((text, 1, 1));
    Some(Duration::from_micros(micros(number)?.checked_mul(times)? / parts))
}

/// One of the words of the keyword's form.
pub(super) fn choice(statement: &Statement<'_>, findings: &mut Findings) -> Option<&'static str> {
    let Form::Choice(words) = statement.keyword.form else { return None };
    let (name, word) = (statement.keyword.name, statement.value());
    let found = words.iter().find(|choice| **choice == word.text);
    if found.is_none() {
        let help = match nearest(&word.text, words.iter().copied()) {
            Some(choice) => format!("did you mean `{choice}`?"),
            None => format!("for instance `{}`", statement.keyword.example),
        };
        let message = format!("`{name}` cannot be {}: it takes {}", word.text, statement.keyword.form);
        findings.error("bad-choice", word.span, message).help(help);
    }
    found.copied()
}

/// A path from the root: the daemon's directory is nobody's business.
pub(super) fn path(statement: &Statement<'_>, findings: &mut Findings) -> Option<PathBuf> {
    let word = statement.value();
    if word.text.starts_with('/') {
        return Some(PathBuf::from(&word.text));
    }
    findings.error("bad-path", word.span, format!("`{}` is no full path", word.text)).help(format!(
        "write it from the root, for instance `{}`",
        short(statement.keyword.example).trim_end_matches("{ … }")
    ));
    None
}

/// A port number.
pub(super) fn port(text: &str) -> Option<u16> {
    let well_formed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| well_formed && *port > 0)
}

/// On or off; a keyword alone means on.
pub(super) fn switch(statement: &Statement<'_>, findings: &mut Findings) -> Option<bool> {
    let Some(word) = statement.values.first() else { return Some(true) };
    match word.text.as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        other => {
            let name = statement.keyword.name;
            findings
                .error("bad-switch", word.span, format!("`{other}` is neither on nor off"))
                .help(format!("write `{name} on` or `{name} off`; true, yes, false and no are understood too"));
            None
        }
    }
}

/// An IP address.
pub(super) fn address(word: &Word, findings: &mut Findings) -> Option<IpAddr> {
    let address = word.text.parse().ok();
    if address.is_none() {
        let help = if word.text.starts_with('$') {
            "define the name before this line, for instance `$node1=192.0.2.1`"
        } else {
            "write it in numbers, for instance 192.0.2.1; names are not looked up"
        };
        findings.error("bad-address", word.span, format!("`{}` is not an IP address", word.text)).help(help);
    }
    address
}

/// A scope by its number.
pub(super) const fn scope(number: u8) -> Scope {
    match number {
        0 => Scope::Global,
        200 => Scope::Site,
        253 => Scope::Link,
        254 => Scope::Host,
        other => Scope::Other(other),
    }
}

/// An IP address of a node. A prefix length after it says nothing about the node.
pub(super) fn node_address(word: &Word, findings: &mut Findings) -> Option<IpAddr> {
    let with_prefix = word.text.split_once('/');
    let Some((node, prefix)) = with_prefix.filter(|(_, prefix)| prefix.parse::<u8>().is_ok_and(|bits| bits <= 128))
    else {
        return address(word, findings);
    };
    let message = format!("`/{prefix}` is ignored: here an address of one node stands");
    findings.warning("prefix-ignored", word.span, message).help(format!("write `{node}`"));
    address(&Word { text: node.to_owned(), ..word.clone() }, findings)
}

/// The name of an interface: 1 to 15 bytes without blanks and slashes.
pub(super) fn interface(word: &Word, findings: &mut Findings) -> Option<engine::Name> {
    let name = word.text.as_str();
    let good = (1..=15).contains(&name.len()) && name != "." && name != ".." && !name.contains(['/', ':', ' ', '\t']);
    if !good {
        findings
            .error("bad-interface", word.span, format!("`{name}` cannot be the name of an interface"))
            .help("`ip link` lists the names; they have at most 15 characters");
        return None;
    }
    Some(name.into())
}

/// For messages: `1.5 s`.
pub(crate) fn in_seconds(duration: Duration) -> String {
    format!("{} s", Micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{micros, span_text};

    #[test]
    fn decimal_seconds() {
        let check = |text, expected| assert_eq!(micros(text), expected, "{text}");
        check("1", Some(1_000_000));
        check("0.05", Some(50_000));
        check(".5", Some(500_000));
        check("2.", Some(2_000_000));
        check("1.0000005", Some(1_000_001));
        check("1.00000049", Some(1_000_000));
        check("0.9999999", Some(1_000_000));
        check("", None);
        check(".", None);
        check("1s", None);
        check("-1", None);
        check("1.2.3", None);
        check("99999999999999999999", None);
    }

    #[test]
    fn times_with_their_units() {
        let check =
            |text, expected: Option<u64>| assert_eq!(span_text(text), expected.map(Duration::from_millis), "{text}");
        check("90", Some(90_000));
        check("0.3", Some(300));
        check("250ms", Some(250));
        check("1.5s", Some(1500));
        check("5m", Some(300_000));
        check("1h", Some(3_600_000));
        check("2d", Some(172_800_000));
        check("h", None);
        check("1w", None);
        check("1 h", None);
        check("-1s", None);
        check("99999999999999d", None);
    }
}
