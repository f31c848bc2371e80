//! What starts, watches and stops services, and probes them. It does what the engine orders and tells what came of it;
//! every order is answered by a report, at once or later. Nothing here waits: programs are watched by their ends,
//! sockets by the loop, and what may hang in the kernel has a thread ([`worker`]).

mod command;
mod control_groups;
mod farewell;
mod hooks;
mod manager;
pub(crate) mod mark;
pub(crate) mod needs;
mod notices;
mod outside;
pub(crate) mod plan;
mod probes;
mod readiness;
mod scripts;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{HookCall, Name, ScriptOutcome, ServiceOrder, ServiceReport};
use linux::poll::{Interest, Poll};
use linux::spawn::Exit;
use linux::system_log::Severity;

use self::control_groups::Groups;
pub(crate) use self::hooks::HookKey;
use self::hooks::Hooks;
use self::manager::{Left, Manager};
use self::mark::Mark;
use self::notices::Notices;
use self::outside::{Outside, Said};
use self::plan::{ManagerPlan, ServicePlan};
use self::probes::Probes;
pub(crate) use self::probes::http_status;
use self::readiness::Readiness;
use self::worker::{Answer, Job, Worker};
use crate::children::{Children, ServiceChild};
use crate::notify::Told;

/// All tokens from here on are ours.
pub(crate) const TOKENS: u64 = 1 << 40;
const WORKER: u64 = TOKENS;
const NOTICES: u64 = TOKENS + 1;
const OUTSIDE: u64 = TOKENS + 2;
const FIRST_FREE: u64 = TOKENS + 16;

/// Something that the engine is to learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Service(Name, ServiceReport),
    /// A run of a probe has ended.
    Check(Name, ScriptOutcome),
}

/// What belongs to the loop and is needed everywhere here.
#[derive(Debug)]
pub(crate) struct Loop<'a> {
    /// Nanoseconds of the boot-time clock.
    pub(crate) now: u64,
    pub(crate) poll: &'a Poll,
    pub(crate) children: &'a mut Children,
}

/// All services of the configuration.
#[derive(Debug)]
pub(crate) struct Services {
    /// Tells our services' processes from those of another daemon on this machine.
    identity: String,
    /// Makes the marks of our processes our own, if there is one.
    secret: Option<String>,
    groups: Option<Groups>,
    services: BTreeMap<Name, Service>,
    probes: Probes,
    hooks: Hooks,
    notices: Notices,
    outside: Outside,
    desk: Desk,
    /// The daemon ends and waits for services no more.
    gave_up: bool,
}

#[derive(Debug)]
struct Service {
    plan: ServicePlan,
    manager: Manager,
    readiness: Readiness,
    /// Since when it is being stopped.
    ending_since: Option<u64>,
    /// The configuration says something else since it was started, or (`None`) no longer mentions it; that comes into
    /// force when it is gone or forgotten.
    next: Option<Option<ManagerPlan>>,
}

/// Where all of them leave what they have to say, and what they share.
#[derive(Debug)]
struct Desk {
    reports: Vec<Report>,
    lines: Vec<Told>,
    worker: Option<Worker>,
    next_token: u64,
    targets: BTreeMap<u64, Target>,
    /// That there are no control groups for services was said.
    said_ungrouped: bool,
}

/// What a child of ours is told.
#[derive(Clone, Debug, Default)]
struct Briefing {
    environment: Vec<CString>,
    /// How often it is to say that it is well, if it is told to.
    notices: Option<Duration>,
}

/// Whom a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Keeper(Name),
    Probe(Name),
}

/// The loop and the desk.
struct Context<'a> {
    now: u64,
    poll: &'a Poll,
    children: &'a mut Children,
    desk: &'a mut Desk,
}

