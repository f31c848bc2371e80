//! `garp_group`: interfaces that share a pace of announcements.

use std::collections::BTreeSet;

use engine::{AnnounceGroup, Name};

use super::global::unreachable_keyword;
use super::values;
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::statement::{Statement, statements};
use crate::syntax::Word;

pub(super) fn read<'s, 'a: 's>(
    blocks: impl Iterator<Item = &'s Statement<'a>>,
    findings: &mut Findings,
) -> Vec<AnnounceGroup> {
    let mut taken = BTreeSet::new();
    blocks.filter_map(|block| group(block, &mut taken, findings)).collect()
}

/// `None` if it would change nothing.
fn group(block: &Statement<'_>, taken: &mut BTreeSet<Name>, findings: &mut Findings) -> Option<AnnounceGroup> {
    let mut group = AnnounceGroup::default();
    let (mut paced, mut names) = (false, false);
    for statement in statements(Block::GarpGroup, block.entries(), findings) {
        match statement.keyword.name {
            "garp_interval" => {
                paced = true;
                group.pacing = values::seconds(&statement, findings).unwrap_or_default();
            }
            "gna_interval" => {
                paced = true;
                group.neighbour_pacing = values::seconds(&statement, findings).unwrap_or_default();
            }
            "interface" => {
                names = true;
                add(&mut group.links, statement.value(), taken, findings);
            }
            "interfaces" => {
                names |= !statement.entries().is_empty();
                for word in statement.listed(findings) {
                    add(&mut group.links, word, taken, findings);
                }
            }
            other => unreachable_keyword(other, Block::GarpGroup, &statement, findings),
        }
    }
    if !paced {
        findings
            .warning("no-effect", block.span, "this `garp_group` has neither `garp_interval` nor `gna_interval`")
            .help("add one, or remove the group");
    } else if !names {
        findings
            .warning("no-effect", block.span, "this `garp_group` has no interfaces")
            .help("add `interface eth0`, or `interfaces { … }`");
    }
    (paced && !group.links.is_empty()).then_some(group)
}

fn add(links: &mut Vec<Name>, word: &Word, taken: &mut BTreeSet<Name>, findings: &mut Findings) {
    let Some(link) = values::interface(word, findings) else { return };
    if taken.insert(link.clone()) {
        links.push(link);
    } else {
        findings
            .warning("given-twice", word.span, format!("`{link}` has a `garp_group` already"))
            .help("name each interface once; the first group counts");
    }
}
