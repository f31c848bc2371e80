//! The distribution's own managers, each in a small world of its own: when there can be one, and patience.
//!
//! The tests of the daemon boot them, too, on their hosts.

// Each test binary uses its part of this.
#![allow(dead_code)]

pub(crate) mod docker_engine;
pub(crate) mod machine;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

/// Longer than anything takes that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where a manager is to live.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ground<'a> {
    /// Starts a program there; nothing said: right here.
    pub(crate) start: Option<&'a dyn Fn(Command) -> io::Result<Child>>,
    /// It is a host: it has a network and a `/run` that nobody else uses.
    pub(crate) is_host: bool,
    /// What it shares with those who are there, at the same paths.
    pub(crate) shares: &'a [PathBuf],
}

impl Ground<'_> {
    fn spawn(&self, mut command: Command) -> io::Result<Child> {
        match self.start {
            Some(start) => start(command),
            None => command.spawn(),
        }
    }
}

/// Whether slow tests are asked for and these programs are there; says so if not.
pub(crate) fn may_run(programs: &[&str]) -> bool {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    if std::env::var_os("SLOW_TESTS").is_none_or(|value| value != "1") {
        eprintln!("SKIPPED, NOTHING TESTED: set SLOW_TESTS=1");
        return false;
    }
    let skip = |why: &str| {
        let _ = writeln!(io::stderr(), "SKIPPED, NOTHING TESTED: {name}: {why}");
        false
    };
    if !rustix::process::geteuid().is_root() {
        return skip("only root may");
    }
    if let Some(missing) = programs.iter().find(|program| find(program).is_none()) {
        return skip(&format!("{missing} is not installed"));
    }
    // A container that is not privileged has a root that may not.
    let namespaces = ["--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "true"];
    if !output(Command::new("unshare").args(namespaces)).status.success() {
        return skip("no namespaces can be made here");
    }
    let groups = control_groups().map(|groups| groups.join(format!("tanist-trial-{}-{name}", std::process::id())));
    if !groups.is_some_and(|group| fs::create_dir(&group).is_ok() && fs::remove_dir(&group).is_ok()) {
        return skip("no control groups of the second version can be made here");
    }
    true
}

/// Where this machine shows the control groups of the second version.
pub(crate) fn control_groups() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let place = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (path, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(path))
    };
    mounts.lines().find_map(place)
}

/// A busybox that needs no libraries, which an image of nothing else does not have.
pub(crate) fn has_static_busybox() -> bool {
    let path = find("busybox");
    let needs_loader = |octets: Vec<u8>| octets.windows(4).any(|part| part == b"/ld-");
    let is_static = path.and_then(|path| fs::read(path).ok()).is_some_and(|octets| !needs_loader(octets));
    if !is_static {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED, NOTHING TESTED: the busybox of this machine is not static (package busybox-static)"
        );
    }
    is_static
}

/// Where a program is; `/usr/sbin` is not on everybody's `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    if program.starts_with('/') {
        return Some(PathBuf::from(program)).filter(|path| path.exists());
    }
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    path.split(':').map(|directory| Path::new(directory).join(program)).find(|path| path.exists())
}

/// Runs a program that must succeed; what it printed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Removes control groups, the inner ones first. One that is not empty stays.
pub(crate) fn remove_groups(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    let _ = fs::remove_dir(directory);
}
