//! The child between its birth and its program.
//!
//! It borrows our memory until it executes its program (`CLONE_VM | CLONE_VFORK`), on a stack of its own, with all
//! signals blocked, and does nothing but system calls: no allocation, no lock, nothing of the C library that has state.
//! One that is born in a control group has a copy of our memory instead, and all the rest is the same.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::socket_option::last_errno;
use crate::users::Identity;

/// What the child is to do.
pub(super) struct Orders {
    pub path: CString,
    pub arguments: Arc<[CString]>,
    /// Arguments behind those.
    pub further: Vec<CString>,
    pub environment: Arc<[CString]>,
    /// Behind that.
    pub further_environment: Vec<CString>,
    pub directory: Option<CString>,
    pub identity: Option<Identity>,
    pub namespace: Option<RawFd>,
    pub death_signal: Option<c_int>,
    /// So many files it may have open at most, if we may have more.
    pub open_files: Option<u64>,
    pub streams: [Target; 3],
}

/// Where a standard stream comes from.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Null,
    Inherit,
    File(RawFd),
}

/// What the child could not do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub step: Step,
    pub errno: c_int,
}

/// The child's process id when it has executed its program, or with what it could not do; or why there is none.
pub(super) type Launched = Result<(u32, Option<Failure>), c_int>;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Streams,
    Namespace,
    Directory,
    Identity,
    Execute,
}

/// The orders in the kernel's form, ready before the child exists, and what it has to say while it has no memory of
/// its own.
struct Shared {
    path: *const c_char,
    arguments: *const *const c_char,
    shell_arguments: *const *const c_char,
    environment: *const *const c_char,
    orders: Orders,
    parent: u32,
    failure: Option<Failure>,
}

/// Plenty for a function that calls nothing but system calls. Untouched pages cost nothing.
const STACK_SIZE: usize = 64 * 1024;
/// The kernel's signal mask, which is not that of the C library.
pub(super) type Mask = [u8; 8];
const LAST_SIGNAL: c_int = 64;

/// A child with all that it needs, made before it or a [keeper](super::keeper) exists: neither may allocate.
pub(super) struct Prepared {
    /// What `shared` points into, as into its orders.
    _pointers: [Vec<*const c_char>; 3],
    shared: Shared,
    stack: Vec<MaybeUninit<u8>>,
    born: Born,
}

// SAFETY: all that it points to is its own, on the heap.
unsafe impl Send for Prepared {}

/// The process id of a child as soon as there is one: before it does anything, and while whoever has made it waits.
#[derive(Clone, Default)]
pub(super) struct Born(Arc<AtomicI32>);

impl Born {
    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Acquire)).filter(|pid| *pid > 0).map(i32::cast_unsigned)
    }
}

impl Prepared {
    /// Fails where there is no memory for its stack, the one large thing: a daemon must not end because it cannot run
    /// a script.
    pub(super) fn new(orders: Orders) -> Result<Prepared, c_int> {
        let mut stack = Vec::new();
        stack.try_reserve_exact(STACK_SIZE).map_err(|_| libc::ENOMEM)?;
        let all_arguments = || orders.arguments.iter().chain(&orders.further).map(CString::as_c_str);
        let arguments = pointers(all_arguments());
        // As a shell has it: the file in place of its own name, then the arguments.
        let shell_arguments = pointers([c"/bin/sh", &orders.path].into_iter().chain(all_arguments().skip(1)));
        let environment = pointers(orders.environment.iter().chain(&orders.further_environment).map(CString::as_c_str));
        let shared = Shared {
            path: orders.path.as_ptr(),
            arguments: arguments.as_ptr(),
            shell_arguments: shell_arguments.as_ptr(),
            environment: environment.as_ptr(),
            orders,
            parent: 0,
            failure: None,
        };
        let pointers = [arguments, shell_arguments, environment];
        Ok(Prepared { _pointers: pointers, shared, stack, born: Born::default() })
    }

    pub(super) fn orders(&self) -> &Orders {
        &self.shared.orders
    }

    pub(super) fn born(&self) -> Born {
        self.born.clone()
    }

