//! System calls of the running daemon that the kernel refuses, by the hand of strace: the N-th of a kind, and each M-th after
//! it, in each thread by itself and in each program that it starts meanwhile. All of them are slower for being held, which is
//! why strace gets its processor before others.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process};

use super::Scene;
use super::people::ask_for_status;
use crate::failure::{Failure, Result};

/// Calls that do the same, and how they may fail. A question mark: not every machine has it.
const KINDS: &[(&str, &[&str])] = &[
    ("socket", &["EMFILE", "ENOBUFS", "ENOMEM"]),
    ("bind,connect", &["ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"]),
    ("accept4,?accept", &["EMFILE", "ECONNABORTED", "ENOBUFS"]),
    ("openat,?open", &["EMFILE", "ENFILE", "EIO", "ENOMEM"]),
    ("clone3,clone,?vfork,?fork", &["EAGAIN", "ENOMEM"]),
    ("execve,?execveat", &["ENOMEM", "EAGAIN", "EIO"]),
    ("sendmsg,sendmmsg,sendto", &["EAGAIN", "ENOBUFS", "EINTR", "ENETDOWN", "EPERM"]),
    ("recvmsg,recvmmsg,recvfrom", &["EAGAIN", "ENOBUFS", "EINTR"]),
    ("?epoll_wait,epoll_pwait,?epoll_pwait2", &["EINTR"]),
    ("epoll_ctl", &["ENOMEM", "ENOSPC"]),
    ("timerfd_settime", &["ENOMEM"]),
    // Not brk: no kernel ever answers that with an error, but with the end that there is, and any program dies of it.
    ("mmap,mremap", &["ENOMEM"]),
    ("read,?readv", &["EINTR", "EAGAIN"]),
    ("write,writev", &["EIO", "ENOSPC", "EAGAIN", "EINTR"]),
    ("fsync,fdatasync,?rename,?renameat,?renameat2", &["EIO", "ENOSPC"]),
    ("?pidfd_open,waitid,wait4", &["EMFILE", "EINTR"]),
];
/// How long one kind is refused.
const TURN: Duration = Duration::from_secs(1);
/// So many turns may refuse nothing, because nobody makes such a call.
const IN_VAIN: usize = 10;
/// strace holds and lets go within this, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether strace is there.
pub(crate) fn is_there() -> bool {
    Command::new("strace").arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A kind after the other, while it reloads and is asked.
pub(super) fn refuse(scene: &mut Scene<'_>) -> Result<()> {
    let until = Instant::now() + scene.span;
    let (mut refused, mut turns) = (0, 0);
    while Instant::now() < until || (refused == 0 && turns < IN_VAIN) {
        let (calls, errors) = KINDS[scene.dice.below(KINDS.len())];
        let error = errors[scene.dice.below(errors.len())];
        // Never two of them in a row.
        let (first, step) = (1 + scene.dice.below(4), 2 + scene.dice.below(4));
        let pid = scene.ground.nodes[scene.node].program().pid();
        let mut strace = Strace::begin(pid, calls, error, first, step)?;
        let what = format!("refuses {calls} with {error}, the {first}. and each {step}. after it");
        scene.ground.lab.note(scene.host().name(), &what);
        let passed = turn(scene);
        refused += strace.end();
        passed?;
        turns += 1;
    }
    scene.ground.lab.note(scene.host().name(), &format!("{refused} calls were refused"));
    if refused == 0 { Err(Failure::new("no call was refused")) } else { Ok(()) }
}

/// What makes it do more than advertise.
fn turn(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.pass(TURN / 4)?;
    scene.ground.nodes[scene.node].reload()?;
    scene.ground.pass(TURN / 4)?;
    ask_for_status(scene)?;
    scene.ground.pass(TURN / 2)
}

/// It lets go when it is dropped.
#[derive(Debug)]
struct Strace {
    child: Child,
    /// What it tells.
    story: File,
}

impl Strace {
    /// Returns when it holds all threads that there are now.
    fn begin(pid: u32, calls: &str, error: &str, first: usize, step: usize) -> Result<Self> {
        let story = memfd_create(c"strace", MemfdFlags::CLOEXEC).map_err(Failure::during("make a file in memory"))?;
        let story = File::from(story);
        let written = story.try_clone().map_err(Failure::during("open a file in memory again"))?;
        let threads = threads(pid);
        let mut command = Command::new("nice");
        command.args(["-n", "-10", "strace", "-f", "-q", "-p", &pid.to_string(), "-e", &format!("trace={calls}")]);
        command.args(["-e", &format!("inject={calls}:error={error}:when={first}+{step}"), "-e", "signal=none"]);
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(written);
        let child = command.spawn().map_err(Failure::during("start strace"))?;
        let mut strace = Self { child, story };
        let until = Instant::now() + PATIENCE;
        let is_held = |thread: &String| {
            let status = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).unwrap_or_default();
            // Who has just ended need not be held.
            status.is_empty() || status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
        };
        while !threads.iter().all(is_held) {
            if let Ok(Some(_)) = strace.child.try_wait() {
                return Err(Failure::new(format!("strace has ended: {}", strace.told())));
            }
            if Instant::now() > until {
                return Err(Failure::new("strace does not hold the daemon"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(strace)
    }

    fn told(&mut self) -> String {
        let mut text = String::new();
        // What cannot be read counts as nothing refused.
        let _ = self.story.rewind().and_then(|()| self.story.read_to_string(&mut text));
        text
    }

    /// Lets go of all threads; how many calls were refused.
    fn end(&mut self) -> usize {
        self.let_go();
        self.told().lines().filter(|line| line.ends_with("(INJECTED)")).count()
    }

    fn let_go(&mut self) {
        let until = Instant::now() + PATIENCE;
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            // One that has ended is no matter.
            let _ = kill_process(pid, Signal::INT);
        }
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.let_go();
        }
    }
}

/// The numbers of the threads of a process.
fn threads(pid: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
