//! What befalls a service that the daemons themselves look after, and what its operator does.

use std::time::Duration;

use super::super::outcome::ActOutcome;
use super::super::pair::{HANDED_OVER, Node, Supervised};
use super::super::scene::{Scene, millis};
use super::super::stage::{Player, Stage};
use super::{AFTERMATH, Act, LATE, MOVING, STARTS, calm_down, come_back, outage, skipped, taken_at};
use crate::lab::{Audit, LabError, Moment, wait_until};

/// A service that hangs gets no longer than this to end in order.
const PATIENCE_WITH_THE_HUNG: Duration = Duration::from_secs(2);
/// Where nobody could do better, it is tried again after this long.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Who allows more restarts than this would be bored by this act.
const MOST_DEATHS: u32 = 10;
/// How long is watched whether a latched pair keeps still.
const KEEPS_STILL: Duration = Duration::from_secs(2);

/// It dies, and `restart` still allows it to be started here.
pub(super) fn dies(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let node = stage.players[active].node.clone();
    let restart = service(&node).config.restart;
    if restart.limit == 0 {
        return Ok(skipped(Act::Service, "`restart never`: the first death moves it, as act `move` shows".to_owned()));
    }
    let mut scene = Scene::begin(Act::Service.name(), format!("the service of {} dies", node.name));
    let killed = kill(stage, active)?;
    let again = stage.wait_for_beginning(killed, LATE).filter(|(which, _)| *which == active);
    stage.dwell(AFTERMATH);
    scene.promise(format!("{} starts it again", node.name), STARTS, again.map(|(_, at)| at.since(killed)));
    promise_work(&mut scene, stage, killed, STARTS);
    scene.promise("the address is silent", MOVING, Some(outage(stage, killed, Moment::now())));
    calm_down(stage);
    promise_never_two(&mut scene, stage);
    Ok(scene.end(stage))
}

/// It dies again and again, until the node has had enough.
pub(super) fn moves(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let standby = 1 - active;
    let [node, other] = [active, standby].map(|which| stage.players[which].node.clone());
    if let Some(why) = too_patient(&node) {
        return Ok(skipped(Act::Move, why));
    }
    let mut scene = Scene::begin(Act::Move.name(), format!("the service of {} dies too often", node.name));
    let (killed, began) = kill_until_it_moves(stage, active)?;
    let moved = began.is_some() && stage.wait_for_sole_holder(standby, LATE);
    stage.dwell(AFTERMATH);
    let mended = Moment::now();
    mend_latch(stage, &mut scene)?;
    let limit = other.replaces_leaving(&node);
    let taken = taken_at(stage, Some(standby), killed).filter(|_| moved);
    scene.promise(format!("{} takes over", other.name), limit, taken);
    promise_work(&mut scene, stage, killed, limit + STARTS);
    let silence = if node.pair.is_some() { MOVING } else { limit };
    scene.promise("the address is silent", silence, Some(outage(stage, killed, mended)).filter(|_| moved));
    come_back(stage, &mut scene, active, moved, mended, ready_again(&node, &other));
    Ok(scene.end(stage))
}

/// It is there and answers nobody.
pub(super) fn hangs(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let [node, other] = [active, 1 - active].map(|which| stage.players[which].node.clone());
    let service = service(&node);
    let Some(noticed) = service.hang_noticed else {
        let why = "no check asks the service itself, so nobody would notice: `check http` or `check script` would";
        return Ok(skipped(Act::Hang, why.to_owned()));
    };
    let mut scene = Scene::begin(Act::Hang.name(), format!("the service of {} hangs", node.name));
    let hung = stage.lab.note(node.name, "the service is frozen (SIGSTOP)");
    stage.players[active].freeze_service()?;
    let ends = noticed + PATIENCE_WITH_THE_HUNG.min(service.config.stop_timeout);
    let mut limit = ends + other.replaces_leaving(&node);
    let began = stage.wait_for_beginning(hung, limit + LATE);
    let moved = began.is_some_and(|(which, _)| which != active);
    stage.dwell(AFTERMATH);
    let mended = Moment::now();
    if mend_latch(stage, &mut scene)? {
        limit = ends + FIRST_RETRY;
    }
    let what = match began {
        Some((which, _)) => format!("{} starts it again", stage.name(which)),
        None => "it is started again".to_owned(),
    };
    scene.promise(what, limit + STARTS, began.map(|(_, at)| at.since(hung)));
    promise_work(&mut scene, stage, hung, limit + STARTS);
    come_back(stage, &mut scene, active, moved, mended, ready_again(&node, &other));
    Ok(scene.end(stage))
}

