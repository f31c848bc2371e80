//! Everything at one moment, and all that can happen next.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use engine::wire::baton::Seal;
use engine::{Cause, Command, Ending, Event, Input, Instant, RoleStep, RouterId, ServiceReport, StateName};

use crate::canonical::{self, Written};
use crate::node::{self, Effects, Kind, Node, Process};
use crate::scope::{Case, From, Order, Scope};
use crate::setup::{BEGINNING, KEY, NODES};

/// Something on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) from: usize,
    pub(crate) kind: Kind,
    octets: Arc<[u8]>,
    /// What it says.
    written: Arc<Written>,
    /// It has been held back, or is a second copy: it comes whenever it likes,
    pub(crate) late: bool,
    /// but by then, if that is bounded.
    until: Option<Instant>,
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
    /// Nothing that either of them says arrives any more.
    Cut,
    /// Nothing that this one says arrives any more.
    CutFrom(usize),
    /// Everything arrives again.
    Mend,
}

/// A situation.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Instant,
    pub(crate) nodes: [Arc<Node>; 2],
    pub(crate) messages: Vec<Message>,
    /// The same in all states.
    pub(crate) case: Case,
    /// What may still go wrong.
    left: Scope,
    /// The daemon was killed and comes back before time goes on.
    comes_back_at_once: [bool; 2],
    /// Nothing comes up or ends before time has gone on.
    lingers: bool,
    /// What is due there is not done.
    dawdles: [bool; 2],
    /// What a node says arrives.
    pub(crate) ways: [bool; 2],
    /// It has heard the other one since a cut last began or ended.
    pub(crate) has_heard: [bool; 2],
    /// A node was taken for dead although it had the role, or something of its service, and they have not come together
    /// since (`apart.rs`).
    pub(crate) apart: bool,
    /// Something was begun twice by two who heard each other.
    pub(crate) worse: bool,
    pub(crate) started_twice: bool,
    /// The role was let go of a node's own will while something of the service was left. The other Tanist waits all the
    /// same, having been told; a keepalived in its place would begin.
    pub(crate) let_go_early: bool,
    /// Steps of the table of roles that the last action has led to; no part of what it is.
    pub(crate) steps: Vec<RoleStep>,
    /// What has led to it; no part of what it is.
    past: Option<Arc<Past>>,
    /// Which situation it is, whatever may still go wrong in it.
    pub(crate) situation: u128,
    fingerprint: u128,
}

/// One thing that happened, and all before it.
#[derive(Debug)]
struct Past {
    before: Option<Arc<Past>>,
    action: Action,
}

