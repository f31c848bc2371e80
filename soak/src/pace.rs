//! How long this machine needs to start a program that does nothing, asked twice a second. Where that takes longer, so does
//! the start of a daemon or a service, which no daemon can help.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rehearse::lab::Moment;

use crate::failure::{Failure, Result};
use crate::holders::Sightings;

const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Pace {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pace {
    /// Begins to ask.
    pub(crate) fn watch(sightings: &Sightings) -> Result<Self> {
        let leave = Arc::new(AtomicBool::new(false));
        let (asked, sightings) = (leave.clone(), sightings.clone());
        let look = move || {
            while !asked.load(Ordering::Acquire) {
                let began = Moment::now();
                // Where there is no such program nothing is forgiven for it.
                if Command::new("true").stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok() {
                    let now = Moment::now();
                    sightings.add_start(now, now.since(began));
                }
                thread::park_timeout(PAUSE);
            }
        };
        let builder = thread::Builder::new().name("pace".to_owned());
        let thread = builder.spawn(look).map_err(Failure::during("start a thread"))?;
        Ok(Self { leave, thread: Some(thread) })
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}
