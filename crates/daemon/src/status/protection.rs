//! Would a failure now be survived? If not, why not, in words.
//!
//! The judgement is made per instance: one node must be active and well, the other one able to take over. What the
//! peer said last counts only while it is taken for alive; the dead may have said anything.

use std::time::Duration;

use api::{
    Instance, Mode, Peer, PeerInstance, PeerService, Place, Protection, ProtectionState, Role, ServiceState, Status,
    span,
};
use config::Settings;
use engine::Failback;

use crate::words::pair::{CANNOT_TELL, peer_name};
use crate::words::understanding;

/// Everything that is wrong, each with what it costs.
#[derive(Debug, Default)]
struct Findings(Vec<(ProtectionState, String)>);

impl Findings {
    fn add(&mut self, state: ProtectionState, text: impl Into<String>) {
        let text = text.into();
        if !self.0.iter().any(|(_, known)| *known == text) {
            self.0.push((state, text));
        }
    }

    /// The worst decides; nothing found is protected.
    fn conclude(mut self) -> Protection {
        self.0.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let state = self.0.first().map_or(ProtectionState::Protected, |(state, _)| *state);
        Protection { state, reasons: self.0.into_iter().map(|(_, text)| text).collect() }
    }
}

/// The judgement on a status whose `protection` is not filled in yet.
pub(super) fn judge(status: &Status, settings: &Settings) -> Protection {
    let mut findings = Findings::default();
    if let Some(latch) = &status.latch {
        let text = format!("{} (latched by {}); mend the cause, then `tanist ack`", latch.text, peer_name(&latch.node));
        findings.add(ProtectionState::Latched, text);
    }
    if let Some(maintenance) = status.maintenance {
        let ends = maintenance.ends_in_ms.map_or_else(
            || "until `tanist maintenance off`".to_owned(),
            |left| format!("for another {}", span(Duration::from_millis(left))),
        );
        findings.add(ProtectionState::Maintenance, format!("maintenance: nothing happens by itself {ends}"));
    }
    if let Some(peer) = &status.peer {
        judge_paths(peer, &mut findings);
    }
    for instance in &status.instances {
        let scope = if status.instances.len() > 1 { format!("{}: ", instance.name) } else { String::new() };
        let judged = Judged { status, settings, instance, scope };
        match (&status.peer, status.mode) {
            (Some(peer), Mode::Pair) => judged.in_pair(peer, &mut findings),
            (_, Mode::Vrrp | Mode::Pair) => judged.alone(&mut findings),
        }
        judged.understanding(&mut findings);
    }
    findings.conclude()
}

/// The way to the peer, and how old its word is.
fn judge_paths(peer: &Peer, findings: &mut Findings) {
    let node = peer_name(&peer.node);
    if peer.deaf {
        findings.add(ProtectionState::Unprotected, understanding::peer_is_deaf(&peer.node));
    }
    if !peer.alive {
        for stranger in &peer.strangers {
            let text =
                format!("messages for the pair come from {stranger}, which is not the address of the peer on any path");
            findings.add(ProtectionState::Unprotected, text);
        }
        if let Some(why) = &peer.last_discard {
            findings.add(
                ProtectionState::Unprotected,
                format!("a message that was to come from {node} was discarded: {why}"),
            );
        }
        return;
    }
    if peer.stale {
        let age = span(Duration::from_millis(peer.age_ms.unwrap_or_default()));
        let text = format!("what {node} says of itself is {age} old and may no longer be so");
        findings.add(ProtectionState::Degraded, text);
        return;
    }
    for (number, path) in peer.paths.iter().zip(0..).filter_map(|(path, number)| Some((number, path.one_way?))) {
        let text = understanding::path_one_way(number, path == Place::Here, node);
        findings.add(ProtectionState::Degraded, text);
    }
    for (number, path) in peer.paths.iter().enumerate().filter(|(_, path)| !path.works && path.one_way.is_none()) {
        let since = path.age_ms.map_or_else(
            || "was never heard".to_owned(),
            |age| format!("is silent for {}", span(Duration::from_millis(age))),
        );
        let text = format!("path {} to {node} ({}) {since}", number + 1, path.address);
        findings.add(ProtectionState::Degraded, text);
    }
}

struct Judged<'a> {
    status: &'a Status,
    settings: &'a Settings,
    instance: &'a Instance,
    /// What reasons begin with, if there is more than one instance.
    scope: String,
}

