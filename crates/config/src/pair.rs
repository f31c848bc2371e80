//! What only the files of two nodes together show: settings that must be equal and are not, and checks whose weight
//! can never move the role.

mod services;
mod terms;

use engine::{Authentication, Family, HmacMode, RouterConfig, TrackerKind, Transport};

use self::terms::Term;
pub use self::terms::{term_names, terms};

use crate::settings::{Instance, Settings, StatedRole};

/// A node's settings and the name by which to speak of them, its file for instance.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// For people.
    pub name: &'a str,
    /// What its file means.
    pub settings: &'a Settings,
}

/// Everything that is to be said about two nodes of one pair, one sentence each. Instances belong together if they
/// have the same VRID and family, or else the same name.
#[must_use]
pub fn compare(one: Node<'_>, other: Node<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    services::compare_pairs(one, other, &mut findings);
    for ours in &one.settings.instances {
        let vrid = ours.router.vrid;
        let theirs = &other.settings.instances;
        let same = |theirs: &&Instance| (theirs.router.vrid, theirs.router.family) == (vrid, ours.router.family);
        let by_vrid = theirs.iter().find(same);
        let by_name = || theirs.iter().find(|theirs| theirs.router.name == ours.router.name);
        match by_vrid.or_else(by_name) {
            Some(theirs) => {
                compare_instances((one, (one.name, ours)), (other, (other.name, theirs)), &mut findings);
                services::compare_services((one, (one.name, ours)), (other, (other.name, theirs)), &mut findings);
            }
            None => {
                let of_ipv6 = if ours.router.family == Family::Ipv6 { " over IPv6" } else { "" };
                findings.push(format!("{} has no instance with virtual_router_id {vrid}{of_ipv6}", other.name));
            }
        }
    }
    findings
}

type Side<'a> = (&'a str, &'a Instance);

/// What is wrong with signing to a node that knows nothing of it.
const ONE_SIGNS: &str = "a keepalived there would take nothing that is signed; begin with `mode receive-only` on both";

/// Whether each takes what the other sends, as Tanist does: what is signed and need not be is taken, too. Keys in files
/// of their own are not here to be compared.
fn understand(one: &Authentication, other: &Authentication) -> bool {
    let takes = |receiver: &Authentication, sender: &Authentication| match (receiver, sender) {
        (Authentication::SimplePassword(ours), Authentication::SimplePassword(theirs))
        | (Authentication::Header(ours), Authentication::Header(theirs)) => ours == theirs,
        (Authentication::SimplePassword(_) | Authentication::Header(_), _)
        | (_, Authentication::SimplePassword(_) | Authentication::Header(_)) => false,
        (Authentication::None, Authentication::None | Authentication::Hmac(_)) => true,
        (Authentication::Hmac(ours), Authentication::Hmac(theirs)) if signs(sender) => {
            let keys = (ours.keys.get(&theirs.active_key), theirs.keys.get(&theirs.active_key));
            !matches!(keys, (Some(ours), Some(theirs)) if ours != theirs)
        }
        (Authentication::Hmac(ours), Authentication::None | Authentication::Hmac(_)) => ours.mode != HmacMode::Enforce,
    };
    takes(one, other) && takes(other, one)
}

fn signs(authentication: &Authentication) -> bool {
    matches!(authentication, Authentication::Hmac(policy) if policy.mode != HmacMode::ReceiveOnly)
}

/// What both should be told alike.
fn compare_terms(scope: &str, ours: &[Term], theirs: &[Term], findings: &mut Vec<String>) {
    for (ours, theirs) in ours.iter().zip(theirs).filter(|(ours, theirs)| ours.value != theirs.value) {
        let Term { what, consequence, .. } = ours;
        let values = if ours.is_short { format!(" ({} and {})", ours.value, theirs.value) } else { String::new() };
        findings.push(format!("{scope}: {what} differs{values}, so {consequence}"));
    }
}

/// A time for people.
fn seconds(span: std::time::Duration) -> String {
    crate::resolve::in_seconds(span)
}

