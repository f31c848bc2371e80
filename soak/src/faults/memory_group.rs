//! A control group with too little memory: the kernel kills whoever wants more.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Scene;
use crate::failure::{Failure, Result};

/// What it may have more than it has, in octets.
const ROOM: u64 = 1 << 20;
/// A configuration of so many octets needs more than that to be read.
const TOO_MUCH: usize = 16 << 20;
/// How long the kernel may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A group of its own, removed when it is dropped.
#[derive(Debug)]
struct Group {
    directory: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Where memory can be limited, if it can.
fn hierarchy() -> Option<(PathBuf, Version)> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let found = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (directory, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
        let has_memory = |controllers: &str, separator: char| controllers.split(separator).any(|it| it == "memory");
        let version = match kind {
            "cgroup" if has_memory(options, ',') => Version::One,
            // Children have it only if it is handed on to them.
            "cgroup2" => {
                let handed_on = fs::read_to_string(Path::new(directory).join("cgroup.subtree_control")).ok()?;
                has_memory(handed_on.trim_end(), ' ').then_some(Version::Two)?
            }
            _ => return None,
        };
        Some((PathBuf::from(directory), version))
    })?;
    let writable = rustix::fs::access(&found.0, rustix::fs::Access::WRITE_OK).is_ok();
    writable.then_some(found)
}

/// Whether memory can be limited here.
pub(crate) fn is_there() -> bool {
    hierarchy().is_some()
}

impl Group {
    fn make(name: &str) -> Result<Self> {
        let (top, version) =
            hierarchy().ok_or_else(|| Failure::new("there are no control groups that limit memory"))?;
        let directory = top.join(format!("tanist-soak.{}.{name}", std::process::id()));
        fs::create_dir(&directory).map_err(Failure::during(format!("make {}", directory.display())))?;
        Ok(Self { directory, version })
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.directory.join(file);
        fs::write(&path, text).map_err(Failure::during(format!("write {text} to {}", path.display())))
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.directory.join(file);
        fs::read_to_string(&path).map_err(Failure::during(format!("read {}", path.display())))
    }

    /// Puts a process in. What it has already counts elsewhere.
    fn take(&self, pid: u32) -> Result<()> {
        self.write("cgroup.procs", &pid.to_string())
    }

    fn limit(&self) -> Result<()> {
        let (usage, limit) = match self.version {
            Version::One => ("memory.usage_in_bytes", "memory.limit_in_bytes"),
            Version::Two => ("memory.current", "memory.max"),
        };
        let used: u64 = self.read(usage)?.trim().parse().map_err(Failure::during("read how much memory is used"))?;
        self.write(limit, &(used + ROOM).to_string())?;
        // Where there is swap, it would take what is too much.
        let _ = match self.version {
            Version::One => self.write("memory.memsw.limit_in_bytes", &(used + ROOM).to_string()),
            Version::Two => self.write("memory.swap.max", "0"),
        };
        Ok(())
    }

    /// How many processes of it the kernel has killed.
    fn killed(&self) -> Result<u64> {
        let text = self.read(if self.version == Version::One { "memory.oom_control" } else { "memory.events" })?;
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
        count.ok_or_else(|| Failure::new("the kernel does not tell whom it killed"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Who was killed is in it until the kernel has taken it away.
        let until = Instant::now() + PATIENCE;
        while fs::remove_dir(&self.directory).is_err() && self.directory.exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

pub(super) fn out_of_memory(scene: &mut Scene<'_>) -> Result<()> {
    let span = scene.some_time();
    let group = Group::make(scene.host().name())?;
    let node = &mut scene.ground.nodes[scene.node];
    group.take(node.program().pid())?;
    group.limit()?;
    let whole = scene.ground.configuration(scene.node);
    let node = &mut scene.ground.nodes[scene.node];
    node.write_configuration(&format!("{whole}{}", "# too much\n".repeat(TOO_MUCH / 11)))?;
    // It is no surprise that it ends.
    node.is_down = true;
    node.reload()?;
    let ended = scene.wait_until("it did not want more memory than it may have", |scene| {
        Ok(!scene.ground.nodes[scene.node].program().is_running())
    });
    let killed = group.killed();
    scene.ground.nodes[scene.node].write_configuration(&whole)?;
    if ended.is_err() {
        scene.kill()?;
    } else if scene.ground.plan.has_service() {
        scene.service_is_gone()?;
    }
    scene.ground.pass(span)?;
    scene.ground.start_again(scene.node)?;
    ended?;
    if killed? == 0 { Err(Failure::new("it ended, but not because of its memory")) } else { Ok(()) }
}
