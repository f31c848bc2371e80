//! What the command line decides about a daemon.

use std::collections::BTreeSet;
use std::path::PathBuf;

use config::{LoadOptions, Part};

use crate::confinement::Confine;
use crate::control::ControlPlace;

/// Where latches, roles and maintenance are remembered.
pub const STATE_DIRECTORY: &str = "/var/lib/tanist";

/// How a daemon is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration file.
    pub config: PathBuf,
    /// How it is read.
    pub reading: Reading,
    /// Where log lines go.
    pub log: LogOptions,
    /// Files that hold our process id while we run.
    pub pid_files: PidFiles,
    /// Go to the background once the configuration was found good.
    pub background: bool,
    /// Stop in order when the process that started us dies.
    pub die_with_parent: bool,
    /// Write the whole configuration to the log at start.
    pub dump_config: bool,
    /// Where operators' programs ask.
    pub control: ControlPlace,
    /// Where the record is kept that the next life needs; `None` means nowhere.
    pub state_directory: Option<PathBuf>,
    /// The network namespace to run in, whatever the configuration says.
    pub network_namespace: Option<String>,
    /// Which permissions new files do not get, whatever the configuration says.
    pub umask: Option<u32>,
    /// `SIGINT` is for others, for instance because the terminal is shared with them.
    pub ignore_interrupt: bool,
    /// Tell of each address that comes or goes on this machine.
    pub tell_addresses: bool,
    /// Let the kernel write an image of the process if it crashes.
    pub core_dumps: bool,
    /// What it takes away from itself.
    pub confine: Confine,
    /// What is to be said about the command line itself.
    pub remarks: Vec<String>,
}

/// How a configuration is read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Decides the `@id` lines; `None` means the host name.
    pub config_id: Option<String>,
    /// Parts that are left out.
    pub without: BTreeSet<Part>,
    /// Every file that is included must be there.
    pub all_files: bool,
}

impl Reading {
    /// In the words of who reads it.
    #[must_use]
    pub fn load_options(&self) -> LoadOptions {
        let Self { config_id, without, all_files } = self.clone();
        LoadOptions { config_id, without, all_files }
    }
}

/// Where log lines go; several at once are possible.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// The name under which we log.
    pub identity: String,
    /// Standard error.
    pub stderr: bool,
    /// syslog with this facility (3: daemon).
    pub syslog: Option<u8>,
    /// journald, directly.
    pub journal: bool,
    /// Lines are added to this file.
    pub file: Option<PathBuf>,
    /// Tell everything, also what a quiet night does not need.
    pub detail: bool,
}

/// Where pid files are; none unless asked for. We refuse to start if the process of one of them lives.
#[derive(Clone, Debug, Default)]
pub struct PidFiles {
    /// Exactly here.
    pub paths: Vec<PathBuf>,
    /// By keepalived's rules, which depend on the configuration: `keepalived`, `vrrp`.
    pub named: Vec<&'static str>,
}
