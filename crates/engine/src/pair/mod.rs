//! The other Tanist: whether it is there, what it says, and what we say to it.

pub(crate) mod link;
mod one_way;

use alloc::vec::Vec;
use core::time::Duration;

use self::link::{Beginning, PeerLink};
use self::one_way::OneWay;
use crate::wire::baton::{RouterStatement, Statement};
use crate::{BatonDiscard, Event, Instant, Name, Output, PairConfig, PeerRouterView, PeerServiceView, PeerView, Terms};

/// Moves of the peer's former lives that are remembered.
const MOST_MOVES: usize = 64;
/// Moments of a move, as told before a reboot and after it, differ by less: the calendar counts in seconds.
const SAME_MOVE: Duration = Duration::from_secs(2);

/// What is known of the peer and what has been said to it.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    config: PairConfig,
    link: PeerLink,
    /// Number of what we say now.
    version: u64,
    /// What we said last, without what only grows older.
    said: Option<Statement>,
    /// Something is to be sent before the next heartbeat.
    dirty: bool,
    alive: bool,
    /// It has said goodbye: it is not there, although it was just heard.
    gone: bool,
    /// What the peer said last, but for goodbye,
    theirs: Option<Heard>,
    /// and when.
    told_at: Option<Instant>,
    discard_told: bool,
    /// Why the last message was discarded, unless one was heard since.
    last_discard: Option<BatonDiscard>,
    one_way: OneWay,
    /// Since when the peer has been speaking without hearing us.
    deaf_since: Option<Instant>,
    deaf_told: bool,
    /// For how much longer than usual the peer had not heard us when it spoke last.
    unheard_for: Duration,
    /// Moves because of a service that the peer told in former lives.
    former_moves: Vec<FormerMove>,
    /// When our routers last spoke up because of doubt.
    spoke_up_at: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Heard {
    version: u64,
    seen: u64,
    statement: Statement,
}

#[derive(Clone, Debug)]
struct FormerMove {
    service: Name,
    /// When it was told last,
    told_at: Instant,
    /// and how long ago it was then.
    age: Duration,
}

impl FormerMove {
    fn age_at(&self, now: Instant) -> Duration {
        now.since(self.told_at).saturating_add(self.age)
    }
}

impl Pair {
    pub(crate) fn new(config: PairConfig, random: u64) -> Self {
        Self {
            link: PeerLink::new(config.clone(), random),
            config,
            version: 0,
            said: None,
            dirty: false,
            alive: false,
            gone: false,
            theirs: None,
            told_at: None,
            discard_told: false,
            last_discard: None,
            one_way: OneWay::default(),
            deaf_since: None,
            deaf_told: false,
            unheard_for: Duration::ZERO,
            spoke_up_at: None,
            former_moves: Vec::new(),
        }
    }

    pub(crate) fn reconfigure(&mut self, now: Instant, config: PairConfig) {
        self.link.reconfigure(now, config.clone());
        self.config = config;
    }

    pub(crate) const fn config(&self) -> &PairConfig {
        &self.config
    }

    pub(crate) const fn is_alive(&self) -> bool {
        self.alive && !self.gone
    }

    /// Whether it was taken for dead, or said so, and what it said last still counts for that.
    pub(crate) const fn has_stopped(&self) -> bool {
        self.gone
    }

    /// How the peer calls itself; empty before it was heard.
    pub(crate) fn node(&self) -> Name {
        self.theirs.as_ref().map_or_else(|| Name::from(""), |theirs| theirs.statement.node.clone())
    }

    /// What it says, if it is heard.
    pub(crate) fn statement(&self) -> Option<&Statement> {
        self.theirs.as_ref().filter(|_| self.is_alive()).map(|theirs| &theirs.statement)
    }

