//! What a configuration means, with every default resolved: the last stage before the engine's `Config`.
//!
//! The engine gets the part it decides by; commands, users and mail stay here for the daemon.

use std::path::PathBuf;

/// A whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What concerns the whole daemon.
    pub global: Global,
    /// Checks that at least one instance refers to, in the order of the file.
    pub scripts: Vec<Script>,
    /// Virtual routers in the order of the file.
    pub instances: Vec<Instance>,
    /// Every file that was read, the first one first.
    pub files: Vec<PathBuf>,
}

impl Settings {
    /// The part that the engine decides by.
    #[must_use]
    pub fn engine_config(&self) -> engine::Config {
        engine::Config {
            scripts: self.scripts.iter().map(|script| script.checking.clone()).collect(),
            routers: self.instances.iter().map(|instance| instance.router.clone()).collect(),
        }
    }
}

/// What concerns the whole daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Global {
    /// `router_id`; `None` means the host name.
    pub router_id: Option<String>,
    /// `script_user`: who runs scripts that name no user of their own; `None` means `keepalived_script` if
    /// that user exists, otherwise root.
    pub script_user: Option<ScriptUser>,
    /// `enable_script_security`: refuse to run as root what others could have changed.
    pub enable_script_security: bool,
    /// Where mail would go. Nothing sends mail yet.
    pub mail: Mail,
}

/// The mail settings of `global_defs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// `notification_email`.
    pub recipients: Vec<String>,
    /// `notification_email_from`; `None` means user@host.
    pub sender: Option<String>,
    /// `smtp_server`: host and port.
    pub server: Option<(String, u16)>,
    /// `smtp_connect_timeout` in seconds.
    pub connect_timeout: Option<u32>,
    /// `smtp_helo_name`; `None` means the host name.
    pub helo_name: Option<String>,
}

/// A `vrrp_script`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// When it runs and how its results are weighed.
    pub checking: engine::ScriptConfig,
    /// What it runs.
    pub command: Command,
    /// Who runs it; `None` means as [`Global::script_user`] says.
    pub user: Option<ScriptUser>,
}

/// The user (and group) that a script runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptUser {
    /// Name or number.
    pub user: String,
    /// Name or number; `None` means the user's own group.
    pub group: Option<String>,
}

/// What a check or a notification runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments; never empty.
    Program(Vec<String>),
    /// A line for `sh -c`, because it contains what only a shell understands.
    Shell(String),
    /// No program: good if this file can be opened for reading (`script "</path"`).
    ReadFile(PathBuf),
}

/// A script that is told about a change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyScript {
    /// What it runs.
    pub command: Command,
    /// Who runs it; `None` means as [`Global::script_user`] says.
    pub user: Option<ScriptUser>,
}

/// A `vrrp_instance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The virtual router as the engine sees it.
    pub router: engine::RouterConfig,
    /// What `state` said, if it was there. It does not decide the role; see the manual.
    pub stated: Option<StatedRole>,
    /// Accept_Mode (RFC 9568 §6.1): packets to the addresses are let through. Always so at an address owner.
    pub accept_mode: bool,
    /// Who is told about changes of state.
    pub notify: Notify,
}

/// The operator's wish for the initial role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedRole {
    /// `state MASTER`.
    Active,
    /// `state BACKUP`.
    Backup,
}

/// The notify scripts of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// `notify_master`.
    pub active: Option<NotifyScript>,
    /// `notify_backup`.
    pub backup: Option<NotifyScript>,
    /// `notify_fault`.
    pub fault: Option<NotifyScript>,
    /// `notify_stop`.
    pub stop: Option<NotifyScript>,
    /// `notify_deleted`; without it a deleted instance is told as FAULT.
    pub deleted: Option<NotifyScript>,
    /// `notify_master_rx_lower_pri`.
    pub active_heard_lower_priority: Option<NotifyScript>,
    /// `notify`: told of every change, with four more arguments.
    pub any: Option<NotifyScript>,
}
