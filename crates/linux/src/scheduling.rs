//! The share of the machine that a process takes: when its threads run, where, and whether its memory stays in RAM.
//!
//! Priorities are those of the calling thread, and neither threads nor programs that it starts afterwards inherit a
//! preference. Where it runs is inherited.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::error::refused;
use crate::socket_option::last_errno;
use crate::{Error, Result};

/// When a thread runs if others want to, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// As everybody, with this nice value (−20 to 19).
    Nice(i8),
    /// Before everybody without real-time priority, in turn with those who have the same (`SCHED_RR`, 1 to 99).
    RealTime(u8),
}

/// Sets the priority of this thread.
pub fn set_priority(priority: Priority) -> Result<()> {
    let (policy, level) = match priority {
        Priority::Nice(_) => (libc::SCHED_OTHER, 0),
        Priority::RealTime(level) => (libc::SCHED_RR, i32::from(level)),
    };
    let what = match priority {
        Priority::Nice(nice) => format!("set the nice value {nice}"),
        Priority::RealTime(level) => format!("set the real-time priority {level}"),
    };
    // SAFETY: all zero is a valid sched_param, whose further fields (musl has some) mean nothing to these policies.
    let mut parameter = unsafe { MaybeUninit::<libc::sched_param>::zeroed().assume_init() };
    parameter.sched_priority = level;
    // SAFETY: the parameter lives; 0 is the calling thread. The system call itself, because musl's function refuses.
    let answer = unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, 0, policy | libc::SCHED_RESET_ON_FORK, &raw const parameter)
    };
    if answer != 0 {
        return Err(Error::new(what, last_errno().raw_os_error()));
    }
    if let Priority::Nice(nice) = priority {
        // SAFETY: numbers only; 0 is the calling thread.
        let answer = unsafe { libc::setpriority(libc::PRIO_PROCESS as _, 0, nice.into()) };
        if answer != 0 {
            return Err(Error::new(what, last_errno().raw_os_error()));
        }
    }
    Ok(())
}

/// Limits how long this process may compute in one go with real-time priority, in microseconds; `None` is no limit. Who
/// exceeds it gets `SIGXCPU` again and again.
pub fn limit_real_time(microseconds: Option<u64>) -> Result<()> {
    let limit = microseconds.map_or(libc::RLIM_INFINITY, |limit| limit as libc::rlim_t);
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limits` lives, and the kernel writes a whole rlimit into it.
    if unsafe { libc::getrlimit(libc::RLIMIT_RTTIME, &raw mut limits) } != 0 {
        return Err(refused("ask for the limit of real time")(last_errno()));
    }
    limits.rlim_cur = limit.min(limits.rlim_max);
    // SAFETY: `limits` is initialised and lives.
    if unsafe { libc::setrlimit(libc::RLIMIT_RTTIME, &raw const limits) } != 0 {
        return Err(refused("limit the real time")(last_errno()));
    }
    Ok(())
}

/// The processors that this thread may use.
pub fn processors() -> Result<Vec<u16>> {
    // SAFETY: all zero is the empty set.
    let mut set = unsafe { MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init() };
    // SAFETY: the size is that of `set`, which lives; 0 is the calling thread.
    if unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) } != 0 {
        return Err(refused("ask for the processors that we may use")(last_errno()));
    }
    let most = libc::CPU_SETSIZE as u16;
    // SAFETY: every number is within the set.
    Ok((0..most).filter(|cpu| unsafe { libc::CPU_ISSET(usize::from(*cpu), &set) }).collect())
}

/// Lets this thread, and what it starts from now on, use these processors only. Those that the machine has not do not
/// count; if none is left, that is refused.
pub fn set_processors(cpus: &[u16]) -> Result<()> {
    // SAFETY: all zero is the empty set.
    let mut set = unsafe { MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init() };
    for cpu in cpus.iter().filter(|cpu| i32::from(**cpu) < libc::CPU_SETSIZE) {
        // SAFETY: the number is within the set.
        unsafe { libc::CPU_SET(usize::from(*cpu), &mut set) };
    }
    // SAFETY: the size is that of `set`, which lives; 0 is the calling thread.
    if unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) } != 0 {
        let names: Vec<String> = cpus.iter().map(u16::to_string).collect();
        return Err(Error::new(format!("use processors {} only", names.join(", ")), last_errno().raw_os_error()));
    }
    Ok(())
}

/// Keeps all memory of this process in RAM, also what it will get; or no longer.
pub fn lock_memory(lock: bool) -> Result<()> {
    // SAFETY: numbers only; nothing depends on pages being swapped out.
    let answer =
        unsafe { if lock { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) } else { libc::munlockall() } };
    if answer != 0 {
        let what = if lock { "keep our memory in RAM" } else { "let our memory be swapped" };
        return Err(Error::new(what, last_errno().raw_os_error()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::spawn(work).join().expect("no panic")
    }

    fn nice_of_this_thread() -> i32 {
        // SAFETY: numbers only. An error would be −1, which no test expects.
        unsafe { libc::getpriority(libc::PRIO_PROCESS as _, 0) }
    }

    #[test]
    fn a_nice_value_is_that_of_the_thread() {
        let before = nice_of_this_thread();
        let inside = on_own_thread(|| {
            set_priority(Priority::Nice(7)).expect("everybody may be nicer");
            nice_of_this_thread()
        });
        assert_eq!((inside, nice_of_this_thread()), (7, before));
    }

    #[test]
    fn a_thread_keeps_to_its_processors() {
        let all = processors().expect("they can be asked for");
        let first = all[0];
        let inside = on_own_thread(move || {
            set_processors(&[first]).expect("it may use that one");
            processors().expect("they can be asked for")
        });
        assert_eq!(inside, [first]);
        assert_eq!(processors().expect("they can be asked for"), all);
    }

    #[test]
    fn a_processor_that_is_not_there_is_refused() {
        let error = on_own_thread(|| set_processors(&[1023])).expect_err("nobody tests on such a machine");
        assert_eq!(error.to_string(), "use processors 1023 only: invalid argument");
    }
}
