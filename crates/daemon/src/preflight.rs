//! Checks that need the machine: do the scripts exist, may they run, as whom. What keepalived would disable is
//! taken out of the settings here, and told with the reason; everything else becomes a prepared program.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Command, Manager, NotifyFifo, NotifyScript, ScriptUser, Service, ServiceCheck, Settings, TimedScript};
use engine::Name;
use linux::script_security::{Links, Verdict, examine, find_program};
use linux::signals::Signal;
use linux::spawn::{Program, Stream};
use linux::system_log::Severity;
use linux::users::{self, Identity, IdentityError};

use crate::bookends::Bookend;
use crate::checks::Checks;
use crate::fifos::{FifoPlan, ReaderPlan};
use crate::mail;
use crate::notify::{Notifier, Prepared};
use crate::reload;
use crate::services::needs::Needs;
use crate::services::plan::{ManagerPlan, ProbePlan, Recipe, RecipeKind, ServicePlan};

/// The user that runs scripts unless the configuration names another, if it exists.
const DEFAULT_SCRIPT_USER: &str = "keepalived_script";
/// Not handed on to scripts.
const WITHHELD: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];
/// Not handed on to services, their hooks and checks, who get their own: these would be another daemon's words, or meant for
/// us.
const SAID_ANEW: [&str; 12] = [
    "TANIST_SERVICE",
    "TANIST_INSTANCE",
    crate::services::mark::VARIABLE,
    "TANIST_HOOK",
    "TANIST_ROLE",
    "TANIST_PREVIOUS_ROLE",
    "TANIST_EPOCH",
    "TANIST_EVENT",
    "TANIST_REASON",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
];
const SHELL: &str = "/bin/sh";
/// For lines with `[[`, which a plain shell does not know and would quietly take for "false".
const BASH: &str = "/bin/bash";

/// Something that the preflight found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What, and what to do.
    pub text: String,
}

/// A configuration that this machine can run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) checks: Checks,
    /// By instance, in the order of the settings.
    pub(crate) notify: Vec<Prepared>,
    /// By sync group.
    pub(crate) group_notify: BTreeMap<Name, Prepared>,
    pub(crate) services: Vec<ServicePlan>,
    pub(crate) fifos: Vec<FifoPlan>,
    pub(crate) startup: Option<Bookend>,
    pub(crate) shutdown: Option<Bookend>,
    /// The other node, with the key.
    pub(crate) pair: Option<engine::PairConfig>,
    pub(crate) findings: Vec<Finding>,
}

/// What would be found on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    /// All of it.
    pub findings: Vec<Finding>,
    /// A check would be left out, or nobody is there to run what names no user: something that is to be watched is not.
    pub loses_checks: bool,
}

/// Looks at this machine, for a check before the start.
#[must_use]
pub fn preflight(mut settings: Settings) -> Preflight {
    let missing = reload::secrets(&mut settings).err();
    let missing = missing.map(|text| Finding { severity: Severity::Error, text });
    let checks = |settings: &Settings| {
        settings.scripts.len() + settings.services.iter().map(|service| service.checks.len()).sum::<usize>()
    };
    let wanted = checks(&settings);
    let nobody = settings.global.script_user.as_ref().is_some_and(|user| identity(user).is_err());
    let plan = Plan::make(settings);
    let loses_checks = nobody || checks(&plan.settings) < wanted;
    Preflight { findings: missing.into_iter().chain(plan.findings).collect(), loses_checks }
}

