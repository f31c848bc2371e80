//! One engine, one input: what it does must fit what it was, what it says and what it wants.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::{
    Cause, DesiredAddress, Engine, Event, Instant, Name, Output, Owner, Priority, RouterConfig, RouterId, RouterView,
    ServiceOrder, StateName, Version, View,
};

use super::Rule;
use crate::coverage::{Coverage, Kind, Situation};
use crate::frame::Head;
use crate::rules;

/// A broken rule before it has a moment.
pub(super) type Broken = (Rule, String);

/// What is remembered of a daemon's engine.
#[derive(Debug, Default)]
pub(crate) struct NodeWatch {
    routers: Vec<Seen>,
    desired: BTreeSet<DesiredAddress>,
    started: bool,
    /// A reload has mentioned interfaces that are being told just now; their routers wait in silence.
    pub(crate) introducing: bool,
    window: (Instant, usize),
}

/// What is remembered of a virtual router.
#[derive(Debug)]
struct Seen {
    vrid: u8,
    state: StateName,
    /// Before the present input.
    before: StateName,
    /// With the present input the role was let go.
    has_left: bool,
    advertised_at: Option<Instant>,
    /// Advertisements accepted before the present input.
    accepted: u64,
    /// Effective priority before the present input.
    priority: u8,
    /// A Backup that takes over sooner is impatient.
    patient_until: Instant,
    resigned: bool,
    stopped_at: Option<Instant>,
    successor_heard: bool,
}

/// One input and what came of it.
pub(crate) struct Step<'a> {
    pub(crate) now: Instant,
    pub(crate) kind: Kind,
    pub(crate) head: Option<Head>,
    pub(crate) stopping: bool,
    /// Another Tanist is configured.
    pub(crate) paired: bool,
    /// Some of its routers wait for others before they take over.
    pub(crate) grouped: bool,
    /// So long daemons listen before they take part.
    pub(crate) startup_delay: Duration,
    pub(crate) outputs: &'a [Output],
}

impl Step<'_> {
    pub(crate) fn changed_state(&self) -> bool {
        let changes = |output: &Output| match output {
            Output::Tell(Event::StateChanged { from, to, .. }) => from != to,
            Output::Service { order, .. } => {
                matches!(order, ServiceOrder::Start | ServiceOrder::Stop | ServiceOrder::Kill)
            }
            _ => false,
        };
        self.outputs.iter().any(changes)
    }

    fn yields_to_peer(&self) -> bool {
        let yields =
            |output: &Output| matches!(output, Output::Tell(Event::StateChanged { cause: Cause::PeerStays, .. }));
        self.outputs.iter().any(yields)
    }
}

/// Far more than any sensible engine says in a second.
const MOST_OUTPUTS_A_SECOND: usize = 3000;

impl NodeWatch {
    /// The state that a router told last.
    pub(crate) fn state(&self, vrid: u8) -> StateName {
        self.routers.iter().find(|seen| seen.vrid == vrid).map_or(StateName::Initialize, |seen| seen.state)
    }

    /// Whether the engine has been started.
    pub(crate) fn has_started(&self) -> bool {
        self.started
    }

    fn seen(&mut self, vrid: u8) -> &mut Seen {
        let place = self.routers.iter().position(|seen| seen.vrid == vrid).unwrap_or_else(|| {
            self.routers.push(Seen {
                vrid,
                state: StateName::Initialize,
                before: StateName::Initialize,
                has_left: false,
                advertised_at: None,
                accepted: 0,
                priority: 0,
                patient_until: Instant::START,
                resigned: false,
                stopped_at: None,
                successor_heard: false,
            });
            self.routers.len() - 1
        });
        &mut self.routers[place]
    }

    /// Remembers how things are, and counts which situation meets which input.
    pub(crate) fn before(
        &mut self,
        (engine, view): (&Engine, &View),
        kind: Kind,
        head: Option<Head>,
        coverage: &mut Coverage,
    ) {
        for seen in &mut self.routers {
            (seen.before, seen.has_left) = (seen.state, false);
            seen.resigned = false;
            if kind == Kind::Reload {
                // The next one is due at another interval than the last, and so may a Backup's patience end.
                seen.advertised_at = None;
                seen.patient_until = Instant::START;
            }
        }
        for router in &view.routers {
            let Some(config) = engine.router(router.router) else { continue };
            let seen = self.seen(config.vrid.get());
            seen.accepted = router.statistics.advertisements_received;
            seen.priority = router.effective_priority.get();
        }
        self.note((engine, view), kind, head, coverage);
        self.started |= kind == Kind::Start;
    }

