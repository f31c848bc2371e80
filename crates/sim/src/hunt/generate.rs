//! Makes up a plan from a seed: a LAN, its faults, and then the mending of all of them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use engine::{
    AntiReplay, Authentication, FigureCause, HmacMode, Instant, Interval, Measure, Name, ScriptConfig, TrackerKind,
    TrackerName, Version, Vrid, Weight, When,
};

use super::families::{Families, of_51, one_more};
use super::services::made_up_order;
use super::swarm::{Fault, Swarm};
use crate::invariant::settle::{time_of_services, time_to_settle};
use crate::plan::{
    Act, CALLS, ClockAct, Command, FigureAct, GroupSpec, LanChange, LinkPlan, NodePlan, NodeRef, PathChoice,
    PathQuality, Plan, RouterOption, RouterSpec, ScriptPlan, ScriptSpec, Spoof, SpoofContent, Step, TrackerSpec,
};
use crate::random::Random;

/// The plan that a seed stands for.
#[must_use]
pub fn generate(seed: u64) -> Plan {
    let mut random = Random::new(seed);
    let swarm = Swarm::new(&mut random);
    let (families, plan) = (Families::new(seed), Plan { seed, ..Plan::default() });
    let mut maker = Maker { random, families, swarm, plan, give_back: Vec::new(), latecomers: Vec::new() };
    maker.lan();
    maker.nodes();
    maker.starts();
    let healed_at = maker.faults();
    maker.joins(healed_at);
    maker.mend(healed_at);
    maker.plan.steps.sort_by_key(|step| step.at);
    maker.plan
}

pub(super) struct Maker {
    pub(super) random: Random,
    families: Families,
    swarm: Swarm,
    pub(super) plan: Plan,
    /// What gives back what reloads have taken away.
    pub(super) give_back: Vec<Command>,
    /// What reloads bring that was not there at the start.
    latecomers: Vec<Command>,
}

/// What all routers of one VRID have in common.
pub(super) struct Kinship {
    pub(super) vrid: Vrid,
    pub(super) version: Version,
    interval: Interval,
    pub(super) way: Option<RouterOption>,
    pub(super) authentication: Vec<RouterOption>,
    pub(super) addresses: Vec<(IpAddr, u8)>,
    pub(super) excluded: Vec<(IpAddr, u8)>,
    nopreempt: bool,
    owner: Option<usize>,
    /// On eth1.
    inside: bool,
}

impl Maker {
    fn lan(&mut self) {
        let random = &mut self.random;
        let delay = Duration::from_micros(*random.pick(&[100, 100, 100, 1000, 5000, 20_000]));
        let jitter = Duration::from_micros(*random.pick(&[0, 0, 0, 500, 3000, 30_000]));
        self.plan.lan = PathQuality { delay, jitter, loss: 0, duplicate: *random.pick(&[0, 0, 0, 0, 10]) };
        self.plan.wake_late = Duration::from_micros(*random.pick(&[0, 0, 200, 3000]));
        self.plan.startup_delay = Duration::from_millis(*random.pick(&[0, 0, 0, 0, 0, 0, 0, 2000, 5000]));
        let lifetimes = [None, Some(3), Some(5), Some(5), Some(10), Some(20)];
        self.plan.address_lifetime = random.pick(&lifetimes).map(Duration::from_secs);
        self.plan.kernel_delay = Duration::from_micros(*random.pick(&[0, 0, 0, 1000, 20_000]));
        self.plan.tentative = self.families.tentative();
    }

