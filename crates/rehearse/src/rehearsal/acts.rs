//! What is done to the pair, what may be expected of it then, and the measuring of it.
//!
//! Every act leaves the pair as it found it: both nodes up, one of them active.

mod supervised;

use std::time::Duration;

use super::outcome::ActOutcome;
use super::own_pair::interface_of;
use super::pair::{HANDED_OVER, Node, Service};
use super::scene::Scene;
use super::stage::Stage;
use crate::lab::{LabError, Moment, Seen, held_by_several, holdings, wait_until};

/// One thing that can happen to a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Start,
    Service,
    Move,
    Hang,
    Switch,
    Crash,
    Stop,
    Power,
    Link,
    Cut,
    Latch,
}

/// While the address moves in order, a client may lose a few answers.
const MOVING: Duration = Duration::from_millis(50);
/// A daemon's own time to start, besides the protocol's timers.
const STARTING: Duration = Duration::from_secs(1);
/// A collector's own time from the order to start until it is at work.
const STARTS: Duration = Duration::from_millis(100);
/// From one question of a kernel for a neighbour that did not answer to the next.
const ASKING_AGAIN: Duration = Duration::from_secs(1);
/// The kernel looks now and then which addresses are due.
const EXPIRING: Duration = Duration::from_millis(500);
/// How much longer than promised we wait for what is late.
const LATE: Duration = Duration::from_secs(10);
/// What happens right after the last event belongs to the act.
const AFTERMATH: Duration = Duration::from_millis(500);

impl Act {
    pub(crate) const ALL: [Self; 11] = [
        Self::Start,
        Self::Service,
        Self::Move,
        Self::Hang,
        Self::Switch,
        Self::Stop,
        Self::Crash,
        Self::Power,
        Self::Link,
        Self::Cut,
        Self::Latch,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Service => "service",
            Self::Move => "move",
            Self::Hang => "hang",
            Self::Switch => "switch",
            Self::Crash => "crash",
            Self::Stop => "stop",
            Self::Power => "power",
            Self::Link => "link",
            Self::Cut => "cut",
            Self::Latch => "latch",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Start => "both nodes start (always played)",
            Self::Service => "the service dies, and is started again",
            Self::Move => "the service dies more often than `restart` allows, and moves",
            Self::Hang => "the service hangs",
            Self::Switch => "an operator has the service moved, and back (`tanist switch`)",
            Self::Crash => "the daemon is killed by SIGKILL and started again",
            Self::Stop => "the daemon is stopped in order and started again",
            Self::Power => "the node loses power and comes back",
            Self::Link => "the node's cable is pulled and put back",
            Self::Cut => "the nodes are cut off from each other, then the network heals",
            Self::Latch => "the service fails on both nodes: nothing moves until `tanist ack`",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }

    /// Whether it is about a service that the daemons look after.
    pub(crate) fn needs_supervision(self) -> bool {
        match self {
            Self::Move | Self::Hang | Self::Switch | Self::Latch => true,
            Self::Start | Self::Service | Self::Crash | Self::Stop | Self::Power | Self::Link | Self::Cut => false,
        }
    }

    /// Plays it.
    pub(crate) fn play(self, stage: &mut Stage) -> Result<ActOutcome, LabError> {
        if self == Self::Start {
            return start(stage);
        }
        let &[active] = stage.holders().as_slice() else {
            return Ok(skipped(self, "there is not exactly one active node to begin with".to_owned()));
        };
        let supervised = stage.players[active].node.supervised().is_some();
        if self.needs_supervision() && !supervised {
            return Ok(skipped(self, "the daemons look after no `service` here".to_owned()));
        }
        match self {
            Self::Start => unreachable!("handled above"),
            Self::Service if supervised => supervised::dies(stage, active),
            Self::Service => service(stage, active),
            Self::Move => supervised::moves(stage, active),
            Self::Hang => supervised::hangs(stage, active),
            Self::Switch => supervised::switches(stage, active),
            Self::Latch => supervised::latches(stage, active),
            Self::Crash | Self::Stop | Self::Power | Self::Link => failure(self, stage, active),
            Self::Cut => cut(stage, active),
        }
    }
}

