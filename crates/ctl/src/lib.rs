//! `tanist status`, `events`, `ack`, `release`, `hold`, `switch` and `maintenance`: clients of the control socket.
//!
//! What they print is for people, unless `--json` is given; how they end is for scripts, see [`Exit`].
#![forbid(unsafe_code)]

mod connection;
mod events;
mod orders;
mod screen;
mod status;
mod switch;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use connection::Connection;
pub use screen::screen;

use api::plain;

/// What `--help` says about how the commands end.
const EXIT_HELP: &str = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no daemon or no answer from it, \
    4 not allowed, 5 begun but not seen to end";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show both nodes: roles, services, what is protected and what is not
    #[command(
        after_help = "Exit status: 0 shown, 2 wrong usage, 3 no daemon or no answer from it, 4 not allowed. With --check: \
        0 protected (or mode vrrp and nothing wrong), 1 degraded or maintenance, 2 unprotected or latched, 3 not known"
    )]
    Status(status::Arguments),
    /// Show what has happened, and with --follow what happens
    #[command(after_help = EXIT_HELP)]
    Events(events::Arguments),
    /// Acknowledge: a human has seen to what was latched
    #[command(after_help = EXIT_HELP)]
    Ack(orders::AckArguments),
    /// Let this node take and keep the role again
    #[command(after_help = EXIT_HELP)]
    Release(orders::InstanceArguments),
    /// Make this node stand back while the other one can have the role
    #[command(after_help = EXIT_HELP)]
    Hold(orders::InstanceArguments),
    /// Move the role to the other node in order, and say what it cost
    #[command(after_help = EXIT_HELP)]
    Switch(switch::Arguments),
    /// Let nothing happen by itself on the pair, or let it happen again
    #[command(after_help = EXIT_HELP)]
    Maintenance(orders::MaintenanceArguments),
}

/// Where the daemon listens.
#[derive(Clone, Debug, Args)]
struct Socket {
    /// The daemon's control socket
    #[arg(long = "control", value_name = "PATH", default_value = api::SOCKET)]
    path: PathBuf,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The daemon does not do it; `--check`: a warning.
    Refused,
    /// The command line makes no sense; `--check`: critical.
    Usage,
    /// There is no daemon, or it does not answer.
    NoDaemon,
    /// This user may not do it.
    NotAllowed,
    /// It was begun, but its end was not seen.
    Unfinished,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not be carried out, and what could be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// For people.
    pub text: String,
}

impl Failure {
    fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may have been told so by whatever listens at the socket.
        f.write_str(&plain(&self.text))
    }
}

impl std::error::Error for Failure {}

/// Carries a subcommand out.
#[must_use]
pub fn main(command: &Command) -> ExitCode {
    match run(command, &mut std::io::stdout().lock()) {
        Ok(exit) => exit.into(),
        // Nobody reads what we print any more.
        Err(Failure { exit: Exit::Done, .. }) => Exit::Done.into(),
        Err(failure) => {
            eprintln!("tanist: {failure}");
            failure.exit.into()
        }
    }
}

/// Carries a subcommand out and writes what it has to say there.
pub fn run(command: &Command, output: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Command::Status(arguments) => status::run(arguments, output),
        Command::Events(arguments) => events::run(arguments, output),
        Command::Ack(arguments) => orders::acknowledge(arguments, output),
        Command::Release(arguments) => orders::release(arguments, output),
        Command::Hold(arguments) => orders::hold(arguments, output),
        Command::Switch(arguments) => switch::run(arguments, output),
        Command::Maintenance(arguments) => orders::maintenance(arguments, output),
    }
}

/// Writes a line for people, whoever has said what is in it.
fn say(output: &mut dyn Write, line: &str) -> Result<(), Failure> {
    put(output, &plain(line))
}

/// Writes what is for programs, or plain already, and ends the line. Whoever closed the pipe has read enough: that ends the
/// command well.
fn put(output: &mut dyn Write, text: &str) -> Result<(), Failure> {
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure::new(Exit::Done, "nobody reads any more");
        }
        Failure::new(Exit::NoDaemon, format!("write: {error}"))
    })
}
