//! `docs/benchmarks.md`: the same figures in plain words, to be kept. What people wrote into it stays, and so do the
//! sections of what was not measured this time.

use std::fmt::Write as _;

use crate::bench::Group;
use crate::machine::Machine;
use crate::row::{HEADINGS, Row, Verdict, columns};

/// Between these two lines stands what people say about the figures; writing the document anew keeps it.
const REMARKS_BEGIN: &str = "<!-- remarks: written by hand, kept when this file is written anew -->";
const REMARKS_END: &str = "<!-- end of remarks -->";

/// The heading above what was missed.
const MISSED: &str = "Missed targets";

const COMMAND: &str = "cargo xtask bench --write docs/benchmarks.md";

/// The whole document. `before` is what the file says now, if it exists. `only` are the words by which some groups were
/// chosen: the sections of the others stay as they are, and each new one tells where it was measured.
pub(crate) fn render(
    machine: &Machine,
    measured: &[(Group, Vec<Row>)],
    all: &[Group],
    only: Option<&str>,
    before: &str,
) -> String {
    let kept = if only.is_some() { before } else { "" };
    let mut text = match kept.split_once("\n## ") {
        Some((head, _)) => head.to_owned(),
        None => head(machine),
    };
    for group in all {
        match measured.iter().find(|(known, _)| known.title == group.title) {
            Some((_, rows)) => write_section(&mut text, group, rows, only.map(|only| (only, machine))),
            None => text.push_str(&section(kept, group.title).map(|old| format!("\n{old}")).unwrap_or_default()),
        }
    }
    text.push_str(
        "\n## Nothing allocated per advertisement\n\nBeside the figures above there is a test: `crates/engine/tests/allocation.rs` drives \
         an engine with 250 Active and 250 Backup routers through 300 000 advertisements under an allocator that counts. \
         Once warm, it is not called.\n",
    );
    write_misses(&mut text, measured, all, kept);
    let _ = write!(text, "\n{REMARKS_BEGIN}\n{}{REMARKS_END}\n", remarks(before));
    text
}

fn head(machine: &Machine) -> String {
    let Machine { keepalived, tanist, .. } = machine;
    format!(
        "# Benchmarks\n\n\
         Tanist side by side with the distribution's keepalived, measured in one run by\n\n    {COMMAND}\n\n\
         as root on Debian; it takes about half an hour and wants a machine that does nothing else.\n\n\
         - {}\n\
         - {tanist}, release build\n\
         - {keepalived}\n\n\
         Both daemons read the same configuration, log in detail to standard error, and run on the same virtual hosts: \
         network namespaces on a bridge, as in `tanist rehearse`. Packets are stamped by the kernel at the switch, \
         addresses are told by the kernel of each host, a client asks from outside; nothing depends on what a daemon \
         says of itself. The two are measured in turn, each time from a fresh start. \"Ratio\" is Tanist's figure \
         divided by keepalived's: smaller is better for Tanist, everywhere.\n",
        place(machine)
    )
}

/// Where and when.
fn place(machine: &Machine) -> String {
    let Machine { processor, kernel, date, load, .. } = machine;
    format!("{date}, {processor}, Linux {kernel}, load {load} when it began")
}

fn write_section(text: &mut String, group: &Group, rows: &[Row], alone: Option<(&str, &Machine)>) {
    let _ = write!(text, "\n## {}\n\n{}\n\n", group.title, group.explanation);
    if let Some((only, machine)) = alone {
        let Machine { keepalived, tanist, .. } = machine;
        let _ = write!(text, "Measured by itself (`{only}`): {}; {tanist}, {keepalived}.\n\n", place(machine));
    }
    let columns = columns(rows);
    let joined = |cells: &[String; 7], with: &str| {
        columns.iter().map(|&column| cells[column].as_str()).collect::<Vec<_>>().join(with)
    };
    let headings = joined(&HEADINGS.map(str::to_owned), " | ").replace("  ", " ");
    let rule = HEADINGS.map(|heading| if heading.is_empty() { "---" } else { "--:" }.to_owned());
    let _ = writeln!(text, "|{headings}|\n|{}|", joined(&rule, "|"));
    for row in rows {
        let _ = writeln!(text, "| {} |", joined(&row.cells(), " | "));
    }
}

/// Those of what was measured now, and those that the document has of the rest.
fn write_misses(text: &mut String, measured: &[(Group, Vec<Row>)], all: &[Group], kept: &str) {
    text.push_str("\n## Missed targets\n\n");
    let old = section(kept, MISSED).unwrap_or_default();
    let mut misses: Vec<String> = Vec::new();
    for group in all {
        let begins = format!("- {}: ", short(group));
        match measured.iter().find(|(known, _)| known.title == group.title) {
            Some((_, rows)) => {
                misses.extend(rows.iter().filter_map(|row| Some(format!("{begins}{}\n", row.miss()?))));
            }
            None => misses.extend(old.lines().filter(|line| line.starts_with(&begins)).map(|line| format!("{line}\n"))),
        }
    }
    text.push_str(if misses.is_empty() { "None.\n" } else { "" });
    text.push_str(&misses.concat());
}

