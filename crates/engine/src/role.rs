//! The role of one router between two nodes: who may take it, and how it changes hands.
//!
//! Each node publishes its stance; nothing else is ever said. Whoever wants the role says so ([`Stance::Claiming`]), and
//! takes it when the other's next words, spoken after it had heard that, deny nothing. Whoever has it and shall let it
//! go offers it first, then ends its services, then lets go; the other one claims. So two nodes that hear each other
//! are never active at once, whatever is lost, late or doubled on the way.

#[cfg(test)]
mod tests;

use alloc::collections::BTreeSet;
use core::net::IpAddr;
use core::time::Duration;

use crate::coordinate::Understanding;
use crate::wire::baton::{RouterStatement, Stance};
use crate::{Cause, HandoverReason, HeldBy, Instant, Name, Priority, RefusedCommand, ServiceStateName, StateName};

/// An offer that is not answered by then is withdrawn.
const OFFER_PATIENCE: Duration = Duration::from_secs(1);
/// Who has let go waits so long for the other one to take the role before it counts on its own timer again.
const RELEASE_PATIENCE: Duration = Duration::from_secs(3);
/// An operator's wish to have the role here that could not be met by then is given up.
const WISH_PATIENCE: Duration = Duration::from_secs(5);
/// A role that was kept because the other node could not take it after all is not offered again by itself for this long at first;
/// each time doubles it,
const FIRST_REST: Duration = Duration::from_secs(60);
/// but not beyond this.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// A hand-over whose end is not seen so long after it should have been is not waited for any more.
const PROGRESS_PATIENCE: Duration = Duration::from_secs(120);

/// A claim and since when it can have been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Claim {
    version: u64,
    at: Instant,
    cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    version: u64,
    until: Instant,
    reason: HandoverReason,
}

/// A hand-over that is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) to_us: bool,
    pub(crate) begun_at: Instant,
    until: Instant,
    /// Who lets go has said so. Otherwise it was asked for here, and what was there is known when it is heard again.
    pub(crate) in_order: bool,
}

impl Progress {
    /// `longest` is how long its services may take.
    pub(crate) fn new(now: Instant, to_us: bool, in_order: bool, longest: Duration) -> Self {
        Self { to_us, begun_at: now, until: now + longest + PROGRESS_PATIENCE, in_order }
    }
}

/// What goes on about the role of one router.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// The router's state when it was looked at last.
    pub(crate) state: StateName,
    /// Counts the takings in the pair; the newest that is known.
    pub(crate) epoch: u64,
    /// The epoch in which this node has or had the role last.
    taken: u64,
    pub(crate) held_by: BTreeSet<HeldBy>,
    /// An operator stopped the service here by hand, so that starting it by hand ends that.
    pub(crate) stood_back: bool,
    /// It had the role last, as far as it knows: neither a latch nor maintenance keeps it from having it again.
    pub(crate) is_keeper: bool,
    /// It was that, and has let it go; nobody is known to have taken it since.
    was_keeper: bool,
    /// It stands back because it was let go, and only as long as that comes to something.
    sent_away: bool,
    claim: Option<Claim>,
    offer: Option<Offer>,
    /// Why it lets go.
    leaving_for: Option<HandoverReason>,
    /// The other node has had another router of its group apart from it, and has that one's services.
    pub(crate) is_apart: bool,
    /// It has let go in order; the other one shall take it.
    released_until: Option<Instant>,
    /// It was kept because the other node could not take it: until then it is not offered by itself.
    rests_until: Option<Instant>,
    /// How long that was the last time.
    rest: Duration,
    /// An operator wants it here.
    asked_until: Option<Instant>,
    /// An operator wants it there.
    sent_until: Option<Instant>,
    /// Since when this node has been the better one and could have the role.
    better_since: Option<Instant>,
    /// And that for long enough.
    wants_it_back: bool,
    /// It would want it back, but what runs there has only just been started.
    waits_for_start: bool,
    /// It wanted the role back, and the other one lets it go.
    comes_back: bool,
    /// The peer had the role when it was taken for dead or said goodbye, at that moment.
    pub(crate) orphaned: Option<(Cause, Instant)>,
    pub(crate) progress: Option<Progress>,
    pub(crate) told: Told,
    /// What is in the way of the two nodes' understanding each other.
    pub(crate) understanding: Understanding,
}

