//! Started under the name `keepalived`: its options, its files, its way to the background.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, Parser};
use config::Part;
use daemon::control::ControlPlace;
use daemon::{Confine, LogOptions, Options, PidFiles, Reading, STATE_DIRECTORY};

use crate::check;
use crate::parts::Without;
use crate::run::FACILITY_DAEMON;

const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";
/// Of a test that finds an error.
const CANNOT_BE_USED: u8 = 5;
const LOG_FILE: &str = "/tmp/keepalived.log";

/// Tanist in the place of keepalived: same configuration, same protocol, same files and signals.
// As getopt reads: the last one counts of what is said several times, and long options may be cut short.
#[derive(Debug, Parser)]
#[command(name = "keepalived", disable_version_flag = true, args_override_self = true, infer_long_args = true)]
pub(crate) struct CommandLine {
    /// Use this configuration file, or all files that match this pattern
    #[arg(short = 'f', long, value_name = "FILE", default_value = CONFIGURATION)]
    use_file: PathBuf,
    /// Only run the VRRP part: virtual servers and BFD are left out of the configuration
    #[arg(short = 'P', long)]
    vrrp: bool,
    /// Only run the part that checks virtual servers; with -P both (Tanist has no such part)
    #[arg(short = 'C', long)]
    check: bool,
    /// Do not run the BFD part: it is left out of the configuration
    #[arg(short = 'B', long = "no_bfd")]
    no_bfd: bool,
    /// Run every part (Tanist is one process, so it always does)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    without: Without,
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
    /// Also log to a file
    #[arg(short = 'g', long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = LOG_FILE)]
    log_file: Option<PathBuf>,
    /// Write each line to the log file at once (always so)
    #[arg(long)]
    flush_log_file: bool,
    /// Check the configuration and exit; the findings go to a file if one is named
    #[arg(short = 't', long, value_name = "LOGFILE", num_args = 0..=1, require_equals = true)]
    config_test: Option<Option<PathBuf>>,
    /// Identity for the `@` lines of the configuration
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
    /// Every file that the configuration includes must be there and readable
    #[arg(short = 'e', long)]
    all_config: bool,
    /// Leave the addresses in place at the end (Tanist does not: nobody would advertise them, and two nodes could have
    /// them)
    #[arg(short = 'V', long)]
    dont_release_vrrp: bool,
    /// Leave virtual servers in place at the end (there are none)
    #[arg(short = 'I', long)]
    dont_release_ipvs: bool,
    /// Let the addresses go at the end (always so)
    #[arg(short = 'X', long)]
    release_vips: bool,
    /// Process id file of the daemon [default: /run/keepalived.pid, or as `instance` and `use_pid_dir` say]
    #[arg(short = 'p', long, value_name = "FILE")]
    pid: Option<PathBuf>,
    /// Process id file of the VRRP part [default: /run/vrrp.pid, or as `instance` and `use_pid_dir` say]
    #[arg(short = 'r', long = "vrrp_pid", value_name = "FILE")]
    vrrp_pid: Option<PathBuf>,
    /// Process id file of the checker part (there is none, so it is not written)
    #[arg(short = 'c', long = "checkers_pid", value_name = "FILE")]
    checkers_pid: Option<PathBuf>,
    /// Process id file of the BFD part (there is none, so it is not written)
    #[arg(short = 'b', long = "bfd_pid", value_name = "FILE")]
    bfd_pid: Option<PathBuf>,
    /// Run in this network namespace, whatever the configuration says
    #[arg(short = 's', long, value_name = "NAME")]
    namespace: Option<String>,
    /// Offer SNMP (not built: it is an error, unless SNMP is left out)
    #[arg(short = 'x', long)]
    snmp: bool,
    /// Where the SNMP master listens (not built)
    #[arg(short = 'A', long, value_name = "SOCKET")]
    snmp_agent_socket: Option<String>,
    /// Log each address that comes or goes on this machine
    #[arg(short = 'a', long)]
    address_monitoring: bool,
    /// Let the kernel write an image of the process if it crashes
    #[arg(short = 'm', long)]
    core_dump: bool,
    /// The same (Tanist leaves the kernel's pattern for their names alone: it is the whole machine's)
    #[arg(short = 'M', long, value_name = "PATTERN", num_args = 0..=1, require_equals = true)]
    core_dump_pattern: Option<Option<String>>,
    /// Mask for the files that are made, as a number in C; it beats the configuration's
    #[arg(short = 'u', long, value_name = "MASK", value_parser = umask)]
    umask: Option<u32>,
    /// Record for the program perf (Tanist does not: perf can look at it as at any other)
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true)]
    perf: Option<Option<String>>,
    /// Debug parts of the program (Tanist has no such switches, and logs in detail instead)
    #[arg(long, value_name = "OPTIONS", num_args = 0..=1, require_equals = true)]
    debug: Option<Option<String>>,
    /// Do not check each use of memory (never done)
    #[arg(long)]
    no_mem_check: bool,
    /// Words that belong to no option (no effect)
    #[arg(hide = true)]
    unexpected: Vec<OsString>,
    /// A switch of builds of keepalived for its developers (no effect)
    #[arg(short = 'L', hide = true)]
    switch_l: bool,
    /// A switch of builds of keepalived for its developers (no effect)
    #[arg(short = 'O', hide = true)]
    switch_o: bool,
    /// How keepalived's processes hand on the configuration (no effect: there is one process, which reads the file)
    #[arg(long, value_name = "NUMBER", hide = true)]
    config_fd: Option<String>,
    /// What the daemon takes away from itself once it has started: `all`, `none`, or some of capabilities, memory,
    /// no-new-privileges, seccomp, landlock (the last three hold for scripts and services, too)
    #[arg(long, value_name = "WHAT", default_value_t = Confine::default())]
    confine: Confine,
    /// SIGINT does not stop the daemon
    #[arg(long)]
    ignore_sigint: bool,
    /// Print the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON
    #[arg(long, value_name = "NAME")]
    signum: Option<String>,
    /// Print the digest of a web page (not built)
    #[arg(short = 'T', long)]
    genhash: bool,
    /// Print the version
    #[arg(short = 'v', long)]
    version: bool,
}

