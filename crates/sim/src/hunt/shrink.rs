//! Makes a plan that breaks a rule smaller, as long as it still breaks that rule.

use std::time::Duration;

use engine::{Instant, TrackerKind};

use crate::invariant::{Finding, Rule};
use crate::plan::{
    Act, Command, LanChange, NodePlan, NodeRef, PairPlan, PathChoice, Plan, RouterOption, ServiceSpec, Step,
};
use crate::world::Record;

/// The smallest plan found.
#[must_use]
pub fn shrink(plan: &Plan, finding: &Finding) -> Plan {
    let mut best = Attempt { plan: plan.clone(), rule: finding.rule, sentence: sentence(&finding.what), left: 4000 };
    loop {
        let before = best.plan.clone();
        best.fewer_steps();
        best.fewer_nodes();
        best.fewer_options();
        best.plainer_lan();
        best.rounder_times();
        best.earlier_end();
        if best.plan == before || best.left == 0 {
            return best.plan;
        }
    }
}

/// What was found without its figures and names of nodes: another sentence is another mistake.
fn sentence(what: &str) -> String {
    let words = what.split_whitespace().filter(|word| word.trim_end_matches(':').len() > 1);
    words.map(|word| word.trim_matches(|c: char| c.is_ascii_digit() || c == '.')).collect::<Vec<_>>().join(" ")
}

struct Attempt {
    plan: Plan,
    rule: Rule,
    sentence: String,
    /// Runs that may still be spent.
    left: usize,
}

impl Attempt {
    /// Keeps a smaller plan if it breaks the same rule in the same way.
    fn keep(&mut self, smaller: Plan) -> bool {
        if self.left == 0 || smaller == self.plan {
            return false;
        }
        self.left -= 1;
        let run = super::run_safely(&smaller, Record::Findings);
        let still =
            run.finding.is_some_and(|finding| finding.rule == self.rule && sentence(&finding.what) == self.sentence);
        if still {
            self.plan = smaller;
        }
        still
    }

    /// Halves, quarters, … single ones.
    fn fewer_steps(&mut self) {
        let mut length = self.plan.steps.len().div_ceil(2);
        while length > 0 {
            let mut from = 0;
            while from < self.plan.steps.len() {
                let mut smaller = self.plan.clone();
                let to = (from + length).min(smaller.steps.len());
                smaller.steps.drain(from..to);
                if !self.keep(smaller) {
                    from += length;
                }
            }
            length /= 2;
        }
    }

    fn fewer_nodes(&mut self) {
        for node in (0..self.plan.nodes.len()).rev() {
            if self.plan.nodes.len() > 1 {
                self.keep(without_node(&self.plan, node));
            }
        }
    }

    fn fewer_options(&mut self) {
        for node in 0..self.plan.nodes.len() {
            for router in (0..self.plan.nodes[node].routers.len()).rev() {
                let mut smaller = self.plan.clone();
                if smaller.nodes[node].routers.len() > 1 {
                    let gone = smaller.nodes[node].routers.remove(router);
                    leave_groups(&mut smaller.nodes[node], &gone);
                    if self.keep(smaller) {
                        continue;
                    }
                }
                for option in (0..self.plan.nodes[node].routers[router].len()).rev() {
                    let mut smaller = self.plan.clone();
                    let options = &mut smaller.nodes[node].routers[router];
                    if !matches!(options.remove(option), RouterOption::Vrid(_)) {
                        self.keep(smaller);
                    }
                }
            }
            let mut smaller = self.plan.clone();
            smaller.nodes[node].groups.clear();
            self.keep(smaller);
            for tracker in (0..self.plan.nodes[node].trackers.len()).rev() {
                self.keep(without_tracker(&self.plan, node, tracker));
            }
            self.plainer_services(node);
            for script in (0..self.plan.nodes[node].scripts.len()).rev() {
                self.keep(without_script(&self.plan, node, script));
            }
        }
    }

