//! A collector on a host: the service whose work can be audited afterwards.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linux::signals::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::host::{HOST_DIR, Host};
use super::inside::Inside;
use super::journal::{Journal, Seen};
use super::observers::Watch;
use super::program::send;
use super::stand_in::read_lines;
use super::ticks::Tick;
use super::{LabError, Moment};
pub use crate::collector::Manner;

/// Where collectors tell what they do, inside a host.
pub const COLLECTOR_PIPE: &str = "/run/rehearse/collector.pipe";

/// The name of its processes.
pub(super) const NAME: &str = "collector";

/// Reads what collectors of a host tell: ticks go to the list of ticks, all else to the journal.
pub(crate) fn start_reader(inside: &Inside, host: Arc<str>, journal: Journal) -> Result<Watch, LabError> {
    let name = COLLECTOR_PIPE.rsplit('/').next().expect("it has a name");
    let of = host.clone();
    read_lines(inside, &host, name, move |line| {
        let mut words = line.split('\t');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (Some(at), Some(pid)) = (number().map(Moment::from_nanos), number()) else { return };
        match (words.next(), words.next()) {
            (Some("tick"), Some(number)) => {
                let (pid, number) = (pid as u32, number.parse().unwrap_or_default());
                journal.add_tick(Tick { at, host: of.clone(), pid, number });
            }
            (Some("tells"), Some(what)) => {
                let arguments = vec![what.to_owned(), pid.to_string()];
                journal.add(at, &of, Seen::ScriptRun { name: NAME.to_owned(), arguments });
            }
            _ => {}
        }
    })
}

/// A process of a host, held so that a signal cannot reach another one.
#[derive(Debug)]
pub struct HostProcess {
    handle: OwnedFd,
}

impl HostProcess {
    /// Sends a signal. That it has ended already is no failure.
    pub fn signal(&self, signal: Signal) -> Result<(), LabError> {
        send(&self.handle, signal).map_err(|error| LabError::io("signal a process of a host", &error))
    }
}

impl Host {
    /// Puts a collector into the host. `program` with its first arguments takes the words of `tanist rehearse`.
    ///
    /// `collector` is the service itself, in the foreground; `collector-probe` succeeds if it answers; `collector-service`
    /// starts it, stops it and tells its status, one after the other, as a manager of services does.
    pub fn write_collector(&self, program: &[String], manner: &Manner) -> Result<PathBuf, LabError> {
        let quoted: Vec<String> = program.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let run = |role: &str| format!("#!/bin/sh\nexec {} --helper {role} --manner '{manner}'\n", quoted.join(" "));
        self.write_program("collector-probe", &run("probe"))?;
        self.write_program("collector-service", MANAGER)?;
        self.write_program(NAME, &run("collector"))
    }

    /// The processes of the host that have this name now. A host without power has none.
    pub fn processes(&self, name: &str) -> Result<Vec<HostProcess>, LabError> {
        if !self.is_on() {
            return Ok(Vec::new());
        }
        let action = || format!("look for processes of {}", self.name());
        let world = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid"));
        let own = world(self.init_pid()?).map_err(|error| LabError::io(action(), &error))?;
        let entries = fs::read_dir("/proc").map_err(|error| LabError::io(action(), &error))?;
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let has_name =
            |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name);
        let mut found = Vec::new();
        for pid in pids.filter(|&pid| has_name(pid)) {
            let Some(of_system) = Pid::from_raw(pid.cast_signed()) else { continue };
            // The handle first: then what is read below is about the process that it holds, or about nobody.
            let Ok(handle) = pidfd_open(of_system, PidfdFlags::empty()) else { continue };
            // Others' processes, and those that are just going, do not tell.
            if world(pid).is_ok_and(|world| world == own) && has_name(pid) {
                found.push(HostProcess { handle });
            }
        }
        Ok(found)
    }

    /// Sends a signal to all collectors of the host; how many there were.
    pub fn signal_collectors(&self, signal: Signal) -> Result<usize, LabError> {
        let all = self.processes(NAME)?;
        all.iter().try_for_each(|process| process.signal(signal))?;
        Ok(all.len())
    }

    /// Has the host's `collector-service` do something: `start`, `stop`, `status`. What it answers is its exit status.
    pub fn collector_service(&self, verb: &str) -> Result<i32, LabError> {
        let manager = Path::new(HOST_DIR).join("collector-service");
        let output = self.output(&[&manager.display().to_string(), verb])?;
        output.status.code().ok_or_else(|| {
            LabError::io(format!("{verb} the collector of {}", self.name()), &io::Error::other("it was killed"))
        })
    }
}

/// What a manager of services does about one service: one thing after the other; a stop is patient, wakes up who is
/// frozen, and in the end kills. It does not look after the service otherwise.
const MANAGER: &str = "#!/bin/sh
cd /run/rehearse || exit 1
exec 9> collector.lock
flock 9
pid=$(cat collector.pid 2> /dev/null)
runs() { [ -n \"$pid\" ] && kill -0 \"$pid\" 2> /dev/null; }
case $1 in
start)
    runs && exit 0
    setsid ./collector 9>&- < /dev/null > /dev/null 2>&1 &
    echo $! > collector.pid
    ;;
stop)
    runs || exit 0
    kill -TERM \"$pid\"
    kill -CONT \"$pid\"
    left=1000
    while runs && [ $left -gt 0 ]; do sleep 0.01; left=$((left - 1)); done
    runs && kill -KILL \"$pid\"
    while runs; do sleep 0.01; done
    exit 0
    ;;
status)
    runs || exit 3
    ;;
*)
    exit 2
    ;;
esac
";
