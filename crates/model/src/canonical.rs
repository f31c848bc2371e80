//! When two situations are the same: if nothing that the engines could ever do tells them apart.
//!
//! What an engine prints of itself with `{:?}` is all that it is, so that no field can be forgotten here. In that text
//!
//! * moments become spans from now; what lies longer back than any span of the configuration is only "long ago";
//! * random numbers (lives, challenges) become names in the order of their first mention: they are compared for equality
//!   and never otherwise;
//! * counted versions and sequences of a node become ranks: they are only compared, with each other;
//! * good assessments in a row count as far as they make a difference;
//! * what is only ever shown to operators is left out: counters, ages, the length of a round trip;
//! * what is drawn next is left out: of two that may be the other node, a heartbeat is for one by lot, and only one lot is
//!   gone through.
//!
//! The two lists below are all that is left out. The configuration is as well, since it is the same in all states.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use engine::Instant;

use crate::setup::{self, FORGOTTEN_AFTER};

/// Fields whose value makes no difference, whatever it is.
const LEFT_OUT: [&str; 12] = [
    "config",
    "statistics",
    "round_trip",
    "discarded",
    "last_discard",
    "hook_number",
    "random",
    "seal",
    "rank",
    // Which copies have come is known to who carries them, see `Message::has_come`.
    "sequences",
    "calendar",
    "last_failure",
];
/// Fields of which only counts whether there is something: how long it has been so is only reported. (`since` of others
/// than these does count.)
const ONLY_PRESENT: [&str; 6] = ["up_at", "gone_at", "gone_for", "running_for", "told_at", "begun_at"];
const SINCE_IS_SHOWN_ONLY: [&str; 3] = ["Service", "VirtualRouter", "Stopping"];
/// Nobody asks whether the other node has not heard us for longer: it is `dead_after`.
const LONGEST_UNHEARD: Duration = Duration::from_secs(2);
/// Larger numbers are random ones.
const LARGEST_COUNT: u64 = 1 << 40;

/// Where a number belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Random,
    /// Versions of what a node says.
    Version(usize),
    /// Numbers of its messages.
    Sequence(usize),
}

/// What one value says of itself, but for moments and numbers, which mean something only beside the others'.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    text: u128,
    /// In nanoseconds since the start.
    moments: Vec<u64>,
    numbers: Vec<(Kind, u64)>,
}

/// Reads what a node has, or has sent, in the text that it prints of itself.
pub(crate) fn read(node: usize, debug: &str) -> Written {
    let mut reader = Reader {
        node,
        bytes: debug.as_bytes(),
        at: 0,
        structs: Vec::new(),
        field: "",
        before: 0,
        text: Vec::with_capacity(debug.len()),
        written: Written::default(),
    };
    reader.read(debug);
    Written { text: hash(&reader.text), ..reader.written }
}

/// Two numbers that are the same for the same situation, and for no other one that will ever be met.
pub(crate) fn fingerprint<'w>(now: Instant, parts: impl Iterator<Item = &'w Written>) -> u128 {
    let mut all = Vec::new();
    let mut numbers = Vec::new();
    let mut ranks: BTreeMap<Kind, BTreeMap<u64, u64>> = BTreeMap::new();
    for part in parts {
        all.extend_from_slice(&part.text.to_le_bytes());
        part.moments.iter().for_each(|moment| all.extend_from_slice(&relative(now, *moment).to_le_bytes()));
        numbers.extend_from_slice(&part.numbers);
    }
    for (kind, number) in &numbers {
        let known = ranks.entry(*kind).or_default();
        let next = known.len() as u64 + 1;
        known.entry(*number).or_insert(next);
    }
    for (_, known) in ranks.iter_mut().filter(|(kind, _)| !matches!(kind, Kind::Random)) {
        (1..).zip(known.values_mut()).for_each(|(rank, number)| *number = rank);
    }
    for (kind, number) in &numbers {
        // 0 means "none" wherever it stands.
        let name = if *number == 0 { 0 } else { ranks[kind][number] };
        all.extend_from_slice(&name.to_le_bytes());
    }
    hash(&all)
}

/// Nanoseconds from now.
fn relative(now: Instant, nanoseconds: u64) -> i64 {
    if nanoseconds >= u64::MAX / 1000 * 999 {
        return i64::MAX;
    }
    let at = Instant::from_nanos(nanoseconds);
    let ago = now.since(at).min(FORGOTTEN_AFTER).as_nanos();
    let ahead = at.since(now).as_nanos();
    i64::try_from(ahead).unwrap_or(i64::MAX) - i64::try_from(ago).unwrap_or(i64::MAX)
}

