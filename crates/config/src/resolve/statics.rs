//! What is there as long as the daemon runs: `static_ipaddress`, `static_routes`, `static_rules`, and the groups of
//! instances that cannot do without it.

use std::collections::BTreeMap;

use engine::{Name, Static, Statics};

use super::addresses::{self, Address};
use super::iproute::Names;
use super::routes::{Read, routes};
use super::rules::{Numbering, rules};
use super::unique;
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::Instance;
use crate::statement::{Statement, statements};
use crate::suggest::nearest;
use crate::syntax::Word;

/// The groups of a file, and which of them something static names.
#[derive(Default)]
pub(super) struct Groups<'a> {
    /// By name: where it is defined, and its instances.
    defined: BTreeMap<String, (&'a Word, Vec<&'a Word>)>,
    used: Vec<String>,
}

impl<'a> Groups<'a> {
    pub(super) fn read<'s: 'a>(blocks: impl Iterator<Item = &'s Statement<'s>>, findings: &mut Findings) -> Self {
        let mut groups = Self::default();
        for block in unique(blocks, "track_group", findings) {
            let mut members = Vec::new();
            for statement in statements(Block::TrackGroup, block.entries(), findings) {
                // The only keyword there is.
                members.extend(statement.listed(findings));
            }
            groups.defined.insert(block.value().text.clone(), (block.value(), members));
        }
        groups
    }

    /// The group of something static. One that is not defined is left out, as in keepalived.
    fn mention(&mut self, word: Option<&Word>, findings: &mut Findings) -> Option<Name> {
        let word = word?;
        if !self.defined.contains_key(&word.text) {
            let meant = nearest(&word.text, self.defined.keys().map(String::as_str));
            let message = format!("no track_group `{}` is defined; it is left out", word.text);
            findings.warning("undefined-group", word.span, message).help(match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("define it: `track_group {} {{ group {{ … }} }}`", word.text),
            });
            self.used.extend(meant.map(str::to_owned));
            return None;
        }
        self.used.push(word.text.clone());
        Some(word.text.as_str().into())
    }

    /// Tells the instances which groups they are in.
    pub(super) fn tell(self, instances: &mut [(Instance, &Word)], findings: &mut Findings) {
        for (name, (place, members)) in &self.defined {
            if !self.used.contains(name) {
                findings
                    .warning("unused-group", place.span, format!("nothing static names the track_group `{name}`"))
                    .help(format!("add `track_group {name}` to a static address, route or rule, or remove the group"));
                continue;
            }
            for member in members {
                let found = instances.iter_mut().find(|(instance, _)| *instance.router.name == member.text);
                let Some((instance, _)) = found else {
                    let known = instances.iter().map(|(instance, _)| &*instance.router.name);
                    let meant = nearest(&member.text, known).map(|meant| format!("did you mean `{meant}`?"));
                    let message = format!("there is no instance `{}`; it is left out", member.text);
                    findings.warning("undefined-instance", member.span, message).maybe_help(meant);
                    continue;
                };
                let name = Name::from(name.as_str());
                if !instance.router.track_groups.contains(&name) {
                    instance.router.track_groups.push(name);
                }
            }
        }
    }
}

/// Where addresses go if neither they nor their instance name an interface.
pub(super) fn default_link(stated: Option<&Name>) -> Name {
    stated.cloned().unwrap_or_else(|| Name::from("eth0"))
}

/// Takes in a block of static things, if it is one.
pub(super) fn take(
    statement: &Statement<'_>,
    statics: &mut Statics,
    groups: &mut Groups<'_>,
    around: (&Names<'_>, &mut Numbering, Option<&Name>),
    findings: &mut Findings,
) {
    let (names, numbering, default_interface) = around;
    match statement.keyword.name {
        "static_ipaddress" => {
            for Address { mut address, word, group, virtual_mac, .. } in addresses::read(statement, names, findings) {
                if let Some(option) = virtual_mac {
                    findings
                        .error(
                            "bad-option",
                            option.span,
                            "`use_vmac` is for addresses that move: a static one is always here",
                        )
                        .help("remove it");
                }
                address.link.get_or_insert_with(|| default_link(default_interface));
                let group = groups.mention(group, findings);
                let same = |known: &Static<engine::VirtualAddress>| {
                    known.what.address == address.address && known.what.link == address.link
                };
                if statics.addresses.iter().any(same) {
                    findings
                        .warning(
                            "given-twice",
                            word.span,
                            format!("{} is given twice; the first counts", address.address),
                        )
                        .help("remove one of them");
                    continue;
                }
                statics.addresses.push(Static { what: address, group });
            }
        }
        "static_routes" => {
            for Read { what, group } in routes(statement, names, findings) {
                let group = groups.mention(group, findings);
                statics.routes.push(Static { what, group });
            }
        }
        "static_rules" => {
            for Read { what, group } in rules(statement, names, numbering, findings) {
                let group = groups.mention(group, findings);
                statics.rules.push(Static { what, group });
            }
        }
        _ => {}
    }
}