impl Context<'_> {
    fn report(&mut self, service: &Name, report: ServiceReport) {
        self.desk.reports.push(Report::Service(service.clone(), report));
    }

    fn check(&mut self, check: &Name, outcome: ScriptOutcome) {
        self.desk.reports.push(Report::Check(check.clone(), outcome));
    }

    fn tell(&mut self, severity: Severity, text: String) {
        self.desk.lines.push((severity, text));
    }

    /// A service gets no control group. It is the same with all of them, so it is said once.
    fn tell_of_no_group(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.desk.said_ungrouped, true) {
            self.tell(Severity::Info, control_groups::without(reason));
        }
    }

    /// Hands a job to the thread for what may take long.
    fn ask(&mut self, job: Job) -> linux::Result<()> {
        let refuse = |error: std::io::Error| linux::Error::from_io("start a thread for looking", &error);
        let worker = match &mut self.desk.worker {
            Some(worker) => worker,
            none => {
                let worker = Worker::new().map_err(refuse)?;
                self.poll.add(&worker, WORKER, Interest::Readable)?;
                none.insert(worker)
            }
        };
        worker.ask(job).map_err(refuse)
    }

    /// Has the loop wait for a descriptor. A token is never used twice, so that what is stale finds nobody.
    fn token_for(&mut self, descriptor: impl AsFd, target: Target) -> linux::Result<u64> {
        let token = self.desk.next_token;
        self.poll.add(descriptor, token, Interest::ProgressEdge)?;
        self.desk.next_token += 1;
        self.desk.targets.insert(token, target);
        Ok(token)
    }

    fn forget_token(&mut self, token: u64, descriptor: impl AsFd) {
        self.desk.targets.remove(&token);
        // Closing it would do, unless a keeper that was just forked has still a copy.
        let _ = self.poll.remove(descriptor);
    }
}

/// Splits what the loop lends and what we have.
macro_rules! context {
    ($self:ident, $lent:ident) => {
        Context { now: $lent.now, poll: $lent.poll, children: &mut *$lent.children, desk: &mut $self.desk }
    };
}

/// Tells our services' processes from those of another daemon: two may run on one machine, each in its own network, or
/// each as an instance of one file.
pub(crate) fn identity(config: &Path, instance: Option<&str>) -> String {
    let network = std::fs::metadata("/proc/self/ns/net").map(|namespace| namespace.ino()).unwrap_or_default();
    let instance = instance.map_or_else(String::new, |name| format!("{name}:"));
    format!("{network}:{instance}{}", config.display())
}

/// Settings for an environment.
pub(crate) fn told(settings: &[(&str, &str)]) -> Vec<CString> {
    // Names and words of the configuration have no NUL.
    settings.iter().filter_map(|(name, value)| CString::new(format!("{name}={value}")).ok()).collect()
}

impl Services {
    /// Without any service yet.
    pub(crate) fn new(identity: String, secret: Option<String>) -> Self {
        let desk = Desk {
            reports: Vec::new(),
            lines: Vec::new(),
            worker: None,
            next_token: FIRST_FREE,
            targets: BTreeMap::new(),
            said_ungrouped: false,
        };
        Self {
            identity,
            secret,
            groups: None,
            services: BTreeMap::new(),
            probes: Probes::default(),
            hooks: Hooks::default(),
            notices: Notices::default(),
            outside: Outside::default(),
            desk,
            gave_up: false,
        }
    }

    /// Takes a configuration over, the first one too. What runs goes on: another way of starting it counts from its
    /// next start on, and one that is no longer mentioned is still stopped or forgotten in order.
    pub(crate) fn reconfigure(&mut self, plans: Vec<ServicePlan>, mut lent: Loop<'_>) {
        let lent = &mut lent;
        let probes = plans.iter().flat_map(|plan| {
            plan.probes.iter().map(|(check, probe)| (plan.name.clone(), check.clone(), probe.clone()))
        });
        let services = &self.services;
        let notices = |name: &Name| services.get(name).and_then(|service| service.manager.notices());
        self.probes.reconfigure(probes.collect(), notices, &mut context!(self, lent));
        if let Err(error) = self.notices.adjust(self.probes.wants_notices(), lent.poll, NOTICES) {
            self.desk.lines.push((Severity::Error, error.to_string()));
        }
        let names: BTreeSet<Name> = plans.iter().map(|plan| plan.name.clone()).collect();
        for plan in plans {
            let briefing = self.briefing_of(&plan.name);
            match self.services.get_mut(&plan.name) {
                Some(service) => service.replan(plan, briefing),
                None => {
                    let manager = self.manager_for(&plan.name, &plan.manager, briefing, lent);
                    let readiness = Readiness::new(&plan);
                    let service = Service { plan, manager, readiness, ending_since: None, next: None };
                    self.services.insert(service.plan.name.clone(), service);
                }
            }
        }
        for (_, service) in self.services.iter_mut().filter(|(name, _)| !names.contains(*name)) {
            service.next = Some(None);
        }
        self.renew_the_gone(lent);
    }