    /// Starts the child and answers its process id when it has executed its program, or why it could not. The child
    /// that could not must be collected.
    pub(super) fn launch(&mut self) -> Launched {
        self.shared.parent = std::process::id();
        // The ABIs want 16; it grows downwards on all architectures that we know.
        let top = self.stack.as_mut_ptr().wrapping_add(STACK_SIZE).map_addr(|address| address & !0xf);
        let before = block_all_signals();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
        // SAFETY: `top` ends a block that nobody else uses and that lives until the call returns, which (CLONE_VFORK)
        // is after the child has stopped using our memory. `shared` and all that it points to live as long, and this
        // thread does not look at them meanwhile. The child only makes system calls and writes into `shared`. The kernel
        // writes the process id to where others may read it, in one go.
        let pid = unsafe { libc::clone(child, top.cast(), flags, (&raw mut self.shared).cast(), self.born.0.as_ptr()) };
        let error = if pid < 0 { Some(last_errno().raw_os_error()) } else { None };
        set_mask(&before);
        match error {
            None => Ok((pid.cast_unsigned(), self.shared.failure)),
            Some(errno) => Err(errno),
        }
    }
}

/// The kernel's `struct clone_args` (clone(2)), as long as it must be for a control group.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `CLONE_INTO_CGROUP` (Linux 5.7).
const INTO_GROUP: u64 = 0x2_0000_0000;

impl Prepared {
    /// As [`launch`](Self::launch), in the control group that this descriptor is of. Only where we are alone with our
    /// memory and it is small: the child has a copy of it.
    ///
    /// It is born there rather than moved: that is quicker (a move waits some milliseconds for every processor), and no
    /// instruction of it runs elsewhere.
    pub(super) fn launch_into(&mut self, group: RawFd) -> Launched {
        self.shared.parent = std::process::id();
        let report = Report::new()?;
        let arguments = CloneArguments {
            flags: INTO_GROUP | libc::CLONE_VFORK as u64,
            exit_signal: libc::SIGCHLD as u64,
            cgroup: u64::from(group.cast_unsigned()),
            ..CloneArguments::default()
        };
        let before = block_all_signals();
        let (pointer, size) = ((&raw const arguments) as c_long, size_of::<CloneArguments>() as c_long);
        // SAFETY: the struct is the kernel's and lives. Without CLONE_VM the child has memory and a stack of its own; it
        // makes system calls only, writes to the report, and never leaves this arm.
        let answer = unsafe {
            let answer = system_call([libc::SYS_clone3, pointer, size, 0, 0, 0]);
            if answer == Ok(0) {
                report.write(execute(&self.shared));
                let _ = system_call([libc::SYS_exit_group, 127, 0, 0, 0, 0]);
            }
            answer
        };
        set_mask(&before);
        // Until the child has executed its program or ended, we have waited (CLONE_VFORK).
        answer.map(|pid| ((pid as c_int).cast_unsigned(), report.read()))
    }
}

/// Memory that a child with a copy of ours shares with us.
struct Report(*mut Option<Failure>);

impl Report {
    fn new() -> Result<Self, c_int> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, at a place that the kernel chooses; it is as large as a page and as well aligned.
        let place = unsafe { libc::mmap(std::ptr::null_mut(), size_of::<Option<Failure>>(), protection, flags, -1, 0) };
        if place == libc::MAP_FAILED {
            return Err(last_errno().raw_os_error());
        }
        let report = Report(place.cast());
        report.set(None);
        Ok(report)
    }

    fn write(&self, failure: Failure) {
        self.set(Some(failure));
    }

    fn set(&self, what: Option<Failure>) {
        // SAFETY: it is ours, and whoever reads it waits for us.
        unsafe { self.0.write_volatile(what) };
    }

    fn read(&self) -> Option<Failure> {
        // SAFETY: it was written when it was made, and the child writes no more.
        unsafe { self.0.read_volatile() }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody has a pointer to it any more.
        unsafe { libc::munmap(self.0.cast(), size_of::<Option<Failure>>()) };
    }
}

/// Blocks every signal in this thread and answers which were blocked before.
pub(super) fn block_all_signals() -> Mask {
    set_mask(&[u8::MAX; size_of::<Mask>()])
}

/// Pointers to the strings, ended by null. They are good as long as the strings are.
fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([std::ptr::null()]).collect()
}

/// Sets which signals are blocked and answers which were. The kernel's own call, because the C library would leave out
/// the signals that it keeps for itself, whose handlers must not run on the child's stack either.
pub(super) fn set_mask(mask: &Mask) -> Mask {
    let mut before = Mask::default();
    let (new, old) = (mask.as_ptr() as c_long, before.as_mut_ptr() as c_long);
    let call = [libc::SYS_rt_sigprocmask, c_long::from(libc::SIG_SETMASK), new, old, size_of::<Mask>() as c_long, 0];
    // SAFETY: both masks have the size that the kernel is told. It can't fail.
    let _ = unsafe { system_call(call) };
    before
}

