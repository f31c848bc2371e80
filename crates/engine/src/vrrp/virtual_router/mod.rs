//! One virtual router: the state machine of RFC 9568 §6.4.
//!
//! ```text
//!                  no fault left, address owner
//!          ┌──────────────────────────────────────────┐
//!          │                                          ▼
//!    Initialize ── no fault left ──► Backup ── Active_Down_Timer ──► Active
//!          ▲                           │ ▲                            │ │
//!          └────── fault, stop ────────┘ └── higher priority heard ───┘ │
//!          └──────────── fault, stop (resigns first) ───────────────────┘
//! ```
//!
//! A fault is a set of named reasons; each must go before the router comes back. After a stop an Active
//! router keeps its addresses a little while (`Leaving`), so that they answer until the successor speaks.

mod circumstances;
mod hearing;
mod leaving;
mod reconfiguring;
mod speaking;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use leaving::Leave;

use super::announcer::Announcer;
use super::freshness::Freshness;
use super::receive::{self, ChecksumForm, Discard, Known, Oddity};
use super::statistics::Statistics;
use super::timers;
use crate::links::Links;
use crate::role::Role;
use crate::time::Calendar;
use crate::track::{Tracking, priority};
use crate::wire::Packet;
use crate::{
    Cause, Event, FaultReason, Instant, Interval, LinkId, NoticeKind, Output, Priority, RouterConfig, RouterId,
    RouterView, StateName, Transport, Version, VirtualAddress,
};

/// From one place in the interval to the next: enough for a successor to take over a dozen routers with many addresses,
/// and twice the longest slack, so that neighbours do not move together at once.
const PLACE: Duration = Duration::from_millis(20);
/// So many places there are at most,
const PLACES: u32 = 16;
/// for so many routers; a further one begins anew.
const SPREAD: u32 = 256;

/// What a router sees of the rest of its engine.
pub(crate) struct Surroundings<'a> {
    pub(crate) links: &'a Links,
    pub(crate) tracking: &'a Tracking,
    /// Whether any router has this as a virtual address of this interface, or of all if it is valid beyond one.
    pub(crate) is_virtual: &'a dyn Fn(LinkId, IpAddr) -> bool,
    pub(crate) announcer: &'a mut Announcer,
    /// By router; those that a reconfiguration removed have none.
    pub(crate) briefs: &'a [Brief],
}

impl Surroundings<'_> {
    fn brief(&self, router: RouterId) -> Option<&Brief> {
        self.briefs.get(router.0 as usize)
    }
}

/// What a router is told about its services and the other node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Brief {
    /// Something of its services is left here, so that the role must not go.
    pub(crate) busy: bool,
    /// What its services have against its taking part.
    pub(crate) faults: Vec<FaultReason>,
    /// Maintenance: nothing goes because of what a check says.
    pub(crate) frozen: bool,
    /// Maintenance, and the role is somebody else's: it does not take over.
    pub(crate) waits: bool,
    /// Maintenance, and the role is its own and its services run on: it goes on with the role rather than take it anew.
    pub(crate) goes_on: bool,
    /// It does not preempt: an operator's wish, or because it has moved too often.
    pub(crate) stands_back: bool,
    /// It has services, and another Tanist is configured that may be running them.
    pub(crate) paired: bool,
    /// The other node is heard on the side channel and has this router, too: nobody takes over without its word.
    pub(crate) ordered: bool,
    /// It is one of a sync group: none takes over alone.
    pub(crate) grouped: bool,
    /// Another one of its group does not have the role.
    pub(crate) torn: bool,
    /// And follows another node: so long it may take until they have come together.
    pub(crate) halved: Option<Duration>,
    /// It speaks for a sync group: so long its group leaves the role to whoever it loses it to.
    pub(crate) gives_way_for: Option<Duration>,
    /// The address that the other node's router sends from, if it has ever been heard on the side channel.
    pub(crate) peer_address: Option<IpAddr>,
    /// The priority that it has or had there.
    pub(crate) peer_priority: Option<Priority>,
    /// The other node says that its router does not have the role.
    pub(crate) peer_is_free: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct VirtualRouter {
    id: RouterId,
    config: RouterConfig,
    link: LinkId,
    /// Where each of `addresses` and then `excluded_addresses` goes.
    places: Vec<LinkId>,
    /// The interfaces of what moves with the role and is tracked.
    needed_links: BTreeSet<LinkId>,
    tracked_links: Vec<LinkId>,
    /// `config.addresses` as they stand on the wire.
    advertised: Vec<u8>,
    destinations: Vec<IpAddr>,
    state: State,
    since: Instant,
    /// Why it is in its state.
    cause: Cause,
    faults: BTreeSet<FaultReason>,
    effective_priority: Priority,
    primary_address: Option<IpAddr>,
    /// The last primary address there was: a router that has just lost it resigns with it.
    last_source: Option<IpAddr>,
    peer_checksum_form: Option<ChecksumForm>,
    freshness: Freshness,
    /// Discards and oddities told since the state or the Active router changed, one bit each.
    told: u32,
    send_failure_told: bool,
    /// The last advertisement that was not accepted, unless one was since.
    refused: Option<(Instant, IpAddr, Discard)>,
    notified: Option<NoticeKind>,
    statistics: Statistics,
    /// Before this moment it takes no notice of anybody and does not take over.
    hesitates_until: Instant,
}

