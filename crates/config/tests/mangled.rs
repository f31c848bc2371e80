//! The same configuration written differently means the same.

use std::path::Path;

use crate::support::{describe, load_text};
use tanist_config::Settings;

const TEXTS: [&str; 12] = [
    "tests/cases/good.conf",
    "tests/cases/services.conf",
    "tests/cases/definitions.conf",
    "../../examples/edge-gateway/a.conf",
    "../../examples/nginx-pair/a.conf",
    "../../examples/nginx-active-active/b.conf",
    "../../examples/job-scheduler/a.conf",
    "../../examples/arm-board/a.conf",
    "../../examples/shadow-node/keepalived.conf",
    "../../examples/service/edge-gateway/a.conf",
    "../../examples/service/scheduler/b.conf",
    "../../examples/service/board/a.conf",
];

fn settings(text: &str) -> Settings {
    let loaded = load_text(text);
    loaded.settings.unwrap_or_else(|| panic!("{}\n{text}", loaded.report.render(false)))
}

fn check(what: &str, mangle: impl Fn(&str) -> String) {
    for path in TEXTS {
        let text = std::fs::read_to_string(Path::new(path)).expect("the file belongs to the project");
        let mangled = mangle(&text);
        assert_ne!(text, mangled, "{what} changes nothing in {path}");
        let (expected, found) = (settings(&text), settings(&mangled));
        assert_eq!(describe(&expected), describe(&found), "{what}: {path}\n{mangled}");
        assert_eq!(expected, found, "{what}: {path}");
    }
}

#[test]
fn line_ends_of_other_systems() {
    check("CRLF", |text| text.replace('\n', "\r\n"));
}

#[test]
fn a_byte_order_mark() {
    check("BOM", |text| format!("\u{feff}{text}"));
}

#[test]
fn no_line_end_at_the_end() {
    check("no last line end", |text| text.trim_end().to_owned());
}

#[test]
fn braces_on_lines_of_their_own() {
    check("brace on the next line", |text| {
        let line = |line: &str| match line.strip_suffix(" {") {
            Some(before) if !line.contains('\\') => format!("{before}\n\t{{\n"),
            _ => format!("{line}\n"),
        };
        let braces: String = text.lines().map(line).collect();
        // A file that has them there already gets more room.
        braces.replace('\n', "\n\n").replace("\\\n\n", "\\\n")
    });
}

#[test]
fn comments_glued_to_everything() {
    check("comments", |text| {
        let line =
            |line: &str| if line.ends_with('\\') { format!("{line}\n") } else { format!("{line}#注释 {{ \" }}\n") };
        text.lines().map(line).collect()
    });
}

#[test]
fn blanks_of_every_width() {
    check("blanks", |text| text.replace("    ", "\t \t").replace(" {", "\t\t{ ").replace('\n', "  \t\n"));
}

#[test]
fn no_blanks_around_braces() {
    check("glued braces", |text| text.replace(" {", "{").replace("{ ", "{").replace(" }", "}"));
}

#[test]
fn everything_on_one_line() {
    for path in [
        "tests/cases/good.conf",
        "tests/cases/services.conf",
        "../../examples/shadow-node/keepalived.conf",
        "../../examples/service/board/a.conf",
    ] {
        let text = std::fs::read_to_string(Path::new(path)).expect("the file belongs to the project");
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        assert_eq!(describe(&settings(&text)), describe(&settings(&lines.join(" "))), "{path}");
    }
}
