//! A daemon alone on a host, or a pair of them, in a fresh lab and in good order: where every measurement begins.

use std::fs;
use std::net::IpAddr;
use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::{Daemon, Host, HostPlan, Lab, Moment, PATIENCE, Probe, Program, Record, Seen};

use crate::failure::{Failure, Result};
use crate::plan::{Node, Plan, is_virtual};
use crate::sightings::{self, Failover};

/// Observers write down what they read, a moment after it happened.
const FOR_THE_OBSERVERS: Duration = Duration::from_millis(100);
const CLIENT: &str = "192.0.2.254/24";
const CONFIGURATION: &str = "bench.conf";

/// One daemon that has become Active everywhere.
#[derive(Debug)]
pub(crate) struct Alone {
    pub(crate) lab: Lab,
    pub(crate) host: Host,
    pub(crate) daemon: Program,
    pub(crate) plan: Plan,
    /// Just before the program was started.
    pub(crate) started: Moment,
}

impl Alone {
    /// Starts it and waits until it has all its addresses.
    pub(crate) fn start(daemon: &Daemon, plan: &Plan) -> Result<Self> {
        Self::start_beside(daemon, plan, |_| Ok(()))
    }

    /// The same on a host where something else is done first.
    pub(crate) fn start_beside(daemon: &Daemon, plan: &Plan, first: impl FnOnce(&Host) -> Result<()>) -> Result<Self> {
        let (lab, host) = new_lab(plan)?;
        first(&host)?;
        Self::start_on(lab, host, daemon, plan)
    }

    fn start_on(lab: Lab, host: Host, daemon: &Daemon, plan: &Plan) -> Result<Self> {
        let file = host.write_file(CONFIGURATION, &plan.text(Node::First))?;
        let started = Moment::now();
        let daemon = host.start_daemon_with(daemon, &file)?;
        let alone = Self { lab, host, daemon, plan: plan.clone(), started };
        alone.wait_for_addresses(Node::First, started)?;
        sleep(FOR_THE_OBSERVERS);
        Ok(alone)
    }

    /// Waits until a node has got all virtual addresses since then.
    pub(crate) fn wait_for_addresses(&self, node: Node, since: Moment) -> Result<()> {
        let mut missing = self.plan.address_count();
        let found = self.lab.journal().wait_for(since, PATIENCE, |record| {
            let added = matches!(record.what, Seen::AddressAdded { address, .. } if is_virtual(address));
            missing -= usize::from(added && &*record.host == node.name());
            missing == 0
        });
        found.map(|_| ()).ok_or_else(|| {
            let all = self.plan.address_count();
            self.failure(node, format!("{missing} of {all} addresses never came to host {}", node.name()))
        })
    }

    /// What did not happen, and the last that the daemon said.
    pub(crate) fn failure(&self, node: Node, what: String) -> Failure {
        let log = self.lab.journal().log_of(node.name());
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(10)..].join("\n  ");
        Failure::new(format!("{what}; the last words of {} there:\n  {last}", self.daemon.name()))
    }

    /// All that was seen from then on.
    pub(crate) fn records(&self, since: Moment) -> Vec<Record> {
        self.lab.journal().since(since)
    }

    /// Gives the host another configuration. The daemon is not told.
    pub(crate) fn rewrite(&self, plan: &Plan) -> Result<()> {
        self.host.write_file(CONFIGURATION, &plan.text(Node::First))?;
        Ok(())
    }
}

/// A daemon that is Active and a second one that stands by.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) first: Alone,
    pub(crate) second_host: Host,
    pub(crate) second_daemon: Program,
}

