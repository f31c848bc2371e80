//! What becomes of a scenario when three nodes play it: its plan with as many nodes as are missing, in stretches from one
//! deed to the next, each with what the simulator says of it. The simulator's own rules see to it that what it says is right:
//! one active router, the best one that lives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::{Family, Instant, Interval, Name, Version};
use sim::plan::Step;
use sim::plan::{
    Act, Command, LanChange, LinkPlan, NodePlan, NodeRef, PathChoice, Plan, RouterOption, RouterSpec, Spoof,
};
use sim::scenario::Scenario;
use sim::world::{Record, run};

/// Who advertises what on the wire: the nodes for each VRID.
pub(crate) type Speakers = BTreeMap<u8, BTreeSet<usize>>;

/// A scenario for three.
pub(crate) struct Course {
    pub(crate) plan: Plan,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) way: Way,
    pace: Pace,
}

/// What the scenarios leave open: how the three speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Over IPv4, from the interface.
    Plain,
    /// Over IPv6. A router has the same two addresses in each scenario, those of FRR.
    Ipv6,
    /// From a virtual MAC address, as FRR always does.
    VirtualMac,
}

/// What happens at one moment, and what comes of it until the next.
pub(crate) struct Stretch {
    pub(crate) deeds: Vec<Deed>,
    /// In the scenario's time.
    pub(crate) lasts: Duration,
    /// Who advertises at its end, if it is long enough to tell.
    pub(crate) speakers: Option<Speakers>,
    /// Which nodes say something worth looking for in their logs, in the words of the simulator.
    pub(crate) told: Vec<(usize, String)>,
}

#[derive(Clone)]
pub(crate) enum Deed {
    Node(NodeRef, Act),
    /// The end of a pause or of a machine's sleep.
    Wakes(usize),
    Lan(LanChange),
    Stranger(Spoof),
    Repeats(usize),
}

/// How the scenario's time is played.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Version 3 and so many times as quick. The versions behave the same, but for what [`Pace::AsItIs`] is for.
    Quick(u16),
    /// What is about passwords or versions.
    AsItIs,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// The plan of a file as it stands there.
pub(crate) fn plan_of(file: &str) -> Plan {
    let text = fs::read_to_string(directory().join(format!("{file}.txt"))).expect("the file can be read");
    Scenario::parse(&text).unwrap_or_else(|mistakes| panic!("{file}: {}", mistakes[0])).plan
}

impl Course {
    pub(crate) fn of(file: &str) -> Self {
        let plan = for_three(plan_of(file));
        let pace = Pace::of(&plan);
        let stretches = stretches(&plan);
        let is_ipv6 = |options: &Vec<RouterOption>| RouterSpec::new(options).settings.family == Family::Ipv6;
        let way = if plan.nodes.iter().flat_map(|node| &node.routers).any(is_ipv6) { Way::Ipv6 } else { Way::Plain };
        Self { plan, stretches, way, pace }
    }

    /// The same, spoken otherwise; `None` if what happens is about IPv4 and the interface itself, or speaks IPv6 already.
    pub(crate) fn by(self, way: Way) -> Option<Self> {
        let speaks = |deed: &Deed| matches!(deed, Deed::Stranger(_) | Deed::Repeats(_));
        let strips = |act: &Act| matches!(act, Act::Link(_, LinkPlan::Addressless) | Act::AddressDeleted(_));
        let vrids: BTreeSet<u8> = self.end().keys().copied().collect();
        let is_its_own = self.way != Way::Plain
            || self.pace == Pace::AsItIs
            || vrids.len() > 1
            || self.has(|option| *option == RouterOption::Unicast)
            || self.stretches.iter().flat_map(|stretch| &stretch.deeds).any(speaks)
            || (0..self.plan.nodes.len()).any(|node| self.acts_on(node).any(strips));
        (!is_its_own).then_some(Self { way, ..self })
    }

    /// Real time for a span of the scenario.
    pub(crate) fn real(&self, span: Duration) -> Duration {
        match self.pace {
            Pace::Quick(times) => span / u32::from(times),
            Pace::AsItIs => span,
        }
    }

    pub(crate) fn version(&self, stated: Version) -> u8 {
        if self.pace == Pace::AsItIs { stated.number() } else { 3 }
    }

