//! Who has the virtual address, asked a hundred times a second.
//!
//! A socket can be bound to an address only where the kernel has it. That question needs no daemon, no event that could
//! be lost in a storm of others, and no list of all addresses.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use linux::netns::Namespace;
use rehearse::lab::Moment;

use crate::audit::{self, Edge, Stall};
use crate::failure::{Failure, Result};

/// How often is asked.
pub(crate) const STEP: Duration = Duration::from_millis(10);
/// Who asks so much later than planned had no processor meanwhile; nor, perhaps, had those who are watched.
const STALLED: Duration = Duration::from_millis(10);

/// What all that look have seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sightings(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    edges: Vec<Edge>,
    stalls: Vec<Stall>,
    /// When a program that does nothing had ended, and how long that took.
    starts: Vec<(Moment, Duration)>,
}

impl Sightings {
    /// Every gain and loss since the last [`forget`](Self::forget), and for each host the last one before.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        let mut edges = self.seen().edges.clone();
        edges.sort_by_key(|edge| edge.at);
        edges
    }

    /// The longest time since then in which somebody who looks was not let run, and all such times together.
    pub(crate) fn stalled(&self, from: Moment) -> (Duration, Duration) {
        audit::stalled(&self.seen().stalls, from)
    }

    /// The longest time since then that it took to start a program and see it end.
    pub(crate) fn start(&self, from: Moment) -> Duration {
        let seen = self.seen();
        seen.starts.iter().filter(|(at, _)| *at >= from).map(|(_, took)| *took).max().unwrap_or_default()
    }

    pub(crate) fn add_start(&self, at: Moment, took: Duration) {
        self.seen().starts.push((at, took));
    }

    /// Drops what is older, except each host's last word.
    pub(crate) fn forget(&self, before: Moment) {
        let mut seen = self.seen();
        seen.stalls.retain(|stall| stall.at >= before);
        seen.starts.retain(|(at, _)| *at >= before);
        let all = std::mem::take(&mut seen.edges);
        let is_last =
            |edge: &Edge| !all.iter().any(|other| other.host == edge.host && other.at > edge.at && other.at < before);
        seen.edges = all.iter().filter(|edge| edge.at >= before || is_last(edge)).copied().collect();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks in a namespace until it is dropped.
#[derive(Debug)]
pub(crate) struct Holder {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Holder {
    /// Begins to ask in the namespace of host number `host`.
    pub(crate) fn watch(namespace: Namespace, host: usize, address: Ipv4Addr, sightings: &Sightings) -> Result<Self> {
        let leave = Arc::new(AtomicBool::new(false));
        let (asked, sightings) = (leave.clone(), sightings.clone());
        let look = move || {
            if let Err(error) = namespace.enter() {
                eprintln!("who has the address is not known: {error}");
                return;
            }
            let mut last = None;
            let mut looked = Moment::now();
            while !asked.load(Ordering::Acquire) {
                let at = Moment::now();
                let late = at.since(looked).saturating_sub(STEP);
                looked = at;
                if late > STALLED {
                    sightings.seen().stalls.push(Stall { at, host, late });
                }
                let held = match UdpSocket::bind((address, 0)) {
                    Ok(_) => Some(true),
                    Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Some(false),
                    Err(_) => None,
                };
                if held.is_some() && held != last {
                    last = held;
                    sightings.seen().edges.push(Edge { at, host, held: held == Some(true) });
                }
                thread::sleep(STEP);
            }
        };
        let builder = thread::Builder::new().name(format!("holder {host}"));
        let thread = builder.spawn(look).map_err(Failure::during("start a thread"))?;
        Ok(Self { leave, thread: Some(thread) })
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}
