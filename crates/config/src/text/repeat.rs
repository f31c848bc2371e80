//! `~SEQ(…)`, `~SEQx(…)` and `~LST(…)`: the rest of the line again and again, with names stepping.

use super::glyph::Glyph;

/// More repetitions than this are a mistake.
const MOST_ROUNDS: u128 = 1_000_000;

/// Which kind stands at the start of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Decimal,
    Hexadecimal,
    List,
}

/// The parts of a line that starts with a repetition.
pub(crate) struct Repeat<'a> {
    pub(crate) kind: Kind,
    /// The whole of `~SEQ(…)`.
    pub(crate) head: &'a [Glyph],
    /// What stands between the brackets.
    pub(crate) arguments: &'a [Glyph],
    /// What is to be repeated.
    pub(crate) rest: &'a [Glyph],
}

/// Takes a line apart that starts with a repetition. `Some(Err)` if its bracket is not closed.
pub(crate) fn split(line: &[Glyph]) -> Option<Result<Repeat<'_>, &[Glyph]>> {
    let starts_with =
        |word: &str| word.chars().enumerate().all(|(at, c)| line.get(at).is_some_and(|glyph| glyph.character == c));
    let (word, kind) = [("~SEQ(", Kind::Decimal), ("~SEQx(", Kind::Hexadecimal), ("~LST(", Kind::List)]
        .into_iter()
        .find(|(word, _)| starts_with(word))?;
    let open = word.len();
    let Some(length) = line[open..].iter().position(|glyph| glyph.character == ')') else {
        return Some(Err(line));
    };
    let close = open + length;
    Some(Ok(Repeat { kind, head: &line[..=close], arguments: &line[open..close], rest: &line[close + 1..] }))
}

/// The names and, round by round, their values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rounds {
    pub(crate) names: Vec<String>,
    values: Values,
}

#[derive(Debug, PartialEq, Eq)]
enum Values {
    Sequence { start: i64, step: i64, count: u32, hexadecimal: bool },
    List(Vec<Vec<String>>),
}

impl Rounds {
    /// Reads the arguments of a repetition; the error says what is wrong with them.
    pub(crate) fn parse(kind: Kind, arguments: &str) -> Result<Self, String> {
        match kind {
            Kind::List => Self::list(arguments),
            Kind::Decimal | Kind::Hexadecimal => Self::sequence(arguments, kind == Kind::Hexadecimal),
        }
    }

    fn sequence(arguments: &str, hexadecimal: bool) -> Result<Self, String> {
        let mut words = arguments.split(',').map(str::trim);
        let name = name(words.next().unwrap_or_default())?;
        let numbers = words.map(number).collect::<Result<Vec<i64>, String>>()?;
        let (start, step, end) = match numbers[..] {
            [end] => (if end > 0 { 1 } else { -1 }, None, end),
            [start, end] => (start, None, end),
            [start, step, end] => (start, Some(step), end),
            _ => return Err("a sequence is written `~SEQ(name, start, step, end)`".to_owned()),
        };
        let step = step.unwrap_or(if end < start { -1 } else { 1 });
        if step == 0 {
            return Err("a sequence with step 0 does not end".to_owned());
        }
        let way = i128::from(end) - i128::from(start);
        let count = if (way < 0) == (step < 0) || way == 0 {
            way.unsigned_abs() / u128::from(step.unsigned_abs()) + 1
        } else {
            return Err(format!("step {step} never leads from {start} to {end}"));
        };
        if count > MOST_ROUNDS {
            return Err(format!("{count} rounds are too many; the limit is {MOST_ROUNDS}"));
        }
        let count = u32::try_from(count).expect("the limit is far below");
        Ok(Self { names: vec![name], values: Values::Sequence { start, step, count, hexadecimal } })
    }

    fn list(arguments: &str) -> Result<Self, String> {
        let mut items = items(arguments)?.into_iter();
        let names = items.next().unwrap_or_default();
        let names = names.iter().map(|word| name(word)).collect::<Result<Vec<_>, _>>()?;
        let rounds: Vec<Vec<String>> = items.collect();
        if rounds.is_empty() {
            return Err("a list is written `~LST(name, value, value …)`".to_owned());
        }
        match rounds.iter().find(|round| round.len() != names.len()) {
            Some(round) => Err(format!("{} names, but {} values in {{{}}}", names.len(), round.len(), round.join(","))),
            None => Ok(Self { names, values: Values::List(rounds) }),
        }
    }

    pub(crate) fn count(&self) -> u32 {
        match &self.values {
            Values::Sequence { count, .. } => *count,
            Values::List(rounds) => u32::try_from(rounds.len()).unwrap_or(u32::MAX),
        }
    }

