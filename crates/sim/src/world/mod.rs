//! Runs a plan: real engines, pretend everything else. Nothing here decides what a router does.
//!
//! `commands` is what the plan makes happen, `outputs` what the daemons do for their engines, `services` and `pair`
//! the same for services and for the side channel; here is what reaches an engine, and when.

mod commands;
mod lifetimes;
mod outputs;
mod pair;
pub(crate) mod refusals;
mod services;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use engine::{Event, Family, Input, Instant, LinkId, Name, Output, Received, RouterId, ScriptOutcome, ServiceReport};

use crate::client::Client;
use crate::coverage::{Coverage, Kind, step_text};
use crate::frame::Head;
use crate::history::Turn;
use crate::invariant::pairs::Pairs;
use crate::invariant::settle::Quiet;
pub use crate::invariant::shared::Figures;
use crate::invariant::shared::Shared;
use crate::invariant::step;
use crate::invariant::{Finding, Rule};
use crate::node::{Asleep, Daemon, Link, Node, Packet, Report, SOCKET_BUFFER};
use crate::path::{Lans, Paths};
use crate::plan::measure::moment_text;
use crate::plan::{Call, Plan};
use crate::random::Random;
use crate::trace::Line;
use crate::unit::UnitStep;

/// By so many nanoseconds may an engine's calendar be wrong before it is told anew, as in the daemon.
const CALENDAR_TOLERANCE: u64 = 1_000_000;

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Every line that a scenario expects.
    Lines,
    /// Only whether an invariant broke.
    Findings,
}

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Run {
    /// What happened, if it was to be kept.
    pub lines: Vec<Line>,
    /// The invariant that broke first; the run ends there.
    pub finding: Option<Finding>,
    /// Commands that could not be carried out.
    pub inapplicable: Vec<String>,
    /// Situations gone through.
    pub coverage: Coverage,
    /// How far it went.
    pub simulated: Duration,
    /// What came of each service.
    pub figures: Vec<Figures>,
    /// What was there of each service when, if it was to be kept.
    pub history: Vec<Turn>,
    /// How often each node asked its system for what.
    pub calls: BTreeMap<(usize, Call), u32>,
}

/// Runs a plan to its end, or until an invariant breaks.
#[must_use]
pub fn run(plan: &Plan, record: Record) -> Run {
    let mut world = World::new(plan, record);
    world.run();
    let simulated = world.now.since(Instant::START);
    let figures = world.figures();
    let World { lines, history, finding, inapplicable, coverage, calls, .. } = world;
    Run { lines: lines.unwrap_or_default(), finding, inapplicable, coverage, simulated, figures, history, calls }
}

/// The whole pretend world at one moment.
pub(crate) struct World<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) now: Instant,
    pub(crate) nodes: Vec<Node>,
    pub(crate) lans: Lans,
    /// The second way between the nodes of the pair; only their entries count.
    pub(crate) line: Paths,
    pub(crate) client: Client,
    pub(crate) pairs: Pairs,
    pub(crate) quiet: Quiet,
    pub(crate) shared: Shared,
    pub(crate) finding: Option<Finding>,
    /// When the last packet that is under way arrives.
    pub(crate) last_arrival: Instant,
    /// How often each node asked its system for what.
    calls: BTreeMap<(usize, Call), u32>,
    coverage: Coverage,
    inapplicable: Vec<String>,
    pub(crate) lines: Option<Vec<Line>>,
    pub(crate) history: Vec<Turn>,
    queue: BTreeMap<(Instant, u64), Happening>,
    queued: u64,
    random: Random,
    outputs: Vec<Output>,
}