/// What has been told once already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) dual: bool,
    pub(crate) no_counterpart: bool,
}

/// This node, as far as the role is concerned.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) node: Name,
    pub(crate) state: StateName,
    /// Active and letting go.
    pub(crate) leaving: bool,
    /// And nothing but that makes it go.
    pub(crate) may_stay: bool,
    /// Of those that share the role, one is not Active.
    pub(crate) torn: bool,
    /// The router of which the other node speaks is Active.
    pub(crate) meets: bool,
    /// How long its services may take to end there and to come up here, or the other way.
    pub(crate) longest_move: Duration,
    /// Something of its services is left here.
    pub(crate) busy: bool,
    /// That is so only because a former life of this daemon had the role.
    pub(crate) resumes: bool,
    /// Something of them runs here, or may run, as the other node is told.
    pub(crate) runs: bool,
    /// What had been running here cannot be seen, and cannot be ended for the other node.
    pub(crate) blind: bool,
    /// Its services could be started here.
    pub(crate) ready: Result<(), Name>,
    /// That has been found out, and is not only hoped.
    pub(crate) known_ready: bool,
    /// Why those that share the role and are not Active would become so, if all of them would.
    pub(crate) due: Option<Cause>,
    pub(crate) priority: Priority,
    pub(crate) address: Option<IpAddr>,
    /// It takes the role back by itself when it is the better one, after this long.
    pub(crate) preempts_after: Option<Duration>,
    /// Maintenance: nothing happens by itself.
    pub(crate) frozen: bool,
    /// Maintenance, and the role is not this node's.
    pub(crate) waits: bool,
    pub(crate) latched: bool,
    /// Latched, whoever had the role last.
    pub(crate) pair_latched: bool,
    pub(crate) stopping: bool,
}

/// The other node, as far as the role is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum There<'a> {
    /// None is configured: VRRP decides.
    Alone,
    /// None is heard.
    Nobody,
    /// It is heard and has no such router.
    Stranger,
    /// It is heard and says this, having taken in what we said in `seen`.
    Heard { node: &'a Name, says: &'a RouterStatement, seen: u64, grants_within: Duration },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    TakeOver(Cause),
    /// Claims, or claims again.
    Claim(Cause),
    Unclaim,
    Offer(HandoverReason),
    Withdraw(RefusedCommand),
    LetGo(HandoverReason),
    /// Ends what a former life left running: the other one shall have the role.
    GiveUp,
    /// Keeps the role after all: there is nobody to take it.
    Keep(RefusedCommand),
    /// An offer that other things have overtaken.
    DropOffer,
    Yield,
}

impl Role {
    pub(crate) const fn new() -> Self {
        Self {
            state: StateName::Initialize,
            epoch: 0,
            taken: 0,
            held_by: BTreeSet::new(),
            stood_back: false,
            is_keeper: false,
            was_keeper: false,
            sent_away: false,
            claim: None,
            offer: None,
            leaving_for: None,
            released_until: None,
            is_apart: false,
            rests_until: None,
            rest: Duration::ZERO,
            asked_until: None,
            sent_until: None,
            better_since: None,
            wants_it_back: false,
            waits_for_start: false,
            comes_back: false,
            orphaned: None,
            progress: None,
            told: Told { dual: false, no_counterpart: false },
            understanding: Understanding::new(),
        }
    }

    /// Whether the role that has just come was wanted back.
    pub(crate) const fn take_return(&mut self) -> bool {
        core::mem::replace(&mut self.comes_back, false)
    }

    pub(crate) const fn is_claiming(&self) -> bool {
        self.claim.is_some()
    }

    pub(crate) const fn is_offering(&self) -> bool {
        self.offer.is_some()
    }

    pub(crate) fn is_held(&self) -> bool {
        !self.held_by.is_empty()
    }

