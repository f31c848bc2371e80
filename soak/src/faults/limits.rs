//! What a daemon may not have more of: memory, descriptors, room on its disk.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use linux::signals::Signal;
use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::Scene;
use super::people::ask_for_status;
use crate::failure::{Failure, Result};
use crate::ground::{DISK, Kind};

pub(super) fn memory(scene: &mut Scene<'_>) -> Result<()> {
    let pid = scene.pid();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(Failure::during("read status"))?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.split_whitespace().next());
    let kibibytes: u64 = size.and_then(|size| size.parse().ok()).ok_or_else(|| Failure::new("it has no size"))?;
    limited(scene, Resource::As, kibibytes * 1024)
}

pub(super) fn descriptors(scene: &mut Scene<'_>) -> Result<()> {
    limited(scene, Resource::Nofile, first_free_descriptor(scene.pid())?)
}

/// The first that is free. Where it may not be had, nor any above it, those that are open stay open.
fn first_free_descriptor(pid: u32) -> Result<u64> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).map_err(Failure::during("read fd"))?;
    let open: BTreeSet<u64> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    Ok((0..).find(|number| !open.contains(number)).unwrap_or_default())
}

fn set_limit(pid: u32, resource: Resource, new: Rlimit) -> Result<Rlimit> {
    prlimit(Pid::from_raw(pid.cast_signed()), resource, new).map_err(Failure::during("limit the daemon"))
}

/// With a limit that is reached already: reloads, questions of clients, checks.
fn limited(scene: &mut Scene<'_>, resource: Resource, limit: u64) -> Result<()> {
    let pid = scene.pid();
    // The upper bound stays: root may lift it, but nobody else could.
    let before = rustix::process::getrlimit(resource);
    let before = set_limit(pid, resource, Rlimit { current: Some(limit), maximum: before.maximum })?;
    for _ in 0..3 {
        scene.ground.nodes[scene.node].reload()?;
        if scene.is_tanist() {
            ask_for_status(scene)?;
        }
        scene.ground.pass(scene.span / 3)?;
    }
    // It may have ended, and another one may be there.
    if scene.pid() == pid {
        set_limit(pid, resource, before)?;
    }
    // What was refused meanwhile must be possible now.
    scene.ground.nodes[scene.node].reload()
}

/// It can't be started again where no keeper can be spoken to, but on the other node it can.
pub(super) fn service_without_descriptors(scene: &mut Scene<'_>) -> Result<()> {
    let pid = scene.pid();
    let limit = Rlimit { current: Some(first_free_descriptor(pid)?), ..rustix::process::getrlimit(Resource::Nofile) };
    let before = set_limit(pid, Resource::Nofile, limit)?;
    let killed = scene.signal_service(Signal::KILL)?;
    scene.ground.pass(scene.span)?;
    if scene.pid() == pid {
        set_limit(pid, Resource::Nofile, before)?;
    }
    if killed == 0 { Err(Failure::new("no service ran")) } else { Ok(()) }
}

pub(super) fn disk_full(scene: &mut Scene<'_>) -> Result<()> {
    scene.host().run(fill)?.map_err(Failure::during("fill the disk"))?;
    on_a_bad_disk(scene)?;
    scene.host().run(empty)?.map_err(Failure::during("empty the disk"))?;
    scene.ground.nodes[scene.node].reload()
}

pub(super) fn read_only(scene: &mut Scene<'_>) -> Result<()> {
    scene.hide_behind_read_only()?;
    on_a_bad_disk(scene)?;
    // Who began behind it goes on behind it with what it has opened; its paths lead to the disk again.
    let shown = scene.host().run(|| unmount(DISK, UnmountFlags::DETACH))?;
    shown.map_err(Failure::during("make the disk writable"))?;
    scene.ground.nodes[scene.node].reload()
}

fn on_a_bad_disk(scene: &mut Scene<'_>) -> Result<()> {
    let part = scene.span / 3;
    scene.ground.nodes[scene.node].reload()?;
    scene.ground.pass(part)?;
    scene.kill()?;
    scene.ground.pass(Duration::from_millis(200))?;
    scene.ground.start_again(scene.node)?;
    scene.ground.pass(part)?;
    scene.ground.nodes[scene.node].reload()?;
    scene.ground.pass(part)
}

const FILLER: &str = "filler";

/// First there is no room, then there is no number for another file.
fn fill() -> std::io::Result<()> {
    let mut file = fs::File::create(Path::new(DISK).join(FILLER))?;
    while file.write(&[b'x'; 4096]).is_ok_and(|written| written > 0) {}
    for number in 0.. {
        if fs::File::create(Path::new(DISK).join(format!("{FILLER}{number}"))).is_err() {
            break;
        }
    }
    Ok(())
}

fn empty() -> std::io::Result<()> {
    for entry in fs::read_dir(DISK)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(FILLER) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Scene<'_> {
    fn pid(&self) -> u32 {
        self.ground.nodes[self.node].program().pid()
    }

    pub(super) fn host(&self) -> &rehearse::lab::Host {
        &self.ground.nodes[self.node].host
    }

    pub(super) fn is_tanist(&self) -> bool {
        self.ground.nodes[self.node].kind == Kind::Tanist
    }

    /// Puts a view of the disk before it through which nothing can be written: the disk itself can't be made so while
    /// somebody has a file open for writing there.
    fn hide_behind_read_only(&self) -> Result<()> {
        let done = self.host().run(|| {
            mount_bind(DISK, DISK)?;
            mount_remount(DISK, MountFlags::BIND | MountFlags::RDONLY, c"")
        })?;
        done.map_err(Failure::during("make the disk read-only"))
    }
}
