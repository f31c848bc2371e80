//! The files that say which process the daemon is: written before anything else, and held as long as it lives. Where one can't
//! be written yet, on a disk that is full or still read-only, a thread tries again until it can: who looks for the daemon
//! there expects to find it, and nobody should have to restart it for that.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linux::Error;
use linux::daemonize::{PidFile, PidFileError};
use linux::system_log::Severity;

use crate::background::Voice;

/// How long after one attempt the next one follows.
const AGAIN: Duration = Duration::from_secs(5);

/// Those that are held, and those that could not be written. Dropped, the files are removed.
#[derive(Debug)]
pub(crate) struct HeldPidFiles {
    /// `None` once the daemon is about to end.
    held: Arc<Mutex<Option<Vec<PidFile>>>>,
    missing: Vec<PathBuf>,
}

/// Another process lives and holds one of them.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) path: PathBuf,
    pub(crate) pid: Option<u32>,
}

impl HeldPidFiles {
    /// Writes all that can be written, and answers why the others could not.
    pub(crate) fn acquire(paths: &[PathBuf]) -> Result<(Self, Vec<Error>), Held> {
        let (mut held, mut missing, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            match acquire(path) {
                Ok(file) => held.push(file),
                Err(PidFileError::Held { path, pid }) => return Err(Held { path, pid }),
                Err(PidFileError::System(error)) => {
                    missing.push(path.clone());
                    reasons.push(error);
                }
            }
        }
        Ok((Self { held: Arc::new(Mutex::new(Some(held))), missing }, reasons))
    }

    /// From now on those that are missing are tried again. Signals must be blocked before, because this may start a thread.
    pub(crate) fn try_again(&mut self, voice: Voice) {
        self.try_again_after(AGAIN, voice);
    }

    fn try_again_after(&mut self, again: Duration, voice: Voice) {
        let missing = std::mem::take(&mut self.missing);
        if missing.is_empty() {
            return;
        }
        let (held, told) = (Arc::clone(&self.held), voice.clone());
        let builder = std::thread::Builder::new().name("tanist-pid-file".to_owned()).stack_size(128 * 1024);
        if let Err(error) = builder.spawn(move || attempts(missing, again, &held, &told)) {
            voice.say(Severity::Warning, format!("start a thread: {error}; pid files are not tried again"));
        }
    }
}

impl Drop for HeldPidFiles {
    fn drop(&mut self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn attempts(mut missing: Vec<PathBuf>, again: Duration, held: &Mutex<Option<Vec<PidFile>>>, voice: &Voice) {
    let mut told_held = false;
    while !missing.is_empty() {
        std::thread::sleep(again);
        let mut ended = false;
        missing.retain(|path| match acquire(path) {
            Ok(file) => {
                match held.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                    Some(files) => files.push(file),
                    // Dropped, it is gone again.
                    None => ended = true,
                }
                if !ended {
                    voice.say(Severity::Notice, format!("The pid file {} is written", path.display()));
                }
                false
            }
            Err(error @ PidFileError::Held { .. }) => {
                if !std::mem::replace(&mut told_held, true) {
                    voice.say(
                        Severity::Warning,
                        format!("{error}; this daemon has had no pid file, and two may run now"),
                    );
                }
                true
            }
            // Why it can't be written was told the first time.
            Err(PidFileError::System(_)) => true,
        });
        if ended {
            return;
        }
    }
}

fn acquire(path: &Path) -> Result<PidFile, PidFileError> {
    if let Some(directory) = path.parent() {
        // Why it can't be made is told by the next step, which needs it.
        let _ = DirBuilder::new().recursive(true).mode(0o755).create(directory);
    }
    PidFile::acquire(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::Job;

    #[test]
    fn it_is_tried_until_it_can_be_written() {
        let directory = std::env::temp_dir().join(format!("tanist-pid-files-{}", std::process::id()));
        let path = directory.join("daemon.pid");
        // No directory can be made where a file is.
        std::fs::write(&directory, "").expect("write");
        let (mut files, reasons) = HeldPidFiles::acquire(std::slice::from_ref(&path)).expect("nobody holds it");
        assert_eq!(reasons.len(), 1);
        let (voice, lines) = Voice::heard();
        files.try_again_after(Duration::from_millis(1), voice);
        std::thread::sleep(Duration::from_millis(20));
        assert!(lines.try_recv().is_err());
        std::fs::remove_file(&directory).expect("make room");
        // It is said once it is done.
        let said = lines.recv_timeout(Duration::from_secs(60)).expect("a line");
        assert!(matches!(&said, Job::Line(_)) && format!("{said:?}").contains("is written"), "{said:?}");
        let number = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(number.trim().parse(), Ok(std::process::id()));
        drop(files);
        assert!(!path.exists());
        std::fs::remove_dir_all(&directory).expect("clean up");
    }
}
