//! The operator's hooks: told in their environment what has happened, one at a time and in order for each service, and
//! how each ended is told. What runs by the clock has a queue of its own, so that a long report at night does not hold
//! up the hook that the next take-over needs; it is not started while its last run is still going. It is asked to end
//! when the node is no longer the active one, and killed if it does not, as it is when the daemon ends.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::sync::Arc;

use engine::{Hook, HookCall, Name, StateName};
use linux::process::signal_group;
use linux::signals::Signal;
use linux::spawn::Exit;
use linux::system_log::Severity;

use super::plan::{Recipe, ServicePlan};
use super::scripts::how;
use super::{Context, told};
use crate::children::{Purpose, ServiceChild};
use crate::words;

/// Hooks that may wait for one service; beyond that the oldest are dropped.
const LONGEST_QUEUE: usize = 1000;
/// A hook that runs longer than this is told of once, in nanoseconds.
const LONG: u64 = 30_000_000_000;
/// So long after it was asked to end, what runs by the clock is killed, in nanoseconds.
const AFTER_ASKING: u64 = 2_000_000_000;

/// The service and, for what runs by the clock, which of its intervals.
pub(crate) type HookKey = (Name, Option<u32>);

#[derive(Debug, Default)]
pub(super) struct Hooks {
    queues: BTreeMap<HookKey, Queue>,
    /// What was asked to end.
    ending: Vec<Ending>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Waiting {
    recipe: Arc<Recipe>,
    keyword: &'static str,
    environment: Vec<CString>,
}

#[derive(Debug)]
struct Running {
    pid: u32,
    label: String,
    started_at: u64,
    told_long: bool,
}

/// Processes that are to be gone by then: what a run has started may outlive it.
#[derive(Debug)]
struct Ending {
    service: Name,
    group: u32,
    label: String,
    kill_at: u64,
}

impl Hooks {
    /// Queues a call, and starts it if nothing is running.
    pub(super) fn call(&mut self, call: &HookCall, plan: &ServicePlan, context: &mut Context<'_>) {
        if call.hook == Hook::RoleChanged && call.role != StateName::Active {
            self.end_what_runs_by_the_clock(&call.service, context);
        }
        let (recipe, keyword, interval) = match call.hook {
            Hook::RoleChanged => (plan.on_role.as_ref(), "on_role", None),
            Hook::TakenOver => (plan.post_takeover.as_ref(), "post_takeover", None),
            Hook::WhileActive(index) => (plan.while_active.get(index as usize), "while_active", Some(index)),
        };
        let Some(recipe) = recipe else { return };
        let key = (call.service.clone(), interval);
        let queue = self.queues.entry(key.clone()).or_default();
        if let (Some(_), Some(running)) = (interval, &queue.running) {
            let (service, label) = (&call.service, &running.label);
            let text = format!("({service}) {label} is still running and is not started again");
            return context.tell(Severity::Warning, text);
        }
        let waiting = Waiting { recipe: Arc::clone(recipe), keyword, environment: environment(call, keyword) };
        queue.waiting.push_back(waiting);
        if queue.waiting.len() > LONGEST_QUEUE
            && let Some(dropped) = queue.waiting.pop_front()
        {
            let text = format!("({}) too many hooks are waiting, not run: {}", call.service, dropped.label());
            context.tell(Severity::Error, text);
        }
        queue.start_next(&key, context);
        self.forget_the_idle(&key);
    }

    fn end_what_runs_by_the_clock(&mut self, ended: &Name, context: &mut Context<'_>) {
        let Self { queues, ending } = self;
        let queues = queues.iter().filter(|((service, interval), _)| service == ended && interval.is_some());
        for Running { pid, label, .. } in queues.filter_map(|(_, queue)| queue.running.as_ref()) {
            // It was asked before, when the node was active last.
            if ending.iter().any(|asked| asked.group == *pid) {
                continue;
            }
            let text = format!("({ended}) {label} is asked to end: this node is no longer active");
            context.tell(Severity::Info, text);
            if let Err(error) = signal_group(*pid, Signal::TERMINATE) {
                context.tell(Severity::Warning, format!("({ended}) {error}"));
            }
            let kill_at = context.now + AFTER_ASKING;
            ending.push(Ending { service: ended.clone(), group: *pid, label: label.clone(), kill_at });
        }
    }

