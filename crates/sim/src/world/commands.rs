//! What the plan makes happen: to machines, daemons, interfaces, paths, and by strangers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use engine::{Config, Engine, Family, FigureCause, Input, Name};

use super::refusals::Refusal;
use super::{Happening, World};
use crate::coverage::Kind;
use crate::frame;
use crate::invariant::order::OrderWatch;
use crate::invariant::step::NodeWatch;
use crate::node::{Asleep, Daemon, Doom, Node, Packet, Report};
use crate::plan::router::{STATICS, group};
use crate::plan::{Act, Command, FigureAct, LinkPlan, NodeRef, Plan, RouterOption, RouterSpec, ServiceChange, Spoof};
use crate::random::Random;
use crate::unit::Unit;

impl World<'_> {
    pub(super) fn command(&mut self, command: &Command) -> Result<(), &'static str> {
        // Processes may have died with their machine or their daemon, or be asleep.
        self.shared.stale = true;
        match command {
            Command::Nodes(targets, act) => {
                let mut result = Ok(());
                for target in targets {
                    result = self.act(*target, act).and(result);
                }
                result
            }
            Command::Lan(change) => {
                self.lans.change(None, *change);
                Ok(())
            }
            Command::LanOf(link, change) if self.lans.change(Some(link), *change) => Ok(()),
            Command::LanOf(..) => Err("nobody has such an interface"),
            Command::Line(change) => {
                self.plan.pair.and_then(|pair| pair.line).ok_or("there is no line")?;
                self.line.change(*change);
                Ok(())
            }
            Command::Stranger(spoof) => {
                self.spoof(spoof);
                Ok(())
            }
            Command::Repeats(node) => {
                let overheard = self.nodes[*node].overheard.clone().ok_or("it has sent nothing")?;
                for other in 0..self.nodes.len() {
                    let arrival = Happening::Arrive { node: other, link: "eth0".into(), frame: Rc::clone(&overheard) };
                    self.due(self.now + self.plan.lan.delay, arrival);
                }
                Ok(())
            }
        }
    }

    fn act(&mut self, target: NodeRef, act: &Act) -> Result<(), &'static str> {
        let index = target.node;
        let node = &mut self.nodes[index];
        let running = node.daemon.is_some() && node.is_awake();
        match act {
            Act::Start if !node.is_awake() => return Err("the machine is off or asleep"),
            Act::Start if node.daemon.is_some() => return Err("the daemon runs already"),
            Act::Start => self.start(index),
            Act::Returns if node.powered => return Err("the machine has power"),
            Act::Returns => {
                self.boot(index);
                self.start(index);
            }
            Act::Boots if node.powered => return Err("the machine has power"),
            Act::Boots => self.boot(index),
            Act::LosesPower if !node.powered => return Err("the machine has no power"),
            Act::LosesPower => self.lose_power(index),
            Act::Killed if node.daemon.is_none() || !node.powered => return Err("no daemon runs"),
            Act::Killed => self.kill(index),
            Act::KilledAfter(_) | Act::LosesPowerAfter(_) if !running => return Err("no daemon runs"),
            Act::KilledAfter(outputs) => self.doom(index, Doom { outputs: *outputs, power: false }),
            Act::LosesPowerAfter(outputs) => self.doom(index, Doom { outputs: *outputs, power: true }),
            Act::Process(..) if !node.powered => return Err("the machine has no power"),
            Act::Process(name, act) => return self.service_acts(index, name, *act),
            Act::Order(_) if !running => return Err("no daemon runs"),
            Act::Order(order) => return self.operator(target, *order),
            Act::DownFile(there) if node.down_file == *there => return Err("it is so already"),
            Act::DownFile(there) => {
                node.down_file = *there;
                self.tell_down_file(index);
            }
            Act::Disk(act) => node.disk.act(*act),
            Act::Clock(act) => node.clock.act(self.now, *act),
            Act::Stop | Act::Pause(_) | Act::Reload(_) | Act::ReloadService(..) if !running => {
                return Err("no daemon runs");
            }
            Act::Stop => return self.stop(index),
            Act::Pause(span) => self.sleep(index, *span, false),
            Act::Suspend(_) if !node.is_awake() => return Err("the machine is off or asleep"),
            Act::Suspend(span) => self.sleep(index, *span, true),
            Act::Reload(options) => return self.reload(target, options),
            Act::ReloadService(name, change) => return self.reload_service(index, name, change),
            Act::Link(name, condition) => return self.link_changes(index, name, *condition),
            Act::Script(name, behaviour) => {
                let position = self.plan.nodes[index].scripts.iter().position(|script| script.settings.name == *name);
                node.scripts[position.ok_or("there is no such script")?] = *behaviour;
            }
            Act::AddressDeleted(address) => return self.delete(index, *address),
            Act::Sending(works) => node.sending = *works,
            Act::Kernel(settable) => {
                node.settable = *settable;
                // A daemon that was refused asks again.
                self.reconcile_soon(index);
            }
            Act::Statics(complete) => {
                node.complete = *complete;
                if running {
                    self.tell_statics(index);
                }
            }
            Act::Refuses(call, after) => node.refusals.push(Refusal { call: *call, after: *after }),
            Act::RefusesNothing => node.refusals.clear(),
            Act::ClearStatistics if !running => return Err("no daemon runs"),
            Act::ClearStatistics => self.feed(index, Input::ClearStatistics, Kind::Statistics),
            Act::Figure(change) => {
                let trackers = &self.plan.nodes[index].trackers;
                let place = trackers.iter().position(|tracker| tracker.settings.id() == change.tracker);
                node.figures[place.ok_or("it is not tracked")?] = change.figure;
                if running {
                    self.tell_figure(index, change);
                }
            }
        }
        Ok(())
    }

    fn kill(&mut self, index: usize) {
        self.client.lose(index, None);
        let node = &mut self.nodes[index];
        node.daemon = None;
        node.asleep = node.asleep.filter(|asleep| asleep.machine);
        node.units.iter_mut().for_each(Unit::daemon_died);
    }

    fn doom(&mut self, index: usize, doom: Doom) {
        if let Some(daemon) = &mut self.nodes[index].daemon {
            daemon.doom = Some(doom);
        }
    }

    /// Counts an output that is about to be carried out. Returns whether the daemon has died before it.
    pub(super) fn dies_before_output(&mut self, index: usize) -> bool {
        let Some(doom) = self.nodes[index].daemon.as_mut().and_then(|daemon| daemon.doom.as_mut()) else {
            return false;
        };
        if doom.outputs > 0 {
            doom.outputs -= 1;
            return false;
        }
        if doom.power {
            self.lose_power(index);
        } else {
            self.kill(index);
        }
        self.shared.stale = true;
        self.disturb();
        true
    }

    fn tell_figure(&mut self, index: usize, change: &FigureAct) {
        let FigureAct { tracker, figure, cause } = change;
        self.feed(index, Input::Figure { tracker, figure: *figure, cause: *cause }, Kind::Figure);
    }

    fn tell_statics(&mut self, index: usize) {
        let missing = if self.nodes[index].complete { BTreeSet::new() } else { BTreeSet::from([STATICS.into()]) };
        self.feed(index, Input::StaticsMissing(missing), Kind::Statics);
    }

    /// As it is found when somebody looks.
    fn tell_figures(&mut self, index: usize) {
        let plan = self.plan;
        for (place, tracker) in plan.nodes[index].trackers.iter().enumerate() {
            let (tracker, figure) = (tracker.settings.id(), self.nodes[index].figures[place]);
            self.tell_figure(index, &FigureAct { tracker, figure, cause: FigureCause::Found });
        }
    }

    fn start(&mut self, index: usize) {
        let config = self.plan.config(index, &self.nodes[index].specs, &self.nodes[index].services);
        // What a new life has not in its file, and the last one had not ended, it cannot know of.
        let Node { services, units, .. } = &mut self.nodes[index];
        for service in services.iter().filter(|service| !service.present) {
            for unit in units.iter_mut().filter(|unit| unit.name == service.settings.name) {
                unit.by_hand |= unit.exists();
            }
        }
        let life = self.nodes[index].next_life();
        let seed = Random::new(self.plan.seed ^ (index as u64) << 32 ^ life).any();
        let engine = Engine::new(config, seed);
        self.nodes[index].daemon = Some(Daemon {
            view: engine.view(),
            calendar_told: None,
            engine,
            life,
            wake: None,
            socket: Vec::new(),
            reports: Vec::new(),
            runs: Vec::new(),
            reconcile_pending: false,
            stopping: false,
            watch: NodeWatch::default(),
            orders: OrderWatch::default(),
            commands: 0,
            joining: false,
            deaf: Vec::new(),
            renews_at: None,
            doom: None,
        });
        self.shared.forgotten(index);
        self.join_links(index, 0);
        self.tell_links(index, 0);
        self.tell_figures(index);
        if !self.nodes[index].complete {
            self.tell_statics(index);
        }
        if !self.plan.startup_delay.is_zero() {
            let until = self.now + self.plan.startup_delay;
            self.feed(index, Input::Hesitate { until }, Kind::Hesitate);
        }
        self.restore(index);
        self.feed(index, Input::Start, Kind::Start);
        self.tell_down_file(index);
        self.reconcile_soon(index);
        self.renew_soon(index);
    }

    fn stop(&mut self, index: usize) -> Result<(), &'static str> {
        let daemon = self.nodes[index].daemon.as_mut().filter(|daemon| !daemon.stopping);
        daemon.ok_or("the daemon stops already")?.stopping = true;
        self.feed(index, Input::Stop, Kind::Stop);
        Ok(())
    }

    fn lose_power(&mut self, index: usize) {
        self.client.lose(index, None);
        let node = &mut self.nodes[index];
        node.daemon = None;
        node.asleep = None;
        node.powered = false;
        node.units.iter_mut().for_each(Unit::lose_power);
        node.frozen.clear();
        for link in &mut node.links {
            let own = Plan::own_addresses(index, &link.name);
            link.addresses.retain(|address| own.contains(address));
            link.tentative.clear();
            link.expiries.clear();
        }
    }

    fn sleep(&mut self, index: usize, span: Duration, machine: bool) {
        let life = self.nodes[index].next_life();
        self.nodes[index].asleep = Some(Asleep { life, machine });
        self.due(self.now + span, Happening::Resume { node: index, life });
    }

    pub(super) fn resume(&mut self, index: usize, life: u64) {
        let node = &mut self.nodes[index];
        if node.asleep.is_none_or(|asleep| asleep.life != life) {
            return;
        }
        node.asleep = None;
        self.shared.stale = true;
        for (service, number, step) in std::mem::take(&mut node.frozen) {
            self.due(self.now, Happening::Unit { node: index, service, number, step });
        }
        self.disturb();
        let Some(daemon) = &mut self.nodes[index].daemon else { return };
        let life = daemon.life;
        daemon.wake = None;
        let (packets, reports) = (std::mem::take(&mut daemon.socket), std::mem::take(&mut daemon.reports));
        for packet in packets {
            match packet {
                Packet::Frame(link, frame) => self.receive(index, &link, &frame),
                Packet::Baton(path, octets) => self.hear_baton(index, path, &octets),
            }
        }
        if self.daemon(index, life).is_some() {
            self.tell_links(index, 0);
            self.tell_figures(index);
            self.tell_statics(index);
        }
        for report in reports {
            match report {
                Report::Run(script, outcome) => self.finish_run(index, &script, outcome),
                Report::Service(service, report) => self.hear_report(index, &service, report),
            }
        }
        if self.daemon(index, life).is_some() {
            self.set_wake(index);
            self.reconcile_soon(index);
            self.renew_at(index, self.now);
            let deaf = self.nodes[index].daemon.as_ref().map(|daemon| daemon.deaf.clone()).unwrap_or_default();
            for link in deaf {
                self.due(self.now, Happening::Joins { node: index, life, link });
            }
        }
    }

    fn reload(&mut self, target: NodeRef, options: &[RouterOption]) -> Result<(), &'static str> {
        let index = target.node;
        if self.nodes[index].daemon.as_ref().is_none_or(|daemon| daemon.stopping) {
            return Err("the daemon is stopping");
        }
        let joins = target.vrid.filter(|_| options.contains(&RouterOption::Added));
        let at_work = joins.and_then(|vrid| self.at_work(index, vrid));
        let node = &mut self.nodes[index];
        if !options.is_empty() {
            let chosen = |spec: &&mut RouterSpec| match target.vrid {
                Some(vrid) => spec.settings.vrid.get() == vrid,
                None => true,
            };
            let spec = node.specs.iter_mut().find(chosen).ok_or("there is no such router")?;
            let before = spec.settings.clone();
            for option in options {
                spec.apply(option);
            }
            // Nobody else hears that an address is no longer wanted here.
            for entry in before.addresses.iter().filter(|entry| !spec.settings.addresses.contains(entry)) {
                self.client.lose(index, Some(entry.address));
            }
        }
        self.reconfigure(index);
        if let Some(at_work) = at_work {
            self.check_undisturbed(index, &at_work);
        }
        Ok(())
    }

    /// What a service is told about itself changes; what is made of its processes does not, unless the engine says so.
    fn reload_service(&mut self, index: usize, name: &Name, change: &ServiceChange) -> Result<(), &'static str> {
        let node = &mut self.nodes[index];
        if node.daemon.as_ref().is_none_or(|daemon| daemon.stopping) {
            return Err("the daemon is stopping");
        }
        let place = node.services.iter().position(|service| service.settings.name == *name);
        let service = place.map(|place| &mut node.services[place]).ok_or("there is no such service")?;
        match change {
            ServiceChange::Added => service.present = true,
            ServiceChange::Removed => {
                service.present = false;
                self.shared.taken_out(self.now);
                // Whoever takes it out of the configuration in maintenance looks after it from now on.
                let maintained = node.daemon.as_ref().is_some_and(|daemon| daemon.view.maintenance.is_some());
                if let Some(unit) = node.units.iter_mut().find(|unit| unit.name == *name && maintained) {
                    unit.by_hand |= unit.exists();
                }
            }
            ServiceChange::Becomes(spec) if spec.manager != service.manager => return Err("it keeps its manager"),
            ServiceChange::Becomes(spec) => {
                *service = (**spec).clone();
                if let Some(unit) = node.units.iter_mut().find(|unit| unit.name == *name) {
                    unit.reread(spec);
                }
            }
        }
        self.reconfigure(index);
        Ok(())
    }

    fn reconfigure(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let config: Config = self.plan.config(index, &node.specs, &node.services);
        let Some(daemon) = &mut node.daemon else { return };
        let known = daemon.engine.links().len();
        daemon.watch.introducing = true;
        daemon.joining = true;
        self.feed(index, Input::Reconfigure(Box::new(config)), Kind::Reload);
        self.join_links(index, known);
        self.tell_links(index, known);
        if let Some(daemon) = &mut self.nodes[index].daemon {
            daemon.watch.introducing = false;
        }
        self.reconcile_soon(index);
    }

    fn link_changes(&mut self, index: usize, name: &Name, condition: LinkPlan) -> Result<(), &'static str> {
        let link = self.nodes[index].link_mut(name).ok_or("there is no such interface")?;
        let is_new = link.condition == LinkPlan::Absent && condition != LinkPlan::Absent;
        let own = Plan::own_addresses(index, name);
        let stays_up = link.condition == LinkPlan::Up && own.iter().all(|own| link.addresses.contains(own));
        link.change(condition, &own);
        link.tentative.retain(|address| link.addresses.contains(address));
        if condition == LinkPlan::Up && !stays_up {
            self.look_for_duplicates(index, name);
        }
        if is_new {
            self.join(index, name);
        }
        self.tell_link(index, name);
        self.reconcile_soon(index);
        Ok(())
    }

    /// An interface has come up: its addresses of IPv6 may be somebody else's.
    pub(super) fn look_for_duplicates(&mut self, index: usize, name: &Name) {
        let span = self.plan.tentative;
        let Some(link) = self.nodes[index].link_mut(name).filter(|_| !span.is_zero()) else { return };
        let own = Plan::own_addresses(index, name);
        link.tentative = own.into_iter().filter(|own| own.is_ipv6() && link.addresses.contains(own)).collect();
        let at = self.now + span;
        link.sure_at = Some(at);
        self.due(at, Happening::Sure { node: index, link: name.clone() });
    }

    /// Nobody else has them.
    pub(super) fn end_tentative(&mut self, index: usize, name: &Name) {
        let now = self.now;
        let Some(link) = self.nodes[index].link_mut(name).filter(|link| link.sure_at == Some(now)) else { return };
        link.sure_at = None;
        link.tentative.clear();
        self.tell_link(index, name);
        self.reconcile_soon(index);
    }

    fn delete(&mut self, index: usize, address: IpAddr) -> Result<(), &'static str> {
        let links = &mut self.nodes[index].links;
        let link = links.iter_mut().find(|link| link.addresses.contains(&address)).ok_or("it is not there")?;
        link.addresses.retain(|there| *there != address);
        link.tentative.retain(|there| *there != address);
        let name = link.name.clone();
        self.tell_link(index, &name);
        self.reconcile_soon(index);
        Ok(())
    }

    fn spoof(&mut self, spoof: &Spoof) {
        let link = Name::from("eth0");
        let address_of = |node: usize| {
            let [ipv4, link_local, global] = Plan::own_addresses(node, &link);
            match spoof.source {
                IpAddr::V4(_) => ipv4,
                IpAddr::V6(source) if source.is_unicast_link_local() => link_local,
                IpAddr::V6(_) => global,
            }
        };
        let destination = spoof.to.map_or_else(|| group(Family::of(spoof.source)), address_of);
        let frame: Rc<[u8]> = frame::spoof(spoof, destination).into();
        for node in (0..self.nodes.len()).filter(|node| spoof.to.is_none_or(|to| to == *node)) {
            let arrival = Happening::Arrive { node, link: link.clone(), frame: Rc::clone(&frame) };
            self.due(self.now + self.plan.lan.delay, arrival);
        }
    }
}
