//! The files that keepalived writes on USR1 and USR2, for the people and tools that read them: where they stand and who may read
//! them.

use std::path::{Path, PathBuf};

pub(crate) mod state;
pub(crate) mod statistics;
pub(crate) mod words;

/// Where keepalived puts these files unless told otherwise.
pub(crate) fn directory() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// What keepalived keeps from others in these files unless it is told otherwise.
const UMASK: u32 = 0o177;

/// Who may do what with a file that is made under this mask.
pub(crate) const fn mode(umask: Option<u32>) -> u32 {
    0o666
        & !match umask {
            Some(mask) => mask,
            None => UMASK,
        }
}

/// Where a dump stands: where the settings say, or where keepalived puts it.
pub(crate) fn path(chosen: Option<&Path>, extension: &str, name: Option<&str>) -> PathBuf {
    let name = name.map_or_else(String::new, |name| format!(".{name}"));
    chosen.map_or_else(|| directory().join(format!("keepalived{name}.{extension}")), Path::to_owned)
}

/// Where keepalived's parent process writes what it knows.
pub(crate) fn path_of_parent(name: Option<&str>) -> PathBuf {
    let name = name.map_or_else(String::new, |name| format!(".{name}"));
    directory().join(format!("keepalived_parent{name}.data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_readers_know() {
        let usual = |name| path(None, "data", name).file_name().and_then(|name| name.to_str().map(str::to_owned));
        assert_eq!(usual(None).as_deref(), Some("keepalived.data"));
        assert_eq!(usual(Some("blue_inst1")).as_deref(), Some("keepalived.blue_inst1.data"));
        assert_eq!(path(Some(Path::new("/run/state")), "data", Some("blue")), Path::new("/run/state"));
        assert_eq!((mode(None), mode(Some(0o022)), mode(Some(0))), (0o600, 0o644, 0o666));
    }
}
