//! From statements to settings: one file for each block, every default filled in.

mod addresses;
mod announce;
mod global;
mod instance;
mod lint;
mod script;
mod tracking;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{Instance, Script, Settings};
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::syntax::{Tree, Word};

/// Gives the settings as far as they could be read; whether they may be used depends on the findings.
pub(crate) fn settings(tree: &Tree, files: Vec<PathBuf>, findings: &mut Findings) -> Settings {
    let root = statements(Block::Root, &tree.entries, findings);
    let named = |keyword: &'static str| root.iter().filter(move |statement| statement.keyword.name == keyword);

    // Defaults come first, wherever in the file they stand.
    let global_statements: Vec<Statement<'_>> =
        named("global_defs").flat_map(|block| statements(Block::GlobalDefs, block.entries(), findings)).collect();
    let (global, defaults) = global::global(&global_statements, findings);

    let mut scripts: Vec<(Script, Span)> = Vec::new();
    let mut weights = BTreeMap::new();
    for statement in unique(named("vrrp_script"), "check", findings) {
        let name = statement.value();
        let script::Definition { script, weight } = script::script(statement, findings);
        // A check that cannot be used is still defined: one mistake, one finding.
        weights.insert(name.text.clone(), weight);
        scripts.extend(script.map(|script| (script, name.span)));
    }

    let mut known = tracking::Known { scripts: &weights, used: BTreeSet::new(), meant: BTreeSet::new() };
    let mut instances: Vec<(Instance, &Word)> = Vec::new();
    for statement in unique(named("vrrp_instance"), "instance", findings) {
        if let Some(instance) = instance::instance(statement, &defaults, &mut known, findings) {
            instances.push((instance, statement.value()));
        }
    }

    lint::instances(&instances, findings);
    lint::tracking(&instances, findings);
    let tracking::Known { used, meant, .. } = known;
    let (used_scripts, unused): (Vec<_>, Vec<_>) =
        scripts.into_iter().partition(|(script, _)| used.contains(&*script.checking.name));
    for (script, span) in unused.into_iter().filter(|(script, _)| !meant.contains(&*script.checking.name)) {
        findings
            .warning(
                "unused-script",
                span,
                format!("nothing tracks the check `{}`, so it never runs", script.checking.name),
            )
            .help("name it in a `track_script` block, or remove it");
    }
    lint::emptiness(&root, &files, findings);
    let settings = Settings {
        global,
        scripts: used_scripts.into_iter().map(|(script, _)| script).collect(),
        instances: instances.into_iter().map(|(instance, _)| instance).collect(),
        files,
    };
    lint::settings(&settings, &root, findings);
    settings
}

/// Of several blocks with the same name, the first; the others are reported.
fn unique<'s, 'a: 's>(
    blocks: impl Iterator<Item = &'s Statement<'a>>,
    what: &str,
    findings: &mut Findings,
) -> Vec<&'s Statement<'a>> {
    let mut names = BTreeMap::new();
    let mut kept = Vec::new();
    for block in blocks {
        let name = block.value();
        if names.insert(name.text.clone(), name.span).is_some() {
            findings
                .warning("same-name", name.span, format!("a second {what} `{}` is ignored", name.text))
                .help("give it a name of its own");
        } else {
            kept.push(block);
        }
    }
    kept
}
