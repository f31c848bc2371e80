//! Control groups of the second version: whatever is born in one stays there, whatever it does to its parents, its
//! session or its environment, and the kernel ends all of them at once.
//!
//! What a [keeper](crate::spawn::Keeper) needs after its fork makes system calls only and takes no memory.

use std::ffi::CString;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statfs, unlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::process_list::ProcessId;
use crate::{Error, Result};

/// What the kernel says of their file system (`CGROUP2_SUPER_MAGIC`).
const MAGIC: i64 = 0x6367_7270;
/// Groups in groups are looked through down to here. Programs that make some of their own need two or three.
const DEEPEST: u32 = 32;

/// The groups of this machine, as far as this process sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlGroups {
    mount: PathBuf,
    own: PathBuf,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ControlGroup(PathBuf);

impl ControlGroups {
    /// Where they are shown to us, and which one we are in.
    ///
    /// # Errors
    /// Where there are none.
    pub fn find() -> Result<ControlGroups> {
        let action = "find our control group";
        let read = |path: &str| fs::read(path).map_err(|error| Error::from_io(format!("read {path}"), &error));
        let (mounts, own) = (read("/proc/self/mountinfo")?, read("/proc/self/cgroup")?);
        let is_one = |groups: &ControlGroups| {
            #[allow(clippy::unnecessary_cast)] // It has another type on each architecture.
            statfs(&groups.own).is_ok_and(|found| found.f_type as i64 == MAGIC)
        };
        // What is mounted over what is hidden is listed behind it, and looks the same from here.
        let found = places(&mounts, &own).into_iter().find(is_one);
        found.ok_or_else(|| Error::with_detail(action, "there are none of version 2"))
    }

    /// Where they are shown.
    pub(crate) fn mount(&self) -> &Path {
        &self.mount
    }

    /// The one in which a program will be that is started now and put nowhere.
    pub fn own(&self) -> &Path {
        &self.own
    }

    /// All whose names begin so, wherever they are: a former life may have been started from somewhere else. The one
    /// that we are in ourselves, however deep, is not among them, nor are those of other users than root and us, who
    /// could make believe that something of ours runs.
    ///
    /// # Errors
    /// When some could not be looked through: an empty answer means that there are none.
    pub fn named(&self, beginning: &str) -> Result<Vec<ControlGroup>> {
        let mut found = Vec::new();
        let own_user = rustix::process::geteuid().as_raw();
        let mut left = vec![self.mount.clone()];
        while let Some(directory) = left.pop() {
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                // It has been removed meanwhile, or is none of our business.
                Err(error) if may_be_skipped(&error) => continue,
                Err(error) => return Err(Error::from_io(format!("look into {}", directory.display()), &error)),
            };
            for entry in entries {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) if may_be_skipped(&error) => break,
                    Err(error) => return Err(Error::from_io(format!("look into {}", directory.display()), &error)),
                };
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let path = entry.path();
                let is_named = entry.file_name().as_bytes().starts_with(beginning.as_bytes());
                let is_ours = || entry.metadata().is_ok_and(|found| [0, own_user].contains(&found.uid()));
                if is_named && !self.own.starts_with(&path) && is_ours() {
                    found.push(ControlGroup(path));
                } else {
                    left.push(path);
                }
            }
        }
        found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Ok(found)
    }
}

/// What is gone or closed to us, and what lies deeper than any path reaches: ours was made by such a path.
fn may_be_skipped(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV | libc::EACCES | libc::ENAMETOOLONG))
}

