//! `hunt` looks for broken invariants, `world` shows one of its worlds, `refuse` refuses one system call after the other, `run`
//! plays scenario files.

use std::process::ExitCode;
use std::time::SystemTime;

use tanist_sim::coverage::Coverage;
use tanist_sim::hunt::{self, Hunt, Refused};
use tanist_sim::scenario::{self, Scenario};
use tanist_sim::world::{self, Record};

const USAGE: &str = "\
usage: tanist-sim hunt [--seeds N] [--from S|new] [--jobs J] [--shown F] [--only ipv6]
       tanist-sim world SEED
       tanist-sim refuse [--most N] FILE...
       tanist-sim run FILE...

hunt  makes up N LANs with faults (default 1000, from seed 1), prints what breaks a rule as a scenario;
      `new` begins where no hunt has been, and says where, so that it can be repeated; `--only ipv6` leaves out of these
      the worlds without IPv6
world  prints the world of a seed as a scenario
refuse  plays scenario files without what they expect, again and again, and refuses something else each time; of each
        kind N times at most (default 40) for each node and file
run   plays scenario files and prints them as they should be; exit status 1 if one differs or breaks a rule";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["hunt", options @ ..] => match hunt_options(options) {
            Ok(order) => go_hunting(order),
            Err(message) => complain(&message),
        },
        ["world", seed] => match seed.parse() {
            Ok(seed) => show_world(seed),
            Err(_) => complain(&format!("a seed is a number, not `{seed}`")),
        },
        ["refuse", "--most", most, files @ ..] if !files.is_empty() => match most.parse() {
            Ok(most) => refuse(most, files),
            Err(_) => complain(&format!("--most needs a number, not `{most}`")),
        },
        ["refuse", files @ ..] if !files.is_empty() => refuse(40, files),
        ["run", files @ ..] if !files.is_empty() => run(files),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => complain(USAGE),
    }
}

fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}

fn hunt_options(options: &[&str]) -> Result<Hunt, String> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut order = Hunt { from: 1, seeds: 1000, jobs, shown: 3, only_ipv6: false };
    for pair in options.chunks(2) {
        let &[name, value] = pair else { return Err(format!("{} needs a value\n{USAGE}", pair[0])) };
        if (name, value) == ("--from", "new") {
            order.from = new_seed();
            continue;
        }
        if name == "--only" {
            if value != "ipv6" {
                return Err(format!("--only knows `ipv6`, not `{value}`"));
            }
            order.only_ipv6 = true;
            continue;
        }
        let number: u64 = value.parse().map_err(|_| format!("{name} needs a number, not `{value}`"))?;
        let small = usize::try_from(number).unwrap_or(usize::MAX);
        match name {
            "--seeds" => order.seeds = number,
            "--from" => order.from = number,
            "--jobs" => order.jobs = small,
            "--shown" => order.shown = small,
            _ => return Err(format!("there is no option {name}\n{USAGE}")),
        }
    }
    Ok(order)
}

/// Microseconds since 1970: hunts that begin at different times have no seed in common, unless they tried one in each
/// microsecond.
fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(1)
}

fn go_hunting(order: Hunt) -> ExitCode {
    // First of all: whoever ends it early can still repeat it.
    let only = if order.only_ipv6 { " --only ipv6" } else { "" };
    println!("repeat it with: tanist-sim hunt --from {} --seeds {}{only}\n", order.from, order.seeds);
    // A panic of the engine is a finding; its text is in there.
    std::panic::set_hook(Box::new(|_| {}));
    let bag = hunt::hunt(order);
    print!("{bag}");
    if bag.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show_world(seed: u64) -> ExitCode {
    let plan = hunt::generate(seed);
    print!("{}", Scenario::print(&plan, &world::run(&plan, Record::Lines).lines));
    ExitCode::SUCCESS
}

fn refuse(most: u32, files: &[&str]) -> ExitCode {
    // As in a hunt.
    std::panic::set_hook(Box::new(|_| {}));
    let mut refused = Refused::default();
    for file in files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return complain(&format!("read {file}: {error}")),
        };
        let before = refused.findings.len();
        match Scenario::parse(&text) {
            Ok(scenario) => refused.each_of(&scenario.plan, most),
            Err(mistakes) => return complain(&format!("{file}:{}", mistakes[0])),
        }
        for (finding, _) in &refused.findings[before..] {
            eprintln!("{file}: {finding}");
        }
    }
    print!("{refused}");
    if refused.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(files: &[&str]) -> ExitCode {
    let mut worst = ExitCode::SUCCESS;
    let mut coverage = Coverage::default();
    for file in files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return complain(&format!("read {file}: {error}")),
        };
        match scenario::check(&text) {
            Err(mistakes) => {
                for mistake in mistakes {
                    eprintln!("{file}:{mistake}");
                }
                worst = ExitCode::FAILURE;
            }
            Ok(checked) => {
                print!("{}", checked.text);
                coverage.add(&checked.coverage);
                for complaint in &checked.complaints {
                    eprintln!("{file}: {complaint}");
                }
                if checked.text != text || !checked.complaints.is_empty() {
                    eprint!("{file}: {}", scenario::difference(&text, &checked.text));
                    worst = ExitCode::FAILURE;
                }
            }
        }
    }
    worst
}