#[derive(Clone, Debug)]
enum State {
    /// Not started, held back by `faults`, or stopped.
    Initialize {
        stopped: bool,
    },
    /// Stopped in order: `Initialize` for the protocol, but the addresses answer until then, or until the
    /// successor is heard.
    Leaving {
        until: Instant,
    },
    Backup(Backup),
    Active(Active),
}

#[derive(Clone, Debug)]
struct Backup {
    active_down_at: Instant,
    active_adver_interval: Interval,
    active_router: Option<(IpAddr, Priority)>,
    /// When somebody was heard last.
    heard_at: Option<Instant>,
    /// When the Active router resigned: from then the timer runs for the skew time only.
    resigned_at: Option<Instant>,
    /// Since when a lower priority has been heard, that may be taken over from once `preempt_delay` has passed.
    better_since: Option<Instant>,
    /// The timer came too late once already, and nothing was heard since.
    listened_again: bool,
    /// It would have taken over; the other node has to agree first.
    due: Option<Cause>,
    /// It speaks for a group and has lost the role to somebody better.
    gives_way: Option<GivesWay>,
}

/// How long a group that has lost its role leaves it to others.
#[derive(Clone, Copy, Debug)]
struct GivesWay {
    /// When somebody better was there, or was there anew.
    since: Instant,
    /// Before this moment the group takes the role only from who has had it and resigns it whole.
    until: Instant,
    /// More than one other node has tried to have it.
    contested: bool,
}

#[derive(Clone, Debug)]
struct Active {
    advertise_at: Instant,
    advertised_at: Instant,
    /// When a losing advertisement was last answered with announcements.
    answered_at: Option<Instant>,
    second_burst_at: Option<Instant>,
    lower_priority_burst_at: Option<Instant>,
    refresh_at: Option<Instant>,
    elsewhere_at: Option<Instant>,
    /// Since when another one of its group follows another node.
    halved_since: Option<Instant>,
    /// It lets the role go, as soon as nothing of its services is left.
    leaving: Option<Leave>,
    /// It only goes on with what a former life had.
    resumed: bool,
}

impl VirtualRouter {
    pub(crate) fn new(id: RouterId, config: RouterConfig, now: Instant, links: &Links) -> Self {
        let mut router = Self {
            id,
            link: LinkId(0),
            places: Vec::new(),
            needed_links: BTreeSet::new(),
            tracked_links: Vec::new(),
            advertised: Vec::new(),
            destinations: Vec::new(),
            state: State::Initialize { stopped: false },
            since: now,
            cause: Cause::Started,
            faults: BTreeSet::new(),
            effective_priority: config.priority,
            primary_address: None,
            last_source: None,
            peer_checksum_form: None,
            freshness: Freshness::default(),
            told: 0,
            send_failure_told: false,
            refused: None,
            notified: None,
            statistics: Statistics::default(),
            hesitates_until: Instant::START,
            config,
        };
        router.derive(links);
        router
    }

