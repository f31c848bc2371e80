//! What a pretend LAN consists of and what happens to it: the input half of a scenario, as a value.
//!
//! The text form is read by [`crate::scenario`]; the invariants and the hunt work on this value alone.

mod act;
mod call;
pub(crate) mod command;
pub(crate) mod cursor;
mod group;
pub(crate) mod measure;
mod mistake;
pub(crate) mod router;
mod script;
mod service;
pub(crate) mod tracker;

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use engine::{Config, Family, Instant, Name, PairConfig, PairKey, Vrid};

pub use crate::clock::ClockAct;
pub use act::{DiskAct, Order, ServiceAct};
pub use call::{CALLS, Call};
pub use command::{Act, Command, LanChange, LinkPlan, NodeRef, PathChoice, ScriptPlan, Spoof, SpoofContent};
pub use group::GroupSpec;
pub use mistake::Mistake;
pub use router::{RouterOption, RouterSpec};
pub use script::ScriptSpec;
pub use service::{ManagerPlan, PairPlan, ServiceChange, ServiceSpec};
pub use tracker::{FigureAct, TrackerSpec};

/// A whole scenario without its expectations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// What a trace contains beyond the usual.
    pub show: Show,
    /// How good every path is unless a command says otherwise.
    pub lan: PathQuality,
    /// From the moment at which an engine wants something of its kernel until it is there.
    pub kernel_delay: Duration,
    /// A daemon wakes up at most this much too late.
    pub wake_late: Duration,
    /// From the moment at which a daemon saves something until it survives whatever happens.
    pub disk_delay: Duration,
    /// Daemons listen for so long before they take part.
    pub startup_delay: Duration,
    /// So long a kernel keeps a virtual address that nobody renews; `None`: for ever.
    pub address_lifetime: Option<Duration>,
    /// So long a kernel looks for others that have a node's own addresses of IPv6 when an interface has come up, and takes them
    /// for nobody's until then (RFC 4862 §5.4).
    pub tentative: Duration,
    /// Two of the nodes that know each other.
    pub pair: Option<PairPlan>,
    /// The machines; the first has the addresses 192.0.2.1, 10.1.0.1 …, the next 192.0.2.2 and so on; see
    /// [`Plan::own_addresses`] for those of IPv6.
    pub nodes: Vec<NodePlan>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// When the scenario ends.
    pub end: Instant,
}

/// What a trace contains beyond the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Each advertisement sent.
    pub advertisements: bool,
    /// Each gratuitous ARP, not only the beginning of a burst.
    pub announcements: bool,
    /// What notify scripts would be run.
    pub notices: bool,
    /// Each virtual address that comes or goes in a kernel.
    pub kernel: bool,
    /// What the managers of services are told.
    pub orders: bool,
    /// What hooks would be run.
    pub hooks: bool,
    /// Each step of the table of roles.
    pub steps: bool,
}

/// One machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePlan {
    /// Its name.
    pub name: String,
    /// Its virtual routers; no two have the same VRID.
    pub routers: Vec<Vec<RouterOption>>,
    /// Routers of its that share their role.
    pub groups: Vec<GroupSpec>,
    /// The files and processes that it tracks.
    pub trackers: Vec<TrackerSpec>,
    /// Its checks.
    pub scripts: Vec<ScriptSpec>,
    /// Its services.
    pub services: Vec<ServiceSpec>,
}

/// How a packet fares on its way from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathQuality {
    /// The least time under way.
    pub delay: Duration,
    /// At most this much longer; packets may overtake each other.
    pub jitter: Duration,
    /// Percentage that never arrives.
    pub loss: u8,
    /// Percentage that arrives twice.
    pub duplicate: u8,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When: a whole number of milliseconds.
    pub at: Instant,
    /// What.
    pub command: Command,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            show: Show::default(),
            lan: PathQuality { delay: Duration::from_micros(100), jitter: Duration::ZERO, loss: 0, duplicate: 0 },
            kernel_delay: Duration::ZERO,
            wake_late: Duration::ZERO,
            disk_delay: Duration::from_millis(5),
            startup_delay: Duration::ZERO,
            address_lifetime: None,
            tentative: Duration::ZERO,
            pair: None,
            nodes: Vec::new(),
            steps: Vec::new(),
            end: Instant::START,
        }
    }
}

impl Plan {
    /// The IPv4 address of a node on a link: 192.0.2.N on eth0, 10.K.0.N on ethK.
    #[must_use]
    pub fn primary(node: usize, link: &str) -> Ipv4Addr {
        let host = u8::try_from(node + 1).unwrap_or(u8::MAX);
        match network(link) {
            0 => Ipv4Addr::new(192, 0, 2, host),
            network => Ipv4Addr::new(10, network, 0, host),
        }
    }

