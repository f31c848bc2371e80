//! Services with real processes, driven as the loop drives them.

mod commands;
mod farewell;
mod hooks;
mod probes;
mod readiness;
mod scripts;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use config::{Command, Manager, NotifyScript, Service as Setting, ServiceCheck, Settings};
use engine::{
    Budget, Ending, Failback, Name, OnManualStop, ScriptConfig, ScriptOutcome, ServiceConfig, ServiceOrder,
    ServiceReport, When,
};
use linux::clock::boot_time;
use linux::control_group::ControlGroups;
use linux::poll::Poll;
use linux::process_list::{ProcessId, find_marked};
use linux::signals::Signal;

use super::control_groups::{Groups, ServiceGroups};
use super::manager::Manager as Managed;
use super::{Context, Loop, Report, Services, identity};
use crate::children::{Children, Purpose};
use crate::notify::Told;
use crate::preflight::Plan;

/// They start processes by the dozen: one test at a time.
static CHILDREN: Mutex<()> = Mutex::new(());
/// Much longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A loop, and a directory that goes with it.
struct Rig {
    poll: Poll,
    children: Children,
    services: Services,
    reports: Vec<Report>,
    lines: Vec<Told>,
    findings: Vec<String>,
    identity: String,
    directory: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Rig {
    fn new(test: &str) -> Rig {
        let alone = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = std::env::temp_dir().join(format!("tanist-services-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let identity = identity(&directory, None);
        Rig {
            poll: Poll::new().unwrap(),
            children: Children::default(),
            services: Services::new(identity.clone(), None),
            reports: Vec::new(),
            lines: Vec::new(),
            findings: Vec::new(),
            identity,
            directory,
            _alone: alone,
        }
    }

    /// With these services.
    fn with(test: &str, services: Vec<Setting>) -> Rig {
        let mut rig = Rig::new(test);
        rig.configure(services);
        rig
    }

    fn configure(&mut self, services: Vec<Setting>) {
        let global = config::Global::default();
        let settings = Settings { global, services, ..Settings::default() };
        let plan = Plan::make(settings);
        self.findings = plan.findings.into_iter().map(|finding| finding.text).collect();
        self.call(|services, lent| services.reconfigure(plan.services, lent));
    }

    fn call<T>(&mut self, what: impl FnOnce(&mut Services, Loop<'_>) -> T) -> T {
        let lent = Loop { now: boot_time(), poll: &self.poll, children: &mut self.children };
        what(&mut self.services, lent)
    }

    /// One turn of the loop.
    fn turn(&mut self) {
        let ready: Vec<u64> = self.poll.wait(Some(Duration::from_millis(5))).unwrap().collect();
        for token in ready {
            self.call(|services, lent| services.ready(token, lent));
        }
        for (pid, purpose, exit) in self.children.ended_of_ours() {
            if let Purpose::Service(child) = purpose {
                self.call(|services, lent| services.child_ended(pid, &child, exit, lent));
            }
        }
        if self.services.deadline().is_some_and(|at| at <= boot_time()) {
            self.call(|services, lent| services.handle_timer(lent));
        }
        self.reports.extend(self.services.take_reports());
        self.lines.extend(self.services.take_lines());
    }

    fn wait_until(&mut self, what: &str, mut condition: impl FnMut(&Rig) -> bool) {
        let began = Instant::now();
        while !condition(self) {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}; {:?} {:?}", self.reports, self.lines);
            self.turn();
        }
    }

    /// Turns for so long, whatever happens.
    fn go_on_for(&mut self, milliseconds: u64) {
        let until = Instant::now() + Duration::from_millis(milliseconds);
        while Instant::now() < until {
            self.turn();
        }
    }

    /// As if so much time had passed in which nothing was taken in.
    fn let_pass(&mut self, time: Duration) {
        let now = boot_time() + u64::try_from(time.as_nanos()).unwrap();
        let lent = Loop { now, poll: &self.poll, children: &mut self.children };
        self.services.handle_timer(lent);
        self.reports.extend(self.services.take_reports());
    }

    fn order(&mut self, service: &str, order: ServiceOrder) {
        let name = Name::from(service);
        self.call(|services, lent| services.order(&name, order, lent));
    }

    /// The next thing that is reported, which is about this service.
    fn next(&mut self, service: &str) -> ServiceReport {
        self.wait_until("a report", |rig| !rig.reports.is_empty());
        match self.reports.remove(0) {
            Report::Service(name, report) if &*name == service => report,
            other => panic!("{other:?}"),
        }
    }

    /// Gives an order and answers what is reported then.
    fn ask(&mut self, service: &str, order: ServiceOrder) -> ServiceReport {
        self.order(service, order);
        self.next(service)
    }

    fn outcome(&mut self, check: &str) -> ScriptOutcome {
        self.wait_until("a result", |rig| !rig.reports.is_empty());
        match self.reports.remove(0) {
            Report::Check(name, outcome) if &*name == check => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn run_probe(&mut self, check: &str) {
        let check = Name::from(check);
        assert!(self.services.has_probe(&check));
        self.call(|services, lent| services.run_probe(&check, lent));
    }

    fn mark(&self, service: &str) -> String {
        format!("TANIST_SUPERVISED={} {service}", self.identity)
    }

    /// The processes of a service.
    fn processes(&self, service: &str) -> Vec<ProcessId> {
        find_marked(&self.mark(service), |_| {}).unwrap()
    }

    /// Whether there are no control groups for us here.
    fn no_groups(&self) -> bool {
        let groups = ControlGroups::find();
        let may = groups.is_ok_and(|groups| rustix::fs::access(groups.own(), rustix::fs::Access::WRITE_OK).is_ok());
        if !may {
            let _ =
                writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: no control groups of version 2 can be made here");
        }
        !may
    }

    fn groups_of(&self, service: &str) -> ServiceGroups {
        let (groups, _) = Groups::find(&self.identity);
        groups.of(&Name::from(service)).expect("control groups")
    }

    /// What runs in the control groups of a service.
    fn in_groups(&self, service: &str) -> Vec<ProcessId> {
        self.groups_of(service).look().unwrap().0
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn says(&self, text: &str) -> bool {
        self.lines.iter().any(|(_, line)| line.contains(text))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for mark in ["one", "two"].map(|service| self.mark(service)) {
            for process in find_marked(&mark, |_| {}).unwrap_or_default() {
                let _ = process.signal(Signal::KILL);
            }
        }
        let (groups, _) = Groups::find(&self.identity);
        let groups: Vec<ServiceGroups> =
            ["one", "two"].iter().filter_map(|name| groups.of(&Name::from(*name))).collect();
        let left = || groups.iter().filter_map(|groups| groups.look().ok()).flat_map(|(left, _)| left);
        for process in left() {
            let _ = process.signal(Signal::KILL);
        }
        self.services.part(Duration::ZERO);
        let began = Instant::now();
        // Keepers end behind their services; a test that failed may have left others.
        while self.children.count() > 0 && began.elapsed() < Duration::from_secs(5) {
            self.turn();
        }
        // Groups in which nothing is left go with a look.
        while left().next().is_some() && began.elapsed() < Duration::from_secs(5) {
            self.turn();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Whether we are a copy of this test program that runs nothing but this test, and may count what is open; otherwise
/// one has just done so.
fn in_a_copy(test: &str) -> bool {
    const COPY: &str = "TANIST_TEST_COPY";
    if std::env::var_os(COPY).is_some() {
        return true;
    }
    let _alone = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut copy = std::process::Command::new(std::env::current_exe().unwrap());
    let output = copy.args(["--exact", &format!("services::tests::{test}")]).env(COPY, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// Descriptors.
fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn shell(line: &str) -> NotifyScript {
    NotifyScript { command: Command::Shell(line.to_owned()), user: None }
}

fn program(words: &[&str]) -> NotifyScript {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    NotifyScript { command: Command::Program(words), user: None }
}

fn command(line: &str) -> Manager {
    Manager::Command { script: shell(line) }
}

fn service(name: &str, manager: Manager) -> Setting {
    let span = Duration::from_secs(10);
    let service = ServiceConfig {
        name: Name::from(name),
        checks: Vec::new(),
        start_grace: span,
        start_timeout: span,
        stop_timeout: span,
        restart: Budget { limit: 3, within: span },
        max_moves: Budget { limit: 3, within: span },
        on_manual_stop: OnManualStop::Failover,
        failback: Failback::Auto,
        readiness_interval: span,
        readiness_rise: 1,
        while_active: Vec::new(),
    };
    Setting {
        service,
        manager,
        checks: Vec::new(),
        could_start: None,
        on_role: None,
        post_takeover: None,
        while_active: Vec::new(),
        down_file: None,
        needs_ports: Vec::new(),
        needs_disks: Vec::new(),
        standby_checks: Vec::new(),
        may_differ: false,
    }
}

/// With a check of this name.
fn checked(mut service: Setting, name: &str, check: ServiceCheck) -> Setting {
    let second = Duration::from_secs(1);
    service.service.checks.push(ScriptConfig {
        name: Name::from(name),
        interval: second,
        timeout: second,
        rise: 1,
        fall: 1,
        init_fail: false,
        when: When::Both,
    });
    service.checks.push(check);
    service
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

const GONE: ServiceReport = ServiceReport::Gone(Ending::NotRunning);
