//! `tanist switch`: moves the role, stays until it has moved, and says what that cost.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use api::{Ask, CommandResult, Commanded, Event, Handover, Outcome, Place, Status, Switch, span};
use clap::Args;

use crate::connection::{Connection, Happened, PATIENCE};
use crate::orders::{commanded, parse_span, refused, scope};
use crate::status::status;
use crate::{Exit, Failure, Socket, say};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this instance; without it, all
    #[arg(value_name = "INSTANCE")]
    instance: Option<String>,
    /// To this node: its name, `here` or `peer`; without it, to the one that is not active
    #[arg(long, value_name = "NODE")]
    to: Option<String>,
    /// Only say whether it would be done, and how long it would take at most
    #[arg(long)]
    dry_run: bool,
    /// Wait so long for its end: 90s, 30m, 2h
    #[arg(long, value_name = "SPAN", default_value = "5m", value_parser = parse_span)]
    wait: Duration,
    #[command(flatten)]
    socket: Socket,
}

pub(crate) fn run(arguments: &Arguments, output: &mut dyn Write) -> Result<Exit, Failure> {
    let mut connection = Connection::open(&arguments.socket.path)?;
    let before = status(&mut connection, PATIENCE)?;
    if !arguments.dry_run {
        // Before the order, so that nothing is missed.
        let Outcome::Events(_) = connection.ask(Ask::Events { follow: true })? else {
            return Err(Failure::new(Exit::NoDaemon, "the daemon answered something that was not asked"));
        };
    }
    let switch = Switch { instance: arguments.instance.clone(), to: arguments.to.clone(), dry_run: arguments.dry_run };
    let mut exit = Exit::Done;
    let mut moving = BTreeSet::new();
    for Commanded { instance, result } in commanded(&mut connection, Ask::Switch(switch))? {
        let scope = scope(instance.as_deref());
        match result {
            CommandResult::Done => say(output, &format!("{scope}is active there already"))?,
            CommandResult::Begun => moving.extend(instance),
            CommandResult::Would { at_most_ms } => {
                let at_most = span(Duration::from_millis(at_most_ms));
                say(output, &format!("{scope}would be moved, within {at_most} at most"))?;
            }
            CommandResult::Refused { reason, text } => {
                exit = refused(reason);
                say(output, &format!("{scope}refused: {text}"))?;
            }
        }
    }
    let ended = see_them_move(&mut connection, &before, moving, arguments.wait, output)?;
    Ok(if exit == Exit::Done { ended } else { exit })
}

/// Until each of them has moved or failed to.
fn see_them_move(
    connection: &mut Connection,
    before: &Status,
    mut moving: BTreeSet<String>,
    patience: Duration,
    output: &mut dyn Write,
) -> Result<Exit, Failure> {
    let until = Instant::now() + patience;
    let mut exit = Exit::Done;
    while !moving.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        let event = match connection.next_event(Some(left)) {
            Ok(Some(Happened::Event(event))) => event,
            Ok(Some(Happened::Lost(events))) => {
                let why = format!("begun, and {events} events were left out, so that the end may have been missed");
                return Err(unfinished(moving, &why));
            }
            Ok(None) => return Err(unfinished(moving, &format!("begun, but not ended within {}", span(patience)))),
            // It goes on without us.
            Err(Failure { text, .. }) => {
                return Err(unfinished(moving, &format!("begun, but its end is not seen: {text}")));
            }
        };
        let (Some(instance), Some(handover)) = (&event.instance, &event.handover) else {
            continue;
        };
        if !moving.contains(instance) {
            continue;
        }
        match handover {
            Handover::Begun { .. } => continue,
            Handover::Ended { to, outage_ms, overlap_ms } => {
                let node = name(before, *to);
                say(output, &format!("{instance}: {node} is active; outage {outage_ms} ms, overlap {overlap_ms} ms"))?;
            }
            Handover::Failed => {
                exit = Exit::Refused;
                say(output, &format!("{instance}: not moved: {}", words(&event)))?;
            }
            Handover::Unordered => {
                say(output, &format!("{instance}: outage and overlap are not known: {}", words(&event)))?;
            }
        }
        moving.remove(instance);
    }
    Ok(exit)
}

/// What moves still, and why we do not know more.
fn unfinished(moving: BTreeSet<String>, why: &str) -> Failure {
    let names = moving.into_iter().collect::<Vec<_>>().join(", ");
    Failure::new(Exit::Unfinished, format!("{names}: {why}; see `tanist status`"))
}

fn words(event: &Event) -> String {
    event.text.join("; ")
}

fn name(status: &Status, place: Place) -> &str {
    match place {
        Place::Here => &status.node,
        Place::Peer => {
            status.peer.as_ref().map(|peer| peer.node.as_str()).filter(|node| !node.is_empty()).unwrap_or("the peer")
        }
    }
}
