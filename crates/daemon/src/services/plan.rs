//! What the settings say about services, with every program looked at and ready to be started.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::{Command, NotifyScript, ScriptUser, ServiceCheck};
use engine::Name;
use linux::spawn::Program;

use super::needs::Needs;
use crate::preflight::{Workshop, words_for};

/// One service.
#[derive(Clone, Debug)]
pub(crate) struct ServicePlan {
    pub(crate) name: Name,
    pub(crate) manager: ManagerPlan,
    /// So long it may take to end in order.
    pub(crate) stop_timeout: Duration,
    pub(crate) could_start: Option<Arc<Recipe>>,
    /// Checks that are asked on standby, too.
    pub(crate) standby_checks: Vec<Arc<Recipe>>,
    pub(crate) needs: Arc<Needs>,
    pub(crate) on_role: Option<Arc<Recipe>>,
    pub(crate) post_takeover: Option<Arc<Recipe>>,
    pub(crate) while_active: Vec<Arc<Recipe>>,
    /// Those of its checks that need no program, by name.
    pub(crate) probes: Vec<(Name, ProbePlan)>,
}

/// Who starts, watches and stops it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ManagerPlan {
    Command { recipe: Arc<Recipe> },
    Scripts { start: Arc<Recipe>, stop: Arc<Recipe>, status: Arc<Recipe> },
    Systemd { unit: String },
    Docker { container: String },
}

impl ManagerPlan {
    /// Whether its processes are ours.
    pub(crate) const fn is_command(&self) -> bool {
        matches!(self, Self::Command { .. })
    }
}

/// A check that needs no program. Its timeout is the engine's business, except where silence is measured by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbePlan {
    Http { address: std::net::SocketAddr, request: String, statuses: std::ops::RangeInclusive<u16> },
    Tcp { address: std::net::SocketAddr },
    Process { name: String },
    File { path: PathBuf, max_age: Option<Duration> },
    Notify { within: Duration },
}

impl ProbePlan {
    /// `None` for a check that is a program.
    pub(crate) fn of(check: &ServiceCheck, timeout: Duration) -> Option<Self> {
        Some(match check {
            ServiceCheck::Http { address, host, path, statuses } => Self::Http {
                address: *address,
                request: format!(
                    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tanist\r\nAccept: */*\r\nConnection: close\r\n\r\n"
                ),
                statuses: statuses.clone(),
            },
            ServiceCheck::Tcp { address } => Self::Tcp { address: *address },
            ServiceCheck::Process { name } => Self::Process { name: name.clone() },
            ServiceCheck::File { path, max_age } => Self::File { path: path.clone(), max_age: *max_age },
            ServiceCheck::Notify => Self::Notify { within: timeout },
            ServiceCheck::Script(_) => return None,
        })
    }
}

/// A program of a service: how it is made, and what came of it last. A program that was not there at the start may
/// be there now, and the other way round, so it can be made anew.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) command: Command,
    user: Option<ScriptUser>,
    kind: RecipeKind,
    workshop: Arc<Workshop>,
    made: Mutex<Result<Arc<Program>, String>>,
}

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecipeKind {
    /// It is the service: it says what it says where we do, and dies with its keeper.
    Service,
    /// It does something for a service and ends, at the latest with us.
    ServiceScript,
    /// As that, but only for the active node: it does not outlive us even if it wants to.
    TimedScript,
    /// It ends a service, and does so whatever becomes of us.
    StopScript,
    /// It does something for somebody else and ends.
    Script,
}

impl PartialEq for Recipe {
    fn eq(&self, other: &Self) -> bool {
        (&self.command, &self.user, self.kind) == (&other.command, &other.user, other.kind)
    }
}

impl Recipe {
    /// With what is to be said about it, if it may run.
    pub(crate) fn make(workshop: &Arc<Workshop>, script: &NotifyScript, kind: RecipeKind) -> (Self, Option<String>) {
        let made = workshop.make(&script.command, script.user.as_ref(), kind);
        let (made, warning) = match made {
            Ok((program, warning)) => (Ok(Arc::new(program)), warning),
            Err(reason) => (Err(reason), None),
        };
        let recipe = Self {
            command: script.command.clone(),
            user: script.user.clone(),
            kind,
            workshop: Arc::clone(workshop),
            made: Mutex::new(made),
        };
        (recipe, warning)
    }

    /// Looks at everything again, which may take long. What it finds is used from now on.
    pub(crate) fn renew(&self) -> Result<(), String> {
        let made = self.workshop.make(&self.command, self.user.as_ref(), self.kind);
        let mut place = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match made {
            Ok((program, _)) => {
                *place = Ok(Arc::new(program));
                Ok(())
            }
            Err(reason) => {
                *place = Err(reason.clone());
                Err(reason)
            }
        }
    }

    /// The program, or why it may not run.
    pub(crate) fn program(&self) -> Result<Arc<Program>, String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For people.
    pub(crate) fn label(&self) -> String {
        words_for(&self.command)
    }
}
