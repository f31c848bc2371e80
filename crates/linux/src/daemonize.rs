//! Going to the background, and the pid files of those who are there.

#![allow(unsafe_code)]

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::error::refused;
use crate::socket_option::last_errno;
use crate::{Error, Result, public_place};

/// The way to let the waiting parent go.
#[derive(Debug)]
pub struct Readiness {
    parent: OwnedFd,
}

impl Readiness {
    /// Lets the process that the user started exit with this status, and lets go of the terminal: from now on the
    /// three standard streams are `/dev/null`, where there is one. Dropped without it, that process exits with 1.
    pub fn report(self, status: u8) {
        if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
            let null = null.as_fd();
            // Nothing depends on it: what is not replaced goes on pointing to the terminal.
            let _ = dup2_stdin(null).and(dup2_stdout(null)).and(dup2_stderr(null));
        }
        // If nobody waits any more, so be it.
        let _ = rustix::io::write(&self.parent, &[status]);
    }
}

/// Goes on in the background: a session of our own, not its leader, with `/` as working directory. Only the process in
/// the background returns; the one in front waits for [`Readiness::report`], and until then what we write to standard
/// error still reaches the terminal. Call it before the first thread exists.
pub fn to_background() -> Result<Readiness> {
    let (front, back) = pipe_with(PipeFlags::CLOEXEC).map_err(refused("open a pipe"))?;
    if fork()? {
        drop(back);
        std::process::exit(wait_for_status(&front));
    }
    drop(front);
    rustix::process::setsid().map_err(refused("begin a session"))?;
    // Who is not the leader of its session can never get a terminal by accident.
    if fork()? {
        // SAFETY: ends this intermediate process at once; it has nothing to flush or to tidy up.
        unsafe { libc::_exit(0) };
    }
    rustix::process::chdir("/").map_err(refused("change to /"))?;
    Ok(Readiness { parent: back })
}

/// Answers whether we are the parent.
fn fork() -> Result<bool> {
    // SAFETY: the caller has promised that there is no other thread, so that the child finds all locks free.
    match unsafe { libc::fork() } {
        -1 => Err(refused("fork")(last_errno())),
        0 => Ok(false),
        _ => Ok(true),
    }
}

fn wait_for_status(front: &OwnedFd) -> i32 {
    let mut status = [0];
    loop {
        match rustix::io::read(front, &mut status) {
            Err(Errno::INTR) => {}
            Ok(1) => return i32::from(status[0]),
            // It has died without a word.
            Ok(_) | Err(_) => return 1,
        }
    }
}

/// A pid file that is locked while its process lives: a stale one never blocks a start.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
    /// Children that were forked share the lock, but they must not remove the file.
    owner: u32,
}

/// Why a pid file is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidFileError {
    /// Another process lives and holds it.
    Held {
        path: PathBuf,
        pid: Option<u32>,
    },
    System(Error),
}

impl fmt::Display for PidFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PidFileError::Held { path, pid: Some(pid) } => {
                write!(f, "lock {}: process {pid} is running and holds it", path.display())
            }
            PidFileError::Held { path, pid: None } => {
                write!(f, "lock {}: another process is running and holds it", path.display())
            }
            PidFileError::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PidFileError {}

impl PidFile {
    /// Locks the file and writes our process id into it. Who goes to the background does so first.
    pub fn acquire(path: &Path) -> std::result::Result<PidFile, PidFileError> {
        let refuse = |what: &str, error: &std::io::Error| {
            PidFileError::System(Error::from_io(format!("{what} {}", path.display()), error))
        };
        loop {
            let mut options = OpenOptions::new();
            // Nobody may lead us to another file by a link.
            options.read(true).write(true).create(true).truncate(false).mode(0o644).custom_flags(libc::O_NOFOLLOW);
            let mut file = public_place::open(&mut options, path).map_err(|error| refuse("open", &error))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    let mut text = String::new();
                    let _ = file.read_to_string(&mut text);
                    return Err(PidFileError::Held { path: path.to_owned(), pid: text.trim().parse().ok() });
                }
                Err(errno) => return Err(refuse("lock", &errno.into())),
            }
            // Its former owner may have removed it between our opening and our locking it.
            if !is_same(&file, path) {
                continue;
            }
            let mut held = PidFile { path: path.to_owned(), file, owner: std::process::id() };
            // On a full disk there may be room for the file and not for what is in it. Dropped, the empty one goes.
            held.write_number().map_err(|error| refuse("write", &error))?;
            return Ok(held);
        }
    }

    fn write_number(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{}\n", self.owner).as_bytes())
    }

    /// Removes the file if it is still the one that we wrote. Dropping does the same.
    pub fn remove(self) {
        drop(self);
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if std::process::id() == self.owner && is_same(&self.file, &self.path) {
            // If it can't be removed, it is stale and in nobody's way.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("tanist-{name}-{}.pid", std::process::id()))
    }

    #[test]
    fn a_held_file_names_its_holder() {
        let path = place("held");
        let held = PidFile::acquire(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        let error = PidFile::acquire(&path).unwrap_err();
        assert_eq!(error, PidFileError::Held { path: path.clone(), pid: Some(std::process::id()) });
        held.remove();
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_blocks_nobody_and_is_overwritten() {
        let path = place("stale");
        // Longer than what replaces it, and the number of a process that lives.
        std::fs::write(&path, "1\nsome rubbish of a former time\n").unwrap();
        let held = PidFile::acquire(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_somebody_replaced_is_left_alone() {
        let path = place("replaced");
        let held = PidFile::acquire(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "another's").unwrap();
        drop(held);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "another's");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_link_is_not_followed() {
        let (path, target) = (place("link"), place("link-target"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(matches!(PidFile::acquire(&path), Err(PidFileError::System(_))));
        assert!(!target.exists());
        std::fs::remove_file(&path).unwrap();
    }
}
