//! The disk of a host: a directory whose files are there again when power returns. All else in a host is fresh then.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where a host keeps what survives a loss of power.
pub const DISK: &str = "/run/rehearse/disk";

/// What was on a disk when the power failed: each directory before what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Below the disk's directory.
    path: PathBuf,
    mode: u32,
    /// `None` for a directory.
    content: Option<Vec<u8>>,
}

impl Disk {
    /// Reads all that is there. Sockets, pipes and links are none of what a daemon remembers by.
    pub(super) fn read(top: &Path) -> io::Result<Self> {
        let mut entries = Vec::new();
        let mut directories = vec![PathBuf::new()];
        while let Some(directory) = directories.pop() {
            for found in fs::read_dir(top.join(&directory))? {
                let found = found?;
                let (path, data) = (directory.join(found.file_name()), found.metadata()?);
                let mode = data.mode() & 0o7777;
                if data.is_dir() {
                    entries.push(Entry { path: path.clone(), mode, content: None });
                    directories.push(path);
                } else if data.is_file() {
                    entries.push(Entry { content: Some(fs::read(found.path())?), path, mode });
                }
            }
        }
        Ok(Self { entries })
    }

    /// Puts all of it where nothing is yet.
    pub(super) fn write(&self, top: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o755).create(top)?;
        for Entry { path, mode, content } in &self.entries {
            let path = top.join(path);
            match content {
                None => DirBuilder::new().mode(*mode).create(path)?,
                Some(content) => {
                    OpenOptions::new().write(true).create_new(true).mode(*mode).open(path)?.write_all(content)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_again() {
        let top = std::env::temp_dir().join(format!("tanist-disk-{}", std::process::id()));
        let (first, second) = (top.join("first"), top.join("second"));
        Disk::default().write(&first).expect("an empty disk");
        DirBuilder::new().mode(0o700).create(first.join("state")).expect("a directory");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(first.join("state/record"));
        file.as_mut().expect("a file").write_all(b"latched\n").expect("write");
        let disk = Disk::read(&first).expect("read it");
        disk.write(&second).expect("write it");
        assert_eq!(Disk::read(&second).expect("read it again"), disk);
        assert_eq!(fs::read_to_string(second.join("state/record")).expect("the file"), "latched\n");
        let modes = ["state", "state/record"].map(|name| fs::metadata(second.join(name)).expect("it is there").mode());
        assert_eq!(modes.map(|mode| mode & 0o7777), [0o700, 0o600]);
        fs::remove_dir_all(&top).expect("clean up");
    }
}
