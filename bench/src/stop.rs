//! An orderly stop of the Active node.

use std::thread::sleep;
use std::time::Duration;

use linux::signals::Signal;
use rehearse::lab::{Daemon, Moment, PATIENCE};

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Node, Pace, Plan, Transport};
use crate::row::{Row, Target, Unit};
use crate::stage::{Pair, wait_for_some_phase};
use crate::statistics::{largest, median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Orderly stop: outage seen by a client",
    explanation: "The Active daemon gets SIGTERM. A client on the same network sends an ICMP echo request to the \
        address every millisecond; the figure is the longest time of requests in a row that nobody answered.",
    measure,
};

/// Before and after the change, so that the last answers are in and a change back would show.
const MARGIN: Duration = Duration::from_millis(300);

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for pace in Pace::BOTH {
        let usual = match pace {
            Pace::V2Second if bench.quick => continue,
            Pace::V2Second => 5,
            Pace::V3Tenth => 10,
        };
        let outages = bench.in_turn(usual, |daemon, round| stop(daemon, pace, round))?;
        for (name, figures) in
            [("median", outages.map(|all| median(all))), ("longest", outages.map(|all| largest(all)))]
        {
            let what = format!("{}, {name}", pace.name());
            rows.push(Row::new(what, Unit::Milliseconds, figures, Target::AtMost(5.0)));
        }
    }
    Ok(rows)
}

fn stop(daemon: &Daemon, pace: Pace, round: usize) -> Result<f64> {
    let pair = Pair::start(daemon, &Plan::one(pace, Transport::Multicast))?;
    let probe = pair.probe()?;
    wait_for_some_phase(pace.interval(), round);
    let began = Moment::now();
    sleep(MARGIN);
    let stopped = Moment::now();
    pair.first.daemon.signal(Signal::TERMINATE)?;
    if probe.wait_for_answer_by(Node::Second.name(), stopped, PATIENCE).is_none() {
        return Err(pair.first.failure(Node::Second, "the successor never answered the client".to_owned()));
    }
    sleep(MARGIN * 2);
    // The last questions may still be under way.
    let answers = probe.answers().between(began, Moment::now() - MARGIN);
    Ok(milliseconds(answers.longest_outage()))
}