impl Plan {
    /// Looks at every script, and takes out what cannot or may not run.
    pub(crate) fn make(mut settings: Settings) -> Self {
        let mut scripts = Scripts::new(&settings);
        let mut checks = Checks::default();
        let mut disabled = BTreeSet::new();
        for script in &settings.scripts {
            let name = &script.checking.name;
            let what = format!("vrrp_script {name}");
            match scripts.prepare(
                &what,
                &script.command,
                script.user.as_ref(),
                RecipeKind::ServiceScript,
                "the check is left out and counts as good",
            ) {
                Some(program) => {
                    let program = if scripts.all_groups { program } else { program.without_supplementary_groups() };
                    checks.programs.insert(name.clone(), program);
                }
                None => {
                    disabled.insert(name.clone());
                }
            }
        }
        settings.scripts.retain(|script| !disabled.contains(&script.checking.name));
        let mut notify = Vec::new();
        for instance in &mut settings.instances {
            instance.router.track_scripts.retain(|tracked| !disabled.contains(&tracked.script));
            notify.push(scripts.prepare_notify(&instance.router.name, &instance.notify));
        }
        let group = |group: &config::SyncGroup| {
            (group.group.name.clone(), scripts.prepare_notify(&group.group.name, &group.notify))
        };
        let group_notify = settings.groups.iter().map(group).collect();
        let virtual_addresses = virtual_addresses(&settings);
        let services = settings.services.iter_mut();
        let services =
            services.map(|service| scripts.prepare_service(service, &virtual_addresses, &mut checks)).collect();
        let global = &settings.global;
        let fifos = [("notify_fifo", &global.notify_fifo), ("vrrp_notify_fifo", &global.vrrp_notify_fifo)];
        let fifos = fifos.iter().filter_map(|(keyword, fifo)| scripts.prepare_fifo(keyword, fifo.as_ref()?)).collect();
        let startup = global.startup.as_ref().and_then(|script| scripts.prepare_bookend("startup", script));
        let shutdown = global.shutdown.as_ref().and_then(|script| scripts.prepare_bookend("shutdown", script));
        let mut findings = scripts.findings;
        findings.extend(
            mail::obstacles(&settings.global.mail)
                .into_iter()
                .map(|text| Finding { severity: Severity::Warning, text }),
        );
        findings.dedup();
        Self { settings, checks, notify, group_notify, services, fifos, startup, shutdown, pair: None, findings }
    }

    /// Opens what a slow file system can hold up, away from the loop.
    pub(crate) fn open_fifos(&mut self) {
        self.fifos.iter_mut().for_each(FifoPlan::open);
    }

    /// What the engine decides by.
    pub(crate) fn engine_config(&self) -> engine::Config {
        engine::Config { pair: self.pair.clone(), ..self.settings.engine_config() }
    }
}

/// How programs are made ready on this machine. It can be asked again at any time, by any thread.
#[derive(Debug)]
pub(crate) struct Workshop {
    environment: Arc<[CString]>,
    /// Of services and their programs.
    service_environment: Arc<[CString]>,
    search_path: String,
    own: Identity,
    default: Result<Identity, String>,
    security: bool,
    /// `use_symlink_paths`.
    keep_links: bool,
}

/// The scripts of a configuration, and what there is to say about them.
#[derive(Debug)]
struct Scripts {
    workshop: Arc<Workshop>,
    /// `set_supplementary_groups`: they run with all groups of their users.
    all_groups: bool,
    findings: Vec<Finding>,
}

impl Workshop {
    fn new(settings: &Settings) -> Self {
        let environment_without = |withheld: &[&str]| -> Arc<[CString]> {
            std::env::vars_os()
                .filter(|(name, _)| !withheld.iter().any(|withheld| name == withheld))
                .filter_map(|(mut name, value)| {
                    name.push("=");
                    name.push(value);
                    CString::new(name.into_encoded_bytes()).ok()
                })
                .collect()
        };
        let own = users::own_identity();
        let global = &settings.global;
        let default = match &global.script_user {
            Some(user) => identity(user),
            None => match users::find_user(DEFAULT_SCRIPT_USER) {
                Ok(Some(_)) if own.uid == 0 => {
                    identity(&ScriptUser { user: DEFAULT_SCRIPT_USER.to_owned(), group: None })
                }
                _ => Ok(own.clone()),
            },
        };
        let search_path = std::env::var("PATH").unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
        Self {
            environment: environment_without(&WITHHELD),
            service_environment: environment_without(&[&WITHHELD[..], &SAID_ANEW[..]].concat()),
            search_path,
            own,
            default,
            security: global.enable_script_security,
            keep_links: settings.process.keep_links,
        }
    }
}

