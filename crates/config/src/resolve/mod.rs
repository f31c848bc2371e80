//! From statements to settings: one file for each block, every default filled in.

mod addresses;
mod announce;
mod authentication;
mod check;
mod deviations;
mod family;
mod figure;
mod garp_group;
mod global;
mod instance;
mod iproute;
mod ipvlan;
mod link_beats;
mod link_delays;
mod lint;
mod mail_security;
mod names;
mod needs;
mod options;
mod pair;
mod process;
mod routes;
mod rules;
mod script;
mod service;
mod service_lint;
mod statics;
mod sync_group;
mod telling;
mod tracking;
mod values;
mod virtual_mac;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use engine::{Statics, TrackerKind, When};

use self::tracking::Kind;
use crate::diagnostic::{Findings, Severity};
use crate::files::Files;
use crate::keywords::Block;
use crate::settings::{Command, Instance, Script, Settings, Tracker};
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::syntax::{Tree, Word};

pub use authentication::{BadKey, key as hmac_key};
pub use process::c_number;
pub(crate) use values::in_seconds;

/// Gives the settings as far as they could be read; whether they may be used depends on the findings.
pub(crate) fn settings(tree: &Tree, files: Vec<PathBuf>, outside: &dyn Files, findings: &mut Findings) -> Settings {
    let root = statements(Block::Root, &tree.entries, findings);
    let named = |keyword: &'static str| root.iter().filter(move |statement| statement.keyword.name == keyword);

    // Defaults come first, wherever in the file they stand.
    let global_statements: Vec<Statement<'_>> =
        named("global_defs").flat_map(|block| statements(Block::GlobalDefs, block.entries(), findings)).collect();
    let mut process = process::Draft::default();
    root.iter().for_each(|statement| process.take_root(statement, findings));
    let (global, mut defaults) = global::global(&global_statements, &mut process, findings);
    let process = process.finish(findings);
    let directories = std::mem::take(&mut defaults.iproute);
    let iproute_names = iproute::Names::new(outside, directories.etc.as_deref(), directories.usr.as_deref());

    let mut scripts: Vec<(Script, Span)> = Vec::new();
    let mut weights = BTreeMap::new();
    for statement in unique(named("vrrp_script"), "check", findings) {
        let name = statement.value();
        let script::Definition { script, weight } = script::script(statement, findings);
        // A check that cannot be used is still defined: one mistake, one finding.
        weights.insert((Kind::Script, name.text.clone()), weight);
        scripts.extend(script.map(|script| (script, name.span)));
    }
    let mut trackers: Vec<(Tracker, Span)> = Vec::new();
    for kind in [TrackerKind::File, TrackerKind::Process] {
        let keyword = Kind::Figure(kind).keyword();
        for statement in unique(named(keyword), Kind::Figure(kind).what(), findings) {
            let name = statement.value();
            let figure::Definition { tracker, weight } = match kind {
                TrackerKind::File => figure::file(statement, findings),
                TrackerKind::Process => figure::process(statement, findings),
            };
            weights.insert((Kind::Figure(kind), name.text.clone()), weight);
            trackers.extend(tracker.map(|tracker| (tracker, name.span)));
        }
    }

    // The checks of services share their names with all others.
    let scripts_named = weights.keys().filter(|(kind, _)| *kind == Kind::Script);
    let mut names = scripts_named.map(|(_, name)| name.clone()).collect();
    let services: Vec<service::Definition<'_>> = unique(named("service"), "service", findings)
        .into_iter()
        .map(|statement| service::service(statement, &mut names, findings))
        .collect();
    let pair = pair::pair(named("pair"), findings);

    let mut known = tracking::Known {
        weights: &weights,
        used: BTreeSet::new(),
        meant: BTreeSet::new(),
        services: service::Mentions::default(),
        commands: Vec::new(),
        names: &iproute_names,
        numbering: rules::Numbering::default(),
        told: defaults.told,
        own_priority: BTreeSet::new(),
        virtual_links: virtual_mac::VirtualLinks::new(&defaults),
    };
    known.services.defined.extend(services.iter().map(|definition| definition.name.text.clone()));
    let mut instances: Vec<(Instance, &Word)> = Vec::new();
    let mut groups = statics::Groups::read(named("track_group"), findings);
    let mut always = Statics::default();
    let mut first_of_name = unique(named("vrrp_instance"), "instance", findings).into_iter().peekable();
    // In the order of the file, in which rules without a preference get theirs.
    for statement in &root {
        if first_of_name.next_if(|instance| std::ptr::eq(*instance, statement)).is_some() {
            if let Some(instance) = instance::instance(statement, &defaults, &mut known, findings) {
                instances.push((instance, statement.value()));
            }
        } else {
            let around = (&iproute_names, &mut known.numbering, defaults.interface.as_ref());
            statics::take(statement, &mut always, &mut groups, around, findings);
        }
    }
    groups.tell(&mut instances, findings);

    let blocks = unique(named("vrrp_sync_group"), "sync group", findings);
    let groups = sync_group::groups(&blocks, &mut instances, &mut known, findings);
    let asked = instances.iter().any(|(instance, _)| instance.mails) || groups.iter().any(|group| group.mails);
    match instances.first() {
        _ if !asked => telling::hint_unasked(defaults.told, findings),
        Some((_, name)) if !defaults.told.mails => telling::hint_nowhere(&global.mail, name.span, findings),
        _ => {}
    }

    lint::instances(&instances, findings);
    lint::tracking(&instances, findings);
    let tracking::Known { used, meant, services: mentions, commands, virtual_links, .. } = known;
    always.addresses.extend(virtual_links.own_addresses());
    let (used_scripts, unused): (Vec<_>, Vec<_>) =
        scripts.into_iter().partition(|(script, _)| used.contains(&id_of(script)));
    for (script, span) in unused.into_iter().filter(|(script, _)| !meant.contains(&id_of(script))) {
        findings
            .warning(
                "unused-script",
                span,
                format!("nothing tracks the check `{}`, so it never runs", script.checking.name),
            )
            .help("name it in a `track_script` block, or remove it");
    }
    let trackers = used_trackers(trackers, &used, &meant, &instances, findings);
    // An address owner ignores weights, and then what it tracks by weight has no effect anywhere.
    let is_tracked = |name: &str| {
        let tracked = instances.iter().flat_map(|(instance, _)| &instance.router.track_scripts);
        tracked.into_iter().any(|tracked| &*tracked.script == name)
    };
    let used_scripts: Vec<_> =
        used_scripts.into_iter().filter(|(script, _)| is_tracked(&script.checking.name)).collect();
    script::check_roles(&used_scripts, &instances, findings);
    let doings = scripts_and_hooks(&used_scripts, commands);
    service_lint::pair(&pair, &mentions, &instances, findings);
    let services = service_lint::services(services, &mentions, &instances, &groups, &doings, findings);
    service_lint::stay(&services, &mut instances, findings);
    lint::emptiness(&root, &files, findings);
    let link_delays = link_delays::read(named("interface_up_down_delays"), &instances, findings);
    let polls_all = named("linkbeat_use_polling").next().is_some();
    let link_beats = link_beats::read(named("linkbeat_interfaces"), polls_all, findings);
    let settings = Settings {
        global,
        process,
        scripts: used_scripts.into_iter().map(|(script, _)| script).collect(),
        trackers,
        instances: instances.into_iter().map(|(instance, _)| instance).collect(),
        groups,
        services,
        pair: pair.pair,
        virtual_links: virtual_links.made,
        statics: always,
        link_delays,
        link_beats,
        announce_groups: garp_group::read(named("garp_group"), findings),
        files,
    };
    lint::settings(&settings, &root, findings);
    settings
}

