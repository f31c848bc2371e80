//! How many files, sockets and pipes this process may have open at once, and how many more.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::refused;
use crate::{Error, Result};

/// How many this process might have before it allowed itself more.
static GIVEN: OnceLock<u64> = OnceLock::new();

/// Allows us as many as may be had without asking anybody: systemd gives everybody 1024 to begin with, because of programs
/// that use select(2), and lets who does without have more. What we [start](crate::spawn::Program) begins with what we were given.
pub fn allow_all() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let Some(given) = limit.current else { return Ok(()) };
    let most = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, most).map_err(refused("allow us more open files"))?;
    GIVEN.get_or_init(|| given);
    Ok(())
}

/// So many a program may have, at most, which we start.
pub(crate) fn for_programs() -> Option<u64> {
    GIVEN.get().copied()
}

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

    use super::*;
    use crate::spawn::{Exit, Program, reap};

    /// Whether this is a process of the test's own: nobody else opens anything there, and nobody suffers from its limit. If
    /// not, the test is done there.
    fn is_alone(test: &str) -> bool {
        const COPY: &str = "TANIST_TEST_COPY";
        if std::env::var_os(COPY).is_some() {
            return true;
        }
        let mut copy = std::process::Command::new(std::env::current_exe().unwrap());
        copy.args(["--exact", &format!("descriptors::tests::{test}"), "--nocapture"]).env(COPY, "1");
        let said = copy.output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success() && text.contains("1 passed"), "{text}");
        false
    }

    fn limit(current: u64) -> rustix::io::Result<()> {
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..getrlimit(Resource::Nofile) })
    }

    #[test]
    fn programs_begin_with_what_we_were_given() {
        if !is_alone("programs_begin_with_what_we_were_given") {
            return;
        }
        let has = |expected: u64| {
            let command = format!("test $(ulimit -n) = {expected}");
            let words = ["/bin/sh", "-c", &command].map(|word| std::ffi::CString::new(word).unwrap());
            let child = Program::new(words[0].clone(), words.into()).start().unwrap();
            let mut ended = None;
            while ended.is_none() {
                reap(&mut |pid, exit| ended = (pid == child.pid).then_some(exit));
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            assert_eq!(ended, Some(Exit::Code(0)), "{expected}");
        };
        limit(100).unwrap();
        has(100);
        allow_all().unwrap();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert!(current == maximum && current.is_none_or(|current| current > 100), "{current:?}");
        // What takes a number beyond the limit of the program must still be there to start it.
        let mut files: Vec<File> = (0..200).map(|_| File::open("/dev/null").unwrap()).collect();
        has(100);
        // Asked again, that is not forgotten.
        allow_all().unwrap();
        has(100);
        files.clear();
        // Whom somebody allows less, from outside, has no more for others.
        limit(50).unwrap();
        has(50);
    }

    #[test]
    fn tells_how_many_are_left() {
        if !is_alone("tells_how_many_are_left") {
            return;
        }
        let open = || File::open("/dev/null");
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
