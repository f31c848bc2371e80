//! The VRRP sockets: one pair for each interface with multicast routers, shared by all of them, one for each router with a
//! virtual MAC address, and one pair for all unicast; each family has its own. Packets leave and arrive in batches.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::net::IpAddr;

use engine::{
    Authentication, Engine, Family, Input, Instant, LinkId, Output, Priority, Received, RouterConfig, RouterId,
    Transport,
};
use linux::poll::{Interest, Poll};
use linux::send_batch::{SendBatch, Unsent};
use linux::vrrp_socket::{ReceiveBuffers, ReceiveSocket, Received as Packet, SendSocket};

/// A flood must not keep the loop from its timers.
const BATCHES_IN_A_ROW: usize = 16;
/// The largest advertisement that fits an Ethernet frame.
const PACKET_SIZE: usize = 1500;

#[derive(Debug)]
pub(crate) struct Sockets {
    pairs: BTreeMap<Place, Pair>,
    /// Routers that are heard through an interface of their own: which one, by the index of the interface below, the
    /// family and the VRID.
    apart: BTreeMap<(u32, Family, u8), u32>,
    /// The VRFs with unicast routers of their own, by kernel index.
    vrfs: BTreeSet<u32>,
    buffers: ReceiveBuffers,
    unsent: Vec<Unsent>,
    packet: Box<[u8; PACKET_SIZE]>,
    /// Advertisements of virtual routers that are not ours are noted.
    notes_strangers: bool,
    /// The interfaces that they came by, and their numbers.
    strangers: Vec<(u32, u8)>,
}

/// What the settings say of a router's sockets that the engine need not know.
#[derive(Debug)]
pub(crate) struct Particulars {
    /// Its virtual interface, if it has one.
    pub(crate) apart: Option<Apart>,
    /// Its interface is a VRF, which its unicast does not leave.
    pub(crate) in_vrf: bool,
    /// How many octets may wait for it; `None` is as many as we think good.
    pub(crate) buffer: Option<usize>,
}

/// What a pair is for: an interface by its kernel index, or all unicast (`None`), and a family.
type Place = (Option<u32>, Family);

/// The virtual interface of a router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apart {
    /// Its kernel index; `None` if it does not exist.
    pub(crate) link: Option<u32>,
    /// Advertisements leave by it.
    pub(crate) speaks: bool,
}

/// What stands below the virtual interface of a place, and whose that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Below {
    link: u32,
    vrid: u8,
    /// Advertisements leave by the virtual interface, not by the one below.
    speaks_above: bool,
}

/// What the routers of a place need.
#[derive(Debug, Default)]
struct Need {
    /// The place is a virtual interface.
    below: Option<Below>,
    groups: BTreeSet<IpAddr>,
    /// Somebody expects an authentication header.
    header: bool,
    /// Where those routers are, by kernel index.
    links: BTreeSet<u32>,
    /// So many octets may wait, if somebody has said so.
    size: Option<usize>,
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
    /// What it was opened for: the place is a virtual interface.
    below: Option<Below>,
    /// The interface that packets leave by, if it is always the same.
    way_out: Option<u32>,
    groups: BTreeSet<IpAddr>,
    batch: SendBatch,
    /// Whose packets are in the batch, in its order.
    senders: Vec<RouterId>,
}

