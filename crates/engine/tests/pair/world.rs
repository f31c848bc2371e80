//! Two nodes, what lies between them, and the processes of their service. Nothing here decides anything: it carries
//! out what the engines ask for, late or wrongly where a test says so, and watches that the service never runs twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use tanist_engine::{
    Answer, Command, Config, Ending, Engine, Event, Family, HeldBy, HookCall, Input, Instant, LinkId, LinkState, Name,
    Output, Received, Record, Restored, RouterId, ServiceOrder, ServiceReport,
};

use super::setup::{NODES, at, config, ms};
use crate::common::packet::Packet;

/// How long anything takes from one node to the other.
pub(crate) const WIRE: Duration = Duration::from_millis(1);
/// More messages of one node in a second than anything can explain: a heartbeat is ten.
const STORM: usize = 200;
/// More steps of roles because of one input than anything here can explain.
const MOST_STEPS: usize = 12;

/// What goes from one node to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Baton,
    Advertisement,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Baton, Kind::Advertisement];

/// Something that a node has just sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) from: usize,
    pub(crate) kind: Kind,
    /// How many of that kind this node had sent before, since the network was given this temper.
    pub(crate) number: usize,
}

/// How long what was sent takes: once for each copy that arrives.
type Temper = Box<dyn FnMut(Sent) -> Vec<Duration>>;

/// Something on its way.
#[derive(Clone)]
enum Coming {
    Packet(Vec<u8>),
    /// By this path.
    Baton(u32, Vec<u8>),
    /// The answer to `Watch` and to `AssessReadiness`.
    Look,
    Assessment,
    /// The process with this number comes up, or ends.
    Up(u32),
    End(u32, Ending),
    Refusal,
}

/// The process of the service on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    Gone,
    Coming,
    Runs,
    Going,
}

/// How the service behaves on a node.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    pub(crate) start: Duration,
    /// `None`: it does not end unless it is killed.
    pub(crate) stop: Option<Duration>,
    /// It is not even started; why.
    pub(crate) refuses: Option<&'static str>,
    pub(crate) readiness: Result<(), &'static str>,
    /// How long its manager needs to say whether it runs. `None`: it never does.
    pub(crate) watch: Option<Duration>,
    /// It is started by the machine itself.
    pub(crate) enabled_at_boot: bool,
}

pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    pub(crate) process: Process,
    pub(crate) habits: Habits,
    /// What was saved last.
    pub(crate) record: Option<Record>,
    /// The hooks that ran, in all lives.
    pub(crate) hooks: Vec<HookCall>,
    /// The daemon runs.
    pub(crate) alive: bool,
    /// Counts the daemon's lives; what is on its way to a former one is lost.
    life: u32,
    /// Counts the processes.
    run: u32,
    /// The process has been told to end, and will.
    ends: bool,
    frozen_until: Option<Instant>,
    /// What has come in meanwhile.
    waiting: Vec<Coming>,
    sent: BTreeMap<Kind, usize>,
    /// Messages in this second.
    rate: (u64, usize),
}

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Instant,
    pub(crate) log: String,
    pub(crate) told: Vec<(Instant, usize, Event)>,
    pub(crate) answers: Vec<(usize, Answer)>,
    coming: BTreeMap<(Instant, u64), (usize, u32, Coming)>,
    number: u64,
    /// Nothing of these arrives.
    cut: BTreeSet<(usize, Kind)>,
    /// Nor of what this node says on this path.
    cut_paths: BTreeSet<(usize, u32)>,
    temper: Temper,
    pub(crate) both_since: Option<Instant>,
    /// A node was taken for dead although its daemon ran.
    pub(crate) silent_in_vain: bool,
    /// Longest time in which something of the service was on both nodes.
    pub(crate) overlap: Duration,
    /// After each input nothing may be left for the next one.
    pub(crate) looks_twice: bool,
}