impl ControlGroup {
    /// At this path of the file system.
    pub fn at(path: impl Into<PathBuf>) -> ControlGroup {
        ControlGroup(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What runs in it and in the groups below it, in the order of process ids.
    ///
    /// # Errors
    /// When something does and it cannot be seen what.
    pub fn processes(&self) -> Result<Vec<ProcessId>> {
        let Some(group) = self.opened().map_err(|errno| self.error(errno))? else { return Ok(Vec::new()) };
        // Between one group and the next they may change places.
        for _ in 0..10 {
            let mut found = Vec::new();
            for_each_process(group.as_fd(), DEEPEST, &mut |pid| {
                found.extend(ProcessId::of(pid.as_raw_nonzero().get().cast_unsigned()));
            });
            if !found.is_empty() || is_empty(group.as_fd()).map_err(|errno| self.error(errno))? {
                found.sort_unstable();
                found.dedup();
                return Ok(found);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Err(Error::with_detail(self.action(), "something runs in it that cannot be seen from here"))
    }

    /// SIGKILL to everything in it and below it.
    pub fn kill(&self) {
        if let Ok(Some(group)) = self.opened() {
            kill(group.as_fd());
        }
    }

    /// Removes it with those below it. One in which something runs stays.
    pub fn remove(&self) {
        if let Ok(Some(group)) = self.opened() {
            remove_inner(group.as_fd());
        }
        let _ = fs::remove_dir(&self.0);
    }

    fn opened(&self) -> rustix::io::Result<Option<OwnedFd>> {
        match open(CWD, &self.0) {
            Ok(group) => Ok(Some(group)),
            Err(Errno::NOENT | Errno::NODEV) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn action(&self) -> String {
        format!("look into the control group {}", self.0.display())
    }

    fn error(&self, errno: Errno) -> Error {
        Error::new(self.action(), errno.raw_os_error())
    }
}

/// A place for a group of its own for each start of a program: the name, completed by the process id of its keeper, so
/// that no keeper ever removes or ends what is another one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPlace {
    beginning: CString,
}

impl GroupPlace {
    /// `None` for a name that cannot be one.
    pub fn new(groups: &ControlGroups, beginning: &str) -> Option<GroupPlace> {
        let beginning = groups.own.join(beginning).into_os_string().into_vec();
        Some(GroupPlace { beginning: CString::new(beginning).ok()? })
    }

    /// With room for a number, so that completing it takes no memory.
    pub(crate) fn prepared(&self) -> Vec<u8> {
        let mut path = Vec::with_capacity(self.beginning.as_bytes().len() + 16);
        path.extend_from_slice(self.beginning.as_bytes());
        path
    }
}

// ── for a keeper ──────────────────────────────────────────────────────────────────────────────────────────

/// Opens a group to do something with it.
pub(crate) fn open(at: impl AsFd, path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Whether nothing runs in it or below it. One that was removed is empty.
pub(crate) fn is_empty(group: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let read = || {
        let events = openat(group, c"cgroup.events", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut octets = [0_u8; 256];
        let length = rustix::io::read(&events, &mut octets)?;
        let populated = octets[..length].split(|octet| *octet == b'\n').any(|line| line == b"populated 1");
        Ok(!populated)
    };
    match read() {
        Err(Errno::NOENT | Errno::NODEV) => Ok(true),
        answer => answer,
    }
}

/// SIGKILL to everything in it and below it: at once, so that nothing can be forked in between, or before Linux 5.14
/// one after the other. Whoever must be sure looks whether it [is empty](is_empty), and does it again.
pub(crate) fn kill(group: BorrowedFd<'_>) {
    let at_once = openat(group, c"cgroup.kill", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .and_then(|file| rustix::io::write(&file, b"1"));
    if at_once.is_err() {
        kill_each(group);
    }
}

fn kill_each(group: BorrowedFd<'_>) {
    for_each_process(group, DEEPEST, &mut |process| {
        // It may have ended by itself meanwhile.
        let _ = kill_process(process, Signal::KILL);
    });
}

/// Removes what a program has made in its group.
pub(crate) fn remove_inner(group: BorrowedFd<'_>) {
    remove_below(group, DEEPEST);
}

fn remove_below(group: BorrowedFd<'_>, deepest: u32) {
    for_each_inner(group, deepest, &mut |name, inner, deepest| {
        remove_below(inner, deepest);
        let _ = unlinkat(group, name, AtFlags::REMOVEDIR);
    });
}

/// Some may be missed while others begin and end.
fn for_each_process(group: BorrowedFd<'_>, deepest: u32, found: &mut dyn FnMut(Pid)) {
    if let Ok(file) = openat(group, c"cgroup.procs", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        for_each_number(&file, found);
    }
    for_each_inner(group, deepest, &mut |_, inner, deepest| for_each_process(inner, deepest, found));
}

fn for_each_inner(group: BorrowedFd<'_>, deepest: u32, found: &mut dyn FnMut(&std::ffi::CStr, BorrowedFd<'_>, u32)) {
    let Some(deepest) = deepest.checked_sub(1) else { return };
    // A description of our own: how far it was read belongs to it.
    let Ok(directory) = open(group, c".") else { return };
    let mut space = [MaybeUninit::uninit(); 1024];
    let mut entries = RawDir::new(&directory, &mut space);
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name();
        if entry.file_type() != FileType::Directory || name == c"." || name == c".." {
            continue;
        }
        if let Ok(inner) = open(group, name) {
            found(name, inner.as_fd(), deepest);
        }
    }
}

/// Each process id of a file that lists them. One that cannot be seen from here is listed as 0, and is none.
pub(crate) fn for_each_number(file: &OwnedFd, found: &mut dyn FnMut(Pid)) {
    let mut octets = [0_u8; 1024];
    let mut number = 0_i32;
    while let Ok(length @ 1..) = rustix::io::read(file, &mut octets) {
        for octet in &octets[..length] {
            if octet.is_ascii_digit() {
                number = number.saturating_mul(10).saturating_add(i32::from(octet - b'0'));
            } else if let Some(pid) = Pid::from_raw(std::mem::take(&mut number)) {
                found(pid);
            }
        }
    }
}

// ── what the kernel says ──────────────────────────────────────────────────────────────────────────────────

/// Where our group could be seen, the place that was mounted last first.
pub(crate) fn places(mountinfo: &[u8], own: &[u8]) -> Vec<ControlGroups> {
    let Some(own) = lines(own).find_map(|line| line.strip_prefix(b"0::")) else { return Vec::new() };
    let mut found: Vec<ControlGroups> = lines(mountinfo).filter_map(|line| place(line, own)).collect();
    found.reverse();
    found
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|octet| *octet == b'\n')
}

/// A line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)): what of the hierarchy is shown where.
fn place(line: &[u8], own: &[u8]) -> Option<ControlGroups> {
    let words: Vec<&[u8]> = line.split(|octet| *octet == b' ').collect();
    // Behind the dash, as there can be any number of optional fields.
    let dash = words.iter().position(|word| *word == b"-")?;
    if *words.get(dash + 1)? != b"cgroup2" {
        return None;
    }
    let path = |octets: Vec<u8>| PathBuf::from(std::ffi::OsString::from_vec(octets));
    let (root, mount) = (path(unescaped(words.get(3)?)), path(unescaped(words.get(4)?)));
    let own = path(own.to_vec());
    let inside = own.strip_prefix(&root).ok()?;
    // What is outside of our namespace of groups begins with "/..".
    if !inside.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
        return None;
    }
    let own = if inside.as_os_str().is_empty() { mount.clone() } else { mount.join(inside) };
    Some(ControlGroups { mount, own })
}

/// Spaces and the like are written as `\040` there.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = behind
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        octets.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &behind[3..] } else { behind };
    }
    octets
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn place_in(mountinfo: &str, own: &str) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let found = places(mountinfo.as_bytes(), own.as_bytes());
        found.into_iter().map(|groups| (text(groups.mount), text(groups.own))).collect()
    }