    /// All addresses of a node on a link: that of IPv4, the one of the link, fe80::N on each of them, and 2001:db8:0:K::N
    /// on ethK.
    #[must_use]
    pub fn own_addresses(node: usize, link: &str) -> [IpAddr; 3] {
        let host = u16::try_from(node + 1).unwrap_or(u16::MAX);
        let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host);
        let global = Ipv6Addr::new(0x2001, 0xdb8, 0, network(link).into(), 0, 0, 0, host);
        [Self::primary(node, link).into(), link_local.into(), global.into()]
    }

    /// The nodes that have a router of this VRID beside this one.
    fn peers(&self, node: usize, vrid: Vrid) -> impl Iterator<Item = usize> {
        let has_it = move |other: &usize| {
            let same = |options: &Vec<RouterOption>| options.contains(&RouterOption::Vrid(vrid));
            *other != node && self.nodes[*other].routers.iter().any(same)
        };
        (0..self.nodes.len()).filter(has_it)
    }

    /// The address that a node's router sends from, if the node has it. Who has nobody to send to by unicast sends by
    /// multicast.
    pub(crate) fn primary_address(&self, node: usize, spec: &RouterSpec) -> IpAddr {
        let by_unicast = spec.unicast && self.peers(node, spec.settings.vrid).next().is_some();
        spec.address_of(node, by_unicast)
    }

    /// Whether a router of it begins with IPv6.
    pub(crate) fn has_ipv6(&self) -> bool {
        let mut routers = self.nodes.iter().flat_map(|node| &node.routers);
        routers.any(|options| RouterSpec::new(options).settings.family == Family::Ipv6)
    }

    /// The longest advertisement interval that anybody has or claims; version 3 learns it.
    #[must_use]
    pub fn longest_interval(&self) -> Duration {
        let of_option = |option: &RouterOption| match option {
            RouterOption::Interval(interval) => Some(*interval),
            _ => None,
        };
        let configured = self.nodes.iter().flat_map(|node| &node.routers).flatten().filter_map(of_option);
        let changed = self.steps.iter().flat_map(|step| match &step.command {
            Command::Nodes(_, Act::Reload(options)) => options.iter().filter_map(of_option).collect(),
            Command::Stranger(Spoof { content: SpoofContent::Advertisement { interval, .. }, .. }) => vec![*interval],
            Command::Nodes(..)
            | Command::Lan(_)
            | Command::LanOf(..)
            | Command::Line(_)
            | Command::Stranger(_)
            | Command::Repeats(_) => Vec::new(),
        });
        let longest = configured.chain(changed).max().unwrap_or(engine::Interval::SECOND);
        longest.max(engine::Interval::SECOND).as_duration()
    }

    /// What sync groups add: one that lets go because of one router may have had the better one of another, and where each
    /// of two has the better one for a part, both let go before one of them takes over. Of several nodes, each such meeting
    /// may leave only one aside.
    #[must_use]
    pub(crate) fn time_of_groups(&self) -> Duration {
        let grouped = self.nodes.iter().filter(|node| !node.groups.is_empty()).count() as u32;
        if grouped > 0 { self.longest_interval() * (1 + 4 * grouped.max(2)) } else { Duration::ZERO }
    }

    /// The name of the node with this address, or the address.
    #[must_use]
    pub fn host_name(&self, address: IpAddr) -> String {
        self.host(address).map_or_else(|| address.to_string(), |node| self.nodes[node].name.clone())
    }

    /// The node that has this address of its own.
    fn host(&self, address: IpAddr) -> Option<usize> {
        let (host, of_node) = match address {
            IpAddr::V4(address) => {
                let [a, b, c, host] = address.octets();
                (u16::from(host), [a, b, c] == [192, 0, 2] || (a == 10 && c == 0))
            }
            IpAddr::V6(address) => {
                let [a, b, c, _, e, f, g, host] = address.segments();
                (host, [e, f, g] == [0; 3] && ([a, b, c] == [0xfe80, 0, 0] || [a, b, c] == [0x2001, 0xdb8, 0]))
            }
        };
        usize::from(host).checked_sub(1).filter(|node| of_node && *node < self.nodes.len())
    }

    /// The configuration of a node whose routers and services are at present as `specs` and `services` say.
    #[must_use]
    pub fn config(&self, node: usize, specs: &[RouterSpec], services: &[ServiceSpec]) -> Config {
        let services: Vec<_> = services.iter().filter(|service| service.present).map(|s| s.settings.clone()).collect();
        let router = |spec: &RouterSpec| {
            let peers = self.peers(node, spec.settings.vrid).map(|other| spec.address_of(other, true));
            let mut config = spec.config(peers.collect());
            config.services.retain(|name| services.iter().any(|service| service.name == *name));
            config
        };
        Config {
            scripts: self.nodes[node].scripts.iter().map(|script| script.settings.clone()).collect(),
            routers: specs.iter().filter(|spec| spec.present).map(router).collect(),
            groups: self.nodes[node].groups.iter().map(GroupSpec::config).collect(),
            trackers: self.nodes[node].trackers.iter().map(|tracker| tracker.settings.clone()).collect(),
            pair: self.pair.filter(|pair| pair.peer_of(node).is_some()).map(|pair| PairConfig {
                node: self.nodes[node].name.as_str().into(),
                paths: pair.paths(),
                key: PairKey::from([if pair.keys_differ { node as u8 } else { 7 }; 32]),
                heartbeat: pair.heartbeat,
                dead_after: pair.dead_after,
                terms: Vec::new(),
            }),
            services,
            ..Config::default()
        }
    }

    /// The header of the text form.
    #[must_use]
    pub fn header(&self) -> String {
        let default = Self::default();
        let mut text = String::new();
        if self.seed != default.seed {
            writeln!(text, "seed {}", self.seed).expect("a string takes everything");
        }
        let shown = [
            (self.show.advertisements, "advertisements"),
            (self.show.announcements, "announcements"),
            (self.show.notices, "notices"),
            (self.show.kernel, "kernel"),
            (self.show.orders, "orders"),
            (self.show.hooks, "hooks"),
            (self.show.steps, "steps"),
        ];
        let shown: Vec<&str> = shown.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        if !shown.is_empty() {
            writeln!(text, "show {}", shown.join(" ")).expect("a string takes everything");
        }
        if self.lan != default.lan {
            writeln!(text, "lan {}", self.lan).expect("a string takes everything");
        }
        for (word, span) in [("kernel", self.kernel_delay), ("wake", self.wake_late)] {
            if !span.is_zero() {
                let what = if word == "wake" { "late" } else { "delay" };
                writeln!(text, "{word} {what} {}", measure::span_text(span)).expect("a string takes everything");
            }
        }
        if self.disk_delay != default.disk_delay {
            let span = measure::span_text(self.disk_delay);
            writeln!(text, "disk delay {span}").expect("a string takes everything");
        }
        if !self.startup_delay.is_zero() {
            let span = measure::span_text(self.startup_delay);
            writeln!(text, "startup delay {span}").expect("a string takes everything");
        }
        if let Some(lifetime) = self.address_lifetime {
            let span = measure::span_text(lifetime);
            writeln!(text, "addresses last {span}").expect("a string takes everything");
        }
        if !self.tentative.is_zero() {
            let span = measure::span_text(self.tentative);
            writeln!(text, "addresses tentative {span}").expect("a string takes everything");
        }
        for node in &self.nodes {
            for router in &node.routers {
                write!(text, "router {}", node.name).expect("a string takes everything");
                for option in router {
                    write!(text, "  {option}").expect("a string takes everything");
                }
                text.push('\n');
            }
            for group in &node.groups {
                writeln!(text, "group {}  {}  {group}", node.name, group.name).expect("a string takes everything");
            }
            for tracker in &node.trackers {
                let (kind, name) = (tracker::kind_text(tracker.settings.kind()), &tracker.settings.name);
                writeln!(text, "{kind} {}  {name}  {tracker}", node.name).expect("a string takes everything");
            }
            for script in &node.scripts {
                writeln!(text, "script {}  {}  {script}", node.name, script.settings.name)
                    .expect("a string takes everything");
            }
            for service in &node.services {
                writeln!(text, "service {}  {}  {service}", node.name, service.settings.name)
                    .expect("a string takes everything");
            }
        }
        if let Some(pair) = &self.pair {
            let (left, right) = (&self.nodes[pair.nodes.0].name, &self.nodes[pair.nodes.1].name);
            writeln!(text, "pair {left} {right}  {pair}").expect("a string takes everything");
        }
        text
    }
}

