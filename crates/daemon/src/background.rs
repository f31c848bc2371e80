//! The thread that may be slow: it writes log lines, dump files and the engine's record, so that the loop never waits
//! for a console, a syslogd or a disk. Its queue is bounded; what does not fit is counted, and the count is told. A record
//! is never lost: the newest one takes the place of one that still waits.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use config::Expanded;
use engine::Record;
use linux::system_log::Severity;

use crate::log::{Entry, Sinks};
use crate::{record, written_file};

/// Lines that may wait. A failover of 250 instances tells some 3 000.
const CAPACITY: usize = 8192;
/// How long an ending daemon waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(1);

/// Something slow to be done.
#[derive(Debug)]
pub(crate) enum Job {
    Line(Entry),
    /// Replaces a file at once and follows no link; with these permissions.
    File(PathBuf, String, u32),
    /// Puts a file of this name into a directory, which is made if need be.
    Keep(PathBuf, String, Expanded),
    /// Removes a file.
    Remove(PathBuf),
    /// Saves the record that waits beside the queue.
    Record,
    /// Nothing comes any more.
    End,
}

/// With it another thread tells something.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    sender: Sender<Job>,
    load: Arc<Load>,
}

impl Voice {
    pub(crate) fn say(&self, severity: Severity, text: String) {
        queue(&self.sender, &self.load, Job::Line(Entry::remark(severity, text)));
    }
}

#[cfg(test)]
impl Voice {
    /// One that is heard by a test.
    pub(crate) fn heard() -> (Self, Receiver<Job>) {
        let (sender, receiver) = channel();
        (Self { sender, load: Arc::default() }, receiver)
    }
}

/// Hands a job over, or counts it as lost.
fn queue(sender: &Sender<Job>, load: &Load, job: Job) {
    // Some at once may each see room for the last one: the bound need not be exact.
    if load.waiting.load(Ordering::Relaxed) >= CAPACITY {
        load.lost.fetch_add(1, Ordering::Relaxed);
        return;
    }
    load.waiting.fetch_add(1, Ordering::Relaxed);
    // The thread ends only after it was told to.
    let _ = sender.send(job);
}

/// The loop's end of the queue.
#[derive(Debug)]
pub(crate) struct Background {
    voice: Voice,
    thread: Option<JoinHandle<()>>,
}

/// What both ends know of the queue. It grows only when it is used: a channel of fixed size would cost half a
/// megabyte from the start.
#[derive(Debug, Default)]
struct Load {
    waiting: AtomicUsize,
    lost: AtomicU64,
    /// The directory and the text of a record that is to be saved. While there is one, a job for it is in the queue.
    record: Mutex<Option<(PathBuf, String)>>,
}

impl Background {
    /// Starts the thread. Signals must be blocked before.
    pub(crate) fn start(sinks: Sinks) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let load = Arc::new(Load::default());
        let theirs = Arc::clone(&load);
        let thread = std::thread::Builder::new()
            .name("tanist-log".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || work(&receiver, sinks, &theirs))?;
        Ok(Self { voice: Voice { sender, load }, thread: Some(thread) })
    }

    /// Hands a job over, or counts it as lost. Never waits.
    pub(crate) fn hand_over(&self, job: Job) {
        queue(&self.voice.sender, &self.voice.load, job);
    }

    /// For another thread.
    pub(crate) fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Has a record saved, instead of one that still waits. Waits for nothing but a moment's lock.
    pub(crate) fn save_record(&self, directory: &Path, record: &Record) {
        let next = (directory.to_owned(), record::text(record));
        let Voice { sender, load } = &self.voice;
        if load.record.lock().unwrap_or_else(PoisonError::into_inner).replace(next).is_none() {
            load.waiting.fetch_add(1, Ordering::Relaxed);
            let _ = sender.send(Job::Record);
        }
    }

    /// Lets the thread finish, but not for ever.
    pub(crate) fn finish(mut self) {
        self.voice.load.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.voice.sender.send(Job::End);
        let Some(thread) = self.thread.take() else { return };
        let until = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn work(receiver: &Receiver<Job>, mut sinks: Sinks, load: &Load) {
    // Why the record could not be saved, as far as it was told.
    let mut told = None;
    while let Ok(job) = receiver.recv() {
        load.waiting.fetch_sub(1, Ordering::Relaxed);
        // Lines may have to wait for whoever reads them; what must not be forgotten does not wait for lines.
        save_record(&mut sinks, load, &mut told);
        let missed = load.lost.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let text = format!("{missed} log lines were lost: the log does not keep up");
            sinks.write(&Entry::remark(Severity::Warning, text));
        }
        match job {
            Job::Line(entry) => sinks.write(&entry),
            Job::File(path, content, mode) => {
                tell(&mut sinks, "write", &path, written_file::replace(&path, &content, mode))
            }
            Job::Keep(directory, name, content) => {
                tell(
                    &mut sinks,
                    "write",
                    &directory.join(&name),
                    written_file::keep_in(&directory, &name, content.text()),
                );
            }
            Job::Remove(path) => tell(&mut sinks, "remove", &path, std::fs::remove_file(&path)),
            // It was saved above, or with a job before it.
            Job::Record => {}
            Job::End => return,
        }
    }
}

fn tell(sinks: &mut Sinks, what: &str, path: &Path, done: std::io::Result<()>) {
    if let Err(error) = done {
        sinks.write(&Entry::remark(Severity::Error, format!("{what} {}: {error}", path.display())));
    }
}

/// Saves the record that waits, if one does.
fn save_record(sinks: &mut Sinks, load: &Load, told: &mut Option<String>) {
    let next = load.record.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some((directory, text)) = next else { return };
    let failure = record::save(&directory, &text).err().map(|error| error.to_string());
    if failure == *told {
        return;
    }
    let place = directory.display();
    match &failure {
        // A disk that is read-only stays so: told once.
        Some(error) => {
            let text = format!("save the record in {place}: {error}; going on, but a restart would forget it");
            sinks.write(&Entry::remark(Severity::Error, text));
        }
        None => sinks.write(&Entry::remark(Severity::Notice, format!("the record in {place} is saved again"))),
    }
    *told = failure;
}
