//! The number that a file begins with. To read is to ask the file system, which may answer late: no work for a loop that
//! must not wait.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::{Error, Result, public_place};

/// Whoever writes more than this for a number does not mean one.
const LONGEST: u64 = 127;

/// What a file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// This number; 0 if it is none, or if there is no file.
    Of(i64),
    /// One that nobody can use.
    TooLarge,
}

/// Reads the number in a file.
pub fn read(path: &Path) -> Result<Number> {
    let refuse = |error: std::io::Error| Error::from_io(format!("read {}", path.display()), &error);
    // A pipe would wait for somebody who writes.
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Number::Of(0));
        }
        Err(error) => return Err(refuse(error)),
    };
    let mut octets = Vec::new();
    match file.take(LONGEST).read_to_end(&mut octets) {
        Ok(_) => Ok(parse(&octets)),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(Number::Of(0)),
        Err(error) => Err(refuse(error)),
    }
}

/// Writes a number into a file; one that is there stays as it is, unless it is to be overwritten. Follows no link that
/// somebody has put in its place. Returns whether it was written.
pub fn write(path: &Path, number: i64, overwrite: bool) -> Result<bool> {
    let refuse = |error: std::io::Error| Error::from_io(format!("write {number} into {}", path.display()), &error);
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let options = if overwrite { options.create(true).truncate(false) } else { options.create_new(true) };
    let opened = public_place::open(options, path);
    let mut file: File = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(refuse(error)),
    };
    if !file.metadata().map_err(refuse)?.is_file() {
        return Err(Error::with_detail(format!("write {number} into {}", path.display()), "it is not a regular file"));
    }
    file.set_len(0).and_then(|()| writeln!(file, "{number}")).map_err(refuse)?;
    Ok(true)
}

/// As strtol(3) reads it with base 0.
pub(crate) fn parse(octets: &[u8]) -> Number {
    let rest = octets.trim_ascii_start();
    let (negative, rest) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (base, digits) = match rest {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', ..] => (8, rest),
        _ => (10, rest),
    };
    let digits = digits.iter().map_while(|octet| char::from(*octet).to_digit(base)).map(i64::from);
    // Towards its own sign, so that the least number is one, too.
    let number = digits.into_iter().try_fold(0_i64, |number, digit| {
        let number = number.checked_mul(i64::from(base))?;
        if negative { number.checked_sub(digit) } else { number.checked_add(digit) }
    });
    number.map_or(Number::TooLarge, Number::Of)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// As keepalived 2.2.7 reads them.
    #[test]
    fn reads_what_a_file_begins_with() {
        let check = |text: &str, number| assert_eq!(parse(text.as_bytes()), Number::Of(number), "{text:?}");
        check("5\n", 5);
        check("-254", -254);
        check("+4", 4);
        check("", 0);
        check("garbage\n", 0);
        check("  12abc\n", 12);
        check("\n\t7 8", 7);
        check("0x10", 16);
        check("-0X1f", -31);
        check("0x", 0);
        check("010", 8);
        check("08", 0);
        check("0", 0);
        check("--3", 0);
        check("- 3", 0);
        check("3.9", 3);
        check("2147483648", 2_147_483_648);
        check("9223372036854775807", i64::MAX);
        check("-9223372036854775808", i64::MIN);
        assert_eq!(parse(b"9223372036854775808"), Number::TooLarge);
        assert_eq!(parse(b"-99999999999999999999"), Number::TooLarge);
        assert_eq!(parse(&[0xff, b'5']), Number::Of(0));
    }

    #[test]
    fn a_file_is_made_read_and_overwritten() {
        let directory = std::env::temp_dir().join(format!("tanist-number-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (path, link) = (directory.join("load"), directory.join("link"));
        assert_eq!(read(&path), Ok(Number::Of(0)), "it is not there");
        assert_eq!(read(&path.join("below")), Ok(Number::Of(0)));
        assert_eq!(read(&directory), Ok(Number::Of(0)), "a directory has no number");
        assert_eq!(write(&path, 12, false), Ok(true));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "12\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write(&path, 5, false), Ok(false), "it is there");
        assert_eq!(read(&path), Ok(Number::Of(12)));
        assert_eq!(write(&path, -5, true), Ok(true));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "-5\n");
        symlink(&path, &link).unwrap();
        assert_eq!(read(&link), Ok(Number::Of(-5)), "to read, a link is followed");
        assert!(write(&link, 1, true).is_err(), "to write, it is not");
        assert_eq!(write(&link, 1, false), Ok(false));
        assert!(write(&directory.join("nowhere/load"), 1, true).is_err());
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
