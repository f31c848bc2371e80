//! Checks that need the machine: do the scripts exist, may they run, as whom. What keepalived would disable is
//! taken out of the settings here, and told with the reason; everything else becomes a prepared program.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Command, NotifyScript, ScriptUser, Settings};
use engine::Name;
use linux::script_security::{Verdict, examine, find_program};
use linux::signals::Signal;
use linux::spawn::Program;
use linux::system_log::Severity;
use linux::users::{self, Identity, IdentityError};

use crate::checks::Checks;
use crate::notify::{Notifier, Prepared};

/// The user that runs scripts unless the configuration names another, if it exists.
const DEFAULT_SCRIPT_USER: &str = "keepalived_script";
/// Not handed on to scripts.
const WITHHELD: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];
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
    pub(crate) findings: Vec<Finding>,
}

/// What would be found on this machine, for a check before the start.
#[must_use]
pub fn preflight(settings: Settings) -> Vec<Finding> {
    Plan::make(settings).findings
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
                "the check is left out and counts as good",
            ) {
                Some(program) => {
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
        let mut findings = scripts.findings;
        findings.dedup();
        Self { settings, checks, notify, findings }
    }
}

/// How scripts are run on this machine.
#[derive(Debug)]
pub(crate) struct Scripts {
    environment: Arc<[CString]>,
    search_path: String,
    own: Identity,
    default: Result<Identity, String>,
    security: bool,
    findings: Vec<Finding>,
}

impl Scripts {
    fn new(settings: &Settings) -> Self {
        let environment = std::env::vars_os()
            .filter(|(name, _)| !WITHHELD.iter().any(|withheld| name == withheld))
            .filter_map(|(mut name, value)| {
                name.push("=");
                name.push(value);
                CString::new(name.into_encoded_bytes()).ok()
            })
            .collect();
        let own = users::own_identity();
        let global = &settings.global;
        let mut findings = Vec::new();
        let default = match &global.script_user {
            Some(user) => identity(user),
            None => match users::find_user(DEFAULT_SCRIPT_USER) {
                Ok(Some(_)) if own.uid == 0 => {
                    identity(&ScriptUser { user: DEFAULT_SCRIPT_USER.to_owned(), group: None })
                }
                _ => Ok(own.clone()),
            },
        };
        if let Err(reason) = &default {
            findings.push(Finding { severity: Severity::Error, text: format!("script_user: {reason}") });
        }
        let search_path = std::env::var("PATH").unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
        Self { environment, search_path, own, default, security: global.enable_script_security, findings }
    }

    fn prepare_notify(&mut self, instance: &Name, notify: &config::Notify) -> Prepared {
        let mut prepare = |keyword: &str, script: &Option<NotifyScript>| {
            let script = script.as_ref()?;
            let what = format!("({instance}) {keyword}");
            let program = self.prepare(&what, &script.command, script.user.as_ref(), "it will not be run")?;
            Some(Notifier { program: Arc::new(program), command: words_for(&script.command) })
        };
        Prepared {
            active: prepare("notify_master", &notify.active),
            backup: prepare("notify_backup", &notify.backup),
            fault: prepare("notify_fault", &notify.fault),
            stop: prepare("notify_stop", &notify.stop),
            deleted: prepare("notify_deleted", &notify.deleted),
            active_heard_lower_priority: prepare("notify_master_rx_lower_pri", &notify.active_heard_lower_priority),
            any: prepare("notify", &notify.any),
        }
    }

    /// A program that may be started again and again; `None`, with a finding that ends in `consequence`, if it may
    /// not.
    fn prepare(
        &mut self,
        what: &str,
        command: &Command,
        user: Option<&ScriptUser>,
        consequence: &str,
    ) -> Option<Program> {
        let prepared = self.try_prepare(command, user);
        match prepared {
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

    fn try_prepare(&self, command: &Command, user: Option<&ScriptUser>) -> Result<(Program, Option<String>), String> {
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
        let mut prepared = Program::new(path, arguments).environment(Arc::clone(&self.environment));
        if run_as != self.own {
            prepared = prepared.identity(run_as);
        }
        Ok((prepared.death_signal(Signal::TERMINATE), warning))
    }

    /// Whether a program may run, and what is to be said about it. The resolved path is what is looked at and run.
    fn judge(&self, program: &Path, run_as: &Identity) -> Result<(PathBuf, Option<String>), String> {
        let shown = program.display();
        match examine(program, run_as) {
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
