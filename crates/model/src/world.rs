//! Everything at one moment, and all that can happen next.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use engine::wire::baton::Seal;
use engine::{Cause, Command, Ending, Event, Input, Instant, RoleStep, RouterId, ServiceReport, StateName};

use crate::canonical::{self, Written};
use crate::node::{self, Effects, Kind, Node, Process};
use crate::scope::{Case, Scope};
use crate::setup::{BEGINNING, KEY, NODES};

/// Something on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) from: usize,
    pub(crate) kind: Kind,
    octets: Arc<[u8]>,
    /// What it says.
    written: Arc<Written>,
    /// It has been held back, or is a second copy: it comes whenever it likes.
    pub(crate) late: bool,
    /// This copy's twin has come.
    has_come: bool,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The message with this number, of those on their way, arrives.
    Deliver(usize),
    /// It is lost.
    Lose(usize),
    /// It arrives, and will arrive again.
    Double(usize),
    /// It is held back.
    HoldBack(usize),
    /// A node does what is due.
    Timer(usize),
    /// A node does not do what is due, for as long as it likes; it goes on listening.
    Dawdle(usize),
    /// Time goes on to the next moment at which something is due.
    Wait,
    /// The service takes its time to come up or to end: until the next moment at which something else is due.
    Linger,
    /// The service comes up.
    Up(usize),
    /// The service cannot be started.
    Refuse(usize),
    /// The service ends, as it was told to.
    End(usize),
    /// The service does not care about being told to.
    Ignore(usize),
    /// The service ends by itself.
    Crash(usize),
    /// An operator sends the role away from this node, or calls it here.
    Switch {
        /// Where it is said.
        node: usize,
        /// Called.
        to_us: bool,
    },
    /// A daemon is told to stop.
    Stop(usize),
    /// A daemon is killed. Its service goes on.
    Kill(usize),
    /// A machine loses its power.
    PowerCut(usize),
    /// A daemon that does not run is started.
    Start(usize),
}

/// A situation.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Instant,
    pub(crate) nodes: [Arc<Node>; 2],
    pub(crate) messages: Vec<Message>,
    /// What may still go wrong.
    left: Scope,
    /// The daemon was killed and comes back before time goes on.
    comes_back_at_once: [bool; 2],
    /// Nothing comes up or ends before time has gone on.
    lingers: bool,
    /// What is due there is not done.
    dawdles: [bool; 2],
    /// A node was taken for dead although it had the role, or something of its service: two nodes cannot know better
    /// (decision 22). What comes then is not followed.
    pub(crate) cut: bool,
    pub(crate) started_twice: bool,
    /// The role was let go of a node's own will while something of the service was left. The other Tanist waits all the
    /// same, having been told; a keepalived in its place would begin.
    pub(crate) let_go_early: bool,
    /// Steps of the table of roles that the last action has led to; no part of what it is.
    pub(crate) steps: Vec<RoleStep>,
    /// Which situation it is, whatever may still go wrong in it.
    pub(crate) situation: u128,
    fingerprint: u128,
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for World {}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

impl World {
    pub(crate) fn new(case: &Case) -> Self {
        let mut world = Self {
            now: BEGINNING,
            nodes: [0, 1].map(|index| Arc::new(Node::new(index, case.comes_back))),
            messages: Vec::new(),
            left: Scope::default(),
            comes_back_at_once: [false; 2],
            lingers: false,
            dawdles: [false; 2],
            cut: false,
            started_twice: false,
            let_go_early: false,
            steps: Vec::new(),
            situation: 0,
            fingerprint: 0,
        };
        if case.from_boot {
            // In every order, with whatever may go wrong.
            world.left = case.scope;
        } else {
            while !(world.is_settled() && world.now >= BEGINNING + Duration::from_secs(20)) {
                world = world.next_when_all_is_well();
            }
            world.left = case.scope;
        }
        world.change(0, |_| ());
        world.change(1, |_| ());
        world.recognised()
    }

