//! `track_interface`, `track_script`, `track_file` and `track_process`: what is tracked, and with which weight.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Name, Tracked, TrackedLink, TrackedScript, TrackerKind, TrackerName, Weight};

use super::iproute::Names;
use super::rules::Numbering;
use super::service::Mentions;
use super::telling::Told;
use super::virtual_mac::VirtualLinks;
use super::{script, values};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::Command;
use crate::source::Span;
use crate::statement::{Statement, refuse_block};
use crate::suggest::nearest;
use crate::syntax::{Entry, Word};

/// What instances refer to, and what of it they use.
pub(super) struct Known<'a> {
    /// The weight that each gives itself.
    pub(super) weights: &'a BTreeMap<(Kind, String), Weight>,
    pub(super) used: BTreeSet<(Kind, String)>,
    /// Probably meant by a reference that is wrong: what was meant is not also "never used".
    pub(super) meant: BTreeSet<(Kind, String)>,
    /// The services that are defined, and who mentions them.
    pub(super) services: Mentions,
    /// What the keywords of instances run, and where they stand.
    pub(super) commands: Vec<(&'static str, Command, Span)>,
    /// Names for numbers, and the numbers of rules that say none.
    pub(super) names: &'a Names<'a>,
    pub(super) numbering: Numbering,
    /// What instances and groups do unless they say otherwise.
    pub(super) told: Told,
    /// Instances that say themselves whether changes of their priority are told.
    pub(super) own_priority: BTreeSet<String>,
    /// The interfaces that are made for instances.
    pub(super) virtual_links: VirtualLinks,
}

/// What a name can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Script,
    Figure(TrackerKind),
}

impl Kind {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Script => "check",
            Self::Figure(TrackerKind::File) => "tracked file",
            Self::Figure(TrackerKind::Process) => "tracked process",
        }
    }

    /// What defines it,
    pub(super) const fn keyword(self) -> &'static str {
        match self {
            Self::Script => "vrrp_script",
            Self::Figure(TrackerKind::File) => "track_file",
            Self::Figure(TrackerKind::Process) => "vrrp_track_process",
        }
    }

    /// and what refers to it.
    pub(super) const fn reference(self) -> &'static str {
        match self {
            Self::Script => "track_script",
            Self::Figure(TrackerKind::File) => "track_file",
            Self::Figure(TrackerKind::Process) => "track_process",
        }
    }

    /// The greatest weight.
    pub(super) const fn most(self) -> i16 {
        match self {
            Self::Script => 253,
            Self::Figure(_) => 254,
        }
    }
}

/// A name in a list, with its own weight if it has one.
struct Reference<'a> {
    name: &'a Word,
    weight: Option<OwnWeight>,
}

/// A weight that a reference gives.
#[derive(Clone, Copy)]
struct OwnWeight {
    number: i16,
    /// If it says so.
    reversed: Option<bool>,
}

impl OwnWeight {
    /// Whether the definition reverses is known by its weight.
    const fn over(self, definition: Weight) -> Weight {
        let reversed = match self.reversed {
            Some(reversed) => reversed,
            None => matches!(definition, Weight::Reversed(_) | Weight::ReversedFault),
        };
        script::weight(self.number, reversed)
    }
}

/// Interfaces whose state counts.
pub(super) fn links(statement: &Statement<'_>, tracked: &mut Vec<(TrackedLink, Span)>, findings: &mut Findings) {
    for Reference { name, weight } in references(statement.entries(), Kind::Script.most(), findings) {
        let Some(link) = values::interface(name, findings) else { continue };
        if tracked.iter().any(|(other, _)| other.link == link) {
            report_twice(name, findings);
        } else {
            let weight = weight.map_or(Weight::Fault, |weight| weight.over(Weight::Fault));
            tracked.push((TrackedLink { link, weight }, name.span));
        }
    }
}

/// Checks whose results count. One that is not defined is left out, as in keepalived.
pub(super) fn scripts(
    statement: &Statement<'_>,
    known: &mut Known<'_>,
    tracked: &mut Vec<TrackedScript>,
    findings: &mut Findings,
) {
    let before: Vec<Name> = tracked.iter().map(|tracked| tracked.script.clone()).collect();
    let new = named(Kind::Script, statement, before, known, findings);
    tracked.extend(new.into_iter().map(|(script, weight)| TrackedScript { script, weight }));
}

