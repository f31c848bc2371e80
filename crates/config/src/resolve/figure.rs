//! `track_file` and `vrrp_track_process`: where a figure comes from, and what it means.

use std::time::Duration;

use engine::{Measure, Name, TrackerConfig, TrackerKind, Weight};

use super::global::unreachable_keyword;
use super::tracking::Kind;
use super::{script, values};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{FigureSource, InitialNumber, MatchBy, ProcessPattern, Tracker};
use crate::statement::{Statement, statements};

/// A definition as far as it could be read.
pub(super) struct Definition {
    /// `None` if it cannot be used.
    pub(super) tracker: Option<Tracker>,
    /// The weight where a reference gives none.
    pub(super) weight: Weight,
}

pub(super) fn file(block: &Statement<'_>, findings: &mut Findings) -> Definition {
    let name = block.value();
    let most = Kind::Figure(TrackerKind::File).most();
    let (mut path, mut given, mut weight, mut initial) = (None, false, None, None);
    for statement in &statements(Block::TrackFile, block.entries(), findings) {
        match statement.keyword.name {
            "file" => {
                given = true;
                path = path.or_else(|| values::path(statement, findings));
            }
            "weight" => weight = weight.or(script::weight_of(statement, most, findings)),
            "init_file" => initial = initial_number(statement, findings),
            other => unreachable_keyword(other, Block::TrackFile, statement, findings),
        }
    }
    if !given {
        findings
            .error("missing-keyword", name.span, format!("`track_file {}` names no file", name.text))
            .help("add a line like `file /run/load`");
    }
    let weight = weight.unwrap_or(Weight::Priority(1));
    let tracker = path.map(|path| Tracker {
        figure: TrackerConfig {
            name: name.text.as_str().into(),
            subject: Name::from(path.display().to_string().as_str()),
            measure: Measure::Number,
        },
        source: FigureSource::File { path, initial },
        weight,
    });
    Definition { tracker, weight }
}

/// Perhaps a number, and perhaps `overwrite`.
fn initial_number(statement: &Statement<'_>, findings: &mut Findings) -> Option<InitialNumber> {
    let mut initial = InitialNumber { number: 0, overwrite: false };
    for word in &statement.values {
        if word.text == "overwrite" {
            initial.overwrite = true;
            continue;
        }
        let number = values::whole_word(word, findings)?;
        if !(-254..=254).contains(&number) {
            findings
                .warning("odd-number", word.span, format!("{number} is worth no more than 254 with any weight"))
                .help("write a number from -254 to 254");
        }
        initial.number = number;
    }
    Some(initial)
}

pub(super) fn process(block: &Statement<'_>, findings: &mut Findings) -> Definition {
    let name = block.value();
    let most_weight = Kind::Figure(TrackerKind::Process).most();
    let mut words: Option<Vec<String>> = None;
    let mut weight = None;
    let (mut matching, mut full_command) = (None, false);
    let (mut least, mut most): (Option<u32>, Option<u32>) = (None, None);
    let (mut fork_delay, mut terminate_delay) = (Duration::ZERO, Duration::ZERO);
    let statements = statements(Block::TrackProcess, block.entries(), findings);
    for statement in &statements {
        match statement.keyword.name {
            "process" => {
                words.get_or_insert_with(|| statement.values.iter().map(|word| word.text.clone()).collect());
            }
            "param_match" => matching = param_match(statement, findings),
            "weight" => weight = weight.or(script::weight_of(statement, most_weight, findings)),
            "quorum" => least = values::count(statement, findings).or(least),
            "quorum_max" => most = values::count(statement, findings).or(most),
            "delay" => {
                fork_delay = values::seconds(statement, findings).unwrap_or(fork_delay);
                terminate_delay = fork_delay;
            }
            "fork_delay" => fork_delay = values::seconds(statement, findings).unwrap_or(fork_delay),
            "terminate_delay" => terminate_delay = values::seconds(statement, findings).unwrap_or(terminate_delay),
            "full_command" => full_command = true,
            other => unreachable_keyword(other, Block::TrackProcess, statement, findings),
        }
    }
    if words.is_none() {
        findings
            .error("missing-keyword", name.span, format!("`vrrp_track_process {}` names no process", name.text))
            .help("add a line like `process nginx`");
    }
    let at_least = least.unwrap_or(u32::from(most != Some(0)));
    if let Some(at_most) = most.filter(|most| *most < at_least) {
        let at = statements.iter().find(|statement| statement.keyword.name == "quorum_max");
        let message = format!("at most {at_most}, but at least {at_least}: no number is good");
        findings
            .error("out-of-range", at.map_or(name.span, |statement| statement.value().span), message)
            .help("`quorum_max` is not less than `quorum`");
    }
    let weight = weight.unwrap_or(Weight::Fault);
    let tracker = words.map(|words| {
        let by = match matching {
            Some(by) => by,
            None if words.len() > 1 => MatchBy::AllWords,
            None if full_command => MatchBy::Program,
            None => MatchBy::Name,
        };
        if let (MatchBy::Name, Some((_, last))) = (by, words[0].rsplit_once('/')) {
            let message = format!("no process has the name `{}`: the kernel's names have no `/`", words[0]);
            findings
                .warning("no-such-name", name.span, message)
                .help(format!("write `process {last}`, or add `full_command` to compare what it was called by"));
        }
        let pattern = ProcessPattern { words, by };
        Tracker {
            figure: TrackerConfig {
                name: name.text.as_str().into(),
                subject: Name::from(pattern.to_string().as_str()),
                measure: Measure::Count { least: at_least, most, fork_delay, terminate_delay },
            },
            source: FigureSource::Processes(pattern),
            weight,
        }
    });
    Definition { tracker, weight }
}

fn param_match(statement: &Statement<'_>, findings: &mut Findings) -> Option<MatchBy> {
    let Some(word) = statement.values.first() else { return Some(MatchBy::AllWords) };
    match word.text.as_str() {
        "initial" => Some(MatchBy::Beginning),
        "partial" => Some(MatchBy::FirstWords),
        other => {
            findings
                .error("bad-choice", word.span, format!("`param_match` cannot be {other}"))
                .help("`initial` or `partial`, or nothing after it");
            None
        }
    }
}
