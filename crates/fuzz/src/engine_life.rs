//! Whole lives of two engines that hear each other, if at all: whatever happens to them, and in whatever order.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use engine::{
    Command, Config, Ending, Engine, FigureCause, HeldBy, Input, Instant, LatchReason, LatchRecord, LinkId, LinkState,
    MaintenanceRecord, MoveRecord, Name, Output, PairConfig, PairKey, ProbeFailure, Received, Record, Restored,
    RouterId, RouterRecord, ScriptOutcome, ServiceRecord, ServiceReport, StateName, TrackerKind, TrackerName, View,
};

use crate::baton::{KEY, sealed};
use crate::configuration::{of_words, settings};
use crate::octets::Octets;

/// What an engine is, and may be told to become.
const TEXTS: [&str; 3] = [include_str!("life_1.conf"), include_str!("life_2.conf"), include_str!("life_3.conf")];
/// So many things happen at most.
const STEPS: usize = 300;
/// So many outputs of one input are too many for what is configured here.
const MANY: usize = 4000;
/// What is on its way is forgotten from there on.
const ON_THE_WAY: usize = 64;

thread_local! {
    static CONFIGS: Vec<Config> = TEXTS
        .iter()
        .map(|text| settings(text.as_bytes()).unwrap_or_else(|| panic!("it can be used: {text}")).engine_config())
        .collect();
}

/// The octets choose what happens.
pub(crate) fn check(octets: &[u8]) {
    CONFIGS.with(|configs| twice(configs, octets));
}

/// The first octets choose words of a configuration.
pub(crate) fn of_any_configuration(octets: &[u8]) {
    let (words, happens) = octets.split_at(octets.len() / 2);
    let text = of_words(&mut Octets::new(words));
    let Some(first) = settings(text.as_bytes()) else { return };
    CONFIGS.with(|configs| twice(&[first.engine_config(), configs[0].clone(), first.engine_config()], happens));
}

/// Invariant 6 of the house: same seed and inputs, same outputs.
fn twice(configs: &[Config], octets: &[u8]) {
    let (first, again) = (live(configs, octets), live(configs, octets));
    assert!(first == again, "the same inputs gave other outputs");
}

/// Everything that an engine has said, and how it ended.
type Told = (Vec<Output>, [View; 2]);

fn live(configs: &[Config], octets: &[u8]) -> Told {
    let mut octets = Octets::new(octets);
    let mut told = Vec::new();
    let start = octets.octet();
    let mut nodes = [Node::new(configs, 0), Node::new(configs, 1)];
    for node in &mut nodes {
        node.begin(start, &mut octets);
    }
    let mut now = Instant::START;
    for _ in 0..STEPS {
        if octets.is_empty() {
            break;
        }
        let choice = octets.octet();
        let [a, b] = &mut nodes;
        let (node, other) = if choice & 0x40 == 0 { (a, b) } else { (b, a) };
        now = node.next_moment(now, choice >> 7 == 1, &mut octets);
        node.step(now, choice & 0x3f, configs, &mut octets);
        told.append(&mut node.out);
        // What is sent is heard, late or never.
        let mut sent = std::mem::take(&mut node.sent);
        other.coming.append(&mut sent);
        other.coming.truncate(ON_THE_WAY);
    }
    (told, nodes.map(|node| node.engine.view()))
}

/// What one node sends to the other.
#[derive(Clone, Debug)]
enum Sent {
    Frame(engine::Family, Name, Vec<u8>),
    Baton(u32, Vec<u8>),
}

struct Node {
    engine: Engine,
    number: u8,
    out: Vec<Output>,
    sent: VecDeque<Sent>,
    coming: VecDeque<Sent>,
    running: Vec<Name>,
}

/// With a pair, whose paths and keys are no matter of the text.
fn paired(config: &Config, number: u8) -> Config {
    let node = if number == 0 { "alpha" } else { "beta" };
    let pair = PairConfig {
        node: Name::from(node),
        paths: 2,
        key: PairKey::from(KEY),
        heartbeat: Duration::from_millis(200),
        dead_after: Duration::from_secs(1),
        terms: Vec::new(),
    };
    Config { pair: Some(pair), ..config.clone() }
}

impl Node {
    fn new(configs: &[Config], number: u8) -> Self {
        let engine = Engine::new(paired(&configs[0], number), u64::from(number) + 1);
        let empty = VecDeque::new;
        Self { engine, number, out: Vec::new(), sent: empty(), coming: empty(), running: Vec::new() }
    }