impl Pair {
    fn open(place: Place, below: Option<Below>) -> linux::Result<Self> {
        let (link, family) = place;
        let way_out = way_out(place, below);
        let (receive, send) = match (link, family) {
            (Some(index), Family::Ipv4) => {
                let receive = match below {
                    Some(below) => ReceiveSocket::on_virtual_link(index, below.link, below.vrid)?,
                    None => ReceiveSocket::on_link(index)?,
                };
                (receive, SendSocket::on_link(way_out.unwrap_or(index))?)
            }
            (Some(index), Family::Ipv6) => {
                let receive = match below {
                    Some(below) => ReceiveSocket::ipv6_on_virtual_link(index, below.link, below.vrid)?,
                    None => ReceiveSocket::ipv6_on_link(index)?,
                };
                (receive, SendSocket::ipv6_on_link(way_out.unwrap_or(index))?)
            }
            (None, Family::Ipv4) => (ReceiveSocket::for_unicast()?, SendSocket::for_unicast()?),
            (None, Family::Ipv6) => (ReceiveSocket::ipv6_for_unicast()?, SendSocket::ipv6_for_unicast()?),
        };
        Ok(Self {
            receive,
            receive_header: None,
            size: None,
            send,
            below,
            way_out,
            groups: BTreeSet::new(),
            batch: SendBatch::new(),
            senders: Vec::new(),
        })
    }

    /// Lets so many octets wait.
    fn set_size(&mut self, size: Option<usize>) -> linux::Result<()> {
        if self.size != size {
            self.receive.set_receive_buffer(size)?;
            self.size = size;
        }
        Ok(())
    }

    /// Opens or closes the socket for what comes behind an authentication header, which only IPv4 has.
    fn listen_for_headers(&mut self, need: &Need, link: Option<u32>, poll: &Poll, token: u64) -> linux::Result<()> {
        if !need.header {
            self.receive_header = None;
        } else if self.receive_header.is_none() {
            let socket = match (link, need.below) {
                (Some(index), Some(below)) => {
                    ReceiveSocket::with_header_on_virtual_link(index, below.link, below.vrid)?
                }
                (Some(index), None) => ReceiveSocket::with_header_on_link(index)?,
                (None, _) => ReceiveSocket::with_header_for_unicast()?,
            };
            poll.add(&socket, token, Interest::Readable)?;
            for group in &self.groups {
                socket.join(*group, link.unwrap_or(0))?;
            }
            self.receive_header = Some(socket);
        }
        Ok(())
    }

