//! The programs that run for us now, by process id.

use std::collections::BTreeMap;

use engine::Name;
use linux::spawn::{Exit, reap};

use crate::notify::QueueKey;
use crate::services::HookKey;

/// What a child runs for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A run of this check.
    Check(Name),
    /// A run of a check that is no longer wanted; its end matters to nobody.
    AbandonedCheck,
    /// A notify script.
    Notify(QueueKey),
    /// The reader of the pipe of this keyword.
    FifoReader(&'static str),
    /// Something of a service.
    Service(ServiceChild),
}

/// What a child does for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServiceChild {
    /// It keeps its processes together.
    Keeper(Name),
    /// Its start, stop or status script.
    Script(Name),
    /// Its `could_start`.
    CouldStart(Name),
    /// One of its hooks.
    Hook(HookKey),
}

/// All children.
#[derive(Debug, Default)]
pub(crate) struct Children {
    running: BTreeMap<u32, Purpose>,
}

impl Children {
    pub(crate) fn insert(&mut self, pid: u32, purpose: Purpose) {
        self.running.insert(pid, purpose);
    }

    /// The process that runs this check.
    pub(crate) fn check(&self, script: &Name) -> Option<u32> {
        let runs = |purpose: &Purpose| matches!(purpose, Purpose::Check(running) if running == script);
        self.running.iter().find(|(_, purpose)| runs(purpose)).map(|(pid, _)| *pid)
    }

    /// The end of this process will matter to nobody.
    pub(crate) fn abandon(&mut self, pid: u32) {
        self.running.insert(pid, Purpose::AbandonedCheck);
    }

    /// The processes of all checks.
    pub(crate) fn checks(&self) -> impl Iterator<Item = u32> {
        let is_check = |purpose: &Purpose| matches!(purpose, Purpose::Check(_) | Purpose::AbandonedCheck);
        self.running.iter().filter(move |(_, purpose)| is_check(purpose)).map(|(pid, _)| *pid)
    }

    #[cfg(test)]
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.running.keys().copied().collect()
    }

    /// As [`ended`](Self::ended), in a process that has children of other tests, too.
    #[cfg(test)]
    pub(crate) fn ended_of_ours(&mut self) -> Vec<(u32, Purpose, Exit)> {
        use rustix::process::{Pid, WaitOptions, waitpid};

        let mut ended = Vec::new();
        for pid in self.pids() {
            let child = Pid::from_raw(pid.cast_signed());
            let Ok(Some((_, status))) = waitpid(child, WaitOptions::NOHANG) else { continue };
            let exit = status.exit_status().map(|status| Exit::Code(status as u8));
            let exit = exit.or(status.terminating_signal().map(|signal| Exit::Signal(signal as u8)));
            ended.extend(exit.and_then(|exit| Some((pid, self.running.remove(&pid)?, exit))));
        }
        ended
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.running.len()
    }

    /// Takes out everything that has ended.
    pub(crate) fn ended(&mut self) -> Vec<(u32, Purpose, Exit)> {
        let mut ended = Vec::new();
        reap(&mut |pid, exit| {
            // Somebody else's orphan, if we are process 1.
            if let Some(purpose) = self.running.remove(&pid) {
                ended.push((pid, purpose, exit));
            }
        });
        ended
    }
}
