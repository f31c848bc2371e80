//! Each file in `tests/cases` and each example of the project: what is said about it and what it means.

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use support::{describe, expect_file};
use tanist_config::{LoadOptions, RealFiles, load};

fn check(configuration: &Path, expectation: &Path) -> Result<(), String> {
    let options = LoadOptions { config_id: Some("edge-a".to_owned()) };
    let loaded = load(configuration, &RealFiles, &options);
    let mut found = loaded.report.render(false);
    writeln!(found, "\nexit status {}", loaded.report.exit_status()).expect("writing to a string cannot fail");
    if let Some(settings) = &loaded.settings {
        writeln!(found, "\n{}", describe(settings)).expect("writing to a string cannot fail");
    }
    // Trailing blanks are a renderer's business and an editor's annoyance.
    let found: String = found.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    expect_file(expectation, &found)
}

fn configurations(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("the directory belongs to the project")
        .map(|entry| entry.expect("a directory of the project can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    found.sort();
    found
}

fn report(results: Vec<Result<(), String>>) {
    assert!(!results.is_empty(), "there is nothing to check");
    let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

// Relative paths, so that messages read the same on every machine: tests run in the directory of the crate.

#[test]
fn cases() {
    let all = configurations(Path::new("tests/cases"));
    report(all.iter().map(|path| check(path, &path.with_extension("txt"))).collect());
}

#[test]
fn examples() {
    let mut results = Vec::new();
    for pair in ["edge-gateway", "nginx-pair", "nginx-active-active", "job-scheduler", "arm-board", "shadow-node"] {
        for path in configurations(&Path::new("../../examples").join(pair)) {
            let node = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            results.push(check(&path, Path::new(&format!("tests/examples/{pair}-{node}.txt"))));
        }
    }
    report(results);
}
