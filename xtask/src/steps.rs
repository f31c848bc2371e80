//! What `test`, `bench` and `soak` do, step by step. The first step that fails ends it.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::thread;
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
pub(crate) const SLOW_TESTS: &str = "SLOW_TESTS";
/// They nearly only wait, for timers of seconds, so more of them run at once than there are processors.
pub(crate) const TEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "8");

/// Less than a minute of made-up worlds on two processors: always the same ones, in which a change shows itself, and some that
/// nobody has seen yet.
const KNOWN_WORLDS: [&str; 4] = ["--from", "1", "--seeds", "3000"];
const NEW_WORLDS: [&str; 4] = ["--from", "new", "--seeds", "1000"];
const HUNT: [&str; 7] = ["run", "--locked", "--quiet", "-p", "tanist-sim", "--", "hunt"];
/// How a hunt ends that has found something.
const FOUND: i32 = 1;

pub(crate) fn test(extent: Extent) -> Result<(), String> {
    let began = Instant::now();
    if extent == Extent::Everything {
        step("packages", || packages::install(&packages::FOR_TESTS))?;
    }
    step("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    step("licences", licences::check)?;
    step("tidiness", || tidy::check(Path::new(".")))?;
    match extent {
        Extent::Quick => {
            step("lints", lint)?;
            step("tests", || cargo(&["test", "--workspace", "--locked", "--quiet"], &[]))?;
        }
        Extent::Everything => {
            step("lints, and all that is compiled", compile)?;
            step("tests, namespaces included", || {
                cargo(&["test", "--workspace", "--locked", "--no-fail-fast"], &[(SLOW_TESTS, "1"), TEST_THREADS])
            })?;
            // They would move the roles of the others. Side by side they take half a minute. The whole workspace, so that
            // nothing is compiled again.
            step("faults of running daemons", || {
                let words =
                    ["test", "--workspace", "--locked", "--test", "faults", "--", "--ignored", "after_the_others"];
                cargo(&words, &[(SLOW_TESTS, "1"), TEST_THREADS])
            })?;
            step("hunt", || cargo(&[&HUNT[..], &KNOWN_WORLDS].concat(), &[]))?;
            step("hunt in worlds that nobody has seen", || {
                let status = run_cargo(&[&HUNT[..], &NEW_WORLDS].concat(), &[])?;
                if status.code() == Some(FOUND) {
                    println!(
                        "   A FINDING, see above. It fails nothing here, for it need not be of what was changed last."
                    );
                    println!("   Please report it with the seed that stands there.");
                } else if !status.success() {
                    return Err(format!("the hunt itself failed: {status}"));
                }
                Ok(())
            })?;
            step("the README's first command", || {
                cargo(&["run", "--release", "--locked", "--quiet", "--", "rehearse"], &[])
            })?;
        }
    }
    println!("\nEverything passed in {} s.", began.elapsed().as_secs());
    Ok(())
}

fn lint() -> Result<(), String> {
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"], &[])
}

/// The release build is one piece of work for one processor, for most of its time; the others have the rest meanwhile.
fn compile() -> Result<(), String> {
    thread::scope(|scope| {
        let release = scope.spawn(|| cargo(&["build", "--release", "--locked", "--quiet"], &[]));
        lint()?;
        cargo(&["test", "--workspace", "--locked", "--quiet", "--no-run"], &[])?;
        release.join().map_err(|_| "the release build panicked".to_owned())?
    })
}

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
    let status = run_cargo(arguments, environment)?;
    if status.success() { Ok(()) } else { Err(format!("`cargo {}` failed", arguments.join(" "))) }
}

fn run_cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<ExitStatus, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    let status = cargo.args(arguments).envs(environment.iter().copied()).status();
    status.map_err(|error| format!("start cargo: {error}"))
}
