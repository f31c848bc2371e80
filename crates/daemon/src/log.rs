//! Where log lines end up: standard error, syslog, journald. Runs on the background thread.
//!
//! Where a line would reach the journal as mere text, from standard error or from syslog, it is handed to journald
//! directly instead, and only once: so it keeps its id and the names of what it is about. Every other reader gets the
//! same text as ever.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use api::plain;
use linux::clock;
use linux::local_time::LocalTime;
use linux::public_place;
use linux::system_log::{Journal, Sent, Severity, Syslog, journal_has_syslog, journal_is_there, stderr_is_journal};

use crate::options::LogOptions;
use crate::words::kinds;

/// syslog's number for daemons.
const FACILITY_DAEMON: u8 = 3;

/// A line and what it is about.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) severity: Severity,
    pub(crate) text: String,
    /// One of [`kinds`].
    pub(crate) event: &'static str,
    pub(crate) instance: Option<String>,
    pub(crate) service: Option<String>,
}

impl Entry {
    /// A line that is about no event.
    pub(crate) const fn remark(severity: Severity, text: String) -> Self {
        Self { severity, text, event: kinds::DAEMON_REMARK, instance: None, service: None }
    }
}

/// Every place that was asked for and could be opened.
#[derive(Debug)]
pub(crate) struct Sinks {
    stderr: bool,
    syslog: Option<Syslog>,
    journal: Option<Journal>,
    file: Option<File>,
    facility: String,
    /// Lines that syslog or the journal did not take since it last took one.
    refused: u64,
}

impl Sinks {
    /// Opens them. What cannot be opened is left out and reported in the second part.
    pub(crate) fn open(options: &LogOptions) -> (Self, Vec<linux::Error>) {
        let mut failures = Vec::new();
        let mut keep = |error| failures.push(error);
        let stderr_is_journal = options.stderr && stderr_is_journal();
        // A syslog that is not journald's is still told, and may read the journal besides.
        let syslog_is_journal = options.syslog.is_some() && journal_is_there() && journal_has_syslog();
        let wanted = options.journal || stderr_is_journal || (options.syslog.is_some() && journal_is_there());
        let journal =
            wanted.then(|| Journal::open(&options.identity)).and_then(|opened| opened.map_err(&mut keep).ok());
        let has_journal = journal.is_some();
        let syslog = options.syslog.filter(|_| !(syslog_is_journal && has_journal));
        let syslog = syslog.and_then(|facility| Syslog::open(&options.identity, facility).map_err(&mut keep).ok());
        let stderr = (options.stderr && !(stderr_is_journal && has_journal)) || (options.journal && !has_journal);
        let facility = options.syslog.unwrap_or(FACILITY_DAEMON).to_string();
        let opened = options
            .file
            .as_ref()
            .map(|path| (path, public_place::open(OpenOptions::new().append(true).create(true).mode(0o600), path)));
        let file = opened.and_then(|(path, opened)| {
            let failed = |error| linux::Error::from_io(format!("open {}", path.display()), &error);
            opened.map_err(failed).map_err(|error| failures.push(error)).ok()
        });
        (Self { stderr, syslog, journal, file, facility, refused: 0 }, failures)
    }

    /// Writes one line everywhere. What the system log does not take is counted, and the count is told there later.
    pub(crate) fn write(&mut self, entry: &Entry) {
        // Whatever others say in it, it is one line.
        let text = plain(&entry.text);
        if self.stderr || self.file.is_some() {
            // Neither has a buffer: one line, one system call, and never half a line.
            let line = format!("{} {}\n", LocalTime::of(clock::real_time()), text);
            if self.stderr {
                // Nobody is left to tell if standard error is gone.
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            // The other places tell the same.
            let _ = self.file.as_mut().map(|file| file.write_all(line.as_bytes()));
        }
        if self.refused > 0 {
            let report = format!("{} log lines were lost: the system log does not keep up", self.refused);
            let report = Entry::remark(Severity::Warning, report);
            if self.hand_on(&report, &report.text) {
                self.refused = 0;
            }
        }
        if !self.hand_on(entry, &text) {
            self.refused += 1;
        }
    }

    /// Whether everybody who is not us took the line. A full queue is waited for, as this thread may, but only while
    /// it moves at all.
    fn hand_on(&mut self, entry: &Entry, text: &str) -> bool {
        let Self { syslog, journal, facility, refused, .. } = self;
        let message_id = kinds::message_id(entry.event);
        let mut fields = vec![
            ("SYSLOG_FACILITY", facility.as_str()),
            ("TANIST_EVENT", entry.event),
            ("MESSAGE_ID", message_id.as_str()),
        ];
        fields.extend(entry.instance.as_deref().map(|instance| ("TANIST_INSTANCE", instance)));
        fields.extend(entry.service.as_deref().map(|service| ("TANIST_SERVICE", service)));
        let mut attempts = if *refused == 0 { 50 } else { 1 };
        let (mut by_syslog, mut by_journal) = (syslog.is_none(), journal.is_none());
        let severity = entry.severity;
        loop {
            by_syslog = by_syslog || syslog.as_mut().is_some_and(|to| to.send(severity, text) == Sent::Yes);
            by_journal = by_journal || journal.as_mut().is_some_and(|to| to.send(severity, text, &fields) == Sent::Yes);
            attempts -= 1;
            if (by_syslog && by_journal) || attempts == 0 {
                return by_syslog && by_journal;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mail server that would like to be the daemon.
    #[test]
    fn what_others_say_is_a_part_of_one_line() {
        let path = std::env::temp_dir().join(format!("tanist-log-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let (mut sinks, failures) = Sinks::open(&LogOptions { file: Some(path.clone()), ..LogOptions::default() });
        assert!(failures.is_empty(), "{failures:?}");
        let reply = "550 5.7.1 \u{1b}[2J no\r\n2026-11-22 12:00:00.000 (VI_1) Entering MASTER STATE\u{2028}\u{202e}";
        sinks.write(&Entry::remark(Severity::Info, format!("mx.example says: {reply}")));
        sinks.write(&Entry::remark(Severity::Info, "Büro 2 → ready".to_owned()));
        let written = std::fs::read_to_string(&path).expect("it was written");
        std::fs::remove_file(&path).expect("it is ours");
        let lines: Vec<&str> = written.split_terminator('\n').collect();
        let [told, last] = lines.as_slice() else { panic!("{written:?}") };
        let shown = "\\u{1b}[2J no\\r\\n2026-11-22 12:00:00.000 (VI_1) Entering MASTER STATE\\u{2028}\\u{202e}";
        assert!(told.ends_with(&format!(" mx.example says: 550 5.7.1 {shown}")), "{told}");
        assert!(last.ends_with(" Büro 2 → ready"), "{last}");
    }
}
