//! What makes a thread the inside of a virtual host: namespaces of its own for network, processes, mounts and host
//! name. Nothing of it has a name in the file system, and nothing of it outlives the process that made it.
//! The daemon uses none of it.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::netns::Namespace;
use crate::{Error, Result};

/// Process 1 of a virtual host. Dropped, or with the death of our process, it ends and takes with it whatever runs in
/// its host.
#[derive(Debug)]
pub struct HostInit {
    pid: u32,
    // Process 1 waits for the end of this pipe.
    _lifeline: OwnedFd,
}

impl HostInit {
    /// Its process id as we see it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills everything in the host at once and does not wait for it.
    pub fn kill(&self) {
        // SAFETY: `pid` is our own child and has not been waited for, so the number cannot belong to another process.
        unsafe { libc::kill(self.pid.cast_signed(), libc::SIGKILL) };
    }
}

impl Drop for HostInit {
    /// Returns when the last process of the host has gone. Whoever started processes there must collect them in other
    /// threads: the kernel waits for that, too.
    fn drop(&mut self) {
        self.kill();
        // SAFETY: `pid` is our own child; a null status pointer is allowed.
        unsafe {
            while libc::waitpid(self.pid.cast_signed(), std::ptr::null_mut(), 0) < 0
                && *libc::__errno_location() == libc::EINTR
            {}
        }
    }
}

/// Where a machine has its control groups.
const CONTROL_GROUPS: &CStr = c"/sys/fs/cgroup";

/// Makes the calling thread the inside of a new virtual host and starts the host's process 1.
///
/// What this thread starts from now on lives in the host: in its network, its process ids, its host name, with a `/run`
/// of its own, empty, and (where the kernel allows) a `/proc` that shows only the host. The thread itself keeps its
/// process id. It can't start threads any more.
///
/// # Errors
/// When the kernel refuses: not root, or user namespaces are forbidden.
pub fn become_host(name: &str) -> Result<(HostInit, Namespace)> {
    let action = || format!("make namespaces for host {name}");
    let flags = libc::CLONE_NEWNET | libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWUTS;
    // SAFETY: moves only this thread (and its future children); no memory is shared differently afterwards.
    if unsafe { libc::unshare(flags) } != 0 {
        return Err(Error::from_io(action(), &io::Error::last_os_error()));
    }
    rustix::system::sethostname(name.as_bytes()).map_err(|errno| Error::new(action(), errno.raw_os_error()))?;
    // Before process 1 mounts a /proc in which this thread does not exist.
    let namespace = Namespace::current()?;
    let init = start_init().map_err(|error| Error::from_io(format!("start process 1 of host {name}"), &error))?;
    Ok((init, namespace))
}

/// Has `command` start in a new user namespace in which it is root, with the rights of ours outside of it. It is killed
/// when the thread that starts it ends.
///
/// Whether the kernel allows that shows when the command is started: user namespaces can be switched off or restricted.
pub fn start_as_root_of_user_namespace(command: &mut Command) {
    let uid_map = format!("0 {} 1", rustix::process::geteuid().as_raw());
    let gid_map = format!("0 {} 1", rustix::process::getegid().as_raw());
    let enter = move || {
        // SAFETY: a plain system call; the forked child has one thread, as the kernel demands.
        if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // Without this an ordinary user may not write the map of groups (user_namespaces(7)).
        write_existing(c"/proc/self/setgroups", b"deny")?;
        write_existing(c"/proc/self/uid_map", uid_map.as_bytes())?;
        write_existing(c"/proc/self/gid_map", gid_map.as_bytes())?;
        // Only now: the kernel forgets it when rights change.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls only; what it needs was allocated before.
    unsafe { command.pre_exec(enter) };
}

fn write_existing(path: &CStr, text: &[u8]) -> io::Result<()> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, text)?;
    Ok(())
}

/// Forks process 1 and waits until its mounts are in place.
fn start_init() -> io::Result<HostInit> {
    let (their_lifeline, our_lifeline) = pipe_with(PipeFlags::CLOEXEC)?;
    let (our_report, their_report) = pipe_with(PipeFlags::CLOEXEC)?;
    // SAFETY: the child calls nothing but async-signal-safe functions and never returns from `init`.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => init(their_lifeline.as_raw_fd(), their_report.as_raw_fd()),
        pid => {
            drop(their_report);
            let init = HostInit { pid: pid.unsigned_abs(), _lifeline: our_lifeline };
            let mut errno = [0; 4];
            let received = rustix::io::retry_on_intr(|| rustix::io::read(&our_report, &mut errno[..]))?;
            match (received, i32::from_ne_bytes(errno)) {
                (4, 0) => Ok(init),
                (4, errno) => Err(io::Error::from_raw_os_error(errno)),
                _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it died at once")),
            }
        }
    }
}

/// Process 1: mounts, reports, then reaps orphans until its maker is gone.
fn init(lifeline: i32, report: i32) -> ! {
    // SAFETY: this is the only thread of a freshly forked process; all calls are async-signal-safe, their pointers are
    // to literals or to locals that outlive the call. Copies of our parent's descriptors are closed, none is used again
    // but the two named ones, which stay open.
    unsafe {
        libc::setsid();
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
        // The kernel then reaps our children by itself.
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());

        let errno: i32 = if mount_own() { 0 } else { *libc::__errno_location() };
        let bytes = errno.to_ne_bytes();
        libc::write(report, bytes.as_ptr().cast(), bytes.len());

        libc::dup2(lifeline, 0);
        libc::syscall(libc::SYS_close_range, 1, libc::c_uint::MAX, 0);
        let mut nothing = [0_u8; 1];
        loop {
            let read = libc::read(0, nothing.as_mut_ptr().cast(), 1);
            if read == 0 || (read < 0 && *libc::__errno_location() != libc::EINTR) {
                libc::_exit(0);
            }
        }
    }
}

/// Mounts of our own, which nobody outside sees: a fresh `/run`, `/proc` if the kernel lets us, and nothing where the
/// control groups are: a host that loses its power would leave its own behind, for the whole machine to see.
fn mount_own() -> bool {
    let none = std::ptr::null();
    // SAFETY: all strings are nul-terminated literals; null is allowed where nothing is to be said.
    unsafe {
        if libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()) != 0 {
            return false;
        }
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        let mode = c"mode=0755".as_ptr().cast();
        if libc::mount(c"run".as_ptr(), c"/run".as_ptr(), c"tmpfs".as_ptr(), flags, mode) != 0 {
            return false;
        }
        // A machine without them has nothing to hide. Who needs them on a host takes this away again.
        libc::mount(c"none".as_ptr(), CONTROL_GROUPS.as_ptr(), c"tmpfs".as_ptr(), flags | libc::MS_RDONLY, mode);
        // Refused in containers that hide parts of /proc; ps and killall then see more than they should, no harm.
        let flags = flags | libc::MS_NOEXEC;
        libc::mount(c"proc".as_ptr(), c"/proc".as_ptr(), c"proc".as_ptr(), flags, none.cast());
    }
    true
}
