//! What the tests against real managers share: when they run, and patience.

// Each test binary uses its part of this.
#![allow(dead_code)]

pub(crate) mod docker_engine;
pub(crate) mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::BorrowedFd;

use engine::ServiceReport;
use tanist_managers::{News, Weight, Word};

/// Longer than anything takes that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Whether slow tests are asked for and these programs are there; says so if not.
pub(crate) fn may_run(programs: &[&str]) -> bool {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let skip = |why: &str| {
        eprintln!("SKIPPED, NOTHING TESTED: {name}: {why}");
        false
    };
    if std::env::var_os("SLOW_TESTS").is_none_or(|value| value != "1") {
        return skip("skipped: set SLOW_TESTS=1");
    }
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
        eprintln!("SKIPPED, NOTHING TESTED: the busybox of this machine is not static (package busybox-static)");
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

/// What has been heard of one manager and not been asked for yet.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    news: Vec<News>,
}

impl Heard {
    /// The next report about a service. Others' reports, and remarks, are kept.
    #[track_caller]
    pub(crate) fn report(&mut self, service: &str, fd: BorrowedFd<'_>, take: impl Fn() -> Vec<News>) -> ServiceReport {
        let is_report = |news: &News| matches!(news.word, Word::Report(_)) && &*news.service == service;
        match self.next(fd, take, is_report) {
            Some(News { word: Word::Report(report), .. }) => report,
            _ => panic!("no report about {service}; heard: {:?}", self.news),
        }
    }

    /// Waits for a remark about a service that contains these words.
    #[track_caller]
    pub(crate) fn remark(
        &mut self,
        service: &str,
        words: &str,
        fd: BorrowedFd<'_>,
        take: impl Fn() -> Vec<News>,
    ) -> Weight {
        let is_it = |news: &News| {
            matches!(&news.word, Word::Remark(_, text) if text.contains(words)) && &*news.service == service
        };
        match self.next(fd, take, is_it) {
            Some(News { word: Word::Remark(weight, _), .. }) => weight,
            _ => panic!("no remark {words:?} about {service}; heard: {:?}", self.news),
        }
    }

    /// All reports about a service that are there now and were not asked for.
    pub(crate) fn rest(&mut self, service: &str, take: impl Fn() -> Vec<News>) -> Vec<ServiceReport> {
        self.news.extend(take());
        let (rest, others) =
            std::mem::take(&mut self.news).into_iter().partition::<Vec<_>, _>(|news| &*news.service == service);
        self.news = others;
        let report = |news| match news {
            News { word: Word::Report(report), .. } => Some(report),
            News { word: Word::Remark(..), .. } => None,
        };
        rest.into_iter().filter_map(report).collect()
    }

    fn next(
        &mut self,
        fd: BorrowedFd<'_>,
        take: impl Fn() -> Vec<News>,
        is_it: impl Fn(&News) -> bool,
    ) -> Option<News> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.news.extend(take());
            if let Some(at) = self.news.iter().position(&is_it) {
                return Some(self.news.remove(at));
            }
            let left = until.checked_duration_since(Instant::now())?;
            let mut fds = [PollFd::new(&fd, PollFlags::IN)];
            poll(&mut fds, Timespec::try_from(left).ok().as_ref()).expect("poll");
        }
    }
}