    /// What a former life of this daemon remembered; `active`: it had the role last.
    pub(crate) fn restore(&mut self, epoch: u64, active: bool) {
        self.epoch = epoch;
        self.taken = if active { epoch } else { 0 };
        self.is_keeper = active;
    }

    /// Speaks for a group for which another router has spoken so far.
    pub(crate) fn succeed(&mut self, speaker: &Self) {
        self.epoch = self.epoch.max(speaker.epoch);
        self.taken = self.taken.max(speaker.taken);
        self.is_keeper |= speaker.is_keeper;
        self.was_keeper |= speaker.was_keeper;
        self.held_by.extend(&speaker.held_by);
        self.stood_back |= speaker.stood_back;
        self.sent_away |= speaker.sent_away;
        self.leaving_for = self.leaving_for.or(speaker.leaving_for);
    }

    /// Another router speaks for it from now on, and stands back or not.
    pub(crate) fn fall_silent(&mut self) {
        self.held_by.clear();
        (self.stood_back, self.sent_away) = (false, false);
        self.end_talks();
    }

    /// There is no other node any more.
    pub(crate) fn part(&mut self) {
        let Self { told, understanding, .. } = Self::new();
        self.end_talks();
        (self.told, self.understanding) = (told, understanding);
    }

    fn end_talks(&mut self) {
        (self.claim, self.offer, self.orphaned, self.progress) = (None, None, None, None);
        (self.released_until, self.asked_until, self.sent_until, self.better_since) = (None, None, None, None);
        (self.wants_it_back, self.waits_for_start) = (false, false);
    }

    /// An operator wants it here.
    pub(crate) fn ask(&mut self, now: Instant) {
        self.asked_until = Some(now + WISH_PATIENCE);
    }

    /// An operator wants it there.
    pub(crate) fn send(&mut self, now: Instant) {
        self.sent_until = Some(now + WISH_PATIENCE);
    }

    pub(crate) fn deadline(&self, dead_after: Duration, preempt_delay: Duration) -> Option<Instant> {
        let claim = self.claim.map(|claim| claim.at + dead_after);
        let offer = self.offer.map(|offer| offer.until);
        let waits = !self.wants_it_back && !self.waits_for_start;
        let better = self.better_since.filter(|_| waits).map(|since| since + preempt_delay);
        let progress = self.progress.map(|progress| progress.until);
        [claim, offer, progress, self.rests_until, self.released_until, self.asked_until, self.sent_until, better]
            .into_iter()
            .flatten()
            .min()
    }

    // ── what is published ─────────────────────────────────────────────────────────────────────────────

    pub(crate) fn stance(&self, here: &Here) -> Stance {
        let leaving_for = self.leaving_for.unwrap_or(HandoverReason::Leaving);
        match (here.state, self.offer, self.claim) {
            (StateName::Active, ..) if here.leaving => Stance::Releasing(leaving_for),
            (StateName::Active, Some(offer), _) => Stance::Offering(offer.reason),
            (StateName::Active, None, _) => Stance::Active,
            (StateName::Backup, _, Some(_)) => Stance::Claiming,
            (StateName::Initialize | StateName::Backup, ..) if here.busy => Stance::Releasing(leaving_for),
            (StateName::Backup, _, None) => Stance::Standby,
            (StateName::Initialize, ..) => Stance::Out,
        }
    }

    pub(crate) const fn has_released(&self) -> bool {
        self.released_until.is_some()
    }

    /// What this node wants of the one that has the role.
    pub(crate) fn wants(&self, here: &Here) -> Option<HandoverReason> {
        if here.state != StateName::Backup {
            None
        } else if self.asked_until.is_some() {
            Some(HandoverReason::Operator)
        } else {
            self.wants_it_back.then_some(HandoverReason::Failback)
        }
    }

    // ── what happened ─────────────────────────────────────────────────────────────────────────────────

