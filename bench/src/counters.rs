//! How often the processes of a daemon pass a point that the kernel can count at: a system call, or a function of the C
//! library. Counted by `perf`, which, unlike strace and ltrace, does not stop them there.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::processes::Processes;

/// Every system call.
pub(crate) const SYSTEM_CALLS: &str = "raw_syscalls:sys_enter";

/// What a program calls to get memory; what it calls to give it back is of no interest here.
const ALLOCATOR: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];

/// How often a second each of several daemons passes any of these points, over the same time.
pub(crate) fn rates<const N: usize>(events: &str, daemons: [&Processes; N], during: Duration) -> Result<[f64; N]> {
    let seconds = during.as_secs_f64();
    let mut counters = Vec::new();
    for processes in daemons {
        let ids: Vec<String> = processes.ids().map(|id| id.to_string()).collect();
        let counter = perf()
            .args(["stat", "-x", ",", "-e", events, "-p", &ids.join(","), "--", "sleep", &seconds.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::during("start perf (Debian: linux-perf)"))?;
        counters.push(counter);
    }
    let mut rates = [0.0; N];
    for (counter, rate) in counters.into_iter().zip(&mut rates) {
        let output = counter.wait_with_output().map_err(Failure::during("wait for perf"))?;
        *rate = count(events, &String::from_utf8_lossy(&output.stderr))? as f64 / seconds;
    }
    Ok(rates)
}

fn perf() -> Command {
    Command::new("perf")
}

/// Of the lines of `perf stat -x ,`: `12345,,raw_syscalls:sys_enter,…`.
fn count(events: &str, output: &str) -> Result<u64> {
    let mut sum = 0;
    for event in events.split(',') {
        let line = output.lines().find(|line| line.split(',').any(|field| field == event));
        let number = line.and_then(|line| line.split(',').next()?.parse::<u64>().ok());
        sum += number.ok_or_else(|| Failure::new(format!("perf does not count {event}: {}", output.trim())))?;
    }
    Ok(sum)
}

/// Points in the C library's allocator at which the kernel counts, for as long as this lives.
#[derive(Debug)]
pub(crate) struct AllocatorProbes {
    group: String,
}

impl AllocatorProbes {
    /// In the library that these processes use.
    pub(crate) fn set(processes: &Processes) -> Result<Self> {
        let library = processes.library("libc.so.6")?;
        let probes = Self { group: format!("tanist_bench_{}", std::process::id()) };
        for function in ALLOCATOR {
            let definition = format!("{}:{function}={function}", probes.group);
            let output = perf()
                .args(["probe", "--quiet", "--exec", &library, &definition])
                .output()
                .map_err(Failure::during("start perf (Debian: linux-perf)"))?;
            if !output.status.success() {
                let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(Failure::new(format!("count calls of {function} in {library}: {words}")));
            }
        }
        probes.try_out()?;
        Ok(probes)
    }

    /// A count of zero is worth something only if the probes do count.
    fn try_out(&self) -> Result<()> {
        let output = perf()
            .args(["stat", "-x", ",", "-e", &self.events(), "--", "sleep", "0"])
            .output()
            .map_err(Failure::during("start perf (Debian: linux-perf)"))?;
        match count(&self.events(), &String::from_utf8_lossy(&output.stderr))? {
            0 => Err(Failure::new("perf sees no allocation where there must be some")),
            _ => Ok(()),
        }
    }

    /// For [`rates`].
    pub(crate) fn events(&self) -> String {
        ALLOCATOR.map(|function| format!("{}:{function}", self.group)).join(",")
    }
}

impl Drop for AllocatorProbes {
    fn drop(&mut self) {
        // What was never set can't be removed; nothing else is left to be done about a failure.
        let _ = perf().args(["probe", "--quiet", "--del", &format!("{}:*", self.group)]).output();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_perf_says() {
        let output =
            "49895,,raw_syscalls:sys_enter,5000812345,100.00,,\n3,,x:malloc,1,100.00,,\n4,,x:calloc,1,100.00,,\n";
        assert_eq!(count(SYSTEM_CALLS, output), Ok(49_895));
        assert_eq!(count("x:malloc,x:calloc", output), Ok(7));
        assert!(count("x:malloc,x:realloc", output).is_err());
        assert!(count(SYSTEM_CALLS, "<not supported>,,raw_syscalls:sys_enter,0,100.00,,\n").is_err());
    }
}