    fn briefing_of(&self, service: &Name) -> Briefing {
        let mut settings = vec![("TANIST_SERVICE", service.to_string())];
        let notices = self.probes.notices_of(service).zip(self.notices.name());
        if let Some((within, socket)) = notices {
            settings.push(("NOTIFY_SOCKET", socket.to_owned()));
            settings.push(("WATCHDOG_USEC", within.as_micros().to_string()));
        }
        let environment = told(&settings.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>());
        Briefing { environment, notices: notices.map(|(within, _)| within) }
    }

    fn manager_for(&mut self, name: &Name, plan: &ManagerPlan, briefing: Briefing, lent: &Loop<'_>) -> Manager {
        let groups =
            matches!(plan, ManagerPlan::Command { .. }).then(|| self.groups()).and_then(|groups| groups.of(name));
        let mark = || Mark::new(&self.identity, self.secret.as_deref(), name);
        let outside = &mut self.outside;
        let (manager, refusal) =
            Manager::new(name, plan, briefing, mark, groups, |plan| outside.add(name, plan, lent.poll, OUTSIDE));
        if let Some(error) = refusal {
            self.desk.lines.push((Severity::Error, format!("({name}) {error}")));
        }
        manager
    }

    /// Looked for when the first service needs them.
    fn groups(&mut self) -> &Groups {
        let (identity, desk) = (&self.identity, &mut self.desk);
        self.groups.get_or_insert_with(|| {
            let (groups, told) = Groups::find(identity);
            desk.said_ungrouped |= told.is_some();
            desk.lines.extend(told);
            groups
        })
    }

    /// What the configuration no longer mentions goes when nothing of it runs: until then it is stopped as it was
    /// described. Services whose manager has changed get the new one as soon as nothing is known to run under the old one.
    fn renew_the_gone(&mut self, lent: &mut Loop<'_>) {
        let due = |(name, service): (&Name, &Service)| {
            let due = match &service.next {
                None => false,
                Some(None) => service.manager.is_gone(),
                // What is being stopped may run, or it would not be.
                Some(Some(_)) if service.ending_since.is_some() => service.manager.is_gone(),
                Some(Some(_)) => service.manager.is_idle(),
            };
            due.then(|| name.clone())
        };
        for name in self.services.iter().filter_map(due).collect::<Vec<_>>() {
            let Some(service) = self.services.get_mut(&name) else { continue };
            let Some(next) = service.next.take() else { continue };
            // Whoever has it now is not to be disturbed by the manager that no longer has it.
            service.manager.order(&name, ServiceOrder::Forget, &mut self.outside, &mut context!(self, lent));
            let Some(plan) = next else {
                self.services.remove(&name);
                continue;
            };
            let briefing = self.briefing_of(&name);
            let mut manager = self.manager_for(&name, &plan, briefing, lent);
            // The old one was watched, and the new one may run already.
            manager.order(&name, ServiceOrder::Watch, &mut self.outside, &mut context!(self, lent));
            if let Some(service) = self.services.get_mut(&name) {
                service.plan.manager = plan;
                service.manager = manager;
            }
        }
    }

    // ── what the engine wants ─────────────────────────────────────────────────────────────────────────

    pub(crate) fn order(&mut self, name: &Name, order: ServiceOrder, mut lent: Loop<'_>) {
        let lent = &mut lent;
        let context = &mut context!(self, lent);
        let Some(service) = self.services.get_mut(name) else {
            let reason = Name::from("no such service is configured");
            match order {
                ServiceOrder::Start => context.report(name, ServiceReport::StartRefused(reason)),
                ServiceOrder::AssessReadiness => context.report(name, ServiceReport::Readiness(Err(reason))),
                ServiceOrder::Watch | ServiceOrder::Stop | ServiceOrder::Kill => {
                    context.report(name, ServiceReport::Gone(engine::Ending::NotRunning));
                }
                ServiceOrder::Forget => {}
            }
            return;
        };
        match order {
            ServiceOrder::Stop | ServiceOrder::Kill => {
                service.ending_since.get_or_insert(context.now);
            }
            ServiceOrder::Start | ServiceOrder::Forget => {
                service.ending_since = None;
                self.notices.forget(name);
            }
            ServiceOrder::Watch | ServiceOrder::AssessReadiness => {}
        }
        match (order, &mut service.manager) {
            (ServiceOrder::AssessReadiness, Manager::Command(command)) => {
                service.readiness.assess(vec![Arc::clone(&command.recipe)], context);
            }
            (ServiceOrder::AssessReadiness, Manager::Scripts(scripts)) => {
                let recipes = [&scripts.start, &scripts.stop, &scripts.status].map(Arc::clone);
                service.readiness.assess(recipes.to_vec(), context);
            }
            // Killed, a `stop` that is under way would not be begun again.
            (ServiceOrder::Kill, Manager::Scripts(scripts)) if self.gave_up => scripts.abandon(context),
            (order, manager) => {
                if order == ServiceOrder::Start {
                    self.probes.forget_notices(name);
                }
                manager.order(name, order, &mut self.outside, context);
            }
        }
        self.renew_the_gone(lent);
    }

