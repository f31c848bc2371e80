//! The rehearsal as a program of its own, without the rest of Tanist: for trying it with other daemons.

use std::process::ExitCode;

use clap::Parser;

/// Takes the same words as `tanist rehearse`.
#[derive(Debug, Parser)]
enum CommandLine {
    /// Let a pair fail over
    Rehearse(tanist_rehearse::Arguments),
}

fn main() -> ExitCode {
    let CommandLine::Rehearse(arguments) = CommandLine::parse();
    tanist_rehearse::main(arguments)
}