pub(crate) fn main() -> ExitCode {
    let arguments = match CommandLine::try_parse_from(as_getopt_reads(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // If nobody can read it, nobody can be told.
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    if !arguments.unexpected.is_empty() {
        let words = arguments.unexpected.join(std::ffi::OsStr::new(" "));
        eprintln!("Unexpected argument(s): {}", words.display());
    }
    if arguments.version {
        // The first word is what scripts that ask a keepalived for its version look at.
        println!("Keepalived-compatible Tanist v{}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if let Some(name) = &arguments.signum {
        return match daemon::signal_number(name) {
            Some(number) => {
                println!("{number}");
                ExitCode::SUCCESS
            }
            None => refuse(&format!(
                "there is no signal {name}: STOP, RELOAD, DATA, STATS, STATS_CLEAR and JSON have numbers"
            )),
        };
    }
    if let Some(reason) = what_cannot_be_done(&arguments) {
        return refuse(reason);
    }
    let reading = Reading {
        config_id: arguments.config_id.clone(),
        without: left_out(&arguments),
        all_files: arguments.all_config,
    };
    if let Some(log) = arguments.config_test {
        return test(&arguments.use_file, &reading, log.as_deref());
    }
    let remarks = remarks(&arguments);
    let log = LogOptions {
        identity: "Keepalived_vrrp".to_owned(),
        stderr: arguments.log_console,
        syslog: (!arguments.no_syslog).then_some(arguments.log_facility.unwrap_or(FACILITY_DAEMON)),
        journal: false,
        file: arguments.log_file,
        detail: arguments.log_detail > 0 || arguments.debug.is_some(),
    };
    let mut pid_files = PidFiles::default();
    for (chosen, usual) in [(arguments.pid, "keepalived"), (arguments.vrrp_pid, "vrrp")] {
        match chosen {
            Some(path) => pid_files.paths.push(path),
            None => pid_files.named.push(usual),
        }
    }
    daemon::run(Options {
        config: arguments.use_file,
        reading,
        log,
        pid_files,
        background: !arguments.dont_fork,
        die_with_parent: false,
        dump_config: arguments.dump_conf,
        control: ControlPlace::default(),
        state_directory: Some(STATE_DIRECTORY.into()),
        network_namespace: arguments.namespace,
        umask: arguments.umask,
        ignore_interrupt: arguments.ignore_sigint,
        tell_addresses: arguments.address_monitoring,
        core_dumps: arguments.core_dump || arguments.core_dump_pattern.is_some(),
        confine: arguments.confine,
        remarks,
    })
    .into()
}

/// keepalived reads a value that may be missing right behind its letter: `-t/tmp/findings`.
fn as_getopt_reads(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const OPTIONAL: [(&str, &str); 3] = [("-t", "--config-test"), ("-g", "--log-file"), ("-M", "--core-dump-pattern")];
    let rewrite = |argument: OsString| {
        let Some(text) = argument.to_str() else { return argument };
        let long = OPTIONAL.iter().find_map(|(short, long)| {
            let value = text.strip_prefix(short).filter(|value| !value.is_empty())?;
            Some(format!("{long}={}", value.strip_prefix('=').unwrap_or(value)))
        });
        long.map_or_else(|| argument.clone(), OsString::from)
    };
    arguments.map(rewrite).collect()
}

/// What is asked for and is no part of Tanist, so that going on would be a lie.
fn what_cannot_be_done(arguments: &CommandLine) -> Option<&'static str> {
    if arguments.genhash {
        return Some("genhash is not built yet in this version of Tanist");
    }
    if arguments.check && !arguments.vrrp {
        return Some("-C asks for the checkers of virtual servers only, and Tanist has none: there is nothing to run");
    }
    let snmp = arguments.snmp && !arguments.without.without_snmp;
    snmp.then_some(
        "-x asks for SNMP, which is not built yet in this version of Tanist; --without-snmp goes on without it",
    )
}

/// The parts that are named on the command line run, all of them if none is named.
fn left_out(arguments: &CommandLine) -> BTreeSet<Part> {
    let mut parts = arguments.without.parts();
    if arguments.vrrp && !arguments.check {
        parts.insert(Part::VirtualServers);
    }
    if arguments.no_bfd || (arguments.vrrp && !arguments.all) {
        parts.insert(Part::Bfd);
    }
    parts
}

/// What is done otherwise than asked.
fn remarks(arguments: &CommandLine) -> Vec<String> {
    let remarks = [
        (
            arguments.dont_release_vrrp,
            "--dont-release-vrrp has no effect: an address that nobody advertises would soon be on two nodes",
        ),
        (
            arguments.core_dump_pattern.as_ref().is_some_and(Option::is_some),
            "--core-dump-pattern: the kernel's pattern is left alone, as it is the whole machine's; core dumps are allowed",
        ),
        (arguments.snmp_agent_socket.is_some(), "--snmp-agent-socket has no effect: there is no SNMP"),
        (arguments.perf.is_some(), "--perf has no effect: `perf record -p PID` looks at this process as at any other"),
        (
            arguments.debug.is_some(),
            "--debug: there are no switches for parts of the program; it logs in detail, as with -D",
        ),
        (arguments.switch_l, "-L has no effect: only keepalived's developers have builds that know it"),
        (arguments.switch_o, "-O has no effect: only keepalived's developers have builds that know it"),
        (
            arguments.config_fd.is_some(),
            "--config-fd has no effect: keepalived's processes use it among themselves; the file of -f is read",
        ),
    ];
    remarks.into_iter().filter(|(asked, _)| *asked).map(|(_, remark)| remark.to_owned()).collect()
}

/// `--config-test`.
fn test(file: &Path, reading: &Reading, log: Option<&Path>) -> ExitCode {
    let mut findings = check::check(file, reading, true);
    // Whoever tests before a start means this machine.
    if findings.loses_checks {
        findings.status = findings.status.max(CANNOT_BE_USED);
    }
    let Some(log) = log else {
        // Where keepalived says it.
        check::print(&findings, std::io::stderr());
        return ExitCode::from(findings.status);
    };
    let mut options = std::fs::OpenOptions::new();
    let opened = daemon::open_in_public(options.write(true).create(true).truncate(false).mode(0o600), log);
    // What has no length, a terminal for instance, needs not be emptied.
    let emptied = opened.inspect(|file| drop(file.set_len(0)));
    match emptied.and_then(|mut file| file.write_all(findings.plain.as_bytes())) {
        Ok(()) => ExitCode::from(findings.status),
        Err(error) => refuse(&format!("write {}: {error}", log.display())),
    }
}

fn refuse(reason: &str) -> ExitCode {
    eprintln!("keepalived: {reason}");
    ExitCode::FAILURE
}

fn umask(text: &str) -> Result<u32, String> {
    let mask = config::c_number(text).filter(|mask| *mask <= 0o777);
    mask.ok_or_else(|| format!("`{text}` is no mask of permissions; for instance 022"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> CommandLine {
        let words = ["keepalived"].into_iter().chain(line.split_whitespace()).map(OsString::from);
        CommandLine::try_parse_from(as_getopt_reads(words)).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn values_that_may_be_missing_stand_right_behind_their_letter() {
        let file = |line| read(line).config_test;
        assert_eq!(file("-D"), None);
        assert_eq!(file("-t -f a.conf"), Some(None));
        assert_eq!(file("--config-test"), Some(None));
        let named = Some(Some(PathBuf::from("/tmp/found")));
        assert_eq!(file("-t/tmp/found"), named);
        assert_eq!(file("-t=/tmp/found"), named);
        assert_eq!(file("--config-test=/tmp/found"), named);
        assert_eq!(read("-g -n").log_file, Some(PathBuf::from(LOG_FILE)));
        assert_eq!(read("-g/var/log/k").log_file, Some(PathBuf::from("/var/log/k")));
    }

    #[test]
    fn the_last_counts_of_what_is_said_several_times() {
        let twice = read("-n --dont-fork -l -l -f a.conf --use-file=b.conf -S 1 -S 2 -t/tmp/a -t -D -D --log-detail");
        assert!(twice.dont_fork && twice.log_console);
        assert_eq!(twice.use_file, Path::new("b.conf"));
        assert_eq!(twice.log_facility, Some(18));
        assert_eq!(twice.config_test, Some(None), "the last one names no file");
        assert_eq!(twice.log_detail, 3);
        assert_eq!(left_out(&read("--without-snmp --without-snmp")), BTreeSet::from([Part::Snmp]));
    }

    #[test]
    fn long_options_may_be_cut_short() {
        let short = read("--dont-f --use a.conf --vrrp_p=/run/v.pid --config-t=/tmp/found");
        assert!(short.dont_fork && !short.vrrp);
        assert_eq!(short.use_file, Path::new("a.conf"));
        assert_eq!(short.vrrp_pid, Some(PathBuf::from("/run/v.pid")));
        assert_eq!(short.config_test, Some(Some(PathBuf::from("/tmp/found"))));
        let exact = read("--vrrp");
        assert!(exact.vrrp && exact.vrrp_pid.is_none(), "a name that begins another one is still itself");
        for several in ["--vr", "--dont-re", "--log-f"] {
            let read = CommandLine::try_parse_from(["keepalived", several]);
            assert!(read.is_err(), "{several} can be several options");
        }
    }

    #[test]
    fn parts_are_left_out_as_keepalived_does_not_run_them() {
        let parts = |line| left_out(&read(line)).into_iter().collect::<Vec<_>>();
        assert_eq!(parts(""), []);
        assert_eq!(parts("-P"), [Part::VirtualServers, Part::Bfd]);
        assert_eq!(parts("-P -C"), [Part::Bfd]);
        assert_eq!(parts("-B"), [Part::Bfd]);
        assert_eq!(parts("--without-lvs --without-snmp"), [Part::VirtualServers, Part::Snmp]);
        assert_eq!(parts("-B --without-dbus"), [Part::Bfd, Part::Dbus]);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let refused = |line| what_cannot_be_done(&read(line)).is_some();
        assert!(refused("-C"));
        assert!(refused("-x"));
        assert!(refused("-T"));
        assert!(!refused("-P -C"));
        assert!(!refused("-x --without-snmp"));
    }

    #[test]
    fn what_is_done_otherwise_is_said() {
        assert_eq!(remarks(&read("-D -P -R -X -I")), Vec::<String>::new());
        assert_eq!(remarks(&read("-V -M=core.%p -A unix:/x")).len(), 3);
        assert_eq!(remarks(&read("-M")), Vec::<String>::new());
        assert_eq!(remarks(&read("--no-mem-check")), Vec::<String>::new());
        for line in ["--perf", "--perf=all", "--debug", "--debug=DvEcvNR", "-L", "-O", "--config-fd=5", "--config-fd 5"]
        {
            let said = remarks(&read(line)).concat();
            let option = line.split(['=', ' ']).next().expect("it has a name");
            assert!(said.starts_with(option), "{line}: {said}");
        }
    }

    #[test]
    fn masks_are_numbers_as_in_c() {
        assert_eq!(umask("022"), Ok(0o22));
        assert_eq!(umask("0x12"), Ok(0x12));
        assert!(umask("0x1g").is_err());
        assert!(umask("01000").is_err());
    }
}
