//! How long a daemon needs until it can do its work.

use rehearse::lab::{Daemon, PATIENCE, Seen};

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Node, Pace, Plan, Transport};
use crate::row::{Row, Target, Unit};
use crate::stage::Alone;
use crate::statistics::median;

pub(crate) const GROUP: Group = Group {
    title: "Start: from the start of the program to its first advertisement, beyond the RFC's timer",
    explanation: "One instance alone on the network. It listens for one Active_Down_Interval (3.414 s at 1 s, 0.341 s \
        at 0.1 s) before it becomes Active; the figure is what it takes longer than that from just before the program is \
        started.",
    measure,
};

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for pace in Pace::BOTH {
        let usual = match pace {
            Pace::V2Second if bench.quick => continue,
            Pace::V2Second => 3,
            Pace::V3Tenth => 10,
        };
        let excess = bench.in_turn(usual, |daemon, _| start(daemon, pace))?.map(|all| median(all));
        rows.push(Row::new(format!("{}, median", pace.name()), Unit::Milliseconds, excess, Target::AtMost(10.0)));
    }
    Ok(rows)
}

fn start(daemon: &Daemon, pace: Pace) -> Result<f64> {
    let alone = Alone::start(daemon, &Plan::one(pace, Transport::Multicast))?;
    let first = alone
        .lab
        .journal()
        .wait_for(alone.started, PATIENCE, |record| matches!(record.what, Seen::Advertisement(_)))
        .ok_or_else(|| alone.failure(Node::First, "it never advertised".to_owned()))?;
    Ok(first.at.millis_after(alone.started + pace.active_down_interval(Node::First)))
}
