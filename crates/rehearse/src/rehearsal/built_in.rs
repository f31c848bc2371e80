//! The pairs that rehearse when no other is given: what a newcomer would write first, with a service that Tanist looks
//! after, or for another daemon with a check and a web service that it only watches.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use config::{LoadOptions, MemoryFiles, Settings};

use super::pair::{CLIENT, Configuration, HostFile, KEY_FILE, Node, Pair, Service, Supervised};
use crate::lab::{Daemon, HOST_DIR, HostPlan};
use crate::web::PORT;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const NAMES: [&str; 2] = ["a", "b"];
const OWN_ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];
const PRIORITIES: [u8; 2] = [150, 100];

/// The configuration of one node of a pair that looks after its service.
fn supervising(which: usize) -> String {
    let (name, priority, peer) = (NAMES[which], PRIORITIES[which], OWN_ADDRESSES[1 - which]);
    format!(
        "# One service for two nodes. It runs on the better one while all is well, and never on both.
global_defs {{
    script_user root
}}

pair {{
    node {name}
    peer {peer}
    key_file {HOST_DIR}/{KEY_FILE}
}}

service collector {{
    command \"{HOST_DIR}/collector\"
    check http http://127.0.0.1:{PORT}/ {{ interval 0.5  timeout 0.5  fall 2 }}
    restart 1 within 60
    stop_timeout 1
    readiness_interval 1
}}

vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        {ADDRESS}/24
    }}
    service collector
    notify {HOST_DIR}/notify
}}
"
    )
}

/// The configuration of one node of a pair that watches its service; only the priority differs between the two.
fn watching(which: usize) -> String {
    let priority = PRIORITIES[which];
    format!(
        "# One service address for two nodes; the node with the higher priority has it while all is well.
global_defs {{
    script_user root
}}

# Is the web service of this node alive?
vrrp_script web {{
    script \"{HOST_DIR}/check-web\"
    interval 1
    fall 2
}}

vrrp_instance service {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        {ADDRESS}/24
    }}
    track_script {{
        web
    }}
    notify {HOST_DIR}/notify
}}
"
    )
}

/// The pair. `program` takes the words of `tanist rehearse`: it is the service, or the web service and its check. Only
/// Tanist can look after a service.
pub(crate) fn pair(daemons: [(Daemon, bool); 2], program: &[String], supervised: bool) -> Pair {
    let [a, b] = daemons;
    let node =
        |which, daemon| if supervised { supervisor(which, daemon, program) } else { watcher(which, daemon, program) };
    Pair { nodes: [node(0, a), node(1, b)], address: ADDRESS, remarks: Vec::new() }
}

fn supervisor(which: usize, daemon: (Daemon, bool), program: &[String]) -> Node {
    let text = supervising(which);
    let settings = read(&text);
    let service = settings.services.first().expect("the text has one service");
    let service = Service::Supervised(Supervised::new(service, program.to_vec()));
    node(which, daemon, text, settings, service, HostFile::key())
}

fn watcher(which: usize, daemon: (Daemon, bool), program: &[String]) -> Node {
    let helper: Vec<String> = program.iter().cloned().chain(["--helper".to_owned()]).collect();
    let text = watching(which);
    let settings = read(&text);
    let quoted = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
    let check: Vec<String> = helper.iter().map(quoted).chain(["check".to_owned()]).collect();
    let check = HostFile::Program {
        name: "check-web".to_owned(),
        text: format!("#!/bin/sh\nexec {} 2>/dev/null\n", check.join(" ")),
    };
    let service =
        Service::Web { command: helper.iter().cloned().chain(["web".to_owned()]).collect(), script: "web".to_owned() };
    node(which, daemon, text, settings, service, check)
}

fn node(
    which: usize,
    (daemon, is_tanist): (Daemon, bool),
    text: String,
    settings: Settings,
    service: Service,
    file: HostFile,
) -> Node {
    let own_address = OWN_ADDRESSES[which];
    let plan = HostPlan::new(NAMES[which]).interface("eth0", &[&format!("{own_address}/24")]);
    let router = settings.instances.first().expect("the text has one instance").router.clone();
    let address_lifetime = settings.address_lifetime(&router).filter(|_| is_tanist);
    Node {
        name: NAMES[which],
        plan: plan.neighbour(CLIENT.into(), "eth0"),
        own_address: own_address.into(),
        daemon,
        is_tanist,
        configuration: Configuration::Text(text),
        files: vec![file, HostFile::Recorder("notify".to_owned())],
        service,
        router,
        scripts: settings.scripts.into_iter().map(|script| script.checking).collect(),
        pair: settings.pair,
        address_lifetime: address_lifetime.map(|seconds| Duration::from_secs(seconds.into())),
    }
}

fn read(text: &str) -> Settings {
    let path = Path::new("/built-in.conf");
    let loaded = config::load(path, &MemoryFiles::single(path, text), &LoadOptions::default());
    loaded.settings.expect("the built-in configuration is without mistakes: a test says so")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configurations_are_without_mistakes() {
        for text in [supervising(0), supervising(1), watching(0)] {
            let path = Path::new("/built-in.conf");
            let files = MemoryFiles::single(path, text);
            let report = config::load(path, &files, &LoadOptions::default()).report;
            // A hint that scripts run as root remains: in a user namespace there is nobody else.
            let worst = report.diagnostics().iter().map(|diagnostic| diagnostic.severity).min();
            assert!(worst >= Some(config::Severity::Hint), "{}", report.render(false));
        }
    }
}
