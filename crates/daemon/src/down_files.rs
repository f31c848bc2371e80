//! The files by which an operator makes a node stand back: while a service's `down_file` is there, it does.
//!
//! A file may be on a file system whose server is lost, and then nobody knows whether it is there: what was known last
//! counts, and that is told once. The loop never asks a file system; each file has a thread for that ([`watcher`]).

mod watcher;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::Settings;
use engine::Name;
use linux::system_log::Severity;

use self::watcher::{Sight, Watcher};
use crate::bell::{self, Bell};
use crate::notify::Told;

/// A file that has not been seen for so long, in nanoseconds, is told of.
const UNSEEN: u64 = 2_000_000_000;
/// So long the start waits for the first look at all files.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// The down files of all services. Its descriptor is readable when there may be changes.
#[derive(Debug)]
pub(crate) struct DownFiles {
    woken: UnixStream,
    bell: Arc<Bell>,
    /// By path: services may share a file.
    watched: BTreeMap<PathBuf, Watched>,
    /// By service.
    files: BTreeMap<Name, DownFile>,
    /// When a file has not been seen for so long that it is told.
    unseen_at: Option<u64>,
}

#[derive(Debug)]
struct Watched {
    /// Or why there is none.
    watcher: Option<Watcher>,
    told_unseen: bool,
    told_failure: Option<String>,
}

#[derive(Debug)]
struct DownFile {
    path: PathBuf,
    /// What was told last.
    present: bool,
}

/// What is new of down files.
#[derive(Debug, Default)]
pub(crate) struct DownFileNews {
    pub(crate) changes: Vec<DownFileChange>,
    pub(crate) lines: Vec<Told>,
}

/// The down file of a service appeared or vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DownFileChange {
    pub(crate) service: Name,
    pub(crate) path: PathBuf,
    pub(crate) present: bool,
}

