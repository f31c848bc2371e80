//! A LAN that has been left alone: it settles in time, on the right router, and then stays as it is.

use std::net::IpAddr;
use std::time::Duration;

use engine::{Instant, StateName};

use super::Rule;
use crate::plan::{LinkPlan, Plan, RouterSpec, ScriptPlan, ScriptSpec};
use crate::rules::{self, Meaning};
use crate::world::World;

/// From when on everything must have come to rest; `None` while something is still wrong.
#[derive(Debug, Default)]
pub(crate) struct Quiet(Option<Instant>);

impl Quiet {
    pub(crate) fn is_settled(&self, now: Instant) -> bool {
        self.0.is_some_and(|from| from <= now)
    }
}

/// What a router should be once all is quiet.
enum Role {
    /// It takes part with this priority.
    Candidate(u8),
    /// Something keeps it out.
    Faulty,
}

impl World<'_> {
    /// Something happened from outside: rest is a whole while away.
    pub(crate) fn disturb(&mut self) {
        self.pairs.stale = true;
        let sound = self.paths.are_sound()
            && self.nodes.iter().all(|node| {
                let stopping = node.daemon.as_ref().is_some_and(|daemon| daemon.stopping);
                node.asleep.is_none() && node.sending && !stopping
            });
        self.quiet = Quiet(sound.then(|| self.now.max(self.last_arrival) + self.time_to_settle()));
    }

    fn time_to_settle(&self) -> Duration {
        let running = || self.nodes.iter().zip(&self.plan.nodes).filter(|(node, _)| node.daemon.is_some());
        let specs = running().flat_map(|(node, _)| &node.specs);
        let checks = running().flat_map(|(_, plan)| &plan.scripts);
        let slack = (self.paths.longest() + self.plan.wake_late + self.plan.kernel_delay) * 4;
        time_to_settle(specs, checks, self.plan.longest_interval()) + slack
    }

    /// Looks at everything once enough time has passed.
    pub(crate) fn check_settled(&mut self) {
        if !self.quiet.is_settled(self.now) {
            return;
        }
        let mut vrids: Vec<u8> =
            self.nodes.iter().flat_map(|node| &node.specs).map(|s| s.settings.vrid.get()).collect();
        vrids.sort_unstable();
        vrids.dedup();
        for vrid in vrids {
            if let Err(what) = self.settled(vrid) {
                self.found(Rule::Settles, format!("VRID {vrid} has not settled: {what}"));
            }
        }
    }

    fn settled(&self, vrid: u8) -> Result<(), String> {
        let mut all: Vec<(usize, &RouterSpec)> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            all.extend(node.specs.iter().filter(|s| s.settings.vrid.get() == vrid).map(|spec| (index, spec)));
        }
        let takes_part = |(index, spec): &&(usize, &RouterSpec)| spec.present && self.nodes[*index].daemon.is_some();
        let members: Vec<(usize, &RouterSpec)> = all.iter().filter(takes_part).copied().collect();
        let agree = |left: &RouterSpec, right: &RouterSpec| {
            left.unicast == right.unicast && rules::understand(&left.settings, &right.settings)
        };
        let owners = members.iter().filter(|(_, spec)| spec.settings.priority.is_address_owner()).count();
        let mute = members.iter().any(|(index, spec)| {
            let node = &self.nodes[*index];
            let own = node.link(&spec.settings.link);
            let owner = node.specs.iter().any(|spec| spec.settings.priority.is_address_owner());
            match own.map(|link| link.condition) {
                Some(LinkPlan::Up) => false,
                // An owner may send from its virtual address.
                Some(LinkPlan::Addressless) => owner,
                Some(LinkPlan::Down | LinkPlan::Absent) | None => spec.settings.ignore_own_link,
            }
        });
        if mute || owners > 1 || all.iter().any(|(_, left)| all.iter().any(|(_, right)| !agree(left, right))) {
            // They cannot hear each other, or both must win: nothing is promised.
            return Ok(());
        }
        let mut candidates: Vec<(usize, &RouterSpec, u8)> = Vec::new();
        for (index, spec) in &members {
            let name = &self.plan.nodes[*index].name;
            let state = self.state(*index, vrid);
            match self.role(*index, spec) {
                Role::Faulty if state != StateName::Initialize => {
                    return Err(format!("{name} is {state:?} in spite of a fault"));
                }
                Role::Candidate(_) if state == StateName::Initialize => return Err(format!("{name} takes no part")),
                Role::Candidate(priority) => candidates.push((*index, spec, priority)),
                Role::Faulty => {}
            }
        }
        let active: Vec<_> = candidates.iter().filter(|(i, ..)| self.state(*i, vrid) == StateName::Active).collect();
        let names = |list: &[&(usize, &RouterSpec, u8)]| {
            list.iter().map(|(index, ..)| self.plan.nodes[*index].name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (winner, spec, priority) = match active.as_slice() {
            [one] => **one,
            [] if candidates.is_empty() => return Ok(()),
            [] => return Err("nobody is Active".to_owned()),
            several => return Err(format!("several are Active: {}", names(several))),
        };
        let better = |(_, spec, theirs): &&(usize, &RouterSpec, u8)| {
            *theirs > priority && (spec.settings.preempt_mode || *theirs == 255)
        };
        if let Some((index, _, theirs)) = candidates.iter().find(better) {
            let (left, right) = (&self.plan.nodes[winner].name, &self.plan.nodes[*index].name);
            return Err(format!("{left} is Active with priority {priority} although {right} has {theirs}"));
        }
        self.found_by_client(winner, spec)
    }

    /// The client must send to the Active router.
    fn found_by_client(&self, winner: usize, spec: &RouterSpec) -> Result<(), String> {
        let addresses = spec.settings.addresses.iter().chain(&spec.settings.excluded_addresses);
        if spec.settings.announce.repeat == 0 {
            return Ok(());
        }
        for entry in addresses {
            let believed = self.client.believes(entry.address).filter(|believed| *believed != winner);
            if let Some(believed) = believed {
                let (active, believed) = (&self.plan.nodes[winner].name, &self.plan.nodes[believed].name);
                let address = entry.address;
                return Err(format!("{active} is Active, but the client sends {address} to {believed}"));
            }
        }
        Ok(())
    }

    fn state(&self, index: usize, vrid: u8) -> StateName {
        self.nodes[index].daemon.as_ref().map_or(StateName::Initialize, |daemon| daemon.watch.state(vrid))
    }

    /// What the world, not the engine, says about a router.
    fn role(&self, index: usize, spec: &RouterSpec) -> Role {
        let node = &self.nodes[index];
        let own = node.link(&spec.settings.link);
        let primary = IpAddr::V4(Plan::primary(index, &spec.settings.link));
        let speaks = own.is_some_and(|link| match link.condition {
            LinkPlan::Absent | LinkPlan::Addressless => false,
            LinkPlan::Down => spec.settings.ignore_own_link,
            LinkPlan::Up => link.addresses.contains(&primary),
        });
        let links = spec.settings.track_links.iter().map(|tracked| {
            let good = node.link(&tracked.link).is_some_and(crate::node::Link::carries);
            rules::meaning(tracked.weight, good)
        });
        let scripts = spec.settings.track_scripts.iter().map(|tracked| {
            let plans = &self.plan.nodes[index].scripts;
            let place = plans.iter().position(|plan| plan.settings.name == tracked.script);
            let good = place.is_some_and(|place| {
                node.scripts[place] == ScriptPlan::Succeeds && plans[place].takes < plans[place].settings.timeout
            });
            rules::meaning(tracked.weight, good)
        });
        let mut sum = 0;
        for meaning in links.chain(scripts) {
            match meaning {
                Meaning::Fault => return Role::Faulty,
                Meaning::Worth(worth) => sum += worth,
            }
        }
        if speaks { Role::Candidate(rules::effective(spec.settings.priority, sum)) } else { Role::Faulty }
    }
}

