//! Where the processes of a service are, on all nodes together: never on two that hear each other.

use std::time::Duration;

use engine::{
    Budget, Cause, Event, HandoverReason, Instant, LatchReason, Name, Output, Remedy, Restored, ServiceFailure,
    StateName,
};

use super::Rule;
use super::moves::Moves;
use super::rests::Rests;
use crate::history;
use crate::node::Node;
use crate::path::LAN;
use crate::plan::measure::span_text;
use crate::plan::{LinkPlan, Order, PairPlan, Plan};
use crate::rules;
use crate::trace::Line;
use crate::unit::Unit;
use crate::world::World;

/// Everything that is watched across nodes.
#[derive(Debug)]
pub(crate) struct Shared {
    services: Vec<Holders>,
    hearing: Hearing,
    moves: Moves,
    rests: Rests,
    /// When maintenance was on last, or somebody's start was last not seen yet.
    undisturbed_since: Instant,
    /// The epoch that each node has shown last for each router, or found again.
    epochs: Vec<(usize, Name, u64)>,
    /// The epoch with which each node has taken each role last.
    takings: Vec<(usize, Name, u64)>,
    acknowledged: bool,
    /// The latch said only that a record was damaged; a node that remembers may clear it.
    unsure: bool,
    /// Who showed a latch last.
    latched: Vec<usize>,
    /// Latches that were told and not acknowledged since: whoever has forgotten one learns it anew from the other.
    told: Vec<(Name, LatchReason, Name)>,
    /// Something may have changed.
    pub(crate) stale: bool,
}

/// The nodes where at least one process of a service is.
#[derive(Debug)]
struct Holders {
    service: Name,
    nodes: Vec<usize>,
    /// Since when more than one.
    several_since: Option<Instant>,
    overlap: Duration,
    /// When the overlap was added up last.
    noted_at: Instant,
    /// Since when it works nowhere; `None` before it ever did.
    idle_since: Option<Instant>,
    works: bool,
    longest_gap: Duration,
}

/// How long the nodes of the pair have heard each other.
#[derive(Debug, Default)]
struct Hearing {
    since: Option<Instant>,
    lives: (u64, u64),
    /// They have had the time to agree, and they did.
    agreed: bool,
}

/// What came of a service in a whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Its name.
    pub service: Name,
    /// The longest time without a working one, after the first.
    pub longest_gap: Duration,
    /// How long processes of it were on more than one node.
    pub overlap: Duration,
}

impl Shared {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut names: Vec<Name> =
            plan.nodes.iter().flat_map(|n| &n.services).map(|s| s.settings.name.clone()).collect();
        names.sort();
        names.dedup();
        let holders = |service: Name| Holders {
            service,
            nodes: Vec::new(),
            several_since: None,
            overlap: Duration::ZERO,
            noted_at: Instant::START,
            idle_since: None,
            works: false,
            longest_gap: Duration::ZERO,
        };
        Self {
            services: names.into_iter().map(holders).collect(),
            hearing: Hearing::default(),
            moves: Moves::default(),
            rests: Rests::default(),
            undisturbed_since: Instant::START,
            epochs: Vec::new(),
            takings: Vec::new(),
            acknowledged: false,
            unsure: false,
            latched: Vec::new(),
            told: Vec::new(),
            stale: true,
        }
    }

    /// Whether the nodes of the pair have heard each other for long enough to agree, and did.
    pub(crate) const fn have_agreed(&self) -> bool {
        self.hearing.agreed
    }

    pub(crate) const fn moves(&self) -> &Moves {
        &self.moves
    }

    pub(crate) const fn rests(&self) -> &Rests {
        &self.rests
    }

    /// An operator said something.
    pub(crate) fn said(&mut self, order: Order, now: Instant) {
        if order == Order::Acknowledge {
            self.acknowledged = true;
            self.moves.forget(now);
            self.told.clear();
        }
    }

    /// A reload has taken a service out of a node: nobody there knows of its moves any more.
    pub(crate) const fn taken_out(&mut self, now: Instant) {
        self.moves.forget(now);
    }

    /// A daemon finds its record again; what it says is known from then on.
    pub(crate) fn restored(&mut self, node: usize, restored: &Restored, now: Instant) {
        if let Restored::Record { record, same_boot, .. } = restored {
            if !same_boot {
                self.moves.may_be_new(node, now);
            }
            self.epochs.extend(record.routers.iter().map(|router| (node, router.name.clone(), router.epoch)));
            self.latched.extend(record.latch.iter().map(|_| node));
        }
    }

    /// A new daemon knows nothing until it has found its record.
    pub(crate) fn forgotten(&mut self, node: usize) {
        self.epochs.retain(|(of, ..)| *of != node);
        self.takings.retain(|(of, ..)| *of != node);
        self.latched.retain(|of| *of != node);
    }
}

