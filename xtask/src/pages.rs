//! Keeps pages together: what they lead to is there, and the index of the decisions has all of them.

use std::path::{Component, Path, PathBuf};

const DECISIONS: &str = "docs/decisions/";
const INDEX: &str = "docs/decisions/README.md";

/// What is wrong. `files` are all of the repository.
pub(crate) fn check(root: &Path, files: &[String]) -> Vec<String> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap_or_default();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        let text = read(file);
        let lost = links(&text).filter_map(|link| target(file, link)).filter(|path| !root.join(path).exists());
        findings.extend(lost.map(|path| format!("{file}: {} is not there", path.display())));
    }
    let index = read(INDEX);
    let decisions = files.iter().filter(|file| file.starts_with(DECISIONS) && *file != INDEX && file.ends_with(".md"));
    findings.extend(decisions.filter_map(|file| unlisted(&index, file, &read(file))));
    findings
}

/// What stands in `[…](…)`, but not in examples.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut is_example = false;
    let told = text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_example ^= is_fence;
        !is_example && !is_fence
    });
    told.flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link))
}

/// The file that a link of this page leads to; `None` if it is the page itself, or somewhere else in the world.
fn target(page: &str, link: &str) -> Option<PathBuf> {
    let path = link.split('#').next().filter(|path| !path.is_empty() && !path.contains(':'))?;
    let mut found: PathBuf = Path::new(page).parent()?.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(found.pop()),
            part => found.push(part),
        }
    }
    Some(found)
}

fn unlisted(index: &str, file: &str, page: &str) -> Option<String> {
    let title = page.lines().next()?.trim_start_matches("# ");
    let line = format!("* [{title}]({})", file.strip_prefix(DECISIONS)?);
    (!index.lines().any(|listed| listed == line)).then(|| format!("{INDEX} lacks the line: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_followed() {
        let text = "see [a](a.md) and [b](../b/c.md#d), [e](#f)\n```\n[g](h.md)\n```\n[i](https://example.com/)\n";
        assert_eq!(links(text).collect::<Vec<_>>(), ["a.md", "../b/c.md#d", "#f", "https://example.com/"]);
        let found: Vec<PathBuf> = links(text).filter_map(|link| target("docs/x/page.md", link)).collect();
        assert_eq!(found, [Path::new("docs/x/a.md"), Path::new("docs/b/c.md")]);
    }

    #[test]
    fn a_decision_that_the_index_lacks_is_told_with_its_line() {
        let (file, page) = ("docs/decisions/0007-seven.md", "# 7. Seven\n\nWords.\n");
        let line = "* [7. Seven](0007-seven.md)";
        assert_eq!(unlisted(&format!("# Decisions\n\n{line}\n"), file, page), None);
        assert_eq!(unlisted("# Decisions\n", file, page), Some(format!("{INDEX} lacks the line: {line}")));
    }

    /// The pages of this repository.
    #[test]
    fn the_pages_are_together() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = crate::tidy::tracked_files(&root).expect("git lists the files");
        assert_eq!(check(&root, &files), [""; 0]);
    }
}