impl DownFiles {
    pub(crate) fn open() -> linux::Result<Self> {
        let (woken, bell) =
            bell::pair().map_err(|error| linux::Error::from_io("open a descriptor for down files", &error))?;
        let (watched, files) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { woken, bell, watched, files, unseen_at: None })
    }

    /// Follows the settings, and answers what has to be told because of them: that of a service which has no file any more
    /// is gone. What has not been looked at yet comes later.
    pub(crate) fn adjust(&mut self, settings: &Settings, now: u64) -> DownFileNews {
        let mut news = DownFileNews::default();
        let mut before = std::mem::take(&mut self.files);
        let mut watched = std::mem::take(&mut self.watched);
        for service in &settings.services {
            let Some(path) = service.down_file.clone() else { continue };
            let name = &service.service.name;
            let known = watched.remove(&path).filter(|known| known.watcher.is_some());
            let entry = self.watched.entry(path.clone());
            entry.or_insert_with(|| known.unwrap_or_else(|| Watched::new(&path, &self.bell, &mut news.lines)));
            let present = before.remove(name).is_some_and(|before| before.present);
            self.files.insert(name.clone(), DownFile { path, present });
        }
        let gone = before.into_iter().filter(|(_, file)| file.present);
        news.changes.extend(gone.map(|(service, file)| DownFileChange { service, path: file.path, present: false }));
        self.compare(now, &mut news);
        news
    }

    /// Waits for the first look at all files, but not for long.
    pub(crate) fn wait_for_first_look(&self) {
        let began = Instant::now();
        let is_unseen = |watched: &Watched| watched.sight().is_some_and(|sight| sight.present.is_none());
        while self.watched.values().any(is_unseen) && began.elapsed() < FIRST_LOOK {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes in what the threads have seen. Never waits.
    pub(crate) fn receive(&mut self, now: u64) -> DownFileNews {
        bell::silence(&self.woken);
        let mut news = DownFileNews::default();
        self.compare(now, &mut news);
        news
    }

    /// When [`receive`](Self::receive) has something to say even if nobody rings.
    pub(crate) const fn deadline(&self) -> Option<u64> {
        self.unseen_at
    }

    /// Whether the down file of a service is there, as far as was told.
    pub(crate) fn is_present(&self, service: &Name) -> bool {
        self.files.get(service).is_some_and(|file| file.present)
    }

    fn compare(&mut self, now: u64, news: &mut DownFileNews) {
        self.unseen_at = None;
        for (path, watched) in &mut self.watched {
            let Some(sight) = watched.sight() else { continue };
            let of_path = self.files.iter_mut().filter(|(_, file)| file.path == *path);
            for (service, file) in of_path {
                if let Some(present) = sight.present
                    && std::mem::replace(&mut file.present, present) != present
                {
                    let change = DownFileChange { service: service.clone(), path: path.clone(), present };
                    news.changes.push(change);
                }
            }
            watched.tell(path, &sight, now, &mut news.lines);
            if let (Some(since), false) = (sight.unseen_since, watched.told_unseen) {
                let at = since + UNSEEN;
                self.unseen_at = Some(self.unseen_at.map_or(at, |other| other.min(at)));
            }
        }
        // In the order of the services.
        news.changes.sort_by(|one, other| (&one.service, one.present).cmp(&(&other.service, other.present)));
    }
}

impl AsFd for DownFiles {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

impl Watched {
    fn new(path: &Path, bell: &Arc<Bell>, lines: &mut Vec<Told>) -> Self {
        let watcher = match Watcher::start(path, bell) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                let text = format!("down file {}: {error}; it is not watched", path.display());
                lines.push((Severity::Error, text));
                None
            }
        };
        Self { watcher, told_unseen: false, told_failure: None }
    }

    fn sight(&self) -> Option<Sight> {
        self.watcher.as_ref().map(Watcher::sight)
    }

    /// Says once what stands in the way of seeing the file.
    fn tell(&mut self, path: &Path, sight: &Sight, now: u64, lines: &mut Vec<Told>) {
        let path = path.display();
        let is_unseen = sight.unseen_since.is_some_and(|since| since + UNSEEN <= now);
        if is_unseen && !std::mem::replace(&mut self.told_unseen, true) {
            let known = match sight.present {
                Some(true) => "it was there when it was seen last, and that counts until then",
                Some(false) => "it was not there when it was seen last, and that counts until then",
                None => "no node stands back because of it until then",
            };
            let text =
                format!("nobody knows whether down file {path} is there: its file system does not answer; {known}");
            lines.push((Severity::Warning, text));
        }
        if sight.unseen_since.is_none() && std::mem::take(&mut self.told_unseen) {
            lines.push((Severity::Notice, format!("it can be seen again whether down file {path} is there")));
        }
        if self.told_failure != sight.failure {
            self.told_failure.clone_from(&sight.failure);
            lines.extend(sight.failure.as_ref().map(|failure| (Severity::Warning, failure.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use config::{Command, Global, Manager, NotifyScript, Service};
    use engine::{Budget, Failback, OnManualStop, ServiceConfig};
    use linux::clock;

    use super::*;

    fn service(name: &str, down_file: Option<&Path>) -> Service {
        let none = Budget { limit: 0, within: Duration::from_secs(60) };
        Service {
            service: ServiceConfig {
                name: name.into(),
                checks: vec![],
                start_grace: Duration::ZERO,
                start_timeout: Duration::from_secs(30),
                stop_timeout: Duration::from_secs(30),
                restart: none,
                max_moves: none,
                on_manual_stop: OnManualStop::Failover,
                failback: Failback::Never,
                readiness_interval: Duration::from_secs(5),
                readiness_rise: 1,
                while_active: vec![],
            },
            manager: Manager::Command {
                script: NotifyScript { command: Command::Program(vec!["/bin/true".to_owned()]), user: None },
            },
            checks: vec![],
            could_start: None,
            on_role: None,
            post_takeover: None,
            while_active: vec![],
            down_file: down_file.map(Path::to_owned),
            needs_ports: vec![],
            needs_disks: vec![],
            standby_checks: vec![],
            may_differ: false,
        }
    }

    fn settings(services: Vec<Service>) -> Settings {
        let global = Global::default();
        Settings { global, services, ..Settings::default() }
    }

    #[test]
    fn each_service_is_told_of_its_own_file() {
        let directory = std::env::temp_dir().join(format!("tanist-down-files-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        let (one, other) = (directory.join("one"), directory.join("other"));
        std::fs::write(&one, "").expect("written");
        let mut files = DownFiles::open().expect("inotify");
        let text = |change: DownFileChange| {
            let name = change.path.strip_prefix(&directory).expect("ours").display().to_string();
            format!("{} {name} {}", change.service, if change.present { "there" } else { "gone" })
        };
        // Threads look when the kernel has called them: waits until all that is expected was told, and then a moment.
        let told = |files: &mut DownFiles, settings: Option<&Settings>, expected: &[&str]| {
            let mut told: Vec<String> = Vec::new();
            let mut hear = |news: DownFileNews| {
                assert!(news.lines.is_empty(), "{:?}", news.lines);
                told.extend(news.changes.into_iter().map(text));
                told.len()
            };
            let mut count = settings.map_or(0, |settings| hear(files.adjust(settings, clock::boot_time())));
            files.wait_for_first_look();
            let began = Instant::now();
            while count < expected.len() && began.elapsed() < Duration::from_secs(20) {
                count = hear(files.receive(clock::boot_time()));
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(30));
            hear(files.receive(clock::boot_time()));
            told.sort();
            assert_eq!(told, expected);
        };

        let first = settings(vec![
            service("a", Some(&one)),
            service("b", Some(&one)),
            service("c", Some(&other)),
            service("d", None),
        ]);
        // At the start what is there is told, and only that; a second time nothing is.
        told(&mut files, Some(&first), &["a one there", "b one there"]);
        told(&mut files, Some(&first), &[]);
        told(&mut files, None, &[]);
        std::fs::rename(&one, &other).expect("moved");
        told(&mut files, None, &["a one gone", "b one gone", "c other there"]);
        // Another file for one service, none for another, one service less: only what is different is told.
        let second = settings(vec![service("a", Some(&other)), service("c", None)]);
        told(&mut files, Some(&second), &["a other there", "c other gone"]);
        std::fs::remove_file(&other).expect("removed");
        told(&mut files, None, &["a other gone"]);
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }

    /// What does not answer is told of once, and what was known last counts.
    #[test]
    fn what_cannot_be_seen_is_told_once() {
        let mut watched = Watched { watcher: None, told_unseen: false, told_failure: None };
        let mut tell = |present: Option<bool>, unseen_since: Option<u64>, now: u64| {
            let mut lines = Vec::new();
            watched.tell(Path::new("/nfs/down"), &Sight { present, unseen_since, failure: None }, now, &mut lines);
            lines.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        let second = 1_000_000_000;
        let begin = "nobody knows whether down file /nfs/down is there: its file system does not answer; ";
        assert_eq!(tell(None, Some(second), 2 * second), [""; 0], "it may be slow");
        let unknown = format!("{begin}no node stands back because of it until then");
        assert_eq!(tell(None, Some(second), 3 * second), [unknown]);
        assert_eq!(tell(None, Some(second), 9 * second), [""; 0], "once");
        assert_eq!(tell(Some(true), None, 10 * second), ["it can be seen again whether down file /nfs/down is there"]);
        let known = format!("{begin}it was there when it was seen last, and that counts until then");
        assert_eq!(tell(Some(true), Some(11 * second), 13 * second), [known]);
    }
}
