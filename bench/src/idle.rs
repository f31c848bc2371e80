//! What a pair with a service costs while nothing happens.

use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::Daemon;
use rehearse::trials::{Idle, Node, Recipe, Service};

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::processes::Processes;
use crate::row::{Row, Target, Unit};
use crate::services;
use crate::statistics::{median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Services: what they cost while nothing happens",
    explanation: "The pairs of the trials of services, in good order. Memory and processor time are the daemon's own, its \
        helpers' included, of the worse of the two nodes.",
    measure,
};

const ROUNDS: usize = 3;

/// The worse of two nodes.
struct Cost {
    megabytes: f64,
    /// Milliseconds a second.
    cpu: f64,
}

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    // How long nothing is looked at, and for how long something is then.
    let (settled, during) = if bench.quick { (1, 2) } else { (10, 20) };
    let (settled, during) = (Duration::from_secs(settled), Duration::from_secs(during));
    let (service, recipes) = (services::service(bench), services::recipes(bench));
    let rounds = bench.in_turn(ROUNDS, |daemon: &Daemon, _| {
        let is_tanist = daemon.name == recipes.tanist.daemon.name;
        cost(if is_tanist { &recipes.tanist } else { &recipes.keepalived }, &service, settled, during)
    })?;
    let middle = |figure: fn(&Cost) -> f64| rounds.map(|all| median(&all.iter().map(figure).collect::<Vec<f64>>()));
    Ok(vec![
        Row::new("memory", Unit::Megabytes, middle(|cost| cost.megabytes), Target::AtMost(6.0)),
        // Half a percent of a processor.
        Row::new("processor time", Unit::CpuPerSecond, middle(|cost| cost.cpu), Target::AtMost(5.0)),
    ])
}

fn cost(recipe: &Recipe, service: &Service, settled: Duration, during: Duration) -> Result<Cost> {
    let pair = Idle::begin(recipe, service)?;
    sleep(settled);
    let mut worst = Cost { megabytes: 0.0, cpu: 0.0 };
    let nodes: Vec<Processes> =
        Node::BOTH.iter().map(|node| Processes::of_daemon(pair.daemon(*node)?)).collect::<Result<_>>()?;
    let time = |node: &Processes| Ok::<_, Failure>(node.run_time()? + node.run_time_of_ended_children()?);
    let before: Vec<Duration> = nodes.iter().map(time).collect::<Result<_>>()?;
    sleep(during);
    for (node, before) in nodes.iter().zip(before) {
        worst.cpu = worst.cpu.max(milliseconds(time(node)?.saturating_sub(before)) / during.as_secs_f64());
        worst.megabytes = worst.megabytes.max(node.resident_megabytes()?);
    }
    Ok(worst)
}
