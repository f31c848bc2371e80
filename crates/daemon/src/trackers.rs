//! Tracked files and processes: what the engine is told of them. Each file has a thread that reads it ([`file`]), all
//! processes together have one ([`processes`]): a file system or a process that hangs holds up its thread and nobody else.

mod file;
mod processes;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use config::{Buffer, FigureSource, ProcessPattern, Settings};
use engine::{FigureCause, TrackerKind, TrackerName};
use linux::system_log::Severity;

use self::file::FileThread;
use self::processes::ProcessThread;
use crate::bell::{self, Bell};
use crate::notify::Told;

/// So much may wait for the loop; then the threads do.
const QUEUE: usize = 1024;
/// So long the start waits for the first look at everything.
const FIRST_LOOK: Duration = Duration::from_millis(500);
/// What has not been seen for so long, in nanoseconds, counts as 0 until it is.
const UNSEEN: u64 = 2_000_000_000;

/// Everything that is tracked so. Its descriptor is readable when there may be news.
#[derive(Debug)]
pub(crate) struct Trackers {
    woken: UnixStream,
    bell: Arc<Bell>,
    sender: SyncSender<News>,
    receiver: Receiver<News>,
    files: BTreeMap<PathBuf, File>,
    processes: Option<Processes>,
    watched: Vec<Watched>,
    /// Counts the process threads: what an earlier one says is of no use.
    generation: u64,
    /// Since when something has not been seen at all.
    unseen_since: Option<u64>,
}

#[derive(Debug)]
struct File {
    /// Dropped with it, the thread goes as soon as it can.
    _thread: Option<FileThread>,
    number: Option<i64>,
}

#[derive(Debug)]
struct Processes {
    _thread: Option<ProcessThread>,
    patterns: Vec<ProcessPattern>,
    buffer: Option<Buffer>,
    counts: Option<Vec<u32>>,
}

/// Something that the configuration tracks.
#[derive(Debug)]
struct Watched {
    name: TrackerName,
    source: FigureSource,
    /// What the engine was told last.
    told: Option<i64>,
}

/// What a thread has seen.
#[derive(Debug)]
enum News {
    Number {
        path: PathBuf,
        number: i64,
    },
    /// The first of a thread, pattern by pattern.
    Counts {
        generation: u64,
        counts: Vec<u32>,
    },
    Count {
        generation: u64,
        pattern: usize,
        count: u32,
        cause: FigureCause,
    },
    Line(Told),
}

/// What is to be told.
#[derive(Debug, Default)]
pub(crate) struct TrackerNews {
    pub(crate) figures: Vec<(TrackerName, i64, FigureCause)>,
    pub(crate) lines: Vec<Told>,
}

/// Where threads put what they have seen.
#[derive(Clone, Debug)]
struct Post {
    sender: SyncSender<News>,
    bell: Arc<Bell>,
}

impl Post {
    fn send(&self, news: News) {
        // Without the loop there is nobody to tell.
        let _ = self.sender.send(news);
        self.bell.ring();
    }

    fn tell(&self, severity: Severity, text: String) {
        self.send(News::Line((severity, text)));
    }
}

impl Trackers {
    pub(crate) fn open() -> linux::Result<Self> {
        let (woken, bell) =
            bell::pair().map_err(|error| linux::Error::from_io("open a descriptor for tracked files", &error))?;
        let (sender, receiver) = sync_channel(QUEUE);
        let (files, processes, watched) = (BTreeMap::new(), None, Vec::new());
        Ok(Self { woken, bell, sender, receiver, files, processes, watched, generation: 0, unseen_since: None })
    }

