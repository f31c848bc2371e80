//! Configurations that nobody has written: those of the corpus, changed by chance but along their structure. Only whether
//! the tests pass is compared, because after two or three mistakes every message is a guess.
//!
//! A difference is known if each message that decides it stands in `differences.txt` for some configuration; the others
//! are shown, one of each kind. By hand: `cargo xtask fuzz keepalived --runs 5000 --seed 2`.

use std::collections::BTreeMap;

use config::Severity;
use sim::Random;

use crate::corpus::{self, Configuration};
use crate::differences::Differences;
use crate::judge::names_what_is_not_built;
use crate::messages::{Manner, Messages};
use crate::theirs::Verdict;
use crate::{host, judge, ours, read, run, theirs, with_known_keepalived};

/// So many are given to both before the next ones are made.
const AT_A_TIME: u64 = 250;
/// Where one of these is said, the two read on in ways of their own, and either may pass: our code, and why.
const DECIDED: [(&str, &str); 7] = [
    ("several-on-a-line", "decision 10: keepalived leaves out what follows the first keyword, whatever depends on it"),
    ("missing-block", "keepalived takes whatever follows up to some `}` for the block, or does without"),
    ("unclosed-block", "keepalived closes it where the file ends"),
    ("unexpected-brace", "keepalived may have left out what it would have closed"),
    ("unterminated-quote", "keepalived takes a quote behind a backslash for a letter, or does not look so far"),
    ("undefined-name", "keepalived may take it for a pattern of file names"),
    ("endless-definition", "decision 13: a name does not stand for itself; keepalived stops after some rounds"),
];
/// Where there is no such network namespace, keepalived looks no further; a long line it cuts anywhere (decision 13).
const LEFT_OUT: [&str; 2] = ["network-namespace", "line-longer-than-its-buffer"];

#[test]
#[ignore = "by hand: cargo xtask fuzz keepalived"]
fn verdicts_agree_about_configurations_that_nobody_has_written() {
    let number = |name: &str, otherwise| {
        std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}")))
    };
    let (count, seed) = (number("VERDICTS_AT_RANDOM", 500), number("VERDICTS_SEED", 1));
    with_known_keepalived(|| {
        let mut corpus = corpus::all();
        // Nor is a line of them put into another one.
        corpus.retain(|one| !LEFT_OUT.contains(&one.name.as_str()));
        let messages = Messages::parse(&read("messages.txt"));
        let differences = Differences::parse(&read("differences.txt"));
        let words = words(&corpus);
        let mut kinds: BTreeMap<String, (u64, String)> = BTreeMap::new();
        let (mut same, mut passed, mut known) = (0, 0, 0);
        let (_lab, host) = host();
        for from in (0..count).step_by(AT_A_TIME as usize) {
            let until = count.min(from + AT_A_TIME);
            let some: Vec<Configuration> =
                (from..until).map(|one| made_up(&corpus, &words, &mut Random::new(seed << 32 | one))).collect();
            for (one, (theirs, ours)) in some.iter().zip(run::both(&host, &some)) {
                let (they_pass, we_pass) = (theirs.verdict == Verdict::Exit(0), ours.status == 0);
                if they_pass == we_pass {
                    same += 1;
                    passed += u64::from(we_pass);
                    continue;
                }
                match unknown(&theirs, &ours, &messages, &differences) {
                    None => known += 1,
                    Some(kind) => {
                        let shown = || format!("{}\n{}", one.name, one.text());
                        if !kinds.contains_key(&kind) {
                            // At once: a run of hours may not come to its end.
                            println!("=== {kind}\n{}", shown());
                        }
                        let (met, shortest) = kinds.entry(kind).or_insert_with(|| (0, shown()));
                        *met += 1;
                        if shown().len() < shortest.len() {
                            *shortest = shown();
                        }
                    }
                }
            }
            println!(
                "{until} configurations: {same} with the same verdict ({passed} pass), {known} with a known difference"
            );
        }
        for (kind, (met, example)) in &kinds {
            println!("=== {met} times: {kind}\n{example}");
        }
        assert!(kinds.is_empty(), "{} kinds of differences are not known", kinds.len());
    });
}

