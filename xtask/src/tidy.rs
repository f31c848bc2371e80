//! Rules of the house that the compiler does not know.

use std::path::Path;

use crate::{pages, security};

/// A file is one idea; beyond this it is probably two.
const LONGEST_FILE: usize = 900;
/// `ARCHITECTURE.md` is to be read in one go.
const LONGEST_ARCHITECTURE: usize = 200;
/// The only crate that may say `unsafe`.
const UNSAFE_CRATE: &str = "crates/linux/";

pub(crate) fn check(root: &Path) -> Result<(), String> {
    let mut findings = Vec::new();
    let files = tracked_files(root)?;
    for file in &files {
        let Ok(text) = std::fs::read_to_string(root.join(file)) else { continue };
        findings.extend(look(file, &text));
    }
    findings.extend(security::check(root, &files));
    findings.extend(pages::check(root, &files));
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

pub(crate) fn tracked_files(root: &Path) -> Result<Vec<String>, String> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("start git: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn look(file: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if file.ends_with(".rs") {
        if lines > LONGEST_FILE {
            findings.push(format!("{file}: {lines} lines; {LONGEST_FILE} are plenty, which two ideas is it?"));
        }
        let library = file.starts_with("crates/") && file.ends_with("/src/lib.rs") && !file.starts_with(UNSAFE_CRATE);
        if library && !text.contains("#![forbid(unsafe_code)]") {
            findings.push(format!("{file}: only {UNSAFE_CRATE} may be without #![forbid(unsafe_code)]"));
        }
        if !text.starts_with("//!") && !text.starts_with("#!") {
            findings.push(format!("{file}: begins without saying what it is for (//! ...)"));
        }
    }
    if file == "ARCHITECTURE.md" && lines > LONGEST_ARCHITECTURE {
        findings.push(format!("{file}: {lines} lines; {LONGEST_ARCHITECTURE} are plenty"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_rules_forbid() {
        let long = "//! Long.\n".repeat(LONGEST_FILE + 1);
        for (file, text, expected) in [
            ("crates/engine/src/lib.rs", "//! Fine.\n#![forbid(unsafe_code)]\n", 0),
            ("crates/engine/src/lib.rs", "//! Careless.\n", 1),
            ("crates/linux/src/lib.rs", "//! Allowed to.\n", 0),
            ("crates/engine/src/time.rs", "use core::fmt;\n", 1),
            ("crates/engine/src/time.rs", long.as_str(), 1),
            ("README.md", long.as_str(), 0),
        ] {
            assert_eq!(look(file, text).len(), expected, "{file}");
        }
    }
}
