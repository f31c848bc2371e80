//! One fault, once: from good order through the fault back to good order, and what was seen on the way.

use std::time::Duration;

use rehearse::lab::Moment;

use crate::audit::{held, kept_in_spite, take_overs};
use crate::dice::Dice;
use crate::failure::Result;
use crate::faults::{Fault, Flood, Scene};
use crate::footprint::Footprint;
use crate::ground::{Ground, Kind};
use crate::judge::{Blame, Breach, Evidence, Log, Verdict};
use crate::promise::{Changes, Held, Limits, Overlap};
use crate::work::Work;

/// How faults are played.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// A fault that lasts does so for at most so long.
    pub longest: Duration,
    /// It always does so for just so long, so that two that are compared meet the same.
    pub is_exact: bool,
    /// Packets a second in a flood.
    pub flood: u32,
}

/// What one round came to.
#[derive(Clone, Debug)]
pub struct Round {
    pub fault: &'static Fault,
    /// The node that was hit, and its daemon.
    pub node: String,
    pub kind: Kind,
    /// Role changes that nothing explains.
    pub without_cause: usize,
    /// Role changes that are explained, except the way back.
    pub with_cause: usize,
    /// The most of them to the same node.
    pub most_changes: usize,
    /// A keepalived took the role although it had just heard a better router, which says nothing about ours.
    pub by_others: usize,
    /// Daemons that ended by themselves, with their last words.
    pub ends: Vec<String>,
    /// How long two had the address; where advertisements are lost, from the first one on that the worse one could hear.
    pub overlap: Duration,
    pub gap: Duration,
    /// What became of the service, if there is one.
    pub work: Option<Work>,
    /// From the end of the fault to good order; `None` if that did not come.
    pub recovery: Option<Duration>,
    /// Growth of the hit daemon, if it is still the same process.
    pub grown: Option<Growth>,
    /// How much of one processor the hit daemon took while the fault lasted, in percent.
    pub busy: Option<f64>,
    /// What became of a flood, if it was one.
    pub flooded: Option<Flood>,
    /// What is promised on a quiet machine.
    pub limits: Limits,
    /// What was forgiven besides.
    pub held: Held,
    /// What all daemons have written meanwhile.
    pub log: Vec<String>,
    /// Advertisement_Interval.
    pub interval: Duration,
    /// What was promised and not kept; empty if all was well.
    pub broken: Vec<Breach>,
}

impl Round {
    /// Whether something was not as promised, and all of that may be due to a machine that has let nobody run for an
    /// interval. (It takes two intervals without a daemon until another one takes the role; but we are not the daemon, and
    /// measure only ourselves.) What it never can: a service that runs twice, a daemon that ends, a descriptor that is not
    /// given back.
    #[must_use]
    pub fn may_be_the_machine(&self) -> bool {
        let is_only_that = self.broken.iter().all(|breach| breach.blame == Blame::PerhapsMachine);
        !self.broken.is_empty() && is_only_that && self.held.stall >= self.interval
    }
}

/// What a daemon has more after a fault than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    pub kibibytes: i64,
    pub descriptors: i64,
}

/// Scripts and threads that end now are given so long to be gone.
const FOR_STRAGGLERS: Duration = Duration::from_secs(10);