impl World {
    /// Two nodes, not started.
    pub(crate) fn new(change: impl Fn(usize, &mut Config)) -> Self {
        let nodes = (0..2).map(|node| {
            let mut config = config(node);
            change(node, &mut config);
            Node {
                engine: Engine::new(config.clone(), 100 + node as u64),
                config,
                process: Process::Gone,
                habits: Habits {
                    start: ms(300),
                    stop: Some(ms(200)),
                    refuses: None,
                    readiness: Ok(()),
                    watch: Some(ms(1)),
                    enabled_at_boot: false,
                },
                record: None,
                hooks: Vec::new(),
                alive: false,
                life: 0,
                run: 0,
                ends: false,
                frozen_until: None,
                waiting: Vec::new(),
                sent: BTreeMap::new(),
                rate: (0, 0),
            }
        });
        Self {
            nodes: nodes.collect(),
            now: Instant::START,
            log: String::new(),
            told: Vec::new(),
            answers: Vec::new(),
            coming: BTreeMap::new(),
            number: 0,
            cut: BTreeSet::new(),
            cut_paths: BTreeSet::new(),
            temper: Box::new(|_| vec![WIRE]),
            both_since: None,
            silent_in_vain: false,
            overlap: Duration::ZERO,
            looks_twice: false,
        }
    }