    /// The values of one round, one for each name.
    pub(crate) fn values(&self, round: u32) -> Vec<String> {
        match &self.values {
            Values::Sequence { start, step, hexadecimal, .. } => {
                let value = start.saturating_add(step.saturating_mul(i64::from(round)));
                let sign = if value < 0 { "-" } else { "" };
                let size = value.unsigned_abs();
                vec![if *hexadecimal { format!("{sign}{size:x}") } else { format!("{sign}{size}") }]
            }
            Values::List(rounds) => rounds[round as usize].clone(),
        }
    }
}

fn name(word: &str) -> Result<String, String> {
    let word = word.trim();
    let good = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && word.chars().next().is_some_and(|first| !first.is_ascii_digit());
    if good { Ok(word.to_owned()) } else { Err(format!("`{word}` cannot be a name")) }
}

/// A whole number, decimal or `0x…`, perhaps negative.
fn number(word: &str) -> Result<i64, String> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None => digits.parse(),
    };
    match value {
        Ok(value) if value >= 0 => Ok(sign * value),
        _ => Err(format!("`{word}` is not a whole number")),
    }
}

/// Items separated by commas; an item in braces has several parts.
fn items(arguments: &str) -> Result<Vec<Vec<String>>, String> {
    let mut items = Vec::new();
    let mut rest = arguments.trim();
    loop {
        let (item, after) = match rest.strip_prefix('{') {
            Some(inner) => {
                let (inner, after) = inner.split_once('}').ok_or("a `{` is not closed")?;
                (inner.split(',').map(|part| part.trim().to_owned()).collect(), after)
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (vec![rest[..end].trim().to_owned()], &rest[end..])
            }
        };
        items.push(item);
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => return Ok(items),
            None => return Err(format!("a comma is missing before `{after}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Rounds};

    fn check(kind: Kind, arguments: &str, expected: &str) {
        let found = match Rounds::parse(kind, arguments) {
            Ok(rounds) => {
                let rounds_as_text = (0..rounds.count()).map(|round| rounds.values(round).join("/"));
                format!("{}: {}", rounds.names.join("/"), rounds_as_text.collect::<Vec<_>>().join(" "))
            }
            Err(error) => error,
        };
        assert_eq!(found, expected, "{arguments}");
    }

    #[test]
    fn sequences() {
        check(Kind::Decimal, "i, 0, 3", "i: 0 1 2 3");
        check(Kind::Decimal, "i,3", "i: 1 2 3");
        check(Kind::Decimal, "i,-3", "i: -1 -2 -3");
        check(Kind::Decimal, "i,3,1", "i: 3 2 1");
        check(Kind::Decimal, "i,0", "i: -1 0");
        check(Kind::Decimal, "i,5,5", "i: 5");
        check(Kind::Decimal, "i,5,-1,5", "i: 5");
        check(Kind::Hexadecimal, "i,-0x11,-0xf", "i: -11 -10 -f");
        check(Kind::Decimal, "IP2,168,2,172", "IP2: 168 170 172");
        check(Kind::Hexadecimal, "i, 144, 16, 192", "i: 90 a0 b0 c0");
        check(Kind::Hexadecimal, "i, 0x12, -1, 0x0c", "i: 12 11 10 f e d c");
        check(Kind::Decimal, "i, 1, 0, 3", "a sequence with step 0 does not end");
        check(Kind::Decimal, "i, 1, -1, 3", "step -1 never leads from 1 to 3");
        check(Kind::Decimal, "i, 1, 9000000000", "9000000000 rounds are too many; the limit is 1000000");
        check(Kind::Decimal, "1i, 1, 2", "`1i` cannot be a name");
        check(Kind::Decimal, "i_, 1, 2", "i_: 1 2");
        check(Kind::Decimal, "i-1, 1, 2", "`i-1` cannot be a name");
        check(Kind::Decimal, "i, x", "`x` is not a whole number");
        check(Kind::Decimal, "i, --3", "`--3` is not a whole number");
        check(Kind::Decimal, "i", "a sequence is written `~SEQ(name, start, step, end)`");
    }

    #[test]
    fn lists() {
        check(Kind::List, "IP, 1, 2,3", "IP: 1 2 3");
        check(Kind::List, "{IP, IP1}, {10,1},{20,4}", "IP/IP1: 10/1 20/4");
        check(Kind::List, "{a,b}, {1}", "2 names, but 1 values in {1}");
        check(Kind::List, "a", "a list is written `~LST(name, value, value …)`");
        check(Kind::List, "{a,b", "a `{` is not closed");
        check(Kind::List, "{a}, {1}{2}", "a comma is missing before `{2}`");
    }
}
