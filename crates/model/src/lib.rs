//! Goes through everything that can happen, in a small case, to two nodes with one service between them: each place for a
//! command and for what goes wrong, and what happens at the same moment in the orders that [`Order`] names. What runs here
//! are the engines that ship; only network, processes and operators are played.
//!
//! A [`Case`] bounds how much goes wrong in one history, not how long it lasts: situations that no engine can tell apart
//! are one state (`canonical.rs`), so that there are finitely many, and all of them are looked at. A cut is one of the
//! things that go wrong; what is asked of two nodes that cannot hear each other stands in `apart.rs`.
#![forbid(unsafe_code)]

mod apart;
mod canonical;
mod node;
mod scope;
mod setup;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::RoleStep;
use stateright::{Checker, HasDiscoveries, Model, Property};

pub use node::{Kind, Process};
pub use scope::{Case, From, LARGE, Order, SMALL, Scope};
pub use world::{Action, World};

/// If nothing goes wrong any more, all is well after this long.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
/// And after so few things that happen: many more would be a storm of messages.
const SETTLES_IN: usize = 5_000;
/// And stays so: for longer than anything takes that could still be going on.
const STAYS_FOR: Duration = Duration::from_secs(4);
/// When a cut is over, so is what came of it, after this long: somebody may be taken for dead before his first words arrive.
const TOGETHER_WITHIN: Duration = Duration::from_secs(2);

/// What must hold in each state.
const ONE_PROCESS: &str = "the service is never on both nodes";
const ONE_START: &str = "it is never started before the last of it is gone";
const LAST_FIRST: &str = "nobody lets the role go before the last of it is gone";
const ONE_ACTIVE: &str = "never are both Active";
const WORSE: &str = "nothing begins twice while they hear each other";
const SETTLES: &str = "left alone, one serves and the other one stands by";
/// What must be met somewhere, so that the others say something.
const MOVES: &str = "met: the role is on the other node";
const CUT: &str = "met: a living node is taken for dead";

#[derive(Debug)]
struct Pair {
    case: Case,
    /// Situations from which it is known to settle.
    settles: Mutex<HashMap<u128, Toll>>,
    longest: Mutex<Toll>,
    /// States in which a living node was taken for dead, and what came of that is not over.
    apart: AtomicUsize,
    steps: Mutex<Steps>,
    gives_up_at: Instant,
    given_up: AtomicBool,
    /// What led there, by what must not be or may be and was met.
    met: Mutex<BTreeMap<&'static str, Vec<Action>>>,
}

/// Steps of the table of roles, and how often each was taken.
pub type Steps = BTreeMap<RoleStep, usize>;

impl Model for Pair {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.case)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        // The checker's own limit of time is looked at only where its threads share their work.
        if Instant::now() >= self.gives_up_at {
            self.given_up.store(true, Ordering::Relaxed);
            return;
        }
        world.actions(actions);
        self.apart.fetch_add(usize::from(world.apart), Ordering::Relaxed);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let next = world.after(action);
        self.count(&next);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONE_PROCESS, |model: &Self, world: &World| {
                model.must(ONE_PROCESS, world, world.apart || !world.doubled().service)
            }),
            Property::always(ONE_START, |model: &Self, world: &World| {
                model.must(ONE_START, world, !world.started_twice)
            }),
            Property::always(LAST_FIRST, |model: &Self, world: &World| {
                model.must(LAST_FIRST, world, !world.let_go_early)
            }),
            Property::always(ONE_ACTIVE, |model, world| {
                model.must(ONE_ACTIVE, world, world.apart || !world.doubled().role)
            }),
            Property::always(WORSE, |model: &Self, world: &World| model.must(WORSE, world, !world.worse)),
            Property::always(SETTLES, |model: &Self, world: &World| model.must(SETTLES, world, model.settles(world))),
        ];
        if self.case.moves {
            properties.push(Property::sometimes(MOVES, |model: &Self, world: &World| {
                model.may(MOVES, world.nodes[1].active)
            }));
        }
        if self.case.cuts {
            properties.push(Property::sometimes(CUT, |model: &Self, world: &World| model.may(CUT, world.apart)));
        }
        properties
    }
}

/// What it takes until two who were apart have come together: nothing if they are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Toll {
    /// From the end of the cut.
    pub time: Duration,
    /// Messages that arrive meanwhile.
    pub messages: usize,
}

impl Pair {
    fn must(&self, what: &'static str, world: &World, holds: bool) -> bool {
        if !holds {
            let mut met = self.met.lock().expect("nobody panics with it");
            met.entry(what).or_insert_with(|| world.history());
        }
        holds
    }

    fn may(&self, what: &'static str, is_met: bool) -> bool {
        if is_met {
            self.met.lock().expect("nobody panics with it").entry(what).or_default();
        }
        is_met
    }

    fn count(&self, world: &World) {
        if !world.steps.is_empty() {
            let mut steps = self.steps.lock().expect("nobody panics with it");
            world.steps.iter().for_each(|step| *steps.entry(*step).or_default() += 1);
        }
    }