/// The child: ends in `execve` or in `exit_group`.
extern "C" fn child(shared: *mut c_void) -> c_int {
    // SAFETY: `launch` passes its `Shared` and waits until we are done with it.
    let shared = unsafe { &mut *shared.cast::<Shared>() };
    // SAFETY: we are that child.
    let failure = unsafe { execute(shared) };
    shared.failure = Some(failure);
    // SAFETY: ends this process only: the threads of our parent are not in our thread group.
    let _ = unsafe { system_call([libc::SYS_exit_group, 127, 0, 0, 0, 0]) };
    127
}

/// A system call by its number. Unused arguments are zero.
///
/// # Safety
/// What the call asks of its arguments.
unsafe fn system_call(call: [c_long; 6]) -> Result<c_long, c_int> {
    let [number, a, b, c, d, e] = call;
    // SAFETY: the caller vouches for the arguments.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e) };
    if answer == -1 { Err(last_errno().raw_os_error()) } else { Ok(answer) }
}

/// Carries out the orders; comes back only if one of them failed.
///
/// # Safety
/// To be called in the child of [`Prepared::launch`] only.
unsafe fn execute(shared: &Shared) -> Failure {
    let orders = &shared.orders;
    let fail = |step| move |errno| Failure { step, errno };
    // SAFETY: each call gets numbers, or pointers of `shared` of the kinds that it asks for.
    let attempt = || unsafe {
        // A group of its own, so that it can be ended with all that it starts.
        let _ = system_call([libc::SYS_setpgid, 0, 0, 0, 0, 0]);
        reset_signals();
        if let Some(namespace) = orders.namespace {
            let call = [libc::SYS_setns, c_long::from(namespace), c_long::from(libc::CLONE_NEWNET), 0, 0, 0];
            system_call(call).map_err(fail(Step::Namespace))?;
        }
        connect_streams(orders.streams).map_err(fail(Step::Streams))?;
        close_all_others();
        if let Some(most) = orders.open_files {
            limit_open_files(most);
        }
        if let Some(directory) = &orders.directory {
            let call = [libc::SYS_chdir, directory.as_ptr() as c_long, 0, 0, 0, 0];
            system_call(call).map_err(fail(Step::Directory))?;
        }
        if let Some(identity) = &orders.identity {
            become_user(identity).map_err(fail(Step::Identity))?;
        }
        if let Some(signal) = orders.death_signal {
            // Only now: a change of user clears it.
            let call = [libc::SYS_prctl, c_long::from(libc::PR_SET_PDEATHSIG), c_long::from(signal), 0, 0, 0];
            let _ = system_call(call);
            // If our parent died before that, nobody will tell us. Seen from another process namespace it is 0.
            let parent = system_call([libc::SYS_getppid, 0, 0, 0, 0, 0]).unwrap_or(0);
            if parent != 0 && parent != shared.parent as c_long {
                return Err(fail(Step::Execute)(libc::ESRCH));
            }
        }
        set_mask(&Mask::default());
        let execve = |path: *const c_char, arguments: *const *const c_char| {
            let environment = shared.environment as c_long;
            system_call([libc::SYS_execve, path as c_long, arguments as c_long, environment, 0, 0])
        };
        let mut answer = execve(shared.path, shared.arguments);
        if answer == Err(libc::ENOEXEC) {
            answer = execve(c"/bin/sh".as_ptr(), shared.shell_arguments);
        }
        answer.map_err(fail(Step::Execute))
    };
    match attempt() {
        Err(failure) => failure,
        Ok(_) => unreachable!("execve answers only to refuse"),
    }
}

/// Handlers would be reset by the kernel; what is ignored (SIGPIPE by Rust's start) would stay ignored. All are reset
/// before the mask is lifted, because a handler must not run in borrowed memory.
///
/// # Safety
/// To be called in the child only.
unsafe fn reset_signals() {
    // All zero is "default" in the kernel's struct sigaction of every architecture (the largest has 40 bytes).
    let default = [0_u64; 5];
    for signal in 1..=LAST_SIGNAL {
        let (signal, action) = (c_long::from(signal), default.as_ptr() as c_long);
        // SAFETY: `default` is large enough for the kernel's struct; KILL and STOP are refused, which does no harm.
        let _ = unsafe { system_call([libc::SYS_rt_sigaction, signal, action, 0, size_of::<Mask>() as c_long, 0]) };
    }
}