    fn begin(&mut self, choice: u8, octets: &mut Octets<'_>) {
        let now = Instant::START;
        if choice & 1 == 0 {
            self.handle(now, Input::Restored(restored(octets)));
        }
        if choice & 2 == 0 {
            self.handle(now, Input::Hesitate { until: Instant::from_millis(u64::from(octets.number())) });
        }
        self.handle(now, Input::Calendar(Duration::from_secs(1_794_999_000)));
        for link in 0..self.engine.links().len() as u32 {
            let state = LinkState { up: true, addresses: vec![self.address()], tentative: Vec::new(), deaf: false };
            self.handle(now, Input::Link { link: LinkId(link), state: Some(state) });
        }
        if choice & 4 == 0 {
            self.handle(now, Input::Start);
        }
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, self.number + 1).into()
    }

    /// Mostly when something is due. The clock never goes back.
    fn next_moment(&mut self, now: Instant, sleeps: bool, octets: &mut Octets<'_>) -> Instant {
        let span = match octets.octet() {
            at_once @ 0..32 => u64::from(at_once) * 1_000,
            some @ 32..224 => u64::from(some) * 5_000_000,
            long => u64::from(long) * 3_000_000_000,
        };
        let until = Instant::from_nanos(now.as_nanos() + span);
        if !sleeps {
            for _ in 0..200 {
                let Some(due) = self.engine.deadline().filter(|due| *due <= until) else { break };
                self.handle(due.max(now).max(Instant::START), Input::Timer);
            }
        }
        until
    }

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        let is_timer = matches!(input, Input::Timer);
        let before = self.out.len();
        self.engine.handle(now, input, &mut self.out);
        assert!(self.out.len() - before < MANY, "{} outputs", self.out.len() - before);
        let mut rounds = 0;
        // A loop that is told of a deadline in the past comes back at once.
        while is_timer && self.engine.deadline().is_some_and(|deadline| deadline <= now) {
            rounds += 1;
            assert!(rounds < 200, "something is due for ever at {now}");
            self.engine.handle(now, Input::Timer, &mut self.out);
        }
        self.carry_out(before);
        self.look(now);
    }

    /// What the other node will hear of it, and what runs here.
    fn carry_out(&mut self, from: usize) {
        for output in &self.out[from..] {
            match output {
                Output::Advertise { router, priority, sequence } => {
                    for &destination in self.engine.destinations(*router) {
                        let mut room = [0; 1500];
                        let written =
                            self.engine.write_advertisement(*router, *priority, *sequence, destination, &mut room);
                        let (Some(octets), Some(config)) = (written, self.engine.router(*router)) else { continue };
                        self.sent.push_back(Sent::Frame(config.family, config.link.clone(), octets.to_vec()));
                    }
                }
                Output::SendBaton { path, octets } => self.sent.push_back(Sent::Baton(*path, octets.clone())),
                Output::RunScript { script } => self.running.push(script.clone()),
                _ => {}
            }
        }
        self.sent.truncate(ON_THE_WAY);
        let too_many = self.running.len().saturating_sub(ON_THE_WAY);
        self.running.drain(..too_many);
    }

    fn step(&mut self, now: Instant, choice: u8, configs: &[Config], octets: &mut Octets<'_>) {
        match choice {
            0..=4 => self.handle(now, Input::Timer),
            5..=24 => match self.coming.pop_front() {
                Some(Sent::Frame(family, link, octets)) => {
                    let link = self.engine.links().iter().position(|known| *known == link).unwrap_or(0);
                    let received = Received { link: LinkId(link as u32), family, octets: &octets };
                    self.handle(now, Input::Received(received));
                }
                Some(Sent::Baton(path, octets)) => self.handle(now, Input::Baton { path, octets: &octets }),
                None => self.handle(now, Input::Timer),
            },
            25 => drop(self.coming.pop_front()),
            26..=28 => {
                let link = LinkId(u32::from(octets.octet()) % 4);
                let state = link_state(self.address(), octets);
                self.handle(now, Input::Link { link, state });
            }
            29 => {
                let count = octets.below(3);
                let addresses = (0..count).map(|_| Ipv4Addr::new(192, 0, 2, octets.octet()).into()).collect();
                self.handle(now, Input::OtherAddresses(addresses));
            }
            30 => {
                let missing: BTreeSet<Name> =
                    ["G", "H"].iter().filter(|_| octets.octet() & 1 == 1).map(|name| Name::from(*name)).collect();
                self.handle(now, Input::StaticsMissing(missing));
            }
            31..=36 => {
                let script = if octets.octet() & 3 == 0 { self.running.pop() } else { self.some_script(octets) };
                let outcome = outcome(octets);
                self.handle(now, Input::ScriptFinished { script: script.as_deref().unwrap_or("chk"), outcome });
            }
            37..=39 => {
                let kind = octets.pick(&[TrackerKind::File, TrackerKind::Process]);
                let trackers: Vec<TrackerName> =
                    self.engine.config().trackers.iter().map(|tracker| tracker.id()).collect();
                let unknown = TrackerName { kind, name: Name::from("unknown") };
                let tracker =
                    if trackers.is_empty() { unknown } else { trackers[octets.below(trackers.len())].clone() };
                let figure = octets.pick(&[0, 1, 2, -1, 5, 254, -254, i64::MAX, i64::MIN, 1 << 32]);
                let cause = octets.pick(&[FigureCause::Found, FigureCause::Forked, FigureCause::Ended]);
                self.handle(now, Input::Figure { tracker: &tracker, figure, cause });
            }
            40..=45 => {
                let services: Vec<Name> =
                    self.engine.config().services.iter().map(|service| service.name.clone()).collect();
                let service = if services.is_empty() {
                    Name::from("none")
                } else {
                    services[octets.below(services.len())].clone()
                };
                let report = report(octets);
                self.handle(now, Input::Service { service: &service, report });
            }
            46 => {
                let length = octets.below(256);
                let message = sealed(octets.take(length));
                self.handle(now, Input::Baton { path: u32::from(octets.octet()), octets: &message });
            }
            47 => {
                let length = octets.below(128);
                let family = octets.pick(&[engine::Family::Ipv4, engine::Family::Ipv6]);
                let link = LinkId(u32::from(octets.octet()) % 4);
                self.handle(now, Input::Received(Received { link, family, octets: octets.take(length) }));
            }
            48 => self.handle(now, Input::ClearStatistics),
            49..=54 => {
                let command = command(octets);
                self.handle(now, Input::Command { number: u64::from(octets.octet()), command });
            }
            55 => self.handle(now, Input::Calendar(Duration::from_secs(1_794_999_000 + u64::from(octets.number())))),
            56 => {
                let router = RouterId(u32::from(octets.octet()) % 8);
                self.handle(now, Input::SendFailed { router, error: i32::from(octets.octet()) });
            }
            57..=59 => {
                let config = paired(&configs[octets.below(configs.len())], self.number);
                self.handle(now, Input::Reconfigure(Box::new(config)));
                for link in 0..self.engine.links().len() as u32 {
                    let state =
                        LinkState { up: true, addresses: vec![self.address()], tentative: Vec::new(), deaf: false };
                    self.handle(now, Input::Link { link: LinkId(link), state: Some(state) });
                }
            }
            60..=61 => self.handle(now, Input::Start),
            // Stopping is rare, so that most lives are long.
            _ if octets.octet() & 3 == 0 => self.handle(now, Input::Stop),
            _ => self.handle(now, Input::Timer),
        }
    }

    fn some_script(&self, octets: &mut Octets<'_>) -> Option<Name> {
        let view = self.engine.view();
        let of_services = view.services.iter().flat_map(|service| &service.checks);
        let all: Vec<Name> = view.scripts.iter().chain(of_services).map(|script| script.name.clone()).collect();
        if all.is_empty() { None } else { all.get(octets.below(all.len())).cloned() }
    }

    /// What is never otherwise.
    fn look(&self, now: Instant) {
        let view = self.engine.view();
        for router in &view.routers {
            match router.state {
                StateName::Active => {
                    assert!(router.holds_addresses, "{now}: {router:?}");
                    assert!(router.primary_address.is_some(), "{now}: {router:?}");
                }
                StateName::Backup => assert!(!router.holds_addresses && router.faults.is_empty(), "{now}: {router:?}"),
                StateName::Initialize => {}
            }
            let priority = router.effective_priority.get();
            assert_eq!(priority == 255, router.priority.is_address_owner(), "{now}: {router:?}");
            assert!(priority >= 1, "{now}: {router:?}");
            let counted = router.statistics;
            assert!(counted.released_active <= counted.became_active + 1, "{now}: {router:?}");
        }
        let holders = view.routers.iter().filter(|router| router.holds_addresses);
        let held: Vec<_> = holders.map(|router| router.router).collect();
        for wanted in self.engine.desired().addresses {
            assert!(wanted.owner.router().is_none_or(|router| held.contains(&router)), "{now}: {wanted:?}");
        }
    }
}

