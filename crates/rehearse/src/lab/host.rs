//! A virtual host: interfaces on the switch, programs, files of its own under `/run`, a power switch.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linux::netlink::{AddressOperation, Netlink, Route};
use linux::virtual_host::HostInit;

use super::collector;
use super::daemon::Daemon;
use super::disk::{DISK, Disk};
use super::frame::Mac;
use super::inside::Inside;
use super::journal::{Journal, Seen};
use super::observers::{Ports, Watch, watch_kernel};
use super::program::Program;
use super::stand_in::{self, Recorder};
use super::switch::{Port, Switch};
use super::{Cidr, LabError, Moment};

/// Where a host keeps the files that the lab puts into it.
pub const HOST_DIR: &str = "/run/rehearse";

/// What a host is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPlan {
    name: String,
    interfaces: Vec<(String, Vec<String>)>,
    routes: Vec<(IpAddr, String)>,
}

impl HostPlan {
    /// A host without interfaces. The name is its host name, too.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), interfaces: Vec::new(), routes: Vec::new() }
    }

    /// One more interface on the switch, with addresses like `192.0.2.1/24`.
    #[must_use]
    pub fn interface(mut self, name: &str, addresses: &[&str]) -> Self {
        self.interfaces.push((name.to_owned(), addresses.iter().map(|&address| address.to_owned()).collect()));
        self
    }

    /// A neighbour that is reached over this interface although no address says so.
    #[must_use]
    pub fn neighbour(mut self, address: IpAddr, interface: &str) -> Self {
        self.routes.push((address, interface.to_owned()));
        self
    }
}

/// A handle of a host; all its clones mean the same one.
#[derive(Clone, Debug)]
pub struct Host {
    name: Arc<str>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    number: u8,
    interfaces: Vec<(String, Vec<Cidr>)>,
    routes: Vec<(IpAddr, String)>,
    switch: Arc<Switch>,
    ports: Ports,
    journal: Journal,
    /// What is on its disk while it has no power.
    disk: Mutex<Disk>,
    powered: Mutex<Option<Powered>>,
}

/// What a host consists of while it has power. The order of the fields is the order of their end.
#[derive(Debug)]
struct Powered {
    cables: BTreeMap<String, Port>,
    isolated: bool,
    // The recorder and the watches hold sockets and files of the host.
    recorder: Recorder,
    collectors: Watch,
    watch: Watch,
    init: HostInit,
    inside: Inside,
}

impl Host {
    pub(crate) fn new(
        plan: &HostPlan,
        number: u8,
        switch: Arc<Switch>,
        ports: Ports,
        journal: Journal,
    ) -> Result<Self, LabError> {
        let mut interfaces = Vec::new();
        for (interface, addresses) in &plan.interfaces {
            let addresses: Result<Vec<Cidr>, LabError> = addresses.iter().map(|address| address.parse()).collect();
            interfaces.push((interface.clone(), addresses?));
        }
        let routes = plan.routes.clone();
        let (disk, powered) = (Mutex::default(), Mutex::default());
        let shared = Shared { number, interfaces, routes, switch, ports, journal, disk, powered };
        let host = Self { name: plan.name.as_str().into(), shared: Arc::new(shared) };
        host.power_on()?;
        Ok(host)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time to live of its replies: that is how a client tells who answered.
    pub(crate) fn time_to_live(&self) -> u8 {
        100 + self.shared.number
    }

    /// The link-layer address of its `n`th interface.
    #[must_use]
    pub fn mac(&self, n: u8) -> Mac {
        Mac([2, 0, 0, 0, self.shared.number, n])
    }

    /// Switches it on: fresh interfaces with their addresses, nothing running, no files but those on its [`DISK`], and
    /// the kernel says that it is another boot. Nothing happens if it is on.
    pub fn power_on(&self) -> Result<(), LabError> {
        let mut powered = self.powered();
        if powered.is_some() {
            return Ok(());
        }
        let (inside, init) = Inside::host(&self.name)?;
        let (shared, name) = (&*self.shared, self.name.clone());
        let ttl = self.time_to_live();
        let many = shared.interfaces.len() > 1;
        let disk = self.disk().clone();
        let set_up = move || {
            set_up_kernel(ttl, many)?;
            disk.write(Path::new(DISK))?;
            begin_boot()
        };
        inside.run(set_up).map_err(|error| LabError::io(format!("set up {name}"), &error))?;
        let recorder = stand_in::start_recorder(&inside, self.name.clone(), shared.journal.clone())?;
        let collectors = collector::start_reader(&inside, self.name.clone(), shared.journal.clone())?;
        let watch = watch_kernel(&inside, self.name.clone(), shared.journal.clone())?;
        let mut fresh = Powered { cables: BTreeMap::new(), isolated: false, recorder, collectors, watch, init, inside };
        for n in 0..shared.interfaces.len() {
            self.plug_in(&mut fresh, n)?;
        }
        *powered = Some(fresh);
        shared.journal.add(Moment::now(), &self.name, Seen::PoweredOn);
        Ok(())
    }

    /// Takes its power away: all its programs are killed and its cables are dead, at the same moment. Nothing of it
    /// remains but what is on its [`DISK`]. Nothing happens if it is off.
    pub fn power_off(&self) -> Result<(), LabError> {
        let Some(powered) = self.powered().take() else { return Ok(()) };
        let at = Moment::now();
        powered.init.kill();
        for &port in powered.cables.values() {
            self.ports().remove(&port.0);
            self.shared.switch.unplug(port)?;
        }
        let Powered { recorder, collectors, watch, init, inside, .. } = powered;
        drop((recorder, collectors, watch));
        // Until the last process has gone, somebody may still write.
        drop(init);
        let disk = inside.run(|| Disk::read(Path::new(DISK)));
        *self.disk() = disk.map_err(|error| LabError::io(format!("look at the disk of {}", self.name), &error))?;
        drop(inside);
        self.shared.journal.add(at, &self.name, Seen::PoweredOff);
        Ok(())
    }

    /// Whether it has power.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.powered().is_some()
    }

