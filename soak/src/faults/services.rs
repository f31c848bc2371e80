//! What befalls a service, its keeper, and the two nodes that hand it to each other.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use linux::signals::Signal;
use rehearse::lab::Moment;
use rustix::process::{Pid, kill_process};

use super::Scene;
use crate::failure::{Failure, Result};
use crate::footprint::keepers;
use crate::ground::SECOND_INTERFACE;
use crate::work::{BROKEN, write_collector};

/// For what must come about, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn kill(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.pass(scene.dice.span(Duration::from_secs(1)))?;
    if scene.signal_service(Signal::KILL)? == 0 {
        return Err(Failure::new("no service ran"));
    }
    // Now once, now until it may not be started here any more.
    for _ in 0..scene.dice.below(4) {
        scene.ground.pass(scene.dice.span(Duration::from_millis(500)))?;
        // It may be between two lives.
        scene.signal_service(Signal::KILL)?;
    }
    Ok(())
}

pub(super) fn freeze(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.pass(scene.dice.span(Duration::from_secs(1)))?;
    let since = Moment::now();
    if scene.signal_service(Signal(rustix::process::Signal::STOP.as_raw()))? == 0 {
        return Err(Failure::new("no service ran"));
    }
    let is_replaced = |scene: &Scene<'_>| {
        let ticks = scene.ground.lab.journal().ticks();
        Ok(ticks.iter().any(|tick| tick.number == 0 && tick.at > since))
    };
    scene.wait_until("nobody has noticed that the service hangs", is_replaced)
}

pub(super) fn kill_keeper(scene: &mut Scene<'_>) -> Result<()> {
    now_and_then_with_offspring(scene, kill_this_keeper)
}

fn kill_this_keeper(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.pass(scene.dice.span(Duration::from_secs(1)))?;
    let daemon = scene.ground.nodes[scene.node].program().pid();
    let keepers = keepers(daemon);
    if keepers.is_empty() {
        return Err(Failure::new("the service has no keeper"));
    }
    for keeper in keepers {
        if let Some(keeper) = Pid::from_raw(keeper.cast_signed()) {
            kill_process(keeper, rustix::process::Signal::KILL).map_err(Failure::during("kill the keeper"))?;
        }
    }
    Ok(())
}

pub(super) fn kill_daemon(scene: &mut Scene<'_>) -> Result<()> {
    now_and_then_with_offspring(scene, kill_this_daemon)
}

fn kill_this_daemon(scene: &mut Scene<'_>) -> Result<()> {
    let span = scene.some_time();
    scene.ground.pass(scene.dice.span(scene.ground.plan.interval()))?;
    let node = &mut scene.ground.nodes[scene.node];
    node.is_down = true;
    node.program().signal(Signal::KILL)?;
    let _ = node.program().wait(PATIENCE);
    scene.service_is_gone()?;
    scene.ground.pass(span)?;
    scene.ground.start_again(scene.node)
}

/// Half of the time it is done to a service whose work is done by a grandchild that has left its session.
fn now_and_then_with_offspring(scene: &mut Scene<'_>, play: impl Fn(&mut Scene<'_>) -> Result<()>) -> Result<()> {
    let offspring = scene.dice.happens(500);
    if offspring {
        scene.renew_service(true)?;
        let renewed = Moment::now();
        if scene.ground.wait_until_steady(renewed)?.is_none() {
            return Err(Failure::new("the service with offspring never came to rest"));
        }
    }
    let played = play(scene);
    if offspring {
        scene.renew_service(false)?;
    }
    played
}

pub(super) fn stop(scene: &mut Scene<'_>) -> Result<()> {
    let span = scene.some_time();
    scene.ground.pass(scene.dice.span(scene.ground.plan.interval()))?;
    let node = &mut scene.ground.nodes[scene.node];
    node.is_down = true;
    node.program().signal(Signal::TERMINATE)?;
    let has_ended = |scene: &Scene<'_>| Ok(!scene.ground.nodes[scene.node].program().is_running());
    scene.wait_until("it did not end when it was told to", has_ended)?;
    if scene.ground.plan.has_service() {
        scene.service_is_gone()?;
    }
    scene.ground.pass(span)?;
    scene.ground.start_again(scene.node)
}

