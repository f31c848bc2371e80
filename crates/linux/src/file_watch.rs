//! Watching whether files are there, and whether they are written: inotify on the directories that lead to them, one
//! descriptor for all.
//!
//! A file is there if its directory has an entry of that name, whatever it is; a link is not followed. Every directory
//! on the way that exists is watched, so one that is made, moved or removed later is noticed. What inotify cannot tell,
//! a file system mounted over a directory or a change behind a link to a directory, is found by [`FileWatch::look`].
//!
//! To look is to ask the file system, and one whose server is lost answers late or never: [`FileWatch::watch`],
//! [`FileWatch::look`] and [`FileWatch::receive`] are no work for a loop that must not wait.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::error::refused;
use crate::{Error, Result};

/// A set of files that is watched. Its descriptor is readable when there may be changes.
#[derive(Debug)]
pub struct FileWatch {
    inotify: OwnedFd,
    files: Vec<File>,
    /// What matters in each directory that is watched, by the kernel's number of the watch.
    directories: BTreeMap<i32, BTreeSet<OsString>>,
    /// What stands in the files matters, too.
    content: bool,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    absolute: PathBuf,
    present: bool,
    /// The last look could tell.
    known: bool,
}

impl FileWatch {
    /// Opens it; nothing is watched yet.
    pub fn open() -> Result<FileWatch> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .map_err(refused("open an inotify descriptor"))?;
        Ok(FileWatch { inotify, files: Vec::new(), directories: BTreeMap::new(), content: false })
    }

    /// As [`open`](Self::open), but that a file was written and closed is news, too, or that somebody else may read it;
    /// also of what a link leads to.
    pub fn open_for_content() -> Result<FileWatch> {
        Ok(FileWatch { content: true, ..FileWatch::open()? })
    }

    /// Sets which files are watched from now on, and looks.
    pub fn watch(&mut self, paths: &[PathBuf]) -> Result<()> {
        self.files.clear();
        for path in paths {
            let absolute = std::path::absolute(path)
                .map_err(|error| Error::from_io(format!("watch {}", path.display()), &error))?;
            self.files.push(File { path: path.clone(), absolute, present: false, known: false });
        }
        self.look()
    }

    /// Whether the file of this path, as it was given, was there when it was looked at last. One that is not watched is
    /// not.
    pub fn is_there(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.path == path && file.present)
    }

    /// Whether the last look could tell about the file of this path. If not, what is said about it is older.
    pub fn is_known(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.path == path && file.known)
    }

    /// Takes in what the kernel has told, and looks if that may matter.
    pub fn receive(&mut self) -> Result<()> {
        if self.has_news()? { self.look() } else { Ok(()) }
    }

    /// Looks whether each file is there, whatever the kernel has told.
    pub fn look(&mut self) -> Result<()> {
        // First the ear, then the look: nothing can happen unnoticed in between.
        let watched = self.watch_directories();
        for file in &mut self.files {
            // What cannot be told, for want of a permission for instance, is as it was.
            let seen = is_there(&file.absolute);
            (file.present, file.known) = (seen.unwrap_or(file.present), seen.is_some());
        }
        watched
    }

    /// Takes in what the kernel has told. `true` if it may matter, so that somebody should look. Never waits.
    pub fn has_news(&mut self) -> Result<bool> {
        let mut matters = false;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(matters),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(refused("read inotify events")(errno)),
            };
            matters |= match (self.directories.get(&event.wd()), event.file_name()) {
                // Events were lost.
                _ if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => true,
                (Some(names), Some(name)) => names.contains(OsStr::from_bytes(name.to_bytes())),
                // The directory itself.
                (Some(_), None) => true,
                // It is not watched any more.
                (None, _) => false,
            };
        }
    }

    /// Watches every directory on the way to a file that exists, and no other.
    fn watch_directories(&mut self) -> Result<()> {
        const CONTENT: WatchFlags = WatchFlags::CLOSE_WRITE.union(WatchFlags::ATTRIB);
        const EVENTS: WatchFlags = WatchFlags::CREATE
            .union(WatchFlags::CLOSE_WRITE)
            .union(WatchFlags::DELETE)
            .union(WatchFlags::MOVED_FROM)
            .union(WatchFlags::MOVED_TO)
            .union(WatchFlags::DELETE_SELF)
            .union(WatchFlags::MOVE_SELF)
            .union(WatchFlags::ONLYDIR);
        let events = if self.content { EVENTS.union(CONTENT) } else { EVENTS };
        let mut directories: BTreeMap<i32, BTreeSet<OsString>> = BTreeMap::new();
        for file in &self.files {
            let way: Vec<&Path> = file.absolute.ancestors().collect();
            // From the top: what is made below a directory that is watched already is told.
            for step in way.windows(2).rev() {
                let (Some(name), directory) = (step[0].file_name(), step[1]) else { continue };
                match inotify::add_watch(&self.inotify, directory, events) {
                    Ok(number) => {
                        directories.entry(number).or_default().insert(name.to_owned());
                    }
                    // What is not there is watched once it is. What may not be looked into can't be.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => {}
                    Err(errno) => {
                        return Err(Error::new(format!("watch {}", directory.display()), errno.raw_os_error()));
                    }
                }
            }
        }
        // A link leads to what is written elsewhere. One that cannot be watched itself is watched by its directory.
        for file in self.files.iter().filter(|_| self.content) {
            let own = CONTENT.union(WatchFlags::DELETE_SELF).union(WatchFlags::MOVE_SELF).union(WatchFlags::MASK_ADD);
            if let Ok(number) = inotify::add_watch(&self.inotify, &file.absolute, own) {
                directories.entry(number).or_default();
            }
        }
        for gone in self.directories.keys().filter(|number| !directories.contains_key(number)) {
            // One that was removed takes its watch along.
            let _ = inotify::remove_watch(&self.inotify, *gone);
        }
        self.directories = directories;
        Ok(())
    }
}

impl AsFd for FileWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Whether a file is there, now; `None` if nobody can tell.
pub fn is_there(path: &Path) -> Option<bool> {
    match rustix::fs::lstat(path) {
        Ok(_) => Some(true),
        Err(Errno::NOENT | Errno::NOTDIR) => Some(false),
        Err(_) => None,
    }
}