impl World<'_> {
    /// A service is being started: nothing of it may be left where it was.
    pub(crate) fn examine_start(&mut self, index: usize, service: &Name) {
        let Some(other) = self.plan.pair.and_then(|pair| pair.peer_of(index)) else { return };
        let left = self.nodes[other].unit(service).filter(|unit| unit.exists() && !unit.by_hand);
        if left.is_some() && self.shared.hearing.agreed {
            let (here, there) = (&self.plan.nodes[index].name, &self.plan.nodes[other].name);
            self.found(Rule::OneRuns, format!("{here} starts {service} while it still runs on {there}"));
        }
    }

    /// Looks again where everything is.
    pub(crate) fn refresh_shared(&mut self) {
        if self.shared.services.is_empty() {
            return;
        }
        self.refresh_hearing();
        self.check_lasting();
        if !std::mem::take(&mut self.shared.stale) {
            return;
        }
        let now = self.now;
        if self.lines.is_some() {
            history::look(&self.nodes, now, &mut self.history);
        }
        for place in 0..self.shared.services.len() {
            let service = self.shared.services[place].service.clone();
            let has_it = |index: &usize| self.nodes[*index].unit(&service).is_some_and(Unit::exists);
            let nodes: Vec<usize> = (0..self.nodes.len()).filter(has_it).collect();
            let awake = |node: &Node| node.powered && !node.asleep.is_some_and(|asleep| asleep.machine);
            let works = self.nodes.iter().any(|node| awake(node) && node.unit(&service).is_some_and(Unit::works));
            let holders = &mut self.shared.services[place];
            holders.note_work(works, now);
            if nodes == holders.nodes {
                continue;
            }
            holders.note_nodes(nodes, now);
            let names: Vec<&str> = holders.nodes.iter().map(|node| self.plan.nodes[*node].name.as_str()).collect();
            let text = if names.is_empty() { "is nowhere".to_owned() } else { format!("is on {}", names.join(" ")) };
            if let Some(lines) = &mut self.lines {
                lines.push(Line { at: now, subject: service.to_string(), text });
            }
        }
    }

    fn refresh_hearing(&mut self) {
        let Some(pair) = self.plan.pair else { return };
        let now = self.now;
        let lives = self.lives_that_hear(&pair);
        let hearing = &mut self.shared.hearing;
        let (Some(lives), false) = (lives, pair.keys_differ) else {
            *hearing = Hearing::default();
            self.shared.moves.forget(now);
            return;
        };
        if hearing.since.is_none() || hearing.lives != lives {
            *hearing = Hearing { since: Some(now), lives, agreed: false };
            self.shared.moves.forget(now);
        }
        if hearing.agreed {
            return;
        }
        let since = hearing.since.unwrap_or(now);
        let slowness = self.slowness(&pair);
        // Where nothing of a service is left there is nothing to settle, but to be heard takes a message each way.
        let nothing = self.shared.services.iter().all(|holders| holders.nodes.is_empty());
        let have_spoken = nothing && now.since(since) >= slowness * 2;
        let at_rest = now.since(since) >= pair.dead_after * 2 + slowness * 4;
        if (at_rest || have_spoken)
            && self.shared.services.iter().all(|holders| holders.nodes.len() < 2)
            && self.at_most_one_active()
        {
            self.shared.hearing.agreed = true;
        }
    }

    /// The lives of both daemons, if they hear each other by some path.
    fn lives_that_hear(&self, pair: &PairPlan) -> Option<(u64, u64)> {
        let (left, right) = pair.nodes;
        let life = |index: usize| {
            let node = &self.nodes[index];
            node.daemon.as_ref().filter(|_| node.is_awake()).map(|daemon| daemon.life)
        };
        let lives = (life(left)?, life(right)?);
        let sound = |paths: &crate::path::Paths| {
            [(left, right), (right, left)].iter().all(|(from, to)| {
                let path = paths.between(*from, *to);
                path.delivers() && path.quality.delay + path.quality.jitter <= pair.dead_after / 4
            })
        };
        let speaks = |index: usize| {
            let node = &self.nodes[index];
            node.sending && node.link("eth0").is_some_and(|link| link.condition == LinkPlan::Up)
        };
        let by_lan = sound(self.lans.of(LAN)) && speaks(left) && speaks(right);
        let by_line = pair.line.is_some() && sound(&self.line);
        (by_lan || by_line).then_some(lives)
    }

    fn slowness(&self, pair: &PairPlan) -> Duration {
        let line = if pair.line.is_some() { self.line.longest() } else { Duration::ZERO };
        let way = self.lans.longest().max(line).min(pair.dead_after / 4);
        way + self.plan.wake_late + pair.heartbeat + Duration::from_millis(10)
    }

    fn at_most_one_active(&self) -> bool {
        let Some(pair) = self.plan.pair else { return true };
        let active = |index: usize, vrid: u8| {
            let daemon = self.nodes[index].daemon.as_ref();
            daemon.is_some_and(|daemon| daemon.watch.state(vrid) == StateName::Active)
        };
        let vrids = self.nodes[pair.nodes.0].specs.iter().map(|spec| spec.settings.vrid.get());
        vrids.into_iter().all(|vrid| !(active(pair.nodes.0, vrid) && active(pair.nodes.1, vrid)))
    }

    /// Two that hear each other and both run a service put an end to it soon.
    fn check_lasting(&mut self) {
        let (Some(pair), Some(hearing_since)) = (self.plan.pair, self.shared.hearing.since) else { return };
        let now = self.now;
        if self.maintained() {
            self.shared.undisturbed_since = now;
            return;
        }
        // Its manager tells of what somebody else starts once it is up, and the configuration may not have it; some things
        // do not end for a while.
        let is_beyond = |node: &Node, unit: &Unit| {
            let unknown = || !node.service(&unit.name).is_some_and(|service| service.present);
            unit.is_unseen() || !unit.can_end() || (unit.exists() && unit.by_hand && unknown())
        };
        if self.nodes.iter().any(|node| node.units.iter().any(|unit| is_beyond(node, unit))) {
            self.shared.undisturbed_since = now;
        }
        let mut found = None;
        for holders in &self.shared.services {
            let Some(since) = holders.several_since else { continue };
            let since = since.max(hearing_since).max(self.shared.undisturbed_since);
            let of_pair = |node: &&usize| pair.peer_of(**node).is_some();
            let units: Vec<(usize, &Unit)> = holders
                .nodes
                .iter()
                .filter(of_pair)
                .filter_map(|node| Some((*node, self.nodes[*node].unit(&holders.service)?)))
                .filter(|(_, unit)| unit.exists())
                .collect();
            if units.len() < 2 || units.iter().any(|(_, unit)| !unit.can_end()) {
                continue;
            }
            let interval = self.plan.longest_interval();
            let skew = rules::skew_time(engine::Version::V2, 1, interval).max(rules::skew_time(
                engine::Version::V3,
                1,
                interval,
            ));
            let noticed = since + interval + skew + Duration::from_millis(50) + self.slowness(&pair) * 3;
            let ends = units.iter().any(|(_, unit)| unit.is_ending());
            let settings = |node: usize| self.nodes[node].service(&holders.service);
            let stop = units.iter().filter_map(|(node, _)| settings(*node)).map(|s| s.settings.stop_timeout).max();
            let over = noticed + stop.unwrap_or_default() + Duration::from_secs(5);
            if (now > noticed && !ends) || now > over {
                let span = span_text(Duration::from_millis(now.since(since).as_millis() as u64));
                found = Some(format!("{} runs on both nodes, which have heard each other for {span}", holders.service));
            }
        }
        if let Some(what) = found {
            self.found(Rule::OneRuns, what);
        }
    }

    /// Whether the routers of the pair can understand each other at all, and every service does what it is told.
    pub(crate) fn is_well_matched(&self) -> bool {
        if !self.nodes.iter().flat_map(|node| &node.units).all(Unit::is_sound) {
            return false;
        }
        let Some(pair) = self.plan.pair else { return true };
        let (left, right) = (&self.nodes[pair.nodes.0].specs, &self.nodes[pair.nodes.1].specs);
        left.iter().all(|ours| {
            let theirs = right.iter().find(|theirs| theirs.settings.vrid == ours.settings.vrid);
            theirs.is_none_or(|theirs| self.understand((pair.nodes.0, ours), (pair.nodes.1, theirs)))
        })
    }

    /// Whether maintenance is on, as far as any daemon of the pair says.
    pub(crate) fn maintained(&self) -> bool {
        self.nodes.iter().filter_map(|node| node.daemon.as_ref()).any(|daemon| daemon.view.maintenance.is_some())
    }

    /// What a daemon tells and shows of epochs, moves and latches.
    pub(crate) fn notice(&mut self, index: usize, outputs: &[Output]) {
        let Some(pair) = self.plan.pair.filter(|pair| pair.peer_of(index).is_some()) else { return };
        let Some(daemon) = &self.nodes[index].daemon else { return };
        self.shared.rests.notice(index, &daemon.view, outputs, self.now);
        let name = &self.plan.nodes[index].name;
        let specs = &self.nodes[index].services;
        let budget = |service: &Name| {
            let spec = specs.iter().find(|spec| spec.settings.name == *service);
            spec.map_or(Budget { limit: 0, within: Duration::ZERO }, |spec| spec.settings.max_moves)
        };
        // Each node forgets its own moves by its own figure.
        let remembered = |service: &Name| {
            let spans = self.nodes.iter().filter_map(|node| node.service(service));
            let within = spans.map(|spec| spec.settings.max_moves.within).min();
            Budget { within: within.unwrap_or_default(), ..budget(service) }
        };
        let mut broken = None;
        for output in outputs {
            let Output::Tell(event) = output else { continue };
            match event {
                // What an operator does is at nobody's expense.
                Event::ServiceFailed { failure: ServiceFailure::StoppedByHand, .. } => {}
                Event::ServiceFailed { service, remedy: Remedy::Move, .. } => {
                    // Where a reload has taken it out, nothing of it is said any more, and nothing of it can fail again.
                    let has_it = |node: &Node| node.service(service).is_some_and(|service| service.present);
                    let agreed =
                        self.shared.hearing.agreed && self.nodes.iter().filter(|node| has_it(node)).count() > 1;
                    let failed = (service, remembered(service));
                    broken = broken.or(self.shared.moves.note_failure(self.plan, index, failed, agreed, self.now));
                }
                Event::Latched { service, reason, node }
                    if **node == **name
                        && !self.shared.latched.contains(&index)
                        && !self.shared.told.contains(&(service.clone(), *reason, node.clone())) =>
                {
                    if *reason != LatchReason::RecordDamaged {
                        self.shared.told.push((service.clone(), *reason, node.clone()));
                    }
                    let latched = (service, budget(service));
                    broken = broken.or(self.shared.moves.too_soon(self.plan, index, latched, *reason, self.now));
                    self.shared.unsure = *reason == LatchReason::RecordDamaged;
                }
                Event::Unlatched if !self.shared.acknowledged && !self.shared.unsure => {
                    broken = Some((Rule::Latch, format!("{name} is no longer latched, and nobody has acknowledged")));
                }
                Event::HandoverBegun { router, to_us: false, reason: HandoverReason::Failback } => {
                    let other = pair.peer_of(index).unwrap_or(index);
                    if let Some(view) = daemon.view.routers.get(router.0 as usize) {
                        self.shared.moves.hands_back(other, &view.name);
                    }
                }
                Event::StateChanged { router, to: StateName::Active, cause, .. } => {
                    let Some(view) = daemon.view.routers.get(router.0 as usize) else { continue };
                    let of_all = self.shared.takings.iter().filter(|(_, name, _)| *name == view.name);
                    // Who resumes goes on with what it took before, and so does whoever has kept its services running
                    // in spite of an interruption, as in maintenance.
                    let vrid = daemon.engine.router(*router).map_or(0, |config| config.vrid.get());
                    let services = self.services_of(index, vrid);
                    let goes_on = *cause == Cause::Resumed || self.nodes[index].keeps_running(&services);
                    let counts = |node: usize| if node == index { !goes_on } else { self.shared.hearing.agreed };
                    let known = of_all.filter(|(node, ..)| counts(*node));
                    let newest = known.map(|(_, _, epoch)| *epoch).max().unwrap_or(0);
                    // Two that could not know of each other may both have taken it in the epoch that one goes on with.
                    if view.epoch < newest || (view.epoch == newest && !goes_on) {
                        let what = format!("{name} takes the role with epoch {}, and {newest} is known", view.epoch);
                        broken = Some((Rule::Epochs, what));
                    }
                    if !goes_on {
                        let services = if self.speaks(index, vrid) { services } else { Vec::new() };
                        let services: Vec<_> =
                            services.iter().map(|service| (service.clone(), budget(service))).collect();
                        self.shared.moves.note_taking(index, &view.name, &services, self.now);
                    }
                    self.shared.takings.retain(|(node, router, _)| *node != index || *router != view.name);
                    self.shared.takings.push((index, view.name.clone(), view.epoch));
                }
                _ => {}
            }
        }
        // What a reload takes away and gives back begins anew.
        let is_there = |name: &Name| daemon.view.routers.iter().any(|router| router.name == *name);
        self.shared.epochs.retain(|(node, name, _)| *node != index || is_there(name));
        self.shared.takings.retain(|(node, name, _)| *node != index || is_there(name));
        for view in &daemon.view.routers {
            let mut entries = self.shared.epochs.iter_mut();
            match entries.find(|(node, name, _)| *node == index && *name == view.name) {
                Some((_, router, epoch)) if view.epoch < *epoch => {
                    let what = format!("{name} goes back from epoch {epoch} to {} for router {router}", view.epoch);
                    broken = broken.or(Some((Rule::Epochs, what)));
                }
                Some((_, _, epoch)) => *epoch = view.epoch,
                None => self.shared.epochs.push((index, view.name.clone(), view.epoch)),
            }
        }
        let latch = daemon.view.latch.as_ref();
        let latched = latch.is_some();
        let was = self.shared.latched.contains(&index);
        if latched && !was {
            self.shared.latched.push(index);
            // An acknowledgement means what was there before it, even where that is heard of only afterwards.
            let other = pair.peer_of(index).is_some_and(|other| self.shared.latched.contains(&other));
            let late = latch.is_some_and(|latch| {
                let latch = (latch.service.clone(), latch.reason, latch.node.clone());
                latch.1 != LatchReason::RecordDamaged && !self.shared.told.contains(&latch)
            });
            self.shared.acknowledged &= other || late;
        } else if was && !latched {
            self.shared.latched.retain(|node| *node != index);
            if !self.shared.acknowledged && !self.shared.unsure {
                broken = broken.or(Some((Rule::Latch, format!("{name} forgets its latch"))));
            }
        }
        if let Some((rule, what)) = broken {
            self.found(rule, what);
        }
    }

    /// The last lines of the timeline, and the figures.
    pub(crate) fn sum_up(&mut self) {
        let now = self.now;
        for holders in &mut self.shared.services {
            let nodes = holders.nodes.clone();
            holders.note_nodes(nodes, now);
            // A gap that lasts counts, too.
            holders.note_work(true, now);
            let ms = |span: Duration| span_text(Duration::from_millis(span.as_millis() as u64));
            let text = format!("longest gap {}, overlap {}", ms(holders.longest_gap), ms(holders.overlap));
            if let Some(lines) = &mut self.lines {
                lines.push(Line { at: now, subject: holders.service.to_string(), text });
            }
        }
    }

    /// What came of each service.
    pub(crate) fn figures(&self) -> Vec<Figures> {
        let one = |holders: &Holders| Figures {
            service: holders.service.clone(),
            longest_gap: holders.longest_gap,
            overlap: holders.overlap,
        };
        self.shared.services.iter().map(one).collect()
    }
}

impl Holders {
    fn note_nodes(&mut self, nodes: Vec<usize>, now: Instant) {
        if self.several_since.is_some() {
            self.overlap += now.since(self.noted_at);
        }
        self.noted_at = now;
        self.several_since = if nodes.len() > 1 { self.several_since.or(Some(now)) } else { None };
        self.nodes = nodes;
    }

    fn note_work(&mut self, works: bool, now: Instant) {
        if works == self.works {
            return;
        }
        if let Some(since) = self.idle_since.take() {
            self.longest_gap = self.longest_gap.max(now.since(since));
        }
        if self.works {
            self.idle_since = Some(now);
        }
        self.works = works;
    }
}
