//! Sync groups: their routers are Active together or not at all.
//!
//! What keeps one of them out keeps all of them out, by name, so that nothing stale is left when it goes. None becomes
//! Active before all of them would; and when one of them is no longer Active, the others let go, too. With services, or
//! another Tanist, the first of them speaks for all.
//!
//! Where each of two nodes is the better one for a part of the group, both lose and let go. So that they do not do the same
//! again and again, the node whose first router has lost waits for longer than the other one.

use alloc::vec::Vec;
use core::time::Duration;

use super::{holds, spokesman, words};
use crate::pair::Pair;
use crate::role::{Role, Step, anything_runs, is_ready};
use crate::units::Units;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::baton::Stance;
use crate::{Cause, Engine, Event, Instant, NoticeKind, Output, StateName};

impl Engine {
    /// Those who share the role of `left`, who are no longer Active, let go. In maintenance nobody goes because of another's fault.
    pub(super) fn follow_out(&mut self, now: Instant, left: &[usize], out: &mut Vec<Output>) {
        let maintained = self.standing.in_maintenance();
        let is_kept = |left: &&usize| {
            let router = self.routers.get(**left);
            maintained
                && router.is_some_and(|router| router.state_name() == StateName::Initialize && !router.has_left())
        };
        let left = left.iter().filter(|left| !is_kept(left));
        for index in left.flat_map(|left| self.units.members(*left)).copied().collect::<Vec<_>>() {
            self.with_around(index, |router, around| router.let_go(now, around, out));
        }
    }

    /// Who shares the role of a router that has given up first does nothing of its own any more: nothing is announced, nothing sent.
    pub(crate) fn give_up_together(&mut self, now: Instant, out: &mut Vec<Output>) {
        let has_left = |index: &usize| {
            let state = self.routers.get(*index).map(|router| router.state_name());
            let before = self.roles.get(*index).map(|role| role.state);
            before == Some(StateName::Active) && state == Some(StateName::Backup) && self.units.is_grouped(*index)
        };
        let left: Vec<usize> = (0..self.routers.len()).filter(has_left).collect();
        if !left.is_empty() {
            self.follow_out(now, &left, out);
        }
    }

    /// A router whose group is Active is Active, too, once nobody else is heard. Returns whether one has become so.
    pub(super) fn follow_in(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let mut moved = false;
        for index in 0..self.routers.len() {
            if !self.units.is_grouped(index) {
                continue;
            }
            let due = self.routers.get(index).and_then(|router| router.due());
            let active = |member: &usize| self.routers.get(*member).is_some_and(|router| router.wants_services());
            if let Some(cause) = due
                && self.units.members(index).iter().any(active)
                && !self.may_begin_nothing(index)
            {
                let pair = self.pair.as_ref().filter(|pair| pair.is_alive()).zip(self.routers.get(index));
                if let Some((pair, router)) = pair.filter(|(pair, router)| is_there(pair, router)) {
                    if would_win_there(pair, router) {
                        self.step_together(now, index, &Step::Yield, out);
                        return true;
                    }
                    // Nobody takes what the other node says it has; they come together otherwise.
                    continue;
                }
                self.with_around(index, |router, around| router.take_over(now, cause, around, out));
                moved = true;
            }
        }
        moved
    }

    /// Whether nothing moves by itself, and what runs where the group is whole is not this node's now.
    fn may_begin_nothing(&self, index: usize) -> bool {
        let rests = self.standing.is_latched() || self.standing.in_maintenance();
        rests && self.services_of(index).any(|service| !service.is_wanted())
    }

    /// How long a group gives way when its speaker has lost: by then another node that has let go because of a part of the
    /// group has taken over, as long as its routers do what ours do.
    pub(super) fn gives_way_for(units: &Units, routers: &[VirtualRouter], index: usize) -> Option<Duration> {
        if units.leader(index) == index { Self::longest_turn(units, routers, index) } else { None }
    }

    /// A reload may leave a router Active while others of its group follow another node: after this long, half of a role is given
    /// back; `None` if that is not so.
    pub(super) fn halved(&self, index: usize) -> Option<Duration> {
        let is_active =
            |index: usize| self.routers.get(index).is_some_and(|router| router.state_name() == StateName::Active);
        let latched = self.standing.is_latched() && !self.units.services(index).is_empty();
        let longest = Self::longest_turn(&self.units, &self.routers, index).filter(|_| is_active(index) && !latched)?;
        if self.units.members(index).iter().filter_map(|member| self.routers.get(*member)).any(VirtualRouter::follows) {
            Some(longest)
        } else {
            // Whoever follows goes first.
            self.belongs_to_the_other(index).then_some(longest * 2)
        }
    }

