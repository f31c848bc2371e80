//! The VRRP sockets: one pair for each interface with multicast routers, shared by all of them, one for each router with a
//! virtual MAC address, and one pair for all unicast. Packets leave and arrive in batches.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::net::{IpAddr, Ipv4Addr};

use engine::{
    Authentication, Engine, Family, Input, Instant, LinkId, Output, Priority, Received, RouterConfig, RouterId,
    Transport,
};
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
    /// Routers that are heard through an interface of their own: which one, by the index of the interface below and the
    /// VRID.
    apart: BTreeMap<(u32, u8), u32>,
    unicast: Option<Pair>,
    buffers: ReceiveBuffers,
    unsent: Vec<Unsent>,
    packet: Box<[u8; PACKET_SIZE]>,
}

/// A pair that could not be opened, and where its routers are deaf therefore.
#[derive(Debug)]
pub(crate) struct Deaf {
    pub(crate) error: linux::Error,
    /// Kernel indexes.
    pub(crate) links: BTreeSet<u32>,
}

/// The virtual interface of a router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apart {
    /// Its kernel index; `None` if it does not exist.
    pub(crate) link: Option<u32>,
    /// Advertisements leave by it.
    pub(crate) speaks: bool,
}

/// Where the sockets of a pair are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Link(u32),
    /// On a virtual interface for one router.
    Virtual {
        link: u32,
        below: u32,
        speaks: bool,
        vrid: u8,
    },
}

impl Place {
    fn link(self) -> u32 {
        let (Self::Link(link) | Self::Virtual { link, .. }) = self;
        link
    }

    fn listen(self) -> linux::Result<ReceiveSocket> {
        match self {
            Self::Link(link) => ReceiveSocket::on_link(link),
            Self::Virtual { link, below, vrid, .. } => ReceiveSocket::on_virtual_link(link, below, vrid),
        }
    }

    fn listen_for_headers(self) -> linux::Result<ReceiveSocket> {
        match self {
            Self::Link(link) => ReceiveSocket::with_header_on_link(link),
            Self::Virtual { link, below, vrid, .. } => ReceiveSocket::with_header_on_virtual_link(link, below, vrid),
        }
    }

    /// The interface that packets leave by.
    fn way_out(self) -> u32 {
        match self {
            Self::Virtual { below, speaks: false, .. } => below,
            Self::Link(link) | Self::Virtual { link, .. } => link,
        }
    }
}

#[derive(Debug)]
struct Pair {
    receive: ReceiveSocket,
    /// For what comes behind an authentication header, if anybody wants that.
    receive_header: Option<ReceiveSocket>,
    send: SendSocket,
    /// The interface that packets leave by; `None` for unicast.
    way_out: Option<u32>,
    groups: BTreeSet<IpAddr>,
    batch: SendBatch,
    /// Whose packets are in the batch, in its order.
    senders: Vec<RouterId>,
}

