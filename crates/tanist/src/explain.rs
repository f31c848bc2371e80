//! `tanist explain`: what a configuration will do, and when.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::RealFiles;
use daemon::Reading;

use crate::check;
use crate::parts::Without;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Configuration file of one node
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Identity for the `@` lines of the configuration; without it the host name
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
    #[command(flatten)]
    without: Without,
}

pub(crate) fn main(arguments: Arguments) -> ExitCode {
    let Arguments { file, config_id, without } = arguments;
    let reading = Reading { config_id, without: without.parts(), all_files: false };
    let Some(settings) = config::load(&file, &RealFiles, &reading.load_options()).settings else {
        let findings = check::check(&file, &reading, false);
        check::print(&findings, std::io::stdout());
        return ExitCode::from(findings.status);
    };
    // Whoever closed the pipe has read enough.
    let _ = std::io::stdout().lock().write_all(config::explain(&settings).as_bytes());
    ExitCode::SUCCESS
}