fn compare_instances(
    (here, one): (Node<'_>, Side<'_>),
    (there, other): (Node<'_>, Side<'_>),
    findings: &mut Vec<String>,
) {
    let vrid = one.1.router.vrid;
    let (a, b) = (&one.1.router, &other.1.router);
    let scope = if a.vrid == b.vrid { format!("VRID {vrid}") } else { a.name.to_string() };
    let (mut ours, mut theirs) = (terms::of_router(here.settings, a), terms::of_router(there.settings, b));
    // What matters is not whether it is the same, but whether each takes what the other sends.
    let one_signs = signs(&a.authentication) != signs(&b.authentication)
        && [a, b].iter().any(|router| router.authentication == Authentication::None);
    for (term, side) in [(terms::authentication(&mut ours), "ours"), (terms::authentication(&mut theirs), "theirs")] {
        let differs = !understand(&a.authentication, &b.authentication) || one_signs;
        term.value = if differs { side.to_owned() } else { String::new() };
        if understand(&a.authentication, &b.authentication) {
            term.consequence = ONE_SIGNS;
        }
    }
    compare_terms(&scope, &ours, &theirs, findings);
    compare_peers(&scope, (one.0, &a.transport), (other.0, &b.transport), findings);
    let (better, worse) = if best(a) >= best(b) { (one, other) } else { (other, one) };
    if best(a) != best(b) {
        compare_ranks(better, worse, findings);
    }
}

/// Whether each sends to the other, as far as two files say where a node is.
fn compare_peers(scope: &str, one: (&str, &Transport), other: (&str, &Transport), findings: &mut Vec<String>) {
    for ((here, ours), (there, theirs)) in [(one, other), (other, one)] {
        let (Transport::Unicast { peers, .. }, Transport::Unicast { source: Some(source), .. }) = (ours, theirs) else {
            continue;
        };
        if !peers.contains(source) {
            findings.push(format!(
                "{scope}: {there} says `unicast_src_ip {source}`, but {here} does not name that in `unicast_peer`, so {there} \
                 may not hear {here}"
            ));
        }
    }
    if let (
        Transport::Unicast { source: None, peers: ours, .. },
        Transport::Unicast { source: None, peers: theirs, .. },
    ) = (one.1, other.1)
        && let ([ours], [theirs]) = (&ours[..], &theirs[..])
        && ours == theirs
    {
        findings.push(format!(
            "{scope}: both name {ours} as their only `unicast_peer`, so at least one does not hear the other; each has to name \
             the other one's address"
        ));
    }
}

/// What follows from one node being preferred.
fn compare_ranks(better: Side<'_>, worse: Side<'_>, findings: &mut Vec<String>) {
    let vrid = better.1.router.vrid;
    let router = &better.1.router;
    let (high, low) = (best(router), best(&worse.1.router));
    if worse.1.stated == Some(StatedRole::Active) && better.1.stated != Some(StatedRole::Active) {
        findings.push(format!(
            "VRID {vrid}: {} says `state MASTER`, but {} has the higher priority ({high} against {low}) and always wins",
            worse.0, better.0
        ));
    }
    // With services it is their `failback` that may have said so.
    let by_keyword = worse.1.router.services.is_empty();
    if by_keyword && !worse.1.router.preempt_mode && better.1.router.preempt_mode {
        findings.push(format!(
            "VRID {vrid}: `nopreempt` in {} has no effect, because only the better node could preempt; it belongs in {}",
            worse.0, better.0
        ));
    }
    let checks = router.track_scripts.iter().map(|tracked| ("check", &tracked.script, tracked.weight));
    let processes = router.trackers.iter().filter(|tracked| tracked.tracker.kind == TrackerKind::Process);
    let processes = processes.map(|tracked| ("tracked process", &tracked.tracker.name, tracked.weight));
    for (what, name, weight) in checks.chain(processes) {
        let (Some(good), Some(bad)) = (weight.worth(true), weight.worth(false)) else { continue };
        let failing = in_range(router, sum(router) - i32::from(good - bad));
        // Who is no better does not take over.
        if good > bad && failing >= low {
            let place = if failing > low { "still above" } else { "not below" };
            findings.push(format!(
                "VRID {vrid}: when the {what} `{name}` fails on {}, its priority goes from {high} to {failing}, {place} the \
                 {low} of {}: nothing moves",
                better.0, worse.0
            ));
        }
    }
}

/// The priority while everything is good, and no tracked file has a number.
fn best(router: &RouterConfig) -> i32 {
    in_range(router, sum(router))
}

/// What the weights add while everything is good, and the priority.
fn sum(router: &RouterConfig) -> i32 {
    let weights = router.track_scripts.iter().map(|tracked| tracked.weight);
    let links = router.track_links.iter().map(|tracked| tracked.weight);
    let processes = router.trackers.iter().filter(|tracked| tracked.tracker.kind == TrackerKind::Process);
    let weights = weights.chain(links).chain(processes.map(|tracked| tracked.weight));
    let added: i32 = weights.filter_map(|weight| weight.worth(true)).map(i32::from).sum();
    i32::from(router.priority.get()) + added
}

/// What an advertisement can say of it. That of an address owner never changes.
fn in_range(router: &RouterConfig, sum: i32) -> i32 {
    if router.priority.is_address_owner() { i32::from(router.priority.get()) } else { sum.clamp(1, 254) }
}
