//! A pair under trial in a lab of its own, in good order: A has the service, B stands by.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use linux::signals::Signal;

use super::recipe::{NodeFile, PORT, Recipe, WayBack};
use super::scenario::{Node, Step};
use super::{Outcome, Service};
use crate::lab::{
    Audit, Daemon, HOST_DIR, Host, HostPlan, Lab, LabError, Manner, Moment, PATIENCE, Program, Record, Seen, audit,
    collectings, held_by_several, holdings, wait_until,
};

/// The address that the edge gateway's files give away.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(192, 160, 127, 254);
/// So long must one alone have been at work.
const SETTLED: Duration = Duration::from_secs(1);
/// Who has ticked within this time is at work.
const AT_WORK: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) lab: Lab,
    recipe: &'a Recipe,
    service: &'a Service,
    hosts: [Host; 2],
    daemons: [Option<Program>; 2],
    /// The last deed.
    deed: Moment,
    mark: Option<Moment>,
    /// The first deed from the mark on.
    event: Option<Moment>,
    end: Option<Moment>,
    stands_by: Option<bool>,
}

impl<'a> Stage<'a> {
    /// Builds it and waits until all is well.
    pub(crate) fn build(name: &str, recipe: &'a Recipe, service: &'a Service) -> Result<Self, LabError> {
        let lab = Lab::new(name)?;
        lab.client().add_address("10.0.0.254/24")?;
        let host = |node: Node, address: &str| lab.add_host(&HostPlan::new(node.name()).interface("eth0", &[address]));
        let hosts = [host(Node::A, "10.0.0.127/24")?, host(Node::B, "10.0.0.223/24")?];
        let deed = Moment::now();
        let daemons = [None, None];
        let mut stage =
            Self { lab, recipe, service, hosts, daemons, deed, mark: None, event: None, end: None, stands_by: None };
        stage.set_up()?;
        Ok(stage)
    }

    fn set_up(&mut self) -> Result<(), LabError> {
        let begun = Moment::now();
        Node::BOTH.into_iter().try_for_each(|node| self.furnish(node))?;
        self.boot_service(Node::A)?;
        if self.recipe.service_at_boot && !wait_until(PATIENCE, || self.at_work(AT_WORK).len() == 1) {
            return Err(self.failure("the service of A does not collect"));
        }
        self.start_daemon(Node::A)?;
        if !wait_until(PATIENCE, || self.hosts[0].has_address(VIP.into()) && self.at_work(AT_WORK).len() == 1) {
            return Err(self.failure("A does not become active with its service"));
        }
        self.start_daemon(Node::B)?;
        let listens = self.lab.journal().wait_for(begun, PATIENCE, |record| {
            &*record.host == Node::B.name()
                && matches!(&record.what, Seen::Line { text, .. } if text.contains("Entering BACKUP STATE"))
        });
        if listens.is_none() {
            return Err(self.failure("B does not stand by"));
        }
        // Two advertisements, and a check each second.
        thread::sleep(Duration::from_millis(2500));
        let by: Vec<_> = self.at_work(AT_WORK).into_iter().map(|(host, _)| host).collect();
        match by.as_slice() {
            [one] if **one == *Node::A.name() => Ok(()),
            _ => Err(self.failure(&format!("at the beginning the service works on {by:?}"))),
        }
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
            Step::Mark => self.mark = Some(self.lab.note("", "mark")),
            Step::End => self.end = Some(self.lab.note("", "end")),
            Step::Pass(span) => thread::sleep(span),
            Step::UntilNew(patience) => {
                let since = self.deed;
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
            | Step::KillDaemon(_)
            | Step::FreezeDaemon(_)
            | Step::ThawDaemon(_)
            | Step::StopDaemon(_)
            | Step::BringBack(_)
            | Step::Cut
            | Step::Heal => {
                self.begin_deed(step);
                self.act(step)?;
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
        self.deed = self.lab.note("", &format!("{step:?}"));
        if self.mark.is_some() {
            self.event.get_or_insert(self.deed);
        }
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
        let other = node.other();
        let is_at_work = |stage: &Self| stage.at_work(AT_WORK).iter().any(|(host, _)| **host == *node.name());
        let well = if is_at_work(self) {
            // It has the service already: more than standing by.
            true
        } else {
            self.lab.note(other.name(), "loses power: does the other one stand by?");
            self.host(other).power_off()?;
            wait_until(patience, || is_at_work(self))
        };
        self.stands_by = Some(well);
        Ok(())
    }

    /// What came of it.
    pub(crate) fn outcome(&self) -> Outcome {
        // Ticks are read a moment after they were written.
        let until = self.end.unwrap_or_else(Moment::now);
        thread::sleep(Duration::from_millis(100));
        let mark = self.mark.unwrap_or(self.deed);
        let Audit { gap, gap_goes_on, overlap, overlap_goes_on } = audit(&self.lab.journal().ticks(), mark, until);
        let records = self.lab.journal().all();
        let held = holdings(&records, IpAddr::V4(VIP));
        let held_at_the_end = held.iter().filter(|one| one.from <= until && one.until.is_none_or(|at| at > until));
        let event = self.event.unwrap_or(mark);
        let had_it = held.iter().filter(|one| one.from <= event);
        let let_go = had_it.filter_map(|one| one.until).filter(|&at| at > event && at <= until).min();
        let tells = |record: &Record, since: Moment, told: &str| {
            record.at > since
                && matches!(&record.what, Seen::ScriptRun { name, arguments } if name == "collector" && arguments[0] == told)
        };
        let first = |since: Moment, told: &str| records.iter().find(|record| tells(record, since, told));
        let decided = records.iter().find(|record| {
            record.at > event && matches!(&record.what, Seen::Line { text, .. } if text.contains(&self.recipe.decision))
        });
        let changed_hands = first(event, "is told to stop").and_then(|_| {
            let ends = first(event, "ends")?;
            Some(first(ends.at, "starts")?.at.since(ends.at))
        });
        Outcome {
            gap,
            gap_goes_on,
            overlap,
            overlap_goes_on,
            overlap_after_last_deed: audit(&self.lab.journal().ticks(), self.deed, until).overlap,
            two_addresses: held_by_several(&held, mark, until),
            two_addresses_go_on: held_at_the_end.count() > 1,
            address_gone_after: let_go.map(|at| at.since(event)),
            decided_after: decided.map(|record| record.at.since(event)),
            started_after: first(event, "starts").map(|record| record.at.since(event)),
            changed_hands_in: changed_hands,
            stands_by: self.stands_by,
            watched: until.since(mark),
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
        if self.hosts.iter().filter(|host| host.has_address(VIP.into())).count() > 1 {
            return false;
        }
        let one = self.at_work(SETTLED);
        let (Some(first), 1) = (one.first(), one.len()) else { return false };
        let ticks = self.lab.journal().ticks();
        let is_its = |host: &Arc<str>, pid: u32| (host, pid) == (&first.0, first.1);
        let began = collectings(&ticks).into_iter().rfind(|one| is_its(&one.by, one.pid)).map(|one| one.from);
        began.is_some_and(|began| Moment::now().since(began) >= SETTLED) && self.at_work(AT_WORK) == one
    }

    /// Who has ticked within the last so and so long.
    fn at_work(&self, span: Duration) -> BTreeSet<(Arc<str>, u32)> {
        let since = Moment::now() - span;
        let ticks = self.lab.journal().ticks();
        ticks.into_iter().rev().take_while(|tick| tick.at >= since).map(|tick| (tick.host, tick.pid)).collect()
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
