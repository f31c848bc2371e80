//! A hundred checks a second.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::{Daemon, Moment};

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::plan::{Node, Pace, Plan, Transport};
use crate::processes::Processes;
use crate::row::{Row, Target, Unit};
use crate::stage::Alone;
use crate::statistics::{median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Checks: 100 vrrp_scripts, one run of each a second",
    explanation: "Processor time a second of the daemon and of the checks that it has run (true, by its real path, since \
        keepalived refuses one with symbolic links). Most of it is the kernel's, for starting and ending programs.",
    measure,
};

const CHECKS: usize = 100;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let during = Duration::from_secs(if bench.quick { 3 } else { 10 });
    let program = fs::canonicalize("/usr/bin/true").map_err(Failure::during("find /usr/bin/true"))?;
    let checks = Some((CHECKS, program.display().to_string()));
    let plan = Plan { checks, ..Plan::one(Pace::V2Second, Transport::Multicast) };
    let times = bench.in_turn(3, |daemon, _| run(daemon, &plan, during))?;
    let own = times.map(|all| median(&all.iter().map(|(own, _)| *own).collect::<Vec<f64>>()));
    let whole = times.map(|all| median(&all.iter().map(|(own, checks)| own + checks).collect::<Vec<f64>>()));
    Ok(vec![
        Row::new("daemon and checks", Unit::CpuPerSecond, whole, Target::Ratio(0.6)),
        Row::new("daemon alone", Unit::CpuPerSecond, own, Target::None),
    ])
}

/// Of the daemon and of its checks.
fn run(daemon: &Daemon, plan: &Plan, during: Duration) -> Result<(f64, f64)> {
    let alone = Alone::start(daemon, plan)?;
    sleep(Duration::from_secs(2));
    let processes = Processes::of(&alone.daemon)?;
    let (began, forks) = (Moment::now(), forks()?);
    let before = (processes.run_time()?, processes.run_time_of_ended_children()?);
    sleep(during);
    let after = (processes.run_time()?, processes.run_time_of_ended_children()?);
    let seconds = Moment::now().since(began).as_secs_f64();
    let forked = (self::forks()? - forks) as f64;
    if forked < 0.9 * seconds * CHECKS as f64 {
        return Err(alone.failure(Node::First, format!("only {forked} programs were started in {seconds:.1} s")));
    }
    let rate = |after: Duration, before: Duration| milliseconds(after.saturating_sub(before)) / seconds;
    Ok((rate(after.0, before.0), rate(after.1, before.1)))
}

/// How many processes and threads the machine has started.
fn forks() -> Result<u64> {
    let text = fs::read_to_string("/proc/stat").map_err(Failure::during("read /proc/stat"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("processes "));
    line.and_then(|number| number.parse().ok()).ok_or_else(|| Failure::new("/proc/stat does not count processes"))
}