fn id_of(script: &Script) -> (Kind, String) {
    (Kind::Script, script.checking.name.to_string())
}

/// Files and processes that have an effect somewhere; the others are reported.
fn used_trackers(
    trackers: Vec<(Tracker, Span)>,
    used: &BTreeSet<(Kind, String)>,
    meant: &BTreeSet<(Kind, String)>,
    instances: &[(Instance, &Word)],
    findings: &mut Findings,
) -> Vec<Tracker> {
    let mut kept = Vec::new();
    for (tracker, span) in trackers {
        let kind = Kind::Figure(tracker.figure.kind());
        let id = (kind, tracker.figure.name.to_string());
        if !used.contains(&id) && !meant.contains(&id) {
            let message = format!("nothing tracks the {} `{}`, so it is not watched", kind.what(), tracker.figure.name);
            findings
                .warning("unused-script", span, message)
                .help(format!("name it in a `{}` block of an instance, or remove it", kind.reference()));
        }
        let mut tracked = instances.iter().flat_map(|(instance, _)| &instance.router.trackers);
        if tracked.any(|tracked| tracked.tracker == tracker.figure.id()) {
            kept.push(tracker);
        }
    }
    kept
}

/// Everything that instances and their checks run, with the keyword that names it and where that stands.
fn scripts_and_hooks(
    scripts: &[(Script, Span)],
    hooks: Vec<(&'static str, Command, Span)>,
) -> Vec<(&'static str, Command, Span)> {
    // One that runs on the active node only is meant to ask for what runs there.
    let keyword = |script: &Script| match script.checking.when {
        When::Active => "vrrp_script when active",
        When::Standby | When::Both => "vrrp_script",
    };
    let checks = scripts.iter().map(|(script, span)| (keyword(script), script.command.clone(), *span));
    checks.chain(hooks).collect()
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
            // What keepalived does not know either need not be as lenient as keepalived.
            let (severity, end) =
                if block.keyword.ours { (Severity::Error, "") } else { (Severity::Warning, " is ignored") };
            findings
                .push(severity, "same-name", Some(name.span), format!("a second {what} `{}`{end}", name.text))
                .help("give it a name of its own");
        } else {
            kept.push(block);
        }
    }
    kept
}
