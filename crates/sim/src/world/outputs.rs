//! What a daemon does for its engine: sends, announces, runs checks, sets addresses, tells.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use engine::{Cause, EndHow, Event, LinkCondition, LinkId, Name, Output, Priority, RouterId, ScriptOutcome, StateName};

use super::refusals::ASKS_AGAIN_IN;
use super::{Happening, World};
use crate::frame;
use crate::invariant::Rule;
use crate::node::{Link, ScriptRun};
use crate::plan::{Call, LinkPlan, Plan, ScriptPlan};
use crate::trace::{Line, answer_text, event_text, hook_text, notice_text};

impl World<'_> {
    pub(super) fn set_wake(&mut self, index: usize) {
        let late = u64::try_from(self.plan.wake_late.as_micros()).unwrap_or(0);
        let Some(daemon) = self.nodes[index].daemon.as_mut() else { return };
        let deadline = daemon.engine.deadline();
        if daemon.wake.map(|(deadline, _)| deadline) == deadline {
            return;
        }
        let late = Duration::from_micros(if late == 0 { 0 } else { self.random.between(0, late) });
        daemon.wake = deadline.map(|deadline| (deadline, deadline.max(self.now) + late));
        let life = daemon.life;
        if let Some((_, at)) = daemon.wake {
            self.due(at, Happening::Wake { node: index, life });
        }
    }

    pub(super) fn carry_out(&mut self, index: usize, output: &Output) {
        match output {
            Output::Advertise { router, priority, sequence } => {
                self.advertise(index, *router, *priority, *sequence);
            }
            Output::DesiredChanged => self.reconcile_soon(index),
            Output::Announce { link, address } => self.announce(index, *link, *address),
            Output::RunScript { script } => self.run_script(index, script),
            Output::EndScript { script, how } => self.end_script(index, script, *how),
            Output::Notify(notice) => {
                if self.plan.show.notices {
                    self.line(index, Some(notice.router), || notice_text(notice));
                }
            }
            Output::NotifyGroup { .. } => {}
            Output::Tell(event) => {
                self.tell(index, event);
                // What was left alone is looked after again.
                if matches!(event, Event::MaintenanceEnded { .. }) {
                    self.disturb();
                }
            }
            Output::Service { service, order } => self.order(index, service, *order),
            Output::RunHook(call) => {
                if self.plan.show.hooks {
                    self.line(index, None, || hook_text(call));
                }
            }
            Output::SendBaton { path, octets } => self.send_baton(index, *path, octets),
            Output::Save(record) => self.save(index, record),
            // The daemon itself asks with number 0, and nobody wants to know.
            Output::Answer { number: 0, .. } => {}
            Output::Answer { answer, .. } => self.line(index, None, || answer_text(answer)),
            Output::Stopped => {
                self.reconcile(index);
                self.line(index, None, || "stopped".to_owned());
                self.leave_services(index);
                self.nodes[index].daemon = None;
                self.disturb();
            }
        }
    }

    fn advertise(&mut self, index: usize, router: RouterId, priority: Priority, sequence: u64) {
        let refused = self.is_refused(index, Call::Send);
        if refused {
            // It may have been the one that tells a winner that there were two.
            self.client.lose(index, None);
        }
        let node = &self.nodes[index];
        let Some(daemon) = &node.daemon else { return };
        let Some(config) = daemon.engine.router(router) else { return };
        let Some(link) = node.link(&config.link) else { return };
        let mut buffer = [0; 1500];
        let mut frames: Vec<(IpAddr, Rc<[u8]>)> = Vec::new();
        let mut error = match link.condition {
            LinkPlan::Absent => Some(ENODEV),
            _ if !node.sending || refused => Some(ENOBUFS),
            LinkPlan::Up | LinkPlan::Addressless | LinkPlan::Down => None,
        };
        let mut flaw = None;
        // An owner's virtual addresses are its own.
        let owned = node.specs.iter().filter(|spec| spec.settings.priority.is_address_owner());
        let owned = owned.flat_map(|spec| spec.settings.addresses.iter().chain(&spec.settings.excluded_addresses));
        let mut sources: Vec<IpAddr> = owned.map(|entry| entry.address).collect();
        let spec = node.specs.iter().find(|spec| spec.settings.vrid == config.vrid);
        sources.extend(spec.map(|spec| self.plan.primary_address(index, spec)));
        for destination in daemon.engine.destinations(router) {
            let engine = &daemon.engine;
            let octets = engine.write_advertisement(router, priority, sequence, *destination, &mut buffer);
            let Some(octets) = octets.filter(|_| error.is_none()) else {
                error = error.or(Some(EADDRNOTAVAIL));
                continue;
            };
            flaw = flaw.or(frame::flaw(octets, config, priority.get(), &sources));
            frames.push((*destination, octets.into()));
        }
        let (link, carries, life) = (config.link.clone(), link.carries(), daemon.life);
        if let Some(flaw) = flaw {
            self.found(Rule::Frame, format!("{} sends an advertisement with {flaw}", self.plan.nodes[index].name));
        }
        if let Some(error) = error {
            self.due(self.now, Happening::Refused { node: index, life, router, error });
        }
        if self.plan.show.advertisements {
            self.line(index, Some(router), || format!("advertises priority {priority}"));
        }
        if !carries {
            return;
        }
        self.nodes[index].overheard = frames.last().map(|(_, frame)| Rc::clone(frame));
        for (destination, frame) in frames {
            for other in (0..self.nodes.len()).filter(|other| *other != index) {
                let there = destination.is_multicast() || Plan::own_addresses(other, &link).contains(&destination);
                if !there || self.nodes[other].link(&link).is_none() {
                    continue;
                }
                for delay in self.lans.of(&link).fate(index, other, &mut self.random).into_iter().flatten() {
                    let arrival = Happening::Arrive { node: other, link: link.clone(), frame: Rc::clone(&frame) };
                    self.due(self.now + delay, arrival);
                }
            }
        }
    }

    fn announce(&mut self, index: usize, link: LinkId, address: IpAddr) {
        let node = &self.nodes[index];
        let Some(name) = node.daemon.as_ref().and_then(|daemon| daemon.engine.links().get(link.0 as usize)) else {
            return;
        };
        let name = name.clone();
        if self.plan.show.announcements {
            let what = if address.is_ipv4() { "gratuitous ARP" } else { "neighbour advertisement" };
            self.line(index, None, || format!("{what} for {address} on {name}"));
        }
        let refused = self.is_refused(index, Call::Announce);
        let node = &self.nodes[index];
        if !node.sending || refused {
            self.client.forget(address);
        }
        let leaves = node.sending && !refused && node.link(&name).is_some_and(Link::carries);
        if leaves
            && self.client.hear(index, address)
            && let Some(lines) = &mut self.lines
        {
            let text = format!("{address} is at {}", self.plan.nodes[index].name);
            lines.push(Line { at: self.now, subject: "client".to_owned(), text });
        }
    }

    fn run_script(&mut self, index: usize, script: &Name) {
        let number = self.nodes[index].next_life();
        let plan = &self.plan.nodes[index];
        let services = &self.nodes[index].services;
        let of_service = services.iter().find(|service| service.settings.checks.iter().any(|c| c.name == *script));
        if let Some(service) = of_service.map(|service| service.settings.name.clone()) {
            return self.run_check(index, &service, script, number);
        }
        let Some(place) = plan.scripts.iter().position(|plan| plan.settings.name == *script) else { return };
        let refused = self.is_refused(index, Call::RunCheck);
        let node = &mut self.nodes[index];
        let (behaviour, takes) = (node.scripts[place], plan.scripts[place].takes);
        let Some(daemon) = &mut node.daemon else { return };
        if daemon.runs.iter().any(|run| run.script == *script) {
            self.found(Rule::Checks, format!("{} runs {script} twice at once", self.plan.nodes[index].name));
            return;
        }
        daemon.runs.push(ScriptRun { script: script.clone(), number, behaviour });
        let (after, outcome) = match behaviour {
            _ if refused => (Duration::ZERO, ScriptOutcome::NotLooked(EAGAIN)),
            ScriptPlan::Succeeds => (takes, ScriptOutcome::Exited(0)),
            ScriptPlan::Fails => (takes, ScriptOutcome::Exited(1)),
            ScriptPlan::Flaps => (takes, ScriptOutcome::Exited(u8::from(self.random.chance(50)))),
            ScriptPlan::Missing => (Duration::ZERO, ScriptOutcome::NotStarted(ENOENT)),
            ScriptPlan::Hangs | ScriptPlan::HangsDeaf => return,
        };
        self.due(self.now + after, Happening::RunEnds { node: index, script: script.clone(), number, outcome });
    }

    fn end_script(&mut self, index: usize, script: &Name, how: EndHow) {
        if how == EndHow::Terminate && self.is_refused(index, Call::EndCheck) {
            return;
        }
        let number = self.nodes[index].next_life();
        let Some(daemon) = &mut self.nodes[index].daemon else { return };
        let Some(run) = daemon.runs.iter_mut().find(|run| run.script == *script) else {
            self.found(Rule::Checks, format!("{} ends {script}, which does not run", self.plan.nodes[index].name));
            return;
        };
        let signal = match how {
            EndHow::Terminate if run.behaviour == ScriptPlan::HangsDeaf => return,
            EndHow::Terminate if run.behaviour == ScriptPlan::Flaps => {
                // It takes the signal for a wish to say something.
                run.number = number;
                let outcome = ScriptOutcome::Exited(u8::from(self.random.chance(50)));
                let ends = Happening::RunEnds { node: index, script: script.clone(), number, outcome };
                return self.due(self.now + Duration::from_millis(1), ends);
            }
            EndHow::Terminate => SIGTERM,
            EndHow::Kill => SIGKILL,
        };
        run.number = number;
        let outcome = ScriptOutcome::Signalled(signal);
        let ends = Happening::RunEnds { node: index, script: script.clone(), number, outcome };
        self.due(self.now + Duration::from_millis(1), ends);
    }

    /// Who yields has heard its successor, and the successor hears that, if the LAN lets it; who leaves
    /// otherwise may leave a client behind that nobody knows of.
    fn leave_client(&mut self, index: usize, event: &Event) {
        let Event::StateChanged { router, from: StateName::Active, cause, .. } = event else { return };
        let yields = matches!(cause, Cause::HigherPriority { .. } | Cause::HigherAddress { .. });
        let Some(config) = self.nodes[index].daemon.as_ref().and_then(|daemon| daemon.engine.router(*router)) else {
            return;
        };
        let heard = self.lans.of(&config.link).deliver_all_from(index) && self.nodes[index].sending;
        if yields && heard && self.is_heard(config.vrid.get()) {
            return;
        }
        for entry in config.addresses.iter().chain(&config.excluded_addresses) {
            self.client.lose(index, Some(entry.address));
        }
    }

    fn tell(&mut self, index: usize, event: &Event) {
        self.leave_client(index, event);
        let Some(daemon) = self.nodes[index].daemon.as_ref().filter(|_| self.lines.is_some()) else { return };
        if matches!(event, Event::LinkChanged { condition: LinkCondition::Up, .. }) && !daemon.watch.has_started() {
            // How it should be.
            return;
        }
        let (router, text) = event_text(self.plan, &daemon.engine, event);
        self.line(index, router, || text);
    }

    pub(super) fn line(&mut self, index: usize, router: Option<RouterId>, text: impl FnOnce() -> String) {
        let Some(lines) = &mut self.lines else { return };
        let plan = &self.plan.nodes[index];
        let daemon = self.nodes[index].daemon.as_ref();
        let vrid = router.and_then(|id| daemon.and_then(|daemon| daemon.engine.router(id))).map(|config| config.vrid);
        let subject = match vrid {
            Some(vrid) if plan.routers.len() > 1 => format!("{}/{vrid}", plan.name),
            _ => plan.name.clone(),
        };
        lines.push(Line { at: self.now, subject, text: text() });
    }

    pub(super) fn reconcile_soon(&mut self, index: usize) {
        let Some(daemon) = self.nodes[index].daemon.as_mut() else { return };
        daemon.reconcile_pending = true;
        let life = daemon.life;
        if self.plan.kernel_delay.is_zero() {
            // At once, but after everything else that this step asks for.
            self.due(self.now, Happening::Reconcile { node: index, life });
        } else {
            self.due(self.now + self.plan.kernel_delay, Happening::Reconcile { node: index, life });
        }
    }

    pub(super) fn reconcile(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let Some(daemon) = &mut node.daemon else { return };
        daemon.reconcile_pending = false;
        if !node.settable {
            return;
        }
        let desired = daemon.engine.desired();
        let names = daemon.engine.links().to_vec();
        let (mut changed, mut told, mut refused) = (Vec::new(), Vec::new(), false);
        for place in 0..self.nodes[index].links.len() {
            let link = &self.nodes[index].links[place];
            let name = link.name.clone();
            let here = |id: LinkId| names.get(id.0 as usize) == Some(&name);
            let wanted: Vec<IpAddr> =
                desired.addresses.iter().filter(|entry| here(entry.link)).map(|entry| entry.address).collect();
            let (mut removed, mut added) = link.differences(&wanted, &Plan::own_addresses(index, &name));
            let asked = removed.len() + added.len();
            removed.retain(|_| !self.is_refused(index, Call::RemoveAddress));
            added.retain(|_| !self.is_refused(index, Call::AddAddress));
            refused |= removed.len() + added.len() < asked;
            if removed.is_empty() && added.is_empty() {
                continue;
            }
            let addresses = &mut self.nodes[index].links[place].addresses;
            addresses.retain(|address| !removed.contains(address));
            addresses.extend(&added);
            for address in &added {
                self.begin_lifetime(index, &name, *address);
            }
            if self.plan.show.kernel {
                told.extend(removed.iter().map(|address| format!("kernel removes {address} from {name}")));
                told.extend(added.iter().map(|address| format!("kernel adds {address} to {name}")));
            }
            changed.push(name);
        }
        for text in told {
            self.line(index, None, || text);
        }
        for name in changed {
            self.tell_link(index, &name);
        }
        if let Some(daemon) = self.nodes[index].daemon.as_mut().filter(|_| refused) {
            daemon.reconcile_pending = true;
            let life = daemon.life;
            self.due(self.now + ASKS_AGAIN_IN, Happening::Reconcile { node: index, life });
        }
    }
}

// Error numbers and signals of Linux, as an operator would see them.
const ENOENT: i32 = 2;
const EAGAIN: i32 = 11;
const ENODEV: i32 = 19;
const EADDRNOTAVAIL: i32 = 99;
const ENOBUFS: i32 = 105;
const SIGKILL: u8 = 9;
const SIGTERM: u8 = 15;