    fn nodes(&mut self) {
        let paired = self.random.chance(45);
        let count = if paired {
            *self.random.pick(&[2, 2, 2, 2, 2, 2, 2, 3, 3, 4])
        } else {
            *self.random.pick(&[2, 2, 2, 2, 3, 3, 4, 5])
        };
        for index in 0..count {
            let name = char::from(b'a' + index as u8).to_string();
            let (scripts, trackers) = (self.scripts(), self.trackers());
            self.plan.nodes.push(NodePlan { name, scripts, trackers, ..NodePlan::default() });
        }
        let routers = *self.random.pick(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 3]);
        // Its routers must be everywhere: nobody can have a role whose other half somebody else has.
        let grouped = routers > 1 && self.random.chance(60);
        let inside = self.random.chance(50);
        for number in 0..routers {
            let mut kinship = self.kinship(51 + number, count);
            // An owner asks nobody, neither its peer nor the others of its group.
            kinship.owner = kinship.owner.filter(|_| !paired && !grouped);
            // Inside and outside, as gateways have it.
            kinship.inside = grouped && number > 0 && inside;
            for index in 0..count {
                // The first router keeps every node in play.
                if number == 0 || grouped || self.random.chance(80) {
                    let mut options = self.router(&kinship, index);
                    if grouped && self.random.chance(8) {
                        options.push(RouterOption::Later);
                        let target = NodeRef { node: index, vrid: Some(kinship.vrid.get()) };
                        let comes = Command::Nodes(vec![target], Act::Reload(vec![RouterOption::Added]));
                        self.latecomers.push(comes);
                    }
                    self.plan.nodes[index].routers.push(options);
                }
            }
        }
        if grouped {
            let members: Vec<Vrid> = (51..51 + routers).filter_map(Vrid::new).collect();
            for node in &mut self.plan.nodes {
                node.groups.push(GroupSpec { name: Name::from("G"), members: members.clone() });
            }
        }
        if paired {
            self.pair();
        }
    }

    fn trackers(&mut self) -> Vec<TrackerSpec> {
        let random = &mut self.random;
        let mut trackers = Vec::new();
        if random.chance(15) {
            trackers.push(TrackerSpec::file(Name::from("load")));
        }
        if random.chance(15) {
            let mut spec = TrackerSpec::processes(Name::from("proxy"));
            let delay = |random: &mut Random| Duration::from_millis(*random.pick(&[0, 0, 300, 2000]));
            let (fork_delay, terminate_delay) = (delay(random), delay(random));
            let most = random.chance(40).then_some(2);
            spec.settings.measure = Measure::Count { least: 1, most, fork_delay, terminate_delay };
            trackers.push(spec);
        }
        trackers
    }

    fn scripts(&mut self) -> Vec<ScriptSpec> {
        let count = *self.random.pick(&[0, 0, 0, 1, 1, 2]);
        (0..count)
            .map(|number| {
                let random = &mut self.random;
                let interval = Duration::from_millis(*random.pick(&[500, 1000, 1000, 2000]));
                let settings = ScriptConfig {
                    name: Name::from(["first", "second"][number]),
                    interval,
                    timeout: *random.pick(&[interval, interval / 2, interval * 2]),
                    rise: random.between(1, 3) as u32,
                    fall: random.between(1, 3) as u32,
                    init_fail: random.chance(20),
                    when: *random.pick(&[When::Both, When::Both, When::Both, When::Active, When::Standby]),
                };
                let takes = Duration::from_millis(*random.pick(&[1, 10, 10, 200, 700]));
                ScriptSpec { settings, takes }
            })
            .collect()
    }

    fn kinship(&mut self, vrid: u8, nodes: usize) -> Kinship {
        let random = &mut self.random;
        let version = *random.pick(&[Version::V2, Version::V3]);
        let hundredths = match version {
            Version::V2 => *random.pick(&[100, 100, 100, 200, 500]),
            Version::V3 => *random.pick(&[100, 100, 100, 50, 200, 30, 10, 500]),
        };
        let address = |host: u64| (IpAddr::from([192, 0, 2, u8::try_from(host).unwrap_or(u8::MAX)]), 24);
        let base = u64::from(vrid);
        let count = *random.pick(&[1, 1, 1, 2, 3]);
        let authentication = authentication(version, random);
        let mut kinship = Kinship {
            vrid: Vrid::new(vrid).expect("VRIDs of the hunt begin at 51"),
            version,
            interval: Interval::from_centiseconds(hundredths).expect("none of the choices is zero"),
            way: random.chance(30).then_some(RouterOption::Unicast),
            authentication,
            addresses: (0..count).map(|more| address(base + more * 10)).collect(),
            excluded: if random.chance(15) { vec![address(base + 100)] } else { Vec::new() },
            nopreempt: random.chance(25),
            owner: random.chance(10).then(|| random.below(nodes as u64) as usize),
            inside: false,
        };
        self.families.choose(&mut kinship);
        kinship
    }

    fn router(&mut self, kin: &Kinship, node: usize) -> Vec<RouterOption> {
        let scripts: Vec<(Name, When)> = self.plan.nodes[node]
            .scripts
            .iter()
            .map(|script| (script.settings.name.clone(), script.settings.when))
            .collect();
        let trackers: Vec<TrackerName> =
            self.plan.nodes[node].trackers.iter().map(|tracker| tracker.settings.id()).collect();
        let random = &mut self.random;
        let owner = kin.owner == Some(node);
        let priority = if owner { 255 } else { *random.pick(&[1, 50, 90, 100, 100, 100, 101, 150, 200, 254]) };
        let mut options = vec![
            RouterOption::Vrid(kin.vrid),
            RouterOption::Priority(priority),
            RouterOption::Version(kin.version),
            RouterOption::Interval(kin.interval),
            RouterOption::Addresses(kin.addresses.clone()),
        ];
        if kin.inside {
            options.push(RouterOption::Interface(Name::from("eth1")));
        }
        if kin.version == Version::V3 && random.chance(15) {
            let other = *random.pick(&[30, 100, 300]);
            options.push(RouterOption::Interval(Interval::from_centiseconds(other).expect("not zero")));
        }
        if !kin.excluded.is_empty() {
            options.push(RouterOption::Excluded(kin.excluded.clone()));
        }
        options.extend(kin.way.clone());
        options.extend(kin.authentication.iter().cloned());
        if kin.nopreempt != random.chance(10) {
            options.push(RouterOption::Preempt(false));
        } else if random.chance(15) {
            options.push(RouterOption::PreemptDelay(Duration::from_millis(*random.pick(&[500, 2000, 5000]))));
        }
        for (script, when) in scripts {
            if random.chance(70) {
                let weight = if when == When::Both { weight(random) } else { weight_in_a_role(random) };
                options.push(RouterOption::TrackScript(script, weight));
            }
        }
        for TrackerName { kind, name } in trackers {
            if random.chance(80) {
                options.push(match kind {
                    TrackerKind::File => RouterOption::TrackFile(name, *random.pick(&NUMBERS_WEIGHTS)),
                    TrackerKind::Process => RouterOption::TrackProcess(name, weight(random)),
                });
            }
        }
        if random.chance(20) {
            options.push(RouterOption::TrackInterface(Name::from("eth1"), weight(random)));
        }
        if random.chance(15) {
            options.push(RouterOption::TrackInterface(Name::from("eth2"), weight(random)));
        }
        if random.chance(8) {
            options.push(RouterOption::TrackStatics);
        }
        if random.chance(8) {
            options.push(RouterOption::DontTrackPrimary);
        }
        announcing(random, &mut options);
        self.families.announcing(&mut options);
        options
    }

    fn starts(&mut self) {
        let together = self.random.chance(50);
        for node in 0..self.plan.nodes.len() {
            let at = if together { 0 } else { self.random.below(8000) };
            self.at(at, Command::Nodes(vec![NodeRef { node, vrid: None }], Act::Start));
        }
    }

    /// Any number of faults; returns when the last of them is to be mended.
    fn faults(&mut self) -> u64 {
        let healed_at = self.random.between(6000, 45_000);
        for _ in 0..self.random.below(14) {
            // Faults come in clusters: the worst come close together.
            let at = self.random.between(1, healed_at - 1);
            self.fault(at, healed_at);
            if self.random.chance(40) {
                let soon = (at + self.random.below(1500)).min(healed_at - 1);
                self.fault(soon, healed_at);
            }
        }
        healed_at
    }

    /// Reloads bring what nobody has heard of before; at the latest when everything is mended.
    fn joins(&mut self, healed_at: u64) {
        for comes in std::mem::take(&mut self.latecomers) {
            let at = self.random.between(5000, healed_at);
            self.at(at, comes.clone());
            self.give_back.push(comes);
        }
    }

    fn fault(&mut self, at: u64, healed_at: u64) {
        if self.plan.pair.is_some() && self.random.chance(60) {
            return self.fault_of_pair(at, healed_at);
        }
        let random = &mut self.random;
        let node = random.below(self.plan.nodes.len() as u64) as usize;
        let target = NodeRef { node, vrid: None };
        let span = Duration::from_millis(random.between(1, (healed_at - at).min(20_000)));
        let act = match self.swarm.pick(random) {
            Fault::PowerLost => Act::LosesPower,
            Fault::Killed => Act::Killed,
            Fault::DiesMidway => {
                let outputs = random.below(6) as u32;
                if random.chance(50) { Act::KilledAfter(outputs) } else { Act::LosesPowerAfter(outputs) }
            }
            Fault::Stopped => Act::Stop,
            Fault::Returned => Act::Returns,
            Fault::Started => Act::Start,
            Fault::Paused => Act::Pause(span),
            Fault::Suspended => Act::Suspend(span),
            Fault::Link => {
                let links = self.plan.nodes[node].links();
                let plans = [LinkPlan::Up, LinkPlan::Up, LinkPlan::Down, LinkPlan::Absent, LinkPlan::Addressless];
                Act::Link(random.pick(&links).clone(), *random.pick(&plans))
            }
            Fault::Check => {
                let scripts = &self.plan.nodes[node].scripts;
                if scripts.is_empty() {
                    return;
                }
                let name = random.pick(scripts).settings.name.clone();
                let plans = [
                    ScriptPlan::Succeeds,
                    ScriptPlan::Succeeds,
                    ScriptPlan::Fails,
                    ScriptPlan::Fails,
                    ScriptPlan::Hangs,
                    ScriptPlan::HangsDeaf,
                    ScriptPlan::Missing,
                    ScriptPlan::Flaps,
                ];
                Act::Script(name, *random.pick(&plans))
            }
            Fault::Figure => {
                let trackers = &self.plan.nodes[node].trackers;
                if trackers.is_empty() {
                    return;
                }
                let tracker = random.pick(trackers).settings.id();
                Act::Figure(match tracker.kind {
                    TrackerKind::File => {
                        let figure = *random.pick(&[-300, -2, -1, 0, 0, 1, 2, 300]);
                        FigureAct { tracker, figure, cause: FigureCause::Found }
                    }
                    TrackerKind::Process => {
                        let cause = *random.pick(&[FigureCause::Found, FigureCause::Forked, FigureCause::Ended]);
                        FigureAct { tracker, figure: random.below(4) as i64, cause }
                    }
                })
            }
            Fault::Refused => {
                // Some come at once, and some hit what follows from another fault.
                let after = *random.pick(&[0, 0, 0, 1, 2, 5, 20]);
                Act::Refuses(random.pick(&CALLS).0, after)
            }
            Fault::Sending => Act::Sending(random.chance(50)),
            Fault::Kernel => match random.below(5) {
                0..=2 => Act::Kernel(random.chance(40)),
                3 => Act::Statics(random.chance(40)),
                _ => Act::ClearStatistics,
            },
            Fault::Clock => Act::Clock(made_up_clock(random)),
            Fault::Operator => Act::Order(made_up_order(random)),
            Fault::AddressDeleted => {
                let address = IpAddr::from([192, 0, 2, *random.pick(&[51, 52, 61])]);
                Act::AddressDeleted(self.families.deleted(address, node))
            }
            Fault::Reloaded => return self.reload(at, node),
            Fault::Stranger => {
                if random.chance(40) {
                    return self.at(at, Command::Repeats(node));
                }
                let spoof = self.spoof();
                return self.at(at, Command::Stranger(spoof));
            }
            Fault::Paths => {
                let change = self.lan_change();
                // Where routers are on several, one may be cut and the other not.
                let link: Name = (*self.random.pick(&["eth0", "eth1"])).into();
                let several = self.plan.nodes.iter().flat_map(NodePlan::links).any(|other| other != link);
                if several && self.random.chance(40) {
                    return self.at(at, Command::LanOf(link, change));
                }
                return self.at(at, Command::Lan(change));
            }
        };
        self.at(at, Command::Nodes(vec![target], act));
    }

    pub(super) fn lan_change(&mut self) -> LanChange {
        let random = &mut self.random;
        let nodes = self.plan.nodes.len() as u64;
        let left = random.below(nodes) as usize;
        let right = (left + 1 + random.below(nodes - 1) as usize) % nodes as usize;
        let choice = match random.below(4) {
            0 => PathChoice::All,
            1 => PathChoice::Around(left),
            2 => PathChoice::Between(left, right),
            _ => PathChoice::From(left, right),
        };
        match random.below(8) {
            0..=2 => LanChange::Cut(choice),
            3 => LanChange::Heal,
            4 => LanChange::Loss(*random.pick(&[5, 30, 60, 90]), choice),
            5 => LanChange::Duplicate(*random.pick(&[10, 100]), choice),
            6 => LanChange::Delay(Duration::from_millis(random.below(1500)), choice),
            _ => LanChange::Jitter(Duration::from_millis(random.below(1500)), choice),
        }
    }

    fn reload(&mut self, at: u64, node: usize) {
        let random = &mut self.random;
        let routers = &self.plan.nodes[node].routers;
        let spec = RouterSpec::new(random.pick::<Vec<RouterOption>>(routers));
        let target = NodeRef { node, vrid: Some(spec.settings.vrid.get()) };
        let owner = spec.settings.priority.is_address_owner();
        let mut addresses: Vec<(IpAddr, u8)> =
            spec.settings.addresses.iter().map(|entry| (entry.address, entry.prefix)).collect();
        let options = match random.below(14) {
            0 => Vec::new(),
            1..=2 if !owner => vec![RouterOption::Priority(*random.pick(&[1, 60, 100, 150, 254]))],
            3 => vec![RouterOption::Preempt(random.chance(50))],
            4 => {
                addresses.push(one_more(&spec, 30));
                vec![RouterOption::Addresses(addresses)]
            }
            5 => {
                addresses.truncate(1);
                vec![RouterOption::Addresses(addresses)]
            }
            6 if spec.settings.version == Version::V3 => {
                let other = *random.pick(&[20, 100, 250]);
                vec![RouterOption::Interval(Interval::from_centiseconds(other).expect("not zero"))]
            }
            7 => {
                let back = Act::Reload(vec![RouterOption::Added]);
                self.give_back.push(Command::Nodes(vec![target], back));
                vec![RouterOption::Removed]
            }
            8 => vec![RouterOption::Added],
            9 => {
                let back = match &spec.settings.authentication {
                    Authentication::None => vec![RouterOption::NoPassword],
                    Authentication::SimplePassword(_) => vec![RouterOption::Password("secret".to_owned())],
                    Authentication::Header(_) => vec![RouterOption::Header("secret".to_owned())],
                    // A password in between forgets how, and all nodes must have the same.
                    Authentication::Hmac(policy) => {
                        vec![RouterOption::Hmac(1), RouterOption::AntiReplay(policy.anti_replay)]
                    }
                };
                self.give_back.push(Command::Nodes(vec![target], Act::Reload(back)));
                vec![match spec.settings.version {
                    Version::V2 => RouterOption::Password("other".to_owned()),
                    Version::V3 => RouterOption::Hmac(*random.pick(&[1, 2])),
                }]
            }
            10 => {
                let back = match (spec.unicast, spec.link_local) {
                    (true, true) => RouterOption::UnicastLinkLocal,
                    (true, false) => RouterOption::Unicast,
                    (false, _) => RouterOption::Multicast,
                };
                self.give_back.push(Command::Nodes(vec![target], Act::Reload(vec![back])));
                vec![if spec.unicast { RouterOption::Multicast } else { RouterOption::Unicast }]
            }
            11 => {
                let delay = Duration::from_millis(*random.pick(&[0, 500, 2000]));
                vec![RouterOption::PreemptDelay(delay)]
            }
            12 => vec![RouterOption::SkipCheckAdvAddr, RouterOption::GarpRefresh(Duration::from_secs(2))],
            _ => vec![RouterOption::TrackInterface(Name::from("eth0"), Weight::Fault)],
        };
        self.at(at, Command::Nodes(vec![target], Act::Reload(options)));
    }

    fn spoof(&mut self) -> Spoof {
        let random = &mut self.random;
        let nodes = self.plan.nodes.len() as u64;
        let spec = RouterSpec::new(&self.plan.nodes[0].routers[0]);
        let source = match random.below(3) {
            0 => Plan::primary(random.below(nodes) as usize, "eth0"),
            1 => Ipv4Addr::new(192, 0, 2, 99),
            _ => Ipv4Addr::new(192, 0, 1, 1),
        };
        let source = self.families.source(&spec, source);
        let to = spec.unicast.then(|| random.below(nodes) as usize);
        let octets = |random: &mut Random| (0..random.below(60)).map(|_| random.any() as u8).collect();
        if random.chance(15) {
            return Spoof { to, source, content: SpoofContent::Octets(octets(random)) };
        }
        let content = SpoofContent::Advertisement {
            version: if random.chance(80) { spec.settings.version } else { *random.pick(&[Version::V2, Version::V3]) },
            vrid: *random.pick(&[51, 51, 51, 52, 99]),
            priority: *random.pick(&[0, 0, 1, 99, 100, 101, 254, 255]),
            interval: if random.chance(80) {
                spec.settings.advertisement_interval
            } else {
                Interval::from_centiseconds(*random.pick(&[1, 100, 500])).expect("not zero")
            },
            ttl: *random.pick(&[255, 255, 255, 254, 1]),
            password: random.chance(30).then(|| random.pick(&["secret", "wrong"]).to_string()),
            addresses: if random.chance(70) { of_51(source) } else { Vec::new() },
            bad_checksum: random.chance(10),
            shorter_by: *random.pick(&[0, 0, 0, 0, 1, 9]),
        };
        Spoof { to, source, content }
    }

    /// Everything is put right; then there is time to settle, and some more to stay settled.
    fn mend(&mut self, at: u64) {
        self.at(at, Command::Lan(LanChange::Heal));
        if self.plan.pair.is_some_and(|pair| pair.line.is_some()) {
            self.at(at, Command::Line(LanChange::Heal));
        }
        let mut everybody: Vec<NodeRef> = Vec::new();
        for node in 0..self.plan.nodes.len() {
            let target = vec![NodeRef { node, vrid: None }];
            everybody.extend(&target);
            for link in self.plan.nodes[node].links() {
                self.at(at, Command::Nodes(target.clone(), Act::Link(link, LinkPlan::Up)));
            }
            let names: Vec<Name> = self.plan.nodes[node].scripts.iter().map(|s| s.settings.name.clone()).collect();
            for name in names {
                self.at(at, Command::Nodes(target.clone(), Act::Script(name, ScriptPlan::Succeeds)));
            }
            for tracker in self.plan.nodes[node].trackers.clone() {
                let (tracker, figure) = (tracker.settings.id(), tracker.begins_at);
                let as_before = FigureAct { tracker, figure, cause: FigureCause::Found };
                self.at(at, Command::Nodes(target.clone(), Act::Figure(as_before)));
            }
            self.mend_services(at, node);
            for right in [ClockAct::Drifts(0), ClockAct::Ahead(Duration::ZERO)] {
                self.at(at, Command::Nodes(target.clone(), Act::Clock(right)));
            }
            self.at(at, Command::Nodes(target.clone(), Act::Kernel(true)));
            self.at(at, Command::Nodes(target.clone(), Act::Statics(true)));
            self.at(at, Command::Nodes(target.clone(), Act::Sending(true)));
            self.at(at, Command::Nodes(target.clone(), Act::RefusesNothing));
            self.at(at, Command::Nodes(target.clone(), Act::Returns));
            // What was without power heard nothing of it before.
            self.mend_services(at, node);
            self.at(at, Command::Nodes(target, Act::Start));
        }
        // A daemon that was just stopping is started when it has gone.
        let last = at + 6000;
        for target in &everybody {
            self.at(last, Command::Nodes(vec![*target], Act::Start));
        }
        self.calm_operators(last + 2);
        for command in std::mem::take(&mut self.give_back) {
            self.at(last + 1, command);
        }
        let specs: Vec<RouterSpec> =
            self.plan.nodes.iter().flat_map(|node| &node.routers).map(|options| RouterSpec::new(options)).collect();
        let checks = self.plan.nodes.iter().flat_map(|node| &node.scripts);
        let settled = time_to_settle(specs.iter(), checks, self.plan.longest_interval());
        let settled = settled + self.plan.time_of_groups() + self.plan.startup_delay + self.plan.tentative;
        let settled = settled + time_of_services(&self.plan) + Duration::from_millis(500);
        let settled = last + settled.as_millis() as u64;
        let rest = self.random.between(3000, 9000);
        self.plan.end = Instant::from_millis(settled + rest);
        for _ in 0..self.random.below(3) {
            let at = settled + self.random.below(rest);
            self.harmless(at);
        }
    }

    /// Something that must not disturb a LAN at rest.
    fn harmless(&mut self, at: u64) {
        let node = self.random.below(self.plan.nodes.len() as u64) as usize;
        let router: &Vec<RouterOption> = self.random.pick(&self.plan.nodes[node].routers);
        let spec = RouterSpec::new(router);
        let target = NodeRef { node, vrid: Some(spec.settings.vrid.get()) };
        let act = match self.random.below(4) {
            0 => Act::Reload(Vec::new()),
            1 => Act::AddressDeleted(spec.settings.addresses[0].address),
            2 => {
                let first = &spec.settings.addresses[0];
                Act::Reload(vec![RouterOption::Addresses(vec![(first.address, first.prefix), one_more(&spec, 40)])])
            }
            _ => Act::Reload(vec![RouterOption::GarpRefresh(Duration::from_secs(1))]),
        };
        self.at(at, Command::Nodes(vec![target], act));
    }

    pub(super) fn at(&mut self, milliseconds: u64, command: Command) {
        self.plan.steps.push(Step { at: Instant::from_millis(milliseconds), command });
    }
}

