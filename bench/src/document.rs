//! `docs/benchmarks.md`: the same figures in plain words, to be kept. What people wrote into it stays.

use std::fmt::Write as _;

use crate::bench::Group;
use crate::machine::Machine;
use crate::row::{Row, Verdict};

/// Between these two lines stands what people say about the figures; writing the document anew keeps it.
const REMARKS_BEGIN: &str = "<!-- remarks: written by hand, kept when this file is written anew -->";
const REMARKS_END: &str = "<!-- end of remarks -->";

const COMMAND: &str = "cargo xtask bench --write docs/benchmarks.md";

/// The whole document. `before` is what the file says now, if it exists.
pub(crate) fn render(machine: &Machine, measured: &[(Group, Vec<Row>)], before: &str) -> String {
    let Machine { processor, kernel, keepalived, tanist, date, load } = machine;
    let mut text = format!(
        "# Benchmarks\n\n\
         Tanist side by side with the distribution's keepalived, measured in one run by\n\n    {COMMAND}\n\n\
         as root on Debian; it takes about twenty minutes and wants a machine that does nothing else.\n\n\
         - {date}, {processor}, Linux {kernel}, load {load} when it began\n\
         - {tanist}, release build\n\
         - {keepalived}\n\n\
         Both daemons read the same configuration, log in detail to standard error, and run on the same virtual hosts: \
         network namespaces on a bridge, as in `tanist rehearse`. Packets are stamped by the kernel at the switch, \
         addresses are told by the kernel of each host, a client asks from outside; nothing depends on what a daemon \
         says of itself. The two are measured in turn, each time from a fresh start. \"Ratio\" is Tanist's figure \
         divided by keepalived's: smaller is better for Tanist, everywhere.\n"
    );
    for (group, rows) in measured {
        let _ = write!(text, "\n## {}\n\n{}\n\n", group.title, group.explanation);
        text.push_str("| | keepalived | Tanist | ratio | target | |\n|---|--:|--:|--:|--:|---|\n");
        for row in rows {
            let _ = writeln!(text, "| {} |", row.cells().join(" | "));
        }
    }
    text.push_str(
        "\n## Nothing allocated per advertisement\n\nBeside the figures above there is a test: `crates/engine/tests/allocation.rs` drives \
         an engine with 250 Active and 250 Backup routers through 300 000 advertisements under an allocator that counts. \
         Once warm, it is not called.\n",
    );
    text.push_str("\n## Missed targets\n\n");
    let misses: Vec<String> = measured
        .iter()
        .flat_map(|(group, rows)| rows.iter().filter_map(|row| Some(format!("- {}: {}\n", short(group), row.miss()?))))
        .collect();
    text.push_str(if misses.is_empty() { "None.\n" } else { "" });
    text.push_str(&misses.concat());
    let _ = write!(text, "\n{REMARKS_BEGIN}\n{}{REMARKS_END}\n", remarks(before));
    text
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

    #[test]
    fn remarks_survive() {
        let first = render(&machine(), &measured(6.0), "");
        assert!(first.contains("| v2, median | 600 ms | 6.00 ms | 0.010 | ≤ 5.00 ms | MISSED |\n"), "{first}");
        assert!(first.contains("- Orderly stop: v2, median: 6.00 ms, where 5.00 ms is allowed: 1.00 ms too much\n"));
        let commented = first.replace(REMARKS_END, "It was Monday.\n<!-- end of remarks -->");
        let second = render(&machine(), &measured(4.0), &commented);
        assert!(second.contains("\nNone.\n"));
        assert!(second.ends_with(&format!("{REMARKS_BEGIN}\nIt was Monday.\n{REMARKS_END}\n")), "{second}");
        assert_eq!(render(&machine(), &measured(4.0), &second), second, "writing it again changes nothing");
    }

    #[test]
    fn summaries_count() {
        assert_eq!(summary(&measured(6.0)), "0 targets met, 1 missed");
        assert_eq!(summary(&measured(4.0)), "1 targets met, 0 missed");
    }
}
