//! Goes through all states of the cases, and prints how many there are and what holds in each of them.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use engine::RoleStep;
use tanist_model::{Case, LARGE, SMALL, Steps, check};

const USAGE: &str = "\
usage: tanist-model [--large] [--only WORDS] [--threads N] [--minutes M] [--first]

goes through everything that can happen to two nodes that hand a role over to each other
  --large       with more that goes wrong: for minutes and gigabytes
  --only WORDS  only the cases whose names have these words
  --threads N   at once (default: one for each processor)
  --minutes M   gives up a case after so long (default 60)
  --first       ends with the first case that is broken";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let mut cases: Vec<Case> = SMALL.to_vec();
    let mut threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut minutes = 60;
    let mut only = String::new();
    let mut first = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--first" => first = true,
            "--large" => cases = LARGE.to_vec(),
            "--only" => only = value()?,
            "--threads" => threads = number(&value()?)?,
            "--minutes" => minutes = number(&value()?)?,
            _ => return Err(format!("there is no option {argument}")),
        }
    }
    cases.retain(|case| case.name.contains(&only));
    if cases.is_empty() {
        return Err(format!("no case is called `{only}`"));
    }
    let mut well = true;
    let mut steps = Steps::new();
    for case in cases {
        let report = check(case, threads, Duration::from_secs(60 * minutes as u64));
        println!("{report}");
        well &= report.is_well();
        for (step, count) in report.steps {
            *steps.entry(step).or_default() += count;
        }
        if first && !well {
            break;
        }
    }
    println!("steps of the table of roles, by what was known of the other node:");
    for (RoleStep { state, other, kind }, count) in steps {
        println!("  {:<42}{count:>14}", format!("{state:?}, {other:?}: {kind:?}"));
    }
    Ok(well)
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}
