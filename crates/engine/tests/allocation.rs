//! Nothing is allocated per advertisement: once warm, 250 Active and 250 Backup routers go on without asking the
//! allocator for anything.
//!
//! This file has one test, because its allocator counts for the whole program.

// An allocator that counts can't be written without; it only passes on what it is given.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use common::packet::Packet;
use common::setup;
use tanist_engine::{Engine, Family, Input, Instant, LinkId, LinkState, Output, Received, RouterId, StateName};

/// The system's allocator, and how often it was asked for memory.
struct Counting;

static REQUESTS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged; counting touches no memory of its.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory came from there.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above; the memory came from there.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// VRIDs 1 to 250 are ours on one interface, and another node's on a second one.
const ROUTERS: u8 = 250;
const OURS: LinkId = LinkId(0);
const THEIRS: LinkId = LinkId(1);
const THEIR_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// A node with its neighbour, driven as the daemon drives it: one list of outputs and one buffer, used again and again.
struct Node {
    engine: Engine,
    /// What the neighbour sends again and again.
    heard: Vec<Vec<u8>>,
    out: Vec<Output>,
    buffer: [u8; 1500],
    sent: u64,
}

impl Node {
    fn new() -> Self {
        let lines: Vec<String> = (1..=ROUTERS).flat_map(|vrid| [our_router(vrid), their_router(vrid)]).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let engine = Engine::new(setup::config(&lines), 1);
        let heard = engine.config().routers.iter().filter(|router| &*router.link == "eth1");
        let group = Ipv4Addr::new(224, 0, 0, 18);
        let heard = heard.map(|router| Packet::of(router, THEIR_ADDRESS, group, 200).octets()).collect();
        Self { engine, heard, out: Vec::new(), buffer: [0; 1500], sent: 0 }
    }

    fn start(&mut self) {
        for (link, address) in [(OURS, [192, 0, 2, 1]), (THEIRS, [198, 51, 100, 1])] {
            let state = Some(LinkState {
                up: true,
                addresses: vec![IpAddr::from(address)],
                tentative: Vec::new(),
                deaf: false,
            });
            self.engine.handle(Instant::START, Input::Link { link, state }, &mut self.out);
        }
        self.engine.handle(Instant::START, Input::Start, &mut self.out);
        self.out.clear();
    }

    /// From one moment to another, in milliseconds: the neighbour's advertisements come every 100 ms, our timers when
    /// they are due.
    fn run(&mut self, from: u64, until: u64) {
        for round in (from..until).step_by(100) {
            let arrival = Instant::from_millis(round);
            for packet in &self.heard {
                let received = Received { link: THEIRS, family: Family::Ipv4, octets: packet };
                self.engine.handle(arrival, Input::Received(received), &mut self.out);
            }
            self.carry_out();
            while let Some(due) = self.engine.deadline().filter(|due| *due < Instant::from_millis(round + 100)) {
                self.engine.handle(due.max(arrival), Input::Timer, &mut self.out);
                self.carry_out();
            }
        }
    }

    fn carry_out(&mut self) {
        for output in self.out.drain(..) {
            if let Output::Advertise { router, priority, sequence } = output {
                for destination in self.engine.destinations(router) {
                    let (engine, buffer) = (&self.engine, &mut self.buffer);
                    let written = engine.write_advertisement(router, priority, sequence, *destination, buffer);
                    self.sent += u64::from(written.is_some());
                }
            }
        }
    }

    fn count(&self, state: StateName) -> usize {
        self.engine.view().routers.iter().filter(|router| router.state == state).count()
    }
}

fn our_router(vrid: u8) -> String {
    format!("router a{vrid} vrid {vrid} version 3 interval 0.1 priority 150 addresses 10.1.{vrid}.1/32")
}

fn their_router(vrid: u8) -> String {
    format!("router b{vrid} link eth1 vrid {vrid} version 3 interval 0.1 priority 100 addresses 10.2.{vrid}.1/32")
}

#[test]
fn advertisements_cost_no_allocation() {
    let mut node = Node::new();
    node.start();
    // Everybody finds its state, and every list its size.
    node.run(0, 10_000);
    let routers = usize::from(ROUTERS);
    assert_eq!((node.count(StateName::Active), node.count(StateName::Backup)), (routers, routers));
    let received = |node: &Node| -> u64 {
        (0..2 * u32::from(ROUTERS)).map(|id| statistics(node, RouterId(id)).advertisements_received).sum()
    };
    let (sent_before, received_before) = (node.sent, received(&node));

    let before = REQUESTS.load(Ordering::Relaxed);
    assert!(before > 0, "whoever starts needs memory, so somebody counts");
    node.run(10_000, 70_000);
    let requests = REQUESTS.load(Ordering::Relaxed) - before;

    // A minute at ten a second; what we send may leave a little early, so it is some more.
    assert_eq!(received(&node) - received_before, 150_000);
    assert!((150_000..157_000).contains(&(node.sent - sent_before)), "{} sent", node.sent - sent_before);
    assert_eq!(requests, 0, "the allocator was asked {requests} times in a minute");
}

fn statistics(node: &Node, id: RouterId) -> tanist_engine::vrrp::statistics::Statistics {
    node.engine.view().routers[id.0 as usize].statistics
}
