//! Runs what has `unsafe` under AddressSanitizer: the tests of the one crate that has it, with the search for leaks, and
//! then real daemons on virtual hosts. Builds of their own, because all of it is compiled otherwise.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::step;
use crate::test::{SLOW_TESTS, TEST_THREADS};

const DIRECTORY: &str = "target/sanitized";
/// What the sanitizer finds in daemons, whose standard error is somebody else's, is written beside this name.
const REPORT: &str = "report";

pub(crate) fn run() -> Result<(), String> {
    step("the crate with `unsafe`", || cargo(&["test", "-p", "tanist-linux"], &[(SLOW_TESTS, "1"), TEST_THREADS]))?;
    step("build", || cargo(&["build", "-p", "tanist"], &[]))?;
    step("a rehearsal", rehearsal)
}

/// Daemons hide their memory, which the search for leaks would have to look into: it goes without. What a rehearsal says of
/// its own promises does not count: all takes longer than usual.
fn rehearsal() -> Result<(), String> {
    let directory = std::path::absolute(DIRECTORY).map_err(|error| format!("{DIRECTORY}: {error}"))?;
    for old in reports(&directory)? {
        std::fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
    }
    let program = directory.join(target()).join("debug/tanist");
    let options = format!("detect_leaks=0:log_path={}", directory.join(REPORT).display());
    let status = Command::new(&program)
        .arg("rehearse")
        .env("ASAN_OPTIONS", options)
        .status()
        .map_err(|error| format!("start {}: {error}", program.display()))?;
    match (reports(&directory)?.as_slice(), status.code()) {
        ([first, ..], _) => Err(format!("something was found, see {}", first.display())),
        ([], None) => Err(format!("the rehearsal: {status}")),
        ([], Some(_)) => Ok(()),
    }
}

fn reports(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let entries = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(entries.filter(|path| path.file_stem().is_some_and(|stem| stem == REPORT)).collect())
}

fn cargo(words: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    // With a target of its own, so that what runs while compiling is compiled as usual.
    let target = target();
    let [first, rest @ ..] = words else { return Err("nothing to do".to_owned()) };
    let status = Command::new("rustup")
        .args(["run", "nightly", "cargo", first, "--locked", "--target", &target])
        .args(rest)
        .envs([("RUSTFLAGS", "-Zsanitizer=address"), ("CARGO_TARGET_DIR", DIRECTORY)])
        .envs(environment.iter().copied())
        .status()
        .map_err(|error| format!("start rustup: {error}"))?;
    if status.success() { Ok(()) } else { Err("something was found, see above".to_owned()) }
}

fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