    /// The router's state is another one; returns the one before. `resumed`: this is no new taking;
    /// `maintained`: nothing moves by itself.
    pub(crate) fn changed(
        &mut self,
        now: Instant,
        state: StateName,
        peer_listens: bool,
        resumed: bool,
        maintained: bool,
    ) -> StateName {
        let before = core::mem::replace(&mut self.state, state);
        self.claim = None;
        self.offer = None;
        self.sent_until = None;
        self.better_since = None;
        self.wants_it_back = false;
        self.waits_for_start = false;
        self.orphaned = None;
        (self.rests_until, self.rest) = (None, Duration::ZERO);
        match state {
            StateName::Active => {
                // Nobody resumes what the other node has had since.
                self.epoch += u64::from(!resumed || self.epoch != self.taken || self.epoch == 0);
                self.taken = self.epoch;
                (self.is_keeper, self.was_keeper) = (true, false);
                self.progress.take_if(|progress| !progress.to_us);
                self.released_until = None;
                self.asked_until = None;
                self.leaving_for = None;
            }
            StateName::Initialize | StateName::Backup => {
                self.comes_back = false;
                self.progress.take_if(|progress| progress.to_us);
                // Who lost it to somebody better has not let it go.
                let let_go = self.leaving_for.is_some() || (state == StateName::Initialize && !maintained);
                if self.leaving_for.is_some() {
                    self.was_keeper |= core::mem::take(&mut self.is_keeper);
                }
                if before == StateName::Active && peer_listens && let_go {
                    self.released_until = Some(now + RELEASE_PATIENCE);
                }
            }
        }
        before
    }

    pub(crate) const fn claimed(&mut self, now: Instant, version: u64, cause: Cause) {
        self.claim = Some(Claim { version, at: now, cause });
    }

    pub(crate) const fn unclaimed(&mut self) {
        self.claim = None;
    }

    pub(crate) fn offered(&mut self, now: Instant, version: u64, reason: HandoverReason) {
        self.offer = Some(Offer { version, until: now + OFFER_PATIENCE, reason });
    }

    pub(crate) const fn withdrawn(&mut self) {
        self.offer = None;
        self.sent_until = None;
    }

    /// It lets the role go. `comes_back`: it would take it back at once, against the operator's will. Returns whether
    /// it stands back because of that.
    pub(crate) fn lets_go(&mut self, reason: HandoverReason, comes_back: bool) -> bool {
        self.offer = None;
        self.sent_until = None;
        self.leaving_for = Some(reason);
        self.sent_away = reason == HandoverReason::Operator && comes_back && self.held_by.insert(HeldBy::Operator);
        self.sent_away
    }

    /// The other node could not take it after all: whoever wants it to move by itself waits for a while, for the services have
    /// rested in vain.
    pub(crate) fn rests_from_offers(&mut self, now: Instant) {
        self.rest = (self.rest * 2).clamp(FIRST_REST, LONGEST_REST);
        self.rests_until = Some(now + self.rest);
    }

    /// It does not let the role go after all. Returns whether it no longer stands back because of that.
    pub(crate) fn keeps(&mut self) -> bool {
        (self.leaving_for, self.asked_until, self.sent_until) = (None, None, None);
        core::mem::take(&mut self.sent_away) && self.held_by.remove(&HeldBy::Operator)
    }

    /// Forgets what is over by now. Returns why a wish was not met, or a hand-over is not waited for any more.
    pub(crate) fn forget(&mut self, now: Instant) -> Option<RefusedCommand> {
        self.released_until.take_if(|until| *until <= now);
        self.rests_until.take_if(|until| *until <= now);
        let progress = self.progress.take_if(|progress| progress.until <= now);
        let asked = self.asked_until.take_if(|until| *until <= now);
        let sent = self.sent_until.take_if(|until| *until <= now);
        let unseen = progress.map(|_| RefusedCommand::NotReady(Name::from("nobody has seen that it came up")));
        asked.or(sent).map(|_| RefusedCommand::PeerSilent).or(unseen)
    }

    /// What the peer left is nobody's no longer, once it is there again or somebody else was heard.
    pub(crate) fn forget_orphans(&mut self, heard_at: Option<Instant>, there: There<'_>) {
        let is_back = matches!(there, There::Heard { .. } | There::Stranger);
        self.orphaned.take_if(|(_, since)| is_back || heard_at > Some(*since));
    }

