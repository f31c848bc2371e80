//! A pretend machine: its interfaces, its kernel's addresses, and the daemon that may run on it.

use std::net::IpAddr;
use std::rc::Rc;

use engine::{Engine, Instant, LinkState, Name, ScriptOutcome};

use crate::invariant::step::NodeWatch;
use crate::plan::{LinkPlan, NodePlan, Plan, RouterSpec, ScriptPlan};

/// A machine.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) powered: bool,
    /// The system takes packets.
    pub(crate) sending: bool,
    pub(crate) links: Vec<Link>,
    /// The configuration file at present.
    pub(crate) specs: Vec<RouterSpec>,
    /// How the checks of the plan behave at present.
    pub(crate) scripts: Vec<ScriptPlan>,
    pub(crate) daemon: Option<Daemon>,
    pub(crate) asleep: Option<Asleep>,
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
    pub(crate) life: u64,
    /// The deadline that was asked for, and when the loop will really wake up.
    pub(crate) wake: Option<(Instant, Instant)>,
    /// Packets that wait while the daemon does not run.
    pub(crate) socket: Vec<(Name, Rc<[u8]>)>,
    /// Ends of runs that wait while the daemon does not run.
    pub(crate) ended: Vec<(Name, ScriptOutcome)>,
    pub(crate) runs: Vec<ScriptRun>,
    pub(crate) reconcile_pending: bool,
    pub(crate) stopping: bool,
    pub(crate) watch: NodeWatch,
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
        let link =
            |name: Name| Link { addresses: vec![Plan::primary(index, &name).into()], name, condition: LinkPlan::Up };
        Self {
            powered: true,
            sending: true,
            links: node.links().into_iter().map(link).collect(),
            specs: node.routers.iter().map(|options| RouterSpec::new(options)).collect(),
            scripts: vec![ScriptPlan::Succeeds; node.scripts.len()],
            daemon: None,
            asleep: None,
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
                Some(LinkState { up: self.condition != LinkPlan::Down, addresses: self.addresses.clone() })
            }
        }
    }

    /// Whether packets pass.
    pub(crate) fn carries(&self) -> bool {
        matches!(self.condition, LinkPlan::Up | LinkPlan::Addressless)
    }

    /// Changes it as its driver or an administrator would.
    pub(crate) fn change(&mut self, condition: LinkPlan, primary: IpAddr) {
        match condition {
            LinkPlan::Absent => self.addresses.clear(),
            LinkPlan::Addressless => self.addresses.retain(|address| *address != primary),
            LinkPlan::Up if !self.addresses.contains(&primary) => self.addresses.push(primary),
            LinkPlan::Down if self.condition == LinkPlan::Absent => self.addresses.push(primary),
            LinkPlan::Up | LinkPlan::Down => {}
        }
        self.condition = condition;
    }

    /// Makes the virtual addresses what they should be; what is removed and what is added.
    pub(crate) fn reconcile(&mut self, wanted: &[IpAddr], primary: IpAddr) -> (Vec<IpAddr>, Vec<IpAddr>) {
        if self.condition == LinkPlan::Absent {
            return (Vec::new(), Vec::new());
        }
        let stays = |address: &IpAddr| *address == primary || wanted.contains(address);
        let removed = self.addresses.iter().copied().filter(|address| !stays(address)).collect();
        self.addresses.retain(stays);
        let added: Vec<IpAddr> = wanted.iter().copied().filter(|address| !self.addresses.contains(address)).collect();
        self.addresses.extend(&added);
        (removed, added)
    }
}
