//! The scripts that run before everything else and after everything else (`startup_script`, `shutdown_script`). They are
//! waited for, with everything else at rest.

use std::time::Duration;

use linux::clock;
use linux::poll::{Interest, Poll};
use linux::process::signal_group;
use linux::signals::{Received, Signal, Signals};
use linux::spawn::{Exit, reap};
use linux::system_log::Severity;

use crate::notify::{Notifier, Told};

/// So long after it was asked to end, such a script is killed, in nanoseconds.
const AFTER_ASKING: u64 = 2_000_000_000;

/// One of the two.
#[derive(Clone, Debug)]
pub(crate) struct Bookend {
    /// `startup` or `shutdown`.
    pub(crate) of: &'static str,
    pub(crate) notifier: Notifier,
    pub(crate) timeout: Duration,
}

impl Bookend {
    /// Runs it and waits for its end. Answers whether the daemon was asked to stop meanwhile; then the script is, too.
    pub(crate) fn run(&self, signals: &mut Signals, tell: &mut impl FnMut(Told)) -> bool {
        let (of, command) = (self.of, &self.notifier.command);
        let mut poll = match Poll::new().and_then(|poll| poll.add(&*signals, 0, Interest::Readable).map(|()| poll)) {
            Ok(poll) => poll,
            Err(error) => {
                tell((Severity::Error, format!("{of} script {command}: {error}; it is not run")));
                return false;
            }
        };
        tell((Severity::Info, format!("Running {of} script {command}")));
        let child = match self.notifier.program.start() {
            Ok(child) => child,
            Err(error) => {
                tell((Severity::Error, format!("{of} script {command}: {error}")));
                return false;
            }
        };
        let mut run =
            Run { pid: child.pid, ends_at: clock::boot_time() + nanoseconds(self.timeout), stage: Stage::Running };
        let mut asked_to_stop = false;
        loop {
            if let Some(exit) = end_of(child.pid) {
                tell(self.ended(exit, run.stage));
                return asked_to_stop;
            }
            if asked_to_stop && run.stage == Stage::Running {
                run.advance();
            }
            let now = clock::boot_time();
            if now >= run.ends_at {
                if run.stage == Stage::Running {
                    tell((Severity::Warning, format!("{of} script timed out: {command} runs for {:?}", self.timeout)));
                }
                run.advance();
            }
            let left = Duration::from_nanos(run.ends_at.saturating_sub(now));
            // What cannot be waited for is looked at again soon.
            if poll.wait(Some(left)).is_err() {
                std::thread::sleep(Duration::from_millis(10));
            }
            let mut received = Vec::new();
            let _ = signals.receive(&mut received);
            asked_to_stop |=
                received.iter().any(|Received { signal, .. }| matches!(*signal, Signal::TERMINATE | Signal::INTERRUPT));
        }
    }

    fn ended(&self, exit: Exit, stage: Stage) -> Told {
        let (of, command) = (self.of, &self.notifier.command);
        match exit {
            Exit::Code(0) => (Severity::Info, format!("{of} script {command} succeeded")),
            Exit::Code(status) => (Severity::Warning, format!("{of} script {command} failed, status {status}")),
            Exit::Signal(signal) => {
                let what = if stage == Stage::Killed { "was killed" } else { "was ended" };
                (Severity::Warning, format!("{of} script {command} {what} by signal {signal}"))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    Asked,
    Killed,
}

struct Run {
    pid: u32,
    /// When something is done about it.
    ends_at: u64,
    stage: Stage,
}

impl Run {
    /// First kindly, then not.
    fn advance(&mut self) {
        let (signal, stage) = match self.stage {
            Stage::Running => (Signal::TERMINATE, Stage::Asked),
            Stage::Asked | Stage::Killed => (Signal::KILL, Stage::Killed),
        };
        // It may have ended by itself by now.
        let _ = signal_group(self.pid, signal);
        (self.stage, self.ends_at) = (stage, clock::boot_time() + AFTER_ASKING);
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// How it ended, if it has. Others that end now matter to nobody any more, or not yet.
fn end_of(script: u32) -> Option<Exit> {
    let mut found = None;
    reap(&mut |pid, exit| {
        if pid == script {
            found = Some(exit);
        }
    });
    found
}