/// Of what there should be one, whether it is on both nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doubled {
    pub(crate) role: bool,
    pub(crate) service: bool,
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
            case: *case,
            left: Scope::default(),
            comes_back_at_once: [false; 2],
            lingers: false,
            dawdles: [false; 2],
            ways: [true; 2],
            has_heard: [true; 2],
            apart: false,
            worse: false,
            started_twice: false,
            let_go_early: false,
            steps: Vec::new(),
            past: None,
            situation: 0,
            fingerprint: 0,
        };
        let settles = case.from != From::Boot;
        while settles && !(world.is_settled() && world.now >= BEGINNING + Duration::from_secs(20)) {
            world = world.in_peace();
        }
        if case.from == From::Switch {
            world.command(0, false);
        }
        world.left = case.scope;
        world.change(0, |_| ());
        world.change(1, |_| ());
        world.recognised()
    }

    /// All that can happen.
    ///
    /// What takes no time happens in one order by itself: messages arrive as they were sent, processes come and go, then
    /// the nodes do what is due. Each deviation from that is something that goes wrong, and may come anywhere. In a case
    /// of [`Order::Any`] there is no such order.
    pub(crate) fn actions(&self, actions: &mut Vec<Action>) {
        if self.is_last() {
            return;
        }
        let left = self.left;
        match (self.case.order, self.at_once().next()) {
            (Order::Any, _) => actions.extend(self.at_once()),
            (Order::AnyOfMessages, Some(Action::Deliver(_))) => actions.extend(self.arrivals()),
            (Order::AnyOfMessages | Order::AsSent, next) => actions.extend(next),
        }
        if actions.is_empty() {
            actions.push(Action::Wait);
        }
        for next in actions.clone() {
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
            if left.pauses > 0 && matches!(next, Action::Up(_) | Action::End(_)) && !actions.contains(&Action::Linger) {
                actions.push(Action::Linger);
            }
        }
        if self.are_joined() {
            if left.cuts > 0 {
                actions.push(Action::Cut);
            }
            if left.one_way_cuts > 0 {
                actions.extend([Action::CutFrom(0), Action::CutFrom(1)]);
            }
        } else {
            actions.push(Action::Mend);
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

    /// What comes after this is not followed.
    pub(crate) fn is_last(&self) -> bool {
        let ends = self.apart && !self.case.goes_on;
        ends || self.worse || self.started_twice || self.let_go_early
    }

    /// What takes no time, as it comes if nothing goes wrong.
    fn at_once(&self) -> impl Iterator<Item = Action> {
        let nodes = || [0, 1].into_iter();
        let ends = |node: &usize| match self.nodes[*node].process {
            Process::Going => !self.lingers,
            Process::Killed => true,
            Process::Gone | Process::Coming | Process::Runs | Process::Deaf => false,
        };
        let come_back = nodes().filter(|node| self.comes_back_at_once[*node]).map(Action::Start);
        let comes_up = |node: &usize| self.nodes[*node].process == Process::Coming && !self.lingers;
        let come_up = nodes().filter(comes_up).map(Action::Up);
        let end = nodes().filter(ends).map(Action::End);
        let are_due = nodes().filter(|node| self.is_due(*node) && !self.dawdles[*node]).map(Action::Timer);
        come_back.chain(self.arrivals()).chain(come_up).chain(end).chain(are_due)
    }

    fn arrivals(&self) -> impl Iterator<Item = Action> {
        let messages = self.messages.iter().zip(0..).filter(|(message, _)| !message.late);
        messages.map(|(_, number)| Action::Deliver(number))
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
        world.past = Some(Arc::new(Past { before: world.past.take(), action }));
        world.recognised()
    }

    /// What has led to it, from the beginning.
    pub(crate) fn history(&self) -> Vec<Action> {
        let last = self.past.as_deref();
        let mut actions: Vec<Action> =
            std::iter::successors(last, |past| past.before.as_deref()).map(|past| past.action).collect();
        actions.reverse();
        actions
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
                self.hold_back(number);
                self.messages[number].has_come = true;
                self.arrive(&message);
            }
            Action::HoldBack(number) => {
                self.left.delays -= 1;
                self.hold_back(number);
            }
            Action::Timer(index) => {
                self.dawdles[index] = false;
                self.act(index, |node| node.handle(now, Input::Timer));
            }
            Action::Wait => {
                self.now = self.next_moment().map_or(self.now, |at| at.max(self.now));
                self.lingers = false;
                let now = self.now;
                self.messages.iter_mut().for_each(|message| message.late &= message.until.is_none_or(|at| at > now));
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
                self.command(node, to_us);
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
            Action::Cut => {
                self.left.cuts -= 1;
                self.connect([false; 2]);
            }
            Action::CutFrom(index) => {
                self.left.one_way_cuts -= 1;
                self.connect([index != 0, index != 1]);
            }
            Action::Mend => self.connect([true; 2]),
        }
        self.come_together();
    }

    fn command(&mut self, node: usize, to_us: bool) {
        let now = self.now;
        let command = Command::Switch { router: RouterId(0), to_us, dry_run: false };
        self.act(node, |node| node.handle(now, Input::Command { number: 1, command }));
    }

    fn hold_back(&mut self, number: usize) {
        let until = self.case.held_for.map(|span| self.now + span);
        (self.messages[number].late, self.messages[number].until) = (true, until);
    }

    fn arrive(&mut self, message: &Message) {
        let now = self.now;
        let to = 1 - message.from;
        if self.nodes[to].alive {
            self.has_heard[to] |= message.kind == Kind::Statement;
            self.act(to, |node| node.hear(now, message.kind, &message.octets));
        }
    }

    fn act(&mut self, index: usize, act: impl FnOnce(&mut Node) -> Effects) {
        let before = self.doubled();
        let in_touch = self.are_in_touch();
        let effects = self.change(index, act);
        let lets_go = |event: &Event| match event {
            Event::StateChanged { from: StateName::Active, cause, .. } => {
                matches!(cause, Cause::LetGo | Cause::Fault | Cause::Stopped)
            }
            _ => false,
        };
        self.let_go_early |= self.nodes[index].process != Process::Gone && effects.told.iter().any(lets_go);
        let silent = effects.told.iter().any(|event| matches!(event, Event::PeerSilent { .. }));
        self.note_apart(index, silent, before, in_touch);
        self.started_twice |= effects.started_twice;
        self.steps.extend(effects.steps);
        if !self.ways[index] {
            return;
        }
        let sent = effects.sent.into_iter().map(|(kind, octets)| Message {
            from: index,
            kind,
            written: Arc::new(written(index, kind, &octets)),
            octets: octets.into(),
            late: false,
            until: None,
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
            && self.at_once().next().is_none()
    }

    /// What happens next when nothing goes wrong any more.
    pub(crate) fn next_in_peace(&self) -> Action {
        let nodes = || [0, 1].into_iter();
        let stopped = nodes().find(|node| !self.nodes[*node].alive).map(Action::Start);
        let mends = (!self.are_joined()).then_some(Action::Mend);
        let arrives = (!self.messages.is_empty()).then_some(Action::Deliver(0));
        let late = nodes().find(|node| self.dawdles[*node]).map(Action::Timer);
        let next = stopped.or(mends).or(arrives).or(late).or_else(|| self.at_once().next());
        next.unwrap_or(Action::Wait)
    }

    /// What comes of that.
    pub(crate) fn in_peace(&self) -> Self {
        let mut world = self.clone();
        world.lingers = false;
        world.happen(world.next_in_peace());
        world.recognised()
    }

    // ── looking ───────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn doubled(&self) -> Doubled {
        Doubled {
            role: self.nodes.iter().all(|node| node.active),
            // However little of it there is.
            service: self.nodes.iter().all(|node| node.process != Process::Gone),
        }
    }

    /// One serves, and the other one stands by.
    pub(crate) fn is_settled(&self) -> bool {
        let serves = |node: &Arc<Node>| node.process == Process::Runs && node.active;
        let stands_by = |node: &Arc<Node>| node.alive && node.process == Process::Gone && !node.active;
        let [a, b] = &self.nodes;
        (serves(a) && stands_by(b)) || (serves(b) && stands_by(a))
    }

    fn recognised(mut self) -> Self {
        if self.case.order != Order::AsSent {
            // Whose message was sent first makes no difference any more.
            self.messages.sort_by_key(|message| message.from);
        }
        let mut hasher = std::hash::DefaultHasher::new();
        let messages = self.messages.iter().map(|message| &*message.written);
        let parts = self.nodes.iter().map(|node| &node.written).chain(messages);
        let until = |message: &Message| message.until.map(|until| until.since(self.now));
        let fates = self.messages.iter().map(|message| (message.late, until(message), message.has_come));
        fates.for_each(|fate| fate.hash(&mut hasher));
        (self.comes_back_at_once, self.lingers, self.dawdles).hash(&mut hasher);
        (self.ways, self.has_heard, self.apart).hash(&mut hasher);
        self.situation = canonical::fingerprint(self.now, parts) ^ u128::from(hasher.finish());
        (self.left, self.worse, self.started_twice, self.let_go_early).hash(&mut hasher);
        self.fingerprint = self.situation ^ u128::from(hasher.finish());
        self
    }

    /// The role, or something of the service.
    pub(crate) fn is_left_on(&self, node: usize) -> bool {
        self.nodes[node].active || self.nodes[node].process != Process::Gone
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
            world = world.in_peace();
        }
        panic!("{} different situations, and no end", met.len());
    }
}