/// A section of a document with its heading, up to the next one or the remarks.
fn section<'a>(document: &'a str, title: &str) -> Option<&'a str> {
    let begin = document.find(&format!("## {title}\n"))?;
    let rest = &document[begin..];
    let end = ["\n## ", &format!("\n{REMARKS_BEGIN}")].iter().filter_map(|next| rest.find(*next)).min();
    Some(end.map_or(rest, |end| &rest[..end]))
}

/// The title up to its colon.
fn short(group: &Group) -> &str {
    group.title.split(':').next().unwrap_or(group.title)
}

/// What stands between the markers; nothing if they are not there.
fn remarks(document: &str) -> &str {
    let behind = document.split_once(REMARKS_BEGIN).map_or("", |(_, behind)| behind);
    let between = behind.split_once(REMARKS_END).map_or("", |(between, _)| between);
    between.strip_prefix('\n').unwrap_or(between)
}

/// For the end of the run: how many targets were met.
pub(crate) fn summary(measured: &[(Group, Vec<Row>)]) -> String {
    let rows = || measured.iter().flat_map(|(_, rows)| rows);
    let count = |verdict| rows().filter(|row| row.verdict() == verdict).count();
    format!("{} targets met, {} missed", count(Verdict::Met), count(Verdict::Missed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Both, Target, Unit};

    fn machine() -> Machine {
        let word = |text: &str| text.to_owned();
        Machine {
            processor: word("2 × Processor"),
            kernel: word("6.1"),
            keepalived: word("Keepalived v2"),
            tanist: word("tanist 0"),
            date: word("2026-01-01"),
            load: word("0.00"),
        }
    }

    fn measured(tanist: f64) -> Vec<(Group, Vec<Row>)> {
        let row = Row::new("v2, median", Unit::Milliseconds, Both { keepalived: 600.0, tanist }, Target::AtMost(5.0));
        vec![(crate::stop::GROUP, vec![row])]
    }

    const ALL: [Group; 2] = [crate::stop::GROUP, crate::start::GROUP];

    fn whole(tanist: f64, before: &str) -> String {
        render(&machine(), &measured(tanist), &ALL, None, before)
    }

    #[test]
    fn remarks_survive() {
        let first = whole(6.0, "");
        assert!(first.contains("| | keepalived | Tanist | ratio | target | |\n|---|--:|--:|--:|--:|---|\n"), "{first}");
        assert!(first.contains("| v2, median | 600 ms | 6.00 ms | 0.010 | ≤ 5.00 ms | MISSED |\n"), "{first}");
        assert!(first.contains("- Orderly stop: v2, median: 6.00 ms, where 5.00 ms is allowed: 1.00 ms too much\n"));
        let commented = first.replace(REMARKS_END, "It was Monday.\n<!-- end of remarks -->");
        let second = whole(4.0, &commented);
        assert!(second.contains("\nNone.\n"));
        assert!(second.ends_with(&format!("{REMARKS_BEGIN}\nIt was Monday.\n{REMARKS_END}\n")), "{second}");
        assert_eq!(whole(4.0, &second), second, "writing it again changes nothing");
    }

    #[test]
    fn what_was_not_measured_stays() {
        let row = Row::of_tanist("v3", Unit::Milliseconds, 11.0, Target::AtMost(10.0));
        let both = [measured(6.0), vec![(crate::start::GROUP, vec![row])]].concat();
        let before = render(&machine(), &both, &ALL, None, "");
        let later = Machine { date: "2026-02-02".to_owned(), ..machine() };
        let after = render(&later, &measured(4.0), &ALL, Some("--only stop"), &before);
        let told = "Measured by itself (`--only stop`): 2026-02-02, 2 × Processor, Linux 6.1, load 0.00 when it began; \
                    tanist 0, Keepalived v2.\n";
        assert_eq!(after.matches(told).count(), 1, "{after}");
        assert!(after.contains("- 2026-01-01, 2 × Processor"), "{after}");
        assert!(after.contains("| v2, median | 600 ms | 4.00 ms | 0.007 | ≤ 5.00 ms | met |\n"), "{after}");
        assert!(after.contains("| v3 | – | 11.0 ms | – | ≤ 10.0 ms | MISSED |\n\n## Nothing"), "{after}");
        let missed = "## Missed targets\n\n- Start: v3: 11.0 ms, where 10.0 ms is allowed: 1.00 ms too much\n\n<!--";
        assert!(after.contains(missed), "{after}");
        let again = render(&later, &measured(4.0), &ALL, Some("--only stop"), &after);
        assert_eq!(again, after, "writing it again changes nothing");
    }

    #[test]
    fn a_part_of_nothing_is_a_document_too() {
        let text = render(&machine(), &measured(4.0), &ALL, Some("--only stop"), "");
        assert!(text.starts_with("# Benchmarks\n") && text.contains("\n## Orderly stop"), "{text}");
        assert!(!text.contains(&format!("## {}", crate::start::GROUP.title)), "{text}");
    }

    #[test]
    fn summaries_count() {
        assert_eq!(summary(&measured(6.0)), "0 targets met, 1 missed");
        assert_eq!(summary(&measured(4.0)), "1 targets met, 0 missed");
    }
}
