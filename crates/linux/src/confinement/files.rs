//! Where files may be written (landlock(7), Linux 5.13). Everything else stays readable, so that a configuration can come
//! from anywhere.

#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::error::refused;
use crate::socket_option::last_errno;
use crate::{Error, Result};

// The numbers of the system calls are the same on all processors.
const CREATE_RULESET: libc::c_long = 444;
const ADD_RULE: libc::c_long = 445;
const RESTRICT_SELF: libc::c_long = 446;
/// Asks `CREATE_RULESET` for the version of what the kernel offers.
const ASK_VERSION: u32 = 1;
const RULE_PATH_BENEATH: u32 = 1;

// What can be restricted (linux/landlock.h), as far as it changes a file system.
const WRITE_FILE: u64 = 1 << 1;
const REMOVE_DIRECTORY: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHARACTER_DEVICE: u64 = 1 << 6;
const MAKE_DIRECTORY: u64 = 1 << 7;
const MAKE_FILE: u64 = 1 << 8;
const MAKE_SOCKET: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK_DEVICE: u64 = 1 << 11;
const MAKE_LINK: u64 = 1 << 12;
/// Version 2.
const MOVE_ELSEWHERE: u64 = 1 << 13;
/// Version 3.
const TRUNCATE: u64 = 1 << 14;

/// What is restricted everywhere.
const RESTRICTED: u64 = WRITE_FILE
    | REMOVE_DIRECTORY
    | REMOVE_FILE
    | MAKE_CHARACTER_DEVICE
    | MAKE_DIRECTORY
    | MAKE_FILE
    | MAKE_SOCKET
    | MAKE_FIFO
    | MAKE_BLOCK_DEVICE
    | MAKE_LINK
    | MOVE_ELSEWHERE
    | TRUNCATE;
/// What is allowed below a directory that is named: devices are not made there either.
const ALLOWED_BELOW: u64 = RESTRICTED & !(MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE);
/// What a rule for a file may say.
const ALLOWED_OF_FILE: u64 = WRITE_FILE | TRUNCATE;

/// `struct landlock_ruleset_attr`, as long as it is needed.
#[repr(C)]
struct Ruleset {
    handled: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// What the kernel offers; 0 if nothing.
pub fn version() -> u32 {
    // SAFETY: this asks for a number and reads no memory.
    let answer = unsafe { libc::syscall(CREATE_RULESET, std::ptr::null::<Ruleset>(), 0_usize, ASK_VERSION) };
    u32::try_from(answer).unwrap_or(0)
}

/// Lets this thread, and all that it starts, programs too, change nothing in the file system but the places that are
/// named here: files, and directories with all that is in them. A place that is not there is passed over, and those that
/// are there come back. The kernel wants [`gain_no_privileges`](super::gain_no_privileges) before, or `CAP_SYS_ADMIN`.
pub fn write_only_below<'p>(places: impl IntoIterator<Item = &'p Path>) -> Result<Vec<&'p Path>> {
    const ACTION: &str = "restrict where files are written (landlock)";
    let handled = match version() {
        0 => return Err(Error::with_detail(ACTION, "this kernel has no landlock, or it is switched off")),
        1 => RESTRICTED & !(MOVE_ELSEWHERE | TRUNCATE),
        2 => RESTRICTED & !TRUNCATE,
        _ => RESTRICTED,
    };
    let attributes = Ruleset { handled };
    // SAFETY: the struct has the size that is said and lives; a new descriptor is nobody else's.
    let rules = unsafe {
        let answer = libc::syscall(CREATE_RULESET, &raw const attributes, size_of::<Ruleset>(), 0_u32);
        if answer < 0 {
            return Err(refused(ACTION)(last_errno()));
        }
        OwnedFd::from_raw_fd(answer as i32)
    };
    let mut there = Vec::new();
    for path in places {
        let place = match openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(place) => place,
            Err(Errno::NOENT | Errno::NOTDIR) => continue,
            Err(errno) => return Err(Error::new(format!("{ACTION}: open {}", path.display()), errno.raw_os_error())),
        };
        let is_directory =
            rustix::fs::fstat(&place).is_ok_and(|found| rustix::fs::FileType::from_raw_mode(found.st_mode).is_dir());
        let allowed = handled & if is_directory { ALLOWED_BELOW } else { ALLOWED_OF_FILE };
        let rule = PathBeneath { allowed, parent: place.as_raw_fd() };
        // SAFETY: the struct is the kernel's and lives, and both descriptors are open.
        let answer = unsafe { libc::syscall(ADD_RULE, rules.as_raw_fd(), RULE_PATH_BENEATH, &raw const rule, 0_u32) };
        if answer != 0 {
            let errno = last_errno().raw_os_error();
            return Err(Error::new(format!("{ACTION}: allow {}", path.display()), errno));
        }
        there.push(path);
    }
    // SAFETY: takes a descriptor and a number.
    if unsafe { libc::syscall(RESTRICT_SELF, rules.as_raw_fd(), 0_u32) } == 0 {
        Ok(there)
    } else {
        Err(refused(ACTION)(last_errno()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_kernel_s_headers() {
        use linux_raw_sys::general::{
            __NR_landlock_add_rule, __NR_landlock_create_ruleset, __NR_landlock_restrict_self,
        };

        let theirs = [__NR_landlock_create_ruleset, __NR_landlock_add_rule, __NR_landlock_restrict_self];
        assert_eq!([CREATE_RULESET, ADD_RULE, RESTRICT_SELF], theirs.map(|number| number as libc::c_long));
    }

    #[test]
    fn only_named_places_are_written_and_everything_is_read() {
        if version() == 0 {
            eprintln!("this kernel has no landlock");
            return;
        }
        let top = std::env::temp_dir().join(format!("tanist-landlock-{}", std::process::id()));
        let [open, closed] = ["open", "closed"].map(|name| top.join(name));
        for directory in [&open, &closed] {
            fs::create_dir_all(directory).unwrap();
        }
        for name in ["one", "two"] {
            fs::write(closed.join(name), "as it was").unwrap();
        }
        let places = [open.clone(), closed.join("one"), top.join("not there")];
        let (theirs, not_theirs) = (open.clone(), closed.clone());
        std::thread::spawn(move || {
            super::super::gain_no_privileges().unwrap();
            let there = write_only_below(places.iter().map(|place| place.as_path())).unwrap();
            assert_eq!(there, places[..2]);
            fs::write(theirs.join("new"), "written").unwrap();
            fs::rename(theirs.join("new"), theirs.join("newer")).unwrap();
            fs::write(not_theirs.join("one"), "changed").unwrap();
            for refusal in [
                fs::write(not_theirs.join("two"), "changed").unwrap_err(),
                fs::write(not_theirs.join("three"), "new").unwrap_err(),
                fs::remove_file(not_theirs.join("two")).unwrap_err(),
                fs::create_dir(not_theirs.join("deeper")).unwrap_err(),
            ] {
                assert_eq!(refusal.kind(), std::io::ErrorKind::PermissionDenied);
            }
            assert_eq!(fs::read_to_string(not_theirs.join("two")).unwrap(), "as it was");
        })
        .join()
        .unwrap();
        assert_eq!(fs::read_to_string(open.join("newer")).unwrap(), "written");
        assert_eq!(fs::read_to_string(closed.join("one")).unwrap(), "changed");
        fs::write(closed.join("two"), "another thread is as it was").unwrap();
        fs::remove_dir_all(&top).unwrap();
    }
}
