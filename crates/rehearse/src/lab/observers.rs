//! Those who watch: one at the switch for packets, one in each host for what its kernel has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use linux::capture::Capture;
use linux::netlink::{Address, Change, Link, Monitor, Netlink};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::frame::{self, Frame};
use super::inside::Inside;
use super::journal::{Journal, Seen};
use super::{LabError, Moment};

/// A thread that watches until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Calls `look` whenever `source` is readable.
    pub(super) fn start<S: AsFd + Send + 'static>(
        mut source: S,
        mut look: impl FnMut(&mut S) + Send + 'static,
    ) -> Self {
        let leave = Arc::new(AtomicBool::new(false));
        let asked = leave.clone();
        let thread = thread::spawn(move || {
            while !asked.load(Ordering::Acquire) {
                if readable(&source) {
                    look(&mut source);
                }
            }
        });
        Self { leave, thread: Some(thread) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}

/// Waits a short while for something to read.
pub(super) fn readable(source: &impl AsFd) -> bool {
    let mut sources = [PollFd::new(source, PollFlags::IN)];
    let while_ = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    poll(&mut sources, Some(&while_)).is_ok_and(|ready| ready > 0)
}

/// Whose cable is in which port of the switch.
pub(crate) type Ports = Arc<Mutex<HashMap<u32, Arc<str>>>>;

/// Watches VRRP and gratuitous ARP as they come in at the ports of the switch.
pub(crate) fn watch_switch(switch: &Inside, ports: Ports, journal: Journal) -> Result<Watch, LabError> {
    let capture = switch.run(Capture::redundancy_frames)?;
    let mut buffer = vec![0; 65_536];
    Ok(Watch::start(capture, move |capture| {
        // A packet socket that reports an error (an interface went down) goes on with the next packet.
        while let Ok(Some(packet)) = capture.receive(&mut buffer) {
            if packet.outgoing {
                continue;
            }
            let sender = ports.lock().unwrap_or_else(PoisonError::into_inner).get(&packet.link).cloned();
            let (Some(host), Some(frame)) = (sender, frame::read(packet.bytes)) else { continue };
            let seen = match frame {
                Frame::Advertisement(advertisement) => Seen::Advertisement(advertisement),
                Frame::GratuitousArp { address, mac } => Seen::GratuitousArp { address, mac },
            };
            journal.add(Moment::from_nanos(packet.at), &host, seen);
        }
    }))
}

/// Watches addresses and links of a host. Those that are there already are told at once.
pub(crate) fn watch_kernel(inside: &Inside, host: Arc<str>, journal: Journal) -> Result<Watch, LabError> {
    let mut view = KernelView { host, journal, links: BTreeMap::new(), addresses: BTreeSet::new() };
    let (monitor, links, addresses) = inside.run(|| -> Result<_, LabError> {
        let monitor = Monitor::open()?;
        let mut netlink = Netlink::open()?;
        Ok((monitor, netlink.links()?, netlink.addresses()?))
    })?;
    for link in links {
        view.note(Change::Link(link));
    }
    for address in addresses {
        view.note(Change::Address(address));
    }
    let mut changes = Vec::new();
    Ok(Watch::start(monitor, move |monitor| {
        if monitor.receive(&mut changes).is_err() {
            changes.push(Change::Lost);
        }
        changes.drain(..).for_each(|change| view.note(change));
    }))
}

/// What is known of a host's interfaces and addresses, to tell news from repetition: an address whose lifetime was
/// renewed is no news.
struct KernelView {
    host: Arc<str>,
    journal: Journal,
    links: BTreeMap<u32, (String, bool)>,
    addresses: BTreeSet<(u32, IpAddr, u8)>,
}

impl KernelView {
    fn note(&mut self, change: Change) {
        let now = Moment::now();
        let seen = match change {
            Change::Link(link) => self.note_link(&link),
            Change::LinkGone { index, name } => {
                self.addresses.retain(|(link, _, _)| *link != index);
                self.links.remove(&index).map(|_| Seen::LinkDown { interface: name })
            }
            Change::Address(Address { link, address, prefix, .. }) => {
                let is_new = self.addresses.insert((link, address, prefix));
                is_new.then(|| Seen::AddressAdded { interface: self.name_of(link), address, prefix })
            }
            Change::AddressGone(Address { link, address, prefix, .. }) => {
                self.addresses.remove(&(link, address, prefix));
                Some(Seen::AddressRemoved { interface: self.name_of(link), address, prefix })
            }
            // It asks for none of them.
            Change::Route(_) | Change::RouteGone(_) | Change::Rule(_) | Change::RuleGone(_) => None,
            Change::Lost => {
                // What is there may have gone and come meanwhile: what is heard next is news.
                self.addresses.clear();
                Some(Seen::Deed("lost events of the kernel: what follows has a hole".to_owned()))
            }
        };
        if let Some(seen) = seen {
            self.journal.add(now, &self.host, seen);
        }
    }

    fn note_link(&mut self, link: &Link) -> Option<Seen> {
        let up = link.up && link.running;
        let interface = link.name.clone();
        let before = self.links.insert(link.index, (link.name.clone(), up));
        match (before.is_some_and(|(_, up)| up), up) {
            (false, true) => Some(Seen::LinkUp { interface }),
            (true, false) => Some(Seen::LinkDown { interface }),
            (true, true) | (false, false) => None,
        }
    }

    fn name_of(&self, link: u32) -> String {
        self.links.get(&link).map_or_else(|| format!("link {link}"), |(name, _)| name.clone())
    }
}
