//! `tanist status`: both nodes on one screen, once or again and again.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use api::{Ask, Outcome, ProtectionState, Role, Status};
use clap::Args;

use crate::connection::{Connection, PATIENCE};
use crate::{Exit, Failure, Socket, put, say, screen};

/// From one picture to the next; also how long an answer may take before the old picture is shown with its age.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct Arguments {
    /// Print it for programs
    #[arg(long, conflicts_with = "check")]
    json: bool,
    /// Show it again every second
    #[arg(long, conflicts_with = "check")]
    watch: bool,
    /// One line, and the exit status of a Nagios plugin
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    socket: Socket,
}

pub(crate) fn run(arguments: &Arguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    if arguments.check {
        return check(&arguments.socket, output);
    }
    if arguments.watch {
        return watch(arguments, output);
    }
    let mut connection = Connection::open(&arguments.socket.path)?;
    let status = status(&mut connection, PATIENCE)?;
    if arguments.json {
        json(&status, true, output)?
    } else {
        put(output, screen(&status, Duration::ZERO).trim_end())?
    }
    Ok(Exit::Done)
}

pub(crate) fn status(connection: &mut Connection, patience: Duration) -> Result<Box<Status>, Failure> {
    match connection.ask_within(Ask::Status, patience)? {
        Outcome::Status(status) => Ok(status),
        _ => Err(Failure::new(Exit::NoDaemon, "the daemon answered something that was not asked")),
    }
}

fn json(status: &Status, pretty: bool, output: &mut dyn Write) -> Result<(), Failure> {
    let text = if pretty { serde_json::to_string_pretty(status) } else { serde_json::to_string(status) };
    let text = text.map_err(|error| Failure::new(Exit::Usage, format!("write the status: {error}")))?;
    put(output, &text)
}

/// A daemon that does not answer is said to be silent, not shown as it was.
fn watch(arguments: &Arguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    let mut connection = Some(Connection::open(&arguments.socket.path)?);
    let mut last: Option<(Box<Status>, Instant)> = None;
    let redraw = std::io::stdout().is_terminal();
    loop {
        let began = Instant::now();
        let mut failure = None;
        let asked = match connection.take() {
            Some(connection) => Ok(connection),
            None => Connection::open_within(&arguments.socket.path, PERIOD),
        };
        match asked.and_then(|mut open| status(&mut open, PERIOD).map(|status| (open, status))) {
            Ok((open, status)) => {
                connection = Some(open);
                if arguments.json {
                    json(&status, false, output)?;
                }
                last = Some((status, Instant::now()));
            }
            Err(error) => failure = Some(error),
        }
        if !arguments.json {
            let mut picture = String::new();
            if redraw {
                // Home, and everything from there on away.
                picture.push_str("\x1b[H\x1b[J");
            }
            if let Some(failure) = &failure {
                picture.push_str(&format!("{failure}\n\n"));
            }
            if let Some((status, at)) = &last {
                picture.push_str(&screen(status, at.elapsed()));
            }
            put(output, &picture)?;
        } else if let Some(failure) = failure {
            eprintln!("tanist: {failure}");
        }
        std::thread::sleep(PERIOD.saturating_sub(began.elapsed()));
    }
}

fn check(socket: &Socket, output: &mut dyn Write) -> Result<Exit, Failure> {
    let asked = Connection::open(&socket.path).and_then(|mut connection| status(&mut connection, PATIENCE));
    let (exit, line) = match asked {
        Ok(status) => verdict(&status),
        Err(failure) => (Exit::NoDaemon, format!("TANIST UNKNOWN: {failure}")),
    };
    say(output, &line)?;
    Ok(exit)
}

/// In the words and numbers of a Nagios plugin.
fn verdict(status: &Status) -> (Exit, String) {
    let (exit, word, state) = match status.protection.state {
        ProtectionState::Protected => (Exit::Done, "OK", "protected"),
        ProtectionState::Unknown => (Exit::Done, "OK", "nothing wrong here"),
        ProtectionState::Degraded => (Exit::Refused, "WARNING", "degraded"),
        ProtectionState::Maintenance => (Exit::Refused, "WARNING", "maintenance"),
        ProtectionState::Unprotected => (Exit::Usage, "CRITICAL", "unprotected"),
        ProtectionState::Latched => (Exit::Usage, "CRITICAL", "latched"),
    };
    let details = if status.protection.reasons.is_empty() {
        let role = |role| match role {
            Role::Master => "MASTER",
            Role::Backup => "BACKUP",
            Role::Fault => "FAULT",
            Role::Init => "INIT",
        };
        let roles = status.instances.iter().map(|instance| format!("{} {}", instance.name, role(instance.role)));
        format!("{} on {}", roles.collect::<Vec<_>>().join(", "), status.node)
    } else {
        status.protection.reasons.join(" - ")
    };
    (exit, format!("TANIST {word}: {state}: {details}"))
}