/// Plays a fault on a node.
pub fn play(ground: &mut Ground, fault: &'static Fault, node: usize, manner: Manner, dice: &mut Dice) -> Result<Round> {
    let (kind, name) = (ground.nodes[node].kind, ground.nodes[node].host.name().to_owned());
    // Who began to speak before this is known from the words of the last intervals.
    let before = Moment::now() - ground.plan.silence() * 2;
    ground.forget(before);
    ground.take_ends();
    let pid = ground.nodes[node].program().pid();
    let footprint = ground.nodes[node].footprint();
    let from = ground.lab.note(&name, fault.name);
    let span = manner.longest;
    let Manner { is_exact, flood, .. } = manner;
    let mut scene =
        Scene { ground, node, span, is_exact, flood, dice, deaf: Vec::new(), stood: Duration::ZERO, flooded: None };
    let played = (fault.play)(&mut scene);
    let (deaf, stood, flooded) = (scene.deaf, scene.stood, scene.flooded);
    let undone = ground.lab.note(&name, "undone");
    let during = ground.nodes[node].footprint();
    // What could not be done says nothing, unless it is because the daemon did not do its part.
    let unplayed = played.err();
    let recovered = ground.wait_until_steady(undone)?;
    let is_found = [
        (ground.answers_operators(node)?, "nobody answers at the control socket"),
        (ground.says_who_it_is(node)?, "the pid file does not hold the number of the daemon"),
    ];
    let until = Moment::now();
    let same = ground.nodes[node].program().pid() == pid;
    let grown = if same { settled_growth(ground, node, footprint)? } else { None };
    let busy = || {
        let (before, during) = (footprint?, during?);
        let worked = during.worked.saturating_sub(before.worked);
        Some(100.0 * worked.as_secs_f64() / undone.since(from).as_secs_f64().max(0.001))
    };
    let busy = if same { busy() } else { None };

    let (edges, words) = (ground.edges(), ground.words(before));
    let seen = held(&edges, from, until);
    let overlap = match fault.promise.overlap {
        Overlap::None | Overlap::Lifetime => seen.overlap,
        Overlap::UntilHeard => kept_in_spite(&edges, &words, &deaf, from, until),
    };
    let patience = ground.plan.silence().saturating_sub(Duration::from_millis(20));
    let kinds = ground.kinds();
    let held = Held { fault: undone.since(from), stood, ..ground.held(from) };
    let (work, recovery) = (ground.work(from, undone, until), recovered.map(|at| at.since(undone)));
    let names: Vec<(&str, Kind)> = ground.nodes.iter().map(|node| node.host.name()).zip(kinds).collect();
    let evidence = Evidence {
        promise: &fault.promise,
        limits: fault.promise.limits(&ground.plan, &held),
        nodes: &names,
        hit: node,
        patience,
        // A pair hands over by its own word, which is not heard at the switch.
        may_be_agreed: ground.plan.has_service() && matches!(fault.promise.changes, Changes::WhenActive(_)),
        taken: &take_overs(&words, &deaf, from, patience),
        overlap,
        gap: seen.gap,
        work,
        recovery,
        descriptors: grown.map_or(0, |grown| grown.descriptors),
    };
    let Verdict { with_cause, most, without_cause, by_others, breaches } = evidence.judge();
    let ends = ground.take_ends();
    let mut broken: Vec<Breach> = unplayed.into_iter().map(|failure| Breach::of_daemon(failure.to_string())).collect();
    // Whoever ends as soon as it is started again says the same each time.
    broken.extend(ends.iter().take(2).map(Breach::of_daemon));
    broken.extend(breaches.into_iter().map(|breach| with_more(ground, breach)));
    let not_found = is_found.into_iter().filter(|(is_so, _)| !is_so);
    broken.extend(not_found.map(|(_, otherwise)| Breach::of_daemon(otherwise)));
    Ok(Round {
        fault,
        node: name,
        kind,
        without_cause,
        with_cause,
        most_changes: most,
        by_others,
        ends,
        overlap,
        gap: seen.gap,
        work,
        recovery,
        grown,
        busy,
        flooded,
        limits: fault.promise.limits(&ground.plan, &held.on_a_quiet_machine()),
        held,
        interval: ground.plan.interval(),
        log: ground.story(from),
        broken,
    })
}

/// With the last words of the node that it is about, or of all.
fn with_more(ground: &Ground, breach: Breach) -> Breach {
    let nodes = match breach.log {
        Log::Nobodys => return breach,
        Log::Of(node) => node..node + 1,
        Log::Everybodys => 0..ground.nodes.len(),
    };
    let words: String = nodes.map(|node| ground.last_words(node)).collect();
    Breach { what: format!("{}\n{words}", breach.what), ..breach }
}

/// Descriptors of what is just ending are no leak: it is looked again until they are gone.
fn settled_growth(ground: &mut Ground, node: usize, before: Option<Footprint>) -> Result<Option<Growth>> {
    let Some(before) = before else { return Ok(None) };
    let mut waited = Duration::ZERO;
    loop {
        let Some(now) = ground.nodes[node].footprint() else { return Ok(None) };
        let difference = |now: u64, before: u64| now.cast_signed() - before.cast_signed();
        let grown = Growth {
            kibibytes: difference(now.memory, before.memory),
            descriptors: difference(now.descriptors, before.descriptors),
        };
        if grown.descriptors <= 0 || waited >= FOR_STRAGGLERS {
            return Ok(Some(grown));
        }
        let step = Duration::from_millis(170);
        ground.pass(step)?;
        waited += step;
    }
}
