//! Made-up pairs, services and what befalls them.

use std::time::Duration;

use engine::{Budget, Failback, Instant, Name, OnManualStop, ScriptConfig, When};

use super::generate::Maker;
use crate::plan::{
    Act, Command, DiskAct, LanChange, ManagerPlan, NodePlan, NodeRef, Order, PairPlan, PathChoice, PathQuality, Plan,
    RouterOption, RouterSpec, ServiceAct, ServiceChange, ServiceSpec, Step,
};
use crate::random::Random;

impl Maker {
    /// The first two nodes become a pair, with a service for most routers that both have.
    pub(super) fn pair(&mut self) {
        let random = &mut self.random;
        let mut pair = PairPlan::new((0, 1));
        // The fast ones cost the most time and show nothing that the others do not; a few must be there all the same.
        let usual = [(100, 800), (250, 1000), (250, 1500), (500, 2000), (500, 2000)];
        let (heartbeat, dead_after) = if random.chance(4) { (25, 300) } else { *random.pick(&usual) };
        pair.heartbeat = Duration::from_millis(heartbeat);
        pair.dead_after = Duration::from_millis(dead_after);
        pair.keys_differ = random.chance(2);
        if random.chance(50) {
            let delay = Duration::from_micros(*random.pick(&[100, 100, 2000]));
            let jitter = Duration::from_micros(*random.pick(&[0, 0, 3000]));
            pair.line = Some(PathQuality { delay, jitter, loss: 0, duplicate: *random.pick(&[0, 0, 10]) });
        }
        self.plan.disk_delay = Duration::from_millis(*random.pick(&[0, 5, 5, 200]));
        self.plan.pair = Some(pair);
        let vrid = |nodes: &[NodePlan], node: usize, number: usize| {
            nodes[node].routers.get(number).map(|options| RouterSpec::new(options).settings.vrid)
        };
        let shared = |nodes: &[NodePlan], number: usize| {
            let left = vrid(nodes, 0, number);
            left.is_some() && left == vrid(nodes, 1, number)
        };
        for (number, name) in [(0, "web"), (1, "db")] {
            if !shared(&self.plan.nodes, number) || (number == 1 && self.random.chance(50)) {
                continue;
            }
            let spec = made_up_service(name.into(), &mut self.random);
            for node in 0..2 {
                self.plan.nodes[node].routers[number].push(RouterOption::Service(name.into()));
                let mut spec = spec.clone();
                // The machines are not alike.
                spec.starts_in *= node as u32 + 1;
                self.plan.nodes[node].services.push(spec);
            }
        }
    }

    pub(super) fn fault_of_pair(&mut self, at: u64, healed_at: u64) {
        let random = &mut self.random;
        let node = random.below(2) as usize;
        let target = NodeRef { node, vrid: None };
        let services = &self.plan.nodes[node].services;
        let act = match random.below(21) {
            0..=8 if !services.is_empty() => {
                let name = random.pick(services).settings.name.clone();
                Act::Process(name, made_up_act(random))
            }
            9..=11 => Act::Order(made_up_order(random)),
            12 => Act::DownFile(random.chance(60)),
            20 if !services.is_empty() => {
                let old = random.pick(services).clone();
                let name = old.settings.name.clone();
                match random.below(10) {
                    0..=2 => {
                        let back = Command::Nodes(vec![target], Act::ReloadService(name.clone(), ServiceChange::Added));
                        self.give_back.push(back);
                        let gone = Act::ReloadService(name, ServiceChange::Removed);
                        return self.at(at, Command::Nodes(vec![target], gone));
                    }
                    3 => {
                        let back = Act::ReloadService(name, ServiceChange::Added);
                        return self.at(at, Command::Nodes(vec![target], back));
                    }
                    _ => {}
                }
                // Other figures; the pretend world stays as it is.
                let mut new = made_up_service(old.settings.name.clone(), random);
                (new.manager, new.starts_in, new.stops_in) = (old.manager, old.starts_in, old.stops_in);
                new.answers_in = old.answers_in;
                give_time(&mut new);
                (new.enabled, new.respawns_in) = (old.enabled, old.respawns_in);
                Act::ReloadService(old.settings.name, ServiceChange::Becomes(Box::new(new)))
            }
            13 => Act::Disk(*random.pick(&[DiskAct::Works, DiskAct::ReadOnly, DiskAct::Damaged, DiskAct::Lost])),
            14 => Act::LosesPower,
            15 => Act::Boots,
            16 => Act::Killed,
            17 => Act::Pause(Duration::from_millis(random.between(1, (healed_at - at).min(4000)))),
            18 if self.plan.pair.is_some_and(|pair| pair.line.is_some()) => {
                let change = *random.pick(&[
                    LanChange::Cut(PathChoice::All),
                    LanChange::Cut(PathChoice::From(0, 1)),
                    LanChange::Heal,
                    LanChange::Loss(50, PathChoice::All),
                    LanChange::Duplicate(100, PathChoice::All),
                    LanChange::Delay(Duration::from_millis(900), PathChoice::All),
                    LanChange::Jitter(Duration::from_millis(700), PathChoice::All),
                ]);
                return self.at(at, Command::Line(change));
            }
            _ => {
                let change = self.lan_change();
                return self.at(at, Command::Lan(change));
            }
        };
        self.at(at, Command::Nodes(vec![target], act));
    }

