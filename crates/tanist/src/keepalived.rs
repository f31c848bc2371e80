//! Started under the name `keepalived`: its options, its files, its way to the background.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Parser};
use daemon::control::ControlPlace;
use daemon::{LogOptions, Options, PidFiles};

use crate::check;
use crate::run::{FACILITY_DAEMON, STATE_DIRECTORY};

const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";
const PID_FILE: &str = "/run/keepalived.pid";
const VRRP_PID_FILE: &str = "/run/vrrp.pid";

/// Tanist in the place of keepalived: same configuration, same protocol, same files and signals.
#[derive(Debug, Parser)]
#[command(name = "keepalived", disable_version_flag = true)]
pub(crate) struct CommandLine {
    /// Use this configuration file
    #[arg(short = 'f', long, value_name = "FILE", default_value = CONFIGURATION)]
    use_file: PathBuf,
    /// Only run the VRRP part (Tanist has no other)
    #[arg(short = 'P', long)]
    vrrp: bool,
    /// Stay in the foreground
    #[arg(short = 'n', long)]
    dont_fork: bool,
    /// A part that dies ends the daemon (Tanist is one process, so it always does)
    #[arg(short = 'R', long)]
    dont_respawn: bool,
    /// Also log to the console
    #[arg(short = 'l', long)]
    log_console: bool,
    /// Log in detail; may be given several times
    #[arg(short = 'D', long, action = ArgAction::Count)]
    log_detail: u8,
    /// Write the configuration to the log
    #[arg(short = 'd', long)]
    dump_conf: bool,
    /// Do not log to syslog
    #[arg(short = 'G', long)]
    no_syslog: bool,
    /// syslog facility: 0 to 7, local0 to local7, user or daemon
    #[arg(short = 'S', long, value_name = "FACILITY", value_parser = facility)]
    log_facility: Option<u8>,
    /// Check the configuration and exit; the findings go to a file if one is named
    #[arg(short = 't', long, value_name = "LOGFILE", num_args = 0..=1, require_equals = true)]
    config_test: Option<Option<PathBuf>>,
    /// Identity for the `@` lines of the configuration
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
    /// Process id file of the daemon
    #[arg(short = 'p', long, value_name = "FILE", default_value = PID_FILE)]
    pid: PathBuf,
    /// Process id file of the VRRP part
    #[arg(short = 'r', long = "vrrp_pid", value_name = "FILE", default_value = VRRP_PID_FILE)]
    vrrp_pid: PathBuf,
    /// Process id file of the checker part (there is none, so it is not written)
    #[arg(short = 'c', long = "checkers_pid", value_name = "FILE")]
    checkers_pid: Option<PathBuf>,
    /// Process id file of the BFD part (there is none, so it is not written)
    #[arg(short = 'b', long = "bfd_pid", value_name = "FILE")]
    bfd_pid: Option<PathBuf>,
    /// Print the version
    #[arg(short = 'v', long)]
    version: bool,
}

pub(crate) fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    if arguments.version {
        // The first word is what scripts that ask a keepalived for its version look at.
        println!("Keepalived-compatible Tanist v{}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if let Some(log) = arguments.config_test {
        let findings = check::check(&arguments.use_file, arguments.config_id, true);
        let written = match log {
            Some(file) => {
                std::fs::write(&file, &findings.plain).map_err(|error| format!("{}: {error}", file.display()))
            }
            None => {
                check::print(&findings);
                Ok(())
            }
        };
        return match written {
            Ok(()) => ExitCode::from(findings.status),
            Err(reason) => {
                eprintln!("keepalived: write {reason}");
                ExitCode::FAILURE
            }
        };
    }
    let log = LogOptions {
        identity: "Keepalived_vrrp".to_owned(),
        stderr: arguments.log_console,
        syslog: (!arguments.no_syslog).then_some(arguments.log_facility.unwrap_or(FACILITY_DAEMON)),
        journal: false,
        detail: arguments.log_detail > 0,
    };
    daemon::run(Options {
        config: arguments.use_file,
        config_id: arguments.config_id,
        log,
        pid_files: PidFiles { paths: vec![arguments.pid, arguments.vrrp_pid] },
        background: !arguments.dont_fork,
        die_with_parent: false,
        dump_config: arguments.dump_conf,
        control: ControlPlace::default(),
        state_directory: Some(STATE_DIRECTORY.into()),
    })
    .into()
}

/// Facilities as keepalived names them, and their numbers.
fn facility(text: &str) -> Result<u8, String> {
    const LOCAL_0: u8 = 16;
    let local = text.strip_prefix("local").unwrap_or(text);
    match (text, local.parse::<u8>()) {
        ("user", _) => Ok(1),
        ("daemon", _) => Ok(FACILITY_DAEMON),
        (_, Ok(number @ 0..=7)) => Ok(LOCAL_0 + number),
        _ => Err(format!("`{text}` is no facility; use 0 to 7, local0 to local7, user or daemon")),
    }
}
