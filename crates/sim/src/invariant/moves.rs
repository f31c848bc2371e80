//! How often a role moves because of a service: no oftener than `max_moves` says, and nobody latches before that.

use std::time::Duration;

use engine::{Budget, Instant, LatchReason, Name};

use super::Rule;
use super::step::Broken;
use crate::plan::Plan;
use crate::plan::measure::span_text;

/// What is known of the moves of both nodes.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    all: Vec<Move>,
    /// Moves before this moment may have been forgotten, or were forgiven.
    remembered_since: Instant,
    /// Nodes that get a router back because they asked for it.
    gets_back: Vec<(usize, Name)>,
}

#[derive(Debug)]
struct Move {
    /// From where it went because the service failed there, or where to it came back.
    node: usize,
    service: Name,
    at: Instant,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    CameBack,
    /// It came by another way, and only the node itself knows whether it wanted that.
    PerhapsCameBack,
    /// It failed there at a time that its next life may not know.
    PerhapsFailed,
}

impl Moves {
    /// From here on nothing of before need be known.
    pub(crate) const fn forget(&mut self, now: Instant) {
        self.remembered_since = now;
    }

    /// A machine has booted: where the calendar tells nothing, moves away from there may as well have been just now.
    pub(crate) fn may_be_new(&mut self, node: usize, now: Instant) {
        let its = self.all.iter().filter(|one| one.node == node).map(|one| one.service.clone());
        let its: Vec<Name> = its.collect();
        self.all.extend(its.into_iter().map(|service| Move { node, service, at: now, kind: Kind::PerhapsFailed }));
    }

    fn recent(&self, service: &Name, (within, from): (Duration, Instant), now: Instant) -> impl Iterator<Item = &Move> {
        let of_service = self.all.iter().filter(move |one| one.service == *service);
        of_service.filter(move |one| now.since(one.at) < within && one.at >= from)
    }

    /// A service failed on `node` and the role moves: once, if the other side has not failed, and not too often.
    pub(crate) fn note_failure(
        &mut self,
        plan: &Plan,
        node: usize,
        (service, budget): (&Name, Budget),
        agreed: bool,
        now: Instant,
    ) -> Option<Broken> {
        let other = plan.pair.and_then(|pair| pair.peer_of(node)).unwrap_or(node);
        let known = || self.recent(service, (budget.within, self.remembered_since), now);
        let all = known().filter(|one| matches!(one.kind, Kind::Failed | Kind::CameBack)).count();
        let from_other = known().any(|one| one.kind == Kind::Failed && one.node == other);
        self.all.push(Move { node, service: service.clone(), at: now, kind: Kind::Failed });
        let (name, within) = (&plan.nodes[node].name, span_text(budget.within));
        if all >= budget.limit as usize {
            return Some((Rule::Latch, format!("{name} moves {service} after {all} moves within {within}")));
        }
        let what = format!("{name} moves {service} to a node where it has failed within {within}");
        (from_other && agreed).then_some((Rule::Latch, what))
    }

    /// A node will get a router because it asked for it back.
    pub(crate) fn hands_back(&mut self, node: usize, router: &Name) {
        self.gets_back.push((node, router.clone()));
    }

    /// A node takes a role anew. Where it left because of one of its services, coming back is a move, too.
    pub(crate) fn note_taking(&mut self, node: usize, router: &Name, services: &[(Name, Budget)], now: Instant) {
        let asked = self.gets_back.contains(&(node, router.clone()));
        self.gets_back.retain(|(_, of)| of != router);
        for (service, budget) in services {
            let known = self.recent(service, (budget.within, self.remembered_since), now);
            let failed_here = known.into_iter().any(|one| one.kind == Kind::Failed && one.node == node);
            let kind = if asked && failed_here { Kind::CameBack } else { Kind::PerhapsCameBack };
            self.all.push(Move { node, service: service.clone(), at: now, kind });
        }
    }

    /// Whether the role may stay away from a node although that is the better one: it left there because the service failed,
    /// and if it came back, the next failure would find no move left.
    pub(crate) fn stays_away(&self, node: usize, (service, budget): (&Name, Budget), now: Instant) -> bool {
        let known = || self.recent(service, (budget.within, Instant::START), now);
        let failed = |one: &Move| matches!(one.kind, Kind::Failed | Kind::PerhapsFailed);
        known().any(|one| failed(one) && one.node == node) && known().count() + 2 > budget.limit as usize
    }

    /// Why a latch of `node` comes too soon.
    pub(crate) fn too_soon(
        &self,
        plan: &Plan,
        node: usize,
        (service, budget): (&Name, Budget),
        reason: LatchReason,
        now: Instant,
    ) -> Option<Broken> {
        let pair = plan.pair?;
        let other = pair.peer_of(node).unwrap_or(node);
        let ever = (budget.within + pair.dead_after, Instant::START);
        let all = self.recent(service, ever, now).count();
        let failed = |one: &Move| matches!(one.kind, Kind::Failed | Kind::PerhapsFailed);
        let from_other = self.recent(service, ever, now).any(|one| failed(one) && one.node == other);
        let due = match reason {
            LatchReason::TooManyMoves => all >= budget.limit as usize,
            LatchReason::BothFailed => from_other,
            LatchReason::RecordDamaged => true,
        };
        let there = if from_other { "some" } else { "none" };
        let name = &plan.nodes[node].name;
        let what = format!("{name} latches {service} ({reason:?}) after {all} moves, {there} from the other node");
        (!due).then_some((Rule::Latch, what))
    }
}
