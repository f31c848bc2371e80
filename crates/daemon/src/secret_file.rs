//! Files that hold a secret: read only if nobody but their owner can read or change them.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Permissions of anybody but the owner.
const OTHERS: u32 = 0o077;

/// Why there is no secret.
#[derive(Debug)]
pub(crate) struct SecretError {
    path: PathBuf,
    /// What should be in it.
    what: &'static str,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Missing,
    NoFile,
    TooOpen { mode: u32 },
    Owner { owner: u32 },
    TooLong { limit: u64 },
    System(io::Error),
}

impl SecretError {
    /// Whether there is no such file.
    pub(crate) const fn is_missing(&self) -> bool {
        matches!(self.cause, Cause::Missing)
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, what) = (self.path.display(), self.what);
        match &self.cause {
            Cause::Missing => write!(f, "there is no {what} in {path}"),
            Cause::NoFile => write!(f, "{path} is not a file"),
            Cause::TooOpen { mode } => write!(
                f,
                "the {what} in {path} is a secret, but others than its owner have access to it (mode {mode:04o}): chmod \
                 600 {path}"
            ),
            Cause::Owner { owner } => {
                write!(f, "the {what} in {path} is a secret, but belongs to user {owner}: chown root {path}")
            }
            Cause::TooLong { limit } => write!(f, "{path} holds no {what}: it has more than {limit} octets"),
            Cause::System(error) => write!(f, "{}", linux::Error::from_io(format!("read {path}"), error)),
        }
    }
}

/// Reads a file of at most `limit` octets with `what` in it. Refuses one that others can read or change: what is in it is known then, or
/// not ours.
pub(crate) fn read(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, SecretError> {
    let fail = |cause| SecretError { path: path.to_owned(), what, cause };
    let read = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => fail(Cause::Missing),
        _ => fail(Cause::System(error)),
    };
    // Before it is opened: opening a pipe would wait for somebody to write.
    if !fs::metadata(path).map_err(read)?.is_file() {
        return Err(fail(Cause::NoFile));
    }
    let file = File::open(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    let (mode, owner) = (metadata.permissions().mode() & 0o7777, metadata.uid());
    if mode & OTHERS != 0 {
        return Err(fail(Cause::TooOpen { mode }));
    }
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(fail(Cause::Owner { owner }));
    }
    // All the room at once: what grows leaves copies of the secret behind.
    let mut content = Vec::with_capacity(limit as usize + 64);
    file.take(limit + 1).read_to_end(&mut content).map_err(read)?;
    if content.len() as u64 > limit {
        return Err(fail(Cause::TooLong { limit }));
    }
    Ok(content)
}