/// A password, a key, or nothing.
fn authentication(version: Version, random: &mut Random) -> Vec<RouterOption> {
    if version == Version::V2 && random.chance(25) {
        let word = "secret".to_owned();
        return vec![if random.chance(30) { RouterOption::Header(word) } else { RouterOption::Password(word) }];
    }
    if !random.chance(20) {
        return Vec::new();
    }
    let mut options = vec![RouterOption::Hmac(1)];
    if random.chance(30) {
        options.push(RouterOption::HmacMode(*random.pick(&[HmacMode::Permissive, HmacMode::ReceiveOnly])));
    }
    if random.chance(30) {
        options.push(RouterOption::AntiReplay(AntiReplay::Monotonic));
    }
    options
}

/// What a number in a file is multiplied with.
const NUMBERS_WEIGHTS: [Weight; 6] = [
    Weight::Fault,
    Weight::Priority(-20),
    Weight::Priority(1),
    Weight::Priority(30),
    Weight::Reversed(2),
    Weight::Reversed(60),
];

/// Of a check that runs in one role only: what is good there must not be worth more than what does not run elsewhere, or
/// the role would go to and fro.
fn weight_in_a_role(random: &mut Random) -> Weight {
    *random.pick(&[Weight::Fault, Weight::Fault, Weight::Priority(-20), Weight::Priority(-100)])
}

