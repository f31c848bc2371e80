//! What many rounds come to: a table with a line for each fault, and all that was not as promised.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::faults::{FAULTS, Flood};
use crate::promise::Limits;
use crate::round::Round;
use crate::work::Work;

/// All rounds of one cast.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: BTreeMap<&'static str, Row>,
    /// What was not as promised, and how often it was.
    broken: Vec<String>,
    is_broken: bool,
    more_broken: usize,
    /// How often a keepalived took the role although it had just heard a better router.
    by_others: usize,
}

/// The rounds of one fault.
#[derive(Clone, Debug, Default)]
struct Row {
    rounds: usize,
    with_cause: usize,
    most_changes: usize,
    without_cause: usize,
    ends: usize,
    overlap: Duration,
    gap: Duration,
    recoveries: Vec<Duration>,
    lost: usize,
    kibibytes: Option<i64>,
    descriptors: Option<i64>,
    busy: f64,
    broken: usize,
    /// The same, but perhaps because the machine let nobody run.
    perhaps: usize,
    work: Option<Work>,
    /// What was promised; what depends on how long the fault lasted, for the longest.
    limits: Limits,
    stall: Duration,
    /// The slowest flood, and the most that a daemon had no room for.
    flooded: Option<Flood>,
}

/// So many are told in full.
const TOLD: usize = 50;

impl Report {
    /// Adds a round.
    pub fn add(&mut self, number: usize, round: &Round) {
        let row = self.rows.entry(round.fault.name).or_default();
        row.rounds += 1;
        row.with_cause += round.with_cause;
        row.most_changes = row.most_changes.max(round.most_changes);
        row.limits = Limits { rest: row.limits.rest.max(round.limits.rest), ..round.limits };
        row.stall = row.stall.max(round.held.stall);
        self.by_others += round.by_others;
        if let Some(Flood { per_second, lost }) = round.flooded {
            let flooded = row.flooded.get_or_insert(Flood { per_second, lost });
            flooded.per_second = flooded.per_second.min(per_second);
            flooded.lost = flooded.lost.max(lost);
        }
        row.without_cause += round.without_cause;
        row.ends += round.ends.len();
        row.overlap = row.overlap.max(round.overlap);
        row.gap = row.gap.max(round.gap);
        match round.recovery {
            Some(recovery) => row.recoveries.push(recovery),
            None => row.lost += 1,
        }
        if let Some(grown) = round.grown {
            row.kibibytes = row.kibibytes.max(Some(grown.kibibytes));
            row.descriptors = row.descriptors.max(Some(grown.descriptors));
        }
        row.busy = row.busy.max(round.busy.unwrap_or_default());
        if let Some(work) = round.work {
            let sum = row.work.get_or_insert_default();
            sum.twice = sum.twice.max(work.twice);
            sum.twice_afterwards = sum.twice_afterwards.max(work.twice_afterwards);
            sum.rest = sum.rest.max(work.rest);
            sum.starts += work.starts;
        }
        let perhaps = round.may_be_the_machine();
        row.perhaps += usize::from(perhaps);
        row.broken += usize::from(!round.broken.is_empty() && !perhaps);
        self.is_broken |= !round.broken.is_empty() && !perhaps;
        for what in &round.broken {
            if self.broken.len() < TOLD {
                let (fault, node, stall) = (round.fault.name, &round.node, round.held.stall.as_millis());
                let perhaps =
                    if perhaps { format!(" (perhaps the machine: nobody ran for {stall} ms)") } else { String::new() };
                self.broken.push(format!("round {number}, {fault} on {node}{perhaps}: {}", what.what));
            } else {
                self.more_broken += 1;
            }
        }
    }

    /// Whether every promise was kept in every round, except for what may be due to a machine that stood still.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.is_broken
    }

    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rows.values().map(|row| row.rounds).sum()
    }

    /// As a table for people, who may paste it into a document.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::from(
            "In parentheses: what is promised on a machine that does nothing else. By how much ours was held up in a round was \
             measured, and is allowed besides; a round that says nothing because nobody ran for an interval or longer is \
             counted apart.\n\n\
             | Fault | Rounds | Not as promised | perhaps the machine | Role changes without cause | with cause | to one node in a round, most | \
             Ended by itself | Two had the address, longest | Nobody had it, longest | Back in order, median | worst | \
             Memory, most | Descriptors, most | One processor, most | We were not let run, longest |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for fault in FAULTS {
            if let Some(row) = self.rows.get(fault.name) {
                let _ = writeln!(text, "{}", row.line(fault.name));
            }
        }
        text.push_str(&self.render_work());
        for (name, row) in &self.rows {
            if let Some(Flood { per_second, lost }) = row.flooded {
                let _ = write!(
                    text,
                    "\n* {name}: {per_second} packets a second were sent in the slowest round; for {lost} the socket of the \
                     daemon had no room, in the worst one"
                );
            }
        }
        if self.by_others > 0 {
            let others = self.by_others;
            let _ =
                write!(text, "\n* keepalived took the role {others} times although it had just heard a better router");
        }
        for what in &self.broken {
            let _ = write!(text, "\n* {}", what.trim_end());
        }
        if self.more_broken > 0 {
            let _ = write!(text, "\n* and {} more", self.more_broken);
        }
        text
    }
}

