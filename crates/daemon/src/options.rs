//! What the command line decides about a daemon.

use std::path::PathBuf;

use crate::control::ControlPlace;

/// How a daemon is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration file.
    pub config: PathBuf,
    /// Decides the `@id` lines of the configuration; `None` means the host name.
    pub config_id: Option<String>,
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
    /// Tell everything, also what a quiet night does not need.
    pub detail: bool,
}

/// Where pid files are; none unless asked for.
#[derive(Clone, Debug, Default)]
pub struct PidFiles {
    /// Refuse to start if the process of one of these lives.
    pub paths: Vec<PathBuf>,
}
