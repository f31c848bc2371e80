//! What our services' processes carry in their environment, so that a later life of this daemon knows what a former one
//! has left behind.
//!
//! Every user of a machine can start a process with any environment. So a part of the mark is a secret of this node, which
//! stands in a file beside the record. Where there is no such file, what carries the mark must have been started by root,
//! by us or by the user of the service.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use engine::Name;

use crate::secret_file;

/// The variable.
pub(crate) const VARIABLE: &str = "TANIST_SUPERVISED";
const FILE: &str = "mark";
/// Its octets, as hexadecimal digits.
const DIGITS: usize = 32;

/// The mark of one service.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// "NAME=value".
    pub(super) setting: String,
    /// Nobody else can know it.
    pub(super) is_secret: bool,
}

impl Mark {
    pub(super) fn new(identity: &str, secret: Option<&str>, service: &Name) -> Self {
        let secret_part = secret.map_or_else(String::new, |secret| format!("{secret} "));
        Self { setting: format!("{VARIABLE}={identity} {secret_part}{service}"), is_secret: secret.is_some() }
    }
}

/// The secret of this node, made when it is asked for first.
pub(crate) fn secret(directory: &Path) -> Result<String, String> {
    let path = directory.join(FILE);
    let wrong = |what: &dyn std::fmt::Display| format!("{what}; a process is then known as a service's by its user");
    for _ in 0..2 {
        match secret_file::read(&path, "mark", DIGITS as u64 + 1) {
            Ok(octets) => {
                let text = String::from_utf8(octets).unwrap_or_default();
                let text = text.trim_end();
                let is_good = text.len() == DIGITS && text.bytes().all(|octet| octet.is_ascii_hexdigit());
                return if is_good {
                    Ok(text.to_owned())
                } else {
                    let path = path.display();
                    Err(wrong(&format!(
                        "{path} does not hold {DIGITS} hexadecimal digits: rm {path}, and it is made anew"
                    )))
                };
            }
            Err(error) if error.is_missing() => {
                make(directory, &path)
                    .map_err(|error| wrong(&linux::Error::from_io(format!("make {}", path.display()), &error)))?;
            }
            Err(error) => return Err(wrong(&error)),
        }
    }
    Err(wrong(&format!("{} goes away as soon as it is made", path.display())))
}

/// Never over one that is there: two daemons may share a directory.
fn make(directory: &Path, path: &Path) -> io::Result<()> {
    let digits = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let random = linux::random::octets::<{ DIGITS / 2 + 8 }>().map_err(|error| io::Error::other(error.to_string()))?;
    let (secret, number) = random.split_at(DIGITS / 2);
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let beside: PathBuf = directory.join(format!("{FILE}.{}", digits(number)));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
        file.write_all(format!("{}\n", digits(secret)).as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    let cleaned = fs::remove_file(&beside);
    written.and(cleaned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_for_all_lives_and_nobody_else_reads_it() {
        let directory = std::env::temp_dir().join(format!("tanist-mark-{}", std::process::id()));
        let place = directory.join("deeper");
        let first = secret(&place).unwrap();
        assert_eq!((first.len(), secret(&place).as_ref()), (DIGITS, Ok(&first)));
        assert_eq!(fs::metadata(place.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1, "nothing is left beside it");
        assert_ne!(secret(&directory).unwrap(), first, "another place has another one");
        // One that others could have read is none.
        fs::set_permissions(place.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let reason = secret(&place).unwrap_err();
        assert!(reason.contains("chmod 600") && reason.contains("by its user"), "{reason}");
        fs::set_permissions(place.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(place.join(FILE), "short\n").unwrap();
        assert!(secret(&place).unwrap_err().contains("does not hold 32"), "damaged");
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_secret_is_part_of_it() {
        let (one, service) = ("0123456789abcdef0123456789abcdef", Name::from("job"));
        let mark = Mark::new("7:/etc/tanist.conf", Some(one), &service);
        assert_eq!(mark.setting, format!("TANIST_SUPERVISED=7:/etc/tanist.conf {one} job"));
        assert!(mark.is_secret);
        assert!(!Mark::new("7:/etc/tanist.conf", None, &service).is_secret);
    }
}