impl Pair {
    /// Starts both, the first one first, and waits until the second one listens in every instance.
    pub(crate) fn start(daemon: &Daemon, plan: &Plan) -> Result<Self> {
        let (lab, first_host) = new_lab(plan)?;
        // Before the first one sends to it: a neighbour that was not found is only looked for again a second later.
        let second_host = add_host(&lab, Node::Second, plan)?;
        let first = Alone::start_on(lab, first_host, daemon, plan)?;
        let file = second_host.write_file(CONFIGURATION, &plan.text(Node::Second))?;
        let started = Moment::now();
        let second_daemon = second_host.start_daemon_with(daemon, &file)?;
        let mut missing = plan.router_count();
        let listening = first.lab.journal().wait_for(started, PATIENCE, |record| {
            let entered = matches!(&record.what, Seen::Line { text, .. } if text.contains("Entering BACKUP STATE"));
            missing -= usize::from(entered && &*record.host == Node::Second.name());
            missing == 0
        });
        if listening.is_none() {
            return Err(first.failure(Node::Second, format!("{missing} instances never stood by")));
        }
        // It has then heard everybody.
        sleep(plan.pace.interval() * 2 + FOR_THE_OBSERVERS);
        if let Some((address, _)) = sightings::arrivals(&first.records(started), Node::Second.name()).pop_first() {
            return Err(first.failure(Node::Second, format!("{address} came to the second node too early")));
        }
        Ok(Self { first, second_host, second_daemon })
    }

    /// Kills the first daemon without a word and pulls its cables.
    pub(crate) fn crash(&self) -> Result<Moment> {
        let crashed = Moment::now();
        self.first.daemon.kill_all()?;
        for interface in 0..self.first.plan.interfaces {
            self.first.host.set_cable(&format!("eth{interface}"), false)?;
        }
        Ok(crashed)
    }

    /// What came of a crash.
    pub(crate) fn failover_after(&self, crashed: Moment) -> Result<Failover> {
        let plan = &self.first.plan;
        self.first.wait_for_addresses(Node::Second, crashed)?;
        // Many announcements take longer than many addresses.
        sleep(FOR_THE_OBSERVERS + Duration::from_millis(plan.address_count() as u64 / 4));
        let limit = plan.pace.active_down_interval(Node::Second);
        let records = self.first.records(self.first.started);
        sightings::failover(&records, plan, Node::First.name(), Node::Second.name(), crashed, limit)
    }

    /// Starts a client that asks for the service's address a thousand times a second and is answered by the first node.
    pub(crate) fn probe(&self) -> Result<Probe> {
        let since = Moment::now();
        let probe = self.first.lab.probe(Plan::SERVICE)?;
        match probe.wait_for_answer_by(Node::First.name(), since, PATIENCE) {
            Some(_) => Ok(probe),
            None => Err(self.first.failure(Node::First, "the client got no answer".to_owned())),
        }
    }

    /// When the second node lost the service's address after `since`.
    pub(crate) fn wait_for_release(&self, since: Moment) -> Result<Moment> {
        let service = IpAddr::from(Plan::SERVICE);
        let found = self.first.lab.journal().wait_for(since, PATIENCE, |record| {
            &*record.host == Node::Second.name()
                && matches!(record.what, Seen::AddressRemoved { address, .. } if address == service)
        });
        found
            .map(|record| record.at)
            .ok_or_else(|| self.first.failure(Node::Second, "the second node never resigned".to_owned()))
    }
}

/// A lab with a client that knows where the service is, and the first host.
fn new_lab(plan: &Plan) -> Result<(Lab, Host)> {
    let lab = Lab::new("bench")?;
    lab.client().add_address(CLIENT)?;
    lab.client().add_neighbour(Plan::SERVICE.into())?;
    let host = add_host(&lab, Node::First, plan)?;
    Ok((lab, host))
}

fn add_host(lab: &Lab, node: Node, plan: &Plan) -> Result<Host> {
    let interfaces = (0..plan.interfaces).fold(HostPlan::new(node.name()), |host, interface| {
        host.interface(&format!("eth{interface}"), &[&format!("{}/24", node.address_on(interface))])
    });
    let host = lab.add_host(&interfaces)?;
    if plan.interfaces > 1 {
        // They are all on one switch, and what is sent to the group comes to each of them. An interface shall take it
        // only from its own network: the same VRID on another one is another virtual router.
        let file = "/proc/sys/net/ipv4/conf/all/rp_filter";
        host.run(move || fs::write(file, "1"))?.map_err(Failure::during(format!("write {file}")))?;
    }
    Ok(host)
}

/// A moment that differs from round to round and spreads evenly over an interval, so that what happens does not always
/// happen at the same phase of it.
pub(crate) fn wait_for_some_phase(interval: Duration, round: usize) {
    const GOLDEN_RATIO: f64 = 0.618_033_988_75;
    sleep(interval.mul_f64((round as f64 * GOLDEN_RATIO).fract()));
}
