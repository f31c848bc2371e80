//! A reload under load.

use std::thread::sleep;
use std::time::Duration;

use linux::signals::Signal;
use rehearse::lab::{Daemon, Moment};

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Node, Pace, Plan};
use crate::row::{Row, Target, Unit};
use crate::sightings::longest_gap;
use crate::stage::Pair;
use crate::statistics::{largest, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Reload: 250 instances, v3 0.1 s",
    explanation: "The Active daemon gets SIGHUP, with an unchanged file and with a file in which the priority of the last \
        instance is another. The longest silence of any of the 250 instances from 0.2 s before to 1.5 s after, minus the \
        interval; the largest of all repetitions. \"No reload\" is the same over as long a time in which nothing is \
        asked of the daemon: that much is the machine's doing.",
    measure,
};

const BEFORE: Duration = Duration::from_millis(200);
const AFTER: Duration = Duration::from_millis(1500);

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let gaps = bench.in_turn(3, run)?;
    let worst = |kind: usize| gaps.map(|all| largest(&all.iter().map(|each| each[kind]).collect::<Vec<f64>>()));
    Ok(vec![
        Row::new("no reload: latest advertisement", Unit::Milliseconds, worst(0), Target::None),
        Row::new("unchanged file: latest advertisement", Unit::Milliseconds, worst(1), Target::AtMost(5.0)),
        Row::new("one priority changed: latest advertisement", Unit::Milliseconds, worst(2), Target::AtMost(5.0)),
    ])
}

/// How much longer than the interval the longest silence was: without a reload, with one of an unchanged file, and of
/// a changed one.
fn run(daemon: &Daemon, round: usize) -> Result<[f64; 3]> {
    let plan = Plan::many(Pace::V3Tenth);
    let pair = Pair::start(daemon, &plan)?;
    // The second burst of announcements, five seconds after the start, is not what is measured here.
    sleep(Duration::from_secs(6));
    let mut lateness = [0.0; 3];
    let raised = Plan { last_priority_raised: 1 + round as u8 % 50, ..plan.clone() };
    for (late, new) in lateness.iter_mut().zip([None, Some(&plan), Some(&raised)]) {
        if let Some(new) = new {
            pair.first.rewrite(new)?;
        }
        let began = Moment::now();
        sleep(BEFORE);
        if new.is_some() {
            pair.first.daemon.signal(Signal::HANGUP)?;
        }
        sleep(AFTER);
        let until = Moment::now();
        // The last packets may still be on their way to the journal.
        sleep(Duration::from_millis(200));
        let records = pair.first.records(began - plan.pace.interval() * 2);
        let gap = longest_gap(&records, Node::First.name(), began, until);
        *late = milliseconds(gap) - milliseconds(plan.pace.interval());
    }
    Ok(lateness)
}
