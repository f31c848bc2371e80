//! Frames against the receive path of an engine: what stands in them is what another engine sends, damaged or not.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use config::{LoadOptions, MemoryFiles};
use engine::vrrp::receive::Discard;
use engine::wire::{PROTOCOL_AUTHENTICATION_HEADER, Packet, Sequence, advertisement, authentication_header, packet};
use engine::{
    Authentication, Config, Engine, Family, HmacMode, Input, Instant, LinkId, LinkState, Output, Priority, Received,
    RouterId, StateName,
};

use crate::octets::Octets;

const TEXT: &str = include_str!("receive.conf");
/// What the calendar says at the start.
const CALENDAR: Duration = Duration::from_secs(1_794_999_000);
const ROOM: usize = 1500;
/// In `receive.conf`, with the numbers from 51 to 59, of which three are there twice.
pub(crate) const ROUTERS: usize = 12;
const CHECKSUM: std::ops::Range<usize> = 6..8;

fn config(own: &str, other: &str) -> Config {
    let text = TEXT.replace("OWN", own).replace("OTHER", other);
    let files = MemoryFiles::single("/k/main.conf", text);
    let loaded = config::load(Path::new("/k/main.conf"), &files, &LoadOptions::default());
    loaded.settings.unwrap_or_else(|| panic!("{}", loaded.report.render(false))).engine_config()
}

fn v4_address(link: &str, node: u8) -> IpAddr {
    let address = if link == "eth0" { Ipv4Addr::new(192, 0, 2, node) } else { Ipv4Addr::new(198, 51, 100, node) };
    address.into()
}

fn addresses(link: &str, node: u8) -> Vec<IpAddr> {
    vec![
        v4_address(link, node),
        IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(node)]),
        format!("2001:db8::{node}").parse().expect("an address"),
    ]
}

/// An engine that is started on links that work.
fn start(config: Config, node: u8) -> Engine {
    let mut engine = Engine::new(config, 1);
    let mut out = Vec::new();
    let links: Vec<String> = engine.links().iter().map(ToString::to_string).collect();
    engine.handle(Instant::START, Input::Calendar(CALENDAR), &mut out);
    for (name, link) in links.iter().zip(0..) {
        let state = LinkState { up: true, addresses: addresses(name, node), tentative: Vec::new(), deaf: false };
        engine.handle(Instant::START, Input::Link { link: LinkId(link), state: Some(state) }, &mut out);
    }
    engine.handle(Instant::START, Input::Start, &mut out);
    engine
}

/// The two configurations, which take longer to read than a frame.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    here: Config,
    there: Config,
}

impl Nodes {
    pub(crate) fn new() -> Self {
        Self { here: config("192.0.2.1", "192.0.2.2"), there: config("192.0.2.2", "192.0.2.1") }
    }
}

/// How often what has happened, to know that the frames are of some use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) frames: u64,
    pub(crate) believed: u64,
    pub(crate) refused: u64,
    /// Of these two, those that a Backup and an Active router has heard.
    pub(crate) by_backup: u64,
    pub(crate) by_active: u64,
}

/// Who receives, and who could have sent what is received.
#[derive(Debug)]
pub(crate) struct Lan {
    engine: Engine,
    sender: Engine,
    now: Instant,
    /// Of what was sealed.
    sequence: u64,
    pub(crate) figures: Figures,
    /// How many each router has believed and refused.
    counted: [(u64, u64); ROUTERS],
    /// The last sealed frame that each router has believed, and where it came in.
    sealed: [Option<(LinkId, Family, Vec<u8>)>; ROUTERS],
    // Kept for the next frame, so that none asks for memory.
    frame: Vec<u8>,
    genuine: Vec<u8>,
    room: Vec<u8>,
    out: Vec<Output>,
}

impl Lan {
    pub(crate) fn new(nodes: &Nodes) -> Self {
        Self {
            engine: start(nodes.here.clone(), 1),
            sender: start(nodes.there.clone(), 2),
            now: Instant::START,
            sequence: 0,
            figures: Figures::default(),
            counted: [(0, 0); ROUTERS],
            sealed: [const { None }; ROUTERS],
            frame: Vec::with_capacity(ROOM),
            genuine: Vec::with_capacity(ROOM),
            room: vec![0; ROOM],
            out: Vec::new(),
        }
    }

