//! Network namespaces as handles: they live as long as an open file or a process of theirs, and leave nothing behind.

#![allow(unsafe_code)]

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

use crate::error::refused;
use crate::{Error, Result};

/// A network namespace, held by an open file.
#[derive(Debug)]
pub struct Namespace {
    file: OwnedFd,
}

impl Namespace {
    /// Makes a new, empty network namespace; the caller stays where it is. The loopback is down.
    pub fn create() -> Result<Namespace> {
        on_own_thread(|| {
            unshare(UnshareFlags::NEWNET).map_err(refused("create a network namespace"))?;
            Namespace::current()
        })?
    }

    /// The namespace of the calling thread.
    pub fn current() -> Result<Namespace> {
        Namespace::open("/proc/thread-self/ns/net")
    }

    /// The namespace that `ip netns` knows by this name.
    pub fn named(name: &str) -> Result<Namespace> {
        Namespace::open(&format!("/run/netns/{name}"))
    }

    /// The namespace of a process.
    pub fn of_process(pid: u32) -> Result<Namespace> {
        Namespace::open(&format!("/proc/{pid}/ns/net"))
    }

    fn open(path: &str) -> Result<Namespace> {
        let file = std::fs::File::open(path).map_err(|error| Error::from_io(format!("open {path}"), &error))?;
        Ok(Namespace { file: file.into() })
    }

    /// Moves the calling thread, and what it will start, into this namespace.
    pub fn enter(&self) -> Result<()> {
        move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(refused("enter a network namespace"))
    }

    /// Runs `work` inside, on a thread of its own, and waits for it. Sockets opened there stay there.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        on_own_thread(|| {
            self.enter()?;
            Ok(work())
        })?
    }

    /// Sets `net.ipv4.ip_default_ttl` and the like inside. (What `/proc/sys/net` shows depends on the namespace of the
    /// thread that opens it, so this is done on a thread inside.) Dots separate; a dot within an interface's name is
    /// written as a slash, as sysctl(8) has it.
    pub fn set_sysctl(&self, name: &str, value: &str) -> Result<()> {
        let refuse = |error: std::io::Error| Error::from_io(format!("set {name} to {value}"), &error);
        let path: String = name.chars().map(swap_dot_and_slash).collect();
        self.run(|| {
            let mut file = std::fs::OpenOptions::new().write(true).open(format!("/proc/sys/{path}")).map_err(refuse)?;
            file.write_all(value.as_bytes()).map_err(refuse)
        })?
    }

    /// Another handle of the same namespace.
    pub fn try_clone(&self) -> Result<Namespace> {
        let file = self.file.try_clone();
        let file = file.map_err(|error| Error::from_io("duplicate a namespace handle", &error))?;
        Ok(Namespace { file })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn swap_dot_and_slash(letter: char) -> char {
    match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    }
}

/// Puts the calling thread into new namespaces.
pub(crate) fn unshare(flags: UnshareFlags) -> std::result::Result<(), Errno> {
    assert!(!flags.contains(UnshareFlags::FILES), "descriptors are shared by all threads");
    // SAFETY: the table of file descriptors is not unshared, which is the only thing that could go wrong.
    unsafe { unshare_unsafe(flags) }
}

/// Runs `work` on a thread that ends with it; a panic goes on in the caller.
fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .spawn_scoped(scope, work)
            .map_err(|error| Error::from_io("start a thread", &error))?;
        match thread.join() {
            Ok(answer) => Ok(answer),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
