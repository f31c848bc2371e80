//! `tanist events`: what has happened, and what happens.

use std::io::Write;
use std::time::Duration;

use api::{Ask, Event, Outcome, Severity};
use clap::Args;
use linux::local_time::LocalTime;

use crate::connection::{Connection, Happened};
use crate::{Exit, Failure, Socket, put, say};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Go on with what happens from now on
    #[arg(short, long)]
    follow: bool,
    /// Print one JSON object for each event
    #[arg(long)]
    json: bool,
    /// Also what only the log with --log-detail has: every announcement, every result of a check
    #[arg(long, requires = "follow")]
    detail: bool,
    #[command(flatten)]
    socket: Socket,
}

pub(crate) fn run(arguments: &Arguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    let mut connection = Connection::open(&arguments.socket.path)?;
    let Outcome::Events(events) = connection.ask(Ask::Events { follow: arguments.follow })? else {
        return Err(Failure::new(Exit::NoDaemon, "the daemon answered something that was not asked"));
    };
    for event in &events {
        show(event, arguments, output)?;
    }
    if !arguments.follow {
        return Ok(Exit::Done);
    }
    loop {
        match connection.next_event(None)? {
            Some(Happened::Event(event)) => show(&event, arguments, output)?,
            Some(Happened::Lost(events)) => {
                eprintln!("tanist: {events} events were left out, they came too fast")
            }
            None => {}
        }
    }
}

fn show(event: &Event, arguments: &Arguments, output: &mut dyn Write) -> Result<(), Failure> {
    if event.detail && !arguments.detail {
        return Ok(());
    }
    if arguments.json {
        let text = serde_json::to_string(event);
        return put(output, &text.map_err(|error| Failure::new(Exit::Usage, format!("write the event: {error}")))?);
    }
    let severity = match event.severity {
        Severity::Critical => "critical",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
        Severity::Info => "info",
    };
    let at = LocalTime::of(Duration::from_millis(event.wall_ms));
    for line in &event.text {
        say(output, &format!("{at}  {severity:8}  {:22}  {line}", event.id))?;
    }
    Ok(())
}
