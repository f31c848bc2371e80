//! A hundred processes that must be there.

use std::thread::sleep;
use std::time::Duration;

use linux::signals::Signal;
use rehearse::lab::{Daemon, Host, Moment, Seen, wait_until};

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::plan::{Node, Pace, Plan, Transport};
use crate::processes::Processes;
use crate::row::{Both, Row, Target, Unit};
use crate::stage::Alone;
use crate::statistics::{largest, median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Tracked processes: 100 vrrp_track_processes, weight -1",
    explanation: "One instance, v2 1 s, tracks a hundred processes by their names. Memory (as above) and processor time \
        while nothing happens; then one process after the other is killed, and the time counts from just before the \
        signal until the lab has read the daemon's line \"Changing effective priority\". The hosts of the lab are containers, \
        in which the kernel's proc connector speaks to nobody. keepalived has nothing else: it tracks nothing here, so its \
        cost is that of doing nothing, and \"no end\" says that it had not noticed after three seconds. Tanist looks for \
        new processes in /proc once a second instead, which is its processor time here, and is told of each death by the \
        kernel (pidfd). Where the connector answers, neither looks.",
    measure,
};

const PROCESSES: u8 = 100;
const DEATHS: usize = 10;
/// Long beside a second, in which everything is looked at once.
const UNNOTICED: Duration = Duration::from_secs(3);

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let during = Duration::from_secs(if bench.quick { 3 } else { 10 });
    let plan = Plan { tracked_processes: PROCESSES, ..Plan::one(Pace::V2Second, Transport::Multicast) };
    let runs = bench.in_turn(3, |daemon, _| run(daemon, &plan, during))?;
    let middle = |figure: fn(&Run) -> f64| runs.map(|all| median(&all.iter().map(figure).collect::<Vec<f64>>()));
    let noticed: Both<Vec<f64>> = runs.map(|all| all.iter().flat_map(|run| run.noticed.clone()).collect());
    let row = |what: &str, unit, figures| Row::new(what, unit, figures, Target::None);
    Ok(vec![
        row("memory", Unit::Megabytes, middle(|run| run.megabytes)),
        row("processor time", Unit::CpuPerSecond, middle(|run| run.cpu)),
        row("death to new priority, median", Unit::Milliseconds, noticed.map(|all| median(all))),
        row("death to new priority, longest", Unit::Milliseconds, noticed.map(|all| largest(all))),
    ])
}

struct Run {
    megabytes: f64,
    /// Milliseconds a second.
    cpu: f64,
    /// How long each death took to be noticed; infinite if it was not.
    noticed: Vec<f64>,
}

fn run(daemon: &Daemon, plan: &Plan, during: Duration) -> Result<Run> {
    let alone = Alone::start_beside(daemon, plan, |host| start_processes(host, plan))?;
    sleep(Duration::from_secs(2));
    let processes = Processes::of(&alone.daemon)?;
    let megabytes = processes.resident_megabytes()?;
    let (began, before) = (Moment::now(), processes.run_time()?);
    sleep(during);
    let after = processes.run_time()?;
    let cpu = milliseconds(after.saturating_sub(before)) / Moment::now().since(began).as_secs_f64();
    let mut noticed = Vec::new();
    for name in plan.tracked().take(DEATHS) {
        noticed.push(kill(&alone, &name)?.map_or(f64::INFINITY, milliseconds));
        if noticed.last() == Some(&f64::INFINITY) {
            break;
        }
        // Each by itself, and at varying phases of that second.
        sleep(Duration::from_millis(130));
    }
    Ok(Run { megabytes, cpu, noticed })
}

/// Starts every process that is tracked, and waits until all have their names.
fn start_processes(host: &Host, plan: &Plan) -> Result<()> {
    let mut script = String::from("#!/bin/sh\nsleep=$(command -v sleep)\n");
    for name in plan.tracked() {
        script.push_str(&format!("ln -s \"$sleep\" /run/rehearse/{name}\n/run/rehearse/{name} 1000 &\n"));
    }
    script.push_str("wait\n");
    let starter = host.write_program("start-workers", &script)?;
    host.start("start-workers", &[&starter.display().to_string()])?;
    let mut missing: Vec<String> = plan.tracked().collect();
    let all = wait_until(Duration::from_secs(20), || {
        missing.retain(|name| host.processes(name).is_ok_and(|found| found.is_empty()));
        missing.is_empty()
    });
    if all { Ok(()) } else { Err(Failure::new(format!("{} of the tracked processes never ran", missing.len()))) }
}

/// How long it took the daemon to notice.
fn kill(alone: &Alone, name: &str) -> Result<Option<Duration>> {
    let found = alone.host.processes(name)?;
    let [process] = &found[..] else {
        return Err(alone.failure(Node::First, format!("{} processes are called {name}", found.len())));
    };
    let killed = Moment::now();
    process.signal(Signal::KILL)?;
    let decided = alone.lab.journal().wait_for(
        killed,
        UNNOTICED,
        |record| matches!(&record.what, Seen::Line { text, .. } if text.contains("Changing effective priority")),
    );
    Ok(decided.map(|record| record.at.since(killed)))
}
