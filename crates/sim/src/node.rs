//! A pretend machine: its interfaces, its kernel's addresses, and the daemon that may run on it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use engine::{Engine, Instant, LinkState, Name, ScriptOutcome, ServiceReport, View};

use crate::clock::Clock;
use crate::disk::Disk;
use crate::invariant::order::OrderWatch;
use crate::invariant::step::NodeWatch;
use crate::plan::{LinkPlan, NodePlan, Plan, RouterSpec, ScriptPlan, ServiceSpec};
use crate::unit::{Processes, Unit, UnitStep};
use crate::world::refusals::Refusal;

/// A machine.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) powered: bool,
    /// The system takes packets.
    pub(crate) sending: bool,
    /// The kernel sets and removes addresses.
    pub(crate) settable: bool,
    /// Its static addresses, routes and rules are all there.
    pub(crate) complete: bool,
    pub(crate) links: Vec<Link>,
    /// The configuration file at present.
    pub(crate) specs: Vec<RouterSpec>,
    /// How the checks of the plan behave at present.
    pub(crate) scripts: Vec<ScriptPlan>,
    /// What is found of everything that the plan has tracked.
    pub(crate) figures: Vec<i64>,
    pub(crate) daemon: Option<Daemon>,
    pub(crate) asleep: Option<Asleep>,
    /// As the managers of its services have them.
    pub(crate) units: Vec<Unit>,
    /// As its configuration has them.
    pub(crate) services: Vec<ServiceSpec>,
    /// What processes would have done while the whole machine slept.
    pub(crate) frozen: Vec<(usize, u64, UnitStep)>,
    pub(crate) disk: Disk,
    pub(crate) clock: Clock,
    /// Virtual addresses that its kernel has although nobody here wants them, and since when.
    pub(crate) left_behind: BTreeMap<(Name, IpAddr), Instant>,
    /// What its system is going to refuse.
    pub(crate) refusals: Vec<Refusal>,
    /// The last advertisement that left: whoever listened can repeat it.
    pub(crate) overheard: Option<Rc<[u8]>>,
    /// Which boot of the machine this is.
    pub(crate) boot: u64,
    /// The file that means standing back is there.
    pub(crate) down_file: bool,
    /// The last daemon that had time to write down everything.
    pub(crate) left_in_order: Option<u64>,
    /// Counts daemons and sleeps, so that what was meant for an earlier one does not reach a later one.
    pub(crate) lives: u64,
}

/// An interface and what the kernel has on it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) name: Name,
    pub(crate) condition: LinkPlan,
    /// In the kernel's order.
    pub(crate) addresses: Vec<IpAddr>,
    /// Those of the node's own that are not sure to be nobody else's, and when they are.
    pub(crate) tentative: Vec<IpAddr>,
    pub(crate) sure_at: Option<Instant>,
    /// When the kernel drops which of them.
    pub(crate) expiries: BTreeMap<IpAddr, Instant>,
}

/// Why nothing runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asleep {
    pub(crate) life: u64,
    /// The whole machine, not only the daemon.
    pub(crate) machine: bool,
}

/// A running daemon: the engine, and what the loop around it keeps.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) engine: Engine,
    /// As it was after the last input.
    pub(crate) view: View,
    /// How far ahead its calendar was when the engine was told of it last.
    pub(crate) calendar_told: Option<i64>,
    pub(crate) life: u64,
    /// The deadline that was asked for, and when the loop will really wake up.
    pub(crate) wake: Option<(Instant, Instant)>,
    /// Packets that wait while the daemon does not run.
    pub(crate) socket: Vec<Packet>,
    /// Reports that wait while the daemon does not run.
    pub(crate) reports: Vec<Report>,
    pub(crate) runs: Vec<ScriptRun>,
    pub(crate) reconcile_pending: bool,
    pub(crate) stopping: bool,
    pub(crate) watch: NodeWatch,
    pub(crate) orders: OrderWatch,
    /// Commands of operators so far.
    pub(crate) commands: u64,
    /// A reload may have brought a router to a group, where it waits as every new one does.
    pub(crate) joining: bool,
    /// Interfaces that it could not listen to yet.
    pub(crate) deaf: Vec<Name>,
    /// When it renews the lifetimes of its addresses.
    pub(crate) renews_at: Option<Instant>,
    /// It dies once so many more outputs are carried out.
    pub(crate) doom: Option<Doom>,
}

/// An end in the middle of something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doom {
    pub(crate) outputs: u32,
    /// The whole machine, not only the daemon.
    pub(crate) power: bool,
}

/// A packet in a socket.
#[derive(Debug)]
pub(crate) enum Packet {
    /// Of the VRRP protocol, on an interface.
    Frame(Name, Rc<[u8]>),
    /// Of the pair's side channel, by a path.
    Baton(u32, Rc<[u8]>),
}

/// What a daemon hears of its children and of the managers.
#[derive(Debug)]
pub(crate) enum Report {
    /// A run of a check has ended.
    Run(Name, ScriptOutcome),
    /// Something about a service.
    Service(Name, ServiceReport),
}