    /// Services as by default, or none.
    fn plainer_services(&mut self, node: usize) {
        for place in (0..self.plan.nodes[node].services.len()).rev() {
            if self.keep(without_service(&self.plan, node, place)) {
                continue;
            }
            let plainer: [fn(&mut ServiceSpec, &ServiceSpec); 15] = [
                |spec, plain| *spec = plain.clone(),
                |spec, plain| spec.manager = plain.manager,
                |spec, plain| spec.starts_in = plain.starts_in,
                |spec, plain| spec.answers_in = plain.answers_in,
                |spec, plain| spec.stops_in = plain.stops_in,
                |spec, plain| spec.enabled = plain.enabled,
                |spec, plain| spec.respawns_in = plain.respawns_in,
                |spec, plain| spec.settings.checks = plain.settings.checks.clone(),
                |spec, plain| spec.settings.start_timeout = plain.settings.start_timeout,
                |spec, plain| spec.settings.stop_timeout = plain.settings.stop_timeout,
                |spec, plain| spec.settings.restart = plain.settings.restart,
                |spec, plain| spec.settings.max_moves = plain.settings.max_moves,
                |spec, plain| spec.settings.on_manual_stop = plain.settings.on_manual_stop,
                |spec, plain| spec.settings.failback = plain.settings.failback,
                |spec, plain| spec.settings.while_active = plain.settings.while_active.clone(),
            ];
            for change in plainer {
                let mut smaller = self.plan.clone();
                let spec = &mut smaller.nodes[node].services[place];
                change(spec, &ServiceSpec::new(spec.settings.name.clone()));
                self.keep(smaller);
            }
        }
    }

    fn plainer_lan(&mut self) {
        let plainer: [fn(&mut Plan); 14] = [
            |plan| plan.pair = None,
            |plan| plan.pair = plan.pair.map(|pair| PairPlan::new(pair.nodes)),
            |plan| plan.pair = plan.pair.map(|pair| PairPlan { line: None, ..pair }),
            |plan| plan.pair = plan.pair.map(|pair| PairPlan { line: pair.line.map(|_| Plan::default().lan), ..pair }),
            |plan| plan.startup_delay = Duration::ZERO,
            |plan| plan.address_lifetime = None,
            |plan| plan.tentative = Duration::ZERO,
            |plan| plan.disk_delay = Plan::default().disk_delay,
            |plan| plan.lan = Plan::default().lan,
            |plan| plan.lan.jitter = Duration::ZERO,
            |plan| plan.lan.duplicate = 0,
            |plan| plan.wake_late = Duration::ZERO,
            |plan| plan.kernel_delay = Duration::ZERO,
            |plan| plan.seed = Plan::default().seed,
        ];
        for change in plainer {
            let mut smaller = self.plan.clone();
            change(&mut smaller);
            self.keep(smaller);
        }
    }

    fn rounder_times(&mut self) {
        for unit in [1000, 100, 10] {
            for index in 0..self.plan.steps.len() {
                let mut smaller = self.plan.clone();
                let milliseconds = smaller.steps[index].at.as_nanos() / 1_000_000;
                smaller.steps[index].at = Instant::from_millis(milliseconds / unit * unit);
                smaller.steps.sort_by_key(|step| step.at);
                self.keep(smaller);
            }
        }
    }

    fn earlier_end(&mut self) {
        let last = self.plan.steps.last().map_or(0, |step| step.at.as_nanos() / 1_000_000);
        let end = self.plan.end.as_nanos() / 1_000_000;
        for part in [8, 4, 2] {
            let mut smaller = self.plan.clone();
            smaller.end = Instant::from_millis(last + (end - last) / part);
            if self.keep(smaller) {
                return;
            }
        }
    }
}

