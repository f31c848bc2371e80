//! What a daemon takes from its machine, read from `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// All processes of a daemon together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Memory of its own in KiB: what it has allocated and touched, without the pages of its program file, which come and
    /// go as the kernel likes.
    pub memory: u64,
    pub descriptors: u64,
    /// Processor time since they were started.
    pub worked: Duration,
}

/// Clock ticks in a second, as `/proc` counts them on every Linux.
const TICKS: f64 = 100.0;

impl Footprint {
    /// Of a process and its descendants that run the same program file; `None` if it is gone.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let family = family(pid);
        if family.is_empty() {
            return None;
        }
        let parts = family.into_iter().filter_map(of_one);
        Some(parts.fold(Self::default(), |sum, part| Self {
            memory: sum.memory + part.memory,
            descriptors: sum.descriptors + part.descriptors,
            worked: sum.worked + part.worked,
        }))
    }
}

/// A process and its descendants that run the same program file; nobody if it is gone. A collector, though it may run that
/// file, is none of them.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let is_collector =
        |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == "collector");
    let program = |pid: u32| fs::read_link(format!("/proc/{pid}/exe")).ok().filter(|_| !is_collector(pid));
    let Some(own) = program(pid) else { return Vec::new() };
    let mut family = vec![pid];
    let mut looked_at = 0;
    while let Some(&parent) = family.get(looked_at) {
        looked_at += 1;
        family.extend(children(parent).into_iter().filter(|&child| program(child).as_ref() == Some(&own)));
    }
    family
}

/// The keepers of a daemon's services: forks of it that have children themselves.
pub(crate) fn keepers(daemon: u32) -> Vec<u32> {
    family(daemon).into_iter().filter(|&pid| pid != daemon && !children(pid).is_empty()).collect()
}

/// Of all threads of a process.
fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()).collect()
}

/// How many messages the netlink sockets of a daemon had no room for.
pub(crate) fn lost_messages(pid: u32) -> u64 {
    dropped(pid, "netlink")
}

/// How many packets the raw sockets of a daemon had no room for, over IPv4.
pub(crate) fn lost_packets(pid: u32) -> u64 {
    dropped(pid, "raw")
}

/// The sum of the column `drops` in a table of `/proc/PID/net` for all sockets of a daemon. In one of them a name of two
/// columns is one word, so they are counted from the end.
fn dropped(pid: u32, table: &str) -> u64 {
    let family = family(pid);
    let sockets: BTreeSet<String> = family.iter().flat_map(|&pid| socket_numbers(pid)).collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    let head: Vec<String> = table.lines().take(1).flat_map(str::split_whitespace).map(str::to_lowercase).collect();
    let from_end = |name: &str| Some(head.len() - head.iter().position(|word| word == name)?);
    let (Some(drops), Some(inode)) = (from_end("drops"), from_end("inode")) else { return 0 };
    let drops = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let field = |from_end: usize| fields.len().checked_sub(from_end).map(|place| fields[place]);
        if sockets.contains(field(inode)?) { field(drops)?.parse::<u64>().ok() } else { None }
    };
    table.lines().skip(1).filter_map(drops).sum()
}

fn socket_numbers(pid: u32) -> Vec<String> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = open.filter_map(|entry| fs::read_link(entry.path()).ok()?.to_str().map(str::to_owned));
    targets.filter_map(|target| Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect()
}

fn of_one(pid: u32) -> Option<Footprint> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.split_whitespace().next());
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
    // proc_pid_stat(5): the name in parentheses may contain anything; times are the 14th and the 15th field.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let times = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    let worked = Duration::from_secs_f64(times.sum::<f64>() / TICKS);
    Some(Footprint { memory: memory?.parse().ok()?, descriptors, worked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_somebody() {
        let own = Footprint::of(std::process::id()).expect("we live");
        assert!(own.memory > 10 && own.descriptors >= 3, "{own:?}");
        assert_eq!(Footprint::of(u32::MAX), None);
    }
}
