//! The user's own pair: two configurations become two hosts that fit them.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use config::{LoadOptions, Manager, RealFiles, Settings};
use engine::{Family, Name, RouterConfig, Transport, VirtualAddress, Weight};

use super::config_text::with_stand_ins;
use super::pair::{CLIENT, Configuration, HostFile, Node, Pair, Service, Supervised};
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
///
/// `program` takes the words of `tanist rehearse`: it plays the parts of services.
pub(crate) fn pair(
    files: [&Path; 2],
    daemons: [(Daemon, bool); 2],
    program: &[String],
    run_scripts: bool,
) -> Result<Pair, NoPair> {
    let mut settings = [load(files[0])?, load(files[1])?];
    let has_services = settings.iter().any(|settings| !settings.services.is_empty());
    let own_words = daemons.iter().all(|(_, is_tanist)| *is_tanist);
    let mut remarks = Vec::new();
    if run_scripts {
        let outside = settings.iter().flat_map(|settings| &settings.services).find(|service| is_outside(service));
        if let Some(service) = outside {
            return Err(NoPair::Unfit(format!(
                "the service {} belongs to a manager that virtual hosts do not have; without --run-scripts a stand-in \
                 plays its part",
                service.service.name
            )));
        }
    } else if give_address(&mut settings) {
        let what = format!("the pair has no virtual address; it gets {STAND_IN_ADDRESS}, so that it can be watched");
        remarks.push(what);
    }
    if let Some(vrf) = settings.iter().flat_map(Settings::vrfs).next() {
        if run_scripts {
            return Err(NoPair::Unfit(format!(
                "virtual hosts have no VRF {vrf}; without --run-scripts an interface plays its part"
            )));
        }
        remarks.push(format!("virtual hosts have no VRF: an interface of the name {vrf} plays its part"));
    }
    let (routers, address) = common_router(&settings)?;
    let own = own_addresses(&settings, &routers);
    let others = settings[0].instances.len().max(settings[1].instances.len()) - 1;
    if others > 0 {
        remarks.push(format!("watched is {address} of {}; {others} more would do alike", routers[0].name));
    }
    if !run_scripts {
        let what = if has_services { "services, hooks, notify and check scripts" } else { "notify and check scripts" };
        remarks.push(format!("{what} are replaced by stand-ins (--run-scripts runs yours)"));
    }
    if settings.iter().any(|settings| settings.statics != engine::Statics::default()) {
        remarks.push("static addresses, routes and rules are left out".to_owned());
    }
    if has_services && !own_words {
        remarks.push("the services are left out: keepalived does not know them".to_owned());
    }
    let watched = common_service(&routers);
    let stage = |which: usize, daemon| Part {
        which,
        settings: &settings[which],
        router: &routers[which],
        own: own[which],
        ways: ways(&settings, which),
        file: files[which],
        daemon,
        program,
        own_words,
        watched: watched.as_ref().filter(|_| own_words),
    };
    let [a, b] = daemons;
    let nodes = [stage(0, a).node(run_scripts), stage(1, b).node(run_scripts)];
    Ok(Pair { nodes, address, remarks })
}

/// Of a pair that has none of its own (RFC 2544, as the client's).
const STAND_IN_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 100);

/// Whether virtual hosts cannot reach who manages it.
fn is_outside(service: &config::Service) -> bool {
    match service.manager {
        Manager::Systemd { .. } | Manager::Docker { .. } => true,
        Manager::Command { .. } | Manager::Scripts { .. } => false,
    }
}

/// Gives an address to a pair of services that has none; one that is not advertised changes nothing else.
fn give_address(settings: &mut [Settings; 2]) -> bool {
    if common_router(settings).is_ok() || !settings.iter().all(|settings| !settings.services.is_empty()) {
        return false;
    }
    let [a, b] = settings;
    for one in a.instances.iter_mut().map(|instance| &mut instance.router) {
        let other = b.instances.iter_mut().map(|instance| &mut instance.router);
        let Some(other) = other.into_iter().find(|other| (other.vrid, other.family) == (one.vrid, one.family)) else {
            continue;
        };
        for router in [one, other] {
            router.excluded_addresses.push(VirtualAddress::new(STAND_IN_ADDRESS.into(), 32));
        }
        return true;
    }
    false
}

/// The first service that both have in the watched virtual router.
fn common_service(routers: &[RouterConfig; 2]) -> Option<Name> {
    let [a, b] = routers;
    a.services.iter().find(|name| b.services.contains(name)).cloned()
}

/// One way from a node to the other: its own address and the other's.
type Way = (IpAddr, IpAddr);

