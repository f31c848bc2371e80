//! A thread that knows whether one file is there. A file system whose server is lost holds up this thread and nobody else.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linux::clock;
use linux::file_watch::{FileWatch, is_there};
use linux::poll::{Interest, Poll};

use crate::bell::Bell;

/// What could not be seen is looked at again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// Threads that hang stay until their file system answers, also when nobody needs them any more.
const MOST: usize = 64;

const NEWS: u64 = 0;
const LEAVE: u64 = 1;

/// How many of them there are.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Our end. When it is dropped, the thread goes as soon as it can.
#[derive(Debug)]
pub(super) struct Watcher {
    sight: Arc<Mutex<Sight>>,
    _leave: UnixStream,
}

/// What it knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// Whether the file is there, as far as that was ever seen.
    pub(super) present: Option<bool>,
    /// When the look began that is under way, in nanoseconds of the boot-time clock; or since when looks have failed.
    pub(super) unseen_since: Option<u64>,
    /// Why changes are not noticed at once.
    pub(super) failure: Option<String>,
}

impl Watcher {
    /// Starts the thread, which looks at once. Signals must be blocked before.
    pub(super) fn start(path: &Path, bell: &Arc<Bell>) -> std::io::Result<Self> {
        let (leave, theirs) = UnixStream::pair()?;
        let sight = Sight { unseen_since: Some(clock::boot_time()), ..Sight::default() };
        let sight = Arc::new(Mutex::new(sight));
        if THREADS.fetch_add(1, Ordering::Relaxed) >= MOST {
            THREADS.fetch_sub(1, Ordering::Relaxed);
            return Err(std::io::Error::other(format!("{MOST} threads that watch files are busy or hang")));
        }
        let place = Place { path: path.to_owned(), sight: Arc::clone(&sight), bell: Arc::clone(bell), leave: theirs };
        let started = std::thread::Builder::new().name("tanist-file".to_owned()).stack_size(128 * 1024).spawn(|| {
            place.work();
            THREADS.fetch_sub(1, Ordering::Relaxed);
        });
        match started {
            Ok(_) => Ok(Self { sight, _leave: leave }),
            Err(error) => {
                THREADS.fetch_sub(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    pub(super) fn sight(&self) -> Sight {
        lock(&self.sight).clone()
    }
}

/// The thread's end.
struct Place {
    path: PathBuf,
    sight: Arc<Mutex<Sight>>,
    bell: Arc<Bell>,
    leave: UnixStream,
}

impl Place {
    fn work(self) {
        let paths = std::slice::from_ref(&self.path);
        let mut watch = FileWatch::open();
        let mut looked = watch.as_mut().map_err(|error| error.clone()).and_then(|watch| watch.watch(paths));
        loop {
            let present = match &watch {
                Ok(watch) => watch.is_known(&self.path).then(|| watch.is_there(&self.path)),
                // Without inotify it is seen when it is looked at.
                Err(_) => is_there(&self.path),
            };
            self.note(present, looked.err().map(|error| error.to_string()));
            if !self.wait(watch.as_mut().ok(), present.is_some()) {
                return;
            }
            lock(&self.sight).unseen_since.get_or_insert_with(clock::boot_time);
            self.bell.ring();
            looked = watch.as_mut().map_err(|error| error.clone()).and_then(|watch| watch.look());
        }
    }

    fn note(&self, present: Option<bool>, failure: Option<String>) {
        let mut sight = lock(&self.sight);
        sight.failure = failure;
        if present.is_some() {
            (sight.present, sight.unseen_since) = (present, None);
        }
        drop(sight);
        self.bell.ring();
    }

    /// Waits until it is to be looked again; `false` if nobody needs it any more.
    fn wait(&self, watch: Option<&mut FileWatch>, seen: bool) -> bool {
        self.wait_for_news(watch, seen).unwrap_or_else(|_| {
            std::thread::sleep(AGAIN);
            true
        })
    }

    fn wait_for_news(&self, mut watch: Option<&mut FileWatch>, seen: bool) -> linux::Result<bool> {
        let mut poll = Poll::new()?;
        poll.add(&self.leave, LEAVE, Interest::Readable)?;
        if let Some(watch) = &watch {
            poll.add(&**watch, NEWS, Interest::Readable)?;
        }
        let patience = if watch.is_some() && seen { None } else { Some(AGAIN) };
        loop {
            let ready: Vec<u64> = poll.wait(patience)?.collect();
            if ready.contains(&LEAVE) {
                return Ok(false);
            }
            match &mut watch {
                Some(watch) if ready.contains(&NEWS) => {
                    if watch.has_news()? {
                        return Ok(true);
                    }
                }
                Some(_) | None => return Ok(true),
            }
        }
    }
}

fn lock(sight: &Mutex<Sight>) -> MutexGuard<'_, Sight> {
    // Nothing can panic while it is held.
    sight.lock().unwrap_or_else(PoisonError::into_inner)
}
