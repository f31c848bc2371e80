//! Every crate that we build on has a licence that `deny.toml` allows. cargo-deny reads the same file and knows
//! more; this needs nothing but cargo.

use std::process::Command;

use serde_json::Value;

/// What is not shipped may have these, too: that of LLVM before 2019, which libFuzzer states still.
const ONLY_FOR_FUZZING: &str = "NCSA";

pub(crate) fn check() -> Result<(), String> {
    let mut allowed =
        allowed_licences(&std::fs::read_to_string("deny.toml").map_err(|error| format!("deny.toml: {error}"))?)?;
    check_workspace("Cargo.toml", &allowed)?;
    check_workspace("mutants/Cargo.toml", &allowed)?;
    allowed.push(ONLY_FOR_FUZZING.to_owned());
    check_workspace("fuzz/Cargo.toml", &allowed)
}

fn check_workspace(manifest: &str, allowed: &[String]) -> Result<(), String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest])
        .output()
        .map_err(|error| format!("start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata of {manifest}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let refused: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or("none stated");
            (!is_allowed(licence, allowed)).then(|| format!("{}: {licence}", package["name"]))
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(format!("not allowed by deny.toml:\n{}", refused.join("\n"))) }
}

/// The strings of the `allow = [...]` list.
fn allowed_licences(text: &str) -> Result<Vec<String>, String> {
    let list = text
        .split_once("\nallow = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .ok_or("deny.toml has no list `allow = [...]`")?
        .0;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// An SPDX expression is allowed if one side of each OR is, and every part of that side's ANDs.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.trim();
    for (between, enough) in [(" OR ", true), ("/", true), (" AND ", false)] {
        let parts = outside_of_parentheses(expression, between);
        if parts.len() > 1 {
            return parts.iter().any(|part| is_allowed(part, allowed) == enough) == enough;
        }
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.iter().any(|known| known == expression),
    }
}

fn outside_of_parentheses<'e>(expression: &'e str, between: &str) -> Vec<&'e str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in expression.match_indices(between) {
        let before = &expression[begin..at];
        if before.matches('(').count() == before.matches(')').count() {
            parts.push(before);
            begin = at + between.len();
        }
    }
    parts.push(&expression[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_of_or_is_enough_and_every_part_of_and_counts() {
        let allowed = allowed_licences("[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n]\n").expect("a list");
        assert_eq!(allowed, ["MIT", "ISC"]);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-2.0 OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("MIT AND GPL-2.0", false),
            ("(MIT AND ISC) OR GPL-2.0", true),
            ("(MIT OR GPL-2.0) AND ISC", true),
            ("(MIT OR ISC) AND GPL-2.0", false),
            ("GPL-2.0 AND (MIT OR ISC)", false),
            ("(GPL-2.0 OR GPL-3.0) AND (MIT OR ISC)", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
