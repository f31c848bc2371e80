//! The service managers that have a socket. Each has a thread of its own, started when the first service needs it.
//!
//! A service may get another manager by a reload, or another unit, while what the former one has said is still on its way.
//! So the managers know services by names of ours that are never used twice, and what is said about a former one finds
//! nobody.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use engine::{Name, ServiceOrder, ServiceReport};
use linux::poll::{Interest, Poll};
use linux::system_log::Severity;
use managers::{Docker, DockerPlace, News, Systemd, SystemdPlace, Undelivered, Weight, Word};

use super::plan::ManagerPlan;

/// Those that are talked to.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) systemd_place: SystemdPlace,
    pub(super) docker_place: DockerPlace,
    systemd: Option<Systemd>,
    docker: Option<Docker>,
    /// The services, by the names that their managers know.
    services: BTreeMap<Name, Name>,
    added: u64,
}

/// What one of them has said about a service.
#[derive(Debug)]
pub(super) enum Said {
    Report(Name, ServiceReport),
    Line(Severity, String),
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            systemd_place: SystemdPlace::of_this_machine(),
            docker_place: DockerPlace::of_this_machine(),
            systemd: None,
            docker: None,
            services: BTreeMap::new(),
            added: 0,
        }
    }
}

impl Outside {
    /// Makes a unit or container known to its manager as this service. Answers under which name.
    pub(super) fn add(&mut self, service: &Name, plan: &ManagerPlan, poll: &Poll, token: u64) -> linux::Result<Name> {
        self.added += 1;
        let known_as = Name::from(format!("{service} {}", self.added).as_str());
        self.services.insert(known_as.clone(), service.clone());
        match plan {
            ManagerPlan::Command { .. } | ManagerPlan::Scripts { .. } => {}
            ManagerPlan::Systemd { unit } => {
                let systemd = match &mut self.systemd {
                    Some(systemd) => systemd,
                    none => {
                        let started = Systemd::start(self.systemd_place.clone());
                        let systemd = started.map_err(|error| linux::Error::from_io("talk to systemd", &error))?;
                        poll.add(systemd.fd(), token, Interest::Readable)?;
                        none.insert(systemd)
                    }
                };
                systemd.add(known_as.clone(), unit);
            }
            ManagerPlan::Docker { container } => {
                let docker = match &mut self.docker {
                    Some(docker) => docker,
                    none => {
                        let started = Docker::start(self.docker_place.clone());
                        let docker = started.map_err(|error| linux::Error::from_io("talk to docker", &error))?;
                        poll.add(docker.fd(), token, Interest::Readable)?;
                        none.insert(docker)
                    }
                };
                docker.add(known_as.clone(), container);
            }
        }
        Ok(known_as)
    }

    /// Orders something of the service that was added under this name.
    pub(super) fn order(&mut self, known_as: &Name, plan: &ManagerPlan, order: ServiceOrder) {
        if order == ServiceOrder::Forget {
            self.services.remove(known_as);
        }
        match plan {
            ManagerPlan::Command { .. } | ManagerPlan::Scripts { .. } => {}
            ManagerPlan::Systemd { .. } => {
                if let Some(systemd) = &self.systemd {
                    systemd.order(known_as, order);
                }
            }
            ManagerPlan::Docker { .. } => {
                if let Some(docker) = &self.docker {
                    docker.order(known_as, order);
                }
            }
        }
    }

    /// Everything that they have said.
    pub(super) fn take(&self) -> Vec<Said> {
        let systemd = self.systemd.as_ref().map(Systemd::take).unwrap_or_default();
        let docker = self.docker.as_ref().map(Docker::take).unwrap_or_default();
        systemd.into_iter().chain(docker).filter_map(|news| self.said(news)).collect()
    }

    /// Waits until they have taken all orders, but no longer than this. What they have not taken.
    pub(super) fn drain(&self, within: Duration) -> Vec<String> {
        let until = Instant::now() + within;
        let systemd = self.systemd.as_ref().map(|systemd| systemd.drain(within)).unwrap_or_default();
        let left = until.saturating_duration_since(Instant::now());
        let docker = self.docker.as_ref().map(|docker| docker.drain(left)).unwrap_or_default();
        let by_its_name = |undelivered: Undelivered| {
            let service = self.services.get(&undelivered.service).cloned()?;
            Some(Undelivered { service, ..undelivered }.to_string())
        };
        systemd.into_iter().chain(docker).filter_map(by_its_name).collect()
    }

    fn said(&self, News { service, word }: News) -> Option<Said> {
        let service = self.services.get(&service)?;
        Some(match word {
            Word::Report(report) => Said::Report(service.clone(), report),
            Word::Remark(weight, text) => {
                let severity = match weight {
                    Weight::Info => Severity::Info,
                    Weight::Warning => Severity::Warning,
                    Weight::Error => Severity::Error,
                };
                Said::Line(severity, format!("({service}) {text}"))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_former_manager_still_says_finds_nobody() {
        let poll = Poll::new().expect("a poll");
        let place = DockerPlace::at("/no/such/socket");
        let mut outside = Outside { docker_place: place, ..Outside::default() };
        let service = Name::from("job");
        let docker = |container: &str| ManagerPlan::Docker { container: container.to_owned() };
        let first = outside.add(&service, &docker("first"), &poll, 1).expect("a thread");
        let says = |outside: &Outside, known_as: &Name| {
            let running =
                |known_as: &Name| News { service: known_as.clone(), word: Word::Report(ServiceReport::Running) };
            match outside.said(running(known_as)) {
                Some(Said::Report(name, ServiceReport::Running)) => Some(name),
                _ => None,
            }
        };
        assert_eq!(says(&outside, &first), Some(service.clone()));
        outside.order(&first, &docker("first"), ServiceOrder::Forget);
        let second = outside.add(&service, &docker("second"), &poll, 1).expect("a thread");
        assert_eq!(says(&outside, &first), None, "it was still on its way");
        assert_eq!(says(&outside, &second), Some(service));
    }
}
