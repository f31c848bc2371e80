//! Steps, and the commands that are few of them. The first step that fails ends it.

use std::process::{Command, ExitStatus};
use std::time::Instant;

use crate::packages;

/// Writes `docs/manual` and `docs/man` anew. What writes them is a test, which otherwise finds them out of date.
pub(crate) fn manual() -> Result<(), String> {
    cargo(&["test", "--locked", "--quiet", "-p", "tanist", "--bin", "tanist", "manual::"], &[("UPDATE_EXPECT", "1")])
}

/// A workspace of its own: what reads Rust is needed for nothing else.
pub(crate) fn mutants(arguments: &[&str]) -> Result<(), String> {
    let program = ["run", "--locked", "--quiet", "--manifest-path", "mutants/Cargo.toml"];
    cargo(&[&program, &["--target-dir", "target/mutants/build", "--"][..], arguments].concat(), &[])
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
    step("packages", || {
        packages::install(&packages::FOR_TESTS)?;
        packages::install(&packages::FOR_SOAKS)
    })?;
    // Whoever has one need not wait for another.
    if !arguments.iter().any(|argument| argument.starts_with("--tanist")) {
        step("build", || cargo(&["build", "--release", "--locked", "--quiet"], &[]))?;
    }
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
    let status = command(arguments, environment).status().map_err(|error| format!("start cargo: {error}"))?;
    outcome(arguments, status)
}

pub(crate) fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).envs(environment.iter().copied());
    cargo
}

pub(crate) fn outcome(arguments: &[&str], status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("`cargo {}` failed", arguments.join(" "))) }
}
