//! `track_interface` and `track_script`: what is tracked, and with which weight.

use std::collections::{BTreeMap, BTreeSet};

use engine::{TrackedLink, TrackedScript, Weight};

use super::iproute::Names;
use super::rules::Numbering;
use super::service::Mentions;
use super::virtual_mac::VirtualLinks;
use super::{script, values};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::Command;
use crate::source::Span;
use crate::statement::Statement;
use crate::suggest::nearest;
use crate::syntax::{Entry, Word};

/// What instances refer to, and what of it they use.
pub(super) struct Known<'a> {
    /// The weight that each gives itself.
    pub(super) scripts: &'a BTreeMap<String, Weight>,
    pub(super) used: BTreeSet<String>,
    /// Probably meant by a reference that is wrong: what was meant is not also "never used".
    pub(super) meant: BTreeSet<String>,
    /// The services that are defined, and who mentions them.
    pub(super) services: Mentions,
    /// What the keywords of instances run, and where they stand.
    pub(super) commands: Vec<(&'static str, Command, Span)>,
    /// Names for numbers, and the numbers of rules that say none.
    pub(super) names: &'a Names<'a>,
    pub(super) numbering: Numbering,
    /// The interfaces that are made for instances.
    pub(super) virtual_links: VirtualLinks,
}

/// A name in a list, with its own weight if it has one.
struct Reference<'a> {
    name: &'a Word,
    weight: Option<Weight>,
}

/// Interfaces whose state counts.
pub(super) fn links(statement: &Statement<'_>, tracked: &mut Vec<(TrackedLink, Span)>, findings: &mut Findings) {
    for Reference { name, weight } in references(statement.entries(), findings) {
        let Some(link) = values::interface(name, findings) else { continue };
        if tracked.iter().any(|(other, _)| other.link == link) {
            report_twice(name, findings);
        } else {
            tracked.push((TrackedLink { link, weight: weight.unwrap_or(Weight::Fault) }, name.span));
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
    for Reference { name, weight } in references(statement.entries(), findings) {
        let Some(own_weight) = known.scripts.get(&name.text) else {
            let meant = nearest(&name.text, known.scripts.keys().map(String::as_str));
            findings
                .warning("undefined-script", name.span, format!("no check `{}` is defined; it is left out", name.text))
                .help(match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("define it: `vrrp_script {} {{ … }}`", name.text),
                });
            known.meant.extend(meant.map(str::to_owned));
            continue;
        };
        if tracked.iter().any(|other| *other.script == name.text) {
            report_twice(name, findings);
            continue;
        }
        known.used.insert(name.text.clone());
        let weight = weight.unwrap_or(*own_weight);
        tracked.push(TrackedScript { script: name.text.as_str().into(), weight });
    }
}

fn report_twice(name: &Word, findings: &mut Findings) {
    findings.warning("given-twice", name.span, format!("`{}` is tracked twice; the first counts", name.text));
}

/// `NAME [weight N [reverse]]`, on lines of their own or several on one line.
fn references<'a>(entries: &'a [Entry], findings: &mut Findings) -> Vec<Reference<'a>> {
    let mut references: Vec<Reference<'a>> = Vec::new();
    for entry in entries {
        if let Some(block) = &entry.block {
            findings.error("unexpected-block", block.open, "an entry of this list takes no block");
        }
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
            let reversed = words.next_if(|next| next.text == "reverse").is_some();
            match (references.last_mut().filter(|_| on_line > 0), number) {
                (Some(reference), Some(number)) => reference.weight = script::number(number, reversed, findings),
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
