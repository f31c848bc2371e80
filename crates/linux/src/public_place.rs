//! Files in directories where everybody may put something, `/tmp` above all. Whoever guesses a name there can put a link,
//! a pipe or a file of his own in its place before us.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Everybody may write into it.
const PUBLIC: u32 = 0o002;

/// Whether everybody may make files beside this one.
pub fn is_public(path: &Path) -> bool {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    // One that cannot be looked at is no place to trust.
    directory.unwrap_or(Path::new(".")).metadata().map_or(true, |found| found.mode() & PUBLIC != 0)
}

/// Opens a file. In a public place it must be new, or a plain file of root's or of ours under this name alone; it is never
/// waited for. Anywhere else what is there was put there by somebody who may, so that it is opened whatever it is.
///
/// `options` must not truncate: what turns out to be another's is left as it is. Shorten it afterwards.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    if !is_public(path) {
        return options.open(path);
    }
    let file = options
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| if error.raw_os_error() == Some(libc::ELOOP) { refusal("it is a link") } else { error })?;
    judge(&file.metadata()?)?;
    Ok(file)
}

/// Whether it can be trusted that a file in a public place is ours alone.
fn judge(found: &std::fs::Metadata) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    if !found.is_file() {
        return Err(refusal("it is no plain file"));
    }
    if ![0, own].contains(&found.uid()) {
        return Err(refusal(&format!("it belongs to user {}", found.uid())));
    }
    if found.nlink() != 1 {
        return Err(refusal("the same file has another name elsewhere"));
    }
    Ok(())
}

fn refusal(what: &str) -> io::Error {
    io::Error::other(format!("{what}, in a directory where everybody may put something"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A directory with these permissions and a file of value beside it, gone with the test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str, mode: u32) -> Place {
            let top = std::env::temp_dir().join(format!("tanist-public-{name}-{}", std::process::id()));
            fs::create_dir_all(top.join("open")).unwrap();
            fs::write(top.join("precious"), "precious").unwrap();
            fs::set_permissions(top.join("open"), fs::Permissions::from_mode(mode)).unwrap();
            Place(top)
        }

        fn file(&self) -> PathBuf {
            self.0.join("open/file")
        }

        /// As the daemon overwrites a file.
        fn write(&self) -> io::Result<()> {
            let mut options = OpenOptions::new();
            let file = open(options.write(true).create(true).truncate(false), &self.file())?;
            file.set_len(0)
        }

        fn refused(&self) -> String {
            let reason = self.write().unwrap_err().to_string();
            assert_eq!(fs::read_to_string(self.0.join("precious")).unwrap(), "precious");
            reason
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_others_may_have_put_there_is_left_alone() {
        const WHERE: &str = ", in a directory where everybody may put something";
        let place = Place::new("planted", 0o1777);
        symlink(place.0.join("precious"), place.file()).unwrap();
        assert_eq!(place.refused(), format!("it is a link{WHERE}"));
        fs::remove_file(place.file()).unwrap();
        fs::hard_link(place.0.join("precious"), place.file()).unwrap();
        assert_eq!(place.refused(), format!("the same file has another name elsewhere{WHERE}"));
        fs::remove_file(place.file()).unwrap();
        // With somebody at the other end it can be opened; it would wait for ever otherwise.
        rustix::fs::mknodat(rustix::fs::CWD, place.file(), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(place.write().is_err(), "nobody reads");
        let _reader = OpenOptions::new().read(true).write(true).open(place.file()).unwrap();
        assert_eq!(place.refused(), format!("it is no plain file{WHERE}"));
        fs::remove_file(place.file()).unwrap();
        if rustix::process::geteuid().is_root() {
            fs::write(place.file(), "another's").unwrap();
            // In a user namespace there may be nobody else.
            if chown(place.file(), Some(65_534), None).is_ok() {
                // Some kernels refuse by themselves (`fs.protected_regular`).
                let reason = place.refused();
                assert!(reason.starts_with("it belongs to user 65534") || reason.contains("denied"), "{reason}");
            }
            fs::remove_file(place.file()).unwrap();
        }
        place.write().unwrap();
        place.write().unwrap();
    }

    #[test]
    fn elsewhere_a_link_is_the_operator_s() {
        let place = Place::new("private", 0o755);
        symlink(place.0.join("precious"), place.file()).unwrap();
        place.write().unwrap();
        assert_eq!(fs::read_to_string(place.0.join("precious")).unwrap(), "");
    }
}
