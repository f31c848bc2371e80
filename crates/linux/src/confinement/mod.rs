//! What a process takes away from itself, so that whoever takes it over has less.
//!
//! Each of these holds for the calling thread and for what it starts from then on, threads and programs, and none can be
//! undone; so they are called before there is a second thread. What of it programs get back is said with each.

pub mod capabilities;
pub mod files;
pub mod system_calls;

use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

use crate::Result;
use crate::error::refused;

/// Lets nothing that is executed from now on have more rights than who executes it: programs with the set-user-ID bit
/// or with capabilities of their own, `sudo` and `ping` for instance, run without. It holds for all that is started.
pub fn gain_no_privileges() -> Result<()> {
    rustix::thread::set_no_new_privs(true).map_err(refused("give up new privileges"))
}

/// Whether [`gain_no_privileges`] holds for this thread, whoever has asked for it.
pub fn gains_no_privileges() -> bool {
    rustix::thread::no_new_privs().unwrap_or(false)
}

/// Keeps our memory to us: no image of it is written if we crash, and nobody but root looks into it or traces us. A
/// program that is started is as it always was.
pub fn hide_memory() -> Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(refused("keep our memory to ourselves"))
}

/// Whether [`hide_memory`] holds.
pub fn memory_is_hidden() -> bool {
    dumpable_behavior().is_ok_and(|behavior| behavior != DumpableBehavior::Dumpable)
}