    /// What follows from the configuration alone.
    fn derive(&mut self, links: &Links) {
        let config = &self.config;
        self.link = links.id(&config.link);
        let addresses = || config.addresses.iter().chain(&config.excluded_addresses);
        self.places =
            addresses().map(|address| address.link.as_ref().map_or(self.link, |name| links.id(name))).collect();
        let tracked = addresses().filter(|address| address.tracked).filter_map(|address| address.link.as_ref());
        let routes = config.routes.iter().filter_map(|route| route.needs());
        let rules = config.rules.iter().flat_map(|rule| rule.needs());
        self.needed_links = tracked.chain(routes).chain(rules).map(|name| links.id(name)).collect();
        self.tracked_links = config.track_links.iter().map(|tracked| links.id(&tracked.link)).collect();
        self.advertised.clear();
        for virtual_address in &config.addresses {
            match virtual_address.address {
                IpAddr::V4(address) => self.advertised.extend(address.octets()),
                IpAddr::V6(address) => self.advertised.extend(address.octets()),
            }
        }
        self.destinations = match &config.transport {
            Transport::Multicast { group, .. } => alloc::vec![*group],
            Transport::Unicast { peers, .. } => peers.clone(),
        };
        self.freshness.set_peers(match &config.transport {
            Transport::Multicast { .. } => &[],
            Transport::Unicast { peers, .. } => peers,
        });
    }

    /// The calendar was set, or is told for the first time.
    pub(crate) const fn set_calendar(&mut self, calendar: Calendar) {
        self.freshness.calendar = calendar;
    }

    pub(crate) fn config(&self) -> &RouterConfig {
        &self.config
    }

    pub(crate) const fn cause(&self) -> Cause {
        self.cause
    }

    pub(crate) const fn id(&self) -> RouterId {
        self.id
    }

    pub(crate) fn renumber(&mut self, id: RouterId) {
        self.id = id;
    }

    pub(crate) fn link(&self) -> LinkId {
        self.link
    }

    /// Every interface that it has to do with.
    fn links(&self) -> impl Iterator<Item = LinkId> {
        let moving = self.places.iter().chain(&self.needed_links);
        core::iter::once(self.link).chain(moving.copied()).chain(self.tracked_links.iter().copied())
    }

    /// What its scripts were told last.
    pub(crate) const fn notified(&self) -> Option<NoticeKind> {
        self.notified
    }

    pub(crate) fn effective_priority(&self) -> Priority {
        self.effective_priority
    }

    pub(crate) fn primary_address(&self) -> Option<IpAddr> {
        self.primary_address
    }

    pub(crate) fn destinations(&self) -> &[IpAddr] {
        &self.destinations
    }

    /// The last advertisement that was not accepted, unless one was since.
    pub(crate) const fn refused(&self) -> Option<(Instant, IpAddr, Discard)> {
        self.refused
    }

    /// It has been in its state since the engine was started.
    pub(crate) const fn begin(&mut self, now: Instant) {
        self.since = now;
    }

    /// Takes no notice of anybody and does not take over before this moment.
    pub(crate) const fn hesitate(&mut self, until: Instant) {
        self.hesitates_until = until;
    }

    pub(crate) fn clear_statistics(&mut self) {
        self.statistics = Statistics::default();
    }

    /// Whether an orderly stop has been asked for and nothing is held any more.
    pub(crate) fn has_left(&self) -> bool {
        matches!(self.state, State::Initialize { stopped: true })
    }

    // ── what happens ──────────────────────────────────────────────────────────────────────────────────