    /// What this node is told that the other one should be told alike.
    pub(crate) fn terms(&self, router: &Name, service: Option<&Name>) -> &[u32] {
        // A service belongs to one router only, or to a group of them.
        let its = |terms: &&Terms| match (&terms.service, service) {
            (Some(theirs), Some(service)) => theirs == service,
            (None, None) => terms.router == *router,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.config.terms.iter().find(its).map_or(&[], |terms| &terms.values)
    }

    /// By path: whether the peer has been heard there lately.
    pub(crate) fn paths_work(&self) -> Vec<bool> {
        self.link.paths_work()
    }

    /// Whether a path works in one direction only, and it is (`here`) this node that hears.
    pub(crate) fn hears_one_way(&self, here: bool) -> bool {
        self.one_way.view().any(|one_way| one_way == Some(here))
    }

    /// What it said last, heard or not, of the router of that name.
    pub(crate) fn last_words(&self, router: &Name) -> Option<&RouterStatement> {
        let statement = &self.theirs.as_ref()?.statement;
        statement.routers.iter().find(|theirs| theirs.name == *router)
    }

    /// When it said that.
    pub(crate) fn heard_at(&self) -> Option<Instant> {
        self.link.heard_at()
    }

    /// What of ours it has taken in.
    pub(crate) fn seen(&self) -> u64 {
        self.theirs.as_ref().map_or(0, |theirs| theirs.seen)
    }

    /// The version under which what changes now will be said.
    pub(crate) const fn next_version(&mut self) -> u64 {
        self.dirty = true;
        self.version += 1;
        self.version
    }

    /// Takes a message in. Returns whether the peer speaks by it, or has just said goodbye.
    pub(crate) fn receive(&mut self, now: Instant, path: u32, octets: &[u8], out: &mut Vec<Output>) -> bool {
        let heard = match self.link.receive(now, path, octets) {
            Ok(heard) => heard,
            Err(reason) => {
                if reason != BatonDiscard::Replayed {
                    self.last_discard = Some(reason);
                }
                if reason != BatonDiscard::Replayed && !core::mem::replace(&mut self.discard_told, true) {
                    out.push(Output::Tell(Event::BatonDiscarded { path, reason }));
                }
                self.note_deafness(now, out);
                return false;
            }
        };
        self.dirty |= heard.answer_now;
        if heard.path_works_again {
            out.push(Output::Tell(Event::PathChanged { path, works: true }));
        }
        let Some(message) = heard.message else {
            self.note_deafness(now, out);
            self.note_one_way(now, out);
            return false;
        };
        self.last_discard = None;
        if heard.beginning == Some(Beginning::Restarted) {
            self.remember_moves(now);
        }
        let same_life = heard.beginning != Some(Beginning::Restarted);
        let known = self.theirs.as_ref().filter(|_| same_life).map(|theirs| theirs.version);
        // It wants to know that we have heard.
        self.dirty |= known != Some(message.version);
        // It speaks some time after it has heard us even when all is well.
        let usual = self.config.heartbeat * 2;
        self.unheard_for = Duration::from_nanos(message.held).saturating_sub(usual);
        let node = message.statement.node.clone();
        self.alive = true;
        let gone = message.statement.stopped && self.theirs.is_some();
        let was_gone = core::mem::replace(&mut self.gone, gone);
        if gone {
            if let Some(theirs) = &mut self.theirs {
                (theirs.version, theirs.seen) = (message.version, message.seen);
            }
            self.one_way.forget();
            if !was_gone {
                out.push(Output::Tell(Event::PeerStopped { node }));
            }
            return !was_gone;
        }
        self.told_at = Some(now);
        self.theirs = Some(Heard { version: message.version, seen: message.seen, statement: message.statement });
        if heard.beginning.is_some() || was_gone {
            self.discard_told = false;
            let restarted = heard.beginning == Some(Beginning::Restarted);
            out.push(Output::Tell(Event::PeerHeard { node, restarted }));
        }
        self.note_deafness(now, out);
        self.note_one_way(now, out);
        true
    }

    /// Tells once that the peer speaks and does not hear us.
    fn note_deafness(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Some(node) = self.deaf_node(now) else {
            (self.deaf_since, self.deaf_told) = (None, false);
            return;
        };
        // After a cut its first words are still those of one who has heard nothing.
        let since = *self.deaf_since.get_or_insert(now);
        if now.since(since) >= self.config.dead_after && !core::mem::replace(&mut self.deaf_told, true) {
            out.push(Output::Tell(Event::PeerDeaf { node }));
        }
    }

    /// Who speaks, but has not heard us for as long as it takes to be taken for dead.
    fn deaf_node(&self, now: Instant) -> Option<Name> {
        if self.is_alive() {
            return (self.unheard_for >= self.config.dead_after).then(|| self.node());
        }
        self.link.speaks_in_vain(now).cloned()
    }

    /// Tells of paths that work in one direction only, while the peer is there.
    fn note_one_way(&mut self, now: Instant, out: &mut Vec<Output>) {
        // Where nothing of ours arrives, no path is different from the others.
        let theirs = self.statement().map(|statement| statement.paths.clone()).filter(|theirs| theirs.contains(&true));
        let Some(theirs) = theirs else { return self.one_way.forget() };
        let news = self.one_way.note(now, &self.link.paths_work(), &theirs, self.config.dead_after);
        for (path, here) in news {
            out.push(Output::Tell(Event::PathOneWay { path, here }));
        }
    }

    /// A life of the peer is over: what it told of moves is not forgotten with it.
    fn remember_moves(&mut self, now: Instant) {
        let Some(theirs) = &self.theirs else { return };
        let told_at = self.told_at.unwrap_or(now);
        let services = theirs.statement.routers.iter().flat_map(|router| &router.services);
        for (service, age) in services.flat_map(|service| service.moves.iter().map(|age| (&service.name, *age))) {
            // The life before that one may have told it already.
            let is_it = |one: &FormerMove| one.service == *service && one.age_at(told_at).abs_diff(age) < SAME_MOVE;
            if !self.former_moves.iter().any(is_it) {
                self.former_moves.push(FormerMove { service: service.clone(), told_at, age });
            }
        }
        let excess = self.former_moves.len().saturating_sub(MOST_MOVES);
        self.former_moves.drain(..excess);
    }

    /// Moves because of a service in former lives of the peer, within this span, that it has forgotten since: those that
    /// it still tells are as long ago as `known`.
    pub(crate) fn former_moves(&self, service: &Name, now: Instant, within: Duration, known: &[Duration]) -> usize {
        let ages = self.former_moves.iter().filter(|one| one.service == *service).map(|one| one.age_at(now));
        let told = |age: &Duration| known.iter().any(|told| told.abs_diff(*age) < SAME_MOVE);
        ages.filter(|age| *age < within && !told(age)).count()
    }

    /// An operator has seen to it.
    pub(crate) fn forgive(&mut self) {
        self.former_moves.clear();
    }

    /// Notices silence. Returns whether the peer has just been taken for dead.
    pub(crate) fn handle_timer(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let silence = self.link.note_silence(now);
        self.alive &= silence.is_none();
        for path in self.link.note_silent_paths(now) {
            out.push(Output::Tell(Event::PathChanged { path, works: false }));
        }
        self.note_one_way(now, out);
        let Some(silence) = silence.filter(|_| !self.gone) else { return false };
        out.push(Output::Tell(Event::PeerSilent { node: self.node(), silence }));
        true
    }

    /// Whether the peer may be about to take us for dead although only the side channel is broken: our routers should
    /// speak up on the way of their own, so that it hears better.
    pub(crate) fn is_in_doubt(&mut self, now: Instant) -> bool {
        let Some(doubt_at) = self.doubt_at() else { return false };
        if now < doubt_at {
            return false;
        }
        self.spoke_up_at = Some(now);
        true
    }

    fn doubt_at(&self) -> Option<Instant> {
        let heard_at = self.link.heard_at().filter(|_| self.is_alive())?;
        let patience = self.config.dead_after / 2;
        let doubt_at = heard_at + patience.saturating_sub(self.unheard_for);
        Some(self.spoke_up_at.map_or(doubt_at, |at| doubt_at.max(at + patience)))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let one_way = self.one_way.deadline(self.config.dead_after);
        let next = [
            Some(self.link.next_heartbeat_at()),
            self.link.silent_at(),
            self.link.path_silent_at(),
            self.doubt_at(),
            one_way,
        ];
        next.into_iter().flatten().min()
    }

    /// Says what is to be said, if it is new or if it is time. `lasting` is the statement without what only grows
    /// older, `whole` the same with it.
    pub(crate) fn say(
        &mut self,
        now: Instant,
        lasting: Statement,
        whole: impl FnOnce(Statement) -> Statement,
        out: &mut Vec<Output>,
    ) {
        let changed = self.said.as_ref() != Some(&lasting);
        if changed {
            self.version += 1;
        }
        if !changed && !self.dirty && now < self.link.next_heartbeat_at() {
            return;
        }
        self.dirty = false;
        let statement = whole(lasting.clone());
        self.said = Some(lasting);
        let seen = self.theirs.as_ref().map_or(0, |theirs| theirs.version);
        let octets = self.link.write(now, self.version, seen, &statement);
        for path in 0..self.config.paths {
            out.push(Output::SendBaton { path, octets: octets.clone() });
        }
    }

    pub(crate) fn view(&self) -> PeerView {
        let routers = self.theirs.as_ref().map(|theirs| theirs.statement.routers.iter().map(router_view).collect());
        PeerView {
            node: self.node(),
            alive: self.is_alive(),
            heard_at: self.heard_at(),
            paths: self.link.paths_heard_at(),
            round_trip: self.link.round_trip(),
            discarded: self.link.discarded(),
            last_discard: self.last_discard,
            deaf_at: self.deaf_told.then(|| self.link.spoke_at()).flatten(),
            one_way: self.one_way.view().collect(),
            routers: routers.unwrap_or_default(),
        }
    }
}

fn router_view(theirs: &RouterStatement) -> PeerRouterView {
    use crate::wire::baton::Stance;
    PeerRouterView {
        name: theirs.name.clone(),
        state: match theirs.stance {
            Stance::Out => crate::StateName::Initialize,
            Stance::Standby | Stance::Claiming => crate::StateName::Backup,
            Stance::Active | Stance::Offering(_) | Stance::Releasing(_) => crate::StateName::Active,
        },
        priority: theirs.priority,
        epoch: theirs.epoch,
        held: theirs.held,
        services: theirs
            .services
            .iter()
            .map(|service| PeerServiceView {
                name: service.name.clone(),
                state: service.state,
                healthy: service.healthy,
                readiness: service.readiness.clone(),
                failed: service.failed,
            })
            .collect(),
    }
}
