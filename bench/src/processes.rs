//! What the processes of a daemon cost, as `/proc` tells it.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::Program;

use crate::failure::{Failure, Result};

/// A check runs for a few milliseconds; what is there before and after this pause is the daemon itself.
const PAUSE: Duration = Duration::from_millis(300);

/// The processes of a daemon that stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Processes {
    ids: BTreeSet<u32>,
}

impl Processes {
    pub(crate) fn of(program: &Program) -> Result<Self> {
        let before = with_descendants(program.pid());
        sleep(PAUSE);
        let ids: BTreeSet<u32> = with_descendants(program.pid()).intersection(&before).copied().collect();
        if program.is_running() && ids.contains(&program.pid()) {
            Ok(Self { ids })
        } else {
            Err(Failure::new(format!("{} has ended", program.name())))
        }
    }

    /// Those that run the daemon's own program file, and not the service that it looks after, whatever that runs.
    pub(crate) fn of_daemon(program: &Program) -> Result<Self> {
        let mut all = Self::of(program)?;
        let file = |id: u32| fs::read_link(format!("/proc/{id}/exe")).ok();
        let own = file(program.pid());
        // The collector may be the same program as the daemon; by its name the lab finds it, too.
        let is_service = |id: u32| read(id, "comm").is_ok_and(|name| name.trim_end() == "collector");
        all.ids.retain(|&id| file(id) == own && !is_service(id));
        Ok(all)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        self.ids.iter().copied()
    }

    /// The path of a shared library that they use.
    pub(crate) fn library(&self, name: &str) -> Result<String> {
        let maps: Result<Vec<String>> = self.ids().map(|id| read(id, "maps")).collect();
        let maps = maps?.concat();
        let mut paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
        let path = paths.find(|path| path.rsplit('/').next() == Some(name));
        path.map(str::to_owned).ok_or_else(|| Failure::new(format!("the daemon does not use {name}")))
    }

    /// Memory that is theirs or mapped by them and present, each process by itself, in megabytes. From `smaps_rollup`,
    /// which counts; the figure in `status` is gathered lazily and may be off.
    pub(crate) fn resident_megabytes(&self) -> Result<f64> {
        let kilobytes: Result<Vec<u64>> = self.ids().map(|id| resident_kilobytes(&read(id, "smaps_rollup")?)).collect();
        Ok(kilobytes?.into_iter().sum::<u64>() as f64 / 1024.0)
    }

    /// How long their threads have had a processor.
    pub(crate) fn run_time(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for id in self.ids() {
            let directory = format!("/proc/{id}/task");
            let tasks = fs::read_dir(&directory).map_err(Failure::during(format!("read {directory}")))?;
            for task in tasks.flatten() {
                let file = task.path().join("schedstat");
                // A thread that has ended meanwhile has nothing to tell.
                nanoseconds += fs::read_to_string(file).ok().as_deref().and_then(first_number).unwrap_or(0);
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// How long the children that they have waited for had a processor: checks, for instance.
    pub(crate) fn run_time_of_ended_children(&self) -> Result<Duration> {
        let ticks: Result<Vec<u64>> = self.ids().map(|id| ticks_of_ended_children(&read(id, "stat")?)).collect();
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(ticks?.into_iter().sum::<u64>() as f64 / per_second as f64))
    }
}

fn read(id: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{id}/{file}");
    fs::read_to_string(&path).map_err(Failure::during(format!("read {path}")))
}

fn with_descendants(id: u32) -> BTreeSet<u32> {
    let mut found = vec![id];
    let mut looked_at = 0;
    while let Some(&parent) = found.get(looked_at) {
        looked_at += 1;
        // A process that is just going has no children that matter.
        for task in fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    found.into_iter().collect()
}

/// Of `/proc/PID/smaps_rollup`: `Rss:    1234 kB`.
fn resident_kilobytes(smaps_rollup: &str) -> Result<u64> {
    let line = smaps_rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    line.and_then(first_number).ok_or_else(|| Failure::new("smaps_rollup tells no Rss"))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Of `/proc/PID/stat`: fields 16 and 17, cutime and cstime (proc_pid_stat(5)). The second field, the name, may contain
/// anything, so counting begins behind its last bracket.
fn ticks_of_ended_children(stat: &str) -> Result<u64> {
    let fields = stat.rsplit_once(')').map(|(_, behind)| behind.split_whitespace());
    let ticks: Vec<u64> =
        fields.into_iter().flatten().skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks[..] {
        [user, system] => Ok(user + system),
        _ => Err(Failure::new(format!("{stat:?} is no /proc/PID/stat"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_proc_says() {
        let stat =
            "42 (a) b) S 1 42 42 0 -1 4194560 100 200 0 0 11 12 1300 140 20 0 1 0 100 1000 10 18446744073709551615";
        assert_eq!(ticks_of_ended_children(stat), Ok(1440));
        assert!(ticks_of_ended_children("42 (a) S 1").is_err());
        assert_eq!(resident_kilobytes("55d0-7ffd [rollup]\nRss:                2940 kB\nPss: 1 kB\n"), Ok(2940));
        assert_eq!(first_number("123456 789 5\n"), Some(123_456));
    }
}
