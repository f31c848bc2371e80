//! The stage: both nodes as hosts of a lab, with their daemons and services, and the client's two probes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Output;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use linux::signals::Signal;

use super::pair::{Configuration, HostFile, Node, Pair, Service};
use crate::lab::{
    Audit, Daemon, Host, Lab, LabError, Manner, Moment, PATIENCE, Probe, Program, WebProbe, audit, wait_until,
};
use crate::web;

/// Whose last tick is not older than this is at work.
const AT_WORK: Duration = Duration::from_millis(200);
/// Ticks are read this long after they were written, at the latest.
const READ_BY: Duration = Duration::from_millis(50);

/// Everything that a rehearsal plays with.
pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) players: [Player; 2],
    pub(crate) address: Ipv4Addr,
    pub(crate) probe: Probe,
    pub(crate) web_probe: Option<WebProbe>,
}

/// A node on the stage.
pub(crate) struct Player {
    pub(crate) node: Node,
    pub(crate) host: Host,
    daemon: Option<Program>,
    service: Option<Program>,
}

impl Stage {
    /// Builds it; no daemon runs yet.
    pub(crate) fn build(pair: &Pair) -> Result<Self, LabError> {
        let lab = Lab::new("rehearsal")?;
        lab.client().add_address(&format!("{}/32", super::pair::CLIENT))?;
        lab.client().add_neighbour(pair.address.into())?;
        let [a, b] = &pair.nodes;
        let player = |node: &Node| -> Result<Player, LabError> {
            let host = lab.add_host(&node.plan)?;
            Ok(Player { node: node.clone(), host, daemon: None, service: None })
        };
        let players = [player(a)?, player(b)?];
        let probe = lab.probe(pair.address)?;
        let web_probe = match a.service {
            Service::Web { .. } | Service::Supervised(_) => Some(lab.client().probe_web(pair.address, web::PORT)?),
            Service::StandIn { .. } | Service::Unwatched(_) => None,
        };
        Ok(Self { lab, players, address: pair.address, probe, web_probe })
    }

    /// Who has the address now.
    pub(crate) fn holders(&self) -> Vec<usize> {
        (0..2).filter(|&which| self.players[which].host.has_address(self.address.into())).collect()
    }

    /// Waits until exactly this node has the address and answers the client.
    pub(crate) fn wait_for_sole_holder(&self, which: usize, patience: Duration) -> bool {
        let since = Moment::now();
        wait_until(patience, || self.holders() == [which])
            && self.probe.wait_for_answer_by(self.name(which), since, PATIENCE).is_some()
    }

    /// Waits until this node answers what the client asks from now on, be it the only holder or not.
    pub(crate) fn wait_for_answer_by(&self, which: usize, patience: Duration) -> bool {
        self.probe.wait_for_answer_by(self.name(which), Moment::now(), patience).is_some()
    }

    /// The node on which a collector has begun to work since, and when it did.
    pub(crate) fn began_since(&self, since: Moment) -> Option<(usize, Moment)> {
        let ticks = self.lab.journal().ticks();
        let first = ticks.iter().find(|tick| tick.number == 0 && tick.at >= since)?;
        let which = (0..2).find(|&which| self.name(which) == &*first.host)?;
        Some((which, first.at))
    }

    /// Waits until a collector begins to work.
    pub(crate) fn wait_for_beginning(&self, since: Moment, patience: Duration) -> Option<(usize, Moment)> {
        let mut found = None;
        let _ = wait_until(patience, || {
            found = self.began_since(since);
            found.is_some()
        });
        found
    }

    /// On which nodes collectors are at work.
    pub(crate) fn at_work(&self) -> BTreeSet<Arc<str>> {
        let since = Moment::now() - AT_WORK;
        let ticks = self.lab.journal().ticks();
        ticks.into_iter().rev().take_while(|tick| tick.at >= since).map(|tick| tick.host).collect()
    }

    /// Waits until only this node's collector is at work.
    pub(crate) fn wait_for_sole_work(&self, which: usize, patience: Duration) -> bool {
        wait_until(patience, || self.at_work().iter().map(|host| &**host).eq([self.name(which)]))
    }

    /// When this node's collector worked last.
    pub(crate) fn last_work(&self, which: usize) -> Option<Moment> {
        thread::sleep(READ_BY);
        let ticks = self.lab.journal().ticks();
        ticks.iter().rev().find(|tick| &*tick.host == self.name(which)).map(|tick| tick.at)
    }

