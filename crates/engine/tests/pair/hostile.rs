//! The other node has the key and means ill: it says anything, in messages that are sealed and fresh. What it can bring
//! about and what it cannot stands in `docs/security.md`. `HUNT=1000` tries as many of each.

use std::time::Duration;

use tanist_engine::wire::baton::{
    BatonMessage, Hears, LatchStatement, MaintenanceStatement, RouterStatement, Seal, ServiceStatement, Stance,
    Statement,
};
use tanist_engine::{
    Command, Ending, Engine, Event, Family, HandoverReason, HeldBy, Input, Instant, LatchReason, LatchRecord, LinkId,
    LinkState, Name, Output, Priority, Received, Record, Restored, RouterId, ServiceOrder, ServiceReport,
    ServiceStateName, StateName,
};

use super::anything::{Dice, seeds};
use super::setup::{NODES, config, ms};
use crate::common::packet::Packet;

/// Our node is b, the worse one, so that nothing but the other one's words keeps it from the role or brings it there.
const OURS: usize = 1;
const CALENDAR: u64 = 1_700_000_000;
/// Who says more has not counted it, and his message is malformed.
const GREATEST: u64 = (1 << 62) - 1;

/// What the other node leaves out of what it could say.
#[derive(Clone, Copy, Debug, Default)]
struct Restraint {
    /// It never lets the role go in order.
    hands_nothing_over: bool,
    /// It acknowledges no latch, and begins and ends no maintenance.
    lifts_nothing: bool,
    /// It always could have the role, and is never silent for long.
    could_have_it: bool,
}

/// What is the matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plight {
    Nothing,
    LinkDown,
    /// Its manager does not answer.
    NobodyKnowsWhetherItRuns,
    /// And nobody of this node has started it.
    ItRunsAlready,
    /// Something of its service is left for a while, so it is still there to be talked to.
    Stopping,
    Latched,
    Maintained,
    Held(HeldBy),
}

/// Our node, and all that the other one needs to be believed.
struct Duel {
    engine: Engine,
    now: Instant,
    dice: Dice,
    plight: Plight,
    restraint: Restraint,
    seal: Seal,
    /// What our node said last, and when.
    heard: Option<(Instant, BatonMessage)>,
    life: u64,
    challenge: u64,
    sequence: u64,
    version: u64,
    /// Something of the service is here.
    runs: bool,
    stopping: bool,
    stopped: bool,
    starts: u32,
    /// Messages of the other one that were taken in.
    believed: u32,
    /// What it was told, and what came of it.
    said: Vec<(Instant, Statement)>,
    told: Vec<(Instant, Event)>,
    seed: u64,
}

impl Duel {
    fn new(seed: u64, plight: Plight, restraint: Restraint) -> Self {
        let config = config(OURS);
        let seal = Seal::new(&config.pair.as_ref().expect("it has a peer").key);
        let mut duel = Self {
            engine: Engine::new(config, seed),
            now: Instant::from_millis(14_000),
            dice: Dice(seed * 2 + 1),
            plight,
            restraint,
            seal,
            heard: None,
            life: 1,
            challenge: 1,
            sequence: 0,
            version: 0,
            runs: matches!(plight, Plight::ItRunsAlready | Plight::Stopping),
            stopping: false,
            stopped: false,
            starts: 0,
            believed: 0,
            said: Vec::new(),
            told: Vec::new(),
            seed,
        };
        duel.begin();
        duel
    }

    fn begin(&mut self) {
        let latch = LatchRecord { service: "job".into(), reason: LatchReason::BothFailed, node: NODES[0].into() };
        let record = Record { latch_number: 1, latch: Some(latch), ..Record::default() };
        self.handle(Input::Restored(match self.plight {
            Plight::Latched => Restored::Record { record, same_boot: true, calendar: CALENDAR },
            _ => Restored::Nothing { calendar: CALENDAR },
        }));
        let up = self.plight != Plight::LinkDown;
        let addresses = vec!["192.0.2.2".parse().expect("an address")];
        let state = LinkState { up, addresses, tentative: Vec::new(), deaf: false };
        self.handle(Input::Link { link: LinkId(0), state: Some(state) });
        self.handle(Input::Start);
        match self.plight {
            Plight::Maintained => self.order(Command::Maintain { span: None, calendar: CALENDAR }),
            Plight::Held(by) => self.order(Command::Hold { router: RouterId(0), by }),
            Plight::Stopping => {
                self.stopping = true;
                self.handle(Input::Stop);
            }
            _ => {}
        }
    }

