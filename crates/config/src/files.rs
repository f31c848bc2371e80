//! The one door to the outside: files, host name, environment and chance.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What reading a configuration needs from outside.
pub trait Files {
    /// The content of a regular file.
    ///
    /// # Errors
    /// As the system reports them; anything but a regular file is refused.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    /// As the system reports them.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// A directory from the root, for `${_PWD}`: what is written with it holds wherever it is read.
    fn rooted(&self, directory: &Path) -> PathBuf;

    /// The host name, for `@id` lines.
    fn host_name(&self) -> String;

    /// An environment variable, for `${_ENV NAME}`.
    fn environment(&self, name: &str) -> Option<String>;

    /// A number that nobody can predict, for `${_RANDOM}`.
    fn random(&self) -> u64;
}

/// The machine's own files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

impl Files for RealFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        std::fs::read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        // A name that is not UTF-8 cannot be written in a configuration either.
        std::fs::read_dir(directory)?
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn rooted(&self, directory: &Path) -> PathBuf {
        // A name alone has no directory but the current one.
        let named = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        std::path::absolute(named).unwrap_or_else(|_| directory.to_owned())
    }

    fn host_name(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/hostname")
            .or_else(|_| std::fs::read_to_string("/etc/hostname"))
            .map(|name| name.trim().to_owned())
            .unwrap_or_default()
    }

    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn random(&self) -> u64 {
        use std::hash::{BuildHasher, Hasher, RandomState};
        // The standard library seeds each of these from the system's random source.
        RandomState::new().build_hasher().finish()
    }
}

/// Files that exist only in memory: for tests and for checking text that is not saved yet.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    /// Content by absolute path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// What [`Files::host_name`] answers.
    pub host_name: String,
    /// What [`Files::environment`] answers.
    pub environment: BTreeMap<String, String>,
    /// What [`Files::random`] answers, every time.
    pub random: u64,
}

impl MemoryFiles {
    /// One file.
    #[must_use]
    pub fn single(path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        Self::default().with(path, content)
    }

    /// One more file.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(directory).ok()?.components().next())
            .map(|name| name.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        if names.is_empty() { Err(io::Error::from(io::ErrorKind::NotFound)) } else { Ok(names) }
    }

    fn rooted(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn host_name(&self) -> String {
        self.host_name.clone()
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn random(&self) -> u64 {
        self.random
    }
}
