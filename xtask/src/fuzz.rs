//! `cargo xtask fuzz`: long runs of the fuzz targets, by hand. What every `cargo test` does with them stands in
//! `crates/fuzz/tests`; without libFuzzer, because its C++ takes a minute of two processors to compile.
//!
//! The programs are built with stable Rust as `cargo fuzz run -s none` builds them with a nightly: LLVM counts what is
//! reached and tells of comparisons, and no sanitizer looks on, which would need a nightly. There is no `unsafe` in what
//! is looked at, so little is lost.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::{cargo, step};

/// Where the programs, their logs, their findings and what they learn are.
const DIRECTORY: &str = "target/fuzz";
/// What is kept of what they have learnt.
const CORPUS: &str = "fuzz/corpus";
/// Whoever says nothing has a minute for each target.
const SECONDS: u64 = 60;
const FLAGS: [&str; 6] = [
    "--cfg fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["frames", rest @ ..] => plain(&["frames"], rest),
        ["plain", rest @ ..] => plain(&["run"], rest),
        ["keepalived", rest @ ..] => keepalived(rest),
        ["keep", targets @ ..] => for_each(targets, keep),
        _ => {
            let (targets, limit) = limit(words)?;
            for_each(&targets, |target, program| look(target, program, &limit))
        }
    }
}

/// The targets, and what libFuzzer is told of how long to go on.
fn limit<'w>(mut words: &[&'w str]) -> Result<(Vec<&'w str>, String), String> {
    let mut targets = Vec::new();
    let mut limit = format!("-max_total_time={SECONDS}");
    while let [first, rest @ ..] = words {
        words = rest;
        let name = match *first {
            "--runs" => "runs",
            "--seconds" => "max_total_time",
            option if option.starts_with('-') => return Err(format!("{option} is not understood")),
            target => {
                targets.push(target);
                continue;
            }
        };
        let [value, rest @ ..] = words else { return Err(format!("{first} needs a number")) };
        words = rest;
        let number: u64 = value.replace('_', "").parse().map_err(|_| format!("{first} {value}: this is no number"))?;
        limit = format!("-{name}={number}");
    }
    Ok((targets, limit))
}

/// Builds the programs of these targets, or of all, and does something with each.
fn for_each(wanted: &[&str], act: impl Fn(&str, &Path) -> Result<(), String>) -> Result<(), String> {
    let all = all_targets()?;
    if let Some(unknown) = wanted.iter().find(|target| !all.iter().any(|known| known == *target)) {
        return Err(format!("there is no target {unknown}; there are: {}", all.join(", ")));
    }
    let targets: Vec<&String> = all.iter().filter(|it| wanted.is_empty() || wanted.contains(&it.as_str())).collect();
    // Named, so that build scripts are built without the flags.
    let machine = machine()?;
    step("build", || {
        let mut words = vec!["build", "--release", "--locked", "--quiet", "--manifest-path", "fuzz/Cargo.toml"];
        words.extend(["--target", &machine, "--target-dir", DIRECTORY]);
        targets.iter().for_each(|target| words.extend(["--bin", target]));
        cargo(&words, &[("RUSTFLAGS", &FLAGS.join(" "))])
    })?;
    let programs = PathBuf::from(DIRECTORY).join(machine).join("release");
    let mut failed = Vec::new();
    for target in targets {
        if let Err(reason) = act(target, &programs.join(target)) {
            println!("{target}: {reason}");
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("did not hold: {}", failed.join(", "))) }
}

/// The programs that the manifest names.
fn all_targets() -> Result<Vec<String>, String> {
    let path = "fuzz/Cargo.toml";
    let text = std::fs::read_to_string(path).map_err(|error| format!("read {path}: {error}"))?;
    let programs = text.split("[[bin]]").skip(1).filter_map(|program| program.split('"').nth(1));
    Ok(programs.map(str::to_owned).collect())
}

fn machine() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("start rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say for which machine it compiles".to_owned())
}

fn make(directory: &Path) -> Result<(), String> {
    std::fs::create_dir_all(directory).map_err(|error| format!("make {}: {error}", directory.display()))
}

/// Lets libFuzzer look for inputs for which something does not hold, from what is kept and what it learnt before.
fn look(target: &str, program: &Path, limit: &str) -> Result<(), String> {
    let directory = Path::new(DIRECTORY);
    let (learnt, findings) = (directory.join("corpus").join(target), directory.join("findings"));
    make(&learnt)?;
    make(&findings)?;
    let log = directory.join(format!("{target}.log"));
    let file = std::fs::File::create(&log).map_err(|error| format!("make {}: {error}", log.display()))?;
    let status = Command::new(program)
        .args([limit, "-len_control=20", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"])
        .arg(format!("-max_len={LONGEST}"))
        .arg(format!("-artifact_prefix={}/{target}-", findings.display()))
        .arg(&learnt)
        .arg(Path::new(CORPUS).join(target))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .map_err(|error| format!("start {}: {error}", program.display()))?;
    let said = std::fs::read(&log).map_err(|error| format!("read {}: {error}", log.display()))?;
    let said = String::from_utf8_lossy(&said);
    println!("   {target}: {}", figures(&said));
    if status.success() {
        return Ok(());
    }
    let finding = said.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim());
    let why = said.lines().skip_while(|line| !line.contains("panicked at")).take(2).collect::<Vec<_>>().join(" ");
    Err(match finding {
        Some(path) => format!("{why}\n  the input is in {path}; all that was said is in {}", log.display()),
        None => format!("it ended with {status}; what was said is in {}", log.display()),
    })
}

/// Nothing that comes from outside need be longer to reach everything; targets themselves cut off what is of no use.
const LONGEST: usize = 4096;

/// `12345 runs, 678 a second, 901 places reached, 23 inputs`.
fn figures(said: &str) -> String {
    let stat = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).map_or("?", str::trim);
    let last = said.lines().rfind(|line| line.starts_with('#') && line.contains(" cov: ")).unwrap_or_default();
    let word = |name: &str| last.split_once(name).and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("?");
    let (runs, rate) = (stat("stat::number_of_executed_units:"), stat("stat::average_exec_per_sec:"));
    let corpus = word(" corp: ");
    let (inputs, octets) = corpus.split_once('/').unwrap_or((corpus, "?"));
    format!("{runs} runs, {rate} a second, {} places reached, {inputs} inputs of {octets}", word(" cov: "))
}

