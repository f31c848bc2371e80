//! The file with the secret of a pair: 32 octets as hexadecimal digits and the end of a line.

use std::fmt::{self, Write as _};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use engine::PairKey;
use zeroize::Zeroizing;

use crate::secret_file::{self, SecretError};

/// Digits of a key.
const DIGITS: usize = 64;

/// Why there is no key.
#[derive(Debug)]
pub struct KeyError {
    path: PathBuf,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    File(SecretError),
    Exists,
    Malformed,
    Random(linux::Error),
    System { action: &'static str, error: io::Error },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.cause {
            Cause::File(error) if error.is_missing() => {
                write!(f, "{error}: make one with `tanist pair --key-file {path}` on one node and copy it to the other")
            }
            Cause::File(error) => write!(f, "{error}"),
            Cause::Exists => write!(
                f,
                "{path} exists already, and the other node may have a copy: `--force` replaces it, and then both need \
                 the new one"
            ),
            Cause::Malformed => write!(
                f,
                "{path} holds no key: it should be {DIGITS} hexadecimal digits as `tanist pair` writes them, and \
                 nothing else"
            ),
            Cause::Random(error) => write!(f, "make a key: {error}"),
            Cause::System { action, error } => {
                write!(f, "{}", linux::Error::from_io(format!("{action} {path}"), error))
            }
        }
    }
}

impl std::error::Error for KeyError {}

/// Reads the key of the pair. Refuses one that others can read or change: it is known then, or not ours.
pub fn read(path: &Path) -> Result<PairKey, KeyError> {
    let fail = |cause| KeyError { path: path.to_owned(), cause };
    // With room for the end of a line, and for one to show that it is too long.
    let text = secret_file::read(path, "key", DIGITS as u64 * 4).map_err(|error| fail(Cause::File(error)))?;
    let text = Zeroizing::new(text);
    PairKey::filled(|key| parse(text.trim_ascii_end(), key)).ok_or_else(|| fail(Cause::Malformed))
}

pub(crate) fn parse(digits: &[u8], key: &mut [u8; PairKey::LENGTH]) -> Option<()> {
    let digits: &[u8; DIGITS] = digits.try_into().ok()?;
    for (octet, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *octet = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(())
}

/// Makes a new key and writes it where nobody but its owner can read it. An existing file is replaced only with
/// `force`, and then at once or not at all.
pub fn make(path: &Path, force: bool) -> Result<(), KeyError> {
    let fail = |cause| KeyError { path: path.to_owned(), cause };
    let system = |action| move |error| fail(Cause::System { action, error });
    let key: [u8; 32] = linux::random::octets().map_err(|error| fail(Cause::Random(error)))?;
    let mut text = String::with_capacity(DIGITS + 1);
    for octet in key {
        write!(text, "{octet:02x}").expect("a string takes everything");
    }
    text.push('\n');
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(system("make the directory of"))?;
    }
    // Written beside it and moved, so that there is never half a key; a link never replaces what is there.
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        // Whatever the umask took away or an inherited list added.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if force { fs::rename(&beside, path) } else { fs::hard_link(&beside, path) }
    })();
    let cleaned = fs::remove_file(&beside);
    match written {
        Ok(()) if force => Ok(()),
        Ok(()) => cleaned.map_err(system("clean up beside")),
        Err(error) if !force && error.kind() == io::ErrorKind::AlreadyExists && path.symlink_metadata().is_ok() => {
            Err(fail(Cause::Exists))
        }
        Err(error) => Err(system("write")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of this test's own, gone with it.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let place = std::env::temp_dir().join(format!("tanist-key-{name}-{}", std::process::id()));
            fs::create_dir_all(&place).unwrap();
            Self(place)
        }

        fn file(&self, content: &str, mode: u32) -> PathBuf {
            let path = self.0.join("pair.key");
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refusal(path: &Path) -> String {
        let name = path.display().to_string();
        read(path).unwrap_err().to_string().replace(&name, "FILE")
    }

    #[test]
    fn what_is_made_can_be_read() {
        let place = Place::new("made");
        let path = place.0.join("etc/tanist/pair.key");
        make(&path, false).unwrap();
        let key = read(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.len(), 65);
        assert!(text.ends_with('\n') && text.trim_end().bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);

        let error = make(&path, false).unwrap_err().to_string();
        assert!(error.contains("exists already") && error.contains("--force"), "{error}");
        assert_eq!(read(&path).unwrap(), key, "it is still the same");
        make(&path, true).unwrap();
        assert_ne!(read(&path).unwrap(), key);
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [path], "nothing is left beside it");
    }

    #[test]
    fn a_key_is_32_octets() {
        let place = Place::new("octets");
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eFF";
        let mut expected: [u8; 32] = std::array::from_fn(|position| position as u8);
        expected[31] = 0xff;
        for text in [digits.to_owned(), format!("{digits}\n"), format!("{digits}\r\n")] {
            assert_eq!(read(&place.file(&text, 0o400)).unwrap(), PairKey::from(expected), "{text:?}");
        }
        let wrong = [
            String::new(),
            "\n".into(),
            digits[1..].to_owned(),
            format!("{digits}0"),
            format!("{digits}\n{digits}\n"),
            format!(" {digits}"),
            digits.replace("00", "0x"),
            digits.replace("00", "+1"),
        ];
        for text in wrong {
            let refusal = refusal(&place.file(&text, 0o600));
            assert!(refusal.starts_with("FILE holds no key"), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let place = Place::new("open");
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
            let path = place.file(&"a".repeat(64), mode);
            let expected = format!(
                "the key in FILE is a secret, but others than its owner have access to it (mode {mode:04o}): chmod 600 \
                 FILE"
            );
            assert_eq!(refusal(&path), expected);
        }
    }

    #[test]
    fn what_belongs_to_somebody_else_is_refused() {
        let place = Place::new("owner");
        let path = place.file(&"a".repeat(64), 0o600);
        // Only root can give files away, and not in every user namespace.
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
            let expected = "the key in FILE is a secret, but belongs to user 12345: chown root FILE";
            assert_eq!(refusal(&path), expected);
        }
    }

    #[test]
    fn what_is_not_there_is_explained() {
        let place = Place::new("missing");
        assert_eq!(
            refusal(&place.0.join("none.key")),
            "there is no key in FILE: make one with `tanist pair --key-file FILE` on one node and copy it to the other"
        );
        assert_eq!(refusal(&place.0), "FILE is not a file");
        let below = place.file("", 0o600).join("pair.key");
        assert_eq!(refusal(&below), "read FILE: not a directory");
        let error = make(&below, false).unwrap_err().to_string();
        assert!(error.starts_with("make the directory of "), "{error}");
    }
}
