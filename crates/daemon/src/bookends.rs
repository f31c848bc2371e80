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
    /// Runs it and waits for its end. Answers whether the daemon was asked to stop meanwhile; then the script is, too. Other
    /// signals wait for the loop: all are blocked, and here is read only what matters here.
    pub(crate) fn run(&self, ignore_interrupt: bool, tell: &mut impl FnMut(Told)) -> bool {
        let (of, command) = (self.of, &self.notifier.command);
        let stops = [Signal::TERMINATE, Signal::INTERRUPT, Signal::QUIT].into_iter();
        let stops = stops.filter(|signal| asks_to_stop(*signal, ignore_interrupt));
        let watched = Signals::block(&stops.chain([Signal::CHILD]).collect::<Vec<_>>()).and_then(|signals| {
            let poll = Poll::new()?;
            poll.add(&signals, 0, Interest::Readable)?;
            Ok((signals, poll))
        });
        let (mut signals, mut poll) = match watched {
            Ok(watched) => watched,
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
            asked_to_stop |= received.iter().any(|Received { signal, .. }| asks_to_stop(*signal, ignore_interrupt));
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

/// Whether a signal asks the daemon to stop.
pub(crate) fn asks_to_stop(signal: Signal, ignore_interrupt: bool) -> bool {
    match signal {
        Signal::TERMINATE | Signal::QUIT => true,
        Signal::INTERRUPT => !ignore_interrupt,
        Signal(_) => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_signals_ask_to_stop() {
        let asking = |ignore_interrupt| {
            let all = Signal::all_that_end_a_process().into_iter();
            all.filter(|signal| asks_to_stop(*signal, ignore_interrupt)).collect::<Vec<_>>()
        };
        assert_eq!(asking(false), [Signal::INTERRUPT, Signal::QUIT, Signal::TERMINATE]);
        assert_eq!(asking(true), [Signal::QUIT, Signal::TERMINATE]);
    }
}