/// The number in the name of a link.
fn network(link: &str) -> u8 {
    link.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(255)
}

impl NodePlan {
    /// The names of all interfaces that it has, sorted.
    #[must_use]
    pub fn links(&self) -> Vec<Name> {
        let mut links: Vec<Name> = vec!["eth0".into()];
        for option in self.routers.iter().flatten() {
            match option {
                RouterOption::Interface(link) | RouterOption::TrackInterface(link, _) => links.push(link.clone()),
                _ => {}
            }
        }
        links.sort();
        links.dedup();
        links
    }
}

impl PathQuality {
    /// Reads one option, if one follows.
    pub(crate) fn option(&mut self, cursor: &mut cursor::Cursor<'_>) -> Result<bool, Mistake> {
        if cursor.accept("delay") {
            self.delay = cursor.span("delay")?;
        } else if cursor.accept("jitter") {
            self.jitter = cursor.span("jitter")?;
        } else if cursor.accept("loss") {
            self.loss = cursor.percentage("loss")?;
        } else if cursor.accept("duplicate") {
            self.duplicate = cursor.percentage("duplicate")?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

impl std::fmt::Display for PathQuality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "delay {}  jitter {}  loss {}%  duplicate {}%",
            measure::span_text(self.delay),
            measure::span_text(self.jitter),
            self.loss,
            self.duplicate
        )
    }
}