    /// The daemon ends now. What runs by the clock is for the active node only.
    pub(super) fn part(&mut self) {
        let queues = self.queues.iter().filter(|((_, interval), _)| interval.is_some());
        let running = queues.filter_map(|(_, queue)| queue.running.as_ref()).map(|running| running.pid);
        for group in running.chain(self.ending.drain(..).map(|ending| ending.group)) {
            // It may have ended by itself by now.
            let _ = signal_group(group, Signal::KILL);
        }
    }

    fn forget_the_idle(&mut self, key: &HookKey) {
        if self.queues.get(key).is_some_and(|queue| queue.running.is_none()) {
            self.queues.remove(key);
        }
    }

    pub(super) fn ended(&mut self, key: &HookKey, pid: u32, exit: Exit, context: &mut Context<'_>) {
        let Some(queue) = self.queues.get_mut(key) else { return };
        if let Some(running) = queue.running.take_if(|running| running.pid == pid) {
            let milliseconds = context.now.saturating_sub(running.started_at) / 1_000_000;
            let severity = if exit == Exit::Code(0) { Severity::Info } else { Severity::Warning };
            let text = format!("({}) {} {} after {milliseconds} ms", key.0, running.label, how(exit));
            context.tell(severity, text);
        }
        queue.start_next(key, context);
        self.forget_the_idle(key);
        // As long as anybody is in its group, its number is nobody else's.
        self.ending.retain(|ending| ending.group != pid || signal_group(pid, Signal(0)).is_ok());
    }

    pub(super) fn handle_timer(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        for Ending { service, group, label, .. } in self.ending.extract_if(.., |ending| ending.kill_at <= now) {
            // Nobody is left of it, if not.
            if signal_group(group, Signal::KILL).is_ok() {
                let text = format!("({service}) {label} has not ended within 2 s and is killed");
                context.tell(Severity::Warning, text);
            }
        }
        for ((service, _), queue) in &mut self.queues {
            let waiting = queue.waiting.len();
            let Some(running) = queue.running.as_mut().filter(|running| !running.told_long) else { continue };
            if context.now.saturating_sub(running.started_at) >= LONG {
                running.told_long = true;
                let label = &running.label;
                let text = format!("({service}) {label} is still running after 30 s; {waiting} more are waiting");
                context.tell(Severity::Warning, text);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        let running = self.queues.values().filter_map(|queue| queue.running.as_ref());
        let long = running.filter(|running| !running.told_long).map(|running| running.started_at + LONG);
        long.chain(self.ending.iter().map(|ending| ending.kill_at)).min()
    }

    /// Whether nothing waits or runs that an ending daemon should wait for: of what goes by the clock that is only what was
    /// asked to end.
    pub(super) fn is_idle(&self) -> bool {
        self.ending.is_empty() && self.queues.keys().all(|(_, interval)| interval.is_some())
    }
}

impl Waiting {
    fn label(&self) -> String {
        format!("{} {}", self.keyword, self.recipe.label())
    }
}

impl Queue {
    fn start_next(&mut self, key: &HookKey, context: &mut Context<'_>) {
        while self.running.is_none() {
            let Some(next) = self.waiting.pop_front() else { return };
            let label = next.label();
            let started = next
                .recipe
                .program()
                .and_then(|program| program.start_telling(&[], &next.environment).map_err(|error| error.to_string()));
            match started {
                Ok(child) => {
                    context.children.insert(child.pid, Purpose::Service(ServiceChild::Hook(key.clone())));
                    self.running = Some(Running { pid: child.pid, label, started_at: context.now, told_long: false });
                }
                Err(reason) => context.tell(Severity::Error, format!("({}) {label}: {reason}", key.0)),
            }
        }
    }
}

fn environment(call: &HookCall, keyword: &str) -> Vec<CString> {
    told(&[
        ("TANIST_SERVICE", &call.service),
        ("TANIST_HOOK", keyword),
        ("TANIST_ROLE", words::role(call.role)),
        ("TANIST_PREVIOUS_ROLE", words::role(call.previous_role)),
        ("TANIST_REASON", words::reason(call.reason)),
        ("TANIST_EPOCH", &call.epoch.to_string()),
        ("TANIST_EVENT", &call.number.to_string()),
    ])
}
