//! `vrrp_sync_group`: instances that are Active together or not at all.

use std::collections::BTreeMap;

use engine::{GroupConfig, Name, Tracked, TrackedLink, TrackedScript, TrackerKind, Weight};

use super::global::unreachable_keyword;
use super::tracking::Known;
use super::{script, tracking, values};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{Instance, Notify, SyncGroup};
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::suggest::nearest;
use crate::syntax::Word;

/// What the statements of a group said.
#[derive(Default)]
struct Draft<'a> {
    /// `group` was said.
    is_listed: bool,
    members: Vec<&'a Word>,
    services: Vec<Name>,
    track_links: Vec<(TrackedLink, Span)>,
    track_scripts: Vec<TrackedScript>,
    trackers: Vec<Tracked>,
    weights_count: bool,
    notify: Notify,
    mails: Option<bool>,
    tells_priority: Option<bool>,
}

/// Reads the groups, and has their members track what the groups track.
pub(super) fn groups(
    blocks: &[&Statement<'_>],
    instances: &mut [(Instance, &Word)],
    known: &mut Known<'_>,
    findings: &mut Findings,
) -> Vec<SyncGroup> {
    let mut taken = BTreeMap::new();
    blocks.iter().filter_map(|block| group(block, instances, &mut taken, known, findings)).collect()
}

fn group(
    block: &Statement<'_>,
    instances: &mut [(Instance, &Word)],
    taken: &mut BTreeMap<String, String>,
    known: &mut Known<'_>,
    findings: &mut Findings,
) -> Option<SyncGroup> {
    let name = block.value();
    let statements = statements(Block::SyncGroup, block.entries(), findings);
    let mut draft = Draft::default();
    for statement in &statements {
        if script::take_notify(&mut draft.notify, statement, &mut known.commands, findings) {
            continue;
        }
        match statement.keyword.name {
            // As in keepalived, the first list counts.
            "group" if draft.is_listed => {
                findings
                    .warning(
                        "given-twice",
                        statement.span,
                        format!("a second `group` in the sync group `{}` is ignored; the first counts", name.text),
                    )
                    .help("name all instances in one `group { … }`");
            }
            "group" => {
                draft.is_listed = true;
                draft.members.extend(statement.listed(findings));
            }
            "service" => known.services.mention(statement, name, &mut draft.services, findings),
            "track_interface" => tracking::links(statement, &mut draft.track_links, findings),
            "track_script" => tracking::scripts(statement, known, &mut draft.track_scripts, findings),
            "smtp_alert" => draft.mails = values::switch(statement, findings),
            "notify_priority_changes" => draft.tells_priority = values::switch(statement, findings),
            "track_file" => tracking::figures(TrackerKind::File, statement, known, &mut draft.trackers, findings),
            "track_process" => tracking::figures(TrackerKind::Process, statement, known, &mut draft.trackers, findings),
            "sync_group_tracking_weight" => draft.weights_count = true,
            other => unreachable_keyword(other, Block::SyncGroup, statement, findings),
        }
    }
    let members = members(&draft.members, name, instances, taken, findings);
    if members.is_empty() {
        findings
            .warning(
                "empty-group",
                name.span,
                format!("the sync group `{}` has no instances and is left out", name.text),
            )
            .help("name them: `group { VI_1 VI_2 }`, or remove it");
        return None;
    }
    if let [only] = &*members {
        let message =
            format!("the sync group `{}` has one instance, `{only}`, so there is nothing to keep together", name.text);
        findings
            .hint("group-of-one", name.span, message)
            .help("name the others, or put what is in it into the instance");
    }
    for (instance, at) in instances.iter_mut().filter(|(instance, _)| members.contains(&instance.router.name)) {
        share(&draft, name, instance, at, findings);
        if let Some(tells) = draft.tells_priority
            && !known.own_priority.contains(&*instance.router.name)
        {
            instance.tells_priority = tells;
        }
    }
    // The first one speaks for all.
    if let Some((first, _)) = instances.iter_mut().find(|(instance, _)| instance.router.name == members[0]) {
        first.router.services.append(&mut draft.services);
    }
    let group = GroupConfig { name: name.text.as_str().into(), members };
    let mails = draft.mails.unwrap_or(known.told.mails);
    Some(SyncGroup { group, notify: draft.notify, mails })
}

/// Those that exist and are in no other group.
fn members(
    words: &[&Word],
    group: &Word,
    instances: &[(Instance, &Word)],
    taken: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) -> Vec<Name> {
    let mut members: Vec<Name> = Vec::new();
    for word in words {
        let text = &word.text;
        let names = || instances.iter().map(|(instance, _)| &*instance.router.name);
        if !names().any(|name| name == text) {
            let meant = nearest(text, names());
            findings
                .warning("undefined-instance", word.span, format!("there is no instance `{text}`; it is left out"))
                .help(match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("define it: `vrrp_instance {text} {{ … }}`, or remove it here"),
                });
            continue;
        }
        match taken.insert(text.clone(), group.text.clone()) {
            None => members.push(text.as_str().into()),
            Some(other) => {
                if other == group.text {
                    findings.warning("given-twice", word.span, format!("`{text}` is named twice; once is enough"));
                } else {
                    findings
                        .warning(
                            "two-groups",
                            word.span,
                            format!("`{text}` is in the group `{other}` already; it is left out here"),
                        )
                        .help("an instance can be in one sync group; remove it from one of the two");
                }
                taken.insert(text.clone(), other);
            }
        }
    }
    members
}

