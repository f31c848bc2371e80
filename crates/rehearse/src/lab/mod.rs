//! Virtual hosts on a virtual switch, with observers: what a rehearsal and our integration tests run on.
//!
//! A [`Lab`] is a bridge in a network namespace of its own. Each [`Host`] has namespaces for its network, processes,
//! mounts and name; a client probes addresses from outside. Packets are seen at the switch, addresses and links in the
//! kernel of each host, and all of it lands in one [`Journal`], so that who held an address when does not depend on
//! what a daemon says of itself.
//!
//! Nothing has a name in the file system, and everything ends with the process that made it, however that ends.
//! It needs root, real or in a user namespace ([`again_as_root`], [`run_test`]), and no other tool of the system.
//!
//! ```no_run
//! # use tanist_rehearse::lab::{Daemon, HostPlan, Lab, LabError, Moment, PATIENCE};
//! # fn example(configuration: &str) -> Result<(), LabError> {
//! let lab = Lab::new("example")?;
//! lab.client().add_address("192.0.2.254/24")?;
//! let a = lab.add_host(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]))?;
//! let daemon = a.start_daemon(&Daemon::keepalived(), configuration)?;
//! let probe = lab.probe([192, 0, 2, 100].into())?;
//! let answer = probe.wait_for_answer_by("a", Moment::now(), PATIENCE);
//! assert!(answer.is_some() && daemon.is_running(), "{}", lab.journal().log_of("a"));
//! # Ok(())
//! # }
//! ```

mod answers;
mod cidr;
mod client;
mod collector;
mod daemon;
mod disk;
mod error;
pub mod frame;
mod holders;
mod host;
mod inside;
mod journal;
mod moment;
mod observers;
mod privileges;
mod probe;
mod program;
mod stand_in;
mod switch;
mod ticks;
mod web_probe;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use answers::{Answer, Answers, Asked, Outage, Stretch};
pub use cidr::Cidr;
pub use client::Client;
pub use collector::{COLLECTOR_PIPE, HostProcess, Manner};
pub use daemon::Daemon;
pub use disk::DISK;
pub use error::LabError;
pub use holders::{Holding, held_by_several, holdings};
pub use host::{HOST_DIR, Host, HostPlan};
pub use journal::{Journal, Record, Seen};
pub use moment::Moment;
pub use privileges::{again_as_root, permission, run_test, skip};
pub use probe::Probe;
pub use program::Program;
pub use ticks::{Audit, Collecting, Tick, audit, collectings};
pub use web_probe::WebProbe;

use observers::{Ports, Watch, watch_switch};
use switch::Switch;

/// Long enough for anything that is going to happen at all, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A switch with hosts and a client.
#[derive(Debug)]
pub struct Lab {
    name: Arc<str>,
    journal: Journal,
    hosts: Mutex<Vec<Host>>,
    client: Client,
    _watch: Watch,
    ports: Ports,
    switch: Arc<Switch>,
}

impl Lab {
    /// A switch and a client; no hosts yet. The name is for messages.
    pub fn new(name: &str) -> Result<Self, LabError> {
        let journal = Journal::default();
        let switch = Arc::new(Switch::new()?);
        let ports = Ports::default();
        let watch = watch_switch(switch.inside(), ports.clone(), journal.clone())?;
        let client = Client::new(&switch)?;
        Ok(Self { name: name.into(), journal, hosts: Mutex::default(), client, _watch: watch, ports, switch })
    }

    /// Adds a host and switches it on.
    pub fn add_host(&self, plan: &HostPlan) -> Result<Host, LabError> {
        let mut hosts = self.hosts();
        let number = u8::try_from(hosts.len() + 1).ok().filter(|&number| number < 100);
        let number = number.ok_or_else(|| LabError::new(format!("lab {} is full", self.name)))?;
        let host = Host::new(plan, number, self.switch.clone(), self.ports.clone(), self.journal.clone())?;
        hosts.push(host.clone());
        Ok(host)
    }

    /// The one who looks at addresses from outside.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// All that was seen.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Starts asking for an address every millisecond.
    pub fn probe(&self, address: std::net::Ipv4Addr) -> Result<Probe, LabError> {
        self.probe_every(address, Duration::from_millis(1))
    }

    /// As [`probe`](Self::probe), at another pace.
    pub fn probe_every(&self, address: std::net::Ipv4Addr, interval: Duration) -> Result<Probe, LabError> {
        let names = self.hosts().iter().map(|host| (host.time_to_live(), Arc::from(host.name()))).collect();
        Probe::start(self.client.inside(), address, interval, names)
    }

    /// Cuts the given hosts off from each other, all of them; each still reaches the client and hosts that are not named.
    /// For a cut in one direction see [`Host::set_deaf`].
    pub fn cut(&self, hosts: &[&Host]) -> Result<(), LabError> {
        hosts.iter().try_for_each(|host| host.set_isolated(true))
    }

    /// Undoes every [`cut`](Self::cut).
    pub fn heal(&self) -> Result<(), LabError> {
        self.hosts().iter().filter(|host| host.is_on()).try_for_each(|host| host.set_isolated(false))
    }

    /// Writes what the lab itself does into the journal and answers the moment.
    pub fn note(&self, host: &str, deed: &str) -> Moment {
        let now = Moment::now();
        self.journal.add(now, &host.into(), Seen::Deed(deed.to_owned()));
        now
    }

    fn hosts(&self) -> MutexGuard<'_, Vec<Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lab {
    /// Handles of hosts may live on elsewhere; the hosts themselves end here.
    fn drop(&mut self) {
        for host in self.hosts().drain(..) {
            // Whatever still stands ends with the namespaces.
            let _ = host.power_off();
        }
    }
}

/// Asks again and again until it is so; `false` when `patience` ends first.
#[must_use]
pub fn wait_until(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + patience;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