    /// Counts which situation meets which input.
    pub(crate) fn note(
        &self,
        (engine, view): (&Engine, &View),
        kind: Kind,
        head: Option<Head>,
        coverage: &mut Coverage,
    ) {
        for router in &view.routers {
            let Some(config) = engine.router(router.router) else { continue };
            let situation = match (router.state, router.holds_addresses) {
                (StateName::Initialize, true) => Situation::Leaving,
                (StateName::Initialize, false) => Situation::Initialize,
                (StateName::Backup, _) => Situation::Backup,
                (StateName::Active, _) if router.letting_go => Situation::LettingGo,
                (StateName::Active, _) => Situation::Active,
            };
            match head {
                Some(head) if head.vrid == config.vrid.get() => coverage.count(situation, compare(router, head)),
                Some(_) => {}
                None => coverage.count(situation, kind),
            }
        }
    }

    /// Examines what came of it.
    pub(crate) fn after(&mut self, engine: &Engine, view: &View, step: &Step<'_>) -> Result<(), Broken> {
        let desired = engine.desired().addresses;
        for output in step.outputs {
            self.examine_output(engine, step, output, &desired)?;
        }
        let changed = step.outputs.contains(&Output::DesiredChanged);
        if !changed && !same_addresses(&desired, &self.desired) {
            return Err((Rule::Agreement, "desired addresses changed and nobody was told".to_owned()));
        }
        self.desired = desired;
        for router in &view.routers {
            let Some(config) = engine.router(router.router) else {
                return Err((Rule::Agreement, "a router in the view is unknown".to_owned()));
            };
            self.examine_router((engine, view), step, config, router)
                .map_err(|(rule, what)| (rule, format!("{what} (router {}, {:?})", config.vrid, router.state)))?;
        }
        if step.kind == Kind::Timer && engine.deadline().is_some_and(|deadline| deadline <= step.now) {
            return Err((Rule::NoBusyLoop, "the deadline has come and is still there after the timer".to_owned()));
        }
        if step.now.since(self.window.0).as_secs() > 0 {
            self.window = (step.now, 0);
        }
        self.window.1 += step.outputs.len();
        if self.window.1 > MOST_OUTPUTS_A_SECOND {
            return Err((Rule::NoBusyLoop, format!("{} outputs in a second", self.window.1)));
        }
        Ok(())
    }

    fn examine_output(
        &mut self,
        engine: &Engine,
        step: &Step<'_>,
        output: &Output,
        desired: &BTreeSet<DesiredAddress>,
    ) -> Result<(), Broken> {
        match output {
            Output::Tell(Event::StateChanged { router, from, to, cause }) => {
                let config = configuration(engine, *router)?;
                let priority = engine.effective_priority(*router).unwrap_or(config.priority).get();
                self.examine_change(config, step, (*from, *to), *cause, priority)
            }
            Output::Advertise { router, priority, .. } => {
                let config = configuration(engine, *router)?;
                self.examine_advertisement(config, step, *priority)
            }
            Output::Announce { link, address } => {
                if !desired.iter().any(|entry| entry.link == *link && entry.address == *address) {
                    return Err((Rule::CausedAnnouncement, format!("{address} is announced and not desired")));
                }
                let has_it = |config: &&RouterConfig| {
                    let mut addresses = config.addresses.iter().chain(&config.excluded_addresses);
                    addresses.any(|entry| entry.address == *address)
                };
                let mut holders = engine.config().routers.iter().filter(has_it);
                if !holders.any(|config| self.state(config.vrid.get()) == StateName::Active) {
                    return Err((Rule::CausedAnnouncement, format!("{address} is announced by no Active router")));
                }
                Ok(())
            }
            Output::Stopped if !desired.is_empty() => {
                Err((Rule::AddressNeedsRole, "stopped, and addresses are still desired".to_owned()))
            }
            Output::Stopped
            | Output::DesiredChanged
            | Output::RunScript { .. }
            | Output::EndScript { .. }
            | Output::Service { .. }
            | Output::RunHook(_)
            | Output::SendBaton { .. }
            | Output::Save(_)
            | Output::Answer { .. }
            | Output::Notify(_)
            | Output::NotifyGroup { .. }
            | Output::Tell(_) => Ok(()),
        }
    }