    /// All that can happen.
    ///
    /// What takes no time happens in one order by itself: messages arrive as they were sent, processes come and go, then
    /// the nodes do what is due. Each deviation from that is something that goes wrong, and may come anywhere.
    pub(crate) fn actions(&self, actions: &mut Vec<Action>) {
        if self.cut || self.started_twice || self.let_go_early {
            return;
        }
        let left = self.left;
        let next = self.next();
        actions.push(next);
        match next {
            Action::Deliver(number) => {
                if left.losses > 0 {
                    actions.push(Action::Lose(number));
                }
                if left.doubles > 0 {
                    actions.push(Action::Double(number));
                }
                if left.delays > 0 {
                    actions.push(Action::HoldBack(number));
                }
            }
            Action::Up(node) if left.refusals > 0 => actions.push(Action::Refuse(node)),
            Action::End(node) if left.deafnesses > 0 && self.nodes[node].process == Process::Going => {
                actions.push(Action::Ignore(node));
            }
            Action::Timer(node) if left.late_timers > 0 => actions.push(Action::Dawdle(node)),
            _ => {}
        }
        if left.pauses > 0 && matches!(next, Action::Up(_) | Action::End(_)) {
            actions.push(Action::Linger);
        }
        let late = self.messages.iter().enumerate().filter(|(_, message)| message.late);
        actions.extend(late.map(|(number, _)| Action::Deliver(number)));
        for index in [0, 1] {
            let this = &self.nodes[index];
            if self.dawdles[index] {
                actions.push(Action::Timer(index));
            }
            if this.process == Process::Runs && left.service_crashes > 0 {
                actions.push(Action::Crash(index));
            }
            if !this.alive {
                actions.push(Action::Start(index));
                continue;
            }
            if left.switches > 0 {
                // The other one would be refused, or is so already.
                actions.push(Action::Switch { node: index, to_us: !this.active });
            }
            if left.stops > 0 {
                actions.push(Action::Stop(index));
            }
            if left.daemon_crashes > 0 {
                actions.push(Action::Kill(index));
            }
            if left.power_cuts > 0 {
                actions.push(Action::PowerCut(index));
            }
        }
        actions.dedup();
    }

    /// What happens next if nothing goes wrong.
    fn next(&self) -> Action {
        let nodes = || [0, 1].into_iter();
        let ends = |node: &usize| match self.nodes[*node].process {
            Process::Going => !self.lingers,
            Process::Killed => true,
            Process::Gone | Process::Coming | Process::Runs | Process::Deaf => false,
        };
        if let Some(killed) = nodes().find(|node| self.comes_back_at_once[*node]) {
            Action::Start(killed)
        } else if let Some(number) = self.messages.iter().position(|message| !message.late) {
            Action::Deliver(number)
        } else if let Some(up) = nodes().find(|node| self.nodes[*node].process == Process::Coming && !self.lingers) {
            Action::Up(up)
        } else if let Some(ends) = nodes().find(ends) {
            Action::End(ends)
        } else if let Some(due) = nodes().find(|node| self.is_due(*node) && !self.dawdles[*node]) {
            Action::Timer(due)
        } else {
            Action::Wait
        }
    }

    fn is_due(&self, node: usize) -> bool {
        self.nodes[node].due_at().is_some_and(|at| at <= self.now)
    }

    fn next_moment(&self) -> Option<Instant> {
        let awake = self.nodes.iter().zip(self.dawdles).filter(|(_, dawdles)| !dawdles);
        awake.filter_map(|(node, _)| node.due_at()).min()
    }

    /// What comes of it.
    pub(crate) fn after(&self, action: Action) -> Self {
        let mut world = self.clone();
        world.happen(action);
        world.recognised()
    }