impl Scripts {
    fn new(settings: &Settings) -> Self {
        let workshop = Workshop::new(settings);
        let default = workshop.default.as_ref().err();
        let finding = |reason| Finding { severity: Severity::Error, text: format!("script_user: {reason}") };
        let findings = default.map(finding).into_iter().collect();
        Self { workshop: Arc::new(workshop), all_groups: settings.process.supplementary_groups, findings }
    }

    fn prepare_notify(&mut self, name: &Name, notify: &config::Notify) -> Prepared {
        let mut prepare = |keyword: &str, script: &Option<NotifyScript>| {
            self.prepare_notifier(&format!("({name}) {keyword}"), script.as_ref()?)
        };
        Prepared {
            active: prepare("notify_master", &notify.active),
            backup: prepare("notify_backup", &notify.backup),
            fault: prepare("notify_fault", &notify.fault),
            stop: prepare("notify_stop", &notify.stop),
            tells_deletion: notify.tells_deletion,
            deleted: prepare("notify_deleted", &notify.deleted),
            active_heard_lower_priority: prepare("notify_master_rx_lower_pri", &notify.active_heard_lower_priority),
            any: prepare("notify", &notify.any),
        }
    }

    /// A pipe and its reader; `None` if nobody could own it.
    fn prepare_fifo(&mut self, keyword: &'static str, fifo: &NotifyFifo) -> Option<FifoPlan> {
        let owner = match &fifo.owner {
            Some(user) => identity(user),
            None => self.workshop.default.clone(),
        };
        let owner = match owner {
            Ok(owner) => (owner.uid, owner.gid),
            Err(reason) => {
                let text = format!("{keyword} {}: {reason}; nobody is told by it", fifo.path.display());
                self.findings.push(Finding { severity: Severity::Error, text });
                return None;
            }
        };
        let reader = fifo.script.as_ref().and_then(|script| {
            let notifier = self.prepare_notifier(&format!("{keyword}_script"), script)?;
            Some(ReaderPlan { notifier, said: script.clone() })
        });
        Some(FifoPlan { keyword, path: fifo.path.clone(), owner, reader, pipe: None })
    }

    fn prepare_bookend(&mut self, of: &'static str, script: &TimedScript) -> Option<Bookend> {
        let notifier = self.prepare_notifier(&format!("{of}_script"), &script.script)?;
        Some(Bookend { of, notifier, timeout: script.timeout })
    }

    fn prepare_notifier(&mut self, what: &str, script: &NotifyScript) -> Option<Notifier> {
        let (user, kind) = (script.user.as_ref(), RecipeKind::Script);
        let program = self.prepare(what, &script.command, user, kind, "it will not be run")?;
        let program = if self.all_groups { program } else { program.without_supplementary_groups() };
        Some(Notifier { program: Arc::new(program), command: words_for(&script.command) })
    }

