//! The command line of `tanist rehearse`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::acts::Act;
use crate::collector::Manner;

/// Without files a built-in pair rehearses; with two files, your own.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// The configurations of the two nodes
    #[arg(num_args = 2, value_names = ["A.conf", "B.conf"])]
    pub(super) files: Vec<PathBuf>,
    /// Play only this act (may be repeated)
    #[arg(long = "act", value_name = "NAME", value_parser = known_act)]
    pub(super) acts: Vec<String>,
    /// List the acts
    #[arg(long)]
    pub(super) list: bool,
    /// Run the scripts and commands of your configurations instead of stand-ins
    #[arg(long, requires = "files")]
    pub(super) run_scripts: bool,
    /// Another daemon on the first node; {conf} and {dir} are filled in
    #[arg(long, value_name = "COMMAND")]
    pub(super) node_a_command: Option<String>,
    /// Another daemon on the second node, for instance `keepalived`
    #[arg(long, value_name = "COMMAND")]
    pub(super) node_b_command: Option<String>,
    /// Print the result for machines
    #[arg(long)]
    pub(super) json: bool,
    /// At the end, print everything that was seen and logged to standard error
    #[arg(long)]
    pub(super) logs: bool,
    /// Be a program that runs inside a host
    #[arg(long, hide = true, value_name = "ROLE")]
    pub(super) helper: Option<Helper>,
    /// How a collector is to behave
    #[arg(long, hide = true, value_name = "WORDS", requires = "helper")]
    pub(super) manner: Option<Manner>,
}

/// What our own program does inside hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Helper {
    /// The web service of the built-in pair.
    Web,
    /// Its check.
    Check,
    /// The service that daemons look after, of the built-in pair and of trials.
    Collector,
    /// Its check.
    Probe,
}

impl Arguments {
    /// The nodes must start in any case. What only a `supervised` service does is played for others only if somebody asks.
    pub(super) fn wants(&self, act: Act, supervised: bool) -> bool {
        let usual = self.acts.is_empty() && (supervised || !act.needs_supervision());
        act == Act::Start || usual || self.acts.iter().any(|name| name == act.name())
    }
}

fn known_act(name: &str) -> Result<String, String> {
    let known = || Act::ALL.map(Act::name).join(", ");
    Act::from_name(name).map(|act| act.name().to_owned()).ok_or_else(|| format!("the acts are {}", known()))
}
