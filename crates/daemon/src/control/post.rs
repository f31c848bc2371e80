//! Between the loop and the thread that speaks with clients: two queues, each with a descriptor that wakes its reader.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use api::{Ask, Outcome};
use linux::{Error, Result};
use rustix::event::{EventfdFlags, eventfd};

use super::listening::Listening;
use super::server::Server;

/// Events that may wait for the thread; more are counted as lost.
const EVENTS: usize = 1024;

/// A request for the loop.
#[derive(Debug)]
pub(super) struct Handed {
    /// Goes back with the reply.
    pub(super) ticket: u64,
    pub(super) ask: Ask,
}

/// Something for the thread.
#[derive(Debug)]
pub(super) enum Delivery {
    /// What becomes of a request.
    Reply(u64, Box<Outcome>),
    /// For those who follow.
    Event(Arc<api::Event>),
}

/// What both ends know.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Clients that follow events, and requests to do so that the loop has answered.
    pub(super) followers: AtomicUsize,
    /// Events on the way to the thread.
    pub(super) waiting: AtomicUsize,
    /// Events that found the queue full.
    pub(super) lost: AtomicU64,
}

/// A descriptor that is readable once somebody has rung it.
#[derive(Debug)]
pub(super) struct Bell(OwnedFd);

impl Bell {
    fn new() -> Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        eventfd(0, flags).map(Self).map_err(|errno| Error::new("create an eventfd", errno.raw_os_error()))
    }

    pub(super) fn ring(&self) {
        // It can only fail because it has been rung 2^64 times and not heard.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(super) fn silence(&self) {
        // Nothing to read means that it is silent.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The thread's end.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) requests: Sender<Handed>,
    /// Rung when there is a request for the loop.
    pub(super) for_loop: Arc<Bell>,
    pub(super) deliveries: Receiver<Delivery>,
    /// Rung when there is a delivery for the thread.
    pub(super) for_thread: Arc<Bell>,
    pub(super) counts: Arc<Counts>,
}

/// The loop's end.
#[derive(Debug)]
pub(super) struct Post {
    requests: Receiver<Handed>,
    for_loop: Arc<Bell>,
    /// `None` while ending.
    deliveries: Option<Sender<Delivery>>,
    for_thread: Arc<Bell>,
    counts: Arc<Counts>,
    thread: JoinHandle<()>,
}

impl AsFd for Post {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.for_loop.as_fd()
    }
}

impl Post {
    pub(super) fn start(listening: Listening) -> Result<Self> {
        let (for_loop, for_thread) = (Arc::new(Bell::new()?), Arc::new(Bell::new()?));
        let (request_sender, requests) = channel();
        let (delivery_sender, deliveries) = channel();
        let counts = Arc::new(Counts::default());
        let server = Server::new(
            listening,
            Remote {
                requests: request_sender,
                for_loop: Arc::clone(&for_loop),
                deliveries,
                for_thread: Arc::clone(&for_thread),
                counts: Arc::clone(&counts),
            },
        );
        let thread = std::thread::Builder::new()
            .name("tanist-control".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || server.serve())
            .map_err(|error| Error::from_io("start the control thread", &error))?;
        Ok(Self { requests, for_loop, deliveries: Some(delivery_sender), for_thread, counts, thread })
    }

    /// Everything that waits.
    pub(super) fn take(&self) -> Vec<Handed> {
        self.for_loop.silence();
        self.requests.try_iter().collect()
    }

    pub(super) fn reply(&self, ticket: u64, outcome: Outcome) {
        self.deliver(Delivery::Reply(ticket, Box::new(outcome)));
    }

    /// The client of the next reply is going to follow: events are published from now on.
    pub(super) fn follow(&self) {
        self.counts.followers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn has_followers(&self) -> bool {
        self.counts.followers.load(Ordering::Relaxed) > 0
    }

    pub(super) fn publish(&self, event: Arc<api::Event>) {
        // Only this end adds, so the bound holds.
        if self.counts.waiting.load(Ordering::Relaxed) >= EVENTS {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        self.deliver(Delivery::Event(event));
    }

    fn deliver(&self, delivery: Delivery) {
        if let Some(deliveries) = &self.deliveries {
            // The thread ends only after this end is gone.
            let _ = deliveries.send(delivery);
            self.for_thread.ring();
        }
    }

    /// Lets the thread send what it has, but not for ever.
    pub(super) fn finish(mut self, patience: Duration) {
        self.deliveries = None;
        self.for_thread.ring();
        let until = Instant::now() + patience;
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A loop that ends without farewell ends the thread, too.
impl Drop for Post {
    fn drop(&mut self) {
        self.deliveries = None;
        self.for_thread.ring();
    }
}