    /// Each of two nodes has a part of the group that the other one would win, so that nobody follows anybody; whether it is for
    /// the other one to have all of it. It is for whoever runs the services, else could run them, else has the better speaker:
    /// that is the node which has not got the speaker now. Both must come to the same by what they tell.
    fn belongs_to_the_other(&self, index: usize) -> bool {
        let Some(pair) = self.pair.as_ref().filter(|pair| pair.is_alive()) else { return false };
        let is_apart = |router: &VirtualRouter| {
            let Some(says) = pair.last_words(&router.config().name) else { return false };
            match router.state_name() {
                StateName::Active => !matches!(says.stance, Stance::Out) && would_win_there(pair, router),
                StateName::Backup => says.stance == Stance::Active,
                StateName::Initialize => false,
            }
        };
        let members = || self.units.members(index).iter().filter_map(|member| self.routers.get(*member));
        let is_torn = members().any(|member| member.state_name() == StateName::Backup);
        if !is_torn || !members().all(is_apart) {
            return false;
        }
        let leader = self.units.leader(index);
        let (Some(says), Some(role), Some(here)) =
            (words(pair, &self.units, &self.routers, index), self.roles.get(leader), self.here(leader))
        else {
            return false;
        };
        let speaker = self.routers.get(spokesman(pair, &self.units, &self.routers, index));
        let speaks = speaker.is_some_and(|router| router.state_name() == StateName::Active);
        let ours = (here.runs, !role.is_held() && here.ready.is_ok());
        let theirs = (anything_runs(says), !says.held && is_ready(says));
        theirs > ours || (theirs == ours && speaks)
    }

    /// By then each of a group has taken over that nobody keeps from it; `None` for a router on its own.
    pub(super) fn longest_turn(units: &Units, routers: &[VirtualRouter], index: usize) -> Option<Duration> {
        if !units.is_grouped(index) {
            return None;
        }
        let members = units.members(index).iter().filter_map(|member| routers.get(*member));
        members.map(VirtualRouter::longest_turn).max()
    }

    /// Why a router and all that share its role would take over; `None` as long as one of them would not.
    pub(super) fn unit_due(&self, index: usize) -> Option<Cause> {
        let members = || self.units.members(index).iter().filter_map(|member| self.routers.get(*member));
        // Who resigns all of it goes; who has the better router for a part and resigns the rest comes back.
        let left_to_us = || members().all(VirtualRouter::heard_resignation);
        if members().any(|member| member.gives_way(self.last_at)) && !left_to_us() {
            return None;
        }
        let mut cause = None;
        for router in members() {
            match router.state_name() {
                StateName::Active => {}
                StateName::Backup => cause = Some(router.due()?),
                StateName::Initialize => return None,
            }
        }
        cause
    }

    /// What one router does, all that share its role do.
    pub(super) fn step_together(&mut self, now: Instant, index: usize, step: &Step, out: &mut Vec<Output>) {
        for member in self.units.members(index).to_vec() {
            let name = self.routers.get(member).map(|router| router.config().name.clone());
            let says = self.pair.as_ref().zip(name.as_ref()).and_then(|(pair, name)| pair.last_words(name));
            let peer = says.and_then(|says| says.address.map(|address| (address, says.priority)));
            self.with_around(member, |router, around| match step {
                Step::TakeOver(cause) => router.take_over(now, *cause, around, out),
                Step::LetGo(_) => router.let_go(now, around, out),
                Step::Keep(_) => router.keep(),
                Step::Yield => router.yield_to_peer(now, peer, around, out),
                Step::Nothing
                | Step::Claim(_)
                | Step::Unclaim
                | Step::Offer(_)
                | Step::Withdraw(_)
                | Step::GiveUp
                | Step::DropOffer => {}
            });
        }
    }

    /// Tells what the groups have become.
    pub(crate) fn tell_groups(&mut self, out: &mut Vec<Output>) {
        let Self { units, routers, .. } = self;
        for unit in units.groups() {
            let members = || unit.members.iter().filter_map(|member| routers.get(*member));
            let told: Vec<NoticeKind> = members().filter_map(|router| router.notified()).collect();
            let all = |kind: NoticeKind| told.len() == unit.members.len() && told.iter().all(|told| *told == kind);
            let kind = if told.contains(&NoticeKind::Fault) {
                NoticeKind::Fault
            } else if let Some(kind) =
                [NoticeKind::Active, NoticeKind::Backup, NoticeKind::Stop].into_iter().find(|kind| all(*kind))
            {
                kind
            } else {
                // On its way.
                continue;
            };
            if unit.notified != Some(kind)
                && let Some(group) = &unit.group
            {
                unit.notified = Some(kind);
                out.push(Output::Tell(Event::GroupChanged { group: group.clone(), kind }));
                out.push(Output::NotifyGroup { group: group.clone(), kind });
            }
        }
    }
}

/// The epoch of a group is that of its newest part.
pub(super) fn epoch(units: &Units, roles: &[Role], index: usize) -> u64 {
    units.members(index).iter().filter_map(|member| roles.get(*member)).map(|role| role.epoch).max().unwrap_or_default()
}

/// Whether the other node has the role of this router, by its last words.
fn is_there(pair: &Pair, router: &VirtualRouter) -> bool {
    pair.last_words(&router.config().name).is_some_and(|says| holds(says.stance))
}

/// Whether the other node's router would win against ours (RFC 9568 §6.4.3).
fn would_win_there(pair: &Pair, router: &VirtualRouter) -> bool {
    let ours = (router.effective_priority(), router.primary_address());
    pair.last_words(&router.config().name).is_some_and(|says| (says.priority, says.address) > ours)
}
