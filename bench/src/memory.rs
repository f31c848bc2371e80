//! Memory in steady state.

use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::Daemon;

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Pace, Plan, Transport};
use crate::processes::Processes;
use crate::row::{Row, Target, Unit};
use crate::stage::Alone;
use crate::statistics::median;

pub(crate) const GROUP: Group = Group {
    title: "Memory",
    explanation: "Resident set (Rss of smaps_rollup) of all processes of the daemon, a quarter of a minute after it \
        became Active in all instances, v2 1 s. keepalived is two processes here, whose shared pages count twice as they do in \
        ps. The static build is one program without shared libraries; keepalived is not shipped that way.",
    measure,
};

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let settled = Duration::from_secs(if bench.quick { 1 } else { 14 });
    let one = Plan::one(Pace::V2Second, Transport::Multicast);
    let many = Plan::many(Pace::V2Second);
    let mut rows = Vec::new();
    for (what, plan, limit) in [("1 instance", &one, 3.0), ("250 instances", &many, 4.0)] {
        let megabytes = bench.in_turn(1, |daemon, _| resident(daemon, plan, settled))?.map(|all| median(all));
        rows.push(Row::new(what, Unit::Megabytes, megabytes, Target::AtMost(limit)));
    }
    match &bench.static_tanist {
        Some(daemon) => {
            let what = "1 instance, static build";
            rows.push(Row::of_tanist(what, Unit::Megabytes, resident(daemon, &one, settled)?, Target::AtMost(2.0)));
            let what = "250 instances, static build";
            rows.push(Row::of_tanist(what, Unit::Megabytes, resident(daemon, &many, settled)?, Target::None));
        }
        None => eprintln!("\n   no static build was given (--static-tanist), so it is not measured"),
    }
    Ok(rows)
}

fn resident(daemon: &Daemon, plan: &Plan, settled: Duration) -> Result<f64> {
    let alone = Alone::start(daemon, plan)?;
    sleep(settled);
    Processes::of(&alone.daemon)?.resident_megabytes()
}
