//! What both nodes of a pair should be told alike, thing by thing. `tanist check a.conf b.conf` compares the values
//! themselves; running nodes tell each other a number for each, and show where the other's is different.
//!
//! What differs on purpose is not among them: priorities, addresses of the nodes themselves, who preempts, hooks.

use std::net::IpAddr;

use engine::{Authentication, Budget, OnManualStop, RouterConfig, Terms, Transport, Version};

use super::seconds;
use crate::settings::{Command, Manager, Service, ServiceCheck, Settings};

/// One thing. Its place in the list is what nodes call it by, so that a new one goes to the end.
pub(super) struct Term {
    pub(super) what: &'static str,
    /// What follows from a difference.
    pub(super) consequence: &'static str,
    /// For comparing, and for people if `is_short`.
    pub(super) value: String,
    pub(super) is_short: bool,
}

const fn long(what: &'static str, consequence: &'static str, value: String) -> Term {
    Term { what, consequence, value, is_short: false }
}

const fn short(what: &'static str, consequence: &'static str, value: String) -> Term {
    Term { what, consequence, value, is_short: true }
}

const ROUTER: [&str; 7] = [
    "virtual_router_id",
    "the version",
    "the authentication",
    "unicast or multicast",
    "advert_int",
    "the list of addresses",
    "the first of its sync group",
];
const SERVICE: [&str; 7] = [
    "what runs",
    "the list of checks",
    "start_timeout",
    "stop_timeout",
    "max_moves",
    "on_manual_stop",
    "what runs by the clock",
];

/// Of an instance of these settings.
pub(super) fn of_router(settings: &Settings, router: &RouterConfig) -> [Term; ROUTER.len()] {
    let deaf = "the nodes do not hear each other and both become MASTER";
    let interval = if router.version == Version::V2 { deaf } else { "the MASTER's counts" };
    let transport = match &router.transport {
        Transport::Multicast { group, .. } => group.to_string(),
        Transport::Unicast { .. } => "unicast".to_owned(),
    };
    let mut addresses: Vec<IpAddr> = router.addresses.iter().map(|address| address.address).collect();
    addresses.sort();
    // It speaks for the group to the other node.
    let paired = settings.pair.as_ref().and_then(|_| settings.group_of(router));
    let first = paired.and_then(|group| group.group.members.first());
    let first = first.and_then(|first| settings.instances.iter().find(|instance| instance.router.name == *first));
    let speaker = first.map_or_else(|| "none".to_owned(), |first| format!("VRID {}", first.router.vrid));
    let [vrid, version, authentication, by, advert_int, list, first] = ROUTER;
    [
        short(vrid, deaf, router.vrid.to_string()),
        long(version, deaf, router.version.number().to_string()),
        long(authentication, deaf, authentication_of(router)),
        long(by, deaf, transport),
        long(advert_int, interval, seconds(router.advertisement_interval.as_duration())),
        long(list, "not all of them move, and older keepalived nodes ignore the other", format!("{addresses:?}")),
        short(first, "the nodes ask and answer each other for different instances of the group", speaker),
    ]
}

/// Nodes tell each other a number of this where others may listen, so it has no secret, but for a password that every
/// advertisement has in clear.
fn authentication_of(router: &RouterConfig) -> String {
    match &router.authentication {
        Authentication::None => "none".to_owned(),
        Authentication::SimplePassword(password) => format!("password {:?}", &password[..]),
        Authentication::Header(_) => "header".to_owned(),
        Authentication::Hmac(_) => "hmac".to_owned(),
    }
}

/// The term about that among those of a router.
pub(super) fn authentication(terms: &mut [Term; ROUTER.len()]) -> &mut Term {
    &mut terms[2]
}

