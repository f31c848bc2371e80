//! Which test shows what a keyword is good for, beyond the settings that it changes.
//!
//! A test says so in a comment: `// Shows: vrrp_instance.priority, address.dev` directly above its `#[test]`, or a line
//! `# Shows: …` in a scenario or in a case. Before the point stands the block as [`Block::slug`] names it. A keyword of VRRP
//! that works and is shown nowhere fails here, and so does a comment that names what does not exist or does not work.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tanist_config::keywords::{Block, Keyword, Status};

const MARK: &str = "Shows: ";
/// Where tests are.
const CORPORA: [&str; 2] = ["../../crates", "../../scenarios"];

/// What works and cannot be seen yet, and why.
const NOT_SEEN: &[(&str, &str)] = &[];

/// Whether its keywords are those of VRRP, as keepalived has them.
const fn is_vrrp(place: Block) -> bool {
    !place.is_ours()
        && !matches!(
            place,
            Block::Ssl
                | Block::BfdInstance
                | Block::VirtualServerGroup
                | Block::VirtualServer
                | Block::RealServer
                | Block::TcpCheck
                | Block::HttpGet
                | Block::Url
                | Block::MiscCheck
                | Block::SmtpCheck
                | Block::DnsCheck
                | Block::UdpCheck
                | Block::PingCheck
                | Block::FileCheck
                | Block::BfdCheck
        )
}

#[test]
fn a_test_shows_what_each_keyword_of_vrrp_is_good_for() {
    let mut wrong = Vec::new();
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for corpus in CORPORA {
        let mut files = Vec::new();
        collect(Path::new(corpus), &mut files);
        assert!(!files.is_empty(), "{corpus} has no tests");
        for file in files {
            // Some cases are not in UTF-8, that is their point.
            let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            for mark in marks(&file, &String::from_utf8_lossy(&text)) {
                match mark {
                    Ok((keyword, place)) => {
                        shown.entry(keyword).or_insert(place);
                    }
                    Err(reason) => wrong.push(reason),
                }
            }
        }
    }
    for place in Block::ALL {
        for keyword in place.keywords() {
            let name = name(*place, keyword);
            let shown_by = shown.remove(&name);
            if NOT_SEEN.iter().any(|(other, _)| *other == name) {
                wrong.extend(shown_by.map(|by| format!("{by} shows {name}, so take it out of NOT_SEEN")));
                continue;
            }
            match (keyword.status, shown_by) {
                (Status::Works, None) if is_vrrp(*place) && !keyword.ours => {
                    wrong
                        .push(format!("{name} works, but no test shows it: say `// {MARK}{name}` above one that does"));
                }
                (Status::NotBuilt | Status::IgnoredBecause(_), Some(by)) => {
                    wrong.push(format!("{by} shows {name}, but the table says that it has no effect"));
                }
                (Status::Works | Status::NotBuilt | Status::IgnoredBecause(_), _) => {}
            }
        }
    }
    wrong.extend(shown.into_iter().map(|(keyword, by)| format!("{by} shows {keyword}, which is no keyword")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn name(place: Block, keyword: &Keyword) -> String {
    format!("{}.{}", place.slug(), keyword.name)
}

/// What the marks of a file name, and where each stands.
fn marks(file: &Path, text: &str) -> Vec<Result<(String, String), String>> {
    let rust = file.extension().is_some_and(|extension| extension == "rs");
    let comment = if rust { "// " } else { "# " };
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(&lines) {
        let Some(names) = line.strip_prefix(comment).and_then(|line| line.strip_prefix(MARK)) else { continue };
        let place = format!("{}:{number}", file.display());
        let follows = lines[number..].iter().find(|line| !line.starts_with("//"));
        if rust && follows.is_none_or(|line| *line != "#[test]") {
            found.push(Err(format!("{place}: what shows this? A test must follow")));
            continue;
        }
        found.extend(names.split(", ").map(|name| Ok((name.trim_end().to_owned(), place.clone()))));
    }
    found
}

/// Rust, scenarios and cases.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let path = entry.expect("a directory of the project can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| ["rs", "txt", "conf"].iter().any(|one| extension == *one)) {
            files.push(path);
        }
    }
}

#[test]
fn marks_are_read_where_they_stand() {
    let check = |file: &str, text: &str| marks(Path::new(file), text);
    let place = |number: u8| format!("a.rs:{number}");
    assert_eq!(
        check("a.rs", "// Shows: a.b, a.c\n/// Words.\n#[test]\nfn f() {}\n"),
        [Ok(("a.b".to_owned(), place(1))), Ok(("a.c".to_owned(), place(1)))]
    );
    assert_eq!(check("a.rs", "// Shows: a.b\nfn no_test() {}\n").iter().filter(|mark| mark.is_err()).count(), 1);
    assert_eq!(check("a.txt", "# Shows: a.b\nrouter a\n"), [Ok(("a.b".to_owned(), "a.txt:1".to_owned()))]);
    assert_eq!(check("a.txt", "router a  # Shows: a.b\n"), []);
}