    /// What the operator's programs are told when they judge whether it could be started.
    pub(crate) fn brief(&mut self, name: &Name, standing: Vec<CString>) {
        if let Some(service) = self.services.get_mut(name) {
            service.readiness.brief(standing);
        }
    }

    /// Whether this check is a probe; the others are programs.
    pub(crate) fn has_probe(&self, check: &Name) -> bool {
        self.probes.contains(check)
    }

    pub(crate) fn run_probe(&mut self, check: &Name, lent: Loop<'_>) {
        let service = self.probes.service_of(check).and_then(|name| self.services.get(name));
        let notices = service.and_then(|service| service.manager.notices());
        self.probes.run(check, notices, &mut context!(self, lent));
    }

    /// A run takes too long. It is over at once, and told as ended.
    pub(crate) fn end_probe(&mut self, check: &Name, lent: Loop<'_>) {
        self.probes.end(check, &mut context!(self, lent));
    }

    pub(crate) fn run_hook(&mut self, call: &HookCall, lent: Loop<'_>) {
        if let Some(service) = self.services.get(&call.service) {
            self.hooks.call(call, &service.plan, &mut context!(self, lent));
        }
    }

    // ── what has happened ─────────────────────────────────────────────────────────────────────────────

    /// A descriptor with one of our tokens is ready.
    pub(crate) fn ready(&mut self, token: u64, mut lent: Loop<'_>) {
        let lent = &mut lent;
        match token {
            WORKER => self.take_answers(lent),
            NOTICES => self.take_notices(lent),
            OUTSIDE => self.take_news(lent),
            _ => match self.desk.targets.get(&token).cloned() {
                Some(Target::Keeper(name)) => {
                    if let Some(Manager::Command(command)) = self.services.get_mut(&name).map(|it| &mut it.manager) {
                        command.listen(&mut context!(self, lent));
                    }
                }
                Some(Target::Probe(check)) => self.probes.progress(&check, &mut context!(self, lent)),
                // It has ended in this very round.
                None => {}
            },
        }
        self.renew_the_gone(lent);
    }

    fn take_answers(&mut self, lent: &mut Loop<'_>) {
        let answers = self.desk.worker.as_mut().map(Worker::answers).unwrap_or_default();
        for answer in answers {
            let context = &mut context!(self, lent);
            match answer {
                Answer::Looked { service, number, found } => {
                    if let Some(Manager::Command(command)) = self.services.get_mut(&service).map(|it| &mut it.manager) {
                        command.found(number, found, context);
                    }
                }
                Answer::Prepared { service, result } => {
                    if let Some(service) = self.services.get_mut(&service) {
                        service.readiness.looked(result, context);
                    }
                }
                Answer::Process { check, found } => self.probes.process_found(&check, found, context),
                Answer::File { check, age } => self.probes.file_looked(&check, age, context),
            }
        }
    }

    fn take_notices(&mut self, lent: &mut Loop<'_>) {
        let commands = self.services.iter().filter_map(|(name, service)| match &service.manager {
            Manager::Command(command) => Some((name, command)),
            Manager::Scripts(_) | Manager::Outside { .. } => None,
        });
        let may_be_ours = |uid| commands.clone().any(|(_, command)| command.may_be_of(uid));
        let owner = |pid, uid| {
            let lineage: Vec<u32> = linux::process_list::lineage(pid).collect();
            let is_its = |keeper| lineage.contains(&keeper);
            let mut candidates = commands.clone().filter(|(_, command)| command.may_be_of(uid));
            candidates.find(|(_, command)| command.keeper().is_some_and(is_its)).map(|(name, _)| name.clone())
        };
        match self.notices.receive(lent.now, lent.poll, may_be_ours, owner) {
            Ok(heard) => {
                self.desk.lines.extend(heard.lines);
                let context = &mut context!(self, lent);
                heard.well.iter().for_each(|service| self.probes.heard(service, context));
                if heard.flooded {
                    self.probes.excuse_silence(context);
                }
            }
            Err(error) => self.desk.lines.push((Severity::Warning, error.to_string())),
        }
    }