fn made_up_clock(random: &mut Random) -> ClockAct {
    let span = Duration::from_millis(*random.pick(&[1, 900, 3000, 10_000, 3_600_000]));
    match random.below(3) {
        0 => ClockAct::Ahead(span),
        1 => ClockAct::Behind(span),
        _ => ClockAct::Drifts(*random.pick(&[-10_000, -200, 200, 10_000])),
    }
}

fn weight(random: &mut Random) -> Weight {
    let number = *random.pick(&[-253, -100, -60, -20, -1, 1, 2, 20, 60, 120]);
    match random.below(10) {
        0..=4 => Weight::Fault,
        5..=8 => Weight::Priority(number),
        _ => Weight::Reversed(number),
    }
}

fn announcing(random: &mut Random, options: &mut Vec<RouterOption>) {
    if random.chance(30) {
        options.push(RouterOption::GarpRepeat(*random.pick(&[1, 1, 2])));
    }
    if random.chance(30) {
        options.push(RouterOption::GarpDelay(Duration::from_millis(*random.pick(&[0, 0, 1000]))));
    }
    if random.chance(30) {
        options.push(RouterOption::GarpLowerDelay(Duration::from_millis(*random.pick(&[0, 0, 1000]))));
    }
    if random.chance(20) {
        options.push(RouterOption::GarpRefresh(Duration::from_millis(*random.pick(&[1000, 3000]))));
    }
    if random.chance(15) {
        options.push(RouterOption::GarpPacing(Duration::from_millis(*random.pick(&[1, 20, 200]))));
    }
}
