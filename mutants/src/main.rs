//! Changes a crate in one place after the other and looks whether a test fails. What nobody notices is either no mistake
//! or a test that is missing.
//!
//! The changes are those of cargo-mutants, which builds everything anew for each of them: days, for some thousands. Here
//! all of them are built at once, each behind a switch, and a test runs only if it comes to the place.
#![forbid(unsafe_code)]

mod plant;
mod scratch;
mod tests;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use scratch::Scratch;
use tests::{Fate, Tests};

const USAGE: &str = "\
usage: tanist-mutants CRATE [--shard K/N] [--only WORDS] [--again REPORT] [--longest MS] [--shortest MS]
                       [--with PACKAGE:TEST] [--built] [--list]

changes a crate (engine or config) in one place after the other and looks whether a test fails
  --shard K/N           only every Nth mutant, beginning with the Kth (from 0)
  --only WORDS          only those whose line has these words
  --again REPORT        only those that a former run has missed, wherever their lines are now
  --longest MS          only with tests that take no longer than that when nothing is changed
  --shortest MS         only with tests that take longer than that: those that a run with --longest has left out
  --with PACKAGE:TEST   with tests of another crate, such as sim:scenarios
  --built               with what a former run has planted and built, without looking for newer tests
  --list                only says which there are";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Lines may have come and gone above it since.
fn without_row(line: &str) -> Option<(&str, &str)> {
    let (file, place) = line.split_once(':')?;
    Some((file, place.split_once(':')?.1))
}

fn span(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| format!("`{text}` is no number"))
}

fn run() -> Result<(), String> {
    let (mut krate, mut shard, mut only, mut again, mut list) = (None, (0, 1), String::new(), None, false);
    let (mut with, mut longest, mut shortest, mut built) = (Vec::new(), None, None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value\n{USAGE}"));
        match argument.as_str() {
            "--shard" => {
                let text = value()?;
                let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
                shard = parts.filter(|(k, n)| k < n).ok_or(format!("`{text}` is no shard such as 0/10"))?;
            }
            "--only" => only = value()?,
            "--again" => {
                let path = value()?;
                again = Some(fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?);
            }
            "--with" => with.push(value()?),
            "--longest" => longest = Some(span(&value()?)?),
            "--shortest" => shortest = Some(span(&value()?)?),
            "--list" => list = true,
            "--built" => built = true,
            name if krate.is_none() && matches!(name, "engine" | "config") => krate = Some(name.to_owned()),
            _ => return Err(format!("there is no {argument}\n{USAGE}")),
        }
    }
    let krate = krate.ok_or(USAGE)?;
    let scratch = Scratch::new(&krate, built)?;
    let (mutants, left, programs) = match built {
        true => scratch.built()?,
        false => scratch.plant().map(|(mutants, left)| (mutants, left, Vec::new()))?,
    };
    let mut viable = scratch::viable(&mutants, &left.unviable);
    let constants = mutants.iter().filter(|mutant| mutant.in_constant).count();
    println!(
        "{} mutants: {} do not compile, {constants} are in functions that constants need, {} can be tried",
        mutants.len(),
        left.unviable.len(),
        viable.len()
    );
    let missed = |text: &str, line: &str| {
        let mut known = text.lines().filter_map(|known| Some(known.split_once("  ")?.1.trim()));
        known.any(|known| without_row(known) == without_row(line))
    };
    let (part, parts) = shard;
    viable = viable.into_iter().skip(part).step_by(parts).collect();
    viable.retain(|mutant| {
        let line = mutant.to_string();
        line.contains(&only) && again.as_ref().is_none_or(|again| missed(again, &line))
    });
    if list {
        viable.iter().for_each(|mutant| println!("{mutant}"));
        return Ok(());
    }
    with.insert(0, krate.clone());
    let programs = match built {
        true => programs,
        false => scratch.build(&with)?,
    };
    scratch.remember(&left, &programs)?;
    let mut tests = Tests::look(programs)?;
    tests.only_between(shortest, longest);
    println!("{} to be tried with {} tests", viable.len(), tests.count());
    let begun_at = Instant::now();
    let mut by_file: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut endless = 0;
    for mutant in &viable {
        let fate = tests.try_mutant(mutant.number)?;
        let caught = matches!(fate, Fate::Caught | Fate::Endless);
        endless += usize::from(fate == Fate::Endless);
        let counts = by_file.entry(&mutant.file).or_default();
        counts[0] += usize::from(caught);
        counts[1] += 1;
        match fate {
            Fate::Missed => println!("missed   {mutant}"),
            Fate::NotMet => println!("not met  {mutant}"),
            Fate::Caught | Fate::Endless => {}
        }
    }
    for (file, [caught, tried]) in &by_file {
        println!("{caught:>5} of {tried:>5}  {file}");
    }
    let caught: usize = by_file.values().map(|[caught, _]| caught).sum();
    let seconds = begun_at.elapsed().as_secs();
    println!("{caught} of {} caught, {endless} of them because a test did not end; {seconds} s", viable.len());
    Ok(())
}