fn skipped(act: Act, why: String) -> ActOutcome {
    ActOutcome { act: act.name(), title: act.description().to_owned(), skipped: Some(why), ..ActOutcome::default() }
}

/// Both nodes start at the same moment.
fn start(stage: &mut Stage) -> Result<ActOutcome, LabError> {
    let mut scene = Scene::begin("start", "both nodes start".to_owned());
    let started = stage.lab.note("", "both nodes are started");
    for player in &mut stage.players {
        player.start()?;
    }
    let [a, b] = [0, 1].map(|which| &stage.players[which].node);
    // Whose timer runs out first, if one does: at the same priority nobody can tell.
    let first = match a.effective_priority(None).cmp(&b.effective_priority(None)) {
        std::cmp::Ordering::Greater => Some(0),
        std::cmp::Ordering::Less => Some(1),
        std::cmp::Ordering::Equal => None,
    };
    let limit = [a, b]
        .map(|node| STARTING + first_check(node) + node.down_interval(node))
        .into_iter()
        .max()
        .unwrap_or_default();
    let is_so = || match first {
        Some(first) => stage.holders() == [first],
        None => stage.holders().len() == 1,
    };
    let settled = wait_until(limit + LATE, || is_so() || !stage.players.iter().all(|player| player.daemon_runs()));
    if let Some(dead) = stage.players.iter().find(|player| !player.daemon_runs()) {
        let node = &dead.node;
        let log = stage.lab.journal().log_of(node.name);
        return Err(LabError::of_daemon(&node.daemon.name, node.name, &log));
    }
    let taken = taken_at(stage, first.or_else(|| stage.holders().first().copied()), started);
    scene.promise("one node is active", limit, taken.filter(|_| settled));
    if stage.players[0].node.supervised().is_some() {
        let began = stage.wait_for_beginning(started, STARTS + LATE).filter(|_| settled);
        scene.promise("the service is at work", limit + STARTS, began.map(|(_, at)| at.since(started)));
    }
    calm_down(stage);
    if stage.players[0].node.supervised().is_some() {
        supervised::promise_never_two(&mut scene, stage);
    }
    Ok(scene.end(stage))
}

/// The service dies; its check must notice.
fn service(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let standby = 1 - active;
    let [node, other] = [active, standby].map(|which| stage.players[which].node.clone());
    let (script, real) = match &node.service {
        Service::Web { script, .. } => (script, true),
        Service::StandIn { script, .. } => (script, false),
        Service::Unwatched(why) => return Ok(skipped(Act::Service, (*why).to_owned())),
        Service::Supervised(_) => unreachable!("that is another play"),
    };
    let (checking, weight) = node.check(script).expect("a watched service has a tracked check");
    let fault = matches!(weight, engine::Weight::Fault);
    let failing = node.effective_priority(Some(script));
    let moves = fault || other.takes_over_from(failing);
    // A killed service fails its check at once; one that hangs would take its timeout longer.
    let noticed = checking.interval * checking.fall;
    // A fault makes the active one resign; a lower priority makes the standby ignore it until its timer runs out.
    let succession = if fault { other.replaces_leaving(&node) } else { other.down_interval(&node) };

    let (title, breaking, mending) = if real {
        ("the web service of {} dies", "the web service is killed", "the web service is started again")
    } else {
        ("the check of {} fails", "the check begins to fail", "the check is good again")
    };
    let mut scene = Scene::begin("service", title.replace("{}", node.name));
    let killed = stage.lab.note(node.name, breaking);
    stage.players[active].kill_service()?;
    let limit = noticed + succession;
    let moved = moves && stage.wait_for_sole_holder(standby, limit + LATE);
    if !moves {
        stage.dwell(noticed);
    }
    stage.dwell(AFTERMATH);
    let mended = Moment::now();
    scene.promise(
        format!("{} takes over", other.name),
        limit,
        taken_at(stage, Some(standby), killed).filter(|_| moved),
    );
    if moves {
        let silence = if fault { succession } else { MOVING };
        scene.promise("the address is silent", silence, Some(outage(stage, killed, mended)));
    } else {
        let (name, better, polite) = (node.name, other.name, other.effective_priority(None));
        scene.remark(if polite > failing {
            format!(
                "a failing check leaves {name} at priority {failing}; {better} has {polite} and could do better, but \
                 `nopreempt` forbids it to"
            )
        } else {
            format!(
                "a failing check leaves {name} at priority {failing}, and {better} has {polite}: its weight does not \
                 bridge the gap"
            )
        });
    }
    if let (true, Some(web)) = (moves, &stage.web_probe) {
        let silent = web.answers().between(killed, mended).longest_outage();
        scene.promise("the web service is silent", limit, Some(silent));
    }

    stage.lab.note(node.name, mending);
    stage.players[active].start_service()?;
    let recovered = checking.interval * checking.rise + node.down_interval(&other) + node.router.preempt_delay;
    come_back(stage, &mut scene, active, moves, mended, recovered);
    Ok(scene.end(stage))
}

