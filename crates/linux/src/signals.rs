//! Signals as something to read.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use crate::error::refused;
use crate::socket_option::last_errno;
use crate::{Error, Result};

/// A signal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(pub i32);

impl Signal {
    pub const HANGUP: Signal = Signal(libc::SIGHUP);
    pub const INTERRUPT: Signal = Signal(libc::SIGINT);
    pub const QUIT: Signal = Signal(libc::SIGQUIT);
    pub const KILL: Signal = Signal(libc::SIGKILL);
    pub const USER_1: Signal = Signal(libc::SIGUSR1);
    pub const USER_2: Signal = Signal(libc::SIGUSR2);
    pub const TERMINATE: Signal = Signal(libc::SIGTERM);
    /// More real time was used than is allowed.
    pub const REAL_TIME_EXCEEDED: Signal = Signal(libc::SIGXCPU);
    pub const CHILD: Signal = Signal(libc::SIGCHLD);
    pub const STOP: Signal = Signal(libc::SIGSTOP);
    pub const CONTINUE: Signal = Signal(libc::SIGCONT);

    /// Every signal whose default action would end a process and that may be blocked without harm: all but KILL, STOP
    /// and those that tell of a fault in the program itself.
    pub fn all_that_end_a_process() -> Vec<Signal> {
        let named = [
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGUSR1,
            libc::SIGUSR2,
            libc::SIGPIPE,
            libc::SIGALRM,
            libc::SIGTERM,
            libc::SIGSTKFLT,
            libc::SIGXCPU,
            libc::SIGXFSZ,
            libc::SIGVTALRM,
            libc::SIGPROF,
            libc::SIGIO,
            libc::SIGPWR,
        ];
        named.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()).map(Signal).collect()
    }

    /// The `offset`th realtime signal, counted from the first that programs may use.
    pub fn realtime(offset: i32) -> Signal {
        Signal(libc::SIGRTMIN() + offset)
    }

    /// What asks a keepalived for its state as JSON.
    pub fn json() -> Signal {
        Signal::realtime(2)
    }

    /// What asks a keepalived for its statistics, and to begin them anew.
    pub fn statistics_clear() -> Signal {
        Signal(libc::SIGRTMAX() - 1)
    }
}

/// A signal that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    pub signal: Signal,
    /// Who sent it; 0 for the kernel.
    pub pid: u32,
    pub uid: u32,
}

/// Signals that are read instead of interrupting.
#[derive(Debug)]
pub struct Signals {
    descriptor: OwnedFd,
}

impl Signals {
    /// Blocks these signals in this thread, and in those started from it afterwards: call it before the first thread.
    /// Programs started with [`spawn`](crate::spawn) don't inherit it.
    pub fn block(signals: &[Signal]) -> Result<Signals> {
        let set = signal_set(signals)?;
        change_mask(libc::SIG_BLOCK, &set)?;
        // Whoever started us may have it ignored, and then the ends of our children would never be told.
        // SAFETY: no handler is installed, and no other thread depends on the old disposition.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        // SAFETY: -1 asks for a new descriptor; `set` is initialised and lives.
        let descriptor = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if descriptor < 0 {
            return Err(refused("open a descriptor for signals")(last_errno()));
        }
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(Signals { descriptor: unsafe { OwnedFd::from_raw_fd(descriptor) } })
    }

    /// Appends what has come in; never waits.
    pub fn receive(&mut self, received: &mut Vec<Received>) -> Result<()> {
        const SIZE: usize = size_of::<libc::signalfd_siginfo>();
        let mut buffer = [0_u8; 8 * SIZE];
        loop {
            let length = match rustix::io::read(&self.descriptor, &mut buffer) {
                Ok(length) => length,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(refused("read signals")(errno)),
            };
            received.extend(buffer[..length].chunks_exact(SIZE).map(|record| {
                // struct signalfd_siginfo begins with signo, errno, code, pid, uid: four bytes each.
                let field = |index: usize| {
                    let bytes = record[4 * index..4 * index + 4].try_into().expect("four bytes");
                    u32::from_ne_bytes(bytes)
                };
                Received { signal: Signal(field(0).cast_signed()), pid: field(3), uid: field(4) }
            }));
            if length < buffer.len() {
                return Ok(());
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn change_mask(how: c_int, set: &libc::sigset_t) -> Result<()> {
    // SAFETY: `set` is initialised and lives; a null pointer for the old mask is allowed.
    match unsafe { libc::pthread_sigmask(how, set, std::ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(Error::new("change which signals are blocked", errno)),
    }
}

fn signal_set(signals: &[Signal]) -> Result<libc::sigset_t> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises what it is given.
    let mut set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    };
    for signal in signals {
        // SAFETY: `set` is initialised and ours; an impossible signal number is refused.
        if unsafe { libc::sigaddset(&raw mut set, signal.0) } != 0 {
            return Err(Error::new(format!("block signal {}", signal.0), libc::EINVAL));
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn a_blocked_signal_is_read_with_its_sender() {
        // Directed at this thread, so that no other test's thread can take it.
        let mut signals = Signals::block(&[Signal::realtime(5), Signal::realtime(6)]).unwrap();
        let mut received = Vec::new();
        signals.receive(&mut received).unwrap();
        assert_eq!(received, []);
        process::signal_this_thread(Signal::realtime(6)).unwrap();
        process::signal_this_thread(Signal::realtime(5)).unwrap();
        signals.receive(&mut received).unwrap();
        received.sort_by_key(|received| received.signal);
        assert_eq!(received.iter().map(|it| it.signal).collect::<Vec<_>>(), [Signal::realtime(5), Signal::realtime(6)]);
        assert!(received.iter().all(|it| it.pid == std::process::id()));
    }

    #[test]
    fn an_impossible_signal_is_refused() {
        let error = Signals::block(&[Signal(4711)]).unwrap_err();
        assert_eq!(error.to_string(), "block signal 4711: invalid argument");
    }
}
