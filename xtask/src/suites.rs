//! All tests, two suites at a time. Those of running daemons wait most of the time, so that one alone would leave the
//! processors idle for minutes.

use std::collections::VecDeque;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::Instant;
use std::{fs, thread};

/// Where each directory is a suite of tests of the real program.
const REAL: &str = "crates/tanist/tests";
/// More at once would make them wait for a processor instead of for each other.
const AT_ONCE: usize = 2;
/// The environment variable behind which slow tests wait.
pub(crate) const SLOW_TESTS: &str = "SLOW_TESTS";
/// They nearly only wait, for timers of seconds, so more of them run at once than there are processors.
pub(crate) const TEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "8");

/// What is said to `cargo test`, and how it is called in what is printed.
#[derive(Debug)]
struct Suite {
    name: String,
    words: Vec<String>,
}

impl Suite {
    fn new(name: &str, words: &[&str]) -> Self {
        Self { name: name.to_owned(), words: words.iter().map(|&word| word.to_owned()).collect() }
    }

    fn run(&self) -> Result<Output, String> {
        Command::new(super::steps::cargo_program())
            .args(["test", "--locked", "--no-fail-fast"])
            .args(&self.words)
            .env(SLOW_TESTS, "1")
            .envs([TEST_THREADS])
            .output()
            .map_err(|error| format!("start cargo: {error}"))
    }
}

/// Every test of the workspace is in exactly one of them.
fn all(root: &Path) -> Result<Vec<Suite>, String> {
    let entries = fs::read_dir(root.join(REAL)).map_err(|error| format!("read {REAL}: {error}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("main.rs").exists())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    let mut suites: Vec<Suite> = names.iter().map(|name| Suite::new(name, &["-p", "tanist", "--test", name])).collect();
    suites.push(Suite::new("the program's own", &["-p", "tanist", "--bins"]));
    suites.push(Suite::new("all other crates", &["--workspace", "--exclude", "tanist"]));
    Ok(suites)
}

/// Runs all of them. What a suite has printed is printed in one piece when it has ended; of those that failed at the very
/// end, where it is looked for.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let waiting = Mutex::new(VecDeque::from(all(root)?));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let next = || waiting.lock().unwrap().pop_front();
                while let Some(suite) = next() {
                    let began = Instant::now();
                    let outcome = suite.run();
                    let seconds = began.elapsed().as_secs_f64();
                    let (passed, text) = match outcome {
                        Ok(output) => (output.status.success(), printed(&output)),
                        Err(reason) => (false, reason),
                    };
                    if passed {
                        print!("{text}");
                        println!("   {}: {seconds:.1} s", suite.name);
                    } else {
                        println!("   {}: FAILED after {seconds:.1} s; what it said is at the end", suite.name);
                        failed.lock().unwrap().push((suite.name, text));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    for (name, text) in &failed {
        println!("── {name}, which failed\n{text}");
    }
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() { Ok(()) } else { Err(format!("failed: {}", names.join(", "))) }
}

/// Cargo says on standard error which program it runs, and that says the rest on the other.
fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_suite_of_the_real_program_is_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let suites = all(&root).unwrap();
        for name in ["daemon", "interop", "services", "stories", "verdicts"] {
            let words = ["-p", "tanist", "--test", name];
            assert!(suites.iter().any(|suite| suite.words == words), "{name} is missing");
        }
    }
}