/// There and back, by an operator.
pub(super) fn switch(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.pass(scene.dice.span(Duration::from_secs(1)))?;
    for to in ["peer", "here"] {
        let (status, text) = scene.ground.tanist(scene.node, &["switch", "--wait", "60s", "--to", to])?;
        if status != Some(0) {
            return Err(Failure::new(format!("`tanist switch --to {to}` ended with {status:?}: {text}")));
        }
        scene.ground.pass(scene.dice.span(Duration::from_millis(500)))?;
    }
    Ok(())
}

pub(super) fn break_everywhere(scene: &mut Scene<'_>) -> Result<()> {
    let since = Moment::now();
    let hosts: Vec<_> = scene.ground.nodes.iter().map(|node| node.host.clone()).collect();
    hosts.iter().try_for_each(|host| host.write_file(BROKEN, "").map(|_| ()))?;
    scene.signal_service(Signal::KILL)?;
    let told = scene.wait_until("a latch was not told on both nodes", |scene| {
        let all = 0..scene.ground.nodes.len();
        let says = |node: usize| Ok(scene.ground.tanist(node, &["status", "--check"])?.1.contains("latched"));
        let says: Vec<bool> = all.map(says).collect::<Result<_>>()?;
        Ok(says.into_iter().all(|says| says))
    });
    // As long as nobody has seen to it, nothing moves.
    let latched = Moment::now();
    let span = scene.span.max(scene.ground.plan.interval() * 2);
    let waited = told.and_then(|()| scene.ground.pass(span));
    let said = scene.ground.words(latched);
    hosts.iter().try_for_each(|host| host.remove_file(BROKEN))?;
    let (status, text) = scene.ground.tanist(scene.node, &["ack"])?;
    waited?;
    if status != Some(0) {
        return Err(Failure::new(format!("`tanist ack` ended with {status:?}: {text}")));
    }
    let speakers: BTreeSet<usize> = said.iter().map(|word| word.host).collect();
    if speakers.len() > 1 {
        return Err(Failure::new("the role moved although it was latched"));
    }
    let in_log = |node: usize| scene.ground.lines(node, since).iter().any(|line| line.contains("Latched by"));
    if (0..hosts.len()).all(in_log) { Ok(()) } else { Err(Failure::new("a latch is not in the log of both nodes")) }
}

/// The standby hears no advertisement, but it hears the other node's word beside them.
pub(super) fn unheard(scene: &mut Scene<'_>) -> Result<()> {
    let standby = scene.ground.nodes[1].host.clone();
    let span = scene.some_time().max(scene.ground.plan.silence() * 3);
    let from = scene.ground.lab.note(standby.name(), "hears no multicast");
    standby.set_deaf(true)?;
    let passed = scene.ground.pass(span);
    standby.set_deaf(false)?;
    passed?;
    let tells = scene.ground.lines(1, from).iter().any(|line| line.contains("do not arrive"));
    if tells { Ok(()) } else { Err(Failure::new("that advertisements do not arrive was not told")) }
}

pub(super) fn cut_path(scene: &mut Scene<'_>) -> Result<()> {
    let host = scene.ground.nodes[scene.dice.below(2)].host.clone();
    let span = scene.some_time();
    host.set_cable(SECOND_INTERFACE, false)?;
    let passed = scene.ground.pass(span);
    host.set_cable(SECOND_INTERFACE, true)?;
    passed
}

impl Scene<'_> {
    /// Sends a signal to the processes of the service, wherever they are; how many that were.
    pub(super) fn signal_service(&self, signal: Signal) -> Result<usize> {
        let counts = self.ground.nodes.iter().map(|node| node.host.signal_collectors(signal));
        Ok(counts.sum::<std::result::Result<usize, _>>()?)
    }

    /// It is killed, and what is started then is of this kind.
    fn renew_service(&self, offspring: bool) -> Result<()> {
        for node in &self.ground.nodes {
            write_collector(&node.host, &self.ground.plan.tanist, offspring)?;
        }
        self.signal_service(Signal::KILL)?;
        Ok(())
    }

    /// A service that is a command does not outlive its daemon.
    pub(super) fn service_is_gone(&mut self) -> Result<()> {
        let is_gone = |scene: &Scene<'_>| Ok(scene.ground.nodes[scene.node].host.processes("collector")?.is_empty());
        self.wait_until("the service goes on without its daemon", is_gone)
    }

    /// Looks again and again; if it does not come about, `otherwise` was broken.
    pub(super) fn wait_until(&mut self, otherwise: &str, is_so: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while !is_so(self)? {
            if Instant::now() > until {
                return Err(Failure::new(otherwise));
            }
            self.ground.pass(LOOK)?;
        }
        Ok(())
    }
}
