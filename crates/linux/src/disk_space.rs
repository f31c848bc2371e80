//! How much room there is on a disk. Asking may take for ever where the disk is another machine's.

use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::Errno;

use crate::{Error, Result};

/// What a file system has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Octets that programs other than root's may still write.
    pub free: u64,
    /// Whether not one file more can be made there.
    pub is_out_of_files: bool,
    pub is_read_only: bool,
}

/// Of the file system that this path is on.
pub fn disk_space(path: &Path) -> Result<DiskSpace> {
    let look = |errno: Errno| Error::new(format!("look at {}", path.display()), errno.raw_os_error());
    let found = statvfs(path).map_err(look)?;
    Ok(DiskSpace {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        // Some file systems do not count them, and say 0 of 0.
        is_out_of_files: found.f_files > 0 && found.f_favail == 0,
        is_read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_there() {
        let found = disk_space(Path::new("/proc/self")).unwrap();
        assert_eq!(found.free, 0, "nothing can be written there");
        assert!(disk_space(&std::env::temp_dir()).unwrap().free > 0);
        let error = disk_space(Path::new("/no/such/place")).unwrap_err();
        assert_eq!(error.to_string(), "look at /no/such/place: no such file or directory");
    }
}
