//! The rehearsal: a pair fails over on this machine in every way that we can think of, and every time is measured.

mod acts;
mod arguments;
mod built_in;
mod config_text;
mod outcome;
mod own_pair;
mod pair;
mod scene;
mod show;
mod stage;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

pub use arguments::Arguments;

use acts::Act;
use arguments::Helper;
use outcome::{NodeView, Outcome};
use own_pair::NoPair;
use pair::Pair;
use show::Style;
use stage::Stage;

use crate::lab::{self, Daemon, LabError};
use crate::{collector, web};

/// Exit status when a promise was broken.
const BROKEN: u8 = 1;
/// Exit status when there was no rehearsal.
const NO_REHEARSAL: u8 = 3;

/// `tanist rehearse`.
#[must_use]
pub fn main(arguments: Arguments) -> ExitCode {
    if let Some(helper) = arguments.helper {
        return help(helper, arguments.manner.unwrap_or_default());
    }
    let mut out = std::io::stdout().lock();
    if arguments.list {
        for act in Act::ALL {
            // Whoever closed the pipe has read enough.
            let _ = writeln!(out, "{:<10}{}", act.name(), act.description());
        }
        return ExitCode::SUCCESS;
    }
    let pair = match plan(&arguments) {
        Ok(pair) => pair,
        Err(NoPair::Mistakes { report, status }) => {
            eprint!("{report}");
            return ExitCode::from(status);
        }
        Err(NoPair::Unfit(why)) => return no_rehearsal(&why),
    };
    match lab::again_as_root() {
        Some(Ok(status)) => return status,
        Some(Err(error)) => return no_rehearsal(&error),
        None => {}
    }
    match rehearse(&pair, &arguments, &mut out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(error) => no_rehearsal(&error),
    }
}

fn no_rehearsal(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("no rehearsal: {why}");
    ExitCode::from(NO_REHEARSAL)
}

/// What hosts of a lab run of our own program.
fn help(helper: Helper, manner: collector::Manner) -> ExitCode {
    let result = match helper {
        Helper::Web => web::serve().map(|never| match never {}),
        Helper::Check => web::check(web::PORT, web::PATIENCE),
        Helper::Collector => collector::collect(&manner),
        Helper::Probe => collector::probe(manner.port.unwrap_or(web::PORT)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{helper:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plan(arguments: &Arguments) -> Result<Pair, NoPair> {
    let own_program = std::env::current_exe()
        .map_err(|error| NoPair::Unfit(format!("the path of our own program is not known: {error}")))?;
    let daemon = |command: &Option<String>| match command {
        None => Ok((Daemon::tanist(&own_program), true)),
        Some(line) => {
            let daemon = Daemon::from_command_line(line).filter(Daemon::is_installed);
            let daemon = daemon.ok_or_else(|| NoPair::Unfit(format!("{line:?}: there is no such program")))?;
            let is_tanist = daemon.name == "tanist";
            Ok((daemon, is_tanist))
        }
    };
    let daemons = [daemon(&arguments.node_a_command)?, daemon(&arguments.node_b_command)?];
    match arguments.files.as_slice() {
        [a, b] => own_pair::pair([a, b], daemons, &rehearser(&own_program), arguments.run_scripts),
        _ => {
            // Another daemon may know nothing of services.
            let own = arguments.node_a_command.is_none() && arguments.node_b_command.is_none();
            Ok(built_in::pair(daemons, &rehearser(&own_program), own))
        }
    }
}

/// Our own program as it is called inside the hosts.
fn rehearser(own_program: &Path) -> Vec<String> {
    vec![own_program.display().to_string(), "rehearse".to_owned()]
}

/// Plays the acts; whether every promise was kept.
fn rehearse(pair: &Pair, arguments: &Arguments, out: &mut impl Write) -> Result<bool, LabError> {
    let is_terminal = std::io::stdout().is_terminal();
    let coloured = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let style = Style { coloured };
    let mut outcome = Outcome {
        address: pair.address.to_string(),
        nodes: pair.nodes.iter().map(view).collect(),
        remarks: pair.remarks.clone(),
        service: pair.nodes[0].supervised().map(|service| service.config.name.to_string()),
        acts: Vec::new(),
        kept: true,
    };
    let mut say = |text: String| {
        if !arguments.json {
            // Whoever closed the pipe has read enough; the exit status still tells.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    };
    say(show::head(&outcome, style));
    let hint = |error| LabError::new(format!("{error}\nIt needs root, or a kernel that lets users make namespaces."));
    let mut stage = Stage::build(pair).map_err(hint)?;
    let supervised = outcome.service.is_some();
    for act in Act::ALL.into_iter().filter(|&act| arguments.wants(act, supervised)) {
        // For the impatient; the act itself overwrites it.
        let (waiting, gone) =
            if is_terminal { (format!("  … {}\r", act.description()), "\x1b[K") } else { Default::default() };
        say(waiting);
        let played = act.play(&mut stage)?;
        say(gone.to_owned() + &show::act(&played, &outcome.nodes, style));
        outcome.kept &= played.kept();
        outcome.acts.push(played);
    }
    say(show::foot(&outcome, style));
    if arguments.logs {
        for record in stage.lab.journal().all() {
            eprintln!("{record}");
        }
    }
    if arguments.json {
        let json = serde_json::to_string_pretty(&outcome).expect("plain data has a JSON form");
        let _ = writeln!(out, "{json}");
    }
    Ok(outcome.kept)
}

fn view(node: &pair::Node) -> NodeView {
    NodeView {
        name: node.name.to_owned(),
        own_address: node.own_address.to_string(),
        interface: own_pair::interface_of(&node.router).to_string(),
        priority: node.router.priority.get(),
        daemon: node.daemon.name.clone(),
    }
}