    /// Lets one frame come in, made as the octets say.
    pub(crate) fn hear(&mut self, octets: &mut Octets<'_>) {
        // Mostly a moment, sometimes so long that something is due.
        let after = match octets.octet() {
            quick @ 0..200 => u64::from(quick % 4) * 100_000,
            slow => u64::from(slow - 199) * 20_000_000,
        };
        self.sleep(after);
        self.hear_now(octets, |_, _, _| {});
    }

    /// As [`hear`](Self::hear), without waiting; `bend` may change the frame at last.
    pub(crate) fn hear_now(&mut self, octets: &mut Octets<'_>, bend: fn(&mut Vec<u8>, Family, &mut Octets<'_>)) {
        let (mut frame, mut genuine) = (std::mem::take(&mut self.frame), std::mem::take(&mut self.genuine));
        frame.clear();
        let whole = self.write(octets, &mut frame);
        let (link, family) = match whole {
            Some(router) => {
                let link = self.sender.router_link(router).expect("it is a router of both");
                let family = self.sender.router(router).expect("it is a router of both").family;
                (if octets.octet() < 250 { link } else { LinkId(1 - link.0) }, family)
            }
            None => (LinkId(0), if octets.octet() & 1 == 0 { Family::Ipv4 } else { Family::Ipv6 }),
        };
        genuine.clone_from(&frame);
        damage(&mut frame, family, octets);
        bend(&mut frame, family, octets);
        self.receive(Received { link, family, octets: &frame }, whole.map(|_| &genuine[..]));
        (self.frame, self.genuine) = (frame, genuine);
    }

    /// Lets the last sealed frame that this router has believed come in again, if there is one: it must be refused.
    pub(crate) fn hear_again(&mut self, router: usize) -> bool {
        let Some((link, family, frame)) = self.sealed[router].take() else { return false };
        let believed = self.figures.believed;
        self.receive(Received { link, family, octets: &frame }, None);
        assert_eq!(self.figures.believed, believed, "believed a second time: {frame:02x?}");
        self.sealed[router] = Some((link, family, frame));
        true
    }

    /// So many nanoseconds pass, in which nothing is done.
    pub(crate) fn sleep(&mut self, span: u64) {
        self.now = Instant::from_nanos(self.now.as_nanos() + span);
        self.do_what_is_due();
    }

    /// So many nanoseconds pass, and what is due is done at once.
    pub(crate) fn live(&mut self, span: u64) {
        let until = Instant::from_nanos(self.now.as_nanos() + span);
        while let Some(deadline) = self.engine.deadline().filter(|deadline| *deadline < until) {
            self.now = self.now.max(deadline);
            self.do_what_is_due();
        }
        self.now = until;
        self.do_what_is_due();
    }

    fn do_what_is_due(&mut self) {
        for _ in 0..64 {
            if self.engine.deadline().is_none_or(|deadline| deadline > self.now) {
                return;
            }
            self.out.clear();
            self.engine.handle(self.now, Input::Timer, &mut self.out);
        }
        panic!("something is due for ever at {}", self.now);
    }

    /// How often each reason to refuse a frame was met.
    pub(crate) fn reasons(&self) -> [u64; Discard::COUNT] {
        let all = (0..ROUTERS as u32).filter_map(|router| self.engine.statistics(RouterId(router)));
        all.fold([0; Discard::COUNT], |sum, router| {
            std::array::from_fn(|reason| sum[reason] + router.discarded[reason])
        })
    }

    /// An advertisement of the other node, or any octets. Whose it is.
    fn write(&mut self, octets: &mut Octets<'_>, frame: &mut Vec<u8>) -> Option<RouterId> {
        let choice = octets.octet();
        if choice < 8 {
            let length = octets.below(300);
            frame.extend_from_slice(octets.take(length));
            return None;
        }
        let router = RouterId(u32::from(choice) % self.sender.config().routers.len() as u32);
        let priority = Priority::new(octets.pick(&[0, 1, 50, 99, 100, 101, 200, 254, 255]));
        self.sequence += 1;
        let counted = match self.sender.router(router).map(|config| &config.authentication) {
            Some(Authentication::Hmac(_)) => {
                let moment = CALENDAR + Duration::from_nanos(self.now.as_nanos());
                Sequence::at(moment).number().max(self.sequence) + (self.sequence & 0xfff)
            }
            _ => self.sequence & 0xffff_ffff,
        };
        // Now and then what was sent before, or a minute ago.
        let counted = match octets.octet() {
            0..4 => counted.saturating_sub(60 << 32),
            4..16 => counted.saturating_sub(0x1_0000),
            _ => counted,
        };
        let destination = *self.sender.destinations(router).first().expect("each sends somewhere");
        let written = self.sender.write_advertisement(router, priority, counted, destination, &mut self.room);
        frame.extend_from_slice(written.expect("it has an address and there is room"));
        Some(router)
    }

    /// What must hold for any frame. `genuine` is what the other node has sent, if that is where the frame began.
    fn receive(&mut self, received: Received<'_>, genuine: Option<&[u8]>) {
        let addressed = is_addressed(&self.engine, &received);
        let states: [_; ROUTERS] = std::array::from_fn(|router| self.engine.state(RouterId(router as u32)));
        self.out.clear();
        self.engine.handle(self.now, Input::Received(received), &mut self.out);
        self.figures.frames += 1;
        let mut counted = 0;
        for (router, state) in states.into_iter().enumerate() {
            let id = RouterId(router as u32);
            let now = self.counter(id);
            let before = std::mem::replace(&mut self.counted[router], now);
            let (believed, refused) = (now.0 - before.0, now.1 - before.1);
            counted += believed + refused;
            self.figures.believed += believed;
            self.figures.refused += refused;
            match state {
                Some(StateName::Backup) => self.figures.by_backup += believed + refused,
                Some(StateName::Active) => self.figures.by_active += believed + refused,
                Some(StateName::Initialize) | None => {}
            }
            if believed > 0 {
                self.look_at_believed(id, received, genuine);
                self.keep_sealed(router, received);
            }
        }
        assert_eq!(counted, u64::from(addressed), "each frame is counted once: {:02x?}", received.octets);
        assert!(self.out.len() < 64, "{} outputs for one frame", self.out.len());
    }

    fn look_at_believed(&self, router: RouterId, received: Received<'_>, genuine: Option<&[u8]>) {
        let config = self.engine.router(router).expect("it exists");
        let packet = packet::parse(received.family, received.octets).expect("it was believed");
        assert_ne!(packet.source, v4_address(&config.link, 1), "from ourselves");
        let payload_of =
            |octets| packet::parse(received.family, octets).map(|packet: Packet<'_>| packet.payload.to_vec());
        match &config.authentication {
            Authentication::None => {}
            Authentication::SimplePassword(password) => {
                let octets =
                    advertisement::trim(config.version, config.family, packet.payload).expect("it was believed");
                assert!(octets.ends_with(&password[..]), "without the password: {octets:02x?}");
            }
            Authentication::Hmac(policy) if policy.mode != HmacMode::Enforce => {}
            // Only the checksum is not covered, which has several good values.
            Authentication::Hmac(_) => {
                let without_sum = |mut payload: Vec<u8>| {
                    payload[CHECKSUM].fill(0);
                    payload
                };
                let expected = genuine.and_then(payload_of).map(without_sum);
                assert_eq!(Some(without_sum(packet.payload.to_vec())), expected, "forged");
            }
            Authentication::Header(_) => {
                assert_eq!(Some(packet.payload.to_vec()), genuine.and_then(payload_of), "forged");
            }
        }
    }

    fn keep_sealed(&mut self, router: usize, received: Received<'_>) {
        let config = self.engine.router(RouterId(router as u32)).expect("it exists");
        let is_sealed = match &config.authentication {
            Authentication::None | Authentication::SimplePassword(_) => false,
            Authentication::Hmac(policy) => policy.mode == HmacMode::Enforce,
            Authentication::Header(_) => true,
        };
        if is_sealed {
            let mut kept = self.sealed[router].take().map_or_else(Vec::new, |(.., kept)| kept);
            kept.clear();
            kept.extend_from_slice(received.octets);
            self.sealed[router] = Some((received.link, received.family, kept));
        }
    }

    /// How many were believed and refused.
    fn counter(&self, router: RouterId) -> (u64, u64) {
        let statistics = self.engine.statistics(router).expect("there are so many routers");
        (statistics.advertisements_received, statistics.discarded.iter().sum())
    }
}

