//! The user's own pair: two configurations become two hosts that fit them.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use config::{LoadOptions, RealFiles, Settings};
use engine::{Name, RouterConfig, Transport, VirtualAddress, Weight};

use super::config_text::with_stand_ins;
use super::pair::{CLIENT, Configuration, HostFile, Node, Pair, Service};
use crate::lab::{Cidr, Daemon, HostPlan};

const NAMES: [&str; 2] = ["a", "b"];

/// Why two configurations make no pair.
#[derive(Debug)]
pub(crate) enum NoPair {
    /// The rendered findings of one file, and the exit status of a configuration test.
    Mistakes { report: String, status: u8 },
    /// In one sentence.
    Unfit(String),
}

/// Reads both files and plans the hosts that they were written for.
pub(crate) fn pair(files: [&Path; 2], daemons: [(Daemon, bool); 2], run_scripts: bool) -> Result<Pair, NoPair> {
    let settings = [load(files[0])?, load(files[1])?];
    let (routers, address) = common_router(&settings)?;
    let own = own_addresses(&routers);
    let mut remarks = Vec::new();
    let others = settings[0].instances.len().max(settings[1].instances.len()) - 1;
    if others > 0 {
        remarks.push(format!("watched is {address} of {}; {others} more would do alike", routers[0].name));
    }
    if !run_scripts {
        remarks.push("notify and check scripts are replaced by stand-ins (--run-scripts runs yours)".to_owned());
    }
    let [a, b] = daemons;
    let plan = |which: usize, daemon| {
        node(which, &settings[which], &routers[which], own[which], files[which], daemon, run_scripts)
    };
    Ok(Pair { nodes: [plan(0, a), plan(1, b)], address, remarks })
}

fn load(file: &Path) -> Result<Settings, NoPair> {
    let loaded = config::load(file, &RealFiles, &LoadOptions::default());
    let styled = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mistakes =
        || NoPair::Mistakes { report: loaded.report.render(styled), status: loaded.report.exit_status().max(1) };
    loaded.settings.clone().ok_or_else(mistakes)
}