    /// The process id of its process 1, as seen from outside.
    pub(super) fn init_pid(&self) -> Result<u32, LabError> {
        self.with(|powered| Ok(powered.init.pid()))
    }

    /// Starts a program. The command's first word is looked up in `PATH`.
    pub fn start(&self, name: &str, command: &[&str]) -> Result<Program, LabError> {
        let words: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        self.with(|powered| Program::start(&powered.inside, &self.name, name, &words, &self.shared.journal))
    }

    /// Writes the configuration into the host and starts the daemon with it.
    pub fn start_daemon(&self, daemon: &Daemon, configuration: &str) -> Result<Program, LabError> {
        let conf = self.write_file(&format!("{}.conf", daemon.name), configuration)?;
        self.start_daemon_with(daemon, &conf)
    }

    /// Starts the daemon with a configuration that exists.
    pub fn start_daemon_with(&self, daemon: &Daemon, conf: &Path) -> Result<Program, LabError> {
        let words = daemon.filled_in(conf, Path::new(HOST_DIR), Path::new(DISK));
        self.with(|powered| Program::start(&powered.inside, &self.name, &daemon.name, &words, &self.shared.journal))
    }

    /// Runs a short command inside and waits for its end.
    pub fn output(&self, command: &[&str]) -> Result<Output, LabError> {
        let words: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        let action = || format!("run {} in {}", command.join(" "), self.name);
        let Some((program, arguments)) = words.split_first() else {
            return Err(LabError::new(format!("{}: the command is empty", action())));
        };
        let mut run = Command::new(program);
        run.args(arguments);
        self.with(|powered| powered.inside.run(move || run.output()).map_err(|error| LabError::io(action(), &error)))
    }

    /// Writes a file into [`HOST_DIR`] and answers its path as the host's programs see it.
    pub fn write_file(&self, name: &str, text: &str) -> Result<PathBuf, LabError> {
        self.write(name, text, 0o644)
    }

    /// As [`write_file`](Self::write_file), for a program: one that runs just now goes on as it was.
    pub fn write_program(&self, name: &str, text: &str) -> Result<PathBuf, LabError> {
        self.write(name, text, 0o755)
    }

