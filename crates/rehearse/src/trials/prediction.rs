//! What the simulator says of a trial: the same configuration, read by the same reader, the same engine, and the same
//! deeds at the same moments; everything else is pretended and takes no time.
//!
//! What chance decides in an engine (how early a check's second run is) is decided anew, by the seed.

use std::path::Path;
use std::time::Duration;

use config::{LoadOptions, Manager, MemoryFiles, Settings};
use engine::{Instant, RouterConfig, Transport};
use sim::history::Presence;
use sim::plan::{
    Act, Command, LanChange, ManagerPlan, NodePlan, NodeRef, PairPlan, PathChoice, Plan, RouterOption, RouterSpec,
    ServiceAct, ServiceSpec, Step as PlanStep,
};
use sim::scenario::Scenario;
use sim::world::{self, Record, Run};

use super::Service;
use super::course::{Course, Deed};
use super::outcome::{Evidence, Outcome, Told};
use super::recipe::{PORT, Recipe};
use super::scenario::{Node, Step};
use crate::collector::PACE;
use crate::lab::{HOST_DIR, LabError, Moment, Tick};

/// From the order to start a program until it counts as up: a keeper and an `exec`.
const LAUNCH: Duration = Duration::from_millis(3);
/// And from there until it has got to its own first line.
const FIRST_LINE: Duration = Duration::from_millis(2);
/// Looks are further apart than this, and no look is told later than this.
const ANSWERED_BEFORE: Duration = Duration::from_millis(30);
/// The pretend world is a little older than the first daemon.
const BEFORE: Duration = Duration::from_secs(1);

/// What should have come of a trial.
#[derive(Clone, Debug)]
pub struct Prediction {
    pub outcome: Outcome,
    /// Who came to work in which order, one entry for each process.
    pub order: Vec<Node>,
    /// From the start of the first daemon until all was over.
    pub took: Duration,
    /// The pretend run as a scenario: for the message of a failed test.
    pub story: String,
}

/// Plays a course once more in the simulator.
///
/// # Errors
/// When the recipe has something that cannot be pretended, or a rule of the simulator was broken.
pub fn predict(recipe: &Recipe, service: &Service, course: &Course, seed: u64) -> Result<Prediction, LabError> {
    Pretence::new(recipe, service, seed)?.prediction(course)
}

/// A pair in the pretend world.
#[derive(Debug)]
pub(super) struct Pretence {
    /// Without anything that happens.
    plan: Plan,
}

impl Pretence {
    pub(super) fn new(recipe: &Recipe, service: &Service, seed: u64) -> Result<Self, LabError> {
        let settings = [read(recipe, Node::A)?, read(recipe, Node::B)?];
        let nodes = Node::BOTH.map(|node| node_plan(node, &settings[node as usize], service));
        let [first, second] = nodes;
        let pair = settings[0].pair.as_ref().ok_or_else(|| cannot("a pair that does not know each other"))?;
        if pair.paths.len() > 1 {
            return Err(cannot("a second path"));
        }
        let pair = PairPlan { heartbeat: pair.heartbeat, dead_after: pair.dead_after, ..PairPlan::new((0, 1)) };
        Ok(Self { plan: Plan { seed, nodes: vec![first?, second?], pair: Some(pair), ..Plan::default() } })
    }

    fn prediction(&self, course: &Course) -> Result<Prediction, LabError> {
        let last = last_moment(course);
        let (evidence, story) = self.play(course, last)?;
        let took = last.since(course.deeds.first().map_or(last, |deed| deed.began));
        Ok(Prediction { outcome: evidence.outcome(course), order: evidence.order(), took, story })
    }

    /// What is seen until then, and the timeline.
    pub(super) fn play(&self, course: &Course, until: Moment) -> Result<(Evidence, String), LabError> {
        let origin = course.deeds.first().map_or(until, |deed| deed.began) - BEFORE;
        let at = |moment: Moment| Instant::from_nanos(moment.since(origin).as_nanos() as u64);
        let mut plan = Plan { end: at(until), ..self.plan.clone() };
        let [a, b] = Node::BOTH.map(|node| NodeRef { node: node as usize, vrid: None });
        let commands = course.deeds.iter().enumerate().map(|(place, deed)| {
            Some(PlanStep { at: at(deed.took_effect), command: command(deed, &course.deeds[place..], until)? })
        });
        plan.steps = commands.flatten().collect();
        plan.steps.extend(self.first_look(course).map(|(moment, span)| {
            let act = Act::Process(SERVICE.into(), ServiceAct::AnswersIn(span));
            PlanStep { at: at(moment), command: Command::Nodes(vec![a], act) }
        }));
        if let Some(asked) = course.asked.filter(|asked| asked.alone) {
            let other = if asked.node == Node::A { b } else { a };
            plan.steps.push(PlanStep { at: at(asked.at), command: Command::Nodes(vec![other], Act::LosesPower) });
        }
        plan.steps.retain(|step| step.at <= plan.end);
        plan.steps.sort_by_key(|step| step.at);
        let run = world::run(&plan, Record::Lines);
        let story = Scenario::print(&plan, &run.lines);
        if let Some(finding) = &run.finding {
            return Err(LabError::new(format!("the simulator found a broken rule: {finding}\n{story}")));
        }
        if let Some(what) = run.inapplicable.first() {
            return Err(LabError::new(format!("the simulator could not do it: {what}\n{story}")));
        }
        Ok((evidence(&run, origin, until), story))
    }
}

