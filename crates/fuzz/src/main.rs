//! The harness on its own, for `cargo xtask fuzz`: what a target finds without libFuzzer, and frames by the million.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use tanist_fuzz::{TARGETS, Target, find, frames, run};

const USAGE: &str = "\
tanist-fuzz list                                 the targets
tanist-fuzz seeds DIRECTORY                      writes what each target begins with
tanist-fuzz run TARGET [--runs N] [--seed S] [FILE or DIRECTORY]...
                                                 inputs, and random changes of them
tanist-fuzz frames [--count N] [--life L]        frames against the receive path, life after life";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["list"] => {
            TARGETS.iter().for_each(|target| println!("{:28} {}", target.name, target.about));
            Ok(())
        }
        ["seeds", directory] => seeds(Path::new(directory)),
        ["run", target, rest @ ..] => changes(target, rest),
        ["frames", rest @ ..] => let_in(rest),
        _ => Err(format!("usage:\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn number(option: &str, value: &str) -> Result<u64, String> {
    value.replace('_', "").parse().map_err(|_| format!("{option} {value}: this is no number"))
}

fn seeds(directory: &Path) -> Result<(), String> {
    for target in &TARGETS {
        let directory = directory.join(target.name);
        let write = |(seed, number): (Vec<u8>, u32)| std::fs::write(directory.join(format!("seed-{number}")), seed);
        std::fs::create_dir_all(&directory)
            .and_then(|()| (target.seeds)().into_iter().zip(1..).try_for_each(write))
            .map_err(|error| format!("write into {}: {error}", directory.display()))?;
    }
    Ok(())
}

fn changes(name: &str, mut words: &[&str]) -> Result<(), String> {
    let target: &Target = find(name).ok_or_else(|| format!("there is no target {name}; `list` shows them"))?;
    let (mut runs, mut seed) = (10_000, 1);
    let mut inputs = (target.seeds)();
    while let [first, rest @ ..] = words {
        words = rest;
        match (*first, rest) {
            (option @ ("--runs" | "--seed"), [value, rest @ ..]) => {
                *(if option == "--runs" { &mut runs } else { &mut seed }) = number(option, value)?;
                words = rest;
            }
            (path, _) => {
                inputs.extend(run::inputs(&PathBuf::from(path)).map_err(|error| format!("read {path}: {error}"))?)
            }
        }
    }
    let began = Instant::now();
    run::run(target, &inputs, runs, seed).map_err(|input| {
        let path = format!("finding-{name}");
        match std::fs::write(&path, &input) {
            Ok(()) => format!("{name}: what does not hold is said above; the input is in {path}"),
            Err(error) => format!("{name}: what does not hold is said above; the input is {input:02x?} ({error})"),
        }
    })?;
    let (runs, seconds) = (inputs.len() as u64 + runs, began.elapsed().as_secs_f64());
    println!("{name}: {} inputs, {runs} runs in {seconds:.1} s", inputs.len());
    Ok(())
}

fn let_in(mut words: &[&str]) -> Result<(), String> {
    let (mut count, mut life) = (1_000_000, 0);
    while let [option @ ("--count" | "--life"), value, rest @ ..] = words {
        *(if *option == "--count" { &mut count } else { &mut life }) = number(option, value)?;
        words = rest;
    }
    if let [word, ..] = words {
        return Err(format!("{word} is not understood\n{USAGE}"));
    }
    let began = Instant::now();
    let tell = |sum: &frames::Sum| {
        let seconds = began.elapsed().as_secs_f64();
        let rate = sum.frames as f64 / seconds;
        let percent = |part: u64| part as f64 * 100.0 / (sum.believed + sum.refused).max(1) as f64;
        let reasons = sum.reasons.iter().filter(|count| **count > 0).count();
        println!(
            "{} frames in {seconds:.0} s, {rate:.0} a second; {} believed, {} refused for {reasons} reasons; {:.0} % heard \
             by a Backup, {:.0} % by an Active router; next --life {}",
            sum.frames,
            sum.believed,
            sum.refused,
            percent(sum.by_backup),
            percent(sum.by_active),
            sum.next_life
        );
    };
    let sum = frames::run(count, life, tell)?;
    tell(&sum);
    Ok(())
}
