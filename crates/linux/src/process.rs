//! What a process can say about itself and to others.

#![allow(unsafe_code)]

use crate::error::refused;
use crate::signals::Signal;
use crate::socket_option::last_errno;
use crate::{Error, Result};

/// Has the kernel send us `signal` when the thread that started us dies. Fails with `ESRCH` if our parent is not (or
/// no longer) the process `parent`.
pub fn die_with_parent(signal: Signal, parent: u32) -> Result<()> {
    let number = libc::c_ulong::from(signal.0.cast_unsigned());
    // SAFETY: this operation takes a number and changes nothing but our own parent-death signal.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, number) } != 0 {
        return Err(refused("set the signal for our parent's death")(last_errno()));
    }
    // It may have died before we asked.
    if std::os::unix::process::parent_id() == parent {
        Ok(())
    } else {
        Err(Error::new(format!("watch our parent {parent}"), libc::ESRCH))
    }
}

/// Sets what process lists show of this process; the kernel keeps 15 octets of it. Call it on the first thread.
pub fn set_name(name: &str) -> Result<()> {
    let octets: Vec<u8> = name.bytes().filter(|octet| *octet != 0).take(15).chain([0]).collect();
    // SAFETY: the name is ended by zero and lives; the kernel copies it.
    if unsafe { libc::prctl(libc::PR_SET_NAME, octets.as_ptr()) } != 0 {
        return Err(refused("set the name of the process")(last_errno()));
    }
    Ok(())
}

/// What process lists show of this thread.
pub fn name() -> String {
    std::fs::read_to_string("/proc/thread-self/comm").map(|name| name.trim_end().to_owned()).unwrap_or_default()
}

/// Sets which permissions new files do not get, also those of programs that are started, and answers what was set
/// before.
pub fn set_umask(mask: u32) -> u32 {
    // SAFETY: a number in, a number out; it cannot fail.
    unsafe { libc::umask((mask & 0o777) as libc::mode_t) }
}

/// Lets the kernel write an image of this process if it crashes, however large.
pub fn allow_core_dumps() -> Result<()> {
    let limits = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limits` is initialised and lives.
    if unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limits) } != 0 {
        return Err(refused("allow images of a crash")(last_errno()));
    }
    Ok(())
}

/// Sends a signal to one process.
pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    send(pid, signal, pid.cast_signed(), "process")
}

/// Sends a signal to a process group.
pub fn signal_group(group: u32, signal: Signal) -> Result<()> {
    send(group, signal, group.cast_signed().wrapping_neg(), "process group")
}

fn send(number: u32, signal: Signal, target: i32, what: &str) -> Result<()> {
    let refuse = |errno| Error::new(format!("send signal {} to {what} {number}", signal.0), errno);
    // 0 and -1 would mean "my group" and "everybody".
    if !(1..=i32::MAX.cast_unsigned()).contains(&number) || target == -1 {
        return Err(refuse(libc::ESRCH));
    }
    // SAFETY: kill takes numbers only.
    if unsafe { libc::kill(target, signal.0) } != 0 {
        return Err(refuse(last_errno().raw_os_error()));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn signal_this_thread(signal: Signal) -> Result<()> {
    // SAFETY: raise takes a number only.
    if unsafe { libc::raise(signal.0) } == 0 { Ok(()) } else { Err(refused("raise a signal")(last_errno())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_signals_everybody() {
        for number in [0, u32::MAX, 1 << 31] {
            assert_eq!(signal(number, Signal(0)).unwrap_err().errno(), Some(libc::ESRCH));
            assert_eq!(signal_group(number, Signal(0)).unwrap_err().errno(), Some(libc::ESRCH));
        }
        assert_eq!(signal_group(1, Signal(0)).unwrap_err().errno(), Some(libc::ESRCH));
    }

    #[test]
    fn a_name_is_cut_to_what_the_kernel_keeps() {
        let named = std::thread::spawn(|| {
            set_name("a name that is too long").unwrap();
            name()
        });
        assert_eq!(named.join().unwrap(), "a name that is ");
    }

    #[test]
    fn a_parent_that_is_another_is_told() {
        let error = die_with_parent(Signal(0), std::process::id()).unwrap_err();
        assert_eq!(error.errno(), Some(libc::ESRCH));
    }
}