/// The active node fails in one of several ways, and returns.
fn failure(act: Act, stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let standby = 1 - active;
    let [node, other] = [active, standby].map(|which| stage.players[which].node.clone());
    let name = node.name;
    let (title, deed, mending) = match act {
        Act::Crash => ("daemon of {} is killed", "the daemon is killed by SIGKILL", "the daemon is started again"),
        Act::Stop => ("daemon of {} is stopped", "the daemon is stopped by SIGTERM", "the daemon is started again"),
        Act::Power => ("{} loses power", "power goes", "power returns"),
        Act::Link => ("cable of {} is pulled", "the cable is pulled", "the cable is put back"),
        Act::Start | Act::Service | Act::Move | Act::Hang | Act::Switch | Act::Cut | Act::Latch => {
            unreachable!("other acts have their own play")
        }
    };
    let mut scene = Scene::begin(act.name(), title.replace("{}", name));
    let failed = stage.lab.note(name, deed);
    let player = &mut stage.players[active];
    match act {
        Act::Crash => player.kill_daemon()?,
        Act::Stop => player.stop_daemon()?,
        Act::Power => player.host.power_off()?,
        _ => player.host.set_cable(interface_of(&node.router), false)?,
    }
    let limit = if act == Act::Stop { other.replaces_leaving(&node) } else { other.replaces_dead(&node) };
    // What the failed node's kernel still has is another question.
    let moved = stage.wait_for_answer_by(standby, limit + LATE);
    stage.dwell(AFTERMATH);
    if act == Act::Stop && !stage.players[active].wait_for_daemons_end() {
        scene.remark(format!("the daemon of {name} does not end"));
    }
    // Only the kernel is left to take the address from a host whose daemon was killed.
    let lets_go = node.address_lifetime.filter(|_| act == Act::Crash);
    let released = lets_go.and_then(|lifetime| {
        let gone = || !stage.players[active].host.has_address(stage.address.into());
        wait_until(lifetime + LATE, gone).then(|| released_at(stage, active, failed)).flatten()
    });
    let mended = Moment::now();
    let taken = if moved { taken_at(stage, Some(standby), failed) } else { None };
    scene.promise(format!("{} takes over", other.name), limit, taken);
    if node.supervised().is_some() {
        supervised::promise_work(&mut scene, stage, failed, limit + STARTS);
    }
    if let Some(lifetime) = lets_go {
        scene.promise(format!("{name} loses the address by itself"), lifetime + EXPIRING, released);
        scene.remark(format!(
            "until then both nodes have it ({:.0} ms); whoever asks follows the announcement of {}",
            super::scene::millis(overlap(stage, failed, mended)),
            other.name,
        ));
    }
    let silent = Some(outage(stage, failed, mended)).filter(|_| moved);
    if act == Act::Stop && node.is_tanist {
        // Tanist goes on answering until its successor speaks.
        scene.promise("the address is silent", MOVING, silent);
    } else {
        scene.promise("the address is silent", limit, silent);
    }
    let left_behind = act == Act::Crash && stage.players[active].host.has_address(stage.address.into());

    stage.lab.note(name, mending);
    let player = &mut stage.players[active];
    match act {
        Act::Crash | Act::Stop => player.start_daemon()?,
        Act::Power => player.start()?,
        _ => player.host.set_cable(interface_of(&node.router), true)?,
    }
    if left_behind {
        let alone = stage.wait_for_sole_holder(standby, STARTING + LATE);
        let again = released_at(stage, active, mended).filter(|_| alone);
        scene.promise(format!("{name} lets go of what was left"), STARTING, again);
        scene.remark(format!(
            "the killed daemon left {} behind on {name}: both nodes had it for {:.0} ms, until it was started again",
            stage.address,
            super::scene::millis(overlap(stage, failed, Moment::now())),
        ));
    }
    let starting = if act == Act::Link { Duration::ZERO } else { STARTING + first_check(&node) };
    let waits = match &node.pair {
        // With the cable back, the kernels ask once a second where the other one is.
        Some(_) if act == Act::Link => ASKING_AGAIN + HANDED_OVER,
        Some(_) => HANDED_OVER,
        None => node.down_interval(&other),
    };
    let back = starting + waits + node.router.preempt_delay;
    come_back(stage, &mut scene, active, true, mended, back);
    Ok(scene.end(stage))
}

