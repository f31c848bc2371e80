//! The one way in: [`Engine::handle`].

mod reconfiguring;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::addressees::{Addressees, message};
use crate::coordinate::Departing;
use crate::deadlines::Deadlines;
use crate::links::Links;
use crate::pair::Pair;
use crate::role::Role;
use crate::service::Service;
use crate::standing::Standing;
use crate::steps::Steps;
use crate::time::Calendar;
use crate::track::Tracking;
use crate::units::Units;
use crate::vrrp::announcer::Announcer;
use crate::vrrp::statistics::Statistics;
use crate::vrrp::timers;
use crate::vrrp::virtual_router::{Brief, Surroundings, VirtualRouter};
use crate::wire::{advertisement, packet};
use crate::{
    Config, Desired, Event, FaultReason, Input, Instant, LinkCondition, LinkId, Name, Output, Priority, Received,
    Record, RoleStep, RouterConfig, RouterId, StateName, Statics, View, Vrid,
};

/// All virtual routers, checks and services of one node. A clone goes on from here by itself, for who wants to see what
/// could come of it.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    links: Links,
    tracking: Tracking,
    pub(crate) services: Vec<Service>,
    pub(crate) routers: Vec<VirtualRouter>,
    /// What takes its role together.
    pub(crate) units: Units,
    /// One for each router.
    pub(crate) roles: Vec<Role>,
    /// What was done about them last.
    pub(crate) steps: Steps,
    /// What each router was told last about its services and the other node.
    pub(crate) briefs: Vec<Brief>,
    pub(crate) pair: Option<Pair>,
    /// What keeps each router of a sync group out by itself.
    pub(crate) own_faults: Vec<BTreeSet<FaultReason>>,
    /// Services that their routers have lost, until nothing of them is left.
    pub(crate) departing: Vec<Departing>,
    pub(crate) standing: Standing,
    /// What the next life would remember.
    pub(crate) saved: Record,
    pub(crate) hook_number: u64,
    /// Removed by the last reconfiguration; their indices follow those of `routers`, so that what was still
    /// to be done for them can be done.
    retired: Vec<VirtualRouter>,
    announcer: Announcer,
    virtual_addresses: BTreeSet<Reachable>,
    addressees: Addressees,
    kept: Kept,
    phase: Phase,
    /// When something was last taken in.
    pub(crate) last_at: Instant,
    calendar: Calendar,
    /// A stop was asked for twice: nobody waits for anything.
    impatient: bool,
    random: Random,
}

/// What follows from the state of everything, kept because it is asked for again and again.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// When each router is due.
    deadlines: Deadlines,
    /// When something is due that is not a router's, a check's or the announcer's.
    own_deadline: Option<Instant>,
    /// Whether there may be news of any router.
    news: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Created,
    Running,
    Stopping,
    Stopped,
}

