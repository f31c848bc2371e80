//! What two nodes must agree about to hand services over to each other.

use std::collections::BTreeSet;
use std::net::IpAddr;

use engine::Name;

use super::{Node, Side, compare_terms, seconds, terms};
use crate::settings::{Pair, Service, Settings};

/// The `pair` blocks of both.
pub(super) fn compare_pairs(one: Node<'_>, other: Node<'_>, findings: &mut Vec<String>) {
    let (a, b) = match (&one.settings.pair, &other.settings.pair) {
        (None, None) => return,
        (Some(_), None) => return one_sided(one.name, other.name, findings),
        (None, Some(_)) => return one_sided(other.name, one.name, findings),
        (Some(a), Some(b)) => (a, b),
    };
    if a.port != b.port {
        findings
            .push(format!("pair: the port differs ({} and {}), so the nodes do not hear each other", a.port, b.port));
    }
    if let (Some(name), Some(same)) = (node_name(one.settings), node_name(other.settings))
        && name == same
    {
        findings.push(format!("pair: both nodes are called `{name}`; give each a `node` name of its own"));
    }
    compare_ways((one.name, a), (other.name, b), findings);
    compare_ways((other.name, b), (one.name, a), findings);
    if a.dead_after != b.dead_after {
        findings.push(format!(
            "pair: dead_after differs ({} and {}), so one node takes the other for dead while that still waits",
            seconds(a.dead_after),
            seconds(b.dead_after)
        ));
    }
    for ((speaker, speaks), (listener, hears)) in [((one.name, a), (other.name, b)), ((other.name, b), (one.name, a))] {
        if hears.dead_after < speaks.heartbeat * 3 {
            findings.push(format!(
                "pair: {speaker} speaks every {}, and {listener} takes it for dead after {}: a lost message is enough",
                seconds(speaks.heartbeat),
                seconds(hears.dead_after)
            ));
        }
    }
}

fn one_sided(with: &str, without: &str, findings: &mut Vec<String>) {
    findings
        .push(format!("pair: {with} has a `pair` block and {without} has none, so nothing is handed over in order"));
}

/// As the nodes call themselves, where the files tell.
fn node_name(settings: &Settings) -> Option<&str> {
    let pair = settings.pair.as_ref()?;
    pair.node.as_deref().or(settings.global.router_id.as_deref())
}

/// Where one expects the other must be where that one sends from.
fn compare_ways((name, pair): (&str, &Pair), (other_name, other): (&str, &Pair), findings: &mut Vec<String>) {
    // Without `source` the kernel chooses, and the file does not tell what.
    let sources: Option<BTreeSet<IpAddr>> = other.paths.iter().map(|path| path.source).collect();
    let Some(sources) = sources else { return };
    for path in pair.paths.iter().filter(|path| !sources.contains(&path.peer)) {
        findings.push(format!(
            "pair: {name} has the peer {}, but {other_name} does not send from there, so it is not heard",
            path.peer
        ));
    }
}

/// The services of two instances that belong together.
pub(super) fn compare_services(one: (Node<'_>, Side<'_>), other: (Node<'_>, Side<'_>), findings: &mut Vec<String>) {
    let (a, b) = (&one.1.1.router, &other.1.1.router);
    let vrid = a.vrid;
    let both_in_pair = one.0.settings.pair.is_some() && other.0.settings.pair.is_some();
    if both_in_pair && a.name != b.name {
        findings.push(format!(
            "VRID {vrid}: {} calls it `{}` and {} calls it `{}`, but the nodes of a pair know an instance by its name",
            one.0.name, a.name, other.0.name, b.name
        ));
    }
    lacking(one, other, findings);
    lacking(other, one, findings);
    for name in a.services.iter().filter(|name| b.services.contains(name)) {
        let (Some(ours), Some(theirs)) = (service(one.0, name), service(other.0, name)) else { continue };
        compare_figures(ours, theirs, findings);
    }
}

/// Services of the first that the second does not have.
fn lacking(
    (one, (_, ours)): (Node<'_>, Side<'_>),
    (other, (_, theirs)): (Node<'_>, Side<'_>),
    findings: &mut Vec<String>,
) {
    // A node with scripts, a keepalived perhaps, may well start it in its own way.
    let in_its_own_way =
        other.settings.services.is_empty() && (theirs.notify.active.is_some() || theirs.notify.any.is_some());
    if in_its_own_way {
        return;
    }
    for name in ours.router.services.iter().filter(|name| !theirs.router.services.contains(name)) {
        findings.push(format!(
            "VRID {}: the service `{name}` of {} is not in {}: where that is MASTER, nothing starts it",
            ours.router.vrid, one.name, other.name
        ));
    }
}

fn service<'a>(node: Node<'a>, name: &Name) -> Option<&'a Service> {
    node.settings.services.iter().find(|service| service.service.name == *name)
}

/// What matters on both sides must be the same, or it depends on the side what happens.
fn compare_figures(a: &Service, b: &Service, findings: &mut Vec<String>) {
    if a.may_differ || b.may_differ {
        return;
    }
    let scope = format!("service {}", a.service.name);
    compare_terms(&scope, &terms::of_service(a), &terms::of_service(b), findings);
    // Who is told `nopreempt` differs on purpose; nodes that run do not remark it.
    if a.service.failback != b.service.failback {
        let word = |service: &Service| match service.service.failback {
            engine::Failback::Auto => "auto",
            engine::Failback::Manual => "manual",
            engine::Failback::Never => "never",
        };
        findings.push(format!(
            "{scope}: failback differs ({} and {}), so only what the better node says counts",
            word(a),
            word(b)
        ));
    }
}
