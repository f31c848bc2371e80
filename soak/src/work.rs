//! The service of a pair: a collector that tells every 20 ms that it is at work, so that nobody has to be believed about
//! who ran it when. What is put on a node for it, what the node is told about it, and what its ticks come to.

use std::path::Path;
use std::time::Duration;

use rehearse::lab::{HOST_DIR, Host, Manner, Moment, Tick, audit, collectings};

use crate::failure::Result;

/// Where the collector answers its check.
const PORT: u16 = 8085;
/// Whoever has this file has a service that ends as soon as it is started.
pub(crate) const BROKEN: &str = "broken";
/// Who has ticked within this time is at work.
const AT_WORK: Duration = Duration::from_millis(200);

/// Puts the service on a host. `tanist` has the collector in it.
pub(crate) fn furnish(host: &Host, tanist: &Path) -> Result<()> {
    write_collector(host, tanist, false)?;
    let job = format!("#!/bin/sh\n[ -e {HOST_DIR}/{BROKEN} ] && exit 1\nexec {HOST_DIR}/collector\n");
    host.write_program("job", &job)?;
    // Any key will do, as long as both have the same.
    host.write_secret("pair.key", &("5a".repeat(32) + "\n"))?;
    Ok(())
}

/// From its next start on the service is one process, or its work is done by a grandchild in a session of its own.
pub(crate) fn write_collector(host: &Host, tanist: &Path, offspring: bool) -> Result<()> {
    let program = [tanist.display().to_string(), "rehearse".to_owned()];
    let start = Duration::from_millis(50);
    host.write_collector(&program, &Manner { port: Some(PORT), start, offspring, ..Manner::default() })?;
    Ok(())
}

/// The blocks `service` and `pair` of a node. Moves are not counted: a soak has more of them in ten minutes than any pair
/// should, and how they end in a latch is a matter of tests. A failure on both nodes latches all the same.
pub(crate) fn configuration(node: usize) -> String {
    let (name, peer) = (["a", "b"][node], [2, 1][node]);
    format!(
        "service job {{\n    command \"{HOST_DIR}/job\"\n    check http http://127.0.0.1:{PORT}/\n    start_grace 5\n    \
         restart 2 within 10\n    max_moves 1000 within 600\n    failback auto\n    readiness_interval 0.5\n}}\n\
         pair {{\n    node {name}\n    peer 192.0.2.{peer} 198.51.100.{peer}\n    key_file {HOST_DIR}/pair.key\n}}\n"
    )
}

/// The line in the instance.
pub(crate) const LINE: &str = "    service job\n";

/// What became of the service in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How long it ran twice, in all.
    pub twice: Duration,
    /// How much of that came after the fault had been undone.
    pub twice_afterwards: Duration,
    /// The longest time in which it ran nowhere.
    pub rest: Duration,
    /// How often it was started.
    pub starts: usize,
}

impl Work {
    pub(crate) fn of(ticks: &[Tick], from: Moment, undone: Moment, until: Moment) -> Self {
        let whole = audit(ticks, from, until);
        let started = |tick: &&Tick| tick.number == 0 && tick.at >= from && tick.at <= until;
        Self {
            twice: whole.overlap,
            twice_afterwards: audit(ticks, undone, until).overlap,
            rest: whole.gap,
            starts: ticks.iter().filter(started).count(),
        }
    }
}

/// Since when, but not before `since`, one process on this host alone has been at work, if it is so now.
pub(crate) fn alone_since(ticks: &[Tick], since: Moment, now: Moment, host: &str) -> Option<Moment> {
    let all = collectings(ticks);
    let here = all.iter().rposition(|one| *one.by == *host)?;
    let others = all.iter().enumerate().filter(|(place, _)| *place != here);
    let others_until = others.map(|(_, one)| one.until).max().unwrap_or(since);
    let is_at_work = now.since(all[here].until) <= AT_WORK;
    is_at_work.then(|| since.max(all[here].from).max(others_until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Moment {
        Moment::from_nanos(ms * 1_000_000)
    }

    /// Spans like `a:0-500`, with a tick each 20 ms.
    fn ticks(text: &str) -> Vec<Tick> {
        let span = |(pid, word): (usize, &str)| {
            let (host, span) = word.split_once(':').expect("a host and a span");
            let (from, until) = span.split_once('-').expect("from and until");
            let (from, until): (u64, u64) = (from.parse().expect("a number"), until.parse().expect("a number"));
            let host = host.to_owned();
            let tick = move |(number, at)| Tick { at: ms(at), host: host.as_str().into(), pid: pid as u32, number };
            (0..).zip((from..=until).step_by(20)).map(tick).collect::<Vec<_>>()
        };
        let mut all: Vec<Tick> = text.split_whitespace().enumerate().flat_map(span).collect();
        all.sort_by_key(|tick| tick.at);
        all
    }

    #[test]
    fn alone_is_who_works_since_the_others_do_not() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(alone_since(&ticks(text), ms(100), ms(2000), "a"), expected.map(ms), "{text}");
        };
        check("a:0-2000", Some(100));
        check("a:0-1000 b:1100-1900", None);
        check("b:0-900 a:1000-2000", Some(1000));
        check("a:0-2000 b:500-1500", Some(1500));
        // A life of its own, on the same host.
        check("a:0-600 a:700-2000", Some(700));
        check("b:0-2000", None);
    }

    #[test]
    fn what_ran_twice_is_told_apart_by_when() {
        let work = Work::of(&ticks("a:0-1000 b:600-2000"), ms(100), ms(900), ms(2000));
        let in_ms = [work.twice, work.twice_afterwards, work.rest].map(|span| span.as_millis());
        assert_eq!((in_ms, work.starts), ([400, 100, 20], 1));
    }
}
