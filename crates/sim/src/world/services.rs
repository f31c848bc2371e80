//! Services in the pretend world: orders to their managers, what becomes of their processes, what is reported, what
//! operators say, and what is kept for the next life.

use std::time::Duration;

use engine::{Command, HeldBy, Input, Name, RouterId, ScriptOutcome, ServiceOrder, ServiceReport};

use super::{Happening, World};
use crate::clock::CALENDAR;
use crate::coverage::Kind;
use crate::invariant::Rule;
use crate::node::{Report, ScriptRun};
use crate::plan::{Call, NodeRef, Order, ScriptPlan, ServiceAct};
use crate::trace::order_text;
use crate::unit::{Effect, UnitStep};

/// From the order to find out whether a service could be started to the answer.
const ASSESSMENT_TAKES: Duration = Duration::from_millis(5);
/// How long a run of a service's check takes.
const CHECK_TAKES: Duration = Duration::from_millis(10);
const EAGAIN: i32 = 11;

impl World<'_> {
    fn calendar(&self) -> u64 {
        CALENDAR + self.now.as_nanos() / 1_000_000_000
    }

    pub(super) fn order(&mut self, index: usize, service: &Name, order: ServiceOrder) {
        if self.plan.show.orders {
            self.line(index, None, || order_text(service, order));
        }
        let Some(place) = self.nodes[index].units.iter().position(|unit| unit.name == *service) else {
            self.found(Rule::Orders, format!("{} orders something of an unknown service", self.plan.nodes[index].name));
            return;
        };
        if order == ServiceOrder::Start {
            self.examine_start(index, service);
        }
        if self.refuses_order(index, place, order) {
            return;
        }
        let mut effects = Vec::new();
        self.nodes[index].units[place].order(order, &mut effects);
        let takes = if order == ServiceOrder::AssessReadiness { ASSESSMENT_TAKES } else { Duration::ZERO };
        self.carry_on(index, place, takes, effects);
    }

    /// What comes of something that happened to a service; reports take this long.
    pub(super) fn carry_on(&mut self, index: usize, place: usize, takes: Duration, effects: Vec<Effect>) {
        self.shared.stale = true;
        for effect in effects {
            match effect {
                Effect::Report(report) => {
                    let Some(life) = self.nodes[index].daemon.as_ref().map(|daemon| daemon.life) else { continue };
                    let service = self.nodes[index].units[place].name.clone();
                    self.due(self.now + takes, Happening::Report { node: index, life, service, report });
                }
                Effect::Next { after, number, step } => {
                    self.due(self.now + after, Happening::Unit { node: index, service: place, number, step });
                }
            }
        }
    }

    pub(super) fn unit_steps(&mut self, index: usize, place: usize, number: u64, step: UnitStep) {
        let node = &mut self.nodes[index];
        if node.asleep.is_some_and(|asleep| asleep.machine) {
            node.frozen.push((place, number, step));
            return;
        }
        let mut effects = Vec::new();
        node.units[place].step(number, step, &mut effects);
        self.carry_on(index, place, Duration::ZERO, effects);
    }

    pub(super) fn service_acts(&mut self, index: usize, name: &Name, act: ServiceAct) -> Result<(), &'static str> {
        let units = &mut self.nodes[index].units;
        let place = units.iter().position(|unit| unit.name == *name).ok_or("there is no such service")?;
        let mut effects = Vec::new();
        let result = units[place].act(act, &mut effects);
        self.carry_on(index, place, Duration::ZERO, effects);
        result
    }

    pub(super) fn report_arrives(&mut self, index: usize, life: u64, service: Name, report: ServiceReport) {
        let node = &mut self.nodes[index];
        let awake = node.is_awake();
        let Some(daemon) = node.daemon.as_mut().filter(|daemon| daemon.life == life) else { return };
        if awake {
            self.hear_report(index, &service, report);
        } else {
            daemon.reports.push(Report::Service(service, report));
        }
    }

    pub(super) fn hear_report(&mut self, index: usize, service: &Name, report: ServiceReport) {
        self.feed(index, Input::Service { service, report }, Kind::Service);
    }

    /// A run of a check of a service.
    pub(super) fn run_check(&mut self, index: usize, service: &Name, check: &Name, number: u64) {
        let refused = self.is_refused(index, Call::RunCheck);
        let node = &mut self.nodes[index];
        let found = node.unit(service).and_then(crate::unit::Unit::check);
        let found = if refused { Some(ScriptOutcome::NotLooked(EAGAIN)) } else { found };
        let Some(daemon) = &mut node.daemon else { return };
        if daemon.runs.iter().any(|run| run.script == *check) {
            self.found(Rule::Checks, format!("{} runs {check} twice at once", self.plan.nodes[index].name));
            return;
        }
        let behaviour = match found {
            Some(ScriptOutcome::Exited(0)) => ScriptPlan::Succeeds,
            Some(_) => ScriptPlan::Fails,
            None => ScriptPlan::Hangs,
        };
        daemon.runs.push(ScriptRun { script: check.clone(), number, behaviour });
        if let Some(outcome) = found {
            let ends = Happening::RunEnds { node: index, script: check.clone(), number, outcome };
            self.due(self.now + CHECK_TAKES, ends);
        }
    }

    /// The machine comes back, and what is enabled with it.
    pub(super) fn boot(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.powered = true;
        node.boot += 1;
        let up: Vec<Name> = node.links.iter().filter(|link| link.carries()).map(|link| link.name.clone()).collect();
        for link in up {
            self.look_for_duplicates(index, &link);
        }
        for place in 0..self.nodes[index].units.len() {
            let mut effects = Vec::new();
            self.nodes[index].units[place].boot(&mut effects);
            self.carry_on(index, place, Duration::ZERO, effects);
        }
    }

    /// The daemon has stopped in order. It must not leave anything running that it was told to end.
    pub(super) fn leave_services(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.left_in_order = node.daemon.as_ref().map(|daemon| daemon.life);
        for unit in &mut node.units {
            unit.daemon_left();
        }
        self.shared.stale = true;
    }

    pub(super) fn save(&mut self, index: usize, record: &engine::Record) {
        let Some(life) = self.nodes[index].daemon.as_ref().map(|daemon| daemon.life) else { return };
        if self.is_refused(index, Call::Save) {
            return;
        }
        let saved = Happening::Saved { node: index, life, record: Box::new(record.clone()) };
        self.due(self.now + self.plan.disk_delay, saved);
    }

    /// Only what the daemon lived to write is there afterwards; a daemon that stops in order waits for its disk.
    pub(super) fn saved(&mut self, index: usize, life: u64, record: engine::Record) {
        let node = &mut self.nodes[index];
        let boot = node.boot;
        let lives = node.daemon.as_ref().map_or(node.left_in_order == Some(life), |daemon| daemon.life == life);
        if node.powered && lives {
            node.disk.write(record, boot);
        }
    }

    /// What was kept, before the start.
    pub(super) fn restore(&mut self, index: usize) {
        let calendar = self.calendar();
        let node = &self.nodes[index];
        if let Some(restored) = node.disk.read(node.boot, calendar) {
            self.shared.restored(index, &restored, self.now);
            self.feed(index, Input::Restored(restored), Kind::Restored);
        }
    }

    /// A daemon looks for the file at its start, and is told when it appears or vanishes.
    pub(super) fn tell_down_file(&mut self, index: usize) {
        let node = &self.nodes[index];
        if node.units.is_empty() || !node.is_awake() {
            return;
        }
        let (there, by) = (node.down_file, HeldBy::DownFile);
        let Some(daemon) = &node.daemon else { return };
        let with_services = daemon.engine.config().routers.iter().zip(0..);
        let routers: Vec<RouterId> =
            with_services.filter(|(router, _)| !router.services.is_empty()).map(|(_, id)| RouterId(id)).collect();
        for router in routers {
            let command = if there { Command::Hold { router, by } } else { Command::Release { router, by } };
            self.say(index, 0, command);
        }
    }

    /// An operator says something.
    pub(super) fn operator(&mut self, target: NodeRef, order: Order) -> Result<(), &'static str> {
        let index = target.node;
        let calendar = self.calendar();
        let daemon = self.nodes[index].daemon.as_ref().ok_or("no daemon runs")?;
        let mut routers = daemon.engine.config().routers.iter();
        let place = match target.vrid {
            Some(vrid) => routers.position(|router| router.vrid.get() == vrid),
            None => Some(0),
        };
        let router = RouterId(u32::try_from(place.ok_or("there is no such router")?).unwrap_or(0));
        let by = HeldBy::Operator;
        let command = match order {
            Order::Switch { here, dry_run } => Command::Switch { router, to_us: here, dry_run },
            Order::Hold => Command::Hold { router, by },
            Order::Release => Command::Release { router, by },
            Order::Maintain(span) => Command::Maintain { span, calendar },
            Order::EndMaintenance => Command::EndMaintenance,
            Order::Acknowledge => Command::Acknowledge,
        };
        self.shared.said(order, self.now);
        let Some(daemon) = &mut self.nodes[index].daemon else { return Ok(()) };
        daemon.commands += 1;
        let number = daemon.commands;
        self.say(index, number, command);
        Ok(())
    }

    /// `number` comes back with the answer.
    fn say(&mut self, index: usize, number: u64, command: Command) {
        self.feed(index, Input::Command { number, command }, Kind::Command);
    }
}