/// The plan without a node; the others move up, so their addresses change.
fn without_node(plan: &Plan, gone: usize) -> Plan {
    let mut smaller = plan.clone();
    smaller.nodes.remove(gone);
    let moved = |node: usize| match node {
        node if node == gone => None,
        node if node > gone => Some(node - 1),
        node => Some(node),
    };
    let target = |target: &NodeRef| Some(NodeRef { node: moved(target.node)?, ..*target });
    let choice = |choice: PathChoice| {
        Some(match choice {
            PathChoice::All => PathChoice::All,
            PathChoice::Around(node) => PathChoice::Around(moved(node)?),
            PathChoice::Between(left, right) => PathChoice::Between(moved(left)?, moved(right)?),
            PathChoice::From(left, right) => PathChoice::From(moved(left)?, moved(right)?),
        })
    };
    let change = |change: LanChange| {
        Some(match change {
            LanChange::Heal => LanChange::Heal,
            LanChange::Cut(paths) => LanChange::Cut(choice(paths)?),
            LanChange::Loss(percent, paths) => LanChange::Loss(percent, choice(paths)?),
            LanChange::Duplicate(percent, paths) => LanChange::Duplicate(percent, choice(paths)?),
            LanChange::Delay(span, paths) => LanChange::Delay(span, choice(paths)?),
            LanChange::Jitter(span, paths) => LanChange::Jitter(span, choice(paths)?),
        })
    };
    let command = |command: &Command| match command {
        Command::Nodes(targets, act) => {
            let targets: Vec<NodeRef> = targets.iter().filter_map(target).collect();
            (!targets.is_empty()).then(|| Command::Nodes(targets, act.clone()))
        }
        Command::Lan(lan) => change(*lan).map(Command::Lan),
        Command::LanOf(link, lan) => change(*lan).map(|lan| Command::LanOf(link.clone(), lan)),
        Command::Line(line) => change(*line).map(Command::Line),
        Command::Stranger(spoof) => {
            let mut spoof = spoof.clone();
            if let Some(to) = spoof.to {
                spoof.to = Some(moved(to)?);
            }
            Some(Command::Stranger(spoof))
        }
        Command::Repeats(node) => moved(*node).map(Command::Repeats),
    };
    smaller.pair = plan.pair.and_then(|pair| {
        let nodes = (moved(pair.nodes.0)?, moved(pair.nodes.1)?);
        Some(PairPlan { nodes, ..pair })
    });
    smaller.steps =
        plan.steps.iter().filter_map(|step| Some(Step { at: step.at, command: command(&step.command)? })).collect();
    smaller
}

/// The plan without a service, and without everything that speaks of it.
fn without_service(plan: &Plan, node: usize, place: usize) -> Plan {
    let mut smaller = plan.clone();
    let gone = smaller.nodes[node].services.remove(place).settings.name;
    for options in &mut smaller.nodes[node].routers {
        options.retain(|option| !matches!(option, RouterOption::Service(name) if *name == gone));
    }
    smaller.steps.retain(|step| match &step.command {
        Command::Nodes(targets, Act::Process(name, _) | Act::ReloadService(name, _)) => {
            *name != gone || targets.iter().any(|target| target.node != node)
        }
        _ => true,
    });
    smaller
}

/// A router that is gone is in no group.
fn leave_groups(node: &mut NodePlan, gone: &[RouterOption]) {
    for group in &mut node.groups {
        group.members.retain(|member| !gone.contains(&RouterOption::Vrid(*member)));
    }
    node.groups.retain(|group| !group.members.is_empty());
}

/// The plan without something tracked, and without everything that speaks of it.
fn without_tracker(plan: &Plan, node: usize, tracker: usize) -> Plan {
    let mut smaller = plan.clone();
    let gone = smaller.nodes[node].trackers.remove(tracker).settings.id();
    for options in &mut smaller.nodes[node].routers {
        options.retain(|option| match option {
            RouterOption::TrackFile(name, _) => gone.kind != TrackerKind::File || *name != gone.name,
            RouterOption::TrackProcess(name, _) => gone.kind != TrackerKind::Process || *name != gone.name,
            _ => true,
        });
    }
    smaller.steps.retain(|step| match &step.command {
        Command::Nodes(targets, Act::Figure(change)) => {
            change.tracker != gone || targets.iter().any(|target| target.node != node)
        }
        _ => true,
    });
    smaller
}

/// The plan without a check, and without everything that speaks of it.
fn without_script(plan: &Plan, node: usize, script: usize) -> Plan {
    let mut smaller = plan.clone();
    let gone = smaller.nodes[node].scripts.remove(script).settings.name;
    for options in &mut smaller.nodes[node].routers {
        options.retain(|option| !matches!(option, RouterOption::TrackScript(name, _) if *name == gone));
    }
    smaller.steps.retain(|step| match &step.command {
        Command::Nodes(targets, Act::Script(name, _)) => {
            *name != gone || targets.iter().any(|target| target.node != node)
        }
        _ => true,
    });
    smaller
}
