//! `tanist export`: a configuration for a keepalived on the other node, or on the way back.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::{ExportError, LoadOptions, RealFiles};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Without services, pair and whatever else keepalived does not know; everything else stays as it is written.
    /// A file that is included takes the place of its `include` line if something is left out of it
    #[arg(long, required = true)]
    for_keepalived: bool,
    /// Configuration file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Identity for the `@` lines of the configuration; without it the host name
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
}

pub(crate) fn main(arguments: Arguments) -> ExitCode {
    let Arguments { for_keepalived: _, file, config_id } = arguments;
    match config::export_for_keepalived(&file, &RealFiles, &LoadOptions { config_id, ..LoadOptions::default() }) {
        Ok(exported) => {
            if let Err(error) = std::io::stdout().lock().write_all(&exported.text) {
                // Half a configuration is worse than none, so here a closed pipe is a failure.
                eprintln!("tanist: write the configuration: {error}");
                return ExitCode::FAILURE;
            }
            if !exported.left_out.is_empty() {
                eprintln!("left out: {}", exported.left_out.join(", "));
            }
            for name in &exported.empty_instances {
                eprintln!(
                    "{name} has no addresses, so nothing of it is left to move: keepalived needs a `virtual_ipaddress`, \
                     and notify scripts that start and stop what the service did"
                );
            }
            ExitCode::SUCCESS
        }
        Err(ExportError::Unusable(report)) => {
            eprint!("{}", report.render(false));
            ExitCode::from(report.exit_status())
        }
        Err(error @ ExportError::Entangled(_)) => {
            eprintln!("tanist: {error}");
            ExitCode::FAILURE
        }
    }
}