    fn story(&self) -> String {
        let Self { seed, plight, restraint, said, told, .. } = self;
        format!("seed {seed}, {plight:?}, {restraint:?}: {told:#?} {said:#?}")
    }

    fn order(&mut self, command: Command) {
        self.handle(Input::Command { number: 1, command });
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.engine.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::SendBaton { octets, .. } => {
                    let message = self.seal.open(&octets).expect("it seals what it says");
                    self.heard = Some((self.now, message));
                }
                Output::Service { order, .. } => self.obey(order),
                Output::Stopped => self.stopped = true,
                Output::Tell(event) => self.told.push((self.now, event)),
                _ => {}
            }
        }
    }

    fn obey(&mut self, order: ServiceOrder) {
        let report = match order {
            ServiceOrder::Watch if self.plight == Plight::NobodyKnowsWhetherItRuns => return,
            ServiceOrder::Watch if self.runs => ServiceReport::Running,
            ServiceOrder::Watch => ServiceReport::Gone(Ending::NotRunning),
            ServiceOrder::Start => {
                self.judge();
                self.starts += 1;
                self.runs = true;
                ServiceReport::Running
            }
            ServiceOrder::Stop | ServiceOrder::Kill if self.plight == Plight::Stopping => return,
            ServiceOrder::Stop | ServiceOrder::Kill => {
                self.runs = false;
                ServiceReport::Gone(Ending::Exited(0))
            }
            ServiceOrder::AssessReadiness => ServiceReport::Readiness(Ok(())),
            ServiceOrder::Forget => return,
        };
        self.handle(Input::Service { service: "job", report });
    }

    /// Something is started here: only where this node itself has the role, and once.
    fn judge(&self) {
        let view = self.engine.view();
        let router = &view.routers[0];
        assert!(!self.runs, "started twice\n{}", self.story());
        assert!(!self.stopping, "started by one that was told to stop\n{}", self.story());
        assert_eq!(router.state, StateName::Active, "{}", self.story());
        assert!(router.faults.is_empty() && !router.letting_go, "{router:?}\n{}", self.story());
    }

    /// Time passes, timers are heeded.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.engine.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.handle(Input::Timer);
        }
        self.now = until;
    }

    /// The other node says something, fresh and sealed.
    fn say(&mut self) {
        let Some((at, theirs)) = self.heard.clone() else { return };
        if self.dice.roll(40) == 0 {
            (self.life, self.sequence) = (self.life + 1, 0);
        }
        self.sequence += 1;
        self.version += self.dice.roll(3);
        let message = BatonMessage {
            life: self.life,
            challenge: self.challenge,
            echo: theirs.challenge,
            sequence: self.sequence,
            version: self.version,
            seen: [theirs.version, theirs.version, 0, u64::MAX][self.dice.roll(4) as usize],
            sent_at: self.now.as_nanos(),
            heard_at: theirs.sent_at,
            held: self.now.since(at).as_nanos() as u64,
            statement: self.statement(),
        };
        let octets = self.seal.seal(&message);
        self.said.push((self.now, message.statement));
        let before = self.engine.view().peer.map(|peer| peer.discarded);
        self.handle(Input::Baton { path: 0, octets: &octets });
        let after = self.engine.view().peer.map(|peer| peer.discarded);
        self.believed += u32::from(before == after);
    }

    /// A number that is small, near ours, or as great as is believed.
    fn number(&mut self) -> u64 {
        [0, 1, 2, self.dice.roll(20), GREATEST - 1, GREATEST][self.dice.roll(6) as usize]
    }

    fn span(&mut self) -> Duration {
        [ms(0), ms(50), ms(5_000), Duration::MAX][self.dice.roll(4) as usize]
    }

    fn statement(&mut self) -> Statement {
        let lifts = !self.restraint.lifts_nothing;
        let latch = LatchStatement { service: "job".into(), reason: LatchReason::TooManyMoves, node: NODES[0].into() };
        let remaining = (self.dice.roll(2) == 0).then(|| self.span());
        let maintenance = MaintenanceStatement { remaining, node: NODES[0].into() };
        let router = self.router();
        Statement {
            node: Name::from(NODES[0]),
            stopped: !self.restraint.could_have_it && self.dice.roll(20) == 0,
            latch: (self.dice.roll(4) == 0).then_some(latch),
            latch_number: if self.dice.roll(4) == 0 { self.number() } else { 0 },
            acknowledged: if lifts && self.dice.roll(4) == 0 { self.number() } else { 0 },
            maintenance: (self.dice.roll(4) == 0).then_some(maintenance),
            maintenance_number: if lifts && self.dice.roll(4) == 0 { self.number() } else { 0 },
            paths: vec![self.dice.roll(2) == 0; self.dice.roll(3) as usize],
            routers: if self.restraint.could_have_it || self.dice.roll(10) > 0 { vec![router] } else { Vec::new() },
        }
    }

    fn reason(&mut self) -> HandoverReason {
        [
            HandoverReason::Operator,
            HandoverReason::ServiceFailed,
            HandoverReason::Failback,
            HandoverReason::Leaving,
            HandoverReason::Held,
        ][self.dice.roll(5) as usize]
    }

    fn router(&mut self) -> RouterStatement {
        let Restraint { hands_nothing_over, could_have_it, .. } = self.restraint;
        let reason = self.reason();
        let stances = [
            Stance::Standby,
            Stance::Claiming,
            Stance::Active,
            Stance::Out,
            Stance::Offering(reason),
            Stance::Releasing(reason),
        ];
        let known = if could_have_it {
            3
        } else if hands_nothing_over {
            4
        } else {
            6
        };
        let able = could_have_it || self.dice.roll(2) == 0;
        RouterStatement {
            name: Name::from("VI_1"),
            stance: stances[self.dice.roll(known) as usize],
            priority: Priority::new([0, 1, 99, 100, 150, 255][self.dice.roll(6) as usize]),
            address: (self.dice.roll(4) > 0).then(|| "192.0.2.1".parse().expect("an address")),
            epoch: self.number(),
            held: !able && self.dice.roll(2) == 0,
            released: !hands_nothing_over && self.dice.roll(3) == 0,
            wants: (self.dice.roll(3) == 0).then_some(reason),
            sending: None,
            hears: [Hears::Enough, Hears::Nothing][self.dice.roll(2) as usize],
            terms: vec![1; self.dice.roll(3) as usize],
            services: vec![self.service(able)],
        }
    }

    fn service(&mut self, able: bool) -> ServiceStatement {
        let state = [
            ServiceStateName::Unknown,
            ServiceStateName::Stopped,
            ServiceStateName::Starting,
            ServiceStateName::Running,
            ServiceStateName::Stopping,
        ][self.dice.roll(5) as usize];
        ServiceStatement {
            name: Name::from(["job", "job", "rm -rf"][self.dice.roll(3) as usize]),
            state,
            healthy: [None, Some(false), Some(true)][self.dice.roll(3) as usize],
            readiness: [None, Some(Ok(())), Some(Err("no licence".into()))]
                [self.dice.roll(if able { 2 } else { 3 }) as usize]
                .clone(),
            failed: !able && self.dice.roll(3) == 0,
            moves: vec![self.span(); self.dice.roll(3) as usize],
            gone_for: (self.dice.roll(2) == 0).then(|| self.span()),
            running_for: (self.dice.roll(2) == 0).then(|| self.span()),
            terms: Vec::new(),
        }
    }

    /// An advertisement of the other node, with any priority; nothing is signed.
    fn advertise(&mut self) {
        let priority = [0, 1, 99, 150, 255][self.dice.roll(5) as usize];
        let octets = Packet::of(&self.engine.config().routers[0], [192, 0, 2, 1], [224, 0, 0, 18], priority).octets();
        self.handle(Input::Received(Received { link: LinkId(0), family: Family::Ipv4, octets: &octets }));
    }

    fn go_on(&mut self) {
        let longest = if self.restraint.could_have_it { 5 } else { 7 };
        for _ in 0..150 {
            match self.dice.roll(8) {
                0 => self.advertise(),
                _ => self.say(),
            }
            let span = [0, 1, 20, 100, 300, 900, 6_000][self.dice.roll(longest) as usize];
            self.pass(ms(span));
        }
        if self.stopping {
            assert!(!self.stopped, "{}", self.story());
            self.runs = false;
            self.handle(Input::Service { service: "job", report: ServiceReport::Gone(Ending::Exited(0)) });
            assert!(self.stopped, "{}", self.story());
        }
        assert!(self.believed > 75, "the other one is not even heard: {}\n{}", self.believed, self.story());
    }
}