/// What is due at some moment.
#[derive(Debug)]
enum Happening {
    /// The plan says so.
    Command(usize),
    /// A daemon's loop wakes up for its engine's deadline.
    Wake { node: usize, life: u64 },
    /// A packet is there.
    Arrive { node: usize, link: Name, frame: Rc<[u8]> },
    /// A daemon makes its kernel's addresses what they should be.
    Reconcile { node: usize, life: u64 },
    /// A run of a check ends.
    RunEnds { node: usize, script: Name, number: u64, outcome: ScriptOutcome },
    /// A packet was refused by the system.
    Refused { node: usize, life: u64, router: RouterId, error: i32 },
    /// A message of the side channel is there.
    Baton { node: usize, path: u32, octets: Rc<[u8]> },
    /// The processes of a service do what they were about to.
    Unit { node: usize, service: usize, number: u64, step: UnitStep },
    /// A manager says something.
    Report { node: usize, life: u64, service: Name, report: ServiceReport },
    /// What a daemon wanted to keep has reached the disk.
    Saved { node: usize, life: u64, record: Box<engine::Record> },
    /// A pause or suspension is over.
    Resume { node: usize, life: u64 },
    /// A daemon asks again to hear what comes to an interface.
    Joins { node: usize, life: u64, link: Name },
    /// The kernel drops an address that was not renewed.
    Expires { node: usize, link: Name, address: IpAddr },
    /// The kernel is sure of a node's own addresses.
    Sure { node: usize, link: Name },
    /// A daemon renews its addresses.
    Renews { node: usize, life: u64 },
    /// Somebody looks at the addresses of all kernels.
    Looks,
    /// A manager that was asked in vain answers.
    InSight { node: usize, service: usize },
}

impl<'p> World<'p> {
    fn new(plan: &'p Plan, record: Record) -> Self {
        let mut world = Self {
            plan,
            now: Instant::START,
            nodes: (0..plan.nodes.len()).map(|index| Node::new(plan, index)).collect(),
            lans: Lans::new(plan),
            line: Paths::new(plan.nodes.len(), plan.pair.and_then(|pair| pair.line).unwrap_or(plan.lan)),
            client: Client::default(),
            pairs: Pairs::default(),
            quiet: Quiet::default(),
            shared: Shared::new(plan),
            finding: None,
            last_arrival: Instant::START,
            calls: BTreeMap::new(),
            coverage: Coverage::default(),
            inapplicable: Vec::new(),
            lines: (record == Record::Lines).then(Vec::new),
            history: Vec::new(),
            queue: BTreeMap::new(),
            queued: 0,
            random: Random::new(plan.seed),
            outputs: Vec::new(),
        };
        for (index, step) in plan.steps.iter().enumerate() {
            world.due(step.at, Happening::Command(index));
        }
        world.look_soon();
        world
    }