/// An operator has it moved to the other node, and back.
pub(super) fn switches(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let standby = 1 - active;
    let node = stage.players[active].node.clone();
    if node.pair.is_none() {
        return Ok(skipped(Act::Switch, "without a `pair` block there is nobody to hand over to in order".to_owned()));
    }
    let title = format!("an operator moves the service of {}", node.name);
    let mut scene = Scene::begin(Act::Switch.name(), title);
    let instance = node.router.name.to_string();
    for (to, words) in [(standby, &["switch", &instance][..]), (active, &["switch", &instance, "--to", "here"])] {
        let asked = stage.lab.note(node.name, &format!("`tanist {}`", words.join(" ")));
        let told = stage.players[active].operate(words)?;
        let moved = told.status.success() && stage.wait_for_sole_holder(to, LATE);
        let said = [told.stdout, told.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        scene.remark(format!("tanist says: {}", said.trim()));
        stage.dwell(AFTERMATH);
        let taken = taken_at(stage, Some(to), asked).filter(|_| moved);
        scene.promise(format!("{} takes over", stage.name(to)), HANDED_OVER, taken);
        promise_work(&mut scene, stage, asked, HANDED_OVER + STARTS);
        scene.promise("the address is silent", MOVING, Some(outage(stage, asked, Moment::now())));
    }
    scene.remark("tanist counts from the last process that is gone until the checks are good over there");
    calm_down(stage);
    promise_never_two(&mut scene, stage);
    Ok(scene.end(stage))
}

/// It fails wherever it is started, until nothing floats any more.
pub(super) fn latches(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let nodes = [active, 1 - active].map(|which| stage.players[which].node.clone());
    if let Some(why) = nodes.iter().find_map(too_patient) {
        return Ok(skipped(Act::Latch, why));
    }
    if nodes[0].pair.is_none() {
        return Ok(skipped(Act::Latch, "without a `pair` block neither node knows that the other failed".to_owned()));
    }
    let mut scene = Scene::begin(Act::Latch.name(), "the service fails wherever it is started".to_owned());
    let mut killed = Moment::now();
    let mut left = active;
    let deaths: u32 = nodes.iter().map(|node| service(node).config.restart.limit + 1).sum();
    for _ in 0..deaths {
        killed = kill(stage, left)?;
        let mut again = None;
        let _ = wait_until(LATE, || {
            again = stage.began_since(killed);
            again.is_some() || is_latched(stage, left)
        });
        match again {
            Some((which, _)) => left = which,
            None => break,
        }
    }
    let latched = wait_until(LATE, || [0, 1].iter().all(|&which| is_latched(stage, which)));
    let told = Moment::now().since(killed);
    // Asking both takes a while itself.
    scene.promise("both nodes are latched", HANDED_OVER + STARTS * 2, Some(told).filter(|_| latched));
    // The last move that is allowed is still made; otherwise it is tried again where it is.
    let again = stage.wait_for_beginning(killed, FIRST_RETRY + LATE);
    left = again.map_or(left, |(which, _)| which);
    let what = format!("{} keeps it and tries again", stage.name(left));
    scene.promise(what, FIRST_RETRY + STARTS, again.map(|(_, at)| at.since(killed)));
    stage.dwell(AFTERMATH);
    let still_since = Moment::now();
    stage.dwell(KEEPS_STILL);
    if stage.began_since(still_since).is_some() || stage.holders() != [left] {
        scene.promise("nothing moves", Duration::ZERO, None);
    }

    stage.lab.note(stage.name(left), "an operator has seen to it: `tanist ack`");
    let mended = Moment::now();
    acknowledge(&stage.players[left])?;
    let [node, other] = nodes;
    come_back(stage, &mut scene, active, left != active, mended, ready_again(&node, &other));
    Ok(scene.end(stage))
}

/// That somebody is at work again before long.
pub(super) fn promise_work(scene: &mut Scene, stage: &Stage, from: Moment, limit: Duration) {
    scene.promise("nobody is at work", limit, gap(stage, from));
}

/// In the whole act.
pub(super) fn promise_never_two(scene: &mut Scene, stage: &Stage) {
    let overlap = stage.audit(scene.start(), Moment::now()).overlap;
    if stage.players[0].node.pair.is_some() {
        scene.promise_never("two at work at once", overlap);
    } else if !overlap.is_zero() {
        scene.remark(format!(
            "two were at work at once for {:.0} ms: without a `pair` block, who takes over by its priority cannot wait \
             until the service has ended on the other node",
            millis(overlap)
        ));
    }
}

/// The longest time since then in which nobody was at work; `None` if it goes on.
pub(super) fn gap(stage: &Stage, from: Moment) -> Option<Duration> {
    let Audit { gap, gap_goes_on, .. } = stage.audit(from, Moment::now());
    (!gap_goes_on).then_some(gap)
}

fn service(node: &Node) -> &Supervised {
    node.supervised().expect("these acts are played with a service that the daemons look after")
}

/// Why it would take too long to spend what `restart` allows.
fn too_patient(node: &Node) -> Option<String> {
    let limit = service(node).config.restart.limit;
    (limit > MOST_DEATHS).then(|| format!("`restart {limit} within …` on {} allows too many deaths", node.name))
}

/// A node that has failed is a ready standby again after so many good answers, the first one at once.
fn ready_again(node: &Node, other: &Node) -> Duration {
    let config = &service(node).config;
    let waits = if node.pair.is_some() { HANDED_OVER } else { node.down_interval(other) };
    config.readiness_interval * config.readiness_rise + node.router.preempt_delay + waits
}

fn kill(stage: &mut Stage, which: usize) -> Result<Moment, LabError> {
    let name = stage.name(which);
    let killed = stage.lab.note(name, "the service is killed");
    stage.players[which].kill_service()?;
    Ok(killed)
}

/// When it was killed the last time, and when it began to work on the other node, if it did.
fn kill_until_it_moves(stage: &mut Stage, active: usize) -> Result<(Moment, Option<Moment>), LabError> {
    let deaths = service(&stage.players[active].node).config.restart.limit + 1;
    let mut killed = Moment::now();
    for _ in 0..deaths {
        killed = kill(stage, active)?;
        match stage.wait_for_beginning(killed, LATE) {
            Some((which, at)) if which != active => return Ok((killed, Some(at))),
            Some(_) => {}
            None => break,
        }
    }
    Ok((killed, None))
}

/// If what was played before has already been too much, the next act shall not suffer from it. Returns whether so.
fn mend_latch(stage: &Stage, scene: &mut Scene) -> Result<bool, LabError> {
    if stage.players[0].node.pair.is_none() {
        return Ok(false);
    }
    let latched = is_latched(stage, 0);
    if latched {
        scene.remark(
            "that was one failure too many: the pair was latched, so that nothing moves by itself, until `tanist ack`",
        );
    }
    // Also where nothing is latched: the moves of one act shall not count in the next.
    acknowledge(&stage.players[0])?;
    Ok(latched)
}

/// An operator has seen to everything. One node tells the other.
fn acknowledge(player: &Player) -> Result<(), LabError> {
    let told = player.operate(&["ack"])?;
    if told.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&told.stderr).trim().to_owned();
    Err(LabError::new(format!("`tanist ack` on {}: {why}", player.node.name)))
}

fn is_latched(stage: &Stage, which: usize) -> bool {
    let told = stage.players[which].operate(&["status", "--json"]);
    let status = told.ok().and_then(|told| serde_json::from_slice::<serde_json::Value>(&told.stdout).ok());
    status.is_some_and(|status| !status["latch"].is_null())
}