    fn take_news(&mut self, lent: &mut Loop<'_>) {
        for said in self.outside.take() {
            let (name, report) = match said {
                Said::Report(name, report) => (name, report),
                Said::Line(severity, text) => {
                    self.desk.lines.push((severity, text));
                    continue;
                }
            };
            let context = &mut context!(self, lent);
            let Some(service) = self.services.get_mut(&name) else { continue };
            let Manager::Outside { left, .. } = &mut service.manager else { continue };
            match &report {
                ServiceReport::Gone(_) | ServiceReport::StoppedByHand | ServiceReport::StartRefused(_) => {
                    *left = Left::Nothing;
                }
                ServiceReport::Running => *left = Left::Seen,
                // The manager agrees, and there is more to be looked at.
                ServiceReport::Readiness(Ok(())) if service.readiness.asks_more() => {
                    service.readiness.assess(Vec::new(), context);
                    continue;
                }
                ServiceReport::StopRefused(_) | ServiceReport::Readiness(_) | ServiceReport::Unknown(_) => {}
            }
            context.report(&name, report);
        }
    }

    /// A child that was started here has ended.
    pub(crate) fn child_ended(&mut self, pid: u32, child: &ServiceChild, exit: Exit, mut lent: Loop<'_>) {
        let lent = &mut lent;
        let context = &mut context!(self, lent);
        match child {
            ServiceChild::Keeper(name) => {
                if let Some(Manager::Command(command)) = self.services.get_mut(name).map(|it| &mut it.manager) {
                    command.keeper_ended(pid, exit, context);
                }
            }
            ServiceChild::Script(name) => {
                if let Some(Manager::Scripts(scripts)) = self.services.get_mut(name).map(|it| &mut it.manager) {
                    scripts.ended(pid, exit, context);
                }
            }
            ServiceChild::CouldStart(name) => {
                if let Some(service) = self.services.get_mut(name) {
                    service.readiness.asked(pid, exit, context);
                }
            }
            ServiceChild::Hook(key) => self.hooks.ended(key, pid, exit, context),
        }
        self.renew_the_gone(lent);
    }

    /// When [`handle_timer`](Self::handle_timer) has something to do.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let managers = self.services.values().filter_map(|service| match &service.manager {
            Manager::Command(command) => command.deadline(),
            Manager::Scripts(scripts) => scripts.deadline(),
            Manager::Outside { .. } => None,
        });
        let readiness = self.services.values().filter_map(|service| service.readiness.deadline());
        managers.chain(readiness).chain(self.hooks.deadline()).chain(self.notices.deadline()).min()
    }

    pub(crate) fn handle_timer(&mut self, lent: Loop<'_>) {
        let context = &mut context!(self, lent);
        for service in self.services.values_mut() {
            match &mut service.manager {
                Manager::Command(command) => command.handle_timer(context),
                Manager::Scripts(scripts) => scripts.handle_timer(context),
                Manager::Outside { .. } => {}
            }
            service.readiness.handle_timer(context);
        }
        self.hooks.handle_timer(context);
        if let Err(error) = self.notices.handle_timer(lent.now, lent.poll, NOTICES) {
            self.desk.lines.push((Severity::Error, error.to_string()));
        }
    }

    // ── what has come of it ───────────────────────────────────────────────────────────────────────────

    /// What the engine is to learn, in the order in which it happened.
    pub(crate) fn take_reports(&mut self) -> Vec<Report> {
        let reports = std::mem::take(&mut self.desk.reports);
        for report in &reports {
            if let Report::Service(name, ServiceReport::Gone(_) | ServiceReport::StoppedByHand) = report
                && let Some(service) = self.services.get_mut(name)
            {
                service.ending_since = None;
            }
        }
        reports
    }

    /// What people are to learn.
    pub(crate) fn take_lines(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.desk.lines)
    }

    /// Whether no hook runs or waits that tells of a change, and none that was asked to end.
    pub(crate) fn hooks_are_idle(&self) -> bool {
        self.hooks.is_idle()
    }
}
