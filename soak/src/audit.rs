//! What was seen, judged: how long nobody or several had the address, and who took a role without cause. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use rehearse::lab::Moment;

/// A host got the address, or lost it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) at: Moment,
    pub(crate) host: usize,
    pub(crate) held: bool,
}

/// Somebody who looks on was not let run for so long, up to this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stall {
    pub(crate) at: Moment,
    /// Whose watch it was.
    pub(crate) host: usize,
    pub(crate) late: Duration,
}

/// Somebody advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) at: Moment,
    pub(crate) host: usize,
    pub(crate) priority: u8,
}

/// A time in which we kept advertisements from a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deaf {
    pub(crate) host: usize,
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

/// The longest times in which nobody and in which several had the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) gap: Duration,
    pub(crate) overlap: Duration,
}

/// The longest stall from a moment on, and all those together of the watch that had most of them.
#[must_use]
pub(crate) fn stalled(stalls: &[Stall], from: Moment) -> (Duration, Duration) {
    let since = || stalls.iter().filter(|stall| stall.at >= from);
    let mut sums: BTreeMap<usize, Duration> = BTreeMap::new();
    since().for_each(|stall| *sums.entry(stall.host).or_default() += stall.late);
    (since().map(|stall| stall.late).max().unwrap_or_default(), sums.into_values().max().unwrap_or_default())
}

/// What `edges`, in their order, come to between two moments.
#[must_use]
pub(crate) fn held(edges: &[Edge], from: Moment, until: Moment) -> Held {
    let mut holders: Vec<usize> = Vec::new();
    let mut longest = Held::default();
    let mut since = from;
    let mut count = |holders: usize, span: Duration| match holders {
        0 => longest.gap = longest.gap.max(span),
        1 => {}
        _ => longest.overlap = longest.overlap.max(span),
    };
    for edge in edges.iter().filter(|edge| edge.at < until) {
        let before = kind(holders.len());
        let had = holders.len();
        holders.retain(|&host| host != edge.host);
        if edge.held {
            holders.push(edge.host);
        }
        // From two holders to three is still one overlap.
        if kind(holders.len()) != before {
            let at = edge.at.max(from);
            count(had, at.since(since));
            since = at;
        }
    }
    count(holders.len(), until.since(since));
    longest
}

/// Nobody, one, several.
fn kind(holders: usize) -> usize {
    holders.min(2)
}

/// A host began to advertise that was silent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TakeOver {
    pub(crate) at: Moment,
    pub(crate) by: usize,
    /// For how long it had heard no better router, which had not said goodbye either.
    pub(crate) silence: Duration,
    /// Of this silence so much is because we kept from it what was said.
    pub(crate) because_deaf: bool,
    /// How much later a better router advertised, if one did.
    pub(crate) outdone: Option<Duration>,
}

/// Frames that pass just while hearing is switched off or on may go either way.
const ABOUT: Duration = Duration::from_millis(10);

/// Whoever began to advertise from `from` on, except host 0, whose role it is. `words` are in their order, and there are
/// some from before. Who takes over rightly has heard nothing for `patience`, or a goodbye.
#[must_use]
pub(crate) fn take_overs(words: &[Word], deaf: &[Deaf], from: Moment, patience: Duration) -> Vec<TakeOver> {
    let mut found = Vec::new();
    for (n, word) in words.iter().enumerate() {
        if word.host == 0 || word.priority == 0 || word.at < from {
            continue;
        }
        let before = &words[..n];
        let better = |other: &&Word| other.host != word.host && (other.priority == 0 || other.priority > word.priority);
        // Who was silent and nobody better spoke meanwhile had the role all the time, and no processor.
        let is_new = match before.iter().rposition(|other| other.host == word.host) {
            Some(own) if before[own].priority > 0 => {
                word.at.since(before[own].at) > patience && before[own..].iter().any(|other| better(&other))
            }
            Some(_) | None => true,
        };
        if !is_new {
            continue;
        }
        let said = before.iter().rev().find(better);
        let heard = before.iter().rev().filter(|other| !is_deaf(deaf, word.host, other.at)).find(better);
        let silence = |last: Option<&Word>| match last {
            Some(last) if last.priority == 0 => Duration::MAX,
            Some(last) => word.at.since(last.at),
            None => Duration::MAX,
        };
        let because_deaf = silence(heard) >= patience && silence(said) < patience;
        let outdone = words[n..].iter().find(|other| better(other) && other.priority > 0);
        let outdone = outdone.map(|other| other.at.since(word.at));
        found.push(TakeOver { at: word.at, by: word.host, silence: silence(heard), because_deaf, outdone });
    }
    found
}

/// The longest time for which a host kept the address after an advertisement of a better one (whose number is smaller) that
/// was not kept from it.
#[must_use]
pub(crate) fn kept_in_spite(edges: &[Edge], words: &[Word], deaf: &[Deaf], from: Moment, until: Moment) -> Duration {
    let mut longest = Duration::ZERO;
    for edge in edges.iter().filter(|edge| edge.held) {
        let lost = edges.iter().find(|other| other.host == edge.host && !other.held && other.at > edge.at);
        let (began, ended) = (edge.at.max(from), lost.map_or(until, |lost| lost.at.min(until)));
        let is_better = |word: &&Word| word.host < edge.host && word.priority > 0 && word.at >= began;
        let told = words.iter().filter(is_better).find(|word| !is_deaf(deaf, edge.host, word.at));
        longest = longest.max(told.map_or(Duration::ZERO, |told| ended.since(told.at)));
    }
    longest
}

