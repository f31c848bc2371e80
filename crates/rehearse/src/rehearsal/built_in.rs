//! The pair that rehearses when no other is given: what a newcomer would write first.

use std::net::Ipv4Addr;
use std::path::Path;

use config::{LoadOptions, MemoryFiles, Settings};

use super::pair::{CLIENT, Configuration, HostFile, Node, Pair, Service};
use crate::lab::{Daemon, HOST_DIR, HostPlan};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

/// The configuration of one node; only the priority differs between the two.
fn configuration(priority: u8) -> String {
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

/// The pair. `helper` starts our own program as the web service (`web`) or its check (`check`).
pub(crate) fn pair(daemons: [(Daemon, bool); 2], helper: &[String]) -> Pair {
    let [a, b] = daemons;
    Pair { nodes: [node("a", 1, 150, a, helper), node("b", 2, 100, b, helper)], address: ADDRESS, remarks: Vec::new() }
}

fn node(name: &'static str, number: u8, priority: u8, daemon: (Daemon, bool), helper: &[String]) -> Node {
    let own_address = Ipv4Addr::new(192, 0, 2, number);
    let text = configuration(priority);
    let settings = read(&text);
    let router = settings.instances.into_iter().next().expect("the text has one instance").router;
    let scripts = settings.scripts.into_iter().map(|script| script.checking).collect();
    let quoted = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
    let check: Vec<String> = helper.iter().map(quoted).chain(["check".to_owned()]).collect();
    let check = HostFile::Program {
        name: "check-web".to_owned(),
        text: format!("#!/bin/sh\nexec {} 2>/dev/null\n", check.join(" ")),
    };
    let plan = HostPlan::new(name).interface("eth0", &[&format!("{own_address}/24")]);
    Node {
        name,
        plan: plan.neighbour(CLIENT.into(), "eth0"),
        own_address: own_address.into(),
        daemon: daemon.0,
        is_tanist: daemon.1,
        configuration: Configuration::Text(text),
        files: vec![check, HostFile::Recorder("notify".to_owned())],
        service: Service::Web {
            command: helper.iter().cloned().chain(["web".to_owned()]).collect(),
            script: "web".to_owned(),
        },
        router,
        scripts,
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
    fn the_configuration_is_without_mistakes() {
        let path = Path::new("/built-in.conf");
        let files = MemoryFiles::single(path, configuration(150));
        let report = config::load(path, &files, &LoadOptions::default()).report;
        // A hint that scripts run as root remains: in a user namespace there is nobody else.
        let worst = report.diagnostics().iter().map(|diagnostic| diagnostic.severity).min();
        assert!(worst >= Some(config::Severity::Hint), "{}", report.render(false));
    }
}
