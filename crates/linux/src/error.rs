//! What every failing call of this crate returns: operation, object, cause.

use std::fmt;

use rustix::io::Errno;

/// A system call that was refused, in the words of whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    action: String,
    errno: Option<i32>,
    detail: Option<String>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `action` reads "add 192.0.2.1/24 to eth0", `errno` is the kernel's answer.
    pub fn new(action: impl Into<String>, errno: i32) -> Error {
        Error { action: action.into(), errno: Some(errno), detail: None }
    }

    /// A failure that has no error number.
    pub fn with_detail(action: impl Into<String>, detail: impl Into<String>) -> Error {
        Error { action: action.into(), errno: None, detail: Some(detail.into()) }
    }

    pub fn from_io(action: impl Into<String>, error: &std::io::Error) -> Error {
        match error.raw_os_error() {
            Some(errno) => Error::new(action, errno),
            None => Error::with_detail(action, error.to_string()),
        }
    }

    /// Adds what the kernel said in words (netlink's extended acknowledgement).
    pub(crate) fn explained(mut self, detail: Option<String>) -> Error {
        self.detail = detail;
        self
    }

    /// The error number, where there is one.
    pub fn errno(&self) -> Option<i32> {
        self.errno
    }

    /// Why it failed, without what was tried.
    pub fn cause(&self) -> String {
        match (self.errno, &self.detail) {
            (Some(errno), Some(detail)) => format!("{} ({detail})", errno_text(errno)),
            (Some(errno), None) => errno_text(errno),
            (None, Some(detail)) => detail.clone(),
            (None, None) => "failed".to_owned(),
        }
    }

    /// What was tried, without the cause.
    pub fn action(&self) -> &str {
        &self.action
    }
}

/// For `map_err`: the kernel's answer to an action that is known by a constant name.
pub(crate) fn refused(action: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::new(action, errno.raw_os_error())
}

/// The plain words for an error number, in lower case and without Rust's "(os error 13)".
pub fn errno_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().collect::<String>() + letters.as_str(),
        None => format!("error {errno}"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.cause())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_operation_object_cause() {
        let error = Error::new("add 192.0.2.1/24 to eth0", libc::EACCES);
        assert_eq!(error.to_string(), "add 192.0.2.1/24 to eth0: permission denied");
        let error = Error::new("set eth0 up", libc::EBUSY).explained(Some("Device is in use".into()));
        assert_eq!(error.to_string(), "set eth0 up: device or resource busy (Device is in use)");
        assert_eq!(Error::with_detail("read netlink", "cut short").to_string(), "read netlink: cut short");
    }
}