/// What decides the difference and is not known.
fn unknown(theirs: &theirs::Answer, ours: &ours::Answer, messages: &Messages, known: &Differences) -> Option<String> {
    if let Verdict::Signal(signal) = theirs.verdict {
        println!("keepalived dies of signal {signal}");
        return None;
    }
    let differs_by = |finding: &ours::Finding| DECIDED.iter().any(|(code, _)| *code == finding.code);
    // Decision 13: they have not found what we have read.
    let unread = |said: &theirs::Said| said.text.starts_with("Config files missing '$");
    if ours.findings.iter().any(differs_by) || theirs.said.iter().any(unread) {
        return None;
    }
    if ours.status == 0 {
        let newer = judge::newer_words();
        // A missing file is told, and may end the test with 6.
        let counts = |said: &&theirs::Said| {
            let told = messages.find(&said.text).is_some_and(|wording| wording.manner == Manner::Told);
            !told || theirs.verdict == Verdict::Exit(6)
        };
        let is_known = |said: &theirs::Said| {
            // A warning of ours about the same thing is a decision that is listed with the code.
            let codes = messages.find(&said.text).map(|wording| wording.codes.as_slice()).unwrap_or_default();
            let warned = ours.findings.iter().any(|finding| codes.contains(&finding.code));
            let word = said.text.strip_prefix("Unknown keyword '").and_then(|rest| rest.strip_suffix('\''));
            // That a keyword is unknown is listed for some where it is something else here. Names stand for whole lines
            // here, and a backslash continues definitions only, where keepalived makes a word of it.
            let missing = said.text.starts_with("Config files missing");
            let listed = word.is_none() && (missing || known.has_for_some_they(&said.text));
            warned
                || listed
                || word.is_some_and(|word| newer.contains(word) || word.starts_with('$') || word.ends_with('\\'))
        };
        let counting: Vec<&theirs::Said> = theirs.said.iter().filter(counts).collect();
        // One known reason is enough for their test to fail.
        let reasons = counting.iter().any(|said| is_known(said));
        let first = counting.first().map_or("without a word", |said| &said.text);
        return (!reasons).then(|| format!("only they refuse it: {first}"));
    }
    let is_known = |finding: &ours::Finding| {
        finding.code == "not-built" && names_what_is_not_built(&finding.text)
            || known.has_for_some_we(finding.severity, &finding.code)
    };
    let mut errors = ours.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let unknown = errors.find(|finding| !is_known(finding))?;
    Some(format!("only we refuse it: {} {}", unknown.code, unknown.text))
}

/// Every word of the corpus, once.
fn words(corpus: &[Configuration]) -> Vec<&str> {
    let mut words: Vec<&str> = corpus.iter().flat_map(|one| one.text().split_whitespace()).collect();
    words.extend([
        "0",
        "-1",
        "255",
        "256",
        "65536",
        "4294967296",
        "0.001",
        "1e3",
        "0x10",
        "\"\"",
        "''",
        "a;b",
        "::",
        "/",
    ]);
    words.sort_unstable();
    words.dedup();
    words
}

/// One of the corpus, changed in one way or two.
fn made_up(corpus: &[Configuration], words: &[&str], random: &mut Random) -> Configuration {
    let base = random.pick(corpus);
    let mut lines: Vec<String> = base.text().lines().map(str::to_owned).collect();
    let mut what = String::new();
    for _ in 0..random.between(1, 2) {
        if !lines.is_empty() {
            what += change(&mut lines, corpus, words, random);
        }
    }
    let text = lines.iter().map(|line| format!("{line}\n")).collect();
    base.changed(&format!("random{what}"), text)
}

/// Along the structure: words, lines, ranges of them, nesting. How it is called.
fn change(lines: &mut Vec<String>, corpus: &[Configuration], words: &[&str], random: &mut Random) -> &'static str {
    let at = random.below(lines.len() as u64) as usize;
    let line = lines[at].clone();
    let mut parts: Vec<&str> = line.split_whitespace().collect();
    let part = random.below(parts.len() as u64) as usize;
    match random.below(14) {
        0 if !parts.is_empty() => {
            parts.remove(part);
            lines[at] = parts.join(" ");
            "-word"
        }
        1 if !parts.is_empty() => {
            parts.insert(part, parts[part]);
            lines[at] = parts.join(" ");
            "+same-word"
        }
        2 if parts.len() > 1 => {
            parts.swap(part, (part + 1) % line.split_whitespace().count());
            lines[at] = parts.join(" ");
            "~words"
        }
        3 | 4 if parts.len() > 1 => {
            let last = parts.len() - 1;
            parts[part.max(1).min(last)] = random.pick::<&str>(words);
            lines[at] = parts.join(" ");
            "=value"
        }
        5 => {
            parts.push(random.pick::<&str>(words));
            lines[at] = parts.join(" ");
            "+word"
        }
        6 => {
            lines.remove(at);
            "-line"
        }
        7 => {
            lines.insert(at, line);
            "+same-line"
        }
        8 => {
            let to = random.below(lines.len() as u64) as usize;
            lines.swap(at, to);
            "~lines"
        }
        9 => {
            let from: Vec<&str> = random.pick(corpus).text().lines().collect();
            if !from.is_empty() {
                lines.insert(at, (*random.pick(&from)).to_owned());
            }
            "+line"
        }
        10 => {
            // A block of another one, whole, wherever this is.
            let from = random.pick(corpus).text().lines().map(str::to_owned);
            lines.splice(at..at, from);
            "+file"
        }
        11 => {
            lines.insert(at, format!("{} {{", random.pick(words)));
            let end = (at + 1 + random.below(6) as usize).min(lines.len());
            lines.insert(end, "}".to_owned());
            "+block"
        }
        12 if at + 1 < lines.len() => {
            let next = lines.remove(at + 1);
            lines[at] = format!("{line} {}", next.trim());
            "~joined"
        }
        _ => {
            let digits: String =
                line.chars().map(|c| if c.is_ascii_digit() && random.chance(40) { '9' } else { c }).collect();
            lines[at] = digits;
            "=digits"
        }
    }
}
