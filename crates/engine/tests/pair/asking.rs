//! What operators do to the two nodes, and what can be seen of them.

use std::time::Duration;

use tanist_engine::{Answer, Command, Event, HeldBy, Input, Instant, RouterId, ServiceStateName, StateName};

use super::world::{Process, World};

impl World {
    // ── what operators do ─────────────────────────────────────────────────────────────────────────────

    /// Gives a command and returns its answer.
    pub(crate) fn command(&mut self, node: usize, command: Command) -> Answer {
        self.note(node, &format!("{command:?}"));
        self.handle(node, Input::Command { number: 1, command });
        self.answers.last().map(|(_, answer)| answer.clone()).expect("every command is answered")
    }

    pub(crate) fn switch(&mut self, node: usize, to_us: bool) -> Answer {
        self.command(node, Command::Switch { router: RouterId(0), to_us, dry_run: false })
    }

    pub(crate) fn hold(&mut self, node: usize, by: HeldBy) -> Answer {
        self.command(node, Command::Hold { router: RouterId(0), by })
    }

    pub(crate) fn release(&mut self, node: usize, by: HeldBy) -> Answer {
        self.command(node, Command::Release { router: RouterId(0), by })
    }

    pub(crate) fn maintain(&mut self, node: usize, span: Option<Duration>) -> Answer {
        let calendar = 1_700_000_000 + self.now.as_nanos() / 1_000_000_000;
        self.command(node, Command::Maintain { span, calendar })
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn state(&self, node: usize) -> StateName {
        self.nodes[node].engine.view().routers[0].state
    }

    pub(crate) fn knows_its_service(&self, node: usize) -> bool {
        self.nodes[node].engine.view().services[0].state != ServiceStateName::Unknown
    }

    pub(crate) fn is_latched(&self, node: usize) -> bool {
        self.nodes[node].engine.view().latch.is_some()
    }

    pub(crate) fn is_held(&self, node: usize) -> bool {
        !self.nodes[node].engine.view().routers[0].held_by.is_empty()
    }

    pub(crate) fn in_maintenance(&self, node: usize) -> bool {
        self.nodes[node].engine.view().maintenance.is_some()
    }

    /// How often something was told since.
    pub(crate) fn count(&self, since: Instant, what: impl Fn(usize, &Event) -> bool) -> usize {
        self.told.iter().filter(|(at, node, event)| *at >= since && what(*node, event)).count()
    }

    /// The one node that is Active with its service running; or it says why it is not one.
    #[track_caller]
    pub(crate) fn active(&self) -> usize {
        let active: Vec<usize> =
            (0..2).filter(|node| self.nodes[*node].alive && self.state(*node) == StateName::Active).collect();
        let running: Vec<usize> = (0..2).filter(|node| self.nodes[*node].process == Process::Runs).collect();
        assert_eq!(active, running, "active and running at {}\n{}", self.now, self.log);
        assert_eq!(active.len(), 1, "one is active at {}\n{}", self.now, self.log);
        active[0]
    }

    #[track_caller]
    pub(crate) fn never_both(&self) {
        assert!(
            self.both_since.is_none() && self.overlap == Duration::ZERO,
            "both ran {:?}\n{}",
            self.overlap,
            self.log
        );
    }
}
