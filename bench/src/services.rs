//! A pair with a service, and what befalls such pairs: how long nobody was at work, and how long two were.

use std::time::Duration;

use rehearse::lab::Manner;
use rehearse::trials::{Outcome, Recipe, SCENARIOS, Scenario, Service, Supervision};

use crate::bench::{Bench, Group};
use crate::failure::Result;
use crate::row::{Both, Figure, Row, Target, Unit};
use crate::statistics::{median, milliseconds};
use crate::trials::{Case, Tried, expected_duration, play_all};

pub(crate) const GROUP: Group = Group {
    title: "Services: how long nobody was at work, and how long two were",
    explanation: "The service is a collector that ticks every 20 ms and needs 0.3 s to start. \"Gap\" is the longest \
        time between one tick of anybody and the next, \"overlap\" the time in which collectors of both nodes \
        ticked, from the event on; of each the median, the 99 % rank and the longest, and in parentheses of how many \
        trials. keepalived has the edge gateway of the examples: a check every 5 s that must fail three times, \
        scripts that start and stop the service, and the service enabled at boot. Its figures are whole seconds and \
        differ little, so a tenth of the trials is enough for them. Tanist has the same gateway with `service` and \
        `pair`: a check every second, and every death or hang moves the service, as it does with the scripts. \"No \
        end\": it had not ended when the watch did, 20 s later. \"Does not stand by\": the node does not take the \
        service afterwards when the other one loses power. \"Not reported\": neither daemon said that two had been \
        active, or that it had been asleep while it was. Trials run at the same time, each \
        on hosts of its own; they mostly wait. \"Simulated\": each of Tanist's trials is played once more \
        in the simulator of `crates/sim`, with the same configuration and the same deeds at the same moments; there \
        nothing takes time but what is configured and the start of a program, 5 ms. \"Measured less simulated\" is \
        the median of the differences, trial by trial.",
    measure,
};

pub(crate) const MOMENTS: Group = Group {
    title: "Services: a few milliseconds",
    explanation: "The same trials, not more than four at a time and not in step, because others on the same machine would \
        spoil figures of this size. \"Decided\": from the death of the service until the daemon's line says so. \"Start on \
        the other node\": from the death until the collector's program runs there. \"Hand-over\": from the moment when \
        the collector is about to end, having been told to, until the other node's program runs; it includes the end \
        of the one and the start of the other process.",
    measure: measure_moments,
};

/// How long the service takes from the start of its program to its first tick.
const START: Duration = Duration::from_millis(300);
/// How long the kernel keeps an address of Tanist's pair that nobody renews, in milliseconds.
const ADDRESS_LIFETIME: f64 = 5_000.0;
/// One advertisement, the skew time (256 − 100)/256 s, and 50 ms: so long may two go on once they hear each other.
const GIVES_WAY: f64 = 1_659.0;
/// So far may the simulator be off, in milliseconds.
const AGREEMENT: f64 = 20.0;
/// So many trials are played at a time whose figures are a few milliseconds.
const FEW_AT_ONCE: usize = 4;
/// Trials of Tanist's, unless it is said how many.
const ROUNDS: usize = 5;
/// keepalived's trials: so many are enough in any case.
const FEW_ROUNDS: usize = 5;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let (service, recipes) = (service(bench), recipes(bench));
    let tanist = |supervision: Supervision| Recipe::tanist(bench.daemons.tanist.clone(), &supervision);
    let again = tanist(Supervision { restart: "3 within 60".to_owned(), ..Supervision::default() });
    let fast = tanist(Supervision { pair: "    profile fast".to_owned(), ..Supervision::default() });

    let mut cases = with_both(bench, &recipes, SCENARIOS.iter());
    let rounds = bench.rounds(ROUNDS);
    let case = |scenario, recipe| Case { scenario, recipe, rounds, simulated: true };
    cases.extend([case(scenario("B1"), &again), case(scenario("B3"), &fast)]);
    let tried = play_and_tell(&cases, &service, bench.at_once)?;

    let mut rows = Vec::new();
    let mut agreement = Vec::new();
    for scenario in &SCENARIOS {
        let both = tried.of_both(scenario.id, &recipes);
        for quantity in quantities(scenario) {
            rows.push(quantity.row(scenario, &both));
            agreement.extend(quantity.agreement(scenario, both.tanist));
        }
        rows.extend(addresses(scenario, &both));
        rows.extend(counts(scenario, &both));
        // A restart here within half a second, and the start of the service.
        let more = match scenario.id {
            "B1" => Some(("gap, started again on A (`restart 3 within 60`)", &again, 500.0)),
            "B3" => Some(("gap, `profile fast`", &fast, 400.0)),
            _ => None,
        };
        if let Some((what, recipe, limit)) = more {
            let gap = Quantity::gap(Target::AtMost(limit + milliseconds(START))).called(what);
            let only_tanist = Both { keepalived: &[][..], tanist: tried.of(scenario.id, recipe) };
            rows.push(gap.row(scenario, &only_tanist));
            agreement.extend(gap.agreement(scenario, only_tanist.tanist));
        }
    }
    rows.extend(agreement);
    Ok(rows)
}

