//! `tanist run`: the daemon in the foreground.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use daemon::control::ControlPlace;
use daemon::{Confine, LogOptions, Options, PidFiles, Reading, STATE_DIRECTORY};

use crate::parts::Without;

/// Where the configuration is unless the command line says otherwise: ours first, then keepalived's.
const CONFIGURATIONS: [&str; 2] = ["/etc/tanist/tanist.conf", "/etc/keepalived/keepalived.conf"];
/// syslog's number for daemons.
pub(crate) const FACILITY_DAEMON: u8 = 3;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Configuration file; without it /etc/tanist/tanist.conf, then /etc/keepalived/keepalived.conf
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Identity for the `@` lines of the configuration; without it the host name
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
    /// Where log lines go; may be given several times
    #[arg(long, value_enum, value_name = "WHERE")]
    log: Vec<LogTarget>,
    /// Tell more in the log: every announcement, every result of a check
    #[arg(short = 'D', long)]
    log_detail: bool,
    /// Write our process id to this file; a stale one never blocks a start
    #[arg(short = 'p', long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Where `tanist status` and its like ask this daemon; `none` for nowhere
    #[arg(long, value_name = "SOCKET", default_value = "/run/tanist/control.sock")]
    control: ControlPlace,
    /// Where latches, roles and maintenance are remembered across restarts; `none` for nowhere
    #[arg(long, value_name = "DIRECTORY", default_value = STATE_DIRECTORY)]
    state_dir: PathBuf,
    /// Stop in order when the process that started us ends
    #[arg(long)]
    die_with_parent: bool,
    /// Run in this network namespace, whatever the configuration says
    #[arg(short = 's', long, value_name = "NAME")]
    namespace: Option<String>,
    /// What the daemon takes away from itself once it has started: `all`, `none`, or some of capabilities, memory,
    /// no-new-privileges, seccomp, landlock (the last three hold for scripts and services, too)
    #[arg(long, value_name = "WHAT", default_value_t = Confine::default())]
    confine: Confine,
    #[command(flatten)]
    without: Without,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogTarget {
    /// Standard error
    Stderr,
    /// The syslog daemon at /dev/log
    Syslog,
    /// The systemd journal
    Journal,
    /// Nowhere
    None,
}

pub(crate) fn main(arguments: Arguments) -> ExitCode {
    let config = arguments.file.unwrap_or_else(|| find_configuration(&CONFIGURATIONS));
    let wants = |target| arguments.log.contains(&target);
    let by_default = arguments.log.is_empty();
    let journal = wants(LogTarget::Journal) || (by_default && linux_stderr_is_journal());
    daemon::run(Options {
        config,
        reading: Reading { config_id: arguments.config_id, without: arguments.without.parts(), all_files: false },
        log: LogOptions {
            identity: "tanist".to_owned(),
            stderr: wants(LogTarget::Stderr) || (by_default && !journal),
            syslog: wants(LogTarget::Syslog).then_some(FACILITY_DAEMON),
            journal,
            file: None,
            detail: arguments.log_detail,
        },
        pid_files: PidFiles { paths: arguments.pid_file.into_iter().collect(), named: Vec::new() },
        background: false,
        die_with_parent: arguments.die_with_parent,
        dump_config: false,
        control: arguments.control,
        state_directory: (arguments.state_dir.as_os_str() != "none").then_some(arguments.state_dir),
        network_namespace: arguments.namespace,
        umask: None,
        ignore_interrupt: false,
        tell_addresses: false,
        core_dumps: false,
        confine: arguments.confine,
        remarks: Vec::new(),
    })
    .into()
}

fn linux_stderr_is_journal() -> bool {
    !std::io::stderr().is_terminal() && daemon::stderr_is_journal()
}

/// The first one that exists; if none does, the first one, so that the message names it.
pub(crate) fn find_configuration(places: &[&str]) -> PathBuf {
    let found = places.iter().find(|place| std::path::Path::new(place).exists());
    PathBuf::from(found.or(places.first()).copied().unwrap_or_default())
}