    fn examine_change(
        &mut self,
        config: &RouterConfig,
        step: &Step<'_>,
        (from, to): (StateName, StateName),
        cause: Cause,
        priority: u8,
    ) -> Result<(), Broken> {
        let vrid = config.vrid.get();
        let seen = self.seen(vrid);
        if seen.state != from {
            let what = format!("router {vrid} tells of a change from {from:?}, but it was {:?}", seen.state);
            return Err((Rule::Agreement, what));
        }
        let legal = match (from, to) {
            (StateName::Initialize, StateName::Active) => config.priority.is_address_owner(),
            (StateName::Initialize, StateName::Initialize) => matches!(cause, Cause::Fault | Cause::Stopped),
            (StateName::Backup, StateName::Backup) | (StateName::Active, StateName::Active) => false,
            (StateName::Initialize, StateName::Backup)
            | (StateName::Backup, StateName::Active | StateName::Initialize)
            | (StateName::Active, StateName::Backup | StateName::Initialize) => true,
        };
        if !legal {
            return Err((Rule::Agreement, format!("router {vrid} goes from {from:?} to {to:?} because of {cause:?}")));
        }
        seen.state = to;
        seen.has_left |= from == StateName::Active;
        if (from, to) == (StateName::Active, StateName::Initialize) && !seen.resigned {
            return Err((Rule::CausedAdvertisement, format!("router {vrid} leaves without resigning")));
        }
        // Between two nodes of a pair, a word or its absence is enough.
        let told = matches!(cause, Cause::HandedOver | Cause::Resumed | Cause::PeerSilent);
        if (from, to) == (StateName::Backup, StateName::Active) && !told && step.now < seen.patient_until {
            let early = seen.patient_until.since(step.now).as_micros();
            return Err((Rule::Patience, format!("router {vrid} takes over {early} µs too soon because of {cause:?}")));
        }
        if to == StateName::Backup {
            let interval = match (cause, step.head) {
                (Cause::HigherPriority { .. } | Cause::HigherAddress { .. }, Some(head)) => head.interval,
                _ => config.advertisement_interval.as_duration(),
            };
            // In the same step the priority may have changed, and the higher one is the shorter wait.
            let priority = priority.max(seen.priority);
            seen.patient_until = step.now + rules::down_interval(config.version, priority, interval);
        }
        if cause == Cause::Stopped {
            seen.stopped_at = Some(step.now);
            seen.successor_heard = false;
        }
        Ok(())
    }

