//! What daemons take from one round to the next, as long as they live: a leak shows there.
//!
//! Memory goes up once for each thing that a daemon has never done before, and stays there; that is no leak. What goes up
//! from round to round is one, so it is the slope that is judged, over the later half of a life: the median of the slopes
//! between all pairs of rounds, which a single step does not move.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::footprint::Footprint;

/// A daemon has got warm after so many rounds: most of what it allocates once it has by then.
const WARM: usize = 10;
/// A slope needs so many rounds: before, half of all that is done is done for the first time.
const ENOUGH: usize = 50;
/// A page a round, in KiB, may be chance.
const STEEPEST: f64 = 4.0;
/// Whatever the slope: so much more than when it was warm, in KiB.
const SLACK: u64 = 1024;
/// A script that just runs has descriptors: the fewest of so many rounds count.
const FEW: usize = 5;
/// More points than that do not make a slope better.
const POINTS: usize = 200;

/// The longest life of a daemon on each node.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    now: BTreeMap<usize, Life>,
    longest: BTreeMap<usize, Life>,
}

#[derive(Clone, Debug)]
struct Life {
    pid: u32,
    /// After each round.
    looks: Vec<Footprint>,
}

impl Lives {
    /// What the daemon of a node takes after a round.
    pub fn look(&mut self, node: usize, pid: u32, footprint: Footprint) {
        let life = self.now.entry(node).or_insert(Life { pid, looks: Vec::new() });
        if life.pid != pid {
            *life = Life { pid, looks: Vec::new() };
        }
        life.looks.push(footprint);
        let life = life.clone();
        let longest = self.longest.entry(node).or_insert(life.clone());
        if longest.pid == pid || longest.looks.len() < life.looks.len() {
            *longest = life;
        }
    }

    /// Whether none of the longest lives takes more from round to round.
    #[must_use]
    pub fn are_flat(&self) -> bool {
        self.longest.values().all(Life::is_flat)
    }

    /// A line for each node.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (node, life) in &self.longest {
            let (warm, last) = life.ends();
            let slope =
                life.slope().map_or_else(String::new, |slope| format!(" ({slope:+.1} a round in the later half)"));
            let verdict = if life.is_flat() { "" } else { ": NOT FLAT" };
            let _ = writeln!(
                text,
                "* node {}: the longest life of a daemon had {} rounds, memory of its own {} → {} KiB{slope}, descriptors \
                 {} → {}{verdict}",
                node + 1,
                life.looks.len(),
                warm.memory,
                last.memory,
                warm.descriptors,
                last.descriptors,
            );
        }
        text
    }
}

impl Life {
    /// When it was warm, and at the end; with the fewest descriptors of some rounds.
    fn ends(&self) -> (Footprint, Footprint) {
        let (warm, rest) = self.looks.split_at(WARM.min(self.looks.len()));
        let last = if rest.len() < FEW { warm } else { &rest[rest.len() - FEW..] };
        let end = |looks: &[Footprint]| {
            let descriptors = looks.iter().map(|look| look.descriptors).min().unwrap_or_default();
            Footprint { descriptors, ..looks.last().copied().unwrap_or_default() }
        };
        (end(warm), end(last))
    }

    fn is_flat(&self) -> bool {
        let (warm, last) = self.ends();
        let is_level = self.slope().is_none_or(|slope| slope <= STEEPEST);
        is_level && last.memory <= warm.memory + SLACK && last.descriptors <= warm.descriptors
    }

    /// KiB a round over the later half, if that is long enough.
    fn slope(&self) -> Option<f64> {
        let half = self.looks.len().max(WARM) / 2;
        let later = self.looks.get(half.max(WARM)..)?;
        if later.len() < ENOUGH {
            return None;
        }
        let step = later.len().div_ceil(POINTS);
        let points: Vec<(f64, f64)> =
            later.iter().enumerate().step_by(step).map(|(n, look)| (n as f64, look.memory as f64)).collect();
        let pairs = points.iter().enumerate().flat_map(|(n, a)| points[n + 1..].iter().map(move |b| (a, b)));
        let mut slopes: Vec<f64> = pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect();
        slopes.sort_by(f64::total_cmp);
        slopes.get(slopes.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn footprint(memory: u64, descriptors: u64) -> Footprint {
        Footprint { memory, descriptors, worked: Duration::ZERO }
    }

    fn of(rounds: u64, look: impl Fn(u64) -> Footprint) -> Lives {
        let mut lives = Lives::default();
        (0..rounds).for_each(|round| lives.look(0, 1, look(round)));
        lives
    }

    fn check(lives: &Lives, is_flat: bool) {
        assert_eq!(lives.are_flat(), is_flat, "{}", lives.render());
    }

    #[test]
    fn what_grows_from_round_to_round_is_a_leak() {
        // It gets warm, and then takes a little more and a little less.
        check(&of(120, |round| footprint(1000 + 500 * round.min(10) + 12 * (round % 3), 20)), true);
        // A single step is something that was never done before.
        check(&of(120, |round| footprint(if round < 80 { 1000 } else { 1500 }, 20)), true);
        check(&of(120, |round| footprint(1000 + 5 * round, 20)), false);
        check(&of(400, |round| footprint(1000 + 3 * round, 20)), false);
        check(&of(80, |round| footprint(1000 + 5 * round, 20)), true);
        check(&of(20, |round| footprint(1000 + 150 * round, 20)), false);
    }

    #[test]
    fn one_descriptor_more_is_a_leak_unless_it_goes_again() {
        check(&of(40, |round| footprint(1000, if round < 30 { 20 } else { 21 })), false);
        // Scripts that run now and then.
        check(&of(40, |round| footprint(1000, 20 + 2 * u64::from(round % 4 == 3))), true);
    }

    #[test]
    fn a_short_life_does_not_hide_the_longest() {
        let mut lives = of(41, |_| footprint(3000, 20));
        (0..5).for_each(|_| lives.look(0, 2, footprint(3000, 20)));
        assert!(lives.render().contains("41 rounds"), "{}", lives.render());
    }
}
