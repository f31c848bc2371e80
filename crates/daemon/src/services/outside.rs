//! The service managers that have a socket. Each has a thread of its own, started when the first service needs it.

use engine::{Name, ServiceOrder, ServiceReport};
use linux::poll::{Interest, Poll};
use linux::system_log::Severity;
use managers::{Docker, DockerPlace, News, Systemd, SystemdPlace, Weight, Word};

use super::plan::ManagerPlan;

/// Those that are talked to.
#[derive(Debug, Default)]
pub(super) struct Outside {
    systemd: Option<Systemd>,
    docker: Option<Docker>,
}

/// What one of them has said about a service.
#[derive(Debug)]
pub(super) enum Said {
    Report(Name, ServiceReport),
    Line(Severity, String),
}

impl Outside {
    /// Makes a service known to its manager, if it is one of these.
    pub(super) fn add(&mut self, service: &Name, plan: &ManagerPlan, poll: &Poll, token: u64) -> linux::Result<()> {
        match plan {
            ManagerPlan::Command { .. } | ManagerPlan::Scripts { .. } => {}
            ManagerPlan::Systemd { unit } => {
                let systemd = match &mut self.systemd {
                    Some(systemd) => systemd,
                    none => {
                        let started = Systemd::start(SystemdPlace::of_this_machine());
                        let systemd = started.map_err(|error| linux::Error::from_io("talk to systemd", &error))?;
                        poll.add(systemd.fd(), token, Interest::Readable)?;
                        none.insert(systemd)
                    }
                };
                systemd.add(service.clone(), unit);
            }
            ManagerPlan::Docker { container } => {
                let docker = match &mut self.docker {
                    Some(docker) => docker,
                    none => {
                        let started = Docker::start(DockerPlace::of_this_machine());
                        let docker = started.map_err(|error| linux::Error::from_io("talk to docker", &error))?;
                        poll.add(docker.fd(), token, Interest::Readable)?;
                        none.insert(docker)
                    }
                };
                docker.add(service.clone(), container);
            }
        }
        Ok(())
    }

    pub(super) fn order(&self, service: &Name, plan: &ManagerPlan, order: ServiceOrder) {
        match plan {
            ManagerPlan::Command { .. } | ManagerPlan::Scripts { .. } => {}
            ManagerPlan::Systemd { .. } => {
                if let Some(systemd) = &self.systemd {
                    systemd.order(service, order);
                }
            }
            ManagerPlan::Docker { .. } => {
                if let Some(docker) = &self.docker {
                    docker.order(service, order);
                }
            }
        }
    }

    /// Everything that they have said.
    pub(super) fn take(&self) -> Vec<Said> {
        let systemd = self.systemd.as_ref().map(Systemd::take).unwrap_or_default();
        let docker = self.docker.as_ref().map(Docker::take).unwrap_or_default();
        systemd.into_iter().chain(docker).map(said).collect()
    }
}

fn said(News { service, word }: News) -> Said {
    match word {
        Word::Report(report) => Said::Report(service, report),
        Word::Remark(weight, text) => {
            let severity = match weight {
                Weight::Info => Severity::Info,
                Weight::Warning => Severity::Warning,
                Weight::Error => Severity::Error,
            };
            Said::Line(severity, format!("({service}) {text}"))
        }
    }
}