fn hash(octets: &[u8]) -> u128 {
    let half = |salt: u8| {
        let mut hasher = std::hash::DefaultHasher::new();
        salt.hash(&mut hasher);
        octets.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// Goes through the text of one value.
struct Reader<'t> {
    node: usize,
    bytes: &'t [u8],
    at: usize,
    /// The types that the place lies in, innermost last.
    structs: Vec<&'t str>,
    field: &'t str,
    /// The moment that the next one is to be seen beside.
    before: u64,
    /// What is read; a moment or a number leaves its place only.
    text: Vec<u8>,
    written: Written,
}

/// A span in seconds that is longer than any that makes a difference.
fn is_long(span: &str) -> bool {
    let seconds = span.strip_suffix('s').and_then(|seconds| seconds.parse::<f64>().ok());
    seconds.is_some_and(|seconds| seconds > LONGEST_UNHEARD.as_secs_f64())
}

impl<'t> Reader<'t> {
    fn read(&mut self, debug: &'t str) {
        let mut word = "";
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    let begin = self.at;
                    self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    word = &debug[begin..self.at];
                    let names_field = self.bytes.get(self.at) == Some(&b':');
                    if names_field {
                        self.field = word;
                    }
                    if names_field && self.is_left_out() {
                        self.at += 1;
                        self.leave_out();
                    } else {
                        self.text.extend_from_slice(word.as_bytes());
                    }
                }
                b'0'..=b'9' => self.number(debug),
                b'"' => {
                    let begin = self.at;
                    self.quoted();
                    self.text.extend_from_slice(&self.bytes[begin..self.at]);
                }
                b'{' | b'(' | b'[' => {
                    self.structs.push(if *byte == b'{' { word } else { "" });
                    self.literally();
                }
                b'}' | b')' | b']' => {
                    self.structs.pop();
                    self.literally();
                }
                b' ' => self.at += 1,
                _ => self.literally(),
            }
        }
    }

    fn literally(&mut self) {
        self.literal(self.bytes[self.at]);
        self.at += 1;
    }

    fn literal(&mut self, byte: u8) {
        self.text.push(byte);
    }

    fn skip_while(&mut self, goes_on: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|byte| goes_on(*byte)) {
            self.at += 1;
        }
    }

    fn quoted(&mut self) {
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
    }

    fn innermost(&self) -> &'t str {
        self.structs.iter().rev().find(|name| !name.is_empty()).copied().unwrap_or_default()
    }

    fn is_left_out(&self) -> bool {
        LEFT_OUT.contains(&self.field)
            || ONLY_PRESENT.contains(&self.field)
            || (self.field == "since" && SINCE_IS_SHOWN_ONLY.contains(&self.innermost()))
    }

    /// Passes over the value of the field that has just been named.
    fn leave_out(&mut self) {
        let begin = self.at;
        let mut depth = 0;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.quoted();
                    continue;
                }
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' if depth == 0 => break,
                b'}' | b')' | b']' => depth -= 1,
                b',' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        if ONLY_PRESENT.contains(&self.field) {
            let there = !self.bytes[begin..self.at].ends_with(b"None");
            self.text.push(u8::from(there));
        }
    }

    /// A number, a moment (`12.345678`) or something that begins with digits, such as a span or an address.
    fn number(&mut self, debug: &str) {
        let begin = self.at;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == 0xc2 || byte == 0xb5);
        let text = &debug[begin..self.at];
        if let Some((seconds, fraction)) = text.split_once('.')
            && fraction.len() == 6
            && let (Ok(seconds), Ok(fraction)) = (seconds.parse::<u64>(), fraction.parse::<u64>())
        {
            let at = seconds.saturating_mul(1_000_000_000).saturating_add(fraction * 1000);
            if self.innermost() == "Echo" {
                self.text.extend_from_slice(&at.saturating_sub(self.before).to_le_bytes());
            }
            return self.moment(at);
        }
        if self.field == "unheard_for" && is_long(text) {
            return self.text.extend_from_slice(b"long");
        }
        let Ok(number) = text.parse::<u64>() else { return self.text.extend_from_slice(text.as_bytes()) };
        let kind = match (self.innermost(), self.field) {
            (_, "good_in_a_row") => {
                let counted = number.min(u64::from(setup::READINESS_RISE));
                return self.text.extend_from_slice(&counted.to_le_bytes());
            }
            ("BatonMessage", "sent_at") if number > 0 => return self.moment(number),
            // How long it was under way counts for ever, however long ago that was: it is written beside what follows.
            ("Echo", "sent_at") | ("BatonMessage", "heard_at") => {
                self.before = number;
                return;
            }
            // Of the answer to it only counts when it would have been there at once.
            ("BatonMessage", "held") => {
                let held = number.min(u64::try_from(FORGOTTEN_AFTER.as_nanos()).unwrap_or(u64::MAX));
                self.text.extend_from_slice(&held.to_le_bytes());
                return self.moment(self.before.saturating_add(number));
            }
            ("Candidates", "heartbeat") => return self.literal(b'#'),
            ("Pair" | "Claim" | "Offer" | "BatonMessage", "version") | ("Heard", "seen") => Kind::Version(self.node),
            ("BatonMessage", "seen") | ("Heard", "version") => Kind::Version(1 - self.node),
            ("PeerLink" | "BatonMessage", "sequence") => Kind::Sequence(self.node),
            ("Peer" | "Candidate", "sequence") => Kind::Sequence(1 - self.node),
            _ if number > LARGEST_COUNT => Kind::Random,
            _ => return self.text.extend_from_slice(text.as_bytes()),
        };
        self.text.push(b'#');
        self.written.numbers.push((kind, number));
    }

    fn moment(&mut self, nanoseconds: u64) {
        self.text.push(b'@');
        self.written.moments.push(nanoseconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(now_milliseconds: u64, texts: [&str; 2]) -> u128 {
        let written = [read(0, texts[0]), read(1, texts[1])];
        super::fingerprint(Instant::from_millis(now_milliseconds), written.iter())
    }

    fn same(one: (u64, [&str; 2]), other: (u64, [&str; 2])) -> bool {
        fingerprint(one.0, one.1) == fingerprint(other.0, other.1)
    }

    #[test]
    fn time_passes_and_nothing_else_happens() {
        assert!(same((1000, ["A { at: 1.500000 }", ""]), (3000, ["A { at: 3.500000 }", ""])));
        assert!(!same((1000, ["A { at: 1.500000 }", ""]), (3000, ["A { at: 3.600000 }", ""])));
        assert!(!same((1000, ["A { at: 1.500000 }", ""]), (2000, ["A { at: 1.500000 }", ""])));
        assert!(
            same((20_000, ["A { at: 1.500000 }", ""]), (30_000, ["A { at: 1.500000 }", ""])),
            "long ago is long ago"
        );
        assert!(!same((1000, ["A { span: 1.5s }", ""]), (1000, ["A { span: 1.6s }", ""])), "a span is no moment");
    }

    #[test]
    fn a_random_number_has_no_value() {
        let (one, two, three) = ("7777777777777777", "8888888888888888", "9999999999999999");
        let text = |first: &str, second: &str| format!("A {{ life: {first}, challenge: {second} }}");
        assert!(same((0, [&text(one, two), &text(two, one)]), (0, [&text(two, three), &text(three, two)])));
        assert!(!same((0, [&text(one, two), &text(two, one)]), (0, [&text(one, two), &text(one, two)])));
    }

    #[test]
    fn counted_numbers_have_an_order() {
        let text = |ours: u32, seen: u32| [format!("Pair {{ version: {ours} }}"), format!("Heard {{ seen: {seen} }}")];
        let same = |one: [String; 2], other: [String; 2]| {
            let [one, other] = [&one, &other].map(|texts| {
                let written = [read(0, &texts[0]), read(0, &texts[1])];
                super::fingerprint(Instant::START, written.iter())
            });
            one == other
        };
        assert!(same(text(7, 5), text(9, 8)));
        assert!(same(text(7, 7), text(9, 9)));
        assert!(!same(text(7, 7), text(9, 8)));
        assert!(!same(text(7, 0), text(9, 8)), "0 is none");
    }

    #[test]
    fn how_long_an_answer_was_under_way_is_seen_however_old_the_question_is() {
        let asked = |heard_at: u64, held: u64| format!("BatonMessage {{ heard_at: {heard_at}, held: {held} }}");
        let now = 60_000;
        let at_once = [asked(20_000_000_000, 40_000_000_000), asked(10_000_000_000, 50_000_000_000)];
        assert!(same((now, [&at_once[0], ""]), (now, [&at_once[1], ""])), "both were written now");
        let late = asked(20_000_000_000, 37_000_000_000);
        assert!(!same((now, [&at_once[0], ""]), (now, [&late, ""])), "this one three seconds ago");
        let heard = |sent_at: u64, heard_at: &str| format!("Echo {{ sent_at: {sent_at}, heard_at: {heard_at} }}");
        let both_long_ago = [heard(20_000_000_000, "20.000000"), heard(20_000_000_000, "22.000000")];
        assert!(!same((now, [&both_long_ago[0], ""]), (now, [&both_long_ago[1], ""])), "two seconds under way");
    }

    #[test]
    fn what_is_only_shown_is_left_out() {
        let before =
            "Service { config: Config { name: \"a } b\", x: [1] }, since: 1.000000, up_at: Some(1.000000), y: 1 }";
        let after =
            "Service { config: Config { name: \"c\", x: [2, 3] }, since: 2.000000, up_at: Some(3.000000), y: 1 }";
        assert!(same((5000, [before, ""]), (5000, [after, ""])));
        let gone = "Service { config: Config { name: \"c\", x: [2, 3] }, since: 2.000000, up_at: None, y: 1 }";
        assert!(!same((5000, [after, ""]), (5000, [gone, ""])), "whether it is there counts");
        let other =
            "Service { config: Config { name: \"c\", x: [2, 3] }, since: 2.000000, up_at: Some(3.000000), y: 2 }";
        assert!(!same((5000, [after, ""]), (5000, [other, ""])));
    }
}
