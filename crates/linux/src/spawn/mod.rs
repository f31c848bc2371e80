//! Starts programs without forking ourselves, and collects their ends.
//!
//! A fork copies our page tables and makes both sides copy pages for a while. Instead the child borrows our memory
//! until it executes its program: see `child.rs`. Here is what to start, and how it ended. What must end with all its
//! processes is started behind a keeper: see `keeper.rs`.

mod child;
pub(crate) mod keeper;
mod starter;

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::process::{WaitOptions, WaitStatus, wait};

use self::child::{Failure, Orders, Prepared, Step, Target};
pub use self::keeper::{Keeper, Refusal, Wish, Word};

use crate::control_group::GroupPlace;
use crate::netns::Namespace;
use crate::signals::Signal;
use crate::users::Identity;
use crate::{Error, Result};

/// Where a standard stream of the program goes.
#[derive(Debug, Default)]
pub enum Stream {
    /// `/dev/null`; where there is none, ours.
    #[default]
    Null,
    /// The same as ours.
    Inherit,
    /// This file, kept open for the next start.
    File(OwnedFd),
}

/// A program with all that is needed to start it, ready to be started any number of times.
#[derive(Debug)]
pub struct Program {
    path: CString,
    arguments: Arc<[CString]>,
    environment: Arc<[CString]>,
    identity: Option<Identity>,
    directory: Option<CString>,
    namespace: Option<Namespace>,
    death_signal: Option<Signal>,
    streams: [Stream; 3],
}

/// A running child: its process id, which is also its process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    pub pid: u32,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Code(u8),
    Signal(u8),
}

impl Program {
    /// The file to execute and the arguments, `arguments[0]` being the program's own name. The environment is empty,
    /// the three streams are [`Stream::Null`].
    pub fn new(path: CString, arguments: Vec<CString>) -> Program {
        Program {
            path,
            arguments: arguments.into(),
            environment: Arc::new([]),
            identity: None,
            directory: None,
            namespace: None,
            death_signal: None,
            streams: [Stream::Null, Stream::Null, Stream::Null],
        }
    }

    /// "NAME=value" each; many programs can share one.
    pub fn environment(self, environment: impl Into<Arc<[CString]>>) -> Program {
        Program { environment: environment.into(), ..self }
    }

    /// Runs as somebody else. Where that is who we are already, it keeps our supplementary groups.
    pub fn identity(self, identity: Identity) -> Program {
        Program { identity: Some(identity), ..self }
    }

    /// If it runs as somebody else, then with the first group of that user only.
    pub fn without_supplementary_groups(mut self) -> Program {
        if let Some(identity) = &mut self.identity {
            identity.groups = vec![identity.gid];
        }
        self
    }

    pub fn directory(self, directory: CString) -> Program {
        Program { directory: Some(directory), ..self }
    }

    /// Starts it in another network namespace.
    pub fn namespace(self, namespace: Namespace) -> Program {
        Program { namespace: Some(namespace), ..self }
    }

    /// The signal it gets when the thread that started it dies.
    pub fn death_signal(self, signal: Signal) -> Program {
        Program { death_signal: Some(signal), ..self }
    }

    pub fn stdin(mut self, stream: Stream) -> Program {
        self.streams[0] = stream;
        self
    }

    pub fn stdout(mut self, stream: Stream) -> Program {
        self.streams[1] = stream;
        self
    }

    pub fn stderr(mut self, stream: Stream) -> Program {
        self.streams[2] = stream;
        self
    }