/// After its failure the node takes the address back, or not, as configured. Either way the client must hardly notice.
fn come_back(stage: &Stage, scene: &mut Scene, active: usize, moved: bool, mended: Moment, limit: Duration) {
    let standby = 1 - active;
    let [node, other] = [active, standby].map(|which| &stage.players[which].node);
    if moved && node.takes_over_from(other.effective_priority(None)) {
        let back = stage.wait_for_sole_holder(active, limit + LATE);
        let taken = taken_at(stage, Some(active), mended).filter(|_| back);
        scene.promise(format!("{} takes back", node.name), limit, taken);
    } else {
        let holder = if moved { standby } else { active };
        if moved {
            // Nothing is to happen; a node that wanted the address would have it by then.
            stage.dwell(if node.supervised().is_some() { limit } else { node.down_interval(other) });
        } else {
            wait_for_full_priority(stage, &stage.players[active].node, limit);
        }
        if stage.holders() != [holder] {
            scene.promise(format!("{} stays active", stage.name(holder)), Duration::ZERO, None);
        }
    }
    calm_down(stage);
    scene.promise("silent meanwhile", MOVING, Some(outage(stage, mended, Moment::now())));
    if node.supervised().is_some() {
        let limit = if node.pair.is_some() { HANDED_OVER } else { node.skew_time(other) } + STARTS;
        scene.promise("no service meanwhile", limit, supervised::gap(stage, mended));
        supervised::promise_never_two(scene, stage);
    }
}

/// The nodes no longer hear each other, but the client hears both.
fn cut(stage: &mut Stage, active: usize) -> Result<ActOutcome, LabError> {
    let standby = 1 - active;
    let [node, other] = [active, standby].map(|which| stage.players[which].node.clone());
    let mut scene = Scene::begin("cut", "a and b are cut off from each other".to_owned());
    let parted = stage.lab.note("", "the network between a and b is cut");
    let [a, b] = &stage.players;
    stage.lab.cut(&[&a.host, &b.host])?;
    let both = wait_until(other.replaces_dead(&node) + LATE, || stage.holders().len() == 2);
    // Long enough for the client to be told by both.
    stage.dwell(AFTERMATH * 2);
    scene.promise("the address is silent", MOVING, Some(outage(stage, parted, Moment::now())));

    let healed = stage.lab.note("", "the network heals");
    stage.lab.heal()?;
    let winner =
        if (node.effective_priority(None), node.own_address) > (other.effective_priority(None), other.own_address) {
            active
        } else {
            standby
        };
    let [winning, losing] = [winner, 1 - winner].map(|which| &stage.players[which].node);
    let limit = winning.router.advertisement_interval.as_duration() + losing.skew_time(winning);
    let alone = wait_until(limit + LATE, || stage.holders() == [winner]);
    let released = released_at(stage, 1 - winner, healed).filter(|_| alone);
    if node.supervised().is_some() {
        let alone = stage.wait_for_sole_work(winner, limit + LATE);
        let ended = stage.last_work(1 - winner).map(|at| at.since(healed));
        scene.promise("one service is at work again", limit, ended.filter(|_| alone));
        scene.promise("no service meanwhile", MOVING, supervised::gap(stage, parted));
    }
    if both {
        scene.promise("one node is active again", limit, released);
        scene.remark(format!(
            "while they can't hear each other, both {} ({:.0} ms): two nodes without a third vote can't do better",
            if node.supervised().is_some() { "hold the address and run the service" } else { "hold the address" },
            super::scene::millis(overlap(stage, parted, Moment::now())),
        ));
    } else {
        scene.promise("one node stays active", limit, Some(Duration::ZERO).filter(|_| alone));
    }
    let found = stage.wait_for_answer_by(winner, limit + LATE / 2);
    calm_down(stage);
    let silent = Some(outage(stage, healed, Moment::now())).filter(|_| found);
    scene.promise("the client finds it", limit, silent);
    if !found {
        scene.remark(format!(
            "the client is stranded: it still asks {}, and nobody tells it that {} has the address",
            losing.name, winning.name
        ));
    }
    Ok(scene.end(stage))
}