    /// The programs of a service. A check that cannot be run is taken out of its settings, as with instances.
    fn prepare_service(
        &mut self,
        service: &mut Service,
        virtual_addresses: &Arc<[IpAddr]>,
        checks: &mut Checks,
    ) -> ServicePlan {
        let name = service.service.name.clone();
        let needs = Needs::of(service, virtual_addresses);
        if let Some(error) = needs.obstacle() {
            let text = format!("service {name}: whether its ports are free cannot be seen on this machine: {error}");
            self.findings.push(Finding { severity: Severity::Warning, text });
        }
        let mut probes = Vec::new();
        let is_child = matches!(service.manager, Manager::Command { .. });
        let looks = std::mem::take(&mut service.checks);
        let schedules = std::mem::take(&mut service.service.checks);
        for (look, schedule) in looks.into_iter().zip(schedules) {
            let check = schedule.name.clone();
            let is_there = match (&look, ProbePlan::of(&look, schedule.timeout)) {
                (ServiceCheck::Notify, _) if !is_child => {
                    let text = format!(
                        "service {name}: check notify is for a service that we start ourselves (`command`); the check is \
                         left out and counts as good"
                    );
                    self.findings.push(Finding { severity: Severity::Error, text });
                    false
                }
                (_, Some(probe)) => {
                    probes.push((check, probe));
                    true
                }
                (ServiceCheck::Script(script), None) => {
                    let what = format!("service {name}: check script");
                    let consequence = "the check is left out and counts as good";
                    let kind = RecipeKind::ServiceScript;
                    let program = self.prepare(&what, &script.command, script.user.as_ref(), kind, consequence);
                    let is_there = program.is_some();
                    checks.programs.extend(program.map(|program| (check, program)));
                    is_there
                }
                (_, None) => false,
            };
            if is_there {
                service.checks.push(look);
                service.service.checks.push(schedule);
            }
        }
        let cannot = "it cannot be started here";
        let mut recipe = |keyword: &str, script: &NotifyScript, kind, consequence: &str| {
            let (recipe, warning) = Recipe::make(&self.workshop, script, kind);
            let what = format!("service {name}: {keyword}");
            let finding = match (recipe.program(), warning) {
                (Err(reason), _) => Some((Severity::Error, format!("{what}: {reason}; {consequence}"))),
                (Ok(_), Some(warning)) => Some((Severity::Warning, format!("{what}: {warning}"))),
                (Ok(_), None) => None,
            };
            self.findings.extend(finding.map(|(severity, text)| Finding { severity, text }));
            Arc::new(recipe)
        };
        let manager = match &service.manager {
            Manager::Command { script } => {
                ManagerPlan::Command { recipe: recipe("command", script, RecipeKind::Service, cannot) }
            }
            Manager::Scripts { start, stop, status } => ManagerPlan::Scripts {
                start: recipe("start", start, RecipeKind::ServiceScript, cannot),
                stop: recipe("stop", stop, RecipeKind::StopScript, "it cannot be stopped here"),
                status: recipe("status", status, RecipeKind::ServiceScript, "nobody can tell whether it runs"),
            },
            Manager::Systemd { unit } => ManagerPlan::Systemd { unit: unit.clone() },
            Manager::Docker { container } => ManagerPlan::Docker { container: container.clone() },
        };
        let mut script = |keyword: &str, script: &NotifyScript, consequence: &str| {
            recipe(keyword, script, RecipeKind::ServiceScript, consequence)
        };
        let not_run = "it will not be run";
        let (could_start, timed) = (service.could_start.as_ref(), service.while_active.iter());
        let (on_role, post_takeover) = (service.on_role.as_ref(), service.post_takeover.as_ref());
        ServicePlan {
            could_start: could_start.map(|hook| script("could_start", hook, cannot)),
            standby_checks: service.standby_checks.iter().map(|check| script("check script", check, cannot)).collect(),
            needs: Arc::new(needs),
            on_role: on_role.map(|hook| script("on_role", hook, not_run)),
            post_takeover: post_takeover.map(|hook| script("post_takeover", hook, not_run)),
            while_active: timed.map(|hook| recipe("while_active", hook, RecipeKind::TimedScript, not_run)).collect(),
            stop_timeout: service.service.stop_timeout,
            manager,
            probes,
            name,
        }
    }

    /// A program that may be started again and again; `None`, with a finding that ends in `consequence`, if it may
    /// not.
    fn prepare(
        &mut self,
        what: &str,
        command: &Command,
        user: Option<&ScriptUser>,
        kind: RecipeKind,
        consequence: &str,
    ) -> Option<Program> {
        match self.workshop.make(command, user, kind) {
            Ok((program, warning)) => {
                let warning =
                    warning.map(|text| Finding { severity: Severity::Warning, text: format!("{what}: {text}") });
                self.findings.extend(warning);
                Some(program)
            }
            Err(reason) => {
                let text = format!("{what}: {reason}; {consequence}");
                self.findings.push(Finding { severity: Severity::Error, text });
                None
            }
        }
    }
}