fn measure_moments(bench: &Bench) -> Result<Vec<Row>> {
    let (service, recipes) = (service(bench), recipes(bench));
    let scenarios = || SCENARIOS.iter().filter(|scenario| !moments(scenario).is_empty());
    let cases = with_both(bench, &recipes, scenarios());
    let tried = play_and_tell(&cases, &service, FEW_AT_ONCE.min(bench.at_once))?;
    let mut rows = Vec::new();
    let mut agreement = Vec::new();
    for scenario in scenarios() {
        let both = tried.of_both(scenario.id, &recipes);
        for quantity in moments(scenario) {
            rows.push(quantity.row(scenario, &both));
            agreement.extend(quantity.agreement(scenario, both.tanist));
        }
    }
    rows.extend(agreement);
    Ok(rows)
}

pub(crate) fn service(bench: &Bench) -> Service {
    let program = vec![bench.daemons.tanist.command[0].clone(), "rehearse".to_owned()];
    Service { program, manner: Manner { start: START, ..Manner::default() } }
}

/// How keepalived's users do it, and how ours do.
pub(crate) fn recipes(bench: &Bench) -> Both<Recipe> {
    Both {
        keepalived: Recipe::edge_gateway(bench.daemons.keepalived.clone()),
        tanist: Recipe::tanist(bench.daemons.tanist.clone(), &Supervision::default()),
    }
}

/// These scenarios with both pairs, fewer with keepalived's.
fn with_both<'a>(
    bench: &Bench,
    recipes: &'a Both<Recipe>,
    scenarios: impl Iterator<Item = &'static Scenario>,
) -> Vec<Case<'a>> {
    let rounds = bench.rounds(ROUNDS);
    let few = rounds.min(FEW_ROUNDS.max(rounds / 10));
    let both = |scenario| {
        [
            Case { scenario, recipe: &recipes.keepalived, rounds: few, simulated: false },
            Case { scenario, recipe: &recipes.tanist, rounds, simulated: true },
        ]
    };
    scenarios.flat_map(both).collect()
}

/// What came of the cases.
struct Harvest<'c, 'a>(Vec<(&'c Case<'a>, Vec<Tried>)>);

impl Harvest<'_, '_> {
    fn of(&self, id: &str, recipe: &Recipe) -> &[Tried] {
        let found = self.0.iter().find(|(case, _)| case.scenario.id == id && std::ptr::eq(case.recipe, recipe));
        found.map_or(&[], |(_, tried)| tried)
    }

    fn of_both(&self, id: &str, recipes: &Both<Recipe>) -> Both<&[Tried]> {
        Both { keepalived: self.of(id, &recipes.keepalived), tanist: self.of(id, &recipes.tanist) }
    }
}

/// Plays the cases; says beforehand how long that and what comes after it will take.
fn play_and_tell<'c, 'a>(cases: &'c [Case<'a>], service: &Service, at_once: usize) -> Result<Harvest<'c, 'a>> {
    let trials: usize = cases.iter().map(|case| case.rounds).sum();
    let takes = expected_duration(cases, service, at_once);
    eprintln!("services: {trials} trials, about {} minutes", takes.as_secs().div_ceil(60));
    Ok(Harvest(cases.iter().zip(play_all(cases, service, at_once)?).collect()))
}

fn scenario(id: &str) -> &'static Scenario {
    SCENARIOS.iter().find(|scenario| scenario.id == id).expect("it is in the table")
}

// ── what is measured of a trial ───────────────────────────────────────────────────────────────────────────

/// A span that both a lab and the simulator measure; `true` with it: it goes on without end.
struct Quantity {
    what: &'static str,
    target: Target,
    span: fn(&Outcome) -> (Duration, bool),
    /// The simulator should agree.
    compared: bool,
}

fn quantities(scenario: &Scenario) -> Vec<Quantity> {
    let gap = if scenario.id == "B3" { Target::AtMost(1_000.0 + milliseconds(START)) } else { Target::None };
    let quantity = |what, target, span| Quantity { what, target, span, compared: true };
    let mut all = vec![
        Quantity::gap(gap),
        Quantity {
            what: "overlap",
            target: if scenario.never_two { Target::AtMost(0.0) } else { Target::None },
            span: |outcome| (outcome.overlap, outcome.overlap_goes_on),
            compared: !scenario.never_two,
        },
    ];
    let after_last_deed: fn(&Outcome) -> (Duration, bool) =
        |outcome| (outcome.overlap_after_last_deed, outcome.overlap_goes_on);
    match scenario.id {
        "B8" => all.push(quantity("overlap after the heal", Target::AtMost(GIVES_WAY), after_last_deed)),
        "B10" => all.push(quantity("overlap after it wakes up", Target::AtMost(GIVES_WAY), after_last_deed)),
        _ => {}
    }
    all
}

