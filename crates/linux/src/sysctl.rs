//! Options of the kernel that stand in files below `/proc/sys`, in the network namespace of this thread.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::{Error, Result};

/// One option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sysctl {
    /// Below `/proc/sys`. The name of an interface may have dots, so there is no other form.
    path: String,
}

impl Sysctl {
    /// An option of an interface for IPv4: "promote_secondaries", "arp_ignore", ...
    pub fn of_ipv4_link(link: &str, option: &str) -> Sysctl {
        Sysctl { path: format!("net/ipv4/conf/{link}/{option}") }
    }

    /// An option of an interface for IPv6: "forwarding", "accept_dad", ...
    pub fn of_ipv6_link(link: &str, option: &str) -> Sysctl {
        Sysctl { path: format!("net/ipv6/conf/{link}/{option}") }
    }

    /// An option of IPv4 for the whole network namespace.
    pub fn of_ipv4(option: &str) -> Sysctl {
        Sysctl { path: format!("net/ipv4/{option}") }
    }

    /// What it is; `None` if there is no such option (any more), because its interface does not exist.
    pub fn read(&self) -> Result<Option<String>> {
        match std::fs::read_to_string(self.file()) {
            Ok(value) => Ok(Some(value.trim_end().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from_io(format!("read {self}"), &error)),
        }
    }

    pub fn write(&self, value: &str) -> Result<()> {
        std::fs::write(self.file(), value).map_err(|error| Error::from_io(format!("set {self} to {value}"), &error))
    }

    fn file(&self) -> PathBuf {
        PathBuf::from(format!("/proc/sys/{}", self.path))
    }
}

/// As sysctl(8) shows it, which swaps dots and slashes.
impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let swapped = self.path.chars().map(|letter| match letter {
            '/' => '.',
            '.' => '/',
            other => other,
        });
        f.write_str(&swapped.collect::<String>())
    }
}