fn link_state(address: IpAddr, octets: &mut Octets<'_>) -> Option<LinkState> {
    let choice = octets.octet();
    let mut addresses = Vec::new();
    if choice & 1 == 0 {
        addresses.push(address);
    }
    if choice & 2 == 0 {
        addresses.push(Ipv4Addr::new(192, 0, 2, octets.pick(&[100, 101, 102, 9])).into());
    }
    if choice & 4 == 0 {
        addresses.push(IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(octets.octet() & 3)]));
    }
    let tentative = if choice & 8 == 0 { addresses.pop() } else { None };
    (choice & 0x30 != 0).then_some(LinkState {
        up: choice & 0x40 == 0,
        addresses,
        tentative: tentative.into_iter().collect(),
        deaf: choice & 0xb0 == 0xb0,
    })
}

fn outcome(octets: &mut Octets<'_>) -> ScriptOutcome {
    match octets.octet() & 7 {
        0..=3 => ScriptOutcome::Exited(octets.pick(&[0, 1, 99, 255])),
        4 => ScriptOutcome::Signalled(octets.octet()),
        5 => ScriptOutcome::NotStarted(i32::from(octets.octet())),
        _ => ScriptOutcome::ProbeFailed(octets.pick(&[
            ProbeFailure::System(111),
            ProbeFailure::HttpStatus(500),
            ProbeFailure::Nonsense,
            ProbeFailure::TooOld(u32::MAX),
            ProbeFailure::NoProcess,
        ])),
    }
}