    fn happen(&mut self, action: Action) {
        let now = self.now;
        self.steps.clear();
        match action {
            Action::Deliver(number) => {
                let message = self.messages.remove(number);
                self.arrive(&message);
            }
            Action::Lose(number) => {
                self.left.losses -= 1;
                self.messages.remove(number);
            }
            Action::Double(number) => {
                self.left.doubles -= 1;
                let message = self.messages[number].clone();
                (self.messages[number].late, self.messages[number].has_come) = (true, true);
                self.arrive(&message);
            }
            Action::HoldBack(number) => {
                self.left.delays -= 1;
                self.messages[number].late = true;
            }
            Action::Timer(index) => {
                self.dawdles[index] = false;
                self.act(index, |node| node.handle(now, Input::Timer));
            }
            Action::Wait => {
                self.now = self.next_moment().map_or(self.now, |at| at.max(self.now));
                self.lingers = false;
            }
            Action::Linger => {
                self.left.pauses -= 1;
                self.lingers = true;
            }
            Action::Dawdle(index) => {
                self.left.late_timers -= 1;
                self.dawdles[index] = true;
            }
            Action::Up(index) => {
                self.act(index, |node| node.process_is(now, Process::Runs, ServiceReport::Running));
            }
            Action::Refuse(index) => {
                self.left.refusals -= 1;
                let report = ServiceReport::StartRefused(node::refusal());
                self.act(index, |node| node.process_is(now, Process::Gone, report));
            }
            Action::End(index) => {
                let report = ServiceReport::Gone(node::ending(self.nodes[index].process));
                self.act(index, |node| node.process_is(now, Process::Gone, report));
            }
            Action::Ignore(index) => {
                self.left.deafnesses -= 1;
                self.change(index, |node| node.process = Process::Deaf);
            }
            Action::Crash(index) => {
                self.left.service_crashes -= 1;
                let report = ServiceReport::Gone(Ending::Exited(1));
                self.act(index, |node| node.process_is(now, Process::Gone, report));
            }
            Action::Switch { node, to_us } => {
                self.left.switches -= 1;
                let command = Command::Switch { router: RouterId(0), to_us, dry_run: false };
                self.act(node, |node| node.handle(now, Input::Command { number: 1, command }));
            }
            Action::Stop(index) => {
                self.left.stops -= 1;
                self.act(index, |node| node.handle(now, Input::Stop));
            }
            Action::Kill(index) => {
                self.left.daemon_crashes -= 1;
                (self.comes_back_at_once[index], self.dawdles[index]) = (true, false);
                self.change(index, |node| node.alive = false);
            }
            Action::PowerCut(index) => {
                self.left.power_cuts -= 1;
                self.dawdles[index] = false;
                self.change(index, |node| (node.alive, node.process, node.rebooted) = (false, Process::Gone, true));
            }
            Action::Start(index) => {
                self.comes_back_at_once[index] = false;
                self.act(index, |node| node.start(index, now));
            }
        }
    }

    fn arrive(&mut self, message: &Message) {
        let now = self.now;
        let to = 1 - message.from;
        if self.nodes[to].alive {
            self.act(to, |node| node.hear(now, message.kind, &message.octets));
        }
    }

    fn act(&mut self, index: usize, act: impl FnOnce(&mut Node) -> Effects) {
        let effects = self.change(index, act);
        let lets_go = |event: &Event| match event {
            Event::StateChanged { from: StateName::Active, cause, .. } => {
                matches!(cause, Cause::LetGo | Cause::Fault | Cause::Stopped)
            }
            _ => false,
        };
        self.let_go_early |= self.nodes[index].process != Process::Gone && effects.told.iter().any(lets_go);
        let other = &self.nodes[1 - index];
        let left_there = other.active || other.process != Process::Gone;
        self.cut |= left_there && effects.told.iter().any(|event| matches!(event, Event::PeerSilent { .. }));
        self.started_twice |= effects.started_twice;
        self.steps.extend(effects.steps);
        let sent = effects.sent.into_iter().map(|(kind, octets)| Message {
            from: index,
            kind,
            written: Arc::new(written(index, kind, &octets)),
            octets: octets.into(),
            late: false,
            has_come: false,
        });
        self.messages.extend(sent);
    }

    fn change<T>(&mut self, index: usize, change: impl FnOnce(&mut Node) -> T) -> T {
        let node = Arc::make_mut(&mut self.nodes[index]);
        let changed = change(node);
        node.look_again(index);
        changed
    }

