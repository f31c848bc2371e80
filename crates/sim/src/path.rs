//! The ways between nodes: each direction of each pair for itself.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::Name;

use crate::plan::{LanChange, NodePlan, PathChoice, PathQuality, Plan};
use crate::random::Random;

/// One direction between two nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) open: bool,
    pub(crate) quality: PathQuality,
}

/// The interface that every node has, and that messages of the pair go by.
pub(crate) const LAN: &str = "eth0";
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

/// The LAN of each interface: eth0 of one node is on the same one as eth0 of any other.
#[derive(Debug)]
pub(crate) struct Lans(BTreeMap<Name, Paths>);

impl Lans {
    pub(crate) fn new(plan: &Plan) -> Self {
        let links = plan.nodes.iter().flat_map(NodePlan::links).chain([LAN.into()]);
        Self(links.map(|link| (link, Paths::new(plan.nodes.len(), plan.lan))).collect())
    }

    /// That of an interface; one that no node has is as good as the first.
    pub(crate) fn of(&self, link: &str) -> &Paths {
        let of = |wanted: &str| self.0.iter().find(|(name, _)| ***name == *wanted).map(|(_, paths)| paths);
        of(link).or_else(|| of(LAN)).expect("there is always that of eth0")
    }

    /// Something happens to all of them, or to that of one interface. Returns whether there is one.
    pub(crate) fn change(&mut self, link: Option<&Name>, change: LanChange) -> bool {
        let mut found = false;
        for (_, paths) in self.0.iter_mut().filter(|(name, _)| link.is_none_or(|link| *link == **name)) {
            paths.change(change);
            found = true;
        }
        found
    }

    /// Whether every packet arrives everywhere, and not much later than the one before.
    pub(crate) fn are_sound(&self) -> bool {
        self.0.values().all(Paths::are_sound)
    }

    /// The longest that a packet can be under way.
    pub(crate) fn longest(&self) -> Duration {
        self.0.values().map(Paths::longest).max().unwrap_or_default()
    }
}