/// What the group tracks counts for each member. The weights of its own would pull the members apart.
fn share(draft: &Draft<'_>, group: &Word, instance: &mut Instance, at: &Word, findings: &mut Findings) {
    let router = &mut instance.router;
    let fault = Weight::is_fault;
    if !draft.weights_count {
        let links = router.track_links.iter().filter(|tracked| !fault(tracked.weight)).map(|tracked| &tracked.link);
        let scripts =
            router.track_scripts.iter().filter(|tracked| !fault(tracked.weight)).map(|tracked| &tracked.script);
        let figures = router.trackers.iter().filter(|tracked| !fault(tracked.weight));
        let figures = figures.map(|tracked| &tracked.tracker.name);
        for what in links.chain(scripts).chain(figures) {
            let message = format!(
                "`{what}` has a weight, which does not count in `{}`: it is in the sync group `{}`",
                router.name, group.text
            );
            findings
                .warning("weight-in-group", at.span, message)
                .help("track it in the group, without weight, or write `sync_group_tracking_weight` there");
        }
        router.track_links.retain(|tracked| fault(tracked.weight));
        router.track_scripts.retain(|tracked| fault(tracked.weight));
        router.trackers.retain(|tracked| fault(tracked.weight));
    }
    // The priority of an address owner never changes.
    let owner = router.priority.is_address_owner();
    let counts = |weight: Weight| !owner || fault(weight);
    for (tracked, span) in &draft.track_links {
        let known = router.link == tracked.link || router.track_links.iter().any(|own| own.link == tracked.link);
        if known {
            let message = format!("{} counts for `{}` anyway; there its own weight is used", tracked.link, router.name);
            findings.hint("tracked-by-both", *span, message);
        } else if counts(tracked.weight) {
            router.track_links.push(tracked.clone());
        }
    }
    // Where both say a weight, the group's counts, as in keepalived.
    for tracked in &draft.track_scripts {
        router.track_scripts.retain(|own| own.script != tracked.script);
        if counts(tracked.weight) {
            router.track_scripts.push(tracked.clone());
        }
    }
    for tracked in &draft.trackers {
        router.trackers.retain(|own| own.tracker != tracked.tracker);
        if counts(tracked.weight) {
            router.trackers.push(tracked.clone());
        }
    }
}
