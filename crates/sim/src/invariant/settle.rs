//! A LAN that has been left alone: it settles in time, on the right router, and then stays as it is.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use engine::{Event, Failback, Instant, Measure, Name, Output, RouterId, ServiceConfig, StateName, When};

use super::Rule;
use crate::node::Daemon;
use crate::plan::{
    Act, Command, LinkPlan, Plan, RouterSpec, ScriptPlan, ScriptSpec, ServiceChange, ServiceSpec, TrackerSpec,
};
use crate::rules::{self, Meaning};
use crate::unit::Unit;
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

/// A role that nobody took when it was to be handed over
enum Rest {
    /// is none,
    None,
    /// stays where it is,
    Stays,
    /// or goes where it belongs only now.
    Goes,
}

impl World<'_> {
    /// Something happened from outside: rest is a whole while away.
    pub(crate) fn disturb(&mut self) {
        self.pairs.stale = true;
        let sound = self.lans.are_sound()
            && self.nodes.iter().all(|node| {
                let stopping = node.daemon.as_ref().is_some_and(|daemon| daemon.stopping);
                let steady = !node.scripts.contains(&ScriptPlan::Flaps);
                node.asleep.is_none() && node.sending && node.settable && steady && !stopping
            });
        self.quiet = Quiet(sound.then(|| self.now.max(self.last_arrival) + self.time_to_settle()));
    }

    /// What becomes of the role of this VRID, if nobody took it when it was to be handed over.
    fn rest(&self, vrid: u8) -> Rest {
        let running = (0..self.nodes.len()).filter(|index| self.nodes[*index].daemon.is_some());
        let of_node = |index: usize| {
            let names = self.fellows(index, vrid).into_iter().filter_map(move |fellow| self.spec(index, fellow));
            names.filter_map(move |spec| self.shared.rests().until(index, &spec.settings.name))
        };
        match running.flat_map(of_node).max() {
            Some(until) if self.now < until => Rest::Stays,
            Some(until) if self.now < until + self.time_to_settle() => Rest::Goes,
            _ => Rest::None,
        }
    }

    /// Whether all that a node does is about roles that go where they belong only now.
    pub(crate) fn may_only_do_now(&self, index: usize, outputs: &[Output]) -> bool {
        let specs = &self.nodes[index].specs;
        let router = |id: RouterId| {
            let engine = self.nodes[index].daemon.as_ref().map(|daemon| &daemon.engine);
            engine.and_then(|engine| engine.router(id)).map(|config| config.vrid.get())
        };
        let owner = |service: &Name| {
            let owner = specs.iter().find(|spec| spec.settings.services.contains(service));
            owner.map(|spec| spec.settings.vrid.get())
        };
        let concerned = outputs.iter().filter_map(|output| match output {
            Output::Tell(Event::StateChanged { router: id, .. }) => Some(router(*id)),
            Output::Service { service, .. } => Some(owner(service)),
            _ => None,
        });
        concerned.into_iter().all(|vrid| vrid.is_some_and(|vrid| matches!(self.rest(vrid), Rest::Goes)))
    }

    fn time_to_settle(&self) -> Duration {
        let running = || self.nodes.iter().zip(&self.plan.nodes).filter(|(node, _)| node.daemon.is_some());
        let specs = running().flat_map(|(node, _)| &node.specs);
        let checks = running().flat_map(|(_, plan)| &plan.scripts);
        let figures = self.plan.nodes.iter().flat_map(|node| &node.trackers);
        let figures = figures.map(TrackerSpec::longest_delay).max().unwrap_or_default();
        let slack = (self.lans.longest() + self.plan.wake_late + self.plan.kernel_delay) * 4;
        time_to_settle(specs, checks, self.plan.longest_interval())
            + time_of_services(self.plan)
            + figures
            + self.plan.time_of_groups()
            + self.plan.startup_delay
            + self.plan.tentative
            + slack
    }

    /// Looks at everything once enough time has passed.
    pub(crate) fn check_settled(&mut self) {
        if !self.quiet.is_settled(self.now) {
            return;
        }
        if let Some(what) = self.kernel_differs() {
            self.found(Rule::Kernel, what);
        }
        let mut vrids: Vec<u8> =
            self.nodes.iter().flat_map(|node| &node.specs).map(|s| s.settings.vrid.get()).collect();
        vrids.sort_unstable();
        vrids.dedup();
        for vrid in vrids {
            if self.shares_alike(vrid)
                && let Err(what) = self.settled(vrid)
            {
                self.found(Rule::Settles, format!("VRID {vrid} has not settled: {what}"));
            }
            if let Some(what) = self.epochs_that_differ(vrid) {
                self.found(Rule::Epochs, what);
            }
        }
    }

    /// What a kernel has and its daemon does not want, or the reverse.
    fn kernel_differs(&self) -> Option<String> {
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(daemon) = node.daemon.as_ref().filter(|daemon| !daemon.reconcile_pending) else { continue };
            let desired = daemon.engine.desired();
            for link in &node.links {
                let own = Plan::own_addresses(index, &link.name);
                let names = daemon.engine.links();
                let here = |entry: &&engine::DesiredAddress| names.get(entry.link.0 as usize) == Some(&link.name);
                let wanted: BTreeSet<IpAddr> =
                    desired.addresses.iter().filter(here).map(|entry| entry.address).collect();
                let has: BTreeSet<IpAddr> =
                    link.addresses.iter().copied().filter(|there| !own.contains(there)).collect();
                if wanted != has && link.condition != LinkPlan::Absent {
                    let name = &self.plan.nodes[index].name;
                    return Some(format!("{name} wants {wanted:?} on {} and has {has:?}", link.name));
                }
            }
        }
        None
    }

    /// Whether a router of this VRID runs there.
    fn runs(&self, index: usize, vrid: u8) -> bool {
        self.nodes[index].daemon.is_some() && self.spec(index, vrid).is_some_and(|spec| spec.present)
    }

    /// Whether the routers of this VRID share their role with the same others everywhere, also where only the others are,
    /// and all of those can be heard.
    fn shares_alike(&self, vrid: u8) -> bool {
        let Some(first) = (0..self.nodes.len()).find(|index| self.runs(*index, vrid)) else { return true };
        let fellows = self.fellows(first, vrid);
        let concerned = |index: &usize| fellows.iter().any(|fellow| self.runs(*index, *fellow));
        let alike = |index: usize| fellows.iter().all(|fellow| self.fellows(index, *fellow) == fellows);
        (0..self.nodes.len()).filter(concerned).all(alike)
            && fellows.iter().filter(|fellow| **fellow != vrid).all(|fellow| self.is_heard(*fellow))
    }

    /// Whether those who take part in a VRID hear each other, and not two must win.
    pub(crate) fn is_heard(&self, vrid: u8) -> bool {
        let mut all: Vec<(usize, &RouterSpec)> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            all.extend(node.specs.iter().filter(|s| s.settings.vrid.get() == vrid).map(|spec| (index, spec)));
        }
        let takes_part = |(index, spec): &&(usize, &RouterSpec)| spec.present && self.nodes[*index].daemon.is_some();
        let members: Vec<(usize, &RouterSpec)> = all.iter().filter(takes_part).copied().collect();
        let owners = members.iter().filter(|(_, spec)| spec.settings.priority.is_address_owner()).count();
        let agree = |left: &(usize, &RouterSpec)| all.iter().all(|right| self.understand(*left, *right));
        // They cannot hear each other, or both must win: nothing is promised.
        !members.iter().any(|(index, spec)| self.is_mute(*index, spec)) && owners <= 1 && all.iter().all(agree)
    }

    fn is_mute(&self, index: usize, spec: &RouterSpec) -> bool {
        let node = &self.nodes[index];
        let own = node.link(&spec.settings.link);
        let owner = node.specs.iter().any(|spec| spec.settings.priority.is_address_owner());
        let primary = self.plan.primary_address(index, spec);
        let has_primary = own.is_some_and(|link| link.has(primary));
        match own.map(|link| link.condition) {
            Some(LinkPlan::Up) if has_primary => false,
            // An owner may send from its virtual address.
            Some(LinkPlan::Up | LinkPlan::Addressless) => owner,
            Some(LinkPlan::Down | LinkPlan::Absent) | None => spec.settings.ignore_own_link,
        }
    }

    fn settled(&self, vrid: u8) -> Result<(), String> {
        let rest = self.rest(vrid);
        if !self.is_heard(vrid) || matches!(rest, Rest::Goes) {
            return Ok(());
        }
        let mut all: Vec<(usize, &RouterSpec)> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            all.extend(node.specs.iter().filter(|s| s.settings.vrid.get() == vrid).map(|spec| (index, spec)));
        }
        let takes_part = |(index, spec): &&(usize, &RouterSpec)| spec.present && self.nodes[*index].daemon.is_some();
        let members: Vec<(usize, &RouterSpec)> = all.iter().filter(takes_part).copied().collect();
        let mut candidates: Vec<(usize, &RouterSpec, u8)> = Vec::new();
        for (index, spec) in &members {
            let name = &self.plan.nodes[*index].name;
            let state = self.state(*index, vrid);
            if self.is_excused(*index, spec) {
                // It may take part, and it need not.
                if state == StateName::Active {
                    candidates.push((*index, spec, 255));
                }
                continue;
            }
            let fellows = self.fellows(*index, vrid);
            let states: Vec<StateName> = fellows.iter().map(|vrid| self.state(*index, *vrid)).collect();
            if states.iter().any(|other| *other != state) {
                return Err(format!("{name} has a group whose routers are {states:?}"));
            }
            match self.role_together(*index, spec) {
                Role::Faulty if state != StateName::Initialize => {
                    return Err(format!("{name} is {state:?} in spite of a fault"));
                }
                Role::Candidate(_) if state == StateName::Initialize => return Err(format!("{name} takes no part")),
                Role::Candidate(priority) => candidates.push((*index, spec, priority)),
                Role::Faulty => {}
            }
        }
        let stuck = self.nodes.iter().flat_map(|node| &node.units).any(|unit| !unit.can_end());
        // Nobody could take it from whoever has it.
        let stays = stuck || matches!(rest, Rest::Stays);
        let active: Vec<_> = candidates.iter().filter(|(i, ..)| self.state(*i, vrid) == StateName::Active).collect();
        let names = |list: &[&(usize, &RouterSpec, u8)]| {
            list.iter().map(|(index, ..)| self.plan.nodes[*index].name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (winner, spec, priority) = match active.as_slice() {
            [one] => **one,
            [] if candidates.is_empty() => return Ok(()),
            // Something may run where nobody can look, or does not end: until it is gone, nothing is handed over.
            [] if stuck => return Ok(()),
            [] => return Err("nobody is Active".to_owned()),
            // A service that does not do what it should has the role come and go, so two may meet just now; that they do
            // not stay two is for another rule.
            _ if members.iter().any(|(index, spec)| self.is_excused(*index, spec)) => return Ok(()),
            several => return Err(format!("several are Active: {}", names(several))),
        };
        let better = |(index, spec, theirs): &&(usize, &RouterSpec, u8)| {
            *theirs > priority
                && (spec.settings.preempt_mode || *theirs == 255)
                && self.comes_back(*index, spec)
                && self.is_better_in_all(*index, winner, vrid)
        };
        // A service that does not do what it should has the role come and go, and who is better waits for its time.
        let comes_and_goes = members.iter().any(|(index, spec)| self.is_excused(*index, spec));
        let has_just_come = comes_and_goes && self.in_its_state_for(winner, spec) < self.time_to_settle();
        if let Some((index, _, theirs)) = candidates.iter().find(better).filter(|_| !stays && !has_just_come) {
            let (left, right) = (&self.plan.nodes[winner].name, &self.plan.nodes[*index].name);
            return Err(format!("{left} is Active with priority {priority} although {right} has {theirs}"));
        }
        if let Some(standby) =
            candidates.iter().find(|(index, spec, _)| *index != winner && !self.is_held(*index, spec))
            && !stays
            && self.is_held(winner, spec)
            && self.is_paired(winner, standby.0)
        {
            let (left, right) = (&self.plan.nodes[winner].name, &self.plan.nodes[standby.0].name);
            return Err(format!("{left} is Active and stands back, although {right} could be"));
        }
        if !comes_and_goes {
            self.services_run(winner, spec)?;
        }
        // Announcements may still wait for their pace.
        if has_just_come { Ok(()) } else { self.found_by_client(winner, spec) }
    }

    /// The role of a router, given those that share it.
    fn role_together(&self, index: usize, spec: &RouterSpec) -> Role {
        let fellows = self.fellows(index, spec.settings.vrid.get());
        let mut roles = fellows.iter().filter_map(|vrid| Some(self.role(index, self.spec(index, *vrid)?)));
        if roles.any(|role| matches!(role, Role::Faulty)) { Role::Faulty } else { self.role(index, spec) }
    }

    /// Whether a node has the higher priority for every router that shares the role; where each of two has one, either
    /// may have it.
    fn is_better_in_all(&self, index: usize, than: usize, vrid: u8) -> bool {
        let priority = |index: usize, vrid: u8| match self.spec(index, vrid).map(|spec| self.role(index, spec)) {
            Some(Role::Candidate(priority)) => Some(priority),
            Some(Role::Faulty) | None => None,
        };
        let preempts = |vrid: u8| {
            self.spec(index, vrid)
                .is_some_and(|spec| spec.settings.preempt_mode || spec.settings.priority.is_address_owner())
        };
        let better = |vrid: &u8| preempts(*vrid) && priority(index, *vrid) > priority(than, *vrid);
        self.fellows(index, vrid).iter().all(better)
    }

    /// Whether two routers of one VRID can understand each other, given that every packet arrives.
    pub(crate) fn understand(&self, left: (usize, &RouterSpec), right: (usize, &RouterSpec)) -> bool {
        let ahead = |index: usize| self.nodes[index].clock.ahead(self.now);
        let apart = Duration::from_nanos(ahead(left.0).abs_diff(ahead(right.0)));
        let ways = |spec: &RouterSpec| (spec.unicast, spec.unicast && spec.link_local);
        ways(left.1) == ways(right.1) && rules::understand(&left.1.settings, &right.1.settings, apart)
    }

    /// Two nodes that have heard each other for long know the same newest epoch.
    fn epochs_that_differ(&self, vrid: u8) -> Option<String> {
        let pair = self.plan.pair.filter(|_| self.shared.have_agreed())?;
        if !self.shares_alike(vrid) || !self.speaks(pair.nodes.0, vrid) {
            // Who does not speak learns of an epoch when it takes the next.
            return None;
        }
        let epoch = |node: usize| {
            let spec = self.nodes[node].specs.iter().find(|spec| spec.present && spec.settings.vrid.get() == vrid)?;
            let routers = &self.nodes[node].daemon.as_ref()?.view.routers;
            routers.iter().find(|router| router.name == spec.settings.name).map(|router| router.epoch)
        };
        // Where the role comes and goes, the newest may be under way.
        let has_just_moved = |node: usize| {
            let spec = self.nodes[node].specs.iter().find(|spec| spec.present && spec.settings.vrid.get() == vrid);
            spec.is_some_and(|spec| self.in_its_state_for(node, spec) < pair.heartbeat * 2)
        };
        if has_just_moved(pair.nodes.0) || has_just_moved(pair.nodes.1) {
            return None;
        }
        let (left, right) = (epoch(pair.nodes.0)?, epoch(pair.nodes.1)?);
        let names = (&self.plan.nodes[pair.nodes.0].name, &self.plan.nodes[pair.nodes.1].name);
        (left != right).then(|| format!("{} knows epoch {left} of {vrid}, {} knows {right}", names.0, names.1))
    }

    /// What belongs to the Active router runs there and nowhere else.
    fn services_run(&self, winner: usize, spec: &RouterSpec) -> Result<(), String> {
        if self.maintained() {
            return Ok(());
        }
        let present = |node: usize, name: &Name| self.nodes[node].service(name).is_some_and(|service| service.present);
        let services = self.services_of(winner, spec.settings.vrid.get());
        for service in services.iter().filter(|service| present(winner, service)) {
            let here = self.nodes[winner].unit(service);
            // Where it does not do what it should, the role may come and go without end.
            let sound = self.nodes.iter().filter_map(|node| node.unit(service)).all(Unit::is_sound);
            // An operator stopped it where nobody else could have it, and has not released the node.
            let left_so = here.is_some_and(|unit| unit.ended_by_hand) && self.is_held(winner, spec);
            if here.is_some_and(|unit| sound && !unit.works()) && !left_so && !self.is_excused(winner, spec) {
                return Err(format!("{} is Active and {service} does not run there", self.plan.nodes[winner].name));
            }
            for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| *index != winner) {
                let runs = node.unit(service).is_some_and(|unit| unit.exists() && unit.can_end() && !unit.is_unseen());
                // Without a daemon, nobody can be asked to end it.
                if runs && node.daemon.is_some() && present(index, service) {
                    let (left, right) = (&self.plan.nodes[winner].name, &self.plan.nodes[index].name);
                    return Err(format!("{left} is Active and {service} runs on {right}"));
                }
            }
        }
        Ok(())
    }

    /// Whether nothing is promised of a node: a human has said so, or a service of its is not as it should be.
    fn is_excused(&self, index: usize, spec: &RouterSpec) -> bool {
        let services = self.services_of(index, spec.settings.vrid.get());
        let unsound = services.iter().any(|name| !self.nodes[index].unit(name).is_some_and(Unit::is_sound));
        // Whether it runs at all depends on what was before.
        let fails_in_a_role =
            self.plan.nodes[index].scripts.iter().zip(&self.nodes[index].scripts).any(|(script, plan)| {
                let good = *plan == ScriptPlan::Succeeds && script.takes < script.settings.timeout;
                script.settings.when != When::Both && !good
            });
        let latched = |daemon: &Daemon| daemon.view.latch.is_some() || daemon.view.maintenance.is_some();
        unsound || fails_in_a_role || self.nodes[index].daemon.as_ref().is_some_and(latched)
    }

    fn is_held(&self, index: usize, spec: &RouterSpec) -> bool {
        let daemon = self.nodes[index].daemon.as_ref();
        let fellows = self.fellows(index, spec.settings.vrid.get());
        let names: Vec<String> = fellows.iter().map(u8::to_string).collect();
        let concerned = |name: &Name| names.iter().any(|fellow| **fellow == **name);
        daemon.is_some_and(|daemon| {
            daemon.view.routers.iter().any(|router| concerned(&router.name) && !router.held_by.is_empty())
        })
    }

    fn is_paired(&self, left: usize, right: usize) -> bool {
        self.plan.pair.is_some_and(|pair| pair.peer_of(left) == Some(right) && !pair.keys_differ)
    }

    /// Whether a better router takes the role back by itself.
    fn comes_back(&self, index: usize, spec: &RouterSpec) -> bool {
        let present = self.nodes[index].services.iter().filter(|service| service.present);
        let services = present.map(|service| &service.settings);
        let its = self.services_of(index, spec.settings.vrid.get());
        let mut of_router = services.filter(|settings| its.contains(&settings.name));
        let stays_away = |settings: &ServiceConfig| {
            self.shared.moves().stays_away(index, (&settings.name, settings.max_moves), self.now)
        };
        let comes = |settings: &ServiceConfig| settings.failback == Failback::Auto && !stays_away(settings);
        !self.is_held(index, spec) && of_router.all(comes)
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

    /// For how long a router has been in its state.
    fn in_its_state_for(&self, index: usize, spec: &RouterSpec) -> Duration {
        let views = self.nodes[index].daemon.as_ref().map(|daemon| &daemon.view.routers);
        let its = views.into_iter().flatten().find(|view| view.name == spec.settings.name);
        its.map_or(Duration::ZERO, |view| self.now.since(view.since))
    }

    /// What the world, not the engine, says about a router.
    fn role(&self, index: usize, spec: &RouterSpec) -> Role {
        let node = &self.nodes[index];
        let own = node.link(&spec.settings.link);
        let primary = self.plan.primary_address(index, spec);
        let speaks = own.is_some_and(|link| match link.condition {
            LinkPlan::Absent | LinkPlan::Addressless => false,
            LinkPlan::Down => spec.settings.ignore_own_link,
            LinkPlan::Up => link.has(primary),
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
        let trackers = spec.settings.trackers.iter().filter_map(|tracked| {
            let plans = &self.plan.nodes[index].trackers;
            let place = plans.iter().position(|plan| plan.settings.id() == tracked.tracker)?;
            let figure = node.figures[place];
            Some(match plans[place].settings.measure {
                Measure::Number => rules::meaning_of_number(tracked.weight, figure),
                Measure::Count { least, most, .. } => {
                    let enough = figure >= i64::from(least) && most.is_none_or(|most| figure <= i64::from(most));
                    rules::meaning(tracked.weight, enough)
                }
            })
        });
        let mut sum = 0;
        for meaning in links.chain(scripts).chain(trackers) {
            match meaning {
                Meaning::Fault => return Role::Faulty,
                Meaning::Worth(worth) => sum += worth,
            }
        }
        let whole = node.complete || spec.settings.track_groups.is_empty();
        if speaks && whole { Role::Candidate(rules::effective(spec.settings.priority, sum)) } else { Role::Faulty }
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
    let checks: Vec<&ScriptSpec> = checks.collect();
    // What begins to run with the role can find a fault, and the next node's, too.
    let again = u32::from(checks.iter().any(|check| check.settings.when != When::Both));
    let time_of_checks = checks.into_iter().map(time_of_check).max().unwrap_or_default();
    time_of_checks + down + preemption + (time_of_checks + down) * again + Duration::from_millis(50)
}

/// What services add: the role moves, comes back when the better node is ready again, and each way costs a start and a
/// stop that may have to be enforced; before that, silence had to be noticed.
pub(crate) fn time_of_services(plan: &Plan) -> Duration {
    let one = |service: &ServiceSpec| {
        let settings = &service.settings;
        let checks = settings.checks.iter().map(|check| {
            (check.interval * 2 + check.timeout + Duration::from_secs(3)) * (check.rise.max(check.fall) + 1)
        });
        let start = service.starts_in.min(settings.start_timeout)
            + service.answers_in
            + settings.start_grace.min(service.starts_in * 2);
        let way = start + settings.stop_timeout.min(service.stops_in * 2) + checks.max().unwrap_or_default();
        way * 3 + settings.readiness_interval * (settings.readiness_rise + 2) + Duration::from_secs(5)
    };
    let changed = plan.steps.iter().filter_map(|step| match &step.command {
        Command::Nodes(_, Act::ReloadService(_, ServiceChange::Becomes(spec))) => Some(&**spec),
        _ => None,
    });
    let services = plan.nodes.iter().flat_map(|node| &node.services).chain(changed);
    let services = services.map(one).max().unwrap_or_default();
    services + plan.pair.map_or(Duration::ZERO, |pair| pair.dead_after * 4)
}

/// So many runs, each after the end of a run that may have to be killed.
fn time_of_check(script: &ScriptSpec) -> Duration {
    let settings = &script.settings;
    let ending = Duration::from_secs(3);
    let run = settings.interval * 2 + settings.timeout.max(script.takes) + ending;
    run * (settings.rise.max(settings.fall) + 1)
}