    /// In centiseconds.
    pub(crate) fn interval(&self, interval: Interval) -> u16 {
        let stated = interval.as_centiseconds();
        match self.pace {
            Pace::Quick(times) => (stated / times).clamp(10, 60),
            // A story with one advertisement in five seconds is as good with one in a second.
            Pace::AsItIs if stated > 200 => 100,
            Pace::AsItIs => stated,
        }
    }

    pub(crate) fn longest_interval(&self) -> Duration {
        let options = self.plan.nodes.iter().flat_map(|node| &node.routers).flatten();
        let intervals = options.filter_map(|option| match option {
            RouterOption::Interval(interval) => Some(self.interval(*interval)),
            _ => None,
        });
        Duration::from_millis(10) * u32::from(intervals.max().unwrap_or(0).max(self.interval(Interval::SECOND)))
    }

    pub(crate) fn has(&self, wanted: impl Fn(&RouterOption) -> bool) -> bool {
        self.plan.nodes.iter().flat_map(|node| &node.routers).flatten().any(wanted)
    }

    pub(crate) fn is_unicast(&self, node: usize) -> bool {
        self.plan.nodes[node].routers.iter().flatten().any(|option| *option == RouterOption::Unicast)
    }

    /// Whether two have the same priority, so that chance has a say in who is active.
    pub(crate) fn is_undecided(&self) -> bool {
        let of_node = |node: &NodePlan| -> BTreeSet<(u8, u8)> { node.routers.iter().map(|r| rank(r)).collect() };
        let all: Vec<BTreeSet<(u8, u8)>> = self.plan.nodes.iter().map(of_node).collect();
        (0..all.len()).any(|one| (0..one).any(|other| !all[one].is_disjoint(&all[other])))
    }

    /// All that happens to a node.
    pub(crate) fn acts_on(&self, node: usize) -> impl Iterator<Item = &Act> {
        self.stretches.iter().flat_map(|stretch| &stretch.deeds).filter_map(move |deed| match deed {
            Deed::Node(to, act) if to.node == node => Some(act),
            _ => None,
        })
    }

    /// The highest priority that a node begins with.
    pub(crate) fn priority(&self, node: usize) -> u8 {
        self.plan.nodes[node].routers.iter().map(|options| rank(options).1).max().unwrap_or(0)
    }

    /// Whether clocks are set, of which real machines that are one have one.
    pub(crate) fn sets_clocks(&self) -> bool {
        (0..self.plan.nodes.len()).any(|node| self.acts_on(node).any(|act| matches!(act, Act::Clock(_))))
    }

    /// Whether any node is left in the end.
    pub(crate) fn lives_in_the_end(&self) -> bool {
        (0..self.plan.nodes.len()).any(|node| {
            let last = self
                .acts_on(node)
                .filter(|act| matches!(act, Act::Start | Act::Returns | Act::Stop | Act::Killed | Act::LosesPower));
            matches!(last.last(), Some(Act::Start | Act::Returns))
        })
    }

    /// Who advertises in the end.
    pub(crate) fn end(&self) -> &Speakers {
        let last = self.stretches.last().and_then(|last| last.speakers.as_ref());
        last.expect("the plan ends long after its last deed")
    }
}

/// VRID and priority.
fn rank(options: &[RouterOption]) -> (u8, u8) {
    let settings = RouterSpec::new(options).settings;
    (settings.vrid.get(), settings.priority.get())
}

impl Pace {
    fn of(plan: &Plan) -> Self {
        let all = || plan.nodes.iter().flat_map(|node| &node.routers);
        let passwords = all().flatten().any(|o| matches!(o, RouterOption::Password(_) | RouterOption::Header(_)));
        let of_version_2: BTreeSet<(u8, u16)> = all()
            .map(|options| RouterSpec::new(options).settings)
            .filter(|settings| settings.version == Version::V2)
            .map(|settings| (settings.vrid.get(), settings.advertisement_interval.as_centiseconds()))
            .collect();
        let vrids: BTreeSet<u8> = of_version_2.iter().map(|(vrid, _)| *vrid).collect();
        let versions: BTreeSet<u8> = all().map(|options| RouterSpec::new(options).settings.version.number()).collect();
        let patient = all().flatten().any(|option| *option == RouterOption::Preempt(false));
        if passwords || versions.len() > 1 || vrids.len() < of_version_2.len() {
            Self::AsItIs
        } else if patient {
            // Whoever is first keeps it: the order of the skew times must show on a machine that is busy, too.
            Self::Quick(2)
        } else {
            Self::Quick(5)
        }
    }
}

