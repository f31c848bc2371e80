//! What a virtual router makes of the advertisements that it hears.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::{Backup, Brief, GivesWay, LOWER_PRIORITY_BIT, State, Surroundings, VirtualRouter};
use crate::vrrp::election::{self, Contest};
use crate::vrrp::receive::{self, Accepted, Oddity};
use crate::vrrp::timers;
use crate::{Cause, Event, Instant, NoticeKind, Output, Priority};

impl VirtualRouter {
    /// RFC 9568 §6.4.2.
    pub(super) fn hear_as_backup(
        &mut self,
        now: Instant,
        accepted: &Accepted<'_>,
        around: &Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        let (from, theirs) = (accepted.source, accepted.advertisement.priority);
        // A node that stands back does not preempt, and the other Tanist is asked instead. Where it is silent, only what has services
        // waits for it: it may run them because we could not.
        let polite = around.brief(self.id).is_some_and(|brief| {
            let is_asked = brief.peer_address == Some(from) && (brief.ordered || brief.paired);
            brief.stands_back || brief.waits || is_asked
        });
        // With a word on the side channel, the role goes to whom it was given.
        let (gives_way_for, ordered) =
            around.brief(self.id).map_or((None, false), |brief| (brief.gives_way_for, brief.ordered));
        let interval = self.config.advertisement_interval.as_duration();
        let has_just_let_go = !ordered && self.cause == Cause::LetGo && now.since(self.since) < interval;
        let State::Backup(backup) = &mut self.state else { return };
        backup.listened_again = false;
        backup.heard_at = Some(now);
        if let Some(gives_way) = &mut backup.gives_way {
            gives_way.contested |= backup.active_router.is_none_or(|(address, _)| address != from);
        }
        if theirs == Priority::RESIGN {
            backup.resigned_at = Some(now);
            let skew = timers::skew_time(self.config.version, self.effective_priority, backup.active_adver_interval);
            backup.active_down_at = now + skew;
            out.push(Output::Tell(Event::ResignationHeard { router: self.id, from }));
            return;
        }
        // RFC 9568 §6.1: the address owner preempts whatever Preempt_Mode says.
        let owner = self.effective_priority.is_address_owner();
        if theirs >= self.effective_priority {
            backup.better_since = None;
        } else if (self.config.preempt_mode || owner) && !polite {
            let delay = if owner { Duration::ZERO } else { self.config.preempt_delay };
            let since = *backup.better_since.get_or_insert(now);
            if now.since(since) >= delay {
                if self.tell_once(LOWER_PRIORITY_BIT) {
                    let event = Event::LowerPriorityIgnored { router: self.id, from, priority: theirs };
                    out.push(Output::Tell(event));
                }
                return;
            }
        } else {
            backup.better_since = None;
        }
        let was_vacant = backup.due.take().is_some() || backup.resigned_at.is_some();
        let before = backup.active_router.replace((from, theirs)).map(|(address, _)| address);
        backup.resigned_at = None;
        // A part was lost before somebody better for this one was heard. Or others have met meanwhile and have lost a part, too:
        // the better one of them needs one more try, with fewer in its way. Who stays Active is heard without a pause, so
        // that this ends.
        let gives_way = backup.gives_way.filter(|gives_way| gives_way.until > now);
        let is_new = gives_way.is_some() && (was_vacant || before != Some(from));
        if (is_new || has_just_let_go)
            && let Some(span) = gives_way_for
            && election::contest(self.effective_priority, self.primary_address, theirs, from) != Contest::Wins
        {
            let contested = gives_way.is_some_and(|gives_way| gives_way.contested);
            backup.gives_way = Some(GivesWay { since: now, until: now + span, contested });
        }
        let known = backup.active_adver_interval;
        let stated = receive::stated_interval(self.config.version, &accepted.advertisement).unwrap_or(known);
        // A loser's last advertisement comes behind the winner's first. Waiting by the loser's shorter interval
        // would end before the winner speaks again; who stays is heard a second time and followed then.
        let learned = if before.is_some_and(|before| before != from) { stated.max(known) } else { stated };
        backup.active_adver_interval = learned;
        backup.active_down_at = now + self.config.active_down_interval(self.effective_priority, learned);
        if learned != known {
            out.push(Output::Tell(Event::IntervalLearned { router: self.id, from: known, to: learned }));
        }
        if before != Some(from) {
            self.told = 0;
            out.push(Output::Tell(Event::ActiveRouterChanged { router: self.id, from: before, to: from }));
        }
    }