impl Pair {
    fn new(receive: ReceiveSocket, send: SendSocket, way_out: Option<u32>) -> Self {
        Self {
            receive,
            receive_header: None,
            send,
            way_out,
            groups: BTreeSet::new(),
            batch: SendBatch::new(),
            senders: Vec::new(),
        }
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
            apart: BTreeMap::new(),
            unicast: None,
            buffers: ReceiveBuffers::new(),
            unsent: Vec::new(),
            packet: Box::new([0; PACKET_SIZE]),
        }
    }

    /// Opens what the configuration needs on the interfaces that exist, and closes what it no longer needs.
    /// `apart_of` tells the virtual interface of a router that has one; `unicast_token` and `link_token` name the sockets
    /// in the poll.
    pub(crate) fn adjust(
        &mut self,
        engine: &Engine,
        index_of: impl Fn(LinkId) -> Option<u32>,
        apart_of: impl Fn(&RouterConfig) -> Option<Apart>,
        poll: &Poll,
        unicast_token: u64,
        link_token: impl Fn(u32) -> u64,
    ) -> Vec<Deaf> {
        let mut failures = Vec::new();
        let mut groups: BTreeMap<u32, (Place, BTreeSet<IpAddr>)> = BTreeMap::new();
        self.apart.clear();
        let mut unicast: BTreeSet<u32> = BTreeSet::new();
        // Where somebody expects an authentication header; `None` is the unicast pair.
        let mut headers: BTreeSet<Option<u32>> = BTreeSet::new();
        for (router, id) in engine.config().routers.iter().zip(0..) {
            let Some(index) = engine.router_link(RouterId(id)).and_then(&index_of) else { continue };
            let place = match &router.transport {
                Transport::Unicast { .. } => {
                    unicast.insert(index);
                    None
                }
                Transport::Multicast { group, .. } => {
                    let place = match apart_of(router) {
                        None => Place::Link(index),
                        Some(Apart { link: Some(link), speaks }) => {
                            let vrid = router.vrid.get();
                            self.apart.insert((index, vrid), link);
                            Place::Virtual { link, below: index, speaks, vrid }
                        }
                        // That it does not exist is a fault reason.
                        Some(Apart { link: None, .. }) => continue,
                    };
                    groups.entry(place.link()).or_insert((place, BTreeSet::new())).1.insert(*group);
                    Some(place.link())
                }
            };
            if matches!(router.authentication, Authentication::Header(_)) {
                headers.insert(place);
            }
        }
        // One that shall speak otherwise is opened anew.
        self.pairs
            .retain(|index, pair| groups.get(index).is_some_and(|(place, _)| pair.way_out == Some(place.way_out())));
        for (index, (place, groups)) in groups {
            let header = headers.contains(&Some(index));
            if let Err(error) = self.open_pair(place, groups, header, poll, link_token(index)) {
                self.pairs.remove(&index);
                failures.push(Deaf { error, links: BTreeSet::from([index]) });
            }
        }
        if unicast.is_empty() {
            self.unicast = None;
        } else if let Err(error) = self.open_unicast(headers.contains(&None), poll, unicast_token) {
            self.unicast = None;
            failures.push(Deaf { error, links: unicast });
        }
        failures
    }

    fn open_unicast(&mut self, header: bool, poll: &Poll, token: u64) -> linux::Result<()> {
        let pair = match &mut self.unicast {
            Some(open) => open,
            closed => {
                let pair = Pair::new(ReceiveSocket::for_unicast()?, SendSocket::for_unicast()?, None);
                poll.add(&pair.receive, token, Interest::Readable)?;
                closed.insert(pair)
            }
        };
        pair.listen_for_headers(header, ReceiveSocket::with_header_for_unicast, poll, token)
    }

    fn open_pair(
        &mut self,
        place: Place,
        groups: BTreeSet<IpAddr>,
        header: bool,
        poll: &Poll,
        token: u64,
    ) -> linux::Result<()> {
        let index = place.link();
        let pair = match self.pairs.entry(index) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let way_out = place.way_out();
                let pair = Pair::new(place.listen()?, SendSocket::on_link(way_out)?, Some(way_out));
                poll.add(&pair.receive, token, Interest::Readable)?;
                vacant.insert(pair)
            }
        };
        for group in groups.difference(&pair.groups) {
            pair.receive.join(*group, index)?;
        }
        for group in pair.groups.difference(&groups) {
            pair.receive.leave(*group, index)?;
        }
        let is_new = header && pair.receive_header.is_none();
        pair.listen_for_headers(header, || place.listen_for_headers(), poll, token)?;
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

    /// Closes the pairs of an interface that is gone.
    pub(crate) fn forget_link(&mut self, index: u32) {
        self.pairs.retain(|known, pair| *known != index && pair.way_out != Some(index));
        self.apart.retain(|(below, _), link| *below != index && *link != index);
    }

    /// Puts an advertisement, given by its router, priority and sequence, into its batch.
    pub(crate) fn push(&mut self, engine: &Engine, advertisement: (RouterId, Priority, u64), link: Option<u32>) {
        let (router, priority, sequence) = advertisement;
        let config = engine.router(router);
        let unicast = config.is_some_and(|config| matches!(config.transport, Transport::Unicast { .. }));
        let pair = if unicast {
            self.unicast.as_mut()
        } else {
            let apart = link.zip(config).and_then(|(below, config)| self.apart.get(&(below, config.vrid.get())));
            apart.copied().or(link).and_then(|index| self.pairs.get_mut(&index))
        };
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
        let is_apart = link.is_some_and(|link| self.apart.values().any(|apart| *apart == link));
        for socket in [Some(&pair.receive), pair.receive_header.as_ref()].into_iter().flatten() {
            // What is left after so many wakes the loop again, after it has looked at everything else.
            for _ in 0..BATCHES_IN_A_ROW {
                let count = socket.receive(&mut self.buffers)?;
                for packet in self.buffers.packets() {
                    if unicast_is_heard_elsewhere && !is_multicast(packet.bytes) {
                        continue;
                    }
                    // What is heard through an interface of its own may be heard here, too, and there whatever is sent to
                    // the virtual MAC address.
                    let heard_elsewhere = if is_apart {
                        !destination(packet.bytes).is_some_and(|group| pair.groups.contains(&group))
                    } else {
                        vrid(packet.bytes).is_some_and(|vrid| self.apart.contains_key(&(packet.link, vrid)))
                    };
                    if heard_elsewhere {
                        continue;
                    }
                    let received = Received { link: id_of(packet.link), family: Family::Ipv4, octets: packet.bytes };
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

/// Where an IPv4 packet went.
fn destination(packet: &[u8]) -> Option<IpAddr> {
    let octets: &[u8; 4] = packet.get(16..20)?.try_into().ok()?;
    Some(IpAddr::V4(Ipv4Addr::from(*octets)))
}

/// Whether an IPv4 packet went to a group.
fn is_multicast(packet: &[u8]) -> bool {
    destination(packet).is_some_and(|destination| destination.is_multicast())
}

/// The virtual router that an IPv4 packet is about.
fn vrid(packet: &[u8]) -> Option<u8> {
    const AUTHENTICATION_HEADER: u8 = 51;
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let before = if *packet.get(9)? == AUTHENTICATION_HEADER { engine::wire::authentication_header::LENGTH } else { 0 };
    packet.get(header + before + 1).copied()
}