impl Engine {
    /// An engine that has not been started. `seed` spreads the first runs of its checks.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        let mut links = Links::default();
        links.include(&config);
        let numbered = config.routers.iter().cloned().zip(0..);
        let routers =
            numbered.map(|(router, id)| VirtualRouter::new(RouterId(id), router, Instant::START, &links)).collect();
        let virtual_addresses = virtual_addresses(&config, &links);
        let mut announcer = Announcer::default();
        announcer.follow(&config, &links);
        Self {
            units: Units::new(&config),
            roles: config.routers.iter().map(|_| Role::new()).collect(),
            steps: Steps::default(),
            tracking: Tracking::new(&config),
            config,
            links,
            services: Vec::new(),
            routers,
            briefs: Vec::new(),
            pair: None,
            own_faults: Vec::new(),
            departing: Vec::new(),
            standing: Standing::default(),
            saved: Record::default(),
            hook_number: 0,
            retired: Vec::new(),
            announcer,
            virtual_addresses,
            addressees: Addressees::default(),
            kept: Kept::default(),
            phase: Phase::Created,
            last_at: Instant::START,
            calendar: Calendar::default(),
            impatient: false,
            random: Random(seed),
        }
        .with_services()
    }

    /// Services and the pair exist from the beginning, so that what a former life remembered finds them.
    fn with_services(mut self) -> Self {
        let services = core::mem::take(&mut self.config.services);
        for service in &services {
            let random = self.random.next();
            self.services.push(Service::new(service.clone(), Instant::START, random));
        }
        self.config.services = services;
        if let Some(pair) = self.config.pair.clone() {
            self.pair = Some(Pair::new(pair, self.random.next()));
        }
        self.addressees.follow(&self.routers);
        self.look_again();
        self
    }

    /// Takes in one thing that happened at `now` and appends what is to be done about it to `out`.
    ///
    /// `now` never goes back from call to call.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Vec<Output>) {
        self.last_at = now;
        self.steps.begin();
        // Who was asleep learns it before it says or does anything on what it was before.
        let has_overslept = self.notice_oversleeping(now, out);
        // Most packets and timers change nothing that services or the other node could care about, and keep what they change up to
        // date themselves.
        let mut concerns_others = true;
        match input {
            Input::Start => self.start(now, out),
            Input::Timer => concerns_others = self.handle_timer(now, out),
            Input::Received(received) => concerns_others = self.receive(now, received, out),
            Input::Link { link, state } => {
                let before = self.links.condition(link);
                if self.links.set(now, link, state) {
                    let condition = self.links.condition(link);
                    if condition != before {
                        out.push(Output::Tell(Event::LinkChanged { link, condition }));
                    }
                    self.assess_all(now, out);
                }
            }
            Input::OtherAddresses(addresses) => {
                self.links.set_elsewhere(addresses);
                self.assess_all(now, out);
            }
            Input::StaticsMissing(groups) => {
                if self.links.set_incomplete(groups) {
                    self.assess_all(now, out);
                }
            }
            Input::ScriptFinished { script, outcome } => match self.tracking.take_outcome(script, outcome, out) {
                Some(true) => self.assess_all(now, out),
                Some(false) => {}
                None => {
                    self.take_check(now, script, outcome, out);
                }
            },
            Input::Figure { tracker, figure, cause } => {
                if self.tracking.take_figure(now, tracker, figure, cause, out) {
                    self.assess_all(now, out);
                }
            }
            Input::Calendar(said) => {
                concerns_others = false;
                self.calendar = Calendar::told(now, said);
                for router in self.routers.iter_mut().chain(&mut self.retired) {
                    router.set_calendar(self.calendar);
                }
            }
            Input::SendFailed { router, error } => {
                if let Some(router) = self.routers.get_mut(router.0 as usize) {
                    router.handle_send_failed(error, out);
                }
            }
            Input::Service { service, report } => self.take_report(now, service, report, out),
            Input::Baton { path, octets } => self.take_baton(now, path, octets, out),
            Input::Hesitate { until } => self.routers.iter_mut().for_each(|router| router.hesitate(until)),
            Input::ClearStatistics => {
                concerns_others = false;
                self.routers.iter_mut().for_each(VirtualRouter::clear_statistics);
            }
            Input::Restored(restored) => self.restore(now, restored, out),
            Input::Command { number, command } => self.command(now, number, command, out),
            Input::Reconfigure(config) => self.reconfigure(now, *config, out),
            Input::Stop => self.stop(now, out),
        }
        concerns_others |= has_overslept;
        if self.is_started() && concerns_others {
            self.coordinate(now, out);
        }
        if self.follow_roles(now, out) {
            self.assess_all(now, out);
            self.coordinate(now, out);
            concerns_others = true;
        }
        if concerns_others {
            self.look_again();
        }
        let left = self.phase == Phase::Stopping
            && self.routers.iter().all(VirtualRouter::has_left)
            && (self.impatient || self.has_no_service_left());
        if left {
            self.phase = Phase::Stopped;
            if self.config.statics != Statics::default() {
                out.push(Output::DesiredChanged);
            }
            self.tell_groups(out);
            // Goodbye, but not while something of a service may be left.
            if self.has_no_service_left() {
                self.say(now, out);
            }
            out.push(Output::Stopped);
            self.look_again();
        }
        debug_assert!(self.is_kept(), "what is kept is not what is");
    }

    fn has_no_service_left(&self) -> bool {
        let is_busy = |departing: &Departing| departing.is_busy(&self.services);
        self.services.iter().all(Service::is_gone) && !self.departing.iter().any(is_busy)
    }

    fn start(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.phase != Phase::Created {
            return;
        }
        self.phase = Phase::Running;
        self.links.tell_all();
        self.tracking.begin(now, &self.config, || self.random.next());
        self.follow_roles(now, out);
        self.routers.iter_mut().for_each(|router| router.begin(now));
        for service in &mut self.services {
            service.begin(now);
            service.watch(out);
        }
        if self.config.statics != Statics::default() {
            out.push(Output::DesiredChanged);
        }
        self.refresh_briefs();
        self.assess_all(now, out);
    }

    /// Lets the checks that run in certain roles only begin or rest. Returns whether one did.
    fn follow_roles(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let tracks = |router: &VirtualRouter, name: &Name| {
            router.config().track_scripts.iter().any(|tracked| tracked.script == *name)
        };
        let Self { tracking, routers, .. } = self;
        let active = |router: &&VirtualRouter| router.state_name() == StateName::Active;
        tracking.follow_roles(now, |name| routers.iter().filter(active).any(|router| tracks(router, name)), out)
    }

    /// Lets those give up who slept for too long. Returns whether there were any.
    fn notice_oversleeping(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let mut any = false;
        if self.kept.deadlines.earliest().is_some_and(|earliest| earliest < now) {
            self.for_each_due(now, |router, around| any |= router.notice_oversleeping(now, around, out));
        }
        if any {
            self.give_up_together(now, out);
            self.coordinate(now, out);
        }
        any
    }

    /// Returns whether it led to something that services or the other node could care about.
    fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let due = self.kept.own_deadline.is_some_and(|deadline| deadline <= now);
        let mut changed = self.briefs.iter().any(|brief| brief.halved.is_some()) && self.refresh_briefs();
        let mut news = self.for_each_due(now, |router, around| router.leave_half_a_role(now, around, out));
        if self.units.has_groups() {
            self.give_up_together(now, out);
        }
        for link in self.links.turn(now) {
            let condition = self.links.condition(link);
            // What was deaf still is.
            if condition != LinkCondition::Deaf {
                out.push(Output::Tell(Event::LinkChanged { link, condition }));
            }
            changed = true;
        }
        changed |= self.tracking.handle_timer(now, out);
        if changed {
            self.assess_all(now, out);
        }
        if due || changed {
            // What the other node is asked comes before the protocol's own timers.
            self.time_passes(now, out);
            self.look_again();
        }
        news |= self.for_each_due(now, |router, around| router.handle_timer(now, around, out));
        self.announcer.handle_timer(now, out);
        due || changed || (news || self.kept.news) && self.has_news()
    }

    /// Lets each router do something that is or may be due. Returns whether there is news of one of them.
    fn for_each_due(&mut self, now: Instant, mut act: impl FnMut(&mut VirtualRouter, &mut Surroundings<'_>)) -> bool {
        // An advertisement may leave so much earlier.
        let by = now + timers::LONGEST_SLACK;
        let mut news = false;
        for index in 0..self.routers.len() {
            if self.kept.deadlines.is_due(index, by) {
                self.with_around(index, &mut act);
                news |= self.look_again_at(index);
            }
        }
        news
    }

    // ── what is kept ──────────────────────────────────────────────────────────────────────────────────

    /// Keeps up with whatever may have changed.
    fn look_again(&mut self) {
        self.kept.deadlines.fill(self.routers.iter().map(VirtualRouter::deadline));
        self.kept.own_deadline = self.own_deadline();
        self.kept.news = self.has_news();
    }

    /// Keeps up with one router, if nothing else has changed. Returns whether there is news of it.
    fn look_again_at(&mut self, index: usize) -> bool {
        let (Some(router), Some(role)) = (self.routers.get(index), self.roles.get(index)) else { return false };
        self.kept.deadlines.set(index, router.deadline());
        is_news(router, role)
    }

    fn has_news(&self) -> bool {
        self.routers.iter().zip(&self.roles).any(|(router, role)| is_news(router, role))
    }

    /// Whether what is kept is what a look at everything finds.
    fn is_kept(&self) -> bool {
        let mut routers = self.routers.iter().enumerate();
        routers.all(|(index, router)| self.kept.deadlines.of(index) == router.deadline())
            && self.kept.deadlines.earliest() == self.routers.iter().filter_map(VirtualRouter::deadline).min()
            && self.kept.own_deadline == self.own_deadline()
            && (self.kept.news || !self.has_news())
    }

    /// When something is due that is not a router's, a check's or the announcer's.
    fn own_deadline(&self) -> Option<Instant> {
        if !self.is_started() {
            return None;
        }
        let left_alone = self.standing.in_maintenance();
        let departing = self.departing.iter().flat_map(|departing| &departing.services);
        let services = self.services.iter().filter_map(|service| service.deadline(left_alone));
        let services = services.chain(departing.filter_map(|service| service.deadline(false)));
        let services = services.chain(self.departing.iter().filter_map(|departing| departing.deadline(&self.services)));
        let dead_after = self.pair.as_ref().map(|pair| pair.config().dead_after).unwrap_or_default();
        let roles = self.roles.iter().zip(&self.config.routers);
        let roles = roles.filter_map(|(role, router)| role.deadline(dead_after, router.preempt_delay));
        let pair = self.pair.as_ref().and_then(Pair::deadline);
        services.chain(roles).chain(pair).chain(self.standing.deadline()).chain(self.links.deadline()).min()
    }

    pub(crate) const fn is_started(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Stopping)
    }

    pub(crate) const fn has_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped)
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping | Phase::Stopped)
    }

    /// The virtual router that an advertisement is about, if no router on the interface that it came by has this number.
    #[must_use]
    pub fn stranger(&self, received: &Received<'_>) -> Option<Vrid> {
        let packet = packet::parse(received.family, received.octets)?;
        let vrid = advertisement::peek_vrid(message(&packet)?)?;
        let mut namesakes = self.addressees.of(received.family, vrid).filter_map(|index| self.routers.get(index));
        let known = namesakes.any(|router| router.link() == received.link)
            || self.addressees.find(&self.routers, received.link, &packet).is_some();
        (!known).then_some(vrid)
    }

    /// Returns whether it led to something that services or the other node could care about.
    fn receive(&mut self, now: Instant, received: Received<'_>, out: &mut Vec<Output>) -> bool {
        if self.phase == Phase::Created {
            return false;
        }
        let Some(packet) = packet::parse(received.family, received.octets) else { return false };
        let Some(index) = self.addressees.find(&self.routers, received.link, &packet) else { return false };
        let knew = |router: &VirtualRouter| {
            (router.knows_active(), router.follows(), router.heard_at().is_some(), router.due().is_some())
        };
        let before = self.routers.get(index).map(knew);
        self.with_around(index, |router, around| router.handle_packet(now, &packet, around, out));
        let news = self.look_again_at(index);
        news || self.routers.get(index).map(knew) != before
    }

    /// Lets one router do something.
    pub(crate) fn with_around(&mut self, index: usize, act: impl FnMut(&mut VirtualRouter, &mut Surroundings<'_>)) {
        let Self { routers, links, tracking, virtual_addresses, announcer, briefs, .. } = self;
        let router = routers.get_mut(index).map(core::slice::from_mut).unwrap_or_default();
        visit(router, links, tracking, virtual_addresses, announcer, briefs, act);
    }

    fn stop(&mut self, now: Instant, out: &mut Vec<Output>) {
        match self.phase {
            Phase::Created | Phase::Running => self.phase = Phase::Stopping,
            // Asked again: nobody waits for a successor any more.
            Phase::Stopping => {
                self.impatient = true;
                for service in &mut self.services {
                    service.hurry(now, out);
                }
                return self.for_each_router(|router, around| router.stop_waiting(now, around, out));
            }
            Phase::Stopped => return,
        }
        self.tracking.stop(out);
        // Who leaves does not announce any more, even what the pace has held back.
        self.announcer.clear();
        self.for_each_router(|router, around| router.stop(now, around, out));
    }

    pub(crate) fn assess_all(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.phase == Phase::Created {
            return;
        }
        if self.units.has_groups() {
            // What keeps one of a group out is known to all of them before any of them goes in.
            let mut own = Vec::new();
            self.for_each_router(|router, around| own.push(router.own_faults(around)));
            self.own_faults = own;
            self.refresh_briefs();
        }
        self.for_each_router(|router, around| router.assess(now, around, out));
    }

    pub(crate) fn for_each_router(&mut self, act: impl FnMut(&mut VirtualRouter, &mut Surroundings<'_>)) {
        let Self { routers, links, tracking, virtual_addresses, announcer, briefs, .. } = self;
        visit(routers, links, tracking, virtual_addresses, announcer, briefs, act);
    }

    fn for_each_retired(&mut self, act: impl FnMut(&mut VirtualRouter, &mut Surroundings<'_>)) {
        let Self { retired, links, tracking, virtual_addresses, announcer, briefs, .. } = self;
        visit(retired, links, tracking, virtual_addresses, announcer, briefs, act);
    }

    /// The earliest moment at which something is due; `None` if nothing is.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let kept = [self.kept.deadlines.earliest(), self.kept.own_deadline];
        kept.into_iter().flatten().chain(self.tracking.deadline()).chain(self.announcer.deadline()).min()
    }

    /// What should exist in the kernel now.
    #[must_use]
    pub fn desired(&self) -> Desired {
        let nothing = Statics::default();
        let statics = if self.is_started() { &self.config.statics } else { &nothing };
        Desired::of(statics, &self.links, &self.routers)
    }

    /// What an operator may see.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            routers: self.routers.iter().zip(&self.roles).map(|(router, role)| router.view(role)).collect(),
            groups: self.units.views(),
            scripts: self.tracking.script_views(),
            trackers: self.tracking.tracker_views(),
            services: self.service_views(self.last_at),
            peer: self.pair.as_ref().map(Pair::view),
            latch: self.standing.latch().cloned(),
            maintenance: self.standing.maintenance(),
        }
    }

    /// The steps of the table of roles that the last input has led to, in order.
    #[must_use]
    pub fn role_steps(&self) -> &[RoleStep] {
        self.steps.all()
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The interfaces that the configuration mentions or mentioned; a [`LinkId`] is an index into this. It
    /// only grows.
    #[must_use]
    pub fn links(&self) -> &[Name] {
        self.links.names()
    }

    /// The configuration of a router; also of one that the last reconfiguration removed.
    #[must_use]
    pub fn router(&self, router: RouterId) -> Option<&RouterConfig> {
        self.find(router).map(VirtualRouter::config)
    }

    /// The router that speaks for this one: the first of its sync group, or itself. Commands and hand-overs concern it.
    #[must_use]
    pub fn speaker(&self, router: RouterId) -> RouterId {
        u32::try_from(self.units.leader(router.0 as usize)).map_or(router, RouterId)
    }

    /// The state of a router; also of one that the last reconfiguration removed.
    #[must_use]
    pub fn state(&self, router: RouterId) -> Option<StateName> {
        self.find(router).map(VirtualRouter::state_name)
    }

    /// The priority of a router after tracking; also of one that the last reconfiguration removed.
    #[must_use]
    pub fn effective_priority(&self, router: RouterId) -> Option<Priority> {
        self.find(router).map(VirtualRouter::effective_priority)
    }

    /// What a router has counted since its start; also of one that the last reconfiguration removed.
    #[must_use]
    pub fn statistics(&self, router: RouterId) -> Option<&Statistics> {
        self.find(router).map(VirtualRouter::statistics)
    }

    /// The interface that a router sends on; also of one that the last reconfiguration removed.
    #[must_use]
    pub fn router_link(&self, router: RouterId) -> Option<LinkId> {
        self.find(router).map(VirtualRouter::link)
    }

    /// Writes the octets of an advertisement that [`Output::Advertise`] asked for, from the IP header on, and
    /// returns them. `sequence` is as it said, `destination` is one of [`Engine::destinations`]. `None` if the router
    /// has no address to send from, or `buffer` is too small (1500 octets always suffice).
    #[must_use]
    pub fn write_advertisement<'b>(
        &self,
        router: RouterId,
        priority: Priority,
        sequence: u64,
        destination: IpAddr,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        self.find(router)?.write(priority, sequence, destination, buffer)
    }

    /// Where the advertisements of a router go.
    #[must_use]
    pub fn destinations(&self, router: RouterId) -> &[IpAddr] {
        self.find(router).map_or(&[], VirtualRouter::destinations)
    }

    fn find(&self, router: RouterId) -> Option<&VirtualRouter> {
        let index = router.0 as usize;
        self.routers.get(index).or_else(|| self.retired.get(index.checked_sub(self.routers.len())?))
    }
}