    /// Looks at everything that is tracked, and draws the consequences.
    pub(crate) fn assess(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        if !self.is_informed(around) {
            return;
        }
        self.primary_address = self.choose_primary_address(around);
        self.last_source = self.primary_address.or(self.last_source);
        let (mut faults, weights) = self.weigh(around);
        if !matches!(self.state, State::Initialize { .. }) {
            // A check that is new in the configuration holds nobody back who is in already, as in keepalived.
            faults.retain(|reason| !matches!(reason, FaultReason::ScriptPending(_)));
            // Who has spoken from it already has lost it.
            if faults.remove(&FaultReason::PrimaryAddressTentative) {
                faults.insert(FaultReason::NoPrimaryAddress);
            }
        }
        let told = |reason: &&FaultReason| !reason.is_pending();
        for reason in faults.difference(&self.faults).filter(told) {
            out.push(Output::Tell(Event::FaultRaised { router: self.id, reason: reason.clone() }));
        }
        for reason in self.faults.difference(&faults).filter(told) {
            out.push(Output::Tell(Event::FaultCleared { router: self.id, reason: reason.clone() }));
        }
        self.faults = faults;
        let effective = priority::effective(self.config.priority, weights);
        if effective != self.effective_priority {
            let from = core::mem::replace(&mut self.effective_priority, effective);
            out.push(Output::Tell(Event::PriorityChanged { router: self.id, from, to: effective }));
        }
        let faulty = !self.faults.is_empty();
        match &self.state {
            State::Initialize { stopped: true } => {}
            State::Initialize { stopped: false } if faulty => self.notify_fault(out),
            State::Initialize { stopped: false } => {
                let cause = if self.notified.is_none() { Cause::Started } else { Cause::FaultsCleared };
                self.enter(now, cause, around, out);
            }
            State::Backup(_) if faulty => {
                self.set_state(now, State::Initialize { stopped: false }, Cause::Fault, out);
                self.notify_fault(out);
            }
            State::Active(_) => self.consider_leaving(now, around, out),
            // An address that cannot be reached any more is not worth keeping for the successor.
            State::Leaving { .. } if faulty => self.finish_leaving(around, out),
            State::Backup(_) | State::Leaving { .. } => {}
        }
    }

    /// An Active router that slept too long gives up before it does anything on what it knew before. Returns whether it has.
    pub(crate) fn notice_oversleeping(
        &mut self,
        now: Instant,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) -> bool {
        let State::Active(active) = &self.state else { return false };
        let has_overslept = self.has_overslept(now, active);
        if has_overslept {
            self.listen_first(now, around, out);
        }
        has_overslept
    }