    /// As [`write_file`](Self::write_file), for what only root may read.
    pub fn write_secret(&self, name: &str, text: &str) -> Result<PathBuf, LabError> {
        self.write(name, text, 0o600)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Result<PathBuf, LabError> {
        let path = Path::new(HOST_DIR).join(name);
        let (file, text) = (path.clone(), text.to_owned());
        let written = self.with(|powered| {
            Ok(powered.inside.run(move || {
                let is_program = mode & 0o100 != 0;
                let next = if is_program { file.with_extension("next") } else { file.clone() };
                fs::write(&next, text)?;
                fs::set_permissions(&next, PermissionsExt::from_mode(mode))?;
                if is_program { fs::rename(&next, &file) } else { Ok(()) }
            }))
        })?;
        written.map_err(|error| LabError::io(format!("write {} in {}", path.display(), self.name), &error))?;
        Ok(path)
    }

    /// What a file of the host says.
    pub fn read_file(&self, path: &Path) -> Result<String, LabError> {
        let file = path.to_owned();
        let text = self.with(|powered| Ok(powered.inside.run(move || fs::read_to_string(file))))?;
        text.map_err(|error| LabError::io(format!("read {} in {}", path.display(), self.name), &error))
    }

    /// Removes a file from [`HOST_DIR`]. That there is none is no failure.
    pub fn remove_file(&self, name: &str) -> Result<(), LabError> {
        let file = Path::new(HOST_DIR).join(name);
        match self.with(|powered| Ok(powered.inside.run(move || fs::remove_file(file))))? {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LabError::io(format!("remove {name} in {}", self.name), &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Does something on a thread inside: sockets opened there belong to the host.
    pub fn run<T: Send + 'static>(&self, errand: impl FnOnce() -> T + Send + 'static) -> Result<T, LabError> {
        self.with(|powered| Ok(powered.inside.run(errand)))
    }

    /// All addresses: interface, address, prefix length.
    pub fn addresses(&self) -> Result<Vec<(String, Cidr)>, LabError> {
        self.ask(|netlink| {
            let links = netlink.links()?;
            let name = |index| links.iter().find(|link| link.index == index).map(|link| link.name.clone());
            let all = netlink.addresses()?;
            Ok(all
                .iter()
                .filter_map(|a| Some((name(a.link)?, Cidr { address: a.address, prefix: a.prefix })))
                .collect())
        })
    }

    /// Whether it has this address now. A host without power has none.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses().is_ok_and(|all| all.iter().any(|(_, held)| held.address == address))
    }

    /// Takes an address away behind the daemon's back.
    pub fn remove_address(&self, interface: &str, address: &str) -> Result<(), LabError> {
        let Cidr { address, prefix } = address.parse()?;
        let interface = interface.to_owned();
        self.ask(move |netlink| {
            let link = index_of(netlink, &interface)?;
            netlink.apply(&[AddressOperation::Remove { link, address, prefix, peer: None }]).into_iter().try_for_each(
                |result| {
                    result?;
                    Ok(())
                },
            )
        })
    }

    /// Adds an address as an administrator would.
    pub fn add_address(&self, interface: &str, address: &str) -> Result<(), LabError> {
        let Cidr { address, prefix } = address.parse()?;
        let interface = interface.to_owned();
        self.ask(move |netlink| {
            let link = index_of(netlink, &interface)?;
            Ok(netlink.add_unmarked_address(link, address, prefix)?)
        })
    }

    /// Switches an interface on or off inside the host, as its administrator would.
    pub fn set_interface(&self, interface: &str, up: bool) -> Result<(), LabError> {
        // The kernel forgets the routes over an interface that is switched off.
        let routes = if up { self.routes_over(interface) } else { Vec::new() };
        let interface = interface.to_owned();
        self.ask(move |netlink| {
            let link = index_of(netlink, &interface)?;
            netlink.set_up(link, up)?;
            add_routes(netlink, link, &routes)
        })
    }

    /// Pulls the cable of an interface at the switch, or puts it back: the host sees its carrier go and come.
    pub fn set_cable(&self, interface: &str, plugged: bool) -> Result<(), LabError> {
        let port = self.port(interface)?;
        self.shared.switch.set_up(port, plugged)
    }

    /// Makes an interface vanish.
    pub fn delete_interface(&self, interface: &str) -> Result<(), LabError> {
        let port = self.port(interface)?;
        self.with(|powered| {
            powered.cables.remove(interface);
            Ok(())
        })?;
        self.ports().remove(&port.0);
        self.shared.switch.unplug(port)
    }

    /// Makes an interface appear again, with the addresses that it was planned to have.
    pub fn create_interface(&self, interface: &str) -> Result<(), LabError> {
        let known = self.shared.interfaces.iter().position(|(name, _)| name == interface);
        let n = known.ok_or_else(|| LabError::new(format!("{} was never to have {interface}", self.name)))?;
        self.with(|powered| self.plug_in(powered, n))
    }

    /// Makes the host deaf for multicast, or lets it hear again: a cut in one direction for whoever advertises that way.
    /// The host itself is heard, and unicast and broadcast reach it.
    pub fn set_deaf(&self, deaf: bool) -> Result<(), LabError> {
        self.with(|powered| powered.cables.values().try_for_each(|&port| self.shared.switch.set_multicast(port, !deaf)))
    }

    pub(crate) fn set_isolated(&self, isolated: bool) -> Result<(), LabError> {
        self.with(|powered| {
            powered.isolated = isolated;
            powered.cables.values().try_for_each(|&port| self.shared.switch.set_isolated(port, isolated))
        })
    }

    /// Draws the cable of the `n`th interface and gives it its addresses.
    fn plug_in(&self, powered: &mut Powered, n: usize) -> Result<(), LabError> {
        let shared = &*self.shared;
        let (interface, addresses) = &shared.interfaces[n];
        let mac = self.mac(n as u8);
        let port_name = format!("h{}p{n}", shared.number);
        let port = shared.switch.plug(&port_name, powered.inside.namespace(), interface, mac)?;
        self.ports().insert(port.0, self.name.clone());
        powered.cables.insert(interface.clone(), port);
        if powered.isolated {
            shared.switch.set_isolated(port, true)?;
        }
        let routes = self.routes_over(interface);
        let (interface, addresses) = (interface.clone(), addresses.clone());
        powered.inside.run(move || -> Result<(), LabError> {
            let mut netlink = Netlink::open()?;
            let link = index_of(&mut netlink, &interface)?;
            for &Cidr { address, prefix } in &addresses {
                netlink.add_unmarked_address(link, address, prefix)?;
            }
            netlink.set_up(link, true)?;
            add_routes(&mut netlink, link, &routes)
        })?;
        shared.switch.wait_for_carrier(port)
    }

    fn routes_over(&self, interface: &str) -> Vec<IpAddr> {
        self.shared.routes.iter().filter(|(_, over)| over == interface).map(|&(to, _)| to).collect()
    }

    fn port(&self, interface: &str) -> Result<Port, LabError> {
        self.with(|powered| {
            let port = powered.cables.get(interface).copied();
            port.ok_or_else(|| LabError::new(format!("{} has no interface {interface}", self.name)))
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Netlink) -> Result<T, LabError> + Send + 'static,
    ) -> Result<T, LabError> {
        self.with(|powered| powered.inside.run(move || question(&mut Netlink::open()?)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Powered) -> Result<T, LabError>) -> Result<T, LabError> {
        match &mut *self.powered() {
            Some(powered) => work(powered),
            None => Err(LabError::new(format!("host {} has no power", self.name))),
        }
    }

    fn powered(&self) -> MutexGuard<'_, Option<Powered>> {
        self.shared.powered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.shared.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ports(&self) -> MutexGuard<'_, std::collections::HashMap<u32, Arc<str>>> {
        self.shared.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn index_of(netlink: &mut Netlink, interface: &str) -> Result<u32, LabError> {
    let link = netlink.link_by_name(interface)?;
    Ok(link.ok_or_else(|| LabError::new(format!("there is no interface {interface}")))?.index)
}

fn add_routes(netlink: &mut Netlink, link: u32, routes: &[IpAddr]) -> Result<(), LabError> {
    for &to in routes {
        let destination = Some((to, if to.is_ipv4() { 32 } else { 128 }));
        match netlink.add_route(&Route { destination, gateway: None, link: Some(link) }) {
            Err(error) if error.errno() == Some(rustix::io::Errno::EXIST.raw_os_error()) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Each boot has a name of its own in the kernel; the machine that we run on has not been booted anew.
fn begin_boot() -> io::Result<()> {
    let name = Path::new(HOST_DIR).join("boot_id");
    fs::write(&name, fs::read("/proc/sys/kernel/random/uuid")?)?;
    Ok(rustix::mount::mount_bind(&name, "/proc/sys/kernel/random/boot_id")?)
}

/// A new namespace inherits these from the machine that we run on, whatever they are there.
fn set_up_kernel(ttl: u8, many_interfaces: bool) -> io::Result<()> {
    let set = |name: &str, value: &str| fs::write(format!("/proc/sys/net/{name}"), value);
    // A host is no router, whatever the machine is. First, because changing it sets others back.
    set("ipv4/ip_forward", "0")?;
    set("ipv4/ip_default_ttl", &ttl.to_string())?;
    for group in ["all", "default"] {
        set(&format!("ipv4/conf/{group}/rp_filter"), "0")?;
        set(&format!("ipv4/conf/{group}/arp_announce"), "0")?;
        set(&format!("ipv4/conf/{group}/arp_filter"), "0")?;
        // Several interfaces of a host share the switch; each answers only for what it has itself.
        set(&format!("ipv4/conf/{group}/arp_ignore"), if many_interfaces { "1" } else { "0" })?;
    }
    set("ipv4/icmp_echo_ignore_all", "0")?;
    // Without IPv6 in the kernel there is nothing to set.
    for group in ["all", "default"] {
        let _ = set(&format!("ipv6/conf/{group}/accept_dad"), "0");
        let _ = set(&format!("ipv6/conf/{group}/accept_ra"), "0");
    }
    let mut netlink = Netlink::open().map_err(io::Error::other)?;
    let loopback = netlink.link_by_name("lo").map_err(io::Error::other)?;
    if let Some(loopback) = loopback {
        netlink.set_up(loopback.index, true).map_err(io::Error::other)?;
    }
    fs::create_dir_all(HOST_DIR)
}
