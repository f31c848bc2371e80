//! A pair with a service, and what befalls such pairs: how long nobody was at work, and how long two were.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rehearse::lab::{Daemon, Manner};
use rehearse::trials::{Idle, Node, Outcome, Recipe, SCENARIOS, Scenario, Service, Supervision, play};

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::processes::Processes;
use crate::row::{Both, Figure, Row, Target, Unit};
use crate::statistics::{median, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Services: how long nobody was at work, and how long two were",
    explanation: "The service is a collector that ticks every 20 ms and needs 0.3 s to start. \"Gap\" is the longest time \
        between one tick of anybody and the next, \"overlap\" the time in which collectors of both nodes ticked, from \
        the event on; of each the median, the 99 % rank and the longest. keepalived has the edge gateway of the \
        examples: a check every 5 s that must fail three times, scripts that start and stop the service, and the service \
        enabled at boot. Tanist has the same gateway with `service` and `pair`: a check every second, and every death or \
        hang moves the service, as it does with the scripts. \"No end\": it had not ended when the watch did, 20 s \
        later. \"Does not stand by\": the node does not take the service afterwards when the other one loses power. \
        \"Decided\": from the death until the daemon's line says so. \"Start on the other node\": from the death until \
        the collector's program runs there. \"Hand-over\": from the moment when the collector is about to end, having \
        been told to, until the other node's program runs; it includes the end of the one and the start of the other \
        process. Memory and processor time are the daemon's own, its helpers' included, of the worse of the two nodes, \
        while nothing happens. Several trials run at the same time, each on hosts of its own; they mostly wait.",
    measure,
};

/// How long the service takes from the start of its program to its first tick.
const START: Duration = Duration::from_millis(300);
/// How long the kernel keeps an address of Tanist's pair that nobody renews, in milliseconds.
const ADDRESS_LIFETIME: f64 = 5_000.0;

/// A scenario with a pair.
struct Case<'a> {
    scenario: &'a Scenario,
    recipe: &'a Recipe,
}

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let rounds = bench.repetitions.unwrap_or(if bench.quick { 1 } else { 5 });
    let program = vec![bench.daemons.tanist.command[0].clone(), "rehearse".to_owned()];
    let service = Service { program, manner: Manner { start: START, ..Manner::default() } };
    let tanist = |supervision: Supervision| Recipe::tanist(bench.daemons.tanist.clone(), &supervision);
    let recipes = Both {
        keepalived: Recipe::edge_gateway(bench.daemons.keepalived.clone()),
        tanist: tanist(Supervision::default()),
    };
    let again = tanist(Supervision { restart: "3 within 60".to_owned(), ..Supervision::default() });
    let fast = tanist(Supervision { pair: "    profile fast".to_owned(), ..Supervision::default() });
    let scenario = |id: &str| SCENARIOS.iter().find(|scenario| scenario.id == id).expect("it is in the table");
    let mut cases: Vec<Case<'_>> = Vec::new();
    for scenario in &SCENARIOS {
        cases.extend([&recipes.keepalived, &recipes.tanist].map(|recipe| Case { scenario, recipe }));
    }
    cases.push(Case { scenario: scenario("B1"), recipe: &again });
    cases.push(Case { scenario: scenario("B3"), recipe: &fast });

    let mut all = play_all(&cases, &service, rounds, bench.at_once)?;
    let special = all.split_off(2 * SCENARIOS.len());
    let mut rows = Vec::new();
    for (scenario, outcomes) in SCENARIOS.iter().zip(all.chunks_exact(2)) {
        rows.extend(rows_of(scenario, &Both { keepalived: &outcomes[0], tanist: &outcomes[1] }));
        let more: &[(&str, usize, f64)] = match scenario.id {
            // A restart here within half a second, and the start of the service.
            "B1" => &[("gap, started again on A (`restart 3 within 60`)", 0, 500.0)],
            "B3" => &[("gap, `profile fast`", 1, 400.0)],
            _ => &[],
        };
        for &(what, which, limit) in more {
            let gaps = spans(&special[which], |outcome| (outcome.gap, outcome.gap_goes_on));
            let (what, target) = (title(scenario, what), Target::AtMost(limit + milliseconds(START)));
            rows.push(Row { what, unit: Unit::Milliseconds, keepalived: None, tanist: figure(&gaps), target });
        }
    }
    rows.extend(idle(bench, &recipes, &service)?);
    Ok(rows)
}

// ── what befalls them ─────────────────────────────────────────────────────────────────────────────────────