    fn run(&mut self) {
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > self.plan.end {
                break;
            }
            self.now = at;
            self.check_pairs();
            self.happen(happening);
            self.refresh_pairs();
            self.refresh_shared();
            if self.finding.is_some() {
                return;
            }
        }
        self.now = self.plan.end;
        self.check_pairs();
        self.check_settled();
        self.sum_up();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Command(index) => {
                self.check_settled();
                let command = &self.plan.steps[index].command;
                let harmless = command.is_harmless(self.plan);
                if !harmless {
                    self.quiet = Quiet::default();
                }
                if let Err(reason) = self.command(command) {
                    let (subject, text) = command.text(&self.plan.nodes);
                    let moment = moment_text(self.now);
                    self.inapplicable.push(format!("{moment}  {subject}  {text}: {reason}"));
                }
                if !harmless {
                    self.disturb();
                }
            }
            Happening::Wake { node, life } => self.wake(node, life),
            Happening::Arrive { node, link, frame } => self.arrive(node, link, frame),
            Happening::Reconcile { node, life } => {
                if self.daemon(node, life).is_some_and(|daemon| daemon.reconcile_pending) {
                    self.reconcile(node);
                }
            }
            Happening::RunEnds { node, script, number, outcome } => self.run_ends(node, &script, number, outcome),
            Happening::Refused { node, life, router, error } => {
                if self.daemon(node, life).is_some() {
                    self.feed(node, Input::SendFailed { router, error }, Kind::SendFailed);
                }
            }
            Happening::Baton { node, path, octets } => self.baton_arrives(node, path, octets),
            Happening::Unit { node, service, number, step } => self.unit_steps(node, service, number, step),
            Happening::Report { node, life, service, report } => self.report_arrives(node, life, service, report),
            Happening::Saved { node, life, record } => self.saved(node, life, *record),
            Happening::Resume { node, life } => self.resume(node, life),
            Happening::Joins { node, life, link } => self.joins_again(node, life, &link),
            Happening::Expires { node, link, address } => self.expires(node, &link, address),
            Happening::Sure { node, link } => self.end_tentative(node, &link),
            Happening::Renews { node, life } => self.renews(node, life),
            Happening::Looks => self.look_at_kernels(),
            Happening::InSight { node, service } => self.comes_in_sight(node, service),
        }
    }

    fn due(&mut self, at: Instant, happening: Happening) {
        if let Happening::Arrive { .. } = happening {
            self.last_arrival = self.last_arrival.max(at);
        }
        self.queued += 1;
        self.queue.insert((at, self.queued), happening);
    }

    /// The daemon of this life, if it is there and gets processor time.
    fn daemon(&mut self, node: usize, life: u64) -> Option<&mut Daemon> {
        let node = &mut self.nodes[node];
        let awake = node.is_awake();
        node.daemon.as_mut().filter(|daemon| awake && daemon.life == life)
    }

    /// Tells a daemon of its interfaces, from the one with this index on.
    fn tell_links(&mut self, index: usize, from: usize) {
        let Some(daemon) = &self.nodes[index].daemon else { return };
        let names: Vec<Name> = daemon.engine.links().iter().skip(from).cloned().collect();
        for name in names {
            self.tell_link(index, &name);
        }
    }

    fn tell_link(&mut self, index: usize, name: &Name) {
        let node = &self.nodes[index];
        let (Some(daemon), true) = (&node.daemon, node.is_awake()) else { return };
        let Some(place) = daemon.engine.links().iter().position(|link| link == name) else { return };
        let mut state = node.link(name).and_then(Link::state);
        if let Some(state) = state.as_mut().filter(|_| daemon.deaf.contains(name)) {
            state.deaf = true;
        }
        let kind = match &state {
            None => Kind::LinkAbsent,
            Some(state) if state.up && !state.deaf => Kind::LinkUp,
            Some(_) => Kind::LinkDown,
        };
        let link = LinkId(u32::try_from(place).expect("a node has few interfaces"));
        self.feed(index, Input::Link { link, state }, kind);
    }

    fn wake(&mut self, index: usize, life: u64) {
        let now = self.now;
        let Some(daemon) = self.daemon(index, life) else { return };
        if daemon.wake.is_none_or(|(_, at)| at != now) {
            return;
        }
        daemon.wake = None;
        self.feed(index, Input::Timer, Kind::Timer);
    }

    fn arrive(&mut self, index: usize, link: Name, frame: Rc<[u8]>) {
        let node = &mut self.nodes[index];
        let passes = node.powered && node.link(&link).is_some_and(Link::carries);
        let Some(daemon) = node.daemon.as_mut().filter(|_| passes) else { return };
        match node.asleep {
            Some(Asleep { machine: true, .. }) => {}
            Some(Asleep { machine: false, .. }) => {
                let frames = daemon.socket.iter().filter(|packet| matches!(packet, Packet::Frame(..)));
                if frames.count() < SOCKET_BUFFER {
                    daemon.socket.push(Packet::Frame(link, frame));
                }
            }
            None => self.receive(index, &link, &frame),
        }
    }

    fn receive(&mut self, index: usize, link: &Name, octets: &[u8]) {
        let Some(daemon) = self.nodes[index].daemon.as_ref().filter(|daemon| !daemon.deaf.contains(link)) else {
            return;
        };
        let Some(place) = daemon.engine.links().iter().position(|name| name == link) else { return };
        let link = LinkId(u32::try_from(place).expect("a node has few interfaces"));
        let is_ipv6 = octets.first().is_some_and(|first| first >> 4 == 6);
        let family = if is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        let input = Input::Received(Received { link, family, octets });
        self.feed(index, input, Kind::NotForUs);
    }

    fn run_ends(&mut self, index: usize, script: &Name, number: u64, outcome: ScriptOutcome) {
        let node = &mut self.nodes[index];
        let awake = node.is_awake();
        let Some(daemon) = &mut node.daemon else { return };
        if !daemon.runs.iter().any(|run| run.number == number) {
            return;
        }
        if awake {
            self.finish_run(index, script, outcome);
        } else {
            daemon.reports.push(Report::Run(script.clone(), outcome));
        }
    }

    fn finish_run(&mut self, index: usize, script: &Name, outcome: ScriptOutcome) {
        let Some(daemon) = &mut self.nodes[index].daemon else { return };
        daemon.runs.retain(|run| run.script != *script);
        let kind = if outcome == ScriptOutcome::Exited(0) { Kind::CheckGood } else { Kind::CheckBad };
        self.feed(index, Input::ScriptFinished { script, outcome }, kind);
    }

    /// The one place where an engine is called.
    fn feed(&mut self, index: usize, input: Input<'_>, kind: Kind) {
        let (now, plan, clock) = (self.now, self.plan, self.nodes[index].clock);
        let Some(daemon) = self.nodes[index].daemon.as_mut() else { return };
        let head = match &input {
            Input::Received(received) => Head::read(received.octets),
            _ => None,
        };
        daemon.watch.before((&daemon.engine, &daemon.view), kind, head, &mut self.coverage);
        daemon.orders.before(&daemon.view, kind, &input, &mut self.coverage);
        let mut outputs = std::mem::take(&mut self.outputs);
        let ahead = clock.ahead(now);
        if daemon.calendar_told.is_none_or(|told| told.abs_diff(ahead) >= CALENDAR_TOLERANCE) {
            daemon.calendar_told = Some(ahead);
            daemon.watch.note((&daemon.engine, &daemon.view), Kind::Calendar, None, &mut self.coverage);
            daemon.engine.handle(now, Input::Calendar(clock.says(now)), &mut outputs);
        }
        daemon.engine.handle(now, input, &mut outputs);
        let paired = daemon.engine.config().pair.is_some();
        let (stopping, startup_delay) = (daemon.stopping, plan.startup_delay);
        let grouped = !plan.nodes[index].groups.is_empty();
        let step = step::Step { now, kind, head, stopping, paired, grouped, startup_delay, outputs: &outputs };
        daemon.view = daemon.engine.view();
        let Daemon { engine, view, watch, orders, .. } = daemon;
        let broken = watch.after(engine, view, &step).and_then(|()| orders.after(engine, view, &step));
        for output in &outputs {
            if let Output::Tell(Event::StateChanged { from, to, cause, .. }) = output {
                self.coverage.count_change(*from, *to, *cause);
            }
        }
        let steps = engine.role_steps().to_vec();
        self.coverage.count_steps(&steps);
        if step.changed_state() {
            self.pairs.stale = true;
            if self.quiet.is_settled(now) && self.is_well_matched() && !self.may_only_do_now(index, &outputs) {
                self.found(Rule::Unrest, format!("{} changes its state on a LAN at rest", plan.nodes[index].name));
            }
        }
        if let Err((rule, what)) = broken {
            self.found(rule, format!("{}: {what}", plan.nodes[index].name));
        }
        self.check_together(index);
        self.notice(index, &outputs);
        for step in steps.into_iter().filter(|_| plan.show.steps) {
            self.line(index, None, || step_text(step));
        }
        for output in &outputs {
            if self.dies_before_output(index) {
                break;
            }
            self.carry_out(index, output);
        }
        outputs.clear();
        self.outputs = outputs;
        self.set_wake(index);
    }

    /// Keeps the first one.
    pub(crate) fn found(&mut self, rule: Rule, what: String) {
        if self.finding.is_none() {
            if let Some(lines) = &mut self.lines {
                lines.push(Line { at: self.now, subject: "!".to_owned(), text: what.clone() });
            }
            self.finding = Some(Finding { at: self.now, rule, what });
        }
    }
}
