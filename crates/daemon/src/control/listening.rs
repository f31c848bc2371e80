//! Where clients come in, and who may do what.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use linux::peer::Peer;
use linux::{Error, Result, users};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Its members may do everything.
const GROUP: &str = "tanist";

/// The place of a socket. As long as we live nobody else gets it, however busy we are.
#[derive(Debug)]
pub(crate) struct Reserved {
    path: PathBuf,
    _lock: File,
}

/// Why a place is not ours.
#[derive(Debug)]
pub(crate) enum ReserveError {
    /// A daemon lives that has it.
    Taken,
    System(Error),
}

impl Reserved {
    /// Takes the place, unless a living daemon has it.
    pub(crate) fn take(path: &Path) -> std::result::Result<Self, ReserveError> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            let made = DirBuilder::new().recursive(true).mode(0o755).create(directory);
            made.map_err(|error| {
                ReserveError::System(Error::from_io(format!("create directory {}", directory.display()), &error))
            })?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock(path)? })
    }
}

/// A socket that we own.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) listener: UnixListener,
    /// Device and inode, so that only our own socket is removed.
    identity: (u64, u64),
    place: Reserved,
}

impl Listening {
    /// Takes the path, unless a living daemon has it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        match Reserved::take(path) {
            Ok(place) => Self::open_at(place),
            Err(ReserveError::Taken) => Err(taken(path)),
            Err(ReserveError::System(error)) => Err(error),
        }
    }

    /// Listens at a place that is ours already.
    pub(super) fn open_at(place: Reserved) -> Result<Self> {
        let path = &*place.path;
        let shown = path.display();
        let failed = |what: &str| {
            let action = format!("{what} {shown}");
            move |error: std::io::Error| Error::from_io(action.clone(), &error)
        };
        match path.symlink_metadata() {
            // Nobody holds the lock, so nobody listens, unless it is no daemon of ours.
            Ok(found) if found.file_type().is_socket() => {
                if UnixStream::connect(path).is_ok() {
                    return Err(taken(path));
                }
                std::fs::remove_file(path).map_err(failed("remove the stale socket"))?;
            }
            Ok(_) => {
                return Err(Error::with_detail(format!("listen at {shown}"), "a file that is no socket is there"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look at")(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed("listen at"))?;
        // Until this is done somebody else may have connected; what he may do is decided by who he is.
        std::fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(failed("set permissions of"))?;
        if let Some(group) = own_group() {
            // Without the right to do so, only our own user can connect, which is safe.
            let _ = chown(path, None, Some(group));
        }
        listener.set_nonblocking(true).map_err(failed("listen at"))?;
        let metadata = path.symlink_metadata().map_err(failed("look at"))?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { listener, identity, place })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let path = &self.place.path;
        let ours = path.symlink_metadata().is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if ours {
            // One that stays is found stale by the next daemon.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn taken(path: &Path) -> Error {
    Error::with_detail(
        format!("listen at {}", path.display()),
        "another daemon listens there; `instance NAME` tells both apart, `--control PATH` gives this one a place of its own",
    )
}

/// A file beside the socket that the kernel unlocks when we die, whichever way. It stays where it is: a lock on a
/// removed file would keep nobody out.
fn lock(path: &Path) -> std::result::Result<File, ReserveError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let action = || format!("lock {}", beside.display());
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let opened =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow).open(&beside);
    let file = opened.map_err(|error| ReserveError::System(Error::from_io(action(), &error)))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(ReserveError::Taken),
        Err(errno) => Err(ReserveError::System(Error::new(action(), errno.raw_os_error()))),
    }
}

fn own_group() -> Option<u32> {
    // Without the file there is no group either.
    users::find_group(GROUP).ok().flatten()
}

/// Whether a client may change anything, by what the kernel says of it.
pub(super) fn may_change(stream: &UnixStream) -> bool {
    let Ok(Peer { uid, gid, .. }) = Peer::of(stream) else { return false };
    // The group file is read anew for each client, so that a new member need not wait for a restart.
    let groups = || users::identity(&uid.to_string(), None).map(|user| user.groups).unwrap_or_default();
    is_allowed((uid, gid), users::own_identity().uid, own_group(), groups)
}

fn is_allowed((uid, gid): (u32, u32), own: u32, group: Option<u32>, groups: impl FnOnce() -> Vec<u32>) -> bool {
    uid == 0 || uid == own || group.is_some_and(|group| gid == group || groups().contains(&group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_the_own_user_and_the_group_may_change_things() {
        let check = |client, own, group, groups: &[u32]| is_allowed(client, own, group, || groups.to_vec());
        assert!(check((0, 0), 998, None, &[]), "root");
        assert!(check((998, 998), 998, None, &[]), "the daemon's own user");
        assert!(check((1000, 55), 0, Some(55), &[]), "whose own group it is");
        assert!(check((1000, 1000), 0, Some(55), &[4, 55]), "a member");
        assert!(!check((1000, 1000), 0, Some(55), &[4, 54]), "no member");
        assert!(!check((1000, 1000), 0, None, &[4, 55]), "there is no such group");
    }
}
