//! `cargo xtask test`: all that must pass.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::steps::{cargo, command, outcome, step};
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
pub(crate) const TEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "12");
/// How a test begins its line that has tested nothing.
const SKIPPED: &str = "SKIPPED";

/// The compiler that finds what `cargo clippy -- -D warnings` does: used for all that is tested, everything is looked at once
/// instead of twice.
const LINTING: [(&str, &str); 2] =
    [("RUSTC_WORKSPACE_WRAPPER", "clippy-driver"), ("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__")];

/// Less than a minute of made-up worlds: always the same ones, in which a change shows itself, and some that nobody has
/// seen yet.
const KNOWN_WORLDS: [&str; 4] = ["--from", "1", "--seeds", "3000"];
const NEW_WORLDS: [&str; 4] = ["--from", "new", "--seeds", "1000"];
const HUNT: [&str; 7] = ["run", "--locked", "--quiet", "-p", "tanist-sim", "--", "hunt"];
/// How a hunt ends that has found something.
const FOUND: i32 = 1;

pub(crate) fn run(extent: Extent) -> Result<(), String> {
    let began = Instant::now();
    // What is said again at the end, below all the rest.
    let mut remarks = Vec::new();
    step("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    step("licences", licences::check)?;
    step("tidiness", || tidy::check(Path::new(".")))?;
    match extent {
        Extent::Quick => quick(&mut remarks)?,
        Extent::Everything => everything(&mut remarks)?,
    }
    println!("\nEverything passed in {} s.", began.elapsed().as_secs());
    remarks.iter().for_each(|remark| println!("   {remark}"));
    Ok(())
}

fn quick(remarks: &mut Vec<String>) -> Result<(), String> {
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    step("lints", || cargo(&lints, &[]))?;
    step("tests", || tests(&["test", "--workspace", "--locked", "--quiet"], &[], remarks))?;
    remarks.push("Not asked for: all that needs namespaces (`cargo xtask test`).".to_owned());
    Ok(())
}

fn everything(remarks: &mut Vec<String>) -> Result<(), String> {
    let environment = [&LINTING[..], &[(SLOW_TESTS, "1"), TEST_THREADS]].concat();
    // Nothing of these is needed to compile.
    step("packages, lints, and all that is compiled", || {
        thread::scope(|scope| {
            let installed = scope.spawn(|| packages::install(&packages::FOR_TESTS));
            compile(&environment)?;
            installed.join().map_err(|_| "installing packages panicked".to_owned())?
        })
    })?;
    step("tests, namespaces included", || {
        tests(&["test", "--workspace", "--locked", "--no-fail-fast"], &environment, remarks)
    })?;
    // They would move the roles of the others. Side by side they take half a minute. The whole workspace, so that
    // nothing is compiled again.
    step("faults of running daemons", || {
        let words = ["test", "--workspace", "--locked", "--test", "faults", "--", "--ignored", "after_the_others"];
        tests(&words, &environment, remarks)
    })?;
    step("hunt", || judge(hunt(&KNOWN_WORLDS)?, None))?;
    step("hunt in worlds that nobody has seen", || judge(hunt(&NEW_WORLDS)?, Some(remarks)))?;
    step("the README's first command", || cargo(&["run", "--release", "--locked", "--quiet", "--", "rehearse"], &[]))
}

/// The release build is one piece of work for one processor, for most of its time; the others have the rest meanwhile.
fn compile(environment: &[(&str, &str)]) -> Result<(), String> {
    let linting = Command::new(LINTING[0].1).arg("--version").output();
    if !linting.is_ok_and(|output| output.status.success()) {
        return Err("there is no clippy: `rustup component add clippy`, or your distribution's package".to_owned());
    }
    thread::scope(|scope| {
        let release = scope.spawn(|| cargo(&["build", "--release", "--locked", "--quiet"], &[]));
        cargo(&["test", "--workspace", "--locked", "--quiet", "--no-run"], environment)?;
        release.join().map_err(|_| "the release build panicked".to_owned())?
    })
}

fn hunt(worlds: &[&str]) -> Result<ExitStatus, String> {
    command(&[&HUNT[..], worlds].concat(), &LINTING).status().map_err(|error| format!("start a hunt: {error}"))
}

/// A finding in worlds that nobody has seen need not be of what was changed last: it is remarked upon.
fn judge(hunt: ExitStatus, remarks: Option<&mut Vec<String>>) -> Result<(), String> {
    match remarks {
        _ if hunt.success() => {}
        Some(remarks) if hunt.code() == Some(FOUND) => remarks.push(
            "A FINDING of the hunt in new worlds, see above; it need not be of what was changed last. Please report it with its seed."
                .to_owned(),
        ),
        Some(_) | None => return Err(format!("the hunt ended with {hunt}")),
    }
    Ok(())
}

/// Runs tests, and keeps what they have skipped.
fn tests(arguments: &[&str], environment: &[(&str, &str)], skipped: &mut Vec<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("run cargo: {error}");
    let mut cargo = command(arguments, environment).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let said = cargo.stderr.take().ok_or("cargo has no standard error")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
            let _ = std::io::stderr().write_all(&[&line, &b"\n"[..]].concat());
            if line.starts_with(SKIPPED.as_bytes()) {
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        }
    });
    let status = cargo.wait().map_err(failed)?;
    // Nobody waits for the end of what it has said: a process that a test has left behind would have that open.
    skipped.extend(std::iter::from_fn(|| receiver.recv_timeout(Duration::from_secs(1)).ok()));
    outcome(arguments, status)
}
