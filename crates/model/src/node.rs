//! One node: a real engine, and the process of its service. Nothing here decides anything; what the engine asks for is
//! carried out, or begun and left to come to its end whenever it likes.

use std::collections::VecDeque;
use std::fmt::Write as _;

use engine::{
    Config, Ending, Engine, Event, Family, Input, Instant, LinkId, LinkState, Name, Output, Received, Record, Restored,
    RoleStep, ServiceOrder, ServiceReport, StateName,
};

use crate::canonical::{self, Written};
use crate::setup::{self, SERVICE};

/// What there is of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Nothing.
    Gone,
    /// It has been started and has not come up.
    Coming,
    /// It serves.
    Runs,
    /// It was told to end.
    Going,
    /// It was told to end and does not care.
    Deaf,
    /// It was killed and will be gone.
    Killed,
}

/// What goes from one node to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the two say to each other beside VRRP.
    Statement,
    /// An advertisement.
    Advertisement,
}

/// One machine.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    /// The daemon runs.
    pub(crate) alive: bool,
    /// How many lives the daemon has had.
    pub(crate) lives: u64,
    pub(crate) process: Process,
    /// What is on its disk.
    pub(crate) record: Option<Record>,
    /// The machine has been booted since its daemon ran last.
    pub(crate) rebooted: bool,
    /// What all that says of itself, and the little of it that is asked for again and again.
    pub(crate) written: Written,
    pub(crate) active: bool,
    pub(crate) latched: bool,
    /// The other node is there for it.
    pub(crate) hears: bool,
}

/// What came of one step of a node beyond itself.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) sent: Vec<(Kind, Vec<u8>)>,
    pub(crate) told: Vec<Event>,
    pub(crate) steps: Vec<RoleStep>,
    /// It was started while something of it was left.
    pub(crate) started_twice: bool,
}

const CALENDAR: u64 = 1_700_000_000;

impl Node {
    pub(crate) fn new(index: usize, comes_back: bool) -> Self {
        let config = setup::config(index, comes_back);
        Self {
            engine: Engine::new(config.clone(), index as u64),
            config,
            alive: false,
            lives: 0,
            process: Process::Gone,
            record: None,
            rebooted: true,
            written: Written::default(),
            active: false,
            latched: false,
            hears: false,
        }
    }

    /// Something has changed.
    pub(crate) fn look_again(&mut self, index: usize) {
        let Self { engine, alive, process, record, rebooted, lives: _, config: _, written, active, latched, hears } =
            self;
        let mut text = String::with_capacity(1 << 16);
        // Writing into memory cannot fail.
        let _ = write!(text, "{alive} {process:?} {record:?} {rebooted} ");
        if *alive {
            let _ = write!(text, "{engine:?}");
        }
        *written = canonical::read(index, &text);
        let view = engine.view();
        *active = *alive && view.routers[0].state == StateName::Active;
        *latched = *alive && view.latch.is_some();
        *hears = *alive && view.peer.is_some_and(|peer| peer.alive);
    }

    /// The daemon starts.
    pub(crate) fn start(&mut self, index: usize, now: Instant) -> Effects {
        self.alive = true;
        self.lives += 1;
        self.engine = Engine::new(self.config.clone(), 2 * self.lives + index as u64);
        let restored = match self.record.clone() {
            Some(record) => Restored::Record { record, same_boot: !self.rebooted, calendar: CALENDAR },
            None => Restored::Nothing { calendar: CALENDAR },
        };
        self.rebooted = false;
        let address = [192, 0, 2, 1 + u8::try_from(index).unwrap_or(0)].into();
        let state = Some(LinkState { up: true, addresses: vec![address], tentative: Vec::new(), deaf: false });
        let mut effects = self.handle(now, Input::Restored(restored));
        effects.add(self.handle(now, Input::Link { link: LinkId(0), state }));
        effects.add(self.handle(now, Input::Start));
        effects
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input<'_>) -> Effects {
        let mut effects = Effects::default();
        let mut reports = VecDeque::new();
        let mut out = Vec::new();
        self.engine.handle(now, input, &mut out);
        loop {
            effects.steps.extend_from_slice(self.engine.role_steps());
            for output in out.drain(..) {
                self.carry_out(output, &mut reports, &mut effects);
            }
            let Some(report) = reports.pop_front().filter(|_| self.alive) else { return effects };
            self.engine.handle(now, Input::Service { service: SERVICE, report }, &mut out);
        }
    }

    pub(crate) fn hear(&mut self, now: Instant, kind: Kind, octets: &[u8]) -> Effects {
        match kind {
            Kind::Statement => self.handle(now, Input::Baton { path: 0, octets }),
            Kind::Advertisement => {
                let received = Received { link: LinkId(0), family: Family::Ipv4, octets };
                self.handle(now, Input::Received(received))
            }
        }
    }

    /// The process has become something by itself, which the daemon hears of at once if it runs.
    pub(crate) fn process_is(&mut self, now: Instant, process: Process, report: ServiceReport) -> Effects {
        self.process = process;
        if !self.alive {
            return Effects::default();
        }
        self.handle(now, Input::Service { service: SERVICE, report })
    }

    fn carry_out(&mut self, output: Output, reports: &mut VecDeque<ServiceReport>, effects: &mut Effects) {
        match output {
            Output::Advertise { router, priority, sequence } => {
                let mut buffer = [0; 1500];
                let destination = engine::wire::GROUP.into();
                let written = self.engine.write_advertisement(router, priority, sequence, destination, &mut buffer);
                effects.sent.extend(written.map(|octets| (Kind::Advertisement, octets.to_vec())));
            }
            Output::SendBaton { octets, .. } => effects.sent.push((Kind::Statement, octets)),
            Output::Service { order, .. } => match order {
                ServiceOrder::Watch => reports.push_back(self.look()),
                ServiceOrder::Start => {
                    effects.started_twice |= self.process != Process::Gone;
                    self.process = Process::Coming;
                }
                ServiceOrder::Stop | ServiceOrder::Kill if self.process == Process::Gone => {
                    reports.push_back(self.look());
                }
                ServiceOrder::Stop => self.process = Process::Going,
                ServiceOrder::Kill => self.process = Process::Killed,
                ServiceOrder::AssessReadiness => reports.push_back(ServiceReport::Readiness(Ok(()))),
                ServiceOrder::Forget => {}
            },
            Output::Save(record) => self.record = Some(record),
            Output::Tell(event) => effects.told.push(event),
            Output::Stopped => self.alive = false,
            _ => {}
        }
    }

    fn look(&self) -> ServiceReport {
        match self.process {
            Process::Gone => ServiceReport::Gone(Ending::NotRunning),
            _ => ServiceReport::Running,
        }
    }

    /// When the engine wants to be asked.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.engine.deadline().filter(|_| self.alive)
    }
}

impl Effects {
    fn add(&mut self, more: Self) {
        self.sent.extend(more.sent);
        self.told.extend(more.told);
        self.steps.extend(more.steps);
        self.started_twice |= more.started_twice;
    }
}

/// How a process that was told to end does so.
pub(crate) fn ending(process: Process) -> Ending {
    match process {
        Process::Killed => Ending::Signalled(9),
        _ => Ending::Exited(0),
    }
}

/// Why a start is refused in the model.
pub(crate) fn refusal() -> Name {
    Name::from("no such file")
}
