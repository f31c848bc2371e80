//! How an Active router lets its role go: first what runs here ends, then it resigns. Until then it goes on advertising
//! and holding the addresses, so that nobody else begins.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::{Active, Backup, State, Surroundings, VirtualRouter};
use crate::vrrp::election::{Contest, contest};
use crate::vrrp::timers;
use crate::{Cause, FaultReason, Instant, Output, Priority, StateName};

/// Where an Active router goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// To `Initialize`, because of a fault.
    Fault,
    /// To `Initialize` for good.
    Stop,
    /// To `Backup`: somebody else shall have it.
    LetGo,
}

impl VirtualRouter {
    /// Goes when nothing of its services is left, at once if that is so already.
    pub(super) fn leave(&mut self, now: Instant, leave: Leave, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        if around.brief(self.id).is_some_and(|brief| brief.busy) && self.can_be_heard() {
            if let State::Active(active) = &mut self.state {
                active.leaving = Some(leave);
            }
        } else {
            self.leave_now(now, leave, around, out);
        }
    }

    /// Looks again whether it has to go, and may.
    pub(super) fn consider_leaving(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let frozen = around.brief(self.id).is_some_and(|brief| brief.frozen) && self.can_be_heard();
        let torn = around.brief(self.id).is_some_and(|brief| brief.torn);
        let State::Active(active) = &mut self.state else { return };
        match active.leaving {
            // The fault has gone before the services had.
            // But another one of its group could not wait for them, and nobody keeps half of a role.
            Some(Leave::Fault) if self.faults.is_empty() && torn => self.leave(now, Leave::LetGo, around, out),
            Some(Leave::Fault) if self.faults.is_empty() => active.leaving = None,
            Some(Leave::LetGo) if !self.faults.is_empty() && !frozen => self.leave(now, Leave::Fault, around, out),
            Some(leave) => self.leave(now, leave, around, out),
            None if self.faults.is_empty() => {}
            // In maintenance nothing goes because of what a check says.
            None if frozen => {}
            None => self.leave(now, Leave::Fault, around, out),
        }
    }

    /// A reconfiguration may have brought a router to its group that follows another node, which has a part, too: half of a role
    /// is given back, once the new one has had its time to join. Before anything else is done at a timer, so that nothing is sent
    /// or announced that does not last.
    pub(crate) fn leave_half_a_role(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let halved = around.brief(self.id).filter(|brief| !brief.frozen).and_then(|brief| brief.halved);
        let State::Active(active) = &mut self.state else { return };
        let Some(longest) = halved else { return active.halved_since = None };
        if now.since(*active.halved_since.get_or_insert(now)) > longest {
            self.let_go(now, around, out);
        }
    }

    /// Whether advertisements leave this node at all; if not, staying Active keeps nobody else from taking over.
    fn can_be_heard(&self) -> bool {
        !self.faults.iter().any(|fault| match fault {
            FaultReason::LinkAbsent(link) | FaultReason::LinkDown(link) => *link == self.link,
            FaultReason::NoPrimaryAddress | FaultReason::PrimaryAddressTentative | FaultReason::NoPeer => true,
            FaultReason::StaticMissing(_)
            | FaultReason::ScriptFailed(_)
            | FaultReason::ScriptPending(_)
            | FaultReason::Tracked(_)
            | FaultReason::Member(_)
            | FaultReason::ServiceFailed(_)
            | FaultReason::Latched(_) => false,
        })
    }

    pub(super) fn leave_now(
        &mut self,
        now: Instant,
        leave: Leave,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        self.resign(now, out);
        match leave {
            Leave::Fault => {
                self.set_state(now, State::Initialize { stopped: false }, Cause::Fault, out);
                self.release(around, out);
                self.notify_fault(out);
            }
            Leave::LetGo => {
                let interval = self.config.advertisement_interval;
                self.become_backup(now, Cause::LetGo, None, interval, around, out);
            }
            Leave::Stop => {
                // Who leaves does not announce any more, even what the pace has held back.
                around.announcer.forget(self.id);
                let longest = timers::longest_succession(self.config.version, self.config.advertisement_interval);
                // Without addresses there is nothing that could answer.
                if self.places.is_empty() {
                    self.set_state(now, State::Initialize { stopped: true }, Cause::Stopped, out);
                    self.notify(crate::NoticeKind::Stop, out);
                } else {
                    self.set_state(now, State::Leaving { until: now + longest }, Cause::Stopped, out);
                }
            }
        }
    }

    /// The role shall go to somebody else.
    pub(crate) fn let_go(&mut self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        if matches!(self.state, State::Active(Active { leaving: None, .. })) {
            self.leave(now, Leave::LetGo, around, out);
        }
    }

