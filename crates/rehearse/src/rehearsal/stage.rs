//! The stage: both nodes as hosts of a lab, with their daemons and services, and the client's two probes.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use linux::signals::Signal;

use super::pair::{Configuration, HostFile, Node, Pair, Service};
use crate::lab::{Daemon, Host, Lab, LabError, Moment, PATIENCE, Probe, Program, WebProbe, wait_until};
use crate::web;

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
            Service::Web { .. } => Some(lab.client().probe_web(pair.address, web::PORT)?),
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
            };
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
            Service::Unwatched(_) => Ok(()),
        }
    }

    pub(crate) fn kill_service(&mut self) -> Result<(), LabError> {
        match &self.node.service {
            Service::Web { .. } => self.service.as_ref().map_or(Ok(()), Program::kill_all),
            Service::StandIn { file, .. } => self.host.set_check(file, false),
            Service::Unwatched(_) => Ok(()),
        }
    }
}