    /// The peer has the role, or is letting it go. Returns whether it was asked for and is kept there after all.
    pub(crate) fn is_theirs(&mut self, now: Instant, leaving: bool, longest: Duration) -> bool {
        self.released_until = None;
        self.sent_away = false;
        if !matches!(self.state, StateName::Active) {
            self.keeps_no_more();
        }
        // What was asked for has begun, however long it takes; and who has asked waits to hear that it has come, also if it comes
        // otherwise in the end.
        if leaving && self.asked_until.take().is_some() {
            self.progress.get_or_insert(Progress::new(now, true, false, longest));
        }
        let is_kept = |progress: &mut Progress| !progress.in_order && !leaving;
        self.state == StateName::Backup && self.progress.take_if(is_kept).is_some()
    }

    /// The role is somebody else's, or this node could not keep it.
    pub(crate) const fn keeps_no_more(&mut self) {
        (self.is_keeper, self.was_keeper) = (false, false);
    }

    /// The other node has not taken what was let go, and cannot or will not: it is this node's as before.
    /// In maintenance it takes nothing without our answer to its claim, so that the last words of a silent one tell as much.
    pub(crate) fn is_left_to_us(&mut self, says: Option<&RouterStatement>, heard: bool, frozen: bool) {
        if let Some(says) = says.filter(|_| heard || frozen)
            && matches!(says.stance, Stance::Out | Stance::Standby)
            && says.epoch <= self.taken
            && (self.released_until.is_none() || cannot_take(says).is_some())
        {
            self.is_keeper |= core::mem::take(&mut self.was_keeper);
        }
    }

    /// Notices since when this node has been the better one.
    pub(crate) fn compare(&mut self, now: Instant, here: &Here, there: There<'_>) {
        let better = match there {
            There::Heard { says, .. } => {
                matches!(says.stance, Stance::Active | Stance::Offering(_))
                    && here.state == StateName::Backup
                    && here.preempts_after.is_some()
                    && here.priority > says.priority
                    && here.ready.is_ok()
                    && here.known_ready
                    && !self.is_held()
                    && !here.frozen
                    && !here.latched
                    && !here.stopping
            }
            There::Alone | There::Nobody | There::Stranger => false,
        };
        if better {
            let since = *self.better_since.get_or_insert(now);
            let is_time = here.preempts_after.is_some_and(|delay| now.since(since) >= delay);
            // Taken back before it serves, the service would rest twice. It serves soon, or it fails: no wait is longer than a
            // start and its grace, and a time in which nothing can be looked at there. What is being handed over already goes on.
            self.waits_for_start = is_time && !self.wants_it_back && is_coming_up(there);
            self.wants_it_back = is_time && !self.waits_for_start;
            self.comes_back |= self.wants_it_back;
        } else {
            self.better_since = None;
            self.waits_for_start = false;
            self.wants_it_back = false;
            self.comes_back &= matches!(there, There::Heard { says, .. } if says.stance != Stance::Active);
        }
    }

    // ── what to do ────────────────────────────────────────────────────────────────────────────────────

    /// One step from what is to what should be.
    pub(crate) fn next(&self, now: Instant, here: &Here, there: There<'_>) -> Step {
        match (here.state, there) {
            (StateName::Initialize, _) => Step::Nothing,
            (StateName::Backup, There::Alone | There::Nobody | There::Stranger) => self.backup_alone(here),
            (StateName::Backup, There::Heard { node, says, seen, grants_within }) => {
                self.backup(now, here, node, says, seen, grants_within)
            }
            (StateName::Active, There::Alone) => Step::Nothing,
            (StateName::Active, There::Nobody) => {
                if self.may_keep(here) {
                    Step::Keep(RefusedCommand::PeerSilent)
                } else if self.offer.is_some() {
                    Step::Withdraw(RefusedCommand::PeerSilent)
                } else {
                    Step::Nothing
                }
            }
            (StateName::Active, There::Stranger) => {
                if self.offer.is_some() {
                    Step::Withdraw(RefusedCommand::NotStandby)
                } else {
                    Step::Nothing
                }
            }
            (StateName::Active, There::Heard { says, seen, .. }) => self.active(now, here, says, seen),
        }
    }