    /// From now on, services do what they are told, and their managers answer.
    pub(super) fn mend_services(&mut self, at: u64, node: usize) {
        if self.plan.nodes[node].services.is_empty() {
            return;
        }
        let target = NodeRef { node, vrid: None };
        let names: Vec<Name> = self.plan.nodes[node].services.iter().map(|spec| spec.settings.name.clone()).collect();
        for name in names {
            for act in MENDED {
                self.at(at, Command::Nodes(vec![target], Act::Process(name.clone(), act)));
            }
        }
        for act in [Act::Disk(DiskAct::Works), Act::DownFile(false)] {
            self.at(at, Command::Nodes(vec![target], act));
        }
    }

    /// Nobody holds anything any more.
    pub(super) fn calm_operators(&mut self, at: u64) {
        for node in 0..self.plan.nodes.len() {
            for order in [Order::EndMaintenance, Order::Acknowledge] {
                self.at(at, Command::Nodes(vec![NodeRef { node, vrid: None }], Act::Order(order)));
            }
            for router in 0..self.plan.nodes[node].routers.len() {
                let vrid = RouterSpec::new(&self.plan.nodes[node].routers[router]).settings.vrid.get();
                let target = NodeRef { node, vrid: Some(vrid) };
                self.at(at, Command::Nodes(vec![target], Act::Order(Order::Release)));
            }
        }
    }
}

const MENDED: [ServiceAct; 6] = [
    ServiceAct::Holds,
    ServiceAct::Answers,
    ServiceAct::Starts,
    ServiceAct::Stops,
    ServiceAct::Ready,
    ServiceAct::InSight,
];

fn made_up_service(name: Name, random: &mut Random) -> ServiceSpec {
    let milliseconds = |random: &mut Random, choices: &[u64]| Duration::from_millis(*random.pick(choices));
    let mut spec = ServiceSpec::new(name);
    spec.manager = *random.pick(&[ManagerPlan::Systemd, ManagerPlan::Command]);
    spec.starts_in = milliseconds(random, &[0, 20, 300, 1500]);
    spec.answers_in = milliseconds(random, &[0, 0, 0, 250]);
    spec.stops_in = milliseconds(random, &[0, 10, 100, 900]);
    spec.enabled = spec.manager == ManagerPlan::Systemd && random.chance(25);
    spec.respawns_in =
        (spec.manager == ManagerPlan::Systemd && random.chance(10)).then_some(Duration::from_millis(100));
    let settings = &mut spec.settings;
    settings.start_grace = milliseconds(random, &[0, 1000, 4000]);
    settings.start_timeout = milliseconds(random, &[4000, 6000]);
    settings.stop_timeout = milliseconds(random, &[500, 2000]);
    settings.restart = Budget { limit: *random.pick(&[0, 0, 1, 3]), within: milliseconds(random, &[5000, 20_000]) };
    settings.max_moves = Budget { limit: *random.pick(&[1, 2, 3]), within: milliseconds(random, &[20_000, 600_000]) };
    settings.on_manual_stop = *random.pick(&[
        OnManualStop::Failover,
        OnManualStop::Failover,
        OnManualStop::Restart,
        OnManualStop::Maintenance,
    ]);
    settings.failback = *random.pick(&[Failback::Auto, Failback::Auto, Failback::Manual, Failback::Never]);
    settings.readiness_interval = milliseconds(random, &[500, 1000, 2000]);
    settings.readiness_rise = random.between(1, 3) as u32;
    if random.chance(20) {
        settings.while_active.push(milliseconds(random, &[1000, 5000]));
    }
    if random.chance(60) {
        let interval = milliseconds(random, &[200, 1000]);
        settings.checks.push(ScriptConfig {
            name: format!("{}_answers", settings.name).as_str().into(),
            interval,
            timeout: interval,
            rise: random.between(1, 2) as u32,
            fall: random.between(1, 3) as u32,
            init_fail: false,
            when: When::Both,
        });
    }
    give_time(&mut spec);
    spec
}

