//! A program that runs inside a host: its lines go to the journal, signals reach it, its end is told.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use linux::signals::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

use super::collector;
use super::inside::Inside;
use super::journal::{Journal, Seen};
use super::{LabError, Moment, wait_until};

/// A running program. It ends with its host; dropped alone, it goes on.
#[derive(Debug)]
pub struct Program {
    name: Arc<str>,
    pid: u32,
    // Names the process for as long as we hold it, so that a signal can't hit another one.
    handle: OwnedFd,
    ended: Arc<AtomicBool>,
}

impl Program {
    pub(crate) fn start(
        inside: &Inside,
        host: &Arc<str>,
        name: &str,
        command: &[String],
        journal: &Journal,
    ) -> Result<Self, LabError> {
        let name: Arc<str> = name.into();
        let words = command.to_vec();
        let started = inside.run(move || {
            let Some((program, arguments)) = words.split_first() else {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
            };
            let mut child = Command::new(program)
                .args(arguments)
                .current_dir("/")
                // Ctrl-C at the terminal is for the rehearsal, which then ends its hosts in order.
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let pid = Pid::from_child(&child);
            let handle = pidfd_open(pid, PidfdFlags::empty());
            let handle = handle.inspect_err(|_| {
                // It can't be controlled, so it must not stay.
                let _ = child.kill();
                let _ = child.wait();
            })?;
            Ok((child, handle))
        });
        let (mut child, handle) =
            started.map_err(|error| LabError::io(format!("start {} in {host}", command.join(" ")), &error))?;
        let pid = child.id();
        let ended = Arc::new(AtomicBool::new(false));
        // These threads end with the program (and with what else holds its outputs), at the latest with the host.
        if let Some(output) = child.stdout.take() {
            collect_lines(output, host.clone(), name.clone(), journal.clone());
        }
        if let Some(output) = child.stderr.take() {
            collect_lines(output, host.clone(), name.clone(), journal.clone());
        }
        let (host, program, told, journal) = (host.clone(), name.clone(), ended.clone(), journal.clone());
        thread::spawn(move || {
            let how = child.wait().map_or_else(|error| error.to_string(), in_words);
            told.store(true, Ordering::Release);
            journal.add(Moment::now(), &host, Seen::Ended { program, how });
        });
        Ok(Self { name, pid, handle, ended })
    }

    /// The name under which it appears in the journal.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, as seen from outside of the host.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.ended.load(Ordering::Acquire)
    }

    /// Sends a signal to its first process. That it has ended already is no failure.
    pub fn signal(&self, signal: Signal) -> Result<(), LabError> {
        send(&self.handle, signal).map_err(|error| LabError::io(format!("signal {}", self.name), &error))
    }

    /// Kills it as a crash would: all processes that run its program file, but not the scripts that they started.
    pub fn kill_all(&self) -> Result<(), LabError> {
        // First none of them may move, so that no parent can mourn or replace its child.
        self.freeze()?;
        self.signal_all(Signal::KILL)
    }

    /// Freezes all its processes, as a debugger or a starved machine would.
    pub fn freeze(&self) -> Result<(), LabError> {
        // Who was not yet frozen may have got a child meanwhile.
        let mut frozen = 0;
        while self.family().len() > frozen {
            frozen = self.family().len();
            self.signal_all(STOP)?;
        }
        Ok(())
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<(), LabError> {
        self.signal_all(CONTINUE)
    }

    /// Waits until it has ended.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> bool {
        wait_until(patience, || !self.is_running())
    }

    fn signal_all(&self, signal: Signal) -> Result<(), LabError> {
        // Children first: the death of a parent sets stopped children going again for a moment.
        for handle in self.family().into_iter().rev() {
            send(&handle, signal).map_err(|error| LabError::io(format!("signal {}", self.name), &error))?;
        }
        Ok(())
    }

    /// Its first process and those descendants that run the same program file. A collector, though it may run that file,
    /// is none of them.
    fn family(&self) -> Vec<OwnedFd> {
        let is_collector = |pid: u32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == collector::NAME)
        };
        let file = |pid: u32| fs::read_link(format!("/proc/{pid}/exe")).ok().filter(|_| !is_collector(pid));
        let mut family = vec![self.pid];
        if let Some(own) = file(self.pid) {
            let parents = parents();
            let mut looked_at = 0;
            while let Some(&parent) = family.get(looked_at) {
                looked_at += 1;
                let children = parents.iter().filter(|(_, of)| *of == parent).map(|&(pid, _)| pid);
                family.extend(children.filter(|&pid| file(pid).as_ref() == Some(&own)));
            }
        }
        let handle = |pid: u32| pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok();
        family.into_iter().filter_map(handle).collect()
    }
}

/// Every process of the machine and its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        // proc_pid_stat(5): the name in parentheses may contain anything; the state and the parent follow it.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        Some((pid, rest.split_whitespace().nth(1)?.parse().ok()?))
    };
    pids.filter_map(parent).collect()
}

const STOP: Signal = Signal(rustix::process::Signal::STOP.as_raw());
const CONTINUE: Signal = Signal(rustix::process::Signal::CONT.as_raw());

pub(super) fn send(handle: &OwnedFd, signal: Signal) -> io::Result<()> {
    let signal = rustix::process::Signal::from_named_raw(signal.0)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no such signal"))?;
    match pidfd_send_signal(handle, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

fn collect_lines(output: impl Read + Send + 'static, host: Arc<str>, program: Arc<str>, journal: Journal) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            journal.add(Moment::now(), &host, Seen::Line { program: program.clone(), text });
        }
    });
}
