//! systemd, over its bus interface (org.freedesktop.systemd1).
//!
//! Nothing is asked again and again: systemd tells of every change, and an idle unit costs nothing.

mod bus;
mod cgroup;
pub(crate) mod foreign;
mod message;
mod properties;
mod unit;
mod worker;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

use engine::{Name, ServiceOrder};

use crate::courier::Courier;
use crate::ledger::{Ledger, ledger};
use crate::socket::Address;
use crate::{News, Undelivered};
use bus::Way;
use worker::Order;

/// Where systemd is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemdPlace {
    ways: Vec<Way>,
    control_groups: PathBuf,
}

impl SystemdPlace {
    /// As `DBUS_SYSTEM_BUS_ADDRESS` says, else at the usual place; at last systemd's own socket, which needs no bus.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let setting = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").ok();
        Self { ways: bus::ways(setting.as_deref()), control_groups: cgroup::root() }
    }

    /// The systemd of a container: its bus and its control groups as paths here.
    #[must_use]
    pub fn at(bus: &str, control_groups: PathBuf) -> Self {
        Self { ways: vec![Way::Bus(Address::Path(bus.to_owned()))], control_groups }
    }
}

/// The thread that talks to systemd. It ends when this is dropped; what it watched stays as it is.
#[derive(Debug)]
pub struct Systemd {
    courier: Courier<Order>,
    ledger: Ledger,
}

impl Systemd {
    /// Starts the thread. Signals must be blocked before.
    pub fn start(place: SystemdPlace) -> io::Result<Self> {
        let (ledger, receipts) = ledger("systemd");
        let work = move |post| worker::run(&place, post, receipts);
        Ok(Self { courier: Courier::start("tanist-systemd", work)?, ledger })
    }

    /// Readable while there may be news to [`take`](Self::take).
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.courier.fd()
    }

    /// Makes a unit known under a service's name, or another one than before. Nothing is reported until the first
    /// order; remarks may come at once.
    pub fn add(&self, service: Name, unit: &str) {
        self.courier.order(Order::Add { service, unit: unit.to_owned() });
    }

    /// Gives an order for a service that was added.
    pub fn order(&self, service: &Name, order: ServiceOrder) {
        let number = self.ledger.enter(service, order);
        self.courier.order(Order::Service { service: service.clone(), order, number });
    }

    /// For whoever is about to end: waits until systemd has taken every start, stop and kill, or this time is over. What
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