    /// Joins and leaves groups.
    fn listen_to_groups(&mut self, groups: BTreeSet<IpAddr>, index: u32) -> linux::Result<()> {
        for socket in [Some(&self.receive), self.receive_header.as_ref()].into_iter().flatten() {
            for group in groups.difference(&self.groups) {
                socket.join(*group, index)?;
            }
            for group in self.groups.difference(&groups) {
                socket.leave(*group, index)?;
            }
        }
        self.groups = groups;
        Ok(())
    }
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self {
            pairs: BTreeMap::new(),
            apart: BTreeMap::new(),
            vrfs: BTreeSet::new(),
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
    /// `unicast_token` and `link_token` name the sockets in the poll.
    pub(crate) fn adjust(
        &mut self,
        engine: &Engine,
        index_of: impl Fn(LinkId) -> Option<u32>,
        particulars_of: impl Fn(RouterId, &RouterConfig) -> Particulars,
        poll: &Poll,
        unicast_token: u64,
        link_token: impl Fn(u32) -> u64,
    ) -> Vec<Deaf> {
        let mut needs: BTreeMap<Place, Need> = BTreeMap::new();
        self.apart.clear();
        self.vrfs.clear();
        for (router, id) in engine.config().routers.iter().zip(0..) {
            let Some(index) = engine.router_link(RouterId(id)).and_then(&index_of) else { continue };
            let vrid = router.vrid.get();
            let Particulars { apart, in_vrf, buffer } = particulars_of(RouterId(id), router);
            let (place, group, below) = match (&router.transport, apart) {
                (Transport::Unicast { .. }, _) if in_vrf => {
                    self.vrfs.insert(index);
                    (Some(index), None, None)
                }
                (Transport::Unicast { .. }, _) => (None, None, None),
                (Transport::Multicast { group, .. }, None) => (Some(index), Some(*group), None),
                (Transport::Multicast { group, .. }, Some(Apart { link: Some(link), speaks })) => {
                    self.apart.insert((index, router.family, vrid), link);
                    (Some(link), Some(*group), Some(Below { link: index, vrid, speaks_above: speaks }))
                }
                // That it does not exist is a fault reason.
                (Transport::Multicast { .. }, Some(Apart { link: None, .. })) => continue,
            };
            let need = needs.entry((place, router.family)).or_default();
            need.below = below;
            need.groups.extend(group);
            need.header |= matches!(router.authentication, Authentication::Header(_));
            need.links.insert(place.unwrap_or(index));
            if let Some(size) = buffer {
                need.size = Some(need.size.unwrap_or_default().saturating_add(size));
            }
        }
        // One that shall speak otherwise, or hear another virtual router, is opened anew.
        let stays = |place: &Place, pair: &mut Pair| needs.get(place).is_some_and(|need| pair.below == need.below);
        self.pairs.retain(stays);
        let mut failures = Vec::new();
        for (place, need) in needs {
            let links = need.links.clone();
            let token = place.0.map_or(unicast_token, &link_token);
            if let Err(error) = self.open(place, need, poll, token) {
                self.pairs.remove(&place);
                failures.push(Deaf { error, links });
            }
        }
        failures
    }

    fn open(&mut self, place: Place, need: Need, poll: &Poll, token: u64) -> linux::Result<()> {
        let pair = match self.pairs.entry(place) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let pair = Pair::open(place, need.below)?;
                poll.add(&pair.receive, token, Interest::Readable)?;
                vacant.insert(pair)
            }
        };
        let (link, _) = place;
        pair.set_size(need.size)?;
        pair.listen_for_headers(&need, link, poll, token)?;
        // Unicast has no groups.
        pair.listen_to_groups(need.groups, link.unwrap_or(0))
    }

    /// Closes the pairs of an interface that is gone.
    pub(crate) fn forget_link(&mut self, index: u32) {
        self.pairs.retain(|(link, _), pair| *link != Some(index) && pair.way_out != Some(index));
        self.apart.retain(|(below, ..), link| *below != index && *link != index);
    }

    /// Closes the pairs of IPv6 that were in groups of an interface and are no longer: they believe that they still are.
    pub(crate) fn forget_groups(&mut self, index: u32) {
        self.pairs.retain(|(link, family), pair| {
            let joined_at = pair.below.map_or(*link, |below| Some(below.link));
            *family == Family::Ipv4 || joined_at != Some(index)
        });
    }

    /// Puts an advertisement, given by its router, priority and sequence, into its batch.
    pub(crate) fn push(&mut self, engine: &Engine, advertisement: (RouterId, Priority, u64), link: Option<u32>) {
        let (router, priority, sequence) = advertisement;
        let Some(config) = engine.router(router) else { return };
        // An interface that is gone is a fault reason; what it should have sent is of no use any more.
        let place = match (&config.transport, link) {
            (Transport::Unicast { .. }, link) => link.filter(|link| self.vrfs.contains(link)),
            (Transport::Multicast { .. }, Some(index)) => {
                Some(self.apart.get(&(index, config.family, config.vrid.get())).copied().unwrap_or(index))
            }
            (Transport::Multicast { .. }, None) => return,
        };
        let Some(pair) = self.pairs.get_mut(&(place, config.family)) else { return };
        for destination in engine.destinations(router) {
            let packet = engine.write_advertisement(router, priority, sequence, *destination, &mut self.packet[..]);
            if let Some(packet) = packet {
                match link {
                    Some(link) if is_link_local(*destination) => pair.batch.push_packet_on(packet, *destination, link),
                    Some(_) | None => pair.batch.push_packet(packet, *destination),
                }
                pair.senders.push(router);
            }
        }
    }

    /// Sends all batches; what could not be sent goes to the engine.
    pub(crate) fn flush(&mut self, engine: &mut Engine, now: Instant, out: &mut Vec<Output>) {
        for pair in self.pairs.values_mut() {
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

    /// Hands everything that has arrived on one interface (`None`: by unicast) to the engine, and says how much that was.
    pub(crate) fn receive(
        &mut self,
        link: Option<u32>,
        engine: &mut Engine,
        now: impl Fn() -> Instant,
        (id_of, master_of): (impl Fn(u32) -> LinkId, impl Fn(u32) -> Option<u32>),
        out: &mut Vec<Output>,
    ) -> linux::Result<usize> {
        let mut arrived = 0;
        let is_vrf = link.is_some_and(|link| self.vrfs.contains(&link));
        for family in [Family::Ipv4, Family::Ipv6] {
            let Some(pair) = self.pairs.get(&(link, family)) else { continue };
            let is_apart = link.is_some_and(|link| self.apart.values().any(|apart| *apart == link));
            // A virtual interface also gets what is sent to its MAC address.
            let has_place_of_its_own = is_apart || (link.is_some() && self.pairs.contains_key(&(None, family)));
            // The kernel may also give what comes into a VRF to sockets that are not in it.
            let unicast_is_heard_elsewhere = |packet: &Packet<'_>| {
                let in_vrf = || {
                    let places = [Some(packet.link), master_of(packet.link)];
                    places.into_iter().flatten().any(|place| self.vrfs.contains(&place))
                };
                !is_vrf && (has_place_of_its_own || in_vrf())
            };
            for socket in [Some(&pair.receive), pair.receive_header.as_ref()].into_iter().flatten() {
                // What is left after so many wakes the loop again, after it has looked at everything else.
                for _ in 0..BATCHES_IN_A_ROW {
                    let count = socket.receive(&mut self.buffers)?;
                    arrived += count;
                    // Not before: whoever was stopped while he read would have them count from before his stop.
                    let now = now();
                    for packet in self.buffers.packets() {
                        let is_ours = match group_of(family, packet.bytes) {
                            // Over IPv6 the kernel also gives what others on this host have joined.
                            Some(group) => pair.groups.contains(&group),
                            None => !unicast_is_heard_elsewhere(&packet),
                        };
                        // What is heard through an interface of its own may be heard on the one below, too.
                        let is_apart = |vrid| self.apart.contains_key(&(packet.link, family, vrid));
                        if !is_ours || vrid_of(family, packet.bytes).is_some_and(is_apart) {
                            continue;
                        }
                        let link = if is_vrf { link.unwrap_or(packet.link) } else { packet.link };
                        let received = Received { link: id_of(link), family, octets: packet.bytes };
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
        }
        Ok(arrived)
    }
}

/// The group that an IP packet went to, if it went to one.
fn group_of(family: Family, packet: &[u8]) -> Option<IpAddr> {
    let destination: IpAddr = match family {
        Family::Ipv4 => <[u8; 4]>::try_from(packet.get(16..20)?).ok()?.into(),
        Family::Ipv6 => <[u8; 16]>::try_from(packet.get(24..40)?).ok()?.into(),
    };
    destination.is_multicast().then_some(destination)
}

/// The virtual router that an IP packet is about.
fn vrid_of(family: Family, packet: &[u8]) -> Option<u8> {
    const AUTHENTICATION_HEADER: u8 = 51;
    let before = match family {
        Family::Ipv4 if *packet.get(9)? == AUTHENTICATION_HEADER => engine::wire::authentication_header::LENGTH,
        Family::Ipv4 | Family::Ipv6 => 0,
    };
    let header = match family {
        Family::Ipv4 => usize::from(packet.first()? & 0x0f) * 4,
        Family::Ipv6 => 40,
    };
    packet.get(header + before + 1).copied()
}

/// The interface that packets leave by, if it is always the same.
fn way_out((link, _): Place, below: Option<Below>) -> Option<u32> {
    match below {
        Some(Below { link: below, speaks_above: false, .. }) => Some(below),
        Some(_) | None => link,
    }
}

/// Whether an address means nothing without its interface.
const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
