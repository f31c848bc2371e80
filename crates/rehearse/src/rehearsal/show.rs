//! A rehearsal for people: 80 columns, coloured on a terminal.

use std::fmt::Write;

use super::outcome::{ActOutcome, NodeView, Outcome, Promise, Span};
use super::scene::ALLOWANCE;

/// Columns of the bars that show who had the address.
const BAR: usize = 60;

/// Whether and how to colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) coloured: bool,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
/// One colour for each node.
const NODES: [&str; 2] = ["36", "35"];

impl Style {
    fn paint(self, colour: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn node(self, nodes: &[NodeView], name: &str, text: &str) -> String {
        match nodes.iter().position(|node| node.name == name) {
            Some(which) => self.paint(NODES[which % NODES.len()], text),
            None => text.to_owned(),
        }
    }
}

/// What is going to be played.
pub(crate) fn head(outcome: &Outcome, style: Style) -> String {
    let mut out = String::new();
    let title = "Two nodes on a virtual network. Nothing of it leaves this machine.";
    line(&mut out, &style.paint(BOLD, title));
    for NodeView { name, own_address, interface, priority, daemon } in &outcome.nodes {
        let text = format!("  {name}  {own_address:<15} on {interface}, priority {priority}, {daemon}");
        line(&mut out, &style.node(&outcome.nodes, name, &text));
    }
    line(&mut out, &format!("  A client asks for {} a thousand times a second.", outcome.address));
    if let Some(service) = &outcome.service {
        let text = format!("The service {service} is a stand-in that ticks every 20 ms, so that every gap is seen.");
        wrapped(&mut out, "  ", &text, "0", style);
    }
    for remark in &outcome.remarks {
        wrapped(&mut out, "  ", remark, DIM, style);
    }
    out
}

/// One act: what happened, in milliseconds; who had the address and who answered; what was promised and measured.
pub(crate) fn act(outcome: &ActOutcome, nodes: &[NodeView], style: Style) -> String {
    let mut out = String::new();
    let rule = "─".repeat(76_usize.saturating_sub(outcome.act.len() + outcome.title.chars().count()));
    line(&mut out, "");
    line(&mut out, &style.paint(BOLD, &format!("{}: {} {rule}", outcome.act, outcome.title)));
    if let Some(why) = &outcome.skipped {
        wrapped(&mut out, "  left out: ", why, YELLOW, style);
        return out;
    }
    for entry in &outcome.timeline {
        let who = style.node(nodes, &entry.who, &format!("{:<6}", entry.who));
        let what = if entry.deed { style.paint(BOLD, &entry.what) } else { entry.what.clone() };
        line(&mut out, &format!("{:>9.1} ms  {who}  {what}", entry.at_ms));
    }
    for node in nodes {
        let bar = bar(&outcome.held, outcome.duration_ms, |by| if by == node.name { Some('#') } else { None });
        line(&mut out, &format!("  {:<14}  {}", format!("{} has it", node.name), style.node(nodes, &node.name, &bar)));
    }
    for node in nodes.iter().filter(|_| outcome.work.is_some()) {
        let worked = outcome.work.as_ref().map_or(&[][..], |work| &work.worked);
        let bar = bar(worked, outcome.duration_ms, |by| if by == node.name { Some('=') } else { None });
        line(&mut out, &format!("  {:<14}  {}", format!("{} works", node.name), style.node(nodes, &node.name, &bar)));
    }
    let answers = bar(&outcome.answered, outcome.duration_ms, |by| by.chars().next());
    line(&mut out, &format!("  {:<14}  {answers}", "answered by"));
    for promise in &outcome.promises {
        line(&mut out, &show_promise(promise, style));
    }
    let lost = format!("{} of {} questions lost", outcome.lost, outcome.asked);
    line(&mut out, &style.paint(DIM, &format!("    {lost}, two holders for {:.0} ms", outcome.overlap_ms)));
    for remark in &outcome.remarks {
        wrapped(&mut out, "  ! ", remark, YELLOW, style);
    }
    out
}

/// All acts in a table, and the verdict.
pub(crate) fn foot(outcome: &Outcome, style: Style) -> String {
    let mut out = String::new();
    line(&mut out, "");
    let row = |act: &str, [silent, held, gap, overlap]: [&str; 4], verdict: &str| {
        let service = format!("{gap:>12}{overlap:>12}");
        let service = if outcome.service.is_some() { service.as_str() } else { "" };
        format!("{act:<10}{silent:>12}{held:>12}{service}   {verdict}")
    };
    if outcome.service.is_some() {
        let title = row("", ["address", "two", "nobody", "two"], "");
        line(&mut out, &style.paint(BOLD, title.trim_end()));
    }
    let title = row("act", ["silent", "have it", "at work", "at work"], "promises");
    line(&mut out, &style.paint(BOLD, &title));
    for act in &outcome.acts {
        let row = if act.skipped.is_some() {
            row(act.act, ["-"; 4], &style.paint(DIM, "left out"))
        } else {
            let broken = act.promises.iter().filter(|promise| !promise.kept).count();
            let verdict = match (broken, act.promises.len()) {
                (0, _) => style.paint(GREEN, "kept"),
                (broken, all) => style.paint(RED, &format!("{broken} of {all} broken")),
            };
            let work = act.work.as_ref();
            let figures = [
                act.outage_ms,
                act.overlap_ms,
                work.map_or(0.0, |work| work.gap_ms),
                work.map_or(0.0, |work| work.overlap_ms),
            ];
            let [silent, held, gap, overlap] = figures.map(|figure| format!("{figure:.0} ms"));
            row(act.act, [&silent, &held, &gap, &overlap], &verdict)
        };
        line(&mut out, &row);
    }
    let verdict = if outcome.kept {
        style.paint(GREEN, "Every promise was kept.")
    } else {
        style.paint(RED, "Not every promise was kept.")
    };
    line(&mut out, &verdict);
    let allowance = ALLOWANCE.as_millis();
    let what = if outcome.service.is_some() { "the limits of the pair" } else { "the limits of the protocol" };
    let text = format!("Promised are {what}; a busy machine may add {allowance} ms.");
    line(&mut out, &style.paint(DIM, &text));
    out
}

fn show_promise(promise: &Promise, style: Style) -> String {
    let measured = match promise.measured_ms {
        Some(measured) => format!("{measured:>8.0} ms"),
        None => format!("{:>11}", "never"),
    };
    let (mark, verdict) = if promise.kept {
        (style.paint(GREEN, "✓"), String::new())
    } else {
        (style.paint(RED, "✗"), style.paint(RED, "  BROKEN"))
    };
    format!("  {mark} {:<32} {measured}   promised {:.0} ms{verdict}", promise.what, promise.limit_ms)
}

/// Time from left to right; each column shows the first span that touches it and has a letter.
fn bar(spans: &[Span], duration_ms: f64, letter: impl Fn(&str) -> Option<char>) -> String {
    let column = |at_ms: f64| at_ms / duration_ms * BAR as f64;
    let at = |n: usize| {
        let touches = |span: &&Span| column(span.from_ms) < n as f64 + 1.0 && column(span.until_ms) > n as f64;
        spans.iter().filter(touches).find_map(|span| letter(&span.by)).unwrap_or('·')
    };
    (0..BAR).map(at).collect()
}

/// Words broken at 80 columns, continued under their beginning.
fn wrapped(out: &mut String, lead: &str, text: &str, colour: &str, style: Style) {
    let width = 80 - lead.len();
    let mut rows: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let row = rows.last_mut().expect("there is always one");
        if !row.is_empty() && row.chars().count() + 1 + word.chars().count() > width {
            rows.push(word.to_owned());
        } else {
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
    }
    for (n, row) in rows.iter().enumerate() {
        let lead = if n == 0 { lead.to_owned() } else { " ".repeat(lead.len()) };
        line(out, &style.paint(colour, &format!("{lead}{row}")));
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Line;
    use super::*;

    fn span(by: &str, from_ms: f64, until_ms: f64) -> Span {
        Span { by: by.to_owned(), from_ms, until_ms }
    }

    fn example() -> (ActOutcome, Vec<NodeView>) {
        let node = |name: &str| NodeView {
            name: name.to_owned(),
            own_address: "192.0.2.1".to_owned(),
            interface: "eth0".to_owned(),
            priority: 150,
            daemon: "tanist".to_owned(),
        };
        let entry = |at_ms, who: &str, what: &str, deed| Line { at_ms, who: who.into(), what: what.into(), deed };
        let promise =
            |what: &str, measured_ms, kept| Promise { what: what.into(), limit_ms: 3609.4, measured_ms, kept };
        let outcome = ActOutcome {
            act: "power",
            title: "a loses power".to_owned(),
            duration_ms: 6000.0,
            timeline: vec![
                entry(0.0, "a", "power goes", true),
                entry(3012.34, "b", "takes 192.0.2.100", false),
                entry(3013.0, "client", "b answers after 3012 ms", false),
            ],
            held: vec![span("b", 3012.0, 6000.0)],
            answered: vec![span("b", 3013.0, 6000.0)],
            asked: 6000,
            lost: 3013,
            outage_ms: 3013.0,
            promises: vec![promise("b takes over", Some(3012.34), true), promise("a takes back", None, false)],
            remarks: vec!["something that is worth knowing and takes more than one row on an ordinary screen".into()],
            ..ActOutcome::default()
        };
        (outcome, vec![node("a"), node("b")])
    }

    #[test]
    fn an_act_can_be_read_at_a_glance() {
        let (outcome, nodes) = example();
        let expected = "
power: a loses power ──────────────────────────────────────────────────────────
      0.0 ms  a       power goes
   3012.3 ms  b       takes 192.0.2.100
   3013.0 ms  client  b answers after 3012 ms
  a has it        ············································································
  b has it        ······························##############################
  answered by     ······························bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  ✓ b takes over                         3012 ms   promised 3609 ms
  ✗ a takes back                           never   promised 3609 ms  BROKEN
    3013 of 6000 questions lost, two holders for 0 ms
  ! something that is worth knowing and takes more than one row on an ordinary
    screen
"
        .replace(&"·".repeat(76), &"·".repeat(60));
        assert_eq!(act(&outcome, &nodes, Style { coloured: false }), expected);
    }

    #[test]
    fn who_was_at_work_has_rows_of_its_own() {
        let (mut outcome, nodes) = example();
        let worked = vec![span("a", 0.0, 600.0), span("b", 3100.0, 6000.0)];
        outcome.work = Some(super::super::outcome::Work { worked, gap_ms: 2500.0, overlap_ms: 0.0 });
        let shown = act(&outcome, &nodes, Style { coloured: false });
        let works = |name: &str| {
            let lead = format!("  {name} works         ");
            let row = shown.lines().find_map(|row| row.strip_prefix(&lead));
            row.unwrap_or_else(|| panic!("{shown}")).to_owned()
        };
        assert_eq!(works("a"), format!("{}{}", "=".repeat(6), "·".repeat(54)));
        assert_eq!(works("b"), format!("{}{}", "·".repeat(31), "=".repeat(29)));
        let whole = Outcome {
            address: "192.0.2.100".to_owned(),
            nodes,
            remarks: Vec::new(),
            service: Some("gateway".to_owned()),
            acts: vec![outcome],
            kept: false,
        };
        let table = foot(&whole, Style { coloured: false });
        assert!(
            table
                .lines()
                .any(|row| row.split_whitespace().eq("power 3013 ms 0 ms 2500 ms 0 ms 1 of 2 broken".split(' '))),
            "{table}"
        );
        for row in table.lines().chain(head(&whole, Style { coloured: false }).lines()) {
            assert!(row.chars().count() <= 80, "{row}");
        }
    }

    #[test]
    fn no_row_is_wider_than_a_screen() {
        let (mut outcome, nodes) = example();
        outcome.remarks.push("word ".repeat(60));
        for row in act(&outcome, &nodes, Style { coloured: false }).lines() {
            assert!(row.chars().count() <= 80, "{row}");
        }
    }
}
