//! The VRRP sockets: one pair for each interface with multicast routers, shared by all of them, and one pair for
//! all unicast. Packets leave and arrive in batches.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::net::IpAddr;

use engine::{Authentication, Engine, Family, Input, Instant, LinkId, Output, Priority, Received, RouterId, Transport};
use linux::poll::{Interest, Poll};
use linux::send_batch::{SendBatch, Unsent};
use linux::vrrp_socket::{ReceiveBuffers, ReceiveSocket, SendSocket};

/// A flood must not keep the loop from its timers.
const BATCHES_IN_A_ROW: usize = 16;
/// The largest advertisement that fits an Ethernet frame.
const PACKET_SIZE: usize = 1500;

#[derive(Debug)]
pub(crate) struct Sockets {
    /// By kernel index.
    pairs: BTreeMap<u32, Pair>,
    unicast: Option<Pair>,
    buffers: ReceiveBuffers,
    unsent: Vec<Unsent>,
    packet: Box<[u8; PACKET_SIZE]>,
    /// Advertisements of virtual routers that are not ours are noted.
    notes_strangers: bool,
    /// The interfaces that they came by, and their numbers.
    strangers: Vec<(u32, u8)>,
}

/// A pair that could not be opened, and where its routers are deaf therefore.
#[derive(Debug)]
pub(crate) struct Deaf {
    pub(crate) error: linux::Error,
    /// Kernel indexes.
    pub(crate) links: BTreeSet<u32>,
}

#[derive(Debug)]
struct Pair {
    receive: ReceiveSocket,
    /// For what comes behind an authentication header, if anybody wants that.
    receive_header: Option<ReceiveSocket>,
    send: SendSocket,
    /// How many octets may wait in it; `None` is as many as we think good.
    size: Option<usize>,
    groups: BTreeSet<IpAddr>,
    batch: SendBatch,
    /// Whose packets are in the batch, in its order.
    senders: Vec<RouterId>,
}

impl Pair {
    fn new(receive: ReceiveSocket, send: SendSocket) -> Self {
        Self {
            receive,
            receive_header: None,
            size: None,
            send,
            groups: BTreeSet::new(),
            batch: SendBatch::new(),
            senders: Vec::new(),
        }
    }

    /// Lets so many octets wait.
    fn set_size(&mut self, size: Option<usize>) -> linux::Result<()> {
        if self.size != size {
            self.receive.set_receive_buffer(size)?;
            self.size = size;
        }
        Ok(())
    }

