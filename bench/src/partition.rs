//! A network that parts and heals.

use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::{Daemon, Moment};

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Node, Pace, Plan, Transport};
use crate::row::{Row, Target, Unit};
use crate::stage::{Pair, wait_for_some_phase};

pub(crate) const GROUP: Group = Group {
    title: "Partition that heals: clients that stay with the wrong node",
    explanation: "The two nodes stop hearing each other, both become Active, and the client, which reaches both, follows \
        the second one's announcement. After two to three seconds the network heals, at varying phases, and the second \
        node resigns. A client counts as stranded if it gets no answer between 0.5 s and 2 s after that: its neighbour \
        entry still names the second node, and nobody told it otherwise. (Its reachable time is a day, so that no probe \
        of its own saves it; an ordinary client would be stranded for about half a minute.) The second burst of \
        announcements is set to one second so that it is over before the network parts; all else is default.",
    measure,
};

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for pace in Pace::BOTH {
        let usual = match pace {
            Pace::V2Second if bench.quick => continue,
            Pace::V2Second => 3,
            Pace::V3Tenth => 20,
        };
        let stranded = bench.in_turn(usual, |daemon, round| is_stranded(daemon, pace, round))?;
        let all = stranded.tanist.len();
        let count = stranded.map(|each| each.iter().filter(|stranded| **stranded).count() as f64);
        rows.push(Row::new(format!("{}, stranded", pace.name()), Unit::Of(all), count, Target::AtMost(0.0)));
    }
    Ok(rows)
}

fn is_stranded(daemon: &Daemon, pace: Pace, round: usize) -> Result<bool> {
    let plan = Plan { announce_again_soon: true, ..Plan::one(pace, Transport::Multicast) };
    let pair = Pair::start(daemon, &plan)?;
    let probe = pair.probe()?;
    let over_with_announcements = Duration::from_millis(1200);
    sleep(over_with_announcements);
    let (first, second) = (&pair.first.host, &pair.second_host);
    let parted = Moment::now();
    pair.first.lab.cut(&[first, second])?;
    pair.first.wait_for_addresses(Node::Second, parted)?;
    sleep(over_with_announcements);
    wait_for_some_phase(pace.interval(), round);
    let healed = Moment::now();
    pair.first.lab.heal()?;
    let released = pair.wait_for_release(healed)?;
    let answer =
        probe.wait_for_answer_by(Node::First.name(), released + Duration::from_millis(500), Duration::from_secs(2));
    Ok(answer.is_none())
}
