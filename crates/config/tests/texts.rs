//! Each file in `tests/cases` and each example of the project: what is said about it and what it means.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::{describe, expect_file};
use tanist_config::{LoadOptions, RealFiles, explain, load};

fn options() -> LoadOptions {
    LoadOptions { config_id: Some("edge-a".to_owned()), ..LoadOptions::default() }
}

fn check(configuration: &Path, expectation: &Path) -> Result<(), String> {
    let loaded = load(configuration, &RealFiles, &options());
    let mut found = loaded.report.render(false);
    writeln!(found, "\nexit status {}", loaded.report.exit_status()).expect("writing to a string cannot fail");
    if let Some(settings) = &loaded.settings {
        writeln!(found, "\n{}", describe(settings)).expect("writing to a string cannot fail");
    }
    // The one place where these files are on this machine.
    let here = std::env::current_dir().expect("tests run somewhere");
    let found = found.replace(&format!("{}/", here.display()), "HERE/");
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

/// Every example and the name that its expectations have.
fn examples() -> Vec<(PathBuf, String)> {
    let root = Path::new("../../examples");
    let plain = ["edge-gateway", "nginx-pair", "nginx-active-active", "job-scheduler", "arm-board", "shadow-node"];
    let with_services = ["edge-gateway", "nginx", "scheduler", "board", "shadow"].map(|name| format!("service/{name}"));
    let mut examples = Vec::new();
    for pair in plain.into_iter().map(str::to_owned).chain(with_services) {
        for path in configurations(&root.join(&pair)) {
            let node = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            examples.push((path, format!("{}-{node}", pair.replace('/', "-"))));
        }
    }
    examples
}

#[test]
fn what_examples_mean() {
    let expectation = |name: &str| PathBuf::from(format!("tests/examples/{name}.txt"));
    report(examples().iter().map(|(path, name)| check(path, &expectation(name))).collect());
}

#[test]
fn what_examples_will_do() {
    let explained = |(path, name): &(PathBuf, String)| {
        let settings = load(path, &RealFiles, &options()).settings.expect("the examples work");
        expect_file(Path::new(&format!("tests/explained/{name}.txt")), &explain(&settings))
    };
    report(examples().iter().map(explained).collect());
}

/// What is not in an example: what a service needs and checks that run in one role only, tracked files and processes, how
/// mail goes, and more.
#[test]
fn what_is_in_no_example_is_explained() {
    let explained = |name: &str| {
        let path = format!("tests/cases/{name}.conf");
        let settings = load(Path::new(&path), &RealFiles, &options()).settings.expect("it works");
        expect_file(Path::new(&format!("tests/explained/{name}.txt")), &explain(&settings))
    };
    report(["service-needs", "trackers", "mail-security", "more-to-explain"].map(explained).into());
}

/// What a sum of weights comes to, links that count the other way round or are asked, and who is run besides.
#[test]
fn sums_polled_links_and_other_scripts_are_explained() {
    let settings =
        load(Path::new("tests/cases/explained-besides.conf"), &RealFiles, &options()).settings.expect("it works");
    expect_file(Path::new("tests/explained/explained-besides.txt"), &explain(&settings)).expect("as it was");
}
