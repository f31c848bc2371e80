//! The same load with signed advertisements.

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::load::{self, Cost};
use crate::plan::{Pace, Plan};
use crate::row::{Row, Target, Unit};
use crate::statistics::median;

pub(crate) const GROUP: Group = Group {
    title: "Signed: 250 instances with auth_hmac, v3 0.1 s, 2500 advertisements a second",
    explanation: "As under \"Load\", for Tanist alone, which signs each advertisement with HMAC-SHA-256 and verifies each \
        one that it hears (`auth_hmac`); keepalived knows nothing like it. \"Not signed\" is the same measured here without \
        `auth_hmac`, in turn with it.",
    measure,
};

/// What a signature adds to an advertisement.
const TRAILER: usize = 28;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let plain = Plan::many(Pace::V3Tenth);
    let signed = Plan { signed: true, ..plain.clone() };
    let run = |plan: &Plan| load::run(&bench.daemons.tanist, plan, Cost::span(bench));
    let mut costs: [Vec<Cost>; 2] = Default::default();
    for round in 0..bench.rounds(2) {
        // Nobody is always the first.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            costs[which].push(run([&plain, &signed][which])?);
            eprint!(".");
        }
    }
    let octets = costs.each_ref().map(|costs| costs.iter().map(|cost| cost.octets).max());
    if octets[1] != octets[0].map(|plain| plain + TRAILER) {
        return Err(Failure::new(format!("the longest advertisements, not signed and signed: {octets:?} octets")));
    }
    let middle = |figure: &dyn Fn(&Cost) -> f64| {
        costs.each_ref().map(|costs| median(&costs.iter().map(figure).collect::<Vec<f64>>()))
    };
    let row = |what: String, unit, figure| Row::of_tanist(what, unit, figure, Target::None);
    let mut rows = vec![row("Active: advertisements".to_owned(), Unit::PerSecond, middle(&|c| c.advertisements)[1])];
    for (node, role) in [(0, "Active"), (1, "Backup")] {
        rows.push(row(format!("{role}: system calls"), Unit::PerSecond, middle(&|cost| cost.system_calls[node])[1]));
        rows.push(row(format!("{role}: allocations"), Unit::PerSecond, middle(&|cost| cost.allocations[node])[1]));
        let [plain, signed] = middle(&|cost| cost.cpu[node]);
        rows.push(row(format!("{role}: processor time"), Unit::CpuPerSecond, signed));
        rows.push(row(format!("{role}: processor time, not signed"), Unit::CpuPerSecond, plain));
        rows.push(row(format!("{role}: processor time, of that not signed"), Unit::Percent, signed / plain * 100.0));
    }
    Ok(rows)
}
