//! What the plan makes happen: to machines, daemons, interfaces, paths, and by strangers.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use engine::{Config, Engine, Input, Name};

use super::{Happening, World};
use crate::coverage::Kind;
use crate::frame;
use crate::invariant::step::NodeWatch;
use crate::node::{Asleep, Daemon};
use crate::plan::{Act, Command, LinkPlan, NodeRef, Plan, RouterOption, RouterSpec, Spoof};
use crate::random::Random;

impl World<'_> {
    pub(super) fn command(&mut self, command: &Command) -> Result<(), &'static str> {
        match command {
            Command::Nodes(targets, act) => {
                let mut result = Ok(());
                for target in targets {
                    result = self.act(*target, act).and(result);
                }
                result
            }
            Command::Lan(change) => {
                self.paths.change(*change);
                Ok(())
            }
            Command::Stranger(spoof) => {
                self.spoof(spoof);
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
                node.powered = true;
                self.start(index);
            }
            Act::LosesPower if !node.powered => return Err("the machine has no power"),
            Act::LosesPower => self.lose_power(index),
            Act::Killed if node.daemon.is_none() || !node.powered => return Err("no daemon runs"),
            Act::Killed => {
                self.client.lose(index, None);
                let node = &mut self.nodes[index];
                node.daemon = None;
                node.asleep = node.asleep.filter(|asleep| asleep.machine);
            }
            Act::Stop | Act::Pause(_) | Act::Reload(_) if !running => return Err("no daemon runs"),
            Act::Stop => return self.stop(index),
            Act::Pause(span) => self.sleep(index, *span, false),
            Act::Suspend(_) if !node.is_awake() => return Err("the machine is off or asleep"),
            Act::Suspend(span) => self.sleep(index, *span, true),
            Act::Reload(options) => return self.reload(target, options),
            Act::Link(name, condition) => return self.link_changes(index, name, *condition),
            Act::Script(name, behaviour) => {
                let position = self.plan.nodes[index].scripts.iter().position(|script| script.settings.name == *name);
                node.scripts[position.ok_or("there is no such script")?] = *behaviour;
            }
            Act::AddressDeleted(address) => return self.delete(index, (*address).into()),
            Act::Sending(works) => node.sending = *works,
        }
        Ok(())
    }

    fn start(&mut self, index: usize) {
        let config = self.plan.config(index, &self.nodes[index].specs);
        let life = self.nodes[index].next_life();
        let seed = Random::new(self.plan.seed ^ (index as u64) << 32 ^ life).any();
        self.nodes[index].daemon = Some(Daemon {
            engine: Engine::new(config, seed),
            life,
            wake: None,
            socket: Vec::new(),
            ended: Vec::new(),
            runs: Vec::new(),
            reconcile_pending: false,
            stopping: false,
            watch: NodeWatch::default(),
        });
        self.tell_links(index, 0);
        self.feed(index, Input::Start, Kind::Start);
        self.reconcile_soon(index);
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
        for link in &mut node.links {
            let primary = IpAddr::V4(Plan::primary(index, &link.name));
            link.addresses.retain(|address| *address == primary);
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
        self.disturb();
        let Some(daemon) = &mut self.nodes[index].daemon else { return };
        let life = daemon.life;
        daemon.wake = None;
        let (packets, ended) = (std::mem::take(&mut daemon.socket), std::mem::take(&mut daemon.ended));
        for (link, frame) in packets {
            self.receive(index, &link, &frame);
        }
        if self.daemon(index, life).is_some() {
            self.tell_links(index, 0);
        }
        for (script, outcome) in ended {
            self.finish_run(index, &script, outcome);
        }
        if self.daemon(index, life).is_some() {
            self.set_wake(index);
            self.reconcile_soon(index);
        }
    }

    fn reload(&mut self, target: NodeRef, options: &[RouterOption]) -> Result<(), &'static str> {
        let index = target.node;
        let node = &mut self.nodes[index];
        if node.daemon.as_ref().is_none_or(|daemon| daemon.stopping) {
            return Err("the daemon is stopping");
        }
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
        let config: Config = self.plan.config(index, &node.specs);
        let Some(daemon) = &mut node.daemon else { return Ok(()) };
        let known = daemon.engine.links().len();
        daemon.watch.introducing = true;
        self.feed(index, Input::Reconfigure(Box::new(config)), Kind::Reload);
        self.tell_links(index, known);
        if let Some(daemon) = &mut self.nodes[index].daemon {
            daemon.watch.introducing = false;
        }
        self.reconcile_soon(index);
        Ok(())
    }

    fn link_changes(&mut self, index: usize, name: &Name, condition: LinkPlan) -> Result<(), &'static str> {
        let primary = IpAddr::V4(Plan::primary(index, name));
        self.nodes[index].link_mut(name).ok_or("there is no such interface")?.change(condition, primary);
        self.tell_link(index, name);
        self.reconcile_soon(index);
        Ok(())
    }

    fn delete(&mut self, index: usize, address: IpAddr) -> Result<(), &'static str> {
        let links = &mut self.nodes[index].links;
        let link = links.iter_mut().find(|link| link.addresses.contains(&address)).ok_or("it is not there")?;
        link.addresses.retain(|there| *there != address);
        let name = link.name.clone();
        self.tell_link(index, &name);
        self.reconcile_soon(index);
        Ok(())
    }

    fn spoof(&mut self, spoof: &Spoof) {
        let link = Name::from("eth0");
        let group = Ipv4Addr::new(224, 0, 0, 18);
        let destination = spoof.to.map_or(group, |node| Plan::primary(node, &link));
        let frame: Rc<[u8]> = frame::spoof(spoof, destination).into();
        for node in (0..self.nodes.len()).filter(|node| spoof.to.is_none_or(|to| to == *node)) {
            let arrival = Happening::Arrive { node, link: link.clone(), frame: Rc::clone(&frame) };
            self.due(self.now + self.plan.lan.delay, arrival);
        }
    }
}
