//! Why a fault could not be done or a node not be watched. That a daemon did badly is no failure but a result.

use std::fmt;

use rehearse::lab::LabError;

/// Operation, object and cause in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

/// What can fail so.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For `map_err`: adds what was attempted to the system's words.
    pub fn during<E: fmt::Display>(action: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{action}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        Self(error.to_string())
    }
}

impl From<linux::Error> for Failure {
    fn from(error: linux::Error) -> Self {
        Self(error.to_string())
    }
}
