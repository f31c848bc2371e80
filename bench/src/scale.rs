//! 250 instances with eight addresses each.

use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::Daemon;

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Node, Pace, Plan};
use crate::row::{Both, Row, Target, Unit};
use crate::sightings::{Failover, spread};
use crate::stage::Pair;
use crate::statistics::{largest, median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Scale: 250 instances with 8 addresses each, v2 1 s",
    explanation: "At the start all instances become Active at nearly the same moment: from the first of the 2000 \
        addresses to the last. At the failover the Active node crashes as above. \"Latest instance\": how much later than \
        its own RFC limit (from its own last advertisement) an instance had all its eight addresses, of the instance that \
        was latest. \"All addresses\": from the first limit of all to the last of 2000 addresses, which is what users of \
        the last service feel, and until each had been announced once. An Active node that advertises all its instances \
        in step lets all of them expire in step.",
    measure,
};

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let runs = bench.in_turn(3, |daemon, _| run(daemon))?;
    let figures = |figure: fn(&Run) -> f64| runs.map(|all| all.iter().map(figure).collect::<Vec<f64>>());
    let latest = figures(|run| run.failover.latest);
    let milliseconds = |what: &str, figures: Both<f64>, target| Row::new(what, Unit::Milliseconds, figures, target);
    let middle = |figure| figures(figure).map(|all| median(all));
    Ok(vec![
        milliseconds("start: first to last address", middle(|run| run.start), Target::Ratio(1.0 / 3.0)),
        milliseconds("failover: latest instance, median", latest.map(|all| median(all)), Target::AtMost(20.0)),
        milliseconds("failover: latest instance of all runs", latest.map(|all| largest(all)), Target::AtMost(20.0)),
        milliseconds("failover: all addresses there", middle(|run| run.failover.complete), Target::None),
        milliseconds("failover: all addresses announced", middle(|run| run.failover.announced), Target::None),
    ])
}

struct Run {
    /// First to last address at the start.
    start: f64,
    failover: Failover,
}

fn run(daemon: &Daemon) -> Result<Run> {
    let plan = Plan { addresses_each: 8, ..Plan::many(Pace::V2Second) };
    let pair = Pair::start(daemon, &plan)?;
    let start = milliseconds(spread(&pair.first.records(pair.first.started), Node::First.name()));
    // The second burst of announcements comes five seconds after the first.
    sleep(Duration::from_secs(7));
    let crashed = pair.crash()?;
    Ok(Run { start, failover: pair.failover_after(crashed)? })
}
