//! Two Active routers of one VRID that hear each other.

use std::time::Duration;

use engine::{Instant, StateName};

use super::Rule;
use crate::plan::LinkPlan;
use crate::rules;
use crate::world::World;

/// Every such pair at present.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pairs: Vec<Pair>,
    /// Something may have changed.
    pub(crate) stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    nodes: (usize, usize),
    vrid: u8,
    since: Instant,
    until: Instant,
}

impl World<'_> {
    /// Complains about a pair that lasts.
    pub(crate) fn check_pairs(&mut self) {
        let now = self.now;
        let lasting = self.pairs.pairs.iter().find(|pair| pair.until < now).copied();
        if let Some(Pair { nodes: (left, right), vrid, since, .. }) = lasting {
            let names = (&self.plan.nodes[left].name, &self.plan.nodes[right].name);
            let span = now.since(since).as_millis();
            let what =
                format!("{} and {} hear each other and are both Active for {vrid} since {span} ms", names.0, names.1);
            self.found(Rule::OneActive, what);
        }
    }

    /// Looks for pairs again, if anything changed.
    pub(crate) fn refresh_pairs(&mut self) {
        if !std::mem::take(&mut self.pairs.stale) {
            return;
        }
        let mut found = Vec::new();
        for left in 0..self.nodes.len() {
            for right in left + 1..self.nodes.len() {
                for index in 0..self.nodes[left].specs.len() {
                    if let Some(pair) = self.pair(left, right, index) {
                        found.push(pair);
                    }
                }
            }
        }
        for pair in &mut found {
            let same = |old: &&Pair| old.nodes == pair.nodes && old.vrid == pair.vrid;
            if let Some(old) = self.pairs.pairs.iter().find(same) {
                *pair = *old;
            }
        }
        self.pairs.pairs = found;
    }

    fn pair(&self, left: usize, right: usize, index: usize) -> Option<Pair> {
        let ours = &self.nodes[left].specs[index];
        let theirs = self.nodes[right].specs.iter().find(|spec| spec.settings.vrid == ours.settings.vrid)?;
        let vrid = ours.settings.vrid.get();
        let speaks = |index: usize| {
            let node = &self.nodes[index];
            let link = node.link(&ours.settings.link);
            let active = |watch: &super::step::NodeWatch| watch.state(vrid) == StateName::Active;
            node.is_awake()
                && node.sending
                && link.is_some_and(|link| link.condition == LinkPlan::Up)
                && node.daemon.as_ref().is_some_and(|daemon| !daemon.stopping && active(&daemon.watch))
        };
        let lan = self.lans.of(&ours.settings.link);
        let passes = |from, to| lan.between(from, to).delivers();
        let owners = ours.settings.priority.is_address_owner() && theirs.settings.priority.is_address_owner();
        let alike = self.understand((left, ours), (right, theirs));
        let hear = passes(left, right) && passes(right, left) && alike && !owners;
        if !(ours.present && theirs.present && hear && speaks(left) && speaks(right)) {
            return None;
        }
        let interval = ours.settings.advertisement_interval.max(theirs.settings.advertisement_interval);
        let longest = rules::longest_down_interval(ours.settings.version, interval.as_duration());
        let slack = (self.lans.longest() + self.plan.wake_late) * 2 + Duration::from_millis(10);
        Some(Pair { nodes: (left, right), vrid, since: self.now, until: self.now + longest + slack })
    }
}
