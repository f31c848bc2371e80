//! Measures Tanist side by side with the distribution's keepalived, in one run, on the same virtual hosts.
//!
//! Each group of measurements has a file of its own and says what it does. All of them begin on a [`stage`] that the lab
//! of `rehearse` provides, and read the time off what the lab saw ([`sightings`]).
#![forbid(unsafe_code)]

mod bench;
mod counters;
mod crash;
mod document;
mod failure;
mod idle;
mod large_reload;
mod layout;
mod load;
mod machine;
mod many_instances;
mod memory;
mod partition;
mod plan;
mod processes;
mod reload;
mod row;
mod scale;
mod scripts;
mod services;
mod sightings;
mod signed;
mod stage;
mod start;
mod statistics;
mod stop;
mod table;
mod tracked_processes;
mod trials;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use rehearse::lab::{self, Daemon};

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::machine::Machine;
use crate::row::{Both, Row};

/// Measure Tanist side by side with keepalived
#[derive(Debug, Parser)]
struct CommandLine {
    /// The program that is measured
    #[arg(long, value_name = "PATH", default_value = "target/release/tanist")]
    tanist: PathBuf,
    /// The same as one static program, for its memory
    #[arg(long, value_name = "PATH")]
    static_tanist: Option<PathBuf>,
    /// What it is compared with
    #[arg(long, value_name = "PATH", default_value = "keepalived")]
    keepalived: String,
    /// Measure only this; may be given several times
    #[arg(long, value_enum, value_name = "NAME")]
    only: Vec<Name>,
    /// Repeat every measurement so often, instead of its usual number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    repetitions: Option<u16>,
    /// Play so many trials of services at the same time: they mostly wait
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..))]
    at_once: u16,
    /// Once and briefly, only to see that everything works
    #[arg(long)]
    quick: bool,
    /// Write the figures to this document; what was written into it by hand stays, and so does what is not measured now
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    write: Option<PathBuf>,
    /// Measure nothing; find out with gdb which functions a daemon needs from second to second, and write a linker script
    /// that puts them side by side
    #[arg(long, value_name = "FILE", exclusive = true)]
    layout: Option<PathBuf>,
}

impl CommandLine {
    /// The words by which only a part is measured.
    fn chosen(&self) -> Option<String> {
        let name = |name: &Name| name.to_possible_value().map(|value| format!("--only {}", value.get_name()));
        let mut words: Vec<String> = self.only.iter().filter_map(name).collect();
        if words.is_empty() {
            return None;
        }
        words.extend(self.repetitions.map(|count| format!("--repetitions {count}")));
        if self.only.iter().any(|name| matches!(name, Name::Services | Name::Moments)) {
            words.push(format!("--at-once {}", self.at_once));
        }
        Some(words.join(" "))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Crash,
    Stop,
    Partition,
    Memory,
    Load,
    Signed,
    Scripts,
    TrackedProcesses,
    Scale,
    ManyInstances,
    Start,
    Reload,
    LargeReload,
    Services,
    Moments,
    Idle,
}

impl Name {
    fn group(self) -> Group {
        match self {
            Self::Crash => crash::GROUP,
            Self::Stop => stop::GROUP,
            Self::Partition => partition::GROUP,
            Self::Memory => memory::GROUP,
            Self::Load => load::GROUP,
            Self::Signed => signed::GROUP,
            Self::Scripts => scripts::GROUP,
            Self::TrackedProcesses => tracked_processes::GROUP,
            Self::Scale => scale::GROUP,
            Self::ManyInstances => many_instances::GROUP,
            Self::Start => start::GROUP,
            Self::Reload => reload::GROUP,
            Self::LargeReload => large_reload::GROUP,
            Self::Services => services::GROUP,
            Self::Moments => services::MOMENTS,
            Self::Idle => idle::GROUP,
        }
    }
}

fn main() -> ExitCode {
    match run(&CommandLine::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// False if something could not be measured. A missed target is a result like any other.
fn run(arguments: &CommandLine) -> Result<bool> {
    let bench = prepare(arguments)?;
    if let Some(file) = &arguments.layout {
        return layout::write(&bench, file).map(|()| true);
    }
    let machine = Machine::look(&bench.daemons.keepalived.command[0], &bench.daemons.tanist.command[0]);
    let began = Instant::now();
    let mut measured: Vec<(Group, Vec<Row>)> = Vec::new();
    let mut complete = true;
    for name in Name::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(name) {
            continue;
        }
        let group = name.group();
        let result = (group.measure)(&bench);
        // Behind the dots of the repetitions.
        eprintln!();
        match result {
            Ok(rows) => {
                println!("{}", table::render(group.title, &rows));
                measured.push((group, rows));
            }
            Err(failure) => {
                complete = false;
                eprintln!("{}: not measured: {failure}\n", group.title);
            }
        }
    }
    println!("{}, in {} s", document::summary(&measured), began.elapsed().as_secs());
    if let Some(file) = &arguments.write {
        if !complete {
            return Err(Failure::new(format!("{} was not written: figures are missing", file.display())));
        }
        let before = std::fs::read_to_string(file).unwrap_or_default();
        let all: Vec<Group> = Name::value_variants().iter().map(|name| name.group()).collect();
        let text = document::render(&machine, &measured, &all, arguments.chosen().as_deref(), &before);
        std::fs::write(file, text).map_err(Failure::during(format!("write {}", file.display())))?;
        println!("{} was written", file.display());
    }
    Ok(complete)
}

fn prepare(arguments: &CommandLine) -> Result<Bench> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new("only root can measure: perf and the checks need it"));
    }
    lab::permission()?;
    // The daemons run in hosts that have another working directory.
    let find = |path: &PathBuf| {
        path.canonicalize().map_err(Failure::during(format!("find {} (cargo build --release)", path.display())))
    };
    let mut keepalived = Daemon::keepalived();
    keepalived.command[0].clone_from(&arguments.keepalived);
    if !keepalived.is_installed() {
        return Err(Failure::new(format!("{} is not installed", arguments.keepalived)));
    }
    Ok(Bench {
        daemons: Both { keepalived, tanist: bench::tanist(&find(&arguments.tanist)?) },
        static_tanist: arguments.static_tanist.as_ref().map(find).transpose()?.map(|path| bench::tanist(&path)),
        repetitions: arguments.repetitions.map(usize::from),
        at_once: usize::from(arguments.at_once),
        quick: arguments.quick,
    })
}
