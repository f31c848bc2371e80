//! Files that are written where others may write, too, such as `/tmp`: nothing of theirs is followed or touched.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use linux::public_place;

/// Makes an empty file or empties the one that is there, if it is no link.
pub(crate) fn empty(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    }
    // Nobody may lead us to another file by a link, or have us wait for the other end of a pipe.
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    let file =
        public_place::open(options.write(true).create(true).truncate(false).mode(0o644).custom_flags(flags), path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    file.set_len(0)
}

/// Puts a file into a directory that is made if it is not there. Nobody but its owner reads it.
pub(crate) fn keep_in(directory: &Path, name: &str, content: &str) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    replace(&directory.join(name), content, 0o600)
}

/// Replaces a file at once: readers see the old content or the new one. Follows no link that somebody has put in
/// its place.
pub(crate) fn replace(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    // A name that nobody can be at before us.
    let number = u64::from_ne_bytes(linux::random::octets().map_err(|error| io::Error::other(error.to_string()))?);
    beside.push(format!(".{number:016x}"));
    let beside = PathBuf::from(beside);
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    let written = file.write_all(content.as_bytes()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The error that matters is the one above.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    /// A directory as `/tmp` is, and a file of value.
    fn trap(name: &str) -> (PathBuf, PathBuf, PathBuf) {
        let directory = std::env::temp_dir().join(format!("tanist-dump-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o1777)).expect("open to everybody");
        let (victim, path) = (directory.join("victim"), directory.join("keepalived.data"));
        std::fs::write(&victim, "precious").expect("the victim");
        (directory, victim, path)
    }

    fn make_pipe(path: &Path) {
        use rustix::fs::{CWD, FileType, mknodat};
        mknodat(CWD, path, FileType::Fifo, 0o666.into(), 0).expect("a pipe");
    }

    #[test]
    fn whatever_stands_there_is_replaced_and_never_written_to() {
        let (directory, victim, path) = trap("planted");
        let traps: [&dyn Fn(); 5] = [
            &|| symlink(&victim, &path).expect("a link"),
            &|| std::fs::hard_link(&victim, &path).expect("another name"),
            &|| make_pipe(&path),
            &|| std::fs::write(&path, "an old one").expect("a file"),
            &|| {
                std::fs::write(&path, "somebody else's").expect("a file");
                // In a user namespace there may be nobody else.
                let _ = std::os::unix::fs::chown(&path, Some(65_534), None);
            },
        ];
        for plant in traps {
            plant();
            replace(&path, "state", 0o600).expect("replaced");
            assert_eq!(std::fs::read_to_string(&victim).expect("still there"), "precious");
            assert_eq!(std::fs::read_to_string(&path).expect("written"), "state");
            let written = path.symlink_metadata().expect("a file");
            assert!(written.is_file());
            assert_eq!((written.mode() & 0o777, written.nlink()), (0o600, 1));
            assert_eq!(written.uid(), rustix::process::geteuid().as_raw());
            std::fs::remove_file(&path).expect("removed");
        }
        // What cannot be replaced stays, and nothing is left beside it.
        std::fs::create_dir(&path).expect("a directory");
        replace(&path, "state", 0o600).expect_err("a directory is in its place");
        assert_eq!(std::fs::read_dir(&directory).expect("it is there").count(), 2);
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }

    #[test]
    fn the_sign_of_a_reading_empties_nothing_of_others() {
        let (directory, victim, path) = trap("sign");
        let traps: [&dyn Fn(); 3] = [
            &|| symlink(&victim, &path).expect("a link"),
            &|| std::fs::hard_link(&victim, &path).expect("another name"),
            &|| make_pipe(&path),
        ];
        for plant in traps {
            plant();
            empty(&path).expect_err("it is not ours");
            assert_eq!(std::fs::read_to_string(&victim).expect("still there"), "precious");
            std::fs::remove_file(&path).expect("removed");
        }
        empty(&path).expect("a new one");
        std::fs::write(&path, "of ours").expect("written");
        empty(&path).expect("one of ours");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "");
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }
}
