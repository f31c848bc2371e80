//! `tanist ack`, `hold`, `release` and `maintenance`: what is done at once.

use std::io::Write;
use std::time::Duration;

use api::{Ask, CommandResult, Commanded, Maintenance, Outcome, Refusal, span};
use clap::{Args, Subcommand};

use crate::connection::Connection;
use crate::{Exit, Failure, Socket, say};

#[derive(Debug, Args)]
pub struct AckArguments {
    #[command(flatten)]
    socket: Socket,
}

#[derive(Debug, Args)]
pub struct InstanceArguments {
    /// Only this instance; without it, all
    #[arg(value_name = "INSTANCE")]
    instance: Option<String>,
    #[command(flatten)]
    socket: Socket,
}

#[derive(Debug, Args)]
pub struct MaintenanceArguments {
    #[command(subcommand)]
    what: MaintenanceCommand,
}

#[derive(Debug, Subcommand)]
enum MaintenanceCommand {
    /// From now on, nothing happens by itself on either node
    On {
        /// End by itself after so long: 90s, 30m, 2h, 1d
        #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
        span: Option<Duration>,
        #[command(flatten)]
        socket: Socket,
    },
    /// Maintenance is over
    Off {
        #[command(flatten)]
        socket: Socket,
    },
}

pub(crate) fn acknowledge(arguments: &AckArguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    command(&arguments.socket, Ask::Ack, "acknowledged: nothing is latched any more", output)
}

pub(crate) fn hold(arguments: &InstanceArguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    let ask = Ask::Hold { instance: arguments.instance.clone() };
    command(&arguments.socket, ask, "this node stands back until `tanist release`", output)
}

pub(crate) fn release(arguments: &InstanceArguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    let ask = Ask::Release { instance: arguments.instance.clone() };
    command(&arguments.socket, ask, "this node no longer stands back on an operator's behalf", output)
}

pub(crate) fn maintenance(arguments: &MaintenanceArguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.what {
        MaintenanceCommand::On { span: length, socket } => {
            let ask = Ask::Maintenance(Maintenance::On { for_s: length.map(|length| length.as_secs()) });
            let until = length
                .map_or_else(|| "until `tanist maintenance off`".to_owned(), |length| format!("for {}", span(length)));
            command(socket, ask, &format!("maintenance: nothing happens by itself {until}"), output)
        }
        MaintenanceCommand::Off { socket } => {
            command(socket, Ask::Maintenance(Maintenance::Off), "maintenance is over", output)
        }
    }
}

fn command(socket: &Socket, ask: Ask, done: &str, output: &mut dyn Write) -> Result<Exit, Failure> {
    let mut connection = Connection::open(&socket.path)?;
    let mut exit = Exit::Done;
    for Commanded { instance, result } in commanded(&mut connection, ask)? {
        let scope = scope(instance.as_deref());
        match result {
            CommandResult::Done => say(output, &format!("{scope}{done}"))?,
            CommandResult::Begun => say(output, &format!("{scope}{done}; the role moves, see `tanist events`"))?,
            CommandResult::Would { .. } => say(output, &format!("{scope}would be done"))?,
            CommandResult::Refused { reason, text } => {
                exit = refused(reason);
                say(output, &format!("{scope}refused: {text}"))?;
            }
        }
    }
    Ok(exit)
}

/// What became of a command, for each instance that it concerns.
pub(crate) fn commanded(connection: &mut Connection, ask: Ask) -> Result<Vec<Commanded>, Failure> {
    match connection.ask(ask)? {
        Outcome::Commanded(results) => Ok(results),
        _ => Err(Failure::new(Exit::NoDaemon, "the daemon answered something that was not asked")),
    }
}

pub(crate) fn scope(instance: Option<&str>) -> String {
    instance.map_or_else(String::new, |instance| format!("{instance}: "))
}

/// How a refused command ends: all the same, but for a daemon that is about to be gone.
pub(crate) fn refused(reason: Refusal) -> Exit {
    match reason {
        Refusal::Stopping => Exit::NoDaemon,
        Refusal::NoSuchInstance
        | Refusal::PeerSilent
        | Refusal::NoPeer
        | Refusal::NotReady
        | Refusal::NotStandby
        | Refusal::NobodyActive
        | Refusal::Latched
        | Refusal::Busy => Exit::Refused,
    }
}

/// `90s`, `30m`, `2h`, `1d`. A bare number is no span: nobody would agree on its unit.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no span of time; write 90s, 30m, 2h or 1d");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        Some(_) | None => return Err(wrong()),
    };
    // The unit is one octet long.
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match number.checked_mul(unit) {
        Some(seconds @ 1..=31_536_000) => Ok(Duration::from_secs(seconds)),
        Some(_) | None => Err("between 1s and 365d, please".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        for (text, expected) in [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400), ("365d", 31_536_000)] {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(expected)), "{text}");
        }
        for text in ["", "2", "h", "2 h", "-2h", "2w", "0s", "366d", "99999999999999999999h", "2ü"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