/// Adds what is missing for three nodes. They are the last ones in the order of succession.
fn for_three(mut plan: Plan) -> Plan {
    without_common_password(&mut plan);
    let vrids: BTreeSet<u8> = plan.nodes.iter().flat_map(|node| &node.routers).map(|options| rank(options).0).collect();
    let pattern = |vrid: u8| {
        let known = plan.nodes.iter().flat_map(|node| &node.routers).find(|options| rank(options).0 == vrid);
        known.expect("it is the VRID of one of them").iter().filter(|o| is_common(o)).cloned().collect::<Vec<_>>()
    };
    let patterns: Vec<Vec<RouterOption>> = vrids.into_iter().map(pattern).collect();
    let mut added = Vec::new();
    for (name, priority) in ["a", "b", "c"].iter().zip([90, 80, 10]) {
        if plan.nodes.len() < 3 && plan.nodes.iter().all(|node| node.name != *name) {
            let with_priority = |options: &Vec<RouterOption>| {
                options.iter().cloned().chain([RouterOption::Priority(priority)]).collect::<Vec<_>>()
            };
            let routers = patterns.iter().map(with_priority).collect();
            added.push(NodeRef { node: plan.nodes.len(), vrid: None });
            plan.nodes.push(NodePlan { name: (*name).to_owned(), routers, ..NodePlan::default() });
        }
    }
    let begins = plan.steps.iter().position(|step| matches!(step.command, Command::Nodes(_, Act::Start)));
    let begins = begins.expect("somebody starts");
    if !added.is_empty() {
        let at = plan.steps[begins].at;
        plan.steps.insert(begins + 1, Step { at, command: Command::Nodes(added, Act::Start) });
    }
    plan.steps = plan.steps.iter().flat_map(|step| deafened(step, plan.nodes.len())).collect();
    let last = plan.steps.iter().map(ends).max().unwrap_or(Instant::START);
    plan.end = last + plan.longest_interval() * 14;
    plan
}

/// A password that all have and nobody lacks decides nothing, and without it FRR can take part, too.
fn without_common_password(plan: &mut Plan) {
    let password = |options: &Vec<RouterOption>| {
        options.iter().find(|option| matches!(option, RouterOption::Password(_))).cloned()
    };
    let passwords: Vec<Option<RouterOption>> = plan.nodes.iter().flat_map(|node| &node.routers).map(password).collect();
    let is_asked_for = plan.steps.iter().any(|step| matches!(step.command, Command::Stranger(_)));
    if passwords.windows(2).all(|pair| pair[0] == pair[1]) && !is_asked_for {
        let all = plan.nodes.iter_mut().flat_map(|node| &mut node.routers);
        all.for_each(|options| options.retain(|option| !matches!(option, RouterOption::Password(_))));
    }
}

/// A cut towards one node as cuts from all others to it: where the lab makes a host deaf, it is deaf for everybody.
fn deafened(step: &Step, nodes: usize) -> Vec<Step> {
    let Command::Lan(LanChange::Cut(PathChoice::From(_, to))) = step.command else { return vec![step.clone()] };
    let from_others = (0..nodes).filter(|from| *from != to).map(|from| PathChoice::From(from, to));
    from_others.map(|path| Step { at: step.at, command: Command::Lan(LanChange::Cut(path)) }).collect()
}

/// What the nodes of a group have in common.
fn is_common(option: &RouterOption) -> bool {
    use RouterOption::{
        Addresses, Excluded, Header, Interval, Multicast, Password, SkipCheckAdvAddr, Unicast, Version, Vrid,
    };
    matches!(
        option,
        Vrid(_)
            | Version(_)
            | Interval(_)
            | Multicast
            | Unicast
            | Password(_)
            | Header(_)
            | Addresses(_)
            | Excluded(_)
            | SkipCheckAdvAddr
    )
}

/// When a step is over.
fn ends(step: &Step) -> Instant {
    match &step.command {
        Command::Nodes(_, Act::Pause(span) | Act::Suspend(span)) => step.at + *span,
        _ => step.at,
    }
}

