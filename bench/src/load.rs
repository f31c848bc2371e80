//! 250 instances at ten advertisements a second each: what the daemon costs.

use std::thread::sleep;
use std::time::Duration;

use rehearse::lab::{Daemon, Moment, Record, Seen};

use crate::bench::{Bench, Group};
use crate::counters::{self, AllocatorProbes};
use crate::failure::{Failure, Result};
use crate::plan::{Node, Pace, Plan};
use crate::processes::Processes;
use crate::row::{Both, Row, Target, Unit};
use crate::sightings::count_advertisements;
use crate::stage::Pair;
use crate::statistics::{median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Load: 250 instances, v3 0.1 s, 2500 advertisements a second",
    explanation: "Processor time (schedstat of all threads of all processes) and system calls (perf, at the kernel's \
        tracepoint) a second, of the Active and of the Backup node at the same time. The Active node's time includes the \
        kernel's work of carrying each packet through the virtual cable, the switch and the lab's capture there, which \
        is the same for both daemons. Allocations are calls of malloc, calloc, realloc and posix_memalign in the C library, \
        counted by the kernel. Advertisements sent are counted at the switch, to see that both did the same work.",
    measure,
};

/// Of one run, in a second; first of the Active node, then of the Backup node.
pub(crate) struct Cost {
    pub(crate) cpu: [f64; 2],
    pub(crate) system_calls: [f64; 2],
    pub(crate) allocations: [f64; 2],
    pub(crate) advertisements: f64,
    /// Of the longest advertisement, with its IP header.
    pub(crate) octets: usize,
}

impl Cost {
    /// For how long processor time is taken.
    pub(crate) fn span(bench: &Bench) -> Duration {
        Duration::from_secs(if bench.quick { 2 } else { 10 })
    }
}

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let during = Cost::span(bench);
    let costs = bench.in_turn(3, |daemon, _| run(daemon, &Plan::many(Pace::V3Tenth), during))?;
    let middle = |figure: &dyn Fn(&Cost) -> f64| -> Both<f64> {
        costs.map(|all| median(&all.iter().map(figure).collect::<Vec<f64>>()))
    };
    let mut rows =
        vec![Row::new("Active: advertisements", Unit::PerSecond, middle(&|cost| cost.advertisements), Target::None)];
    for (node, role, cpu) in [(0, "Active", 0.7), (1, "Backup", 0.5)] {
        let calls = middle(&|cost| cost.system_calls[node]);
        rows.push(Row::new(format!("{role}: system calls"), Unit::PerSecond, calls, Target::Ratio(0.125)));
        let allocations = middle(&|cost| cost.allocations[node]);
        rows.push(Row::new(format!("{role}: allocations"), Unit::PerSecond, allocations, Target::AtMost(0.0)));
        let time = middle(&|cost| cost.cpu[node]);
        rows.push(Row::new(format!("{role}: processor time"), Unit::CpuPerSecond, time, Target::Ratio(cpu)));
    }
    Ok(rows)
}

/// Of a pair in a steady state.
pub(crate) fn run(daemon: &Daemon, plan: &Plan, during: Duration) -> Result<Cost> {
    let pair = Pair::start(daemon, plan)?;
    sleep(Duration::from_secs(3));
    let (active, backup) = (Processes::of(&pair.first.daemon)?, Processes::of(&pair.second_daemon)?);
    let steady = Steady::of([&active, &backup], during)?;
    // Counting costs time, so it comes after the time was taken.
    let during = during.min(Duration::from_secs(5));
    let system_calls = counters::rates(counters::SYSTEM_CALLS, [&active, &backup], during)?;
    let probes = AllocatorProbes::set(&active)?;
    let allocations = counters::rates(&probes.events(), [&active, &backup], during)?;
    let records = steady.records(&pair)?;
    let (cpu, advertisements) = (steady.cpu, steady.advertisements(&records));
    let octets = records.iter().filter_map(|record| match &record.what {
        Seen::Advertisement(advertisement) => Some(advertisement.packet.len()),
        _ => None,
    });
    Ok(Cost { cpu, system_calls, allocations, advertisements, octets: octets.max().unwrap_or(0) })
}

/// A time in which nothing happened but advertisements.
pub(crate) struct Steady {
    began: Moment,
    ended: Moment,
    /// Milliseconds of processor time a second, of each node.
    pub(crate) cpu: [f64; 2],
}

impl Steady {
    /// Of the Active node and the Backup node, from now on.
    pub(crate) fn of(nodes: [&Processes; 2], during: Duration) -> Result<Self> {
        let time = || Ok::<_, Failure>([nodes[0].run_time()?, nodes[1].run_time()?]);
        let began = Moment::now();
        let before = time()?;
        sleep(during);
        let after = time()?;
        let ended = Moment::now();
        let seconds = ended.since(began).as_secs_f64();
        let cpu = [0, 1].map(|node| milliseconds(after[node].saturating_sub(before[node])) / seconds);
        Ok(Self { began, ended, cpu })
    }

    /// What was seen of the pair from its beginning until now.
    pub(crate) fn records(&self, pair: &Pair) -> Result<Vec<Record>> {
        let records = pair.first.records(self.began);
        // A Backup that takes over and an Active that lets go cost something else.
        let moved = |what: &Seen| matches!(what, Seen::AddressAdded { .. } | Seen::AddressRemoved { .. });
        match records.iter().find(|record| moved(&record.what)) {
            Some(flap) => Err(pair.first.failure(Node::Second, format!("not a steady state: {flap}"))),
            None => Ok(records),
        }
    }

    /// How many the Active node sent a second.
    pub(crate) fn advertisements(&self, records: &[Record]) -> f64 {
        let count = count_advertisements(records, Node::First.name(), self.began, self.ended);
        count as f64 / self.ended.since(self.began).as_secs_f64()
    }
}
