//! A pair under trial in a lab of its own, in good order: A has the service, B stands by.

use std::net::{IpAddr, Ipv4Addr};
use std::thread;
use std::time::Duration;

use linux::signals::Signal;

use super::course::{Asked, Course};
use super::outcome::{AT_WORK, Evidence, Told, at_work, is_settled};
use super::recipe::{NodeFile, PORT, Recipe, WayBack};
use super::scenario::{Node, Step};
use super::{Addresses, Service};
use crate::lab::{
    Cidr, Daemon, HOST_DIR, Host, HostPlan, Lab, LabError, Manner, Moment, PATIENCE, Program, Record, Seen,
    collectings, held_by_several, holdings, wait_until,
};

/// The address that the edge gateway's files give away.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(192, 160, 127, 254);
/// Ticks and messages are read at most so long after they were written.
const READ_AFTER: Duration = Duration::from_millis(100);
/// What a daemon says when it begins its life in earnest.
const BEGINS: &str = "Entering BACKUP STATE";
/// Two advertisements, and a check each second.
pub(super) const COMES_TO_REST: Duration = Duration::from_millis(2500);

#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) lab: Lab,
    recipe: &'a Recipe,
    service: &'a Service,
    hosts: [Host; 2],
    daemons: [Option<Program>; 2],
    course: Course,
}

impl<'a> Stage<'a> {
    /// Builds it and waits until all is well.
    pub(crate) fn build(name: &str, recipe: &'a Recipe, service: &'a Service) -> Result<Self, LabError> {
        let lab = Lab::new(name)?;
        lab.client().add_address("10.0.0.254/24")?;
        let host = |node: Node, address: &str| lab.add_host(&HostPlan::new(node.name()).interface("eth0", &[address]));
        let hosts = [host(Node::A, "10.0.0.127/24")?, host(Node::B, "10.0.0.223/24")?];
        let course = Course::begin(Moment::now());
        let mut stage = Self { lab, recipe, service, hosts, daemons: [None, None], course };
        stage.set_up()?;
        Ok(stage)
    }

    fn set_up(&mut self) -> Result<(), LabError> {
        let begun = Moment::now();
        Node::BOTH.into_iter().try_for_each(|node| self.furnish(node))?;
        self.boot_service(Node::A)?;
        if self.recipe.service_at_boot && !wait_until(PATIENCE, || self.at_work().len() == 1) {
            return Err(self.failure("the service of A does not collect"));
        }
        self.play(Step::StartDaemon(Node::A))?;
        if !wait_until(PATIENCE, || self.hosts[0].has_address(VIP.into()) && self.at_work().len() == 1) {
            return Err(self.failure("A does not become active with its service"));
        }
        self.play(Step::StartDaemon(Node::B))?;
        if self.lab.journal().wait_for(begun, PATIENCE, |record| begins(record, Node::B)).is_none() {
            return Err(self.failure("B does not stand by"));
        }
        thread::sleep(COMES_TO_REST);
        // On a machine that has no time for it, a collector looks as if it rested. Anybody else at work is another matter.
        let mut by = Vec::new();
        let somebody = wait_until(PATIENCE, || {
            by = self.at_work();
            !by.is_empty()
        });
        if somebody && by == [Node::A.name()] {
            return Ok(());
        }
        Err(self.failure(&format!("at the beginning the service works on {by:?}")))
    }

    fn furnish(&self, node: Node) -> Result<(), LabError> {
        let host = self.host(node);
        let manner = Manner { port: Some(PORT), ..self.service.manner.clone() };
        host.write_collector(&self.service.program, &manner)?;
        for NodeFile { name, text, is_program } in &self.recipe.files {
            if *is_program {
                host.write_program(name, text)?
            } else {
                host.write_secret(name, text)?
            };
        }
        host.write_file("pair.conf", &self.recipe.configurations[node as usize])?;
        Ok(())
    }

    fn start_daemon(&mut self, node: Node) -> Result<(), LabError> {
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
        let mut daemon: Daemon = self.recipe.daemon.clone();
        // The stand-ins come first.
        let path = format!("PATH={HOST_DIR}:{path}:/usr/sbin:/sbin");
        daemon.command = [&["env".to_owned(), path], &daemon.command[..]].concat();
        let conf = format!("{HOST_DIR}/pair.conf");
        let program = self.host(node).start_daemon_with(&daemon, conf.as_ref())?;
        self.daemons[node as usize] = Some(program);
        Ok(())
    }

    fn boot_service(&self, node: Node) -> Result<(), LabError> {
        if self.recipe.service_at_boot { self.host(node).collector_service("start").map(|_| ()) } else { Ok(()) }
    }

