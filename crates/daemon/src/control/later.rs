//! A control socket that can't be opened when the daemon starts: a disk that is full or read-only, another daemon that
//! still has the place. A thread tries again until it can, so that nobody has to restart a daemon that does its work, and
//! no advertisement waits for that disk.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::Control;
use super::listening::Listening;

/// How long after one attempt the next one follows.
const AGAIN: Duration = Duration::from_secs(5);

/// Readable when the socket is open.
#[derive(Debug)]
pub(crate) struct Later {
    opened: Receiver<Listening>,
    done: UnixStream,
}

impl AsFd for Later {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.done.as_fd()
    }
}

impl Later {
    /// Begins to try. Signals must be blocked before, because this starts a thread.
    pub(crate) fn start(path: &Path) -> linux::Result<Self> {
        Self::start_after(path, AGAIN)
    }

    fn start_after(path: &Path, again: Duration) -> linux::Result<Self> {
        let failed = |error: std::io::Error| linux::Error::from_io("try again to open the control socket", &error);
        let (done, mut signal) = UnixStream::pair().map_err(failed)?;
        done.set_nonblocking(true).map_err(failed)?;
        let (sender, opened) = channel();
        let path = path.to_owned();
        let attempts = move || {
            loop {
                std::thread::sleep(again);
                // Why it can't be opened was told the first time.
                if let Ok(listening) = Listening::open(&path) {
                    // The receiver goes away only with the daemon.
                    let _ = sender.send(listening);
                    let _ = signal.write_all(b"!");
                    return;
                }
            }
        };
        std::thread::Builder::new().name("tanist-control".to_owned()).spawn(attempts).map_err(failed)?;
        Ok(Self { opened, done })
    }

    /// The control socket, once it is open; afterwards there is nothing more to come.
    pub(crate) fn finish(&mut self) -> Option<linux::Result<Control>> {
        // It may have been written and not be here yet, or be here and not written yet: both come.
        let _ = self.done.read(&mut [0]);
        self.opened.try_recv().ok().map(Control::begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_until_it_can_be_opened() {
        let directory = std::env::temp_dir().join(format!("tanist-later-{}", std::process::id()));
        let path = directory.join("control.sock");
        // No directory can be made where a file is.
        std::fs::write(&directory, "").expect("write");
        assert!(Control::start(&path).is_err());
        let mut later = Later::start_after(&path, Duration::from_millis(1)).expect("a thread");
        std::thread::sleep(Duration::from_millis(20));
        assert!(later.finish().is_none());
        std::fs::remove_file(&directory).expect("make room");
        later.done.set_nonblocking(false).expect("wait for it");
        let control = loop {
            if let Some(control) = later.finish() {
                break control;
            }
        };
        let control = control.expect("it is open");
        assert!(UnixStream::connect(&path).is_ok());
        control.finish(Duration::from_secs(1));
        std::fs::remove_dir_all(&directory).expect("clean up");
    }
}