/// What takes a few milliseconds.
fn moments(scenario: &Scenario) -> Vec<Quantity> {
    let quantity = |what, most, span| Quantity { what, target: Target::AtMostOf99(most), span, compared: true };
    match scenario.id {
        "B1" => vec![
            quantity("decided", 10.0, |outcome| or_never(outcome.decided_after)),
            quantity("start on the other node", 100.0, |outcome| or_never(outcome.started_after)),
        ],
        "B11" => vec![quantity("hand-over", 20.0, |outcome| or_never(outcome.changed_hands_in))],
        _ => Vec::new(),
    }
}

impl Quantity {
    fn gap(target: Target) -> Self {
        Self { what: "gap", target, span: |outcome| (outcome.gap, outcome.gap_goes_on), compared: true }
    }

    fn called(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    fn row(&self, scenario: &Scenario, tried: &Both<&[Tried]>) -> Row {
        let Both { keepalived, tanist } = tried.map(|tried| figure(&self.measured(tried)));
        let simulated = figure(&self.simulated(tried.tanist));
        let what = title(scenario, self.what);
        Row { what, unit: Unit::Milliseconds, keepalived, tanist, simulated, target: self.target }
    }

    /// How far the two are from each other in most trials.
    fn agreement(&self, scenario: &Scenario, tried: &[Tried]) -> Option<Row> {
        let difference = |one: &Tried| {
            let both = [Some(&one.outcome), one.simulated.as_ref()].map(|outcome| outcome.map(self.span));
            let [Some(measured), Some(simulated)] = both.map(|span| span.map(in_milliseconds)) else { return None };
            // Neither of them ended.
            Some(if measured == simulated { 0.0 } else { measured - simulated })
        };
        let differences: Vec<f64> = tried.iter().filter_map(difference).collect();
        if !self.compared || differences.is_empty() {
            return None;
        }
        let what = format!("{} {}: measured less simulated", scenario.id, self.what);
        Some(Row::of_tanist(what, Unit::Milliseconds, median(&differences), Target::Within(AGREEMENT)))
    }

    fn measured(&self, tried: &[Tried]) -> Vec<f64> {
        tried.iter().map(|one| in_milliseconds((self.span)(&one.outcome))).collect()
    }

    fn simulated(&self, tried: &[Tried]) -> Vec<f64> {
        tried.iter().filter_map(|one| Some(in_milliseconds((self.span)(one.simulated.as_ref()?)))).collect()
    }
}

/// What was never seen goes on without end.
fn or_never(span: Option<Duration>) -> (Duration, bool) {
    (span.unwrap_or_default(), span.is_none())
}

fn in_milliseconds((span, goes_on): (Duration, bool)) -> f64 {
    if goes_on { f64::INFINITY } else { milliseconds(span) }
}

/// Where the daemon cannot take its address away. The simulator's kernels keep what nobody renews.
fn addresses(scenario: &Scenario, tried: &Both<&[Tried]>) -> Vec<Row> {
    let row = |what: &str, target: Target, span: fn(&Tried) -> (Duration, bool)| {
        let spans = |tried: &[Tried]| tried.iter().map(|one| in_milliseconds(span(one))).collect::<Vec<_>>();
        let Both { keepalived, tanist } = tried.map(|tried| figure(&spans(tried)));
        Row { what: title(scenario, what), unit: Unit::Milliseconds, keepalived, tanist, simulated: None, target }
    };
    let mut rows = Vec::new();
    if scenario.addresses_count {
        rows.push(row("two addresses", Target::None, |one| (one.addresses.two, one.addresses.two_go_on)));
    }
    if scenario.id == "B9" {
        let target = Target::AtMost(ADDRESS_LIFETIME + 500.0);
        rows.push(row("the address is gone from A", target, |one| or_never(one.addresses.gone_after)));
    }
    rows
}

/// What must not happen in a single trial.
fn counts(scenario: &Scenario, tried: &Both<&[Tried]>) -> Vec<Row> {
    let row = |what: &str, count: fn(&[Tried]) -> Option<Figure>| {
        let Both { keepalived, tanist } = tried.map(|tried| count(tried));
        let (what, target) = (title(scenario, what), Target::AtMost(0.0));
        tanist.is_some().then_some(Row { what, unit: Unit::Percent, keepalived, tanist, simulated: None, target })
    };
    let stands_by = row("does not stand by", |tried| {
        let answers: Vec<bool> = tried.iter().filter_map(|one| one.outcome.stands_by).collect();
        part(answers.iter().filter(|yes| !**yes).count(), answers.len())
    });
    let of_two = |tried: &[Tried]| part(tried.iter().filter(|one| !one.outcome.told_of_two).count(), tried.len());
    let told = ["B8", "B10"].contains(&scenario.id).then(|| row("not reported", of_two)).flatten();
    stands_by.into_iter().chain(told).collect()
}

fn part(count: usize, all: usize) -> Option<Figure> {
    (all > 0).then_some(Figure::Part { count, all })
}

fn title(scenario: &Scenario, what: &str) -> String {
    format!("{} {}: {what}", scenario.id, scenario.title)
}

fn figure(figures: &[f64]) -> Option<Figure> {
    (!figures.is_empty()).then(|| Figure::spread(figures))
}
