//! Runs checks when the engine asks, and ends them when it says so.

use std::collections::BTreeMap;
use std::ffi::CString;

use engine::{EndHow, Name, ScriptOutcome};
use linux::process;
use linux::signals::Signal;
use linux::spawn::Program;
use rustix::io::Errno;

use crate::children::{Children, Purpose};

/// Whether an error says nothing of what was looked at, only that there is nothing to look with: no process, descriptor or memory.
pub(crate) fn is_want(errno: i32) -> bool {
    let wants = [Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS];
    wants.contains(&Errno::from_raw_os_error(errno))
}

/// All checks of the configuration, ready to be started.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub(crate) programs: BTreeMap<Name, Program>,
}

impl Checks {
    /// Starts a run, with this in its environment. `Some` if it could not begin.
    pub(crate) fn run(&self, script: &Name, told: &[CString], children: &mut Children) -> Option<ScriptOutcome> {
        // The preflight gives the engine only checks that are prepared.
        let Some(program) = self.programs.get(script) else { return Some(ScriptOutcome::NotStarted(0)) };
        match program.start_telling(&[], told) {
            Ok(child) => {
                children.insert(child.pid, Purpose::Check(script.clone()));
                None
            }
            Err(error) => Some(match error.errno().unwrap_or_default() {
                errno if is_want(errno) => ScriptOutcome::NotLooked(errno),
                errno => ScriptOutcome::NotStarted(errno),
            }),
        }
    }

    /// Ends a run with its whole process group. Nobody follows up on a check that is no longer in the configuration,
    /// so that one is ended for good.
    pub(crate) fn end(&self, script: &Name, how: EndHow, children: &mut Children) -> linux::Result<()> {
        let Some(pid) = children.check(script) else { return Ok(()) };
        if !self.programs.contains_key(script) {
            children.abandon(pid);
            return process::signal_group(pid, Signal::KILL);
        }
        process::signal_group(
            pid,
            match how {
                EndHow::Terminate => Signal::TERMINATE,
                EndHow::Kill => Signal::KILL,
            },
        )
    }

    /// Leaves no run behind when the daemon ends.
    pub(crate) fn kill_all(children: &Children) {
        for pid in children.checks() {
            // It may have ended by itself by now.
            let _ = process::signal_group(pid, Signal::KILL);
        }
    }
}
