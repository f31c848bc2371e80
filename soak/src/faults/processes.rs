//! The daemon's processes: killed, stopped, starved.

use std::time::Duration;

use linux::signals::Signal;

use rustix::process::{Pid, kill_process};

use super::Scene;
use crate::failure::Result;
use crate::footprint::family;

pub(super) fn kill(scene: &mut Scene<'_>) -> Result<()> {
    let interval = scene.ground.plan.interval();
    let span = scene.some_time();
    scene.ground.pass(scene.dice.span(interval))?;
    scene.kill()?;
    scene.ground.pass(span)?;
    scene.ground.start_again(scene.node)
}

pub(super) fn freeze(scene: &mut Scene<'_>) -> Result<()> {
    let interval = scene.ground.plan.interval();
    let span = scene.some_time();
    scene.ground.pass(scene.dice.span(interval))?;
    scene.stop();
    let passed = scene.ground.pass(span);
    scene.go_on();
    passed
}

pub(super) fn stutter(scene: &mut Scene<'_>) -> Result<()> {
    let interval = scene.ground.plan.interval();
    let mut passed = Duration::ZERO;
    while passed < scene.span {
        let (stopped, running) = (scene.dice.span(interval), scene.dice.span(interval));
        scene.stop();
        let waited = scene.ground.pass(stopped);
        scene.go_on();
        waited?;
        scene.ground.pass(running)?;
        passed += stopped + running;
    }
    Ok(())
}

pub(super) fn load(scene: &mut Scene<'_>) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let host = &scene.ground.nodes[scene.node].host;
    let mut burners = Vec::new();
    for _ in 0..2 * processors {
        burners.push(host.start("burner", &["sh", "-c", "while :; do :; done"])?);
    }
    scene.ground.pass(scene.span)?;
    burners.iter().try_for_each(|burner| burner.signal(Signal::KILL))?;
    Ok(())
}

impl Scene<'_> {
    /// Stops all processes of the daemon, at once: whoever looks through all processes of a busy machine for them takes
    /// longer than some of these stops are to last.
    pub(super) fn stop(&self) {
        self.signal_family(rustix::process::Signal::STOP);
    }

    /// Undoes [`stop`](Self::stop).
    pub(super) fn go_on(&self) {
        self.signal_family(rustix::process::Signal::CONT);
    }

    fn signal_family(&self, signal: rustix::process::Signal) {
        for pid in family(self.ground.nodes[self.node].program().pid()) {
            if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                // One that has just ended needs none.
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Kills the daemon; who starts it again is up to the fault.
    pub(super) fn kill(&mut self) -> Result<()> {
        let node = &mut self.ground.nodes[self.node];
        node.is_down = true;
        node.program().kill_all()?;
        // The kernel needs a moment to take a process away.
        let _ = node.program().wait(Duration::from_secs(20));
        Ok(())
    }
}
