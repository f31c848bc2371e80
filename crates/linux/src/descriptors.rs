//! How many more files, sockets and pipes this process may have open at once.

use rustix::process::{Resource, getrlimit};

use crate::{Error, Result};

/// So many descriptors may still be opened. None is taken for long to find that out, so that nobody else goes without.
pub fn descriptors_left() -> Result<u64> {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return Ok(u64::MAX) };
    let failed = |error: std::io::Error| Error::from_io("count our open files", &error);
    let mut taken: u64 = 0;
    for entry in std::fs::read_dir("/proc/self/fd").map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Those beyond a limit that was lowered stay open, and take nothing away from what it allows.
        let counts = name.to_str().and_then(|name| name.parse().ok()).is_some_and(|number: u64| number < limit);
        taken += u64::from(counts);
    }
    // The directory that we have just read was one of them.
    Ok(limit.saturating_sub(taken.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::io::Errno;
    use rustix::process::{Rlimit, setrlimit};

    use super::*;

    /// In a process of its own: nobody else opens anything there, and nobody suffers from its limit.
    #[test]
    fn tells_how_many_are_left() {
        const COPY: &str = "TANIST_TEST_COPY";
        if std::env::var_os(COPY).is_none() {
            let mut copy = std::process::Command::new(std::env::current_exe().unwrap());
            copy.args(["--exact", "descriptors::tests::tells_how_many_are_left", "--nocapture"]).env(COPY, "1");
            let said = copy.output().unwrap();
            let text = String::from_utf8_lossy(&said.stdout);
            assert!(said.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
        let open = || File::open("/dev/null");
        let limit =
            |current| setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..getrlimit(Resource::Nofile) });
        limit(100).unwrap();
        let left = descriptors_left().unwrap();
        assert!((50..100).contains(&left), "{left}");
        let mut files: Vec<File> = (1..left).map(|_| open().unwrap()).collect();
        assert_eq!(descriptors_left(), Ok(1));
        files.push(open().unwrap());
        assert_eq!(open().map_err(|error| error.raw_os_error()).err(), Some(Some(Errno::MFILE.raw_os_error())));
        let error = descriptors_left().unwrap_err();
        assert_eq!((error.errno(), error.action()), (Some(Errno::MFILE.raw_os_error()), "count our open files"));
        // What is beyond a lower limit is no reason to take the rest for less.
        files.drain(..10);
        assert_eq!(descriptors_left(), Ok(10));
        limit(50).unwrap();
        assert_eq!(descriptors_left(), Ok(10));
    }
}