    /// What the collectors did between two moments.
    pub(crate) fn audit(&self, from: Moment, until: Moment) -> Audit {
        thread::sleep(READ_BY);
        audit(&self.lab.journal().ticks(), from, until)
    }

    pub(crate) fn name(&self, which: usize) -> &'static str {
        self.players[which].node.name
    }

    /// Goes on a little, so that what follows from the last event can be seen, too.
    pub(crate) fn dwell(&self, span: Duration) {
        thread::sleep(span);
    }
}

impl Player {
    /// Power, files, service and daemon, as far as they are not there yet.
    pub(crate) fn start(&mut self) -> Result<(), LabError> {
        if !self.host.is_on() {
            self.host.power_on()?;
        }
        for file in &self.node.files {
            match file {
                HostFile::Recorder(name) => self.host.write_recorder(name)?,
                HostFile::Check(name) => self.host.write_check(name)?,
                HostFile::Program { name, text } => self.host.write_program(name, text)?,
                HostFile::Secret { name, text } => self.host.write_secret(name, text)?,
            };
        }
        if let Service::Supervised(service) = &self.node.service {
            let manner = Manner { port: Some(web::PORT), ..Manner::default() };
            self.host.write_collector(&service.program, &manner)?;
        }
        self.start_service()?;
        self.start_daemon()
    }

    pub(crate) fn start_daemon(&mut self) -> Result<(), LabError> {
        let daemon: &Daemon = &self.node.daemon;
        self.daemon = Some(match &self.node.configuration {
            Configuration::Text(text) => self.host.start_daemon(daemon, text)?,
            Configuration::File(path) => self.host.start_daemon_with(daemon, path)?,
        });
        Ok(())
    }

    pub(crate) fn stop_daemon(&mut self) -> Result<(), LabError> {
        self.daemon.as_ref().map_or(Ok(()), |daemon| daemon.signal(Signal(self.node.daemon.stop)))
    }

    pub(crate) fn kill_daemon(&mut self) -> Result<(), LabError> {
        self.daemon.as_ref().map_or(Ok(()), Program::kill_all)
    }

    /// Whether the daemon was started and has not ended.
    pub(crate) fn daemon_runs(&self) -> bool {
        self.daemon.as_ref().is_some_and(Program::is_running)
    }

    pub(crate) fn wait_for_daemons_end(&self) -> bool {
        self.daemon.as_ref().is_none_or(|daemon| daemon.wait(PATIENCE))
    }

    /// Has the operator of this node call our program: `tanist switch`, for instance.
    pub(crate) fn operate(&self, words: &[&str]) -> Result<Output, LabError> {
        let program = self.node.daemon.command.first().map(String::as_str);
        let command: Vec<&str> = program.into_iter().chain(words.iter().copied()).collect();
        self.host.output(&command)
    }

    /// Starts the service and waits until it can be reached; for a stand-in: lets its check succeed.
    pub(crate) fn start_service(&mut self) -> Result<(), LabError> {
        match &self.node.service {
            Service::Web { command, .. } => {
                let words: Vec<&str> = command.iter().map(String::as_str).collect();
                self.service = Some(self.host.start("web service", &words)?);
                let reachable = || {
                    let connects = || std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, web::PORT)).is_ok();
                    self.host.run(connects).unwrap_or(false)
                };
                if wait_until(PATIENCE, reachable) {
                    Ok(())
                } else {
                    Err(LabError::new(format!("the web service of {} can't be reached", self.node.name)))
                }
            }
            Service::StandIn { file, .. } => self.host.set_check(file, true),
            Service::Supervised(_) | Service::Unwatched(_) => Ok(()),
        }
    }

    pub(crate) fn kill_service(&mut self) -> Result<(), LabError> {
        match &self.node.service {
            Service::Web { .. } => self.service.as_ref().map_or(Ok(()), Program::kill_all),
            Service::StandIn { file, .. } => self.host.set_check(file, false),
            Service::Supervised(_) => self.host.signal_collectors(Signal::KILL).map(|_| ()),
            Service::Unwatched(_) => Ok(()),
        }
    }

    /// The service hangs: it is there, and answers nobody.
    pub(crate) fn freeze_service(&self) -> Result<(), LabError> {
        self.host.signal_collectors(Signal::STOP).map(|_| ())
    }
}