impl Pretence {
    /// The first service answers in time for the look at which it was found good, and the later ones as they do.
    fn first_look(&self, course: &Course) -> impl Iterator<Item = (Moment, Duration)> {
        let usual = self.plan.nodes[0].services[0].answers_in;
        let start = |node| course.deeds.iter().find(|deed| deed.step == Step::StartDaemon(node)).map(|deed| deed.began);
        let seen = course.first_good_after.zip(start(Node::A)).zip(start(Node::B));
        let acts = seen.map(|((good_after, first), second)| {
            [(first, good_after.saturating_sub(ANSWERED_BEFORE)), (second, usual)]
        });
        acts.into_iter().flatten()
    }
}

pub(super) fn last_moment(course: &Course) -> Moment {
    let asked = course.asked.map(|asked| asked.at + asked.patience);
    asked.map_or(course.end(), |at| at.max(course.end()))
}

// ── what the pair is told ─────────────────────────────────────────────────────────────────────────────────

fn cannot(what: &str) -> LabError {
    LabError::new(format!("the simulator cannot pretend {what}"))
}

/// A node's settings, as its daemon reads them.
fn read(recipe: &Recipe, node: Node) -> Result<Settings, LabError> {
    let path = format!("{HOST_DIR}/pair.conf");
    let text = recipe.configurations[node as usize].as_bytes();
    let mut files = MemoryFiles::single(&path, text);
    files.host_name = node.name().to_owned();
    let loaded = config::load(Path::new(&path), &files, &LoadOptions::default());
    loaded.settings.ok_or_else(|| LabError::new(format!("the configuration of {} has errors", node.name())))
}

fn node_plan(node: Node, settings: &Settings, service: &Service) -> Result<NodePlan, LabError> {
    let config = settings.engine_config();
    let ([router], [told]) = (config.routers.as_slice(), settings.services.as_slice()) else {
        return Err(cannot("anything but one virtual router with one service"));
    };
    if !config.scripts.is_empty() {
        return Err(cannot("the checks of a keepalived"));
    }
    let manner = &service.manner;
    if manner.offspring || manner.stubborn || manner.lives.is_some() || manner.port.is_some_and(|port| port != PORT) {
        return Err(cannot("a collector of that manner"));
    }
    let spec = ServiceSpec {
        settings: told.service.clone(),
        manager: match told.manager {
            Manager::Command { .. } => ManagerPlan::Command,
            Manager::Systemd { .. } | Manager::Docker { .. } | Manager::Scripts { .. } => ManagerPlan::Systemd,
        },
        // A program that runs counts as up, and its checks begin.
        starts_in: LAUNCH,
        answers_in: FIRST_LINE + manner.start,
        stops_in: manner.stop,
        ..ServiceSpec::new(told.service.name.clone())
    };
    Ok(NodePlan {
        name: node.name().to_owned(),
        routers: vec![router_options(router)?],
        services: vec![spec],
        ..NodePlan::default()
    })
}

/// The options of the pretend router; all of them together must come to what the daemon is told.
fn router_options(router: &RouterConfig) -> Result<Vec<RouterOption>, LabError> {
    let list = |addresses: &[engine::VirtualAddress]| {
        addresses.iter().map(|entry| (entry.address, entry.prefix)).collect::<Vec<_>>()
    };
    let mut options = vec![
        RouterOption::Vrid(router.vrid),
        RouterOption::Interface(router.link.clone()),
        RouterOption::Version(router.version),
        RouterOption::Priority(router.priority.get()),
        RouterOption::Interval(router.advertisement_interval),
        RouterOption::Preempt(router.preempt_mode),
        RouterOption::PreemptDelay(router.preempt_delay),
        RouterOption::Addresses(list(&router.addresses)),
        RouterOption::Excluded(list(&router.excluded_addresses)),
    ];
    options.extend(router.services.iter().cloned().map(RouterOption::Service));
    if let Transport::Unicast { ttl, .. } = router.transport {
        options.extend([RouterOption::Unicast, RouterOption::UnicastTtl(ttl)]);
    }
    let pretended = RouterSpec::new(&options).settings;
    let without_place = RouterConfig {
        name: pretended.name.clone(),
        transport: pretended.transport.clone(),
        // How a client learns of it is not looked at.
        announce: pretended.announce.clone(),
        addresses: pretended.addresses.clone(),
        ..router.clone()
    };
    if without_place == pretended { Ok(options) } else { Err(cannot(&format!("such a virtual router: {router:?}"))) }
}