/// Lets routers act with what they see of the rest of their engine.
fn visit(
    routers: &mut [VirtualRouter],
    links: &Links,
    tracking: &Tracking,
    virtual_addresses: &BTreeSet<Reachable>,
    announcer: &mut Announcer,
    briefs: &[Brief],
    mut act: impl FnMut(&mut VirtualRouter, &mut Surroundings<'_>),
) {
    let mut around = Surroundings {
        links,
        tracking,
        is_virtual: &|link, address| virtual_addresses.contains(&reachable(link, address)),
        announcer,
        briefs,
    };
    for router in routers {
        act(router, &mut around);
    }
}

/// Whether a router has become something that its role does not know of, or waits for the other node's word or the end of its
/// services.
fn is_news(router: &VirtualRouter, role: &Role) -> bool {
    router.state_name() != role.state || router.due().is_some() || router.is_leaving()
}

/// An address, and the interface beyond which it means nothing, if there is one.
type Reachable = (Option<LinkId>, IpAddr);

fn reachable(link: LinkId, address: IpAddr) -> Reachable {
    (is_link_local(address).then_some(link), address)
}

/// Whether an address means something else on every link. Those of IPv4 (RFC 3927) are used as any other by the kernel.
pub(crate) const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Addresses that no router may take for its own source; an address owner's are real.
fn virtual_addresses(config: &Config, links: &Links) -> BTreeSet<Reachable> {
    let routers = config.routers.iter().filter(|router| !router.priority.is_address_owner());
    let addresses = routers.flat_map(|router| {
        let addresses = router.addresses.iter().chain(&router.excluded_addresses);
        addresses.map(|address| (address.link.as_ref().unwrap_or(&router.link), address.address))
    });
    addresses.map(|(link, address)| reachable(links.id(link), address)).collect()
}

/// SplitMix64: spreads first runs, nothing more.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