    /// RFC 9568 §6.4.3.
    pub(super) fn hear_as_active(
        &mut self,
        now: Instant,
        accepted: &Accepted<'_>,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        let (from, theirs) = (accepted.source, accepted.advertisement.priority);
        let ours = self.effective_priority;
        if theirs == Priority::RESIGN {
            out.push(Output::Tell(Event::ResignationHeard { router: self.id, from }));
            self.advertise(now, out);
            return;
        }
        if theirs.is_address_owner() && ours.is_address_owner() {
            out.push(Output::Tell(Event::OwnerConflict { router: self.id, from }));
        }
        // It was under way when its sender let the role go, or gave way to the peer, which has handed it over since: the word
        // on the side channel has overtaken it. Whoever gives way to that gives the role back to somebody who has just lost it.
        let is_late = around.brief(self.id).is_some_and(|brief| {
            let from_peer = brief.ordered && brief.peer_is_free && brief.peer_address == Some(from);
            from_peer || self.was_beaten_by_the_peer(now, theirs, from, brief)
        });
        let cause = match election::contest(ours, self.primary_address, theirs, from) {
            Contest::Wins => return self.answer(now, from, theirs, around, out),
            Contest::LosesToPriority | Contest::LosesToAddress if is_late => return,
            Contest::LosesToPriority => Cause::HigherPriority { from, priority: theirs },
            Contest::LosesToAddress => Cause::HigherAddress { from, priority: theirs },
        };
        // One last advertisement: the winner learns that there were two and announces the addresses again,
        // so that nobody stays stranded on us after a partition has healed.
        if !self.config.deviations.silent_loser {
            self.send(now, ours, out);
        }
        let interval = receive::stated_interval(self.config.version, &accepted.advertisement)
            .unwrap_or(self.config.advertisement_interval);
        self.become_backup(now, cause, Some((from, theirs)), interval, around, out);
        let span = around.brief(self.id).and_then(|brief| brief.gives_way_for);
        if let State::Backup(backup) = &mut self.state {
            backup.gives_way = span.map(|span| GivesWay { since: now, until: now + span, contested: false });
        }
    }

    /// Whether this is the last word of a router that had given way to the peer, which has handed the role over since. It comes
    /// at once; had it taken over meanwhile, it would have waited for its skew time. And who is Active says so again.
    fn was_beaten_by_the_peer(&self, now: Instant, theirs: Priority, from: IpAddr, brief: &Brief) -> bool {
        let skew = timers::skew_time(self.config.version, theirs, self.config.advertisement_interval);
        let was_better = |priority| election::contest(priority, brief.peer_address, theirs, from) == Contest::Wins;
        self.cause == Cause::HandedOver
            && now.since(self.since) < skew / 2
            && brief.peer_address != Some(from)
            && brief.peer_priority.is_some_and(was_better)
    }

    /// RFC 9568 §6.4.3: a losing advertisement is answered at once, so that its sender and the switches learn.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        from: IpAddr,
        theirs: Priority,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        let slack = timers::advertisement_slack(self.config.advertisement_interval);
        let (repeat, delay) = (self.config.announce.lower_priority_repeat, self.config.announce.lower_priority_delay);
        let State::Active(active) = &mut self.state else { return };
        // Two routers that both believe to win must not answer each other without end. But who spoke now may
        // have announced the addresses since the last answer.
        if active.answered_at.is_some_and(|answered_at| now.since(answered_at) < slack) {
            return self.announce_all(now, 0..1, around, out);
        }
        active.answered_at = Some(now);
        active.lower_priority_burst_at = (!delay.is_zero()).then(|| now + delay);
        // With too small a number in its header, that was not believed.
        let just_advertised = now.since(active.advertised_at) < slack && !self.freshness.is_exceeded();
        let ours = self.effective_priority;
        out.push(Output::Tell(Event::LosingAdvertisementAnswered { router: self.id, from, priority: theirs, ours }));
        if !just_advertised && !self.config.deviations.silent_winner {
            self.advertise(now, out);
        }
        self.announce_all(now, 0..repeat, around, out);
        self.notify(NoticeKind::ActiveHeardLowerPriority, out);
    }

    /// Counts what is odd about an advertisement, one oddity of each kind.
    pub(super) fn inspect(&mut self, accepted: &Accepted<'_>) -> [Option<Oddity>; Oddity::COUNT] {
        let known = matches!(&self.state, State::Backup(Backup { active_router: Some((address, _)), .. }) if *address == accepted.source);
        let compare_addresses = !(self.config.skip_check_adv_addr && known);
        let mut odd: [Option<Oddity>; Oddity::COUNT] = [None; Oddity::COUNT];
        receive::inspect(&self.config, &accepted.advertisement, compare_addresses, |oddity| {
            odd[oddity.index()] = Some(oddity);
        });
        for oddity in odd.iter().flatten() {
            self.statistics.odd[oddity.index()] += 1;
        }
        odd
    }

    /// Whether something with this index has not been told since the state or the Active router changed.
    pub(super) fn tell_once(&mut self, index: usize) -> bool {
        let bit = 1 << index;
        let told = self.told & bit != 0;
        self.told |= bit;
        !told
    }
}
