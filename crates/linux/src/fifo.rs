//! Named pipes that we write to and others read: made if need be, held open at both ends, so that there is somebody to
//! write to even while nobody reads, and never waited for.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Gid, Mode, OFlags, Stat, Uid, fchown, fstat, lstat, mknodat, openat, unlink};
use rustix::io::{Errno, ioctl_fionread, write};

use crate::{Error, Result, public_place};

/// What is written at once arrives in one piece up to this length (`PIPE_BUF`).
pub const LONGEST_LINE: usize = 4096;

/// An open named pipe.
#[derive(Debug)]
pub struct Fifo {
    file: OwnedFd,
    /// Device and inode.
    identity: (u64, u64),
    made: bool,
}

impl Fifo {
    /// Opens the pipe at `path`. If nothing is there, it is made: for its owner (user and group) alone. What is there is
    /// taken as it is, unless it is a link or no pipe.
    pub fn open(path: &Path, owner: (u32, u32)) -> Result<Fifo> {
        let refuse = |what: &str, errno: Errno| Error::new(format!("{what} {}", path.display()), errno.raw_os_error());
        let made = match mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(refuse("make the pipe", errno)),
        };
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = "open the pipe";
        let file = match openat(CWD, path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::LOOP) => return Err(Error::with_detail(format!("{open} {}", path.display()), "it is a link")),
            Err(errno) => return Err(refuse(open, errno)),
        };
        let stat = fstat(&file).map_err(|errno| refuse(open, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
            return Err(Error::with_detail(format!("{open} {}", path.display()), "it is no pipe"));
        }
        // Whoever has put it there could say in it what he likes, and read what we say.
        let trusted = [0, rustix::process::geteuid().as_raw(), owner.0];
        if !made && public_place::is_public(path) && !trusted.contains(&stat.st_uid) {
            let text = format!("it belongs to user {}, in a directory where everybody may put something", stat.st_uid);
            return Err(Error::with_detail(format!("{open} {}", path.display()), text));
        }
        let (user, group) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
        if made && let Err(errno) = fchown(&file, Some(user), Some(group)) {
            return Err(refuse("give away the pipe", errno));
        }
        Ok(Fifo { file, identity: identity(&stat), made })
    }

    /// Writes a line of at most [`LONGEST_LINE`] octets, in one piece; `false` if there is no room for it now.
    pub fn write(&self, line: &[u8]) -> Result<bool> {
        match write(&self.file, line) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(errno) => Err(Error::new("write to the pipe", errno.raw_os_error())),
        }
    }

    /// Whether somebody still has something to read.
    pub fn has_unread(&self) -> bool {
        ioctl_fionread(&self.file).is_ok_and(|octets| octets > 0)
    }

    /// Whether both are the same pipe.
    pub fn is(&self, other: &Fifo) -> bool {
        self.identity == other.identity
    }

    /// Takes the pipe away from `path`, if we have made it and it is still there. Who has it open goes on reading.
    pub fn remove(&self, path: &Path) -> Result<()> {
        let is_there = || lstat(path).is_ok_and(|found| identity(&found) == self.identity);
        if !self.made || !is_there() {
            return Ok(());
        }
        unlink(path).map_err(|errno| Error::new(format!("remove the pipe {}", path.display()), errno.raw_os_error()))
    }
}

impl AsFd for Fifo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[allow(clippy::unnecessary_cast, reason = "their types depend on the machine")]
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{Read, Write as _};
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A directory of this test's own, gone with it.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let path = std::env::temp_dir().join(format!("tanist-fifo-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Place(path)
        }

        fn path(&self) -> PathBuf {
            self.0.join("fifo")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn us() -> (u32, u32) {
        let us = crate::users::own_identity();
        (us.uid, us.gid)
    }

    #[test]
    fn makes_a_pipe_for_its_owner_and_takes_it_away_again() {
        let place = Place::new("makes");
        let fifo = Fifo::open(&place.path(), us()).unwrap();
        let found = fs::symlink_metadata(place.path()).unwrap();
        assert!(found.file_type().is_fifo());
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        assert!(fifo.write(b"one\n").unwrap() && fifo.write(b"two\n").unwrap());
        assert!(fifo.has_unread());
        let mut reader = File::open(place.path()).unwrap();
        let mut read = [0; 8];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"one\ntwo\n");
        assert!(!fifo.has_unread());
        fifo.write(b"last\n").unwrap();
        fifo.remove(&place.path()).unwrap();
        drop(fifo);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "last\n");
        assert!(!place.path().exists());
    }

    #[test]
    fn takes_a_pipe_that_is_there_as_it_is_and_leaves_it_there() {
        let place = Place::new("there");
        mknodat(CWD, place.path(), FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let (fifo, again) = (Fifo::open(&place.path(), us()).unwrap(), Fifo::open(&place.path(), us()).unwrap());
        assert!(fifo.is(&again));
        fifo.remove(&place.path()).unwrap();
        assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn does_not_take_away_what_somebody_has_put_in_its_place() {
        let place = Place::new("replaced");
        let fifo = Fifo::open(&place.path(), us()).unwrap();
        fs::remove_file(place.path()).unwrap();
        let other = Fifo::open(&place.path(), us()).unwrap();
        assert!(!fifo.is(&other));
        fifo.remove(&place.path()).unwrap();
        assert!(place.path().exists());
    }

    #[test]
    fn refuses_links_and_what_is_no_pipe() {
        let place = Place::new("refuses");
        let check = |expected: &str| {
            let error = Fifo::open(&place.path(), us()).unwrap_err().to_string();
            assert_eq!(error.replace(&place.path().display().to_string(), "FIFO"), expected);
        };
        let target = place.0.join("target");
        Fifo::open(&target, us()).unwrap();
        symlink(&target, place.path()).unwrap();
        check("open the pipe FIFO: it is a link");
        fs::remove_file(place.path()).unwrap();
        fs::write(place.path(), "precious").unwrap();
        check("open the pipe FIFO: it is no pipe");
        assert_eq!(fs::read_to_string(place.path()).unwrap(), "precious");
        let nowhere = Fifo::open(&place.0.join("nowhere/fifo"), us()).unwrap_err();
        assert!(nowhere.to_string().ends_with(": no such file or directory"), "{nowhere}");
    }

    /// He could say in it what he likes, to whoever reads it for us.
    #[test]
    fn a_pipe_of_somebody_else_in_a_public_place_is_refused() {
        let place = Place::new("another-s");
        drop(Fifo::open(&place.path(), us()).unwrap());
        if std::os::unix::fs::chown(place.path(), Some(65_534), None).is_err() {
            let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: there is nobody else here");
            return;
        }
        Fifo::open(&place.path(), us()).unwrap();
        fs::set_permissions(&place.0, fs::Permissions::from_mode(0o1777)).unwrap();
        let error = Fifo::open(&place.path(), us()).unwrap_err().to_string();
        assert!(error.contains("it belongs to user 65534"), "{error}");
        Fifo::open(&place.path(), (65_534, 65_534)).unwrap();
    }

    #[test]
    fn says_when_it_is_full() {
        let place = Place::new("full");
        let fifo = Fifo::open(&place.path(), us()).unwrap();
        let line = [b'x'; LONGEST_LINE];
        let mut written = 0;
        while fifo.write(&line).unwrap() {
            written += 1;
        }
        assert!(written > 0);
        let mut reader = File::open(place.path()).unwrap();
        reader.read_exact(&mut [0; LONGEST_LINE]).unwrap();
        assert!(fifo.write(&line).unwrap());
    }
}
