//! On what, with what and when it was measured.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

/// The surroundings of a run, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) keepalived: String,
    pub(crate) tanist: String,
    pub(crate) date: String,
    /// Load average over a minute when the run began: other work beside it makes figures worse.
    pub(crate) load: String,
}

impl Machine {
    pub(crate) fn look(keepalived: &str, tanist: &str) -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let model = model.map_or("processor of unknown kind", |(_, name)| name.trim());
        Self {
            processor: format!("{processors} × {model}"),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            keepalived: first_line(keepalived, &["--version"]),
            tanist: first_line(tanist, &["--version"]),
            date: first_line("date", &["--utc", "+%Y-%m-%d"]),
            load: load(),
        }
    }
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The first line that a program writes, be it to its output or (as keepalived does) to its standard error.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return "unknown".to_owned() };
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown").to_owned()
}