    fn backup_alone(&self, here: &Here) -> Step {
        // What was handed over or goes on does not lapse when somebody is heard; what was due does.
        let lasts = |cause: &Cause| matches!(cause, Cause::HandedOver | Cause::Resumed);
        let claimed = self.claim.map(|claim| claim.cause).filter(lasts);
        let cause = self.orphaned.map(|(cause, _)| cause).or(claimed).or(here.due);
        match cause.filter(|_| !here.waits && !here.latched && (!here.busy || here.resumes)) {
            Some(cause) => Step::TakeOver(cause),
            None if self.claim.is_some() => Step::Unclaim,
            None => Step::Nothing,
        }
    }

    fn backup(
        &self,
        now: Instant,
        here: &Here,
        node: &Name,
        says: &RouterStatement,
        seen: u64,
        grants_within: Duration,
    ) -> Step {
        let free = matches!(says.stance, Stance::Out | Stance::Standby);
        let we_can = !self.is_held() && here.ready.is_ok();
        let they_can = !says.held && is_ready(says);
        // Where a service runs already, nothing has to be started. Both nodes must come to the same by what they tell.
        let ours = (here.runs, we_can, here.priority, here.address, &here.node);
        let theirs = (anything_runs(says), they_can, says.priority, says.address, node);
        let cause = if says.released && says.epoch >= self.epoch {
            Some(Cause::HandedOver)
        } else if here.resumes {
            Some(Cause::Resumed)
        } else {
            here.due
        };
        let yields = says.stance == Stance::Claiming && theirs > ours;
        let wanted = cause.is_some()
            && (!here.waits || says.released)
            && (!here.latched || says.released)
            && (!here.busy || here.resumes);
        // Whoever stands back, or could not start it, leaves it to the other one if that can have it.
        let other_can = they_can && matches!(says.stance, Stance::Standby | Stance::Claiming);
        // In maintenance the other one waits, so nobody would have it; and what is not seen cannot be given up.
        let is_keeper = here.frozen && !here.waits && !self.has_released();
        let goes_on = is_keeper || (here.resumes && (here.frozen || here.blind));
        let leaves_it = (!we_can || self.has_released()) && other_can && !goes_on;
        if here.resumes && leaves_it && free {
            return Step::GiveUp;
        }
        match (self.claim, cause) {
            (Some(_), _) if !wanted || yields || leaves_it || (!free && says.stance != Stance::Claiming) => {
                Step::Unclaim
            }
            (Some(claim), _) if free && seen >= claim.version && now.since(claim.at) < grants_within => {
                Step::TakeOver(cause.filter(|cause| *cause == Cause::HandedOver).unwrap_or(claim.cause))
            }
            (Some(claim), _) if now.since(claim.at) >= grants_within => Step::Claim(claim.cause),
            (Some(_), _) => Step::Nothing,
            (None, Some(cause)) if wanted && !leaves_it && (free || (says.stance == Stance::Claiming && !yields)) => {
                Step::Claim(cause)
            }
            (None, _) => Step::Nothing,
        }
    }

    fn active(&self, now: Instant, here: &Here, says: &RouterStatement, seen: u64) -> Step {
        let dual = here.meets && matches!(says.stance, Stance::Active | Stance::Offering(_));
        if self.offer.is_some() && (dual || here.leaving) {
            return Step::DropOffer;
        }
        if dual {
            // As RFC 9568 §6.4.3 decides between two, so that both ways lead to the same end.
            let loses = (says.priority, says.address) > (here.priority, here.address);
            return if loses { Step::Yield } else { Step::Nothing };
        }
        if here.leaving {
            // It could take it when it was offered, and cannot any more.
            return cannot_take(says).filter(|_| self.may_keep(here)).map_or(Step::Nothing, Step::Keep);
        }
        let can_take = says.stance == Stance::Standby && is_ready(says);
        let reason = self.reason_to_offer(here, says);
        match (self.offer, reason) {
            (None, Some(reason)) if can_take => Step::Offer(reason),
            (Some(offer), Some(_)) if can_take && seen >= offer.version => Step::LetGo(offer.reason),
            (Some(offer), Some(_)) if can_take && now < offer.until => Step::Nothing,
            (Some(_), Some(_)) if can_take => Step::Withdraw(RefusedCommand::PeerSilent),
            (Some(_), _) if says.stance == Stance::Standby => match says.services.iter().find_map(unready) {
                Some(reason) => Step::Withdraw(RefusedCommand::NotReady(reason)),
                None => Step::Withdraw(RefusedCommand::NotStandby),
            },
            (Some(_), _) => Step::Withdraw(RefusedCommand::NotStandby),
            (None, _) => Step::Nothing,
        }
    }

