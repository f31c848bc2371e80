//! docker, over its socket, and whatever speaks the same language there.
//!
//! The paths carry no version: the daemon then answers in its own, and what is read here has been in all of them.

mod container;
pub(crate) mod foreign;
mod http;
mod words;
mod worker;

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use engine::{Name, ServiceOrder};

use crate::courier::Courier;
use crate::ledger::{Ledger, ledger};
use crate::socket::Address;
use crate::{News, Undelivered};
use worker::Order;

/// Where docker's socket is unless the environment says otherwise.
const SOCKET: &str = "/var/run/docker.sock";

/// Where docker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerPlace {
    /// Or why it can't be reached.
    socket: Result<Address, String>,
}

impl DockerPlace {
    /// As `DOCKER_HOST` says, else at the usual place.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::from_setting(std::env::var("DOCKER_HOST").ok().as_deref())
    }

    /// At this path.
    #[must_use]
    pub fn at(socket: &str) -> Self {
        Self { socket: Ok(Address::Path(socket.to_owned())) }
    }

    fn from_setting(setting: Option<&str>) -> Self {
        let Some(setting) = setting.filter(|setting| !setting.is_empty()) else { return Self::at(SOCKET) };
        match setting.strip_prefix("unix://") {
            Some(path) => Self::at(path),
            None => Self { socket: Err(format!("DOCKER_HOST is {setting}, and only unix:// leads to this machine")) },
        }
    }
}

/// The thread that talks to docker. It ends when this is dropped; what it watched stays as it is.
#[derive(Debug)]
pub struct Docker {
    courier: Courier<Order>,
    ledger: Ledger,
}

impl Docker {
    /// Starts the thread. Signals must be blocked before.
    pub fn start(place: DockerPlace) -> io::Result<Self> {
        let (ledger, receipts) = ledger("docker");
        let work = move |post| worker::run(&place, post, receipts);
        Ok(Self { courier: Courier::start("tanist-docker", work)?, ledger })
    }

    /// Readable while there may be news to [`take`](Self::take).
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.courier.fd()
    }

    /// Makes a container (by name or id) known under a service's name, or another one than before. Nothing is reported
    /// until the first order; remarks may come at once.
    pub fn add(&self, service: Name, container: &str) {
        self.courier.order(Order::Add { service, container: container.to_owned() });
    }

    /// Gives an order for a service that was added.
    pub fn order(&self, service: &Name, order: ServiceOrder) {
        let number = self.ledger.enter(service, order);
        self.courier.order(Order::Service { service: service.clone(), order, number });
    }

    /// For whoever is about to end: waits until docker has taken every start, stop and kill, or this time is over. What
    /// it has not taken by then is named, and nobody should count on it.
    #[must_use]
    pub fn drain(&self, within: Duration) -> Vec<Undelivered> {
        self.ledger.wait(within)
    }

    /// All that has become known, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<News> {
        self.courier.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_socket() {
        let at = DockerPlace::at;
        assert_eq!(DockerPlace::from_setting(None), at("/var/run/docker.sock"));
        assert_eq!(DockerPlace::from_setting(Some("")), at("/var/run/docker.sock"));
        assert_eq!(DockerPlace::from_setting(Some("unix:///run/podman/podman.sock")), at("/run/podman/podman.sock"));
        let refused = DockerPlace::from_setting(Some("tcp://192.0.2.1:2375")).socket.unwrap_err();
        assert_eq!(refused, "DOCKER_HOST is tcp://192.0.2.1:2375, and only unix:// leads to this machine");
    }
}