/// How the two nodes talk to each other, as far as both say where.
fn ways(settings: &[Settings; 2], which: usize) -> Vec<Way> {
    let Some(pair) = &settings[which].pair else { return Vec::new() };
    let theirs = settings[1 - which].pair.as_ref().map_or(&[][..], |pair| &pair.paths);
    let own = |n: usize| pair.paths[n].source.or_else(|| theirs.get(n).map(|path| path.peer));
    pair.paths.iter().enumerate().filter_map(|(n, path)| Some((own(n)?, path.peer))).collect()
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
            // What is watched is told apart by its VRID, and the stage is one of IPv4.
            if one.family == Family::Ipv6 {
                known.push(one.vrid);
                continue;
            }
            let held = |address: &IpAddr| all_addresses(other).any(|held| held.address == *address);
            let address = all_addresses(one).map(|held| held.address).find(held);
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

fn all_addresses(router: &RouterConfig) -> impl Iterator<Item = &VirtualAddress> {
    router.addresses.iter().chain(&router.excluded_addresses)
}

/// The addresses that the two would have themselves: as stated, as the other one states, or made up.
fn own_addresses(settings: &[Settings; 2], routers: &[RouterConfig; 2]) -> [Cidr; 2] {
    [0, 1].map(|which| {
        let stated = source(&routers[which]).or_else(|| match &routers[1 - which].transport {
            Transport::Unicast { peers, .. } if peers.len() == 1 => Some(peers[0]),
            Transport::Unicast { .. } | Transport::Multicast { .. } => None,
        });
        let talking = ways(settings, which).into_iter().map(|(own, _)| own).find(IpAddr::is_ipv4);
        let stated = stated.or(talking);
        let near = routers[which].addresses.first();
        fitting(stated, near, which as u8 + 1)
    })
}

/// The interface that an instance runs on; one without any is reached where its addresses are.
pub(super) fn interface_of(router: &RouterConfig) -> &Name {
    let elsewhere = || all_addresses(router).find_map(|address| address.link.as_ref());
    if router.is_anywhere() { elsewhere().unwrap_or(&router.link) } else { &router.link }
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

/// What one node is made of.
struct Part<'a> {
    which: usize,
    settings: &'a Settings,
    router: &'a RouterConfig,
    own: Cidr,
    ways: Vec<Way>,
    file: &'a Path,
    daemon: (Daemon, bool),
    program: &'a [String],
    /// Both daemons know what Tanist knows.
    own_words: bool,
    watched: Option<&'a Name>,
}

impl Part<'_> {
    fn node(self, run_scripts: bool) -> Node {
        let Part { which, settings, router, own, file, .. } = self;
        let text = with_stand_ins(settings, self.watched, self.own_words);
        let mut files: Vec<HostFile> = Vec::new();
        let service = if run_scripts {
            Service::Unwatched("your own scripts run: only you can make them fail")
        } else {
            files.extend(text.checks.iter().cloned().map(HostFile::Check));
            files.extend(text.recorders.iter().cloned().map(HostFile::Recorder));
            files.extend(text.others.iter().cloned());
            self.watched_service(&text.checks)
        };
        let configuration = if run_scripts {
            // Inside, the working directory is another one.
            Configuration::File(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
        } else {
            Configuration::Text(text.text)
        };
        let plan = host_plan(which, settings, router, own, &self.ways);
        let (daemon, is_tanist) = self.daemon;
        let lifetime = settings.address_lifetime(router).filter(|_| is_tanist);
        Node {
            name: NAMES[which],
            plan,
            own_address: own.address,
            daemon,
            is_tanist,
            configuration,
            files,
            service,
            router: router.clone(),
            scripts: settings.scripts.iter().map(|script| script.checking.clone()).collect(),
            pair: settings.pair.clone().filter(|_| self.own_words && !self.ways.is_empty()),
            address_lifetime: lifetime.map(|seconds| Duration::from_secs(seconds.into())),
        }
    }

    fn watched_service(&self, checks: &[String]) -> Service {
        let known = |name: &&Name| self.settings.services.iter().find(|service| service.service.name == **name);
        match self.watched.as_ref().and_then(known) {
            Some(service) => Service::Supervised(Supervised::new(service, self.program.to_vec())),
            None => watched_script(self.settings, self.router, checks),
        }
    }
}

fn watched_script(settings: &Settings, router: &RouterConfig, checks: &[String]) -> Service {
    let plain = |weight: Weight| matches!(weight, Weight::Fault | Weight::Priority(_));
    let Some(tracked) = router.track_scripts.iter().find(|tracked| plain(tracked.weight)) else {
        return Service::Unwatched("the virtual router tracks no check");
    };
    let file = settings.scripts.iter().zip(checks).find(|(script, _)| script.checking.name == tracked.script);
    let (_, file) = file.expect("a tracked check is among the settings' scripts");
    Service::StandIn { script: tracked.script.to_string(), file: file.clone() }
}

/// Every interface that is spoken of, with an address where one is needed.
fn host_plan(which: usize, settings: &Settings, watched: &RouterConfig, own: Cidr, ways: &[Way]) -> HostPlan {
    let mut interfaces: BTreeMap<Name, Vec<Cidr>> = BTreeMap::new();
    interfaces.entry(interface_of(watched).clone()).or_default().push(own);
    let mut neighbours: Vec<(IpAddr, Name)> = Vec::new();
    for router in settings.instances.iter().map(|instance| &instance.router) {
        let held = interfaces.entry(interface_of(router).clone()).or_default();
        let stated = source(router);
        if held.is_empty() || stated.is_some_and(|stated| held.iter().all(|held| held.address != stated)) {
            held.push(fitting(stated, router.addresses.first(), which as u8 + 1));
        }
        let held = held.clone();
        if let Transport::Unicast { peers, .. } = &router.transport {
            let far = peers.iter().filter(|&&peer| held.iter().all(|held| !held.contains(peer)));
            neighbours.extend(far.map(|&peer| (peer, interface_of(router).clone())));
        }
        let named = router.addresses.iter().chain(&router.excluded_addresses).filter_map(|held| held.link.clone());
        let routes = router.routes.iter().flat_map(|route| route.links().cloned());
        let rules = router.rules.iter().flat_map(|rule| rule.links().cloned());
        let tracked = router.track_links.iter().map(|tracked| tracked.link.clone());
        for link in named.chain(tracked).chain(routes).chain(rules) {
            interfaces.entry(link).or_default();
        }
    }
    // What the daemon makes by itself stands on what is plugged in.
    for made in &settings.virtual_links {
        interfaces.remove(&made.name);
        interfaces.entry(made.base.clone()).or_default();
    }
    for (n, &(own, peer)) in ways.iter().enumerate() {
        let known = interfaces.iter().find(|(_, held)| held.iter().any(|held| held.address == own));
        let near = interfaces.iter().find(|(_, held)| held.iter().any(|held| held.contains(own)));
        // Another network is another cable: one that has no address yet, or one more.
        let bare = || interfaces.iter().find(|(_, held)| held.is_empty()).map(|(name, _)| name.clone());
        let over = known.or(near).map(|(name, _)| name.clone()).or_else(bare);
        let over = over.unwrap_or_else(|| format!("way{}", n + 1).as_str().into());
        let held = interfaces.entry(over.clone()).or_default();
        if held.iter().all(|held| held.address != own) {
            let prefix = held.iter().find(|held| held.contains(own)).map(|held| held.prefix);
            held.push(Cidr { address: own, prefix: prefix.unwrap_or(if own.is_ipv4() { 24 } else { 64 }) });
        }
        if held.iter().all(|held| !held.contains(peer)) {
            neighbours.push((peer, over));
        }
    }
    let asked_over =
        watched.addresses.first().and_then(|first| first.link.clone()).unwrap_or(interface_of(watched).clone());
    let below = settings.virtual_links.iter().find(|made| made.name == asked_over).map(|made| made.base.clone());
    let asked_over = below.unwrap_or(asked_over);
    neighbours.push((CLIENT.into(), asked_over));
    neighbours.sort();
    neighbours.dedup();

    // The watched router's interface comes first; the order of the others says nothing.
    let mut order: Vec<&Name> = interfaces.keys().collect();
    order.sort_by_key(|&name| (name != interface_of(watched), name.clone()));
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
        VirtualAddress::new(address, prefix)
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

    /// Who runs the user's own file would find no VRF.
    #[test]
    fn an_interface_plays_the_part_of_a_vrf_and_that_is_said() {
        let directory = std::env::temp_dir().join(format!("tanist-vrf-pair-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let paths = [1, 2].map(|number: u8| {
            let text = format!(
                "vrrp_instance V {{\n vrf blue\n virtual_router_id 51\n priority {}\n unicast_src_ip 192.0.2.{number}\n \
                 unicast_peer {{\n 192.0.2.{}\n }}\n virtual_ipaddress {{\n 192.0.2.100/24 dev eth0\n }}\n}}\n",
                100 + number,
                3 - number
            );
            let path = directory.join(format!("{number}.conf"));
            std::fs::write(&path, text).expect("written");
            path
        });
        let planned = |run_scripts| {
            pair(
                paths.each_ref().map(|path| path.as_path()),
                [0; 2].map(|_| (Daemon::keepalived(), true)),
                &[],
                run_scripts,
            )
        };
        let plan = planned(false).expect("it is a pair");
        let said = "virtual hosts have no VRF: an interface of the name blue plays its part";
        assert!(plan.remarks.iter().any(|remark| remark == said), "{:?}", plan.remarks);
        let Configuration::Text(text) = &plan.nodes[0].configuration else { panic!("it is not the user's file") };
        assert!(text.contains("\ninterface blue\n") && !text.contains("vrf"), "{text}");
        let Err(NoPair::Unfit(reason)) = planned(true) else { panic!("it cannot be run as it is") };
        assert_eq!(reason, "virtual hosts have no VRF blue; without --run-scripts an interface plays its part");
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }
}
