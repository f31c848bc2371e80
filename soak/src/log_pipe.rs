//! The pipe into which a daemon writes its log, with a reader that can stop reading.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rehearse::lab::{HOST_DIR, Host, Journal, Moment, Seen};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use crate::failure::{Failure, Result};

/// Its name in [`HOST_DIR`].
pub(crate) const NAME: &str = "daemon.log";

#[derive(Debug)]
pub(crate) struct LogPipe {
    pipe: File,
    blocked: Arc<AtomicBool>,
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LogPipe {
    /// Makes it in the host; its lines go to the journal.
    pub(crate) fn make(host: &Host, journal: &Journal) -> Result<Self> {
        let opened = host.run(|| -> std::io::Result<File> {
            let path = format!("{HOST_DIR}/{NAME}");
            mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
            // For writing, too: so there is always a reader, and never an end.
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path)
        })?;
        let pipe = opened.map_err(Failure::during(format!("make the log of {}", host.name())))?;
        let mut reader = pipe.try_clone().map_err(Failure::during("open the log again"))?;
        let [blocked, leave] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let (stopped, asked, journal) = (blocked.clone(), leave.clone(), journal.clone());
        let (host, program): (Arc<str>, Arc<str>) = (host.name().into(), "daemon".into());
        let thread = thread::spawn(move || {
            let mut rest = Vec::new();
            let mut buffer = [0; 4096];
            while !asked.load(Ordering::Acquire) {
                if stopped.load(Ordering::Acquire) || !is_readable(&reader) {
                    thread::sleep(Duration::from_millis(5));
                    continue;
                }
                let Ok(length) = reader.read(&mut buffer) else { continue };
                rest.extend_from_slice(&buffer[..length]);
                while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    if !text.is_empty() {
                        journal.add(Moment::now(), &host, Seen::Line { program: program.clone(), text });
                    }
                }
            }
        });
        Ok(Self { pipe, blocked, leave, thread: Some(thread) })
    }

    /// From now on nobody reads, and there is no room for another octet.
    pub(crate) fn block(&mut self) {
        self.blocked.store(true, Ordering::Release);
        // Empty lines: they mean nothing to whoever reads them later.
        while self.pipe.write(&[b'\n'; 4096]).is_ok() {}
        while self.pipe.write(b"\n").is_ok() {}
    }

    /// It is read again.
    pub(crate) fn unblock(&self) {
        self.blocked.store(false, Ordering::Release);
    }
}

fn is_readable(pipe: &File) -> bool {
    let while_ = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&while_)).is_ok_and(|ready| ready > 0)
}

impl Drop for LogPipe {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}