    /// What goes for the sake of somebody who can no longer take it is taken back, but not half of it.
    fn may_keep(&self, here: &Here) -> bool {
        let whole = !here.torn || here.due.is_some();
        here.leaving && here.may_stay && whole && !here.stopping && self.leaving_for.is_some_and(is_for_the_other)
    }

    fn reason_to_offer(&self, here: &Here, says: &RouterStatement) -> Option<HandoverReason> {
        if here.stopping {
            return None;
        }
        if self.sent_until.is_some() {
            return Some(HandoverReason::Operator);
        }
        match says.wants {
            Some(HandoverReason::Operator) => return Some(HandoverReason::Operator),
            Some(_) | None if self.rests_until.is_some() => return None,
            Some(reason) if !here.frozen && !here.pair_latched && !says.held => return Some(reason),
            Some(_) | None => {}
        }
        if !self.is_held() || says.held {
            None
        } else if self.held_by.contains(&HeldBy::Operator) {
            Some(HandoverReason::Operator)
        } else {
            Some(HandoverReason::Held)
        }
    }
}

/// Whether a role that goes for this reason goes for the other node's sake.
const fn is_for_the_other(reason: HandoverReason) -> bool {
    matches!(reason, HandoverReason::Operator | HandoverReason::Failback | HandoverReason::Held)
}

/// Whether something of a service in this state is there, or may be.
pub(crate) const fn may_run(state: ServiceStateName) -> bool {
    matches!(state, ServiceStateName::Running | ServiceStateName::Unknown)
}

/// Whether something of its services is on that node, or may be.
pub(crate) fn anything_runs(says: &RouterStatement) -> bool {
    says.services.iter().any(|service| may_run(service.state))
}

/// Whether that node could run its services, as far as it says.
pub(crate) fn is_ready(says: &RouterStatement) -> bool {
    says.services.iter().all(|service| unready(service).is_none())
}

/// What keeps that node from taking a role that is let go for it.
fn cannot_take(says: &RouterStatement) -> Option<RefusedCommand> {
    match says.stance {
        Stance::Out => Some(RefusedCommand::NotStandby),
        Stance::Standby if says.held => Some(RefusedCommand::NotStandby),
        Stance::Standby => says.services.iter().find_map(unready).map(RefusedCommand::NotReady),
        Stance::Claiming | Stance::Active | Stance::Offering(_) | Stance::Releasing(_) => None,
    }
}

/// Why a service could not be started there.
pub(crate) fn unready(service: &crate::wire::baton::ServiceStatement) -> Option<Name> {
    match &service.readiness {
        _ if service.failed => Some(Name::from("it has failed there")),
        Some(Err(reason)) => Some(reason.clone()),
        None | Some(Ok(())) => None,
    }
}

/// Whether a service has been found out to be one that could be started there.
pub(crate) fn is_known_ready(service: &crate::wire::baton::ServiceStatement) -> bool {
    !service.failed && service.readiness == Some(Ok(())) && service.state == ServiceStateName::Stopped
}

/// Whether a service has been started there and has not served yet.
fn is_coming_up(there: There<'_>) -> bool {
    let There::Heard { says, .. } = there else { return false };
    says.services.iter().any(|service| match service.state {
        ServiceStateName::Starting => true,
        ServiceStateName::Running => service.running_for.is_none(),
        ServiceStateName::Unknown | ServiceStateName::Stopped | ServiceStateName::Stopping => false,
    })
}

/// Whether that node's services serve.
pub(crate) fn is_up(says: &RouterStatement) -> bool {
    says.services.iter().all(|service| service.running_for.is_some())
}