// ── what is done to it ────────────────────────────────────────────────────────────────────────────────────

/// `rest` begins with the deed itself.
fn command(deed: &Deed, rest: &[Deed], until: Moment) -> Option<Command> {
    let of = |node: Node, act: Act| Some(Command::Nodes(vec![NodeRef { node: node as usize, vrid: None }], act));
    let service = |act: ServiceAct| Act::Process(SERVICE.into(), act);
    match deed.step {
        Step::KillService(node) => of(node, service(ServiceAct::Crashes)),
        Step::HangService(node) => of(node, service(ServiceAct::Freezes)),
        Step::PowerOff(node) => of(node, Act::LosesPower),
        Step::PowerOn(node) => of(node, Act::Boots),
        Step::StartDaemon(node) => of(node, Act::Start),
        Step::KillDaemon(node) => of(node, Act::Killed),
        Step::FreezeDaemon(node) => {
            let thaw = rest.iter().find(|later| later.step == Step::ThawDaemon(node));
            let until = thaw.map_or(until + Duration::from_secs(1), |later| later.took_effect);
            of(node, Act::Pause(until.since(deed.took_effect)))
        }
        Step::StopDaemon(node) => of(node, Act::Stop),
        Step::Cut => Some(Command::Lan(LanChange::Cut(PathChoice::All))),
        Step::Heal => Some(Command::Lan(LanChange::Heal)),
        // The service is the daemon's alone, and it comes back by itself.
        Step::BootService(_) | Step::BringBack(_) => None,
        // The pause knows its end.
        Step::ThawDaemon(_) => None,
        Step::Mark | Step::End | Step::Pass(_) | Step::UntilNew(_) | Step::UntilSettled(_) | Step::StandsBy(..) => None,
    }
}

/// As the recipes call it.
const SERVICE: &str = "gateway";

// ── what is seen ──────────────────────────────────────────────────────────────────────────────────────────

/// What a collector would have told and ticked.
fn evidence(run: &Run, origin: Moment, until: Moment) -> Evidence {
    let moment = |at: Instant| origin + Duration::from_nanos(at.as_nanos());
    let mut seen = Evidence::default();
    for node in Node::BOTH {
        let mut collector = Collector { node, pid: 0, ticks_since: None, is_told: false };
        for turn in run.history.iter().filter(|turn| turn.node == node as usize) {
            collector.turn(turn.presence, moment(turn.at), &mut seen);
        }
        collector.rests(until, &mut seen);
    }
    seen.ticks.sort_by_key(|tick| tick.at);
    seen.told.sort_by_key(|(at, _)| *at);
    let lines = |words: &str| {
        let begins = run.lines.iter().filter(|line| line.text.starts_with(words));
        begins.map(|line| moment(line.at)).collect::<Vec<_>>()
    };
    seen.decisions = lines(&format!("service {SERVICE} failed: "));
    seen.reports_of_two = [lines("both were Active"), lines("overslept by")].concat();
    seen
}

/// The collector of a node, as the pretend world has it.
struct Collector {
    node: Node,
    /// Counts its processes.
    pid: u32,
    ticks_since: Option<Moment>,
    is_told: bool,
}

impl Collector {
    fn turn(&mut self, presence: Presence, at: Moment, seen: &mut Evidence) {
        match presence {
            Presence::Starting => {
                (self.pid, self.is_told) = (self.pid + 1, false);
                seen.told.push((at + LAUNCH + FIRST_LINE, Told::Starts));
            }
            Presence::Working => self.ticks_since = Some(at),
            // It is up, and not at work yet or no more.
            Presence::Idle => self.rests(at, seen),
            Presence::Ending => {
                self.is_told = true;
                seen.told.push((at, Told::IsToldToStop));
            }
            Presence::Gone => {
                self.rests(at, seen);
                if std::mem::take(&mut self.is_told) {
                    seen.told.push((at, Told::Ends));
                }
            }
        }
    }

    /// It collects no more.
    fn rests(&mut self, until: Moment, seen: &mut Evidence) {
        let Some(from) = self.ticks_since.take() else { return };
        let moments = (0..).map(|number| (number, from + PACE * number)).take_while(|(_, at)| *at < until);
        let (host, pid) = (self.node.name(), self.pid);
        seen.ticks.extend(moments.map(|(number, at)| Tick { at, host: host.into(), pid, number: u64::from(number) }));
    }
}