    /// Does one step.
    pub(crate) fn play(&mut self, step: Step) -> Result<(), LabError> {
        match step {
            Step::Mark => self.course.mark = Some(self.lab.note("", "mark")),
            Step::End => self.course.end = Some(self.lab.note("", "end")),
            Step::Pass(span) => thread::sleep(span),
            Step::UntilNew(patience) => {
                let since = self.course.last_deed();
                // That nobody comes is a result, which the figures show.
                let _ = wait_until(patience, || self.somebody_began(since));
            }
            Step::UntilSettled(patience) => {
                let _ = wait_until(patience, || self.is_settled());
            }
            Step::StandsBy(node, patience) => self.see_whether_it_stands_by(node, patience)?,
            // They begin when it is known whom they concern.
            Step::KillService(_) | Step::HangService(_) => self.act(step)?,
            Step::PowerOff(_)
            | Step::PowerOn(_)
            | Step::BootService(_)
            | Step::StartDaemon(_)
            | Step::StopDaemon(_)
            | Step::BringBack(_)
            | Step::Cut
            | Step::Heal => {
                self.begin_deed(step);
                self.act(step)?;
            }
            // All processes of a daemon have to be found first.
            Step::KillDaemon(_) | Step::FreezeDaemon(_) | Step::ThawDaemon(_) => {
                self.begin_deed(step);
                self.act(step)?;
                self.course.took_effect(Moment::now());
            }
        }
        Ok(())
    }

    fn act(&mut self, step: Step) -> Result<(), LabError> {
        match step {
            Step::KillService(node) => self.signal_service(step, node, Signal::KILL),
            Step::HangService(node) => self.signal_service(step, node, Signal::STOP),
            Step::PowerOff(node) => self.host(node).power_off(),
            Step::PowerOn(node) => {
                self.host(node).power_on()?;
                self.furnish(node)
            }
            Step::BootService(node) => self.boot_service(node),
            Step::StartDaemon(node) => self.start_daemon(node),
            Step::KillDaemon(node) => self.daemon(node)?.kill_all(),
            Step::FreezeDaemon(node) => self.daemon(node)?.freeze(),
            Step::ThawDaemon(node) => self.daemon(node)?.thaw(),
            Step::StopDaemon(node) => self.daemon(node)?.signal(Signal(self.recipe.daemon.stop)),
            Step::BringBack(node) => match &self.recipe.way_back {
                WayBack::StartsService => self.host(node).collector_service("start").map(|_| ()),
                WayBack::Nothing => Ok(()),
            },
            Step::Cut => self.lab.cut(&[&self.hosts[0], &self.hosts[1]]),
            Step::Heal => self.lab.heal(),
            Step::Mark | Step::End | Step::Pass(_) | Step::UntilNew(_) | Step::UntilSettled(_) | Step::StandsBy(..) => {
                Ok(())
            }
        }
    }

    fn begin_deed(&mut self, step: Step) {
        let began = self.lab.note("", &format!("{step:?}"));
        self.course.add(step, began);
    }

    fn signal_service(&mut self, step: Step, node: Node, signal: Signal) -> Result<(), LabError> {
        let all = self.host(node).processes("collector")?;
        if all.is_empty() {
            return Err(self.failure(&format!("no service runs on {}", node.name())));
        }
        // To find them took longer than a daemon takes to notice.
        self.begin_deed(step);
        all.iter().try_for_each(|process| process.signal(signal))
    }

    fn see_whether_it_stands_by(&mut self, node: Node, patience: Duration) -> Result<(), LabError> {
        let at = self.lab.note("", &format!("does {} stand by?", node.name()));
        let is_at_work = |stage: &Self| stage.at_work().contains(&node.name().to_owned());
        let alone = !is_at_work(self);
        self.course.asked = Some(Asked { node, at, patience, alone });
        if alone {
            self.host(node.other()).power_off()?;
            // That it does not is a result.
            let _ = wait_until(patience, || is_at_work(self));
        }
        Ok(())
    }