/// Of a service.
pub(super) fn of_service(service: &Service) -> [Term; SERVICE.len()] {
    let config = &service.service;
    let budget = |Budget { limit, within }: Budget| format!("{limit} within {}", seconds(within));
    let by_hand = match config.on_manual_stop {
        OnManualStop::Failover => "failover",
        OnManualStop::Restart => "restart",
        OnManualStop::Maintenance => "maintenance",
    };
    let mut checks: Vec<String> = service.checks.iter().map(looks).collect();
    checks.sort();
    let timed = config.while_active.iter().zip(&service.while_active);
    let timed: Vec<String> =
        timed.map(|(every, script)| format!("every {} {}", seconds(*every), words(&script.command))).collect();
    let [runs, list, start, stop, moves, manual, clock] = SERVICE;
    [
        long(runs, "after a hand-over it is not the same that runs", what_runs(&service.manager)),
        long(list, "what is a failure on one node is none on the other", checks.join(", ")),
        short(start, "a start that is good on one node is a failure on the other", seconds(config.start_timeout)),
        short(stop, "it is killed earlier on one node than on the other", seconds(config.stop_timeout)),
        short(moves, "the stricter one ends the moving for both", budget(config.max_moves)),
        short(manual, "the same stop by hand means two things", by_hand.to_owned()),
        long(clock, "it depends on the node what is done again and again", timed.join(", ")),
    ]
}

fn what_runs(manager: &Manager) -> String {
    match manager {
        Manager::Systemd { unit } => format!("systemd {unit}"),
        Manager::Docker { container } => format!("docker {container}"),
        Manager::Command { script } => format!("command {}", words(&script.command)),
        Manager::Scripts { start, stop, status } => {
            format!("start {} stop {} status {}", words(&start.command), words(&stop.command), words(&status.command))
        }
    }
}

/// Without addresses: a node asks itself, by whichever it has.
fn looks(check: &ServiceCheck) -> String {
    match check {
        ServiceCheck::Http { address, path, statuses, .. } => {
            format!("http {}{path} {}-{}", address.port(), statuses.start(), statuses.end())
        }
        ServiceCheck::Tcp { address } => format!("tcp {}", address.port()),
        ServiceCheck::Process { name } => format!("process {name}"),
        ServiceCheck::File { path, max_age } => {
            format!("file {} {}", path.display(), max_age.map(seconds).unwrap_or_default())
        }
        ServiceCheck::Notify => "notify".to_owned(),
        ServiceCheck::Script(script) => format!("script {}", words(&script.command)),
    }
}

fn words(command: &Command) -> String {
    match command {
        Command::Program(words) => words.join(" "),
        Command::Shell(line) => line.clone(),
        Command::ReadFile(path) => format!("<{}", path.display()),
    }
}

/// What this node tells the other one, for each instance and each of its services.
#[must_use]
pub fn terms(settings: &Settings) -> Vec<Terms> {
    let mut all = Vec::new();
    for instance in &settings.instances {
        let router = &instance.router;
        let of = |service, terms: &[Term]| Terms {
            router: router.name.clone(),
            service,
            values: terms.iter().map(|term| number(&term.value)).collect(),
        };
        all.push(of(None, &of_router(settings, router)));
        let its = |service: &&Service| router.services.contains(&service.service.name) && !service.may_differ;
        for service in settings.services.iter().filter(its) {
            all.push(of(Some(service.service.name.clone()), &of_service(service)));
        }
    }
    all
}

/// How the things at these places are called, of a service or of an instance.
#[must_use]
pub fn term_names(of_service: bool, places: &[u32]) -> Vec<&'static str> {
    let names: &[&str] = if of_service { &SERVICE } else { &ROUTER };
    places.iter().filter_map(|place| names.get(*place as usize)).copied().collect()
}

/// FNV-1a: the same on every machine and in every version.
fn number(value: &str) -> u32 {
    value.bytes().fold(0x811c_9dc5, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_ever() {
        // From the reference of FNV.
        for (text, expected) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn places_have_names() {
        assert_eq!(
            term_names(false, &[0, 5, 6]),
            ["virtual_router_id", "the list of addresses", "the first of its sync group"]
        );
        assert_eq!(term_names(true, &[1, 2, 99]), ["the list of checks", "start_timeout"]);
    }
}
