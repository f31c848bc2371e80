//! Each number that a keyword takes is taken at both ends of its range, and refused beyond them.

use tanist_config::keywords::{Form, Keyword, Status};

use super::{all, around};
use crate::support::load_text;

/// Both ends of a range as they are written, and what is next to them outside.
fn ends(form: Form) -> Option<([String; 2], Vec<String>)> {
    match form {
        Form::Whole { min, max, .. } => {
            let beyond = [min.checked_sub(1), max.checked_add(1)];
            Some(([min, max].map(|number| number.to_string()), beyond.iter().flatten().map(i64::to_string).collect()))
        }
        Form::Seconds { min, max } | Form::Span { min, max } => {
            let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let beyond = [min.checked_sub(1), max.checked_add(1)];
            Some(([min, max].map(seconds), beyond.into_iter().flatten().map(seconds).collect()))
        }
        _ => None,
    }
}

#[test]
fn each_range_ends_where_the_table_says() {
    let mut tried = 0;
    for (place, keyword) in all() {
        let Some((inside, beyond)) = ends(keyword.form).filter(|_| keyword.status == Status::Works) else { continue };
        let refuses = |value: &str| {
            let (before, after) = keyword.example.split_once(keyword.name).expect("an example has its keyword");
            let rest = after.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
            let example = format!("{before}{} {value} {rest}", keyword.name).leak();
            let report = load_text(around(place, &Keyword { example, ..*keyword })).report;
            let told = report.render(false);
            (report.diagnostics().iter().any(|found| found.code == "out-of-range"), told)
        };
        for value in inside {
            let (refused, told) = refuses(&value);
            assert!(!refused, "{}: {} {value}\n{told}", place.title(), keyword.name);
        }
        for value in beyond {
            let (refused, told) = refuses(&value);
            assert!(refused, "{}: {} {value}\n{told}", place.title(), keyword.name);
        }
        tried += 1;
    }
    assert!(tried > 40, "{tried} keywords with a range");
}
