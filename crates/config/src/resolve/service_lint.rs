//! What holds for services together with the instances that mention them and the other node.

use engine::Failback;

use super::pair;
use super::service::{Definition, Mentions};
use crate::diagnostic::Findings;
use crate::settings::{Command, Instance, Manager, Service, ServiceCheck, SyncGroup};
use crate::source::Span;
use crate::syntax::Word;

/// The way to the other node must not move, and without one a hand-over is not in order.
pub(super) fn pair(
    pair: &pair::Definition,
    mentions: &Mentions,
    instances: &[(Instance, &Word)],
    findings: &mut Findings,
) {
    for (address, span) in &pair.addresses {
        let virtual_here = |instance: &Instance| {
            let router = &instance.router;
            router.addresses.iter().chain(&router.excluded_addresses).any(|other| other.address == *address)
        };
        if let Some((instance, _)) = instances.iter().find(|(instance, _)| virtual_here(instance)) {
            let message = format!(
                "{address} is a virtual address of `{}`: it moves, and the way moves with it",
                instance.router.name
            );
            findings.error("virtual-address", *span, message).help("write the address that the node always has");
        }
    }
    if let (None, true, Some(span)) = (&pair.pair, pair.addresses.is_empty(), mentions.first) {
        let message =
            "without a `pair` block a node that takes over by its priority cannot wait for the other's service to end";
        findings
            .hint("no-pair", span, message)
            .help("if the other node runs Tanist, add `pair { peer ADDRESS }` on both");
    }
}

/// Decides what an instance decides about its services, and keeps those that an instance mentions.
pub(super) fn services(
    definitions: Vec<Definition<'_>>,
    mentions: &Mentions,
    instances: &[(Instance, &Word)],
    groups: &[SyncGroup],
    doings: &[(&'static str, Command, Span)],
    findings: &mut Findings,
) -> Vec<Service> {
    let mut services = Vec::new();
    for Definition { name, service, failback } in definitions {
        let Some(instance) = mentions.by.get(&name.text) else {
            if !mentions.meant.contains(&name.text) {
                findings
                    .warning(
                        "unused-service",
                        name.span,
                        format!("no instance mentions `{}`, so nothing starts it", name.text),
                    )
                    .help(format!("write `service {}` in a `vrrp_instance`, or remove it", name.text));
            }
            continue;
        };
        let Some(mut service) = service else { continue };
        let group = groups.iter().find(|group| *group.group.name == **instance);
        // The first one speaks for all of a group.
        let speaker = group.and_then(|group| group.group.members.first()).map_or(&**instance, |first| first);
        let router = instances.iter().map(|(instance, _)| &instance.router).find(|router| *router.name == *speaker);
        if router.is_some_and(|router| !router.preempt_mode) {
            match failback {
                None => service.service.failback = Failback::Never,
                Some((Failback::Auto, span)) => {
                    findings
                        .warning(
                            "failback-nopreempt",
                            span,
                            format!("`{instance}` has `nopreempt`, so `{}` does not go back", name.text),
                        )
                        .help("remove one of the two");
                    service.service.failback = Failback::Never;
                }
                Some((Failback::Manual | Failback::Never, _)) => {}
            }
        }
        recipes(&service, doings, findings);
        services.push(service);
    }
    services
}

/// A role whose services do not go back by themselves is not taken back by its priority either.
pub(super) fn stay(services: &[Service], instances: &mut [(Instance, &Word)], findings: &mut Findings) {
    for (instance, name) in instances {
        let router = &mut instance.router;
        let stays = |service: &Service| {
            router.services.contains(&service.service.name) && service.service.failback != Failback::Auto
        };
        let Some(service) = services.iter().find(|service| stays(service)) else { continue };
        if router.priority.is_address_owner() {
            let message =
                format!("priority 255 takes the role back whatever `failback` of `{}` says", service.service.name);
            findings.warning("failback-owner", name.span, message).help("use a priority below 255");
        } else {
            router.preempt_mode = false;
        }
    }
}

/// The recipe that services replace: scripts beside them that start, stop or ask for the same thing.
fn recipes(service: &Service, doings: &[(&'static str, Command, Span)], findings: &mut Findings) {
    let name = &service.service.name;
    let managed: Vec<&str> = match &service.manager {
        Manager::Systemd { unit } => vec![unit, unit.strip_suffix(".service").unwrap_or(unit)],
        Manager::Docker { container } => vec![container],
        Manager::Command { .. } | Manager::Scripts { .. } => Vec::new(),
    };
    let processes: Vec<&str> = service
        .checks
        .iter()
        .filter_map(|check| match check {
            ServiceCheck::Process { name } => Some(name.as_str()),
            ServiceCheck::Http { .. }
            | ServiceCheck::Tcp { .. }
            | ServiceCheck::File { .. }
            | ServiceCheck::Notify
            | ServiceCheck::Script(_) => None,
        })
        .collect();
    for (keyword, command, span) in doings {
        let words = words(command);
        let says = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        let by_manager = words.iter().any(|word| {
            let program = word.rsplit('/').next().unwrap_or(word);
            matches!(program, "systemctl" | "service" | "docker" | "podman")
        });
        if by_manager && says(&managed) && says(&["start", "stop", "restart", "kill"]) {
            findings
                .warning(
                    "started-twice",
                    *span,
                    format!("this starts or stops what the service `{name}` is, behind its back"),
                )
                .help("remove it: with `service`, Tanist starts and stops it, and waits until it is gone");
        } else if *keyword == "vrrp_script" && (says(&managed) || says(&processes)) {
            let message =
                format!("this check runs on the standby, too, where `{name}` does not run: there it fails for ever");
            findings
                .warning("check-on-standby", *span, message)
                .help(format!("put it into the service as `check script …`, which runs only while `{name}` does"));
        }
    }
}

/// The words of a command, also of one that a shell takes apart.
fn words(command: &Command) -> Vec<&str> {
    let parts: Vec<&str> = match command {
        Command::Program(words) => words.iter().map(String::as_str).collect(),
        Command::Shell(line) => vec![line],
        Command::ReadFile(_) => Vec::new(),
    };
    let ends = |character: char| character.is_whitespace() || "\"';&|()`".contains(character);
    parts.into_iter().flat_map(|part| part.split(ends)).filter(|word| !word.is_empty()).collect()
}