    /// As which user it begins.
    pub fn uid(&self) -> u32 {
        self.identity.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |identity| identity.uid)
    }

    /// Starts it in a process group of its own, with default signals and nothing open but its three streams.
    /// A file that the kernel can't execute for want of a `#!` line is run by `/bin/sh`.
    /// Why it could not be executed comes back as the error; but if its file is slow to execute, nobody waits for that: what
    /// cannot be executed in the end has then ended with the exit code 127, as that of a shell which finds no program.
    pub fn start(&self) -> Result<Child> {
        self.start_with(&[])
    }

    /// As [`start`](Program::start), with further arguments behind its own.
    pub fn start_with(&self, further: &[CString]) -> Result<Child> {
        self.start_telling(further, &[])
    }

    /// As [`start_with`](Program::start_with), with more in the environment, whose names its own must not contain.
    pub fn start_telling(&self, further: &[CString], environment: &[CString]) -> Result<Child> {
        match Prepared::new(self.orders(further, environment)).and_then(starter::launch) {
            Ok((pid, None)) => Ok(Child { pid }),
            Ok((pid, Some(failure))) => {
                collect(pid);
                Err(self.explain(failure))
            }
            Err(errno) => Err(self.explain(Failure { step: Step::Execute, errno })),
        }
    }

    /// Starts it behind a [`Keeper`], with more in the environment, and born in a control group of its own if there is a
    /// place for it; answers before the program is there.
    pub fn start_kept(&self, environment: &[CString], group: Option<&GroupPlace>) -> Result<Keeper> {
        keeper::start(self.orders(&[], environment), group).map_err(|errno| {
            let program = self.path.to_string_lossy();
            Error::new(format!("start a keeper for {program}"), errno)
        })
    }

    /// What a refusal that its keeper told means.
    pub fn explain_refusal(&self, refusal: Refusal) -> Error {
        self.explain(refusal.0)
    }

    fn orders(&self, further: &[CString], further_environment: &[CString]) -> Orders {
        Orders {
            path: self.path.clone(),
            arguments: Arc::clone(&self.arguments),
            further: further.to_vec(),
            environment: Arc::clone(&self.environment),
            further_environment: further_environment.to_vec(),
            directory: self.directory.clone(),
            identity: self.identity.clone().filter(|identity| !is_own(identity)),
            namespace: self.namespace.as_ref().map(|namespace| namespace.as_fd().as_raw_fd()),
            death_signal: self.death_signal.map(|signal| signal.0),
            open_files: crate::descriptors::for_programs(),
            streams: self.streams.each_ref().map(|stream| match stream {
                Stream::Null => Target::Null,
                Stream::Inherit => Target::Inherit,
                Stream::File(file) => Target::File(file.as_raw_fd()),
            }),
        }
    }

    fn explain(&self, failure: Failure) -> Error {
        let program = self.path.to_string_lossy();
        let action = match failure.step {
            Step::Streams => format!("connect the standard streams of {program}"),
            Step::Namespace => format!("enter the network namespace for {program}"),
            Step::Directory => {
                let directory = self.directory.as_deref().unwrap_or_default().to_string_lossy();
                format!("change to {directory} for {program}")
            }
            Step::Identity => {
                let uid = self.identity.as_ref().map_or(0, |identity| identity.uid);
                format!("become user {uid} for {program}")
            }
            Step::Execute => format!("start {program}"),
        };
        Error::new(action, failure.errno)
    }
}

fn is_own(identity: &Identity) -> bool {
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    (identity.uid, identity.gid) == own
}

/// Tells of every child of this process that has ended, whoever started it; never waits.
pub fn reap(ended: &mut impl FnMut(u32, Exit)) {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if let Some(exit) = exit_of(status) {
            ended(pid.as_raw_nonzero().get().cast_unsigned(), exit);
        }
    }
}

fn exit_of(status: WaitStatus) -> Option<Exit> {
    // Both fit a byte: the kernel keeps no more.
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(Exit::Code(code as u8)),
        (None, Some(signal)) => Some(Exit::Signal(signal as u8)),
        (None, None) => None,
    }
}

/// Takes the exit status of a child that failed before it executed its program.
fn collect(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed());
    // If SIGCHLD is ignored, the kernel has done so already.
    let _ = rustix::process::waitpid(pid, WaitOptions::empty());
}