/// The first virtual router that both have, and an address that both would hold.
fn common_router(settings: &[Settings; 2]) -> Result<([RouterConfig; 2], Ipv4Addr), NoPair> {
    let [a, b] = settings;
    let mut known = Vec::new();
    for one in a.instances.iter().map(|instance| &instance.router) {
        for other in b.instances.iter().map(|instance| &instance.router) {
            if (one.vrid, one.family) != (other.vrid, other.family) {
                continue;
            }
            let held = |address: &IpAddr| other.addresses.iter().any(|held| held.address == *address);
            let address = one.addresses.iter().map(|held| held.address).find(held);
            match address {
                Some(IpAddr::V4(address)) => return Ok(([one.clone(), other.clone()], address)),
                Some(IpAddr::V6(_)) | None => known.push(one.vrid),
            }
        }
    }
    let vrids = |settings: &Settings| {
        let all: Vec<String> = settings.instances.iter().map(|instance| instance.router.vrid.to_string()).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    Err(NoPair::Unfit(match known.first() {
        Some(vrid) => format!("nothing to watch: the two have no IPv4 address of virtual_router_id {vrid} in common"),
        None => format!(
            "these two are no pair: no virtual_router_id is in both (the first has {}, the second {})",
            vrids(a),
            vrids(b)
        ),
    }))
}

/// The addresses that the two would have themselves: as stated, as the other one states, or made up.
fn own_addresses(routers: &[RouterConfig; 2]) -> [Cidr; 2] {
    [0, 1].map(|which| {
        let stated = source(&routers[which]).or_else(|| match &routers[1 - which].transport {
            Transport::Unicast { peers, .. } if peers.len() == 1 => Some(peers[0]),
            Transport::Unicast { .. } | Transport::Multicast { .. } => None,
        });
        let near = routers[which].addresses.first();
        fitting(stated, near, which as u8 + 1)
    })
}

fn source(router: &RouterConfig) -> Option<IpAddr> {
    match router.transport {
        Transport::Multicast { source, .. } | Transport::Unicast { source, .. } => source,
    }
}

/// `stated` with the prefix of the virtual address beside it, or an address near that one.
fn fitting(stated: Option<IpAddr>, near: Option<&VirtualAddress>, number: u8) -> Cidr {
    let near = near.map_or(Cidr { address: [192, 0, 2, 100].into(), prefix: 24 }, |near| Cidr {
        address: near.address,
        // An address without a network of its own lies in that of the interface.
        prefix: if near.prefix > 30 { 24 } else { near.prefix },
    });
    let prefix_of = |address| if near.contains(address) { near.prefix } else { 24 };
    match (stated, near.address) {
        (Some(address), _) => Cidr { address, prefix: prefix_of(address) },
        (None, IpAddr::V4(virtual_address)) => {
            let network = u32::from(virtual_address) & (u32::MAX << (32 - u32::from(near.prefix.clamp(1, 30))));
            // The virtual address itself may be the first of its network.
            let taken = u32::from(virtual_address).wrapping_sub(network);
            let host = if taken <= 2 { u32::from(number) + 2 } else { u32::from(number) };
            Cidr { address: Ipv4Addr::from(network.wrapping_add(host)).into(), prefix: near.prefix }
        }
        (None, IpAddr::V6(_)) => Cidr { address: [192, 0, 2, number].into(), prefix: 24 },
    }
}

fn node(
    which: usize,
    settings: &Settings,
    router: &RouterConfig,
    own: Cidr,
    file: &Path,
    (daemon, is_tanist): (Daemon, bool),
    run_scripts: bool,
) -> Node {
    let text = with_stand_ins(settings);
    let mut files: Vec<HostFile> = Vec::new();
    let service = if run_scripts {
        Service::Unwatched("your own scripts run: only you can make them fail")
    } else {
        files.extend(text.checks.iter().cloned().map(HostFile::Check));
        files.extend(text.recorders.iter().cloned().map(HostFile::Recorder));
        watched_service(settings, router, &text.checks)
    };
    let configuration = if run_scripts {
        // Inside, the working directory is another one.
        Configuration::File(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
    } else {
        Configuration::Text(text.text)
    };
    Node {
        name: NAMES[which],
        plan: host_plan(which, settings, router, own),
        own_address: own.address,
        daemon,
        is_tanist,
        configuration,
        files,
        service,
        router: router.clone(),
        scripts: settings.scripts.iter().map(|script| script.checking.clone()).collect(),
    }
}

fn watched_service(settings: &Settings, router: &RouterConfig, checks: &[String]) -> Service {
    let plain = |weight: Weight| matches!(weight, Weight::Fault | Weight::Priority(_));
    let Some(tracked) = router.track_scripts.iter().find(|tracked| plain(tracked.weight)) else {
        return Service::Unwatched("the virtual router tracks no check");
    };
    let file = settings.scripts.iter().zip(checks).find(|(script, _)| script.checking.name == tracked.script);
    let (_, file) = file.expect("a tracked check is among the settings' scripts");
    Service::StandIn { script: tracked.script.to_string(), file: file.clone() }
}

/// Every interface that is spoken of, with an address where one is needed.
fn host_plan(which: usize, settings: &Settings, watched: &RouterConfig, own: Cidr) -> HostPlan {
    let mut interfaces: BTreeMap<Name, Vec<Cidr>> = BTreeMap::new();
    interfaces.entry(watched.link.clone()).or_default().push(own);
    let mut neighbours: Vec<(IpAddr, Name)> = Vec::new();
    for router in settings.instances.iter().map(|instance| &instance.router) {
        let held = interfaces.entry(router.link.clone()).or_default();
        let stated = source(router);
        if held.is_empty() || stated.is_some_and(|stated| held.iter().all(|held| held.address != stated)) {
            held.push(fitting(stated, router.addresses.first(), which as u8 + 1));
        }
        let held = held.clone();
        if let Transport::Unicast { peers, .. } = &router.transport {
            let far = peers.iter().filter(|&&peer| held.iter().all(|held| !held.contains(peer)));
            neighbours.extend(far.map(|&peer| (peer, router.link.clone())));
        }
        let named = router.addresses.iter().chain(&router.excluded_addresses).filter_map(|held| held.link.clone());
        for link in named.chain(router.track_links.iter().map(|tracked| tracked.link.clone())) {
            interfaces.entry(link).or_default();
        }
    }
    let asked_over = watched.addresses.first().and_then(|first| first.link.clone()).unwrap_or(watched.link.clone());
    neighbours.push((CLIENT.into(), asked_over));
    neighbours.sort();
    neighbours.dedup();

    // The watched router's interface comes first; the order of the others says nothing.
    let mut order: Vec<&Name> = interfaces.keys().collect();
    order.sort_by_key(|&name| (*name != watched.link, name.clone()));
    let mut plan = HostPlan::new(NAMES[which]);
    for name in order.into_iter().filter(|&name| &**name != "lo") {
        let addresses: Vec<String> = interfaces[name].iter().map(Cidr::to_string).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        plan = plan.interface(name, &addresses);
    }
    neighbours.iter().fold(plan, |plan, (address, interface)| plan.neighbour(*address, interface))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn virtual_address(text: &str) -> VirtualAddress {
        let Cidr { address, prefix } = text.parse().expect("well formed");
        VirtualAddress { address, prefix, link: None, scope: engine::Scope::Global, label: None, broadcast: None }
    }

    fn check(stated: Option<&str>, near: &str, expected: [&str; 2]) {
        let stated = stated.map(|stated| stated.parse().expect("an address"));
        let found = [1, 2].map(|number| fitting(stated, Some(&virtual_address(near)), number).to_string());
        assert_eq!(found, expected, "{near}");
    }

    #[test]
    fn nodes_get_addresses_that_fit() {
        check(None, "192.0.2.100/24", ["192.0.2.1/24", "192.0.2.2/24"]);
        check(None, "192.168.8.254/32", ["192.168.8.1/24", "192.168.8.2/24"]);
        check(None, "10.0.0.1/16", ["10.0.0.3/16", "10.0.0.4/16"]);
        check(Some("192.168.8.10"), "192.168.8.254/32", ["192.168.8.10/24", "192.168.8.10/24"]);
        // The virtual address is far away from the node's own.
        check(Some("10.0.0.127"), "192.160.127.254/17", ["10.0.0.127/24", "10.0.0.127/24"]);
    }
}