impl Report {
    /// The same for the service, if there is one.
    fn render_work(&self) -> String {
        let rows = FAULTS.iter().filter_map(|fault| Some((fault.name, self.rows.get(fault.name)?)));
        let lines = rows.filter_map(|(name, row)| {
            let Work { twice, twice_afterwards, rest, starts } = row.work?;
            let [twice, afterwards, rest] = [twice, twice_afterwards, rest].map(ms);
            let limits = [row.limits.twice, row.limits.rest].map(|limit| limit.as_millis());
            let rounds = row.rounds;
            Some(format!(
                "| {name} | {rounds} | {starts} | {twice} | {afterwards} ({}) | {rest} ({}) |\n",
                limits[0], limits[1]
            ))
        });
        let lines: String = lines.collect();
        if lines.is_empty() {
            return lines;
        }
        format!(
            "\n| The service | Rounds | Starts | Ran twice, most in a round | of that after the fault was undone | Ran nowhere, \
             longest |\n|---|--:|--:|--:|--:|--:|\n{lines}"
        )
    }
}

impl Row {
    fn line(&self, name: &str) -> String {
        let mut recoveries = self.recoveries.clone();
        recoveries.sort();
        let median = recoveries.get(recoveries.len().saturating_sub(1) / 2).map_or("–".to_owned(), |span| ms(*span));
        let worst = match (self.lost, recoveries.last()) {
            (0, Some(worst)) => ms(*worst),
            (0, None) => "–".to_owned(),
            (lost, _) => format!("{lost} × never"),
        };
        let more =
            |more: Option<i64>, unit: &str| more.map_or("new process".to_owned(), |more| format!("{more:+}{unit}"));
        let Limits { changes, overlap, gap, recovery, .. } = self.limits;
        let [overlap, gap, recovery] = [overlap, gap, recovery].map(|limit| limit.as_millis());
        let changes = changes.map_or("any".to_owned(), |changes| changes.to_string());
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} ({changes}) | {} | {} ({overlap}) | {} ({gap}) | {median} | {worst} \
             ({recovery}) | {} | {} | {:.0} % | {} |",
            self.rounds,
            self.broken,
            self.perhaps,
            self.without_cause,
            self.with_cause,
            self.most_changes,
            self.ends,
            ms(self.overlap),
            ms(self.gap),
            more(self.kibibytes, " KiB"),
            more(self.descriptors, ""),
            self.busy,
            ms(self.stall),
        )
    }
}

fn ms(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Kind;
    use crate::judge::{Blame, Breach};
    use crate::promise::Held;
    use crate::round::Growth;

    fn round(recovery: Option<u64>, broken: &[&str]) -> Round {
        Round {
            fault: &FAULTS[0],
            node: "a".to_owned(),
            kind: Kind::Tanist,
            without_cause: 0,
            with_cause: 1,
            most_changes: 1,
            by_others: 0,
            ends: Vec::new(),
            overlap: Duration::from_millis(5),
            gap: Duration::from_millis(7),
            work: None,
            recovery: recovery.map(Duration::from_millis),
            grown: recovery.map(|ms| Growth { kibibytes: ms.cast_signed(), descriptors: 0 }),
            busy: Some(3.0),
            limits: Limits { changes: Some(1), overlap: Duration::from_millis(3550), ..Limits::default() },
            flooded: None,
            held: Held { stall: Duration::from_millis(12), ..Held::default() },
            interval: Duration::from_millis(200),
            log: Vec::new(),
            broken: broken.iter().map(|&text| Breach::of_daemon(text)).collect(),
        }
    }

    #[test]
    fn a_line_says_the_worst_of_all_rounds() {
        let mut report = Report::default();
        [30, 10, 20].into_iter().zip(1..).for_each(|(ms, number)| report.add(number, &round(Some(ms), &[])));
        assert!(report.is_good());
        let line = report.render().lines().nth(4).expect("a line").to_owned();
        let expected = "| kill | 3 | 0 | 0 | 0 | 3 | 1 (1) | 0 | 5 ms (3550) | 7 ms (0) | 20 ms | 30 ms (0) | +30 KiB | +0 | 3 % \
                        | 12 ms |";
        assert_eq!(line, expected);
        assert!(!report.render().contains("The service"));
        report.add(4, &round(None, &["no good order came after it"]));
        assert!(!report.is_good());
        let text = report.render();
        assert!(
            text.contains("1 × never") && text.ends_with("* round 4, kill on a: no good order came after it"),
            "{text}"
        );
    }

    #[test]
    fn what_may_be_due_to_the_machine_is_counted_apart() {
        let late = |blame| Breach { blame, ..Breach::of_daemon("late") };
        let play = |blames: &[Blame], stall: u64| {
            let held = Held { stall: Duration::from_millis(stall), ..Held::default() };
            let broken = blames.iter().map(|&blame| late(blame)).collect();
            let round = Round { held, broken, ..round(Some(1), &[]) };
            let mut report = Report::default();
            report.add(1, &round);
            (round.may_be_the_machine(), report.is_good())
        };
        let (daemon, machine) = (Blame::Daemon, Blame::PerhapsMachine);
        assert_eq!(play(&[machine, machine], 200), (true, true));
        assert_eq!(play(&[machine], 199), (false, false));
        assert_eq!(play(&[machine, daemon], 5000), (false, false));
        assert_eq!(play(&[daemon], 5000), (false, false));
        assert_eq!(play(&[], 5000), (false, true));
    }

    #[test]
    fn what_became_of_the_service_has_a_table_of_its_own() {
        let mut report = Report::default();
        for twice in [30, 10] {
            let work = Work {
                twice: Duration::from_millis(twice),
                rest: Duration::from_millis(5),
                starts: 2,
                ..Work::default()
            };
            report.add(1, &Round { work: Some(work), ..round(Some(3), &[]) });
        }
        let text = report.render();
        assert!(text.ends_with("\n| kill | 2 | 4 | 30 ms | 0 ms (0) | 5 ms (0) |\n"), "{text}");
    }
}