/// Whether a router of this engine is meant: then it must count it.
fn is_addressed(engine: &Engine, received: &Received<'_>) -> bool {
    let Some(packet) = packet::parse(received.family, received.octets) else { return false };
    if Family::of(packet.destination) != received.family || engine.stranger(received).is_some() {
        return false;
    }
    let message = match packet.payload {
        payload if packet.protocol != PROTOCOL_AUTHENTICATION_HEADER => payload,
        &[112, words, ..] => packet.payload.get((usize::from(words) + 2) * 4..).unwrap_or_default(),
        _ => &[],
    };
    let Some(vrid) = advertisement::peek_vrid(message) else { return false };
    // One that is heard by unicast on the other interface may be meant as well as one that is not.
    let here = engine.config().routers.iter().zip(0..).any(|(router, id)| {
        let same = router.vrid == vrid && router.family == received.family;
        same && engine.router_link(RouterId(id)) == Some(received.link)
    });
    let by_unicast = engine.config().routers.iter().any(|router| {
        let unicast = matches!(router.transport, engine::Transport::Unicast { source: Some(source), .. } if source == packet.destination);
        unicast && router.vrid == vrid && router.family == received.family
    });
    here || by_unicast
}

/// Changes octets, cuts, lengthens; and perhaps makes the sums right again, so that later checks see it.
fn damage(frame: &mut Vec<u8>, family: Family, octets: &mut Octets<'_>) {
    let changes = octets.octet() & 7;
    if changes >= 6 || frame.is_empty() {
        return;
    }
    for _ in 0..changes {
        let place = octets.below(frame.len());
        match octets.octet() & 3 {
            0 => frame[place] = octets.octet(),
            1 => frame[place] ^= 1 << (octets.octet() & 7),
            2 => frame[place] = frame[place].wrapping_add(1),
            _ => frame[place] = octets.pick(&[0, 1, 2, 3, 0x7f, 0x80, 0xff]),
        }
    }
    let shape = octets.octet();
    if shape & 7 == 1 {
        frame.truncate(octets.below(frame.len()));
    } else if shape & 7 == 2 {
        frame.extend_from_slice(octets.take(usize::from(shape >> 3)));
    }
    if shape & 0x30 == 0x30 {
        mend(frame, family);
    }
}