    /// Opens or closes the socket for what comes behind an authentication header.
    fn listen_for_headers(
        &mut self,
        wanted: bool,
        open: impl FnOnce() -> linux::Result<ReceiveSocket>,
        poll: &Poll,
        token: u64,
    ) -> linux::Result<()> {
        if !wanted {
            self.receive_header = None;
        } else if self.receive_header.is_none() {
            let socket = open()?;
            poll.add(&socket, token, Interest::Readable)?;
            self.receive_header = Some(socket);
        }
        Ok(())
    }
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self {
            pairs: BTreeMap::new(),
            unicast: None,
            buffers: ReceiveBuffers::new(),
            unsent: Vec::new(),
            packet: Box::new([0; PACKET_SIZE]),
            notes_strangers: false,
            strangers: Vec::new(),
        }
    }

    /// Whether advertisements of virtual routers that are not ours are noted.
    pub(crate) fn set_notes_strangers(&mut self, notes: bool) {
        self.notes_strangers = notes;
    }

    /// The interfaces that such advertisements have come by, and the numbers of their virtual routers.
    pub(crate) fn take_strangers(&mut self) -> Vec<(u32, u8)> {
        std::mem::take(&mut self.strangers)
    }

    /// Opens what the configuration needs on the interfaces that exist, and closes what it no longer needs.
    /// `buffers` says for each router how many octets may wait for it, `unicast_token` and `link_token` name the sockets in the poll.
    pub(crate) fn adjust(
        &mut self,
        engine: &Engine,
        buffers: &[Option<usize>],
        index_of: impl Fn(LinkId) -> Option<u32>,
        poll: &Poll,
        unicast_token: u64,
        link_token: impl Fn(u32) -> u64,
    ) -> Vec<Deaf> {
        let mut failures = Vec::new();
        let mut groups: BTreeMap<u32, BTreeSet<IpAddr>> = BTreeMap::new();
        let mut unicast: BTreeSet<u32> = BTreeSet::new();
        // Where somebody expects an authentication header; `None` is the unicast pair.
        let mut headers: BTreeSet<Option<u32>> = BTreeSet::new();
        // What may wait in each socket, where somebody has said so.
        let mut sizes: BTreeMap<Option<u32>, usize> = BTreeMap::new();
        for (router, id) in engine.config().routers.iter().zip(0..) {
            let Some(index) = engine.router_link(RouterId(id)).and_then(&index_of) else { continue };
            let place = match &router.transport {
                Transport::Unicast { .. } => {
                    unicast.insert(index);
                    None
                }
                Transport::Multicast { group, .. } => {
                    groups.entry(index).or_default().insert(*group);
                    Some(index)
                }
            };
            if matches!(router.authentication, Authentication::Header(_)) {
                headers.insert(place);
            }
            if let Some(size) = buffers.get(id as usize).copied().flatten() {
                let sum = sizes.entry(place).or_default();
                *sum = sum.saturating_add(size);
            }
        }
        self.pairs.retain(|index, _| groups.contains_key(index));
        for (index, groups) in groups {
            let header = headers.contains(&Some(index));
            let opened = self.open_pair(index, groups, header, poll, link_token(index));
            let size = sizes.get(&Some(index)).copied();
            let sized = opened.and_then(|()| self.pairs.get_mut(&index).map_or(Ok(()), |pair| pair.set_size(size)));
            if let Err(error) = sized {
                self.pairs.remove(&index);
                failures.push(Deaf { error, links: BTreeSet::from([index]) });
            }
        }
        if unicast.is_empty() {
            self.unicast = None;
        } else if let Err(error) = self
            .open_unicast(headers.contains(&None), poll, unicast_token)
            .and_then(|()| self.unicast.as_mut().map_or(Ok(()), |pair| pair.set_size(sizes.get(&None).copied())))
        {
            self.unicast = None;
            failures.push(Deaf { error, links: unicast });
        }
        failures
    }

    fn open_unicast(&mut self, header: bool, poll: &Poll, token: u64) -> linux::Result<()> {
        let pair = match &mut self.unicast {
            Some(open) => open,
            closed => {
                let pair = Pair::new(ReceiveSocket::for_unicast()?, SendSocket::for_unicast()?);
                poll.add(&pair.receive, token, Interest::Readable)?;
                closed.insert(pair)
            }
        };
        pair.listen_for_headers(header, ReceiveSocket::with_header_for_unicast, poll, token)
    }

    fn open_pair(
        &mut self,
        index: u32,
        groups: BTreeSet<IpAddr>,
        header: bool,
        poll: &Poll,
        token: u64,
    ) -> linux::Result<()> {
        let pair = match self.pairs.entry(index) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let pair = Pair::new(ReceiveSocket::on_link(index)?, SendSocket::on_link(index)?);
                poll.add(&pair.receive, token, Interest::Readable)?;
                place.insert(pair)
            }
        };
        for group in groups.difference(&pair.groups) {
            pair.receive.join(*group, index)?;
        }
        for group in pair.groups.difference(&groups) {
            pair.receive.leave(*group, index)?;
        }
        let is_new = header && pair.receive_header.is_none();
        pair.listen_for_headers(header, || ReceiveSocket::with_header_on_link(index), poll, token)?;
        if let Some(socket) = &pair.receive_header {
            let (before, none) = (&pair.groups, &BTreeSet::new());
            for group in groups.difference(if is_new { none } else { before }) {
                socket.join(*group, index)?;
            }
            for group in before.difference(&groups) {
                socket.leave(*group, index)?;
            }
        }
        pair.groups = groups;
        Ok(())
    }

    /// Closes the pair of an interface that is gone.
    pub(crate) fn forget_link(&mut self, index: u32) {
        self.pairs.remove(&index);
    }

    /// Puts an advertisement, given by its router, priority and sequence, into its batch.
    pub(crate) fn push(&mut self, engine: &Engine, advertisement: (RouterId, Priority, u64), link: Option<u32>) {
        let (router, priority, sequence) = advertisement;
        let unicast = engine.router(router).is_some_and(|config| matches!(config.transport, Transport::Unicast { .. }));
        let pair = if unicast { self.unicast.as_mut() } else { link.and_then(|index| self.pairs.get_mut(&index)) };
        // An interface that is gone is a fault reason; what it should have sent is of no use any more.
        let Some(pair) = pair else { return };
        for destination in engine.destinations(router) {
            let packet = engine.write_advertisement(router, priority, sequence, *destination, &mut self.packet[..]);
            if let Some(packet) = packet {
                pair.batch.push_packet(packet, *destination);
                pair.senders.push(router);
            }
        }
    }

    /// Sends all batches; what could not be sent goes to the engine.
    pub(crate) fn flush(&mut self, engine: &mut Engine, now: Instant, out: &mut Vec<Output>) {
        for pair in self.pairs.values_mut().chain(&mut self.unicast) {
            if pair.batch.is_empty() {
                continue;
            }
            self.unsent.clear();
            pair.batch.flush(&pair.send, &mut self.unsent);
            for unsent in &self.unsent {
                let router = pair.senders[unsent.position];
                engine.handle(now, Input::SendFailed { router, error: unsent.errno }, out);
            }
            pair.senders.clear();
        }
    }

    /// Hands everything that has arrived on one interface (`None`: the unicast pair) to the engine.
    pub(crate) fn receive(
        &mut self,
        link: Option<u32>,
        engine: &mut Engine,
        now: Instant,
        id_of: impl Fn(u32) -> LinkId,
        out: &mut Vec<Output>,
    ) -> linux::Result<()> {
        let unicast_is_heard_elsewhere = link.is_some() && self.unicast.is_some();
        let pair = match link {
            Some(index) => self.pairs.get(&index),
            None => self.unicast.as_ref(),
        };
        let Some(pair) = pair else { return Ok(()) };
        for socket in [Some(&pair.receive), pair.receive_header.as_ref()].into_iter().flatten() {
            // What is left after so many wakes the loop again, after it has looked at everything else.
            for _ in 0..BATCHES_IN_A_ROW {
                let count = socket.receive(&mut self.buffers)?;
                for packet in self.buffers.packets() {
                    if unicast_is_heard_elsewhere && !is_multicast(packet.bytes) {
                        continue;
                    }
                    let received = Received { link: id_of(packet.link), family: Family::Ipv4, octets: packet.bytes };
                    if self.notes_strangers {
                        self.strangers.extend(engine.stranger(&received).map(|vrid| (packet.link, vrid.get())));
                    }
                    engine.handle(now, Input::Received(received), out);
                }
                if count < ReceiveBuffers::CAPACITY {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Whether an IPv4 packet went to a group.
fn is_multicast(packet: &[u8]) -> bool {
    packet.get(16).is_some_and(|first| (224..240).contains(first))
}