/// A run of a check under way.
#[derive(Debug)]
pub(crate) struct ScriptRun {
    pub(crate) script: Name,
    pub(crate) number: u64,
    pub(crate) behaviour: ScriptPlan,
}

/// Packets that a socket's buffer holds; the rest is dropped.
pub(crate) const SOCKET_BUFFER: usize = 64;

impl Node {
    pub(crate) fn new(plan: &Plan, index: usize) -> Self {
        let node: &NodePlan = &plan.nodes[index];
        let link = |name: Name| Link {
            addresses: Plan::own_addresses(index, &name).into(),
            tentative: Vec::new(),
            sure_at: None,
            expiries: BTreeMap::new(),
            name,
            condition: LinkPlan::Up,
        };
        Self {
            powered: true,
            sending: true,
            settable: true,
            complete: true,
            links: node.links().into_iter().map(link).collect(),
            specs: node.routers.iter().map(|options| RouterSpec::new(options)).collect(),
            scripts: vec![ScriptPlan::Succeeds; node.scripts.len()],
            figures: node.trackers.iter().map(|tracker| tracker.begins_at).collect(),
            daemon: None,
            asleep: None,
            units: node.services.iter().map(Unit::new).collect(),
            services: node.services.clone(),
            frozen: Vec::new(),
            disk: Disk::default(),
            clock: Clock::default(),
            left_behind: BTreeMap::new(),
            refusals: Vec::new(),
            overheard: None,
            boot: 1,
            down_file: false,
            left_in_order: None,
            lives: 0,
        }
    }

    /// A number that no earlier daemon or sleep had.
    pub(crate) fn next_life(&mut self) -> u64 {
        self.lives += 1;
        self.lives
    }

    pub(crate) fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| &*link.name == name)
    }

    pub(crate) fn link_mut(&mut self, name: &str) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| &*link.name == name)
    }

    /// The line of this service, as it reads now.
    pub(crate) fn service(&self, name: &str) -> Option<&ServiceSpec> {
        self.services.iter().find(|service| &*service.settings.name == name)
    }

    /// The service of this name.
    pub(crate) fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| &*unit.name == name)
    }

    /// Whether some of these services are there, none of them ending and none started by somebody else, unless that is
    /// what maintenance is for.
    pub(crate) fn keeps_running(&self, names: &[Name]) -> bool {
        let maintained = self.daemon.as_ref().is_some_and(|daemon| daemon.view.maintenance.is_some());
        let mut there = names.iter().filter_map(|name| self.unit(name)).filter(|unit| unit.exists()).peekable();
        there.peek().is_some()
            && there.all(|unit| unit.processes != Processes::Stopping && (maintained || !unit.by_hand))
    }

    /// A daemon that gets processor time.
    pub(crate) fn is_awake(&self) -> bool {
        self.powered && self.asleep.is_none()
    }
}

impl Link {
    /// What the kernel says of it.
    pub(crate) fn state(&self) -> Option<LinkState> {
        match self.condition {
            LinkPlan::Absent => None,
            LinkPlan::Up | LinkPlan::Addressless | LinkPlan::Down => {
                let up = self.condition != LinkPlan::Down;
                let sure = |address: &&IpAddr| !self.tentative.contains(address);
                let addresses = self.addresses.iter().filter(sure).copied().collect();
                Some(LinkState { up, addresses, tentative: self.tentative.clone(), deaf: false })
            }
        }
    }

    /// Whether it has an address that it may send from.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address) && !self.tentative.contains(&address)
    }

    /// Whether packets pass.
    pub(crate) fn carries(&self) -> bool {
        matches!(self.condition, LinkPlan::Up | LinkPlan::Addressless)
    }

    /// Changes it as its driver or an administrator would.
    pub(crate) fn change(&mut self, condition: LinkPlan, own: &[IpAddr]) {
        match condition {
            LinkPlan::Absent => self.addresses.clear(),
            LinkPlan::Addressless => self.addresses.retain(|address| !own.contains(address)),
            LinkPlan::Down if self.condition != LinkPlan::Absent => {}
            LinkPlan::Up | LinkPlan::Down => {
                let missing: Vec<IpAddr> = own.iter().copied().filter(|own| !self.addresses.contains(own)).collect();
                self.addresses.extend(missing);
            }
        }
        self.condition = condition;
    }

    /// Which virtual addresses must go and which must come, so that they are what they should be.
    pub(crate) fn differences(&self, wanted: &[IpAddr], own: &[IpAddr]) -> (Vec<IpAddr>, Vec<IpAddr>) {
        if self.condition == LinkPlan::Absent {
            return (Vec::new(), Vec::new());
        }
        let stays = |address: &IpAddr| own.contains(address) || wanted.contains(address);
        let too_many = self.addresses.iter().copied().filter(|address| !stays(address)).collect();
        let missing = wanted.iter().copied().filter(|address| !self.addresses.contains(address)).collect();
        (too_many, missing)
    }
}
