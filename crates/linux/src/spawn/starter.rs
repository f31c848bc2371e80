//! Threads that start programs for another one.
//!
//! Whoever makes a child that borrows our memory stands still until the child has executed its program. The file may be on a
//! disk that stalls, on a network file system that is dead, or be looked at by a scanner first, and a loop that other nodes
//! listen to must not stand still meanwhile. So it has somebody who waits in its place.
//!
//! Each thread that starts programs has starters of its own. What a program inherits is so that of the thread which wanted it,
//! and the signal at the death of that thread comes when it should: its starters end with it.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::child::{Launched, Prepared, block_all_signals};
use crate::process_list::sleeps;

/// So long whoever wants a program waits to hear that it has been executed, or could not be.
const PATIENCE: Duration = Duration::from_millis(20);
/// So often, where a busy machine has not let it run: only what waits for its file is left alone with that.
const MOST_TURNS: u32 = 50;
const STACK_SIZE: usize = 64 * 1024;

thread_local! {
    static STARTERS: RefCell<Starters> = const { RefCell::new(Starters { idle: Vec::new(), busy: Vec::new() }) };
}

/// Those of one thread.
struct Starters {
    /// They stay: the death of one would be taken by its programs for that of the thread that wanted them.
    idle: Vec<Starter>,
    /// Their programs are not executed yet, and nobody waits for that any more.
    busy: Vec<Starter>,
}

struct Starter {
    jobs: Sender<Job>,
    answers: Receiver<Launched>,
}

struct Job {
    prepared: Prepared,
    /// Where the thread that wants it may run.
    processors: Option<CpuSet>,
}

/// Starts a child, and answers its process id when it has executed its program, or why it could not; or its process id when
/// it is still about to.
pub(super) fn launch(prepared: Prepared) -> Launched {
    // A thread that is ending has none any more; it starts nothing either.
    STARTERS.try_with(|starters| starters.borrow_mut().launch(prepared)).unwrap_or(Err(libc::EAGAIN))
}

impl Starters {
    fn launch(&mut self, mut prepared: Prepared) -> Launched {
        self.welcome_back();
        let Some(starter) = self.idle.pop().or_else(Starter::begin) else {
            // No thread to be had: then this one waits.
            return prepared.launch();
        };
        let born = prepared.born();
        let job = Job { prepared, processors: sched_getaffinity(None).ok() };
        if let Err(SendError(mut job)) = starter.jobs.send(job) {
            return job.prepared.launch();
        }
        let mut turns = 0;
        loop {
            match starter.answers.recv_timeout(PATIENCE) {
                Ok(launched) => {
                    self.idle.push(starter);
                    return launched;
                }
                Err(RecvTimeoutError::Timeout) => {
                    turns += 1;
                    if let Some(pid) = born.pid().filter(|pid| sleeps(*pid) || turns > MOST_TURNS) {
                        self.busy.push(starter);
                        return Ok((pid, None));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(libc::EAGAIN),
            }
        }
    }

    /// Who has come to an end with its program can have the next one.
    fn welcome_back(&mut self) {
        // What could not be executed has been told as its exit code.
        let back = self.busy.extract_if(.., |starter| starter.answers.try_recv().is_ok());
        self.idle.extend(back);
    }
}

impl Starter {
    /// `None` where there can be no further thread.
    fn begin() -> Option<Self> {
        let (jobs, their_jobs) = channel::<Job>();
        let (their_answers, answers) = channel();
        let work = move || {
            block_all_signals();
            let mut own = sched_getaffinity(None).ok();
            for mut job in their_jobs {
                if let Some(wanted) = job.processors.filter(|wanted| own != Some(*wanted)) {
                    own = sched_setaffinity(None, &wanted).is_ok().then_some(wanted);
                }
                if their_answers.send(job.prepared.launch()).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("tanist-starter".to_owned()).stack_size(STACK_SIZE);
        thread.spawn(work).ok().map(|_| Self { jobs, answers })
    }
}