/// Files or processes whose figures count; the same goes for them.
pub(super) fn figures(
    kind: TrackerKind,
    statement: &Statement<'_>,
    known: &mut Known<'_>,
    tracked: &mut Vec<Tracked>,
    findings: &mut Findings,
) {
    let before = tracked.iter().filter(|tracked| tracked.tracker.kind == kind);
    let before: Vec<Name> = before.map(|tracked| tracked.tracker.name.clone()).collect();
    let new = named(Kind::Figure(kind), statement, before, known, findings);
    tracked.extend(new.into_iter().map(|(name, weight)| Tracked { tracker: TrackerName { kind, name }, weight }));
}

/// What is defined and not among those before, each once, with the weight that counts.
fn named(
    kind: Kind,
    statement: &Statement<'_>,
    mut taken: Vec<Name>,
    known: &mut Known<'_>,
    findings: &mut Findings,
) -> Vec<(Name, Weight)> {
    let mut named: Vec<(Name, Weight)> = Vec::new();
    for Reference { name, weight } in references(statement.entries(), kind.most(), findings) {
        let id = (kind, name.text.clone());
        let Some(definition) = known.weights.get(&id) else {
            let of_kind = known.weights.keys().filter(|(other, _)| *other == kind);
            let meant = nearest(&name.text, of_kind.map(|(_, name)| name.as_str()));
            let (what, keyword) = (kind.what(), kind.keyword());
            findings
                .warning("undefined-script", name.span, format!("no {what} `{}` is defined; it is left out", name.text))
                .help(match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("define it: `{keyword} {} {{ … }}`", name.text),
                });
            known.meant.extend(meant.map(|meant| (kind, meant.to_owned())));
            continue;
        };
        if taken.iter().any(|other| **other == *name.text) {
            report_twice(name, findings);
            continue;
        }
        known.used.insert(id);
        let weight = weight.map_or(*definition, |weight| weight.over(*definition));
        taken.push(name.text.as_str().into());
        named.push((name.text.as_str().into(), weight));
    }
    named
}

fn report_twice(name: &Word, findings: &mut Findings) {
    findings.warning("given-twice", name.span, format!("`{}` is tracked twice; the first counts", name.text));
}

/// `NAME [weight N [reverse|noreverse]]`, on lines of their own or several on one line.
fn references<'a>(entries: &'a [Entry], most: i16, findings: &mut Findings) -> Vec<Reference<'a>> {
    let mut references: Vec<Reference<'a>> = Vec::new();
    for entry in entries {
        refuse_block(entry, "an entry of this list", findings);
        let mut words = entry.words.iter().peekable();
        let mut on_line = 0;
        while let Some(word) = words.next() {
            if Block::TrackOptions.find(&word.text).is_none() {
                if on_line > 0 && misspelt_option(word, findings) {
                    words.next_if(|next| next.text.parse::<i64>().is_ok());
                    continue;
                }
                on_line += 1;
                hint_several(on_line, word, findings);
                references.push(Reference { name: word, weight: None });
                continue;
            }
            let number = words.next_if(|_| word.text == "weight");
            let reversed = words.next_if(|next| matches!(next.text.as_str(), "reverse" | "noreverse"));
            let reversed = reversed.map(|word| word.text == "reverse");
            match (references.last_mut().filter(|_| on_line > 0), number) {
                (Some(reference), Some(number)) => {
                    let number = script::number(number, most, findings);
                    reference.weight = number.map(|number| OwnWeight { number, reversed });
                }
                (Some(_), None) => {
                    findings
                        .error("missing-value", word.span, format!("`{}` needs a number", word.text))
                        .help("for instance `weight -20`");
                }
                (None, _) => {
                    findings
                        .error("bad-option", word.span, format!("`{}` stands before any name", word.text))
                        .help("write the name first, for instance `chk_nginx weight -20`");
                }
            }
        }
    }
    references
}

/// `eth1 wieght -20`: taken for two more entries, it would wait for interfaces that nobody has.
fn misspelt_option(word: &Word, findings: &mut Findings) -> bool {
    let Some(meant) = nearest(&word.text, Block::TrackOptions.names()) else { return false };
    findings
        .error("bad-option", word.span, format!("`{}` is no option here", word.text))
        .help(format!("did you mean `{meant}`? If it is one more entry, give it a line of its own"));
    true
}

/// Told once for a line with entries that keepalived would take as options of the first.
pub(super) fn hint_several(on_line: usize, word: &Word, findings: &mut Findings) {
    if on_line != 2 {
        return;
    }
    findings
        .warning("several-on-a-line", word.span, format!("`{}` is read as one more entry", word.text))
        .help("keepalived takes one entry a line and ignores this; a line for each works with both");
}