/// A service that cannot come up within its grace never works, which is nobody's mistake but the configuration's.
fn give_time(spec: &mut ServiceSpec) {
    if !spec.answers_in.is_zero() {
        // It is looked at each quarter of a second, and may have to be found good twice.
        spec.settings.start_grace = spec.settings.start_grace.max(spec.answers_in + Duration::from_secs(1));
    }
}

fn made_up_act(random: &mut Random) -> ServiceAct {
    let span = Duration::from_millis(*random.pick(&[0, 50, 700, 3000]));
    *random.pick(&[
        ServiceAct::Crashes,
        ServiceAct::Crashes,
        ServiceAct::Crashes,
        ServiceAct::CrashesAfter(span),
        ServiceAct::Holds,
        ServiceAct::Hangs,
        ServiceAct::Freezes,
        ServiceAct::AnswersBadly,
        ServiceAct::Answers,
        ServiceAct::RefusesToStart,
        ServiceAct::NeverComesUp,
        ServiceAct::Starts,
        ServiceAct::IgnoresStop,
        ServiceAct::CannotDie,
        ServiceAct::RefusesToStop,
        ServiceAct::Stops,
        ServiceAct::NotReady,
        ServiceAct::Ready,
        ServiceAct::OutOfSight,
        ServiceAct::InSight,
        ServiceAct::StartedByHand,
        ServiceAct::StoppedByHand,
        ServiceAct::StoppedByHand,
        ServiceAct::StopsIn(span),
    ])
}

pub(super) fn made_up_order(random: &mut Random) -> Order {
    let here = random.chance(50);
    let span = Duration::from_millis(*random.pick(&[500, 5000]));
    *random.pick(&[
        Order::Switch { here, dry_run: false },
        Order::Switch { here, dry_run: false },
        Order::Switch { here, dry_run: false },
        Order::Switch { here, dry_run: true },
        Order::Hold,
        Order::Release,
        Order::Maintain(Some(span)),
        Order::Maintain(None),
        Order::EndMaintenance,
        Order::Acknowledge,
    ])
}

/// Two sound machines on a sound LAN and nothing but a service that fails, here and there, again and again.
#[must_use]
pub fn crash_schedule(seed: u64) -> Plan {
    let mut random = Random::new(seed ^ 0x5e71_ce00);
    let router = |priority| {
        vec![
            RouterOption::Vrid(engine::Vrid::new(51).expect("51 is not 0")),
            RouterOption::Priority(priority),
            RouterOption::Service("web".into()),
        ]
    };
    let mut spec = made_up_service("web".into(), &mut random);
    spec.settings.max_moves.within = Duration::from_secs(*random.pick(&[10, 30, 600]));
    (spec.enabled, spec.respawns_in) = (false, None);
    let second = *random.pick(&[100, 100, 150]);
    let nodes = [("a", 150), ("b", second)].map(|(name, priority)| NodePlan {
        name: name.to_owned(),
        routers: vec![router(priority)],
        services: vec![spec.clone()],
        ..NodePlan::default()
    });
    let (heartbeat, dead_after) = (Duration::from_millis(500), Duration::from_secs(2));
    let pair = PairPlan { heartbeat, dead_after, ..PairPlan::new((0, 1)) };
    let mut plan = Plan { seed, nodes: nodes.into(), pair: Some(pair), ..Plan::default() };
    let everybody = [0, 1].map(|node| NodeRef { node, vrid: None });
    let mut steps = vec![(0, everybody.to_vec(), Act::Start)];
    for _ in 0..random.between(3, 30) {
        let target = everybody[random.below(2) as usize];
        let at = random.between(4000, 40_000);
        let span = Duration::from_millis(*random.pick(&[0, 100, 2000]));
        let act = *random.pick(&[
            ServiceAct::Crashes,
            ServiceAct::Crashes,
            ServiceAct::Crashes,
            ServiceAct::CrashesAfter(span),
            ServiceAct::Holds,
            ServiceAct::RefusesToStart,
            ServiceAct::Starts,
            ServiceAct::Hangs,
            ServiceAct::Answers,
        ]);
        steps.push((at, vec![target], Act::Process("web".into(), act)));
        if random.chance(10) {
            steps.push((at + random.below(3000), vec![target], Act::Order(Order::Acknowledge)));
        }
    }
    for act in MENDED {
        steps.push((40_000, everybody.to_vec(), Act::Process("web".into(), act)));
    }
    steps.push((48_000, everybody.to_vec(), Act::Order(Order::Acknowledge)));
    steps.sort_by_key(|(at, ..)| *at);
    let step = |(at, targets, act)| Step { at: Instant::from_millis(at), command: Command::Nodes(targets, act) };
    plan.steps = steps.into_iter().map(step).collect();
    let rest = crate::invariant::settle::time_of_services(&plan) + Duration::from_secs(8);
    plan.end = Instant::from_millis(48_000) + rest;
    plan
}