    fn examine_advertisement(
        &mut self,
        config: &RouterConfig,
        step: &Step<'_>,
        priority: Priority,
    ) -> Result<(), Broken> {
        let vrid = config.vrid.get();
        let interval = config.advertisement_interval.as_duration();
        let seen = self.seen(vrid);
        let (was, is) = (seen.before == StateName::Active, seen.state == StateName::Active);
        let last = seen.advertised_at.replace(step.now);
        if priority == Priority::RESIGN {
            // It is told before the change of state, so only what was counts here.
            seen.resigned = true;
            return if was { Ok(()) } else { Err(without_cause(vrid, "resigns without being Active")) };
        }
        if !was && !is {
            return Err(without_cause(vrid, "advertises without being Active"));
        }
        if !was || (seen.has_left && is) {
            // It has just taken it, or taken it back.
            return Ok(());
        }
        if step.yields_to_peer() {
            // It lets the winner know that there were two.
            return Ok(());
        }
        let overslept = interval + rules::longest_down_interval(config.version, interval);
        if last.is_some_and(|last| step.now.since(last) > overslept) {
            return Err(without_cause(vrid, "advertises after others must have taken over"));
        }
        match step.kind {
            // A wake-up may serve what is due a little later.
            Kind::Timer if last.is_none_or(|last| step.now.since(last) >= interval * 30 / 32) => Ok(()),
            // When the side channel is in doubt, it says by VRRP that it is there.
            Kind::Timer if step.paired => Ok(()),
            Kind::Timer => Err(without_cause(vrid, "advertises before it is due")),
            Kind::Resignation
            | Kind::LowerPriority
            | Kind::LowerAddress
            | Kind::HigherAddress
            | Kind::HigherPriority
            | Kind::NotForUs => match step.head {
                Some(head) if head.vrid == vrid => Ok(()),
                _ => Err(without_cause(vrid, "answers a packet that was not for it")),
            },
            Kind::Start
            | Kind::LinkUp
            | Kind::LinkDown
            | Kind::LinkAbsent
            | Kind::CheckGood
            | Kind::CheckBad
            | Kind::SendFailed
            | Kind::Figure
            | Kind::Statics
            | Kind::Statistics
            | Kind::Calendar
            | Kind::Hesitate
            | Kind::Reload
            | Kind::Service
            | Kind::Baton
            | Kind::Command
            | Kind::Restored
            | Kind::Stop => Err(without_cause(vrid, &format!("advertises because of {:?}", step.kind))),
        }
    }

    fn examine_router(
        &mut self,
        (engine, whole): (&Engine, &View),
        step: &Step<'_>,
        config: &RouterConfig,
        view: &RouterView,
    ) -> Result<(), Broken> {
        let disagree = |what: &str| Err((Rule::Agreement, what.to_owned()));
        let addresses = || config.addresses.iter().chain(&config.excluded_addresses);
        let desires = |id: RouterId| {
            addresses().all(|entry| {
                self.desired
                    .iter()
                    .any(|desired| desired.address == entry.address && desired.owner <= Owner::Router(id))
            })
        };
        let holds = view.holds_addresses;
        if holds && !desires(view.router) {
            return disagree("holds addresses that are not desired");
        }
        if !holds && self.desired.iter().any(|desired| desired.owner == Owner::Router(view.router)) {
            return disagree("desires addresses and does not hold them");
        }
        let priority = view.effective_priority.get();
        if priority == 0 || (priority == 255) != config.priority.is_address_owner() {
            return disagree(&format!("effective priority {priority}"));
        }
        let told_all = self.started && !step.stopping && !self.introducing;
        let seen = self.seen(config.vrid.get());
        if seen.state != view.state {
            let told = seen.state;
            return disagree(&format!("{told:?} was told last"));
        }
        // In maintenance, or while its services end, an Active router stays in spite of a fault.
        let stays = view.state == StateName::Active && (view.letting_go || whole.maintenance.is_some());
        if told_all && !stays && view.faults.is_empty() == (view.state == StateName::Initialize) {
            return disagree(&format!("faults are {:?}", view.faults));
        }
        if let Some(at) = view.active_down_at {
            let longest = rules::longest_down_interval(config.version, view.active_adver_interval.as_duration());
            if at.since(step.now) > longest + step.startup_delay {
                return disagree("will listen for longer than the longest Active_Down_Interval");
            }
            if engine.deadline().is_none_or(|deadline| deadline > at) {
                return disagree("nobody wakes up for its timer");
            }
        }
        let accepted = view.statistics.advertisements_received > seen.accepted;
        if accepted && step.head.is_some_and(|head| head.vrid == config.vrid.get() && head.priority > 0) {
            seen.successor_heard |= seen.stopped_at.is_some();
        }
        if let Some(head) = step.head.filter(|_| accepted && view.state == StateName::Backup) {
            let group = engine.config().groups.iter().find(|group| group.members.contains(&view.name));
            let shares = |name: &Name| *name == view.name || group.is_some_and(|group| group.members.contains(name));
            let stands_back = |one: &RouterView| shares(&one.name) && !one.held_by.is_empty();
            let held = whole.maintenance.is_some() || whole.routers.iter().any(stands_back);
            seen.hear(config, head, step, held);
        }
        let resignation =
            step.head.is_some_and(|head| accepted && head.vrid == config.vrid.get() && head.priority == 0);
        if resignation && view.state == StateName::Active && seen.before == StateName::Active {
            let answers =
                |output: &Output| matches!(output, Output::Advertise { router, .. } if *router == view.router);
            if !step.outputs.iter().any(answers) {
                return disagree("does not advertise although somebody resigned");
            }
        }
        match view.state {
            StateName::Active if !holds => disagree("Active without addresses"),
            StateName::Backup if holds => Err((Rule::AddressNeedsRole, "a Backup wants addresses".to_owned())),
            StateName::Initialize if holds => farewell(seen, config, step),
            StateName::Active | StateName::Backup | StateName::Initialize => Ok(()),
        }
    }
}

