//! What of a unit still runs: the processes in its control group, asked of the kernel.
//!
//! systemd lets go of a control group when its unit ends, even if something in it lives on (`KillMode=process`), and
//! then no longer knows. Two of those, one on each node, is just what must not happen.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// Where the kernel shows the control groups that systemd makes.
pub(crate) fn root() -> PathBuf {
    let base = Path::new("/sys/fs/cgroup");
    // Unified; both, with systemd in its own; or the first version only.
    let candidates = [base.to_path_buf(), base.join("unified"), base.join("systemd")];
    let found = candidates.into_iter().find(|path| path.join("cgroup.procs").exists());
    found.unwrap_or_else(|| base.to_path_buf())
}

/// Where systemd puts a unit: `a-b.slice` is inside `a.slice`.
pub(crate) fn usual_path(slice: &str, unit: &str) -> Option<String> {
    let stem = slice.strip_suffix(".slice")?;
    let mut path = String::new();
    if stem != "-" {
        for (at, _) in stem.match_indices('-').chain([(stem.len(), "")]) {
            path += &format!("/{}.slice", &stem[..at]);
        }
    }
    Some(format!("{path}/{unit}"))
}

/// Every process in the group and in those below it. A group that is not there has none.
pub(crate) fn processes(root: &Path, group: &str) -> Vec<Pid> {
    let Some(directory) = directory(root, group) else { return Vec::new() };
    let mut found = Vec::new();
    let mut directories = vec![directory];
    while let Some(directory) = directories.pop() {
        let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
        found.extend(text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw));
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                directories.push(entry.path());
            }
        }
    }
    // The kernel may name one twice (cgroup-v2, "cgroup.procs").
    found.sort_unstable_by_key(|process| process.as_raw_pid());
    found.dedup();
    found
}

/// Ends everything in the group without asking.
pub(crate) fn kill(root: &Path, group: &str) {
    let Some(directory) = directory(root, group) else { return };
    // Since Linux 5.14 the kernel does it for all at once, and nothing can be forked in between.
    if fs::write(directory.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    for process in processes(root, group) {
        // It may have ended by itself meanwhile.
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Never the root itself, where everything is that has no group of its own.
fn directory(root: &Path, group: &str) -> Option<PathBuf> {
    let inside = group.trim_matches('/');
    let proper = !inside.is_empty() && inside.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    proper.then(|| root.join(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_a_unit_is() {
        for (slice, unit, expected) in [
            ("system.slice", "nginx.service", Some("/system.slice/nginx.service")),
            ("-.slice", "a.service", Some("/a.service")),
            ("a-b-c.slice", "d.service", Some("/a.slice/a-b.slice/a-b-c.slice/d.service")),
            ("", "d.service", None),
        ] {
            assert_eq!(usual_path(slice, unit).as_deref(), expected, "{slice}");
        }
    }

    #[test]
    fn finds_processes_below_and_never_those_of_the_root() {
        let root = std::env::temp_dir().join(format!("tanist-cgroup-{}", std::process::id()));
        let below = root.join("system.slice/a.service/inner");
        fs::create_dir_all(&below).unwrap();
        fs::write(root.join("cgroup.procs"), "1\n2\n").unwrap();
        fs::write(root.join("system.slice/a.service/cgroup.procs"), "17\n").unwrap();
        fs::write(below.join("cgroup.procs"), "18\n19\n18\n").unwrap();
        let raw = |group| processes(&root, group).into_iter().map(Pid::as_raw_pid).collect::<Vec<i32>>();
        assert_eq!(raw("/system.slice/a.service"), [17, 18, 19]);
        for group in ["/system.slice/b.service", "", "/", "/../..", "/system.slice/../.."] {
            assert_eq!(raw(group), [0; 0], "{group:?}");
        }
        fs::remove_dir_all(&root).unwrap();
    }
}