/// Puts the streams at 0, 1 and 2.
///
/// # Safety
/// To be called in the child only.
unsafe fn connect_streams(streams: [Target; 3]) -> Result<(), c_int> {
    const FIRST_OTHER: c_long = 3;
    // SAFETY: descriptors are numbers; the path is a constant.
    unsafe {
        let null = if streams.iter().any(|stream| matches!(stream, Target::Null)) {
            let flags = c_long::from(libc::O_RDWR | libc::O_CLOEXEC);
            let path = c"/dev/null".as_ptr() as c_long;
            let opened = system_call([libc::SYS_openat, c_long::from(libc::AT_FDCWD), path, flags, 0, 0]);
            opened.ok().map(|descriptor| descriptor as RawFd)
        } else {
            None
        };
        // First out of the way of 0, 1 and 2, then into place.
        let mut sources = [None; 3];
        for (source, stream) in std::iter::zip(&mut sources, streams) {
            let descriptor = match stream {
                Target::Inherit => None,
                Target::Null => null,
                Target::File(file) => Some(file),
            };
            *source = match descriptor {
                Some(low) if c_long::from(low) < FIRST_OTHER => {
                    let duplicate = c_long::from(libc::F_DUPFD_CLOEXEC);
                    Some(system_call([FCNTL, c_long::from(low), duplicate, FIRST_OTHER, 0, 0])? as RawFd)
                }
                other => other,
            };
        }
        for (place, source) in (0..).zip(sources) {
            if let Some(source) = source {
                system_call([libc::SYS_dup3, c_long::from(source), place, 0, 0, 0])?;
            } else {
                // What is inherited may have been opened for us alone. If it is closed, so it stays.
                let _ = system_call([FCNTL, place, c_long::from(libc::F_SETFD), 0, 0, 0]);
            }
        }
    }
    Ok(())
}

/// # Safety
/// To be called in the child only.
unsafe fn close_all_others() {
    // SAFETY: numbers only; the files of our parent stay open, because the table of descriptors is our own.
    unsafe {
        if system_call([libc::SYS_close_range, 3, u32::MAX as c_long, 0, 0, 0]).is_err() {
            // Before Linux 5.9. All that we open is closed by the kernel; this is for what we have inherited.
            for descriptor in 3..1024 {
                let _ = system_call([libc::SYS_close, descriptor, 0, 0, 0, 0]);
            }
        }
    }
}

/// Never more than there is. Programs that use select(2) break with what has a higher number than 1024.
///
/// # Safety
/// To be called in the child only.
unsafe fn limit_open_files(most: u64) {
    const FILES: c_long = libc::RLIMIT_NOFILE as c_long;
    // The kernel's `struct rlimit64`, the same everywhere: what holds, and up to where it can be raised.
    let mut limit = [0_u64; 2];
    // SAFETY: the limit lives and has the size that the kernel takes.
    unsafe {
        let asked = system_call([libc::SYS_prlimit64, 0, FILES, 0, limit.as_mut_ptr() as c_long, 0]);
        if asked.is_ok() && limit[0] > most {
            limit[0] = most;
            // What lowers it is not refused; and a program with more would still run.
            let _ = system_call([libc::SYS_prlimit64, 0, FILES, limit.as_ptr() as c_long, 0, 0]);
        }
    }
}

/// For this process only: the C library's functions would switch all threads of our parent.
///
/// # Safety
/// To be called in the child only.
unsafe fn become_user(identity: &Identity) -> Result<(), c_int> {
    let (uid, gid) = (identity.uid as c_long, identity.gid as c_long);
    let (count, groups) = (identity.groups.len() as c_long, identity.groups.as_ptr() as c_long);
    // SAFETY: the list of groups is as long as said and of the kernel's type.
    unsafe {
        system_call([SETGROUPS, count, groups, 0, 0, 0])?;
        system_call([SETRESGID, gid, gid, gid, 0, 0])?;
        system_call([SETRESUID, uid, uid, uid, 0, 0])?;
    }
    Ok(())
}

// On 32-bit machines the old names mean 16-bit ids and small files.
#[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
use libc::{SYS_fcntl as FCNTL, SYS_setgroups as SETGROUPS, SYS_setresgid as SETRESGID, SYS_setresuid as SETRESUID};
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
use libc::{
    SYS_fcntl64 as FCNTL, SYS_setgroups32 as SETGROUPS, SYS_setresgid32 as SETRESGID, SYS_setresuid32 as SETRESUID,
};
