//! Where log lines end up: standard error, syslog, journald. Runs on the background thread.

use std::io::Write;
use std::time::Duration;

use linux::clock;
use linux::local_time::LocalTime;
use linux::system_log::{Journal, Sent, Severity, Syslog};

use crate::options::LogOptions;

/// Every place that was asked for and could be opened.
#[derive(Debug)]
pub(crate) struct Sinks {
    stderr: bool,
    syslog: Option<Syslog>,
    journal: Option<Journal>,
    /// Lines that syslog or the journal did not take since it last took one.
    refused: u64,
}

impl Sinks {
    /// Opens them. What cannot be opened is left out and reported in the second part.
    pub(crate) fn open(options: &LogOptions) -> (Self, Vec<linux::Error>) {
        let mut failures = Vec::new();
        let mut keep = |error| failures.push(error);
        let syslog =
            options.syslog.and_then(|facility| Syslog::open(&options.identity, facility).map_err(&mut keep).ok());
        let journal =
            options.journal.then(|| Journal::open(&options.identity)).and_then(|opened| opened.map_err(&mut keep).ok());
        let stderr = options.stderr || (options.journal && journal.is_none());
        (Self { stderr, syslog, journal, refused: 0 }, failures)
    }

    /// Writes one line everywhere. What the system log does not take is counted, and the count is told there later.
    pub(crate) fn write(&mut self, severity: Severity, text: &str) {
        if self.stderr {
            // Standard error has no buffer: one line, one system call, and never half a line.
            let line = format!("{} {text}\n", LocalTime::of(clock::real_time()));
            // Nobody is left to tell if standard error is gone.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        if self.refused > 0 {
            let report = format!("{} log lines were lost: the system log does not keep up", self.refused);
            if self.hand_on(Severity::Warning, &report) {
                self.refused = 0;
            }
        }
        if !self.hand_on(severity, text) {
            self.refused += 1;
        }
    }

    /// Whether everybody who is not us took the line. A full queue is waited for, as this thread may, but only while
    /// it moves at all.
    fn hand_on(&mut self, severity: Severity, text: &str) -> bool {
        let mut attempts = if self.refused == 0 { 50 } else { 1 };
        let (mut by_syslog, mut by_journal) = (self.syslog.is_none(), self.journal.is_none());
        loop {
            by_syslog =
                by_syslog || self.syslog.as_mut().is_some_and(|syslog| syslog.send(severity, text) == Sent::Yes);
            by_journal = by_journal
                || self.journal.as_mut().is_some_and(|journal| journal.send(severity, text, &[]) == Sent::Yes);
            attempts -= 1;
            if (by_syslog && by_journal) || attempts == 0 {
                return by_syslog && by_journal;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
