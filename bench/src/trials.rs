//! Plays trials by the hundred, many at the same time, and each of Tanist's once more in the simulator.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rehearse::trials::{Addresses, Outcome, Recipe, Scenario, Service, play, predict, pretend};

use crate::failure::{Failure, Result};

/// From the start of the first daemon back to the first word about the lab, and from the end of the trial to its last.
const BUILDING: Duration = Duration::from_millis(1500);

/// A scenario with a pair, so many times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) recipe: &'a Recipe,
    pub(crate) rounds: usize,
    /// The simulator knows this pair.
    pub(crate) simulated: bool,
}

/// What came of one trial.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) outcome: Outcome,
    pub(crate) addresses: Addresses,
    pub(crate) simulated: Option<Outcome>,
}

/// What came of each case. Rounds of all cases are spread over the whole time, so that whatever else the machine does
/// meets all of them; and they do not begin in step, because then they would also build and end in step.
pub(crate) fn play_all(cases: &[Case<'_>], service: &Service, at_once: usize) -> Result<Vec<Vec<Tried>>> {
    let to_do = Mutex::new(order(&cases.iter().map(|case| case.rounds).collect::<Vec<_>>()));
    let done: Mutex<Vec<Vec<Tried>>> = Mutex::new(vec![Vec::new(); cases.len()]);
    let failed: Mutex<Option<Failure>> = Mutex::default();
    let rounds: usize = cases.iter().map(|case| case.rounds).sum();
    let each = expected_duration(cases, service, 1) / u32::try_from(rounds).unwrap_or(u32::MAX).max(1);
    let (queue, results, failure) = (&to_do, &done, &failed);
    thread::scope(|scope| {
        for number in 0..at_once {
            scope.spawn(move || {
                thread::sleep(each * number as u32 / at_once as u32);
                while let Some((which, round)) = next(queue) {
                    match try_once(cases[which], service, round) {
                        Ok(tried) => {
                            results.lock().unwrap_or_else(PoisonError::into_inner)[which].push(tried);
                            eprint!(".");
                        }
                        Err(error) => {
                            failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                            queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
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

/// A trial that cannot even begin has no outcome. That is told, and it is tried once more: hours of others should not be
/// lost with it.
fn try_once(case: Case<'_>, service: &Service, round: usize) -> Result<Tried> {
    let Case { scenario, recipe, simulated, .. } = case;
    let failure = |error| Failure::new(format!("{} with {}: {error}", scenario.id, recipe.name));
    let played = play(scenario, recipe, service, round).or_else(|error| {
        eprintln!("\n{}: once more", failure(error));
        play(scenario, recipe, service, round)
    });
    let played = played.map_err(failure)?;
    // What the simulator cannot say is missing from the number of its figures.
    let predicted = simulated.then(|| predict(recipe, service, &played.course, round as u64 + 1));
    let simulated = predicted.and_then(|predicted| match predicted {
        Ok(prediction) => Some(prediction.outcome),
        Err(error) => {
            eprintln!("\n{}", failure(error));
            None
        }
    });
    Ok(Tried { outcome: played.outcome, addresses: played.addresses, simulated })
}

/// Which case when, with its round. Who has fewer rounds than others has them evenly spread.
fn order(rounds: &[usize]) -> VecDeque<(usize, usize)> {
    let most = rounds.iter().copied().max().unwrap_or(0);
    let turn = |turn: usize| {
        let due = move |(which, &all): (usize, &usize)| {
            let (before, after) = (turn * all / most, (turn + 1) * all / most);
            (after > before).then_some((which, before))
        };
        rounds.iter().enumerate().filter_map(due)
    };
    (0..most).flat_map(turn).collect()
}

fn next(to_do: &Mutex<VecDeque<(usize, usize)>>) -> Option<(usize, usize)> {
    to_do.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// How long it will take to play all of them: for Tanist the simulator knows, for keepalived experience does.
pub(crate) fn expected_duration(cases: &[Case<'_>], service: &Service, at_once: usize) -> Duration {
    let one = |case: &Case<'_>| {
        let pretended = case.simulated.then(|| pretend(case.scenario, case.recipe, service, 0).ok()).flatten();
        pretended.map_or(keepalived_takes(case.scenario.id), |prediction| prediction.took + BUILDING)
    };
    let all: Duration = cases.iter().map(|case| one(case) * case.rounds as u32).sum();
    all / at_once as u32
}

/// With the recipe of the edge gateway: three checks of 5 s that fail, and trials that end only when the watch does.
fn keepalived_takes(id: &str) -> Duration {
    let seconds = match id {
        "B1" => 22,
        "B2" => 27,
        "B3" => 14,
        "B4" => 47,
        "B5" => 42,
        "B6" => 22,
        "B7" => 37,
        "B8" | "B10" => 22,
        _ => 30,
    };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_fewer_rounds_are_spread() {
        let order: Vec<_> = order(&[4, 2, 1, 0]).into();
        assert_eq!(order, [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (1, 1), (2, 0)]);
        assert!(super::order(&[]).is_empty());
    }
}
