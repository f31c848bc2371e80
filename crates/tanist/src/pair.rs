//! `tanist pair`: the secret that two nodes share.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use daemon::pair_key;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to put the key; the `key_file` of the `pair` block
    #[arg(long, value_name = "PATH", default_value = "/etc/tanist/pair.key")]
    key_file: PathBuf,
    /// Replace a key that is there already
    #[arg(long)]
    force: bool,
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    let path = &arguments.key_file;
    match pair_key::make(path, arguments.force) {
        Ok(()) => {
            println!("A new key is in {}. Copy it to the other node:\n", path.display());
            println!("  {}", copying(path));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tanist: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command that brings the key to the other node, with its directory, readable by nobody else on the way.
fn copying(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let here = quoted(&path.to_string_lossy());
    // The shell there reads it once more.
    let there = quoted(&here);
    format!("ssh root@OTHER-NODE install -D -m 600 /dev/stdin {there} < {here}")
}

/// As a shell reads it as one word.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_survives_every_name() {
        assert_eq!(
            copying(Path::new("/etc/tanist/pair.key")),
            "ssh root@OTHER-NODE install -D -m 600 /dev/stdin /etc/tanist/pair.key < /etc/tanist/pair.key"
        );
        assert_eq!(
            copying(Path::new("/a b")),
            r"ssh root@OTHER-NODE install -D -m 600 /dev/stdin ''\''/a b'\''' < '/a b'"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted(""), "''");
    }
}
