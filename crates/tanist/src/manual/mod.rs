//! The manual: what the tables of keywords and the definitions of the command line say, as pages and as man pages.
//!
//! It is compiled for tests only, since the program needs none of it. `cargo xtask manual` writes the files anew, and the
//! test below fails when they are out of date. Pages that people write stand in `docs/manual` as well; where a part of one
//! is written from the tables, comments say so.

mod differences;
mod man;
mod markup;
mod pages;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Written by people, apart from marked parts.
const BY_HAND: [&str; 4] = ["README.md", "language.md", "running.md", "moving-from-keepalived.md"];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files that are written, as they should be.
fn files() -> Vec<(String, String)> {
    let pages = pages::PAGES.iter().map(|page| (format!("docs/manual/{}", page.file), pages::page(page)));
    let in_part = [
        ("docs/manual/README.md", vec![("pages", pages::index())]),
        (
            "docs/manual/moving-from-keepalived.md",
            vec![
                ("differences", differences::differences()),
                ("ignored", differences::ignored()),
                ("not built", differences::not_built()),
            ],
        ),
    ];
    let in_part = in_part.into_iter().map(|(path, parts)| {
        let replaced = |text: String, (name, part): (&str, String)| replace_part(path, &text, name, &part);
        (path.to_owned(), parts.into_iter().fold(read(path), replaced))
    });
    let man = [("docs/man/tanist.8", man::commands()), ("docs/man/tanist.conf.5", man::configuration())];
    pages.chain(in_part).chain(man.map(|(path, text)| (path.to_owned(), text))).collect()
}

/// The text with what stands between the marks of this name replaced.
fn replace_part(path: &str, text: &str, name: &str, part: &str) -> String {
    let begin = format!("<!-- {name}: written by `cargo xtask manual` -->\n");
    let marked = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once("<!-- end -->")?.1)));
    let Some((before, after)) = marked else { panic!("{path} has no part marked by {begin:?}") };
    format!("{before}{begin}\n{part}\n<!-- end -->{after}")
}

#[test]
fn it_is_what_the_tables_and_the_command_line_say() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut stale = Vec::new();
    for (path, text) in files() {
        let there = project().join(&path);
        if fs::read_to_string(&there).is_ok_and(|found| found == text) {
            continue;
        }
        if update {
            fs::write(&there, text).unwrap_or_else(|error| panic!("{path}: {error}"));
        } else {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "out of date: {}; `cargo xtask manual` writes them anew", stale.join(", "));
}

#[test]
fn there_is_nothing_else_in_it() {
    let written: BTreeSet<String> = files().into_iter().map(|(path, _)| path).collect();
    for directory in ["docs/manual", "docs/man"] {
        for entry in fs::read_dir(project().join(directory)).expect("it is there") {
            let name = entry.expect("it can be read").file_name().to_string_lossy().into_owned();
            let path = format!("{directory}/{name}");
            let known = written.contains(&path) || BY_HAND.contains(&name.as_str());
            assert!(known, "{path} is neither written from the tables nor by hand; remove it");
        }
    }
}

/// Every link of the manual to a place in the project leads somewhere.
#[test]
fn its_links_lead_somewhere() {
    for name in BY_HAND.into_iter().chain(pages::PAGES.iter().map(|page| page.file)) {
        let text = read(&format!("docs/manual/{name}"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { name } else { file };
            let there = project().join("docs/manual").join(file);
            assert!(there.exists(), "{name}: {link} leads nowhere");
            if !place.is_empty() {
                let text = fs::read_to_string(&there).expect("it is there");
                assert!(pages::has_place(&text, place), "{name}: {link} leads to no place of that file");
            }
        }
    }
}

/// What took an argument is either a difference or something that keepalived has no counterpart for. The page says which.
#[test]
fn each_decision_stands_on_the_page_about_keepalived() {
    let page = read("docs/manual/moving-from-keepalived.md");
    for entry in fs::read_dir(project().join("docs/decisions")).expect("it is there") {
        let name = entry.expect("it can be read").file_name().to_string_lossy().into_owned();
        assert!(page.contains(&name), "docs/manual/moving-from-keepalived.md does not mention docs/decisions/{name}");
    }
}
