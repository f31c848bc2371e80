//! What a trial came to, by what was seen: in a lab or in the simulator, with the same yardstick. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::course::Course;
use super::scenario::Node;
use crate::lab::{Audit, Collecting, Moment, Tick, audit, collectings};

/// So long must one alone have been at work.
const SETTLED: Duration = Duration::from_secs(1);
/// Who has ticked within this time is at work.
pub(super) const AT_WORK: Duration = Duration::from_millis(200);

/// What a trial came to, from its mark to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The longest time in which nobody was at work.
    pub gap: Duration,
    /// It had not ended when the trial did.
    pub gap_goes_on: bool,
    /// How long more than one was at work.
    pub overlap: Duration,
    /// They still were when the trial ended.
    pub overlap_goes_on: bool,
    /// How long two were at work after the last deed, the healing of a network for instance.
    pub overlap_after_last_deed: Duration,
    /// From the event (the first deed from the mark on) until the daemon said that the service has failed; `None` if it
    /// did not.
    pub decided_after: Option<Duration>,
    /// From the event until a collector's program ran anew; `None` if none did.
    pub started_after: Option<Duration>,
    /// From when a collector was about to end because it was told to, after the event, until the next program ran; `None`
    /// if it was not told.
    pub changed_hands_in: Option<Duration>,
    /// Whether a daemon has said, since the event, that two were active or that it slept while it was.
    pub told_of_two: bool,
    /// Whether the node that was to stand by took the service when it was alone; `None` if nobody asked.
    pub stands_by: Option<bool>,
    /// From the mark to the end.
    pub watched: Duration,
}

/// What the outcome is read from.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// In the order of their moments.
    pub(super) ticks: Vec<Tick>,
    /// What collectors tell of themselves, in the same order.
    pub(super) told: Vec<(Moment, Told)>,
    /// When a daemon said that the service has failed.
    pub(super) decisions: Vec<Moment>,
    /// When a daemon said that there were two.
    pub(super) reports_of_two: Vec<Moment>,
}

/// What a collector tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Starts,
    IsToldToStop,
    Ends,
}

impl Evidence {
    pub(super) fn outcome(&self, course: &Course) -> Outcome {
        let (mark, event, until) = (course.mark(), course.event(), course.end());
        let Audit { gap, gap_goes_on, overlap, overlap_goes_on } = audit(&self.ticks, mark, until);
        let first = |since: Moment, wanted: Told| {
            self.told.iter().find(|(at, told)| *at >= since && *told == wanted).map(|(at, _)| *at)
        };
        let decided = self.decisions.iter().find(|at| **at >= event);
        let changed_hands = first(event, Told::IsToldToStop).and_then(|_| {
            let ends = first(event, Told::Ends)?;
            Some(first(ends, Told::Starts)?.since(ends))
        });
        Outcome {
            gap,
            gap_goes_on,
            overlap,
            overlap_goes_on,
            overlap_after_last_deed: audit(&self.ticks, course.last_deed(), until).overlap,
            decided_after: decided.map(|at| at.since(event)),
            started_after: first(event, Told::Starts).map(|at| at.since(event)),
            changed_hands_in: changed_hands,
            told_of_two: self.reports_of_two.iter().any(|at| *at > event && *at <= until),
            stands_by: course.asked.as_ref().map(|asked| {
                let (from, until) = (asked.at - AT_WORK, asked.at + asked.patience);
                let works = |tick: &Tick| &*tick.host == asked.node.name() && tick.at > from && tick.at <= until;
                self.ticks.iter().any(works)
            }),
            watched: until.since(mark),
        }
    }

    /// Who came to work in which order, one entry for each process.
    pub(super) fn order(&self) -> Vec<Node> {
        let first_ones = self.ticks.iter().filter(|tick| tick.number == 0);
        first_ones.filter_map(|tick| Node::BOTH.into_iter().find(|node| node.name() == &*tick.host)).collect()
    }
}

/// Ticks until now, of ticks in the order of their moments.
fn past(ticks: &[Tick], now: Moment) -> &[Tick] {
    &ticks[..ticks.partition_point(|tick| tick.at <= now)]
}

/// Who has ticked within the last so and so long, by host and process.
pub(super) fn at_work(ticks: &[Tick], now: Moment, span: Duration) -> BTreeSet<(Arc<str>, u32)> {
    let recent = past(ticks, now).iter().rev().take_while(|tick| tick.at >= now - span);
    recent.map(|tick| (tick.host.clone(), tick.pid)).collect()
}

/// Whether one alone is at work, and has been for long enough.
pub(super) fn is_settled(ticks: &[Tick], now: Moment) -> bool {
    let one = at_work(ticks, now, SETTLED);
    let (Some((host, pid)), 1) = (one.first(), one.len()) else { return false };
    let its = |work: &Collecting| work.by == *host && work.pid == *pid;
    let began = collectings(past(ticks, now)).into_iter().rfind(its).map(|work| work.from);
    began.is_some_and(|began| now.since(began) >= SETTLED) && at_work(ticks, now, AT_WORK) == one
}
