//! Who collected when, by the collectors' own ticks: how long nobody did, and how long more than one. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Moment;

/// A collector that has been silent for longer was frozen meanwhile, or its host had no time for it: it was not at work.
/// Ten ticks, so that a late one is no such silence.
const SILENT: Duration = Duration::from_millis(200);

/// A collector was at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When, by its own word; all hosts of a lab share the clock.
    pub at: Moment,
    /// Where.
    pub host: Arc<str>,
    /// Which of the host's collectors, by its process id there.
    pub pid: u32,
    /// Its how manyth tick, from 0.
    pub number: u64,
}

/// A time in which one collector worked without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collecting {
    pub by: Arc<str>,
    pub pid: u32,
    /// Its first tick.
    pub from: Moment,
    /// Its last.
    pub until: Moment,
}

/// What the ticks between two moments come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The longest time between one tick of anybody and the next.
    pub gap: Duration,
    /// The longest gap had not ended at the end.
    pub gap_goes_on: bool,
    /// How long more than one collector was at work.
    pub overlap: Duration,
    /// More than one was at work at the end.
    pub overlap_goes_on: bool,
}

/// The times of work, in the order of their beginnings. `ticks` in the order of their moments.
#[must_use]
pub fn collectings(ticks: &[Tick]) -> Vec<Collecting> {
    let mut all: Vec<Collecting> = Vec::new();
    let mut open: BTreeMap<(Arc<str>, u32), usize> = BTreeMap::new();
    for Tick { at, host, pid, .. } in ticks {
        let key = (host.clone(), *pid);
        match open.get(&key).map(|&index| &mut all[index]) {
            Some(last) if at.since(last.until) <= SILENT => last.until = *at,
            Some(_) | None => {
                open.insert(key, all.len());
                all.push(Collecting { by: host.clone(), pid: *pid, from: *at, until: *at });
            }
        }
    }
    all
}

/// What the ticks say about the time between two moments. `ticks` are all that there are, in the order of their moments.
/// A gap that began before `from` counts whole.
#[must_use]
pub fn audit(ticks: &[Tick], from: Moment, until: Moment) -> Audit {
    let ticks: Vec<Tick> = ticks.iter().filter(|tick| tick.at <= until).cloned().collect();
    // Where nobody was at work before, the gap begins with the time that is asked for.
    let before = ticks.iter().rev().find(|tick| tick.at < from).map_or(from, |tick| tick.at);
    let since = ticks.iter().map(|tick| tick.at).filter(|at| *at >= from);
    let moments: Vec<Moment> = std::iter::once(before).chain(since).collect();
    let last = *moments.last().expect("it has one at least");
    let open = until.since(last);
    let closed = moments.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default();
    // One tick that is just not due is no gap that goes on.
    let gap_goes_on = open > SILENT && open >= closed;
    let collectings = collectings(&ticks);
    let at_work = |at: Moment| collectings.iter().filter(|one| one.from <= at && at.since(one.until) <= SILENT).count();
    Audit {
        gap: if gap_goes_on { open } else { closed },
        gap_goes_on,
        overlap: overlap(&collectings, from, until),
        overlap_goes_on: at_work(until) > 1,
    }
}

/// How long, between two moments, more than one was at work.
fn overlap(collectings: &[Collecting], from: Moment, until: Moment) -> Duration {
    let clip = |moment: Moment| moment.clamp(from, until);
    let mut edges: Vec<(Moment, i32)> =
        collectings.iter().flat_map(|one| [(clip(one.from), 1), (clip(one.until), -1)]).collect();
    // An end and a beginning at the same moment are no overlap.
    edges.sort();
    let mut together = Duration::ZERO;
    let (mut count, mut since) = (0, from);
    for (at, step) in edges {
        if count > 1 {
            together += at.since(since);
        }
        count += step;
        since = at;
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::from_nanos(milliseconds * 1_000_000)
    }

    /// Ticks of one collector, every 20 ms.
    fn works(host: &str, pid: u32, from: u64, until: u64) -> Vec<Tick> {
        let moments = (from..=until).step_by(20).map(at);
        moments.zip(0..).map(|(at, number)| Tick { at, host: host.into(), pid, number }).collect()
    }

    fn all(parts: &[Vec<Tick>]) -> Vec<Tick> {
        let mut ticks = parts.concat();
        ticks.sort_by_key(|tick| tick.at);
        ticks
    }

    #[track_caller]
    fn check(parts: &[Vec<Tick>], from: u64, until: u64, gap: (u64, bool), overlap: (u64, bool)) {
        let audit = audit(&all(parts), at(from), at(until));
        let expected = Audit {
            gap: Duration::from_millis(gap.0),
            gap_goes_on: gap.1,
            overlap: Duration::from_millis(overlap.0),
            overlap_goes_on: overlap.1,
        };
        assert_eq!(audit, expected);
    }

    #[test]
    fn one_after_the_other() {
        let parts = [works("a", 7, 0, 1000), works("b", 7, 1500, 3000)];
        check(&parts, 900, 3000, (500, false), (0, false));
        // The gap began before the time that is asked for.
        check(&parts, 1200, 3000, (500, false), (0, false));
        check(&parts, 1600, 3000, (20, false), (0, false));
        // It has not ended yet.
        check(&parts, 900, 1400, (400, true), (0, false));
    }

    #[test]
    fn two_at_once() {
        let parts = [works("a", 7, 0, 2000), works("b", 7, 1500, 3000)];
        check(&parts, 1000, 3000, (20, false), (500, false));
        check(&parts, 1000, 1800, (20, false), (300, true));
        check(&parts, 2200, 3000, (20, false), (0, false));
        // Two on one host are two.
        check(&[works("a", 7, 0, 200), works("a", 8, 100, 800)], 0, 800, (20, false), (100, false));
    }

    #[test]
    fn nobody_ever() {
        check(&[], 1000, 3000, (2000, true), (0, false));
        check(&[works("a", 7, 0, 500)], 1000, 3000, (2500, true), (0, false));
        check(&[works("a", 7, 1500, 3000)], 1000, 3000, (500, false), (0, false));
    }

    #[test]
    fn a_frozen_one_is_not_at_work_but_a_late_one_is() {
        let frozen = all(&[works("a", 7, 0, 500), works("a", 7, 2000, 2500)]);
        let spans: Vec<_> = collectings(&frozen).iter().map(|one| (one.from, one.until)).collect();
        assert_eq!(spans, [(at(0), at(500)), (at(2000), at(2500))]);
        check(&[frozen, works("b", 9, 1000, 2200)], 0, 2500, (500, false), (200, false));
        check(
            &[works("a", 7, 0, 500), works("a", 7, 680, 1500), works("b", 9, 480, 700)],
            0,
            1500,
            (20, false),
            (220, false),
        );
    }
}
