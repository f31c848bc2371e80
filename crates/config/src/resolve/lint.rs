//! What one file alone can tell about mistakes in its meaning. Never an error, except where two instances
//! cannot exist beside each other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::Transport;

use crate::diagnostic::Findings;
use crate::settings::{Instance, NotifyScript, Settings};
use crate::source::{FileId, Span};
use crate::statement::Statement;
use crate::syntax::Word;

/// Instances that disturb each other.
pub(super) fn instances(instances: &[(Instance, &Word)], findings: &mut Findings) {
    let mut identities = BTreeMap::new();
    let mut addresses = BTreeMap::new();
    for (instance, name) in instances {
        let router = &instance.router;
        // Two unicast instances are told apart by the address that they send from, as in the engine, others by their group.
        let (group, source) = match &router.transport {
            Transport::Multicast { group, .. } => (Some(*group), None),
            Transport::Unicast { source, .. } => (None, Some(*source)),
        };
        let identity = (router.link.clone(), router.vrid, router.family, group, source);
        if let Some(other) = identities.insert(identity, router.name.clone()) {
            let place = if router.is_anywhere() { String::new() } else { format!(" on {}", router.link) };
            let message = format!(
                "`{other}` has virtual_router_id {}{place} already, so the two would hear each other as one",
                router.vrid
            );
            findings.error("same-vrid", name.span, message).help("give each instance on an interface its own number");
        }
        for address in router.addresses.iter().chain(&router.excluded_addresses) {
            let link = address.link.as_ref().unwrap_or(&router.link).clone();
            if let Some(other) = addresses.insert((link, address.address), router.name.clone())
                && other != router.name
            {
                let message =
                    format!("{} is an address of `{other}`, too; they would take it from each other", address.address);
                findings.warning("shared-address", name.span, message).help("leave it in one of the two");
            }
        }
    }
}

/// An instance that watches nothing beside others that do is often forgotten.
pub(super) fn tracking(instances: &[(Instance, &Word)], findings: &mut Findings) {
    let tracks = |instance: &Instance| !instance.router.track_scripts.is_empty();
    if !instances.iter().any(|(instance, _)| tracks(instance)) {
        return;
    }
    let watches = |instance: &Instance| {
        tracks(instance) || !instance.router.track_links.is_empty() || !instance.router.services.is_empty()
    };
    for (_, name) in instances.iter().filter(|(instance, _)| !watches(instance)) {
        let message = format!("`{}` tracks nothing, while other instances here do", name.text);
        findings
            .hint("tracks-nothing", name.span, message)
            .help("it keeps its addresses when the service is broken; add `track_script { … }` if that is not meant");
    }
}

/// A file without a single virtual router is hardly the one that was meant.
pub(super) fn emptiness(root: &[Statement<'_>], files: &[PathBuf], findings: &mut Findings) {
    if files.is_empty() || findings.has_errors() || root.iter().any(|block| block.keyword.name == "vrrp_instance") {
        return;
    }
    let start = Span { file: FileId(0), start: 0, end: 0 };
    findings
        .warning("nothing-to-do", start, "there is no `vrrp_instance`, so there is nothing to do")
        .help("is this the right file?");
}

/// What holds for the settings as a whole.
pub(super) fn settings(settings: &Settings, root: &[Statement<'_>], findings: &mut Findings) {
    let global_user = settings.global.script_user.as_ref();
    let as_root = |user: Option<&crate::ScriptUser>| {
        user.or(global_user).is_none_or(|user| matches!(user.user.as_str(), "root" | "0"))
    };
    let notify = settings.instances.iter().flat_map(|instance| scripts_of(&instance.notify));
    let checks = settings.scripts.iter().map(|script| script.user.as_ref());
    let services = settings.services.iter().flat_map(crate::Service::programs);
    let users = checks.chain(notify.chain(services).map(|script| script.user.as_ref()));
    let users = users.chain(scripts_of_daemon(&settings.global).map(|script| script.user.as_ref()));
    if settings.global.enable_script_security || !users.into_iter().any(as_root) {
        return;
    }
    // Shown at the first block that runs something, since it concerns the file as a whole.
    let Some(first) =
        root.iter().find(|block| matches!(block.keyword.name, "vrrp_script" | "service" | "vrrp_instance"))
    else {
        return;
    };
    let message = if global_user.is_some() {
        "scripts run as root, and nothing makes sure that only root can change them"
    } else {
        "scripts run as root unless a user `keepalived_script` exists, and nothing makes sure that only root can change them"
    };
    findings
        .hint("root-scripts", first.span, message)
        .help("add `enable_script_security` to global_defs, or `script_user USER` to run them as somebody else");
}

fn scripts_of_daemon(global: &crate::Global) -> impl Iterator<Item = &NotifyScript> {
    let readers = [&global.notify_fifo, &global.vrrp_notify_fifo].into_iter().flatten();
    let bookends = [&global.startup, &global.shutdown].into_iter().flatten();
    readers.filter_map(|fifo| fifo.script.as_ref()).chain(bookends.map(|timed| &timed.script))
}

fn scripts_of(notify: &crate::Notify) -> impl Iterator<Item = &NotifyScript> {
    let crate::Notify { active, backup, fault, stop, tells_deletion: _, deleted, active_heard_lower_priority, any } =
        notify;
    [active, backup, fault, stop, deleted, active_heard_lower_priority, any].into_iter().flatten()
}
