//! What a daemon takes from its machine, read from `/proc`.

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
        let program = |pid: u32| fs::read_link(format!("/proc/{pid}/exe")).ok();
        let own = program(pid)?;
        let mut family = vec![pid];
        let mut looked_at = 0;
        while let Some(&parent) = family.get(looked_at) {
            looked_at += 1;
            let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
            let children = children.split_whitespace().filter_map(|child| child.parse().ok());
            family.extend(children.filter(|&child| program(child).as_ref() == Some(&own)));
        }
        let parts = family.into_iter().filter_map(of_one);
        Some(parts.fold(Self::default(), |sum, part| Self {
            memory: sum.memory + part.memory,
            descriptors: sum.descriptors + part.descriptors,
            worked: sum.worked + part.worked,
        }))
    }
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