/// Puts among what is kept what was learnt, as far as it reaches something else; and leaves out what no longer does.
fn keep(target: &str, program: &Path) -> Result<(), String> {
    let learnt = Path::new(DIRECTORY).join("corpus").join(target);
    let (kept, before) = (Path::new(CORPUS).join(target), Path::new(DIRECTORY).join("before").join(target));
    make(&learnt)?;
    make(&kept)?;
    let _ = std::fs::remove_dir_all(&before);
    make(before.parent().unwrap_or(&before))?;
    std::fs::rename(&kept, &before).map_err(|error| format!("move {}: {error}", kept.display()))?;
    make(&kept)?;
    let done = Command::new(program)
        // How often a place is reached makes no difference here: else there would be thousands.
        .args(["-set_cover_merge=1", "-use_counters=0", "-rss_limit_mb=1024"])
        .args([&kept, &before, &learnt])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("start {}: {error}", program.display()))?;
    if !done.success() {
        return Err(format!("it ended with {done}; what was kept is in {}", before.display()));
    }
    let list = |directory: &Path| {
        std::fs::read_dir(directory).map_err(|error| format!("read {}: {error}", directory.display()))
    };
    for file in list(&before)?.flatten().filter(|file| has_a_name(&file.file_name().to_string_lossy())) {
        let (from, to) = (file.path(), kept.join(file.file_name()));
        std::fs::copy(&from, &to).map_err(|error| format!("copy {}: {error}", from.display()))?;
    }
    let files = list(&kept)?;
    let sizes: Vec<u64> = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).collect();
    println!("   {target}: {} inputs of {} octets are kept", sizes.len(), sizes.iter().sum::<u64>());
    Ok(())
}

/// Whether somebody has named an input for what it once did; libFuzzer calls them by their SHA-1.
fn has_a_name(file: &str) -> bool {
    file.len() != 40 || !file.bytes().all(|octet| octet.is_ascii_hexdigit())
}

/// The harness without libFuzzer.
fn plain(first: &[&str], rest: &[&str]) -> Result<(), String> {
    let mut words = vec!["run", "--profile", "fuzzing", "--locked", "--quiet", "-p", "tanist-fuzz", "--"];
    words.extend(first);
    words.extend(rest);
    cargo(&words, &[])
}

/// Configurations that nobody has written, given to both: the test that does it takes its numbers from the environment.
fn keepalived(mut words: &[&str]) -> Result<(), String> {
    let (mut runs, mut seed) = ("1000".to_owned(), "1".to_owned());
    while let [option @ ("--runs" | "--seed"), value, rest @ ..] = words {
        *(if *option == "--runs" { &mut runs } else { &mut seed }) = value.replace('_', "");
        words = rest;
    }
    if let [word, ..] = words {
        return Err(format!("{word} is not understood"));
    }
    let environment = [("SLOW_TESTS", "1"), ("VERDICTS_AT_RANDOM", runs.as_str()), ("VERDICTS_SEED", seed.as_str())];
    let test = "verdicts_agree_about_configurations_that_nobody_has_written";
    cargo(
        &["test", "--locked", "-p", "tanist", "--test", "verdicts", test, "--", "--ignored", "--nocapture"],
        &environment,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_libfuzzer_says_at_the_end() {
        let said = "#2\tINITED cov: 3 ft: 3 corp: 1/1b exec/s: 0 rss: 27Mb\n\
                    #200000\tDONE   cov: 11 ft: 12 corp: 4/13b lim: 1980 exec/s: 66 rss: 27Mb\n\
                    stat::number_of_executed_units: 200000\nstat::average_exec_per_sec:     66666\n";
        assert_eq!(figures(said), "200000 runs, 66666 a second, 11 places reached, 4 inputs of 13b");
        assert_eq!(figures(""), "? runs, ? a second, ? places reached, ? inputs of ?");
    }

    #[test]
    fn words_of_the_command_line() {
        assert_eq!(limit(&["a", "--runs", "1_000", "b"]), Ok((vec!["a", "b"], "-runs=1000".to_owned())));
        assert_eq!(limit(&[]), Ok((vec![], "-max_total_time=60".to_owned())));
        assert!(
            limit(&["--seconds", "long"]).is_err() && limit(&["--runs"]).is_err() && limit(&["--run", "1"]).is_err()
        );
    }
}