    #[test]
    fn knows_where_its_group_is_shown() {
        let check = |mountinfo: &str, own: &str, expected: &[(&str, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(one, two)| (String::from(*one), String::from(*two))).collect();
            assert_eq!(place_in(mountinfo, own), expected, "{mountinfo} {own}");
        };
        let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        check(
            unified,
            "0::/system.slice/tanist.service\n",
            &[("/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/tanist.service")],
        );
        check(unified, "0::/\n", &[("/sys/fs/cgroup", "/sys/fs/cgroup")]);
        // Beside the first version, and only that.
        let both = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                    32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                    41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/a\n1:name=systemd:/b\n0::/c\n";
        check(both, own, &[("/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/c")]);
        check("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "1:cpu:/\n", &[]);
        check(unified, "1:cpu:/\n", &[]);
        // A part of it, with a blank; and one in which we are not.
        check(
            "30 23 0:26 /a/b /my\\040groups rw - cgroup2 none rw\n",
            "0::/a/b/c\n",
            &[("/my groups", "/my groups/c")],
        );
        check("30 23 0:26 /a/b /groups rw - cgroup2 none rw\n", "0::/a\n", &[]);
        // Ours is outside of our namespace of groups.
        check(unified, "0::/../other\n", &[]);
    }

    /// A group that goes with the test, whatever becomes of it.
    struct Own(ControlGroup);

    impl Own {
        fn new(name: &str) -> Option<Own> {
            let skip = |why: String| {
                let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: {name}: {why}");
            };
            let groups = ControlGroups::find().map_err(|error| skip(error.to_string())).ok()?;
            let path = groups.own().join(format!("tanist-test-{name}-{}", std::process::id()));
            fs::create_dir(&path).map_err(|error| skip(format!("{}: {error}", path.display()))).ok()?;
            Some(Own(ControlGroup::at(path)))
        }
    }

    impl Drop for Own {
        fn drop(&mut self) {
            for _ in 0..500 {
                self.0.kill();
                self.0.remove();
                if !self.0.path().exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }

    #[test]
    fn both_ways_of_killing_leave_nobody() {
        let Some(own) = Own::new("kill") else { return };
        let inner = own.0.path().join("a/b");
        for kill in [kill as fn(BorrowedFd<'_>), kill_each] {
            fs::create_dir_all(&inner).unwrap();
            let mut sleepers = [(); 2].map(|()| std::process::Command::new("/bin/sleep").arg("300").spawn().unwrap());
            fs::write(own.0.path().join("cgroup.procs"), sleepers[0].id().to_string()).unwrap();
            fs::write(inner.join("cgroup.procs"), sleepers[1].id().to_string()).unwrap();
            let mut expected = [sleepers[0].id(), sleepers[1].id()];
            expected.sort_unstable();
            assert_eq!(own.0.processes().unwrap().iter().map(|process| process.pid).collect::<Vec<_>>(), expected);
            let group = open(CWD, own.0.path()).unwrap();
            assert_eq!(is_empty(group.as_fd()), Ok(false));
            kill(group.as_fd());
            for sleeper in &mut sleepers {
                assert_eq!(std::os::unix::process::ExitStatusExt::signal(&sleeper.wait().unwrap()), Some(9));
            }
            assert_eq!(own.0.processes().unwrap(), []);
            assert_eq!(is_empty(group.as_fd()), Ok(true));
            remove_inner(group.as_fd());
            assert!(!own.0.path().join("a").exists());
        }
    }

    #[test]
    fn finds_by_name_wherever_they_are() {
        let Some(own) = Own::new("names") else { return };
        let name = format!("tanist-name-{}.", std::process::id());
        let inner = own.0.path().join("x/y");
        fs::create_dir_all(inner.join(format!("{name}a"))).unwrap();
        fs::create_dir_all(own.0.path().join(format!("{name}b"))).unwrap();
        fs::create_dir_all(own.0.path().join("another")).unwrap();
        // Anybody who has a group of his own could make this one.
        let strange = own.0.path().join(format!("{name}c"));
        fs::create_dir_all(&strange).unwrap();
        if std::os::unix::fs::chown(&strange, Some(65_534), None).is_err() {
            let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: a group of somebody else");
            fs::remove_dir(&strange).unwrap();
        }
        let found = ControlGroups::find().unwrap().named(&name).unwrap();
        let expected = [own.0.path().join(format!("{name}b")), inner.join(format!("{name}a"))].map(ControlGroup);
        assert_eq!(found, expected);
        assert_eq!(found[0].processes().unwrap(), []);
        found.iter().for_each(ControlGroup::remove);
        assert_eq!(found[0].processes().unwrap(), [], "one that is not there has none");
        assert_eq!(ControlGroups::find().unwrap().named(&name).unwrap(), []);
    }

    #[test]
    fn lists_processes_that_can_be_seen() {
        let path = std::env::temp_dir().join(format!("tanist-numbers-{}", std::process::id()));
        fs::write(&path, "17\n0\n4000000\n").unwrap();
        let file = OwnedFd::from(fs::File::open(&path).unwrap());
        let mut found = Vec::new();
        for_each_number(&file, &mut |pid| found.push(pid.as_raw_pid()));
        assert_eq!(found, [17, 4_000_000]);
        fs::remove_file(&path).unwrap();
    }
}