/// A reload may give routers other indices; the addresses stay the same.
fn same_addresses(left: &BTreeSet<DesiredAddress>, right: &BTreeSet<DesiredAddress>) -> bool {
    let plain = |entry: &DesiredAddress| DesiredAddress { owner: Owner::Static, place: 0, ..entry.clone() };
    left == right || left.iter().map(plain).collect::<BTreeSet<_>>() == right.iter().map(plain).collect()
}

impl Seen {
    /// A Backup has accepted a packet.
    fn hear(&mut self, config: &RouterConfig, head: Head, step: &Step<'_>, held: bool) {
        let now = step.now;
        let owner = self.priority == 255;
        let (version, ours) = (config.version, self.priority);
        let known = config.advertisement_interval.as_duration();
        if head.priority == 0 {
            // By the interval that it knows at present, which can be as short as anybody's. What waited for nothing but
            // the word of the other node of the pair, or for the others of its group, waits for nothing else now.
            let shortest = if version == Version::V2 { known } else { Duration::ZERO };
            if self.patient_until > now || !(step.paired || step.grouped) {
                self.patient_until = now + rules::skew_time(version, ours, shortest);
            }
            return;
        }
        let until = now + rules::down_interval(version, ours, head.interval);
        if head.priority >= ours || (!config.preempt_mode && !owner) {
            self.patient_until = until;
        } else if !config.preempt_delay.is_zero() || step.paired || held {
            // It is listened to as long as the delay has not ended, or if it is the other node of the pair, or by whoever
            // stands back; nothing of that is reckoned here.
            self.patient_until = self.patient_until.min(until);
        }
    }
}

/// A router that was stopped may answer until its successor speaks, and not for long.
fn farewell(seen: &Seen, config: &RouterConfig, step: &Step<'_>) -> Result<(), Broken> {
    let broken = |what: &str| Err((Rule::AddressNeedsRole, what.to_owned()));
    match seen.stopped_at {
        None => broken("wants addresses without a role"),
        Some(_) if seen.successor_heard => broken("still wants addresses after its successor spoke"),
        Some(at) => {
            let longest = rules::longest_farewell(config.version, config.advertisement_interval.as_duration());
            // Whoever slept catches up with its timer.
            let too_long = step.now.since(at) > longest && step.kind == Kind::Timer;
            if too_long { broken("still wants addresses long after it stopped") } else { Ok(()) }
        }
    }
}

fn configuration(engine: &Engine, router: RouterId) -> Result<&RouterConfig, Broken> {
    engine.router(router).ok_or_else(|| (Rule::Agreement, format!("an output names the unknown router {}", router.0)))
}

fn without_cause(vrid: u8, what: &str) -> Broken {
    (Rule::CausedAdvertisement, format!("router {vrid} {what}"))
}

/// How a packet compares with the router that hears it.
fn compare(router: &RouterView, head: Head) -> Kind {
    let ours = (router.effective_priority.get(), router.primary_address);
    let theirs = (head.priority, Some(head.source));
    match (head.priority, theirs.0.cmp(&ours.0)) {
        (0, _) => Kind::Resignation,
        (_, std::cmp::Ordering::Less) => Kind::LowerPriority,
        (_, std::cmp::Ordering::Greater) => Kind::HigherPriority,
        (_, std::cmp::Ordering::Equal) if theirs.1 > ours.1 => Kind::HigherAddress,
        (_, std::cmp::Ordering::Equal) => Kind::LowerAddress,
    }
}
