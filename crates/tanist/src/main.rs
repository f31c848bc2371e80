//! The one binary: which program is meant, and with which arguments.
#![forbid(unsafe_code)]

mod check;
mod explain;
mod export;
mod keepalived;
#[cfg(test)]
mod manual;
mod pair;
mod parts;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// No text of a configuration is left in memory: the daemon wipes what it has read with.
#[global_allocator]
static ALLOCATOR: linux::wiping::Allocator = linux::wiping::Allocator::new();

/// Hot standby for Linux: two machines, one service address, one active service.
#[derive(Debug, Parser)]
#[command(name = "tanist", version, about, propagate_version = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon in the foreground
    Run(run::Arguments),
    /// Read configurations and say what is wrong with them
    Check(check::Arguments),
    /// Tell in plain sentences what a configuration will do, and when
    Explain(explain::Arguments),
    /// Write a configuration without what only Tanist knows
    Export(export::Arguments),
    /// Make the secret that the two nodes of a pair share
    Pair(pair::Arguments),
    /// Let a pair fail over on this machine, in network namespaces, and measure it
    Rehearse(rehearse::Arguments),
    #[command(flatten)]
    Control(ctl::Command),
}

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    match std::path::Path::new(&name).file_name().and_then(|name| name.to_str()) {
        Some("keepalived") => return keepalived::main(),
        // keepalived's helper, which is a link to it.
        Some("genhash") => {
            eprintln!("genhash: not built yet in this version of Tanist");
            return ExitCode::FAILURE;
        }
        Some(_) | None => {}
    }
    match CommandLine::parse().command {
        Command::Run(arguments) => run::main(arguments),
        Command::Check(arguments) => check::main(&arguments),
        Command::Explain(arguments) => explain::main(arguments),
        Command::Export(arguments) => export::main(arguments),
        Command::Pair(arguments) => pair::main(&arguments),
        Command::Rehearse(arguments) => rehearse::main(arguments),
        Command::Control(command) => ctl::main(&command),
    }
}