    /// Nothing more is done.
    pub(crate) fn end(mut self) -> Ended {
        self.course.end.get_or_insert_with(Moment::now);
        thread::sleep(READ_AFTER);
        let records = self.lab.journal().all();
        // A daemon reads its files first.
        for deed in &mut self.course.deeds {
            if let Step::StartDaemon(node) = deed.step
                && let Some(record) = records.iter().find(|record| record.at >= deed.began && begins(record, node))
            {
                deed.took_effect = record.at;
            }
        }
        let ticks = self.lab.journal().ticks();
        let addresses = self.addresses(&records);
        let story = self.story();
        let Self { mut course, recipe, .. } = self;
        let lines = |words: &str| {
            let has = |record: &&Record| matches!(&record.what, Seen::Line { text, .. } if text.contains(words));
            records.iter().filter(has).map(|record| record.at).collect::<Vec<Moment>>()
        };
        if let Some([is_up, is_good]) = &recipe.first_look
            && let Some(up) = lines(is_up).first()
        {
            let good = lines(is_good).into_iter().find(|at| at >= up);
            course.first_good_after = good.map(|at| at.since(*up));
        }
        let evidence = Evidence {
            ticks,
            told: records.iter().filter_map(|record| Some((record.at, told(record)?))).collect(),
            decisions: lines(&recipe.decision),
            reports_of_two: recipe.reports_of_two.iter().flat_map(|words| lines(words)).collect(),
        };
        Ended { course, evidence, addresses, story }
    }

    fn addresses(&self, records: &[Record]) -> Addresses {
        // Who looks sees that an address is gone a moment before the kernel's message about it is read.
        let (mark, event, until) = (self.course.mark(), self.course.event(), self.course.end() + READ_AFTER);
        let held = holdings(records, IpAddr::V4(VIP));
        let held_at_the_end = held.iter().filter(|one| one.from <= until && one.until.is_none_or(|at| at > until));
        let had_it = held.iter().filter(|one| one.from <= event);
        let let_go = had_it.filter_map(|one| one.until).filter(|&at| at > event && at <= until).min();
        Addresses {
            two: held_by_several(&held, mark, until),
            two_go_on: held_at_the_end.count() > 1,
            gone_after: let_go.map(|at| at.since(event)),
        }
    }

    /// Everything that was seen, and who was at work when.
    pub(crate) fn story(&self) -> String {
        let records = self.lab.journal().all().into_iter().map(|record| (record.at, record.to_string()));
        let work = collectings(&self.lab.journal().ticks()).into_iter().flat_map(|one| {
            let who = format!("{:<4} collector {}", one.by, one.pid);
            [
                (one.from, format!("{:?} {who} is at work", one.from)),
                (one.until, format!("{:?} {who} was at work until here", one.until)),
            ]
        });
        let mut lines: Vec<(Moment, String)> = records.chain(work).collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line + "\n").collect()
    }

    fn somebody_began(&self, since: Moment) -> bool {
        self.lab.journal().ticks().iter().any(|tick| tick.number == 0 && tick.at >= since)
    }

    /// One alone is at work, and no address is left anywhere else.
    fn is_settled(&self) -> bool {
        // A kernel that could not be asked just now may still have it.
        let may_have = |host: &&Host| {
            let held = |all: Vec<(String, Cidr)>| all.iter().any(|(_, held)| held.address == IpAddr::V4(VIP));
            host.is_on() && host.addresses().map_or(true, held)
        };
        self.hosts.iter().filter(may_have).count() <= 1 && is_settled(&self.lab.journal().ticks(), Moment::now())
    }

    /// The names of the hosts at work, one for each collector.
    fn at_work(&self) -> Vec<String> {
        let all = at_work(&self.lab.journal().ticks(), Moment::now(), AT_WORK);
        all.into_iter().map(|(host, _)| host.to_string()).collect()
    }

    fn host(&self, node: Node) -> &Host {
        &self.hosts[node as usize]
    }

    pub(crate) fn daemon(&self, node: Node) -> Result<&Program, LabError> {
        let daemon = self.daemons[node as usize].as_ref();
        daemon.ok_or_else(|| LabError::new(format!("no daemon was started on {}", node.name())))
    }

    fn failure(&self, what: &str) -> LabError {
        LabError::new(format!("{what}\n{}", self.story()))
    }
}

/// What a trial leaves behind.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) course: Course,
    pub(super) evidence: Evidence,
    pub(super) addresses: Addresses,
    pub(super) story: String,
}

fn begins(record: &Record, node: Node) -> bool {
    &*record.host == node.name() && matches!(&record.what, Seen::Line { text, .. } if text.contains(BEGINS))
}

fn told(record: &Record) -> Option<Told> {
    let Seen::ScriptRun { name, arguments } = &record.what else { return None };
    match (name.as_str(), arguments.first()?.as_str()) {
        ("collector", "starts") => Some(Told::Starts),
        ("collector", "is told to stop") => Some(Told::IsToldToStop),
        ("collector", "ends") => Some(Told::Ends),
        _ => None,
    }
}
