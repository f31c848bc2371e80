//! 1000 instances: what they cost, and how they fail over.

use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::{Daemon, Moment, PATIENCE, Seen};

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::load::Steady;
use crate::plan::{Node, Pace, Plan, Router};
use crate::processes::Processes;
use crate::row::{Both, Row, Target, Unit};
use crate::sightings::{Failover, spread};
use crate::stage::Pair;
use crate::statistics::{median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Many instances: 1000 on four interfaces, v2 1 s",
    explanation: "250 instances on each of four interfaces, with an address each, for an interface has only 255 VRIDs. Memory \
        and processor time, of the Active and of the Backup node at the same time, are taken as under \"Memory\" and \
        \"Load\", the start and the failover as under \"Scale\". All interfaces are on one switch: each advertisement comes \
        to the other three, too, where the kernel drops it because of its source (rp_filter). That is part of the Active \
        node's processor time, and the same for both daemons. The crash comes half a second after an advertisement of the \
        first instance, between two rounds of them: amid a round the limits would lie up to a second apart.",
    measure,
};

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let during = Duration::from_secs(if bench.quick { 2 } else { 5 });
    let runs = bench.in_turn(2, |daemon, _| run(daemon, during))?;
    let middle = |figure: &dyn Fn(&Run) -> f64| -> Both<f64> {
        runs.map(|all| median(&all.iter().map(figure).collect::<Vec<f64>>()))
    };
    let row = |what: &str, unit, figure: &dyn Fn(&Run) -> f64| Row::new(what, unit, middle(figure), Target::None);
    Ok(vec![
        row("start: first to last address", Unit::Milliseconds, &|run| run.start),
        row("Active: advertisements", Unit::PerSecond, &|run| run.advertisements),
        row("Active: memory", Unit::Megabytes, &|run| run.megabytes[0]),
        row("Backup: memory", Unit::Megabytes, &|run| run.megabytes[1]),
        row("Active: processor time", Unit::CpuPerSecond, &|run| run.cpu[0]),
        row("Backup: processor time", Unit::CpuPerSecond, &|run| run.cpu[1]),
        row("failover: latest instance", Unit::Milliseconds, &|run| run.failover.latest),
        row("failover: all addresses there", Unit::Milliseconds, &|run| run.failover.complete),
        row("failover: all addresses announced", Unit::Milliseconds, &|run| run.failover.announced),
    ])
}

struct Run {
    /// First to last address.
    start: f64,
    /// Of the Active node and of the Backup node, as is the next.
    megabytes: [f64; 2],
    cpu: [f64; 2],
    advertisements: f64,
    failover: Failover,
}

fn run(daemon: &Daemon, during: Duration) -> Result<Run> {
    let plan = Plan { interfaces: 4, ..Plan::many(Pace::V2Second) };
    let pair = Pair::start(daemon, &plan)?;
    let start = milliseconds(spread(&pair.first.records(pair.first.started), Node::First.name()));
    // The second burst of announcements comes five seconds after the first.
    sleep(Duration::from_secs(7));
    let (active, backup) = (Processes::of(&pair.first.daemon)?, Processes::of(&pair.second_daemon)?);
    let megabytes = [active.resident_megabytes()?, backup.resident_megabytes()?];
    let steady = Steady::of([&active, &backup], during)?;
    let advertisements = steady.advertisements(&steady.records(&pair)?);
    wait_between_rounds(&pair)?;
    let crashed = pair.crash()?;
    let failover = pair.failover_after(crashed)?;
    Ok(Run { start, megabytes, cpu: steady.cpu, advertisements, failover })
}

/// The sleeps of a run are fixed, so that without this it would end at about the same phase each time, be that amid a round.
fn wait_between_rounds(pair: &Pair) -> Result<()> {
    let first = Router { interface: 0, vrid: 1 };
    let advertised = pair.first.lab.journal().wait_for(Moment::now(), PATIENCE, |record| match &record.what {
        Seen::Advertisement(sent) => Router::who_sends(sent.source, sent.vrid) == first,
        _ => false,
    });
    if advertised.is_none() {
        return Err(pair.first.failure(Node::First, format!("it no longer advertises {first}")));
    }
    sleep(pair.first.plan.pace.interval() / 2);
    Ok(())
}