fn deeds(plan: &Plan) -> BTreeMap<Instant, Vec<Deed>> {
    let mut deeds: BTreeMap<Instant, Vec<Deed>> = BTreeMap::new();
    for step in &plan.steps {
        match &step.command {
            Command::Nodes(nodes, act) => {
                for node in nodes {
                    deeds.entry(step.at).or_default().push(Deed::Node(*node, act.clone()));
                    if let Act::Pause(span) | Act::Suspend(span) = act {
                        deeds.entry(step.at + *span).or_default().push(Deed::Wakes(node.node));
                    }
                }
            }
            Command::Lan(change) => deeds.entry(step.at).or_default().push(Deed::Lan(*change)),
            Command::Stranger(spoof) => deeds.entry(step.at).or_default().push(Deed::Stranger(spoof.clone())),
            Command::Repeats(node) => deeds.entry(step.at).or_default().push(Deed::Repeats(*node)),
            Command::Line(_) | Command::LanOf(..) => panic!("three nodes have one LAN and no line"),
        }
    }
    deeds
}

/// What can be seen of a node at the switch.
#[derive(Clone)]
struct Sight {
    runs: bool,
    sleeps: bool,
    connected: bool,
    active: BTreeSet<u8>,
}

impl Sight {
    fn after(&mut self, act: &Act) {
        match act {
            Act::Start | Act::Returns => self.runs = true,
            Act::Stop => self.runs = false,
            Act::Killed | Act::LosesPower => {
                self.runs = false;
                self.active.clear();
            }
            Act::Pause(_) | Act::Suspend(_) => self.sleeps = true,
            Act::Link(link, plan) if *link == Name::from("eth0") => {
                self.connected = matches!(plan, LinkPlan::Up | LinkPlan::Addressless);
            }
            _ => {}
        }
    }
}

fn stretches(plan: &Plan) -> Vec<Stretch> {
    let run = run(plan, Record::Lines);
    assert_eq!((&run.finding, &run.inapplicable), (&None, &Vec::new()), "the simulator plays it with three");
    let mut sights =
        vec![Sight { runs: false, sleeps: false, connected: true, active: BTreeSet::new() }; plan.nodes.len()];
    let deeds = deeds(plan);
    let moments: Vec<Instant> = deeds.keys().copied().chain([plan.end]).collect();
    let mut stretches = Vec::new();
    let mut lines = run.lines.iter().peekable();
    for ((at, deeds), until) in deeds.into_iter().zip(&moments[1..]) {
        for deed in &deeds {
            match deed {
                Deed::Node(node, act) => sights[node.node].after(act),
                Deed::Wakes(node) => sights[*node].sleeps = false,
                Deed::Lan(_) | Deed::Stranger(_) | Deed::Repeats(_) => {}
            }
        }
        let mut told = Vec::new();
        let mut changed = at;
        while let Some(line) = lines.next_if(|line| line.at < *until || *until == plan.end) {
            let (name, vrid) = line.subject.split_once('/').unwrap_or((&line.subject, ""));
            let Some(node) = plan.nodes.iter().position(|node| node.name == name) else { continue };
            let vrid = vrid.parse().unwrap_or_else(|_| rank(&plan.nodes[node].routers[0]).0);
            if line.text.starts_with("discards from") {
                told.push((node, line.text.clone()));
            }
            let Some((from, to)) = line.text.split_once(" -> ").filter(|(from, _)| is_state(from)) else { continue };
            changed = line.at;
            told.push((node, line.text.clone()));
            if to.starts_with("Active,") {
                sights[node].active.insert(vrid);
            } else if from == "Active" {
                sights[node].active.remove(&vrid);
            }
        }
        let interval = plan.longest_interval();
        let lasts = until.since(at);
        let is_long = lasts >= interval * 37 / 10 && until.since(changed) >= interval;
        let speakers = (is_long || *until == plan.end).then(|| speakers(plan, &sights));
        stretches.push(Stretch { deeds, lasts, speakers, told });
    }
    stretches
}

fn is_state(text: &str) -> bool {
    ["Initialize", "Backup", "Active"].contains(&text)
}

fn speakers(plan: &Plan, sights: &[Sight]) -> Speakers {
    let vrids = plan.nodes.iter().flat_map(|node| &node.routers).map(|options| rank(options).0);
    let mut speakers: Speakers = vrids.map(|vrid| (vrid, BTreeSet::new())).collect();
    for (node, sight) in sights.iter().enumerate() {
        if sight.runs && !sight.sleeps && sight.connected {
            for vrid in &sight.active {
                speakers.entry(*vrid).or_default().insert(node);
            }
        }
    }
    speakers
}
