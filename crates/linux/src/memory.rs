//! Gives back memory that only the start needed: a daemon runs for years on what it needs from second to second. And
//! asks whether there is more before something begins that would end the daemon without it.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fs;

/// So much at the beginning of the program's code stays, for there the linker has put what is needed from second to second and
/// in a failover: 40 pages that had to be found again would take a tenth of a millisecond then, and one that had to be read
/// from the disk some, if the disk answers.
const NEEDED: usize = 0xb_0000;

/// Returns what the allocator keeps for later, and drops the pages of code and constants that have been read so far, but for the
/// code that a failover needs. What is needed again comes back from the page cache by itself. Where `/proc` is missing, they stay.
pub fn release_unused() {
    trim_heap();
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    let here = (release_unused as fn() as *const ()).addr();
    for (start, length) in maps.lines().filter_map(unchanged_mapping) {
        let is_program = (start..start + length).contains(&here);
        let kept = if is_program { NEEDED.min(length) } else { 0 };
        // SAFETY: the range is a private mapping of a file into which nobody has written (see `unchanged_mapping`), so
        // each of its pages equals the file's and can be read from there again.
        unsafe { libc::madvise((start + kept) as *mut c_void, length - kept, libc::MADV_DONTNEED) };
        // Older kernels do not know it, and find these pages when they are needed.
        // SAFETY: as above; this only reads.
        unsafe { libc::madvise(start as *mut c_void, kept, libc::MADV_POPULATE_READ) };
    }
}

/// Whether so much more could be had now. An allocation that fails ends the whole program, so work that can be left undone
/// asks first. What it says is soon old; a control group's limit, which ends who exceeds it, it does not know.
#[must_use]
pub fn can_be_had(octets: usize) -> bool {
    let (anywhere, no_file) = (std::ptr::null_mut(), -1);
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping anywhere, of which nobody else knows; nothing is ever put there.
    let mapping = unsafe { libc::mmap(anywhere, octets, access, kind, no_file, 0) };
    if mapping == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: the mapping that was just made, with its length.
    unsafe { libc::munmap(mapping, octets) };
    true
}

/// Has all threads share one heap. Call it before the first thread exists: each would get a heap of its own, and our
/// threads are too quiet to be worth that.
#[cfg(target_env = "gnu")]
pub fn share_one_heap() {
    // SAFETY: may be called at any time.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Other allocators have one heap.
#[cfg(not(target_env = "gnu"))]
pub fn share_one_heap() {}

#[cfg(target_env = "gnu")]
fn trim_heap() {
    // SAFETY: may be called at any time.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give back by themselves.
#[cfg(not(target_env = "gnu"))]
fn trim_heap() {}

/// Start and length of a line of `/proc/self/maps` that is a file's code, or the constants at the beginning of a
/// program file: `5581…-5582… r-xp offset device inode path`. Other constants are not meant: among them are those that
/// the loader has written into, which are `r--p` as well, but never lie at the beginning of the file.
pub(crate) fn unchanged_mapping(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let path = fields.nth(2)?;
    let is_code = permissions == "r-xp";
    let is_beginning = permissions == "r--p" && offset == "00000000";
    if !(is_code || is_beginning) || !path.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    Some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_nobody_writes_into_and_nothing_else() {
        for (line, expected) in [
            ("400000-401000 r-xp 00001000 fe:00 123  /usr/bin/tanist", Some((0x40_0000, 0x1000))),
            ("400000-401000 r--p 00000000 fe:00 123  /usr/bin/tanist", Some((0x40_0000, 0x1000))),
            ("400000-401000 r--p 00001000 fe:00 123  /usr/bin/tanist", None),
            ("400000-401000 rw-p 00001000 fe:00 123  /usr/bin/tanist", None),
            ("7fff0000-7fff1000 r-xp 00000000 00:00 0  [vdso]", None),
            ("7fff0000-7fff1000 r-xp 00000000 00:00 0", None),
        ] {
            assert_eq!(unchanged_mapping(line), expected, "{line}");
        }
    }

    #[test]
    fn nobody_has_everything() {
        assert!(can_be_had(1 << 20));
        assert!(!can_be_had(usize::MAX / 4));
    }

    #[test]
    fn what_was_released_is_still_there() {
        let kept: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        release_unused();
        assert_eq!(kept.concat().len(), 10 + 90 * 2 + 900 * 3);
    }
}
