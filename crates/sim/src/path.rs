//! The ways between nodes: each direction of each pair for itself.

use std::time::Duration;

use crate::plan::{LanChange, PathChoice, PathQuality};
use crate::random::Random;

/// One direction between two nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) open: bool,
    pub(crate) quality: PathQuality,
}

/// What an interval of 0.1 s can take.
const MUCH_JITTER: Duration = Duration::from_millis(50);

impl Path {
    /// Whether every packet arrives.
    pub(crate) fn delivers(&self) -> bool {
        self.open && self.quality.loss == 0
    }
}

/// All directions.
#[derive(Debug)]
pub(crate) struct Paths {
    nodes: usize,
    at_start: PathQuality,
    paths: Vec<Path>,
}

impl Paths {
    pub(crate) fn new(nodes: usize, quality: PathQuality) -> Self {
        Self { nodes, at_start: quality, paths: vec![Path { open: true, quality }; nodes * nodes] }
    }

    pub(crate) fn between(&self, from: usize, to: usize) -> &Path {
        &self.paths[from * self.nodes + to]
    }

    /// When copies of a packet arrive, counted from now: none, one or two.
    pub(crate) fn fate(&self, from: usize, to: usize, random: &mut Random) -> [Option<Duration>; 2] {
        let Path { open, quality } = *self.between(from, to);
        if !open || random.chance(quality.loss) {
            return [None, None];
        }
        let mut once = || {
            let jitter = u64::try_from(quality.jitter.as_micros()).unwrap_or(u64::MAX);
            let extra = if jitter == 0 { 0 } else { random.between(0, jitter) };
            quality.delay + Duration::from_micros(extra)
        };
        let first = once();
        let second = once();
        [Some(first), random.chance(quality.duplicate).then_some(second)]
    }

    pub(crate) fn change(&mut self, change: LanChange) {
        match change {
            LanChange::Cut(choice) => self.each(choice, |path| path.open = false),
            LanChange::Heal => {
                let quality = self.at_start;
                self.each(PathChoice::All, |path| *path = Path { open: true, quality });
            }
            LanChange::Loss(loss, choice) => self.each(choice, |path| path.quality.loss = loss),
            LanChange::Duplicate(duplicate, choice) => self.each(choice, |path| path.quality.duplicate = duplicate),
            LanChange::Delay(delay, choice) => self.each(choice, |path| path.quality.delay = delay),
            LanChange::Jitter(jitter, choice) => self.each(choice, |path| path.quality.jitter = jitter),
        }
    }

    /// Whether every packet arrives everywhere, and not much later than the one before.
    pub(crate) fn are_sound(&self) -> bool {
        self.paths.iter().all(|path| path.delivers() && path.quality.jitter <= MUCH_JITTER)
    }

    /// Whether everybody hears a node.
    pub(crate) fn deliver_all_from(&self, from: usize) -> bool {
        (0..self.nodes).all(|to| self.between(from, to).delivers())
    }

    /// The longest that a packet can be under way.
    pub(crate) fn longest(&self) -> Duration {
        self.paths.iter().map(|path| path.quality.delay + path.quality.jitter).max().unwrap_or_default()
    }

    fn each(&mut self, choice: PathChoice, change: impl Fn(&mut Path)) {
        for from in 0..self.nodes {
            for to in 0..self.nodes {
                let chosen = match choice {
                    PathChoice::All => true,
                    PathChoice::Around(node) => from == node || to == node,
                    PathChoice::Between(left, right) => (from, to) == (left, right) || (to, from) == (left, right),
                    PathChoice::From(left, right) => (from, to) == (left, right),
                };
                if chosen && from != to {
                    change(&mut self.paths[from * self.nodes + to]);
                }
            }
        }
    }
}
