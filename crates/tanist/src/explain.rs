//! `tanist explain`: what a configuration will do, and when.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::{LoadOptions, RealFiles};

use crate::check;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Configuration file of one node
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Identity for the `@` lines of the configuration; without it the host name
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
}

pub(crate) fn main(arguments: Arguments) -> ExitCode {
    let Arguments { file, config_id } = arguments;
    let options = LoadOptions { config_id: config_id.clone() };
    let Some(settings) = config::load(&file, &RealFiles, &options).settings else {
        let findings = check::check(&file, config_id, false);
        check::print(&findings);
        return ExitCode::from(findings.status);
    };
    // Whoever closed the pipe has read enough.
    let _ = std::io::stdout().lock().write_all(config::explain(&settings).as_bytes());
    ExitCode::SUCCESS
}