fn is_deaf(deaf: &[Deaf], host: usize, at: Moment) -> bool {
    deaf.iter().any(|span| span.host == host && (span.from - ABOUT..=span.until + ABOUT).contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Moment {
        Moment::from_nanos(ms * 1_000_000)
    }

    fn check(text: &str, until: u64, gap: u64, overlap: u64) {
        let edge = |word: &str| {
            let (at, change) = word.split_once(':').expect("a moment and a change");
            let (host, held) = (usize::from(change.ends_with('b')), change.starts_with('+'));
            Edge { at: ms(at.parse().expect("a number")), host, held }
        };
        let edges: Vec<Edge> = text.split_whitespace().map(edge).collect();
        let expected = Held { gap: Duration::from_millis(gap), overlap: Duration::from_millis(overlap) };
        assert_eq!(held(&edges, ms(100), ms(until)), expected, "{text}");
    }

    #[test]
    fn gaps_and_overlaps_within_a_time() {
        check("10:+a 20:-b", 200, 0, 0);
        check("10:+a 150:-a 170:+b", 200, 20, 0);
        check("10:+a 150:+b 180:-a", 200, 0, 30);
        check("10:+a 50:+b 180:-a", 200, 0, 80);
        check("10:+a 150:-a", 200, 50, 0);
        check("10:+a 120:+b 130:-b 140:+b 170:-b", 200, 0, 30);
        check("", 200, 100, 0);
    }

    fn word(at: u64, host: usize, priority: u8) -> Word {
        Word { at: ms(at), host, priority }
    }

    fn silences(words: &[Word], deaf: &[Deaf]) -> Vec<(u64, bool)> {
        let found = take_overs(words, deaf, ms(0), Duration::from_millis(600));
        let in_ms = |found: &TakeOver| u64::try_from(found.silence.as_millis()).unwrap_or(u64::MAX);
        found.iter().map(|found| (in_ms(found), found.because_deaf)).collect()
    }

    #[test]
    fn a_take_over_follows_silence_or_a_goodbye() {
        let silent = [word(0, 0, 150), word(200, 0, 150), word(830, 1, 100), word(1030, 1, 100)];
        assert_eq!(silences(&silent, &[]), [(630, false)]);
        let goodbye = [word(0, 0, 150), word(100, 0, 0), word(150, 1, 100)];
        assert_eq!(silences(&goodbye, &[]), [(u64::MAX, false)]);
        let without_cause = [word(0, 0, 150), word(200, 0, 150), word(210, 1, 100)];
        assert_eq!(silences(&without_cause, &[]), [(10, false)]);
    }

    #[test]
    fn who_has_it_and_stands_still_takes_over_nothing() {
        let silent = [word(0, 0, 200), word(700, 1, 150), word(1500, 1, 150)];
        assert_eq!(silences(&silent, &[]), [(700, false)]);
        let back = [word(0, 0, 200), word(700, 1, 150), word(800, 0, 200), word(1500, 1, 150)];
        assert_eq!(silences(&back, &[]), [(700, false), (700, false)]);
    }

    #[test]
    fn what_we_kept_from_it_was_not_heard() {
        let words = [0, 200, 400, 600, 800].map(|at| word(at, 0, 150));
        let words = [&words[..], &[word(830, 1, 100)]].concat();
        let deaf = [Deaf { host: 1, from: ms(350), until: ms(810) }];
        assert_eq!(silences(&words, &deaf), [(630, true)]);
        let other = [Deaf { host: 0, ..deaf[0] }];
        assert_eq!(silences(&words, &other), [(30, false)]);
    }

    #[test]
    fn who_takes_over_may_be_outdone() {
        let words = [word(0, 0, 200), word(700, 2, 100), word(730, 1, 150), word(900, 0, 0), word(1400, 2, 100)];
        let found = take_overs(&words, &[], ms(0), Duration::from_millis(600));
        let outdone: Vec<_> = found.iter().map(|found| (found.by, found.outdone)).collect();
        assert_eq!(outdone, [(2, Some(Duration::from_millis(30))), (1, None), (2, None)]);
    }

    #[test]
    fn who_hears_a_better_one_must_let_go() {
        let check = |deaf: &[Deaf], expected: u64| {
            let edge = |at, host, held| Edge { at: ms(at), host, held };
            let edges = [edge(10, 0, true), edge(650, 1, true), edge(1010, 1, false)];
            let words = [word(0, 0, 200), word(660, 1, 150), word(700, 0, 200), word(1000, 0, 200)];
            assert_eq!(kept_in_spite(&edges, &words, deaf, ms(0), ms(2000)), Duration::from_millis(expected));
        };
        check(&[], 310);
        check(&[Deaf { host: 1, from: ms(100), until: ms(800) }], 10);
        check(&[Deaf { host: 0, from: ms(100), until: ms(800) }], 310);
        check(&[Deaf { host: 1, from: ms(100), until: ms(1100) }], 0);
    }

    #[test]
    fn stalls_count_for_the_one_who_was_held_up_most() {
        let stall = |at, host, late| Stall { at: ms(at), host, late: Duration::from_millis(late) };
        let stalls = [stall(50, 0, 500), stall(110, 0, 20), stall(120, 1, 30), stall(130, 0, 20)];
        let [longest, together] = [30, 40].map(Duration::from_millis);
        assert_eq!(stalled(&stalls, ms(100)), (longest, together));
    }

    #[test]
    fn two_that_advertise_side_by_side_take_over_once() {
        let words: Vec<Word> = (0..10).flat_map(|n| [word(n * 200, 0, 150), word(n * 200 + 50, 1, 100)]).collect();
        assert_eq!(silences(&words, &[]).len(), 1);
    }
}