fn report(octets: &mut Octets<'_>) -> ServiceReport {
    let why = || Name::from("why");
    match octets.octet() % 11 {
        0..=2 => ServiceReport::Running,
        3 => ServiceReport::Gone(Ending::NotRunning),
        4 => ServiceReport::Gone(Ending::Exited(octets.octet())),
        5 => ServiceReport::Gone(Ending::Said(why())),
        6 => ServiceReport::StoppedByHand,
        7 => ServiceReport::StartRefused(why()),
        8 => ServiceReport::StopRefused(why()),
        9 => ServiceReport::Readiness(if octets.octet() & 1 == 0 { Ok(()) } else { Err(why()) }),
        _ => ServiceReport::Unknown(why()),
    }
}

fn command(octets: &mut Octets<'_>) -> Command {
    let choice = octets.octet();
    let router = RouterId(u32::from(choice >> 4) % 6);
    let by = if choice & 8 == 0 { HeldBy::Operator } else { HeldBy::DownFile };
    match choice & 7 {
        0..=1 => Command::Switch { router, to_us: choice & 1 == 0, dry_run: octets.octet() & 3 == 0 },
        2 => Command::Hold { router, by },
        3 => Command::Release { router, by },
        4 => {
            let spans = [None, Some(Duration::ZERO), Some(Duration::from_secs(5)), Some(Duration::MAX)];
            Command::Maintain { span: octets.pick(&spans), calendar: 1_794_999_000 }
        }
        5 => Command::EndMaintenance,
        _ => Command::Acknowledge,
    }
}

fn restored(octets: &mut Octets<'_>) -> Restored {
    let choice = octets.octet();
    let calendar = octets.pick(&[1_794_999_000, 0, u64::MAX]);
    match choice & 3 {
        0 => Restored::Nothing { calendar },
        1 => Restored::Damaged(Name::from("its checksum is wrong")),
        _ => {
            // Nobody can have counted as far as the last one.
            let number = |octets: &mut Octets<'_>| octets.pick(&[0, 1, 7, (1 << 62) - 1, u64::MAX]);
            let name = |octets: &mut Octets<'_>| Name::from(octets.pick(&["a", "b", "c", "job", "none"]));
            let router = RouterRecord {
                name: name(octets),
                epoch: number(octets),
                active: choice & 4 == 0,
                held_by: if choice & 8 == 0 { vec![HeldBy::Operator] } else { Vec::new() },
                stood_back: choice & 24 == 0,
            };
            let at = MoveRecord { at: Instant::from_nanos(number(octets)), calendar: Some(number(octets)) };
            let service = ServiceRecord {
                name: name(octets),
                failed: choice & 16 == 0,
                told: number(octets),
                left_stopped: choice & 48 == 0,
                moves: vec![at],
            };
            let latch = LatchRecord { service: name(octets), reason: LatchReason::BothFailed, node: name(octets) };
            let record = Record {
                routers: vec![router],
                services: vec![service],
                latch_number: number(octets),
                acknowledged: number(octets),
                latch: (choice & 32 == 0).then_some(latch),
                maintenance_number: number(octets),
                maintenance: (choice & 64 == 0).then(|| MaintenanceRecord { until: Some(number(octets)) }),
            };
            Restored::Record { record, same_boot: choice & 128 == 0, calendar }
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let wait = [0, 200];
    let hear = [10, 40];
    vec![
        [&[7][..], &wait.repeat(12), &hear.repeat(20)].concat(),
        [&[7][..], &[64, 200].repeat(8), &hear.repeat(8), &[80, 40].repeat(20), &[49, 10, 1]].concat(),
        [&[3][..], &[40, 40, 0, 0].repeat(10), &[57, 40, 1, 62, 40, 0]].concat(),
        [&[0, 2, 0, 0, 0, 0, 0, 0, 0, 0][..], &wait.repeat(20)].concat(),
        (0..=255).collect(),
    ]
}
