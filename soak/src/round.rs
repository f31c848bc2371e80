//! One fault, once: from good order through the fault back to good order, and what was seen on the way.

use std::time::Duration;

use rehearse::lab::Moment;

use crate::audit::{TakeOver, held, take_overs};
use crate::dice::Dice;
use crate::failure::{Failure, Result};
use crate::faults::{Changes, Fault, Overlap, Scene, Twice};
use crate::footprint::Footprint;
use crate::ground::{Ground, Kind};
use crate::holders::STEP;
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
    /// Daemons that ended by themselves, with their last words.
    pub ends: Vec<String>,
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
    /// The longest time in which we ourselves were not let run.
    pub stalled: Duration,
    /// What all daemons have written meanwhile.
    pub log: Vec<String>,
    /// What was promised and not kept, in words; empty if all was well.
    pub broken: Vec<String>,
}

/// What a daemon has more after a fault than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    pub kibibytes: i64,
    pub descriptors: i64,
}

/// Scripts and threads that end now are given so long to be gone.
const FOR_STRAGGLERS: Duration = Duration::from_secs(10);
/// A watch that looks every [`STEP`] and is held up a little sees a change so much late.
const UNSHARP: Duration = STEP.saturating_mul(5);

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
    let mut scene = Scene { ground, node, span, is_exact, flood, dice, deaf: Vec::new() };
    let played = (fault.play)(&mut scene);
    let deaf = scene.deaf;
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

    let edges = ground.edges();
    let seen = held(&edges, from, until);
    let overlap = match fault.overlap {
        Overlap::None | Overlap::Lifetime => seen.overlap,
        // Until then it is the network's.
        Overlap::UntilHeard if fault.changes == Changes::WhenDeaf && fault.name == "partition" => {
            held(&edges, undone, until).overlap
        }
        Overlap::UntilHeard => seen.overlap,
    };
    let patience = ground.plan.silence().saturating_sub(Duration::from_millis(20));
    let taken = take_overs(&ground.words(before), &deaf, from, patience);
    // A pair hands over by its own word, which is not heard at the switch.
    let may_be_agreed = ground.plan.has_service() && fault.changes == Changes::WhenActive;
    let has_cause = |taken: &TakeOver| {
        (taken.silence >= patience || may_be_agreed)
            && match fault.changes {
                Changes::Never => false,
                Changes::WhenActive => node == 0,
                Changes::WhenDeaf => taken.because_deaf,
            }
    };
    let (with, without): (Vec<TakeOver>, Vec<TakeOver>) = taken.into_iter().partition(has_cause);
    let mut round = Round {
        fault,
        node: name,
        kind,
        without_cause: without.len(),
        with_cause: with.len(),
        ends: ground.take_ends(),
        overlap,
        gap: seen.gap,
        work: ground.work(from, undone, until),
        recovery: recovered.map(|at| at.since(undone)),
        grown,
        busy,
        stalled: ground.stalled(from),
        log: ground.story(from),
        broken: Vec::new(),
    };
    round.broken = broken(ground, &round, &without, unplayed);
    let not_found = is_found.into_iter().filter(|(is_so, _)| !is_so).map(|(_, otherwise)| otherwise.to_owned());
    round.broken.extend(not_found);
    Ok(round)
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

fn broken(ground: &Ground, round: &Round, without: &[TakeOver], unplayed: Option<Failure>) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(failure) = unplayed {
        broken.push(failure.to_string());
    }
    for taken in without {
        let after = match taken.silence {
            Duration::MAX => "a goodbye, or nothing at all".to_owned(),
            silence => format!("{} ms of silence", silence.as_millis()),
        };
        let by = ground.nodes[taken.by].host.name();
        broken.push(format!("{by} took the role after {after}\n{}", ground.last_words(taken.by)));
    }
    // Whoever ends as soon as it is started again says the same each time.
    broken.extend(round.ends.iter().take(2).cloned());
    let plan = &ground.plan;
    let allowed = UNSHARP
        + round.stalled
        + match round.fault.overlap {
            Overlap::None => Duration::ZERO,
            Overlap::Lifetime => plan.lifetime() + Duration::from_millis(500),
            Overlap::UntilHeard => plan.interval() * 2 + Duration::from_millis(50),
        };
    let is_bounded = round.fault.overlap != Overlap::UntilHeard || round.fault.name == "partition";
    if is_bounded && round.overlap > allowed {
        broken.push(format!("two had the address for {} ms", round.overlap.as_millis()));
    }
    if let Some(work) = round.work {
        let (twice, allowed) = match round.fault.twice {
            Twice::Never => (work.twice, round.stalled),
            // They hear each other within an interval; the one who gives way stops it first.
            Twice::UntilHeard => {
                (work.twice_afterwards, plan.interval() * 2 + Duration::from_millis(100) + round.stalled)
            }
        };
        if twice > allowed {
            broken.push(format!("the service ran twice for {} ms", twice.as_millis()));
        }
    }
    if round.recovery.is_none() {
        let all = (0..ground.nodes.len()).map(|node| ground.last_words(node)).collect::<String>();
        broken.push(format!("no good order came after it\n{all}"));
    }
    if let Some(Growth { descriptors: more @ 1.., .. }) = round.grown {
        broken.push(format!("{more} descriptors more than before"));
    }
    broken
}