/// How often the service was started in all.
fn starts(plight: Plight, restraint: Restraint) -> u32 {
    let duels = seeds(8).map(|seed| {
        let mut duel = Duel::new(seed, plight, restraint);
        duel.go_on();
        duel.starts
    });
    duels.sum()
}

/// The measure for all below: who can have the role and is well gets it from such a peer again and again.
#[test]
fn who_is_well_takes_what_the_other_node_leaves() {
    let claims_only = Restraint { hands_nothing_over: true, lifts_nothing: true, could_have_it: false };
    for restraint in [Restraint::default(), claims_only] {
        let count = starts(Plight::Nothing, restraint);
        assert!(count > 8, "{count} with {restraint:?}");
    }
}

/// Its words alone bring nothing about where this node itself cannot or may not have the role.
#[test]
fn nothing_starts_where_this_node_does_not_let_it() {
    for plight in [Plight::LinkDown, Plight::NobodyKnowsWhetherItRuns, Plight::Stopping] {
        assert_eq!(starts(plight, Restraint::default()), 0, "{plight:?}");
    }
    // What runs here already, rightly or not, is never started beside itself: `judge` looks at each start.
    starts(Plight::ItRunsAlready, Restraint::default());
}

/// It can end them, as its operator can, and in maintenance it can hand the role over; its claims alone end neither.
#[test]
fn a_latch_and_maintenance_hold_until_it_ends_them() {
    let claims_only = Restraint { hands_nothing_over: true, lifts_nothing: true, could_have_it: false };
    let hands_over = Restraint { hands_nothing_over: false, ..claims_only };
    let lifts = Restraint { lifts_nothing: false, ..claims_only };
    for (plight, restraint) in
        [(Plight::Latched, claims_only), (Plight::Latched, hands_over), (Plight::Maintained, claims_only)]
    {
        assert_eq!(starts(plight, restraint), 0, "{plight:?}");
    }
    for (plight, restraint) in [(Plight::Latched, lifts), (Plight::Maintained, lifts), (Plight::Maintained, hands_over)]
    {
        assert!(starts(plight, restraint) > 0, "{plight:?}, {restraint:?}: that is what the page says");
    }
}

/// Who stands back leaves it to the other one as long as that could have it, and no longer.
#[test]
fn who_stands_back_begins_only_where_the_other_one_could_not() {
    let restrained = Restraint { hands_nothing_over: true, lifts_nothing: true, could_have_it: true };
    for by in [HeldBy::Operator, HeldBy::DownFile] {
        assert_eq!(starts(Plight::Held(by), restrained), 0, "{by:?}");
        assert!(starts(Plight::Held(by), Restraint { could_have_it: false, ..restrained }) > 0, "{by:?}");
    }
}