    /// Follows the settings, and answers what is known already of what is new. The rest comes later.
    pub(crate) fn adjust(&mut self, settings: &Settings, now: u64) -> TrackerNews {
        let mut news = TrackerNews::default();
        self.adjust_files(settings, &mut news);
        self.adjust_processes(settings, &mut news);
        let mut before = std::mem::take(&mut self.watched);
        for tracker in &settings.trackers {
            let (name, source) = (tracker.figure.id(), tracker.source.clone());
            let same = |known: &Watched| known.name == name && is_same(&known.source, &source);
            let told = before.iter().position(same).and_then(|place| before.swap_remove(place).told);
            self.watched.push(Watched { name, source, told });
        }
        for watched in self.watched.iter_mut().filter(|watched| watched.told.is_none()) {
            let figure = match &watched.source {
                FigureSource::File { path, .. } => self.files.get(path).and_then(|file| file.number),
                FigureSource::Processes(pattern) => {
                    self.processes.as_ref().and_then(|processes| processes.count_of(pattern)).map(i64::from)
                }
            };
            if let Some(figure) = figure {
                watched.told = Some(figure);
                news.figures.push((watched.name.clone(), figure, FigureCause::Found));
            }
        }
        let all_seen = self.watched.iter().all(|watched| watched.told.is_some());
        self.unseen_since = if all_seen { None } else { self.unseen_since.or(Some(now)) };
        news
    }

    fn post(&self) -> Post {
        Post { sender: self.sender.clone(), bell: Arc::clone(&self.bell) }
    }

    fn adjust_files(&mut self, settings: &Settings, news: &mut TrackerNews) {
        let mut before = std::mem::take(&mut self.files);
        for tracker in &settings.trackers {
            let FigureSource::File { path, initial } = &tracker.source else { continue };
            if self.files.contains_key(path) {
                continue;
            }
            let file = before.remove(path).filter(|known| known._thread.is_some()).unwrap_or_else(|| {
                let thread = FileThread::start(path, *initial, self.post());
                let thread = thread.map_err(|error| {
                    let text = format!("track_file {}: {error}; it is not watched and counts as 0", path.display());
                    news.lines.push((Severity::Error, text));
                });
                // Nobody will ever know better.
                let number = thread.is_err().then_some(0);
                File { _thread: thread.ok(), number }
            });
            self.files.insert(path.clone(), file);
        }
    }

    fn adjust_processes(&mut self, settings: &Settings, news: &mut TrackerNews) {
        let mut patterns: Vec<ProcessPattern> = Vec::new();
        for tracker in &settings.trackers {
            if let FigureSource::Processes(pattern) = &tracker.source
                && !patterns.contains(pattern)
            {
                patterns.push(pattern.clone());
            }
        }
        let buffer = settings.process.births_buffer;
        let is_so_already = match &self.processes {
            Some(processes) => processes.patterns == patterns && processes.buffer == buffer,
            None => patterns.is_empty(),
        };
        if is_so_already {
            return;
        }
        self.generation += 1;
        self.processes = None;
        if patterns.is_empty() {
            return;
        }
        let thread = ProcessThread::start(&patterns, buffer, self.generation, self.post());
        let thread = thread.map_err(|error| {
            let text = format!("vrrp_track_process: {error}; processes are not watched and count as none");
            news.lines.push((Severity::Error, text));
        });
        let counts = thread.is_err().then(|| vec![0; patterns.len()]);
        self.processes = Some(Processes { _thread: thread.ok(), patterns, buffer, counts });
    }

    /// Waits for the first look at everything, but not for long, and answers what it was.
    pub(crate) fn wait_for_first_look(&mut self, now: u64) -> TrackerNews {
        let began = Instant::now();
        let mut news = TrackerNews::default();
        while self.unseen_since.is_some() {
            let left = FIRST_LOOK.saturating_sub(began.elapsed());
            match self.receiver.recv_timeout(left) {
                Ok(seen) => self.take(seen, &mut news),
                Err(_) => break,
            }
        }
        let rest = self.receive(now);
        news.figures.extend(rest.figures);
        news.lines.extend(rest.lines);
        news
    }

