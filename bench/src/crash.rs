//! A crash of the Active node.

use rehearse::lab::Daemon;

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::plan::{Pace, Plan, Transport};
use crate::row::{Row, Target, Unit};
use crate::stage::{Pair, wait_for_some_phase};
use crate::statistics::{median, percentile_95};

pub(crate) const GROUP: Group = Group {
    title: "Crash: how late the address is at the successor",
    explanation: "The Active daemon is killed with SIGKILL and the cable of its host pulled, at varying phases of the \
        advertisement interval. The successor may take over one Active_Down_Interval after the last advertisement that \
        the switch saw (3.609 s at 1 s, 0.361 s at 0.1 s); the figure is how much later it has the address. It includes \
        up to about 0.3 ms that the watch of the kernel's address events needs itself, for both daemons.",
    measure,
};

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for pace in Pace::BOTH {
        let usual = match pace {
            Pace::V2Second if bench.quick => continue,
            Pace::V2Second => 5,
            Pace::V3Tenth => 20,
        };
        for transport in Transport::BOTH {
            let lateness = bench.in_turn(usual, |daemon, round| crash(daemon, pace, transport, round))?;
            let name = format!("{} {}", pace.name(), transport.name());
            let (middle, high) = (lateness.map(|all| median(all)), lateness.map(|all| percentile_95(all)));
            rows.push(Row::new(format!("{name}, median"), Unit::Milliseconds, middle, Target::Ratio(1.0)));
            rows.push(Row::new(format!("{name}, 95 %"), Unit::Milliseconds, high, Target::AtMost(2.0)));
        }
    }
    Ok(rows)
}

fn crash(daemon: &Daemon, pace: Pace, transport: Transport, round: usize) -> Result<f64> {
    let pair = Pair::start(daemon, &Plan::one(pace, transport))?;
    wait_for_some_phase(pace.interval(), round);
    let crashed = pair.crash()?;
    Ok(pair.failover_after(crashed)?.latest)
}