    /// If nothing goes wrong any more, only time can go on.
    pub(crate) fn is_quiet(&self) -> bool {
        let all_live = self.nodes.iter().all(|node| node.alive);
        all_live
            && self.messages.is_empty()
            && self.dawdles == [false; 2]
            && !self.lingers
            && self.next() == Action::Wait
    }

    /// What happens next when nothing goes wrong any more.
    pub(crate) fn next_when_all_is_well(&self) -> Self {
        let mut world = self.clone();
        let nodes = || [0, 1].into_iter();
        let action = if let Some(dead) = nodes().find(|node| !world.nodes[*node].alive) {
            Action::Start(dead)
        } else if !world.messages.is_empty() {
            Action::Deliver(0)
        } else if let Some(late) = nodes().find(|node| world.dawdles[*node]) {
            Action::Timer(late)
        } else {
            world.lingers = false;
            world.next()
        };
        world.happen(action);
        world.recognised()
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    /// Something of the service is on both nodes.
    pub(crate) fn runs_twice(&self) -> bool {
        self.nodes.iter().all(|node| node.process != Process::Gone)
    }

    /// One serves, and the other one stands by.
    pub(crate) fn is_settled(&self) -> bool {
        let serves = |node: &Arc<Node>| node.process == Process::Runs && node.active;
        let stands_by = |node: &Arc<Node>| node.alive && node.process == Process::Gone && !node.active;
        let [a, b] = &self.nodes;
        (serves(a) && stands_by(b)) || (serves(b) && stands_by(a))
    }

    fn recognised(mut self) -> Self {
        let mut hasher = std::hash::DefaultHasher::new();
        let messages = self.messages.iter().map(|message| &*message.written);
        let parts = self.nodes.iter().map(|node| &node.written).chain(messages);
        let fates: Vec<_> = self.messages.iter().map(|message| (message.late, message.has_come)).collect();
        (fates, self.comes_back_at_once, self.lingers, self.dawdles).hash(&mut hasher);
        self.situation = canonical::fingerprint(self.now, parts) ^ u128::from(hasher.finish());
        (self.left, self.cut, self.started_twice, self.let_go_early).hash(&mut hasher);
        self.fingerprint = self.situation ^ u128::from(hasher.finish());
        self
    }

    pub(crate) fn is_latched(&self) -> bool {
        self.nodes.iter().any(|node| node.latched)
    }
}

/// What a message says.
fn written(from: usize, kind: Kind, octets: &[u8]) -> Written {
    match (kind, Seal::new(&KEY.into()).open(octets)) {
        (Kind::Statement, Ok(message)) => canonical::read(from, &format!("{from} {message:?}")),
        _ => canonical::read(from, &format!("{from} {octets:?}")),
    }
}

impl World {
    /// What happens, in words.
    pub(crate) fn describe(&self, action: Action) -> String {
        match action {
            Action::Deliver(number) | Action::Lose(number) | Action::Double(number) | Action::HoldBack(number) => {
                let message = &self.messages[number];
                format!("{action:?}: {:?} from {}", message.kind, NODES[message.from])
            }
            other => format!("{other:?}"),
        }
    }
}

/// What is where, in few words.
impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (node, name) in self.nodes.iter().zip(NODES) {
            let state = match node.alive {
                true => format!("{:?}", node.engine.view().routers[0].state),
                false => "dead".to_owned(),
            };
            write!(f, "{name}: {state:<10} {:<6}  ", format!("{:?}", node.process))?;
        }
        write!(f, "{} on their way", self.messages.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Otherwise there would be no end of states: something that only grows must be seen as what it is.
    #[test]
    fn while_nothing_goes_wrong_the_same_situations_come_again() {
        let mut world = World::new(&crate::SMALL[0]);
        let mut met = HashSet::new();
        for _ in 0..200 {
            if !met.insert(world.situation) {
                return;
            }
            world = world.next_when_all_is_well();
        }
        panic!("{} different situations, and no end", met.len());
    }
}