    /// Nobody is there to take it any more: it stays.
    pub(crate) const fn keep(&mut self) {
        if let State::Active(active) = &mut self.state
            && matches!(active.leaving, Some(Leave::LetGo))
        {
            active.leaving = None;
        }
    }

    /// The other node has agreed, or is gone: a Backup becomes Active.
    pub(crate) fn take_over(
        &mut self,
        now: Instant,
        cause: Cause,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        if matches!(self.state, State::Backup(_)) {
            self.become_active(now, cause, around, out);
        }
    }

    /// The other node is Active, too, and stays so.
    pub(crate) fn yield_to_peer(
        &mut self,
        now: Instant,
        peer: Option<(IpAddr, Priority)>,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        if let State::Active(_) = &self.state {
            // The winner learns that there were two, and announces the addresses again.
            self.send(now, self.effective_priority, out);
            self.become_backup(now, Cause::PeerStays, peer, self.config.advertisement_interval, around, out);
        }
    }

    /// Why it would take over if the other node agreed; `None` if it would not.
    pub(crate) const fn due(&self) -> Option<Cause> {
        match &self.state {
            State::Backup(backup) => backup.due,
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => None,
        }
    }

    /// Whether it speaks for a group that leaves the role to somebody better for now.
    pub(crate) fn gives_way(&self, now: Instant) -> bool {
        match &self.state {
            State::Backup(backup) => backup.gives_way.is_some_and(|gives_way| gives_way.until > now),
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => false,
        }
    }

    /// Whether the Active router has resigned and nobody has spoken since.
    pub(crate) fn heard_resignation(&self) -> bool {
        match &self.state {
            // Of several that resign as soon as they are there, each may have lost a part of its group, as we have. They come
            // back.
            State::Backup(Backup { resigned_at: Some(at), gives_way: Some(gives_way), .. }) => {
                !gives_way.contested || at.since(gives_way.since) > self.config.advertisement_interval.as_duration()
            }
            State::Backup(backup) => backup.resigned_at.is_some(),
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => false,
        }
    }

    /// When a Backup heard somebody last.
    pub(crate) const fn heard_at(&self) -> Option<Instant> {
        match &self.state {
            State::Backup(backup) => backup.heard_at,
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => None,
        }
    }

    /// Whether something keeps it out that will not go by itself in a moment.
    pub(crate) fn is_kept_out(&self) -> bool {
        match &self.state {
            State::Initialize { stopped } => *stopped || !self.faults.iter().all(FaultReason::is_pending),
            State::Leaving { .. } => true,
            State::Backup(_) | State::Active(_) => false,
        }
    }

    /// Says at once that it is there: the other node may be in doubt.
    pub(crate) fn speak_up(&mut self, now: Instant, out: &mut Vec<Output>) {
        if matches!(self.state, State::Active(_)) {
            self.advertise(now, out);
        }
    }

    /// Whether it knows of another router that is Active.
    pub(crate) const fn knows_active(&self) -> bool {
        match &self.state {
            State::Backup(backup) => backup.active_router.is_some() && backup.resigned_at.is_none(),
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => false,
        }
    }

    /// Whether it leaves the role to another router that is Active, and not only for now.
    pub(crate) fn follows(&self) -> bool {
        let State::Backup(Backup {
            active_router: Some((from, theirs)), resigned_at: None, better_since: None, ..
        }) = self.state
        else {
            return false;
        };
        let preempts = self.config.preempt_mode || self.effective_priority.is_address_owner();
        !preempts || contest(self.effective_priority, self.primary_address, theirs, from) != Contest::Wins
    }

    /// The longest that it waits before it takes over, by the interval that it has or has learned, and one interval.
    pub(crate) fn longest_turn(&self) -> Duration {
        let own = self.config.advertisement_interval;
        let interval = match &self.state {
            State::Backup(backup) => own.max(backup.active_adver_interval),
            State::Initialize { .. } | State::Leaving { .. } | State::Active(_) => own,
        };
        self.config.active_down_interval(Priority::new(1), interval) + interval.as_duration()
    }

    /// Whether it is Active and lets the role go.
    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(self.state, State::Active(Active { leaving: Some(_), .. }))
    }

    /// Whether it lets the role go for somebody else's sake only.
    pub(crate) const fn lets_go(&self) -> bool {
        matches!(self.state, State::Active(Active { leaving: Some(Leave::LetGo), .. }))
    }

    /// Whether it only goes on with what a former life had.
    pub(crate) const fn resumed(&self) -> bool {
        matches!(self.state, State::Active(Active { resumed: true, .. }))
    }

    /// Whether its services should run here.
    pub(crate) fn wants_services(&self) -> bool {
        self.state_name() == StateName::Active && !self.is_leaving()
    }
}