    pub(crate) fn handle_timer(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        match &self.state {
            State::Initialize { .. } => {}
            State::Leaving { until } if *until <= now => self.finish_leaving(around, out),
            State::Leaving { .. } => {}
            State::Backup(backup) if backup.active_down_at <= now => self.active_down(now, around, out),
            State::Backup(_) => {}
            State::Active(_) => self.advertise_and_announce(now, around, out),
        }
    }

    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        if now < self.hesitates_until && matches!(self.state, State::Initialize { .. } | State::Backup(_)) {
            return;
        }
        let known = Known { now, primary_address: self.primary_address, freshness: &self.freshness };
        let accepted = match receive::climb(&self.config, known, packet) {
            Ok(accepted) => accepted,
            Err(reason) => {
                self.statistics.discarded[reason.index()] += 1;
                let from = packet.source;
                self.refused = Some((now, from, reason));
                if self.tell_once(reason.index()) {
                    out.push(Output::Tell(Event::Discarded { router: self.id, from, reason }));
                }
                return;
            }
        };
        if let Some(stamp) = accepted.stamp {
            self.freshness.note(accepted.source, stamp);
        }
        self.statistics.advertisements_received += 1;
        self.refused = None;
        if accepted.advertisement.priority == Priority::RESIGN {
            self.statistics.priority_zero_received += 1;
        }
        if self.config.version == Version::V3 {
            self.peer_checksum_form = Some(accepted.checksum_form);
        }
        let odd = self.inspect(&accepted);
        match &self.state {
            State::Initialize { .. } => {}
            State::Leaving { .. } if accepted.advertisement.priority == Priority::RESIGN => {}
            State::Leaving { .. } => self.finish_leaving(around, out),
            State::Backup(_) => self.hear_as_backup(now, &accepted, around, out),
            State::Active(_) => self.hear_as_active(now, &accepted, around, out),
        }
        // Last, because a new state or a new Active router has just made everything worth telling again.
        for oddity in odd.into_iter().flatten() {
            if self.tell_once(Discard::COUNT + oddity.index()) {
                out.push(Output::Tell(Event::Odd { router: self.id, from: accepted.source, oddity }));
            }
        }
    }

    pub(crate) fn handle_send_failed(&mut self, error: i32, out: &mut Vec<Output>) {
        self.statistics.send_failures += 1;
        if !core::mem::replace(&mut self.send_failure_told, true) {
            out.push(Output::Tell(Event::SendFailed { router: self.id, error }));
        }
    }

    /// Orderly stop. An Active router resigns and keeps its addresses until the successor speaks; scripts are told
    /// when it has let go of them, because they may stop what answers there.
    pub(crate) fn stop(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        match &self.state {
            State::Initialize { stopped: true } | State::Leaving { .. } => {}
            State::Initialize { stopped: false } | State::Backup(_) => {
                self.set_state(now, State::Initialize { stopped: true }, Cause::Stopped, out);
                self.notify(NoticeKind::Stop, out);
            }
            State::Active(_) => self.leave(now, Leave::Stop, around, out),
        }
    }

    /// Lets go of the addresses without waiting for a successor.
    pub(crate) fn stop_waiting(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        if let State::Active(Active { leaving: Some(leave), .. }) = &self.state {
            self.leave_now(now, *leave, around, out);
        }
        if matches!(self.state, State::Leaving { .. }) {
            self.finish_leaving(around, out);
        }
    }

    // ── time ──────────────────────────────────────────────────────────────────────────────────────────

    /// The Active_Down_Timer has fired.
    fn active_down(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let State::Backup(backup) = &mut self.state else { return };
        let late = now.since(backup.active_down_at);
        // A whole advertisement may have been missed because nobody listened, not because nobody spoke.
        // Once is enough: a machine that is always late must still take over.
        if late > backup.active_adver_interval.as_duration() && !backup.listened_again {
            backup.listened_again = true;
            let interval = backup.active_adver_interval;
            backup.active_down_at = now + self.config.active_down_interval(self.effective_priority, interval);
            out.push(Output::Tell(Event::Overslept { router: self.id, late }));
            return;
        }
        let brief = around.brief(self.id);
        let cause = if backup.resigned_at.is_some() {
            Cause::ActiveResigned
        } else if brief.is_some_and(|brief| brief.goes_on) {
            Cause::Resumed
        } else {
            Cause::ActiveDownTimer
        };
        let (waits, ordered) = brief.map_or((false, false), |brief| (brief.waits, brief.ordered || brief.grouped));
        if waits || ordered {
            let interval = backup.active_adver_interval;
            backup.active_down_at = now + self.config.active_down_interval(self.effective_priority, interval);
            if let Some(gives_way) = backup.gives_way.filter(|gives_way| gives_way.until > now) {
                backup.active_down_at = backup.active_down_at.min(gives_way.until);
            }
            backup.due = ordered.then_some(cause);
            return;
        }
        self.become_active(now, cause, around, out);
    }

    /// Whether others must have taken over while this Active router did not run.
    fn has_overslept(&self, now: Instant, active: &Active) -> bool {
        let interval = self.config.advertisement_interval;
        match self.config.deviations.others_priority {
            Some(theirs) => {
                // Since a reconfiguration it may owe them more than it did: that is not being late.
                let spoke_at = active.advertised_at.max(active.advertise_at - interval.as_duration());
                now.since(spoke_at) > self.config.active_down_interval(theirs, interval)
            }
            None => {
                let ours = self.config.active_down_interval(self.effective_priority, interval);
                now.since(active.advertise_at) > ours
            }
        }
    }

    /// Steps back and listens, as after a start.
    fn listen_first(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let State::Active(active) = &self.state else { return };
        let late = now.since(active.advertise_at);
        out.push(Output::Tell(Event::Overslept { router: self.id, late }));
        self.become_backup(now, Cause::Overslept, None, self.config.advertisement_interval, around, out);
    }

    fn advertise_and_announce(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let soon = now + timers::advertisement_slack(self.config.advertisement_interval);
        let policy = &self.config.announce;
        let (repeat, refresh_repeat, lower) = (policy.repeat, policy.refresh_repeat, policy.lower_priority_repeat);
        let refresh = policy.refresh;
        let State::Active(active) = &mut self.state else { return };
        let advertise = active.advertise_at <= soon;
        let mut announcements = 0;
        if active.second_burst_at.take_if(|at| *at <= soon).is_some() {
            announcements = repeat;
        }
        if active.lower_priority_burst_at.take_if(|at| *at <= soon).is_some() {
            announcements = announcements.max(lower);
        }
        if active.refresh_at.is_some_and(|at| at <= soon) {
            active.refresh_at = refresh.map(|refresh| now + refresh);
            announcements = announcements.max(refresh_repeat);
        }
        let elsewhere = active.elsewhere_at.is_some_and(|at| at <= soon);
        if elsewhere {
            active.elsewhere_at = policy.elsewhere.as_ref().map(|elsewhere| now + elsewhere.every);
        }
        if advertise {
            self.advertise(now, out);
        }
        if announcements > 0 {
            self.announce_all(now, 1..announcements.saturating_add(1), around, out);
        } else if elsewhere {
            self.announce_elsewhere(now, around, out);
        }
    }

    /// The earliest moment at which something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Initialize { .. } => None,
            State::Leaving { until } => Some(*until),
            State::Backup(backup) => Some(backup.active_down_at),
            State::Active(active) => {
                let bursts =
                    [active.second_burst_at, active.lower_priority_burst_at, active.refresh_at, active.elsewhere_at];
                Some(bursts.into_iter().flatten().fold(active.advertise_at, Instant::min))
            }
        }
    }

    // ── changes of state ──────────────────────────────────────────────────────────────────────────────

    /// RFC 9568 §6.4.1.
    fn enter(&mut self, now: Instant, cause: Cause, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        // An owner's address is its own, but not what runs there: the other node is heard first.
        let asks_first = around.brief(self.id).is_some_and(|brief| brief.paired || brief.grouped);
        if self.config.priority.is_address_owner() && !asks_first && self.hesitates_until <= now {
            self.become_active(now, Cause::AddressOwner, around, out);
        } else {
            self.become_backup(now, cause, None, self.config.advertisement_interval, around, out);
        }
    }

    fn become_active(&mut self, now: Instant, cause: Cause, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let policy = &self.config.announce;
        let active = Active {
            advertise_at: now,
            advertised_at: now,
            answered_at: None,
            second_burst_at: (!policy.delay.is_zero()).then(|| now + policy.delay),
            lower_priority_burst_at: None,
            refresh_at: policy.refresh.map(|refresh| now + refresh),
            elsewhere_at: policy.elsewhere.as_ref().map(|elsewhere| now + elsewhere.every),
            halved_since: None,
            leaving: None,
            resumed: cause == Cause::Resumed,
        };
        let repeat = policy.repeat;
        self.set_state(now, State::Active(active), cause, out);
        self.statistics.became_active += 1;
        self.advertise(now, out);
        self.find_a_place();
        out.push(Output::Tell(Event::AddressesWanted { router: self.id }));
        out.push(Output::DesiredChanged);
        self.announce_all(now, 0..repeat, around, out);
        self.notify(NoticeKind::Active, out);
    }

    /// Hundreds of routers that became Active together would advertise together for ever, and when this node dies, all
    /// of them would be taken over at one moment. The second advertisement is early by the place of the router's group,
    /// which never hurts, and the others follow it.
    fn find_a_place(&mut self) {
        let interval = self.config.advertisement_interval.as_duration();
        // Whoever speaks often has fewer of them, with more routers in each: every one wakes up a Backup.
        let places = (interval.as_millis() / PLACE.as_millis()).clamp(1, u128::from(PLACES)) as u32;
        let place = self.id.0 % SPREAD * places / SPREAD;
        let State::Active(active) = &mut self.state else { return };
        // It stays behind the first one by a place at least, or by the whole interval.
        active.advertise_at = active.advertise_at - PLACE * place;
    }

    fn become_backup(
        &mut self,
        now: Instant,
        cause: Cause,
        active_router: Option<(IpAddr, Priority)>,
        active_adver_interval: Interval,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        let held = self.holds_addresses();
        let stops = matches!(self.state, State::Active(Active { leaving: Some(Leave::Stop), .. }));
        let down = self.config.active_down_interval(self.effective_priority, active_adver_interval);
        let backup = Backup {
            active_down_at: now.max(self.hesitates_until) + down,
            active_adver_interval,
            active_router,
            heard_at: active_router.map(|_| now),
            resigned_at: None,
            better_since: None,
            listened_again: false,
            due: None,
            gives_way: None,
        };
        self.set_state(now, State::Backup(backup), cause, out);
        if held {
            self.release(around, out);
        }
        if stops {
            // It was about to leave for good.
            self.set_state(now, State::Initialize { stopped: true }, Cause::Stopped, out);
            self.notify(NoticeKind::Stop, out);
        } else if self.faults.is_empty() {
            self.notify(NoticeKind::Backup, out);
        } else {
            // It was about to leave because of a fault when this came first.
            self.set_state(now, State::Initialize { stopped: false }, Cause::Fault, out);
            self.notify_fault(out);
        }
    }

    fn set_state(&mut self, now: Instant, state: State, cause: Cause, out: &mut Vec<Output>) {
        let from = self.state_name();
        if matches!(self.state, State::Active(_)) {
            self.statistics.released_active += 1;
        }
        self.state = state;
        (self.since, self.cause) = (now, cause);
        self.told = 0;
        self.send_failure_told = false;
        out.push(Output::Tell(Event::StateChanged { router: self.id, from, to: self.state_name(), cause }));
    }

    /// The addresses are no longer wanted here.
    fn release(&mut self, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        around.announcer.forget(self.id);
        out.push(Output::Tell(Event::AddressesReleased { router: self.id }));
        out.push(Output::DesiredChanged);
    }

    fn finish_leaving(&mut self, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        self.state = State::Initialize { stopped: true };
        self.release(around, out);
        self.notify(NoticeKind::Stop, out);
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    /// Addresses of a configuration of this router with their interfaces.
    fn placed<'c>(&self, config: &'c RouterConfig) -> impl Iterator<Item = (LinkId, &'c VirtualAddress)> {
        self.places.iter().copied().zip(config.addresses.iter().chain(&config.excluded_addresses))
    }

    /// The addresses that should be in the kernel because of this router.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = (LinkId, &VirtualAddress)> {
        self.placed(&self.config).filter(|_| self.holds_addresses())
    }

    pub(crate) fn holds_addresses(&self) -> bool {
        matches!(self.state, State::Active(_) | State::Leaving { .. })
    }

    pub(crate) const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    pub(crate) fn state_name(&self) -> StateName {
        match self.state {
            State::Initialize { .. } | State::Leaving { .. } => StateName::Initialize,
            State::Backup(_) => StateName::Backup,
            State::Active(_) => StateName::Active,
        }
    }

    pub(crate) fn view(&self, role: &Role) -> RouterView {
        let (active_router, active_adver_interval, active_down_at) = match &self.state {
            State::Backup(backup) => (backup.active_router, backup.active_adver_interval, Some(backup.active_down_at)),
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => {
                (None, self.config.advertisement_interval, None)
            }
        };
        RouterView {
            router: self.id,
            name: self.config.name.clone(),
            state: self.state_name(),
            since: self.since,
            priority: self.config.priority,
            effective_priority: self.effective_priority,
            active_router,
            active_adver_interval,
            active_down_at,
            primary_address: self.primary_address,
            faults: self.faults.iter().cloned().collect(),
            peer_checksum_form: self.peer_checksum_form,
            holds_addresses: self.holds_addresses(),
            epoch: role.epoch,
            held_by: role.held_by.iter().copied().collect(),
            letting_go: self.is_leaving(),
            statistics: self.statistics,
            refused: self.refused,
            unheard: role.understanding.unheard,
            differs: role.understanding.router_terms.clone(),
        }
    }
}

/// Bit of `told` for `LowerPriorityIgnored`, behind those of discards and oddities.
const LOWER_PRIORITY_BIT: usize = Discard::COUNT + Oddity::COUNT;