    /// Whether it comes to rest with one that serves if nothing goes wrong from here on.
    fn settles(&self, from: &World) -> bool {
        // What takes no time comes to such a state, which is looked at as well.
        let given_up = self.given_up.load(Ordering::Relaxed);
        if given_up || (!from.is_last() && !from.is_quiet()) {
            return true;
        }
        let mut passed = Vec::new();
        let mut world = from.clone();
        let mut well_since = None;
        let mut messages = 0;
        // How many states were passed, when they were last together again after having been apart, and what that took.
        let mut together = None;
        let mut apart = false;
        let settled = loop {
            if std::mem::replace(&mut apart, world.apart) && !apart {
                together = Some((passed.len(), world.now, messages));
            }
            let situation = world.situation;
            let known = self.settles.lock().expect("nobody panics with it").get(&situation).copied();
            if let Some(toll) = known {
                if toll != Toll::default() {
                    together = Some((passed.len(), world.now + toll.time, messages + toll.messages));
                }
                break true;
            }
            passed.push((situation, world.now, messages));
            if !apart && (world.is_settled() || world.is_latched()) {
                let since = *well_since.get_or_insert(world.now);
                if world.now.since(since) >= STAYS_FOR {
                    break true;
                }
            } else {
                well_since = None;
            }
            if world.now.since(from.now) >= SETTLES_WITHIN || passed.len() >= SETTLES_IN {
                break false;
            }
            messages += usize::from(matches!(world.next_in_peace(), Action::Deliver(_)));
            world = world.in_peace();
            self.count(&world);
        };
        let tolls = passed.iter().enumerate().map(|(number, (situation, at, before))| {
            let lies_ahead = together.filter(|(passed, ..)| number < *passed);
            let toll = lies_ahead.map(|(_, now, messages)| Toll { time: now.since(*at), messages: messages - before });
            (*situation, toll.unwrap_or_default())
        });
        let mut settles = self.settles.lock().expect("nobody panics with it");
        if settled {
            settles.extend(tolls);
        }
        let toll = settles.get(&from.situation).copied().unwrap_or_default();
        drop(settles);
        let mut longest = self.longest.lock().expect("nobody panics with it");
        longest.time = longest.time.max(toll.time);
        longest.messages = longest.messages.max(toll.messages);
        settled && toll.time <= TOGETHER_WITHIN
    }
}

/// What going through a case has shown.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: &'static str,
    /// States met, those met before included.
    pub states: usize,
    /// Different ones.
    pub unique: usize,
    /// The longest history that leads to a state for the first time.
    pub depth: usize,
    /// In how many of them a living node was taken for dead, and what came of that is not over.
    pub apart: usize,
    /// How long that went on at most, once they could hear each other and nothing else went wrong.
    pub longest: Toll,
    /// All of them were looked at.
    pub whole: bool,
    /// The steps of the table of roles that were taken on the way.
    pub steps: Steps,
    /// How long it took.
    pub took: Duration,
    /// By what must hold: whether it does, or the history that breaks it.
    pub properties: BTreeMap<&'static str, Result<(), String>>,
}

impl Report {
    /// Whether all is as it must be.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.whole && self.properties.values().all(Result::is_ok)
    }
}

/// Goes through all states of a case, and stops at the first that must not be or after so long.
#[must_use]
pub fn check(case: Case, threads: usize, at_most: Duration) -> Report {
    let begun_at = Instant::now();
    let model = Pair {
        case,
        settles: Mutex::default(),
        longest: Mutex::default(),
        apart: AtomicUsize::new(0),
        steps: Mutex::default(),
        gives_up_at: begun_at + at_most,
        given_up: AtomicBool::new(false),
        met: Mutex::default(),
    };
    let properties = model.properties();
    let checker = model.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let whole = checker.is_done() && !checker.model().given_up.load(Ordering::Relaxed);
    // The checker's own way back to a state asks for its actions again, of which a case that is given up has none.
    let met = checker.model().met.lock().expect("nobody panics with it");
    let found = properties.iter().map(|property| {
        let result = match (&property.expectation, met.get(property.name)) {
            (stateright::Expectation::Sometimes, None) => Err("  nowhere\n".to_owned()),
            (stateright::Expectation::Sometimes, Some(_)) | (_, None) => Ok(()),
            (_, Some(actions)) => Err(history(&case, actions)),
        };
        (property.name, result)
    });
    let properties = found.collect();
    Report {
        name: case.name,
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        apart: checker.model().apart.load(Ordering::Relaxed),
        longest: *checker.model().longest.lock().expect("nobody panics with it"),
        steps: checker.model().steps.lock().expect("nobody panics with it").clone(),
        whole,
        took: begun_at.elapsed(),
        properties,
    }
}

/// A way to a state, one line for each thing that happens.
fn history(case: &Case, actions: &[Action]) -> String {
    let mut text = String::new();
    let mut world = World::new(case);
    let begun_at = world.now;
    for action in actions.iter().map(Some).chain([None]) {
        let done = action.map_or_else(String::new, |action| world.describe(*action));
        let milliseconds = world.now.since(begun_at).as_millis();
        text.push_str(&format!("  {milliseconds:>6} ms  {world}  {done}\n"));
        if let Some(action) = action {
            world = world.after(*action);
        }
    }
    text
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, unique, depth, apart, longest, whole, took, .. } = self;
        let extent = if *whole { "all states" } else { "NOT all states" };
        writeln!(
            f,
            "{name}: {extent}: {unique} ({states} with repeats), depth {depth}, {apart} apart, {:.1} s",
            took.as_secs_f64()
        )?;
        if *longest != Toll::default() {
            let Toll { time, messages } = longest;
            writeln!(f, "  together again after {} ms and {messages} messages at most", time.as_millis())?;
        }
        for (property, result) in &self.properties {
            match result {
                Ok(()) => writeln!(f, "  holds   {property}")?,
                Err(history) => write!(f, "  BROKEN  {property}\n{history}")?,
            }
        }
        Ok(())
    }
}