/// Now and then makes of it what another router should hear, in its own version and with its own authentication; or puts
/// rubbish behind its header.
pub(crate) fn bend(frame: &mut Vec<u8>, family: Family, octets: &mut Octets<'_>) {
    let choice = octets.octet();
    if choice >= 24 {
        return;
    }
    let Some(packet) = packet::parse(family, frame) else { return };
    let (begin, protocol) = (packet.header.len(), packet.protocol);
    let before = if protocol == PROTOCOL_AUTHENTICATION_HEADER { authentication_header::LENGTH } else { 0 };
    if choice < 16 {
        if let Some(vrid) = frame.get_mut(begin + before + 1) {
            *vrid = 51 + octets.below(9) as u8;
        }
    } else {
        let length = octets.below(64);
        frame.truncate(begin + before);
        frame.extend_from_slice(octets.take(length));
    }
    // Behind an authentication header the sum stands elsewhere, and matters less.
    if before == 0 {
        mend(frame, family);
    }
}

/// The length of the packet is what came, and the sum of the advertisement covers it.
fn mend(frame: &mut [u8], family: Family) {
    let length = frame.len() as u16;
    let lengths = match family {
        Family::Ipv4 => (2..4, length),
        Family::Ipv6 => (4..6, length.saturating_sub(40)),
    };
    if let Some(place) = frame.get_mut(lengths.0) {
        place.copy_from_slice(&lengths.1.to_be_bytes());
    }
    let Some(packet) = packet::parse(family, frame) else { return };
    let (source, destination) = (packet.source, packet.destination);
    let begin = packet.header.len();
    let payload = &mut frame[begin..];
    match payload.first() {
        Some(first) if first >> 4 == 2 => advertisement::sum_message_alone(payload),
        _ => advertisement::sum_everything(payload, source, destination),
    }
}

thread_local! {
    static NODES: Nodes = Nodes::new();
}

/// Some frames to a new engine.
pub(crate) fn check(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let mut lan = NODES.with(Lan::new);
    while !octets.is_empty() {
        lan.hear(&mut octets);
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    (0..12).map(|router| [2, 24 + router, 4, 99, 0, 7].repeat(6)).chain([vec![0; 80], (0..=255).collect()]).collect()
}