impl Workshop {
    /// A program, and what is to be said about it; or why it may not run.
    pub(crate) fn make(
        &self,
        command: &Command,
        user: Option<&ScriptUser>,
        kind: RecipeKind,
    ) -> Result<(Program, Option<String>), String> {
        let run_as = match user {
            Some(user) => identity(user),
            None => self.default.clone(),
        }?;
        let shell = |shell: &str, line: &str| [shell, "-c", line, "sh"].map(str::to_owned).to_vec();
        let argv: Vec<String> = match command {
            Command::Program(argv) => argv.clone(),
            Command::Shell(line) => shell(shell_for(line), line),
            // Opening may take for ever (a FIFO, a lost server), so it is not done here.
            Command::ReadFile(path) => {
                let mut argv = shell(SHELL, ": < \"$1\"");
                argv.push(path.to_string_lossy().into_owned());
                argv
            }
        };
        let name = argv.first().cloned().unwrap_or_default();
        let program =
            find_program(Path::new(&name), &self.search_path).ok_or_else(|| format!("{name} was not found"))?;
        let (path, warning) = self.judge(&program, &run_as)?;
        let c_string = |text: String| CString::new(text).map_err(|_| "it contains a NUL octet".to_owned());
        let arguments = argv.into_iter().map(c_string).collect::<Result<Vec<_>, _>>()?;
        let path = c_string(path.to_string_lossy().into_owned())?;
        let program = Program::new(path, arguments);
        let mut prepared = match kind {
            RecipeKind::Script => program.environment(Arc::clone(&self.environment)).death_signal(Signal::TERMINATE),
            RecipeKind::ServiceScript => {
                program.environment(Arc::clone(&self.service_environment)).death_signal(Signal::TERMINATE)
            }
            RecipeKind::TimedScript => {
                program.environment(Arc::clone(&self.service_environment)).death_signal(Signal::KILL)
            }
            // Half-stopped, a service would go on, and nobody would be there who knew it.
            RecipeKind::StopScript => program.environment(Arc::clone(&self.service_environment)),
            RecipeKind::Service => program
                .environment(Arc::clone(&self.service_environment))
                .stdout(Stream::Inherit)
                .stderr(Stream::Inherit)
                .death_signal(Signal::KILL),
        };
        if run_as != self.own {
            prepared = prepared.identity(run_as);
        }
        Ok((prepared, warning))
    }

    /// Whether a program may run, and what is to be said about it. The path with which it comes back is what runs.
    fn judge(&self, program: &Path, run_as: &Identity) -> Result<(PathBuf, Option<String>), String> {
        let shown = program.display();
        let links = if self.keep_links { Links::Keep } else { Links::Resolve };
        match examine(program, run_as, links) {
            Verdict::Safe(path) => Ok((path, None)),
            Verdict::NotFound => Err(format!("{shown} was not found")),
            Verdict::NotExecutable(path) => {
                Err(format!("{} is not executable by the user that runs it", path.display()))
            }
            Verdict::Unreadable(error) => Err(error.to_string()),
            Verdict::Unsafe { program, .. } if run_as.uid != 0 => Ok((program, None)),
            Verdict::Unsafe { program, weakness } => {
                let reason = format!(
                    "Unsafe permissions found for script '{shown}': {weakness}, so others than root can change what root \
                     would run; `{}` makes it safe, `script_user` runs it as somebody else",
                    weakness.remedy()
                );
                if self.security {
                    return Err(reason);
                }
                let warning = format!(
                    "SECURITY VIOLATION - scripts are being executed but script_security not enabled. {reason}"
                );
                Ok((program, Some(warning)))
            }
        }
    }
}

/// Those that are here where an instance is active.
fn virtual_addresses(settings: &Settings) -> Arc<[IpAddr]> {
    let routers = settings.instances.iter().map(|instance| &instance.router);
    let addresses = routers.flat_map(|router| router.addresses.iter().chain(&router.excluded_addresses));
    addresses.map(|address| address.address).collect()
}

/// A command for people.
pub(crate) fn words_for(command: &Command) -> String {
    match command {
        Command::Program(argv) => argv.join(" "),
        Command::Shell(line) => line.clone(),
        Command::ReadFile(path) => format!("<{}", path.display()),
    }
}

fn identity(user: &ScriptUser) -> Result<Identity, String> {
    users::identity(&user.user, user.group.as_deref()).map_err(|error| match error {
        IdentityError::NoSuchUser(name) => format!("there is no user {name}"),
        IdentityError::NoSuchGroup(name) => format!("there is no group {name}"),
        IdentityError::System(error) => error.to_string(),
    })
}

fn shell_for(line: &str) -> &'static str {
    if line.contains("[[") && Path::new(BASH).exists() { BASH } else { SHELL }
}
