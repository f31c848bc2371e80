//! What daemons take from one round to the next, as long as they live: a leak shows there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::footprint::Footprint;

/// A daemon has got warm after so many rounds: what it allocates once it has by then.
const WARM: usize = 10;
/// Memory of an allocator goes up and down by so much, in KiB.
const SLACK: u64 = 2048;

/// The longest life of a daemon on each node.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    now: BTreeMap<usize, Life>,
    longest: BTreeMap<usize, Life>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    pid: u32,
    rounds: usize,
    /// When it was warm.
    first: Footprint,
    last: Footprint,
}

impl Lives {
    /// What the daemon of a node takes after a round.
    pub fn look(&mut self, node: usize, pid: u32, footprint: Footprint) {
        let life = self.now.entry(node).or_insert(Life { pid, rounds: 0, first: footprint, last: footprint });
        if life.pid != pid {
            *life = Life { pid, rounds: 0, first: footprint, last: footprint };
        }
        life.rounds += 1;
        life.last = footprint;
        if life.rounds <= WARM {
            life.first = footprint;
        }
        let life = *life;
        let longest = self.longest.entry(node).or_insert(life);
        if longest.pid == pid || longest.rounds < life.rounds {
            *longest = life;
        }
    }

    /// Whether none of the longest lives ends with more than it had when it was warm.
    #[must_use]
    pub fn are_flat(&self) -> bool {
        self.longest.values().all(Life::is_flat)
    }

    /// A line for each node.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (node, life) in &self.longest {
            let Life { rounds, first, last, .. } = life;
            let verdict = if life.is_flat() { "" } else { ": NOT FLAT" };
            let _ = writeln!(
                text,
                "* node {}: the longest life of a daemon had {rounds} rounds, memory of its own {} → {} KiB, descriptors \
                 {} → {}{verdict}",
                node + 1,
                first.memory,
                last.memory,
                first.descriptors,
                last.descriptors,
            );
        }
        text
    }
}

impl Life {
    fn is_flat(&self) -> bool {
        self.last.memory <= self.first.memory + SLACK && self.last.descriptors <= self.first.descriptors
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn footprint(memory: u64, descriptors: u64) -> Footprint {
        Footprint { memory, descriptors, worked: Duration::ZERO }
    }

    #[test]
    fn a_leak_shows_once_a_daemon_is_warm() {
        let mut lives = Lives::default();
        (0..10).for_each(|round| lives.look(0, 1, footprint(1000 + 500 * round, 20)));
        (0..30).for_each(|round| lives.look(0, 1, footprint(6000 + 10 * round, 20)));
        assert!(lives.are_flat(), "{}", lives.render());
        lives.look(0, 1, footprint(6000, 21));
        assert!(!lives.are_flat(), "{}", lives.render());
        // A short life does not hide the longest.
        (0..5).for_each(|_| lives.look(0, 2, footprint(3000, 20)));
        assert!(lives.render().contains("41 rounds"), "{}", lives.render());
        let mut lives = Lives::default();
        (0..100).for_each(|round| lives.look(0, 1, footprint(1000 + 100 * round, 20)));
        assert!(!lives.are_flat(), "{}", lives.render());
    }
}
