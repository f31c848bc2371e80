//! The thread that knows which number stands in one file.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use config::InitialNumber;
use linux::file_watch::FileWatch;
use linux::number_file::{self, Number};
use linux::poll::{Interest, Poll};
use linux::system_log::Severity;

use super::{News, Post};

/// What could not be read is read again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// Threads that hang stay until their file system answers, also when nobody needs them any more.
const MOST: usize = 256;

const NEWS: u64 = 0;
const LEAVE: u64 = 1;

/// How many of them there are.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Our end. When it is dropped, the thread goes as soon as it can.
#[derive(Debug)]
pub(super) struct FileThread {
    _leave: UnixStream,
}

impl FileThread {
    /// Starts the thread, which writes what it is told to and then looks at once. Signals must be blocked before.
    pub(super) fn start(path: &Path, initial: Option<InitialNumber>, post: Post) -> std::io::Result<Self> {
        let (leave, theirs) = UnixStream::pair()?;
        if THREADS.fetch_add(1, Ordering::Relaxed) >= MOST {
            THREADS.fetch_sub(1, Ordering::Relaxed);
            return Err(std::io::Error::other(format!("{MOST} threads that read tracked files are busy or hang")));
        }
        let place = Place { path: path.to_owned(), initial, post, leave: theirs, known: None, told: None };
        let started = std::thread::Builder::new().name("tanist-track".to_owned()).stack_size(128 * 1024).spawn(|| {
            place.work();
            THREADS.fetch_sub(1, Ordering::Relaxed);
        });
        started.map(|_| Self { _leave: leave }).inspect_err(|_| {
            THREADS.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

/// The thread's end.
struct Place {
    path: PathBuf,
    initial: Option<InitialNumber>,
    post: Post,
    leave: UnixStream,
    /// The number that counts.
    known: Option<i64>,
    /// What stood in the way last.
    told: Option<String>,
}

impl Place {
    fn work(mut self) {
        if let Some(InitialNumber { number, overwrite }) = self.initial {
            match number_file::write(&self.path, number, overwrite) {
                Ok(true) => self.post.tell(Severity::Info, format!("wrote {number} into {}", self.path.display())),
                Ok(false) => {}
                Err(error) => {
                    self.post.tell(Severity::Warning, format!("Unable to initialise track file: {error}"));
                }
            }
        }
        let path = self.path.clone();
        let paths = std::slice::from_ref(&path);
        let mut watch = FileWatch::open_for_content();
        let mut looked = watch.as_mut().map_err(|error| error.clone()).and_then(|watch| watch.watch(paths));
        loop {
            let is_sound = self.read(looked.err());
            if !self.wait(watch.as_mut().ok(), is_sound) {
                return;
            }
            looked = watch.as_mut().map_err(|error| error.clone()).and_then(|watch| watch.look());
        }
    }

    /// Reads, and says what is new. Returns whether the next change will be noticed.
    fn read(&mut self, failure: Option<linux::Error>) -> bool {
        let path = self.path.display();
        let until = |known: Option<i64>| format!("it counts as {} until then", known.unwrap_or(0));
        let trouble = match number_file::read(&self.path) {
            Ok(Number::Of(number)) => {
                if self.known.replace(number) != Some(number) {
                    self.post.send(News::Number { path: self.path.clone(), number });
                }
                failure.as_ref().map(|failure| {
                    format!("{failure}; changes of tracked file {path} are noticed up to {AGAIN:?} late")
                })
            }
            Ok(Number::TooLarge) => Some(format!("Invalid number read from {path} - ignoring; {}", until(self.known))),
            Err(error) => Some(format!("tracked file: {error}; {}", until(self.known))),
        };
        if self.known.is_none() {
            // What cannot be told from the start on counts as 0.
            self.known = Some(0);
            self.post.send(News::Number { path: self.path.clone(), number: 0 });
        }
        if trouble != self.told {
            match &trouble {
                Some(text) => self.post.tell(Severity::Warning, text.clone()),
                None => self.post.tell(Severity::Notice, format!("tracked file {path} can be read again")),
            }
            self.told = trouble;
        }
        self.told.is_none()
    }

    /// Waits until it is to be read again; `false` if nobody needs it any more.
    fn wait(&self, watch: Option<&mut FileWatch>, is_sound: bool) -> bool {
        self.wait_for_news(watch, is_sound).unwrap_or_else(|_| {
            std::thread::sleep(AGAIN);
            true
        })
    }

    fn wait_for_news(&self, mut watch: Option<&mut FileWatch>, is_sound: bool) -> linux::Result<bool> {
        let mut poll = Poll::new()?;
        poll.add(&self.leave, LEAVE, Interest::Readable)?;
        if let Some(watch) = &watch {
            poll.add(&**watch, NEWS, Interest::Readable)?;
        }
        let patience = if watch.is_some() && is_sound { None } else { Some(AGAIN) };
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
