//! `tanist check`: all mistakes of a configuration at once, each with its place and what to do.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use config::pair::{self, Node};
use config::{RealFiles, Settings};
use daemon::Reading;

use crate::parts::Without;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Configuration files; each is checked on its own, and several as the nodes of one pair
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Identity for the `@` lines of the configuration; without it the host name
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
    /// Also look at this machine: do scripts exist, may they run
    #[arg(long)]
    here: bool,
    #[command(flatten)]
    without: Without,
}

/// What there is to say about a configuration.
pub(crate) struct Findings {
    /// For a terminal.
    styled: String,
    /// For a file.
    pub(crate) plain: String,
    /// keepalived's exit status for them.
    pub(crate) status: u8,
    /// This machine cannot run a check that it is to run.
    pub(crate) loses_checks: bool,
    /// What the file means, if it can be used.
    settings: Option<Settings>,
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    // Every file is looked at; the worst one decides.
    let files = arguments.files.iter();
    let reading =
        Reading { config_id: arguments.config_id.clone(), without: arguments.without.parts(), all_files: false };
    let checked: Vec<Findings> = files
        .map(|file| check(file, &reading, arguments.here))
        .inspect(|found| print(found, std::io::stdout()))
        .collect();
    let names: Vec<String> = arguments.files.iter().map(|file| file.display().to_string()).collect();
    let mut nodes = Vec::new();
    for (name, findings) in names.iter().zip(&checked) {
        nodes.extend(findings.settings.as_ref().map(|settings| Node { name, settings }));
    }
    for (place, one) in nodes.iter().enumerate() {
        for other in &nodes[place + 1..] {
            print_pair(*one, *other);
        }
    }
    ExitCode::from(checked.iter().map(|findings| findings.status).max().unwrap_or(0))
}

/// Checks one file; with `here` also whether this machine has what it names.
pub(crate) fn check(file: &Path, reading: &Reading, here: bool) -> Findings {
    let loaded = config::load(file, &RealFiles, &reading.load_options());
    let status = loaded.report.exit_status();
    let found = loaded.settings.clone().filter(|_| here).map(daemon::preflight).unwrap_or_default();
    let on_this_machine: String =
        found.findings.iter().map(|finding| format!("on this machine: {}\n", finding.text)).collect();
    let render = |styled| loaded.report.render(styled) + &on_this_machine;
    let (styled, plain, loses_checks) = (render(true), render(false), found.loses_checks);
    Findings { styled, plain, status, loses_checks, settings: loaded.settings }
}

/// What only the two files together show.
fn print_pair(one: Node<'_>, other: Node<'_>) {
    let findings = pair::compare(one, other);
    let mut output = std::io::stdout().lock();
    // As below: whoever closed the pipe has read enough.
    let _ = match findings.as_slice() {
        [] => writeln!(output, "\n{} and {} together: good", one.name, other.name),
        findings => writeln!(output, "\n{} and {} together:\n  - {}", one.name, other.name, findings.join("\n  - ")),
    };
}

pub(crate) fn print(findings: &Findings, mut output: impl Write + IsTerminal) {
    let styled = output.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = if styled { &findings.styled } else { &findings.plain };
    // Whoever closed the pipe has read enough.
    let _ = output.write_all(text.as_bytes());
}
