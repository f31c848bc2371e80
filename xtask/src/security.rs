//! Keeps `docs/security.md` and `docs/promises.md` true: the tests that they name are there, and the table of `unsafe` is
//! complete.

use std::collections::BTreeMap;
use std::path::Path;

const PAGE: &str = "docs/security.md";
/// Its tests are looked for as well.
const PROMISES: &str = "docs/promises.md";
/// Ours, and every other crate must be without (`#![forbid(unsafe_code)]`).
const CODE: &str = "crates/linux/src/";

/// What is wrong with the page. `files` are all of the repository.
pub(crate) fn check(root: &Path, files: &[String]) -> Vec<String> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).ok();
    let Some(page) = read(PAGE) else { return vec![format!("{PAGE} is not there")] };
    let Some(promises) = read(PROMISES) else { return vec![format!("{PROMISES} is not there")] };
    let mut findings = Vec::new();
    for (file, text) in [(PAGE, &page), (PROMISES, &promises)] {
        let lost = named(text).filter_map(|name| missing(name, &read));
        findings.extend(lost.map(|what| format!("{file}: {what}")));
    }
    let code = files.iter().filter(|file| file.starts_with(CODE) && file.ends_with(".rs"));
    let found = code.filter_map(|file| Some((file.clone(), count(&read(file)?)))).filter(|(_, count)| *count > 0);
    findings.extend(differences(&table(&page), &found.collect()));
    findings
}

/// What stands between backquotes and is a test: `crates/…/file.rs: name`, or a scenario.
fn named(page: &str) -> impl Iterator<Item = &str> {
    let quoted = page.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains(".rs: ") || (text.starts_with("scenarios/") && text.ends_with(".txt")))
}

fn missing(name: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let (file, test) = name.split_once(": ").unwrap_or((name, ""));
    let Some(text) = read(file) else { return Some(format!("{file} is not there")) };
    let is_there = test.is_empty() || text.contains(&format!("fn {test}("));
    (!is_there).then(|| format!("there is no test {test} in {file}"))
}

/// Blocks, functions and implementations.
fn count(code: &str) -> usize {
    let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    lines
        .map(|line| {
            ["unsafe {", "unsafe fn ", "unsafe impl ", "unsafe extern "]
                .map(|form| line.matches(form).count())
                .iter()
                .sum::<usize>()
        })
        .sum()
}

/// The rows `| file | count | reason |`, files without what all have in common.
fn table(page: &str) -> BTreeMap<String, usize> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let file = cells.next()?.strip_suffix('`')?;
        let count = cells.next()?.parse().ok()?;
        // The reason is what the table is for.
        cells.next().filter(|reason| !reason.is_empty())?;
        Some((format!("{CODE}{file}"), count))
    };
    page.lines().filter_map(row).collect()
}

fn differences(told: &BTreeMap<String, usize>, found: &BTreeMap<String, usize>) -> Vec<String> {
    let mut files: Vec<&String> = told.keys().chain(found.keys()).collect();
    files.sort();
    files.dedup();
    let differing = files.into_iter().filter(|file| told.get(*file) != found.get(*file));
    differing
        .map(|file| {
            let [told, found] = [told, found].map(|counts| counts.get(file).copied().unwrap_or(0));
            format!("{PAGE}: `unsafe` stands {found} times in {file}, and the table says {told}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_must_be_there() {
        let read = |file: &str| (file == "a.rs").then(|| "fn one() {}\nfn two_and_more() {}".to_owned());
        let page = "`a.rs: one`, `a.rs: two`, `b.rs: one`, `scenarios/x.txt`, `--confine all`, `a.rs`";
        let findings: Vec<String> = named(page).filter_map(|name| missing(name, &read)).collect();
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings[0].contains("no test two in a.rs"), "{findings:?}");
    }

    #[test]
    fn every_unsafe_is_counted_and_told() {
        let code = "//! unsafe { }\nunsafe fn f() {}\n    let x = unsafe { 1 } + unsafe { 2 };\n// unsafe {\n#![allow(unsafe_code)]\n";
        assert_eq!(count(code), 3);
        let told = table("| File | Count |\n| `a.rs` | 3 | clocks |\n| `b.rs` | 1 | |\n| `c.rs` | 2 | files |\n");
        assert_eq!(told.len(), 2, "a row without a reason does not count: {told:?}");
        let found =
            BTreeMap::from([(format!("{CODE}a.rs"), 3), (format!("{CODE}b.rs"), 1), (format!("{CODE}c.rs"), 1)]);
        assert_eq!(differences(&told, &found).len(), 2);
        assert!(differences(&found, &found).is_empty());
    }

    /// The page of this repository.
    #[test]
    fn the_page_is_true() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = crate::tidy::tracked_files(&root).expect("git lists the files");
        assert_eq!(check(&root, &files), [""; 0]);
    }
}