/// The outcomes of each case. Rounds of all cases are played in turn, so that whatever else the machine does meets all of
/// them.
fn play_all(cases: &[Case<'_>], service: &Service, rounds: usize, at_once: usize) -> Result<Vec<Vec<Outcome>>> {
    let to_do: VecDeque<(usize, usize)> =
        (0..rounds).flat_map(|round| (0..cases.len()).map(move |which| (which, round))).collect();
    let to_do = Mutex::new(to_do);
    let done: Mutex<Vec<Vec<Outcome>>> = Mutex::new(vec![Vec::new(); cases.len()]);
    let failed: Mutex<Option<Failure>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((which, round)) = next(&to_do) {
                    let Case { scenario, recipe } = cases[which];
                    match play(scenario, recipe, service, round) {
                        Ok(played) => {
                            done.lock().unwrap_or_else(PoisonError::into_inner)[which].push(played.outcome);
                            eprint!(".");
                        }
                        Err(error) => {
                            let failure = Failure::new(format!("{} with {}: {error}", scenario.id, recipe.name));
                            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                            to_do.lock().unwrap_or_else(PoisonError::into_inner).clear();
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None => Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn next(to_do: &Mutex<VecDeque<(usize, usize)>>) -> Option<(usize, usize)> {
    to_do.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn rows_of(scenario: &Scenario, outcomes: &Both<&Vec<Outcome>>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |what: &str, target: Target, span: fn(&Outcome) -> (Duration, bool)| {
        let Both { keepalived, tanist } = outcomes.map(|outcomes| figure(&spans(outcomes, span)));
        rows.push(Row { what: title(scenario, what), unit: Unit::Milliseconds, keepalived, tanist, target });
    };
    let gap = match scenario.id {
        "B3" => Target::AtMost(1_000.0 + milliseconds(START)),
        _ => Target::None,
    };
    add("gap", gap, |outcome| (outcome.gap, outcome.gap_goes_on));
    let overlap = if scenario.never_two { Target::AtMost(0.0) } else { Target::None };
    add("overlap", overlap, |outcome| (outcome.overlap, outcome.overlap_goes_on));
    if scenario.addresses_count {
        add("two addresses", Target::None, |outcome| (outcome.two_addresses, outcome.two_addresses_go_on));
    }
    match scenario.id {
        "B1" => {
            add("decided", Target::AtMostOf99(10.0), |outcome| or_never(outcome.decided_after));
            add("start on the other node", Target::AtMostOf99(100.0), |outcome| or_never(outcome.started_after));
        }
        // One advertisement, the skew time (256 − 100)/256 s, and 50 ms.
        "B8" => add("overlap after the heal", Target::AtMost(1_659.0), |outcome| {
            (outcome.overlap_after_last_deed, outcome.overlap_goes_on)
        }),
        "B9" => add("the address is gone from A", Target::AtMost(ADDRESS_LIFETIME + 500.0), |outcome| {
            or_never(outcome.address_gone_after)
        }),
        "B11" => add("hand-over", Target::AtMostOf99(20.0), |outcome| or_never(outcome.changed_hands_in)),
        _ => {}
    }
    let answers = |outcomes: &Vec<Outcome>| outcomes.iter().filter_map(|outcome| outcome.stands_by).collect::<Vec<_>>();
    let asked = outcomes.map(|outcomes| answers(outcomes));
    if !asked.tanist.is_empty() {
        let no = asked.map(|answers| answers.iter().filter(|yes| !**yes).count() as f64);
        let unit = Unit::Of(asked.tanist.len());
        rows.push(Row::new(title(scenario, "does not stand by"), unit, no, Target::AtMost(0.0)));
    }
    rows
}

/// What was never seen goes on without end.
fn or_never(span: Option<Duration>) -> (Duration, bool) {
    (span.unwrap_or_default(), span.is_none())
}

fn title(scenario: &Scenario, what: &str) -> String {
    format!("{} {}: {what}", scenario.id, scenario.title)
}

fn spans(outcomes: &[Outcome], span: impl Fn(&Outcome) -> (Duration, bool)) -> Vec<f64> {
    let spans = outcomes.iter().map(span);
    spans.map(|(span, goes_on)| if goes_on { f64::INFINITY } else { milliseconds(span) }).collect()
}

fn figure(figures: &[f64]) -> Option<Figure> {
    (!figures.is_empty()).then(|| Figure::spread(figures))
}

// ── what it costs when nothing happens ────────────────────────────────────────────────────────────────────

/// The worse of two nodes.
struct Cost {
    megabytes: f64,
    /// Milliseconds a second.
    cpu: f64,
}

fn idle(bench: &Bench, recipes: &Both<Recipe>, service: &Service) -> Result<Vec<Row>> {
    let settled = Duration::from_secs(if bench.quick { 1 } else { 10 });
    let during = Duration::from_secs(if bench.quick { 2 } else { 20 });
    let rounds = bench.in_turn(1, |daemon: &Daemon, _| {
        let is_tanist = daemon.name == recipes.tanist.daemon.name;
        cost(if is_tanist { &recipes.tanist } else { &recipes.keepalived }, service, settled, during)
    })?;
    let middle = |figure: fn(&Cost) -> f64| rounds.map(|all| median(&all.iter().map(figure).collect::<Vec<f64>>()));
    Ok(vec![
        Row::new("idle: memory", Unit::Megabytes, middle(|cost| cost.megabytes), Target::AtMost(6.0)),
        // Half a percent of a processor.
        Row::new("idle: processor time", Unit::CpuPerSecond, middle(|cost| cost.cpu), Target::AtMost(5.0)),
    ])
}

fn cost(recipe: &Recipe, service: &Service, settled: Duration, during: Duration) -> Result<Cost> {
    let pair = Idle::begin(recipe, service)?;
    thread::sleep(settled);
    let mut worst = Cost { megabytes: 0.0, cpu: 0.0 };
    let nodes: Vec<Processes> =
        Node::BOTH.iter().map(|node| Processes::of_daemon(pair.daemon(*node)?)).collect::<Result<_>>()?;
    let time = |node: &Processes| Ok::<_, Failure>(node.run_time()? + node.run_time_of_ended_children()?);
    let before: Vec<Duration> = nodes.iter().map(time).collect::<Result<_>>()?;
    thread::sleep(during);
    for (node, before) in nodes.iter().zip(before) {
        worst.cpu = worst.cpu.max(milliseconds(time(node)?.saturating_sub(before)) / during.as_secs_f64());
        worst.megabytes = worst.megabytes.max(node.resident_megabytes()?);
    }
    Ok(worst)
}