impl Judged<'_> {
    fn add(&self, findings: &mut Findings, state: ProtectionState, text: &str) {
        findings.add(state, format!("{}{text}", self.scope));
    }

    /// What keeps the nodes from understanding each other.
    fn understanding(&self, findings: &mut Findings) {
        let Instance { unheard, refused, differs, .. } = self.instance;
        // Where one node says why it is not heard, what it does not accept has been said.
        match (unheard, refused) {
            (Some(text), _) => self.add(findings, ProtectionState::Degraded, text),
            (None, Some(text)) => {
                let text = format!("{text}; nodes that do not understand each other may both be MASTER");
                self.add(findings, ProtectionState::Degraded, &text);
            }
            (None, None) => {}
        }
        if let Some(text) = differs {
            self.add(findings, ProtectionState::Degraded, text);
        }
        for (name, text) in self.services().filter_map(|service| Some((&service.name, service.differs.as_ref()?))) {
            self.add(findings, ProtectionState::Degraded, &format!("service {name}: {text}"));
        }
    }

    /// Without a peer that speaks, only this node and the master's advertisements can be seen.
    fn alone(&self, findings: &mut Findings) {
        let node = &self.status.node;
        match self.instance.role {
            Role::Master => {
                self.active_here(findings);
                // The same for all instances, and therefore said once.
                let text = "whether there is a standby cannot be seen from here: a VRRP backup is silent; with a `pair` \
                            block it speaks";
                findings.add(ProtectionState::Unknown, text);
            }
            Role::Backup => {
                if self.instance.master.is_none() {
                    let text = format!("nobody is heard as master; {node} takes over if that lasts");
                    self.add(findings, ProtectionState::Unprotected, &text);
                }
                self.standby_here(findings);
            }
            Role::Fault | Role::Init => self.standby_here(findings),
        }
    }

    fn in_pair(&self, peer: &Peer, findings: &mut Findings) {
        let (node, other) = (&self.status.node, peer_name(&peer.node));
        let theirs = peer.instances.iter().find(|theirs| theirs.name == self.instance.name);
        let theirs = theirs.filter(|_| peer.alive);
        let active_there = theirs.is_some_and(|theirs| theirs.role == Role::Master);
        match (self.instance.role == Role::Master, active_there) {
            (true, true) => {
                let text = format!("{node} and {other} are both active; the one with the worse claim gives way");
                self.add(findings, ProtectionState::Unprotected, &text);
            }
            (true, false) => {
                self.active_here(findings);
                match theirs {
                    Some(theirs) => self.standby_there(peer, theirs, findings),
                    None => self.nobody_there(peer, findings),
                }
            }
            (false, true) => {
                if let Some(theirs) = theirs {
                    self.active_there(other, theirs, findings);
                    self.failback_due(other, theirs.effective_priority, findings);
                }
                self.standby_here(findings);
            }
            (false, false) => {
                self.add(findings, ProtectionState::Unprotected, "no node is active");
                self.standby_here(findings);
                match theirs {
                    Some(theirs) => self.standby_there(peer, theirs, findings),
                    None => self.nobody_there(peer, findings),
                }
            }
        }
    }

    /// The peer says nothing, or nothing of this instance.
    fn nobody_there(&self, peer: &Peer, findings: &mut Findings) {
        let other = peer_name(&peer.node);
        if peer.alive {
            let text = format!("no standby: {other} has no instance {}", self.instance.name);
            self.add(findings, ProtectionState::Unprotected, &text);
            return;
        }
        // The same for all instances, and therefore said once.
        findings.add(
            ProtectionState::Unprotected,
            match peer.age_ms {
                None => format!("no standby: {other} was never heard; {CANNOT_TELL}"),
                Some(age) => {
                    format!("no standby: {other} is silent for {}; {CANNOT_TELL}", span(Duration::from_millis(age)))
                }
            },
        );
    }

    fn active_here(&self, findings: &mut Findings) {
        let node = &self.status.node;
        if self.instance.letting_go {
            let text = format!("{node} is letting the role go: its services are still ending");
            self.add(findings, ProtectionState::Degraded, &text);
            return;
        }
        for service in self.services() {
            let (name, state) = (&service.name, word(service.state));
            if service.state != ServiceState::Running {
                let text = format!("service {name} should run on {node} and is {state}");
                self.add(findings, ProtectionState::Degraded, &text);
            } else if service.healthy == Some(false) {
                let text = format!("service {name} runs on {node}, but not well");
                self.add(findings, ProtectionState::Degraded, &text);
            }
        }
    }

    fn standby_here(&self, findings: &mut Findings) {
        let node = &self.status.node;
        match self.instance.role {
            Role::Fault => {
                let text = format!("no standby: {node} is in FAULT ({})", self.instance.faults.join(", "));
                self.add(findings, ProtectionState::Unprotected, &text);
            }
            Role::Init => {
                self.add(findings, ProtectionState::Unprotected, &format!("no standby: {node} does not take part"));
            }
            Role::Backup | Role::Master => {
                for service in self.services() {
                    match service.readiness.as_ref() {
                        Some(readiness) if readiness.ready => {}
                        Some(readiness) => {
                            self.not_ready(node, &service.name, readiness.reason.as_deref(), findings);
                        }
                        None => self.readiness_unknown(node, &service.name, findings),
                    }
                }
                if let Some(held) = self.instance.held.first() {
                    let text = format!("{node} stands back, {held}: it takes over only if nobody else can");
                    self.add(findings, ProtectionState::Degraded, &text);
                }
            }
        }
    }

    fn active_there(&self, other: &str, theirs: &PeerInstance, findings: &mut Findings) {
        for PeerService { name, state, healthy, .. } in &theirs.services {
            if *state != ServiceState::Running {
                let text = format!("service {name} should run on {other} and is {}", word(*state));
                self.add(findings, ProtectionState::Degraded, &text);
            } else if *healthy == Some(false) {
                let text = format!("service {name} runs on {other}, but not well");
                self.add(findings, ProtectionState::Degraded, &text);
            }
        }
    }

    fn standby_there(&self, peer: &Peer, theirs: &PeerInstance, findings: &mut Findings) {
        let other = peer_name(&peer.node);
        if matches!(theirs.role, Role::Fault | Role::Init) {
            // Its services may say why.
            let failed = theirs.services.iter().find(|service| service.failed);
            let why = failed.map_or_else(String::new, |service| format!(" (service {} failed there)", service.name));
            let text = format!("no standby: {other} is in FAULT{why}");
            self.add(findings, ProtectionState::Unprotected, &text);
            return;
        }
        for service in &theirs.services {
            match service.readiness.as_ref() {
                _ if service.failed => {
                    let text = format!("no standby: service {} failed on {other}", service.name);
                    self.add(findings, ProtectionState::Unprotected, &text);
                }
                Some(readiness) if readiness.ready => {}
                Some(readiness) => self.not_ready(other, &service.name, readiness.reason.as_deref(), findings),
                None => self.readiness_unknown(other, &service.name, findings),
            }
        }
        // Those of a sync group are told with its first instance.
        let told: Vec<&str> =
            peer.instances.iter().flat_map(|theirs| &theirs.services).map(|theirs| theirs.name.as_str()).collect();
        for missing in self.instance.services.iter().filter(|name| !told.contains(&name.as_str())) {
            let text = format!("no standby: {other} has no service {missing}");
            self.add(findings, ProtectionState::Unprotected, &text);
        }
        if theirs.held {
            let text = format!("{other} stands back: it takes over only if nobody else can");
            self.add(findings, ProtectionState::Degraded, &text);
        }
    }

    fn not_ready(&self, node: &str, service: &str, reason: Option<&str>, findings: &mut Findings) {
        let reason = reason.unwrap_or("no reason given");
        let text = format!("no standby: {node} could not start {service}: {reason}");
        self.add(findings, ProtectionState::Unprotected, &text);
    }

    fn readiness_unknown(&self, node: &str, service: &str, findings: &mut Findings) {
        let text = format!("it is not known yet whether {node} could start {service}");
        self.add(findings, ProtectionState::Degraded, &text);
    }

    /// The role is on the worse node, and an operator is to bring it back.
    fn failback_due(&self, other: &str, their_priority: u8, findings: &mut Findings) {
        let manual = self.settings.services.iter().any(|service| {
            service.service.failback == Failback::Manual
                && self.instance.services.iter().any(|name| **name == *service.service.name)
        });
        if manual && self.instance.effective_priority > their_priority {
            let node = &self.status.node;
            let text = format!(
                "{other} is active although {node} has the better priority (failback manual); `tanist switch {} --to \
                 {node}` brings it back",
                self.instance.name
            );
            self.add(findings, ProtectionState::Degraded, &text);
        }
    }

    /// The services of this instance, here.
    fn services(&self) -> impl Iterator<Item = &api::Service> {
        self.status.services.iter().filter(|service| service.instance.as_ref() == Some(&self.instance.name))
    }
}

fn word(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Unknown => "in a state that nobody knows",
        ServiceState::Stopped => "stopped",
        ServiceState::Starting => "starting",
        ServiceState::Running => "running",
        ServiceState::Stopping => "stopping",
    }
}