/// A check that is good again shows in the next advertisements.
fn wait_for_full_priority(stage: &Stage, node: &Node, patience: Duration) {
    let full = node.effective_priority(None).get();
    // If it never does, the next act tells.
    let _ = stage.lab.journal().wait_for(Moment::now(), patience, |record| {
        matches!(&record.what, Seen::Advertisement(sent) if sent.priority == full) && &*record.host == node.name
    });
}

/// Waits for what follows: the next advertisement of whoever is active now, and a little more.
fn calm_down(stage: &Stage) {
    let since = Moment::now();
    let interval = stage.players[0].node.router.advertisement_interval.as_duration();
    // If nobody advertises, a promise is broken already.
    let _ = stage.lab.journal().wait_for(since, interval * 2, |record| matches!(record.what, Seen::Advertisement(_)));
    stage.dwell(AFTERMATH);
}

/// Until its checks have given results, a node takes no part. The first run is at once; `init_fail` asks for more.
fn first_check(node: &Node) -> Duration {
    let wait = |checking: &engine::ScriptConfig| {
        if checking.init_fail { checking.interval * checking.rise.saturating_sub(1) } else { Duration::ZERO }
    };
    let tracked = node.router.track_scripts.iter().filter_map(|tracked| node.check(&tracked.script));
    tracked.map(|(checking, _)| wait(checking)).max().unwrap_or_default()
}

/// How long after `since` the node's kernel got the address.
fn taken_at(stage: &Stage, which: Option<usize>, since: Moment) -> Option<Duration> {
    let name = stage.name(which?);
    told_soon(|| {
        let holdings = holdings(&stage.lab.journal().all(), stage.address.into());
        let taken = holdings.iter().rfind(|holding| &*holding.by == name && holding.from >= since)?;
        Some(taken.from.since(since))
    })
}

/// How long after `since` the node's kernel lost the address.
fn released_at(stage: &Stage, which: usize, since: Moment) -> Option<Duration> {
    let name = stage.name(which);
    told_soon(|| {
        let holdings = holdings(&stage.lab.journal().all(), stage.address.into());
        let ends = holdings.iter().filter(|holding| &*holding.by == name).filter_map(|holding| holding.until);
        ends.filter(|&end| end >= since).min().map(|end| end.since(since))
    })
}

/// The watch of the kernels may be a little behind.
fn told_soon(told: impl Fn() -> Option<Duration>) -> Option<Duration> {
    let mut found = None;
    let _ = wait_until(AFTERMATH, || {
        found = told();
        found.is_some()
    });
    found
}

fn outage(stage: &Stage, from: Moment, until: Moment) -> Duration {
    stage.probe.answers().between(from, until).longest_outage()
}

fn overlap(stage: &Stage, from: Moment, until: Moment) -> Duration {
    held_by_several(&holdings(&stage.lab.journal().all(), stage.address.into()), from, until)
}