    /// It is 20 s, both have been running for 6 s, and a is the active one.
    #[track_caller]
    pub(crate) fn settled(change: impl Fn(usize, &mut Config)) -> Self {
        let mut world = Self::new(change);
        world.now = at(14_000);
        world.start(0);
        world.start(1);
        world.run_until(at(20_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        world.never_both();
        world
    }

    // ── what happens to machines and daemons ──────────────────────────────────────────────────────────

    /// The daemon starts, on a machine that has been up or has not.
    pub(crate) fn start(&mut self, node: usize) {
        let this = &mut self.nodes[node];
        assert!(!this.alive, "it runs already\n{}", self.log);
        this.alive = true;
        this.life += 1;
        for link in 0..self.nodes[node].engine.links().len() {
            self.tell_link(node, link, true);
        }
        self.handle(node, Input::Start);
    }

    /// The first interface has an address; others only exist.
    fn tell_link(&mut self, node: usize, link: usize, up: bool) {
        let address: IpAddr = format!("192.0.2.{}", node + 1).parse().unwrap();
        let addresses = if link == 0 { vec![address] } else { Vec::new() };
        self.handle(
            node,
            Input::Link {
                link: LinkId(link as u32),
                state: Some(LinkState { up, addresses, tentative: Vec::new(), deaf: false }),
            },
        );
    }

    fn new_engine(&mut self, node: usize, restored: Restored) {
        let life = u64::from(self.nodes[node].life);
        let this = &mut self.nodes[node];
        this.engine = Engine::new(this.config.clone(), 1000 * (life + 1) + node as u64);
        this.frozen_until = None;
        this.waiting.clear();
        self.handle(node, Input::Restored(restored));
    }

    /// What it remembers, as the daemon finds it.
    pub(crate) fn remembered(&self, node: usize, same_boot: bool) -> Restored {
        let calendar = 1_700_000_000 + self.now.as_nanos() / 1_000_000_000;
        match &self.nodes[node].record {
            Some(record) => Restored::Record { record: record.clone(), same_boot, calendar },
            None => Restored::Nothing { calendar },
        }
    }

    /// The daemon is killed; its service goes on.
    pub(crate) fn kill_daemon(&mut self, node: usize) {
        self.note(node, "daemon killed");
        self.nodes[node].alive = false;
    }

    /// And started again.
    pub(crate) fn start_daemon(&mut self, node: usize) {
        self.note(node, "daemon started");
        let restored = self.remembered(node, true);
        self.new_engine(node, restored);
        self.start(node);
    }

    pub(crate) fn lose_power(&mut self, node: usize) {
        self.note(node, "loses power");
        self.nodes[node].alive = false;
        self.set_process(node, Process::Gone);
    }

    pub(crate) fn boot(&mut self, node: usize) {
        let restored = self.remembered(node, false);
        self.boot_with(node, restored);
    }

    pub(crate) fn boot_with(&mut self, node: usize, restored: Restored) {
        self.note(node, "boots");
        if self.nodes[node].habits.enabled_at_boot {
            self.begin_process(node);
        }
        self.new_engine(node, restored);
        self.start(node);
    }

    /// The daemon is not scheduled for so long; what comes in waits.
    pub(crate) fn freeze(&mut self, node: usize, span: Duration) {
        self.note(node, &format!("freezes for {span:?}"));
        self.nodes[node].frozen_until = Some(self.now + span);
    }

    pub(crate) fn set_link(&mut self, node: usize, link: usize, up: bool) {
        self.note(node, &format!("link {link} {}", if up { "up" } else { "down" }));
        self.tell_link(node, link, up);
    }

    /// A third router advertises, which is better than both.
    pub(crate) fn advertise_by_a_third(&mut self) {
        let router = &self.nodes[0].config.routers[0];
        let octets = Packet::of(router, [192, 0, 2, 77], [224, 0, 0, 18], 200).octets();
        for node in 0..2 {
            let received = Received { link: LinkId(0), family: Family::Ipv4, octets: &octets };
            if self.nodes[node].alive {
                self.handle(node, Input::Received(received));
            }
        }
    }

    // ── what happens to the service ───────────────────────────────────────────────────────────────────

    /// It ends by itself.
    #[track_caller]
    pub(crate) fn crash_service(&mut self, node: usize) {
        assert_eq!(self.nodes[node].process, Process::Runs, "{}", self.log);
        self.note(node, "job crashes");
        self.end_process(node, ServiceReport::Gone(Ending::Exited(1)));
    }

    /// An operator stops it.
    pub(crate) fn stop_by_hand(&mut self, node: usize) {
        self.note(node, "job stopped by hand");
        self.end_process(node, ServiceReport::StoppedByHand);
    }

    /// An operator, or the machine, starts it.
    pub(crate) fn start_by_hand(&mut self, node: usize) {
        self.note(node, "job started by hand");
        self.begin_process(node);
    }

    fn begin_process(&mut self, node: usize) {
        self.set_process(node, Process::Coming);
        let (start, run) = (self.nodes[node].habits.start, self.nodes[node].run);
        self.later(start, node, Coming::Up(run));
    }

    fn end_process(&mut self, node: usize, report: ServiceReport) {
        self.set_process(node, Process::Gone);
        self.report(node, report);
    }

    fn report(&mut self, node: usize, report: ServiceReport) {
        if self.nodes[node].alive {
            self.handle(node, Input::Service { service: "job", report });
        }
    }

    fn set_process(&mut self, node: usize, process: Process) {
        self.nodes[node].process = process;
        if matches!(process, Process::Gone | Process::Coming) {
            self.nodes[node].run += 1;
        }
        let both = self.nodes.iter().all(|node| node.process != Process::Gone);
        if both {
            self.both_since.get_or_insert(self.now);
        } else if let Some(since) = self.both_since.take() {
            self.overlap = self.overlap.max(self.now.since(since));
        }
    }

    // ── what lies between ─────────────────────────────────────────────────────────────────────────────

    /// From now on this decides what becomes of what is sent.
    pub(crate) fn set_temper(&mut self, temper: impl FnMut(Sent) -> Vec<Duration> + 'static) {
        self.temper = Box::new(temper);
        for node in &mut self.nodes {
            node.sent.clear();
        }
    }

    pub(crate) fn cut(&mut self, kinds: &[Kind]) {
        self.cut.extend(kinds.iter().flat_map(|kind| [(0, *kind), (1, *kind)]));
    }

    /// Only what this node sends is lost.
    pub(crate) fn cut_from(&mut self, node: usize, kinds: &[Kind]) {
        self.cut.extend(kinds.iter().map(|kind| (node, *kind)));
    }

    /// Only what this node says on this path is lost.
    pub(crate) fn cut_path_from(&mut self, node: usize, path: u32) {
        self.cut_paths.insert((node, path));
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
        self.cut_paths.clear();
    }

    fn send(&mut self, from: usize, kind: Kind, coming: &Coming) {
        let count = self.nodes[from].sent.entry(kind).or_default();
        let number = *count;
        *count += 1;
        let second = self.now.as_nanos() / 1_000_000_000;
        let rate = &mut self.nodes[from].rate;
        *rate = if rate.0 == second { (second, rate.1 + 1) } else { (second, 1) };
        assert!(rate.1 < STORM, "{} sends without end\n{}", NODES[from], self.log);
        let path_is_cut = matches!(coming, Coming::Baton(path, _) if self.cut_paths.contains(&(from, *path)));
        if path_is_cut || self.cut.contains(&(from, kind)) {
            return;
        }
        for after in (self.temper)(Sent { from, kind, number }) {
            self.later(after, 1 - from, coming.clone());
        }
    }

    fn later(&mut self, after: Duration, node: usize, coming: Coming) {
        self.number += 1;
        let life = self.nodes[node].life;
        self.coming.insert((self.now + after, self.number), (node, life, coming));
    }

    // ── what the engines do ───────────────────────────────────────────────────────────────────────────

    pub(crate) fn handle(&mut self, node: usize, input: Input<'_>) {
        let mut out = Vec::new();
        let now = self.now;
        self.nodes[node].engine.handle(now, input, &mut out);
        let steps = self.nodes[node].engine.role_steps();
        assert!(steps.len() <= MOST_STEPS, "{} comes to no end: {steps:?}\n{}", NODES[node], self.log);
        if self.looks_twice && self.nodes[node].alive {
            self.expect_rest(node);
        }
        for output in out {
            self.carry_out(node, output);
        }
    }

    /// A command that changes nothing, at the same moment, has its answer and no other consequences.
    fn expect_rest(&self, node: usize) {
        let mut engine = self.nodes[node].engine.clone();
        let due = engine.deadline().is_some_and(|deadline| deadline <= self.now);
        if due || engine.view().routers[0].held_by.contains(&HeldBy::DownFile) {
            return;
        }
        let mut out = Vec::new();
        let command = Command::Release { router: RouterId(0), by: HeldBy::DownFile };
        engine.handle(self.now, Input::Command { number: 1, command }, &mut out);
        assert!(matches!(out[..], [Output::Answer { .. }]), "left at {}: {out:?}\n{}", self.now, self.log);
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        match output {
            Output::Advertise { router, priority, sequence } => {
                let mut buffer = [0; 1500];
                let engine = &self.nodes[node].engine;
                let to = engine.destinations(router)[0];
                let Some(octets) = engine.write_advertisement(router, priority, sequence, to, &mut buffer) else {
                    return;
                };
                let packet = Coming::Packet(octets.to_vec());
                self.send(node, Kind::Advertisement, &packet);
            }
            Output::SendBaton { path, octets } => self.send(node, Kind::Baton, &Coming::Baton(path, octets)),
            Output::Service { order, .. } => self.order(node, order),
            Output::Tell(event) => self.tell(node, event),
            Output::Answer { answer, .. } => {
                self.note(node, &format!("answers {answer:?}"));
                self.answers.push((node, answer));
            }
            Output::RunHook(call) => self.nodes[node].hooks.push(call),
            Output::Save(record) => self.nodes[node].record = Some(record),
            Output::Stopped => {
                self.note(node, "stopped");
                self.nodes[node].alive = false;
            }
            _ => {}
        }
    }

    fn order(&mut self, node: usize, order: ServiceOrder) {
        let habits = self.nodes[node].habits.clone();
        let run = self.nodes[node].run;
        match order {
            ServiceOrder::Watch => {
                if let Some(watch) = habits.watch {
                    self.later(watch, node, Coming::Look);
                }
            }
            ServiceOrder::Start => {
                assert_eq!(self.nodes[node].process, Process::Gone, "started twice\n{}", self.log);
                if habits.refuses.is_some() {
                    self.later(ms(1), node, Coming::Refusal);
                } else {
                    self.begin_process(node);
                }
            }
            // What is not there has ended already.
            ServiceOrder::Stop | ServiceOrder::Kill if self.nodes[node].process == Process::Gone => {
                self.later(ms(1), node, Coming::Look);
            }
            ServiceOrder::Stop => {
                self.set_process(node, Process::Going);
                self.nodes[node].ends = habits.stop.is_some();
                if let Some(stop) = habits.stop {
                    self.later(stop, node, Coming::End(run, Ending::Exited(0)));
                }
            }
            ServiceOrder::Kill => {
                self.nodes[node].ends = true;
                self.later(ms(1), node, Coming::End(run, Ending::Signalled(9)));
            }
            ServiceOrder::AssessReadiness => self.later(ms(1), node, Coming::Assessment),
            ServiceOrder::Forget => {}
        }
    }

    fn tell(&mut self, node: usize, event: Event) {
        let text = match &event {
            Event::StateChanged { from, to, cause, .. } => format!("{from:?} -> {to:?} ({cause:?})"),
            Event::ServiceChanged { to, cause, .. } => format!("job {to:?} ({cause:?})"),
            Event::ServiceFailed { remedy, .. } => format!("job failed: {remedy:?}"),
            Event::Discarded { .. }
            | Event::Announcing { .. }
            | Event::AddressesWanted { .. }
            | Event::AddressesReleased { .. }
            | Event::ActiveRouterChanged { .. }
            | Event::Resigned { .. }
            | Event::ScriptReturned { .. } => String::new(),
            other => format!("{other:?}"),
        };
        if !text.is_empty() {
            self.note(node, &text);
        }
        self.silent_in_vain |= matches!(event, Event::PeerSilent { .. }) && self.nodes[1 - node].alive;
        self.told.push((self.now, node, event));
    }

    pub(crate) fn note(&mut self, node: usize, what: &str) {
        let _ = writeln!(self.log, "{} {} {what}", self.now, NODES[node]);
    }

    // ── time ──────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    #[track_caller]
    pub(crate) fn run_until(&mut self, until: Instant) {
        let mut idle = (self.now, 0);
        loop {
            idle = if idle.0 == self.now { (self.now, idle.1 + 1) } else { (self.now, 0) };
            let wakes = [self.wakes(0), self.wakes(1)];
            assert!(idle.1 < 1000, "at {} they want to be asked for ever: {wakes:?}\n{}", self.now, self.log);
            let timer = (0..2).filter_map(|node| self.wakes(node).map(|at| (at, node))).min();
            let coming = self.coming.first_key_value().map(|((at, _), _)| *at);
            let next = [timer.map(|(at, _)| at), coming].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = next.max(self.now);
            if coming.is_some_and(|at| at <= next) {
                let Some((_, (node, life, coming))) = self.coming.pop_first() else { break };
                self.arrive(node, life, coming);
            } else if let Some((_, node)) = timer {
                self.wake(node);
            }
        }
        self.now = until;
    }

    /// When the daemon does something next by itself.
    fn wakes(&self, node: usize) -> Option<Instant> {
        let this = &self.nodes[node];
        if !this.alive {
            return None;
        }
        this.frozen_until.or_else(|| this.engine.deadline())
    }

    fn wake(&mut self, node: usize) {
        if self.nodes[node].frozen_until.take().is_some() {
            self.note(node, "thaws");
            let life = self.nodes[node].life;
            for coming in std::mem::take(&mut self.nodes[node].waiting) {
                self.arrive(node, life, coming);
            }
        }
        self.handle(node, Input::Timer);
    }

    fn arrive(&mut self, node: usize, life: u32, coming: Coming) {
        // What becomes of the process is the machine's business, whatever becomes of the daemon.
        let report = match &coming {
            Coming::Up(run) | Coming::End(run, _) if *run != self.nodes[node].run => return,
            Coming::Up(_) => {
                if self.nodes[node].process == Process::Coming {
                    self.nodes[node].process = Process::Runs;
                }
                Some(ServiceReport::Running)
            }
            Coming::End(_, ending) => {
                self.set_process(node, Process::Gone);
                Some(ServiceReport::Gone(ending.clone()))
            }
            _ if life != self.nodes[node].life => return,
            _ => None,
        };
        if !self.nodes[node].alive {
            return;
        }
        if self.nodes[node].frozen_until.is_some() {
            self.nodes[node].waiting.push(match report {
                // It will find out when it looks.
                Some(_) => Coming::Look,
                None => coming,
            });
            return;
        }
        if let Some(report) = report {
            return self.report(node, report);
        }
        match coming {
            Coming::Packet(octets) => {
                let received = Received { link: LinkId(0), family: Family::Ipv4, octets: &octets };
                self.handle(node, Input::Received(received));
            }
            Coming::Baton(path, octets) => self.handle(node, Input::Baton { path, octets: &octets }),
            Coming::Look => match self.nodes[node].process {
                // It has been told to end and does not care.
                Process::Going if !self.nodes[node].ends => {
                    self.nodes[node].process = Process::Runs;
                    self.report(node, ServiceReport::Running);
                }
                Process::Gone => self.report(node, ServiceReport::Gone(Ending::NotRunning)),
                Process::Runs | Process::Going => self.report(node, ServiceReport::Running),
                // It will be heard of when it is up.
                Process::Coming => {}
            },
            Coming::Assessment => {
                let verdict = self.nodes[node].habits.readiness.map_err(Name::from);
                self.report(node, ServiceReport::Readiness(verdict));
            }
            Coming::Refusal => {
                let reason = self.nodes[node].habits.refuses.unwrap_or("it was refused");
                self.report(node, ServiceReport::StartRefused(Name::from(reason)));
            }
            Coming::Up(_) | Coming::End(..) => {}
        }
    }
}
