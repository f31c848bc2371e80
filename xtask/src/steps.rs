//! What `test`, `bench` and `soak` do, step by step. The first step that fails ends it.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::{licences, packages, tidy};

/// How much is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Also what needs namespaces, a real keepalived and some minutes.
    Everything,
    /// What needs nothing but Rust.
    Quick,
}

/// The environment variable behind which slow tests wait.
const SLOW_TESTS: &str = "SLOW_TESTS";
/// They nearly only wait, for timers of seconds, so more of them run at once than there are processors.
const TEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "8");

/// About a minute of made-up worlds on two processors, of which no finding is open (docs/reliability.md has one at seed 7876).
/// `new` in place of `1` takes other ones each time.
const HUNT: [&str; 12] =
    ["run", "--release", "--locked", "--quiet", "-p", "tanist-sim", "--", "hunt", "--from", "1", "--seeds", "7000"];

pub(crate) fn test(extent: Extent) -> Result<(), String> {
    let began = Instant::now();
    if extent == Extent::Everything {
        step("packages", || packages::install(&packages::FOR_TESTS))?;
    }
    step("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    step("lints", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"], &[])
    })?;
    step("licences", licences::check)?;
    step("tidiness", || tidy::check(Path::new(".")))?;
    match extent {
        Extent::Quick => step("tests", || cargo(&["test", "--workspace", "--locked", "--quiet"], &[]))?,
        Extent::Everything => {
            step("build", || cargo(&["build", "--release", "--locked", "--quiet"], &[]))?;
            step("tests, namespaces included", || {
                cargo(&["test", "--workspace", "--locked", "--no-fail-fast"], &[(SLOW_TESTS, "1"), TEST_THREADS])
            })?;
            step("hunt", || cargo(&HUNT, &[]))?;
            step("the README's first command", || {
                cargo(&["run", "--release", "--locked", "--quiet", "--", "rehearse"], &[])
            })?;
        }
    }
    println!("\nEverything passed in {} s.", began.elapsed().as_secs());
    Ok(())
}

/// Writes `docs/manual` and `docs/man` anew. What writes them is a test, which otherwise finds them out of date.
pub(crate) fn manual() -> Result<(), String> {
    cargo(&["test", "--locked", "--quiet", "-p", "tanist", "--bin", "tanist", "manual::"], &[("UPDATE_EXPECT", "1")])
}

/// Everything of the crate with `unsafe`, namespaces included. A build of its own, because all of it is compiled otherwise.
pub(crate) fn sanitize() -> Result<(), String> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let status = Command::new("rustup")
        .args(["run", "nightly", "cargo", "test", "--locked", "-p", "tanist-linux", "--target", &target])
        .envs([("RUSTFLAGS", "-Zsanitizer=address"), ("CARGO_TARGET_DIR", "target/sanitized")])
        .envs([(SLOW_TESTS, "1"), TEST_THREADS])
        .status()
        .map_err(|error| format!("start rustup: {error}"))?;
    if status.success() { Ok(()) } else { Err("something was found, see above".to_owned()) }
}

pub(crate) fn bench(arguments: &[&str]) -> Result<(), String> {
    step("packages", || {
        packages::install(&packages::FOR_TESTS)?;
        packages::install(&packages::FOR_MEASURING)
    })?;
    step("build", || cargo(&["build", "--release", "--locked", "--quiet"], &[]))?;
    let mut words: Vec<String> =
        ["run", "--release", "--locked", "--quiet", "-p", "tanist-bench", "--"].map(String::from).into();
    words.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let asks_for_others = arguments.contains(&"--only") && !arguments.contains(&"memory");
    if !arguments.contains(&"--quick") && !arguments.contains(&"--layout") && !asks_for_others {
        // Its memory is one figure of many; the others are measured without it.
        match step("static build", build_static) {
            Ok(()) => words.push(format!("--static-tanist={STATIC_DIRECTORY}/{}/release/tanist", static_target())),
            Err(reason) => println!("   goes on without a static build: {reason}"),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cargo(&words, &[])
}

pub(crate) fn soak(arguments: &[&str]) -> Result<(), String> {
    step("packages", || packages::install(&packages::FOR_TESTS))?;
    step("build", || cargo(&["build", "--release", "--locked", "--quiet"], &[]))?;
    let words = ["run", "--release", "--locked", "--quiet", "-p", "tanist-soak", "--"];
    cargo(&[&words, arguments].concat(), &[])
}

/// Apart from the usual directory, whose parts it would all make stale.
const STATIC_DIRECTORY: &str = "target/static";

fn static_target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

fn build_static() -> Result<(), String> {
    let target = static_target();
    let flags = "-C target-feature=+crt-static -C relocation-model=static";
    cargo(
        &["build", "--release", "--locked", "--quiet", "--target", &target, "--target-dir", STATIC_DIRECTORY],
        &[("RUSTFLAGS", flags)],
    )
}

pub(crate) fn step(name: &str, act: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    println!("── {name}");
    let began = Instant::now();
    act().map_err(|reason| format!("{name}: {reason}"))?;
    println!("   {name}: {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

pub(crate) fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|error| format!("start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`cargo {}` failed", arguments.join(" "))) }
}