    /// Takes in what the threads have seen. Never waits.
    pub(crate) fn receive(&mut self, now: u64) -> TrackerNews {
        bell::silence(&self.woken);
        let mut news = TrackerNews::default();
        while let Ok(seen) = self.receiver.try_recv() {
            self.take(seen, &mut news);
        }
        if self.unseen_since.is_some_and(|since| since + UNSEEN <= now) {
            self.unseen_since = None;
            for watched in self.watched.iter_mut().filter(|watched| watched.told.is_none()) {
                watched.told = Some(0);
                news.figures.push((watched.name.clone(), 0, FigureCause::Found));
                let text = match &watched.source {
                    FigureSource::File { path, .. } => format!(
                        "nobody knows what stands in tracked file {}: its file system does not answer; it counts as 0 \
                         until then",
                        path.display()
                    ),
                    FigureSource::Processes(pattern) => {
                        format!("nobody knows how many processes {pattern} there are; it counts as none until then")
                    }
                };
                news.lines.push((Severity::Warning, text));
            }
        }
        news
    }

    /// When [`receive`](Self::receive) has something to say even if nobody rings.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.unseen_since.map(|since| since + UNSEEN)
    }

    fn take(&mut self, seen: News, news: &mut TrackerNews) {
        match seen {
            News::Line(told) => news.lines.push(told),
            News::Number { path, number } => {
                if let Some(file) = self.files.get_mut(&path) {
                    file.number = Some(number);
                }
                self.tell_of_file(&path, number, news);
            }
            News::Counts { generation, counts } => {
                if generation != self.generation {
                    return;
                }
                let Some(processes) = &mut self.processes else { return };
                processes.counts = Some(counts.clone());
                for (pattern, count) in processes.patterns.clone().iter().zip(counts) {
                    self.tell_of_processes(pattern, count, FigureCause::Found, false, news);
                }
            }
            News::Count { generation, pattern, count, cause } => {
                if generation != self.generation {
                    return;
                }
                let Some(processes) = &mut self.processes else { return };
                if let Some(known) = processes.counts.as_mut().and_then(|counts| counts.get_mut(pattern)) {
                    *known = count;
                }
                let Some(pattern) = processes.patterns.get(pattern).cloned() else { return };
                self.tell_of_processes(&pattern, count, cause, true, news);
            }
        }
        if self.watched.iter().all(|watched| watched.told.is_some()) {
            self.unseen_since = None;
        }
    }

    fn tell_of_file(&mut self, of: &Path, number: i64, news: &mut TrackerNews) {
        for watched in &mut self.watched {
            let is_it = matches!(&watched.source, FigureSource::File { path, .. } if path == of);
            if is_it && watched.told.replace(number) != Some(number) {
                news.figures.push((watched.name.clone(), number, FigureCause::Found));
            }
        }
    }

    /// `even_if_same`: a process that counted as forked may have become what it is by its own doing.
    fn tell_of_processes(
        &mut self,
        of: &ProcessPattern,
        count: u32,
        cause: FigureCause,
        even_if_same: bool,
        news: &mut TrackerNews,
    ) {
        let count = i64::from(count);
        for watched in &mut self.watched {
            let is_it = matches!(&watched.source, FigureSource::Processes(pattern) if pattern == of);
            if is_it && (watched.told.replace(count) != Some(count) || even_if_same) {
                news.figures.push((watched.name.clone(), count, cause));
            }
        }
    }
}

impl Processes {
    fn count_of(&self, pattern: &ProcessPattern) -> Option<u32> {
        let place = self.patterns.iter().position(|known| known == pattern)?;
        self.counts.as_ref()?.get(place).copied()
    }
}

/// Whether a figure comes from the same place. What was written at the start does not matter any more.
fn is_same(one: &FigureSource, other: &FigureSource) -> bool {
    match (one, other) {
        (FigureSource::File { path: one, .. }, FigureSource::File { path: other, .. }) => one == other,
        (FigureSource::Processes(one), FigureSource::Processes(other)) => one == other,
        (FigureSource::File { .. } | FigureSource::Processes(_), _) => false,
    }
}

impl AsFd for Trackers {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

/// What is tracked, for people: `tracked file load`.
pub(crate) fn words(tracker: &TrackerName) -> String {
    let kind = match tracker.kind {
        TrackerKind::File => "file",
        TrackerKind::Process => "process",
    };
    format!("tracked {kind} {}", tracker.name)
}

#[cfg(test)]
mod tests;