/// The longest that everything can take: checks, then one Active_Down_Interval; with a preemption delay that
/// delay and one interval more, because until it ends the lower priority is listened to.
pub(crate) fn time_to_settle<'a>(
    specs: impl Iterator<Item = &'a RouterSpec>,
    checks: impl Iterator<Item = &'a ScriptSpec>,
    longest_interval: Duration,
) -> Duration {
    let specs: Vec<&RouterSpec> = specs.filter(|spec| spec.present).collect();
    let longest = |spec: &&RouterSpec| rules::longest_down_interval(spec.settings.version, longest_interval);
    let down = specs.iter().map(longest).max().unwrap_or_default();
    let delay = specs.iter().map(|spec| spec.settings.preempt_delay).max().unwrap_or_default();
    let preemption = if delay.is_zero() { Duration::ZERO } else { delay + down * 2 };
    checks.map(time_of_check).max().unwrap_or_default() + down + preemption + Duration::from_millis(50)
}

/// So many runs, each after the end of a run that may have to be killed.
fn time_of_check(script: &ScriptSpec) -> Duration {
    let settings = &script.settings;
    let ending = Duration::from_secs(3);
    let run = settings.interval * 2 + settings.timeout.max(script.takes) + ending;
    run * (settings.rise.max(settings.fall) + 1)
}
