//! A program that reads a pipe: started with it, again when it ends, and asked to end only after the pipe has ended.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use config::NotifyScript;
use linux::process::signal_group;
use linux::signals::Signal;
use linux::spawn::Exit;
use linux::system_log::Severity;

use super::Around;
use crate::children::Purpose;
use crate::notify::Notifier;

const SECOND: u64 = 1_000_000_000;
/// The longest time until it is started again, in nanoseconds.
const LONGEST_PAUSE: u64 = 60 * SECOND;
/// Who has run for so long is started again soon, in nanoseconds.
const SOUND: u64 = 60 * SECOND;
/// So long after the end of the pipe it may go on before it is asked to end, in nanoseconds.
const AFTER_THE_END: u64 = SECOND / 2;
/// So long after it was asked it is killed, in nanoseconds.
const AFTER_ASKING: u64 = 2 * SECOND;

/// The program as the configuration has it.
#[derive(Clone, Debug)]
pub(crate) struct ReaderPlan {
    pub(crate) notifier: Notifier,
    /// By this it is told whether it is another one.
    pub(crate) said: NotifyScript,
}

impl ReaderPlan {
    fn is(&self, other: &Self) -> bool {
        self.said == other.said && self.notifier.program.uid() == other.notifier.program.uid()
    }
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    plan: Option<ReaderPlan>,
    running: Option<Running>,
    start_at: Option<u64>,
    pause: u64,
}

#[derive(Debug)]
struct Running {
    pid: u32,
    since: u64,
    /// Since when it should end by itself.
    pipe_ended_at: Option<u64>,
    asked_at: Option<u64>,
    killed: bool,
}

impl Reader {
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) const fn start_at(&self) -> Option<u64> {
        self.start_at
    }

    /// One that is the same as before goes on.
    pub(super) fn configure(
        &mut self,
        plan: Option<ReaderPlan>,
        keyword: &'static str,
        path: &Path,
        around: &mut Around<'_>,
    ) {
        let is_same = matches!((&self.plan, &plan), (Some(before), Some(now)) if before.is(now));
        if is_same && (self.running.is_some() || self.start_at.is_some()) {
            self.plan = plan;
            return;
        }
        self.end(around);
        *self = Self { plan, start_at: Some(around.now), pause: SECOND, ..Self::default() };
        self.start_if_due(keyword, path, around);
    }

    pub(super) fn start_if_due(&mut self, keyword: &'static str, path: &Path, around: &mut Around<'_>) {
        if self.start_at.take_if(|at| *at <= around.now).is_none() {
            return;
        }
        let Some(plan) = &self.plan else { return };
        // It was a word of the configuration, which has no NUL octets.
        let last: Vec<CString> = CString::new(path.as_os_str().as_bytes()).into_iter().collect();
        match plan.notifier.program.start_with(&last) {
            Ok(child) => {
                around.children.insert(child.pid, Purpose::FifoReader(keyword));
                let (pid, since) = (child.pid, around.now);
                self.running = Some(Running { pid, since, pipe_ended_at: None, asked_at: None, killed: false });
            }
            Err(error) => {
                let again = self.start_later(around.now);
                let text = format!("{keyword}_script: {error}; trying again in {again} s");
                around.told.push((Severity::Error, text));
            }
        }
    }

    /// Answers in how many seconds.
    fn start_later(&mut self, now: u64) -> u64 {
        let pause = self.pause.max(SECOND);
        self.start_at = Some(now + pause);
        self.pause = (2 * pause).min(LONGEST_PAUSE);
        pause / SECOND
    }

    pub(super) fn ended(&mut self, pid: u32, exit: Exit, is_over: bool, around: &mut Around<'_>) {
        let Some(running) = self.running.take_if(|running| running.pid == pid) else { return };
        let how = match exit {
            Exit::Code(status) => format!("exited with status {status}"),
            Exit::Signal(signal) => format!("was ended by signal {signal}"),
        };
        let command = self.plan.as_ref().map(|plan| plan.notifier.command.clone()).unwrap_or_default();
        if is_over {
            let severity = if exit == Exit::Code(0) { Severity::Info } else { Severity::Notice };
            around.told.push((severity, format!("vrrp notify fifo script terminated: {command} {how}")));
            return;
        }
        if around.now.saturating_sub(running.since) >= SOUND {
            self.pause = SECOND;
        }
        let again = self.start_later(around.now);
        let text = format!("vrrp notify fifo script terminated: {command} {how}; it is started again in {again} s");
        around.told.push((Severity::Warning, text));
    }

    /// The pipe has ended, and so should its reader.
    pub(super) fn wind_down(&mut self, around: &mut Around<'_>) {
        self.start_at = None;
        let Some(running) = &mut self.running else { return };
        let pipe_ended_at = *running.pipe_ended_at.get_or_insert(around.now);
        let signal = match running.asked_at {
            None if around.now >= pipe_ended_at + AFTER_THE_END => {
                running.asked_at = Some(around.now);
                Signal::TERMINATE
            }
            Some(asked_at) if !running.killed && around.now >= asked_at + AFTER_ASKING => {
                running.killed = true;
                Signal::KILL
            }
            _ => return,
        };
        // It may have ended by itself by now.
        let _ = signal_group(running.pid, signal);
    }

    /// Nobody needs it any more.
    pub(super) fn end(&mut self, around: &mut Around<'_>) {
        self.start_at = None;
        if let Some(running) = self.running.take() {
            around.children.abandon(running.pid);
            let _ = signal_group(running.pid, Signal::TERMINATE);
        }
    }
}
